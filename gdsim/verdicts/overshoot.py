"""The words of a run that steps too far: a cycle, chaos, divergence or overflow, set beside 2/f″."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gdsim.outcomes import CriticalPoint
from gdsim.verdicts.settle import Array
from gdsim.verdicts.story import Story, Telling, number, place


def cycle(story: Story) -> Telling:
    """Tell of a run that repeats its last weights."""
    values = story.cycle()
    period = len(values)
    shown = [number(next(iter(value.values()))) if story.line else place(value) for value in values]
    first = f"{story.weights[0]} = " if story.line else ""
    sentence = (
        f"The run goes round in a cycle of {period}: {first}{' → '.join([*shown, shown[0]])}, for ever."
    )
    evidence: dict[str, Any] = {
        "period": period,
        "values": [value[story.weights[0]] for value in values] if story.line else values,
        "learning_rate": story.rate,
    }
    inner = _between(story, values)
    if inner is None:
        return sentence, evidence, "Try a smaller learning rate."
    evidence["around"] = {"at": dict(inner.weight), "kind": inner.kind}
    falling = "Let the learning rate fall with time (a schedule), so that the steps shrink."
    if inner.kind == "kink":
        evidence["kink"] = dict(inner.weight)
        sentence += (
            f" Between them lies a kink, {place(inner.weight)}: the slope does not shrink on the way there but "
            "jumps to the other sign, so every constant learning rate steps over it."
        )
        return sentence, evidence, falling
    if not inner.curvature:
        evidence["curvature"] = "inf"
        sentence += (
            f" At the minimum between them, {place(inner.weight)}, the curvature f″ is infinite, so that 2/f″ = 0: "
            "every constant learning rate is too large in the end."
        )
        return sentence, evidence, falling
    return _beyond_the_limit(story, inner, sentence, evidence)


def _beyond_the_limit(story: Story, inner: CriticalPoint, sentence: str, evidence: dict[str, Any]) -> Telling:
    """A cycle round a minimum with a curvature: η against the limit there."""
    curvature = inner.curvature[-1]
    if story.factor is None or not curvature > 0:
        return sentence, evidence, "Try a smaller learning rate."
    limit = story.factor / curvature
    evidence |= {"curvature": curvature, "two_over_curvature": 2.0 / curvature, "bound": limit}
    where = f"{story.limit_name} = {number(limit)} at the minimum {place(inner.weight)}"
    if math.isclose(story.rate, limit, rel_tol=1e-9):
        sentence += f" η is exactly {where}: every step lands as far beyond it as it was before."
    elif story.rate > limit:
        sentence += (
            f" η = {number(story.rate)} is above {where}: the minimum throws the weight out as it comes near."
        )
    else:
        sentence += f" η = {number(story.rate)} is below {where}, so that the cycle depends on the start."
    return sentence, evidence, f"Try a learning rate below {number(limit)} = {story.limit_name}."


def _between(story: Story, values: list[dict[str, float]]) -> CriticalPoint | None:
    """The minimum or low kink in the middle of a cycle: of those in its hull the one nearest to its mean."""
    hull = {name: sorted(value[name] for value in values) for name in story.weights}
    room = 1e-3 * max(ends[-1] - ends[0] for ends in hull.values())  # beside it along a valley counts as well
    inside = [
        point
        for point in story.lows
        if point.kind in ("minimum", "kink")
        and all(hull[n][0] - room <= point.weight[n] <= hull[n][-1] + room for n in story.weights)
    ]
    mean = {name: sum(ends) / len(ends) for name, ends in hull.items()}
    return min(inside, key=lambda p: max(abs(p.weight[n] - mean[n]) for n in mean), default=None)


def diverged(story: Story) -> Telling:
    """Tell of a run beyond the divergence bound."""
    bound = story.batch.stopping.divergence_bound
    evidence: dict[str, Any] = {
        "step": story.steps, "weight": story.final, "learning_rate": story.rate, "bound": bound,
    }  # fmt: skip
    if story.steps == 0:
        sentence = f"No step was taken: the start, {place(story.start)}, is beyond the divergence_bound of ±{number(bound)}."
        return sentence, evidence, "Start nearer to zero, or use a larger divergence_bound."
    sentence = f"The run diverged: at step {story.steps} a weight was beyond ±{number(bound)}."
    cause, more, remedy = _too_large(story)
    if not cause and not story.lows:
        cause = " The domain has no minimum that could hold it."
        remedy = "Choose a loss that has a minimum, or look for one in a larger domain."
    return sentence + cause, evidence | more, remedy


def _too_large(story: Story) -> Telling:
    """η against the stability limit where the run met the largest curvature."""
    remedy = "Try a smaller learning rate."
    if story.factor is None or story.sharpest is None:
        return "", {}, remedy
    where, curvature = story.sharpest
    limit = story.factor / curvature
    evidence = {"at": where, "curvature": curvature, "two_over_curvature": 2.0 / curvature}
    if not story.rate > limit:
        return "", evidence, remedy
    there = f"at the start, {place(where)}" if where == story.start else f"at {place(where)}"
    cause = (
        f" η = {number(story.rate)} is above {story.limit_name} = {number(limit)} {there}: a step overshoots by "
        "more than the distance that it should correct."
    )
    return cause, evidence, f"Try a learning rate below {number(limit)} = {story.limit_name} {there}."


def nonfinite(story: Story) -> Telling:
    """Tell of a run whose weight, loss or gradient is no longer a number."""
    run, t = story.run, story.trajectory
    parts = {
        "weight": t.final_weight[:, run],
        "loss": t.final_loss[[run]],
        "gradient": t.final_gradient[:, run],
    }
    broken = {name: values for name, values in parts.items() if not np.isfinite(values).all()}
    causes = [f"the {name} {_broken(values)}" for name, values in broken.items()]
    evidence: dict[str, Any] = {
        "step": story.steps,
        "nonfinite": list(broken),
        "weight": story.final,
        "loss": float(t.final_loss[run]),
        "gradient": story.gradient,
    }
    if story.steps == 0:
        sentence = f"At the start, {place(story.final)}, {' and '.join(causes)}."
        return sentence, evidence, "Start where the loss is defined and not too large."
    before = story.named(t.previous_weight[:, run])
    evidence["previous"] = before
    evidence["learning_rate"] = story.rate
    sentence = (
        f"Step {story.steps} led from {place(before)} to {place(story.final)}, where {' and '.join(causes)}."
    )
    cause, more, remedy = _too_large(story)
    if not cause:
        remedy = "Try a smaller learning rate, gradient clipping, or a start farther from the edge."
    return sentence + cause, evidence | {f"limit_{key}": value for key, value in more.items()}, remedy


def _broken(values: Array) -> str:
    if np.isnan(values).any():
        return "is undefined (0/0, ∞ − ∞, or a root or logarithm of a negative number)"
    return "is too large for a computer to hold (overflow beyond 1.8×10³⁰⁸)"


def wanders(tail: Array) -> bool:
    """Whether some weight of a tail, ``(records, weights)``, keeps turning round without its swings dying out."""
    half = len(tail) // 2
    turns = (np.diff(np.sign(np.diff(tail, axis=0)), axis=0) != 0).sum(axis=0)
    early, late = np.ptp(tail[:half], axis=0), np.ptp(tail[half:], axis=0)
    return bool(((turns > len(tail) // 4) & (late > 0.5 * early)).any())


def chaos(story: Story, tail: Array, evidence: dict[str, Any]) -> Telling:
    """Tell of a run that wanders, and whether small differences grow."""
    low, high = story.named(tail.min(axis=0)), story.named(tail.max(axis=0))
    evidence |= {"low": low, "high": high}
    ranges = " and ".join(f"{n} between {number(low[n])} and {number(high[n])}" for n in story.weights)
    sentence = (
        f"The run is still moving and never settles: it jumps about, {ranges}, without repeating itself"
    )
    growth = _growth(story, tail)
    if growth is not None:
        evidence["lyapunov_exponent"] = growth
    if growth is not None and growth > 0:
        sentence += (
            f". This is bounded chaos: small differences grow {number(math.exp(growth))}-fold a step, so the path "
            "cannot be foretold"
        )
    else:
        sentence += " within eight steps (bounded chaos, a longer cycle, or a slow approach)"
    cause, more, remedy = _too_large(story)
    return f"{sentence}.{cause}", evidence | more, remedy


def _growth(story: Story, tail: Array) -> float | None:
    """The Lyapunov exponent over the tail, the mean of ln |1 − ηf″|; plain descent of one weight only."""
    if story.batch.rule.rule.name != "gradient_descent" or not story.line:
        return None
    factors = np.abs(1.0 - story.rate * story.terrain.curvature(tail.T))
    return float(np.log(factors).mean()) if (factors > 0).all() and np.isfinite(factors).all() else None
