"""Update rules, each stated as a few assignments in the expression language.

From one statement every back-end is emitted. The formulas may use ``weight``, ``gradient``,
``learning_rate``, ``step_number`` (1 at the first step), ``newton_step`` (the solution of H·s = gradient),
the rule's options and its state; they are carried out in order, elementwise over weights, and the last one
gives ``step``, which is added to the weight. A new rule is a new entry of ``RULES``, at the foot.

Options have PyTorch's names and PyTorch's meaning where PyTorch has the rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from gdsim.expr.nodes import Expr
from gdsim.expr.parse import parse
from gdsim.outcomes import Fault, InputError, nearest

INPUTS = ("weight", "gradient", "learning_rate", "step_number", "newton_step")


class Option(NamedTuple):
    """A number that a rule or schedule takes, its default and its range.

    ``least`` is allowed unless ``open_below``; ``most`` is never reached where ``open_above``.
    A ``flag`` is given as true or false and stands in formulas as 1 or 0. ``default`` None means that the
    option must be given.
    """

    default: float | None
    summary: str
    least: float = 0.0
    most: float = float("inf")
    open_below: bool = False
    open_above: bool = False
    flag: bool = False
    whole: bool = False

    def check(self, name: str, value: object) -> float:
        """Return the value as a number. Raises InputError where it is none, or out of range."""
        if self.flag:
            if isinstance(value, bool) or value in (0.0, 1.0):
                return float(value)
            raise InputError(Fault(f"{value!r} is neither true nor false", "true or false", path=name))
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(Fault(f"{value!r} is not a number", self.range, path=name))
        below = value <= self.least if self.open_below else value < self.least
        above = value >= self.most if self.open_above else value > self.most
        if below or above or not math.isfinite(value) or (self.whole and value != int(value)):
            raise InputError(Fault(f"{value!r} is out of range", self.range, path=name))
        return float(value)

    @property
    def range(self) -> str:
        """The range in words.

        >>> Option(0.9, "", most=1.0, open_above=True).range
        'a number ≥ 0 and < 1'
        """
        parts = []
        if self.least > float("-inf"):
            parts.append(f"{'>' if self.open_below else '≥'} {self.least:g}")
        if self.most < float("inf"):
            parts.append(f"{'<' if self.open_above else '≤'} {self.most:g}")
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} {' and '.join(parts)}".strip()


@dataclass(frozen=True, eq=False, repr=False)
class UpdateRule:
    """One update rule.

    Attributes
    ----------
    options
        By name, in PyTorch's spelling.
    state
        What the rule remembers: a name and the formula of its value before the first step.
    assignments
        Pairs of name and formula, in order; the last one gives ``step``.
    pairs
        Options that are written as a list, such as ``betas: [0.9, 0.999]``, and the names of the parts.
    adaptive
        Whether the rule rescales the gradient (by its history, its curvature, its size), so that 2/L says
        nothing about its stability.
    """

    name: str
    summary: str
    reference: str
    assignments: tuple[tuple[str, str], ...]
    options: Mapping[str, Option] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    pairs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    adaptive: bool = False

    @property
    def memoryless(self) -> bool:
        """Whether the step depends on the present weight alone."""
        return not self.state

    @property
    def needs_hessian(self) -> bool:
        """Whether the rule reads ``newton_step``."""
        return any("newton_step" in formula for _, formula in self.assignments)

    @cached_property
    def program(self) -> tuple[tuple[str, Expr], ...]:
        """The assignments as trees; every name in them is a parameter."""
        known = frozenset([*INPUTS, *self.options, *self.state, *(name for name, _ in self.assignments)])
        return tuple((name, parse(formula, parameters=known)) for name, formula in self.assignments)

    @cached_property
    def initial_state(self) -> tuple[tuple[str, Expr], ...]:
        """The state before the first step, as trees over the options."""
        known = frozenset(self.options)
        return tuple((name, parse(formula, parameters=known)) for name, formula in self.state.items())


class RuleChoice(NamedTuple):
    """A rule with the values of all its options."""

    rule: UpdateRule
    options: Mapping[str, float] = {}


def update_rule(name: str, **options: object) -> RuleChoice:
    """Choose an update rule by name and check its options.

    Raises
    ------
    InputError
        For an unknown rule or option, or a value out of range, with the nearest valid name.

    Examples
    --------
    >>> update_rule("momentum", momentum=0.9).options["momentum"]
    0.9
    >>> update_rule("adam", betas=[0.8, 0.99]).options["beta1"]
    0.8
    """
    if name not in RULES:
        raise InputError(
            Fault(f"unknown update rule {name!r}", f"one of {', '.join(RULES)}", nearest(name, [*RULES]))
        )
    rule = RULES[name]
    return RuleChoice(rule, check_options(options, rule.options, rule.pairs, f"update rule {name}"))


def check_options(
    given: Mapping[str, object],
    options: Mapping[str, Option],
    pairs: Mapping[str, tuple[str, ...]],
    owner: str,
) -> dict[str, float]:
    """Return the value of every option: given, or its default. Reports every fault at once."""
    flat: dict[str, object] = {}
    faults: list[Fault] = []
    for key, value in given.items():
        if key not in pairs:
            flat[key] = value
        elif isinstance(value, Sequence) and not isinstance(value, str) and len(value) == len(pairs[key]):
            flat.update(zip(pairs[key], value, strict=True))
        else:
            faults.append(Fault(f"{value!r} does not fit", f"a list of {len(pairs[key])} numbers", path=key))
    checked: dict[str, float] = {}
    hidden = {part for parts in pairs.values() for part in parts}
    public = [key for key in options if key not in hidden] + [*pairs]
    for key, value in flat.items():
        if key not in options:
            known = f"one of {', '.join(public)}" if public else "no options"
            faults.append(Fault(f"the {owner} has no option {key!r}", known, nearest(key, public), path=key))
            continue
        try:
            checked[key] = options[key].check(key, value)
        except InputError as error:
            faults.extend(error.faults)
    for key, option in options.items():
        if key not in flat and option.default is None:
            faults.append(Fault(f"the {owner} needs the option {key!r}", option.range, path=key))
    if faults:
        raise InputError(*faults)
    return {key: checked.get(key, option.default or 0.0) for key, option in options.items()}


def _decay(default: float, summary: str) -> Option:
    return Option(default, summary, most=1.0, open_above=True)


_WEIGHT_DECAY = Option(0.0, "weight_decay · weight is added to the gradient (L2 penalty)")
_EPS = "added to the denominator"
_DECAYED = ("decayed", "gradient + weight_decay*weight")
_BETAS = {
    "beta1": _decay(0.9, "decay of the mean of the gradient"),
    "beta2": _decay(0.999, "decay of the mean of the squared gradient"),
}
_ADAM_MEANS = (
    ("mean_gradient", "beta1*mean_gradient + (1 - beta1)*decayed"),
    ("mean_square", "beta2*mean_square + (1 - beta2)*decayed^2"),
    ("largest_square", "where(amsgrad > 0, max(largest_square, mean_square), mean_square)"),
)
_ADAM_STEP = (
    "learning_rate/(1 - beta1^step_number)*mean_gradient"
    "/(sqrt(largest_square)/sqrt(1 - beta2^step_number) + eps)"
)
_ADAM_STATE = {"mean_gradient": "0", "mean_square": "0", "largest_square": "0"}
_AMSGRAD = Option(0.0, "divide by the largest mean square seen so far", flag=True)

RULES: dict[str, UpdateRule] = {
    rule.name: rule
    for rule in (
        UpdateRule(
            "gradient_descent",
            "a step against the gradient, η times its size",
            "A.-L. Cauchy, Comptes rendus 25 (1847) 536–538",
            (_DECAYED, ("step", "-learning_rate*decayed")),
            {"weight_decay": _WEIGHT_DECAY},
        ),
        UpdateRule(
            "sign_descent",
            "a step of size η against the sign of the gradient",
            "M. Riedmiller and H. Braun, ICNN (1993) 586–591, doi:10.1109/ICNN.1993.298623",
            (("step", "-learning_rate*sign(gradient)"),),
            adaptive=True,
        ),
        UpdateRule(
            "momentum",
            "a heavy ball: the step is a fading sum of the gradients so far",
            "B. T. Polyak, USSR Comput. Math. Math. Phys. 4 (1964) 1–17, doi:10.1016/0041-5553(64)90137-5",
            (
                _DECAYED,
                (
                    "velocity",
                    "where(step_number > 1, momentum*velocity + (1 - dampening)*decayed, decayed)",
                ),
                ("step", "-learning_rate*velocity"),
            ),
            {
                "momentum": _decay(0.9, "how much of the last velocity is kept, β"),
                "dampening": Option(0.0, "1 − dampening multiplies the new gradient", most=1.0),
                "weight_decay": _WEIGHT_DECAY,
            },
            {"velocity": "0"},
        ),
        UpdateRule(
            "nesterov",
            "momentum that looks ahead along its velocity",
            "Y. Nesterov, Soviet Math. Doklady 27 (1983) 372–376",
            (
                _DECAYED,
                ("velocity", "where(step_number > 1, momentum*velocity + decayed, decayed)"),
                ("step", "-learning_rate*(decayed + momentum*velocity)"),
            ),
            {
                "momentum": Option(
                    0.9,
                    "how much of the last velocity is kept, β",
                    most=1.0,
                    open_below=True,
                    open_above=True,
                ),
                "weight_decay": _WEIGHT_DECAY,
            },
            {"velocity": "0"},
        ),
        UpdateRule(
            "adagrad",
            "each weight's rate falls with the sum of its squared gradients",
            "J. Duchi, E. Hazan and Y. Singer, JMLR 12 (2011) 2121–2159",
            (
                _DECAYED,
                ("square_sum", "square_sum + decayed^2"),
                (
                    "step",
                    "-learning_rate/(1 + (step_number - 1)*lr_decay)*decayed/(sqrt(square_sum) + eps)",
                ),
            ),
            {
                "lr_decay": Option(0.0, "the rate is divided by 1 + lr_decay · steps taken"),
                "weight_decay": _WEIGHT_DECAY,
                "initial_accumulator_value": Option(0.0, "the sum of squares before the first step"),
                "eps": Option(1e-10, _EPS),
            },
            {"square_sum": "initial_accumulator_value"},
            adaptive=True,
        ),
        UpdateRule(
            "rmsprop",
            "each weight's rate is divided by a fading root mean square of its gradients",
            "T. Tieleman and G. Hinton, Coursera Neural Networks, lecture 6.5 (2012)",
            (
                _DECAYED,
                ("mean_square", "alpha*mean_square + (1 - alpha)*decayed^2"),
                ("mean_gradient", "where(centered > 0, alpha*mean_gradient + (1 - alpha)*decayed, 0)"),
                ("scaled", "decayed/(sqrt(mean_square - mean_gradient^2) + eps)"),
                ("velocity", "momentum*velocity + scaled"),
                ("step", "-learning_rate*velocity"),
            ),
            {
                "alpha": _decay(0.99, "decay of the mean square"),
                "eps": Option(1e-8, _EPS),
                "weight_decay": _WEIGHT_DECAY,
                "momentum": _decay(0.0, "how much of the last velocity is kept"),
                "centered": Option(
                    0.0, "subtract the squared mean gradient: divide by a variance", flag=True
                ),
            },
            {"mean_square": "0", "mean_gradient": "0", "velocity": "0"},
            adaptive=True,
        ),
        UpdateRule(
            "adam",
            "momentum over a fading root mean square, both corrected for their start at zero",
            "D. P. Kingma and J. Ba, ICLR (2015), arXiv:1412.6980",
            (_DECAYED, *_ADAM_MEANS, ("step", f"-{_ADAM_STEP}")),
            {
                **_BETAS,
                "eps": Option(1e-8, _EPS),
                "weight_decay": _WEIGHT_DECAY,
                "amsgrad": _AMSGRAD,
            },
            _ADAM_STATE,
            {"betas": ("beta1", "beta2")},
            adaptive=True,
        ),
        UpdateRule(
            "adamw",
            "Adam whose weight decay acts on the weight itself, not through the gradient",
            "I. Loshchilov and F. Hutter, ICLR (2019), arXiv:1711.05101",
            (
                ("decayed", "gradient"),
                *_ADAM_MEANS,
                ("step", f"-learning_rate*weight_decay*weight - {_ADAM_STEP}"),
            ),
            {
                **_BETAS,
                "eps": Option(1e-8, _EPS),
                "weight_decay": Option(0.01, "learning rate · weight_decay · weight is taken off each step"),
                "amsgrad": _AMSGRAD,
            },
            _ADAM_STATE,
            {"betas": ("beta1", "beta2")},
            adaptive=True,
        ),
        UpdateRule(
            "newton",
            "the step to where the local parabola is flat, η times; it seeks any point with f′ = 0",
            "J. Nocedal and S. J. Wright, Numerical Optimization (2006), §3.3, doi:10.1007/978-0-387-40065-5",
            (("step", "-learning_rate*newton_step"),),
            adaptive=True,
        ),
    )
}
