"""The learning-rate ruler: how η stands against 1/L and 2/L, and whether the run agrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from gdsim.batch import Batch, Trajectory
from gdsim.outcomes import CriticalPoint, Search, Verdict
from gdsim.verdicts.settle import Array, Terrain
from gdsim.verdicts.story import number, stable_factor

Band = Literal["monotone", "oscillating", "diverging"]
_LINEAR = 0.1  # of the largest distance: nearer to the minimum a step follows its curvature
_NOISE = 1e-9  # of the same: nearer, rounding may choose the side
_LAST = 10  # records looked at: earlier ones may have been where the curvature is another
_SMALL_SHARE = 0.1  # of the distance: what is left along the sharpest direction follows the rest
_AT_ONCE = 3  # steps


class Ruler(NamedTuple):
    """The learning-rate ruler of a run that settled at a minimum.

    Near a minimum with largest curvature L, gradient descent multiplies the distance by 1 − ηL: it
    approaches from one side below 1/L, alternates between 1/L and 2/L, and is thrown out above 2/L. With
    heavy-ball momentum β the limit is 2(1 + β)/L, with Nesterov's 2(1 + β)/((1 + 2β)L); below it the
    approach may swing at any rate.

    Attributes
    ----------
    at
        The minimum.
    learning_rate
        η at the end of the run.
    curvature
        L, the largest eigenvalue of the Hessian there: loss per weight squared.
    one_over_curvature, two_over_curvature
        1/L and 2/L, in the unit of η.
    bound
        The largest stable η for the run's rule.
    band
        Where η stands: ``"monotone"`` up to 1/L, ``"oscillating"`` up to the bound, else ``"diverging"``.
    agrees
        Whether the run did what the band says.
    sentence
        The same in words.

    Notes
    -----
    Source: B. T. Polyak, Introduction to Optimization (1987), §1.4 and §3.2; for Nesterov's bound the roots
    of z² − (1 + β)(1 − ηL)z + β(1 − ηL) on the unit circle.
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

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from gdsim.markup import coordinates, paragraph, table

        heads = ["at", "learning rate η", "largest curvature L", "1/L", "2/L", "limit", "band"]
        numbers = [self.learning_rate, self.curvature, self.one_over_curvature, self.two_over_curvature]
        row = [coordinates(self.at), *numbers, self.bound, self.band]
        return paragraph(self.sentence) + table(heads, [row])

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


def ruler(
    batch: Batch, trajectory: Trajectory, search: Search, verdict: Verdict, run: int = 0
) -> Ruler | None:
    """Return the ruler of a run.

    Returns
    -------
    Ruler or None
        None without a settled minimum in the domain whose curvature is positive and finite, and for rules
        about which 2/L says nothing: adaptive rules, Newton's, sign descent, weight decay, line search.

    Notes
    -----
    Cost: one Hessian for several weights, none for one.
    """
    factor = stable_factor(batch, run)
    at = verdict.evidence.get("at")
    point = next((p for p in search.critical_points if p.weight == at), None)
    if verdict.kind != "minimum" or factor is None or point is None or not point.curvature:
        return None
    curvature = max(point.curvature)
    if not 0.0 < curvature < float("inf"):
        return None
    rate = float(trajectory.final_learning_rate[run])
    one, bound = 1.0 / curvature, factor / curvature
    band: Band = "monotone" if rate <= one else "oscillating" if rate < bound else "diverging"
    agrees, words = _agreement(batch, trajectory, search, point, band, run)
    sentence = f"{_standing(rate, one, bound, factor, band)}; {words}."
    return Ruler(dict(point.weight), rate, curvature, one, 2.0 / curvature, bound, band, agrees, sentence)


def _standing(rate: float, one: float, bound: float, factor: float, band: Band) -> str:
    limit = f"{'2' if factor == 2.0 else number(factor)}/L = {number(bound)}"
    if band == "diverging":
        return f"η = {number(rate)} is not below {limit}: near this minimum steps lead away"
    if factor != 2.0:
        return f"η = {number(rate)} is below the limit of this rule, {limit}"
    if band == "monotone":
        return f"η = {number(rate)} is at most 1/L = {number(one)}: near the minimum steps do not overshoot"
    between = f"η = {number(rate)} lies between 1/L = {number(one)} and {limit}"
    return f"{between}: steps overshoot and still come closer"


def _agreement(
    batch: Batch, trajectory: Trajectory, search: Search, point: CriticalPoint, band: Band, run: int
) -> tuple[bool, str]:
    """Compare the band with the last records: the run settled, and changed sides at each step or at none."""
    if band == "diverging":
        return False, "yet the run settled there, which takes a lucky landing"
    if batch.rule.rule.name != "gradient_descent" or batch.noise is not None:
        return True, "and the run settled"
    along, across = _approach(batch, trajectory, search, point, run)
    if along.size < 2:
        at_once = trajectory.steps[run] <= _AT_ONCE
        return True, f"and the run {'landed on it almost at once' if at_once else 'settled'}"
    alternates = bool((along[1:] * along[:-1] < 0).all())
    one_sided = bool((along[1:] * along[:-1] > 0).all())
    if band == "monotone":
        return one_sided, "and the run came in from one side" if one_sided else "yet the run changed sides"
    if not alternates and (np.abs(along) < _SMALL_SHARE * across).all():
        return True, "and the run came in along a flatter direction"
    return alternates, "and the run came in alternating" if alternates else "yet the run did not alternate"


def _approach(
    batch: Batch, trajectory: Trajectory, search: Search, point: CriticalPoint, run: int
) -> tuple[Array, Array]:
    """The last successive records near the minimum: signed distances from it along the sharpest direction,
    and distances across."""
    names = trajectory.weights
    centre = np.array([point.weight[name] for name in names])
    direction = np.ones(1)
    if len(names) > 1:
        parameters = {name: float(values[run]) for name, values in batch.parameters.items()}
        landscape = Terrain(batch.loss.with_parameters(parameters), search).landscape
        direction = np.linalg.eigh(landscape.hessian(centre[:, None])[:, :, 0])[1][:, -1]
    away = trajectory.weight[:, :, run] - centre
    along = away @ direction
    far = float(np.nanmax(np.abs(along)))
    rounding = 1e-13 * max(float(np.abs(centre).max()), 1e-300)
    near = (np.abs(along) < _LINEAR * far) & (np.abs(along) > max(_NOISE * far, rounding))
    places = np.flatnonzero(near)
    if places.size == 0:
        return np.empty(0), np.empty(0)
    first = last = places[-1]
    while (
        first > max(0, last - _LAST + 1)
        and near[first - 1]
        and np.diff(trajectory.step_index)[first - 1] == 1
    ):
        first -= 1
    chosen = slice(first, last + 1)
    across = np.linalg.norm(away - np.outer(along, direction), axis=1)
    return along[chosen], across[chosen]
