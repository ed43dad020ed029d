"""One step of many runs: gradient with noise and clipping, learning rate, rule, line search.

Arrays are lists over weights of ``(runs,)``, so that a run's bits do not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gdsim.derivatives.evaluation import compiled, loss_values
from gdsim.expr.emit_numpy import compile_raw
from gdsim.expr.nodes import Add, Symbol
from gdsim.kernels.plan import Plan
from gdsim.noise import gaussian, minibatch_rows

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Rows = list[Array]  # one (runs,) for each weight

ARMIJO_SLOPE = 1e-4  # J. Nocedal and S. J. Wright, Numerical Optimization (2006), §3.1
ARMIJO_HALVINGS = 50


@dataclass
class Lanes:
    """The runs still going: who they are, where they are, what they remember."""

    run: Integers
    weight: Rows
    previous: Rows  # one step ago
    before: Rows  # two steps ago; nan where there is none
    state: list[Rows]  # for each name of the rule's state
    gradient_evaluations: Integers
    loss_evaluations: Integers

    def take(self, chosen: NDArray[np.bool_] | Integers) -> Lanes:
        """Return the chosen runs."""

        def rows(values: Rows) -> Rows:
            return [value[chosen] for value in values]

        return Lanes(
            self.run[chosen], rows(self.weight), rows(self.previous), rows(self.before),
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
            rows([part.before for part in parts]),
            [rows(list(groups)) for groups in zip(*(part.state for part in parts), strict=True)],
            np.concatenate([part.gradient_evaluations for part in parts]),
            np.concatenate([part.loss_evaluations for part in parts]),
        )  # fmt: skip

    def advance(self, steps: Rows, state: list[Rows]) -> None:
        """Take the step."""
        self.before, self.previous = self.previous, self.weight
        self.weight = [value + step for value, step in zip(self.weight, steps, strict=True)]
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
    def _bound(self) -> Callable[..., object]:
        return self.plan.batch.derivative.bind(self.plan.batch.loss)

    @cached_property
    def _rule(self) -> Callable[..., tuple[Array, ...]]:
        return compile_raw(self.plan.rule_outputs, self.plan.rule_arguments)

    @cached_property
    def _move(self) -> Callable[..., tuple[Array, ...]]:
        """The new state and the new weight; w + (−ηg) and w − ηg have the same bits."""
        *state, step = self.plan.rule_outputs
        return compile_raw([*state, Add((Symbol("weight", "parameter"), step))], self.plan.rule_arguments)

    @cached_property
    def _schedule(self) -> Callable[..., tuple[Array, ...]]:
        return compile_raw([self.plan.batch.schedule.schedule.expression], self.plan.schedule_arguments)

    @cached_property
    def _loss(self) -> Callable[..., Array]:
        return loss_values(self.plan.batch.loss)

    @cached_property
    def _hessian(self) -> Callable[..., tuple[Array, ...]]:
        loss = self.plan.batch.loss
        return compiled(loss, [entry for row in loss.hessian for entry in row])

    @cached_property
    def _columns(self) -> list[Array]:
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

    def plain_gradient(self, weight: Rows, parameters: list[Array]) -> Rows:
        """The analytic gradient alone: the inner loop of a burst."""
        values = self._formula(*weight, *parameters, *self._columns)
        return _filled(values, weight[0])

    def gradient(self, lanes: Lanes, k: int) -> tuple[Rows, NDArray[np.bool_]]:
        """The gradient that the rule uses, and which runs had theirs clipped; counts evaluations."""
        batch = self.plan.batch
        parameters = self.parameters(lanes.run)
        data = self._minibatch(lanes.run, k)
        if batch.derivative.name == "analytic" and data is None:
            values = self.plain_gradient(lanes.weight, list(parameters.values()))
        else:
            estimate = self._bound(np.stack(lanes.weight), parameters, data)
            values = list(estimate.gradient)  # type: ignore[attr-defined]
            lanes.loss_evaluations = lanes.loss_evaluations + estimate.evaluations  # type: ignore[attr-defined]
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

    def _minibatch(self, run: Integers, k: int) -> dict[str, Array] | None:
        batch = self.plan.batch
        if batch.noise is None or batch.noise.kind != "minibatch":
            return None
        seed, key = self._seed(run)
        rows = minibatch_rows(seed, key, k, len(self._columns[0]), batch.noise.size)
        return {
            name: column[:, 0][rows] for name, column in zip(batch.loss.data, self._columns, strict=True)
        }

    def _clipped(self, values: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        clip = self.plan.batch.clip
        if clip is None:
            return values, np.zeros(values[0].shape, dtype=bool)
        if clip.kind == "value":
            clipped = [np.clip(value, -clip.bound, clip.bound) for value in values]
        else:  # as PyTorch's clip_grad_norm_, with its 1e-6
            norm = np.sqrt(sum(value * value for value in values))
            factor = np.minimum(1.0, clip.bound / (norm + 1e-6))
            clipped = [value * factor for value in values]
        changed = [np.not_equal(new, old) for new, old in zip(clipped, values, strict=True)]
        return clipped, np.logical_or.reduce(changed)

    def rate(self, run: Integers, k: int) -> Array:
        """The learning rate of the step out of w_k."""
        batch = self.plan.batch
        initial = batch.learning_rate[run]
        if self.plan.constant_rate:
            return initial
        if k < batch.schedule.warmup:
            return initial * ((k + 1) / (batch.schedule.warmup + 1))
        swept = self.plan.options("learning_rate")
        options = {
            name: swept[name][run] if name in swept else np.full(run.size, value)
            for name, value in batch.schedule.options.items()
        }
        step = float(k - batch.schedule.warmup)
        period = np.floor(step / options["step_size"]) if "step_size" in options else 0.0
        (value,) = self._schedule(initial, step, period, *options.values())
        return value

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

    def move(
        self, weight: Rows, state: list[Rows], gradient: Rows, rate: Array, k: int, options: list[Array | float]
    ) -> tuple[Rows, list[Rows]]:
        """The weight after the rule's step and its new state: the inner loop of a burst."""
        results = [
            _filled(self._move(w, slope, rate, float(k + 1), *options, *(rows[place] for rows in state)), w)
            for place, (w, slope) in enumerate(zip(weight, gradient, strict=True))
        ]
        return [values[-1] for values in results], [
            [values[place] for values in results] for place in range(len(state))
        ]

    def _newton(self, lanes: Lanes, gradient: Rows) -> Rows:
        """Solve H·s = gradient for each run; infinite or nan where H is singular."""
        weights = len(gradient)
        entries = self._hessian(np.stack(lanes.weight), self.parameters(lanes.run), None)
        if weights == 1:
            return [gradient[0] / entries[0]]
        matrix = np.stack(entries).reshape(weights, weights, -1).transpose(2, 0, 1)
        solution = np.full((matrix.shape[0], weights), np.nan)
        solvable = np.isfinite(matrix).all(axis=(1, 2)) & (np.linalg.det(np.nan_to_num(matrix)) != 0.0)
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
        slope = sum(g * s for g, s in zip(gradient, steps, strict=True))
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
    """A formula without symbols gives one number: repeat it for every run."""
    return [value if np.ndim(value) else np.full(like.shape, value) for value in values]
