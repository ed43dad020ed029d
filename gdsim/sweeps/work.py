"""One piece of a sweep: runs simulated, judged, and put into columns. A pure function of design and runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim import critical
from gdsim.batch import TAIL, Batch, Trajectory
from gdsim.losses import Loss
from gdsim.outcomes import CriticalPoint, Search
from gdsim.scenario.merge import is_stated
from gdsim.simulation import Engine, simulate
from gdsim.sweeps.design import Design, Group
from gdsim.sweeps.result import NOWHERE, Column
from gdsim.verdicts import judge
from gdsim.verdicts.settle import Terrain

Integers: TypeAlias = NDArray[np.int64]

MOST_WITH_TAIL = 100_000  # runs of a sweep that keeps the last weights of every run
_SAME = 1e-9  # of the domain: nearer critical points are one
_ELEMENTS = 1 << 22  # numbers in one array of an engine, over runs and rows of data
_NO_LIMIT = 1 << 62  # bytes: what is recorded was said beforehand


class Kept(NamedTuple):
    """What is kept of every run: the columns with their types, and whether more than ends."""

    columns: Mapping[str, np.dtype[Any]]
    tail: bool
    records: int  # of a whole trajectory; 0 where none is kept
    every: int

    def bytes_per_run(self, weights: int) -> int:
        """Bytes that one run takes in the chunk files."""
        ends = sum(dtype.itemsize for dtype in self.columns.values())
        return ends + 8 * weights * TAIL * self.tail + 8 * (weights + 1) * self.records


def kept(design: Design) -> Kept:
    """Return what a sweep keeps of its runs.

    Whole trajectories are kept where ``record`` stands in the scenario or behind ``-S``.
    """
    scenario = design.scenario
    steps = scenario.stopping.max_steps
    columns: dict[str, Any] = {
        "status": np.int8, "verdict": np.int8, "steps": np.int32 if steps < 2**31 else np.int64,
        **dict.fromkeys(scenario.initial_weight, np.float64), "loss": np.float64,
        **{f"gradient_{name}": np.float64 for name in scenario.initial_weight}, "basin": np.int32,
    }  # fmt: skip
    document = scenario.document
    asked = document is not None and is_stated(document, ("record", "every"))
    every = scenario.record.every
    return Kept(
        {name: np.dtype(kind) for name, kind in columns.items()},
        design.runs <= MOST_WITH_TAIL, steps // every + 1 if asked else 0, every,
    )  # fmt: skip


@dataclass
class Worker:
    """Computes pieces of a sweep; remembers the critical points of the losses it met.

    Parameters
    ----------
    design
        The runs.
    engine
        The loop that steps them.
    threads
        Of the fast engine; None: one for each core.
    """

    design: Design
    engine: Engine = "numpy"
    threads: int | None = None
    _searches: dict[tuple[object, ...], Search] = field(default_factory=dict)
    _landscapes: dict[int, tuple[object, ...]] = field(default_factory=dict)
    _terrains: dict[int, Terrain] = field(default_factory=dict)

    def compute(self, run: Integers) -> dict[str, Column]:
        """Return the columns of some runs, in their order.

        A run's row depends on nothing but its own values, so that pieces of any size make the same rows.

        Notes
        -----
        Cost: that of the runs, and for each loss that is new to this worker that of finding its critical
        points. Memory: some hundred bytes a run.
        """
        wanted = kept(self.design)
        result: dict[str, Column] = {
            name: np.empty(run.size, dtype=dtype) for name, dtype in wanted.columns.items()
        }
        weights = len(self.design.scenario.initial_weight)
        if wanted.tail:
            result["tail"] = np.empty((run.size, TAIL, weights))
        if wanted.records:
            result["record_weight"] = np.full((run.size, wanted.records, weights), np.nan)
            result["record_loss"] = np.full((run.size, wanted.records), np.nan)
        for group in self.design.groups(run):
            for part in _parts(group):
                self._fill(result, part, wanted)
        return result

    def _fill(self, result: dict[str, Column], group: Group, wanted: Kept) -> None:
        """Run one batch and write its rows."""
        batch = group.batch
        every = wanted.every if wanted.records else batch.stopping.max_steps + 1
        trajectory = simulate(
            replace(batch, record_every=every), self.engine, budget=_NO_LIMIT, threads=self.threads,
            ends_only=not wanted.tail,
        )  # fmt: skip
        found = judge(
            batch, trajectory, lambda place: self.search(group.category, batch, place), self._terrain
        )
        order = [trajectory.weights.index(name) for name in self.design.scenario.initial_weight]
        at = group.place
        result["status"][at] = trajectory.status_code
        result["verdict"][at] = found.kind_code
        result["steps"][at] = trajectory.steps
        result["loss"][at] = trajectory.final_loss
        result["basin"][at] = _basins(found.settled, found.terrain_of, found.terrains, found.homes)
        for name, place in zip(self.design.scenario.initial_weight, order, strict=True):
            result[name][at] = trajectory.final_weight[place]
            result[f"gradient_{name}"][at] = trajectory.final_gradient[place]
        if wanted.tail:
            result["tail"][at] = trajectory.tail[:, order].transpose(2, 0, 1)
        if wanted.records:
            _fill_records(result, at, trajectory, order, wanted.every)
        if self.engine == "fast" and not wanted.tail:
            from gdsim.kernels.fast_lanes import keep_room

            keep_room(trajectory.tail)

    def search(self, category: int, batch: Batch, run: int) -> Search:
        """Return the critical points of a run's loss in the sweep's domain.

        Up to ``critical.MOST_CERTIFIED`` losses of a sweep are searched with proof, more numerically.
        """
        values = {name: float(column[run]) for name, column in batch.parameters.items()}
        if category not in self._landscapes:
            self._landscapes[category] = self.design.landscape(category)
        key = (self._landscapes[category], *values.values())
        if key not in self._searches:
            loss = batch.loss.with_parameters(values)
            proof = self.design.losses <= critical.MOST_CERTIFIED
            self._searches[key] = critical.find(loss, self.design.domain(category), proof=proof)
        return self._searches[key]

    def _terrain(self, loss: Loss, search: Search) -> Terrain:
        """The terrain of a search; that of the one loss that all runs share is kept."""
        if self.design.losses > 1:
            return Terrain(loss, search)
        return self._terrains.setdefault(id(search), Terrain(loss, search))  # which keeps the search

    def common_points(self) -> tuple[CriticalPoint, ...]:
        """Return the critical points of the loss that all runs share; none where axes change the loss."""
        if self.design.losses > 1:
            return ()
        return self.search(0, self.design.template, 0).critical_points


def _parts(group: Group) -> Iterator[Group]:
    """Cut a batch over much data into pieces whose arrays fit into memory."""
    rows = max(1, len(next(iter(group.batch.loss.data.values()), ())))
    most = max(1024, _ELEMENTS // rows)
    if group.place.size <= most:
        yield group
        return
    for first in range(0, group.place.size, most):
        chosen = np.arange(first, min(first + most, group.place.size))
        yield Group(group.place[chosen], group.category, group.batch.take(chosen))


def _basins(settled: Integers, terrain_of: Integers, terrains: Any, homes: Any) -> Integers:
    """For each run the place of its critical point among those of the domain, or −1.

    A terrain may reach beyond the domain, to where runs came to rest; points out there have no place.
    """
    result = np.full(settled.shape, NOWHERE, dtype=np.int64)
    for number, (terrain, home) in enumerate(zip(terrains, homes, strict=True)):
        chosen = (terrain_of == number) & (settled >= 0)
        if terrain.search is home:
            result[chosen] = settled[chosen]
            continue
        places = np.full(len(terrain.search.critical_points), NOWHERE)
        for place, point in enumerate(terrain.search.critical_points):
            for index, other in enumerate(home.critical_points):
                if all(
                    abs(value - other.weight[name]) <= _SAME * (home.domain[name][1] - home.domain[name][0])
                    for name, value in point.weight.items()
                ):
                    places[place] = index
        result[chosen] = places[settled[chosen]]
    return result


def _fill_records(
    result: dict[str, Column], at: Integers, trajectory: Trajectory, order: list[int], every: int
) -> None:
    """Write whole trajectories: record k is the state at step k · every, nan after a run's end."""
    on_grid = trajectory.step_index % every == 0
    record = trajectory.step_index[on_grid] // every
    weight = trajectory.weight[on_grid][:, order].transpose(2, 0, 1)
    result["record_weight"][at[:, None], record[None, :]] = weight
    result["record_loss"][at[:, None], record[None, :]] = trajectory.loss[on_grid].T
