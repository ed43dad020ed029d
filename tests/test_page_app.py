"""What the page writes and reads: numbers, addresses, and the files that a reader saves."""

from __future__ import annotations

import json
import math
import random
import struct
from pathlib import Path
from typing import Any

import page_node
import pytest
import yaml
from page_node import NEEDS_NODE
from shipped import executed
from tiers import later

from gdsim.page.document import json_text
from gdsim.page.formulas import emitted
from gdsim.page.scenario_data import lab_data
from gdsim.runs import execute
from gdsim.runs.store import trajectory_csv
from gdsim.scenario import load, shipped_scenarios

pytestmark = NEEDS_NODE
SOME = (
    "double-well",
    "huber",
    "parabola-divergence",
    "logistic-map-two",
    "rosenbrock-momentum",
    "shelf-stuck",
)
_LONGEST = 20_000  # steps
_FILES = """
import { emitted } from "./emitted.js";
import { modelOf } from "./app/model.js";
import { scenarioYaml, trajectoryCsv } from "./app/files.js";
const found = {};
for (const [name, lab] of Object.entries(data)) {
  const model = modelOf(lab, emitted);
  const desk = { lab, emitted, model, state: model.base, outcome: model.outcomeOf(model.base) };
  found[name] = [trajectoryCsv(desk), scenarioYaml(desk)];
}
answer(found);
"""
_ADDRESSES = """
import { emitted } from "./emitted.js";
import { readFragment, writeFragment } from "./app/fragment.js";
import { modelOf } from "./app/model.js";
const model = modelOf(data.lab, emitted);
const read = (text) => readFragment(text, model.base, emitted, model.lossOfText, model.stateFor);
const write = (said) => writeFragment(said.state, model.base, model.lossOfText, said);
answer(data.texts.map((text) => {
  const said = read(text), again = write(said);
  return { said, again, same: JSON.stringify(read(again).state) === JSON.stringify(said.state) };
}));
"""


def lab_of(name: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(json_text(lab_data(executed(name), loss=name)))
    return result


def files(*names: str) -> dict[str, tuple[str, str]]:
    """The log and the scenario that a reader of each page saves."""
    losses = {name: executed(name).loss for name in names}
    found = page_node.run(_FILES, {name: lab_of(name) for name in names}, emitted(losses))
    return {name: (log, text) for name, (log, text) in found.items()}


def addresses(name: str, texts: list[str]) -> list[dict[str, Any]]:
    loss = executed(name).loss
    found: list[dict[str, Any]] = page_node.run(
        _ADDRESSES, {"lab": lab_of(name), "texts": texts}, emitted({name: loss})
    )
    return found


def test_floats_are_written_as_python_writes_them() -> None:
    draw = random.Random(7)
    bits = [struct.unpack("<d", draw.randbytes(8))[0] for _ in range(3000)]
    values = [value for value in bits if math.isfinite(value)]
    values += [draw.uniform(-1, 1) * 10.0 ** draw.randint(-20, 25) for _ in range(3000)]
    values += [
        0.0,
        -0.0,
        1.0,
        1e16,
        9999999999999998.0,
        1e-4,
        9.999e-5,
        123456789.0,
        5e-324,
        math.inf,
        -math.inf,
        math.nan,
    ]
    script = 'import { pythonFloat } from "./app/numerals.js";\nanswer(data.map(pythonFloat));'
    assert page_node.run(script, values) == list(map(repr, values))


def test_numbers_in_boxes_read_back_as_themselves() -> None:
    draw = random.Random(8)
    values = [draw.uniform(-1, 1) * 10.0 ** draw.randint(-300, 300) for _ in range(500)]
    script = """
import { exactText } from "./app/numerals.js";
import { readConstant } from "./app/reading.js";
answer(data.map((value) => readConstant(exactText(value)).value));
"""
    assert list(map(float, page_node.run(script, values))) == values


def test_a_loss_of_the_reader_s_own_is_named_in_titles_and_files() -> None:
    """The scenario's title would be another's; a long formula is cut."""
    script = """
import { emitted } from "./emitted.js";
import { titleOf } from "./app/desk.js";
import { scenarioYaml } from "./app/files.js";
import { modelOf } from "./app/model.js";
const { lab, formulas } = data, model = modelOf(lab, emitted);
answer(formulas.map((formula) => {
  const state = model.stateFor(formula), outcome = model.outcomeOf(state);
  const desk = { lab, emitted, model, state, outcome };
  return [titleOf(desk), scenarioYaml(desk).split("\\n").find((line) => line.startsWith("title:"))];
}));
"""
    formulas = ["", "(x - 1)^2 + y^2", "w" + " + w" * 99]
    data = {"lab": lab_of("parabola"), "formulas": formulas}
    found = page_node.run(script, data, emitted({"parabola": executed("parabola").loss}))
    titles = ["A healthy decay", "L(x, y) = (x - 1)^2 + y^2", "L(w) = " + formulas[2][:79] + "…"]
    assert [title for title, _ in found] == titles
    assert [yaml.safe_load(line)["title"] for _, line in found] == titles


def differing(names: tuple[str, ...], folder: Path) -> dict[str, str]:
    """The scenarios whose files differ from Python's: the log but for its last digits, the run in all."""
    found = {}
    for name, (log, text) in files(*names).items():
        expected = trajectory_csv(executed(name))
        rows = [(line.split(",")[0], *line.split(",")[-2:]) for line in log.splitlines()]
        if rows != [(line.split(",")[0], *line.split(",")[-2:]) for line in expected.splitlines()]:
            found[name] = "steps, directions or flags"
        file = folder / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        if trajectory_csv(execute(load(file))) != expected:
            found[name] = "the run of the saved scenario"
    return found


def test_the_saved_log_is_that_of_python_to_the_byte() -> None:
    for name, (log, _) in files(*SOME).items():
        assert log == trajectory_csv(executed(name)), name


@pytest.mark.parametrize("names", [SOME, later(tuple(shipped_scenarios()))], ids=["some", "all"])
def test_the_saved_scenario_gives_the_same_run(names: tuple[str, ...], tmp_path: Path) -> None:
    short = tuple(name for name in names if int(executed(name).trajectory.steps[0]) <= _LONGEST)
    assert differing(short, tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("#rate=0.3", "rate", 0.3),
        ("#start=-7", "start", [-7]),
        ("#rule=momentum&rule.momentum=0.5", "rule", "momentum"),
        ("#steps=12", "maxSteps", 12),
        ("#derivative=forward", "derivative", "forward"),
        ("#rival=adam", "rival", "adam"),
        ("#seed=9", "seed", 9),
        ("#step=4", "step", 4),
        ("#h=-7.5", "logH", -7.5),
        ("#loss=(w-1)^2%2B1", "formula", "(w-1)^2+1"),
        ("#loss=x^2%2By^2&start=1,2", "start", [1, 2]),
    ],
)
def test_an_address_is_read_and_written_alike(text: str, key: str, value: object) -> None:
    (found,) = addresses("parabola", [text])
    assert found["said"]["state"][key] == value
    assert found["same"], found["again"]


def test_what_an_address_says_wrongly_counts_as_not_said() -> None:
    wrong = [
        "#rate=fast", "#rate=-1", "#rate=1e999", "#start=1,2", "#start=", "#rule=toString", "#steps=1.5",
        "#steps=-1", "#derivative=magic", "#rival=__proto__", "#seed=0.5", "#loss=w^^2",
        "#loss=alert(1)", "#loss=1", "#h=99",
        "#rule.weight_decay=-1", "#%", "#rate=%E0%A4%A", "#" + "a=b&" * 5000,
    ]  # fmt: skip
    plain = addresses("parabola", [""])[0]["said"]["state"]
    for text, found in zip(wrong, addresses("parabola", wrong), strict=True):
        assert found["said"]["state"] == plain, text


def test_no_address_breaks_the_page() -> None:
    draw = random.Random(9)
    words = [
        "rate",
        "start",
        "rule",
        "loss",
        "loss.a",
        "rival",
        "step",
        "steps",
        "=",
        "&",
        "1",
        "-",
        "e",
        ",",
    ]
    words += ["%", "^", "(", "w", "☃"]
    texts = ["#" + "".join(draw.choices(words, k=draw.randint(1, 12))) for _ in range(300)]
    assert all(found["same"] for found in addresses("rosenbrock", texts))
