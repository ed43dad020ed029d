"""Which steps crossed a critical point: flags for the rows of arrival."""

from __future__ import annotations

import numpy as np

from gdsim.batch import Trajectory
from gdsim.outcomes import CriticalPoint, Search
from gdsim.verdicts.story import number

_MOST_NAMED = 3


def crossings(trajectory: Trajectory, search: Search, run: int = 0) -> dict[int, tuple[str, ...]]:
    """Return for each step that crossed critical points what it crossed (one weight only).

    A step crosses a point that lies strictly between the weights before and after it, and a flat piece
    when it jumps over all of it. Where not every step is recorded, the flag stands on the first record
    after the crossing. More than three points are counted, not named.

    Cost: one comparison for each record and critical point.
    """
    if len(trajectory.weights) != 1:
        return {}
    weight = trajectory.weight[:, 0, run]
    low, high = np.minimum(weight[:-1], weight[1:]), np.maximum(weight[:-1], weight[1:])
    crossed: dict[int, list[CriticalPoint]] = {}
    for point in search.critical_points:
        first, last = _extent(point)
        for place in np.flatnonzero((low < first) & (last < high)).tolist():
            crossed.setdefault(place + 1, []).append(point)
    return {int(trajectory.step_index[place]): _words(points) for place, points in sorted(crossed.items())}


def _extent(point: CriticalPoint) -> tuple[float, float]:
    ((name, at),) = point.weight.items()
    return point.interval[name] if point.kind == "flat" else (at, at)


def _words(points: list[CriticalPoint]) -> tuple[str, ...]:
    if len(points) > _MOST_NAMED:
        return (f"crossed {len(points)} critical points",)
    return tuple(_word(point) for point in points)


def _word(point: CriticalPoint) -> str:
    ((name, at),) = point.weight.items()
    if point.kind == "flat":
        first, last = point.interval[name]
        return f"crossed flat piece from {name} = {number(first)} to {number(last)}"
    kind = "inflection (saddle)" if point.kind == "inflection" else point.kind
    return f"crossed {kind} at {name} = {number(at)}"
