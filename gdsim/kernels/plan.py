"""What both engines need to know of a batch, worked out once: formulas, options, and what may be skipped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gdsim.batch import Batch
from gdsim.expr.nodes import (
    ZERO,
    Add,
    Call,
    Constant,
    Divide,
    Expr,
    Multiply,
    Negate,
    Number,
    Power,
    Reduce,
    Symbol,
    Where,
    substitute,
    walk,
)
from gdsim.expr.simplify import simplify
from gdsim.outcomes import Fault, InputError
from gdsim.schedules import steady_from

Array = NDArray[np.float64]

BURST = 8  # steps between two looks; finished runs are replayed from the burst's start


@dataclass(frozen=True, eq=False)
class Plan:
    """A batch with everything derived from it that a loop asks for."""

    batch: Batch

    def __post_init__(self) -> None:
        if self.batch.rule.rule.needs_hessian and self.batch.loss.expression is None:
            raise InputError(
                Fault(
                    "newton needs second derivatives, and a Python function has no formula",
                    expected="another update rule, or a loss given as a formula",
                    path="update_rule",
                )
            )

    @property
    def judges_standstill(self) -> bool:
        """Whether STALLED and CYCLING are judged: a standstill of these runs is for ever."""
        batch = self.batch
        return batch.rule.rule.memoryless and batch.noise is None and batch.line_search is None

    @property
    def steady_from(self) -> int:
        """The first step from which no run's learning rate can grow."""
        choice = self.batch.schedule
        latest = steady_from(choice)
        swept = self.options("learning_rate")
        if choice.schedule.grows_until in swept:
            growth = swept[choice.schedule.grows_until]
            latest = max(latest, choice.warmup + math.ceil(growth.max(initial=0.0)))
        return latest

    @property
    def plain(self) -> bool:
        """Whether every step is only gradient and rule, so that steps may be taken in bursts."""
        batch = self.batch
        return (
            batch.noise is None
            and batch.clip is None
            and batch.line_search is None
            and not batch.rule.rule.needs_hessian
        )

    def options(self, owner: str) -> dict[str, Array]:
        """The per-run values given for an owner's options: ``update_rule``, ``learning_rate``, ``noise``."""
        prefix = f"{owner}."
        return {
            path.removeprefix(prefix): value
            for path, value in self.batch.options.items()
            if path.startswith(prefix)
        }

    @cached_property
    def rule_arguments(self) -> tuple[Symbol, ...]:
        """The symbols of the rule's formulas in the order in which its compiled function takes them."""
        rule = self.batch.rule.rule
        names = ["weight", "gradient", "learning_rate", "step_number"]
        if rule.needs_hessian:
            names.append("newton_step")
        return tuple(Symbol(name, "parameter") for name in (*names, *rule.options, *rule.state))

    @cached_property
    def rule_outputs(self) -> tuple[Expr, ...]:
        """The new state, one expression each, and last the step, in terms of the old state.

        Options that are zero in every run (no weight decay, no AMSGrad …) are put in and simplified away.
        """
        rule = self.batch.rule.rule
        swept = self.options("update_rule")
        values: dict[Expr, Expr] = {
            Symbol(name, "parameter"): ZERO
            for name, value in self.batch.rule.options.items()
            if value == 0.0 and name not in swept
        }
        for name, formula in rule.program:
            values[Symbol(name, "parameter")] = simplify(substitute(formula, values))
        return tuple(values[Symbol(name, "parameter")] for name in (*rule.state, "step"))

    @cached_property
    def schedule_arguments(self) -> tuple[Symbol, ...]:
        """The symbols of the schedule's formula: initial, step_number, period_number, options."""
        names = ("initial", "step_number", "period_number", *self.batch.schedule.schedule.options)
        return tuple(Symbol(name, "parameter") for name in names)

    @cached_property
    def constant_rate(self) -> bool:
        """Whether the learning rate never changes."""
        return self.batch.schedule.schedule.name == "constant" and self.batch.schedule.warmup == 0

    @cached_property
    def loss_may_fail(self) -> bool:
        """Whether the loss might be nan or infinite at a weight within the divergence bound."""
        expression = self.batch.loss.expression
        if expression is None:
            return True
        largest = {
            name: float(np.max(np.abs(self.batch.parameters.get(name, np.float64(value))), initial=abs(value)))
            for name, value in self.batch.loss.parameters.items()
        }
        columns = {name: max(map(abs, column), default=0.0) for name, column in self.batch.loss.data.items()}
        rows = len(next(iter(self.batch.loss.data.values()), ()))
        bound = self.batch.stopping.divergence_bound
        return not magnitude(expression, bound, {**largest, **columns}, rows) < 1e300


def magnitude(expr: Expr, bound: float, values: Mapping[str, float], rows: int = 0) -> float:
    """Return an upper bound of |expr| while every |weight| ≤ bound, or inf where there is none.

    A finite result proves that neither expr nor anything in it is nan or infinite there.

    >>> from gdsim.expr.parse import parse
    >>> magnitude(parse("w^2 + 3*sin(w)"), 10.0, {})
    103.0
    >>> magnitude(parse("log(w)"), 10.0, {})
    inf
    """
    sizes: dict[Expr, float] = {}
    for node in walk(expr):
        try:
            sizes[node] = _magnitude(node, sizes, bound, values, rows)
        except OverflowError:
            sizes[node] = math.inf
        if not math.isfinite(sizes[node]):
            return math.inf
    return sizes[expr]


def _magnitude(
    node: Expr, sizes: Mapping[Expr, float], bound: float, values: Mapping[str, float], rows: int
) -> float:
    inner = [sizes[child] for child in node.children if child in sizes]
    match node:
        case Number(value):
            return abs(float(value))
        case Constant():
            return math.pi
        case Symbol(name, role):
            return bound if role == "weight" else values[name]
        case Add():
            return sum(inner)
        case Multiply():
            return math.prod(inner)
        case Negate() | Reduce("mean"):
            return inner[0]
        case Reduce("sum"):
            return rows * inner[0]
        case Divide(_, Number(value)) if value != 0:
            return inner[0] / abs(float(value))
        case Power(_, Number(value)) if value >= 0 and value.denominator == 1:
            return max(1.0, inner[0] ** int(value))
        case Where():
            return max(inner)
        case Call(name):
            return _call_magnitude(name, inner)
    return max(inner, default=0.0) if not isinstance(node, Divide | Power) else math.inf


def _call_magnitude(name: str, inner: list[float]) -> float:
    if name in ("sin", "cos", "tanh", "sign", "sigmoid"):
        return 1.0
    if name == "atan":
        return 2.0
    if name in ("abs", "relu", "max", "min"):
        return max(inner)
    if name == "softplus":
        return inner[0] + 1.0
    if name == "huber":
        return inner[0] ** 2 + inner[1] * (inner[0] + inner[1])
    if name in ("exp", "cosh", "sinh"):
        return math.exp(inner[0])
    return math.inf
