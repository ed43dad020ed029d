"""Ball arithmetic: every enclosure holds every value, at 1,000 bits, whatever the formula and the box."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from random_trees import COLUMNS, WEIGHTS, Kinds, trees

from gdsim.expr.emit_ball import BallFunction, ball
from gdsim.expr.nodes import Expr, Power, symbols, walk
from gdsim.expr.parse import parse

NAMES = [symbol.name for symbol in WEIGHTS]
WEIGHTS_ONLY = Kinds(reductions=False, leaves=WEIGHTS)
WITH_ROWS = Kinds(leaves=WEIGHTS)
ROWS = {symbol.name: (Fraction(1, 3), Fraction(-2), Fraction(7, 5)) for symbol in COLUMNS}

DYADIC = st.tuples(st.integers(-(2**12), 2**12), st.integers(0, 14)).map(lambda p: Fraction(p[0], 2 ** p[1]))
BOX = st.tuples(DYADIC, DYADIC).map(sorted)
PARTS = st.lists(st.fractions(0, 1, max_denominator=64), min_size=3, max_size=3)


def stands_alone(tree: Expr, boxes: list[list[Fraction]], part: Fraction) -> bool:
    """Whether a power with a varying exponent has a negative base at a point.

    It is defined for whole exponents there, and for none beside them: the restricted reading drops it.
    """
    bases = [node.base for node in walk(tree) if isinstance(node, Power) and symbols(node.exponent)]
    at = [ball(low + part * (high - low)) for low, high in boxes]
    return bool(bases) and any(not value >= 0 for value in BallFunction(bases, NAMES, ROWS)(*at))


def check_containment(tree: Expr, boxes: list[list[Fraction]], parts: list[Fraction], precision: int) -> None:
    """The strict enclosure is nan or holds the values at points of the box; the restricted one, too."""
    for reading in ("strict", "restricted"):
        function = BallFunction([tree], NAMES, ROWS, reading)
        with ctx.workprec(precision):
            (whole,) = function(*(ball(low).union(ball(high)) for low, high in boxes))
        with ctx.workprec(1000):
            for part in parts:
                (value,) = function(*(ball(low + part * (high - low)) for low, high in boxes))
                if value.is_nan():  # undefined there, or too near to a jump to tell
                    continue
                if reading == "restricted" and stands_alone(tree, boxes, part):
                    continue
                assert whole.is_nan() or whole.overlaps(value)


@given(
    tree=trees(WEIGHTS_ONLY), boxes=st.tuples(BOX, BOX).map(list), parts=PARTS, precision=st.integers(30, 90)
)
def test_an_enclosure_holds_every_value(
    tree: Expr, boxes: list[list[Fraction]], parts: list[Fraction], precision: int
) -> None:
    check_containment(tree, boxes, parts, precision)


@given(tree=trees(WITH_ROWS, depth=2), boxes=st.tuples(BOX, BOX).map(list), parts=PARTS)
def test_an_enclosure_of_a_mean_holds_every_value(
    tree: Expr, boxes: list[list[Fraction]], parts: list[Fraction]
) -> None:
    check_containment(tree, boxes, parts, 53)


@pytest.mark.release
@settings(max_examples=100_000)
@given(
    tree=trees(WEIGHTS_ONLY), boxes=st.tuples(BOX, BOX).map(list), parts=PARTS, precision=st.integers(30, 90)
)
def test_a_hundred_thousand_enclosures_hold_every_value(
    tree: Expr, boxes: list[list[Fraction]], parts: list[Fraction], precision: int
) -> None:
    check_containment(tree, boxes, parts, precision)


def over(formula: str, low: str, high: str, reading: str = "strict") -> arb:
    box = ball(Fraction(low)).union(ball(Fraction(high)))
    return BallFunction([parse(formula)], ["w"], reading=reading)(box)[0]  # type: ignore[arg-type]


@pytest.mark.parametrize("formula", ["w^2", "w^4", "w^20", "abs(w)", "exp(w)", "sigmoid(w)", "relu(w)"])
def test_what_is_never_negative_has_an_enclosure_that_hardly_is(formula: str) -> None:
    assert over(formula, "-1", "2") > arb("-0.01")  # the ball of [0, b] itself begins at −2⁻³⁰·b


@pytest.mark.parametrize("formula", ["tanh(1000w)", "exp(1000w)", "atan(1e9*w)", "softplus(1000w)"])
def test_a_steep_function_over_a_wide_box_stays_finite(formula: str) -> None:
    assert over(formula, "-1", "1").is_finite()


@pytest.mark.parametrize("formula", ["sqrt(w)", "log(w)", "w^1.5", "w^(1/3)", "asin(w)", "1/w"])
def test_a_strict_enclosure_is_nan_where_the_formula_is_undefined_somewhere(formula: str) -> None:
    assert over(formula, "-2", "2").is_nan()


@pytest.mark.parametrize("formula", ["sqrt(w)", "w^1.5", "w^(1/3)"])
def test_a_restricted_enclosure_drops_points_where_the_formula_is_undefined(formula: str) -> None:
    assert over(formula, "-2", "2", "restricted").is_finite()


@pytest.mark.parametrize(("formula", "ends"), [("asin(w)", ("-pi/2", "pi/2")), ("acos(w)", ("0", "pi"))])
def test_a_restricted_enclosure_of_an_inverse_reaches_both_ends(formula: str, ends: tuple[str, str]) -> None:
    whole = over(formula, "-2", "2", "restricted")
    assert all(whole.overlaps(over(end, "0", "0")) for end in ends)


@pytest.mark.parametrize(
    ("formula", "low", "high"),
    [
        ("sin(1/w)", "-1", "1"), ("cos(1/w)", "-1", "1"), ("tanh(1/w)", "-1", "1"),
        ("sigmoid(1/w)", "0", "1"), ("atan(1/w)", "-1.57", "1.57"),
    ],
)  # fmt: skip
def test_a_bounded_function_is_bounded_about_a_pole(formula: str, low: str, high: str) -> None:
    whole = over(formula, "-1", "1", "restricted")
    assert whole.overlaps(arb(low))
    assert whole.overlaps(arb(high))
    assert abs(whole) < 2.1


@pytest.mark.parametrize(("base", "exponent"), [(3, -2), (-3, -3), (-2, -1), (5, 0), (-5, 1), (-2, 4)])
def test_a_power_with_a_varying_exponent_is_exact_at_whole_numbers(base: int, exponent: int) -> None:
    (value,) = BallFunction([parse("u^v")], ["u", "v"])(arb(base), arb(exponent))
    assert value.overlaps(ball(Fraction(base) ** exponent))
    assert value.rad() < 1e-15


def test_a_sum_of_what_no_row_enters_counts_the_rows() -> None:
    tree = parse("sum(w)", columns=frozenset("x"))
    (value,) = BallFunction([tree], ["w"], {"x": (Fraction(1), Fraction(2), Fraction(5))})(arb(2))
    assert value == 6


def test_numbers_are_built_at_the_working_precision() -> None:
    function = BallFunction([parse("w - 0.1")], ["w"])
    with ctx.workprec(53):
        function(arb(0))
    with ctx.workprec(400):
        (value,) = function(ball(Fraction(1, 10)))
        assert value.rad() < arb(2) ** -390


@pytest.mark.parametrize("exponent", ["2^(2^40)", "-2^(2^40)", "2^70", "2^(2^40) + 1/2"])
def test_an_exponent_of_very_many_digits_is_no_danger(exponent: str) -> None:
    half = over(f"w^({exponent})", "1/2", "1/2")
    assert not half.is_finite() if exponent.startswith("-") else half < 1e-9
    whole = over(f"w^({exponent})", "-1/2", "-1/2", "restricted")
    assert whole.is_nan() or whole.overlaps(half)


@pytest.mark.parametrize(
    ("exponent", "value"), [("101", -1), ("1001", -1), ("2^20", 1), ("2^52 + 1", -1), ("2^61", 1)]
)
def test_a_whole_exponent_keeps_negative_bases_however_large_a_computer_can_count(
    exponent: str, value: int
) -> None:
    assert over(f"w^({exponent})", "-1", "-1") == value


def test_a_constant_exponent_that_may_be_whole_keeps_negative_bases() -> None:
    with ctx.workprec(30):  # 1 + 10¹² has 40 bits
        assert over("w^(1 + 1e12)", "-1", "0", "restricted").overlaps(arb(-1))
