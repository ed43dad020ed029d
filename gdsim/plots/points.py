"""Critical points and edge arrows, drawn alike on every figure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gdsim.outcomes import CriticalPoint, Interval, Search
from gdsim.plots.style import GREY, KINDS, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST = 0.012  # of the axes: a stretch is drawn at least so wide


def draw_critical_points(axes: Axes, points: Iterable[CriticalPoint], weights: tuple[str, ...]) -> None:
    """Mark each point by its kind: filled where certified, hollow where numerical.

    With one weight the point stands on the curve at (w, L); with two at (x, y).
    """
    named: set[str] = set()
    for point in points:
        marker, colour, name = KINDS[point.kind]
        first = point.weight[weights[0]]
        second = point.loss if len(weights) == 1 else point.weight[weights[1]]
        label = name if name not in named else "_nolegend_"
        named.add(name)
        if point.kind == "flat" and len(weights) == 1 and point.interval:
            low, high = point.interval[weights[0]]
            axes.plot(
                [low, high], [point.loss, point.loss],
                color=colour, linewidth=6, alpha=0.45, solid_capstyle="butt", label=label, zorder=3,
            )  # fmt: skip
            continue
        axes.plot(
            [first], [second],
            marker=marker, markersize=13, linestyle="none", zorder=6, label=label,
            markeredgecolor=colour, markeredgewidth=2.2,
            markerfacecolor=colour if point.proof == "certified" else "white",
        )  # fmt: skip


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
            (low, down), high - low, up - down, hatch="////", edgecolor=GREY, alpha=0.6, zorder=1.5
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


def draw_edge_arrow(axes: Axes, side: str, height: float, text: str) -> None:
    """Draw an arrow at the frame for a step that left it, with the step's number and weight.

    ``height`` is in axes fractions.
    """
    edge, inner, align = (0.0, 0.07, "left") if side == "left" else (1.0, 0.93, "right")
    axes.annotate(
        "", xy=(edge, height), xytext=(inner, height), xycoords="axes fraction",
        arrowprops={"arrowstyle": "-|>", "color": ORANGE, "linewidth": 2.4, "mutation_scale": 20},
        annotation_clip=False, zorder=8,
    )  # fmt: skip
    axes.text(
        inner + (0.01 if side == "left" else -0.01), height, text, transform=axes.transAxes,
        ha=align, va="center", color=ORANGE, fontsize=12.5, zorder=8,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.9, "pad": 2.0},
    )  # fmt: skip


def legend_above(axes: Axes) -> None:
    """Put the legend in one row above the axes, where it hides nothing."""
    count = len(axes.get_legend_handles_labels()[0])
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=min(6, count), frameon=False,
        borderaxespad=0.2, handlelength=1.4, columnspacing=1.4,
    )  # fmt: skip
