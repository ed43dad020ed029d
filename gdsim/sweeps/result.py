"""What came of a sweep: one row a run, in columns, and the axes along which the runs differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim.critical import MOST_CERTIFIED
from gdsim.outcomes import VERDICT_KINDS, CriticalPoint, Proof, Status
from gdsim.scenario import Scenario

Column: TypeAlias = NDArray[Any]

NOWHERE = -1  # the basin of a run that came to rest at no critical point
_AT_ONCE = 1 << 15  # numbers counted together
_FEW = 16  # numbers that are looked for one by one
STATUSES: tuple[Status, ...] = tuple(Status)  # the column "status" holds places in it
KINDS = VERDICT_KINDS  # the column "verdict" holds places in it


@dataclass(frozen=True)
class AxisValues:
    """One axis of a sweep.

    Attributes
    ----------
    path
        Where it stands in the scenario, as in ``-S``: ``learning_rate``, ``initial_weight.x`` …
    values
        Its values in the order of the grid (``zip``: of the runs); of a random sweep those of the runs.
    logarithmic
        Whether they are spread evenly in the logarithm.
    """

    path: str
    values: tuple[float, ...] | tuple[str, ...] | Column
    logarithmic: bool = False

    @property
    def categorical(self) -> bool:
        """Whether the values are words, such as the names of update rules."""
        return len(self.values) > 0 and isinstance(self.values[0], str)


@dataclass(frozen=True, eq=False, repr=False)
class SweepResult:
    """A finished sweep.

    Attributes
    ----------
    scenario
        What was swept, with its values where no axis gives others.
    method
        ``grid`` (the last axis runs fastest), ``zip`` or ``random``.
    axes
        The axes, in the order of the file.
    columns
        By name, each ``(runs,)``: ``status`` and ``verdict`` (places in ``STATUSES`` and ``KINDS``),
        ``steps``, ``loss``, ``basin`` (the place of the critical point reached, −1 where none was), and for
        each weight w ``w`` and ``gradient_w``, all at the last record.
    critical_points
        Those of the loss that all runs share, to which ``basin`` refers; empty where an axis changes it.
    tail
        The last 32 weights of runs that took all their steps, ``(runs, 32, weights)``, nan elsewhere; None
        where the sweep did not keep them.
    records
        Whole trajectories where the scenario states ``record``, else None: ``step (records,)``,
        ``weight (records, weights, runs)`` and ``loss (records, runs)``, nan after a run's end.
    losses
        At most so many distinct losses were run. The critical points of up to ``MOST_CERTIFIED`` are found
        with proof, of more numerically.
    engine
        Which loop stepped the runs.
    directory
        Where it is stored, if it is.
    """

    scenario: Scenario
    method: Literal["grid", "zip", "random"]
    axes: tuple[AxisValues, ...]
    columns: Mapping[str, Column]
    critical_points: tuple[CriticalPoint, ...] = ()
    tail: Column | None = None
    records: Mapping[str, Column] | None = None
    losses: int = 1
    engine: str = "numpy"
    directory: Path | None = field(default=None, compare=False)

    @property
    def proof(self) -> Proof:
        """How the critical points were sought of which verdicts and basins speak."""
        return "certified" if self.losses <= MOST_CERTIFIED else "numerical"

    @property
    def runs(self) -> int:
        """The number of runs."""
        return len(self.columns["status"])

    @property
    def weights(self) -> tuple[str, ...]:
        """The names of the weights."""
        return tuple(self.scenario.initial_weight)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the grid; ``(runs,)`` for other methods."""
        return tuple(len(axis.values) for axis in self.axes) if self.method == "grid" else (self.runs,)

    def grid(self, column: str) -> Column:
        """Return a column in the shape of the grid."""
        return self.columns[column].reshape(self.shape)

    @cached_property
    def verdicts(self) -> dict[str, int]:
        """How many runs ended in each kind of verdict, in the order of ``KINDS``; none with no runs."""
        counts = counted(self.columns["verdict"], len(KINDS))
        return {kind: count for kind, count in zip(KINDS, counts, strict=True) if count}

    @cached_property
    def basins(self) -> tuple[int, ...]:
        """How many runs came to rest at each critical point of their loss, in the order of ``basin``."""
        return counted(self.columns["basin"], len(self.critical_points))

    def __repr__(self) -> str:
        """What Python's prompt shows: in one line how the runs ended."""
        axes = ", ".join(axis.path for axis in self.axes)
        ended = ", ".join(f"{kind} {count:,}" for kind, count in self.verdicts.items())
        return f"<SweepResult of {self.runs:,} run{'s' * (self.runs != 1)} over {axes}: {ended}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the axes, and how many runs ended in each kind of verdict."""
        from gdsim.markup import paragraph, table

        axes = ", ".join(f"{axis.path} ({len(axis.values):,} values)" for axis in self.axes)
        rows = (
            [kind.replace("_", " "), f"{count:,}", f"{100 * count / self.runs:.1f} %"]
            for kind, count in self.verdicts.items()
        )
        head = paragraph(f" over {axes}", strong=f"{self.runs:,} runs")
        return head + table(["verdict", "runs", "share"], rows)


def counted(places: Column, length: int) -> tuple[int, ...]:
    """Return how often each of the numbers from 0 is there, at least so many; what is below 0 does not count.

    >>> counted(np.array([2, -1, 0, 2], dtype=np.int8), 4)
    (1, 0, 2, 0)
    """
    result = np.zeros(length + 1, dtype=np.int64)
    for first in range(0, places.size, _AT_ONCE):  # so that what NumPy makes of them stays in the cache
        some = places[first : first + _AT_ONCE]
        if length <= _FEW:  # comparing takes a tenth of the time of counting
            few = [np.count_nonzero(some == number) for number in range(length)]
            if sum(few) == np.count_nonzero(some >= 0):
                result[1 : length + 1] += few
                continue
        found = np.bincount(some.astype(np.int64) + 1, minlength=result.size)
        found[: result.size] += result
        result = found
    return tuple(result[1:].tolist())
