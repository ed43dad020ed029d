"""Whether the texts around the axes of a figure collide or are clipped."""

from __future__ import annotations

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox


def frame_texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """Titles, captions, axis labels and legend texts; step numbers and tick labels stand inside the axes."""
    wanted = set(figure.texts)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    for axes in shown:
        wanted |= {axes.xaxis.label, axes.yaxis.label, axes.title, axes._left_title}  # type: ignore[attr-defined]
    legends = [legend for legend in (*figure.legends, *(axes.get_legend() for axes in shown)) if legend]
    wanted |= {text for legend in legends for text in legend.get_texts()}
    return [
        (artist.get_text(), artist.get_window_extent())
        for artist in wanted
        if artist is not None and artist.get_text().strip()
    ]


def inner_texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """Texts that a kind puts on its axes."""
    shown = [text for axes in figure.axes for text in axes.texts if text.get_visible() and text.get_text()]
    return [(text.get_text(), text.get_window_extent()) for text in shown]


def assert_texts_stand_apart(figure: Figure, *, inside: bool = False) -> None:
    """Fail where a text leaves the figure or two overlap; ``inside`` asks it of texts on the axes too."""
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    boxes = frame_texts(figure) + (inner_texts(figure) if inside else [])
    room = figure.bbox.padded(1)
    for text, box in boxes:
        assert room.containsx(box.x0), text
        assert room.containsx(box.x1), text
        assert room.containsy(box.y0), text
        assert room.containsy(box.y1), text
    for (one, a), (other, b) in combinations(boxes, 2):
        assert not a.shrunk(0.98, 0.9).overlaps(b.shrunk(0.98, 0.9)), (one, other)
