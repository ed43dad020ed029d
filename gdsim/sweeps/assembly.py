"""Files of columns that come in parts, in any order: every part goes to its place as soon as it is there.

Such a file has the bytes that :func:`gdsim.sweeps.columns.write_parts` makes of the whole columns. Where each
column begins is known before the first part is; the checksums of the parts make that of the column.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import IO, Any

import numpy as np

from gdsim.batch import TAIL
from gdsim.sweeps.columns import Shape, directory, member, npy_head, whole_file
from gdsim.sweeps.result import Column
from gdsim.sweeps.store import Store
from gdsim.sweeps.work import kept

RESULTS, TRAJECTORIES = "results.npz", "trajectories.npz"
_POLYNOMIAL = 0xEDB88320  # of CRC-32, the highest power in the lowest bit


class Assembly:
    """One file in the making.

    Parameters
    ----------
    file
        Open for writing, with nothing in it.
    columns
        By name the type and the whole shape of each column.
    """

    def __init__(self, file: IO[bytes], columns: Mapping[str, tuple[np.dtype[Any], Shape]]) -> None:
        self.file = file
        self.columns = {}
        at = 0
        for name, (dtype, shape) in columns.items():
            head = npy_head(dtype, shape)
            size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
            first = at + len(member(name).FileHeader(zip64=True)) + len(head)
            self.columns[name] = _Column(at, head, first, dtype, shape, size)
            at = first + size
        self.end = at

    def put(self, name: str, first: int, part: Column) -> None:
        """Put rows of a column to their place.

        Parameters
        ----------
        name
            Of the column.
        first
            The first row.
        part
            The rows; none of them is put twice.
        """
        column = self.columns[name]
        content = np.ascontiguousarray(part, dtype=column.dtype).data.cast("B") if part.size else b""
        start = first * column.dtype.itemsize * int(np.prod(column.shape[1:], dtype=np.int64))
        self.file.seek(column.first + start)
        self.file.write(content)
        column.parts[start] = (zlib.crc32(content), len(content))

    def close(self) -> None:
        """Write what stands between the columns and behind them. Every row must have been put."""
        entries = []
        for name, column in self.columns.items():
            known = member(name)
            known.header_offset, known.CRC = column.at, column.checksum()
            known.file_size = known.compress_size = len(column.head) + column.size
            self.file.seek(column.at)
            self.file.write(known.FileHeader(zip64=True) + column.head)
            entries.append(known)
        self.file.seek(self.end)
        self.file.write(directory(entries, self.end))


class _Column:
    """Where a column stands in a file, and the checksums of its parts by place."""

    def __init__(
        self, at: int, head: bytes, first: int, dtype: np.dtype[Any], shape: Shape, size: int
    ) -> None:
        self.at, self.head, self.first, self.dtype, self.shape, self.size = (
            at,
            head,
            first,
            dtype,
            shape,
            size,
        )
        self.parts: dict[int, tuple[int, int]] = {}

    def checksum(self) -> int:
        """The CRC-32 of head and parts one after the other."""
        result = zlib.crc32(self.head)
        for _, (other, length) in sorted(self.parts.items()):
            result = joined_checksum(result, other, length)
        return result


def joined_checksum(first: int, second: int, length: int) -> int:
    """Return the CRC-32 of two texts in a row from theirs, and from the number of bytes of the second.

    Source: M. Adler, zlib, ``crc32_combine``: text followed by n zero bytes has the checksum of the text
    times x to the 8n, modulo CRC-32's polynomial.

    >>> joined_checksum(zlib.crc32(b"one, "), zlib.crc32(b"two"), 3) == zlib.crc32(b"one, two")
    True
    """
    return _times(_power(8 * length), first) ^ second


def _times(a: int, b: int) -> int:
    """The product of two polynomials modulo CRC-32's, the highest power in the lowest bit."""
    result, bit = 0, 1 << 31
    while bit:
        if a & bit:
            result ^= b
        b = (b >> 1) ^ (_POLYNOMIAL if b & 1 else 0)
        bit >>= 1
    return result


@lru_cache(maxsize=64)
def _power(exponent: int) -> int:
    """X to a power, modulo CRC-32's polynomial."""
    result, square = 1 << 31, 1 << 30
    while exponent:
        if exponent & 1:
            result = _times(square, result)
        square = _times(square, square)
        exponent >>= 1
    return result


class Results:
    """The columns of a sweep for other programs, in the making.

    ``results.npz`` holds every column, the axes first; ``trajectories.npz`` tails and whole trajectories,
    where they are kept, so that every column of the first has one number a run.
    """

    def __init__(self, store: Store, files: Mapping[str, IO[bytes]]) -> None:
        self.store = store
        columns = columns_of(store)
        self.made = {name: Assembly(file, columns[name]) for name, file in files.items()}

    def add(self, chunk: int, columns: Mapping[str, Column]) -> None:
        """Put a chunk to its place."""
        plan = self.store.plan
        run = plan.runs_of(chunk)
        first = chunk * plan.chunk_runs
        axes = {axis.path: place for place, axis in enumerate(plan.design.axes)}
        for made in self.made.values():
            for name in made.columns:
                part = columns[name] if name in columns else plan.design.values(axes[name], run)
                made.put(name, first, part)


@contextmanager
def assembled(store: Store) -> Iterator[Results]:
    """Make the files of a sweep's columns; they stand in their places at the end, whole, or not at all."""
    with ExitStack() as stack:
        files = {name: stack.enter_context(whole_file(store.directory / name)) for name in columns_of(store)}
        results = Results(store, files)
        yield results
        for made in results.made.values():
            made.close()


def columns_of(store: Store) -> dict[str, dict[str, tuple[np.dtype[Any], Shape]]]:
    """Return the columns of each file, with type and shape."""
    design, wanted = store.plan.design, kept(store.plan.design)
    runs, weights = design.runs, len(design.scenario.initial_weight)
    flat: dict[str, tuple[np.dtype[Any], Shape]] = {}
    for place, axis in enumerate(design.axes):
        flat[axis.path] = (design.values(place, np.zeros(1, dtype=np.int64)).dtype, (runs,))
    flat |= {name: (dtype, (runs,)) for name, dtype in wanted.columns.items()}
    number = np.dtype(np.float64)
    deep: dict[str, tuple[np.dtype[Any], Shape]] = {}
    if wanted.tail:
        deep["tail"] = (number, (runs, TAIL, weights))
    if wanted.records:
        deep["record_weight"] = (number, (runs, wanted.records, weights))
        deep["record_loss"] = (number, (runs, wanted.records))
    return {RESULTS: flat, **({TRAJECTORIES: deep} if deep else {})}
