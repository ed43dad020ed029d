"""First and second derivatives of a loss for drawing: by formula, or by differences for a Python function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gdsim.derivatives import derivative_method

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdsim.losses import Loss

    Array = NDArray[np.float64]

_STEP = 1e-5  # of the curvature of a Python function, in parts of max(1, |w|)


def gradient(loss: Loss, weight: Array) -> Array:
    """Return ∂L/∂w at weights ``(weights, places)``."""
    if loss.expression is not None:
        return loss.evaluate_gradient(weight)
    return derivative_method("numeric", scheme="central").bind(loss)(weight, {}, None).gradient


def slope(loss: Loss, places: Array) -> Array:
    """Return f′ of a loss of one weight at ``(places,)``, NaN where the loss itself is not a number.

    >>> import numpy as np
    >>> from gdsim.losses import Loss
    >>> slope(Loss.from_text("log(w)"), np.array([-1.0, 2.0]))
    array([nan, 0.5])
    """
    found: Array = gradient(loss, places[None, :])[0]
    return np.where(np.isnan(loss.evaluate(places[None, :])), np.nan, found)


def bend(loss: Loss, places: Array) -> Array:
    """Return f″ of a loss of one weight at ``(places,)``, NaN where the loss itself is not a number."""
    found = curvature(loss, places[None, :])
    return np.where(np.isnan(loss.evaluate(places[None, :])), np.nan, found)


def curvature(loss: Loss, weight: Array) -> Array:
    """Return the largest eigenvalue of the Hessian at weights ``(weights, places)``, ``(places,)``.

    With one weight it is f″. For a Python function: central differences of its gradient.
    """
    if loss.expression is not None:
        hessian = loss.evaluate_hessian(weight)
    else:
        step = _STEP * np.maximum(1.0, np.abs(weight))
        columns = []
        for row in range(len(weight)):
            move = np.zeros_like(weight)
            move[row] = step[row]
            columns.append((gradient(loss, weight + move) - gradient(loss, weight - move)) / (2 * step[row]))
        hessian = np.stack(columns)
        hessian = 0.5 * (hessian + hessian.transpose(1, 0, 2))
    sound = np.isfinite(hessian).all(axis=(0, 1))
    largest = np.full(weight.shape[1], np.nan)
    largest[sound] = np.linalg.eigvalsh(hessian[:, :, sound].transpose(2, 0, 1))[:, -1]
    return largest
