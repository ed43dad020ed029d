"""Round ends and distances for the ticks of an axis."""

from __future__ import annotations

import math

_UNITS = (1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
_TICKS = range(4, 9)


def nice(low: float, high: float, whole: bool = False) -> tuple[float, float, float]:
    """Return round ends that hold an interval, and the distance of the ticks between them.

    Of the distances that give four to eight of them, the one that adds the least room is taken. Where the
    interval spans zero, so do the ticks, exactly: an office program counts them off in floating point, and
    would print -2.2E-16.

    Parameters
    ----------
    whole
        Whole numbers only, as for steps.

    Examples
    --------
    >>> nice(-12.0, 12.0), nice(-1.8, 1.8), nice(0.0, 42.0)
    ((-12.0, 12.0, 3.0), (-2.0, 2.0, 0.5), (0.0, 42.0, 6.0))
    >>> nice(0.0, 2.0, whole=True)
    (0.0, 2.0, 1.0)
    """
    if not low < high:
        low, high = low - 1.0, high + 1.0
    if whole and high - low <= _TICKS[-1]:
        return float(math.floor(low)), float(math.ceil(high)), 1.0
    best: tuple[float, float, float, float] | None = None
    power = math.floor(math.log10(high - low))
    for exponent in (power - 1, power):
        for factor in _UNITS:
            unit = float(f"{factor}e{exponent}")
            first, last = math.floor(low / unit + 1e-9), math.ceil(high / unit - 1e-9)
            if last - first not in _TICKS or (whole and unit != int(unit)):
                continue
            begin = _times(first, factor, exponent)
            extent = (last - first) * unit * (1.0 if _meets_zero(begin, first, unit) else 3.0)
            if best is None or extent < best[0] * (1 - 1e-9):
                best = (extent, begin, _times(last, factor, exponent), unit)
    return best[1:] if best is not None else (low, high, (high - low) / 5)


def decimals(unit: float) -> int:
    """Return how many decimals the multiples of a unit have.

    >>> decimals(0.25), decimals(3.0)
    (2, 0)
    """
    return max(0, -math.floor(math.log10(unit))) + (f"{unit:.3e}"[2:4] == "50" and unit < 10)


def _times(count: int, factor: float, exponent: int) -> float:
    """A multiple of a unit, rounded as it is written."""
    return float(f"{count * factor:.10g}e{exponent}")


def _meets_zero(begin: float, first: int, unit: float) -> bool:
    if first >= 0:
        return True
    counted = begin
    for _ in range(-first):
        counted += unit
    return counted == 0.0 and begin - first * unit == 0.0
