"""How far a learner is: one readable file, written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gdsim.outcomes import Fault, InputError

VERSION = 1
FILE = "progress.json"


@dataclass
class Attempt:
    """One answer: to which step, what it was, whether it was right, with how many hints, and when."""

    step: str
    answer: str
    right: bool
    hints: int = 0
    misconception: str = ""
    when: str = ""


@dataclass
class Record:
    """How far one lesson is.

    Attributes
    ----------
    at
        The name of the step at which the learner is; empty before the first.
    finished
        Whether the last step has been passed once.
    attempts
        Every answer, in order.
    shown, skipped
        The steps whose solution was looked at, and those that were skipped.
    """

    at: str = ""
    finished: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, attempt: Attempt) -> None:
        """Note an answer, with the time."""
        attempt.when = datetime.now(UTC).isoformat(timespec="seconds")
        self.attempts.append(attempt)

    def of(self, step: str) -> list[Attempt]:
        """Return the answers to a step."""
        return [attempt for attempt in self.attempts if attempt.step == step]

    def solved(self, step: str) -> bool:
        """Tell whether a step was answered rightly."""
        return any(attempt.right for attempt in self.of(step))

    def at_once(self, step: str) -> bool:
        """Tell whether the first answer to a step was right, and its solution had not been looked at."""
        return bool(self.of(step)) and self.of(step)[0].right and step not in self.shown


class Progress:
    """The records of all lessons, kept in a file.

    Parameters
    ----------
    file
        Read where it exists; written by :meth:`save`. None: kept in memory alone.

    Raises
    ------
    InputError
        For a file that is no progress of this version; it is left as it is.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.lessons: dict[str, Record] = {}
        if file is not None and file.is_file():
            self.lessons = _read(file)

    def record(self, lesson: str) -> Record:
        """Return the record of a lesson, a new one where there is none."""
        return self.lessons.setdefault(lesson, Record())

    def reset(self, lesson: str | None = None) -> None:
        """Forget one lesson, or all of them."""
        if lesson is None:
            self.lessons.clear()
        else:
            self.lessons.pop(lesson, None)
        self.save()

    def save(self) -> None:
        """Write the file: whole, or the old one stays. Raises OSError where the disk refuses."""
        if self.file is None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        content = {"version": VERSION, "lessons": {name: asdict(one) for name, one in self.lessons.items()}}
        temporary = self.file.with_name(f".{self.file.name}-{os.getpid()}")
        try:
            with temporary.open("w", encoding="utf-8") as stream:
                stream.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, self.file)
        except BaseException:
            with suppress(FileNotFoundError):
                temporary.unlink()
            raise


def _read(file: Path) -> dict[str, Record]:
    expected = "the file that gdsim learn has written; move it away to begin anew"
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
        if content["version"] != VERSION:
            message = f"this progress has version {content['version']}, not {VERSION}"
            raise InputError(Fault(message, "another version of gdsim", file=str(file)))
        return {str(name): _record(one) for name, one in content["lessons"].items()}
    except (ValueError, TypeError, LookupError, AttributeError):
        raise InputError(Fault("this is no progress of the tutorial", expected, file=str(file))) from None


def _record(data: Mapping[str, Any]) -> Record:
    attempts = [Attempt(**attempt) for attempt in data["attempts"]]
    return Record(str(data["at"]), bool(data["finished"]), attempts, [*data["shown"]], [*data["skipped"]])
