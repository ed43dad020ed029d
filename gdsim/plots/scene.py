"""A figure that can be shown up to any step: what build-ups and animations are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

    from gdsim.runs import Run


def _stand_still(position: float) -> None:
    """Show a figure on which nothing moves."""


@dataclass(frozen=True)
class Scene:
    """A figure and how it is shown up to a step.

    Attributes
    ----------
    figure
        All of it, its axes with the limits of the whole run.
    show
        Shows the run up to a position, which is a step number; between two numbers the weight is on its way.
        What is shown depends on the position alone, not on what was shown before.
    last
        The position at which everything is shown.
    moving
        The artists that ``show`` changes; all others stay as they are.
    rescales
        Whether ``show`` changes the limits of axes too, or what hides what in space, so that a frame of an
        animation is drawn as a whole.
    """

    figure: Figure
    show: Callable[[float], None] = _stand_still
    last: float = 0.0
    moving: Sequence[Artist] = ()
    rescales: bool = False


class Travel(NamedTuple):
    """How far a run has come at a position: complete records, and the way towards the next, from 0 to 1."""

    record: int
    part: float


def travel(run: Run, position: float) -> Travel:
    """Return the last record at or before a position, and how far the next one has come nearer."""
    steps = run.trajectory.step_index
    record = int(np.searchsorted(steps, position, side="right")) - 1
    record = min(max(record, 0), steps.size - 1)
    if record == steps.size - 1:
        return Travel(record, 0.0)
    return Travel(record, float((position - steps[record]) / (steps[record + 1] - steps[record])))
