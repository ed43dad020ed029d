"""Factoring a slope: what can vanish, how often, and what never does."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st
from random_trees import WEIGHTS, Kinds, trees

from gdsim.critical.line.factors import Unsupported, factorise
from gdsim.expr.emit_ball import BallFunction, ball
from gdsim.expr.exact_zeros import value_at, vanishes
from gdsim.expr.nodes import ZERO, Add, Expr, Multiply, Negate, Number, Symbol
from gdsim.expr.parse import parse

W = Symbol("w")
SMOOTH = Kinds(
    functions=("exp", "sin", "cos", "tanh", "atan", "cosh", "sigmoid", "sqrt", "log"),
    choices=False, free_exponents=False, reductions=False, leaves=WEIGHTS[:1],
)  # fmt: skip


def orders(formula: str) -> list[Fraction]:
    found = factorise(parse(formula), "w")
    assert found is not None
    return sorted(factor.exponent for factor in found)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("exp(-w)*cosh(w)*sigmoid(w)*softplus(w)*w^w", []),  # never zero
        ("(w - 1)^2*(w + 2)*sin(w)^3", [1, 2, 3]),
        ("tanh(w^3)/cosh(w)", [3]),
        ("sqrt(w)*(w - 1)", [Fraction(1, 2), 1, 1]),  # √w·(√w − 1)·(√w + 1)
        ("exp(2w) + 2w*exp(w) + w^2", [2]),  # (eʷ + w)²
        ("1/2 - cos(2w)/2 - w*sin(w) + w^2/4", [2]),  # (sin w − w/2)²
        ("3*sqrt(w)/2 - w", [Fraction(1, 2), 1]),  # √w·(3/2 − √w)
        ("w^(pi + 1) - w^pi", [1]),  # w^π·(w − 1)
        ("log(w)^2", [2]),
        ("1/w - 1/w^2", [1]),
    ],
)
def test_the_factors_that_vanish_and_how_often(formula: str, expected: list[Fraction]) -> None:
    assert orders(formula) == expected


@pytest.mark.parametrize("formula", ["0*w", "w - w", "(w + 1)^2 - w^2 - 2w - 1", "sin(2w) - 2*sin(w)*cos(w)"])
def test_a_function_that_is_zero_throughout_has_no_factors(formula: str) -> None:
    assert factorise(parse(formula), "w") is None


@given(tree=trees(SMOOTH), root=st.fractions(-3, 3, max_denominator=8))
def test_a_planted_zero_is_a_zero_of_some_factor(tree: Expr, root: Fraction) -> None:
    planted = Multiply((Add((W, Negate(Number(root)))), tree))
    try:
        found = factorise(planted, "w")
    except Unsupported:
        return
    if found is None:
        return
    with ctx.workprec(200):
        here = ball(root)
        (rest,) = BallFunction([tree], ["w"])(here)
        if not rest.is_finite() or rest.contains(0):
            return
        values = [BallFunction([factor.expression], ["w"])(here)[0] for factor in found]
    assert any(value.contains(0) for value in values)


@given(tree=trees(SMOOTH), at=st.fractions(-3, 3, max_denominator=8))
def test_where_no_factor_is_zero_the_function_is_not(tree: Expr, at: Fraction) -> None:
    try:
        found = factorise(tree, "w")
    except Unsupported:  # a constant that is not known to differ from zero: nothing is claimed
        return
    with ctx.workprec(400):
        here = ball(at)
        (whole,) = BallFunction([tree], ["w"])(here)
        if found is None:
            assert whole.is_nan() or whole.contains(0)
            return
        values = [BallFunction([factor.expression], ["w"])(here)[0] for factor in found]
        if whole.is_finite() and all(value > 0 or value < 0 for value in values):
            assert not whole.is_zero()


@pytest.mark.parametrize(
    ("formula", "place"),
    [
        ("1 + cos(w)", "pi"), ("sin(w) - 1/2", "pi/6"), ("2*cos(w)^2 - 1", "pi/4"), ("tan(w) - 1", "pi/4"),
        ("exp(w) - e*w", "1"), ("exp(w) - 3", "log(3)"), ("w^2 - 2", "sqrt(2)"), ("log(w) - 1", "e"),
        ("atan(w)*sin(w)", "0"), ("w^4 - 4", "sqrt(2)"), ("w^3 - 2^1.5", "sqrt(2)"),
    ],
)  # fmt: skip
def test_an_exact_zero_is_proved(formula: str, place: str) -> None:
    assert value_at(parse(formula), "w", parse(place)) == ZERO
    assert vanishes(parse(formula), "w", parse(place))


@pytest.mark.parametrize(
    ("formula", "place"),
    [
        ("sin(w)", "3.14159265358979323846264338327950288419716939937510582097494459"),
        ("exp(w) - 2.718281828459045*w", "1"),
        ("180*acos(7823207/7823209)/pi*w", "1"),  # 0.041, which SymPy has called 0 (its issue 23086)
    ],
)
def test_a_near_zero_is_none(formula: str, place: str) -> None:
    assert not vanishes(parse(formula), "w", parse(place))


def test_numbers_are_exact_rationals() -> None:
    (factor,) = factorise(parse("0.1*w - 0.01"), "w") or ()
    assert factor.polynomial == (-1, 10)
    assert BallFunction([factor.expression], ["w"])(arb(1) / 10)[0].contains(0)
