"""Figures of a run: pure functions run → matplotlib ``Figure``, never pyplot, no global state."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gdsim.runs import Run

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
