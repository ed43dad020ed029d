"""The tests of a certificate's boxes for one weight: nothing of the search is used, only tree and balls.

What a box shows is a theorem of its own: f′ has no zero in it; or one, of a known order, round which its
signs are known; or a switch, beside which they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb, ctx

from gdsim.critical.certificates.document import Refused, real
from gdsim.critical.certificates.functions import Function, sign
from gdsim.critical.certificates.identity import are_proportional, is_product
from gdsim.critical.certificates.switching import (
    decided,
    divisors,
    edges,
    may_jump,
    rows_written_out,
    tells_equality,
)
from gdsim.critical.written import WrittenLoss
from gdsim.expr.algebra import add, negate
from gdsim.expr.emit_ball import Ball, BallFunction, Nowhere
from gdsim.expr.exact_zeros import value_at, vanishes
from gdsim.expr.nodes import ONE, ZERO, Expr, Number, Where, symbols, walk
from gdsim.expr.parse import parse
from gdsim.expr.simplify import simplify
from gdsim.outcomes import InputError

FINE = 600  # bits with which a place is compared with its interval


class Unproved(Exception):
    """The test of a box does not succeed; the message says why."""


class _Undecided(Exception):
    """A switching function may vanish on the box."""


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
    is_open
        Whether nothing was shown.
    """

    kind: str | None = None
    order: int | None = None
    slopes: tuple[Expr, ...] = ()
    flat: tuple[bool, bool] = (False, False)
    holds: Callable[[float, float], bool] = lambda low, high: False
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
        if self.data and any(symbols(u, "column") for u in self._switching_functions()):
            self.expression, self.data = rows_written_out(self.expression, self.data), {}
        self.factorings = [self._factoring(entry, place) for place, entry in enumerate(factorings)]
        self._functions: dict[Expr, Function] = {}
        self._products: dict[Expr, tuple[Function, list[tuple[Function, int]]]] = {}
        self.loss = self.function(self.expression)

    def _switching_functions(self) -> list[Expr]:
        met: list[Expr] = []

        def note(function: Expr) -> int:
            met.append(function)
            return 1

        decided(self.expression, note)
        return met

    def _factoring(self, entry: Mapping[str, Any], place: int) -> tuple[Expr, list[tuple[Expr, int]]]:
        try:
            factors = [(parse(text), exponent) for text, exponent in entry["factors"]]
            below = parse(entry["denominator"])
        except (InputError, KeyError, TypeError, ValueError):
            raise Refused(f"factoring {place} cannot be read") from None
        known = all(set(symbols(tree)) <= {self.weight} for tree in [below, *(tree for tree, _ in factors)])
        if not known or not all(type(e) is int and 1 <= e <= 64 for _, e in factors):
            raise Refused(f"factoring {place} has another weight, or an exponent that is none")
        return below, factors

    def function(self, tree: Expr) -> Function:
        """A tree as a function of balls, made once."""
        known = self._functions.get(tree)
        if known is None:
            known = self._functions[tree] = Function(tree, self.weight, self.data)
        return known

    def product(self, slope: Expr) -> tuple[Function, list[tuple[Function, int]]]:
        """D and φ with slope · D = Π φᵉ: the first factoring that is true, or 1 and the slope itself."""
        known = self._products.get(slope)
        if known is None:
            unfactored: tuple[Expr, list[tuple[Expr, int]]] = (ONE, [(slope, 1)])
            below, factors = next(
                (found for found in self.factorings if is_product(slope, *found)), unfactored
            )
            known = self.function(below), [(self.function(simplify(tree)), e) for tree, e in factors]
            self._products[slope] = known
        return known

    def _not_free(self, slope: Expr, x: Ball) -> list[tuple[Function, int]]:
        """The factors of a slope that may have a zero on the box; none where the slope itself has none."""
        rest = [(phi, exponent) for phi, exponent in self.product(slope)[1] if not phi.is_free(x)]
        return [] if rest and self.function(slope).is_nonzero(x) else rest

    def _is_whole(self, slope: Expr, x: Ball) -> bool:
        """Whether the slope is zero wherever a factor is: its denominator is defined and not zero."""
        return sign(self.product(slope)[0].over(x)) != 0

    def formulas(self, samples: Sequence[float]) -> Iterator[Expr]:
        """The smooth formulas that the loss is at some places, each once."""
        found: dict[Expr, None] = {}
        for sample in samples:
            try:
                found.setdefault(self._smooth(arb(sample)))
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
            return _METHODS[test](self, x, place)

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

    def _smooth(self, x: Ball) -> Expr:
        """The formula on the box, where every switching function has one sign."""

        def sign_of(function: Expr) -> int:
            if function == ZERO:
                return 0
            found = sign(self.function(function).over(x))
            if not found:
                raise _Undecided
            return found

        try:
            return decided(self.expression, sign_of)
        except _Undecided:
            raise Unproved("a switching function may vanish there") from None

    def _slope(self, formula: Expr) -> Expr:
        return self.function(formula).derivative(1)

    def _needs_smoothness(self, formula: Expr, x: Ball) -> None:
        if not self.function(formula).over(x).is_finite():
            raise Unproved("the loss may not be defined, or not be smooth, on all of it")

    def _free(self, x: Ball, place: Expr | None) -> Shown:
        slope = self._slope(self._smooth(x))
        if slope == ZERO or self._not_free(slope, x):
            raise Unproved("f′ may have a zero there")
        return Shown()

    def _flat(self, x: Ball, place: Expr | None) -> Shown:
        formula = self._smooth(x)
        if self._slope(formula) != ZERO:
            raise Unproved("f′ is not zero throughout")
        self._needs_smoothness(formula, x)
        return Shown(flat=(True, True))

    def _one_zero(self, x: Ball, place: Expr | None) -> Shown:
        formula = self._smooth(x)
        self._needs_smoothness(formula, x)
        slope = self._slope(formula)
        phi, order = self.function(slope), 1
        if not phi.crosses_once(x):
            rest = self._not_free(slope, x)
            if len(rest) != 1 or not rest[0][0].crosses_once(x) or not self._is_whole(slope, x):
                raise Unproved("f′ is not shown to have exactly one zero there")
            phi, order = rest[0]
        kind = self._kind(slope, slope, x)
        return Shown(kind, order, (slope,), holds=lambda low, high: self._between(phi, low, high))

    def _kind(self, left: Expr, right: Expr, x: Ball) -> str:
        before = sign(self.function(left).over(x.lower()))
        after = sign(self.function(right).over(x.upper()))
        if not before or not after:
            raise Unproved("the signs of f′ at the ends are not shown")
        return "inflection" if before == after else "minimum" if before < after else "maximum"

    def _between(self, phi: Function, low: float, high: float) -> bool:
        """Whether a function that has one zero near has it between two doubles."""
        with ctx.workprec(FINE):
            if sign(phi.over(arb(low))) * sign(phi.over(arb(high))) < 0:
                return True
        return any(vanishes(phi.tree, self.weight, Number(Fraction(end))) for end in (low, high))

    def _exact_zero(self, x: Ball, place: Expr | None) -> Shown:
        if place is None:
            raise Unproved("no place is given")
        formula = self._smooth(x)
        slope = self._slope(formula)
        order = self._order(slope, x, place)
        if any(vanishes(below, self.weight, place) for below in divisors(formula)):
            return Shown()  # the loss has no value there, and f′ no other zero
        if not order or not self._is_whole(slope, x):
            raise Unproved("f′ is not shown to vanish at the place")
        self._needs_smoothness(formula, x)
        kind = self._kind(slope, slope, x)
        return Shown(kind, order, (slope,), holds=lambda low, high: _is_between(place, low, high))

    def _order(self, slope: Expr, x: Ball, place: Expr) -> int:
        """The order at a place of the product that stands for a slope, which has no other zero in the box."""
        total = 0
        for phi, exponent in self._not_free(slope, x):
            order = phi.order_at(place, x)
            if not order:
                raise Unproved("a factor of f′ is not shown to vanish at the place alone")
            total += order * exponent
        return total

    # -- switches ------------------------------------------------------------------------------------

    def _switch(self, x: Ball, place: Expr | None) -> Shown:
        """A place at which a switch turns: each side is one smooth formula, and both meet there."""
        turning: list[Expr] = []
        left, right = (self._beside(x, end, turning) for end in (x.lower(), x.upper()))
        if not turning:
            raise Unproved("no switch turns there")
        self._turn_together(turning, x, place)
        self._smooth_beside(left, x, x.lower(), turning[0], place)
        self._smooth_beside(right, x, x.upper(), turning[0], place)
        if tells_equality(self.expression):
            raise Unproved("an equality may hold at the place alone")
        holds = self._holder(turning[0], place)
        slopes = [self._slope(side) for side in (left, right)]
        flat = (slopes[0] == ZERO, slopes[1] == ZERO)
        zeros = [slope != ZERO and self._zero_beside(slope, x, place, turning) for slope in slopes]
        if (
            any(flat)
            or self._has_no_value(left, right, x, turning[0], place)
            or self._jumps(left, right, x, place)
        ):
            return Shown(flat=flat, holds=holds)
        kind = self._kind(slopes[0], slopes[1], x)
        if all(zeros):
            orders = {self._order_if_whole(slope, x, place) for slope in slopes}
            return Shown(kind, orders.pop() if len(orders) == 1 else None, tuple(slopes), holds=holds)
        return Shown(None if kind == "inflection" else "kink", holds=holds)

    def _beside(self, x: Ball, end: Ball, turning: list[Expr]) -> Expr:
        """The formula on the side of the switch on which an end of the box lies."""

        def sign_of(function: Expr) -> int:
            if function == ZERO:
                return 0
            found = sign(self.function(function).over(x))
            if not found:
                turning.append(function)
                found = sign(self.function(function).over(end))
            if not found:
                raise Unproved("a switching function may vanish at an end of the box")
            return found

        return decided(self.expression, sign_of)

    def _turn_together(self, turning: Sequence[Expr], x: Ball, place: Expr | None) -> None:
        """See that switching functions vanish at one place of the box, the same for all, and nowhere else."""
        first, *others = turning
        if place is not None and all(self.function(u).order_at(place, x) for u in turning):
            return
        if not self.function(first).crosses_once(x) or not all(are_proportional(first, u) for u in others):
            raise Unproved("the switches are not shown to turn at one place")

    def _holder(self, function: Expr, place: Expr | None) -> Callable[[float, float], bool]:
        if place is not None:
            return lambda low, high: _is_between(place, low, high)
        return lambda low, high: self._between(self.function(function), low, high)

    def _smooth_beside(self, formula: Expr, x: Ball, end: Ball, turn: Expr, place: Expr | None) -> None:
        """See that a side's formula is smooth between the end of the box and the place."""
        for function in {*edges(formula), *divisors(formula)}:
            if not symbols(function, "weight") or self.function(function).is_free(x):
                continue
            with_the_switch = are_proportional(function, turn) or (
                place is not None and self.function(function).order_at(place, x) > 0
            )
            if not with_the_switch:
                raise Unproved("a side's formula may not be smooth")
        if not self.function(formula).over(end).is_finite():
            raise Unproved("a side's formula may not be defined")

    def _zero_beside(self, slope: Expr, x: Ball, place: Expr | None, turning: Sequence[Expr]) -> bool:
        """Whether a side's slope goes to zero at the switch; that it has another zero is ruled out."""
        rest = self._not_free(slope, x)
        if not rest:
            return False
        if place is None or not all(vanishes(u, self.weight, place) for u in turning):
            raise Unproved("a side's slope may have a zero there")
        for phi, _ in rest:
            there = vanishes(phi.tree, self.weight, place)
            if not (there and (self._is_monotone(phi, x) or phi.order_at(place, x))):
                raise Unproved("a side's slope may have a zero beside the switch")
        if not self._is_whole(slope, x) and value_at(slope, self.weight, place) != ZERO:
            raise Unproved("whether f′ goes to zero at the switch is not shown")
        return True

    def _order_if_whole(self, slope: Expr, x: Ball, place: Expr | None) -> int | None:
        """The order of a side's zero; None where it need not be a whole one."""
        try:
            return self._order(slope, x, place) if place is not None and self._is_whole(slope, x) else None
        except Unproved:
            return None

    def _jumps(self, left: Expr, right: Expr, x: Ball, place: Expr | None) -> bool:
        """Whether the sides' limits differ at the switch; Unproved where that is not told."""
        if not may_jump(self.expression):
            return False
        gap = simplify(add((left, negate(right))))
        if gap == ZERO or (place is not None and vanishes(gap, self.weight, place)):
            return False
        if not sign(self.function(gap).over(x)):
            raise Unproved("the loss may jump there")
        return True

    def _has_no_value(self, left: Expr, right: Expr, x: Ball, turn: Expr, place: Expr | None) -> bool:
        """Whether the loss has no value at the switch; Unproved where that is not told."""
        below = {u for side in (left, right) for u in divisors(side) if symbols(u, "weight")}
        doubtful = [u for u in below if not self.function(u).is_free(x)]
        if any(are_proportional(u, turn) for u in doubtful):
            return True
        if place is not None and any(vanishes(u, self.weight, place) for u in doubtful):
            return True
        if doubtful:
            raise Unproved("a divisor may vanish there")
        return False

    # -- edges ---------------------------------------------------------------------------------------

    def _edge(self, x: Ball, place: Expr | None) -> Shown:
        """An edge of where the loss is defined: beyond it there is none, up to it f′ has no zero."""
        formula = self._smooth(x)
        every = [u for u in dict.fromkeys(edges(formula)) if symbols(u, "weight")]
        found = [u for u in every if not self.function(u).is_free(x)]
        if not found or not self.function(found[0]).crosses_once(x):
            raise Unproved("there is not exactly one edge")
        sides = {sign(self.function(u).over(x.upper())) for u in found}
        if len(sides) != 1 or not all(are_proportional(found[0], u) for u in found):
            raise Unproved("there is not exactly one edge")
        (side,) = sides
        inner = x.upper() if side > 0 else x.lower()
        self._smooth_beside(formula, x, inner, found[0], place)
        slope = self._slope(formula)
        if slope == ZERO:
            raise Unproved("the loss is flat up to an edge")
        below, factors = self.product(slope)
        reaches = [phi for phi, _ in factors if not self._leads_away(phi, x, inner, side)]
        no_value = any(are_proportional(u, found[0]) for u in divisors(formula) if symbols(u, "weight"))
        if not reaches:
            if not no_value and not below.is_bounded(x):
                raise Unproved("whether f′ goes to zero at the edge is not shown")
            return Shown()
        if place is None or not vanishes(found[0], self.weight, place):
            raise Unproved("f′ may have a zero up to the edge")
        if not all(vanishes(phi.tree, self.weight, place) and self._is_monotone(phi, x) for phi in reaches):
            raise Unproved("f′ may have a zero up to the edge")
        if no_value:
            return Shown()
        if value_at(slope, self.weight, place) != ZERO:
            raise Unproved("whether f′ goes to zero at the edge is not shown")
        inward = side * sign(self.function(slope).over(inner))
        if not inward:
            raise Unproved("the sign of f′ beside the edge is not shown")
        kind = "minimum" if inward > 0 else "maximum"
        return Shown(kind, holds=lambda low, high: _is_between(place, low, high))

    def _leads_away(self, phi: Function, x: Ball, inner: Ball, side: int) -> bool:
        """Whether a factor has no zero up to an edge: by its values, or as it goes away from zero."""
        if phi.is_free(x):
            return True
        towards = sign(phi.over(inner)) * sign(phi.over(inner, 1)) * side
        return towards < 0 and self._is_monotone(phi, x)

    def _is_monotone(self, phi: Function, x: Ball) -> bool:
        """Whether the derivative of a factor has no zero where it is defined."""
        slope = phi.derivative(1)
        return slope != ZERO and not self._not_free(slope, x)


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
TESTS = tuple(_METHODS)


def read_leaf(leaf: Mapping[str, Any]) -> tuple[float, float, int, str, Expr | None]:
    """A box of the document, its bits, its test, and the place it names."""
    if not {"box", "test", "bits"} <= set(leaf) <= {"box", "test", "bits", "place"}:
        raise Refused("a box has not exactly the entries box, test, bits and perhaps place")
    box, bits, test = leaf["box"], leaf["bits"], leaf["test"]
    if not isinstance(box, list) or len(box) != 2:
        raise Refused("a box is no pair of numbers")
    low, high = real(box[0], "the end of a box"), real(box[1], "the end of a box")
    if not low < high:
        raise Refused(f"[{low}, {high}] is no box")
    if type(bits) is not int or not 24 <= bits <= 4096:
        raise Refused("the bits of a box are no number from 24 to 4,096")
    if not isinstance(test, str) or test not in _METHODS:
        raise Refused(f"there is no test {test!r}")
    if leaf.get("place") is None:
        return low, high, bits, test, None
    try:
        place = parse(leaf["place"])
    except InputError:
        raise Refused("a place cannot be read") from None
    if symbols(place):
        raise Refused("a place is no constant")
    with ctx.workprec(FINE):
        (at,) = BallFunction([place], [])()
        if not (at > low and at < high):
            raise Refused("a place does not lie inside its box")
    return low, high, bits, test, place


def _is_between(place: Expr, low: float, high: float) -> bool:
    """Whether a place lies between two doubles; where it is one of them, that is decided exactly."""
    if isinstance(place, Number):
        return Fraction(low) <= place.value <= Fraction(high)
    with ctx.workprec(FINE):
        (at,) = BallFunction([place], [])()
        return bool(at >= low and at <= high)
