"""The loss: what is minimised, as an expression tree or as a Python callable.

A :class:`Loss` knows its weights, parameters and data, and gives its value, gradient and Hessian
for whole arrays of runs.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gdsim.expr.nodes import Expr, Symbol, symbols
from gdsim.outcomes import Fault, InputError, Interval, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Values = Mapping[str, "float | Array"]


@dataclass(frozen=True, eq=False)
class Loss:
    """A loss L(w) with its weights, parameters and data.

    Attributes
    ----------
    weights
        Their names; every array with a weight axis follows this order.
    expression
        The tree as written, or None for a Python callable.
    function
        The callable ``function(*weights) -> float`` where there is no expression.
    parameters
        Default values by name; a batch may give other values to each run.
    data
        Columns by name, all of one length.
    domain
        Where the loss is usually looked at, by weight; may be empty.
    """

    weights: tuple[str, ...]
    expression: Expr | None = None
    function: Callable[..., float] | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    data: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    domain: Mapping[str, Interval] = field(default_factory=dict)
    name: str = ""
    reference: str = ""

    def _repr_latex_(self) -> str | None:
        """What a notebook shows: the formula."""
        from gdsim.expr.typeset import to_latex

        if self.expression is None:
            return None
        return f"$L({', '.join(self.weights)}) = {to_latex(self.expression)}$"

    @classmethod
    def from_text(
        cls,
        text: str,
        *,
        parameters: Mapping[str, float] | None = None,
        data: Mapping[str, Sequence[float]] | None = None,
        weights: Sequence[str] | None = None,
    ) -> Loss:
        """Parse a formula.

        Parameters
        ----------
        text
            The formula; names that are neither functions, constants, parameters nor data columns
            are weights.
        weights
            Their order (default: of first appearance).

        Raises
        ------
        InputError
            For a formula that does not parse or has no weight, weights that differ from those of the
            formula, a parameter that is not finite, or columns that are empty, not finite or of
            different lengths.

        Examples
        --------
        >>> Loss.from_text("a*(w - 3)^2", parameters={"a": 2}).weights
        ('w',)
        """
        from gdsim.expr.parse import parse

        parameters = _finite(parameters or {})
        columns = _columns(data or {})
        expression = parse(text, parameters=frozenset(parameters), columns=frozenset(columns))
        found = symbols(expression, "weight")
        if not found:
            raise InputError(Fault("the formula has no weight", "a formula such as (w - 3)^2", path="loss"))
        if weights is not None and set(weights) != set(found):
            message = f"the formula has the weights {', '.join(found)}, not {', '.join(weights)}"
            raise InputError(Fault(message, "each of its weights once, in any order", path="loss"))
        return cls(
            weights=tuple(weights if weights is not None else found),
            expression=expression,
            parameters=parameters,
            data=columns,
        )

    @classmethod
    def from_callable(cls, function: Callable[..., float]) -> Loss:
        """Wrap a Python function of one or several scalar weights; they are named as its parameters.

        Raises
        ------
        InputError
            Where the function does not say its parameters, or has none, or takes a variable number.

        Examples
        --------
        >>> Loss.from_callable(lambda w: (w - 3) ** 2).weights
        ('w',)
        """
        try:
            found = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            raise InputError(
                Fault("the loss does not say which weights it takes", "a Python function")
            ) from None
        plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        needed = [parameter for parameter in found if parameter.default is inspect.Parameter.empty]
        if not needed or any(parameter.kind not in plain for parameter in needed):
            raise InputError(
                Fault("the loss does not take a fixed number of weights", "a function such as lambda w: w**2")
            )
        return cls(
            weights=tuple(parameter.name for parameter in needed),
            function=function,
            name=getattr(function, "__name__", ""),
        )

    def with_parameters(self, parameters: Mapping[str, float]) -> Loss:
        """Return the loss with other parameter values.

        Raises
        ------
        InputError
            For a name that is not a parameter of the loss, or a value that is not finite.

        Examples
        --------
        >>> Loss.from_text("a*w^2", parameters={"a": 1}).with_parameters({"a": 3}).parameters
        {'a': 3.0}
        """
        for name in parameters:
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "no parameters at all"
                raise InputError(
                    Fault(f"the loss has no parameter {name!r}", known, nearest(name, [*self.parameters]))
                )
        return replace(self, parameters={**self.parameters, **_finite(parameters)})

    def evaluate(self, weight: Array, parameters: Values | None = None) -> Array:
        """Return L for many runs at once.

        Parameters
        ----------
        weight
            Shape (weights, runs).
        parameters
            For any parameter a number or one value for each run; else its default.

        Returns
        -------
        Array
            Shape (runs,). Overflow gives inf, an invalid operation nan; a Python callable that raises
            an arithmetic error gives nan.

        Notes
        -----
        Cost: one loss evaluation for each run. The formula is compiled on first use.

        Examples
        --------
        >>> import numpy as np
        >>> Loss.from_text("(w - 3)^2").evaluate(np.array([[0.0, 1.0, 3.0]]))
        array([9., 4., 0.])
        """
        import numpy as np

        if self.expression is None:
            self._check_shape(weight)
            return np.array(
                [self.scalar(*column) for column in np.transpose(weight).tolist()], dtype=np.float64
            )
        (values,) = self._compiled_value(*self._values(weight, parameters))
        return values

    def evaluate_gradient(self, weight: Array, parameters: Values | None = None) -> Array:
        """Return ∂L/∂w, shape (weights, runs), from the differentiated formula.

        Raises InputError for a Python callable. Cost: one evaluation of the gradient formulas a run.

        Examples
        --------
        >>> import numpy as np
        >>> Loss.from_text("x^2 + 3y").evaluate_gradient(np.array([[1.0, 2.0], [0.0, 0.0]]))
        array([[2., 4.],
               [3., 3.]])
        """
        import numpy as np

        return np.stack(self._compiled_gradient(*self._values(weight, parameters)))

    def evaluate_hessian(self, weight: Array, parameters: Values | None = None) -> Array:
        """Return ∂²L/∂wᵢ∂wⱼ, shape (weights, weights, runs), symmetric to the last bit.

        Raises InputError for a Python callable. Cost: one evaluation of n(n + 1)/2 formulas a run.

        Examples
        --------
        >>> import numpy as np
        >>> Loss.from_text("x^2*y").evaluate_hessian(np.array([[1.0], [5.0]]))[:, :, 0]
        array([[10.,  2.],
               [ 2.,  0.]])
        """
        import numpy as np

        entries = self._compiled_hessian(*self._values(weight, parameters))
        size, runs = np.shape(weight)
        hessian = np.empty((size, size, runs))
        for (row, column), values in zip(_triangle(size), entries, strict=True):
            hessian[row, column] = hessian[column, row] = values
        return hessian

    @cached_property
    def scalar(self) -> Callable[..., float]:
        """L as a function of plain floats, one for each weight, at the default parameters; never raises.

        >>> Loss.from_text("1/w").scalar(0.0)
        inf
        """
        if self.function is not None:
            return guarded(self.function)
        from gdsim.expr.emit_python import compile_function

        function = compile_function([self._tree], self.arguments)
        fixed = (*self.parameters.values(), *self.data.values())

        def value(*weights: float) -> float:
            return function(*weights, *fixed)[0]

        return value

    @property
    def arguments(self) -> tuple[Symbol, ...]:
        """All symbols in the order in which compiled functions take them: weights, parameters, columns."""
        return (
            *(Symbol(name) for name in self.weights),
            *(Symbol(name, "parameter") for name in self.parameters),
            *(Symbol(name, "column") for name in self.data),
        )

    @cached_property
    def gradient(self) -> tuple[Expr, ...]:
        """∂L/∂w for each weight, simplified. Raises InputError for a callable."""
        from gdsim.expr.differentiate import derivative

        return tuple(derivative(self._tree, name) for name in self.weights)

    @cached_property
    def hessian(self) -> tuple[tuple[Expr, ...], ...]:
        """∂²L/∂wᵢ∂wⱼ, simplified."""
        from gdsim.expr.differentiate import derivative

        return tuple(tuple(derivative(first, name) for name in self.weights) for first in self.gradient)

    @cached_property
    def _compiled_value(self) -> Callable[..., tuple[Array, ...]]:
        from gdsim.expr.emit_numpy import compile_function

        return compile_function([self._tree], self.arguments)

    @cached_property
    def _compiled_gradient(self) -> Callable[..., tuple[Array, ...]]:
        from gdsim.expr.emit_numpy import compile_function

        return compile_function(self.gradient, self.arguments)

    @cached_property
    def _compiled_hessian(self) -> Callable[..., tuple[Array, ...]]:
        from gdsim.expr.emit_numpy import compile_function

        upper = [self.hessian[row][column] for row, column in _triangle(len(self.weights))]
        return compile_function(upper, self.arguments)

    def _check_shape(self, weight: Array) -> None:
        import numpy as np

        if np.ndim(weight) != 2 or np.shape(weight)[0] != len(self.weights):
            raise ValueError(
                f"weight has the shape {np.shape(weight)}, not ({len(self.weights)}, runs): "
                f"one row for each of {', '.join(self.weights)}"
            )

    def _values(self, weight: Array, parameters: Values | None) -> list[Array]:
        """The arguments of a compiled function, in the order of ``arguments``."""
        import numpy as np

        self._check_shape(weight)
        given = parameters or {}
        if unknown := set(given) - set(self.parameters):
            raise ValueError(f"the loss has no parameter {sorted(unknown)[0]!r}")
        runs = np.shape(weight)[1:]
        values = [np.asarray(row, dtype=np.float64) for row in weight]
        for name, default in self.parameters.items():
            values.append(np.broadcast_to(np.asarray(given.get(name, default), dtype=np.float64), runs))
        values += [np.asarray(column)[:, np.newaxis] for column in self.data.values()]
        return values

    @property
    def _tree(self) -> Expr:
        if self.expression is None:
            raise InputError(
                Fault(
                    "a loss given as a Python function has no formula to differentiate",
                    expected="derivative: numeric or scipy",
                )
            )
        return self.expression


def _triangle(size: int) -> list[tuple[int, int]]:
    return [(row, column) for row in range(size) for column in range(row, size)]


def guarded(function: Callable[..., float]) -> Callable[..., float]:
    """Return a Python function that is nan where the original raises an arithmetic error, as a formula is.

    Raises InputError where it returns no number.

    >>> guarded(lambda w: 1 / w)(0.0)
    nan
    """

    def value(*weights: float) -> float:
        try:
            found = function(*weights)
            if type(found) is float:
                return found
        except (ArithmeticError, ValueError):  # 1/0, exp(1000), sqrt(-1)
            return math.nan
        number: Any = None if isinstance(found, str) else found
        try:
            return float(number)
        except OverflowError:
            return math.nan
        except (TypeError, ValueError):
            message = f"the loss returned {found!r}, which is no number"
            raise InputError(Fault(message, "a function that returns a number", path="loss")) from None

    return value


def _finite(parameters: Mapping[str, float]) -> dict[str, float]:
    values: dict[str, float] = {}
    for name, value in parameters.items():
        try:
            values[name] = float(value)
        except (TypeError, ValueError, OverflowError):
            message = f"the parameter {name!r} is {value!r}, no number"
            raise InputError(Fault(message, "a finite number", path="loss.parameters")) from None
    for name, value in values.items():
        if not math.isfinite(value):
            raise InputError(
                Fault(f"the parameter {name!r} is {value}", "a finite number", path="loss.parameters")
            )
    return values


def _columns(data: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, ...]]:
    columns = {name: tuple(map(float, column)) for name, column in data.items()}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(
            Fault(f"the data columns have different lengths: {lengths}", "equal lengths", path="data")
        )
    for name, column in columns.items():
        if not column:
            raise InputError(Fault(f"the data column {name!r} is empty", "at least one row", path="data"))
        for row, value in enumerate(column, 1):
            if not math.isfinite(value):
                raise InputError(
                    Fault(f"row {row} of the data column {name!r} is {value}", "a finite number")
                )
    return columns
