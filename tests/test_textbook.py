"""Derivations go the way of a textbook, and every line of them is true."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from derivation_formulas import FORMULAS, POINTS, slopes
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath_values import CONTEXT, value
from random_trees import Kinds, Point, points, trees
from tiers import examples, some

from gdsim.expr.derivative_rules import FUNCTION_RULES, RULES, Rule
from gdsim.expr.differentiate import derivative, differentiate
from gdsim.expr.display import ELLIPSIS, to_latex, to_text
from gdsim.expr.emit_python import compile_function
from gdsim.expr.nodes import Compare, Expr, Prime, Reduce, Symbol, substitute, symbols, walk
from gdsim.expr.one_sided import Break, break_at
from gdsim.expr.parse import parse
from gdsim.expr.step_lines import closing_lines, slope_name, step_lines, walk_steps
from gdsim.expr.step_markup import steps_latex, steps_mathml
from gdsim.expr.step_numbers import number_lines
from gdsim.expr.step_text import broken, step_rows, steps_text
from gdsim.expr.textbook import TEXTBOOK_RULES, Step, textbook

COLUMNS = frozenset({"x", "y"})
Rows = Sequence[Mapping[str, object]]


def derived(formula: str, variable: str = "x", columns: frozenset[str] = frozenset()) -> Step:
    return textbook(parse(formula, columns=columns), variable)


def written(formula: str, variable: str = "x", columns: frozenset[str] = frozenset()) -> str:
    return steps_text(step_lines(derived(formula, variable, columns)))


# ------------------------------------------------------------------------------- as it reads

PRODUCT = """\
(x²·exp(3·x))′ = (x²)′·exp(3·x) + x²·exp(3·x)′   product: (f·g)′ = f′·g + f·g′
    (x²)′ = 2·x^(2 − 1) = 2·x       power: (xⁿ)′ = n·xⁿ⁻¹
    exp(3·x)′ = exp(u)′·u′          chain with u = 3·x: f(u)′ = f′(u)·u′
        exp(u)′ = exp(u)   exponential: exp(u) = e^u is its own derivative
        u′ = 3·x′ = 3·1 = 3         constant multiple: (c·f)′ = c·f′
      = exp(3·x)·3 = 3·exp(3·x)
  = 2·x·exp(3·x) + x²·3·exp(3·x) = 2·x·exp(3·x) + 3·x²·exp(3·x)"""
QUOTIENT = """\
(tanh(x)/x)′ = (tanh(x)′·x − tanh(x)·x′)/x²
        quotient: (f/g)′ = (f′·g − f·g′)/g²
    tanh(x)′ = 1 − tanh(x)²         hyperbolic tangent
    x′ = 1                          identity
  = ((1 − tanh(x)²)·x − tanh(x)·1)/x² = (x·(1 − tanh(x)²) − tanh(x))/x²"""
NESTED = """\
sin(cos(x²))′ = sin(u)′·u′          chain with u = cos(x²): f(u)′ = f′(u)·u′
    sin(u)′ = cos(u)                sine
    u′ = cos(v)′·v′                 chain with v = x²: f(v)′ = f′(v)·v′
        cos(v)′ = −sin(v)           cosine
        v′ = 2·x^(2 − 1) = 2·x      power: (xⁿ)′ = n·xⁿ⁻¹
      = −sin(x²)·2·x = −2·x·sin(x²)
  = cos(cos(x²))·(−2·x·sin(x²)) = −2·x·cos(cos(x²))·sin(x²)"""
ROWS = """\
mean((w·x + b − y)²)′ = mean(((w·x + b − y)²)′)
        reduction: row by row: mean(f)′ = mean(f′), sum(f)′ = sum(f′)
    ((w·x + b − y)²)′ = (u²)′·u′    chain with u = w·x + b − y: f(u)′ = f′(u)·u′
        (u²)′ = 2·u^(2 − 1) = 2·u   power: (uⁿ)′ = n·uⁿ⁻¹
        u′ = (w·x)′ + b′ − y′       sum of terms: (f + g + …)′ = f′ + g′ + …
            (w·x)′ = w′·x = 1·x = x
                    constant multiple: (c·f)′ = c·f′ (x held constant)
            b′ = 0                  constant: c′ = 0 (b held constant)
            y′ = 0                  constant: c′ = 0 (y held constant)
          = x + 0 − 0 = x
      = 2·(w·x + b − y)·x = 2·x·(w·x + b − y)
  = mean(2·x·(w·x + b − y)) = 2·mean(x·(w·x + b − y))"""


@pytest.mark.parametrize(
    ("formula", "variable", "expected"),
    [
        ("x^2*exp(3x)", "x", PRODUCT),
        ("tanh(x)/x", "x", QUOTIENT),
        ("sin(cos(x^2))", "x", NESTED),
        ("mean((w*x + b - y)^2)", "w", ROWS),
    ],
)
def test_a_derivation_reads_as_a_teacher_writes_it(formula: str, variable: str, expected: str) -> None:
    columns = COLUMNS if "mean" in formula else frozenset()
    assert written(formula, variable, columns) == expected


def test_a_part_that_occurs_again_is_not_worked_out_again() -> None:
    text = written("sin(x^2)*exp(sin(x^2))")
    assert text.count("chain with u = x²") == 1
    assert "u′ = 2·x·cos(x²)            chain (as above)" in text


def test_other_weights_are_said_to_be_constants() -> None:
    assert "(y held constant)" in written("x^2*y")
    assert "(a, b held constant)" in written("(a*b)*x")
    assert "held" not in written("3*x^2")


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        ("2*3*x", "(2·3·x)′ = 6·x′ = 6·1 = 6 "),
        ("1*1*x", "(1·1·x)′ = 1·1·x′ = 1·1·1 = 1 "),
        ("0*x*2", "(0·x·2)′ = 0·2·x′ = 0·2·1 = 0 "),
    ],
)
def test_constants_are_multiplied_out_unless_nothing_would_be_left_to_see(formula: str, line: str) -> None:
    assert written(formula).startswith(line)


def test_a_short_left_side_of_latex_stands_in_the_row_of_what_follows() -> None:
    terms = " + ".join(f"{k}*x^{k}" for k in range(2, 13))
    rows = steps_latex(step_lines(derived(f"sin({terms})"))).splitlines()
    assert sum(row.startswith(r"& \quad u' = (2 x^{2})' + (3 x^{3})' + ") for row in rows) == 1


def test_the_slope_of_tanh_keeps_its_form_within_a_chain() -> None:
    assert written("tanh(2*x)").endswith("= (1 − tanh(2·x)²)·2 = 2·(1 − tanh(2·x)²)")


def test_a_product_of_four_is_differentiated_at_once() -> None:
    text = written("x*sin(x)*exp(x)*log(x)")
    assert "product of four: each factor in turn is differentiated, the others stay" in text


def test_a_letter_with_a_number_where_all_letters_are_taken() -> None:
    assert "chain with u1 = 2·x" in written("sin(2*x)*u*v*s*t*p*q*r*z")


def test_the_chain_names_its_letter_in_mathml() -> None:
    inner = "<mrow><mrow><mi>u</mi></mrow><mo>=</mo><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></mrow>"
    expected = f"<mtext>chain with\u00a0</mtext>{inner}<mtext>: f(u)′ = f′(u)·u′</mtext>"
    assert expected in steps_mathml(step_lines(derived("sin(x^2)")))


def test_other_weights_and_repetitions_are_noted_in_mathml_too() -> None:
    assert "(y held constant)" in steps_mathml(step_lines(derived("x^2*y")))
    assert "(as above)" in steps_mathml(step_lines(derived("sin(x^2)*exp(sin(x^2))")))


def test_other_weights_and_repetitions_are_noted_in_latex_too() -> None:
    assert r"\quad (y\text{ held constant})" in steps_latex(step_lines(derived("x^2*y")))
    assert r"\text{chain}\text{ (as above)}" in steps_latex(step_lines(derived("sin(x^2)*exp(sin(x^2))")))


def test_what_is_said_of_a_rule_goes_on_a_little_further_in() -> None:
    text = steps_text(step_lines(derived("exp(3*x)")), 40)
    assert "exponential: exp(u) = e^u is\n              its own derivative" in text


def test_the_parts_of_a_step_are_one_level_deeper() -> None:
    # f·g; f′ a power, g′ a chain; of this exp(u)′, and u′ with x′
    assert [depth for _, depth, _ in walk_steps(derived("x^2*exp(3*x)"))] == [0, 1, 1, 2, 2, 3]


# --------------------------------------------------------------------------------- the routes

ROUTES = {
    "7": "constant",
    "x": "identity",
    "x^3": "power",
    "x*x": ("rewrite", "power"),
    "x*x*sin(x)": ("rewrite", ("product", "power", "sine")),
    "1/x": ("rewrite", "power"),
    "3/x^2": ("rewrite", ("constant multiple", "power")),
    "1/sqrt(x)": ("rewrite", "power"),
    "5/(2x)": ("rewrite", ("constant multiple", "power")),
    "1/(2 + 2*exp(x))": ("reciprocal", ("sum", "constant", ("constant multiple", "exponential"))),
    "3/(2*(1 + exp(x)))": ("reciprocal", ("sum", "constant", "exponential")),
    "x^2/4": ("constant divisor", "power"),
    "1/(1 + exp(x))": ("reciprocal", ("sum", "constant", "exponential")),
    "3*x": ("constant multiple", "identity"),
    "-x": ("negation", "identity"),
    "-x*sin(x)": ("negation", ("product", "identity", "sine")),
    "-x/cosh(x)": ("negation", ("quotient", "identity", "hyperbolic cosine")),
    "x^2 + x": ("sum", "power", "identity"),
    "x^2 - x": ("difference", "power", "identity"),
    "x^2 - x + 1": ("sum of terms", "power", "identity", "constant"),
    "x*sin(x)": ("product", "identity", "sine"),
    "x*sin(x)*exp(x)": ("product of three", "identity", "sine", "exponential"),
    "x*sin(x)*exp(x)*cos(x)": ("product of four", "identity", "sine", "exponential", "cosine"),
    "x/cosh(x)": ("quotient", "identity", "hyperbolic cosine"),
    "tanh(x)/x": ("quotient", "hyperbolic tangent", "identity"),
    "x^x": ("general power", ("product", "identity", "logarithm")),
    "e^x": "exponential",
    "2^x": "exponential to a base",
    "e^(3*x)": ("chain", "exponential", ("constant multiple", "identity")),
    "(x - 3)^2": ("chain", "power", ("difference", "identity", "constant")),
    "max(x, 3)": ("maximum", "identity", "constant"),
    "min(x, 3)": ("minimum", "identity", "constant"),
    "huber(x)": ("huber", "identity"),
    "huber(x, x)": ("huber, d varying", "identity"),
    "where(x > 0, x^2, 1)": ("choice", "power", "constant"),
    "mean(x*w)": ("reduction", ("constant multiple", "identity")),
    **{f"{name}(x)": entry.rule for name, entry in FUNCTION_RULES.items()},
}  # fmt: skip


def outline(step: Step) -> object:
    return (step.rule, *map(outline, step.parts)) if step.parts else step.rule


@pytest.mark.parametrize(("formula", "route"), ROUTES.items())
def test_the_route_is_that_of_a_textbook(formula: str, route: object) -> None:
    columns, variable = (frozenset({"x"}), "w") if "mean" in formula else (frozenset[str](), "x")
    assert outline(derived(formula, variable, columns)) == route


def test_every_rule_is_on_some_route() -> None:
    def names(route: object) -> Iterator[str]:
        if isinstance(route, str):
            yield route
        else:
            for inner in route:  # type: ignore[attr-defined]
                yield from names(inner)

    assert {name for route in ROUTES.values() for name in names(route)} == set(TEXTBOOK_RULES)


def test_the_page_states_every_rule_that_is_the_textbooks_own() -> None:
    page = (Path(__file__).parent.parent / "docs" / "derivation.md").read_text(encoding="utf-8")
    for name, rule in TEXTBOOK_RULES.items():
        if RULES.get(name) != rule:
            statement = rule.statement("u" if name == "chain" else "w")
            assert f"\n| {name} | {statement.replace('|', chr(92) + '|')} |\n" in page


def test_every_rule_has_latex_with_balanced_braces() -> None:
    for rule in TEXTBOOK_RULES.values():
        assert rule.latex_statement("w").count("{") == rule.latex_statement("w").count("}")


@pytest.mark.parametrize("rule", [*TEXTBOOK_RULES.values(), *RULES.values()])
def test_no_word_of_a_rule_is_set_as_a_product_of_letters(rule: Rule) -> None:
    latex = rule.latex_statement("w")
    bare = re.sub(r"\\(operatorname|text|begin|end)\{[^}]*\}|\\[A-Za-z]+", " ", latex)
    assert re.findall("[A-Za-z]{2,}", bare) == []


TEXTBOOK_FORMS = {
    "tanh(5x)": "5*(1 - tanh(5*x)^2)",
    "sigmoid(3x)": "3*sigmoid(3*x)*(1 - sigmoid(3*x))",
    "asin(x)": "1/sqrt(1 - x^2)",
    "acos(x)": "-1/sqrt(1 - x^2)",
    "1/x^3": "-3/x^4",
    "x*x": "2*x",
    "x^x": "x^x*(log(x) + 1)",
    "huber(x)": "where(abs(x) <= 1, x, sign(x))",
    "tanh(x) + x^2": "1 - tanh(x)^2 + 2*x",
    "sin(x)/cos(x)": "1/cos(x)^2",
    "(2x + 1)/(3x - 1)": "-5/(3*x - 1)^2",
    "(x^2 - 1)/(x^2 + 1)": "4*x/(x^2 + 1)^2",
    "x^2/(x - 1)": "(x^2 - 2*x)/(x - 1)^2",
    "x^2*(x - 3)": "3*x^2 - 6*x",
    "(2x - 1)^5*x": "10*x*(2*x - 1)^4 + (2*x - 1)^5",
}


@pytest.mark.parametrize(("formula", "expected"), TEXTBOOK_FORMS.items())
def test_the_result_has_the_form_of_a_textbook(formula: str, expected: str) -> None:
    assert to_text(derived(formula).result) == expected


def test_the_form_that_is_computed_with_is_named_where_it_is_another() -> None:
    assert "1/cosh(x)²" in str(differentiate(parse("tanh(x)"), "x"))
    assert "computes" not in str(differentiate(parse("sin(x)"), "x"))
    assert "computes" not in str(differentiate(parse("x^2*y"), "x"))  # 2·x·y and 2·y·x


# ------------------------------------------------------------------------------ every line is true


def unprimed(filled: Expr, step: Step) -> Expr:
    """What is primed, replaced by the derivatives that gdsim computes with."""
    values: dict[Expr, Expr] = {}
    inner = step.parts[1].before if step.letter else None
    for node in walk(filled):
        if isinstance(node, Prime):
            operand = inner if inner is not None and node.operand == Symbol(step.letter) else node.operand
            values[node] = derivative(operand, node.variable)
    without = substitute(filled, values)
    return without if inner is None else substitute(without, {Symbol(step.letter): inner})


def environments(
    step: Step, at: Mapping[str, object], rows: Rows
) -> Iterator[tuple[Step, dict[str, object]]]:
    """Every step with the values of the names in it: in a reduction those of the first row."""
    stack = [(step, dict(at))]
    seen: set[int] = set()
    while stack:
        current, here = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current, here
        if isinstance(current.before, Reduce):
            here = {**here, **rows[0]}
        if current.letter:
            outer, inner = current.parts
            stack += [(outer, {**here, current.letter: value(inner.before, here, rows)}), (inner, here)]
        else:
            stack += [(part, here) for part in current.parts]


def equalities(expr: Expr, at: Mapping[str, object], rows: Rows) -> list[bool]:
    """Whether the two sides of each == and != of a formula are equal, in each row of data."""
    return [
        value(node.left, {**at, **row}, rows) == value(node.right, {**at, **row}, rows)
        for node in walk(expr)
        if isinstance(node, Compare) and node.operator in ("==", "!=")
        for row in rows or ({},)
    ]


def slope_of(expr: Expr, variable: str, at: Mapping[str, object], rows: Rows) -> object:
    """The central difference with h = 1e-17; None at a kink, a jump, a pole, or where it is not finite.

    None also where an equality holds at this point alone: there the slope is that of the branch taken.
    Beside 0, w/w·1/w has its pole within the step.
    """
    h, w = CONTEXT.mpf(10) ** -17, CONTEXT.mpf(at[variable])
    if 0 < abs(w) < 1e-6:
        return None
    places = [{**at, variable: w + k * h} for k in (-1, 0, 1)]
    if equalities(expr, places[0], rows) != equalities(expr, places[1], rows):
        return None
    below, here, above = (value(expr, place, rows) for place in places)
    if not all(CONTEXT.isfinite(found) and abs(found) < 1e30 for found in (w, below, here, above)):
        return None
    left, right = (here - below) / h, (above - here) / h
    return (left + right) / 2 if abs(left - right) < 1e-10 and abs(left) < 1e8 else None


def test_where_an_equality_holds_the_slope_is_that_of_the_branch_taken():
    w = Symbol("w")
    slope = compile_function([derivative(parse("where(w == 1, 1, w)"), w)], [w])
    assert (slope(1.0), slope(1.5)) == ((0.0,), (1.0,))


def check_lines(expr: Expr, point: Point, variable: str = "w") -> int:
    """Check all four forms of every step with each other and with the slope; return how many could be.

    At 150 digits the difference is right to h²·f‴/6 and the forms to far more; what is compared is up to 1e8.
    """
    checked = 0
    with CONTEXT.workdps(150):
        step = textbook(expr, variable)
        for current, at in environments(step, point.names, point.rows):
            slope = slope_of(current.before, current.variable, at, point.rows)
            result = value(current.result, at, point.rows)
            if slope is None or not CONTEXT.isfinite(result):
                continue
            assert abs(result - slope) <= 1e-9 * max(1, abs(slope)), to_text(current.before)
            for form in (current.worked, unprimed(current.filled, current)):
                found = value(form, at, point.rows)
                if CONTEXT.isfinite(found):
                    assert abs(found - result) <= 1e-20 * max(1, abs(result)), to_text(form)
                    checked += 1
    return checked


@given(trees(), points())
@examples(150)
def test_every_line_of_a_random_derivation_is_true(expr: Expr, point: Point) -> None:
    check_lines(expr, point)


AT_KINKS = st.integers(-3, 3).map(float)


@given(trees(), points(AT_KINKS, 2))
@examples(150)
def test_both_ways_agree_on_kinks_too(expr: Expr, point: Point) -> None:
    """At small integers ties and zeros are frequent; both ways follow the same conventions there."""
    first, second = (
        value(form, point.names, point.rows) for form in (textbook(expr, "w").result, derivative(expr, "w"))
    )
    assume(CONTEXT.isfinite(first) and CONTEXT.isfinite(second))
    assert abs(first - second) <= 1e-30 * max(1, abs(first))


@pytest.mark.release
@given(trees(Kinds(), 5), points())
@settings(max_examples=1500)
def test_every_line_of_a_large_random_derivation_is_true(expr: Expr, point: Point) -> None:
    check_lines(expr, point)


def test_there_are_more_than_three_hundred_formulas() -> None:
    assert len(FORMULAS) >= 300


@pytest.mark.parametrize("formula", some(FORMULAS, *FORMULAS[::23]))
def test_derivations_agree_with_sympy_and_line_by_line(formula: str) -> None:
    expr = parse(formula)
    step = textbook(expr, "x")
    for at, expected in zip(POINTS, slopes(formula), strict=True):
        exact = {name: CONTEXT.mpf(number.p) / number.q for name, number in at.items()}
        reference = CONTEXT.mpf(str(expected))
        found = value(step.result, exact)
        assert abs(found - reference) <= CONTEXT.mpf(10) ** -30 * max(1, abs(reference))
        assert check_lines(expr, _At(exact), "x") > 0


class _At(Point):
    """A point with names of its own and no data."""

    def __init__(self, names: Mapping[str, object]) -> None:
        object.__setattr__(self, "_names", names)

    @property
    def names(self) -> Mapping[str, object]:  # type: ignore[override]
        return self._names  # type: ignore[attr-defined]

    @property
    def rows(self) -> list[dict[str, float]]:
        return []


@pytest.mark.parametrize(
    ("formula", "point", "slope"),
    [
        ("abs(x)", 0.0, 0.0), ("sign(x)", 0.0, 0.0), ("relu(x)", 0.0, 0.0), ("abs(x)^1.5", 0.0, 0.0),
        ("max(x, -x)", 0.0, 0.0), ("max(0, x)", 0.0, 0.5), ("min(3x, x)", 0.0, 2.0),
        ("max(x, min(2x, x))", 0.0, 1.25), ("huber(x)", 1.0, 1.0), ("huber(x)", -1.0, -1.0),
        ("where(x >= 0, x, -x)", 0.0, 1.0), ("sqrt(x^2)", -3.0, -1.0), ("abs(x)*abs(x)", 0.0, 0.0),
        ("relu(x)*relu(x)", 0.0, 0.0), ("huber(3, x)", 4.0, 0.0), ("2*relu(-x)", 0.0, 0.0),
    ],
)  # fmt: skip
def test_the_convention_at_a_kink_is_that_of_the_slopes_computed_with(
    formula: str, point: float, slope: float
) -> None:
    forms = [derived(formula).result, derivative(parse(formula), "x")]
    assert compile_function(forms, [Symbol("x")])(point) == (slope, slope)


@pytest.mark.parametrize(
    ("formula", "point", "expected"),
    [
        ("abs(x)", 0.0, Break(-1.0, 1.0, False)), ("max(x, 1)", 1.0, Break(0.0, 1.0, False)),
        ("min(3x, -x)", 0.0, Break(3.0, -1.0, False)), ("abs(abs(x) - 1)", 0.0, Break(1.0, -1.0, False)),
        ("relu(-2x)", 0.0, Break(-2.0, 0.0, False)), ("where(x >= 0, x, -x)", 0.0, Break(-1.0, 1.0, False)),
        ("sign(x)", 0.0, Break(0.0, 0.0, True)), ("where(x < 0, 0, 1)", 0.0, Break(0.0, 0.0, True)),
        ("abs(x)", 1e-300, None), ("relu(x)^2", 0.0, None), ("x*abs(x)", 0.0, None), ("huber(x)", 1.0, None),
        ("where(x < 1, x^2, 2x - 1)", 1.0, None), ("abs(x^2)", 0.0, None), ("abs(x)/x", 0.0, None),
    ],
)  # fmt: skip
def test_a_kink_or_a_jump_is_told_with_the_slopes_on_both_sides(
    formula: str, point: float, expected: Break | None
) -> None:
    x = Symbol("x")
    assert break_at(parse(formula), x, {x: point}) == expected


def test_at_a_kink_no_derivative_is_claimed() -> None:
    said = differentiate(parse("max(x, 1)"), "x").at(1).sentence
    assert said == (
        "L has a kink here: L′ is 0 on the left, 1 on the right. There is no derivative; by agreement 0.5 "
        "is taken. Positive, so decrease x: the step goes left by η·0.5."
    )


@pytest.mark.parametrize(
    ("formula", "point", "lost"), [("1/x", 0, "L"), ("sqrt(x)", 0, "L′"), ("e^x", 1e3, "L")]
)
def test_no_step_is_promised_where_a_number_is_infinite(formula: str, point: float, lost: str) -> None:
    slope = differentiate(parse(formula), "x").at(point)
    assert slope.direction is None
    assert slope.sentence == f"{lost} is infinite here, or too large for a number: no step can be taken."


# ------------------------------------------------------------------------------ wide and deep

LONG = {
    "sum": " + ".join(f"{place}*x^{place}" for place in range(2, 80)),
    "product": "*".join(f"(x + {place})" for place in range(1, 70)),
    "sines": "sin(" * 48 + "x" + ")" * 48,
    "powers": "x^(" * 40 + "x" + ")" * 40,
    "maxima": "max(" * 22 + "x" + "*x,1-x)" * 22,
    "continued fraction": "x/(1+" * 22 + "x" + ")" * 22,
    "squares": "(" * 22 + "x" + "+1)^2" * 22,
    "library": "(1 + (x + y + 1)^2*(19 - 14x + 3x^2 - 14y + 6x*y))*(30 + (2x - 3y)^2*(18 - 32x + 12x^2))",
}


@pytest.mark.parametrize("name", some(LONG, "sum", "sines", "maxima", "library"))
def test_wide_and_deep_formulas_keep_to_the_screen_and_to_a_second_or_two(name: str) -> None:
    start = time.process_time()
    lines = step_lines(derived(LONG[name]))
    rows = step_rows(lines)
    assert time.process_time() - start < 5  # measured: at most 0.3 s
    assert max(sum(len(text) for text, _ in row) for row in rows) <= 80
    assert len(lines) < 10 * len(list(walk(parse(LONG[name]))))


def test_a_formula_is_broken_at_equals_signs_also_behind_a_break_within_brackets() -> None:
    rows = broken("y = (a + b + c + d)/e = (a + b)/f", 14, 2)
    assert rows == ["y = (a + b", "      + c", "      + d)/e", "  = (a + b)/f"]


def test_brackets_that_are_open_at_the_start_of_a_row_count() -> None:
    rows = broken("y = ((a + b + c + d)·(e + f) + g)/h = (a + b)/f", 14, 2)
    assert rows == [
        "y =", "      ((a + b", "      + c", "      + d)·(e", "      + f)", "      + g)/h", "  = (a + b)/f",
    ]  # fmt: skip


def test_a_long_sum_in_several_rows_of_latex_is_the_sum() -> None:
    terms = "".join(f"{'-+'[k % 3 > 0]}{k}*sin({k}*x)" for k in range(2, 14))
    first, *_ = step_lines(derived(f"-sin(x){terms}"))
    rows = [row.removesuffix(r" \\").removeprefix("& ") for row in steps_latex([first]).splitlines()[2:-1]]
    assert len(rows) > 2
    assert " ".join(rows).replace(r"\qquad {} ", "") == rf"\;{{}} = {to_latex(first.formulas[1])}"


def test_a_sum_of_many_terms_has_one_line_of_parts() -> None:
    lines = step_lines(derived("x^2 + x^3 + x^4 + x^5 + x^6"))
    assert len(lines) == 7  # the rule, five powers, the result


def test_a_formula_too_long_to_be_read_is_left_out() -> None:
    formulas = {formula for line in step_lines(derived(LONG["maxima"])) for formula in line.formulas}
    assert ELLIPSIS in formulas
    assert max(len(to_text(formula)) for formula in formulas) < 10_000


@given(trees())
@examples(60)
def test_every_row_fits_and_every_markup_is_well_formed(expr: Expr) -> None:
    step = textbook(expr, "w")
    lines = [*step_lines(step), *closing_lines(step, slope_name("w"), derivative(expr, "w"))]
    for width in (40, 80):
        for row in steps_text(lines, width).splitlines():
            assert len(row) <= width or max(map(len, row.split())) > 20
    ET.fromstring(steps_mathml(lines))
    latex = steps_latex(lines)
    assert latex.count("{") == latex.count("}")


def test_the_letter_of_the_chain_rule_is_not_a_name_of_the_formula() -> None:
    step = derived("sin(u*x)*exp(v*x)")
    assert all(part.letter not in ("u", "v", "x") for part, _, _ in walk_steps(step))
    deep = derived("sin(" * 20 + "x" + ")" * 20)
    letters = [part.letter for part, _, _ in walk_steps(deep) if part.letter]
    assert len(set(letters)) == len(letters) == 19


LATEX_PAGE = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage{amsmath}
\allowdisplaybreaks
\begin{document}
%s
\end{document}
"""


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles(tmp_path: Path) -> None:
    steps = [derived(formula) for formula in (*FORMULAS[::7], *map(LONG.get, ("sum", "sines", "maxima")))]  # type: ignore[arg-type]
    steps += [derived("mean((w_1*x + beta - y)^2)", "w_1", COLUMNS), derived("sin(alpha_max*w1)", "w1")]
    steps += [derived("sin(η*θ)*η", "η")]
    blocks = [
        steps_latex([*step_lines(step, slope_name(step.variable, True)),
                     *number_lines(step.result, slope_name(step.variable), 1.5, {Symbol("x"): 0.5}, {})])
        for step in steps
        if set(symbols(step.result)) <= {"x"} or step.variable != "x"
    ]  # fmt: skip
    (tmp_path / "page.tex").write_text(LATEX_PAGE % "\n\n".join(blocks), encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "page.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300, check=False)
    assert result.returncode == 0, result.stdout.decode(errors="replace")[-2000:]


def test_browsers_set_a_derivation_from_the_left() -> None:
    markup = steps_mathml(step_lines(derived("sin(3x)")))
    assert markup.count("text-align: left") == 2 * markup.count("<mtr>")
    assert "<mtext>chain with\u00a0</mtext>" in markup


# ------------------------------------------------------------------------------ numbers filled in


def test_numbers_are_filled_in_and_added_up() -> None:
    step = derived("x^2*exp(3x)")
    (slope,) = compile_function([step.result], [Symbol("x")])(0.5)
    lines = number_lines(step.result, slope_name("x"), slope, {Symbol("x"): 0.5}, {})
    assert steps_text(lines) == (
        "L′ = 2·0.5·exp(3·0.5) + 3·0.5²·exp(3·0.5)\n  = 4.48169 + 3.36127\n  = 7.84296"
    )


def test_terms_that_cancel_are_not_added_up() -> None:
    """1 − tanh(20)² is 0 in floating point; the slope is 8.5e−17 and is shown."""
    tanh = parse("tanh(5x)")
    (slope,) = compile_function([derivative(tanh, "x")], [Symbol("x")])(4.0)
    text = steps_text(
        number_lines(textbook(tanh, "x").result, slope_name("x"), slope, {Symbol("x"): 4.0}, {})
    )
    assert text == "L′ = 5·(1 − tanh(5·4)²)\n  = 8.49671e-17"


@pytest.mark.parametrize(
    ("point", "expected"), [(0.0, "∞"), (-1.0, "nan"), (4.0, "0.25"), (1e-8, "5000"), (1e20, "5e-11")]
)
def test_any_number_may_come_out(point: float, expected: str) -> None:
    root = parse("sqrt(x)")
    (slope,) = compile_function([derivative(root, "x")], [Symbol("x")])(point)
    lines = number_lines(textbook(root, "x").result, slope_name("x"), slope, {Symbol("x"): point}, {})
    assert steps_text(lines).endswith(f"= {expected}")


# ------------------------------------------------------------------------------------ a notebook


def test_a_derivation_shows_itself_in_a_notebook() -> None:
    found = differentiate(parse("x^2*exp(3x)"), "x")
    ET.fromstring(found._repr_html_())
    latex = found._repr_latex_()
    assert latex.startswith("$$\n\\begin{aligned}")
    assert latex.endswith("\\end{aligned}\n$$")
    assert str(found) == PRODUCT


def test_the_textbook_form_is_by_the_symbol_that_was_meant() -> None:
    expr = parse("a*x^2", parameters=frozenset({"a"}))
    found = differentiate(expr, Symbol("a", "parameter"))
    assert to_text(found.textbook.result) == to_text(found.after) == "x^2"
