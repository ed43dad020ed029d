"""The arrays in the middle: what is to be run, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from gdsim.outcomes import Status

if TYPE_CHECKING:  # the types are named here, not used: reading a scenario needs none of these modules
    import numpy as np
    from numpy.typing import NDArray

    from gdsim.derivatives import DerivativeMethod
    from gdsim.losses import Loss
    from gdsim.noise import Noise
    from gdsim.schedules import ScheduleChoice
    from gdsim.update_rules import RuleChoice

    Array = NDArray[np.float64]
    Integers = NDArray[np.int64]

_SHOWN = 20  # records that a notebook shows


@dataclass(frozen=True)
class Stopping:
    """When a run ends: ∞-norm of the gradient, largest |weight|, number of steps."""

    max_steps: int = 1000
    gradient_tolerance: float = 1e-8
    divergence_bound: float = 1e8


@dataclass(frozen=True)
class Clip:
    """Gradient clipping, as PyTorch's ``clip_grad_norm_`` or ``clip_grad_value_``."""

    kind: Literal["norm", "value"]
    bound: float


@dataclass(frozen=True, eq=False)
class Batch:
    """Runs that share loss, derivative, rule and schedule, and differ in numbers.

    Shapes: ``initial_weight (weights, runs)``, ``learning_rate (runs,)``, each of ``parameters`` and
    ``options`` ``(runs,)``. ``options`` holds per-run values of rule, schedule and noise options by
    dotted path (``update_rule.momentum``, ``learning_rate.gamma``, ``noise.scale``). ``run_key`` names
    each run for its noise: it belongs to the run, not to its place in the batch.
    """

    loss: Loss
    initial_weight: Array
    learning_rate: Array
    derivative: DerivativeMethod
    rule: RuleChoice
    schedule: ScheduleChoice
    stopping: Stopping = field(default_factory=Stopping)
    parameters: Mapping[str, Array] = field(default_factory=dict)
    options: Mapping[str, Array] = field(default_factory=dict)
    clip: Clip | None = None
    line_search: Literal["armijo"] | None = None
    noise: Noise | None = None
    seed: Integers | None = None  # (runs,), default 0
    run_key: Integers | None = None  # (runs,), default 0 … runs − 1
    record_every: int = 1

    @property
    def runs(self) -> int:
        """The number of runs."""
        return int(self.initial_weight.shape[1])

    def take(self, chosen: Sequence[int] | Integers) -> Batch:
        """Return some of the runs, in the order given; each keeps its numbers, its seed and its key.

        Running them gives the same bytes as running all and taking the same runs of the trajectory.
        """
        import numpy as np

        place = np.asarray(chosen, dtype=np.int64)
        keys = np.arange(self.runs) if self.run_key is None else self.run_key
        return replace(
            self,
            initial_weight=self.initial_weight[:, place],
            learning_rate=self.learning_rate[place],
            parameters={name: value[place] for name, value in self.parameters.items()},
            options={path: value[place] for path, value in self.options.items()},
            seed=None if self.seed is None else self.seed[place],
            run_key=keys[place],
        )


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What happened, record by record; NaN after a run's end.

    Record k is the state at w_k, judged before the step. Shapes: ``step_index (records,)``; ``weight``
    and ``gradient`` ``(records, weights, runs)``; ``loss`` and ``learning_rate`` ``(records, runs)``;
    the rest per run. Recorded are the steps that ``record_every`` divides, and of a single run its last
    record too; the last record of every run is in the ``final_*`` arrays.

    Attributes
    ----------
    status_code
        Why each run ended: ``Status.code``, ``(runs,)`` of int8.
    gradient
        What the rule used: noise and clipping included.
    learning_rate
        The rate of the step out of each record (of the step that was not taken, in the last).
    gradient_evaluations, loss_evaluations
        Gradients judged, and evaluations of the loss made by the derivative method and the line search.
    last_evaluations
        How many of these evaluations of the loss were made at the last record.
    previous_weight, last_step
        The weight one step before the final one (itself at step 0), and the last step taken (0 at step 0).
    anchor
        The weight at the last step so far that is a power of two (NaN before step 8, and where no cycle
        can be judged): what a cycle is recognised by.
    tail
        ``(32, weights, runs)``: the last weights of runs that ended at ``max_steps``, oldest first,
        NaN in front where there were fewer, and NaN for runs that ended earlier.
    rule_state
        What the rule remembers at the end, each ``(weights, runs)``: with it a run can be resumed.
    flags
        For each run what the descent did on the way to a step: ``{step: ("clipped", …)}``.
    """

    weights: tuple[str, ...]
    step_index: Integers
    weight: Array
    gradient: Array
    loss: Array
    learning_rate: Array
    status_code: NDArray[np.int8]
    steps: Integers
    gradient_evaluations: Integers
    loss_evaluations: Integers
    last_evaluations: Integers
    final_weight: Array
    final_gradient: Array
    final_loss: Array
    final_learning_rate: Array
    previous_weight: Array
    last_step: Array
    anchor: Array
    tail: Array
    rule_state: Mapping[str, Array]
    flags: tuple[Mapping[int, tuple[str, ...]], ...]
    engine: str

    @property
    def runs(self) -> int:
        """The number of runs."""
        return len(self.status_code)

    @cached_property
    def status(self) -> tuple[Status, ...]:
        """Why each run ended."""
        return tuple(Status.of(code) for code in self.status_code.tolist())

    def ended(self, *statuses: Status) -> NDArray[np.bool_]:
        """Which runs ended so, ``(runs,)``."""
        import numpy as np

        found = np.zeros(self.runs, dtype=bool)
        for status in statuses:
            found |= self.status_code == status.code
        return found

    @cached_property
    def loss_fell(self) -> NDArray[np.bool_]:
        """Whether the loss fell from each record to the next, for each run ``(runs,)``."""
        import numpy as np

        loss = np.concatenate([self.loss, self.final_loss[None, :]])
        step = np.concatenate(
            [np.broadcast_to(self.step_index[:, None], self.loss.shape), self.steps[None, :]]
        )
        loss = np.where(step <= self.steps, loss, np.nan)
        with np.errstate(invalid="ignore"):
            fell = (loss[1:] < loss[:-1]) | np.isnan(loss[:-1]) | np.isnan(loss[1:]) | (step[1:] == step[:-1])
        last = (self.step_index[:, None] <= self.steps).sum(axis=0) - 1  # the last record of each run
        runs = np.arange(self.runs)
        end = (self.final_loss < self.loss[last, runs]) | (self.step_index[last] == self.steps)
        result: NDArray[np.bool_] = fell.all(axis=0) & end
        return result

    def _repr_html_(self) -> str:
        """What a notebook shows: the records of a single run, else how many runs ended in which way."""
        from collections import Counter

        from gdsim.markup import paragraph, table

        if self.runs != 1:
            return table(["status", "runs"], sorted(Counter(self.status).items()))
        count = len(self.step_index)
        chosen = [*range(count)] if count <= _SHOWN else [*range(_SHOWN - 3), *range(count - 3, count)]
        gradients = [f"gradient {name}" for name in self.weights]
        heads = ["step", *self.weights, "loss", *gradients, "learning rate"]
        rows = (
            [
                int(self.step_index[row]), *self.weight[row, :, 0].tolist(), float(self.loss[row, 0]),
                *self.gradient[row, :, 0].tolist(), float(self.learning_rate[row, 0]),
            ]
            for row in chosen
        )  # fmt: skip
        left = paragraph(f"{count - len(chosen)} records in the middle are left out.")
        return table(heads, rows) + left * (len(chosen) < count)

    def __getitem__(self, run: int) -> Trajectory:
        """Return one run as a batch of one, without the padding after its end."""
        import numpy as np

        steps = int(self.steps[run])
        kept = self.step_index <= steps
        missing = not (kept.any() and self.step_index[kept][-1] == steps)
        one = slice(run, run + 1) if run >= 0 else slice(run, self.runs + run + 1)

        def rows(records: Array, final: Array) -> Array:
            part = records[kept][..., one]
            return np.concatenate([part, final[None, ..., one]]) if missing else part

        index = self.step_index[kept]
        return replace(
            self,
            step_index=np.append(index, steps) if missing else index,
            weight=rows(self.weight, self.final_weight),
            gradient=rows(self.gradient, self.final_gradient),
            loss=rows(self.loss, self.final_loss),
            learning_rate=rows(self.learning_rate, self.final_learning_rate),
            rule_state={name: value[:, one] for name, value in self.rule_state.items()},
            flags=(self.flags[run],),
            **{name: getattr(self, name)[..., one] for name in _PER_RUN},
        )


_PER_RUN = (
    "status_code", "steps", "gradient_evaluations", "loss_evaluations", "last_evaluations", "final_weight",
    "final_gradient", "final_loss", "final_learning_rate", "previous_weight", "last_step", "anchor", "tail",
)  # fmt: skip
TAIL = 32  # a period up to 8 is seen four times
