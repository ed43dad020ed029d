"""Lessons as Markdown pages and as notebooks: whole, filled in, and running."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import tiers
from click.testing import CliRunner

from gdsim.cli import main
from gdsim.lessons.answers import solution
from gdsim.lessons.course import SHIPPED, Course
from gdsim.lessons.export import export
from gdsim.lessons.practice import Practice
from gdsim.lessons.scaffold import scaffold
from gdsim.outcomes import InputError

COURSE = Course(SHIPPED)
DEFAULT = ("01-nudges", "13-learning-rate")
LESSONS = tiers.some(COURSE.names, *DEFAULT)


def gdsim(*words: str) -> Any:
    return CliRunner().invoke(main, words, prog_name="gdsim")


def page(name: str, form: Any = "markdown") -> tuple[str, dict[str, bytes]]:
    made = export(COURSE, name, form)
    return next(iter(made.values())).decode("utf-8"), made


def cells(name: str, kind: str = "") -> list[dict[str, Any]]:
    made = json.loads(page(name, "notebook")[0])["cells"]
    return [cell for cell in made if kind in ("", cell["cell_type"])]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


@pytest.mark.parametrize("name", LESSONS)
def test_a_page_has_every_text_filled_in_and_every_figure(name: str) -> None:
    text, files = page(name)
    lesson, texts = COURSE.lesson(name), COURSE.catalogue(name)
    assert text.startswith(f"# {texts.title}\n\n{texts.summary}\n")
    assert "{{" not in text
    assert "export-" not in text
    pictures = re.findall(r"^!\[(.+)\]\((.+)\)$", text, re.MULTILINE)
    assert {path for _, path in pictures} == {*files} - {f"{name}.md"}
    assert all("Loss" in words for words, _ in pictures)
    questions, _, answers = text.partition("\n## Hints and solutions\n")
    for number, step in enumerate(lesson.steps, 1):
        assert re.search(rf"^## {number}( · |$)", questions, re.MULTILINE)
        hints = len(texts.parts(step.name, "hint"))
        found = re.search(rf"^### {number} · .*?(?=^### |\Z)", answers, re.MULTILINE | re.DOTALL)
        assert (found is not None) == step.graded
        if found:
            assert found[0].count("<details>") == found[0].count("</details>") == hints + 1
    assert "<details>" not in questions


def test_stars_of_formulas_are_no_emphasis() -> None:
    assert "\nSolution: `2*x*exp(x) + x^2*exp(x)`\n" in page("05-rules")[0]
    said = Practice("chain-rule").check("sine", "2*y*x")
    assert "\\*" not in str(said)
    assert said.right is None


def test_a_page_does_not_answer_its_predictions_before_the_end() -> None:
    questions, _, answers = page("13-learning-rate")[0].partition("\n## Hints and solutions\n")
    assert "$ gdsim run parabola-divergence --no-plot\n```" in questions
    assert "$ gdsim run parabola-divergence --no-plot\nDIVERGED" in answers


@pytest.mark.parametrize("name", LESSONS)
def test_the_runs_of_a_page_say_what_it_shows(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```console\n\$ gdsim (.*)\n((?:.*\n)*?)```$", page(name)[0], re.MULTILINE)
    assert blocks
    for line, shown in blocks:
        if shown:
            said = gdsim(*shlex.split(line)).stdout
            assert " ".join(shown.split()) in " ".join(said.split()), line


@pytest.mark.parametrize("form", ["markdown", "notebook"])
def test_the_same_lesson_gives_the_same_bytes(form: Any) -> None:
    assert export(COURSE, "01-nudges", form) == export(COURSE, "01-nudges", form)


def test_what_is_typed_in_the_tutorial_is_a_command_of_a_shell_elsewhere() -> None:
    names = ("08-pitfalls", "09-by-numbers", "14-two-over-l", "19-beyond")
    texts = [page(name)[0] for name in names] + [source(cell) for name in names for cell in cells(name)]
    typed = re.findall(r"(?:`|^ {4})((?:run|gdsim) [^`\n]+)", "\n".join(texts), re.MULTILINE)
    assert {words.split()[0] for words in typed} == {"gdsim"}
    assert {"critical", "compare", "run", "sweep", "init"} == {shlex.split(words)[1] for words in typed}


def test_figures_may_be_png() -> None:
    files = export(COURSE, "01-nudges", "markdown", format="png")
    assert files["01-nudges/see-it.png"].startswith(b"\x89PNG")


@pytest.mark.parametrize("name", LESSONS)
def test_a_notebook_has_cells_of_its_own_names_and_code_that_parses(name: str) -> None:
    found = cells(name)
    names = [cell["id"] for cell in found]
    assert len({*names}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", one) for one in names)
    assert "{{" not in "".join(map(source, found))
    for cell in cells(name, "code"):
        compile(source(cell).removeprefix("%matplotlib inline\n"), cell["id"], "exec")
    checks = re.findall(r"practice\.check\('([^']+)'", "".join(map(source, cells(name, "code"))))
    assert checks == [step.name for step in COURSE.lesson(name).steps if step.graded]


def test_a_notebook_shows_what_may_be_changed_as_it_stands() -> None:
    (cell,) = [cell for cell in cells("17-ravines", "code") if cell["id"] == "12-1-momentum-run"]
    assert source(cell) == (
        "run = gdsim.run('ravine-momentum', overrides=[\n"
        "    'update_rule.momentum=0.5',\n    'learning_rate=0.6',\n])\nrun"
    )


@pytest.mark.integration
@pytest.mark.parametrize("name", COURSE.names)
@pytest.mark.filterwarnings("default")
def test_a_notebook_runs_from_top_to_bottom(name: str, tmp_path: Path) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    (tmp_path / "lesson.ipynb").write_text(page(name, "notebook")[0], encoding="utf-8")
    made = nbformat.read(tmp_path / "lesson.ipynb", as_version=4)
    nbformat.validate(made)
    where = {"metadata": {"path": str(tmp_path)}}
    done = nbclient.NotebookClient(made, timeout=300, kernel_name="python3", resources=where).execute()
    shown = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in shown if output.output_type == "error"]
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert "There is no answer yet." in json.dumps(shown)


@pytest.mark.parametrize("name", LESSONS)
def test_practice_takes_every_solution(name: str) -> None:
    lesson, practice = COURSE.lesson(name), Practice(name)
    for step in lesson.steps:
        if step.graded:
            right = solution(lesson, step)
            assert practice.check(step.name).right is None
            if step.kind != "order":  # its numbers are those of the items as they are shown
                assert practice.check(step.name, right).right is True, step.name


def test_practice_says_what_is_wrong_and_which_rule_was_believed() -> None:
    said = Practice("chain-rule").check("sine", "cos(3x)")
    assert said.right is False
    assert "chain rule" in said.text == said._repr_markdown_()
    assert Practice("nudges").check("sizes", ["flat", "gentle", "steep"]).right is True
    assert Practice("nudges").check("sizes", ["steep", "gentle", "flat"]).right is False
    unread = Practice("nudges").check("your-nudge", "2.1^")
    assert (unread.right, "could not be read" in unread.text) == (None, True)
    with pytest.raises(InputError, match="did you mean sizes"):
        Practice("nudges").check("size", "1")
    with pytest.raises(InputError, match="is no exercise"):
        Practice("nudges").check("speedometer", "1")


def test_practice_asks_and_keeps_hints_apart_from_solutions() -> None:
    practice = Practice("chain-rule")
    assert "Differentiate sin(3x)" in str(practice.ask("sine"))
    first, second = (str(practice.hint("sine", number)) for number in (1, 2))
    assert first != second
    assert "3*cos(3*x)" not in first + second
    assert "Solution: 3*cos(3*x)" in str(practice.solution("sine"))
    for number in (0, 3):
        with pytest.raises(InputError, match=f"sine has no hint {number}; expected 1 to 2"):
            practice.hint("sine", number)
    for call in (practice.ask, practice.hint, practice.solution):
        with pytest.raises(InputError, match="did you mean sine"):
            call("sin")


@pytest.mark.parametrize("name", LESSONS)
def test_practice_asks_every_exercise_and_gives_its_solution(name: str) -> None:
    practice = Practice(name)
    for step in practice.exercises:
        assert practice.ask(step).text
        assert practice.solution(step).text


def test_a_lesson_of_ones_own_takes_its_files_along(tmp_path: Path) -> None:
    folder = scaffold(tmp_path / "course", "01-mine")[0].parent
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "mine.yaml").write_text("loss: w^2\ninitial_weight: 3\nlearning_rate: 0.1\n")
    lesson = (folder / "lesson.yaml").read_text(encoding="utf-8")
    changed = lesson.replace(
        "kind: predict, scenario: parabola", "kind: predict, scenario: scenarios/mine.yaml"
    )
    (folder / "lesson.yaml").write_text(changed, encoding="utf-8")
    texts = (folder / "en" / "lesson.md").read_text(encoding="utf-8")
    more = texts.replace("Something that", "See [the note](note.txt) and [this](01-mine). Something that")
    (folder / "en" / "lesson.md").write_text(more, encoding="utf-8")
    (folder / "en" / "note.txt").write_text("a note")
    course = Course(tmp_path / "course")
    files = export(course, "01-mine", "markdown")
    text = files["01-mine.md"].decode("utf-8")
    assert "$ gdsim run 01-mine/scenarios/mine.yaml --no-plot" in text
    assert "See [the note](01-mine/note.txt) and [this](01-mine.md)." in text
    assert files["01-mine/note.txt"] == b"a note"
    assert files["01-mine/scenarios/mine.yaml"].startswith(b"loss: w^2")
    assert "01-mine/lesson.yaml" not in files


def test_a_notebook_of_ones_own_lesson_has_its_lesson_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaffold(tmp_path / "course", "01-mine")
    for path, content in export(Course(tmp_path / "course"), "01-mine", "notebook").items():
        (tmp_path / "out" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / path).write_bytes(content)
    begin = json.loads((tmp_path / "out" / "01-mine.ipynb").read_text(encoding="utf-8"))["cells"][1]
    assert "practice = Practice('01-mine', course='.')" in source(begin)
    monkeypatch.chdir(tmp_path / "out")
    assert Practice("01-mine", course=".").check("rule", "2w").right is True


def test_the_command_writes_pages_and_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = gdsim("lessons", "export", "1", "--out", "out")
    assert (result.exit_code, result.stdout) == (0, f"{Path('out', '01-nudges.md')}\n")
    assert (tmp_path / "out" / "01-nudges" / "see-it.svg").is_file()
    done = json.loads(gdsim("lessons", "export", "1", "--to", "notebook", "--out", "out", "--json").stdout)
    assert done == {
        "pages": [str(Path("out", "01-nudges.ipynb"))],
        "files": [str(Path("out", "01-nudges.ipynb"))],
    }
    assert gdsim("lessons", "export", "nudge").exit_code == 2
