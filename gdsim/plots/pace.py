"""When an animation is at which step: time → position, so that an eye can follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_FIRST = 0.8  # seconds that the first step of a long run is given
_OPENING = 0.1  # of the time in which the weight moves: the start is looked at, at most _FIRST seconds
_REST = 0.25  # of a step's time: the weight rests before it leaves
_FOLLOWED = 0.15  # seconds: a shorter step is a jump
_A_STEP, _LEAST, _MOST = 0.9, 2.0, 10.0  # seconds: of each step, of all steps of a short and a long run


@dataclass(frozen=True)
class Pace:
    """When a run is at which step.

    Attributes
    ----------
    stops
        The steps at which the weight rests, ascending, at least one.
    seconds
        How long all of it takes.
    hold
        How long the last stop is held at the end, in seconds, less than all of it.

    Notes
    -----
    The first stop is looked at for a moment. Then each step rests, eases out and eases in by 3u² − 2u³. Steps
    take equally long where there is time; in a long run step k takes d/(1 + ck) seconds, so that the first
    ones are slow enough to follow, and those of less than 0.15 s are jumps.
    """

    stops: Sequence[int]
    seconds: float
    hold: float = 0.0

    def position(self, time: float | Array) -> Array:
        """Return the positions at times in seconds: never falling, by each stop to the last."""
        stops = np.asarray(self.stops, dtype=np.float64)
        lasting = self.durations
        if not lasting.size:
            return np.full(np.shape(time), stops[0])
        ends = self._opening + np.cumsum(lasting)
        ends[-1] = self.seconds - self.hold  # free of rounding
        leg = np.minimum(np.searchsorted(ends, time, side="right"), lasting.size - 1)
        gone = 1 - (ends[leg] - time) / lasting[leg]
        part = np.clip((gone - _REST) / (1 - _REST), 0.0, 1.0)
        eased = np.where(lasting[leg] < _FOLLOWED, np.floor(part), part * part * (3 - 2 * part))
        found: Array = (1 - eased) * stops[leg] + eased * stops[leg + 1]
        return found

    @property
    def _opening(self) -> float:
        return min(_FIRST, _OPENING * (self.seconds - self.hold))

    @cached_property
    def durations(self) -> Array:
        """How long each step takes, from stop to stop, in seconds ``(stops − 1,)``."""
        return durations(len(self.stops) - 1, self.seconds - self.hold - self._opening)


def durations(count: int, seconds: float) -> Array:
    """Share seconds among steps: equally, or d/(1 + ck) where a step would be shorter than 0.8 s.

    >>> durations(4, 10.0)
    array([2.5, 2.5, 2.5, 2.5])
    >>> durations(100, 10.0)[[0, 9, 99]].round(3)
    array([0.8  , 0.227, 0.028])
    """
    first = min(_FIRST, seconds / 4)
    if count * first <= seconds:
        return np.full(count, seconds / max(count, 1))
    from scipy.optimize import brentq

    order = np.arange(count)

    def surplus(logarithm: float) -> float:
        return float((first / (1 + np.exp(logarithm) * order)).sum() - seconds)

    rate = float(np.exp(brentq(surplus, -30.0, 30.0)))
    lasting = first / (1 + rate * order)
    shared: Array = np.asarray(lasting * (seconds / lasting.sum()), dtype=np.float64)
    return shared


def usual_seconds(count: int, hold: float) -> float:
    """Return how long an animation of so many steps takes by default, the held end included.

    >>> [usual_seconds(count, 2.0) for count in (0, 1, 5, 1000)]
    [4.0, 4.0, 6.5, 12.0]
    """
    return hold + min(max(_A_STEP * count, _LEAST), _MOST)
