"""Which axes of a sweep a figure shows, and fixing the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gdsim.outcomes import Fault, InputError, Status, nearest
from gdsim.plots.text import short
from gdsim.sweeps.result import KINDS, STATUSES, AxisValues, Column, SweepResult

RATES = ("learning_rate", "learning_rate.initial")  # both name η
_LOW_POINTS = ("minimum", "kink", "flat")  # where a descent should end
_AT_REST = (*_LOW_POINTS, "maximum", "saddle", "inflection")


def fix(result: SweepResult, values: Mapping[str, float | str]) -> SweepResult:
    """Return the part of a grid where each axis named stands at the value nearest to the one given.

    A fixed axis stays, with that one value, so that a figure can say it.

    Raises
    ------
    InputError
        For an axis that the sweep does not have, a word that is not among its values, or a number outside.
    """
    if not values:
        return result
    _require_grid(result, "fixing an axis")
    known = [axis.path for axis in result.axes]
    places: list[slice] = [slice(None)] * len(known)
    axes = list(result.axes)
    for path, value in values.items():
        if path not in known:
            raise InputError(
                Fault(f"the sweep has no axis {path!r}", " | ".join(known), nearest(path, known), path="fix")
            )
        axis = axes[known.index(path)]
        place = _place(axis, value)
        places[known.index(path)] = slice(place, place + 1)
        axes[known.index(path)] = replace(axis, values=axis.values[place : place + 1])
    columns = {name: result.grid(name)[tuple(places)].ravel() for name in result.columns}
    runs = np.arange(result.runs).reshape(result.shape)[tuple(places)].ravel()
    tail = result.tail[runs] if result.tail is not None else None
    records = result.records and {
        name: rows if name == "step" else rows[..., runs] for name, rows in result.records.items()
    }
    return replace(result, axes=tuple(axes), columns=columns, tail=tail, records=records)


def _place(axis: AxisValues, value: float | str) -> int:
    if axis.categorical:
        words = [str(word) for word in axis.values]
        if value not in words:
            message = f"{axis.path} has no value {value!r}"
            raise InputError(Fault(message, " | ".join(words), nearest(str(value), words), path="fix"))
        return words.index(str(value))
    numbers = numeric(axis)
    try:
        wanted = float(value)
    except ValueError:
        raise InputError(Fault(f"{axis.path} has numbers, not {value!r}", "a number")) from None
    low, high = float(numbers.min()), float(numbers.max())
    if not low - 1e-9 * abs(low) <= wanted <= high + 1e-9 * abs(high):
        raise InputError(
            Fault(f"{axis.path}={short(wanted)} lies outside the sweep", f"{short(low)} to {short(high)}")
        )
    return int(np.abs(numbers - wanted).argmin())


def numeric(axis: AxisValues) -> Column:
    """Return the values of an axis as floats."""
    return np.asarray(axis.values, dtype=np.float64)


def varying(result: SweepResult) -> tuple[AxisValues, ...]:
    """Return the axes with more than one value."""
    return tuple(axis for axis in result.axes if len(axis.values) > 1)


def named(result: SweepResult, path: str) -> AxisValues:
    """Return an axis by its path.

    Raises
    ------
    InputError
        Where the sweep has none of that name, or only one value of it.
    """
    for axis in varying(result):
        if axis.path == path:
            return axis
    known = [axis.path for axis in varying(result)]
    message = f"the sweep has no axis {path!r} to draw"
    raise InputError(Fault(message, " | ".join(known), nearest(path, known), path="axes"))


def rate_axis(result: SweepResult) -> AxisValues | None:
    """Return the axis of the learning rate, or None."""
    return next((axis for axis in varying(result) if axis.path in RATES), None)


def require_axes(result: SweepResult, kind: str, shown: Sequence[AxisValues], most: int) -> None:
    """Refuse axes that are neither shown nor fixed, and say how to fix them.

    Raises
    ------
    InputError
        With ``axis=value`` for each axis too many.
    """
    _require_grid(result, kind)
    paths = [axis.path for axis in shown]
    left = [axis for axis in varying(result) if axis.path not in paths]
    if left:
        middles = ", ".join(f"{axis.path}={_middle(axis)}" for axis in left)
        message = f"{kind} shows {most} axes, this sweep has {len(shown) + len(left)}"
        raise InputError(Fault(message, f"the others fixed, such as {middles}", path="fix"))


def _middle(axis: AxisValues) -> str:
    value = axis.values[len(axis.values) // 2]
    return str(value) if axis.categorical else f"{float(value):.6g}"


def _require_grid(result: SweepResult, what: str) -> None:
    if result.method != "grid":
        raise InputError(Fault(f"{what} needs a grid, this sweep is of the method {result.method}", "grid"))


def arranged(result: SweepResult, column: Column, shown: Sequence[AxisValues]) -> Column:
    """Return a column of a grid with the axes shown in this order; the others have one value each."""
    paths = [axis.path for axis in result.axes]
    first = [paths.index(axis.path) for axis in shown]
    rest = [place for place in range(len(paths)) if place not in first]
    turned = column.reshape(result.shape).transpose(*first, *rest)
    return turned.reshape(turned.shape[: len(first)])


def spread(count: int, most: int) -> list[int]:
    """Return up to ``most`` places among ``count``, evenly spread, first and last among them.

    >>> spread(3, 6), spread(50, 6)
    ([0, 1, 2], [0, 10, 20, 29, 39, 49])
    """
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, most))})


def lost(result: SweepResult) -> Column:
    """Return which runs left the bounds or the finite numbers."""
    return np.isin(
        result.columns["status"], [STATUSES.index(Status.DIVERGED), STATUSES.index(Status.NONFINITE)]
    )


def arrived(result: SweepResult) -> Column:
    """Return which runs stopped by themselves at a critical point."""
    stopped = [STATUSES.index(Status.CONVERGED), STATUSES.index(Status.STALLED)]
    return np.isin(result.columns["status"], stopped) & np.isin(
        result.columns["verdict"], [KINDS.index(kind) for kind in KINDS if kind in _AT_REST]
    )


def arrived_low(result: SweepResult) -> Column:
    """Return which runs stopped by themselves at a minimum, a kink or a flat piece."""
    low = [KINDS.index(kind) for kind in KINDS if kind in _LOW_POINTS]
    return arrived(result) & np.isin(result.columns["verdict"], low)
