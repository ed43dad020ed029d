"""The learning rate of every run at every step, and from when on it can no longer grow or change.

Both engines read their rates here, so that they use the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsim.batch import Batch
from gdsim.expr.emit_numpy import compile_raw
from gdsim.expr.nodes import Symbol
from gdsim.schedules import INPUTS

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_FAR = 1e9  # a step that a schedule without an end has left long behind its first


@dataclass(frozen=True, eq=False)
class Rates:
    """The schedule of a batch, compiled for arrays."""

    batch: Batch

    @cached_property
    def constant(self) -> bool:
        """Whether no run's rate ever changes."""
        return self.batch.schedule.schedule.name == "constant" and not self._warmup.any()

    @cached_property
    def _warmup(self) -> Array:
        """Steps of the climb at the start, ``(runs,)``."""
        swept = self.batch.options.get("learning_rate.warmup")
        return np.full(self.batch.runs, float(self.batch.schedule.warmup)) if swept is None else swept

    @cached_property
    def _options(self) -> dict[str, Array]:
        """The schedule's options, each ``(runs,)``."""
        return {
            name: self.batch.options.get(f"learning_rate.{name}", np.full(self.batch.runs, value))
            for name, value in self.batch.schedule.options.items()
        }

    @cached_property
    def _formula(self) -> Callable[..., tuple[Array, ...]]:
        names = (*INPUTS, *self.batch.schedule.schedule.options)
        return compile_raw(
            [self.batch.schedule.schedule.expression], [Symbol(name, "parameter") for name in names]
        )

    def at(self, run: Integers, k: Any) -> Array:
        """Return the rate of the step out of w_k for the chosen runs.

        Parameters
        ----------
        run
            Places of runs in the batch, ``(chosen,)``.
        k
            One step for all, or for one run an array of steps.
        """
        initial = self.batch.learning_rate[run]
        if self.constant:
            return initial if np.ndim(k) == 0 else np.broadcast_to(initial, np.shape(k))
        warmup = self._warmup[run]
        climb = initial * ((k + 1.0) / (warmup + 1.0))
        return np.where(k < warmup, climb, self._after_warmup(run, k - warmup))

    def _after_warmup(self, run: Integers, step: Array) -> Array:
        options = {name: value[run] for name, value in self._options.items()}
        period = np.floor(step / options["step_size"]) if "step_size" in options else np.zeros_like(step)
        (value,) = self._formula(self.batch.learning_rate[run], step, period, *options.values())
        return np.broadcast_to(value, np.shape(step))

    @cached_property
    def _ends(self) -> tuple[Array, Array, Array]:
        """For each run the rate after the warm-up, the last one, and from which step on it is that."""
        run = np.arange(self.batch.runs)
        name = self.batch.schedule.schedule.ends_with
        length = self._options[name] if name else np.full(run.size, _FAR)
        with np.errstate(all="ignore"):
            first, last = self._after_warmup(run, np.zeros(run.size)), self._after_warmup(run, length)
        return first, last, self._warmup + length if name else np.full(run.size, np.inf)

    @cached_property
    def rises_until(self) -> Array:
        """For each run the first step from which its rate can no longer grow.

        After its warm-up every schedule goes one way: it grows only if its last rate is above its first.
        """
        first, last, end = self._ends
        return np.where(last > first, end, self._warmup)

    @cached_property
    def changes_until(self) -> Array:
        """For each run the first step from which its rate is constant; inf where it never is."""
        first, last, end = self._ends
        return np.where(last == first, self._warmup, end)
