"""Answers of learners: equal formulas are equal in any form, a wrong one tells which rule was believed."""

from __future__ import annotations

from pathlib import Path

import pytest
import sympy
from hypothesis import given
from random_trees import SMOOTH, WEIGHTS, Kinds, trees
from tiers import examples

from gdsim.expr.differentiate import derivative
from gdsim.expr.display import to_text
from gdsim.expr.nodes import Expr, symbols
from gdsim.expr.parse import parse
from gdsim.expr.simplify import simplify
from gdsim.lessons.answers import judge
from gdsim.lessons.equivalence import likeness
from gdsim.lessons.misconceptions import MISTAKES, recognised, wrong_answers
from gdsim.lessons.model import (
    Choice,
    Differentiation,
    Experiment,
    Goal,
    Lesson,
    Order,
    Prediction,
    Quantity,
    Source,
    Step,
    Task,
    Tolerance,
    Tuning,
)
from gdsim.outcomes import InputError


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2x", "x + x"), ("(x + 1)^2", "x^2 + 2x + 1"), ("exp(2x)", "exp(x)^2"),
        ("1 - tanh(x)^2", "1/cosh(x)^2"),
        ("sin(x)^2 + cos(x)^2", "1"), ("2x*exp(3x) + 3x^2*exp(3x)", "x*exp(3x)*(2 + 3x)"),
        ("x^x*(log(x) + 1)", "x^x*log(x) + x^x"), ("1/(x + 1) + 1/(x - 1)", "2x/(x^2 - 1)"),
    ],
)  # fmt: skip
def test_equal_formulas_are_proved_equal(first: str, second: str) -> None:
    assert likeness(parse(first), parse(second)) == "proved"
    assert sympy.simplify(sympy.sympify(first_of(first)) - sympy.sympify(first_of(second))) == 0


def first_of(text: str) -> str:
    """The formula as SymPy reads it."""
    return to_text(parse(text)).replace("^", "**")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("sigmoid(x)*(1 - sigmoid(x))", "1/(4*cosh(x/2)^2)"), ("x/abs(x)", "sign(x)"),
        ("sqrt(x^2)", "abs(x)"),
        ("cos(2x)", "1 - 2sin(x)^2"), ("where(x > 0, x, 0)", "relu(x)"), ("log(x^2)/2", "log(x)"),
    ],
)  # fmt: skip
def test_what_cannot_be_proved_agrees_at_points(first: str, second: str) -> None:
    assert likeness(parse(first), parse(second)) == "agree"


@pytest.mark.parametrize(
    ("first", "second"),
    [("2x", "2x + 1e-40"), ("x", "abs(x)"), ("1/x", "log(x)"), ("5", "x*0 + 6"), ("sqrt(x)", "sqrt(-x)")],
)
def test_formulas_that_differ_somewhere_differ(first: str, second: str) -> None:
    assert likeness(parse(first), parse(second)) == "differ"


def test_nobody_can_tell_where_neither_has_a_value() -> None:
    assert likeness(parse("log(-1 - x^2)"), parse("log(-2 - x^2)")) == "unknown"


WEIGHTS_ALONE = Kinds(SMOOTH, choices=False, free_exponents=False, reductions=False, leaves=WEIGHTS)


@examples(60)
@given(trees(WEIGHTS_ALONE, 2))
def test_a_formula_never_differs_from_itself_simplified(tree: Expr) -> None:
    assert likeness(tree, simplify(tree)) != "differ"


WRONG = [
    ("x^2", "x^2", "function-itself"),
    ("x^2", "x^3/3", "integrated"),
    ("x^2 + x", "x^3/3 + x^2/2 + 7", "integrated"),
    ("1/x", "log(x)", "integrated"),
    ("x^2", "-2x", "sign-flipped"),
    ("1/x", "1/x^2", "sign-flipped"),
    ("x^2", "2x^2", "power-not-reduced"),
    ("5x^3 + x", "15x^3 + 1", "power-not-reduced"),
    ("x^3", "x^2", "exponent-not-in-front"),
    ("sin(3x)", "cos(3x)", "inner-derivative-forgotten"),
    ("(3x + 1)^4", "4(3x + 1)^3", "inner-derivative-forgotten"),
    ("tanh(2x)", "1 - tanh(2x)^2", "inner-derivative-forgotten"),
    ("x^2*exp(3x)", "2x*exp(3x) + x^2*exp(3x)", "inner-derivative-forgotten"),
    ("exp(-x^2)", "exp(-2x)", "inner-derivative-inside"),
    ("sin(3x)", "cos(3)", "inner-derivative-inside"),
    ("x^2*exp(x)", "2x*exp(x)", "product-of-derivatives"),
    ("3x*sin(x)", "3cos(x)", "product-of-derivatives"),
    ("x/(x^2 + 1)", "1/(2x)", "quotient-of-derivatives"),
    ("x/(x^2 + 1)", "(x^2 - 1)/(x^2 + 1)^2", "quotient-turned-round"),
    ("x/(x^2 + 1)", "(1 - x^2)/(x^2 + 1)", "quotient-denominator-not-squared"),
    ("x/(x^2 + 1)", "(3x^2 + 1)/(x^2 + 1)^2", "quotient-added"),
    ("5x^3 + 2x + 7", "15x^3 + 2x", "power-not-reduced"),
    ("5x^3 + 2x + 7", "15x^2 + 2x", "power-not-reduced"),
    ("exp(2x)", "2x*exp(2x - 1)", "exponential-as-power"),
    ("exp(-x^2)", "-x^2*exp(-x^2 - 1)", "exponential-as-power"),
    ("exp(x)", "x*exp(x - 1)", "exponential-as-power"),
    ("2^x", "x*2^(x - 1)", "exponential-as-power"),
    ("x^2 + 5", "2x + 5", "constant-kept"),
    ("x^2 + 5", "2x + 1", "constant-as-variable"),
    ("3x^2", "6x + x^2", "constant-as-variable"),
    ("0.1x^2 + 2y^2", "0.2x + 4y", "constant-as-variable"),
    ("3x^2", "2x", "constant-factor-lost"),
    ("cos(x)", "sin(x)", "trigonometric-sign"),
    ("x*sin(x)", "sin(x) - x*cos(x)", "trigonometric-sign"),
    ("sqrt(x)", "sqrt(x)/2", "root-not-reduced"),
    ("log(x) + x", "log(x) + 1", "function-as-its-own-derivative"),
]


@pytest.mark.parametrize(("formula", "answer", "mistake"), WRONG)
def test_a_wrong_answer_tells_which_rule_was_believed(formula: str, answer: str, mistake: str) -> None:
    assert recognised(parse(answer), parse(formula), "x") == mistake


def test_every_mistake_is_recognised_by_an_example() -> None:
    assert {mistake for _, _, mistake in WRONG} == set(MISTAKES)


@examples(40)
@given(trees(WEIGHTS_ALONE, 2))
def test_no_right_answer_is_taken_for_a_mistake(tree: Expr) -> None:
    if "w" in symbols(tree):
        assert recognised(derivative(tree, "w"), tree, "w") is None


def test_mistakes_are_sought_at_single_places_too() -> None:
    forgotten = [to_text(wrong) for name, wrong in wrong_answers(parse("sin(2x) + sin(3x)"), "x")
                 if name == "inner-derivative-forgotten"]  # fmt: skip
    assert len(forgotten) == 3


LESSON = Lesson(
    "a-lesson", Path(), 5, (),
    {
        "slope": Source(derivative="w^2", by="w", at={"w": 3.0}),
        "loss": Source(expression="w^2", at={"w": 3.0}),
    },
    (),
)  # fmt: skip
PARABOLA = Experiment("parabola")


def said(task: Task, answer: object) -> tuple[bool | None, str, str]:
    found = judge(LESSON, Step("a-step", task), answer)  # type: ignore[arg-type]
    return found.right, found.phrase, found.part


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("6", (True, "right", "")), ("2*3", (True, "right", "")), ("6.004", (True, "right", "")),
        ("9", (False, "wrong", "mistake function")), ("-6", (False, "sign-flipped", "")),
        ("7", (False, "too-large", "")), ("1", (False, "too-small", "")), ("", (False, "empty", "")),
    ],
)  # fmt: skip
def test_a_number_is_right_in_any_form_and_wrong_in_a_telling_way(answer: str, expected: tuple) -> None:
    task = Quantity("slope", Tolerance(absolute=0.01), {"function": "loss"})
    assert said(task, answer) == expected


def test_a_number_with_a_comma_is_told_to_have_a_point() -> None:
    with pytest.raises(InputError, match=r"a comma stands in this number; .* did you mean 0\.4\?"):
        said(Quantity("slope", Tolerance(absolute=0.01)), "0,4")


def test_a_choice_is_answered_by_names_or_numbers() -> None:
    task = Choice(("left", "right", "both"), ("right",))
    assert said(task, "right") == said(task, "2") == (True, "right", "feedback right")
    assert said(task, "1") == (False, "wrong", "feedback left")


@pytest.mark.parametrize("answer", ["still_moving", "still moving", "Still  Moving", "STILL-MOVING", "2"])
def test_an_option_may_be_typed_as_it_is_shown(answer: str) -> None:
    task = Choice(("minimum", "still_moving"), ("still_moving",))
    assert said(task, answer)[0] is True


def test_of_several_right_options_all_are_needed() -> None:
    task = Choice(("a", "b", "c"), ("a", "c"))
    assert said(task, "1, 3") == (True, "right", "feedback a")
    assert said(task, "a") == (False, "some-missing", "")
    assert said(task, "a b c") == (False, "wrong", "feedback b")


def test_an_order_says_where_it_goes_wrong_first() -> None:
    task = Order(("look", "step", "judge"))
    assert said(task, "1 2 3")[0] is True
    found = judge(LESSON, Step("a-step", task), "look judge step")
    assert (found.right, found.phrase, found.facts) == (False, "order-wrong", {"place": 2})
    assert said(task, "look step")[1] == "order-incomplete"


@pytest.mark.parametrize(
    ("task", "answer", "right"),
    [
        (Prediction(PARABOLA, "direction"), "left", True),
        (Prediction(PARABOLA, "direction"), "Left", True),
        (Prediction(PARABOLA, "direction"), "stay", False),
        (Prediction(PARABOLA, "outcome", among=("minimum", "diverged")), "1", True),
        (Prediction(PARABOLA, "outcome", among=("minimum", "diverged")), "diverged", False),
        (Prediction(PARABOLA, "number", "steps", tolerance=Tolerance(absolute=5)), "40", True),
        (Prediction(PARABOLA, "number", "steps", tolerance=Tolerance(absolute=5)), "4", False),
    ],
)
def test_a_prediction_is_compared_with_the_run(task: Task, answer: str, right: bool) -> None:
    assert judge(LESSON, Step("a-step", task), answer).right is right


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        ("0.5", "reached"), ("learning_rate=0.5", "reached"), ("0.1", "goal-steps"), ("1.1", "goal-verdict"),
        ({"learning_rate": 0.5}, "reached"),
    ],
)  # fmt: skip
def test_tuning_reaches_the_goal_or_says_what_is_missing(answer: object, phrase: str) -> None:
    task = Tuning(PARABOLA, ("learning_rate",), Goal(("minimum",), 5), {"learning_rate": 0.5})
    assert said(task, answer)[1] == phrase


def test_what_may_not_be_changed_is_named() -> None:
    task = Tuning(PARABOLA, ("learning_rate",), Goal(("minimum",), 5), {"learning_rate": 0.5})
    with pytest.raises(InputError, match="did you mean learning_rate"):
        said(task, "lerning_rate=0.5")


def test_a_derivative_is_right_in_any_form() -> None:
    task = Differentiation("x^2*exp(3x)", "x")
    assert said(task, "x*exp(3x)*(2 + 3x)")[:2] == (True, "right")
    assert judge(LESSON, Step("a-step", task), "2x*3exp(3x)").misconception == "product-of-derivatives"


def test_a_derivative_that_cannot_be_read_is_no_failed_attempt() -> None:
    task = Differentiation("x^2", "x")
    with pytest.raises(InputError, match="does not occur"):
        said(task, "2y")
    with pytest.raises(InputError):
        said(task, "2x +")
