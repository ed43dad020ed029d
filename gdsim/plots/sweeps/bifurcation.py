"""Where runs end up, against one axis: settled points, cycles, bands of chaos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gdsim.outcomes import Fault, InputError, Status
from gdsim.plots.look import colours, em
from gdsim.plots.sweeps import words
from gdsim.plots.sweeps.cut import RATES, lost, named, numeric, rate_axis, varying
from gdsim.plots.sweeps.endings import commonest, draw_endings, edges, ending_entries, endings
from gdsim.plots.sweeps.legend import Entry, draw_legend, draw_rates
from gdsim.plots.sweeps.limits import limits
from gdsim.plots.sweeps.scale import round_values, tick_words
from gdsim.plots.text import room, width
from gdsim.sweeps.result import STATUSES, AxisValues, Column, SweepResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

_TICKED = 0.6  # of the width of a figure is below its axes, beside a legend
_MANY = 20_000  # points from which their density is drawn
_COLUMNS, _ROWS = 1000, 420  # most cells of the density
_PALE = 0.4  # the exponent that lifts thin bands
_OUTER = 0.002  # the share of points at either end that may lie outside
_PANELS = 4


def bifurcation(result: SweepResult, axes: Sequence[str], by: str) -> Figure:
    """Draw the last weights of all runs against one axis.

    Returns
    -------
    Figure
        One panel for each weight. A run that took all its steps is there with up to 32 last weights, where
        the sweep kept them; one that was stopped in a cycle of two with both; one that settled with its
        final weight; one that was lost only as a strip along the top. Many points are drawn as their
        density, each column on its own scale.
    """
    from matplotlib.figure import Figure

    axis = horizontal(result, axes)
    x, points, shares = attractor(result, axis)
    shown = result.weights[:_PANELS]
    figure = Figure()
    panels = figure.subplots(len(shown), 1, squeeze=False, sharex=True)[:, 0]
    lines = limits(result) if axis.path in RATES else ()
    values = np.unique(numeric(axis))
    ends = edges(values, axis.logarithmic)
    codes = lost_along(result, axis)
    entries: list[Entry] = []
    for place, (name, panel) in enumerate(zip(shown, panels, strict=True)):
        if axis.logarithmic:
            panel.set_xscale("log")
        panel.set_xlim(ends[0], ends[-1])
        panel.set_ylabel(f"last weights {name}")
        _draw_points(panel, x, points[:, place], shares, axis)
        found = draw_endings(panel, ends, codes)
        entries = ending_entries(found) + draw_rates(panel, lines)
    name_axis(panels[-1], axis, result.weights)
    draw_legend(figure, entries)
    words.label(figure, result, f"where {words.counted(result.runs)} runs end up", [axis.path])
    return figure


def horizontal(result: SweepResult, axes: Sequence[str]) -> AxisValues:
    """Return the axis to draw against: the one named, the learning rate, or the first of numbers.

    Raises
    ------
    InputError
        Where there is none, or more than one is named.
    """
    if len(axes) > 1:
        raise InputError(Fault(f"one axis is drawn, not {len(axes)}", "one path", path="axes"))
    numbers = [axis for axis in varying(result) if not axis.categorical and axis.path != "seed"]
    axis = named(result, axes[0]) if axes else rate_axis(result) or (numbers[0] if numbers else None)
    if axis is None or axis.categorical:
        raise InputError(Fault("the sweep has no axis of numbers to draw against", "one", path="axes"))
    return axis


def along(result: SweepResult, axis: AxisValues) -> Column:
    """Return for each run its value on an axis."""
    values = numeric(axis)
    if result.method != "grid":
        return values
    place = [one.path for one in result.axes].index(axis.path)
    shape = [1] * len(result.axes)
    shape[place] = values.size
    return np.broadcast_to(values.reshape(shape), result.shape).ravel()


def attractor(result: SweepResult, axis: AxisValues) -> tuple[Column, Column, Column]:
    """Return the points to draw: values on the axis ``(points,)``, weights ``(points, weights)``, and shares.

    The shares ``(points,)`` of a run's points add up to one, so that a run counts once in a density.

    Notes
    -----
    Cost: the tail is read once; a point takes 8 bytes for each weight and one for the axis.
    """
    x, gone = along(result, axis), lost(result)
    final = np.stack([result.columns[name] for name in result.weights], axis=1)
    other = _other_end(result, final)
    swings: Any = np.isfinite(other).all(axis=1)
    x, gone, final = np.r_[x, x[swings]], np.r_[gone, gone[swings]], np.concatenate([final, other[swings]])
    single = np.where(
        np.r_[result.columns["status"] == STATUSES.index(Status.CYCLING), swings[swings]], 0.5, 1.0
    )
    if result.tail is None:
        return x[~gone], final[~gone], single[~gone]
    kept: Any = np.isfinite(result.tail).all(axis=2)  # (runs, 32)
    kept[gone[: result.runs]] = False
    alone = np.r_[~kept.any(axis=1), np.ones(int(swings.sum()), dtype=bool)] & ~gone
    run = np.nonzero(kept)[0]
    shares = np.concatenate([1.0 / kept.sum(axis=1)[run], single[alone]])
    return np.concatenate([x[run], x[alone]]), np.concatenate([result.tail[kept], final[alone]]), shares


def _other_end(result: SweepResult, final: Column) -> Column:
    """The weight to which a run steps next that was stopped because it swings between two, nan elsewhere."""
    swings = result.columns["status"] == STATUSES.index(Status.CYCLING)
    scenario = result.scenario
    slope = np.stack([result.columns[f"gradient_{name}"] for name in result.weights], axis=1)
    if scenario.update_rule.name == "sign_descent":
        slope = np.sign(slope)
    elif scenario.update_rule.name != "gradient_descent" or scenario.clip is not None:
        swings = np.zeros_like(swings)
    rate: Any = scenario.learning_rate.initial
    if scenario.learning_rate.schedule != "constant":
        swings = np.zeros_like(swings)
    for axis in result.axes:
        if axis.path in RATES:
            rate = along(result, axis)[:, None]
        elif axis.path.startswith(("update_rule", "learning_rate.")):
            swings = np.zeros_like(swings)
    return np.where(swings[:, None], final - rate * slope, np.nan)


def lost_along(result: SweepResult, axis: AxisValues) -> Column:
    """Return the commonest ending at each value where at least half of the runs were lost."""
    codes = endings(result, gone=True)
    if result.method != "grid":
        return codes[np.unique(numeric(axis), return_index=True)[1]]
    place = [one.path for one in result.axes].index(axis.path)
    turned = np.moveaxis(codes.reshape(result.shape), place, -1).reshape(-1, len(axis.values))
    return commonest(turned[:, np.unique(numeric(axis), return_index=True)[1]])


def _draw_points(panel: Axes, x: Column, y: Column, shares: Column, axis: AxisValues) -> None:
    finite = np.isfinite(y)
    x, y, shares = x[finite], y[finite], shares[finite]
    if not y.size:
        return
    low, high = extent(y)
    room = 0.06 * (high - low) or 0.5
    panel.set_ylim(low - room, high + 2.2 * room)  # the strip stands above
    if y.size <= _MANY:
        size = em(float(np.clip(16 / len(axis.values), 0.13, 0.36)))
        panel.plot(
            x, y, "o", color=colours().loss, markersize=size, markeredgewidth=0, label="last weights",
            rasterized=y.size > 4000, scaley=False, scalex=False,
        )  # fmt: skip
        return
    ends, picture = density(x, y, shares, axis, (low - room, high + 2.2 * room))
    mesh = panel.pcolormesh(
        *ends, picture, cmap=_shades(), vmin=0.0, vmax=1.0, rasterized=True, shading="flat"
    )
    mesh.set_label("density of last weights")
    panel.grid(False)


def extent(y: Column) -> tuple[float, float]:
    """Return the ends of what is shown: all points, or all but a few that lie far outside."""
    low, high = (float(end) for end in np.quantile(y, (_OUTER, 1 - _OUTER)))
    least, most = float(y.min()), float(y.max())
    return (least, most) if most - least < 1.5 * (high - low) else (low, high)


def density(
    x: Column, y: Column, shares: Column, axis: AxisValues, limits: tuple[float, float]
) -> tuple[tuple[Column, Column], Column]:
    """Return the shares that fall into each cell, relative to the fullest of its column, lifted.

    Returns
    -------
    tuple
        The ends of the cells on both axes, and the picture ``(rows, columns)`` from 0 to 1.
    """
    values = np.unique(numeric(axis))
    if values.size <= _COLUMNS:
        ends = edges(values, axis.logarithmic)
    else:
        spaced = np.geomspace if axis.logarithmic else np.linspace
        ends = spaced(values[0], values[-1] * (1 + 1e-12), _COLUMNS + 1)
    rows = int(np.clip(3 * y.size // (ends.size - 1), _ROWS // 2, _ROWS))
    heights = np.linspace(*limits, rows + 1)
    column = np.clip(np.searchsorted(ends, x, side="right") - 1, 0, ends.size - 2)
    row = np.floor((y - limits[0]) * (rows / (limits[1] - limits[0]))).astype(np.int64)
    inside = (row >= 0) & (row < rows)
    cell = row[inside] * (ends.size - 1) + column[inside]
    flat = np.bincount(cell, weights=shares[inside], minlength=rows * (ends.size - 1))
    count = flat.reshape(rows, ends.size - 1)
    picture = (count / np.maximum(count.max(axis=0), 1e-300)) ** _PALE
    thick = picture.copy()  # a line of one row is too thin for the back row of a lecture hall
    thick[1:] = np.maximum(thick[1:], 0.8 * picture[:-1])
    thick[:-1] = np.maximum(thick[:-1], 0.8 * picture[1:])
    few = (count > 0).sum(axis=0) <= rows // 20
    picture[:, few] = thick[:, few]
    return (ends, heights), picture


def _shades() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    colour = colours()
    return LinearSegmentedColormap.from_list("density", [colour.ground, colour.loss, colour.ink])


def _apart(panel: Axes, places: Sequence[float]) -> list[float]:
    """Leave out, from left to right, what would touch the label before it."""
    figure = panel.get_figure(root=True)
    assert figure is not None
    left, right = panel.transScale.transform([(end, 1.0) for end in panel.get_xlim()])[:, 0]
    kept: list[float] = []
    last = -np.inf
    for place in places:
        at = panel.transScale.transform((place, 1.0))[0]
        centre = (at - left) / (right - left) * _TICKED * room(figure)
        half = 0.5 * width(tick_words(place))
        if centre - half >= last + 0.4:
            kept.append(place)
            last = centre + half
    return kept


def name_axis(panel: Axes, axis: AxisValues, weights: Sequence[str]) -> None:
    """Name the horizontal axis and put ticks at round values."""
    panel.set_xlabel(words.axis_words(axis.path, weights))
    low, high = panel.get_xlim()
    places = _apart(panel, round_values(low, high, axis.logarithmic, most=7))
    panel.set_xticks(places, labels=[tick_words(value) for value in places])
    panel.minorticks_off()
