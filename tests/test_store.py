"""Run directories: complete, whole or absent, byte-identical when regenerated, found again."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

from gdsim.outcomes import InputError
from gdsim.runs import Run, execute, store
from gdsim.scenario import load, parse_mapping

FILES = {"scenario.yaml", "trajectory.csv", "summary.json", "environment.json"}


def contents(directory: Path) -> dict[str, bytes]:
    """Every file but the one that holds the time."""
    files = [file for file in directory.rglob("*") if file.is_file() and file.name != "environment.json"]
    return {str(file.relative_to(directory)): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def parabola() -> Run:
    return execute(load("parabola"))


def rows_of(directory: Path) -> list[dict[str, str]]:
    with (directory / "trajectory.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_directory_holds_what_it_promises(parabola: Run, tmp_path: Path) -> None:
    directory = store.save(parabola, tmp_path, {"curve.svg": b"<svg/>"})
    assert {entry.name for entry in directory.iterdir()} == FILES | {"figures"}
    assert (directory / "figures" / "curve.svg").read_bytes() == b"<svg/>"


def test_its_name_is_the_scenario_with_eight_digits(parabola: Run, tmp_path: Path) -> None:
    name, _, digits = store.save(parabola, tmp_path).name.rpartition("-")
    assert name == "parabola"
    assert len(digits) == 8
    assert int(digits, 16) >= 0


def test_regenerating_gives_the_same_bytes(tmp_path: Path) -> None:
    first = store.save(execute(load("himmelblau-centre")), tmp_path / "a")
    second = store.save(execute(load("himmelblau-centre")), tmp_path / "b")
    assert contents(first) == contents(second)


def test_the_resolved_scenario_gives_the_same_run_again(tmp_path: Path) -> None:
    directory = store.save(execute(load("iris-two-weights")), tmp_path / "a")
    again = store.save(execute(load(directory / "scenario.yaml")), tmp_path / "b")
    assert again.name == directory.name
    assert contents(again) == contents(directory)


def test_the_data_file_travels_with_the_run(tmp_path: Path) -> None:
    directory = store.save(execute(load("engel-standardised")), tmp_path)
    with (directory / "engel.csv").open(encoding="utf-8") as file:
        assert sum(1 for _ in file) == 236  # 235 households and the header


def test_other_data_gives_another_directory() -> None:
    names = {
        store.directory_name(
            parse_mapping(
                {
                    "name": "line",
                    "loss": "mean((w*x)^2)",
                    "data": {"x": [1, last]},
                    "initial_weight": 1,
                    "learning_rate": 0.1,
                }
            )
        )
        for last in (2, 3)
    }
    assert len(names) == 2


def test_the_columns_are_those_of_the_interface(parabola: Run, tmp_path: Path) -> None:
    header = (store.save(parabola, tmp_path) / "trajectory.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "step,w,loss,gradient_w,learning_rate,direction,flag"


def test_floats_round_trip_through_the_log(parabola: Run, tmp_path: Path) -> None:
    rows = rows_of(store.save(parabola, tmp_path))
    assert [float(row["w"]) for row in rows] == parabola.trajectory.weight[:, 0, 0].tolist()
    assert [float(row["loss"]) for row in rows] == parabola.trajectory.loss[:, 0].tolist()


def test_the_direction_of_a_parabola_from_the_right_is_left(parabola: Run, tmp_path: Path) -> None:
    rows = rows_of(store.save(parabola, tmp_path))
    assert {row["direction"] for row in rows[:-1]} == {"left"}


def test_several_weights_name_their_directions(tmp_path: Path) -> None:
    rows = rows_of(store.save(execute(load("ravine")), tmp_path))
    assert rows[0]["direction"] == "x:right;y:right"


def test_a_crossing_is_flagged_on_the_row_of_arrival(tmp_path: Path) -> None:
    rows = rows_of(store.save(execute(load("parabola-overshoot")), tmp_path))
    assert rows[0]["flag"] == ""
    assert "minimum" in rows[1]["flag"]  # from 10 to −8, over 0


def test_numbers_that_are_not_finite_are_strings_in_the_summary(tmp_path: Path) -> None:
    directory = store.save(execute(load("cosh-cliff")), tmp_path)
    summary = json.loads((directory / "summary.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert summary["final"]["loss"] == "inf"


def test_the_summary_has_the_keys_of_the_interface(parabola: Run) -> None:
    summary = parabola.summary()
    assert {
        "name",
        "status",
        "steps",
        "verdict",
        "initial",
        "final",
        "evaluations",
        "critical_points",
        "search",
        "ruler",
    } <= set(summary)
    assert {"kind", "sentence", "evidence", "remedy"} <= set(summary["verdict"])
    assert summary["evaluations"] == {"loss": 0, "gradient": summary["steps"] + 1}
    assert summary["ruler"]["two_over_curvature"] == 1.0  # 2/f″ with f″ = 2


def test_a_failed_write_leaves_the_old_directory_as_it_was(parabola: Run, tmp_path: Path) -> None:
    directory = store.save(parabola, tmp_path)
    before = contents(directory)
    with pytest.raises(TypeError):
        store.save(parabola, tmp_path, {"curve.svg": "no bytes"})  # type: ignore[dict-item]
    assert contents(directory) == before
    assert list(tmp_path.iterdir()) == [directory]


def test_a_failed_first_write_leaves_nothing(parabola: Run, tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        store.save(parabola, tmp_path, {"curve.svg": "no bytes"})  # type: ignore[dict-item]
    assert list(tmp_path.iterdir()) == []


def test_a_python_function_cannot_be_written_as_a_scenario(tmp_path: Path) -> None:
    import gdsim

    run = gdsim.simulate(lambda w: w * w, initial_weight=1, learning_rate=0.1)
    with pytest.raises(InputError, match="Python function"):
        store.save(run, tmp_path)


def test_a_continued_run_has_the_bytes_of_one_long_run(tmp_path: Path) -> None:
    short = store.save(execute(load("plateau", overrides=["stopping.max_steps=40"])), tmp_path / "short")
    long = store.save(execute(load("plateau", overrides=["stopping.max_steps=100"])), tmp_path / "long")
    went_on = store.save(store.continued(short, 60), tmp_path / "on")
    assert went_on.name == long.name
    assert contents(went_on) == contents(long)


def test_a_run_that_ended_by_itself_has_nothing_to_continue(parabola: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="CONVERGED"):
        store.continued(store.save(parabola, tmp_path), 10)


def test_a_difference_names_the_path_and_both_values(tmp_path: Path) -> None:
    first = store.save(execute(load("parabola")), tmp_path)
    second = store.save(execute(load("parabola", overrides=["learning_rate=0.1"])), tmp_path)
    found = store.difference(first, second)
    assert found["scenario.learning_rate.initial"] == (0.2, 0.1)
    assert "result.steps" in found


def test_directories_are_found_and_leftovers_are_told_apart(parabola: Run, tmp_path: Path) -> None:
    directory = store.save(parabola, tmp_path)
    (tmp_path / ".gdsim-writing-x-1").mkdir()
    assert store.run_directories(tmp_path) == [directory]
    assert [path.name for path in store.leftovers(tmp_path)] == [".gdsim-writing-x-1"]


def test_something_else_is_no_run_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a run directory"):
        store.summary_of(tmp_path)


def test_a_nan_start_is_a_result_that_is_stored(tmp_path: Path) -> None:
    scenario = parse_mapping({"name": "root", "loss": "sqrt(w)", "initial_weight": -1, "learning_rate": 0.1})
    rows = rows_of(store.save(execute(scenario), tmp_path))
    assert math.isnan(float(rows[0]["loss"]))
