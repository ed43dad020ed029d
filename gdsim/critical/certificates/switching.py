"""The branches of a formula of one weight: read off the tree again, for the checker alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from gdsim.expr.algebra import negate
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
    Multiply,
    Negate,
    Number,
    Power,
    Where,
    number,
    walk,
)
from gdsim.expr.simplify import simplify

SignOf = Callable[[Expr], int]
_SWITCHES = frozenset({"abs", "sign", "relu", "max", "min", "huber"})
_MOST_PASSES = 4  # simplifying may bring an abs back
_HOLDS = {1: (">", ">=", "!="), -1: ("<", "<=", "!="), 0: ("<=", ">=", "==")}


@dataclass(frozen=True, eq=False)
class Decided:
    """A formula with its switches decided.

    Attributes
    ----------
    formula
        Simplified; where the loss has a value it has the same, but it may have values elsewhere.
    written
        The branches and the switching functions as they are written: the loss has a value exactly where all
        of these have.
    """

    formula: Expr
    written: tuple[Expr, ...]


def decided(expr: Expr, sign_of: SignOf) -> Decided:
    """The formula with every switch replaced by the branch that the sign of its switching function names.

    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> to_text(decided(parse("abs(w - 1) + relu(w)"), lambda function: -1).formula)
    '1 - w'
    """
    written: dict[Expr, None] = {}
    raw = _replaced(expr, sign_of, written)
    formula = simplify(raw)
    for _ in range(_MOST_PASSES):
        if not has_switches(formula):
            break
        formula = simplify(_replaced(formula, sign_of, written))
    return Decided(formula, (raw, *written))


def _replaced(expr: Expr, sign_of: SignOf, written: dict[Expr, None]) -> Expr:
    done: dict[Expr, Expr] = {}
    for node in walk(expr):
        made = node.rebuild(tuple(done[child] for child in node.children)) if node.children else node
        if isinstance(made, Call) and made.function == "huber":
            made = _replaced(_huber(*made.arguments), sign_of, written)
        function = _function(made)
        if function is not None:
            written.setdefault(function)
            made = _branch(made, sign_of(simplify(function)))
        done[node] = made
    return done[expr]


def has_switches(expr: Expr) -> bool:
    """Whether a formula has a choice, or a function that is no smooth one."""
    return any(
        isinstance(node, Where) or (isinstance(node, Call) and node.function in _SWITCHES)
        for node in walk(expr)
    )


def _huber(u: Expr, d: Expr) -> Expr:
    size = Call("abs", (u,))
    return Where(
        Compare("<=", size, d),
        Divide(Power(u, TWO), TWO),
        Multiply((d, Add((size, Negate(Divide(d, TWO)))))),
    )


def _function(node: Expr) -> Expr | None:
    """The function whose sign chooses a node's branch; None where it has no branches."""
    match node:
        case Where(Compare(_, left, right), _, _):
            return Add((left, Negate(right)))
        case Call("max" | "min", (first, second)):
            return Add((first, Negate(second)))
        case Call("abs" | "sign" | "relu", (argument,)):
            return argument
    even = _even_root(node)
    return None if even is None else even[0]


def _even_root(node: Expr) -> tuple[Expr, Fraction] | None:
    """u and p where a node is (u^2k)^q, which is |u|^p with p = 2kq."""
    match node:
        case Call("sqrt", (Power(inner, exponent),)):
            outer: Fraction | None = Fraction(1, 2)
        case Power(Power(inner, exponent), raised):
            outer = rational_exponent(raised)
        case _:
            return None
    even = rational_exponent(exponent)
    if even is None or outer is None or outer.denominator == 1 or even.denominator > 1 or even % 2:
        return None
    return inner, even * outer


def _branch(node: Expr, side: int) -> Expr:
    match node:
        case Where(Compare(operator, _, _), then, otherwise):
            return then if operator in _HOLDS[side] else otherwise
        case Call("abs", (u,)):
            return u if side >= 0 else negate(u)
        case Call("sign", _):
            return number(side)
        case Call("relu", (u,)):
            return u if side > 0 else ZERO
        case Call("max", (u, v)):
            return u if side >= 0 else v
        case Call("min", (u, v)):
            return u if side <= 0 else v
    root = _even_root(node)
    assert root is not None
    inner, exponent = root
    return Power(inner if side >= 0 else negate(inner), Number(exponent))


def may_jump(expr: Expr) -> bool:
    """Whether a formula has a choice or a sign: everything else is continuous where it is defined."""
    return any(
        isinstance(node, Where) or (isinstance(node, Call) and node.function == "sign") for node in walk(expr)
    )


def edges(expr: Expr) -> Iterator[Expr]:
    """The functions below whose zeros a formula without switches is not defined."""
    for node in walk(expr):
        match node:
            case Call("sqrt" | "log" | "log2" | "log10", (argument,)):
                yield argument
            case Power(base, exponent):
                value = rational_exponent(exponent)
                if value is None or value.denominator > 1:
                    yield base
            case Call("asin" | "acos", (argument,)):
                yield simplify(Add((ONE, Negate(argument))))
                yield simplify(Add((ONE, argument)))


def divisors(expr: Expr) -> Iterator[Expr]:
    """The functions at whose zeros a formula without switches has no value."""
    for node in walk(expr):
        match node:
            case Divide(_, denominator):
                yield denominator
            case Power(base, exponent):
                value = rational_exponent(exponent)
                if value is not None and value < 0:
                    yield base
            case Call("log" | "log2" | "log10", (argument,)):
                yield argument
            case Call("tan", (argument,)):
                yield Call("cos", (argument,))
