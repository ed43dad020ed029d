"""The tables of lessons.md and writing-lessons.md, made from the course and from the table of keys."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from gdsim.expr.display import to_text
from gdsim.expr.parse import parse
from gdsim.lessons.check import wanted_parts
from gdsim.lessons.course import SHIPPED, Course
from gdsim.lessons.keys import GOAL, LESSON, STEPS, TOLERANCE, VALUE, step_shape
from gdsim.lessons.misconceptions import MISTAKES, recognised, wrong_answers
from gdsim.lessons.reading import read_lesson
from gdsim.lessons.scaffold import scaffold
from gdsim.scenario.shapes import Anything, Choice, Either, Group, Key, Many, Number, Shape, Table, Text
from gdsim.scenario.write import flow_text

#: a formula in which a misconception is seen best; the others are seen in the first that shows them
_BEST = {
    "exponential-as-power": "exp(2x)", "constant-kept": "x^2 + 7", "constant-as-variable": "x^2 + 7",
    "trigonometric-sign": "cos(x)", "function-as-its-own-derivative": "log(3x)",
}  # fmt: skip
_FORMULAS = ("x^3", "sin(3x)", "x^2*exp(x)", "x/(x^2 + 1)", "3x^2", "sqrt(x)")
_INTEGRATED = ("x^2", "x^3/3")


def lessons() -> Iterator[str]:
    """Yield the rows of the lessons."""
    yield "| lesson | title | minutes | exercises |\n| --- | --- | --- | --- |"
    course = Course(SHIPPED)
    for name in course.names:
        lesson = course.lesson(name)
        graded = sum(step.graded for step in lesson.steps)
        yield f"| `{name}` | {course.catalogue(name).title} | {lesson.minutes} | {graded} |"


def keys() -> Iterator[str]:
    """Yield the tables of keys: the file, a value, each kind of step, and what stands inside."""
    yield from _section("lesson.yaml", LESSON.keys)
    yield from _section("a value", VALUE.keys)
    shared = {key: entry for key, entry in step_shape("text").keys.items() if key not in STEPS["text"]}
    shared["kind"] = shared["kind"]._replace(example=None)
    yield from _section("every step", shared)
    for kind, own in STEPS.items():
        if own:
            yield from _section(kind, own)
    yield from _section("tolerance", TOLERANCE.keys)
    yield from _section("goal", GOAL.keys)


def _section(title: str, entries: Mapping[str, Key]) -> Iterator[str]:
    yield f"\n### Keys of {title}\n"
    yield "| key | value | default | meaning | example |\n| --- | --- | --- | --- | --- |"
    for key, entry in entries.items():
        default = "required" if entry.required else "" if entry.default is None else _code(entry.default)
        example = "" if entry.example is None else _code(entry.example)
        yield f"| `{key}` | {words(entry.shape)} | {default} | {entry.summary} | {example} |"


def _code(value: object) -> str:
    return f"`{json.dumps(value) if isinstance(value, list) else flow_text(value)}`"


def words(shape: Shape) -> str:
    """Return what fits a shape."""
    match shape:
        case Text():
            return shape.name
        case Choice():
            names = shape.names()
            return f"a {shape.what}" if len(names) > 16 else ", ".join(f"`{name}`" for name in names)
        case Number() | Many() | Table() | Group():
            return shape.words
        case Either():
            return " or ".join(dict.fromkeys([words(shape.mapping), words(shape.bare)]))
        case Anything():
            return "a mapping" if shape.schema.get("type") == "object" else "a verdict, or a list of verdicts"


def headings() -> Iterator[str]:
    """Yield which headings the texts of each kind of step have."""
    yield "| kind | is graded | headings below its own |\n| --- | --- | --- |"
    with tempfile.TemporaryDirectory() as folder:
        lesson = read_lesson(scaffold(Path(folder), "01-mine")[0].parent)
    steps = {step.kind: step for step in lesson.steps}
    for kind in STEPS:
        step = steps[kind]
        parts = dict.fromkeys(part.split()[0] + " NAME" * (" " in part) for part in wanted_parts(step))
        found = [f"`### {part}`" for part in parts]
        if step.graded:
            found.insert(len(found) - 1, "`### hint 1` …" + " if wished" * (kind == "predict"))
        yield f"| `{kind}` | {'yes' if step.graded else 'no'} | {', '.join(found) or 'none'} |"


def mistakes() -> Iterator[str]:
    """Yield the wrong rules, each with a formula and the answer that shows it."""
    yield "| misconception | what is believed | differentiate | an answer that shows it |"
    yield "| --- | --- | --- | --- |"
    for name, mistake in MISTAKES.items():
        formula, answer = _INTEGRATED if name == "integrated" else _shown(name)
        assert recognised(parse(answer), parse(formula), "x") == name
        yield f"| `{name}` | {mistake.summary} | `{formula}` | `{answer}` |"


def _shown(mistake: str) -> tuple[str, str]:
    """Return a formula and a wrong answer that is recognised as a mistake."""
    for formula in [_BEST[mistake]] if mistake in _BEST else _FORMULAS:
        for name, wrong in wrong_answers(parse(formula), "x"):
            if name == mistake and recognised(wrong, parse(formula), "x") == mistake:
                return formula, to_text(wrong)
    raise LookupError(mistake)


TABLES = {
    "lessons": lessons,
    "headings of a lesson": headings,
    "keys of a lesson": keys,
    "misconceptions": mistakes,
}
