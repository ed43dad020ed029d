"""The words of a verdict: a sentence that a student understands, its evidence, and a remedy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gdsim.outcomes import CriticalPoint, Status, Verdict, VerdictKind
from gdsim.verdicts.overshoot import chaos, cycle, diverged, nonfinite, wanders
from gdsim.verdicts.story import Story, Telling, counted, number, place

_NAMES = {
    "minimum": "a minimum", "maximum": "a maximum", "saddle": "a saddle",
    "inflection": "an inflection (saddle)", "flat": "a flat piece", "kink": "a kink",
    "undecided": "a critical point whose kind cannot be told",
}  # fmt: skip


def told(kind: VerdictKind, story: Story) -> Verdict:
    """Return the verdict of a kind with its sentence, evidence and remedy."""
    sentence, evidence, remedy = _TELL[kind](story)
    return Verdict(kind, sentence, _plain({"steps": story.steps, **evidence}), remedy)


def _plain(value: Any) -> Any:
    """The same with numbers that JSON knows: nan and inf become words."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


# -- settled ------------------------------------------------------------------------------------------


def _settled(story: Story) -> Telling:
    point = story.point
    assert point is not None
    evidence: dict[str, Any] = {
        "at": dict(point.weight),
        "loss": point.loss,
        "curvature": list(point.curvature),
        "distance": {name: abs(story.final[name] - value) for name, value in point.weight.items()},
        "gradient": story.gradient,
    }
    if point.kind == "flat":
        evidence["interval"] = {name: list(ends) for name, ends in point.interval.items()}
        evidence["distance"] = dict.fromkeys(story.weights, 0.0)
    lower = _lower(story, point)
    sentence = _arrival(story, point) + _reason(story, point)
    if lower is not None:
        evidence["lower"] = {"at": dict(lower.weight), "loss": lower.loss}
        sentence += (
            f" It is not the lowest one: at {place(lower.weight)} the loss is {number(lower.loss)}, "
            f"here {number(point.loss)}."
        )
    return sentence, evidence, _settled_remedy(story, point, lower)


def _arrival(story: Story, point: CriticalPoint) -> str:
    name, where = _NAMES[point.kind], place(point.weight)
    if point.kind == "flat":
        ends = [f"{key} from {number(low)} to {number(high)}" for key, (low, high) in point.interval.items()]
        where = " and ".join(ends) if story.line else f"{where} and round about"
    outside = "" if _inside(story, point) else ", outside the domain"
    if story.steps == 0 and _is_apart(story, point):
        return (
            f"No step was taken: at the start, {place(story.final)}, the slope of {number(story.slope)} is within the "
            f"tolerance of {number(story.batch.stopping.gradient_tolerance)}. The run stands next to {name}, {where}{outside}."
        )
    if story.steps == 0 and story.status is Status.MAX_STEPS:
        return f"No step was taken, and the run is at its start, {place(story.final)}, next to {name}, {where}{outside}."
    if story.steps == 0:
        return f"The run started on {name}, {where}{outside}: the slope is zero there, so no step was taken."
    if story.status is Status.MAX_STEPS and story.noisy:
        return f"With noise the weight never stands still: it trembles around {name}, {where}{outside}."
    if story.status is Status.MAX_STEPS:
        return (
            f"After {counted(story.steps)} the run has come to {place(story.final)}, next to {name}, {where}, "
            f"and still creeps by {number(story.pace)} a step."
        )
    stalled = ", as near as floating-point numbers allow" if story.status is Status.STALLED else ""
    return f"After {counted(story.steps)} the run settled on {name}, {where}{outside}{stalled}."


def _is_apart(story: Story, point: CriticalPoint) -> bool:
    """Whether the run ended visibly beside its point: a millionth of the domain or more."""
    if point.kind == "flat":
        return False
    domain = story.search.domain.items()
    return any(
        abs(story.final[name] - point.weight[name]) > 1e-6 * (high - low) for name, (low, high) in domain
    )


def _inside(story: Story, point: CriticalPoint) -> bool:
    domain = story.search.domain
    return all(domain[name][0] <= value <= domain[name][1] for name, value in point.weight.items())


def _reason(story: Story, point: CriticalPoint) -> str:
    """What makes the point what it is."""
    bends = point.curvature
    if point.kind == "minimum" and story.line and bends:
        if bends[0] > 0:
            return f" The slope changes from − to + there, and f″ = {number(bends[0])}."
        return " The slope changes from − to + there, though f″ = 0: the bottom is so flat that steps die out slowly."
    if point.kind == "maximum":
        return " The slope is zero, but the loss falls on every side: zero slope does not mean minimum."
    if point.kind == "inflection":
        return " The slope is zero but does not change its sign: the loss goes on falling on the other side."
    if point.kind == "saddle":
        shown = (
            f" (curvatures {number(bends[0])} and {number(bends[-1])})"
            if bends and bends[0] < 0 < bends[-1]
            else ""
        )
        return f" The slope is zero, but the loss falls in one direction and rises in another{shown}."
    if point.kind == "flat":
        return " The loss is the same all along it and the slope is zero, so nothing says which way to go."
    if point.kind == "kink":
        return " The slope jumps there; at the very tip it counts as zero."
    if point.kind == "undecided":
        return " The slope is zero and the curvature, too, in some direction: the second-derivative test is silent."
    return ""


def _lower(story: Story, point: CriticalPoint) -> CriticalPoint | None:
    """The lowest minimum of the domain, if a minimum is clearly higher, on the scale of the losses met."""
    if point.kind != "minimum":
        return None
    lowest = min(story.lows, key=lambda other: other.loss, default=point)
    losses = [other.loss for other in story.search.critical_points]
    losses += [point.loss, *story.trajectory.loss[:1, story.run]]
    scale = max(abs(loss) for loss in losses if math.isfinite(loss))
    return lowest if lowest.loss < point.loss - 1e-9 * scale else None


def _settled_remedy(story: Story, point: CriticalPoint, lower: CriticalPoint | None) -> str:
    if point.kind in ("maximum", "saddle"):
        return "Start a little to the side (a millionth is enough) or add noise: the smallest push frees the run."
    if point.kind == "inflection":
        return "Try a larger learning rate, momentum or noise, or start on the other side."
    if point.kind == "flat":
        if story.line:
            return "Start where the loss has a slope, and take a learning rate that does not throw the weight here."
        if (min(point.curvature, default=0.0), max(point.curvature, default=0.0)) == (0.0, 0.0):
            return "Start where the loss has a slope."
        return "All these weights are equally good; a small penalty such as 0.01·(sum of squares) would choose one."
    if point.kind == "kink":
        return ""
    if point.kind == "undecided":
        return "Look at the loss round about: draw it, or start a little to the side and see whether the run comes back."
    if story.status is Status.MAX_STEPS:
        return (
            "Let the learning rate fall with time, and the trembling shrinks."
            if story.noisy
            else "Give it more steps."
        )
    return f"Another start or learning rate may reach the minimum at {place(lower.weight)}." if lower else ""


# -- not settled --------------------------------------------------------------------------------------


def _plateau(story: Story) -> Telling:
    if story.status is Status.STALLED:
        return _still_moving(story)
    tolerance = story.batch.stopping.gradient_tolerance
    evidence = {
        "weight": story.final, "gradient": story.gradient, "gradient_tolerance": tolerance, "rate": story.pace,
    }  # fmt: skip
    if story.status is Status.MAX_STEPS:
        sentence = (
            f"The run is stuck on a plateau at {place(story.final)}: the slope is only {number(story.slope)}, a step "
            f"only {number(story.pace)}, and as many steps again would cover less than 1 % of the domain."
        )
        return (
            sentence,
            evidence,
            "Start nearer to a minimum, or use a much larger learning rate or an adaptive rule.",
        )
    sentence = (
        f"The run stopped on a plateau at {place(story.final)}: the slope there, {number(story.slope)}, is within the "
        f"tolerance of {number(tolerance)}, but it is not zero, and no critical point is near."
    )
    nearest = _nearest(story)
    if nearest is not None:
        evidence["nearest"] = {"at": dict(nearest.weight), "kind": nearest.kind}
        sentence += f" The nearest minimum is at {place(nearest.weight)}."
    return (
        sentence,
        evidence,
        f"Use a gradient_tolerance below {number(story.slope)}: a small slope is not a zero slope.",
    )


def _nearest(story: Story, points: Sequence[CriticalPoint] | None = None) -> CriticalPoint | None:
    """Of some points, by default all low ones, the one nearest to the run's end."""
    width = {name: high - low for name, (low, high) in story.search.domain.items()}
    return min(
        story.lows if points is None else points,
        key=lambda point: max(abs(point.weight[name] - story.final[name]) / width[name] for name in width),
        default=None,
    )


def _undecided(story: Story) -> Telling:
    if story.point is not None:
        return _settled(story)
    evidence = {"weight": story.final, "gradient": story.gradient}
    sentence = (
        f"The run came to rest at {place(story.final)}, where the slope is {number(story.slope)}, but it cannot be told "
        "at which critical point, if any: the curvature there is singular."
    )
    return (
        sentence,
        evidence,
        "Use a smaller gradient_tolerance, so that the run comes nearer before it stops.",
    )


def _no_minimum(story: Story) -> Telling:
    evidence: dict[str, Any] = {
        "weight": story.final,
        "loss": float(story.trajectory.final_loss[story.run]),
        "domain": {name: list(ends) for name, ends in story.search.domain.items()},
        "rate": story.pace,
    }
    box = " × ".join(f"[{number(low)}, {number(high)}]" for low, high in story.search.domain.values())
    behind = _nearest(story)
    if behind is not None:
        reason = "each one there lies behind the start"
    elif story.search.critical_points:
        reason = "no critical point there is one"
    else:
        reason = "the slope is nowhere zero there"
    proof = f" (proved: {reason})" if story.search.complete else ""
    evidence["proof"] = "certified" if proof else "numerical"
    if story.status is Status.DIVERGED:
        evidence["step"] = story.steps
        sentence = (
            f"There is no minimum to find{' on this side' if behind else ''}: the loss fell at every step until, at step {story.steps}, a weight was "
            f"beyond ±{number(story.batch.stopping.divergence_bound)}, and inside the domain {box} no minimum lies "
            f"ahead{proof}."
        )
    else:
        way = (
            f"after {counted(story.steps)} the run is at {place(story.final)} and the loss still falls, by steps of {number(story.pace)}"
            if story.steps
            else f"no step was taken, and the run is at its start, {place(story.final)}"
        )
        sentence = f"There is no minimum to find inside the domain {box}{proof}: {way}."
        near = _stationary_near(story)
        if near is not None:
            evidence["near"] = {"at": dict(near.weight), "kind": near.kind}
            sentence += f" Near by is {_NAMES[near.kind]}, {place(near.weight)}, where the slope is zero: it only delays the run."
    if behind is not None:
        evidence["behind"] = {"at": dict(behind.weight), "kind": behind.kind}
        remedy = f"The learning rate is not to blame: start where the loss falls towards the minimum at {place(behind.weight)}."
        return sentence, evidence, remedy
    penalty = f"0.01·{story.weights[0]}²" if story.line else "0.01·(sum of squares)"
    remedy = f"The learning rate is not to blame: choose a loss that has a minimum, or add a penalty such as {penalty}."
    return sentence, evidence, remedy


def _stationary_near(story: Story) -> CriticalPoint | None:
    """A critical point within 1 % of the domain."""
    for point in story.search.critical_points:
        apart = [
            abs(point.weight[name] - story.final[name]) / (high - low)
            for name, (low, high) in story.search.domain.items()
        ]
        if max(apart) <= 0.01:
            return point
    return None


def _still_moving(story: Story) -> Telling:
    """A run that has not arrived: it moves, or its steps became too small to move it."""
    tail = story.trajectory.tail[:, :, story.run]
    evidence: dict[str, Any] = {"weight": story.final, "rate": story.pace, "gradient": story.gradient}
    if np.isfinite(tail).all() and not story.noisy and wanders(tail):
        return chaos(story, tail, evidence)
    sentence = _on_the_way(story)
    if story.noisy and np.isfinite(tail).all():
        mean = story.named(tail.mean(axis=0))
        evidence["mean"] = mean
        return (
            f"{sentence}; the mean of its last {len(tail)} weights, {place(mean)}, has not come to rest near a minimum.",
            evidence,
            "Give it more steps, or less noise.",
        )
    nearest = _nearest(story, _ahead(story))
    held = story.status is Status.STALLED
    if nearest is None:
        behind = _nearest(story)
        if behind is not None:
            evidence["behind"] = {"at": dict(behind.weight), "kind": behind.kind}
            sentence += f", away from the nearest minimum, {place(behind.weight)}"
            return f"{sentence}.", evidence, f"Start where the loss falls towards {place(behind.weight)}."
        return f"{sentence}.", evidence, "Try a larger learning rate." if held else "Give it more steps."
    evidence["nearest"] = {"at": dict(nearest.weight), "kind": nearest.kind}
    remedy = "Try a larger learning rate." if held else "Give it more steps, or a larger learning rate."
    steepest = nearest.curvature[-1] if nearest.curvature else 0.0
    best = 1.0 / steepest if story.factor is not None and steepest > 0 else math.inf
    if held and story.batch.schedule.schedule.name != "constant":
        remedy = "Let the learning rate fall more slowly, or not so far."
    elif story.factor == 2.0 and story.rate < 0.5 * best < math.inf:
        evidence["one_over_curvature"] = best
        more = "" if held else ", or more steps"
        symbol = "f″" if story.line else "L"
        remedy = f"Try a larger learning rate, up to {number(best)} = 1/{symbol} at the minimum{more}."
    elif not held and story.factor is not None and story.rate >= 0.25 * story.factor * best:
        evidence["one_over_curvature"] = best
        beyond = story.factor == 2.0 and story.rate > best
        remedy = "Give it more steps, or a smaller learning rate." if beyond else "Give it more steps."
    return f"{sentence}; the nearest minimum is at {place(nearest.weight)}.", evidence, remedy


def _ahead(story: Story) -> list[CriticalPoint]:
    """The low points to which plain descent on a line may come from where it is: those downhill; else all."""
    if not story.line or story.factor != 2.0 or story.noisy:
        return list(story.lows)
    ((weight, slope),) = story.gradient.items()
    return [point for point in story.lows if (point.weight[weight] - story.final[weight]) * slope <= 0.0]


def _on_the_way(story: Story) -> str:
    """Where a run is that has not arrived, and how it goes on from there, if it does."""
    if story.status is Status.STALLED:
        where = (
            f"After {counted(story.steps)} the run is at {place(story.final)} and has not arrived"
            if story.steps
            else f"The run cannot leave its start, {place(story.final)}"
        )
        return (
            f"{where}: with η = {number(story.rate)} and a slope of {number(story.slope)} a step is too small to "
            "change a floating-point number"
        )
    if story.steps == 0:
        return f"No step was taken, and the run is at its start, {place(story.final)}"
    return f"After {counted(story.steps)} the run is at {place(story.final)} and still moving, by {number(story.pace)} a step"


_TELL: dict[VerdictKind, Callable[[Story], Telling]] = {
    "minimum": _settled, "maximum": _settled, "saddle": _settled, "inflection": _settled, "flat": _settled,
    "kink": _settled, "plateau": _plateau, "undecided": _undecided, "cycle": cycle, "diverged": diverged,
    "nonfinite": nonfinite, "still_moving": _still_moving, "no_minimum": _no_minimum,
}  # fmt: skip
