"""How fast: distance of the loss from its end, and the size of the gradient, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots import points, text
from gdsim.plots.look import colours, em, mark
from gdsim.plots.scene import Scene, travel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]
    Steps = NDArray[np.int64]


def convergence(run: Run, at: Sequence[int] = ()) -> Scene:
    """Draw the loss, the largest gradient component and the distance to the end point against the step.

    Parameters
    ----------
    run
        Any run.
    at
        Steps that are marked by an upright line.

    Returns
    -------
    Scene
        First the loss, or, where the run settled at a critical point c, L(w) − L(c) on a logarithmic axis
        with the rate (1 − ηf″)² that theory gives for gradient descent near a minimum. Then max |∂L/∂w| on
        a logarithmic axis with the tolerance, and, where the run settled, the distance ‖w − c‖.

    Notes
    -----
    The rate is that of Y. Nesterov, *Introductory Lectures on Convex Optimization* (2004), §1.2.3.
    Cost: no evaluation; the trajectory is drawn as recorded.
    """
    from matplotlib.figure import Figure

    figure = Figure()
    step, far = run.trajectory.step_index, distance(run)
    panels = points.panels(figure, 3 if far.size else 2, "step")
    lines = _draw_loss(panels[0], run, step, run.trajectory.loss[:, 0])
    size = np.abs(run.trajectory.gradient[:, :, 0]).max(axis=1)
    lines += _draw_gradient(panels[1], run, step, size)
    if far.size:
        lines += _draw_distance(panels[2], run, step, far)
    stage: points.Stage = []
    last = max(1, int(step[-1]))
    panels[0].set_xlim(-0.02 * last, 1.02 * last)
    points.few_steps(panels[0], last, 1 / len(panels) if text.room(figure) >= points.NARROW else 1.0)
    for axes in panels:
        axes.set_ylim(axes.get_ylim())  # fixed: a build-up shows each step on the same axes
        if axes.get_legend_handles_labels()[1] != ["run"]:
            points.legend_above(axes)
        stage += [(one, axes.axvline(one, color=colours().muted, linestyle=":")) for one in at]
    balls = [points.draw_ball(axes) for axes in panels]
    counter = text.label(figure, run)
    whole = [(np.asarray(line.get_xydata()), _is_logarithmic(line)) for line in lines]

    def show(position: float) -> None:
        moves = travel(run, position).part > 0
        for line, ball, (data, logarithmic) in zip(lines, balls, whole, strict=True):
            seen = up_to(data, position, logarithmic)
            line.set_data(*seen.T)
            ball.set_visible(moves and len(seen) > 0)
            ball.set_data(*seen[-1:].T)
        for since, artist in stage:
            artist.set_visible(since <= position)
        counter.set_text(text.progress(run, position))

    return Scene(figure, show, float(step[-1]), (*lines, *balls, counter, *(artist for _, artist in stage)))


def _is_logarithmic(line: Line2D) -> bool:
    return line.axes is not None and line.axes.get_yscale() == "log"


def up_to(data: Array, position: float, logarithmic: bool) -> Array:
    """Return the points ``(points, 2)`` of a line up to a position, and where it is between two of them.

    >>> up_to(np.array([[0.0, 1.0], [1.0, 100.0], [2.0, 50.0]]), 0.5, logarithmic=True)
    array([[ 0. ,  1. ],
           [ 0.5, 10. ]])
    """
    after = int(np.searchsorted(data[:, 0], position, side="right"))
    if after in (0, len(data)) or data[after - 1, 0] == position:
        return data[:after]
    (left, before), (right, beyond) = data[after - 1 : after + 1]
    part = (position - left) / (right - left)
    if logarithmic:
        height = before ** (1 - part) * beyond**part
    else:
        height = (1 - part) * before + part * beyond
    return np.vstack([data[:after], [position, height]])


def _draw_loss(axes: Axes, run: Run, step: Steps, loss: Array) -> list[Line2D]:
    colour = colours()
    settled = settled_loss(run)
    gap = loss - settled if settled is not None else loss
    shown = np.isfinite(gap) & (gap > 0)
    wide = shown.sum() > 1 and gap[shown].max() > 50 * gap[shown].min()
    if shown.sum() < 2 or (settled is None and not (shown.all() and wide)):
        axes.set_ylabel("loss")
        return axes.plot(step, loss, "o-", color=colour.loss, markersize=_marker(step))
    line = axes.semilogy(
        step[shown], gap[shown], "o-", color=colour.loss, markersize=_marker(step), label="run",
    )  # fmt: skip
    axes.set_ylabel("loss" if settled is None else f"loss − loss at the {end_name(run)}")
    if settled is None:
        return line
    rate = theoretical_rate(run)
    if rate is not None:
        anchor = np.flatnonzero(shown)[shown.sum() // 2]
        theory = gap[anchor] * rate ** (step[shown] - step[anchor])
        visible = (theory >= gap[shown].min()) & (theory <= gap[shown].max())
        axes.semilogy(
            step[shown][visible], theory[visible], "--", color=colour.minimum,
            linewidth=em(0.13), label=f"theory: × {text.short(rate)} a step",
        )  # fmt: skip
    return line


def _draw_distance(axes: Axes, run: Run, step: Steps, far: Array) -> list[Line2D]:
    axes.set_ylabel(f"distance to the {end_name(run)}")
    shown = np.isfinite(far) & (far > 0)
    if shown.sum() < 2:
        return axes.plot(step, far, "o-", color=colours().maximum, markersize=_marker(step))
    return axes.semilogy(step[shown], far[shown], "o-", color=colours().maximum, markersize=_marker(step))


def _draw_gradient(axes: Axes, run: Run, step: Steps, size: Array) -> list[Line2D]:
    colour = colours()
    axes.set_ylabel("largest |∂L/∂w|")
    tolerance = run.batch.stopping.gradient_tolerance
    shown = np.isfinite(size) & (size > 0)
    if not shown.any():
        return axes.plot(step, size, "o-", color=colour.path, markersize=_marker(step))
    line = axes.semilogy(step[shown], size[shown], "o-", color=colour.path, markersize=_marker(step))
    if tolerance > 0 and size[shown].min() < 1e3 * tolerance:
        axes.axhline(
            tolerance, color=colour.muted, linestyle=":", linewidth=em(0.13),
            label=f"tolerance {text.short(tolerance)}",
        )  # fmt: skip
    return line


def distance(run: Run) -> Array:
    """Return ‖w − c‖ of each record ``(records,)`` to the point where the run settled; empty without one."""
    at = run.verdict.settled_at
    if at is None:
        return np.empty(0)
    place = np.array([at[name] for name in run.loss.weights])
    far: Array = np.linalg.norm(run.trajectory.weight[:, :, 0] - place, axis=1)
    return far


def end_name(run: Run) -> str:
    """Return what kind of point it is at which a run settled."""
    at = run.verdict.settled_at
    kinds = [point.kind for point in run.search.critical_points if point.weight == at]
    return {"flat": "flat piece", "undecided": "end point"}.get(kinds[0], kinds[0]) if kinds else "end point"


def settled_loss(run: Run) -> float | None:
    """Return the loss of the critical point where the run settled, or None."""
    at = run.verdict.settled_at
    for point in run.search.critical_points:
        if point.weight == at:
            return point.loss
    return None


def theoretical_rate(run: Run) -> float | None:
    """Return the factor by which L − L(c) shrinks each step near the minimum, max |1 − ηλ|², or None."""
    if run.ruler is None or run.batch.rule.rule.name != "gradient_descent":
        return None
    rate = run.trajectory.learning_rate[:, 0]
    if np.ptp(rate) != 0:
        return None
    for point in run.search.critical_points:
        if point.weight == run.ruler.at:
            factor = max(abs(value) for value in point.multiplier(float(rate[0])))
            return factor**2 if 0 < factor < 1 else None
    return None


def _marker(step: Steps) -> float:
    return mark(0.65) if step.size <= 60 else 0.0
