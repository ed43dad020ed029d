"""Quantiles over runs, and the bands that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gdsim.plots.sweeps.legend import Entry
from gdsim.sweeps.result import Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BANDS = ((0.10, 0.90, 0.16), (0.25, 0.75, 0.32))  # from, to, opacity


def quantile(values: Column, share: float) -> Column:
    """Return the smallest value that at least this share of each column ``(runs, …)`` does not exceed.

    Infinite values stand last, so that a share of runs that never settled is told.

    >>> quantile(np.array([[3.0], [1.0], [np.inf], [2.0]]), 0.5)
    array([2.])
    """
    place = max(0, int(np.ceil(share * len(values) - 1e-9)) - 1)
    found: Column = np.sort(values, axis=0)[place]
    return found


def draw_bands(axes: Axes, x: Column, values: Column, colour: str, what: str = "seeds") -> list[Entry]:
    """Draw the bands of ``values`` ``(runs, places)`` against ``x`` and return their entries for the legend.

    A band is open above where its upper quantile is infinite, and ends where the lower one is.
    """
    top = 1e3 * max(1.0, abs(axes.get_ylim()[1]))
    entries: list[Entry] = []
    for low, high, opacity in BANDS:
        lower, upper = quantile(values, low), quantile(values, high)
        band = axes.fill_between(
            x, np.minimum(lower, top), np.minimum(upper, top), where=np.isfinite(lower), color=colour,
            alpha=opacity, linewidth=0, zorder=1.5,
        )  # fmt: skip
        text = f"{100 * low:.0f}–{100 * high:.0f} % of the {what}"
        band.set_label(text)
        entries.append((band, text))
    return entries


def finite(values: Column) -> Column:
    """Return the values with nan for what is infinite: a gap in a line."""
    return np.where(np.isfinite(values), values, np.nan)
