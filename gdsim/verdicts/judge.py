"""The verdict of every run of a batch: what happened, decided from status, critical points and records.

Kinds are computed for all runs at once; the sentence, its evidence and the remedy on demand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from gdsim.batch import Batch, Trajectory
from gdsim.outcomes import Search, Status, Verdict, VerdictKind
from gdsim.verdicts.sentences import Story, told
from gdsim.verdicts.settle import NEAR, Terrain

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

LONGEST_PERIOD = 8
_SAME = 1e-7  # of the cycle's spread: closer values are the same one
_RESTING = 3.0  # standard deviations of the tail: the noise radius


@dataclass(frozen=True, eq=False)
class Verdicts:
    """The verdicts of a batch.

    Attributes
    ----------
    kinds
        For each run its verdict's kind.
    settled
        For each run the place of its critical point in ``search.critical_points``, or −1.
    period
        For each run the length of its cycle, or 0.
    """

    batch: Batch
    trajectory: Trajectory
    search: Search
    terrain: Terrain
    kinds: tuple[VerdictKind, ...]
    settled: Integers
    period: Integers

    def verdict(self, run: int = 0) -> Verdict:
        """Return the verdict of one run with sentence, evidence and remedy."""
        point = None if self.settled[run] < 0 else self.search.critical_points[self.settled[run]]
        story = Story(
            self.batch, self.trajectory, self.search, self.terrain, run, point, int(self.period[run])
        )
        return told(self.kinds[run], story)


def judge(batch: Batch, trajectory: Trajectory, search: Search) -> Verdicts:
    """Decide what happened to every run of a batch.

    Parameters
    ----------
    batch, trajectory
        What was run and what came of it.
    search
        The critical points of the loss in the domain.

    Returns
    -------
    Verdicts
        Kinds for all runs, sentences on demand.

    Notes
    -----
    Cost: for one weight one sort of the critical points and a few array operations over the runs; for
    several weights up to 60 Newton steps for each run that came to rest.
    """
    parameters = {name: float(values[0]) for name, values in batch.parameters.items()}
    terrain = Terrain(batch.loss.with_parameters(parameters), search)
    status = np.array([str(value) for value in trajectory.status])
    last = _resting_place(batch, trajectory)
    settled = terrain.settled(last)
    period = np.where(status == Status.MAX_STEPS, _period(batch, trajectory), 0)
    period[status == Status.CYCLING] = 2
    kinds = np.full(trajectory.runs, "still_moving", dtype="<U12")

    at_rest = (status == Status.CONVERGED) | (status == Status.STALLED)
    moving = (status == Status.MAX_STEPS) & (period == 0)
    near = terrain.distance(last, settled) <= (NEAR if batch.noise is None else np.inf)
    named = (at_rest | (moving & near)) & (settled >= 0)
    settled = np.where(named, settled, -1)
    for place, point in enumerate(search.critical_points):
        kinds[settled == place] = point.kind

    kinds[at_rest & (settled < 0)] = "plateau" if len(batch.loss.weights) == 1 else "undecided"
    lost = moving & (settled < 0)
    kinds[lost & _nearly_still(batch, trajectory, terrain)] = "plateau"
    kinds[lost & _still_falls(trajectory) & (not terrain.has("minimum", "kink", "flat"))] = "no_minimum"
    kinds[(period > 0)] = "cycle"
    gone = status == Status.DIVERGED
    kinds[gone] = "diverged"
    kinds[gone & trajectory.loss_fell & ~_minimum_ahead(trajectory, terrain)] = "no_minimum"
    kinds[status == Status.NONFINITE] = "nonfinite"
    return Verdicts(
        batch, trajectory, search, terrain,
        tuple(cast(VerdictKind, str(kind)) for kind in kinds), settled, period.astype(np.int64),
    )  # fmt: skip


def _resting_place(batch: Batch, trajectory: Trajectory) -> Array:
    """The final weight; with noise, the mean of the tail where the run rests within its noise."""
    weight = trajectory.final_weight
    if batch.noise is None:
        return weight
    with np.errstate(all="ignore"):
        mean, spread = np.nanmean(trajectory.tail, axis=0), np.nanstd(trajectory.tail, axis=0)
        first = np.nanmean(trajectory.tail[: trajectory.tail.shape[0] // 2], axis=0)
        rests = (np.abs(first - mean) <= _RESTING * spread).all(axis=0) & np.isfinite(mean).all(axis=0)
    return np.where(rests, mean, weight)


def _period(batch: Batch, trajectory: Trajectory) -> Integers:
    """Return for each run the shortest period from 2 to 8 that its last weights repeat, or 0."""
    tail = trajectory.tail
    found = np.zeros(trajectory.runs, dtype=np.int64)
    if batch.noise is not None or trajectory.runs == 0:
        return found
    complete = np.isfinite(tail).all(axis=(0, 1))
    spread = np.ptp(tail[-LONGEST_PERIOD:], axis=0)
    size = np.abs(tail[-LONGEST_PERIOD:]).max(axis=0)
    real = (spread > 1e-9 * np.maximum(size, 1e-300)).any(axis=0)
    for period in range(LONGEST_PERIOD, 1, -1):
        apart = np.abs(tail[period:] - tail[:-period]).max(axis=0)
        found[complete & real & (apart <= _SAME * spread).all(axis=0)] = period
    return found


def _still_falls(trajectory: Trajectory) -> Mask:
    """Whether the loss of the last record lies below that of the first."""
    result: Mask = trajectory.final_loss < trajectory.loss[0]
    return result


def _nearly_still(batch: Batch, trajectory: Trajectory, terrain: Terrain) -> Mask:
    """Whether as many steps again, at the present pace, would cover less than 1 % of the domain."""
    left = np.abs(trajectory.last_step) * batch.stopping.max_steps
    result: Mask = (left <= NEAR * terrain.width[:, None]).all(axis=0) & (trajectory.steps > 0)
    return result


def _minimum_ahead(trajectory: Trajectory, terrain: Terrain) -> Mask:
    """Whether a minimum (or kink, or flat piece) lies in the direction in which a run left."""
    result = np.zeros(trajectory.runs, dtype=bool)
    for point in terrain.search.critical_points:
        if point.kind not in ("minimum", "kink", "flat"):
            continue
        if len(terrain.loss.weights) > 1:
            return np.ones(trajectory.runs, dtype=bool)
        at = point.weight[terrain.loss.weights[0]]
        start, end = trajectory.weight[0, 0], trajectory.final_weight[0]
        result |= np.sign(at - start) == np.sign(end - start)
    return result
