"""The sweeps that figures of a lesson show: small enough to be made while somebody waits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from gdsim.lessons.model import Experiment, Lesson
from gdsim.lessons.values import scenario_of, setting_text
from gdsim.outcomes import Fault, InputError

if TYPE_CHECKING:
    from gdsim.sweeps.result import SweepResult

#: the kinds of figures of a sweep that a lesson may show, and over how many axes
AXES: Mapping[str, int] = {"atlas": 2, "bifurcation": 1, "profile": 1}
MOST_RUNS = 20_000
_KEPT = 8  # sweeps


def length(path: str, text: str) -> int:
    """Return how many values an axis has.

    Parameters
    ----------
    path, text
        The field and its values, as in ``gdsim sweep FILE path=text``.

    Raises
    ------
    InputError
        For text that is no axis.

    Examples
    --------
    >>> length("learning_rate", "lin(0.1, 1, 10)"), length("initial_weight", "-1, 0, 1/2")
    (10, 3)
    """
    from gdsim.scenario.axes import written_axis
    from gdsim.scenario.shapes import exact_number

    _, stated = written_axis(f"{path}={text}")
    if "values" in stated:
        values = stated["values"]
        assert isinstance(values, list)
        if len(values) < 2:
            raise InputError(Fault("an axis of one value is none", "two values or more"))
        return len(values)
    low, high, count = (exact_number(stated[key]) for key in ("min", "max", "num"))
    if count != int(count) or count < 2 or not low < high:
        raise InputError(Fault(f"{text!r} is no axis", "lin(a,b,n) with a below b and n of 2 or more"))
    return int(count)


def sweep_of(lesson: Lesson, experiment: Experiment, axes: Mapping[str, str]) -> SweepResult:
    """Return the sweep of an experiment over some axes, made in memory.

    Raises
    ------
    InputError
        As for any sweep, and where the scenario has axes of its own beside these.
    """
    settings = tuple(sorted((path, setting_text(value)) for path, value in experiment.settings.items()))
    return _swept(lesson.folder, experiment.scenario, settings, tuple(axes.items()))


@lru_cache(maxsize=_KEPT)
def _swept(
    folder: Path, name: str, settings: tuple[tuple[str, str], ...], axes: tuple[tuple[str, str], ...]
) -> SweepResult:
    from gdsim.scenario.axes import stated_axes, with_values
    from gdsim.sweeps.execution import complete

    scenario = scenario_of(Lesson("", folder, 1, (), {}, ()), Experiment(name, dict(settings)))
    swept = with_values(scenario, dict(axes))
    if others := [path for path in stated_axes(swept) if path not in dict(axes)]:
        message = f"the scenario sweeps over {', '.join(others)}, too"
        raise InputError(Fault(message, "all its axes among those of the figure", path="axes"))
    return complete(swept, "numpy")
