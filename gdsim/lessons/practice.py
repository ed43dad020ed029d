"""The exercises of a lesson outside the tutorial: in a notebook, an answer is checked by a call."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gdsim.lessons.course import FIRST_LANGUAGE, SHIPPED, Course
from gdsim.lessons.markdown import written
from gdsim.lessons.progress import Record
from gdsim.lessons.session import Block, Session
from gdsim.outcomes import Fault, InputError, nearest


@dataclass(frozen=True)
class Feedback:
    """What is said to an answer.

    Attributes
    ----------
    right
        True or False; None where there is no answer yet, or nobody can tell.
    text
        What is said, as Markdown; a notebook shows it.
    """

    right: bool | None
    text: str

    def __str__(self) -> str:
        """Return what is said, as it is read."""
        return re.sub(r"\\([*`])", r"\1", self.text)

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        return self.text


class Practice:
    """The exercises of a lesson.

    Parameters
    ----------
    lesson
        Its name, its number, or the words behind the number.
    course
        The folder of a course; the shipped one where None.
    language
        In which language is answered.

    Raises
    ------
    InputError
        For a lesson or a language that there is not.

    Examples
    --------
    >>> practice = Practice("nudges")
    >>> practice.check("your-nudge").right is None
    True
    >>> print(practice.check("your-nudge", (2.1**2 - 2**2) / 0.1))
    Right.
    >>> print(practice.check("your-nudge", "2.1^2 - 2^2").text.splitlines()[0])
    Not quite.
    """

    def __init__(self, lesson: str, course: str | Path | None = None, language: str = FIRST_LANGUAGE) -> None:
        found = Course(SHIPPED if course is None else Path(course))
        self.name = found.find(lesson)
        self._lesson = found.lesson(self.name)
        self._texts = found.catalogue(self.name, language)
        self._phrases = found.phrases(language)

    @property
    def exercises(self) -> tuple[str, ...]:
        """The names of the steps that ask for an answer, in order."""
        return tuple(one.name for one in self._lesson.steps if one.graded)

    def ask(self, step: str) -> Feedback:
        """Return what is asked in a step. Raises InputError for a step that is no exercise.

        >>> print(Practice("chain-rule").ask("sine"))
        The derivative of sin(u) with respect to u is cos(u). Differentiate sin(3x).
        """
        return self._said(self._session(step).show())

    def hint(self, step: str, number: int = 1) -> Feedback:
        """Return a hint of an exercise; later ones say more.

        Raises
        ------
        InputError
            For a step that is no exercise, and a hint that there is not.
        """
        session = self._session(step)
        session.show()
        count = len(self._texts.parts(step, "hint"))
        if number not in range(1, count + 1):
            expected = f"1 to {count}" if count else "an exercise with hints"
            raise InputError(Fault(f"{step} has no hint {number!r}", expected, path="number"))
        *_, last = (session.hint() for _ in range(number))
        return self._said(last)

    def solution(self, step: str) -> Feedback:
        """Return what is right, and why. Raises InputError for a step that is no exercise."""
        session = self._session(step)
        session.show()
        return self._said(session.solution(), quiet=True)  # of a prediction only, that the run is the answer

    def _session(self, step: str) -> Session:
        """Return the tutorial at an exercise."""
        if step not in self.exercises:
            message, listed = f"{step!r} is no exercise of {self.name}", ", ".join(self.exercises)
            raise InputError(Fault(message, listed, nearest(step, self.exercises)))
        return Session(self._lesson, self._texts, self._phrases, Record(at=step))

    @staticmethod
    def _said(blocks: Sequence[Block], quiet: bool = False) -> Feedback:
        return Feedback(None, "\n\n".join(written(blocks, quiet)))

    def check(self, step: str, answer: object = "") -> Feedback:
        """Judge an answer to a step.

        Parameters
        ----------
        step
            The name of a graded step.
        answer
            As it is typed in the tutorial. A number, a list of names or numbers, or a mapping of settings
            will do, too; an empty text or None is no answer yet.

        Raises
        ------
        InputError
            For a step that there is not, or that asks for no answer. An answer that cannot be read is none.
        """
        session = self._session(step)
        typed = _typed(answer)
        if not typed:
            return Feedback(None, self._phrases["empty"])
        session.show()
        said = self._said(session.answer(typed))
        attempts = session.record.attempts
        return Feedback(attempts[-1].right if attempts else None, said.text)


def _typed(answer: object) -> str:
    """Return an answer as it would be typed.

    >>> _typed([2, 1, 3]), _typed({"learning_rate": 0.5}), _typed(6.0), _typed(None)
    ('2 1 3', 'learning_rate=0.5', '6.0', '')
    """
    if answer is None:
        return ""
    if isinstance(answer, Mapping):
        return " ".join(f"{path}={value}" for path, value in answer.items())
    if isinstance(answer, list | tuple):
        return " ".join(map(str, answer))
    return str(answer).strip()
