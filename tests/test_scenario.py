"""Scenario files: what is read, what is refused and where, what wins over what, what is written."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdsim import scenario
from gdsim.derivatives import METHODS
from gdsim.outcomes import Fault, InputError
from gdsim.scenario.document import read_document, read_value
from gdsim.scenario.keys import SCENARIO
from gdsim.schedules import SCHEDULES
from gdsim.update_rules import RULES

PLAIN = {"loss": "w**2", "initial_weight": 3, "learning_rate": 0.1}


def write(folder: Path, text: str, name: str = "case.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str, **options: object) -> list[Fault]:
    """The faults of a file, which must have some."""
    path = write(folder, text)
    with pytest.raises(InputError) as caught:
        scenario.load(path, **options)  # type: ignore[arg-type]
    return list(caught.value.faults)


def mapping_faults(**changes: object) -> list[Fault]:
    with pytest.raises(InputError) as caught:
        scenario.parse_mapping({**PLAIN, **changes})
    return list(caught.value.faults)


# ---- YAML 1.2 scalars


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3), ("1E5", 1e5), ("010", 10), ("0o17", 15), ("0x1F", 31), ("on", "on"), ("no", "no"),
        ("y", "y"), ("1:30", "1:30"), ("1_000", "1_000"), (".5", 0.5), ("5.", 5.0), ("-0.0", -0.0),
        ("true", True), ("~", None), ("", None), ("2001-01-01", "2001-01-01"), ("+7", 7), ("0b1", "0b1"),
        ('"1e-3"', "1e-3"), ("=", "="), ("<<", "<<"),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    found = read_value(text, "-S")
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, float):
        assert math.copysign(1.0, found) == math.copysign(1.0, value)  # type: ignore[arg-type]


# ---- faults and their places


def test_all_faults_of_a_file_come_at_once_in_their_order(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        "loss: sine(w)\n"
        "initial_weight: true\n"
        "learning_rte: 0.1\n"
        "update_rule: momentun\n"
        "stopping: {max_step: 10}\n",
    )
    assert [(f.line, f.column, f.suggestion) for f in found] == [
        (1, 1, ""),
        (1, 7, "sin"),
        (2, 17, ""),
        (3, 1, "learning_rate"),
        (4, 14, "momentum"),
        (5, 12, "max_steps"),
    ]
    assert found[0].message == "the key 'learning_rate' is missing"
    assert all(f.file and f.file.endswith("case.yaml") for f in found)


def test_a_fault_reads_as_file_line_column_path_message(tmp_path: Path) -> None:
    path = write(tmp_path, "loss: w**2\ninitial_weight: 1\nlearning_rate: .nan\n")
    with pytest.raises(InputError) as caught:
        scenario.load(path)
    assert str(caught.value) == (f"{path}:3:16: learning_rate: .nan is not finite; expected a finite number")


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("loss: w + sine(w)", 11),
        ("loss: 'w + sine(w)'", 12),
        ('loss: "w + sine(w)"', 12),
        ("loss: {expression: w + sine(w)}", 24),
        ("loss: {parameters: {}, expression: 'sine(w)'}", 37),
    ],
)
def test_a_fault_in_a_formula_has_its_column_in_the_file(tmp_path: Path, line: str, column: int) -> None:
    (fault,) = faults(tmp_path, f"{line}\ninitial_weight: 1\nlearning_rate: 0.1\n")
    assert (fault.line, fault.column, fault.suggestion) == (1, column, "sin")


@pytest.mark.parametrize("scalar", ["|\n  w + sine(w)", "w +\n  sine(w)", r'"w\x20+ sine(w)"'])
def test_a_fault_in_a_folded_formula_keeps_the_place_of_its_value(tmp_path: Path, scalar: str) -> None:
    (fault,) = faults(tmp_path, f"loss: {scalar}\ninitial_weight: 1\nlearning_rate: 0.1\n")
    assert (fault.line, fault.column) == (1, 7)


def test_a_missing_key_stands_at_its_parent(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "loss: w**2\ninitial_weight: 1\nlearning_rate:\n  schedule: constant\n")
    assert (fault.line, fault.column, fault.path) == (4, 3, "learning_rate")
    assert "initial" in fault.message


def test_duplicate_keys_are_faults_at_the_second(tmp_path: Path) -> None:
    text = "loss: w**2\ninitial_weight: 1\nlearning_rate: 0.1\nstopping:\n  max_steps: 1\n  max_steps: 2\nloss: w\n"
    found = faults(tmp_path, text)
    assert [(f.line, f.column) for f in found] == [(6, 3), (7, 1)]
    assert "line 5" in found[0].expected


@pytest.mark.parametrize(
    ("changes", "path", "suggestion"),
    [
        ({"loss": "rosenbrok", "initial_weight": {"x": 1, "y": 2}}, "loss", "rosenbrock"),
        ({"loss": {"name": "rosenbrok"}}, "loss.name", "rosenbrock"),
        ({"update_rule": {"name": "adam", "beta": [0.9, 0.99]}}, "update_rule.beta", "betas"),
        ({"update_rule": {"name": "momentum", "momentum": 1.5}}, "update_rule.momentum", ""),
        ({"update_rule": {"name": "momentum", "momentum": "a"}}, "update_rule.momentum", ""),
        ({"learning_rate": {"initial": 1, "schedule": "cosin"}}, "learning_rate.schedule", "cosine"),
        ({"learning_rate": {"initial": 1, "schedule": "step", "step_sze": 3}}, "learning_rate.step_sze", "step_size"),
        ({"derivative": {"method": "numerc"}}, "derivative.method", "numeric"),
        ({"derivative": {"method": "numeric", "scheme": "forwards"}}, "derivative.scheme", "forward"),
        ({"derivative": {"method": "numeric", "step": -1}}, "derivative.step", ""),
        ({"derivative": {"method": "numeric", "stp": 1}}, "derivative.stp", "step"),
        ({"line_search": "armjo"}, "line_search", "armijo"),
        ({"clip": {"norms": 1}}, "clip.norms", "norm"),
        ({"noise": {"kind": "gausian", "scale": 1}}, "noise.kind", "gaussian"),
        ({"expect": {"verdict": "minimun"}}, "expect.verdict", "minimum"),
        ({"expect": {"status": "converged"}}, "expect.status", "CONVERGED"),
        ({"expect": {"critical_points": {"minima": 2}}}, "expect.critical_points.minima", "minimum"),
        ({"sweep": {"parameters": {"seed": {"value": [1]}}}}, "sweep.parameters.seed.value", "values"),
        ({"Learning-Rate": 3}, "Learning-Rate", "learning_rate"),
    ],
)  # fmt: skip
def test_the_nearest_name_is_suggested(changes: dict[str, object], path: str, suggestion: str) -> None:
    found = [f for f in mapping_faults(**changes) if f.path == path] or mapping_faults(**changes)
    assert found[0].suggestion == suggestion
    assert found[0].path == path


@pytest.mark.parametrize(
    "value", [True, None, [1], {"a": 1}, math.nan, math.inf, -math.inf, "abc", "1/0", 10**400]
)
@pytest.mark.parametrize("key", ["max_steps", "gradient_tolerance", "divergence_bound"])
def test_only_finite_numbers_pass_as_numbers(key: str, value: object) -> None:
    if value is None:  # nothing is no value: the default holds
        assert scenario.parse_mapping({**PLAIN, "stopping": {key: None}}).stopping.max_steps == 1000
        return
    (fault,) = mapping_faults(stopping={key: value})
    assert fault.path == f"stopping.{key}"


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": -0.1}, {"stopping": {"max_steps": -1}}, {"stopping": {"max_steps": 1.5}},
        {"stopping": {"divergence_bound": 0}}, {"record": {"every": 0}}, {"seed": -1}, {"seed": 2**63},
        {"domain": [1, 1]}, {"domain": [2, 1]}, {"domain": [1]}, {"domain": {"w": [1, 2, 3]}},
        {"domain": {"v": [1, 2]}}, {"schema": 2}, {"name": "a/b"}, {"name": ".x"}, {"name": ""},
        {"noise": {"kind": "gaussian"}}, {"noise": {"kind": "gaussian", "scale": 1, "size": 2}},
        {"noise": {"kind": "minibatch", "size": 2}}, {"clip": {}}, {"clip": {"norm": 1, "value": 1}},
        {"loss": {"name": "rosenbrock", "expression": "w"}}, {"loss": {}}, {"loss": []}, {"loss": 3},
        {"loss": {"expression": "w", "parameters": {"a": 1}}}, {"loss": "a*w", "initial_weight": 3},
        {"initial_weight": {"w": 1, "v": 2}}, {"initial_weight": {}}, {"initial_weight": [1]},
        {"learning_rate": {"initial": 0.1, "schedule": "exponential"}}, {"learning_rate": {"initial": 0.1, "x": 1}},
        {"update_rule": {"name": "adam", "betas": [0.9]}}, {"update_rule": 3}, {"derivative": True},
        {"sweep": {"parameters": {"seed": {"min": 1, "max": 2}}}}, {"sweep": {}},
        {"sweep": {"method": "random", "parameters": {"seed": {"min": 1, "max": 2}}}},
        {"sweep": {"parameters": {"seed": {"min": 0, "max": 2, "num": 3, "distribution": "log_uniform"}}}},
        {"expect": {"at": {"ten": {"weight": 1}}}}, {"expect": {"final": {"tolerance": 1}}},
        {"data": {}}, {"data": {"x": []}}, {"data": {"x": [1], "y": [1, 2]}}, {"data": {"file": "none.csv"}},
        {"data": {"x": [1, 2], "standardise": ["z"]}}, {"data": {"x": [2, 2], "standardise": ["x"]}},
    ],
    ids=str,
)  # fmt: skip
def test_what_makes_no_sense_is_refused(changes: dict[str, object]) -> None:
    assert mapping_faults(**changes)


@pytest.mark.parametrize(
    "weight", ["step", "loss", "flag", "direction", "learning_rate", "gradient", "gradient_w"]
)
def test_a_weight_may_not_be_named_like_a_column_of_the_log(weight: str) -> None:
    (fault,) = mapping_faults(loss=f"{weight}**2")
    assert "column of the log" in fault.message


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"loss": {"expression": "pi*w", "parameters": {"pi": 3}}}, "constant"),
        ({"loss": {"expression": "w", "parameters": {"sin": 3}}}, "function"),
        ({"loss": "mean(e*w)", "data": {"e": [1]}}, "constant"),
        ({"loss": {"expression": "mean(x*w)", "parameters": {"x": 1}}, "data": {"x": [1]}}, "parameter"),
        ({"loss": "x*w", "data": {"x": [1]}}, "outside a reduction"),
        ({"loss": "mean(w)"}, "data"),
        ({"loss": "3"}, "no weight"),
    ],
)
def test_clashing_names_are_refused(changes: dict[str, object], word: str) -> None:
    assert any(word in fault.message for fault in mapping_faults(**changes))


def test_the_spelling_of_a_lone_wrong_weight_is_set_right() -> None:
    (first, second) = mapping_faults(loss="x**2 + y**2", initial_weight={"x": 1, "z": 2})
    assert first.suggestion == "y" or second.suggestion == "y"


# ---- hostile files


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("- 1\n- 2\n", "mapping"),
        ("loss: [1, 2\n", "YAML"),
        ("loss: a: b\n", "': '"),
        ("loss:\n\tx: 1\n", "tab"),
        ("a: 1\n---\nb: 2\n", "document"),
        ("loss: !!python/object:os.system x\n", "tag"),
        ("loss: !mine x\n", "tag"),
        ("? [a]\n: 1\n", "key"),
        ("loss: *x\n", "alias"),
        ("loss: &x [*x]\n", "loop"),
        ("loss: " + "[" * 60 + "]" * 60 + "\n", "50 levels"),
        ("loss: " + "[" * 100_000 + "\n", "50 levels"),
        ("seed: " + "9" * 5000 + "\n", "too long"),
        ("loss: \x00\n", "U+0000"),
    ],
    ids=lambda value: value[:20],
)
def test_hostile_text_is_refused_quickly(tmp_path: Path, text: str, word: str) -> None:
    began = time.perf_counter()
    found = faults(tmp_path, text)
    assert time.perf_counter() - began < 1.0  # 0.1 s on a quiet machine
    assert any(word in f"{fault.message} {fault.expected}" for fault in found)


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    began = time.perf_counter()
    found = faults(tmp_path, "\n".join(lines))
    assert time.perf_counter() - began < 1.0
    assert "aliases" in found[0].message


def test_a_few_aliases_are_fine(tmp_path: Path) -> None:
    path = write(tmp_path, "loss: x**2 + y**2\ninitial_weight: {x: &one 1.5, y: *one}\nlearning_rate: 0.1\n")
    assert scenario.load(path).initial_weight == {"x": 1.5, "y": 1.5}


def test_a_file_over_one_mebibyte_is_refused(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "title: " + "x" * (1 << 20) + "\n")
    assert "too large" in fault.message


def test_bytes_that_are_no_text_are_located(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("loss: w**2\ntitle: K\xf6nig\n".encode("latin-1"))
    with pytest.raises(InputError) as caught:
        scenario.load(path)
    assert (caught.value.faults[0].line, caught.value.faults[0].column) == (2, 9)


@given(st.text(max_size=200))
def test_no_text_whatever_raises_anything_but_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    try:
        scenario.load(path)
    except InputError as error:
        assert error.faults


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*SCENARIO.keys]), _JSON, min_size=1, max_size=6))
def test_no_data_whatever_raises_anything_but_an_input_error(data: dict[str, object]) -> None:
    try:
        scenario.parse_mapping({**PLAIN, **data})
    except InputError as error:
        assert error.faults


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
        "loss: w**2\ninitial_weight: 1\nlearning_rate: 0.1\nupdate_rule: momentum\nexpect: {verdict: minimum}\n",
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


# ---- data


def test_csv_columns_are_read_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    write(tmp_path, "x,y\n1,2\n3,4e0\n", "deep/points.csv")
    write(
        tmp_path, "data: {file: points.csv}\nloss: mean((w*x - y)^2)\nlearning_rate: 0.1\n", "deep/base.yaml"
    )
    found = scenario.load(write(tmp_path, "extends: deep/base.yaml\ninitial_weight: 0\n"))
    assert found.data is not None
    assert found.data.columns == {"x": (1.0, 3.0), "y": (2.0, 4.0)}
    assert found.data.file == tmp_path / "deep" / "points.csv"


@pytest.mark.parametrize(
    ("text", "places", "word"),
    [
        ("x,y\n1,2\n3,a\nb,4\n", [(3, 3), (4, 1)], "row 2, column 'y': 'a' is not a finite number"),
        ("x,y\n1,\n", [(2, 3)], "row 1, column 'y': the cell is empty"),
        ("x,y\n1,2,3\n4\n", [(2, 1), (3, 1)], "row 1 has 3 cells"),
        ("x,y\n1,nan\n", [(2, 3)], "'nan'"),
        ("x,y\n1,1e999\n", [(2, 3)], "'1e999'"),
        ("x,y\n1,1_0\n", [(2, 3)], "'1_0'"),
        ("1,2\n3,4\n", [(1, 1)], "the first row holds numbers"),
        ("x,x\n3,4\n", [(1, 3)], "stands twice"),
        ("x,\n3,4\n", [(1, 3)], "column 2 has no name"),
        ("x;y\n3;4\n", [(1, 1)], "semicolons"),
        ("x,y\n", [(1, 1)], "no rows"),
        ("", [(None, None)], "empty"),
        ('x,y\n"1,2\n', [(2, 1)], "CSV"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_bad_cells_are_told_by_row_column_and_place(
    tmp_path: Path, text: str, places: list[tuple[int, int]], word: str
) -> None:
    write(tmp_path, text, "points.csv")
    found = faults(
        tmp_path, "loss: mean((w*x - y)^2)\ndata: {file: points.csv}\ninitial_weight: 0\nlearning_rate: 0.1\n"
    )
    assert [(f.line, f.column) for f in found] == places
    assert word in found[0].message
    assert all(f.file == str(tmp_path / "points.csv") for f in found)


def test_at_most_twenty_bad_cells_are_listed(tmp_path: Path) -> None:
    write(tmp_path, "x\n" + "a\n" * 50, "points.csv")
    found = faults(
        tmp_path, "loss: mean(w*x)\ndata: {file: points.csv}\ninitial_weight: 0\nlearning_rate: 0.1\n"
    )
    assert len(found) == 21
    assert "30 more" in " ".join(f.message for f in found)


def test_spreadsheet_exports_are_read(tmp_path: Path) -> None:
    """A byte-order mark, CRLF, quoted headers, spaces, blank lines."""
    (tmp_path / "points.csv").write_bytes(b'\xef\xbb\xbf"x", y\r\n1, 2\r\n\r\n3, 4\r\n')
    path = write(
        tmp_path, "loss: mean((w*x - y)^2)\ndata: {file: points.csv}\ninitial_weight: 0\nlearning_rate: 0.1\n"
    )
    data = scenario.load(path).data
    assert data is not None
    assert data.columns == {"x": (1.0, 3.0), "y": (2.0, 4.0)}


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_standardised_columns_have_mean_zero_and_deviation_one(column: list[float]) -> None:
    spread = max(column) - min(column)
    if spread < 1e-6 * max(map(abs, column)) or spread < 1e-300:
        return
    found = scenario.parse_mapping(
        {
            "loss": "mean(w*x)",
            "data": {"x": column, "standardise": ["x"]},
            "initial_weight": 0,
            "learning_rate": 1,
        }
    ).data
    assert found is not None
    assert found.given["x"] == tuple(column)
    n = len(column)
    # each value carries |x|·2⁻⁵³ of rounding, divided by a deviation of at least spread/(2√n)
    bound = 8 * n * 2**-53 * (max(map(abs, column)) / spread + 1) * math.sqrt(n)
    assert math.fsum(found.columns["x"]) / n == pytest.approx(0, abs=bound)
    assert math.fsum(v * v for v in found.columns["x"]) / n == pytest.approx(1, abs=bound)


# ---- writing

_FINITE = st.floats(allow_nan=False, allow_infinity=False)
_TEXT = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn", "Co"]), min_size=1, max_size=30
)


@given(
    start=_FINITE.filter(lambda value: abs(value) < 1e300),
    rate=st.floats(0, 1e300),
    title=_TEXT.filter(lambda text: bool(text.strip())),
    parameter=_FINITE,
    rule=st.sampled_from([*RULES]),
    method=st.sampled_from([*METHODS]),
    bound=st.floats(1e-300, 1e300),
    steps=st.integers(0, 10**9),
    columns=st.lists(_FINITE.filter(lambda value: abs(value) < 1e150), min_size=2, max_size=40),
    noise=st.sampled_from([None, {"kind": "gaussian", "scale": 1e-17}, {"kind": "minibatch", "size": 2}]),
)
def test_what_is_written_reads_as_the_same_scenario(
    tmp_path_factory: pytest.TempPathFactory, **drawn: object
) -> None:
    given_data = {
        "loss": {"expression": "mean(a*x*v) + on", "parameters": {"a": drawn["parameter"]}},
        "data": {"x": drawn["columns"]},
        "initial_weight": {"v": drawn["start"], "on": 1},
        "learning_rate": {"initial": drawn["rate"], "schedule": "cosine", "T_max": 7, "warmup": 3},
        "title": drawn["title"],
        "update_rule": drawn["rule"],
        "derivative": drawn["method"],
        "clip": {"norm": drawn["bound"]},
        "stopping": {"max_steps": drawn["steps"], "divergence_bound": drawn["bound"]},
        "noise": drawn["noise"],
        "expect": {"at": {5: {"weight": {"v": drawn["start"]}}}, "cycle": [drawn["start"], 1]},
        "sweep": {"parameters": {"initial_weight.v": {"values": [1, 2.5, "a b"]}}},
    }
    first = scenario.parse_mapping(given_data)
    text = scenario.dump(first)
    path = tmp_path_factory.getbasetemp() / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    again = scenario.load(path)
    assert again == first
    assert repr(again.initial_weight) == repr(first.initial_weight)  # −0.0 too
    assert scenario.dump(again) == text


@pytest.mark.parametrize("name", [*scenario.shipped_scenarios()])
def test_every_shipped_scenario_round_trips(tmp_path: Path, name: str) -> None:
    first = scenario.load(name)
    data_file = str(first.data.file.resolve()) if first.data and first.data.file else None
    text = scenario.dump(first, data_file=data_file)
    assert text.startswith("# yaml-language-server: $schema=")
    again = scenario.load(write(tmp_path, text))
    assert again == first
    assert scenario.dump(again, data_file=data_file) == text


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "true",
        "on",
        "1",
        "1e5",
        "a: b",
        "# x",
        "- a",
        "'",
        '"',
        "a\nb",
        "w**2",
        "*a",
        "ü",
        "a\x85b",
        "𐀀",
        "\u2028a",
    ],
)
def test_any_text_is_written_so_that_it_reads_back(tmp_path: Path, text: str) -> None:
    first = scenario.parse_mapping({**PLAIN, "title": text})
    assert scenario.load(write(tmp_path, scenario.dump(first))).title == text


def test_written_numbers_are_numbers_for_readers_of_yaml_1_1() -> None:
    import yaml

    text = scenario.dump(scenario.parse_mapping({**PLAIN, "initial_weight": 1e-9, "learning_rate": 1e22}))
    data = yaml.safe_load(text)
    assert data["initial_weight"] == {"w": 1e-9}
    assert data["learning_rate"]["initial"] == 1e22


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
        "print(sorted({'numpy', 'scipy', 'matplotlib', 'sympy', 'torch', 'click', 'rich'} & set(sys.modules)))"
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
