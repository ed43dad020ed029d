"""Leave out of a formula what a zero makes void, without changing a bit of what remains.

Simplification proper may reorder factors, and then an option that is zero for all runs would give other
bits than one that is zero for one run of many.
"""

from __future__ import annotations

from fractions import Fraction

from gdsim.expr.nodes import (
    ONE,
    ZERO,
    Add,
    Compare,
    Divide,
    Expr,
    Multiply,
    Negate,
    Number,
    Power,
    Where,
    walk,
)


def fold(expr: Expr) -> Expr:
    """Return the formula without 0 + x, 1·x, 0·x, 0/x, −0, 0ⁿ, and choices between numbers.

    The value is the same to the last bit for finite operands, but for the sign of zero.

    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> to_text(fold(parse("where(0 > 0, x, y + 0*x)*(1 - 0)")))
    'y'
    """
    done: dict[Expr, Expr] = {}
    for node in walk(expr):
        if not isinstance(node, Compare):
            done[node] = _folded(node, done)
    return done[expr]


def _folded(node: Expr, done: dict[Expr, Expr]) -> Expr:
    match node:
        case Add(terms):
            kept = [done[term] for term in terms if done[term] != ZERO]
            return ZERO if not kept else kept[0] if len(kept) == 1 else Add(tuple(kept))
        case Multiply(factors):
            factors = tuple(done[factor] for factor in factors)
            if ZERO in factors:
                return ZERO
            kept = [factor for factor in factors if factor != ONE]
            return ONE if not kept else kept[0] if len(kept) == 1 else Multiply(tuple(kept))
        case Negate(operand):
            return ZERO if done[operand] == ZERO else Negate(done[operand])
        case Divide(numerator, denominator):
            return ZERO if done[numerator] == ZERO else Divide(done[numerator], done[denominator])
        case Power(base, Number(exponent)) if done[base] == ZERO and exponent > 0:
            return ZERO
        case Where(Compare(operator, left, right), then, otherwise):
            a, b = done[left], done[right]
            if isinstance(a, Number) and isinstance(b, Number):
                return done[then] if _holds(operator, a.value, b.value) else done[otherwise]
            return Where(Compare(operator, a, b), done[then], done[otherwise])
    return node.rebuild(tuple(done[child] for child in node.children)) if node.children else node


def _holds(operator: str, a: Fraction, b: Fraction) -> bool:
    return {
        "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b,
    }[operator]  # fmt: skip
