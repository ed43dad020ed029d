"""A scenario as plain frozen data: every key resolved, every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from gdsim.batch import Clip, Stopping

if TYPE_CHECKING:
    from gdsim.noise import Noise
    from gdsim.outcomes import Interval
    from gdsim.scenario.document import Document


class LossSpec(NamedTuple):
    """What is minimised: the formula, the library's name of it where it has one, and all parameters."""

    expression: str
    name: str = ""
    parameters: Mapping[str, float] = {}


@dataclass(frozen=True)
class DataSpec:
    """Columns of data.

    Attributes
    ----------
    columns
        As the loss sees them, with the columns of ``standardise`` turned into (x − mean)/deviation.
    given
        As they stand in the file.
    file
        Where they were read, or None where they stand in the scenario itself.
    """

    columns: Mapping[str, tuple[float, ...]]
    given: Mapping[str, tuple[float, ...]]
    file: Path | None = field(default=None, compare=False)
    standardise: tuple[str, ...] = ()


class ScheduleSpec(NamedTuple):
    """The learning rate: η₀, the schedule with all its options, and the steps of warm-up."""

    initial: float
    schedule: str = "constant"
    warmup: int = 0
    options: Mapping[str, object] = {}


class RuleSpec(NamedTuple):
    """The update rule with all its options, in the spelling of the file (``betas: [0.9, 0.999]``)."""

    name: str = "gradient_descent"
    options: Mapping[str, object] = {}


class DerivativeSpec(NamedTuple):
    """The derivative method with all its options."""

    method: str = "analytic"
    options: Mapping[str, str | float] = {}


class Record(NamedTuple):
    """Which steps are kept."""

    every: int = 1


@dataclass(frozen=True)
class Scenario:
    """One scenario, ready to run.

    ``sweep``, ``figures`` and ``expect`` are plain mappings in the shape of the file, checked, with
    numbers as numbers.
    ``source`` is the file it came from and ``document`` the layers that gave its values; neither counts
    when two scenarios are compared.
    """

    name: str
    loss: LossSpec
    initial_weight: Mapping[str, float]
    learning_rate: ScheduleSpec
    domain: Mapping[str, Interval]
    title: str = ""
    data: DataSpec | None = None
    update_rule: RuleSpec = field(default_factory=RuleSpec)
    derivative: DerivativeSpec = field(default_factory=DerivativeSpec)
    stopping: Stopping = field(default_factory=Stopping)
    clip: Clip | None = None
    line_search: Literal["armijo"] | None = None
    noise: Noise | None = None
    record: Record = field(default_factory=Record)
    seed: int = 0
    sweep: Mapping[str, object] | None = None
    figures: Mapping[str, object] | None = None
    expect: Mapping[str, object] | None = None
    source: Path | None = field(default=None, compare=False)
    document: Document | None = field(default=None, compare=False, repr=False)

    def _repr_html_(self) -> str:
        """What a notebook shows: the file that it would be, with every value written out."""
        from html import escape

        from gdsim.scenario.write import scenario_text

        return f"<pre>{escape(scenario_text(self))}</pre>"
