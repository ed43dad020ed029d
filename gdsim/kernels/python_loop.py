"""The loop for a single run: plain Python floats.

Two ways to step, with the same bits. ``_Walk`` judges every step and knows everything (noise, clipping, line
search, every derivative method). Where a step is only gradient and rule, a fused function is generated
that takes eight steps at a time (see ``burst``); what may end within a burst is walked from its start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import Any

import numpy as np

from gdsim.batch import TAIL, Trajectory
from gdsim.expr.emit_python import compile_function
from gdsim.kernels.burst import MOST_RECORDED, Burst
from gdsim.kernels.descent import ARMIJO_HALVINGS, ARMIJO_SLOPE, TINY, Descent, initial_lanes
from gdsim.kernels.log import Log
from gdsim.kernels.plan import BURST, NEAR, Plan, is_anchor
from gdsim.noise import gaussian, minibatch_rows
from gdsim.outcomes import Status

Floats = tuple[float, ...]
_BLOCK = 256  # steps whose noise and rates are worked out together


def run(plan: Plan, start: Trajectory | None = None) -> Trajectory:
    """Run a batch of one to its end; arguments as for the NumPy lanes."""
    if plan.batch.runs != 1:
        raise ValueError("the python engine takes one run")
    log = Log(plan.batch, 0)
    walk = _Walk(plan, start, log)
    log.first = walk.k
    with np.errstate(all="ignore"):
        walk.go()
    walk.close()
    return log.trajectory("python")


@dataclass
class _State:
    """Everything that a step changes."""

    weight: Floats
    previous: Floats
    before: Floats
    anchor: Floats
    memory: list[Floats]  # for each name of the rule's state, over weights

    @property
    def last_step(self) -> Floats:
        """The last move; 0 before the first."""
        return tuple(now - then for now, then in zip(self.weight, self.previous, strict=True))


class _Walk:
    def __init__(self, plan: Plan, start: Trajectory | None, log: Log) -> None:
        self.plan, self.batch, self.log = plan, plan.batch, log
        self.stop = self.batch.stopping.max_steps
        self.k, lanes = initial_lanes(plan, start)
        self.state: _State | None = None
        if lanes.run.size:
            groups = (lanes.weight, lanes.previous, lanes.before, lanes.anchor, *lanes.state)
            weight, previous, before, anchor, *memory = (
                tuple(float(row[0]) for row in rows) for rows in groups
            )
            self.state = _State(weight, previous, before, anchor, memory)
            self.gradients = int(lanes.gradient_evaluations[0])
            self.losses = int(lanes.loss_evaluations[0])
        self.parameters = tuple(
            float(self.batch.parameters[name][0]) if name in self.batch.parameters else value
            for name, value in self.batch.loss.parameters.items()
        )
        self.columns = tuple(self.batch.loss.data.values())
        one = np.zeros(1, dtype=np.int64)
        self.options = tuple(float(np.ravel(value)[0]) for value in Descent(plan).rule_options(one))
        self.judged: list[int] = []  # recorded steps that are not yet in a table
        self.records: list[float] = []  # their weights, gradients, loss and rate, one after the other
        self.steps: list[Any] = []  # the steps of each table
        self.tables: list[Any] = []
        self.noise_block: tuple[int, list[list[float]]] = (-1, [])
        self.rate_block: tuple[int, list[float]] = (-1, [])

    # -- the formulas ---------------------------------------------------------------------------

    @cached_property
    def _loss(self) -> Callable[..., float]:
        loss = self.batch.loss
        if loss.expression is None:
            from gdsim.derivatives.evaluation import loss_values

            values = loss_values(loss)
            return lambda *scalars: float(values(np.array(scalars)[:, None], {}, None)[0])
        function = compile_function([loss.expression], loss.arguments)
        return lambda *scalars: function(*scalars, *self.parameters, *self.columns)[0]

    @cached_property
    def _gradient(self) -> Callable[[Floats, dict[str, Any] | None], Floats]:
        """The derivative method on floats: its scalar form where it has one, else a batch of one."""
        loss, method = self.batch.loss, self.batch.derivative
        scalar = method.bind_scalar(loss)
        bound = method.bind(loss) if scalar is None or self.batch.noise is not None else None
        cost = 0 if scalar is None else method.evaluations(loss)
        parameters = {
            name: np.array([value]) for name, value in zip(loss.parameters, self.parameters, strict=True)
        }

        def gradient(weight: Floats, data: dict[str, Any] | None) -> Floats:
            if scalar is not None and data is None:
                self.losses += cost
                return scalar(*weight, *self.parameters)
            assert bound is not None
            estimate = bound(np.array(weight)[:, None], parameters, data)
            self.losses += int(np.ravel(estimate.evaluations)[0])
            return tuple(float(value) for value in estimate.gradient[:, 0])

        return gradient

    @cached_property
    def _rule(self) -> Callable[..., Floats]:
        return compile_function(self.plan.rule_outputs, self.plan.rule_arguments)

    def _rate(self, k: int) -> float:
        """The rate of one step, worked out in blocks by the same code as for many runs."""
        block, values = self.rate_block
        if block != k // _BLOCK:
            block = k // _BLOCK
            steps = np.arange(block * _BLOCK, (block + 1) * _BLOCK, dtype=np.float64)
            values = self.plan.rates.at(np.zeros(1, dtype=np.int64), steps).tolist()
            self.rate_block = (block, values)
        return values[k % _BLOCK]

    @cached_property
    def _hessian(self) -> Callable[..., Floats]:
        loss = self.batch.loss
        entries = [entry for row in loss.hessian for entry in row]
        function = compile_function(entries, loss.arguments)
        return lambda weight: function(*weight, *self.parameters, *self.columns)

    # -- one judged step ------------------------------------------------------------------------

    def go(self) -> None:
        """Walk and run in bursts until the run ends."""
        if self.state is None:
            return
        burst = None
        if self.plan.plain and self.batch.derivative.name == "analytic":
            burst = Burst(self.plan, (*self.parameters, *self.columns), self.options, self._rate)
        while True:
            for _ in range(1 if burst is None else self._run(burst)):
                if self.judged_step():
                    return

    def _run(self, burst: Burst) -> int:
        """Take bursts while nothing ends; return how many steps must then be judged."""
        state, last = self.state, self._last()
        assert state is not None
        if last < self.k + BURST or self.k % BURST:
            return max(1, min(last - self.k, BURST - self.k % BURST))
        groups = (state.weight, state.previous, state.before, *state.memory)
        k, flat, table = burst(self.k, last, [value for group in groups for value in group], state.anchor)
        if len(table):
            self._flush()
            self.tables.append(table)
            self.steps.append(np.arange(self.k, k))
        self.gradients += k - self.k
        unfinished = k + BURST <= last and k < self.k + MOST_RECORDED
        self.k = k
        weights = len(state.weight)
        weight, previous, before, *memory = (
            flat[place : place + weights] for place in range(0, len(flat), weights)
        )
        self.state = _State(weight, previous, before, state.anchor, memory)
        # what stopped it short lies within the next burst; else one step leads past a record
        return BURST if unfinished else 1

    def _last(self) -> int:
        """The step up to which bursts may go: before the next record, anchor, or the tail."""
        k, every = self.k, self.batch.record_every
        if is_anchor(k) or (every > 1 and k % every == 0):
            return k
        last = min(self.stop - TAIL, max(BURST, 1 << k.bit_length()))
        return last if every == 1 else min(last, k - k % every + every)

    def judged_step(self) -> bool:
        """Judge w_k, record it, take the step. Returns whether the run has ended."""
        state, k = self.state, self.k
        assert state is not None
        self.losses_before = self.losses
        gradient, clipped = self._used_gradient(state.weight, k)
        self.gradients += 1
        rate = self._rate(k)
        loss = self._loss(*state.weight)
        steps, memory = self._step(state, gradient, rate, k)
        backtracked = False
        if self.batch.line_search is not None:
            steps, rate, backtracked = self._search(state.weight, gradient, steps, rate, loss)
        status = self._judge(state, gradient, loss, steps)
        if k > self.stop - TAIL:
            self.log.tail[k - self.stop - 1][:, 0] = state.weight
        if status is not None or k % self.batch.record_every == 0:
            self.judged.append(k)
            self.records += (*state.weight, *gradient, loss, rate)
        if status is not None:
            self._finish(status, gradient, loss, rate)
            return True
        if clipped:
            self.log.flag(0, k + 1, "clipped")
        if backtracked:
            self.log.flag(0, k + 1, "backtracked")
        moved = tuple(weight + step for weight, step in zip(state.weight, steps, strict=True))
        anchor = state.anchor
        if self.plan.judges_cycle and is_anchor(k):
            anchor = state.weight if k >= self.plan.rates.changes_until[0] else (math.nan,) * len(moved)
        self.state = _State(moved, state.weight, state.previous, anchor, memory)
        self.k += 1
        return False

    def _used_gradient(self, weight: Floats, k: int) -> tuple[Floats, bool]:
        batch = self.batch
        data = None
        if batch.noise is not None and batch.noise.kind == "minibatch":
            seed, key = self._seed()
            swept = self.plan.options("noise").get("size")
            size = batch.noise.size if swept is None else int(swept[0])
            rows = minibatch_rows(seed, key, k, len(self.columns[0]), size)
            data = {
                name: np.array(column)[rows]
                for name, column in zip(batch.loss.data, self.columns, strict=True)
            }
        values = self._gradient(weight, data)
        if batch.noise is not None and batch.noise.kind == "gaussian":
            values = tuple(value + noise for value, noise in zip(values, self._noise(k), strict=True))
        if batch.clip is None:
            return values, False
        bound = batch.clip.bound
        if batch.clip.kind == "value":
            clipped = tuple(value if value != value else min(max(value, -bound), bound) for value in values)
        else:
            largest = max(*map(abs, values), TINY)
            norm = largest * math.sqrt(_added((value / largest) ** 2 for value in values))
            factor = bound / (norm + 1e-6)
            factor = 1.0 if factor >= 1.0 else factor  # nan stays nan
            clipped = tuple(value * factor for value in values)
        return clipped, clipped != values

    def _seed(self) -> tuple[Any, Any]:
        batch = self.batch
        zero = np.zeros(1, dtype=np.int64)
        return (zero if batch.seed is None else batch.seed), (
            zero if batch.run_key is None else batch.run_key
        )

    def _noise(self, k: int) -> Floats:
        """The noise of one step, drawn in blocks by the same code as for many runs."""
        assert self.batch.noise is not None
        block, values = self.noise_block
        if block != k // _BLOCK:
            block = k // _BLOCK
            seed, key = self._seed()
            swept = self.plan.options("noise").get("scale")
            scale = self.batch.noise.scale if swept is None else float(swept[0])
            steps = np.arange(block * _BLOCK, (block + 1) * _BLOCK)
            weights = np.arange(len(self.batch.loss.weights))[:, None]
            values = (scale * gaussian(seed[0], key[0], steps, weights)).T.tolist()
            self.noise_block = (block, values)
        return tuple(values[k % _BLOCK])

    def _step(self, state: _State, gradient: Floats, rate: float, k: int) -> tuple[Floats, list[Floats]]:
        extra = self._newton(state.weight, gradient) if self.batch.rule.rule.needs_hessian else None
        results = []
        for place, slope in enumerate(gradient):
            inputs = [state.weight[place], slope, rate, float(k + 1)]
            if extra is not None:
                inputs.append(extra[place])
            results.append(self._rule(*inputs, *self.options, *(values[place] for values in state.memory)))
        columns = list(zip(*results, strict=True))
        return columns[-1], columns[:-1]

    def _newton(self, weight: Floats, gradient: Floats) -> Floats:
        from gdsim.expr.emit_python import divide

        entries = self._hessian(weight)
        if len(gradient) == 1:
            return (divide(gradient[0], entries[0]),)
        matrix = np.array(entries).reshape(len(gradient), -1)
        if not np.isfinite(matrix).all() or np.linalg.slogdet(matrix)[0] == 0.0:
            return (math.nan,) * len(gradient)
        solution: list[float] = np.linalg.solve(matrix, np.array(gradient)).tolist()
        return tuple(solution)

    def _search(
        self, weight: Floats, gradient: Floats, steps: Floats, rate: float, here: float
    ) -> tuple[Floats, float, bool]:
        slope = _added(g * s for g, s in zip(gradient, steps, strict=True))
        self.losses += 1
        factor = 1.0 if slope < 0.0 else 0.0
        if factor:
            for _ in range(ARMIJO_HALVINGS + 1):
                there = self._loss(*(w + factor * s for w, s in zip(weight, steps, strict=True)))
                self.losses += 1
                if there <= here + ARMIJO_SLOPE * factor * slope:
                    break
                factor *= 0.5
            else:
                factor = 0.0
        return tuple(factor * step for step in steps), factor * rate, factor < 1.0

    def _judge(self, state: _State, gradient: Floats, loss: float, steps: Floats) -> Status | None:
        stopping, rule = self.batch.stopping, self.batch.rule.rule
        if not all(map(math.isfinite, (*state.weight, *gradient, loss))):
            return Status.NONFINITE
        if any(abs(weight) > stopping.divergence_bound for weight in state.weight):
            return Status.DIVERGED
        small = [*gradient] if rule.memoryless else [*gradient, *state.last_step]
        if all(abs(value) <= stopping.gradient_tolerance for value in small):
            return Status.CONVERGED
        rates = self.plan.rates
        if self.plan.judges_stall and self.k >= rates.rises_until[0]:
            moved = tuple(weight + step for weight, step in zip(state.weight, steps, strict=True))
            if moved == state.weight:
                return Status.STALLED
        if self.plan.judges_cycle and self.k >= rates.changes_until[0] and self._cycling(state):
            return Status.CYCLING
        return Status.MAX_STEPS if self.k >= self.stop else None

    def _cycling(self, state: _State) -> bool:
        """Whether the weight is back; see the NumPy lanes."""
        if state.weight == state.before:
            return True
        return (
            self.k % BURST == 0
            and state.weight == state.anchor
            and all(
                abs(weight - before) <= NEAR * max(abs(weight), abs(previous))
                for weight, previous, before in zip(state.weight, state.previous, state.before, strict=True)
            )
        )

    def _finish(self, status: Status, gradient: Floats, loss: float, rate: float) -> None:
        state, log = self.state, self.log
        assert state is not None
        log.status_code[0] = status.code
        log.steps[0] = self.k
        log.gradient_evaluations[0], log.loss_evaluations[0] = self.gradients, self.losses
        log.last_evaluations[0] = self.losses - self.losses_before
        log.final["weight"][:, 0], log.final["gradient"][:, 0] = state.weight, gradient
        log.final["previous"][:, 0], log.final["step"][:, 0] = state.previous, state.last_step
        log.final["anchor"][:, 0] = state.anchor
        log.final_loss[0], log.final_rate[0] = loss, rate
        for name, values in zip(log.state, state.memory, strict=True):
            log.state[name][:, 0] = values

    def _flush(self) -> None:
        """Make a table of the records judged since the last one."""
        columns = 2 + 2 * len(self.batch.loss.weights)
        self.tables.append(np.array(self.records, dtype=np.float64).reshape(-1, columns))
        self.steps.append(np.array(self.judged, dtype=np.int64))
        self.judged, self.records = [], []

    def close(self) -> None:
        """Hand the records over as one table."""
        self._flush()
        self.log.steps_of_table = np.concatenate(self.steps)
        self.log.table = np.concatenate(self.tables)
        self.tables.clear()


def _added(values: Iterable[float]) -> float:
    """The sum from left to right, each rounded, as in NumPy; from Python 3.12 on ``sum`` rounds once."""
    return reduce(add, values, 0.0)
