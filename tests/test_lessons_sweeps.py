"""Figures of sweeps in lessons: made in memory, the same in the terminal, on pages and in notebooks."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import matplotlib.image
import pytest
from click.testing import CliRunner

from gdsim.cli import main
from gdsim.lessons.check import check_course
from gdsim.lessons.course import Course
from gdsim.lessons.export import export
from gdsim.lessons.model import Experiment
from gdsim.lessons.progress import Record
from gdsim.lessons.scaffold import scaffold
from gdsim.lessons.session import Session, ShownSweep
from gdsim.lessons.sweeps import sweep_of
from gdsim.outcomes import InputError
from gdsim.page.lesson_data import Laboratories, lessons_data
from gdsim.page.lesson_pages import lesson_page

NAME = "01-all-kinds"
AXES = {"learning_rate": "lin(0.1,1.2,24)", "initial_weight": "lin(-2,2,10)"}


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course of one lesson whose second step, look, shows an atlas; made where nothing else is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GDSIM_HOME", str(tmp_path / "home"))
    file = scaffold(tmp_path / "course", NAME)[0]
    text = file.read_text(encoding="utf-8")
    assert "plot: curve, at: [0]" in text
    shown = f"settings: {{initial_weight: 3}}, plot: atlas, axes: {json.dumps(AXES)}"
    file.write_text(text.replace("plot: curve, at: [0]", shown), encoding="utf-8")
    return Course(tmp_path / "course")


def learn(*words: str) -> str:
    given = ["learn", "all-kinds", "--course", "course", *words]
    result = CliRunner().invoke(main, given, prog_name="gdsim", input="\n")
    assert result.exit_code == 0, result.output
    return result.output


def test_the_sweep_is_that_of_the_scenario_with_its_settings_and_nothing_is_written(course: Course) -> None:
    lesson = course.lesson(NAME)
    before = [*Path().rglob("*")]
    made = sweep_of(lesson, Experiment("parabola", {"stopping.max_steps": 7}), {"learning_rate": "0.1,0.01"})
    assert made.columns["steps"].tolist() == [7, 7]
    assert made.engine == "numpy"
    assert [*Path().rglob("*")] == before


def test_axes_that_only_the_scenario_has_are_named(course: Course) -> None:
    with pytest.raises(InputError, match="the scenario sweeps over initial_weight, too"):
        sweep_of(course.lesson(NAME), Experiment("quartic-atlas"), {"learning_rate": "0.1,0.2"})


def test_a_lesson_with_a_sweep_passes_the_check(course: Course) -> None:
    assert check_course(course)[0] == []


def test_a_step_shows_the_sweep(course: Course) -> None:
    session = Session(course.lesson(NAME), course.catalogue(NAME), course.phrases(), Record(at="look"))
    (shown,) = [block for block in session.show() if isinstance(block, ShownSweep)]
    assert (shown.plot, shown.result.shape) == ("atlas", (24, 10))


def test_the_terminal_draws_it_in_signs_and_writes_it_beside(course: Course, tmp_path: Path) -> None:
    said = learn("--figures", "pictures")
    assert "upwards start w" in said
    assert "# diverged" in said
    assert f"The figure: {Path('pictures', NAME, 'look.svg')}" in said
    assert "<svg" in (tmp_path / "pictures" / NAME / "look.svg").read_text(encoding="utf-8")


def test_plain_mode_says_it_in_words(course: Course) -> None:
    said = " ".join(learn("--plain").split())
    assert "what became of the runs over two axes" in said
    assert "Axes: learning_rate with 24 values from 0.1 to 1.2; initial_weight with 10 values" in said
    assert "│" not in said


def test_a_markdown_page_has_it_as_a_file_with_words(course: Course) -> None:
    files = export(course, NAME, "markdown")
    assert files[f"{NAME}/look.svg"].startswith(b"<?xml")
    (line,) = [line for line in files[f"{NAME}.md"].decode().splitlines() if "look.svg" in line]
    assert line.startswith("![")
    assert "Verdicts of 240 runs" in line


def test_a_notebook_does_the_sweep_and_draws_it(course: Course) -> None:
    cells = json.loads(export(course, NAME, "notebook")[f"{NAME}.ipynb"])["cells"]
    (code,) = ["".join(cell["source"]) for cell in cells if "gdsim.sweep" in "".join(cell["source"])]
    assert "overrides=['initial_weight=3']" in code
    assert code.endswith("result.plot('atlas')")
    found: dict[str, object] = {}
    exec(f"import gdsim\n{code}", found)
    shown = sweep_of(course.lesson(NAME), Experiment("parabola"), AXES)
    assert repr(found["result"]) == repr(shown)


def test_a_page_holds_it_as_a_small_picture_with_words(course: Course) -> None:
    steps = lessons_data(course, [NAME], "en", Laboratories())["lessons"][0]["steps"]
    (step,) = [step for step in steps if step["name"] == "look"]
    kind, _, content = step["picture"].partition(",")
    assert kind == "data:image/png;base64"
    assert len(content) < 80_000
    assert matplotlib.image.imread(io.BytesIO(base64.b64decode(content))).shape[1] > 1100
    assert "Verdicts of 240 runs" in step["alt"]


def test_only_a_page_with_a_picture_may_show_one(course: Course) -> None:
    page = lesson_page(NAME, course=course)
    assert page == lesson_page(NAME, course=course)
    assert "img-src data:;" in page
    assert "img-src" not in lesson_page("01-nudges")
