"""The tests of a certificate's boxes for one weight: nothing of the search is used, only tree and balls.

What a box shows is a theorem of its own: f′ has no zero in it; or one, of a known order, round which its
signs are known; or a switch, beside which they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb, ctx

from gdsim.critical.certificates.functions import Function, ends_of
from gdsim.critical.certificates.identity import are_proportional
from gdsim.critical.certificates.line_leaf import FINE, is_between, read_leaf
from gdsim.critical.certificates.line_products import Products
from gdsim.critical.certificates.switching import (
    Decided,
    decided,
    divisors,
    edges,
    has_switches,
    may_jump,
)
from gdsim.critical.written import WrittenLoss
from gdsim.expr.algebra import add, negate
from gdsim.expr.emit_ball import Ball, BallFunction, Nowhere, sign
from gdsim.expr.exact_zeros import vanishes
from gdsim.expr.nodes import ZERO, Expr, Number, Where, symbols, walk
from gdsim.expr.rows import rows_written_out
from gdsim.expr.simplify import simplify

_MOST_ROWS = 64  # of data that are written out one by one because a formula may end in each


class Unproved(Exception):
    """The test of a box does not succeed; the message says why."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What a box was shown to hold.

    Attributes
    ----------
    kind
        Of the one critical point in it; None where there is none.
    order
        The order of the zero of f′, where there is one.
    slopes
        The formulas of f′ beside it, where it is smooth.
    flat
        Whether f′ is zero throughout to the left and to the right of a place in the box.
    holds
        Whether two doubles have the place (of the point, or where a flat piece ends) between them.
    is_parted
        Whether what is flat on both sides of the place is not one piece.
    is_open
        Whether nothing was shown.
    """

    kind: str | None = None
    order: int | None = None
    slopes: tuple[Expr, ...] = ()
    flat: tuple[bool, bool] = (False, False)
    holds: Callable[[float, float], bool] = lambda low, high: False
    is_parted: bool = False
    is_open: bool = False


class BoxTests:
    """The tests of boxes, for one loss of one weight.

    Parameters
    ----------
    written
        The loss.
    factorings
        Products, each ``{"denominator": formula, "factors": [[formula, exponent], …]}``, that may stand for
        a slope times the denominator; whether one does is checked.
    """

    def __init__(self, written: WrittenLoss, factorings: Sequence[Mapping[str, Any]]) -> None:
        (self.weight,) = written.weights
        self.expression, self.data = written.expression, dict(written.data)
        if self.data and self._has_columns():
            self.expression, self.data = rows_written_out(self.expression, self.data), {}
        self._functions: dict[Expr, Function] = {}
        self.products = Products(factorings, self.weight, self.function)
        self.loss = self.function(self.expression)

    def _has_columns(self) -> bool:
        """Whether a switch differs from row to row, or an edge with few rows."""
        met: list[Expr] = []

        def note(function: Expr) -> int:
            met.append(function)
            return 1

        decided(self.expression, note)
        if len(next(iter(self.data.values()))) <= _MOST_ROWS:
            met += [*edges(self.expression), *divisors(self.expression)]
        return any(symbols(u, "column") for u in met)

    def function(self, tree: Expr) -> Function:
        """A tree as a function of balls, made once."""
        known = self._functions.get(tree)
        if known is None:
            known = self._functions[tree] = Function(tree, self.weight, self.data)
        return known

    def _not_free(self, slope: Expr, formula: Expr, x: Ball) -> list[tuple[Function, int]]:
        """The factors of a slope that may have a zero on the box; none where the slope itself has none."""
        if self.function(slope).is_nonzero(x):
            return []
        return [item for item in self.products.of(slope, formula, x).factors if not item[0].is_free(x)]

    def _is_whole(self, slope: Expr, formula: Expr, x: Ball) -> bool:
        """Whether the slope is zero wherever a factor is: its denominator is defined and not zero."""
        return sign(self.products.of(slope, formula, x).below.over(x)) != 0

    def _may_be_free(self, u: Expr, x: Ball) -> bool:
        """Whether a function below which, or at whose zero, a formula ends has no zero on the box."""
        return not symbols(u, "column") and self.function(u).is_free(x)

    def formulas(self, samples: Sequence[float]) -> Iterator[Expr]:
        """The smooth formulas that the loss is at some places, each once."""
        found: dict[Expr, None] = {}
        for sample in samples:
            try:
                found.setdefault(self._smooth(arb(sample)).formula)
            except Unproved:
                continue
        yield from found

    # -- tests ---------------------------------------------------------------------------------------

    def show(self, leaf: Mapping[str, Any]) -> Shown:
        """Check one box again.

        Raises
        ------
        Unproved
            Where its test does not succeed.
        Refused
            Where it is no box, or its test or place is none.
        """
        low, high, bits, test, place = read_leaf(leaf)
        with ctx.workprec(bits):
            x = arb(low).union(arb(high))
            found = _METHODS[test](self, x, place)
        holds_a_place = found.kind is not None or found.is_parted or found.flat[0] != found.flat[1]
        if holds_a_place and not found.holds(math.nextafter(low, high), math.nextafter(high, low)):
            raise Unproved("the place does not lie inside the box")  # its neighbour could show it, too
        return found

    def loss_over(self, x: Ball) -> Ball:
        """The loss over a ball; where an edge lies on it, over the part where it is defined."""
        value = self.loss.over(x)
        if value.is_finite():
            return value
        return BallFunction([self.expression], [self.weight], self.data, "restricted")(x)[0]

    def _left(self, x: Ball, place: Expr | None) -> Shown:
        return Shown(is_open=True)

    def _nowhere(self, x: Ball, place: Expr | None) -> Shown:
        if any(isinstance(node, Where) for node in walk(self.expression)):
            raise Unproved("a formula with choices may be defined on one branch")
        try:
            BallFunction([self.expression], [self.weight], self.data, "nowhere")(x)
        except Nowhere:
            return Shown()
        raise Unproved("the loss may be defined there")

    def _decided(self, sign_of: Callable[[Expr], int]) -> Decided:
        found = decided(self.expression, lambda function: 0 if function == ZERO else sign_of(function))
        if has_switches(found.formula):
            raise Unproved("a switch stays in the formula")
        return found

    def _smooth(self, x: Ball) -> Decided:
        """The formula on the box, where every switching function has one sign."""

        def sign_of(function: Expr) -> int:
            found = sign(self.function(function).over(x))
            if not found:
                raise Unproved("a switching function may vanish there")
            return found

        return self._decided(sign_of)

    def _slope(self, side: Decided) -> Expr:
        return self.function(side.formula).derivative(1)

    def _needs_value(self, side: Decided, x: Ball) -> None:
        """See that the loss as it is written has a value on all of the box; what is simpler may have more."""
        if not all(self.function(tree).over(x).is_finite() for tree in (side.formula, *side.written)):
            raise Unproved("the loss may not be defined, or not be smooth, on all of it")

    def _needs_no_cusp(self, slope: Expr, formula: Expr, x: Ball) -> None:
        """See that no root touches zero where the slope of the box may turn to the other infinity."""
        if self.function(slope).is_nonzero(x) or self.products.of(slope, formula, x).below.keeps_sign(x):
            return
        roots = [u for u in edges(formula) if symbols(u, "weight") and not self._may_be_free(u, x)]
        if not all(not symbols(u, "column") and sign(self.function(u).over(x, 1)) for u in roots):
            raise Unproved("the loss may have a cusp there")

    def _free(self, x: Ball, place: Expr | None) -> Shown:
        side = self._smooth(x)
        slope = self._slope(side)
        if slope == ZERO or self._not_free(slope, side.formula, x):
            raise Unproved("f′ may have a zero there")
        self._needs_no_cusp(slope, side.formula, x)
        return Shown()

    def _flat(self, x: Ball, place: Expr | None) -> Shown:
        side = self._smooth(x)
        if self._slope(side) != ZERO:
            raise Unproved("f′ is not zero throughout")
        self._needs_value(side, x)
        return Shown(flat=(True, True))

    def _one_zero(self, x: Ball, place: Expr | None) -> Shown:
        side = self._smooth(x)
        self._needs_value(side, x)
        slope = self._slope(side)
        phi, order = self.function(slope), 1
        if not phi.crosses_once(x):
            rest = self._not_free(slope, side.formula, x)
            if len(rest) != 1 or not rest[0][0].crosses_once(x):
                raise Unproved("f′ is not shown to have exactly one zero there")
            if not self._is_whole(slope, side.formula, x):
                raise Unproved("f′ may not be zero where its factor is")
            phi, order = rest[0]
        kind = self._kind(slope, slope, x)
        return Shown(kind, order, (slope,), holds=lambda low, high: self._between(phi, low, high))

    def _kind(self, left: Expr, right: Expr, x: Ball) -> str:
        low, high = ends_of(x)
        before, after = sign(self.function(left).over(low)), sign(self.function(right).over(high))
        if not before or not after:
            raise Unproved("the signs of f′ at the ends are not shown")
        return "inflection" if before == after else "minimum" if before < after else "maximum"

    def _between(self, phi: Function, low: float, high: float) -> bool:
        """Whether a function that has one zero near has it between two doubles."""
        with ctx.workprec(FINE):
            if sign(phi.over(arb(low))) * sign(phi.over(arb(high))) < 0:
                return True
        return any(phi.vanishes_at(Number(Fraction(end))) for end in (low, high))

    def _exact_zero(self, x: Ball, place: Expr | None) -> Shown:
        if place is None:
            raise Unproved("no place is given")
        side = self._smooth(x)
        slope = self._slope(side)
        order = self._order(slope, side.formula, x, place)
        below = {u for tree in (side.formula, *side.written) for u in divisors(tree)}
        if any(not symbols(u, "column") and vanishes(u, self.weight, place) for u in below):
            self._needs_no_cusp(slope, side.formula, x)
            return Shown()  # the loss has no value there, and f′ no other zero
        if not order or not self._is_whole(slope, side.formula, x):
            raise Unproved("f′ is not shown to vanish at the place")
        self._needs_value(side, x)
        kind = self._kind(slope, slope, x)
        return Shown(kind, order, (slope,), holds=lambda low, high: is_between(place, low, high))

    def _order(self, slope: Expr, formula: Expr, x: Ball, place: Expr) -> int:
        """The order at a place of the product that stands for a slope, which has no other zero in the box."""
        total = 0
        for phi, exponent in self._not_free(slope, formula, x):
            order = phi.order_at(place, x)
            if not order:
                raise Unproved("a factor of f′ is not shown to vanish at the place alone")
            total += order * exponent
        return total

    # -- switches ------------------------------------------------------------------------------------

    def _switch(self, x: Ball, place: Expr | None) -> Shown:
        """A place at which a switch turns: each side is one smooth formula, and both meet there."""
        turning: list[Expr] = []
        sides = [self._beside(x, end, turning) for end in ends_of(x)]
        if not turning:
            raise Unproved("no switch turns there")
        turn = turning[0]
        self._turn_together(turning, x, place)
        for side, end in zip(sides, ends_of(x), strict=True):
            self._smooth_beside(side, x, end, turn, place)
        slopes = [self._slope(side) for side in sides]
        zeros = [
            slope != ZERO and self._zero_beside(slope, side.formula, x, place)
            for slope, side in zip(slopes, sides, strict=True)
        ]
        holds = self._holder(turn, place)
        flat = (slopes[0] == ZERO, slopes[1] == ZERO)
        if flat[0] != flat[1]:
            return Shown(flat=flat, holds=holds)
        is_parted = self._is_parted(sides, x, turn, place)
        if flat[0] or is_parted:
            return Shown(flat=flat, holds=holds, is_parted=is_parted)
        kind = self._kind(slopes[0], slopes[1], x)
        if all(zeros):
            orders = {
                self._order_if_whole(slope, side.formula, x, place)
                for slope, side in zip(slopes, sides, strict=True)
            }
            return Shown(kind, orders.pop() if len(orders) == 1 else None, tuple(slopes), holds=holds)
        return Shown(None if kind == "inflection" else "kink", holds=holds)

    def _beside(self, x: Ball, end: Ball, turning: list[Expr]) -> Decided:
        """The formula on the side of the switch on which an end of the box lies."""

        def sign_of(function: Expr) -> int:
            found = sign(self.function(function).over(x))
            if not found:
                turning.append(function)
                found = sign(self.function(function).over(end))
            if not found:
                raise Unproved("a switching function may vanish at an end of the box")
            return found

        return self._decided(sign_of)

    def _turn_together(self, turning: Sequence[Expr], x: Ball, place: Expr | None) -> None:
        """See that switching functions vanish at one place of the box, the same for all, and nowhere else."""
        first, *others = turning
        if place is not None and all(self.function(u).order_at(place, x) for u in turning):
            return
        if not self.function(first).crosses_once(x) or not all(are_proportional(first, u) for u in others):
            raise Unproved("the switches are not shown to turn at one place")
        if place is not None and not self.function(first).vanishes_at(place):
            raise Unproved("the switches are not shown to turn at the place")

    def _holder(self, function: Expr, place: Expr | None) -> Callable[[float, float], bool]:
        if place is not None:
            return lambda low, high: is_between(place, low, high)
        return lambda low, high: self._between(self.function(function), low, high)

    def _is_there(self, function: Expr, turn: Expr, place: Expr | None) -> bool:
        """Whether a function is zero at the place where another one is."""
        if are_proportional(function, turn):
            return True
        return place is not None and self.function(function).vanishes_at(place)

    def _smooth_beside(self, side: Decided, x: Ball, end: Ball, turn: Expr, place: Expr | None) -> None:
        """See that a side's formula has a value and is smooth between the end of the box and the place."""
        trees = side.formula, *side.written
        for function in {u for tree in trees for u in (*edges(tree), *divisors(tree))}:
            if not symbols(function, "weight") or self._may_be_free(function, x):
                continue
            with_the_switch = are_proportional(function, turn) or (
                place is not None and self.function(function).order_at(place, x) > 0
            )
            if not with_the_switch:
                raise Unproved("a side's formula may not be smooth")
        if not all(self.function(tree).over(end).is_finite() for tree in trees):
            raise Unproved("a side's formula may not be defined")

    def _zero_beside(self, slope: Expr, formula: Expr, x: Ball, place: Expr | None) -> bool:
        """Whether a side's slope goes to zero at the switch; that it has another zero is ruled out."""
        rest = self._not_free(slope, formula, x)
        if not rest:
            return False
        if place is None:
            raise Unproved("a side's slope may have a zero there")
        for phi, _ in rest:
            alone = self._is_monotone(phi, formula, x) or phi.order_at(place, x)
            if not (alone and phi.vanishes_at(place)):
                raise Unproved("a side's slope may have a zero beside the switch")
        if not self._is_whole(slope, formula, x) and not self.function(slope).vanishes_at(place):
            raise Unproved("whether f′ goes to zero at the switch is not shown")
        return True

    def _order_if_whole(self, slope: Expr, formula: Expr, x: Ball, place: Expr | None) -> int | None:
        """The order of a side's zero; None where it need not be a whole one."""
        if place is None or not self._is_whole(slope, formula, x):
            return None
        try:
            return self._order(slope, formula, x, place)
        except Unproved:
            return None

    def _is_parted(self, sides: Sequence[Decided], x: Ball, turn: Expr, place: Expr | None) -> bool:
        """Whether the loss has no value at the switch, or another than the sides' limit."""

        def sign_of(function: Expr) -> int:
            found = sign(self.function(function).over(x))
            if not found and not self._is_there(function, turn, place):
                raise Unproved("the branch at the switch is not told")
            return found

        here = self._decided(sign_of)
        trees = here.formula, *here.written
        below = {u for tree in trees for u in divisors(tree) if not self._may_be_free(u, x)}
        if any(self._is_there(u, turn, place) for u in below):
            return True
        beside = {u for side in sides for u in divisors(side.formula) if not self._may_be_free(u, x)}
        if below or beside:
            raise Unproved("a divisor may vanish there")
        for u in {u for tree in trees for u in edges(tree)}:
            is_inside = not symbols(u, "column") and sign(self.function(u).over(x)) > 0
            if not is_inside and not self._is_there(u, turn, place):
                raise Unproved("the loss may have no value there")
        if not may_jump(self.expression):
            return False
        gaps = [simplify(add((here.formula, negate(side.formula)))) for side in sides]
        open_gaps = [gap for gap in gaps if gap != ZERO and not self._vanishes_there(gap, place)]
        if open_gaps and not any(sign(self.function(gap).over(x)) for gap in open_gaps):
            raise Unproved("the loss may jump there")
        return bool(open_gaps)

    def _vanishes_there(self, gap: Expr, place: Expr | None) -> bool:
        return place is not None and self.function(gap).vanishes_at(place)

    # -- edges ---------------------------------------------------------------------------------------

    def _edge(self, x: Ball, place: Expr | None) -> Shown:
        """An edge of where the loss is defined: beyond it there is none, up to it f′ has no zero."""
        decided_there = self._smooth(x)
        formula, trees = decided_there.formula, (decided_there.formula, *decided_there.written)
        turn, side = self._only_edge(trees, x)
        low, high = ends_of(x)
        inner = high if side > 0 else low
        self._smooth_beside(decided_there, x, inner, turn, place)
        slope = self._slope(decided_there)
        if slope == ZERO:
            raise Unproved("the loss is flat up to an edge")
        product = self.products.of(slope, formula, x)
        no_value = any(
            self._is_there(u, turn, place) for tree in trees for u in divisors(tree) if symbols(u, "weight")
        )
        reaches = [phi for phi, _ in product.factors if not self._leads_away(phi, formula, x, inner, side)]
        if not reaches:
            if not no_value and not product.below.is_bounded(x):
                raise Unproved("whether f′ goes to zero at the edge is not shown")
            return Shown()
        if place is None or not self.function(turn).vanishes_at(place):
            raise Unproved("f′ may have a zero up to the edge")
        if not all(phi.vanishes_at(place) and self._is_monotone(phi, formula, x) for phi in reaches):
            raise Unproved("f′ may have a zero up to the edge")
        if no_value:
            return Shown()
        if not self.function(slope).vanishes_at(place):
            raise Unproved("whether f′ goes to zero at the edge is not shown")
        inward = side * sign(self.function(slope).over(inner))
        if not inward:
            raise Unproved("the sign of f′ beside the edge is not shown")
        kind = "minimum" if inward > 0 else "maximum"
        return Shown(kind, holds=lambda low, high: is_between(place, low, high))

    def _only_edge(self, trees: Sequence[Expr], x: Ball) -> tuple[Expr, int]:
        """The function that is negative beyond the one edge in the box, and on which side it is positive."""
        every = dict.fromkeys(u for tree in trees for u in edges(tree) if symbols(u, "weight"))
        found = [u for u in every if not self._may_be_free(u, x)]
        if not found or symbols(found[0], "column") or not self.function(found[0]).crosses_once(x):
            raise Unproved("there is not exactly one edge")
        _, high = ends_of(x)
        sides = {sign(self.function(u).over(high)) for u in found}
        if len(sides) != 1 or not all(are_proportional(found[0], u) for u in found):
            raise Unproved("there is not exactly one edge")
        return found[0], sides.pop()

    def _leads_away(self, phi: Function, formula: Expr, x: Ball, inner: Ball, side: int) -> bool:
        """Whether a factor has no zero up to an edge: by its values, or as it goes away from zero."""
        if phi.is_free(x):
            return True
        towards = sign(phi.over(inner)) * sign(phi.over(inner, 1)) * side
        return towards < 0 and self._is_monotone(phi, formula, x)

    def _is_monotone(self, phi: Function, formula: Expr, x: Ball) -> bool:
        """Whether the derivative of a factor has no zero where it is defined."""
        slope = phi.derivative(1)
        return slope != ZERO and not self._not_free(slope, formula, x)


_METHODS: dict[str, Callable[[BoxTests, Ball, Expr | None], Shown]] = {
    "gradient": BoxTests._free,
    "one zero": BoxTests._one_zero,
    "exact zero": BoxTests._exact_zero,
    "switch": BoxTests._switch,
    "edge": BoxTests._edge,
    "flat": BoxTests._flat,
    "nowhere": BoxTests._nowhere,
    "left": BoxTests._left,
}
