"""The texts of a lesson in one language: a Markdown file whose headings are the names of the steps.

``# Title`` and the lines below it are title and summary; ``## name`` begins the texts of a step: its prose,
and below headings of the third level its parts: ``### hint 1``, ``### option left``, ``### solution``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gdsim.outcomes import Fault, InputError
from gdsim.scenario.document import read_text

FILE = "lesson.md"
LARGEST_FILE = 1 << 20
_FENCE = re.compile(r"(```|~~~)")


@dataclass(frozen=True)
class Passage:
    """A text and the line of the file in which it begins."""

    text: str
    line: int


@dataclass(frozen=True)
class Catalogue:
    """The texts of a lesson.

    Attributes
    ----------
    file, language
        Where they stand, and in which language.
    title, summary
        Of the lesson.
    steps
        ``(step, part)`` → text; the part of a step's prose is empty.
    """

    file: Path
    language: str
    title: str
    summary: str
    steps: Mapping[tuple[str, str], Passage] = field(default_factory=dict)

    def text(self, step: str, part: str = "") -> str:
        """Return a text; empty where there is none."""
        passage = self.steps.get((step, part))
        return "" if passage is None else passage.text

    def parts(self, step: str, kind: str) -> list[str]:
        """Return the names below a step that begin with a word, in the order of the file.

        >>> made = Catalogue(Path("x"), "en", "", "", {("a", "hint 1"): Passage("…", 3)})
        >>> made.parts("a", "hint")
        ['hint 1']
        """
        return [part for name, part in self.steps if name == step and part.split(" ")[0] == kind]


def read_catalogue(folder: Path, language: str) -> Catalogue:
    """Read the texts of a lesson's folder in a language.

    Raises
    ------
    InputError
        Where there are none, for a text before the title, or a heading that stands twice.
    """
    file = folder / language / FILE
    text = read_text(file, str(file), LARGEST_FILE)
    title, summary, sections = "", "", _sections(text)
    found: dict[tuple[str, str], Passage] = {}
    step = ""
    for level, heading, line, body in sections:
        if level == 0 and body.strip():
            raise InputError(Fault("a text stands before the title", "# Title", file=str(file), line=line))
        if level == 1:
            title, summary = heading, body.strip()
            continue
        if level == 2:
            step = heading
        key = (step, heading if level == 3 else "")
        if level in (2, 3):
            if key in found:
                message = f"the heading {heading!r} stands twice"
                expected = f"one; the first is in line {found[key].line - 1}"
                raise InputError(Fault(message, expected, file=str(file), line=line))
            found[key] = Passage(body.strip(), line + 1)
    if not title:
        raise InputError(
            Fault("the lesson has no title", "# Title in the first line", file=str(file), line=1)
        )
    return Catalogue(file, language, title, summary, found)


def _sections(text: str) -> list[tuple[int, str, int, str]]:
    """Split Markdown at its headings up to the third level: level, heading, line, the text below it."""
    found: list[tuple[int, str, int, list[str]]] = [(0, "", 1, [])]
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if _FENCE.match(line):
            fenced = not fenced
        heading = None if fenced else re.match(r"(#{1,3}) +(.+?) *#*$", line)
        if heading is not None:
            found.append((len(heading[1]), heading[2].strip(), number, []))
        else:
            found[-1][3].append(line)
    return [(level, heading, number, "\n".join(lines)) for level, heading, number, lines in found]


def languages(folder: Path) -> list[str]:
    """Return the languages in which a lesson's folder has texts, sorted."""
    return sorted(path.parent.name for path in folder.glob(f"*/{FILE}"))
