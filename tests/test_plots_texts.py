"""On every figure in every style all texts are in the picture, apart from each other, and large enough."""

from __future__ import annotations

from itertools import islice, product
from pathlib import Path

import pytest
import sweep_examples as examples
from figure_texts import assert_texts_are_large_enough, assert_texts_stand_apart
from matplotlib.figure import Figure
from shipped import executed
from tiers import some

import gdsim
from gdsim.outcomes import InputError
from gdsim.plots import PLOTS, STYLES, SWEEP_PLOTS, Look, draw, draw_sweep
from gdsim.plots.text import loss_words
from gdsim.runs import Run
from gdsim.scenario import shipped_scenarios
from gdsim.sweeps.result import SweepResult

#: runs in which something is hard to place: steps that leave the frame, crowds, long formulas and titles,
#: weights far from 0, a run of no steps
HARD = (
    "double-well", "parabola-divergence", "cosh-cliff", "absolute-value", "relu-dead", "plateau",
    "logistic-map-chaos", "saturated-neuron", "slope-from-data-divergence", "himmelblau-centre", "rosenbrock",
    "valley", "iris-two-weights", "camel-global", "engel-raw",
)  # fmt: skip
#: runs of one loss each, for kinds that show several
TOGETHER = (
    ("parabola", "parabola-overshoot", "parabola-too-slow"), ("ravine", "ravine-momentum", "ravine-adagrad"),
)  # fmt: skip
SWEEPS = (
    "tilted", "cube", "wells", "parabola", "parabola_atlas", "logistic", "himmelblau", "himmelblau_line",
    "momentum", "noisy", "noisy_parabola", "seeds_alone", "recorded", "ripples", "many_momenta",
)  # fmt: skip
ONE_SWEEP = {"ensemble": "noisy"}  # of a kind that the tilted wells do not suit
SINGLE = [kind for kind, plot in PLOTS.items() if not plot.several]
OTHER_SIZES = ("4:3", "square", "two-column", "column", "12x6")


def assert_legible(figure: Figure, look: Look) -> None:
    assert_texts_stand_apart(figure)
    assert_texts_are_large_enough(figure, look.sheet()["font.size"])


def hardest(kind: str) -> list[Run]:
    """The first two runs of the hard ones that a kind can show."""
    return [*islice((run for run in map(executed, HARD) if not PLOTS[kind].refusal(run)), 2)]


@pytest.mark.parametrize("kind", SINGLE)
@pytest.mark.parametrize("style", some(STYLES, "slides", "paper"))
def test_texts_of_a_figure(kind: str, style: str) -> None:
    look = Look(style)
    for run in hardest(kind):
        assert_legible(draw(run, kind, look=look), look)


@pytest.mark.integration
@pytest.mark.parametrize(("style", "size"), [*product(STYLES, OTHER_SIZES)])
def test_texts_in_other_sizes(style: str, size: str) -> None:
    look = Look(style, size)
    try:
        look.sheet()
    except InputError:
        pytest.skip("the text is too large")
    for kind in SINGLE:
        for run in hardest(kind):
            assert_legible(draw(run, kind, look=look), look)
    for kind in SWEEP_PLOTS:
        assert_sweep_legible(ONE_SWEEP.get(kind, "tilted"), look, kind)


@pytest.mark.release
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", [*shipped_scenarios()])
def test_texts_of_every_shipped_scenario(name: str, style: str) -> None:
    look, run = Look(style), executed(name)
    for kind in SINGLE:
        if not PLOTS[kind].refusal(run):
            assert_legible(draw(run, kind, look=look), look)


@pytest.mark.parametrize("kind", [kind for kind, plot in PLOTS.items() if plot.several])
@pytest.mark.parametrize("style", some(STYLES, "slides", "paper"))
def test_texts_where_runs_are_together(kind: str, style: str) -> None:
    look = Look(style)
    for names in TOGETHER:
        runs = [executed(name) for name in names]
        if not any(map(PLOTS[kind].refusal, runs)):
            assert_legible(draw(runs, kind, look=look), look)


@pytest.mark.parametrize("term", ["(w - {})^2", "abs(w - {})", "where(w > {}, w - 1, w/2)"])
@pytest.mark.parametrize("style", STYLES)
def test_a_long_formula_is_broken_into_lines_that_fit(style: str, term: str) -> None:
    loss = " + ".join(term.format(k) for k in range(9))
    run = gdsim.simulate(loss, initial_weight=0.5, learning_rate=0.01)
    look = Look(style)
    assert_legible(draw(run, "curve", look=look), look)


def test_a_long_mean_is_broken_inside_its_brackets() -> None:
    first, second = loss_words(executed("iris-two-weights").loss, 45.0)
    assert first.endswith(r"\mathrm{petal\_width}_{i})$")
    assert second.startswith("$- ")


def test_a_loss_of_the_library_that_fits_no_caption_is_named(tmp_path: Path) -> None:
    file = tmp_path / "far.yaml"
    file.write_text("loss: goldstein_price\nlearning_rate: 1e-6\ninitial_weight: {x: 1, y: 0.5}\n")
    run = gdsim.run(file)
    assert draw(run, "contour", look=Look("paper")).get_supxlabel().startswith("L = goldstein_price")


def test_the_formulas_of_derivatives_fit_a_column() -> None:
    look = Look("paper")
    assert_legible(draw(executed("saturated-neuron"), "derivative", look=look), look)


@pytest.mark.parametrize("style", STYLES)
def test_of_a_formula_too_long_for_two_lines_the_beginning_is_shown(style: str) -> None:
    loss = " + ".join(f"(w - {k})^2/{k + 3}" for k in range(40))
    run = gdsim.simulate(loss, initial_weight=0.5, learning_rate=0.01)
    look = Look(style)
    figure = draw(run, "curve", look=look)
    assert_legible(figure, look)
    assert figure.get_supxlabel().startswith("$L = ")
    assert r"\ldots$" in figure.get_supxlabel()


def test_fractions_are_large_where_the_formula_stands_on_one_line() -> None:
    short, long = (
        loss_words(gdsim.simulate(loss, initial_weight=1, learning_rate=0.1).loss)
        for loss in (" + ".join(f"(w - {k})^2/3" for k in range(terms)) for terms in (2, 24))
    )
    assert [len(short), len(long)] == [1, 2]
    assert r"\dfrac" in short[0]
    assert r"\frac" in long[0]


def pictures(result: SweepResult) -> list[tuple[str, str]]:
    return [(kind, by) for kind, plot in SWEEP_PLOTS.items() if plot.suits(result) for by in plot.by]


def assert_sweep_legible(name: str, look: Look, only: str = "") -> None:
    result: SweepResult = getattr(examples, name)()
    for kind, by in pictures(result):
        if name in ("cube", "many_momenta") and kind != "atlas":
            continue  # an axis too many
        if only in ("", kind):
            assert_legible(draw_sweep(result, kind, by=by, look=look), look)


@pytest.mark.parametrize("kind", SWEEP_PLOTS)
@pytest.mark.parametrize("style", some(STYLES, "slides", "paper"))
def test_texts_of_a_sweep(kind: str, style: str) -> None:
    assert_sweep_legible(ONE_SWEEP.get(kind, "tilted"), Look(style), kind)


@pytest.mark.release
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", SWEEPS)
def test_texts_of_every_sweep(name: str, style: str) -> None:
    assert_sweep_legible(name, Look(style))
