"""Generated NumPy functions that take plain runs several steps at a time.

Plain means that a step is only the analytic gradient and the rule. Three functions are generated, which make
the same steps to the last bit:

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
from gdsim.expr.lower import lower
from gdsim.expr.nodes import Symbol
from gdsim.kernels.descent import Descent, Lanes, Rows

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Kind = Literal["quick", "careful", "keeping"]

_DISTRUST = 8  # bursts that look at every weight after one whose sum of squares was too large
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
        self.distrust = 0

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
        descent = self.descent
        if self.plan.rates.constant:
            rate: Any = descent.rate(lanes.run, k)
            if np.all(rate == rate[0]):
                rate = rate[0]  # one number is read faster than as many, with the same bits
            rates = [rate] * length
        else:
            rates = [descent.rate(lanes.run, step) for step in range(k, k + length)]
        weight, previous, before, state, near, guard = function(
            k, rates, *lanes.weight, *(row for rows in lanes.state for row in rows),
            *descent.parameters(lanes.run).values(), *descent.columns, *descent.rule_options(lanes.run), *more,
        )  # fmt: skip
        size = len(self.weights)
        moved = Lanes(
            lanes.run, weight, previous, before, lanes.anchor,
            [state[place * size : (place + 1) * size] for place in self.states],
            lanes.gradient_evaluations + length, lanes.loss_evaluations,
        )  # fmt: skip
        return moved, near, guard

    # -- the source -----------------------------------------------------------------------------

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
            "bound": stopping.divergence_bound, "dot": np.dot, "isfinite": np.isfinite,
            "greater": np.greater, "greater_equal": np.greater_equal, "less_equal": np.less_equal,
            "differ": np.not_equal, "either": np.logical_or, "both": np.logical_and,
            "mask": lambda like, value: np.full(like.shape, value), "filled": _filled, "empty": np.empty_like,
        }  # fmt: skip
        exec(compile("\n".join(self._source(kind)) + "\n", "<gdsim lanes>", "exec"), namespace)
        function: Callable[..., Any] = namespace.pop("burst")
        return function

    def _source(self, kind: Kind) -> list[str]:
        """Write ``burst(k, rates, *weights, *state, *parameters, *columns, *options, kept)``."""
        loss, rule = self.plan.batch.loss, self.plan.batch.rule.rule
        weight = [f"w{w}" for w in self.weights]
        state = [f"s{place}_{w}" for place in self.states for w in self.weights]
        others = [symbol for symbol in loss.arguments if symbol.role != "weight"]
        fixed = {symbol: f"p{place}" for place, symbol in enumerate(others)}
        options = [f"o{place}" for place in range(len(rule.options))]
        arguments = ["k", "rates", *weight, *state, *fixed.values(), *options]
        columns = [fixed[symbol] for symbol in others if symbol.role == "column"]
        names = {**{Symbol(name): f"w{place}" for place, name in enumerate(loss.weights)}, **fixed}
        lines, results = statements(self.formula, names)
        lines += [f"g{w} = {self._array(self.formula, w, results[w])}" for w in self.weights]
        if self.with_loss:
            lines.append(f"loss = {self._array(self.formula, -1, results[-1])}")
        lines += self._looks(kind)
        moves: list[str] = []
        for w in self.weights:
            written, targets = self._rule_lines(w)
            lines += written
            moves.append(targets)
        moves.append(
            f"{', '.join(self._each('bawn'))} = {', '.join(self._each('awn'))}, {', '.join(self._each('n'))}"
        )
        lists = [", ".join(names) for names in (weight, self._each("a"), self._each("b"), state)]
        guard = "inside" if kind == "careful" else "total"
        outcome = f"{', '.join(f'[{names}]' for names in lists)}, near, {guard}"
        return [
            f"def burst({', '.join([*arguments, 'kept'])}):",
            *([f"    rows = float(len({columns[0]}))"] if columns else []),
            "    near, one, two = mask(w0, False), mask(w0, False), mask(w0, False)",
            "    inside, space = mask(w0, True), empty(w0)" if kind == "careful" else "    total = 0.0",
            *(f"    a{w} = b{w} = w{w}" for w in self.weights),
            "    for rate in rates:",
            "        k += 1.0",
            *(f"        {line}" for line in [*lines, *moves]),
            f"    return {outcome}",
        ]

    def _each(self, letters: str) -> list[str]:
        return [f"{letter}{w}" for letter in letters for w in self.weights]

    @staticmethod
    def _array(program: Any, output: int, text: str) -> str:
        """The text of a result, repeated for every run where it is the same number for all."""
        needed, varies = [program.outputs[output]], False
        while needed and not varies:
            step = program.instructions[needed.pop()]
            varies = isinstance(step.payload, Symbol) and step.payload.name not in (
                "learning_rate",
                "step_number",
            )
            needed += step.operands
        return text if varies else f"filled({text}, w0)"

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
        lines = [f"if kept is not None: kept.append([{weights}])"]
        # |g| ≤ tolerance where g > tolerance and g ≥ −tolerance differ: comparisons are cheaper than |g|
        lines += ["greater(g0, tolerance, one)", "greater_equal(g0, low, two)", "differ(one, two, one)"]
        for w in self.weights[1:]:
            lines += [
                f"greater(g{w}, tolerance, two)",
                f"both(one, differ(two, greater_equal(g{w}, low)), one)",
            ]
        lines.append("either(near, one, near)")
        if kind == "quick":
            lines += [f"total += dot({name}, {name})" for name in self._each("w")]
            lines += [f"total += 0.0 * dot({name}, {name})" for name in watched]  # nan if not finite
            return lines
        for name in self._each("w"):
            lines += [f"abs({name}, space)", "both(inside, less_equal(space, bound, one), inside)"]
        lines += [f"both(inside, isfinite({name}, one), inside)" for name in watched]
        return lines

    def _rule_lines(self, w: int) -> tuple[list[str], str]:
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
        if not state:
            return lines, "pass"
        targets = ", ".join(f"s{place}_{w}" for place in self.states)
        return lines, f"{targets} = {', '.join(state)}"


def _filled(value: Any, like: Array) -> Array:
    return np.full(like.shape, value) if np.ndim(value) == 0 else value
