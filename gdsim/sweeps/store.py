"""The folder of a sweep: a manifest, chunk files, and what they add up to. Killed at any moment, it goes on.

Runs are computed in chunks. A chunk file is written whole, or not at all, and holds the checksums of its
columns and what it belongs to; so the files that are there and sound are the state of the sweep, and the
manifest, which says how the runs were cut into chunks, never changes. Where the axes have changed since, the
old chunks are moved aside and every run that they hold is taken from them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim.outcomes import Fault, InputError
from gdsim.scenario import Scenario
from gdsim.scenario.axes import Axis
from gdsim.scenario.write import as_data
from gdsim.sweeps.columns import TEMPORARY, Damaged, read_columns, whole_file, write_columns
from gdsim.sweeps.design import Design
from gdsim.sweeps.result import Column
from gdsim.sweeps.work import kept

Integers: TypeAlias = NDArray[np.int64]

FORMAT = 1
MANIFEST, CHUNKS, EARLIER, LOCK = "manifest.json", "chunks", "earlier", ".lock"
_MARK = "chunk"  # in every chunk file: which design it belongs to, and its number


class SweepFolder(NamedTuple):
    """A sweep's folder among others: where it is, and how far it came."""

    directory: Path
    name: str
    engine: str
    runs: int
    chunks: int
    done: int  # chunks


def sweep_folders(parent: Path) -> list[SweepFolder]:
    """Return the folders of sweeps below a folder, by name. Raises InputError for a manifest that is none."""
    if not parent.is_dir():
        return []
    found = []
    for directory in sorted(entry for entry in parent.iterdir() if not entry.name.startswith(".")):
        manifest = read_manifest(directory) if directory.is_dir() else None
        if manifest is not None:
            plan = _plan_of(manifest, None)
            done = len([*(directory / CHUNKS).glob("[0-9]*.npz")])
            name = str(manifest["scenario"]["name"])
            found.append(SweepFolder(directory, name, plan.engine, plan.design.runs, plan.chunks, done))
    return found


def sweep_digest(scenario: Scenario) -> str:
    """Return eight hexadecimal digits of a resolved scenario, its data, and the names of its axes.

    Values of axes do not count, so that an axis can grow in place.
    """
    columns = scenario.data.columns if scenario.data is not None else {}
    sweep = scenario.sweep or {}
    names = {**sweep, "runs": None, "parameters": [*sweep.get("parameters", {})]}  # type: ignore[misc]
    content = {"scenario": {**as_data(scenario, "data.csv"), "sweep": names}, "data": columns}
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]


def directory_of(scenario: Scenario, parent: Path) -> Path:
    """Return the folder of a scenario's sweep below a parent."""
    return parent / f"{scenario.name}-{sweep_digest(scenario)}"


@dataclass(frozen=True, eq=False)
class Plan:
    """How the runs of a design are cut into chunks, and what steps them: the manifest.

    Attributes
    ----------
    design
        The runs.
    engine
        The loop.
    chunk_runs
        The runs of every chunk but the last, which may have fewer.
    versions
        Of the packages that make the numbers.
    """

    design: Design
    engine: str
    chunk_runs: int
    versions: Mapping[str, str]

    @property
    def chunks(self) -> int:
        """The number of chunks."""
        return -(-self.design.runs // self.chunk_runs)

    def runs_of(self, chunk: int) -> Integers:
        """Return the numbers of a chunk's runs."""
        first = chunk * self.chunk_runs
        return np.arange(first, min(first + self.chunk_runs, self.design.runs))

    def as_data(self) -> dict[str, Any]:
        """Return the manifest."""
        return {
            "format": FORMAT,
            "kind": "sweep",
            "design": self.design.digest,
            "method": self.design.method,
            "runs": self.design.runs,
            "axes": [axis._asdict() for axis in self.design.axes],
            "engine": self.engine,
            "chunk_runs": self.chunk_runs,
            "columns": {name: str(dtype) for name, dtype in kept(self.design).columns.items()},
            "versions": dict(self.versions),
            "scenario": as_data(self.design.scenario, "data.csv"),
        }


@dataclass(frozen=True)
class Store:
    """The folder of one sweep, open for one process at a time."""

    directory: Path
    plan: Plan

    def file(self, chunk: int) -> Path:
        """Return the file of a chunk."""
        return _chunk_file(self.directory / CHUNKS, chunk)

    def missing(
        self, sound: Callable[[int, dict[str, Column]], None] = lambda chunk, columns: None
    ) -> tuple[list[int], list[Path]]:
        """Return the chunks that must be computed, and the files among them that were damaged.

        Every file is read, so that its checksums are known to hold; ``sound`` is called with each of those
        that do.
        """
        wanted, damaged = [], []
        for chunk in range(self.plan.chunks):
            try:
                sound(chunk, self.read(chunk))
            except FileNotFoundError:
                wanted.append(chunk)
            except Damaged:
                wanted.append(chunk)
                damaged.append(self.file(chunk))
        return wanted, damaged

    def write(self, chunk: int, columns: Mapping[str, Column]) -> None:
        """Write a chunk file. Raises OSError where the disk refuses; nothing is left behind."""
        mark = np.array(f"{self.plan.design.digest}/{self.plan.engine}/{chunk}")
        write_columns(self.file(chunk), {**columns, _MARK: mark})

    def read(self, chunk: int, names: list[str] | None = None) -> dict[str, Column]:
        """Read a chunk, all columns or some. Raises Damaged, and FileNotFoundError where there is none."""
        return _read_chunk(self.file(chunk), self.plan, chunk, names)

    @cached_property
    def earlier(self) -> tuple[Earlier, ...]:
        """What sweeps with other axes have left, the newest first."""
        folders = sorted((self.directory / EARLIER).glob("*"), reverse=True)
        found = (_earlier(folder, self.plan) for folder in folders)
        return tuple(one for one in found if one is not None)

    def known(self, run: Integers) -> tuple[dict[str, Column], NDArray[np.bool_]]:
        """Return the rows of runs that were computed before with other axes, and which runs these are."""
        found: dict[str, Column] = {}
        done = np.zeros(run.size, dtype=bool)
        for source in self.earlier:
            open_ = np.flatnonzero(~done)
            if open_.size:
                place, rows = source.rows(run[open_])
                for name, column in rows.items():
                    if name not in found:
                        found[name] = np.empty((run.size, *column.shape[1:]), dtype=column.dtype)
                    found[name][open_[place]] = column
                done[open_[place]] = True
        return found, done

    def forget_earlier(self) -> None:
        """Remove what sweeps with other axes have left: everything useful is in the chunks now."""
        shutil.rmtree(self.directory / EARLIER, ignore_errors=True)


@dataclass(frozen=True)
class Earlier:
    """The chunks of a sweep of the same scenario with other axes."""

    folder: Path
    plan: Plan  # of these chunks
    now: Plan

    def rows(self, run: Integers) -> tuple[Integers, dict[str, Column]]:
        """Return which of the runs are here, by place, and their rows."""
        old = self._numbers(run)
        place = np.flatnonzero(old >= 0)
        chunk = old[place] // self.plan.chunk_runs
        names = [*kept(self.now.design).columns, *(("tail",) if kept(self.now.design).tail else ())]
        if kept(self.now.design).records:
            names += ["record_weight", "record_loss"]
        parts: list[tuple[Integers, dict[str, Column]]] = []
        for number in np.unique(chunk).tolist():
            try:
                columns = _cached_chunk(_chunk_file(self.folder / CHUNKS, number), self.plan, number)
            except (Damaged, FileNotFoundError):
                continue
            if any(name not in columns for name in names):
                continue
            here = place[chunk == number]
            within = old[here] - number * self.plan.chunk_runs
            parts.append((here, {name: columns[name][within] for name in names}))
        if not parts:
            return place[:0], {}
        rows = {name: np.concatenate([part[name] for _, part in parts]) for name in names}
        return np.concatenate([here for here, _ in parts]), rows

    def _numbers(self, run: Integers) -> Integers:
        """The numbers that the runs had, −1 where they were not among them."""
        new, old = self.now.design, self.plan.design
        if new.method == "random":
            return np.where(run < old.runs, run, -1) if new.axes == old.axes else np.full(run.shape, -1)
        if new.method == "zip":
            known = {values: number for number, values in enumerate(_side_by_side(old))}
            mine = _side_by_side(new)
            return np.array([known.get(mine[number], -1) for number in run.tolist()], dtype=np.int64)
        result = np.zeros(run.shape, dtype=np.int64)
        found = np.ones(run.shape, dtype=bool)
        for place, (axis, before) in enumerate(zip(new.axes, old.axes, strict=True)):
            where = {value: number for number, value in enumerate(before.values)}
            table = np.array([where.get(value, -1) for value in axis.values], dtype=np.int64)
            number = table[new.index(place, run)]
            found &= number >= 0
            result = result * len(before.values) + number
        return np.where(found, result, -1)


def _side_by_side(design: Design) -> list[tuple[object, ...]]:
    return list(zip(*(axis.values for axis in design.axes), strict=True))


def _chunk_file(folder: Path, chunk: int) -> Path:
    return folder / f"{chunk:06d}.npz"


def _read_chunk(file: Path, plan: Plan, chunk: int, names: list[str] | None = None) -> dict[str, Column]:
    columns = read_columns(file, names if names is None else [*names, _MARK])
    mark = str(columns.pop(_MARK, ""))
    rows = len(plan.runs_of(chunk))
    if mark != f"{plan.design.digest}/{plan.engine}/{chunk}":
        raise Damaged(f"{file}: it belongs to another sweep")
    if any(len(column) != rows for column in columns.values()):
        raise Damaged(f"{file}: it does not hold {rows} runs")
    return columns


@lru_cache(maxsize=8)
def _cached_chunk(file: Path, plan: Plan, chunk: int) -> dict[str, Column]:
    return _read_chunk(file, plan, chunk)


def read_manifest(directory: Path) -> dict[str, Any] | None:
    """Return the manifest of a sweep's folder, None where there is none. Raises InputError."""
    file = directory / MANIFEST
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if found["format"] != FORMAT or found["kind"] != "sweep" or not found["scenario"]["name"]:
            raise ValueError
        _plan_of(found, None)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, LookupError):
        expected = "a manifest as gdsim sweep writes it; remove the folder to begin anew"
        raise InputError(Fault("this is no manifest of a sweep", expected, file=str(file))) from None
    return found


def _plan_of(manifest: Mapping[str, Any], design: Design | None) -> Plan:
    """The plan that a manifest states; with a design, one of the same scenario with the manifest's axes."""
    axes = tuple(
        Axis(axis["path"], tuple(axis["values"]), axis["distribution"], axis["low"], axis["high"])
        for axis in manifest["axes"]
    )
    scenario: Any = None if design is None else design.scenario
    stated = Design(scenario, manifest["method"], axes, int(manifest["runs"]))
    return Plan(stated, str(manifest["engine"]), int(manifest["chunk_runs"]), dict(manifest["versions"]))


def _earlier(folder: Path, now: Plan) -> Earlier | None:
    """Return what a folder of earlier chunks holds, None where it is of no use."""
    manifest = read_manifest(folder)
    if manifest is None:
        return None
    plan = _plan_of(manifest, now.design)
    paths = [[axis.path for axis in one.design.axes] for one in (plan, now)]
    alike = plan.engine == now.engine and plan.design.method == now.design.method and paths[0] == paths[1]
    return Earlier(folder, plan, now) if alike else None


def stored_plan(directory: Path, design: Design) -> Plan | None:
    """Return the plan under which a folder was begun, with its own axes; None for a new folder."""
    manifest = read_manifest(directory)
    return None if manifest is None else _plan_of(manifest, design)


def is_done(directory: Path, design: Design) -> bool:
    """Tell whether a folder has a file for every chunk of just this design, sound or not."""
    plan = stored_plan(directory, design)
    if plan is None or plan.design.digest != design.digest:
        return False
    return all(_chunk_file(directory / CHUNKS, chunk).exists() for chunk in range(plan.chunks))


@contextmanager
def opened(directory: Path, plan: Plan) -> Iterator[Store]:
    """Open the folder of a sweep for one process.

    A folder that was begun with other axes keeps its chunks aside until their runs are in the new ones.

    Raises
    ------
    InputError
        Where another process has it open, or a file stands in its place.
    """
    if directory.is_file():
        message = "a file stands where the sweep's folder belongs"
        raise InputError(Fault(message, "another place: --out", file=str(directory)))
    (directory / CHUNKS).mkdir(parents=True, exist_ok=True)
    with _locked(directory):
        before = stored_plan(directory, plan.design)
        if before is not None and before.design.digest != plan.design.digest:
            _put_aside(directory, before)
            before = None
        if before is None:
            _write_manifest(directory, plan)
        else:
            plan = replace(plan, chunk_runs=before.chunk_runs)
        (directory / CHUNKS).mkdir(exist_ok=True)
        for folder in (directory, directory / CHUNKS):
            for leftover in folder.glob(f"{TEMPORARY}*"):
                leftover.unlink()
        yield Store(directory, plan)


def _put_aside(directory: Path, before: Plan) -> None:
    """Move the chunks of other axes to a folder of their own, with their manifest.

    Their manifest is there before them and leaves its place after them: killed in between, all is found.
    """
    folders = directory / EARLIER
    folders.mkdir(exist_ok=True)
    target = folders / f"{len([*folders.iterdir()]):03d}-{before.design.digest}"
    known = [folder for folder in folders.iterdir() if folder.name.endswith(before.design.digest)]
    target = known[0] if known else target
    target.mkdir(exist_ok=True)
    with whole_file(target / MANIFEST) as file:
        file.write((directory / MANIFEST).read_bytes())
    if not (target / CHUNKS).exists():
        (directory / CHUNKS).rename(target / CHUNKS)
    (directory / MANIFEST).unlink()


def _write_manifest(directory: Path, plan: Plan) -> None:
    text = json.dumps(plan.as_data(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with whole_file(directory / MANIFEST) as file:
        file.write(text.encode())


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process however it ends."""
    try:
        import fcntl
    except ImportError:  # a system without it: two processes at once are the user's care
        yield
        return
    with (directory / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            message = "another process is running this sweep"
            raise InputError(
                Fault(message, "wait for it, or --out another folder", file=str(directory))
            ) from None
        yield
