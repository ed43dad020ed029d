"""Figures as text: a run in a terminal, in dots of braille or, where they cannot be shown, in plain signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots.curve import limits, window
from gdsim.plots.text import short

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a cell, by row and column
_SHADES = " ░▒▓█"
_PLAIN_SHADES = " .:*#"
_STEPS = "0123456789"
_LABEL = 12  # columns kept free for the numbers left of the frame


class Canvas:
    """Dots two to a column and four to a row, with signs on top.

    >>> canvas = Canvas(2, 1, False)
    >>> canvas.dot(0.0, 0.0); canvas.sign(1.0, 0.0, "x")
    >>> canvas.lines()
    ['⡀x']
    """

    def __init__(self, columns: int, rows: int, plain: bool) -> None:
        self.columns, self.rows, self.plain = columns, rows, plain
        self.cells = np.zeros((rows, columns), dtype=np.int64)
        self.signs: dict[tuple[int, int], str] = {}

    def dot(self, x: float, y: float) -> None:
        """Set a dot; x and y run from 0 to 1, upwards. What lies outside is left out."""
        if 0 <= x <= 1 and 0 <= y <= 1:
            column, row = round(x * (2 * self.columns - 1)), round((1 - y) * (4 * self.rows - 1))
            self.cells[row // 4, column // 2] |= _DOTS[row % 4][column % 2]

    def sign(self, x: float, y: float, sign: str) -> None:
        """Put a sign on a cell; the first one stays."""
        if 0 <= x <= 1 and 0 <= y <= 1:
            place = (round((1 - y) * (self.rows - 1)), round(x * (self.columns - 1)))
            self.signs.setdefault(place, sign)

    def lines(self) -> list[str]:
        """Return the canvas as lines of text."""
        return [
            "".join(self._cell(row, column) for column in range(self.columns)).rstrip()
            for row in range(self.rows)
        ]

    def _cell(self, row: int, column: int) -> str:
        if (row, column) in self.signs:
            return self.signs[row, column]
        dots = int(self.cells[row, column])
        if not dots:
            return " "
        return "." if self.plain else chr(0x2800 + dots)


def sketch(run: Run, plot: str, columns: int = 72, rows: int = 14, *, until: int | None = None,
           plain: bool = False) -> str:  # fmt: skip
    """Return a run as a picture of text: its curve, its map, or its loss step by step.

    Parameters
    ----------
    run
        The run.
    plot
        A kind of figure. ``curve`` and its kin are drawn as the loss over the weight with the steps, two
        weights as a map, every other kind as the loss against the step.
    columns, rows
        How large.
    until
        The last step shown.
    plain
        Dots and stars in place of braille and blocks.

    Examples
    --------
    >>> from gdsim.runs import execute
    >>> from gdsim.scenario import load
    >>> print(sketch(execute(load("double-well")), "curve", 40, 6, plain=True))
       1.652│    .                    .
            │     .        ..         .
            │     .      ..  0.       .
            │      .    .      1.    .
            │       .  .        2.  .
           0│        ..           v..
            └───────────────────────────────
             −1.8       weight w         1.8
    """
    last = run.trajectory.step_index[-1] if until is None else until
    shown = run.trajectory.step_index <= last
    if len(run.loss.weights) == 1 and plot not in ("convergence", "phase", "sharpness"):
        return _curve(run, shown, columns, rows, plain)
    if len(run.loss.weights) == 2 and plot not in ("convergence", "phase", "sharpness"):
        return _map(run, shown, columns, rows, plain)
    return _steps(run, shown, columns, rows, plain)


def _framed(canvas: Canvas, top: str, bottom: str, left: str, middle: str, right: str) -> str:
    """Put an axis to the left and one below, with their ends."""
    lines = canvas.lines()
    margin = max(len(top), len(bottom))
    labels = [top, *[""] * (len(lines) - 2), bottom]
    framed = [f"{label:>{margin}}│{line}" for label, line in zip(labels, lines, strict=True)]
    framed.append(" " * margin + "└" + "─" * canvas.columns)
    free = max(1, canvas.columns - len(left) - len(right))
    framed.append(" " * (margin + 1) + left + f"{middle:^{free}}" + right)
    return "\n".join(line.rstrip() for line in framed)


def _curve(run: Run, shown: NDArray[np.bool_], columns: int, rows: int, plain: bool) -> str:
    name = run.loss.weights[0]
    weight, loss = run.trajectory.weight[:, 0, 0], run.trajectory.loss[:, 0]
    low, high = window(weight, run.search.domain[name])
    width = columns - _LABEL
    grid = np.linspace(low, high, 8 * width)
    values = run.loss.evaluate(grid[None, :])
    inside = (weight >= low) & (weight <= high) & np.isfinite(loss)
    bottom, top = limits(values, loss[inside])
    canvas = Canvas(width, rows, plain)
    for x, y in zip((grid - low) / (high - low), (values - bottom) / (top - bottom), strict=True):
        canvas.dot(x, y)
    for record in np.flatnonzero(shown & inside):
        step = int(run.trajectory.step_index[record])
        sign = _STEPS[step] if step < 10 else "*" if plain else "•"
        canvas.sign((weight[record] - low) / (high - low), (loss[record] - bottom) / (top - bottom), sign)
    return _framed(canvas, short(top), short(bottom), short(low), f"weight {name}", short(high))


def _map(run: Run, shown: NDArray[np.bool_], columns: int, rows: int, plain: bool) -> str:
    first, second = run.loss.weights
    (left, right), (bottom, top) = (run.search.domain[name] for name in (first, second))
    width = columns - _LABEL
    x, y = np.linspace(left, right, width), np.linspace(top, bottom, rows)
    across, up = np.meshgrid(x, y)
    values = run.loss.evaluate(np.stack([across.ravel(), up.ravel()])).reshape(across.shape)
    known = values[np.isfinite(values)]
    levels = np.quantile(known, (0.1, 0.3, 0.55, 0.8)) if known.size else np.zeros(4)
    shades = _PLAIN_SHADES if plain else _SHADES
    canvas = Canvas(width, rows, plain)
    for record in np.flatnonzero(shown):
        step, (a, b) = int(run.trajectory.step_index[record]), run.trajectory.weight[record, :, 0]
        sign = _STEPS[step] if step < 10 else "+" if plain else "●"
        if np.isfinite([a, b]).all():
            canvas.sign((a - left) / (right - left), (b - bottom) / (top - bottom), sign)
    for row, column in np.ndindex(values.shape):
        shade = shades[int(np.searchsorted(levels, values[row, column]))]
        canvas.signs.setdefault((row, column), shade)
    ends = (short(left), f"weight {first}, upwards {second}; darker is higher", short(right))
    return _framed(canvas, short(top), short(bottom), *ends)


def _steps(run: Run, shown: NDArray[np.bool_], columns: int, rows: int, plain: bool) -> str:
    """The loss against the step, on a logarithmic axis where it spans two decades."""
    step, loss = run.trajectory.step_index, run.trajectory.loss[:, 0]
    known = np.isfinite(loss)
    canvas = Canvas(columns - _LABEL, rows, plain)
    if not known.any():
        return _framed(canvas, "", "", "0", "step", str(int(step[-1])))
    logarithmic = loss[known].min() > 0 and loss[known].max() > 100 * loss[known].min()
    height = np.log(np.where(known, loss, 1.0)) if logarithmic else loss
    low, high = height[known].min(), height[known].max()
    for record in np.flatnonzero(shown & known):
        y = (height[record] - low) / (high - low) if high > low else 0.5
        canvas.dot(step[record] / max(1, int(step[-1])), y)
    ends = (short(float(loss[known].max())), short(float(loss[known].min())))
    return _framed(canvas, *ends, "0", "step" + " (logarithmic loss)" * bool(logarithmic), str(int(step[-1])))
