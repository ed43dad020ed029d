"""A function of one weight as a product: what of it can vanish, and how often.

The function is read as a rational function of *kernels*: the weight, constants such as π, and functions of
the weight such as exp(w/10) or sin(2w), each taken as a letter. Its numerator is factored over the rationals
by python-flint. Factors that never vanish (exponentials, cosh) are dropped, zeros of one letter are led
back to what stands inside (tanh(u) vanishes where u does), and rational polynomials are told apart: their
zeros can be isolated exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from flint import ctx, fmpz_poly

from gdsim.critical.line.letters import Letters, TooLarge
from gdsim.expr.emit_ball import BallFunction
from gdsim.expr.exact_zeros import value_at
from gdsim.expr.lower import rational_exponent
from gdsim.expr.nodes import (
    ONE,
    ZERO,
    Add,
    Call,
    Constant,
    Expr,
    Negate,
    Number,
    Power,
    Reduce,
    Symbol,
    symbols,
    walk,
)
from gdsim.expr.simplify import simplify

_CONSTANTS_PRECISION = 1500  # bits
_NEVER_ZERO = frozenset({"exp", "cosh", "sigmoid", "softplus"})
_ZERO_WITH_ARGUMENT = frozenset({"tanh", "sinh", "atan", "asin"})


@dataclass(frozen=True)
class Factor:
    """One factor φ of a product Π φᵉ.

    Attributes
    ----------
    expression
        φ, a tree in one weight.
    exponent
        e > 0; a simple zero of φ is one of order e of the product.
    polynomial
        Integer coefficients of φ, lowest first, where φ is a polynomial of the weight; else ().
    canonical
        φ in the form that all factors with the same zeros share.
    """

    expression: Expr
    exponent: Fraction
    polynomial: tuple[int, ...] = ()
    canonical: Expr | None = None

    @property
    def key(self) -> Expr:
        """What tells two factors apart."""
        return self.expression if self.canonical is None else self.canonical


class Unsupported(Exception):
    """A loss of which nothing can be proved: its pieces, or a constant in it, cannot be told from zero."""


class _Zero(Exception):
    """A factor is zero throughout."""


def factorise(expr: Expr, weight: str) -> tuple[Factor, ...] | None:
    """Factor a function of one weight; None where it is zero throughout.

    Parameters
    ----------
    expr
        A tree without switches (abs, max, where …); where it has data columns it is not taken apart.
    weight
        The name of its weight.

    Returns
    -------
    tuple of Factor or None
        Where the function is defined, it is zero exactly where one of the factors is. Poles are no
        concern of the factors: the caller knows them.

    Notes
    -----
    Cost: about 0.1 ms for each kernel, and python-flint's factoring of at most 300 terms.

    Examples
    --------
    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> found = factorise(parse("exp(-w)*(w - 1)^2*sin(w)"), "w")
    >>> sorted((to_text(factor.expression), int(factor.exponent)) for factor in found)
    [('sin(w)', 1), ('w - 1', 2)]
    """
    if any(isinstance(node, Reduce) for node in walk(expr)):
        return (Factor(expr, Fraction(1)),)
    try:
        letters = Letters(expr)
        numerator, denominator = letters.fraction(expr)
    except (TooLarge, ZeroDivisionError):
        return (Factor(expr, Fraction(1)),)
    if not numerator:
        return None
    common = numerator.gcd(denominator)
    _, parts = letters.on_the_circle(numerator / common).factor()
    found: list[Factor] = []
    try:
        for part, exponent in parts:
            found.extend(_vanishing(letters.tree(part), Fraction(int(exponent)), weight))
    except _Zero:
        return None
    alone = len(parts) == 1 and denominator.is_constant() and not (letters.reduced or letters.degree)
    if alone and len(found) == 1 and found[0].exponent == 1 and not found[0].polynomial:
        # as it was written it is tighter over a box than expanded
        return (Factor(expr, Fraction(1), canonical=found[0].key),)
    return _collected(found)


def _collected(found: list[Factor]) -> tuple[Factor, ...]:
    """Factors that are the same, once."""
    known: dict[Expr, Factor] = {}
    for factor in found:
        before = known.get(factor.key)
        exponent = factor.exponent + (before.exponent if before else 0)
        known[factor.key] = replace(factor, exponent=exponent)
    return tuple(known.values())


def _vanishing(expr: Expr, exponent: Fraction, weight: str) -> Iterator[Factor]:
    """The factors of a factor that can be zero: a letter alone may be led back to its argument."""
    if not symbols(expr, "weight"):
        _check_constant(expr)
        return
    match expr:
        case Call(name) if name in _NEVER_ZERO:
            return
        case Call(name, (argument,)) if name in _ZERO_WITH_ARGUMENT:
            yield from _inner(argument, exponent, weight)
            return
        case Call("log" | "log2" | "log10", (argument,)):
            yield from _inner(simplify(Add((argument, Negate(ONE)))), exponent, weight)
            return
        case Call("sqrt", (argument,)):
            yield from _inner(argument, exponent / 2, weight)
            return
        case Power(base, power_of):
            value = rational_exponent(power_of)
            if value is None or not value > 0:
                return  # u^v with u > 0 is positive
            yield from _inner(base, exponent * value, weight)
            return
    yield Factor(expr, exponent, polynomial(expr, weight))


def _check_constant(expr: Expr) -> None:
    """See that a constant factor is not zero: sin(π) is, though no rule of algebra says so."""
    with ctx.workprec(_CONSTANTS_PRECISION):
        (value,) = BallFunction([expr], [])()
    if value > 0 or value < 0:
        return
    if value_at(expr, "", ZERO) == ZERO:
        raise _Zero
    raise Unsupported


def _inner(argument: Expr, exponent: Fraction, weight: str) -> Iterator[Factor]:
    factors = factorise(argument, weight)
    if factors is None:
        raise _Zero
    for factor in factors:
        yield replace(factor, exponent=factor.exponent * exponent)


def polynomial(expr: Expr, weight: str) -> tuple[int, ...]:
    """Return integer coefficients, lowest first, of a polynomial with the same zeros; () for other trees.

    >>> from gdsim.expr.parse import parse
    >>> polynomial(parse("w^2/2 - 1"), "w")
    (-2, 0, 1)
    """
    if any(isinstance(node, Call | Constant) for node in walk(expr)):
        return ()
    try:
        letters = Letters(expr)
        numerator, denominator = letters.fraction(expr)
    except (TooLarge, ZeroDivisionError):
        return ()
    if letters.kernels != [Symbol(weight)] or not denominator.is_constant() or not numerator:
        return ()
    terms = {exponents[0]: Fraction(int(c.p), int(c.q)) for exponents, c in numerator.to_dict().items()}
    common = 1
    for value in terms.values():
        common = math.lcm(common, value.denominator)
    return tuple(int(terms.get(degree, Fraction(0)) * common) for degree in range(max(terms) + 1))


def flint_polynomial(coefficients: tuple[int, ...]) -> Any:
    """python-flint's polynomial of these integer coefficients."""
    return fmpz_poly(list(coefficients))


def as_product(expr: Expr) -> tuple[list[tuple[Expr, int]], Expr] | None:
    """Factors with their exponents, and the denominator, of an expression as a rational function of kernels.

    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> factors, below = as_product(parse("(w^2 - 2w + 1)/w"))
    >>> [(to_text(factor), exponent) for factor, exponent in factors], to_text(below)
    ([('w - 1', 2)], 'w')
    """
    if any(isinstance(node, Reduce) for node in walk(expr)):
        return None
    try:
        letters = Letters(expr)
        numerator, denominator = letters.fraction(expr)
    except (TooLarge, ZeroDivisionError):
        return None
    if not numerator:
        return None
    common = numerator.gcd(denominator)
    unit, parts = (numerator / common).factor()
    factors = [(letters.tree(part), int(exponent)) for part, exponent in parts]
    if unit != 1:
        factors.append((Number(Fraction(int(unit.p), int(unit.q))), 1))
    return factors, letters.tree(denominator / common)
