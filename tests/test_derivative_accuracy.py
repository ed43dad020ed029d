"""Error estimates bound true errors, against mpmath, on the published test set; aliasing fools nobody."""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from mpmath import mp, mpf
from tiers import some

from gdsim.derivatives import derivative_method
from gdsim.derivatives.comparison import COMPARED, compare_along, compare_at, v_curve
from gdsim.derivatives.evaluation import loss_values
from gdsim.losses import Loss
from tests.derivative_problems import PROBLEMS, WEIGHTS, Problem, exact_derivative

ESTIMATING = ("forward", "backward", "central", "five_point", "richardson")


@cache
def usable(problem: Problem) -> list[tuple[int, mpf]]:
    """Places in WEIGHTS where loss and derivative are finite, with the exact derivative."""
    values = loss_values(Loss.from_text(problem.text))(np.array([WEIGHTS]), {}, None)
    exact = [exact_derivative(problem, weight) for weight in WEIGHTS]
    return [
        (place, slope)
        for place, slope in enumerate(exact)
        if slope is not None and np.isfinite(values[place])
    ]


def true_errors(problem: Problem, gradient: np.ndarray) -> np.ndarray:
    return np.array(
        [
            float(abs(mpf(float(gradient[place])) - exact)) if np.isfinite(gradient[place]) else math.inf
            for place, exact in usable(problem)
        ]
    )


def test_the_set_is_as_wide_as_published() -> None:
    assert len(PROBLEMS) >= 20
    assert {1e-8, -1e-8, 1e8, -1e8} <= set(WEIGHTS)
    assert sum(len(usable(problem)) for problem in PROBLEMS) > 1400


@pytest.mark.parametrize("scheme", ESTIMATING)
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.text)
def test_automatic_step_bounds_its_true_error(problem: Problem, scheme: str) -> None:
    loss = Loss.from_text(problem.text)
    estimate = derivative_method("numeric", scheme=scheme).bind(loss)(np.array([WEIGHTS]), {}, None)
    assert estimate.error is not None
    error = estimate.error[0, [place for place, _ in usable(problem)]]
    assert (true_errors(problem, estimate.gradient[0]) <= error).all()


@pytest.mark.parametrize(
    ("scheme", "median"),
    # What truncation and rounding in balance leave, ε^{p/(p+1)}, times ten; Richardson: 1e-13
    [
        ("forward", 1.5e-7),
        ("backward", 1.5e-7),
        ("central", 3.7e-10),
        ("five_point", 3e-12),
        ("richardson", 1e-13),
    ],
)
def test_automatic_step_is_as_accurate_as_its_order_allows(scheme: str, median: float) -> None:
    relative, sharpness = [], []
    for problem in PROBLEMS:
        estimate = derivative_method("numeric", scheme=scheme).bind(Loss.from_text(problem.text))(
            np.array([WEIGHTS]), {}, None
        )
        assert estimate.error is not None
        sizes = np.array([max(abs(float(exact)), 1e-290) for _, exact in usable(problem)])
        relative.append(true_errors(problem, estimate.gradient[0]) / sizes)
        sharpness.append(estimate.error[0, [place for place, _ in usable(problem)]] / sizes)
    assert np.median(np.concatenate(relative)) < median
    assert (
        np.median(np.concatenate(sharpness)) < 100 * median
    )  # a bound that were always huge would be no use


def test_complex_step_is_exact_to_rounding_where_the_loss_is_well_conditioned() -> None:
    relative = []
    for problem in PROBLEMS:
        gradient = (
            derivative_method("numeric", scheme="complex_step")
            .bind(Loss.from_text(problem.text))(np.array([WEIGHTS]), {}, None)
            .gradient[0]
        )
        sizes = np.array([max(abs(float(exact)), 1e-200) for _, exact in usable(problem)])
        relative.append(true_errors(problem, gradient) / sizes)
    assert np.quantile(np.concatenate(relative), 0.9) < 10 * 2**-53


@pytest.mark.parametrize("scheme", some(ESTIMATING, "central"))
def test_an_estimate_for_a_callable_fails_only_where_rounding_hides_inside_it(scheme: str) -> None:
    # The inside of a callable cannot be seen: where it cancels, its noise can be invisible from outside.
    # At most 3 % of the set, against none for a formula.
    failed = total = 0
    for problem in PROBLEMS:
        values = loss_values(Loss.from_text(problem.text))
        loss = Loss.from_callable(lambda w, values=values: values(np.array([[w]]), {}, None)[0])
        loss = Loss(weights=("w",), function=loss.function)
        estimate = derivative_method("numeric", scheme=scheme).bind(loss)(np.array([WEIGHTS]), {}, None)
        assert estimate.error is not None
        error = estimate.error[0, [place for place, _ in usable(problem)]]
        failed += int((true_errors(problem, estimate.gradient[0]) > error).sum())
        total += len(error)
    assert failed <= 0.03 * total


@pytest.mark.release
@pytest.mark.parametrize("scheme", ["forward", "central", "five_point", "richardson"])
def test_estimates_hold_for_99_percent_of_random_compositions(scheme: str) -> None:
    # The rest are ripples below the rounding of the loss; see "What no difference can see" in the docs.
    rng = random.Random(7)
    weights = [sign * 10.0**power * rng.uniform(0.5, 5) for power in range(-8, 9) for sign in (1, -1)]
    covered = total = 0
    for number in range(150):
        text, function = composition(rng, 3)
        problem = Problem(text, function, f"random {number}")
        loss = Loss.from_text(text)
        if not loss.weights or len(text) > 300:
            continue
        values = loss_values(loss)(np.array([weights]), {}, None)
        estimate = derivative_method("numeric", scheme=scheme).bind(loss)(np.array([weights]), {}, None)
        assert estimate.error is not None
        for place, weight in enumerate(weights):
            if not np.isfinite(values[place]):  # mpmath would compute exp(exp(1e8)) to the last digit
                continue
            exact = exact_derivative(problem, weight)
            if exact is None:
                continue
            slope, error = float(estimate.gradient[0, place]), float(estimate.error[0, place])
            total += 1
            covered += error == math.inf or abs(mpf(slope) - exact) <= mpf(error)
    assert total > 4000
    assert covered >= 0.99 * total


UNARY: list[tuple[str, Callable[[mpf], mpf]]] = [
    ("sin(%s)", mp.sin), ("cos(%s)", mp.cos), ("exp(%s)", mp.exp), ("tanh(%s)", mp.tanh),
    ("atan(%s)", mp.atan), ("sqrt(1 + (%s)^2)", lambda x: mp.sqrt(1 + x * x)),
    ("log(1 + (%s)^2)", lambda x: mp.log(1 + x * x)), ("1/(1 + (%s)^2)", lambda x: 1 / (1 + x * x)),
    ("(%s)^3", lambda x: x**3), ("(%s)^2", lambda x: x**2),
]  # fmt: skip
BINARY: dict[str, Callable[[mpf, mpf], mpf]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def composition(rng: random.Random, depth: int) -> tuple[str, Callable[[mpf], mpf]]:
    """A random loss as text and as an mpmath function."""
    draw = rng.random()
    if depth == 0 or draw < 0.15:
        factor = rng.choice([1, 2, 3, 5, 10, 40])
        return f"({factor}*w)", lambda w: factor * w
    text, inner = composition(rng, depth - 1)
    if draw < 0.6:
        template, outer = rng.choice(UNARY)
        return template % text, lambda w: outer(inner(w))
    other_text, other = composition(rng, depth - 1)
    sign = rng.choice("+-*")
    return f"({text} {sign} {other_text})", lambda w: BINARY[sign](inner(w), other(w))


# Aliasing


@pytest.mark.parametrize("scheme", ESTIMATING)
@pytest.mark.parametrize("frequency", [50, 1e3, 1e5, 1e6])
def test_ripples_narrower_than_the_step_are_not_skipped(scheme: str, frequency: float) -> None:
    loss = Loss.from_text("sin(k*w)", parameters={"k": frequency})
    weight = np.array([[4.0, -1.25, 30.0, 0.001]])
    estimate = derivative_method("numeric", scheme=scheme).bind(loss)(weight, {}, None)
    true = np.abs(estimate.gradient - frequency * np.cos(frequency * weight))
    assert estimate.error is not None
    # The reference itself rounds k·w: k·(k·w)·u
    assert (true <= estimate.error + frequency * np.abs(frequency * weight) * 2**-52).all()


def test_one_table_started_at_two_is_fooled_and_four_scales_are_not() -> None:
    loss, weight, exact = Loss.from_text("sin(50w)"), np.array([[4.0]]), 50 * math.cos(200)
    assert (
        abs(
            derivative_method("numeric", scheme="richardson").bind(loss)(weight, {}, None).gradient[0, 0]
            - exact
        )
        < 1e-9
    )
    single = derivative_method("numeric", scheme="richardson", step=2.0).bind(loss)(weight, {}, None)
    assert single.error is not None
    assert single.error[0, 0] >= abs(single.gradient[0, 0] - exact)  # wrong perhaps, but it says so


# Comparison


def test_comparison_lists_every_method_with_its_distance_from_the_analytic_value() -> None:
    rows = compare_at(Loss.from_text("w^2"), {"w": 3.0})
    assert [row.method for row in rows] == list(COMPARED)
    for row in rows:
        if row.estimate is None:
            assert "not installed" in row.unavailable
        else:
            assert row.difference is not None
            assert row.difference[0, 0] == abs(row.estimate.gradient[0, 0] - 6.0)


def test_comparison_says_why_a_method_is_not_available() -> None:
    by_label = {row.method.label: row for row in compare_at(Loss.from_text("abs(w)"), {"w": 3.0})}
    assert by_label["numeric complex_step"].unavailable.startswith("abs is not analytic")
    assert by_label["numeric central"].difference is not None


def test_comparison_of_a_callable_has_no_analytic_column() -> None:
    rows = compare_at(Loss.from_callable(lambda w: w**2), {"w": 3.0})
    assert "needs a formula" in rows[0].unavailable
    assert all(row.difference is None for row in rows)
    able = [
        method
        for method in COMPARED
        if not method.entry.needs_expression and method.options.get("scheme") != "complex_step"
    ]
    assert [row.method for row in rows if row.estimate is not None] == able


def test_comparison_along_a_run_has_one_column_for_each_record() -> None:
    weight = np.array([[3.0, 2.0, 1.0]])
    for row in compare_along(Loss.from_text("w^2"), weight):
        if row.estimate is not None:
            np.testing.assert_allclose(row.estimate.gradient, 2 * weight, atol=2e-5)


def test_v_curve_falls_and_rises_where_theory_says() -> None:
    curve = v_curve(Loss.from_text("exp(w)"), {"w": 1.0}, "w")
    assert curve.exact == math.e
    # The best step balances h^p against ε/h, to within a factor of 30 (the noise is ragged).
    for scheme, best in (("forward", 2**-26), ("central", 2 ** (-52 / 3)), ("five_point", 2 ** (-52 / 5))):
        error = curve.error[scheme]
        found = curve.step[error.argmin()]
        assert best / 30 < found < best * 30
        assert error[0] > 100 * error.min()
        assert error[-1] > 100 * error.min()
    assert (curve.error["complex_step"][32:] < 4 * 2**-52 * math.e).all()  # h ≤ 1e-8: nothing to lose


def test_v_curve_leaves_the_complex_step_out_of_a_loss_with_a_kink() -> None:
    assert set(v_curve(Loss.from_text("abs(w)*w"), {"w": 1.0}, "w").error) == {
        "forward",
        "central",
        "five_point",
    }


def test_v_curve_of_one_weight_of_several() -> None:
    curve = v_curve(Loss.from_text("x^2*y"), {"x": 3.0, "y": 2.0}, "y")
    assert curve.exact == 9.0
    assert curve.error["central"].min() < 1e-9
