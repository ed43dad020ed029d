"""What a learner hands in: a transcript to read, and a receipt whose answers are judged again.

A receipt holds every answer, a nonce that the teacher may give out, and a hash over all of it. The hash shows
that a receipt was changed afterwards; that the answers are right is shown by judging them again. Neither can
show who typed them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from gdsim.lessons.answers import judge
from gdsim.lessons.catalogue import Catalogue
from gdsim.lessons.course import Course
from gdsim.lessons.model import Lesson, Step
from gdsim.lessons.progress import Attempt, Progress, Record
from gdsim.lessons.session import is_open, score
from gdsim.lessons.values import filled
from gdsim.outcomes import Fault, InputError

VERSION = 1


def transcript(lesson: Lesson, texts: Catalogue, record: Record) -> str:
    """Return what a learner has answered in a lesson, as Markdown: questions, answers, how they went."""
    lines = [f"# {texts.title}", ""]
    for step in lesson.steps:
        attempts = record.of(step.name)
        if not step.graded or not (attempts or step.name in record.shown):
            continue
        lines += [f"## {step.name}", "", filled(lesson, texts.text(step.name)), ""]
        for attempt in attempts:
            how = "right" if attempt.right else "not right"
            more = [f"{attempt.hints} hints"] * bool(attempt.hints) + [attempt.misconception] * bool(
                attempt.misconception
            )
            said = attempt.answer.replace("`", "ʼ")
            lines.append(f"- `{said}` — {', '.join([how, *more])}")
        if step.name in record.shown:
            lines.append("- the solution was looked at")
        lines.append("")
    at_once, later, count = score(lesson, record)
    lines.append(f"{at_once} of {count} right at once, {later} later.")
    return "\n".join(lines) + "\n"


def receipt(course: Course, progress: Progress, learner: str, nonce: str = "") -> dict[str, Any]:
    """Return a receipt over all lessons begun, as plain data.

    Parameters
    ----------
    course
        The course.
    progress
        How far the learner is.
    learner
        The name, as the learner gives it.
    nonce
        A word that the teacher has given out; a random one where there is none.
    """
    lessons = {}
    for name, record in sorted(progress.lessons.items()):
        if name in course.names and (record.attempts or record.finished):
            at_once, later, count = score(course.lesson(name), record)
            lessons[name] = {
                "digest": course.digest(name), "finished": record.finished, "right_at_once": at_once,
                "right_later": later, "graded": count, "shown": record.shown,
                "attempts": [asdict(attempt) for attempt in record.attempts],
            }  # fmt: skip
    made = {
        "receipt": VERSION,
        "learner": learner,
        "nonce": nonce or secrets.token_hex(8),
        "lessons": lessons,
    }
    return {**made, "hash": _hash(made)}


def _hash(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


class Verified(NamedTuple):
    """What a receipt is worth: how much was done, and what is wrong with it."""

    file: Path
    learner: str
    nonce: str
    lessons: int
    finished: int
    right_at_once: int
    right_later: int
    graded: int
    faults: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.faults


def verify(course: Course, file: Path, nonce: str = "") -> Verified:
    """Check a receipt: its hash, its nonce, and every answer, which is judged again.

    A file that is no receipt is not sound.

    Raises
    ------
    InputError
        For a file that is not there.
    """
    content = _read(file)
    if content is None:
        return Verified(file, "", "", 0, 0, 0, 0, 0, ("this is no receipt of the tutorial",))
    faults = []
    stated = content.pop("hash", "")
    if stated != _hash(content):
        faults.append("it was changed after it was made")
    if nonce and content["nonce"] != nonce:
        faults.append(f"its nonce is {content['nonce']!r}, not {nonce!r}")
    finished = at_once = later = graded = 0
    for name, lesson in content["lessons"].items():
        record = Record(
            finished=bool(lesson["finished"]), attempts=[Attempt(**one) for one in lesson["attempts"]],
            shown=list(lesson["shown"]),
        )  # fmt: skip
        faults += _lesson_faults(course, name, lesson, record)
        if name in course.names:
            scored = score(course.lesson(name), record)
            finished += record.finished
            at_once, later, graded = at_once + scored[0], later + scored[1], graded + scored[2]
    lessons = len(content["lessons"])
    return Verified(
        file, content["learner"], content["nonce"], lessons, finished, at_once, later, graded, tuple(faults)
    )


def _read(file: Path) -> dict[str, Any] | None:
    """Return the content of a receipt; None for a file that is none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["receipt"] != VERSION:
            raise ValueError
        texts = (content["learner"], content["nonce"])
        if not all(isinstance(text, str) for text in texts) or not isinstance(content["lessons"], dict):
            raise TypeError
        for lesson in content["lessons"].values():
            attempts = [Attempt(**one) for one in lesson["attempts"]]
            if not all(isinstance(text, str) for one in attempts for text in (one.step, one.answer)):
                raise TypeError
            list(lesson["shown"])
            bool(lesson["finished"])
    except FileNotFoundError:
        expected = "a receipt that gdsim learn --record wrote"
        raise InputError(Fault("there is no such file", expected, file=str(file))) from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return dict(content)


def _lesson_faults(course: Course, name: str, stated: Mapping[str, Any], record: Record) -> list[str]:
    """Judge every answer again and return what does not hold."""
    if name not in course.names:
        return [f"{name} is no lesson of this course"]
    if stated.get("digest") != course.digest(name):
        return [f"{name} has been changed since, or was another lesson"]
    lesson = course.lesson(name)
    steps = {step.name: step for step in lesson.steps}
    faults = []
    for attempt in record.attempts:
        step = steps.get(attempt.step)
        if step is None or not step.graded:
            faults.append(f"{name} has no graded step {attempt.step}")
        elif _holds(lesson, step, attempt) is not attempt.right:
            faults.append(
                f"{name}, {attempt.step}: the answer {attempt.answer!r} is not {_word(attempt.right)}"
            )
    if record.finished:
        missing = [step.name for step in lesson.steps if is_open(step, record)]
        faults += [f"{name} is said to be finished, but {step} has no answer" for step in missing]
    for claim, found in zip(("right_at_once", "right_later"), score(lesson, record), strict=False):
        if stated.get(claim) != found:
            words = claim.replace("_", " ")
            faults.append(f"{name} is said to be {words} {stated.get(claim)} times, not {found}")
    return faults


def _word(right: bool) -> str:
    return "right" if right else "wrong"


def _holds(lesson: Lesson, step: Step, attempt: Attempt) -> bool | None:
    try:
        return judge(lesson, step, attempt.answer).right
    except InputError:
        return None


def grades(verified: Iterable[Verified]) -> str:
    """Return a table of receipts as CSV, a row each, that a spreadsheet opens."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["learner", "lessons", "finished", "right_at_once", "right_later", "graded", "sound", "nonce", "file"]
    )
    for one in verified:
        row = [
            one.learner, one.lessons, one.finished, one.right_at_once, one.right_later, one.graded,
            "yes" if one.sound else "no: " + "; ".join(one.faults), one.nonce, one.file.as_posix(),
        ]  # fmt: skip
        writer.writerow([_harmless(cell) for cell in row])
    return text.getvalue()


def _harmless(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula, with one kind of line break."""
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    formula = text[:1] in ("\t", "\n") or text.lstrip()[:1] in ("=", "+", "-", "@", "|")
    return f"'{text}" if formula else text
