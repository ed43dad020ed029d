"""The frames of an animation: what stands still is drawn once, what moves is drawn upon it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox
    from numpy.typing import NDArray

    from gdsim.plots.scene import Scene

    Pixels = NDArray[np.uint8]

_LOOKS = 16  # positions at which it is seen how far an artist reaches that nothing cuts off
_EDGE = 2.0  # pixels that smoothed edges add to an artist


class _Layer(NamedTuple):
    """A picture of all that stands still and of the first artists of a frame, and how these were."""

    picture: Any
    states: Sequence[object] = ()


class Frames:
    """The frames of a scene at any position, in pixels.

    Parameters
    ----------
    scene
        The scene. From now on its layout is that of its last position, and its size what is asked for.
    size
        Width and height in pixels.

    Notes
    -----
    A frame is what drawing the whole figure gives, to the pixel. Drawn anew are the artists that move, and
    of those that stand still the ones that lie upon one that moves; and of these only those from the first on
    that is not as it was. A scene that rescales is drawn as a whole each time.
    """

    def __init__(self, scene: Scene, size: tuple[int, int]) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self._scene = scene
        _fit(scene.figure, size)
        self._canvas = FigureCanvasAgg(scene.figure)
        scene.show(scene.last)
        scene.figure.draw_without_rendering()
        scene.figure.set_layout_engine("none")
        self._canvas.draw()  # from now on everything knows its place
        self._fresh = [] if scene.rescales else self._drawn_anew()
        for artist in self._fresh:
            artist.set_animated(True)
        self._canvas.draw()
        self._ground = self._layer = _Layer(self._copied())
        self._before: list[object] | None = None
        self._changes = dict.fromkeys(self._fresh, 0)

    def at(self, position: float) -> Pixels:
        """Return a frame as red, green, blue, alpha ``(height, width, 4)``; the next frame overwrites it."""
        self._scene.show(position)
        if self._scene.rescales:
            self._canvas.draw()
        else:
            self._draw_fresh()
        return np.asarray(self._canvas.buffer_rgba())

    def _draw_fresh(self) -> None:
        """Draw what is not as it was, upon a picture of the rest; take that picture where it is worth it."""
        states = [self._state(artist) for artist in self._fresh]
        if states == self._before:
            return
        if _alike(states, self._layer.states) < len(self._layer.states):
            self._layer = self._ground
        self._canvas.restore_region(self._layer.picture)
        settled = _alike(states, self._before or [])
        renderer = self._canvas.get_renderer()
        first = len(self._layer.states)
        for number, artist in enumerate(self._fresh[first:], first):
            if number == settled > first:
                self._layer = _Layer(self._copied(), states[:settled])
            artist.draw(renderer)
            artist.stale = False
        self._before = states

    def _copied(self) -> Any:
        return self._canvas.copy_from_bbox(self._scene.figure.bbox)

    def _state(self, artist: Artist) -> object:
        """Return what differs whenever an artist looks different.

        Setting the data of a line to what they were makes it stale, so that its data themselves are compared.
        """
        from matplotlib.lines import Line2D

        if not artist.get_visible():
            return None
        if type(artist) is Line2D:
            look = (artist.get_color(), artist.get_alpha(), artist.get_linewidth(), artist.get_markersize())
            return np.asarray(artist.get_xydata()).tobytes(), *look
        self._changes[artist] += bool(artist.stale)
        return self._changes[artist]

    def _drawn_anew(self) -> list[Artist]:
        """Return what has to be drawn upon what stands still, the lowest first."""
        moving = set(self._scene.moving)
        order = [one for one in _drawing_order(self._scene.figure) if one in moving or one.get_visible()]
        reaches = self._reaches([artist for artist in order if artist in moving])
        renderer = self._canvas.get_renderer()
        fresh: list[Artist] = []
        taken: list[Bbox] = []  # where what is drawn anew can be
        for artist in order:
            own = reaches[artist] if artist in moving else _boxes([artist.get_window_extent(renderer)])
            if artist in moving or any(box.overlaps(other) for box in own for other in taken):
                fresh.append(artist)
                taken += own
        return fresh

    def _reaches(self, moving: Sequence[Artist]) -> dict[Artist, list[Bbox]]:
        """Return the boxes that hold each artist wherever it is: that which cuts it off, or as seen."""
        cut = {artist: artist.get_clip_box() if artist.get_clip_on() else None for artist in moving}
        reaches = {artist: _boxes([box] if box is not None else []) for artist, box in cut.items()}
        roaming = [artist for artist, box in cut.items() if box is None]
        renderer = self._canvas.get_renderer()
        for position in np.linspace(0, self._scene.last, _LOOKS) if roaming else ():
            self._scene.show(float(position))
            for artist in roaming:
                reaches[artist] += _boxes([artist.get_window_extent(renderer)])
        return reaches


def _boxes(extents: Iterable[Any]) -> list[Bbox]:
    """Return the boxes that hold anything, each a little larger."""
    return [box.padded(_EDGE) for box in extents if np.isfinite(box.extents).all()]


def _alike(first: Sequence[object], second: Sequence[object]) -> int:
    """Return how many at the beginning are the same."""
    return next((k for k, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(second))


def _fit(figure: Figure, size: tuple[int, int]) -> None:
    """Give a figure a size in pixels, its letters as large as its narrower side allows."""
    width, height = size
    dots = min(width / figure.get_figwidth(), height / figure.get_figheight())
    figure.set_dpi(dots)
    figure.set_size_inches((width + 0.01) / dots, (height + 0.01) / dots)  # matplotlib rounds down


def _drawing_order(figure: Figure) -> Iterator[Artist]:
    """Yield the artists in the order in which the figure draws them; an axes as what it consists of."""
    for artist in _sorted(figure):
        yield from _sorted(artist) if hasattr(artist, "transAxes") else (artist,)


def _sorted(parent: Any) -> list[Artist]:
    """Return the children of a figure or an axes, the lowest first."""
    children = [child for child in parent.get_children() if child is not parent.patch]
    return sorted(children, key=lambda child: child.get_zorder())
