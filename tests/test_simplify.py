"""Simplification prints what a textbook prints and never changes the value."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath_values import CONTEXT, value
from random_trees import EVERYTHING, WEIGHTS, Point, points, trees
from tiers import examples

from gdsim.expr.display import to_text
from gdsim.expr.exact import exact_call, exact_power
from gdsim.expr.nodes import (
    ONE,
    Add,
    Divide,
    Expr,
    Multiply,
    Negate,
    Number,
    Power,
    Symbol,
    Where,
    walk,
)
from gdsim.expr.parse import parse
from gdsim.expr.simplify import simplify

COLUMNS = frozenset({"x", "y"})


def simplified(text: str) -> str:
    return to_text(simplify(parse(text, parameters=frozenset({"a", "b"}))))


TEXTBOOK = {
    # zeros and ones
    "w + 0": "w",
    "1*w": "w",
    "0*w + 3": "3",
    "w^1": "w",
    "w^0": "1",
    "0/w": "0",
    "w/1": "w",
    "w - w": "0",
    "-(-w)": "w",
    # exact constants
    "0.1 + 0.2": "0.3",
    "1/3 + 1/6": "1/2",
    "2^10": "1024",
    "2^-2": "1/4",
    "sqrt(4)": "2",
    "sqrt(2)": "sqrt(2)",
    "(9/4)^1.5": "3.375",
    "exp(0)": "1",
    "log(1)": "0",
    "log(e)": "1",
    "sin(0) + cos(0)": "1",
    "log2(8) + log10(0.01)": "1",
    "abs(-3) + sign(-2)": "2",
    "max(2, 3) - min(2, 3)": "1",
    "huber(3, 1)": "5/2",
    "huber(1/2, 1)": "1/8",
    "huber(-1, 3)": "1/2",
    "pi*pi": "pi^2",
    # like terms, like powers
    "2w + 3w": "5*w",
    "w*w": "w^2",
    "w*w*w^2": "w^4",
    "a*w*a": "a^2*w",
    "(w^2)^3": "w^6",
    "sqrt(w)*sqrt(w)": "w",
    "sin(w)*cos(w) - cos(w)*sin(w)": "0",
    "v*w + w*v/3": "4*v*w/3",
    "w*sin(v) + 2*sin(v)*w": "3*w*sin(v)",
    "2*(w - 3) + 3*(w - 3)": "5*(w - 3)",
    "w^2/w": "w",
    "exp(w)/exp(w)^2": "1/exp(w)",
    "sinh(w)/cosh(w)^3": "tanh(w)/cosh(w)^2",
    "abs(w)*sign(w)": "w",
    "w*sign(w)": "abs(w)",
    "1/w/sign(w)": "1/abs(w)",
    "1/(abs(w)*sign(w)^3)": "1/w",
    # identities
    "sin(w)^2 + cos(w)^2": "1",
    "2*v*sin(w)^2 + 1 + 2*v*cos(w)^2": "2*v + 1",
    "1 - tanh(w)^2": "1/cosh(w)^2",
    "3 - 3*cos(w)^2": "3*sin(w)^2",
    "cosh(w)^2 - sinh(w)^2": "1",
    "cosh(w)^2 + sinh(w)^2": "cosh(w)^2 + sinh(w)^2",
    "1 - sin(v)^2 - sin(w)^2": "cos(v)^2 - sin(w)^2",
    # signs and coefficients
    "w*3": "3*w",
    "(-w)^2": "w^2",
    "(-w)^3": "-w^3",
    "w*(-2)*v": "-2*w*v",
    "-w + 3": "3 - w",
    "-(w - 3)": "3 - w",
    "w - (v - 2)": "w - v + 2",
    "sin(-w)": "-sin(w)",
    "cos(-w)": "cos(w)",
    "(2w)^2": "4*w^2",
    "(1/w)^2": "1/w^2",
    # quotients
    "6w/2": "3*w",
    "w/2/3": "w/6",
    "(w/v)/(a/b)": "w*b/(v*a)",
    "4/6*w": "2*w/3",
    "0.5*0.4*w": "0.2*w",
    # brackets that stay, and brackets that go
    "(w + 1)*(w - 1)": "(w + 1)*(w - 1)",
    "2*(w - 3)": "2*(w - 3)",
    "2*(w - 3) + 3*(v - 1)": "2*(w - 3) + 3*(v - 1)",
    "2*(3w - 1) - 3*(2w + 1)": "-5",
    # choices
    "where(w > 0, v, v)": "v",
    "where(2 > 1, w, v)": "w",
    "where(w > 0, 1, 0)*3*v": "where(w > 0, 3*v, 0)",
}


@pytest.mark.parametrize(("written", "printed"), TEXTBOOK.items())
def test_textbook_form(written: str, printed: str) -> None:
    assert simplified(written) == printed


@pytest.mark.parametrize("text", ["9^9^9", "((9^9)^9999)^9999", "2^-99999", "(1/3)^100000", "10^300*10^300"])
def test_enormous_constants_are_not_computed(text: str) -> None:
    simple = simplify(parse(text))
    assert isinstance(simple, Expr)
    assert all(node.value.numerator.bit_length() < 2100 for node in walk(simple) if isinstance(node, Number))


def test_a_root_of_a_square_is_not_the_base() -> None:
    simple = simplify(parse("(w^2)^0.5"))
    assert value(simple, {"w": -3}) == 3


def test_a_product_of_two_large_numbers_stays_finite_beside_a_small_weight() -> None:
    """1e200·(1e200·w) is 1e100 at w = 1e−300; folded to 1e400·w it would overflow."""
    simple = simplify(parse("1e200*(1e200*w)"))
    assert all(float(node.value) <= 1e308 for node in walk(simple) if isinstance(node, Number))


def test_a_comparison_keeps_both_sides_as_written() -> None:
    """0.1 + 0.2 > 0.3 holds in floating point and not exactly; the kink must stay where the loss has it."""
    written = parse("where(w + 0.1 + 0.2 > w + 0.3, w, 2w + 3w)")
    simple = simplify(written)
    assert isinstance(simple, Where)
    assert isinstance(written, Where)
    assert simple.condition == written.condition


def test_one_of_equal_conditions_is_asked_once() -> None:
    assert simplified("where(w > 0, where(w > 0, 1, 2), 3)") == "where(w > 0, 1, 3)"


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("mean(2*x*w)", "2*mean(x*w)"),
        ("sum(x - x)", "0"),
        ("mean(w^2)", "w^2"),
        ("sum(w)", "sum(w)"),
        ("mean(-x)", "-mean(x)"),
    ],
)
def test_numbers_leave_reductions(written: str, printed: str) -> None:
    assert to_text(simplify(parse(written, columns=COLUMNS))) == printed


def test_division_by_zero_is_kept() -> None:
    assert simplified("w + 1/0") == "w + 1/0"
    assert simplified("0/0*w") == "0/0"


def test_exact_power_and_call_know_their_limits() -> None:
    assert exact_power(Fraction(8, 27), Fraction(2, 3)) == Fraction(4, 9)
    assert exact_power(Fraction(2), Fraction(1, 2)) is None
    assert exact_power(Fraction(-8), Fraction(1, 3)) is None  # nan in gdsim, not −2
    assert exact_power(Fraction(0), Fraction(-1)) is None
    assert exact_power(Fraction(-1), Fraction(10**30 + 1)) == -1
    assert exact_power(Fraction(-1), Fraction(2)) == 1
    assert exact_call("log2", [Number(Fraction(3))]) is None
    assert exact_call("sin", [ONE]) is None


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("1/(-u - v)", "-1/(u + v)"),
        ("(-u - v)^3", "-(u + v)^3"),
        ("(-u - v)^2", "(u + v)^2"),
        ("w*(-u - v)", "-w*(u + v)"),
        ("(-u - v)/(u + v)", "-1"),
    ],
)
def test_a_sum_of_negative_terms_gives_its_sign_away(written: str, printed: str) -> None:
    assert simplified(written) == printed


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "==", "!="])
@pytest.mark.parametrize("left", [1, 2, 3])
def test_a_comparison_of_numbers_is_decided(left: int, sign: str) -> None:
    assert simplified(f"where({left} {sign} 2, v, w)") == ("v" if eval(f"{left} {sign} 2") else "w")


def test_a_choice_with_a_zero_takes_in_the_factors_beside_it_above_and_below() -> None:
    assert simplified("u*where(w > 0, w, 0)") == "where(w > 0, w*u, 0)"
    assert simplified("u/v/where(w > 0, w, 0)") == "u/where(w > 0, w*v, 0)"


def test_shared_parts_are_simplified_once() -> None:
    """x₊ = (x + x)·x + x doubles thrice at every level as text; as a shared tree it is linear."""
    expr: Expr = Symbol("w")
    for level in range(40):
        expr = Add((Multiply((expr, Power(expr, Number(Fraction(2))))), Number(Fraction(level, 7)), expr))
    simple = simplify(expr)
    assert sum(1 for _ in walk(simple)) < 500


def test_a_long_sum_is_collected() -> None:
    assert simplified("+".join(["w"] * 200)) == "200*w"


# ------------------------------------------------------------------------------------ properties


@given(trees())
@examples(150)
def test_simplifying_twice_changes_nothing(expr: Expr) -> None:
    once = simplify(expr)
    assert simplify(once) == once


@given(trees(), points())
@examples(150)
def test_the_value_is_kept_where_the_original_is_finite(expr: Expr, point: Point) -> None:
    check_value_is_kept(expr, point)


def check_value_is_kept(expr: Expr, point: Point) -> None:
    """Equal to 30 of 50 digits of the largest intermediate value: what remains is the witness's rounding."""
    memo: dict[Expr, object] = {}
    before = value(expr, point.names, point.rows, memo)
    sizes = [abs(found) for found in memo.values() if CONTEXT.isfinite(found)]
    assume(CONTEXT.isfinite(before) and max(sizes) < 1e15)
    after = value(simplify(expr), point.names, point.rows)
    assert abs(after - before) <= CONTEXT.mpf(10) ** -30 * max(1, *sizes)


def polynomials() -> st.SearchStrategy[Expr]:
    """Sums, products and small powers of weights and rationals, divided by numbers only."""
    numbers = st.fractions(-5, 5, max_denominator=6).map(Number)

    def grow(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(
            several.map(Add),
            several.map(Multiply),
            inner.map(Negate),
            st.builds(Power, inner, st.sampled_from([Number(Fraction(2)), Number(Fraction(3))])),
            st.builds(Divide, inner, st.sampled_from([Number(Fraction(2)), Number(Fraction(3))])),
        )

    return st.recursive(st.one_of(st.sampled_from(WEIGHTS), numbers), grow, max_leaves=8)


@given(polynomials())
@examples(60)
def test_polynomials_are_exactly_what_sympy_expands_them_to(expr: Expr) -> None:
    assert sympy.expand(as_sympy(expr) - as_sympy(simplify(expr))) == 0


def as_sympy(expr: Expr) -> sympy.Expr:
    names = {symbol.name: sympy.Symbol(symbol.name) for symbol in WEIGHTS}
    return sympy.sympify(to_text(expr).replace("^", "**"), locals=names, rational=True)


@pytest.mark.release
@given(trees(EVERYTHING, 5), points())
@settings(max_examples=4000)
def test_large_trees_settle_and_keep_their_value(expr: Expr, point: Point) -> None:
    once = simplify(expr)
    assert simplify(once) == once
    check_value_is_kept(expr, point)
