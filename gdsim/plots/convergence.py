"""How fast: distance of the loss from its end, and the size of the gradient, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots import text
from gdsim.plots.style import BLUE, GREEN, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]
    Steps = NDArray[np.int64]


def convergence(run: Run) -> Figure:
    """Draw the loss and the largest gradient component against the step number.

    Returns
    -------
    Figure
        Two axes. Left: the loss, or, where the run settled at a critical point c, L(w) − L(c) on a
        logarithmic axis with the rate (1 − ηf″)² that theory gives for gradient descent near a
        minimum. Right: max |∂L/∂w| on a logarithmic axis with the tolerance.

    Notes
    -----
    The rate is that of Y. Nesterov, *Introductory Lectures on Convex Optimization* (2004), §1.2.3.
    Cost: no evaluation; the trajectory is drawn as recorded.
    """
    from matplotlib.figure import Figure

    figure = Figure()
    left, right = figure.subplots(1, 2)
    step = run.trajectory.step_index
    _draw_loss(left, run, step, run.trajectory.loss[:, 0])
    size = np.abs(run.trajectory.gradient[:, :, 0]).max(axis=1)
    _draw_gradient(right, run, step, size)
    for axes in (left, right):
        axes.set_xlabel("step")
        axes.xaxis.get_major_locator().set_params(integer=True)
        if step.size > 1:
            axes.set_xlim(-0.02 * step[-1], 1.02 * step[-1])
    text.label(figure, run)
    return figure


def _draw_loss(axes: Axes, run: Run, step: Steps, loss: Array) -> None:
    settled = settled_loss(run)
    gap = loss - settled if settled is not None else loss
    shown = gap > 0
    if shown.sum() < 2:
        axes.plot(step, loss, "o-", color=BLUE, markersize=_marker(step))
        axes.set_ylabel("loss")
        return
    wide = gap[shown].max() > 50 * gap[shown].min()
    if settled is None and (not shown.all() or not wide):
        axes.plot(step, loss, "o-", color=BLUE, markersize=_marker(step))
        axes.set_ylabel("loss")
        return
    axes.semilogy(step[shown], gap[shown], "o-", color=BLUE, markersize=_marker(step), label="run")
    axes.set_ylabel("loss" if settled is None else "loss − loss at the end point")
    rate = theoretical_rate(run)
    if settled is not None and rate is not None:
        anchor = np.flatnonzero(shown)[shown.sum() // 2]
        line = gap[anchor] * rate ** (step[shown] - step[anchor])
        visible = (line >= gap[shown].min()) & (line <= gap[shown].max())
        axes.semilogy(
            step[shown][visible], line[visible],
            "--", color=GREEN, linewidth=1.8, label=f"theory: × {text.short(rate)} a step",
        )  # fmt: skip
        axes.legend(loc="best")


def _draw_gradient(axes: Axes, run: Run, step: Steps, size: Array) -> None:
    axes.set_ylabel("largest |∂L/∂w|")
    tolerance = run.batch.stopping.gradient_tolerance
    shown = np.isfinite(size) & (size > 0)
    if not shown.any():
        axes.plot(step, size, "o-", color=ORANGE, markersize=_marker(step))
        return
    axes.semilogy(step[shown], size[shown], "o-", color=ORANGE, markersize=_marker(step))
    if tolerance > 0 and size[shown].min() < 1e3 * tolerance:
        axes.axhline(
            tolerance, color=GREY, linestyle=":", linewidth=1.8, label=f"tolerance {text.short(tolerance)}"
        )
        axes.legend(loc="best")


def settled_loss(run: Run) -> float | None:
    """Return the loss of the critical point where the run settled, or None."""
    at = run.verdict.evidence.get("at")
    if not isinstance(at, dict):
        return None
    for point in run.search.critical_points:
        if dict(point.weight) == at:
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
    return 5.0 if step.size <= 60 else 0.0
