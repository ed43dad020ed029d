"""A lesson as files for reading and working elsewhere: Markdown with figures, or a Jupyter notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from gdsim.lessons.catalogue import FILE as TEXTS
from gdsim.lessons.catalogue import languages
from gdsim.lessons.course import FIRST_LANGUAGE, SHIPPED, Course
from gdsim.lessons.markdown import ImageFormat, Page
from gdsim.lessons.notebook import notebook
from gdsim.lessons.reading import FILE

Form = Literal["markdown", "notebook"]
SUFFIXES: dict[Form, str] = {"markdown": ".md", "notebook": ".ipynb"}
_LINK = re.compile(r"(\]\()([^)#\s]+)")


def export(
    course: Course,
    name: str,
    form: Form,
    language: str = FIRST_LANGUAGE,
    format: ImageFormat = "svg",
) -> dict[str, bytes]:
    """Return a lesson as files, by their paths: the page first, what belongs to it in a folder beside.

    Parameters
    ----------
    course, name
        The course and the name of the lesson.
    form
        ``markdown`` or ``notebook``.
    language
        Of the texts; what is not translated is said in the first language.
    format
        Of the figures of a Markdown page; a notebook draws its own.

    Raises
    ------
    InputError
        As for reading the lesson, its texts and its scenarios.
    """
    texts = course.catalogue(name, language)
    page = Page(course.lesson(name), texts, course.phrases(language), format)
    folder = "" if course.folder == SHIPPED else str(course.folder)
    text = page.text() if form == "markdown" else notebook(page, folder, language)
    beside: dict[str, bytes] = {}

    def target(match: re.Match[str]) -> str:
        linked = texts.file.parent / match[2]
        if match[2] in course.names:
            return f"{match[1]}{match[2]}{SUFFIXES[form]}"
        if "://" not in match[2] and match[2] not in page.files and linked.is_file():
            beside[f"{name}/{linked.name}"] = linked.read_bytes()
            return f"{match[1]}{name}/{linked.name}"
        return match[0]

    text = _LINK.sub(target, text)
    own = {f"{name}/{path}": (page.lesson.folder / path).read_bytes() for path in _own(page.lesson.folder)}
    return {f"{name}{SUFFIXES[form]}": text.encode("utf-8"), **page.files, **own, **beside}


def _own(folder: Path) -> Iterator[str]:
    """Yield the files of a lesson that are neither its structure nor its texts: scenarios and their data."""
    spoken = languages(folder)
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        if file.is_file() and path.parts[0] not in (FILE, TEXTS, *spoken):
            yield path.as_posix()
