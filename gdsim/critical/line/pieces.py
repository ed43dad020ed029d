"""A loss of one weight, cut into smooth pieces.

The domain is cut where a formula may fail to be smooth: at *switches* (zeros of what stands inside abs,
sign and relu, ties of max and min, changes of a condition) and at *singular* places (zeros of divisors,
of arguments of roots and logarithms, poles of tan). They are isolated by the same search as critical
points. On each piece every switch is replaced by the branch that a sure sign inside the piece names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from flint import ctx

from gdsim.critical.budget import Budget
from gdsim.critical.line.candidates import candidates
from gdsim.critical.line.factors import Factor, Unsupported, factorise
from gdsim.critical.line.roots import LADDER, Cluster, Root, Smooth, excludes_zero, zeros
from gdsim.expr.algebra import add, divide, multiply, negate, power
from gdsim.expr.emit_ball import Ball, BallFunction, outward, sign
from gdsim.expr.exact_zeros import vanishes
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
    Where,
    number,
    substitute,
    symbols,
    walk,
)
from gdsim.expr.simplify import simplify
from gdsim.outcomes import Interval

_SWITCHES = frozenset({"abs", "sign", "relu", "max", "min"})
NOWHERE = Call("log", (Number(Fraction(-1)),))  # a formula that has no value
Data = dict[str, tuple[Fraction, ...]]


@dataclass(frozen=True, eq=False)
class Located:
    """A zero, with the factors that vanish there and its order in their product."""

    root: Root
    factors: tuple[Factor, ...]

    @property
    def order(self) -> Fraction | None:
        """Σ exponent · order over the factors that vanish; None where there may be none."""
        if self.root.order is None:
            return None
        total = sum((factor.exponent for factor in self.factors), Fraction(0))
        return total * self.root.order if len(self.factors) == 1 else total


@dataclass(frozen=True, eq=False)
class Piece:
    """A stretch on which the loss is one smooth formula.

    ``low`` and ``high`` are where it is cut (None: the end of the domain, clusters where even that is not
    isolated); ``a`` and ``b`` are exact numbers at or beyond these places. ``expression`` is None where the
    loss is not defined.
    """

    low: Located | Cluster | None
    high: Located | Cluster | None
    a: Ball
    b: Ball
    expression: Expr | None

    @property
    def inside(self) -> Ball:
        """An exact number inside."""
        return ((upper(self.low, self.a) + lower(self.high, self.b)) / 2).mid()


def upper(end: Located | Cluster | None, otherwise: Ball) -> Ball:
    """The upper end of where a cut may lie."""
    if isinstance(end, Located):
        return end.root.enclosure.upper()
    return end.high if isinstance(end, Cluster) else otherwise


def lower(end: Located | Cluster | None, otherwise: Ball) -> Ball:
    """The lower end of where a cut may lie."""
    if isinstance(end, Located):
        return end.root.enclosure.lower()
    return end.low if isinstance(end, Cluster) else otherwise


def reported(zero: Located) -> tuple[float, Interval]:
    """A place as the nearest double, and doubles that hold it."""
    exact = zero.root.exact
    if isinstance(exact, Number):
        near = float(exact.value)
        low = near if Fraction(near) <= exact.value else math.nextafter(near, -math.inf)
        high = near if Fraction(near) >= exact.value else math.nextafter(near, math.inf)
        return near + 0.0, (low + 0.0, high + 0.0)
    return float(zero.root.enclosure.mid()) + 0.0, outward(*ends_of(zero))


def ends_of(zero: Located) -> tuple[Ball, Ball]:
    """The exact ends of where a zero is enclosed."""
    return zero.root.enclosure.lower(), zero.root.enclosure.upper()


# -- zeros of products ---------------------------------------------------------------------------------


def locate(
    factors: tuple[Factor, ...], weight: str, data: Data, a: Ball, b: Ball, budget: Budget
) -> tuple[list[Located], list[Cluster]]:
    """Isolate the zeros of a product; those that several factors share are one, if that can be proved.

    Zeros of two factors that are nearer together than 190 bits tell, and not proved to be one, are
    returned as a cluster.
    """
    found: list[Located] = []
    clusters: list[Cluster] = []
    for factor in factors:
        some = zeros(factor, weight, data, a, b, budget)
        clusters += some.clusters
        found += [Located(root, (factor,)) for root in some.roots]
    found.sort(key=lambda item: float(item.root.enclosure.mid()))
    merged: list[Located] = []
    for item in found:
        if not (merged and merged[-1].root.enclosure.overlaps(item.root.enclosure)):
            merged.append(item)
            continue
        before = merged.pop()
        one = united(before, item, weight)
        if one is None:
            hull = before.root.enclosure.union(item.root.enclosure)
            clusters.append(Cluster(hull.lower(), hull.upper(), None, False))
        else:
            merged.append(one)
    return merged, clusters


def united(first: Located, second: Located, weight: str) -> Located | None:
    """Two zeros as one place, where that is proved; else None.

    Either both belong to one factor that is monotone on the hull of both enclosures, or both factors vanish
    exactly at one simple place.
    """
    hull = first.root.enclosure.union(second.root.enclosure)
    shared = {factor.key for factor in first.factors} & {factor.key for factor in second.factors}
    factors = {factor.key: factor for factor in (*first.factors, *second.factors)}
    for expression in shared:
        if excludes_zero(Smooth(expression, weight, {}).value(hull, 1)):
            return Located(first.root, tuple(factors.values()))
    place = next((root.exact for root in (first.root, second.root) if root.exact is not None), None)
    places = [place] if place is not None else list(candidates(hull.lower(), hull.upper()))
    for exact in places:
        if all(vanishes(expression, weight, exact) for expression in factors):
            known = None if None in (first.root.order, second.root.order) else 1
            orders = tuple(
                replace(f, exponent=f.exponent * (item.root.order or 1))
                for item in (first, second)
                for f in item.factors
            )
            with ctx.workprec(LADDER[1]):
                return Located(Root(_at(exact), known, exact), orders)
    return None


def _at(place: Expr) -> Ball:
    return BallFunction([place], [])()[0]


# -- cutting ----------------------------------------------------------------------------------------------


def pieces(expr: Expr, weight: str, data: Data, a: Ball, b: Ball, budget: Budget) -> list[Piece]:
    """Cut an interval with exact ends into smooth pieces, in ascending order."""
    return _cut(_plain(expr), weight, data, Piece(None, None, a, b, expr), budget)


def _plain(expr: Expr) -> Expr:
    """huber as the choice that it is."""
    done: dict[Expr, Expr] = {}
    for node in walk(expr):
        children = tuple(done[child] for child in node.children)
        if isinstance(node, Call) and node.function == "huber":
            u, d = children
            size = Call("abs", (u,))
            outside = multiply((d, add((size, negate(divide(d, TWO))))))
            done[node] = Where(Compare("<=", size, d), divide(power(u, TWO), TWO), outside)
        else:
            done[node] = node.rebuild(children) if children else node
    return done[expr]


def _cut(expr: Expr, weight: str, data: Data, piece: Piece, budget: Budget) -> list[Piece]:
    switches = innermost(expr)
    functions = [f for f in _singular(expr) if not innermost(f)]
    found: list[Piece] = []
    for smooth in _between(_marks(functions, weight, data, piece, budget), piece):
        if not switches:
            found.append(_defined(expr, weight, data, smooth))
            continue
        turning = [switching(node) for node in switches]
        turning = [function for function in turning if _is_defined(function, weight, smooth)]
        for part in _between(_marks(turning, weight, data, smooth, budget), smooth):
            chosen = _chosen(expr, switches, weight, part)
            if chosen is None:
                found.append(replace(part, expression=None))
            else:
                found += _cut(chosen, weight, data, part, budget)
    return found


def innermost(expr: Expr) -> list[Expr]:
    """Switches in which no other switch stands."""
    holds: dict[Expr, bool] = {}
    found: list[Expr] = []
    for node in walk(expr):
        inner = any(holds[child] for child in node.children)
        switch = isinstance(node, Where) or (isinstance(node, Call) and node.function in _SWITCHES)
        if switch and not inner:
            found.append(node)
        holds[node] = inner or switch
    return found


def switching(node: Expr) -> Expr:
    """The function whose sign chooses the branch."""
    if isinstance(node, Where):
        return simplify(Add((node.condition.left, Negate(node.condition.right))))
    assert isinstance(node, Call)
    if len(node.arguments) == 2:
        return simplify(Add((node.arguments[0], Negate(node.arguments[1]))))
    return simplify(node.arguments[0])


def branch(node: Expr, side: int) -> Expr:
    """What a switch is where its switching function has a sign (0: where it is zero throughout)."""
    if isinstance(node, Where):
        true = {1: (">", ">=", "!="), -1: ("<", "<=", "!="), 0: ("<=", ">=", "==")}[side]
        return node.then if node.condition.operator in true else node.otherwise
    assert isinstance(node, Call)
    first = node.arguments[0]
    match node.function:
        case "abs":
            return first if side >= 0 else negate(first)
        case "sign":
            return number(side)
        case "relu":
            return first if side > 0 else ZERO
        case "max":
            return first if side >= 0 else node.arguments[1]
    return first if side <= 0 else node.arguments[1]


def _singular(expr: Expr) -> Iterator[Expr]:
    """The functions at whose zeros a formula without switches may be undefined or not smooth."""
    found: dict[Expr, None] = {}
    for node in walk(expr):
        match node:
            case Divide(_, denominator):
                found.setdefault(denominator)
            case Power(base, exponent):
                value = rational_exponent(exponent)
                if value is None or value < 0 or value.denominator > 1:
                    found.setdefault(base)
            case Call("sqrt" | "log" | "log2" | "log10", (argument,)):
                found.setdefault(argument)
            case Call("tan", (argument,)):
                found.setdefault(Call("cos", (argument,)))
            case Call("asin" | "acos", (argument,)):
                found.setdefault(simplify(Add((argument, Negate(ONE)))))
                found.setdefault(simplify(Add((argument, ONE))))
    yield from (function for function in found if symbols(function, "weight"))


def _marks(
    functions: list[Expr], weight: str, data: Data, piece: Piece, budget: Budget
) -> list[Located | Cluster]:
    """Where these functions vanish inside a piece, in ascending order, each place once."""
    factors: dict[Expr, Factor] = {}
    for function in functions:
        if symbols(function, "weight"):
            for factor in factorise(simplify(function), weight) or ():
                factors.setdefault(factor.key, factor)
    found, clusters = locate(tuple(factors.values()), weight, data, piece.a, piece.b, budget)
    marks: list[Located | Cluster] = []
    for mark in found:
        ends = [end for end in (piece.low, piece.high) if isinstance(end, Located)]
        near = [end for end in ends if end.root.enclosure.overlaps(mark.root.enclosure)]
        if near and united(near[0], mark, weight) is not None:
            continue  # the piece is cut there already
        if near:
            raise Unsupported
        marks.append(mark)
    marks += clusters
    return sorted(marks, key=lambda mark: float(lower(mark, piece.a)))


def _between(marks: list[Located | Cluster], piece: Piece) -> list[Piece]:
    inner = [m for m in marks if upper(m, piece.a) > piece.a and lower(m, piece.b) < piece.b]
    ends = [piece.low, *inner, piece.high]
    return [
        Piece(
            low, high,
            piece.a if place == 0 else lower(low, piece.a),
            piece.b if place == len(inner) else upper(high, piece.b),
            piece.expression,
        )
        for place, (low, high) in enumerate(pairwise(ends))
    ]  # fmt: skip


def _chosen(expr: Expr, switches: list[Expr], weight: str, piece: Piece) -> Expr | None:
    """The formula with its innermost switches decided; None where it is defined nowhere on the piece.

    A switch that is not defined there makes the formula so, but not where it stands in a branch not taken.
    """
    branches: dict[Expr, Expr] = {}
    chooses = any(isinstance(node, Where) and node not in switches for node in walk(expr))
    for node in switches:
        function = switching(node)
        zero = function == ZERO or (bool(symbols(function, "weight")) and factorise(function, weight) is None)
        side = 0 if zero else sure_sign(Smooth(function, weight, {}), piece.inside)
        if side is None and not chooses:
            return None
        branches[node] = NOWHERE if side is None else branch(node, side)
    return simplify(substitute(expr, branches))


def _is_defined(function: Expr, weight: str, piece: Piece) -> bool:
    """Whether a function that is cut at its singular places is defined inside a piece, so all over it."""
    if not symbols(function, "weight") or symbols(function, "column"):
        return True
    with ctx.workprec(LADDER[1]):
        return not Smooth(function, weight, {}).value(piece.inside).is_nan()


def sure_sign(smooth: Smooth, place: Ball) -> int | None:
    """The sign of a function at an exact place where it is not zero; None where it is undefined there."""
    for precision in LADDER:
        with ctx.workprec(precision):
            value = smooth.value(place)
            if sign(value):
                return sign(value)
    if not value.is_nan():
        raise Unsupported
    return None


def _opened(expr: Expr, weight: str, piece: Piece) -> Expr:
    """The formula with (u²)^p written as u^2p, or (−u)^2p, by the sign of u on the piece."""
    done: dict[Expr, Expr] = {}
    for node in walk(expr):
        made = node.rebuild(tuple(done[child] for child in node.children)) if node.children else node
        base, exponent = (
            (made.base, rational_exponent(made.exponent))
            if isinstance(made, Power)
            else (made.arguments[0], Fraction(1, 2))
            if isinstance(made, Call) and made.function == "sqrt"
            else (ZERO, None)
        )
        if isinstance(base, Power) and exponent is not None and exponent.denominator > 1:
            inner = rational_exponent(base.exponent)
            if inner is not None and inner.denominator == 1 and inner % 2 == 0:
                side = sure_sign(Smooth(base.base, weight, {}), piece.inside)
                if side:
                    positive = base.base if side > 0 else negate(base.base)
                    made = Power(positive, Number(inner * exponent))
        done[node] = made
    return simplify(done[expr]) if done[expr] != expr else expr


def _defined(expr: Expr, weight: str, data: Data, piece: Piece) -> Piece:
    expr = expr if data else _opened(expr, weight, piece)
    with ctx.workprec(LADDER[1]):
        value = Smooth(expr, weight, data).value(piece.inside)
    return Piece(piece.low, piece.high, piece.a, piece.b, None if value.is_nan() else expr)
