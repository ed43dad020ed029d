"""Sweeps on a Dask cluster: real schedulers and workers in processes of their own, some of them killed."""

from __future__ import annotations

import os
import pickle
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from test_sweep_store import CHUNK, contents, made

import gdsim
from gdsim.cli import main
from gdsim.outcomes import InputError
from gdsim.scenario import parse_mapping
from gdsim.scenario.axes import with_axes
from gdsim.sweeps import cluster
from gdsim.sweeps.design import Design
from gdsim.sweeps.execution import Forecast, Sweep
from gdsim.sweeps.result import SweepResult
from gdsim.sweeps.results import RESULTS, TABLE, finish
from gdsim.sweeps.store import Plan
from gdsim.sweeps.versions import versions
from gdsim.sweeps.work import Worker

#: some 6,000 runs; with two jobs in six chunks
COMMAND = (
    "double-well", "learning_rate=lin(0.01,0.2,64)", "initial_weight=lin(-1.9,1.9,96)", "--engine", "numpy",
    "--jobs", "2", "--no-plot",
)  # fmt: skip
#: what a worker runs at its start: its n-th piece does something else first
STRIKE = """
import os, signal, sys, time
from gdsim.sweeps.work import Worker
if Worker.compute.__name__ == "compute":  # Dask runs these lines twice
    compute, count = Worker.compute, [0]
    def struck(worker, run):
        count[0] += 1
        if count[0] >= {at}:
            {what}
        return compute(worker, run)
    Worker.compute = struck
"""
KILL = "os.kill({}, signal.SIGKILL)"
SLEEP = STRIKE.format(at=2, what="time.sleep(0.5)")
ROOT = Path(__file__).parents[1]
PATIENCE = 60.0  # seconds until a test gives up


def until(true: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


class Cluster:
    """A scheduler and workers, each a process."""

    def __init__(self, folder: Path) -> None:
        pytest.importorskip("distributed")
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.scheduler = self.start("scheduler", "--host", self.address, "--dashboard-address", "127.0.0.1:0")

    def start(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a program of Dask in the folder."""
        command = [sys.executable, "-m", f"distributed.cli.dask_{program}", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(self.folder)}
        with (self.folder / f"{program}-{len(self.running)}.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self.running.append(process)
        return process

    def worker(self, preload: str = "", threads: int = 1) -> subprocess.Popen[bytes]:
        """Start a worker, which first runs some lines."""
        words = ["--no-nanny", "--nthreads", str(threads)]
        if preload:
            script = self.folder / f"preload{len(self.running)}.py"
            script.write_text(preload, encoding="utf-8")
            words += ["--preload", str(script)]
        return self.start("worker", self.address, *words)

    def wait(self, count: int) -> None:
        """Wait until so many workers are there."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=PATIENCE)

    def stop(self) -> None:
        """Kill what still runs."""
        for process in reversed(self.running):
            process.kill()
            process.wait()


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler without workers."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    started = Cluster(folder)
    yield started
    started.stop()


def carry_out(sweep: Sweep, address: str | None, say: Callable[[str], None] = print) -> SweepResult:
    """Run a sweep in small chunks, on a cluster or here."""
    sweep.address, sweep.asked, sweep.jobs = address, 2, 1
    forecast = Forecast(sweep.design.runs, 1, 0, 0.0, "numpy", "", 1)
    plan = Plan(sweep.design, "numpy", CHUNK, versions("numpy"))
    return finish(sweep.carry_out(plan, forecast, warn=say), sweep.worker)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the sweep leaves where no cluster is."""
    return contents(carry_out(made(tmp_path_factory.mktemp("undisturbed")), None).directory)


def command(out: Path, address: str, preload: str = "") -> subprocess.Popen[str]:
    """Start ``gdsim sweep`` on a cluster, in a session of its own, as on a terminal."""
    out.mkdir(exist_ok=True)
    line = [sys.executable, "-m", "gdsim", "sweep", *COMMAND, "--dask-address", address, "--out", "outputs"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "TMPDIR": str(out.parent)}
    if preload:
        script = out.parent / "preload.py"
        script.write_text(preload, encoding="utf-8")
        environment["DASK_DISTRIBUTED__WORKER__PRELOAD"] = str(script)
    return subprocess.Popen(
        line, cwd=out, env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def results(out: Path) -> list[bytes]:
    """The results of a command; the sizes of its chunks depend on what was measured."""
    (directory,) = (out / "outputs").iterdir()
    return [(directory / name).read_bytes() for name in (RESULTS, TABLE, "scenario.yaml")]


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The results of the command without a cluster."""
    out = tmp_path_factory.mktemp("commanded")
    words = [*COMMAND, "--out", str(out / "outputs")]
    line = [sys.executable, "-m", "gdsim", "sweep", *words]
    subprocess.run(line, check=True, capture_output=True)
    return results(out)


# ---- without a cluster


def test_a_design_travels_with_its_data() -> None:
    data = {"x": [0.0, 1.0, 2.0], "y": [1.0, 3.0, 5.0]}
    scenario = {
        "name": "line", "loss": "mean((w*x + b - y)^2)", "data": data, "initial_weight": {"w": 0, "b": 0},
        "learning_rate": 0.1,
    }  # fmt: skip
    design = Design.of(with_axes(parse_mapping(scenario), ["learning_rate=0.1,0.2", "initial_weight.w=1,2"]))
    there = Worker(pickle.loads(pickle.dumps(design))).compute(np.arange(4))
    here = Worker(design).compute(np.arange(4))
    assert {name: column.tobytes() for name, column in there.items()} == {
        name: column.tobytes() for name, column in here.items()
    }


def test_without_dask_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"--dask-address.*pip install 'gdsim\[dask\]'"):
        Sweep(made(tmp_path).design.scenario, tmp_path, address="local")


@pytest.mark.integration
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "tcp://"])
def test_a_scheduler_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "_ANSWER", 0.5)
    words = ["sweep", "parabola", "learning_rate=0.1,0.2", "--dask-address", address, "--out", str(tmp_path)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert f"error: --dask-address: no scheduler answers at {address}" in result.stderr
    assert "Traceback" not in result.stderr


# ---- the same bytes


@pytest.mark.integration
def test_the_commands_of_the_page_on_scale_run(tmp_path: Path, dask: Cluster) -> None:
    page = (ROOT / "docs" / "sweeps-at-scale.md").read_text(encoding="utf-8")
    dask.worker()
    lines = re.findall(r"^gdsim (sweep .*)$", page, re.MULTILINE)
    assert len(lines) == 2
    (call,) = re.findall(r"`(gdsim\.sweep\(.*\))`", page)
    (tmp_path / "here.py").write_text(f"import gdsim\nif __name__ == '__main__':\n    print({call})\n")
    commands = [
        ["-m", "gdsim", *shlex.split(line.replace("tcp://10.0.0.1:8786", dask.address))] for line in lines
    ]
    for number, words in enumerate([*commands, ["here.py"]]):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [sys.executable, *(str(tmp_path / word) if word == "here.py" else word for word in words)]
        said = subprocess.run(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
        )
        assert said.returncode == 0, said.stderr
        assert re.search(r"\b800\b", said.stdout)


@pytest.mark.integration
def test_a_local_cluster_computes_the_same_bytes(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    pytest.importorskip("distributed")
    assert contents(carry_out(made(tmp_path), "local").directory) == undisturbed


@pytest.mark.integration
def test_a_sweep_from_python_is_computed_on_a_cluster(dask: Cluster) -> None:
    dask.worker()
    axes = {"learning_rate": "log(0.01, 1, 40)"}
    here = gdsim.sweep("double-well", axes, engine="numpy")
    there = gdsim.sweep("double-well", axes, engine="numpy", dask_address=dask.address)
    assert all(here.columns[name].tobytes() == there.columns[name].tobytes() for name in here.columns)


@pytest.mark.integration
def test_the_command_gives_the_same_results_and_nothing_else(
    tmp_path: Path, dask: Cluster, commanded: list[bytes]
) -> None:
    dask.worker()
    dask.worker(threads=2)
    done = command(tmp_path / "work", dask.address)
    _, said = done.communicate(timeout=PATIENCE)
    assert done.returncode == 0, said
    assert results(tmp_path / "work") == commanded
    assert len(said.splitlines()) <= 2, said  # what it takes
    assert [entry.name for entry in (tmp_path / "work").iterdir()] == ["outputs"]


@pytest.mark.integration
def test_a_worker_of_several_threads_computes_one_piece_at_a_time(
    tmp_path: Path, dask: Cluster, undisturbed: dict[str, bytes]
) -> None:
    dask.worker(threads=4, preload=COUNTING)
    assert contents(carry_out(made(tmp_path), dask.address).directory) == undisturbed


COUNTING = """
import threading, time
from gdsim.sweeps.work import Worker
if Worker.compute.__name__ == "compute":
    inside, compute = threading.Lock(), Worker.compute
    def alone(worker, run):
        assert inside.acquire(blocking=False), "two at once"
        try:
            time.sleep(0.05)
            return compute(worker, run)
        finally:
            inside.release()
    Worker.compute = alone
"""


# ---- what is lost


@pytest.mark.integration
def test_a_worker_killed_at_work_changes_nothing(
    tmp_path: Path, dask: Cluster, undisturbed: dict[str, bytes]
) -> None:
    killed = dask.worker(STRIKE.format(at=2, what=KILL.format("os.getpid()")))
    dask.worker(STRIKE.format(at=1, what="time.sleep(0.2)"))  # else it may do all of them itself
    dask.wait(2)
    assert contents(carry_out(made(tmp_path), dask.address).directory) == undisturbed
    assert killed.wait(PATIENCE) == -signal.SIGKILL


@pytest.mark.integration
def test_without_any_worker_it_says_so_and_waits(
    tmp_path: Path, dask: Cluster, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 0.5)
    monkeypatch.setattr(cluster, "_LOOK", 0.5)
    said: list[str] = []

    def another(text: str) -> None:
        said.append(text)
        dask.worker()

    only = dask.worker(STRIKE.format(at=3, what=KILL.format("os.getpid()")))
    dask.wait(1)
    assert contents(carry_out(made(tmp_path), dask.address, another).directory) == undisturbed
    assert only.wait(PATIENCE) == -signal.SIGKILL
    assert said[0] == f"the cluster at {dask.address} has no worker; waiting for one to come"


@pytest.mark.integration
def test_a_chunk_that_kills_every_worker_ends_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")  # else 3 workers
    dask: Cluster = request.getfixturevalue("dask")
    dask.worker(STRIKE.format(at=1, what=KILL.format("os.getpid()")))
    dask.wait(1)
    with pytest.raises(OSError, match="every worker that computed a certain chunk was lost"):
        carry_out(made(tmp_path), dask.address)


@pytest.mark.integration
def test_a_lost_scheduler_ends_the_sweep_which_then_goes_on(
    tmp_path: Path, dask: Cluster, undisturbed: dict[str, bytes]
) -> None:
    dask.worker(STRIKE.format(at=5, what=KILL.format(dask.scheduler.pid)))
    sweep = made(tmp_path)
    with pytest.raises(OSError, match=f"the scheduler at {dask.address} was lost; the same command goes on"):
        carry_out(sweep, dask.address)
    assert len([*sweep.directory.glob("chunks/0*.npz")]) < 16  # how many arrive before, the network decides
    assert contents(carry_out(made(tmp_path), None).directory) == undisturbed


# ---- interrupted


def processes_of(session: int) -> list[str]:
    """What still runs of a session."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[3]) == session:
            found.append(text)
    return found


@pytest.mark.integration
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux which processes there are")
@pytest.mark.parametrize("where", ["local", "tcp"])
def test_an_interrupted_command_is_quiet_and_goes_on(
    tmp_path: Path, request: pytest.FixtureRequest, commanded: list[bytes], where: str
) -> None:
    address = "local"
    pytest.importorskip("distributed")
    if where == "tcp":
        dask: Cluster = request.getfixturevalue("dask")
        dask.worker(SLEEP)
        address = dask.address
    work = tmp_path / "work"
    stopped = command(work, address, SLEEP)
    until(lambda: [*work.glob("outputs/*/chunks/0*.npz")])
    os.killpg(stopped.pid, signal.SIGINT)  # as Ctrl-C on a terminal: the local workers get it too
    _, said = stopped.communicate(timeout=PATIENCE)
    assert stopped.returncode == 130, said
    assert len(said.splitlines()) <= 5, said
    assert said.splitlines()[-1] == "interrupted"
    assert "the same command goes on from there" in " ".join(said.split())
    until(lambda: not processes_of(stopped.pid))
    again = command(work, address)
    _, said = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, said
    assert results(work) == commanded


@pytest.mark.integration
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux which processes there are")
def test_a_killed_command_leaves_no_workers_behind(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    work = tmp_path / "work"
    killed = command(work, "local", SLEEP)
    until(lambda: [*work.glob("outputs/*/chunks/0*.npz")])
    killed.kill()
    killed.communicate(timeout=PATIENCE)
    until(lambda: not processes_of(killed.pid))


# ---- clusters that do not fit


OTHER = {
    "another version": ("import gdsim; gdsim.__version__ = '0.0.1'", r"gdsim 0\.0\.1"),
    "no gdsim": ("import sys; sys.modules['gdsim'] = None", "gdsim"),
}


@pytest.mark.integration
@pytest.mark.parametrize("name", OTHER)
@pytest.mark.parametrize("late", [False, True])
def test_a_worker_that_does_not_fit_is_named(tmp_path: Path, dask: Cluster, name: str, late: bool) -> None:
    preload, words = OTHER[name]
    sweep = made(tmp_path)
    expected = pytest.raises(
        InputError, match=f"workers lack packages or have other versions: tcp://127.0.0.1:.*{words}"
    )
    if late:  # it comes when the others have been asked
        with expected:
            carry_out(sweep, dask.address, lambda text: dask.worker(preload))
        return
    dask.worker(preload)
    dask.wait(1)
    with expected:
        carry_out(sweep, dask.address)


@pytest.mark.integration
def test_a_chunk_that_fails_is_said_once(tmp_path: Path, dask: Cluster) -> None:
    dask.worker(STRIKE.format(at=1, what="raise ValueError('the seventh seal')"))
    done = command(tmp_path / "work", dask.address)
    _, said = done.communicate(timeout=PATIENCE)
    assert done.returncode == 1
    assert said.count("the seventh seal") == 1, said
    assert "Traceback" not in said


# ---- what travels


@pytest.mark.integration
def test_few_pieces_are_under_way_and_the_design_travels_once(tmp_path: Path, dask: Cluster) -> None:
    from distributed import Client

    dask.worker()
    worker = made(tmp_path).worker
    taken = [0]

    def pieces() -> Iterator[tuple[int, np.ndarray]]:
        for number in range(40):
            taken[0] += 1
            yield number, np.arange(number * 50, number * 50 + 50)

    ahead = []
    for done, _ in enumerate(cluster.on_a_cluster(worker, dask.address, None, pieces(), print)):
        ahead.append(taken[0] - done)
    assert len(ahead) == 40
    assert max(ahead) <= 4
    with Client(dask.address, set_as_default=False) as client:
        (made_there,) = client.run(lambda: cluster._worker.cache_info().misses).values()
    assert made_there == 1
