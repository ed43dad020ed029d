"""Values of an axis as positions among its cells, and ticks at round values."""

from __future__ import annotations

import math

import numpy as np

from gdsim.plots.sweeps.cut import numeric
from gdsim.plots.text import short
from gdsim.sweeps.result import AxisValues, Column

_FEW = 8  # values, each of which gets a tick of its own
_TICKS = 6
_WORDS = 16  # letters of a tick label that is a word


def positions(axis: AxisValues, values: Column | float) -> Column:
    """Return where values stand in units of cells: the first value of the axis at 0, the last at n − 1.

    Between two values of the axis the position grows evenly, in the logarithm where the axis is
    logarithmic; nan where a value lies more than half a cell outside, and everywhere on an axis whose
    values do not go one way.

    >>> axis = AxisValues("learning_rate", np.array([0.1, 1.0, 10.0]), logarithmic=True)
    >>> positions(axis, np.array([1.0, 10**0.5, 100.0]))
    array([1. , 1.5, nan])
    """
    wanted = np.asarray(values, dtype=np.float64)
    if axis.categorical or len(axis.values) < 2:
        return np.full(wanted.shape, np.nan)
    known = numeric(axis)
    if axis.logarithmic:
        with np.errstate(divide="ignore", invalid="ignore"):
            known, wanted = np.log(known), np.log(wanted)
    steps = np.diff(known)
    if (steps < 0).all():
        known, wanted, steps = -known, -wanted, -steps
    if not (steps > 0).all():
        return np.full(wanted.shape, np.nan)
    place = np.interp(wanted, known, np.arange(known.size, dtype=np.float64))
    place = np.where(wanted < known[0], (wanted - known[0]) / steps[0], place)
    place = np.where(wanted > known[-1], known.size - 1 + (wanted - known[-1]) / steps[-1], place)
    return np.where((place >= -0.5) & (place <= known.size - 0.5), place, np.nan)


def ticks(axis: AxisValues, most: int = _TICKS) -> tuple[list[float], list[str]]:
    """Return positions and labels of ticks: every value where they are few, else round values.

    >>> ticks(AxisValues("learning_rate", np.geomspace(0.001, 1, 301), logarithmic=True))
    ([0.0, 100.0, 200.0, 300.0], ['0.001', '0.01', '0.1', '1'])
    """
    count = len(axis.values)
    if axis.categorical:
        return list(map(float, range(count))), [str(v).replace("_", " ")[:_WORDS] for v in axis.values]
    values = numeric(axis)
    even = np.isfinite(positions(axis, values)).all()
    if count <= _FEW or not even:
        chosen = range(0, count, max(1, -(-count // _FEW)))
        return [float(place) for place in chosen], [short(float(values[place])) for place in chosen]
    low, high = float(values.min()), float(values.max())
    chosen_values = round_values(low, high, axis.logarithmic, most)
    where = positions(axis, np.array(chosen_values))
    return where.round(9).tolist(), [tick_words(value) for value in chosen_values]


def round_values(low: float, high: float, logarithmic: bool, most: int = _TICKS) -> list[float]:
    """Return round values between two ends, ends included: decades, 1-2-5 or even steps.

    >>> round_values(0.01, 0.6, False), round_values(0.02, 0.6, True)
    ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0.02, 0.05, 0.1, 0.2, 0.5])
    """
    if logarithmic and low > 0:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        for digits in ((1,), (1, 3), (1, 2, 5)):
            found = [
                float(f"{digit}e{power}")
                for power in range(first, last + 1)
                for digit in digits
                if low * (1 - 1e-9) <= float(f"{digit}e{power}") <= high * (1 + 1e-9)
            ]
            if len(found) >= 4:
                return found[:: -(-len(found) // (most + 1))]
        if len(found) >= 3:
            return found
    from matplotlib.ticker import MaxNLocator

    room = 1e-9 * (high - low)
    places = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(f"{value:.12g}") + 0.0 for value in places if low - room <= value <= high + room]


def tick_words(value: float) -> str:
    """Return a tick label; a power of ten is written without its 1.

    >>> tick_words(1e-6), tick_words(0.25)
    ('10⁻⁶', '0.25')
    """
    return short(value).removeprefix("1×")
