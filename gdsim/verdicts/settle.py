"""Where a run settled: at which critical point, if any.

With one weight, *settled at c* means that between w and c there is no other zero of f′ and no change of sign
of f″; this tells w⁴ (still creeping towards its minimum) from tanh²w (on a plateau). With several weights,
Newton's method from w must reach c, and the Hessian must have the same inertia at both ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gdsim.critical.landscape import Landscape
from gdsim.losses import Loss
from gdsim.outcomes import CriticalPoint, Search

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

NEAR = 0.01  # of the domain's width: closer to its point, a run that still moves counts as settled
_NOWHERE = -1
_CELLS = 4096
_NEWTON_STEPS = 60


@dataclass(frozen=True, eq=False)
class Terrain:
    """A loss with its critical points, asked where weights belong."""

    loss: Loss
    search: Search

    @cached_property
    def width(self) -> Array:
        """The domain's extent, ``(weights,)``."""
        return np.array([self.search.domain[name][1] - self.search.domain[name][0] for name in self.loss.weights])

    @cached_property
    def slopes(self) -> Landscape:
        """Value, gradient and Hessian."""
        return Landscape(self.loss, self.search.domain)

    @cached_property
    def points(self) -> Array:
        """The critical points' coordinates, ``(weights, points)``."""
        return np.array(
            [[point.weight[name] for point in self.search.critical_points] for name in self.loss.weights]
        ).reshape(len(self.loss.weights), -1)

    def has(self, *kinds: str) -> bool:
        """Whether a point of one of these kinds exists in the domain."""
        return any(point.kind in kinds for point in self.search.critical_points)

    def distance(self, weight: Array, place: Integers) -> Array:
        """How far each weight ``(weights, runs)`` is from its point, in parts of the domain's width."""
        away: Array = np.full(place.shape, np.inf)
        known = place >= 0
        gap = np.abs(weight[:, known] - self.points[:, place[known]]) / self.width[:, None]
        away[known] = gap.max(axis=0, initial=0.0)
        for index in np.flatnonzero(known):
            if self.search.critical_points[place[index]].kind == "flat":
                away[index] = 0.0
        return away

    def settled(self, weight: Array) -> Integers:
        """Return for each weight ``(weights, runs)`` the place of the point where it settled, or −1."""
        with np.errstate(all="ignore"):
            if not self.points.size:
                return np.full(weight.shape[1], _NOWHERE, dtype=np.int64)
            if len(self.loss.weights) == 1:
                return self._settled_on_a_line(weight[0])
            return np.array([self._settled_in_space(column) for column in weight.T], dtype=np.int64)

    # -- one weight -------------------------------------------------------------------------------

    def _settled_on_a_line(self, weight: Array) -> Integers:
        place = np.full(weight.shape, _NOWHERE, dtype=np.int64)
        points = self.points[0]
        for side in (np.searchsorted(points, weight, side="right") - 1, np.searchsorted(points, weight, side="left")):
            valid = (side >= 0) & (side < points.size)
            at = points[np.clip(side, 0, points.size - 1)]
            low, high = np.minimum(weight, at), np.maximum(weight, at)
            between = np.searchsorted(self._bends, high, side="left") - np.searchsorted(self._bends, low, side="right")
            free = valid & (between <= 0)
            nearer = free & (
                (place == _NOWHERE) | (np.abs(weight - at) < np.abs(weight - points[np.clip(place, 0, None)]))
            )
            place[nearer] = side[nearer]
        for index, point in enumerate(self.search.critical_points):
            if point.kind == "flat":
                first, last = point.interval[self.loss.weights[0]]
                place[(weight >= first) & (weight <= last)] = index
        # a kink is no place to come to rest beside: only on it
        kinks = np.array([point.kind == "kink" for point in self.search.critical_points])
        beside = (place >= 0) & kinks[place] & (np.abs(weight - points[place]) > 1e-9 * self.width[0])
        place[beside] = _NOWHERE
        flats = np.array([point.kind == "flat" for point in self.search.critical_points])
        on_flat = np.zeros(weight.shape, dtype=bool)
        for point in self.search.critical_points:
            if point.kind == "flat":
                first, last = point.interval[self.loss.weights[0]]
                on_flat |= (weight >= first) & (weight <= last)
        place[(place >= 0) & flats[place] & ~on_flat] = _NOWHERE
        place[~np.isfinite(weight)] = _NOWHERE
        return place

    @cached_property
    def _bends(self) -> Array:
        """Where f″ changes sign, ascending; critical points themselves do not count."""
        low, high = self.search.domain[self.loss.weights[0]]
        grid = np.linspace(low - 0.1 * (high - low), high + 0.1 * (high - low), _CELLS)
        grid = np.unique(np.concatenate([grid, self.points[0]]))
        bend = self._bend(grid)
        change = np.flatnonzero(bend[:-1] * bend[1:] < 0)
        a, b = grid[change], grid[change + 1]
        sign = np.sign(bend[change])
        for _ in range(60):
            middle = (a + b) / 2
            same = np.sign(self._bend(middle)) == sign
            a, b = np.where(same, middle, a), np.where(same, b, middle)
        found = list((a + b) / 2)
        for index in np.flatnonzero(bend == 0.0):
            if 0 < index < grid.size - 1 and bend[index - 1] * bend[index + 1] < 0:
                found.append(grid[index])
        away = [
            value for value in found if np.abs(self.points[0] - value).min(initial=np.inf) > 1e-9 * self.width[0]
        ]
        return np.array(sorted(away))

    def _bend(self, weight: Array) -> Array:
        bend: Array = self.slopes.hessian(weight[None, :])[0, 0]
        return bend

    # -- several weights ----------------------------------------------------------------------------

    def _settled_in_space(self, weight: Array) -> int:
        if not np.isfinite(weight).all():
            return _NOWHERE
        reached = self._newton(weight)
        gap = (np.abs(self.points - reached[:, None]) / self.width[:, None]).max(axis=0)
        place = int(gap.argmin())
        point = self.search.critical_points[place]
        if point.kind == "flat":
            return place if self._in_valley(weight, point) else _NOWHERE
        near = (np.abs(weight - self.points[:, place]) / self.width).max()
        if not point.multiplicity:  # degenerate: Newton creeps, and the inertia says nothing
            return place if gap[place] <= NEAR and near <= NEAR else _NOWHERE
        if gap[place] > 1e-6:
            return _NOWHERE
        same = self._inertia(weight) == self._inertia(self.points[:, place])
        return place if same else _NOWHERE

    def _newton(self, weight: Array) -> Array:
        for _ in range(_NEWTON_STEPS):
            gradient = self.slopes.gradient(weight[:, None])[:, 0]
            hessian = self.slopes.hessian(weight[:, None])[:, :, 0]
            if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
                break
            step = np.linalg.lstsq(hessian, -gradient, rcond=1e-12)[0]
            weight = weight + step
            if (np.abs(step) <= 1e-13 * self.width).all():
                break
        return weight

    def _in_valley(self, weight: Array, point: CriticalPoint) -> bool:
        inside = all(
            low - NEAR * width <= value <= high + NEAR * width
            for value, (low, high), width in zip(weight, point.interval.values(), self.width, strict=True)
        )
        eigenvalues = np.abs(np.linalg.eigvalsh(self.slopes.hessian(weight[:, None])[:, :, 0]))
        return bool(inside and eigenvalues.min() <= 1e-4 * max(eigenvalues.max(), 1e-300))

    def _inertia(self, weight: Array) -> tuple[int, int]:
        hessian = self.slopes.hessian(weight[:, None])[:, :, 0]
        if not np.isfinite(hessian).all():
            return (-1, -1)
        eigenvalues = np.linalg.eigvalsh(hessian)
        return int((eigenvalues > 0).sum()), int((eigenvalues < 0).sum())

    def curvature(self, weight: Array) -> Array:
        """The largest eigenvalue of the Hessian at each weight ``(weights, places)``; nan where not finite."""
        with np.errstate(all="ignore"):
            hessian = self.slopes.hessian(weight).transpose(2, 0, 1)
            finite = np.isfinite(hessian).all(axis=(1, 2))
            result = np.full(weight.shape[1], np.nan)
            if finite.any():
                result[finite] = np.linalg.eigvalsh(hessian[finite])[:, -1]
            return result
