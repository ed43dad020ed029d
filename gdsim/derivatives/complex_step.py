"""The complex step: Im L(w + ih)/h, a difference without subtraction and so without cancellation.

It is right only where the loss is complex-analytic. Through ``abs`` or ``max`` it would be silently wrong,
so such formulas are refused. Real semantics are kept: what is nan for a real weight stays nan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from gdsim.derivatives import Estimate, Gradient
from gdsim.derivatives.evaluation import Array, Columns, arguments, row_scale
from gdsim.derivatives.rounding import COMPARISONS, REAL_FUNCTIONS
from gdsim.expr.emit_numpy import NAMESPACE, row_sum
from gdsim.expr.functions import FUNCTIONS
from gdsim.expr.lower import Instruction, Program, lower
from gdsim.expr.nodes import Call, Expr, Symbol, Where, symbols, walk
from gdsim.losses import Loss
from gdsim.outcomes import Fault, InputError

Complex = NDArray[np.complex128]

AUTOMATIC_STEP = 1e-100
_BELOW_ZERO_UNDEFINED = ("sqrt", "log", "log2", "log10")
_PLAIN = ("sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh")
_INVERSE = {"asin": np.arcsin, "acos": np.arccos, "atan": np.arctan}


def bind(loss: Loss, step: float | Array | None = None) -> Gradient:
    """Return Im L(w + ih)/h for each weight, for arrays of runs.

    Parameters
    ----------
    loss
        An analytic formula.
    step
        h (an array gives every run its own); None takes 10⁻¹⁰⁰, whose square vanishes beside any weight
        above 10⁻⁹⁰ and which leaves derivatives down to 10⁻²⁰⁷ above underflow.

    Raises
    ------
    InputError
        For a Python callable and for a formula that is not analytic in its weights (``abs sign max min
        relu huber``, or ``where`` with a weight in its condition).

    Notes
    -----
    Cost: one complex evaluation for each weight, three to four times a real one. No error is estimated:
    it is a few units in the last place times the conditioning of the formula itself.
    Source: W. Squire and G. Trapp, SIAM Rev. 40 (1998) 110–112, doi:10.1137/S003614459631241X.

    Examples
    --------
    >>> bind(Loss.from_text("exp(w)*w^3"))(np.array([[1.0]]), {}, None).gradient / np.e
    array([[4.]])
    >>> bind(Loss.from_text("abs(w)"))
    Traceback (most recent call last):
    gdsim.outcomes.InputError: derivative.scheme: abs is not analytic, so the complex step would be wrong; ...
    """
    _refuse(loss)
    assert loss.expression is not None
    program = lower([loss.expression])
    height = AUTOMATIC_STEP if step is None else step

    def gradient(weight: Array, parameters: Columns, data: Columns | None = None) -> Estimate:
        leaves = dict(zip(loss.arguments, arguments(loss, weight, parameters, data), strict=True))
        columns = data or {name: np.asarray(column) for name, column in loss.data.items()}
        rows = float(len(next(iter(columns.values())))) if columns else 0.0
        rows_result = []
        for name in loss.weights:
            symbol = Symbol(name)
            raised: dict[Symbol, Array | Complex] = {**leaves}
            raised[symbol] = (leaves[symbol] + 1j * height).astype(np.complex128)
            value = evaluate(program, raised, rows, row_scale(loss, data))
            with np.errstate(all="ignore"):
                slope = np.imag(np.broadcast_to(value, (weight.shape[1],))) / height
            rows_result.append(np.where(np.isnan(np.real(value)), np.nan, slope))
        count = np.full(weight.shape[1], len(loss.weights), dtype=np.int64)
        return Estimate(np.stack(rows_result), None, count)

    return gradient


def _refuse(loss: Loss) -> None:
    if loss.expression is None:
        raise InputError(
            Fault(
                "the complex step needs a formula: whether a Python function is analytic cannot be checked",
                expected="scheme: central, five_point or richardson",
                path="derivative.scheme",
            )
        )
    for node in walk(loss.expression):
        name, inside = _possible_kink(node)
        if name and inside is not None and symbols(inside, "weight"):
            raise InputError(
                Fault(
                    f"{name} is not analytic, so the complex step would be wrong",
                    expected="derivative: analytic, or scheme: central, five_point or richardson",
                    path="derivative.scheme",
                )
            )


def _possible_kink(node: Expr) -> tuple[str, Expr | None]:
    if isinstance(node, Where):
        return "where", node.condition
    if isinstance(node, Call) and not FUNCTIONS[node.function].analytic:
        return node.function, node
    return "", None


def evaluate(
    program: Program, leaves: Mapping[Symbol, Array | Complex], rows: float, scale: float
) -> Complex:
    """Evaluate a program over complex arrays; instructions that no weight reaches stay real."""
    values: list[Array | Complex] = []
    with np.errstate(all="ignore"):
        for step in program.instructions:
            operands = [values[place] for place in step.operands]
            if isinstance(step.payload, Symbol):
                value: Array | Complex = leaves[step.payload]
            elif step.operation == "rows":
                value = np.array([rows * scale])
            elif step.operation in ("number", "constant"):
                value = np.array([_constant(step)])
            elif step.operation in ("sum", "mean"):
                total: Array | Complex = row_sum(np.atleast_2d(operands[0]))
                value = total / rows if step.operation == "mean" else total * scale
            else:
                value = _operation(step, operands)
            values.append(value)
    result: Complex = np.asarray(values[program.outputs[0]], dtype=np.complex128)
    return result


def _constant(step: Instruction) -> float:
    if step.operation == "constant":
        return float(NAMESPACE[str(step.payload)])  # type: ignore[arg-type]
    try:
        return float(step.payload)  # type: ignore[arg-type]
    except OverflowError:
        return float("inf") if step.payload > 0 else float("-inf")  # type: ignore[operator]


def _operation(step: Instruction, operands: list[Array | Complex]) -> Array | Complex:
    x, *others = operands
    match step.operation:
        case "add":
            return x + others[0]
        case "sub":
            return x - others[0]
        case "mul":
            return x * others[0]
        case "div":
            return x / others[0]
        case "neg":
            return -x
        case "pow":
            return _power(x, others[0])
        case "where":
            return np.where(COMPARISONS[str(step.payload)](x, others[0]), others[1], others[2])
        case "max" | "min" | "abs" | "sign" | "relu":  # only of values that no weight reaches
            return _KINKED[step.operation](*operands)
    return _function(step.operation, x)


_KINKED: dict[str, Callable[..., Array]] = {
    "max": np.maximum, "min": np.minimum, "abs": np.abs, "sign": np.sign, "relu": lambda x: np.maximum(x, 0.0)
}  # fmt: skip


def _function(name: str, x: Array | Complex) -> Array | Complex:
    """A function of a complex argument close to the real line; nan where the real function is."""
    if not np.iscomplexobj(x):
        return REAL_FUNCTIONS[name](np.asarray(x, dtype=np.float64))
    if name == "sigmoid":
        small = np.exp(np.where(x.real >= 0.0, -x, x))
        return np.where(x.real >= 0.0, 1.0, small) / (1.0 + small)
    if name == "softplus":
        return np.where(x.real >= 0.0, x, 0.0) + np.log(1.0 + np.exp(np.where(x.real >= 0.0, -x, x)))
    if name in _INVERSE:
        outside = (np.abs(x.real) > 1.0) & (name != "atan")
        return np.where(outside, np.nan, _INVERSE[name](x))
    assert name in _PLAIN, name
    if name == "log2":
        value = np.log(x) / np.log(2.0)
    elif name == "log10":
        value = np.log(x) / np.log(10.0)
    else:
        value = getattr(np, name)(x)
    return np.where(x.real < 0.0, np.nan, value) if name in _BELOW_ZERO_UNDEFINED else value


def _power(base: Array | Complex, exponent: Array | Complex) -> Array | Complex:
    """z^y in polar form, so that a tiny imaginary part keeps all its digits.

    With y = c + id, |z| = r and the angle θ: r^c e^{−dθ}·e^{i(d log r + cθ)}. A negative base is taken as
    (−1)^c·(−z)^c for whole c and is nan otherwise, as for real numbers.
    """
    if not (np.iscomplexobj(base) or np.iscomplexobj(exponent)):
        return np.power(base, exponent)
    z, y = np.broadcast_arrays(
        np.asarray(base, dtype=np.complex128), np.asarray(exponent, dtype=np.complex128)
    )
    negative = z.real < 0.0
    whole = (y.imag == 0.0) & (np.floor(y.real) == y.real)
    sign = np.where(negative & (np.fmod(y.real, 2.0) != 0.0), -1.0, 1.0)
    z = np.where(negative, -z, z)
    size, angle = np.hypot(z.real, z.imag), np.arctan2(z.imag, z.real)
    radius = np.power(size, y.real) * np.exp(-y.imag * angle) * sign
    turn = np.where(y.imag == 0.0, 0.0, y.imag * np.log(size)) + y.real * angle
    value = radius * np.cos(turn) + 1j * (radius * np.sin(turn))
    return np.where(negative & ~whole, np.nan, value)
