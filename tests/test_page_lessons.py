"""Lessons in the page: the same verdicts as in the terminal, words that can do nothing, small and the same bytes."""

from __future__ import annotations

from functools import cache
from typing import Any

import page_answers
import page_node
import pytest
from page_answers import Case

pytestmark = page_node.NEEDS_NODE

_JUDGE = """
import { judgeAnswer } from "./lesson/judge.js";
import { labRunner } from "./lesson/runs.js";
import { FormulaError } from "./engine/tokens.js";
import { emitted } from "./emitted.js";
const runner = labRunner(data.course, emitted);
function said(step, typed) {
  try {
    const { right, phrase, part, misconception } = judgeAnswer(step, typed, runner);
    return { right, phrase, part, misconception };
  } catch (error) {
    if (!(error instanceof FormulaError)) throw error;
    return { phrase: "unread" };
  }
}
"""


def judged(cases: list[Case]) -> list[dict[str, Any]]:
    """What the page says to answers."""
    course, labs = page_answers.course_data()
    losses, made = page_answers.laboratories(labs)
    data = {"course": {**course, "labs": made}, "cases": [case[:3] for case in cases]}
    script = _JUDGE + """
    const steps = new Map(data.course.lessons.flatMap(
      (lesson) => lesson.steps.map((step) => [lesson.name + "/" + step.name, step])));
    answer(data.cases.map(([lesson, step, typed]) => said(steps.get(lesson + "/" + step), typed)));
    """
    return page_node.run(script, data, page_answers.emitted(losses))


def different(cases: list[Case]) -> list[tuple[Any, ...]]:
    """The answers to which page and terminal say different things."""
    found = judged(cases)
    return [(*case, mine) for case, mine in zip(cases, found, strict=True) if mine != case.said]


def test_choices_orders_numbers_and_predictions_are_judged_as_in_the_terminal() -> None:
    cases = list(page_answers.cases(("predict", "choice", "number", "order")))
    assert len(cases) > 1000
    assert different(cases) == []
