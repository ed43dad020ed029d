"""One page for a lesson, or for all of them: taken without a network, a server or a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from gdsim.lessons.course import FIRST_LANGUAGE, Course
from gdsim.page.lesson_data import Data, Laboratories, lessons_data

if TYPE_CHECKING:
    from gdsim.losses import Loss

ENTRY = "lesson/main.js"
STYLES = ("page.css", "lesson.css")


def lesson_page(name: str, language: str = FIRST_LANGUAGE, course: Course | None = None) -> str:
    """Return a page with one lesson.

    Parameters
    ----------
    name
        Of the lesson: its whole name, its number, or the words behind the number.
    language
        Of the words; what is not translated is said in English.
    course
        The course; the shipped one where None.

    Returns
    -------
    str
        HTML that works from a file, the same bytes each time.

    Raises
    ------
    InputError
        For an unknown lesson or language.

    Examples
    --------
    >>> page = lesson_page("12-one-step")
    >>> page.startswith("<!DOCTYPE html>"), len(page.encode()) < 300_000
    (True, True)
    """
    found = course or Course()
    return _page(found, [found.find(name)], language)


def course_page(language: str = FIRST_LANGUAGE, course: Course | None = None) -> str:
    """Return a page with all lessons of a course, as :func:`lesson_page` does with one."""
    found = course or Course()
    return _page(found, found.names, language)


def _page(course: Course, names: Sequence[str], language: str) -> str:
    from gdsim.page.bundle import JS, bundle
    from gdsim.page.document import document
    from gdsim.page.formulas import emitted

    labs = Laboratories()
    data = lessons_data(course, names, language, labs)
    losses, data["labs"] = laboratories(labs)
    several = len(names) > 1
    title = data["phrases"]["page-course"] if several else data["lessons"][0]["title"]
    body = f'<main id="lessons"><h1>{escape(title)}</h1></main>'
    style = "".join((JS.parent / name).read_text(encoding="utf-8") for name in STYLES)
    pictures = any("picture" in step for lesson in data["lessons"] for step in lesson["steps"])
    script, language = bundle(ENTRY, emitted(losses)), data["language"]
    return document(title, body, data, script, style, language=language, pictures=pictures)


def laboratories(labs: Laboratories) -> tuple[dict[str, Loss], list[Data]]:
    """Return the losses of the runs by their keys, each once, and the data of each run.

    Two runs share a loss where it is the same formula of the same weights, parameters and columns by name.
    """
    from gdsim.expr.display import to_text
    from gdsim.page.scenario_data import lab_data

    losses: dict[str, Loss] = {}
    keys: dict[tuple[object, ...], str] = {}
    made = []
    for run in labs.runs:
        loss = run.loss
        assert loss.expression is not None
        names = (to_text(loss.expression), loss.weights, tuple(loss.parameters), tuple(loss.data))
        key = keys.setdefault(names, f"loss{len(keys) + 1}")
        losses.setdefault(key, loss)
        made.append(lab_data(run, loss=key))
    return losses, made
