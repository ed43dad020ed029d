"""The one door to the figures: which kinds there are, their bytes and their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdsim.plots import PLOTS, Format, Look, Stamp, draw, render
from gdsim.plots import alt_text as described
from gdsim.slides.words import clean

if TYPE_CHECKING:
    from gdsim.runs import Run
    from gdsim.slides.model import Room

__all__ = ["STYLES", "Format", "alt_text", "kinds", "picture", "suits"]

STYLES = ("slides", "slides-dark", "print")
#: inches on a slide of 13.33 × 7.5, so that the text of a figure is as large there as its style says
_SIZES = {"full": "12.3x5.4", "beside": "8.2x5.3", "below": "12.3x3.6"}


def kinds() -> tuple[str, ...]:
    """Return the names of all kinds of figures of a single run."""
    return tuple(name for name, plot in PLOTS.items() if not plot.several)


def suits(run: Run, kind: str) -> bool:
    """Tell whether a kind can show a run."""
    return kind in kinds() and not PLOTS[kind].refusal(run)


def picture(
    run: Run, kind: str, format: Format, style: str = "slides", until: int | None = None, room: Room = "full"
) -> bytes:
    """Return a figure as bytes; the same run gives the same bytes.

    What a slide says itself is left out: title, outcome and caption.
    """
    look = Look(style=style, size=_SIZES[room], caption=False)
    figure = draw(run.renamed(title=""), kind, look=look, until=until)
    for text in figure.texts:
        text.set_text("")
    return render(figure, format, look, Stamp(clean(run.title), alt_text(run, kind, until), {}))


def alt_text(run: Run, kind: str, until: int | None = None) -> str:
    """Return what a figure shows, in words."""
    return clean(described(run, kind, until))
