"""Two terms of a sum that are one: sin² + cos² = 1, 1 − tanh² = 1/cosh² and their kin.

Beside being shorter, the one term subtracts nothing: 1 − tanh(20)² is 0 in floating point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

from gdsim.expr.nodes import ONE, TWO, Call, Divide, Expr, Multiply, Power

# k·f(u)² + sign·k = k·g(u)^±2 (second entry None), k·f(u)² + sign·k·g(u)² = k
_WITH_ONE = {"sin": ("cos", True), "cos": ("sin", True), "tanh": ("cosh", False)}
_PAIRS = (("sin", "cos", 1), ("cosh", "sinh", -1))


class Merger(NamedTuple):
    """Two bodies to drop, and what stands for them: a coefficient, a body, a factor above or below."""

    dropped: tuple[Expr, Expr]
    coefficient: Fraction
    body: Expr
    above: Expr = ONE
    below: Expr = ONE


def merger(terms: Mapping[Expr, Fraction], but: frozenset[str] = frozenset()) -> Merger | None:
    """Find two terms (body → coefficient) of a sum that an identity makes one, ``but`` of other functions.

    >>> from gdsim.expr.parse import parse
    >>> sine, cosine = parse("sin(w)^2"), parse("cos(w)^2")
    >>> merger({sine: Fraction(3), cosine: Fraction(3)}).coefficient
    Fraction(3, 1)
    """
    squares: dict[tuple[Expr, Expr], dict[str, Expr]] = {}
    for body in terms:
        for name, argument, rest in _squares(body):
            if name in but:
                continue
            squares.setdefault((rest, argument), {})[name] = body
    for (rest, argument), found in squares.items():
        for first, second, sign in _PAIRS:
            if first in found and second in found:
                one, two = found[first], found[second]
                if one != two and terms[two] == sign * terms[one]:
                    return Merger((one, two), terms[one], rest)
        for name, body in found.items():
            if name in _WITH_ONE and rest in terms and terms[rest] == -terms[body]:
                partner, upwards = _WITH_ONE[name]
                square = Power(Call(partner, (argument,)), TWO)
                factors = (square, ONE) if upwards else (ONE, square)
                return Merger((rest, body), terms[rest], rest, *factors)
    return None


def _squares(body: Expr) -> Iterator[tuple[str, Expr, Expr]]:
    """Every factor f(u)² of a simplified term: the name f, u, and the rest of the term."""
    above = body.numerator if isinstance(body, Divide) else body
    factors = above.factors if isinstance(above, Multiply) else (above,)
    for place, factor in enumerate(factors):
        match factor:
            case Power(Call("sin" | "cos" | "tanh" | "sinh" | "cosh" as name, (argument,)), exponent) if (
                exponent == TWO
            ):
                others = (*factors[:place], *factors[place + 1 :])
                rest = Multiply(others) if len(others) > 1 else others[0] if others else ONE
                yield name, argument, Divide(rest, body.denominator) if isinstance(body, Divide) else rest
