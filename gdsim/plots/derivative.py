"""The loss, its slope and its curvature, stacked on one weight axis (one weight)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gdsim.expr.display import to_latex, to_text
from gdsim.expr.nodes import Where, walk
from gdsim.plots import points, slopes, text
from gdsim.plots.curve import departures, limits, window
from gdsim.plots.look import DASHES, colours, em, mark
from gdsim.plots.pieces import Stretch, broken, extent, stretches
from gdsim.plots.scene import Scene, travel
from gdsim.plots.tick_places import few_rows, few_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

    from gdsim.expr.nodes import Expr
    from gdsim.outcomes import CriticalPoint
    from gdsim.runs import Run

    Array = NDArray[np.float64]

_SAMPLES = 1201
_MOST_DRAWN = 200  # later steps of a long run lie on top of each other
_STRIP = 1.5  # ems, the height of the strip that says which way
_TALLER = 1.7  # times, where the figure is narrow
_DESCENDING = ("gradient_descent", "sign_descent")
_PLAIN = 2e-3, 1e5  # between these matplotlib writes no factor above axes
#: what the strip says, by the sign of f′, longest first
_FORMS = {
    1: ("◀ f′ > 0: {} left", "◀ {} left", "◀ left", "◀", ""),
    -1: ("f′ < 0: {} right ▶", "{} right ▶", "right ▶", "▶", ""),
    0: ("f′ = 0: rests", "rests", "rests", "", ""),
}
_SHORT = 2  # the last form with words


def derivative(run: Run, at: Sequence[int] = ()) -> Scene:
    """Draw f, f′ and f″ above each other, and say on which side of each zero of f′ the weight moves where.

    Parameters
    ----------
    run
        A run with one weight.
    at
        Steps whose slope and curvature are written out, each with an upright line.

    Returns
    -------
    Scene
        Three axes that share the weight (the unit of w): the loss with the steps, the slope with the
        gradients that the update rule used, the curvature. The area between f′ and zero is hatched, one way
        where f′ > 0 and the other way where f′ < 0, and a strip above says it in words. Thin lines join the
        critical points through all axes. A curve has a gap where it jumps.

    Notes
    -----
    Cost: 1,201 evaluations each of the loss, of f′ and of f″.
    """
    from matplotlib.figure import Figure

    name = run.loss.weights[0]
    weight, loss = run.trajectory.weight[:, 0, 0], run.trajectory.loss[:, 0]
    gradient = run.trajectory.gradient[:, 0, 0]
    ends = window(weight, run.search.domain[name])
    grid = np.linspace(*ends, _SAMPLES)
    seen = [point for point in run.search.critical_points if ends[0] <= point.weight[name] <= ends[1]]
    inside = (weight >= ends[0]) & (weight <= ends[1]) & np.isfinite(loss)
    shown = np.flatnonzero(inside)[:_MOST_DRAWN]

    figure = Figure()
    if text.room(figure) < points.NARROW:
        figure.set_figheight(_TALLER * figure.get_figheight())
    panels = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": (1.25, 1.0, 0.75)})
    panels[0].set_xlim(*ends)
    _draw_curves(panels, run, grid, shown, seen)
    _draw_points(panels, seen, name)
    above, middle, below = panels
    paths = [
        _draw_steps(above, weight[shown], loss[shown]),
        _draw_steps(middle, weight[shown], gradient[shown]),
    ]
    if shown.size and shown[0] == 0:
        points.draw_start(above, weight[0], loss[0])
        points.draw_start(middle, weight[0], gradient[0])
    stage = departures(above, run.trajectory.step_index, weight, ends) + _draw_looks(panels, run, at)
    balls = [points.draw_ball(above), points.draw_ball(middle)]
    for axes, label in zip(panels, ("f", "f′", "f″"), strict=True):
        axes.set_ylabel(label, rotation=0, ha="right", va="center", fontweight="bold")
    few_ticks(below)
    for panel in panels:
        few_rows(panel)
    below.set_xlabel(f"weight {name}")
    figure.align_ylabels(panels)
    points.legend_beside(figure, above)
    counter = text.label(figure, run)

    def show(position: float) -> None:
        record, part = travel(run, position)
        current = shown[shown <= record]
        for path, heights in zip(paths, (loss, gradient), strict=True):
            path.set_data(weight[current], heights[current])
        for since, artist in stage:
            artist.set_visible(since <= position)
        counter.set_text(text.progress(run, position))
        if part > 0:
            between = np.array([[(1 - part) * weight[record] + part * weight[record + 1]]])
            balls[0].set_data(between[0], run.loss.evaluate(between))
            balls[1].set_data(between[0], slopes.gradient(run.loss, between)[0])
        for ball in balls:
            ball.set_visible(part > 0)

    last = float(run.trajectory.step_index[-1])
    return Scene(figure, show, last, (*paths, *balls, counter, *(artist for _, artist in stage)))


def _draw_curves(
    panels: Sequence[Axes], run: Run, grid: Array, shown: NDArray[np.int64], seen: Sequence[CriticalPoint]
) -> None:
    """Draw f, f′ and f″; what stands below the visible part of f gives the limits of the other two."""
    slope, bend = partial(slopes.slope, run.loss), partial(slopes.bend, run.loss)
    name = run.loss.weights[0]
    above, middle, below = panels
    values = run.loss.evaluate(grid[None, :])
    marked = [*run.trajectory.loss[shown, 0], *(point.loss for point in seen)]
    bottom, top = limits(values, np.array(marked))
    above.set_ylim(bottom - 0.08 * (top - bottom), top)
    above.plot(grid, values, color=colours().loss, label=f"loss f({name})", zorder=2)
    visible = grid[(values >= bottom) & (values <= top)]
    _draw_slope(middle, run, *broken(slope, grid))
    middle.set_ylim(extent(slope(visible), run.trajectory.gradient[shown, 0, 0]))
    _write_powers_out(middle)
    _draw_strip(middle, run, stretches(grid, slope(grid), [point.weight[name] for point in seen]))
    _draw_curvature(below, run, *broken(bend, grid))
    below.set_ylim(extent(bend(visible), np.array([one for point in seen for one in point.curvature])))


def _draw_slope(axes: Axes, run: Run, weight: Array, value: Array) -> None:
    from matplotlib.colors import to_rgba

    colour = colours()
    axes.plot(weight, value, color=colour.loss, zorder=2)
    axes.axhline(0, color=colour.ink, linewidth=em(0.07), zorder=2.5)
    close = max(1, round(36 / em(1)))  # the sheet's lines of hatching keep their distance in points
    for where, sign in ((value > 0, 1), (value < 0, -1)):
        axes.fill_between(
            weight, 0, value, where=where, interpolate=True, facecolor=to_rgba(_shade(sign), 0.35),
            edgecolor=_shade(sign), hatch=close * ("\\" if sign > 0 else "/"), linewidth=0, zorder=1,
        )  # fmt: skip
    formula = None if run.loss.expression is None else run.loss.gradient[0]
    axes.set_title(
        _named(axes, "slope", f"f'({run.loss.weights[0]})", formula), pad=em(_STRIP + 0.25), va="bottom"
    )


def _write_powers_out(axes: Axes) -> None:
    """Write very large and very small numbers in full: the strip stands where a factor would."""
    from matplotlib.ticker import FuncFormatter

    if not _PLAIN[0] <= max(map(abs, axes.get_ylim())) < _PLAIN[1]:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text.short(float(f"{value:.3g}"))))


def _draw_curvature(axes: Axes, run: Run, weight: Array, value: Array) -> None:
    axes.plot(weight, value, color=colours().loss, zorder=2)
    axes.axhline(0, color=colours().ink, linewidth=em(0.07), zorder=2.5)
    formula = None if run.loss.expression is None else run.loss.hessian[0][0]
    axes.set_title(_named(axes, "curvature", f"f''({run.loss.weights[0]})", formula), va="bottom")


def _named(axes: Axes, word: str, left: str, formula: Expr | None) -> str:
    """Return a word with its formula where that fits on a line and makes no distinction of cases."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    most = _across(figure)
    cases = formula is not None and any(isinstance(node, Where) for node in walk(formula))
    if formula is not None and not cases and len(to_text(formula)) <= 4 * most:
        whole = f"{word}  ${left} = {to_latex(formula, mathtext=True)}$"
        if text.width(whole) <= most:
            return whole
    return f"{word}  ${left}$"


def _across(figure: Figure) -> float:
    """Return about how many ems wide the axes are."""
    beside = 9.5 if text.room(figure) >= points.NARROW else 1.5
    return text.room(figure) - 5.0 - beside


def _shade(sign: int) -> str:
    return {1: colours().series[5], -1: colours().series[6]}.get(sign, colours().muted)


def _draw_strip(axes: Axes, run: Run, found: Sequence[Stretch]) -> None:
    """Say above the slope where the weight moves left and where right, as far as there is room for words."""
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    figure = axes.get_figure(root=True)
    assert figure is not None
    up = ScaledTranslation(0, em(0.2 + 0.5 * _STRIP) / 72, figure.dpi_scale_trans)
    place = blended_transform_factory(axes.transData, axes.transAxes) + up
    low, high = axes.get_xlim()
    plain = run.batch.rule.rule.name in _DESCENDING and run.batch.noise is None
    verb = "moves" if plain else "downhill is"
    forms = {sign: [form.format(verb) for form in _FORMS[sign]] for sign in _FORMS}
    wide = _across(figure) / (high - low)
    fits = [
        next(
            level for level, words in enumerate(forms[one.sign]) if text.width(words) + 0.5 <= max(room, 0.5)
        )
        for one in found
        for room in [wide * (one.high - one.low)]
    ]
    longest = max([level for level in fits if level <= _SHORT], default=0)  # all in the same words
    for stretch, level in zip(found, fits, strict=True):
        axes.plot(
            [stretch.low, stretch.high], [1, 1], transform=place, color=_shade(stretch.sign), alpha=0.45,
            linewidth=em(_STRIP), solid_capstyle="butt", clip_on=False,
        )  # fmt: skip
        axes.text(
            0.5 * (stretch.low + stretch.high), 1, forms[stretch.sign][max(level, longest)], transform=place,
            ha="center", va="center_baseline", clip_on=False,
        )  # fmt: skip
    axes.set_xlim(low, high)


def _draw_points(panels: Sequence[Axes], seen: Sequence[CriticalPoint], name: str) -> None:
    """Mark the critical points on f, f′ and f″, and join them by thin upright lines."""
    bent = [point for point in seen if point.curvature]
    flat = [replace(point, loss=0.0) for point in seen]
    heights = (seen, flat, [replace(point, loss=point.curvature[0]) for point in bent])
    for axes, marks in zip(panels, heights, strict=True):
        points.draw_critical_points(axes, marks, (name,))
        for point in seen:
            axes.axvline(point.weight[name], color=colours().muted, linewidth=em(0.06), zorder=1.8)


def _draw_steps(axes: Axes, weight: Array, height: Array) -> Line2D:
    return axes.plot(
        weight, height, "o", color=colours().path, markersize=mark(0.9), label="steps", zorder=5,
    )[0]  # fmt: skip


def _draw_looks(panels: Sequence[Axes], run: Run, at: Sequence[int]) -> points.Stage:
    """Write out slope and curvature at some steps, each with a line of its own dash through all axes."""
    stage: points.Stage = []
    record = np.searchsorted(run.trajectory.step_index, at)
    for order, (step, place) in enumerate(zip(at, run.trajectory.weight[record, 0, 0], strict=True)):
        bend = float(slopes.curvature(run.loss, np.array([[place]]))[0])
        slope = float(run.trajectory.gradient[record[order], 0, 0])
        words = f"step {step}:\nf′ = {text.short(slope)}\nf″ = {text.short(bend)}"
        dash = DASHES[1 + order % (len(DASHES) - 1)]
        for axes, label in zip(panels, (words, "_nolegend_", "_nolegend_"), strict=True):
            drawn = axes.axvline(place, color=colours().path, linestyle=dash, zorder=4, label=label)
            stage.append((step, drawn))
    return stage
