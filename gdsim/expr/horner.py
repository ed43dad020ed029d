"""Sums of powers in nested form: c₃w³ + c₁w + c₀ as (c₃w² + c₁)w + c₀, one fused operation a term."""

from __future__ import annotations

from gdsim.expr.nodes import ONE, Add, Expr, Multiply, Negate, Number, Power, Symbol, contains_weight


def nested(expr: Expr, weight: str) -> Expr:
    """Return a sum of powers of one weight in W. G. Horner's form; any other expression as it is.

    Only a sum that is written as powers is nested: (w − 3)⁴ is not multiplied out, which would cancel. The
    rounding error of either form is at most a few units of the sum of the sizes of all terms (N. J. Higham,
    Accuracy and Stability of Numerical Algorithms, 2nd ed. 2002, §5.1).

    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> to_text(nested(parse("4w^3 - 4w + 0.3"), "w"))
    '(4*w^2 - 4)*w + 0.3'
    >>> to_text(nested(parse("(w - 3)^4 + w"), "w"))
    '(w - 3)^4 + w'
    """
    if not isinstance(expr, Add):
        return expr
    coefficients: dict[int, list[Expr]] = {}
    for term in expr.terms:
        found = _monomial(term, weight)
        if found is None:
            return expr
        coefficients.setdefault(found[0], []).append(found[1])
    degrees = sorted(coefficients, reverse=True)
    if len(degrees) < 2:
        return expr
    result = _sum(coefficients[degrees[0]])
    for above, degree in zip(degrees, degrees[1:], strict=False):
        result = Add((_times(result, weight, above - degree), *coefficients[degree]))
    return _times(result, weight, degrees[-1]) if degrees[-1] else result


def _sum(terms: list[Expr]) -> Expr:
    return terms[0] if len(terms) == 1 else Add(tuple(terms))


def _times(expr: Expr, weight: str, degree: int) -> Expr:
    power: Expr = Symbol(weight)
    if degree > 1:
        power = Power(power, Number(ONE.value * degree))
    return power if expr == ONE else Multiply((expr, power))


def _monomial(term: Expr, weight: str) -> tuple[int, Expr] | None:
    """The degree and the coefficient of c·wⁿ; None where a term is none."""
    match term:
        case Negate(operand):
            inner = _monomial(operand, weight)
            return None if inner is None else (inner[0], Negate(inner[1]))
        case Symbol(name, "weight") if name == weight:
            return 1, ONE
        case Power(Symbol(name, "weight"), Number(value)) if name == weight:
            return (int(value), ONE) if value > 0 and value.denominator == 1 else None
        case Multiply(factors):
            inside = [factor for factor in factors if contains_weight(factor, weight)]
            if len(inside) == 1:
                inner = _monomial(inside[0], weight)
                others = tuple(factor for factor in factors if factor is not inside[0])
                if inner is None or inner[1] != ONE:
                    return None
                return inner[0], others[0] if len(others) == 1 else Multiply(others)
    return None if contains_weight(term, weight) else (0, term)
