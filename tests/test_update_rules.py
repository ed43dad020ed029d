"""Update rules against independent statements of the same rule: plain Python here, and torch.optim."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from batches import RULE_CHOICES, batch_of
from tiers import later

from gdsim.expr.nodes import symbols
from gdsim.outcomes import InputError
from gdsim.schedules import schedule
from gdsim.simulation import simulate
from gdsim.update_rules import INPUTS, RULES, Option, RuleChoice, update_rule

STEPS = 200


# -- the rules written down a second time, as their papers and PyTorch's documentation state them ----


def gradient_descent(o: dict[str, float]) -> Iterator[float]:
    step = 0.0
    while True:
        w, g, rate, _ = yield step
        step = -rate * (g + o["weight_decay"] * w)


def sign_descent(o: dict[str, float]) -> Iterator[float]:
    step = 0.0
    while True:
        _, g, rate, _ = yield step
        step = -rate * (0.0 if g == 0 else math.copysign(1.0, g))


def momentum(o: dict[str, float]) -> Iterator[float]:
    step, buffer = 0.0, None
    while True:
        w, g, rate, _ = yield step
        g += o["weight_decay"] * w
        buffer = g if buffer is None else o["momentum"] * buffer + (1 - o["dampening"]) * g
        step = -rate * buffer


def nesterov(o: dict[str, float]) -> Iterator[float]:
    step, buffer = 0.0, None
    while True:
        w, g, rate, _ = yield step
        g += o["weight_decay"] * w
        buffer = g if buffer is None else o["momentum"] * buffer + g
        step = -rate * (g + o["momentum"] * buffer)


def adagrad(o: dict[str, float]) -> Iterator[float]:
    step, total = 0.0, o["initial_accumulator_value"]
    while True:
        w, g, rate, t = yield step
        g += o["weight_decay"] * w
        total += g * g
        step = -rate / (1 + (t - 1) * o["lr_decay"]) * g / (math.sqrt(total) + o["eps"])


def rmsprop(o: dict[str, float]) -> Iterator[float]:
    step = square = mean = buffer = 0.0
    while True:
        w, g, rate, _ = yield step
        g += o["weight_decay"] * w
        square = o["alpha"] * square + (1 - o["alpha"]) * g * g
        variance = square
        if o["centered"]:
            mean = o["alpha"] * mean + (1 - o["alpha"]) * g
            variance = square - mean * mean
        buffer = o["momentum"] * buffer + g / (math.sqrt(variance) + o["eps"])
        step = -rate * buffer


def adam(o: dict[str, float], decoupled: bool = False) -> Iterator[float]:
    step = mean = square = largest = 0.0
    while True:
        w, g, rate, t = yield step
        step = -rate * o["weight_decay"] * w if decoupled else 0.0
        if not decoupled:
            g += o["weight_decay"] * w
        mean = o["beta1"] * mean + (1 - o["beta1"]) * g
        square = o["beta2"] * square + (1 - o["beta2"]) * g * g
        largest = max(largest, square)
        corrected = (largest if o["amsgrad"] else square) / (1 - o["beta2"] ** t)
        step += -rate * mean / (1 - o["beta1"] ** t) / (math.sqrt(corrected) + o["eps"])


def adamw(o: dict[str, float]) -> Iterator[float]:
    return adam(o, decoupled=True)


# each under the name of its rule; Newton's, which needs second derivatives, is tested further down
SECOND: dict[str, Callable[[dict[str, float]], Iterator[float]]] = {
    name: globals()[name] for name in RULES if name != "newton"
}

# losses with their gradients written by hand, and starts
Slopes = Callable[[list[float]], list[float]]
LOSSES: dict[str, tuple[str, tuple[float, ...], Slopes]] = {
    "parabola": ("0.7*(w - 2)^2", (-1.5,), lambda w: [1.4 * (w[0] - 2)]),
    "double well": ("(w^2 - 1)^2 + 0.3w", (0.1,), lambda w: [4 * w[0] * (w[0] ** 2 - 1) + 0.3]),
    "two weights": (
        "(x - 1)^2 + 2*(y + x)^2",
        (-1.0, 2.0),
        lambda w: [2 * (w[0] - 1) + 4 * (w[1] + w[0]), 4 * (w[1] + w[0])],
    ),
}
losses = pytest.mark.parametrize("loss", LOSSES)
# sign descent only ever jumps about the minimum, where one rounding decides the sign: few steps
SIGN_STEPS = 30
choices = pytest.mark.parametrize(
    "choice", [c for c in RULE_CHOICES.values() if c.rule.name != "newton"],
    ids=[name for name, c in RULE_CHOICES.items() if c.rule.name != "newton"],
)  # fmt: skip


def simulated(choice: RuleChoice, loss: str, steps: int, engine: str, rate: float = 0.013) -> np.ndarray:
    formula, start, _ = LOSSES[loss]
    batch = batch_of(formula, start, rate=rate, rule=choice, max_steps=steps, tolerance=0.0)
    return simulate(batch, engine).weight[:, :, 0]


@choices
@pytest.mark.parametrize(
    ("engine", "loss"),
    [
        ("python", "two weights"), ("numpy", "double well"), later("python", "parabola"),
        later("python", "double well"), later("numpy", "parabola"), later("numpy", "two weights"),
    ],
)  # fmt: skip
def test_each_rule_follows_its_second_statement(choice, loss, engine):
    """To 1e-12: 200 steps of some ten roundings (2⁻⁵³ each) on maps that do not expand are 2e-13."""
    steps = SIGN_STEPS if choice.rule.name == "sign_descent" else STEPS
    _, start, slopes = LOSSES[loss]
    rules = [SECOND[choice.rule.name](dict(choice.options)) for _ in start]
    for rule in rules:
        next(rule)
    w = list(start)
    path = [list(w)]
    for k in range(steps):
        moves = [
            rule.send((w[i], g, 0.013, k + 1))
            for i, (rule, g) in enumerate(zip(rules, slopes(w), strict=True))
        ]
        w = [value + move for value, move in zip(w, moves, strict=True)]
        path.append(list(w))
    found = simulated(choice, loss, steps, engine)
    np.testing.assert_allclose(found, np.array(path), rtol=1e-12, atol=1e-12)


@pytest.mark.integration
@choices
@losses
def test_each_rule_follows_torch(choice, loss):
    torch = pytest.importorskip("torch")
    name, options = choice.rule.name, dict(choice.options)
    if "beta1" in options:
        options["betas"] = (options.pop("beta1"), options.pop("beta2"))
    for flag in ("amsgrad", "centered"):
        if flag in options:
            options[flag] = bool(options[flag])
    optimisers = {
        "gradient_descent": torch.optim.SGD, "momentum": torch.optim.SGD, "nesterov": torch.optim.SGD,
        "adagrad": torch.optim.Adagrad, "rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
    }  # fmt: skip
    if name not in optimisers:
        pytest.skip(f"torch.optim has no {name}")  # its Rprop adapts its steps, sign descent does not
    if name == "nesterov":
        options["nesterov"] = True
    _, start, slopes = LOSSES[loss]
    w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimiser = optimisers[name]([w], lr=0.013, **options)
    path = [list(start)]
    for _ in range(STEPS):
        w.grad = torch.tensor(slopes(w.tolist()), dtype=torch.float64)
        optimiser.step()
        path.append(w.tolist())
    found = simulated(choice, loss, STEPS, "python")
    assert found == pytest.approx(np.array(path), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("engine", ["python", "numpy"])
def test_newton_reaches_the_bottom_of_a_parabola_in_one_step(engine):
    batch = batch_of("3*(x - 1)^2 + (x - 1)*(y + 2) + 2*(y + 2)^2", (5.0, 7.0), rate=1.0, rule="newton")
    trajectory = simulate(batch, engine)
    assert trajectory.weight[1, :, 0] == pytest.approx([1.0, -2.0], rel=1e-14)
    assert trajectory.steps[0] in (1, 2)


@pytest.mark.parametrize("engine", ["python", "numpy"])
def test_newton_steps_are_gradient_over_curvature(engine):
    """w − η f′/f″ for w⁴: w·(1 − η/3)."""
    trajectory = simulate(batch_of("w^4", 2.0, rate=0.6, rule="newton", max_steps=20, tolerance=0), engine)
    assert trajectory.weight[:, 0, 0] == pytest.approx(2.0 * 0.8 ** np.arange(21), rel=1e-14)


@pytest.mark.parametrize("engine", ["python", "numpy"])
def test_newton_solves_a_tiny_but_regular_hessian(engine):
    """The determinant of 10⁻²⁰⁰ times a regular matrix underflows to zero; the solution does not care."""
    batch = batch_of(
        "1e-200*((x - 1)^2 + x*y + y^2)", (3.0, 4.0), rate=1.0, rule="newton", tolerance=0, max_steps=1
    )
    assert simulate(batch, engine).final_weight[:, 0] == pytest.approx([4 / 3, -2 / 3], rel=1e-13)


@pytest.mark.parametrize("engine", ["python", "numpy"])
@pytest.mark.parametrize(("loss", "start"), [("w^3 + w", 0.0), ("x + (x + y)^2", (1.0, 1.0))])
def test_newton_without_curvature_is_nonfinite_one_step_later(engine, loss, start):
    trajectory = simulate(batch_of(loss, start, rate=1.0, rule="newton"), engine)
    assert (trajectory.status[0], trajectory.steps[0]) == ("NONFINITE", 1)


def test_newton_needs_a_formula():
    from gdsim.derivatives import derivative_method
    from gdsim.losses import Loss

    batch = batch_of(
        Loss.from_callable(lambda w: w * w), 1.0, rule="newton", derivative=derivative_method("numeric")
    )
    with pytest.raises(InputError, match="second derivatives"):
        simulate(batch)


# -- the registry ---------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_is_a_list_of_formulas_that_ends_in_the_step(rule):
    assert rule.assignments[-1][0] == "step"
    known = {*INPUTS, *rule.options, *rule.state, *(name for name, _ in rule.assignments)}
    for _, formula in rule.program:
        assert {*symbols(formula, "parameter")} <= known
        assert not symbols(formula, "weight")
    assert {*rule.state} <= {name for name, _ in rule.assignments}
    assert rule.summary
    assert rule.reference
    assert all(option.summary for option in rule.options.values())


@pytest.mark.parametrize("rule", [rule for rule in RULES if RULES[rule].options])
def test_an_option_set_for_a_single_run_gives_the_same_bytes_as_for_all(rule):
    """Options that are zero are simplified away when they are zero for all runs: to the same bits."""
    values = RULES[rule].options
    options = {f"update_rule.{name}": np.array([option.default]) for name, option in values.items()}
    given = batch_of("(w^2 - 1)^2 + 0.3w", 0.1, rate=0.01, rule=rule, max_steps=100, options=options)
    default = batch_of("(w^2 - 1)^2 + 0.3w", 0.1, rate=0.01, rule=rule, max_steps=100)
    for engine in ("python", "numpy"):
        assert simulate(given, engine).weight.tobytes() == simulate(default, engine).weight.tobytes()


def test_an_unknown_rule_is_answered_with_the_nearest_name():
    with pytest.raises(InputError, match="did you mean momentum"):
        update_rule("momentun")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "adam",
            {"beta": 0.9},
            "beta: the update rule adam has no option 'beta'; "
            "expected one of eps, weight_decay, amsgrad, betas; did you mean betas?",
        ),
        ("adam", {"betas": [0.9]}, "betas: [0.9] does not fit; expected a list of 2 numbers"),
        ("adam", {"betas": [0.9, 1.0]}, "beta2: 1.0 is out of range; expected a number ≥ 0 and < 1"),
        ("adam", {"amsgrad": 3}, "amsgrad: 3 is neither true nor false; expected true or false"),
        ("momentum", {"momentum": True}, "momentum: True is not a number; expected a number ≥ 0 and < 1"),
        ("momentum", {"momentum": 1.0}, "momentum: 1.0 is out of range; expected a number ≥ 0 and < 1"),
        ("momentum", {"momentum": math.nan}, "momentum: nan is out of range; expected a number ≥ 0 and < 1"),
        ("momentum", {"momentum": "0.9"}, "momentum: '0.9' is not a number; expected a number ≥ 0 and < 1"),
        ("nesterov", {"momentum": 0.0}, "momentum: 0.0 is out of range; expected a number > 0 and < 1"),
        ("momentum", {"weight_decay": math.inf}, "weight_decay: inf is out of range; expected a number ≥ 0"),
        (
            "newton",
            {"damping": 1.0},
            "damping: the update rule newton has no option 'damping'; expected no options",
        ),
    ],
)
def test_a_bad_option_is_named(name, options, message):
    with pytest.raises(InputError) as raised:
        update_rule(name, **options)
    assert str(raised.value) == message


@pytest.mark.parametrize("rule", RULES)
def test_the_rules_whose_step_does_not_grow_with_the_loss_are_called_adaptive(rule):
    def step(loss):
        batch = batch_of(loss, 2.0, rate=0.01, rule=rule, max_steps=1, tolerance=0)
        start, end = simulate(batch, "python").weight[:, 0, 0]
        return end - start

    assert RULES[rule].adaptive == (step("4*w^4") != pytest.approx(4 * step("w^4"), rel=1e-9))


def test_all_bad_options_are_named_at_once():
    with pytest.raises(InputError) as raised:
        update_rule("momentum", momentum=2.0, dampening=-1.0, speed=3.0)
    assert {fault.path for fault in raised.value.faults} == {"momentum", "dampening", "speed"}


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (Option(1.0, "", 1.0, whole=True), "a whole number ≥ 1"),
        (Option(1.0, "", open_below=True), "a number > 0"),
    ],
)
def test_a_range_is_said_in_words(option, text):
    assert option.range == text


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("update_rule.momentun", 0.5, "did you mean update_rule.momentum"),
        ("update_rule.momentum", 1.5, "out of range"),
        ("noise.scale", 1.0, "not an option of these runs"),
        ("learning_rate.gamma", 1.0, "not an option of these runs"),
        ("learning_rate.warmup", 1.5, "out of range"),
    ],
)
def test_options_of_single_runs_are_checked(path, value, message):
    batch = batch_of("w^2", 1.0, rule="momentum", rates=schedule(), options={path: np.array([value])})
    with pytest.raises(InputError, match=message):
        simulate(batch)
