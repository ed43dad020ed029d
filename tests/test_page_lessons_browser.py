"""Lessons of the page in Chromium, from a file: by keyboard alone, kept, handed in, and silent to the network."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tiers import much_later

from gdsim.lessons.course import Course
from gdsim.lessons.receipts import verify
from gdsim.page.lesson_pages import course_page, lesson_page

pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("chromedriver") is None, reason="chromedriver is not installed"),
]

from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--window-size=900,800",
)


class Reader:
    """Somebody in front of a page, with a keyboard and without a mouse."""

    def __init__(self, driver: webdriver.Chrome, folder: Path) -> None:
        self.driver, self.folder = driver, folder

    def open(self, page: str, name: str = "page.html") -> None:
        file = self.folder / name
        file.write_text(page, encoding="utf-8")
        self.driver.get(f"file://{file}")
        self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, "#lessons h1[tabindex], #lesson-step"))

    def wait(self, until: Callable[[], Any]) -> Any:
        for _ in range(200):
            if found := until():
                return found
            time.sleep(0.05)
        raise AssertionError("nothing came")

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def replace(self, text: str) -> None:
        """Type something in place of what stands in a field."""
        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).perform()
        self.press(text, Keys.ENTER)

    def tab_to(self, css: str) -> None:
        """Press Tab until what has the focus matches."""
        for _ in range(60):
            if self.driver.execute_script("return document.activeElement.matches(arguments[0])", css):
                return
            self.press(Keys.TAB)
        raise AssertionError(f"Tab does not lead to {css}")

    def text(self, css: str) -> str:
        return " ".join(one.text for one in self.driver.find_elements(By.CSS_SELECTOR, css))

    def step(self) -> int:
        return int(self.text("#lesson-step").split()[0])

    def complaints(self) -> list[str]:
        """What the console holds, and every address that is not of this machine."""
        said = [entry["message"] for entry in self.driver.get_log("browser")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            url = message.get("params", {}).get("request", {}).get("url", "")
            if message["method"] == "Network.requestWillBeSent" and not re.match(
                r"(file|blob|data|chrome):", url
            ):
                said.append(url)
        return said


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    options = webdriver.ChromeOptions()
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(tmp_path)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Reader(driver, tmp_path)
    finally:
        driver.quit()


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
            reader.press(Keys.SPACE, *[Keys.ARROW_DOWN] * names.index(right), Keys.ENTER)
        case "order":
            for name in step["right"]:
                place = [item for item, _ in step["items"]].index(name) + 1
                reader.tab_to(f"form button.item:nth-of-type({place})")
                reader.press(Keys.SPACE)
                reader.driver.execute_script("document.getElementById('lesson-step').focus()")
            reader.tab_to("form button.primary")
            reader.press(Keys.ENTER)
        case "run":
            reader.tab_to("form button.primary")
            reader.press(Keys.ENTER)
        case "tune":
            reader.tab_to("form input")
            reader.replace(step["written"].split("=")[1])
        case _:
            reader.tab_to("form input")
            reader.press(step["written"], Keys.ENTER)


def test_a_whole_lesson_is_taken_by_keyboard_kept_and_handed_in(reader: Reader) -> None:
    page = lesson_page("nudges")
    steps = data_of(page)["lessons"][0]["steps"]
    reader.open(page)
    for number, step in enumerate(steps, 1):
        assert reader.step() == number
        if step["kind"] == "predict":
            assert reader.text(".shown") == ""
            assert "run says" not in reader.text("main")
        if step["kind"] not in ("text", "figure"):
            answer(reader, step)
            reader.wait(lambda: reader.driver.find_elements(By.CSS_SELECTOR, ".moves .primary"))
        if step["kind"] in ("figure", "predict", "run") and step["plot"]:
            label = "return document.querySelector('canvas').getAttribute('aria-label').length"
            assert reader.driver.execute_script(label) > 20
        if number == 6:
            reader.driver.refresh()
            reader.wait(lambda: reader.driver.find_elements(By.CSS_SELECTOR, "#lesson-step"))
            assert reader.step() == 6
            if step["kind"] == "run":
                answer(reader, step)
        reader.tab_to(".moves .next")
        reader.press(Keys.ENTER)
    assert "end of the lesson" in reader.text("#lesson-step").lower()
    assert "6 were right at once" in reader.text("main")
    reader.tab_to("summary")
    reader.press(Keys.ENTER)
    reader.tab_to(".hand-in input")
    reader.press("Ada", Keys.TAB, "tulip")
    for suffix in (".md", ".json"):
        reader.press(Keys.TAB)
        reader.press(Keys.ENTER)
        reader.wait((reader.folder / f"01-nudges{suffix}").exists)
    checked = reader.wait(lambda: verify(Course(), reader.folder / "01-nudges.json", "tulip"))
    assert (checked.faults, checked.learner) == ((), "Ada")
    assert (checked.right_at_once, checked.finished) == (6, 1)
    assert "# A nudge, and what it changes" in (reader.folder / "01-nudges.md").read_text(encoding="utf-8")
    assert reader.complaints() == []


def test_a_wrong_answer_is_understood_and_help_is_there(reader: Reader) -> None:
    page = lesson_page("chain-rule")
    steps = data_of(page)["lessons"][0]["steps"]
    place = next(k for k, step in enumerate(steps) if step.get("of") == "sin(3x)")
    reader.open(page)
    for _ in range(place):
        reader.tab_to(".moves .next")
        reader.press(Keys.ENTER)
    reader.tab_to("form input")
    reader.press("cos(3x)", Keys.ENTER)
    assert "chain rule" in reader.text("#lesson-said")
    reader.replace("3cos(3x")
    assert "could not be read" in reader.text("#lesson-said")
    reader.tab_to(".moves button:nth-child(2)")
    reader.press(Keys.ENTER, Keys.ENTER)
    assert len(reader.driver.find_elements(By.CSS_SELECTOR, ".hints > div")) == 2
    reader.tab_to("form input")
    reader.replace("3 cos(3x)")
    assert reader.text("#lesson-said").startswith("Right.")
    assert reader.complaints() == []


@pytest.mark.parametrize("width", [360, much_later(768), much_later(1280)])
def test_every_step_of_the_course_shows_without_a_fault_and_fits(reader: Reader, width: int) -> None:
    page = course_page()
    data = data_of(page)
    reader.open(page)
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    reader.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert len(reader.driver.find_elements(By.CSS_SELECTOR, ".lessons a")) == len(data["lessons"])
    wide = []
    for lesson in data["lessons"]:
        reader.driver.execute_script("location.hash = arguments[0]", lesson["name"])
        reader.wait(lambda title=lesson["title"]: reader.text("h1") == title)
        for step in lesson["steps"]:
            if step["kind"] == "run":
                reader.driver.execute_script("document.querySelector('form .primary').click()")
            script = "return document.documentElement.scrollWidth > innerWidth"
            if reader.driver.execute_script(script):
                wide.append((lesson["name"], step["name"]))
            reader.driver.execute_script("document.querySelector('.moves .next').click()")
    assert wide == []
    assert reader.complaints() == []
