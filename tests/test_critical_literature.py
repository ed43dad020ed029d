"""`gdsim.critical.find` on functions from the literature, against a witness that shares no code with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache

import critical_witness as witness
import pytest
from critical_problems import PROBLEMS, Problem
from mpmath import mp, mpf
from tiers import later

from gdsim.critical import find
from gdsim.losses import Loss
from gdsim.outcomes import CriticalPoint, Search

FINDER_FAILS = frozenset({"powell_singular"})
"""Problems that the finder does not answer in full: a degenerate minimum in four weights stays undecided."""

NOT_PROVED = {  # switches, poles, multiple points, pairs closer than doubles tell, too many boxes
    "hjl_18", "problem_22", "poles_of_a_cubic", "sum_of_poles", "barrier", "end_of_definition",
    "deb_equal_peaks", "deb_fading_peaks", "order_nineteen", "exp_passes_line", "exp_cuts_line",
    "cosine_remainder", "exp_remainder", "huber_location", "rosenbrock_4", "colville", "quartic_bottom",
    "quartic_saddle", "monkey_saddle_cubed", "powell_singular",
}  # fmt: skip
PROVED = [
    problem
    for problem in PROBLEMS
    if problem.name not in NOT_PROVED and not {"kink", "flat", "inflection"} & set(problem.count)
]
CHEAP = PROBLEMS[5::19]
PLANES = [problem for problem in PROBLEMS if len(problem.domain) == 2]
NAMED = {problem.name: problem for problem in PROBLEMS}

# What takes long is for the integration tier: to search, to bisect until nothing is left, and to witness.
LONG_TO_FIND = frozenset({
    "rosenbrock_4", "powell_singular", "colville", "goldstein_price_wide", "quartic_saddle", "quartic_bottom",
    "rosenbrock_3", "peaks", "styblinski_tang_4",
})  # fmt: skip
LONG_TO_PROVE = frozenset({"goldstein_price_wide", "peaks", "mueller_brown", "rosenbrock_3", "leon"})
LONG_TO_WITNESS = frozenset({"poles_of_a_cubic", "trembling_double_well", "hjl_6"})


def each(
    problems: list[Problem] | tuple[Problem, ...], long: frozenset[str] = frozenset()
) -> pytest.MarkDecorator:
    cases = [later(problem) if problem.name in long else problem for problem in problems]
    return pytest.mark.parametrize("problem", cases, ids=lambda problem: problem.name)


def finder_may_fail(problem: Problem, long: frozenset[str] = frozenset()) -> object:
    marks = []
    if problem.name in FINDER_FAILS:
        marks.append(pytest.mark.xfail(strict=True, reason="a degenerate minimum of four weights"))
    if problem.name in long:
        marks.append(pytest.mark.integration)
    return pytest.param(problem, id=problem.name, marks=marks)


@cache
def searched(name: str) -> Search:
    problem = NAMED[name]
    loss = Loss.from_text(problem.formula)
    return find(loss, dict(zip(loss.weights, problem.domain, strict=True)))


def listed(problem: Problem) -> list[witness.Place]:
    return [witness.Place(kind, tuple(mpf(value) for value in at)) for kind, *at in problem.places]


@cache
def witnessed(name: str) -> list[witness.Place]:
    return witness.in_a_box(NAMED[name].formula, NAMED[name].domain)


def tolerances(problem: Problem, place: tuple[mpf, ...]) -> list[mpf]:
    """1e-9 relative; near zero 1e-12 of the domain, where a double has digits to spare."""
    return [
        max(mpf("1e-9") * abs(value), mpf("1e-12") * (high - low))
        for value, (low, high) in zip(place, problem.domain, strict=True)
    ]


def nearest(problem: Problem, kind: str, place: tuple[mpf, ...]) -> CriticalPoint:
    """The found point of this kind that is nearest, which must be within the tolerances."""
    near = tolerances(problem, place)

    def distance(point: CriticalPoint) -> mpf:
        values = zip(point.weight.values(), place, near, strict=True)
        return max(abs(mpf(value) - true) / reach for value, true, reach in values)

    of_kind = [point for point in searched(problem.name).critical_points if point.kind == kind]
    best = min(of_kind, key=distance)
    assert distance(best) <= 1, (kind, [mp.nstr(value, 17) for value in place], best.weight)
    return best


@pytest.mark.parametrize("problem", [finder_may_fail(problem, LONG_TO_FIND) for problem in PROBLEMS])
def test_number_kind_and_place(problem: Problem) -> None:
    found = searched(problem.name).critical_points
    assert Counter(point.kind for point in found) == Counter(problem.count)
    with mp.workdps(30):
        for kind, *place in problem.places:
            point = nearest(problem, kind, tuple(mpf(value) for value in place))
            if point.proof == "certified" and kind != "flat":
                # the places are written to 22 digits
                for value, (low, high) in zip(place, point.interval.values(), strict=True):
                    slack = mpf("1e-21") * abs(mpf(value))
                    assert mpf(low) - slack <= mpf(value) <= mpf(high) + slack


@pytest.mark.release
@pytest.mark.parametrize("problem", [finder_may_fail(problem) for problem in PROBLEMS])
def test_every_place_and_multiplicity(problem: Problem) -> None:
    with mp.workdps(witness.DIGITS):
        for place in witnessed(problem.name):
            point = nearest(problem, place.kind, place.at)
            if place.multiplicity is not None and point.multiplicity is not None:
                assert point.multiplicity == place.multiplicity
            if point.proof == "certified" and place.kind != "flat":
                assert inside(place, point.interval)


def assert_nothing_false(problem: Problem, places: list[witness.Place]) -> None:
    """What is proved is true: a finder may leave something open, but must say where."""
    found = searched(problem.name)
    if found.complete:
        assert not found.unresolved
        assert Counter(point.kind for point in found.critical_points) == Counter(problem.count)
    held: Counter[int] = Counter()
    for place in places:
        boxes = [stretch["interval"] for stretch in found.unresolved]
        holding = [
            number
            for number, point in enumerate(found.critical_points)
            if inside(place, point.interval, mpf("1e-21"))
        ]
        held.update(holding)
        assert len(holding) <= 1, f"found {len(holding)} times: {place}"
        if found.complete or found.unresolved:
            assert holding or any(inside(place, box, mpf("1e-9")) for box in boxes), place
    for number, point in enumerate(found.critical_points):
        if point.proof == "certified" and problem.every_place_listed:
            assert held[number] == 1, point
            (place,) = [place for place in places if inside(place, point.interval, mpf("1e-21"))]
            assert point.kind == place.kind


def inside(place: witness.Place, box: Mapping[str, tuple[float, float]], slack: mpf = witness.ZERO) -> bool:
    """Whether a box holds a place; the witness knows its own to ``ZERO``."""
    return all(
        low - slack * abs(low) - witness.ZERO <= value <= high + slack * abs(high) + witness.ZERO
        for value, (low, high) in zip(place.at, box.values(), strict=True)
    )


@each(PROBLEMS, LONG_TO_FIND)
def test_nothing_false_is_proved(problem: Problem) -> None:
    with mp.workdps(30):
        assert_nothing_false(problem, listed(problem))


# The witness itself


def assert_as_written(problem: Problem, places: list[witness.Place]) -> None:
    assert witness.count(places) == dict(problem.count)
    compared = places if problem.every_place_listed else places[:1] + places[-1:]
    with mp.workdps(witness.DIGITS):
        for (kind, *written), place in zip(problem.places, compared, strict=True):
            assert kind == place.kind
            for text, value in zip(written, place.at, strict=True):
                assert abs(mpf(text) - value) <= mpf("1e-21") * abs(value) + mpf("1e-50")


def test_the_set_is_as_wide_as_it_says() -> None:
    sizes = Counter(len(problem.domain) for problem in PROBLEMS)
    assert sizes[1] >= 90
    assert sizes[2] >= 30
    assert sizes[3] + sizes[4] >= 8
    assert len(NAMED) == len(PROBLEMS)
    kinds = Counter(kind for problem in PROBLEMS for kind in problem.count)
    assert set(kinds) == {"minimum", "maximum", "saddle", "inflection", "kink", "flat"}


@each(CHEAP, LONG_TO_WITNESS)
def test_the_witness_says_so(problem: Problem) -> None:
    assert_as_written(problem, witnessed(problem.name))


@pytest.mark.release
@each(PROBLEMS)
def test_the_witness_says_so_throughout(problem: Problem) -> None:
    assert_as_written(problem, witnessed(problem.name))


@pytest.mark.release
@each([problem for problem in PROBLEMS if len(problem.domain) == 1])
def test_another_grid_makes_no_difference(problem: Problem) -> None:
    assert_as_written(problem, witness.on_a_line(problem.formula, problem.domain[0], grid=14009))


@each([p for p in PROVED if p.every_place_listed and len(p.domain) > 1], LONG_TO_PROVE)
def test_interval_arithmetic_proves_the_list_complete(problem: Problem) -> None:
    expr, weights = witness.read(problem.formula)
    assert witness.proves_complete(expr, weights, problem.domain, listed(problem))


@pytest.mark.release
@each([problem for problem in PROVED if not problem.every_place_listed or len(problem.domain) == 1])
def test_interval_arithmetic_proves_the_other_lists_complete(problem: Problem) -> None:
    expr, weights = witness.read(problem.formula)
    assert witness.proves_complete(expr, weights, problem.domain, witnessed(problem.name))


@pytest.mark.parametrize("name", ["hjl_2", later("zettl"), later("folium")])
def test_no_incomplete_list_is_proved_complete(name: str) -> None:
    problem = NAMED[name]
    expr, weights = witness.read(problem.formula)
    places = listed(problem)
    for left_out in range(len(places)):
        rest = places[:left_out] + places[left_out + 1 :]
        assert not witness.proves_complete(expr, weights, problem.domain, rest, most=3000)


DEGENERATE = {"quartic_bottom", "quartic_saddle", "monkey_saddle_cubed", "powell_singular"}


@pytest.mark.release
@each([p for p in PROBLEMS if len(p.domain) > 1 and p.name not in DEGENERATE])
def test_newton_s_method_from_a_grid_finds_the_same(problem: Problem) -> None:
    expr, weights = witness.read(problem.formula)
    places = witness.by_newton(expr, weights, problem.domain)
    assert witness.count(places) == dict(problem.count)


@pytest.mark.release
@each([problem for problem in PLANES if problem.name not in DEGENERATE])
def test_the_turns_of_the_gradient_are_minima_and_maxima_less_saddles(problem: Problem) -> None:
    expr, weights = witness.read(problem.formula)
    counted = Counter(problem.count)
    turns = witness.turns(expr, weights, problem.domain)
    assert turns == counted["minimum"] + counted["maximum"] - counted["saddle"]


@pytest.mark.parametrize(
    ("name", "index"), [("quartic_bottom", 1), ("quartic_saddle", -1), ("monkey_saddle_cubed", 1)]
)
def test_the_turns_of_the_gradient_round_degenerate_points(name: str, index: int) -> None:
    """1 less the number of valleys: a monkey saddle has three and counts −2, Peano's point has two."""
    problem = NAMED[name]
    assert witness.turns(*witness.read(problem.formula), problem.domain) == index


STATED = {  # the global minimiser that the source prints
    "hjl_1": [10], "hjl_2": [5.145735], "hjl_3": [-6.774576, -0.491391, 5.791785], "hjl_4": [2.868034],
    "hjl_5": [0.96609], "hjl_6": [0.67956], "hjl_7": [5.19978], "hjl_8": [-7.083506, -0.800321, 5.482864],
    "hjl_9": [17.039], "hjl_10": [7.9787], "hjl_11": [2.09439, 4.18879], "hjl_12": [3.141593, 4.712389],
    "hjl_13": [0.707107], "hjl_14": [0.224885], "hjl_15": [2.41422], "hjl_16": [1.59072],
    "hjl_17": [-3, 3], "hjl_18": [2], "hjl_19": [5.87287], "hjl_20": [1.195137],
    "problem_21": [4.7954], "problem_22": [14.137167], "schwefel_line": [420.9687],
}  # fmt: skip


@pytest.mark.release
@pytest.mark.parametrize("name", STATED)
def test_the_stated_minimiser_is_among_them(name: str) -> None:
    minima = [place.at[0] for place in witnessed(name) if place.kind == "minimum"]
    for stated in STATED[name]:
        # printed to four to seven digits
        assert min(abs(stated - at) for at in minima) < 3e-5 * max(1, abs(stated))


def test_points_known_from_the_literature_are_among_them() -> None:
    """Müller and Brown's minima and saddles; the second minimum of Rosenbrock in four weights; Wien."""

    def assert_listed(name: str, kind: str, *at: float) -> None:
        places = [tuple(map(float, place[1:])) for place in NAMED[name].places if place[0] == kind]
        assert any(place == pytest.approx(at, abs=6e-4) for place in places)

    for at in ((-0.558, 1.442), (-0.050, 0.467), (0.623, 0.028)):
        assert_listed("mueller_brown", "minimum", *at)
    for at in ((-0.822, 0.624), (0.212, 0.293)):
        assert_listed("mueller_brown", "saddle", *at)
    assert_listed("rosenbrock_4", "minimum", -0.7757, 0.6131, 0.3821, 0.1460)
    assert_listed("planck", "minimum", 2.8214)
    assert_listed("sinc", "minimum", 4.4934)
