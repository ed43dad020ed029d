"""Carry a sweep out: say what it takes, compute what is missing, and put the results together."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim.outcomes import Fault, InputError, nearest
from gdsim.scenario import Scenario
from gdsim.simulation import Engine
from gdsim.sweeps.assembly import assembled
from gdsim.sweeps.design import Design
from gdsim.sweeps.executors import LOCAL, Computed, in_processes, in_this_process, in_threads
from gdsim.sweeps.result import Column, SweepResult
from gdsim.sweeps.results import finish, result_of
from gdsim.sweeps.store import Plan, Store, directory_of, is_done, opened, stored_plan
from gdsim.sweeps.versions import versions
from gdsim.sweeps.work import Worker, kept

Integers: TypeAlias = NDArray[np.int64]
Choice = Literal["auto", "numpy", "fast"]
CHOICES: tuple[Choice, ...] = ("auto", "numpy", "fast")

_SHORT = 2.0  # seconds: for less no other engine is compiled and no process started
_PIECE = 1.5  # seconds that a chunk may take: so much is lost where a sweep is killed
_PIECE_THERE = 10.0  # the same on a cluster, whose one scheduler passes some hundred chunks a second
_CHUNK_RUNS = (1 << 10, 1 << 17)  # the least and the most: what a thread keeps of more leaves the caches
_CHUNK_RUNS_THERE = 1 << 18  # the most on a cluster
_SAMPLES = (256, 4096)  # runs that are tried, to measure what one costs


class Forecast(NamedTuple):
    """What a sweep will take, measured on a few of its runs.

    Attributes
    ----------
    runs, losses
        How many runs, of at most how many distinct losses.
    bytes
        On disk: the chunks and the results made of them.
    seconds
        About how long all runs take.
    engine
        The loop chosen.
    why
        Why that one, and how to be faster where there is a way.
    jobs
        Processes of the numpy engine, threads of the fast one.
    """

    runs: int
    losses: int
    bytes: int
    seconds: float
    engine: Engine
    why: str
    jobs: int


class Sweep:
    """A sweep that is about to run: made, forecast, carried out.

    Parameters
    ----------
    scenario
        With its axes.
    parent
        The folder below which the sweep's folder lies.
    engine
        The loop; ``auto`` chooses by measured cost.
    jobs
        Processes or threads; None: one for each core that this process may use.
    address
        Of a Dask scheduler, or ``local``; None: no cluster.
    stored
        Whether there is a folder to go on in.

    Raises
    ------
    InputError
        For axes that do not fit, an unknown engine, or a folder begun with another one.
    """

    def __init__(
        self, scenario: Scenario, parent: Path, engine: Choice = "auto", jobs: int | None = None,
        address: str | None = None, *, stored: bool = True,
    ) -> None:  # fmt: skip
        if engine not in CHOICES:
            expected, near = f"one of {', '.join(CHOICES)}", nearest(str(engine), CHOICES)
            raise InputError(Fault(f"unknown engine {engine!r}", expected, near, path="engine"))
        if address is not None:
            from gdsim.sweeps.cluster import check_installed

            check_installed()
        self.design = Design.of(scenario)
        self.directory = directory_of(scenario, parent)
        self.address = address
        self.jobs = jobs or _cores()
        self.asked = jobs
        before = stored_plan(self.directory, self.design) if stored else None
        if before is not None:
            if engine not in ("auto", before.engine):
                message = f"this sweep was begun with the {before.engine} engine"
                expected = f"--engine {before.engine}, or another folder: --out"
                raise InputError(Fault(message, expected, file=str(self.directory)))
            engine = before.engine  # type: ignore[assignment]
        self.engine: Choice = engine
        self.begun = before is not None
        self.done = self.begun and is_done(self.directory, self.design)
        self.worker = Worker(self.design, threads=self.jobs)

    def forecast(self) -> Forecast:
        """Choose the engine and say what the sweep takes. Cost: some 5,000 runs; none where all is done."""
        engine, seconds, why = (self.engine, 0.0, "all is done") if self.done else self._chosen()
        assert engine != "auto"
        self.worker.engine = engine
        weights = len(self.design.scenario.initial_weight)
        wanted = kept(self.design)
        per_run = 2 * wanted.bytes_per_run(weights) + 8 * len(self.design.axes)
        runs = self.design.runs
        return Forecast(runs, self.design.losses, runs * per_run, seconds, engine, why, self.jobs)

    def _chosen(self) -> tuple[Engine, float, str]:
        if self.engine == "fast":
            self._need_fast()
            return "fast", self._seconds("fast"), "as it was begun" if self.begun else "as asked"
        seconds = self._seconds("numpy")
        spread = seconds / self.jobs if seconds > _SHORT else seconds
        if self.engine == "numpy":
            return "numpy", spread, "as it was begun" if self.begun else "as asked"
        if seconds <= _SHORT:
            return "numpy", seconds, "it is soon done"
        if find_spec("numba") is None:
            return "numpy", spread, "pip install 'gdsim[fast]' makes sweeps many times as fast"
        lacking = self._fast_lacks()
        if lacking:
            return "numpy", spread, f"the fast engine does not do this: {lacking}"
        fast = self._seconds("fast")
        if fast <= spread:
            return "fast", fast, f"measured: {spread / fast:.3g} times as fast as the numpy engine"
        return "numpy", spread, f"measured: {fast / spread:.3g} times as fast as the fast engine"

    def _need_fast(self) -> None:
        if find_spec("numba") is None:
            message = "the fast engine needs the package numba, which is not installed"
            raise InputError(Fault(message, "pip install 'gdsim[fast]', or --engine numpy", path="--engine"))
        if lacking := self._fast_lacks():
            raise InputError(
                Fault(f"the fast engine does not do this: {lacking}", "--engine numpy", path="--engine")
            )

    def _fast_lacks(self) -> str:
        """Why the fast engine cannot do some batch of the sweep, or nothing."""
        from gdsim.kernels.fast_lanes import supports
        from gdsim.kernels.plan import Plan as BatchPlan

        reasons = (supports(BatchPlan(batch)) for _, batch, _ in self.design.categories)
        return next((reason for reason in reasons if reason), "")

    def _seconds(self, engine: Engine) -> float:
        """Measure two samples of the runs, spread over all of them, and reckon from their difference."""
        self.worker.engine = engine
        runs = self.design.runs
        times = []
        counts = [min(count, runs) for count in _SAMPLES]
        for count in (counts[0], *counts):  # the first finds critical points and compiles
            chosen = np.linspace(0, runs - 1, count).astype(np.int64)
            start = time.perf_counter()
            self.worker.compute(chosen)
            times.append(time.perf_counter() - start)
        _, few, many = times
        if counts[1] == runs:
            return max(many, few)
        return max(many, many + (many - few) / (counts[1] - counts[0]) * (runs - counts[1]))

    def plan(self, forecast: Forecast) -> Plan:
        """Cut the runs into chunks that take about a second and a half each, on a cluster ten."""
        least, most = _CHUNK_RUNS
        piece = _PIECE
        if self.address not in (None, LOCAL):
            piece, most = _PIECE_THERE, _CHUNK_RUNS_THERE
        fitting = forecast.runs * piece / max(forecast.seconds, 1e-9)
        if forecast.engine == "numpy" and forecast.jobs > 1:
            fitting = min(fitting, forecast.runs / (2 * forecast.jobs))
        chunk = least
        while chunk * 2 <= min(fitting, most):
            chunk *= 2
        return Plan(self.design, forecast.engine, chunk, versions(forecast.engine))

    def carry_out(
        self, plan: Plan, forecast: Forecast, progress: Callable[[int], None] = lambda runs: None,
        warn: Callable[[str], None] = lambda text: None,
    ) -> Store:  # fmt: skip
        """Compute every chunk that is missing, and return the complete store.

        Interrupted or killed, the same call goes on from the chunks that are there.

        Parameters
        ----------
        plan, forecast
            Of this sweep.
        progress
            Told how many runs have been done since it was last told.
        warn
            Told what a user should know: damaged files, other versions.
        """
        self.worker.engine = forecast.engine
        with opened(self.directory, plan) as store:
            before = stored_plan(self.directory, self.design)
            if before is not None and dict(before.versions) != dict(plan.versions):
                then, now = _listed(before.versions), _listed(plan.versions)
                warn(f"it was begun with {then}; now it goes on with {now}")
            with assembled(store) as results:
                missing, damaged = store.missing(results.add)
                for file in damaged:
                    warn(f"{file} is damaged; its runs are computed again")
                progress(self.design.runs - sum(len(store.plan.runs_of(chunk)) for chunk in missing))

                def write(chunk: int, columns: dict[str, Column]) -> None:
                    store.write(chunk, columns)
                    results.add(chunk, columns)

                executor = partial(self.computed, forecast, warn)
                _compute_all(store, missing, executor, write, progress)
            _free_rooms()
            store.forget_earlier()
        return store

    def computed(
        self, forecast: Forecast, warn: Callable[[str], None], pieces: Iterator[tuple[int, Integers]]
    ) -> Computed:
        """Compute pieces, the numbers of chunks and their runs, here, in processes, threads or a cluster."""
        if self.address is not None:
            from gdsim.sweeps.cluster import on_a_cluster

            return on_a_cluster(self.worker, self.address, self.asked, pieces, warn)
        if forecast.engine == "numpy" and forecast.jobs > 1 and forecast.seconds > _SHORT:
            return in_processes(self.worker, forecast.jobs, pieces)
        if forecast.engine == "fast" and forecast.jobs > 1:
            return in_threads(self.worker, forecast.jobs, pieces)
        return in_this_process(self.worker, pieces)


def complete(
    scenario: Scenario, engine: Choice = "auto", out: str | Path | None = None, jobs: int | None = None,
    address: str | None = None,
) -> SweepResult:  # fmt: skip
    """Carry a sweep out, stored below a folder or in memory, and return its result.

    Parameters
    ----------
    scenario
        With its axes.
    engine
        The loop.
    out
        The folder; None: nothing is written.
    jobs
        Threads, or processes of the numpy engine; None: a thread for each core, no other process.
    address
        Of a Dask scheduler, or ``local``; None: no cluster.

    Raises
    ------
    InputError
        For an unknown engine, for no jobs, and as :class:`Sweep` does.
    """
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1):
        raise InputError(Fault(f"{jobs!r} is no number of jobs", "a whole number ≥ 1", path="jobs"))
    made = Sweep(scenario, Path(out or "."), engine, jobs, address, stored=out is not None)
    forecast = made.forecast()
    if forecast.engine == "numpy" and jobs is None and address is None:  # processes start the program again
        forecast = forecast._replace(jobs=1)
    plan = made.plan(forecast)
    if out is not None:
        return finish(made.carry_out(plan, forecast, warn=_warned), made.worker)
    made.worker.engine = forecast.engine
    pieces = ((chunk, plan.runs_of(chunk)) for chunk in range(plan.chunks))
    with closing(made.computed(forecast, _warned, pieces)) as computed:
        parts = [part for _, part in sorted(computed, key=itemgetter(0))]
    _free_rooms()
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns = {name: whole.pop(name) for name in kept(made.design).columns}
    return result_of(made.design, columns, whole, made.worker.common_points(), forecast.engine)


def _warned(text: str) -> None:
    warnings.warn(text, stacklevel=2)


def _free_rooms() -> None:
    """Give back what the fast engine keeps from piece to piece, where it ran in this process."""
    if (lanes := sys.modules.get("gdsim.kernels.fast_lanes")) is not None:
        lanes.free_rooms()


def _compute_all(
    store: Store, missing: list[int], executor: Callable[[Iterator[tuple[int, Integers]]], Computed],
    write: Callable[[int, dict[str, Column]], None], progress: Callable[[int], None],
) -> None:  # fmt: skip
    """Compute chunks and write them in a thread beside, one behind."""
    known: dict[int, tuple[dict[str, Column], NDArray[np.bool_]]] = {}

    def pieces() -> Iterator[tuple[int, Integers]]:
        for chunk in missing:
            run = store.plan.runs_of(chunk)
            known[chunk] = store.known(run)
            todo = run[~known[chunk][1]]
            if todo.size:
                yield chunk, todo
            else:
                finish(chunk, {})

    def finish(chunk: int, columns: dict[str, Column]) -> None:
        found, done = known.pop(chunk)
        written.append(writer.submit(write, chunk, _joined(found, done, columns)))
        while len(written) > 1:
            written.pop(0).result()
        progress(done.size)

    written: list[Future[None]] = []
    with ThreadPoolExecutor(1) as writer:
        with closing(executor(pieces())) as computed:
            for chunk, columns in computed:
                finish(chunk, columns)
        for future in written:
            future.result()


def _joined(
    found: dict[str, Column], done: NDArray[np.bool_], columns: dict[str, Column]
) -> dict[str, Column]:
    """Put rows that were known and rows that were computed into one chunk."""
    if not done.any():
        return columns
    for name, column in columns.items():
        found[name][~done] = column
    return found


def _cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _listed(packages: object) -> str:
    return ", ".join(f"{name} {version}" for name, version in dict(packages).items())  # type: ignore[call-overload]
