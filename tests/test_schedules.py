"""Schedules against their closed forms and torch.optim.lr_scheduler."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from batches import batch_of

from gdsim.expr.nodes import symbols
from gdsim.kernels.rates import Rates
from gdsim.outcomes import InputError
from gdsim.schedules import INPUTS, SCHEDULES, ScheduleChoice, schedule
from gdsim.simulation import simulate

STEPS = 60
INITIAL = 0.3

# each schedule with options, and its closed form written down a second time
CASES: dict[str, tuple[ScheduleChoice, Callable[[int], float]]] = {
    "constant": (schedule(), lambda k: INITIAL),
    "step": (schedule("step", step_size=7, gamma=0.5), lambda k: INITIAL * 0.5 ** (k // 7)),
    "exponential": (schedule("exponential", gamma=0.95), lambda k: INITIAL * 0.95**k),
    "inverse_time": (schedule("inverse_time", decay=0.2), lambda k: INITIAL / (1 + 0.2 * k)),
    "linear": (
        schedule("linear", start_factor=0.25, end_factor=0.75, total_iters=20),
        lambda k: INITIAL * (0.25 + 0.5 * min(k, 20) / 20),
    ),
    "linear downwards": (
        schedule("linear", start_factor=1.0, end_factor=0.0, total_iters=20),
        lambda k: INITIAL * (1 - min(k, 20) / 20),
    ),
    "cosine": (
        schedule("cosine", T_max=40, eta_min=0.01),
        lambda k: 0.01 + (INITIAL - 0.01) * math.cos(math.pi * min(k, 40) / 80) ** 2,
    ),
    "cosine upwards": (
        schedule("cosine", T_max=40, eta_min=0.9),
        lambda k: 0.9 - 0.6 * math.cos(math.pi * min(k, 40) / 80) ** 2,
    ),
}
cases = pytest.mark.parametrize(("choice", "closed_form"), CASES.values(), ids=CASES)


def rates(choice: ScheduleChoice, engine: str = "python") -> np.ndarray:
    """The rates of a run that never ends early."""
    batch = batch_of(
        "cos(w)", 1.0, rate=INITIAL, rates=choice, tolerance=0.0, max_steps=STEPS, rule="momentum"
    )
    return simulate(batch, engine).learning_rate[:, 0]


def test_every_schedule_has_a_case():
    assert {choice.schedule.name for choice, _ in CASES.values()} == {*SCHEDULES}


@cases
@pytest.mark.parametrize("engine", ["python", "numpy"])
def test_each_schedule_is_its_closed_form(choice, closed_form, engine):
    """A handful of roundings; half a cosine is a cosine squared, near whose zero the relative error grows."""
    expected = [closed_form(k) for k in range(STEPS + 1)]
    assert rates(choice, engine) == pytest.approx(expected, rel=1e-13, abs=1e-16)


@cases
def test_both_engines_use_the_same_bits(choice, closed_form):
    assert rates(choice, "python").tobytes() == rates(choice, "numpy").tobytes()


@cases
def test_a_warm_up_climbs_linearly_and_then_the_schedule_begins(choice, closed_form):
    warm = ScheduleChoice(choice.schedule, choice.options, warmup=4)
    found = rates(warm)
    assert found[:4] == pytest.approx([INITIAL * n / 5 for n in (1, 2, 3, 4)], rel=1e-15)
    assert found[4:].tolist() == rates(choice)[:-4].tolist()


@pytest.mark.integration
@cases
def test_each_schedule_follows_torch(choice, closed_form):
    torch = pytest.importorskip("torch")
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([weight], lr=INITIAL)
    options = dict(choice.options)
    for name in ("step_size", "total_iters", "T_max"):
        if name in options:
            options[name] = int(options[name])
    scheduler = torch.optim.lr_scheduler
    made = {
        "constant": lambda: scheduler.ConstantLR(optimiser, factor=1.0),
        "step": lambda: scheduler.StepLR(optimiser, **options),
        "exponential": lambda: scheduler.ExponentialLR(optimiser, **options),
        "inverse_time": lambda: scheduler.LambdaLR(optimiser, lambda k: 1 / (1 + options["decay"] * k)),
        "linear": lambda: scheduler.LinearLR(optimiser, **options),
        "cosine": lambda: scheduler.CosineAnnealingLR(optimiser, **options),
    }[choice.schedule.name]()
    # PyTorch's cosine climbs again after T_max; ours is held there
    steps = 41 if choice.schedule.name == "cosine" else STEPS + 1
    expected = []
    for _ in range(steps):
        expected.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        made.step()
    # PyTorch multiplies from step to step: one rounding each, relative to the largest rate
    assert rates(choice)[:steps] == pytest.approx(expected, rel=1e-12, abs=1e-14)


@cases
def test_after_its_warm_up_a_schedule_goes_one_way_and_ends_where_it_says(choice, closed_form):
    found = rates(choice)
    differences = np.diff(found)
    assert (differences >= 0).all() or (differences <= 0).all()
    if choice.schedule.ends_with:
        end = int(choice.options[choice.schedule.ends_with])
        assert len({*found[end:].tolist()}) == 1
        assert found[end - 1] != found[end]


RISES = {
    "constant": (0, 0), "step": (0, math.inf), "exponential": (0, math.inf), "inverse_time": (0, math.inf),
    "linear": (20, 20), "linear downwards": (0, 20), "cosine": (0, 40), "cosine upwards": (40, 40),
}  # fmt: skip


@pytest.mark.parametrize("warmup", [0, 5])
@pytest.mark.parametrize("case", CASES)
def test_it_is_known_from_when_a_rate_no_longer_grows_or_changes(case, warmup):
    choice = ScheduleChoice(CASES[case][0].schedule, CASES[case][0].options, warmup)
    found = Rates(batch_of("w", 1.0, rate=INITIAL, rates=choice))
    grows, changes = RISES[case]
    # a step that has a climb before it and no change after it still changes on arriving there
    assert found.rises_until.tolist() == [grows + warmup]
    assert found.changes_until.tolist() == [changes + warmup]


@pytest.mark.parametrize("entry", SCHEDULES.values(), ids=SCHEDULES)
def test_every_schedule_is_a_formula_over_its_options(entry):
    used = {*symbols(entry.expression, "parameter")}
    assert used <= {*INPUTS, *entry.options}
    assert {*entry.options} <= used | {"step_size"}  # step_size acts through period_number
    assert entry.summary
    assert not symbols(entry.expression, "weight")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cosin", {}, "did you mean cosine"),
        ("cosine", {}, "needs the option 'T_max'"),
        ("cosine", {"T_max": 0}, "out of range"),
        ("cosine", {"T_max": 2.5}, "a whole number ≥ 1"),
        ("step", {"step_size": 5, "gama": 0.5}, "did you mean gamma"),
        ("exponential", {"gamma": 1.5}, "out of range"),
        ("constant", {"warmup": -1}, "a whole number ≥ 0"),
        ("constant", {"warmup": True}, "a whole number ≥ 0"),
        ("constant", {"warmup": math.nan}, "a whole number ≥ 0"),
        ("constant", {"warmup": math.inf}, "a whole number ≥ 0"),
    ],
)
def test_a_bad_schedule_is_answered_with_what_is_right(name, options, message):
    with pytest.raises(InputError, match=message):
        schedule(name, **options)
