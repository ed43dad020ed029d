"""Where a kernel writes what happened: record arrays, final values, and the trajectory made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gdsim.batch import TAIL, Batch, Trajectory
from gdsim.outcomes import Fault, InputError, Status

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def record_bytes(batch: Batch, max_steps: int) -> int:
    """Return how many bytes recording a batch takes at most: records one by one, then put together."""
    records = max_steps // batch.record_every + 2
    return 2 * 8 * records * batch.runs * (2 * len(batch.loss.weights) + 2)


def check_budget(batch: Batch, budget: int) -> None:
    """Raise InputError where the records would take more bytes than allowed."""
    needed = record_bytes(batch, batch.stopping.max_steps)
    if needed > budget:
        raise InputError(
            Fault(
                f"recording {batch.runs} run(s) of up to {batch.stopping.max_steps} steps takes "
                f"{needed:,} bytes, and {budget:,} are allowed",
                expected=f"record: {{every: {-(-needed // budget) * batch.record_every}}} or more, "
                "fewer steps, or fewer runs",
                path="record.every",
            )
        )


@dataclass
class Log:
    """Records and final values of a batch, filled while it runs."""

    batch: Batch
    first: int  # the step at which the log begins
    step_index: list[int] = field(default_factory=list)
    weight: list[Array] = field(default_factory=list)
    gradient: list[Array] = field(default_factory=list)
    loss: list[Array] = field(default_factory=list)
    learning_rate: list[Array] = field(default_factory=list)
    table: Array | None = None  # of one run: weights, gradients, loss and rate in columns
    steps_of_table: Integers | None = None

    def __post_init__(self) -> None:
        weights, runs = self.batch.initial_weight.shape
        self.status_code = np.full(runs, Status.MAX_STEPS.code, dtype=np.int8)
        self.steps = np.zeros(runs, dtype=np.int64)
        self.gradient_evaluations = np.zeros(runs, dtype=np.int64)
        self.loss_evaluations = np.zeros(runs, dtype=np.int64)
        self.last_evaluations = np.zeros(runs, dtype=np.int64)
        self.final = {
            name: np.full((weights, runs), np.nan)
            for name in ("weight", "gradient", "previous", "step", "anchor")
        }
        self.final_loss = np.full(runs, np.nan)
        self.final_rate = np.full(runs, np.nan)
        self.tail = np.full((TAIL, weights, runs), np.nan)
        self.state = {name: np.full((weights, runs), np.nan) for name in self.batch.rule.rule.state}
        self.flags: dict[int, dict[int, tuple[str, ...]]] = {}  # of the runs that have any

    def flag(self, run: int, step: int, word: str) -> None:
        """Note what the descent did on the way to a step."""
        words = self.flags.setdefault(run, {}).get(step, ())
        if word not in words:
            self.flags[run][step] = (*words, word)

    def record(
        self, k: int, run: Integers | slice, weight: Array, gradient: Array, loss: Array, rate: Array
    ) -> None:
        """Write record k of the chosen runs; ``weight`` and ``gradient`` are (weights, runs)."""
        weights, runs = self.batch.initial_weight.shape
        row = [
            np.full((weights, runs), np.nan),
            np.full((weights, runs), np.nan),
            *np.full((2, runs), np.nan),
        ]
        for target, values in zip(row, (weight, gradient, loss, rate), strict=True):
            target[..., run] = values
        self.step_index.append(k)
        for store, values in zip(
            (self.weight, self.gradient, self.loss, self.learning_rate), row, strict=True
        ):
            store.append(values)

    def trajectory(self, engine: str) -> Trajectory:
        """Return everything as a trajectory; to be called once."""
        step_index, weight, gradient, loss, learning_rate = self._records()
        flags: list[dict[int, tuple[str, ...]]] = [{}] * self.batch.runs
        for run, words in self.flags.items():
            flags[run] = words
        return Trajectory(
            weights=self.batch.loss.weights,
            step_index=step_index,
            weight=weight,
            gradient=gradient,
            loss=loss,
            learning_rate=learning_rate,
            status_code=self.status_code,
            steps=self.steps,
            gradient_evaluations=self.gradient_evaluations,
            loss_evaluations=self.loss_evaluations,
            last_evaluations=self.last_evaluations,
            final_weight=self.final["weight"],
            final_gradient=self.final["gradient"],
            final_loss=self.final_loss,
            final_learning_rate=self.final_rate,
            previous_weight=self.final["previous"],
            last_step=self.final["step"],
            anchor=self.final["anchor"],
            tail=self.tail,
            rule_state=self.state,
            flags=tuple(flags),
            engine=engine,
        )

    def _records(self) -> tuple[Integers, Array, Array, Array, Array]:
        weights, runs = self.batch.initial_weight.shape
        if self.table is not None and self.steps_of_table is not None:
            parts = np.split(self.table, [weights, 2 * weights, 2 * weights + 1], axis=1)
            weight, gradient, loss, rate = (np.ascontiguousarray(part) for part in parts)
            self.table = None  # copied: let it go
            return self.steps_of_table, weight[:, :, None], gradient[:, :, None], loss, rate

        def stacked(rows: list[Array], *shape: int) -> Array:
            return np.stack(rows) if rows else np.empty((0, *shape))

        return (
            np.array(self.step_index, dtype=np.int64),
            stacked(self.weight, weights, runs),
            stacked(self.gradient, weights, runs),
            stacked(self.loss, runs),
            stacked(self.learning_rate, runs),
        )
