"""What a candidate of one weight is: from the sign of f′ on either side, and from how f′ goes to it.

The second derivative alone does not tell: it is zero at the minimum of w⁴ and at the inflection of w³.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdsim.critical.audits import kind_between
from gdsim.critical.numerical.landscape import Array, Landscape
from gdsim.critical.numerical.sampling import bend, certain_sign, rounded, slope
from gdsim.critical.numerical.signs import ascending
from gdsim.outcomes import CriticalKind, CriticalPoint

_GROWTH = 16.0  # of the distance at which signs are read, until they are certain
_MOST_GROWTHS = 14
_NEAR, _NEARER = 1e-7, 1e-10  # of the room on a side: where it is seen how f′ goes to the candidate
_VANISHES, _EXPLODES = 0.7, 1.4  # f′ ~ δ^p from NEAR to NEARER: p above 0.05, below −0.05
_HIGHEST_ORDER = 21
_MOST_NODES = 100


@dataclass(frozen=True, eq=False)
class Candidates:
    """Where something may be: positions in ascending order, which of them are switches, flat pieces."""

    at: Array
    switch: NDArray[np.bool_]
    pieces: Array


@dataclass(frozen=True, eq=False)
class _Sides:
    """Signs of f′ left and right at the least distance ``reach`` at which they are certain."""

    left: Array
    right: Array
    reach: Array


def classify(
    landscape: Landscape, candidates: Candidates
) -> tuple[list[CriticalPoint], list[Mapping[str, object]]]:
    """Return the critical points among the candidates, and the poles and jumps.

    Parameters
    ----------
    candidates
        Positions found by the search; those that are no critical points are dropped.

    Notes
    -----
    (−, +) is a minimum, (+, −) a maximum, equal signs an inflection, if f′ goes to zero from both sides.
    If f′ jumps over zero the point is a kink; if f′ and the loss run to infinity it is a pole, which is
    not a critical point.
    Cost: about 40 evaluations of f′ for each candidate, and one derivative more for each order of a
    multiple zero.
    """
    if not candidates.at.size:
        return [], []
    room = _room(landscape, candidates)
    at = candidates.at
    behaviour = np.stack([_approach(landscape, at, room, side) for side in (-1.0, 1.0)])
    at = np.where(candidates.switch, at, _sharpened(landscape, at, _sides(landscape, at, room), room))
    sides = _sides(landscape, at, room)
    jumps = candidates.switch & _loss_jumps(landscape, at, room)
    diverges = (behaviour == 1).any(axis=0) & _loss_diverges(landscape, at, room)
    shapes = _shapes(landscape, at, candidates.switch, sides.reach)
    points: list[CriticalPoint] = []
    singular: list[Mapping[str, object]] = []
    name = landscape.loss.weights[0]
    for place, position in enumerate(at.tolist()):
        if diverges[place] or jumps[place]:
            reason = "the loss has a pole" if diverges[place] else "the loss jumps"
            singular.append({"interval": {name: (position, position)}, "reason": reason})
            continue
        kind = _kind(sides.left[place], sides.right[place], behaviour[:, place])
        if kind is not None:
            points.append(_point(landscape, position, kind, shapes[place], float(sides.reach[place])))
    return points, singular


def _room(landscape: Landscape, candidates: Candidates) -> Array:
    """Half the distance to the nearest other candidate or flat piece, at most a twentieth of the domain."""
    marks = np.concatenate([candidates.at, candidates.pieces.ravel()])
    marks = ascending(marks)
    place = np.searchsorted(marks, candidates.at)
    padded = np.concatenate([[-np.inf], marks, [np.inf]])
    gap = np.minimum(candidates.at - padded[place], padded[place + 2] - candidates.at)
    result: Array = np.minimum(0.5 * gap, 0.05 * landscape.width[0])
    return result


def _approach(landscape: Landscape, at: Array, room: Array, side: float) -> Array:
    """How f′ goes to the candidate from one side: −1 to zero, 0 to a finite slope, 1 to infinity.

    nan where it is undefined on that side.
    """
    spacing = 4 * np.spacing(np.abs(at))
    far, near = (at + side * np.maximum(part * room, spacing) for part in (_NEAR, _NEARER))
    if not landscape.exact:  # differences see nothing closer than their step
        far, near = at + side * np.minimum(0.1, 0.5 * room), at + side * np.minimum(0.01, 0.05 * room)
    far_slope = slope(landscape, far)
    near_slope, bounds = (part[0] for part in landscape.judged_gradient(near[None]))
    with np.errstate(all="ignore"):
        ratio = np.abs(near_slope / far_slope)
        hidden = (np.abs(near_slope) <= bounds) & np.isfinite(bounds)
    result = np.where(ratio < _VANISHES, -1.0, np.where(ratio > _EXPLODES, 1.0, 0.0))
    if not landscape.exact:
        result = np.where(result == 1.0, 0.0, result)
    result = np.where(hidden, -1.0, result)
    result = np.where(np.isinf(near_slope), 1.0, result)
    return np.where(np.isnan(near_slope), np.nan, result)


def _least_reach(landscape: Landscape, at: Array) -> Array:
    """How well a position can be known at best: to rounding, or for a callable to its difference formula."""
    part = 2e-16 if landscape.exact else 1e-6
    least: Array = np.maximum(4 * np.spacing(np.abs(at)), part * landscape.width[0])
    return least


def _sides(landscape: Landscape, at: Array, room: Array) -> _Sides:
    """Read the signs of f′ on both sides, stepping away until rounding cannot hide them."""
    reach = np.minimum(_least_reach(landscape, at), room)
    left, right = np.zeros(at.size), np.zeros(at.size)
    for _ in range(_MOST_GROWTHS):
        signs = []
        for side in (-1.0, 1.0):
            values, bounds = landscape.judged_gradient((at + side * reach)[None])
            signs.append(certain_sign(values[0], bounds[0]))
        open_left, open_right = left == 0, right == 0
        left = np.where(open_left, signs[0], left)
        right = np.where(open_right, signs[1], right)
        unsure = ((left == 0) | (right == 0)) & (reach < room)
        if not unsure.any():
            break
        reach = np.where(unsure, np.minimum(reach * _GROWTH, room), reach)
    return _Sides(left, right, reach)


def _kind(left: float, right: float, behaviour: Array) -> CriticalKind | None:
    """The kind that the signs on either side and the approach from either side make; None: not critical."""
    if np.isnan(left) or np.isnan(right):  # the loss ends here; one side decides
        inner, approach = (right, behaviour[1]) if np.isnan(left) else (-left, behaviour[0])
        if approach != -1 or abs(inner) != 1:
            return None
        return "minimum" if inner > 0 else "maximum"
    if left == 0 or right == 0:
        return "flat" if left == right == 0 else None if 0 in behaviour else "undecided"
    if (behaviour == -1).all():
        return kind_between(left, right)
    if left != right or -1 in behaviour:
        return "kink"
    return None


def _loss_jumps(landscape: Landscape, at: Array, room: Array) -> NDArray[np.bool_]:
    """Whether the values of the loss on both sides do not meet."""
    gaps = []
    for part in (_NEAR, _NEARER):
        reach = np.maximum(part * room, 4 * np.spacing(np.abs(at)))
        values = landscape.value(np.concatenate([at - reach, at + reach])[None])
        with np.errstate(invalid="ignore"):
            gaps.append(np.abs(values[at.size :] - values[: at.size]))
    steepest = np.maximum(np.abs(slope(landscape, at - reach)), np.abs(slope(landscape, at + reach)))
    with np.errstate(invalid="ignore"):  # else the slope alone, or a misplaced kink, makes the difference
        result: NDArray[np.bool_] = (gaps[1] > _VANISHES * gaps[0]) & (gaps[1] > 0.5 * steepest * reach)
    return result & np.isfinite(gaps[1]) & (gaps[1] > 0)


def _loss_diverges(landscape: Landscape, at: Array, room: Array) -> NDArray[np.bool_]:
    """Whether the loss itself runs to infinity: its growth over ever shorter stretches does not shrink."""
    here = landscape.value(at[None])
    result = np.isinf(here)
    for side in (-1.0, 1.0):
        parts = [landscape.value((at + side * room * part)[None]) for part in (1e-3, 1e-6, 1e-9)]
        with np.errstate(invalid="ignore"):
            result |= np.abs(parts[2] - parts[1]) > 0.9 * np.abs(parts[1] - parts[0])
        result |= np.isinf(parts[2])
    return result


def _sharpened(landscape: Landscape, at: Array, sides: _Sides, room: Array) -> Array:
    """Move candidates at which f″ vanishes, too, to the simple zero of a higher derivative.

    A zero of order m of f′ is blurred by rounding over a stretch of width ε^(1/m); the (m−1)th derivative
    of f′ has a simple zero there.
    """
    if not landscape.exact:
        return at
    result = at.copy()
    for place in np.flatnonzero(~_bend_is_certain(landscape, at, sides.reach)):
        order = multiplicity(landscape, float(at[place]), float(sides.reach[place]))
        if order is not None and order > 1:
            result[place] = _newton(landscape, float(at[place]), order, float(room[place]))
    return result


def _newton(landscape: Landscape, start: float, order: int, room: float) -> float:
    function, _ = landscape.higher_derivative(order)
    prime, _ = landscape.higher_derivative(order + 1)
    at = start
    for _ in range(4):
        point = np.array([[at]])
        with np.errstate(all="ignore"):
            moved = at - float(function(point)[0] / prime(point)[0])
        if not abs(moved - start) < room:
            return start
        at = moved
    better = float(rounded(landscape, np.array([at]))[0])
    values, bounds = landscape.judged_gradient(np.array([[better, start]]))
    return better if abs(values[0, 0]) <= max(bounds[0, 0], abs(values[0, 1])) else start


def _bend_is_certain(landscape: Landscape, at: Array, blur: Array) -> NDArray[np.bool_]:
    """Whether f″ differs from zero by more than rounding, of its value and of the position, can make."""
    values = bend(landscape, at)
    bounds = landscape.hessian_bound(at[None])[0, 0]
    with np.errstate(invalid="ignore"):
        moved = np.maximum(
            np.abs(bend(landscape, at + blur) - values), np.abs(bend(landscape, at - blur) - values)
        )
        result: NDArray[np.bool_] = np.abs(values) > bounds + 2 * moved
    return result & np.isfinite(values)


def multiplicity(landscape: Landscape, at: float, blur: float = 0.0) -> int | None:
    """Return the order of the zero of f′ at a point, or None where the derivatives do not tell.

    It is the least m for which the (m + 1)th derivative of the loss differs from zero by more than
    rounding and the uncertainty of the position (``blur``) can make.

    >>> from gdsim.losses import Loss
    >>> multiplicity(Landscape(Loss.from_text("w^4"), {"w": (-1, 1)}), 0.0)
    3
    """
    if not landscape.exact:
        return None
    reach = max(blur, float(_least_reach(landscape, np.array([at]))[0]))
    points = np.array([[at, at - reach, at + reach]])
    for order in range(2, _HIGHEST_ORDER + 1):
        if landscape.size(order - 1) > _MOST_NODES:
            return None
        function, bound = landscape.higher_derivative(order)
        values = function(points)
        if not np.isfinite(values).all():
            return None
        if abs(values[0]) > bound(points)[0] + 2 * np.abs(values[1:] - values[0]).max():
            return order - 1
    return None


def _shapes(
    landscape: Landscape, at: Array, switch: NDArray[np.bool_], reach: Array
) -> list[tuple[tuple[float, ...], int | None, float]]:
    """For each candidate its curvature (empty: none), the order of the zero of f′, and the loss."""
    values = landscape.value(at[None])
    bends = bend(landscape, at)
    certain = _bend_is_certain(landscape, at, reach)
    smooth = np.isfinite(bends) & (~switch | _same_bend(landscape, at))
    if not landscape.exact:
        smooth &= _same_bend(landscape, at)
    shapes = []
    for place, position in enumerate(at.tolist()):
        curvature: tuple[float, ...] = ()
        order: int | None = None
        if smooth[place]:
            curvature = (float(bends[place]) if certain[place] else 0.0,)
            if certain[place]:
                order = 1
            elif not switch[place]:
                order = multiplicity(landscape, position, float(reach[place]))
        shapes.append((curvature, order, float(values[place])))
    return shapes


def _same_bend(landscape: Landscape, at: Array) -> NDArray[np.bool_]:
    """Whether f″ is the same on both sides, as at a switch it need not be."""
    part, tolerance = (1e-9, 1e-6) if landscape.exact else (2e-3, 0.1)
    reach = np.maximum(part * landscape.width[0], 8 * np.spacing(np.abs(at)))
    left, right, here = (bend(landscape, at + shift) for shift in (-reach, reach, 0 * reach))
    with np.errstate(invalid="ignore"):
        size = np.maximum(np.abs(left), np.abs(right))
        same: NDArray[np.bool_] = np.abs(left - right) <= tolerance * size + 1e-300
        if not landscape.exact:
            same = same & (np.abs(2 * here - left - right) <= tolerance * (size + 1.0))
    return same


def _point(
    landscape: Landscape,
    at: float,
    kind: CriticalKind,
    shape: tuple[tuple[float, ...], int | None, float],
    reach: float,
) -> CriticalPoint:
    name = landscape.loss.weights[0]
    curvature, order, value = shape
    edge = 4 * np.spacing(max(abs(float(landscape.low[0])), abs(float(landscape.high[0]))))
    return CriticalPoint(
        {name: at},
        value,
        kind,
        curvature=() if kind == "kink" else curvature,
        interval={name: (at - reach, at + reach)},
        multiplicity=None if kind == "kink" else order,
        boundary=bool(min(at - landscape.low[0], landscape.high[0] - at) <= edge),
    )
