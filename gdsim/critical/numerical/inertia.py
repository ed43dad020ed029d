"""What a zero of ∇f is, from the signs of the Hessian's eigenvalues, or from the loss round about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsim.critical.audits import kind_by_index
from gdsim.critical.numerical.landscape import EPSILON, Array, Landscape
from gdsim.critical.switches import switching_functions
from gdsim.outcomes import CriticalKind, CriticalPoint

_RADII = (3e-2, 1e-2, 3e-3, 1e-3)  # of the domain: spheres round a point whose Hessian does not tell
_DIRECTIONS = 720
_VANISHES = 0.7  # ∇f shrinks by less than this when the distance shrinks a thousandfold: a kink


def finite_matrices(stacked: Array) -> NDArray[np.bool_]:
    """Which matrices of shape (runs, weights, weights) hold finite numbers only."""
    result: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(stacked), axis=(1, 2))
    return result


def eigenvalues(landscape: Landscape, points: Array) -> Array:
    """The eigenvalues of the Hessian in ascending order, shape (weights, points); nan where it is not finite.

    >>> from gdsim.losses import Loss
    >>> eigenvalues(Landscape(Loss.from_text("x^2 - y^2"), {"x": (-1, 1), "y": (-1, 1)}), np.zeros((2, 1)))
    array([[-2.],
           [ 2.]])
    """
    stacked = np.moveaxis(landscape.hessian(points), -1, 0)
    finite = finite_matrices(stacked)
    values = np.linalg.eigvalsh(np.where(finite[:, None, None], stacked, 0.0))
    result: Array = np.where(finite[:, None], values, np.nan).T
    return result


def eigenvalue_bound(landscape: Landscape, points: Array) -> Array:
    """How far rounding can have moved an eigenvalue, shape (points,): the bound on the Hessian's norm.

    By Weyl's inequality no eigenvalue moves farther than the norm of the change of the matrix.
    """
    bounds = landscape.hessian_bound(points)
    size = np.abs(landscape.hessian(points)).sum(axis=(0, 1))
    result: Array = bounds.sum(axis=(0, 1)) + 8.0 * EPSILON * size
    return result


def describe(landscape: Landscape, point: Array, *, degenerate: bool) -> CriticalPoint:
    """Classify a zero of ∇f, shape (weights, 1).

    Parameters
    ----------
    degenerate
        Whether an eigenvalue is known to be zero to rounding.

    Notes
    -----
    All eigenvalues positive: minimum; all negative: maximum; both signs: saddle. Where one is zero to
    rounding and the others have one sign, the loss on small spheres decides: above and below its value at
    the point make a saddle; all above, or all below, make a minimum or maximum of two weights, where the
    directions can be covered, and ``undecided`` otherwise.
    """
    values = eigenvalues(landscape, point)[:, 0]
    bound = float(eigenvalue_bound(landscape, point)[0])
    if degenerate:
        bound = max(bound, 1e-9 * float(np.abs(values).max()))
    if _is_kink(landscape, point):
        return _point(landscape, point, "kink", np.empty(0), simple=False)
    signs = np.where(np.abs(values) <= bound, 0, np.sign(values))
    negative = int((signs < 0).sum())
    if signs.all() or (negative and (signs > 0).any()):
        kind = kind_by_index(negative, signs.size)
    else:
        kind = _from_spheres(landscape, point)
    return _point(landscape, point, kind, np.where(signs == 0, 0.0, values), bool((signs != 0).all()))


def _point(
    landscape: Landscape, point: Array, kind: CriticalKind, values: Array, simple: bool
) -> CriticalPoint:
    names = landscape.loss.weights
    place = point[:, 0]
    reach = 4 * np.spacing(np.abs(place)) + 2e-16 * landscape.width
    if simple:
        reach = reach + landscape.judged_gradient(point)[1].max() / np.abs(values).min()
    else:
        reach = np.maximum(reach, 1e-4 * landscape.width)
    edge = 4 * np.spacing(np.maximum(np.abs(landscape.low), np.abs(landscape.high)))
    return CriticalPoint(
        dict(zip(names, place.tolist(), strict=True)),
        float(landscape.value(point)[0]),
        kind,
        curvature=tuple(values.tolist()),
        interval={name: (float(p - r), float(p + r)) for name, p, r in zip(names, place, reach, strict=True)},
        multiplicity=1 if simple else None,
        boundary=bool((np.minimum(place - landscape.low, landscape.high - place) <= edge).any()),
    )


def _is_kink(landscape: Landscape, point: Array) -> bool:
    """Whether ∇f is zero at the point by convention only and does not go to zero round about."""
    expression = landscape.loss.expression
    if expression is None or not switching_functions(expression):
        return False
    directions = _directions(len(landscape.loss.weights)) * landscape.width[:, None]
    far, near = (np.abs(landscape.gradient(point + reach * directions)).max() for reach in (1e-6, 1e-9))
    return bool(near > _VANISHES * far)


def _from_spheres(landscape: Landscape, point: Array) -> CriticalKind:
    directions = _directions(len(landscape.loss.weights)) * landscape.width[:, None]
    here = float(landscape.value(point)[0])
    above = below = True
    rises = falls = False
    for radius in _RADII:
        there = landscape.value(point + radius * directions)
        noise = 256.0 * EPSILON * (abs(here) + np.abs(there))
        with np.errstate(invalid="ignore"):
            high, low = there > here + noise, there < here - noise
        rises, falls = rises or bool(high.any()), falls or bool(low.any())
        above, below = above and bool(high.all()), below and bool(low.all())
    if rises and falls:
        return "saddle"
    if len(landscape.loss.weights) == 2 and (above or below):
        return "minimum" if above else "maximum"
    return "undecided"


def _directions(size: int) -> Array:
    """Directions spread over the sphere: evenly for two weights, else quasi-random, with the axes."""
    if size == 2:
        angle = 2 * np.pi * (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS
        return np.stack([np.cos(angle), np.sin(angle)])
    # an additive recurrence with the roots of primes fills the cube evenly; its points are projected
    steps = np.arange(1, 8 * _DIRECTIONS + 1)
    cube = (
        np.stack([np.mod(steps * np.sqrt(2.0 + 3 * place * place + place), 1.0) for place in range(size)])
        - 0.5
    )
    axes = np.concatenate([np.eye(size), -np.eye(size)], axis=1)
    every = np.concatenate([cube, axes], axis=1)
    result: Array = every / np.linalg.norm(every, axis=0)
    return result
