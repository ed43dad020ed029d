"""A figure that a notebook shows, though pyplot, which would see to that, is never imported here."""

from __future__ import annotations

from typing import cast

from matplotlib.figure import Figure

from gdsim.plots.look import Look
from gdsim.plots.output import render

_WIDEST = 720.0  # pixels of a page on which a notebook shows a figure; the picture itself has twice as many
_AN_INCH = 96.0  # pixels of a page


class Shown(Figure):
    """A figure that knows in which look it was drawn."""

    look: Look

    def _repr_png_(self) -> tuple[bytes, dict[str, float]]:
        """What a notebook shows, and how large."""
        wide, high = self.get_size_inches()
        width = min(_WIDEST, _AN_INCH * wide)
        return render(self, "png", self.look), {"width": width, "height": width * high / wide}


def shown(figure: Figure, look: Look | None) -> Figure:
    """Let a figure show itself: the same object, which the modules that draw made as a plain one."""
    figure.__class__ = Shown
    cast(Shown, figure).look = look or Look()
    return figure
