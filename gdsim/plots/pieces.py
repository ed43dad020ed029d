"""A function of one weight in pieces: where it keeps its sign, where it jumps, how much of it to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Function = Callable[[Array], Array]

_JUMP = 0.02  # of the range: a smaller step between two samples is not looked at
_HALVINGS = 40
_LEFT = 0.4  # of a step: what a jump keeps, also where the value in its middle lies between the two
_UNKNOWN = 9  # for the sign of what is not a number


class Stretch(NamedTuple):
    """A stretch of weights on which f′ keeps its sign, which is 0 where it is zero all along."""

    low: float
    high: float
    sign: int


def stretches(grid: Array, slope: Array, zeros: Sequence[float]) -> list[Stretch]:
    """Return the stretches on which f′ keeps its sign; their ends are the zeros where these are known.

    Parameters
    ----------
    grid, slope
        Weights in ascending order and f′ there, each ``(places,)``.
    zeros
        Known critical points: a change of sign within a cell of the grid is put there.

    Examples
    --------
    >>> stretches(np.array([-1.0, -0.2, 1.0]), np.array([-2.0, -0.4, 2.0]), [0.0])
    [Stretch(low=-1.0, high=0.0, sign=-1), Stretch(low=0.0, high=1.0, sign=1)]
    """
    known = np.asarray(zeros)
    sign = np.where(np.isfinite(slope), np.sign(slope), _UNKNOWN).astype(int)
    cuts = [0, *(np.flatnonzero(np.diff(sign)) + 1), grid.size]
    edges = [float(grid[0])]
    for cut in cuts[1:-1]:
        left, right = grid[cut - 1], grid[cut]
        slack = 1e-9 * (grid[-1] - grid[0])
        near = known[(known >= left - slack) & (known <= right + slack)] if known.size else known
        edges.append(float(near[0]) if near.size else float(0.5 * (left + right)))
    edges.append(float(grid[-1]))
    found = [Stretch(*ends, int(sign[cut])) for ends, cut in zip(pairwise(edges), cuts, strict=False)]
    least = 1.5 * float(np.diff(grid).min())
    return [
        one for one in found if one.high - one.low > (0.0 if one.sign else least) and one.sign != _UNKNOWN
    ]


def broken(function: Function, grid: Array) -> tuple[Array, Array]:
    """Return a curve with a gap (NaN) at each place where it jumps.

    A step between two samples is a jump where halving the cell over and over leaves most of it, or half on
    either side of a value in its middle.

    >>> weight, value = broken(np.sign, np.array([-1.0, -0.5, 0.5, 1.0]))
    >>> value
    array([-1., -1., nan,  1.,  1.])
    """
    values = function(grid)
    finite = values[np.isfinite(values)]
    steps = np.abs(np.diff(values))
    cells = np.flatnonzero(steps > _JUMP * (np.ptp(finite) if finite.size else 0.0))
    if not cells.size:
        return grid, values
    low, high, first, second = grid[cells], grid[cells + 1], values[cells], values[cells + 1]
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        between = function(middle)
        left = np.abs(between - first) >= np.abs(second - between)
        high, second = np.where(left, middle, high), np.where(left, between, second)
        low, first = np.where(left, low, middle), np.where(left, first, between)
    jumps = np.abs(second - first) > _LEFT * steps[cells]
    place = cells[jumps] + 1
    return np.insert(grid, place, 0.5 * (low + high)[jumps]), np.insert(values, place, np.nan)


def extent(values: Array, marked: Array) -> tuple[float, float]:
    """Return robust limits on both sides: zero and all that is marked is visible, runaway walls are cut.

    >>> extent(np.array([-1.0, 0.0, 1.0]), np.array([0.5]))
    (-1.3, 1.3)
    """
    finite = values[np.isfinite(values)]
    essential = [0.0, *marked[np.isfinite(marked)]]
    low, high = min(essential), max(essential)
    if finite.size:
        low, high = min(low, *np.quantile(finite, [0.1])), max(high, *np.quantile(finite, [0.9]))
        if np.ptp(finite) <= 3 * (high - low):
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    room = 0.15 * ((high - low) or 2.0)
    return float(low - room), float(high + room)
