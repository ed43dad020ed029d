"""One page for the browser: a scenario or lessons that compute live, without a network.

The floor above lessons and decks. Python writes what only Python can find (proofs, derivatives as formulas,
what other libraries say) and emits the formulas as JavaScript; all else is computed in the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdsim.page.lesson_pages import course_page, lesson_page
    from gdsim.scenario import Scenario

__all__ = ["course_page", "lesson_page", "scenario_page"]


def __getattr__(name: str) -> Any:
    """Find the pages of lessons on first use: a scenario does without them."""
    if name not in __all__:
        raise AttributeError(f"module 'gdsim.page' has no attribute {name!r}")
    from gdsim.page import lesson_pages

    return getattr(lesson_pages, name)


def scenario_page(scenario: Scenario, *, hide: Sequence[str] = (), torch: bool = False) -> str:
    """Return a scenario as one HTML page that computes in the browser, offline.

    Parameters
    ----------
    scenario
        What the page is about; it is run once.
    hide
        Parts that the page leaves out: names of :data:`gdsim.page.parts.PARTS`.
    torch
        Whether PyTorch's derivative at the start is told too; importing it takes seconds.

    Returns
    -------
    str
        HTML, the same bytes for the same scenario.

    Raises
    ------
    InputError
        For a part that is not there, or a scenario whose parts do not fit together.

    Examples
    --------
    >>> from gdsim.scenario import load
    >>> page = scenario_page(load("parabola"))
    >>> page.startswith("<!DOCTYPE html>"), len(page.encode()) < 150_000
    (True, True)
    """
    from gdsim.page.bundle import JS, bundle
    from gdsim.page.document import document, escape
    from gdsim.page.formulas import emitted
    from gdsim.page.parts import check_hidden
    from gdsim.page.scenario_data import lab_data
    from gdsim.runs import execute

    hidden = check_hidden(hide)
    run = execute(scenario)
    data = {"kind": "scenario", "lab": lab_data(run, torch=torch), "hide": list(hidden)}
    title = scenario.title or scenario.name
    told = "" if "verdict" in hidden else f" {run.verdict.kind.replace('_', ' ')}. {run.verdict.sentence}"
    body = (
        f"<header><h1>{escape(title)}</h1></header>\n"
        f"<main><noscript><p>This page computes with JavaScript.{escape(told)}</p></noscript></main>"
    )
    style = (JS.parent / "page.css").read_text(encoding="utf-8")
    return document(title, body, data, bundle("app/main.js", emitted({"loss": run.loss})), style)
