"""How high a loss stands in a landscape: linearly, or pressed together where walls run away."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gdsim.plots.curve import limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_WALL = 40.0  # height of the walls over that of what matters, from which on heights are logarithmic


class Height(NamedTuple):
    """How heights are drawn: linearly, or (L − lowest)/unit on a logarithmic scale that begins linearly.

    Attributes
    ----------
    bottom, top
        The losses at the lower and the upper end; what is higher is drawn at the top.
    unit
        0 for a linear scale.
    """

    bottom: float
    top: float
    unit: float

    def __call__(self, loss: Array) -> Array:
        """Return the heights of losses, NaN where they are not finite."""
        kept: Array = np.where(np.isfinite(loss), np.clip(loss, self.bottom, self.top), np.nan)
        return kept if self.unit == 0 else np.arcsinh((kept - self.bottom) / self.unit)


def scale(values: Array, marked: Array) -> Height:
    """Return the scale of heights: all that is marked is within, a runaway wall is pressed together.

    >>> scale(np.array([0.0, 1.0, 2.0]), np.array([0.0])).unit
    0.0
    >>> scale(np.geomspace(1e-3, 1e9, 100), np.array([2.0])).unit > 0
    True
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return Height(-1.0, 1.0, 0.0)
    known = marked[np.isfinite(marked)]
    lowest = float(min([finite.min(), *known]))
    highest = float(finite.max())
    matters = float(np.quantile(finite, 0.25)) - lowest
    if matters > 0 and highest - lowest > _WALL * matters:
        return Height(lowest, min(highest, lowest + 1e8 * matters), 0.3 * matters)
    top = min(highest, limits(values, known)[1])
    return Height(lowest, top if top > lowest else lowest + 1.0, 0.0)
