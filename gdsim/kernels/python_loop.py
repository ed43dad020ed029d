"""The loop for a single run: plain Python floats.

Two ways to step, with the same bits. ``_Walk`` judges every step and knows everything (noise, clipping, line
search, every derivative method). Where a step is only gradient and rule, a fused function is generated
that takes eight steps at a time with the few comparisons that rule an end out; what may end within a burst,
or raises, is walked from the burst's start.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gdsim.batch import TAIL, Trajectory
from gdsim.expr.emit_python import NAMESPACES, compile_function, statements
from gdsim.expr.lower import lower
from gdsim.expr.nodes import Symbol
from gdsim.kernels.descent import ARMIJO_HALVINGS, ARMIJO_SLOPE, TINY, Descent
from gdsim.kernels.log import Log
from gdsim.kernels.numpy_lanes import initial_lanes
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
        self.steps: list[int] = []  # of the records
        self.records: list[float] = []  # weights, gradients, loss and rate, one record after the other
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
        cost = 0 if scalar is None else method.scalar_evaluations(loss)
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
        in_bursts = self.plan.plain and self.batch.derivative.name == "analytic"
        burst = _Burst(self) if in_bursts else None
        while True:
            if burst is not None:
                burst.go()
            for _ in range(burst.steps_to_judge if burst is not None else 1):
                if self.judged_step():
                    return

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
            self.steps.append(k)
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
            norm = largest * math.sqrt(sum((value / largest) ** 2 for value in values))
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
        slope = sum(g * s for g, s in zip(gradient, steps, strict=True))
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
        log.status[0] = status
        log.steps[0] = self.k
        log.gradient_evaluations[0], log.loss_evaluations[0] = self.gradients, self.losses
        log.last_evaluations[0] = self.losses - self.losses_before
        log.final["weight"][:, 0], log.final["gradient"][:, 0] = state.weight, gradient
        log.final["previous"][:, 0], log.final["step"][:, 0] = state.previous, state.last_step
        log.final["anchor"][:, 0] = state.anchor
        log.final_loss[0], log.final_rate[0] = loss, rate
        for name, values in zip(log.state, state.memory, strict=True):
            log.state[name][:, 0] = values

    def close(self) -> None:
        """Hand the records over as one table."""
        columns = 2 + 2 * len(self.batch.loss.weights)
        self.log.step_index = self.steps
        self.log.table = np.array(self.records, dtype=np.float64).reshape(-1, columns)


class _Burst:
    """The fused function of a plain run: eight unrolled steps, again and again, until a look is needed."""

    def __init__(self, walk: _Walk) -> None:
        self.walk, self.plan = walk, walk.plan
        self.every = walk.batch.record_every
        self.save: list[Any] = []
        self.steps_to_judge = 1
        loss = self.plan.batch.loss
        self.with_loss = self.every == 1 or self.plan.loss_may_fail
        watched = [loss.expression] if self.with_loss and loss.expression is not None else []
        self.formula, self.rule = lower([*loss.gradient, *watched]), lower(self.plan.rule_outputs)
        self.function = self._compile(recording=self.every == 1)

    def _last(self) -> int:
        walk = self.walk
        if is_anchor(walk.k):
            return walk.k
        limit = min(walk.stop - TAIL, max(BURST, 1 << walk.k.bit_length()))
        if self.every > 1:
            if walk.k % self.every == 0:
                return walk.k
            limit = min(limit, walk.k - walk.k % self.every + self.every)
        return limit

    def go(self) -> None:
        """Take bursts while nothing ends; leave the walk at the start of the first that needs a look."""
        walk = self.walk
        state = walk.state
        assert state is not None
        last = self._last()
        if last < walk.k + BURST or walk.k % BURST:
            self.steps_to_judge = max(1, min(last - walk.k, BURST - walk.k % BURST))
            return
        flat = [
            *state.weight,
            *state.previous,
            *state.before,
            *(v for values in state.memory for v in values),
        ]
        self.save[:] = [walk.k, flat, len(walk.records)]
        # where the fast dialect raises, the safe one walks this burst again
        with suppress(OverflowError, ZeroDivisionError, ValueError):
            self.function(walk.k, last, self.save, walk.records, *flat, *state.anchor)
        k, flat, kept = self.save
        # what stopped it short lies within the next burst; else one step leads past a record
        self.steps_to_judge = BURST if k + BURST <= last else 1
        del walk.records[kept:]
        if self.every == 1:
            walk.steps.extend(range(walk.k, k))
        walk.gradients += k - walk.k
        walk.k = k
        weights = len(state.weight)
        parts = [tuple(flat[place : place + weights]) for place in range(0, len(flat), weights)]
        weight, previous, before, *memory = parts
        walk.state = _State(weight, previous, before, state.anchor, memory)

    def _compile(self, recording: bool) -> Callable[..., None]:
        source = "\n".join(self._source(recording)) + "\n"
        walk = self.walk
        namespace: dict[str, Any] = dict(NAMESPACES["fast"])
        for place, value in enumerate((*walk.parameters, *walk.columns)):
            namespace[f"p{place}"] = value
        namespace |= {f"o{place}": value for place, value in enumerate(walk.options)}
        namespace |= {
            "initial": float(walk.batch.learning_rate[0]), "rate_of": walk._rate,
            "tolerance": walk.batch.stopping.gradient_tolerance,
            "bound": walk.batch.stopping.divergence_bound,
            "rows": float(len(walk.columns[0])) if walk.columns else 0.0,
        }  # fmt: skip
        exec(compile(source, "<gdsim burst>", "exec"), namespace)
        function: Callable[..., None] = namespace["burst"]
        return function

    def _source(self, recording: bool) -> list[str]:
        """Write ``burst(k, last, save, records, *state)``."""
        weights = len(self.walk.batch.loss.weights)
        state = [
            f"s{place}_{w}" for place in range(len(self.plan.batch.rule.rule.state)) for w in range(weights)
        ]
        names = [*(f"{letter}{w}" for letter in ("w", "a", "b") for w in range(weights)), *state]
        anchor = [f"c{w}" for w in range(weights)]
        shared = ["tolerance", "bound", "initial", "rows", *self._shared()]
        arguments = ["k", "last", "save", "records", *names, *anchor, *(f"{name}={name}" for name in shared)]
        lines = [f"def burst({', '.join(arguments)}):"]
        if recording:
            lines.append("    keep = records.extend")
        lines.append(f"    while k + {BURST} <= last:")
        lines.append(f"        save[:] = k, ({', '.join(names)},), len(records)")
        if self.plan.judges_cycle:
            again = " and ".join(
                f"w{w} == c{w} and abs(w{w} - b{w}) <= {NEAR} * max(abs(w{w}), abs(a{w}))"
                for w in range(weights)
            )
            lines.append(f"        if {again}: return")
        for offset in range(BURST):
            lines += [f"        {line}" for line in self._one_step(offset, recording)]
        if self.plan.judges_stall:
            still = " and ".join(f"w{w} == a{w}" for w in range(weights))
            cycle = " and ".join(f"w{w} == b{w}" for w in range(weights))
            lines.append(f"        if {still} or {cycle}: return")
        lines.append(f"        k += {BURST}")
        lines.append(f"    save[:] = k, ({', '.join(names)},), len(records)")
        return lines

    def _shared(self) -> list[str]:
        walk = self.walk
        fast = [f"p{place}" for place in range(len(walk.parameters) + len(walk.columns))]
        return [*fast, *(f"o{place}" for place in range(len(walk.options)))]

    def _one_step(self, offset: int, recording: bool) -> list[str]:
        loss = self.walk.batch.loss
        weights = range(len(loss.weights))
        names = {Symbol(name): f"w{place}" for place, name in enumerate(loss.weights)}
        others = [symbol for symbol in loss.arguments if symbol.role != "weight"]
        names |= {symbol: f"p{place}" for place, symbol in enumerate(others)}
        lines, results = statements(self.formula, names, "fast")
        lines += [f"g{place} = {results[place]}" for place in weights]
        outside = " or ".join(f"tolerance < g{w} < inf or -inf < g{w} < -tolerance" for w in weights)
        inside = " and ".join(f"-bound <= w{w} <= bound" for w in weights)
        finite = "" if len(weights) == 1 else "".join(f" and -inf < g{w} < inf" for w in weights)
        if self.with_loss:
            lines.append(f"loss = {results[-1]}")
            finite += " and -inf < loss < inf"
        lines.append(f"if not (({outside}) and {inside}{finite}): return")
        rate = "initial"
        if not self.plan.rates.constant:
            lines.append(f"rate = rate_of(k + {offset})")
            rate = "rate"
        if recording:
            values = [*(f"w{w}" for w in weights), *(f"g{w}" for w in weights), "loss", rate]
            lines.append(f"keep(({', '.join(values)}))")
        return [*lines, *self._rule_lines(rate, offset)]

    def _rule_lines(self, rate: str, offset: int) -> list[str]:
        """The rule for every weight, then the move; all of the old state is read before it changes."""
        rule, walk = self.plan.batch.rule.rule, self.walk
        options = {Symbol(name, "parameter"): f"o{place}" for place, name in enumerate(rule.options)}
        lines: list[str] = []
        moves: list[str] = []
        for w in range(len(walk.batch.loss.weights)):
            names = {
                **options,
                Symbol("weight", "parameter"): f"w{w}",
                Symbol("gradient", "parameter"): f"g{w}",
                Symbol("learning_rate", "parameter"): rate,
                Symbol("step_number", "parameter"): f"(k + {offset + 1}.0)",
                **{Symbol(name, "parameter"): f"s{place}_{w}" for place, name in enumerate(rule.state)},
            }
            written, results = statements(self.rule, names, "fast", prefix=f"r{w}_")
            lines += written
            targets = [f"s{place}_{w}" for place in range(len(rule.state))]
            moves.append(", ".join([*targets, f"b{w}", f"a{w}", f"w{w}"]) + " = "
                         + ", ".join([*results[:-1], f"a{w}", f"w{w}", f"w{w} + {results[-1]}"]))  # fmt: skip
        return [*lines, *moves]
