"""Figures of runs and of sweeps: pure functions → matplotlib ``Figure``, never pyplot, no global state."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gdsim.outcomes import Fault, InputError, nearest
from gdsim.plots.kinds import PLOTS, SWEEP_PLOTS, Plot, SweepPlot, drawing
from gdsim.plots.look import SIZES, STYLES, Look
from gdsim.plots.output import FORMATS, Format, Stamp, read_stamp, render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gdsim.plots.scene import Scene
    from gdsim.runs import Run
    from gdsim.sweeps.result import SweepResult

__all__ = [
    "FORMATS", "PLOTS", "SIZES", "STYLES", "SWEEP_PLOTS", "Format", "Look", "Plot", "Stamp", "SweepPlot",
    "alt_text", "atlas_png", "build_up", "default_files", "default_kinds", "default_sweep_figures",
    "default_sweep_files", "default_sweep_kinds", "draw", "draw_sweep", "picture", "read_stamp", "render",
    "staged", "sweep_alt_text", "sweep_picture",
]  # fmt: skip


def draw(
    run: Run | Sequence[Run],
    kind: str,
    *,
    look: Look | None = None,
    until: float | None = None,
    at: Sequence[int] = (),
) -> Figure:
    """Draw one figure of a run, or of several where the kind shows several.

    Parameters
    ----------
    run
        The run; several for a kind such as ``race``.
    kind
        One of ``PLOTS``.
    look
        Style, size and caption; by default slides.
    until
        The last step shown, on the axes of the whole run.
    at
        Steps to look at closely: tangents on a curve, arrows against the gradient on a contour, the weight
        round which to zoom.

    Raises
    ------
    InputError
        For an unknown kind, style or size, a kind that cannot show this run, a step that was not recorded.
    """
    scene = staged(run, kind, look=look, at=at)
    with (look or Look()).applied():
        scene.show(scene.last if until is None else until)
    return scene.figure


def staged(
    run: Run | Sequence[Run],
    kind: str,
    *,
    look: Look | None = None,
    at: Sequence[int] = (),
    film: bool = False,
) -> Scene:
    """Return a figure that can be shown up to any step, or the one that is filmed where that is another.

    The other parameters, and errors, are those of :func:`draw`.
    """
    import numpy as np

    look = look or Look()
    plot = _plot(run, kind, at)
    runs = [run] if not isinstance(run, Sequence) else list(run)
    with look.applied(), np.errstate(all="ignore"):
        function = drawing(kind, name=plot.film if film else "")
        scene: Scene = function(runs) if plot.several else function(runs[0], tuple(at))
        if not look.caption:
            scene.figure.supxlabel("")
    return scene


def _plot(run: Run | Sequence[Run], kind: str, at: Sequence[int]) -> Plot:
    """Return a kind that can show this run, or these."""
    if kind in SWEEP_PLOTS:
        raise InputError(Fault(f"{kind} shows a sweep, not a run", " | ".join(PLOTS)))
    if kind not in PLOTS:
        raise InputError(
            Fault(f"unknown kind of figure {kind!r}", " | ".join(PLOTS), nearest(kind, [*PLOTS]))
        )
    plot = PLOTS[kind]
    runs = run if isinstance(run, Sequence) else [run]
    if len(runs) > 1 and not plot.several:
        raise InputError(Fault(f"{kind} shows one run, not {len(runs)}", "race"))
    for one in runs:
        reason = plot.refusal(one)
        if reason:
            suited = " | ".join(name for name, other in PLOTS.items() if not other.refusal(one))
            raise InputError(Fault(f"{kind} {reason}", suited))
        recorded = set(one.trajectory.step_index.tolist())
        for step in at:
            if step not in recorded:
                expected = f"a recorded step, 0 to {max(recorded)}"
                raise InputError(Fault(f"step {step} of {one.name} was not recorded", expected, path="at"))
    return plot


def picture(
    run: Run | Sequence[Run],
    kind: str,
    format: Format = "svg",
    *,
    look: Look | None = None,
    until: float | None = None,
    at: Sequence[int] = (),
    version: str = "",
) -> bytes:
    """Return one figure as bytes, stamped with what it shows; the same run gives the same bytes.

    Parameters and errors are those of :func:`draw`; ``format`` is ``svg``, ``pdf`` or ``png``, and
    ``version`` is what the stamp says of gdsim's version, by default this one.
    """
    figure = draw(run, kind, look=look, until=until, at=at)
    runs = run if isinstance(run, Sequence) else [run]
    return render(figure, format, look, _stamp(runs, kind, look or Look(), until, at, version))


def build_up(
    run: Run,
    kind: str,
    steps: Sequence[int],
    format: Format = "svg",
    *,
    look: Look | None = None,
    at: Sequence[int] = (),
) -> Iterator[tuple[int, bytes]]:
    """Yield one figure for each step, as ``(step, bytes)``, all on the same axes.

    Raises
    ------
    InputError
        As :func:`draw`, and for a kind that does not grow step by step, and a negative step.
    """
    if kind in PLOTS and not PLOTS[kind].stepwise:
        growing = " | ".join(name for name, plot in PLOTS.items() if plot.stepwise)
        raise InputError(Fault(f"{kind} does not grow step by step", growing, path="steps"))
    if any(step < 0 for step in steps):
        raise InputError(Fault(f"there is no step {min(steps)}", "steps from 0", path="steps"))
    for step in steps:
        yield step, picture(run, kind, format, look=look, until=step, at=at)


def alt_text(run: Run | Sequence[Run], kind: str, until: float | None = None) -> str:
    """Return the words that stand for a figure where it cannot be seen; errors are those of :func:`draw`."""
    from gdsim.plots.alt import alt_text as described

    runs = run if isinstance(run, Sequence) else [run]
    plot = _plot(run, kind, ())
    return " ".join(described(one, plot.summary, until, plot.counts) for one in runs)


def _stamp(
    runs: Sequence[Run], kind: str, look: Look, until: float | None, at: Sequence[int], version: str
) -> Stamp:
    from gdsim.runs.store import directory_name

    facts = {
        "kind": kind,
        "scenario": ",".join(directory_name(one.scenario) for one in runs if one.scenario is not None),
        "until": "" if until is None else f"{until:g}",
        "at": ",".join(map(str, at)),
    }
    title = " / ".join(one.title for one in runs)
    return Stamp(title, alt_text(runs, kind, until), facts | _look_facts(look, version))


def _look_facts(look: Look, version: str) -> dict[str, str]:
    """Return version and look as facts of a stamp."""
    from gdsim import __version__

    return {
        "version": version or __version__,
        "style": look.style,
        "size": look.size,
        "caption": "" if look.caption else "no",
        "live_text": "yes" if look.live_text else "",
    }


def default_kinds(run: Run) -> tuple[str, ...]:
    """Return the kinds that suit a run, in the order in which a lecturer shows them."""
    return tuple(
        kind for kind, plot in PLOTS.items() if plot.default and not plot.several and not plot.refusal(run)
    )


def default_files(run: Run, look: Look | None = None) -> dict[str, bytes]:
    """Return the figures that ``gdsim run`` writes, as file name → bytes: as the scenario states them."""
    from gdsim.plots.files import figures_of, wish_of

    wish = wish_of(run.scenario, run)
    return dict(figures_of(run, wish if look is None else wish._replace(look=look)))


def draw_sweep(
    result: SweepResult,
    kind: str,
    *,
    by: str = "",
    axes: Sequence[str] = (),
    fix: Mapping[str, float | str] | None = None,
    look: Look | None = None,
) -> Figure:
    """Draw one figure of a sweep.

    Parameters
    ----------
    result
        The sweep.
    kind
        One of ``SWEEP_PLOTS``.
    by
        What an atlas is coloured by: ``verdict``, ``basin``, ``steps`` or ``loss``.
    axes
        The paths of the axes to draw, the horizontal one first; by default those that suit.
    fix
        Values for the axes that are not to be drawn, by path; the nearest of the sweep are taken.
    look
        Style, size and caption; by default slides.

    Raises
    ------
    InputError
        For an unknown kind, colouring or axis, and for axes too many, with ``axis=value`` to fix.
    """
    import numpy as np

    from gdsim.plots.sweeps.cut import fix as fixed

    known = [*SWEEP_PLOTS]
    if kind in PLOTS:
        raise InputError(Fault(f"{kind} shows a run, not a sweep", " | ".join(known)))
    if kind not in SWEEP_PLOTS:
        raise InputError(
            Fault(f"unknown kind of sweep figure {kind!r}", " | ".join(known), nearest(kind, known))
        )
    plot = SWEEP_PLOTS[kind]
    if by and by not in plot.by:
        colourings = " | ".join(filter(None, plot.by)) or "no colouring"
        raise InputError(
            Fault(f"{kind} has no colouring by {by!r}", colourings, nearest(by, plot.by), path="by")
        )
    look = look or Look()
    with look.applied(), np.errstate(all="ignore"):
        function = drawing(kind, "gdsim.plots.sweeps")
        figure: Figure = function(fixed(result, fix or {}), axes, by or plot.by[0])
        if not look.caption:
            figure.supxlabel("")
    return figure


def sweep_picture(
    result: SweepResult,
    kind: str,
    format: Format = "svg",
    *,
    by: str = "",
    look: Look | None = None,
    version: str = "",
) -> bytes:
    """Return one figure of a sweep as bytes, stamped with what it shows.

    Parameters and errors are those of :func:`draw_sweep` and :func:`picture`.
    """
    from gdsim.sweeps.store import sweep_digest

    figure = draw_sweep(result, kind, by=by, look=look)
    facts = {
        "kind": kind,
        "by": by,
        "sweep": f"{result.scenario.name}-{sweep_digest(result.scenario)}",
    } | _look_facts(look or Look(), version)
    title = result.scenario.title or result.scenario.name
    return render(figure, format, look, Stamp(title, sweep_alt_text(result, kind), facts))


def sweep_alt_text(result: SweepResult, kind: str) -> str:
    """Return the words that stand for a figure of a sweep where it cannot be seen."""
    from gdsim.plots.alt import sweep_alt_text as described

    return described(result, SWEEP_PLOTS[kind].summary)


def atlas_png(result: SweepResult, by: str = "verdict", axes: Sequence[str] = ()) -> bytes:
    """Return the pixel-exact atlas of a sweep over two axes as PNG, one pixel a run, without decorations."""
    from matplotlib.image import imsave

    from gdsim.plots.sweeps.atlas import atlas_image

    target = io.BytesIO()
    nameless: dict[str, Any] = {"Software": None}
    imsave(target, atlas_image(result, by, axes), format="png", origin="upper", metadata=nameless)
    return target.getvalue()


def default_sweep_kinds(result: SweepResult) -> tuple[str, ...]:
    """Return the kinds that suit a sweep, in the order in which a lecturer shows them."""
    from gdsim.plots.sweeps.defaults import kinds

    return kinds(result)


def default_sweep_figures(result: SweepResult) -> list[str]:
    """Return the figures that suit a sweep, as ``kind`` or ``kind:by``."""
    from gdsim.plots.sweeps.defaults import figures

    return figures(result)


def default_sweep_files(
    result: SweepResult, figures: Sequence[str] = (), look: Look | None = None
) -> dict[str, bytes]:
    """Return the figures that suit a sweep, or those asked for, as file name → bytes.

    Parameters
    ----------
    result
        The sweep.
    figures
        ``kind`` or ``kind:by`` each, such as ``atlas:loss``.
    look
        Style, size and caption; by default slides.
    """
    from gdsim.plots.sweeps.defaults import files

    return files(result, figures, look)
