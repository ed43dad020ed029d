"""Secants round a weight: difference quotients in narrower and narrower windows, on both sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gdsim.outcomes import Fault, InputError
from gdsim.plots import slopes, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]

_SHARE = 0.6  # of half a window: where the second point of the secant stands
_STEEPER = 4.0  # times: a first secant so much steeper than the tangent would make all else look flat
_DEEP = (7, 8, 9)  # windows, far beyond the last one shown, by which a kink is told from a bend
_KEPT = 0.7  # of the gap between left and right slope: what a kink keeps where a smooth curve keeps 1/5
_NOISE = 50.0  # roundings of the loss, above which a gap between slopes is believed
_NARROWER = (5.0, 10.0, 20.0)  # times, from window to window: the first that straightens a smooth curve
_STRAIGHT = 0.05  # of the window's diagonal slope: where left and right differ by less
WINDOWS = 4
_SAMPLES = 401  # odd: the weight itself is among them
_LETTERS = 2  # of a weight's name; a longer one is called w here


@dataclass(frozen=True)
class Window:
    """What is seen round a weight, as distances from it and from the loss there.

    Attributes
    ----------
    reach, rise
        Half its width in units of w, half its height in units of the loss.
    change
        Δw, exactly as it is added in floating-point arithmetic.
    right, left
        The difference quotients (f(w + Δw) − f(w))/Δw and (f(w) − f(w − Δw))/Δw.
    """

    reach: float
    rise: float
    change: float
    right: float
    left: float


@dataclass(frozen=True)
class Place:
    """A weight that is looked at: the loss and its slope there, the widest Δw."""

    run: Run
    weight: float
    loss: float
    slope: float
    widest: float
    narrower: float = _NARROWER[0]

    @classmethod
    def of(cls, run: Run, at: Sequence[int]) -> Place:
        """Return the start of a run, or its weight at a step. Raises InputError for several steps."""
        if len(at) > 1:
            raise InputError(Fault(f"a zoom looks at one step, not {len(at)}", "one step", path="at"))
        record = int(np.searchsorted(run.trajectory.step_index, at[0])) if at else 0
        weight = float(run.trajectory.weight[record, 0, 0])
        if not math.isfinite(weight):
            raise InputError(
                Fault(f"the weight at step {at[0]} is not a number", "an earlier step", path="at")
            )
        here = np.array([[weight]])
        low, high = run.search.domain[run.loss.weights[0]]
        loss, slope = float(run.loss.evaluate(here)[0]), float(slopes.slope(run.loss, here[0])[0])
        widest = [round_below(part * (high - low)) for part in (0.35, 0.14, 0.07, 0.035)]
        places = [cls(run, weight, loss, slope, change) for change in widest]
        place = next((place for place in places if place.gentle()), places[0])
        closer = [replace(place, narrower=times) for times in _NARROWER]
        return next((one for one in closer if one.straightens()), place)

    @property
    def letter(self) -> str:
        """The name of the weight, if it is short."""
        name = self.run.loss.weights[0]
        return name if len(name) <= _LETTERS else "w"

    @property
    def where(self) -> str:
        """Which weight is looked at."""
        return f"at {self.run.loss.weights[0]} = {text.short(self.weight)}"

    def gentle(self) -> bool:
        """Whether the widest secants are not far steeper than the tangent."""
        sides = [_quotient(self, sign * self.widest) for sign in (1, -1)]
        return all(not abs(side) > _STEEPER * abs(self.slope) for side in sides)

    def window(self, level: float) -> Window:
        """Return the window at a level, from 0; each level is so many times narrower."""
        scale = self.narrower**-level
        change = (self.weight + scale * self.widest) - self.weight
        right, left = _quotient(self, change), _quotient(self, -change)
        reach = scale * self.widest / _SHARE
        first = self.widest
        heights = np.abs(
            [
                self.slope * first / _SHARE,
                first * _quotient(self, first),
                first * _quotient(self, -first),
            ]
        )
        seen = heights[np.isfinite(heights) & (heights > 0)]
        return Window(reach, scale * 1.15 * float(seen.max(initial=0.0) or 1.0), change, right, left)

    def curve(self, window: Window) -> tuple[Array, Array]:
        """Return the loss in a window, as distances."""
        places = self.weight + np.linspace(-window.reach, window.reach, _SAMPLES)
        return places - self.weight, self.run.loss.evaluate(places[None, :]) - self.loss

    def straightens(self) -> bool:
        """Whether the curve is straight in the last window."""
        last = self.window(WINDOWS - 1)
        return abs(last.right - last.left) <= _STRAIGHT * last.rise / last.reach

    @cached_property
    def bent(self) -> bool:
        """Whether the slopes on the left and on the right stay apart however far the window narrows."""
        deep = [self.window(level) for level in _DEEP]
        gaps = [abs(window.right - window.left) for window in deep]
        rounding = _NOISE * 2.0**-52 * max(abs(self.loss), 1e-300) / abs(deep[-1].change or math.inf)
        kept = all(after > _KEPT * before for before, after in pairwise(gaps))
        return kept and gaps[-1] > max(rounding, 1e-6 * abs(deep[-1].right))

    def words(self) -> str:
        """Return what the zoom comes to."""
        here = self.where
        if not math.isfinite(self.loss):
            return f"{here}: f is not a number"
        if self.bent:
            last = self.window(_DEEP[0])
            left, right = (text.short(float(f"{side:.3g}")) for side in (last.left, last.right))
            return f"a kink: {left} left, {right} right"
        return f"{here}: f′ = {text.short(self.slope + 0.0)}"


def round_below(value: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is not above a value.

    >>> round_below(0.9), round_below(35.0), round_below(2.0)
    (0.5, 20.0, 2.0)
    """
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-12))


def _quotient(place: Place, change: float) -> float:
    if change == 0:
        return math.nan
    there = float(place.run.loss.evaluate(np.array([[place.weight + change]]))[0])
    return (there - place.loss) / ((place.weight + change) - place.weight)
