"""Where a learning rate stands: the bands below and above the limit, and what a step does to a distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots import points, text
from gdsim.plots.look import colours, em, mark
from gdsim.plots.scene import Scene
from gdsim.verdicts.ruler import Ruler

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from gdsim.batch import Batch
    from gdsim.runs import Run

    Array = NDArray[np.float64]

_SAMPLES = 401
_ROOM = 1.4  # of the limit: how far the axis reaches beyond it
_TALLER = 1.5
_BESIDE = 7  # ems, what stands beside the axes
_TOP = 2.0  # the largest factor shown
_NAMES, _LIMITS, _OWN = 1.88, 1.77, 1.06  # how high names of bands, their limits and the run's rate stand
_OWN_LOW, _LOW = 0.92, 26  # the last in one line, in figures of fewer ems than these


def ruler(run: Run, at: Sequence[int] = ()) -> Scene:
    """Draw the bands of the learning rate, the run's own rate in them, and the multiplier above.

    Parameters
    ----------
    run
        A run with a ruler: it settled at a minimum by gradient descent or with momentum.
    at
        Of no use here: the ruler is that of the end.

    Returns
    -------
    Scene
        One axes: η (in the unit of the ruler) to the right, upwards the factor by which one step multiplies
        a small distance from the minimum along the direction of largest curvature L: |1 − ηL| for gradient
        descent, with momentum the larger root; with several weights the same along the flattest
        direction. Below 1 steps come closer. The sentence is that of the verdict.

    Notes
    -----
    With momentum β a distance follows z² − (1 + β − (1 − d)ηL)z + β, d being the dampening, with Nesterov's
    z² − (1 + β)(1 − ηL)z + β(1 − ηL): B. T. Polyak, Introduction to Optimization (1987), §3.2.1.
    Cost: no evaluation.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    stand = run.ruler
    assert stand is not None
    figure = Figure()
    if text.room(figure) < points.NARROW:
        figure.set_figheight(_TALLER * figure.get_figheight())
    axes = figure.add_subplot()
    rate = np.linspace(0.0, max(_ROOM * stand.bound, 1.1 * stand.learning_rate), _SAMPLES)
    axes.set_xlim(0.0, rate[-1])
    axes.set_ylim(0.0, _TOP)
    _draw_bands(axes, stand, _plain(run))
    _draw_multipliers(axes, run, stand, rate)
    _draw_mark(axes, run, stand)
    axes.grid(False)
    last = "η" if np.ptp(run.trajectory.learning_rate[:, 0]) == 0 else "η at the end"
    sentence = text.fold(stand.sentence, text.room(figure) - _BESIDE)
    axes.set_xlabel("\n".join([f"learning rate {last}", *sentence]), linespacing=1.3)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_ylabel("factor of one step")
    points.legend_above(axes)
    text.label(figure, run)
    return Scene(figure)


def _plain(run: Run) -> bool:
    """Whether steps are those of gradient descent, for which the approach turns at 1/L."""
    return run.batch.rule.rule.name == "gradient_descent"


def _draw_bands(axes: Axes, stand: Ruler, plain: bool) -> None:
    """Shade the bands, name them, and write the limits along the top of the frame."""
    colour = colours()
    right = axes.get_xlim()[1]
    ends = [0.0, stand.one_over_curvature, stand.bound, right] if plain else [0.0, stand.bound, right]
    names = ["monotone", "oscillating", "diverging"] if plain else ["comes closer", "diverging"]
    shades = [colour.minimum, colour.path, colour.maximum] if plain else [colour.minimum, colour.maximum]
    hatches = ["", "//", "xx"] if plain else ["", "xx"]
    for low, high, name, shade, hatch in zip(ends[:-1], ends[1:], names, shades, hatches, strict=True):
        axes.axvspan(low, high, facecolor=shade, alpha=0.16, linewidth=0, zorder=0.5)
        if hatch:
            axes.axvspan(
                low, high, 0.0, 0.06, facecolor="none", edgecolor=shade, hatch=hatch, linewidth=0, zorder=0.6
            )
        axes.text(
            0.5 * (low + high), _NAMES, name, ha="center", va="center", zorder=7,
            fontweight="bold", bbox=points.backing(0.8),
        )  # fmt: skip
    for place in ends[1:-1]:
        axes.axvline(place, color=colour.ink, linewidth=em(0.08), linestyle="--", zorder=2)
        axes.text(
            place, _LIMITS, f"{_factor(place * stand.curvature)}/L\n{text.short(place)}",
            ha="center", va="top", zorder=7, bbox=points.backing(0.8),
        )  # fmt: skip


def _factor(number: float) -> str:
    return text.short(float(f"{number:.3g}"))


def _draw_multipliers(axes: Axes, run: Run, stand: Ruler, rate: Array) -> None:
    """Draw the factor of one step over all rates: for the sharpest direction, and for the flattest."""
    colour = colours()
    name = "|1 − ηL|" if _plain(run) else "larger root"
    axes.axhline(1.0, color=colour.ink, linewidth=em(0.06), zorder=2)
    axes.plot(
        rate, multiplier(run.batch, rate * stand.curvature), color=colour.loss, zorder=4,
        label=f"{name}, L = {text.short(stand.curvature)}",
    )  # fmt: skip
    flattest = _flattest(run, stand)
    if 0 < flattest < 0.999 * stand.curvature:
        axes.plot(
            rate, multiplier(run.batch, rate * flattest), "--", color=colour.muted, zorder=3.5,
            label=f"flattest direction, {text.short(flattest)}",
        )  # fmt: skip


def _flattest(run: Run, stand: Ruler) -> float:
    point = next(point for point in run.critical_points if point.weight == stand.at)
    return min(point.curvature)


def multiplier(batch: Batch, product: Array) -> Array:
    """Return by how much one step multiplies a small distance in the long run, at products ηλ.

    The modulus of the larger root of the rule's characteristic polynomial; for gradient descent |1 − ηλ|.
    """
    rule, options = batch.rule.rule.name, batch.rule.options
    if rule == "gradient_descent":
        return np.abs(1.0 - product)
    beta = float(options["momentum"])
    if rule == "nesterov":
        trace, determinant = (1.0 + beta) * (1.0 - product), beta * (1.0 - product)
    else:
        trace = 1.0 + beta - (1.0 - float(options["dampening"])) * product
        determinant = np.full_like(product, beta)
    root = np.sqrt(trace.astype(np.complex128) ** 2 - 4.0 * determinant)
    larger: Array = np.maximum(np.abs(trace + root), np.abs(trace - root)) / 2.0
    return larger


def _draw_mark(axes: Axes, run: Run, stand: Ruler) -> None:
    """Mark the run's rate with its factor."""
    colour = colours()
    rate = stand.learning_rate
    factor = float(multiplier(run.batch, np.array([rate * stand.curvature]))[0])
    height = min(factor, _TOP)
    figure = axes.get_figure(root=True)
    assert figure is not None
    low = 72 * figure.get_figheight() < em(_LOW)
    own, between = (_OWN_LOW, ": ") if low else (_OWN, "\n")
    axes.plot([rate, rate], [0.0, own], color=colour.path, linewidth=em(0.16), zorder=5)
    axes.plot(
        [rate], [height], "o", color=colour.path, markeredgecolor=colour.ink, markersize=mark(1.62),
        markeredgewidth=em(0.1), clip_on=False, zorder=6, label="_run",
    )  # fmt: skip
    share = rate / axes.get_xlim()[1]
    axes.text(
        rate, own, f"η = {text.short(rate)}{between}× {text.short(float(f'{factor:.3g}'))} a step",
        ha="left" if share < 0.2 else "right" if share > 0.8 else "center", va="bottom",
        zorder=8, bbox=points.backing(0.85),
    )  # fmt: skip
