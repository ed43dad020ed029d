"""Ridders' extrapolation of the central difference, from several starting scales.

A table of central differences at h, h/2, h/4 … is extrapolated to h = 0. Started at one scale it can be
fooled: from h = 2 it finds sin′(50·4)·50 as −0.13 with a claimed error of 5·10⁻¹³, for every step is a
multiple of nearly the same phase. So it is started at four scales, and a value counts only as far as no
narrower scale contradicts it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gdsim.derivatives import Estimate, Gradient
from gdsim.derivatives.evaluation import Array, Columns, loss_values
from gdsim.derivatives.finite_differences import (
    Candidates,
    Rows,
    Sampler,
    confirmed,
    power_of_two,
    probe_spacing,
    sampler,
    scales,
    steepest,
)
from gdsim.derivatives.rounding import UNIT
from gdsim.losses import Loss

ROWS = 6
SCALES = 4
_PROBE = (-2, -1, 1, 2)


def bind(loss: Loss, step: float | None = None) -> Gradient:
    """Return the gradient by Richardson extrapolation in the manner of Ridders.

    Parameters
    ----------
    loss
        A formula or a Python callable.
    step
        The first (largest) h of a single table; None starts tables at four scales between half the larger
        and 2⁻⁹ of the smaller of 1 and \\|w\\|.

    Notes
    -----
    A table has 6 rows and costs 12 evaluations for each weight, the check at close quarters 4 for each
    weight and 1 for all: 52n + 1 evaluations for n weights, 16n + 1 with a given step. The error of an
    entry is its greatest difference from the two it was made of, plus the rounding of the loss over its
    narrowest step; the entry with the least error stands for its table.
    Source: C. J. F. Ridders, Adv. Eng. Software 4 (1982) 75–76, doi:10.1016/S0141-1195(82)80057-0.

    Examples
    --------
    >>> estimate = bind(Loss.from_text("sin(50w)"))(np.array([[4.0]]), {}, None)
    >>> bool(abs(estimate.gradient[0, 0] - 50 * np.cos(200.0)) <= estimate.error[0, 0] < 1e-9)
    True
    """
    values = loss_values(loss)
    prepare = sampler(loss, values)

    def gradient(weight: Array, parameters: Columns, data: Columns | None = None) -> Estimate:
        with np.errstate(all="ignore"):
            here = values(weight, parameters, data)
            pairs = [
                extrapolated_slope(prepare(weight, parameters, data, place), weight[place], here, step)
                for place in range(len(weight))
            ]
        tables = SCALES if step is None else 1
        count = 1 + len(weight) * (len(_PROBE) + 2 * ROWS * tables)
        return Estimate(
            np.stack([value for value, _ in pairs]),
            np.stack([error for _, error in pairs]),
            np.full(weight.shape[1], count, dtype=np.int64),
        )

    return gradient


def _starts(weight: Array, step: Array | float | None) -> list[Array | float]:
    if step is not None:
        return [step]
    large, small = scales(weight)
    first, last = large / 2.0, small * 2.0**-9
    ratio = (last / first) ** (1.0 / (SCALES - 1))
    floor = 2.0**ROWS * 8.0 * np.spacing(np.abs(weight))
    return [np.maximum(power_of_two(first * ratio**number), floor) for number in range(SCALES)]


def extrapolated_slope(
    sample: Sampler, weight: Array, here: Array, step: Array | float | None
) -> tuple[Array, Array]:
    """Return the slope along one weight and its error, both (runs,); ``here`` is the loss at the weight."""
    starts = _starts(weight, step)
    steps = [start * 2.0**-row for start in starts for row in range(ROWS)]
    spacing = probe_spacing(weight)
    points = [
        *(point for size in steps for point in (weight + size, weight - size)),
        *(weight + offset * spacing for offset in _PROBE),
    ]
    found = [*sample.at(points), here]
    points.append(weight)
    last = len(points) - 1
    noise = sample.shaken(points, found, [last - 4, last - 3, last, last - 2, last - 1])
    pairs = range(0, last - len(_PROBE), 2)
    widths = [points[up] - points[up + 1] for up in pairs]
    slopes = [(found[up] - found[up + 1]) / width for up, width in zip(pairs, widths, strict=True)]
    shaken = [(noise[up] + noise[up + 1]) / width for up, width in zip(pairs, widths, strict=True)]
    results = [
        _extrapolated(slopes[first : first + ROWS], shaken[first : first + ROWS])
        for first in range(0, len(slopes), ROWS)
    ]
    results.append(_probe_slope(points[-5:-1], found[-5:-1], noise[-5:-1]))
    candidates = Candidates(
        [value for value, _ in results],
        [error for _, error in results],
        0.0 if sample.noise is None else steepest(weight, found, noise),
    )
    return confirmed(candidates, choose_from=len(starts), trusted=sample.noise is not None)


def _probe_slope(points: Rows, found: Rows, noise: Rows) -> tuple[Array, Array]:
    """The plain central difference over the closest points, and how far it is from the next ones'."""
    outer = (found[3] - found[0]) / (points[3] - points[0])
    inner = (found[2] - found[1]) / (points[2] - points[1])
    return inner, np.abs(outer - inner) + 1.5 * (noise[2] + noise[1]) / (points[2] - points[1])


def _extrapolated(slopes: Rows, shaken: Rows) -> tuple[Array, Array]:
    """Neville's table in h²; of all entries the one with the least error.

    Parameters
    ----------
    slopes, shaken
        Central differences at h, h/2, … and the noise in each.
    """
    column, noise = slopes, shaken
    best: Array = slopes[0]
    least: Array | float = np.inf
    for level in range(1, len(slopes)):
        factor = 4.0**level
        better = [(factor * fine - coarse) / (factor - 1.0) for coarse, fine in pairwise(column)]
        noise = [(factor * fine + coarse) / (factor - 1.0) for coarse, fine in pairwise(noise)]
        for entry, own, (coarse, fine) in zip(better, noise, pairwise(column), strict=True):
            change = np.maximum(np.abs(entry - fine), np.abs(entry - coarse))
            error = change + own + 8.0 * UNIT * np.abs(entry)
            closer = error < least
            best, least = np.where(closer, entry, best), np.where(closer, error, least)
        column = better
    assert not isinstance(least, float)
    return best, least
