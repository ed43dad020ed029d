"""Figures: what is drawn is what happened; the same run gives the same bytes; texts do not collide."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from shipped import executed
from tiers import later, some

import gdsim
from gdsim.outcomes import CRITICAL_KINDS, InputError
from gdsim.plots import (
    PLOTS,
    SIZES,
    STYLES,
    Look,
    alt_text,
    default_files,
    default_kinds,
    draw,
    render,
    staged,
)
from gdsim.plots.contour import SIDES, farthest_side
from gdsim.plots.curve import limits, window
from gdsim.plots.look import KINDS
from gdsim.plots.tick_places import few_rows

NAMES = (
    "double-well", "parabola-divergence", "cosh-cliff", "absolute-value", "relu-dead", "plateau",
    "logistic-map-chaos", "himmelblau-centre", "rosenbrock", "valley", "iris-two-weights",
)  # fmt: skip


def line(axes: Axes, label: str) -> np.ndarray:
    found = [artist for artist in axes.get_lines() if artist.get_label() == label]
    assert len(found) == 1, label
    return np.asarray(found[0].get_xydata())


def test_every_kind_of_critical_point_has_a_marker() -> None:
    assert set(KINDS) == set(CRITICAL_KINDS)


def test_no_two_kinds_share_marker_and_colour() -> None:
    looks = [(marker, colour) for marker, colour, _ in KINDS.values()]
    assert len(set(looks)) == len(looks)


def test_the_curve_is_the_loss() -> None:
    data = line(draw(executed("double-well"), "curve").axes[0], "loss L(w)")
    np.testing.assert_allclose(data[:, 1], (data[:, 0] ** 2 - 1) ** 2, rtol=1e-12, atol=1e-15)


def test_the_steps_are_those_of_the_trajectory() -> None:
    run = executed("double-well")
    data = line(draw(run, "curve").axes[0], "steps")
    np.testing.assert_array_equal(data[:, 0], run.trajectory.weight[:, 0, 0])
    np.testing.assert_array_equal(data[:, 1], run.trajectory.loss[:, 0])


def test_certified_critical_points_are_filled_and_numerical_ones_hollow() -> None:
    run = executed("double-well")
    numerical = replace(
        run.search, critical_points=tuple(replace(p, proof="numerical") for p in run.search.critical_points)
    )
    faces = []
    for search in (run.search, numerical):
        axes = draw(replace(run, search=search), "curve").axes[0]
        (marker,) = [artist for artist in axes.get_lines() if artist.get_label() == "maximum"]
        faces.append((marker.get_markerfacecolor(), marker.get_markeredgecolor()))
    assert faces[0][0] == faces[0][1]
    assert faces[1][0] == "#ffffff"


@pytest.mark.parametrize(("name", "kind"), [("double-well", "curve"), ("himmelblau-centre", "contour")])
def test_what_is_not_proved_is_hatched_and_wide_enough_to_see(name: str, kind: str) -> None:
    run = executed(name)
    spot = dict.fromkeys(run.loss.weights, (0.5, 0.5 + 1e-9))
    open_ = replace(run.search, unresolved=({"interval": spot, "reason": "…"},))
    assert not [patch for patch in draw(run, kind).axes[0].patches if patch.get_hatch()]
    (patch,) = [p for p in draw(replace(run, search=open_), kind).axes[0].patches if p.get_hatch()]
    axes = draw(run, kind).axes[0]
    assert patch.get_width() == pytest.approx(0.012 * np.ptp(axes.get_xlim()))
    assert patch.get_x() < 0.5 < patch.get_x() + patch.get_width()


def test_a_step_that_leaves_the_frame_is_an_arrow_with_its_number() -> None:
    texts = [text.get_text() for text in draw(executed("cosh-cliff"), "curve").axes[0].texts]
    assert any(text.startswith("step 1: −1091") for text in texts)


def test_a_run_that_settled_nowhere_has_no_distance_to_a_point() -> None:
    labels = [axes.get_ylabel() for axes in draw(executed("parabola-divergence"), "convergence").axes]
    assert labels == ["loss", "largest |∂L/∂w|"]


def test_a_distance_that_is_always_zero_is_drawn() -> None:
    *_, panel = draw(executed("relu-dead"), "convergence").axes
    assert panel.get_ylabel() == "distance to the flat piece"
    assert panel.get_lines()[0].get_ydata().tolist() == [0.0]


@pytest.mark.parametrize("kind", ["contour", "surface", "sharpness"])
def test_a_run_that_takes_no_step_has_a_start_and_no_end(kind: str) -> None:
    run = gdsim.simulate("x^2 - y^2", initial_weight={"x": 0, "y": 0}, learning_rate=0.1)
    figure = draw(run, kind)
    labels = {artist.get_label() for artist in figure.axes[0].get_lines()}
    assert "start" in labels
    assert not labels & {"end", "leaves the domain"}


def test_a_start_on_a_saddle_of_a_map_is_seen_round_its_mark() -> None:
    run = gdsim.simulate("x^2 - y^2", initial_weight={"x": 0, "y": 0}, learning_rate=0.1)
    sizes = {line.get_label(): line.get_markersize() for line in draw(run, "contour").axes[0].get_lines()}
    assert sizes["start"] > 1.9 * sizes["saddle"]


def test_the_sharpness_names_no_end_where_the_curvature_is_not_known() -> None:
    axes = draw(executed("cosh-cliff"), "sharpness").axes[0]
    assert "end" not in [artist.get_label() for artist in axes.get_lines()]


def test_a_slope_of_any_size_leaves_no_factor_above_its_axes() -> None:
    run = gdsim.simulate("1e20*(w - 3)^2", initial_weight=9, learning_rate=2e-21)
    figure = draw(run, "derivative")
    figure.draw_without_rendering()
    assert figure.axes[1].yaxis.get_offset_text().get_text() == ""
    assert any("×10" in label.get_text() for label in figure.axes[1].get_yticklabels())


def test_beside_axes_too_low_for_two_numbers_stands_zero_alone() -> None:
    with Look("slides").applied():
        axes = Figure(figsize=(5, 0.5)).add_axes((0.2, 0.0, 0.8, 1.0), ylim=(-50, 150))
        few_rows(axes)
        assert [tick for tick in axes.get_yticks() if -50 <= tick <= 150] == [0.0]


def test_steps_that_leave_a_map_are_arrows_with_number_and_weight() -> None:
    axes = draw(executed("ravine-divergence"), "contour").axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert any(text.startswith("step 4 and 24 more: y = −7.683") for text in texts)
    assert any(text.startswith("step 5 and 24 more: y = 10.76") for text in texts)


def test_a_legend_names_no_end_beyond_the_frame() -> None:
    figure = draw(executed("ravine-divergence"), "contour")
    assert "end" not in [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_step_beyond_a_corner_of_a_map_leaves_at_the_farther_side() -> None:
    axes = Figure().add_subplot(xlim=(0, 1), ylim=(0, 10))
    path = np.array([[0.5, 5.0], [-0.2, 11.0], [1.1, 15.0]])
    assert [[*SIDES, "inside"][side] for side in farthest_side(axes, path)] == ["inside", "left", "top"]


def test_a_start_at_the_frame_is_drawn_whole_and_its_number_inside() -> None:
    figure = draw(executed("slope-from-data"), "curve")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    start = next(artist for artist in axes.get_lines() if artist.get_label() == "start")
    assert start.get_xdata()[0] == axes.get_xlim()[0]
    assert not start.get_clip_on()
    number = next(text for text in axes.texts if text.get_text() == "0")
    assert number.get_window_extent().x0 >= axes.get_window_extent().x0


def test_a_critical_point_at_the_frame_is_drawn_whole() -> None:
    axes = draw(executed("logistic-map-four"), "curve").axes[0]
    mark = next(artist for artist in axes.get_lines() if artist.get_label() == "maximum")
    assert mark.get_xdata()[0] == axes.get_xlim()[0]
    assert not mark.get_clip_on()


def test_the_arrows_of_many_steps_let_the_curve_be_seen() -> None:
    def opacity(name: str) -> float:
        return max(arrow.get_alpha() for arrow in draw(executed(name), "curve").axes[0].patches)

    assert opacity("absolute-value") == 1.0
    assert opacity("parabola-overshoot") == 0.55  # a hundred steps, but most too short for an arrow
    assert opacity("logistic-map-chaos") < 0.2


def test_a_start_on_a_critical_point_is_larger_than_its_mark() -> None:
    axes = draw(executed("balanced-on-a-maximum"), "curve").axes[0]
    sizes = {artist.get_label(): artist.get_markersize() for artist in axes.get_lines()}
    assert sizes["start"] > sizes["maximum"]


def test_steps_that_leave_a_narrow_frame_on_both_sides_stand_below_each_other() -> None:
    figure = draw(executed("parabola-divergence"), "curve", look=Look("slides", "7.5x13"))
    figure.draw_without_rendering()
    left, right = (text for text in figure.axes[0].texts if text.get_text().startswith("step "))
    assert not left.get_window_extent().overlaps(right.get_window_extent())


def test_the_convergence_plot_shows_the_distance_to_the_loss_of_the_minimum() -> None:
    run = executed("double-well")
    data = line(draw(run, "convergence").axes[0], "run")
    np.testing.assert_array_equal(data[:, 1], run.trajectory.loss[:, 0])  # L(c) = 0


def test_the_theoretical_rate_is_the_squared_multiplier() -> None:
    labels = [
        artist.get_label() for artist in draw(executed("double-well"), "convergence").axes[0].get_lines()
    ]
    assert "theory: × 0.04 a step" in labels  # (1 − 0.1·8)² = 0.04


def test_the_contour_shows_the_path() -> None:
    run = executed("himmelblau-centre")
    data = line(draw(run, "contour").axes[0], "path")
    np.testing.assert_array_equal(data, run.trajectory.weight[:, :, 0])


@pytest.mark.parametrize("name", some(["double-well", "himmelblau-centre"], "double-well"))
def test_every_default_figure_renders_to_the_same_bytes_twice(name: str) -> None:
    assert default_files(executed(name)) == default_files(executed(name))


@pytest.mark.parametrize("format", [later("svg"), later("pdf"), "png"])
def test_every_format_renders_to_the_same_bytes_twice(format: str) -> None:
    first, second = (render(draw(executed("double-well"), "curve"), format) for _ in range(2))  # type: ignore[arg-type]
    assert first == second


@pytest.mark.parametrize("kind", PLOTS)
def test_a_plot_that_cannot_show_a_run_says_so(kind: str) -> None:
    run = executed("himmelblau-centre" if kind == "curve" else "double-well")
    if not PLOTS[kind].refusal(run):
        assert kind in default_kinds(run) or not PLOTS[kind].default
    else:
        with pytest.raises(InputError, match=r"shows \d"):
            draw(run, kind)


@pytest.mark.parametrize("kind", [kind for kind, plot in PLOTS.items() if plot.stepwise])
def test_a_build_up_stays_on_the_same_axes(kind: str) -> None:
    run = next(executed(name) for name in NAMES if not PLOTS[kind].refusal(executed(name)))
    frames = []
    for until in (0, 2, None):
        figure = draw(run, kind, until=until)
        figure.draw_without_rendering()
        frames.append(
            [(axes.get_position().bounds, axes.get_xlim(), axes.get_ylim()) for axes in figure.axes]
        )
    assert frames[0] == frames[1] == frames[2]


@pytest.mark.parametrize("kind", [kind for kind, plot in PLOTS.items() if plot.stepwise])
def test_what_is_shown_depends_on_the_position_alone(kind: str) -> None:
    run = next(executed(name) for name in NAMES if not PLOTS[kind].refusal(executed(name)))
    scene = staged(run, kind)
    for position in (scene.last, 0.5, 2):
        scene.show(position)
    assert render(scene.figure, "png") == render(draw(run, kind, until=2), "png")


def test_the_curve_marks_where_the_run_ends() -> None:
    run = executed("double-well")
    end = line(draw(run, "curve").axes[0], "end")
    assert end.tolist() == [[run.trajectory.weight[-1, 0, 0], run.trajectory.loss[-1, 0]]]


@pytest.mark.parametrize("kind", ["contour", "convergence"])
def test_between_two_steps_the_line_reaches_to_where_the_weight_is(kind: str) -> None:
    figure = draw(executed("himmelblau-centre"), kind, until=1.5)
    data = line(figure.axes[0], "path" if kind == "contour" else "run")
    assert len(data) == 3
    assert all(
        min(a, b) < middle < max(a, b)
        for middle, a, b in zip(data[2], data[1], next_point(kind), strict=True)
    )


def next_point(kind: str) -> np.ndarray:
    figure = draw(executed("himmelblau-centre"), kind, until=2)
    return line(figure.axes[0], "path" if kind == "contour" else "run")[2]


def test_an_unknown_kind_names_the_nearest_one() -> None:
    with pytest.raises(InputError, match="did you mean contour"):
        draw(executed("double-well"), "contur")


def test_the_window_is_the_domain_for_a_run_that_stands_still() -> None:
    assert window(np.array([0.0]), (-2.0, 2.0)) == (-2.0, 2.0)


def test_a_runaway_wall_is_cut_but_every_marked_point_stays_visible() -> None:
    values = np.concatenate([np.linspace(0, 1, 90), np.geomspace(1, 1e6, 10)])
    bottom, top = limits(values, np.array([0.5, 3.0]))
    assert bottom < 0 < 3.0 < top < 100.0


def test_every_kind_of_figure_and_of_point_is_documented() -> None:
    page = (Path(__file__).parent.parent / "docs" / "figures.md").read_text(encoding="utf-8")
    for name in (*PLOTS, *STYLES, *SIZES):
        assert f"| `{name}` |" in page
    for _, _, name in KINDS.values():
        assert f"| {name} |" in page


def test_a_format_that_there_is_not_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"unknown format 'jpg'; expected svg \| pdf \| png; did you mean png\?"
    ):
        render(draw(executed("double-well"), "curve"), "jpg")  # type: ignore[arg-type]


def test_words_for_a_figure_that_there_is_not_are_refused() -> None:
    with pytest.raises(InputError, match=r"unknown kind of figure 'curv'.*did you mean curve\?"):
        alt_text(executed("double-well"), "curv")


def test_a_dark_figure_keeps_its_ground_where_no_look_is_given():
    import matplotlib.image

    figure = executed("parabola").plot("curve", look=Look(style="slides-dark"))
    corner = matplotlib.image.imread(io.BytesIO(render(figure, "png")))[0, 0]
    assert corner == pytest.approx(figure.get_facecolor(), abs=0.5 / 255)
