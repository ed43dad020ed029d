"""Critical points and edge arrows, drawn alike on every figure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gdsim.outcomes import CriticalPoint, Interval, Search
from gdsim.plots.look import KINDS, colours, em, mark
from gdsim.plots.text import room, width

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Stage = list[tuple[int, "Artist"]]  # artists, each with the step from which on it is seen

NARROW = 45  # ems: a figure below has no room beside its axes
_LEAST = 0.012  # of the axes: a stretch is drawn at least so wide


def draw_critical_points(axes: Axes, points: Iterable[CriticalPoint], weights: tuple[str, ...]) -> None:
    """Mark each point by its kind: filled where certified, hollow where numerical.

    With one weight the point stands on the curve at (w, L); with two at (x, y).
    """
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=em(0.4), foreground=colours().ground)]  # on a map of any shade
    named: set[str] = set()
    for point in points:
        marker, stands_for, name = KINDS[point.kind]
        colour = getattr(colours(), stands_for)
        first = point.weight[weights[0]]
        second = point.loss if len(weights) == 1 else point.weight[weights[1]]
        label = name if name not in named else "_nolegend_"
        named.add(name)
        if point.kind == "flat" and len(weights) == 1 and point.interval:
            low, high = point.interval[weights[0]]
            axes.plot(
                [low, high], [point.loss, point.loss],
                color=colour, linewidth=em(0.43), alpha=0.45, solid_capstyle="butt", label=label, zorder=3,
            )  # fmt: skip
            continue
        axes.plot(
            [first], [second],
            marker=marker, markersize=mark(1.67), linestyle="none", zorder=6, label=label,
            markeredgecolor=colour, markeredgewidth=em(0.16),
            markerfacecolor=colour if point.proof == "certified" else colours().ground,
            path_effects=halo if len(weights) > 1 else None, clip_on=_is_outside(axes, first, second),
        )  # fmt: skip


def _is_outside(axes: Axes, x: float, y: float) -> bool:
    """Whether a place is not in the frame; marks of places on its edge are drawn whole."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    return not (left <= x <= right and bottom <= y <= top)


def draw_open_stretches(axes: Axes, search: Search, weights: tuple[str, ...]) -> None:
    """Hatch what a search left open: with one weight a band, with two a box, never too narrow to be seen.

    A search that proved nothing leaves all open, which is said by the hollow marks alone.
    """
    from matplotlib.patches import Rectangle

    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    label = "not proved"
    for stretch in search.unresolved:
        interval: Any = stretch["interval"]
        if all(a <= low and high <= b for (a, b), (low, high) in _pairs(interval, search)):
            continue
        low, high = _widened(interval[weights[0]], _LEAST * (right - left))
        down, up = (bottom, top)
        if len(weights) > 1:
            down, up = _widened(interval[weights[1]], _LEAST * (top - bottom))
        box = Rectangle(
            (low, down), high - low, up - down, hatch="////", edgecolor=colours().muted, alpha=0.6, zorder=1.5
        )
        box.set(facecolor="none", linewidth=0.0, label=label)
        axes.add_patch(box)
        label = "_nolegend_"


def _pairs(interval: Any, search: Search) -> list[tuple[Interval, Interval]]:
    return [(interval[name], ends) for name, ends in search.domain.items()]


def _widened(ends: Interval, least: float) -> Interval:
    low, high = ends
    room = max(0.0, 0.5 * (least - (high - low)))
    return low - room, high + room


def draw_start(axes: Axes, x: float, y: float, size: float = 1.0) -> Line2D:
    """Mark where a run starts: whole also at the frame, and seen round the mark of a critical point.

    ``size`` is how many times as large as usual.
    """
    colour = colours()
    return axes.plot(
        [x], [y], "o", markersize=mark(2.1 * size), markerfacecolor=colour.path, markeredgecolor=colour.ink,
        markeredgewidth=em(0.13), linestyle="none", label="start", zorder=5.5,
        clip_on=_is_outside(axes, x, y),
    )[0]  # fmt: skip


def draw_end(axes: Axes, x: float, y: float) -> Line2D:
    """Mark where a run ends."""
    colour = colours()
    return axes.plot(
        [x], [y], "*", markersize=mark(2.16), markerfacecolor=colour.end, markeredgecolor=colour.ink,
        markeredgewidth=em(0.1), linestyle="none", label="end", zorder=7.5, clip_on=_is_outside(axes, x, y),
    )[0]  # fmt: skip


def draw_ball(axes: Axes) -> Line2D:
    """Return the mark of a weight that is on its way between two steps, not yet visible."""
    colour = colours()
    return axes.plot(
        [], [], "o", markersize=mark(1.35), markerfacecolor=colour.end, markeredgecolor=colour.ink,
        markeredgewidth=em(0.1), linestyle="none", label="_nolegend_", zorder=8, visible=False,
    )[0]  # fmt: skip


def backing(opacity: float) -> dict[str, Any]:
    """Return the box behind a text that stands on lines."""
    return {"facecolor": colours().ground, "edgecolor": "none", "alpha": opacity, "pad": em(0.08)}


def draw_edge_arrow(axes: Axes, side: str, place: float, text: str) -> list[Artist]:
    """Draw an arrow at the frame for a step that left it, with the step's number and weight beside.

    ``place`` is where along the side, in axes fractions.
    """
    tip, tail, words_at, align = {
        "left": ((0.0, place), (0.07, place), (0.08, place), "left"),
        "right": ((1.0, place), (0.93, place), (0.92, place), "right"),
        "top": ((place, 1.0), (place, 0.9), (place, 0.94), ""),
        "bottom": ((place, 0.0), (place, 0.1), (place, 0.06), ""),
    }[side]
    if not align:  # beside the arrow, where there is more room
        align = "left" if place < 0.5 else "right"
        words_at = (place + (0.03 if place < 0.5 else -0.03), words_at[1])
    colour = colours().path
    arrow = axes.annotate(
        "", xy=tip, xytext=tail, xycoords="axes fraction",
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": em(0.17), "mutation_scale": em(1.4)},
        annotation_clip=False, zorder=8,
    )  # fmt: skip
    words = axes.text(
        *words_at, text, transform=axes.transAxes, ha=align, va="center", zorder=8, bbox=backing(0.9),
    )  # fmt: skip
    return [arrow, words]


def axes_size(figure: Figure) -> tuple[float, float]:
    """Return about how many ems wide and high the only axes of a figure will be, rather less than more."""
    taken = 9.0 if room(figure) >= NARROW else 12.0  # by title, legend, labels and caption
    return room(figure) - 5.0, max(4.0, 72 * float(figure.get_figheight()) / em(1) - taken)


def panels(figure: Figure, number: int, name: str = "") -> list[Axes]:
    """Return axes side by side, or below each other where the figure is narrow, which then grows taller.

    ``name`` is that of the horizontal axis, where they share it.
    """
    if room(figure) >= NARROW:
        found = list(figure.subplots(1, number, squeeze=False, sharex=bool(name))[0])
    else:
        figure.set_figheight(figure.get_figheight() * (1 + 0.5 * (number - 1)))
        found = list(figure.subplots(number, 1, squeeze=False, sharex=bool(name))[:, 0])
    for axes in () if not name else found if room(figure) >= NARROW else found[-1:]:
        axes.set_xlabel(name)
    return found


def few_steps(axes: Axes, last: int, share: float = 1.0) -> None:
    """Put as many round step numbers below axes as stand apart on this share of the figure's width."""
    from matplotlib.ticker import MaxNLocator

    figure = axes.get_figure(root=True)
    assert figure is not None
    each = width(str(last)) + 2.0
    most = int((share * room(figure) - 5.0) / each)
    axes.xaxis.set_major_locator(MaxNLocator(min(6, max(1, most)), integer=True))


def legend_above(axes: Axes) -> None:
    """Put the entries of axes into the legend between the figure's title and its axes."""
    from gdsim.plots.rows import legend_row

    figure = axes.get_figure(root=True)
    assert figure is not None
    legend_row(figure, *axes.get_legend_handles_labels())


def legend_beside(figure: Figure, axes: Axes) -> None:
    """Put the legend to the right of the axes, or above them where the figure is narrow."""
    if room(figure) < NARROW:
        legend_above(axes)
    else:
        entries = axes.get_legend_handles_labels()
        figure.legend(*entries, loc="outside right center", frameon=False, handlelength=1.4)
