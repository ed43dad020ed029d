"""Error against step: how good a difference can be, and where it is best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdsim.derivatives.comparison import VCurve, automatic_step, v_curve
from gdsim.derivatives.finite_differences import EPSILON, SCHEMES
from gdsim.outcomes import Fault, InputError
from gdsim.plots import points, text
from gdsim.plots.look import DASHES, MARKERS, colours, em, mark
from gdsim.plots.scene import Scene

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from gdsim.runs import Run

    Array = NDArray[np.float64]

_NAMES = {
    "forward": "forward",
    "central": "central",
    "five_point": "five-point",
    "complex_step": "complex step",
}
_RAISED = {1: "h", 2: "h²", 4: "h⁴"}
_SMALLEST = 1e-24  # drawn where an error and the exact value are both zero


def vcurve(run: Run, at: Sequence[int] = ()) -> Scene:
    """Draw the error of the difference formulas against their step h, both axes logarithmic.

    Parameters
    ----------
    run
        A run whose loss is a formula.
    at
        The step of the run at whose weight to look. None: the start.

    Returns
    -------
    Scene
        One line for each formula, with its best h as a star and what ``step: auto`` takes as a hollow ring
        where that lies on the axis. Dotted guides grow like h, h² and h⁴, where truncation rules; the dashed
        one falls like 1/h: ε·|L| divided by h, what rounding the loss can do. An error of exactly 0 is drawn
        on the lower edge, which is half a unit in the last place of the exact value.

    Raises
    ------
    InputError
        For more than one step.

    Notes
    -----
    Several weights: the derivative is the one for the first, the axis names it.
    Cost: 65 steps of 1 + 2 + 4 evaluations of the loss and 65 of the complex step.
    """
    from matplotlib.figure import Figure

    if len(at) > 1:
        raise InputError(Fault(f"vcurve looks at one step, not {len(at)}", "one step", path="at"))
    figure = Figure()
    axes = figure.add_subplot()
    _draw(axes, run, int(np.searchsorted(run.trajectory.step_index, at[0])) if at else 0)
    points.legend_above(axes)
    text.label(figure, run)
    return Scene(figure)


def _draw(axes: Axes, run: Run, record: int) -> None:
    name, colour = run.loss.weights[0], colours()
    here = run.trajectory.weight[record, :, 0]
    place = dict(zip(run.loss.weights, here.tolist(), strict=True))
    measured = v_curve(run.loss, place, name)
    where = f"{name} = {text.short(place[name])}"
    axes.set_xlabel("← rounding    step h    truncation →")
    axes.set_ylabel(f"error of ∂L/∂{name} at {where}")
    axes.set_xscale("log")
    axes.set_xlim(measured.step.min() / 2, measured.step.max() * 2)
    if not np.isfinite(measured.exact):
        axes.set_yticks([])
        axes.plot([], [], " ", label=f"∂L/∂{name} is no finite number there")
        return
    floor = 0.5 * EPSILON * abs(measured.exact) or _lowest(measured)
    axes.set_yscale("log")
    axes.set_ylim(*_limits(measured, floor))
    loss = float(run.loss.evaluate(here[:, None])[0])
    if EPSILON * abs(loss) / measured.step.min() > floor:
        axes.plot(
            measured.step, EPSILON * abs(loss) / measured.step, "--", color=colour.muted, linewidth=em(0.1),
            label="rounding: ε·|L|/h", zorder=1.8,
        )  # fmt: skip
    for order, scheme in enumerate(measured.error):
        _draw_scheme(axes, run, measured, scheme, order, floor, place)
    for marker, face, size, words in (("*", colour.muted, 0.9, "best h"), ("o", "none", 0.8, "step: auto")):
        axes.plot(
            [], [], marker, markerfacecolor=face, markeredgecolor=colour.ink, markersize=em(size), label=words
        )


def _lowest(measured: VCurve) -> float:
    """Return what stands for an error of 0 where the exact value is 0 too."""
    seen = [error[np.isfinite(error) & (error > 0)] for error in measured.error.values()]
    return max(_SMALLEST, 0.1 * min((float(one.min()) for one in seen if one.size), default=_SMALLEST))


def _limits(measured: VCurve, floor: float) -> tuple[float, float]:
    """Return the limits of the errors; a runaway one of wide steps is cut."""
    finite = [error[np.isfinite(error)] for error in measured.error.values()]
    highest = max((float(error.max()) for error in finite if error.size), default=1.0)
    essential = 1e3 * max(1.0, abs(measured.exact))
    return 0.3 * floor, 3 * max(min(highest, essential), 10 * floor)


def _draw_scheme(
    axes: Axes, run: Run, measured: VCurve, scheme: str, order: int, floor: float, place: dict[str, float]
) -> None:
    """Draw one formula: its errors, the guide of its truncation, its best step and the automatic one."""
    colour = colours().series[order]
    step, error = measured.step, measured.error[scheme]
    shown = np.isfinite(error)
    if not shown.any():
        return
    drawn = np.maximum(error, floor)
    best = int(np.flatnonzero(shown)[np.argmin(error[shown])])
    words = _NAMES[scheme]
    power = SCHEMES[scheme].order if scheme in SCHEMES else 0
    scale = truncation(step, error, power) if power else None
    if scale is not None:
        words += f" ∝ {_RAISED[power]}"
        axes.plot(step, scale * step**power, ":", color=colour, linewidth=em(0.1), zorder=1.9)
    if power:
        words += f", best h = {text.short(float(f'{step[best]:.2g}'))}"
    axes.plot(
        step[shown], drawn[shown], linestyle=DASHES[order], color=colour, marker=MARKERS[order],
        markevery=(order, 8), markersize=mark(0.72), label=words, zorder=3 + 0.1 * order,
    )  # fmt: skip
    if power:
        axes.plot(
            [step[best]], [drawn[best]], "*", color=colour, markersize=mark(1.98), zorder=6,
            markeredgecolor=colours().ink, markeredgewidth=em(0.06), label=f"_best {scheme}",
        )  # fmt: skip
        width, off = automatic_step(run.loss, place, measured.weight, scheme)
        if step.min() <= width <= step.max() and np.isfinite(off):
            axes.plot(
                [width], [max(off, floor)], "o", markerfacecolor="none", markeredgecolor=colour,
                markersize=mark(1.98), markeredgewidth=em(0.14), zorder=6.5, label=f"_auto {scheme}",
            )  # fmt: skip


def truncation(step: Array, error: Array, power: int) -> float | None:
    """Return c such that the error is c·h^power over the steps where it grows like that, or None.

    >>> step = 10.0 ** -np.arange(0, 9, 0.25)
    >>> round(truncation(step, 3 * step**2 + 1e-16 / step, 2), 6)
    3.0
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        height, width = np.log(error), np.log(step)
        slope = np.diff(height) / np.diff(width)
    grows = np.flatnonzero(np.isfinite(slope) & (np.abs(slope - power) < 0.1 * power))
    if grows.size < 3:
        return None
    return float(np.exp(np.median(height[grows] - power * width[grows])))
