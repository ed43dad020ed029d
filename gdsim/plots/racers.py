"""The runs of a race: what they paid, and the words that set each apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gdsim.plots import text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]

_KNOWN = ("minimum", "kink", "flat")
_ROUNDING = 1e-9  # of a loss


class Racer(NamedTuple):
    """One run of a race.

    Attributes
    ----------
    run
        The run.
    paid
        The gradients evaluated up to and with each record, ``(records,)``.
    loss, weight
        The records: ``(records,)`` and ``(records, weights)``.
    domain
        Where critical points were sought, for each weight.
    words
        What sets the run apart, and what came of it.
    """

    run: Run
    paid: Array
    loss: Array
    weight: Array
    domain: tuple[tuple[float, float], ...]
    words: str

    @property
    def lost(self) -> bool:
        """Whether the run left all bounds."""
        return self.run.verdict.kind in ("diverged", "nonfinite")


def racers(runs: Sequence[Run]) -> list[Racer]:
    """Return the runs with what they paid and their words."""
    facts = [settings(run) for run in runs]
    apart = [key for key in facts[0] if len({fact[key] for fact in facts}) > 1]
    found = []
    for run, fact in zip(runs, facts, strict=True):
        differences = [fact[key] for key in apart if fact[key]] or ([run.name] if not apart else ["plain"])
        end = run.trajectory
        found.append(
            Racer(
                run,
                end.step_index.astype(np.float64) + 1.0,
                end.loss[:, 0],
                end.weight[:, :, 0],
                tuple(run.search.domain[name] for name in run.loss.weights),
                f"{', '.join(differences)}: {outcome(run)}{_paid(run)}",
            )
        )
    return found


def lowest_loss(runs: Sequence[Run]) -> tuple[float, bool]:
    """Return what losses are measured from, and whether it is the loss of a critical point.

    A run may get lower than all of these: by rounding, which is no matter, or beyond where they were sought.
    Where none is known and all losses are above 0, it is 0.
    """
    known = [
        point.loss for run in runs for point in run.critical_points
        if point.kind in _KNOWN and np.isfinite(point.loss)
    ]  # fmt: skip
    seen = np.concatenate([run.trajectory.loss[:, 0] for run in runs])
    seen = seen[np.isfinite(seen)]
    reached = float(seen.min()) if seen.size else 0.0
    if not known:
        return min(reached, 0.0), False
    lowest = float(min(known))
    return min(lowest, reached), reached >= lowest - _ROUNDING * max(1.0, abs(lowest))


def shared(runs: Sequence[Run]) -> list[str]:
    """Return in words what all runs share, apart from the loss."""
    facts = [settings(run) for run in runs]
    values = [f"{name} = {text.short(value)}" for name, value in runs[0].loss.parameters.items()]
    same = [facts[0][key] for key in facts[0] if len({fact[key] for fact in facts}) == 1]
    return values + [words for words in same if words]


def settings(run: Run) -> dict[str, str]:
    """Return what a run was asked to do, in words by theme; empty where there is nothing to say.

    The themes are those that change a descent: rule, learning rate, start, derivative, clipping,
    line search, noise.
    """
    batch = run.batch
    rate = f"η = {text.short(float(run.trajectory.learning_rate[0, 0]))}"
    schedule = batch.schedule.schedule.name
    start = ", ".join(
        f"{name} = {text.short(float(value))}"
        for name, value in zip(run.loss.weights, run.trajectory.weight[0, :, 0], strict=True)
    )
    clip, noise = batch.clip, batch.noise
    return {
        "rule": _rule(run),
        "rate": rate if schedule == "constant" else f"{rate} ({schedule.replace('_', ' ')})",
        "start": f"start {start}",
        "derivative": "" if batch.derivative.name == "analytic" else batch.derivative.label,
        "clip": "" if clip is None else f"clipped at {clip.kind} {text.short(clip.bound)}",
        "line_search": "" if batch.line_search is None else f"line search ({batch.line_search})",
        "noise": "" if noise is None
        else f"noise {text.short(noise.scale)}" if noise.kind == "gaussian"
        else f"mini-batches of {noise.size}",
        "seed": "" if noise is None or batch.seed is None else f"seed {int(batch.seed[0])}",
    }  # fmt: skip


def _rule(run: Run) -> str:
    """Return the rule with the options that are not as the rule has them by itself."""
    choice = run.batch.rule
    usual = {key: option.default for key, option in choice.rule.options.items()}
    named, own = choice.rule.name.replace("_", " "), choice.rule.name in ("momentum", "nesterov")
    said = [
        text.short(value) if key == "momentum" and own else f"{key.replace('_', ' ')} {text.short(value)}"
        for key, value in choice.options.items()
        if value != usual.get(key) or (key == "momentum" and own)
    ]
    return " ".join([named, *said]) if len(said) < 2 else f"{named} ({', '.join(said)})"


def outcome(run: Run) -> str:
    """Return what came of a run; its steps stand on the axis."""
    return text.outcome(run).partition(" · ")[0]


def _paid(run: Run) -> str:
    """Return what a run paid beside its gradients."""
    gradients, losses = (
        int(count[0]) for count in (run.trajectory.gradient_evaluations, run.trajectory.loss_evaluations)
    )
    beside = [f"{losses:,} losses".replace(",", "\u202f")] if losses else []
    beside += [f"{gradients} Hessians"] if run.batch.rule.rule.needs_hessian else []
    return f" (+ {', '.join(beside)})" if beside else ""
