"""Runs: what ends them, what is recorded, and what must not depend on anything."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from batches import ENGINES, LINEAR_DATA, RULE_CHOICES, batch_of
from hypothesis import assume, given
from hypothesis import strategies as st
from tiers import examples, later, some

from gdsim.batch import Batch, Clip, Trajectory
from gdsim.derivatives import derivative_method
from gdsim.expr.parse import parse
from gdsim.kernels.log import record_bytes
from gdsim.kernels.plan import Plan, never
from gdsim.losses import Loss
from gdsim.noise import Noise
from gdsim.outcomes import InputError, Status
from gdsim.schedules import schedule
from gdsim.simulation import simulate
from gdsim.update_rules import RULES, RuleChoice, update_rule

engines = pytest.mark.parametrize("engine", ENGINES)
one_engine = pytest.mark.parametrize("engine", some(ENGINES, "python"))
rules = pytest.mark.parametrize("rule", RULES)


def ending(trajectory: Trajectory, run: int = 0) -> tuple[Status, int]:
    return trajectory.status[run], int(trajectory.steps[run])


# -- runs that go wrong -----------------------------------------------------------------------


@engines
@rules
def test_a_nan_start_ends_at_step_0(engine, rule):
    assert ending(simulate(batch_of("w^2", np.nan, rule=rule), engine)) == (Status.NONFINITE, 0)


@engines
@rules
def test_an_infinite_start_is_nonfinite_before_it_is_diverged(engine, rule):
    assert ending(simulate(batch_of("w^2", np.inf, rule=rule), engine)) == (Status.NONFINITE, 0)


@engines
def test_an_overflow_at_step_1_is_nonfinite_there(engine):
    trajectory = simulate(batch_of("w^4", 1e5, rate=1e300), engine)
    assert ending(trajectory) == (Status.NONFINITE, 1)
    assert trajectory.weight[0, 0, 0] == 1e5  # the record before the overflow is kept
    assert trajectory.final_weight[0, 0] == -np.inf


@engines
@rules
def test_a_flat_loss_converges_at_step_0(engine, rule):
    trajectory = simulate(batch_of("0*w + 7", 2.0, rule=rule), engine)
    assert ending(trajectory) == (Status.CONVERGED, 0)
    assert trajectory.final_weight[0, 0] == 2.0
    assert trajectory.final_loss[0] == 7.0


@engines
@rules
def test_a_start_on_a_critical_point_takes_no_step(engine, rule):
    trajectory = simulate(batch_of("(w^2 - 1)^2", 0.0, rule=rule), engine)
    assert ending(trajectory) == (Status.CONVERGED, 0)
    assert trajectory.gradient_evaluations[0] == 1


@engines
@rules
@pytest.mark.parametrize("max_steps", some([0, 1, 7, 8, 9, 40, 41], 0, 8, 41))
def test_max_steps_is_the_number_of_steps_taken(engine, rule, max_steps):
    trajectory = simulate(batch_of("w^2 - w", 3.0, rate=1e-3, rule=rule, max_steps=max_steps), engine)
    assert ending(trajectory) == (Status.MAX_STEPS, max_steps)
    assert trajectory.step_index.tolist() == list(range(max_steps + 1))
    assert trajectory.gradient_evaluations[0] == max_steps + 1


@engines
def test_two_over_the_curvature_is_a_cycle(engine):
    trajectory = simulate(batch_of("(w - 3)^2", 0.0, rate=1.0), engine)
    assert ending(trajectory) == (Status.CYCLING, 2)
    assert trajectory.weight[:, 0, 0].tolist() == [0.0, 6.0, 0.0]


@one_engine
def test_a_rate_just_below_two_over_the_curvature_is_no_cycle(engine):
    """The distance shrinks by 1e-10 a step: far above rounding (2e-16), far below what 5,000 steps show."""
    rate = 1.0 - 0.5e-10
    trajectory = simulate(batch_of("w^2", 1.0, rate=rate, max_steps=5000), engine)
    assert ending(trajectory) == (Status.MAX_STEPS, 5000)
    assert trajectory.final_weight[0, 0] == pytest.approx((1 - 2 * rate) ** 5000, rel=5000 * 2**-52)


@engines
def test_a_stable_cycle_of_a_curved_loss_is_found(engine):
    trajectory = simulate(batch_of("w^4 - 2w^2", 0.8, rate=0.27, max_steps=5000), engine)
    assert trajectory.status[0] is Status.CYCLING
    a, b = trajectory.previous_weight[0, 0], trajectory.final_weight[0, 0]
    slope = lambda w: 4 * w**3 - 4 * w  # noqa: E731
    assert a - 0.27 * slope(a) == pytest.approx(b, rel=4 * 2**-52)
    assert b - 0.27 * slope(b) == pytest.approx(a, rel=4 * 2**-52)


@engines
@pytest.mark.parametrize("every", [1, 7, 1000])
def test_a_cycle_that_rounding_makes_longer_than_two_is_found_at_the_same_step(engine, every):
    """Here the weight of two steps ago comes back but for its last bit, for ever."""
    batch = batch_of("w^4 - 2w^2 + 0.3w", -0.33, rate=0.27, max_steps=5000, record_every=every)
    trajectory = simulate(batch, engine)
    assert ending(trajectory) == (Status.CYCLING, 264)
    assert trajectory.final_weight[0, 0] == trajectory.anchor[0, 0]
    longer = simulate(replace(batch, stopping=replace(batch.stopping, max_steps=263), record_every=1), engine)
    late, two_earlier = longer.weight[220:, 0, 0], longer.weight[218:-2, 0, 0]
    assert not np.any(late == two_earlier)
    assert late == pytest.approx(two_earlier, rel=4 * 2**-52, abs=0)


@one_engine
def test_a_cycle_of_period_4_is_not_called_cycling(engine):
    trajectory = simulate(batch_of("w^4 - 2w^2 + 0.3w", -0.33, rate=0.28, max_steps=3000), engine)
    assert ending(trajectory) == (Status.MAX_STEPS, 3000)
    last = trajectory.tail[:, 0, 0]
    assert last[4:] == pytest.approx(last[:-4], abs=1e-12)
    assert abs(last[2] - last[0]) > 0.01


@engines
def test_momentum_in_flight_does_not_converge_where_the_gradient_is_zero(engine):
    """From −1 with momentum the third weight of (w² − …) is where the gradient vanishes by design."""
    rule = update_rule("momentum", momentum=0.5)
    # w₀ = −1, η = 1/2 on w²/2: w₁ = −1/2, w₂ = w₁ + (½·½ + ½·½) = 0 exactly, moving by 1/2
    trajectory = simulate(batch_of("w^2/2", -1.0, rate=0.5, rule=rule), engine)
    assert trajectory.weight[2, 0, 0] == 0.0
    assert trajectory.gradient[2, 0, 0] == 0.0
    assert trajectory.steps[0] > 2
    assert trajectory.status[0] is Status.CONVERGED
    assert abs(trajectory.last_step[0, 0]) <= 1e-8


def test_one_diverging_run_leaves_the_others_alone():
    starts = np.linspace(-1, 1, 21)
    rates = np.full(21, 0.1)
    rates[7] = 1.5
    many = simulate(batch_of("w^2", *starts, rate=rates, tolerance=1e-6))
    assert ending(many, 7) == (Status.DIVERGED, 29)  # 0.3·2²⁹ is the first above 10⁸
    assert all(status is Status.CONVERGED for run, status in enumerate(many.status) if run not in (7,))
    without = simulate(batch_of("w^2", *np.delete(starts, 7), rate=np.delete(rates, 7), tolerance=1e-6))
    assert np.array_equal(np.delete(many.final_weight, 7, axis=1), without.final_weight)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_an_empty_batch_is_an_empty_trajectory(engine, rule):
    trajectory = simulate(batch_of("x^2 + y^2", rule=rule), engine)
    assert trajectory.runs == 0
    assert trajectory.status == ()
    assert trajectory.weight.shape == (0, 2, 0)
    assert trajectory.final_weight.shape == (2, 0)
    assert trajectory.loss_fell.shape == (0,)


def test_the_python_engine_takes_one_run():
    with pytest.raises(InputError, match="one run"):
        simulate(batch_of("w^2", 1.0, 2.0), "python")


@engines
def test_a_weight_beyond_the_bound_diverges_at_the_first_such_record(engine):
    trajectory = simulate(batch_of("w^2", 1.0, rate=1.5, bound=100.0), engine)
    assert ending(trajectory) == (Status.DIVERGED, 7)  # |w| = 2^k, and 2^7 is the first above 100
    assert trajectory.final_weight[0, 0] == -128.0


@engines
@pytest.mark.parametrize("every", [1, 3, 100])
def test_a_loss_that_overflows_beyond_the_bound_is_nonfinite_however_often_recorded(engine, every):
    """From 10 the weight jumps to −4·10¹⁰¹, where 4w³ is finite and w⁴ is not (the limit is 1.8·10³⁰⁸)."""
    trajectory = simulate(batch_of("w^4", 10.0, rate=1e98, record_every=every), engine)
    assert np.isfinite(trajectory.final_gradient[0, 0])
    assert ending(trajectory) == (Status.NONFINITE, 1)


@engines
@pytest.mark.parametrize("every", [1, 3, 100])
def test_a_loss_that_fails_while_the_gradient_is_finite_is_nonfinite_however_often_recorded(engine, every):
    """The derivative of log(w) is 1/w also where w < 0; the logarithm is not a number there."""
    trajectory = simulate(batch_of("log(w)", 1.0, rate=0.01, record_every=every), engine)
    assert trajectory.status[0] is Status.NONFINITE
    assert np.isfinite(trajectory.final_gradient[0, 0])
    assert trajectory.final_weight[0, 0] < 0 < trajectory.previous_weight[0, 0]


@engines
@pytest.mark.parametrize("start", [3, 9, *range(24, 42)])
def test_an_infinite_gradient_is_nonfinite_although_its_sign_is_finite(engine, start):
    """At w = 0, reached at any place within a burst, the slope is 10³¹⁰ and the loss 0."""
    loss = "where(w > 0.5, w, 1e300*(1e10*w))"
    batch = batch_of(loss, float(start), rate=1.0, rule="sign_descent", record_every=50)
    trajectory = simulate(batch, engine)
    assert ending(trajectory) == (Status.NONFINITE, start)
    assert trajectory.final_loss[0] == 0.0


@engines
@pytest.mark.parametrize("start", [-1.0, -2.0, -5.0, -11.0, -50.0])
def test_a_loss_that_overflows_as_written_is_nonfinite_though_its_slope_is_not(engine, start):
    """(10¹⁰⁰w)³·10⁻³⁰⁰ is w³ until 10³⁰⁰|w|³ passes the largest number, at |w| = 564."""
    w, steps = start, 0
    while abs(w) < 564.3803:
        w, steps = w - 1e-5 * 3 * w**2, steps + 1
    loss = "(1e100*w)*(1e100*w)*(1e100*w)*1e-300"
    trajectory = simulate(batch_of(loss, start, rate=1e-5, max_steps=10**6, record_every=10**7), engine)
    assert ending(trajectory) == (Status.NONFINITE, steps)


@engines
@pytest.mark.parametrize("start", [-1.0, 1.0])
@pytest.mark.parametrize("step", [5, *range(24, 41)])
def test_a_gradient_of_just_the_tolerance_is_converged(engine, start, step):
    """On w²/2 at η = 1/2 the gradient is ±2⁻ᵏ exactly; the step may fall anywhere in a burst."""
    batch = batch_of("w^2/2", start, rate=0.5, tolerance=2.0**-step, record_every=1000)
    assert ending(simulate(batch, engine)) == (Status.CONVERGED, step)


@engines
@pytest.mark.parametrize("step", [5, *range(24, 41)])
def test_a_weight_of_just_the_bound_has_not_diverged(engine, step):
    """On −w²/2 at η = 1 the weight doubles at each step."""
    batch = batch_of("-w^2/2", 1.0, rate=1.0, bound=2.0**step, record_every=1000)
    assert ending(simulate(batch, engine)) == (Status.DIVERGED, step + 1)


@engines
def test_a_step_below_rounding_stalls(engine):
    trajectory = simulate(batch_of("w", 1e3, rate=1e-14), engine)
    assert ending(trajectory) == (Status.STALLED, 0)
    assert trajectory.final_learning_rate[0] == 1e-14


@engines
def test_nothing_stalls_while_the_rate_still_grows(engine):
    rates = schedule("linear", start_factor=1e-14, end_factor=1.0, total_iters=50)
    trajectory = simulate(batch_of("w", 1e3, rate=1.0, rates=rates, max_steps=60), engine)
    assert trajectory.weight[:3, 0, 0].tolist() == [1e3, 1e3, pytest.approx(1e3 - 1 / 50)]
    assert ending(trajectory) == (Status.MAX_STEPS, 60)


@engines
def test_a_falling_rate_that_no_longer_moves_the_weight_stalls(engine):
    """Half a unit in the last place of a number just below 1000 is 2⁻⁴⁴ ≈ 0.568·10⁻¹³."""
    rates = schedule("linear", start_factor=1.0, end_factor=0.0, total_iters=500)
    trajectory = simulate(batch_of("w", 1e3, rate=1e-13, rates=rates), engine)
    assert ending(trajectory) == (Status.STALLED, 216)  # the first k with 1 − k/500 ≤ 0.568…


@engines
def test_a_cycle_is_not_called_one_while_the_rate_will_still_fall(engine):
    """At η = 1 the weight jumps between 0 and 6; from step 10 on η falls tenfold, again and again."""
    trajectory = simulate(batch_of("(w - 3)^2", 0.0, rate=1.0, rates=schedule("step", step_size=10)), engine)
    assert trajectory.weight[:11, 0, 0].tolist() == [0.0, 6.0] * 5 + [0.0]
    # multipliers 1 − 2η: ten times 0.8, ten times 0.98, ten times 0.998 …
    product = np.prod([(1 - 2 * 10.0**-power) ** 10 for power in range(1, 17)])
    assert trajectory.final_weight[0, 0] == pytest.approx(3 - 3 * product, rel=1e-12)
    assert trajectory.status[0] is Status.STALLED


@engines
@rules
def test_rules_with_memory_and_noisy_runs_neither_stall_nor_cycle(engine, rule):
    noise = Noise("gaussian", scale=1e-9) if RULES[rule].memoryless else None
    batch = batch_of("w^2 + 1000w", 1e3, rate=1e-30, rule=rule, noise=noise, max_steps=50)
    assert ending(simulate(batch, engine)) == (Status.MAX_STEPS, 50)


# -- laws ------------------------------------------------------------------------------------

SMOOTH = "(w^2 - 1)^2 + 0.3w + 0.1*sin(5w)"
TWO = "(1 - x)^2 + 3*(y - x^2)^2"

PER_RUN = (
    "steps", "gradient_evaluations", "loss_evaluations", "final_weight", "final_gradient", "final_loss",
    "final_learning_rate", "previous_weight", "last_step",
)  # fmt: skip


def assert_same_bytes(one: Trajectory, other: Trajectory, *, records: bool = True) -> None:
    assert one.status == other.status
    for name in (
        *PER_RUN,
        "tail",
        *(("step_index", "weight", "gradient", "loss", "learning_rate") if records else ()),
    ):
        first, second = getattr(one, name), getattr(other, name)
        assert first.shape == second.shape, name
        assert first.tobytes() == second.tobytes(), name
    for name, values in one.rule_state.items():
        assert values.tobytes() == other.rule_state[name].tobytes(), name
    if records:
        assert one.flags == other.flags


def mixed_batch(rule: RuleChoice, **more: Any) -> Batch:
    """Runs that converge, wander, diverge, fail and stand still, of one rule."""
    starts = [-1.7, 0.3, 1.1, 50.0, np.nan, -0.9, 0.0, 2.5, 1e7, 0.35]
    rates = [0.01, 0.05, 0.2, 0.5, 0.1, 0.3, 1e-18, 0.02, 1.0, 0.13]
    return batch_of(SMOOTH, *starts, rate=rates, rule=rule, max_steps=150, tolerance=1e-6, **more)


# every rule by default; with its rarer options before a release
choices = pytest.mark.parametrize(
    "rule",
    [pytest.param(c, marks=() if name in RULES else pytest.mark.release) for name, c in RULE_CHOICES.items()],
    ids=RULE_CHOICES,
)


COLUMNS = {("gradient_descent", 1), ("momentum", 70), ("adam", 1), ("newton", 70)}


def column_tier(name: str, every: int) -> Any:
    if name not in RULES:
        return pytest.mark.release
    return () if (name, every) in COLUMNS else pytest.mark.integration


@pytest.mark.parametrize(
    ("rule", "every"),
    [
        pytest.param(rule, every, id=f"{name}-{every}", marks=column_tier(name, every))
        for name, rule in RULE_CHOICES.items()
        for every in (1, 70)
    ],
)
def test_a_column_is_a_batch_of_one(rule, every):
    many = mixed_batch(rule, record_every=every)
    together = simulate(many)
    for run in range(many.runs):
        assert_same_bytes(together[run], simulate(many.take([run]), "numpy"))


@choices
def test_permuting_runs_permutes_results(rule):
    many = mixed_batch(rule, record_every=5)
    order = [3, 8, 0, 9, 4, 1, 7, 2, 6, 5]
    together, permuted = simulate(many), simulate(many.take(order))
    for place, run in enumerate(order):
        assert_same_bytes(together[run], permuted[place])


@choices
@pytest.mark.parametrize(
    ("engine", "first"),
    [
        ("python", 97),
        ("numpy", 1),
        later("python", 1),
        later("numpy", 97),
        *(pytest.param(engine, n, marks=pytest.mark.release) for engine in ENGINES for n in (0, 2, 17, 149)),
    ],
)
def test_splitting_and_resuming_changes_nothing(engine, rule, first):
    many = mixed_batch(rule, record_every=3)
    for batch in [many] if engine == "numpy" else [many.take([run]) for run in (0, 5)]:
        short = replace(batch, stopping=replace(batch.stopping, max_steps=first))
        begun = simulate(short, engine)
        assert_same_bytes(simulate(batch, engine, start=begun), simulate(batch, engine))


@one_engine
@choices
@pytest.mark.parametrize(
    "every", [70, *(pytest.param(n, marks=pytest.mark.release) for n in (2, 10, 97, 1000))]
)
def test_how_often_is_recorded_changes_no_ending(engine, rule, every):
    many = mixed_batch(rule)
    for batch in [many] if engine == "numpy" else [many.take([run]) for run in (0, 3, 4, 5, 9)]:
        all_of_it, few = simulate(batch, engine), simulate(replace(batch, record_every=every), engine)
        assert_same_bytes(all_of_it, few, records=False)
        assert set(few.step_index.tolist()) <= {*range(0, 151, every), int(few.steps[0])}


def two_weights(rule: RuleChoice, **more: Any) -> Batch:
    starts = [(-1.2, 1.0), (0.4, 0.2), (3.0, -2.0), (1.0, 1.0), (0.0, 0.0)]
    settings = {"max_steps": 120, **more}
    return batch_of(TWO, *starts, rate=[0.01, 0.02, 0.2, 0.1, 0.03], rule=rule, **settings)


def data_batch(**more: Any) -> Batch:
    loss = Loss.from_text("mean((a*x^2 + b - y)^2) + sum(0.01*x*a)", data=LINEAR_DATA)
    return batch_of(loss, (0.0, 0.0), (1.0, -1.0), (2.0, 0.5), rate=[0.2, 0.1, 0.3], max_steps=60, **more)


VARIANTS: dict[str, Batch] = {
    "two weights": two_weights(update_rule("gradient_descent")),
    "two weights with adam": two_weights(update_rule("adam")),
    "two weights with newton": two_weights(update_rule("newton")),
    "numeric derivative": two_weights(
        update_rule("momentum"), derivative=derivative_method("numeric", scheme="central")
    ),
    "richardson": two_weights(
        update_rule("momentum"), derivative=derivative_method("numeric", scheme="richardson"), max_steps=45
    ).take([0, 1]),
    "clip by norm": two_weights(update_rule("gradient_descent"), clip=Clip("norm", 0.5)),
    "clip by value": two_weights(update_rule("momentum"), clip=Clip("value", 0.3)),
    "line search": two_weights(update_rule("gradient_descent"), line_search="armijo"),
    "line search with newton": two_weights(update_rule("newton"), line_search="armijo"),
    "line search with momentum": two_weights(update_rule("momentum"), line_search="armijo"),
    "gaussian": two_weights(update_rule("adam"), noise=Noise("gaussian", scale=0.1)),
    "gaussian of several scales": two_weights(
        update_rule("gradient_descent"),
        noise=Noise("gaussian", scale=0.1),
        options={"noise.scale": np.array([0.0, 0.1, 0.2, 0.0, 1.0])},
        seed=np.array([0, 1, 1, 0, -5]),
    ),
    "data": data_batch(),
    "minibatch": data_batch(noise=Noise("minibatch", size=4)),
    "minibatch of several sizes": data_batch(
        noise=Noise("minibatch", size=4), options={"noise.size": np.array([1.0, 5.0, 12.0])}
    ),
    "cosine with warmup": two_weights(
        update_rule("momentum"), rates=schedule("cosine", warmup=5, T_max=50, eta_min=1e-4)
    ),
    "several schedules": two_weights(
        update_rule("gradient_descent"),
        rates=schedule("step", step_size=10, gamma=0.5),
        options={
            "learning_rate.step_size": np.array([5.0, 7.0, 10.0, 1.0, 200.0]),
            "learning_rate.warmup": np.array([0.0, 3.0, 50.0, 0.0, 1.0]),
        },
    ),
    "several momenta": two_weights(
        update_rule("momentum"),
        options={
            "update_rule.momentum": np.array([0.0, 0.5, 0.9, 0.99, 0.3]),
            "update_rule.weight_decay": np.array([0.0, 0.1, 0.0, 0.01, 0.0]),
        },
    ),
    "a sine": batch_of(SMOOTH, 0.3, -1.2, 1.7, rate=[0.01, 0.2, 0.13], max_steps=150),
    "a logarithm": batch_of("w - log(w)", 0.3, 5.0, 0.01, rate=[0.1, 0.9, 0.5], max_steps=100),
    "a slope from the data alone": batch_of(
        Loss.from_text("mean(x + y)*w + 0.1*w^2", data=LINEAR_DATA), 1.0, 2.0, rate=0.1, max_steps=90
    ),
    "a Python function": batch_of(
        Loss.from_callable(lambda u, v: (u - 1) ** 2 + math.exp(u * v)),
        (0.0, 1.0),
        (5.0, 200.0),
        (0.3, 0.2),
        derivative=derivative_method("numeric", scheme="central", step=1e-5),
        max_steps=80,
    ),
    "a parameter of its own for each run": batch_of(
        "a*w^2 + b*w", 1.0, 2.0, 3.0, parameters={"a": [1, 2, 30], "b": [0, 1, 2]}, max_steps=60
    ),
}
NUMERIC = ("numeric derivative", "richardson")  # "a Python function" has a numeric derivative too
SEARCHED = ("line search with newton", "line search with momentum")


def variants(*long: str) -> pytest.MarkDecorator:
    """Run a test with every variant, with the long ones in the integration tier."""
    cases = [later(batch) if name in long else batch for name, batch in VARIANTS.items()]
    return pytest.mark.parametrize("batch", cases, ids=VARIANTS)


@variants(*NUMERIC, *SEARCHED, "gaussian", "gaussian of several scales", "minibatch of several sizes")
def test_columns_permutations_and_parts_of_every_variant(batch):
    together = simulate(batch)
    order = np.arange(batch.runs)[::-1]
    backwards = simulate(batch.take(order))
    for run in range(batch.runs):
        assert_same_bytes(together[run], simulate(batch.take([run]), "numpy"))
        assert_same_bytes(together[run], backwards[batch.runs - 1 - run])
    short = replace(batch, stopping=replace(batch.stopping, max_steps=41))
    assert_same_bytes(simulate(batch, start=simulate(short)), together)


@variants(*NUMERIC, *SEARCHED, "minibatch of several sizes")
def test_the_python_engine_splits_and_records_alike_in_every_variant(batch):
    for run in range(min(batch.runs, 3)):
        one = batch.take([run])
        whole = simulate(one, "python")
        short = replace(one, stopping=replace(one.stopping, max_steps=41))
        assert_same_bytes(simulate(one, "python", start=simulate(short, "python")), whole)
        seldom = simulate(replace(one, record_every=13), "python")
        assert_same_bytes(seldom, whole, records=False)


@variants(*NUMERIC, *SEARCHED, "gaussian", "minibatch of several sizes")
def test_the_engines_agree_step_by_step(batch):
    """One step from the same state. Each engine's step is a few roundings of the gradient's terms and of the
    rule's (2⁻⁵² each, of numbers not larger than 10⁴ here), except that a numeric derivative divides the
    loss's rounding by its step."""
    numeric = batch.derivative.name == "numeric"
    for run in range(batch.runs):
        one = batch.take([run])
        first = simulate(one, "python")
        second = simulate(one, "numpy")
        shared = min(int(first.steps[0]), int(second.steps[0]), 3)
        tolerance = (1e-6 if numeric else 1e-12) * max(1.0, float(np.abs(first.weight[: shared + 1]).max()))
        assert first.weight[: shared + 1] == pytest.approx(second.weight[: shared + 1], rel=0, abs=tolerance)
        if not numeric:
            assert first.status == second.status


# -- clipping and line search -------------------------------------------------------------------


@engines
def test_clipping_by_norm_is_that_of_torch(engine):
    """g = (6, −8)·… at the start has the norm 10 and is scaled to 2·10/(10 + 10⁻⁶)."""
    batch = batch_of("3x^2 - 2y^2", (1.0, 2.0), rate=0.1, clip=Clip("norm", 2.0), max_steps=1)
    trajectory = simulate(batch, engine)
    factor = 2.0 / (10.0 + 1e-6)
    assert trajectory.gradient[0, :, 0] == pytest.approx([6 * factor, -8 * factor], rel=1e-15)
    assert trajectory.weight[1, :, 0] == pytest.approx([1 - 0.6 * factor, 2 + 0.8 * factor], rel=1e-15)
    assert trajectory.flags == ({1: ("clipped",)},)


@pytest.mark.parametrize("more", [{"clip": Clip("norm", 0.5)}, {"line_search": "armijo"}], ids=str)
def test_sums_over_three_weights_have_the_same_bits_in_both_engines(more):
    """From Python 3.12 on ``sum`` rounds once, where NumPy rounds each time."""
    loss = "(x - 1)^2 + (y + x)^2 + 2*(z - y)^2 + x^4/9"
    batch = batch_of(loss, (1.5, -1.0, 0.3), (2.0, 0.1, -0.4), rate=0.05, max_steps=60, **more)
    together = simulate(batch, "numpy")
    for run in range(batch.runs):
        assert_same_bytes(together[run], simulate(batch.take([run]), "python"))


@engines
def test_clipping_by_value_acts_on_each_component(engine):
    batch = batch_of("3x^2 - 0.1y^2", (1.0, 2.0), rate=0.1, clip=Clip("value", 2.0), max_steps=1)
    assert simulate(batch, engine).gradient[0, :, 0].tolist() == [2.0, pytest.approx(-0.4, rel=1e-15)]


@engines
def test_a_gradient_whose_square_overflows_is_clipped_not_lost(engine):
    batch = batch_of("1e200*(3x + 4y)", (1.0, 2.0), rate=0.1, clip=Clip("norm", 1.0), max_steps=1)
    assert simulate(batch, engine).gradient[0, :, 0] == pytest.approx([0.6, 0.8], rel=1e-14)


@engines
def test_only_steps_that_were_clipped_are_flagged(engine):
    batch = batch_of("w^2", 1.0, rate=0.1, clip=Clip("value", 1.5), max_steps=6)
    trajectory = simulate(batch, engine)
    # w = 1, 0.85, 0.7 (gradient 1.4: below the bound from here on)
    assert trajectory.flags == ({1: ("clipped",), 2: ("clipped",)},)


@pytest.mark.integration
def test_clipping_follows_torch():
    torch = pytest.importorskip("torch")
    for gradient in ([3.0, 4.0], [0.3, 0.4], [1e-3, 0.0], [0.0, 0.0], [-5.0, 1e-9]):
        for kind in ("norm", "value"):
            weight = torch.zeros(2, dtype=torch.float64, requires_grad=True)
            weight.grad = torch.tensor(gradient, dtype=torch.float64)
            getattr(torch.nn.utils, f"clip_grad_{kind}_")([weight], 0.5)
            a, b = gradient
            batch = batch_of(f"x*({a!r}) + y*({b!r})", (0.0, 0.0), clip=Clip(kind, 0.5), max_steps=0)
            assert simulate(batch).gradient[0, :, 0] == pytest.approx(weight.grad.tolist(), rel=1e-15)


@engines
def test_backtracking_halves_until_armijo_holds(engine):
    """On w² from 1 the rate η passes if (1 − 2η)² ≤ 1 − 4·10⁻⁴η: 3 and 1.5 fail, 0.75 does not."""
    batch = batch_of("w^2", 1.0, rate=3.0, line_search="armijo", max_steps=1)
    trajectory = simulate(batch, engine)
    assert trajectory.weight[1, 0, 0] == -0.5
    assert trajectory.learning_rate[0, 0] == 0.75
    assert trajectory.flags == ({1: ("backtracked",)},)
    assert trajectory.loss_evaluations[0] == 4 + 4  # L(w) and three tries, at both records


@engines
def test_a_good_step_is_not_halved(engine):
    trajectory = simulate(batch_of("w^2", 1.0, rate=0.25, line_search="armijo", max_steps=3), engine)
    assert trajectory.weight[:, 0, 0].tolist() == [1.0, 0.5, 0.25, 0.125]
    assert trajectory.flags == ({},)
    assert trajectory.loss_evaluations[0] == 2 * 4


@engines
def test_a_step_uphill_stalls(engine):
    """Newton's step at a place of negative curvature points to the maximum."""
    batch = batch_of("w^4 - 2w^2", 0.1, rate=1.0, rule="newton", line_search="armijo")
    trajectory = simulate(batch, engine)
    assert ending(trajectory) == (Status.STALLED, 0)
    assert trajectory.final_learning_rate[0] == 0.0


@engines
def test_with_line_search_every_step_lowers_the_loss(engine):
    trajectory = simulate(batch_of(TWO, (-1.2, 1.0), rate=1.0, line_search="armijo", max_steps=200), engine)
    assert trajectory.loss_fell.tolist() == [True]
    assert (np.diff(trajectory.loss[:, 0]) < 0).all()


# -- records and memory -------------------------------------------------------------------------


def test_too_many_records_are_refused_before_they_are_allocated():
    batch = batch_of("w^2", *np.ones(1000), max_steps=10**9)
    with pytest.raises(InputError, match=r"64,000,000,128,000 bytes.*every: 59605"):
        simulate(batch)


@pytest.mark.parametrize(("runs", "engine"), [later(1, "python"), (200, "numpy")])
def test_the_budget_counts_what_recording_takes_at_its_peak(runs, engine):
    """Arrays of 8 bytes a number, once in pieces and once put together. Beside them: the step numbers, the
    Python floats of 16,384 steps (32 bytes each, three a step), and everything else, 2 MB."""
    batch = batch_of("cos(w)", *np.linspace(0.1, 1, runs), rate=1e-9, max_steps=100_000 // runs)
    simulate(replace(batch, stopping=replace(batch.stopping, max_steps=50)), engine)
    tracemalloc.start()
    simulate(batch, engine)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < record_bytes(batch, batch.stopping.max_steps) + (
        2_000_000 + (4_800_000 if runs == 1 else 0)
    )


def test_a_run_of_a_batch_is_a_trajectory_without_padding():
    trajectory = simulate(batch_of("w^2", 1.0, 5.0, 0.0, rate=[0.4, 0.1, 0.1], record_every=4))
    for run in (0, 1, 2, -1):
        one = trajectory[run]
        assert one.runs == 1
        assert one.step_index[-1] == trajectory.steps[run]
        assert np.isfinite(one.weight).all()
        assert one.final_weight[0, 0] == one.weight[-1, 0, 0]


def test_after_its_end_a_run_is_padded_with_nan():
    trajectory = simulate(batch_of("w^2", 0.0, 5.0, max_steps=5))
    assert np.isnan(trajectory.weight[1:, 0, 0]).all()
    assert np.isnan(trajectory.loss[1:, 0]).all()
    assert np.isfinite(trajectory.weight[:, 0, 1]).all()


@engines
def test_the_tail_holds_the_last_weights_of_runs_that_did_not_end(engine):
    trajectory = simulate(batch_of("cos(w)", 1.0, rate=0.01, max_steps=100), engine)
    assert trajectory.tail[:, 0, 0].tolist() == trajectory.weight[-32:, 0, 0].tolist()
    short = simulate(batch_of("cos(w)", 1.0, rate=0.01, max_steps=3), engine)
    assert np.isnan(short.tail[:28]).all()
    assert short.tail[28:, 0, 0].tolist() == short.weight[:, 0, 0].tolist()


def test_whether_the_loss_fell_at_every_step():
    trajectory = simulate(batch_of("w^2", 1.0, 1.0, 1.0, 0.0, rate=[0.1, 1.2, 0.9, 0.1], max_steps=50))
    assert trajectory.loss_fell.tolist() == [True, False, True, True]


def test_an_unknown_engine_is_refused():
    with pytest.raises(InputError, match="engine: unknown engine 'fortran'; expected one of auto, python"):
        simulate(batch_of("w^2", 1.0), "fortran")
    with pytest.raises(InputError, match="did you mean numpy"):
        simulate(batch_of("w^2", 1.0), "numy")


@pytest.mark.parametrize("runs", [3, 9000])
def test_many_runs_that_end_one_after_the_other_end_as_alone(runs):
    """Rates from far too small to far too large: every burst sees some runs end, in every way."""
    rates = np.geomspace(1e-4, 2.0, runs)
    batch = batch_of("w^4 - 2w^2 + 0.3w", *np.full(runs, 1.7), rate=rates, max_steps=300, record_every=1000)
    many = simulate(batch)
    assert len({*many.status}) >= (2 if runs == 3 else 4)
    for run in range(0, runs, max(1, runs // 60)):
        alone = simulate(batch.take([run]), "python")  # + − × only: the same bits on both engines
        assert ending(many, run) == ending(alone)
        assert many.final_weight[:, run].tobytes() == alone.final_weight[:, 0].tobytes()
        assert many.gradient_evaluations[run] == alone.gradient_evaluations[0]


BURSTS = [
    "w^3/3 - w^2/2", "w^4 - 2w^2 + 0.3w", "exp(w) - 2w", "w^2 - cos(3w)/w", "log(w)^2", "max(w, 0)*w",
    "x*y + 0.01*(x^4 + y^4)", "(x*y)^2/2 + 3*x*y + x^2 + y^2", "x^2 + 0*y",
]  # fmt: skip


@pytest.mark.parametrize(
    ("loss", "rule", "tolerance"),
    [
        # by default each loss with each tolerance once, and each rule six times
        (later if (i + j + k) % 3 else pytest.param)(loss, rule, tolerance)
        for i, loss in enumerate(BURSTS)
        for j, rule in enumerate(["gradient_descent", "sign_descent", "momentum"])
        for k, tolerance in enumerate([0.0, 1e-8])
    ],
)
def test_taking_many_steps_at_once_changes_nothing(loss, rule, tolerance):
    """With every record kept each step is judged by itself, with few only where something may happen."""
    size = len(Loss.from_text(loss).weights)
    starts = np.random.default_rng(1).uniform(-1.2, 1.2, (60, size))
    every, seldom = (
        simulate(
            batch_of(
                loss, *starts, rate=np.geomspace(1e-3, 3.0, 60), rule=rule, max_steps=277,
                tolerance=tolerance, record_every=record,
            )
        )
        for record in (1, 10**4)
    )  # fmt: skip
    assert_same_bytes(every, seldom, records=False)
    assert len({*every.status}) > 1


@pytest.mark.parametrize(
    "rates", [schedule(), schedule("exponential", gamma=0.99)], ids=["constant", "falls"]
)
def test_runs_that_converge_one_after_the_other_are_each_seen_at_their_step(rates):
    """On w²/2 the gradient is w: it shrinks by 1 − η at a step, and is below 10⁻⁸ after ln 10⁸/−ln(1 − η)."""
    rate = np.linspace(0.05, 0.4, 50)
    batch = batch_of("w^2/2", *np.ones(50), rate=rate, rates=rates, max_steps=600, record_every=10**4)
    many = simulate(batch)
    for run in range(50):
        alone = simulate(batch.take([run]), "python")
        assert ending(many, run) == ending(alone)
    if rates.schedule.name == "constant":
        assert many.steps.tolist() == np.ceil(np.log(1e-8) / np.log(1 - rate)).tolist()


@pytest.mark.parametrize("every", [1, 1000])
def test_of_two_runs_one_ends_and_the_other_goes_on(every):
    batch = batch_of("w^2", 1.0, 1.0, rate=[0.4, 1e-3], max_steps=200, record_every=every)
    both = simulate(batch)
    assert both.status == (Status.CONVERGED, Status.MAX_STEPS)
    for run in range(2):
        assert_same_bytes(both[run], simulate(batch.take([run]), "numpy"))


@pytest.mark.parametrize("loss", ["w^3/3 - w^2/2", "w^4 - 2w^2 + 0.3w", "w^2 - cos(3w)", "w^2*y - y^3"])
@pytest.mark.parametrize("radius", [0.5, 8.0, 1e3])
def test_no_weight_leaves_the_bound_before_it_is_looked_at_again(loss, radius):
    size = len(Loss.from_text(loss).weights)
    corners = np.array(np.meshgrid(*[np.linspace(-radius, radius, 21)] * size)).reshape(size, -1).T
    batch = batch_of(loss, *corners, rate=2.9, tolerance=0.0, bound=1e6, max_steps=8)
    steps = Plan(batch).safe_steps(radius, 8)
    assert steps >= (2 if radius < 1 else 1)
    if not Plan(batch).divergence_lasts:
        assert not np.any(np.abs(simulate(batch).weight[:steps]) > 1e6)


@pytest.mark.parametrize(
    ("loss", "lasts"),
    [
        ("w^3/3 - w^2/2", True), ("w^4 - 2w^2 + 0.3w", True), ("-(w - 7)^6/1000 + w", True), ("w^2", False),
        ("w^3/10^12", False), ("w^4 - (w^2 - 1)^2", False), ("w^4 + sin(w)", False), ("x^4 + y^4", False),
        ("w^4/(1 + w^2)", False),
    ],
)  # fmt: skip
def test_where_divergence_lasts_a_weight_beyond_the_bound_grows_for_ever(loss, lasts):
    bound = 1e3
    starts = np.concatenate([np.geomspace(bound, 1e40, 40), -np.geomspace(bound, 1e40, 40)])
    size = len(Loss.from_text(loss).weights)
    batch = batch_of(loss, *np.tile(starts[:, None], size), rate=0.05, tolerance=0.0, bound=bound)
    assert Plan(batch).divergence_lasts is lasts
    if lasts:
        one_step = replace(batch, stopping=replace(batch.stopping, max_steps=1, divergence_bound=1e308))
        after = simulate(one_step).final_weight[0]
        assert np.all(~(np.abs(after) <= 2 * np.abs(starts)))


@pytest.mark.parametrize("start", [1.36, 1.5, 1.8, 2.5, 10.0])
@pytest.mark.parametrize("runs", [1, 40])
def test_a_run_that_leaves_within_a_burst_diverges_at_its_step(start, runs):
    """The logistic map beyond its interval: the others stay in it for ever."""
    starts = np.linspace(0.2, 0.9, runs)
    starts[-1] = start
    batch = batch_of("w^3/3 - w^2/2", *starts, rate=2.9, tolerance=0.0, record_every=10**4)
    many, alone = simulate(batch, "numpy"), simulate(batch.take([runs - 1]), "python")
    assert ending(many, runs - 1) == ending(alone)
    assert alone.status[0] is Status.DIVERGED
    assert {*many.status[:-1]} <= {Status.MAX_STEPS}


def test_weights_beyond_the_root_of_the_bound_are_no_divergence():
    """Many large weights: the sum of their squares is above the squared bound, each is below the bound."""
    starts = np.linspace(-90, 90, 5000)
    many = simulate(batch_of("w^2", *starts, rate=0.01, bound=100.0, max_steps=100, record_every=50))
    assert {*many.status} == {Status.MAX_STEPS}
    assert many.final_weight[0] == pytest.approx(starts * 0.98**100, rel=1e-13)


# -- closed forms -------------------------------------------------------------------------------

settled = examples(40)
numbers = st.floats(-10, 10, allow_subnormal=False)


@settled
@given(st.floats(0.05, 20), numbers, numbers, st.floats(0.01, 1.99))
def test_a_parabola_follows_its_closed_form(curvature, minimum, start, product):
    """w_k = c + (1 − ηa)^k (w₀ − c). A step makes three roundings of numbers not above 20; they are not
    enlarged by later steps, and 60 steps add them up."""
    text = f"({curvature!r})/2*(w - ({minimum!r}))^2"
    rate = product / curvature
    trajectory = simulate(batch_of(text, start, rate=rate, max_steps=60, tolerance=0.0), "python")
    steps = trajectory.step_index
    expected = minimum + (1 - rate * curvature) ** steps.astype(float) * (start - minimum)
    assert trajectory.weight[:, 0, 0] == pytest.approx(expected, rel=0, abs=60 * 3 * 60 * 2**-52)


@settled
@given(st.floats(0.1, 10), st.floats(0.02, 3.5))
def test_a_parabola_is_contracted_if_and_only_if_the_product_is_below_two(curvature, product):
    assume(abs(product - 2) > 0.02)
    loss, rate = f"({curvature!r})/2*w^2", product / curvature
    many = simulate(batch_of(loss, 1.0, -0.3, rate=rate, max_steps=4000, tolerance=1e-9))
    expected = Status.CONVERGED if product < 2 else Status.DIVERGED
    assert many.status == (expected, expected)


@settled
@given(st.sampled_from([0.25, 0.5, 1.0, 2.0, 8.0]), st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_at_two_over_the_curvature_the_weight_jumps_between_two_mirror_images(curvature, minimum, start):
    """All numbers are small binary fractions, so nothing is rounded."""
    assume(minimum != start)
    text = f"({curvature!r})/2*(w - ({minimum}))^2"
    trajectory = simulate(batch_of(text, float(start), rate=2 / curvature), "python")
    assert ending(trajectory) == (Status.CYCLING, 2)
    assert trajectory.weight[:, 0, 0].tolist() == [start, 2 * minimum - start, start]


@settled
@given(st.integers(-64, 64), st.sampled_from(["gradient_descent", "momentum", "adam", "newton"]))
def test_shifting_loss_and_start_shifts_the_path(shift, rule):
    """Shifted by binary fractions, (w − s) is the same number at the start; later, weights of size up to 66
    are rounded 2⁻⁴⁷ apart, which 30 contracting steps add up."""
    loss = "(w - ({0}))^4/8 + (w - ({0}))^2"
    here = simulate(batch_of(loss.format(0), 1.5, rate=0.02, rule=rule, max_steps=30), "python")
    there = simulate(batch_of(loss.format(shift), 1.5 + shift, rate=0.02, rule=rule, max_steps=30), "python")
    shared = min(len(here.weight), len(there.weight))
    shifted_back = there.weight[:shared, 0, 0] - shift
    assert shifted_back == pytest.approx(here.weight[:shared, 0, 0], abs=100 * 30 * 2**-47)


# -- the page -----------------------------------------------------------------------------------


def test_the_page_explains_every_status_flag_engine_and_field():
    page = (Path(__file__).parent.parent / "docs" / "simulation.md").read_text(encoding="utf-8")
    for status in Status:
        assert f"| `{status}` |" in page
    options = ("every", "seed", "norm", "value", "armijo", "gaussian", "minibatch", "scale", "size")
    for word in ("clipped", "backtracked", *ENGINES, *options):
        assert word in page


@pytest.mark.parametrize(
    "loss",
    ["-w^2", "-(w - 1)^2/2", "-2*w^4 - w^2", "-(w^2)*abs(w)/3", "-2*(-3)*(-1)*w^2", "-sqrt(w)", "w^2/(-3)"],
)
def test_what_is_never_positive_is_so_at_every_weight(loss: str) -> None:
    assert never(parse(loss), 1)
    assert not never(parse(loss), -1)
    weight = np.concatenate([np.linspace(-2, 2, 41), np.geomspace(1e-160, 1e100, 53)])
    values = Loss.from_text(loss).evaluate(weight[None])
    assert not (values > 0).any()


@pytest.mark.parametrize(
    "loss", ["-w", "-w^3", "w^2 - w^4", "-w^2*w", "1 - w^2", "w^2/w", "-w^2 + 1e-9", "w^2*(-2)*(-1)"]
)
def test_what_may_be_positive_is_not_said_to_be_negative(loss: str) -> None:
    assert not never(parse(loss), 1)


def test_a_falling_exponential_cannot_overflow_and_a_rising_one_can() -> None:
    assert not Plan(batch_of("w^2 + exp(-w^2)", 0.5)).loss_may_fail
    assert not Plan(batch_of("w^2 + exp(-w^2)", 0.5)).gradient_may_fail
    assert Plan(batch_of("w^2 + exp(w^2)", 0.5)).loss_may_fail
