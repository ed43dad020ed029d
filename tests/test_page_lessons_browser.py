"""Lessons of the page in Chromium, from a file: by keyboard alone, kept, handed in, and silent."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chromium import NEEDS_CHROMIUM, SECONDS, Page
from test_page_access import axe  # noqa: F401
from tiers import much_later

from gdsim.lessons.course import Course
from gdsim.lessons.receipts import verify
from gdsim.lessons.scaffold import scaffold
from gdsim.page.lesson_pages import course_page, lesson_page

pytestmark = [NEEDS_CHROMIUM, pytest.mark.integration, pytest.mark.filterwarnings("default")]

TAB, ENTER, SPACE, DOWN = "\ue004", "\ue007", "\ue00d", "\ue015"


class Reader(Page):
    """Somebody in front of a page of lessons, with a keyboard and without a mouse."""

    def visit(self, address: str) -> None:
        self.driver.get(address)
        self.script("localStorage.clear()")
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.reload()

    def reload(self) -> None:
        self.driver.refresh()
        self.until("return document.querySelector('#lessons h1[tabindex], #lesson-step') !== null")

    def wait(self, until: Callable[[], Any]) -> Any:
        end = time.monotonic() + SECONDS
        while not (found := until()):
            assert time.monotonic() < end, "nothing came"
            time.sleep(0.02)
        return found

    def keys(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        from selenium.webdriver import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def replace(self, text: str) -> None:
        """Type something in place of what stands in the field."""
        from selenium.webdriver import ActionChains, Keys

        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).perform()
        self.keys(text, ENTER)

    def tab_to(self, selector: str) -> None:
        """Press Tab until what has the focus matches."""
        for _ in range(60):
            if self.script("return document.activeElement.matches(arguments[0])", selector):
                return
            self.keys(TAB)
        raise AssertionError(f"Tab does not lead to {selector}")

    def go_on(self) -> None:
        self.tab_to(".moves .next")
        self.keys(ENTER)

    def count(self, selector: str) -> int:
        return int(self.script("return document.querySelectorAll(arguments[0]).length", selector))

    def number(self) -> int:
        return int(self.text("#lesson-step").split()[0])


@pytest.fixture
def reader(page: Page) -> Reader:
    """A reader at the page of a test, which must not complain and not ask for anything."""
    return Reader(page.driver, page.folder)


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'id="gdsim-data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def answer(reader: Reader, step: dict[str, Any]) -> None:
    """Answer a step rightly, from wherever the focus is."""
    match step["kind"]:
        case "choice" | "predict" if "items" in step or step.get("ask") == "direction":
            names = [name for name, _ in step["items"]] if "items" in step else ["left", "right", "stay"]
            right = step["right"] if isinstance(step["right"], str) else step["right"][0]
            reader.tab_to("form input[type=radio]")
            reader.keys(SPACE, *[DOWN] * names.index(right), ENTER)
        case "order":
            for name in step["right"]:
                place = [item for item, _ in step["items"]].index(name) + 1
                reader.tab_to(f"form button.item:nth-of-type({place})")
                reader.keys(SPACE)
                reader.script("document.getElementById('lesson-step').focus()")  # as Shift and Tab would
            reader.tab_to("form button.primary")
            reader.keys(ENTER)
        case "run":
            reader.tab_to("form button.primary")
            reader.keys(ENTER)
        case "tune":
            reader.tab_to("form input")
            reader.replace(step["written"].split("=")[1])
        case _:
            reader.tab_to("form input")
            reader.keys(step["written"], ENTER)


def test_a_whole_lesson_is_taken_by_keyboard_kept_and_handed_in(reader: Reader) -> None:
    page = lesson_page("nudges")
    steps = data_of(page)["lessons"][0]["steps"]
    reader.open(page)
    for number, step in enumerate(steps, 1):
        assert reader.number() == number
        if step["kind"] == "predict":
            assert reader.text(".shown") == ""
            assert "run says" not in reader.text("main")
        if step["kind"] not in ("text", "figure"):
            answer(reader, step)
            reader.wait(lambda: reader.count(".moves .primary"))
        if step["kind"] in ("figure", "predict", "run") and step["plot"]:
            label = "return document.querySelector('canvas').getAttribute('aria-label').length"
            assert reader.script(label) > 20
        if number == 6:
            reader.reload()
            assert reader.number() == 6
            if step["kind"] == "run":
                answer(reader, step)
        reader.go_on()
    assert "end of the lesson" in reader.text("#lesson-step").lower()
    assert "6 were right at once" in reader.text("main")
    reader.tab_to("summary")
    reader.keys(ENTER)
    reader.tab_to(".hand-in input")
    reader.keys("Ada", TAB, "tulip")
    for suffix in (".md", ".json"):
        reader.keys(TAB)
        reader.keys(ENTER)
        reader.wait((reader.folder / f"01-nudges{suffix}").exists)
    checked = reader.wait(lambda: verify(Course(), reader.folder / "01-nudges.json", "tulip"))
    assert (checked.faults, checked.learner) == ((), "Ada")
    assert (checked.right_at_once, checked.finished) == (6, 1)
    assert "# A nudge, and what it changes" in (reader.folder / "01-nudges.md").read_text(encoding="utf-8")


def test_a_wrong_answer_is_understood_and_help_is_there(reader: Reader) -> None:
    page = lesson_page("chain-rule")
    steps = data_of(page)["lessons"][0]["steps"]
    place = next(k for k, step in enumerate(steps) if step.get("of") == "sin(3x)")
    reader.open(page)
    for _ in range(place):
        reader.go_on()
    reader.tab_to("form input")
    reader.keys("cos(3x)", ENTER)
    assert "chain rule" in reader.text("#lesson-said")
    reader.replace("3cos(3x")
    assert "could not be read" in reader.text("#lesson-said")
    reader.tab_to(".moves button:nth-child(2)")
    reader.keys(ENTER, ENTER)
    assert reader.count(".hints > div") == 2
    reader.tab_to("form input")
    reader.replace("3 cos(3x)")
    assert reader.text("#lesson-said").startswith("Right.")


def test_the_picture_of_a_sweep_is_shown_with_its_words(reader: Reader) -> None:
    page = lesson_page("beyond")
    names = [step["name"] for step in data_of(page)["lessons"][0]["steps"]]
    reader.open(page)
    for _ in range(names.index("atlas")):
        reader.script("document.querySelector('.moves .next').click()")
    seen = "const one = document.querySelector('.picture img'); return one.complete && one.naturalWidth"
    assert reader.wait(lambda: reader.script(seen)) > 1000
    assert "Verdicts of 4800 runs" in reader.script("return document.querySelector('.picture img').alt")


@pytest.mark.parametrize("width", [360, much_later(768), much_later(1280)])
def test_every_step_of_the_course_shows_without_a_fault_and_fits(reader: Reader, width: int) -> None:
    page = course_page()
    data = data_of(page)
    reader.open(page)
    reader.size(width, 800)
    assert reader.count(".lessons a") == len(data["lessons"])
    wide = []
    for lesson in data["lessons"]:
        reader.script("location.hash = arguments[0]", lesson["name"])
        reader.wait(lambda title=lesson["title"]: reader.text("h1") == title)
        for step in lesson["steps"]:
            if step["kind"] == "run":
                reader.script("document.querySelector('form .primary').click()")
            script = "return document.documentElement.scrollWidth > innerWidth"
            if reader.script(script):
                wide.append((lesson["name"], step["name"]))
            reader.script("document.querySelector('.moves .next').click()")
    assert wide == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_in_a_lesson(reader: Reader, axe: str, dark: bool) -> None:  # noqa: F811
    reader.size(360, 800, dark)
    reader.open(course_page())
    look = """
      return axe.run(document, {resultTypes: ["violations"]}).then(({violations}) =>
        violations.map(({id, nodes}) => id + ": " + nodes.map((node) => node.target).join(", ")));
    """
    reader.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    assert reader.script(look) == []
    for lesson in ("01-nudges", "13-learning-rate"):
        reader.script("location.hash = arguments[0]", lesson)
        for _ in range(13):
            reader.script("document.querySelector('.answer input, .answer .item')?.click()")
            reader.script("document.querySelector('.answer .primary')?.click()")
            reader.script("for (const one of document.querySelectorAll('.moves button:not(.next)')) "
                          "if (one.textContent === 'Hint') one.click()")  # fmt: skip
            assert reader.script(look) == [], (lesson, reader.text("#lesson-step"))
            reader.script("document.querySelector('.moves .next').click()")


def test_words_of_a_course_of_ones_own_can_do_nothing(reader: Reader, tmp_path: Path) -> None:
    file, texts = scaffold(tmp_path, "01-mine")[:2]
    hostile = "</script><img src=x onerror=alert(1)> \x08 [a](javascript:alert(1)) [b](other.md)"
    written = texts.read_text(encoding="utf-8")
    texts.write_text(re.sub(r"(?m)^(# .*|[A-Z].*)$", rf"\1 {hostile}", written), encoding="utf-8")
    reader.open(lesson_page("mine", course=Course(file.parent.parent)))
    for _ in range(8):
        assert hostile[:9] in reader.text("main")
        assert reader.count("main img, main a[href], main script, parsererror") == 0
        reader.go_on()
