"""Zeros of ∇f for several weights: damped Newton from thousands of starts, all at once.

Each start minimises |∇f|² by Levenberg–Marquardt steps, which become Newton's near a zero. Where many
zeros lie side by side and the Hessian is singular, they are one flat piece.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from gdsim.critical.numerical.inertia import describe, eigenvalues, finite_matrices
from gdsim.critical.numerical.landscape import Array, Landscape
from gdsim.critical.switches import switching_functions
from gdsim.outcomes import CriticalPoint, Search

_STARTS = 4096  # 64 × 64 for two weights; Halton points for more
_STARTS_OF_A_CALLABLE = 576
_MOST_ITERATIONS = 60
_SAME = 1e-7  # of the domain: solutions nearer to each other are one
_LINKED = 0.05  # of the domain: degenerate solutions nearer to each other belong together
_LEAST_ON_A_PIECE = 8
_EDGE = 0.02  # of the domain: a piece that comes so near to the boundary reaches it (starts lie 1/64 apart)
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)


def search(
    landscape: Landscape, extra: Array, wanted: Callable[[Array], NDArray[np.bool_]] | None = None
) -> Search:
    """Find and classify the critical points of a loss of several weights in a box.

    Parameters
    ----------
    extra
        More places to start from, shape (weights, places).
    wanted
        Which zeros of ∇f, shape (weights, zeros), are to be classified; None for all.

    Notes
    -----
    Kinks are not sought: where the formula has switches, ``unresolved`` says so.
    Cost: up to 4,096 × 60 evaluations of gradient and Hessian, in whole arrays; in practice a few tens
    of milliseconds for two weights.
    Source: J. Nocedal and S. J. Wright, Numerical Optimization (2006), §10.3 and §11.2.
    """
    starts = _starts(landscape, extra)
    found = _polished(landscape, _thinned(landscape, descend(landscape, starts), _SAME))
    inside = ((found >= landscape.low[:, None]) & (found <= landscape.high[:, None])).all(axis=0)
    found = found[:, inside & wanted(found)] if wanted is not None else found[:, inside]
    singular = _singular(landscape, found, _typical_bend(landscape, starts)) | ~_is_exact_zero(
        landscape, found
    )
    described = [describe(landscape, p, degenerate=False) for p in _distinct(landscape, found[:, ~singular])]
    described += _degenerate(landscape, found[:, singular])
    return Search(
        domain=dict(landscape.domain),
        critical_points=tuple(sorted(described, key=lambda point: tuple(point.weight.values()))),
        unresolved=_kinks(landscape),
    )


def _starts(landscape: Landscape, extra: Array) -> Array:
    """A grid of cell centres and the domain's corners and middle (two weights), else Halton points."""
    size = len(landscape.loss.weights)
    count = _STARTS if landscape.exact else _STARTS_OF_A_CALLABLE
    if size == 2:
        side = round(count**0.5)
        cells = (np.arange(side) + 0.5) / side
        unit = np.stack(np.meshgrid(cells, cells, indexing="ij")).reshape(2, -1)
    else:
        unit = np.stack([_van_der_corput(count, _PRIMES[place % len(_PRIMES)]) for place in range(size)])
    unit = np.concatenate([unit, np.full((size, 1), 0.5)], axis=1)
    starts = landscape.low[:, None] + unit * landscape.width[:, None]
    inside = ((extra >= landscape.low[:, None]) & (extra <= landscape.high[:, None])).all(axis=0)
    return np.concatenate([starts, extra[:, inside]], axis=1)


def _van_der_corput(count: int, base: int) -> Array:
    """The first numbers of the van der Corput sequence: digits of 1, 2, 3 … mirrored at the point.

    >>> _van_der_corput(4, 2)
    array([0.5  , 0.25 , 0.75 , 0.125])
    """
    place, digits = np.arange(1, count + 1), np.zeros(count)
    scale = 1.0
    while place.any():
        scale /= base
        digits += scale * (place % base)
        place = place // base
    return digits


def descend(landscape: Landscape, starts: Array) -> Array:
    """Minimise |∇f|² from every start; return the points where it reached zero.

    Parameters
    ----------
    starts
        Shape (weights, starts).

    Returns
    -------
    Array
        Shape (weights, solutions), in the order of their starts, repetitions included; none farther than
        half its width outside the domain.

    Notes
    -----
    Coordinates are scaled by the domain. A step solves (HᵀH + μI) s = −Hᵀ∇f; μ falls tenfold when
    |∇f| fell and rises tenfold when it rose.
    """
    width = landscape.width[:, None]
    middle = 0.5 * (landscape.low + landscape.high)[:, None]
    at = starts.copy()
    slopes = landscape.gradient(at) * width
    kept = np.isfinite(slopes).all(axis=0)
    at, slopes = at[:, kept], slopes[:, kept]
    damping = np.full(at.shape[1], 1e-3)
    done: list[Array] = []
    for _ in range(_MOST_ITERATIONS):
        if not at.shape[1]:
            break
        step, shrunk = _damped_step(landscape, at, slopes, damping)
        moved = at + step * width
        new_slopes = landscape.gradient(moved) * width
        with np.errstate(all="ignore"):
            better = np.square(new_slopes).sum(axis=0) < np.square(slopes).sum(axis=0)
        at = np.where(better, moved, at)
        slopes = np.where(better, new_slopes, slopes)
        damping = np.where(better, 0.1 * damping, 10.0 * damping)
        finished = shrunk | (slopes == 0).all(axis=0) | (damping > 1e8)
        lost = (np.abs(at - middle) > width).any(axis=0)
        done.append(at[:, finished & ~lost])
        going = ~finished & ~lost
        at, slopes, damping = at[:, going], slopes[:, going], damping[going]
    found = np.concatenate([*done, at], axis=1)
    return found[:, _is_zero(landscape, found)]


def _damped_step(
    landscape: Landscape, at: Array, slopes: Array, damping: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """The scaled step of every lane, and whether it is too short to matter."""
    width = landscape.width
    with np.errstate(all="ignore"):
        bends = landscape.hessian(at) * width[:, None, None] * width[None, :, None]
        square = np.einsum("kir,kjr->ijr", bends, bends)
        trace = np.einsum("iir->r", square)
        floor = damping * trace + 1e-300
        right = np.einsum("kir,kr->ir", bends, slopes)
        square = square + floor * np.eye(len(width))[:, :, None]
        step = -solve(square, right)
        step = np.where(np.isfinite(step), step, 0.0)
    return step, np.abs(step).max(axis=0) < 1e-15


def solve(matrix: Array, right: Array) -> Array:
    """Solve many small symmetric systems, ``(weights, weights, runs)`` and ``(weights, runs)``.

    >>> solve(np.array([[[2.0], [0.0]], [[0.0], [4.0]]]), np.array([[2.0], [2.0]]))
    array([[1. ],
           [0.5]])
    """
    if len(matrix) == 2:
        (a, b), (_, d) = matrix
        determinant = a * d - b * b
        result: Array = np.stack([d * right[0] - b * right[1], a * right[1] - b * right[0]]) / determinant
        return result
    stacked = np.moveaxis(matrix, -1, 0)
    stacked = np.where(finite_matrices(stacked)[:, None, None], stacked, np.eye(len(matrix)))
    columns = right.T[:, :, None]
    try:
        solution = np.linalg.solve(stacked, columns)
    except np.linalg.LinAlgError:  # one of them is singular to the last bit
        solution = np.linalg.pinv(stacked) @ columns
    return np.asarray(solution[:, :, 0].T, dtype=np.float64)


def _is_zero(landscape: Landscape, points: Array) -> NDArray[np.bool_]:
    """Whether ∇f is zero to rounding, or would be within 10⁻⁹ of the domain."""
    if not points.shape[1]:
        return np.zeros(0, dtype=bool)
    width = landscape.width[:, None]
    values, bounds = landscape.judged_gradient(points)
    with np.errstate(all="ignore"):
        bends = np.abs(landscape.hessian(points) * landscape.width[None, :, None]).sum(axis=1)
        room = bounds + 1e-9 * bends + 1e-15 * np.abs(bends).max(initial=0.0) / width
        near: NDArray[np.bool_] = (np.abs(values) <= room).all(axis=0)
    return near


def _is_exact_zero(landscape: Landscape, points: Array) -> NDArray[np.bool_]:
    """Whether ∇f is zero to rounding of its value and of the position: false on the slow way to a
    multiple zero."""
    values, bounds = landscape.judged_gradient(points)
    reach = 8 * np.spacing(np.abs(points)) + 1e-15 * landscape.width[:, None]
    if not landscape.exact:
        reach = reach + 1e-8 * landscape.width[:, None]
    with np.errstate(all="ignore"):
        room = np.einsum("ijr,jr->ir", np.abs(landscape.hessian(points)), reach)
        result: NDArray[np.bool_] = (np.abs(values) <= bounds + room).all(axis=0)
    return result


def _thinned(landscape: Landscape, points: Array, cell: float) -> Array:
    """Keep one point of each cell of the domain."""
    cells = np.round(points / (cell * landscape.width[:, None])).astype(np.int64)
    _, first = np.unique(cells, axis=1, return_index=True)
    return points[:, np.sort(first)]


def _polished(landscape: Landscape, points: Array) -> Array:
    """Full Newton steps through the pseudo-inverse, kept while |∇f| falls."""
    for _ in range(8):
        if not points.shape[1]:
            break
        slopes = landscape.judged_gradient(points)[0] if not landscape.exact else landscape.gradient(points)
        stacked = np.moveaxis(landscape.hessian(points), -1, 0)
        stacked = np.where(finite_matrices(stacked)[:, None, None], stacked, 0.0)
        step = -(np.linalg.pinv(stacked, rcond=1e-9, hermitian=True) @ slopes.T[:, :, None])[:, :, 0].T
        moved = points + step
        with np.errstate(all="ignore"):
            better = np.abs(landscape.gradient(moved)).max(axis=0) < np.abs(slopes).max(axis=0)
            better &= (np.abs(step) < 1e-3 * landscape.width[:, None]).all(axis=0)
        if not better.any():
            break
        points = np.where(better, moved, points)
    return points


def _typical_bend(landscape: Landscape, starts: Array) -> float:
    """The middle size of the scaled Hessian over the domain."""
    width = landscape.width
    scaled = landscape.hessian(starts[:, ::16]) * width[:, None, None] * width[None, :, None]
    sizes = np.abs(scaled).max(axis=(0, 1))
    finite = np.isfinite(sizes)
    return float(np.median(sizes[finite])) if finite.any() else 0.0


def _singular(landscape: Landscape, points: Array, typical: float) -> NDArray[np.bool_]:
    """Whether an eigenvalue of the scaled Hessian is zero to rounding."""
    width = landscape.width
    if not points.shape[1]:
        return np.zeros(0, dtype=bool)
    scaled = np.moveaxis(landscape.hessian(points) * width[:, None, None] * width[None, :, None], -1, 0)
    values = np.linalg.eigvalsh(np.where(np.isfinite(scaled), scaled, 0.0))
    largest = np.maximum(np.abs(values).max(axis=1), 1e-6 * typical)
    relative = 1e-10 if landscape.exact else 1e-6
    zero = (np.abs(values) <= relative * largest[:, None]).any(axis=1)
    result: NDArray[np.bool_] = zero | (np.abs(values).max(axis=1) <= 1e-6 * typical)
    return result


def _distinct(landscape: Landscape, points: Array) -> list[Array]:
    """One point of each group nearer together than ``_SAME``: the one with the smallest |∇f|."""
    if not points.shape[1]:
        return []
    order = np.argsort(
        np.abs(landscape.gradient(points) * landscape.width[:, None]).max(axis=0), kind="stable"
    )
    left = points[:, order]
    same = (_SAME if landscape.exact else 1e-5) * landscape.width[:, None]
    found = []
    while left.shape[1]:
        first = left[:, :1]
        found.append(_rounded(landscape, first))
        left = left[:, (np.abs(left - first) > same).any(axis=0)]
    return found


def _rounded(landscape: Landscape, point: Array) -> Array:
    """Prefer short decimals where every ∂L/∂w is zero to rounding there, too. Shapes (weights, 1)."""
    digits, tolerance = (9, 1e-11) if landscape.exact else (5, 1e-7)
    width = landscape.width[:, None]
    scale = np.power(10.0, np.floor(digits - np.log10(width)))
    short = np.round(point * scale) / scale + 0.0
    short = np.where(np.abs(short - point) <= tolerance * width, short, point)
    values, bounds = landscape.judged_gradient(short)
    return short if (np.abs(values) <= np.maximum(bounds, np.abs(landscape.gradient(point)))).all() else point


def _degenerate(landscape: Landscape, points: Array) -> list[CriticalPoint]:
    """Group solutions with a singular Hessian: wide groups are flat pieces, narrow ones single points."""
    found = []
    width = landscape.width[:, None]
    for group in _groups(points / width) if points.shape[1] else ():
        members = points[:, group]
        extent = np.ptp(members / width, axis=1).max()
        if extent > 0.02 and len(group) >= _LEAST_ON_A_PIECE:
            found.append(_flat(landscape, members))
        else:
            best = np.argmin(np.abs(landscape.gradient(members)).max(axis=0))
            point = _nearest_short(landscape, members[:, [best]], float(extent))
            found.append(describe(landscape, point, degenerate=True))
    return found


def _nearest_short(landscape: Landscape, point: Array, extent: float) -> Array:
    """Round a blurred zero as far as ∇f stays zero to rounding or gets smaller."""
    for digits in range(1, 12):
        scale = np.power(10.0, np.floor(digits - np.log10(landscape.width[:, None])))
        short = np.round(point * scale) / scale + 0.0
        if (np.abs(short - point) > (extent + 1e-4) * landscape.width[:, None]).any():
            continue
        values, bounds = landscape.judged_gradient(short)
        if (np.abs(values) <= np.maximum(bounds, np.abs(landscape.gradient(point)))).all():
            point = short
            break
    return point


def _groups(points: Array) -> list[NDArray[np.intp]]:
    """Single-linkage groups of points ``(weights, points)``: cells of the domain are walked breadth first."""
    cells = np.round(points / (_LINKED / 4)).astype(np.int64)
    corners, cell_of = np.unique(cells, axis=1, return_inverse=True)
    cell_of = cell_of.ravel()
    left = set(range(corners.shape[1]))
    groups = []
    while left:
        queue = [left.pop()]
        group = []
        while queue:
            cell = queue.pop()
            group.append(cell)
            others = np.array(sorted(left), dtype=np.intp)
            near = others[(np.abs(corners[:, others] - corners[:, [cell]]) <= 4).all(axis=0)]
            queue.extend(near.tolist())
            left.difference_update(near.tolist())
        groups.append(np.flatnonzero(np.isin(cell_of, group)))
    return groups


def _flat(landscape: Landscape, members: Array) -> CriticalPoint:
    """A piece of zeros side by side; its middle is the member, or the middle of the hull if it belongs."""
    low, high = members.min(axis=1), members.max(axis=1)
    centre = 0.5 * (low + high)[:, None]
    distance = np.abs((members - centre) / landscape.width[:, None]).max(axis=0)
    nearest = members[:, [np.argmin(distance)]]
    values, bounds = landscape.judged_gradient(_rounded(landscape, centre))
    same = abs(float(landscape.value(centre)[0] - landscape.value(nearest)[0])) <= 1e-12
    middle = _rounded(landscape, centre) if same and (np.abs(values) <= bounds).all() else nearest
    names = landscape.loss.weights
    return CriticalPoint(
        dict(zip(names, middle[:, 0].tolist(), strict=True)),
        float(landscape.value(middle)[0]),
        "flat",
        curvature=tuple(eigenvalues(landscape, middle)[:, 0].tolist()),
        interval={name: (float(a), float(b)) for name, a, b in zip(names, low, high, strict=True)},
        boundary=bool(
            (np.minimum(low - landscape.low, landscape.high - high) <= 0.02 * landscape.width).any()
        ),
    )


def _kinks(landscape: Landscape) -> tuple[Mapping[str, object], ...]:
    expression = landscape.loss.expression
    if expression is None or not switching_functions(expression):
        return ()
    reason = "the formula may have kinks or poles; with several weights they are not sought"
    return ({"interval": dict(landscape.domain), "reason": reason},)
