"""What is on the slides, as data, before any format."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from shipped import executed
from slide_examples import deck
from tiers import some

from gdsim.outcomes import InputError
from gdsim.plots import PLOTS
from gdsim.scenario import shipped_scenarios
from gdsim.slides import Entry, Words, assemble, figures
from gdsim.slides.charts import scale
from gdsim.slides.content import PARTS, all_kinds, run_slides
from gdsim.slides.model import Chart, Formula, Lines, Picture, Slide, Table, picture_of
from gdsim.slides.words import clean

NAMES = (
    "parabola", "double-well", "cosh-cliff", "saddle", "iris-two-weights", "relu-dead", "rosenbrock-momentum",
    "logistic-map-chaos", "noise-frees-it", "forrester-left",
)  # fmt: skip


def slides(name: str, *kinds: str, steps: tuple[int, ...] = ()) -> list[Slide]:
    return run_slides(Entry(executed(name), kinds, steps))


def chart(slide: Slide) -> Chart:
    assert isinstance(slide.visual, Chart)
    return slide.visual


@pytest.mark.parametrize("name", some([*shipped_scenarios()], *NAMES))
def test_every_run_makes_slides_with_titles_words_and_finite_numbers(name: str) -> None:
    made = slides(name)
    assert len(made) >= 4
    for slide in made:
        assert slide.title
        assert slide.notes
        for part in slide.parts:
            if isinstance(part, Chart | Picture | Table):
                assert part.alt
            figure = picture_of(part) if isinstance(part, Chart | Picture) else None
            assert not isinstance(figure, Picture) or not PLOTS[figure.kind].refusal(figure.run)
            if isinstance(part, Chart):
                assert all(map(math.isfinite, [*(part.x_limits or ()), *(part.y_limits or ())]))
                for series in part.series:
                    assert len(series.x) == len(series.y)
                    assert all(map(math.isfinite, [*series.x, *series.y]))
            if isinstance(part, Table):
                assert part.rows
                assert len({len(row) for row in (part.head or part.rows[0], *part.rows)}) == 1


def test_the_titles_of_a_run_tell_its_slides_apart() -> None:
    titles = [slide.title for slide in slides("parabola")]
    assert len(set(titles)) == len(titles)


def test_the_build_up_grows_on_the_same_axes() -> None:
    made = [chart(slide) for slide in slides("double-well", "steps", steps=(0, 1, 5))]
    assert len({(one.x_limits, one.y_limits) for one in made}) == 1
    paths = [next(series for series in one.series if series.role == "path") for one in made]
    assert [len(path.x) for path in paths] == [1, 2, 6]
    np.testing.assert_array_equal(paths[-1].x, executed("double-well").trajectory.weight[:6, 0, 0])


def test_a_build_up_of_two_weights_is_a_picture_up_to_each_step() -> None:
    made = slides("saddle", "steps", steps=(0, 3))
    assert [slide.visual.until for slide in made if isinstance(slide.visual, Picture)] == [0, 3]


def test_steps_beyond_the_end_show_the_end_once() -> None:
    titles = [slide.title for slide in slides("parabola", "steps", steps=(0, 42, 100, 999))]
    assert [title.rpartition(": ")[2] for title in titles] == ["start", "step 42"]


def test_a_build_up_says_the_slope_and_the_step_that_follows_from_it() -> None:
    words = next(part for part in slides("parabola", "steps")[0].parts if isinstance(part, Lines))
    texts = [line.text for line in words.lines]
    assert texts == ["w = 10", "slope L′ = 20", "step −η·L′ = −4: left"]


def test_a_build_up_of_two_weights_gives_each_a_line() -> None:
    (start, *_) = slides("saddle", "steps")
    lines = next(part for part in start.parts if isinstance(part, Lines)).lines
    assert [line.text for line in lines if line.weight == "lead"] == ["x = 1.5", "y = 0"]


def test_the_default_build_up_of_a_diverging_run_stays_in_the_frame() -> None:
    assert [slide.title.rpartition(" ")[2] for slide in slides("parabola-divergence", "steps")][-1] == "10"


def test_the_loss_is_logarithmic_where_it_spans_decades() -> None:
    loss = chart(slides("parabola", "loss")[0])
    assert loss.log_y
    assert loss.series[0].y == tuple(executed("parabola").trajectory.loss[:, 0])
    assert not chart(slides("parabola-boundary", "loss")[0]).log_y


def test_an_exact_zero_is_left_out_of_a_logarithmic_chart() -> None:
    run = executed("parabola")
    loss = run.trajectory.loss.copy()
    loss[-1] = 0.0
    ended = replace(run, trajectory=replace(run.trajectory, loss=loss))
    shown = chart(run_slides(Entry(ended, ("loss",)))[0])
    assert shown.log_y
    assert len(shown.series[0].y) == len(loss) - 1


def test_a_long_trajectory_is_thinned_and_keeps_its_ends() -> None:
    trajectory = executed("rosenbrock").trajectory
    series = chart(slides("rosenbrock", "weight")[0]).series[0]
    assert len(series.x) <= 400
    assert (series.x[0], series.x[-1]) == (0.0, float(trajectory.step_index[-1]))


@pytest.mark.parametrize(
    ("name", "one", "bound"),
    [("parabola", 0.5, 1.0), ("parabola-divergence", 0.5, 1.0), ("parabola-too-slow", 0.5, 1.0),
     ("double-well-cycle", 0.125, 0.25)],
)  # fmt: skip
def test_the_ruler_measures_runs_whether_they_settled(name: str, one: float, bound: float) -> None:
    found = scale(executed(name))
    assert found is not None
    assert found.one == pytest.approx(one)
    assert found.bound == pytest.approx(bound)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "parabola-divergence",
            "η is above 2/L = 1 at w = 10: a step there overshoots by more than the distance",
        ),
        (
            "double-well-cycle",
            "η is above 2/L = 0.25 at w = 1: a step there overshoots by more than the distance",
        ),
        (
            "parabola-boundary",
            "η is exactly 2/L = 1 at w = 0: a step there lands as far beyond as it was before",
        ),
    ],
)
def test_the_ruler_says_what_a_large_rate_does_at_a_place_and_not_to_the_run(name: str, words: str) -> None:
    lines = slides(name, "ruler")[0].parts[0]
    assert isinstance(lines, Lines)
    assert lines.lines[1].text.startswith(words)


def test_there_is_no_ruler_where_two_over_l_says_nothing() -> None:
    assert scale(executed("saddle")) is None
    assert slides("saddle", "ruler") == []


@pytest.mark.parametrize("kind", ["loss", "weight"])
def test_a_run_without_a_step_has_no_chart_by_step(kind: str) -> None:
    assert slides("relu-dead", kind) == []


def test_a_long_path_is_cut_where_its_steps_lie_on_top_of_one_another() -> None:
    series = chart(slides("noise-frees-it", "curve")[0]).series
    assert max(len(one.x) for one in series if one.role == "path") == 200
    assert series[-1].name == "step\u00a0500"


def test_the_marked_row_of_the_critical_points_is_where_the_run_settled() -> None:
    table = next(part for part in slides("double-well", "points")[0].parts if isinstance(part, Table))
    assert table.marked is not None
    assert table.rows[table.marked][:2] == ("minimum", "w = 1")


def test_evidence_beyond_the_room_below_a_long_verdict_stands_in_the_notes() -> None:
    (slide,) = slides("himmelblau-rejected", "verdict")
    table = slide.parts[1]
    assert isinstance(table, Table)
    assert [name for name, _ in table.rows] == ["steps", "period", "values"]
    assert "learning rate η: 0.02" in slide.notes


def test_many_critical_points_are_cut_to_what_is_legible_and_it_is_said() -> None:
    slide = slides("rippled-parabola", "points")[0]
    words, table = slide.parts
    assert isinstance(words, Lines)
    assert isinstance(table, Table)
    assert words.lines[0].text.startswith("79 critical points")
    assert len(table.rows) == 7
    assert table.marked is not None


def test_a_formula_stands_there_in_every_notation() -> None:
    formula = slides("double-well", "scenario")[0].parts[0]
    assert isinstance(formula, Formula)
    assert formula.text == "L = (w² − 1)²"
    assert formula.latex == "L = (w^{2} - 1)^{2}"
    assert formula.mathml.count("<math") == 1


def test_a_long_formula_is_text_that_breaks_into_lines() -> None:
    words = slides("iris-two-weights", "scenario")[0].parts[0]
    assert isinstance(words, Lines)
    assert words.lines[0].text.startswith("L = mean(softplus(b + u·petal_length + v·petal_width) − ")


def test_a_deck_begins_with_its_title_and_ends_with_the_runs_side_by_side() -> None:
    made = deck("parabola", "parabola-divergence")
    assert made.slides[0].opening
    (table,) = made.slides[-1].parts
    assert isinstance(table, Table)
    assert [row[-1] for row in table.rows] == ["minimum", "diverged"]


def test_the_title_of_a_single_run_is_that_of_the_deck() -> None:
    assert deck("parabola").title == "A healthy decay"
    assert assemble([Words("A", ("b",))], "Given").title == "Given"


def test_notes_of_an_entry_come_first() -> None:
    made = run_slides(Entry(executed("parabola"), ("verdict",), notes="Ask first."))
    assert made[0].notes[0] == "Ask first."


def test_a_figure_that_cannot_show_the_run_is_an_error_that_names_those_that_can() -> None:
    with pytest.raises(InputError, match=r"contour cannot show A healthy decay.*convergence"):
        slides("parabola", "contour")


def test_every_kind_of_slide_is_known() -> None:
    assert {*PARTS, "contour", "convergence"} <= set(all_kinds())


def test_figures_are_drawn_once_and_have_names_that_every_system_takes() -> None:
    names = [picture.name for picture in deck("parabola", "saddle").pictures]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() and name.isascii() for name in names)


def test_a_chart_that_no_figure_stands_for_is_drawn_itself() -> None:
    visual = chart(slides("parabola", "weight")[0])
    assert visual.picture is None
    drawn = figures.drawn(picture_of(visual), "svg", "slides")
    assert drawn == figures.sketch(visual, "svg")
    assert b"<svg" in drawn


@pytest.mark.parametrize(
    ("space", "size"), [((9.0, 5.0), (9.0, 5.0)), ((20.0, 10.0), (12.3, 6.15)), ((3.5, 4.5), (7.0, 9.0))]
)
def test_a_picture_is_drawn_for_the_space_that_a_template_leaves(
    space: tuple[float, float], size: tuple[float, float]
) -> None:
    drawn = figures.picture(executed("parabola"), "curve", "png", space=space)
    with Image.open(io.BytesIO(drawn)) as image:
        assert [side / image.info["dpi"][0] for side in image.size] == pytest.approx(size, abs=0.02)


def test_a_sketch_of_the_ruler_shows_its_bands() -> None:
    (_, visual) = slides("parabola", "ruler")[0].parts
    assert isinstance(visual, Chart)
    assert figures.sketch(visual, "png", "slides-dark")[:4] == b"\x89PNG"


@pytest.mark.parametrize("text", ["\x00a\x1b", "a\ud800b", "a\u202eb", "a\n\tb"])
def test_clean_text_has_no_sign_that_a_file_cannot_hold(text: str) -> None:
    assert clean(text).isprintable()
    clean(text).encode()
