"""Derivatives are right to any order, neither cancel nor overflow, and say which rule made them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
import sympy
from hypothesis import assume, given, settings
from mpmath_values import CONTEXT, value
from random_trees import SCALAR, Kinds, Point, points, trees
from tiers import examples, later, some

from gdsim.expr.derivative_rules import FUNCTION_RULES, RULES
from gdsim.expr.differentiate import Derivation, derivative, differentiate
from gdsim.expr.display import to_text
from gdsim.expr.emit_python import compile_function
from gdsim.expr.functions import FUNCTIONS
from gdsim.expr.nodes import ONE, ZERO, Expr, Symbol, substitute, symbols, walk
from gdsim.expr.parse import parse
from gdsim.expr.simplify import simplify

W = Symbol("w")
ULP = 2.0**-52


def d(text: str, *variables: str, columns: frozenset[str] = frozenset()) -> str:
    expr = parse(text, parameters=frozenset({"a"}), columns=columns)
    return to_text(derivative(expr, *(variables or ("w",))))


def number(expr: Expr, w: float) -> float:
    return compile_function([expr], [W])(w)[0]


# ----------------------------------------------------------------------------- textbook results

TEXTBOOK = {
    "7": "0",
    "w": "1",
    "v": "0",
    "w^2": "2*w",
    "w^3": "3*w^2",
    "w^-2": "-2/w^3",
    "1/w": "-1/w^2",
    "sqrt(w)": "1/(2*sqrt(w))",
    "3w^2 - 4w": "6*w - 4",
    "w^4/4 - w^2/2": "w^3 - w",
    "0.1*w^2": "0.2*w",
    "exp(w)": "exp(w)",
    "ln(w)": "1/w",
    "log2(w)": "1/(w*log(2))",
    "2^w": "2^w*log(2)",
    "e^(2w)": "2*e^(2*w)",
    "w^a": "a*w^(a - 1)",
    "w^w": "w^w*(log(w) + 1)",
    "sin(w)": "cos(w)",
    "cos(w)": "-sin(w)",
    "tan(w)": "1/cos(w)^2",
    "atan(w)": "1/(1 + w^2)",
    "asin(w)": "1/sqrt((1 - w)*(1 + w))",
    "acos(w)": "-1/sqrt((1 - w)*(1 + w))",
    "tanh(5w)": "5/cosh(5*w)^2",
    "sigmoid(w)": "1/(4*cosh(w/2)^2)",
    "softplus(-w)": "-sigmoid(-w)",
    "(w - 3)^2": "2*(w - 3)",
    "(w^2 - 1)^2": "4*w*(w^2 - 1)",
    "sin(w^2)": "2*w*cos(w^2)",
    "sin(w)^3": "3*sin(w)^2*cos(w)",
    "w*exp(w)": "exp(w) + w*exp(w)",
    "w^2*sin(w)": "2*w*sin(w) + w^2*cos(w)",
    "w/(w^2 + 1)": "(1 - w^2)/(w^2 + 1)^2",
    "sin(w)/w": "(w*cos(w) - sin(w))/w^2",
    "(2w + 1)/(3w - 1)": "-5/(3*w - 1)^2",
    "1/(1 + exp(-w))": "exp(-w)/(1 + exp(-w))^2",
    "w/sqrt(w^2 + 1)": "1/(w^2 + 1)^(3/2)",
    "abs(w)": "sign(w)",
    "abs(w)^3": "3*w*abs(w)",
    "relu(w - 1)^2": "2*relu(w - 1)",
    "relu(2w)": "where(2*w > 0, 2, 0)",
    "huber(w)": "max(-1, min(w, 1))",
    "sign(w)": "0",
    "where(w > 0, w^2, -w)": "where(w > 0, 2*w, -1)",
    "max(w, 3 - w)": "where(w > 3 - w, 1, where(w < 3 - w, -1, 0))",
    "a*(w - 3)^2": "2*a*(w - 3)",
    "(1 - w)^2 + 100*(v - w^2)^2": "-2*(1 - w) - 400*w*(v - w^2)",
}


@pytest.mark.parametrize(("formula", "expected"), TEXTBOOK.items())
def test_textbook_derivative(formula: str, expected: str) -> None:
    assert d(formula) == expected


def test_second_derivatives_read_as_in_a_textbook() -> None:
    assert d("w^3", "w", "w") == "6*w"
    assert d("tanh(w)", "w", "w") == "-2*tanh(w)/cosh(w)^2"
    assert d("sigmoid(w)", "w", "w") == "-tanh(w/2)/(4*cosh(w/2)^2)"
    assert d("sin(w^2)", "w", "w") == "2*cos(w^2) - 4*w^2*sin(w^2)"
    assert d("sqrt(w^2 + 1)", "w", "w") == "1/(w^2 + 1)^(3/2)"


def test_mixed_derivatives() -> None:
    assert d("w^2*v^3", "w", "v") == "6*w*v^2"
    assert d("w^2*v^3", "v", "w") == "6*v^2*w"


def test_a_parameter_or_a_column_may_be_the_variable() -> None:
    expr = parse("mean((a*x - 2)^2)", parameters=frozenset({"a"}), columns=frozenset({"x"}))
    assert to_text(derivative(expr, Symbol("a", "parameter"))) == "2*mean(x*(a*x - 2))"
    assert derivative(expr, "a") == ZERO  # a weight of that name does not occur


def test_a_reduction_is_differentiated_inside() -> None:
    columns = frozenset({"x", "y"})
    assert d("mean((w*x - y)^2)", columns=columns) == "2*mean(x*(w*x - y))"
    assert d("sum(exp(w*x))", "w", "w", columns=columns) == "sum(x^2*exp(w*x))"


def test_no_variable_only_simplifies() -> None:
    assert derivative(parse("2w + 3w")) == simplify(parse("5w"))


# ------------------------------------------------------------------ every function, three orders

ARGUMENTS = {
    "sqrt": (0.3, 2.0, 1e6), "log": (0.3, 2.0, 1e6), "log2": (0.3, 5.0), "log10": (0.3, 5.0),
    "asin": (-0.9, 0.2, 0.999), "acos": (-0.9, 0.2, 0.999),
}  # fmt: skip
SINGLE = sorted(FUNCTION_RULES)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", SINGLE)
def test_every_function_agrees_with_numerical_differentiation_at_50_digits(name: str, order: int) -> None:
    """Compared to 25 digits, half of what the numerical derivative (raised internally) is computed to."""
    inner = parse(f"{name}(w)")
    found = derivative(inner, *["w"] * order)
    for w in ARGUMENTS.get(name, (-2.5, -0.3, 0.7, 3.0)):
        expected = CONTEXT.diff(lambda x: value(inner, {"w": x}), CONTEXT.mpf(w), order)
        assert abs(value(found, {"w": w}) - expected) <= CONTEXT.mpf(10) ** -25 * max(1, abs(expected))


@pytest.mark.parametrize("name", SINGLE)
def test_every_function_is_differentiated_to_a_few_ulp(name: str) -> None:
    """f′ has at most six rounded operations, each within 2 ulp; sin, cos and cosh at their own argument."""
    found = derivative(parse(f"{name}(w)"), "w")
    for w in ARGUMENTS.get(name, (-2.5, -0.3, 0.7, 3.0)):
        exact = float(value(found, {"w": w}))
        assert abs(number(found, w) - exact) <= 12 * ULP * abs(exact)


def test_every_function_has_a_rule() -> None:
    canonical = {name for name, entry in FUNCTIONS.items() if not entry.canonical}
    assert canonical == {*FUNCTION_RULES, "max", "min", "huber"}
    assert {entry.rule for entry in FUNCTION_RULES.values()} <= set(RULES)


FORMULAS = [
    "w*exp(-w^2)/(1 + w^2)", "sin(w)^2*cos(3*w)", "log(1 + w^2)^3", "(w^2 + 1)^(w/2)", "atan(w^3 - w)/w",
    "exp(sin(w))*w^3", "sqrt(1 + tanh(w)^2)", "2^(w^2)*w", "sinh(w)/(2 + cosh(w))", "1/(1 + exp(-3*w))",
    "w^5/(w - 4)^3", "(w^2 - 1)^3*(w + 2)^2", "exp(w)/w^2", "w/exp(w^2)",
]  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS)
def test_compositions_agree_with_sympy(formula: str) -> None:
    symbol = sympy.Symbol("w")
    expected = sympy.sympify(formula.replace("^", "**"))
    for order in (1, 2, 3):
        expected = sympy.diff(expected, symbol)
        found = derivative(parse(formula), *["w"] * order)
        for w in (Fraction(7, 10), Fraction(9, 4)):
            reference = CONTEXT.mpf(str(expected.evalf(40, subs={symbol: sympy.Rational(str(w))})))
            ours = value(found, {"w": CONTEXT.mpf(w.numerator) / w.denominator})
            assert abs(ours - reference) <= CONTEXT.mpf(10) ** -30 * max(1, abs(reference))


def check_against_differences(expr: Expr, point: Point) -> None:
    """Central difference with h = 1e−17 at 150 digits.

    Its error is h²·f‴/6, far under 1e−20 for f‴ < 1e14, and 1e−150·|f|/h: a term may be as large as 1/y for
    y = 1e−38.
    """
    with CONTEXT.workdps(150):
        _check_against_differences(expr, point)


def _check_against_differences(expr: Expr, point: Point) -> None:
    at, rows, h = point.names, point.rows, CONTEXT.mpf(10) ** -17

    def loss(w: object) -> object:
        return value(expr, {**at, "w": w}, rows)

    w = CONTEXT.mpf(at["w"])
    assume(w == 0 or abs(w) > 1e-6)  # else w/w·1/w has its pole within the step
    below, here, above = loss(w - h), loss(w), loss(w + h)
    assume(all(CONTEXT.isfinite(found) for found in (below, here, above)))
    left, right = (here - below) / h, (above - here) / h
    assume(abs(left - right) < 1e-10 and abs(left) < 1e8)  # no kink, no jump, no pole beside the point
    ours = value(derivative(expr, "w"), at, rows)
    assume(CONTEXT.isfinite(ours))  # 0·∞ at the edge of a domain, such as √(0·w)·w
    assert abs(ours - (above - below) / (2 * h)) <= 1e-9 * max(1, abs(ours))


@given(trees(), points())
@examples(150)
def test_random_formulas_agree_with_central_differences(expr: Expr, point: Point) -> None:
    check_against_differences(expr, point)


@pytest.mark.release
@given(trees(Kinds(), 5), points())
@settings(max_examples=1500)
def test_large_random_formulas_agree_with_central_differences(expr: Expr, point: Point) -> None:
    check_against_differences(expr, point)


# -------------------------------------------------------------------- accuracy and extreme values


def test_the_slope_of_a_saturated_tanh_has_all_its_digits() -> None:
    """5·(1 − tanh²(20)) is 0 in floating point; the true slope is 8.5e−17."""
    found = number(derivative(parse("tanh(5w)"), "w"), 4.0)
    exact = 5 * CONTEXT.sech(20) ** 2
    assert abs(found - exact) <= 6 * ULP * exact


@pytest.mark.parametrize(
    ("formula", "point", "slope"),
    [
        ("sigmoid(w)", 40.0, CONTEXT.exp(-40) / (1 + CONTEXT.exp(-40)) ** 2),
        ("sigmoid(w)", -40.0, CONTEXT.exp(-40) / (1 + CONTEXT.exp(-40)) ** 2),
        ("log(1 + exp(-w))", 30.0, -1 / (1 + CONTEXT.exp(30))),
        ("1/(1 + exp(-w))", 40.0, CONTEXT.exp(-40) / (1 + CONTEXT.exp(-40)) ** 2),
        ("sinh(w)/cosh(w)", 20.0, CONTEXT.sech(20) ** 2),
        ("tan(w)", 1.5, 1 / CONTEXT.cos(1.5) ** 2),
        ("asin(w)", 1 - 2.0**-40, 1 / CONTEXT.sqrt(1 - CONTEXT.mpf(1 - 2.0**-40) ** 2)),
        ("acos(w)", 2.0**-40 - 1, -1 / CONTEXT.sqrt(1 - CONTEXT.mpf(1 - 2.0**-40) ** 2)),
    ],
)
def test_slopes_do_not_cancel(formula: str, point: float, slope: object) -> None:
    assert abs(number(derivative(parse(formula), "w"), point) - slope) <= 16 * ULP * abs(slope)


@pytest.mark.parametrize(
    ("formula", "point", "curvature"),
    [
        ("tanh(5w)", 4.0, -50 * CONTEXT.tanh(20) * CONTEXT.sech(20) ** 2),
        ("sigmoid(w)", 40.0, -CONTEXT.tanh(20) / (4 * CONTEXT.cosh(20) ** 2)),
        ("softplus(w)", -40.0, 1 / (4 * CONTEXT.cosh(20) ** 2)),
        ("log(1 + exp(-w))", -30.0, 1 / (4 * CONTEXT.cosh(15) ** 2)),
        ("1/(1 + exp(-w))", 40.0, -CONTEXT.tanh(20) / (4 * CONTEXT.cosh(20) ** 2)),
    ],
)
def test_curvatures_do_not_cancel(formula: str, point: float, curvature: object) -> None:
    found = number(derivative(parse(formula), "w", "w"), point)
    assert abs(found - curvature) <= 24 * ULP * abs(curvature)


LIMITS = {  # formula: slope far left, slope far right
    "tanh(w)": (0.0, 0.0), "sigmoid(w)": (0.0, 0.0), "softplus(w)": (0.0, 1.0), "softplus(-w)": (-1.0, 0.0),
    "huber(w)": (-1.0, 1.0), "huber(w, 2)": (-2.0, 2.0), "abs(w)": (-1.0, 1.0),
    "relu(w)": (0.0, 1.0), "sign(w)": (0.0, 0.0), "1/cosh(w)": (0.0, 0.0), "exp(-abs(w))": (0.0, 0.0),
    "tanh(w)^2": (0.0, 0.0), "sigmoid(w)^2/2": (0.0, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("size", [800.0, 2000.0, 1e100, 1e300])
@pytest.mark.parametrize("formula", LIMITS)
def test_bounded_slopes_stay_right_far_out(formula: str, size: float) -> None:
    expr = parse(formula)
    left, right = LIMITS[formula]
    first, second, third = (derivative(expr, *["w"] * order) for order in (1, 2, 3))
    assert number(first, -size) == pytest.approx(left, abs=1e-190)
    assert number(first, size) == pytest.approx(right, abs=1e-190)
    for higher in (second, third):
        assert number(higher, -size) == 0.0
        assert number(higher, size) == 0.0


@pytest.mark.parametrize("size", [1e4, 1e60, 1e100])
def test_the_arc_tangent_flattens_without_nan(size: float) -> None:
    slopes = [number(derivative(parse("atan(w)"), *["w"] * order), size) for order in (1, 2, 3)]
    exact = [size**-2, -2 * size**-3, 6 * size**-4]
    for found, expected in zip(slopes, exact, strict=True):
        assert found == pytest.approx(expected, rel=1e-7, abs=1e-150)


@pytest.mark.parametrize("point", [-800.0, -30.0, 30.0, 709.0])
@pytest.mark.parametrize("formula", ["exp(w)", "cosh(w)", "sinh(w)", "w*exp(w)", "w/exp(w)", "w/cosh(w)"])
def test_growing_functions_overflow_only_where_they_must(formula: str, point: float) -> None:
    for order in (1, 2, 3):
        found = number(derivative(parse(formula), *["w"] * order), point)
        exact = CONTEXT.diff(lambda x: value(parse(formula), {"w": x}), CONTEXT.mpf(point), order)
        if abs(exact) < 1e308:
            assert abs(found - exact) <= 32 * ULP * abs(exact) * max(1, abs(point)) + 1e-300
        else:
            assert found == math.copysign(math.inf, exact)


# --------------------------------------------------------------------------------------- kinks


@pytest.mark.parametrize(
    ("formula", "point", "slope"),
    [
        ("abs(w)", 0.0, 0.0),
        ("sign(w)", 0.0, 0.0),
        ("relu(w)", 0.0, 0.0),
        ("abs(w)^1.5", 0.0, 0.0),
        ("max(w, -w)", 0.0, 0.0),
        ("max(0, w)", 0.0, 0.5),
        ("min(3w, w)", 0.0, 2.0),
        ("max(w, min(2w, w))", 0.0, 1.25),
        ("huber(w)", 1.0, 1.0),
        ("huber(w)", -1.0, -1.0),
        ("huber(w)", 0.5, 0.5),
        ("where(w >= 0, w, -w)", 0.0, 1.0),
        ("sqrt(w^2)", -3.0, -1.0),
        ("(w^2)^0.5", -3.0, -1.0),
    ],
)
def test_convention_at_a_kink(formula: str, point: float, slope: float) -> None:
    assert number(derivative(parse(formula), "w"), point) == slope


def test_the_curvature_of_a_power_of_a_size_is_infinite_at_zero() -> None:
    assert number(derivative(parse("abs(w)^1.5"), "w", "w"), 0.0) == math.inf


def test_huber_is_differentiated_in_its_bound_too() -> None:
    expr = parse("huber(3, w)")
    assert number(derivative(expr, "w"), 1.0) == 2.0  # |3| − 1
    assert number(derivative(expr, "w"), 4.0) == 0.0


def test_a_huber_bound_of_any_sign_keeps_the_derivative_of_the_loss() -> None:
    """Clipping to ±d would have the wrong sign for d < 0, where huber is d·(|w| − d/2)."""
    found = compile_function([derivative(parse("huber(w, v)"), "w")], [W, Symbol("v")])
    assert found(3.0, -2.0) == (-2.0,)
    assert found(0.5, 2.0) == (0.5,)


@pytest.mark.parametrize(
    ("formula", "slope"), [("w^2", 0.0), ("w^3", 0.0), ("2^w", math.log(2)), ("w^0", 0.0)]
)
def test_powers_are_safe_at_zero(formula: str, slope: float) -> None:
    assert number(derivative(parse(formula), "w"), 0.0) == pytest.approx(slope, rel=2 * ULP)


def test_a_power_with_a_parameter_as_exponent_takes_negative_weights() -> None:
    expr = parse("w^a", parameters=frozenset({"a"}))
    found = compile_function([derivative(expr, "w")], [W, Symbol("a", "parameter")])
    assert found(-3.0, 2.0) == (-6.0,)
    assert found(0.0, 3.0) == (0.0,)


def test_a_constant_inside_a_root_of_zero_has_slope_zero() -> None:
    assert d("sqrt(0*w)") == "0"
    assert d("acos(sign(w))") == "0"


# --------------------------------------------------------------------------------------- rules


def outline(found: Derivation) -> object:
    """The names of the rules, nested as the steps are."""
    return (found.rule, *map(outline, found.steps)) if found.steps else found.rule


OUTLINES = {
    "7": "constant",
    "w": "identity",
    "w^2": "power",
    "3*w^2": ("constant multiple", "power"),
    "w^2/4": ("constant multiple", "power"),
    "-w": ("negation", "identity"),
    "w^2 + w": ("sum", "power", "identity"),
    "w^2 - 5": ("difference", "power", "constant"),
    "w*sin(w)": ("product", "identity", "sine"),
    "2*w*sin(w)": ("constant multiple", ("product", "identity", "sine")),
    "3/w": ("reciprocal", "identity"),
    "sin(w)/w": ("quotient", "sine", "identity"),
    "w/cosh(w)": ("split quotient", "identity", "hyperbolic cosine"),
    "exp(w)": "exponential",
    "2^w": "exponential",
    "e^(3w)": ("chain", "exponential", ("constant multiple", "identity")),
    "sin(w^2)": ("chain", "sine", "power"),
    "(w - 3)^2": ("chain", "power", ("difference", "identity", "constant")),
    "w^w": ("general power", "identity", "identity"),
    "max(w, 3)": ("maximum", "identity", "constant"),
    "min(w, 3)": ("minimum", "identity", "constant"),
    "huber(w)": ("huber", "identity", "constant"),
    "where(w > 0, w^2, 1)": ("choice", "power", "constant"),
    "mean(w*x)": ("reduction", ("constant multiple", "identity")),
    **{f"{name}(w)": entry.rule for name, entry in FUNCTION_RULES.items()},
}


@pytest.mark.parametrize(("formula", "rules"), OUTLINES.items())
def test_the_rules_are_those_of_a_textbook(formula: str, rules: object) -> None:
    assert outline(differentiate(parse(formula, columns=frozenset({"x"})), "w")) == rules


def test_every_rule_is_used_by_some_formula() -> None:
    used = {rule for rules in OUTLINES.values() for rule in _flat(rules)}
    assert used == set(RULES)


def _flat(rules: object) -> Iterator[str]:
    if isinstance(rules, str):
        yield rules
    else:
        for inner in rules:  # type: ignore[attr-defined]
            yield from _flat(inner)


def every_step(found: Derivation) -> Iterator[Derivation]:
    seen: set[int] = set()
    stack = [found]
    while stack:
        step = stack.pop()
        if id(step) not in seen:
            seen.add(id(step))
            yield step
            stack.extend(step.steps)


@given(trees(SCALAR))
@examples(100)
def test_every_step_is_itself_a_derivative(expr: Expr) -> None:
    """``after`` of each step is the derivative of its ``before`` by its ``variable``."""
    found = differentiate(expr, "w")
    assert found.after == derivative(expr, "w")
    for step in every_step(found):
        assert step.rule in RULES
        assert step.after == derivative(step.before, step.variable)
        assert simplify(step.after) == step.after


def test_the_chain_rule_shows_outer_and_inner() -> None:
    found = differentiate(parse("sin(5w)"), "w")
    outer, inner = found.steps
    assert (to_text(outer.before), outer.variable, to_text(outer.after)) == ("sin(u)", "u", "cos(u)")
    assert (to_text(inner.before), inner.variable, to_text(inner.after)) == ("5*w", "w", "5")
    assert to_text(substitute(outer.after, {Symbol("u"): inner.before})) == "cos(5*w)"
    assert to_text(found.after) == "5*cos(5*w)"


def test_the_outer_variable_is_not_a_name_of_the_formula() -> None:
    outer, _ = differentiate(parse("sin(u*v*w)"), "w").steps
    assert outer.variable not in symbols(parse("sin(u*v*w)"))


def test_a_long_product_is_split_in_halves() -> None:
    """With one term for each factor the third derivative of n factors would have n³ terms."""
    expr = parse("*".join(f"(w + {place})" for place in range(1, 81)))
    third = derivative(expr, "w", "w", "w")
    assert sum(1 for _ in walk(third)) < 8000
    exact = CONTEXT.diff(lambda x: value(expr, {"w": x}), CONTEXT.mpf(1) / 2, 3)
    assert abs(value(third, {"w": 0.5}) - exact) <= 1e-20 * abs(exact)


def nested(template: str, levels: int) -> str:
    text = "w"
    for _ in range(levels):
        text = template.replace("#", text)
    return text


DEEPEST = {
    "sin": nested("sin(#)", 48), "relu": nested("relu(#)", 48), "continued fraction": nested("w/(1+#)", 23),
    "squares": nested("(#+1)^2", 23), "powers": nested("w^(#)", 47), "maxima": nested("max(#*w,1-w)", 23),
    "choices": nested("where(w>0,#*w,-w)", 22), "huber": nested("huber(#,w)", 45),
}  # fmt: skip


@pytest.mark.parametrize("name", [later("continued fraction"), "maxima", "choices"])
def test_the_deepest_formulas_have_three_derivatives(name: str) -> None:
    """The third derivative of the continued fraction has 203 levels."""
    check_order(DEEPEST[name], 3)


@pytest.mark.parametrize("name", some(DEEPEST, "sin", "continued fraction", "squares", "choices"))
def test_every_deep_formula_has_a_second_derivative(name: str) -> None:
    check_order(DEEPEST[name], 2)


@pytest.mark.release
@pytest.mark.parametrize("formula", DEEPEST.values(), ids=DEEPEST.keys())
def test_every_deep_formula_has_a_third_derivative(formula: str) -> None:
    check_order(formula, 3)


def check_order(formula: str, order: int) -> None:
    found = derivative(parse(formula), *["w"] * order)
    assert sum(1 for _ in walk(found)) < 6000
    assert isinstance(number(found, 0.5), float)


def test_the_derivative_of_the_variable_is_one() -> None:
    assert differentiate(W, W).after == ONE


# ---------------------------------------------------------------------------------- documentation

PAGE = Path(__file__).parent.parent / "docs" / "derivation.md"


def documented() -> dict[str, tuple[str, str, str]]:
    """The rows of the table of rules: name → statement, formula, derivative."""
    table = PAGE.read_text(encoding="utf-8").split("## The rules")[1].split("\n## ")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines() if line.startswith("|")]
    cells = [[cell.strip().strip("`").replace("\\|", "|") for cell in row] for row in rows[2:]]
    return {name: (statement, formula, result) for name, statement, formula, result in cells}


def test_the_page_states_every_rule_in_the_words_of_the_registry() -> None:
    assert {name: row[0] for name, row in documented().items()} == {
        name: rule.statement("w") for name, rule in RULES.items()
    }


@pytest.mark.parametrize("name", RULES)
def test_the_example_on_the_page_is_true_and_uses_its_rule(name: str) -> None:
    _, formula, result = documented()[name]
    found = differentiate(parse(formula, columns=frozenset({"x", "y"})), "w")
    assert to_text(found.after) == result
    assert found.rule == name or name in [step.rule for step in found.steps]


def test_every_rule_has_latex_with_balanced_braces() -> None:
    for rule in RULES.values():
        assert rule.latex.count("{") == rule.latex.count("}")
        assert "'" in rule.latex
