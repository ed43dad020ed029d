"""V-curve: what is drawn equals closed forms and what was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from figure_texts import assert_texts_stand_apart
from matplotlib.axes import Axes
from shipped import executed
from tiers import some

import gdsim
from gdsim.derivatives import derivative_method
from gdsim.derivatives.comparison import automatic_step, v_curve
from gdsim.losses import Loss
from gdsim.outcomes import InputError
from gdsim.plots import PLOTS, STYLES, Look, draw, picture
from gdsim.plots.vcurve import truncation

KINDS = ("vcurve",)
NAMES = (
    "double-well", "parabola-divergence", "cosh-cliff", "absolute-value", "relu-dead", "plateau",
    "logistic-map-chaos", "himmelblau-centre", "rosenbrock", "ravine-momentum", "iris-two-weights",
)  # fmt: skip


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


# All of them


@pytest.mark.parametrize("style", some(STYLES, "slides", "paper"))
@pytest.mark.parametrize("name", some(NAMES, "cosh-cliff", "himmelblau-centre", "ravine-momentum"))
def test_texts_neither_collide_nor_leave_the_figure(name: str, style: str) -> None:
    for kind in KINDS:
        if not PLOTS[kind].refusal(executed(name)):
            with Look(style).applied():
                assert_texts_stand_apart(draw(executed(name), kind, look=Look(style)))


def test_an_infinite_start_is_drawn() -> None:
    run = gdsim.simulate("1/w", initial_weight=0.0, learning_rate=0.1, domain=[-1, 1])
    assert run.status == "NONFINITE"
    for kind in ("vcurve",):
        assert picture(run, kind, "png")[:4] == b"\x89PNG"
