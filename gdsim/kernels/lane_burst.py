"""Generated NumPy functions that take plain runs several steps at a time.

Plain means that a step is only the analytic gradient and the rule. Four functions are generated, which make
the same steps to the last bit:

* the *calm* one goes on burst after burst while nothing at all happens to any run;
* the *quick* one notes which runs came within the gradient tolerance, and adds up the squares of all weights:
  while the sum is below the squared divergence bound, no run has left it;
* the *careful* one looks at every weight of every run;
* the *keeping* one returns every weight and gradient on the way, to judge the few runs that may have ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gdsim.expr.emit_numpy import NAMESPACE, statements
from gdsim.expr.lower import Program, lower
from gdsim.expr.nodes import Symbol
from gdsim.kernels.descent import Descent, Lanes, Rows
from gdsim.kernels.plan import BURST

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Kind = Literal["calm", "quick", "careful", "keeping"]

_DISTRUST = 8  # bursts that look at every weight after one whose sum of squares was too large
_IMPATIENCE = 4  # bursts without a calm attempt after one that came to nothing
_LARGEST_SUM = 1e300


@dataclass
class Path:
    """Every step of a burst: weights ``(steps + 1, weights, runs)``, the rest one row shorter."""

    weight: Array
    gradient: Array
    loss: Array | None  # (steps, runs), where it might fail
    state: list[list[Rows]]  # for each step, as in ``Lanes``


class LaneBurst:
    """The generated functions of a batch, and which of them to trust."""

    def __init__(self, descent: Descent) -> None:
        self.descent, self.plan = descent, descent.plan
        loss = self.plan.batch.loss
        self.weights = range(len(loss.weights))
        self.states = range(len(self.plan.batch.rule.rule.state))
        self.with_loss = self.plan.loss_may_fail
        assert loss.expression is not None
        self.formula = lower([*loss.gradient, *([loss.expression] if self.with_loss else [])])
        self.rule = lower(self.plan.rule_outputs)
        bound = self.plan.batch.stopping.divergence_bound
        self.limit = min(0.5 * bound * bound if bound < 1e150 else _LARGEST_SUM, _LARGEST_SUM)
        self.distrust = self.impatience = 0
        self._inputs: tuple[Any, Any, list[Any]] = (None, None, [])

    def calm(self, lanes: Lanes, k: int, bursts: int) -> tuple[Lanes, int]:
        """Take up to so many bursts of eight while no run may have ended; return the steps taken."""
        if self.impatience or self.distrust or bursts < 2:
            self.impatience = max(0, self.impatience - 1)
            return lanes, 0
        moved, done, _ = self._call(self._calm, lanes, k, bursts * BURST, lanes.anchor)
        steps = int(done - k)
        if not steps:
            self.impatience = _IMPATIENCE
            return lanes, 0
        moved.gradient_evaluations = lanes.gradient_evaluations + steps
        return moved, steps

    def run(self, lanes: Lanes, k: int, length: int, path: list[Rows] | None = None) -> tuple[Lanes, Mask]:
        """Take ``length`` steps from w_k; put the weights before each into ``path``, where given.

        Returns the runs afterwards, and which of them may have been NONFINITE, DIVERGED or CONVERGED on the
        way.
        """
        if not self.distrust:
            moved, near, total = self._call(self._quick, lanes, k, length, path)
            if total < self.limit:
                return moved, near
            self.distrust = _DISTRUST
        self.distrust -= 1
        if path is not None:
            path.clear()
        moved, near, inside = self._call(self._careful, lanes, k, length, path)
        return moved, near | ~inside

    def rows(self, lanes: Lanes, k: int, length: int) -> Path:
        """Take the same steps and return all of them."""
        kept: list[tuple[Rows, Rows, Rows, list[Rows]]] = []
        moved, _, _ = self._call(self._keeping, lanes, k, length, kept)
        return Path(
            np.array([*(weight for weight, _, _, _ in kept), moved.weight]),
            np.array([gradient for _, gradient, _, _ in kept]),
            np.array([loss[0] for _, _, loss, _ in kept]) if self.with_loss else None,
            [state for _, _, _, state in kept],
        )

    def _call(
        self, function: Callable[..., Any], lanes: Lanes, k: int, length: int, *more: Any
    ) -> tuple[Lanes, Mask, Any]:
        rate, fixed = self._fixed_inputs(lanes.run)
        if self.plan.rates.constant:
            rates = [rate] * length
        else:
            rates = [self.descent.rate(lanes.run, step) for step in range(k, k + length)]
        state_rows = (row for rows in lanes.state for row in rows)
        previous_rows = (*lanes.previous, *lanes.before)
        weight, previous, before, state, near, guard = function(
            k, rates, *lanes.weight, *previous_rows, *state_rows, *fixed, *more
        )
        size = len(self.weights)
        moved = Lanes(
            lanes.run, weight, previous, before, lanes.anchor,
            [state[place * size : (place + 1) * size] for place in self.states],
            lanes.gradient_evaluations + length, lanes.loss_evaluations,
        )  # fmt: skip
        return moved, near, guard

    def _fixed_inputs(self, run: Integers) -> tuple[Any, list[Any]]:
        """The learning rate at the start, and parameters, columns and options, of these runs."""
        known, rate, fixed = self._inputs
        if known is not run:
            descent = self.descent
            rate = descent.rate(run, 0)
            if np.all(rate == rate[0]):
                rate = rate[0]  # one number is read faster than as many, with the same bits
            parameters = descent.parameters(run).values()
            masks = np.zeros((3, run.size), dtype=bool)
            fixed = [*parameters, *descent.columns, *descent.rule_options(run), *masks]
            self._inputs = (run, rate, fixed)
        return rate, fixed

    # -- the source -----------------------------------------------------------------------------

    @cached_property
    def _calm(self) -> Callable[..., Any]:
        return self._compile("calm")

    @cached_property
    def _quick(self) -> Callable[..., Any]:
        return self._compile("quick")

    @cached_property
    def _careful(self) -> Callable[..., Any]:
        return self._compile("careful")

    @cached_property
    def _keeping(self) -> Callable[..., Any]:
        return self._compile("keeping")

    def _compile(self, kind: Kind) -> Callable[..., Any]:
        stopping = self.plan.batch.stopping
        namespace: dict[str, Any] = {
            **NAMESPACE,
            "tolerance": stopping.gradient_tolerance, "low": -stopping.gradient_tolerance,
            "bound": stopping.divergence_bound, "limit": self.limit, "dot": np.dot, "equal": np.equal,
            "greater": np.greater, "greater_equal": np.greater_equal, "less_equal": np.less_equal,
            "differ": np.not_equal, "either": np.logical_or, "both": np.logical_and, "isfinite": np.isfinite,
            "mask": lambda like, value: np.full(like.shape, value), "filled": _filled, "empty": np.empty_like,
        }  # fmt: skip
        exec(compile("\n".join(self._source(kind)) + "\n", "<gdsim lanes>", "exec"), namespace)
        function: Callable[..., Any] = namespace.pop("burst")
        return function

    def _source(self, kind: Kind) -> list[str]:
        """Write ``burst(k, rates, *weights, *previous, *before, *state, *fixed, kept)``."""
        loss, rule = self.plan.batch.loss, self.plan.batch.rule.rule
        others = [symbol for symbol in loss.arguments if symbol.role != "weight"]
        fixed = [f"p{place}" for place in range(len(others))]
        options = [f"o{place}" for place in range(len(rule.options))]
        changing = [*self._each("wab"), *self._state()]
        arguments = ["k", "rates", *changing, *fixed, *options, "near", "one", "two"]
        columns = [name for name, symbol in zip(fixed, others, strict=True) if symbol.role == "column"]
        lists = [", ".join(names) for names in (*(self._each(letter) for letter in "wab"), self._state())]
        guard = {"careful": "inside", "calm": "None"}.get(kind, "total")
        noted = "k" if kind == "calm" else "near"
        outcome = f"{', '.join(f'[{names}]' for names in lists)}, {noted}, {guard}"
        step = self._step_lines(kind)
        if kind == "calm":
            loop = self._calm_loop(step, changing)
        else:
            begin = "near, inside, space = mask(w0, False), mask(w0, True), empty(w0)"
            loop = [begin, "total = 0.0", "for rate in rates:", *(f"    {line}" for line in step)]
        return [
            f"def burst({', '.join([*arguments, 'kept'])}):",
            *([f"    rows = float(len({columns[0]}))"] if columns else []),
            *(f"    {line}" for line in loop),
            f"    return {outcome}",
        ]

    def _calm_loop(self, step: list[str], changing: list[str]) -> list[str]:
        """Burst after burst; where something may have happened, back to the burst's start."""
        start, kept = ", ".join(["k", *changing]), ", ".join(f"start_{name}" for name in ["k", *changing])
        wary = ["near.any()", "not total < limit"]
        if self.plan.judges_stall:
            for letter in "ab":
                same = [f"equal(w{w}, {letter}{w})" for w in self.weights]
                wary.append(f"{' & '.join(same)}.any()" if len(same) == 1 else f"({' & '.join(same)}).any()")
        lines = ["near.fill(False)", f"for first in range(0, len(rates), {BURST}):"]
        if self.plan.judges_cycle:
            again = " & ".join(f"equal(w{w}, kept[{w}])" for w in self.weights)
            lines.append(f"    if ({again}).any(): break")
        return [
            *lines,
            f"    {kept} = {start}",
            "    total = 0.0",
            f"    for rate in rates[first:first + {BURST}]:",
            *(f"        {line}" for line in step),
            f"    if {' or '.join(wary)}:",
            f"        {start} = {kept}",
            "        break",
        ]

    def _step_lines(self, kind: Kind) -> list[str]:
        """The gradient, what is noted of it, the rule, and the move."""
        loss = self.plan.batch.loss
        others = [symbol for symbol in loss.arguments if symbol.role != "weight"]
        names = {Symbol(name): f"w{place}" for place, name in enumerate(loss.weights)}
        names |= {symbol: f"p{place}" for place, symbol in enumerate(others)}
        lines, results = statements(self.formula, names)
        lines += [f"g{w} = {self._array(self.formula, w, results[w])}" for w in self.weights]
        if self.with_loss:
            lines.append(f"loss = {self._array(self.formula, -1, results[-1])}")
        lines += ["k += 1.0", *self._looks(kind)]
        moves: list[str] = []
        for w in self.weights:
            written, targets = self._rule_lines(w)
            lines += written
            moves += targets
        changed, new = self._each("bawn"), [*self._each("awn"), *(["None"] * len(self.weights))]
        return [*lines, *moves, f"{', '.join(changed)} = {', '.join(new)}"]

    def _state(self) -> list[str]:
        return [f"s{place}_{w}" for place in self.states for w in self.weights]

    def _each(self, letters: str) -> list[str]:
        return [f"{letter}{w}" for letter in letters for w in self.weights]

    def _array(self, program: Program, output: int, text: str) -> str:
        """The text of a result, repeated for every run where it is the same number for all."""
        varying = {"weight", "gradient", *self.plan.batch.rule.rule.state}
        needed = [program.outputs[output]]
        while needed:
            step = program.instructions[needed.pop()]
            symbol = step.payload
            if isinstance(symbol, Symbol) and (symbol.role == "weight" or symbol.name in varying):
                return text
            needed += step.operands
        return f"filled({text}, w0)"

    def _looks(self, kind: Kind) -> list[str]:
        """What each kind notes at a step, before the move."""
        watched = [f"g{w}" for w in self.weights] if self.plan.gradient_may_fail else []
        watched += ["loss"] if self.with_loss else []
        if kind == "keeping":
            state = ", ".join(
                f"[{', '.join(f's{place}_{w}' for w in self.weights)}]" for place in self.states
            )
            rows = f"[{', '.join(self._each('w'))}], [{', '.join(self._each('g'))}]"
            return [f"kept.append(({rows}, [{'loss' if self.with_loss else ''}], [{state}]))"]
        weights = ", ".join(self._each("w"))
        lines = [] if kind == "calm" else [f"if kept is not None: kept.append([{weights}])"]
        # |g| ≤ tolerance where g > tolerance and g ≥ −tolerance differ: comparisons are cheaper than |g|
        lines += ["greater(g0, tolerance, one)", "greater_equal(g0, low, two)", "differ(one, two, one)"]
        for w in self.weights[1:]:
            lines += [
                f"greater(g{w}, tolerance, two)",
                f"both(one, differ(two, greater_equal(g{w}, low)), one)",
            ]
        lines.append("either(near, one, near)")
        if kind in ("calm", "quick"):
            lines += [f"total += dot({name}, {name})" for name in self._each("w")]
            lines += [f"total += 0.0 * dot({name}, {name})" for name in watched]  # nan if not finite
            return lines
        for name in self._each("w"):
            lines += [f"abs({name}, space)", "both(inside, less_equal(space, bound, one), inside)"]
        lines += [f"both(inside, isfinite({name}, one), inside)" for name in watched]
        return lines

    def _rule_lines(self, w: int) -> tuple[list[str], list[str]]:
        """The rule for one weight, and the change of its state."""
        rule = self.plan.batch.rule.rule
        names = {Symbol(name, "parameter"): f"o{place}" for place, name in enumerate(rule.options)}
        names |= {Symbol(name, "parameter"): f"s{place}_{w}" for place, name in enumerate(rule.state)}
        names |= {
            Symbol("weight", "parameter"): f"w{w}",
            Symbol("gradient", "parameter"): f"g{w}",
            Symbol("learning_rate", "parameter"): "rate",
            Symbol("step_number", "parameter"): "k",
        }
        lines, results = statements(self.rule, names, prefix=f"r{w}_")
        lines.append(f"n{w} = w{w} + {results[-1]}")
        state = [self._array(self.rule, place, results[place]) for place in self.states]
        targets = ", ".join(f"s{place}_{w}" for place in self.states)
        return lines, [f"{targets} = {', '.join(state)}"] if state else []


def _filled(value: Any, like: Array) -> Array:
    return np.array(np.broadcast_to(value, like.shape), dtype=np.float64)
