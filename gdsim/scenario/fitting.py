"""Whether the axes of a sweep fit their scenario: each value is put into its field, and faults are told.

This stands beside the other faults of a file: what is wrong without the axis too is none of its business, and
what such a fault hides is left until that is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from math import ceil, floor
from typing import NamedTuple

from gdsim.outcomes import Fault, InputError
from gdsim.scenario.axes import Axis, Value, axis_value, spread, stated_axes, tried
from gdsim.scenario.document import Document, KeyPath, Place, dotted
from gdsim.scenario.merge import forget, merge, override
from gdsim.scenario.resolve import in_order, resolve
from gdsim.scenario.shapes import exact_number
from gdsim.scenario.specification import Scenario
from gdsim.scenario.write import flow_text

_MOST_FAULTS = 20  # of one axis that are told
_MOST_AXES = 100  # that are tried while the rest of the scenario has faults
_OF_THE_LOSS = ("initial_weight", "domain")  # fields whose keys are the weights of the loss


class _Candidate(NamedTuple):
    """A value that tells whether an axis fits, where it stands, and why it can be no value of an axis."""

    value: object
    at: KeyPath
    refused: tuple[Fault, ...] = ()


class _Base(NamedTuple):
    """A document without its sweep, its faults, and the fields that have some."""

    document: Document
    known: frozenset[Fault]
    faulty: frozenset[str]

    @staticmethod
    def of(document: Document) -> _Base:
        bare = _copy(document)
        forget(bare, ("sweep",))
        known = _faults(bare)
        return _Base(bare, frozenset(known), frozenset(_field(fault.path) for fault in known))

    def put(self, path: str, value: object, place: Place) -> tuple[list[Fault], list[Fault]]:
        """Return what is wrong with a value in a field: with the value, at its place, and with all else."""
        try:
            layer = override(f"{path}={flow_text(value)}")
        except InputError as error:
            return [], [fault._replace(path=path) for fault in error.faults]
        layer.values = {max(layer.values, key=len): place}
        document = _copy(self.document)
        merge(document, layer)
        found = _faults(document)
        new = [fault for fault in found if fault not in self.known]
        own = [fault for fault in new if fault.path == place.shown]
        if _field(path) in _OF_THE_LOSS and "loss" in self.faulty:
            return own, []
        # where the value takes a fault away, what that has hidden comes to light, too
        certain = self.known <= {*found}
        return own, [fault for fault in new if fault.path != place.shown and (certain or fault.path == path)]


def check_axes(scenario: Scenario) -> None:
    """Put the values of every axis into the scenario, one axis at a time.

    Raises
    ------
    InputError
        For axes that name no field, and values that their field does not take, all of them at once; for a
        scenario without axes.
    """
    stated_axes(scenario)
    assert scenario.document is not None
    if faults := axis_faults(scenario.document):
        raise InputError(*faults)


def axis_faults(document: Document) -> list[Fault]:
    """Return what is wrong with the axes of a document, as far as its other faults let it be told."""
    stated = document.data.get("sweep")
    axes = stated.get("parameters") if isinstance(stated, dict) else None
    if not isinstance(stated, dict) or not isinstance(axes, dict):
        return []
    base, method = _Base.of(document), stated.get("method")
    found: list[Fault] = []
    for path, axis in islice(axes.items(), _MOST_AXES if base.known else None):
        if isinstance(path, str):
            found += _of_field(document, base, path) or _of_values(
                document, base, path, _candidates(path, axis, method)
            )
    return in_order(found)


def _of_field(document: Document, base: _Base, path: str) -> list[Fault]:
    """What is wrong with an axis whatever its values: the field is none, or is not complete with it."""
    at = ("sweep", "parameters", path)
    _, found = base.put(path, 1, Place(None, None, None, shown=dotted(at)))
    of_path = [fault for fault in found if fault.path == path]
    above = [fault for fault in found if path.startswith(f"{fault.path}.")]
    return [
        document.key_fault(at, fault.message, fault.expected, fault.suggestion) for fault in of_path or above
    ]


def _of_values(document: Document, base: _Base, path: str, candidates: Iterator[_Candidate]) -> list[Fault]:
    """What is wrong with the values of an axis, each at its place; what is wrong with several alike, once."""
    told: dict[str, Fault] = {}
    for value, at, refused in candidates:
        if told and len(at) == 3:  # a value between two ends, which do not fit
            break
        place = document.place(at) or Place(None, None, None)
        own, others = base.put(path, value, place._replace(shown=dotted(at)))
        own += [document.fault(at, fault.message, fault.expected, fault.suggestion) for fault in others]
        if not own and _field(path) not in base.faulty:
            own = [
                document.located(fault._replace(expected=fault.expected or "a number"), at)
                for fault in refused
            ]
        for fault in own:
            told.setdefault(fault.message, fault)
        if len(told) >= _MOST_FAULTS:
            break
    return [*told.values()]


def _candidates(path: str, axis: object, method: object) -> Iterator[_Candidate]:
    """The values of an axis that tell whether it fits, also of one that is not yet in its shape."""
    at: KeyPath = ("sweep", "parameters", path)
    if isinstance(axis, list):
        yield from _of_list(path, axis, at)
    elif isinstance(axis, dict) and isinstance(axis.get("values"), list):
        yield from _of_list(path, axis["values"], (*at, "values"))
    elif isinstance(axis, dict):
        yield from _of_range(axis, at, method)


def _of_list(path: str, values: list[object], at: KeyPath) -> Iterator[_Candidate]:
    fitting: dict[Value, _Candidate] = {}
    refused: dict[str, _Candidate] = {}
    for index, value in enumerate(values):
        try:
            found = axis_value(path, value)
            written = value if isinstance(value, int) else found
            fitting.setdefault(found, _Candidate(written, (*at, index)))
        except InputError as error:
            if value is not None:  # that is told of the shape
                refused.setdefault(repr(value), _Candidate(value, (*at, index), error.faults))
    trial = [fitting[value] for value in tried(Axis(path, tuple(fitting)))] if fitting else []
    yield from sorted([*refused.values(), *trial], key=lambda candidate: int(candidate.at[-1]))


def _of_range(axis: Mapping[str, object], at: KeyPath, method: object) -> Iterator[_Candidate]:
    """The ends of a range, the mean where it has none, and of a grid the value after the first.

    Where that and the ends are whole numbers, all values are.
    """
    distribution = axis.get("distribution") or "uniform"
    given: dict[str, float] = {}
    for key in ("mean",) if distribution == "normal" else ("min", "max", "num"):
        with suppress(InputError):
            exact = exact_number(axis.get(key))
            given[key] = exact if isinstance(exact, int) else float(exact)
    rounded = {"min": ceil, "max": floor} if distribution == "int_uniform" else {}
    for key, value in given.items():
        if key != "num":
            yield _Candidate(rounded[key](value) if key in rounded else value, (*at, key))
    if method == "random" or len(given) < 3:
        return
    low, high, count = given.values()
    even = distribution == "uniform" or (distribution == "log_uniform" and low > 0)
    if even and low < high and count == int(count) > 2:
        yield _Candidate(spread(low, high, int(count), str(distribution), 3)[1], at)


def _copy(document: Document) -> Document:
    """Return a copy to merge a layer into, which leaves lists as they are."""

    def mappings(data: object) -> object:
        return {key: mappings(value) for key, value in data.items()} if isinstance(data, dict) else data

    data = {key: mappings(value) for key, value in document.data.items()}
    return Document(data, {**document.values}, {**document.keys}, {*document.whole}, [*document.faults])


def _faults(document: Document) -> tuple[Fault, ...]:
    try:
        resolve(document, None)
    except InputError as error:
        return error.faults
    return ()


def _field(path: str) -> str:
    return path.partition(".")[0]
