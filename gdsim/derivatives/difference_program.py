"""Differences with an automatic step, and Richardson's, as programs for a back-end that compiles.

Their arithmetic is stated once, in :mod:`gdsim.derivatives.finite_differences`,
:mod:`gdsim.derivatives.richardson` and :mod:`gdsim.derivatives.rounding`; here it is traced
(:mod:`gdsim.expr.trace`).
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from gdsim.derivatives.finite_differences import SCHEMES, Rows, Sampler, automatic_slope
from gdsim.derivatives.richardson import extrapolated_slope
from gdsim.derivatives.rounding import REAL_FUNCTIONS, UNIT, Arithmetic, carried
from gdsim.expr.lower import Program, lower
from gdsim.expr.trace import Trace, Traced
from gdsim.losses import Loss


class DifferenceProgram(NamedTuple):
    """A slope along one weight.

    Attributes
    ----------
    points
        The points beside the weight ``center``. Richardson's table with a given step reads ``step`` too.
    value
        Two outputs: the loss where its symbols stand, and the bound on its rounding.
    slope
        The slope, from ``center`` (and ``step``), the losses ``found0`` … at the points and ``here`` at the
        weight itself, and their bounds ``noise0`` …, that of ``here`` last.
    """

    points: Program
    value: Program
    slope: Program


def difference_program(loss: Loss, scheme: str, given_step: bool) -> DifferenceProgram:
    """Trace one of the schemes that look at their own error.

    Parameters
    ----------
    scheme
        A key of ``SCHEMES`` with an automatic step, or ``richardson``.
    given_step
        Whether Richardson's first step is a number of the call.

    Examples
    --------
    >>> program = difference_program(Loss.from_text("w^2"), "central", given_step=False)
    >>> len(program.points.outputs), len(program.value.outputs), len(program.slope.outputs)
    (12, 2, 1)
    """
    trace = Trace()
    points: Rows = []
    center, here = trace.symbol("center"), trace.symbol("here")

    def at(asked: Rows) -> Rows:
        points.extend(asked)
        return [trace.symbol(f"found{place}") for place in range(len(asked))]

    def noise(asked: Rows) -> Rows:
        return [trace.symbol(f"noise{place}") for place in range(len(asked))]

    if scheme == "richardson":
        step = trace.symbol("step") if given_step else None
        slope, _ = extrapolated_slope(Sampler(at, noise), center, here, step)
    else:
        slope, _ = automatic_slope(Sampler(at, noise), center, here, SCHEMES[scheme])
    return DifferenceProgram(trace.program(points), value_program(loss), trace.program([slope]))


def value_program(loss: Loss) -> Program:
    """The loss, and the bound on its rounding."""
    assert loss.expression is not None
    trace, program = Trace(), lower([loss.expression])
    leaves = {symbol: trace.symbol(symbol) for symbol in program.symbols}
    functions = {name: partial(_function, trace, name) for name in REAL_FUNCTIONS}
    rows: Any = trace.emit("rows")
    return trace.program(carried(program, leaves, Arithmetic(rows, partial(_reduction, trace), functions)))


def _function(trace: Trace, name: str, x: Any) -> Any:
    return trace.emit(name, x) if isinstance(x, Traced) else REAL_FUNCTIONS[name](x)


def _reduction(trace: Trace, kind: str, value: Any, error: Any) -> tuple[Any, Any]:
    """A sum of n terms, added one after another, has an error of at most n·u·Σ|terms|."""
    rows = trace.emit("rows")
    total = trace.emit("sum", value)
    carried_along = trace.emit("sum", error) if trace.rowwise(error) else rows * error
    bound = carried_along + rows * UNIT * trace.emit("sum", abs(value))
    if kind == "mean":
        total, bound = trace.emit("mean", value), bound / rows
    return total, bound + 2.0 * UNIT * abs(total)
