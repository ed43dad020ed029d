"""NumPy source for many runs at once: weights and parameters are arrays over runs.

Shapes: a weight or parameter is ``(runs,)``, a data column ``(rows, 1)`` or ``(rows, runs)``; what
differs from row to row is ``(rows, runs)`` and is added row after row, so that the bits of a run do not
depend on how many run beside it.

Memory: 8 bytes a run for each value that is read more than once, and three or four arrays more while an
expression is worked out. What differs from row to row takes (rows, runs) elements for each of these, so a
batch over much data is best cut into pieces by the caller. All is released when the function returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsim.expr.emit_python import function_source, generated_names, literal
from gdsim.expr.lower import Instruction, Program, lower
from gdsim.expr.nodes import Expr, Symbol

Array = NDArray[np.float64]

_DEEPEST_INLINE = 12
_NAMES = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan",
    "pow": "power", "max": "maximum", "min": "minimum",
}  # fmt: skip
_PLAIN = ("sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh", "abs", "sign")


def sigmoid(x: Array) -> Array:
    """1/(1 + exp(−x)) without overflow on either side."""
    small = np.exp(-np.abs(x))
    result: Array = np.where(x >= 0.0, 1.0, small) / (1.0 + small)
    return result


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) without overflow."""
    result: Array = np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))
    return result


def row_sum(values: Array) -> Array:
    """Add ``(rows, runs)`` row after row, as the Python back-end does, into ``(runs,)``.

    ``np.sum`` adds pairwise where there is one run and sequentially where there are several.
    """
    if values.shape[1] == 1:
        total: Array = np.add.accumulate(values[:, 0])[-1:]
    else:
        total = np.add.reduce(np.ascontiguousarray(values), axis=0)
    result: Array = total + 0.0  # a sum that begins with 0.0 is never −0.0
    return result


NAMESPACE: dict[str, object] = {
    **{name: getattr(np, name) for name in (*_PLAIN, *_NAMES.values())},
    "where": np.where, "sigmoid": sigmoid, "softplus": softplus, "row_sum": row_sum,
    "scalar": np.float64, "inf": np.inf, "pi": np.pi, "e": np.e,
}  # fmt: skip


def statements(
    program: Program, names: Mapping[Symbol, str], prefix: str = "t", row_scale: float = 1.0
) -> tuple[list[str], list[str]]:
    """Write a program as flat NumPy statements over ``NAMESPACE``.

    Parameters
    ----------
    program, names, prefix
        As for the Python back-end; the variable ``rows`` holds the number of rows as a float.
    row_scale
        What a ``sum`` is multiplied with: rows of the data over rows of the mini-batch, so that a
        sum over a mini-batch is an unbiased estimate of the whole sum.

    Returns
    -------
    (lines, results)
        Source lines, and for each output the text of its value. Run them inside
        ``np.errstate(all="ignore")``.
    """
    text: list[str] = []
    depth: list[int] = []
    constant: list[bool] = []  # a Python float, on which Python's own operators would raise
    lines: list[str] = []
    uses = program.uses()
    scale = "" if row_scale == 1.0 else f" * {row_scale!r}"
    for place, step in enumerate(program.instructions):
        fixed = step.operation in ("number", "constant", "rows")
        if fixed or isinstance(step.payload, Symbol):
            source, level = _atom(step, names, scale), 0
        else:
            values = [text[operand] for operand in step.operands]
            if all(constant[operand] for operand in step.operands):
                values[0] = f"scalar({values[0]})"
            source = _expression(step, values, scale)
            level = 1 + max(depth[operand] for operand in step.operands)
            if uses[place] > 1 or level >= _DEEPEST_INLINE:
                lines.append(f"{prefix}{place} = {source}")
                source, level = f"{prefix}{place}", 0
        text.append(source)
        depth.append(level)
        constant.append(fixed)
    return lines, [text[place] for place in program.outputs]


def _atom(step: Instruction, names: Mapping[Symbol, str], scale: str) -> str:
    if step.operation == "number":
        return literal(step.payload)  # type: ignore[arg-type]
    if isinstance(step.payload, Symbol):
        return names[step.payload]
    return f"(rows{scale})" if step.operation == "rows" else str(step.payload)


def _expression(step: Instruction, values: list[str], scale: str) -> str:
    operators = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
    if step.operation in operators:
        return f"({values[0]} {operators[step.operation]} {values[1]})"
    if step.operation == "neg":
        return f"(-{values[0]})"
    if step.operation == "relu":
        return f"maximum({values[0]}, 0.0)"
    if step.operation == "where":
        left, right, then, otherwise = values
        return f"where({left} {step.payload} {right}, {then}, {otherwise})"
    if step.operation == "sum":
        return f"(row_sum({values[0]}){scale})"
    if step.operation == "mean":
        return f"(row_sum({values[0]}) / rows)"
    return f"{_NAMES.get(step.operation, step.operation)}({', '.join(values)})"


def compile_function(
    outputs: Sequence[Expr], arguments: Sequence[Symbol], row_scale: float = 1.0
) -> Callable[..., tuple[Array, ...]]:
    """Compile expressions to one NumPy function.

    Returns
    -------
    callable
        ``function(*arguments) -> (value, …)`` with values of shape ``(runs,)``, the shape to which the
        weights and parameters broadcast, each in an array of its own. It warns of nothing and raises
        nothing: overflow gives inf, invalid operations nan.

    Notes
    -----
    Cost: about 20 µs for each node to compile; about 1 µs for each operation and call beside the work
    itself.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> function = compile_function([parse("w^2"), parse("1/w")], [Symbol("w")])
    >>> function(np.array([0.0, 2.0]))
    (array([0., 4.]), array([inf, 0.5]))
    """
    function = compile_raw(outputs, arguments, row_scale)
    over_runs = [place for place, symbol in enumerate(arguments) if symbol.role != "column"]

    def evaluate(*values: Array) -> tuple[Array, ...]:
        shape = np.broadcast_shapes(*(np.shape(values[place]) for place in over_runs))
        with np.errstate(all="ignore"):
            return _own_arrays(function(*values), shape, values)

    return evaluate


def _own_arrays(
    results: Sequence[Array | float], shape: tuple[int, ...], inputs: Sequence[Array]
) -> tuple[Array, ...]:
    """Bring results to one shape; what is an input or another result is copied."""
    taken = {id(value) for value in inputs}
    own: list[Array] = []
    for result in results:
        if not isinstance(result, np.ndarray) or result.shape != shape or id(result) in taken:
            result = np.array(np.broadcast_to(result, shape), dtype=np.float64)
        taken.add(id(result))
        own.append(result)
    return tuple(own)


def compile_raw(
    outputs: Sequence[Expr], arguments: Sequence[Symbol], row_scale: float = 1.0
) -> Callable[..., tuple[Array, ...]]:
    """As ``compile_function``, for a kernel's loop: a constant result stays a scalar, and the caller
    silences NumPy's warnings. The last 256 are remembered: trees do not change."""
    return _compiled(tuple(outputs), tuple(arguments), row_scale)


@lru_cache(maxsize=256)
def _compiled(
    outputs: tuple[Expr, ...], arguments: tuple[Symbol, ...], row_scale: float
) -> Callable[..., tuple[Array, ...]]:
    program = lower(outputs)
    names = generated_names(arguments)
    lines, results = statements(program, names, row_scale=row_scale)
    columns = [names[symbol] for symbol in arguments if symbol.role == "column"]
    if program.reads_rows:
        lines.insert(0, f"rows = float(len({columns[0]}))")
    source = function_source(names.values(), lines, results)
    namespace: dict[str, Any] = dict(NAMESPACE)
    exec(compile(source, "<gdsim formula>", "exec"), namespace)
    function: Callable[..., tuple[Array, ...]] = namespace["function"]
    return function
