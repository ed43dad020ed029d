"""Ensembles over seeds, and which figures suit which sweep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sweep_examples as examples
from figure_texts import assert_texts_stand_apart
from matplotlib.axes import Axes

from gdsim.outcomes import InputError
from gdsim.plots import SWEEP_PLOTS, default_sweep_files, default_sweep_kinds, draw_sweep
from gdsim.plots.sweeps import defaults
from gdsim.plots.sweeps.cut import fix
from gdsim.plots.sweeps.ensemble import held_losses
from gdsim.sweeps.result import AxisValues, SweepResult


def drawn(axes: Axes, label: str) -> np.ndarray:
    (line,) = [line for line in axes.get_lines() if line.get_label() == label]
    return np.asarray(line.get_xydata())


def by_rule() -> SweepResult:
    """The noisy sweep with words on its second axis."""
    result = examples.noisy()
    rules = ("adam", "adagrad", "rmsprop", "momentum", "nesterov", "sign_descent")
    return replace(result, axes=(result.axes[0], AxisValues("update_rule", rules)))


def test_the_median_over_seeds_is_drawn_with_lost_runs_above_all_others() -> None:
    result = examples.noisy()
    loss = np.where(np.isin(result.grid("status"), (0, 1)), 1e300, result.grid("loss"))
    expected = np.quantile(loss, 0.5, axis=0, method="inverted_cdf")
    median = drawn(draw_sweep(result, "ensemble").axes[0], "median")[:, 1]
    lost = expected == 1e300
    np.testing.assert_array_equal(median[~lost], expected[~lost])
    assert np.isnan(median[lost]).all()
    assert lost.any()


def test_where_runs_settled_a_second_panel_shows_the_steps() -> None:
    figure = draw_sweep(examples.noisy_parabola(), "ensemble")
    assert [axes.get_ylabel() for axes in figure.axes] == ["final loss", "steps to settle"]
    assert drawn(figure.axes[1], "median")[9] == pytest.approx([0.5, 1.0])  # 1/L: one step


def test_seeds_alone_are_drawn_in_ascending_order() -> None:
    result = examples.seeds_alone()
    data = drawn(draw_sweep(result, "ensemble").axes[0], "seeds")
    np.testing.assert_array_equal(data[:, 1], np.sort(result.columns["loss"]))
    assert data[-1, 0] == 100.0


def test_whole_trajectories_give_bands_of_the_loss_against_the_step() -> None:
    result = examples.recorded()
    figure = draw_sweep(result, "ensemble")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["η = 0.01", "η = 0.05", "η = 0.2"]
    losses = held_losses(result).reshape(-1, 60, 3)[:, :, 0]
    expected = np.quantile(losses, 0.5, axis=1, method="inverted_cdf")
    np.testing.assert_array_equal(drawn(figure.axes[0], "median")[:, 1], expected)


def test_a_run_that_ended_keeps_its_last_loss_and_a_lost_one_has_none() -> None:
    result = examples.recorded()
    held = held_losses(result)
    lost = np.isin(result.columns["status"], (0, 1))
    assert np.isinf(held[-1, lost]).all()
    np.testing.assert_array_equal(held[-1, ~lost], result.columns["loss"][~lost])


def test_fixing_an_axis_keeps_the_trajectories_of_its_runs() -> None:
    part = fix(examples.recorded(), {"learning_rate": 0.05})
    assert held_losses(part).shape[1] == part.runs == 60


def test_words_on_the_other_axis_are_ticks() -> None:
    axes = draw_sweep(by_rule(), "ensemble").axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()][-1] == "sign\ndescent"


@pytest.mark.parametrize("make", [
    examples.noisy, examples.noisy_parabola, examples.seeds_alone, examples.recorded, by_rule,
])  # fmt: skip
def test_texts_neither_collide_nor_leave_the_figure(make: object) -> None:
    assert_texts_stand_apart(draw_sweep(make(), "ensemble"))  # type: ignore[operator]


def test_an_ensemble_needs_seeds() -> None:
    with pytest.raises(InputError, match="seed=0,1,2,3"):
        draw_sweep(examples.wells(), "ensemble")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wells", ("atlas",)),
        ("cube", ("atlas",)),
        ("himmelblau", ("atlas",)),
        ("parabola", ("profile", "bifurcation")),
        ("noisy", ("ensemble",)),
        ("noisy_parabola", ("profile", "ensemble")),
        ("seeds_alone", ("ensemble",)),
    ],
)
def test_the_kinds_that_suit_a_sweep(name: str, expected: tuple[str, ...]) -> None:
    assert default_sweep_kinds(getattr(examples, name)()) == expected


def test_a_sweep_at_random_over_the_learning_rate_has_a_profile() -> None:
    assert default_sweep_kinds(replace(examples.parabola(), method="random")) == ("profile", "bifurcation")


def test_a_race_of_update_rules_has_an_atlas_and_a_profile() -> None:
    result = examples.momentum()
    rules = AxisValues("update_rule", tuple(f"rule {place}" for place in range(20)))
    assert default_sweep_kinds(replace(result, axes=(result.axes[0], rules))) == ("atlas", "profile")


def test_a_small_atlas_is_written_as_svg_by_verdict_basin_and_steps() -> None:
    files = default_sweep_files(examples.wells(12, 9))
    assert list(files) == ["atlas-verdict.svg", "atlas-basin.svg", "atlas-steps.svg"]
    assert all(data.startswith(b"<?xml") for data in files.values())


def test_a_large_atlas_is_written_as_png_with_a_pixel_for_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defaults, "_CELLS", 300)
    files = default_sweep_files(examples.parabola_atlas())
    assert list(files) == [
        "atlas-verdict.png", "atlas-verdict-pixels.png", "atlas-steps.png", "atlas-steps-pixels.png",
    ]  # fmt: skip
    assert all(data.startswith(b"\x89PNG") for data in files.values())
    width, height = (int.from_bytes(files["atlas-steps-pixels.png"][at : at + 4]) for at in (16, 20))
    assert (width, height) == (31, 12)


def test_every_kind_of_sweep_figure_is_documented() -> None:
    page = (Path(__file__).parent.parent / "docs" / "figures.md").read_text(encoding="utf-8")
    for kind, plot in SWEEP_PLOTS.items():
        assert f"| `{kind}` |" in page
        assert plot.summary
        for by in filter(None, plot.by):
            assert f"| `{by}` |" in page


def test_an_unknown_kind_names_the_nearest_one() -> None:
    with pytest.raises(InputError, match="did you mean atlas"):
        draw_sweep(examples.wells(), "atlass")
