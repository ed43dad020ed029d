"""The value of a tree at 50 digits: an independent witness for derivatives and simplification.

Real-valued like every back-end: what has no real value is nan. Written from the definitions of the
functions, not from gdsim's emitters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import mpmath
from mpmath import mpf

from gdsim.expr.nodes import (
    Add,
    Call,
    Compare,
    Constant,
    Divide,
    Expr,
    Multiply,
    Negate,
    Number,
    Power,
    Reduce,
    Symbol,
    Where,
)

NAN = mpf("nan")
CONTEXT = mpmath.mp.clone()
CONTEXT.dps = 50


def value(
    expr: Expr, at: Mapping[str, object], rows: Sequence[Mapping[str, object]] = (), memo: dict | None = None
) -> mpf:
    """The real value of an expression at a point, nan where it has none."""
    memo = {} if memo is None else memo
    if expr not in memo:
        memo[expr] = _value(expr, at, rows, memo)
    return memo[expr]


def rational(number: Fraction) -> mpf:
    return CONTEXT.mpf(number.numerator) / number.denominator


def _value(expr: Expr, at: Mapping[str, object], rows: Sequence[Mapping[str, object]], memo: dict) -> mpf:
    def of(child: Expr) -> mpf:
        return value(child, at, rows, memo)

    match expr:
        case Number(number):
            return rational(number)
        case Constant(name):
            return +CONTEXT.pi if name == "pi" else +CONTEXT.e
        case Symbol(name):
            return CONTEXT.mpf(at[name])
        case Add(terms):
            return CONTEXT.fsum([of(term) for term in terms])
        case Multiply(factors):
            product = CONTEXT.mpf(1)
            for factor in factors:
                product *= of(factor)
            return product
        case Negate(operand):
            return -of(operand)
        case Divide(numerator, denominator):
            below = of(denominator)
            return NAN if below == 0 else of(numerator) / below
        case Power(base, exponent):
            return _power(of(base), of(exponent))
        case Where(condition, then, otherwise):
            return of(then) if _holds(condition, of) else of(otherwise)
        case Reduce(kind, body):
            total = CONTEXT.fsum([value(body, {**at, **row}) for row in rows])
            return total / len(rows) if kind == "mean" else total
        case Call(function, arguments):
            return _call(function, [of(argument) for argument in arguments])
    raise TypeError(expr)


def _holds(condition: Compare, of) -> bool:
    left, right = of(condition.left), of(condition.right)
    return {
        "<": left < right, "<=": left <= right, ">": left > right,
        ">=": left >= right, "==": left == right, "!=": left != right,
    }[condition.operator]  # fmt: skip


def _power(base: mpf, exponent: mpf) -> mpf:
    if exponent == 0:
        return CONTEXT.mpf(1)
    if base == 0:
        return CONTEXT.mpf(0) if exponent > 0 else NAN
    if base < 0 and exponent != CONTEXT.floor(exponent):
        return NAN
    if abs(exponent * CONTEXT.log(abs(base))) > 10**6:
        return NAN
    result = CONTEXT.power(base, exponent)
    return result if isinstance(result, CONTEXT.mpf) else result.real


def _call(function: str, values: list[mpf]) -> mpf:
    x = values[0]
    if not all(CONTEXT.isfinite(argument) for argument in values):
        return NAN
    if function in ("exp", "sinh", "cosh", "softplus", "sigmoid") and abs(x) > 10**5:
        return NAN
    match function:
        case "sqrt":
            return NAN if x < 0 else CONTEXT.sqrt(x)
        case "log" | "log2" | "log10":
            base = {"log": CONTEXT.e, "log2": 2, "log10": 10}[function]
            return NAN if x <= 0 else CONTEXT.log(x) / CONTEXT.log(base)
        case "asin" | "acos":
            return NAN if abs(x) > 1 else getattr(CONTEXT, function)(x)
        case "abs":
            return abs(x)
        case "sign":
            return CONTEXT.sign(x)
        case "relu":
            return max(x, CONTEXT.mpf(0))
        case "sigmoid":
            return 1 / (1 + CONTEXT.exp(-x))
        case "softplus":
            return CONTEXT.log(1 + CONTEXT.exp(x))
        case "max":
            return max(values)
        case "min":
            return min(values)
        case "huber":
            bound = values[1]
            return x * x / 2 if abs(x) <= bound else bound * (abs(x) - bound / 2)
    return getattr(CONTEXT, function)(x)
