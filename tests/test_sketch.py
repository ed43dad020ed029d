"""Sketches: what stands where, at every size, in signs that the terminal has."""

from __future__ import annotations

import math

import pytest

from gdsim.plots.canvas import Canvas, round_ends
from gdsim.plots.kinds import PLOTS
from gdsim.plots.sketch import sketch
from gdsim.plots.sketch_kinds import SKETCHES
from gdsim.runs import Run, execute
from gdsim.scenario import load


def run_of(name: str, *settings: str) -> Run:
    return execute(load(name, overrides=list(settings)))


@pytest.fixture(scope="module")
def parabola() -> Run:
    return run_of("parabola")


def test_the_steps_stand_on_the_curve_from_the_start_inwards(parabola: Run) -> None:
    lines = sketch(parabola, "curve", 72, 14).splitlines()
    places = {
        sign: (row, line.index(sign))
        for row, line in enumerate(lines[:-2])
        for sign in "123"
        if sign in line[5:]
    }
    assert places["1"][0] < places["2"][0] < places["3"][0]
    assert places["1"][1] > places["2"][1] > places["3"][1]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 144.0, (0.0, 150.0)), (-11.52, 161.3, (-20.0, 180.0)), (-0.1667, 0.0, (-0.18, 0.0)),
     (0.0, 1.0, (0.0, 1.0)), (5.0, 5.0, (4.0, 6.0)), (0.0, 1e-300, (0.0, 1e-300)),
     (-1e300, 1e300, (-1e300, 1e300))],
)  # fmt: skip
def test_axes_end_at_round_numbers_round_what_is_shown(
    low: float, high: float, expected: tuple[float, float]
) -> None:
    assert round_ends(low, high) == expected


def test_ends_that_are_no_numbers_still_make_a_frame() -> None:
    assert all(math.isfinite(end) or math.isinf(end) for end in round_ends(-math.inf, math.inf))


def test_until_shows_the_steps_up_to_it_on_the_same_axes(parabola: Run) -> None:
    whole, part = sketch(parabola, "curve"), sketch(parabola, "curve", until=0)
    assert "1" not in part.splitlines()[5]
    assert whole.splitlines()[-1] == part.splitlines()[-1]


def test_at_draws_the_tangent(parabola: Run) -> None:
    assert "╌" in sketch(parabola, "curve", at=(0,))
    assert "╌" not in sketch(parabola, "curve")


@pytest.mark.parametrize("columns", [40, 76, 100])
@pytest.mark.parametrize("plot", ["curve", "convergence", *SKETCHES])
def test_no_line_is_wider_than_asked(parabola: Run, plot: str, columns: int) -> None:
    drawn = sketch(parabola, plot, columns, 10)
    assert max(map(len, drawn.splitlines()[:-2])) <= columns


@pytest.mark.parametrize("plot", ["curve", "convergence", *SKETCHES])
def test_plain_sketches_draw_with_ascii_inside_the_frame(parabola: Run, plot: str) -> None:
    drawn = sketch(parabola, plot, 60, 10, plain=True)
    assert not any(0x2800 <= ord(sign) < 0x2900 or sign in "•●╌░▒▓█" for sign in drawn)


@pytest.mark.parametrize("plot", sorted(PLOTS))
@pytest.mark.parametrize(
    "scenario", ["parabola", "shelf-stuck", "himmelblau-centre", "logistic-map-two", "balanced-on-a-maximum"]
)
def test_every_kind_sketches_every_run(scenario: str, plot: str) -> None:
    assert len(sketch(run_of(scenario), plot, 60, 10).splitlines()) >= 10


def test_a_run_that_leaves_all_numbers_is_sketched() -> None:
    run = run_of("parabola", "learning_rate=1e300")
    assert "│" in sketch(run, "curve")
    assert "│" in sketch(run, "convergence")


def test_the_v_shows_each_formula_by_its_letter(parabola: Run) -> None:
    drawn = sketch(run_of("slope-of-two"), "vcurve")
    assert drawn.endswith("error of: f forward, c central, 5 five point, i complex step")


def test_the_cobweb_has_its_diagonal() -> None:
    drawn = sketch(run_of("logistic-map-two"), "cobweb", 60, 12, plain=True)
    assert sum("/" in line for line in drawn.splitlines()) >= 10


def test_the_ruler_marks_the_rate_and_says_its_factor() -> None:
    drawn = sketch(run_of("double-well"), "ruler")
    assert "●" in drawn
    assert "Here η = 0.1, the factor 0.2, the limit 0.25." in drawn


def test_the_derivative_stands_below_the_loss(parabola: Run) -> None:
    drawn = sketch(parabola, "derivative")
    assert drawn.index("loss over weight w") < drawn.index("derivative over weight w")


def test_the_zoom_names_its_windows_each_narrower(parabola: Run) -> None:
    words = sketch(parabola, "zoom", 76, 8).splitlines()[-1].split("±")[1:]
    widths = [float(word.split()[0]) for word in words]
    assert widths == sorted(widths, reverse=True)
    assert len(widths) == 3


def test_the_axis_of_a_logarithmic_loss_ends_at_powers_of_ten(parabola: Run) -> None:
    lines = sketch(parabola, "convergence").splitlines()
    assert lines[0].split("│")[0].strip() == "100"
    assert "×10⁻" in lines[-3]


def test_dots_outside_are_left_out() -> None:
    canvas = Canvas(3, 2, False)
    canvas.dot(1.1, 0.5)
    canvas.sign(0.5, -0.1, "x")
    assert canvas.lines() == ["", ""]
