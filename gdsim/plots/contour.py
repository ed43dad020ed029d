"""The loss as a map seen from above, with the path across it (two weights)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots import points, text
from gdsim.plots.style import INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]

_SAMPLES = 161
_LEVELS = 18


def contour(run: Run) -> Figure:
    """Draw contours of L over the domain, the path with arrows, and the critical points.

    Parameters
    ----------
    run
        A run with two weights.

    Returns
    -------
    Figure
        One axes with the weights in their own units, equally long where the domain's sides are
        comparable, so that steps stand upright on the contours. Levels are quantiles of the loss over
        the domain, so that valleys are as visible as walls; lighter is lower.

    Notes
    -----
    Cost: 161 × 161 evaluations of the loss.
    """
    import matplotlib
    from matplotlib.figure import Figure

    first, second = run.loss.weights
    x = np.linspace(*run.search.domain[first], _SAMPLES)
    y = np.linspace(*run.search.domain[second], _SAMPLES)
    across, up = np.meshgrid(x, y)
    values = run.loss.evaluate(np.stack([across.ravel(), up.ravel()])).reshape(across.shape)

    figure = Figure()
    axes = figure.add_subplot()
    heights = levels(values)
    if heights.size > 1:
        shades = matplotlib.colormaps["Blues"](np.linspace(0.03, 0.75, heights.size + 1))
        colours = axes.contourf(x, y, values, levels=heights, colors=shades, extend="both")
        axes.contour(x, y, values, levels=heights, colors=INK, linewidths=0.5, alpha=0.3)
        bar = figure.colorbar(colours, ax=axes, pad=0.02)
        bar.set_label("loss")
        ticks = heights[:: max(1, heights.size // 6)].tolist()
        bar.set_ticks(ticks, labels=[text.short(float(f"{tick:.2g}")) for tick in ticks])
    axes.grid(False)
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    points.draw_open_stretches(axes, run.search, run.loss.weights)
    points.draw_critical_points(axes, run.search.critical_points, run.loss.weights)
    _draw_path(axes, run.trajectory.weight[:, :, 0])
    axes.set_xlabel(f"weight {first}")
    axes.set_ylabel(f"weight {second}")
    if 0.5 <= np.ptp(x) / np.ptp(y) <= 2.0:
        axes.set_aspect("equal")
    figure.legend(loc="outside right upper", frameon=False)
    text.label(figure, run)
    return figure


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


def _draw_path(axes: Axes, path: Array) -> None:
    """Draw the path; arrows where a step is long enough to carry one; the start and the end marked."""
    finite = path[np.isfinite(path).all(axis=1)]
    axes.plot(finite[:, 0], finite[:, 1], "-", color="white", linewidth=4.5, alpha=0.8, zorder=4)
    axes.plot(
        finite[:, 0], finite[:, 1], "-", color=ORANGE, linewidth=2.0,
        marker="o", markersize=4.5 if len(finite) <= 200 else 0, label="path", zorder=5,
    )  # fmt: skip
    width = np.ptp(axes.get_xlim())
    height = np.ptp(axes.get_ylim())
    for before, after in pairwise(finite[:61]):
        if np.hypot((after[0] - before[0]) / width, (after[1] - before[1]) / height) > 0.04:
            axes.annotate(
                "", xy=after, xytext=before, annotation_clip=True,
                arrowprops={"arrowstyle": "-|>", "color": ORANGE, "linewidth": 1.6, "mutation_scale": 14},
                zorder=5,
            )  # fmt: skip
    axes.plot(
        *finite[:1].T, "o", markersize=13, markerfacecolor=ORANGE, markeredgecolor=INK, markeredgewidth=1.8,
        label="start", zorder=7,
    )  # fmt: skip
    axes.plot(
        *finite[-1:].T, "*", markersize=17, markerfacecolor="#F0E442", markeredgecolor=INK,
        markeredgewidth=1.4, label="end", zorder=7.5,
    )  # fmt: skip
