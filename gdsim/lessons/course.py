"""A course: a folder of lessons, and what the tutorial itself says in each language."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gdsim.lessons.catalogue import Catalogue, languages, read_catalogue
from gdsim.lessons.model import Lesson
from gdsim.lessons.reading import FILE, read_lesson
from gdsim.outcomes import Fault, InputError, nearest
from gdsim.scenario.document import read_document

SHIPPED = Path(__file__).parent.parent / "course"
PHRASES = "phrases"
FIRST_LANGUAGE = "en"


@dataclass(frozen=True)
class Course:
    """The lessons below a folder, in the order of their names.

    >>> Course(SHIPPED).names[0]
    '01-nudges'
    """

    folder: Path = SHIPPED

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the lessons, in order. Raises InputError where there are none."""
        found = tuple(sorted(file.parent.name for file in self.folder.glob(f"*/{FILE}")))
        if not found:
            expected = f"folders that hold a {FILE}"
            raise InputError(Fault("there is no lesson below this folder", expected, file=str(self.folder)))
        return found

    def find(self, wanted: str) -> str:
        """Return the name of a lesson: its whole name, its number, or the words behind the number.

        >>> Course(SHIPPED).find("1"), Course(SHIPPED).find("nudges")
        ('01-nudges', '01-nudges')
        """
        for name in self.names:
            number, _, words = name.partition("-")
            if wanted in (name, words, number, number.lstrip("0")):
                return name
        near = nearest(wanted, [*self.names, *(name.partition("-")[2] for name in self.names)])
        raise InputError(Fault(f"there is no lesson {wanted!r}", "a name of gdsim lessons list", near))

    def lesson(self, name: str) -> Lesson:
        """Read a lesson. Raises InputError."""
        return read_lesson(self.folder / name)

    def catalogue(self, name: str, language: str = FIRST_LANGUAGE) -> Catalogue:
        """Read the texts of a lesson; those of the first language where it has not been translated."""
        folder = self.folder / name
        return read_catalogue(folder, language if language in languages(folder) else FIRST_LANGUAGE)

    def phrases(self, language: str = FIRST_LANGUAGE) -> Mapping[str, str]:
        """Return what the tutorial itself says; phrases that are not translated in the first language.

        Raises
        ------
        InputError
            For an unknown language, with those there are.
        """
        folder = self.folder / PHRASES if (self.folder / PHRASES).is_dir() else SHIPPED / PHRASES
        known = sorted(file.stem for file in folder.glob("*.yaml"))
        if language not in known:
            raise InputError(
                Fault(f"there is no language {language!r}", " | ".join(known), nearest(language, known))
            )
        layers = [read_document(folder / f"{one}.yaml").data for one in (FIRST_LANGUAGE, language)]
        return {key: str(value).strip() for layer in layers for key, value in layer.items()}

    def digest(self, name: str) -> str:
        """Return eight hexadecimal digits of a lesson's structure: what a receipt speaks of."""
        return hashlib.sha256((self.folder / name / FILE).read_bytes()).hexdigest()[:8]
