"""Sketches of the kinds of figures that show more than the loss of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from gdsim.plots.canvas import Canvas, draw_line, framed, numbered, round_ends
from gdsim.plots.cobweb import staircase
from gdsim.plots.curve import essential_limits, window
from gdsim.plots.ruler import multiplier
from gdsim.plots.secants import Place
from gdsim.plots.slopes import slope
from gdsim.plots.text import short

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]
    Shown = NDArray[np.bool_]

Drawer: TypeAlias = "Callable[[Run, Shown, Canvas, tuple[int, ...]], str]"
_SCHEMES = {"forward": "f", "central": "c", "five_point": "5", "complex_step": "i"}
_FLOOR = 1e-17  # an error of 0 is drawn here
_WINDOWS = 3
_LAST_STEPS = 64


def _along(run: Run, canvas: Canvas) -> tuple[Array, Array]:
    """Return the weights in the window, and the same from 0 to 1."""
    low, high = window(run.trajectory.weight[:, 0, 0], run.search.domain[run.loss.weights[0]])
    grid = np.linspace(low, high, 8 * canvas.columns)
    return grid, (grid - low) / (high - low)


def _derivative(run: Run, shown: Shown, canvas: Canvas, at: tuple[int, ...]) -> str:
    """The loss above, its derivative below with a line where it is 0."""
    name = run.loss.weights[0]
    grid, x = _along(run, canvas)
    weight = run.trajectory.weight[:, 0, 0]
    panels = []
    for title, values, heights in (
        ("loss", run.loss.evaluate(grid[None, :]), run.trajectory.loss[:, 0]),
        ("derivative", slope(run.loss, grid), run.trajectory.gradient[:, 0, 0]),
    ):
        half = Canvas(canvas.columns, max(4, canvas.rows // 2), canvas.plain)
        inside = (weight >= grid[0]) & (weight <= grid[-1]) & np.isfinite(heights)
        bottom, top = round_ends(*essential_limits(values, heights[inside]))
        draw_line(half, x, (values - bottom) / (top - bottom))
        numbered(half, (
            (int(run.trajectory.step_index[record]), (weight[record] - grid[0]) / (grid[-1] - grid[0]),
             (heights[record] - bottom) / (top - bottom))
            for record in np.flatnonzero(shown & inside)
        ))  # fmt: skip
        if bottom < 0 < top:
            for across in x[::16]:
                half.sign(across, -bottom / (top - bottom), "-" if canvas.plain else "╌")
        ends = (short(float(grid[0])), f"{title} over weight {name}", short(float(grid[-1])))
        panels.append((half, short(top), short(bottom), *ends))
    margin = max(len(label) for panel in panels for label in panel[1:3])
    return "\n".join(framed(half, f"{top:>{margin}}", *rest) for half, top, *rest in panels)


def _zoom(run: Run, shown: Shown, canvas: Canvas, at: tuple[int, ...]) -> str:
    """Ever narrower windows round a weight, side by side."""
    place = Place.of(run, at)
    width = (canvas.columns - 2 * (_WINDOWS - 1)) // _WINDOWS
    panels: list[list[str]] = []
    for level in range(_WINDOWS):
        seen = place.window(level)
        x, y = place.curve(seen)
        part = Canvas(width - 1, canvas.rows, canvas.plain)
        draw_line(part, (x / seen.reach + 1) / 2, (y / seen.rise + 1) / 2)
        part.sign(0.5, 0.5, "o" if canvas.plain else "●")
        words = f"{short(place.weight)} ± {short(seen.reach)}"
        lines = [*(f"│{line}" for line in part.lines()), "└" + "─" * (width - 1), f"{words:^{width}}"]
        panels.append([f"{line:<{width}}" for line in lines])
    return "\n".join("  ".join(row).rstrip() for row in zip(*panels, strict=True))


def _vcurve(run: Run, shown: Shown, canvas: Canvas, at: tuple[int, ...]) -> str:
    """The error of difference formulas against their step, both logarithmic, a letter for each formula."""
    from gdsim.derivatives.comparison import v_curve

    record = int(np.searchsorted(run.trajectory.step_index, at[0])) if at else 0
    here = run.trajectory.weight[record, :, 0].tolist()
    measured = v_curve(run.loss, dict(zip(run.loss.weights, here, strict=True)), run.loss.weights[0])
    h = np.log10(measured.step)
    errors = {
        scheme: np.log10(np.maximum(error, _FLOOR))
        for scheme, error in measured.error.items()
        if np.isfinite(error).any()
    }
    known = np.concatenate([error[np.isfinite(error)] for error in errors.values()] or [np.zeros(1)])
    bottom, top = math.floor(known.min()), math.ceil(min(known.max(), known.min() + 40))
    top = max(top, bottom + 1)
    for scheme, error in errors.items():
        for across, up in zip((h - h.min()) / np.ptp(h), (error - bottom) / (top - bottom), strict=True):
            if math.isfinite(up):
                canvas.sign(float(across), float(up), _SCHEMES[scheme])
    ends = (short(measured.step.min()), "← rounding   step h   truncation →", short(measured.step.max()))
    letters = ", ".join(f"{_SCHEMES[scheme]} {scheme.replace('_', ' ')}" for scheme in errors)
    return framed(canvas, short(10.0**top), short(10.0**bottom), *ends) + f"\nerror of: {letters}"


def _cobweb(run: Run, shown: Shown, canvas: Canvas, at: tuple[int, ...]) -> str:
    """The next weight against this one: the map, the diagonal, the last steps between them."""
    name = run.loss.weights[0]
    grid, x = _along(run, canvas)
    low, high = float(grid[0]), float(grid[-1])
    rate = float(run.trajectory.learning_rate[0, 0])
    weight = run.trajectory.weight[shown, 0, 0]
    following = grid - rate * slope(run.loss, grid)
    draw_line(canvas, x, (following - low) / (high - low))
    numbered(canvas, (
        (step, (here - low) / (high - low), (there - low) / (high - low))
        for step, (here, there) in enumerate(zip(weight[:9].tolist(), weight[1:10].tolist(), strict=False))
    ))  # fmt: skip
    corners = [(corner - low) / (high - low) for corner in staircase(weight[-_LAST_STEPS - 1 :])]
    part = np.linspace(0, 1, 80)
    for start in range(len(corners[0]) - 1):
        (left, right), (under, over) = (corner[start : start + 2].tolist() for corner in corners)
        draw_line(canvas, left + part * (right - left), under + part * (over - under))
    for across in np.linspace(0, 1, canvas.columns // 2):
        canvas.sign(float(across), float(across), "/" if canvas.plain else "·")
    ends = (short(low), f"weight {name} at a step, upwards at the next", short(high))
    return framed(canvas, short(high), short(low), *ends)


def _ruler(run: Run, shown: Shown, canvas: Canvas, at: tuple[int, ...]) -> str:
    """By how much a step multiplies the distance from the minimum, against the learning rate."""
    stand = run.ruler
    assert stand is not None
    last = round_ends(0.0, max(1.4 * stand.bound, 1.1 * stand.learning_rate))[1]
    rate = np.linspace(0.0, last, 8 * canvas.columns)
    factor = multiplier(run.batch, rate * stand.curvature)
    own = float(multiplier(run.batch, np.array([stand.learning_rate * stand.curvature]))[0])
    canvas.sign(stand.learning_rate / last, own / 2, "o" if canvas.plain else "●")
    draw_line(canvas, rate / last, factor / 2)
    for across in np.linspace(0, 1, canvas.columns):
        canvas.sign(float(across), 0.5, "-" if canvas.plain else "╌")
    framed_lines = framed(canvas, "2", "0", "0", "learning rate η", short(last))
    words = (
        f"upwards the factor of one step; above the line, which is 1, steps grow.\n"
        f"Here η = {short(stand.learning_rate)}, the factor {short(own)}, the limit {short(stand.bound)}."
    )
    return f"{framed_lines}\n{words}"


#: the kinds that have a sketch of their own
SKETCHES: Mapping[str, Drawer] = {
    "derivative": _derivative, "zoom": _zoom, "vcurve": _vcurve, "cobweb": _cobweb, "ruler": _ruler,
}  # fmt: skip
