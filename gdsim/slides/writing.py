"""A deck from Python, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gdsim.outcomes import Fault, InputError, nearest
from gdsim.runs import Run
from gdsim.slides.content import Entry, Words, all_kinds
from gdsim.slides.formats import Look, assemble, check, kind_of, ready, save
from gdsim.slides.lecture import read_deck


def deck(
    runs: str | Path | Run | Sequence[Run],
    target: str | Path,
    *,
    to: str | None = None,
    title: str = "",
    author: str = "",
    date: str = "",
    template: str | Path | None = None,
    style: str = "slides",
    kinds: Sequence[str] = (),
    steps: Sequence[int] = (),
    include: bool = False,
) -> list[Path]:
    """Write a slide deck, as ``gdsim deck`` does.

    Parameters
    ----------
    runs
        Runs, or a deck file.
    target
        The file to write; its ending chooses the format where ``to`` does not.
    to
        ``pptx``, ``beamer``, ``quarto``, ``marp`` or ``html``.
    title, author, date
        For the first slide; those of the deck file by default.
    template
        A PowerPoint file whose layouts, colours and fonts are used.
    style
        The style of the figures.
    kinds
        The slides to show of each run, such as ``("steps", "verdict")``; by default those that suit.
    steps
        The steps of the build-up; by default the first ones and the last.
    include
        Whether to write the slides alone, for a document of your own; Beamer, Quarto and Marp.

    Returns
    -------
    list of Path
        The file, and the folder of figures where there is one.

    Raises
    ------
    InputError
        For a deck file with faults, an unknown format or kind of slide, a step that is none, a missing
        package.
    """
    file = Path(target)
    kind = to or kind_of(file)
    check(kind, style, template is not None, include)
    ready(kind)
    _check_shown(kinds, steps)
    items: list[Entry | Words]
    if isinstance(runs, str | Path):
        lecture = read_deck(Path(runs))
        items = lecture.entries()
        title, author, date = title or lecture.title, author or lecture.author, date or lecture.date
    elif isinstance(runs, Run):
        items = [Entry(runs)]
    else:
        items = [Entry(run) for run in runs]
    shown = {"kinds": tuple(kinds), "steps": tuple(steps)}
    given: dict[str, Any] = {key: value for key, value in shown.items() if value}
    items = [replace(item, **given) if isinstance(item, Entry) else item for item in items]
    made = assemble(items, title, author, date, file.stem)
    return save(made, file, kind, Look(Path(template) if template else None, style, include))


def _check_shown(kinds: Sequence[str], steps: Sequence[int]) -> None:
    """Raise InputError for a kind of slide or a step that is none."""
    known = all_kinds()
    listed = f"one of {', '.join(known)}"
    faults = [
        Fault(f"unknown kind of slide {kind!r}", listed, nearest(kind, known), path="kinds")
        for kind in kinds if kind not in known
    ]  # fmt: skip
    faults += [
        Fault(f"{step!r} is no step", "whole numbers such as 0, 1, 5, 20", path="steps")
        for step in steps if not isinstance(step, int) or isinstance(step, bool) or step < 0
    ]  # fmt: skip
    if faults:
        raise InputError(*faults)
