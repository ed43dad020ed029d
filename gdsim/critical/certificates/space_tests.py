"""The tests of a certificate's boxes for several weights: only the tree and its balls are used.

What a box shows is a theorem of its own: ∇f has no zero in it; or exactly one in a box round it; or a place
is the only zero in the whole space.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, arb_mat, ctx

from gdsim.critical.certificates.space_scaling import scaled_kind
from gdsim.critical.written import WrittenLoss
from gdsim.expr.emit_ball import Ball, BallFunction, Nowhere, ball, sign
from gdsim.expr.lower import rational_exponent
from gdsim.expr.nodes import (
    ZERO,
    Add,
    Call,
    Compare,
    Expr,
    Multiply,
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

Corner = tuple[float, ...]
Box = tuple[Corner, Corner]

TESTS = ("gradient", "mean value", "no zero", "krawczyk", "scaled", "flat", "nowhere", "left")
FINE = 192  # bits with which a zero is compared with what is claimed of it
_MOST_ROWS = 2000  # times the switches: beyond, a kink is taken to be everywhere
_MOST_STEPS = 60
_SHRUNK = 0.98
_SPARE = 64  # bits


class Unproved(Exception):
    """The test of a box does not succeed; the message says why."""


@dataclass(frozen=True)
class Leaf:
    """A box, and what is said to close it.

    Attributes
    ----------
    box
        Its least and its greatest corner.
    test
        One of ``TESTS``.
    bits
        The precision of the test.
    inflated
        A box that holds ``box``, over which the Hessian is taken; for ``"scaled"`` a frame round ``place``.
    place, scaling
        Of ``"scaled"``: a zero of ∇f, and the exponents with which the loss is alike at all scales round it.
    """

    box: Box
    test: str
    bits: int
    inflated: Box | None = None
    place: tuple[Fraction, ...] = ()
    scaling: tuple[Fraction, ...] = ()


@dataclass(frozen=True, eq=False)
class Zero:
    """A zero of ∇f that is the only one in a region.

    Attributes
    ----------
    region
        Its corners; infinite for the whole space.
    enclosure
        Balls that hold the zero.
    kind
        What is known besides the Hessian there, else empty.
    place
        Its exact coordinates, where they are known.
    """

    region: Box
    enclosure: tuple[Ball, ...]
    kind: str = ""
    place: tuple[Fraction, ...] = ()


def over(box: Box) -> list[Ball]:
    """Balls that hold a box.

    >>> [bool(x.contains(arb(0)) and x.contains(arb(1))) for x in over(((0.0,), (1.0,)))]
    [True]
    """
    return [arb(a).union(arb(b)) for a, b in zip(*box, strict=True)]


def holds(outer: Box, inner: Box) -> bool:
    """Whether a box lies in another.

    >>> holds(((0.0,), (1.0,)), ((0.0,), (0.5,))), holds(((0.0,), (1.0,)), ((0.5,), (2.0,)))
    (True, False)
    """
    (a, b), (c, d) = outer, inner
    return all(p <= q for p, q in zip(a, c, strict=True)) and all(p >= q for p, q in zip(b, d, strict=True))


class SpaceTests:
    """The tests of boxes, for one loss of several weights.

    Notes
    -----
    With the Hessian's enclosure H over a convex box X, m in X and Y any matrix, every zero of ∇f in X lies in
    K = m − Y∇f(m) + (I − Y·H)(X − m); where K lies in the interior of X there is exactly one. H counts only
    where the loss is twice continuously differentiable: no switching function may vanish on X, and the loss
    as it is written must be defined on all of it.
    Cost: for each box one gradient; or loss, gradient, Hessian and two matrix products.
    Source: R. Krawczyk, Computing 4 (1969), 187–201, doi:10.1007/BF02234767; A. Neumaier, Interval Methods
    for Systems of Equations (1990), §5.1.

    Examples
    --------
    >>> from gdsim.losses import Loss
    >>> tests = SpaceTests(WrittenLoss.of(Loss.from_text("x^2 + y^2")))
    >>> tests.show(Leaf(((1.0, -1.0), (2.0, 1.0)), "gradient", 53)) is None
    True
    >>> around = ((-1.0, -1.0), (1.0, 1.0))
    >>> zero = tests.show(Leaf(around, "krawczyk", 53, around))
    >>> [float(x.mid()) for x in zero.enclosure]
    [0.0, 0.0]
    """

    def __init__(self, written: WrittenLoss) -> None:
        self.written = written
        weights, data = written.weights, written.data
        self.size = n = len(weights)
        bend = [written.hessian[min(i, j)][max(i, j)] for i in range(n) for j in range(n)]
        self.gradient = BallFunction(written.gradient, weights, data, "restricted")
        self.slope = BallFunction(written.gradient, weights, data)
        self.everything = BallFunction([written.expression, *written.gradient, *bend], weights, data)
        self.loss = BallFunction([written.expression], weights, data)
        self.somewhere = BallFunction([written.expression], weights, data, "nowhere")
        nodes = list(walk(written.expression))
        self.chooses = any(isinstance(node, Where) for node in nodes)
        self.kinks = _Nonzero(written, [u for node in nodes for u in _kinks(node)])
        self.jumps = _Nonzero(written, [u for node in nodes for u in _jumps(node)])
        self._zeros: dict[tuple[object, ...], Zero] = {}

    def show(self, leaf: Leaf) -> Zero | None:
        """Check a box again; the zero that it shows, if it shows one.

        Raises
        ------
        Unproved
            Where its test does not succeed.
        """
        if leaf.test == "left":
            return None
        key = (leaf.test, leaf.bits, leaf.inflated, leaf.place, leaf.scaling)
        known = self._zeros.get(key)
        if leaf.test == "scaled":
            found = self._zeros[key] = known or self._scaled(leaf)
            return found
        if leaf.inflated is not None and not holds(leaf.inflated, leaf.box):
            raise Unproved("its box is not inside the inflated one")
        if leaf.test == "krawczyk":
            found = self._zeros[key] = known or self._only_zero(leaf)
            return found
        with ctx.workprec(leaf.bits):
            getattr(self, "_" + leaf.test.replace(" ", "_"))(leaf)
        return None

    def is_open(self, leaf: Leaf) -> bool:
        """Whether a box may hold critical points that it does not show: flat, left, or with a jump."""
        if leaf.test == "gradient":
            with ctx.workprec(leaf.bits):
                return not self.jumps.on(over(leaf.box))
        return leaf.test in ("flat", "left")

    def has_edge(self, leaf: Leaf) -> bool:
        """Whether a box closed by its gradient may hold a pole, or an edge of where the loss is defined."""
        with ctx.workprec(leaf.bits):
            return leaf.test == "gradient" and not self.loss(*over(leaf.box))[0].is_finite()

    def _gradient(self, leaf: Leaf) -> None:
        """One component has one sign: a continuous loss is monotone along that weight, kinks or not."""
        if not any(sign(value) for value in self.gradient(*over(leaf.box))):
            raise Unproved("no component of the gradient has one sign")

    def _mean_value(self, leaf: Leaf) -> None:
        outer, h = self._bend(leaf)
        m = _middle(outer)
        x = arb_mat([[a - b] for a, b in zip(over(leaf.box), m, strict=True)])
        if not any(sign(value) for value in (self._slope_at(m) + h * x).entries()):
            raise Unproved("no component of the gradient's mean-value form has one sign")

    def _no_zero(self, leaf: Leaf) -> None:
        image = self._krawczyk(*self._bend(leaf))
        if not any(k < a or k > b for k, a, b in zip(image, *leaf.box, strict=True)):
            raise Unproved("Krawczyk's operator meets the box")

    def _flat(self, leaf: Leaf) -> None:
        x = over(leaf.box)
        if not (self.kinks.on(x) and all(value.is_zero() for value in self.slope(*x))):
            raise Unproved("the gradient is not zero on the whole box")

    def _nowhere(self, leaf: Leaf) -> None:
        if self.chooses:
            raise Unproved("a formula with choices may be defined on one branch")
        try:
            self.somewhere(*over(leaf.box))
        except Nowhere:
            return
        raise Unproved("the loss may be defined there")

    def _bend(self, leaf: Leaf) -> tuple[list[Ball], Ball]:
        """Balls round the inflated box, and the Hessian over them."""
        assert leaf.inflated is not None
        outer = over(leaf.inflated)
        return outer, self._hessian(outer)

    def _hessian(self, x: Sequence[Ball]) -> Ball:
        values = self.everything(*x)
        if not all(value.is_finite() for value in values):
            raise Unproved("the loss or a derivative may not be defined there")
        if not self.kinks.on(x):
            raise Unproved("the loss may have a kink there")
        return arb_mat(self.size, self.size, list(values[1 + self.size :]))

    def _slope_at(self, m: Sequence[Ball]) -> Ball:
        return arb_mat(self.size, 1, list(self.slope(*m)))

    def _krawczyk(self, x: Sequence[Ball], h: Ball) -> list[Ball]:
        """Krawczyk's operator; nan where the Hessian has no inverse."""
        m = _middle(x)
        with ctx.workprec(ctx.prec + _SPARE):
            try:
                y = h.mid().inv().mid()
            except ZeroDivisionError:
                raise Unproved("the Hessian's midpoint has no inverse") from None
        unit = arb_mat([[int(i == j) for j in range(self.size)] for i in range(self.size)])
        off = arb_mat([[a - b] for a, b in zip(x, m, strict=True)])
        moved = (unit - y * h) * off - y * self._slope_at(m)
        return [a + b for a, b in zip(m, moved.entries(), strict=True)]

    def _only_zero(self, leaf: Leaf) -> Zero:
        """The only zero in the inflated box, narrowed as far as Krawczyk's operator does."""
        assert leaf.inflated is not None
        with ctx.workprec(leaf.bits):
            x, h = self._bend(leaf)
            image = self._krawczyk(x, h)
            if not all(k > a and k < b for k, a, b in zip(image, *leaf.inflated, strict=True)):
                raise Unproved("Krawczyk's operator is not inside the inflated box")
        with ctx.workprec(FINE):
            x = [a.intersection(b) for a, b in zip(x, image, strict=True)]
            for _ in range(_MOST_STEPS):
                try:
                    image = self._krawczyk(x, self._hessian(x))
                except Unproved:
                    break
                narrower = [a.intersection(b) for a, b in zip(x, image, strict=True)]
                shrunk = any(new.rad() < _SHRUNK * old.rad() for new, old in zip(narrower, x, strict=True))
                x = narrower
                if not shrunk:
                    break
        return Zero(leaf.inflated, tuple(x))

    def _scaled(self, leaf: Leaf) -> Zero:
        """An exact place that is the only zero in the whole space."""
        assert leaf.inflated is not None
        with ctx.workprec(leaf.bits):
            kind = scaled_kind(self.written, leaf.place, leaf.scaling, leaf.inflated)
        if not kind:
            raise Unproved("the loss is not shown to be alike at all scales, with no other zero")
        with ctx.workprec(FINE):
            everywhere = ((-math.inf,) * self.size, (math.inf,) * self.size)
            return Zero(everywhere, tuple(map(ball, leaf.place)), kind, leaf.place)


def _middle(x: Sequence[Ball]) -> list[Ball]:
    return [a.mid() for a in x]


class _Nonzero:
    """Functions of the weights, for each row of the data, none of which is zero on a box."""

    def __init__(self, written: WrittenLoss, functions: Sequence[Expr]) -> None:
        rows = len(next(iter(written.data.values()), ()))
        found: dict[Expr, None] = {}
        self.too_many = False
        for function in (factor for whole in functions for factor in _factors(whole)):
            if not symbols(function, "weight"):
                continue
            if not symbols(function, "column"):
                found.setdefault(function)
                continue
            self.too_many |= rows * len(functions) > _MOST_ROWS
            for row in range(0 if self.too_many else rows):
                values: dict[Expr, Expr] = {
                    Symbol(name, "column"): Number(column[row]) for name, column in written.data.items()
                }
                found.setdefault(substitute(function, values))
        self.functions = BallFunction(list(found), written.weights) if found else None

    def on(self, x: Sequence[Ball]) -> bool:
        """Whether each function is shown to have one sign on a box."""
        if self.too_many:
            return False
        return self.functions is None or all(map(sign, self.functions(*x)))


def _factors(expr: Expr) -> Iterator[Expr]:
    """Functions whose zeros are those of the whole; their balls may be off zero where a product's is not."""
    match expr:
        case Multiply(factors):
            for factor in factors:
                yield from _factors(factor)
        case Negate(operand) | Power(operand, _):
            yield from _factors(operand)
        case _:
            yield expr


def _kinks(node: Expr) -> Iterator[Expr]:
    """The functions at whose zeros a node may not be twice continuously differentiable, though defined."""
    match node:
        case Where(Compare(_, left, right), _, _) | Call("max" | "min", (left, right)):
            yield Add((left, Negate(right)))
        case Call("abs" | "sign" | "relu" | "sqrt", (u,)):
            yield u
        case Call("huber", (u, bound)):
            yield from (Add((u, bound)), Add((u, Negate(bound))))
            if not (rational_exponent(bound) or 0) > 0:  # beyond the threshold stands abs(u)
                yield u
        case Power(base, exponent):
            value = rational_exponent(exponent)
            if value is None or value.denominator > 1:
                yield base


def _jumps(node: Expr) -> Iterator[Expr]:
    """The functions at whose zeros a node may jump; a choice does not if its branches agree there."""
    match node:
        case Call("sign", (u,)):
            yield u
        case Where(Compare(operator, left, right), then, otherwise):
            gap = Add((then, Negate(otherwise)))
            for name, other in ((left, right), (right, left)):
                agrees = isinstance(name, Symbol) and simplify(substitute(gap, {name: other})) == ZERO
                if agrees and operator not in ("==", "!="):
                    return
            yield Add((left, Negate(right)))
