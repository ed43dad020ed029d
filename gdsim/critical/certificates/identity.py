"""Whether two formulas are the same rational function of their kernels: formal algebra for the checker.

It is written again here, and smaller, so that an error in the search's own algebra cannot hide itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx

from gdsim.expr.algebra import multiply, split_coefficient
from gdsim.expr.lower import rational_exponent
from gdsim.expr.nodes import Add, Call, Divide, Expr, Multiply, Negate, Number, Power, walk
from gdsim.expr.signs import without_sign
from gdsim.expr.simplify import simplify

_MOST_KERNELS, _HIGHEST_POWER, _MOST_TERMS = 16, 64, 2000
Ratio = tuple[Any, Any]


class _TooLarge(Exception):
    """The expansion would not pay."""


def is_product(formula: Expr, denominator: Expr, factors: Sequence[tuple[Expr, int]]) -> bool:
    """Whether formula · denominator = Π φᵉ, whatever values the kernels have.

    Kernels are the weight, constants and every call; the powers of one exponential, and the roots of one
    base, are powers of one kernel. So a True is a proof wherever all is defined; a False says nothing.

    Cost: the expansion of both sides, bounded by 2,000 terms.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> is_product(parse("w^2 - 2w + 1/w*0 + 1"), parse("1"), [(parse("w - 1"), 2)])
    True
    >>> is_product(parse("exp(2w) - 1"), parse("1"), [(parse("exp(w) - 1"), 1), (parse("exp(w) + 1"), 1)])
    True
    """
    formula, denominator = simplify(formula), simplify(denominator)
    factors = [(simplify(factor), exponent) for factor, exponent in factors]
    try:
        ring = _Ring([formula, denominator, *(factor for factor, _ in factors)])
        left = ring.times(ring.ratio(formula), ring.ratio(denominator))
        right = ring.one
        for factor, exponent in factors:
            right = ring.times(right, ring.raised(ring.ratio(factor), exponent))
        return bool(left[0] * right[1] == right[0] * left[1])
    except (_TooLarge, ZeroDivisionError):
        return False


def are_proportional(first: Expr, second: Expr) -> bool:
    """Whether two functions differ by a rational factor, so that they vanish together.

    >>> from gdsim.expr.parse import parse
    >>> are_proportional(parse("2w - 2"), parse("1 - w")), are_proportional(parse("w"), parse("w - 1"))
    (True, False)
    """
    try:
        ring = _Ring([first, second])
        (a, b), (c, d) = ring.ratio(first), ring.ratio(second)
        if not a or not c:
            return False
        left, right = a * d, c * b
        return bool(left * right.leading_coefficient() == right * left.leading_coefficient())
    except (_TooLarge, ZeroDivisionError):
        return False


class _Ring:
    """The polynomials of the kernels of some trees."""

    def __init__(self, trees: Sequence[Expr]) -> None:
        kernels: dict[Expr, None] = {}
        self.degree: dict[Expr, int] = {}  # base: its roots are powers of the root of this degree
        self.unit: dict[Expr, Fraction] = {}  # body u: every exp(k·u) is a power of exp(unit·u)
        for tree in trees:
            for node in walk(tree):
                self._meet(node, kernels)
        names = [*kernels, *(Power(base, Number(Fraction(1, d))) for base, d in self.degree.items())]
        names += [Call("exp", (self._times(unit, body),)) for body, unit in self.unit.items()]
        if len(names) > _MOST_KERNELS:
            raise _TooLarge
        ring: Any = fmpq_mpoly_ctx.get([f"k{place}" for place in range(max(1, len(names)))], Ordering.lex)
        self.ring, self.letter = ring, dict(zip(names, ring.gens(), strict=False))
        self.one: Ratio = (ring.constant(1), ring.constant(1))

    def _meet(self, node: Expr, kernels: dict[Expr, None]) -> None:
        match node:
            case Call("exp", (argument,)):
                coefficient, body = _multiple(argument)
                known = self.unit.get(body, Fraction(0))
                self.unit[body] = _common(known, coefficient)
            case Call("sqrt", (base,)):
                self.degree[base] = lcm(self.degree.get(base, 1), 2)
            case Power(base, exponent):
                value = rational_exponent(exponent)
                if value is None:
                    kernels.setdefault(node)
                elif value.denominator > 1:
                    self.degree[base] = lcm(self.degree.get(base, 1), value.denominator)
            case Add() | Multiply() | Negate() | Divide() | Number():
                pass
            case _:
                kernels.setdefault(node)

    @staticmethod
    def _times(unit: Fraction, body: Expr) -> Expr:
        return simplify(multiply((Number(unit), body)))

    def ratio(self, node: Expr) -> Ratio:
        """Numerator and denominator of a tree."""
        if node in self.degree:
            return self._root(node, Fraction(1))
        match node:
            case Number(value):
                return self.ring.constant(fmpq(value.numerator, value.denominator)), self.one[1]
            case Add(terms):
                total: Ratio = (self.ring.constant(0), self.one[1])
                for term in terms:
                    above, below = self.ratio(term)
                    total = self._small(total[0] * below + above * total[1]), self._small(total[1] * below)
                return total
            case Multiply(factors):
                product = self.one
                for factor in factors:
                    product = self.times(product, self.ratio(factor))
                return product
            case Negate(operand):
                above, below = self.ratio(operand)
                return -above, below
            case Divide(numerator, denominator):
                return self.times(self.ratio(numerator), self.raised(self.ratio(denominator), -1))
            case Call("sqrt", (base,)):
                return self._root(base, Fraction(1, 2))
            case Call("exp", (argument,)):
                coefficient, body = _multiple(argument)
                unit = self.unit[body]
                letter = self.letter[Call("exp", (self._times(unit, body),))]
                return self.raised((letter, self.one[1]), int(coefficient / unit))
            case Power(base, exponent) if (raised := rational_exponent(exponent)) is not None:
                if raised.denominator > 1:
                    return self._root(base, raised)
                return self.raised(self.ratio(base), int(raised))
        return self.letter[node], self.one[1]

    def _root(self, base: Expr, exponent: Fraction) -> Ratio:
        degree = self.degree[base]
        letter = self.letter[Power(base, Number(Fraction(1, degree)))]
        return self.raised((letter, self.one[1]), int(exponent * degree))

    def times(self, first: Ratio, second: Ratio) -> Ratio:
        """The product of two ratios."""
        return self._small(first[0] * second[0]), self._small(first[1] * second[1])

    def raised(self, value: Ratio, exponent: int) -> Ratio:
        """A whole power of a ratio."""
        above, below = value if exponent >= 0 else value[::-1]
        if not below:
            raise ZeroDivisionError
        if abs(exponent) > _HIGHEST_POWER or max(len(above), len(below)) * abs(exponent) > _MOST_TERMS:
            raise _TooLarge
        return self._small(above ** abs(exponent)), self._small(below ** abs(exponent))

    @staticmethod
    def _small(value: Any) -> Any:
        if len(value) > _MOST_TERMS:
            raise _TooLarge
        return value


def _multiple(expr: Expr) -> tuple[Fraction, Expr]:
    """An expression as a rational times the rest."""
    negative, rest = without_sign(expr)
    coefficient, body = split_coefficient(rest)
    return (-coefficient if negative else coefficient), body


def _common(first: Fraction, second: Fraction) -> Fraction:
    """The largest rational of which both are whole multiples."""
    below = lcm(first.denominator, second.denominator)
    return Fraction(gcd(int(first * below), int(second * below)), below)
