"""Figures as text: a run in a terminal, in dots of braille or, where they cannot be shown, in plain signs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots.canvas import LABEL, Canvas, draw_line, framed, numbered, round_ends
from gdsim.plots.curve import essential_limits, window
from gdsim.plots.text import short

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]

_SHADES = " ░▒▓█"
_PLAIN_SHADES = " .:*#"
_BY_STEP = ("convergence", "phase", "sharpness")
_TANGENT = 1 / 6  # of the frame to either side


def sketch(run: Run, plot: str, columns: int = 72, rows: int = 14, *, at: Sequence[int] = (),
           until: int | None = None, plain: bool = False) -> str:  # fmt: skip
    """Return a run as a picture of text: its curve, its map, or its loss step by step.

    Parameters
    ----------
    run
        The run.
    plot
        A kind of figure. ``derivative``, ``zoom``, ``vcurve``, ``cobweb`` and ``ruler`` have sketches of
        their own; ``convergence`` and its kin show the loss against the step; all others are drawn as the
        loss over the weight with the steps, two weights as a map. What a kind cannot show is drawn so, too.
    columns, rows
        How large.
    at
        Steps at which the tangent is drawn.
    until
        The last step shown.
    plain
        Dots and stars in place of braille and blocks.

    Examples
    --------
    >>> from gdsim.runs import execute
    >>> from gdsim.scenario import load
    >>> print(sketch(execute(load("double-well")), "curve", 40, 6, plain=True))
    1.6│  .                      .
       │  ..                    ..
       │   .       ......       .
       │   .     ...    .0.     .
       │    .   ..        1.   .
      0│    .....          .24..
       └────────────────────────────
        −1.8      weight w       1.8
    """
    from gdsim.plots.kinds import PLOTS
    from gdsim.plots.sketch_kinds import SKETCHES

    last = run.trajectory.step_index[-1] if until is None else until
    shown = run.trajectory.step_index <= last
    if plot in SKETCHES and not PLOTS[plot].refusal(run):
        return SKETCHES[plot](run, shown, Canvas(columns - LABEL, rows, plain), tuple(at))
    if len(run.loss.weights) == 1 and plot not in _BY_STEP:
        return _curve(run, shown, Canvas(columns - LABEL, rows, plain), at)
    if len(run.loss.weights) == 2 and plot not in _BY_STEP:
        return _map(run, shown, columns, rows, plain)
    return _steps(run, shown, columns, rows, plain)


def _curve(run: Run, shown: NDArray[np.bool_], canvas: Canvas, at: Sequence[int]) -> str:
    name = run.loss.weights[0]
    weight, loss = run.trajectory.weight[:, 0, 0], run.trajectory.loss[:, 0]
    low, high = window(weight, run.search.domain[name])
    grid = np.linspace(low, high, 8 * canvas.columns)
    values = run.loss.evaluate(grid[None, :])
    inside = (weight >= low) & (weight <= high) & np.isfinite(loss)
    bottom, top = round_ends(*essential_limits(values, loss[inside]))
    draw_line(canvas, (grid - low) / (high - low), (values - bottom) / (top - bottom))
    numbered(canvas, (
        (int(run.trajectory.step_index[record]), (weight[record] - low) / (high - low),
         (loss[record] - bottom) / (top - bottom))
        for record in np.flatnonzero(shown & inside)
    ))  # fmt: skip
    for step in at:
        record = int(np.searchsorted(run.trajectory.step_index, step))
        near = grid[np.abs(grid - weight[record]) <= _TANGENT * (high - low)]
        line = loss[record] + run.trajectory.gradient[record, 0, 0] * (near - weight[record])
        for x, y in zip((near - low) / (high - low), (line - bottom) / (top - bottom), strict=True):
            canvas.sign(x, y, "-" if canvas.plain else "╌")
    return framed(canvas, short(top), short(bottom), short(low), f"weight {name}", short(high))


def _map(run: Run, shown: NDArray[np.bool_], columns: int, rows: int, plain: bool) -> str:
    first, second = run.loss.weights
    (left, right), (bottom, top) = (run.search.domain[name] for name in (first, second))
    width = columns - LABEL
    x, y = np.linspace(left, right, width), np.linspace(top, bottom, rows)
    across, up = np.meshgrid(x, y)
    values = run.loss.evaluate(np.stack([across.ravel(), up.ravel()])).reshape(across.shape)
    known = values[np.isfinite(values)]
    levels = np.quantile(known, (0.1, 0.3, 0.55, 0.8)) if known.size else np.zeros(4)
    shades = _PLAIN_SHADES if plain else _SHADES
    canvas = Canvas(width, rows, plain)
    for record in np.flatnonzero(shown):
        step, (a, b) = int(run.trajectory.step_index[record]), run.trajectory.weight[record, :, 0]
        if np.isfinite([a, b]).all():
            numbered(canvas, [(step, (a - left) / (right - left), (b - bottom) / (top - bottom))])
    for row, column in np.ndindex(values.shape):
        shade = shades[int(np.searchsorted(levels, values[row, column]))]
        canvas.signs.setdefault((row, column), shade)
    ends = (short(left), f"weight {first}, upwards {second}; darker is higher", short(right))
    return framed(canvas, short(top), short(bottom), *ends)


def _steps(run: Run, shown: NDArray[np.bool_], columns: int, rows: int, plain: bool) -> str:
    """The loss against the step, on a logarithmic axis where it spans two decades."""
    step, loss = run.trajectory.step_index, run.trajectory.loss[:, 0]
    known = np.isfinite(loss)
    canvas = Canvas(columns - LABEL, rows, plain)
    if not known.any():
        return framed(canvas, "", "", "0", "step", str(int(step[-1])))
    logarithmic = loss[known].min() > 0 and loss[known].max() > 100 * loss[known].min()
    height = np.log10(np.where(known, loss, 1.0)) if logarithmic else loss
    low, high = float(height[known].min()), float(height[known].max())
    low, high = (math.floor(low), math.ceil(high)) if logarithmic else round_ends(low, high)
    for record in np.flatnonzero(shown & known):
        canvas.dot(step[record] / max(1, int(step[-1])), (height[record] - low) / (high - low))
    top, bottom = (short(10.0**end if logarithmic else end) for end in (high, low))
    words = "step (logarithmic loss)" if logarithmic else "loss at each step"
    return framed(canvas, top, bottom, "0", words, str(int(step[-1])))
