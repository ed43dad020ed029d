"""What a lesson is made of: plain data, without a word of its prose and without a line of code in it.

A lesson is a list of steps. What a step says stands in a catalogue, one for each language
(:mod:`gdsim.lessons.catalogue`); what is right stands here, so that a translation cannot change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from gdsim.outcomes import VerdictKind

Ask = Literal["direction", "outcome", "number"]


@dataclass(frozen=True)
class Experiment:
    """A scenario that a step runs.

    Attributes
    ----------
    scenario
        The file, or the name of a shipped scenario.
    settings
        Values that replace those of the file, by dotted path, as after ``-S``.
    """

    scenario: str
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Tolerance:
    """How far off a number may be: ``absolute``, or ``relative`` to the right one; the larger counts."""

    absolute: float = 0.0
    relative: float = 0.0

    def allows(self, given: float, right: float) -> bool:
        """Tell whether a number is near enough.

        >>> Tolerance(relative=0.01).allows(6.05, 6.0)
        True
        """
        return abs(given - right) <= max(self.absolute, self.relative * abs(right))


@dataclass(frozen=True)
class Words:
    """``text``: prose alone."""


@dataclass(frozen=True)
class Picture:
    """``figure``: a figure of a run, as a sketch in the terminal and as a file beside.

    With ``axes`` it is one of a sweep: by dotted path their values, as ``gdsim sweep`` takes them.
    """

    experiment: Experiment
    plot: str
    at: tuple[int, ...] = ()
    until: int | None = None
    axes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """``run``: the learner runs a scenario, and may change the values named by ``edit`` first."""

    experiment: Experiment
    edit: tuple[str, ...] = ()
    plot: str = ""


@dataclass(frozen=True)
class Prediction:
    """``predict``: say before the run what it will do; the run is the answer.

    ``direction`` asks for left, right or stay of the first step; ``outcome`` for the verdict, one of
    ``among``; ``number`` for a field of the summary, such as ``final.weight.w``.
    """

    experiment: Experiment
    ask: Ask
    field: str = ""
    among: tuple[VerdictKind, ...] = ()
    tolerance: Tolerance = Tolerance(relative=0.1)
    plot: str = ""


@dataclass(frozen=True)
class Choice:
    """``choice``: options by name, of which one or several are right."""

    options: tuple[str, ...]
    right: tuple[str, ...]


@dataclass(frozen=True)
class Quantity:
    """``number``: a number, given in any form (``6``, ``6.0``, ``2*3``); known mistakes by name."""

    answer: str  # the name of a value of the lesson
    tolerance: Tolerance = Tolerance(relative=0.01)
    mistakes: Mapping[str, str] = field(default_factory=dict)  # name of the mistake → name of its value


@dataclass(frozen=True)
class Differentiation:
    """``derive``: any expression that equals the derivative, in any form."""

    of: str
    by: str


@dataclass(frozen=True)
class Goal:
    """What a run has to reach: a verdict, in at most so many steps, near a weight."""

    verdict: tuple[VerdictKind, ...]
    within: int | None = None
    weight: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = 1e-3


@dataclass(frozen=True)
class Tuning:
    """``tune``: change the values named by ``edit`` until the run reaches the goal."""

    experiment: Experiment
    edit: tuple[str, ...]
    goal: Goal
    solution: Mapping[str, object]
    plot: str = ""


@dataclass(frozen=True)
class Order:
    """``order``: put items into this order; they are shown in another."""

    items: tuple[str, ...]


Task: TypeAlias = Words | Picture | Trial | Prediction | Choice | Quantity | Differentiation | Tuning | Order

#: the kinds of steps as ``kind:`` names them; those that are graded need hints and a solution
KINDS: dict[str, type] = {
    "text": Words, "figure": Picture, "run": Trial, "predict": Prediction, "choice": Choice,
    "number": Quantity, "derive": Differentiation, "tune": Tuning, "order": Order,
}  # fmt: skip
GRADED = (Prediction, Choice, Quantity, Differentiation, Tuning, Order)


@dataclass(frozen=True)
class Step:
    """One step: its name, which its texts have as a heading, and what is to be done."""

    name: str
    task: Task

    @property
    def kind(self) -> str:
        """The kind as a lesson file names it."""
        return next(kind for kind, made in KINDS.items() if isinstance(self.task, made))

    @property
    def graded(self) -> bool:
        """Whether an answer is right or wrong."""
        return isinstance(self.task, GRADED)


@dataclass(frozen=True)
class Source:
    """Where a value of a lesson comes from; what is said in prose is computed, never typed.

    One of: ``expression`` alone (a constant such as ``2/8``); ``expression`` with ``at`` (a formula at a
    point); ``derivative`` with ``at`` (by ``method``), or without (the derivative as a formula); ``formula``
    (a formula as it is typeset); ``experiment`` with ``field`` (a number or a word of a run's summary).
    """

    expression: str = ""
    derivative: str = ""
    formula: str = ""
    by: str = ""
    at: Mapping[str, float] = field(default_factory=dict)
    method: Mapping[str, object] = field(default_factory=dict)
    experiment: Experiment | None = None
    field: str = ""


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes
    ----------
    name
        Its folder, such as ``02-zooming-in``.
    folder
        Where it lies: scenarios and catalogues beside ``lesson.yaml``.
    minutes
        About how long it takes.
    needs
        The lessons that come before it.
    values
        What the prose quotes, by name.
    steps
        In order.
    """

    name: str
    folder: Path
    minutes: int
    needs: tuple[str, ...]
    values: Mapping[str, Source]
    steps: tuple[Step, ...]
