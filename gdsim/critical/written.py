"""The loss as a theorem can speak of it: parameters put in, every number an exact rational."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from gdsim.expr.differentiate import derivative
from gdsim.expr.nodes import Expr, Number, Symbol, substitute
from gdsim.losses import Loss


def exact(value: float) -> Fraction:
    """Return the shortest decimal that a double stands for: what was written, not its binary neighbour.

    >>> exact(0.1)
    Fraction(1, 10)
    """
    return Fraction(repr(float(value)))


@dataclass(frozen=True, eq=False)
class WrittenLoss:
    """A formula of weights and columns only.

    Attributes
    ----------
    expression
        The tree as written, with each parameter's value in its place.
    weights
        Their names, in order.
    data
        Columns of exact values.
    """

    expression: Expr
    weights: tuple[str, ...]
    data: Mapping[str, tuple[Fraction, ...]]

    @classmethod
    def of(cls, loss: Loss) -> WrittenLoss:
        """Take a loss with a formula apart.

        >>> from gdsim.expr.display import to_text
        >>> to_text(WrittenLoss.of(Loss.from_text("a*w^2", parameters={"a": 0.1})).expression)
        '0.1*w^2'
        """
        assert loss.expression is not None
        values: dict[Expr, Expr] = {
            Symbol(name, "parameter"): Number(exact(value)) for name, value in loss.parameters.items()
        }
        data = {name: tuple(map(exact, column)) for name, column in loss.data.items()}
        return cls(substitute(loss.expression, values), loss.weights, data)

    @cached_property
    def gradient(self) -> tuple[Expr, ...]:
        """∂L/∂w for each weight."""
        return tuple(derivative(self.expression, name) for name in self.weights)

    @cached_property
    def hessian(self) -> tuple[tuple[Expr, ...], ...]:
        """∂²L/∂wᵢ∂wⱼ."""
        return tuple(tuple(derivative(first, name) for name in self.weights) for first in self.gradient)
