"""How far rounding can have moved the value of a loss: the noise that a difference divides by its step.

For a formula it is a running error bound (Wilkinson), carried beside every operation of the very program
that is evaluated, to first order in the unit roundoff. For a Python callable, whose inside cannot be
seen, it is estimated from a table of differences of closely spaced values (Hamming; Moré and Wild 2011).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from typing import NamedTuple

import numpy as np

from gdsim.derivatives.evaluation import Array, Columns, Values, arguments, row_scale
from gdsim.expr.emit_numpy import NAMESPACE, row_sum
from gdsim.expr.lower import Instruction, Program, lower
from gdsim.expr.nodes import Symbol
from gdsim.losses import Loss

UNIT = 2.0**-53
SMALLEST = 2.0**-1074
_LIBRARY = 8.0 * UNIT  # NumPy promises its elementary functions to 4 ulp; an ulp is up to 2 units
_LIPSCHITZ_ONE = ("sin", "cos", "abs")
_MONOTONE = (
    "sqrt", "exp", "log", "log2", "log10", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
    "sign", "relu", "sigmoid", "softplus",
)  # fmt: skip
COMPARISONS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_NUMPY_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}
REAL_FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    name: NAMESPACE[_NUMPY_NAMES.get(name, name)]  # type: ignore[misc]
    for name in (*_LIPSCHITZ_ONE, *_MONOTONE)
    if name != "relu"
}


def rounding_bound(loss: Loss) -> Values:
    """Return a bound on |computed loss − exact loss| as a function of arrays of runs.

    Every operation adds half an ulp of its result (elementary functions: 4 ulp) to what its operands
    bring along: |x̂ŷ − xy| ≤ |x̂|e_y + |ŷ|e_x + u|x̂ŷ|, and so on; a decimal that is no binary number brings
    its own error. inf where nothing can be said.

    Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms (2nd ed., 2002), §3.3.
    Cost: a few evaluations of the loss.

    Examples
    --------
    >>> bound = rounding_bound(Loss.from_text("(1000000 + w) - 1000000"))
    >>> bool(1.1e-10 < bound(np.array([[1e-7]]), {}, None)[0] < 1.2e-10)  # half an ulp of a million
    True
    """
    assert loss.expression is not None
    program = lower([loss.expression])

    def evaluate(weight: Array, parameters: Columns, data: Columns | None) -> Array:
        leaves = dict(zip(loss.arguments, arguments(loss, weight, parameters, data), strict=True))
        rows = float(len(next(iter(loss.data.values())))) if data is None and loss.data else 0.0
        if data:
            rows = float(len(next(iter(data.values())))) * row_scale(loss, data)
        scale = row_scale(loss, data)
        with np.errstate(all="ignore"):
            arithmetic = Arithmetic(np.array([rows]), partial(_reduction, scale), REAL_FUNCTIONS)
            _, bound = carried(program, leaves, arithmetic)
        return np.broadcast_to(bound, (weight.shape[1],))

    return evaluate


class Arithmetic(NamedTuple):
    """What the bound is worked out with: the number of rows, sums over them, the elementary functions."""

    rows: Array
    reduction: Callable[[str, Array, Array], tuple[Array, Array]]
    functions: Mapping[str, Callable[[Array], Array]]


def carried(program: Program, leaves: Mapping[Symbol, Array], arithmetic: Arithmetic) -> tuple[Array, Array]:
    """Return the value of a program's first output and the bound on its rounding."""
    pairs: list[tuple[Array, Array]] = []
    for step in program.instructions:
        if isinstance(step.payload, Symbol):
            pair = leaves[step.payload], np.zeros(1)
        elif step.operation == "rows":
            pair = arithmetic.rows, np.zeros(1)
        elif step.operation in ("number", "constant"):
            pair = _literal(step)
        elif step.operation in ("sum", "mean"):
            pair = arithmetic.reduction(step.operation, *pairs[step.operands[0]])
        else:
            pair = _operation(step, [pairs[place] for place in step.operands], arithmetic.functions)
        pairs.append(pair)
    value, bound = pairs[program.outputs[0]]
    return value, np.where(np.isnan(bound), np.inf, bound)


def _literal(step: Instruction) -> tuple[Array, Array]:
    if step.operation == "constant":
        value = np.array([float(NAMESPACE[str(step.payload)])])  # type: ignore[arg-type]
        return value, np.abs(value) * UNIT
    assert isinstance(step.payload, Fraction)
    try:
        number = float(step.payload)
    except OverflowError:
        number = np.inf if step.payload > 0 else -np.inf
    exact = np.isfinite(number) and Fraction(number) == step.payload
    return np.array([number]), np.array([0.0 if exact else abs(number) * UNIT])


def _reduction(scale: float, kind: str, value: Array, error: Array) -> tuple[Array, Array]:
    """A sum of n terms, added one after another, has an error of at most n·u·Σ|terms|."""
    value, error = np.broadcast_arrays(value, error)
    count = len(value)
    total, bound = row_sum(value), row_sum(error) + count * UNIT * row_sum(np.abs(value))
    factor = 1.0 / count if kind == "mean" else scale
    return total * factor, bound * factor + 2.0 * UNIT * np.abs(total) * factor


def _operation(
    step: Instruction, operands: list[tuple[Array, Array]], functions: Mapping[str, Callable[[Array], Array]]
) -> tuple[Array, Array]:
    name = step.operation
    (x, ex), *others = operands
    if name == "where":
        (right, _), (then, then_error), (otherwise, otherwise_error) = others
        chosen = COMPARISONS[str(step.payload)](x, right)
        return np.where(chosen, then, otherwise), np.where(chosen, then_error, otherwise_error)
    if not others:
        return _function(name, x, ex, functions)
    y, ey = others[0]
    if name in ("max", "min"):
        return NAMESPACE[f"{name}imum"](x, y), np.maximum(ex, ey)  # type: ignore[operator]
    if name == "pow":
        return _power(x, ex, y, ey)
    if name == "div":
        value = x / y
        room = np.abs(y) - ey
        carried = np.where(room > 0, (ex + np.abs(value) * ey) / room, np.inf)
    elif name == "mul":
        value = x * y
        carried = np.abs(x) * ey + np.abs(y) * ex + ex * ey
    else:
        value = x + y if name == "add" else x - y
        carried = ex + ey
    return value, carried + UNIT * np.abs(value) + SMALLEST


def _function(
    name: str, x: Array, ex: Array, functions: Mapping[str, Callable[[Array], Array]]
) -> tuple[Array, Array]:
    if name == "neg":
        return -x, ex
    if name == "relu":
        return np.maximum(x, 0.0), ex
    function = functions[name]
    value = function(x)
    if name in _LIPSCHITZ_ONE:
        carried = ex
    else:  # monotone on either side (cosh: on the outer one), so the ends of x ± ex tell
        ends = function(x + ex), function(x - ex)
        carried = np.maximum(np.abs(ends[0] - value), np.abs(ends[1] - value))
        carried = np.where(ex == 0, 0.0, carried)
    own = 0.0 if name in ("abs", "sign") else _LIBRARY * np.abs(value) + SMALLEST
    return value, carried + own


def _power(x: Array, ex: Array, y: Array, ey: Array) -> tuple[Array, Array]:
    """∂(x^y) = y·x^(y−1)·∂x + x^y·log|x|·∂y, the first term at the end of x ± ex where it is larger."""
    value = np.power(x, y)
    size = np.where(y >= 1.0, np.abs(x) + ex, np.maximum(np.abs(x) - ex, 0.0))
    from_base = np.where(ex == 0, 0.0, np.abs(y) * np.power(size, y - 1.0) * ex)
    from_exponent = np.where(ey == 0, 0.0, np.abs(value * np.log(np.abs(x))) * ey)
    return value, from_base + from_exponent + _LIBRARY * np.abs(value) + SMALLEST


def sampled_noise(samples: Array, half_width: float = 8.0) -> Array:
    """Estimate the noise in five values of a function at equally and closely spaced points.

    Third and fourth differences of a smooth function over a tiny spacing vanish; what is left of them is
    noise, magnified by √20 and √70 in the mean square. ``half_width`` standard deviations, and never less
    than two units in the last place of the values, are returned.

    Parameters
    ----------
    samples
        Shape (5, runs).

    Returns
    -------
    Array
        Shape (runs,); inf where a sample is not finite.

    Notes
    -----
    A function that is locally constant because something inside it was rounded away (cos w near 0) shows
    no noise here although it has some; :func:`confirmed` sees the contradiction with wider steps.
    Source: J. J. Moré and S. M. Wild, SIAM J. Sci. Comput. 33 (2011) 1292–1314, doi:10.1137/100786125.

    Examples
    --------
    >>> sampled_noise(np.array([[1.0], [2.0], [3.0], [4.0], [5.0]]))  # no noise: two units of 5
    array([2.22...e-15])
    """
    third = np.diff(samples, 3, axis=0)
    fourth = np.diff(samples, 4, axis=0)
    spread = np.maximum(np.abs(third).max(axis=0) / np.sqrt(20.0), np.abs(fourth[0]) / np.sqrt(70.0))
    floor = 4.0 * UNIT * np.abs(samples).max(axis=0) + SMALLEST
    noise = np.maximum(half_width * spread, floor)
    result: Array = np.where(np.isfinite(noise), noise, np.inf)
    return result
