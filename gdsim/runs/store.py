"""Run directories: written whole or not at all, found again, compared, tidied up."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gdsim.outcomes import Fault, InputError
from gdsim.runs.execute import execute
from gdsim.runs.run import Run, jsonable
from gdsim.scenario import Scenario, dump, load
from gdsim.scenario.write import as_data

_TEMPORARY, _MOVED = ".gdsim-writing-", ".gdsim-replaced-"
_PACKAGES = ("gdsim", "numpy", "scipy", "matplotlib", "click", "pyyaml", "torch")


def digest(scenario: Scenario) -> str:
    """Return eight hexadecimal digits of the resolved scenario and its data.

    >>> from gdsim.scenario import load
    >>> digest(load("parabola")) == digest(load("parabola", overrides=["learning_rate=0.2"]))
    True
    """
    columns = scenario.data.columns if scenario.data is not None else {}
    content = {"scenario": as_data(scenario, "data.csv"), "data": {name: list(map(repr, column)) for name, column in columns.items()}}
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]


def directory_name(scenario: Scenario) -> str:
    """Return the name of the scenario's run directory."""
    return f"{scenario.name}-{digest(scenario)}"


def save(run: Run, parent: Path, figures: Mapping[str, bytes] | None = None) -> Path:
    """Write a run directory below ``parent``, whole or not at all, and return it.

    The files are written to a sibling folder that is then put in place in one step; an older directory of
    the same name is moved aside first, restored on failure, and removed at the end.

    Raises
    ------
    OSError
        Where the disk refuses; nothing is left behind.
    """
    if run.scenario is None:
        raise InputError(Fault("this run has a Python function as its loss and cannot be written as a scenario"))
    target = parent / directory_name(run.scenario)
    parent.mkdir(parents=True, exist_ok=True)
    temporary = parent / f"{_TEMPORARY}{target.name}-{os.getpid()}"
    moved = parent / f"{_MOVED}{target.name}-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        _write(run, temporary, figures or {})
        if target.exists():
            target.rename(moved)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        if moved.exists() and not target.exists():
            moved.rename(target)
        raise
    shutil.rmtree(moved, ignore_errors=True)
    return target


def _write(run: Run, folder: Path, figures: Mapping[str, bytes]) -> None:
    assert run.scenario is not None
    folder.mkdir()
    data = run.scenario.data
    data_name = None
    if data is not None and data.file is not None:
        data_name = Path(data.file).name
        (folder / data_name).write_text(_table(data.given), encoding="utf-8", newline="")
    texts = {
        "scenario.yaml": dump(run.scenario, data_file=data_name),
        "trajectory.csv": trajectory_csv(run),
        "summary.json": json.dumps(jsonable(run.summary()), indent=2, ensure_ascii=False, allow_nan=False) + "\n",
        "environment.json": json.dumps(environment(), indent=2) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    if figures:
        (folder / "figures").mkdir()
    for name, content in figures.items():
        (folder / "figures" / name).write_bytes(content)


def _table(columns: Mapping[str, tuple[float, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([repr(value) for value in row] for row in zip(*columns.values(), strict=True))
    return text.getvalue()


def trajectory_csv(run: Run) -> str:
    """Return the log: one row for each record, floats that round-trip, direction and flags.

    ``direction`` is the way against the gradient, left, right or stay; with several weights
    ``x:left;y:right``. A flag stands on the row of arrival.
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
        strict=True,
    )
    flags = run.flags
    for step, weight, loss, gradient, rate in rows:
        numbers = [*map(repr, weight), repr(loss), *map(repr, gradient), repr(rate)]
        writer.writerow([step, *numbers, directions(weights, gradient), "; ".join(flags.get(step, ()))])
    return text.getvalue()


def directions(weights: tuple[str, ...], gradient: list[float]) -> str:
    """Return which way lowers the loss: against the sign of the gradient.

    >>> directions(("w",), [3.0]), directions(("x", "y"), [-1.0, 0.0])
    ('left', 'x:right;y:stay')
    """
    words = ["left" if value > 0 else "right" if value < 0 else "stay" for value in gradient]
    if len(weights) == 1:
        return words[0]
    return ";".join(f"{name}:{word}" for name, word in zip(weights, words, strict=True))


def environment() -> dict[str, Any]:
    """Return when and where: the only place for time stamps and facts of the machine."""
    packages = {}
    for package in _PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = "not installed"
    return {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": packages,
    }


def run_directories(parent: Path) -> list[Path]:
    """Return the run directories below a folder, by name."""
    if not parent.is_dir():
        return []
    return sorted(
        entry for entry in parent.iterdir()
        if not entry.name.startswith(".") and (entry / "summary.json").is_file()
    )  # fmt: skip


def summary_of(directory: Path) -> dict[str, Any]:
    """Return the summary of a run directory. Raises InputError where there is none."""
    file = directory / "summary.json"
    try:
        result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(Fault(f"{directory} is not a run directory", "a folder with a summary.json")) from None
    except ValueError as error:
        raise InputError(Fault(f"not valid JSON: {error}", "a summary written by gdsim", file=str(file))) from None
    return result


def load_run(directory: Path) -> Run:
    """Run a directory's scenario again and make sure that it still gives the summary stored beside it.

    Raises
    ------
    InputError
        Where there is no run directory, or its scenario now gives another result.
    """
    stored = summary_of(directory)
    run = execute(load(directory / "scenario.yaml"))
    if jsonable(run.summary()) != stored:
        raise InputError(
            Fault(f"{directory} no longer gives the result it holds", "a run written by this version: run it again")
        )
    return run


def continued(directory: Path, steps: int) -> Run:
    """Return the run of a directory with more steps: the same bytes as one long run.

    Raises
    ------
    InputError
        Where the run had ended before its ``max_steps``.
    """
    run = load_run(directory)
    assert run.scenario is not None
    if run.status != "MAX_STEPS":
        raise InputError(
            Fault(f"{directory.name} ended by itself ({run.status}) and has nothing to continue", "a run with MAX_STEPS")
        )
    stopping = replace(run.scenario.stopping, max_steps=run.scenario.stopping.max_steps + steps)
    return execute(replace(run.scenario, stopping=stopping), start=run.trajectory)


def difference(first: Path, second: Path) -> dict[str, tuple[Any, Any]]:
    """Return what differs between two run directories, by dotted path of scenario and summary."""
    left, right = (_flattened(_content(directory)) for directory in (first, second))
    return {
        path: (left.get(path), right.get(path))
        for path in dict.fromkeys([*left, *right])
        if left.get(path) != right.get(path) and not _both_nan(left.get(path), right.get(path))
    }


def _content(directory: Path) -> dict[str, Any]:
    summary = summary_of(directory)
    return {"scenario": as_data(load(directory / "scenario.yaml")), "result": summary}


def _both_nan(a: Any, b: Any) -> bool:
    return isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b)


def _flattened(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        items = [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    else:
        return {path: value}
    return {key: item for name, child in items for key, item in _flattened(child, name).items()}


def leftovers(parent: Path) -> list[Path]:
    """Return what interrupted writing has left behind."""
    if not parent.is_dir():
        return []
    return sorted(
        entry for entry in parent.iterdir() if entry.name.startswith((_TEMPORARY, _MOVED))
    )


def remove(paths: list[Path]) -> None:
    """Remove folders."""
    for path in paths:
        shutil.rmtree(path)
