"""The curvature that a run meets on its way, against the limit that its learning rate sets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gdsim.plots import points, slopes, text
from gdsim.plots.look import colours, em, mark
from gdsim.plots.scene import Scene, travel
from gdsim.plots.tick_places import few_powers
from gdsim.verdicts.story import stable_factor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]

_MOST = 2000  # records drawn; of a longer run every so many
_FEW = 60  # records up to which each has a mark
_WIDE = (
    50.0  # largest over smallest, from which on the axis is logarithmic; over the median where it is negative
)


def sharpness(run: Run, at: Sequence[int] = ()) -> Scene:
    """Draw f″, or the largest eigenvalue of the Hessian, at each record, and the limit 2/η beside it.

    Parameters
    ----------
    run
        Any run.
    at
        Steps that are marked by an upright line.

    Returns
    -------
    Scene
        One axes: the step to the right, upwards curvature (loss per weight squared). Above the limit a step
        leads away along the sharpest direction: the edge of stability. The limit is 2/η for gradient descent,
        2(1 + β)/η with momentum, and moves with a schedule or line search; rules that scale each weight's
        step have none. The axis is logarithmic where the curvature ranges widely, symmetrically so where
        it is negative somewhere.

    Notes
    -----
    After J. M. Cohen et al., "Gradient Descent on Neural Networks Typically Occurs at the Edge of
    Stability", ICLR 2021. Cost: one Hessian for each of up to 2,000 records.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    step = run.trajectory.step_index
    chosen = _thinned(step.size)
    sharp = slopes.curvature(run.loss, run.trajectory.weight[chosen, :, 0].T)
    bound, name = limit(run)
    figure = Figure()
    axes = figure.add_subplot()
    seen = np.isfinite(sharp)
    _set_scale(axes, np.concatenate([sharp[seen], bound[np.isfinite(bound)]]))
    last = max(1, int(step[-1]))
    axes.set_xlim(-0.02 * last, 1.02 * last)
    _draw_limit(axes, step, bound, name)
    colour = colours()
    symbol = f"d²L/d{run.loss.weights[0]}²" if len(run.loss.weights) == 1 else "largest eigenvalue"
    line = axes.plot(
        step[chosen][seen], sharp[seen], color=colour.loss, zorder=4, label=symbol, **_mark(sharp[seen])
    )[0]
    if seen[:1].any():
        points.draw_start(axes, step[0], sharp[0])
    stage: points.Stage = [
        (one, axes.axvline(one, color=colour.muted, linestyle=":", label=f"_at {one}")) for one in at
    ]
    if step.size > 1 and seen[-1]:
        stage.append((int(step[-1]), points.draw_end(axes, step[-1], sharp[-1])))
    axes.set_xlabel("step")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_ylabel("curvature")
    points.legend_above(axes)
    counter = text.label(figure, run)
    whole = np.asarray(line.get_xydata())

    def show(position: float) -> None:
        record, _ = travel(run, position)
        line.set_data(*whole[whole[:, 0] <= step[record]].T)
        for since, artist in stage:
            artist.set_visible(since <= position)
        counter.set_text(text.progress(run, position))

    return Scene(figure, show, float(step[-1]), (line, counter, *(artist for _, artist in stage)))


def _mark(sharp: Array) -> dict[str, Any]:
    """Return how the curvature is drawn: joined, or as dots where it swings at every step of a long run."""
    if sharp.size <= _FEW:
        return {"marker": "o", "markersize": mark(0.65)}
    rise = np.diff(sharp)
    swings = (rise[1:] * rise[:-1] < 0).mean() > 0.3
    return {"linestyle": "none", "marker": "o", "markersize": mark(0.32)} if swings else {}


def _thinned(records: int) -> NDArray[np.int64]:
    """Return up to so many records, evenly, the first and the last among them."""
    if records <= _MOST:
        return np.arange(records)
    return np.unique(np.linspace(0, records - 1, _MOST).round().astype(np.int64))


def limit(run: Run) -> tuple[Array, str]:
    """Return the curvature up to which each record's step is stable ``(records,)``, and its formula.

    Empty, with no formula, for rules about which 2/η says nothing.
    """
    factor = stable_factor(run.batch)
    if run.batch.rule.rule.name == "gradient_descent":
        factor = 2.0  # line search too: the rate of each step is known
    if factor is None:
        return np.empty(0), ""
    rate = run.trajectory.learning_rate[:, 0]
    bound = np.full(rate.shape, np.nan)
    bound[rate > 0] = factor / rate[rate > 0]
    return bound, f"{text.short(factor)}/η"


def _set_scale(axes: Axes, values: Array) -> None:
    """Choose the scale and robust limits: everything finite within, a linear axis from 0."""
    if values.size == 0:
        axes.set_ylim(0.0, 1.0)
        return
    low, high = float(values.min()), float(values.max())
    size = np.abs(values[values != 0])
    if low > 0 and high > _WIDE * low:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.6, high * 1.6)
    elif size.size and size.max() > _WIDE * np.median(size):
        small = 10.0 ** round(math.log10(max(float(np.median(size)), 1e-6 * float(size.max()))))
        axes.set_yscale("symlog", linthresh=small)
        few_powers(axes, small)
        axes.set_ylim(low * 1.6 if low < 0 else -0.3 * small, high * 1.6 if high > 0 else 0.3 * small)
    else:
        low, high = min(low, 0.0), max(high, 0.0)
        height = (high - low) or 1.0
        axes.set_ylim(low - 0.06 * height, high + 0.1 * height)


def _draw_limit(axes: Axes, step: NDArray[np.int64], bound: Array, name: str) -> None:
    """Draw the limit and shade what lies above it."""
    seen = np.isfinite(bound)
    if not seen.any():
        return
    colour = colours()
    label = f"{name} = {text.short(float(bound[seen][0]))}" if np.ptp(bound[seen]) == 0 else name
    across, high = step[seen].astype(np.float64), bound[seen]
    if np.ptp(high) == 0:
        across, high = np.array(axes.get_xlim()), np.repeat(high[0], 2)
    axes.plot(across, high, "--", color=colour.maximum, linewidth=em(0.16), zorder=3, label=label)
    axes.fill_between(
        across, high, np.full_like(high, axes.get_ylim()[1]), color=colour.maximum, alpha=0.12, linewidth=0,
        label="steps lead away", zorder=1,
    )  # fmt: skip
