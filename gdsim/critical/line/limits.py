"""What a loss of one weight and its slope do at a cut: their values, limits and orders there."""

from __future__ import annotations

import math
from fractions import Fraction

from flint import arb, ctx

from gdsim.critical.budget import Budget
from gdsim.critical.line.factors import as_product, factorise
from gdsim.critical.line.pieces import (
    NOWHERE,
    Data,
    Located,
    branch,
    ends_of,
    innermost,
    locate,
    switching,
    united,
)
from gdsim.critical.line.roots import LADDER, Smooth, excludes_zero
from gdsim.expr.algebra import add, negate
from gdsim.expr.emit_ball import Ball, BallFunction, sign
from gdsim.expr.exact_zeros import vanishes
from gdsim.expr.nodes import ZERO, Call, Expr, Power, Symbol, Where, substitute, symbols, walk
from gdsim.expr.simplify import simplify

Product = tuple[list[tuple[Expr, int]], Expr]


def goes_to_zero(
    slope: Expr, weight: str, data: Data, zero: Located | None, cut: Located, budget: Budget
) -> bool | None:
    """Whether a slope goes to zero at a cut at which its numerator does; None where that is not told.

    Where its denominator vanishes, too, the orders decide: the slope of √(w⁴ + w²) does not go to zero.
    That of exp(−1/w²) does, and no order tells.
    """
    if value_there(slope, weight, data, cut).is_finite():
        return zero is not None
    product = _product_there(slope, weight, data, cut)
    if product is not None and excludes_zero(value_there(product[1], weight, data, cut)):
        return zero is not None
    order = _order_of(product, weight, data, cut, budget)
    return None if order is None else order > 0


def is_limit(here: Expr, side: Expr, weight: str, data: Data, cut: Located, budget: Budget) -> bool | None:
    """Whether the loss beside a cut goes to its value there; None where that is not told.

    Parameters
    ----------
    here, side
        Its formulas, without switches.
    """
    gap = simplify(add((side, negate(here))))
    if gap == ZERO or factorise(gap, weight) is None:
        return True  # beside the cut it is the same formula, which is continuous where it has a value
    value = value_there(gap, weight, data, cut)
    if value.is_finite():
        return not excludes_zero(value) and (_is_zero_there(gap, weight, data, cut, budget) or None)
    order = _order_of(_product_there(gap, weight, data, cut), weight, data, cut, budget)
    return None if order is None else order > 0


def _is_zero_there(expr: Expr, weight: str, data: Data, cut: Located, budget: Budget) -> bool:
    if cut.root.exact is not None and vanishes(expr, weight, cut.root.exact):
        return True
    return bool(_order_there(expr, weight, data, cut, budget))


def formula_at(expr: Expr, weight: str, data: Data, cut: Located, budget: Budget) -> Expr | None:
    """The formula with its switches decided as they stand at a cut; None where a choice is not told."""
    while switches := innermost(expr):
        branches: dict[Expr, Expr] = {}
        for node in switches:
            function = switching(node)
            value = value_there(function, weight, data, cut)
            if not value.is_finite():
                branches[node] = NOWHERE  # of no matter in a branch not taken
                continue
            side = sign(value)
            chooses = isinstance(node, Where) or (isinstance(node, Call) and node.function == "sign")
            if not side and chooses and not _is_zero_there(function, weight, data, cut, budget):
                return None
            branches[node] = branch(node, side)
        expr = substitute(expr, branches)
    return expr


def _product_there(expr: Expr, weight: str, data: Data, cut: Located) -> Product | None:
    """Factors and denominator of a function that goes like a power to its limit at a cut; else None."""
    found = as_product(expr)
    if found is None:
        return None
    factors, below = found
    if not all(_has_an_order(part, weight, data, cut) for part in (*(part for part, _ in factors), below)):
        return None
    return found if value_there(below, weight, data, cut).is_finite() else None


def _order_of(
    product: Product | None, weight: str, data: Data, cut: Located, budget: Budget
) -> Fraction | None:
    """The order of the zero, or less the order of the pole, that a product has at a cut."""
    if product is None:
        return None
    factors, below = product
    total = Fraction(0)
    for part, exponent in (*factors, (below, -1)):
        order = _order_there(part, weight, data, cut, budget)
        if order is None:
            return None
        total += exponent * order
    return total


def value_there(expr: Expr, weight: str, data: Data, cut: Located) -> Ball:
    """A formula's value at a cut; nan where it has none."""
    with ctx.workprec(LADDER[1]):
        return BallFunction([expr], [weight], data, "closed")(cut.root.enclosure)[0]


def _has_an_order(expr: Expr, weight: str, data: Data, cut: Located) -> bool:
    """Whether a function goes like a power to its limit at a cut, or like one of the logarithm alone.

    Not where something runs to infinity inside an exponential, or beside a logarithm that does.
    """
    inside: list[Expr] = []
    runs: dict[Expr, Expr] = {}
    for node in walk(expr):
        if isinstance(node, Call):
            inside += node.arguments
            is_log = node.function in ("log", "log2", "log10")
            if is_log and not value_there(node, weight, data, cut).is_finite():
                runs[node] = Symbol("", "weight")
        elif isinstance(node, Power) and symbols(node.exponent, "weight"):
            inside.append(node)
    if not all(value_there(part, weight, data, cut).is_finite() for part in inside):
        return False
    return not runs or symbols(substitute(expr, runs), "weight") == ("",)


def _order_there(expr: Expr, weight: str, data: Data, cut: Located, budget: Budget) -> Fraction | None:
    """The order of a function's zero at a cut, 0 where it has none there; None where that is not told."""
    if not symbols(expr, "weight"):
        return Fraction(0)
    if not value_there(expr, weight, data, cut).is_finite():  # like a logarithm: slower than any power
        return Fraction(0) if any(isinstance(node, Call) for node in walk(expr)) else None
    factors = factorise(expr, weight)
    if factors is None:
        return None
    low, high = ends_of(cut)
    room = (abs(high) + 1) * arb(2) ** -20
    places, clusters = locate(factors, weight, data, (low - room).mid(), (high + room).mid(), budget)
    if clusters:
        return None
    for place in places:
        if place.root.enclosure.overlaps(cut.root.enclosure):
            return place.order if united(cut, place, weight) is not None else None
    return Fraction(0)


def limit(
    expr: Expr | None, weight: str, data: dict[str, tuple[Fraction, ...]], cut: Located, side: int
) -> float | None:
    """The limit of the loss from one side, as ever nearer places show it: for words, not for proof."""
    if expr is None:
        return None
    smooth = Smooth(expr, weight, data)
    values = []
    with ctx.workprec(1000):
        exact = cut.root.exact
        place = cut.root.enclosure if exact is None else BallFunction([exact], [])()[0]
        for bits in (60, 120, 180):
            value = smooth.value((place + side * arb(2) ** -bits).mid())
            if not value.is_finite():
                return None
            values.append(value.mid())
        first, second = abs(values[1] - values[0]), abs(values[2] - values[1])
        if second > arb(2) ** 30 and second >= first:
            return math.copysign(math.inf, float(values[2] > 0) - 0.5)
        if second > arb(2) ** -40:
            if second > first / 2 and abs(values[2]) > abs(values[1]) > abs(values[0]):
                return math.copysign(math.inf, float(values[2] > 0) - 0.5)
            return None
        return 0.0 if abs(values[2]) < arb(2) ** -40 else float(values[2])
