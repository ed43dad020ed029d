"""Frames as files: GIF by Pillow, MP4 and WebM by ffmpeg. The same frames give the same bytes."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import IO, TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from gdsim.outcomes import Fault, InputError
from gdsim.plots.output import Stamp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

FilmFormat = Literal["gif", "mp4", "webm"]
FILM_FORMATS: tuple[FilmFormat, ...] = ("gif", "mp4", "webm")

_CLEAR = 255  # the number of the colour of a GIF that lets the frame before shine through
_EXACT = 128  # colours that are taken as they are, the most frequent ones


class Reel(NamedTuple):
    """What an encoder has to know before the first frame.

    Attributes
    ----------
    size
        Width and height in pixels.
    fps
        Frames a second.
    stamp
        What the file says of itself.
    """

    size: tuple[int, int]
    fps: float
    stamp: Stamp


#: takes a frame ``(height, width, 4)`` and how many frames long it stands
Write = Callable[["Pixels", int], None]


@contextmanager
def gif(file: IO[bytes], reel: Reel, samples: Sequence[Pixels]) -> Iterator[Write]:
    """Write an animated GIF that is repeated for ever, all frames in one palette, without dithering.

    A frame holds what differs from the one before. Times are whole hundredths of a second, shared so that
    they add up. ``samples`` are frames from which the palette is made.
    """
    from PIL import GifImagePlugin, Image
    from scipy.spatial import KDTree

    width, height = reel.size
    palette = _palette(samples)
    nearest = KDTree(palette)
    comments = b"".join(map(_comment, (reel.stamp.line(), f"{reel.stamp.title}\n{reel.stamp.alt}")))
    file.write(b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\xf7\x00\x00")
    file.write(
        palette.tobytes() + palette[:1].tobytes() + b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00" + comments
    )
    shown = np.zeros((height, width), dtype=np.uint32)
    written = 0

    def write(frame: Pixels, count: int) -> None:
        nonlocal written
        after = written + count
        hundredths = round(100 * after / reel.fps) - round(100 * written / reel.fps)
        fresh = frame.view(np.uint32)[:, :, 0]
        differs = fresh != shown
        rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
        box = (
            (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
            if rows.size
            else (slice(1),) * 2
        )
        known, which = np.unique(fresh[box], return_inverse=True)
        numbers = nearest.query(_rgb(known))[1][which].reshape(differs[box].shape)
        image = Image.fromarray(np.where(differs[box], numbers, _CLEAR).astype(np.uint8))
        place = (int(box[1].start or 0), int(box[0].start or 0))
        file.writelines(
            GifImagePlugin.getdata(image, place, duration=10 * hundredths, transparency=_CLEAR, disposal=1)
        )
        shown[box] = fresh[box]
        written = after

    yield write
    file.write(b";")


def _palette(samples: Sequence[Pixels]) -> Pixels:
    """Return 255 colours ``(255, 3)``: the most frequent ones, and the rest by cutting their space in halves.

    Each colour counts once in the rest, so that a small mark keeps its own.
    """
    from PIL import Image

    pixels = np.concatenate([frame.view(np.uint32).ravel() for frame in samples])
    known, counts = np.unique(pixels, return_counts=True)
    colours = _rgb(known[np.argsort(-counts, kind="stable")])
    palette = np.tile(colours[:1], (_CLEAR, 1))
    palette[: len(colours[:_EXACT])] = colours[:_EXACT]
    rest = colours[_EXACT:]
    if rest.size:
        image = Image.fromarray(rest[None])
        halved = image.quantize(_CLEAR - _EXACT, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        found = np.array(halved.getpalette(), dtype=np.uint8).reshape(-1, 3)[: _CLEAR - _EXACT]
        palette[_EXACT : _EXACT + len(found)] = found
    return palette


def _rgb(pixels: NDArray[np.uint32]) -> Pixels:
    """Return red, green and blue ``(pixels, 3)`` of pixels of four bytes."""
    return np.ascontiguousarray(pixels.view(np.uint8).reshape(-1, 4)[:, :3])


def _comment(text: str) -> bytes:
    content = text.encode()
    pieces = [content[place : place + 255] for place in range(0, len(content), 255)]
    return b"!\xfe" + b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


#: what follows the frames on ffmpeg's command line; a fixed number of threads gives the same bytes everywhere
CODECS: dict[str, tuple[str, ...]] = {
    "mp4": ("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-threads", "4",
            "-pix_fmt", "yuv420p", "-movflags", "+faststart"),
    "webm": ("-c:v", "libvpx-vp9", "-crf", "24", "-b:v", "0", "-deadline", "realtime", "-cpu-used", "7",
             "-row-mt", "1", "-threads", "4", "-pix_fmt", "yuv420p"),
}  # fmt: skip
_SAME_BYTES = ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1")
#: the colours of HD screens, said and meant
_COLOURS = (
    "-vf", "scale=out_color_matrix=bt709:out_range=tv", "-colorspace", "bt709", "-color_primaries", "bt709",
    "-color_trc", "bt709", "-color_range", "tv",
)  # fmt: skip


@contextmanager
def video(file: IO[bytes], reel: Reel, format: FilmFormat) -> Iterator[Write]:
    """Write MP4 (H.264) or WebM (VP9) by ffmpeg, which gets the frames as they are.

    Raises
    ------
    InputError
        Where there is no ffmpeg.
    OSError
        Where ffmpeg fails, with its words.
    """
    width, height = reel.size
    stamp = reel.stamp
    described = {"title": stamp.title, "description": stamp.alt, "comment": stamp.line()}
    command = [
        ffmpeg(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgba",
        "-video_size", f"{width}x{height}", "-framerate", f"{reel.fps:g}", "-i", "-",
        *CODECS[format], *_COLOURS, *_SAME_BYTES, "-g", f"{max(1, round(2 * reel.fps))}",
        *chain.from_iterable(("-metadata", f"{key}={value}") for key, value in described.items()),
        "-f", format, file.name,
    ]  # fmt: skip
    with tempfile.TemporaryFile() as words:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=words, stderr=words, bufsize=0)
        assert child.stdin is not None
        pipe = child.stdin

        def write(frame: Pixels, count: int) -> None:
            for _ in range(count):
                rest = frame.data.cast("B")
                while rest:
                    rest = rest[pipe.write(rest) :]

        try:
            try:
                yield write
                pipe.close()
            except BrokenPipeError:
                pass  # what went wrong stands in its words
            if child.wait() != 0:
                words.seek(0)
                said = words.read().decode(errors="replace").strip().splitlines()
                raise OSError(f"ffmpeg failed: {said[-1] if said else f'exit code {child.returncode}'}")
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
            pipe.close()


def ffmpeg() -> str:
    """Return where ffmpeg is, on PATH or from the extra ``video``. Raises InputError without one."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        message = "MP4 and WebM need ffmpeg, which is not on PATH"
        expected = (
            "pip install 'gdsim[video]', or ffmpeg from your system, or --format gif, which needs nothing"
        )
        raise InputError(Fault(message, expected, path="format")) from None
