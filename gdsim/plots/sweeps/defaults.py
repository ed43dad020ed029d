"""Which figures suit a sweep, and their files."""

from __future__ import annotations

from collections.abc import Sequence

from gdsim.outcomes import CriticalPoint
from gdsim.plots import SWEEP_PLOTS, Format, Look, atlas_png, sweep_picture
from gdsim.plots.sweeps.cut import arrived, varying
from gdsim.plots.sweeps.limits import reached
from gdsim.sweeps.result import SweepResult

_CELLS = 100_000  # up to which an atlas is an SVG


def kinds(result: SweepResult) -> tuple[str, ...]:
    """Return the kinds that suit a sweep, in the order in which a lecturer shows them.

    A grid of two or three axes is shown as an atlas, one axis as profile and bifurcation, seeds as ensemble;
    a profile only where runs settled, and with a line for each word where the other axis is one of words.
    """
    axes = [axis for axis in varying(result) if axis.path != "seed"]
    seeds = len(axes) < len(varying(result))
    numbers = [axis for axis in axes if not axis.categorical]
    alone = len(numbers) == 1 and len(axes) <= 2  # beside it at most words, such as update rules
    wanted = {
        "atlas": not seeds,
        "profile": (alone or result.method != "grid") and bool(arrived(result).any()),
        "bifurcation": len(axes) == 1 and not seeds,
        "ensemble": seeds,
    }
    return tuple(kind for kind, plot in SWEEP_PLOTS.items() if wanted.get(kind, True) and plot.suits(result))


def files(result: SweepResult, wanted: Sequence[str] = (), look: Look | None = None) -> dict[str, bytes]:
    """Return figures as file name → bytes: those asked for, as ``kind`` or ``kind:by``, or those that suit.

    What is not asked for is as the scenario states it. Atlases of more than 100,000 runs are PNG; over two
    axes one with a pixel for each run stands beside it.
    """
    from gdsim.plots.files import file_name, wish_of

    wish = wish_of(result.scenario)
    look = wish.look if look is None else look
    stated = [one for one in wish.kinds if SWEEP_PLOTS[one.partition(":")[0]].suits(result)]
    found: dict[str, bytes] = {}
    for figure in wanted or stated or figures(result):
        kind, _, by = figure.partition(":")
        large = kind == "atlas" and result.runs > _CELLS
        stem = figure.replace(":", "-")
        formats: Sequence[Format] = ("png",) if large else wish.formats
        for format_ in formats:
            found[file_name(stem, look, format_)] = sweep_picture(result, kind, format_, by=by, look=look)
        if large and len(varying(result)) == 2:
            found[f"{stem}-pixels.png"] = atlas_png(result, by or "verdict")
    return found


def figures(result: SweepResult) -> list[str]:
    """Return the figures that suit: atlases by verdict, steps where runs settled, basin where several."""
    found: list[str] = []
    for kind in kinds(result):
        found += [f"atlas:{by}" for by in _colourings(result)] if kind == "atlas" else [kind]
    return found


def _colourings(result: SweepResult) -> list[str]:
    minima: list[CriticalPoint] = [point for point in reached(result) if point.kind == "minimum"]
    colourings = ["verdict"]
    if len(minima) > 1:
        colourings.append("basin")
    if arrived(result).any():
        colourings.append("steps")
    return colourings
