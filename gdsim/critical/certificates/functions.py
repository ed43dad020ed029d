"""A tree of one weight over balls, and what its values and derivatives show: for the checker alone."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from gdsim.expr.differentiate import derivative
from gdsim.expr.emit_ball import Ball, BallFunction, Nowhere, Reading
from gdsim.expr.exact_zeros import vanishes
from gdsim.expr.nodes import Call, Expr

_HIGHEST_ORDER, _STEPS = 12, 8
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

    def is_nonzero(self, x: Ball, order: int = 0) -> bool:
        """Whether a derivative is zero at no place of a ball at which it is defined."""
        try:
            return sign(self._call(x, order, "nowhere")) != 0
        except Nowhere:
            return True

    def _call(self, x: Ball, order: int, reading: Reading) -> Ball:
        function = self._compiled.get((order, reading))
        if function is None:
            function = BallFunction([self.derivative(order)], [self.weight], self.data, reading)
            self._compiled[order, reading] = function
        return function(x)[0]

    def is_free(self, x: Ball) -> bool:
        """Whether there is no zero: by the values, the mean-value form, monotonicity or convexity.

        Where φ″ ≥ κ > 0 on the ball, φ ≥ φ(c) − φ′(c)²/2κ for any c in it.
        """
        if isinstance(self.tree, Call) and self.tree.function in _NEVER_ZERO:
            return True
        if self.is_nonzero(x):
            return True
        slope, middle = self.over(x, 1), x.mid()
        if not slope.is_finite():
            return False
        if sign(self.over(middle) + slope * (x - middle)):
            return True
        ends = sign(self.over(x.lower())) + sign(self.over(x.upper()))
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
        at = x.mid()
        for _ in range(_STEPS):
            step = (at - self.over(at, 1) / self.over(at, 2)).mid()
            if not (step > x.lower() and step < x.upper()):
                break
            at = step
        return at

    def crosses_once(self, x: Ball) -> bool:
        """Whether there is exactly one zero, a simple one, inside: monotone, with two signs at the ends."""
        ends = sign(self.over(x.lower())) * sign(self.over(x.upper()))
        return ends < 0 and sign(self.over(x, 1)) != 0

    def order_at(self, place: Expr, x: Ball) -> int:
        """The order of the exact zero at a place that is the only one in a ball; 0 if that is not shown.

        By Rolle's theorem a function whose n-th derivative has no zero has at most n, counted with their
        orders.
        """
        order = 0
        while order < _HIGHEST_ORDER and vanishes(self.derivative(order), self.weight, place):
            order += 1
        return order if order and sign(self.over(x, order)) else 0

    def is_bounded(self, x: Ball) -> bool:
        """Whether the function is bounded on the part of a ball where it is defined."""
        try:
            return bool(self._call(x, 0, "nowhere").is_finite())
        except Nowhere:
            return True


def sign(x: Ball) -> int:
    """The sign of all numbers of a ball, 0 where they have not one."""
    return 1 if x > 0 else -1 if x < 0 else 0
