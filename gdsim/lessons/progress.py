"""How far a learner is: one readable file, written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
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

    def take_over(self, theirs: Record, known: Record) -> None:
        """Add to what another has written what has been done here beyond a state known to both."""
        self.at = theirs.at if self.at == known.at else self.at
        self.finished = theirs.finished if self.finished == known.finished else self.finished
        self.attempts[:] = [*theirs.attempts, *self.attempts[len(known.attempts) :]]
        for mine, yours, old in (
            (self.shown, theirs.shown, known.shown), (self.skipped, theirs.skipped, known.skipped),
        ):  # fmt: skip
            mine[:] = dict.fromkeys([*yours, *(name for name in mine if name not in old)])

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

    Attributes
    ----------
    lessons
        The records by the name of the lesson.
    last
        The lesson that was entered last; empty before the first.

    Raises
    ------
    InputError
        For a file that is no progress of this version; it is left as it is.

    Notes
    -----
    Several tutorials may run at once on one file: :meth:`save` adds to what stands there by then what has
    been done here since, so that none takes anything from another.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.lessons: dict[str, Record] = {}
        self.last = ""
        if file is not None and file.exists():
            self.lessons, self.last = _read(file)
        self._known, self._known_last = deepcopy(self.lessons), self.last

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
        """Write the file: whole, or the old one stays.

        Raises
        ------
        OSError
            Where the disk refuses; it names the file.
        InputError
            Where by now something else stands in the file.
        """
        if self.file is None:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self.file):
                self._merge()
                self._write(self.file)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.file)) from error
        self._known, self._known_last = deepcopy(self.lessons), self.last

    def _merge(self) -> None:
        """Take over what another tutorial has written since this one has read or written last."""
        assert self.file is not None
        theirs, last = _read(self.file) if self.file.exists() else ({}, "")
        self.last = last if self.last == self._known_last else self.last
        for name in dict.fromkeys([*theirs, *self.lessons]):
            known = self._known.get(name)
            if name not in self.lessons:
                if known is None:  # begun there; one that was known has been forgotten here
                    self.lessons[name] = deepcopy(theirs[name])
            elif name in theirs or self.lessons[name] != known:
                self.lessons[name].take_over(theirs.get(name, Record()), known or Record())
            else:  # forgotten there, untouched here
                del self.lessons[name]
        self._known, self._known_last = theirs, last

    def _write(self, file: Path) -> None:
        lessons = {name: asdict(one) for name, one in self.lessons.items()}
        content = {"version": VERSION, "last": self.last, "lessons": lessons}
        temporary = file.with_name(f".{file.name}-{os.getpid()}")
        try:
            with temporary.open("w", encoding="utf-8") as stream:
                stream.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, file)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock beside the file, which ends with the process however it ends."""
    try:
        import fcntl
    except ImportError:  # a system without it: two tutorials that save in one instant are the user's care
        yield
        return
    with file.with_name(f".{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(file: Path) -> tuple[dict[str, Record], str]:
    expected = "the file that gdsim learn has written; move it away to begin anew"
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
        if content["version"] != VERSION:
            message = f"this progress has version {content['version']}, not {VERSION}"
            raise InputError(Fault(message, "another version of gdsim", file=str(file)))
        lessons = {str(name): _record(one) for name, one in content["lessons"].items()}
        return lessons, str(content.get("last", ""))
    except InputError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise InputError(Fault("this is no progress of the tutorial", expected, file=str(file))) from None


def _record(data: Mapping[str, Any]) -> Record:
    attempts = [Attempt(**attempt) for attempt in data["attempts"]]
    return Record(str(data["at"]), bool(data["finished"]), attempts, [*data["shown"]], [*data["skipped"]])
