"""The axes of a sweep: as the command line writes them, and as a file does; scenarios with values put in."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from math import ceil, floor
from typing import TYPE_CHECKING, Any, NamedTuple

from gdsim.outcomes import Fault, InputError, nearest
from gdsim.scenario.document import Document, Place
from gdsim.scenario.merge import forget, merge, override
from gdsim.scenario.resolve import resolve
from gdsim.scenario.shapes import exact_number, show
from gdsim.scenario.write import flow_text

if TYPE_CHECKING:
    from gdsim.scenario.specification import Scenario

Value = float | int | str

#: fields whose values are words
WORDS = (
    "loss", "loss.expression", "loss.name", "update_rule", "update_rule.name", "derivative",
    "derivative.method", "derivative.scheme", "derivative.routine", "learning_rate.schedule", "line_search",
    "noise.kind",
)  # fmt: skip
_TRIED = 64  # values of an axis that are tried one by one
_SPREAD = re.compile(r"\s*(lin|log)\s*\((.*)\)\s*\Z", re.DOTALL)
_AXIS = "key=v1,v2 or key=lin(a,b,n) or key=log(a,b,n), such as learning_rate=log(0.001,1,200)"


class Axis(NamedTuple):
    """One axis as a scenario states it.

    Attributes
    ----------
    path
        The field, as in ``-S``.
    values
        Its values; empty where they are drawn at random.
    distribution
        ``values``, ``uniform``, ``log_uniform``, ``normal`` or ``int_uniform``.
    low, high
        The ends of a distribution; the mean and the deviation of a normal one.
    """

    path: str
    values: tuple[Value, ...] = ()
    distribution: str = "values"
    low: float = 0.0
    high: float = 0.0


def written_axis(text: str) -> tuple[str, dict[str, object]]:
    """Return path and mapping of an axis as the command line writes it.

    Raises
    ------
    InputError
        Where it is none.

    Examples
    --------
    >>> written_axis("learning_rate=log(1e-3, 1, 200)")
    ('learning_rate', {'min': '1e-3', 'max': '1', 'num': '200', 'distribution': 'log_uniform'})
    >>> written_axis("update_rule=momentum,adam")
    ('update_rule', {'values': ['momentum', 'adam']})
    """
    path, equals, written = text.partition("=")
    path = path.strip()
    if not equals or not path or not written.strip():
        raise InputError(Fault(f"{text!r} is no axis", _AXIS))
    spread = _SPREAD.match(written)
    parts = _parted(spread.group(2) if spread else written)
    if not all(parts):
        raise InputError(Fault("a value is missing", _AXIS, path=path))
    if not spread:
        return path, {"values": parts}
    if len(parts) != 3:
        raise InputError(Fault(f"{spread.group(1)} takes three numbers, not {len(parts)}", _AXIS, path=path))
    low, high, count = parts
    distribution = "uniform" if spread.group(1) == "lin" else "log_uniform"
    return path, {"min": low, "max": high, "num": count, "distribution": distribution}


def _parted(text: str) -> list[str]:
    """Split at the commas that stand outside brackets.

    >>> _parted("w^2, max(w, 0)")
    ['w^2', 'max(w, 0)']
    """
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def with_axes(scenario: Scenario, texts: Sequence[str]) -> Scenario:
    """Return the scenario with axes of the command line beside, and in place of, those of its file.

    Raises
    ------
    InputError
        With every fault of the axes.
    """
    found: dict[str, dict[str, object]] = {}
    faults: list[Fault] = []
    for text in texts:
        try:
            path, axis = written_axis(text)
            if path in found:
                raise InputError(Fault("this axis is given twice", "all its values in one", path=path))
            found[path] = axis
        except InputError as error:
            faults += error.located(file=text).faults
    if faults:
        raise InputError(*faults)
    return _put(
        scenario, {path: (axis, text) for (path, axis), text in zip(found.items(), texts, strict=True)}
    )


def with_values(scenario: Scenario, axes: Mapping[str, object]) -> Scenario:
    """Return the scenario with axes from Python: sequences, arrays, or text as on the command line.

    Raises
    ------
    InputError
        With every fault of the axes.

    Examples
    --------
    >>> from gdsim.scenario import load
    >>> swept = with_values(load("parabola"), {"learning_rate": [0.1, 0.2], "seed": "lin(0,4,5)"})
    >>> [len(axis.values) for axis in axes_of(swept)]
    [2, 5]
    """
    found: dict[str, tuple[dict[str, object], str]] = {}
    for path, given in axes.items():
        if isinstance(given, str):
            found[path] = written_axis(f"{path}={given}")[1], f"{path}={given}"
            continue
        if not (isinstance(given, Sequence) or hasattr(given, "tolist")):
            raise InputError(Fault(f"{given!r} is no axis", "a sequence, an array, or text", path=path))
        values = given.tolist() if hasattr(given, "tolist") else list(given)  # type: ignore[call-overload]
        found[path] = {"values": values}, ""
    return _put(scenario, found)


def _put(scenario: Scenario, found: Mapping[str, tuple[dict[str, object], str]]) -> Scenario:
    """Put axes into a scenario, each with the text that gave it."""
    if not found:
        return scenario
    axes = {path: axis for path, (axis, _) in found.items()}
    layer = Document({"sweep": {"parameters": axes}}, {("sweep",): Place("sweep", None, None)})
    for path, (_, text) in found.items():
        place = Place(text or None, None, None)
        layer.values["sweep", "parameters", path] = layer.keys["sweep", "parameters", path] = place
    document = _copy(scenario)
    given = document.data.get("sweep")
    if isinstance(given, dict) and isinstance(given.get("parameters"), dict):
        for path in found:
            given["parameters"].pop(path, None)
    merge(document, layer)
    return resolve(document, scenario.source)


def with_only(scenario: Scenario, axes: Mapping[str, Sequence[Value]]) -> Scenario:
    """Return the scenario with a grid of these axes in place of its own. Raises InputError.

    >>> from gdsim.scenario import load
    >>> axes_of(with_only(load("parabola"), {"learning_rate": [0.1, 0.2]}))[0].values
    (0.1, 0.2)
    """
    document = _copy(scenario)
    forget(document, ("sweep",))
    stated = {path: {"values": list(values)} for path, values in axes.items()}
    merge(document, Document({"sweep": {"parameters": stated}}))
    return resolve(document, scenario.source)


def zoomed(scenario: Scenario, windows: Sequence[str]) -> Scenario:
    """Return the scenario with axes narrowed to windows ``key=a,b``, each with as many values as before.

    It gets a name of its own, so that the whole picture stays.

    Raises
    ------
    InputError
        For an axis that is not there, or has no range to be narrowed.

    Examples
    --------
    >>> from gdsim.scenario import load
    >>> swept = with_axes(load("parabola"), ["learning_rate=log(0.01,2,5)"])
    >>> axes_of(zoomed(swept, ["learning_rate=0.5,1"]))[0].values[::4]
    (0.5, 1.0)
    """
    if not windows:
        return scenario
    known = {axis.path: axis for axis in axes_of(scenario)}
    texts = []
    for text in windows:
        path, stated = written_axis(text)
        ends = stated.get("values")
        if path not in known:
            raise InputError(
                Fault(
                    "this sweep has no such axis", ", ".join(known), nearest(path, [*known]), text, path=path
                )
            )
        axis = known[path]
        if not isinstance(ends, list) or len(ends) != 2:
            raise InputError(Fault("a window has two ends", f"{path}=a,b", file=text, path=path))
        if axis.distribution not in ("uniform", "log_uniform") or not axis.values:
            raise InputError(
                Fault(
                    "this axis has no range",
                    "an axis given as lin(a,b,n) or log(a,b,n)",
                    file=text,
                    path=path,
                )
            )
        kind = "lin" if axis.distribution == "uniform" else "log"
        texts.append(f"{path}={kind}({ends[0]},{ends[1]},{len(axis.values)})")
    mark = zlib.crc32(" ".join(sorted(texts)).encode())
    named = variant(scenario, {"name": f"{scenario.name}-zoom-{mark:08x}"})
    return with_axes(named, texts)


def variant(scenario: Scenario, values: Mapping[str, Value]) -> Scenario:
    """Return the scenario with other values in some fields, as ``-S`` would put them.

    Raises
    ------
    InputError
        Where a value does not fit its field.

    Examples
    --------
    >>> from gdsim.scenario import load
    >>> variant(load("parabola"), {"update_rule": "momentum", "initial_weight": 2}).update_rule.name
    'momentum'
    """
    document = _copy(scenario)
    for path, value in values.items():
        merge(document, override(f"{path}={flow_text(value)}"))
    return replace(resolve(document, scenario.source), sweep=scenario.sweep, expect=None)


def _copy(scenario: Scenario) -> Document:
    assert scenario.document is not None
    return deepcopy(scenario.document)


def axes_of(scenario: Scenario) -> tuple[Axis, ...]:
    """Return the axes that a scenario states, in the order of the file.

    Raises
    ------
    InputError
        For a value that is neither a number nor, where words belong, a word; for a scenario without axes.
    """
    faults: list[Fault] = []
    axes = []
    for path, axis in stated_axes(scenario).items():
        try:
            axes.append(_axis(str(path), axis, str((scenario.sweep or {}).get("method", "grid"))))
        except InputError as error:
            place = f"sweep.parameters.{path}"
            assert scenario.document is not None
            faults += (
                scenario.document.located(fault, ("sweep", "parameters", path, "values"))
                for fault in error.located(path=place).faults
            )
    if faults:
        raise InputError(*faults)
    return tuple(axes)


def stated_axes(scenario: Scenario) -> Mapping[str, Any]:
    """Return the axes in the shape of the file. Raises InputError where there are none."""
    stated = (scenario.sweep or {}).get("parameters")
    if isinstance(stated, Mapping) and stated:
        return stated
    message = "this scenario has no axes to sweep over"
    raise InputError(Fault(message, f"a sweep: block, or axes behind the file: {_AXIS}"))


def _axis(path: str, given: Mapping[str, object], method: str) -> Axis:
    if "values" in given:
        values = given["values"]
        assert isinstance(values, Sequence)
        return Axis(path, tuple(axis_value(path, value) for value in values))
    distribution = str(given.get("distribution", "uniform"))
    first, second = ("mean", "deviation") if distribution == "normal" else ("min", "max")
    low, high = (float(given[key]) for key in (first, second))  # type: ignore[arg-type]
    if method == "random":
        return Axis(path, (), distribution, low, high)
    return Axis(path, spread(low, high, int(given["num"]), distribution), distribution, low, high)  # type: ignore[call-overload]


def axis_value(path: str, value: object) -> Value:
    """Return a value of an axis as a number, or as a word where words belong. Raises InputError.

    >>> axis_value("learning_rate", "1/4"), axis_value("update_rule", "adam")
    (0.25, 'adam')
    """
    if path in WORDS or path.rpartition(".")[0] == "derivative":
        if isinstance(value, str):
            return value
        if path in WORDS:
            raise InputError(Fault(f"{show(value)} does not fit", "words"))
    exact = exact_number(value)
    return int(exact) if path == "seed" and exact == int(exact) else float(exact)


def spread(
    low: float, high: float, count: int, distribution: str, most: int | None = None
) -> tuple[float, ...]:
    """Return so many values from low to high, evenly spaced or evenly in the logarithm.

    Each is the double nearest to the true value, the ends taken as they are written. Of ``most`` values the
    last is the end, and the others are the first of all.

    >>> spread(0.1, 0.5, 5, "uniform"), spread(0.001, 1.0, 4, "log_uniform")
    ((0.1, 0.2, 0.3, 0.4, 0.5), (0.001, 0.01, 0.1, 1.0))
    """
    from decimal import Context, Decimal, localcontext

    with localcontext(Context(prec=60)):  # what many small roundings add up to stays far below a double's
        first, last = Decimal(repr(low)), Decimal(repr(high))
        if count == 1:
            return (low,)
        places = count if most is None else min(count, most)
        if distribution == "log_uniform":
            ratio = (last / first) ** (1 / Decimal(count - 1))
            values = [first]
            while len(values) < places:
                values.append(values[-1] * ratio)
        else:
            values = [first + (last - first) * place / (count - 1) for place in range(places)]
        return (low, *(float(value) for value in values[1:-1]), high)


def tried(axis: Axis) -> Sequence[Value]:
    """Return the values that tell whether an axis fits its field.

    All of a few; of many the least, the greatest and a broken one, since a field may take whole numbers only.
    """
    values = axis.values
    if not values:
        if axis.distribution == "normal":
            return [axis.low]
        whole = axis.distribution == "int_uniform"
        return [ceil(axis.low), floor(axis.high)] if whole else [axis.low, axis.high]
    numbers = [value for value in values if not isinstance(value, str)]
    if len(values) <= _TRIED or len(numbers) < len(values):
        return values
    return [min(numbers), max(numbers), *[value for value in numbers if value != int(value)][:1]]
