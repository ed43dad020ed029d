"""Atlases: a grid of runs as a map, coloured by what came of each run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gdsim.outcomes import Fault, InputError
from gdsim.plots.look import colours, em
from gdsim.plots.points import NARROW
from gdsim.plots.sweeps import words
from gdsim.plots.sweeps.cut import RATES, arranged, named, numeric, rate_axis, require_axes, spread, varying
from gdsim.plots.sweeps.legend import Entry, draw_legend, draw_limit, ink_on, swatch
from gdsim.plots.sweeps.limits import Limit, limits
from gdsim.plots.sweeps.raster import Bytes, Meaning, Raster, raster
from gdsim.plots.sweeps.scale import positions, round_values, tick_words, ticks
from gdsim.plots.text import fold, room, width
from gdsim.sweeps.result import AxisValues, Column, SweepResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANELS = 6
_SHARP = (800, 500)  # cells up to which each is drawn with sharp edges
_SHRUNK = (700, 1200)  # rows and columns that a shrunken picture has at least
_ENTRIES = 9  # of the legend
_SAMPLED = 240  # cells a side that are looked at for the place of a letter
_ROOM = 0.055  # of the side: a letter needs a disc of this radius
_TITLES = {
    "verdict": "what became of {} runs",
    "basin": "where {} runs settled",
    "steps": "steps until {} runs settled",
    "loss": "final loss of {} runs",
}
_GRIDS = {1: (1, 1), 2: (1, 2), 3: (1, 3), 4: (2, 2), 5: (2, 3), 6: (2, 3)}
_NARROW_GRIDS = {1: (1, 1), 2: (1, 2), 3: (2, 2), 4: (2, 2), 5: (3, 2), 6: (3, 2)}  # and taller
_BETWEEN = 0.5  # ems from one tick's label to the next
_TALLER = 0.4  # of the height, for each further row


class Layout(NamedTuple):
    """Which axis goes where."""

    horizontal: AxisValues
    vertical: AxisValues
    panels: AxisValues | None

    @property
    def shown(self) -> tuple[AxisValues, ...]:
        """The axes, that of the panels first, then rows, then columns."""
        last = (self.vertical, self.horizontal)
        return last if self.panels is None else (self.panels, *last)


def layout(result: SweepResult, axes: Sequence[str] = ()) -> Layout:
    """Choose the axes of an atlas.

    Parameters
    ----------
    result
        A grid.
    axes
        The horizontal and the vertical axis, and perhaps that of the panels. By default the learning rate
        is horizontal, and of three axes the one of words, or else the shortest, is that of the panels.

    Raises
    ------
    InputError
        For fewer than two axes, or more than three, with what to fix.
    """
    if len(axes) not in (0, 2, 3):
        message = f"an atlas has two or three axes, not {len(axes)}"
        raise InputError(Fault(message, "the horizontal, the vertical, that of the panels", path="axes"))
    chosen = [named(result, path) for path in axes] or list(_by_default(result))
    rest = [axis for axis in varying(result) if axis.path not in {one.path for one in chosen}]
    if len(chosen) == 2 and len(rest) == 1:
        chosen += rest
    require_axes(result, "an atlas", chosen, 3)
    if len({axis.path for axis in chosen}) < max(2, len(chosen)):
        raise InputError(Fault("an atlas needs two axes that differ", "a sweep over two axes", path="axes"))
    return Layout(chosen[0], chosen[1], chosen[2] if len(chosen) > 2 else None)


def _by_default(result: SweepResult) -> Sequence[AxisValues]:
    left = [axis for axis in varying(result) if axis.path != "seed"]
    left += [axis for axis in varying(result) if axis.path == "seed"]
    left = left[:3]
    panels = []
    if len(left) == 3:
        panels = [min(left, key=lambda axis: (not axis.categorical, len(axis.values)))]
        left.remove(panels[0])
    rate = rate_axis(result)
    if rate is not None and rate in left:
        left.remove(rate)
        left.insert(0, rate)
    return [*left, *panels]


def atlas_image(result: SweepResult, by: str = "verdict", axes: Sequence[str] = ()) -> Bytes:
    """Return an atlas without decorations: one pixel a run, uint8 ``(rows, columns, 3)``.

    The top row belongs to the last value of the vertical axis, so that in a picture it grows upwards.

    Raises
    ------
    InputError
        For a sweep of more than two axes, with what to fix.

    Notes
    -----
    Cost: a few passes over one column, 3 bytes a run for the picture and at most some 20 while it is made.
    """
    plan = layout(result, axes)
    require_axes(result, "a pixel-exact atlas", (plan.horizontal, plan.vertical), 2)
    painted = raster(result, by)
    return painted.palette[arranged(result, painted.codes, plan.shown)[::-1]]


def atlas(result: SweepResult, axes: Sequence[str], by: str) -> Figure:
    """Draw a grid of runs over two axes; a third gives one panel for each value, at most six of them.

    Returns
    -------
    Figure
        The picture on index coordinates: cell (i, j) is the unit square around (i, j). Ticks stand at round
        values. Where one axis is the learning rate, dashed lines mark the stability limit 2/L of each
        minimum reached. Letters tie the larger regions to the legend.
    """
    from matplotlib.figure import Figure

    plan = layout(result, axes)
    painted = raster(result, by)
    cells = arranged(result, painted.codes, plan.shown)
    if plan.panels is None:
        cells = cells[None]
    chosen = spread(len(cells), _PANELS)
    figure = Figure()
    narrow = room(figure) < NARROW
    rows, columns = (_NARROW_GRIDS if narrow else _GRIDS)[len(chosen)]
    if narrow:
        figure.set_figheight(figure.get_figheight() * (1 + _TALLER * (rows - 1)))
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    order = sorted(painted.meanings, key=lambda meaning: -meaning.runs)
    letters = {meaning.code: chr(ord("A") + place) for place, meaning in enumerate(order[:_ENTRIES])}
    lines = limits(result) if set(RATES) & {plan.horizontal.path, plan.vertical.path} else ()
    marked: list[Entry] = []
    names = [words.value_words(plan.panels, place, result.weights) if plan.panels else "" for place in chosen]
    wide = (0.7 if narrow else 0.6) * room(figure) / columns  # beside a legend, or below
    for axes_, place, name in zip(panels.flat, chosen, names, strict=False):
        paths = _paths(plan, lines, place)
        _draw_cells(axes_, painted, cells[place])
        _draw_letters(axes_, painted, cells[place], letters, paths)
        marked = [
            draw_limit(axes_, x, y, limit, order)
            for order, (limit, (x, y)) in enumerate(zip(lines, paths, strict=True))
        ]
        axes_.set_title("\n".join(fold(name, wide)), pad=em(0.35))
    for axes_ in panels.flat[len(chosen) :]:
        axes_.set_visible(False)
    _name_axes(figure, panels, plan, result, len(chosen))
    if painted.scale is not None:
        _draw_scale(figure, [axes_ for axes_ in panels.flat if axes_.get_visible()], painted)
    draw_legend(figure, _entries(order, letters, result.runs) + marked)
    what = _TITLES[by].format(words.counted(result.runs))
    if len(chosen) < len(cells):
        what += f" ({len(chosen)} of {len(cells)} shown)"
    words.label(figure, result, what, [axis.path for axis in plan.shown])
    return figure


def _draw_cells(axes: Axes, painted: Raster, codes: Bytes) -> None:
    height, width = codes.shape
    sharp = width <= _SHARP[0] and height <= _SHARP[1]
    axes.imshow(
        painted.palette[codes] if sharp else _shrunk(codes, painted.palette), origin="lower",
        extent=(-0.5, width - 0.5, -0.5, height - 0.5), aspect="auto",
        interpolation="none" if sharp else "antialiased",
    )  # fmt: skip
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=colours().muted, linewidth=em(0.0714))
    axes.tick_params(length=em(0.35), color=colours().muted)


def _shrunk(codes: Bytes, palette: Bytes) -> Bytes:
    """The picture with the mean of each block of cells, where there are far more than a slide has pixels.

    A block's sides divide those of the grid, so that cells keep their places.
    """
    down, across = (
        max(size for size in range(1, max(2, side // least + 1)) if side % size == 0)
        for side, least in zip(codes.shape, _SHRUNK, strict=True)
    )
    total = np.zeros((codes.shape[0] // down, codes.shape[1] // across, 3), dtype=np.float32)
    for row in range(down):
        for column in range(across):
            total += palette[codes[row::down, column::across]]
    total /= down * across
    return total.round().astype(np.uint8)


def _draw_letters(
    axes: Axes, painted: Raster, codes: Bytes, letters: dict[int, str], paths: Sequence[tuple[Column, Column]]
) -> None:
    """Put each letter of the legend into the largest disc of its colour, beside the limits."""
    from scipy.ndimage import distance_transform_edt

    rows, columns = (np.array(spread(side, _SAMPLED)) for side in codes.shape)
    free = np.ones((len(rows), len(columns)), dtype=bool)
    for x, y in paths:
        along = np.linspace(0, len(x) - 1, 4 * _SAMPLED)
        across, up = (np.interp(along, np.arange(len(x)), side) for side in (x, y))
        inside = np.isfinite(across) & np.isfinite(up)
        near = [np.abs(np.subtract.outer(side[inside], known)).argmin(axis=1)
                for side, known in ((up, rows), (across, columns))]  # fmt: skip
        free[near[0], near[1]] = False
    sampled = codes[np.ix_(rows, columns)]
    for meaning in painted.meanings:
        mask = np.pad((sampled == meaning.code) & free, 1)
        if meaning.code not in letters or mask.sum() < 4:
            continue
        room = distance_transform_edt(mask, sampling=(1.0 / len(rows), 1.0 / len(columns)))
        row, column = np.unravel_index(int(room.argmax()), room.shape)
        if room[row, column] >= _ROOM:
            axes.text(
                columns[column - 1], rows[row - 1], letters[meaning.code], ha="center", va="center",
                fontweight="bold", color=ink_on(meaning.colour),
            )  # fmt: skip


def _paths(plan: Layout, lines: Sequence[Limit], place: int) -> list[tuple[Column, Column]]:
    """Where each limit runs across a panel, in units of cells: straight, or along a swept momentum."""
    upright = plan.horizontal.path in RATES
    rate, other = (plan.horizontal, plan.vertical) if upright else (plan.vertical, plan.horizontal)
    whole = np.array([-0.5, len(other.values) - 0.5])
    paths = []
    for limit in lines:
        if limit.along is None:
            at, across = positions(rate, np.full(2, limit.rate)), whole
        elif plan.panels is not None and limit.along.path == plan.panels.path:
            at, across = positions(rate, np.full(2, limit.rate[place])), whole
        else:
            at, across = positions(rate, limit.rate), positions(other, numeric(other))
        paths.append((at, across) if upright else (across, at))
    return paths


def _entries(order: list[Meaning], letters: dict[int, str], runs: int) -> list[Entry]:
    """The colours in the legend, the most frequent first; what is left over in one line."""
    entries = [
        swatch(meaning.colour, words.with_share(meaning.words, meaning.runs, runs), letters[meaning.code])
        for meaning in order[:_ENTRIES]
    ]
    if order[_ENTRIES:]:
        rest = sum(meaning.runs for meaning in order[_ENTRIES:])
        text = f"{len(order) - _ENTRIES} more · {words.share(rest, runs)}"
        entries.append(swatch("none", text))
    return entries


def _apart(
    places: Sequence[float], labels: Sequence[str], cells: int, across: float
) -> tuple[list[float], list[str]]:
    """Leave out, from left to right, what would touch the label before it; the axes are so many ems wide."""
    kept: list[tuple[float, str]] = []
    last = -math.inf
    for place, label in zip(places, labels, strict=True):
        centre, half = (place + 0.5) / cells * across, 0.5 * width(label)
        if centre - half >= last + _BETWEEN:
            kept.append((place, label))
            last = centre + half
    return [place for place, _ in kept], [label for _, label in kept]


def _name_axes(figure: Figure, panels: Any, plan: Layout, result: SweepResult, count: int) -> None:
    """Ticks at round values, names on the outer panels alone."""
    rows, columns = panels.shape
    few = (6, 5, 4)[columns - 1]
    across = (0.6 if room(figure) >= NARROW else 0.7 if columns == 1 else 0.5) * room(figure) / columns  # ems
    for place, axes in enumerate(panels.flat[:count]):
        axes.set_xticks(*_apart(*ticks(plan.horizontal, few), len(plan.horizontal.values), across))
        axes.set_yticks(*ticks(plan.vertical, 6 if rows == 1 else 4))
        below = place + columns >= count
        axes.tick_params(labelbottom=below, labelleft=place % columns == 0)
        if below:
            axes.set_xlabel(words.axis_words(plan.horizontal.path, result.weights))
        if place % columns == 0:
            axes.set_ylabel(words.axis_words(plan.vertical.path, result.weights))


def _draw_scale(figure: Figure, axes: list[Axes], painted: Raster) -> None:
    """Draw a colour bar with round ticks."""
    import matplotlib
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    scale = painted.scale
    if scale is None:
        return
    norm = (LogNorm if scale.logarithmic else Normalize)(scale.low, scale.high)
    extend = ("neither", "min", "max", "both")[scale.under + 2 * scale.over]
    bar = figure.colorbar(
        ScalarMappable(norm, matplotlib.colormaps[scale.colours]),
        ax=axes, extend=extend, aspect=28, pad=0.02,
    )  # fmt: skip
    places = round_values(scale.low, scale.high, scale.logarithmic)
    if not places or math.isclose(scale.low, scale.high):
        places = [scale.low]
    bar.set_ticks(places, labels=[tick_words(value) for value in places])
    bar.ax.minorticks_off()
    bar.set_label(scale.words)
