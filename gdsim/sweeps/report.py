"""What a sweep says in words and numbers: totals, the best run, and where stability ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim.outcomes import CRITICAL_KINDS, CriticalPoint, Status
from gdsim.runs.composition import compose
from gdsim.runs.run import critical_point_data
from gdsim.sweeps.result import KINDS, STATUSES, Column, SweepResult, counted
from gdsim.verdicts.story import stable_factor

Mask: TypeAlias = NDArray[np.bool_]

_LOW = ("minimum", "kink", "flat")
RATE = ("learning_rate", "learning_rate.initial")
_SAME_LOSS = 1e-9  # of the spread of the losses: less is no difference
_AT_ONCE = 1 << 15  # numbers looked at together, so that what NumPy makes of them stays in the cache


class Stability(NamedTuple):
    """The learning rates with which every run settled, and what theory says.

    Attributes
    ----------
    axis
        The axis of the learning rate.
    lowest, largest
        The ends of the stretch of rates round the best run's, in all of which every run settled.
    first_unstable
        The next rate above, with which some run did not; None where the axis ends before.
    limits
        For each minimum that was reached: its weight, its largest curvature L, and the theoretical limit
        c/L of the update rule (2/L for gradient descent).
    """

    axis: str
    lowest: float
    largest: float
    first_unstable: float | None
    limits: tuple[dict[str, Any], ...]


def settled(result: SweepResult) -> Mask:
    """Which runs came to rest at a critical point."""
    return _of_kind(result, CRITICAL_KINDS)


def _of_kind(result: SweepResult, kinds: Sequence[str]) -> Mask:
    """Which runs ended in a verdict of these kinds."""
    return _any_of(result.columns["verdict"], [KINDS.index(kind) for kind in kinds])


def _any_of(codes: Column, wanted: Sequence[int]) -> Mask:
    """Where codes are among a few. Comparing small numbers takes a tenth of the time of looking them up."""
    if sorted(wanted) == [*range(min(wanted), max(wanted) + 1)]:
        within: Mask = (codes >= min(wanted)) & (codes <= max(wanted))
        return within
    found = np.zeros(codes.shape, dtype=bool)
    for code in wanted:
        found |= codes == code
    return found


def best_run(result: SweepResult) -> int | None:
    """Return the number of the best run: of those that settled lowest the one with the fewest steps.

    Steps count for runs that came to rest by themselves; where none did, the lowest loss is best. Where no
    run settled at a low point, it is the lowest finite loss of all; None where no loss is finite.
    """
    loss, steps = result.columns["loss"], result.columns["steps"]
    low = _of_kind(result, _LOW)
    candidates = np.isfinite(loss)
    if low.any():
        candidates &= low
    lowest, highest = _extremes(loss, candidates)
    if lowest > highest:
        return None
    spread = max(highest - lowest, abs(lowest), 1.0)
    rested = loss <= lowest + _SAME_LOSS * spread
    rested &= candidates
    rested &= low
    rested &= at_rest(result)
    if rested.any():
        return int(np.where(rested, steps, np.iinfo(steps.dtype).max).argmin())
    return int(np.where(candidates, loss, np.inf).argmin())


def _extremes(values: Column, chosen: Mask) -> tuple[float, float]:
    """The least and the greatest of the numbers chosen; ∞ and −∞ where there are none."""
    lowest, highest = np.inf, -np.inf
    for first in range(0, values.size, _AT_ONCE):
        some = values[first : first + _AT_ONCE][chosen[first : first + _AT_ONCE]]
        lowest, highest = float(some.min(initial=lowest)), float(some.max(initial=highest))
    return lowest, highest


def at_rest(result: SweepResult) -> Mask:
    """Which runs came to rest by themselves, before their steps ran out."""
    return _any_of(result.columns["status"], [Status.CONVERGED.code, Status.STALLED.code])


def run_values(result: SweepResult, run: int) -> dict[str, Any]:
    """Return the values of the axes that make a run, by path."""
    values: dict[str, Any] = {}
    for place, axis in enumerate(result.axes):
        if result.method == "grid":
            index = int(np.unravel_index(run, result.shape)[place])
        else:
            index = run
        value: Any = axis.values[index]
        values[axis.path] = value.item() if hasattr(value, "item") else value
    return values


def stability(result: SweepResult, best: int | None) -> Stability | None:
    """Return where the learning rates are stable; None without such an axis, or where no run settled.

    ``best`` is the number of the best run, if there is one.
    """
    place = next((place for place, axis in enumerate(result.axes) if axis.path in RATE), None)
    if place is None:
        return None
    rates = np.asarray(result.axes[place].values, dtype=np.float64)
    good = settled(result)
    if best is None or not good[best]:
        return None
    if result.method == "grid":
        others = tuple(axis for axis in range(len(result.shape)) if axis != place)
        stable: Mask = np.asarray(good.reshape(result.shape).all(axis=others))
        rate = rates[np.unravel_index(best, result.shape)[place]]
    else:
        stable, rate = good, rates[best]
    order = np.argsort(rates, kind="stable")
    rates, stable = rates[order], stable[order]
    rates, first = np.unique(rates, return_index=True)
    stable = np.logical_and.reduceat(stable, first)
    at = int(np.searchsorted(rates, rate))
    if not stable[at]:  # somewhere else in the grid a run with the best rate did not settle
        at = int(np.argmax(stable)) if stable.any() else -1
    if at < 0:
        return None
    bad = np.flatnonzero(~stable)
    above, below = bad[bad > at], bad[bad < at]
    last = int(above[0]) - 1 if above.size else len(rates) - 1
    lowest = int(below[-1]) + 1 if below.size else 0
    return Stability(
        result.axes[place].path, float(rates[lowest]), float(rates[last]),
        float(rates[above[0]]) if above.size else None, limits(result),
    )  # fmt: skip


def limits(result: SweepResult) -> tuple[dict[str, Any], ...]:
    """Return c/L for every minimum that some run reached; nothing where the rule has no such limit."""
    if any(axis.categorical or axis.path.startswith("update_rule") for axis in result.axes):
        return ()
    factor = stable_factor(compose(result.scenario))
    if factor is None:
        return ()
    return tuple(
        {"weight": dict(point.weight), "curvature": _sharpest(point), "limit": factor / _sharpest(point)}
        for point, runs in zip(result.critical_points, result.basins, strict=False)
        if runs and point.kind == "minimum" and _sharpest(point) > 0
    )


def _sharpest(point: CriticalPoint) -> float:
    return max(point.curvature, default=0.0)


def summary(result: SweepResult, name: str) -> dict[str, Any]:
    """Return what ``sweep.json`` and ``gdsim sweep --json`` say."""
    best = best_run(result)
    where = stability(result, best)
    statuses = counted(result.columns["status"], len(STATUSES))
    return {
        "name": name,
        "runs": result.runs,
        "method": result.method,
        "engine": result.engine,
        "axes": [
            {"path": axis.path, "values": len(axis.values), "first": _plain(axis.values[0]),
             "last": _plain(axis.values[-1]), "logarithmic": axis.logarithmic}
            for axis in result.axes
        ],
        "verdicts": result.verdicts,
        "statuses": {
            str(status): count for status, count in zip(STATUSES, statuses, strict=True) if count
        },
        "search": {"losses": result.losses, "proof": result.proof},
        "basins": _basins(result),
        "best": None if best is None else _run_data(result, best),
        "stability": None if where is None else {**where._asdict(), "limits": list(where.limits)},
    }  # fmt: skip


def _basins(result: SweepResult) -> list[dict[str, Any]]:
    """How many runs came to rest at each critical point of the common loss."""
    return [
        {**critical_point_data(point), "runs": runs}
        for point, runs in zip(result.critical_points, result.basins, strict=False)
    ]


def _run_data(result: SweepResult, run: int) -> dict[str, Any]:
    columns = result.columns
    return {
        "run": run,
        "values": run_values(result, run),
        "verdict": KINDS[columns["verdict"][run]],
        "status": str(STATUSES[columns["status"][run]]),
        "steps": int(columns["steps"][run]),
        "weight": {name: float(columns[name][run]) for name in result.weights},
        "loss": float(columns["loss"][run]),
    }


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
