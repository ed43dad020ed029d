"""A finished sweep read back from its folder."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from gdsim.outcomes import Fault, InputError
from gdsim.scenario import load as read
from gdsim.sweeps.assembly import RESULTS, TRAJECTORIES
from gdsim.sweeps.design import Design
from gdsim.sweeps.result import SweepResult
from gdsim.sweeps.results import StoredColumns, result_of
from gdsim.sweeps.store import is_done, stored_plan
from gdsim.sweeps.work import Worker


def load(directory: Path) -> SweepResult:
    """Return the result of a finished sweep; its columns are read when they are first asked for.

    Cost: that of finding the critical points, no run.

    Raises
    ------
    InputError
        Where there is no sweep, or one that was not finished.
    """
    scenario_file = directory / "scenario.yaml"
    again = Fault(f"{directory} holds no finished sweep", "a folder that gdsim sweep has finished")
    if not scenario_file.is_file() or not (directory / RESULTS).is_file():
        raise InputError(again)
    design = Design.of(read(scenario_file))
    plan = stored_plan(directory, design)
    if plan is None or not is_done(directory, design):
        raise InputError(again)
    columns, trajectories = (_columns(directory / name) for name in (RESULTS, TRAJECTORIES))
    return result_of(design, columns, trajectories, Worker(design).common_points(), plan.engine, directory)


def _columns(file: Path) -> StoredColumns:
    """Return the columns that a file holds; none where there is no file."""
    if not file.is_file():
        return StoredColumns(file, ())
    try:
        with ZipFile(file) as archive:
            return StoredColumns(file, [name.removesuffix(".npy") for name in archive.namelist()])
    except BadZipFile:
        expected = "run the sweep again: it makes this file anew from its chunks"
        raise InputError(Fault("this is not a file of results", expected, file=str(file))) from None
