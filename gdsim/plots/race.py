"""Several runs side by side, each given as many gradients as the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gdsim.outcomes import Fault, InputError
from gdsim.plots import points, text
from gdsim.plots.contour import levels
from gdsim.plots.curve import limits
from gdsim.plots.look import DASHES, MARKERS, colours, em, mark
from gdsim.plots.racers import Racer, lowest_loss, racers, shared
from gdsim.plots.scene import Scene

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]

_MOST = 8  # runs: so many markers there are
_DECADES = 16.0  # below the start, deeper the axis does not reach
_ABOVE = 30.0  # times the highest start: what climbs higher leaves the frame
_LONG = 20.0  # the longest run over the shortest, from which on gradients stand on a logarithmic axis
_SAMPLES = 161
_DRAWN = 2000  # records of a line
_MARKS = 12  # marks on a line
_HANDLE, _ROW = 2.4, 1.55  # ems: the handle of a legend, and the height of its rows
_TITLE_AND_CAPTION, _BELOW_AXES = 6.0, 3.5  # ems of height
_ON_CURVE = 60  # records of each run on a curve


def race(runs: Sequence[Run]) -> Scene:
    """Draw the loss of several runs against the gradients that each has evaluated, and their paths.

    Parameters
    ----------
    runs
        Two to eight runs of one loss.

    Returns
    -------
    Scene
        First the loss above the lowest one known (that of a critical point, or lower if a run got lower) on
        a logarithmic axis. A record stands where its own gradient has been evaluated, so that the end of a
        line is what the run has paid. Then, for one or two weights, the paths on the curve or on the map.
        The legend says of each run what sets it apart, how it ended, what it has paid in evaluations of
        the loss beside, and whether its gradients were clipped; what all share stands below.

    Raises
    ------
    InputError
        For fewer than two runs, more than eight, and runs of different losses.

    Notes
    -----
    Every rule evaluates one gradient a step. Newton's rule needs a Hessian beside, a line search and
    numerical derivatives evaluations of the loss, mini-batches only part of the data: the legend says so.
    Cost: with two weights 161 × 161 evaluations of the loss, with one 161.
    """
    from matplotlib.figure import Figure

    _check(runs)
    lanes = racers(runs)
    figure = Figure()
    number = 2 if len(runs[0].loss.weights) <= 2 else 1
    head, panels = _panels(figure, number, lanes)
    lowest, known = lowest_loss(runs)
    _draw_losses(panels[0], lanes, lowest)
    panels[0].set_ylabel("loss above the lowest" if lowest else "loss")
    panels[0].set_xlabel("gradients evaluated")
    if number == 2:
        (_draw_curve if len(runs[0].loss.weights) == 1 else _draw_map)(panels[1], lanes)
    _draw_legend(head, lanes)
    most = text.room(figure)
    parts = [*text.loss_words(runs[0].loss, most), *shared(runs)]
    parts += [f"lowest {'minimum' if known else 'loss reached'} {text.short(lowest)}"] if lowest else []
    named = {run.title for run in runs if run.title != run.name}
    title = named.pop() if len(named) == 1 else f"A race of {len(runs)} runs"
    text.frame(figure, title, text.wrapped(parts, most))
    return Scene(figure)


def _check(runs: Sequence[Run]) -> None:
    if not 2 <= len(runs) <= _MOST:
        raise InputError(Fault(f"a race is between 2 and {_MOST} runs, not {len(runs)}", "RUN RUN …"))
    first = runs[0].loss
    for run in runs[1:]:
        one = run.loss
        same = (one.weights, one.expression, one.function, dict(one.parameters), dict(one.data)) == (
            first.weights, first.expression, first.function, dict(first.parameters), dict(first.data),
        )  # fmt: skip
        if not same:
            message = f"{run.name} has another loss than {runs[0].name}"
            raise InputError(Fault(message, "runs of one loss with the same parameters and data"))


def _panels(figure: Figure, number: int, lanes: Sequence[Racer]) -> tuple[Any, list[Axes]]:
    """Return the place of the legend across the figure, and the panels below, stacked where it is narrow."""
    narrow = text.room(figure) < points.NARROW
    columns, labels = _labels(figure, lanes)
    lines = sum(label.count("\n") for label in labels)
    head = _ROW * -(-len(lanes) // columns) + 1.2 * lines
    height = 72 * figure.get_figheight() / em(1)
    if narrow:
        height = height * (1 + 0.6 * (number - 1)) + head
        figure.set_figheight(height * em(1) / 72)
    below = number if narrow else 1
    each = max(4.0, (height - head - _TITLE_AND_CAPTION) / below - _BELOW_AXES)
    grid = figure.add_gridspec(1 + below, number // below, height_ratios=[head, *[each] * below])
    top = figure.add_subplot(grid[0, :])
    top.axis("off")
    return top, [
        figure.add_subplot(grid[1 + place, 0] if narrow else grid[1, place]) for place in range(number)
    ]


def _labels(figure: Figure, lanes: Sequence[Racer]) -> tuple[int, list[str]]:
    """Return in how many columns the legend stands, and its texts, broken where one is too wide."""
    most = text.room(figure)
    widest = max(text.width(lane.words) for lane in lanes) + _HANDLE + 2.2  # gaps after handle and column
    columns = max(1, min(len(lanes), int((most + 1.4) // widest)))
    return columns, ["\n".join(text.fold(lane.words, most - _HANDLE - 1.5)) for lane in lanes]


def _draw_legend(axes: Axes, lanes: Sequence[Racer]) -> None:
    """Draw the legend across the whole figure; the place above the panels is kept for it."""
    from matplotlib.lines import Line2D
    from matplotlib.transforms import blended_transform_factory

    figure: Any = axes.get_figure(root=True)
    columns, labels = _labels(figure, lanes)
    handles = [Line2D([], [], **_dress(order)) for order in range(len(lanes))]
    legend = axes.legend(
        handles, labels, loc="upper left", ncols=columns, frameon=False, borderaxespad=0.0, borderpad=0.0,
        handlelength=_HANDLE, columnspacing=1.4, bbox_to_anchor=(em(0.6) / 72 / figure.get_figwidth(), 1.0),
        bbox_transform=blended_transform_factory(figure.transFigure, axes.transAxes),
    )  # fmt: skip
    legend.set_in_layout(False)


def _dress(order: int) -> dict[str, Any]:
    """Return colour, dash and marker of a run."""
    series = colours().series
    return {
        "color": series[order % len(series)], "linestyle": DASHES[order % len(DASHES)],
        "marker": MARKERS[order % len(MARKERS)], "markersize": mark(0.99),
    }  # fmt: skip


def _draw_losses(axes: Axes, lanes: Sequence[Racer], lowest: float) -> None:
    """Draw a line for each run, on limits that no runaway and no exact hit can stretch."""
    from matplotlib.ticker import MaxNLocator

    gaps = [lane.loss - lowest for lane in lanes]
    shown = [np.isfinite(gap) & (gap > 0) for gap in gaps]
    positive = np.concatenate([gap[seen] for gap, seen in zip(gaps, shown, strict=True)])
    if positive.size:
        axes.set_yscale("log")
        starts = [gap[0] for gap, seen in zip(gaps, shown, strict=True) if seen[0]]
        top = min(float(positive.max()), _ABOVE * max(starts, default=float(positive.max())))
        bottom = max(float(positive.min()), top * 10.0**-_DECADES)
        axes.set_ylim(0.4 * bottom, 3.0 * top)
    longest = [float(lane.paid[-1]) for lane in lanes]
    if max(longest) > _LONG * min(longest):
        axes.set_xscale("log")
        axes.set_xlim(0.9, 1.15 * max(longest))
    else:
        axes.set_xlim(1 - 0.02 * max(longest), 1.03 * max(longest))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    for order, (lane, gap, seen) in enumerate(zip(lanes, gaps, shown, strict=True)):
        kept = np.flatnonzero(seen)
        if kept.size > _DRAWN:
            kept = kept[np.linspace(0, kept.size - 1, _DRAWN).round().astype(np.int64)]
        axes.plot(
            lane.paid[kept], gap[kept], **_dress(order), zorder=4 + 0.1 * order, label=lane.words,
            markevery=_marks(lane.paid[kept], axes.get_xscale() == "log", order, len(lanes)),
        )  # fmt: skip


def _marks(paid: Array, logarithmic: bool, order: int, runs: int) -> list[int]:
    """Return which points of a line bear its marker: some, evenly along the axis, and the last."""
    if paid.size <= _MARKS:
        return list(range(paid.size))
    along = np.log(paid) if logarithmic else paid
    part = np.ptp(along) / _MARKS
    wanted = along[0] + part * (np.arange(_MARKS) + order / runs)
    return [*np.unique(np.searchsorted(along, wanted).clip(0, paid.size - 1)).tolist(), paid.size - 1]


def _window(lanes: Sequence[Racer], row: int) -> tuple[float, float]:
    """Return the stretch of one weight where the runs that were not lost have been, with room beside."""
    low = min(lane.domain[row][0] for lane in lanes)
    high = max(lane.domain[row][1] for lane in lanes)
    kept = [lane for lane in lanes if not lane.lost] or lanes
    places = np.concatenate([lane.weight[:, row] for lane in kept])
    inside = places[np.isfinite(places) & (places >= low) & (places <= high)]
    span = float(np.ptp(inside)) if inside.size else 0.0
    if span < 1e-6 * (high - low):
        return low, high
    return max(low, float(inside.min()) - 0.25 * span), min(high, float(inside.max()) + 0.25 * span)


def _draw_curve(axes: Axes, lanes: Sequence[Racer]) -> None:
    """Draw the loss as a curve with the records of all runs on it."""
    low, high = _window(lanes, 0)
    grid = np.linspace(low, high, 4 * _SAMPLES)
    run = lanes[0].run
    values = run.loss.evaluate(grid[None, :])
    starts = np.array([lane.loss[0] for lane in lanes if low <= lane.weight[0, 0] <= high])
    axes.plot(grid, values, color=colours().ink, linewidth=em(0.08), zorder=2, label="loss")
    axes.set_xlim(low, high)
    axes.set_ylim(*limits(values, starts))
    name = run.loss.weights[0]
    seen = [point for point in run.critical_points if low <= point.weight[name] <= high]
    points.draw_critical_points(axes, seen, run.loss.weights)
    for order, lane in enumerate(lanes):
        dress = _dress(order) | {"linestyle": "none"}
        axes.plot(
            lane.weight[:_ON_CURVE, 0], lane.loss[:_ON_CURVE], **dress, zorder=5 + 0.1 * order, label="_path",
            alpha=0.85, markerfacecolor="none", markeredgewidth=em(0.1),
        )  # fmt: skip
    _mark_starts(axes, {(float(lane.weight[0, 0]), float(lane.loss[0])) for lane in lanes})
    axes.set_xlabel(f"weight {name}")
    axes.set_ylabel("loss")


def _draw_map(axes: Axes, lanes: Sequence[Racer]) -> None:
    """Draw the loss as contours with the paths across."""
    run = lanes[0].run
    x, y = (np.linspace(*_window(lanes, row), _SAMPLES) for row in range(2))
    across, up = np.meshgrid(x, y)
    values = run.loss.evaluate(np.stack([across.ravel(), up.ravel()])).reshape(across.shape)
    heights = levels(values)
    axes.grid(False)
    if heights.size > 1:
        axes.contour(
            x, y, values, levels=heights, colors=colours().muted, linewidths=em(0.05), alpha=0.6,
            linestyles="solid",
        )  # fmt: skip
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    points.draw_critical_points(axes, run.critical_points, run.loss.weights)
    for order, lane in enumerate(lanes):
        path = _inside(lane.weight, axes)[:_DRAWN]
        far = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
        axes.plot(
            *path.T, **_dress(order), zorder=5 + 0.1 * order, label="_path",
            markevery=_marks(far, False, order, len(lanes)) if len(path) else None,
        )  # fmt: skip
    _mark_starts(axes, {(float(lane.weight[0, 0]), float(lane.weight[0, 1])) for lane in lanes})
    axes.set_xlabel(f"weight {run.loss.weights[0]}")
    axes.set_ylabel(f"weight {run.loss.weights[1]}")


def _inside(path: Array, axes: Axes) -> Array:
    """Return a path up to the first record from which on it never comes back into the frame."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    finite = path[np.isfinite(path).all(axis=1)]
    x, y = finite.T
    inside = np.flatnonzero((x >= left) & (x <= right) & (y >= bottom) & (y <= top))
    return finite[: inside[-1] + 2] if inside.size else finite


def _mark_starts(axes: Axes, places: set[tuple[float, float]]) -> None:
    """Mark where the runs start, by a ring with the word beside it."""
    colour = colours()
    for number, (x, y) in enumerate(sorted(places)):
        axes.plot(
            [x], [y], "o", markersize=mark(1.98), markerfacecolor="none", markeredgecolor=colour.ink,
            markeredgewidth=em(0.14), zorder=7, label="_start",
        )  # fmt: skip
        if number == 0:
            left = x < np.mean(axes.get_xlim())
            axes.annotate(
                "start", (x, y), xytext=(em(0.8 if left else -0.8), em(0.8)), textcoords="offset points",
                ha="left" if left else "right", zorder=8, bbox=points.backing(0.8),
            )  # fmt: skip
