"""The arrays in the middle: what is to be run, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gdsim.derivatives import DerivativeMethod
from gdsim.losses import Loss
from gdsim.noise import Noise
from gdsim.outcomes import Status
from gdsim.schedules import ScheduleChoice
from gdsim.update_rules import RuleChoice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Integers = NDArray[np.int64]


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


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What happened, record by record; NaN after a run's end.

    Record k is the state at w_k, judged before the step. Shapes: ``step_index (records,)``; ``weight``
    and ``gradient`` ``(records, weights, runs)``; ``loss`` and ``learning_rate`` ``(records, runs)``;
    per run ``status, steps, loss_evaluations, gradient_evaluations (runs,)`` and the final state. ``flags``
    lists for each run what the descent did on arrival at a step: ``{step: ("clipped", …)}``.

    The last record of each run is always kept: where ``record_every`` would skip it, it stands in the
    row whose ``step_index`` equals its step count.
    """

    weights: tuple[str, ...]
    step_index: Integers
    weight: Array
    gradient: Array
    loss: Array
    learning_rate: Array
    status: tuple[Status, ...]
    steps: Integers
    loss_evaluations: Integers
    gradient_evaluations: Integers
    final_weight: Array  # (weights, runs)
    final_gradient: Array  # (weights, runs)
    final_loss: Array  # (runs,)
    previous_weight: Array  # (weights, runs): the weight one step before the final one (itself at step 0)
    last_step: Array  # (weights, runs): the last step taken, zero before the first
    tail: Array  # (tail, weights, runs): the last (up to 32) weights of each run, oldest first, NaN-padded at the front
    loss_fell: NDArray[np.bool_]  # (runs,): every step so far lowered the loss
    flags: tuple[Mapping[int, tuple[str, ...]], ...] = ()
    engine: str = "numpy"

    def __getitem__(self, run: int) -> Trajectory:
        """Return one run as a batch of one, without the padding after its end."""
        raise NotImplementedError
