"""A grid of runs as a picture: for each run a colour, and what each colour means."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdsim.outcomes import Fault, InputError, nearest
from gdsim.plots.look import BASINS, LOST, UNSETTLED, VERDICTS
from gdsim.plots.sweeps.cut import arrived, lost
from gdsim.plots.sweeps.limits import reached_places
from gdsim.plots.sweeps.words import place_words, point_words
from gdsim.sweeps.result import KINDS, Column, SweepResult

By = Literal["verdict", "basin", "steps", "loss"]
BY: tuple[By, ...] = ("verdict", "basin", "steps", "loss")
_LEVELS = 240  # colours of a scale; what stands apart from it follows
_UNSETTLED, _LOST = 250, 251
_SPACIOUS = 5  # basins up to which each is named at length
_SAMPLE = 1_000_000  # runs from which the ends of a scale are taken
_WIDE = 100.0  # a ratio of the ends beyond which a scale is logarithmic
_DEEPEST = 1e-16  # of the largest loss: what is below is rounding

Bytes = NDArray[np.uint8]


class Meaning(NamedTuple):
    """One colour: its place in the palette, what it says, and how many runs have it."""

    code: int
    colour: str
    words: str
    runs: int


class Scale(NamedTuple):
    """A colour scale from ``low`` to ``high``; ``over`` and ``under`` tell whether runs lie beyond."""

    words: str
    low: float
    high: float
    logarithmic: bool
    colours: str
    under: bool = False
    over: bool = False


class Raster(NamedTuple):
    """A code for each run, ``(runs,)``, and the palette ``(256, 3)`` that gives each code its colour."""

    codes: Bytes
    palette: Bytes
    meanings: tuple[Meaning, ...]
    scale: Scale | None = None


def raster(result: SweepResult, by: str) -> Raster:
    """Return the colours of all runs.

    Parameters
    ----------
    result
        The sweep.
    by
        ``verdict``; ``basin``: the critical point reached; ``steps`` until runs settled; final ``loss``.

    Raises
    ------
    InputError
        For another word, and for basins where the runs share no critical points.

    Notes
    -----
    Cost: a few passes over a column; at most some 20 bytes a run, for a scale.
    """
    if by == "verdict":
        return _by_verdict(result)
    if by == "basin":
        return _by_basin(result)
    if by == "steps":
        return _by_steps(result)
    if by == "loss":
        return _by_loss(result)
    raise InputError(Fault(f"an atlas has no colours by {by!r}", " | ".join(BY), nearest(by, BY), path="by"))


def rgb(colour: str) -> list[int]:
    """Return a colour as three numbers.

    >>> rgb("#0072B2")
    [0, 114, 178]
    """
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def _shade(colour: str, turn: int) -> str:
    """The colour itself, and where there are more basins than colours a lighter, then a darker one of it.

    >>> _shade("#4562BF", 0), _shade("#4562BF", 1)
    ('#4562BF', '#A8B5E1')
    """
    if turn == 0:
        return colour
    ground, part = (255, 0.53) if turn % 2 else (0, 0.4)
    return "#" + "".join(f"{round(value + part * (ground - value)):02X}" for value in rgb(colour))


def _palette(meanings: list[Meaning], colours: str = "") -> Bytes:
    palette = np.zeros((256, 3), dtype=np.uint8)
    if colours:
        import matplotlib

        shades = matplotlib.colormaps[colours](np.linspace(0.0, 1.0, _LEVELS))[:, :3]
        palette[:_LEVELS] = (255 * shades).round().astype(np.uint8)
    for meaning in meanings:
        palette[meaning.code] = rgb(meaning.colour)
    return palette


def _by_verdict(result: SweepResult) -> Raster:
    codes = result.columns["verdict"].astype(np.uint8)
    meanings = []
    reached = [result.critical_points[place] for place in reached_places(result)]
    elsewhere = np.bincount(codes[result.columns["basin"] < 0], minlength=len(KINDS))
    for kind, runs in result.verdicts.items():
        colour, words = VERDICTS[kind]
        alike = [point for point in reached if point.kind == kind]
        if len(alike) == 1 and not elsewhere[KINDS.index(kind)]:
            words = f"settled at {point_words(alike[0])}"
        elif len(alike) > 1:
            words = f"{words} ({len(alike)} of them)"
        meanings.append(Meaning(KINDS.index(kind), colour, words, runs))
    return Raster(codes, _palette(meanings), tuple(meanings))


def _by_basin(result: SweepResult) -> Raster:
    if not result.critical_points:
        message = "the runs share no critical points, so they have no basins"
        raise InputError(Fault(message, "verdict | steps | loss", path="by"))
    places = sorted(reached_places(result), key=lambda place: result.critical_points[place].kind != "minimum")
    code_of = np.full(len(result.critical_points) + 1, _UNSETTLED, dtype=np.uint8)
    meanings = []
    basin = result.columns["basin"]
    counts = np.bincount(basin + 1, minlength=len(code_of))
    for order, place in enumerate(places):
        code_of[place + 1] = order % _LEVELS
        point = result.critical_points[place]
        words = f"settled at {point_words(point)}"
        if len(places) > _SPACIOUS:
            words = f"at {place_words(point) if point.kind == 'minimum' else point_words(point)}"
        colour = _shade(BASINS[order % len(BASINS)], order // len(BASINS))
        meanings.append(Meaning(order % _LEVELS, colour, words, int(counts[place + 1])))
    codes = code_of[basin + 1]
    codes[lost(result) & (basin < 0)] = _LOST
    meanings += _apart(codes, "did not settle")
    return Raster(codes, _palette(meanings), tuple(meanings))


def _apart(codes: Bytes, unsettled: str, gone: str = "diverged") -> list[Meaning]:
    """What stands beside the colours of basins or of a scale."""
    found = [
        Meaning(_UNSETTLED, UNSETTLED, unsettled, int(np.count_nonzero(codes == _UNSETTLED))),
        Meaning(_LOST, LOST, gone, int(np.count_nonzero(codes == _LOST))),
    ]
    return [meaning for meaning in found if meaning.runs]


def _by_steps(result: SweepResult) -> Raster:
    steps, shown = result.columns["steps"], arrived(result)
    codes = np.where(lost(result), np.uint8(_LOST), np.uint8(_UNSETTLED))
    scale = None
    if shown.any():
        some = steps[shown]
        low, high = max(1.0, float(some.min())), max(2.0, float(some.max()))
        scale = Scale("steps to settle", low, high, high > 10 * low, "viridis_r")
        codes[shown] = _levels(some, scale)
    meanings = _apart(codes, "did not settle")
    return Raster(codes, _palette(meanings, "viridis_r"), tuple(meanings), scale)


def _by_loss(result: SweepResult) -> Raster:
    loss = result.columns["loss"]
    shown = np.isfinite(loss) & ~lost(result)
    codes = np.full(loss.shape, _LOST, dtype=np.uint8)
    scale = None
    if shown.any():
        some = loss[shown]
        scale = _loss_scale(some)
        codes[shown] = _levels(some, scale)
    meanings = _apart(codes, "")
    return Raster(codes, _palette(meanings, "viridis"), tuple(meanings), scale)


def _loss_scale(loss: Column) -> Scale:
    """All losses but the outermost hundredths; logarithmic where they are positive and wide apart."""
    some = loss[:: max(1, loss.size // _SAMPLE)]
    least, most = float(loss.min()), float(loss.max())
    low, high = (float(end) for end in np.quantile(some, (0.01, 0.99)))
    if least >= 0 and high > 0 and low <= high / _WIDE:
        positive = some[some > _DEEPEST * high]
        low = float(np.quantile(positive, 0.01))
        if low < high / _WIDE:
            return Scale("final loss", low, high, True, "viridis", least < low, most > high)
    if high <= low:
        low, high = least, most if most > least else least + max(1.0, abs(least))
    return Scale("final loss", low, high, False, "viridis", least < low, most > high)


def _levels(values: Column, scale: Scale) -> Bytes:
    """The level of each value, the first and the last for what lies beyond the scale."""
    levels = np.clip(values, scale.low, scale.high).astype(np.float32)
    low, high = np.float32(scale.low), np.float32(scale.high)
    if scale.logarithmic:
        np.log(levels, out=levels)
        low, high = np.log(low), np.log(high)
    levels -= low
    levels *= (_LEVELS - 1) / (high - low)
    levels += 0.5
    return levels.clip(0, _LEVELS - 1).astype(np.uint8)
