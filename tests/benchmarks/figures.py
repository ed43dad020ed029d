"""Time of a figure, warm, over a bare matplotlib script that draws the same artists in the same style.

The scripts know their run: its weights stand in arrays, every place, label and size is a number that somebody
chose by hand. Both end in the bytes of an SVG.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.patheffects import withStroke
from timing import paired, report

from gdsim.plots import Look, picture
from gdsim.runs import Run, execute
from gdsim.scenario import load

PAIRS = 15
LIMIT = 1.3
LOSS, PATH, LOW, HIGH, END, INK = "#176dcc", "#e25411", "#47a274", "#723b6c", "#e9df15", "#1b1b1b"


def finished(figure: Figure, title: str, aside: str, caption: str) -> None:
    """Put words round a figure and make an SVG of it."""
    figure.suptitle(title, x=0.012, ha="left", fontsize=21.6, fontweight="bold")
    figure.supxlabel(caption, x=0.012, ha="left", fontsize=18)
    figure.text(0.988, 0.98, aside, ha="right", va="top")
    FigureCanvasAgg(figure)
    figure.savefig(io.BytesIO(), format="svg", metadata={"Date": None, "Title": title})


def points(axes: object, places: list[tuple[float, float, str, str, str]], **more: object) -> None:
    """Draw marks, each with its colour and label."""
    for x, y, marker, colour, label in places:
        axes.plot(  # type: ignore[attr-defined]
            [x], [y], marker=marker, linestyle="none", markersize=16.7, color=colour, label=label, **more
        )


def bare_curve(run: Run) -> None:
    """The double well by hand."""
    w = run.trajectory.weight[:, 0, 0]
    loss = (w**2 - 1) ** 2
    x = np.linspace(-1.8, 1.8, 1201)
    figure = Figure()
    axes = figure.add_subplot()
    axes.plot(x, (x**2 - 1) ** 2, color=LOSS, label="loss L(w)")
    axes.set(xlim=(-1.8, 1.8), ylim=(-0.12, 1.68), xlabel="weight w", ylabel="loss")
    points(axes, [(-1, 0, "v", LOW, "minimum"), (0, 1, "^", HIGH, "maximum"), (1, 0, "v", LOW, "_nolegend_")])
    axes.plot(w, loss, "o", color=PATH, markersize=8.3, label="steps")
    points(axes, [(w[0], loss[0], "o", PATH, "start")], markeredgecolor=INK)
    for (a, b), (c, d) in pairwise(zip(w, loss, strict=True)):
        if np.hypot((c - a) / 3.6, (d - b) / 1.8) > 0.012:
            axes.add_patch(
                FancyArrowPatch(
                    (a, b), (c, d), arrowstyle="-|>", color=PATH, linewidth=2, mutation_scale=17,
                    shrinkA=5, shrinkB=5,
                )
            )  # fmt: skip
    for k in (0, 1, 2, 3):
        axes.annotate(
            str(k), (w[k], loss[k]), xytext=(0, 12.6), textcoords="offset points", ha="center",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.4},
        )  # fmt: skip
    figure.legend(loc="outside upper left", ncols=5, frameon=False)
    caption = "$L = (w^{2} - 1)^{2}$    η = 0.1    start w = 0.5    gradient descent"
    finished(figure, run.title, "minimum · 15 steps", caption)


def bare_contour(run: Run) -> None:
    """Himmelblau's function by hand."""
    path = run.trajectory.weight[:, :, 0]
    x, y = np.meshgrid(*[np.linspace(-5, 5, 161)] * 2)
    z = (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2
    levels = np.unique(np.quantile(z, np.linspace(0, 1, 18) ** 1.5))
    figure = Figure()
    axes = figure.add_subplot()
    axes.grid(False)
    filled = axes.contourf(x, y, z, levels=levels, cmap="Blues", extend="both")
    axes.contour(x, y, z, levels=levels, colors=INK, linewidths=0.65, alpha=0.3)
    bar = figure.colorbar(filled, ax=axes, pad=0.02)
    bar.set_label("loss")
    bar.set_ticks(levels[::2], labels=[f"{level:.0f}" for level in levels[::2]])
    a, b = np.meshgrid(*[np.linspace(-4.67, 4.67, 15)] * 2)
    slope = np.stack(
        [4 * a * (a**2 + b - 11) + 2 * (a + b**2 - 7), 2 * (a**2 + b - 11) + 4 * b * (a + b**2 - 7)]
    )
    axes.quiver(
        a, b, *(-slope / np.hypot(*slope)), angles="xy", scale=33, width=0.0022, headwidth=5, color=INK,
        alpha=0.35, pivot="mid",
    )  # fmt: skip
    marks = {"minimum": ("v", LOW), "maximum": ("^", HIGH), "saddle": ("s", HIGH)}
    named: set[str] = set()
    for point in run.search.critical_points:
        label = "_nolegend_" if point.kind in named else point.kind
        named.add(point.kind)
        points(
            axes, [(*point.weight.values(), *marks[point.kind], label)],
            path_effects=[withStroke(linewidth=7.2, foreground="white")],
        )  # fmt: skip
    axes.plot(*path.T, "-", color="white", linewidth=5.8, alpha=0.8)
    axes.plot(*path.T, "o-", color=PATH, linewidth=2.5, markersize=5.8, label="path")
    points(axes, [(*path[0], "o", PATH, "start")], markeredgecolor=INK)
    points(axes, [(*path[-1], "*", END, "end")], markeredgecolor=INK)
    for before, after in pairwise(path[:61]):
        if np.hypot(*(after - before)) > 0.4:
            arrow = FancyArrowPatch(
                before, after, arrowstyle="-|>", color=PATH, linewidth=2, mutation_scale=18
            )
            axes.add_patch(arrow)
    axes.set(xlim=(-5, 5), ylim=(-5, 5), xlabel="weight x", ylabel="weight y", aspect="equal")
    figure.legend(loc="outside right center", frameon=False)
    formula = "$L = (x^{2} + y - 11)^{2} + (x + y^{2} - 7)^{2}$"
    caption = f"{formula}    η = 0.01    start x = 0, y = 0    gradient descent"
    finished(figure, run.title, "minimum · 77 steps", caption)


def bare_convergence(run: Run) -> None:
    """The descent of the double well by hand."""
    w = run.trajectory.weight[:, 0, 0]
    step = np.arange(w.size)
    figure = Figure()
    panels = figure.subplots(1, 3, sharex=True)
    gap = (w**2 - 1) ** 2
    panels[0].semilogy(step, gap, "o-", color=LOSS, markersize=6.5, label="run")
    panels[0].semilogy(
        step[3:], gap[8] * 0.04 ** (step[3:] - 8.0), "--", color=LOW, label="theory: × 0.04 a step"
    )
    panels[1].semilogy(step, np.abs(4 * w * (w**2 - 1)), "o-", color=PATH, markersize=6.5)
    panels[1].axhline(1e-8, color="#625f57", linestyle=":", label="tolerance 1×10⁻⁸")
    panels[2].semilogy(step, np.abs(w - 1), "o-", color=HIGH, markersize=6.5)
    names = "loss − loss at the minimum", "largest |∂L/∂w|", "distance to the minimum"
    for axes, name in zip(panels, names, strict=True):
        axes.set(xlabel="step", ylabel=name, xticks=(0, 6, 12))
    figure.legend(loc="outside upper left", ncols=3, frameon=False)
    caption = "$L = (w^{2} - 1)^{2}$    η = 0.1    start w = 0.5    gradient descent"
    finished(figure, run.title, "minimum · 15 steps", caption)


BARE: dict[str, tuple[str, Callable[[Run], None]]] = {
    "curve": ("double-well", bare_curve),
    "contour": ("himmelblau-centre", bare_contour),
    "convergence": ("double-well", bare_convergence),
}


def in_style(draw: Callable[[Run], None], run: Run) -> Callable[[], None]:
    """Return a call that draws in the style of slides."""

    def drawn() -> None:
        with Look().applied():
            draw(run)

    return drawn


def main() -> None:
    """Print the ratio of each kind."""
    for kind, (name, draw) in BARE.items():
        run = execute(load(name))
        ours, theirs, ratio = paired(
            lambda run=run, kind=kind: picture(run, kind), in_style(draw, run), PAIRS
        )
        here = f"{kind} of {name} over bare matplotlib"
        report(here, ours, theirs, ratio, LIMIT)


if __name__ == "__main__":
    main()
