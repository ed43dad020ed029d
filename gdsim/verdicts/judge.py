"""The verdict of every run of a batch: what happened, decided from status, critical points and records.

Kinds are computed for all runs at once; the sentence, its evidence and the remedy on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim import critical
from gdsim.batch import TAIL, Batch, Trajectory
from gdsim.losses import Loss
from gdsim.outcomes import VERDICT_KINDS, Interval, Search, Status, Verdict, VerdictKind
from gdsim.simulation import simulate
from gdsim.verdicts.rest import left_to_travel, noise_radius, period_of_tail, still_falls
from gdsim.verdicts.sentences import told
from gdsim.verdicts.settle import NOWHERE, Integers, Mask, Terrain
from gdsim.verdicts.story import Story

Array: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int8]

NEAR = 0.01  # of the domain's width: what is left to travel when a run has come to rest
_OF_THE_WAY = 0.05  # and of the way from its start to the point
_ROUNDING = 16 * 2.0**-52  # a "cycle" between weights that differ by less is a standstill

_AT_ONCE = 1 << 13  # runs judged together: their last weights, and what is made of them, fit into a cache
_LONGEST_AGAIN = 1 << 20  # steps of a run that is worth running again
_RECORDS_AGAIN = 1 << 21  # records of such runs at a time

CODES: Mapping[str, int] = {kind: place for place, kind in enumerate(VERDICT_KINDS)}
_NO_MINIMUM = CODES["no_minimum"]
_NO_RUNS: Integers = np.empty(0, dtype=np.int64)


class Verdicts(NamedTuple):
    """The verdicts of a batch.

    Attributes
    ----------
    kind_code
        For each run the place of its verdict's kind in ``VERDICT_KINDS``, of int8.
    settled
        For each run the place of its critical point in its terrain's ``search.critical_points``, or −1.
    period
        For each run the length of its cycle, or 0.
    terrains, homes, terrain_of
        The losses with their critical points as far as runs came to rest, the searches of the domain, and
        which of them each run belongs to.
    """

    batch: Batch
    trajectory: Trajectory
    kind_code: Codes
    settled: Integers
    period: Integers
    terrains: tuple[Terrain, ...]
    homes: tuple[Search, ...]
    terrain_of: Integers

    @property
    def kinds(self) -> tuple[VerdictKind, ...]:
        """For each run its verdict's kind."""
        return tuple(VERDICT_KINDS[code] for code in self.kind_code.tolist())

    def verdict(self, run: int = 0) -> Verdict:
        """Return the verdict of one run with sentence, evidence and remedy.

        Cost: a few evaluations of the loss's curvature.
        """
        terrain = self.terrains[self.terrain_of[run]]
        place = int(self.settled[run])
        point = None if place == NOWHERE else terrain.search.critical_points[place]
        home = self.homes[self.terrain_of[run]]
        story = Story(self.batch, self.trajectory, terrain, home, run, point, int(self.period[run]))
        return told(VERDICT_KINDS[self.kind_code[run]], story)


def judge(
    batch: Batch, trajectory: Trajectory, search: Search | Callable[[int], Search],
    terrain_of_search: Callable[[Loss, Search], Terrain] = Terrain,
) -> Verdicts:  # fmt: skip
    """Decide what happened to every run of a batch.

    Parameters
    ----------
    batch, trajectory
        What was run and what came of it.
    search
        The critical points of the loss in the domain. Where the runs differ in the loss's parameters, a
        function that gives them for a run; it is called once for each set of parameters.
    terrain_of_search
        Gives the terrain of a loss and its search: one that was made before, where many batches are judged.

    Returns
    -------
    Verdicts
        Kinds for all runs, sentences on demand.

    Notes
    -----
    Cost: for one weight one sort of the critical points and a few array operations over the runs; for
    several weights up to 60 Newton steps of all runs at once. Where a run came to rest outside the domain,
    one search more.
    """
    kinds = np.zeros(trajectory.runs, dtype=np.int8)
    settled = np.full(trajectory.runs, NOWHERE, dtype=np.int64)
    period = np.zeros(trajectory.runs, dtype=np.int64)
    terrain_of = np.zeros(trajectory.runs, dtype=np.int64)
    terrains: list[Terrain] = []
    homes: list[Search] = []
    for runs in _alike(batch):
        loss = _loss_of(batch, int(runs[0]))
        found = search(int(runs[0])) if callable(search) else search
        reaching = _reaching(loss, found, trajectory, runs)
        home = terrain_of_search(loss, found)
        terrain = home if reaching is found else Terrain(loss, reaching)
        terrain_of[runs] = len(terrains)
        terrains.append(terrain)
        homes.append(found)
        for first in range(0, runs.size, _AT_ONCE):
            some = runs[first : first + _AT_ONCE]
            group = _Group(batch, trajectory, terrain, home, some)
            at = _view(some)
            kinds[at], settled[at], period[at] = group.judged()
    return Verdicts(batch, trajectory, kinds, settled, period, tuple(terrains), tuple(homes), terrain_of)


def searches(batch: Batch, domain: Mapping[str, Interval]) -> Callable[[int], Search]:
    """Find the critical points of every loss of a batch, as :func:`judge` asks for them.

    Parameters
    ----------
    batch
        Its runs may differ in the parameters of the loss.
    domain
        For each weight a closed interval.

    Returns
    -------
    callable
        The search of a run's loss. Up to 1,000 distinct losses are searched with proof, more numerically;
        each search says which it was.

    Notes
    -----
    Cost: that of :func:`gdsim.critical.find` for each distinct loss.

    Examples
    --------
    >>> from gdsim import simulate
    >>> run = simulate("(w^2 - 4)^2", initial_weight=1, learning_rate=0.01)
    >>> [point.weight["w"] for point in searches(run.batch, {"w": (-3, 3)})(0).critical_points]
    [-2.0, 0.0, 2.0]
    """
    groups = list(_alike(batch))
    found = critical.find_each([_loss_of(batch, int(runs[0])) for runs in groups], domain)
    group_of = np.zeros(batch.runs, dtype=np.int64)
    for place, runs in enumerate(groups):
        group_of[runs] = place
    return lambda run: found[group_of[run]]


def _loss_of(batch: Batch, run: int) -> Loss:
    """The loss of one run, with its parameters."""
    return batch.loss.with_parameters({name: float(values[run]) for name, values in batch.parameters.items()})


def _alike(batch: Batch) -> Iterator[Integers]:
    """The runs grouped by the parameters of their loss."""
    if not batch.parameters:
        yield np.arange(batch.runs)
        return
    table = np.stack([np.asarray(values, dtype=np.float64) for values in batch.parameters.values()])
    _, group = np.unique(table, axis=1, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    yield from np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1])


def _reaching(loss: Loss, search: Search, trajectory: Trajectory, runs: Integers) -> Search:
    """The same search, or one of a larger domain where runs came to rest outside."""
    low, high = np.array([search.domain[name] for name in trajectory.weights]).T
    outside: list[Integers] = []
    for first in range(0, runs.size, _AT_ONCE):
        at = _view(runs[first : first + _AT_ONCE])
        weight = trajectory.final_weight[:, at]
        out = ~((weight >= low[:, None]) & (weight <= high[:, None])).all(axis=0)
        if out.any():
            status = trajectory.status_code[at]
            out &= (status == Status.CONVERGED.code) | (status == Status.STALLED.code)
            outside.append(runs[first : first + _AT_ONCE][out])
    if not any(some.size for some in outside):
        return search
    resting = runs[trajectory.ended(Status.CONVERGED, Status.STALLED)[runs]]
    weight = trajectory.final_weight[:, resting]
    room = 0.1 * (high - low)
    lower, higher = np.minimum(low, weight.min(axis=1) - room), np.maximum(high, weight.max(axis=1) + room)
    domain = {
        name: (float(a), float(b)) for name, a, b in zip(trajectory.weights, lower, higher, strict=True)
    }
    return critical.find(loss, domain, extra_starts=weight.T.tolist()[:64])


class _Ends:
    """What is decided of some runs: kind, place of the critical point, period."""

    def __init__(self, runs: int) -> None:
        self.kind: Codes = np.full(runs, CODES["still_moving"], dtype=np.int8)
        self.settled: Integers = np.full(runs, NOWHERE, dtype=np.int64)
        self.period: Integers = np.zeros(runs, dtype=np.int64)


class _Group(NamedTuple):
    """Runs of one loss. ``terrain`` reaches to where they rest, ``home`` is the domain."""

    batch: Batch
    trajectory: Trajectory
    terrain: Terrain
    home: Terrain
    runs: Integers

    def judged(self) -> tuple[Codes, Integers, Integers]:
        """Kinds, places of the critical points, and periods."""
        ends = _Ends(self.runs.size)
        status = self.trajectory.status_code[_view(self.runs)]
        there = {code for code, count in enumerate(np.bincount(status).tolist()) if count}

        def which(*statuses: Status) -> Integers:
            codes = [one.code for one in statuses if one.code in there]
            if not codes:
                return _NO_RUNS
            if len(there) == len(codes):
                return np.arange(status.size)
            found = status == codes[0]
            for code in codes[1:]:
                found |= status == code
            return np.flatnonzero(found)

        ends.kind[which(Status.NONFINITE)] = CODES["nonfinite"]
        gone = which(Status.DIVERGED)
        if gone.size:
            ends.kind[gone] = np.where(self._fell_for_ever(self.runs[gone]), _NO_MINIMUM, CODES["diverged"])
        rest = which(Status.CONVERGED, Status.STALLED)
        turning, moving = which(Status.CYCLING), which(Status.MAX_STEPS)
        if turning.size:
            ends.period[turning] = np.where(self._swings(self.runs[turning]), 2, 0)
            rest = np.concatenate([rest, turning[ends.period[turning] == 0]])
        if moving.size:
            ends.period[moving] = self._periods(self.runs[moving])
            moving = moving[ends.period[moving] == 0]
        ends.kind[ends.period > 0] = CODES["cycle"]
        if rest.size:
            self._judge_rest(ends, rest)
        held = which(Status.STALLED)
        if held.size:
            self._judge_held(ends, held)
        if moving.size:
            self._judge_moving(ends, moving)
        return ends.kind, ends.settled, ends.period

    @property
    def _width(self) -> Array:
        return self.home.width[:, None]

    @property
    def _point_codes(self) -> Codes:
        """The verdict of a run that settled at each critical point."""
        return np.array([CODES[point.kind] for point in self.terrain.search.critical_points], dtype=np.int8)

    def _judge_rest(self, ends: _Ends, chosen: Integers) -> None:
        """Runs that stopped by themselves: settled, or on a plateau."""
        found = self.terrain.settled(self._final(self.runs[_view(chosen)]))
        ends.kind[_view(chosen)] = np.where(found.sure, CODES["plateau"], CODES["undecided"])
        self._settle(ends, chosen, found.place)

    def _judge_held(self, ends: _Ends, chosen: Integers) -> None:
        """Runs whose steps became too small to move them: far from their point they have not arrived."""
        place = ends.settled[chosen]
        near = self._is_near(self._final(self.runs[chosen]), place, self.runs[chosen])
        told = (place == NOWHERE) & (ends.kind[chosen] == CODES["undecided"])
        far = chosen[~near & ~told]
        ends.kind[far], ends.settled[far] = CODES["plateau"], NOWHERE

    def _judge_moving(self, ends: _Ends, chosen: Integers) -> None:
        """Runs that took all their steps: as good as settled, on a plateau, falling for ever, or moving."""
        runs = self.runs[chosen]
        weight = self._final(runs)
        place = self.terrain.settled(weight).place
        close, heading = self._come_to_rest(weight, place, runs)
        slow = (left_to_travel(self.batch, self.trajectory, runs) <= NEAR * self._width).all(axis=0)
        ends.kind[chosen[~heading & slow]] = CODES["plateau"]
        self._settle(ends, chosen, np.where(close, place, NOWHERE))
        if not self.home.may_hold_a_minimum:
            falls = chosen[still_falls(self.batch, self.trajectory, self.home, runs)]
            ends.kind[falls], ends.settled[falls] = _NO_MINIMUM, NOWHERE

    def _settle(self, ends: _Ends, chosen: Integers, place: Integers) -> None:
        into = _view(chosen)
        ends.settled[into] = place
        if len(self._point_codes):
            kinds = self._point_codes[place]  # of those that are nowhere that of the last point, not taken
            ends.kind[into] = np.where(place != NOWHERE, kinds, ends.kind[into])

    def _final(self, runs: Integers) -> Array:
        """Where the runs are; with noise, of those that took all their steps, the mean of the tail."""
        weight = self.trajectory.final_weight[:, _view(runs)]
        if self.batch.noise is None:
            return weight
        tail = self.trajectory.tail[:, :, runs]
        complete = np.isfinite(tail).all(axis=0) & self.trajectory.ended(Status.MAX_STEPS)[runs]
        return np.where(complete, np.where(complete, tail, 0.0).mean(axis=0), weight)

    def _is_near(self, weight: Array, place: Integers, runs: Integers) -> Mask:
        """Whether a run is within 1 % of the domain of its point, and within 5 % of its way or just there."""
        away = self.terrain.distance(weight, place)
        start = self.terrain.distance(self.trajectory.weight[0][:, runs], place)
        near = away <= NEAR * self._width
        near &= (away <= _OF_THE_WAY * start.max(axis=0)) | (away <= 1e-6 * self._width)
        return np.asarray(near.all(axis=0))

    def _come_to_rest(self, weight: Array, place: Integers, runs: Integers) -> tuple[Mask, Mask]:
        """Whether a run is so near to its point that it counts as settled, and whether it heads for one."""
        heading = place != NOWHERE
        if self.batch.noise is not None:
            away = self.terrain.distance(weight, place)
            radius = noise_radius(self.trajectory, self.terrain, runs, place)
            return np.asarray((away <= radius + 1e-9 * self._width).all(axis=0)), heading
        close = self._is_near(weight, place, runs)
        if close.any():
            close[close] = self._stays(place[close], runs[close])
        return close, heading

    def _stays(self, place: Integers, runs: Integers) -> Mask:
        """Whether runs have been near for a while and came ever nearer: one in a chaotic band only passes by.

        A while is the last quarter of the steps, at most those of the tail. Near a point to which descent
        leads, every step shortens the (Euclidean) distance; a rule with memory swings through the point, and
        no swing of the second half must be farther than the farthest of the first.
        """
        steps = int(self.trajectory.steps[runs].max())  # of every one: they took all their steps
        count = min(max(steps // 4, 1), steps, TAIL - 1)
        tail = self.trajectory.tail[TAIL - 1 - count :, :, _view(runs)]
        away = self.terrain.distance(tail, place)
        near = np.asarray((away.max(axis=0) <= NEAR * self._width).all(axis=0))
        length = away[:, 0] if away.shape[1] == 1 else np.sqrt((away * away).sum(axis=1))
        least = 1e-12 * float(self._width.max())
        if self.batch.rule.rule.memoryless:
            return np.asarray(near & (length[1:] <= length[:-1] + least).all(axis=0))
        early = length[: count // 2 + 1]
        return np.asarray(near & (length.max(axis=0) <= early.max(axis=0) + least))

    def _periods(self, runs: Integers) -> Integers:
        if self.batch.noise is not None or not runs.size:
            return np.zeros(runs.size, dtype=np.int64)
        return period_of_tail(self.trajectory.tail[:, :, _view(runs)])

    def _swings(self, runs: Integers) -> Mask:
        """Whether two alternating weights differ by more than rounding."""
        final = self.trajectory.final_weight[:, runs]
        apart = np.abs(final - self.trajectory.previous_weight[:, runs])
        return np.asarray((apart > _ROUNDING * np.abs(final)).any(axis=0))

    def _fell_for_ever(self, runs: Integers) -> Mask:
        """Of runs beyond the bound: whether they stepped, the loss fell each time and no low lies ahead."""
        away = ~self._minimum_ahead(runs) & (self.trajectory.steps[runs] > 0)
        if away.any():
            away[away] = self._records_fell(runs[away])
        if self.batch.record_every > 1 and away.any():
            away[away] = self._fell_at_every_step(runs[away])
        return away

    def _records_fell(self, runs: Integers) -> Mask:
        """Whether the loss fell from each record to the next; one that was left out is made up for."""
        trajectory = self.trajectory
        if trajectory.step_index.size > 1:
            return trajectory.loss_fell[runs]
        first = trajectory.loss[0, runs]
        left_out = np.isnan(first)
        first[left_out] = self.terrain.loss.evaluate(trajectory.weight[0][:, runs[left_out]])
        result: Mask = trajectory.final_loss[runs] < first
        return result

    def _fell_at_every_step(self, runs: Integers) -> Mask:
        """Run those again whose records are too sparse to tell, with every step recorded.

        Of a run longer than a million steps the records that there are must do.
        """
        fell = np.ones(runs.size, dtype=bool)
        again = np.flatnonzero(self.trajectory.steps[runs] <= _LONGEST_AGAIN)
        steps = int(self.trajectory.steps[runs[again]].max(initial=0))
        together = max(1, _RECORDS_AGAIN // (steps + 1))
        for first in range(0, again.size, together):
            part = again[first : first + together]
            one = replace(self.batch.take(runs[part]), record_every=1)
            one = replace(one, stopping=replace(one.stopping, max_steps=steps))
            fell[part] = simulate(one, "numpy").loss_fell
        return fell

    def _minimum_ahead(self, runs: Integers) -> Mask:
        """Whether a low point of the domain lies on the side to which a run left."""
        if not self.home.lows:
            return np.full(runs.size, self.home.may_hold_a_minimum)
        start = self.trajectory.weight[0][:, runs] / self._width
        way = self.trajectory.final_weight[:, runs] / self._width - start
        points = np.array([[p.weight[name] for name in self.home.loss.weights] for p in self.home.lows])
        towards = np.einsum("pi,ir->pr", points / self.home.width, way) - (start * way).sum(axis=0)
        result: Mask = (towards > 0).any(axis=0)
        return result


def _view(runs: Integers) -> Integers | slice:
    """Places as an index: a slice where ascending ones leave none out, so that nothing is copied."""
    if runs.size and runs[-1] - runs[0] + 1 == runs.size:
        return slice(int(runs[0]), int(runs[-1]) + 1)
    return runs
