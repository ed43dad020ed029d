"""Figures of single kinds: what is drawn equals the closed forms."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from figure_texts import assert_texts_stand_apart
from matplotlib.axes import Axes
from shipped import executed
from tiers import some

import gdsim
from gdsim.outcomes import InputError
from gdsim.plots import PLOTS, STYLES, Look, draw, render, staged
from gdsim.plots.pieces import broken, extent, stretches
from gdsim.plots.secants import Place
from gdsim.plots.zoom import zoom_film

KINDS = ("zoom", "derivative", "cobweb", "phase")
RUNS = (
    "double-well", "parabola-divergence", "cosh-cliff", "absolute-value", "relu-dead", "plateau",
    "logistic-map-chaos", "rippled-parabola", "himmelblau-centre", "ravine-momentum",
)  # fmt: skip


def line(axes: Axes, label: str) -> np.ndarray:
    (found,) = [artist for artist in axes.get_lines() if artist.get_label() == label]
    return np.asarray(found.get_xydata())


CASES = [f"{name} {style}" for name in RUNS for style in STYLES]


@pytest.mark.parametrize("case", some(CASES, "absolute-value paper", "logistic-map-chaos slides"))
@pytest.mark.parametrize("kind", KINDS)
def test_texts_stand_apart_inside_the_axes_too(kind: str, case: str) -> None:
    name, style = case.split()
    if PLOTS[kind].refusal(executed(name)):
        pytest.skip(PLOTS[kind].refusal(executed(name)))
    assert_texts_stand_apart(draw(executed(name), kind, look=Look(style)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_python_function_is_drawn_as_well(kind: str) -> None:
    run = gdsim.simulate(lambda w: abs(w) ** 1.5, initial_weight=2.0, learning_rate=0.1)
    assert render(draw(run, kind), "png")


@pytest.mark.parametrize("kind", ["derivative", "cobweb", "phase"])
def test_where_the_loss_is_not_a_number_there_is_no_slope(kind: str) -> None:
    run = gdsim.simulate("log(w)", initial_weight=-1, learning_rate=0.1)
    axes = draw(run, kind).axes[1 if kind == "derivative" else 0]
    weight, value = max((np.asarray(one.get_xydata()) for one in axes.get_lines()), key=len).T
    assert np.isnan(value[weight < 0]).all()
    assert np.isfinite(value[weight > 0.1]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_moves_is_changed_by_a_position(kind: str) -> None:
    scene = staged(executed("double-well"), kind)
    still = set(scene.figure.findobj()) - set(scene.moving)
    before = {artist: artist.get_visible() for artist in still}
    scene.show(1.5)
    assert {artist: artist.get_visible() for artist in still} == before


# -- derivative ----------------------------------------------------------------------------------------


def test_the_three_curves_are_the_loss_its_slope_and_its_curvature() -> None:
    above, middle, below = draw(executed("double-well"), "derivative").axes
    w, f = line(above, "loss f(w)").T
    np.testing.assert_allclose(f, (w**2 - 1) ** 2, rtol=1e-12, atol=1e-15)
    w, slope = np.asarray(middle.get_lines()[0].get_xydata()).T
    np.testing.assert_allclose(slope, 4 * w * (w**2 - 1), rtol=1e-12, atol=1e-14)
    w, bend = np.asarray(below.get_lines()[0].get_xydata()).T
    np.testing.assert_allclose(bend, 12 * w**2 - 4, rtol=1e-12, atol=1e-14)
    assert middle.get_title(loc="left").endswith("$f'(w) = 4 w (w^{2} - 1)$")


def test_the_weight_moves_right_left_of_a_minimum_and_left_right_of_it() -> None:
    middle = draw(executed("double-well"), "derivative").axes[1]
    said = [(round(text.get_position()[0], 2), text.get_text()) for text in middle.texts]
    assert [words.strip("◀▶ ") for _, words in said] == [
        "moves right", "moves left", "moves right", "moves left",
    ]  # fmt: skip
    assert [place for place, _ in said][1:3] == [-0.5, 0.5]  # between the zeros −1, 0 and 1


def test_with_momentum_only_downhill_is_said() -> None:
    run = gdsim.simulate("w^2", initial_weight=1, learning_rate=0.1, update_rule="momentum")
    words = " ".join(text.get_text() for text in draw(run, "derivative").axes[1].texts)
    assert "downhill is left" in words
    assert "moves" not in words


def test_stretches_end_at_the_known_zeros_and_leave_out_what_is_not_a_number() -> None:
    grid = np.linspace(-2, 2, 401)
    slope = np.where(grid < -1, np.nan, 4 * grid * (grid - 1))
    found = stretches(grid, slope, [0.0, 1.0])
    assert [one.sign for one in found] == [1, -1, 1]
    assert [one.high for one in found] == [0.0, 1.0, 2.0]


def test_a_steep_slope_is_no_jump_but_a_step_is() -> None:
    grid = np.linspace(-1, 1, 101)
    assert np.isfinite(broken(lambda w: np.tanh(1000 * (w - 0.003)), grid)[1]).all()
    place, value = broken(lambda w: np.sign(w - 0.003), grid)
    assert place[np.isnan(value)] == pytest.approx(0.003, abs=1e-9)


def test_the_limits_of_a_slope_hold_what_is_marked_and_cut_walls() -> None:
    values = np.concatenate([-np.geomspace(1e6, 1, 10), np.linspace(-1, 1, 200), np.geomspace(1, 1e6, 10)])
    low, high = extent(values, np.array([30.0]))
    assert -10 < low < -0.5
    assert 30 < high < 60


def test_the_slope_and_the_curvature_at_a_step_are_written_out() -> None:
    legend = draw(executed("double-well"), "derivative", at=[0]).legends[0]
    assert "step 0:\nf′ = −1.5\nf″ = −1" in [text.get_text() for text in legend.get_texts()]


# -- zoom ----------------------------------------------------------------------------------------------


def test_the_difference_quotient_of_a_parabola_is_two_w_plus_the_change() -> None:
    run = gdsim.simulate("w^2", initial_weight=3, learning_rate=0.1, domain=(-4, 4))
    for axes, change in zip(draw(run, "zoom").axes, (2, 0.4, 0.08, 0.016), strict=True):
        distance, rise = line(axes, "secant").T
        np.testing.assert_allclose(rise / distance, 6 + change, rtol=1e-12)
        distance, rise = line(axes, "tangent").T
        np.testing.assert_allclose(rise / distance, 6, rtol=1e-12)
        distance, rise = line(axes, "loss f").T
        np.testing.assert_allclose(rise, 6 * distance + distance**2, rtol=1e-9, atol=1e-14)
        quotient = f"{6 + change:g}"
        assert axes.get_title(loc="left") == f"Δw = {change:g}\nΔf/Δw = {quotient}\nerror {change:g}"


def test_each_window_is_five_times_narrower_both_ways() -> None:
    windows = draw(executed("double-well"), "zoom").axes
    for wide, narrow in pairwise(windows):
        assert np.ptp(wide.get_xlim()) == pytest.approx(5 * np.ptp(narrow.get_xlim()))
        assert np.ptp(wide.get_ylim()) == pytest.approx(5 * np.ptp(narrow.get_ylim()))


@pytest.mark.parametrize(
    ("loss", "start", "bent"),
    [
        ("abs(w)", 0, True), ("w^2", 0, False), ("abs(w)^1.5", 0, False), ("max(w, 2w)", 0, True),
        ("sqrt(abs(w))", 0, True), ("abs(w)", 1, False), ("1e6 + sin(w)", 1, False), ("exp(w)", 300, False),
        ("w^2 + 0.1sin(50w)", 2, False),
    ],
)  # fmt: skip
def test_a_zoom_tells_a_kink_from_a_bend(loss: str, start: float, bent: bool) -> None:
    run = gdsim.simulate(loss, initial_weight=start, learning_rate=0.1, stopping={"max_steps": 1})
    assert Place.of(run, ()).bent is bent


def test_at_a_kink_both_slopes_are_said() -> None:
    run = gdsim.simulate("max(w, 2w)", initial_weight=0, learning_rate=0.1, stopping={"max_steps": 1})
    figure = draw(run, "zoom")
    assert "a kink: 1 left, 2 right" in [text.get_text() for text in figure.texts]
    assert figure.axes[-1].get_title(loc="left").endswith("right: 2\nleft: 1")


def test_a_zoom_looks_at_the_weight_of_one_step() -> None:
    run = executed("double-well")
    assert Place.of(run, [3]).weight == run.trajectory.weight[3, 0, 0]
    with pytest.raises(InputError, match="looks at one step, not 2"):
        draw(run, "zoom", at=[0, 1])


def test_a_build_up_of_a_zoom_reveals_one_window_after_the_other() -> None:
    figure = draw(executed("double-well"), "zoom", until=1)
    said = [axes.get_title(loc="left").strip() for axes in figure.axes]
    assert [bool(words) for words in said] == [True, True, False, False]


def test_the_film_of_a_zoom_goes_through_its_windows() -> None:
    run = executed("double-well")
    with Look().applied():
        scene = zoom_film(run)
    for level, axes in enumerate(draw(run, "zoom").axes):
        scene.show(level)
        (film,) = scene.figure.axes
        np.testing.assert_array_equal(line(film, "secant"), line(axes, "secant"))
        assert film.get_xlim() == axes.get_xlim()
    assert scene.rescales


def test_alternative_texts_say_what_a_build_up_counts() -> None:
    assert "Shown up to window 3" in gdsim.plots.alt_text(executed("double-well"), "zoom", until=3)


# -- cobweb --------------------------------------------------------------------------------------------


def test_the_map_of_a_parabola_is_a_line_through_the_minimum() -> None:
    axes = draw(executed("parabola-divergence"), "cobweb").axes[0]
    here, there = line(axes, "map w − η f′(w)").T
    np.testing.assert_allclose(there, (1 - 2 * 1.1) * here, rtol=1e-12, atol=1e-12)


def test_the_corners_of_the_cobweb_lie_on_the_map_and_the_diagonal_in_turn() -> None:
    across, up = line(draw(executed("double-well"), "cobweb").axes[0], "steps").T
    np.testing.assert_array_equal(up[::2], across[::2])
    w = across[1::2]
    np.testing.assert_allclose(up[1::2], w - 0.1 * 4 * w * (w**2 - 1), rtol=1e-12)


def test_fixed_points_are_said_to_attract_or_repel() -> None:
    legend = draw(executed("double-well"), "cobweb").legends[0]
    said = [text.get_text() for text in legend.get_texts()]
    assert "minimum at −1 and 1:\n1 − ηf″ = 0.2, attracts" in said  # 1 − 0.1·8
    assert "maximum at 0:\n1 − ηf″ = 1.4, repels" in said  # 1 + 0.1·4


def test_the_last_steps_of_a_long_run_are_strong_alone() -> None:
    run = executed("logistic-map-four")
    strong = line(draw(run, "cobweb").axes[0], "steps")
    np.testing.assert_array_equal(strong[::2, 0], run.trajectory.weight[-65:, 0, 0])


@pytest.mark.parametrize(
    "options",
    [
        {"update_rule": "momentum"}, {"learning_rate": {"schedule": "cosine", "initial": 0.1, "T_max": 9}},
        {"clip": {"norm": 1}}, {"noise": {"kind": "gaussian", "scale": 0.1}}, {"line_search": "armijo"},
        {"record": {"every": 2}}, {"update_rule": {"name": "gradient_descent", "weight_decay": 0.1}},
    ],
    ids=str,
)  # fmt: skip
def test_a_cobweb_needs_one_map(options: dict[str, Any]) -> None:
    run = gdsim.simulate("w^2", **{"initial_weight": 1, "learning_rate": 0.1} | options)
    with pytest.raises(InputError, match="needs gradient descent or sign descent"):
        draw(run, "cobweb")


# -- phase ---------------------------------------------------------------------------------------------


def test_gradient_descent_walks_on_the_curve_of_its_steps() -> None:
    axes = draw(executed("double-well"), "phase").axes[0]
    w, move = line(axes, "steps").T
    np.testing.assert_allclose(move[:-1], -0.1 * 4 * w[:-1] * (w[:-1] ** 2 - 1), rtol=1e-7, atol=1e-15)
    assert np.isnan(move[-1])  # after the last record nothing is known
    w, move = line(axes, "−η f′(w)").T
    np.testing.assert_allclose(move, -0.1 * 4 * w * (w**2 - 1), rtol=1e-12, atol=1e-14)


def test_momentum_keeps_a_part_of_the_last_step() -> None:
    rule = {"name": "momentum", "momentum": 0.8}
    run = gdsim.simulate("w^2", initial_weight=1, learning_rate=0.1, update_rule=rule)
    w, move = line(draw(run, "phase").axes[0], "steps").T
    np.testing.assert_allclose(move[1:-1], 0.8 * move[:-2] - 0.2 * w[1:-1], rtol=1e-6, atol=1e-15)


def test_each_weight_has_its_phase_up_to_three() -> None:
    run = gdsim.simulate(
        "a^2 + 2b^2 + 3c^2 + 4d^2", initial_weight={"a": 1, "b": 1, "c": 1, "d": 1}, learning_rate=0.1
    )
    panels = draw(run, "phase").axes
    assert [axes.get_xlabel() for axes in panels] == ["weight a", "weight b", "weight c"]
    for factor, axes in zip((2, 4, 6), panels, strict=True):
        w, move = line(axes, "steps").T
        np.testing.assert_allclose(move[:-1], -0.1 * factor * w[:-1], rtol=1e-6, atol=1e-15)


def test_a_run_that_takes_no_step_is_at_rest_in_its_phase() -> None:
    axes = draw(executed("relu-dead"), "phase").axes[0]
    assert line(axes, "start").tolist() == [[-0.5, 0.0]]


def test_a_step_far_longer_than_the_frame_is_shown_on_a_logarithmic_axis() -> None:
    axes = draw(executed("cosh-cliff"), "phase").axes[0]
    assert axes.get_yscale() == "symlog"
    assert axes.get_ylim()[0] < -0.1 * np.sinh(10)
    assert draw(executed("double-well"), "phase").axes[0].get_yscale() == "linear"
