"""Step against weight: how a run comes to rest, circles or runs away (any number of weights)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gdsim.outcomes import Interval
from gdsim.plots import points, slopes, text
from gdsim.plots.curve import departures
from gdsim.plots.look import DASHES, colours, em, mark
from gdsim.plots.pieces import broken, extent
from gdsim.plots.scene import Scene, travel
from gdsim.plots.tick_places import few_powers, few_ticks

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]

_SAMPLES = 1201
_PANELS = 3
_MARKED = 200  # steps up to which marks are large and joined by strong lines
_ARROWS = 40  # steps
_CARRIES = 0.04  # of the axes: a shorter stretch carries no arrow
_WALL = 3.0  # times the width of the frame: a longer step makes the axis of steps symmetric-logarithmic
_LINEAR = 0.1  # of that width at least: the part of such an axis that stays linear, on each side of zero
_BESIDE = 7.0  # ems beside the axes
_ROOM, _MARGIN = 0.2, 0.04  # of what is shown, on each side: within the domain, beyond it


def phase(run: Run, at: Sequence[int] = ()) -> Scene:
    """Draw the step that a weight is about to take against the weight, joined in order.

    Parameters
    ----------
    run
        A run of which every step was recorded.
    at
        Steps that are marked by their number.

    Returns
    -------
    Scene
        For each of the first three weights one axes: w_k to the right, Δw = w_(k+1) − w_k upwards, in the
        same unit; on the line Δw = 0 the weight rests. With one weight the curve −ηf′(w), η being the first
        learning rate, stands behind: plain gradient descent walks on it, momentum and noise leave it. The
        axis of steps is symmetric-logarithmic where a step is far longer than the frame is wide.

    Notes
    -----
    Cost: with one weight 1,201 evaluations of f′, else none.
    """
    from matplotlib.figure import Figure

    step = run.trajectory.step_index
    names = run.loss.weights[:_PANELS]
    figure = Figure()
    panels = points.panels(figure, len(names))
    drawn: list[tuple[Array, Array, tuple[Line2D, Line2D], Line2D]] = []
    stage: points.Stage = []
    for row, (axes, name) in enumerate(zip(panels, names, strict=True)):
        weight = run.trajectory.weight[:, row, 0]
        move = np.append(np.diff(weight), np.nan)
        if weight.size == 1:
            move[0] = 0.0  # it rests where it started
        ends = _fit(axes, run, row, weight, move)
        _draw_rest(axes, run, row, ends)
        paths = _draw_path(axes, weight, move)
        points.draw_start(axes, weight[0], move[0])
        drawn.append((weight, move, paths, points.draw_ball(axes)))
        across = (
            None if len(names) == 1 or text.room(figure) < points.NARROW else text.room(figure) / len(names)
        )
        stage += [*_arrows(axes, weight, move), *departures(axes, step, weight, ends, across)]
        stage += _numbers(axes, run, weight, move, at)
        few_ticks(axes)
        axes.set_xlabel(f"weight {name}")
    for axes, name in zip(panels, names, strict=True):
        axes.set_ylabel(f"next step of {name}")
    points.legend_above(panels[0])
    counter = text.label(figure, run)

    def show(position: float) -> None:
        record, part = travel(run, position)
        for weight, move, paths, ball in drawn:
            for path in paths:
                path.set_data(weight[: record + 1], move[: record + 1])
            going = part > 0 and record + 2 < weight.size
            ball.set_visible(going)
            if going:
                ball.set_data(*(
                    [(1 - part) * track[record] + part * track[record + 1]] for track in (weight, move)
                ))  # fmt: skip
        for first, artist in stage:
            artist.set_visible(first <= position)
        counter.set_text(text.progress(run, position))

    moving: list[Artist] = [counter, *(artist for _, artist in stage)]
    for _, _, paths, ball in drawn:
        moving += [*paths, ball]
    return Scene(figure, show, float(step[-1]), moving)


def _fit(axes: Axes, run: Run, row: int, weight: Array, move: Array) -> Interval:
    """Set the limits: the weight's window, and all steps out of weights in it."""
    low, high = visited(weight, run.search.domain[run.loss.weights[row]])
    axes.set_xlim(low, high)
    inside = (weight >= low) & (weight <= high) & np.isfinite(move)
    largest = float(np.abs(move[inside]).max(initial=0.0))
    if largest > _WALL * (high - low):
        linear = 10.0 ** np.ceil(np.log10(_LINEAR * (high - low)))
        axes.set_yscale("symlog", linthresh=linear)
        few_powers(axes, linear)
        axes.set_ylim(-3 * largest, 3 * largest)
    else:
        axes.set_ylim(extent(move[inside], move[inside]))
    return low, high


def visited(weight: Array, domain: Interval) -> Interval:
    """Return the part of the domain that a run saw, with some room; all of it for a run that stood still.

    >>> visited(np.array([3.0, 1.0, -1.0]), (-10.0, 4.0))
    (-2.024, 4.024)
    """
    low, high = domain
    inside = weight[(weight >= low) & (weight <= high)]
    span = float(np.ptp(inside)) if inside.size else 0.0
    if span > 1e-9 * (high - low):
        room = _ROOM * span
        low, high = max(low, float(inside.min()) - room), min(high, float(inside.max()) + room)
    margin = _MARGIN * (high - low)
    return low - margin, high + margin


def _draw_rest(axes: Axes, run: Run, row: int, ends: Interval) -> None:
    """Draw the line of rest with the critical points, and the step of plain gradient descent."""
    colour = colours()
    name = run.loss.weights[row]
    axes.axhline(0, color=colour.ink, linewidth=em(0.07), zorder=1.8, label="at rest")
    if len(run.loss.weights) == 1:
        rate = float(run.trajectory.learning_rate[0, 0])
        curve = broken(lambda places: -rate * slopes.slope(run.loss, places), np.linspace(*ends, _SAMPLES))
        axes.plot(*curve, color=colour.loss, linestyle=DASHES[1], label=f"−η f′({name})", zorder=2)
    seen = [point for point in run.search.critical_points if ends[0] <= point.weight[name] <= ends[1]]
    points.draw_critical_points(axes, [replace(point, loss=0.0) for point in seen], (name,))


def _draw_path(axes: Axes, weight: Array, move: Array) -> tuple[Line2D, Line2D]:
    """Draw the steps as points and the way from one to the next, which is paler the more there are."""
    colour = colours().path
    few = weight.size <= _MARKED
    opacity = 1.0 if few else max(0.1, _MARKED / (2 * weight.size))
    way = axes.plot(weight, move, color=colour, linewidth=em(0.1 if few else 0.05), alpha=opacity, zorder=4)[
        0
    ]
    return way, axes.plot(
        weight, move, "o", color=colour, markersize=mark(0.72 if few else 0.36), label="steps", zorder=5,
    )[0]  # fmt: skip


def _arrows(axes: Axes, weight: Array, move: Array) -> points.Stage:
    """Put arrow heads on the first stretches that are long enough to carry one, where lines are strong."""
    from matplotlib.patches import FancyArrowPatch

    places = np.column_stack([weight, move])[:_ARROWS]
    shown = axes.transAxes.inverted().transform(axes.transData.transform(places))
    stage: points.Stage = []
    if weight.size > _MARKED:
        return stage
    for record, (before, after) in enumerate(pairwise(shown)):
        inside = np.isfinite([before, after]).all() and (np.abs([before - 0.5, after - 0.5]) <= 0.5).all()
        if inside and np.hypot(*(after - before)) > _CARRIES:
            arrow = FancyArrowPatch(
                before, before + 0.6 * (after - before), transform=axes.transAxes, arrowstyle="-|>",
                linewidth=0, color=colours().path, mutation_scale=em(1.0), shrinkA=0, shrinkB=0, zorder=4.5,
            )  # fmt: skip
            axes.add_patch(arrow)
            stage.append((record + 1, arrow))
    return stage


def _numbers(axes: Axes, run: Run, weight: Array, move: Array, at: Sequence[int]) -> points.Stage:
    stage: points.Stage = []
    for step in at:
        record = int(np.searchsorted(run.trajectory.step_index, step))
        if np.isfinite(move[record]):
            number = axes.annotate(
                str(step), (weight[record], move[record]), xytext=(0, em(0.6)), textcoords="offset points",
                ha="center", zorder=7, bbox=points.backing(0.7), annotation_clip=True,
            )  # fmt: skip
            stage.append((step, number))
    return stage
