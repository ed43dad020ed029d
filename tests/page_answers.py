"""Answers to every graded step of the course, good and bad, and what Python says to them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from typing import Any, NamedTuple

from test_lessons_answers import WRONG

from gdsim.expr.display import to_text
from gdsim.expr.parse import parse
from gdsim.lessons.answers import judge, solution
from gdsim.lessons.course import Course
from gdsim.lessons.misconceptions import wrong_answers
from gdsim.lessons.model import (
    Choice,
    Differentiation,
    Lesson,
    Order,
    Prediction,
    Quantity,
    Step,
    Tuning,
)
from gdsim.lessons.values import value_of
from gdsim.outcomes import InputError
from gdsim.page.formulas import emitted
from gdsim.page.lesson_data import Data, Laboratories, derivation, lessons_data
from gdsim.page.lesson_pages import laboratories

__all__ = ["Case", "cases", "course_data", "emitted", "laboratories", "wrong_rules"]

#: what somebody may type where a number is asked; not all of it is one
FORMS = (
    "0.5", "1/2", ".5", ",5", "1,5", "2*3", "1e-3", "-1/48", "sqrt(2)", "2^0.5", "pi", "e", "−3", " 6 ",
    "6.0", "3²", "2(3)", "1e999", "1/0", "0/0", "nan", "inf", "½", "0x10", "x", "--1", "1 2", "left",
    "6 apples", "(", "=6",
)  # fmt: skip
#: what is no formula, or one of other weights
GARBAGE = (
    "2x +", "(", "y", "hello", "sin", "2x)", "x y", "import os", "f(x)", "'x'", "1=2", "2,x", "x^x^x^x",
    "0/0",
)  # fmt: skip
#: another way to write some derivatives of the course, and wrong answers that follow no rule
FORMULAS = (
    "x + x", "2*x^1", "x*(2 + x)*exp(x)", "(1 - x^2)/(1 + x^2)^2", "3cos(3x)", "5(1 - tanh(5x)^2)",
    "5/cosh(5x)^2", "12w^2 - 4", "4w(w - 1)(w + 1)", "4w^3 - 4w + 1e-3", "x/abs(x)", "7", "0", "w", "x",
    "-1/x^2", "1/x^2", "log(x)", "log(-x^2)", "exp(x)*1", "x^2/5", "2y", "0.2x", "w^2 - w",
    "2tanh(w)(1 - tanh(w)^2)", "sqrt(w^2)",
)  # fmt: skip


class Case(NamedTuple):
    """An answer to a step: what is typed, and what Python says to it."""

    lesson: str
    step: str
    answer: str
    said: dict[str, Any]


def said(lesson: Lesson, step: Step, answer: str) -> dict[str, Any]:
    """Return a judgement as plain data."""
    try:
        judged = judge(lesson, step, answer)
    except InputError:
        return {"phrase": "unread"}
    return {
        "right": judged.right, "phrase": "right" if judged.phrase == "right-at-points" else judged.phrase,
        "part": judged.part, "misconception": judged.misconception,
    }  # fmt: skip


def answers(lesson: Lesson, step: Step) -> Iterator[str]:
    """Yield what somebody may answer to a step."""
    found = solution(lesson, step)
    yield ""
    match step.task:
        case Prediction(ask="number") | Quantity():
            value = float(str(found))
            yield from FORMS
            yield from (
                str(found),
                repr(value),
                repr(-value),
                repr(2 * value + 1),
                f"{value:.3g}",
                f"{value:.1f}",
            )
            if isinstance(step.task, Quantity):
                yield from (repr(value_of(lesson, name)) for name in step.task.mistakes.values())
        case Prediction() as task:
            named = task.among or ("left", "right", "stay")
            yield from (*named, *(name.replace("_", " ").title() for name in named))
            yield from ("1", "2", "3", "4", "up", "0", ",")
        case Choice(options, right):
            yield from (*options, *(name.replace("-", "  ").upper() for name in options))
            yield from (" ".join(right), ", ".join(options), "1", "1 2", "9", "nothing", ",", "1,1")
        case Order(items):
            yield " ".join(items)
            yield from (" ".join(reversed(items)), " ".join(items[:-1]), f"{items[0]} {items[0]}", "first")
        case Differentiation(of, by):
            yield from (str(found), *FORMULAS, *GARBAGE)
            formula = parse(of)
            yield from dict.fromkeys(to_text(wrong) for _, wrong in wrong_answers(formula, by))
            yield from (text.replace("x", by) for _, text, _ in WRONG)
        case Tuning(edit=edit, solution=settings):
            yield " ".join(f"{path}={value}" for path, value in settings.items())
            yield from (
                f"{edit[0]}=0.1",
                f"{edit[0]}=1/3",
                f"{edit[0]}=2",
                f"{edit[0]}=oops",
                "other=1",
                "0.05",
            )


@cache
def course_data(names: tuple[str, ...]) -> tuple[Data, Laboratories]:
    """Return the data of lessons in English, and their runs."""
    labs = Laboratories()
    return lessons_data(Course(), names, "en", labs), labs


def cases(kinds: Collection[str], lessons: Collection[str]) -> Iterator[Case]:
    """Yield every answer to the steps of some kinds in lessons."""
    course = Course()
    for name in lessons:
        lesson = course.lesson(name)
        for step in lesson.steps:
            if step.kind in kinds:
                for answer in answers(lesson, step):
                    yield Case(name, step.name, answer, said(lesson, step, answer))


def wrong_rules() -> list[dict[str, Any]]:
    """Return every formula of which the tests know a wrong answer, as a step of a page, with that answer."""
    return [
        {"step": {"kind": "derive", **derivation(formula, "x")}, "answer": answer, "misconception": mistake}
        for formula, answer, mistake in WRONG
    ]
