"""The derivative methods: their formulas, counts, refusals, data, and what they do to several runs."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from gdsim.derivatives import METHODS, DerivativeMethod, derivative_method, evaluation
from gdsim.derivatives.comparison import compare_at, v_curve
from gdsim.derivatives.complex_step import AUTOMATIC_STEP
from gdsim.derivatives.complex_step import evaluate as evaluate_complex
from gdsim.derivatives.evaluation import loss_values
from gdsim.derivatives.rounding import rounding_bound, sampled_noise
from gdsim.losses import Loss
from gdsim.outcomes import InputError

SCHEMES = METHODS["numeric"].options["scheme"].choices
DIFFERENCES = ("forward", "backward", "central", "five_point")
EVERY = [
    derivative_method("analytic"),
    *(derivative_method("numeric", scheme=scheme) for scheme in SCHEMES),
    *(derivative_method("numeric", scheme=scheme, step=1e-5) for scheme in SCHEMES),
    *(derivative_method("scipy", routine=routine) for routine in METHODS["scipy"].options["routine"].choices),
    *(derivative_method(name) for name in METHODS if name not in ("analytic", "numeric", "scipy", "torch")),
    pytest.param(derivative_method("torch"), marks=pytest.mark.integration),
]
LABELS = [getattr(method, "label", "torch") for method in EVERY]
every_method = pytest.mark.parametrize("method", EVERY, ids=LABELS)
LOOSE = 2e-4  # forward differences with step 1e-5 on losses with |f''| < 20: h/2 · 20, and a margin


def slope(method: DerivativeMethod, text: str, weight: object, **parameters: float) -> np.ndarray:
    loss = Loss.from_text(text, parameters=parameters)
    points = np.atleast_2d(np.asarray(weight, dtype=np.float64))
    return method.bind(loss)(points, {}, None).gradient


# What each method computes


def test_forward_difference_gives_the_textbook_numbers() -> None:
    method = derivative_method("numeric", scheme="forward", step=1e-5)
    expected = [((w + 1e-5) ** 2 - w**2) / 1e-5 for w in (3.0, 0.0, -2.0)]
    assert slope(method, "w^2", [3.0, 0.0, -2.0]).tolist() == [expected]


@pytest.mark.parametrize("weight", [3.0, 0.0, -2.0, 0.1, 12345.678])
@pytest.mark.parametrize(
    ("scheme", "formula"),
    [
        ("forward", lambda f, w, h: (f(w + h) - f(w)) / h),
        ("backward", lambda f, w, h: (f(w) - f(w - h)) / h),
        ("central", lambda f, w, h: (f(w + h) - f(w - h)) / (2 * h)),
        (
            "five_point",
            lambda f, w, h: (
                (4 * ((f(w + h) - f(w - h)) / (2 * h)) - (f(w + 2 * h) - f(w - 2 * h)) / (4 * h)) / 3
            ),
        ),
    ],
)
def test_given_step_is_used_as_it_is_by_arrays_and_by_scalars(scheme, formula, weight) -> None:
    expected = formula(lambda w: w * w * w - 2 * w, weight, 1e-3)
    method = derivative_method("numeric", scheme=scheme, step=1e-3)
    assert slope(method, "w^3 - 2*w", weight)[0, 0] == expected
    scalar = method.bind_scalar(Loss.from_text("w^3 - 2*w"))
    assert scalar is not None
    assert scalar(weight) == (expected,)


@pytest.mark.parametrize(
    ("scheme", "order"), [("forward", 1), ("backward", 1), ("central", 2), ("five_point", 4)]
)
def test_error_falls_with_the_power_of_the_step_that_the_order_says(scheme: str, order: int) -> None:
    # At these steps truncation is above 1e-10 and rounding below 1e-13/h < 1e-11 times less.
    steps = np.array([0.2, 0.1, 0.05, 0.025])
    exact = math.exp(0.5) * (math.sin(0.5) + math.cos(0.5))
    errors = [
        abs(slope(derivative_method("numeric", scheme=scheme, step=step), "exp(w)*sin(w)", 0.5)[0, 0] - exact)
        for step in steps
    ]
    measured = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert measured == pytest.approx(order, abs=0.2)


def test_complex_step_error_is_of_second_order_where_it_can_be_seen() -> None:
    steps = np.array([0.1, 0.05, 0.025])
    errors = [
        abs(
            slope(derivative_method("numeric", scheme="complex_step", step=step), "exp(w)", 1.0)[0, 0]
            - math.e
        )
        for step in steps
    ]
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(2.0, abs=0.05)


@every_method
def test_every_method_agrees_with_the_closed_form(method: DerivativeMethod) -> None:
    weight = np.array([-1.5, 0.25, 2.0])
    expected = np.cos(weight) * np.exp(-weight) - np.sin(weight) * np.exp(-weight)
    np.testing.assert_allclose(slope(method, "sin(w)*exp(-w)", weight)[0], expected, rtol=0, atol=LOOSE)


@every_method
def test_every_method_takes_four_weights(method: DerivativeMethod) -> None:
    loss = Loss.from_text("a^2 + a*b + sin(c)*d + exp(d)/4", weights=("a", "b", "c", "d"))
    a, b, c, d = point = np.array([[0.5, -1.0], [2.0, 0.0], [0.3, 1.0], [-0.7, 0.2]])
    expected = [2 * a + b, a, np.cos(c) * d, np.sin(c) + np.exp(d) / 4]
    np.testing.assert_allclose(method.bind(loss)(point, {}, None).gradient, expected, rtol=0, atol=LOOSE)


@every_method
def test_every_method_takes_parameters_that_differ_from_run_to_run(method: DerivativeMethod) -> None:
    loss = Loss.from_text("scale*(w - shift)^2", parameters={"scale": 1.0, "shift": 0.5})
    estimate = method.bind(loss)(np.array([[1.0, 1.0, 3.0]]), {"scale": np.array([1.0, 2.0, 3.0])}, None)
    np.testing.assert_allclose(estimate.gradient, [[1.0, 2.0, 15.0]], rtol=0, atol=LOOSE)


@every_method
def test_every_method_differentiates_over_the_loss_s_own_data(method: DerivativeMethod) -> None:
    loss = Loss.from_text("mean((w*x - y)^2)", data={"x": [1.0, 2.0, 3.0], "y": [2.0, 3.0, 5.0]})
    # d/dw mean((wx − y)²) = 2·mean(x(wx − y)); at w = 1: 2·(1·−1 + 2·−1 + 3·−2)/3 = −6
    np.testing.assert_allclose(
        method.bind(loss)(np.array([[1.0]]), {}, None).gradient, [[-6.0]], rtol=0, atol=LOOSE
    )


@every_method
def test_a_minibatch_replaces_the_columns_and_a_sum_is_scaled_up(method: DerivativeMethod) -> None:
    loss = Loss.from_text("sum(w*x^2)/10", data={"x": [1.0, 2.0, 3.0, 4.0]})
    batch = {"x": np.array([[1.0, 3.0], [2.0, 4.0]])}  # (size 2, runs 2) out of four rows
    # ∂/∂w = 4/2 · (x₁² + x₂²)/10: 2·5/10 and 2·25/10
    gradient = method.bind(loss)(np.array([[1.0, -1.0]]), {}, batch).gradient
    np.testing.assert_allclose(gradient, [[1.0, 5.0]], rtol=0, atol=LOOSE)


@pytest.mark.parametrize(
    "method",
    [method for method in EVERY if getattr(method, "label", "") != "scipy derivative"],
    ids=lambda method: method.label,
)
def test_a_run_in_a_batch_gives_the_bytes_it_gives_alone(method: DerivativeMethod) -> None:
    bound = method.bind(Loss.from_text("exp(sin(w)) + w^3/3 + a*w", parameters={"a": 1.0}))
    weight, a = np.linspace(-2.0, 2.0, 5)[np.newaxis], np.linspace(0.1, 1.0, 5)
    together = bound(weight, {"a": a}, None)
    for run in range(5):
        alone = bound(weight[:, run : run + 1], {"a": a[run : run + 1]}, None)
        assert alone.gradient.tobytes() == together.gradient[:, run : run + 1].tobytes()
        assert alone.evaluations[0] == together.evaluations[run]
        if alone.error is not None:
            assert together.error is not None
            assert alone.error.tobytes() == together.error[:, run : run + 1].tobytes()


def test_scipy_derivative_gives_a_run_the_same_in_a_batch_but_for_rounding() -> None:
    # SciPy sums its stencil by a matrix product, whose order depends on how many runs are still active:
    # 16 terms of size |f| ≤ 8 over h ≥ 0.5/2⁹ may differ by 16·8·u·2¹⁰ < 2e-11.
    bound = derivative_method("scipy").bind(Loss.from_text("exp(sin(w)) + w^3/3"))
    weight = np.linspace(-2.0, 2.0, 5)[np.newaxis]
    together = bound(weight, {}, None).gradient
    alone = np.concatenate([bound(weight[:, run : run + 1], {}, None).gradient for run in range(5)], axis=1)
    np.testing.assert_allclose(alone, together, rtol=0, atol=2e-11)


@every_method
@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf, 1e308])
def test_no_method_raises_or_warns_where_the_loss_is_not_finite(
    method: DerivativeMethod, weight: float
) -> None:
    assert slope(method, "w^4", weight).shape == (1, 1)


@pytest.mark.parametrize(
    "method",
    [method for method in EVERY if getattr(method, "name", "torch") not in ("analytic", "torch")],
    ids=lambda method: method.label,
)
def test_differences_outside_the_domain_of_the_loss_give_no_number(method: DerivativeMethod) -> None:
    assert not np.isfinite(slope(method, "log(w)", -1.0)).any()


# Evaluations are counted exactly


@pytest.mark.parametrize(
    "method",
    [method for method in EVERY if isinstance(method, DerivativeMethod) and "complex" not in method.label][
        1:
    ],
    ids=lambda method: method.label,
)
def test_reported_evaluations_are_the_calls_of_the_loss(method: DerivativeMethod) -> None:
    calls = 0

    def loss(a: float, b: float, c: float) -> float:
        nonlocal calls
        calls += 1
        return a * a * b + math.sin(c) / 2

    estimate = method.bind(Loss.from_callable(loss))(np.array([[1.0], [2.0], [0.5]]), {}, None)
    assert calls == estimate.evaluations[0]


@pytest.mark.parametrize("scheme", [*DIFFERENCES, "richardson"])
@pytest.mark.parametrize("step", ["auto", 1e-4])
def test_reported_evaluations_of_a_formula_are_the_lanes_evaluated(
    monkeypatch, scheme: str, step: object
) -> None:
    lanes = 0
    compile_function = evaluation.emit_numpy.compile_function

    def counting(*arguments, **options):
        function = compile_function(*arguments, **options)

        def count(*values):
            nonlocal lanes
            lanes += values[0].shape[-1]
            return function(*values)

        return count

    monkeypatch.setattr(evaluation.emit_numpy, "compile_function", counting)
    bound = derivative_method("numeric", scheme=scheme, step=step).bind(Loss.from_text("a^2*b + sin(b)"))
    estimate = bound(np.array([[1.0, 2.0, 3.0], [0.1, 0.2, 0.3]]), {}, None)
    assert estimate.evaluations.tolist() == [lanes / 3] * 3


def test_the_complex_step_evaluates_once_for_each_weight(monkeypatch) -> None:
    calls = 0

    def counting(*arguments):
        nonlocal calls
        calls += 1
        return evaluate_complex(*arguments)

    monkeypatch.setattr("gdsim.derivatives.complex_step.evaluate", counting)
    estimate = derivative_method("numeric", scheme="complex_step").bind(Loss.from_text("a*b"))(
        np.array([[1.0], [2.0]]), {}, None
    )
    assert estimate.evaluations.tolist() == [calls] == [2]


@pytest.mark.parametrize("scheme", DIFFERENCES)
def test_scalar_gradient_counts_and_computes_as_the_array_one(scheme: str) -> None:
    calls = 0

    def function(a: float, b: float) -> float:
        nonlocal calls
        calls += 1
        return a**3 * b + b**2

    method, loss = derivative_method("numeric", scheme=scheme, step=1e-4), Loss.from_callable(function)
    scalar = method.bind_scalar(loss)
    assert scalar is not None
    value, counted = scalar(1.5, -0.5), calls
    assert counted == method.evaluations(loss)
    assert list(value) == method.bind(loss)(np.array([[1.5], [-0.5]]), {}, None).gradient[:, 0].tolist()


def test_analytic_scalar_gradient_takes_weights_then_parameters() -> None:
    loss = Loss.from_text("mean((w*x - a)^2)", parameters={"a": 1.0}, data={"x": [1.0, 3.0]})
    scalar = derivative_method("analytic").bind_scalar(loss)
    assert scalar is not None
    assert scalar(2.0, 5.0) == (2 * (1 * (2 - 5) + 3 * (6 - 5)) / 2,)


def test_no_scalar_gradient_where_the_step_is_automatic() -> None:
    assert derivative_method("numeric").bind_scalar(Loss.from_text("w^2")) is None


@pytest.mark.parametrize("scheme", DIFFERENCES)
def test_scalar_gradient_never_raises(scheme: str) -> None:
    scalar = derivative_method("numeric", scheme=scheme, step=1e-5).bind_scalar(
        Loss.from_text("exp(w)/w + log(w)")
    )
    assert scalar is not None
    for weight in (0.0, -1.0, 1e308, math.inf, math.nan):
        assert isinstance(scalar(weight)[0], float)


# Refusals


@pytest.mark.parametrize(
    "text", ["abs(w)", "w + sign(w)", "max(w, 1)", "min(w, 2w)", "relu(w)", "huber(w)", "where(w > 0, w, 2w)"]
)
def test_complex_step_refuses_what_is_not_analytic(text: str) -> None:
    name = text.removeprefix("w + ").split("(")[0]
    with pytest.raises(InputError, match=f"{name} is not analytic"):
        derivative_method("numeric", scheme="complex_step").bind(Loss.from_text(text))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sqrt", 1.0),
        ("exp", math.exp(0.25)),
        ("log", 4.0),
        ("ln", 4.0),
        ("log2", 4 / math.log(2)),
        ("log10", 4 / math.log(10)),
        ("sin", math.cos(0.25)),
        ("cos", -math.sin(0.25)),
        ("tan", 1 / math.cos(0.25) ** 2),
        ("asin", 1 / math.sqrt(15 / 16)),
        ("acos", -1 / math.sqrt(15 / 16)),
        ("atan", 16 / 17),
        ("sinh", math.cosh(0.25)),
        ("cosh", math.sinh(0.25)),
        ("tanh", 1 / math.cosh(0.25) ** 2),
        ("sigmoid", math.exp(-0.25) / (1 + math.exp(-0.25)) ** 2),
        ("softplus", 1 / (1 + math.exp(-0.25))),
    ],
)
def test_complex_step_takes_every_analytic_function(name: str, expected: float) -> None:
    found = slope(derivative_method("numeric", scheme="complex_step"), f"{name}(w)", 0.25)[0, 0]
    assert found == pytest.approx(expected, rel=1e-14)


def test_complex_step_takes_a_kink_that_no_weight_reaches() -> None:
    loss = Loss.from_text(
        "mean(where(x > 0, w, w^2)*abs(x)) + max(a, 3)*w", data={"x": [1.0, -2.0]}, parameters={"a": 5}
    )
    estimate = derivative_method("numeric", scheme="complex_step").bind(loss)(np.array([[3.0]]), {}, None)
    assert estimate.gradient[0, 0] == pytest.approx((1 + 2 * 6) / 2 + 5, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "weight", "expected"),
    [
        ("w^9", -2.0, 9 * 256.0),
        ("w^(-9)", -0.5, -9 * 2.0**10),
        ("w^15", -1.0, 15.0),
        ("w^101", -1.0, 101.0),
        ("w^2.7", 3.0, 2.7 * 3**1.7),
        ("2^w", -1.0, math.log(2) / 2),
        ("w^w", 2.0, 4 * (math.log(2) + 1)),
        ("sigmoid(w)", 40.0, math.exp(-40) / (1 + math.exp(-40)) ** 2),
        ("sigmoid(w)", -800.0, 0.0),
        ("softplus(w)", -400.0, math.exp(-400)),
        ("softplus(w)", 800.0, 1.0),
        ("log2(w) + log10(w)", 3.0, (1 / math.log(2) + 1 / math.log(10)) / 3),
        ("asin(w) + 3acos(w)", 0.5, -2 / math.sqrt(0.75)),
        ("tan(w)", -2.0, 1 / math.cos(2.0) ** 2),
        ("sinh(w) + cosh(w) - tanh(w)", 1.0, math.e - 1 / math.cosh(1) ** 2),
        ("sqrt(w)*w", 4.0, 3.0),
    ],
)
def test_complex_step_is_right_to_a_few_ulp(text: str, weight: float, expected: float) -> None:
    # 32 ulp: powers and their logarithms lose up to |c·log w| < 20 ulp.
    assert slope(derivative_method("numeric", scheme="complex_step"), text, weight)[0, 0] == pytest.approx(
        expected, rel=32 * 2**-52, abs=0
    )


@pytest.mark.parametrize(
    "text", ["sqrt(w)", "log(w)", "log2(w)", "log10(w)", "w^0.3", "w^3.5", "asin(w)", "acos(w)"]
)
def test_complex_step_stays_real(text: str) -> None:
    assert np.isnan(slope(derivative_method("numeric", scheme="complex_step"), text, -2.0)[0, 0])


def test_complex_step_does_not_depend_on_its_step() -> None:
    values = {
        float(slope(derivative_method("numeric", scheme="complex_step", step=step), "exp(w)*w^3", 1.25)[0, 0])
        for step in (1e-20, AUTOMATIC_STEP, 1e-200)
    }
    assert max(values) - min(values) <= 4 * np.spacing(max(values))


@pytest.mark.parametrize(
    "method",
    [
        derivative_method("analytic"),
        derivative_method("torch"),
        derivative_method("numeric", scheme="complex_step"),
    ],
)
def test_methods_that_need_a_formula_refuse_a_callable_and_say_what_to_use(method: DerivativeMethod) -> None:
    with pytest.raises(InputError, match="needs a formula") as caught:
        method.bind(Loss.from_callable(lambda w: w * w))
    assert "five_point" in caught.value.faults[0].expected


def test_missing_pytorch_is_an_input_error_with_the_remedy(monkeypatch) -> None:
    monkeypatch.setattr("gdsim.derivatives.find_spec", lambda name: None)
    with pytest.raises(InputError, match="not installed") as caught:
        derivative_method("torch").bind(Loss.from_text("w^2"))
    assert caught.value.faults[0].expected == "pip install 'gdsim[torch]'"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("numerical", {}, "unknown derivative method 'numerical'; .* did you mean numeric"),
        ("numeric", {"schema": "central"}, "no option 'schema'; .* did you mean scheme"),
        ("numeric", {"scheme": "centrall"}, "'centrall' is not a scheme; .* did you mean central"),
        ("numeric", {"step": 0.0}, "0.0 is not a step; expected auto or a positive number"),
        ("numeric", {"step": math.nan}, "nan is not a step"),
        ("numeric", {"step": 10**400}, "is not a step; expected auto or a positive number"),
        ("numeric", {"step": True}, "True is not a step"),
        ("numeric", {"step": "small"}, "'small' is not a step"),
        ("analytic", {"step": 1.0}, "no option 'step'; expected no options"),
        ("scipy", {"routine": "minimize"}, "expected derivative or approx_fprime"),
    ],
)
def test_a_wrong_choice_is_named_with_what_is_right(name: str, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        derivative_method(name, **options)


def test_all_wrong_options_are_reported_at_once() -> None:
    with pytest.raises(InputError) as caught:
        derivative_method("numeric", scheme="sideways", step=-1.0, order=2)
    assert [fault.path for fault in caught.value.faults] == [
        "derivative.scheme", "derivative.step", "derivative.order",
    ]  # fmt: skip


def test_the_table_of_methods_is_read_without_numpy() -> None:
    code = (
        "import sys, gdsim.derivatives as d; d.derivative_method('torch'); sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# PyTorch


@pytest.mark.integration
def test_pytorch_gives_exactly_six() -> None:
    assert slope(derivative_method("torch"), "w^2", [3.0, 0.0, -2.0]).tolist() == [[6.0, 0.0, -4.0]]


@pytest.mark.integration
def test_pytorch_differentiates_a_whole_batch_in_one_backward_pass(monkeypatch) -> None:
    import torch

    passes = 0
    backward = torch.Tensor.backward

    def counting(tensor, *arguments, **options):
        nonlocal passes
        passes += 1
        return backward(tensor, *arguments, **options)

    monkeypatch.setattr(torch.Tensor, "backward", counting)
    weight = np.linspace(-3, 3, 1000)
    gradient = slope(derivative_method("torch"), "w^3", weight)
    assert passes == 1
    np.testing.assert_allclose(gradient[0], 3 * weight**2, rtol=1e-15)


@pytest.mark.integration
def test_pytorch_reports_its_forward_pass_and_no_error() -> None:
    estimate = derivative_method("torch").bind(Loss.from_text("w^2"))(np.ones((1, 4)), {}, None)
    assert estimate.error is None
    assert estimate.evaluations.tolist() == [1, 1, 1, 1]


# Callables and noise


def test_a_callable_that_raises_is_nan_there() -> None:
    values = loss_values(Loss.from_callable(lambda w: math.log(w) + 1 / w))
    assert np.isnan(values(np.array([[0.0, -1.0]]), {}, None)).all()
    assert values(np.array([[1.0]]), {}, None).tolist() == [1.0]


def test_running_error_bound_holds_for_cancellation() -> None:
    loss = Loss.from_text("(1000000 + w)^2 - 1000000000000 - 2000000w")
    weight = np.linspace(-1, 1, 101)[np.newaxis]
    true = np.abs(loss_values(loss)(weight, {}, None) - weight[0] ** 2)
    bound = rounding_bound(loss)(weight, {}, None)
    assert (true <= bound).all()
    assert true.max() > 1e-5  # the cancellation is real: far above an ulp of the result
    assert bound.max() < 100 * true.max()


def test_sampled_noise_sees_the_noise_that_was_put_in() -> None:
    noise = np.random.default_rng(1).uniform(-1e-9, 1e-9, (5, 200))
    estimate = sampled_noise(2.0 + 3.0 * np.arange(5.0)[:, np.newaxis] * 1e-6 + noise)
    # 8 standard deviations (1e-9/√3) by root-mean-square differences of five values
    assert 1e-9 < np.median(estimate) < 2e-8
    assert (estimate > 1e-9 / 2).mean() > 0.95


# Side by side


@pytest.mark.parametrize("weight", [{"x": 1.0}, {}, {"w": 1.0, "x": 1.0}, {"w": "fast"}, {"w": None}, 3.0])
def test_a_point_that_is_none_of_the_loss_is_refused(weight: object) -> None:
    loss = Loss.from_text("w^2")
    for call in (compare_at, lambda *words: v_curve(*words, "w")):
        with pytest.raises(InputError, match=r"no point.*; expected a number for each of w"):
            call(loss, weight)


def test_a_weight_that_the_loss_has_not_is_named() -> None:
    with pytest.raises(InputError, match="'x' is no weight; expected one of w"):
        v_curve(Loss.from_text("w^2"), {"w": 1.0}, "x")
