"""Columns in files that NumPy, pandas and polars open: uncompressed ``.npz``, whole or absent.

Such a file is a zip archive with a checksum (CRC-32) of every column, so that a damaged one is known when
it is read. Nothing in it tells the time: the same columns give the same bytes.
"""

from __future__ import annotations

import errno
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.lib import format as npy

from gdsim.sweeps.result import Column

Shape: TypeAlias = tuple[int, ...]

TEMPORARY = ".gdsim-writing-"  # how the names of files begin that are not whole yet
_VERSION = 45  # of the format, with sizes of 64 bits
_LARGEST, _ABOVE = (1 << 31) - 1, (1 << 32) - 1  # larger numbers stand elsewhere, and this in their place


class Damaged(Exception):
    """A file that is not what was written: cut off, altered, or of another sweep."""


@contextmanager
def whole_file(target: Path) -> Iterator[IO[bytes]]:
    """Write a file that stands in its place whole, or not at all, also after a power cut.

    Raises
    ------
    OSError
        Where the disk refuses; nothing is left behind, and an older file stays.
    """
    temporary = target.with_name(f"{TEMPORARY}{target.name}-{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


def write_columns(target: Path, columns: Mapping[str, Column]) -> None:
    """Write columns as one file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_columns(Path(folder, "some.npz"), {"w": np.array([1.0, 2.0])})
    ...     {name: values.tolist() for name, values in read_columns(Path(folder, "some.npz")).items()}
    {'w': [1.0, 2.0]}
    """
    with whole_file(target) as file:
        write_parts(file, {name: (column.dtype, column.shape, [column]) for name, column in columns.items()})


def write_parts(
    file: IO[bytes], columns: Mapping[str, tuple[np.dtype[Any], Shape, Iterable[Column]]]
) -> None:
    """Write columns that come in parts, one after the other, without holding more than a part in memory.

    Parameters
    ----------
    file
        Open for writing.
    columns
        By name the type, the shape and the parts, which together have this shape.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, (dtype, shape, parts) in columns.items():
            with archive.open(member(name), "w", force_zip64=True) as opened:
                opened.write(npy_head(dtype, shape))
                for part in parts:
                    opened.write(np.ascontiguousarray(part, dtype=dtype).data.cast("B") if part.size else b"")


def member(name: str) -> zipfile.ZipInfo:
    """Return the entry of a column in an archive, which tells no time."""
    entry = zipfile.ZipInfo(f"{name}.npy")
    entry.external_attr, entry.CRC = 0o600 << 16, 0
    return entry


def npy_head(dtype: np.dtype[Any], shape: Shape) -> bytes:
    """Return what stands before the numbers of a column."""
    head = io.BytesIO()
    described: Any = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_2_0(head, described)
    return head.getvalue()


def directory(entries: Iterable[zipfile.ZipInfo], at: int) -> bytes:
    """Return the end of an archive: the directory of its entries, stored as they are, and where it begins.

    Source: PKWARE, APPNOTE.TXT 6.3, 4.3.12 to 4.3.16.
    """
    lines = []
    for entry in entries:
        numbers = (entry.compress_size, entry.file_size, entry.header_offset)
        large = entry.file_size > _LARGEST, entry.file_size > _LARGEST, entry.header_offset > _LARGEST
        size, same_size, offset = (
            _ABOVE if far else number for number, far in zip(numbers, large, strict=True)
        )
        extra = [number for number, far in zip(numbers, large, strict=True) if far]
        more = struct.pack(f"<HH{len(extra)}Q", 1, 8 * len(extra), *extra) if extra else b""
        name = entry.filename.encode()
        flags = 0 if name.isascii() else 0x800
        date = (entry.date_time[0] - 1980) << 9 | entry.date_time[1] << 5 | entry.date_time[2]
        lines.append(
            struct.pack(
                "<4s4B4HL2L5H2L", b"PK\1\2", _VERSION, entry.create_system, _VERSION, 0, flags, 0, 0, date,
                entry.CRC, size, same_size, len(name), len(more), 0, 0, 0, entry.external_attr, offset,
            )
            + name
            + more
        )  # fmt: skip
    content = b"".join(lines)
    count, length = len(lines), len(content)
    if at > _LARGEST:
        content += struct.pack(
            "<4sQ2H2L4Q", b"PK\6\6", 44, _VERSION, _VERSION, 0, 0, count, count, length, at
        )
        content += struct.pack("<4sLQL", b"PK\6\7", 0, at + length, 1)
    start = min(at, _ABOVE)
    return content + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, start, 0)


def read_columns(file: Path, names: Iterable[str] | None = None) -> dict[str, Column]:
    """Read columns, all or some, and make sure of their checksums.

    Raises
    ------
    Damaged
        Where the file is not what was written.
    FileNotFoundError
        Where there is none.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            wanted = (
                [member.removesuffix(".npy") for member in archive.namelist()] if names is None else names
            )
            return {name: _array(archive.read(f"{name}.npy")) for name in wanted}
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise Damaged(f"{file}: a place outside of it is named in it") from None  # zipfile seeks before 0
    except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError, RuntimeError) as error:
        raise Damaged(f"{file}: {error}") from None


def _array(content: bytes) -> Column:
    """The array of an ``.npy`` member, as a view of its bytes."""
    head = io.BytesIO(content)
    version = npy.read_magic(head)
    read: Callable[..., tuple[tuple[int, ...], bool, np.dtype[Any]]] = (
        npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    )
    shape, _, dtype = read(head)
    return np.frombuffer(content, dtype=dtype, offset=head.tell()).reshape(shape)
