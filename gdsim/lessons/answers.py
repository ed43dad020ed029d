"""Whether an answer is right, and what to say: pure functions for the terminal, the page and the checks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gdsim.lessons.model import (
    Choice,
    Differentiation,
    Goal,
    Lesson,
    Order,
    Prediction,
    Quantity,
    Step,
    Tolerance,
    Trial,
    Tuning,
)
from gdsim.lessons.values import run_of, summary_field, value_of
from gdsim.outcomes import Fault, InputError, nearest

if TYPE_CHECKING:
    from gdsim.runs import Run

Answer = str | Sequence[str] | Mapping[str, object]
"""Text for numbers, formulas and predictions; names for choices and orders; settings for tuning."""


@dataclass(frozen=True)
class Judgement:
    """What came of an answer.

    Attributes
    ----------
    right
        True or False; None where nobody can tell, which is no failed attempt.
    phrase
        The name of the phrase that says it, and what is put into it.
    facts
        Numbers and words for the phrase.
    part
        The part of the step's texts that says more: ``feedback left``, ``mistake halved``; empty for none.
    misconception
        The wrong rule that was recognised; empty for none.
    run
        The run that was made, of a prediction or a tuning.
    """

    right: bool | None
    phrase: str
    facts: Mapping[str, object] = field(default_factory=dict)
    part: str = ""
    misconception: str = ""
    run: Run | None = None


def judge(lesson: Lesson, step: Step, answer: Answer) -> Judgement:
    """Judge an answer to a graded step.

    Raises
    ------
    InputError
        For an answer that cannot be read: it says what was expected, and is no failed attempt.
    """
    if not answer:
        return Judgement(False, "empty")
    match step.task:
        case Prediction() as task:
            return _prediction(lesson, task, _text(answer))
        case Choice() as task:
            return _choice(task, _names(answer, task.options))
        case Quantity() as task:
            return _quantity(lesson, task, _text(answer))
        case Differentiation() as task:
            return _differentiation(task, _text(answer))
        case Tuning() as task:
            return _tuning(lesson, task, _settings(answer, task.edit))
        case Order() as task:
            return _order(task, _names(answer, task.items))
    raise InputError(Fault(f"a step of kind {step.kind} has no answer", "a graded step"))


def solution(lesson: Lesson, step: Step) -> Answer:
    """Return an answer that is right, computed from what the lesson states."""
    match step.task:
        case Prediction() as task:
            outcome = _outcome(lesson, task, run_of(lesson, task.experiment))
            return _rounded(float(outcome), task.tolerance) if task.ask == "number" else outcome
        case Choice() as task:
            return task.right
        case Quantity() as task:
            return _rounded(float(value_of(lesson, task.answer)), task.tolerance)
        case Differentiation() as task:
            from gdsim.expr.differentiate import derivative
            from gdsim.expr.display import to_text
            from gdsim.expr.parse import parse

            return to_text(derivative(parse(task.of), task.by))
        case Tuning() as task:
            return task.solution
        case Order() as task:
            return task.items
    raise InputError(Fault(f"a step of kind {step.kind} has no answer", "a graded step"))


def _rounded(number: float, tolerance: Tolerance) -> str:
    """Return a number with as few digits as are right by far; with all of them where that is not enough.

    >>> _rounded(4.100000000000001, Tolerance(absolute=0.005)), _rounded(2.00001, Tolerance())
    ('4.1', '2.00001')
    """
    tenth = Tolerance(tolerance.absolute / 10, tolerance.relative / 10)
    short = f"{number:.6g}"
    return short if tenth.allows(float(short), number) else repr(number)


def _text(answer: Answer) -> str:
    if not isinstance(answer, str):
        raise InputError(Fault("the answer is one text", "a text"))
    return answer.strip()


def _names(answer: Answer, known: Sequence[str]) -> list[str]:
    """Read names, or their numbers from 1, parted by commas or blanks; one name may have blanks in it."""
    if isinstance(answer, str) and (name := _known(answer, known)):
        return [name]
    words = answer.replace(",", " ").split() if isinstance(answer, str) else list(map(str, answer))
    found = []
    for word in words:
        place = int(word) - 1 if word.isdecimal() else -1
        name = known[place] if 0 <= place < len(known) else _known(word, known)
        if not name:
            expected = f"a number from 1 to {len(known)}, or one of {', '.join(sorted(known))}"
            raise InputError(Fault(f"{word!r} is none of them", expected, nearest(word, known)))
        found.append(name)
    return found


def _known(text: str, known: Sequence[str]) -> str:
    """Return the name that is meant: capitals, blanks, hyphens and underscores make no difference.

    >>> _known("Still moving", ["minimum", "still_moving"]), _known("moving", ["still_moving"])
    ('still_moving', '')
    """
    return next((name for name in known if _plain(name) == _plain(text)), "")


def _plain(name: str) -> str:
    return "-".join(re.split(r"[\s_-]+", name.strip().lower()))


def _settings(answer: Answer, allowed: Sequence[str]) -> dict[str, object]:
    """Read ``learning_rate=0.5``, or the bare value where only one may be changed."""
    if isinstance(answer, Mapping):
        found = dict(answer)
    else:
        found = {}
        for word in _text(answer).split():
            path, sign, value = word.partition("=")
            if not sign and len(allowed) == 1:
                path, value = allowed[0], word
            found[path] = value
    for path in found:
        if path not in allowed:
            known = ", ".join(allowed)
            raise InputError(
                Fault(f"{path!r} may not be changed here", f"one of {known}", nearest(path, allowed))
            )
    return found


def _prediction(lesson: Lesson, task: Prediction, answer: str) -> Judgement:
    run = run_of(lesson, task.experiment)
    outcome = _outcome(lesson, task, run)
    if task.ask == "number":
        given = _number(answer)
        right = task.tolerance.allows(given, float(outcome))
        return Judgement(right, "predicted" if right else "not-predicted", {"outcome": outcome}, run=run)
    among = ("left", "right", "stay") if task.ask == "direction" else task.among
    (given_word,) = _names(answer, among)[:1] or [""]
    right = given_word == outcome
    return Judgement(right, "predicted" if right else "not-predicted", {"outcome": outcome}, run=run)


def _outcome(lesson: Lesson, task: Prediction, run: Run) -> str:
    """What the run answers: a direction, a verdict, a number as text."""
    if task.ask == "outcome":
        return run.verdict.kind
    if task.ask == "number":
        return str(summary_field(lesson, task.experiment, task.field))
    weight = run.trajectory.weight[:, 0, 0]
    move = float(weight[1] - weight[0]) if weight.size > 1 else 0.0
    return "left" if move < 0 else "right" if move > 0 else "stay"


def _choice(task: Choice, given: list[str]) -> Judgement:
    right = set(given) == set(task.right)
    telling = next((name for name in given if name not in task.right), "") or (given[0] if given else "")
    part = f"feedback {telling}" if telling else ""
    missing = len(set(task.right) - set(given))
    if not right and not set(given) - set(task.right):
        return Judgement(False, "some-missing", {"missing": missing}, part="")
    return Judgement(right, "right" if right else "wrong", part=part)


def _number(text: str) -> float:
    from gdsim.expr.parse import parse_constant

    if re.fullmatch(r"[-−+]?\d*,\d+", text):
        raise InputError(Fault("a comma stands in this number", "a point", text.replace(",", ".")))
    return float(parse_constant(text))


def _quantity(lesson: Lesson, task: Quantity, answer: str) -> Judgement:
    given, right = _number(answer), float(value_of(lesson, task.answer))
    if task.tolerance.allows(given, right):
        return Judgement(True, "right")
    for name, value in task.mistakes.items():
        if task.tolerance.allows(given, float(value_of(lesson, value))):
            return Judgement(False, "wrong", part=f"mistake {name}")
    if task.tolerance.allows(-given, right):
        return Judgement(False, "sign-flipped")
    return Judgement(False, "too-large" if given > right else "too-small")


def _differentiation(task: Differentiation, answer: str) -> Judgement:
    from gdsim.expr.differentiate import derivative
    from gdsim.expr.nodes import symbols
    from gdsim.expr.parse import parse
    from gdsim.lessons.equivalence import likeness
    from gdsim.lessons.misconceptions import recognised

    formula, given = parse(task.of), parse(answer)
    known = symbols(formula)
    for name in symbols(given):
        if name not in known:
            expected = f"a formula of {', '.join(known)}"
            raise InputError(Fault(f"{name!r} does not occur in {task.of}", expected, nearest(name, known)))
    found = likeness(given, derivative(formula, task.by), known)
    if found == "proved":
        return Judgement(True, "right")
    if found == "agree":
        return Judgement(True, "right-at-points")
    if found == "unknown":
        return Judgement(None, "cannot-tell")
    return Judgement(False, "wrong", misconception=recognised(given, formula, task.by) or "")


def _tuning(lesson: Lesson, task: Tuning, settings: Mapping[str, object]) -> Judgement:
    run = run_of(lesson, task.experiment, settings)
    reason = unmet(task.goal, run)
    facts = {"steps": int(run.trajectory.steps[0]), "verdict": run.verdict.kind, "within": task.goal.within}
    return Judgement(not reason, reason or "reached", facts, run=run)


def unmet(goal: Goal, run: Run) -> str:
    """Return the phrase that says why a run does not reach a goal; empty where it does."""
    if run.verdict.kind not in goal.verdict:
        return "goal-verdict"
    if goal.within is not None and int(run.trajectory.steps[0]) > goal.within:
        return "goal-steps"
    final = dict(zip(run.loss.weights, run.trajectory.final_weight[:, 0].tolist(), strict=True))
    if any(abs(final[name] - value) > goal.tolerance for name, value in goal.weight.items()):
        return "goal-weight"
    return ""


def _order(task: Order, given: list[str]) -> Judgement:
    if tuple(given) == task.items:
        return Judgement(True, "right")
    if sorted(given) != sorted(task.items):
        return Judgement(False, "order-incomplete", {"items": len(task.items)})
    first = next(place for place, name in enumerate(given) if name != task.items[place])
    return Judgement(False, "order-wrong", {"place": first + 1})


def tried(lesson: Lesson, task: Trial, answer: Answer) -> Run:
    """Return the run of a trial with a learner's settings. Raises InputError for one that may not change."""
    return run_of(lesson, task.experiment, _settings(answer, task.edit))
