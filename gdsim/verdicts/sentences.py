"""The words of a verdict: a sentence that a student understands, its evidence, and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsim.batch import Batch, Trajectory
from gdsim.outcomes import CriticalPoint, Search, Status, Verdict, VerdictKind
from gdsim.verdicts.settle import Terrain

Array = NDArray[np.float64]

_NAMES = {
    "minimum": "a minimum", "maximum": "a maximum", "saddle": "a saddle",
    "inflection": "an inflection (saddle)", "flat": "a flat piece", "kink": "a kink",
    "undecided": "a critical point whose kind could not be told",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Story:
    """One run with everything its verdict may speak of."""

    batch: Batch
    trajectory: Trajectory
    search: Search
    terrain: Terrain
    run: int
    point: CriticalPoint | None
    period: int

    @property
    def weights(self) -> tuple[str, ...]:
        return self.trajectory.weights

    @property
    def steps(self) -> int:
        return int(self.trajectory.steps[self.run])

    @property
    def status(self) -> Status:
        return self.trajectory.status[self.run]

    @property
    def rate(self) -> float:
        return float(self.batch.learning_rate[self.run])

    @cached_property
    def final(self) -> dict[str, float]:
        return self._named(self.trajectory.final_weight[:, self.run])

    def _named(self, values: Array) -> dict[str, float]:
        return {name: float(value) for name, value in zip(self.weights, values, strict=True)}

    @cached_property
    def sharpest(self) -> float:
        """The largest curvature met: at the recorded weights inside the domain and at the minima there."""
        weight = self.trajectory.weight[:64, :, self.run].T
        low, high = np.array([self.search.domain[name] for name in self.weights]).T
        inside = ((weight >= low[:, None]) & (weight <= high[:, None])).all(axis=0)
        inside[:1] = np.isfinite(weight[:, 0]).all()
        curvature = self.terrain.curvature(weight[:, inside]) if inside.any() else np.empty(0)
        minima = [max(p.curvature) for p in self.search.critical_points if p.kind == "minimum" and p.curvature]
        finite = [value for value in [*curvature, *minima] if np.isfinite(value)]
        return float(max(finite, default=0.0))

    @property
    def plain(self) -> bool:
        """Whether 2/L speaks about this rule."""
        return self.batch.rule.rule.name == "gradient_descent"

    def cycle(self) -> list[dict[str, float]]:
        """The values of the cycle, in the order in which they are visited."""
        if self.status is Status.CYCLING:
            columns = (self.trajectory.previous_weight, self.trajectory.final_weight)
            return [self._named(column[:, self.run]) for column in columns]
        return [self._named(row) for row in self.trajectory.tail[-self.period :, :, self.run]]


def number(value: float) -> str:
    """Write a number with five significant digits and a true minus sign.

    >>> number(-0.1), number(1e-9), number(12345678.0)
    ('−0.1', '1e−09', '1.2346e+07')
    """
    return f"{value:.5g}".replace("-", "−")


def place(weight: Mapping[str, float]) -> str:
    """Write a place: ``w = 1`` or ``(x, y) = (1, 2)``.

    >>> place({"x": 1.0, "y": -2.0})
    '(x, y) = (1, −2)'
    """
    if len(weight) == 1:
        ((name, value),) = weight.items()
        return f"{name} = {number(value)}"
    return f"({', '.join(weight)}) = ({', '.join(number(value) for value in weight.values())})"


def counted(steps: int) -> str:
    """Write a number of steps.

    >>> counted(1), counted(20)
    ('1 step', '20 steps')
    """
    return "1 step" if steps == 1 else f"{steps} steps"


def told(kind: VerdictKind, story: Story) -> Verdict:
    """Return the verdict of a kind with its sentence, evidence and remedy."""
    sentence, evidence, remedy = _TELL[kind](story)
    return Verdict(kind, sentence, {"steps": story.steps, **evidence}, remedy)


_Telling = tuple[str, dict[str, Any], str]


def _settled(story: Story) -> _Telling:
    point = story.point
    assert point is not None
    noisy = story.batch.noise is not None
    evidence: dict[str, Any] = {
        "at": dict(point.weight),
        "curvature": list(point.curvature),
        "distance": {name: abs(story.final[name] - value) for name, value in point.weight.items()},
        "gradient": story._named(story.trajectory.final_gradient[:, story.run]),
    }
    if story.steps == 0:
        how = f"The run started at {place(point.weight)}, which is {_NAMES[point.kind]}: the gradient there is zero, so no step was taken"
    elif story.status is Status.MAX_STEPS and noisy:
        how = f"With noise the weight keeps trembling, around {_NAMES[point.kind]} at {place(point.weight)}"
    elif story.status is Status.MAX_STEPS:
        how = (
            f"After {counted(story.steps)} the run is still creeping towards {_NAMES[point.kind]} at "
            f"{place(point.weight)}; it stands at {place(story.final)}"
        )
    else:
        how = f"The run settled at {place(point.weight)}, {_NAMES[point.kind]}, after {counted(story.steps)}"
    return f"{how}{_why(story, point)}.", evidence, _settled_remedy(story, point)


def _why(story: Story, point: CriticalPoint) -> str:
    """What makes the point what it is, and whether a lower one exists."""
    line = len(story.weights) == 1
    if point.kind == "minimum":
        reason = f" (f″ = {number(point.curvature[0])})" if line and point.curvature and point.curvature[0] > 0 else ""
        minima = [p for p in story.search.critical_points if p.kind in ("minimum", "kink")]
        lower = min((p.loss for p in minima), default=point.loss)
        if lower < point.loss - 1e-9 * max(1.0, abs(point.loss)):
            deepest = min(minima, key=lambda p: p.loss)
            return f"{reason}. It is not the lowest one: the loss is {number(deepest.loss)} at {place(deepest.weight)}, here {number(point.loss)}"
        return reason
    if point.kind == "maximum":
        return ". f′ = 0 there, but the loss falls to either side: zero gradient does not mean minimum"
    if point.kind == "inflection":
        return ". f′ = 0 there without a change of sign: the loss goes on falling on the other side"
    if point.kind == "saddle":
        return ". The gradient is zero there, but the loss falls in one direction and rises in another"
    if point.kind == "flat":
        return ". The gradient is zero all along it, so nothing tells the run where to go"
    return ""


def _settled_remedy(story: Story, point: CriticalPoint) -> str:
    if point.kind in ("maximum", "saddle"):
        return "Start a little to the side, or add noise: the smallest push frees the run."
    if point.kind == "inflection":
        return "Try a larger learning rate, momentum or noise, or start on the other side."
    if point.kind == "flat":
        if len(story.weights) > 1:
            return "Many weights are equally good here; add a small penalty such as 0.01·(x² + y²) if one is wanted."
        return "Start where the loss has a slope; for a dead ReLU, a smaller learning rate keeps the weight alive."
    if story.status is Status.MAX_STEPS and story.batch.noise is not None:
        return "Let the learning rate decay, and the trembling shrinks."
    if story.status is Status.MAX_STEPS:
        return "Give it more steps, or a larger learning rate."
    if point.kind == "minimum" and ". It is not" in _why(story, point):
        return "Another start or learning rate may reach the lower one."
    return ""


def _cycle(story: Story) -> _Telling:
    values = story.cycle()
    period = len(values)
    shown = " → ".join(place(value) if len(story.weights) > 1 else number(next(iter(value.values()))) for value in values)
    where = f"{story.weights[0]} = " if len(story.weights) == 1 else ""
    sentence = f"The run goes round in a cycle of {period}: {where}{shown}, again and again."
    evidence: dict[str, Any] = {"period": period, "values": values}
    inner = _between(story, values)
    remedy = "Try a smaller learning rate."
    if inner is not None and (inner.kind == "kink" or not inner.curvature):
        evidence["kink"] = dict(inner.weight)
        sentence += (
            f" The slope jumps at {place(inner.weight)}, so it does not shrink near the minimum"
            if inner.kind == "kink"
            else f" The curvature is infinite at {place(inner.weight)}"
        ) + ", and no constant learning rate comes to rest there."
        remedy = "Let the learning rate decay (a schedule), so that the steps shrink."
    elif story.plain and story.sharpest > 0:
        curvature = max(inner.curvature) if inner is not None else story.sharpest
        limit = 2.0 / curvature
        evidence |= {"curvature": curvature, "two_over_curvature": limit}
        relation = "is" if abs(story.rate - limit) <= 1e-9 * limit else "exceeds" if story.rate > limit else "is near"
        sentence += f" η = {number(story.rate)} {relation} 2/f″ = {number(limit)}: every step lands as far beyond the minimum."
        remedy = f"Try a learning rate below {number(limit)}."
    return sentence, evidence, remedy


def _between(story: Story, values: list[dict[str, float]]) -> CriticalPoint | None:
    """The minimum or kink in the middle of a cycle: the one nearest to the mean of its values."""
    candidates = [p for p in story.search.critical_points if p.kind in ("minimum", "kink")]
    if not candidates:
        return None
    mean = {name: sum(value[name] for value in values) / len(values) for name in story.weights}
    return min(candidates, key=lambda p: max(abs(p.weight[name] - mean[name]) for name in mean))


def _diverged(story: Story) -> _Telling:
    bound = story.batch.stopping.divergence_bound
    sentence = f"The weight left all bounds (|weight| > {number(bound)}) at step {story.steps}."
    evidence: dict[str, Any] = {"step": story.steps, "learning_rate": story.rate, "bound": bound}
    remedy = "Try a smaller learning rate."
    if story.plain and story.sharpest > 0:
        limit = 2.0 / story.sharpest
        evidence |= {"curvature": story.sharpest, "two_over_curvature": limit}
        if story.rate > limit:
            sentence += (
                f" η = {number(story.rate)} is more than 2/f″ = {number(limit)} there, so every step "
                "overshoots by more than it corrects."
            )
            remedy = f"Try a learning rate below {number(limit)}."
        elif not story.terrain.has("minimum", "kink", "flat"):
            sentence += " No minimum exists in the domain to hold it."
            remedy = "Choose a loss that is bounded below, or start in the basin of a minimum."
    return sentence, evidence, remedy


def _nonfinite(story: Story) -> _Telling:
    run, t = story.run, story.trajectory
    parts = {"weight": t.final_weight[:, run], "loss": t.final_loss[run], "gradient": t.final_gradient[:, run]}
    broken = [name for name, value in parts.items() if not np.isfinite(value).all()]
    cause = " and ".join(broken)
    verb = "is" if len(broken) == 1 else "are"
    evidence: dict[str, Any] = {"step": story.steps, "nonfinite": broken, "weight": story.final}
    if story.steps == 0:
        sentence = f"At the start, {place(story.final)}, the {cause} {verb} not a finite number."
        return sentence, evidence, "Start where the loss is defined."
    before = story._named(t.previous_weight[:, run])
    sentence = (
        f"At step {story.steps} the {cause} {verb} not a finite number: the step from {place(before)} "
        f"to {place(story.final)} was too long."
    )
    evidence["previous"] = before
    curvature = float(story.terrain.curvature(t.previous_weight[:, run][:, None])[0])
    remedy = "Try a smaller learning rate."
    if story.plain and np.isfinite(curvature) and curvature > 0:
        limit = 2.0 / curvature
        evidence |= {"curvature": curvature, "two_over_curvature": limit}
        if story.rate > limit:
            sentence += f" η = {number(story.rate)} is more than 2/f″ = {number(limit)} at that place."
            remedy = f"Try a learning rate below {number(limit)}, or gradient clipping."
    return sentence, evidence, remedy


def _plateau(story: Story) -> _Telling:
    size = float(np.abs(story.trajectory.final_gradient[:, story.run]).max())
    tolerance = story.batch.stopping.gradient_tolerance
    evidence = {"weight": story.final, "gradient": story._named(story.trajectory.final_gradient[:, story.run])}
    if story.status is Status.CONVERGED:
        sentence = (
            f"The run stopped on a plateau at {place(story.final)}: the slope, {number(size)}, is within the "
            f"tolerance {number(tolerance)}, but no critical point is there."
        )
        remedy = f"Use a gradient tolerance below {number(size)}: a small slope is not a zero slope."
    else:
        sentence = (
            f"The run is stuck on a plateau at {place(story.final)}: the slope is only {number(size)}, and at this "
            f"pace as many steps again would hardly move it."
        )
        remedy = "Start nearer to a minimum, or use a larger learning rate or an adaptive rule."
    return sentence, evidence, remedy


def _undecided(story: Story) -> _Telling:
    if story.point is not None:
        sentence, evidence, _ = _settled(story)
        return sentence, evidence, "Look at the loss around it: the second-derivative test is silent here."
    evidence = {"weight": story.final, "gradient": story._named(story.trajectory.final_gradient[:, story.run])}
    sentence = f"The run came to rest at {place(story.final)}, but it cannot be told at which critical point."
    return sentence, evidence, "Use a smaller gradient tolerance, or widen the domain."


def _domain(story: Story) -> str:
    return " × ".join(f"[{number(low)}, {number(high)}]" for low, high in story.search.domain.values())


def _no_minimum(story: Story) -> _Telling:
    evidence: dict[str, Any] = {"weight": story.final, "domain": {k: list(v) for k, v in story.search.domain.items()}}
    if story.status is Status.DIVERGED:
        sentence = (
            f"The loss fell at every step and the weight left all bounds at step {story.steps}: inside the domain "
            f"{_domain(story)} no minimum lies ahead."
        )
        evidence["step"] = story.steps
    else:
        sentence = (
            f"No minimum exists inside the domain {_domain(story)}: after {counted(story.steps)} the loss still falls, "
            f"at {place(story.final)}."
        )
    return sentence, evidence, "Nothing is wrong with the learning rate: choose a loss with a minimum, or add a penalty such as 0.01·w²."


def _still_moving(story: Story) -> _Telling:
    run, t = story.run, story.trajectory
    pace = float(np.abs(t.last_step[:, run]).max())
    evidence: dict[str, Any] = {"weight": story.final, "rate": pace}
    tail = t.tail[:, :, run]
    turns = np.sign(np.diff(tail[:, 0]))
    if story.batch.noise is None and np.isfinite(tail).all() and np.abs(np.diff(turns)).sum() > tail.shape[0] // 2:
        low, high = story._named(tail.min(axis=0)), story._named(tail.max(axis=0))
        evidence |= {"low": low, "high": high}
        name = story.weights[0]
        sentence = (
            f"The run never settles: the weight keeps jumping between {name} = {number(low[name])} and "
            f"{number(high[name])} without repeating itself (bounded chaos, or a slow approach)."
        )
        limit = 2.0 / story.sharpest if story.plain and story.sharpest > 0 else None
        return sentence, evidence, f"Try a learning rate below {number(limit)}." if limit else "Try a smaller learning rate."
    sentence = (
        f"After {counted(story.steps)} the weight is still moving, at {place(story.final)}, by {number(pace)} a step."
    )
    return sentence, evidence, "Give it more steps, or a larger learning rate."


_TELL: dict[VerdictKind, Callable[[Story], _Telling]] = {
    "minimum": _settled, "maximum": _settled, "saddle": _settled, "inflection": _settled, "flat": _settled,
    "kink": _settled, "plateau": _plateau, "undecided": _undecided, "cycle": _cycle, "diverged": _diverged,
    "nonfinite": _nonfinite, "still_moving": _still_moving, "no_minimum": _no_minimum,
}  # fmt: skip
