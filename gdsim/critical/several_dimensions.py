"""Several weights: ∇L = 0 from many starts, by damped Newton steps that lower |∇L|².

A step solves (H² + λI)·s = −H·∇L (K. Levenberg 1944, D. Marquardt 1963, doi:10.1137/0111030): Newton's step for
small λ, steepest descent on |∇L|² for large λ, so that minima, maxima and saddles attract alike. Points are
classified by the eigenvalues of the Hessian; an eigenvalue that is zero to rounding leaves ``undecided``,
unless many zeros form a valley (``flat``) or the loss is seen to go both up and down (``saddle``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdsim.critical.slopes import Slopes, slopes_of
from gdsim.losses import Loss
from gdsim.outcomes import CriticalKind, CriticalPoint, Interval, Search

Array = NDArray[np.float64]

_MOST_STARTS = 2500
_MOST_CELLS = 400_000  # starts × data rows
_STEPS = 60
_POLISH = 8
_SAME = 1e-6  # of the domain's width: closer points are one
_LOOSE = 2e-3  # the same for degenerate points, which Newton approaches slowly
_DIRECTIONS = 64


def search(loss: Loss, domain: dict[str, Interval], extra_starts: Sequence[Sequence[float]] = ()) -> Search:
    """Find the critical points of a loss of several weights; see :func:`gdsim.critical.find`."""
    finder = _Finder(loss, domain)
    with np.errstate(all="ignore"):
        points = finder.go(extra_starts)
    return Search(domain=domain, critical_points=tuple(points), complete=False)


@dataclass
class _Scaled:
    """Coordinates in parts of the domain's width, so that one tolerance serves all weights."""

    low: Array
    width: Array

    def weight(self, unit: Array) -> Array:
        result: Array = self.low[:, None] + self.width[:, None] * unit
        return result


class _Finder:
    def __init__(self, loss: Loss, domain: dict[str, Interval]) -> None:
        self.loss, self.domain = loss, domain
        bounds = np.array([domain[name] for name in loss.weights])
        self.scaled = _Scaled(bounds[:, 0], bounds[:, 1] - bounds[:, 0])
        self.slopes: Slopes = slopes_of(loss, self.scaled.width)
        self.size = len(loss.weights)

    def gradient(self, unit: Array) -> Array:
        """∂L/∂u, ``(weights, points)``, in scaled coordinates."""
        return self.slopes.gradient(self.scaled.weight(unit)) * self.scaled.width[:, None]

    def hessian(self, unit: Array) -> Array:
        """∂²L/∂u², ``(points, weights, weights)``."""
        entries = self.slopes.hessian(self.scaled.weight(unit)).transpose(2, 0, 1)
        result: Array = entries * self.scaled.width[:, None] * self.scaled.width[None, :]
        return result

    def go(self, extra_starts: Sequence[Sequence[float]]) -> list[CriticalPoint]:
        starts = self._starts(extra_starts)
        typical = self._typical(starts)
        unit = self._descend(starts)
        size = np.abs(self.gradient(unit)).max(axis=0)
        inside = ((unit >= -1e-9) & (unit <= 1 + 1e-9)).all(axis=0)
        good = np.flatnonzero((size <= self.slopes.noise * 2.0**10 * typical) & inside & np.isfinite(size))
        unit, size = unit[:, good], size[good]
        hessian = self.hessian(unit)
        finite = np.isfinite(hessian).all(axis=(1, 2))
        unit, size, hessian = unit[:, finite], size[finite], hessian[finite]
        if not size.size:
            return []
        eigenvalues = np.linalg.eigvalsh(hessian)
        largest = np.abs(eigenvalues).max(axis=1)
        degenerate = np.abs(eigenvalues).min(axis=1) <= 1e-4 * np.maximum(largest, 1e-3 * typical)
        # a regular point is as good as its last Newton step is short
        regular = self._clusters(unit[:, ~degenerate], size[~degenerate], _SAME)
        groups = self._clusters(unit[:, degenerate], size[degenerate], _LOOSE)
        points = [self._regular(unit[:, ~degenerate][:, group[0]]) for group in regular]
        points += self._degenerate(unit[:, degenerate], size[degenerate], groups)
        return sorted(points, key=lambda point: tuple(point.weight.values()))

    def _starts(self, extra: Sequence[Sequence[float]]) -> Array:
        """A grid in two dimensions, else seeded random points; the middle and the extra starts too."""
        rows = max((len(column) for column in self.loss.data.values()), default=1)
        count = max(64, min(_MOST_STARTS, _MOST_CELLS // rows))
        if self.size == 2:
            side = int(np.sqrt(count))
            axis = (np.arange(side) + 0.5) / side
            starts = np.stack([grid.ravel() for grid in np.meshgrid(axis, axis, indexing="ij")])
        else:
            starts = np.random.default_rng(0).random((self.size, count))
        more = [np.full((self.size, 1), 0.5)]
        if extra:
            given = np.array(extra, dtype=np.float64).T
            unit = (given - self.scaled.low[:, None]) / self.scaled.width[:, None]
            more.append(unit[:, np.isfinite(unit).all(axis=0) & (np.abs(unit - 0.5) <= 0.5).all(axis=0)])
        return np.concatenate([starts, *more], axis=1)

    def _typical(self, starts: Array) -> float:
        size = np.abs(self.gradient(starts)).max(axis=0)
        size = size[np.isfinite(size)]
        return float(np.median(size)) if size.size else 0.0

    def _descend(self, unit: Array) -> Array:
        """Take damped steps from every start at once; each keeps its own damping."""
        gradient = self.gradient(unit)
        merit = (gradient**2).sum(axis=0)
        damping = np.full(unit.shape[1], 1e-3)
        active = np.isfinite(merit)
        identity = np.eye(self.size)
        for _ in range(_STEPS):
            place = np.flatnonzero(active)
            if not place.size:
                break
            hessian = self.hessian(unit[:, place])
            normal = hessian @ hessian
            scale = np.trace(normal, axis1=1, axis2=2)[:, None, None] + 1e-300
            right = -(hessian @ gradient[:, place].T[:, :, None])
            matrix = normal + damping[place][:, None, None] * scale * identity
            usable = np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(right).all(axis=(1, 2))
            step = np.zeros((place.size, self.size))
            step[usable] = np.linalg.solve(matrix[usable], right[usable])[..., 0]
            step = np.clip(step, -0.1, 0.1).T
            trial = unit[:, place] + step
            trial_gradient = self.gradient(trial)
            trial_merit = (trial_gradient**2).sum(axis=0)
            better = (trial_merit < merit[place]) & usable
            chosen = place[better]
            unit[:, chosen], gradient[:, chosen] = trial[:, better], trial_gradient[:, better]
            merit[chosen] = trial_merit[better]
            damping[place] = np.where(better, damping[place] * 0.1, damping[place] * 10.0)
            damping = np.maximum(damping, 1e-18)
            short = np.abs(step).max(axis=0) < 1e-14
            outside = (np.abs(unit[:, place] - 0.5) > 1.5).any(axis=0)
            active[place] = ~(short & better) & (damping[place] < 1e12) & ~outside & (merit[place] > 0)
        return unit

    def _clusters(self, unit: Array, size: Array, radius: float) -> list[Array]:
        """Group points closer than a radius, each group headed by its smallest gradient."""
        groups: list[Array] = []
        left = np.argsort(size, kind="stable")
        while left.size:
            head = unit[:, left[0]][:, None]
            near = np.abs(unit[:, left] - head).max(axis=0) <= radius
            groups.append(left[near])
            left = left[~near]
        return groups

    def _regular(self, unit: Array) -> CriticalPoint:
        """Polish with plain Newton steps and classify by the eigenvalues."""
        for _ in range(_POLISH):
            step = np.linalg.solve(self.hessian(unit[:, None])[0], self.gradient(unit[:, None])[:, 0])
            if not np.isfinite(step).all() or np.abs(step).max() > _SAME:
                break
            better = np.abs(self.gradient((unit - step)[:, None])).max() < np.abs(self.gradient(unit[:, None])).max()
            if not better:
                break
            unit = unit - step
        eigenvalues = np.linalg.eigvalsh(self.slopes.hessian(self.scaled.weight(unit[:, None]))[:, :, 0])
        kind: CriticalKind = "saddle"
        if (eigenvalues > 0).all():
            kind = "minimum"
        elif (eigenvalues < 0).all():
            kind = "maximum"
        return self._point(unit, kind, eigenvalues, multiplicity=1)

    def _degenerate(self, unit: Array, size: Array, groups: list[Array]) -> list[CriticalPoint]:
        """Sort degenerate points into valleys (chains of groups) and isolated ones."""
        points: list[CriticalPoint] = []
        left = list(range(len(groups)))
        heads = np.stack([unit[:, group[0]] for group in groups], axis=1) if groups else np.empty((self.size, 0))
        while left:
            chain = self._chain(heads, left)
            left = [index for index in left if index not in chain]
            members = np.concatenate([groups[index] for index in chain])
            best = members[np.argmin(size[members])]
            extent = np.ptp(unit[:, members], axis=1)
            if len(chain) >= 3 and extent.max() > 0.05:
                points.append(self._valley(unit[:, members]))
            elif len(chain) == 1:
                points.append(self._isolated(unit[:, best]))
            else:
                points.append(self._isolated(unit[:, members].mean(axis=1)))
        return points

    @staticmethod
    def _chain(heads: Array, left: list[int]) -> set[int]:
        """Return the heads connected to the first one by gaps of at most a tenth of the domain."""
        chain, edge = {left[0]}, [left[0]]
        while edge:
            at = edge.pop()
            for index in left:
                if index not in chain and np.abs(heads[:, index] - heads[:, at]).max() <= 0.1:
                    chain.add(index)
                    edge.append(index)
        return chain

    def _valley(self, members: Array) -> CriticalPoint:
        middle = members.mean(axis=1)[:, None]
        best = members[:, np.argmin(np.abs(members - middle).max(axis=0))]
        eigenvalues = np.linalg.eigvalsh(self.slopes.hessian(self.scaled.weight(best[:, None]))[:, :, 0])
        return self._point(best, "flat", eigenvalues, members)

    def _isolated(self, unit: Array) -> CriticalPoint:
        unit = self._rounded(unit)
        eigenvalues = np.linalg.eigvalsh(self.slopes.hessian(self.scaled.weight(unit[:, None]))[:, :, 0])
        largest = float(np.abs(eigenvalues).max())
        signs = {float(np.sign(value)) for value in eigenvalues if abs(value) > 1e-6 * largest and largest > 1e-9}
        kind: CriticalKind = "saddle" if signs == {1.0, -1.0} or self._up_and_down(unit) else "undecided"
        return self._point(unit, kind, eigenvalues)

    def _rounded(self, unit: Array) -> Array:
        """Return a point with short coordinates nearby, where the gradient is no larger."""
        weight = self.scaled.weight(unit[:, None])[:, 0]
        here = np.abs(self.gradient(unit[:, None])).max()
        for digits in range(0, 9):
            short = (np.round(weight, digits) - self.scaled.low) / self.scaled.width
            if np.abs(short - unit).max() <= _LOOSE and np.abs(self.gradient(short[:, None])).max() <= here:
                result: Array = short
                return result
        return unit

    def _up_and_down(self, unit: Array) -> bool:
        """Tell whether the loss clearly rises in one direction and falls in another, on two small spheres."""
        directions = np.random.default_rng(1).normal(size=(self.size, _DIRECTIONS))
        directions /= np.sqrt((directions**2).sum(axis=0))
        here = self.slopes.value(self.scaled.weight(unit[:, None]))[0]
        for radius in (1e-2, 1e-3):
            change = self.slopes.value(self.scaled.weight(unit[:, None] + radius * directions)) - here
            rounding = 2.0**-40 * (1.0 + abs(here))
            if not (change.max() > rounding and change.min() < -rounding):
                return False
            if not 0.01 < change.max() / -change.min() < 100.0:
                return False
        return True

    def _point(
        self,
        unit: Array,
        kind: CriticalKind,
        eigenvalues: Array,
        members: Array | None = None,
        multiplicity: int | None = None,
    ) -> CriticalPoint:
        weight = self._nicer(self.scaled.weight(unit[:, None])[:, 0])
        hull = self.scaled.weight(unit[:, None] if members is None else members)
        on_boundary = kind != "flat" and bool((np.minimum(unit, 1 - unit) <= 1e-9).any())
        return CriticalPoint(
            weight={name: float(value) for name, value in zip(self.loss.weights, weight, strict=True)},
            loss=float(self.slopes.value(weight[:, None])[0]),
            kind=kind,
            curvature=tuple(float(value) for value in eigenvalues),
            interval={
                name: (float(min(row.min(), value)), float(max(row.max(), value)))
                for name, row, value in zip(self.loss.weights, hull, weight, strict=True)
            },
            multiplicity=multiplicity,
            boundary=on_boundary,
        )

    def _nicer(self, weight: Array) -> Array:
        """Return shorter decimals within rounding of the weight found, where the gradient is no larger."""
        here = np.abs(self.slopes.gradient(weight[:, None])).max()
        for digits in range(0, 14):
            short = np.round(weight, digits) + 0.0
            close = np.abs(short - weight).max() <= 1e-12 * self.scaled.width.max()
            if close and np.abs(self.slopes.gradient(short[:, None])).max() <= here:
                return short
        return weight
