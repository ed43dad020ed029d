"""Where a run settled: at which critical point, if any.

With one weight, *settled at c* means that between w and c there is no other zero of f′ and no change of sign
of f″; this tells w⁴ (creeping towards its minimum) from tanh²w (on a plateau). With several weights, Newton's
method from w must reach c, and the Hessian must keep its inertia on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim.critical.numerical.inertia import finite_matrices
from gdsim.critical.numerical.landscape import Landscape
from gdsim.critical.numerical.one_dimension import bends
from gdsim.losses import Loss
from gdsim.outcomes import CriticalPoint, Search

Array: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

NOWHERE = -1
_SAME = 1e-9  # of the domain: nearer positions are one
_REACHED = 1e-6  # of the domain: Newton has arrived
_CREPT = 1e-3  # the same for a multiple zero, to which Newton only creeps
_NEWTON_STEPS = 60
_MANY = 1 << 12  # weights for which a table is worth its making


class Settling(NamedTuple):
    """For each run the place of its point in ``search.critical_points`` (−1: none); whether it is sure."""

    place: Integers
    sure: Mask


@dataclass(frozen=True, eq=False, repr=False)
class Terrain:
    """A loss with its critical points, asked where weights belong."""

    loss: Loss
    search: Search

    @cached_property
    def width(self) -> Array:
        """The domain's extent, ``(weights,)``."""
        return self.landscape.width

    @cached_property
    def landscape(self) -> Landscape:
        """Value, gradient and Hessian."""
        return Landscape(self.loss, self.search.domain)

    @cached_property
    def points(self) -> Array:
        """The critical points' coordinates, ``(weights, points)``."""
        return np.array(
            [[point.weight[name] for point in self.search.critical_points] for name in self.loss.weights],
            dtype=np.float64,
        ).reshape(len(self.loss.weights), -1)

    def _hulls(self, place: int) -> tuple[Array, Array]:
        """The ends of the interval of a point, each ``(weights,)``."""
        interval = self.search.critical_points[place].interval
        low, high = np.array([interval[name] for name in self.loss.weights], dtype=np.float64).T
        return low, high

    def _of_kind(self, *kinds: str) -> Mask:
        return np.array([point.kind in kinds for point in self.search.critical_points], dtype=bool)

    # -- which points can hold a run ------------------------------------------------------------------

    @cached_property
    def lows(self) -> tuple[CriticalPoint, ...]:
        """The points from which the loss does not fall: minima, and kinks and flat pieces that are low.

        One whose kind could not be told is taken to be low, so that nothing is denied without reason.
        """
        return tuple(
            point for place, point in enumerate(self.search.critical_points) if self._is_low(place, point)
        )

    @property
    def may_hold_a_minimum(self) -> bool:
        """Whether the domain has a low point, or kinks that were not sought (several weights)."""
        return bool(self.lows) or (len(self.loss.weights) > 1 and bool(self.search.unresolved))

    def _is_low(self, place: int, point: CriticalPoint) -> bool:
        if point.kind in ("minimum", "undecided"):
            return True
        if point.kind not in ("kink", "flat"):
            return False
        if len(self.loss.weights) > 1:
            return point.kind == "kink" or min(point.curvature, default=0.0) >= -1e-9 * max(
                np.abs(point.curvature).max(initial=0.0), 1e-300
            )
        low, high = self._hulls(place)
        beside = np.concatenate([low - 1e-6 * self.width, high + 1e-6 * self.width])
        with np.errstate(all="ignore"):
            values = self.landscape.value(beside[None])
        return bool((np.isnan(values) | (values >= point.loss)).all())

    # -- settling ---------------------------------------------------------------------------------------

    def settled(self, weight: Array) -> Settling:
        """Return where each weight ``(weights, runs)`` settled.

        Cost: a few array operations for one weight; up to 60 Newton steps of all runs at once for several.
        """
        runs = weight.shape[1]
        nowhere = Settling(np.full(runs, NOWHERE, dtype=np.int64), np.ones(runs, dtype=bool))
        if not runs:
            return nowhere
        with np.errstate(all="ignore"):
            if len(self.loss.weights) == 1:
                if not self.points.size:
                    return nowhere
                return Settling(self._place_on_a_line(weight[0]), nowhere.sure)
            return self._in_space(weight)

    def distance(self, weight: Array, place: Integers) -> Array:
        """How far each weight ``(…, weights, runs)`` is from its point or flat piece, of the same shape.

        inf where it has none.
        """
        if not self.points.size:
            return np.full(weight.shape, np.inf)
        away = weight - self.points[:, place]
        np.abs(away, out=away)
        for index in np.flatnonzero(self._of_kind("flat")):
            here = place == index
            low, high = self._hulls(int(index))
            on_it = weight[..., here]
            away[..., here] = np.abs(on_it - np.clip(on_it, low[:, None], high[:, None]))
        nowhere = place == NOWHERE
        if nowhere.any():
            away[..., nowhere] = np.inf
        return away

    def _place_on_a_line(self, weight: Array) -> Integers:
        if weight.size < _MANY:
            return self._on_a_line(weight)
        ends, places = self._stretches
        return places[np.searchsorted(ends, weight)]

    @cached_property
    def _stretches(self) -> tuple[Array, Integers]:
        """The line in stretches on which weights settle at one point: their last weights, and the points.

        Where a stretch ends is asked of :meth:`_on_a_line`, so that the table gives what that gives. Its
        answer can change beside critical points, where f″ changes sign, at the ends of hulls, and once
        between two neighbours that are equally far.
        """
        pieces = np.flatnonzero(self._of_kind("flat", "kink")).tolist()
        hulls = np.array([end[0] for piece in pieces for end in self._hulls(piece)])
        room = _SAME * self.width[0]
        marks = np.concatenate([self.points[0], self._bends, hulls - room, hulls + room])
        marks = np.concatenate([marks, np.nextafter(marks, -np.inf), np.nextafter(marks, np.inf)])
        most = np.finfo(np.float64).max
        marks = np.unique(np.concatenate([marks, [-most, most]]))
        low, high = marks[:-1], marks[1:]
        while True:  # halve every stretch at whose ends the answers differ
            place = self._on_a_line(marks)
            open_ = (place[:-1] != place[1:]) & (np.nextafter(low, high) != high)
            if not open_.any():
                break
            marks = np.unique(np.concatenate([marks, 0.5 * low[open_] + 0.5 * high[open_]]))
            low, high = marks[:-1], marks[1:]
        last = np.flatnonzero(place[:-1] != place[1:])
        ends = np.concatenate([[np.nextafter(-most, -np.inf)], marks[last], [most]])
        return ends, np.concatenate([[NOWHERE], place[last], place[-1:], [NOWHERE]])

    def _on_a_line(self, weight: Array) -> Integers:
        place = np.full(weight.shape, NOWHERE, dtype=np.int64)
        nearest = np.full(weight.shape, np.inf)
        points = self.points[0]
        still = ~self._of_kind("flat", "kink")
        left = np.searchsorted(points, weight, side="right") - 1
        for side in (left, left + 1):
            known = (side >= 0) & (side < points.size)
            index: Integers = np.clip(side, 0, points.size - 1)
            at = points[index]
            low, high = np.minimum(weight, at), np.maximum(weight, at)
            changes = np.searchsorted(self._bends, high, "left") - np.searchsorted(self._bends, low, "right")
            away = np.abs(weight - at)
            free = known & still[index] & (changes <= 0) & (away < nearest)
            place, nearest = np.where(free, index, place), np.where(free, away, nearest)
        # a kink is no place to come to rest beside, only on; a flat piece holds what lies on it
        for piece in np.flatnonzero(~still):
            low, high = (end[0] for end in self._hulls(int(piece)))
            room = _SAME * self.width[0]
            place = np.where((weight >= low - room) & (weight <= high + room), piece, place)
        result: Integers = np.where(np.isfinite(weight), place, NOWHERE)
        return result

    @cached_property
    def _bends(self) -> Array:
        """Where f″ changes sign in and round the domain, ascending; at a critical point it does not count."""
        ((name, (low, high)),) = self.search.domain.items()
        room = 0.1 * (high - low)
        found = bends(Landscape(self.loss, {name: (low - room, high + room)}))
        apart = np.abs(found[:, None] - self.points[0]).min(axis=1, initial=np.inf)
        kept: Array = found[apart > 1e-7 * self.width[0]]
        return kept

    def _in_space(self, weight: Array) -> Settling:
        limit, same_inertia, arrived = self._newton(weight)
        place = np.full(weight.shape[1], NOWHERE, dtype=np.int64)
        simple = np.array(
            [point.multiplicity is not None for point in self.search.critical_points], dtype=bool
        )
        if self.points.size:
            apart = np.abs(limit[:, :, None] - self.points[:, None, :]) / self.width[:, None, None]
            gap = np.where(np.isnan(apart), np.inf, apart).max(axis=0)
            nearest = gap.argmin(axis=1)
            reached = gap.min(axis=1) <= np.where(simple[nearest], _REACHED, _CREPT)
            reached &= ~self._of_kind("flat", "kink")[nearest]
            place = np.where(reached & same_inertia, nearest, NOWHERE)
            arrived = arrived | reached
        for index in np.flatnonzero(self._of_kind("flat")):
            on = self._on_piece(limit, int(index)) & arrived & same_inertia
            place = np.where(on, index, place)
        for index in np.flatnonzero(self._of_kind("kink")):
            on_kink = (np.abs(weight - self.points[:, [index]]) <= _SAME * self.width[:, None]).all(axis=0)
            place = np.where(on_kink, index, place)
        return Settling(place, arrived | (place >= 0))

    def _on_piece(self, limit: Array, index: int) -> Mask:
        low, high = self._hulls(index)
        room = 0.02 * self.width
        inside = (limit >= (low - room)[:, None]) & (limit <= (high + room)[:, None])
        level = self.search.critical_points[index].loss
        values = self.landscape.value(limit)
        bends = np.moveaxis(self.landscape.hessian(limit), -1, 0)
        sizes = np.abs(
            np.linalg.eigvalsh(np.where(finite_matrices(bends)[:, None, None], bends, np.eye(len(low))))
        )
        singular = sizes.min(axis=1) <= 1e-6 * np.maximum(sizes.max(axis=1), 1e-300)
        result: Mask = inside.all(axis=0) & singular & (np.abs(values - level) <= 1e-6 * (1.0 + abs(level)))
        return result

    def _newton(self, weight: Array) -> tuple[Array, Mask, Mask]:
        """Newton steps through the pseudo-inverse from every run.

        Returns where they lead, whether the inertia stayed the same on the way, and whether they arrived.
        """
        at = weight.copy()
        width = self.width[:, None]
        going: Mask = np.asarray(np.isfinite(at).all(axis=0))
        arrived = np.zeros(at.shape[1], dtype=bool)
        same = np.ones(at.shape[1], dtype=bool)
        first = np.zeros_like(at)
        leapt: Mask = np.zeros(at.shape[1], dtype=bool)  # with the step before
        for step_number in range(_NEWTON_STEPS):
            runs = np.flatnonzero(going)
            if not runs.size:
                break
            slopes, stacked = self.landscape.gradient(at[:, runs]), self.landscape.hessian(at[:, runs])
            stacked = np.moveaxis(stacked, -1, 0)
            usable = finite_matrices(stacked) & np.isfinite(slopes).all(axis=0)
            values, vectors = np.linalg.eigh(np.where(usable[:, None, None], stacked, 0.0))
            largest = np.abs(values).max(axis=1, keepdims=True)
            zero = np.abs(values) <= (1e-10 if self.landscape.exact else 1e-6) * largest
            along = np.einsum("rij,ir->rj", vectors, slopes)
            parts = np.where(zero, 0.0, along / np.where(zero, 1.0, values))
            step = -np.einsum("rij,rj->ir", vectors, parts)
            signs = np.sign(np.where(zero, 0.0, values)).T  # in ascending order: equal where the inertia is
            short = (np.abs(step) <= _SAME * width).all(axis=0)
            if step_number == 0:
                first[:, runs] = signs
            # at a multiple zero itself, to which Newton only creeps, the Hessian says nothing
            turned = (signs * first[:, runs] < 0.0).any(axis=0)
            same[runs] &= np.where(short, ~(leapt[runs] & turned), (signs == first[:, runs]).all(axis=0))
            leapt[runs] = ~short
            at[:, runs] += np.where(usable, step, 0.0)
            arrived[runs] |= usable & (np.abs(step) <= 1e-13 * width).all(axis=0)
            lost = (np.abs(at[:, runs] - self.landscape.low[:, None]) > 100 * width).any(axis=0)
            going[runs] = usable & ~arrived[runs] & ~lost
        return at, same, arrived

    def curvature(self, weight: Array) -> Array:
        """The largest eigenvalue of the Hessian at weights ``(weights, places)``; nan where not finite."""
        with np.errstate(all="ignore"):
            stacked = np.moveaxis(self.landscape.hessian(weight), -1, 0)
            finite = finite_matrices(stacked)
            result = np.full(weight.shape[1], np.nan)
            if finite.any():
                result[finite] = np.linalg.eigvalsh(stacked[finite])[:, -1]
            return result
