"""Critical points: number, kind and place against facts known without gdsim."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from tiers import later, some

from gdsim.critical import find, find_each
from gdsim.critical.numerical import one_dimension, several_dimensions
from gdsim.critical.numerical.audit import audited
from gdsim.critical.numerical.landscape import Landscape
from gdsim.losses import LOSSES, Loss, named_loss
from gdsim.outcomes import CriticalPoint, InputError, Search

PI = math.pi


def search(formula: str, *bounds: tuple[float, float]) -> Search:
    loss = Loss.from_text(formula)
    ends = bounds * len(loss.weights) if len(bounds) == 1 else bounds
    return find(loss, dict(zip(loss.weights, ends, strict=True)))


def kinds(found: Search) -> dict[str, int]:
    return dict(Counter(point.kind for point in found.critical_points))


def places(found: Search) -> list[tuple[str, float]]:
    return [(point.kind, next(iter(point.weight.values()))) for point in found.critical_points]


# formula, domain, kinds with their exact places
LINES = [
    ("w^2", (-12, 12), [("minimum", 0)]),
    ("3w^2 - 4w", (-1, 2), [("minimum", 2 / 3)]),
    ("w^3", (-1.5, 1.5), [("inflection", 0)]),
    ("w^4", (-2.5, 2.5), [("minimum", 0)]),
    ("w^5", (-1.5, 1.5), [("inflection", 0)]),
    ("(w - 1)^6", (-1, 3), [("minimum", 1)]),
    ("3w^4 - 4w^3", (-1.2, 1.6), [("inflection", 0), ("minimum", 1)]),
    ("(w^2 - 1)^2", (-1.8, 1.8), [("minimum", -1), ("maximum", 0), ("minimum", 1)]),
    ("3w^4 - 4w^3 - 12w^2", (-2.3, 3), [("minimum", -1), ("maximum", 0), ("minimum", 2)]),
    ("tanh(w)^2", (-5, 5), [("minimum", 0)]),
    ("sigmoid(w)^2/2", (-12, 12), []),
    ("log(1 + exp(w))", (-12, 12), []),
    ("tanh(1000w)", (-1, 1), []),
    ("abs(w)", (-1.5, 1.5), [("kink", 0)]),
    ("abs(w)^1.5", (-1.2, 1.2), [("minimum", 0)]),
    ("abs(w^2 - 1)", (-2, 2), [("kink", -1), ("maximum", 0), ("kink", 1)]),
    ("w*abs(w)", (-1, 1), [("inflection", 0)]),
    ("abs(w)^3", (-1, 1), [("minimum", 0)]),
    ("huber(w)", (-11, 11), [("minimum", 0)]),
    ("w + sin(w)", (-10, 10), [("inflection", k * PI) for k in (-3, -1, 1, 3)]),
    (
        "cos(w)^4",
        (-4, 4),
        [("maximum", -PI), ("minimum", -PI / 2), ("maximum", 0), ("minimum", PI / 2), ("maximum", PI)],
    ),
    ("1/w + w", (-3, 3), [("maximum", -1), ("minimum", 1)]),
    ("tan(w) - w", (-4, 4), [("inflection", -PI), ("inflection", 0), ("inflection", PI)]),
    ("(max(0, w) - 1)^2", (-1, 3), [("flat", -0.5), ("minimum", 1)]),
    ("abs(w - 1/3) + abs(w + 1/3)", (-1, 1), [("flat", 0)]),
    ("0*w + 3", (-1, 1), [("flat", 0)]),
]


@pytest.mark.parametrize(("formula", "domain", "expected"), LINES, ids=[line[0] for line in LINES])
def test_kinds_and_places_on_a_line(
    formula: str, domain: tuple[float, float], expected: list[tuple[str, float]]
) -> None:
    found = places(search(formula, domain))
    assert [kind for kind, _ in found] == [kind for kind, _ in expected]
    # bisection ends between neighbouring doubles; a multiple zero is blurred by rounding of f′ itself
    for (_, place), (_, true) in zip(found, expected, strict=True):
        assert place == pytest.approx(true, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("formula", "domain", "count"),
    [
        ("sin(50w)", (-10, 10), {"minimum": 159, "maximum": 159}),
        ("w^2 + 0.1*sin(50w)", (-3, 3), {"minimum": 40, "maximum": 39}),
        ("w^2 - 10*cos(2*pi*w)", (-5.12, 5.12), {"minimum": 11, "maximum": 10}),
        ("sin(10*pi*w)/(2w) + (w - 1)^4", (0.5, 2.5), {"minimum": 9, "maximum": 8}),
        ("sin(10w)*exp(-w^2/10)", (-10, 10), {"minimum": 32, "maximum": 32}),
    ],
)
def test_every_ripple_is_found(formula: str, domain: tuple[float, float], count: dict[str, int]) -> None:
    assert kinds(search(formula, domain)) == count


@pytest.mark.parametrize(
    ("formula", "multiplicity"), [("w^2", 1), ("w^3", 2), ("w^4", 3), ("w^5", 4), ("w^20", 19)]
)
def test_the_multiplicity_is_the_order_of_the_zero_of_the_slope(formula: str, multiplicity: int) -> None:
    (point,) = search(formula, (-1.5, 1.5)).critical_points
    assert point.multiplicity == multiplicity


def test_forrester_has_every_kind_of_smooth_point() -> None:
    found = places(search("(6x - 2)^2*sin(12x - 4)", (0, 1)))
    mpmath.mp.dps = 40

    def slope(x: mpmath.mpf) -> mpmath.mpf:
        u, v = 6 * x - 2, 12 * x - 4
        return 12 * u * mpmath.sin(v) + 12 * u**2 * mpmath.cos(v)

    true = [mpmath.findroot(slope, guess) for guess in (0.1426, 0.5241, 0.7572)]
    expected = [
        ("minimum", true[0]), ("inflection", mpmath.mpf(1) / 3), ("maximum", true[1]), ("minimum", true[2]),
    ]  # fmt: skip
    assert [kind for kind, _ in found] == [kind for kind, _ in expected]
    for (_, place), (_, exact) in zip(found, expected, strict=True):
        assert abs(place - exact) < 1e-14


def test_a_pole_is_singular_and_no_critical_point() -> None:
    found = search("1/w^2 + w^2", (-3, 3))
    assert kinds(found) == {"minimum": 2}
    assert [stretch["reason"] for stretch in found.singular] == ["the loss has a pole"]


def test_a_jump_of_the_loss_is_no_minimum() -> None:
    assert kinds(search("where(w < 0, -1, 1) + w^2", (-1, 1))) == {}


def test_a_point_on_the_boundary_says_so() -> None:
    point = search("w^3/3 - w^2/2", (0, 4 / 3)).critical_points[0]
    assert (point.kind, point.boundary) == ("maximum", True)


def test_the_interval_of_a_flat_piece_is_its_extent() -> None:
    (flat, _) = search("(max(0, w) - 1)^2", (-1, 3)).critical_points
    assert flat.interval["w"] == pytest.approx((-1, 0), abs=1e-8)


def test_a_python_function_is_searched_too_and_nothing_is_proved_of_it() -> None:
    found = find(Loss.from_callable(lambda w: (w**2 - 1) ** 2), {"w": (-2, 2)})
    assert [point.kind for point in found.critical_points] == ["minimum", "maximum", "minimum"]
    assert not found.complete
    assert {point.proof for point in found.critical_points} == {"numerical"}
    # five-point differences: h⁴ against ε/h leaves about 1e-12 in f′, so as much over f″ = 8 in w
    for point, true in zip(found.critical_points, (-1, 0, 1), strict=True):
        assert point.weight["w"] == pytest.approx(true, abs=1e-9)


PLANES = [
    ("0.1x^2 + 2y^2", [(-6, 6)], {"minimum": 1}),
    ("x^2 - y^2", [(-2, 2)], {"saddle": 1}),
    ("x^2 + (y^2 - 1)^2", [(-2, 2)], {"minimum": 2, "saddle": 1}),
    ("x^3 - 3x*y^2", [(-1.5, 1.5)], {"saddle": 1}),
    ("(x + y)^2", [(-3, 3)], {"flat": 1}),
    ("(1 - x)^2 + 100(y - x^2)^2", [(-2, 2), (-1, 3)], {"minimum": 1}),
    ("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", [(-5, 5)], {"minimum": 4, "saddle": 4, "maximum": 1}),
    ("2x^2 - 1.05x^4 + x^6/6 + x*y + y^2", [(-3, 3)], {"minimum": 3, "saddle": 2}),
    (
        "(4 - 2.1x^2 + x^4/3)*x^2 + x*y + (4y^2 - 4)*y^2",
        [(-3, 3), (-2, 2)],
        {"minimum": 6, "saddle": 7, "maximum": 2},
    ),
    (
        "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2",
        [(-4.5, 4.5)],
        {"minimum": 1, "saddle": 2},
    ),
    (
        "20 + x^2 - 10cos(2*pi*x) + y^2 - 10cos(2*pi*y)",
        [(-5.12, 5.12)],
        {"minimum": 121, "saddle": 220, "maximum": 100},
    ),
    ("x^2 + y^2 + z^2 + x*y", [(-2, 2)], {"minimum": 1}),
]


LONG = ("(x + y)^2", "20 + x^2 - 10cos(2*pi*x) + y^2 - 10cos(2*pi*y)")


@pytest.mark.parametrize(
    ("formula", "domain", "count"),
    [later(*plane) if plane[0] in LONG else plane for plane in PLANES],
    ids=[plane[0] for plane in PLANES],
)
def test_counts_of_several_weights(
    formula: str, domain: list[tuple[float, float]], count: dict[str, int]
) -> None:
    assert kinds(search(formula, *domain)) == count


def test_minima_less_saddles_plus_maxima_of_a_coercive_loss_is_one() -> None:
    """The Poincaré–Hopf count, on the six-hump camel."""
    count = kinds(search("(4 - 2.1x^2 + x^4/3)*x^2 + x*y + (4y^2 - 4)*y^2", (-3, 3), (-2, 2)))
    assert count["minimum"] - count["saddle"] + count["maximum"] == 1


def test_the_camel_s_points_are_those_of_its_closed_form() -> None:
    found = search("2x^2 - 1.05x^4 + x^6/6 + x*y + y^2", (-3, 3)).critical_points
    squares = [0.0, 2.1 - math.sqrt(0.91), 2.1 + math.sqrt(0.91)]  # y = −x/2
    expected = sorted({sign * math.sqrt(square) for square in squares for sign in (-1, 1)})
    assert [point.weight["x"] for point in found] == pytest.approx(expected, abs=1e-12)
    assert [point.weight["y"] for point in found] == pytest.approx([-x / 2 for x in expected], abs=1e-12)


def test_the_curvatures_are_the_eigenvalues_of_the_hessian() -> None:
    (point,) = search("(1 - x)^2 + 100(y - x^2)^2", (-2, 2), (-1, 3)).critical_points
    assert point.curvature == pytest.approx((501 - math.sqrt(250601), 501 + math.sqrt(250601)), rel=1e-9)


@pytest.mark.parametrize("domain", [{}, {"w": (1, -1)}, {"w": (0, math.inf)}])
def test_a_domain_that_is_none_is_refused(domain: dict[str, tuple[float, float]]) -> None:
    with pytest.raises(InputError, match=r"domain\.w: .*; expected"):
        find(Loss.from_text("w^2"), domain)


ON_A_LINE = [name for name in LOSSES if len(named_loss(name).weights) == 1]
ON_A_PLANE = [name for name in LOSSES if len(named_loss(name).weights) == 2]


def as_black_box(name: str) -> Search:
    """What is found of a named loss when its formula is hidden."""
    loss = named_loss(name)
    functions = {1: lambda w: loss.scalar(w), 2: lambda x, y: loss.scalar(x, y)}
    black_box = Loss.from_callable(functions[len(loss.weights)])
    return find(black_box, dict(zip(black_box.weights, loss.domain.values(), strict=True)))


def contradicted(found: Search) -> bool:
    return any("in error" in str(entry["reason"]) for entry in found.unresolved)


@pytest.mark.parametrize("name", [*ON_A_LINE, *some(ON_A_PLANE, "himmelblau")])
def test_the_audits_contradict_the_numerical_search_only_where_points_were_missed(name: str) -> None:
    proved, seen = find(named_loss(name), named_loss(name).domain), as_black_box(name)
    assert not contradicted(seen) or kinds(seen) != kinds(proved)


def test_the_audit_tells_that_points_of_a_function_with_hundreds_were_missed() -> None:
    seen = as_black_box("rastrigin_2d")
    assert kinds(seen) != {"minimum": 121, "maximum": 100, "saddle": 220}
    assert contradicted(seen)


def test_the_audit_contradicts_a_python_function_of_which_a_point_was_missed() -> None:
    landscape = Landscape(Loss.from_callable(lambda w: math.cos(w)), {"w": (-1.0, 7.0)})
    found = audited(landscape, one_dimension.search(landscape, np.empty(0)))
    assert [point.kind for point in found.critical_points] == ["maximum", "minimum", "maximum"]
    missed = replace(found, critical_points=found.critical_points[:1] + found.critical_points[2:])
    assert "round the maximum" in str(audited(landscape, missed).unresolved[-1]["reason"])


def test_the_audit_counts_the_turns_round_a_python_function_of_two_weights() -> None:
    landscape = Landscape(
        Loss.from_callable(lambda x, y: (x * x - 1) ** 2 + y * y), {"x": (-2.0, 2.1), "y": (-1.0, 1.2)}
    )
    found = audited(landscape, several_dimensions.search(landscape, np.empty((2, 0))))
    assert Counter(point.kind for point in found.critical_points) == {"minimum": 2, "saddle": 1}
    assert not found.unresolved
    missed = replace(found, critical_points=found.critical_points[:2])
    assert "the gradient turns 1 times" in str(audited(landscape, missed).unresolved[-1]["reason"])


@pytest.mark.parametrize(("most", "proof"), [(3, "certified"), (2, "numerical")])
def test_a_family_is_certified_up_to_a_number_of_losses_and_says_so(
    monkeypatch: pytest.MonkeyPatch, most: int, proof: str
) -> None:
    monkeypatch.setattr("gdsim.critical.MOST_CERTIFIED", most)
    wells = [Loss.from_text("(w^2 - a)^2", parameters={"a": a}) for a in (1, 2, 3)]
    found = find_each(wells, {"w": (-3, 3)})
    assert [kinds(each) for each in found] == [{"minimum": 2, "maximum": 1}] * 3
    assert {point.proof for each in found for point in each.critical_points} == {proof}
    assert {each.complete for each in found} == {proof == "certified"}


def test_of_what_a_proof_left_open_only_the_points_near_it_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[tuple[float, ...]] = []
    describe = several_dimensions.describe

    def noted(landscape: Landscape, point: np.ndarray, *, degenerate: bool) -> CriticalPoint:
        looked_at.append(tuple(point[:, 0].tolist()))
        return describe(landscape, point, degenerate=degenerate)

    monkeypatch.setattr(several_dimensions, "describe", noted)
    found = search("(x^2 - 1)^2 + x*y^2 + y^2 + sqrt((x - 1)^2 + y^2)^3/1000", (-2, 2.5))
    assert not found.complete
    assert {round(x) for x, _ in looked_at} == {1}
    assert [point.proof for point in found.critical_points if round(point.weight["x"]) == 1] == ["numerical"]
    assert {point.proof for point in found.critical_points if point.weight["x"] < 0.5} == {"certified"}
