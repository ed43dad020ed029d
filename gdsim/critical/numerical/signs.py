"""Sign changes on a grid and bisection to the last bit, for many brackets at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_MOST_HALVINGS = 80


def ascending(values: Array) -> Array:
    """Return the distinct values in ascending order.

    ``np.unique`` does the same, but its first call imports ``numpy.ma``: a tenth of the start-up of a run.

    >>> ascending(np.array([2.0, 1.0, 2.0]))
    array([1., 2.])
    """
    ordered = np.sort(values, axis=None)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if ordered.size else ordered


def crossings(grid: Array, sign: Array) -> tuple[Array, Array]:
    """Return the ends of the intervals across which the sign changes from − to + or back.

    >>> crossings(np.array([0.0, 1.0, 2.0]), np.array([-1.0, 1.0, 1.0]))
    (array([0.]), array([1.]))
    """
    with np.errstate(invalid="ignore"):
        change = sign[:-1] * sign[1:] < 0
    return grid[:-1][change], grid[1:][change]


def bisect(sign: Callable[[Array], Array], left: Array, right: Array) -> tuple[Array, Array]:
    """Halve brackets until no number lies between their ends.

    Parameters
    ----------
    sign
        A function of points whose values at ``left`` and ``right`` differ; any values that compare.
    left, right
        The ends, shape (brackets,).

    Returns
    -------
    (left, right)
        Neighbouring numbers (or 80 halvings apart from the start) between which the value changes.

    Notes
    -----
    Cost: at most 81 evaluations of ``sign`` on all brackets. Bisection needs no smoothness, so that kinks
    and poles end as surely as zeros.

    Examples
    --------
    >>> low, high = bisect(lambda w: np.sign(w * w - 2), np.array([1.0]), np.array([2.0]))
    >>> bool(low[0] ** 2 < 2 <= high[0] ** 2), bool(high[0] == np.nextafter(low[0], 2))
    (True, True)
    """
    low, high = left.astype(np.float64), right.astype(np.float64)
    if low.size == 0:
        return low, high
    at_low = sign(low)
    for _ in range(_MOST_HALVINGS):
        middle = low + 0.5 * (high - low)
        inside = (middle > low) & (middle < high)
        if not inside.any():
            break
        same = sign(middle) == at_low
        low = np.where(inside & same, middle, low)
        high = np.where(inside & ~same, middle, high)
    return low, high
