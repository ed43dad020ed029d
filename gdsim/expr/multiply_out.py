"""Polynomials multiplied out, where that makes them shorter: 2x·(x² + 1) − 2x·(x² − 1) is 4x."""

from __future__ import annotations

from fractions import Fraction

from gdsim.expr.algebra import add, multiply, power
from gdsim.expr.nodes import Add, Divide, Expr, Multiply, Negate, Number, Power, Symbol, number, written_size

_HIGHEST = 12  # degree that anybody would multiply out

Polynomial = dict[int, Fraction]
"""Coefficients by exponent."""


def shortest(expr: Expr, variable: Symbol) -> Expr:
    """Return a polynomial of one variable multiplied out where that is shorter; anything else as it is.

    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> for text in ("2x*(x^2 + 1) - 2x*(x^2 - 1)", "2*(x - 3)", "x*sin(x)"):
    ...     print(to_text(shortest(parse(text), Symbol("x"))))
    4*x
    2*(x - 3)
    x*sin(x)
    """
    found = _polynomial(expr, variable)
    if found is None:
        return expr
    terms = (
        multiply((number(found[degree]), power(variable, number(degree))))
        for degree in sorted(found, reverse=True)
    )
    out = add(terms)
    return out if written_size(out) < written_size(expr) else expr


def _polynomial(expr: Expr, variable: Symbol) -> Polynomial | None:
    """Return the coefficients of a polynomial with rational numbers; None for anything else."""
    match expr:
        case Number(value):
            return {0: value}
        case Symbol():
            return {1: Fraction(1)} if expr == variable else None
        case Negate(operand):
            return _product({0: Fraction(-1)}, _polynomial(operand, variable))
        case Divide(numerator, Number(value)) if value:
            return _product({0: 1 / value}, _polynomial(numerator, variable))
        case Multiply(factors):
            result: Polynomial | None = {0: Fraction(1)}
            for factor in factors:
                result = _product(result, _polynomial(factor, variable))
            return result
        case Power(base, Number(value)) if value.denominator == 1 and 0 <= value <= _HIGHEST:
            return _polynomial(Multiply((base,) * int(value)), variable) if value else {0: Fraction(1)}
        case Add(terms):
            return _sum(terms, variable)
    return None


def _sum(terms: tuple[Expr, ...], variable: Symbol) -> Polynomial | None:
    total: Polynomial = {}
    for term in terms:
        found = _polynomial(term, variable)
        if found is None:
            return None
        for degree, coefficient in found.items():
            total[degree] = total.get(degree, Fraction()) + coefficient
    return {degree: coefficient for degree, coefficient in total.items() if coefficient}


def _product(first: Polynomial | None, second: Polynomial | None) -> Polynomial | None:
    """Multiply two polynomials; None where one is none, or where the degree is too high."""
    if first is None or second is None or max(first, default=0) + max(second, default=0) > _HIGHEST:
        return None
    found: Polynomial = {}
    for one, left in first.items():
        for two, right in second.items():
            found[one + two] = found.get(one + two, Fraction()) + left * right
    return {degree: coefficient for degree, coefficient in found.items() if coefficient}
