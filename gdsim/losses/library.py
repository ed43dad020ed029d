"""The losses that people know by name: formula, domain, critical points, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gdsim.losses.loss import Loss
from gdsim.outcomes import CriticalKind, Fault, InputError, Interval, nearest


@dataclass(frozen=True)
class KnownPoint:
    """A critical point known without gdsim.

    Attributes
    ----------
    kind
        What it is.
    weight
        For each weight a constant expression: exact, in closed form, or to 25 digits. It may hold
        parameters of the loss, and ``t`` (between 0 and 1) where the points form a line.
    """

    kind: CriticalKind
    weight: Mapping[str, str]

    def values(self, parameters: Mapping[str, float] | None = None, t: float = 0.5) -> dict[str, float]:
        """Return the coordinates as floats.

        >>> KnownPoint("minimum", {"x": "a", "y": "a^2"}).values({"a": 3.0})
        {'x': 3.0, 'y': 9.0}
        """
        from gdsim.expr.emit_python import compile_function
        from gdsim.expr.nodes import Symbol
        from gdsim.expr.parse import parse

        given = {**(parameters or {}), "t": t}
        trees = [parse(text, parameters=frozenset(given)) for text in self.weight.values()]
        found = compile_function(trees, [Symbol(name, "parameter") for name in given])(*given.values())
        return dict(zip(self.weight, found, strict=True))


@dataclass(frozen=True)
class NamedLoss:
    """One entry of the library.

    Attributes
    ----------
    formula
        Its text; names that are not parameters are weights.
    summary
        What it shows, in a few words.
    domain
        Where it is usually looked at.
    points
        Its known critical points.
    complete
        Whether these are all of them within the domain.
    parameters
        Default values.
    reference
        Where the loss or its critical points are published; empty for textbook curves.
    """

    formula: str
    summary: str
    domain: Mapping[str, Interval]
    points: tuple[KnownPoint, ...] = ()
    complete: bool = True
    parameters: Mapping[str, float] = field(default_factory=dict)
    reference: str = ""


def named_loss(name: str, parameters: Mapping[str, float] | None = None) -> Loss:
    """Return a loss of the library.

    Raises
    ------
    InputError
        For an unknown name (with the nearest one) or parameter.

    Examples
    --------
    >>> named_loss("rosenbrock", {"b": 10}).parameters
    {'a': 1.0, 'b': 10.0}
    """
    entry = LOSSES.get(name)
    if entry is None:
        raise InputError(
            Fault(f"unknown loss {name!r}", "a formula or a name of the library", nearest(name, [*LOSSES]))
        )
    loss = Loss.from_text(entry.formula, parameters=entry.parameters, weights=tuple(entry.domain))
    loss = replace(loss, domain=entry.domain, name=name, reference=entry.reference)
    return loss.with_parameters(parameters) if parameters else loss


LOSSES: dict[str, NamedLoss] = {}
