"""The fast engine: runs as lanes of compiled, vectorised blocks, on several threads.

Numba is imported when the first batch runs, not with this module.
"""

from __future__ import annotations

import os
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from importlib.util import find_spec
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsim.batch import TAIL, Trajectory
from gdsim.derivatives.complex_step import AUTOMATIC_STEP
from gdsim.derivatives.finite_differences import SCHEMES
from gdsim.expr.emit_numpy import compile_raw
from gdsim.expr.nodes import Symbol
from gdsim.kernels import fast_tables, machine_code
from gdsim.kernels.descent import Lanes, initial_lanes
from gdsim.kernels.fast_differences import STEP
from gdsim.kernels.fast_sheet import LANES
from gdsim.kernels.fast_source import NUMBERS, Source
from gdsim.kernels.fast_step import BY_ELIMINATION, kind_of
from gdsim.kernels.plan import BURST, Plan
from gdsim.outcomes import Fault, InputError, Status

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_LOW = 0xFFFFFFFF
_SOURCES: dict[tuple[Hashable, ...], Source] = {}  # writing one takes milliseconds
_ROOMS: list[Array] = []  # tails that nobody reads any more
_MOST_ROOMS = 64
_MOST_SOURCES = 4  # that are remembered, each with the batch that it was written for


@dataclass(frozen=True, eq=False)
class Ends:
    """What came of many runs, in arrays: the last record of each.

    ``weight``, ``gradient``, ``previous_weight`` and ``anchor`` are ``(weights, runs)``, each of
    ``rule_state`` too; ``tail`` is ``(32, weights, runs)``; ``record`` is ``(records, 2·weights + 2, runs)``:
    weights, gradient, loss, rate; the rest ``(runs,)``. What was not asked for has no elements.
    """

    status_code: NDArray[np.int8]
    steps: Integers
    weight: Array
    gradient: Array
    loss: Array
    learning_rate: Array
    previous_weight: Array
    anchor: Array
    rule_state: dict[str, Array]
    tail: Array
    record: Array
    evaluations: int  # of the loss, for one gradient

    @property
    def gradient_evaluations(self) -> Integers:
        """Gradients judged."""
        return self.steps + 1

    @property
    def loss_evaluations(self) -> Integers:
        """Evaluations of the loss by the derivative method."""
        return self.evaluations * (self.steps + 1)


def supports(plan: Plan) -> str:
    """Return why the fast engine cannot run a batch, or nothing where it can."""
    batch = plan.batch
    if not _has_numba():
        return "the fast engine needs the package numba, which is not installed"
    if batch.loss.expression is None:
        return "the fast engine compiles formulas, and this loss is a Python function"
    method = batch.derivative
    if method.name not in ("analytic", "numeric"):
        return f"the fast engine has no derivative method {method.name}"
    if batch.rule.rule.needs_hessian and len(batch.loss.weights) > BY_ELIMINATION:
        return f"the fast engine runs newton for at most {BY_ELIMINATION} weights"
    if batch.line_search is not None:
        return "the fast engine has no line search"
    if batch.noise is not None and batch.noise.kind != "gaussian":
        return "the fast engine draws no mini-batches"
    return ""


@cache
def _has_numba() -> bool:
    return find_spec("numba") is not None


def check(plan: Plan) -> None:
    """Raise InputError where the fast engine cannot run a batch."""
    reason = supports(plan)
    if reason:
        remedy = "the numpy engine" + (", or pip install 'gdsim[fast]'" if "installed" in reason else "")
        raise InputError(Fault(reason, remedy, path="engine"))


def run(
    plan: Plan, start: Trajectory | None = None, threads: int | None = None, *, ends_only: bool = False
) -> Trajectory:
    """Run a batch to its end.

    Parameters
    ----------
    plan
        The batch.
    start
        A trajectory of the same batch that ended at fewer steps; its runs with status MAX_STEPS go on.
    threads
        How many threads to use; by default one for each processor.
    ends_only
        Leave the tails of runs that end before the last 32 steps as they are found in memory. Where no step
        but the first would be recorded, of that record only the weight is kept, the rest is nan.

    Returns
    -------
    Trajectory
        From the first record (of ``start``'s last one, where given). Its ``flags`` are empty: what was
        clipped on the way is not kept.

    Raises
    ------
    InputError
        For a batch that :func:`supports` gives a reason against.
    """
    check(plan)
    every = plan.batch.record_every
    starts_only = ends_only and start is None and every > plan.batch.stopping.max_steps
    starts_only &= plan.batch.runs > 1  # one run alone is shown with every number of its records
    found = _Run(plan, start, tail=True, every=0 if starts_only else every, whole=not starts_only)
    found.sparse_tail = ends_only
    return found.trajectory(found.ends(threads))


def ends(plan: Plan, *, tail: bool = False, threads: int | None = None) -> Ends:
    """Run a batch and keep only how each run ended: no object for a run, no records.

    Parameters
    ----------
    tail
        Whether to keep the last 32 weights of runs that end at ``max_steps``, which costs 256 bytes a run.

    Notes
    -----
    Memory: 8 bytes a run for each number that differs from run to run, and about 100 for what came of it.
    """
    check(plan)
    return _Run(plan, None, tail=tail, every=0).ends(threads)


def keep_room(tail: Array) -> None:
    """Let a later batch whose ends alone are asked for have the memory of a tail.

    Nobody may read the tail from now on. New memory would cost more than most runs: the system clears it.
    """
    if len(_ROOMS) < _MOST_ROOMS and tail.base is None:
        _ROOMS.append(tail)


def free_rooms() -> None:
    """Give back the memory of all tails kept."""
    _ROOMS.clear()


def _room(shape: tuple[int, ...]) -> Array:
    """Memory for a tail, kept or new; what stands in it has no meaning."""
    with suppress(IndexError):  # another thread may have taken the last one
        found = _ROOMS.pop()
        if found.shape == shape:
            return found
    return np.empty(shape)


def _source(plan: Plan) -> Source:
    """The source of a plan; the last few are remembered."""
    kind = kind_of(plan)
    source = _SOURCES.pop(kind, None) or Source(plan)
    _SOURCES[kind] = source  # the newest stands last
    while len(_SOURCES) > _MOST_SOURCES:
        del _SOURCES[next(iter(_SOURCES))]
    return source


class _Run:
    """One call of the compiled loop: its inputs and outputs."""

    def __init__(
        self, plan: Plan, start: Trajectory | None, tail: bool, every: int, whole: bool = False
    ) -> None:
        self.plan, self.batch = plan, plan.batch
        self.source = _source(plan)
        self.every, self.with_tail, self.whole, self.sparse_tail = every, tail, whole, False
        self.first = 0
        self.lanes: Lanes | None = None
        self.chosen: Integers | slice = slice(None)
        if start is not None:
            self.first, lanes = initial_lanes(plan, start)
            self.lanes = lanes
            self.chosen = lanes.run
        self.runs = self.batch.runs if self.lanes is None else self.lanes.run.size
        self.given: list[Array] = []
        self.rows_from: list[int] = []
        self.fill: list[float] = []

    # -- inputs -------------------------------------------------------------------------------------

    def _starts(self) -> tuple[Array, Integers, Array]:
        """The rows of numbers that differ from run to run, where each variable has its own, and the rest."""
        places: dict[int, int] = {}
        for name in self.source.moving:
            value = self._start_of(name)
            if np.ndim(value) == 0:
                self.rows_from.append(-1)
                self.fill.append(float(value))
                continue
            if id(value) not in places:
                places[id(value)] = len(self.given)
                self.given.append(value)
            self.rows_from.append(places[id(value)])
            self.fill.append(0.0)
        given = np.empty((len(self.given), self.runs))
        for place, row in enumerate(self.given):
            given[place] = row
        return given, np.array(self.rows_from, dtype=np.int64), np.array(self.fill)

    def _start_of(self, name: str) -> Any:
        """A number, or an array over runs that is kept in ``self.given`` once."""
        if name == "k":
            return float(self.first)
        if name == "turn":
            return float(max(BURST, 1 << max(self.first - 1, 0).bit_length()))
        if name in ("due", "run"):
            return 0.0
        letter, place = name[0], name[1:]
        if letter in "wabc" and place.isdigit():
            return self._weight(letter, int(place))
        if letter == "s" and "_" in name and place[0].isdigit():
            state, w = map(int, place.split("_"))
            return self._state(state, w)
        return self._fixed(name)

    @cached_property
    def _weights(self) -> list[Array]:
        return list(self.batch.initial_weight) if self.lanes is None else self.lanes.weight

    def _weight(self, letter: str, place: int) -> Any:
        if letter == "w" or (letter == "a" and self.lanes is None):
            return self._weights[place]
        if self.lanes is None:
            return np.nan
        return {"a": self.lanes.previous, "b": self.lanes.before, "c": self.lanes.anchor}[letter][place]

    def _state(self, state: int, w: int) -> Any:
        if self.lanes is not None:
            return self.lanes.state[state][w]
        rule = self.batch.rule
        swept = self.plan.options("update_rule")
        _, expression = rule.rule.initial_state[state]
        arguments = [Symbol(option, "parameter") for option in rule.options]
        values = [swept.get(name, value) for name, value in rule.options.items()]
        return compile_raw([expression], arguments)(*values)[0]

    def _fixed(self, name: str) -> Any:
        """What does not change while a run goes on."""
        batch, step = self.batch, self.source.step
        if name == "rate0":
            return self._of(batch.learning_rate)
        if name in ("rises", "changes"):
            rates = self.plan.rates
            return self._of(rates.rises_until if name == "rises" else rates.changes_until)
        if name == "scale":
            return self._of(self.plan.options("noise")["scale"])
        if name.startswith(("seed", "key")):
            return self._words(name)
        by_name = {f"p{place}": batch.parameters.get(key) for place, key in enumerate(batch.loss.parameters)}
        for owner, variables in (("update_rule", step.options), ("learning_rate", step.rate_options)):
            swept = self.plan.options(owner)
            by_name |= {variable: swept.get(key) for key, variable in variables.items()}
        return self._of(by_name[name])

    def _of(self, values: Any) -> Any:
        return values if isinstance(self.chosen, slice) else values[self.chosen]

    def _words(self, name: str) -> Any:
        """The halves of a run's seed and key, as numbers."""
        batch = self.batch
        if name.startswith("seed"):
            word = np.zeros(1, dtype=np.uint64) if batch.seed is None else batch.seed.astype(np.uint64)
            half = word & np.uint64(_LOW) if name == "seed_low" else word >> np.uint64(32)
        else:
            key = np.arange(batch.runs) if batch.run_key is None else batch.run_key
            word = key.astype(np.uint64)
            half = word & np.uint64(_LOW)
            if name == "key_high":
                half = (word >> np.uint64(31)) & ~np.uint64(1) & np.uint64(_LOW)
        values = half.astype(np.float64)
        return float(values[0]) if values.size == 1 else self._of(values)

    def _numbers(self) -> Array:
        """The numbers that all runs share."""
        batch, step = self.batch, self.source.step
        stop = batch.stopping.max_steps
        last = stop - TAIL + 1 if self.with_tail else stop
        values: dict[str, float] = {
            "tolerance": batch.stopping.gradient_tolerance, "bound": batch.stopping.divergence_bound,
            "stop": stop, "first": self.first, "last": last, "every": self.every,
        }  # fmt: skip
        values |= {f"p{place}": value for place, value in enumerate(batch.loss.parameters.values())}
        values |= {step.options[name]: value for name, value in batch.rule.options.items()}
        values |= {step.rate_options[name]: value for name, value in batch.schedule.options.items()}
        values[step.rate_options["warmup"]] = batch.schedule.warmup
        values["scale"] = 0.0 if batch.noise is None else batch.noise.scale
        values["clip"] = 0.0 if batch.clip is None else batch.clip.bound
        if step.scheme:
            size = AUTOMATIC_STEP if step.automatic else float(batch.derivative.options["step"])
            values[STEP] = size
            if step.scheme in SCHEMES:
                values |= {name: offset * size for offset, name in step.shifts().items()}
                values |= {name: (up - low) * size for (up, low), name in step.widths().items()}
        return np.array([values[name] for name in (*NUMBERS, *step.numbers)], dtype=np.float64)

    def _lists(self) -> tuple[Array, int, Array, int]:
        """The data, and the tables of what depends on the step alone."""
        columns = [np.asarray(column, dtype=np.float64) for column in self.batch.loss.data.values()]
        data = np.concatenate(columns) if columns else np.zeros(1)
        rows = len(columns[0]) if columns else 0
        step, stop = self.source.step, self.batch.stopping.max_steps
        if not step.table_names:
            return data, rows, np.zeros(1), 1
        k = np.arange(stop + 1, dtype=np.float64)
        options = dict(self.batch.schedule.options)
        after = k - self.batch.schedule.warmup
        period = np.floor(after / options["step_size"]) if "step_size" in options else np.zeros_like(k)
        inputs = {**options, "warmup": self.batch.schedule.warmup, "step_now": k, "after": after,
                  "period_number": period}  # fmt: skip
        tables = fast_tables.values(step.schedule.shared, inputs, k.size) if step.schedule.tables else []
        if step.rule.tables:
            inputs = {**self.batch.rule.options, "step_number": k + 1.0}
            tables += fast_tables.values(step.rule.shared, inputs, k.size)
        return data, rows, np.concatenate(tables), k.size

    # -- the run and what came of it ----------------------------------------------------------------

    def ends(self, threads: int | None = None) -> Ends:
        """Run everything."""
        drive = machine_code.loop(self.source.text)
        ward = self.source.ward
        wanted = self._wanted()
        names = [name for group in wanted.values() for name in group]
        out = np.empty((len(names), self.runs))
        status, steps = np.empty(self.runs, dtype=np.int8), np.empty(self.runs, dtype=np.int64)
        weights = len(self.batch.loss.weights)
        shape = (TAIL if self.with_tail else 0, weights, self.runs)
        tail = _room(shape) if self.sparse_tail else np.empty(shape)
        there = min(TAIL, self.batch.stopping.max_steps - self.first + 1)  # records of a run that goes on
        tail[: TAIL - there if self.sparse_tail else None] = np.nan
        records = 0
        if self.every:
            records = self.batch.stopping.max_steps // self.every - (-(-self.first // self.every)) + 1
        record = np.full((records, 2 * weights + 2, self.runs), np.nan)
        rows_out = np.array([ward[name] for name in names], dtype=np.int64)
        starts, numbers, lists = self._starts(), self._numbers(), self._lists()
        columns, rows, tables, table_length = lists
        shared = (np.zeros(1, dtype=np.int64), *starts, numbers, columns, tables,
                  status, steps, out, rows_out, tail, record)  # fmt: skip

        def work() -> None:
            arrays = (*self._blocks(), *shared)
            sizes = [size for array in arrays for size in array.shape]
            drive(*arrays, np.array([*sizes, rows, table_length], dtype=np.int64))

        count = min(threads or _processors(), max(1, -(-self.runs // LANES)))
        others = [_helpers(count - 1, os.getpid()).submit(work) for _ in range(count - 1)]
        work()
        for other in others:
            other.result()
        ends = list(accumulate(len(group) for group in wanted.values()))
        parts = dict(zip(wanted, np.split(out, ends[:-1]), strict=True))
        state = {name: parts.get(f"state {name}", np.empty((0, 0))) for name in self.batch.rule.rule.state}
        return Ends(
            status, steps, parts["w"], parts["g"], parts["loss"][0], parts["rate"][0], parts["a"],
            parts.get("c", np.empty((0, 0))), state if self.whole else {}, tail, record,
            self.batch.derivative.evaluations(self.batch.loss),
        )  # fmt: skip

    def _blocks(self) -> tuple[Array, Array, Array]:
        """A block, a ward and a queue, in zeros, for one thread."""
        source = self.source
        sizes = (source.rows_of_burst, source.rows_of_ward, 4 * len(source.moving))
        block, ward, queue = (_aligned(rows * LANES) for rows in sizes)
        unknown = LANES * len(source.moving)
        block[unknown : unknown + LANES] = np.nan  # see Source._remembered
        return block, ward, queue

    def _wanted(self) -> dict[str, list[str]]:
        """The variables of each array that comes back, in its order."""
        source, size = self.source, self.source.weights
        wanted = {name: [f"{name}{w}" for w in size] for name in ("w", "g", "a")}
        wanted |= {"loss": ["loss"], "rate": ["rate"]}
        if self.whole:
            wanted["c"] = [f"c{w}" for w in size] if self.plan.judges_cycle else []
            for place, name in enumerate(self.batch.rule.rule.state):
                wanted[f"state {name}"] = [f"s{place}_{w}" for w in source.weights]
        return wanted

    def trajectory(self, found: Ends) -> Trajectory:
        """Everything as a trajectory of the whole batch; runs that did not go on are left empty."""
        batch, runs = self.batch, self.batch.runs
        weights = len(batch.loss.weights)

        def whole(values: Any, empty: Any = np.nan) -> Any:
            if isinstance(self.chosen, slice):
                return values
            result = np.full((*values.shape[:-1], runs), empty, dtype=values.dtype)
            result[..., self.chosen] = values
            return result

        first = kept = 0
        if self.every:
            first = -(-self.first // self.every)
            last = int(found.steps.max(initial=-1)) // self.every
            kept = max(0, last - first + 1)
        record = found.record[:kept]
        with np.errstate(invalid="ignore"):
            step = found.weight - found.previous_weight
        each, gradients, losses = found.evaluations, found.gradient_evaluations, found.loss_evaluations
        if self.lanes is not None:
            taken = found.steps - self.first + 1
            gradients = self.lanes.gradient_evaluations + taken
            losses = self.lanes.loss_evaluations + each * taken
        anchor = found.anchor if found.anchor.size else np.broadcast_to(np.nan, found.weight.shape)
        trajectory = Trajectory(
            weights=batch.loss.weights,
            step_index=np.arange(first, first + kept, dtype=np.int64) * self.every,
            weight=whole(np.ascontiguousarray(record[:, :weights])),
            gradient=whole(np.ascontiguousarray(record[:, weights : 2 * weights])),
            loss=whole(np.ascontiguousarray(record[:, -2])),
            learning_rate=whole(np.ascontiguousarray(record[:, -1])),
            status_code=whole(found.status_code, Status.MAX_STEPS.code),
            steps=whole(found.steps, 0),
            gradient_evaluations=whole(gradients, 0),
            loss_evaluations=whole(losses, 0),
            last_evaluations=whole(np.broadcast_to(np.int64(each), (self.runs,)), 0),
            final_weight=whole(found.weight),
            final_gradient=whole(found.gradient),
            final_loss=whole(found.loss),
            final_learning_rate=whole(found.learning_rate),
            previous_weight=whole(found.previous_weight),
            last_step=whole(step),
            anchor=whole(anchor),
            tail=whole(found.tail),
            rule_state={name: whole(value) for name, value in found.rule_state.items()},
            flags=({},) * runs,
            engine="fast",
        )
        return trajectory if self.every else self._with_starts(trajectory)

    def _with_starts(self, trajectory: Trajectory) -> Trajectory:
        """The same with a first record that holds the weights alone."""
        weight = self.batch.initial_weight[None]
        unknown = np.broadcast_to(np.nan, weight.shape)
        return replace(
            trajectory, step_index=np.zeros(1, dtype=np.int64), weight=weight, gradient=unknown,
            loss=unknown[:, 0], learning_rate=unknown[:, 0],
        )  # fmt: skip


@lru_cache(maxsize=1)
def _helpers(count: int, process: int) -> ThreadPoolExecutor:
    """Threads that wait for work: to start one takes as long as a million steps. A fork has its own."""
    return ThreadPoolExecutor(count, f"gdsim-{process}")


def _aligned(size: int) -> Array:
    """Zeros that begin at a multiple of 64 bytes, so that no vector lies across two lines of the cache."""
    room = np.zeros(size + 8)
    first = -(room.ctypes.data // 8) % 8
    return room[first : first + size]


def _processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
