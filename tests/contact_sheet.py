"""Every kind of figure in every style on sheets to look at: ``python tests/contact_sheet.py``.

A sheet for each of a few runs (one weight, two weights, one that diverges, several together) and sweeps is
written to outputs/contact-sheets/, a row for each kind and a column for each style. ``--docs`` writes those
that docs/figures.md shows, and the palettes, to docs/figures/ too. Names of shipped scenarios may be given
instead.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import sweep_examples as examples
from colour_difference import SIGHT, seen
from PIL import Image
from shipped import executed

from gdsim.plots import PLOTS, STYLES, SWEEP_PLOTS, Look, draw, draw_sweep, render
from gdsim.plots.look import colours

ROOT = Path(__file__).parent.parent
OUT, DOCS = ROOT / "outputs" / "contact-sheets", ROOT / "docs" / "figures"
RUNS = ("double-well", "himmelblau-centre", "parabola-divergence")
TOGETHER = (("parabola", "parabola-overshoot", "parabola-too-slow"),)
SWEEPS = ("tilted", "noisy", "cube")
IN_DOCS = ("double-well", "himmelblau-centre", "tilted")
WIDTH, SMALL, GAP = 640, 200, 8  # pixels: of a figure on a sheet, in the docs, between figures
NAMES = ("loss", "path", "minimum", "maximum", "muted", "end", "seventh", "eighth")

Row = dict[str, Image.Image]  # style → picture


def rows_of_runs(names: Sequence[str]) -> Iterator[Row]:
    """Yield a row for each kind that can show a run, or several."""
    runs = [executed(name) for name in names]
    for kind, plot in PLOTS.items():
        if plot.several == (len(runs) > 1) and not any(map(plot.refusal, runs)):
            shown: Any = runs if plot.several else runs[0]
            yield _row(lambda look, kind=kind, shown=shown: draw(shown, kind, look=look))


def rows_of_sweep(name: str) -> Iterator[Row]:
    """Yield a row for each kind and colouring that suits a sweep."""
    result = getattr(examples, name)()
    for kind, plot in SWEEP_PLOTS.items():
        shown = plot.suits(result) and not (len(result.axes) > 2 and kind != "atlas")
        for by in plot.by if shown else ():
            yield _row(lambda look, kind=kind, by=by: draw_sweep(result, kind, by=by, look=look))


def _row(drawn: Callable[[Look], Any]) -> Row:
    found = {}
    for style in STYLES:
        look = Look(style)
        figure = drawn(look)
        figure.set_dpi(WIDTH / figure.get_figwidth())
        with look.applied():
            figure.savefig(target := io.BytesIO(), format="png", dpi=WIDTH / figure.get_figwidth())
        found[style] = Image.open(target).convert("RGB")
    return found


def sheet(rows: Sequence[Row], width: int = WIDTH) -> Image.Image:
    """Paste rows of pictures onto one."""
    scaled = [[_within(one, width) for one in row.values()] for row in rows]
    heights = [max(one.height for one in row) + GAP for row in scaled]
    paper = Image.new("RGB", (len(STYLES) * (width + GAP) + GAP, sum(heights) + GAP), "#8C8C8C")
    top = GAP
    for row, height in zip(scaled, heights, strict=True):
        for column, one in enumerate(row):
            paper.paste(one, (GAP + column * (width + GAP), top))
        top += height
    return paper


def _within(image: Image.Image, most: int) -> Image.Image:
    scale = most / max(image.size)
    return image.resize([round(scale * side) for side in image.size], Image.Resampling.LANCZOS)


def palettes() -> Image.Image:
    """Draw the colours of the styles as they are seen: in normal sight, by dichromats, in grey print."""
    from matplotlib.figure import Figure

    sights = (*SIGHT, "grey")
    shown = ("slides", "slides-dark", "print")
    with Look("slides", "13x8").applied():
        figure = Figure()
        panels = figure.subplots(len(sights), len(shown), sharex=True, sharey=True)
        for panel, sight, style in (
            (panels[i, j], a, b) for i, a in enumerate(sights) for j, b in enumerate(shown)
        ):
            with Look(style).applied():
                found = colours()
            *series, muted = found.series
            cycle = [*series[:4], muted, found.end, *series[4:]]
            panel.set_facecolor(seen(found.ground, sight))
            panel.bar(range(8), 1, 0.8, color=[seen(colour, sight) for colour in cycle])
            panel.set(xticks=range(8), yticks=[], ylim=(0, 1.25))
            panel.set_xticks(range(8), NAMES, rotation=90)
            panel.grid(False)
            panel.tick_params(length=0)
            if sight == "normal":
                panel.set_title({"slides": "slides, paper, poster"}.get(style, style))
            if style == shown[0]:
                panel.set_ylabel(sight)
    return Image.open(io.BytesIO(render(figure, "png", Look("slides", "13x8"))))


def write(image: Image.Image, file: Path, colours: int = 0) -> None:
    """Save a picture, with few colours where it is to be small."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if colours:
        image = image.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(file, optimize=True)
    print(file.relative_to(ROOT))


def main(words: Sequence[str]) -> None:
    """Write the sheets."""
    names = [word for word in words if not word.startswith("-")]
    sheets: dict[str, Callable[[], Iterator[Row]]] = {}
    for group in [(name,) for name in names or RUNS] + ([] if names else [*TOGETHER]):
        sheets["-".join(group)] = lambda group=group: rows_of_runs(group)
    for name in () if names else SWEEPS:
        sheets[name] = lambda name=name: rows_of_sweep(name)
    for name, made in sheets.items():
        rows = [*made()]
        if not rows:
            continue
        write(sheet(rows), OUT / f"{name}.png")
        if "--docs" in words and name in IN_DOCS:
            write(sheet(rows, SMALL), DOCS / f"contact-sheet-{name}.png", 256)
    if "--docs" in words:
        palette = palettes()
        write(palette.resize((palette.width // 2, palette.height // 2)), DOCS / "palettes.png")


if __name__ == "__main__":
    main(sys.argv[1:])
