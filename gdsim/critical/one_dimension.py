"""One weight: sign changes of f′ on an adaptive grid, touches, kinks, flat pieces, poles.

A point is classified by the sign of f′ on either side, never by f″ alone: that tells w⁴ (minimum) from w³
and w⁵ (inflections). All roots are polished together, by bisection on arrays of brackets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from gdsim.critical.slopes import Slopes, slopes_of
from gdsim.losses import Loss
from gdsim.outcomes import CriticalKind, CriticalPoint, Interval, Search

Array = NDArray[np.float64]

_CELLS = 2048
_ROUNDS = 8
_MOST_POINTS = 200_000
_BISECTIONS = 110  # from a cell's width down to neighbouring doubles, or to 1e-36 around zero
_EDGE = 1e-9  # of the domain's width: closer to an end counts as on the boundary


@dataclass(frozen=True)
class _Found:
    """A place to report: where, what, and the bracket that holds it."""

    weight: float
    kind: CriticalKind
    low: float
    high: float
    multiplicity: int | None = None


def search(loss: Loss, domain: dict[str, Interval], extra_starts: Sequence[Sequence[float]] = ()) -> Search:
    """Find the critical points of a loss of one weight; see :func:`gdsim.critical.find`."""
    (name,) = loss.weights
    finder = _Finder(loss, *domain[name])
    with np.errstate(all="ignore"):
        found, singular = finder.go([start[0] for start in extra_starts])
        points = tuple(finder.point(name, place) for place in found)
    return Search(
        domain=domain,
        critical_points=points,
        complete=False,
        singular=tuple({"interval": {name: place}, "reason": reason} for place, reason in singular),
    )


class _Finder:
    def __init__(self, loss: Loss, low: float, high: float) -> None:
        self.low, self.high, self.width = low, high, high - low
        self.slopes: Slopes = slopes_of(loss, np.array([self.width]))

    def value(self, weight: Array) -> Array:
        return self.slopes.value(weight[None, :])

    def slope(self, weight: Array) -> Array:
        return self.slopes.gradient(weight[None, :])[0]

    def bend(self, weight: Array) -> Array:
        return self.slopes.hessian(weight[None, :])[0, 0]

    # -- the search -----------------------------------------------------------------------------

    def go(self, extra: Sequence[float]) -> tuple[list[_Found], list[tuple[Interval, str]]]:
        """Return the critical points in ascending order, and the poles and edges met."""
        grid = self._grid(extra)
        slope = self.slope(grid)
        flats = self._flats(grid, slope)
        found = [
            _Found((low + high) / 2, "flat", low, high) for low, high in flats
        ]
        cusps, singular = self._undefined(grid, slope)
        roots, poles = self._sign_changes(grid, slope)
        found += cusps + roots
        singular += [
            pole for pole in poles
            if not any(low <= pole[0][0] and pole[0][1] <= high for (low, high), _ in singular)
        ]  # fmt: skip
        found += self._zeros_on_grid(grid, slope, flats)
        found += self._touches(grid, slope)
        edge = _EDGE * self.width
        inside = [
            place for place in found
            if place.high >= self.low - edge and place.low <= self.high + edge
        ]  # fmt: skip
        return self._deduplicated(inside), [
            (place, reason) for place, reason in singular if place[1] >= self.low and place[0] <= self.high
        ]

    def _grid(self, extra: Sequence[float]) -> Array:
        """Return a grid one cell wider than the domain, finer where f′ bends between its points."""
        cell = self.width / _CELLS
        grid = self.low + cell * np.arange(-1, _CELLS + 2)
        grid[-2] = self.high  # exactly, whatever the rounding of the sum
        near = [start for start in extra if self.low <= start <= self.high]
        grid = np.unique(np.concatenate([grid, near, [0.0] if self.low < 0 < self.high else []]))
        slope = self.slope(grid)
        for _ in range(_ROUNDS):
            middle = (grid[:-1] + grid[1:]) / 2
            between = self.slope(middle)
            left, right = np.abs(slope[:-1]), np.abs(slope[1:])
            off = np.abs(between - (slope[:-1] + slope[1:]) / 2)
            # where the chord is off by a good part of the smaller end, a pair of roots may hide
            fine = (off > 0.3 * np.minimum(left, right)) & (middle > grid[:-1]) & (middle < grid[1:])
            fine &= (np.diff(grid) > self.width * 2.0**-24) & (np.maximum(left, right) > 0)
            if not fine.any() or grid.size + fine.sum() > _MOST_POINTS:
                break
            grid = np.concatenate([grid, middle[fine]])
            order = np.argsort(grid)
            slope = np.concatenate([slope, between[fine]])[order]
            grid = grid[order]
        return grid

    def _flats(self, grid: Array, slope: Array) -> list[Interval]:
        """Return the stretches of at least three grid points where f′ is exactly zero, ends refined."""
        flats = []
        for first, last in _runs(slope == 0.0):
            if last - first >= 2:
                low = self._edge_of_zero(grid[first], grid[first - 1]) if first else grid[0]
                high = self._edge_of_zero(grid[last], grid[last + 1]) if last + 1 < grid.size else grid[-1]
                low, high = max(low, self.low), min(high, self.high)
                if high - low > 2.5 * self.width / _CELLS or last - first > 4:
                    flats.append((float(low), float(high)))
        return flats

    def _edge_of_zero(self, zero: float, beyond: float) -> float:
        for _ in range(60):
            middle = (zero + beyond) / 2
            if self.slope(np.array([middle]))[0] == 0.0:
                zero = middle
            else:
                beyond = middle
        return self._nicer(float(zero), 1e-9 * self.width)

    def _undefined(
        self, grid: Array, slope: Array
    ) -> tuple[list[_Found], list[tuple[Interval, str]]]:
        """Return cusps on the grid, and the stretches where loss or slope is not a finite number."""
        value = self.value(grid)
        cusps: list[_Found] = []
        stretches: list[tuple[Interval, str]] = []
        for first, last in _runs(~np.isfinite(slope) | ~np.isfinite(value)):
            before, after = max(first - 1, 0), min(last + 1, grid.size - 1)
            weight = float(grid[first])
            if first == last and np.isfinite(value[first]) and self._is_cusp(weight, float(grid[after]) - weight):
                if slope[before] * slope[after] < 0:
                    cusps.append(_Found(weight, "kink", weight, weight))
                continue
            reason = "the loss or its slope is not a finite number here"
            stretches.append(((float(grid[before]), float(grid[after])), reason))
        return cusps, stretches

    def _is_cusp(self, weight: float, gap: float) -> bool:
        """Tell whether the loss is continuous at a point where its slope is not finite."""
        near, far = gap * 2.0**-40, gap * 2.0**-10
        value = self.value(weight + np.array([-far, -near, 0.0, near, far]))
        jump = max(abs(value[1] - value[2]), abs(value[3] - value[2]))
        return bool(jump < 0.5 * max(abs(value[0] - value[2]), abs(value[4] - value[2])))

    def _sign_changes(self, grid: Array, slope: Array) -> tuple[list[_Found], list[tuple[Interval, str]]]:
        change = np.flatnonzero(slope[:-1] * slope[1:] < 0)
        if not change.size:
            return [], []
        start, stop = grid[change], grid[change + 1]
        rising = slope[change] < 0
        low, high = start.copy(), stop.copy()
        for _ in range(_BISECTIONS):
            middle = low + (high - low) / 2
            value = self.slope(middle)
            right = np.where(rising, value > 0, value < 0)
            exact = value == 0
            low, high = np.where(right, low, middle), np.where(right | exact, middle, high)
            if ((high - low <= np.spacing(np.abs(middle))) | exact).all():
                break
        below, above = self.slope(low), self.slope(high)
        found: list[_Found] = []
        poles: list[tuple[Interval, str]] = []
        for place in range(change.size):
            bracket = (float(low[place]), float(high[place]))
            cell = float(stop[place] - start[place])
            sort = self._jump(bracket, cell, float(below[place]), float(above[place]))
            if sort == "pole":
                poles.append((bracket, "pole: the loss is unbounded here"))
            elif sort == "gap":
                poles.append((bracket, "the loss jumps here"))
            else:
                kind: CriticalKind = "kink" if sort == "kink" else "minimum" if rising[place] else "maximum"
                weight = bracket[0] if abs(below[place]) <= abs(above[place]) else bracket[1]
                weight = self._nicer(weight, cell * 1e-6, kink=kind == "kink")
                found.append(_Found(weight, kind, *bracket, self._multiplicity(weight, cell) if kind != "kink" else None))
        return found, poles

    def _jump(self, bracket: Interval, cell: float, below: float, above: float) -> str:
        """Tell a zero of f′ from a jump of f′ (kink), of f (gap) and from a pole."""
        distance = cell * np.array([2.0**-9, 2.0**-10])
        left, right = bracket[0] - distance, bracket[1] + distance
        slope = np.abs(self.slope(np.array([left[1], right[1]])))
        if abs(below) < 0.5 * slope[0] and abs(above) < 0.5 * slope[1]:
            return "zero"
        if max(abs(below), abs(above)) < 1e-3 * float(slope.min()):
            return "zero"
        near = self.value(np.array([*bracket, left[1], right[1], left[0], right[0]]))
        if not np.isfinite(near[:2]).all():
            return "pole"
        # a pole climbs by far more in the last stretch than in the one before it; a cusp does not
        last, before = np.abs(near[:2] - near[2:4]), np.abs(near[2:4] - near[4:6])
        if (last > 50 * before).any() and (last > 0).all():
            return "pole"
        span = max(float(last.max()), float(before.max()))
        return "gap" if abs(near[0] - near[1]) > 0.5 * span > 0 else "kink"

    def _zeros_on_grid(self, grid: Array, slope: Array, flats: list[Interval]) -> list[_Found]:
        """Single grid points at which f′ is exactly zero, outside flat pieces."""
        found = []
        for first, last in _runs(slope == 0.0):
            weight = float(grid[(first + last) // 2])
            if any(low <= weight <= high for low, high in flats) or first == 0 or last + 1 == grid.size:
                continue
            gap = float(min(grid[first] - grid[first - 1], grid[last + 1] - grid[last]))
            if not self._continuous(weight, gap):
                continue
            kind = self._kind_at(weight, gap)
            multiplicity = None if kind == "kink" else self._multiplicity(weight, gap)
            found.append(_Found(weight, kind, weight, weight, multiplicity))
        return found

    def _continuous(self, weight: float, gap: float) -> bool:
        """Tell whether the loss is finite at a zero of f′ and does not jump there."""
        value = self.value(weight + gap * np.array([-(2.0**-30), 0.0, 2.0**-30]))
        if not np.isfinite(value[1]):
            return False
        height = np.abs(self.value(weight + gap * np.array([-0.5, 0.5])) - value[1])
        jump = np.abs(value[[0, 2]] - value[1])
        rounding = 2.0**-40 * (1.0 + abs(float(value[1])))
        return bool((jump <= np.maximum(1e-3 * height, rounding)).all())

    def _kind_at(self, weight: float, gap: float) -> CriticalKind:
        """Classify by the signs of f′ close by; a jump of f′ to either side is a kink."""
        near, far = gap * 2.0**-30, gap * 2.0**-10
        slope = self.slope(weight + np.array([-far, -near, near, far]))
        jumps = np.abs(slope[1:3]) > 0.5 * np.abs(slope[[0, 3]])
        if jumps.all() and slope[1] * slope[2] < 0:
            return "kink"
        return self._kind(float(np.sign(slope[0])), float(np.sign(slope[3])))

    @staticmethod
    def _kind(left: float, right: float) -> CriticalKind:
        kinds = {(-1.0, 1.0): "minimum", (1.0, -1.0): "maximum", (1.0, 1.0): "inflection", (-1.0, -1.0): "inflection"}
        return cast(CriticalKind, kinds.get((left, right), "undecided"))

    def _touches(self, grid: Array, slope: Array) -> list[_Found]:
        """Zeros of f′ without a change of sign: local minima of |f′| that are zero to rounding."""
        size = np.abs(slope)
        inner = np.arange(1, grid.size - 1)
        dip = (size[inner] <= size[inner - 1]) & (size[inner] <= size[inner + 1]) & (size[inner] > 0)
        dip &= (slope[inner - 1] * slope[inner] > 0) & (slope[inner] * slope[inner + 1] > 0)
        # a touch is far lower than its surroundings already on the grid
        dip &= size[inner] < 0.5 * np.maximum(size[inner - 1], size[inner + 1])
        places = inner[dip]
        if not places.size:
            return []
        weight = self._lowest(grid[places - 1], grid[places + 1])
        reached = np.abs(self.slope(weight))
        around = np.maximum(size[places - 1], size[places + 1])
        zero = reached <= self.slopes.noise * around
        found = []
        for place in np.flatnonzero(zero):
            cell = float(grid[places[place] + 1] - grid[places[place] - 1])
            at = self._nicer(float(weight[place]), cell * 1e-9)
            if self._kind_at(at, cell / 4) == "inflection":
                found.append(_Found(at, "inflection", at - cell * 1e-6, at + cell * 1e-6, self._multiplicity(at, cell / 2)))
        return found

    def _lowest(self, low: Array, high: Array) -> Array:
        """Return where |f′| is smallest in each bracket: a root of f″ where it changes sign, else golden section."""
        ends = np.sign(self.bend(low)), np.sign(self.bend(high))
        a, b = low.copy(), high.copy()
        for _ in range(70):
            middle = a + (b - a) / 2
            same = np.sign(self.bend(middle)) == ends[0]
            a, b = np.where(same, middle, a), np.where(same, b, middle)
        root = np.where(np.abs(self.slope(a)) <= np.abs(self.slope(b)), a, b)
        ratio = (np.sqrt(5.0) - 1.0) / 2.0
        a, b = low.copy(), high.copy()
        for _ in range(80):
            c, d = b - ratio * (b - a), a + ratio * (b - a)
            smaller = np.abs(self.slope(c)) < np.abs(self.slope(d))
            a, b = np.where(smaller, a, c), np.where(smaller, d, b)
        golden = (a + b) / 2
        crossing = self.slopes.exact & (ends[0] * ends[1] < 0)
        better = crossing & (np.abs(self.slope(root)) <= np.abs(self.slope(golden)))
        result: Array = np.where(better, root, golden)
        return result

    # -- what a point is ------------------------------------------------------------------------

    def _multiplicity(self, weight: float, gap: float) -> int | None:
        """Return the order of the zero of f′ from its growth, |f′(c ± 2h)|/|f′(c ± h)| → 2^m."""
        orders = []
        for h in gap * np.array([2.0**-6, 2.0**-7]):
            slope = np.abs(self.slope(weight + h * np.array([1.0, 2.0, -1.0, -2.0])))
            if not (np.isfinite(slope).all() and (slope > 0).all()):
                return None
            orders += [float(np.log2(slope[1] / slope[0])), float(np.log2(slope[3] / slope[2]))]
        order = round(orders[-1])
        return order if order >= 1 and max(abs(value - order) for value in orders[2:]) < 0.1 else None

    def _nicer(self, weight: float, within: float, kink: bool = False) -> float:
        """Return a shorter decimal nearby where f′ is no larger than at the weight found."""
        here = abs(float(self.slope(np.array([weight]))[0]))
        for digits in range(1, 15):
            short = float(f"{weight:.{digits}g}") if abs(weight) > within else 0.0
            if abs(short - weight) <= within:
                there = abs(float(self.slope(np.array([short]))[0]))
                if there <= here or (kink and abs(short - weight) <= 1e-12 * self.width):
                    return short
        return weight

    def _deduplicated(self, found: list[_Found]) -> list[_Found]:
        kept: list[_Found] = []
        for place in sorted(found, key=lambda item: (item.weight, item.multiplicity is None)):
            near = kept and abs(place.weight - kept[-1].weight) <= 1e-10 * self.width
            if not near:
                kept.append(place)
        return kept

    def point(self, name: str, place: _Found) -> CriticalPoint:
        """Return the public form of a place."""
        weight = min(max(place.weight, self.low), self.high)
        at = np.array([weight])
        bend = float(self.bend(at)[0])
        edge = _EDGE * self.width
        on_boundary = place.kind != "flat" and (weight - self.low <= edge or self.high - weight <= edge)
        return CriticalPoint(
            weight={name: weight},
            loss=float(self.value(at)[0]),
            kind=place.kind,
            curvature=(bend,) if np.isfinite(bend) and place.kind != "kink" else (),
            interval={name: (min(place.low, weight), max(place.high, weight))},
            multiplicity=place.multiplicity,
            boundary=on_boundary,
        )


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last place of each run of True."""
    padded = np.concatenate([[False], mask, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(padded))
    return [(int(first), int(last) - 1) for first, last in zip(edges[::2], edges[1::2], strict=True)]
