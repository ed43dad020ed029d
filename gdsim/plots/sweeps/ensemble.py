"""Many seeds of the same runs: how far chance spreads the final loss, the steps, the whole descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdsim.outcomes import Fault, InputError
from gdsim.plots.look import colours, em
from gdsim.plots.sweeps import words
from gdsim.plots.sweeps.bands import BANDS, draw_bands, finite, quantile
from gdsim.plots.sweeps.bifurcation import name_axis
from gdsim.plots.sweeps.cut import (
    arranged,
    arrived,
    lost,
    named,
    numeric,
    require_axes,
    spread,
    varying,
)
from gdsim.plots.sweeps.endings import STRIP, commonest, draw_endings, edges, ending_entries, endings
from gdsim.plots.sweeps.legend import Entry, draw_legend
from gdsim.plots.sweeps.scale import round_values, tick_words
from gdsim.sweeps.result import AxisValues, Column, SweepResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANELS = 3
_WIDE = 50.0  # a ratio from which an axis is logarithmic
_MARKED = 40
_FAR = 3.0  # times the distance of the quantiles 20 % and 80 %


def ensemble(result: SweepResult, axes: Sequence[str], by: str) -> Figure:
    """Draw the median over the seeds with bands of the quantiles 10–90 % and 25–75 %.

    Returns
    -------
    Figure
        Where the sweep kept whole trajectories, the loss against the step, a panel for each of up to three
        values of another axis. Else the final loss and, where runs settled, the steps they took: against
        another axis, or without one in ascending order against the share of the seeds. A run that was lost
        counts as higher, one that did not settle as later, than all others.

    Raises
    ------
    InputError
        For a sweep without an axis ``seed``, or with more than one axis beside it.
    """
    from matplotlib.figure import Figure

    seed, other = _axes(result, axes)
    count = f"{len(seed.values)} seeds"
    figure = Figure()
    if result.records is not None:
        entries = _draw_descents(figure, result, seed, other)
        what = f"the loss of {count}, step by step"
    else:
        entries = _draw_ends(figure, result, seed, other)
        what = f"how {count} spread"
    draw_legend(figure, entries)
    words.label(figure, result, what, [] if other is None else [other.path])
    return figure


def _axes(result: SweepResult, axes: Sequence[str]) -> tuple[AxisValues, AxisValues | None]:
    if len(axes) > 1:
        message = f"an ensemble has one axis beside the seed, not {len(axes)}"
        raise InputError(Fault(message, "one path", path="axes"))
    seed = next((axis for axis in varying(result) if axis.path == "seed"), None)
    if seed is None:
        raise InputError(Fault("an ensemble needs an axis seed", "such as seed=0,1,2,3", path="axes"))
    rest = [axis for axis in varying(result) if axis is not seed]
    other = named(result, axes[0]) if axes else (rest[0] if rest else None)
    require_axes(result, "an ensemble", [seed] if other is None else [seed, other], 2)
    return seed, other


def _draw_ends(
    figure: Figure, result: SweepResult, seed: AxisValues, other: AxisValues | None
) -> list[Entry]:
    """Final loss, and steps where runs settled."""
    shown = [seed] if other is None else [seed, other]
    loss = np.where(lost(result) | ~np.isfinite(result.columns["loss"]), np.inf, result.columns["loss"])
    steps = np.where(arrived(result), result.columns["steps"].astype(np.float64), np.inf)
    kinds = [("final loss", loss, endings(result, gone=True))]
    if np.isfinite(steps).mean() > 0.5:
        kinds.append(("steps to settle", steps, endings(result)))
    entries: list[Entry] = []
    found: set[int] = set()
    for panel, (name, values, codes) in zip(
        figure.subplots(1, len(kinds), squeeze=False)[0], kinds, strict=True
    ):
        table = arranged(result, values, shown)
        panel.set_ylabel(name)
        if other is None:
            entries = _draw_sorted(panel, table)
            continue
        _limit(panel, np.stack([quantile(table, share) for share in (0.1, 0.5, 0.9)]))
        x, entries = _against(panel, other, table, result.weights)
        found |= draw_endings(panel, edges(x, other.logarithmic), commonest(arranged(result, codes, shown)))
    return entries + ending_entries(found)


def _against(
    panel: Axes, other: AxisValues, table: Column, weights: Sequence[str]
) -> tuple[Column, list[Entry]]:
    """Draw a table ``(seeds, values)`` against an axis, and return where its values stand."""
    if other.categorical:
        x = np.arange(len(other.values), dtype=np.float64)
        panel.set_xticks(x, labels=[str(value).replace("_", "\n") for value in other.values])
        panel.set_xlim(-0.5, len(x) - 0.5)
        panel.set_xlabel(words.axis_words(other.path, weights))
        for low, high, opacity in BANDS:
            lower, upper = quantile(table, low), quantile(table, high)
            top = np.minimum(upper, 1e3 * max(1.0, panel.get_ylim()[1]))
            panel.vlines(
                x,
                lower,
                top,
                color=colours().loss,
                alpha=2 * opacity,
                linewidth=em(1.0 if low > 0.2 else 0.36),
            )
        (line,) = panel.plot(
            x, finite(quantile(table, 0.5)), "o", color=colours().path, markersize=em(0.643), label="median"
        )
        return x, [(line, "median over seeds"), *_band_entries()]
    x = numeric(other)
    order = np.argsort(x, kind="stable")
    x, table = x[order], table[:, order]
    if other.logarithmic:
        panel.set_xscale("log")
    ends = edges(x, other.logarithmic)
    panel.set_xlim(ends[0], ends[-1])
    entries = draw_bands(panel, x, table, colours().loss)
    (line,) = panel.plot(
        x, finite(quantile(table, 0.5)), "o-" if x.size <= _MARKED else "-", color=colours().loss,
        markersize=em(0.43), label="median",
    )  # fmt: skip
    name_axis(panel, other, weights)
    return x, [(line, "median over seeds"), *entries]


def _band_entries() -> list[Entry]:
    from matplotlib.lines import Line2D

    return [
        (
            Line2D(
                [], [], color=colours().loss, alpha=2 * opacity, linewidth=em(0.643 if low > 0.2 else 0.29)
            ),
            f"{100 * low:.0f}–{100 * high:.0f} % of the seeds",
        )
        for low, high, opacity in BANDS
    ]


def _draw_sorted(panel: Axes, values: Column) -> list[Entry]:
    """Draw values in ascending order against the share of the seeds that do not exceed them."""
    ordered = finite(np.sort(values))
    share = 100 * np.arange(1, values.size + 1) / values.size
    _limit(panel, ordered)
    panel.set_xlim(0, 100)
    panel.set_xlabel("% of the seeds")
    entries: list[Entry] = []
    for low, high, opacity in BANDS:
        band = panel.axvspan(
            100 * low, 100 * high, color=colours().loss, alpha=opacity, linewidth=0, zorder=0.5
        )
        entries.append((band, f"{100 * low:.0f}–{100 * high:.0f} % of the seeds"))
    (line,) = panel.step(share, ordered, where="pre", color=colours().loss, label="seeds")
    return [(line, "seeds in order"), *entries]


def _draw_descents(
    figure: Figure, result: SweepResult, seed: AxisValues, other: AxisValues | None
) -> list[Entry]:
    """The loss against the step, for a few values of the other axis."""
    from matplotlib.ticker import MaxNLocator

    records = result.records
    assert records is not None
    step, held = records["step"], held_losses(result)
    shown = [seed] if other is None else [other, seed]
    cube = np.stack([arranged(result, row, shown) for row in held], axis=-1)  # (…, seeds, records)
    cube = cube[None] if other is None else cube
    places = spread(len(cube), _PANELS)
    panels = figure.subplots(1, len(places), squeeze=False, sharey=True)[0]
    _limit(
        panels[0], np.stack([quantile(cube[place], share) for place in places for share in (0.1, 0.5, 0.9)])
    )
    entries: list[Entry] = []
    for panel, place in zip(panels, places, strict=True):
        bands = draw_bands(panel, step, cube[place], colours().loss)
        (line,) = panel.plot(step, finite(quantile(cube[place], 0.5)), color=colours().loss, label="median")
        entries = [(line, "median over seeds"), *bands]
        panel.set_xlabel("step")
        panel.set_xlim(0, max(1, int(step[-1])))
        if other is not None:
            panel.xaxis.set_major_locator(MaxNLocator(4, integer=True, prune="upper"))
            panel.set_title(words.value_words(other, place, result.weights), pad=em(0.35))
    panels[0].set_ylabel("loss")
    return entries


def held_losses(result: SweepResult) -> Column:
    """Return the losses ``(records, runs)``: a run that ended keeps its last loss, a lost one has inf."""
    records = result.records
    assert records is not None
    ended = records["step"][:, None] > result.columns["steps"]
    last = np.where(lost(result), np.inf, result.columns["loss"])
    loss = np.where(ended, last, records["loss"])
    return np.where(np.isnan(loss), np.inf, loss)


def _limit(panel: Axes, quantiles: Column) -> None:
    """Choose the range of the vertical axis from the quantiles drawn; leave room for a strip above."""
    known = quantiles[np.isfinite(quantiles)]
    if not known.size:
        return
    low, high = float(known.min()), float(known.max())
    room = 2 * STRIP
    if low > 0 and high > _WIDE * low:
        low, high = (float(end) for end in np.exp(_usual(np.log(known))))
        panel.set_yscale("log")
        panel.set_ylim(low * (low / high) ** 0.04, high * (high / low) ** room)
        places = round_values(low, high, True)
        panel.set_yticks(places, labels=[tick_words(value) for value in places])
        panel.minorticks_off()
        return
    low, high = _usual(known)
    width = high - low or max(1.0, abs(high))
    panel.set_ylim(low - 0.05 * width, high + 1.5 * room * width)


def _usual(values: Column) -> tuple[float, float]:
    """The range of the values without those far out, such as the last losses of runs that diverge."""
    lower, upper = np.quantile(values, (0.2, 0.8))
    room = _FAR * (upper - lower)
    inside = values[(values >= lower - room) & (values <= upper + room)]
    return float(inside.min()), float(inside.max())
