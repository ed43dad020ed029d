"""Defaults, shorthands, presets, extends and overrides: what wins over what; which files are found."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from scenario_cases import PLAIN, faults, write

from gdsim import scenario
from gdsim.derivatives import METHODS
from gdsim.outcomes import InputError
from gdsim.scenario.document import read_document
from gdsim.schedules import SCHEDULES
from gdsim.update_rules import RULES

# ---- defaults and shorthands


def test_defaults_are_those_of_the_format(tmp_path: Path) -> None:
    found = scenario.load(
        write(tmp_path, "loss: w**2\ninitial_weight: 0.5\nlearning_rate: 0.1\n", "my run.yaml")
    )
    assert (found.name, found.title, found.seed, found.record.every) == ("my run", "", 0, 1)
    assert found.update_rule.name == "gradient_descent"
    assert found.derivative.method == "analytic"
    assert (found.stopping.max_steps, found.stopping.gradient_tolerance) == (1000, 1e-8)
    assert found.stopping.divergence_bound == 1e8
    assert found.learning_rate.schedule == "constant"
    assert found.domain == {"w": (-9.5, 10.5)}
    assert (found.clip, found.line_search, found.noise, found.data, found.sweep, found.expect) == (None,) * 6


@pytest.mark.parametrize(("start", "reach"), [(0.5, 10), (-1, 10), (3, 30), (-200, 2000)])
def test_the_default_domain_is_ten_starts_wide(start: float, reach: float) -> None:
    found = scenario.parse_mapping({**PLAIN, "initial_weight": start})
    assert found.domain == {"w": (start - reach, start + reach)}


def test_a_domain_may_name_some_weights_only() -> None:
    found = scenario.parse_mapping(
        {
            "loss": "x**2 + y**2",
            "initial_weight": {"x": 0, "y": 1},
            "learning_rate": 1,
            "domain": {"y": [-2, 2]},
        }
    )
    assert found.domain == {"x": (-10.0, 10.0), "y": (-2.0, 2.0)}


@pytest.mark.parametrize("text", ["1/48", "-7/sqrt(2)", "2*pi", "10^-3", "1e-3"])
@pytest.mark.parametrize(
    "key", ["initial_weight", "learning_rate", "parameter", "tolerance", "domain", "option"]
)
def test_a_constant_expression_stands_for_a_number(key: str, text: str) -> None:
    value = {
        "1/48": 1 / 48,
        "-7/sqrt(2)": -7 / math.sqrt(2),
        "2*pi": 2 * math.pi,
        "10^-3": 1e-3,
        "1e-3": 1e-3,
    }[text]
    if value < 0 and key not in ("initial_weight", "parameter"):
        text, value = text[1:], -value
    if key == "option":
        found = scenario.parse_mapping(
            {**PLAIN, "update_rule": {"name": "adam", "eps": text}}
        ).update_rule.options["eps"]
    elif key == "parameter":
        loss = {"expression": "a*w", "parameters": {"a": text}}
        found = scenario.parse_mapping({**PLAIN, "loss": loss}).loss.parameters["a"]
    elif key == "tolerance":
        found = scenario.parse_mapping(
            {**PLAIN, "stopping": {"gradient_tolerance": text}}
        ).stopping.gradient_tolerance
    elif key == "domain":
        found = scenario.parse_mapping({**PLAIN, "domain": [-50, text]}).domain["w"][1]
    elif key == "initial_weight":
        found = scenario.parse_mapping({**PLAIN, key: text}).initial_weight["w"]
    else:
        found = scenario.parse_mapping({**PLAIN, key: text}).learning_rate.initial
    # -7/sqrt(2): the quotient of the rounded root is within one ulp of the rounded quotient
    assert found == pytest.approx(value, rel=3e-16)


def test_whole_numbers_may_be_constant_expressions_too() -> None:
    assert scenario.parse_mapping({**PLAIN, "stopping": {"max_steps": "10^5"}}).stopping.max_steps == 100_000


def test_a_bare_name_is_a_library_loss_if_there_is_one() -> None:
    found = scenario.parse_mapping({**PLAIN, "loss": "rosenbrock", "initial_weight": {"x": 0, "y": 0}})
    assert found.loss.name == "rosenbrock"
    assert found.loss.parameters == {"a": 1.0, "b": 100.0}
    assert scenario.parse_mapping({**PLAIN, "loss": "w"}).loss == scenario.LossSpec("w")


def test_weights_stand_in_the_order_of_the_formula() -> None:
    found = scenario.parse_mapping({**PLAIN, "loss": "y**2 + x**2", "initial_weight": {"x": 1, "y": 2}})
    assert list(found.initial_weight) == ["y", "x"]


@pytest.mark.parametrize("name", [*RULES])
def test_every_update_rule_can_be_named_and_comes_with_all_its_options(name: str) -> None:
    found = scenario.parse_mapping({**PLAIN, "update_rule": name})
    again = scenario.parse_mapping({**PLAIN, "update_rule": {"name": name, **found.update_rule.options}})
    assert again == found
    flat = {part for pair in RULES[name].pairs.values() for part in pair}
    assert {*found.update_rule.options} == ({*RULES[name].options} - flat) | {*RULES[name].pairs}


@pytest.mark.parametrize("name", [*SCHEDULES])
def test_every_schedule_can_be_named(name: str) -> None:
    needed = {key: 5 if o.whole else 0.5 for key, o in SCHEDULES[name].options.items() if o.default is None}
    found = scenario.parse_mapping({**PLAIN, "learning_rate": {"schedule": name, "initial": 0.1, **needed}})
    assert {*found.learning_rate.options} == {*SCHEDULES[name].options}


@pytest.mark.parametrize("name", [*METHODS])
def test_every_derivative_method_can_be_named(name: str) -> None:
    found = scenario.parse_mapping({**PLAIN, "derivative": name})
    assert found.derivative.method == name
    assert {*found.derivative.options} == {*METHODS[name].options}


# ---- what wins over what


def test_precedence_is_built_in_preset_base_scenario_override(tmp_path: Path) -> None:
    preset = write(
        tmp_path,
        "stopping: {max_steps: 1, gradient_tolerance: 0.1, divergence_bound: 9}\nseed: 1\n",
        "p.yaml",
    )
    write(
        tmp_path,
        "loss: w**2\nlearning_rate: 0.5\nstopping: {max_steps: 2, gradient_tolerance: 0.2}\n",
        "base.yaml",
    )
    path = write(tmp_path, "extends: base.yaml\ninitial_weight: 1\nstopping: {max_steps: 3}\n")
    found = scenario.load(path, preset=preset, overrides=["stopping.max_steps=4", "initial_weight=7"])
    assert (found.stopping.max_steps, found.stopping.gradient_tolerance, found.stopping.divergence_bound) == (
        4,
        0.2,
        9,
    )
    assert (found.seed, found.learning_rate.initial, found.initial_weight) == (1, 0.5, {"w": 7.0})
    origins = scenario.origins(found)
    assert origins["stopping.max_steps"] == "-S stopping.max_steps=4"
    assert origins["stopping.gradient_tolerance"] == f"{tmp_path / 'base.yaml'}:3"
    assert origins["stopping.divergence_bound"] == f"{preset}:1"
    assert origins["loss.expression"] == f"{tmp_path / 'base.yaml'}:1"
    assert origins["record.every"] == "built-in"
    assert origins["loss.parameters"] == "built-in"
    assert origins["learning_rate.warmup"] == "built-in"
    assert origins["domain.w"] == "built-in"
    assert origins["learning_rate.initial"] == f"{tmp_path / 'base.yaml'}:2"
    assert origins["name"] == "the file's stem"


def test_mappings_merge_deeply_and_lists_replace(tmp_path: Path) -> None:
    write(
        tmp_path,
        "loss: {expression: a*x**2 + b*y**2, parameters: {a: 1, b: 2}}\ninitial_weight: {x: 1, y: 2}\n"
        "learning_rate: 0.1\ndomain: {x: [-9, 9], y: [-8, 8]}\n",
        "base.yaml",
    )
    path = write(
        tmp_path,
        "extends: base.yaml\nloss: {parameters: {b: 3}}\ninitial_weight: {y: 5}\ndomain: {x: [0, 1]}\n",
    )
    found = scenario.load(path)
    assert found.loss.parameters == {"a": 1.0, "b": 3.0}
    assert found.initial_weight == {"x": 1.0, "y": 5.0}
    assert found.domain == {"x": (0.0, 1.0), "y": (-8.0, 8.0)}


@pytest.mark.parametrize(
    ("base", "above", "name", "options"),
    [
        ("momentum", "{momentum: 0.5}", "momentum", {"momentum": 0.5}),
        ("{name: adam, eps: 0.1}", "{betas: [0.5, 0.6]}", "adam", {"eps": 0.1, "betas": [0.5, 0.6]}),
        ("{name: adam, eps: 0.1}", "momentum", "momentum", {"momentum": 0.9}),
        ("{name: adam, eps: 0.1}", "{name: momentum, momentum: 0.5}", "momentum", {"momentum": 0.5}),
        ("{name: adam, eps: 0.1}", "adam", "adam", {"eps": 1e-8}),
    ],
)
def test_an_update_rule_merges_and_options_of_another_rule_are_dropped(
    tmp_path: Path, base: str, above: str, name: str, options: dict[str, object]
) -> None:
    write(tmp_path, f"loss: w**2\ninitial_weight: 1\nlearning_rate: 0.1\nupdate_rule: {base}\n", "base.yaml")
    rule = scenario.load(write(tmp_path, f"extends: base.yaml\nupdate_rule: {above}\n")).update_rule
    assert rule.name == name
    assert {key: rule.options[key] for key in options} == options


def test_an_override_of_the_learning_rate_keeps_its_schedule_and_a_file_does_not(tmp_path: Path) -> None:
    rate = "{schedule: cosine, initial: 0.1, T_max: 50}"
    base = write(tmp_path, f"loss: w**2\ninitial_weight: 1\nlearning_rate: {rate}\n", "base.yaml")
    kept = scenario.load(base, overrides=["learning_rate=0.3"]).learning_rate
    assert (kept.schedule, kept.initial, kept.options["T_max"]) == ("cosine", 0.3, 50)
    replaced = scenario.load(write(tmp_path, "extends: base.yaml\nlearning_rate: 0.3\n")).learning_rate
    assert (replaced.schedule, replaced.initial) == ("constant", 0.3)
    changed = scenario.load(
        base, overrides=["learning_rate={schedule: exponential, gamma: 0.9}"]
    ).learning_rate
    assert (changed.schedule, changed.initial, changed.options) == ("exponential", 0.1, {"gamma": 0.9})


@pytest.mark.parametrize(
    ("override", "check"),
    [
        ("update_rule.momentum=0.5", lambda s: s.update_rule.options["momentum"] == 0.5),
        ("initial_weight.w=4", lambda s: s.initial_weight == {"w": 4.0}),
        ("domain=[-1, 1]", lambda s: s.domain == {"w": (-1.0, 1.0)}),
        ("loss=-(w - 1)^2", lambda s: s.loss.expression == "-(w - 1)^2"),
        ("title=a = b", lambda s: s.title == "a = b"),
        ("stopping.max_steps=10^2", lambda s: s.stopping.max_steps == 100),
        ("noise={kind: gaussian, scale: 1}", lambda s: s.noise.scale == 1),
        ("expect=null", lambda s: s.expect is None),
        ("expect.at.10.weight=3", lambda s: s.expect["at"][10]["weight"] == {"w": 3.0}),
    ],
)
def test_overrides_promote_shorthands(tmp_path: Path, override: str, check: object) -> None:
    path = write(
        tmp_path,
        "loss: w**2\ninitial_weight: 1\nlearning_rate: 0.1\nupdate_rule: momentum\n"
        "expect: {verdict: minimum}\n",
    )
    assert check(scenario.load(path, overrides=[override]))  # type: ignore[operator]


def test_a_fault_of_an_override_names_the_override(tmp_path: Path) -> None:
    path = write(tmp_path, "loss: w**2\ninitial_weight: 1\nlearning_rate: 0.1\n")
    with pytest.raises(InputError) as caught:
        scenario.load(path, overrides=["learning_rat=1", "stopping.max_steps=x"])
    texts = [str(fault) for fault in caught.value.faults]
    assert texts[0].startswith("-S learning_rat=1: learning_rat: unknown key 'learning_rat'")
    assert texts[0].endswith("did you mean learning_rate?")
    assert texts[1].startswith("-S stopping.max_steps=x: stopping.max_steps: 'x' is not a number")


@pytest.mark.parametrize("text", ["learning_rate", "=1", "a..b=1", "loss=[1"])
def test_an_override_without_key_or_value_is_refused(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, "loss: w**2\ninitial_weight: 1\nlearning_rate: 0.1\n")
    with pytest.raises(InputError, match=r"-S "):
        scenario.load(path, overrides=[text])


def test_files_that_extend_one_another_in_a_circle_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "extends: case.yaml\n", "b.yaml")
    (fault,) = faults(tmp_path, "extends: b.yaml\n")
    assert "case.yaml → b.yaml → case.yaml" in fault.message


def test_a_missing_base_is_told_at_extends(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "loss: w**2\nextends: none.yaml\n")
    assert (fault.line, fault.column, fault.path) == (2, 10, "extends")


def test_a_fault_in_a_base_has_the_base_s_place(tmp_path: Path) -> None:
    write(tmp_path, "loss: w**2\nlearning_rate: -1\n", "base.yaml")
    (fault,) = faults(tmp_path, "extends: base.yaml\ninitial_weight: 1\n")
    assert fault.file == str(tmp_path / "base.yaml")
    assert (fault.line, fault.column) == (2, 16)


@pytest.mark.parametrize("name", [*scenario.presets()])
def test_every_shipped_preset_fits_every_kind_of_scenario(name: str) -> None:
    plain, changed = scenario.load("parabola"), scenario.load("parabola", preset=name)
    assert changed != plain
    assert changed.loss == plain.loss
    assert changed.initial_weight == plain.initial_weight


def test_an_unknown_preset_gets_the_nearest_name() -> None:
    with pytest.raises(InputError) as caught:
        scenario.load("parabola", preset="lectur")
    assert caught.value.faults[0].suggestion == "lecture"


# ---- finding files


def test_a_folder_gives_its_scenarios_and_passes_over_other_kinds(tmp_path: Path) -> None:
    write(tmp_path, "loss: w**2\n", "b/one.yaml")
    write(tmp_path, "initial_weight: 1\n", "two.yml")
    write(tmp_path, "deck: My talk\n", "deck.yaml")
    write(tmp_path, "- a list\n", "list.yaml")
    write(tmp_path, "[", "broken.yaml")
    assert [path.name for path in scenario.find(tmp_path)] == [
        "one.yaml",
        "broken.yaml",
        "list.yaml",
        "two.yml",
    ]


def test_a_shipped_scenario_is_found_by_name_and_a_wrong_name_gets_the_nearest() -> None:
    assert scenario.find("double-well")[0].name == "double-well.yaml"
    with pytest.raises(InputError) as caught:
        scenario.find("double-wel")
    assert caught.value.faults[0].suggestion == "double-well"


def test_the_places_of_a_document_are_those_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a:\n  - b: 1\n    c: [x, yz]\n")
    document = read_document(path)
    place = document.values["a", 0, "c", 1]
    assert (place.line, place.column) == (3, 12)
    assert document.keys["a", 0, "c"].column == 5


# ---- start-up


def test_validating_imports_no_numeric_stack() -> None:
    code = (
        "import sys; from gdsim import scenario\n"
        "[scenario.load(p) for p in scenario.find(scenario.shipped('scenarios'))]\n"
        "heavy = {'numpy', 'scipy', 'matplotlib', 'sympy', 'torch', 'pydantic', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = Path(__file__).parent.parent
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert found.stdout.strip() == "[]"


def test_what_is_taken_for_granted_without_a_registry_is_so() -> None:
    """A file that names no schedule and no method is read without their registries."""
    assert not SCHEDULES["constant"].options
    assert not METHODS["analytic"].options
    found = scenario.parse_mapping(PLAIN)
    named = {"learning_rate": {"schedule": "constant", "initial": 0.1}, "derivative": {"method": "analytic"}}
    assert scenario.parse_mapping({**PLAIN, **named}) == found
