"""Data of a scenario, and scenarios written out: what is written reads as the same scenario."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_cases import PLAIN, faults, write

from gdsim import scenario
from gdsim.derivatives import METHODS
from gdsim.update_rules import RULES

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
        ("x,y\n4\n", [(2, 1)], "row 1 has 1 cell"),
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
    assert (found[-1].line, found[-1].message) == (22, "from here on more cells are wrong")


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
    start=_FINITE,
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
