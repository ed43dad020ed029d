"""The Goldilocks learning rate: the one with which a run needs the fewest steps, and the stretch round it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim import critical
from gdsim.markup import coordinates, paragraph, table
from gdsim.outcomes import Fault, InputError
from gdsim.runs.composition import compose, loss_of
from gdsim.scenario import Scenario
from gdsim.scenario.axes import variant, with_only
from gdsim.sweeps.design import Design
from gdsim.sweeps.execution import complete
from gdsim.sweeps.report import Stability, at_rest, best_run, settled, stability
from gdsim.sweeps.result import SweepResult
from gdsim.sweeps.work import Worker
from gdsim.verdicts.story import stable_factor

Rates: TypeAlias = NDArray[np.float64]

COARSE, FINE = 241, 161  # rates over the whole range, and round the best of them
_DECADES = 4.0  # below the limit of theory, or below and above the scenario's own rate
_BEYOND = 2.5  # times the limit of theory


class Tuned(NamedTuple):
    """What tuning found.

    Attributes
    ----------
    result
        The sweep over the learning rate, whose steps are the profile.
    best
        The number of the best run in it.
    stability
        The stretch of rates round it with which the run settles.
    """

    result: SweepResult
    best: int
    stability: Stability | None

    @property
    def learning_rate(self) -> float:
        """The Goldilocks rate."""
        return float(self.result.axes[0].values[self.best])

    @property
    def reached(self) -> bool:
        """Whether the run came to rest, at the tolerance, before its steps ran out."""
        return bool(at_rest(self.result)[self.best])

    @property
    def steps(self) -> int:
        """The steps that it takes."""
        return int(self.result.columns["steps"][self.best])

    def __repr__(self) -> str:
        """What Python's prompt shows: the rate, and the steps that it takes."""
        return f"<Tuned: learning rate {self.learning_rate:.6g}, {self.steps} step{'s' * (self.steps != 1)}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the rate, the stretch round it, and how the runs of the search ended."""
        ended = (
            f" settles in {self.steps} step{'s' * (self.steps != 1)}."
            if self.reached
            else " leaves the lowest loss."
        )
        best = paragraph(ended, strong=f"Learning rate {self.learning_rate:.6g}")
        if self.stability is None:
            return best + self.result._repr_html_()
        low, high = self.stability.lowest, self.stability.largest
        around = paragraph(f"With rates from {low:.6g} to {high:.6g} the run settles.")
        heads = ["minimum", "largest curvature L", "limit of theory"]
        limits = [
            [coordinates(one["weight"]), one["curvature"], one["limit"]] for one in self.stability.limits
        ]
        return best + around + table(heads, limits) + self.result._repr_html_()


def tune(scenario: Scenario, out: str | Path | None = None) -> Tuned:
    """Find the learning rate with which a scenario's run settles in the fewest steps.

    Where its steps run out with every rate, it is the rate that leaves the lowest loss.

    A sweep over the rate, evenly in the logarithm, then a finer one round its best; both are put together
    and stored like any sweep.

    Parameters
    ----------
    scenario
        Its own axes and its own rate do not count.
    out
        The folder below which the sweep's folder is written; None: nothing is.

    Raises
    ------
    InputError
        Where no rate lets the run settle at a low point.

    Notes
    -----
    Cost: some 650 runs of the scenario, the coarse rates twice.
    """
    coarse, special = _range(scenario)
    rates = _with_finer(scenario, np.unique([*coarse, *special]))
    named = variant(scenario, {"name": f"{scenario.name}-tune"})
    result = complete(with_only(named, {"learning_rate": rates}), "numpy", out)
    best = best_run(result)
    if best is None or not settled(result)[best]:
        low, high = rates[0], rates[-1]
        message = f"with no learning rate from {low:.3g} to {high:.3g} does the run settle"
        raise InputError(Fault(message, "more steps (-S stopping.max_steps=…), or another start"))
    return Tuned(result, best, stability(result, best))


def _range(scenario: Scenario) -> tuple[Rates, list[float]]:
    """Rates from far below to beyond the limit of theory, and those that deserve a look of their own.

    These are the scenario's own rate, and 1/L of each minimum, with which gradient descent needs one step on
    a parabola. Without a limit of theory the range lies round the scenario's own rate.
    """
    factor = stable_factor(compose(scenario))
    search = critical.find(loss_of(scenario), scenario.domain)
    sharpest = [
        max(point.curvature)
        for point in search.critical_points
        if point.kind == "minimum" and max(point.curvature, default=0.0) > 0
    ]
    own = scenario.learning_rate.initial or 1.0
    special = [own, *(1.0 / curvature for curvature in sharpest)]
    low, high = own * 10.0**-_DECADES, own * 10.0**_DECADES
    if factor is not None and sharpest:
        low, high = factor / max(sharpest) * 10.0**-_DECADES, _BEYOND * factor / min(sharpest)
    return np.geomspace(low, high, COARSE), special


def _with_finer(scenario: Scenario, coarse: Rates) -> tuple[float, ...]:
    """Put finer rates between the neighbours of the best coarse one."""
    design = Design.of(with_only(scenario, {"learning_rate": tuple(coarse.tolist())}))
    columns = Worker(design).compute(np.arange(design.runs))
    best = best_run(SweepResult(scenario, "grid", (), columns))
    if best is None:
        return tuple(coarse.tolist())
    low, high = coarse[max(best - 2, 0)], coarse[min(best + 2, len(coarse) - 1)]
    return tuple(np.unique(np.concatenate([coarse, np.linspace(low, high, FINE)])).tolist())
