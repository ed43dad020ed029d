"""Where a formula of one weight may have a kink, a jump or a pole: read off the tree.

A kink can only lie where the argument of abs, sign or relu is zero, where the two arguments of max or min
are equal, where the argument of huber reaches its threshold (or is zero, if the threshold may be negative),
or where a condition of where changes. A pole can only lie where a divisor, the argument of a logarithm or
the base of a power is zero, or at a pole of tan. The zeros of all these *switching functions* are candidates;
what they are is seen from the slopes.
"""

from __future__ import annotations

from collections.abc import Iterator

from gdsim.expr.lower import rational_exponent
from gdsim.expr.nodes import Add, Call, Divide, Expr, Multiply, Negate, Number, Power, Where, symbols, walk


def switching_functions(expr: Expr) -> tuple[Expr, ...]:
    """Return the sub-expressions at whose zeros the formula may fail to be smooth.

    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> [to_text(switch) for switch in switching_functions(parse("max(w, 1) + abs(w - 3)/w"))]
    ['w - 1', 'w - 3', 'w']
    """
    found: dict[Expr, None] = {}
    for node in walk(expr):
        for switch in _switches(node):
            for factor in _factors(switch):
                if symbols(factor, "weight"):
                    found.setdefault(factor)
    return tuple(found)


def _switches(node: Expr) -> Iterator[Expr]:
    if isinstance(node, Where):
        yield _minus(node.condition.left, node.condition.right)
    elif isinstance(node, Divide):
        yield node.denominator
    elif isinstance(node, Power):
        whole = isinstance(node.exponent, Number) and node.exponent.value.denominator == 1
        if not (whole and node.exponent.value >= 0):  # type: ignore[attr-defined]
            yield node.base
    elif isinstance(node, Call):
        yield from _of_call(node)


def _of_call(node: Call) -> Iterator[Expr]:
    first = node.arguments[0]
    if node.function in ("abs", "sign", "relu", "sqrt", "log", "log2", "log10"):
        yield first
    elif node.function in ("max", "min"):
        yield _minus(first, node.arguments[1])
    elif node.function == "huber":
        bound = node.arguments[1]
        yield _minus(first, bound)
        yield Add((first, bound))
        if not (rational_exponent(bound) or 0) > 0:  # beyond the threshold stands abs(first)
            yield first
    elif node.function == "tan":
        yield Call("cos", (first,))


def _minus(left: Expr, right: Expr) -> Expr:
    if isinstance(right, Number) and right.value == 0:
        return left
    return Add((left, Negate(right)))


def _factors(expr: Expr) -> Iterator[Expr]:
    """A product is zero where a factor is; a power where its base is."""
    if isinstance(expr, Multiply):
        for factor in expr.factors:
            yield from _factors(factor)
    elif isinstance(expr, Negate):
        yield from _factors(expr.operand)
    elif isinstance(expr, Power):
        yield from _factors(expr.base)
    elif isinstance(expr, Call) and expr.function in ("abs", "sqrt"):
        yield from _factors(expr.arguments[0])
    else:
        yield expr
