"""The rows of a figure: title, legend, axes, caption, none of which ever covers another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.layout_engine import ConstrainedLayoutEngine

from gdsim.plots.look import em
from gdsim.plots.text import MARGIN, room, width

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.text import Text

_HANDLE, _COLUMN, _BESIDE_HANDLE = 1.4, 1.4, 0.8  # ems: a handle, the gaps between columns and to the words
_GAP = 0.3  # ems, between rows
_SPARE = 1.0  # ems: hinted letters are a little wider than reckoned
_FEW = 2  # rows of a legend that a figure has room for; for more it grows taller
_LINE = 1.5  # ems, a row of a legend


class Rows(ConstrainedLayoutEngine):
    """Constrained layout for the axes, in the room that title, legend and caption leave.

    Constrained layout gives title, legend and caption of a figure the same margins, in which they would lie
    on top of each other. Here each has a row of its own, as high as it is drawn.

    Attributes
    ----------
    title, aside, legend, caption
        What stands in the rows. The aside stands at the right end of the title's row, or below the title
        where ``aside_below`` says that the row is too short for both.
    """

    def __init__(self) -> None:
        super().__init__()
        self.title: Text | None = None
        self.aside: Text | None = None
        self.aside_below = False
        self.legend: Legend | None = None
        self.entries: dict[str, Any] = {}
        self.caption: Text | None = None
        self.grown = 0
        self._left, self._gap = em(MARGIN) / 72, em(_GAP) / 72  # inches

    def execute(self, fig: Any) -> Any:
        """Place the rows and lay out the axes between them."""
        renderer, height = fig._get_renderer(), fig.bbox.height
        pad, gap = self.get()["h_pad"] * fig.dpi, self._gap * fig.dpi
        top = height - pad
        if self.aside is not None and not self.aside_below:
            self.aside.set_y(top / height)
        for row in (self.title, self.aside if self.aside_below else None):
            if row is not None and row.get_text():
                row.set_y(top / height)
                top -= row.get_window_extent(renderer).height + gap
        if self.legend is not None:
            corner = (self._left / fig.get_figwidth(), top / height)
            self.legend.set_bbox_to_anchor(corner, transform=fig.transFigure)
            top -= self.legend.get_window_extent(renderer).height + gap
        bottom = 0.0
        if self.caption is not None and self.caption.get_text():
            self.caption.set_y(pad / height)
            bottom = pad + self.caption.get_window_extent(renderer).height
        self.set(rect=(0.0, bottom / height, 1.0, max(0.01, (top - bottom) / height)))
        return super().execute(fig)


def rows(figure: Figure) -> Rows:
    """Return the rows of a figure, which from now on lay it out."""
    engine = figure.get_layout_engine()
    if not isinstance(engine, Rows):
        engine = Rows()
        figure.set_layout_engine(engine)
    return engine


def legend_row(figure: Figure, handles: Sequence[Any], labels: Sequence[str], **options: Any) -> None:
    """Put entries into the legend between title and axes, beside those that are there already.

    There are as many columns as the figure's width holds. A figure with a legend of many rows grows taller.
    """
    if not labels:
        return
    found = rows(figure)
    entries = found.entries = found.entries | dict(zip(labels, handles, strict=True))
    if found.legend is not None:
        found.legend.remove()
    columns = columns_within([*entries], room(figure) - _SPARE)
    found.legend = figure.legend(
        [*entries.values()], [*entries], loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=columns,
        frameon=False, borderpad=0.0, borderaxespad=0.0, columnspacing=_COLUMN,
        **{"handlelength": _HANDLE, "labelspacing": 0.3, **options},
    )  # fmt: skip
    found.legend.set_in_layout(False)
    more = max(0, -(-len(entries) // columns) - _FEW)
    figure.set_figheight(figure.get_figheight() + (more - found.grown) * em(_LINE) / 72)
    found.grown = more


def columns_within(labels: Sequence[str], most: float) -> int:
    """Return how many columns of a legend fit into so many ems, at least one."""
    columns = len(labels)
    while columns > 1 and row_width(labels, columns) > most:
        columns -= 1
    return columns


def row_width(labels: Sequence[str], columns: int) -> float:
    """How many ems a legend takes across: its columns are filled one after the other, as matplotlib does."""
    deep, longer = divmod(len(labels), columns)
    lengths = [deep + 1] * longer + [deep] * (columns - longer)
    total, place = -_COLUMN, 0
    for length in lengths:
        total += max(map(width, labels[place : place + length])) + _HANDLE + _BESIDE_HANDLE + _COLUMN
        place += length
    return total
