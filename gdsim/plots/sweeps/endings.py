"""The strip along the top of a picture: how the runs ended that have no place further down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots.look import VERDICTS, colours, em
from gdsim.plots.sweeps.cut import arrived, lost
from gdsim.plots.sweeps.legend import Entry, swatch
from gdsim.sweeps.result import KINDS, Column, SweepResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SETTLED, APPROACHING = -2, -1  # beside the places of the kinds of verdict
_CRITICAL = ("minimum", "maximum", "saddle", "inflection", "flat", "kink")
STRIP = 0.036  # of the height of the axes
GAP = 0.01


def endings(result: SweepResult, *, gone: bool = False) -> Column:
    """Return for each run how it ended, as a code: a kind of verdict, or settled, or near a point unsettled.

    With ``gone`` only what was lost has a code of its own.
    """
    codes = result.columns["verdict"].astype(np.int16)
    if gone:
        return np.where(lost(result), codes, SETTLED)
    near = np.isin(codes, [KINDS.index(kind) for kind in KINDS if kind in _CRITICAL])
    return np.where(arrived(result), SETTLED, np.where(near, APPROACHING, codes))


def commonest(codes: Column) -> Column:
    """Return for each column of ``(runs, values)`` the commonest unsettled ending, or that most settled.

    >>> commonest(np.array([[9, 9, -2], [9, 8, -2], [-2, 8, 9]]))
    array([ 9,  8, -2])
    """
    most = np.full(codes.shape[1], SETTLED)
    open_ = (codes != SETTLED).sum(axis=0) * 2 >= codes.shape[0]
    best = np.zeros(codes.shape[1], dtype=np.int64)
    for code in np.unique(codes):
        count = (codes == code).sum(axis=0)
        better = (count > best) & open_ & (code != SETTLED)
        most[better], best[better] = code, count[better]
    return most


def edges(values: Column, logarithmic: bool) -> Column:
    """Return the ends of the cells around ascending values: half-way between neighbours.

    >>> edges(np.array([1.0, 2.0, 4.0]), False)
    array([0.5, 1.5, 3. , 5. ])
    """
    known = np.log(values) if logarithmic else np.asarray(values, dtype=np.float64)
    if known.size == 1:
        known = np.array([known[0] - 0.5, known[0] + 0.5])
    else:
        middle = 0.5 * (known[1:] + known[:-1])
        known = np.concatenate([[2 * known[0] - middle[0]], middle, [2 * known[-1] - middle[-1]]])
    return np.exp(known) if logarithmic else known


def strip(row: int, rows: int) -> tuple[float, float]:
    """Return the lower and the upper end of a strip, from the top, in fractions of the axes."""
    height = STRIP if rows <= 2 else 0.7 * STRIP
    top = 1.0 - row * (height + GAP) - 0.006
    return top - height, top


def draw_endings(axes: Axes, ends: Column, codes: Column, row: int = 0, rows: int = 1) -> set[int]:
    """Draw a strip in the colours of the verdicts, and return the codes on it.

    Parameters
    ----------
    axes
        Where to draw.
    ends
        The ends of the cells, ``(values + 1,)``.
    codes
        ``(values,)``.
    row, rows
        0 for the strip at the top, 1 for the one below it; how many there are.
    """
    bottom, top = strip(row, rows)
    changes = np.flatnonzero(np.diff(codes)) + 1
    found: set[int] = set()
    for first, last in zip([0, *changes], [*changes, codes.size], strict=True):
        code = int(codes[first])
        if code == SETTLED:
            continue
        found.add(code)
        axes.axvspan(
            float(ends[first]), float(ends[last]), bottom, top, facecolor=_colour(code), zorder=3,
            edgecolor=colours().muted, linewidth=em(0.0429), hatch=_hatch(code), gid=_words(code),
        )  # fmt: skip
    return found


def ending_entries(codes: set[int]) -> list[Entry]:
    """Return the entries of the legend for codes on strips."""
    return [swatch(_colour(code), _words(code), hatch=_hatch(code)) for code in sorted(codes)]


def _hatch(code: int) -> str | None:
    return "////" if code == APPROACHING else None


def _colour(code: int) -> str:
    return colours().ground if code == APPROACHING else VERDICTS[KINDS[code]][0]


def _words(code: int) -> str:
    return "took all its steps" if code == APPROACHING else VERDICTS[KINDS[code]][1]
