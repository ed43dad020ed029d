"""Which runs a sweep has: from the axes of a scenario to numbered runs and their batches."""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim.batch import Batch
from gdsim.noise import philox
from gdsim.outcomes import Fault, InputError, Interval
from gdsim.runs.composition import compose
from gdsim.scenario import Scenario
from gdsim.scenario.axes import Axis, Value, axes_of, tried, variant
from gdsim.scenario.fitting import check_axes
from gdsim.scenario.merge import is_stated

Array: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

MOST_CATEGORIES = 10_000  # batches of a chunk that differ in more than numbers
_STREAM = 0x47445357  # keeps the numbers of a random sweep apart from noise


class Group(NamedTuple):
    """Runs of a chunk that make one batch: their places in the chunk, their category, the batch."""

    place: Integers
    category: int
    batch: Batch


@dataclass(frozen=True, eq=False)
class Design:
    """The runs of a sweep, numbered: of a grid the last axis runs fastest.

    Make one with :meth:`of`, which checks that every axis fits the scenario.

    Attributes
    ----------
    scenario
        What is swept.
    method
        ``grid``, ``zip`` or ``random``.
    axes
        The axes.
    runs
        How many runs there are.
    """

    scenario: Scenario
    method: Literal["grid", "zip", "random"]
    axes: tuple[Axis, ...]
    runs: int

    @staticmethod
    def of(scenario: Scenario) -> Design:
        """Return the design that a scenario's ``sweep`` states.

        Raises
        ------
        InputError
            For an axis that names no field, or a value that its field does not take.

        Examples
        --------
        >>> from gdsim.scenario import load
        >>> from gdsim.scenario.axes import with_axes
        >>> design = Design.of(with_axes(load("parabola"), ["learning_rate=0.1,0.2", "initial_weight=1,2,3"]))
        >>> design.runs, design.values(1, np.arange(4)).tolist()
        (6, [1.0, 2.0, 3.0, 1.0])
        """
        check_axes(scenario)
        axes = axes_of(scenario)
        stated = scenario.sweep or {}
        method: Any = stated.get("method", "grid")
        lengths = [len(axis.values) for axis in axes if axis.values]
        if method == "zip" and len({*lengths}) > 1:
            counts = ", ".join(f"{axis.path} {len(axis.values)}" for axis in axes)
            message = f"side by side every axis needs as many values: {counts}"
            raise InputError(Fault(message, "axes of one length, or method: grid", path="sweep"))
        runs = {"grid": math.prod(lengths), "zip": max(lengths, default=0)}.get(method)
        design = Design(scenario, method, axes, int(str(stated["runs"])) if runs is None else runs)
        design.check()
        return design

    def check(self) -> None:
        """Compose every batch that the values of the axes need. Raises InputError."""
        if math.prod(len(axis.values) for axis in self._worded) > MOST_CATEGORIES:
            names = ", ".join(axis.path for axis in self._worded)
            message = f"the axes {names} make too many batches"
            raise InputError(Fault(message, f"at most {MOST_CATEGORIES}", path="sweep"))
        self.categories  # noqa: B018 - composes every category: its parts must fit together

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the grid; ``(runs,)`` for other methods."""
        return tuple(len(axis.values) for axis in self.axes) if self.method == "grid" else (self.runs,)

    @cached_property
    def digest(self) -> str:
        """Sixteen digits for the runs of this design: the axes with their values."""
        content = repr((self.method, self.axes, self.runs))
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    # -- values -------------------------------------------------------------------------------------

    def index(self, axis: int, run: Integers) -> Integers:
        """Return the place of the axis' value for each run; of a random axis -1."""
        values = self.axes[axis].values
        if self.method == "grid":
            behind = math.prod(self.shape[axis + 1 :])
            return (run // behind) % len(values)
        if self.method == "zip":
            return run
        if not values:
            return np.full(run.shape, -1)
        return np.minimum((self._uniform(axis, run)[0] * len(values)).astype(np.int64), len(values) - 1)

    def values(self, axis: int, run: Integers) -> NDArray[Any]:
        """Return the axis' value for each run, numbers or words."""
        stated = self.axes[axis]
        if stated.values:
            known: NDArray[Any] = np.array(stated.values)
            if self.method == "grid" and run.size and run[-1] - run[0] + 1 == run.size > 1:
                return self._in_a_row(axis, known, int(run[0]), run.size)
            chosen: NDArray[Any] = known[self.index(axis, run)]
            return chosen
        drawn: Array = _drawn(stated, *self._uniform(axis, run))
        return drawn

    def _in_a_row(self, axis: int, known: NDArray[Any], first: int, runs: int) -> NDArray[Any]:
        """The values of an axis of a grid for runs that follow on each other."""
        behind = math.prod(self.shape[axis + 1 :])
        begin, end = first // behind, (first + runs - 1) // behind + 1
        turns = -(-(end - begin + begin % len(known)) // len(known))
        places = slice(begin % len(known), begin % len(known) + end - begin)
        each: NDArray[Any] = (np.tile(known, turns) if turns > 1 else known)[places]
        whole = np.repeat(each, behind) if behind > 1 else each
        return whole[first - begin * behind : first - begin * behind + runs]

    def _uniform(self, axis: int, run: Integers) -> tuple[Array, Array]:
        """Two uniform numbers for each run: a pure function of seed, axis and run; more runs only add."""
        name = zlib.crc32(self.axes[axis].path.encode())
        seed = self.scenario.seed
        words = philox((run & 0xFFFFFFFF, run >> 32, name, _STREAM), (seed & 0xFFFFFFFF, seed >> 32))
        return _fraction(words[0], words[1]), _fraction(words[2], words[3])

    # -- batches ------------------------------------------------------------------------------------

    @cached_property
    def template(self) -> Batch:
        """The batch of one that the scenario describes without its axes."""
        return compose(self.scenario)

    @cached_property
    def _worded(self) -> tuple[Axis, ...]:
        """The axes that change more than a number of a batch."""
        return tuple(axis for axis in self.axes if self._field(axis.path) is None)

    @cached_property
    def categories(self) -> tuple[tuple[dict[str, Value], Batch, Scenario], ...]:
        """Each combination of values that needs a batch of its own: values, a batch of one, a scenario."""
        if not self._worded:
            return (({}, self.template, self.scenario),)
        combinations: list[dict[str, Value]] = [{}]
        for axis in self._worded:
            combinations = [{**one, axis.path: value} for one in combinations for value in axis.values]
        found = []
        for one in combinations:
            scenario = variant(self.scenario, one)
            if set(scenario.initial_weight) != set(self.scenario.initial_weight):
                words = ", ".join(f"{path} {value}" for path, value in one.items())
                message = f"the weights of {words} are not those of the scenario"
                raise InputError(
                    Fault(message, f"a loss of {', '.join(self.scenario.initial_weight)}", path="sweep")
                )
            found.append((one, compose(scenario), scenario))
        return tuple(found)

    def _category(self, run: Integers) -> Integers:
        category = np.zeros(run.size, dtype=np.int64)
        for axis in self._worded:
            place = self.axes.index(axis)
            category = category * len(axis.values) + self.index(place, run)
        return category

    def groups(self, run: Integers) -> Iterator[Group]:
        """Return the batches of some runs, which together are these runs.

        Every run is the one that ``gdsim run`` makes with the same values: its noise too, whose key is 0.
        """
        if not self._worded:
            yield Group(np.arange(run.size), 0, self._batch(self.template, run))
            return
        category = self._category(run)
        for chosen in np.unique(category).tolist():
            place = np.flatnonzero(category == chosen)
            yield Group(place, chosen, self._batch(self.categories[chosen][1], run[place]))

    def _batch(self, one: Batch, run: Integers) -> Batch:
        """Repeat a batch of one, with the values of the axes in their places."""
        weight = np.repeat(one.initial_weight, run.size, axis=1)
        rate = np.repeat(one.learning_rate, run.size)
        seed = np.full(run.size, self.scenario.seed, dtype=np.int64)
        parameters: dict[str, Array] = {}
        options: dict[str, Array] = {}
        for place, axis in enumerate(self.axes):
            field = self._field(axis.path)
            if field is None:
                continue
            values = self.values(place, run)
            kind, name = field
            if kind == "weight":
                weight[one.loss.weights.index(name)] = values
            elif kind == "rate":
                rate = values.astype(np.float64)
            elif kind == "seed":
                seed = values.astype(np.int64)
            else:
                (parameters if kind == "parameter" else options)[name] = values.astype(np.float64)
        return replace(
            one, initial_weight=weight, learning_rate=rate, seed=seed, parameters=parameters,
            options=options, run_key=np.zeros(run.size, dtype=np.int64),
        )  # fmt: skip

    def _field(self, path: str) -> tuple[str, str] | None:
        """What of a batch an axis sets: a kind and a name; None where it takes batches of their own."""
        scenario, parts = self.scenario, path.split(".")
        match parts:
            case ["learning_rate"] | ["learning_rate", "initial"]:
                return "rate", ""
            case ["learning_rate", name] if name == "warmup" or name in scenario.learning_rate.options:
                return "option", path
            case ["initial_weight"]:
                return "weight", next(iter(scenario.initial_weight))
            case ["initial_weight", name]:
                return "weight", name
            case ["loss", "parameters", name]:
                return "parameter", name
            case ["update_rule", name] if name in self.template.rule.rule.options:
                return "option", path
            case ["noise", "scale" | "size"] if scenario.noise is not None:
                return "option", path
            case ["seed"]:
                return "seed", ""
        return None

    @cached_property
    def parameter_axes(self) -> tuple[int, ...]:
        """The axes over parameters of the loss."""
        return tuple(
            place for place, axis in enumerate(self.axes)
            if (field := self._field(axis.path)) is not None and field[0] == "parameter"
        )  # fmt: skip

    def landscape(self, category: int) -> tuple[object, ...]:
        """What the critical points of a category depend on, but for swept parameters: loss and domain."""
        scenario = self.categories[category][2]
        domain = tuple(sorted(self.domain(category).items()))
        return scenario.loss.expression, tuple(scenario.loss.parameters.items()), domain

    @cached_property
    def losses(self) -> int:
        """At most so many distinct losses are run."""
        landscapes = len({self.landscape(category) for category in range(len(self.categories))})
        counts = [len(self.axes[place].values) for place in self.parameter_axes]
        if self.method != "grid" and counts:
            return min(self.runs, self.runs * landscapes)
        return math.prod(counts) * landscapes

    # -- the domain ---------------------------------------------------------------------------------

    def domain(self, category: int) -> Mapping[str, Interval]:
        """Where the critical points of a category are sought: as stated, else round every start."""
        scenario = self.categories[category][2]
        document = scenario.document
        if document is not None and is_stated(document, ("domain",)):
            return scenario.domain
        found = dict(scenario.domain)
        for axis in self.axes:
            field = self._field(axis.path)
            if field is None or field[0] != "weight":
                continue
            for value in tried(axis):
                low, high = variant(scenario, {axis.path: value}).domain[field[1]]
                found[field[1]] = min(low, found[field[1]][0]), max(high, found[field[1]][1])
        return found


def _drawn(axis: Axis, first: Array, second: Array) -> Array:
    """Turn two uniform numbers into one of an axis' distribution."""
    low, high = axis.low, axis.high
    match axis.distribution:
        case "normal":  # G. E. P. Box and M. E. Muller (1958), doi:10.1214/aoms/1177706645
            return low + high * np.sqrt(-2.0 * np.log(1.0 - first)) * np.cos(2.0 * np.pi * second)
        case "int_uniform":
            return np.asarray(np.floor(np.ceil(low) + (np.floor(high) - np.ceil(low) + 1.0) * first))
        case "log_uniform":
            return np.clip(np.exp(math.log(low) + (math.log(high) - math.log(low)) * first), low, high)
    return np.clip(low + (high - low) * first, low, high)


def _fraction(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> Array:
    """Two words of 32 bits as a number in [0, 1) with 53 random bits."""
    bits = (high >> np.uint64(5)) * np.uint64(1 << 26) + (low >> np.uint64(6))
    result: Array = bits.astype(np.float64) * 2.0**-53
    return result
