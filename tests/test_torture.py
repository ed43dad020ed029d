"""Sixty losses that break naive code, with every rule, derivative and engine: one status, and it is true.

Values near the ends of the doubles, kinks, poles, flats, jumps, domains with edges. For each loss some starts
and a learning rate. The default suite takes one rule and one derivative for each loss; a release takes all.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from batches import batch_of
from tiers import much_later

from gdsim.batch import Batch, Trajectory
from gdsim.derivatives import METHODS, DerivativeMethod, derivative_method
from gdsim.losses import Loss
from gdsim.outcomes import InputError, Status
from gdsim.simulation import simulate
from gdsim.update_rules import RULES

STEPS = 60
ANY = (-1.5, 0.0, 1e-3, 2.0)
#: formula, starts, learning rate
LOSSES: dict[str, tuple[str, tuple[float, ...], float]] = {
    "subnormal values": ("1e-310*w^2", ANY, 0.1),
    "subnormal rate": ("w^2", ANY, 5e-324),
    "subnormal start": ("w^2", (5e-324, -5e-324, 1e-310), 0.1),
    "subnormal weight squared": ("w^2", (1e-160, -1e-170), 0.4),
    "tiny scale": ("1e-300*(w^2 - 1)^2", ANY, 1e299),
    "huge scale": ("1e300*(w^2 - 1)^2", ANY, 1e-302),
    "overflows at once": ("1e300*w^4", (1e3, -1e3, 1.0), 1e-300),
    "overflows in the gradient": ("w^200", (30.0, 35.0, 40.0), 1e-3),
    "huge start": ("w^2", (1e300, -1e308, 1.7e308), 0.1),
    "huge rate": ("w^2", ANY, 1e300),
    "huge domain": ("(w/1e200)^2", (1e200, -3e200), 1e300),
    "cancels": ("(w + 1e16)^2 - 1e32", ANY, 1e-3),
    "difference of large numbers": ("1e15*(w + 1) - 1e15*w", ANY, 0.1),
    "expanded square": ("w^2 - 2e8*w + 1e16", (1e8, 0.0), 0.1),
    "wiggles below rounding": ("1e16 + sin(w)", ANY, 0.1),
    "kink": ("abs(w)", ANY, 0.1),
    "kink hit exactly": ("abs(w)", (0.5, -0.5), 0.25),
    "two kinks": ("abs(abs(w) - 1)", ANY, 0.3),
    "kink of a maximum": ("-abs(w)", ANY, 0.1),
    "kink of max": ("max(w, -2w)", ANY, 0.1),
    "kink of min": ("min(w^2, 1)", ANY, 0.1),
    "relu": ("relu(w)", ANY, 0.1),
    "relu of a square": ("relu(w^2 - 1)", ANY, 0.1),
    "huber": ("huber(w, 1e-3)", ANY, 0.1),
    "root of a size": ("sqrt(abs(w))", ANY, 0.1),
    "two thirds": ("abs(w)^(2/3)", ANY, 0.1),
    "three halves": ("abs(w)^1.5", ANY, 0.1),
    "square root": ("sqrt(w)", (0.0, 1e-3, 2.0, -1.0), 0.1),
    "square root of a square": ("sqrt(w^2)", ANY, 0.1),
    "hypotenuse": ("sqrt(w^2 + 1e-300)", ANY, 0.1),
    "pole": ("1/w", ANY, 0.1),
    "even pole": ("1/w^2", ANY, 0.1),
    "pole of a sign": ("w/abs(w)", ANY, 0.1),
    "pole beside a minimum": ("w^2 + 1e-6/(w - 1)^2", ANY, 0.1),
    "removable": ("sin(w)/w", ANY, 0.1),
    "removable nothing": ("(w^2 - w)/w", ANY, 0.1),
    "tangent": ("tan(w)", ANY, 0.1),
    "logarithm": ("log(w)", (-1.0, 0.0, 1e-300, 2.0), 0.1),
    "entropy": ("w*log(w)", (0.0, 1e-3, 2.0, -1.0), 0.1),
    "logarithm of a size": ("log(abs(w))", ANY, 0.1),
    "arcsine": ("asin(w)", (-1.0, 0.5, 1.0, 2.0), 0.1),
    "arccosine squared": ("acos(w)^2", (-1.0, 0.5, 1.0, 2.0), 0.1),
    "exponential": ("exp(w)", (700.0, 709.0, 710.0, -800.0), 0.1),
    "exponential tower": ("exp(exp(w))", ANY, 0.01),
    "bell": ("-exp(-w^2)", (*ANY, 30.0, 1e6), 0.1),
    "flat bump": ("exp(-1/w^2)", ANY, 0.1),
    "flat": ("0*w + 3", ANY, 0.1),
    "flat piece": ("relu(abs(w) - 1)^2", ANY, 0.1),
    "flat to the right": ("softplus(-w)", (*ANY, 800.0, -800.0), 0.1),
    "saturated": ("(tanh(50w) - 1)^2", ANY, 0.1),
    "sigmoid at both ends": ("sigmoid(w)", (-800.0, 800.0, 0.0), 0.1),
    "jump": ("where(w > 0, 1, 0) + w^2", ANY, 0.1),
    "jump at a value": ("where(w == 0, 5, w^2)", ANY, 0.1),
    "sign": ("sign(w)*w^2", ANY, 0.1),
    "branch that poisons": ("where(w > 0, log(w), w^2)", ANY, 0.1),
    "power of itself": ("w^w", (0.0, 1e-3, 2.0, -1.5), 0.1),
    "irrational power": ("w^pi", (0.0, 1e-3, 2.0, -1.5), 0.1),
    "negative power": ("w^(-3)", ANY, 0.1),
    "zeroth power": ("w^0", ANY, 0.1),
    "high odd power": ("w^31", ANY, 0.01),
    "fast waves": ("sin(1e6*w)", ANY, 1e-9),
    "waves without end": ("w^2*sin(1/w)", ANY, 0.1),
    "two weights, one without use": ("x^2 + 0*y", (0.0, 1.0), 0.1),
    "two weights, singular": ("(x + y)^2", (0.0, 1.0), 0.1),
    "two weights, scales apart": ("1e150*x^2 + 1e-150*y^2", (0.0, 1.0), 1e-151),
}  # fmt: skip
SCHEMES: dict[str, DerivativeMethod] = {
    "analytic": derivative_method("analytic"),
    **{
        f"numeric {scheme}": derivative_method("numeric", scheme=scheme)
        for scheme in ("forward", "backward", "central", "five_point", "complex_step", "richardson")
    },
    "numeric forward 1e-5": derivative_method("numeric", scheme="forward", step=1e-5),
    "scipy derivative": derivative_method("scipy", routine="derivative"),
    "scipy approx_fprime": derivative_method("scipy", routine="approx_fprime"),
}
SCHEMES |= {
    name: derivative_method(name) for name in METHODS if name not in {label.split()[0] for label in SCHEMES}
}
_INSTALLED = [(rule, method) for rule in RULES for method in SCHEMES if method != "torch"]
ONE = {name: _INSTALLED[place * 7 % len(_INSTALLED)] for place, name in enumerate(LOSSES)}
CASES = [
    (name, *pair) if pair == ONE[name] else much_later(name, *pair)
    for name in LOSSES
    for pair in itertools.product(RULES, SCHEMES)
]


def tortured(name: str, rule: str, method: str) -> Batch:
    formula, starts, rate = LOSSES[name]
    loss = Loss.from_text(formula)
    places = [(start, *(1.0,) * (len(loss.weights) - 1)) for start in starts]
    return batch_of(loss, *places, rate=rate, rule=rule, derivative=SCHEMES[method], max_steps=STEPS)


def refuses(name: str, method: str) -> bool:
    """Whether the method says beforehand that it is wrong for a loss: the complex step at kinks."""
    if "complex" not in method:
        return False
    try:
        SCHEMES[method].bind(Loss.from_text(LOSSES[name][0]))
    except InputError:
        return True
    return False


def ends(trajectory: Trajectory) -> list[tuple[str, int]]:
    return [
        (status.name, steps)
        for status, steps in zip(trajectory.status, trajectory.steps.tolist(), strict=True)
    ]


def check_same_ends(one: Trajectory, other: Trajectory) -> None:
    """The same statuses, but for a cycle that rounding keeps from closing: it has the same two weights."""
    for run, (first, second) in enumerate(zip(one.status, other.status, strict=True)):
        if first is not second:
            assert {first, second} == {Status.CYCLING, Status.MAX_STEPS}
            turns = [
                np.sort([found.previous_weight[:, run], found.final_weight[:, run]], axis=0)
                for found in (one, other)
            ]
            np.testing.assert_allclose(*turns, rtol=2.0**-26)  # √ε: what a one-sided difference is right to


def check_statuses(batch: Batch, trajectory: Trajectory) -> None:
    """What a status says must be true of the numbers beside it."""
    for run, status in enumerate(trajectory.status):
        numbers = [
            *trajectory.final_weight[:, run],
            trajectory.final_loss[run],
            *trajectory.final_gradient[:, run],
        ]
        assert (status is Status.NONFINITE) == (not np.isfinite(numbers).all())
        if status is Status.CONVERGED:
            assert np.abs(trajectory.final_gradient[:, run]).max() <= batch.stopping.gradient_tolerance
        if status is Status.DIVERGED:
            assert np.abs(trajectory.final_weight[:, run]).max() > batch.stopping.divergence_bound
        if status is Status.MAX_STEPS:
            assert trajectory.steps[run] == STEPS


@pytest.mark.parametrize(("name", "rule", "method"), CASES)
def test_one_status_alone_and_among_others(name: str, rule: str, method: str) -> None:
    if refuses(name, method):
        return
    batch = tortured(name, rule, method)
    together = simulate(batch, "numpy")
    check_statuses(batch, together)
    for run in range(batch.runs):
        one, other = simulate(batch.take([run]), "python"), together[run]
        if "scipy" in method:  # its sums are BLAS's, whose rounding depends on how many runs there are
            check_same_ends(one, other)
        else:
            assert ends(one) == ends(other)


_COMPILED = [
    *itertools.product(RULES, [name for name in SCHEMES if name.startswith(("analytic", "numeric"))])
]
#: five pairs of rule and derivative for each loss, so that every pair meets four losses: each is compiled
FAST = [
    much_later(name, *pair)
    for place, name in enumerate(LOSSES)
    for pair in (_COMPILED[(5 * place + turn) % len(_COMPILED)] for turn in range(5))
    if not refuses(name, pair[1])
]
NOISE = {"difference of large numbers"}  # its differences are rounding, of which a fused product has less


@pytest.mark.usefixtures("compiled_once")
@pytest.mark.parametrize(("name", "rule", "method"), FAST)
def test_one_status_on_the_fast_engine(name: str, rule: str, method: str) -> None:
    batch = tortured(name, rule, method)
    compiled = simulate(batch, "fast")
    check_statuses(batch, compiled)
    if name not in NOISE or method == "analytic":
        check_same_ends(compiled, simulate(batch, "numpy"))


def test_every_method_is_tortured() -> None:
    assert {name.split()[0] for name in SCHEMES} == {*METHODS}
    assert len(LOSSES) >= 60
