"""What both engines need to know of a batch, worked out once: formulas, options, and what may be skipped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

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
from gdsim.kernels.folding import fold
from gdsim.kernels.rates import Rates
from gdsim.outcomes import Fault, InputError, nearest
from gdsim.update_rules import Option, UpdateRule

Array = NDArray[np.float64]

BURST = 8  # steps between two looks; finished runs are replayed from the burst's start
NEAR = 2.0**-40  # two weights whose difference is below this part of them are equal to rounding
_SURE = 1e290  # a bound below this leaves room for the sums of a burst


@dataclass(frozen=True, eq=False)
class Plan:
    """A batch with everything derived from it that a loop asks for."""

    batch: Batch

    def __post_init__(self) -> None:
        check_options(self.batch)
        check_minibatch(self.batch)
        self.batch.derivative.check(self.batch.loss)
        if self.batch.rule.rule.needs_hessian and self.batch.loss.expression is None:
            raise InputError(
                Fault(
                    "newton needs second derivatives, and a Python function has no formula",
                    expected="another update rule, or a loss given as a formula",
                    path="update_rule",
                )
            )

    @property
    def judges_stall(self) -> bool:
        """Whether a step too small to change the weight stays so, once the rate can no longer grow."""
        return self.batch.rule.rule.memoryless and self.batch.noise is None

    @property
    def judges_cycle(self) -> bool:
        """Whether a weight seen two steps ago comes back for ever, once the rate is constant."""
        return self.judges_stall and self.batch.line_search is None

    @cached_property
    def rates(self) -> Rates:
        """The learning rates."""
        return Rates(self.batch)

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

        Options that are zero in every run (no weight decay, no AMSGrad …) are put in and left out.
        """
        swept = self.options("update_rule")
        options = self.batch.rule.options.items()
        zeros = tuple(name for name, value in options if value == 0.0 and name not in swept)
        return _outputs_without(zeros, self.batch.rule.rule)

    @cached_property
    def loss_may_fail(self) -> bool:
        """Whether the loss might be nan or infinite at a weight within the divergence bound."""
        expression = self.batch.loss.expression
        return expression is None or self._may_fail(expression)

    @cached_property
    def gradient_may_fail(self) -> bool:
        """Whether the analytic gradient might be nan or infinite at a weight within the divergence bound."""
        return any(map(self._may_fail, self.batch.loss.gradient))

    @cached_property
    def zero_gradient_stays(self) -> bool:
        """Whether CONVERGED takes a gradient of exactly zero, after which the weight never moves again."""
        if self.batch.stopping.gradient_tolerance != 0.0 or not self.judges_stall or self.gradient_may_fail:
            return False
        step = substitute(self.rule_outputs[-1], {Symbol("gradient", "parameter"): ZERO})
        return fold(step) == ZERO

    @cached_property
    def divergence_lasts(self) -> bool:
        """Whether it is certain that a weight beyond the divergence bound never comes back within it.

        So it is where a step of gradient descent from there is at least four times the weight; an infinite
        weight never becomes finite again.
        """
        loss, bound = self.batch.loss, self.batch.stopping.divergence_bound
        rate, slope = Symbol("learning_rate", "parameter"), Symbol("gradient", "parameter")
        known = self.rates.constant and self.rule_outputs == (Multiply((Negate(rate), slope)),)
        if not known or len(loss.weights) > 1 or loss.data or self.batch.parameters or bound < 1.0:
            return False
        try:
            term = leading_term(loss.gradient[0], bound, loss.parameters)
            if term is None or term[1] < 2 or term[2] > 0.5:
                return False
            rates = self.batch.learning_rate
            smallest = float(np.min(rates, initial=math.inf))
            if not smallest > 0.0:
                smallest = float(np.min(np.abs(rates), initial=math.inf))
            return 0.5 * smallest * abs(term[0]) * bound ** (term[1] - 1) >= 4.0
        except OverflowError:
            return False

    def safe_steps(self, radius: float, most: int) -> int:
        """Return how many steps, at most so many, may be taken before weights are looked at again.

        Weights within ``radius`` are certainly within the divergence bound after one step fewer than that, or
        else are seen to have left it.
        """
        if not (self.judges_stall and self.rates.constant) or self.loss_may_fail or self.gradient_may_fail:
            return 1
        if self.divergence_lasts:
            return most
        swept = self.options("update_rule")
        values = {
            name: float(np.max(np.abs(swept.get(name, np.float64(value)))))
            for name, value in self.batch.rule.options.items()
        }
        values["learning_rate"] = float(np.max(np.abs(self.batch.learning_rate)))
        values["step_number"] = float(self.batch.stopping.max_steps)
        for steps in range(1, most):
            values["weight"] = radius
            values["gradient"] = max(self._magnitude(slope, radius) for slope in self.batch.loss.gradient)
            radius = 1.001 * (radius + magnitude(self.rule_outputs[-1], 0.0, values))  # with its rounding
            if not radius <= self.batch.stopping.divergence_bound:
                return steps
        return most

    def _may_fail(self, expression: Expr) -> bool:
        return not self._magnitude(expression, self.batch.stopping.divergence_bound) < _SURE

    def _magnitude(self, expression: Expr, bound: float) -> float:
        values, rows = self._sizes
        return magnitude(expression, bound, values, rows)

    @cached_property
    def _sizes(self) -> tuple[dict[str, float], int]:
        """The largest size of each parameter and column, and the number of rows."""
        loss = self.batch.loss
        values = {
            name: float(
                np.max(np.abs(self.batch.parameters.get(name, np.float64(value))), initial=abs(value))
            )
            for name, value in loss.parameters.items()
        }
        values |= {name: max(map(abs, column), default=0.0) for name, column in loss.data.items()}
        return values, len(next(iter(loss.data.values()), ()))


@lru_cache(maxsize=32)
def _outputs_without(zeros: tuple[str, ...], rule: UpdateRule) -> tuple[Expr, ...]:
    """The outputs of a rule with some options put in as zero; every batch of a sweep asks for the same."""
    values: dict[Expr, Expr] = {Symbol(name, "parameter"): ZERO for name in zeros}
    for name, formula in rule.program:
        values[Symbol(name, "parameter")] = fold(substitute(formula, values))
    return tuple(values[Symbol(name, "parameter")] for name in (*rule.state, "step"))


def is_anchor(k: int) -> bool:
    """Whether the weight at a step is kept, so that a cycle is known by coming back to it."""
    return k >= BURST and k & (k - 1) == 0


def check_options(batch: Batch) -> None:
    """Raise InputError where the options of single runs are unknown or out of range."""
    known = {f"update_rule.{name}": option for name, option in batch.rule.rule.options.items()}
    known |= {f"learning_rate.{name}": option for name, option in batch.schedule.schedule.options.items()}
    known["learning_rate.warmup"] = Option(0.0, "steps", whole=True)
    if batch.noise is not None:
        gaussian = batch.noise.kind == "gaussian"
        name, option = ("scale", Option(0.0, "")) if gaussian else ("size", Option(1.0, "", 1.0, whole=True))
        known[f"noise.{name}"] = option
    faults: list[Fault] = []
    for path, values in batch.options.items():
        if path not in known:
            faults.append(
                Fault("not an option of these runs", ", ".join(known), nearest(path, [*known]), path=path)
            )
            continue
        try:
            for value in np.unique(values).tolist():
                known[path].check(path, value)
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(*faults)


def check_minibatch(batch: Batch) -> None:
    """Raise InputError where a mini-batch has no rows to be drawn from, or not enough."""
    if batch.noise is None or batch.noise.kind != "minibatch":
        return
    rows = len(next(iter(batch.loss.data.values()), ()))
    size = np.max(batch.options.get("noise.size", np.float64(batch.noise.size)), initial=1)
    if rows == 0:
        raise InputError(
            Fault("this loss has no data to draw mini-batches from", "noise: {kind: gaussian}", path="noise")
        )
    if size > rows:
        raise InputError(
            Fault(
                f"a mini-batch of {size:g} rows does not fit into {rows} rows",
                f"at most {rows}",
                path="noise.size",
            )
        )


def magnitude(expr: Expr, bound: float, values: Mapping[str, float], rows: int = 0) -> float:
    """Return an upper bound of |expr| while every |weight| ≤ bound, or inf where there is none.

    A finite result proves that neither expr nor anything in it is nan or infinite there.

    >>> from gdsim.expr.parse import parse
    >>> magnitude(parse("w^2 + 3*sin(w)"), 10.0, {})
    103.0
    >>> magnitude(parse("log(w)"), 10.0, {})
    inf
    >>> magnitude(parse("exp(-w^2)"), 1e8, {})
    1.0
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
        case Call("exp", (argument,)) if never(argument, 1):
            return 1.0
        case Call(name):
            return _call_magnitude(name, inner)
    return max(inner, default=0.0) if not isinstance(node, Divide | Power) else math.inf


def never(expr: Expr, sign: int) -> bool:
    """Whether it is plain that an expression never has this sign, 1 or −1, also as it is rounded.

    >>> from gdsim.expr.parse import parse
    >>> never(parse("-(w - 1)^2/2"), 1), never(parse("w^2 - w^4"), 1)
    (True, False)
    """
    match expr:
        case Number(value):
            return value * sign <= 0
        case Constant() | Call("abs" | "exp" | "cosh" | "sqrt" | "sigmoid" | "softplus" | "relu"):
            return sign < 0
        case Power(_, Number(value)) if value >= 0 and value.denominator == 1 and value.numerator % 2 == 0:
            return sign < 0
        case Negate(operand):
            return never(operand, -sign)
        case Add(terms):
            return all(never(term, sign) for term in terms)
        case Multiply() | Divide():
            negative = [never(factor, 1) for factor in expr.children]
            known = all(
                less or never(factor, -1) for less, factor in zip(negative, expr.children, strict=True)
            )
            return known and (-1) ** sum(negative) == -sign
    return False


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


def leading_term(expr: Expr, bound: float, values: Mapping[str, float]) -> tuple[float, int, float] | None:
    """Return c, d and e such that expr is c·w^d·(1 + δ), |δ| ≤ e, wherever |w| ≥ bound ≥ 1.

    None where expr is no polynomial of its one weight, or where its highest terms cancel.

    >>> from gdsim.expr.parse import parse
    >>> leading_term(parse("2*w^3 - 8*w"), 2.0, {})
    (2.0, 3, 1.0)
    """
    terms: dict[Expr, tuple[float, int, float]] = {}
    for node in walk(expr):
        found = _leading_term(node, [terms.get(child) for child in node.children], bound, values)
        if found is not None:
            terms[node] = found
    return terms.get(expr)


def _leading_term(
    node: Expr, inner: list[tuple[float, int, float] | None], bound: float, values: Mapping[str, float]
) -> tuple[float, int, float] | None:
    terms = [term for term in inner if term is not None]
    if len(terms) < len(inner):
        return None
    match node:
        case Number(value):
            return float(value), 0, 0.0
        case Symbol(name, role):
            return (1.0, 1, 0.0) if role == "weight" else (values[name], 0, 0.0)
        case Negate():
            return -terms[0][0], *terms[0][1:]
        case Multiply():
            errors = math.prod(1.0 + e for _, _, e in terms) - 1.0
            return math.prod(c for c, _, _ in terms), sum(d for _, d, _ in terms), errors
        case Power(_, Number(value)) if value >= 1 and value.denominator == 1:
            (c, d, e), n = terms[0], int(value)
            return c**n, n * d, (1.0 + e) ** n - 1.0
        case Add():
            degree = max(d for _, d, _ in terms)
            total = sum(c for c, d, _ in terms if d == degree)
            if abs(total) <= 1e-6 * sum(abs(c) for c, d, _ in terms if d == degree):
                return None
            others = sum(
                abs(c) * (e if d == degree else (1.0 + e) * bound ** (d - degree)) for c, d, e in terms
            )
            return total, degree, others / abs(total)
    return None
