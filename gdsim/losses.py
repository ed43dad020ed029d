"""The loss: what is minimised, as an expression tree or as a Python callable.

A :class:`Loss` knows its weights, parameters and data, and gives its value, gradient and Hessian
for whole arrays of runs. ``LOSSES``, at the foot, is the library of named losses.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from gdsim.expr.nodes import Expr, Symbol, symbols
from gdsim.outcomes import Fault, InputError, Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


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
            For a formula that does not parse, or weights that differ from those of the formula.

        Examples
        --------
        >>> Loss.from_text("a*(w - 3)^2", parameters={"a": 2}).weights
        ('w',)
        """
        from gdsim.expr.parse import parse

        parameters, data = dict(parameters or {}), dict(data or {})
        expression = parse(text, parameters=frozenset(parameters), columns=frozenset(data))
        found = symbols(expression, "weight")
        if weights is not None and set(weights) != set(found):
            raise InputError(
                Fault(f"the formula has the weights {list(found)}, not {list(weights)}", path="loss")
            )
        return cls(
            weights=tuple(weights if weights is not None else found),
            expression=expression,
            parameters={name: float(value) for name, value in parameters.items()},
            data={name: tuple(map(float, column)) for name, column in data.items()},
        )

    @classmethod
    def from_callable(cls, function: Callable[..., float]) -> Loss:
        """Wrap a Python function of one or several scalar weights; they are named as its parameters.

        >>> Loss.from_callable(lambda w: (w - 3) ** 2).weights
        ('w',)
        """
        return cls(
            weights=tuple(inspect.signature(function).parameters),
            function=function,
            name=getattr(function, "__name__", ""),
        )

    def with_parameters(self, parameters: Mapping[str, float]) -> Loss:
        """Return the loss with other parameter values."""
        return replace(self, parameters={**self.parameters, **parameters})

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
