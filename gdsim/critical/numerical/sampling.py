"""An adaptive grid for one weight: slopes, bends and the signs that rounding leaves certain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdsim.critical.numerical.landscape import EPSILON, Array, Landscape
from gdsim.critical.numerical.signs import ascending

_START = 1025  # with the midpoints of the first level 2,049
_MOST_POINTS = 40_000
_MOST_LEVELS = 12
_ROUGH_CHANGES = 10
_MISMATCH = 0.02  # of the largest slope near by: then the cubic between two points tells the truth


@dataclass(frozen=True, eq=False)
class Samples:
    """The slope on an ascending grid.

    ``rough`` are the stretches (stretches, 2) in which the slope changes too fast to be followed.
    ``sign`` is that of the slope: 0 where rounding hides it, nan where the slope is undefined.
    ``switch`` says for each interval between neighbours which switch it straddles (nan: none); a switch
    is never itself a grid point.
    """

    at: Array
    slope: Array
    bend: Array
    sign: Array
    switch: Array
    rough: Array


def slope(landscape: Landscape, at: Array) -> Array:
    """f′ at points of shape (points,)."""
    values: Array = landscape.gradient(at[None])[0]
    return values


def bend(landscape: Landscape, at: Array) -> Array:
    """f″ at points of shape (points,)."""
    values: Array = landscape.hessian(at[None])[0, 0]
    return values


def bound(landscape: Landscape, at: Array) -> Array:
    """How far rounding can have moved the quick f′."""
    if landscape.exact:
        bounds: Array = landscape.judged_gradient(at[None])[1][0]
        return bounds
    step = EPSILON**0.2 * min(landscape.width[0] / 4, 1.0)
    result: Array = 64.0 * EPSILON * np.abs(landscape.value(at[None])) / step
    return result


def certain_sign(values: Array, bounds: Array) -> Array:
    """The sign of each value, 0 where its bound reaches over zero; nan stays nan.

    >>> certain_sign(np.array([1.0, 1e-17, np.nan]), np.array([1e-16, 1e-16, 1e-16]))
    array([ 1.,  0., nan])
    """
    hidden = np.isfinite(bounds) & (np.abs(values) <= bounds)
    return np.where(hidden, 0.0, np.sign(values))


def rounded(landscape: Landscape, at: Array) -> Array:
    """Prefer a short decimal next to a zero of f′ where f′ is zero to rounding there, too."""
    digits, tolerance = (9, 1e-12) if landscape.exact else (5, 1e-7)
    width = landscape.width[0]
    short = np.round(at, int(digits - np.floor(np.log10(width)))) + 0.0
    values, bounds = (part[0] for part in landscape.judged_gradient(short[None]))
    better = np.abs(short - at) <= tolerance * width
    with np.errstate(invalid="ignore"):
        better &= np.abs(values) <= np.maximum(bounds, np.abs(slope(landscape, at)))
    return np.where(better, short, at)


def sample(landscape: Landscape, switches: Array, extra: Array) -> Samples:
    """Sample f′ over the domain, finely where a cubic through two neighbours fails to predict it.

    Cost: 2,049 evaluations of f′ and f″ at least, 40,000 at most.
    """
    low, high = landscape.low[0], landscape.high[0]
    at = ascending(np.concatenate([np.linspace(low, high, _START), extra]))
    at, switches = _open_at(at, switches, low, high)
    values, bends = slope(landscape, at), bend(landscape, at)
    straddled = _straddled(at, switches)
    flagged = np.isnan(straddled)
    for _ in range(_MOST_LEVELS):
        places = np.flatnonzero(flagged)
        middle = 0.5 * (at[places] + at[places + 1])
        between = (middle > at[places]) & (middle < at[places + 1])
        places, middle = places[between], middle[between]
        if not places.size or at.size + places.size > _MOST_POINTS:
            break
        new_values, new_bends = slope(landscape, middle), bend(landscape, middle)
        surprising = _surprising(landscape, (at, values, bends), places, (middle, new_values))
        inserted = places + 1
        at = np.insert(at, inserted, middle)
        values, bends = np.insert(values, inserted, new_values), np.insert(bends, inserted, new_bends)
        straddled = np.insert(straddled, places, np.nan)
        flagged = np.zeros(at.size - 1, dtype=bool)
        where = inserted + np.arange(places.size)  # where the midpoints are now
        flagged[where[surprising]] = flagged[where[surprising] - 1] = True
    sign = certain_sign(values, bound(landscape, at))
    return Samples(at, values, bends, sign, straddled, _rough(landscape, at, sign, flagged))


def _rough(landscape: Landscape, at: Array, sign: Array, flagged: NDArray[np.bool_]) -> Array:
    """Stretches of unpredicted slopes that keep changing their sign; those close together are joined.

    A few changes are those of kinks (of a callable) and of multiple zeros, where the slope is small.
    """
    with np.errstate(invalid="ignore"):
        changes = flagged & (sign[:-1] * sign[1:] < 0)
    if changes.sum() < _ROUGH_CHANGES:
        return np.empty((0, 2))
    ends = [(at[first], at[last + 1]) for first, last in runs_of(flagged)]
    joined = [ends[0]]
    for low, high in ends[1:]:
        if low - joined[-1][1] < 0.01 * landscape.width[0]:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return np.array(joined)


def runs_of(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The first and last place of every run of true values.

    >>> runs_of(np.array([True, True, False, True]))
    [(0, 1), (3, 3)]
    """
    padded = np.concatenate([[False], mask, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(padded))
    return [(int(first), int(last) - 1) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _open_at(at: Array, switches: Array, low: float, high: float) -> tuple[Array, Array]:
    """Replace the grid round each switch by one point on either side, so that one-sided slopes are seen."""
    if not switches.size:
        return at, switches
    reach = gap_around(switches, high - low)
    keep = np.ones(at.size, dtype=bool)
    for switch, gap in zip(switches, reach, strict=True):
        keep &= np.abs(at - switch) > gap
    sides = np.concatenate([switches - reach, switches + reach])
    sides = sides[(sides >= low) & (sides <= high)]
    near = np.searchsorted(switches, sides)
    for shift in (-1, 0):  # a side of one switch may lie inside the gap of its neighbour
        other = np.clip(near + shift, 0, switches.size - 1)
        inside = np.abs(sides - switches[other]) < 0.5 * reach[other]
        sides, near = sides[~inside], near[~inside]
    return ascending(np.concatenate([at[keep], sides])), switches


def gap_around(at: Array, width: float) -> Array:
    """Half the width of the interval that stands for one point of the domain."""
    gap: Array = np.maximum(1e-12 * width, 8 * np.spacing(np.abs(at)))
    return gap


def _straddled(at: Array, switches: Array) -> Array:
    result = np.full(at.size - 1, np.nan)
    place = np.searchsorted(at, switches) - 1
    inside = (place >= 0) & (place < at.size - 1)
    result[place[inside]] = switches[inside]
    return result


def _surprising(
    landscape: Landscape,
    known: tuple[Array, Array, Array],
    places: NDArray[np.intp],
    new: tuple[Array, Array],
) -> NDArray[np.bool_]:
    """Whether the slope at a midpoint is not what the cubic through its neighbours predicts."""
    at, values, bends = known
    middle, found = new
    left, right = values[places], values[places + 1]
    with np.errstate(all="ignore"):
        length = at[places + 1] - at[places]
        predicted = 0.5 * (left + right) + length * (bends[places] - bends[places + 1]) / 8
        size = np.maximum(np.maximum(np.abs(left), np.abs(right)), np.abs(found))
        off = np.abs(found - predicted) > _MISMATCH * size + 4 * bound(landscape, middle)
    finite = np.isfinite(left).astype(int) + np.isfinite(right) + np.isfinite(found)
    result: NDArray[np.bool_] = off | ((finite > 0) & (finite < 3))
    return result
