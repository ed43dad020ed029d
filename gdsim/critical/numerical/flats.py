"""Stretches where f′ is zero throughout, or fades below the smallest number, or the loss is undefined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim.critical.numerical.landscape import Array, Landscape
from gdsim.critical.numerical.sampling import Samples, runs_of, slope
from gdsim.critical.numerical.signs import bisect
from gdsim.outcomes import CriticalPoint

Mask: TypeAlias = NDArray[np.bool_]
_UNDERFLOW = 1e-290  # slopes below fade to zero because doubles end, not because the loss is flat
_LEAST_RUN = 4  # grid points


@dataclass(frozen=True, eq=False)
class Flats:
    """Flat pieces ``(pieces, 2)``, and stretches ``(stretches, 2)`` where f′ is too small for a double."""

    pieces: Array
    faded: Array

    @property
    def all(self) -> Array:
        """Both; no other critical point is sought inside."""
        return np.concatenate([self.pieces, self.faded])


def find_flats(landscape: Landscape, samples: Samples) -> Flats:
    """Return the stretches where f′ is exactly zero on four grid points or more.

    A jump of the loss ends a piece. Cost: about 80 evaluations of f′ for each end.
    """
    pieces: list[tuple[float, float]] = []
    faded: list[tuple[float, float]] = []
    for first, last in runs_of(samples.slope == 0):
        start = first
        for place in range(first, last + 1):
            if place < last and not _jump(landscape, samples, place):
                continue
            if place - start + 1 >= _LEAST_RUN:
                low, low_faded = _end(landscape, samples, start, -1)
                high, high_faded = _end(landscape, samples, place, 1)
                (faded if low_faded or high_faded else pieces).append((low, high))
            start = place + 1
    return Flats(np.array(pieces).reshape(-1, 2), np.array(faded).reshape(-1, 2))


def _jump(landscape: Landscape, samples: Samples, place: int) -> bool:
    if np.isnan(samples.switch[place]):
        return False
    values = landscape.value(samples.at[None, place : place + 2])
    return bool(abs(values[1] - values[0]) > 1e-9 * np.abs(values).max())


def _end(landscape: Landscape, samples: Samples, place: int, side: int) -> tuple[float, bool]:
    """Where a flat stretch ends, and whether the slope only fades below the smallest double there."""
    beyond = place + side
    if not 0 <= beyond < samples.at.size:
        return float(landscape.low[0] if side < 0 else landscape.high[0]), False
    switch = samples.switch[min(place, beyond)]
    if not np.isnan(switch):
        return float(switch), False

    def flat(at: Array) -> Mask:
        level = landscape.value(samples.at[None, [place]])
        result: Mask = slope(landscape, at) == 0 if landscape.exact else landscape.value(at[None]) == level
        return result

    while not landscape.exact and 0 <= beyond + side < samples.at.size and flat(samples.at[[beyond]])[0]:
        beyond += side  # a difference formula sees the slope before it begins
    inner, outer = last_true(flat, float(samples.at[place]), float(samples.at[beyond]))
    return inner, bool(0 < abs(slope(landscape, np.array([outer]))[0]) < _UNDERFLOW)


def last_true(holds: Callable[[Array], Mask], inside: float, outside: float) -> tuple[float, float]:
    """Return the two neighbours between which a property ends.

    >>> last_true(lambda at: at <= 1, 0.0, 2.0)
    (1.0, 1.0000000000000002)
    """
    low, high = bisect(lambda at: holds(at).astype(np.float64), *(np.array([min(inside, outside)]),
                       np.array([max(inside, outside)])))  # fmt: skip
    ends = (float(low[0]), float(high[0]))
    return ends if inside < outside else ends[::-1]


def flat_points(landscape: Landscape, samples: Samples, flats: Flats) -> list[CriticalPoint]:
    """Return a point for each flat piece, and for each faded stretch in the middle of the domain.

    Of a faded stretch the signs of f′ on either side tell what lies inside.
    """
    found = [_point(landscape, low, high, "flat", (0.0,)) for low, high in flats.pieces.tolist()]
    for low, high in flats.faded.tolist():
        sure = np.abs(samples.sign) == 1
        before, after = samples.sign[sure & (samples.at < low)], samples.sign[sure & (samples.at > high)]
        if not before.size or not after.size:
            continue
        left, right = before[-1], after[0]
        kind = "inflection" if left == right else "minimum" if left < right else "maximum"
        found.append(_point(landscape, low, high, kind, ()))
    return found


def _point(
    landscape: Landscape, low: float, high: float, kind: str, curvature: tuple[float, ...]
) -> CriticalPoint:
    name = landscape.loss.weights[0]
    middle = 0.5 * (low + high)
    short = round(middle, int(9 - np.floor(np.log10(landscape.width[0]))))
    if abs(short - middle) <= 1e-12 * landscape.width[0]:
        middle = short + 0.0
    value = float(landscape.value(np.array([[middle]]))[0])
    if np.isnan(value):
        value = float(landscape.value(np.array([[low]]))[0])
    return CriticalPoint({name: middle}, value, kind, curvature=curvature, interval={name: (low, high)})  # type: ignore[arg-type]


def unresolved(landscape: Landscape, samples: Samples, flats: Flats) -> tuple[Mapping[str, object], ...]:
    """Return the stretches about which nothing, or not all, can be said."""
    faded = "∂L/∂w is smaller than any number a computer holds: it may be zero or not"
    rough = "∂L/∂w changes too fast to be followed: there may be more critical points"
    name = landscape.loss.weights[0]
    found = [(low, high, faded) for low, high in flats.faded.tolist()]
    found += [(low, high, rough) for low, high in samples.rough.tolist()]
    return tuple({"interval": {name: (low, high)}, "reason": reason} for low, high, reason in sorted(found))


def undefined(landscape: Landscape, samples: Samples) -> list[Mapping[str, object]]:
    """Return the stretches where the loss itself is not a number."""
    name = landscape.loss.weights[0]
    at = samples.at
    found: list[Mapping[str, object]] = []
    if np.isfinite(samples.slope).all():
        return found

    def missing(points: Array) -> Mask:
        result: Mask = np.isnan(landscape.value(points[None]))
        return result

    for first, last in runs_of(missing(at)):
        low, high = float(at[first]), float(at[last])
        if first > 0:
            low = last_true(missing, low, float(at[first - 1]))[0]
        if last < at.size - 1:
            high = last_true(missing, high, float(at[last + 1]))[0]
        near = 1e-15 * landscape.width[0]
        interval = tuple(0.0 if abs(end) < near else end for end in (low, high))
        found.append({"interval": {name: interval}, "reason": "the loss is not defined"})
    return found
