"""The loss as a map seen from above, with the path across it (two weights)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots import points, slopes, text
from gdsim.plots.look import colours, em, mark
from gdsim.plots.scene import Scene, travel
from gdsim.plots.tick_places import few_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

    from gdsim.losses import Loss
    from gdsim.runs import Run

    Array = NDArray[np.float64]
    Steps = NDArray[np.int64]

_SAMPLES = 161
_LEVELS = 18
_FIELD = 15  # arrows a side
_MARKED = 200  # records up to which each has a mark
_ARROWS = 61  # records
_BELOW_A_MARK = 1.6  # times the size of a start, to be seen round a mark with its halo
_ARROW = 2.0  # ems that an edge arrow takes
_NEAR = 0.08  # of the axes: an edge arrow so near to the start gives way
#: sides of the frame, with the place along them of the arrow for steps that leave there
SIDES = {"left": 0.8, "bottom": 0.04, "right": 0.2, "top": 0.04}


def contour(run: Run, at: Sequence[int] = ()) -> Scene:
    """Draw contours of L over the domain, the path with arrows, and the critical points.

    Parameters
    ----------
    run
        A run with two weights.

    at
        Steps at which an arrow shows the way against the gradient.

    Returns
    -------
    Scene
        One axes with the weights in their own units, equally long where the domain's sides are
        comparable, so that steps stand upright on the contours. Levels are quantiles of the loss over
        the domain, so that valleys are as visible as walls; lighter is lower. Small arrows of one length
        point against the gradient.

    Notes
    -----
    Cost: 161 × 161 evaluations of the loss, 15 × 15 of the gradient.
    """
    from matplotlib.figure import Figure

    first, second = run.loss.weights
    x = np.linspace(*run.search.domain[first], _SAMPLES)
    y = np.linspace(*run.search.domain[second], _SAMPLES)
    across, up = np.meshgrid(x, y)
    values = run.loss.evaluate(np.stack([across.ravel(), up.ravel()])).reshape(across.shape)

    figure = Figure()
    axes = figure.add_subplot()
    _draw_map(axes, x, y, values)
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    _draw_downhill(axes, run.loss)
    points.draw_open_stretches(axes, run.search, run.loss.weights)
    points.draw_critical_points(axes, run.search.critical_points, run.loss.weights)
    path = run.trajectory.weight[:, :, 0]
    step = run.trajectory.step_index
    lines = _draw_path(axes, path)
    rests = not run.trajectory.gradient[0].any()  # it starts below the mark of a critical point
    points.draw_start(axes, path[0, 0], path[0, 1], _BELOW_A_MARK if rests else 1.0)
    stage = _arrows(axes, step, path) + _draw_slopes(axes, run, [int(np.searchsorted(step, k)) for k in at])
    if step.size > 1 and np.isfinite(path[-1]).all() and farthest_side(axes, path)[-1] < 0:
        stage.append((int(step[-1]), points.draw_end(axes, *path[-1])))
    stage += _departures(axes, step, path, run.loss.weights)
    ball = points.draw_ball(axes)
    axes.set_xlabel(f"weight {first}")
    axes.set_ylabel(f"weight {second}")
    if 0.5 <= np.ptp(x) / np.ptp(y) <= 2.0:
        axes.set_aspect("equal")
    few_ticks(axes)
    points.legend_beside(figure, axes)
    counter = text.label(figure, run)

    def show(position: float) -> None:
        record, part = travel(run, position)
        walked = path[: record + 1]
        if part > 0:
            walked = np.vstack([walked, (1 - part) * path[record] + part * path[record + 1]])
        for line in lines:
            line.set_data(*walked.T)
        for since, artist in stage:
            artist.set_visible(since <= position)
        counter.set_text(text.progress(run, position))
        ball.set_visible(part > 0)
        if part > 0:
            ball.set_data(*walked[-1:].T)

    return Scene(figure, show, float(step[-1]), (*lines, counter, ball, *(artist for _, artist in stage)))


def _draw_map(axes: Axes, x: Array, y: Array, values: Array) -> None:
    """Draw the loss as shades between levels, with their scale."""
    from matplotlib import colormaps, rcParams

    axes.grid(False)
    heights = levels(values)
    if heights.size < 2:
        return
    shades = colormaps[rcParams["image.cmap"]](np.linspace(0.03, 0.75, heights.size + 1))
    filled = axes.contourf(x, y, values, levels=heights, colors=shades, extend="both")
    axes.contour(x, y, values, levels=heights, colors=colours().ink, linewidths=em(0.036), alpha=0.3)
    figure = axes.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(filled, ax=axes, pad=0.02)
    bar.set_label("loss")
    ticks = heights[:: max(1, heights.size // 6)].tolist()
    bar.set_ticks(ticks, labels=[text.short(float(f"{tick:.2g}")) for tick in ticks])


def levels(values: Array) -> Array:
    """Return strictly increasing contour levels, equally many grid points between neighbours.

    >>> levels(np.array([[0.0, 1.0], [2.0, 3.0]]))[[0, -1]]
    array([0., 3.])
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return np.empty(0)
    parts = np.linspace(0, 1, _LEVELS) ** 1.5  # closer together in the valleys
    return np.unique(np.quantile(finite, parts))


def _draw_downhill(axes: Axes, loss: Loss) -> None:
    """Draw small arrows against the gradient, all of one length: which way is down."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    middles = (np.arange(_FIELD) + 0.5) / _FIELD
    x, y = left + (right - left) * middles, bottom + (top - bottom) * middles
    places = np.stack([axis.ravel() for axis in np.meshgrid(x, y)])
    down = -slopes.gradient(loss, places)
    size = np.hypot(*down)
    seen = np.isfinite(size) & (size > 0)
    axes.quiver(
        *places[:, seen], *(down[:, seen] / size[seen]), angles="xy", scale=2.2 * _FIELD, width=0.0022,
        headwidth=5, color=colours().ink, alpha=0.35, pivot="mid", zorder=2,
    )  # fmt: skip


def _draw_slopes(axes: Axes, run: Run, records: Sequence[int]) -> points.Stage:
    """Draw −∇L at records as long arrows of one length."""
    stage: points.Stage = []
    for order, record in enumerate(records):
        gradient = run.trajectory.gradient[record, :, 0]
        size = float(np.hypot(*gradient))
        if not 0 < size < np.inf:
            continue
        drawn = axes.quiver(
            *run.trajectory.weight[record, :, 0], *(-gradient / size), angles="xy", scale=6, width=0.006,
            color=colours().maximum, zorder=6, label="against the gradient" if order == 0 else "_nolegend_",
        )  # fmt: skip
        stage.append((int(run.trajectory.step_index[record]), drawn))
    return stage


def _draw_path(axes: Axes, path: Array) -> list[Line2D]:
    """Draw the path on a light ground, and return both."""
    colour = colours()
    finite = path[np.isfinite(path).all(axis=1)]
    ground = axes.plot(*finite.T, "-", color=colour.ground, linewidth=em(0.32), alpha=0.8, zorder=4)[0]
    line = axes.plot(
        *finite.T, "-", color=colour.path, linewidth=em(0.14), marker="o", label="path", zorder=5,
        markersize=mark(0.58) if len(finite) <= _MARKED else 0,
    )[0]  # fmt: skip
    return [ground, line]


def _arrows(axes: Axes, step: Steps, path: Array) -> points.Stage:
    """Return arrows on the first steps that are long enough to carry one."""
    from matplotlib.patches import FancyArrowPatch

    width, height = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
    stage: points.Stage = []
    for record, (before, after) in enumerate(pairwise(path[:_ARROWS])):
        long = np.hypot((after[0] - before[0]) / width, (after[1] - before[1]) / height)
        if 0.04 < long < np.inf:
            arrow = FancyArrowPatch(
                before, after, arrowstyle="-|>", color=colours().path, linewidth=em(0.115), shrinkA=0,
                shrinkB=0, mutation_scale=em(1.0), zorder=5,
            )  # fmt: skip
            axes.add_patch(arrow)
            stage.append((int(step[record + 1]), arrow))
    return stage


def farthest_side(axes: Axes, path: Array) -> NDArray[np.int64]:
    """Return for each weight the side of the frame, of ``SIDES``, beyond which it lies farthest, or −1."""
    ends = np.array([axes.get_xlim(), axes.get_ylim()])
    beyond = np.hstack([ends[:, 0] - path, path - ends[:, 1]]) / np.tile(np.ptp(ends, axis=1), 2)
    beyond = np.where(np.isnan(beyond), -np.inf, beyond)
    return np.where((beyond > 0).any(axis=1), beyond.argmax(axis=1), -1)


def _departures(axes: Axes, step: Steps, path: Array, names: Sequence[str]) -> points.Stage:
    """Draw an edge arrow for the first step that leaves the frame on each side, away from the start."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    most = min(points.axes_size(figure)) - _ARROW
    across, up = axes.transAxes.inverted().transform(axes.transData.transform(path[0]))
    beyond = farthest_side(axes, path)
    stage: points.Stage = []
    for number, (side, place) in enumerate(SIDES.items()):
        gone = np.flatnonzero(beyond == number)
        if not gone.size:
            continue
        if side in ("top", "bottom"):
            place = 1 - place if across < 0.5 else place
        elif abs(up - place) < _NEAR:
            place += 2 * _NEAR * (1 if place < 0.5 else -1)
        first = int(step[gone[0]])
        name, value = names[number % 2], text.short(float(path[gone[0], number % 2]))
        count = "" if gone.size == 1 else f" and {gone.size - 1} more"
        words = f"step {first}{count}: {name} = {value}"
        fitting = words if text.width(words) <= most else f"step {first}: {name} = {value}"
        stage += [(first, artist) for artist in points.draw_edge_arrow(axes, side, place, fitting)]
    return stage
