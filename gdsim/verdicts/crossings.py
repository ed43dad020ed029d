"""Which steps crossed a critical point: flags for the rows of arrival."""

from __future__ import annotations

import numpy as np

from gdsim.batch import Trajectory
from gdsim.outcomes import Search


def crossings(trajectory: Trajectory, search: Search, run: int = 0) -> dict[int, tuple[str, ...]]:
    """Return for each step that crossed critical points what it crossed (one weight only).

    A step crosses a point that lies strictly between the weights before and after it; both must be
    recorded.

    Cost: one comparison for each record and critical point.
    """
    if len(trajectory.weights) != 1:
        return {}
    name = trajectory.weights[0]
    weight, step = trajectory.weight[:, 0, run], trajectory.step_index
    neighbours = np.diff(step) == 1
    before, after = weight[:-1], weight[1:]
    found: dict[int, tuple[str, ...]] = {}
    for point in search.critical_points:
        if point.kind == "flat":
            continue
        at = point.weight[name]
        crossed = neighbours & (np.minimum(before, after) < at) & (at < np.maximum(before, after))
        for place in np.flatnonzero(crossed):
            arrival = int(step[place + 1])
            found[arrival] = (*found.get(arrival, ()), f"crossed {point.kind} at {name} = {at:.6g}")
    return found
