"""Critical points of several weights: proved by Krawczyk's operator, told apart by the Hessian's inertia.

What the Hessian does not tell — degenerate points — is settled from the boundary of a small box: how often
the gradient turns on it (two weights), and whether the loss there is above or below its value at the point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, ctx
from numpy.typing import NDArray

from gdsim.critical.audits import kind_by_index
from gdsim.critical.space.boxes import Box, corners
from gdsim.critical.space.loss import BallLoss
from gdsim.critical.written import exact
from gdsim.expr.emit_ball import Ball, ball, outward
from gdsim.outcomes import CriticalKind, CriticalPoint

Array = NDArray[np.float64]

FINE = 128  # bits: what is reported as a double is computed with more than twice its digits
_DOUBLE = 53
_CLOSE = (2.0**-90, 2.0**-75, 2.0**-60)  # narrow first: a large inverse Hessian makes rounding large
_MOST_STEPS = 40
MARGIN = 2.0**-20  # of a box: rounding of its ends, 2^-29 of it in a ball, must decide nothing


def displacement(
    slope: Sequence[Ball], bend: Sequence[Ball], reach: Sequence[Ball]
) -> tuple[list[Ball], list[float], list[Ball]] | None:
    """Return Krawczyk's operator less the midpoint, K − m = −Y∇f(m) + (I − Y·H(X))(X − m).

    Parameters
    ----------
    slope
        ∇f(m).
    bend
        The upper triangle of H(X), row by row.
    reach
        X − m, balls round zero.

    Returns
    -------
    tuple or None
        K − m, the norms of the columns of the midpoint Hessian, whose inverse is Y, and Y∇f(m), whose
        radius is rounding alone. None where there is no inverse.

    Notes
    -----
    If m + (K − m) lies in the interior of X, then X holds exactly one zero of ∇f; it lies in K. Each zero
    in X lies in K in any case. Y may be any matrix: floats will do.
    Source: R. Krawczyk, Computing 4 (1969), 187–201, doi:10.1007/BF02234767; A. Neumaier, Interval Methods
    for Systems of Equations (1990), §5.1.

    Examples
    --------
    >>> sides = [arb(0, 1), arb(0, 1)]
    >>> moved, columns, step = displacement([arb(1), arb(2)], [arb(2), arb(0), arb(4)], sides)
    >>> [float(ball.mid()) for ball in moved], columns
    ([-0.5, -0.5], [2.0, 4.0])
    """
    if len(slope) > 2:
        return _displacement(slope, bend, reach)
    xx, xy, yy = bend
    a: Ball = float(xx.mid())
    b: Ball = float(xy.mid())
    d: Ball = float(yy.mid())
    columns = [math.hypot(a, b), math.hypot(b, d)]
    if ctx.prec > _DOUBLE:  # then the curvatures may differ by more than a double can tell
        a, b, d = xx.mid(), xy.mid(), yy.mid()
    determinant = a * d - b * b
    if not (determinant > 0 or determinant < 0) or not math.isfinite(columns[0] + columns[1]):
        return None
    p, q, s = d / determinant, -b / determinant, a / determinant
    if ctx.prec > _DOUBLE:
        p, q, s = p.mid(), q.mid(), s.mid()
    elif not math.isfinite(p + q + s):
        return None
    g, h = slope
    u, v = reach
    step = [g * p + h * q, g * q + h * s]
    first = (1 - (xx * p + xy * q)) * u - (xy * p + yy * q) * v - step[0]
    second = (1 - (xy * q + yy * s)) * v - (xx * q + xy * s) * u - step[1]
    return [first, second], columns, step


def _displacement(
    slope: Sequence[Ball], bend: Sequence[Ball], reach: Sequence[Ball]
) -> tuple[list[Ball], list[float], list[Ball]] | None:
    size = len(slope)
    hessian = symmetric(bend, size)
    middle = np.array([[float(entry.mid()) for entry in row] for row in hessian])
    if not np.isfinite(middle).all():
        return None
    inverse = _inverse(hessian, middle)
    if inverse is None:
        return None
    product = (inverse * arb_mat(hessian)).tolist()
    steps = [row[0] for row in (inverse * arb_mat([[value] for value in slope])).tolist()]
    moved = []
    for i in range(size):
        total = -steps[i]
        for j in range(size):
            total += ((1 if i == j else 0) - product[i][j]) * reach[j]
        moved.append(total)
    return moved, np.sqrt((middle**2).sum(axis=0)).tolist(), steps


def _inverse(hessian: list[list[Ball]], middle: Array) -> Ball | None:
    """An inverse of the midpoints, in floats or, at higher precision, of the same precision."""
    try:
        if ctx.prec > _DOUBLE:
            return arb_mat([[x.mid() for x in row] for row in hessian]).inv().mid()
        inverse = np.linalg.inv(middle)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return None
    return arb_mat(inverse.tolist()) if np.isfinite(inverse).all() else None


def symmetric(upper: Sequence[Ball], size: int) -> list[list[Ball]]:
    """The whole matrix from its upper triangle.

    >>> symmetric([1, 2, 3], 2)
    [[1, 2], [2, 3]]
    """
    rows: list[list[Ball]] = [[None] * size for _ in range(size)]
    place = 0
    for i in range(size):
        for j in range(i, size):
            rows[i][j] = rows[j][i] = upper[place]
            place += 1
    return rows


@dataclass(frozen=True, eq=False)
class Proved:
    """Exactly one zero of ∇f in a box, and a narrow enclosure of it.

    Attributes
    ----------
    enclosure
        Balls of ``FINE`` bits.
    low, high
        The enclosure, rounded outwards.
    unique
        A box in which there is no other zero.
    inflated
        The box with which that is shown, a little larger.
    precision
        The bits with which that is shown.
    """

    enclosure: tuple[Ball, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    unique: Box
    inflated: Box
    precision: int

    def covers(self, low: Sequence[float], high: Sequence[float]) -> bool:
        """Whether a box lies where this zero is the only one."""
        return all(
            a < b and c < d for a, b, c, d in zip(self.unique[0], low, high, self.unique[1], strict=True)
        )


def prove(loss: BallLoss, middle: Sequence[float], reach: Sequence[float], precision: int) -> Proved | None:
    """Return the only zero of ∇f in ``middle ± reach``, where Krawczyk's test proves that there is one.

    Notes
    -----
    The enclosure is narrowed by the same operator until it stays as it is. Cost: some six evaluations of
    everything.
    """
    with ctx.workprec(precision):
        box = [arb(m, r) for m, r in zip(middle, reach, strict=True)]
        if loss.switches.may_vanish(box):
            return None
        image = _image(loss, box)
        inner = [arb(m, r * (1 - 2 * MARGIN)) for m, r in zip(middle, reach, strict=True)]
        if image is None or not all(x.contains_interior(k) for x, k in zip(inner, image, strict=True)):
            return None
    unique = about(middle, [r * (1 - MARGIN) for r in reach])
    with ctx.workprec(FINE):
        enclosure = _narrowed(loss, box, [k.intersection(x) for x, k in zip(box, image, strict=True)])
        ends = [outward(x.lower(), x.upper()) for x in enclosure]
    low, high = tuple(low for low, _ in ends), tuple(high for _, high in ends)
    return Proved(tuple(enclosure), low, high, unique, about(middle, reach), precision)


def about(middle: Sequence[float], reach: Sequence[float]) -> Box:
    """The corners of ``middle ± reach``, rounded."""
    return (
        tuple(m - r for m, r in zip(middle, reach, strict=True)),
        tuple(m + r for m, r in zip(middle, reach, strict=True)),
    )


def _image(loss: BallLoss, box: Sequence[Ball]) -> list[Ball] | None:
    """K over a box of balls; None where the loss may be undefined or the midpoint Hessian has no inverse."""
    values = loss.everything(*box)
    if not all(value.is_finite() for value in values):
        return None
    middle = [x.mid() for x in box]
    slope = loss.slope(*middle)
    found = displacement(slope, values[1 + loss.size :], [arb(0, x.rad()) for x in box])
    return None if found is None else [m + d for m, d in zip(middle, found[0], strict=True)]


def _narrowed(loss: BallLoss, outer: Sequence[Ball], box: list[Ball]) -> list[Ball]:
    """Narrow an enclosure of a zero: by a small box round Newton's limit if that holds it, else by steps."""
    near = _newton(loss, [x.mid() for x in box])
    for close in _CLOSE:
        small = [arb(m, close * (m.abs_upper() + x.rad())) for m, x in zip(near, outer, strict=True)]
        if not all(x.contains(inner) for x, inner in zip(outer, small, strict=True)):
            break
        image = _image(loss, small)
        if image is not None and all(x.contains_interior(k) for x, k in zip(small, image, strict=True)):
            box = image
            break
    for _ in range(_MOST_STEPS):
        image = _image(loss, box)
        if image is None:
            break
        narrower = [x.intersection(k) for x, k in zip(box, image, strict=True)]
        shrunk = any(new.rad() < 0.9 * old.rad() for new, old in zip(narrower, box, strict=True))
        box = narrower
        if not shrunk:
            break
    return box


def _newton(loss: BallLoss, point: list[Ball]) -> list[Ball]:
    """Newton's method on points: nothing is proved by it."""
    still = [arb(0)] * loss.size
    for _ in range(_MOST_STEPS):
        values = loss.everything(*point)
        if not all(value.is_finite() for value in values):
            break
        found = displacement(values[1 : 1 + loss.size], values[1 + loss.size :], still)
        if found is None:
            break
        point = [(m + d).mid() for m, d in zip(point, found[0], strict=True)]
        if all(d.abs_upper() <= _CLOSE[0] * m.abs_upper() for m, d in zip(point, found[0], strict=True)):
            break
    return point


def distinct(found: Sequence[Proved]) -> tuple[list[Proved], list[Proved]]:
    """Return one of the proofs of each point, and those of which it is not known whether they are one.

    Two are of one point if one enclosure lies where the other's point is the only one, and of two points if
    the enclosures do not meet.
    """
    if not found:
        return [], []
    lows, highs = corners([(proved.low, proved.high) for proved in found])
    first, last = corners([proved.unique for proved in found])
    kept = np.zeros(len(found), dtype=bool)
    doubled: list[Proved] = []
    for place, proved in enumerate(found):
        low, high = lows[place], highs[place]
        inside = ((first < low) & (high < last)).all(axis=1)
        around = ((first[place] < lows) & (highs < last[place])).all(axis=1)
        if (kept & (inside | around)).any():
            continue
        if (kept & (lows <= high).all(axis=1) & (low <= highs).all(axis=1)).any():
            doubled.append(proved)
        else:
            kept[place] = True
    return [proved for proved, one in zip(found, kept, strict=True) if one], doubled


def shortest(x: Ball) -> float:
    """The shortest decimal in a ball, else its midpoint as a double.

    >>> shortest(arb("0.1")), shortest(arb(0, 1e-40))
    (0.1, 0.0)
    """
    middle = float(x.mid())
    for digits in range(13):
        short = round(middle, digits)
        if abs(short - middle) <= 1e-15 * max(1.0, abs(middle)) and x.contains(ball(exact(short))):
            return short + 0.0
    return middle


def describe(loss: BallLoss, proved: Proved, boundary: bool) -> tuple[CriticalPoint, str]:
    """Classify a simple critical point by its Morse index.

    Returns
    -------
    tuple
        The point, and why its kind is not proved (empty where it is).
    """
    names = loss.written.weights
    with ctx.workprec(FINE):
        values = loss.everything(*proved.enclosure)
        hessian = symmetric(values[1 + loss.size :], loss.size)
        index = morse_index(hessian)
        height = values[0]
        middle = np.array([[float(entry.mid()) for entry in row] for row in hessian])
        kind: CriticalKind = "undecided" if index is None else kind_by_index(index, loss.size)
        point = CriticalPoint(
            dict(zip(names, map(shortest, proved.enclosure), strict=True)),
            0.0 if height.contains(0) else float(height.mid()),
            kind,
            "certified" if index is not None else "numerical",
            tuple(np.linalg.eigvalsh(middle).tolist()),
            dict(zip(names, zip(proved.low, proved.high, strict=True), strict=True)),
            multiplicity=1,
            boundary=boundary,
        )
    reason = "exactly one simple critical point lies here; the signs of the curvatures are not proved"
    return point, "" if index is not None else reason


def morse_index(hessian: Sequence[Sequence[Ball]]) -> int | None:
    """Return how many eigenvalues are negative for every matrix in the enclosure; None if not proved.

    T = QᵀHQ with approximate eigenvectors Q has the inertia of H, if Q is regular, and so has
    DTD with a positive diagonal D; the discs of DTD lie off zero.

    Notes
    -----
    D = |diag T|^−½ keeps a small curvature from being lost beside a large one.
    Source: J. J. Sylvester's law of inertia and S. Gershgorin's circles: R. A. Horn and C. R. Johnson, Matrix
    Analysis (2013), §4.5 and §6.1.

    Examples
    --------
    >>> morse_index([[arb(1), arb(2)], [arb(2), arb(1)]])
    1
    """
    size = len(hessian)
    middle = np.array([[float(entry.mid()) for entry in row] for row in hessian])
    if not np.isfinite(middle).all():
        return None
    q = arb_mat(np.linalg.eigh(middle)[1].tolist())
    near = (q.transpose() * q).tolist()
    for i in range(size):  # ‖I − QᵀQ‖∞ < 1: Q is regular
        if not sum(((1 if i == j else 0) - near[i][j]).abs_upper() for j in range(size)) < 1:
            return None
    turned = (q.transpose() * arb_mat([list(row) for row in hessian]) * q).tolist()
    diagonal = [turned[i][i] for i in range(size)]
    if not all(value > 0 or value < 0 for value in diagonal):
        return None
    scale = [1 / value.abs_lower().sqrt() for value in diagonal]
    for i in range(size):
        others = sum((turned[i][j] * scale[i] * scale[j]).abs_upper() for j in range(size) if j != i)
        if not others < 1:
            return None
    return sum(1 for value in diagonal if value < 0)
