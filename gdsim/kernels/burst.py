"""A generated function of floats that takes a plain run eight steps at a time.

Plain means that a step is only the analytic gradient and the rule. Each step makes the few comparisons that
rule an end out; where they do not, or where the fast dialect raises, the function returns at the start of
the burst of eight, which is then walked with everything judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsim.expr import emit_numpy
from gdsim.expr.emit_python import NAMESPACES, statements
from gdsim.expr.lower import lower
from gdsim.expr.nodes import Symbol
from gdsim.kernels.plan import BURST, NEAR, Plan

Array = NDArray[np.float64]

# operations that IEEE 754 rounds exactly, so that arrays and floats give the same bits
_EXACT = {"number", "constant", "symbol", "add", "sub", "mul", "div", "neg", "sqrt", "abs", "where"}
MOST_RECORDED = 1 << 14  # steps between two conversions of Python floats to an array


class Burst:
    """The fused function of one run.

    Parameters
    ----------
    plan
        The batch of one.
    fixed
        The values behind the weights in ``loss.arguments``: parameters, then columns.
    options
        The values of the rule's options.
    rate_of
        The learning rate of a step.
    """

    def __init__(
        self, plan: Plan, fixed: Sequence[Any], options: Sequence[float], rate_of: Callable[[int], float]
    ) -> None:
        self.plan, self.fixed = plan, fixed
        loss = plan.batch.loss
        self.weights = range(len(loss.weights))
        self.states = range(len(plan.batch.rule.rule.state))
        self.recording = plan.batch.record_every == 1
        assert loss.expression is not None
        everything = [*loss.gradient, loss.expression]
        # where floats and arrays agree to the last bit, only the weight is recorded on the way
        self.exact = all(step.operation in _EXACT for step in lower(everything).instructions)
        self.with_loss = plan.loss_may_fail or (self.recording and not self.exact)
        self.formula = lower(everything if self.with_loss else everything[:-1])
        self.rule = lower(plan.rule_outputs)
        self.width = len(self.weights) * (1 if self.exact else 2) + (0 if self.exact else 1)
        self.function = self._compile(options, rate_of)

    def __call__(
        self, k: int, last: int, flat: Sequence[float], anchor: Sequence[float]
    ) -> tuple[int, tuple[float, ...], Array]:
        """Take bursts from step k on, at most to step ``last``, while nothing can have ended.

        Parameters
        ----------
        flat
            Weights, the weights one and two steps ago, and the rule's state.
        anchor
            The weights that mean a cycle when they come back.

        Returns
        -------
        (k, flat, table)
            Where it stopped, and the records of the steps taken, in columns: weights, gradients, loss and
            rate (no rows unless every step is recorded).
        """
        records: list[float] = []
        last = k + (last - k) // BURST * BURST
        if self.recording:
            last = min(last, k + MOST_RECORDED)
        end, state = self.function(k, last, records, *flat, *anchor)
        steps = (end - k) if self.recording else 0
        del records[steps * self.width :]
        return end, state, self._table(k, np.array(records, dtype=np.float64).reshape(steps, self.width))

    def _table(self, k: int, recorded: Array) -> Array:
        """Complete the columns of the records that begin at step k."""
        steps, weights = len(recorded), len(self.weights)
        table = np.empty((steps, 2 * weights + 2))
        table[:, : self.width] = recorded
        if steps and self.exact:
            values = self._formula_of_arrays(*table[:, :weights].T.copy(), *self.fixed)
            for column, value in enumerate(values, start=weights):
                table[:, column] = value
        table[:, -1] = self.plan.rates.at(
            np.zeros(1, dtype=np.int64), np.arange(k, k + steps, dtype=np.float64)
        )
        return table

    def _formula_of_arrays(self, *values: Any) -> tuple[Array, ...]:
        loss = self.plan.batch.loss
        assert loss.expression is not None
        return emit_numpy.compile_raw([*loss.gradient, loss.expression], loss.arguments)(*values)

    # -- the source -----------------------------------------------------------------------------

    def _compile(
        self, options: Sequence[float], rate_of: Callable[[int], float]
    ) -> Callable[..., tuple[int, tuple[float, ...]]]:
        batch = self.plan.batch
        columns = self.fixed[len(batch.loss.parameters) :]
        constants: dict[str, Any] = {
            **{f"p{place}": value for place, value in enumerate(self.fixed)},
            **{f"o{place}": value for place, value in enumerate(options)},
            "tolerance": batch.stopping.gradient_tolerance, "low": -batch.stopping.gradient_tolerance,
            "bound": batch.stopping.divergence_bound, "floor": -batch.stopping.divergence_bound,
            "initial": float(batch.learning_rate[0]), "rate_of": rate_of,
            "rows": float(len(columns[0])) if columns else 0.0,
        }  # fmt: skip
        namespace = {**NAMESPACES["fast"], **constants}
        exec(compile("\n".join(self._source([*constants])) + "\n", "<gdsim burst>", "exec"), namespace)
        # taken out of its own globals, so that the run's records are not kept in a ring of references
        function: Callable[..., tuple[int, tuple[float, ...]]] = namespace.pop("burst")
        return function

    def _names(self, letter: str, offset: int = 0) -> list[str]:
        """The variables of all weights after some steps of the burst."""
        return [f"{letter}{w}_{offset}" for w in self.weights]

    def _memory(self, offset: int = 0) -> list[str]:
        return [f"s{place}_{w}_{offset}" for place in self.states for w in self.weights]

    def _source(self, constants: list[str]) -> list[str]:
        """Write ``burst(k, last, records, *flat, *anchor) -> (k, flat)``.

        Every step has variables of its own, so that those of the burst's start are there when it breaks
        off.
        """
        names = [*self._names("w"), *self._names("a"), *self._names("b"), *self._memory()]
        anchor = [f"c{w}" for w in self.weights]
        arguments = ["k", "last", "records", *names, *anchor, *(f"{name}={name}" for name in constants)]
        body: list[str] = []
        if self.plan.judges_cycle:
            again = " and ".join(
                f"w{w}_0 == c{w} and abs(w{w}_0 - b{w}_0) <= {NEAR} * max(abs(w{w}_0), abs(a{w}_0))"
                for w in self.weights
            )
            body.append(f"if {again}: break")
        for offset in range(BURST):
            body += self._one_step(offset)
        after = [self._names("w", BURST), self._names("w", BURST - 1), self._names("w", BURST - 2)]
        if self.plan.judges_stall:
            now, *earlier = after
            for then in earlier:
                same = " and ".join(f"{a} == {b}" for a, b in zip(now, then, strict=True))
                body.append(f"if {same}: break")
        results = [*after[0], *after[1], *after[2], *self._memory(BURST)]
        body += [f"{name} = {result}" for name, result in zip(names, results, strict=True)]
        return [
            f"def burst({', '.join(arguments)}):",
            *(["    keep = records.append"] if self.width == 1 else ["    keep = records.extend"]),
            "    try:",
            "        while k < last:",
            *(f"            {line}" for line in body),
            f"            k += {BURST}",
            "    except (OverflowError, ZeroDivisionError, ValueError):",
            "        pass",  # the safe dialect walks this burst again
            f"    return k, ({', '.join(names)},)",
        ]

    def _one_step(self, offset: int) -> list[str]:
        loss = self.plan.batch.loss
        now = self._names("w", offset)
        names = {Symbol(name): now[place] for place, name in enumerate(loss.weights)}
        others = [symbol for symbol in loss.arguments if symbol.role != "weight"]
        names |= {symbol: f"p{place}" for place, symbol in enumerate(others)}
        lines, results = statements(self.formula, names, "fast")
        lines += [f"g{place} = {results[place]}" for place in self.weights]
        if self.with_loss:
            lines.append(f"loss = {results[-1]}")
        lines.append(f"if {self._may_end(now)}: break")
        rate = "initial"
        if not self.plan.rates.constant:
            lines.append(f"rate = rate_of(k + {offset})")
            rate = "rate"
        if self.recording:
            values = now if self.exact else [*now, *(f"g{w}" for w in self.weights), "loss"]
            lines.append(f"keep({values[0]})" if self.width == 1 else f"keep(({', '.join(values)}))")
        return [*lines, *self._rule_lines(rate, offset)]

    def _may_end(self, now: list[str]) -> str:
        """A condition that holds whenever the run is NONFINITE, DIVERGED or CONVERGED here."""
        settled = " and ".join(f"low <= g{w} <= tolerance" for w in self.weights)
        inside = [f"floor <= {name} <= bound" for name in now]
        if self.plan.gradient_may_fail:
            inside += [f"-inf < g{w} < inf" for w in self.weights]
        if self.plan.loss_may_fail:
            inside.append("-inf < loss < inf")
        return f"{settled} or not ({' and '.join(inside)})"

    def _rule_lines(self, rate: str, offset: int) -> list[str]:
        """The rule for every weight, then the move."""
        rule = self.plan.batch.rule.rule
        shared = {Symbol(name, "parameter"): f"o{place}" for place, name in enumerate(rule.options)}
        shared |= {
            Symbol("learning_rate", "parameter"): rate,
            Symbol("step_number", "parameter"): f"(k + {offset + 1}.0)",
        }
        lines: list[str] = []
        for w in self.weights:
            names = {
                **shared,
                Symbol("weight", "parameter"): f"w{w}_{offset}",
                Symbol("gradient", "parameter"): f"g{w}",
                **{
                    Symbol(name, "parameter"): f"s{place}_{w}_{offset}"
                    for place, name in enumerate(rule.state)
                },
            }
            written, results = statements(self.rule, names, "fast", prefix=f"r{w}_")
            lines += written
            lines += [f"s{place}_{w}_{offset + 1} = {results[place]}" for place in self.states]
            lines.append(f"w{w}_{offset + 1} = w{w}_{offset} + {results[-1]}")
        return lines
