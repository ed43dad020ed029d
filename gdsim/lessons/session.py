"""A lesson being taken: what is said and what an answer does. No terminal, no file, no clock of its own."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from gdsim.lessons import answers
from gdsim.lessons.answers import Judgement, judge
from gdsim.lessons.catalogue import Catalogue
from gdsim.lessons.model import (
    Choice,
    Differentiation,
    Lesson,
    Order,
    Picture,
    Prediction,
    Quantity,
    Step,
    Trial,
    Tuning,
)
from gdsim.lessons.progress import Attempt, Record
from gdsim.lessons.sweeps import sweep_of
from gdsim.lessons.values import filled, run_of, setting_of
from gdsim.outcomes import InputError

if TYPE_CHECKING:
    from gdsim.runs import Run
    from gdsim.sweeps.result import SweepResult

_PATIENCE = 2  # wrong answers, after which help is offered
_LONGEST = 1000  # signs of an answer
Tone = Literal["plain", "right", "wrong", "hint", "quiet"]


@dataclass(frozen=True)
class Heading:
    """The title of a lesson, or the number of a step."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Prose:
    """Markdown."""

    text: str


@dataclass(frozen=True)
class Note:
    """One line or two of the tutorial itself."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Items:
    """Things to choose from or to put in order, numbered from 1."""

    names: tuple[str, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """A figure of a run."""

    run: Run
    plot: str
    at: tuple[int, ...] = ()
    until: int | None = None


@dataclass(frozen=True)
class Outcome:
    """The verdict of a run, with its numbers."""

    run: Run


@dataclass(frozen=True)
class ShownSweep:
    """A figure of a sweep."""

    result: SweepResult
    plot: str


Block: TypeAlias = Heading | Prose | Note | Items | Shown | ShownSweep | Outcome


class Session:
    """A learner in a lesson.

    Parameters
    ----------
    lesson, texts, phrases
        What is taught, its words, and those of the tutorial.
    record
        How far the learner is; changed by every answer.

    Notes
    -----
    Every method returns the blocks to show. An answer is text as it was typed.
    """

    def __init__(self, lesson: Lesson, texts: Catalogue, phrases: Mapping[str, str], record: Record) -> None:
        self.lesson, self.texts, self.phrases, self.record = lesson, texts, phrases, record
        names = [step.name for step in lesson.steps]
        self.place = names.index(record.at) if record.at in names else 0
        self.passed = False  # whether the step at hand is done, so that Enter goes on
        self.hints = self.misses = 0  # at this step, since it was shown
        self.closing = False  # whether the end was reached and only what was left out is asked

    @property
    def step(self) -> Step:
        """The step at hand."""
        return self.lesson.steps[self.place]

    @property
    def over(self) -> bool:
        """Whether the last step has been passed."""
        return self.place >= len(self.lesson.steps)

    def begin(self) -> list[Block]:
        """Show the title and the step at hand."""
        blocks: list[Block] = [Heading(self.texts.title)]
        if self.record.finished:
            blocks.append(self.note("review", "quiet"))
        if self.place == 0:
            blocks += [Prose(self.texts.summary), self.note("commands", "quiet")]
        return [*blocks, *self.show()]

    def show(self) -> list[Block]:
        """Show the step at hand."""
        task = self.step.task
        self.passed, self.hints, self.misses = not self.step.graded and not isinstance(task, Trial), 0, 0
        self.record.at = self.step.name
        number, count = self.place + 1, len(self.lesson.steps)
        blocks: list[Block] = [
            Heading(self.say("step", number=number, count=count, title=self.texts.title), 2)
        ]
        blocks += self._prose("")
        blocks += self._shown()
        return [*blocks, *(self._answered() or self._instruction())]

    def _answered(self) -> list[Block]:
        """What was answered to this step before, where it is done; then Enter goes on."""
        if not self.step.graded or is_open(self.step, self.record):
            return []
        self.passed = True
        given = self.record.of(self.step.name)
        right = [attempt for attempt in given if attempt.right]
        if not given or (self.step.name in self.record.shown and not right):
            return [self.note("solution-seen", "quiet")]
        return [self.note("answered", "quiet", answer=self._as_typed((right or given)[-1].answer))]

    def _as_typed(self, answer: str) -> str:
        """Return a stored answer with the numbers of things that were shown in place of their names."""
        if not isinstance(self.step.task, Order):
            return answer
        shown = self.shuffled()
        return " ".join(str(shown.index(word) + 1) if word in shown else word for word in answer.split())

    def say(self, phrase: str, **facts: object) -> str:
        """Return a phrase with its facts put in."""
        return self.phrases[phrase].format(**facts)

    def note(self, phrase: str, tone: Tone = "plain", **facts: object) -> Note:
        """Return a phrase as a block."""
        return Note(self.say(phrase, **facts), tone)

    def _prose(self, part: str) -> list[Block]:
        text = self.texts.text(self.step.name, part)
        return [Prose(filled(self.lesson, text))] if text else []

    def _shown(self) -> list[Block]:
        """The figure, the options, the goal of a step."""
        match self.step.task:
            case Picture(experiment, plot, axes=axes) if axes:
                return [ShownSweep(sweep_of(self.lesson, experiment, axes), plot)]
            case Picture(experiment, plot, at, until):
                return [Shown(run_of(self.lesson, experiment), plot, at, until)]
            case Choice(options):
                return [Items(options, self._texts("option", options))]
            case Order():
                return [Items(self.shuffled(), self._texts("item", self.shuffled()))]
            case Prediction(ask="outcome", among=among):
                return [Items(among, tuple(kind.replace("_", " ") for kind in among))]
            case Tuning(goal=goal):
                words = " / ".join(kind.replace("_", " ") for kind in goal.verdict)
                if goal.within is None:
                    return [self.note("goal", verdict=words)]
                return [self.note("goal-with-steps", verdict=words, within=goal.within)]
        return []

    def _texts(self, part: str, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(filled(self.lesson, self.texts.text(self.step.name, f"{part} {name}")) for name in names)

    def shuffled(self) -> tuple[str, ...]:
        """Return the items of an order as they are shown: mixed, the same each time, never in order."""
        assert isinstance(self.step.task, Order)
        items = list(self.step.task.items)
        mixer = random.Random(f"{self.lesson.name}/{self.step.name}")
        while tuple(items) == self.step.task.items:
            mixer.shuffle(items)
        return tuple(items)

    def prompt(self) -> str:
        """Return in a word or two what is to be typed."""
        if self.passed:
            return self.say("prompt-continue")
        match self.step.task:
            case Trial(edit=edit) | Tuning(edit=edit):
                return ", ".join(edit) or self.say("prompt-run")
        return self.say(f"prompt-{self._wanted()}")

    def _wanted(self) -> str:
        """The kind of answer that is wanted, as the phrases name it."""
        match self.step.task:
            case Quantity() | Prediction(ask="number"):
                return "number"
            case Differentiation():
                return "formula"
            case Choice(right=right) if len(right) > 1:
                return "choices"
            case Prediction(ask="direction"):
                return "direction"
            case Order():
                return "order"
        return "choice"

    def _instruction(self) -> list[Block]:
        """What to type, in a sentence; nothing where Enter goes on, as the prompt says."""
        match self.step.task:
            case Trial(edit=edit):
                return [*self._settings(edit), self.note("run-it", "quiet")]
            case Tuning(edit=edit):
                return self._settings(edit)
        return [] if self.passed else [self.note(f"answer-{self._wanted()}", "quiet")]

    def _settings(self, edit: Sequence[str]) -> list[Block]:
        """Which values may be changed, what they are now, and how that is typed."""
        if not edit:
            return []
        task = self.step.task
        assert isinstance(task, Trial | Tuning)
        now = {path: setting_of(self.lesson, task.experiment, path) for path in edit}
        stated = ", ".join(f"{path}={value}" if value else path for path, value in now.items())
        if len(edit) == 1:
            return [self.note("answer-one-setting", "quiet", setting=stated)]
        example = " ".join(f"{path}=…" for path in edit)
        return [self.note("answer-settings", "quiet", settings=stated, example=example)]

    def answer(self, text: str) -> list[Block]:
        """Take an answer, or nothing where the step is done: then the next step is shown."""
        if len(text) > _LONGEST:
            return [self.note("too-long", "wrong", most=_LONGEST)]
        if self.passed and not text.strip():
            return self.forward()
        if isinstance(self.step.task, Trial):
            return self._tried(self.step.task, text)
        if not self.step.graded:
            return [self.note("nothing-asked", "quiet")]
        try:
            named = self._named(text.strip())
            judged = judge(self.lesson, self.step, named)
        except InputError as error:
            return [self._unread(error)]
        if judged.phrase == "empty":
            return [self.note("empty", "quiet"), *self._instruction()]
        if judged.right is not None:
            self.record.add(Attempt(self.step.name, named, judged.right, self.hints, judged.misconception))
        return self._said(judged)

    def _named(self, text: str) -> str:
        """Turn the numbers of items that were shown mixed into their names."""
        if not isinstance(self.step.task, Order):
            return text
        shown = self.shuffled()
        words = text.replace(",", " ").split()
        return " ".join(
            shown[int(word) - 1] if word.isdecimal() and 0 < int(word) <= len(shown) else word
            for word in words
        )

    def _said(self, judged: Judgement) -> list[Block]:
        """What is said to an answer, last and so next to the prompt; a prediction is revealed in any case."""
        tone: Tone = "right" if judged.right else "wrong"
        blocks: list[Block] = []
        if judged.run is not None:
            task = self.step.task
            assert isinstance(task, Prediction | Tuning)
            blocks += [Shown(judged.run, task.plot)] if task.plot else []
            blocks.append(Outcome(judged.run))
        blocks.append(Note(self._phrase(judged), tone))
        if judged.misconception:
            blocks.append(self.note(f"misconception-{judged.misconception}", "hint"))
        if judged.part:
            blocks += self._prose(judged.part)
        self.passed = self.passed or bool(judged.right) or isinstance(self.step.task, Prediction)
        self.misses += judged.right is False
        if self.passed:
            blocks += self._prose("reveal")
        elif judged.right is False and self.misses >= _PATIENCE:
            blocks.append(self.note("offer-help", "quiet"))
        return blocks

    def _unread(self, error: InputError) -> Note:
        """What could not be read; the column of a formula is counted in signs."""
        faults = []
        for fault in error.faults:
            said = str(fault._replace(file=None, line=None, column=None, path=""))
            place = "" if fault.column is None else " " + self.say("at-sign", column=fault.column)
            faults.append(said + place)
        return self.note("unread", "wrong", fault="; ".join(faults))

    def _phrase(self, judged: Judgement) -> str:
        facts = {key: _written(value) for key, value in judged.facts.items()}
        return self.say(judged.phrase, **facts)

    def _tried(self, task: Trial, text: str) -> list[Block]:
        try:
            run = answers.tried(self.lesson, task, text)
        except InputError as error:
            return [self._unread(error)]
        self.passed = True
        blocks: list[Block] = [Shown(run, task.plot)] if task.plot else []
        return [*blocks, Outcome(run), *self._prose("reveal"), self.note("run-again", "quiet")]

    def hint(self) -> list[Block]:
        """Show the next hint."""
        parts = self.texts.parts(self.step.name, "hint")
        if not parts:
            return [self.note("no-hints-here", "quiet")]
        if self.hints >= len(parts):
            return [self.note("no-hint", "quiet")]
        self.hints += 1
        head = self.note("hint", "hint", number=self.hints, count=len(parts))
        return [head, *self._prose(parts[self.hints - 1])]

    def solution(self) -> list[Block]:
        """Show what is right, and why; then Enter goes on."""
        if isinstance(self.step.task, Prediction):
            return [self.note("solution-is-the-run", "quiet")]
        if not self.step.graded:
            return [self.note("nothing-to-solve", "quiet")]
        if self.step.name not in self.record.shown and not self.record.solved(self.step.name):
            self.record.shown.append(self.step.name)
        self.passed = True
        head = self.note("solution", "hint", answer=self.written_solution())
        return [head, *self._prose("solution")]

    def written_solution(self) -> str:
        """Return a right answer as a learner would type it."""
        found = answers.solution(self.lesson, self.step)
        if isinstance(found, Mapping):
            return " ".join(f"{path}={value}" for path, value in found.items())
        if isinstance(found, str):
            if not isinstance(self.step.task, Quantity):
                return found
            short = f"{float(found):.6g}"
            return short if judge(self.lesson, self.step, short).right else found
        task = self.step.task
        shown = self.shuffled() if isinstance(task, Order) else getattr(task, "options", ())
        return " ".join(str(shown.index(name) + 1) for name in found)

    def skip(self) -> list[Block]:
        """Go on without an answer."""
        if (
            self.step.graded
            and not self.record.of(self.step.name)
            and self.step.name not in self.record.skipped
        ):
            self.record.skipped.append(self.step.name)
        return self.forward()

    def back(self) -> list[Block]:
        """Go to the step before."""
        if self.place == 0:
            return [self.note("first-step", "quiet")]
        self.place -= 1
        return self.show()

    def forward(self) -> list[Block]:
        """Go to the next step; from the last to the first that was left out; with none the lesson ends."""
        left = [place for place, step in enumerate(self.lesson.steps) if is_open(step, self.record)]
        ahead = [place for place in left if place > self.place]
        if self.closing:
            if ahead:
                self.place = ahead[0]
                return self.show()
        elif self.place + 1 < len(self.lesson.steps):
            self.place += 1
            return self.show()
        elif left:
            self.closing = self.passed = True
            self.place = -1  # before the first step
            return [self.note("left-out", "quiet", steps=_listed(left)), *self.forward()]
        self.place = len(self.lesson.steps)
        return self._ended(left)

    def _ended(self, left: Sequence[int]) -> list[Block]:
        """What is said at the end: finished, or what is left out once more and is where to go on."""
        if left and not self.record.finished:
            self.record.at = self.lesson.steps[left[0]].name
            return [self.note("not-finished", "quiet", steps=_listed(left))]
        self.record.finished, self.record.at = True, ""
        right, later, count = score(self.lesson, self.record)
        return [self.note("finished", "right", right=right, later=later, count=count)]


def _listed(places: Sequence[int]) -> str:
    return ", ".join(str(place + 1) for place in places)


def _written(value: object) -> object:
    """Return a fact as a phrase says it: numbers with six digits, the names of verdicts as words."""
    if not isinstance(value, str):
        return value
    try:
        return f"{float(value):.6g}".replace("-", "−")
    except ValueError:
        return value.replace("_", " ")


def is_open(step: Step, record: Record) -> bool:
    """Tell whether a step still waits for its answer: a right one, any prediction, or its solution seen."""
    if not step.graded or step.name in record.shown or record.solved(step.name):
        return False
    return not (isinstance(step.task, Prediction) and record.of(step.name))


def score(lesson: Lesson, record: Record) -> tuple[int, int, int]:
    """Return how many graded steps were right at once, right later, and how many there are."""
    graded = list(_graded(lesson))
    at_once = sum(record.at_once(name) for name in graded)
    solved = sum(record.solved(name) and name not in record.shown for name in graded)
    return at_once, solved - at_once, len(graded)


def _graded(lesson: Lesson) -> Iterator[str]:
    return (step.name for step in lesson.steps if step.graded)
