"""Columns of data: from a CSV file beside the scenario, or from the scenario itself."""

from __future__ import annotations

import csv
import math
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from itertools import pairwise
from pathlib import Path

from gdsim.outcomes import Fault, InputError, nearest
from gdsim.scenario.document import Document, KeyPath, read_text
from gdsim.scenario.shapes import Check, Many, Number, show
from gdsim.scenario.specification import DataSpec

LARGEST_TABLE = 16 << 20  # bytes; some 150 MiB and ten seconds where all of it is numbers
MOST_COLUMNS = 1000
MOST_FAULTS = 20  # bad cells that are listed
_NUMBER = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?\Z", re.ASCII)
_COLUMN = Many(Number(), 1, None, "a list of numbers, at least one")


def read_data(check: Check, value: object, path: KeyPath) -> DataSpec | None:
    """Return the columns that a ``data:`` block gives, or None with the faults noted."""
    if not isinstance(value, dict) or not value:
        check.report(path, "this is no data", "{file: points.csv}, or columns {x: [1, 2], y: [3, 4]}")
        return None
    before = len(check.faults)
    standardise = _standardised(check, value.get("standardise"), (*path, "standardise"))
    file = None
    if isinstance(value.get("file"), str):
        for key in value:
            if key not in ("file", "standardise"):
                check.unknown_key((*path, key), ["file", "standardise"])
        file = _beside(check.document, value["file"], (*path, "file"))
        columns = _from_file(check, file, (*path, "file"))
    else:
        columns = _inline(check, {key: item for key, item in value.items() if key != "standardise"}, path)
    if len(check.faults) > before:
        return None
    return _finished(check, columns, file, standardise, path)


def _standardised(check: Check, value: object, path: KeyPath) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return tuple(dict.fromkeys(value))
    check.report(path, "standardise lists columns", "a list of column names such as [x]")
    return ()


def _finished(
    check: Check,
    columns: Mapping[str, tuple[float, ...]],
    file: Path | None,
    standardise: tuple[str, ...],
    path: KeyPath,
) -> DataSpec | None:
    before = len(check.faults)
    final = dict(columns)
    for index, name in enumerate(standardise):
        place = (*path, "standardise", index)
        if name not in columns:
            known = [*columns]
            check.report(
                place, f"there is no column {name!r}", f"one of {', '.join(known)}", nearest(name, known)
            )
        elif (scaled := standardised(columns[name])) is None:
            check.report(place, f"the column {name!r} is constant: it has no spread to divide by")
        else:
            final[name] = scaled
    return DataSpec(final, dict(columns), file, standardise) if len(check.faults) == before else None


def standardised(column: tuple[float, ...]) -> tuple[float, ...] | None:
    """Return (x − mean)/standard deviation, the deviation over all n values; None for a constant column.

    >>> standardised((1.0, 3.0))
    (-1.0, 1.0)
    """
    mean = math.fsum(column) / len(column)
    centred = [value - mean for value in column]
    # squares of very small or large numbers leave the range of doubles, those of their ratios do not
    largest = max(map(abs, centred)) or 1.0
    spread = largest * math.sqrt(math.fsum((value / largest) ** 2 for value in centred) / len(column))
    # a constant column may leave a spread of a few rounding errors
    if spread <= 4 * math.ulp(max(map(abs, column))):
        return None
    return tuple(value / spread for value in centred)


def _inline(check: Check, value: Mapping[str, object], path: KeyPath) -> dict[str, tuple[float, ...]]:
    columns: dict[str, tuple[float, ...]] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            check.faults.append(
                check.document.key_fault((*path, key), f"{key!r} stands as a key", "a column name")
            )
            continue
        numbers = check.read(_COLUMN, item, (*path, key))
        if numbers is not None:
            columns[key] = tuple(numbers)
    if not value:
        check.report(path, "there is no column", "columns such as {x: [1, 2], y: [3, 4]}")
    for (first, one), (second, other) in pairwise(columns.items()):
        if len(one) != len(other):
            message = f"the column {second!r} has {len(other)} rows, but {first!r} has {len(one)}"
            check.report((*path, second), message, "columns of one length")
    return columns


def _beside(document: Document, name: str, path: KeyPath) -> Path:
    """Resolve a data file relative to the file in which its name is written."""
    holder = document.file_of(path)
    return (Path(holder).parent if holder and not holder.startswith("-S") else Path()) / name


def _from_file(check: Check, file: Path, path: KeyPath) -> dict[str, tuple[float, ...]]:
    if not file.is_file():
        check.report(
            path, f"there is no file {str(file)!r}", "a CSV file with a header row, relative to the scenario"
        )
        return {}
    try:
        return read_csv(file)
    except InputError as error:
        check.faults.extend(error.faults)
        return {}


def read_csv(file: Path) -> dict[str, tuple[float, ...]]:
    """Read a CSV file: commas, one header row, numbers below it.

    Raises
    ------
    InputError
        With every bad cell (the first twenty) by line, row and column name.
    """
    name = str(file)
    text = read_text(file, name, LARGEST_TABLE)
    reader = csv.reader(StringIO(text, newline=None), strict=True)
    rows = ((reader.line_num, row) for row in reader if row)
    try:
        first = next(rows, None)
        if first is None:
            raise InputError(Fault("the file is empty", "a header row and rows of numbers", file=name))
        header = _header(name, *first)
        columns = _columns(name, header, rows)
    except csv.Error as error:
        raise InputError(Fault(f"this is not CSV: {error}", "", "", name, reader.line_num, 1)) from None
    if not columns[header[0]]:
        raise InputError(
            Fault("there are no rows below the header", "rows of numbers", "", name, first[0], 1)
        )
    return columns


def _header(name: str, line: int, row: list[str]) -> list[str]:
    if len(row) > MOST_COLUMNS:
        message = f"the table has {len(row)} columns"
        raise InputError(Fault(message, f"at most {MOST_COLUMNS}", "", name, line, _start(row, MOST_COLUMNS)))
    header = [cell.strip() for cell in row]
    faults: list[Fault] = []
    if len(header) == 1 and ";" in header[0]:
        faults.append(Fault("the columns are separated by semicolons", "commas", "", name, line, 1))
    elif all(_NUMBER.match(cell) for cell in header):
        faults.append(
            Fault(
                "the first row holds numbers", "a header row with the names of the columns", "", name, line, 1
            )
        )
    for index, cell in enumerate(header):
        if not cell:
            faults.append(
                Fault(f"column {index + 1} has no name", "a name", "", name, line, _start(row, index))
            )
        elif cell in header[:index]:
            faults.append(
                Fault(
                    f"the column {cell!r} stands twice", "different names", "", name, line, _start(row, index)
                )
            )
    if faults:
        raise InputError(*faults)
    return header


def _columns(
    name: str, header: list[str], rows: Iterable[tuple[int, list[str]]]
) -> dict[str, tuple[float, ...]]:
    """Return the numbers of the rows by column; a file that is wrong throughout is not read to its end."""
    columns = [array("d") for _ in header]
    faults: list[Fault] = []
    for number, (line, row) in enumerate(rows, 1):
        faults += _row_faults(name, header, number, line, row, columns)
        if len(faults) > MOST_FAULTS:
            more = "from here on more cells are wrong"
            faults[MOST_FAULTS:] = [Fault(more, file=name, line=faults[MOST_FAULTS].line)]
            break
    if faults:
        raise InputError(*faults)
    return {key: tuple(column) for key, column in zip(header, columns, strict=True)}


def _row_faults(
    name: str, header: list[str], number: int, line: int, row: list[str], columns: list[array[float]]
) -> Iterator[Fault]:
    """Add the numbers of a row to the columns; tell what is wrong with it."""
    if len(row) != len(header):
        message = f"row {number} has {len(row)} cell{'s' * (len(row) != 1)}"
        yield Fault(message, f"{len(header)}, as in the header", "", name, line, 1)
        return
    for index, cell in enumerate(row):
        text = cell.strip()
        value = float(text) if _NUMBER.match(text) else math.nan
        if not math.isfinite(value):
            what = f"{show(text)} is not a finite number" if text else "the cell is empty"
            message = f"row {number}, column {show(header[index])}: {what}"
            yield Fault(message, "a number", "", name, line, _start(row, index))
        columns[index].append(value)


def _start(row: list[str], index: int) -> int:
    """The column at which a cell begins, where no cell before it is quoted."""
    return sum(len(cell) + 1 for cell in row[:index]) + 1
