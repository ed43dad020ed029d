"""A lesson as files for reading and working elsewhere: Markdown with figures, or a Jupyter notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from gdsim.lessons.catalogue import languages
from gdsim.lessons.course import FIRST_LANGUAGE, PHRASES, SHIPPED, Course
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
    travels = form == "notebook" and course.folder != SHIPPED  # then what is written is a course, too
    text = page.text() if form == "markdown" else notebook(page, "." if travels else "", language)
    beside = dict(_files(course, name, travels))

    def target(match: re.Match[str]) -> str:
        linked = texts.file.parent / match[2]
        if match[2] in course.names:
            return f"{match[1]}{match[2]}{SUFFIXES[form]}"
        if "://" not in match[2] and match[2] not in page.files and linked.is_file():
            beside[f"{name}/{linked.name}"] = linked.read_bytes()
            return f"{match[1]}{name}/{linked.name}"
        return match[0]

    text = _LINK.sub(target, text)
    return {f"{name}{SUFFIXES[form]}": text.encode("utf-8"), **page.files, **beside}


def _files(course: Course, name: str, whole: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a lesson by their paths: scenarios and data; where ``whole`` all it consists of."""
    folder = course.folder / name
    left_out = () if whole else (FILE, *languages(folder))
    found = [file for file in folder.rglob("*") if file.relative_to(folder).parts[0] not in left_out]
    if whole:
        found += (course.folder / PHRASES).glob("*.yaml")
    for file in sorted(found):
        if file.is_file():
            yield file.relative_to(course.folder).as_posix(), file.read_bytes()
