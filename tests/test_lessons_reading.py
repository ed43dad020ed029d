"""Lesson files: every fault at its place, with what was expected and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdsim.lessons.catalogue import read_catalogue
from gdsim.lessons.model import (
    Choice,
    Differentiation,
    Experiment,
    Goal,
    Picture,
    Prediction,
    Quantity,
    Tolerance,
    Tuning,
)
from gdsim.lessons.reading import read_lesson
from gdsim.outcomes import InputError

HEAD = "lesson: 1\nminutes: 5\nsteps:\n"


def lesson_of(folder: Path, text: str):  # type: ignore[no-untyped-def]
    (folder / "lesson.yaml").write_text(text, encoding="utf-8")
    return read_lesson(folder)


def faults_of(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        lesson_of(folder, text)
    assert all(fault.file == str(folder / "lesson.yaml") for fault in caught.value.faults)
    return [str(fault._replace(file=None)) for fault in caught.value.faults]


def step_of(folder: Path, step: str, values: str = ""):  # type: ignore[no-untyped-def]
    return lesson_of(folder, f"lesson: 1\nminutes: 5\n{values}steps:\n  - {step}\n").steps[0].task


def test_a_step_of_each_kind_is_read(tmp_path: Path) -> None:
    values = 'values: {slope: {derivative: "w^2", at: 3}}\n'
    assert step_of(tmp_path, "{name: a, kind: number, answer: slope}", values) == Quantity("slope")
    assert step_of(tmp_path, '{name: a, kind: derive, of: "x^2"}') == Differentiation("x^2", "x")
    assert step_of(tmp_path, "{name: a, kind: choice, options: [b, c], right: [c]}") == Choice(
        ("b", "c"), ("c",)
    )
    made = step_of(tmp_path, "{name: a, kind: predict, scenario: parabola, ask: direction}")
    assert isinstance(made, Prediction)
    assert made.tolerance == Tolerance(relative=0.1)


def test_a_figure_with_axes_shows_a_sweep(tmp_path: Path) -> None:
    step = "{name: a, kind: figure, scenario: parabola, plot: profile, axes: {learning_rate: 'lin(0.1,1,9)'}}"
    assert step_of(tmp_path, step) == Picture(
        Experiment("parabola"), "profile", axes={"learning_rate": "lin(0.1,1,9)"}
    )


def test_a_goal_may_be_one_verdict_and_a_bare_weight(tmp_path: Path) -> None:
    step = (
        "{name: a, kind: tune, scenario: parabola, edit: [learning_rate], solution: {learning_rate: 0.5}, "
        "goal: {verdict: minimum, weight: 0}}"
    )
    made = step_of(tmp_path, step)
    assert isinstance(made, Tuning)
    assert made.goal == Goal(("minimum",), None, {"w": 0}, 1e-3)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("{name: a, kind: chioce}", "4:21: steps[0].kind: 'chioce' is no kind of step; expected one of"),
        ("{name: a, kind: chioce}", "did you mean choice?"),
        ("{name: a, kind: text, plott: curve}", "plott"),
        ("{name: A b, kind: text}", "4:12: steps[0].name: 'A b' is no name; expected small letters"),
        ("just words", "4:5: steps[0]: 'just words' is no step"),
        ("{name: a, kind: choice, options: [b, c], right: [bb]}", "steps[0].right.0: 'bb' is no option"),
        ("{name: a, kind: choice, options: [b, b], right: [b]}", "a choice needs different options"),
        ("{name: a, kind: order, items: [b]}", "an order needs different items"),
        ("{name: a, kind: order, items: [b, b]}", "an order needs different items"),
        ("{name: a, kind: number, answer: slop}", "'slop' is no value of this lesson"),
        ("{name: a, kind: number}", "answer"),
        ('{name: a, kind: derive, of: "x +"}', "4:37: steps[0].of"),
        ('{name: a, kind: derive, of: "x*y"}', "it is not said by which weight; expected by: one of x, y"),
        ('{name: a, kind: derive, of: "x*y", by: z}', "it is not said by which weight"),
        ('{name: a, kind: derive, of: "5"}', "'5' has no weight"),
        ("{name: a, kind: predict, scenario: parabola, ask: directoin}", "did you mean direction?"),
        ("{name: a, kind: predict, scenario: parabola, ask: number}", "the key 'field' is missing"),
        ("{name: a, kind: predict, scenario: parabola, ask: outcome, among: [minimum]}", "two verdicts"),
        ("{name: a, kind: predict, scenario: parabola, ask: outcome, among: [minimun, cycle]}",
         "did you mean minimum?"),
        ("{name: a, kind: figure, scenario: parabola, plot: curv}", "did you mean curve?"),
        ("{name: a, kind: tune, scenario: parabola, edit: [learning_rate], goal: {verdict: minimun}, "
         "solution: {learning_rate: 1}}", "'minimun' is no verdict"),
        ("{name: a, kind: tune, scenario: parabola, edit: [learning_rate], goal: {verdict: minimum}, "
         "solution: {lerning_rate: 1}}", "did you mean learning_rate?"),
        ("{name: a, kind: tune, scenario: parabola, edit: [learning_rate], goal: {verdict: minimum}}",
         "solution"),
        ("{name: a, kind: tune, scenario: parabola, edit: [learning_rate], goal: {verdict: minimum}, "
         "solution: 99}", "4:106: steps[0].solution: 99 does not fit; expected a mapping such as"),
        ("{name: a, kind: run, scenario: parabola, settings: [1]}",
         "4:56: steps[0].settings: a list does not fit; expected a mapping such as"),
        ("{name: a, kind: tune, scenario: parabola, edit: [learning_rate], goal: {verdict: minimum}, "
         "solution: {1: 2}}", "1 may not be changed"),
        ("{name: a, kind: figure, scenario: parabola, plot: atlas}",
         "4:55: steps[0].plot: atlas shows a sweep; expected axes: such as"),
        ("{name: a, kind: figure, scenario: parabola, plot: curve, axes: {learning_rate: '0.1,1'}}",
         "4:55: steps[0].plot: curve shows a run, not a sweep; expected plot: one of atlas, bifurcation"),
        ("{name: a, kind: figure, scenario: parabola, plot: atlas, axes: {learning_rate: '0.1,1'}}",
         "4:68: steps[0].axes: atlas shows a sweep over 2 axes, not 1"),
        ("{name: a, kind: figure, scenario: parabola, plot: bifurcation, axes: {learning_rate: 'lin(1,2)'}}",
         "4:90: steps[0].axes.learning_rate: lin takes three numbers, not 2"),
        ("{name: a, kind: figure, scenario: parabola, plot: bifurcation, axes: {learning_rate: '0.1'}}",
         "4:90: steps[0].axes.learning_rate: an axis of one value is none"),
        ("{name: a, kind: figure, scenario: parabola, plot: profile, axes: {learning_rate: 'lin(2,1,9)'}}",
         "'lin(2,1,9)' is no axis; expected lin(a,b,n) with a below b"),
        ("{name: a, kind: figure, scenario: parabola, plot: profile, axes: {seed: 'lin(1,2,20001)'}}",
         "4:70: steps[0].axes: 20,001 runs are too many for a lesson; expected at most 20,000"),
        ("{name: a, kind: figure, scenario: parabola, plot: profile, axes: {seed: '1,2'}, until: 3}",
         "steps[0].until: a sweep has no steps to look at"),
        ("{name: a, kind: [run]}", "4:21: steps[0].kind: a list is no kind of step"),
    ],
)  # fmt: skip
def test_a_fault_of_a_step_is_named_at_its_place(tmp_path: Path, step: str, expected: str) -> None:
    assert expected in "\n".join(faults_of(tmp_path, f"{HEAD}  - {step}\n"))


def test_a_key_that_stands_twice_is_told_with_all_other_faults(tmp_path: Path) -> None:
    twice, other = faults_of(
        tmp_path, "lesson: 1\nminutes: 5\nminutes: 6\nsteps:\n  - {name: a, kind: tex}\n"
    )
    assert twice.startswith("3:1: minutes: the key 'minutes' stands twice")
    assert "did you mean text?" in other


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{expression: 'w^2', derivative: 'w', at: 1}", "a value comes from one place, not 2"),
        ("{at: 1}", "a value comes from one place, not 0"),
        ("{scenario: parabola}", "the key 'field' is missing"),
        ("{expression: 'w*v', at: 1}", "one number does not say where; expected a mapping of v, w"),
        ("{expresion: 'w'}", "did you mean expression?"),
        ("'1 +'", "values.v"),
        ("true", "values.v"),
        ("{derivative: 'w +', at: 1}", "values.v.derivative"),
    ],
)
def test_a_fault_of_a_value_is_named_at_its_place(tmp_path: Path, value: str, expected: str) -> None:
    text = f"lesson: 1\nminutes: 5\nvalues:\n  v: {value}\nsteps:\n  - {{name: a, kind: text}}\n"
    found = faults_of(tmp_path, text)
    assert expected in "\n".join(found)
    assert found[0].startswith("4:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty; expected lesson:, minutes:, steps:"), 
        ("minutes: 5\nsteps: [{name: a, kind: text}]\n", "'lesson' is missing"),
        ("lesson: 2\nminutes: 5\nsteps: [{name: a, kind: text}]\n", "1:9: lesson"),
        ("lesson: 1\nminutes: 500\nsteps: [{name: a, kind: text}]\n", "2:10: minutes"),
        ("lesson: 1\nminuts: 5\nsteps: [{name: a, kind: text}]\n", "did you mean minutes?"),
        ("lesson: 1\nminutes: 5\nsteps: []\n", "3:8: steps"),
        ("lesson: 1\nminutes: 5\n", "the key 'steps' is missing"),
        ("lesson: 1\nminutes: 5\nvalues: [a]\nsteps: [{name: a, kind: text}]\n",
         "a mapping of names to values"),
        ("lesson: 1\nminutes: 5\nsteps:\n  - {name: a, kind: text}\n  - {name: a, kind: text}\n",
         "5:12: steps[1].name: the name 'a' stands twice"),
        ("lesson: 1\nlesson: 1\nminutes: 5\nsteps: [{name: a, kind: text}]\n", "twice"),
        ("lesson: [\n", "2:1"),
    ],
)  # fmt: skip
def test_a_fault_of_the_lesson_is_named_at_its_place(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in "\n".join(faults_of(tmp_path, text))


def test_all_faults_are_told_at_once_from_top_to_bottom(tmp_path: Path) -> None:
    text = (
        "lesson: 1\nminutes: 500\nsteps:\n  - {name: a, kind: chioce}\n  - {name: b, kind: derive, of: '+'}\n"
    )
    lines = [int(fault.partition(":")[0]) for fault in faults_of(tmp_path, text)]
    assert lines == sorted(lines)
    assert lines[0] == 2
    assert lines[-1] == 5


def texts_of(folder: Path, text: str):  # type: ignore[no-untyped-def]
    (folder / "en").mkdir(exist_ok=True)
    (folder / "en" / "lesson.md").write_text(text, encoding="utf-8")
    return read_catalogue(folder, "en")


def test_headings_are_steps_and_their_parts(tmp_path: Path) -> None:
    texts = texts_of(tmp_path, "# T\n\nS.\n\n## a\n\nprose\n\n### hint 1\n\nh1\n\n### hint 2\n\nh2\n")
    assert (texts.title, texts.summary, texts.text("a"), texts.text("a", "hint 2")) == (
        "T",
        "S.",
        "prose",
        "h2",
    )
    assert texts.parts("a", "hint") == ["hint 1", "hint 2"]
    assert texts.text("a", "solution") == ""


def test_a_heading_within_a_fence_is_text(tmp_path: Path) -> None:
    texts = texts_of(tmp_path, "# T\n\n## a\n\n```\n## b\n```\n")
    assert texts.text("a") == "```\n## b\n```"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("words\n# T\n", "lesson.md:1: a text stands before the title"),
        ("## a\n\nprose\n", "lesson.md:1: the lesson has no title"),
        ("# T\n\n## a\n\nx\n\n## a\n\ny\n",
         "lesson.md:7: the heading 'a' stands twice; expected one; the first is in line 3"),
        ("# T\n\n## a\n\n### hint 1\n\nx\n\n### hint 1\n\ny\n",
         "lesson.md:9: the heading 'hint 1' stands twice"),
    ],
)  # fmt: skip
def test_a_fault_of_the_texts_is_named_at_its_line(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        texts_of(tmp_path, text)
    assert expected in str(caught.value)


def test_texts_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lesson\.md"):
        read_catalogue(tmp_path, "en")
