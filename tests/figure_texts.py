"""Whether the texts of a figure collide or are clipped: titles, captions, labels, ticks, legends, notes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

_APART = 0.25  # ems between the labels of neighbouring ticks, so that they do not read as one number


class Placed(NamedTuple):
    """A text as it is drawn: its words, the box that it fills, and the axis whose tick it labels, if any."""

    words: str
    box: Bbox
    axis: Axis | None
    size: float


def drawn_texts(figure: Figure) -> list[Placed]:
    """Return every text that is seen on a figure, laid out."""
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    return [
        Placed(text.get_text(), text.get_window_extent(), axis, text.get_fontsize())
        for text, axis in _texts(figure, None)
        if text.get_text().strip() and not _outside_its_axes(text)
    ]


def _texts(artist: Artist, axis: Axis | None) -> Iterator[tuple[Text, Axis | None]]:
    """Go through all that is visible; of the ticks of an axis only those within its limits are drawn."""
    if not artist.get_visible():
        return
    if isinstance(artist, Text):
        yield artist, axis
    elif isinstance(artist, Axis):
        solid = hasattr(artist, "_axinfo")  # in space tick labels have a place only while they are drawn
        for tick in () if solid else artist._update_ticks():  # type: ignore[attr-defined]
            for label in (tick.label1, tick.label2):
                yield from _texts(label, artist)
        yield from _texts(artist.label, None)
        yield from _texts(artist.offsetText, None)
    else:
        bare = not getattr(artist, "axison", True)
        for child in artist.get_children():
            if not (bare and isinstance(child, Axis)):
                yield from _texts(child, axis)


def _outside_its_axes(text: Text) -> bool:
    """Whether an annotation is not drawn because the point that it names is out of the frame."""
    if not isinstance(text, Annotation):
        return False
    return not text._check_xy(None)  # type: ignore[attr-defined]


def faults_of_texts(figure: Figure) -> list[str]:
    """Return what is wrong with the texts of a figure: which leave it, which collide."""
    placed = drawn_texts(figure)
    frame = figure.bbox.padded(1)
    faults = [
        f"leaves the figure: {one.words!r}"
        for one in placed
        if not (frame.contains(one.box.x0, one.box.y0) and frame.contains(one.box.x1, one.box.y1))
    ]
    pixels = figure.dpi / 72
    for one, other in combinations(placed, 2):
        a, b = (each.box.shrunk(0.98, 0.9) for each in (one, other))
        if one.axis is not None and one.axis is other.axis:
            gap = _APART * one.size * pixels
            a = Bbox.from_extents(a.x0 - gap, a.y0, a.x1, a.y1) if one.axis.axis_name == "x" else a
        if _overlap(a, b):
            faults.append(f"collide: {one.words!r} and {other.words!r}")
    return faults


def _overlap(a: Bbox, b: Bbox) -> bool:
    return bool(a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1)


def assert_texts_stand_apart(figure: Figure) -> None:
    """Fail where a text leaves the figure or two overlap."""
    faults = faults_of_texts(figure)
    assert not faults, "\n".join(faults)


def assert_texts_are_large_enough(figure: Figure, least: float) -> None:
    """Fail where a text is smaller than the style allows."""
    small = [one.words for one in drawn_texts(figure) if one.size < least - 1e-9]
    assert not small, small
