"""The loss as a curve, with the steps walking on it (one weight)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots import points, text
from gdsim.plots.style import BLUE, INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]
    Steps = NDArray[np.int64]

_SAMPLES = 1201
_MOST_DRAWN = 200  # later steps of a long run lie on top of each other
_LABEL_GAP = 0.035  # least distance of two step numbers, in parts of the axes' width


def curve(run: Run) -> Figure:
    """Draw L(w) over the domain, the steps as numbered points, arrows between them, critical points.

    Parameters
    ----------
    run
        A run with one weight. Its trajectory is drawn as recorded.

    Returns
    -------
    Figure
        One axes: weight (the unit of w) to the right, loss upwards. Steps outside the frame are
        drawn as arrows at its edge with their number and weight.

    Notes
    -----
    Cost: 1,201 evaluations of the loss.
    """
    from matplotlib.figure import Figure

    name = run.loss.weights[0]
    weight, loss = run.trajectory.weight[:, 0, 0], run.trajectory.loss[:, 0]
    low, high = window(weight, run.search.domain[name])
    grid = np.linspace(low, high, _SAMPLES)
    values = run.loss.evaluate(grid[None, :])
    inside = (weight >= low) & (weight <= high) & np.isfinite(loss)
    seen = [point for point in run.search.critical_points if low <= point.weight[name] <= high]
    bottom, top = limits(values, np.array([*loss[inside], *(point.loss for point in seen)]))

    figure = Figure()
    axes = figure.add_subplot()
    axes.plot(grid, values, color=BLUE, label=f"loss L({name})", zorder=2)
    axes.set_xlim(low, high)
    axes.set_ylim(bottom, top)
    points.draw_open_stretches(axes, run.search, run.loss.weights)
    points.draw_critical_points(axes, seen, run.loss.weights)
    _draw_steps(axes, run.trajectory.step_index, weight, loss, inside & (loss <= top))
    _draw_departures(axes, run.trajectory.step_index, weight, (low, high))
    axes.set_xlabel(f"weight {name}")
    axes.set_ylabel("loss")
    points.legend_above(axes)
    text.label(figure, run)
    return figure


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
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return -1.0, 1.0
    bottom, top = float(finite.min()), float(finite.max())
    essential = float(max([np.quantile(finite, 0.8), *marked[np.isfinite(marked)]]))
    if top - bottom > 3 * (essential - bottom) > 0:
        top = bottom + 1.3 * (essential - bottom)
    height = (top - bottom) or max(abs(top), 1.0)
    return bottom - 0.08 * height, top + 0.12 * height


def _draw_steps(axes: Axes, step: Steps, weight: Array, loss: Array, visible: NDArray[np.bool_]) -> None:
    """Draw the visible steps as points joined by arrows; number those that have room."""
    shown = np.flatnonzero(visible)[:_MOST_DRAWN]
    if shown.size == 0:
        return
    crowd = 1.0 if shown.size <= 25 else 0.55
    low, high = axes.get_xlim()
    bottom, top = axes.get_ylim()
    for first, second in pairwise(shown):
        away = np.hypot(
            (weight[second] - weight[first]) / (high - low), (loss[second] - loss[first]) / (top - bottom)
        )
        if second == first + 1 and away > 0.012:
            axes.annotate(
                "", xy=(weight[second], loss[second]), xytext=(weight[first], loss[first]),
                arrowprops={
                    "arrowstyle": "-|>", "color": ORANGE, "alpha": crowd, "linewidth": 1.6,
                    "shrinkA": 4, "shrinkB": 4, "mutation_scale": 13,
                },
                zorder=4,
            )  # fmt: skip
    axes.plot(
        weight[shown], loss[shown], "o", color=ORANGE, markersize=6.5, alpha=max(crowd, 0.8), label="steps",
        zorder=5,
    )  # fmt: skip
    if shown[0] == 0:
        axes.plot(
            weight[:1], loss[:1], "o", markersize=13, markerfacecolor=ORANGE, markeredgecolor=INK,
            markeredgewidth=1.8, label="start", zorder=5.5,
        )  # fmt: skip
    placed: list[tuple[float, float]] = []
    for index in shown:
        spot = ((weight[index] - low) / (high - low), (loss[index] - bottom) / (top - bottom))
        if all(np.hypot(spot[0] - x, spot[1] - y) > _LABEL_GAP for x, y in placed):
            placed.append(spot)
            axes.annotate(
                str(int(step[index])), (weight[index], loss[index]), xytext=(0, 10),
                textcoords="offset points", ha="center", fontsize=12, color=INK, zorder=7,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.8},
            )  # fmt: skip


def _draw_departures(axes: Axes, step: Steps, weight: Array, window: tuple[float, float]) -> None:
    """Draw an edge arrow for the first step that leaves the frame on each side."""
    for side, outside in (("left", weight < window[0]), ("right", weight > window[1])):
        gone = np.flatnonzero(outside)
        if gone.size:
            first = gone[0]
            count = "" if gone.size == 1 else f" and {gone.size - 1} more"
            words = f"step {int(step[first])}{count}: {text.short(float(weight[first]))}"
            points.draw_edge_arrow(axes, side, 0.94, words)
