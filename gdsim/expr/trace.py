"""NumPy code written down as a program: arithmetic that is stated once, for arrays and for a compiler.

A function that is made of NumPy's elementwise operations, comparisons and ``np.where`` is called with
numbers that are not known yet. Each operation on one of them becomes an instruction of
:mod:`gdsim.expr.lower`; what is known already is worked out on the spot. Some operations are beyond the
vocabulary there, and only the Numba back-end writes them: ``floor hypot atan2 asinh log1p``, ``spacing``
(from a number to the next larger one) and ``power_of_two`` (the nearest one in its logarithm).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from gdsim.expr.lower import Builder, Program, without_dead
from gdsim.expr.nodes import Symbol

_SAME_NAME = (
    "sqrt", "exp", "log", "log2", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "hypot", "floor",
    "round", "spacing",
)  # fmt: skip
_OPERATIONS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "power": "pow",
    "negative": "neg", "absolute": "abs", "maximum": "max", "minimum": "min",
    "arctan2": "atan2", "arcsinh": "asinh",
    **{name: name for name in _SAME_NAME},
}  # fmt: skip
_COMPARISONS = {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
}  # fmt: skip


class Traced(NDArrayOperatorsMixin):
    """A number that is not known yet; as a mask it is 1 or 0.

    NumPy hands over what is done with it (NEP 13, NEP 18).
    """

    def __init__(self, trace: Trace, place: int) -> None:
        self.trace, self.place = trace, place

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **_: Any) -> Any:
        return self.trace.apply(ufunc.__name__, inputs)

    def __array_function__(self, function: Any, types: Any, inputs: Sequence[Any], _: Any) -> Any:
        return self.trace.apply(function.__name__, inputs)

    def __bool__(self) -> bool:
        raise TypeError("a traced number has no value to decide by; use np.where")


class Trace:
    """What has been done so far.

    Examples
    --------
    >>> trace = Trace()
    >>> x = trace.symbol("x")
    >>> program = trace.program([np.where(x > 0.0, np.sqrt(x), 2.0 * (3.0 + np.array([4.0])))])
    >>> [step.operation for step in program.instructions]
    ['symbol', 'number', 'sqrt', 'number', 'where']
    """

    def __init__(self) -> None:
        self._builder = Builder()

    def symbol(self, name: str | Symbol) -> Any:
        """Return a number that the program reads under this name."""
        symbol = name if isinstance(name, Symbol) else Symbol(name, "parameter")
        return self.emit("symbol", payload=symbol)

    def emit(self, operation: str, *inputs: Any, payload: object = None) -> Traced:
        """Write down one operation of the vocabulary."""
        return Traced(self, self._builder.emit(operation, *map(self._place, inputs), payload=payload))

    def program(self, outputs: Sequence[Any]) -> Program:
        """Return what these outputs need."""
        return without_dead(self._builder.instructions, [self._place(output) for output in outputs])

    def rowwise(self, value: Any) -> bool:
        """Whether a value differs from data row to data row."""
        return self._builder.instructions[self._place(value)].rowwise

    def apply(self, name: str, inputs: Sequence[Any]) -> Any:
        """Write down what the function of NumPy with this name does."""
        match name, [*inputs]:
            case "where", [condition, then, otherwise]:
                return self._where(condition, then, otherwise)
            case "isfinite", [x]:
                return x - x == 0.0
            case "isnan", [x]:
                return x != x
            case (("bitwise_and" | "logical_and"), [a, b]):
                return self._where(a, self._where(b, 1.0, 0.0), 0.0)
            case (("bitwise_or" | "logical_or"), [a, b]):
                return self._where(a, 1.0, self._where(b, 1.0, 0.0))
            case (("invert" | "logical_not"), [a]):
                return self._where(a, 0.0, 1.0)
            case "power", [x, int(exponent)]:
                return math.prod([x] * exponent) if exponent else 1.0
            case "exp2", [x]:
                return self._power_of_two(x)
        if name in _COMPARISONS:
            left, right = inputs
            return self.emit("where", left, right, 1.0, 0.0, payload=_COMPARISONS[name])
        return self.emit(_OPERATIONS[name], *inputs)

    def _where(self, condition: Any, then: Any, otherwise: Any) -> Any:
        if not isinstance(condition, Traced):
            return then if np.asarray(condition).item() else otherwise
        mask = self._builder.instructions[condition.place]
        if mask.operation == "where" and mask.operands[2:] == (self._place(1.0), self._place(0.0)):
            left, right = (Traced(self, operand) for operand in mask.operands[:2])
            return self.emit("where", left, right, then, otherwise, payload=mask.payload)
        return self.emit("where", condition, 0.0, then, otherwise, payload="!=")

    def _power_of_two(self, exponent: Traced) -> Traced:
        """2 to the power round(log₂ x), in one operation."""
        step = self._builder.instructions[exponent.place]
        inner = self._builder.instructions[step.operands[0]]
        assert (step.operation, inner.operation) == ("round", "log2")
        return self.emit("power_of_two", Traced(self, inner.operands[0]))

    def _place(self, value: Any) -> int:
        if isinstance(value, Traced):
            return value.place
        number = float(np.asarray(value).item())
        if math.isfinite(number):
            return self._builder.emit("number", payload=Fraction(number))
        if number < 0.0:
            return self._builder.emit("neg", self._builder.emit("constant", payload="inf"))
        return self._builder.emit("constant", payload="nan" if math.isnan(number) else "inf")
