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

from gdsim.critical.space_boxes import Box
from gdsim.critical.switches import switching_functions
from gdsim.critical.written import WrittenLoss, exact
from gdsim.expr.emit_ball import Ball, BallFunction, Nowhere, ball
from gdsim.expr.lower import rational_exponent
from gdsim.expr.nodes import (
    ONE,
    TWO,
    ZERO,
    Add,
    Call,
    Compare,
    Divide,
    Expr,
    Negate,
    Number,
    Power,
    Symbol,
    Where,
    substitute,
    symbols,
    walk,
)
from gdsim.expr.simplify import simplify
from gdsim.outcomes import CriticalKind, CriticalPoint, Interval

FINE = 128  # bits: what is reported as a double is computed with more than twice its digits
MARGIN = 2.0**-20  # of a box: rounding of its ends, 2^-29 of it in a ball, must decide nothing
_MOST_SWITCHES = 2000  # over all data rows: beyond, a kink is taken to be everywhere


@dataclass(frozen=True, eq=False)
class BallLoss:
    """A loss with its derivatives over boxes.

    Attributes
    ----------
    gradient
        Restricted reading: to exclude zeros.
    slope
        Strict reading: to prove them.
    everything
        Strict reading: the loss, the gradient, the upper triangle of the Hessian row by row.
    somewhere
        The loss, by a reading that raises ``Nowhere`` where it is defined at no point; None where it has
        choices, of which one alone may be so.
    switches, jumps, edges
        The functions at whose zeros the loss may have a kink, a jump, a pole or the edge of its domain; may
        jump; may have a pole or an edge.
    """

    written: WrittenLoss
    gradient: BallFunction
    slope: BallFunction
    everything: BallFunction
    somewhere: BallFunction | None
    switches: Switches
    jumps: Switches
    edges: Switches

    @classmethod
    def of(cls, written: WrittenLoss) -> BallLoss:
        """Compile. Cost: some milliseconds."""
        weights, data = written.weights, written.data
        size = len(weights)
        upper = [written.hessian[i][j] for i in range(size) for j in range(i, size)]
        nodes = list(walk(written.expression))
        chooses = any(isinstance(node, Where) for node in nodes)
        return cls(
            written,
            BallFunction(written.gradient, weights, data, "restricted"),
            BallFunction(written.gradient, weights, data),
            BallFunction([written.expression, *written.gradient, *upper], weights, data),
            None if chooses else BallFunction([written.expression], weights, data, "nowhere"),
            Switches.of(written, switching_functions(written.expression)),
            Switches.of(written, [switch for node in nodes for switch in _jumps(node)]),
            Switches.of(written, [switch for node in nodes for switch in _edges(node)]),
        )

    @property
    def size(self) -> int:
        """The number of weights."""
        return len(self.written.weights)

    def is_nowhere(self, box: Sequence[Ball]) -> bool:
        """Whether the loss is proved to be defined at no point of the box."""
        if self.somewhere is None:
            return False
        try:
            self.somewhere(*box)
        except Nowhere:
            return True
        return False

    def value(self, box: Sequence[Ball]) -> Ball:
        """The loss over a box."""
        return self.everything(*box)[0]


@dataclass(frozen=True, eq=False)
class Switches:
    """Functions of the weights at whose zeros something happens to the loss; None stands for too many."""

    functions: BallFunction | None
    any: bool

    @classmethod
    def of(cls, written: WrittenLoss, switches: Sequence[Expr]) -> Switches:
        """Take functions that read the data once for each row."""
        found: dict[Expr, None] = {}
        rows = len(next(iter(written.data.values()), ()))
        for switch in switches:
            if not symbols(switch, "weight"):
                continue
            if not symbols(switch, "column"):
                found.setdefault(switch)
                continue
            if rows * len(switches) > _MOST_SWITCHES:
                return cls(None, True)
            for row in range(rows):
                at_row: dict[Expr, Expr] = {
                    Symbol(name, "column"): Number(column[row]) for name, column in written.data.items()
                }
                found.setdefault(substitute(switch, at_row))
        return cls(BallFunction(list(found), written.weights), bool(found))

    def may_vanish(self, box: Sequence[Ball]) -> bool:
        """Whether one of the functions is not proved to have one sign on the box."""
        if not self.any:
            return False
        if self.functions is None:
            return True
        return not all(value > 0 or value < 0 for value in self.functions(*box))


def _jumps(node: Expr) -> tuple[Expr, ...]:
    """The function at whose zeros a node may jump."""
    match node:
        case Call("sign", (argument,)):
            return (argument,)
        case Where(Compare(operator, left, right), then, otherwise):
            for weight, other in ((left, right), (right, left)):
                if isinstance(weight, Symbol) and operator not in ("==", "!="):
                    both = substitute(Add((then, Negate(otherwise))), {weight: other})
                    if simplify(both) == ZERO:
                        return ()
            return (Add((left, Negate(right))),)
    return ()


def _edges(node: Expr) -> tuple[Expr, ...]:
    """The function at whose zeros a node may have a pole, or its domain an edge."""
    match node:
        case Divide(_, denominator):
            return (denominator,)
        case Power(base, exponent):
            whole = rational_exponent(exponent)
            return () if whole is not None and whole.denominator == 1 and whole >= 0 else (base,)
        case Call("sqrt" | "log" | "log2" | "log10", (argument,)):
            return (argument,)
        case Call("asin" | "acos", (argument,)):
            return (Add((Power(argument, TWO), Negate(ONE))),)
        case Call("tan", (argument,)):
            return (Call("cos", (argument,)),)
    return ()


def displacement(
    slope: Sequence[Ball], bend: Sequence[Ball], reach: Sequence[Ball]
) -> tuple[list[Ball], list[float]] | None:
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
        K − m, and the norms of the columns of the midpoint Hessian, whose inverse is Y. None where
        it has none.

    Notes
    -----
    If m + (K − m) lies in the interior of X, then X holds exactly one zero of ∇f; it lies in K. Each zero
    in X lies in K in any case. Y may be any matrix: floats will do.
    Source: R. Krawczyk, Computing 4 (1969), 187–201, doi:10.1007/BF02234767; A. Neumaier, Interval Methods
    for Systems of Equations (1990), §5.1.

    Examples
    --------
    >>> moved, columns = displacement([arb(1), arb(2)], [arb(2), arb(0), arb(4)], [arb(0, 1), arb(0, 1)])
    >>> [float(ball.mid()) for ball in moved], columns
    ([-0.5, -0.5], [2.0, 4.0])
    """
    if len(slope) > 2:
        return _displacement(slope, bend, reach)
    xx, xy, yy = bend
    a, b, d = float(xx.mid()), float(xy.mid()), float(yy.mid())
    determinant = a * d - b * b
    if determinant == 0.0 or not math.isfinite(determinant):
        return None
    p, q, s = d / determinant, -b / determinant, a / determinant
    if not (math.isfinite(p) and math.isfinite(q) and math.isfinite(s)):
        return None
    g, h = slope
    u, v = reach
    first = (1 - (xx * p + xy * q)) * u - (xy * p + yy * q) * v - (g * p + h * q)
    second = (1 - (xy * q + yy * s)) * v - (xx * q + xy * s) * u - (g * q + h * s)
    return [first, second], [math.hypot(a, b), math.hypot(b, d)]


def _displacement(
    slope: Sequence[Ball], bend: Sequence[Ball], reach: Sequence[Ball]
) -> tuple[list[Ball], list[float]] | None:
    size = len(slope)
    hessian = symmetric(bend, size)
    middle = np.array([[float(entry.mid()) for entry in row] for row in hessian])
    if not np.isfinite(middle).all():
        return None
    try:
        inverse = np.linalg.inv(middle)
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite(inverse).all():
        return None
    rows = inverse.tolist()
    product = (arb_mat(rows) * arb_mat(hessian)).tolist()
    steps = (arb_mat(rows) * arb_mat([[value] for value in slope])).tolist()
    moved = []
    for i in range(size):
        total = -steps[i][0]
        for j in range(size):
            total += ((1 if i == j else 0) - product[i][j]) * reach[j]
        moved.append(total)
    return moved, np.sqrt((middle**2).sum(axis=0)).tolist()


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
        The box in which there is no other zero.
    precision
        The bits with which that is shown.
    """

    enclosure: tuple[Ball, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    unique: Box
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
    The enclosure is narrowed by the same operator until it stays as it is: quadratic convergence, some four
    steps.
    """
    with ctx.workprec(precision):
        box = [arb(m, r) for m, r in zip(middle, reach, strict=True)]
        if loss.switches.may_vanish(box):
            return None
        image = _image(loss, box)
        inner = [arb(m, r * (1 - 2 * MARGIN)) for m, r in zip(middle, reach, strict=True)]
        if image is None or not all(x.contains_interior(k) for x, k in zip(inner, image, strict=True)):
            return None
    clear = [r * (1 - MARGIN) for r in reach]
    unique = (
        tuple(m - r for m, r in zip(middle, clear, strict=True)),
        tuple(m + r for m, r in zip(middle, clear, strict=True)),
    )
    with ctx.workprec(FINE):
        enclosure = _narrowed(loss, [k.intersection(x) for x, k in zip(box, image, strict=True)])
        ends = [outward(x) for x in enclosure]
    low, high = tuple(low for low, _ in ends), tuple(high for _, high in ends)
    return Proved(tuple(enclosure), low, high, unique, precision)


def _image(loss: BallLoss, box: Sequence[Ball]) -> list[Ball] | None:
    """K over a box of balls; None where the loss may be undefined or the midpoint Hessian has no inverse."""
    values = loss.everything(*box)
    if not all(value.is_finite() for value in values):
        return None
    middle = [x.mid() for x in box]
    slope = loss.slope(*middle)
    found = displacement(slope, values[1 + loss.size :], [arb(0, x.rad()) for x in box])
    return None if found is None else [m + d for m, d in zip(middle, found[0], strict=True)]


def _narrowed(loss: BallLoss, box: list[Ball]) -> list[Ball]:
    for _ in range(40):
        image = _image(loss, box)
        if image is None:
            return box
        narrower = [x.intersection(k) for x, k in zip(box, image, strict=True)]
        shrunk = any(2 * new.rad() < old.rad() for new, old in zip(narrower, box, strict=True))
        box = narrower
        if not shrunk:
            break
    return box


def outward(x: Ball) -> Interval:
    """The ends of a ball, rounded outwards to doubles; exact where the ball is a double.

    >>> outward(arb(0.5)), outward(arb(1, 1e-20))
    ((0.5, 0.5), (0.9999999999999999, 1.0000000000000002))
    """
    low, high = float(x.lower()), float(x.upper())
    if x.is_exact() and arb(low) == x:
        return low, low
    while not arb(low) <= x:
        low = math.nextafter(low, -math.inf)
    while not arb(high) >= x:
        high = math.nextafter(high, math.inf)
    return low, high


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
        kind: CriticalKind = "undecided"
        if index is not None:
            kind = "minimum" if index == 0 else "maximum" if index == loss.size else "saddle"
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
