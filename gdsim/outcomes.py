"""What a run can end in, what a point can be, and errors that say where and what to do.

The lowest floor: plain data, no arithmetic, no imports beyond the standard library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple


class Status(StrEnum):
    """Why a run stopped. A status never claims a minimum: that is the verdict's business.

    They are judged in this order at every record, before the step is taken.
    """

    NONFINITE = "NONFINITE"
    DIVERGED = "DIVERGED"
    CONVERGED = "CONVERGED"
    STALLED = "STALLED"
    CYCLING = "CYCLING"
    MAX_STEPS = "MAX_STEPS"

    @property
    def meaning(self) -> str:
        """One sentence for people.

        >>> Status.STALLED.meaning
        'The step is too small to change the weight in floating-point arithmetic.'
        """
        return _STATUS_MEANING[self]

    @property
    def code(self) -> int:
        """Its place among the statuses, by which arrays hold it.

        >>> Status.NONFINITE.code, Status.of(0)
        (0, <Status.NONFINITE: 'NONFINITE'>)
        """
        return _CODES[self]

    @staticmethod
    def of(code: int) -> Status:
        """Return the status with a code."""
        return _STATUSES[code]


_STATUSES = tuple(Status)
_CODES = {status: place for place, status in enumerate(_STATUSES)}
_STATUS_MEANING: dict[Status, str] = {
    Status.NONFINITE: "The weight, the loss or the gradient is not a finite number.",
    Status.DIVERGED: "A weight left the divergence bound.",
    Status.CONVERGED: "Every gradient component is within the gradient tolerance "
    "and, for rules with memory, so is the last step.",
    Status.STALLED: "The step is too small to change the weight in floating-point arithmetic.",
    Status.CYCLING: "The weight alternates between two values, to rounding.",
    Status.MAX_STEPS: "The largest allowed number of steps was taken.",
}

CriticalKind = Literal["minimum", "maximum", "saddle", "inflection", "flat", "kink", "undecided"]
CRITICAL_KINDS: tuple[CriticalKind, ...] = (
    "minimum", "maximum", "saddle", "inflection", "flat", "kink", "undecided",
)  # fmt: skip

VerdictKind = Literal[
    "minimum", "maximum", "saddle", "inflection", "flat", "kink", "plateau", "undecided",
    "cycle", "diverged", "nonfinite", "still_moving", "no_minimum",
]  # fmt: skip
VERDICT_KINDS: tuple[VerdictKind, ...] = (
    "minimum", "maximum", "saddle", "inflection", "flat", "kink", "plateau", "undecided",
    "cycle", "diverged", "nonfinite", "still_moving", "no_minimum",
)  # fmt: skip

Proof = Literal["certified", "numerical"]
Interval = tuple[float, float]


@dataclass(frozen=True)
class CriticalPoint:
    """A place where every ∂L/∂w is zero, or where the loss has a kink.

    Attributes
    ----------
    weight
        Its coordinates, by weight name (for a flat piece, its middle).
    loss
        The loss there.
    kind
        What it is. A stationary inflection in one dimension is ``"inflection"``.
    proof
        ``"certified"`` or ``"numerical"``.
    curvature
        The eigenvalues of the Hessian in ascending order (one number, f″, in one dimension).
        Empty where the loss has no second derivative.
    interval
        For each weight an interval that holds the coordinate (for a flat piece, its extent).
    multiplicity
        The order of the zero of f′ where it is known, else None.
    boundary
        Whether the point lies on the domain's boundary.
    """

    weight: Mapping[str, float]
    loss: float
    kind: CriticalKind
    proof: Proof = "numerical"
    curvature: tuple[float, ...] = ()
    interval: Mapping[str, Interval] = field(default_factory=dict)
    multiplicity: int | None = None
    boundary: bool = False

    def multiplier(self, learning_rate: float) -> tuple[float, ...]:
        """Return 1 − ηf″ for each curvature: how gradient descent scales a small distance in one step.

        Cost: one multiplication for each curvature; dimensionless.
        Source: Y. Nesterov, Introductory Lectures on Convex Optimization (2004), §1.2.3.

        >>> CriticalPoint({"w": 0.0}, 0.0, "minimum", curvature=(2.0,)).multiplier(0.25)
        (0.5,)
        """
        return tuple(1.0 - learning_rate * value for value in self.curvature)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return points_table([self])


def points_table(points: Iterable[CriticalPoint]) -> str:
    """Return critical points as a table of HTML: kind, place, loss, curvature and proof."""
    from gdsim.markup import coordinates, table

    heads = ["critical point", "weight", "loss", "curvature", "proof"]
    return table(
        heads,
        (
            [
                f"{point.kind}{' (saddle)' * (point.kind == 'inflection')}",
                coordinates(point.weight) + " (at the edge of the domain)" * point.boundary,
                point.loss,
                ", ".join(f"{value:.6g}" for value in point.curvature),
                point.proof,
            ]
            for point in points
        ),
    )


@dataclass(frozen=True)
class Search:
    """The critical points of a loss in a domain, and how much of the domain the search covers.

    ``complete`` is True only when the absence of further points is proved. ``unresolved`` and
    ``singular`` list the stretches about which nothing is claimed and the poles or edges met:
    each a mapping ``{"interval": {weight: (low, high)}, "reason": text}``.
    """

    domain: Mapping[str, Interval]
    critical_points: tuple[CriticalPoint, ...] = ()
    complete: bool = False
    unresolved: tuple[Mapping[str, object], ...] = ()
    singular: tuple[Mapping[str, object], ...] = ()

    def _repr_html_(self) -> str:
        """What a notebook shows: the points, how far the search reaches, and what stays open."""
        from gdsim.markup import paragraph, table

        where = ", ".join(f"{name} from {low:.6g} to {high:.6g}" for name, (low, high) in self.domain.items())
        reach = f" for {where}; that there are no others is {'proved' if self.complete else 'not proved'}."
        count = len(self.critical_points)
        named = f"{count or 'no'} critical point{'s' * (count != 1)}"
        stretches = [("open", one) for one in self.unresolved]
        stretches += [("singular", one) for one in self.singular]
        return (
            paragraph(reach, strong=named)
            + points_table(self.critical_points)
            + table(
                ["stretch", "where", "why"], ([name, _ends(one), one["reason"]] for name, one in stretches)
            )
        )


@dataclass(frozen=True)
class Verdict:
    """What happened and why, in plain words."""

    kind: VerdictKind
    sentence: str
    evidence: Mapping[str, object] = field(default_factory=dict)
    remedy: str = ""

    @property
    def settled_at(self) -> Mapping[str, float] | None:
        """The critical point where the run settled, by weight name; None for a run that settled at none."""
        at = self.evidence.get("at")  # of a run that was lost: where the loss is bent most
        return at if self.kind in CRITICAL_KINDS and isinstance(at, Mapping) else None

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from gdsim.markup import paragraph

        return paragraph(f": {self.sentence}", self.kind.replace("_", " "), self.remedy)


def _ends(stretch: Mapping[str, object]) -> str:
    interval = stretch["interval"]
    assert isinstance(interval, Mapping)
    places = {name: (f"{low:.6g}", f"{high:.6g}") for name, (low, high) in interval.items()}
    return ", ".join(
        f"{name} = {low}" if low == high else f"{name} from {low} to {high}"
        for name, (low, high) in places.items()
    )


class Fault(NamedTuple):
    """One thing wrong with an input, where it stands, and what would be right."""

    message: str
    expected: str = ""
    suggestion: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    path: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        head = ": ".join(part for part in (place, self.path) if part)
        text = f"{head}: {self.message}" if head else self.message
        if self.expected:
            text += f"; expected {self.expected}"
        if self.suggestion:
            text += f"; did you mean {self.suggestion}?"
        return text


class InputError(ValueError):
    """Bad input by the user: one fault or many, never a traceback.

    >>> print(InputError(Fault("unknown function sine", suggestion="sin", column=3)))
    3: unknown function sine; did you mean sin?
    """

    def __init__(self, *faults: Fault) -> None:
        self.faults: tuple[Fault, ...] = faults
        super().__init__("\n".join(map(str, faults)))

    def located(self, **changes: object) -> InputError:
        """Return the same error with file, line, path … filled in where a fault lacks them."""

        def fill(fault: Fault) -> Fault:
            missing = {key: value for key, value in changes.items() if getattr(fault, key) in (None, "")}
            return fault._replace(**missing)  # type: ignore[arg-type]

        return InputError(*map(fill, self.faults))


def nearest(name: str, known: Sequence[str]) -> str:
    """Return the known name closest to a misspelt one, or ``""``.

    >>> nearest("momentun", ["momentum", "adam"])
    'momentum'
    """
    from difflib import get_close_matches  # read only when something is misspelt

    match = get_close_matches(name, known, n=1, cutoff=0.6)
    return match[0] if match else ""
