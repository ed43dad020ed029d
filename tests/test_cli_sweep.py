"""``gdsim sweep`` and ``gdsim tune`` through the real command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from gdsim.cli import main

SCENARIO = """\
name: wells
loss: (w^2 - 1)^2
initial_weight: 0.5
learning_rate: 0.1
domain: [-2, 2]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a scenario."""
    (tmp_path / "wells.yaml").write_text(SCENARIO, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gdsim(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="gdsim")


def swept(*words: str) -> Result:
    """A sweep without figures."""
    return gdsim("sweep", "wells.yaml", *words, "--no-plot")


def directory(parent: Path) -> Path:
    """The only folder below outputs."""
    (found,) = (parent / "outputs").iterdir()
    return found


@pytest.mark.usefixtures("folder")
def test_totals_the_best_run_and_stability_are_printed() -> None:
    out = swept("learning_rate=0.05,0.1,0.6", "initial_weight=-1.5,0.5").stdout
    out = " ".join(out.split())
    assert "runs 6" in out
    assert "minimum 4 66.7 %" in out
    assert "reached minimum at w = -1: 2 runs minimum at w = 1: 2 runs" in out
    assert "every run settles with learning rates from 0.05 to 0.1, no longer with 0.6" in out
    assert "2/L = 0.25" in out


def test_the_numbers_come_before_the_work(folder: Path) -> None:
    found = swept("learning_rate=0.1,0.2")
    assert found.stderr.startswith("2 runs, ")
    assert "with the numpy engine" in found.stderr
    assert directory(folder).name.startswith("wells-")


@pytest.mark.usefixtures("folder")
def test_json_is_one_document_with_what_the_contract_names() -> None:
    found = gdsim("sweep", "wells.yaml", "learning_rate=log(0.01,1,9)", "--json", "--no-plot")
    document = json.loads(found.stdout)
    assert {"runs", "verdicts", "best", "stability", "directory"} <= document.keys()
    assert document["runs"] == sum(document["verdicts"].values()) == 9
    assert document["stability"]["limits"] == [{"weight": {"w": 1.0}, "curvature": 8.0, "limit": 0.25}]
    assert found.stderr == ""


def test_one_line_says_it_all_where_quiet_was_asked_for(folder: Path) -> None:
    assert swept("learning_rate=0.1,9", "-q").stdout == "wells: 2 runs: minimum 1, diverged 1\n"
    assert (directory(folder) / "sweep.json").is_file()


def test_the_second_call_only_reads(folder: Path) -> None:
    swept("learning_rate=0.1,0.2")
    chunk = directory(folder) / "chunks" / "000000.npz"
    before = chunk.stat().st_mtime_ns
    again = swept("learning_rate=0.1,0.2")
    assert chunk.stat().st_mtime_ns == before
    assert again.stderr == "2 runs, all of them done before with the numpy engine\n"


def test_figures_that_suit_are_written(folder: Path) -> None:
    gdsim("sweep", "wells.yaml", "learning_rate=lin(0.05,0.4,12)", "-q")
    names = sorted(file.name for file in (directory(folder) / "figures").iterdir())
    assert names == ["bifurcation.svg", "profile.svg"]


def test_a_figure_that_there_is_not_is_told_what_there_is(folder: Path) -> None:
    result = gdsim("sweep", "double-well", "learning_rate=0.1,0.2", "--figure", "profile:")
    assert result.exit_code == 2
    assert "unknown figure 'profile:'; expected atlas, atlas:verdict, " in result.stderr
    assert result.stderr.endswith("profile, bifurcation, ensemble; did you mean profile?\n")


def test_figures_can_be_chosen(folder: Path) -> None:
    axes = ["learning_rate=lin(0.05,0.4,6)", "initial_weight=-1,1"]
    gdsim("sweep", "wells.yaml", *axes, "-q", "--figure", "atlas:loss", "--figure", "profile")
    names = sorted(file.name for file in (directory(folder) / "figures").iterdir())
    assert names == ["atlas-loss.svg", "profile.svg"]


# ---- limits and wrong input


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["learning_rate=lin(0.1,1,101)", "--max-runs", "100"], "101 runs, and 100 are allowed"),
        (["learning_rate=lin(0.1,1,4000)", "initial_weight=lin(0,1,4000)"], "--max-runs 16000000"),
        ([], "no axes to sweep over"),
        (["learning_rate"], "is no axis"),
        (["learning_rate=0.1,fast"], "fast"),
        (["leaning_rate=0.1"], "did you mean learning_rate"),
        (["learning_rate=0.1", "--fail-on", "divergd"], "did you mean diverged"),
        (["learning_rate=0.1,0.2", "--zoom", "learning_rate=0.1,0.2"], "has no range"),
        (["learning_rate=lin(0,1,5)", "--zoom", "seed=0,1"], "no such axis"),
        (["learning_rate=lin(0,1,5)", "--zoom", "learning_rate=0.5"], "two ends"),
        (["learning_rate=0.1", "--jobs", "0"], "--jobs"),
        (["learning_rate=0.1", "--figure", "atlas:los"], "did you mean atlas:loss"),
        (["learning_rate=0.1", "--figure", "profil"], "profile, bifurcation, ensemble; did you mean profile"),
        (["learning_rate=0.1", "-S", "loss=(w"], "loss"),
    ],
)
def test_wrong_input_is_refused_with_words_and_exit_code_2(words: list[str], said: str) -> None:
    found = swept(*words)
    assert found.exit_code == 2
    assert said in found.stderr
    assert "Traceback" not in found.output


def test_a_folder_of_several_scenarios_is_no_scenario(folder: Path) -> None:
    (folder / "several").mkdir()
    for name in ("a.yaml", "b.yaml"):
        (folder / "several" / name).write_text(SCENARIO, encoding="utf-8")
    found = gdsim("sweep", "several", "learning_rate=0.1")
    assert (found.exit_code, "holds 2 scenarios" in found.stderr) == (2, True)


@pytest.mark.usefixtures("folder")
def test_validate_reads_the_axes_of_a_file_too() -> None:
    axis = "sweep: {parameters: {leaning_rate: {values: [1]}}}\n"
    Path("wrong.yaml").write_text(SCENARIO + axis, encoding="utf-8")
    found = gdsim("validate", "wrong.yaml")
    assert found.exit_code == 2
    assert "wrong.yaml:6:22: sweep.parameters.leaning_rate" in found.stderr
    assert "did you mean learning_rate" in found.stderr


@pytest.mark.usefixtures("folder")
def test_validate_refuses_a_sweep_without_axes() -> None:
    Path("empty.yaml").write_text(SCENARIO + "sweep: {parameters: {}}\n", encoding="utf-8")
    assert "no axes to sweep over" in gdsim("validate", "empty.yaml").stderr


@pytest.mark.usefixtures("folder")
def test_validate_tells_the_axes_of_one_file_with_the_faults_of_another() -> None:
    axis = "sweep: {parameters: {seed: {values: [1.5]}}}\n"
    Path("axis.yaml").write_text(SCENARIO + axis, encoding="utf-8")
    Path("wrong.yaml").write_text(SCENARIO + "update_rule: adm\n", encoding="utf-8")
    found = gdsim("validate", "axis.yaml", "wrong.yaml").stderr
    assert "axis.yaml:6:38: sweep.parameters.seed.values[0]: 1.5 is not a whole number" in found
    assert "wrong.yaml:6:14: update_rule" in found


@pytest.mark.usefixtures("folder")
def test_a_verdict_that_must_not_be_fails() -> None:
    assert swept("learning_rate=0.1,9", "--fail-on", "diverged").exit_code == 3
    assert swept("learning_rate=0.1,9", "--fail-on", "cycle").exit_code == 0


# ---- windows, lists, tidying up


def test_a_window_has_as_many_values_and_a_folder_of_its_own(folder: Path) -> None:
    swept("learning_rate=log(0.01,1,21)", "-q")
    assert swept("learning_rate=log(0.01,1,21)", "--zoom", "learning_rate=0.2,0.3", "-q").exit_code == 0
    whole, window = sorted((folder / "outputs").iterdir(), key=lambda path: "zoom" in path.name)
    for path, ends in ((whole, (0.01, 1.0)), (window, (0.2, 0.3))):
        with np.load(path / "results.npz") as columns:
            rates = columns["learning_rate"]
        assert (rates.size, rates[0], rates[-1]) == (21, *ends)


@pytest.mark.usefixtures("folder")
def test_sweeps_are_listed_beside_runs_and_tidied_up() -> None:
    swept("learning_rate=0.1,0.2", "-q")
    gdsim("run", "wells.yaml", "--no-plot", "-q")
    listed = json.loads(gdsim("runs", "list", "--json").stdout)
    assert [run["name"] for run in listed["runs"]] == ["wells"]
    assert [(sweep["name"], sweep["runs"], sweep["done"]) for sweep in listed["sweeps"]] == [("wells", 2, 1)]
    assert "1 of 1" in gdsim("runs", "list").stdout
    gdsim("runs", "clean", "--all", "--yes")
    assert "no runs" in gdsim("runs", "list").stdout


@pytest.mark.integration
def test_parquet_holds_the_same_columns_with_words(folder: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    swept("update_rule=adam,momentum", "learning_rate=0.1,9", "--parquet", "-q")
    rows = parquet.read_table(directory(folder) / "results.parquet").to_pydict()
    with np.load(directory(folder) / "results.npz") as columns:
        assert rows["w"] == columns["w"].tolist()
    assert rows["update_rule"] == ["adam", "adam", "momentum", "momentum"]
    assert rows["verdict"][3] == "diverged"


# ---- the Goldilocks rate


@pytest.mark.usefixtures("folder")
def test_the_best_rate_for_a_parabola_is_one_over_its_curvature() -> None:
    found = json.loads(gdsim("tune", "parabola", "--json", "--no-plot").stdout)
    assert (found["learning_rate"], found["steps"]) == (0.5, 1)
    # |1 − 2η| < 1 is what settles at all; within 1,000 steps from 10 to 1e-8 a little less
    assert 0.95 < found["stability"]["largest"] < 1.0 <= found["stability"]["first_unstable"] < 1.1


@pytest.mark.usefixtures("folder")
def test_momentum_moves_the_limit_of_theory() -> None:
    out = " ".join(gdsim("tune", "parabola", "-S", "update_rule=momentum", "--no-plot").stdout.split())
    assert "theory says up to 3.8/L = 1.9 near the minima reached" in out  # 2(1 + β)/L with β = 0.9, L = 2


@pytest.mark.usefixtures("folder")
def test_where_no_rate_reaches_the_tolerance_the_lowest_loss_counts() -> None:
    short = ["-S", "stopping.max_steps=5", "-S", "stopping.gradient_tolerance=0"]
    found = gdsim("tune", "wells.yaml", *short, "--no-plot").stdout
    assert "the lowest loss after 5 steps" in found


@pytest.mark.usefixtures("folder")
def test_a_loss_without_a_minimum_has_no_best_rate() -> None:
    found = gdsim("tune", "cubic-runs-away", "--no-plot")
    assert found.exit_code == 2
    assert "with no learning rate" in found.stderr


# ---- signals

GRID = ["learning_rate=lin(0.001,0.2,1000)", "initial_weight=lin(-1.9,1.9,1000)"]
MANY = [*GRID, "--engine", "numpy", "--jobs", "1"]  # several chunks of a second and a half, on any machine


def begun(folder: Path) -> subprocess.Popen[str]:
    """A sweep of some seconds in a process of its own, of which at least one chunk is done."""
    words = [sys.executable, "-m", "gdsim", "sweep", "wells.yaml", *MANY, "--no-plot"]
    process = subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if [*folder.glob("outputs/*/chunks/000000.npz")]:
            break
    return process


@pytest.mark.integration
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_a_sweep_stopped_on_its_way_goes_on_to_the_same_bytes(folder: Path, sent: int, code: int) -> None:
    process = begun(folder)
    os.kill(process.pid, sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert ("the same command goes on from there" in " ".join(said.split())) == (sent == signal.SIGINT)
    assert swept(*MANY, "-q").exit_code == 0
    stopped = (directory(folder) / "results.npz").read_bytes()
    assert swept(*MANY, "-q", "--out", "elsewhere").exit_code == 0
    (other,) = (folder / "elsewhere").iterdir()
    assert (other / "results.npz").read_bytes() == stopped
