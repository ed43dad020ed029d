"""What the benchmark of sweeps runs: five losses, their starts and their learning rates.

NumPy only, so that the reference in JAX can import it with a Python that has no gdsim.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROWS = 100
BOUND = 1e8  # a run whose weight goes beyond has diverged
TOLERANCE = 1e-8  # of the gradient, in an atlas


@dataclass(frozen=True)
class Case:
    """A loss, and where it is run.

    Attributes
    ----------
    formula
        As gdsim reads it.
    weights
        The names of its weights.
    starts
        Every weight starts between these.
    rates
        Learning rates of fixed steps: with the least a run hardly moves, with the greatest it is still
        approaching its minimum after 1,000 steps, so that no engine gains by stopping early.
    atlas
        Learning rates of an atlas, from runs that do not arrive in time to runs that diverge.
    transcendental
        Whether a step costs an exponential or a sine.
    """

    name: str
    formula: str
    weights: tuple[str, ...]
    starts: tuple[float, float]
    rates: tuple[float, float]
    atlas: tuple[float, float]
    transcendental: bool


CASES = {
    case.name: case
    for case in (
        Case("quartic", "w^4 - 2*w^2 + 0.3*w", ("w",), (-2.0, 2.0), (1e-4, 3e-3), (1e-3, 1.0), False),
        Case("rastrigin", "w^2 - 10*cos(2*pi*w) + 10", ("w",), (-5.0, 5.0), (1e-5, 6e-5), (1e-5, 0.1), True),
        Case(
            "exp well", "0.5*w^2 + cos(3*w) + exp(-w^2)", ("w",),
            (-4.0, 4.0), (1e-4, 2.5e-3), (1e-3, 1.0), True,
        ),
        Case(
            "logistic", "mean(softplus(-y*(w*x + b)))", ("w", "b"),
            (-2.0, 2.0), (1e-3, 0.05), (0.1, 100.0), True,
        ),
        Case(
            "himmelblau", "(u^2 + v - 11)^2 + (u + v^2 - 7)^2", ("u", "v"),
            (-4.0, 4.0), (1e-5, 2e-4), (1e-4, 0.1), False,
        ),
    )
}  # fmt: skip


def rows() -> tuple[Array, Array]:
    """Return the columns x and y (±1) of the logistic regression; the classes overlap."""
    place = np.arange(1, ROWS + 1)
    x = 3.0 * ((place * np.sqrt(2.0)) % 1.0) - 1.5
    noise = 2.0 * ((place * np.sqrt(3.0)) % 1.0) - 1.0
    return x, np.where(x + noise > 0.2, 1.0, -1.0)


def fixed(case: Case, runs: int) -> tuple[Array, Array]:
    """Return starts ``(weights, runs)`` and learning rates ``(runs,)``, neither in the order of the other."""
    low, high = case.starts
    least, greatest = case.rates
    place = np.arange(runs)
    spread = [(place * root + 0.5 / runs) % 1.0 for root in _ROOTS[: len(case.weights)]]
    return low + (high - low) * np.stack(spread), least * (greatest / least) ** ((place + 0.5) / runs)


def atlas(case: Case, side: int) -> tuple[Array, Array]:
    """Return starts ``(1, side²)`` and learning rates ``(side²,)`` of a grid; the start runs fastest."""
    starts = np.linspace(*case.starts, side)
    rates = np.geomspace(*case.atlas, side)
    return np.tile(starts, side)[None, :], np.repeat(rates, side)


_ROOTS = (2.0**0.5, 3.0**0.5)
