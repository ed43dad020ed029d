"""The kinds of figures: which there are, what each shows, and what it suits.

A kind ``k`` of a run is the function ``k`` of the module ``gdsim.plots.k``, one of a sweep that of
``gdsim.plots.sweeps.k``; they are imported when they are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdsim.runs import Run
    from gdsim.sweeps.result import AxisValues, SweepResult


def _always(run: Run) -> bool:
    return True


def _has_formula(run: Run) -> bool:
    return run.loss.expression is not None


def _has_ruler(run: Run) -> bool:
    return run.ruler is not None


@dataclass(frozen=True)
class Plot:
    """A kind of figure of a run.

    Attributes
    ----------
    summary
        What it shows.
    weights
        The numbers of weights that it can show; None: any.
    suits
        Whether it can show this run, apart from the number of weights.
    needs
        What ``suits`` asks for, in words.
    stepwise
        Whether it can be built up step by step.
    default
        Whether ``gdsim run`` draws it by itself.
    several
        Whether it shows several runs in one figure.
    counts
        What a build-up counts: steps, or something else.
    film
        The function of the module that is filmed, where it is not the one that draws.
    """

    summary: str
    weights: tuple[int, ...] | None = None
    suits: Callable[[Run], bool] = _always
    needs: str = ""
    stepwise: bool = False
    default: bool = False
    several: bool = False
    counts: str = "step"
    film: str = ""

    def refusal(self, run: Run) -> str:
        """Return why this kind cannot show a run; empty where it can."""
        if self.weights is not None and len(run.loss.weights) not in self.weights:
            needed = " or ".join(map(str, self.weights))
            return f"shows {needed} weight(s), this run has {len(run.loss.weights)}"
        return "" if self.suits(run) else f"needs {self.needs}"


@dataclass(frozen=True)
class SweepPlot:
    """A kind of figure of a sweep: what it shows, which sweeps it suits, and by what it can be coloured."""

    summary: str
    suits: Callable[[SweepResult], bool]
    by: tuple[str, ...] = ("",)


def drawing(kind: str, room: str = "gdsim.plots", name: str = "") -> Callable[..., Any]:
    """Return the function that draws a kind, or another one of its module."""
    function: Callable[..., Any] = getattr(import_module(f"{room}.{kind}"), name or kind)
    return function


def _suits_cobweb(run: Run) -> bool:
    """Whether every step is the same function of the weight, and each is recorded."""
    batch, rule, rate = run.batch, run.batch.rule, run.trajectory.learning_rate[:, 0]
    plain = batch.noise is None and batch.clip is None and batch.line_search is None
    same = rule.rule.name in ("gradient_descent", "sign_descent") and not rule.options.get("weight_decay")
    return same and plain and bool((rate == rate[0]).all()) and _every_step(run)


def _every_step(run: Run) -> bool:
    return run.batch.record_every == 1


PLOTS: dict[str, Plot] = {
    "curve": Plot(
        "the loss with the steps walking on it, and its critical points",
        weights=(1,), stepwise=True, default=True,
    ),
    "zoom": Plot(
        "the limit that defines the derivative: narrower and narrower windows round a weight",
        weights=(1,), stepwise=True, counts="window", film="zoom_film",
    ),
    "derivative": Plot(
        "the loss, its slope and its curvature above each other: where the weight moves left, where right",
        weights=(1,), stepwise=True,
    ),
    "cobweb": Plot(
        "descent as a map from weight to weight, with its fixed points and the cobweb of the run",
        weights=(1,), suits=_suits_cobweb, stepwise=True,
        needs="gradient descent or sign descent with one learning rate, without noise, clipping, line search "
        "or weight decay, every step recorded",
    ),
    "contour": Plot(
        "the loss as a map, with the path across it and arrows that point downhill",
        weights=(2,), stepwise=True, default=True,
    ),
    "surface": Plot(
        "the loss as a landscape, with the path upon it and its map on the floor",
        weights=(2,), stepwise=True,
    ),
    "phase": Plot(
        "the next step against the weight: how a run comes to rest, circles or runs away",
        suits=_every_step, needs="every step recorded", stepwise=True,
    ),
    "convergence": Plot(
        "loss, gradient and distance against the step number, with the theoretical rate",
        stepwise=True, default=True,
    ),
    "ruler": Plot(
        "the bands of the learning rate up to 2/L and beyond, with the run's own rate and its factor",
        suits=_has_ruler, needs="a run that settled at a minimum by gradient descent or with momentum",
    ),
    "race": Plot(
        "several runs side by side, each given as many gradients as the others",
        several=True,
    ),
    "sharpness": Plot(
        "the curvature along the path against 2/η: the edge of stability",
        stepwise=True,
    ),
    "vcurve": Plot(
        "the error of difference formulas against their step: truncation, rounding and the best step",
        suits=_has_formula, needs="a formula, to know the exact derivative",
    ),
}  # fmt: skip


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
        "what became of the runs over two axes, as a map with the limit 2/L; a third axis gives panels",
        _suits_atlas,
        by=("verdict", "basin", "steps", "loss"),
    ),
    "profile": SweepPlot(
        "steps to settle against the learning rate, with the Goldilocks rate",
        _suits_profile,
    ),
    "bifurcation": SweepPlot(
        "the last weights against one axis: settled points, cycles, bands of chaos",
        _suits_bifurcation,
    ),
    "ensemble": SweepPlot(
        "many seeds: the median and bands of quantiles of the final loss, the steps or the whole descent",
        _suits_ensemble,
    ),
}
