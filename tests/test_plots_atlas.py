"""Atlases: each cell has the colour of its run, the limit stands where theory puts it, words say the rest."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
import sweep_examples as examples
from figure_texts import assert_texts_stand_apart
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tiers import later

from gdsim.outcomes import InputError
from gdsim.plots import atlas_png, draw_sweep, render, sweep_alt_text
from gdsim.plots.look import BASINS, LOST, VERDICTS
from gdsim.plots.sweeps.atlas import atlas_image, layout
from gdsim.plots.sweeps.cut import fix
from gdsim.plots.sweeps.limits import limits
from gdsim.plots.sweeps.raster import BY, rgb
from gdsim.plots.sweeps.scale import positions, ticks
from gdsim.sweeps.result import KINDS, AxisValues, SweepResult


def limit_line(axes: Axes) -> np.ndarray:
    (line,) = [line for line in axes.get_lines() if "/L" in str(line.get_label())]
    return np.asarray(line.get_xydata())


def legend_texts(figure: Figure) -> list[str]:
    return [re.sub(r"\s+", " ", text.get_text()) for text in figure.legends[0].get_texts()]


def test_each_pixel_has_the_colour_of_its_run_and_the_vertical_axis_grows_upwards() -> None:
    result = examples.parabola_atlas()  # start × η: η is horizontal although it is the second axis
    image = atlas_image(result)
    starts, rates = result.shape
    assert image.shape == (starts, rates, 3)
    verdict = result.grid("verdict")
    for start in range(starts):
        for rate in range(rates):
            colour = VERDICTS[KINDS[verdict[start, rate]]][0]
            assert image[starts - 1 - start, rate].tolist() == rgb(colour)


def test_beyond_the_limit_of_a_parabola_no_run_settled() -> None:
    result = examples.parabola_atlas()
    image = atlas_image(result)
    settled = (image == rgb(VERDICTS["minimum"][0])).all(axis=2)
    beyond = np.asarray(result.axes[1].values) > 1.0 + 1e-9
    assert not settled[:, beyond].any()
    assert settled[:, np.asarray(result.axes[1].values) < 1.0 - 1e-9].all()


def test_a_chosen_axis_turns_the_picture() -> None:
    result = examples.wells()
    upright = atlas_image(result)
    turned = atlas_image(result, axes=("initial_weight", "learning_rate"))
    np.testing.assert_array_equal(turned[::-1], upright[::-1].transpose(1, 0, 2))


def test_basins_are_coloured_by_the_minimum_reached() -> None:
    result = examples.wells()
    image = atlas_image(result, "basin")
    assert image[-1, 0].tolist() == rgb(BASINS[0])  # from −2 with a small η: w = −1
    assert image[0, 0].tolist() == rgb(BASINS[1])  # from 2: w = 1
    assert image[0, -1].tolist() == rgb(LOST)


def test_more_steps_are_darker() -> None:
    result = examples.tilted()
    image = atlas_image(result, "steps").astype(float).sum(axis=2)
    steps = result.grid("steps").T[::-1]
    row = int(np.abs(np.asarray(result.axes[1].values)[::-1] - 1.0).argmin())
    slow, fast = image[row, 10], image[row, 24]
    assert steps[row, 10] > steps[row, 24]
    assert slow < fast


def test_a_higher_final_loss_is_lighter() -> None:
    image = atlas_image(examples.tilted(), "loss").astype(float).sum(axis=2)
    assert image[-1, 0] < image[0, 0]  # −1.31 at w = −1.04, −0.71 at w = 0.96


def test_the_limit_stands_at_two_over_the_curvature() -> None:
    line = limit_line(draw_sweep(examples.parabola_atlas(), "atlas").axes[0])
    values = np.asarray(examples.parabola_atlas().axes[1].values)
    np.testing.assert_allclose(np.interp(line[:, 0], np.arange(values.size), values), 1.0)


def test_the_limit_follows_a_swept_momentum() -> None:
    result = examples.momentum()  # L = 2: 2(1 + β)/L = 1 + β
    line = limit_line(draw_sweep(result, "atlas").axes[0])
    rates, momenta = (np.asarray(axis.values) for axis in result.axes)
    shown = ~np.isnan(line[:, 0])
    rate = np.interp(line[shown, 0], np.arange(rates.size), rates)
    np.testing.assert_allclose(rate, 1 + momenta[shown])


def test_minima_of_different_curvature_have_limits_of_their_own() -> None:
    found = limits(examples.tilted())
    assert [round(float(limit.rate), 4) for limit in found] == [0.2255, 0.2832]
    assert found[0].words == "2/L = 0.2255 at w = −1.036"


def test_minima_of_one_curvature_share_a_limit() -> None:
    (limit,) = limits(examples.wells())
    assert limit.words == "2/L = 0.25"


def test_no_limit_for_an_adaptive_rule_or_a_schedule() -> None:
    result = examples.wells()
    for change in (
        {"update_rule": result.scenario.update_rule._replace(name="adam", options={})},
        {"learning_rate": result.scenario.learning_rate._replace(schedule="cosine")},
    ):
        assert limits(replace(result, scenario=replace(result.scenario, **change))) == ()


def test_the_legend_says_each_kind_in_words_with_its_share() -> None:
    result = examples.parabola_atlas()
    texts = legend_texts(draw_sweep(result, "atlas"))
    share = 100 * result.verdicts["minimum"] / result.runs
    assert texts[0] == f"settled at minimum w = 0 {share:.1f} %"
    assert any(text.startswith("diverged · ") for text in texts)
    assert "2/L = 1" in texts


def test_the_legend_names_the_minima_of_the_basins() -> None:
    texts = legend_texts(draw_sweep(examples.wells(), "atlas", by="basin"))
    assert any(text.startswith("settled at minimum w = −1") for text in texts)
    assert any(text.startswith("settled at maximum w = 0") for text in texts)


def test_the_largest_regions_bear_the_letter_of_the_legend() -> None:
    axes = draw_sweep(examples.himmelblau(), "atlas", by="basin").axes[0]
    letters = {text.get_text(): text.get_position() for text in axes.texts}
    assert set(letters) == {"A", "B", "C", "D"}
    x, y = letters["B"]  # the basin of (3, 2) is the upper right quarter
    assert x > 20 < y


def test_a_third_axis_gives_a_panel_for_each_value() -> None:
    figure = draw_sweep(examples.cube(), "atlas")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["momentum = 0", "momentum = 0.3", "momentum = 0.6", "momentum = 0.9"]
    limit = [limit_line(axes)[0, 0] for axes in figure.axes]
    rates = np.asarray(examples.cube().axes[1].values)
    expected = positions(examples.cube().axes[1], 2 * (1 + np.array([0, 0.3, 0.6, 0.9])) / 8)
    np.testing.assert_allclose(limit, expected)
    assert rates.size > max(limit)


def test_fixing_an_axis_takes_the_nearest_value_and_the_caption_says_it() -> None:
    figure = draw_sweep(examples.cube(), "atlas", fix={"update_rule.momentum": 0.55})
    assert len(figure.axes) == 1
    assert figure.get_supxlabel().endswith("momentum = 0.6")
    np.testing.assert_array_equal(
        atlas_image(fix(examples.cube(), {"update_rule.momentum": 0.55})),
        atlas_image(fix(examples.cube(), {"update_rule.momentum": 0.6})),
    )


def four_axes() -> SweepResult:
    result = examples.cube()
    columns = {name: np.concatenate([column, column]) for name, column in result.columns.items()}
    return replace(
        result, axes=(AxisValues("seed", np.array([0.0, 1.0])), *result.axes), columns=columns, tail=None
    )


def test_axes_too_many_say_what_to_fix() -> None:
    with pytest.raises(
        InputError, match=r"an atlas shows 3 axes, this sweep has 4.*such as initial_weight=0"
    ):
        draw_sweep(four_axes(), "atlas", axes=("learning_rate", "update_rule.momentum", "seed"))
    with pytest.raises(InputError, match=r"a pixel-exact atlas shows 2 axes.*update_rule.momentum=0.6"):
        atlas_image(examples.cube())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "step"}, "did you mean steps"),
        ({"axes": ("learning_rate",)}, "two or three axes, not 1; expected the horizontal"),
        ({"axes": ("learning_rate", "initial_wait")}, "did you mean initial_weight"),
        ({"axes": ("learning_rate", "learning_rate")}, "differ"),
        ({"fix": {"seeds": 1}}, "no axis 'seeds'"),
        ({"fix": {"learning_rate": 7}}, "outside the sweep"),
        ({"fix": {"learning_rate": "fast"}}, "has numbers"),
    ],
)
def test_wrong_options_are_errors(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        draw_sweep(examples.wells(), "atlas", **options)


def test_an_atlas_needs_a_grid() -> None:
    with pytest.raises(InputError, match="needs a grid"):
        draw_sweep(replace(examples.wells(), method="zip"), "atlas")


def test_runs_that_share_no_critical_points_have_no_basins() -> None:
    with pytest.raises(InputError, match=r"verdict \| steps \| loss"):
        draw_sweep(replace(examples.wells(), critical_points=()), "atlas", by="basin")


def test_the_learning_rate_is_horizontal_and_the_shortest_axis_gives_the_panels() -> None:
    plan = layout(examples.cube())
    assert plan.panels is not None
    assert (plan.horizontal.path, plan.vertical.path) == ("learning_rate", "initial_weight")
    assert plan.panels.path == "update_rule.momentum"


def test_ticks_stand_at_round_values() -> None:
    axis = AxisValues("learning_rate", np.geomspace(0.002, 1, 541), logarithmic=True)
    where, labels = ticks(axis)
    values = np.exp(np.interp(where, np.arange(541), np.log(np.asarray(axis.values))))
    np.testing.assert_allclose(values, [float(label) for label in labels], rtol=1e-9)
    assert labels == ["0.003", "0.01", "0.03", "0.1", "0.3", "1"]


def test_ticks_of_few_values_and_of_words_are_the_values() -> None:
    assert ticks(AxisValues("learning_rate", np.array([0.1, 0.7, 0.2])))[1] == ["0.1", "0.7", "0.2"]
    assert ticks(AxisValues("update_rule", ("adam", "sign_descent"))) == (
        [0.0, 1.0],
        ["adam", "sign descent"],
    )


def test_positions_on_a_falling_axis() -> None:
    axis = AxisValues("learning_rate", np.array([3.0, 2.0, 1.0]))
    np.testing.assert_array_equal(positions(axis, np.array([2.5, 0.4])), [0.5, np.nan])


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("name", ["tilted", later("cube")])
def test_texts_neither_collide_nor_leave_the_figure(name: str, by: str) -> None:
    assert_texts_stand_apart(draw_sweep(getattr(examples, name)(), "atlas", by=by))


@pytest.mark.parametrize("name", ["momentum", "ripples", "many_momenta", later("wells"), later("himmelblau")])
def test_every_scene_is_drawn(name: str) -> None:
    assert_texts_stand_apart(draw_sweep(getattr(examples, name)(), "atlas", by="steps"))


def test_an_svg_embeds_the_picture_cell_for_cell_and_has_the_same_bytes_twice() -> None:
    first, second = (render(draw_sweep(examples.wells(), "atlas"), "svg") for _ in range(2))
    assert first == second
    (data,) = re.findall(rb'<image [^>]*href="data:image/png;base64,\s*([^"]*)"', first)
    import base64

    picture = matplotlib.image.imread(io.BytesIO(base64.b64decode(data)))
    assert picture.shape[:2] == examples.wells().shape[::-1]


def test_the_words_for_an_atlas_name_the_loss_the_axes_and_how_the_runs_ended() -> None:
    said = sweep_alt_text(examples.wells(), "atlas")
    assert "Loss " in said
    assert "Axes: learning_rate with" in said
    assert f"Verdicts of {examples.wells().runs} runs: minimum" in said


def test_the_png_holds_one_pixel_for_each_run() -> None:
    data = atlas_png(examples.wells())
    assert b"Software" not in data
    picture = matplotlib.image.imread(io.BytesIO(data))
    np.testing.assert_array_equal((255 * picture[:, :, :3]).round(), atlas_image(examples.wells()))


def test_a_picture_of_millions_of_runs_is_drawn_by_the_means_of_blocks() -> None:
    result = examples.wells(48, 27)
    big = replace(
        result,
        axes=(
            AxisValues("learning_rate", np.linspace(0.01, 0.6, 48 * 60)),
            AxisValues("initial_weight", np.linspace(-2, 2, 27 * 60)),
        ),
        columns={
            name: np.kron(result.grid(name), np.ones((60, 60), result.columns[name].dtype)).ravel()
            for name in ("status", "verdict", "basin")
        },
        tail=None,
    )
    (picture,) = draw_sweep(big, "atlas").axes[0].images
    assert picture.get_extent() == [-0.5, 48 * 60 - 0.5, -0.5, 27 * 60 - 0.5]
    drawn = np.asarray(picture.get_array())
    assert drawn.shape == (810, 1440, 3)  # blocks of 2 × 2
    np.testing.assert_array_equal(drawn[15::30, 15::30], atlas_image(result)[::-1])


def test_minima_whose_limits_cannot_be_told_apart_share_a_line() -> None:
    (limit,) = limits(examples.ripples())
    assert limit.words == "2/L = 0.2198 to 0.2298 (9 minima)"


def test_more_basins_than_colours_have_shades_of_their_own() -> None:
    result = examples.ripples()
    image = atlas_image(result, "basin")
    basins = len(set(result.columns["basin"].tolist()))  # those that are nowhere among them
    assert len(np.unique(image.reshape(-1, 3), axis=0)) == basins > len(BASINS)
