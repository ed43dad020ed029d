"""Exact values of a tree at a place that is itself a constant tree: 1/3, 2π, √2, log 3.

Whether a function is exactly zero somewhere cannot be told by any arithmetic of finite precision. Here
the place is put into the formula, which must simplify to 0 by the tree's own exact arithmetic; that knows
sin, cos and tan at multiples of π/6 and π/4, exp and log where they undo one another, and roots of
rationals. Only then is the place a zero; that it simplifies to something else says nothing.
"""

from __future__ import annotations

from fractions import Fraction

from flint import ctx

from gdsim.expr.algebra import divide
from gdsim.expr.emit_ball import BallFunction
from gdsim.expr.nodes import (
    ZERO,
    Call,
    Constant,
    Expr,
    Multiply,
    Negate,
    Number,
    Power,
    Symbol,
    walk,
)
from gdsim.expr.simplify import simplify

_REFUTING_PRECISION = 1024
PI = Constant("pi")


def vanishes(expr: Expr, weight: str, place: Expr) -> bool:
    """Whether a tree is exactly zero at a place: proved by exact arithmetic, and not refuted at 1,024 bits.

    >>> from gdsim.expr.parse import parse
    >>> vanishes(parse("1 + cos(w)"), "w", PI), vanishes(parse("exp(w) - e*w"), "w", Number(Fraction(1)))
    (True, True)
    """
    if value_at(expr, weight, place) != ZERO:
        return False
    with ctx.workprec(_REFUTING_PRECISION):
        (value,) = BallFunction([expr], [weight])(BallFunction([place], [])()[0])
    return bool(value.contains(0)) or bool(value.is_nan())


def value_at(expr: Expr, weight: str, place: Expr) -> Expr:
    """The expression with a place put in for its weight, simplified exactly."""
    done: dict[Expr, Expr] = {Symbol(weight): place}
    for node in walk(expr):
        if node in done:
            continue
        if not node.children:
            done[node] = node
            continue
        rebuilt = simplify(node.rebuild(tuple(done[child] for child in node.children)))
        done[node] = _known(rebuilt)
    return simplify(done[expr])


def _known(expr: Expr) -> Expr:
    """The exact value of a function where it has a simple one."""
    match expr:
        case Call("sin" | "cos" | "tan" as name, (argument,)):
            turns = _part_of_pi(argument)
            return expr if turns is None else _trigonometric(name, turns) or expr
        case Call("exp", (Number(value),)) if value.denominator == 1:
            return simplify(Power(Constant("e"), Number(value)))
        case Call("exp", (Call("log", (inner,)),)) | Call("log", (Call("exp", (inner,)),)):
            return inner
        case Call("exp", (Multiply((Number(value), Call("log", (Number(inside),)))),)):
            return simplify(Power(Number(inside), Number(value)))
    return expr


def _part_of_pi(argument: Expr) -> Fraction | None:
    """q where the argument is q·π."""
    if argument == ZERO:
        return Fraction(0)
    quotient = simplify(divide(argument, PI))
    return quotient.value if isinstance(quotient, Number) else None


def _trigonometric(name: str, turns: Fraction) -> Expr | None:
    """sin, cos or tan of q·π for multiples of 1/6 and 1/4."""
    if name == "tan":
        above, below = _trigonometric("sin", turns), _trigonometric("cos", turns)
        return None if above is None or below is None or below == ZERO else simplify(divide(above, below))
    angle = (turns + Fraction(1, 2) if name == "cos" else turns) % 2
    negative = angle >= 1
    angle = angle - 1 if negative else angle
    angle = 1 - angle if angle > Fraction(1, 2) else angle
    square = {
        Fraction(0): Fraction(0), Fraction(1, 6): Fraction(1, 4), Fraction(1, 4): Fraction(1, 2),
        Fraction(1, 3): Fraction(3, 4), Fraction(1, 2): Fraction(1),
    }.get(angle)  # fmt: skip
    if square is None:
        return None
    value = simplify(Call("sqrt", (Number(square),)))
    return simplify(Negate(value)) if negative else value
