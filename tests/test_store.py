"""Run directories: whole or absent, the same bytes again, read back, continued, compared."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interpreters import environment, python
from shipped import executed
from tiers import later, some

from gdsim.outcomes import InputError
from gdsim.runs import Run, execute, load, save, store
from gdsim.scenario import Scenario, parse_mapping
from gdsim.scenario import load as load_scenario

STABLE = ("scenario.yaml", "trajectory.csv", "summary.json")
POINTS = "x,y\n1,2.5\n2,3.5\n3,6\n4,7.25\n"
LINE = "loss: mean((w*x + b - y)^2)\ninitial_weight: {w: 0, b: 0}\nlearning_rate: 0.02\n"


def made(**changes: Any) -> Run:
    plain = {"loss": "(w - 3)^2", "initial_weight": 0, "learning_rate": 0.1, "name": "case"}
    return execute(parse_mapping({**plain, **changes}))


def with_data(folder: Path, file: str = "points.csv", more: str = "", points: str = POINTS) -> Scenario:
    (folder / file).write_text(points, encoding="utf-8")
    path = folder / "line.yaml"
    path.write_text(f"{LINE}data: {{file: {file}}}\n{more}", encoding="utf-8")
    return load_scenario(path)


def contents(directory: Path) -> dict[str, bytes]:
    return {name: (directory / name).read_bytes() for name in STABLE}


def rows(directory: Path) -> list[dict[str, str]]:
    with (directory / "trajectory.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ---- what a run directory holds


def test_a_run_directory_holds_what_the_contract_names(tmp_path: Path) -> None:
    directory = save(execute(with_data(tmp_path)), tmp_path / "out", {"curve.svg": b"<svg/>"})
    found = {path.relative_to(directory).as_posix() for path in directory.rglob("*")}
    assert found == {*STABLE, "environment.json", "points.csv", "figures", "figures/curve.svg"}
    assert directory.parent == tmp_path / "out"


def test_the_directory_is_named_after_the_scenario_and_its_hash(tmp_path: Path) -> None:
    name, _, digits = save(made(name="my descent"), tmp_path).name.rpartition("-")
    assert name == "my descent"
    assert len(digits) == 8
    assert int(digits, 16) >= 0


@pytest.mark.parametrize(
    "name", ["ünïcode ☃", "a" * 100, "dots.and-dashes", "100%", "con'quote\"d", "☃" * 33]
)
def test_any_name_that_a_scenario_may_have_names_a_directory(tmp_path: Path, name: str) -> None:
    directory = save(made(name=name), tmp_path)
    assert directory.is_dir()
    assert load(directory).name == name


@pytest.mark.parametrize("name", ["parabola", later("rosenbrock-momentum"), "cosh-cliff", "noise-frees-it"])
def test_the_same_scenario_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    first = save(executed(name), tmp_path / "a")
    second = save(execute(load_scenario(name)), tmp_path / "b")
    assert first.name == second.name
    assert contents(first) == contents(second)


def test_writing_again_replaces_the_directory_with_the_same_bytes(tmp_path: Path) -> None:
    first = save(made(), tmp_path, {"curve.svg": b"old"})
    before = contents(first)
    second = save(made(), tmp_path, {"convergence.svg": b"new"})
    assert second == first
    assert contents(second) == before
    assert [path.name for path in (second / "figures").iterdir()] == ["convergence.svg"]
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


@pytest.mark.parametrize(
    "name", ["parabola-overshoot", later("engel-standardised"), "saddle-escape", "line-standardised"]
)
def test_the_stored_scenario_runs_again_to_the_same_directory(tmp_path: Path, name: str) -> None:
    first = save(executed(name), tmp_path / "a")
    second = save(execute(load_scenario(first / "scenario.yaml")), tmp_path / "b")
    assert second.name == first.name
    assert contents(first) == contents(second)


def test_only_the_environment_knows_the_time_and_the_machine(tmp_path: Path) -> None:
    directory = save(made(), tmp_path)
    written = json.loads((directory / "environment.json").read_text(encoding="utf-8"))
    assert {"written", "python", "platform", "packages"} == set(written)
    assert written["packages"]["numpy"] == np.__version__
    for name in STABLE:
        text = (directory / name).read_text(encoding="utf-8")
        assert written["written"][:10] not in text
        assert written["python"] not in text


# ---- the log


@pytest.mark.parametrize("name", ["double-well-chaos", "saddle-escape", "cosh-cliff", "relu-dead"])
def test_every_float_of_the_log_reads_back_to_the_same_bits(tmp_path: Path, name: str) -> None:
    run = executed(name)
    table = rows(save(run, tmp_path))
    end = run.trajectory
    assert [int(row["step"]) for row in table] == end.step_index.tolist()
    for place, weight in enumerate(run.loss.weights):
        for column, values in ((weight, end.weight), (f"gradient_{weight}", end.gradient)):
            read = np.array([float(row[column]) for row in table])
            np.testing.assert_array_equal(read, values[:, place, 0])
    np.testing.assert_array_equal([float(row["loss"]) for row in table], end.loss[:, 0])
    np.testing.assert_array_equal([float(row["learning_rate"]) for row in table], end.learning_rate[:, 0])


def test_the_columns_stand_in_the_order_of_the_contract(tmp_path: Path) -> None:
    one = save(made(), tmp_path)
    two = save(made(loss="x^2 + y^2", initial_weight={"x": 1, "y": 2}, name="two"), tmp_path)
    head = "step,w,loss,gradient_w,learning_rate,direction,flag\n"
    assert (one / "trajectory.csv").read_text(encoding="utf-8").startswith(head)
    head = "step,x,y,loss,gradient_x,gradient_y,learning_rate,direction,flag\n"
    assert (two / "trajectory.csv").read_text(encoding="utf-8").startswith(head)


def test_gradient_descent_goes_against_the_gradient(tmp_path: Path) -> None:
    for row in rows(save(made(learning_rate=0.9), tmp_path))[:-1]:
        assert row["direction"] == ("left" if float(row["gradient_w"]) > 0 else "right")


def test_the_direction_is_the_way_to_the_next_row_also_with_momentum(tmp_path: Path) -> None:
    run = made(update_rule={"name": "momentum", "momentum": 0.95}, initial_weight=0, name="ball")
    table = rows(save(run, tmp_path))
    against = [float(row["gradient_w"]) < 0 for row in table]
    for row, after in pairwise(table):
        assert row["direction"] == ("right" if float(after["w"]) > float(row["w"]) else "left")
    assert [row["direction"] == "right" for row in table] != against  # the ball rolls on uphill


def test_a_run_that_came_to_rest_stays(tmp_path: Path) -> None:
    assert rows(save(made(), tmp_path))[-1]["direction"] == "stay"
    still = made(initial_weight=3, name="still")
    assert [row["direction"] for row in rows(save(still, tmp_path))] == ["stay"]


def test_where_rows_are_missing_the_direction_is_against_the_gradient(tmp_path: Path) -> None:
    run = made(record={"every": 5}, stopping={"max_steps": 20}, name="sparse")
    assert {row["direction"] for row in rows(save(run, tmp_path))} == {"right"}


def test_with_several_weights_each_has_its_direction(tmp_path: Path) -> None:
    run = made(loss="x^2 + y^2", initial_weight={"x": -1, "y": 0}, name="two")
    assert rows(save(run, tmp_path))[0]["direction"] == "x:right;y:stay"


def test_a_crossing_is_flagged_on_the_row_of_arrival(tmp_path: Path) -> None:
    # w ↦ −0.8·w jumps over the minimum at 0 with every step
    run = made(loss="w^2", learning_rate=0.9, initial_weight=10, stopping={"max_steps": 4}, name="over")
    flags = [row["flag"] for row in rows(save(run, tmp_path))]
    assert flags == ["", *["crossed minimum at w = 0"] * 4]


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({}, "settled on minimum at w = 3"),
        ({"loss": "w^3", "initial_weight": 0}, "settled on inflection (saddle) at w = 0"),
        ({"loss": "w^2", "initial_weight": 1, "learning_rate": 3}, "crossed minimum at w = 0; out of bounds"),
        ({"loss": "cosh(w)", "initial_weight": 300}, "crossed minimum at w = 0; not finite"),
        ({"loss": "w^2", "initial_weight": 1, "learning_rate": 1}, "crossed minimum at w = 0; cycling"),
    ],
)
def test_the_last_row_says_how_the_run_ended(tmp_path: Path, changes: dict[str, Any], flag: str) -> None:
    assert rows(save(made(**changes), tmp_path))[-1]["flag"] == flag


# ---- the summary


@pytest.mark.parametrize(
    "name", ["cosh-cliff", "parabola", "cross-entropy", later("monkey-saddle"), "relu-dead"]
)
def test_the_summary_is_strict_json_in_the_shape_of_the_contract(tmp_path: Path, name: str) -> None:
    def no_constant(text: str) -> None:
        raise AssertionError(f"{text} is not JSON")

    text = (save(executed(name), tmp_path) / "summary.json").read_text(encoding="utf-8")
    found = json.loads(text, parse_constant=no_constant)
    assert {
        "name", "status", "steps", "verdict", "initial", "final", "evaluations", "critical_points", "search",
        "ruler",
    } <= set(found)  # fmt: skip
    assert set(found["verdict"]) == {"kind", "sentence", "evidence", "remedy"}
    assert set(found["initial"]) == set(found["final"]) == {"weight", "loss", "gradient"}
    assert set(found["evaluations"]) == {"loss", "gradient"}
    assert {"domain", "complete", "unresolved", "singular"} <= set(found["search"])
    for point in found["critical_points"]:
        expected = {"weight", "loss", "kind", "proof", "interval", "multiplicity", "boundary"}
        assert expected <= set(point)


def test_numbers_that_are_not_finite_are_strings(tmp_path: Path) -> None:
    directory = save(executed("cosh-cliff"), tmp_path)
    found = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    assert found["final"]["loss"] == "inf"


# ---- the hash and the data


def test_the_hash_does_not_depend_on_where_the_files_lie(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = with_data(tmp_path / "a")
    second = with_data(tmp_path / "b", "other.csv")
    assert store.digest(first) == store.digest(second)


def test_the_hash_does_not_depend_on_how_a_value_is_written(tmp_path: Path) -> None:
    plain = {"loss": "w**2", "initial_weight": 1}
    first = parse_mapping({**plain, "learning_rate": 0.25, "update_rule": "gradient_descent"})
    second = parse_mapping({**plain, "learning_rate": {"schedule": "constant", "initial": "1/4"}})
    assert store.digest(first) == store.digest(second)


def test_the_hash_depends_on_every_value_and_every_cell(tmp_path: Path) -> None:
    base = with_data(tmp_path)
    changed = [
        with_data(tmp_path, points=POINTS.replace("7.25", "7.250000001")),
        with_data(tmp_path, more="seed: 1\n"),
        with_data(tmp_path, more="stopping: {max_steps: 999}\n"),
        with_data(tmp_path, more="name: other\n"),
        with_data(tmp_path, more="derivative: {method: numeric, scheme: central}\n"),
    ]
    assert len({store.digest(one) for one in [base, *changed]}) == 1 + len(changed)


@pytest.mark.parametrize("file", ["trajectory.csv", "Scenario.yaml", "summary.json", "figures"])
def test_a_data_file_never_stands_in_for_a_file_of_the_run(tmp_path: Path, file: str) -> None:
    run = execute(with_data(tmp_path, file, "stopping: {max_steps: 3}\n"))
    directory = save(run, tmp_path / "out", {"curve.svg": b""})
    assert (directory / "data.csv").read_text(encoding="utf-8").startswith("x,y\n1.0,2.5\n")
    assert load(directory).status == run.status


def test_a_standardised_column_is_stored_as_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "line.yaml"
    (tmp_path / "points.csv").write_text(POINTS, encoding="utf-8")
    path.write_text(LINE + "data: {file: points.csv, standardise: [x]}\n", encoding="utf-8")
    directory = save(execute(load_scenario(path)), tmp_path / "out")
    assert (directory / "points.csv").read_text(encoding="utf-8").startswith("x,y\n1.0,2.5\n2.0,3.5\n")
    assert load(directory).status == "CONVERGED"


# ---- whole or absent


def test_a_failure_leaves_the_old_run_and_nothing_else(tmp_path: Path) -> None:
    directory = save(made(), tmp_path, {"curve.svg": b"old"})
    with pytest.raises(FileNotFoundError):
        save(made(), tmp_path, {"no/such/folder.svg": b"new"})
    assert [path.name for path in tmp_path.iterdir()] == [directory.name]
    assert (directory / "figures" / "curve.svg").read_bytes() == b"old"


def test_a_first_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save(made(), tmp_path, {"no/such/folder.svg": b"new"})
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    taken = tmp_path / store.directory_name(made().scenario)
    taken.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="a file stands where"):
        save(made(), tmp_path)
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["mine"]


KILLED = """
import os, signal, sys
from collections import UserDict
from pathlib import Path
from gdsim.runs import execute, save
from gdsim.scenario import parse_mapping

class Deadly(UserDict):
    def items(self):
        os.kill(os.getpid(), signal.SIGKILL)

run = execute(parse_mapping({"loss": "(w - 3)^2", "initial_weight": 0, "learning_rate": 0.1, "name": "case"}))
save(run, Path(sys.argv[1]), Deadly({"curve.svg": b"new"}))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_writer_leaves_the_old_run_whole_and_a_leftover_that_is_found(tmp_path: Path) -> None:
    directory = save(made(), tmp_path, {"curve.svg": b"old"})
    before = contents(directory)
    killed = python("-c", KILLED, str(tmp_path))
    assert killed.returncode == -signal.SIGKILL
    assert contents(directory) == before
    assert store.run_directories(tmp_path) == [directory]
    (leftover,) = store.leftovers(tmp_path)
    store.remove([leftover])
    assert [path.name for path in tmp_path.iterdir()] == [directory.name]
    assert save(made(), tmp_path) == directory


def test_a_run_that_was_moved_aside_is_put_back(tmp_path: Path) -> None:
    directory = save(made(), tmp_path)
    directory.rename(tmp_path / f".gdsim-replaced-{directory.name}-12345")
    assert store.run_directories(tmp_path) == []
    assert store.restore(tmp_path) == [directory]
    assert store.run_directories(tmp_path) == [directory]
    assert store.leftovers(tmp_path) == []


def test_a_run_that_was_replaced_is_not_put_back(tmp_path: Path) -> None:
    directory = save(made(), tmp_path)
    old = tmp_path / f".gdsim-replaced-{directory.name}-12345"
    old.mkdir()
    assert store.restore(tmp_path) == []
    assert store.leftovers(tmp_path) == [old]


WRITER = """
import sys
from itertools import pairwise
from pathlib import Path
from gdsim.runs import execute, save
from gdsim.scenario import parse_mapping
run = execute(parse_mapping({"loss": "(w - 3)^2", "initial_weight": 0, "learning_rate": 0.1, "name": "case"}))
for _ in range(int(sys.argv[2])):
    save(run, Path(sys.argv[1]))
"""


@pytest.mark.parametrize("times", [10, later(100)])
def test_two_writers_of_one_run_do_not_disturb_one_another(tmp_path: Path, times: int) -> None:
    words = [sys.executable, "-c", WRITER, str(tmp_path), str(times)]
    both = [subprocess.Popen(words, env=environment()) for _ in range(2)]
    assert [writer.wait() for writer in both] == [0, 0]
    (directory,) = store.run_directories(tmp_path)
    assert store.leftovers(tmp_path) == []
    assert load(directory).verdict.kind == "minimum"


def test_a_function_cannot_be_written_as_a_scenario(tmp_path: Path) -> None:
    import gdsim

    run = gdsim.simulate(lambda w: (w - 3) ** 2, initial_weight=0, learning_rate=0.1)
    with pytest.raises(InputError, match="Python function"):
        save(run, tmp_path)
    assert list(tmp_path.iterdir()) == []


# ---- reading back


@pytest.mark.parametrize(
    "name", ["parabola", later("rosenbrock-momentum"), "engel-standardised", "cosh-cliff"]
)
def test_a_stored_run_loads_as_it_was(tmp_path: Path, name: str) -> None:
    run = executed(name)
    again = load(str(save(run, str(tmp_path))))
    np.testing.assert_array_equal(again.trajectory.weight, run.trajectory.weight)
    assert again.verdict == run.verdict or run.status == "NONFINITE"
    assert again.title == run.title


def test_a_run_that_is_no_longer_reproduced_is_refused(tmp_path: Path) -> None:
    directory = save(made(), tmp_path)
    path = directory / "summary.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"steps": ', '"steps": 1'), encoding="utf-8")
    with pytest.raises(InputError, match="no longer gives the result"):
        load(directory)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"name": 3}', "null", '"text"'])
def test_a_summary_that_is_none_is_bad_input(tmp_path: Path, content: str) -> None:
    (tmp_path / "summary.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="summary of a run"):
        store.summary_of(tmp_path)


def test_a_folder_without_a_run_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a run directory"):
        load(tmp_path)
    with pytest.raises(InputError, match="not a run directory"):
        load(tmp_path / "missing")


def test_other_folders_are_not_taken_for_runs(tmp_path: Path) -> None:
    directory = save(made(), tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("", encoding="utf-8")
    assert store.run_directories(tmp_path) == [directory]
    assert store.run_directories(tmp_path / "missing") == []
    assert store.leftovers(tmp_path / "missing") == []


# ---- more steps

LONG = {
    "gradient descent": {"loss": "tanh(w)^2", "initial_weight": 4},
    "nesterov": {"loss": "x^4 + y^2", "initial_weight": {"x": 1, "y": 1}, "update_rule": "nesterov"},
    "adam with noise": {"update_rule": "adam", "noise": {"kind": "gaussian", "scale": 0.1}, "seed": 7},
    "sparse records": {"loss": "w^4", "record": {"every": 7}, "initial_weight": 2},
    "a schedule": {"initial_weight": 1, "learning_rate": {"schedule": "cosine", "initial": 0.1, "T_max": 60}},
    "numeric derivative": {"loss": "w^4", "initial_weight": 1, "derivative": {"method": "numeric"}},
    "backtracking": {"loss": "w^4", "initial_weight": 2, "line_search": "armijo"},
    "a cycle of two": {"loss": "(w^2 - 1)^2", "initial_weight": 0.5, "learning_rate": 0.3},
    "settles in the second part": {},
}


@pytest.mark.parametrize(
    "case",
    some(
        LONG,
        "gradient descent",
        "adam with noise",
        "sparse records",
        "a cycle of two",
        "settles in the second part",
    ),
)
def test_a_continued_run_has_the_bytes_of_one_long_run(tmp_path: Path, case: str) -> None:
    short = save(made(**LONG[case], stopping={"max_steps": 23}), tmp_path / "short")
    continued = save(store.continued(short, 40), tmp_path / "continued")
    whole = save(made(**LONG[case], stopping={"max_steps": 63}), tmp_path / "whole")
    assert continued.name == whole.name
    assert contents(continued) == contents(whole)


def test_mini_batches_go_on_where_they_were(tmp_path: Path) -> None:
    more = "noise: {kind: minibatch, size: 2}\nupdate_rule: momentum\nstopping: {max_steps: 11}\n"
    short = save(execute(with_data(tmp_path, more=more)), tmp_path / "short")
    continued = save(store.continued(short, 9), tmp_path / "continued")
    whole = save(execute(with_data(tmp_path, more=more.replace("11", "20"))), tmp_path / "whole")
    assert contents(continued) == contents(whole)


def test_a_run_that_ended_by_itself_cannot_be_continued(tmp_path: Path) -> None:
    directory = save(made(), tmp_path)
    with pytest.raises(InputError, match="ended by itself"):
        store.continued(directory, 10)


# ---- what differs


def test_a_run_does_not_differ_from_itself(tmp_path: Path) -> None:
    run = execute(with_data(tmp_path))
    assert store.difference(save(run, tmp_path / "a"), save(run, tmp_path / "b")) == {}


def test_a_difference_names_scenario_data_and_result(tmp_path: Path) -> None:
    first = save(execute(with_data(tmp_path)), tmp_path / "a")
    changed = with_data(tmp_path, more="seed: 5\n", points=POINTS.replace("7.25", "8"))
    found = store.difference(first, save(execute(changed), tmp_path / "b"))
    assert found["scenario.seed"] == (0, 5)
    assert found["data.y[3]"] == (7.25, 8.0)
    assert "result.final.weight.w" in found
    assert "scenario.learning_rate.initial" not in found


def test_what_one_run_lacks_is_none(tmp_path: Path) -> None:
    first = save(made(), tmp_path)
    second = save(made(update_rule={"name": "momentum", "momentum": 0.5}), tmp_path)
    assert store.difference(first, second)["scenario.update_rule.momentum"] == (None, 0.5)


# ---- the disk is full

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
from gdsim.cli import main
main(["run", "parabola", "--no-plot", "--out", sys.argv[1]])
"""


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on file sizes")
def test_a_disk_that_takes_no_more_is_a_fault_in_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    done = python("-c", LIMITED, str(tmp_path))
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
