"""The one door to the figures: which kinds there are, their bytes and their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdsim.plots import PLOTS, Format, Look, Stamp, draw, render
from gdsim.plots import alt_text as described
from gdsim.scenario.figures import inches, least_inches
from gdsim.slides.model import Chart, Sketch
from gdsim.slides.words import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gdsim.runs import Run
    from gdsim.slides.model import Picture, Room

__all__ = ["STYLES", "Format", "alt_text", "drawn", "kinds", "picture", "sketch", "suits"]

STYLES = ("slides", "slides-dark", "print")
#: width of the line, marker and its size, in points
_STROKES = {
    "line": (2.5, "", 0), "path": (2.0, "o", 7), "mark": (0, "D", 12), "point": (0, "D", 13),
    "band": (20, "", 0),
}  # fmt: skip
#: inches on a slide of 13.33 × 7.5, so that the text of a figure is as large there as its style says
_SIZES = {"full": "12.3x5.4", "beside": "8.2x5.3", "below": "12.3x3.6"}


def kinds() -> tuple[str, ...]:
    """Return the names of all kinds of figures of a single run."""
    return tuple(name for name, plot in PLOTS.items() if not plot.several)


def suits(run: Run, kind: str) -> bool:
    """Tell whether a kind can show a run."""
    return kind in kinds() and not refusal(run, kind)


def refusal(run: Run, kind: str) -> str:
    """Return why a kind cannot show a run, or nothing."""
    return PLOTS[kind].refusal(run) or ""


def picture(
    run: Run, kind: str, format: Format, style: str = "slides", until: int | None = None, room: Room = "full",
    space: tuple[float, float] | None = None,
) -> bytes:  # fmt: skip
    """Return a figure as bytes; the same run gives the same bytes.

    What a slide says itself is left out: title, outcome and caption. ``space`` is the width and height in
    inches that a template leaves for it.
    """
    size = _SIZES[room] if space is None else _fitting(space, inches(_SIZES[room])[0], style)
    look = Look(style=style, size=size, caption=False)
    figure = draw(run.renamed(title=""), kind, look=look, until=until)
    for text in figure.texts:
        text.set_text("")
    return render(figure, format, look, Stamp(clean(run.title), alt_text(run, kind, until), {}))


def _fitting(space: tuple[float, float], widest: float, style: str) -> str:
    """Return a size with the proportions of a space: no wider than usual, and enough for the text."""
    enough = max(least / side for least, side in zip(least_inches(style), space, strict=True))
    share = max(min(1.0, widest / space[0]), enough)
    return "x".join(f"{share * side:.3f}" for side in space)


def drawn(figure: Picture | Sketch, format: Format, style: str) -> bytes:
    """Return a picture of a deck, or a chart of it that has none, as bytes."""
    if isinstance(figure, Sketch):
        return sketch(figure.chart, format, style)
    return picture(figure.run, figure.kind, format, style, figure.until, figure.room)


def sketch(chart: Chart, format: Format, style: str = "slides") -> bytes:
    """Draw a chart as its numbers have it, for a format without native charts."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    look = Look(style=style)
    with look.applied():
        colours = rcParams["axes.prop_cycle"].by_key()["color"]
        figure = Figure(figsize=inches(_SIZES[chart.room]))
        axes = figure.add_subplot()
        for series in chart.series:
            colour = colours[(series.colour - 1) % len(colours)]
            line, marker, size = _STROKES[series.role]
            axes.plot(
                series.x, series.y, "-" if line else "", color=colour, linewidth=line, marker=marker,
                markersize=size, label="_" if series.role == "point" else series.name, solid_capstyle="butt",
            )  # fmt: skip
            if series.role == "point":
                axes.annotate(series.name, (series.x[0], series.y[0]), (0, 12), textcoords="offset points",
                              ha="center", va="bottom")  # fmt: skip
        _frame(axes, chart)
        if chart.legend:
            figure.legend(loc="outside lower center", ncols=3)
    return render(figure, format, look, Stamp(chart.y_label or chart.x_label, chart.alt, {}))


def _frame(axes: Axes, chart: Chart) -> None:
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    axes.set_xscale("log" if chart.log_x else "linear")
    axes.set_yscale("log" if chart.log_y else "linear")
    if chart.x_limits:
        axes.set_xlim(*chart.x_limits)
    if chart.y_limits:
        axes.set_ylim(*chart.y_limits)
    if not chart.y_label:  # a ruler
        axes.yaxis.set_visible(False)
        axes.spines["left"].set_visible(False)
        axes.grid(False)


def alt_text(run: Run, kind: str, until: int | None = None) -> str:
    """Return what a figure shows, in words."""
    return clean(described(run, kind, until))
