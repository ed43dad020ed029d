"""Whether runs that took all their steps still move: cycles in the tail, pace, noise, a falling loss."""

from __future__ import annotations

import numpy as np

from gdsim.batch import Batch, Trajectory
from gdsim.verdicts.settle import Array, Integers, Mask, Terrain

LONGEST_PERIOD = 8
_REPEATS = 4  # how often a period must be seen
_SAME = 1e-7  # of the cycle's spread: nearer values are the same one
_LEAST_SWING = 1e-9  # of the weight: less is no cycle but a run at its limit
_DEVIATIONS = 3.0  # the noise radius


def period_of_tail(tail: Array) -> Integers:
    """Return the shortest period from 2 to 8 that the last weights repeat four times, or 0.

    Parameters
    ----------
    tail
        The last weights, ``(32, weights, runs)``, oldest first, nan where there are none.

    Examples
    --------
    >>> period_of_tail(np.tile([1.0, 2.0, 3.0, 2.0], 8).reshape(32, 1, 1))
    array([4])
    """
    found = np.zeros(tail.shape[2], dtype=np.int64)
    with np.errstate(invalid="ignore"):
        # what repeats shows all of its spread, but for less than a millionth, within one period and a step
        whole = 2.0 * _SAME * np.ptp(tail[-LONGEST_PERIOD - 1 :], axis=0).max(axis=0)
        for period in range(LONGEST_PERIOD, 1, -1):
            # few runs come back even once, and only these are looked at closely
            back = np.abs(tail[-1] - tail[-1 - period]).max(axis=0) > whole
            some = np.flatnonzero(~back)
            last = tail[-_REPEATS * period :, :, some]
            spread = np.ptp(last, axis=0)
            swings = (spread > _LEAST_SWING * np.abs(last).max(axis=0)).any(axis=0)
            same = np.abs(last[period:] - last[:-period]).max(axis=0) <= _SAME * spread.max(axis=0)
            found[some[swings & same.all(axis=0)]] = period
    return found


def left_to_travel(batch: Batch, trajectory: Trajectory, runs: Integers) -> Array:
    """How far each weight would come with as many steps again at the present pace, ``(weights, runs)``.

    With noise the pace is that of the mean of the tail. inf for runs that took no step.
    """
    step = np.abs(trajectory.last_step[:, runs])
    if batch.noise is not None:
        tail = trajectory.tail[:, :, runs]
        half = len(tail) // 2
        drift = np.abs(tail[half:].mean(axis=0) - tail[:half].mean(axis=0)) / half
        step = np.where(np.isfinite(drift), drift, step)
    steps = trajectory.steps[runs]
    result: Array = np.where(steps > 0, step * steps, np.inf)
    return result


def still_falls(batch: Batch, trajectory: Trajectory, terrain: Terrain, runs: Integers) -> Mask:
    """Whether the last step lowered the loss; with noise, whether the second half of the tail is lower.

    A run without a step is taken to fall: were its gradient zero, it would have converged.
    """
    if batch.noise is not None:
        tail = trajectory.tail[:, :, runs]
        values = terrain.loss.evaluate(np.moveaxis(tail, 1, 0).reshape(tail.shape[1], -1)).reshape(
            len(tail), -1
        )
        half = len(tail) // 2
        lower: Mask = values[half:].mean(axis=0) < values[:half].mean(axis=0)
        return lower
    before = terrain.loss.evaluate(trajectory.previous_weight[:, runs])
    falls: Mask = (trajectory.final_loss[runs] < before) | (trajectory.steps[runs] == 0)
    return falls


def noise_radius(trajectory: Trajectory, terrain: Terrain, runs: Integers, place: Integers) -> Array:
    """Three standard deviations of the weight about its point, seen from the last steps, ``(weights, runs)``.

    Notes
    -----
    Near a minimum with curvature L noisy descent is w′ = ρw + noise with ρ = 1 − ηL, so that steps have the
    variance 2(1 − ρ) times that of the weight: sd(w) = sd(Δw)/√(2ηL). The tail itself is too short to show
    it where ηL is small. Without a positive curvature it is the tail's own deviation.
    Source: J. D. Hamilton, Time Series Analysis (1994), §3.4.
    """
    tail = trajectory.tail[:, :, runs]
    own = tail.std(axis=0)
    steps = np.diff(tail, axis=0).std(axis=0)
    curvature = np.zeros(runs.size)
    for index in sorted(set(place[place >= 0].tolist())):
        values = terrain.search.critical_points[index].curvature
        curvature[place == index] = max(min(values, default=0.0), 0.0)
    with np.errstate(all="ignore"):
        pull = trajectory.final_learning_rate[runs] * curvature
        estimate = np.where(pull > 0, steps / np.sqrt(2.0 * pull), own)
    radius: Array = _DEVIATIONS * np.maximum(estimate, own)
    return np.where(np.isfinite(radius), radius, 0.0)
