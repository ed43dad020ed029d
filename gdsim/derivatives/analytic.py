"""The exact derivative: the formula is differentiated rule by rule and then evaluated."""

from __future__ import annotations

import numpy as np

from gdsim.derivatives import Estimate, Gradient, ScalarGradient
from gdsim.derivatives.evaluation import Array, Columns, compiled
from gdsim.losses import Loss


def bind(loss: Loss) -> Gradient:
    """Return ∂L/∂w from the derivative of the formula, for arrays of runs.

    No loss is evaluated and no error is estimated: the value is the derivative's own formula in
    floating point. Cost: one evaluation of the gradient formulas.

    Examples
    --------
    >>> gradient = bind(Loss.from_text("w^2"))
    >>> gradient(np.array([[3.0, 0.0, -2.0]]), {}, None).gradient
    array([[ 6.,  0., -4.]])
    """
    evaluate = compiled(loss, loss.gradient)

    def gradient(weight: Array, parameters: Columns, data: Columns | None = None) -> Estimate:
        values = np.stack(evaluate(weight, parameters, data))
        return Estimate(values, None, np.zeros(weight.shape[1], dtype=np.int64))

    return gradient


def bind_scalar(loss: Loss) -> ScalarGradient:
    """Return ∂L/∂w as a function of floats: weights, then parameters.

    Examples
    --------
    >>> bind_scalar(Loss.from_text("a*w^2", parameters={"a": 1}))(3.0, 1.0)
    (6.0,)
    """
    from gdsim.expr.emit_python import compile_function

    function = compile_function(loss.gradient, loss.arguments, "safe")
    columns = tuple(loss.data.values())
    if not columns:
        return function
    return lambda *scalars: function(*scalars, *columns)
