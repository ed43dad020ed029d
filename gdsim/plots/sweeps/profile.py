"""Steps until a run settles, against the learning rate: where is it fastest, and where does it fail?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gdsim.outcomes import Fault, InputError
from gdsim.plots.look import colours, em
from gdsim.plots.sweeps import words
from gdsim.plots.sweeps.bands import draw_bands, finite, quantile
from gdsim.plots.sweeps.bifurcation import name_axis
from gdsim.plots.sweeps.cut import (
    RATES,
    arranged,
    arrived,
    arrived_low,
    named,
    numeric,
    rate_axis,
    require_axes,
    spread,
    varying,
)
from gdsim.plots.sweeps.endings import SETTLED, commonest, draw_endings, edges, ending_entries, endings, strip
from gdsim.plots.sweeps.legend import Entry, draw_legend, draw_rates
from gdsim.plots.sweeps.limits import limits
from gdsim.plots.sweeps.scale import round_values, tick_words
from gdsim.plots.text import short
from gdsim.sweeps.result import AxisValues, Column, SweepResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINES = 5
_MARKED = 60  # values up to which each has a marker
WIDE = 20.0  # a ratio of steps from which their axis is logarithmic
_MARKERS = "os^DvP"
GOLD = "#FFD200"


class Profile(NamedTuple):
    """One line: steps ``(seeds, rates)``, inf where a run did not settle, and the endings."""

    words: str
    steps: Column
    low: Column  # whether it settled where a descent should: at a minimum, a kink or a flat piece
    codes: Column


def profile(result: SweepResult, axes: Sequence[str], by: str) -> Figure:
    """Draw the steps that runs took to settle against the learning rate.

    Returns
    -------
    Figure
        One line, or one for each of up to five values of another axis; over an axis ``seed`` the median with
        bands of the quantiles 10–90 % and 25–75 %, a run that did not settle counting as later than all
        others. A star marks the Goldilocks rate, the one with the fewest steps; strips along the top tell
        how the runs ended that did not settle.

    Raises
    ------
    InputError
        For a sweep without a learning rate, or with axes too many.
    """
    from matplotlib.figure import Figure

    rate, other, seed = _axes(result, axes)
    values = numeric(rate)
    order = np.argsort(values, kind="stable")
    values = values[order]
    profiles = _profiles(result, rate, other, seed, order)
    figure = Figure()
    panel = figure.subplots()
    if rate.logarithmic:
        panel.set_xscale("log")
    ends = edges(values, rate.logarithmic)
    panel.set_xlim(ends[0], ends[-1])
    entries = _draw_lines(panel, values, profiles, line=result.method != "random", named_=other is not None)
    found: set[int] = set()
    for row, one in enumerate(profiles):
        codes = commonest(one.codes)
        found |= draw_endings(panel, ends, codes, row, len(profiles))
        if len(profiles) > 1 and (codes != SETTLED).any():
            _draw_marker(panel, row, len(profiles))
    entries += ending_entries(found) + _draw_rates(panel, result, (float(ends[0]), float(ends[-1])))
    name_axis(panel, rate, result.weights)
    panel.set_ylabel("steps to settle")
    draw_legend(figure, entries)
    shown = [rate.path] + [axis.path for axis in (other,) if axis is not None]
    words.label(figure, result, "how many steps to settle?", shown)
    return figure


def _axes(
    result: SweepResult, axes: Sequence[str]
) -> tuple[AxisValues, AxisValues | None, AxisValues | None]:
    """The learning rate, the axis of the lines and that of the seeds."""
    if len(axes) > 2:
        message = f"a profile has one or two axes, not {len(axes)}"
        raise InputError(Fault(message, "the learning rate, and that of the lines", path="axes"))
    rate = named(result, axes[0]) if axes else rate_axis(result)
    if rate is None or rate.categorical:
        raise InputError(Fault("a profile needs an axis learning_rate", "one of numbers", path="axes"))
    if result.method != "grid":
        return rate, None, None
    rest = [axis for axis in varying(result) if axis.path != rate.path]
    chosen = named(result, axes[1]) if len(axes) > 1 else None
    seed = next((axis for axis in rest if axis.path == "seed" and axis is not chosen), None)
    others = [axis for axis in rest if axis is not seed]
    other = chosen or (others[0] if others else None)
    shown = [axis for axis in (rate, other, seed) if axis is not None]
    require_axes(result, "a profile", shown, len(shown))
    return rate, other, seed


def _profiles(
    result: SweepResult, rate: AxisValues, other: AxisValues | None, seed: AxisValues | None, order: Column
) -> list[Profile]:
    steps = np.where(arrived(result), result.columns["steps"].astype(np.float64), np.inf)
    columns = (steps, arrived_low(result), endings(result))
    if result.method != "grid":
        return [Profile("", *(column[None, order] for column in columns))]
    shown = [axis for axis in (other, seed, rate) if axis is not None]
    cubes = []
    for column in columns:
        cube = arranged(result, column, shown)
        cube = cube if other is not None else cube[None]
        cubes.append((cube if seed is not None else cube[:, None])[:, :, order])
    places = spread(len(cubes[0]), _LINES)
    names = [words.value_words(other, place, result.weights) if other else "" for place in places]
    return [
        Profile(name, *(cube[place] for cube in cubes)) for name, place in zip(names, places, strict=True)
    ]


def _draw_lines(
    panel: Axes, rate: Column, profiles: Sequence[Profile], *, line: bool, named_: bool
) -> list[Entry]:
    """Draw lines, bands and stars, and leave room for the strips."""
    entries: list[Entry] = []
    shown = np.concatenate([one.steps[np.isfinite(one.steps)] for one in profiles])
    if shown.size:
        _limit(panel, float(shown.min()), float(shown.max()), len(profiles))
    else:
        panel.set_yticks([])
        panel.text(0.5, 0.5, "no run settled", transform=panel.transAxes, ha="center")
        return entries
    for place, one in enumerate(profiles):
        colour = colours().series[place]
        if len(one.steps) > 1:
            bands = draw_bands(panel, rate, one.steps, colour)
            entries += [] if place else bands
        median = quantile(one.steps, 0.5)
        (drawn,) = panel.plot(
            rate, finite(median), linestyle="-" if line else "none", color=colour,
            marker=_MARKERS[place % len(_MARKERS)], markersize=em(0.429), label=one.words or "steps",
            markevery=1 if rate.size <= _MARKED or not line else max(1, rate.size // 12),
        )  # fmt: skip
        if not named_ and rate.size > _MARKED and line:
            drawn.set_marker("none")
        best = _draw_star(panel, rate, one, em(1.0 if named_ else 1.5))
        if named_:
            entries.append((drawn, f"{one.words}:\n{best}" if best else one.words))
        else:
            entries.insert(0, (drawn, "median over seeds" if len(one.steps) > 1 else "steps to settle"))
            entries += [(_star_handle(), f"Goldilocks rate:\n{best}")] if best else []
    if named_ and shown.size:
        entries.append((_star_handle(), "Goldilocks rate"))
    return entries


def _draw_marker(panel: Axes, row: int, rows: int) -> None:
    """Put the marker of a line beside its strip."""
    panel.plot(
        [1.012], [sum(strip(row, rows)) / 2], marker=_MARKERS[row], color=colours().series[row],
        markersize=em(0.5), transform=panel.transAxes, clip_on=False, linestyle="none", label="_nolegend_",
    )  # fmt: skip


def _limit(panel: Axes, low: float, high: float, rows: int) -> None:
    """Leave room for the strips above the highest line."""
    share = 1.05 - strip(rows - 1, rows)[0]
    if low >= 1 and high > WIDE * low:
        panel.set_yscale("log")
        room = (high / low) ** 0.05
        panel.set_ylim(low / room, low * (high / low) ** (1.0 / (1.0 - share)))
        places = round_values(low / room, high * room, logarithmic=True)
        panel.set_yticks(places, labels=[tick_words(value) for value in places])
        panel.minorticks_off()
        return
    high = max(high, low + 1)
    panel.set_ylim(min(low, 0.0) - 0.02 * high, low + (high - low) / (1.0 - share))


def goldilocks(steps: Column, low: Column) -> int | None:
    """Return the place of the rate with the fewest steps, the middle one of equals; None where none settled.

    Of several runs at a rate the median counts. A rate counts where most of its runs settled at a low point:
    a start on a maximum takes no step and is not the best.
    """
    median = np.where(low.mean(axis=0) > 0.5, quantile(np.where(low, steps, np.inf), 0.5), np.inf)
    if not np.isfinite(median).any():
        return None
    best = np.flatnonzero(median == median.min())
    return int(best[(best.size - 1) // 2])


def _draw_star(panel: Axes, rate: Column, one: Profile, size: float) -> str:
    """Mark the Goldilocks rate and say it."""
    place = goldilocks(one.steps, one.low)
    if place is None:
        return ""
    steps = float(quantile(one.steps, 0.5)[place])
    panel.plot(
        [rate[place]], [steps], "*", markersize=size, color=GOLD, markeredgecolor=colours().ink,
        markeredgewidth=em(0.086), zorder=6, label="Goldilocks",
    )  # fmt: skip
    return f"{short(steps)} step{'' if steps == 1 else 's'} at η = {short(float(rate[place]))}"


def _star_handle() -> object:
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], marker="*", linestyle="none", markersize=em(1.2), color=GOLD, markeredgecolor=colours().ink,
        markeredgewidth=em(0.08),
    )  # fmt: skip


def _draw_rates(panel: Axes, result: SweepResult, ends: tuple[float, float]) -> list[Entry]:
    """Mark 2/L of each minimum reached, and 1/L where there is but one curvature."""
    entries: list[Entry] = []
    if not any(axis.path in RATES for axis in varying(result)):
        return entries
    lines = [limit for limit in limits(result) if limit.along is None]
    entries += draw_rates(panel, lines)
    if len(lines) == 1 and lines[0].words.startswith("2/L") and ends[0] < 1 / lines[0].curvature < ends[1]:
        text = f"1/L = {short(1 / lines[0].curvature)}"
        drawn = panel.axvline(
            1 / lines[0].curvature, color=colours().muted, linestyle=":", linewidth=em(0.157), label=text
        )
        entries.append((drawn, text))
    return entries
