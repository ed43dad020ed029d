"""The limit that defines the derivative: narrower and narrower windows round a weight (one weight)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots import points, text
from gdsim.plots.look import DASHES, colours, em, mark
from gdsim.plots.scene import Scene
from gdsim.plots.secants import WINDOWS, Place, Window

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]

_TALLER = 1.7  # times, where the figure is narrow
_BELOW = 1.9  # ems from the axes down to the legend


def zoom(run: Run, at: Sequence[int] = ()) -> Scene:
    """Draw four windows round a weight, each five times narrower: the secant becomes the tangent.

    Parameters
    ----------
    run
        A run with one weight.
    at
        The step whose weight is looked at; by default the start.

    Returns
    -------
    Scene
        Four axes whose origin is (w, f(w)): Δw to the right (the unit of w), Δf upwards, both five times
        narrower from one to the next, or ten or twenty times where five do not straighten a smooth curve.
        A position is a window, from 0 to 3, not a step.

    Raises
    ------
    InputError
        For several steps, or a step whose weight is not a number.

    Notes
    -----
    Whether the curve ever becomes straight is judged by the difference quotients on the left and on the
    right: on a smooth curve their gap shrinks from window to window as these do, at a kink it stays.
    Cost: about 1,700 evaluations of the loss and one of f′.
    """
    from matplotlib.figure import Figure

    place = Place.of(run, at)
    figure = Figure()
    narrow = text.room(figure) < points.NARROW
    if narrow:
        figure.set_figheight(_TALLER * figure.get_figheight())
    panels = list(figure.subplots(2 if narrow else 1, 2 if narrow else WINDOWS).ravel())
    levels: list[list[Artist]] = []
    titles = []
    for level, axes in enumerate(panels):
        window = place.window(level)
        levels.append([*_draw(axes, place, window)])
        if level:
            levels[level].append(_draw_next(panels[level - 1], window))
        titles.append((axes.set_title(_said(place, window)), _said(place, window)))
    _legend(panels[2 if narrow else 0])
    counter = text.label(figure, run, place.words())

    def show(position: float) -> None:
        for level, artists in enumerate(levels):
            for artist in artists:
                artist.set_visible(level <= position)
            title, words = titles[level]
            title.set_text(words if level <= position else "\n".join(" " for _ in words.splitlines()))
        counter.set_text(place.words() if position >= WINDOWS - 1 else place.where)

    moving = [counter, *(title for title, _ in titles), *(artist for artists in levels for artist in artists)]
    return Scene(figure, show, WINDOWS - 1.0, moving)


def zoom_film(run: Run, at: Sequence[int] = ()) -> Scene:
    """Return one window that narrows while the position goes from 0 to 3; parameters as for :func:`zoom`.

    The axes keep their place while their limits shrink, so that a frame is drawn as a whole.
    """
    from matplotlib.figure import Figure

    place = Place.of(run, at)
    figure = Figure()
    axes = figure.add_subplot()
    lines = _draw(axes, place, place.window(0))
    title = axes.set_title(_said(place, place.window(0)))
    _legend(axes)
    counter = text.label(figure, run, place.words())

    def show(position: float) -> None:
        window = place.window(min(position, WINDOWS - 1.0))
        _set(axes, lines, place, window)
        title.set_text(_said(place, window))
        counter.set_text(place.words() if position >= WINDOWS - 1 else place.where)

    show(0.0)
    return Scene(figure, show, WINDOWS - 1.0, (*lines, title, counter), rescales=True)


def _draw(axes: Axes, place: Place, window: Window) -> list[Line2D]:
    """Draw curve, tangent or left secant, right secant with its triangle, and the weight."""
    colour = colours()
    bent = place.bent
    other = {"color": colour.maximum, "linestyle": DASHES[2], "label": "secant left"}
    tangent = {"color": colour.maximum, "linestyle": "-", "label": "tangent"}
    lines = [
        axes.plot([], [], color=colour.loss, linewidth=em(0.25), label="loss f", zorder=2)[0],
        axes.plot([], [], linewidth=em(0.13), zorder=3, **(other if bent else tangent))[0],
        axes.plot([], [], color=colour.path, linestyle=DASHES[1], zorder=4,
                  label="secant right" if bent else "secant")[0],
        axes.plot([], [], color=colour.ink, linewidth=em(0.07), linestyle=":", zorder=3.5)[0],
        axes.plot([], [], "o", color=colour.path, markersize=mark(1.08), linestyle="none", zorder=5)[0],
        points.draw_start(axes, 0.0, 0.0),
    ]  # fmt: skip
    lines[-1].set_label("_nolegend_")
    _set(axes, lines, place, window)
    return lines


def _set(axes: Axes, lines: Sequence[Line2D], place: Place, window: Window) -> None:
    """Show a window: limits, ticks and the data of the lines of :func:`_draw`."""
    ends = np.array([-window.reach, window.reach])
    left = np.array([-window.reach, 0.0])
    second, rise = window.change, window.right * window.change
    lines[0].set_data(*place.curve(window))
    if place.bent:
        lines[1].set_data(left, window.left * left)
        lines[2].set_data(-left[::-1], window.right * -left[::-1])
    else:
        lines[1].set_data(ends, place.slope * ends)
        lines[2].set_data(ends, window.right * ends)
    lines[3].set_data([0.0, second, second], [0.0, 0.0, rise])
    lines[4].set_data([second], [rise])
    axes.set_xlim(*ends)
    axes.set_ylim(-window.rise, window.rise)
    axes.set_xticks([0.0, second], labels=[place.letter, f"{place.letter} + Δ{place.letter}"])
    axes.set_yticks([0.0, rise] if math.isfinite(rise) else [0.0], labels=[])


def _draw_next(axes: Axes, window: Window) -> Artist:
    """Draw a box round what the next window shows."""
    from matplotlib.patches import Rectangle

    box = Rectangle((-window.reach, -window.rise), 2 * window.reach, 2 * window.rise, zorder=4.5)
    box.set(facecolor="none", edgecolor=colours().ink, linewidth=em(0.09))
    axes.add_patch(box)
    return box


def _said(place: Place, window: Window) -> str:
    """Return the lines above a window."""
    letter = place.letter
    change = f"Δ{letter} = {text.short(float(f'{window.change:.3g}'))}"
    if place.bent:
        return f"{change}\nright: {_digits(window.right)}\nleft: {_digits(window.left)}"
    error = text.short(float(f"{window.right - place.slope:.2g}"))
    return f"{change}\nΔf/Δ{letter} = {_digits(window.right)}\nerror {error}"


def _digits(value: float) -> str:
    return f"{value:.6g}".replace("-", "−") if 1e-4 <= abs(value) < 1e6 else text.short(value)


def _legend(axes: Axes) -> None:
    """Put the legend below axes, where an empty label keeps a line free; it may outrun the axes."""
    from matplotlib.transforms import ScaledTranslation

    figure = axes.get_figure(root=True)
    assert figure is not None
    axes.set_xlabel(" ")
    down = ScaledTranslation(0, -em(_BELOW) / 72, figure.dpi_scale_trans)
    legend = axes.legend(
        loc="upper left", bbox_to_anchor=(0.0, 0.0), bbox_transform=axes.transAxes + down, ncols=3,
        frameon=False, borderaxespad=0.0, borderpad=0.0, handlelength=1.4, columnspacing=1.4,
    )  # fmt: skip
    legend.set_in_layout(False)
