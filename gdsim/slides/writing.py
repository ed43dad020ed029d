"""A deck from Python, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gdsim.runs import Run
from gdsim.slides.content import Entry, Words
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

    Returns
    -------
    list of Path
        The file, and the folder of figures where there is one.

    Raises
    ------
    InputError
        For a deck file with faults, an unknown format, a missing package.
    """
    file = Path(target)
    kind = to or kind_of(file)
    check(kind, style, template is not None)
    ready(kind)
    items: list[Entry | Words]
    if isinstance(runs, str | Path):
        lecture = read_deck(Path(runs))
        items = lecture.entries()
        title, author, date = title or lecture.title, author or lecture.author, date or lecture.date
    elif isinstance(runs, Run):
        items = [Entry(runs)]
    else:
        items = [Entry(run) for run in runs]
    made = assemble(items, title, author, date, file.stem)
    return save(made, file, kind, Look(Path(template) if template else None, style))
