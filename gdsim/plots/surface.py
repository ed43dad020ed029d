"""The loss as a landscape with the path upon it (two weights)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gdsim.plots import points, text
from gdsim.plots.contour import levels
from gdsim.plots.heights import Height, scale
from gdsim.plots.look import KINDS, colours, em, mark
from gdsim.plots.scene import Scene, travel

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]

_SAMPLES = 121  # of the floor's contours
_EVERY = 2  # of these samples, for a facet of the surface
_FINE = 600  # points of the path altogether
_MOST = 2000  # records of the path
_ELEVATION, _ASIDE = 38.0, 35.0  # degrees: of the eye, and from the line through middle and start
_SHADES = (0.12, 0.72)
_TICKS, _LABEL = 0.7, 2.0  # ems: how far numbers and labels stand off the axes
_USUAL = 1.3  # ems, of a number beside the vertical axis
_ZOOM, _ZOOM_NARROW = 0.95, 0.9  # so that labels stay clear of the caption
_TALLER = 1.2
_FLOOR = 0.55  # of the height: how far below the surface the map lies


def surface(run: Run, at: Sequence[int] = ()) -> Scene:
    """Draw the loss over the domain as a surface, its contours on the floor, the path on both.

    Parameters
    ----------
    run
        A run with two weights.
    at
        Steps that are marked by a pole between floor and surface.

    Returns
    -------
    Scene
        One axes with three dimensions: the weights in their own units, the loss upwards. The path lies on
        the surface also between steps; it, start, end and critical points are drawn in front of the
        surface, so that nothing hides them. Where walls are far higher than what matters, heights are
        logarithmic above a linear beginning, and the label says so. The eye looks from the start's side.

    Notes
    -----
    Cost: 121 × 121 evaluations of the loss, and up to 2,000 along the path.
    """
    from matplotlib.figure import Figure

    domain = [run.search.domain[name] for name in run.loss.weights]
    x, y = (np.linspace(*ends, _SAMPLES) for ends in domain)
    across, up = np.meshgrid(x, y)
    values = run.loss.evaluate(np.stack([across.ravel(), up.ravel()])).reshape(across.shape)
    path = _thinned(run)
    route = _route(run, path, domain)
    height = scale(values, np.concatenate([route[2], [point.loss for point in run.critical_points]]))
    figure = Figure()
    if text.room(figure) < points.NARROW:
        figure.set_figheight(_TALLER * figure.get_figheight())
    axes = _eye(figure, run, domain)
    floor = _draw_landscape(axes, x, y, values, height)
    _draw_points(axes, run, height)
    heights = height(route[2])
    lines = _draw_route(axes, route, heights, floor)
    stage = _draw_poles(axes, run, at, height, floor)
    ball = _ball(axes)
    points.legend_beside(figure, axes)
    counter = text.label(figure, run)
    _project(figure)
    show = _showing(run, (route, heights, floor), lines, (ball, counter), stage, height)
    moving = (*lines, ball, counter, *(artist for _, artist in stage))
    return Scene(figure, show, float(run.trajectory.step_index[-1]), moving, rescales=True)


def _project(figure: Figure) -> None:
    """Put ticks where they are seen.

    Before 3.11.2 matplotlib lays a figure out as if they stood at their values, far outside; once drawn
    without a layout, they stand where they belong.
    """
    from matplotlib import __version_info__

    if __version_info__ < (3, 11, 2):
        engine = figure.get_layout_engine()
        figure.set_layout_engine("none")
        figure.draw_without_rendering()
        figure.set_layout_engine(engine)


def _thinned(run: Run) -> NDArray[np.int64]:
    """Return the records of the path: all of them, or evenly so many."""
    records = run.trajectory.step_index.size
    return np.unique(np.linspace(0, records - 1, min(records, _MOST)).round().astype(np.int64))


def _route(run: Run, chosen: NDArray[np.int64], domain: Sequence[tuple[float, float]]) -> Array:
    """Return first weight, second weight, loss and step along the path ``(4, places)``, NaN outside."""
    weight = run.trajectory.weight[chosen, :, 0]
    step = run.trajectory.step_index[chosen].astype(np.float64)
    parts = max(1, _FINE // max(1, chosen.size - 1))
    place = np.arange((chosen.size - 1) * parts + 1) / parts
    whole = np.arange(chosen.size)
    finite = np.where(np.isfinite(weight), weight, np.nan)
    fine = np.stack([np.interp(place, whole, finite[:, row]) for row in range(2)])
    for row, (low, high) in enumerate(domain):
        fine[:, (fine[row] < low) | (fine[row] > high)] = np.nan
    loss = np.full(place.size, np.nan)
    seen = np.isfinite(fine).all(axis=0)
    loss[seen] = run.loss.evaluate(fine[:, seen])
    return np.stack([*fine, loss, np.interp(place, whole, step)])


def _eye(figure: Figure, run: Run, domain: Sequence[tuple[float, float]]) -> Any:
    """Return empty axes seen from the start's side, clean in every style."""
    from matplotlib.ticker import MaxNLocator

    axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)
    colour = colours()
    middle = np.array([0.5 * (low + high) for low, high in domain])
    half = np.array([0.5 * (high - low) for low, high in domain])
    aside = (run.trajectory.weight[0, :, 0] - middle) / half
    towards = np.degrees(np.arctan2(aside[1], aside[0])) if np.hypot(*aside) > 0.05 else -90.0
    axes.view_init(elev=_ELEVATION, azim=_oblique(float(towards) + _ASIDE))
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color(colour.ground)
        axis.line.set_color(colour.muted)
        axis._axinfo["grid"].update(color=colour.grid, linewidth=em(0.05))
        axis.set_tick_params(pad=em(_TICKS) - 8.0)  # matplotlib adds 8 and 21 points
        axis.labelpad = em(_LABEL) - 21.0
        axis.set_major_locator(MaxNLocator(4, prune="both"))
    axes.set_box_aspect((4, 4, 3), zoom=_ZOOM if text.room(figure) >= points.NARROW else _ZOOM_NARROW)
    axes.set_xlim(*domain[0])
    axes.set_ylim(*domain[1])
    axes.set_xlabel(f"weight {run.loss.weights[0]}")
    axes.set_ylabel(f"weight {run.loss.weights[1]}")
    return axes


def _oblique(angle: float) -> float:
    """Return the nearest angle in the same quadrant at which no side of the frame is seen edge on.

    >>> _oblique(45.0), _oblique(88.0), _oblique(-90.0)
    (45.0, 60.0, -60.0)
    """
    quadrant = 90.0 * np.floor(angle / 90.0)
    return float(quadrant + np.clip(angle - quadrant, 30.0, 60.0))


def _draw_landscape(axes: Any, x: Array, y: Array, values: Array, height: Height) -> float:
    """Draw surface and contours, set the vertical limits and labels; return the height of the floor."""
    from matplotlib import colormaps, rcParams
    from matplotlib.colors import ListedColormap

    low, high = (float(end) for end in height(np.array([height.bottom, height.top])))
    floor = low - _FLOOR * (high - low)
    axes.set_zlim(floor, high)
    lifted = height(values)
    shades = ListedColormap(colormaps[rcParams["image.cmap"]](np.linspace(*_SHADES, 64)))
    part = slice(None, None, _EVERY)
    across, up = np.meshgrid(x[part], y[part])
    axes.plot_surface(
        across, up, lifted[part, part], rstride=1, cstride=1, cmap=shades, vmin=low, vmax=high, alpha=0.85,
        linewidth=em(0.01), edgecolor=colours().ground, shade=False, zorder=2,
    )  # fmt: skip
    heights = np.unique(height(levels(values)))
    if heights.size > 1:
        axes.contour(
            x, y, lifted, levels=heights, zdir="z", offset=floor, colors=colours().muted,
            linewidths=em(0.06), linestyles="solid", zorder=1,
        )  # fmt: skip
    axes.set_zlabel("loss" if height.unit == 0 else "loss (log)")
    _number_heights(axes, height, (low, high))
    return floor


def _number_heights(axes: Any, height: Height, ends: tuple[float, float]) -> None:
    """Write losses along the vertical axis, from the lowest."""
    if height.unit == 0:
        from matplotlib.ticker import MaxNLocator

        losses = np.asarray(MaxNLocator(4).tick_values(height.bottom, height.top))
        losses = losses[(losses >= height.bottom) & (losses <= height.top)]
    else:
        losses = height.bottom + height.unit * np.sinh(np.linspace(0, ends[1], 4))
    labels = [text.short(float(f"{loss:.2g}")) for loss in losses]
    axes.set_zticks(height(losses), labels=labels)
    wider = max(
        0.0, max(map(text.width, labels), default=0.0) - _USUAL
    )  # numbers are centred where they stand
    axes.zaxis.set_tick_params(pad=em(_TICKS + 0.6 * wider) - 8.0)
    aside = 1.0 if text.room(axes.get_figure(root=True)) >= points.NARROW else 0.8  # a column has no room
    axes.zaxis.labelpad = em(_LABEL + aside * wider) - 21.0


def _draw_points(axes: Any, run: Run, height: Height) -> None:
    """Mark the critical points by kind, filled where certified, as on the other figures."""
    first, second = run.loss.weights
    named: set[str] = set()
    for kind, (marker, stands_for, name) in KINDS.items():
        for certified in (True, False):
            found = [
                (point.weight[first], point.weight[second], point.loss)
                for point in run.critical_points
                if point.kind == kind and (point.proof == "certified") is certified
            ]
            if not found:
                continue
            x, y, loss = np.array(found).T
            colour = getattr(colours(), stands_for)
            axes.plot(
                x, y, height(loss), marker, markersize=mark(1.53), linestyle="none", markeredgecolor=colour,
                markerfacecolor=colour if certified else colours().ground, markeredgewidth=em(0.16),
                label="_nolegend_" if name in named else name, zorder=6,
            )  # fmt: skip
            named.add(name)


def _draw_route(axes: Any, route: Array, heights: Array, floor: float) -> list[Line2D]:
    """Draw shadow and path, start and end; all but the start are returned, the end last."""
    colour = colours()
    x, y = route[:2]
    below = np.full_like(x, floor)
    shadow = axes.plot(x, y, below, color=colour.path, linewidth=em(0.1), alpha=0.6, zorder=1.5)[0]
    ground = axes.plot(x, y, heights, color=colour.ground, linewidth=em(0.32), alpha=0.8, zorder=4)[0]
    line = axes.plot(x, y, heights, color=colour.path, linewidth=em(0.16), label="path", zorder=5)[0]
    if np.isfinite(heights[0]):
        axes.plot(
            x[:1], y[:1], heights[:1], "o", markersize=mark(1.67), markerfacecolor=colour.path,
            linestyle="none", markeredgecolor=colour.ink, markeredgewidth=em(0.13), label="start", zorder=7,
        )  # fmt: skip
    last = np.flatnonzero(np.isfinite(heights))[-1:] if x.size > 1 else np.empty(0, np.int64)
    name = "end" if last.size and last[0] == x.size - 1 else "leaves the domain"
    end = axes.plot(
        x[last], y[last], heights[last], "*", markersize=mark(2.16), markerfacecolor=colour.end,
        linestyle="none", markeredgecolor=colour.ink, markeredgewidth=em(0.1), zorder=8,
        label=name if last.size else "_nolegend_",
    )[0]  # fmt: skip
    return [shadow, ground, line, end]


def _draw_poles(axes: Any, run: Run, at: Sequence[int], height: Height, floor: float) -> points.Stage:
    """Draw a pole from the floor to the surface at steps to look at."""
    stage: points.Stage = []
    for step in at:
        record = int(np.searchsorted(run.trajectory.step_index, step))
        x, y = run.trajectory.weight[record, :, 0]
        top = float(height(run.trajectory.loss[record, :1])[0])
        if np.isfinite([x, y, top]).all():
            pole = axes.plot([x, x], [y, y], [floor, top], ":", color=colours().maximum, zorder=5.5)[0]
            stage.append((step, pole))
    return stage


def _ball(axes: Any) -> Line2D:
    """Return the mark of a weight on its way, not yet visible."""
    colour = colours()
    ball: Line2D = axes.plot(
        [0.0], [0.0], [0.0], "o", markersize=mark(1.35), markerfacecolor=colour.end, linestyle="none",
        markeredgecolor=colour.ink, markeredgewidth=em(0.1), label="_ball", zorder=9, visible=False,
    )[0]  # fmt: skip
    return ball


def _showing(
    run: Run,
    drawn: tuple[Array, Array, float],
    lines: Sequence[Any],
    others: tuple[Any, Any],
    stage: points.Stage,
    height: Height,
) -> Callable[[float], None]:
    """Return what shows the figure up to a position."""
    route, heights, floor = drawn
    shadow, ground, line, end = lines
    ball, counter = others
    last = run.trajectory.step_index[-1]

    def show(position: float) -> None:
        record, part = travel(run, position)
        now = route[3] <= run.trajectory.step_index[record]
        x, y = route[:2, now]
        shadow.set_data_3d(x, y, np.full_like(x, floor))
        for one in (ground, line):
            one.set_data_3d(x, y, heights[now])
        end.set_visible(position >= last)
        for since, artist in stage:
            artist.set_visible(since <= position)
        counter.set_text(text.progress(run, position))
        ball.set_visible(part > 0)
        if part > 0:
            before, after = run.trajectory.weight[record : record + 2, :, 0]
            between = (1 - part) * before + part * after
            ball.set_data_3d(*between[:, None], height(run.loss.evaluate(between[:, None])))

    return show
