"""The loss as a theorem can speak of it: parameters put in, every number an exact rational."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from gdsim.expr.differentiate import derivative
from gdsim.expr.nodes import Expr, Number, Symbol, substitute
from gdsim.losses import Loss
from gdsim.outcomes import Interval, Search

_ULPS = 4


def exact(value: float) -> Fraction:
    """Return the shortest decimal that a double stands for: what was written, not its binary neighbour.

    >>> exact(0.1)
    Fraction(1, 10)
    """
    return Fraction(repr(float(value)))


def edges(domain: Interval) -> Interval:
    """Return how much wider than it is written a domain is, at its lower and at its upper end.

    An end is a double, perhaps the one nearest to what is meant, such as π/2. So a critical point within four
    units in the last place of an end counts as on the boundary. Each end has units of its own; those of 0 are
    the least double, as 0 is never the rounded value of another number.

    >>> edges((0.0, 1.0))
    (2e-323, 8.881784197001252e-16)
    """
    low, high = domain
    return _ULPS * math.ulp(low), _ULPS * math.ulp(high)


def widened(domain: Interval) -> Interval:
    """Return the domain with its edges: here every critical point is listed, and no other is.

    >>> widened((1e-200, 1.0))[0] > 0, widened((0.0, 1.0))[1] > 1
    (True, True)
    """
    (low, high), (below, above) = domain, edges(domain)
    return low - below, high + above


def around(domain: Interval) -> Interval:
    """Return what is searched: the widened domain, beyond an end of 0 as far as beyond the other end.

    Over less room no arithmetic tells on which side of 0 a zero lies. What is found there but outside the
    widened domain is passed over.

    >>> around((0.0, 1.0)), around((1e-200, 1.0)) == widened((1e-200, 1.0))
    ((-8.881784197001252e-16, 1.0000000000000009), True)
    """
    (low, high), (below, above) = domain, edges(domain)
    return low - (below if low else above), high + (above if high else below)


def within(found: Search) -> Search:
    """Return a search without what lies in the room round the widened domain: it was searched, too.

    >>> within(Search({"w": (0.0, 1.0)}, (), False, ({"interval": {"w": (-1e-17, -1e-18)}},))).complete
    True
    """

    def is_near(interval: object) -> bool:
        sides = interval.items()  # type: ignore[attr-defined]
        return all(
            a <= q and p <= b for (p, q), (a, b) in ((widened(found.domain[n]), ab) for n, ab in sides)
        )

    open_ = tuple(stretch for stretch in found.unresolved if is_near(stretch["interval"]))
    return Search(
        found.domain,
        tuple(point for point in found.critical_points if is_near(point.interval)),
        not open_,
        open_,
        tuple(stretch for stretch in found.singular if is_near(stretch["interval"])),
    )


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
