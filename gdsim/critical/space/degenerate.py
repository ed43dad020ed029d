"""Degenerate critical points of several weights: what can be proved where the Hessian is singular.

No arithmetic of finite precision tells a multiple zero from two near ones. What is proved comes from an exact
zero at a short rational point, from the turns of the gradient round a small box, from the loss on the box's
boundary, and, for polynomials that a scaling of the weights leaves alike, from that scaling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from gdsim.critical.space.audit import winding_number
from gdsim.critical.space.boxes import Box, Group, clusters, hull, joined
from gdsim.critical.space.loss import BallLoss
from gdsim.critical.space.points import symmetric
from gdsim.critical.space.scaling import is_scaled
from gdsim.critical.written import WrittenLoss
from gdsim.expr.emit_ball import Ball, ball, outward
from gdsim.expr.nodes import (
    Expr,
    Number,
    Reduce,
    Symbol,
    substitute,
    walk,
)
from gdsim.expr.simplify import simplify
from gdsim.outcomes import CriticalKind, CriticalPoint

_PRECISION = 256
_REFUTATION = 1024  # bits: an exact zero must survive an attempt to refute it
_DENOMINATORS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 25, 32, 50, 64, 100, 128, 1000, 10_000)
_FRAMES = (2.0**-20, 2.0**-14, 2.0**-9, 2.0**-6)  # of the domain: how far round a cluster its frame lies
_MOST_STEPS = 80  # down to a valley's floor
_FLAT = 1e-9  # of the gradient at the start
_LONG = 2.0**-6  # of the domain: a longer cluster is no point
_MOST_ROWS = 1000
_MOST_PIECES = 4000  # of a frame

_ROUGH = (
    "the formula may jump here",
    "a pole of the formula, or the edge of where it is defined, may lie here",
    "the formula may have a kink here, where the proofs for smooth losses do not hold",
    "the formula, or a derivative of it, may not be defined everywhere here",
)

Side = Literal["above", "below", "both", "unknown"]
Frame = tuple[tuple[Fraction, ...], tuple[Fraction, ...]]


@dataclass(frozen=True)
class Surroundings:
    """What was found on the boundary of a box round a cluster.

    Attributes
    ----------
    index
        The winding number of the gradient (two weights), else None.
    side
        Whether the loss there is above or below its value at the point.
    """

    frame: Frame
    index: int | None
    side: Side


def settle(
    loss: BallLoss, boxes: Sequence[Box], scale: Sequence[float], domain: Box, others: Sequence[Box]
) -> tuple[CriticalPoint | None, str]:
    """Say what is proved about a cluster of boxes that no test closes.

    Parameters
    ----------
    boxes
        The cluster.
    scale
        The widths of the domain.
    others
        Enclosures of the other points and clusters: no frame may hold one.

    Returns
    -------
    tuple
        A point, if there is reason to list one, and what is proved and what is not (empty where all is).
    """
    low, high = hull(boxes)
    with ctx.workprec(_PRECISION):
        zero = exact_zero(loss, low, high)
        if zero is not None and not any(_holds(box, zero) for box in boxes):
            zero = None  # another point, in the middle of a ring
        if _length(boxes, scale) > _LONG:
            return _valley(loss, boxes, domain, zero)
        inner = zero or tuple((Fraction(a) + Fraction(b)) / 2 for a, b in zip(low, high, strict=True))
        around = _surroundings(loss, (low, high), scale, inner, others)
        return _degenerate(loss, (low, high), domain, zero, inner, around)


def _roughness(loss: BallLoss, box: Box) -> int | None:
    """The place in ``_ROUGH`` of what may keep the loss from being smooth on a box, else None."""
    with ctx.workprec(_PRECISION):
        over = [_between(Fraction(a), Fraction(b)) for a, b in zip(*box, strict=True)]
        for place, switches in enumerate((loss.jumps, loss.edges, loss.switches)):
            if switches.may_vanish(over):
                return place
        return None if all(value.is_finite() for value in loss.everything(*over)) else 3


def smooth_parts(
    loss: BallLoss, groups: Sequence[Group], scale: Sequence[float]
) -> tuple[list[Group], dict[str, list[Box]]]:
    """Part clusters where the loss may not be smooth from the others.

    Returns
    -------
    tuple
        Clusters on which the loss is smooth, long ones only where the rest is not; and the hulls of the
        others, by what they may hold.
    """
    smooth: list[Group] = []
    reasons: dict[str, list[Box]] = {}
    for group in groups:
        found = [_roughness(loss, box) for box, _ in group]
        kinds = [place for place in found if place is not None]
        if not kinds:
            smooth.append(group)
            continue
        rough = [box for (box, _), place in zip(group, found, strict=True) if place is not None]
        rest = [item for item, place in zip(group, found, strict=True) if place is None]
        for part in joined(list(clusters(rest)), scale):
            boxes = [box for box, _ in part]
            if _length(boxes, scale) > _LONG:
                smooth.append(part)
            else:
                rough += boxes
        reasons.setdefault(_ROUGH[min(kinds)], []).append(hull(rough))
    return smooth, reasons


def _holds(box: Box, place: Sequence[Fraction]) -> bool:
    return all(a <= c <= b for a, c, b in zip(box[0], place, box[1], strict=True))


def _length(boxes: Sequence[Box], scale: Sequence[float]) -> float:
    low, high = hull(boxes)
    return max((b - a) / s for a, b, s in zip(low, high, scale, strict=True))


def _between(low: Fraction, high: Fraction) -> Ball:
    return ball(low) if low == high else ball(low).union(ball(high))


def _valley(
    loss: BallLoss, boxes: Sequence[Box], domain: Box, zero: tuple[Fraction, ...] | None
) -> tuple[CriticalPoint | None, str]:
    """A cluster too long to be a point: flat, if the gradient is zero near the box in its middle."""
    whole = hull(boxes)
    reason = (
        "the boxes that are left follow a curve or surface: it may be a piece of zeros of the gradient, "
        "or points too close to be told apart; neither is proved"
    )
    place = zero or _floor(loss, _nearest(boxes, whole))
    return None if place is None else _point(loss, place, whole, "flat", domain), reason


def _floor(loss: BallLoss, place: tuple[Fraction, ...]) -> tuple[Fraction, ...] | None:
    """A zero of the gradient near a place where the Hessian is singular; None where there seems to be none.

    Newton's method across the valley only: the steps along it, of the Hessian's small eigenvalues, are left
    out. In a valley whose floor falls, however slowly, the slope along it remains.
    """
    here = np.array([float(c) for c in place])
    first: float | None = None
    for _ in range(_MOST_STEPS):
        values = loss.everything(*map(arb, here.tolist()))
        slope = np.array([float(value.mid()) for value in values[1 : 1 + loss.size]])
        bend = _midpoints(values[1 + loss.size :], loss.size)
        if not (np.isfinite(slope).all() and np.isfinite(bend).all()):
            return None
        size = float(np.abs(slope).max())
        first = size if first is None else first
        if size <= _FLAT * first:
            return tuple(Fraction(c) for c in here.tolist())
        here = here - np.linalg.pinv(bend, rcond=1e-3, hermitian=True) @ slope
    return None


def _nearest(boxes: Sequence[Box], whole: Box) -> tuple[Fraction, ...]:
    """The middle of the box nearest to the middle of them all."""
    middles = np.array([np.add(*box) / 2 for box in boxes])
    distance = np.abs(middles - np.add(*whole) / 2).max(axis=1)
    return tuple(map(Fraction, middles[int(np.argmin(distance))].tolist()))


def flat_region(loss: BallLoss, boxes: Sequence[Box], domain: Box) -> tuple[CriticalPoint, str]:
    """Boxes on which the gradient is proved to be zero throughout."""
    whole = hull(boxes)
    with ctx.workprec(_PRECISION):
        point = _point(loss, _nearest(boxes, whole), whole, "flat", domain)
    return point, "the gradient is zero on a whole region"


def _point(
    loss: BallLoss,
    place: Sequence[Fraction],
    whole: Box,
    kind: CriticalKind,
    domain: Box,
) -> CriticalPoint:
    names = loss.written.weights
    values = loss.everything(*map(ball, place))
    middle = _midpoints(values[1 + loss.size :], loss.size)
    finite = bool(np.isfinite(middle).all())
    (low, high), (first, last) = whole, domain
    return CriticalPoint(
        dict(zip(names, map(float, place), strict=True)),
        0.0 if values[0].contains(0) else float(values[0].mid()),
        kind,
        "numerical",
        tuple(np.linalg.eigvalsh(middle).tolist()) if finite else (),
        dict(zip(names, zip(low, high, strict=True), strict=True)),
        boundary=any(a <= p or b >= q for a, b, p, q in zip(low, high, first, last, strict=True)),
    )


def _midpoints(upper: Sequence[Ball], size: int) -> NDArray[np.float64]:
    return np.array([[float(x.mid()) for x in row] for row in symmetric(upper, size)])


def _exact(point: CriticalPoint, zero: Sequence[Fraction]) -> CriticalPoint:
    ends = zip(point.weight, (outward(x.lower(), x.upper()) for x in map(ball, zero)), strict=True)
    return replace(point, proof="certified", interval=dict(ends))


def _surroundings(
    loss: BallLoss, whole: Box, scale: Sequence[float], inner: Sequence[Fraction], others: Sequence[Box]
) -> Surroundings | None:
    """The smallest frame on which the gradient is proved nowhere zero; None where there is none.

    The degree speaks of zeros inside only if the gradient is continuous there.
    """
    height = loss.value(list(map(ball, inner)))
    found: Surroundings | None = None
    for share in _FRAMES:
        low = tuple(Fraction(a) - Fraction(share * s) for a, s in zip(whole[0], scale, strict=True))
        high = tuple(Fraction(b) + Fraction(share * s) for b, s in zip(whole[1], scale, strict=True))
        inside = list(map(_between, low, high))
        if any(_meet((low, high), other) for other in others) or loss.switches.may_vanish(inside):
            break
        if not all(value.is_finite() for value in loss.everything(*inside)):
            break
        index = None
        if loss.size == 2:
            index = winding_number(loss.slope, (low[0], low[1]), (high[0], high[1]), _PRECISION, _MOST_PIECES)
            if index is None:
                continue
        elif not _is_free(loss, (low, high)):
            continue
        side = side_of(loss, (low, high), height)
        if found is None or (side != "unknown" and found.side == "unknown" and index == found.index):
            found = Surroundings((low, high), index, side)
        if found.side != "unknown":
            break
    return found


def _meet(frame: Frame, other: Box) -> bool:
    return all(a <= d and c <= b for a, b, c, d in zip(frame[0], frame[1], other[0], other[1], strict=True))


def _degenerate(
    loss: BallLoss,
    whole: Box,
    domain: Box,
    zero: tuple[Fraction, ...] | None,
    inner: Sequence[Fraction],
    around: Surroundings | None,
) -> tuple[CriticalPoint | None, str]:
    """Put together what is proved about a small cluster."""
    said: list[str] = []
    if zero is not None:
        said.append(f"the gradient is exactly zero at ({', '.join(map(str, zero))})")
    if around is None:
        if zero is None:
            return None, "no test tells whether a critical point lies here"
        said.append("no box round it was found on whose boundary the gradient is nowhere zero")
        return _point(loss, zero, whole, "undecided", domain), _sentence(said, "that it is isolated")
    within = all(
        a >= c and b <= d for a, b, c, d in zip(*around.frame, *domain, strict=True)
    )  # else what is inside the frame may lie outside the domain
    index, side = around.index, around.side
    if index is not None:
        said.append(f"the index of the gradient on the boundary of a small box round it is {index}")
    if index and within and zero is None:
        said.append("so that a critical point lies inside")
    if side in ("above", "below"):
        which = "minimum" if side == "above" else "maximum"
        said.append(f"the loss on that boundary is {side} its value inside, where it has a {which}")
    if zero is None and not (within and (index or side in ("above", "below"))):
        return None, _sentence(said, "that a critical point lies here")
    kind = _kind(zero, around)
    if zero is not None and kind != "undecided" and is_scaled(loss.written, zero):
        # the gradient's zeros are carried along curves from the point to infinity, which cross the frame
        return _exact(_point(loss, zero, whole, kind, domain), zero), ""
    if kind == "saddle":
        said.append("it is a saddle if it is the only critical point there")
    return _point(loss, inner, whole, kind, domain), _sentence(said, "that it is the only one")


def _sentence(said: Sequence[str], missing: str) -> str:
    proved = f"proved: {'; '.join(said)}; " if said else ""
    return f"{proved}not proved: {missing}"


def _kind(zero: Sequence[Fraction] | None, around: Surroundings) -> CriticalKind:
    """An isolated extremum of two weights has index 1; above on a frame, a minimum lies inside."""
    if around.index is not None and around.index != 1:
        return "saddle" if around.index <= 0 else "undecided"
    if around.side in ("above", "below"):
        return "minimum" if around.side == "above" else "maximum"
    if around.index is None and around.side == "both" and zero is not None:
        return "saddle"
    return "undecided"


def exact_zero(loss: BallLoss, low: Sequence[float], high: Sequence[float]) -> tuple[Fraction, ...] | None:
    """Return a short rational point of a box at which the gradient is exactly zero, or None.

    Notes
    -----
    The point is put into the tree of each component, which must simplify to the number 0; at 1,024 bits the
    loss must be defined there and no component may be off zero.
    """
    seen: set[tuple[Fraction, ...]] = set()
    for denominator in _DENOMINATORS:
        place = tuple(
            ((Fraction(a) + Fraction(b)) / 2).limit_denominator(denominator)
            for a, b in zip(low, high, strict=True)
        )
        if place in seen or not _holds((tuple(low), tuple(high)), place):
            continue
        seen.add(place)
        with ctx.workprec(_REFUTATION):
            values = loss.everything(*map(ball, place))
            if not all(value.is_finite() for value in values[: 1 + loss.size]):
                continue
            if not all(value.contains(0) for value in values[1 : 1 + loss.size]):
                continue
        if all(exact_value(loss.written, slope, place) == 0 for slope in loss.written.gradient):
            return place
    return None


def exact_value(written: WrittenLoss, expr: Expr, place: Sequence[Fraction]) -> Fraction | None:
    """Return the value at a rational point where it simplifies to a number, else None.

    >>> from gdsim.losses import Loss
    >>> written = WrittenLoss.of(Loss.from_text("cos(x*y) + x/3"))
    >>> exact_value(written, written.expression, (Fraction(0), Fraction(2)))
    Fraction(1, 1)
    """
    values: dict[Expr, Expr] = {
        Symbol(name): Number(value) for name, value in zip(written.weights, place, strict=True)
    }
    tree = substitute(expr, values)
    reductions: dict[Expr, Expr] = {}
    for node in walk(tree):
        if isinstance(node, Reduce):
            total = _over_rows(written, node)
            if total is None:
                return None
            reductions[node] = Number(total)
    result = simplify(substitute(tree, reductions))
    return result.value if isinstance(result, Number) else None


def _over_rows(written: WrittenLoss, node: Reduce) -> Fraction | None:
    rows = len(next(iter(written.data.values()), ()))
    if not 0 < rows <= _MOST_ROWS:
        return None
    total = Fraction(0)
    for row in range(rows):
        at_row: dict[Expr, Expr] = {
            Symbol(name, "column"): Number(column[row]) for name, column in written.data.items()
        }
        value = simplify(substitute(node.body, at_row))
        if not isinstance(value, Number):
            return None
        total += value.value
    return total / rows if node.kind == "mean" else total


def _faces(frame: Frame) -> list[Frame]:
    low, high = frame
    faces: list[Frame] = []
    for j in range(len(low)):
        faces += [
            ((*low[:j], end, *low[j + 1 :]), (*high[:j], end, *high[j + 1 :])) for end in (low[j], high[j])
        ]
    return faces


def _halves(face: Frame, frame: Frame) -> Iterator[Frame]:
    """Halve a piece of a face along its side that is widest beside the frame's."""
    low, high = face
    shares = [(b - a) / (d - c) for a, b, c, d in zip(low, high, *frame, strict=True)]
    j = max(range(len(low)), key=shares.__getitem__)
    cut = (low[j] + high[j]) / 2
    yield low, (*high[:j], cut, *high[j + 1 :])
    yield (*low[:j], cut, *low[j + 1 :]), high


def _is_free(loss: BallLoss, frame: Frame) -> bool:
    """Whether the gradient is proved nowhere zero on the boundary of a box."""
    pieces = _faces(frame)
    for _ in range(_MOST_PIECES):
        if not pieces:
            return True
        piece = pieces.pop()
        slope = loss.slope(*map(_between, *piece))
        if not any(value > 0 or value < 0 for value in slope):
            pieces.extend(_halves(piece, frame))
    return False


def side_of(loss: BallLoss, frame: Frame, height: Ball) -> Side:
    """Tell on which side of a height the loss lies on the boundary of a box.

    ``"above"`` proves that the loss has a minimum inside, if the height is its value at a point inside: the
    least value on the closed box is not taken on the boundary. ``"both"`` means parts above and parts below.

    Notes
    -----
    Cost: one evaluation for each piece, at most 4,000, fewer by the mean-value form near the point's level.
    """
    above = below = False
    pieces = _faces(frame)
    for _ in range(_MOST_PIECES):
        if not pieces:
            return "above" if above else "below"
        piece = pieces.pop(0)
        over = _enclosed(loss, piece)
        if over > height:
            above = True
        elif over < height:
            below = True
        else:
            pieces.extend(_halves(piece, frame))
        if above and below:
            return "both"
    return "unknown"


def _enclosed(loss: BallLoss, piece: Frame) -> Ball:
    """The loss over a piece of a face: by itself, and about its middle by the mean-value form."""
    sides = list(map(_between, *piece))
    values = loss.everything(*sides)
    middle = [x.mid() for x in sides]
    about = loss.value(middle)
    for slope, side, m in zip(values[1 : 1 + loss.size], sides, middle, strict=True):
        about += slope * (side - m)
    return about.intersection(values[0]) if about.is_finite() and values[0].is_finite() else values[0]
