"""What a finished sweep leaves beside its chunks: columns for other programs, a table, a summary."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from gdsim.outcomes import CriticalPoint, Fault, InputError
from gdsim.runs.run import jsonable
from gdsim.runs.store import data_name, data_table, environment
from gdsim.scenario import dump
from gdsim.sweeps.assembly import RESULTS, TRAJECTORIES, columns_of
from gdsim.sweeps.columns import Damaged, read_columns, whole_file
from gdsim.sweeps.design import Design
from gdsim.sweeps.result import KINDS, STATUSES, AxisValues, Column, SweepResult
from gdsim.sweeps.store import Store
from gdsim.sweeps.work import Worker, kept

TABLE, PARQUET, SUMMARY = "results.csv", "results.parquet", "sweep.json"
MOST_ROWS = 100_000  # of results.csv


class StoredColumns(Mapping[str, Column]):
    """The columns of a file, each read when it is first asked for."""

    def __init__(self, file: Path, names: Iterable[str]) -> None:
        self.file, self.names = file, tuple(names)
        self._read: dict[str, Column] = {}

    def __getitem__(self, name: str) -> Column:
        """Return a column. Raises KeyError, and InputError where the file was damaged."""
        if name not in self.names:
            raise KeyError(name)
        if name not in self._read:
            try:
                self._read.update(read_columns(self.file, [name]))
            except Damaged as error:
                expected = "run the sweep again: it makes this file anew from its chunks"
                raise InputError(Fault(str(error), expected, file=str(self.file))) from None
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self.names)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.names)


def finish(store: Store, worker: Worker) -> SweepResult:
    """Return the result of a complete sweep, whose columns are in their files.

    Writes ``results.csv`` where there are at most 100,000 runs, ``scenario.yaml``, a copy of the data, and
    ``environment.json``.
    """
    directory = store.directory
    scenario = store.plan.design.scenario
    names = columns_of(store)
    columns = StoredColumns(directory / RESULTS, names[RESULTS])
    trajectories = StoredColumns(directory / TRAJECTORIES, names.get(TRAJECTORIES, ()))
    result = result_of(
        store.plan.design, columns, trajectories, worker.common_points(), store.plan.engine, directory
    )
    if result.runs <= MOST_ROWS:
        _write_text(directory / TABLE, table(result))
    copy = None
    if scenario.data is not None and scenario.data.file is not None:
        copy = data_name(scenario.data.file)
        _write_text(directory / copy, data_table(scenario.data.given))
    _write_text(directory / "scenario.yaml", dump(scenario, data_file=copy))
    _write_text(directory / "environment.json", json.dumps(environment(), indent=2) + "\n")
    return result


def write_summary(directory: Path, summary: Mapping[str, Any]) -> None:
    """Write ``sweep.json``."""
    text = json.dumps(jsonable(summary), indent=2, ensure_ascii=False, allow_nan=False)
    _write_text(directory / SUMMARY, text + "\n")


def result_of(
    design: Design, columns: Mapping[str, Column], trajectories: Mapping[str, Column],
    points: tuple[CriticalPoint, ...], engine: str, directory: Path | None = None,
) -> SweepResult:  # fmt: skip
    """Return the result that columns, and tails and trajectories, make."""
    records = None
    if "record_weight" in trajectories:
        weight = trajectories["record_weight"]
        every = kept(design).every
        records = {
            "step": np.arange(weight.shape[1]) * every, "weight": weight.transpose(1, 2, 0),
            "loss": trajectories["record_loss"].T,
        }  # fmt: skip
    return SweepResult(
        scenario=design.scenario,
        method=design.method,
        axes=axis_values(design),
        columns=columns,
        critical_points=points,
        tail=trajectories.get("tail"),
        records=records,
        losses=design.losses,
        engine=engine,
        directory=directory,
    )


def axis_values(design: Design) -> tuple[AxisValues, ...]:
    """Return the axes as pictures need them; of a random sweep the values of its runs."""
    made = []
    for place, axis in enumerate(design.axes):
        values: Any = axis.values
        if design.method == "random":
            values = design.values(place, np.arange(design.runs))
        made.append(AxisValues(axis.path, values, axis.distribution == "log_uniform" or _even_in_log(values)))
    return tuple(made)


def _even_in_log(values: Any) -> bool:
    """Whether values stated one by one are spread evenly in the logarithm, over a decade at least."""
    if len(values) < 3 or isinstance(values[0], str) or not all(value > 0 for value in values):
        return False
    steps = np.diff(np.log(np.asarray(values, dtype=np.float64)))
    return bool(abs(steps.sum()) >= np.log(10.0) and np.ptp(steps) <= 0.01 * abs(steps).max())


def need_parquet() -> None:
    """Raise InputError where Parquet files cannot be written."""
    if find_spec("pyarrow") is None:
        message = "Parquet files need the package pyarrow, which is not installed"
        raise InputError(Fault(message, "pip install 'gdsim[parquet]'", path="--parquet"))


def write_parquet(store: Store) -> Path:
    """Write ``results.parquet``: the columns of the table, statuses and verdicts in words, a chunk at a time.

    Raises
    ------
    InputError
        Where pyarrow is not installed.
    """
    need_parquet()
    import pyarrow as arrow
    from pyarrow import parquet

    design, target = store.plan.design, store.directory / PARQUET
    words = {"status": [str(status) for status in STATUSES], "verdict": list(KINDS)}
    with whole_file(target) as file:
        writer: Any = None
        for chunk in range(store.plan.chunks):
            run = store.plan.runs_of(chunk)
            columns: dict[str, Any] = {
                axis.path: design.values(place, run) for place, axis in enumerate(design.axes)
            }
            columns |= store.read(chunk, [*kept(design).columns])
            for name, known in words.items():
                columns[name] = arrow.DictionaryArray.from_arrays(columns[name], known)
            rows = arrow.table(columns)
            writer = writer or parquet.ParquetWriter(file, rows.schema)
            writer.write_table(rows)
        writer.close()
    return target


def table(result: SweepResult) -> str:
    """Return the results as CSV: a row a run, the axes first, statuses and verdicts in words.

    Floats round-trip.
    """
    words: dict[str, Callable[[Any], str]] = {
        "status": lambda code: STATUSES[code], "verdict": lambda code: KINDS[code],
    }  # fmt: skip
    names = [*result.columns]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    rows = [map(words.get(name, _cell), result.columns[name].tolist()) for name in names]
    writer.writerows(zip(*rows, strict=True))
    return text.getvalue()


def _cell(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _write_text(target: Path, text: str) -> None:
    with whole_file(target) as file:
        file.write(text.encode())
