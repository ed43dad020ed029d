"""A lesson as plain data for a page: its words as markup, and all that is needed to judge an answer there.

What is right is computed here, by the same functions as in the terminal; the page compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gdsim.lessons.answers import solution
from gdsim.lessons.catalogue import Catalogue
from gdsim.lessons.course import FIRST_LANGUAGE, SHIPPED, Course
from gdsim.lessons.markdown import in_a_shell
from gdsim.lessons.model import (
    Choice,
    Differentiation,
    Experiment,
    Lesson,
    Order,
    Picture,
    Prediction,
    Quantity,
    Step,
    Tolerance,
    Trial,
    Tuning,
)
from gdsim.lessons.progress import Record
from gdsim.lessons.session import Session
from gdsim.lessons.sweeps import sweep_of
from gdsim.lessons.values import filled, run_of, setting_of, setting_text, value_of
from gdsim.page.prose import phrase_of_prose, prose
from gdsim.runs import Run

Data = dict[str, Any]
#: what the tutorial says in a page, apart from what begins with "page-"
PHRASES = (
    "answer-number", "answer-formula", "answered", "at-sign", "cannot-tell", "empty", "finished", "goal",
    "goal-steps", "goal-verdict", "goal-weight", "goal-with-steps", "hint", "left-out", "next-lesson",
    "not-finished", "not-predicted", "offer-help", "order-incomplete", "order-wrong", "predicted", "reached",
    "review", "right", "right-at-points", "sign-flipped", "solution", "solution-seen",
    "some-missing", "too-large", "too-long", "too-small", "unread", "wrong",
)  # fmt: skip


class Laboratories:
    """The runs that the lessons of a page show, each once.

    Attributes
    ----------
    runs
        In the order in which the steps first need them.
    """

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._places: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}

    def place(self, lesson: Lesson, experiment: Experiment) -> int:
        """Return the number of the run of an experiment; it is made where it is new."""
        own = lesson.folder / experiment.scenario
        settings = sorted((path, setting_text(value)) for path, value in experiment.settings.items())
        key = (str(own) if own.is_file() else experiment.scenario, tuple(settings))
        if key not in self._places:
            self._places[key] = len(self.runs)
            self.runs.append(run_of(lesson, experiment))
        return self._places[key]


class Writer:
    """One lesson on its way to data.

    Parameters
    ----------
    course, name, language
        The lesson, and in which language its words are.
    labs
        Takes the runs.
    names
        The lessons of the page.
    """

    def __init__(
        self, course: Course, name: str, language: str, labs: Laboratories, names: Sequence[str]
    ) -> None:
        self.lesson: Lesson = course.lesson(name)
        self.texts: Catalogue = course.catalogue(name, language)
        self.digest = course.digest(name)
        self.labs, self.names = labs, names

    def data(self) -> Data:
        """Return the lesson.

        Raises
        ------
        InputError
            As for the lesson in a terminal.
        """
        return {
            "name": self.lesson.name, "digest": self.digest, "title": self.texts.title,
            "language": self.texts.language, "minutes": self.lesson.minutes,
            "summary": prose(self.texts.summary, self.names),
            "steps": [self._step(step) for step in self.lesson.steps],
        }  # fmt: skip

    def _step(self, step: Step) -> Data:
        texts = {part: self._prose(step, part) for part in self._parts(step)}
        made = {"name": step.name, "kind": step.kind, "prose": self._prose(step), **self._task(step)}
        hints = [self._prose(step, part) for part in self.texts.parts(step.name, "hint")]
        if hints:
            made["hints"] = hints
        if step.graded:
            made["written"] = self._session(step).written_solution()
        return {**made, "texts": texts} if texts else made

    def _parts(self, step: Step) -> list[str]:
        """The parts of a step's texts that may be said after an answer."""
        kinds = ("feedback", "mistake", "reveal", "solution")
        return [part for kind in kinds for part in self.texts.parts(step.name, kind)]

    def _prose(self, step: Step, part: str = "") -> str:
        return prose(in_a_shell(filled(self.lesson, self.texts.text(step.name, part))), self.names)

    def _items(self, step: Step, kind: str, names: Sequence[str]) -> list[list[str]]:
        """Names with their texts, in the order in which they are shown."""
        said = [filled(self.lesson, self.texts.text(step.name, f"{kind} {name}")) for name in names]
        return [[name, phrase_of_prose(text, self.names)] for name, text in zip(names, said, strict=True)]

    def _session(self, step: Step) -> Session:
        return Session(self.lesson, self.texts, {}, Record(at=step.name))

    def _task(self, step: Step) -> Data:
        """What is shown and asked, and what is right."""
        match step.task:
            case Picture(experiment, plot, axes=axes) if axes:
                return self._picture(experiment, plot, axes)
            case Picture(experiment, plot, at, until):
                return {**self._lab(experiment, plot), "at": list(at), "until": until}
            case Trial(experiment, edit, plot):
                return {**self._lab(experiment, plot), "edit": self._edit(experiment, edit)}
            case Prediction() as task:
                return self._prediction(step, task)
            case Choice(options, right):
                return {"items": self._items(step, "option", options), "right": list(right)}
            case Quantity() as task:
                mistakes = [[name, self._number(value)] for name, value in task.mistakes.items()]
                return {
                    "right": self._number(task.answer), "tolerance": _tolerance(task.tolerance),
                    "mistakes": mistakes,
                }  # fmt: skip
            case Differentiation(of, by):
                return derivation(of, by)
            case Tuning(experiment, edit, goal, _, plot):
                wanted = {
                    "verdict": list(goal.verdict), "within": goal.within, "weight": dict(goal.weight),
                    "tolerance": goal.tolerance,
                }  # fmt: skip
                return {**self._lab(experiment, plot), "edit": self._edit(experiment, edit), "goal": wanted}
            case Order(items):
                shown = self._session(step).shuffled()
                return {"items": self._items(step, "item", shown), "right": list(items)}
        return {}

    def _prediction(self, step: Step, task: Prediction) -> Data:
        outcome = solution(self.lesson, step)
        made = {**self._lab(task.experiment, task.plot), "ask": task.ask}
        if task.ask == "number":
            from gdsim.lessons.values import summary_field

            found = float(summary_field(self.lesson, task.experiment, task.field))
            return {**made, "right": found, "tolerance": _tolerance(task.tolerance)}
        if task.ask == "outcome":
            made["items"] = [[kind, kind.replace("_", " ")] for kind in task.among]
        return {**made, "right": outcome}

    def _picture(self, experiment: Experiment, plot: str, axes: Mapping[str, str]) -> Data:
        """A figure of a sweep, which the page shows as it is, and the words that stand for it."""
        from gdsim.page.pictures import picture_address
        from gdsim.plots import sweep_alt_text

        result = sweep_of(self.lesson, experiment, axes)
        return {"plot": plot, "picture": picture_address(result, plot), "alt": sweep_alt_text(result, plot)}

    def _lab(self, experiment: Experiment, plot: str) -> Data:
        return {"lab": self.labs.place(self.lesson, experiment), "plot": plot}

    def _edit(self, experiment: Experiment, paths: Sequence[str]) -> list[list[str]]:
        """The paths that may be changed, each with what stands there now."""
        return [[path, setting_of(self.lesson, experiment, path)] for path in paths]

    def _number(self, name: str) -> float:
        return float(value_of(self.lesson, name))


def _tolerance(tolerance: Tolerance) -> list[float]:
    return [tolerance.absolute, tolerance.relative]


def derivation(of: str, by: str) -> Data:
    """Return what judging a derivative needs: the right one, and the wrong ones by the rule believed.

    Wrong answers that are the same formula, or that are right after all, are left out.

    >>> derivation("sin(3x)", "x")["right"]
    '3*cos(3*x)'
    >>> derivation("sin(3x)", "x")["wrong"][1]
    ['inner-derivative-forgotten', 'cos(3*x)']
    """
    from gdsim.expr.differentiate import derivative
    from gdsim.expr.display import to_text
    from gdsim.expr.nodes import symbols
    from gdsim.expr.parse import parse
    from gdsim.lessons.equivalence import likeness
    from gdsim.lessons.misconceptions import wrong_answers

    formula = parse(of)
    right, known = derivative(formula, by), list(symbols(formula))
    wrong: dict[str, str] = {}
    for name, answer in wrong_answers(formula, by):
        text = to_text(answer)
        if text not in wrong and likeness(answer, right, known) == "differ":
            wrong[text] = name
    return {
        "of": of, "by": by, "weights": known, "right": to_text(right),
        "wrong": [[name, text] for text, name in wrong.items()],
    }  # fmt: skip


def phrases(course: Course, language: str, lessons: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what the tutorial itself says in a page with these lessons."""
    said = {**Course(SHIPPED).phrases(FIRST_LANGUAGE), **course.phrases(language)}
    steps = [step for lesson in lessons for step in lesson["steps"] if step["kind"] == "derive"]
    believed = {name for step in steps for name, _ in step["wrong"]} | ({"integrated"} if steps else set())
    wanted = [*PHRASES, *(f"misconception-{name}" for name in sorted(believed))]
    return {key: said[key] for key in sorted([*wanted, *(key for key in said if key.startswith("page-"))])}


def lessons_data(course: Course, names: Sequence[str], language: str, labs: Laboratories) -> Data:
    """Return lessons as plain data.

    Parameters
    ----------
    course, names, language
        Which lessons, and in which language; what is not translated stands in the first.
    labs
        Takes the runs that the lessons show.

    Raises
    ------
    InputError
        For an unknown language or lesson, and for one that is not sound.

    Examples
    --------
    >>> made = lessons_data(Course(), ["12-one-step"], "en", Laboratories())
    >>> [step["kind"] for step in made["lessons"][0]["steps"]][:3]
    ['text', 'choice', 'number']
    """
    course.phrases(language)  # an unknown language is named before anything is run
    lessons = [Writer(course, name, language, labs, names).data() for name in names]
    return {"language": language, "phrases": phrases(course, language, lessons), "lessons": lessons}
