"""The loss, its gradient and its Hessian for arrays of weights, whether it has a formula or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdsim.losses import Loss

Array = NDArray[np.float64]

# Central differences: h ~ eps^(1/3) for the first, eps^(1/4) for the second derivative, in parts of the
# domain's width (truncation h² against round-off eps/h, or eps/h²).
_FIRST, _SECOND = 2.0**-17, 2.0**-13


@dataclass(frozen=True, eq=False)
class Slopes:
    """``value (n, points) → (points,)``, ``gradient → (n, points)``, ``hessian → (n, n, points)``.

    ``exact`` tells whether the derivatives come from a formula; ``noise`` is the relative size below
    which a gradient cannot be told from zero.
    """

    value: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    hessian: Callable[[Array], Array]
    exact: bool
    noise: float


def slopes_of(loss: Loss, width: Array) -> Slopes:
    """Return the slopes of a loss; ``width`` is the domain's extent, ``(n,)``."""
    if loss.expression is not None:
        return Slopes(loss.evaluate, loss.evaluate_gradient, loss.evaluate_hessian, True, 2.0**-40)

    def moved(weight: Array, place: int, by: float) -> Array:
        result = weight.copy()
        result[place] += by
        return result

    def gradient(weight: Array) -> Array:
        rows = []
        for place, extent in enumerate(width):
            h = extent * _FIRST
            rows.append((loss.evaluate(moved(weight, place, h)) - loss.evaluate(moved(weight, place, -h))) / (2 * h))
        return np.stack(rows)

    def hessian(weight: Array) -> Array:
        rows = []
        for place, extent in enumerate(width):
            h = extent * _SECOND
            rows.append((gradient(moved(weight, place, h)) - gradient(moved(weight, place, -h))) / (2 * h))
        result = np.stack(rows)
        return (result + result.transpose(1, 0, 2)) / 2

    return Slopes(loss.evaluate, gradient, hessian, False, 2.0**-24)
