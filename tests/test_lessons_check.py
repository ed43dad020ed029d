"""``gdsim lessons check``: the scaffold passes, and each rule finds its fault in a broken copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdsim.lessons.check import check_course
from gdsim.lessons.course import Course
from gdsim.lessons.scaffold import scaffold
from gdsim.outcomes import InputError

NAME = "01-all-kinds"
LESSON, TEXTS = Path(NAME, "lesson.yaml"), Path(NAME, "en", "lesson.md")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scaffold(tmp_path, NAME)
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def found(folder: Path) -> list[str]:
    return [str(one).removeprefix(f"{folder}/") for one in check_course(Course(folder))[0]]


def test_the_scaffold_passes_and_is_counted(folder: Path) -> None:
    faults, counted = check_course(Course(folder))
    assert faults == []
    assert counted[:4] == (1, 10, 6, 10)
    assert counted.languages == ("en",)


def test_a_scaffold_writes_over_nothing(folder: Path) -> None:
    with pytest.raises(InputError, match="there already"):
        scaffold(folder, NAME)


@pytest.mark.parametrize("name", ["topic", "1-topic", "01-Topic", "../01-topic", "01-", ""])
def test_a_scaffold_needs_a_name_of_two_digits_and_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="no name for a lesson"):
        scaffold(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


BROKEN = {
    "schema": (LESSON, "kind: figure", "kind: figur", "'figur' is no kind of step"),
    "where and what instead": (LESSON, "kind: figure", "kind: figur",
                               "lesson.yaml:10:24: steps[1].kind: 'figur' is no kind of step; expected one"),
    "needs": (LESSON, "minutes: 10", "minutes: 10\nneeds: [02-later]",
              "needs 02-later, which is no lesson before"),
    "few exercises": (LESSON, "kind: derive, of: \"w^2\"", "kind: text", "belongs to no step of the lesson"),
    "no text": (TEXTS, "## hook\n", "## hok\n", "step hook has no text"),
    "stray heading": (TEXTS, "## hook\n", "## hok\n", "lesson.md:6: 'hok' belongs to no step"),
    "no reveal": (TEXTS, "### reveal", "### reveil", "step bet has no text ### reveal"),
    "no feedback": (TEXTS, "### feedback size", "### feedback siz", "step why has no text ### feedback size"),
    "no option": (TEXTS, "### option size", "### option siz", "step why has no text ### option size"),
    "no item": (TEXTS, "### item move", "### item mov", "step the-way has no text ### item move"),
    "no mistake": (TEXTS, "### mistake the-loss", "### mistake loss", "no text ### mistake the-loss"),
    "no solution": (TEXTS, "### solution\n\nBy the power", "### solutoin\n\nBy the power",
                    "step rule has no text ### solution"),
    "too few hints": (TEXTS, "### hint 2\n\nAnd it becomes one smaller.\n\n", "",
              "step rule has 1 hints, not 2"),
    "hints not numbered": (TEXTS, "### hint 2\n\nAnd", "### hint 3\n\nAnd", "not numbered from 1"),
    "hint on a text": (TEXTS, "## look", "### hint 1\n\nx\n\n## look", "'hint 1' belongs to no step"),
    "value unused": (LESSON, "values:", "values:\n  spare: 1", "value spare is never used"),
    "value unknown": (TEXTS, "{{ end:.1g }}", "{{ ende:.1g }}", "'ende' is no value of this lesson"),
    "value format": (TEXTS, "{{ end:.1g }}", "{{ end:Q }}", "the format does not fit"),
    "value cannot be computed": (LESSON, "final.weight.w", "final.wait.w", "the summary has no field"),
    "braces": (TEXTS, "Which way will", "It is {{ end }. Which way will", "{{ quotes no value"),
    "number typed": (TEXTS, "Which way will", "It is 6.00. Which way will",
                     "6.00 is typed; it is {{ slope }}"),
    "link": (TEXTS, "Which way will", "See [this](nowhere.md). Which way will",
             "link nowhere.md of step bet"),
    "scenario": (LESSON, "scenario: parabola, plot: curve, at", "scenario: parabole, plot: curve, at",
                 "step look: 'parabole' is neither a file nor a shipped scenario"),
    "figure": (LESSON, "plot: curve, at: [0]", "plot: surface, at: [0]", "step look: surface"),
    "axis of a sweep": (LESSON, "plot: curve, at: [0]", "plot: profile, axes: {lerning_rate: '0.1,0.2'}",
                        "did you mean learning_rate?"),
    "figure of a sweep": (LESSON, "plot: curve, at: [0]", "plot: profile, axes: {initial_weight: '1,2'}",
                          "step look: axes: a profile needs an axis learning_rate"),
    "solution of tuning": (LESSON, "solution: {learning_rate: 0.5}", "solution: {learning_rate: 0.1}",
                           "step faster does not pass on its solution"),
    "mistake is the answer": (LESSON, "mistakes: {the-loss: loss}", "mistakes: {the-loss: slope}",
                              "the mistake the-loss is not told from the answer"),
    "hint gives a number away": (TEXTS, "Put w = 3 into 2w.", "It is 6.", "hint 2 of how-steep gives"),
    "hint gives a formula away": (TEXTS, "And it becomes one smaller.", "So it is 2·w.",
                                  "hint 2 of rule gives"),
    "hint gives another form away": (TEXTS, "And it becomes one smaller.", "It is w + w, in short.",
                                     "hint 2 of rule gives"),
    "hint gives a setting away": (TEXTS, "What makes 1 − 2η equal to 0?", "Take η = 0.5.",
                                  "hint 2 of faster gives"),
    "no title": (TEXTS, "# Title of the lesson", "Title of the lesson", "a text stands before the title"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_each_rule_finds_its_fault(folder: Path, name: str) -> None:
    file, old, new, fault = BROKEN[name]
    edit(folder / file, old, new)
    faults = found(folder)
    assert any(fault in one for one in faults), faults
    assert all(one.startswith(NAME) for one in faults)


def test_a_value_that_another_one_uses_is_used(folder: Path) -> None:
    lines = 'values:\n  half: 3\n  whole: {expression: "2*{{ half }}"}'
    edit(folder / LESSON, "values:", lines)
    assert [one.split("value ")[1] for one in found(folder)] == ["whole is never used", "half is never used"]
    edit(folder / TEXTS, "Which way will", "That is {{ whole:.2g }}. Which way will")
    assert found(folder) == []


def test_a_lesson_of_too_few_exercises_is_found(folder: Path) -> None:
    text = "lesson: 1\nminutes: 5\nsteps:\n  - {name: hook, kind: text}\n"
    (folder / LESSON).write_text(text, encoding="utf-8")
    (folder / TEXTS).write_text("# T\n\n## hook\n\nx\n", encoding="utf-8")
    assert found(folder) == [f"{LESSON}: a lesson has at least 4 graded steps of 3 kinds, this one has 0"]


def translated(folder: Path, old: str = "", new: str = "") -> Path:
    text = (folder / TEXTS).read_text(encoding="utf-8")
    file = folder / NAME / "de" / "lesson.md"
    file.parent.mkdir()
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("### item judge", "### item urteil", "no text for the-way ### item judge"),
        ("### item judge", "### item urteil", "the-way ### item urteil is not in the original"),
        ("{{ end:.1g }}", "0", "it quotes other values than the original"),
        ("# Title of the lesson", "", "a text stands before the title"),
    ],
)
def test_a_translation_has_the_headings_and_values_of_the_original(
    folder: Path, old: str, new: str, fault: str
) -> None:
    translated(folder, old, new)
    assert any(fault in one for one in found(folder))


def test_a_true_translation_passes_and_is_counted(folder: Path) -> None:
    translated(folder)
    faults, counted = check_course(Course(folder))
    assert faults == []
    assert counted.languages == ("de", "en")


def test_a_folder_without_lessons_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no lesson below this folder"):
        check_course(Course(tmp_path))


@pytest.mark.parametrize("name", [Course().names[0], *(
    pytest.param(name, marks=pytest.mark.integration) for name in Course().names[1:]
)])  # fmt: skip
def test_the_shipped_course_passes(name: str) -> None:
    faults, counted = check_course(Course(), (name,))
    assert list(map(str, faults)) == []
    assert counted.exercises >= 4
