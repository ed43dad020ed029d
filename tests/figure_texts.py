"""Whether the texts around the axes of a figure collide or are clipped."""

from __future__ import annotations

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox


def frame_texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """Titles, captions, labels, legend texts and words inside the axes; no numbers of steps or ticks."""
    wanted = set(figure.texts)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    for axes in shown:
        wanted |= {axes.xaxis.label, axes.yaxis.label, axes.title, axes._left_title}  # type: ignore[attr-defined]
        wanted |= {axes.zaxis.label} if hasattr(axes, "zaxis") else set()
        wanted |= {text for text in axes.texts if not text.get_text().isdecimal()}
    legends = [legend for legend in (*figure.legends, *(axes.get_legend() for axes in shown)) if legend]
    wanted |= {text for legend in legends for text in legend.get_texts()}
    return [
        (artist.get_text(), artist.get_window_extent())
        for artist in wanted
        if artist is not None and artist.get_text().strip() and artist.get_visible()
    ]


def assert_texts_stand_apart(figure: Figure) -> None:
    """Fail where a text leaves the figure or two overlap."""
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    boxes = frame_texts(figure)
    room = figure.bbox.padded(1)
    for text, box in boxes:
        assert room.containsx(box.x0), text
        assert room.containsx(box.x1), text
        assert room.containsy(box.y0), text
        assert room.containsy(box.y1), text
    for (one, a), (other, b) in combinations(boxes, 2):
        assert not a.shrunk(0.98, 0.9).overlaps(b.shrunk(0.98, 0.9)), (one, other)
