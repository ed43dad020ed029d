"""What is read from a scenario file, and what is refused, where and how quickly."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_cases import PLAIN, faults, mapping_faults, write

from gdsim import scenario
from gdsim.outcomes import InputError
from gdsim.scenario.document import read_value
from gdsim.scenario.keys import SCENARIO

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


SWEPT = "loss: w^2\ninitial_weight: 1\nlearning_rate: 0.1\nsweep:\n  parameters:\n"


def places(folder: Path, text: str) -> list[tuple[int | None, int | None, str]]:
    """Line, column and path of the faults of a file, each of which is told once."""
    found = faults(folder, text)
    assert len({*found}) == len(found)
    return [(fault.line, fault.column, fault.path.removeprefix("sweep.parameters.")) for fault in found]


def test_faults_of_axes_come_with_all_others(tmp_path: Path) -> None:
    text = SWEPT.replace("w^2", "sine(w)") + (
        "    learning_rte: {values: [0.1]}\n"
        "    learning_rate: {values: [-1, 0.1, a, 1/]}\n"
        "    update_rule: {values: [adam, momentun]}\n"
        "figures: {style: slide}\n"
    )
    assert places(tmp_path, text) == [
        (1, 7, "loss"), (6, 5, "learning_rte"), (7, 30, "learning_rate.values[0]"),
        (7, 39, "learning_rate.values[2]"), (7, 44, "learning_rate.values[3]"),
        (8, 34, "update_rule.values[1]"), (9, 18, "figures.style"),
    ]  # fmt: skip
    found = [(fault.message, fault.expected, fault.suggestion) for fault in faults(tmp_path, text)]
    assert found[1][0] == "unknown key 'learning_rte'"
    assert found[1][2] == "learning_rate"
    assert found[2] == ("-1 is out of range", "a number ≥ 0", "")
    assert found[5][2] == "momentum"


@pytest.mark.parametrize(
    ("axis", "found"),
    [
        ("learning_rte: [0.1]", [(6, 5, "learning_rte"), (6, 19, "learning_rte")]),
        ("seed: [-1, 2]", [(6, 11, "seed"), (6, 12, "seed.0")]),
        ("learning_rate: {min: -1, max: b, num: 3}",
         [(6, 26, "learning_rate.min"), (6, 35, "learning_rate.max")]),
        ("learning_rate: {min: -3, max: 1, num: 5}", [(6, 26, "learning_rate.min")]),
        ("seed: {min: 0, max: 1, num: 4}", [(6, 11, "seed")]),
        ("seed: {min: 0, max: 9, num: 4}", []),
        ("seed: {min: 1, max: 1000, num: 4, distribution: log_uniform}", []),
        ("learning_rate: {values: [-1, -1, null]}",
         [(6, 30, "learning_rate.values[0]"), (6, 38, "learning_rate.values[2]")]),
        ("loss: {values: [w^2, 'w + ', x*y]}", [(6, 30, "loss.values[1]"), (6, 34, "loss.values[2]")]),
        ("initial_weight.x: {values: [1]}", [(6, 5, "initial_weight.x")]),
        ("title: {values: [a]}", [(6, 22, "title.values[0]")]),
    ],
)  # fmt: skip
def test_faults_of_an_axis_stand_at_its_path_or_at_its_values(
    tmp_path: Path, axis: str, found: list[tuple[int, int, str]]
) -> None:
    assert places(tmp_path, f"{SWEPT}    {axis}\nupdate_rule: adm\n") == [*found, (7, 14, "update_rule")]


@pytest.mark.parametrize(
    ("loss", "others", "axis"),
    [
        ("sine(w)", "", "initial_weight.x: {values: [1]}"),  # of no known weight
        ("rosenbrok\ninitial_weight: {x: 1, y: 2}", "", "initial_weight.x: {values: [1]}"),
        ("sine(w)", "", "loss: {values: [x^2]}"),  # would be of another weight than the start
        ("w^2", "noise: {kind: gausian}", "noise.scale: {values: [1]}"),
        ("w^2", "derivative: {method: numerc}", "derivative.schm: {values: [forward]}"),
        ("w^2", "update_rule: {name: adm}", "update_rule.beta: {values: [5]}"),
    ],
)
def test_what_hangs_on_a_faulty_part_is_left_until_that_is_right(
    tmp_path: Path, loss: str, others: str, axis: str
) -> None:
    head = SWEPT.replace("w^2", loss).replace("initial_weight: 1\n", "", loss.count("initial_weight"))
    text = f"{head}    {axis}\n{others}\n"
    without = text[: text.index("sweep:")] + others
    found = [(fault.message, fault.path) for fault in faults(tmp_path, without)]
    assert [(fault.message, fault.path) for fault in faults(tmp_path, text)] == found


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
    text = (
        "loss: w\ninitial_weight: 1\nlearning_rate: 1\nstopping:\n  max_steps: 1\n  max_steps: 2\nloss: w\n"
    )
    found = faults(tmp_path, text)
    assert [(f.line, f.column) for f in found] == [(6, 3), (7, 1)]
    assert "line 5" in found[0].expected


def test_duplicate_keys_are_told_with_all_other_faults(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("seed: 1\nseed: 2\n", encoding="utf-8")
    file = tmp_path / "it.yaml"
    file.write_text(
        "extends: base.yaml\nloss: w^2\ninitial_weight: 1\ninitial_weight: 2\nlearning_rate: fast\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as caught:
        scenario.load(file)
    assert [(Path(fault.file or "").name, fault.line, fault.path) for fault in caught.value.faults] == [
        ("base.yaml", 2, "seed"), ("it.yaml", 4, "initial_weight"), ("it.yaml", 5, "learning_rate"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "path", "suggestion"),
    [
        ({"loss": "rosenbrok", "initial_weight": {"x": 1, "y": 2}}, "loss", "rosenbrock"),
        ({"loss": {"name": "rosenbrok"}}, "loss.name", "rosenbrock"),
        ({"update_rule": {"name": "adam", "beta": [0.9, 0.99]}}, "update_rule.beta", "betas"),
        ({"update_rule": {"name": "momentum", "momentum": 1.5}}, "update_rule.momentum", ""),
        ({"update_rule": {"name": "momentum", "momentum": "a"}}, "update_rule.momentum", ""),
        ({"learning_rate": {"initial": 1, "schedule": "cosin"}}, "learning_rate.schedule", "cosine"),
        ({"learning_rate": {"initial": 1, "schedule": "step", "stepsize": 3}},
         "learning_rate.stepsize", "step_size"),
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
        ({"sweep": {"parameters": {"seed": {"values": [1, None]}}}}, "sweep.parameters.seed.values[1]", ""),
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
        {"learning_rate": {"initial": 0.1, "schedule": "exponential"}},
        {"learning_rate": {"initial": 0.1, "x": 1}},
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
    began = time.process_time()
    found = faults(tmp_path, text)
    assert time.process_time() - began < 1.0  # 0.1 s on a quiet machine
    assert any(word in f"{fault.message} {fault.expected}" for fault in found)


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    began = time.process_time()
    found = faults(tmp_path, "\n".join(lines))
    assert time.process_time() - began < 1.0
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
    with suppress(InputError):
        scenario.load(path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*SCENARIO.keys]), _JSON, min_size=1, max_size=6))
def test_no_data_whatever_raises_anything_but_an_input_error(data: dict[str, object]) -> None:
    with suppress(InputError):
        scenario.parse_mapping({**PLAIN, **data})
