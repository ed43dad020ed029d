"""Animations of a run: any figure that grows step by step, as GIF, MP4 or WebM."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from gdsim.outcomes import Fault, InputError, nearest
from gdsim.plots import PLOTS, Look, _stamp, staged
from gdsim.plots.encoders import FILM_FORMATS, FilmFormat, Reel, Write, ffmpeg, gif, video
from gdsim.plots.frames import Frames
from gdsim.plots.output import Stamp
from gdsim.plots.pace import Pace, usual_seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdsim.runs import Run

#: width and height in pixels, by the name that ``--size`` takes
FILM_SIZES: dict[str, tuple[int, int]] = {
    "480p": (854, 480),
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "1440p": (2560, 1440),
    "2160p": (3840, 2160),
    "square": (1080, 1080),
    "vertical": (1080, 1920),
}
_LEAST_PIXELS, _MOST_PIXELS = 120, 4320
_MOST_SHOWN = 16_000_000  # bytes of a film that a notebook takes in
_MOST_SECONDS = 600.0
_MOST_FPS = {"gif": 50.0, "mp4": 120.0, "webm": 120.0}  # a GIF counts hundredths, and viewers slow 1 down
_USUAL_FPS = {"gif": 20.0, "mp4": 30.0, "webm": 30.0}
_SAMPLES = 7  # frames from which the palette of a GIF is made
_LEAVING = 1e-6  # of a step: at a stop the weight is about to leave, so that its mark stays


@dataclass(frozen=True)
class Take:
    """How a run is filmed.

    Attributes
    ----------
    size
        A name of ``FILM_SIZES``, or width × height in pixels as ``1280x720``.
    fps
        Frames a second; None: 30, of a GIF 20.
    seconds
        How long all of it takes; None: by the number of steps, 4 to 12.
    hold
        How long the last frame is held at the end, in seconds.
    steps
        The first and the last step that are shown, or the last; none: the whole run.
    """

    size: str = "720p"
    fps: float | None = None
    seconds: float | None = None
    hold: float = 2.0
    steps: Sequence[int] = ()

    def frames_a_second(self, format: FilmFormat) -> float:
        """Return ``fps``, or what is usual. Raises InputError."""
        fps = _USUAL_FPS[format] if self.fps is None else self.fps
        if not 1 <= fps <= _MOST_FPS[format]:
            raise InputError(
                Fault(f"{fps:g} frames a second", f"1 to {_MOST_FPS[format]:g} for {format}", path="fps")
            )
        return fps

    def pace(self, recorded: NDArray[np.int64]) -> Pace:
        """Return when a run is at which of its recorded steps. Raises InputError."""
        first, last = _part(self.steps, int(recorded[-1]))
        between = recorded[(recorded > first) & (recorded < last)].tolist()
        stops = [first, *between, last] if last > first else [first]
        seconds = self.seconds
        if seconds is None:
            seconds = usual_seconds(len(stops) - 1, self.hold)
        if not 0 < seconds <= _MOST_SECONDS:
            raise InputError(Fault(f"a film of {seconds:g} s", "more than 0, at most 600", path="seconds"))
        if not 0 <= self.hold < seconds:
            message = f"the end is held {self.hold:g} s of {seconds:g} s"
            raise InputError(Fault(message, "at least 0, less than the whole film", path="hold"))
        return Pace(stops, seconds, self.hold)


class Film(NamedTuple):
    """A film that was written: how many frames of which size and length, in how many bytes."""

    file: Path
    frames: int
    seconds: float
    bytes: int
    width: int
    height: int

    def _repr_html_(self) -> str:
        """What a notebook shows: the film itself, unless it is large, then its file."""
        from base64 import b64encode
        from html import escape

        name = escape(str(self.file))
        if self.bytes > _MOST_SHOWN or not self.file.exists():
            return f"<p><code>{name}</code></p>"
        kind = self.file.suffix[1:].lower()
        data = b64encode(self.file.read_bytes()).decode("ascii")
        if kind == "gif":
            return f'<img alt="{name}" style="max-width: 100%" src="data:image/gif;base64,{data}">'
        source = f"data:video/{kind};base64,{data}"
        return f'<video controls loop muted style="max-width: 100%" title="{name}" src="{source}"></video>'


def animate(
    run: Run,
    kind: str,
    file: str | Path,
    *,
    look: Look | None = None,
    at: Sequence[int] = (),
    take: Take | None = None,
    advance: Callable[[int, int], None] | None = None,
) -> Film:
    """Film a run: one of the kinds of figures that grow step by step. The same run gives the same bytes.

    Parameters
    ----------
    run
        The run.
    kind
        One of ``PLOTS`` that is stepwise.
    file
        Where the film goes, whole or not at all; its ending says the format: gif, mp4 or webm.
    look
        Style and caption; by default slides. The size is that of ``take``.
    at
        Steps to look at closely, as for :func:`gdsim.plots.draw`.
    take
        Size, length and pace.
    advance
        Is told after each frame how many of how many there are.

    Raises
    ------
    InputError
        For an unknown kind or format, a kind that cannot show this run or does not grow, a size, length or
        step that is none, and where a video is wanted and there is no ffmpeg.
    OSError
        Where the disk refuses, or ffmpeg fails.
    """
    from gdsim.sweeps.columns import whole_file

    file, look, take = Path(file), look or Look(), take or Take()
    format = format_of(file)
    fps, size = take.frames_a_second(format), pixels(take.size, format)
    _refuse_still(run, kind)
    if format != "gif":
        ffmpeg()  # before anything is drawn
    dressed = replace(look, size=_inches(size, look))
    with dressed.applied(), np.errstate(all="ignore"):
        scene = staged(run, kind, look=dressed, at=at, film=True)
        steps = PLOTS[kind].counts == "step"
        pace = take.pace(run.trajectory.step_index if steps else np.arange(int(scene.last) + 1))
        reel = Reel(size, fps, _described(run, kind, look, at, pace, fps, take.size))
        frames, shots = Frames(scene, size), _shots(pace, fps, scene.last if steps else 0.0)
        count, done = sum(length for _, length in shots), 0
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as target, _encoder(target, reel, format, frames, shots) as write:
            for position, length in shots:
                write(frames.at(position), length)
                done += length
                if advance is not None:
                    advance(done, count)
    written = len(shots) if format == "gif" else count
    return Film(file, written, count / fps, file.stat().st_size, *size)


def _refuse_still(run: Run, kind: str) -> None:
    """Raise InputError where a kind cannot be filmed, with those that can."""
    growing = [name for name, plot in PLOTS.items() if plot.stepwise and not plot.refusal(run)]
    if kind in growing:
        return
    expected = " | ".join(growing)
    if kind not in PLOTS:
        message = f"unknown kind of figure {kind!r}"
        raise InputError(Fault(message, expected, nearest(kind, growing), path="kind"))
    reason = PLOTS[kind].refusal(run) if PLOTS[kind].stepwise else "does not grow step by step"
    raise InputError(Fault(f"{kind} {reason}", expected, path="kind"))


def _shots(pace: Pace, fps: float, last: float) -> list[tuple[float, int]]:
    """Return the positions to draw, each with the number of frames for which it stands.

    ``last`` is the last step; 0 where positions are no steps, and the weight leaves none.
    """
    times = np.arange(max(1, round(pace.seconds * fps))) / fps
    times[-1] = pace.seconds
    shown = (_shown(position, last) for position in pace.position(times).tolist())
    return [(position, len(list(same))) for position, same in groupby(shown)]


def _encoder(
    target: IO[bytes], reel: Reel, format: FilmFormat, frames: Frames, shots: Sequence[tuple[float, int]]
) -> AbstractContextManager[Write]:
    if format != "gif":
        return video(target, reel, format)
    chosen = {*np.linspace(0, len(shots) - 1, _SAMPLES).round().astype(int).tolist()}
    return gif(target, reel, [frames.at(shots[number][0]).copy() for number in sorted(chosen)])


def _shown(position: float, last: float) -> float:
    """Return the position to draw: at a stop before the last that of a weight that is about to leave."""
    return position + _LEAVING if position < last and position == round(position) else position


def format_of(file: Path) -> FilmFormat:
    """Return the format that a file's ending says. Raises InputError.

    >>> format_of(Path("lecture/Film.MP4"))
    'mp4'
    """
    ending = file.suffix.lower().removeprefix(".")
    for format in FILM_FORMATS:
        if format == ending:
            return format
    message = f"{file.name!r} does not end like a film"
    raise InputError(Fault(message, " | ".join(f".{one}" for one in FILM_FORMATS), path="format"))


def pixels(size: str, format: FilmFormat = "gif") -> tuple[int, int]:
    """Return width and height of a size in pixels.

    Raises
    ------
    InputError
        For an unknown name, a side that is not between 120 and 4320, and for odd numbers in a video, whose
        codecs store colours for two by two pixels.

    Examples
    --------
    >>> pixels("1080p"), pixels("800x600")
    ((1920, 1080), (800, 600))
    """
    if size in FILM_SIZES:
        return FILM_SIZES[size]
    numbers = re.fullmatch(r"(\d+)\s*[x×]\s*(\d+)", size)
    if numbers is None:
        expected = f"{' | '.join(FILM_SIZES)} | WIDTHxHEIGHT in pixels, such as 1280x720"
        raise InputError(Fault(f"unknown size {size!r}", expected, nearest(size, [*FILM_SIZES]), path="size"))
    width, height = int(numbers[1]), int(numbers[2])
    if not all(_LEAST_PIXELS <= side <= _MOST_PIXELS for side in (width, height)):
        expected = f"from {_LEAST_PIXELS} to {_MOST_PIXELS} pixels a side"
        raise InputError(Fault(f"the size {size} is out of range", expected, path="size"))
    if format != "gif" and (width % 2 or height % 2):
        expected = f"even numbers, such as {width + width % 2}x{height + height % 2}"
        raise InputError(Fault(f"the size {size} is odd, which {format} cannot be", expected, path="size"))
    return width, height


def _inches(size: tuple[int, int], look: Look) -> str:
    """Return a size in inches with these proportions, as large as the style's on the narrower side."""
    width, height = size
    dots = min(size) / min(look.sheet()["figure.figsize"])
    return f"{width / dots:.6f}x{height / dots:.6f}"


def _part(steps: Sequence[int], last: int) -> tuple[int, int]:
    """Return the first and the last step to show, of those of a run. Raises InputError."""
    expected = f"the last step, or the first and the last, from 0 to {last}"
    if len(steps) > 2:
        raise InputError(Fault(f"a film has no {len(steps)} ends", expected, path="steps"))
    first, end = (0, last) if not steps else (0, steps[0]) if len(steps) == 1 else (steps[0], steps[1])
    if not 0 <= first <= end <= last:
        raise InputError(Fault(f"there is nothing from step {first} to step {end}", expected, path="steps"))
    return first, end


def _described(
    run: Run, kind: str, look: Look, at: Sequence[int], pace: Pace, fps: float, size: str
) -> Stamp:
    """Return what a film says of itself, enough to film it again."""
    stamp = _stamp([run], kind, look, pace.stops[-1], at, "")
    timed = {
        "size": size, "fps": f"{fps:g}", "seconds": f"{pace.seconds:g}", "hold": f"{pace.hold:g}",
        "from": f"{pace.stops[0]}",
    }  # fmt: skip
    return replace(stamp, facts={**stamp.facts, **timed})
