"""Bifurcations and profiles: drawn is what the runs did; landmarks stand where theory puts them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sweep_examples as examples
from figure_texts import assert_texts_stand_apart
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh

from gdsim.outcomes import InputError
from gdsim.plots import draw_sweep
from gdsim.plots.sweeps.bifurcation import attractor, density
from gdsim.plots.sweeps.profile import goldilocks
from gdsim.sweeps.result import AxisValues, SweepResult


def drawn(axes: Axes, label: str) -> np.ndarray:
    (line,) = [line for line in axes.get_lines() if line.get_label() == label]
    return np.asarray(line.get_xydata())


def strips(axes: Axes) -> dict[str, tuple[float, float]]:
    """For each ending the ends of its strips."""
    ends: dict[str, tuple[float, float]] = {}
    for patch in axes.patches:
        low, high = ends.get(str(patch.get_gid()), (np.inf, -np.inf))
        ends[str(patch.get_gid())] = (
            min(low, patch.get_x()),
            max(high, patch.get_x() + patch.get_width()),
        )
    return ends


def many(result: SweepResult, times: int) -> SweepResult:
    """The same runs several times over, as an axis of seeds."""
    seed = AxisValues("seed", np.arange(float(times)))
    columns = {name: np.tile(column, times) for name, column in result.columns.items()}
    tail = None if result.tail is None else np.tile(result.tail, (times, 1, 1))
    return replace(result, axes=(seed, *result.axes), columns=columns, tail=tail)


def test_below_the_limit_all_weights_stand_at_the_minimum_and_beyond_two_swing() -> None:
    points = drawn(draw_sweep(examples.logistic(), "bifurcation").axes[0], "last weights")
    settled = points[points[:, 0] < 1.97]
    np.testing.assert_allclose(settled[:, 1], 1.0, atol=1e-6)
    swinging = points[(points[:, 0] > 2.1) & (points[:, 0] < 2.4)]
    rate = swinging[:, 0]  # x → r·x·(1 − x) with r = 1 + η, w = x·r/η; its cycle of two in closed form
    r = 1 + rate
    root = np.sqrt((r - 3) * (r + 1))
    both = np.stack([(r + 1 + root) / (2 * rate), (r + 1 - root) / (2 * rate)])
    assert np.abs(both - swinging[:, 1]).min(axis=0).max() < 1e-6
    for rate_ in np.unique(rate):
        assert np.ptp(swinging[rate == rate_, 1]) > 0.1


def test_chaos_fills_the_interval_that_the_map_keeps() -> None:
    x, points, shares = attractor(examples.logistic(), examples.logistic().axes[0])
    last = points[(x > 2.9) & (x < 3.0), 0]
    assert last.min() > 0
    assert last.max() < 4 / 3
    assert np.unique(last.round(6)).size > 200
    assert shares.sum() == pytest.approx((examples.logistic().columns["status"] > 1).sum())


def test_lost_runs_are_a_strip_and_no_points() -> None:
    axes = draw_sweep(examples.logistic(), "bifurcation").axes[0]
    assert drawn(axes, "last weights")[:, 0].max() < 3.0 + 1e-9
    ((low, _),) = strips(axes).values()
    assert low == pytest.approx(3.0, abs=0.01)


def test_the_limit_stands_where_the_line_splits() -> None:
    axes = draw_sweep(examples.logistic(), "bifurcation").axes[0]
    np.testing.assert_allclose(drawn(axes, "2/L = 2")[:, 0], 2.0)


def test_many_points_are_drawn_as_density() -> None:
    few, lots = examples.logistic(), many(examples.logistic(), 12)
    assert not [c for c in draw_sweep(few, "bifurcation").axes[0].collections if isinstance(c, QuadMesh)]
    (mesh,) = [c for c in draw_sweep(lots, "bifurcation").axes[0].collections if isinstance(c, QuadMesh)]
    picture = np.asarray(mesh.get_array())
    assert picture.shape[1] == 300
    assert picture.max(axis=0)[np.asarray(few.axes[0].values) < 2.99] == pytest.approx(1.0)


def test_the_density_is_that_of_the_points() -> None:
    axis = AxisValues("learning_rate", np.array([1.0, 2.0]))
    x, y = np.array([1.0, 1.0, 1.0, 2.0]), np.array([0.101, 0.102, 0.9, 0.5])
    (_, heights), picture = density(x, y, np.array([0.5, 0.5, 0.5, 1.0]), axis, (0.0, 1.0))
    assert picture.shape[1] == 2
    middle = 0.5 * (heights[1:] + heights[:-1])
    full = picture.max(axis=1) == 1.0
    np.testing.assert_allclose(sorted(middle[full]), [0.1, 0.5], atol=0.02)


def test_without_tails_the_final_weights_are_drawn() -> None:
    result = replace(examples.parabola(), tail=None)
    points = drawn(draw_sweep(result, "bifurcation").axes[0], "last weights")
    settled = np.asarray(result.axes[0].values) < 0.96
    np.testing.assert_array_equal(points[: settled.sum(), 1], result.columns["w"][settled])


def test_each_weight_has_a_panel() -> None:
    figure = draw_sweep(examples.himmelblau_line(), "bifurcation")
    assert [axes.get_ylabel() for axes in figure.axes] == ["last weights x", "last weights y"]


def test_runs_along_another_axis_are_drawn_together() -> None:
    points = drawn(draw_sweep(examples.wells(), "bifurcation").axes[0], "last weights")
    slow = points[points[:, 0] < 0.02, 1]
    assert {-1.0, 0.0, 1.0} == set(slow.round(3).tolist())


def test_the_goldilocks_rate_of_a_parabola_is_one_over_its_curvature() -> None:
    axes = draw_sweep(examples.parabola(), "profile").axes[0]
    np.testing.assert_allclose(drawn(axes, "Goldilocks"), [[0.5, 1.0]])
    np.testing.assert_allclose(drawn(axes, "1/L = 0.5")[:, 0], 0.5)
    np.testing.assert_allclose(drawn(axes, "2/L = 1")[:, 0], 1.0)


def test_the_profile_shows_the_steps_of_settled_runs_alone() -> None:
    result = examples.parabola()
    data = drawn(draw_sweep(result, "profile").axes[0], "steps")
    settled = np.isfinite(data[:, 1])
    np.testing.assert_array_equal(data[settled, 1], result.columns["steps"][settled])
    np.testing.assert_array_equal(settled, result.columns["status"] == 2)  # CONVERGED


def test_strips_say_how_the_others_ended() -> None:
    found = strips(draw_sweep(examples.parabola(), "profile").axes[0])
    assert found["diverged"][0] == pytest.approx(1.03)
    assert found["cycles"] == pytest.approx((0.99, 1.01))
    assert found["took all its steps"][0] == pytest.approx(0.01)


def test_a_start_on_the_maximum_is_not_the_best() -> None:
    steps = np.array([[0.0, 30.0]])
    assert goldilocks(steps, np.array([[False, True]])) == 1
    assert goldilocks(steps, np.array([[False, False]])) is None


def test_of_equally_good_rates_the_middle_one_is_marked() -> None:
    steps = np.array([[9.0, 4.0, 4.0, 4.0, 7.0]])
    assert goldilocks(steps, np.ones((1, 5), dtype=bool)) == 2


def test_seeds_give_the_median_with_bands() -> None:
    result = examples.noisy_parabola()
    axes = draw_sweep(result, "profile").axes[0]
    steps = np.where(result.grid("status") == 2, result.grid("steps"), 10**6)
    expected = np.quantile(steps, 0.5, axis=0, method="inverted_cdf")
    np.testing.assert_array_equal(drawn(axes, "steps")[:, 1], expected)
    bands = {band.get_label(): band for band in axes.collections}
    for label, low, high in (("10–90 % of the seeds", 0.1, 0.9), ("25–75 % of the seeds", 0.25, 0.75)):
        corners = bands[label].get_paths()[0].vertices
        for share, pick in ((low, np.min), (high, np.max)):
            at_half = corners[np.isclose(corners[:, 0], 0.45), 1]
            edge = np.quantile(steps[:, 8], share, method="inverted_cdf")
            assert pick(at_half) == edge


def test_another_axis_gives_lines_with_a_legend() -> None:
    figure = draw_sweep(examples.momentum(), "profile")
    labels = [line.get_label() for line in figure.axes[0].get_lines()]
    assert [label for label in labels if str(label).startswith("momentum")] == [
        "momentum = 0", "momentum = 0.25", "momentum = 0.5", "momentum = 0.7", "momentum = 0.95",
    ]  # fmt: skip
    assert any("momentum = 0.25" in text.get_text() for text in figure.legends[0].get_texts())


def test_runs_at_random_are_points() -> None:
    result = replace(examples.parabola(), method="random")
    axes = draw_sweep(result, "profile").axes[0]
    (line,) = [line for line in axes.get_lines() if line.get_label() == "steps"]
    assert line.get_linestyle() == "None"


def test_where_nothing_settled_the_profile_says_so() -> None:
    axes = draw_sweep(examples.noisy(), "profile").axes[0]
    assert [text.get_text() for text in axes.texts] == ["no run settled"]


@pytest.mark.parametrize(
    ("name", "kind", "options", "message"),
    [
        ("himmelblau", "profile", {}, "needs an axis learning_rate"),
        ("cube", "profile", {"axes": ("seed",) * 3}, "one or two axes, not 3; expected the learning rate"),
        ("cube", "ensemble", {"axes": ("seed",) * 2}, "one axis beside the seed, not 2; expected one path"),
        ("cube", "profile", {}, r"a profile shows 2 axes, this sweep has 3.*fixed, such as initial_weight=0"),
        ("cube", "curve", {}, r"curve shows a run, not a sweep; expected atlas \|"),
        ("cube", "bifurcation", {"axes": ("seed",)}, "no axis 'seed'"),
        ("cube", "bifurcation", {"axes": ("learning_rate", "seed")}, "one axis is drawn"),
        ("wells", "profile", {"by": "steps"}, "no colouring"),
    ],
)
def test_what_cannot_be_drawn_is_an_error(name: str, kind: str, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        draw_sweep(getattr(examples, name)(), kind, **options)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("parabola", "profile"), ("tilted", "profile"), ("noisy_parabola", "profile"),
        ("logistic", "bifurcation"), ("himmelblau_line", "bifurcation"), ("tilted", "bifurcation"),
    ],
)  # fmt: skip
def test_texts_neither_collide_nor_leave_the_figure(name: str, kind: str) -> None:
    assert_texts_stand_apart(draw_sweep(getattr(examples, name)(), kind))
