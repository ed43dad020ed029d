"""The loss as a curve, with the steps walking on it (one weight)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots import points, text
from gdsim.plots.look import DASHES, colours, em, mark
from gdsim.plots.scene import Scene, travel
from gdsim.plots.tick_places import few_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]
    Steps = NDArray[np.int64]

_SAMPLES = 1201
_MOST_DRAWN = 200  # later steps of a long run lie on top of each other
_LINE = 1.5  # ems, the height of a line of text
_BESIDE = 8.0  # ems beside the axes: tick labels and margins
_ARROW = 2.5  # ems that an edge arrow takes
_CROWD = 25  # steps, from which on arrows fade
_THRONG = 50  # arrows, from which on they fade the more, so that the curve is seen behind them
_FAR = 0.012  # of the axes: steps so far apart are joined by an arrow


def curve(run: Run, at: Sequence[int] = ()) -> Scene:
    """Draw L(w) over the domain, the steps as numbered points, arrows between them, critical points.

    Parameters
    ----------
    run
        A run with one weight. Its trajectory is drawn as recorded.
    at
        Steps at which the tangent is drawn, whose slope is f′ there.

    Returns
    -------
    Scene
        One axes: weight (the unit of w) to the right, loss upwards. Steps outside the frame are
        drawn as arrows at its edge with their number and weight.

    Notes
    -----
    Cost: 1,201 evaluations of the loss.
    """
    from matplotlib.figure import Figure

    colour = colours()
    name = run.loss.weights[0]
    step = run.trajectory.step_index
    weight, loss = run.trajectory.weight[:, 0, 0], run.trajectory.loss[:, 0]
    low, high = window(weight, run.search.domain[name])
    grid = np.linspace(low, high, _SAMPLES)
    values = run.loss.evaluate(grid[None, :])
    inside = (weight >= low) & (weight <= high) & np.isfinite(loss)
    seen = [point for point in run.search.critical_points if low <= point.weight[name] <= high]
    bottom, top = limits(values, np.array([*loss[inside], *(point.loss for point in seen)]))

    figure = Figure()
    axes = figure.add_subplot()
    axes.plot(grid, values, color=colour.loss, label=f"loss L({name})", zorder=2)
    axes.set_xlim(low, high)
    axes.set_ylim(bottom, top)
    points.draw_open_stretches(axes, run.search, run.loss.weights)
    points.draw_critical_points(axes, seen, run.loss.weights)
    stage = _draw_tangents(axes, run, [int(np.searchsorted(step, one)) for one in at])
    shown = np.flatnonzero(inside & (loss <= top))[:_MOST_DRAWN]
    path = axes.plot(
        weight[shown], loss[shown], "o", color=colour.path, markersize=mark(0.83),
        alpha=1.0 if shown.size <= _CROWD else 0.8, label="steps", zorder=5,
    )[0]  # fmt: skip
    if shown.size and shown[0] == 0:
        points.draw_start(axes, weight[0], loss[0])
    stage += _arrows(axes, step, weight, loss, shown)
    gone = departures(axes, step, weight, (low, high))
    stage += gone + _numbers(axes, step, weight, loss, shown, _taken(figure, gone))
    if step.size > 1 and inside[-1] and loss[-1] <= top:
        stage.append((int(step[-1]), points.draw_end(axes, weight[-1], loss[-1])))
    ball = points.draw_ball(axes)
    few_ticks(axes)
    axes.set_xlabel(f"weight {name}")
    axes.set_ylabel("loss")
    points.legend_above(axes)
    counter = text.label(figure, run)

    def show(position: float) -> None:
        record, part = travel(run, position)
        current = shown[shown <= record]
        path.set_data(weight[current], loss[current])
        for since, artist in stage:
            artist.set_visible(since <= position)
        counter.set_text(text.progress(run, position))
        ball.set_visible(part > 0)
        if part > 0:
            between = (1 - part) * weight[record] + part * weight[record + 1]
            ball.set_data([between], [np.interp(between, grid, values)])

    return Scene(figure, show, float(step[-1]), (path, counter, ball, *(artist for _, artist in stage)))


def window(weight: Array, domain: tuple[float, float]) -> tuple[float, float]:
    """Return the stretch of the domain to show: all of it, unless the run happened in a small part.

    A run that stays within a sixteenth of the domain (but moves) is shown with its span on either
    side.

    >>> window(np.array([3.0, 1.0]), (-2.0, 4.0))
    (-2.0, 4.0)
    >>> window(np.array([10.0, 5.0, 1.0, 0.0]), (-90.0, 110.0))
    (-10.0, 20.0)
    """
    low, high = domain
    visited = weight[np.isfinite(weight) & (weight >= low) & (weight <= high)]
    if visited.size == 0:
        return domain
    left, right = float(visited.min()), float(visited.max())
    span = right - left
    if not 1e-6 * (high - low) < span < (high - low) / 16:
        return domain
    return max(low, left - span), min(high, right + span)


def limits(values: Array, marked: Array) -> tuple[float, float]:
    """Return robust loss limits: everything marked is visible, a runaway wall of the curve is cut.

    >>> limits(np.array([0.0, 1.0, 2.0]), np.array([0.0]))
    (-0.16, 2.24)
    """
    if not np.isfinite(values).any():
        return -1.0, 1.0
    bottom, top = essential_limits(values, marked)
    height = (top - bottom) or max(abs(top), 1.0)
    return bottom - 0.08 * height, top + 0.12 * height


def essential_limits(values: Array, marked: Array) -> tuple[float, float]:
    """Return the same without a margin.

    >>> essential_limits(np.array([0.0, 1.0, 2.0]), np.array([0.0]))
    (0.0, 2.0)
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return -1.0, 1.0
    bottom, top = float(finite.min()), float(finite.max())
    essential = float(max([np.quantile(finite, 0.8), *marked[np.isfinite(marked)]]))
    if top - bottom > 3 * (essential - bottom) > 0:
        top = bottom + 1.3 * (essential - bottom)
    return bottom, top


def _draw_tangents(axes: Axes, run: Run, records: Sequence[int]) -> points.Stage:
    """Draw the tangents at records, each as long as a third of the axes is wide."""
    trajectory, name = run.trajectory, run.loss.weights[0]
    reach = np.ptp(axes.get_xlim()) / 6
    stage: points.Stage = []
    for order, record in enumerate(records):
        weight, loss = trajectory.weight[record, 0, 0], trajectory.loss[record, 0]
        slope, step = float(trajectory.gradient[record, 0, 0]), int(trajectory.step_index[record])
        ends = np.array([weight - reach, weight + reach])
        drawn = axes.plot(
            ends, loss + slope * (ends - weight), color=colours().maximum, dashes=(4, 1.5), zorder=4.5,
            linestyle=DASHES[1 + order % (len(DASHES) - 1)],
            label=f"tangent at step {step}: ∂L/∂{name} = {text.short(slope)}",
        )[0]  # fmt: skip
        stage.append((step, drawn))
    return stage


def _arrows(axes: Axes, step: Steps, weight: Array, loss: Array, shown: NDArray[np.int64]) -> points.Stage:
    """Join neighbouring steps that are far enough apart by arrows."""
    from matplotlib.patches import FancyArrowPatch

    width, height = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
    far = [
        (first, second)
        for first, second in pairwise(shown)
        if second == first + 1
        and np.hypot((weight[second] - weight[first]) / width, (loss[second] - loss[first]) / height) > _FAR
    ]
    crowd = 1.0 if shown.size <= _CROWD else 0.55 * min(1.0, _THRONG / max(1, len(far)))
    stage: points.Stage = []
    for first, second in far:
        arrow = FancyArrowPatch(
            (weight[first], loss[first]), (weight[second], loss[second]), arrowstyle="-|>", zorder=4,
            color=colours().path, alpha=crowd, linewidth=em(0.115), mutation_scale=em(0.93),
            shrinkA=em(0.29), shrinkB=em(0.29),
        )  # fmt: skip
        axes.add_patch(arrow)
        stage.append((int(step[second]), arrow))
    return stage


def _numbers(
    axes: Axes, step: Steps, weight: Array, loss: Array, shown: NDArray[np.int64], taken: list[Bbox]
) -> points.Stage:
    """Number the steps whose number has room beside those before it and what is taken, boxes in ems."""
    from matplotlib.transforms import Bbox

    low, high = axes.get_xlim()
    bottom, top = axes.get_ylim()
    figure = axes.get_figure(root=True)
    assert figure is not None
    across, up = points.axes_size(figure)
    taken = [*taken]
    stage: points.Stage = []
    for index in shown:
        x, y = across * (weight[index] - low) / (high - low), up * (loss[index] - bottom) / (top - bottom)
        number = str(int(step[index]))
        half = 0.5 * text.width(number) + 0.2
        middle = min(max(x, half), across - half)  # away from the numbers beside the frame
        box = Bbox.from_extents(middle - half, y + 0.7, middle + half, y + 0.7 + _LINE)
        if not any(box.overlaps(other) for other in taken):
            taken.append(box)
            drawn = axes.annotate(
                number, (weight[index], loss[index]), xytext=(em(middle - x), em(0.8)),
                textcoords="offset points", ha="center", zorder=7, bbox=points.backing(0.7),
            )  # fmt: skip
            stage.append((int(step[index]), drawn))
    return stage


def _taken(figure: Figure, stage: points.Stage) -> list[Bbox]:
    """Return the boxes of the words beside edge arrows, in ems of the axes."""
    from matplotlib.text import Annotation, Text
    from matplotlib.transforms import Bbox

    across, up = points.axes_size(figure)
    found: list[Bbox] = []
    for _, artist in stage:
        if isinstance(artist, Text) and not isinstance(artist, Annotation):
            x, y = artist.get_position()
            reach = text.width(artist.get_text()) * (1 if artist.get_horizontalalignment() == "left" else -1)
            ends = sorted((across * x, across * x + reach))
            found.append(Bbox.from_extents(ends[0], up * y - _LINE, ends[1], up * y + _LINE))
    return found


def departures(
    axes: Axes, step: Steps, weight: Array, window: tuple[float, float], across: float | None = None
) -> points.Stage:
    """Draw an edge arrow for the first step that leaves the frame on each side.

    ``across`` is how many ems wide the axes are, where that is not most of the figure.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    most = (text.room(figure) - _BESIDE if across is None else across) - 2 * _ARROW
    found: list[tuple[str, int, str, str]] = []
    for side, outside in (("left", weight < window[0]), ("right", weight > window[1])):
        gone = np.flatnonzero(outside)
        if gone.size:
            first, place = int(step[gone[0]]), text.short(float(weight[gone[0]]))
            count = "" if gone.size == 1 else f" and {gone.size - 1} more"
            found.append((side, first, f"step {first}{count}: {place}", f"step {first}: {place}"))
    stage: points.Stage = []
    together = sum(text.width(words) for _, _, words, _ in found) + 1 <= most
    for side, first, words, fewer in found:
        height = 0.8 if stage and not together else 0.94
        fitting = words if text.width(words) <= most else fewer
        stage += [(first, artist) for artist in points.draw_edge_arrow(axes, side, height, fitting)]
    return stage
