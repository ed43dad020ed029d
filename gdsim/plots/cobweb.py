"""Descent as a map: w ← g(w) = w − η·f′(w), its fixed points and the run's cobweb (one weight)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots import points, slopes, text
from gdsim.plots.curve import departures, window
from gdsim.plots.look import DASHES, KINDS, colours, em
from gdsim.plots.pieces import broken
from gdsim.plots.scene import Scene, travel
from gdsim.plots.tick_places import few_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

    from gdsim.outcomes import CriticalPoint
    from gdsim.runs import Run

    Array = NDArray[np.float64]

_SAMPLES = 1201
_STRONG = 64  # the last steps, which show where a long run ends up
_LONG_RUN = 200  # steps in the frame
_NAMED = 4  # groups of fixed points up to which each has its own line in the legend
_MARGIN = 0.04  # of the window, on each side
_SQUARE_NARROW, _AROUND, _ROW = 24.0, 10.0, 1.35  # ems: axes, all around them, a row of the legend
_BESIDE = 7.0  # ems beside the words of a legend
_SQUARE = 19.0  # ems, about the side of the axes
_ARROWS = 12  # steps
_CARRIES = 0.05  # of the axes: a shorter stretch carries no arrow


def cobweb(run: Run, at: Sequence[int] = ()) -> Scene:
    """Draw the next weight against the present one, with the staircase of the run between map and diagonal.

    Parameters
    ----------
    run
        A run with one weight whose rule is the same map at each step: gradient descent or sign descent with
        one learning rate, without noise, clipping, line search or weight decay, every step recorded.
    at
        Steps whose weight is marked by an upright line.

    Returns
    -------
    Scene
        One axes: w_k to the right, w_(k+1) upwards, in the same units. Where the map crosses the diagonal the
        weight stays: these are the critical points, each with its multiplier g′ = 1 − ηf″; it attracts where
        |1 − ηf″| < 1 and repels where |1 − ηf″| > 1. Of a long run the last 64 steps in the frame are
        strong, those before pale, so that cycles and bands of chaos show.

    Notes
    -----
    The multiplier is that of S. H. Strogatz, *Nonlinear Dynamics and Chaos* (2015), §10.1.
    Cost: 1,201 evaluations of f′.
    """
    from matplotlib.figure import Figure

    name = run.loss.weights[0]
    step, weight = run.trajectory.step_index, run.trajectory.weight[:, 0, 0]
    ends = window(weight, run.search.domain[name])
    room = _MARGIN * (ends[1] - ends[0])
    ends = (ends[0] - room, ends[1] + room)
    figure = Figure()
    narrow = text.room(figure) < points.NARROW
    axes = figure.add_subplot()
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    if not narrow:
        axes.set_aspect("equal")
    _draw_map(axes, run, ends)
    seen = [point for point in run.search.critical_points if ends[0] <= point.weight[name] <= ends[1]]
    _draw_fixed_points(axes, run, seen, narrow)
    visible = np.flatnonzero((weight >= ends[0]) & (weight <= ends[1]))
    path = np.clip(weight, ends[0] - 2 * (ends[1] - ends[0]), ends[1] + 2 * (ends[1] - ends[0]))
    strongest = _STRONG + 1 if visible.size > _LONG_RUN else visible.size
    pale, strong = _draw_path(axes, visible.size)
    points.draw_start(axes, weight[0], weight[0])
    stage = _arrows(axes, weight) + departures(axes, step, weight, ends, _SQUARE) + _draw_looks(axes, run, at)
    ball = points.draw_ball(axes)
    few_ticks(axes)
    axes.set_xlabel(f"weight {name} at a step")
    axes.set_ylabel(f"weight {name} at the next step")
    if narrow:  # about a square below the legend; equal units would leave it no room
        rows = len(axes.get_legend_handles_labels()[1])
        figure.set_figheight(em(_SQUARE_NARROW + _AROUND + _ROW * rows) / 72)
    points.legend_beside(figure, axes)
    counter = text.label(figure, run)

    def show(position: float) -> None:
        record, part = travel(run, position)
        since = int(visible[visible <= record][-strongest:][0]) if visible.size else 0
        pale.set_data(*staircase(path[: since + 1]))
        strong.set_data(*staircase(path[since : record + 1]))
        for first, artist in stage:
            artist.set_visible(first <= position)
        counter.set_text(text.progress(run, position))
        ball.set_visible(part > 0)
        if part > 0:  # first to the map, then to the diagonal
            here, there = weight[record], weight[record + 1]
            up, across = min(1.0, 2 * part), max(0.0, 2 * part - 1)
            ball.set_data([here + across * (there - here)], [here + up * (there - here)])

    return Scene(
        figure, show, float(step[-1]), (pale, strong, ball, counter, *(artist for _, artist in stage))
    )


def staircase(weight: Array) -> tuple[Array, Array]:
    """Return the corners of a cobweb: from the diagonal to the map and back to the diagonal, step by step.

    >>> staircase(np.array([4.0, 2.0, 1.0]))
    (array([4., 4., 2., 2., 1.]), array([4., 2., 2., 1., 1.]))
    """
    corners = np.repeat(weight, 2)
    return corners[:-1], corners[1:]


def _draw_map(axes: Axes, run: Run, ends: tuple[float, float]) -> None:
    """Draw g and the diagonal."""
    colour = colours()
    name, rate = run.loss.weights[0], float(run.trajectory.learning_rate[0, 0])
    signed = run.batch.rule.rule.name == "sign_descent"

    def after(places: Array) -> Array:
        slope = slopes.slope(run.loss, places)
        return places - rate * (np.sign(slope) if signed else slope)

    formula = f"sign f′({name})" if signed else f"f′({name})"
    axes.plot(
        *broken(after, np.linspace(*ends, _SAMPLES)), color=colour.loss, zorder=2,
        label=f"map {name} − η {formula}",
    )  # fmt: skip
    axes.plot(
        ends, ends, color=colour.muted, linestyle=DASHES[1], linewidth=em(0.1), zorder=1.8,
        label="diagonal: at rest",
    )  # fmt: skip


def _draw_path(axes: Axes, steps: int) -> tuple[Line2D, Line2D]:
    """Return the lines of what went before and of the last steps, without data; more steps are finer."""
    colour = colours().path
    opacity = float(np.clip(60 / max(1, steps), 0.08, 0.4))
    pale = axes.plot([], [], color=colour, linewidth=em(0.06), alpha=opacity, zorder=3)[0]
    wide = em(0.17 if steps <= _STRONG else 0.1)
    return pale, axes.plot([], [], color=colour, linewidth=wide, label="steps", zorder=4)[0]


def _draw_fixed_points(axes: Axes, run: Run, seen: Sequence[CriticalPoint], narrow: bool) -> None:
    """Mark the critical points on the diagonal, in groups of one multiplier where these are few."""
    name = run.loss.weights[0]
    rate = float(run.trajectory.learning_rate[0, 0])
    plain = run.batch.rule.rule.name == "gradient_descent"
    groups: dict[str, list[CriticalPoint]] = {}
    for point in seen:
        words = multiplier_words(point, rate) if plain else ""
        groups.setdefault(f"{KINDS[point.kind][2]}|{words}", []).append(
            replace(point, loss=point.weight[name])
        )
    if len(groups) > _NAMED:
        groups = {f"{KINDS[point.kind][2]}|": [] for point in seen}
        for point in seen:
            groups[f"{KINDS[point.kind][2]}|"].append(replace(point, loss=point.weight[name]))
    figure = axes.get_figure(root=True)
    assert figure is not None
    most = text.room(figure) - _BESIDE
    for key, group in groups.items():
        before = len(axes.get_lines())
        points.draw_critical_points(axes, group, (name,))
        first, *_ = drawn = axes.get_lines()[before:]
        for line, point in zip(drawn, group, strict=False):
            if point.kind == "flat" and point.interval:  # a piece of the diagonal
                line.set_ydata(line.get_xdata())
        kind, _, words = key.partition("|")
        places = [text.short(float(f"{point.weight[name]:.3g}")) for point in group]
        where = f"{kind} at {' and '.join(places)}" if len(places) <= 2 else kind
        gap = ": " if narrow else ":\n"
        labels = (f"{where}{gap}{words}", f"{kind}{gap}{words}", kind) if words else (where, kind)
        first.set_label(next(one for one in labels if one == kind or text.width(one.split("\n")[-1]) <= most))


def multiplier_words(point: CriticalPoint, rate: float) -> str:
    """Return the multiplier of a fixed point and whether it attracts; empty where it has none.

    >>> from gdsim.outcomes import CriticalPoint
    >>> multiplier_words(CriticalPoint({"w": 0.0}, 0.0, "minimum", curvature=(2.0,)), 0.75)
    '1 − ηf″ = −0.5, attracts'
    """
    if not point.curvature or point.kind == "flat":
        return ""
    multiplier = point.multiplier(rate)[0]
    size = abs(multiplier)
    word = "attracts" if size < 1 else "repels" if size > 1 else "undecided"
    return f"1 − ηf″ = {text.short(multiplier)}, {word}"


def _arrows(axes: Axes, weight: Array) -> points.Stage:
    """Put arrow heads on the first stretches that are long enough."""
    from matplotlib.patches import FancyArrowPatch

    reach = _CARRIES * np.ptp(axes.get_xlim())
    across, up = staircase(weight[: _ARROWS + 1])
    low, high = axes.get_xlim()
    stage: points.Stage = []
    for corner in range(across.size - 1):
        ends = np.array([[across[corner], up[corner]], [across[corner + 1], up[corner + 1]]])
        inside = np.isfinite(ends).all() and (ends >= low).all() and (ends <= high).all()
        if inside and np.abs(ends[1] - ends[0]).max() > reach:
            arrow = FancyArrowPatch(
                ends[0], ends.mean(axis=0), arrowstyle="-|>", color=colours().path, linewidth=0,
                mutation_scale=em(1.0), shrinkA=0, shrinkB=0, zorder=4.5,
            )  # fmt: skip
            axes.add_patch(arrow)
            stage.append((corner // 2 + 1, arrow))
    return stage


def _draw_looks(axes: Axes, run: Run, at: Sequence[int]) -> points.Stage:
    record = np.searchsorted(run.trajectory.step_index, at)
    return [
        (step, axes.axvline(place, color=colours().muted, linestyle=":", linewidth=em(0.1), zorder=1.7))
        for step, place in zip(at, run.trajectory.weight[record, 0, 0], strict=True)
    ]
