"""Where the switching functions of a formula of one weight vanish: its kinks, jumps and poles."""

from __future__ import annotations

import numpy as np

from gdsim.critical.numerical.landscape import Array, Landscape
from gdsim.critical.numerical.signs import ascending, bisect, crossings
from gdsim.critical.switches import switching_functions
from gdsim.expr.emit_numpy import compile_function, compile_raw
from gdsim.expr.nodes import symbols

_MOST_POINTS = 4096  # of switches: beyond (a kink in every data row) the loss is nearly smooth


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
