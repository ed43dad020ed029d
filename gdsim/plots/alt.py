"""The words that stand for a picture where it cannot be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdsim.expr.display import to_text
from gdsim.plots.text import counted, short

if TYPE_CHECKING:
    from gdsim.runs import Run
    from gdsim.sweeps.result import SweepResult

_MOST_POINTS = 6


def alt_text(run: Run, summary: str, until: float | None = None, counts: str = "step") -> str:
    """Describe a figure of a run: what it shows, the loss, how the run goes, the critical points.

    Parameters
    ----------
    run
        The run.
    summary
        What the kind of figure shows, as the registry says it.
    until
        The last step shown, where it is not the last of the run.
    counts
        What is counted where it is not steps.
    """
    whole = until is None or (counts == "step" and until >= run.trajectory.step_index[-1])
    parts = [f"{run.title}: {summary}", *_what(run)]
    parts.append(run.verdict.sentence.rstrip(".") if whole else f"Shown up to {counts} {until:g}")
    points = run.search.critical_points
    if points:
        named = [f"{point.kind} at {_place(point.weight)}" for point in points[:_MOST_POINTS]]
        more = len(points) - _MOST_POINTS
        parts.append(f"Critical points: {'; '.join(named)}" + (f"; and {more} more" if more > 0 else ""))
    return ". ".join(parts) + "."


def _what(run: Run) -> list[str]:
    loss = run.loss
    formula = to_text(loss.expression, unicode=True) if loss.expression is not None else loss.name
    start = {name: float(run.trajectory.weight[0, row, 0]) for row, name in enumerate(loss.weights)}
    rate = short(float(run.trajectory.learning_rate[0, 0]))
    steps = counted(int(run.trajectory.steps[0]))
    rule = run.batch.rule.rule.name.replace("_", " ")
    how = f"{steps} of {rule} with learning rate {rate} from {_place(start)}"
    return [f"Loss {formula}", how] if formula else [how]


def _place(weight: object) -> str:
    assert isinstance(weight, dict)
    return ", ".join(f"{name} = {short(value)}" for name, value in weight.items())


def sweep_alt_text(result: SweepResult, summary: str) -> str:
    """Describe a figure of a sweep: what it shows, the loss, over which axes, and how the runs ended."""
    from gdsim.runs.composition import loss_of

    axes = "; ".join(
        f"{axis.path} with {len(axis.values)} values from {axis.values[0]} to {axis.values[-1]}"
        for axis in result.axes
    )
    ends = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in result.verdicts.items() if count)
    name = result.scenario.title or result.scenario.name
    loss = loss_of(result.scenario)
    formula = to_text(loss.expression, unicode=True) if loss.expression is not None else loss.name
    return f"{name}: {summary}. Loss {formula}. Axes: {axes}. Verdicts of {result.runs} runs: {ends}."
