"""Certified critical points of one weight: all of them, none invented, and plain words where proof ends."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from tiers import examples

from gdsim.critical import Budget
from gdsim.critical.line.audit import audit
from gdsim.critical.line.search import certify
from gdsim.critical.written import WrittenLoss
from gdsim.losses import Loss
from gdsim.outcomes import CriticalKind, Search

PI = math.pi


def prove(formula: str, low: float, high: float, **data: list[float]) -> Search:
    loss = Loss.from_text(formula, data=data)
    return certify(loss, {loss.weights[0]: (low, high)})


def points(found: Search) -> list[tuple[str, float]]:
    return [(point.kind, *point.weight.values()) for point in found.critical_points]


def kinds(found: Search) -> dict[str, int]:
    return dict(Counter(point.kind for point in found.critical_points))


# formula, domain, kinds with exact places, orders of the zeros of f′
EXACT = [
    ("w^2", (-12, 12), [("minimum", 0, 1)]),
    ("w^3", (-1.5, 1.5), [("inflection", 0, 2)]),
    ("w^5", (-1.5, 1.5), [("inflection", 0, 4)]),
    ("w^20", (-1.5, 1.5), [("minimum", 0, 19)]),
    ("(w - 1)^6", (-1, 3), [("minimum", 1, 5)]),
    ("w^4/4 - w^2*3/2 + 2w", (-3, 3), [("minimum", -2, 1), ("inflection", 1, 2)]),  # f′ = (w − 1)²(w + 2)
    ("w^6/6 - w^5/5 - w^4 + w^3*4/3 + 2w^2 - 4w", (-3, 3),
     [("inflection", -math.sqrt(2), 2), ("minimum", 1, 1), ("inflection", math.sqrt(2), 2)]),
    ("w + sin(w)", (-10, 10), [("inflection", k * PI, 2) for k in (-3, -1, 1, 3)]),
    ("exp(w) - e*w^2/2", (-1, 3), [("inflection", 1, 2)]),
    ("cos(w)^4", (-4, 4),
     [("maximum", -PI, 1), ("minimum", -PI / 2, 3), ("maximum", 0, 1), ("minimum", PI / 2, 3),
      ("maximum", PI, 1)]),
    ("tan(w) - w", (-4, 4), [("inflection", -PI, 2), ("inflection", 0, 2), ("inflection", PI, 2)]),
    ("tanh(1000w)^2", (-1, 1), [("minimum", 0, 1)]),
    ("abs(w)^3", (-1, 1), [("minimum", 0, 2)]),
    ("w*abs(w)", (-1, 1), [("inflection", 0, 1)]),
    ("w*log(w)", (0, 3), [("minimum", 1 / math.e, 1)]),
    ("log(w)^2", (-1, 4), [("minimum", 1, 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "domain", "expected"), EXACT, ids=[row[0] for row in EXACT])
def test_kind_place_and_order_of_every_point(
    formula: str, domain: tuple[float, float], expected: list[tuple[str, float, int]]
) -> None:
    found = prove(formula, *domain)
    assert found.complete
    assert [(p.kind, p.multiplicity) for p in found.critical_points] == [(k, m) for k, _, m in expected]
    for point, (_, place, _) in zip(found.critical_points, expected, strict=True):
        assert point.weight["w"] == pytest.approx(place, rel=3e-16, abs=1e-300)
        assert point.proof == "certified"


@pytest.mark.parametrize(
    ("formula", "domain", "count"),
    [
        ("sin(50w)", (-10, 10), {"minimum": 159, "maximum": 159}),
        ("sin(w^2)", (0.1, 30), {"minimum": 143, "maximum": 143}),
        ("w^2 + 0.1*sin(50w)", (-3, 3), {"minimum": 40, "maximum": 39}),
        ("w^2 - 10*cos(2*pi*w)", (-5.12, 5.12), {"minimum": 11, "maximum": 10}),
        ("sin(10*pi*w)/(2w) + (w - 1)^4", (0.5, 2.5), {"minimum": 9, "maximum": 8}),
        ("sin(10w)*exp(-w^2/10)", (-10, 10), {"minimum": 32, "maximum": 32}),
        ("(w^2 - 1)^2 + 0.001sin(200w)", (-2, 2), {"minimum": 8, "maximum": 7}),
    ],
)
def test_many_ripples_are_proved_to_be_all(
    formula: str, domain: tuple[float, float], count: dict[str, int]
) -> None:
    found = prove(formula, *domain)
    assert (kinds(found), found.complete) == (count, True)


@pytest.mark.parametrize(
    ("formula", "domain", "expected"),
    [
        ("abs(w)", (-1.5, 1.5), [("kink", 0)]),
        ("abs(w^2 - 1)", (-2, 2), [("kink", -1), ("maximum", 0), ("kink", 1)]),
        ("abs(sin(w))", (-4, 4),
         [("kink", -PI), ("maximum", -PI / 2), ("kink", 0), ("maximum", PI / 2), ("kink", PI)]),
        ("abs(abs(w) - 1)", (-3, 3), [("kink", -1), ("kink", 0), ("kink", 1)]),
        ("max(w^2, 1 - w)", (-3, 3), [("kink", (math.sqrt(5) - 1) / 2)]),
        ("min(w^2, (w - 2)^2)", (-1, 3), [("minimum", 0), ("kink", 1), ("minimum", 2)]),
        ("abs(w)^0.5", (-1, 1), [("kink", 0)]),
        ("abs(w)^1.5", (-1, 1), [("minimum", 0)]),
        ("huber(w)", (-11, 11), [("minimum", 0)]),
        ("(max(0, w) - 1)^2", (-1, 3), [("flat", -0.5), ("minimum", 1)]),
        ("max(0, abs(w) - 1)^2", (-3, 3), [("flat", 0)]),
        ("relu(w)^3", (-2, 2), [("flat", -1)]),
        ("abs(w - 1/3) + abs(w + 1/3)", (-1, 1), [("flat", 0)]),
        ("0*w + 3", (-1, 1), [("flat", 0)]),
    ],
)  # fmt: skip
def test_kinks_and_flat_pieces(
    formula: str, domain: tuple[float, float], expected: list[tuple[str, float]]
) -> None:
    found = prove(formula, *domain)
    assert found.complete
    assert [kind for kind, _ in points(found)] == [kind for kind, _ in expected]
    for (_, place), (_, true) in zip(points(found), expected, strict=True):
        assert place == pytest.approx(true, rel=3e-16, abs=1e-16)


@pytest.mark.parametrize(
    ("formula", "domain", "reason"),
    [
        ("1/w + w", (-3, 3), "the loss has a pole"),
        ("1/(w - 1/3)^2 + w^2", (-3, 3), "the loss has a pole"),
        ("where(w < 0, -1, 1) + w^2", (-1, 1), "the loss jumps"),
        ("exp(-1/w^2)", (-2, 2), "so continued it has a minimum"),
        ("sin(w)/w", (-10, 10), "so continued it has a maximum"),
    ],
)
def test_a_singular_place_is_named_and_no_critical_point(
    formula: str, domain: tuple[float, float], reason: str
) -> None:
    found = prove(formula, *domain)
    assert found.complete
    assert reason in str(found.singular[0]["reason"])
    assert all(point.weight["w"] not in (0, 1 / 3) for point in found.critical_points)


@pytest.mark.parametrize("gap", ["1e-6", "1e-9", "1e-12"])
def test_a_nearly_double_root_is_three_points(gap: str) -> None:
    (first, middle, last) = prove(f"(w - 1)^2*(w - 1 - {gap})^2", 0, 2).critical_points
    assert [first.kind, middle.kind, last.kind] == ["minimum", "maximum", "minimum"]
    assert first.weight["w"] < middle.weight["w"] < last.weight["w"]


def test_a_pair_that_doubles_cannot_tell_apart_is_two_points() -> None:
    found = prove("exp(w) - 1.00000000000000000001*e*w^2/2", -1, 3)  # 2·√(2·10⁻²⁰) apart
    assert kinds(found) == {"maximum": 1, "minimum": 1}
    left, right = (point.weight["w"] for point in found.critical_points)
    assert right - left == pytest.approx(2 * math.sqrt(2e-20), rel=1e-5)


def test_a_near_miss_is_no_critical_point() -> None:
    found = prove("exp(w) - 2.718281828459045*w^2/2", -1, 3)
    assert (found.critical_points, found.complete) == ((), True)


def test_a_tangency_hidden_behind_a_double_angle_is_proved() -> None:
    # f′ = (sin w − w/2)², written with sin 2w
    found = prove("w^3/12 - sin(w) + w*cos(w) + w/2 - sin(2w)/4", -3, 3)
    mpmath.mp.dps = 30
    true = float(mpmath.findroot(lambda w: mpmath.sin(w) - w / 2, 1.9))
    assert found.complete
    assert [(kind, place) for kind, place in points(found)] == [
        ("inflection", pytest.approx(-true, rel=1e-15)), ("inflection", 0.0),
        ("inflection", pytest.approx(true, rel=1e-15)),
    ]  # fmt: skip


def test_a_well_of_width_a_millionth_is_found() -> None:
    found = prove("w^2/100 - exp(-(1e6*(w - 3.1))^2)", -5, 5)
    assert kinds(found) == {"minimum": 2, "maximum": 1}


@pytest.mark.parametrize("scale", ["1e200", "1e-200", "-1e-200"])
def test_the_size_of_the_coefficients_does_not_matter(scale: str) -> None:
    assert len(prove(f"{scale}*(w^2 - 1)^2", -2, 2).critical_points) == 3


@pytest.mark.parametrize(
    ("formula", "domain", "place"),
    [
        ("sin(w)", (0, PI / 2), PI / 2),
        ("w^3/3 - w^2/2", (0, 4 / 3), 0),
        ("w^1.5", (0, 4), 0),
        ("cos(w)", (0, 1), 0),
    ],
)
def test_a_point_at_an_end_of_the_domain_is_said_to_be_there(
    formula: str, domain: tuple[float, float], place: float
) -> None:
    found = prove(formula, *domain)
    (point,) = [point for point in found.critical_points if point.boundary]
    assert point.weight["w"] == place
    assert found.complete


@pytest.mark.parametrize(("scale", "low", "high"), [("1", 1e-200, 1), ("-1", -1, -1e-200)])
def test_an_end_is_widened_by_its_own_last_places_not_by_those_of_the_larger_end(
    scale: str, low: float, high: float
) -> None:
    found = prove(f"sin(log({scale}*w))", low, high)
    halves = [math.exp(-math.pi * (k + 0.5)) for k in range(147)]  # those above 1e-200
    places = sorted(abs(point.weight["w"]) for point in found.critical_points)
    assert places == pytest.approx(sorted(halves), rel=1e-9, abs=0)
    assert not any(point.boundary for point in found.critical_points)


def test_a_point_outside_is_not_listed_though_the_other_end_is_huge() -> None:
    assert points(prove("(w - 1e-9)^2", 0, 1e9)) == [("minimum", 1e-9)]
    assert points(prove("(w + 1e-9)^2", 0, 1e9)) == []
    assert points(prove("(w - 0.5)^2", 1, 1e18)) == []


def test_a_point_that_rounds_to_an_end_counts_as_on_it() -> None:
    for domain in ((1e-9 / 3, 1), (-1, 1e-9 / 3)):
        (point,) = prove("(w - 1e-9/3)^2", *domain).critical_points
        assert point.boundary


@pytest.mark.parametrize(
    ("formula", "low", "high", "places"),
    [
        ("relu(w)^2", 0, 2, [0]),
        ("relu(1/3 - w)^2", 0, 1 / 3, [1 / 3]),
        ("relu(w - 1)", 1, 2, [1]),
        ("relu(w + 1e-17)^2", 0, 1, []),
        ("where(w < 0, 1, w^2 + 2)", 0, 1, []),
        ("where(w < 0, 2, w^2 + 2)", 0, 1, [0]),
    ],
)
def test_a_flat_piece_that_touches_the_domain_only_at_its_end_is_listed_there(
    formula: str, low: float, high: float, places: list[float]
) -> None:
    found = prove(formula, low, high)
    assert points(found) == [("flat", place) for place in places]
    assert all(point.boundary for point in found.critical_points)
    assert found.complete


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("where(w > 0, max(log(w), -1), (w + 1)^2)", [("minimum", -1.0), ("flat", 0.5 / math.e)]),
        ("where(w > 0, abs(sqrt(w) - 0.5), (w + 1)^2)", [("minimum", -1.0), ("kink", 0.25)]),
        ("where(w > 0, where(log(w) < -1, w^2, w), (w + 1)^2)", [("minimum", -1.0)]),
    ],
)
def test_a_switch_that_is_not_defined_in_a_branch_not_taken_leaves_the_other_as_it_is(
    formula: str, expected: list[tuple[str, float]]
) -> None:
    found = prove(formula, -2, 1)
    assert points(found) == [(kind, pytest.approx(place, rel=1e-14)) for kind, place in expected]
    assert found.complete


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("atan(1/(w - 1/3))", "jumps"),
        ("sigmoid(1/(w - 1/3))", "jumps"),
        ("abs(atan(1/(w - 1/3)))", "not defined"),
        ("tanh(1/(w - 1/3))^2", "not defined"),
    ],
)
def test_a_loss_is_not_defined_at_a_pole_inside_a_bounded_function(formula: str, reason: str) -> None:
    """1/3 is no double, so that the pole is known in a ball only: sin of anything lies in [−1, 1]."""
    found = prove(formula, 0, 1)
    assert found.critical_points == ()
    assert [reason in str(stretch["reason"]) for stretch in found.singular] == [True]


def test_a_slope_may_go_to_zero_though_no_factor_of_it_does() -> None:
    flat = prove("where(w == 0, 0, exp(-1/w^2))", -1, 1)  # all its derivatives are zero at 0
    log = prove("where(w == 0, 0, w/log(abs(w)))", -0.5, 0.5)
    assert flat.critical_points == log.critical_points == ()
    assert not flat.complete
    assert not log.complete
    assert kinds(prove("abs(w)^abs(w)", -1, 1)) == {"minimum": 2, "kink": 1}


def test_a_gap_that_is_filled_takes_its_divisor_from_the_order() -> None:
    (peak,) = prove("where(w == 0, 1, sin(w)/w)", -4, 4).critical_points
    assert (peak.kind, peak.weight["w"], peak.multiplicity) == ("maximum", 0.0, None)


@pytest.mark.parametrize("domain", [(1, 4), (-2, 2)])
def test_an_arc_cosine_has_a_value_at_its_edges(domain: tuple[float, float]) -> None:
    found = prove("acos(cos(w))", *domain)
    (kink,) = found.critical_points
    assert (kink.kind, found.complete) == ("kink", True)
    assert kink.weight["w"] == pytest.approx(PI if domain[0] > 0 else 0)


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("log(1 + cos(w - pi))", "the loss has a pole"),
        ("log(abs(w))", "the loss has a pole"),
        (
            "1/log(abs(w))",
            "the loss ends here, or oscillates without a limit",
        ),  # its limit is too slow to be seen
    ],
)
def test_no_limit_is_named_of_which_the_places_show_none(formula: str, reason: str) -> None:
    found = prove(formula, -0.5, 0.5) if "abs" in formula else prove(formula, -1, 6)
    assert reason in [stretch["reason"] for stretch in found.singular]


def test_a_flat_piece_between_two_doubles_is_listed() -> None:
    (point,) = prove("max(abs(w - 1/3), 1e-20)", -1, 1).critical_points
    assert (point.kind, point.loss, point.boundary) == ("flat", 1e-20, False)


@pytest.mark.parametrize("formula", ["w^2*sin(1/w)", "sin(1/w)"])
def test_accumulating_points_end_in_bounded_work_and_an_open_stretch(formula: str) -> None:
    loss = Loss.from_text(formula)
    found = certify(loss, {"w": (-1, 1)}, Budget(boxes=1000))
    assert not found.complete
    assert len(found.critical_points) > 50
    assert all("budget" in str(stretch["reason"]) for stretch in found.unresolved)
    assert any(low <= 0 <= high for low, high in (s["interval"]["w"] for s in found.unresolved))  # type: ignore[index]


@pytest.mark.parametrize("formula", ["sin(pi)*exp(w)", "(exp(1) - e)*w^2", "cos(pi/2)*sinh(w)"])
def test_a_constant_that_is_zero_in_disguise_makes_a_flat_loss_or_an_open_one(formula: str) -> None:
    found = prove(formula, -1, 1)
    assert kinds(found) == {"flat": 1} if found.complete else not found.critical_points


def test_a_loss_over_data_is_certified() -> None:
    found = prove("mean((w*x - y)^2)", -10, 10, x=[1.0, 2.0, 3.0], y=[2.0, 4.0, 6.0])
    assert points(found) == [("minimum", 2.0)]
    assert found.complete


def test_kinks_of_a_loss_over_data_are_certified() -> None:
    found = prove("sum(abs(w - x))", -10, 10, x=[1.0, 2.0, 7.0])
    assert points(found) == [("kink", 2.0)]  # the median


# -- against independent computations ----------------------------------------------------------------

ROOTS = st.lists(st.fractions(-3, 3, max_denominator=12), min_size=1, max_size=5)
ORDERS = st.lists(st.integers(1, 6), min_size=5, max_size=5)
SMOOTH = st.sampled_from(["", "*exp(w/3)", "*(2 + sin(w))", "*exp(sin(w))"])


@given(roots=ROOTS, orders=ORDERS, rest=SMOOTH)
@examples(40)
def test_planted_zeros_of_any_order_are_found_and_no_others(
    roots: list[Fraction], orders: list[int], rest: str
) -> None:
    """f′ = Π (w − r)ᵐ times something positive; f = ∫ f′ need not be written down to search f′."""
    from flint import arb, ctx

    from gdsim.critical.line.factors import factorise
    from gdsim.critical.line.pieces import locate
    from gdsim.expr.parse import parse

    planted = dict(zip(roots, orders, strict=False))
    slope = "*".join(f"(w - ({root}))^{order}" for root, order in planted.items())
    factors = factorise(parse(slope + rest), "w")
    assert factors is not None
    with ctx.workprec(256):
        found, clusters = locate(factors, "w", {}, arb(-4), arb(4), Budget())
    assert not clusters
    assert {float(zero.root.enclosure.mid()): zero.order for zero in found} == {
        float(root): planted[root] for root in planted
    }


COEFFICIENTS = st.lists(st.integers(-9, 9), min_size=2, max_size=7).filter(lambda c: c[-1] != 0)


@given(coefficients=COEFFICIENTS)
@examples(60)
def test_a_random_polynomial_has_the_points_that_sympy_counts(coefficients: list[int]) -> None:
    w = sympy.Symbol("w")
    slope = sympy.Poly(list(reversed(coefficients)), w)
    loss = sympy.Poly(sympy.integrate(slope.as_expr(), w), w)
    formula = " + ".join(f"({c})*w^{k}" for (k,), c in loss.terms()) or "0*w"
    found = prove(formula if "w^" in formula else f"{formula} + 0*w", -5, 5)
    assert found.complete
    assert len(found.critical_points) == slope.count_roots(-5, 5)
    true = sorted(float(root) for root in set(slope.real_roots()) if -5 <= root <= 5)
    assert [place for _, place in points(found)] == pytest.approx(true, rel=1e-13, abs=1e-13)


@given(
    cosines=st.lists(st.integers(-5, 5), min_size=1, max_size=5),
    sines=st.lists(st.integers(-5, 5), min_size=1, max_size=5),
)
@examples(40)
def test_a_random_trigonometric_polynomial_has_the_points_of_its_companion_matrix(
    cosines: list[int], sines: list[int]
) -> None:
    """z = exp(iw) makes f′ a polynomial, whose zeros on the unit circle NumPy finds by eigenvalues."""
    terms = [f"({a})*cos({k}w)" for k, a in enumerate(cosines, 1)]
    terms += [f"({b})*sin({k}w)" for k, b in enumerate(sines, 1)]
    size = max(len(cosines), len(sines))
    a = np.array([0, *cosines] + [0] * (size - len(cosines)))
    b = np.array([0, *sines] + [0] * (size - len(sines)))
    k = np.arange(size + 1)
    # f = Σ aₖ cos kw + bₖ sin kw, so f′ = Re Σ k(bₖ + i·aₖ)·zᵏ
    half = k * (b + 1j * a) / 2
    polynomial = np.concatenate([half[::-1], np.conj(half[1:])])
    zeros = np.roots(polynomial) if np.abs(half).any() else np.empty(0)
    if not zeros.size:
        return
    off = np.abs(np.abs(zeros) - 1)
    gaps = np.abs(zeros[:, None] - zeros[None, :]) + 9 * np.eye(zeros.size)
    if ((off > 1e-9) & (off < 1e-3)).any() or gaps.min() < 1e-3:
        return  # eigenvalues in doubles do not tell which lie on the circle
    angles = np.angle(zeros[off <= 1e-9])
    found = prove(" + ".join(terms), -3.1, 3.1)
    assert found.complete
    assert [place for _, place in points(found)] == pytest.approx(
        sorted(angle for angle in angles if abs(angle) < 3.1), abs=1e-9
    )


@pytest.mark.parametrize("wrong", ["maximum", "inflection"])
def test_the_audit_contradicts_a_wrong_kind(wrong: CriticalKind) -> None:
    loss = Loss.from_text("(w^2 - 1)^2")
    found = certify(loss, {"w": (-2, 2)})
    first, *others = found.critical_points
    assert audit(WrittenLoss.of(loss), found) == ""
    forged = replace(found, critical_points=(replace(first, kind=wrong), *others))
    assert f"round the {wrong} at w = -1" in audit(WrittenLoss.of(loss), forged)


def test_the_audit_contradicts_a_point_left_out() -> None:
    loss = Loss.from_text("sin(w)")
    found = certify(loss, {"w": (-7, 7)})
    missing = replace(found, critical_points=found.critical_points[:2] + found.critical_points[3:])
    assert audit(WrittenLoss.of(loss), found) == ""
    assert "the search is in error" in audit(WrittenLoss.of(loss), missing)


def test_places_that_gather_at_an_edge_are_as_narrow_as_any() -> None:
    found = certify(Loss.from_text("sin(log(w))"), {"w": (-1, 1)}, Budget(boxes=1500))
    assert len(found.critical_points) > 100  # e^(−π/2 − kπ)
    for point in found.critical_points:
        low, high = point.interval["w"]
        assert high <= math.nextafter(low, math.inf)
        turns = (mpmath.log(point.weight["w"]) - mpmath.pi / 2) / mpmath.pi
        assert abs(turns - mpmath.nint(turns)) < 1e-13


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("sign(w)", [(-1, 0), (0, 1)]),
        ("where(w < 0.5, 1, 2)", [(-1, 0.5), (0.5, 1)]),
        ("where(w < 0, 1, where(w > 0, 1, 5))", [(-1, 0), (0, 1)]),
        ("relu(-relu(w))", [(-1, 1)]),
    ],
)
def test_flat_pieces_are_one_only_where_the_loss_is_continuous(
    text: str, pieces: list[tuple[float, float]]
) -> None:
    found = certify(Loss.from_text(text), {"w": (-1, 1)})
    assert [point.interval["w"] for point in found.critical_points] == pieces
    assert found.complete


@pytest.mark.parametrize(
    "text", ["w^2 + sign(w)^2", "where(w == 0, 5, w^2)", "where(w < 0, w^2, where(w > 0, w^2, 5))"]
)
def test_where_one_value_stands_alone_there_is_a_jump_and_no_minimum(text: str) -> None:
    found = certify(Loss.from_text(text), {"w": (-1, 1)})
    assert found.critical_points == ()
    assert [stretch["reason"] for stretch in found.singular] == ["the loss jumps"]


@pytest.mark.parametrize(
    "text",
    [
        "where(3w == 1, 5, (3w - 1)^2)", "where(w == 1/3, 5, 1/(w - 1/3)^2)",
        "where(cos(w) == w, 7, (w - cos(w))^2)", "where(w == 1/3, 2, sin(w - 1/3)/(w - 1/3))",
        "where(w == 0.5, -1, abs(w - 0.5)^1.5)",
        "where(w < 0.5, 1/(2w - 1), w)", "where(w == 0.5, 5, 1/(w - 0.5)^2)",
    ],
)  # fmt: skip
def test_a_value_is_compared_with_the_limits_beside_it_wherever_it_stands(text: str) -> None:
    found = prove(text, 0, 1)
    assert found.critical_points == ()
    assert [stretch["reason"] for stretch in found.singular] == ["the loss jumps"]
    assert found.complete


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("where(w == 0, 1, sin(w)/w)", [("maximum", 0)]),
        ("where(w == 1, 3, (w^3 - 1)/(w - 1))", [("minimum", -0.5)]),
        ("where(w > 1, (w^2 - 1)/(w - 1), w + 1) + 2abs(w)", [("kink", 0)]),
        ("where(sin(w) > 1, w, w^2)", [("minimum", 0)]),
        ("where(cos(w) <= w, (w - cos(w))^2, 0)", [("flat", (0.7390851332151607 - 2) / 2)]),
    ],
)
def test_a_gap_that_is_filled_with_its_limit_is_none(text: str, expected: list[tuple[str, float]]) -> None:
    found = prove(text, -2, 2)
    assert points(found) == [(kind, pytest.approx(place, rel=1e-14)) for kind, place in expected]
    assert found.singular == ()
    assert found.complete


@pytest.mark.parametrize(
    "text", ["sqrt(w^4 + w^2)", "(w^4 + w^2)^(1/3)", "(1 - cos(w))^(1/3)", "sqrt(sin(w)^2 + w^2)"]
)
def test_a_slope_whose_denominator_vanishes_as_fast_does_not_go_to_zero(text: str) -> None:
    found = certify(Loss.from_text(text), {"w": (-1, 1)})
    assert [(point.kind, point.weight["w"]) for point in found.critical_points] == [("kink", 0)]


def test_an_edge_at_which_the_slope_does_not_vanish_is_no_minimum() -> None:
    """The slope of acos(w)² is −2 at 1, where acos(w) and √(1 − w²) both vanish."""
    assert not certify(Loss.from_text("acos(w)^2"), {"w": (0.5, 1.5)}).critical_points
    found = certify(Loss.from_text("sqrt(w^3 + w^5)"), {"w": (-0.5, 1)})
    assert [(point.kind, point.weight["w"]) for point in found.critical_points] == [("minimum", 0)]


def test_a_root_in_a_denominator_that_cancels_leaves_a_zero_of_the_slope() -> None:
    """w·sin √|w| has the slope ±(sin r + r·cos(r)/2) with r = √|w|, written with w/√|w|."""
    found = certify(Loss.from_text("w*sin(sqrt(abs(w)))"), {"w": (-1, 1)})
    assert [(point.kind, point.weight["w"]) for point in found.critical_points] == [("inflection", 0)]
    assert found.complete
