"""One step of many runs: gradient with noise and clipping, learning rate, rule, line search.

Arrays are lists over weights of ``(runs,)``, so that a run's bits do not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gdsim.batch import Trajectory
from gdsim.derivatives import Gradient
from gdsim.derivatives.evaluation import compiled, loss_values
from gdsim.expr.emit_numpy import compile_raw
from gdsim.expr.nodes import Symbol
from gdsim.kernels.plan import Plan
from gdsim.noise import gaussian, minibatch_rows
from gdsim.outcomes import Status

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Rows = list[Array]  # one (runs,) for each weight

ARMIJO_SLOPE = 1e-4  # J. Nocedal and S. J. Wright, Numerical Optimization (2006), §3.1
ARMIJO_HALVINGS = 50
TINY = float(np.finfo(np.float64).tiny)


@dataclass
class Lanes:
    """The runs still going: who they are, where they are, what they remember."""

    run: Integers
    weight: Rows
    previous: Rows  # one step ago
    before: Rows  # two steps ago; nan where there is none
    anchor: Rows  # at the last power of two; nan where there is none
    state: list[Rows]  # for each name of the rule's state
    gradient_evaluations: Integers
    loss_evaluations: Integers

    def at_least_two(self) -> Lanes:
        """Return the same runs, a single one twice: NumPy may treat arrays of one number in its own way."""
        return self.take(np.array([0, 0])) if self.run.size == 1 else self

    def take(self, chosen: NDArray[np.bool_] | Integers) -> Lanes:
        """Return the chosen runs."""

        def rows(values: Rows) -> Rows:
            return [value[chosen] for value in values]

        return Lanes(
            self.run[chosen], rows(self.weight), rows(self.previous), rows(self.before), rows(self.anchor),
            [rows(values) for values in self.state],
            self.gradient_evaluations[chosen], self.loss_evaluations[chosen],
        )  # fmt: skip

    @staticmethod
    def join(parts: list[Lanes]) -> Lanes:
        """Return several groups as one."""

        def rows(groups: list[Rows]) -> Rows:
            return [np.concatenate(values) for values in zip(*groups, strict=True)]

        return Lanes(
            np.concatenate([part.run for part in parts]),
            rows([part.weight for part in parts]), rows([part.previous for part in parts]),
            rows([part.before for part in parts]), rows([part.anchor for part in parts]),
            [rows(list(groups)) for groups in zip(*(part.state for part in parts), strict=True)],
            np.concatenate([part.gradient_evaluations for part in parts]),
            np.concatenate([part.loss_evaluations for part in parts]),
        )  # fmt: skip

    def advance(self, moved: Rows, state: list[Rows]) -> None:
        """Take the step."""
        self.before, self.previous = self.previous, self.weight
        self.weight = moved
        self.state = state

    @property
    def last_step(self) -> Rows:
        """The last move; 0 before the first."""
        return [now - then for now, then in zip(self.weight, self.previous, strict=True)]


@dataclass(frozen=True, eq=False)
class Descent:
    """The formulas of a plan, compiled for arrays."""

    plan: Plan

    @cached_property
    def _formula(self) -> Callable[..., tuple[Array, ...]]:
        loss = self.plan.batch.loss
        return compile_raw(loss.gradient, loss.arguments)

    @cached_property
    def _bound(self) -> Gradient:
        return self.plan.batch.derivative.bind(self.plan.batch.loss)

    @cached_property
    def _rule(self) -> Callable[..., tuple[Array, ...]]:
        return compile_raw(self.plan.rule_outputs, self.plan.rule_arguments)

    @cached_property
    def _loss(self) -> Callable[..., Array]:
        return loss_values(self.plan.batch.loss)

    @cached_property
    def _hessian(self) -> Callable[..., tuple[Array, ...]]:
        loss = self.plan.batch.loss
        return compiled(loss, [entry for row in loss.hessian for entry in row])

    @cached_property
    def columns(self) -> list[Array]:
        """The data, each column ``(rows, 1)``."""
        return [np.array(column)[:, None] for column in self.plan.batch.loss.data.values()]

    def parameters(self, run: Integers) -> dict[str, Array]:
        """The parameters of the chosen runs."""
        batch = self.plan.batch
        return {
            name: batch.parameters[name][run] if name in batch.parameters else np.full(run.size, value)
            for name, value in batch.loss.parameters.items()
        }

    def loss(self, lanes: Lanes) -> Array:
        """The loss at the present weights, over all data."""
        return self._loss(np.stack(lanes.weight), self.parameters(lanes.run), None)

    def gradient(self, lanes: Lanes, k: int) -> tuple[Rows, NDArray[np.bool_]]:
        """The gradient that the rule uses, and which runs had theirs clipped; counts evaluations."""
        batch = self.plan.batch
        parameters = self.parameters(lanes.run)
        if batch.noise is not None and batch.noise.kind == "minibatch":
            values, evaluations = self._minibatch_gradient(lanes, parameters, k)
        elif batch.derivative.name == "analytic":
            formulas = self._formula(*lanes.weight, *parameters.values(), *self.columns)
            values, evaluations = _filled(formulas, lanes.weight[0]), None
        else:
            estimate = self._bound(np.stack(lanes.weight), parameters, None)
            values, evaluations = list(estimate.gradient), estimate.evaluations
        if evaluations is not None:
            lanes.loss_evaluations = lanes.loss_evaluations + evaluations
        lanes.gradient_evaluations = lanes.gradient_evaluations + 1
        if batch.noise is not None and batch.noise.kind == "gaussian":
            values = self._with_noise(values, lanes.run, k)
        return self._clipped(values)

    def _with_noise(self, values: Rows, run: Integers, k: int) -> Rows:
        assert self.plan.batch.noise is not None
        scale = self.plan.options("noise").get("scale")
        size = self.plan.batch.noise.scale if scale is None else scale[run]
        seed, key = self._seed(run)
        return [value + size * gaussian(seed, key, k, place) for place, value in enumerate(values)]

    def _seed(self, run: Integers) -> tuple[Integers, Integers]:
        batch = self.plan.batch
        seed = np.zeros(run.size, dtype=np.int64) if batch.seed is None else batch.seed[run]
        return seed, run if batch.run_key is None else batch.run_key[run]

    def _minibatch_gradient(
        self, lanes: Lanes, parameters: dict[str, Array], k: int
    ) -> tuple[Rows, Integers]:
        """The gradient over rows of the data drawn for each run; runs that draw equally many go together."""
        assert self.plan.batch.noise is not None
        seed, key = self._seed(lanes.run)
        swept = self.plan.options("noise").get("size")
        sizes = np.full(lanes.run.size, self.plan.batch.noise.size) if swept is None else swept[lanes.run]
        gradient = np.empty((len(lanes.weight), lanes.run.size))
        evaluations = np.zeros(lanes.run.size, dtype=np.int64)
        weight = np.stack(lanes.weight)
        for size in np.unique(sizes):
            chosen = np.flatnonzero(sizes == size)
            rows = minibatch_rows(seed[chosen], key[chosen], k, len(self.columns[0]), int(size))
            data = {
                name: column[:, 0][rows]
                for name, column in zip(self.plan.batch.loss.data, self.columns, strict=True)
            }
            some = {name: value[chosen] for name, value in parameters.items()}
            estimate = self._bound(weight[:, chosen], some, data)
            gradient[:, chosen], evaluations[chosen] = estimate.gradient, estimate.evaluations
        return list(gradient), evaluations

    def _clipped(self, values: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        clip = self.plan.batch.clip
        if clip is None:
            return values, np.zeros(values[0].shape, dtype=bool)
        if clip.kind == "value":
            clipped = [np.clip(value, -clip.bound, clip.bound) for value in values]
        else:  # as PyTorch's clip_grad_norm_, with its 1e-6; scaled, so that no square overflows
            largest = np.maximum(np.maximum.reduce([np.abs(value) for value in values]), TINY)
            norm = largest * np.sqrt(sum((value / largest) ** 2 for value in values))
            factor = np.minimum(1.0, clip.bound / (norm + 1e-6))
            clipped = [value * factor for value in values]
        changed = [np.not_equal(new, old) for new, old in zip(clipped, values, strict=True)]
        return clipped, np.logical_or.reduce(changed)

    def rate(self, run: Integers, k: int | Integers) -> Array:
        """The learning rate of the step out of w_k; one k for all runs, or one for each."""
        return self.plan.rates.at(run, k)

    def rule_options(self, run: Integers) -> list[Array | float]:
        """The values of the rule's options, in the order of its formulas."""
        swept = self.plan.options("update_rule")
        return [
            swept[name][run] if name in swept else value
            for name, value in self.plan.batch.rule.options.items()
        ]

    def step(
        self, lanes: Lanes, gradient: Rows, rate: Array, k: int, options: list[Array | float]
    ) -> tuple[Rows, list[Rows]]:
        """The rule's step and its new state."""
        extra = self._newton(lanes, gradient) if self.plan.batch.rule.rule.needs_hessian else None
        steps: Rows = []
        state: list[Rows] = [[] for _ in lanes.state]
        for place, slope in enumerate(gradient):
            inputs = [lanes.weight[place], slope, rate, float(k + 1)]
            if extra is not None:
                inputs.append(extra[place])
            values = _filled(self._rule(*inputs, *options, *(rows[place] for rows in lanes.state)), slope)
            for rows, value in zip(state, values, strict=False):
                rows.append(value)
            steps.append(values[-1])
        return steps, state

    def _newton(self, lanes: Lanes, gradient: Rows) -> Rows:
        """Solve H·s = gradient for each run; infinite or nan where H is singular."""
        weights = len(gradient)
        entries = self._hessian(np.stack(lanes.weight), self.parameters(lanes.run), None)
        if weights == 1:
            return [gradient[0] / entries[0]]
        matrix = np.stack(entries).reshape(weights, weights, -1).transpose(2, 0, 1)
        solution = np.full((matrix.shape[0], weights), np.nan)
        # the sign of the determinant is 0 only where elimination meets a zero pivot; the determinant
        # itself may underflow
        solvable = np.isfinite(matrix).all(axis=(1, 2)) & (np.linalg.slogdet(np.nan_to_num(matrix))[0] != 0.0)
        right = np.stack(gradient, axis=1)[..., None]
        solution[solvable] = np.linalg.solve(matrix[solvable], right[solvable])[..., 0]
        return list(solution.T)

    def search(
        self, lanes: Lanes, gradient: Rows, steps: Rows, rate: Array
    ) -> tuple[Rows, Array, NDArray[np.bool_]]:
        """Backtrack (Armijo): halve the step until the loss falls by a part of what the slope promises.

        Returns the steps, the learning rates used, and which runs backtracked. Where 50 halvings do not
        help, or the step does not point downhill, the step is zero.
        """
        parameters = self.parameters(lanes.run)
        here = self._loss(np.stack(lanes.weight), parameters, None)
        slope = sum((g * s for g, s in zip(gradient, steps, strict=True)), np.zeros_like(rate))
        factor = np.ones_like(rate)
        open_ = slope < 0.0
        factor[~open_] = 0.0
        evaluations = np.ones(rate.size, dtype=np.int64)
        for _ in range(ARMIJO_HALVINGS + 1):
            if not open_.any():
                break
            trial = np.stack([w + factor * s for w, s in zip(lanes.weight, steps, strict=True)])
            there = self._loss(trial, parameters, None)
            evaluations += open_
            open_ &= ~(there <= here + ARMIJO_SLOPE * factor * slope)
            factor[open_] *= 0.5
        factor[open_] = 0.0
        lanes.loss_evaluations = lanes.loss_evaluations + evaluations
        return [factor * step for step in steps], factor * rate, factor < 1.0


def _filled(values: tuple[Array, ...], like: Array) -> Rows:
    """A formula that does not vary from run to run gives one number: repeat it for every run."""
    shape = like.shape
    return [value if np.shape(value) == shape else np.broadcast_to(value, shape) for value in values]


def initial_lanes(plan: Plan, start: Trajectory | None) -> tuple[int, Lanes]:
    """Return the first step and the runs at it: all at w₀, or those of ``start`` that reached its end."""
    batch = plan.batch
    if start is None:
        runs = np.arange(batch.runs)
        weight = [row.astype(np.float64) for row in batch.initial_weight]
        options = dict(zip(batch.rule.options, Descent(plan).rule_options(runs), strict=True))
        return 0, Lanes(
            runs, weight, weight, [np.full(batch.runs, np.nan) for _ in weight],
            [np.full(batch.runs, np.nan) for _ in weight],
            [_initial_state(plan, name, options, batch.runs, len(weight)) for name in batch.rule.rule.state],
            np.zeros(batch.runs, dtype=np.int64), np.zeros(batch.runs, dtype=np.int64),
        )  # fmt: skip
    going = np.flatnonzero(start.ended(Status.MAX_STEPS))
    first = int(start.steps[going[0]]) if going.size else 0
    earlier = start.tail[-3] if first >= 2 else np.full_like(start.final_weight, np.nan)
    return first, Lanes(
        going, list(start.final_weight[:, going]), list(start.previous_weight[:, going]),
        list(earlier[:, going]), list(start.anchor[:, going]),
        [list(value[:, going]) for value in start.rule_state.values()],
        # the last record is judged once more, and counted once
        start.gradient_evaluations[going] - 1,
        start.loss_evaluations[going] - start.last_evaluations[going],
    )  # fmt: skip


def _initial_state(plan: Plan, name: str, options: dict[str, Array | float], runs: int, weights: int) -> Rows:
    expression = dict(plan.batch.rule.rule.initial_state)[name]
    arguments = [Symbol(option, "parameter") for option in options]
    (value,) = compile_raw([expression], arguments)(*options.values())
    return [np.array(np.broadcast_to(value, (runs,)), dtype=np.float64) for _ in range(weights)]
