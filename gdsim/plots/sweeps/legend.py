"""The legend beside a picture of a sweep, and the lines that mark a stability limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.text import Text

from gdsim.plots.look import INK, colours, em
from gdsim.plots.points import NARROW
from gdsim.plots.rows import legend_row
from gdsim.plots.sweeps import words
from gdsim.plots.sweeps.limits import Limit
from gdsim.plots.text import room

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES = ("--", ":", "-.", (0, (6, 2, 1, 2, 1, 2)))

_ROW, _LINE = 1.85, 1.17  # ems: an entry of one line with the gap below it, and each further line

Entry = tuple[Any, str]  # what is drawn, and what it says


class LetteredSwatch:
    """Draws a swatch of a legend with its letter in it, as it stands in the picture."""

    def legend_artist(self, legend: Any, handle: Any, fontsize: float, box: Any) -> Any:
        """Fill the box of a handle; the protocol is that of matplotlib's legend handlers."""
        corner, place = (-box.xdescent, -box.ydescent), box.get_transform()
        swatch = Rectangle(corner, box.width, box.height, transform=place)
        swatch.set(facecolor=handle.get_facecolor(), edgecolor=handle.get_edgecolor(), linewidth=em(0.0571))
        swatch.set_hatch(handle.get_hatch())
        letter = Text(
            corner[0] + 0.5 * box.width, corner[1] + 0.46 * box.height, handle.get_gid() or "", ha="center",
            va="center", fontsize=fontsize, fontweight="bold", color=ink_on(handle.get_facecolor()),
            transform=place,
        )  # fmt: skip
        box.add_artist(swatch)
        box.add_artist(letter)
        return swatch


def ink_on(colour: Any) -> str:
    """Return white or ink, whichever can be read on a colour.

    >>> ink_on("#EBF2F7"), ink_on("#231820")
    ('#1B1B1B', 'white')
    """
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(colour)
    return "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.5 else INK


def swatch(colour: str, text: str, letter: str = "", hatch: str | None = None) -> Entry:
    """Return an entry for a colour."""
    return Patch(
        facecolor=colour, edgecolor=colours().muted, linewidth=em(0.0571), gid=letter, hatch=hatch
    ), text


def draw_limit(axes: Axes, x: Any, y: Any, limit: Limit, order: int) -> Entry:
    """Draw the line of a limit across a map, white dashes on ink; its label is what it says."""
    dashes: dict[str, Any] = {
        "color": "white",
        "linewidth": em(0.136),
        "linestyle": DASHES[order % len(DASHES)],
    }
    ground: dict[str, Any] = {"color": INK, "linewidth": em(0.3), "solid_capstyle": "butt"}
    for look, label in ((ground, "_nolegend_"), (dashes, limit.words)):
        axes.plot(x, y, label=label, scalex=False, scaley=False, **look)
    return tuple(Line2D([], [], **look) for look in (ground, dashes)), words.lines(limit.words)


def draw_rates(axes: Axes, limits: Sequence[Limit]) -> list[Entry]:
    """Draw the limits as upright lines behind curves or points, where they lie within the axes."""
    left, right = axes.get_xlim()
    entries: list[Entry] = []
    for order, limit in enumerate(limits):
        if limit.along is None and left < limit.rate < right:
            drawn = axes.axvline(
                float(limit.rate), color=colours().ink, linewidth=em(0.14), label=limit.words, zorder=1.6,
                linestyle=DASHES[order % len(DASHES)],
            )  # fmt: skip
            entries.append((drawn, words.lines(limit.words)))
    return entries


def draw_legend(figure: Figure, entries: Sequence[Entry]) -> None:
    """Put the legend to the right of the axes, or, where there is no room, above them, a line an entry."""
    if not entries:
        return
    handles, texts = [handle for handle, _ in entries], [text for _, text in entries]
    look: dict[str, Any] = {
        "handlelength": 1.6,
        "handleheight": 1.25,
        "handler_map": {Patch: LetteredSwatch()},
    }
    lines = sum(_ROW + text.count("\n") * _LINE for text in texts)
    if room(figure) < NARROW or lines > 72 * figure.get_figheight() / em(1) - 1:
        legend_row(figure, handles, [text.replace("\n", " ") for text in texts], **look)
        return
    figure.legend(
        handles, texts, loc="outside right center", frameon=False, labelspacing=0.6, alignment="left", **look
    )
