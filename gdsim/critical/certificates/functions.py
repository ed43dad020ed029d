"""A tree of one weight over balls, and what its values and derivatives show: for the checker alone."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from flint import arb, ctx

from gdsim.critical.certificates.switching import has_switches
from gdsim.expr.differentiate import derivative
from gdsim.expr.emit_ball import Ball, BallFunction, Nowhere, Reading, sign
from gdsim.expr.exact_zeros import vanishes
from gdsim.expr.nodes import Call, Expr, symbols

_HIGHEST_ORDER, _STEPS = 12, 8
_EXACT, _PLACE = 8192, 1024  # bits: for the ends of a ball, for the value at a place
_NEVER_ZERO = frozenset({"exp", "cosh", "sigmoid", "softplus"})


class Function:
    """A tree with its derivatives over balls."""

    def __init__(self, tree: Expr, weight: str, data: Mapping[str, tuple[Fraction, ...]]) -> None:
        self.tree, self.weight, self.data = tree, weight, data
        self._trees = [tree]
        self._compiled: dict[tuple[int, Reading], BallFunction] = {}

    def derivative(self, order: int) -> Expr:
        """The tree of a derivative."""
        while len(self._trees) <= order:
            self._trees.append(derivative(self._trees[-1], self.weight))
        return self._trees[order]

    def over(self, x: Ball, order: int = 0) -> Ball:
        """A derivative over a ball; nan unless it is defined on all of it."""
        return self._call(x, order, "strict")

    def is_nonzero(self, x: Ball) -> bool:
        """Whether the function is zero at no place of a ball at which it is defined."""
        try:
            return sign(self._call(x, 0, "nowhere")) != 0
        except Nowhere:
            return True

    def keeps_sign(self, x: Ball) -> bool:
        """Whether no two values on a ball have opposite signs."""
        try:
            value = self._call(x, 0, "nowhere")
        except Nowhere:
            return True
        return bool(value >= 0 or value <= 0)

    def _call(self, x: Ball, order: int, reading: Reading) -> Ball:
        function = self._compiled.get((order, reading))
        if function is None:
            tree = self.derivative(order)
            if any(map(has_switches, self._trees[:order])):
                return arb("nan")  # the derivative of a switch says nothing of where it turns
            function = BallFunction([tree], [self.weight], self.data, reading)
            self._compiled[order, reading] = function
        return function(x)[0]

    def is_free(self, x: Ball) -> bool:
        """Whether there is no zero: by the values, the mean-value form, monotonicity or convexity.

        All but the first need φ and its derivatives to be defined, so to be continuous, on all of the ball.
        Where φ″ ≥ κ > 0 on the ball, φ ≥ φ(c) − φ′(c)²/2κ for any c in it.
        """
        if isinstance(self.tree, Call) and self.tree.function in _NEVER_ZERO:
            return True
        if self.is_nonzero(x):
            return True
        slope, middle = self.over(x, 1), x.mid()
        if not slope.is_finite() or not self.over(x).is_finite():
            return False
        if sign(self.over(middle) + slope * (x - middle)):
            return True
        ends = sum(sign(self.over(end)) for end in ends_of(x))
        if sign(slope):
            return abs(ends) == 2
        bend = self.over(x, 2)
        if not sign(bend):
            return False
        if ends == -2 * sign(bend):
            return True
        lowest = self._turning_point(x)
        least = self.over(lowest) * sign(bend) - self.over(lowest, 1) ** 2 / (2 * bend.abs_lower())
        return bool(least > 0)

    def _turning_point(self, x: Ball) -> Ball:
        """A number of the ball near a zero of the derivative, by Newton's method: nothing is proved by it."""
        at, (low, high) = x.mid(), ends_of(x)
        for _ in range(_STEPS):
            step = (at - self.over(at, 1) / self.over(at, 2)).mid()
            if not (step > low and step < high):
                break
            at = step
        return at

    def crosses_once(self, x: Ball) -> bool:
        """Whether there is exactly one zero, a simple one, inside: monotone, with two signs at the ends."""
        if not sign(self.over(x, 1)) or not self.over(x).is_finite():
            return False
        low, high = ends_of(x)
        return sign(self.over(low)) * sign(self.over(high)) < 0

    def vanishes_at(self, place: Expr, order: int = 0) -> bool:
        """Whether a derivative is defined at a place and zero there, by exact arithmetic."""
        tree = self.derivative(order)
        if symbols(tree, "column") or not vanishes(tree, self.weight, place):
            return False
        try:
            with ctx.workprec(_PLACE):
                value = self._call(BallFunction([place], [])()[0], order, "nowhere")
        except Nowhere:
            return False
        return bool(value.is_finite()) and bool(value.contains(0))

    def order_at(self, place: Expr, x: Ball) -> int:
        """The order of the exact zero at a place that is the only one in a ball; 0 if that is not shown.

        By Rolle's theorem a function whose n-th derivative has no zero has at most n, counted with their
        orders, if all derivatives before are continuous.
        """
        order = 0
        while order < _HIGHEST_ORDER and self.vanishes_at(place, order):
            order += 1
        smooth = all(self.over(x, lower).is_finite() for lower in range(order))
        return order if order and smooth and sign(self.over(x, order)) else 0

    def is_bounded(self, x: Ball) -> bool:
        """Whether the function is bounded on the part of a ball where it is defined."""
        try:
            return bool(self._call(x, 0, "nowhere").is_finite())
        except Nowhere:
            return True


def ends_of(x: Ball) -> tuple[Ball, Ball]:
    """The exact ends of a ball: rounded ones could lie outside, where nothing was shown.

    >>> x = arb(1).union(arb(1.1))
    >>> [bool(x.contains(end)) for end in ends_of(x)]
    [True, True]
    """
    with ctx.workprec(_EXACT):
        return x.lower(), x.upper()
