"""Where a formula of one weight may have a kink, a jump or a pole: read off the tree.

A kink can only lie where the argument of abs, sign or relu is zero, where the two arguments of max or min
are equal, where the argument of huber reaches its threshold, or where a condition of where changes. A pole
can only lie where a divisor, the argument of a logarithm or the base of a power is zero, or at a pole of
tan. The zeros of all these *switching functions* are candidates; what they are is seen from the slopes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gdsim.critical.landscape import Array, Landscape
from gdsim.critical.signs import ascending, bisect, crossings
from gdsim.expr.emit_numpy import compile_function, compile_raw
from gdsim.expr.nodes import Add, Call, Divide, Expr, Multiply, Negate, Number, Power, Where, symbols, walk

_MOST_POINTS = 4096  # of switches: beyond (a kink in every data row) the loss is nearly smooth


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
        yield _minus(first, node.arguments[1])
        yield Add((first, node.arguments[1]))
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


def switch_points(landscape: Landscape, grid: Array) -> Array:
    """Return the zeros of the switching functions between the ends of a grid, in ascending order.

    A switching function that reads the data is solved for every row. Cost: some sixty evaluations of
    the switching functions.
    """
    loss = landscape.loss
    if loss.expression is None:
        return np.empty(0)
    found: list[Array] = []
    columns = [np.asarray(column)[:, None] for column in loss.data.values()]
    fixed = list(loss.parameters.values())
    for switch in switching_functions(loss.expression):
        if not symbols(switch, "column"):
            compiled = compile_function([switch], loss.arguments)
            found.append(_zeros(lambda x, f=compiled: f(x, *map(np.asarray, fixed), *columns)[0], grid))
            continue
        raw = compile_raw([switch], loss.arguments)
        for row in range(min(len(columns[0]), _MOST_POINTS)):
            values = [column[row : row + 1] for column in columns]
            found.append(_zeros(lambda x, f=raw, v=values: _quietly(f, x, *fixed, *v), grid))
    points = ascending(np.concatenate([np.empty(0), *found]))
    return points[:_MOST_POINTS]


def _quietly(function: object, points: Array, *others: object) -> Array:
    with np.errstate(all="ignore"):
        values = function(points, *others)[0]  # type: ignore[operator]
    return np.broadcast_to(np.ravel(values), points.shape)


def _zeros(function: object, grid: Array) -> Array:
    values = function(grid)  # type: ignore[operator]
    exact = grid[values == 0]
    if exact.size > grid.size // 2:  # identically zero: no switch
        return np.empty(0)
    left, right = crossings(grid, np.sign(values))
    low, high = bisect(lambda x: np.sign(function(x)), left, right)  # type: ignore[operator]
    ends = np.stack([low, high])
    sizes = np.abs(np.stack([function(low), function(high)]))  # type: ignore[operator]
    best = ends[np.argmin(sizes, axis=0), np.arange(low.size)] if low.size else low
    rounded = np.round(best, 12)
    if best.size:
        best = np.where(np.abs(function(rounded)) <= sizes.min(axis=0), rounded, best)  # type: ignore[operator]
    return np.concatenate([exact, best])
