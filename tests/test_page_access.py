"""The page of a scenario for everybody: by keys, by ear, on any screen, on paper, and fast enough."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import time
from pathlib import Path

import page_node
import pytest
from chromium import NEEDS_CHROMIUM, Page
from shipped import loaded

from gdsim.page import scenario_page

pytestmark = [NEEDS_CHROMIUM, pytest.mark.integration, pytest.mark.filterwarnings("default")]


def of(name: str) -> str:
    return scenario_page(loaded(name))


@pytest.fixture(scope="module")
def parabola() -> str:
    return of("parabola")


# ---- for everybody -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core: from GDSIM_AXE, from the packages of the page, or from npm."""
    places = [
        os.environ.get("GDSIM_AXE"),
        os.environ.get("GDSIM_NODE_MODULES"),
        page_node.JS / "node_modules",
    ]
    for place in filter(None, places):
        for file in (Path(place), Path(place) / "axe-core" / "axe.min.js"):
            if file.is_file():
                return file.read_text(encoding="utf-8")
    npm, folder = shutil.which("npm"), tmp_path_factory.mktemp("axe")
    command = [npm or "npm", "install", "--no-audit", "--no-fund", "--silent", "axe-core@4"]
    if npm is None or subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode:
        pytest.skip("axe-core is not there and npm cannot fetch it")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["double-well", "rosenbrock-momentum"])
def test_axe_finds_nothing(page: Page, axe: str, name: str, width: int, dark: bool) -> None:
    page.size(width, 800, dark)
    for fragment in ("", "#view=table", "#view=methods", "#view=zoom&rate=9&rival=adam"):
        page.open(of(name), fragment)
        page.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
        found = page.script("""
          return axe.run(document, {resultTypes: ["violations"]}).then(({violations}) =>
            violations.map(({id, nodes}) => id + ": " + nodes.map((node) => node.target).join(", ")));
        """)
        assert found == [], fragment


def test_everything_is_reached_by_keys(page: Page, parabola: str) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    page.open(parabola)
    reached = set()
    for _ in range(60):
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        reached.add(
            page.script(
                "const one = document.activeElement; return one.id || one.className || one.textContent"
            )
        )
    assert {
        "gdsim-theme",
        "lab1-rate",
        "lab1-start-0",
        "lab1-rule",
        "lab1-rival",
        "lab1-loss",
        "lab1-step",
    } <= reached
    assert {"play", "lab1-tab-convergence", "lab1-picture", "canvas-curve"} <= reached


def test_the_verdict_is_read_out_once_it_rests(page: Page, parabola: str) -> None:
    page.open(parabola)
    page.enter("#lab1-rate", "1.1")
    page.until(
        "return document.querySelector('[aria-live=polite][role=status]').textContent.startsWith('diverged')"
    )


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
@pytest.mark.parametrize("name", ["double-well", "rosenbrock-momentum"])
def test_nothing_is_wider_than_the_screen(page: Page, name: str, width: int) -> None:
    page.size(width, 1080 if width > 1000 else 740)
    page.open(of(name))
    for panel in ("convergence", "methods", "table", "atlas"):
        page.script("document.querySelector(`[data-panel=${arguments[0]}]`).click()", panel)
        page.until(
            "return document.querySelector('[aria-selected=true]').dataset.panel === arguments[0]", panel
        )
        assert page.script("return document.documentElement.scrollWidth <= innerWidth")
    narrow = page.script(
        "return [...document.querySelectorAll('button, select, input, canvas')].filter((one) => {"
        " const box = one.getBoundingClientRect();"
        " return box.width > 0 && (box.left < -1 || box.right > innerWidth + 1); })"
        ".map((one) => one.id || one.className)"
    )
    assert narrow == []


def test_verdict_and_picture_stand_side_by_side_on_a_projector(page: Page, parabola: str) -> None:
    page.size(1920, 1080)
    page.open(parabola)
    bottoms = page.script(
        "return ['.canvas-curve', '.verdict', '.canvas-ruler', '.panel canvas', '#lab1-rate'].map("
        "(one) => document.querySelector(one).getBoundingClientRect().bottom)"
    )
    assert max(bottoms) <= 1080


def test_motion_that_is_not_wanted_is_not_started(page: Page, parabola: str) -> None:
    page.open(parabola)
    first = page.text(".player .count")
    time.sleep(0.3)
    assert page.text(".player .count") == first


def test_the_printed_page_is_light_and_shows_no_controls(page: Page, parabola: str) -> None:
    page.size(1280, 900, dark=True)
    page.open(parabola)
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = page.script(
        "return ['.controls', '.player', '.exports', '.verdict', '.settings-line', '.canvas-curve'].map("
        "(one) => getComputedStyle(document.querySelector(one)).display !== 'none')"
    )
    printed = base64.b64decode(page.driver.execute_cdp_cmd("Page.printToPDF", {})["data"])
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == [False, False, False, True, True, True]
    assert printed.startswith(b"%PDF")


def test_pictures_are_printed_whole_in_the_colours_and_the_shape_of_paper(page: Page, parabola: str) -> None:
    """Those that are not in sight, too: a dark one on white paper would be black."""
    page.size(1280, 500, dark=True)
    page.open(parabola, "#rival=adam")
    page.script("dispatchEvent(new Event('beforeprint'))")
    shapes = page.script(
        "return ['curve', 'ruler', 'convergence'].map((name) => {"
        "const canvas = document.querySelector('.canvas-' + name);"
        "const corner = canvas.getContext('2d').getImageData(2, 2, 1, 1).data;"
        "return [canvas.width, canvas.height, corner[3] === 0 || corner[0] > 250]; })"
    )
    page.script("dispatchEvent(new Event('afterprint'))")
    assert shapes == [[2064, 792, True], [2064, 528, True], [2064, 1080, True]]
    assert "second rule adam" in page.script("return document.querySelector('.settings-line').textContent")
    assert page.script("return document.querySelector('.canvas-curve').width") != 2064


# ---- its speed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "change"),
    [("parabola", "#rate=0.001"), ("rosenbrock-momentum", "#steps=1000")],
)
def test_a_thousand_steps_are_computed_and_drawn_within_a_frame(page: Page, name: str, change: str) -> None:
    page.open(of(name), change)
    times: list[float] = page.driver.execute_async_script("""
      const done = arguments[arguments.length - 1], times = [];
      const frame = window.requestAnimationFrame.bind(window);
      window.requestAnimationFrame = (call) => frame((now) => {
        const before = performance.now();
        call(now);
        times.push(performance.now() - before);
      });
      const slider = document.querySelector(".start input[type=range]");
      const next = (left) => {
        if (!left) return done(times.sort((a, b) => a - b));
        slider.value = 300 + left;
        slider.dispatchEvent(new Event("input"));
        frame(() => frame(() => next(left - 1)));
      };
      frame(() => next(60));
    """)
    assert int(page.text(".player .count").split()[-1]) == 1000
    assert len(times) == 60
    assert times[len(times) // 5] < 1000 / 60  # the machine may have other things to do
