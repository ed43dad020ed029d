"""V-curve, ruler, sharpness, surface and race: what is drawn equals closed forms and what was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from figure_texts import assert_texts_stand_apart
from matplotlib.axes import Axes
from matplotlib.text import Text
from shipped import executed
from tiers import some

import gdsim
from gdsim.derivatives import derivative_method
from gdsim.derivatives.comparison import automatic_step, v_curve
from gdsim.losses import Loss
from gdsim.outcomes import InputError
from gdsim.plots import PLOTS, STYLES, Look, draw, picture
from gdsim.plots.heights import scale
from gdsim.plots.racers import lowest_loss
from gdsim.plots.ruler import multiplier
from gdsim.plots.sharpness import limit
from gdsim.plots.vcurve import truncation

KINDS = ("surface", "ruler", "sharpness", "vcurve")
NAMES = (
    "double-well", "parabola-divergence", "cosh-cliff", "absolute-value", "relu-dead", "plateau",
    "logistic-map-chaos", "himmelblau-centre", "rosenbrock", "ravine-momentum", "iris-two-weights",
)  # fmt: skip
RACES = {
    "rules": ("ravine", "ravine-momentum", "ravine-adagrad", "ravine-best-rate", "ravine-divergence"),
    "rates": ("double-well", "double-well-cycle", "double-well-beyond-limit", "double-well-chaos"),
    "lengths": ("rosenbrock", "rosenbrock-momentum"),
}


def line(axes: Axes, start: str) -> np.ndarray:
    found = [artist for artist in axes.get_lines() if str(artist.get_label()).startswith(start)]
    assert len(found) == 1, (start, [artist.get_label() for artist in axes.get_lines()])
    return np.asarray(found[0].get_xydata())


def parabola(**choices: Any) -> gdsim.Run:
    settings: dict[str, Any] = {"initial_weight": 1.0, "learning_rate": 0.25, "domain": [-2, 2]}
    return gdsim.simulate("2w^2", **(settings | choices))  # L = 4


# V-curve


def test_the_errors_drawn_are_those_of_the_v_curve() -> None:
    measured = v_curve(executed("double-well").loss, {"w": 0.5}, "w")
    axes = draw(executed("double-well"), "vcurve").axes[0]
    for scheme, words in (("forward", "forward"), ("central", "central"), ("five_point", "five-point")):
        data = line(axes, words)
        np.testing.assert_array_equal(data[:, 0], measured.step)
        seen = measured.error[scheme] > 2.0**-53 * abs(measured.exact)
        np.testing.assert_array_equal(data[seen, 1], measured.error[scheme][seen])


@pytest.mark.parametrize(
    ("scheme", "power", "constant"), [("forward", 1, 1 / 2), ("central", 2, 1 / 6), ("five_point", 4, 1 / 30)]
)
def test_truncation_of_the_exponential_has_the_constant_of_taylor(
    scheme: str, power: int, constant: float
) -> None:
    measured = v_curve(Loss.from_text("exp(w)"), {"w": 0.0}, "w")
    found = truncation(measured.step, measured.error[scheme], power)
    assert found == pytest.approx(constant, rel=0.02)


def test_rounding_is_the_loss_times_epsilon_over_h() -> None:
    data = line(draw(executed("double-well"), "vcurve").axes[0], "rounding")
    np.testing.assert_allclose(data[:, 0] * data[:, 1], 2.0**-52 * 0.5625, rtol=1e-14)


def test_a_star_marks_the_least_error() -> None:
    measured = v_curve(executed("cosh-cliff").loss, {"w": 10.0}, "w")
    axes = draw(executed("cosh-cliff"), "vcurve").axes[0]
    for scheme in ("forward", "central", "five_point"):
        (star,) = line(axes, f"_best {scheme}")
        assert star[0] == measured.step[np.argmin(measured.error[scheme])]


@pytest.mark.parametrize("weight", [1.0, 0.01, 300.0])
@pytest.mark.parametrize("scheme", ["forward", "backward", "central", "five_point"])
def test_the_automatic_step_gives_what_the_automatic_method_gives(scheme: str, weight: float) -> None:
    loss = Loss.from_text("sin(w) + exp(w/100)")
    step, error = automatic_step(loss, {"w": weight}, "w", scheme)
    point = np.array([[weight]])
    exact = derivative_method("analytic").bind(loss)(point, {}, None).gradient
    chosen = derivative_method("numeric", scheme=scheme).bind(loss)(point, {}, None).gradient
    fixed = derivative_method("numeric", scheme=scheme, step=step).bind(loss)(point, {}, None).gradient
    assert error == abs(chosen - exact)[0, 0]
    np.testing.assert_allclose(fixed, chosen, rtol=1e-12)


def test_the_v_curve_looks_where_it_is_told() -> None:
    run = executed("double-well")
    measured = v_curve(run.loss, {"w": float(run.trajectory.weight[3, 0, 0])}, "w")
    data = line(draw(run, "vcurve", at=[3]).axes[0], "forward")
    np.testing.assert_array_equal(data[:20, 1], measured.error["forward"][:20])
    with pytest.raises(InputError, match="looks at one step"):
        draw(run, "vcurve", at=[0, 3])


def test_the_v_curve_of_several_weights_names_the_one_that_moves() -> None:
    assert draw(executed("rosenbrock"), "vcurve").axes[0].get_ylabel() == "error of ∂L/∂x at x = −1.2"


def test_a_python_function_has_no_v_curve() -> None:
    run = gdsim.simulate(lambda w: (w - 3) ** 2, initial_weight=0, learning_rate=0.1)
    with pytest.raises(InputError, match="vcurve needs a formula"):
        draw(run, "vcurve")


# Ruler


def test_the_ruler_draws_the_multiplier_and_the_run_upon_it() -> None:
    axes = draw(parabola(learning_rate=0.4), "ruler").axes[0]
    data = line(axes, "|1 − ηL|")
    np.testing.assert_allclose(data[:, 1], np.abs(1 - 4 * data[:, 0]), atol=1e-12)
    np.testing.assert_allclose(line(axes, "_run"), [[0.4, 0.6]], rtol=1e-12)
    words = [text.get_text() for text in axes.texts]
    assert {"monotone", "oscillating", "diverging", "1/L\n0.25", "2/L\n0.5"} < set(words)


def test_the_bands_of_the_ruler_end_at_one_and_two_over_the_curvature() -> None:
    axes = draw(parabola(), "ruler").axes[0]
    edges = sorted({round(patch.get_x(), 12) for patch in axes.patches})  # type: ignore[attr-defined]
    assert edges == [0.0, 0.25, 0.5]


def test_the_flattest_direction_stands_beside_the_sharpest() -> None:
    axes = draw(executed("ravine"), "ruler").axes[0]
    data = line(axes, "flattest direction")
    np.testing.assert_allclose(data[:, 1], np.abs(1 - 0.2 * data[:, 0]), rtol=1e-9)


@pytest.mark.parametrize("rule", [{"name": "momentum", "momentum": 0.6, "dampening": 0.3},
                                  {"name": "nesterov", "momentum": 0.6}])  # fmt: skip
def test_the_factor_with_momentum_is_the_eigenvalue_of_the_step(rule: dict[str, Any]) -> None:
    run = parabola(update_rule=rule)
    product = np.linspace(0.0, 5.0, 41)
    nesterov, kept = rule["name"] == "nesterov", 1 - rule.get("dampening", 0.0)
    for value, found in zip(product, multiplier(run.batch, product), strict=True):
        memory = np.array([kept * value, 0.6])  # v′ from (w, v), with η = 1
        step = np.array([value, 0.0]) + 0.6 * memory if nesterov else memory
        matrix = np.stack([np.array([1.0, 0.0]) - step, memory])
        assert found == pytest.approx(np.abs(np.linalg.eigvals(matrix)).max(), abs=1e-7)
    assert run.ruler is not None
    assert multiplier(run.batch, np.array([run.ruler.bound * 4.0]))[0] == pytest.approx(1.0, abs=1e-9)


def test_a_run_without_a_ruler_is_told_so() -> None:
    with pytest.raises(InputError, match="ruler needs a run that settled at a minimum"):
        draw(executed("parabola-divergence"), "ruler")


# Sharpness


def test_the_sharpness_is_the_second_derivative_and_the_limit_two_over_the_rate() -> None:
    run = executed("double-well")
    axes = draw(run, "sharpness").axes[0]
    data = line(axes, "d²L/dw²")
    np.testing.assert_allclose(data[:, 1], 12 * run.trajectory.weight[:, 0, 0] ** 2 - 4, rtol=1e-12)
    np.testing.assert_allclose(line(axes, "2/η")[:, 1], 20.0)


def test_the_limit_moves_with_a_schedule_and_grows_with_momentum() -> None:
    schedule = {"schedule": "exponential", "initial": 0.1, "gamma": 0.9}
    bound, name = limit(parabola(learning_rate=schedule, stopping={"max_steps": 5}))
    assert name == "2/η"
    np.testing.assert_allclose(bound[:4], 2 / (0.1 * 0.9 ** np.arange(4)))
    bound, name = limit(parabola(update_rule={"name": "momentum", "momentum": 0.5}))
    assert name == "3/η"
    np.testing.assert_allclose(bound, 12.0)


def test_adaptive_rules_have_no_limit() -> None:
    assert limit(executed("ravine-adagrad"))[1] == ""


def test_a_curvature_that_turns_negative_and_ranges_widely_is_symmetrically_logarithmic() -> None:
    run = gdsim.simulate("w^6 - w^2", initial_weight=5.0, learning_rate=1e-4, domain=[-6, 6])
    axes = draw(run, "sharpness").axes[0]
    data = line(axes, "d²L/dw²")
    assert axes.get_yscale() == "log"  # it stays positive down to the minimum
    np.testing.assert_allclose(data[:, 1], 30 * run.trajectory.weight[:, 0, 0] ** 4 - 2, rtol=1e-12)
    steep = gdsim.simulate(
        "w^4 - w^2", initial_weight=0.01, learning_rate=15, domain=[-60, 60], stopping={"max_steps": 20}
    )
    assert draw(steep, "sharpness").axes[0].get_yscale() == "symlog"


# Surface


def himmelblau(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def test_the_path_lies_on_the_surface_between_steps_too() -> None:
    run = executed("himmelblau-centre")
    axes = draw(run, "surface").axes[0]
    (path,) = [artist for artist in axes.get_lines() if artist.get_label() == "path"]
    x, y, height = (np.asarray(part) for part in path.get_data_3d())  # type: ignore[attr-defined]
    assert x.size > run.trajectory.step_index.size
    top = axes.get_zlim()[1]  # type: ignore[attr-defined]
    np.testing.assert_allclose(height, np.minimum(himmelblau(x, y), top), rtol=1e-12, atol=1e-12)


def test_the_start_is_drawn_in_front_of_the_surface() -> None:
    axes = draw(executed("himmelblau-centre"), "surface").axes[0]
    assert not axes.computed_zorder  # type: ignore[attr-defined]
    (start,) = [artist for artist in axes.get_lines() if artist.get_label() == "start"]
    assert start.get_zorder() > max(artist.get_zorder() for artist in axes.collections)
    np.testing.assert_allclose(np.ravel(start.get_data_3d()), [0.0, 0.0, 170.0])  # type: ignore[attr-defined]


def test_runaway_walls_are_pressed_together_and_what_is_marked_stays_within() -> None:
    values = np.geomspace(1e-2, 1e12, 400)
    height = scale(values, np.array([0.0, 50.0]))
    assert height.unit > 0
    assert height.bottom == 0.0
    assert np.all(np.diff(height(np.array([0.0, 1e-2, 1.0, 50.0]))) > 0)
    assert np.isnan(height(np.array([np.inf, np.nan]))).all()


# Race


def test_a_line_of_a_race_ends_where_the_run_has_evaluated_its_last_gradient() -> None:
    runs = [executed(name) for name in RACES["rules"]]
    axes = draw(runs, "race").axes[1]
    for run, drawn in zip(runs, axes.get_lines(), strict=True):
        data = np.asarray(drawn.get_xydata())
        assert data[0, 0] == 1
        assert data[-1, 0] == run.trajectory.gradient_evaluations[0]
        np.testing.assert_array_equal(data[:, 1], run.trajectory.loss[:, 0])  # the minimum is 0


def test_a_race_measures_from_the_lowest_minimum_that_any_run_knows() -> None:
    left, right = executed("forrester-left"), executed("forrester-right")
    lowest, known = lowest_loss([left, right])
    minimum = min(point.loss for point in right.critical_points if point.kind == "minimum")
    assert known
    assert lowest == pytest.approx(minimum, rel=1e-14)


def test_the_legend_of_a_race_says_what_sets_runs_apart_and_the_caption_what_they_share() -> None:
    runs = [executed(name) for name in RACES["rules"][:3]]
    figure = draw(runs, "race")
    (legend,) = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    assert [text.get_text() for text in legend.get_texts()] == [
        "gradient descent, η = 0.4: minimum", "momentum 0.5, η = 0.6: minimum", "adagrad, η = 1: minimum",
    ]  # fmt: skip
    assert "start x = −5, y = −2" in figure.get_supxlabel()
    assert "η" not in figure.get_supxlabel()


def test_clipping_line_search_and_what_methods_cost_beside_gradients_are_said() -> None:
    choices: tuple[dict[str, Any], ...] = (
        {}, {"clip": {"norm": 1}}, {"line_search": "armijo"}, {"update_rule": "newton", "learning_rate": 0.9},
        {"derivative": {"method": "numeric", "scheme": "forward", "step": 1e-6}},
    )  # fmt: skip
    runs = [parabola(**({"learning_rate": 0.1} | choice)) for choice in choices]
    words = [line.get_label() for line in draw(runs, "race").axes[1].get_lines()]
    losses = [int(run.trajectory.loss_evaluations[0]) for run in runs]
    assert "clipped at norm 1" in words[1]
    assert f"line search (armijo): minimum (+ {losses[2]} losses)" in words[2]
    assert f"(+ {int(runs[3].trajectory.gradient_evaluations[0])} Hessians)" in words[3]
    assert f"(+ {losses[4]} losses)" in words[4]


def test_the_paths_of_a_race_are_those_of_the_runs() -> None:
    runs = [executed(name) for name in RACES["rules"][:3]]
    paths = [drawn for drawn in draw(runs, "race").axes[2].get_lines() if drawn.get_label() == "_path"]
    for run, drawn in zip(runs, paths, strict=True):
        np.testing.assert_array_equal(drawn.get_xydata(), run.trajectory.weight[:, :, 0])


def test_every_run_of_a_race_has_a_look_of_its_own() -> None:
    runs = [parabola(learning_rate=0.05 * rate) for rate in range(1, 9)]
    looks = [(one.get_color(), str(one.get_linestyle()), one.get_marker())
             for one in draw(runs, "race").axes[1].get_lines()]  # fmt: skip
    assert len(set(looks)) == 8
    assert len({marker for *_, marker in looks}) == 8


def test_runs_of_different_losses_do_not_race() -> None:
    with pytest.raises(InputError, match="rosenbrock has another loss than ravine"):
        draw([executed("ravine"), executed("rosenbrock")], "race")
    other = gdsim.simulate("3w^2", initial_weight=1.0, learning_rate=0.1)
    with pytest.raises(InputError, match="another loss"):
        draw([parabola(), other], "race")


@pytest.mark.parametrize("number", [1, 9])
def test_a_race_is_between_two_and_eight(number: int) -> None:
    with pytest.raises(InputError, match=f"between 2 and 8 runs, not {number}"):
        draw([executed("double-well")] * number, "race")


# All of them


@pytest.mark.parametrize("style", some(STYLES, "slides", "paper"))
@pytest.mark.parametrize("name", some(NAMES, "cosh-cliff", "himmelblau-centre", "ravine-momentum"))
def test_texts_neither_collide_nor_leave_the_figure(name: str, style: str) -> None:
    for kind in KINDS:
        if not PLOTS[kind].refusal(executed(name)):
            with Look(style).applied():
                assert_texts_stand_apart(draw(executed(name), kind, look=Look(style)))


@pytest.mark.parametrize("style", some(STYLES, "slides", "paper"))
@pytest.mark.parametrize("race", RACES)
def test_texts_of_a_race_neither_collide_nor_leave_the_figure(race: str, style: str) -> None:
    look = Look(style)
    with look.applied():
        figure = draw([executed(name) for name in RACES[race]], "race", look=look)
        assert_texts_stand_apart(figure)
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
    assert min(sizes) >= look.sheet()["font.size"]


def test_functions_of_python_are_drawn_where_a_formula_is_not_needed() -> None:
    def bowl(x: float, y: float) -> float:
        return (x - 1) ** 2 + 3 * y**2

    runs = [
        gdsim.simulate(bowl, initial_weight={"x": -1, "y": 1}, learning_rate=rate) for rate in (0.1, 0.3, 0.4)
    ]
    for kind in ("surface", "sharpness", "ruler"):
        assert picture(runs[0], kind, "png")[:4] == b"\x89PNG"
    assert picture(runs, "race", "png")[:4] == b"\x89PNG"
    np.testing.assert_allclose(line(draw(runs[0], "sharpness").axes[0], "largest")[:, 1], 6.0, rtol=1e-4)


def test_an_infinite_start_is_drawn() -> None:
    run = gdsim.simulate("1/w", initial_weight=0.0, learning_rate=0.1, domain=[-1, 1])
    assert run.status == "NONFINITE"
    for kind in ("sharpness", "vcurve"):
        assert picture(run, kind, "png")[:4] == b"\x89PNG"
    assert picture([run, run], "race", "png")[:4] == b"\x89PNG"
