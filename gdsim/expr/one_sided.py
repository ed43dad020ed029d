"""Kinks and jumps of a formula: which slope it has on either side of a point."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose, isfinite
from typing import NamedTuple

from gdsim.expr.differentiate import derivative
from gdsim.expr.emit_python import compile_function
from gdsim.expr.nodes import ONE, ZERO, Add, Call, Compare, Expr, Negate, Symbol, Where, walk


class Break(NamedTuple):
    """A point at which there is no derivative."""

    left: float
    """The slope on the left."""
    right: float
    """The slope on the right."""
    jump: bool
    """Whether the formula itself jumps."""


def break_at(expr: Expr, weight: Symbol, values: Mapping[Symbol, object]) -> Break | None:
    """Return the kink or the jump of a formula at a point; None where none can be told.

    Parameters
    ----------
    expr
        Any formula. What switches within a row of data is left as it is.
    weight
        Along which weight.
    values
        A number for each weight and parameter, a column for each column.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> x = Symbol("x")
    >>> break_at(parse("abs(x)"), x, {x: 0.0})
    Break(left=-1.0, right=1.0, jump=False)
    >>> print(break_at(parse("abs(x)"), x, {x: 1.0}), break_at(parse("relu(x)^2"), x, {x: 0.0}))
    None None
    """
    left, right = _branch(expr, weight, values, -1), _branch(expr, weight, values, 1)
    if left is None or right is None or left == right == expr:
        return None
    here, _ = _value_and_slope(expr, weight, values)
    before, slope_before = _value_and_slope(left, weight, values)
    behind, slope_behind = _value_and_slope(right, weight, values)
    if not all(map(isfinite, (here, before, behind, slope_before, slope_behind))):
        return None
    jump = not (_alike(before, here) and _alike(here, behind))
    if not jump and _alike(slope_before, slope_behind):
        return None
    return Break(slope_before, slope_behind, jump)


def _alike(first: float, second: float) -> bool:
    return isclose(first, second, rel_tol=1e-9, abs_tol=1e-12)


def _value_and_slope(expr: Expr, weight: Symbol, values: Mapping[Symbol, object]) -> tuple[float, float]:
    value, slope = compile_function([expr, derivative(expr, weight)], [*values])(*values.values())
    return value, slope


def _branch(expr: Expr, weight: Symbol, values: Mapping[Symbol, object], side: int) -> Expr | None:
    """Return the formula that holds next to a point, left (-1) or right (1); None where it cannot be told."""
    done: dict[Expr, Expr] = {}
    for node in walk(expr):
        here = node.rebuild(tuple(done[child] for child in node.children)) if node.children else node
        gap = _gap(here)
        if gap is not None and _decides(gap, weight):
            value, slope = _value_and_slope(gap, weight, values)
            if value == 0:
                if slope == 0 or not isfinite(slope):
                    return None
                here = _chosen(here, side * slope > 0)
        done[node] = here
    return done[expr]


def _decides(gap: Expr, weight: Symbol) -> bool:
    names = [node for node in walk(gap) if isinstance(node, Symbol)]
    return weight in names and all(name.role != "column" for name in names)


def _gap(node: Expr) -> Expr | None:
    """Return the formula at whose zero a node switches."""
    match node:
        case Call("abs" | "relu" | "sign", (argument,)):
            return argument
        case Call("max" | "min", (first, second)) | Where(Compare(_, first, second)):
            return Add((first, Negate(second)))
    return None


def _chosen(node: Expr, positive: bool) -> Expr:
    """Return what a node is where its gap is positive, or where it is negative."""
    match node:
        case Call("abs", (argument,)):
            return argument if positive else Negate(argument)
        case Call("relu", (argument,)):
            return argument if positive else ZERO
        case Call("sign", _):
            return ONE if positive else Negate(ONE)
        case Call("max", (first, second)):
            return first if positive else second
        case Call("min", (first, second)):
            return second if positive else first
        case Where(Compare(operator, _, _), then, otherwise):
            holds = operator == "!=" or operator in ((">", ">=") if positive else ("<", "<="))
            return then if holds else otherwise
    raise AssertionError(f"{type(node).__name__} does not switch")
