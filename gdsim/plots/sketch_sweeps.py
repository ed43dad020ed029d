"""Figures of sweeps as text: an atlas as signs, a bifurcation diagram and a profile as dots."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from gdsim.plots.canvas import LABEL, Canvas, framed, round_ends
from gdsim.plots.sweeps.atlas import layout
from gdsim.plots.sweeps.bifurcation import along, attractor, extent, horizontal, lost_along
from gdsim.plots.sweeps.cut import RATES, arranged, arrived, arrived_low, numeric
from gdsim.plots.sweeps.endings import SETTLED
from gdsim.plots.sweeps.limits import Limit, limits
from gdsim.plots.sweeps.profile import WIDE, goldilocks
from gdsim.plots.sweeps.raster import raster
from gdsim.plots.sweeps.scale import positions
from gdsim.plots.sweeps.words import axis_words, share
from gdsim.plots.text import short
from gdsim.sweeps.result import KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdsim.sweeps.result import AxisValues, SweepResult

    Array = NDArray[np.float64]

Drawer: TypeAlias = "Callable[[SweepResult, Canvas], str]"
_LIMIT = "|"
_LOST = "x"
#: what stands in an atlas for a run that ended so
SIGNS: Mapping[str, str] = {
    "minimum": ".", "maximum": "^", "saddle": "+", "inflection": "/", "flat": "_", "kink": "v",
    "plateau": "=", "undecided": "?", "cycle": "o", "diverged": "#", "nonfinite": "!", "still_moving": "~",
    "no_minimum": "\\",
}  # fmt: skip


def sketch_sweep(
    result: SweepResult, plot: str, columns: int = 72, rows: int = 14, *, plain: bool = False
) -> str:
    """Return a sweep as a picture of text, with what its signs mean below.

    Parameters
    ----------
    result
        The sweep: over two axes for an atlas, over one for the others.
    plot
        ``atlas``, ``bifurcation`` or ``profile``.
    columns, rows
        How large; what the signs mean takes further rows.
    plain
        Dots in place of braille.

    Examples
    --------
    >>> import gdsim
    >>> axes = {"learning_rate": "lin(0.1,1.3,30)", "initial_weight": "lin(-2,2,8)"}
    >>> print(sketch_sweep(gdsim.sweep("parabola", axes), "atlas", 42, 5))
     2│......................|#######
      │......................|#######
      │......................|#######
      │......................|#######
    −2│......................|#######
      └──────────────────────────────
       0.1 learning rate η, upwards start w 1.3
    . settled at minimum w = 0 · 73.3 %
    # diverged · 26.7 %   | 2/L = 1
    """
    return SKETCHES[plot](result, Canvas(columns - LABEL, rows, plain))


def _atlas(result: SweepResult, canvas: Canvas) -> str:
    """What became of the runs: a sign for each cell, that of the run nearest to its middle."""
    plan = layout(result)
    codes = arranged(result, raster(result, "verdict").codes, plan.shown)
    up, across = (
        ((np.arange(count) + 0.5) / count * side).astype(int)
        for count, side in zip((canvas.rows, canvas.columns), codes.shape, strict=True)
    )
    for row, line in enumerate(codes[np.ix_(up[::-1], across)].tolist()):
        for column, code in enumerate(line):
            canvas.signs[row, column] = SIGNS[KINDS[code]]
    marked = limits(result) if plan.horizontal.path in RATES else ()
    for column in _columns_of(marked, plan.horizontal, canvas):
        canvas.signs |= {(row, column): _LIMIT for row in range(canvas.rows)}
    meanings = sorted(raster(result, "verdict").meanings, key=lambda one: -one.runs)
    entries = [
        f"{SIGNS[KINDS[one.code]]} {one.words} · {share(one.runs, result.runs)}" for one in meanings
    ] + _limit_entries(marked)
    names = [axis_words(axis.path, result.weights) for axis in (plan.horizontal, plan.vertical)]
    (left, right), (bottom, top) = (_ends(axis) for axis in (plan.horizontal, plan.vertical))
    picture = framed(canvas, top, bottom, left, f" {names[0]}, upwards {names[1]} ", right)
    return f"{picture}\n{_listed(entries, canvas)}"


def _bifurcation(result: SweepResult, canvas: Canvas) -> str:
    """The last weights of the runs, against one axis."""
    axis = horizontal(result, ())
    x, points, _ = attractor(result, axis)
    known = np.isfinite(points[:, 0])
    weight = points[known, 0]
    bottom, top = round_ends(*(extent(weight) if weight.size else (0.0, 0.0)))
    for here, up in zip(_from_0_to_1(axis, x[known]).tolist(), weight.tolist(), strict=True):
        canvas.dot(here, (up - bottom) / (top - bottom))
    entries = []
    values = np.unique(numeric(axis))
    gone = lost_along(result, axis) != SETTLED
    for place in _from_0_to_1(axis, values[gone]).tolist():
        canvas.sign(place, 1.0, _LOST)
        entries = [f"{_LOST} lost: the weight ran away"]
    marked = limits(result) if axis.path in RATES else ()
    _draw_limits(canvas, marked, axis)
    words = f" {axis_words(axis.path, result.weights)}, upwards the last weights {result.weights[0]} "
    left, right = _ends(axis)
    picture = framed(canvas, short(top), short(bottom), left, words, right)
    return "\n".join(filter(None, [picture, _listed(entries + _limit_entries(marked), canvas)]))


def _profile(result: SweepResult, canvas: Canvas) -> str:
    """The steps until runs settled, against the learning rate, logarithmic where they differ much."""
    axis = horizontal(result, ())
    steps = np.where(arrived(result), result.columns["steps"].astype(np.float64), np.inf)
    settled = np.isfinite(steps)
    entries = ["no dot: it did not settle"] if not settled.all() else []
    low, high = steps[settled].min(initial=np.inf), float(steps[settled].max(initial=1.0))
    logarithmic = bool(1 <= low < high / WIDE)
    bottom, top = (0.0, float(np.ceil(np.log10(high)))) if logarithmic else round_ends(0.0, high)
    heights = np.log10(np.maximum(steps, 1.0)) if logarithmic else steps
    across = _from_0_to_1(axis, along(result, axis))
    best = goldilocks(steps[None], arrived_low(result)[None])
    if best is not None:
        canvas.sign(float(across[best]), float((heights[best] - bottom) / (top - bottom)), "*")
        rate = float(along(result, axis)[best])
        entries.insert(0, f"* fewest: {steps[best]:.0f} at η = {short(rate)}")
    for place in np.flatnonzero(settled).tolist():
        canvas.dot(float(across[place]), float((heights[place] - bottom) / (top - bottom)))
    marked = limits(result)
    _draw_limits(canvas, marked, axis)
    left, right = _ends(axis)
    words = f" {axis_words(axis.path, result.weights)}, upwards the steps to settle "
    upper, lower = (short(10.0**end if logarithmic else end) for end in (top, bottom))
    picture = framed(canvas, upper, lower, left, words, right)
    return f"{picture}\n{_listed(entries + _limit_entries(marked), canvas)}".rstrip()


def _from_0_to_1(axis: AxisValues, values: Array) -> Array:
    """Return values of an axis as parts of its length."""
    known, values = numeric(axis), np.asarray(values, dtype=np.float64)
    if axis.logarithmic:
        known, values = np.log(known), np.log(values)
    found: Array = (values - known.min()) / (known.max() - known.min())
    return found


def _ends(axis: AxisValues) -> tuple[str, str]:
    """Return the first and the last value of an axis, as text."""
    first, last = axis.values[0], axis.values[-1]
    return (str(first), str(last)) if axis.categorical else (short(float(first)), short(float(last)))


def _columns_of(marked: Sequence[Limit], axis: AxisValues, canvas: Canvas) -> list[int]:
    """Return the columns of an atlas in which the limits lie."""
    cells = [float(positions(axis, limit.rate)) for limit in marked if limit.along is None]
    return [int((cell + 0.5) / len(axis.values) * canvas.columns) for cell in cells if np.isfinite(cell)]


def _draw_limits(canvas: Canvas, marked: Sequence[Limit], axis: AxisValues) -> None:
    """Draw upright lines where there are no dots."""
    for limit in marked:
        if limit.along is None and 0 <= (place := float(_from_0_to_1(axis, limit.rate))) <= 1:
            column = round(place * (canvas.columns - 1))
            for row in range(canvas.rows):
                if not canvas.cells[row, column]:
                    canvas.signs.setdefault((row, column), _LIMIT)


def _limit_entries(marked: Sequence[Limit]) -> list[str]:
    return [f"{_LIMIT} {limit.words}" for limit in marked]


def _listed(entries: Sequence[str], canvas: Canvas) -> str:
    """Return what signs mean, in lines as wide as the picture; no entry is broken."""
    whole = "   ".join(entry.replace(" ", "\0") for entry in entries)
    lines = textwrap.wrap(whole, canvas.columns + LABEL // 2, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


#: the kinds that can be sketched
SKETCHES: Mapping[str, Drawer] = {"atlas": _atlas, "bifurcation": _bifurcation, "profile": _profile}
