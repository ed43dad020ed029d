"""Figures of runs and of sweeps: pure functions → matplotlib ``Figure``, never pyplot, no global state."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gdsim.runs import Run
    from gdsim.sweeps.result import AxisValues, SweepResult

Format = Literal["svg", "pdf", "png"]


@dataclass(frozen=True)
class Plot:
    """A kind of figure: how it is drawn and which runs it suits."""

    draw: Callable[[Run], Figure]
    summary: str
    weights: tuple[int, ...] | None = None  # the numbers of weights it can show; None: any

    def suits(self, run: Run) -> bool:
        """Tell whether this kind can show the run."""
        return self.weights is None or len(run.loss.weights) in self.weights


def draw(run: Run, kind: str) -> Figure:
    """Draw one figure of a run in the lecture style.

    Raises
    ------
    InputError
        For an unknown kind, or one that cannot show this run.
    """
    from gdsim.outcomes import Fault, InputError, nearest

    if kind not in PLOTS:
        raise InputError(
            Fault(f"unknown kind of figure {kind!r}", " | ".join(PLOTS), nearest(kind, [*PLOTS]))
        )
    plot = PLOTS[kind]
    if not plot.suits(run):
        needed = " or ".join(map(str, plot.weights or ()))
        raise InputError(
            Fault(f"{kind} shows {needed} weight(s), this run has {len(run.loss.weights)}", "convergence")
        )
    import matplotlib
    import numpy as np

    from gdsim.plots.style import LECTURE

    with matplotlib.rc_context(LECTURE), np.errstate(all="ignore"):
        return plot.draw(run)


@dataclass(frozen=True)
class SweepPlot:
    """A kind of figure of a sweep: how it is drawn, which sweeps it suits, and by what it can be coloured."""

    draw: Callable[[SweepResult, Sequence[str], str], Figure]
    summary: str
    suits: Callable[[SweepResult], bool]
    by: tuple[str, ...] = ("",)


def draw_sweep(
    result: SweepResult,
    kind: str,
    *,
    by: str = "",
    axes: Sequence[str] = (),
    fix: Mapping[str, float | str] | None = None,
) -> Figure:
    """Draw one figure of a sweep in the lecture style.

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

    Raises
    ------
    InputError
        For an unknown kind, colouring or axis, and for axes too many, with ``axis=value`` to fix.
    """
    from gdsim.outcomes import Fault, InputError, nearest

    if kind not in SWEEP_PLOTS:
        known = [*SWEEP_PLOTS]
        raise InputError(
            Fault(f"unknown kind of sweep figure {kind!r}", " | ".join(known), nearest(kind, known))
        )
    plot = SWEEP_PLOTS[kind]
    if by and by not in plot.by:
        colourings = " | ".join(filter(None, plot.by)) or "no colouring"
        raise InputError(
            Fault(f"{kind} has no colouring by {by!r}", colourings, nearest(by, plot.by), path="by")
        )
    import matplotlib
    import numpy as np

    from gdsim.plots.style import LECTURE
    from gdsim.plots.sweeps.cut import fix as fixed

    with matplotlib.rc_context(LECTURE), np.errstate(all="ignore"):
        return plot.draw(fixed(result, fix or {}), axes, by or plot.by[0])


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


def default_sweep_files(result: SweepResult, figures: Sequence[str] = ()) -> dict[str, bytes]:
    """Return the figures that suit a sweep, or those asked for, as file name → bytes.

    Parameters
    ----------
    result
        The sweep.
    figures
        ``kind`` or ``kind:by`` each, such as ``atlas:loss``.
    """
    from gdsim.plots.sweeps.defaults import files

    return files(result, figures)


def default_kinds(run: Run) -> tuple[str, ...]:
    """Return the kinds that suit a run, in the order in which a lecturer shows them."""
    return tuple(kind for kind, plot in PLOTS.items() if plot.suits(run))


def default_files(run: Run) -> dict[str, bytes]:
    """Return the figures that ``gdsim run`` writes, as file name → bytes."""
    return {f"{kind}.svg": render(draw(run, kind), "svg") for kind in default_kinds(run)}


def render(figure: Figure, format: Format = "svg") -> bytes:
    """Return a figure as bytes; the same figure gives the same bytes.

    Dates and program names are left out of the metadata for that reason.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from gdsim.plots.style import LECTURE

    left_out = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}
    FigureCanvasAgg(figure)
    target = io.BytesIO()
    with matplotlib.rc_context(LECTURE):
        figure.savefig(target, format=format, metadata=left_out[format])
    return target.getvalue()


def _curve(run: Run) -> Figure:
    from gdsim.plots.curve import curve

    return curve(run)


def _convergence(run: Run) -> Figure:
    from gdsim.plots.convergence import convergence

    return convergence(run)


def _contour(run: Run) -> Figure:
    from gdsim.plots.contour import contour

    return contour(run)


PLOTS: dict[str, Plot] = {
    "curve": Plot(_curve, "the loss with the steps walking on it, and its critical points", weights=(1,)),
    "contour": Plot(_contour, "the loss as a map, with the path across it", weights=(2,)),
    "convergence": Plot(_convergence, "loss and gradient against the step number, with the theoretical rate"),
}


def _atlas(result: SweepResult, axes: Sequence[str], by: str) -> Figure:
    from gdsim.plots.sweeps.atlas import atlas

    return atlas(result, axes, by)


def _profile(result: SweepResult, axes: Sequence[str], by: str) -> Figure:
    from gdsim.plots.sweeps.profile import profile

    return profile(result, axes, by)


def _bifurcation(result: SweepResult, axes: Sequence[str], by: str) -> Figure:
    from gdsim.plots.sweeps.bifurcation import bifurcation

    return bifurcation(result, axes, by)


def _ensemble(result: SweepResult, axes: Sequence[str], by: str) -> Figure:
    from gdsim.plots.sweeps.ensemble import ensemble

    return ensemble(result, axes, by)


def _suits_ensemble(result: SweepResult) -> bool:
    others = [axis for axis in result.axes if len(axis.values) > 1 and axis.path != "seed"]
    return result.method == "grid" and _seeds(result) and len(others) < 2


def _seeds(result: SweepResult) -> bool:
    return any(axis.path == "seed" and len(axis.values) > 1 for axis in result.axes)


def _suits_profile(result: SweepResult) -> bool:
    return any(axis.path in ("learning_rate", "learning_rate.initial") for axis in _numeric(result))


def _suits_bifurcation(result: SweepResult) -> bool:
    return bool(_numeric(result))


def _numeric(result: SweepResult) -> list[AxisValues]:
    """The axes of numbers with more than one value, the seed left out."""
    return [
        axis for axis in result.axes if len(axis.values) > 1 and not axis.categorical and axis.path != "seed"
    ]


def _suits_atlas(result: SweepResult) -> bool:
    return result.method == "grid" and sum(len(axis.values) > 1 for axis in result.axes) in (2, 3)


SWEEP_PLOTS: dict[str, SweepPlot] = {
    "atlas": SweepPlot(
        _atlas,
        "what became of the runs over two axes, as a map with the limit 2/L; a third axis gives panels",
        _suits_atlas,
        by=("verdict", "basin", "steps", "loss"),
    ),
    "profile": SweepPlot(
        _profile,
        "steps to settle against the learning rate, with the Goldilocks rate",
        _suits_profile,
    ),
    "bifurcation": SweepPlot(
        _bifurcation,
        "the last weights against one axis: settled points, cycles, bands of chaos",
        _suits_bifurcation,
    ),
    "ensemble": SweepPlot(
        _ensemble,
        "many seeds: the median and bands of quantiles of the final loss, the steps or the whole descent",
        _suits_ensemble,
    ),
}
