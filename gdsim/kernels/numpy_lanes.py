"""The loop for many runs: NumPy lanes, finished runs compacted away.

Runs whose step is only gradient and rule go in bursts: eight steps with two comparisons noted, then
one look. What may have ended within the burst is replayed from its start with every step judged, so that
step and status are exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from gdsim.batch import TAIL, Trajectory
from gdsim.kernels.descent import Descent, Lanes, Rows, initial_lanes
from gdsim.kernels.lane_burst import LaneBurst, all_equal, back_again
from gdsim.kernels.log import Log
from gdsim.kernels.plan import BURST, Plan, is_anchor
from gdsim.outcomes import Status

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

_GOING = -1
_PATIENCE = 512  # calm steps at most without coming back
_REPLAYED = 8192  # runs replayed at a time: their steps are all in memory


def run(plan: Plan, start: Trajectory | None = None) -> Trajectory:
    """Run a batch to its end.

    Parameters
    ----------
    plan
        The batch.
    start
        A trajectory of the same batch that ended at fewer steps; its runs with status MAX_STEPS go on.

    Returns
    -------
    Trajectory
        From the first record (of ``start``'s last one, where given).
    """
    loop = _Loop(plan, start)
    with np.errstate(all="ignore"):
        loop.go()
    return loop.log.trajectory("numpy")


class _Loop:
    def __init__(self, plan: Plan, start: Trajectory | None) -> None:
        self.plan, self.batch, self.descent = plan, plan.batch, Descent(plan)
        self.stop = self.batch.stopping.max_steps
        self.k, lanes = initial_lanes(plan, start)
        self.lanes = lanes.at_least_two()
        self.log = Log(self.batch, self.k)
        in_bursts = plan.plain and self.batch.derivative.name == "analytic"
        self.burst = LaneBurst(self.descent) if in_bursts else None

    def go(self) -> None:
        while self.lanes.run.size:
            if self._calm():
                continue
            length = self._burst_length()
            if length > 1:
                self._burst(length)
            else:
                self.lanes = self._judged_step(self.lanes, self.k)
                self.k += 1

    def _calm(self) -> bool:
        """Go on while nothing happens: to the next record, the tail, or the next step kept as an anchor.

        Returns whether any step was taken.
        """
        k, every, lanes = self.k, self.batch.record_every, self.lanes
        stop = self.stop - TAIL if k < self.stop - TAIL else self.stop
        end = min(k + every - k % every, stop, max(BURST, 1 << k.bit_length()), k + _PATIENCE)
        if self.burst is None or k % every == 0 or end < k + BURST // 2:
            return False
        if self.plan.judges_cycle and k % BURST == 0:
            if back_again(lanes.weight, lanes.previous, lanes.before, lanes.anchor).any():
                return False
            if is_anchor(k):
                lanes = replace(lanes, anchor=self._anchor(lanes, k))
        path = self._tail_rows(lanes, range(k, end)) if stop == self.stop else None
        moved, taken = self.burst.calm(lanes, k, end, path)
        if not taken:
            return False
        if path is not None:
            self._keep_tail(k, lanes.run, lanes.weight)
            if not self._all_going(lanes.run):
                for step in range(taken):
                    self._keep_tail(k + step + 1, lanes.run, path[step])
        self.lanes, self.k = moved, k + taken
        return True

    def _tail_rows(self, lanes: Lanes, steps: range) -> list[Rows]:
        """Arrays for the weights after some of the last steps: the log's own where every run goes on."""
        if self._all_going(lanes.run):
            return [list(self.log.tail[k - self.stop]) for k in steps]
        return [[np.empty_like(row) for row in lanes.weight] for _ in steps]

    def _all_going(self, run: Integers) -> bool:
        """Whether these are all runs; of two runs, the one that is left is there twice."""
        return run.size == self.batch.runs > 2

    def _places(self, run: Integers) -> Integers | slice:
        """Where these runs are in the log; a slice is followed faster than numbers."""
        return slice(None) if self._all_going(run) else run

    def _anchor(self, lanes: Lanes, k: int) -> Rows:
        """What to keep of the weights at an anchor: those of runs whose rate is constant from here on."""
        if self.plan.rates.constant:
            return lanes.weight
        constant = k >= self.plan.rates.changes_until[lanes.run]
        return [np.where(constant, weight, np.nan) for weight in lanes.weight]

    def _burst_length(self) -> int:
        """Steps until the next record, the end, or the next step at which cycles are looked for."""
        every = self.batch.record_every
        if self.burst is None or self.k % every == 0 or is_anchor(self.k):
            return 1
        return min(BURST - self.k % BURST, every - self.k % every, self.stop - self.k)

    def _burst(self, length: int) -> None:
        """Take several steps; judge the runs that may have ended on the way at every one of them."""
        assert self.burst is not None
        start = self.lanes
        path: list[Rows] | None = [] if self.k + length > self.stop - TAIL else None
        lanes, suspicious = self.burst.run(start, self.k, length, path)
        for k, weight in enumerate(path or (), start=self.k):
            self._keep_tail(k, start.run, weight)
        if self.plan.judges_stall:  # a standstill lasts, so that it is seen at the burst's end
            suspicious |= all_equal(lanes.weight, lanes.previous) | all_equal(lanes.weight, lanes.before)
        if self.plan.judges_cycle:
            suspicious |= _cycling(start, self.k)
        if suspicious.any():
            gone = self._replayed(start, np.flatnonzero(suspicious), length)
            if gone.any():
                kept = np.flatnonzero(~np.isin(lanes.run, lanes.run[suspicious][gone]))
                lanes = lanes.take(kept).at_least_two()
        self.lanes, self.k = lanes, self.k + length

    def _replayed(self, start: Lanes, place: Integers, length: int) -> Mask:
        """Judge every step of a burst for some runs, and finish those that end; return which do."""
        gone = np.zeros(place.size, dtype=bool)
        for first in range(0, place.size, _REPLAYED):
            part = slice(first, first + _REPLAYED)
            gone[part] = self._replayed_part(start.take(place[part]), length)
        return gone

    def _replayed_part(self, start: Lanes, length: int) -> Mask:
        assert self.burst is not None
        rows = self.burst.rows(start.at_least_two(), self.k, length)
        runs = start.run.size

        def flat(values: Array) -> Rows:
            """(steps, weights, runs) as one row of steps · runs for each weight."""
            return list(values[:, :, :runs].transpose(1, 0, 2).reshape(values.shape[1], -1))

        earlier = np.array([start.before, start.previous])[:, :, :runs]
        path = np.concatenate([earlier, rows.weight[:, :, :runs]])  # from two steps before the burst on
        k = np.repeat(np.arange(self.k, self.k + length), runs)
        steps = Lanes(
            np.tile(start.run, length), flat(path[2:-1]), flat(path[1:-2]), flat(path[:-3]),
            [np.tile(row, length) for row in start.anchor],
            [flat(np.array([state[name] for state in rows.state])) for name in range(len(start.state))],
            np.tile(start.gradient_evaluations, length) + (k - self.k + 1),
            np.tile(start.loss_evaluations, length),
        )  # fmt: skip
        gradient = flat(rows.gradient)
        loss = None if rows.loss is None else rows.loss[:, :runs].ravel()
        if loss is None and not self._inside(steps).all():
            loss = self.descent.loss(steps)
        ended = self._judge(steps, k, gradient, loss, flat(path[3:])).reshape(length, runs)
        gone: Mask = (ended != _GOING).any(axis=0)
        place = ((ended != _GOING).argmax(axis=0) * runs + np.arange(runs))[gone]
        if place.size:
            self._finish(steps, k, gradient, loss, self.descent.rate(steps.run, k), ended.ravel(), place)
        return gone

    def _keep_tail(self, k: int, run: Integers, weight: Rows) -> None:
        if k > self.stop - TAIL:
            self.log.tail[k - self.stop - 1][:, self._places(run)] = weight

    def _judged_step(self, lanes: Lanes, k: int) -> Lanes:
        """Judge the runs at w_k, record them, and take the step of those that go on."""
        before = lanes.loss_evaluations
        gradient, clipped = self.descent.gradient(lanes, k)
        rate = self.descent.rate(lanes.run, k)
        recording = k % self.batch.record_every == 0
        loss = (
            self.descent.loss(lanes)
            if recording or self.plan.loss_may_fail or not self._inside(lanes).all()
            else None
        )
        options = self.descent.rule_options(lanes.run)
        steps, state = self.descent.step(lanes, gradient, rate, k, options)
        backtracked = np.zeros(lanes.run.size, dtype=bool)
        if self.batch.line_search is not None:
            steps, rate, backtracked = self.descent.search(lanes, gradient, steps, rate)
        moved = [weight + step for weight, step in zip(lanes.weight, steps, strict=True)]
        ended = self._judge(lanes, k, gradient, loss, moved)
        self._keep_tail(k, lanes.run, lanes.weight)
        going = ended == _GOING
        if not going.all():
            self.log.last_evaluations[lanes.run] = lanes.loss_evaluations - before
            place = np.flatnonzero(~going)
            self._finish(lanes, np.full(lanes.run.size, k), gradient, loss, rate, ended, place)
        if recording:
            assert loss is not None
            self.log.record(
                k, self._places(lanes.run), np.stack(lanes.weight), np.stack(gradient), loss, rate
            )
        for word, happened in (("clipped", clipped), ("backtracked", backtracked)):
            for run in lanes.run[happened & going]:
                self.log.flag(int(run), k + 1, word)
        if not going.all():
            kept = np.flatnonzero(going)
            kept = np.repeat(kept, 2) if kept.size == 1 else kept  # see Lanes.at_least_two
            lanes = lanes.take(kept)
            moved = [weight[kept] for weight in moved]
            state = [[value[kept] for value in rows] for rows in state]
        if self.plan.judges_cycle and is_anchor(k):
            lanes.anchor = self._anchor(lanes, k)
        lanes.advance(moved, state)
        return lanes

    def _judge(
        self, lanes: Lanes, k: int | Integers, gradient: Rows, loss: Array | None, moved: Rows
    ) -> NDArray[np.int8]:
        """Return for each run the code of its status, or ``_GOING``.

        ``k`` is one step for all or one for each, and ``moved`` are the weights one step on.
        """
        stopping = self.batch.stopping
        finite = _all(np.isfinite(value) for value in (*lanes.weight, *gradient))
        if loss is not None:
            finite &= np.isfinite(loss)
        inside = self._inside(lanes)
        settled = _all(np.abs(value) <= stopping.gradient_tolerance for value in gradient)
        if not self.batch.rule.rule.memoryless:
            settled &= _all(np.abs(step) <= stopping.gradient_tolerance for step in lanes.last_step)
        tests: list[tuple[Status, Mask]] = [
            (Status.NONFINITE, ~finite), (Status.DIVERGED, ~inside), (Status.CONVERGED, settled),
        ]  # fmt: skip
        rates = self.plan.rates
        if self.plan.judges_stall:
            steady = rates.constant or k >= rates.rises_until[lanes.run]
            tests.append((Status.STALLED, steady & all_equal(moved, lanes.weight)))
        if self.plan.judges_cycle:
            constant = rates.constant or k >= rates.changes_until[lanes.run]
            tests.append((Status.CYCLING, constant & _cycling(lanes, k)))
        tests.append((Status.MAX_STEPS, np.broadcast_to(k >= self.stop, lanes.run.shape)))
        result = np.full(lanes.run.size, _GOING, dtype=np.int8)
        for status, mask in reversed(tests):
            np.putmask(result, mask, status.code)
        return result

    def _inside(self, lanes: Lanes) -> Mask:
        """Which runs are within the divergence bound."""
        bound = self.batch.stopping.divergence_bound
        return _all(np.abs(value) <= bound for value in lanes.weight)

    def _finish(
        self,
        lanes: Lanes,
        k: Integers,
        gradient: Rows,
        loss: Array | None,
        rate: Array,
        ended: NDArray[np.int8],
        place: Integers,
    ) -> None:
        """Write down the ends of the runs at ``place``."""
        log, done = self.log, lanes if place.size == lanes.run.size else lanes.take(place)
        run = self._places(done.run)
        log.status_code[run] = ended[place]
        log.steps[run] = k[place]
        log.gradient_evaluations[run] = done.gradient_evaluations
        log.loss_evaluations[run] = done.loss_evaluations
        log.final["weight"][:, run] = done.weight
        log.final["gradient"][:, run] = [value[place] for value in gradient]
        log.final["previous"][:, run] = done.previous
        log.final["step"][:, run] = done.last_step
        log.final["anchor"][:, run] = done.anchor
        log.final_loss[run] = self.descent.loss(done) if loss is None else loss[place]
        log.final_rate[run] = rate[place]
        for name, rows in zip(log.state, done.state, strict=True):
            log.state[name][:, run] = rows


def _cycling(lanes: Lanes, k: int | Integers) -> Mask:
    """Whether the weight of two steps ago is back, or a cycle that is one of period 2 but for its rounding.

    The map from weight to weight is the same at every step here, so that a weight which comes back exactly
    comes back for ever. Rounding may turn a cycle of period 2 into one of 4, 6 or more that are equal
    to many digits; therefore the weight at the last power of two is kept and looked for every eighth step.
    """
    back = all_equal(lanes.weight, lanes.before)
    looked_for = np.broadcast_to(np.equal(k % BURST, 0), back.shape)
    if looked_for.any():
        back |= looked_for & back_again(lanes.weight, lanes.previous, lanes.before, lanes.anchor)
    return back


def _all(masks: Iterable[Mask]) -> Mask:
    return reduce(np.logical_and, masks)
