"""Losses evaluate to what their formulas say; the library's facts are recomputed, not remembered.

The witness is SymPy, which reads the formula's text by itself, and mpmath at 50 digits.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import product

import mpmath
import numpy as np
import pytest
import sympy
from sympy.parsing.sympy_parser import (
    convert_xor,
    implicit_multiplication,
    parse_expr,
    rationalize,
    standard_transformations,
)
from tiers import later

from gdsim.losses import LOSSES, KnownPoint, Loss, named_loss
from gdsim.outcomes import InputError

MP = mpmath.mp
READING = (*standard_transformations, convert_xor, implicit_multiplication, rationalize)
EPSILON = np.finfo(float).eps


@pytest.fixture(autouse=True)
def fifty_digits() -> Iterator[None]:
    with mpmath.workdps(50):
        yield


def _relu(x: sympy.Expr) -> sympy.Expr:
    return sympy.Piecewise((x, x > 0), (0, True))


def _huber(x: sympy.Expr, d: sympy.Expr) -> sympy.Expr:
    return sympy.Piecewise((x**2 / 2, sympy.Abs(x) <= d), (d * (sympy.Abs(x) - d / 2), True))


_WORDS = {
    "e": sympy.E, "pi": sympy.pi, "abs": sympy.Abs, "relu": _relu, "huber": _huber,
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)), "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
}  # fmt: skip


def witness(text: str, **values: object) -> sympy.Expr:
    """Read a formula of the library (trusted text) with SymPy's own reader."""
    names = {name: sympy.Symbol(name, real=True) for name in ("w", "x", "y")}
    return parse_expr(text, {**names, **_WORDS, **values}, READING)


@cache
def formula(name: str) -> tuple[sympy.Expr, tuple[sympy.Symbol, ...]]:
    entry = LOSSES[name]
    values = {key: sympy.nsimplify(value) for key, value in entry.parameters.items()}
    return witness(entry.formula, **values), tuple(sympy.Symbol(weight, real=True) for weight in entry.domain)


def coordinates(point: KnownPoint, name: str, t: object = sympy.Rational(1, 3)) -> list[sympy.Expr]:
    values = {key: sympy.nsimplify(value) for key, value in LOSSES[name].parameters.items()}
    return [witness(text, t=t, **values) for text in point.weight.values()]


def is_decimal(text: str) -> bool:
    return len(text.lstrip("-").replace(".", "").lstrip("0")) >= 22 and "sqrt" not in text


POINTS = [
    pytest.param(name, point, id=f"{name}-{place}")
    for name, entry in LOSSES.items()
    for place, point in enumerate(entry.points)
]
SMOOTH = [param for param in POINTS if param.values[1].kind != "kink"]


def gradient_at(name: str, at: list[object]) -> list[mpmath.mpf]:
    expression, weights = formula(name)
    return [MP.mpf(1) * sympy.lambdify(weights, sympy.diff(expression, w), "mpmath")(*at) for w in weights]


@pytest.mark.parametrize(("name", "point"), SMOOTH)
def test_gradient_is_zero_at_a_known_point(name: str, point: KnownPoint) -> None:
    """Exact points to 40 of 50 digits; a decimal is the rounding of the zero that Newton finds from it."""
    at = [MP.mpf(sympy.N(value, 60)) for value in coordinates(point, name)]
    if not any(map(is_decimal, point.weight.values())):
        assert max(abs(part) for part in gradient_at(name, at)) < MP.mpf(10) ** -40
        return
    expression, weights = formula(name)
    parts = [sympy.lambdify(weights, sympy.diff(expression, w), "mpmath") for w in weights]
    zero = MP.findroot(lambda *w: [part(*w) for part in parts], at, tol=MP.mpf(10) ** -80)
    for text, found in zip(point.weight.values(), list(zero) if len(weights) > 1 else [zero[0]], strict=True):
        written = MP.mpf(text.lstrip("-"))
        digits = len(text.lstrip("-").replace(".", "").lstrip("0"))
        if is_decimal(text):
            assert abs(abs(found) - written) <= abs(found) * MP.mpf(10) ** (1 - digits)
        else:
            assert abs(abs(found) - written) < MP.mpf(10) ** -40


def kind_by_values(name: str, at: list[mpmath.mpf]) -> str:
    """Tell the kind from values alone, on a small circle (two points in one dimension)."""
    expression, weights = formula(name)
    value = sympy.lambdify(weights, expression, "mpmath")
    radius = MP.mpf(10) ** -6
    if len(weights) == 1:
        around = [(-radius,), (radius,)]
    else:
        angles = [2 * MP.pi * turn / 48 + MP.mpf("0.01") for turn in range(48)]
        around = [(radius * MP.cos(angle), radius * MP.sin(angle)) for angle in angles]
    centre = value(*at)
    rises = [value(*(c + step for c, step in zip(at, steps, strict=True))) - centre for steps in around]
    signs = {int(MP.sign(rise)) if abs(rise) > MP.mpf(10) ** -38 else 0 for rise in rises}
    if signs == {1}:
        return "minimum"
    if signs == {-1}:
        return "maximum"
    if signs == {1, -1}:
        return "inflection" if len(weights) == 1 else "saddle"
    return "flat"


@pytest.mark.parametrize(("name", "point"), SMOOTH)
def test_known_point_is_of_its_kind(name: str, point: KnownPoint) -> None:
    if name == "valley":
        expression, (x, y) = formula(name)
        t = sympy.Symbol("t", real=True)
        line = dict(zip((x, y), coordinates(point, name, t), strict=True))
        assert sympy.simplify(expression.subs(line)) == 0  # the least value of a square
        return
    at = [MP.mpf(sympy.N(value, 60)) for value in coordinates(point, name)]
    assert kind_by_values(name, at) == point.kind


@pytest.mark.parametrize("name", ["absolute_value", "dead_relu", "ackley"])
def test_slopes_differ_on_the_two_sides_of_a_kink(name: str) -> None:
    expression, weights = formula(name)
    value = sympy.lambdify(weights, expression, "mpmath")
    still = [MP.mpf(0)] * (len(weights) - 1)
    step = MP.mpf(10) ** -12
    centre = value(*(MP.mpf(0) for _ in weights))
    right, left = (value(step, *still) - centre) / step, (centre - value(-step, *still)) / step
    assert abs(right - left) > 1


SLOW = {"goldstein_price", "six_hump_camel", "styblinski_tang"}  # nine or more roots of a resultant
COMPLETE = [
    pytest.param(name, marks=pytest.mark.release if name in SLOW else ())
    for name, entry in LOSSES.items()
    if entry.complete
]


@pytest.mark.parametrize("name", COMPLETE)
def test_complete_list_holds_every_critical_point_of_the_domain(name: str) -> None:
    expression, weights = formula(name)
    points = [point for point in LOSSES[name].points if point.kind not in ("flat", "kink")]
    listed = sorted(list(point.values(LOSSES[name].parameters).values()) for point in points)
    if len(weights) == 1:
        found = [[root] for root in zeros_on_a_line(expression, weights[0], LOSSES[name].domain["w"], points)]
    elif expression.is_polynomial(*weights):
        found = zeros_of_polynomials(expression, weights, LOSSES[name].domain)
    else:
        assert name == "mccormick"  # solved in closed form in the next test
        return
    if name != "valley":
        np.testing.assert_allclose(sorted(found), listed, atol=1e-9)


def zeros_on_a_line(
    expression: sympy.Expr, w: sympy.Symbol, domain: tuple[float, float], points: list[KnownPoint]
) -> list[float]:
    """Exact real roots of a polynomial f′; else its sign changes on a fine grid, and the listed touches.

    No two zeros of the library are closer than 0.01. A sign change without a zero is a kink.
    """
    slope = sympy.diff(expression, w)
    if slope.is_polynomial(w):
        return [float(root) for root in set(sympy.real_roots(slope)) if domain[0] <= root <= domain[1]]
    value = sympy.lambdify(w, slope, "mpmath")
    grid = [domain[0] + (domain[1] - domain[0]) * (k + 0.37) / 900 for k in range(-1, 901)]
    signs = [float(MP.sign(value(MP.mpf(place)))) for place in grid]
    changes = [k for k in range(len(grid) - 1) if signs[k] * signs[k + 1] < 0]
    zeros = [
        float(MP.findroot(value, (grid[k], grid[k + 1]), solver="bisect", verify=False, maxsteps=200))
        for k in changes
    ]
    smooth = [zero for zero in zeros if abs(value(MP.mpf(zero) + 1e-9)) < 1e-3]
    return sorted(smooth + [point.values()["w"] for point in points if point.kind == "inflection"])


def zeros_of_polynomials(
    expression: sympy.Expr, weights: tuple[sympy.Symbol, ...], domain: dict[str, tuple[float, float]]
) -> list[list[float]]:
    """Eliminate x by a resultant, isolate the real roots in y exactly, and solve for x at each."""
    x, y = weights
    slopes = [sympy.diff(expression, weight) for weight in weights]
    eliminated = sympy.Poly(sympy.resultant(*slopes, x), y)
    if eliminated.is_zero:
        return []
    exact = sympy.Poly(eliminated.sqf_part(), y)
    found: list[list[float]] = []
    for root in exact.real_roots():
        height = sympy.N(root, 40)
        columns = [sympy.Poly(slope.subs(y, root), x) for slope in slopes]
        column = next(column for column in columns if column.degree() > 0)
        for candidate in sympy.Poly(column.as_expr().evalf(40), x).nroots(n=30, maxsteps=200):
            if abs(sympy.im(candidate)) > 1e-12:
                continue
            at = {x: sympy.re(candidate), y: height}
            if abs(slopes[1].subs(at)) < 1e-12:
                found.append([float(at[x]), float(height)])
    distinct = [p for k, p in enumerate(found) if all(math.dist(p, q) > 1e-6 for q in found[:k])]
    (left, right), (low, high) = domain.values()
    return [p for p in distinct if left <= p[0] <= right and low <= p[1] <= high]


def test_rippled_parabola_has_seventy_nine_critical_points() -> None:
    """2w + 5cos 50w changes its sign so often in [−3, 3]; between two zeros lie at least 0.01."""
    grid = np.linspace(-3, 3, 60_001)
    signs = np.sign(2 * grid + 5 * np.cos(50 * grid))
    assert np.count_nonzero(signs[1:] != signs[:-1]) == 79


def test_mccormick_has_three_critical_points_in_its_domain() -> None:
    """∂x + ∂y = 0 gives 2cos s + 1 = 0 with s = x + y; ∂x − ∂y = 0 gives x − y = 1."""
    found = []
    for turn, sign in product(range(-3, 4), (1, -1)):
        s = sign * 2 * math.pi / 3 + 2 * math.pi * turn
        x, y = (s + 1) / 2, (s - 1) / 2
        if -1.5 <= x <= 4 and -3 <= y <= 4:
            found.append([x, y])
    listed = [list(point.values().values()) for point in LOSSES["mccormick"].points]
    np.testing.assert_allclose(sorted(found), sorted(listed), rtol=4 * EPSILON)


# --- values ---------------------------------------------------------------------------------------


def sample(name: str, runs: int = 6) -> np.ndarray:
    generator = np.random.default_rng(7)
    low, high = np.array(list(LOSSES[name].domain.values())).T
    return low[:, None] + (high - low)[:, None] * generator.uniform(0.013, 0.987, (len(low), runs))


def exact_values(expression: sympy.Expr, weights: tuple[sympy.Symbol, ...], at: np.ndarray) -> np.ndarray:
    away_from_kinks = expression.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
    function = sympy.lambdify(weights, away_from_kinks, "mpmath")
    return np.array([float(function(*map(MP.mpf, column))) for column in at.T.tolist()])


def close(found: np.ndarray, exact: np.ndarray) -> None:
    """To 1e-11 of the largest value in the sample.

    The formulas have at most 80 operations on numbers at most 1e3 times the largest result (the powers
    of goldstein_price that cancel): 80 · 1e3 · 2⁻⁵³ ≈ 1e-11.
    """
    assert np.max(np.abs(found - exact)) <= 1e-11 * np.max(np.abs(exact)) + 1e-300


@pytest.mark.parametrize(
    "name", [later(name) if name in ("goldstein_price", "ackley", "easom") else name for name in LOSSES]
)
def test_value_gradient_and_hessian_are_those_of_sympy(name: str) -> None:
    loss, at = named_loss(name), sample(name)
    expression, weights = formula(name)
    close(loss.evaluate(at), exact_values(expression, weights, at))
    gradient, hessian = loss.evaluate_gradient(at), loss.evaluate_hessian(at)
    assert gradient.shape == at.shape
    assert hessian.shape == (len(weights), *at.shape)
    for row, w in enumerate(weights):
        close(gradient[row], exact_values(sympy.diff(expression, w), weights, at))
        for column, v in enumerate(weights):
            close(hessian[row, column], exact_values(sympy.diff(expression, w, v), weights, at))


@pytest.mark.parametrize("name", LOSSES)
def test_scalar_and_array_evaluation_agree(name: str) -> None:
    loss, at = named_loss(name), sample(name, 5)
    one_by_one = [loss.scalar(*column) for column in at.T.tolist()]
    close(loss.evaluate(at), np.array(one_by_one))


def test_hessian_is_symmetric_to_the_last_bit() -> None:
    hessian = named_loss("goldstein_price").evaluate_hessian(sample("goldstein_price"))
    assert np.array_equal(hessian, hessian.transpose(1, 0, 2))


def test_parameters_may_differ_from_run_to_run() -> None:
    loss = named_loss("parabola")
    at = np.array([[1.0, 2.0, 3.0]])
    values = loss.evaluate(at, {"a": np.array([1.0, 10.0, 100.0]), "c": 1.0})
    assert values.tolist() == [0.0, 10.0, 400.0]
    gradient = loss.evaluate_gradient(at, {"a": np.array([1.0, 10.0, 100.0]), "c": 1.0})
    assert gradient.tolist() == [[0.0, 20.0, 400.0]]


def test_a_run_in_a_batch_is_the_run_alone() -> None:
    loss, at = named_loss("forrester"), sample("forrester", 17)
    together = loss.evaluate_gradient(at)
    alone = np.hstack([loss.evaluate_gradient(at[:, [run]]) for run in range(17)])
    assert np.array_equal(together, alone)


def test_loss_over_data_is_the_mean_of_the_squares() -> None:
    x, y = [1.0, 2.0, 4.0], [3.0, 5.0, 8.0]
    loss = Loss.from_text("mean((w*x + b - y)^2)", data={"x": x, "y": y})
    at = np.array([[1.0, 2.0], [0.0, 1.0]])
    residual = np.outer(x, at[0]) + at[1] - np.array(y)[:, None]
    np.testing.assert_allclose(loss.evaluate(at), (residual**2).mean(axis=0), rtol=4 * EPSILON)
    np.testing.assert_allclose(
        loss.evaluate_gradient(at),
        [2 * (residual * np.array(x)[:, None]).mean(axis=0), 2 * residual.mean(axis=0)],
        rtol=4 * EPSILON,
    )
    assert loss.scalar(2.0, 1.0) == pytest.approx(loss.evaluate(at)[1], rel=4 * EPSILON)


def test_overflow_is_infinite_and_an_invalid_operation_nan() -> None:
    loss = Loss.from_text("exp(w)")
    assert loss.evaluate(np.array([[1000.0, -math.inf]])).tolist() == [math.inf, 0.0]
    assert math.isnan(Loss.from_text("w^0.5").evaluate(np.array([[-1.0]]))[0])


def test_a_wrong_number_of_weights_is_told() -> None:
    with pytest.raises(ValueError, match="one row for each of x, y"):
        named_loss("bowl").evaluate(np.zeros((3, 2)))


def test_an_unknown_parameter_of_an_evaluation_is_told() -> None:
    with pytest.raises(ValueError, match="no parameter 'b'"):
        named_loss("parabola").evaluate(np.zeros((1, 2)), {"b": 1.0})


# --- callables ------------------------------------------------------------------------------------


def test_callable_is_evaluated_run_by_run() -> None:
    loss = Loss.from_callable(lambda x, y: x**2 + y)
    assert loss.weights == ("x", "y")
    assert loss.evaluate(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist() == [4.0, 8.0]


@pytest.mark.parametrize("function", [lambda w: 1 / w, lambda w: math.log(w), lambda w: math.exp(1e3 - w)])
def test_callable_that_fails_in_arithmetic_gives_nan(function: object) -> None:
    assert math.isnan(Loss.from_callable(function).evaluate(np.array([[0.0]]))[0])  # type: ignore[arg-type]


def test_callable_that_fails_otherwise_is_not_silenced() -> None:
    loss = Loss.from_callable(lambda w: w.missing)
    with pytest.raises(AttributeError):
        loss.evaluate(np.array([[0.0]]))


def test_parameter_of_a_callable_with_a_default_is_no_weight() -> None:
    def tilted(w: float, tilt: float = 2.0) -> float:
        return w * tilt

    assert Loss.from_callable(tilted).weights == ("w",)


@pytest.mark.parametrize("function", [lambda: 1.0, lambda *w: 1.0, lambda **w: 1.0, lambda *, w: 1.0])
def test_callable_without_a_fixed_number_of_weights_is_refused(function: object) -> None:
    with pytest.raises(InputError, match="fixed number"):
        Loss.from_callable(function)  # type: ignore[arg-type]


def test_callable_has_no_formula_to_differentiate() -> None:
    with pytest.raises(InputError, match="numeric or scipy"):
        Loss.from_callable(lambda w: w).evaluate_gradient(np.array([[0.0]]))


# --- faults ---------------------------------------------------------------------------------------


def test_formula_without_a_weight_is_refused() -> None:
    with pytest.raises(InputError, match="no weight"):
        Loss.from_text("a + 1", parameters={"a": 1})


def test_weights_that_are_not_those_of_the_formula_are_refused() -> None:
    with pytest.raises(InputError, match="the formula has the weights w, not v; expected each"):
        Loss.from_text("w^2", weights=("v",))


def test_weights_keep_the_order_given() -> None:
    assert Loss.from_text("x + y", weights=("y", "x")).weights == ("y", "x")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_parameter_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="finite"):
        Loss.from_text("a*w", parameters={"a": value})
    with pytest.raises(InputError, match="finite"):
        named_loss("parabola", {"a": value})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"x": [1.0], "y": [1.0, 2.0]}, "different lengths"),
        ({"x": [], "y": []}, "empty"),
        ({"x": [1.0, math.nan], "y": [1.0, 2.0]}, "row 2"),
    ],
)
def test_bad_columns_are_refused(data: dict[str, list[float]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Loss.from_text("mean((w*x - y)^2)", data=data)


def test_misspelt_name_suggests_the_right_loss() -> None:
    with pytest.raises(InputError, match="did you mean rosenbrock"):
        named_loss("rosenbrok")


def test_misspelt_parameter_suggests_the_right_one() -> None:
    with pytest.raises(InputError, match="did you mean delta"):
        named_loss("huber", {"delt": 1})
    with pytest.raises(InputError, match="no parameters at all"):
        named_loss("bowl", {"a": 1})


# --- the library as a list ------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOSSES)
def test_entry_is_whole(name: str) -> None:
    entry, loss = LOSSES[name], named_loss(name)
    assert entry.summary
    assert tuple(entry.domain) == loss.weights
    assert loss.name == name
    assert loss.domain == entry.domain
    for point in entry.points:
        assert tuple(point.weight) == loss.weights
        for weight, value in point.values(entry.parameters).items():
            low, high = entry.domain[weight]
            assert low <= value <= high


def test_known_points_follow_the_parameters() -> None:
    point = LOSSES["rosenbrock"].points[0]
    loss = named_loss("rosenbrock", {"a": -1.5, "b": 7})
    at = np.array([list(point.values(loss.parameters).values())]).T
    assert at.T.tolist() == [[-1.5, 2.25]]
    assert loss.evaluate_gradient(at).tolist() == [[0.0], [0.0]]


def test_library_is_read_without_numpy() -> None:
    code = (
        "import sys, gdsim.losses, gdsim.expr.display, gdsim.expr.parse;"
        "print(len(gdsim.losses.LOSSES), 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(LOSSES)), "False"]
