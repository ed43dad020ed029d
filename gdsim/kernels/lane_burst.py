"""Generated NumPy functions that take plain runs several steps at a time.

Plain means that a step is only the analytic gradient and the rule. Four functions are generated, which make
the same steps to the last bit:

* the *calm* one goes on while nothing at all happens to any run, and looks for that now and then;
* the *quick* one notes which runs came within the gradient tolerance, and adds up the squares of all weights:
  while the sum is below the squared divergence bound, no run has left it;
* the *careful* one looks at every weight of every run;
* the *keeping* one returns every weight and gradient on the way, to judge the few runs that may have ended.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from itertools import cycle, islice, repeat
from types import CodeType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gdsim.expr.emit_numpy import NAMESPACE, statements
from gdsim.expr.lower import Program, lower
from gdsim.expr.nodes import Expr, Negate, Symbol, substitute
from gdsim.kernels.descent import Descent, Lanes, Rows
from gdsim.kernels.in_place import OPERATORS, in_place
from gdsim.kernels.plan import BURST, NEAR

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Kind = Literal["calm", "quick", "careful", "keeping"]

_DISTRUST = 8  # bursts that look at every weight after one whose sum of squares was too large
_STRETCH = 4 * BURST  # calm steps at most that are taken back where something may have happened
_IMPATIENCE = (4, 64)  # bursts without a calm attempt after one that was taken back: at first, and at most
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
        # the rate with its sign turned: no step has to turn it, and no bit changes
        turned: dict[Expr, Expr] = {Symbol("learning_rate", "parameter"): Negate(Symbol("down", "parameter"))}
        self.rule = lower([substitute(formula, turned) for formula in self.plan.rule_outputs])
        bound = self.plan.batch.stopping.divergence_bound
        self.limit = min(0.5 * bound * bound if bound < 1e150 else _LARGEST_SUM, _LARGEST_SUM)
        self.distrust = self.impatience = 0
        self.patience_lost = _IMPATIENCE[0]
        self.radius, self.stride = -1.0, 1  # from weights within the radius so many steps are safe
        self._inputs: tuple[Any, Any, list[Any]] = (None, None, [])

    def calm(self, lanes: Lanes, k: int, end: int, path: Iterable[Rows] | None) -> tuple[Lanes, int]:
        """Go on from w_k towards w_end while no run may have ended; return the steps taken.

        The weights after each step are put into the arrays of ``path``, where given.
        """
        if self.impatience or self.distrust:
            self.impatience = max(0, self.impatience - 1)
            return lanes, 0
        limit, places = self._limit(lanes), None if path is None else iter(path)
        moved, done, _ = self._call(
            self._calm, lanes, k, end - k, lanes.anchor, _stretches(k, end, self.stride), limit, places
        )
        steps = int(done) - k
        if steps:
            self.patience_lost = _IMPATIENCE[0]
        if steps < end - k:
            self.impatience = self.patience_lost
            self.patience_lost = min(2 * self.patience_lost, _IMPATIENCE[1])
        moved.gradient_evaluations = lanes.gradient_evaluations + steps
        return (moved if steps else lanes), steps

    def _limit(self, lanes: Lanes) -> float:
        """Choose how many steps go between two sums of the squared weights; return their limit."""
        root = math.sqrt(sum(float(np.dot(row, row)) for row in lanes.weight))
        shrunk = self.stride < BURST and root < self.radius / 64
        if (root > self.radius or shrunk) and root * root < self.limit:
            self.radius = 2.0 ** math.ceil(math.log2(2.0 * root + 1e-3))
            self.stride = self.plan.safe_steps(self.radius, BURST)
        return min(self.limit, self.radius * self.radius) if self.stride > 1 else self.limit

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
        rates = (
            repeat(rate, length)
            if self.plan.rates.constant
            else (-self.descent.rate(lanes.run, step) for step in range(k, k + length))
        )
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
        """The learning rate at the start, turned, and parameters, columns and options, of these runs."""
        known, rate, fixed = self._inputs
        if known is not run:
            descent = self.descent
            rate = -descent.rate(run, 0)
            if np.all(rate == rate[0]):
                rate = np.array(rate[0])  # one number is read faster than as many, with the same bits
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
            "tolerance": np.array(stopping.gradient_tolerance), "low": np.array(-stopping.gradient_tolerance),
            "bound": stopping.divergence_bound, "dot": np.dot, "equal": np.equal,
            "greater": np.greater, "greater_equal": np.greater_equal, "less_equal": np.less_equal,
            "differ": np.not_equal, "either": np.logical_or, "both": np.logical_and, "isfinite": np.isfinite,
            "mask": lambda like, value: np.full(like.shape, value), "filled": _filled, "empty": np.empty_like,
            "targets": _targets, "spares": _spares, "back_again": back_again,
            "count": np.count_nonzero, "islice": islice, "cycle": cycle,
            **{name: getattr(np, name) for name in OPERATORS.values()},
            "signs": lambda like: np.zeros((BURST, like.size), dtype=bool),
        }  # fmt: skip
        exec(_code("\n".join(self._source(kind)) + "\n"), namespace)
        function: Callable[..., Any] = namespace.pop("burst")
        return function

    def _source(self, kind: Kind) -> list[str]:
        """Write ``burst(k, rates, *weights, *previous, *before, *state, *fixed, kept)``.

        The calm one takes ``stretches, limit, path`` besides.
        """
        loss, rule = self.plan.batch.loss, self.plan.batch.rule.rule
        others = [symbol for symbol in loss.arguments if symbol.role != "weight"]
        fixed = [f"p{place}" for place in range(len(others))]
        options = [f"o{place}" for place in range(len(rule.options))]
        arguments = ["k", "rates", *self._changing(), *fixed, *options, "near", "one", "two", "kept"]
        columns = [name for name, symbol in zip(fixed, others, strict=True) if symbol.role == "column"]
        step = self._step_lines(kind)
        if kind == "calm":
            arguments += ["stretches", "limit", "path"]
            loop = self._calm_loop(step)
        else:
            begin = "near, inside, space = mask(w0, False), mask(w0, True), empty(w0)"
            guard = "inside" if kind == "careful" else "total"
            end = f"return {self._outcome()}, near, {guard}"
            loop = [begin, "total = 0.0", "for down in rates:", *(f"    {line}" for line in step), end]
        return [
            f"def burst({', '.join(arguments)}):",
            *([f"    rows = float(len({columns[0]}))"] if columns else []),
            *(f"    {line}" for line in loop),
        ]

    def _calm_loop(self, step: list[str]) -> list[str]:
        """Stretch after stretch of steps; where something may have happened, back to the stretch's start.

        Each stretch is a tuple of numbers of steps between two sums of squares; none of them crosses a
        multiple of eight. What lasts is seen at the stretch's end: a standstill, a cycle of two, and what
        ``Plan.zero_gradient_stays`` and ``Plan.divergence_lasts`` say.
        """
        back = f"return {self._outcome('start_')}, start_k, None"
        squares = " + ".join(f"dot(w{w}, w{w})" for w in self.weights)
        fresh: list[str] = []
        if self.states or self.descent.columns:  # the memory may share arrays; rows have another shape
            fresh = [line.split(" = ")[0] for line in step if not line.startswith("n")]
        step, held = in_place(step, self._each("w"), self._each("n"), fresh)
        begin = [f"{name} = empty(w0)" for name in held]
        begin += ["guard = 0.0"] if self._watched() else []
        each = [f"({', '.join(self._each('n'))},)"]
        begin.append(f"spare = spares([{', '.join(self._each('w'))}])")
        made = ["targets(spare, k, sum(looks), path)"]
        near: list[str] = []
        if not self.plan.zero_gradient_stays:
            begin += [f"all_{name} = signs(w0)" for name in self._each("ud")]
            begin += [
                "marked = signs(w0)",
                f"signed = cycle(zip({', '.join(self._each(('all_u', 'all_d')))}))",
            ]
            each, made = [*each, f"({', '.join(self._each('ud'))})"], [*made, "signed"]
            near = ["differ(all_u0, all_d0, marked)"]
            near += [f"both(marked, differ(all_u{w}, all_d{w}), marked)" for w in self.weights[1:]]
            near.append(f"if count(marked): {back}")
        wary = [f"not {squares} < limit", *(["guard != 0.0"] if self._watched() else [])]
        if self.plan.judges_stall:
            wary += [f"count({self._same(letter)})" for letter in "ab"]
        eighths: list[str] = []
        if self.plan.judges_cycle:
            begin.append(f"{', '.join(self._each('c'))}, = kept")
            lists = ", ".join(f"[{', '.join(self._each(letter))}]" for letter in "wabc")
            eighths.append(f"if count({self._same('c')}) and back_again({lists}).any(): {back}")
        eighths += near
        start = ["k", *self._changing()]
        return [
            *begin,
            "for looks in stretches:",
            f"    {', '.join(f'start_{name}' for name in start)} = {', '.join(start)}",
            f"    steps = zip({', '.join([*made, 'rates'])})",
            "    for look in looks:",
            f"        if not {squares} < limit: {back}",
            f"        for {', '.join([*each, 'down'])} in islice(steps, look):",
            *(f"            {line}" for line in step),
            *(["        if not k % 8.0:"] if eighths else []),
            *(f"            {line}" for line in eighths),
            *(f"    {line}" for line in near),
            f"    if {' or '.join(wary)}: {back}",
            f"return {self._outcome()}, k, None",
        ]

    def _step_lines(self, kind: Kind) -> list[str]:
        """The gradient, what is noted of it, the rule, and the move.

        The calm kind moves the weights into arrays of its own, so that nothing else may share them.
        """
        loss = self.plan.batch.loss
        others = [symbol for symbol in loss.arguments if symbol.role != "weight"]
        names = {Symbol(name): f"w{place}" for place, name in enumerate(loss.weights)}
        names |= {symbol: f"p{place}" for place, symbol in enumerate(others)}
        lines, results = statements(self.formula, names)
        lines += [f"g{w} = {self._array(self.formula, w, results[w])}" for w in self.weights]
        if self.with_loss:
            lines.append(f"loss = {self._array(self.formula, -1, results[-1])}")
        lines += ["k += 1.0", *self._looks(kind)]
        state: list[str] = []
        moves: list[str] = []
        for w in self.weights:
            written, changes, step = self._rule_lines(w)
            lines += written
            state += changes
            if self.states:  # the new state may need the weight, and the calm kind writes over it
                lines.append(f"m{w} = {step}")
                moves.append(f"n{w} = w{w} + m{w}")
            else:
                lines.append(f"n{w} = w{w} + {step}")
        changed, new = self._each("bawn"), [*self._each("awn"), *(["None"] * len(self.weights))]
        return [*lines, *state, *moves, f"{', '.join(changed)} = {', '.join(new)}"]

    def _state(self) -> list[str]:
        return [f"s{place}_{w}" for place in self.states for w in self.weights]

    def _changing(self) -> list[str]:
        return [*self._each("wab"), *self._state()]

    def _outcome(self, prefix: str = "") -> str:
        """Weights, previous, before and state as four lists."""
        groups = [*(self._each(letter) for letter in "wab"), self._state()]
        return ", ".join(f"[{', '.join(prefix + name for name in names)}]" for names in groups)

    def _same(self, letter: str) -> str:
        """Where all weights are equal to others."""
        return " & ".join(f"equal(w{w}, {letter}{w})" for w in self.weights)

    def _each(self, letters: Iterable[str]) -> list[str]:
        return [f"{letter}{w}" for letter in letters for w in self.weights]

    def _array(self, program: Program, output: int, text: str) -> str:
        """The text of a result, repeated for every run where it is the same number for all."""
        varying = {"weight", "gradient", *self.plan.batch.rule.rule.state}
        needed = [program.outputs[output]]
        while needed:
            step = program.instructions[needed.pop()]
            symbol = step.payload
            if isinstance(symbol, Symbol) and (symbol.role == "weight" or symbol.name in varying):
                return f"{text}.copy()" if text in self._each("w") else text
            needed += step.operands
        return f"filled({text}, w0)"

    def _watched(self) -> list[str]:
        """What might be infinite or not a number although the weights are within the bound."""
        watched = self._each("g") if self.plan.gradient_may_fail else []
        return [*watched, "loss"] if self.with_loss else watched

    def _looks(self, kind: Kind) -> list[str]:
        """What each kind notes at a step, before the move."""
        watched = self._watched()
        if kind == "keeping":
            state = ", ".join(
                f"[{', '.join(f's{place}_{w}' for w in self.weights)}]" for place in self.states
            )
            rows = f"[{', '.join(self._each('w'))}], [{', '.join(self._each('g'))}]"
            return [f"kept.append(({rows}, [{'loss' if self.with_loss else ''}], [{state}]))"]
        # |g| ≤ tolerance where g > tolerance and g ≥ −tolerance differ: comparisons are cheaper than |g|
        if kind == "calm":
            lines = [f"guard += 0.0 * dot({name}, {name})" for name in watched]  # nan if not finite
            for w in self.weights if not self.plan.zero_gradient_stays else ():
                lines += [f"greater(g{w}, tolerance, u{w})", f"greater_equal(g{w}, low, d{w})"]
            return lines
        lines = [f"if kept is not None: kept.append([{', '.join(self._each('w'))}])"]
        lines += ["greater(g0, tolerance, one)", "greater_equal(g0, low, two)", "differ(one, two, one)"]
        for w in self.weights[1:]:
            lines += [
                f"greater(g{w}, tolerance, two)",
                f"both(one, differ(two, greater_equal(g{w}, low)), one)",
            ]
        lines.append("either(near, one, near)")
        if kind == "quick":
            lines += [f"total += dot({name}, {name})" for name in self._each("w")]
            lines += [f"total += 0.0 * dot({name}, {name})" for name in watched]
            return lines
        for name in self._each("w"):
            lines += [f"abs({name}, space)", "both(inside, less_equal(space, bound, one), inside)"]
        lines += [f"both(inside, isfinite({name}, one), inside)" for name in watched]
        return lines

    def _rule_lines(self, w: int) -> tuple[list[str], list[str], str]:
        """The rule for one weight, the change of its state, and its step."""
        rule = self.plan.batch.rule.rule
        names = {Symbol(name, "parameter"): f"o{place}" for place, name in enumerate(rule.options)}
        names |= {Symbol(name, "parameter"): f"s{place}_{w}" for place, name in enumerate(rule.state)}
        names |= {
            Symbol("weight", "parameter"): f"w{w}",
            Symbol("gradient", "parameter"): f"g{w}",
            Symbol("down", "parameter"): "down",
            Symbol("step_number", "parameter"): "k",
        }
        lines, results = statements(self.rule, names, prefix=f"r{w}_")
        state = [self._array(self.rule, place, results[place]) for place in self.states]
        targets = ", ".join(f"s{place}_{w}" for place in self.states)
        return lines, [f"{targets} = {', '.join(state)}"] if state else [], results[-1]


def _stretches(k: int, end: int, stride: int) -> list[tuple[int, ...]]:
    """Part the steps from w_k to w_end for the calm function."""
    stretches = []
    while k < end:
        last = min(end, k + _STRETCH - k % _STRETCH)
        stretches.append(_stretch(k % BURST, last - k, stride))
        k = last
    return stretches


@lru_cache(maxsize=256)
def _stretch(k: int, steps: int, stride: int) -> tuple[int, ...]:
    looks, end = [], k + steps
    while k < end:
        looks.append(min(stride, end - k, BURST - k % BURST))
        k += looks[-1]
    return tuple(looks)


def _spares(like: Rows) -> list[list[Rows]]:
    """Two sets of three weights: a stretch writes into one, and its start may be in the other."""
    return [[[np.empty_like(row) for row in like] for _ in range(3)] for _ in range(2)]


def _targets(spares: list[list[Rows]], k: int, steps: int, path: Iterator[Rows] | None) -> list[Rows]:
    """Arrays for the weights after each step from w_k on: three sets in all, or those of the path.

    At every multiple of eight, and at the end, the last three weights are there; others may be lost.
    """
    if path is not None:
        return list(islice(path, steps))
    spares.reverse()
    three = last, previous, early = spares[0]
    pattern = [early] * (BURST - 2) + [previous, last]
    rows = [pattern[(int(k) + step) % BURST] for step in range(steps)]
    kept = rows[-3] if steps > 2 else early
    rows[-2:] = [row for row in three if row is not kept][-steps:]
    return rows


@lru_cache(maxsize=64)
def _code(source: str) -> CodeType:
    return compile(source, "<gdsim lanes>", "exec")


def back_again(weight: Rows, previous: Rows, before: Rows, anchor: Rows) -> Mask:
    """Which runs are exactly where they were at the anchor, and were nearly so two steps ago."""
    again = all_equal(weight, anchor)
    if again.any():
        for w, a, b in zip(weight, previous, before, strict=True):
            again &= np.abs(w - b) <= NEAR * np.maximum(np.abs(w), np.abs(a))
    return again


def _filled(value: Any, like: Array) -> Array:
    return np.array(np.broadcast_to(value, like.shape), dtype=np.float64)


def all_equal(first: Rows, second: Rows) -> Mask:
    """Which runs have the same weights in both."""
    result: Mask = reduce(np.logical_and, map(np.equal, first, second))
    return result
