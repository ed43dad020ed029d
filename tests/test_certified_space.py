"""Certified critical points of several weights: all of them, each once, each of the right kind."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product

import mpmath as mp
import numpy as np
import pytest
from flint import arb, arb_mat, ctx
from tiers import later, some

from gdsim.critical.budget import Budget
from gdsim.critical.space.audit import audit, winding_number
from gdsim.critical.space.points import morse_index
from gdsim.critical.space.scaling import is_scaled
from gdsim.critical.space.search import Leaf, certify, certify_with_leaves
from gdsim.critical.written import WrittenLoss
from gdsim.expr.emit_ball import Ball, BallFunction, ball
from gdsim.expr.parse import parse
from gdsim.losses import Loss
from gdsim.outcomes import CriticalPoint, Search

HIMMELBLAU = "(x^2 + y - 11)^2 + (x + y^2 - 7)^2"
RASTRIGIN = "20 + x^2 - 10cos(2*pi*x) + y^2 - 10cos(2*pi*y)"
ROSENBROCK = "(1 - x)^2 + 100(y - x^2)^2"
CAMEL = "(4 - 2.1x^2 + x^4/3)x^2 + x*y + (-4 + 4y^2)y^2"
THREE_HUMPS = "2x^2 - 1.05x^4 + x^6/6 + x*y + y^2"
BEALE = "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2"


def search(text: str, low: float, high: float, budget: Budget | None = None) -> Search:
    loss = Loss.from_text(text)
    domain = dict.fromkeys(loss.weights, (low, high))
    return certify(loss, domain) if budget is None else certify(loss, domain, budget)


def kinds(found: Search) -> Mapping[str, int]:
    return Counter(point.kind for point in found.critical_points)


def places(found: Search, kind: str) -> list[tuple[float, ...]]:
    return [tuple(point.weight.values()) for point in found.critical_points if point.kind == kind]


def holds(point: CriticalPoint, place: Sequence[object]) -> bool:
    """Whether the interval holds a place given to 60 digits."""
    with mp.workdps(60):
        ends = point.interval.values()
        return all(mp.mpf(a) <= c <= mp.mpf(b) for (a, b), c in zip(ends, place, strict=True))


def reasons(found: Search) -> str:
    return " | ".join(str(item["reason"]) for item in found.unresolved)


@pytest.mark.parametrize(
    ("text", "low", "high", "counts"),
    [
        (HIMMELBLAU, -5, 5, (4, 1, 4)),
        (HIMMELBLAU, -6, 6, (4, 1, 4)),
        later(RASTRIGIN, -5.12, 5.12, (121, 100, 220)),
        (ROSENBROCK, -2.048, 2.048, (1, 0, 0)),
        later("(1 - x)^2 + 1e4*(y - x^2)^2", -2, 2, (1, 0, 0)),
        (CAMEL, -3, 3, (6, 2, 7)),
        (BEALE, -4.5, 4.5, (1, 0, 2)),
        (THREE_HUMPS, -3, 3, (3, 0, 2)),
        ("x^2 - y^2", -2, 2, (0, 0, 1)),
        ("x^2 + (y^2 - 1)^2", -2, 2, (2, 0, 1)),
        ("0.1x^2 + 2y^2", -6, 6, (1, 0, 0)),
        ("1.05x^2 - 1.9x*y + 1.05y^2", -6, 6, (1, 0, 0)),
        ("sin(x)*cos(y)", -3, 3, (1, 1, 2)),
        ("x + y", -3, 3, (0, 0, 0)),
    ],
)
def test_every_critical_point_of_a_known_function_is_proved(
    text: str, low: float, high: float, counts: tuple[int, int, int]
) -> None:
    found = search(text, low, high)
    expected = dict(zip(("minimum", "maximum", "saddle"), counts, strict=True))
    assert found.complete
    assert not found.unresolved
    assert kinds(found) == {kind: count for kind, count in expected.items() if count}
    assert all(point.proof == "certified" and point.multiplicity == 1 for point in found.critical_points)


@pytest.mark.parametrize("size", [3, later(4)])
def test_styblinski_and_tangs_function_has_three_to_the_n_points_with_binomial_morse_indices(
    size: int,
) -> None:
    found = search(" + ".join(f"({w}^4 - 16{w}^2 + 5{w})/2" for w in "abcd"[:size]), -5, 5)
    negative = Counter(sum(value < 0 for value in point.curvature) for point in found.critical_points)
    assert found.complete
    assert negative == {k: math.comb(size, k) * 2 ** (size - k) for k in range(size + 1)}


@pytest.mark.integration
def test_rosenbrocks_function_of_three_weights_has_one_point() -> None:
    text = "100(b - a^2)^2 + (1 - a)^2 + 100(c - b^2)^2 + (1 - b)^2"
    found = search(text, -2.048, 2.048)
    assert found.complete
    assert places(found, "minimum") == [(1.0, 1.0, 1.0)]


def test_himmelblaus_points_are_the_six_decimals_of_the_literature() -> None:
    found = search(HIMMELBLAU, -5, 5)
    rounded = {tuple(round(c, 6) for c in place) for place in places(found, "minimum")}
    assert rounded == {(3.0, 2.0), (-2.805118, 3.131313), (-3.77931, -3.283186), (3.584428, -1.848127)}
    (top,) = (point for point in found.critical_points if point.kind == "maximum")
    assert tuple(round(c, 6) for c in top.weight.values()) == (-0.270845, -0.923039)
    assert round(top.loss, 4) == 181.6165
    assert {tuple(round(c, 6) for c in place) for place in places(found, "saddle")} == {
        (3.385154, 0.073852), (0.086678, 2.884255), (-3.073026, -0.081353), (-0.127961, -1.953715),
    }  # fmt: skip


def test_curvatures_are_the_eigenvalues() -> None:
    (at_three,) = (p for p in search(HIMMELBLAU, -5, 5).critical_points if p.weight["x"] == 3.0)
    assert at_three.curvature == pytest.approx((54 - 20 * math.sqrt(2), 54 + 20 * math.sqrt(2)), rel=1e-14)
    (lowest,) = search(ROSENBROCK, -2, 2).critical_points
    assert lowest.curvature == pytest.approx((501 - math.sqrt(250601), 501 + math.sqrt(250601)), rel=1e-12)


def test_intervals_hold_the_closed_form_of_three_humped_camels_and_are_as_narrow_as_doubles() -> None:
    found = search(THREE_HUMPS, -3, 3)
    with mp.workdps(60):
        roots = [mp.sqrt(mp.mpf("2.1") + sign * mp.sqrt(mp.mpf("0.91"))) for sign in (-1, 1)]
        expected = sorted([mp.mpf(0), *roots, *(-root for root in roots)])
        for point, x in zip(found.critical_points, expected, strict=True):
            assert holds(point, (x, -x / 2))
    for point in found.critical_points:
        for low, high in point.interval.values():
            assert high - low <= 2 * math.ulp(max(abs(low), abs(high)))


def test_a_short_decimal_inside_an_interval_is_the_weight() -> None:
    (point,) = search("(x - 0.1)^2 + (y - 3)^2", -5, 5).critical_points
    assert point.weight == {"x": 0.1, "y": 3.0}
    assert point.loss == 0.0
    assert point.interval["x"][0] <= Fraction(1, 10) <= point.interval["x"][1]


@pytest.mark.parametrize("gap", ["1e-4", "1e-6", "1e-9"])
def test_two_minima_and_a_saddle_close_together_are_told_apart(gap: str) -> None:
    found = search(f"((x - 0.3)^2 - {gap}^2)^2 + (y - x/3)^2", -2, 2)
    assert found.complete
    assert kinds(found) == {"minimum": 2, "saddle": 1}
    first, _, last = found.critical_points
    distance = mp.mpf(last.weight["x"]) - mp.mpf(first.weight["x"])
    assert distance == pytest.approx(2 * float(gap), rel=1e-6)


def test_a_near_miss_of_two_more_points_is_no_point() -> None:
    found = search("(x^2 + 1e-8)^2 + (y - x/3)^2", -2, 2)
    assert found.complete
    assert kinds(found) == {"minimum": 1}


def test_a_gradient_that_sums_to_zero_over_the_data_is_found() -> None:
    data = {"x": [1.0, 2.0, 3.0, 4.0, 5.0], "y": [3.0, 5.0, 7.0, 9.0, 11.0]}
    loss = Loss.from_text("mean((a*x + b - y)^2)", data=data)
    found = certify(loss, {"a": (-5, 5), "b": (-5, 5)})
    assert found.complete
    (point,) = found.critical_points
    assert point.weight == {"a": 2.0, "b": 1.0}
    assert point.curvature == pytest.approx((12 - math.sqrt(136), 12 + math.sqrt(136)), rel=1e-13)


def test_parameters_are_the_decimals_that_were_written() -> None:
    loss = Loss.from_text("(x - c)^2 + y^2", parameters={"c": 0.1})
    (point,) = certify(loss, {"x": (-1, 1), "y": (-1, 1)}).critical_points
    assert point.weight == {"x": 0.1, "y": 0.0}


def test_a_point_on_the_boundary_is_found_and_marked() -> None:
    loss = Loss.from_text("x^2 + y^2")
    for domain in ({"x": (0, 1), "y": (-1, 1)}, {"x": (-1, 0), "y": (-1, 1)}, {"x": (0, 2), "y": (0, 3)}):
        found = certify(loss, domain)
        assert found.complete
        assert [(point.weight, point.boundary) for point in found.critical_points] == [
            ({"x": 0.0, "y": 0.0}, True)
        ]


def test_a_point_just_outside_is_not_listed() -> None:
    loss = Loss.from_text("x^2 + y^2")
    assert certify(loss, {"x": (1e-12, 1), "y": (-1, 1)}).critical_points == ()
    (inside,) = certify(loss, {"x": (-1e-12, 1), "y": (-1, 1)}).critical_points
    assert not inside.boundary


def test_each_end_is_widened_by_its_own_last_places() -> None:
    loss = Loss.from_text("(x + 1e-9)^2 + (y - 0.5)^2")
    assert certify(loss, {"x": (0, 1e9), "y": (0, 1)}).critical_points == ()
    assert certify(loss, {"x": (-1, 1), "y": (1, 1e18)}).critical_points == ()
    (point,) = certify(loss, {"x": (-1e-9, 1), "y": (0, 1)}).critical_points
    assert point.boundary


def test_scales_of_the_weights_may_differ_by_twelve_orders() -> None:
    loss = Loss.from_text("(x*1e-6 - 1)^2 + (y*1e6 + 2)^2 + x*y/3")
    (point,) = certify(loss, {"x": (-5e6, 5e6), "y": (-5e-6, 5e-6)}).critical_points
    exact = np.linalg.solve([[2, 1 / 3], [1 / 3, 2]], [2, -4])
    assert point.weight["x"] == pytest.approx(1e6 * exact[0], rel=1e-12)
    assert point.weight["y"] == pytest.approx(1e-6 * exact[1], rel=1e-12)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x^3 - 3x*y^2", "saddle"),
        ("x^4 + y^4", "minimum"),
        ("-x^4 - y^4", "maximum"),
        ("x^4 - y^4", "saddle"),
        ("x^2 + y^4", "minimum"),
        ("x^3 + y^2", "saddle"),
        ("(x - 0.1)^4 + (y - 1/3)^6", "minimum"),
        ("x^4 + y^4 + z^4", "minimum"),
        ("x^2 + y^2 - z^4", "saddle"),
    ],
)
def test_a_degenerate_point_of_a_polynomial_alike_at_all_scales_is_proved(text: str, kind: str) -> None:
    found = search(text, -2, 2.5)
    (point,) = found.critical_points
    assert (point.kind, point.proof, point.multiplicity) == (kind, "certified", None)
    assert max(high - low for low, high in point.interval.values()) <= 1e-16
    assert found.complete


def test_a_degenerate_point_which_nothing_proves_to_be_the_only_one_is_numerical_and_unresolved() -> None:
    found = search("x^2 + y^4 + y^5", -0.5, 0.7)
    (point,) = found.critical_points
    assert (point.kind, point.proof, point.weight) == ("minimum", "numerical", {"x": 0.0, "y": 0.0})
    assert not found.complete
    assert "the gradient is exactly zero at (0, 0)" in reasons(found)
    assert "it has a minimum" in reasons(found)
    assert "not proved: that it is the only one" in reasons(found)


def test_a_degenerate_point_at_no_rational_place_exists_by_its_index() -> None:
    found = certify(Loss.from_text("cos(x)^4 + y^2"), {"x": (1, 2), "y": (-1, 1)})
    (point,) = found.critical_points
    assert (point.kind, point.proof) == ("minimum", "numerical")
    with mp.workdps(60):
        assert holds(point, (mp.pi / 2, mp.mpf(0)))
    assert "is 1; so that a critical point lies inside" in reasons(found)


def test_a_degenerate_saddle_has_an_index_off_one() -> None:
    found = search("x^3 - 3x*y^2 + x^4*y^2 + y^6", -0.4, 0.5)
    (point,) = found.critical_points
    assert (point.kind, point.proof) == ("saddle", "numerical")
    assert "is -2" in reasons(found)


def test_a_minimum_with_nearby_valley_floor_is_settled_in_bounded_time() -> None:
    found = search("(x - y)^2 + y^4", -2, 2.5)
    (point,) = found.critical_points
    assert point.kind == "minimum"
    assert len(found.unresolved) <= 1


@pytest.mark.parametrize("text", ["(x + y)^2", later("x^2*y^2"), "(x^2 + y^2 - 1)^2", later("(x*y - 1)^2")])
def test_a_valley_is_flat_and_unresolved(text: str) -> None:
    found = search(text, -2, 2.5)
    flats = [point for point in found.critical_points if point.kind == "flat"]
    assert 1 <= len(flats) <= 2
    assert all(point.proof == "numerical" for point in flats)
    assert 1 <= len(found.unresolved) <= 2
    assert not found.complete
    others = [point for point in found.critical_points if point.kind != "flat"]
    assert all(point.proof == "certified" for point in others)


@pytest.mark.integration
def test_a_narrow_valley_with_a_falling_floor_is_not_called_flat() -> None:
    found = search("(1 - x)^2 + 1e8*(y - x^2)^2", -2, 2)
    assert found.critical_points == ()
    assert not found.complete


def test_a_flat_piece_is_listed_with_a_place_on_it() -> None:
    (flat,) = (p for p in search("(x^2 + y^2 - 2)^2", -2, 2.5).critical_points if p.kind == "flat")
    assert math.hypot(*flat.weight.values()) == pytest.approx(math.sqrt(2), rel=1e-9)


def test_a_constant_is_flat_everywhere() -> None:
    found = search("3 + 0x*y", -1, 1)
    assert kinds(found) == {"flat": 1}
    assert "zero on a whole region" in reasons(found)
    assert not found.complete


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("abs(x) + abs(y)", "kink"),
        ("max(x, y)^2 + x^2", "kink"),
        ("where(x < 0, x^2, 2x^2) + y^2", "kink"),
        ("where(x < 0, x^2 + 1, x^2) + y^2", "jump"),
        ("where(x < 0, x + 1, x) + y^2", "jump"),
        ("1/x + x + y^2", "pole"),
        ("x^1.5 + y^2", "edge of where it is defined"),
        ("sqrt(x^2 + y^2)", "edge of where it is defined"),
    ],
)
def test_no_proof_for_smooth_losses_is_used_at_a_kink_jump_or_pole(text: str, reason: str) -> None:
    found = search(text, -2, 2.5)
    assert not found.complete
    assert reason in reasons(found)
    assert all(abs(point.weight["x"]) > 1e-6 for point in found.critical_points if point.kind != "flat")


def test_no_point_is_concluded_from_the_degree_round_a_kink() -> None:
    assert search("abs(x)^3 + y^2", -2, 2.5).critical_points == ()
    assert search("abs(x) + y^2 + x^2*y^2", -2, 2.5).critical_points == ()


def test_smooth_points_beside_a_kink_are_proved() -> None:
    found = search("abs(x - 1) + (x + 1)^2 + (y^2 - 1)^2", -2, 2.5)
    assert found.complete  # |∂L/∂x| ≥ 3 on both sides of the kink
    assert kinds(found) == {"minimum": 2, "saddle": 1}
    assert {place[0] for place in places(found, "minimum")} == {-0.5}


@pytest.mark.integration
def test_kinks_in_the_data_are_seen_row_by_row() -> None:
    loss = Loss.from_text("mean(abs(a*x + b - y))", data={"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 5.0]})
    found = certify(loss, {"a": (-1, 4), "b": (-1, 1)})
    assert not found.complete
    assert "kink" in reasons(found)


def test_a_region_without_a_loss_is_closed() -> None:
    loss = Loss.from_text("sqrt(x - 1) + x^2 - 4x + y^2")
    found, leaves = certify_with_leaves(loss, {"x": (-1, 3), "y": (-1, 1.5)})
    assert "nowhere" in {leaf.test for leaf in leaves}
    assert {point.kind for point in found.critical_points} == {"minimum", "saddle"}


def test_poles_off_the_critical_points_are_listed_as_singular() -> None:
    found = search("log(x) + x + y", -1, 2)
    assert found.complete
    assert found.critical_points == ()
    assert found.singular


def test_what_a_budget_leaves_is_unresolved() -> None:
    told: list[tuple[int, int]] = []
    found = search(RASTRIGIN, -5.12, 5.12, Budget(boxes=500, progress=lambda *x: told.append(x)))
    assert not found.complete
    assert "the budget of 500 boxes ended" in reasons(found)
    assert len(found.unresolved) <= 16
    assert told[-1][0] == 500
    assert told[-1][1] > 0


def test_what_the_time_leaves_is_unresolved() -> None:
    found = search(RASTRIGIN, -5.12, 5.12, Budget(expired=lambda: True))
    assert "the time allowed ended" in reasons(found)
    assert found.critical_points == ()


def test_minima_plus_maxima_less_saddles_is_the_winding_number_of_the_gradient() -> None:
    for text, domain in ((HIMMELBLAU, (-5, 5)), (CAMEL, (-3, 3)), (RASTRIGIN, (-5, 5.12))):
        found = search(text, *domain)
        low, high = (Fraction(domain[0]),) * 2, (Fraction(domain[1]),) * 2
        count = audit(WrittenLoss.of(Loss.from_text(text)), low, high, found)
        if any(point.boundary for point in found.critical_points):
            assert count is None
        else:
            assert count is not None
            assert count.contradiction == ""


def test_a_missing_point_is_noticed_by_the_audit() -> None:
    found = search(HIMMELBLAU, -5, 5)
    fewer = Search(found.domain, found.critical_points[1:], complete=True)
    count = audit(WrittenLoss.of(Loss.from_text(HIMMELBLAU)), (Fraction(-5),) * 2, (Fraction(5),) * 2, fewer)
    assert count is not None
    assert "the search is in error" in count.contradiction


@pytest.mark.parametrize(
    ("gradient", "winding"),
    [
        (("2x", "2y"), 1), (("-2x", "-2y"), 1), (("2x", "-2y"), -1), (("3x^2 - 3y^2", "-6x*y"), -2),
        (("4x^3", "-4y^3"), -1), (("3x^2", "2y"), 0), (("x^2 - y^2", "2x*y"), 2), (("x - 3", "y"), 0),
    ],
)  # fmt: skip
def test_the_winding_number_is_the_degree(gradient: tuple[str, str], winding: int) -> None:
    turned = BallFunction([parse(component) for component in gradient], ["x", "y"])
    assert winding_number(turned, (Fraction(-1), Fraction(-1)), (Fraction(1), Fraction(3, 2))) == winding


def test_no_winding_number_is_claimed_with_a_zero_on_the_boundary() -> None:
    gradient = BallFunction([parse("2x"), parse("2y")], ["x", "y"])
    assert winding_number(gradient, (Fraction(0), Fraction(-1)), (Fraction(1), Fraction(1))) is None


def test_the_morse_index_is_not_claimed_for_an_enclosure_of_a_singular_matrix() -> None:
    assert morse_index([[arb(1), arb(0)], [arb(0), arb(0, 1e-9)]]) is None
    assert morse_index([[arb(1), arb(0)], [arb(0), arb(-1e-9, 1e-10)]]) == 1
    assert morse_index([[arb(1e9), arb(1)], [arb(1), arb(1e-8)]]) == 0


def test_only_polynomials_alike_at_all_scales_are_said_to_be() -> None:
    origin = (Fraction(0), Fraction(0))
    for text, alike in (("x^2 + x*y^2 + y^4", True), ("x^2 + y^3 + y^4", False), ("cos(x) + y^2", False)):
        assert is_scaled(WrittenLoss.of(Loss.from_text(text)), origin) == alike


def volume(leaf: Leaf) -> Fraction:
    return math.prod((b - a for a, b in zip(leaf.low, leaf.high, strict=True)), start=Fraction(1))


def test_the_leaves_fill_the_domain_without_a_gap() -> None:
    for text in (HIMMELBLAU, BEALE, "x^3 - 3x*y^2"):
        loss = Loss.from_text(text)
        _, leaves = certify_with_leaves(loss, {"x": (-3, 4), "y": (-2, 3)})
        sides = [max(leaf.high[j] for leaf in leaves) - min(leaf.low[j] for leaf in leaves) for j in (0, 1)]
        assert sum(map(volume, leaves)) == sides[0] * sides[1]
        assert sides[0] > 7
        assert {leaf.test for leaf in leaves} <= {
            "gradient", "mean value", "no zero", "krawczyk", "degenerate",
        }  # fmt: skip


def test_no_leaf_closed_as_empty_holds_a_point() -> None:
    found, leaves = certify_with_leaves(Loss.from_text(HIMMELBLAU), {"x": (-5, 5), "y": (-5, 5)})
    for leaf, point in product(leaves, found.critical_points):
        inside = all(
            a < Fraction(low) and Fraction(high) < b
            for a, b, (low, high) in zip(leaf.low, leaf.high, point.interval.values(), strict=True)
        )
        assert not inside or leaf.test == "krawczyk"


@pytest.mark.parametrize("text", [HIMMELBLAU, later("((x - 0.3)^2 - 1e-8^2)^2 + (y - x/3)^2")])
def test_every_closed_leaf_is_closed_when_looked_at_again(text: str) -> None:
    loss = Loss.from_text(text)
    written = WrittenLoss.of(loss)
    _, leaves = certify_with_leaves(loss, {"x": (-2, 3), "y": (-2, 2)})
    assert all(is_closed(written, leaf) for leaf in leaves)


def is_closed(written: WrittenLoss, leaf: Leaf) -> bool:
    """Repeat a leaf's test with matrices of balls and twenty more bits."""
    gradient = BallFunction(written.gradient, written.weights)
    (xx, xy), (_, yy) = written.hessian
    hessian = BallFunction([xx, xy, xy, yy], written.weights)
    with ctx.workprec(leaf.precision + 20):
        box = over(leaf.low, leaf.high)
        if leaf.test == "gradient":
            return any(value > 0 or value < 0 for value in gradient(*box))
        assert leaf.inflated is not None
        outer = over(*leaf.inflated)
        m = [ball((a + b) / 2) for a, b in zip(*leaf.inflated, strict=True)]
        h = arb_mat(2, 2, hessian(*outer))
        g = arb_mat(2, 1, gradient(*m))
        if leaf.test == "mean value":
            spread = g + h * arb_mat(2, 1, [x - c for x, c in zip(box, m, strict=True)])
            return any(value > 0 or value < 0 for value in spread.entries())
        y = h.mid().inv().mid()
        rest = arb_mat(2, 2, [1, 0, 0, 1]) - y * h
        k = arb_mat(2, 1, m) - y * g + rest * arb_mat(2, 1, [x - c for x, c in zip(outer, m, strict=True)])
        if leaf.test == "no zero":
            return any(not x.overlaps(image) for x, image in zip(box, k.entries(), strict=True))
        assert leaf.test == "krawczyk"
        return all(x.contains_interior(image) for x, image in zip(outer, k.entries(), strict=True))


def over(low: Sequence[Fraction], high: Sequence[Fraction]) -> list[Ball]:
    return [ball(a).union(ball(b)) for a, b in zip(low, high, strict=True)]


@pytest.mark.parametrize("seed", some(range(12), 0, 1, 2))
def test_no_point_of_a_random_polynomial_is_missed_or_invented(seed: int) -> None:
    """Against all real zeros of ∇f that Newton's method finds from 400 starts."""
    rng = np.random.default_rng(seed)
    powers = [(i, j) for i in range(5) for j in range(5 - i) if i + j > 0]
    coefficients = rng.integers(-9, 10, len(powers))
    text = " + ".join(f"({c}/4)*x^{i}*y^{j}" for c, (i, j) in zip(coefficients, powers, strict=True))
    found = search(text, -2, 2)
    assert found.complete
    gradient, hessian = polynomial_derivatives(coefficients / 4, powers)
    at = rng.uniform(-2, 2, (2, 400))
    for _ in range(60):
        (a, b), (p, q, r) = gradient(at), hessian(at)
        determinant = p * r - q * q + 1e-30
        at = np.clip(at - np.stack([r * a - q * b, p * b - q * a]) / determinant, -3, 3)
    good = (np.abs(gradient(at)).max(axis=0) < 1e-10) & (np.abs(at) < 2).all(axis=0)
    newton = {tuple(np.round(place, 6) + 0.0) for place in at[:, good].T}
    certified = {tuple(np.round(list(p.weight.values()), 6) + 0.0) for p in found.critical_points}
    assert newton <= certified
    for point in found.critical_points:
        assert np.abs(gradient(np.array(list(point.weight.values())))).max() < 1e-11


def polynomial_derivatives(coefficients, powers):
    """The gradient and the Hessian's upper triangle of Σ c·xⁱ·yʲ."""

    def derivative(k: int, m: int):
        terms = [
            (c * math.perm(i, k) * math.perm(j, m), i - k, j - m)
            for c, (i, j) in zip(coefficients, powers, strict=True)
            if i >= k and j >= m
        ]
        return lambda at: sum(c * at[0] ** i * at[1] ** j for c, i, j in terms) + 0 * at[0]

    first, second = (
        [derivative(1, 0), derivative(0, 1)],
        [derivative(2, 0), derivative(1, 1), derivative(0, 2)],
    )
    return (lambda at: np.stack([f(at) for f in first])), (lambda at: [f(at) for f in second])
