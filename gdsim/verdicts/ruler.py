"""The learning-rate ruler: how η stands against 1/L and 2/L, and whether the run agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gdsim.batch import Batch, Trajectory
from gdsim.outcomes import Search, Verdict
from gdsim.verdicts.sentences import number

Band = Literal["monotone", "oscillating", "diverging"]


@dataclass(frozen=True)
class Ruler:
    """The learning-rate ruler of a run that settled at a minimum.

    Near a minimum with largest curvature L, gradient descent multiplies the distance by 1 − ηL: it
    approaches from one side below 1/L, alternates between 1/L and 2/L, and is thrown out above 2/L. With
    heavy-ball momentum β the limit is 2(1 + β)/L, with Nesterov's 2(1 + β)/((1 + 2β)L).

    Attributes
    ----------
    at
        The minimum.
    learning_rate
        η at the end of the run.
    curvature
        L, the largest eigenvalue of the Hessian there.
    one_over_curvature, two_over_curvature
        1/L and 2/L, in the unit of η.
    bound
        The largest stable η for the run's rule.
    band
        Where η stands.
    agrees
        Whether the run did what the band says.
    sentence
        The same in words.

    Notes
    -----
    Source: B. T. Polyak, Introduction to Optimization (1987), §1.4 and §3.2; for Nesterov's bound the roots of
    z² − (1 + β)(1 − ηL)z + β(1 − ηL) on the unit circle.
    """

    at: Mapping[str, float]
    learning_rate: float
    curvature: float
    one_over_curvature: float
    two_over_curvature: float
    bound: float
    band: Band
    agrees: bool
    sentence: str

    def summary(self) -> dict[str, Any]:
        """Return the ruler as plain data."""
        return {
            "at": dict(self.at),
            "learning_rate": self.learning_rate,
            "curvature": self.curvature,
            "one_over_curvature": self.one_over_curvature,
            "two_over_curvature": self.two_over_curvature,
            "bound": self.bound,
            "band": self.band,
            "agrees": self.agrees,
            "sentence": self.sentence,
        }


def ruler(batch: Batch, trajectory: Trajectory, search: Search, verdict: Verdict, run: int = 0) -> Ruler | None:
    """Return the ruler of a run, or None without a settled minimum or for a rule that 2/L does not speak about.

    Cost: none beyond the run; the curvature is that of the critical point.
    """
    at = verdict.evidence.get("at")
    if verdict.kind != "minimum" or not isinstance(at, Mapping):
        return None
    curvature = next((max(p.curvature) for p in search.critical_points if p.weight == at and p.curvature), 0.0)
    factor = _stable_factor(batch)
    if factor is None or not curvature > 0:
        return None
    rate = float(trajectory.final_learning_rate[run])
    one, bound = 1.0 / curvature, factor / curvature
    band: Band = "monotone" if rate <= one else "oscillating" if rate < bound else "diverging"
    agrees, words = _agreement(batch, trajectory, at, band, run)
    limit = "2/L" if factor == 2.0 else "the limit of this rule,"
    sentence = {
        "monotone": f"η = {number(rate)} is at most 1/L = {number(one)}: steps do not overshoot near the minimum",
        "oscillating": f"η = {number(rate)} lies between 1/L = {number(one)} and {limit} {number(bound)}: steps "
        "overshoot, and still come closer",
        "diverging": f"η = {number(rate)} is above {limit} {number(bound)}: near this minimum steps lead away",
    }[band]
    return Ruler(dict(at), rate, curvature, one, 2.0 / curvature, bound, band, agrees, f"{sentence}; {words}.")


def _stable_factor(batch: Batch) -> float | None:
    """Return the c of the limit c/L, or None where there is none."""
    rule, options = batch.rule.rule, batch.rule.options
    if options.get("weight_decay") or options.get("dampening"):
        return None
    if rule.name == "gradient_descent":
        return 2.0
    if rule.name == "momentum":
        return 2.0 * (1.0 + options["momentum"])
    if rule.name == "nesterov":
        return 2.0 * (1.0 + options["momentum"]) / (1.0 + 2.0 * options["momentum"])
    return None


def _agreement(
    batch: Batch, trajectory: Trajectory, at: Mapping[str, float], band: Band, run: int
) -> tuple[bool, str]:
    """Compare the band with the last records: sides changed, or not; and the run did settle."""
    if band == "diverging":
        return False, "yet the run settled, which noise or a lucky landing can do"
    plain = batch.rule.rule.name == "gradient_descent" and batch.noise is None and batch.record_every == 1
    if not plain or len(trajectory.weights) > 1:
        return True, "the run settled, as it should"
    (centre,) = at.values()
    side = trajectory.weight[:, 0, run] - centre
    side = side[np.isfinite(side) & (np.abs(side) > 1e-12 * max(1.0, abs(centre)))][-8:]
    if side.size < 3:
        return True, "the run landed there almost at once"
    alternates = bool((side[1:] * side[:-1] < 0).all())
    one_sided = bool((side[1:] * side[:-1] > 0).all())
    if band == "monotone":
        return one_sided, "the run came in from one side" if one_sided else "yet the run changed sides"
    return alternates, "the run alternated" if alternates else "yet the run did not alternate"
