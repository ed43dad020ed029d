"""Run directories: written whole or not at all, found again, compared, tidied up."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from gdsim.batch import Trajectory
from gdsim.outcomes import Fault, InputError, Status
from gdsim.runs.execution import execute
from gdsim.runs.run import Run, jsonable
from gdsim.scenario import Scenario, dump
from gdsim.scenario import load as read
from gdsim.scenario.write import as_data

_TEMPORARY, _MOVED = ".gdsim-writing-", ".gdsim-replaced-"
_OWN_FILES = (
    "scenario.yaml", "trajectory.csv", "summary.json", "environment.json", "figures",
    "manifest.json", "results.csv", "sweep.json",
)  # fmt: skip
_DATA_FILE = "data.csv"
_ATTEMPTS = 5
_PACKAGES = ("gdsim", "numpy", "scipy", "yaml", "matplotlib", "torch")


def digest(scenario: Scenario) -> str:
    """Return eight hexadecimal digits of the resolved scenario and its data.

    >>> from gdsim.scenario import load
    >>> digest(load("parabola")) == digest(load("parabola", overrides=["learning_rate=0.2"]))
    True
    """
    columns = scenario.data.columns if scenario.data is not None else {}
    content = {"scenario": as_data(scenario, _DATA_FILE), "data": columns}
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]


def directory_name(scenario: Scenario) -> str:
    """Return the name of the scenario's run directory."""
    return f"{scenario.name}-{digest(scenario)}"


def save(run: Run, parent: str | Path, figures: Mapping[str, bytes] | None = None) -> Path:
    """Write a run directory below ``parent``, whole or not at all, and return it.

    The files are written to a sibling folder that is then put in place in one step; an older directory of
    the same name is moved aside first, restored on failure, and removed at the end.

    Parameters
    ----------
    run
        The run, of a scenario.
    parent
        The folder below which the directory is written; made where it is missing.
    figures
        File name → bytes, for ``figures/``.

    Raises
    ------
    InputError
        For a run that has no scenario (its loss is a Python function), or a file of the directory's name.
    OSError
        Where the disk refuses; nothing is left behind.
    """
    if run.scenario is None:
        message = "this run has a Python function as its loss and cannot be written as a scenario"
        raise InputError(Fault(message, "a formula as the loss"))
    parent = Path(parent)
    target = parent / directory_name(run.scenario)
    parent.mkdir(parents=True, exist_ok=True)
    if target.is_file():
        message = "a file stands where the run directory belongs"
        raise InputError(Fault(message, "another place: --out", file=str(target)))
    temporary = parent / f"{_TEMPORARY}{target.name}-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        _write(run, temporary, figures or {})
        _put_in_place(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return target


def _put_in_place(temporary: Path, target: Path) -> None:
    """Rename a finished folder to its name; what stood there is moved aside, and back on failure."""
    moved = target.with_name(f"{_MOVED}{target.name}-{os.getpid()}")
    shutil.rmtree(moved, ignore_errors=True)
    for attempt in range(1, _ATTEMPTS + 1):  # another process may be writing the same run
        try:
            with suppress(FileNotFoundError):
                target.rename(moved)
            temporary.rename(target)
            break
        except BaseException as error:
            if moved.exists() and not target.exists():
                moved.rename(target)
            if not isinstance(error, OSError) or not target.exists() or attempt == _ATTEMPTS:
                raise
            shutil.rmtree(moved, ignore_errors=True)
    shutil.rmtree(moved, ignore_errors=True)


def _write(run: Run, folder: Path, figures: Mapping[str, bytes]) -> None:
    assert run.scenario is not None
    folder.mkdir()
    data = run.scenario.data
    texts: dict[str, str] = {}
    copy = None
    if data is not None and data.file is not None:
        copy = data_name(data.file)
        texts[copy] = data_table(data.given)
    texts |= {
        "scenario.yaml": dump(run.scenario, data_file=copy),
        "trajectory.csv": trajectory_csv(run),
        "summary.json": json.dumps(jsonable(run.summary()), indent=2, ensure_ascii=False, allow_nan=False)
        + "\n",
        "environment.json": json.dumps(environment(), indent=2) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    if figures:
        (folder / "figures").mkdir()
    for name, content in figures.items():
        (folder / "figures" / name).write_bytes(content)


def data_name(file: Path) -> str:
    """Return the name for the copy of a data file: its own, unless a run directory has such a file already.

    >>> data_name(Path("points.csv")), data_name(Path("elsewhere/Trajectory.csv"))
    ('points.csv', 'data.csv')
    """
    return _DATA_FILE if file.name.lower() in _OWN_FILES else file.name


def data_table(columns: Mapping[str, tuple[float, ...]]) -> str:
    """Return columns of data as CSV; floats round-trip."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([repr(value) for value in row] for row in zip(*columns.values(), strict=True))
    return text.getvalue()


def trajectory_csv(run: Run) -> str:
    """Return the log: one row for each record, floats that round-trip, direction and flags.

    ``direction`` is the way on which the next row lies, left, right or stay; with several weights
    ``x:left;y:right``. From the last row, and where rows are missing, it is the way against the gradient,
    or stay where the run came to rest. A flag stands on the row of arrival; several are parted by ``;``.
    """
    trajectory, weights = run.trajectory, run.loss.weights
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    gradients = [f"gradient_{name}" for name in weights]
    writer.writerow(["step", *weights, "loss", *gradients, "learning_rate", "direction", "flag"])
    rows = zip(
        trajectory.step_index.tolist(),
        trajectory.weight[:, :, 0].tolist(),
        trajectory.loss[:, 0].tolist(),
        trajectory.gradient[:, :, 0].tolist(),
        trajectory.learning_rate[:, 0].tolist(),
        _moves(trajectory),
        strict=True,
    )
    flags = run.flags
    for step, weight, loss, gradient, rate, move in rows:
        numbers = [*map(repr, weight), repr(loss), *map(repr, gradient), repr(rate)]
        writer.writerow([step, *numbers, directions(weights, move), "; ".join(flags.get(step, ()))])
    return text.getvalue()


def _moves(trajectory: Trajectory) -> list[list[float]]:
    """Return for each record and weight a number whose sign is the way on."""
    weight, gradient = trajectory.weight[:, :, 0], trajectory.gradient[:, :, 0]
    move = -gradient
    follows = np.flatnonzero(np.diff(trajectory.step_index) == 1)
    with np.errstate(invalid="ignore", over="ignore"):
        move[follows] = weight[follows + 1] - weight[follows]
    if trajectory.status[0] in (Status.CONVERGED, Status.STALLED):
        move[-1] = 0.0
    result: list[list[float]] = move.tolist()
    return result


def directions(weights: tuple[str, ...], move: list[float]) -> str:
    """Say which way a move goes.

    >>> directions(("w",), [-3.0]), directions(("x", "y"), [1.0, 0.0])
    ('left', 'x:right;y:stay')
    """
    words = ["right" if value > 0 else "left" if value < 0 else "stay" for value in move]
    if len(weights) == 1:
        return words[0]
    return ";".join(f"{name}:{word}" for name, word in zip(weights, words, strict=True))


def environment() -> dict[str, Any]:
    """Return when and where: the only place for time stamps and facts of the machine.

    Of the packages, those that the run has imported are named.
    """
    imported = {name: sys.modules[name] for name in _PACKAGES if name in sys.modules}
    return {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": {
            name: str(getattr(module, "__version__", "unknown")) for name, module in imported.items()
        },
    }


def run_directories(parent: Path) -> list[Path]:
    """Return the run directories below a folder, by name."""
    if not parent.is_dir():
        return []
    return sorted(
        entry
        for entry in parent.iterdir()
        if not entry.name.startswith(".") and (entry / "summary.json").is_file()
    )


def summary_of(directory: Path) -> dict[str, Any]:
    """Return the summary of a run directory. Raises InputError where there is none, or it is no summary."""
    file = directory / "summary.json"
    try:
        result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        texts = (result["name"], result["status"], result["verdict"]["kind"])
        if not all(isinstance(text, str) for text in texts) or not isinstance(result["steps"], int):
            raise TypeError
    except (FileNotFoundError, NotADirectoryError):
        expected = "a folder with a summary.json, as gdsim run writes it"
        raise InputError(Fault(f"{directory} is not a run directory", expected)) from None
    except (ValueError, TypeError, LookupError):
        raise InputError(
            Fault("this is not the summary of a run", "as gdsim run writes it", file=str(file))
        ) from None
    return result


def load(directory: str | Path) -> Run:
    """Load a run directory: run its scenario again, and make sure that it gives the summary stored with it.

    A run is a pure function of its scenario, so this is exact and brings back everything, also what is in
    no file (the state of the update rule). Cost: that of the run.

    Raises
    ------
    InputError
        Where there is no run directory, or its scenario now gives another result.
    """
    directory = Path(directory)
    stored = summary_of(directory)
    run = execute(read(directory / "scenario.yaml"))
    if jsonable(run.summary()) != stored:
        message = f"{directory} no longer gives the result that it holds"
        expected = f"a run written by this version and machine: gdsim run {directory / 'scenario.yaml'}"
        raise InputError(Fault(message, expected))
    return run


def continued(directory: str | Path, steps: int) -> Run:
    """Return the run of a directory with more steps: the same bytes as one long run.

    Raises
    ------
    InputError
        Where the run ended by itself, before its ``max_steps``.
    """
    run = load(directory)
    assert run.scenario is not None
    if run.status != Status.MAX_STEPS:
        message = f"{directory} ended by itself ({run.status}): there is nothing to continue"
        raise InputError(Fault(message, "a run that ended with MAX_STEPS"))
    stopping = replace(run.scenario.stopping, max_steps=run.scenario.stopping.max_steps + steps)
    return execute(replace(run.scenario, stopping=stopping), start=run.trajectory)


def difference(first: str | Path, second: str | Path) -> dict[str, tuple[Any, Any]]:
    """Return what differs between two run directories, by dotted path of scenario, data and result.

    None stands for what one of them lacks. Raises InputError where one is no run directory.
    """
    left, right = (dict(_flattened(_content(Path(directory)))) for directory in (first, second))
    parts = ("scenario", "data", "result")
    paths = sorted(dict.fromkeys([*left, *right]), key=lambda path: parts.index(path.partition(".")[0]))
    return {path: (left.get(path), right.get(path)) for path in paths if left.get(path) != right.get(path)}


def _content(directory: Path) -> dict[str, Any]:
    result = summary_of(directory)
    scenario = read(directory / "scenario.yaml")
    shape = {key: value for key, value in as_data(scenario, _DATA_FILE).items() if key != "data"}
    data = {name: list(column) for name, column in scenario.data.given.items()} if scenario.data else {}
    return {"scenario": shape, "data": data, "result": result}


def _flattened(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flattened(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flattened(item, f"{path}[{index}]")
    else:
        yield path, value


def leftovers(parent: Path) -> list[Path]:
    """Return what interrupted writing has left behind."""
    if not parent.is_dir():
        return []
    return sorted(entry for entry in parent.iterdir() if entry.name.startswith((_TEMPORARY, _MOVED)))


def restore(parent: Path) -> list[Path]:
    """Put back the runs that were moved aside for new ones which never came, and return them."""
    back: list[Path] = []
    for entry in leftovers(parent):
        target = parent / entry.name.removeprefix(_MOVED).rpartition("-")[0]
        if entry.name.startswith(_MOVED) and not target.exists():
            entry.rename(target)
            back.append(target)
    return back


def remove(paths: list[Path]) -> None:
    """Remove folders."""
    for path in paths:
        shutil.rmtree(path)
