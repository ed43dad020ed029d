"""Ticks whose labels stand apart, chosen when the size of the axes is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator, SymmetricalLogLocator

from gdsim.plots.look import em
from gdsim.plots.text import width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_TICKS = 9
_APART, _ABOVE = 1.5, 1.4  # ems: between two labels side by side, from one line to the next


def few_ticks(axes: Axes) -> None:
    """Put as many ticks at round values below axes as have labels that stand apart."""
    axes.xaxis.set_major_locator(_SideBySide())


def few_rows(axes: Axes) -> None:
    """Put as many ticks at round values beside axes as have labels that stand apart."""
    axes.yaxis.set_major_locator(_Stacked())


def few_powers(axes: Axes, linear: float) -> None:
    """Put ticks at powers of ten on a symmetric logarithmic upward axis, none so near that labels touch."""
    axes.yaxis.set_major_locator(_Above(linear))


class _SideBySide(MaxNLocator):
    """Round values, fewer where their labels would touch."""

    def __init__(self) -> None:
        super().__init__(_MOST_TICKS, steps=[1, 2, 2.5, 5, 10])
        self._em = em(1)  # points

    def __call__(self) -> Any:
        """Return the places of the ticks."""
        axis: Any = self.axis
        low, high = sorted(axis.get_view_interval())
        most = 72 * axis.axes.bbox.width / axis.axes.get_figure(root=True).dpi / self._em
        for bins in range(_MOST_TICKS, 0, -1):
            self.set_params(nbins=bins)
            ticks = self.tick_values(low, high)
            seen = [tick for tick in ticks if low <= tick <= high]
            labels: Sequence[str] = axis.get_major_formatter().format_ticks(seen)
            if len(labels) * (max(map(width, labels), default=0.0) + _APART) <= most:
                break
        return ticks


class _Stacked(MaxNLocator):
    """Round values, as many as lines of text fit above each other."""

    def __init__(self) -> None:
        super().__init__(_MOST_TICKS, steps=[1, 2, 2.5, 5, 10])
        self._line = _ABOVE * em(1)  # points

    def __call__(self) -> Any:
        """Return the places of the ticks."""
        axes: Any = self.axis.axes  # type: ignore[union-attr]
        lines = 72 * axes.bbox.height / axes.get_figure(root=True).dpi / self._line
        self.set_params(nbins=int(min(_MOST_TICKS, max(1.0, lines))))
        ticks = np.asarray(super().__call__(), dtype=np.float64)
        low, high = sorted(self.axis.get_view_interval())  # type: ignore[union-attr]
        seen = ticks[(ticks >= low) & (ticks <= high)]
        if seen.size > 1 and lines * (seen[1] - seen[0]) < high - low:  # even two would touch
            return seen[seen == 0] if 0 in seen else seen[:1]
        return ticks


class _Above(SymmetricalLogLocator):
    """Zero and powers of ten, the large ones first, without those whose labels would touch."""

    def __init__(self, linear: float) -> None:
        super().__init__(base=10, linthresh=linear)
        self._least = _ABOVE * em(1) / 72  # inches

    def __call__(self) -> Any:
        """Return the places of the ticks."""
        axes: Any = self.axis.axes  # type: ignore[union-attr]
        least = self._least * axes.get_figure(root=True).dpi
        ticks = np.asarray(super().__call__(), dtype=np.float64)
        heights = axes.transData.transform(np.column_stack([np.zeros_like(ticks), ticks]))[:, 1]
        kept: list[int] = []
        for place in np.argsort(-np.where(ticks == 0, np.inf, np.abs(ticks))):
            if all(abs(heights[place] - heights[other]) >= least for other in kept):
                kept.append(int(place))
        return ticks[sorted(kept)]
