"""The loss at many weights at once: what every numeric method is built on.

One value of one run is one *evaluation*; the methods count them by the number of points they ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim.expr import emit_numpy
from gdsim.expr.nodes import Expr
from gdsim.losses import Loss
from gdsim.losses.loss import guarded

Array: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Columns: TypeAlias = Mapping[str, Array]
Values: TypeAlias = Callable[[Array, Columns, Columns | None], Array]
"""``values(weight (weights, runs), parameters {name: (runs,)}, data) -> (runs,)``."""


def loss_values(loss: Loss) -> Values:
    """Return the loss as a function of whole arrays of runs.

    A Python callable is called once for each run with floats; where it raises an arithmetic error
    (``ZeroDivisionError``, ``OverflowError``, ``ValueError`` of ``math``) the value is nan.

    Examples
    --------
    >>> values = loss_values(Loss.from_text("a*w^2", parameters={"a": 2}))
    >>> values(np.array([[1.0, 3.0]]), {}, None)
    array([ 2., 18.])
    """
    if loss.expression is None:
        return _callable_values(loss)
    evaluate = compiled(loss, (loss.expression,))
    return lambda weight, parameters, data: evaluate(weight, parameters, data)[0]


def compiled(
    loss: Loss, outputs: Sequence[Expr]
) -> Callable[[Array, Columns, Columns | None], tuple[Array, ...]]:
    """Compile expressions over the symbols of a loss; a mini-batch scales ``sum`` by rows/size."""
    functions: dict[float, Callable[..., tuple[Array, ...]]] = {}

    def evaluate(weight: Array, parameters: Columns, data: Columns | None) -> tuple[Array, ...]:
        scale = row_scale(loss, data)
        if scale not in functions:
            functions[scale] = emit_numpy.compile_function(outputs, loss.arguments, row_scale=scale)
        return functions[scale](*arguments(loss, weight, parameters, data))

    return evaluate


def arguments(loss: Loss, weight: Array, parameters: Columns, data: Columns | None) -> list[Array]:
    """Return the arrays in the order of ``loss.arguments``; columns have shape (rows, 1) or (size, runs)."""
    runs = weight.shape[1]
    values = [weight[place] for place in range(len(loss.weights))]
    for name, default in loss.parameters.items():
        values.append(np.broadcast_to(np.asarray(parameters.get(name, default), dtype=np.float64), (runs,)))
    for name, column in loss.data.items():
        values.append(np.asarray(column)[:, np.newaxis] if data is None else data[name])
    return values


def row_scale(loss: Loss, data: Columns | None) -> float:
    """Return rows of the loss's data over rows of the mini-batch."""
    if not data:
        return 1.0
    name = next(iter(loss.data))
    return len(loss.data[name]) / len(data[name])


def at_points(
    values: Values, weight: Array, place: int, points: Array, parameters: Columns, data: Columns | None
) -> Array:
    """Evaluate with one weight moved.

    Parameters
    ----------
    values
        The loss.
    weight
        Shape (weights, runs).
    place
        Which weight takes the values of ``points``.
    points
        Shape (points, runs).

    Returns
    -------
    Array
        Shape (points, runs). Cost: as many evaluations for each run as there are points.
    """
    count, runs = points.shape
    moved = np.tile(weight, (1, count))
    moved[place] = points.ravel()
    tiled = {name: np.tile(np.broadcast_to(value, (runs,)), count) for name, value in parameters.items()}
    columns = None if data is None else {name: np.tile(column, (1, count)) for name, column in data.items()}
    return values(moved, tiled, columns).reshape(count, runs)


def _callable_values(loss: Loss) -> Values:
    assert loss.function is not None
    value = guarded(loss.function)

    def evaluate(weight: Array, parameters: Columns, data: Columns | None) -> Array:
        return np.array([value(*column) for column in weight.T.tolist()], dtype=np.float64)

    return evaluate
