"""The page of a scenario in a real browser, from a file: it computes, answers and stays silent."""

from __future__ import annotations

from typing import Any

import pytest
from chromium import NEEDS_CHROMIUM, Page
from shipped import executed, loaded

from gdsim.page import scenario_page
from gdsim.page.bundle import bundle
from gdsim.page.document import document
from gdsim.page.formulas import emitted
from gdsim.page.parts import PARTS
from gdsim.page.scenario_data import lab_data
from gdsim.runs import execute
from gdsim.runs.store import trajectory_csv
from gdsim.scenario import Scenario, load, parse_mapping, shipped_scenarios

pytestmark = [NEEDS_CHROMIUM, pytest.mark.integration, pytest.mark.filterwarnings("default")]
SECONDS = 10.0
HOSTILE = "</script><img src=x onerror=alert(1)><b>&\u2028'\"`${alert(1)}"
NOISY = {
    "name": "noisy", "loss": "a*w^2 + b*w^4", "initial_weight": 1.5, "learning_rate": 0.05,
    "noise": {"kind": "gaussian", "scale": 0.1}, "domain": [-2, 2], "stopping": {"max_steps": 60},
}  # fmt: skip


def of(name: str, **options: Any) -> str:
    return scenario_page(loaded(name), **options)


@pytest.fixture(scope="module")
def parabola() -> str:
    return of("parabola")


# ---- it computes ---------------------------------------------------------------------------------------


def test_the_page_opens_with_the_verdict_of_python(page: Page, parabola: str) -> None:
    page.open(parabola)
    assert page.kind() == "minimum"
    assert page.text(".verdict .sentence") == executed("parabola").verdict.sentence
    assert page.text("h1") == "A healthy decay"
    assert page.script("return document.querySelectorAll('math').length") == 2


@pytest.mark.parametrize(
    ("rate", "kind"), [("0.2", "minimum"), ("1.0", "cycle"), ("1.1", "diverged"), ("1/3", "minimum")]
)
def test_the_verdict_follows_a_learning_rate_that_is_typed(
    page: Page, parabola: str, rate: str, kind: str
) -> None:
    page.open(parabola)
    page.enter("#lab1-rate", rate)
    page.until_kind(kind)


def test_the_verdict_follows_the_slider_by_keys(page: Page, parabola: str) -> None:
    from selenium.webdriver.common.keys import Keys

    page.open(parabola)
    page.press(".rate input[type=range]", Keys.END)
    page.until_kind("diverged")
    page.press(".rate input[type=range]", Keys.HOME)
    page.until("return document.querySelector('.verdict').dataset.kind !== 'diverged'")


def test_the_verdict_follows_the_slider_by_mouse(page: Page, parabola: str) -> None:
    from selenium.webdriver import ActionChains

    page.open(parabola)
    slider = page.find(".rate input[type=range]")
    half = slider.size["width"] // 2
    ActionChains(page.driver).click_and_hold(slider).move_by_offset(half - 4, 0).release().perform()
    page.until_kind("diverged")


def test_every_slider_moves_by_mouse_and_by_keys_and_its_number_with_it(page: Page) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    page.open(of("rosenbrock"))
    sliders = page.driver.find_elements("css selector", ".controls input[type=range]")
    assert len(sliders) == 5  # the learning rate, the start of x and y, and the parameters a and b
    boxes = "[...document.querySelectorAll('.controls input[type=text]')]"
    numbers = f"return {boxes}.map((one) => one.value).join(' ')"
    for slider in sliders:
        before = page.script(numbers)
        ActionChains(page.driver).scroll_to_element(slider).perform()
        ActionChains(page.driver).click_and_hold(slider).move_by_offset(
            slider.size["width"] // 4, 0
        ).release().perform()
        page.until(f"{numbers} !== arguments[0]", before)
        dragged = page.script(numbers)
        slider.send_keys(Keys.ARROW_LEFT)
        page.until(f"{numbers} !== arguments[0]", dragged)
    assert not page.complaints()


def test_the_start_follows_a_press_into_the_picture(page: Page, parabola: str) -> None:
    from selenium.webdriver import ActionChains

    page.open(parabola)
    canvas = page.find(".canvas-curve")
    ActionChains(page.driver).move_to_element(canvas).click_and_hold().move_by_offset(
        -120, 0
    ).release().perform()
    page.until("return Number(document.querySelector('#lab1-start-0').value) < -1")
    assert page.kind() == "minimum"


def test_the_shown_step_follows_keys_slider_and_buttons(page: Page, parabola: str) -> None:
    from selenium.webdriver.common.keys import Keys

    page.open(parabola)
    assert page.text(".player .count") == "Step 42 of 42"
    page.press("body", Keys.HOME)
    page.until("return document.querySelector('.player .count').textContent === 'Step 0 of 42'")
    page.press("body", Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.until("return document.querySelector('.player .count').textContent === 'Step 2 of 42'")
    page.press(".step-slider", Keys.ARROW_RIGHT)
    page.until("return document.querySelector('.player .count').textContent === 'Step 3 of 42'")
    page.press("body", Keys.SPACE)
    page.until("return document.querySelector('.play').textContent === 'Pause'")
    page.until("return document.querySelector('.step-slider').value > 4")
    page.press("body", Keys.SPACE)
    page.until("return document.querySelector('.play').textContent === 'Play'")


def test_a_second_rule_runs_beside_the_first(page: Page, parabola: str) -> None:
    page.open(parabola, "#rival=momentum&rival.rate=0.1")
    assert page.text(".rival-verdict").startswith("Second rule, momentum: minimum")


def test_a_loss_of_the_readers_own_is_computed(page: Page, parabola: str) -> None:
    page.open(parabola)
    assert page.script("return document.title") == page.text("h1") == "A healthy decay"
    page.enter("#lab1-loss", "(w^2 - 1)^2")
    page.until("return document.title === 'L(w) = (w^2 - 1)^2'")
    assert page.text("h1") == "L(w) = (w^2 - 1)^2"
    page.enter("#lab1-rate", "0.05")
    page.enter("#lab1-start-0", "0.5")
    page.until("return document.querySelector('.verdict .sentence').textContent.includes('w = 1.')")
    assert page.kind() == "minimum"
    page.enter("#lab1-loss", "x^2 + 3*y^2")
    page.until("return document.querySelector('.canvas-contour') !== null")
    page.enter("#lab1-loss", "w^2")
    page.until("return document.querySelector('.canvas-curve') !== null")
    assert page.script("return document.title") == page.text("h1") == "A healthy decay"


def test_a_formula_that_is_none_is_told_with_its_place(page: Page, parabola: str) -> None:
    page.open(parabola)
    page.enter("#lab1-loss", "w^2 + sine(w)")
    page.until("return document.querySelector('#lab1-loss').getAttribute('aria-invalid') === 'true'")
    said = page.text("#lab1-loss-fault")
    assert "sin" in said
    assert "column 7" in said
    assert page.kind() == "minimum"


def test_a_number_that_is_none_is_told_and_changes_nothing(page: Page, parabola: str) -> None:
    page.open(parabola)
    page.enter("#lab1-rate", "-1")
    page.until("return document.querySelector('#lab1-rate').getAttribute('aria-invalid') === 'true'")
    assert "not negative" in page.text("#lab1-rate-fault")
    assert page.kind() == "minimum"


def test_all_changes_are_taken_back(page: Page, parabola: str) -> None:
    page.open(parabola, "#rate=1.1&start=3&rule=adam")
    assert page.script("return document.querySelector('#lab1-rule').value") == "adam"
    page.script("document.querySelector('.reset').click()")
    page.until_kind("minimum")
    assert page.script("return document.querySelector('#lab1-rule').value") == "gradient_descent"
    page.until("return location.hash === ''")


def test_what_could_not_be_taken_is_taken_back_too(page: Page, parabola: str) -> None:
    page.open(parabola)
    page.enter("#lab1-rate", "")
    page.until("return document.querySelector('#lab1-rate').getAttribute('aria-invalid') === 'true'")
    assert page.text("#lab1-rate-fault") == "a number is needed"
    page.enter("#lab1-loss", "((w")
    page.script("document.querySelector('.reset').click()")
    page.until("return document.querySelector('[aria-invalid]') === null")
    assert page.script("return document.querySelector('#lab1-rate').value") == "0.2"
    assert page.script("return document.querySelector('#lab1-loss').value") == "w^2"


def test_a_rate_of_zero_leaves_the_run_stuck(page: Page, parabola: str) -> None:
    page.open(parabola, "#rate=0")
    assert page.text(".verdict .kind") == "Plateau"
    assert "cannot leave its start" in page.text(".verdict .sentence")


def test_the_complex_step_is_not_offered_where_it_would_be_wrong(page: Page, parabola: str) -> None:
    """As gdsim run refuses it, so that what is saved runs there."""
    page.open(parabola, "#derivative=complex_step")
    assert page.script("return document.querySelector('#lab1-method').value") == "complex_step"
    page.enter("#lab1-loss", "abs(w) + where(w < 1, 2, 3)*w^2")
    page.until("return document.querySelector('#lab1-method').value === 'exact'")
    offered = "return !document.querySelector('#lab1-method [value=complex_step]').disabled"
    assert not page.script(offered)
    page.enter("#lab1-loss", "w^2 + abs(2)")
    page.until(offered)
    page.open(parabola, "#loss=relu(w)&derivative=complex_step")
    assert page.script("return document.querySelector('#lab1-method').value") == "exact"


def every_scenario() -> str:
    """One page that knows all shipped scenarios and runs them when it is asked."""
    runs = {name: executed(name) for name in shipped_scenarios()}
    losses = {name: run.loss for name, run in runs.items()}
    entry = """
import { emitted } from "../emitted.js";
import { modelOf } from "./model.js";
const labs = JSON.parse(document.getElementById("gdsim-data").textContent).labs;
function runLab(name) {
  const model = modelOf(labs[name], emitted);
  const { trajectory, verdict } = model.outcomeOf(model.base);
  const { status, steps, weights, weight } = trajectory;
  const final = Array.from(weight.subarray(steps * weights, (steps + 1) * weights), String);
  return { status, steps, kind: verdict.kind, sentence: verdict.sentence, final };
}
document.body.append(Object.assign(document.createElement("p"), { className: "told" }));
"""
    data = {"labs": {name: lab_data(run, loss=name) for name, run in runs.items()}}
    return document(
        "all", "<main></main>", data, bundle("app/all.js", emitted(losses), modules={"app/all.js": entry}), ""
    )


def test_every_shipped_scenario_ends_as_in_python(page: Page) -> None:
    page.open(every_scenario(), name="all.html")
    differing = {}
    for name in shipped_scenarios():
        run, found = executed(name), page.script("return runLab(arguments[0])", name)
        expected = (run.status, int(run.trajectory.steps[0]), run.verdict.kind)
        if (found["status"], found["steps"], found["kind"]) != expected:
            differing[name] = (found, expected)
        elif run.status == "CONVERGED" and [float(one) for one in found["final"]] != pytest.approx(
            run.trajectory.final_weight[:, 0].tolist(), rel=1e-9, abs=1e-12
        ):
            differing[name] = (found["final"], run.trajectory.final_weight[:, 0].tolist())
    assert not differing


# ---- its address ---------------------------------------------------------------------------------------


def test_the_state_is_kept_in_the_address_and_read_again(page: Page, parabola: str) -> None:
    page.open(parabola)
    page.enter("#lab1-rate", "1.1")
    page.enter("#lab1-start-0", "-3")
    page.script("document.querySelector('[data-panel=cobweb]').click()")
    page.until("return location.hash === '#rate=1.1&start=-3&view=cobweb'")
    page.visit(page.driver.current_url)
    assert page.kind() == "diverged"
    assert page.script("return document.querySelector('#lab1-start-0').value") == "-3"
    assert page.script("return document.querySelector('[aria-selected=true]').dataset.panel") == "cobweb"


@pytest.mark.parametrize(
    "fragment",
    ["#rate=fast", "#rate=-1&start=1,2,3&rule=none&steps=1e99", "#loss=%ZZ&view=<b>", "#loss=w^^2",
     "#rate=nan&=&&&x", "#rule=__proto__&rival=constructor", "#" + "x" * 20000,
     "#rule=momentum&rule.momentum=7"],
)  # fmt: skip
def test_an_address_that_says_nonsense_counts_as_not_said(page: Page, parabola: str, fragment: str) -> None:
    page.open(parabola, fragment)
    assert page.kind() == "minimum"


def test_an_address_with_a_loss_is_read(page: Page, parabola: str) -> None:
    page.open(parabola, "#loss=(x-1)^2%2B(y%2B2)^2&start=3,3&rate=0.1")
    assert page.kind() == "minimum"
    assert "(1, −2)" in page.text(".verdict .sentence")


# ---- what is saved -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fragment"),
    [("parabola", "#rate=0.3&start=-7"), ("rosenbrock-momentum", "#steps=300&loss.b=20"),
     ("iris-minibatch", "#seed=5"),
     ("double-well", "#rule=adam&rate=0.05&derivative=central"), ("ravine-adagrad", "#loss=x^2%2B9*y^2")],
)  # fmt: skip
def test_the_scenario_that_is_saved_gives_the_same_run_in_python(
    page: Page, name: str, fragment: str
) -> None:
    page.open(of(name), fragment)
    page.saved("Scenario as YAML", f"{name}.yaml")
    run = execute(load(page.folder / f"{name}.yaml"))
    assert page.text(".verdict .sentence") == run.verdict.sentence
    assert int(page.text(".player .count").split()[-1]) == int(run.trajectory.steps[0])


def test_the_steps_that_are_saved_are_those_of_python(page: Page) -> None:
    for name in ("parabola", "double-well"):
        page.open(of(name))
        assert page.saved("Steps as CSV", f"{name}-trajectory.csv").decode() == trajectory_csv(executed(name))


def test_pictures_are_saved_as_svg_and_png(page: Page, parabola: str) -> None:
    import xml.etree.ElementTree as xml

    page.open(parabola)
    drawn = xml.fromstring(page.saved("SVG", "parabola-curve.svg").decode())
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert page.saved("PNG", "parabola-curve.png").startswith(b"\x89PNG")


# ---- strangers -----------------------------------------------------------------------------------------


def test_hostile_names_stay_text(page: Page) -> None:
    scenario = parse_mapping(
        {**NOISY, "title": HOSTILE, "loss": {"expression": "a*w^2", "parameters": {"a": 1}}}
    )
    page.open(scenario_page(scenario))
    assert page.text("h1").replace("\u2028", "") == HOSTILE.replace("\u2028", "")
    assert page.script("return document.querySelectorAll('img, main b').length") == 0


def test_nothing_runs_that_the_policy_does_not_know(page: Page, parabola: str) -> None:
    page.open(parabola)
    page.script("""
      const script = document.createElement("script");
      script.textContent = "window.intruded = true";
      document.body.append(script);
    """)
    assert page.script("return window.intruded === undefined")
    assert any("Content Security Policy" in line for line in page.complaints())


# ---- parts ---------------------------------------------------------------------------------------------

PLACES = {
    "formula": ".formula", "picture": ".canvas-curve", "derivative": ".canvas-derivative",
    "player": ".player", "verdict": ".verdict",
    "ruler": ".canvas-ruler", "rate": "fieldset.rate", "start": "fieldset.start",
    "rule": "fieldset.rule", "compare": "fieldset.compare", "parameters": "fieldset.parameters",
    "edit": "fieldset.edit", "steps": "#lab1-steps", "method": "#lab1-method", "seed": "#lab1-seed",
    "convergence": "[data-panel=convergence]", "cobweb": "[data-panel=cobweb]", "zoom": "[data-panel=zoom]",
    "methods": "[data-panel=methods]", "vcurve": "[data-panel=vcurve]", "atlas": "[data-panel=atlas]",
    "phase": "[data-panel=phase]", "table": "[data-panel=table]", "exports": ".exports", "theme": ".theme",
    "reset": ".reset",
}  # fmt: skip


def noisy() -> Scenario:
    loss = {"expression": "a*w^2 + b*w^4", "parameters": {"a": 1, "b": 0.5}}
    return parse_mapping({**NOISY, "loss": loss})


def test_every_part_stands_on_the_page(page: Page) -> None:
    assert set(PLACES) == set(PARTS)
    page.open(scenario_page(noisy()))
    missing = [
        name
        for name, place in PLACES.items()
        if not page.script("return !!document.querySelector(arguments[0])", place)
    ]
    assert not missing


@pytest.mark.parametrize("half", [0, 1])
def test_hidden_parts_and_no_others_are_gone(page: Page, half: int) -> None:
    hidden = [*PARTS][half::2]
    page.open(scenario_page(noisy(), hide=hidden))
    gone = [
        name
        for name, place in PLACES.items()
        if not page.script("return !!document.querySelector(arguments[0])", place)
    ]
    assert sorted(gone) == sorted(hidden)


def test_a_page_without_any_part_opens(page: Page) -> None:
    page.open(scenario_page(noisy(), hide=[*PARTS]))
    assert page.text("h1") == "noisy"


def test_every_panel_draws(page: Page) -> None:
    for name in ("double-well", "rosenbrock-momentum", "line-standardised"):
        page.open(of(name))
        for panel in page.script(
            "return [...document.querySelectorAll('[data-panel]')].map((one) => one.dataset.panel)"
        ):
            page.script("document.querySelector(`[data-panel=${arguments[0]}]`).click()", panel)
            page.until(
                "return document.querySelector('[aria-selected=true]').dataset.panel === arguments[0]", panel
            )
            page.until(
                "const canvas = document.querySelector('.panel canvas');"
                "return canvas ? canvas.width > 200 && canvas.getAttribute('aria-label').length > 10 :"
                "  document.querySelectorAll('.panel tbody tr').length > 0"
            )


def test_the_atlas_is_computed_by_a_worker_and_picked_from(page: Page, parabola: str) -> None:
    from selenium.webdriver import ActionChains

    page.open(parabola, "#view=atlas")
    page.until("return /[0-9] %/.test(document.querySelector('.canvas-atlas').getAttribute('aria-label'))")
    page.until(
        "return !document.querySelector('.canvas-atlas').getAttribute('aria-label').includes('still being')"
    )
    label = page.script("return document.querySelector('.canvas-atlas').getAttribute('aria-label')")
    assert "diverges" in label
    canvas = page.find(".canvas-atlas")
    page.script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    ActionChains(page.driver).move_to_element_with_offset(
        canvas, canvas.size["width"] // 3, 0
    ).click().perform()
    page.until_kind("diverged")


def test_the_zoom_follows_h(page: Page, parabola: str) -> None:
    page.open(parabola, "#view=zoom&step=0&h=-1")
    before = page.script("return document.querySelector('.canvas-zoom').getAttribute('aria-label')")
    page.script(
        "const slider = document.querySelector('.h-slider'); slider.value = 8;"
        "slider.dispatchEvent(new Event('input'))"
    )
    page.until(
        "return document.querySelector('.canvas-zoom').getAttribute('aria-label') !== arguments[0]", before
    )
    page.until("return location.hash.includes('h=-8')")


def test_the_methods_agree_at_the_start(page: Page, parabola: str) -> None:
    page.open(parabola, "#view=methods&step=0")
    rows = page.script(
        "return [...document.querySelectorAll('.methods tbody tr')].map((row) => row.innerText.split('\\t'))"
    )
    assert {row[0].split(" (")[0] for row in rows} >= {
        "analytic",
        "forward difference",
        "dual numbers",
        "scipy derivative",
    }
    assert all(float(row[1]) == pytest.approx(20, rel=1e-5) for row in rows)
