"""From checked data to a :class:`Scenario`: formula, weights, options, defaults, and what clashes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdsim.batch import Clip, Stopping
from gdsim.expr.nodes import Expr, symbols
from gdsim.expr.parse import parse
from gdsim.outcomes import CRITICAL_KINDS, Fault, InputError, Interval, nearest
from gdsim.scenario.document import Document, KeyPath
from gdsim.scenario.keys import SCENARIO
from gdsim.scenario.shapes import Check, exact_number, show
from gdsim.scenario.specification import (
    DataSpec,
    DerivativeSpec,
    LossSpec,
    Record,
    RuleSpec,
    Scenario,
    ScheduleSpec,
)

if TYPE_CHECKING:
    from gdsim.noise import Noise

#: columns of the log, which no weight may be named after
RESERVED = ("step", "loss", "flag", "direction", "learning_rate", "gradient", "status", "run")
LONGEST_NAME = 100  # bytes; file systems take 255, and a leftover's name is longer
_LARGEST = sys.float_info.max


def resolve(document: Document, source: Path | None) -> Scenario:
    """Return the scenario that a merged document states.

    Raises
    ------
    InputError
        With every fault of the document, in the order of the file.
    """
    check = Check(document, [*document.faults])
    given = _read_keys(check)
    data = _data(check, given)
    name = _name(check, given, source)
    loss, weights = _loss(check, given.get("loss"), data) if data is not _BROKEN else (None, None)
    start = _by_weight(check, given.get("initial_weight"), weights, ("initial_weight",), complete=True)
    if start is None and weights is not None:
        _hint_at_library(check, weights)
    domain = _domain(check, given.get("domain"), weights, start)
    rate = _learning_rate(check, given.get("learning_rate"))
    rule = _rule(check, given.get("update_rule", {}))
    method = _derivative(check, given.get("derivative", {}))
    stopping = Stopping(**(given.get("stopping") or {}))
    clip = _clip(check, given.get("clip"))
    noise = _noise(check, given.get("noise"), data)
    expect = _expect(check, given.get("expect"), weights)
    _sweep(check, given.get("sweep"))
    _figures(check, given.get("figures"))
    if check.faults:
        from gdsim.scenario.fitting import axis_faults

        raise InputError(*in_order([*check.faults, *axis_faults(document)]))
    if loss is None or start is None or rate is None or rule is None or method is None:
        raise AssertionError("a part without a value left no fault")
    return Scenario(
        name=name,
        title=given.get("title") or "",
        loss=loss,
        data=data if isinstance(data, DataSpec) else None,
        initial_weight=start,
        learning_rate=rate,
        update_rule=rule,
        derivative=method,
        stopping=stopping,
        clip=clip,
        line_search=given.get("line_search"),
        domain=domain or {},
        noise=noise,
        record=Record(**(given.get("record") or {})),
        seed=given.get("seed", 0),
        sweep=given.get("sweep"),
        figures=given.get("figures") or None,
        expect=expect,
        source=source,
        document=document,
    )


_BROKEN: Any = object()


def _read_keys(check: Check) -> dict[str, Any]:
    """Check the shape of every key; a key with a fault is None here, its fault noted."""
    given: dict[str, Any] = {}
    root = check.document.data
    for key, value in root.items():
        entry = SCENARIO.keys.get(str(key))
        if entry is None:
            check.unknown_key((key,), [*SCENARIO.keys])
        elif value is not None:
            given[key] = check.read(entry.shape, value, (key,))
    for key, entry in SCENARIO.keys.items():
        if entry.required and root.get(key) is None:
            example = f"{key}: {entry.example}"
            path: KeyPath = (key,) if (key,) in check.document.keys else ()
            fault = check.document.fault(
                path, f"the key {key!r} is missing", f"{entry.summary}, such as {example}"
            )
            check.faults.append(fault)
    return given


def _data(check: Check, given: Mapping[str, Any]) -> Any:
    if "data" not in given:
        return None
    from gdsim.scenario.tables import read_data

    found = read_data(check, given["data"], ("data",))
    return _BROKEN if found is None else found


def _name(check: Check, given: Mapping[str, Any], source: Path | None) -> str:
    name: str | None = given.get("name")
    if name is None:
        return source.stem.removesuffix(".gdsim") if source else "scenario"
    if (
        name.startswith(".")
        or len(name.encode(errors="replace")) > LONGEST_NAME
        or any(sign in "/\\" or not sign.isprintable() for sign in name)
    ):
        expected = f"up to {LONGEST_NAME} bytes of printable characters, no slash, no dot in front"
        check.report(("name",), f"{show(name)} cannot name a folder", expected)
    return name


def _loss(
    check: Check, given: Mapping[str, Any] | None, data: DataSpec | None
) -> tuple[LossSpec | None, tuple[str, ...] | None]:
    """Return the loss and its weights, either None where it has a fault."""
    if given is None:
        return None, None
    if ("expression" in given) == ("name" in given):
        message = "the loss has a name and an expression" if "name" in given else "the loss has no expression"
        check.report(("loss",), message, "either expression: … or name: …")
        return None, None
    before = len(check.faults)
    spec = _library_loss(check, given) if "name" in given else LossSpec(
        given["expression"], parameters=given.get("parameters", {})
    )  # fmt: skip
    where: KeyPath = ("loss", "name" if "name" in given else "expression")
    columns = frozenset(data.columns) if data else frozenset()
    try:
        tree = parse(spec.expression, parameters=frozenset(spec.parameters), columns=columns)
    except InputError as error:
        check.faults.extend(check.document.located(fault, where) for fault in error.faults)
        return None, None
    weights = symbols(tree, "weight")
    _check_symbols(check, tree, spec, weights, where)
    return (spec, weights) if len(check.faults) == before else (None, weights)


def _library_loss(check: Check, given: Mapping[str, Any]) -> LossSpec:
    from gdsim.losses import LOSSES

    entry = LOSSES[given["name"]]
    for key in given.get("parameters", {}):
        if key not in entry.parameters:
            check.unknown_key(("loss", "parameters", key), [*entry.parameters])
    known = {key: float(value) for key, value in entry.parameters.items()}
    return LossSpec(entry.formula, given["name"], {**known, **given.get("parameters", {})})


def _hint_at_library(check: Check, weights: tuple[str, ...]) -> None:
    """A formula that is one name, with initial values that do not fit it, is likely a misspelt loss."""
    given = check.document.data.get("loss")
    text = given.get("expression") if isinstance(given, dict) else None
    if (text,) != weights:
        return
    from gdsim.losses import LOSSES

    if near := nearest(weights[0], [*LOSSES]):
        message = f"no loss of the library is called {text!r}, so it is read as a weight"
        check.report(("loss", "expression"), message, "", near)


def _check_symbols(
    check: Check, tree: Expr, spec: LossSpec, weights: tuple[str, ...], where: KeyPath
) -> None:
    if not weights:
        check.report(
            where, "the loss has no weight", "a formula with a name that is no parameter, such as w**2"
        )
    for weight in weights:
        if weight in RESERVED or weight.startswith("gradient_"):
            check.report(where, f"the weight {weight!r} is named like a column of the log", "another name")
    used = symbols(tree, "parameter")
    for key in spec.parameters:
        if not spec.name and key not in used:
            near = nearest(key, weights)
            check.faults.append(
                check.document.key_fault(
                    ("loss", "parameters", key), f"the loss does not use the parameter {key!r}",
                    f"a name in the formula: {', '.join([*used, *weights])}", near,
                )
            )  # fmt: skip


def _by_weight(
    check: Check, given: Any, weights: tuple[str, ...] | None, path: KeyPath, *, complete: bool
) -> dict[str, Any] | None:
    """Return values by weight, in the loss's order; a bare value goes to the only weight."""
    if given is None or weights is None:
        return None
    if not isinstance(given, dict):
        if len(weights) == 1:
            return {weights[0]: given}
        wanted = "{" + ", ".join(f"{name}: …" for name in weights) + "}"
        if weights:
            check.report(path, f"the loss has {len(weights)} weights, {', '.join(weights)}", wanted)
        return None
    before = len(check.faults)
    missing = [name for name in weights if name not in given]
    for name in given:
        if name not in weights:
            message = f"the loss has no weight {name!r}"
            near = (
                missing[0]
                if len(missing) == 1 and len(given) == len(weights)
                else nearest(str(name), weights)
            )
            check.faults.append(
                check.document.key_fault((*path, name), message, f"the weights {', '.join(weights)}", near)
            )
    if complete and missing:
        names = ", ".join(missing)
        message = (
            f"the weight {names} has no value" if len(missing) == 1 else f"the weights {names} have no value"
        )
        check.report(path, message, f"a value for each of {', '.join(weights)}")
    if len(check.faults) > before:
        return None
    return {name: given[name] for name in weights if name in given}


def _domain(
    check: Check, given: Any, weights: tuple[str, ...] | None, start: Mapping[str, float] | None
) -> dict[str, Interval] | None:
    chosen: dict[str, Any] = {}
    if given is not None:
        chosen = _by_weight(check, given, weights, ("domain",), complete=False) or {}
        pairs = given.items() if isinstance(given, dict) else [(None, given)]
        for name, (low, high) in pairs:
            if low >= high:
                path: KeyPath = ("domain",) if name is None else ("domain", name)
                check.report(path, f"the interval [{low:g}, {high:g}] is empty", "the lower bound first")
    if weights is None or start is None:
        return None
    domain: dict[str, Interval] = {}
    for name in weights:
        reach = 10.0 * max(1.0, abs(start[name]))
        around = max(start[name] - reach, -_LARGEST), min(start[name] + reach, _LARGEST)
        low, high = chosen.get(name, around)
        domain[name] = (low, high)
    return domain


def _learning_rate(check: Check, given: Mapping[str, Any] | None) -> ScheduleSpec | None:
    if given is None:
        return None
    if not {*given} - {"initial", "warmup"}:  # a constant rate has no options
        return ScheduleSpec(given["initial"], warmup=given.get("warmup", 0))
    from gdsim.schedules import schedule

    name = given.get("schedule", "constant")
    options = _numbers(check, {k: v for k, v in given.items() if k not in ("schedule", "initial", "warmup")},
                       ("learning_rate",))  # fmt: skip
    if options is None:
        return None
    choice = _choose(check, ("learning_rate",), lambda: schedule(name, **options))
    if choice is None:
        return None
    public = _public(choice.options, choice.schedule.options, {})
    return ScheduleSpec(given["initial"], name, given.get("warmup", 0), public)


def _rule(check: Check, given: Mapping[str, Any] | None) -> RuleSpec | None:
    if given is None:
        return None
    from gdsim.update_rules import update_rule

    name = given.get("name", "gradient_descent")
    options = _numbers(check, {k: v for k, v in given.items() if k != "name"}, ("update_rule",))
    if options is None:
        return None
    choice = _choose(check, ("update_rule",), lambda: update_rule(name, **options))
    return (
        None
        if choice is None
        else RuleSpec(name, _public(choice.options, choice.rule.options, choice.rule.pairs))
    )


def _derivative(check: Check, given: Mapping[str, Any] | None) -> DerivativeSpec | None:
    if given is None:
        return None
    if not given:  # the analytic method has no options
        return DerivativeSpec()
    from gdsim.derivatives import METHODS, derivative_method

    name = given.get("method", "analytic")
    options = {key: value for key, value in given.items() if key != "method"}
    for key, value in options.items():
        entry = METHODS[name].options.get(key)
        if entry and entry.positive_number and isinstance(value, str) and value not in entry.choices:
            with suppress(InputError):  # the method itself says what the option takes
                options[key] = float(exact_number(value))
    choice = _choose(check, ("derivative",), lambda: derivative_method(name, **options))
    return None if choice is None else DerivativeSpec(name, dict(choice.options))


def _numbers(check: Check, options: Mapping[str, Any], path: KeyPath) -> dict[str, Any] | None:
    """Turn constant expressions among the options into numbers; faults are noted at their places."""
    before = len(check.faults)

    def read(value: object, at: KeyPath) -> object:
        if isinstance(value, list):
            return [read(item, (*at, index)) for index, item in enumerate(value)]
        if isinstance(value, bool):
            return value
        try:
            exact = exact_number(value)
        except InputError as error:
            check.faults.extend(check.document.located(fault, at) for fault in error.faults)
            return None
        return exact if isinstance(exact, int) else float(exact)

    found = {key: read(value, (*path, key)) for key, value in options.items() if value is not None}
    return found if len(check.faults) == before else None


def _choose(check: Check, path: KeyPath, choose: Callable[[], Any]) -> Any:
    """Call a registry; its faults get the places of the options that they name."""
    try:
        return choose()
    except InputError as error:
        for fault in error.faults:
            key = fault.path.removeprefix(f"{path[0]}.")
            inside = (*path, key) if key and key != path[0] else path
            plain = Fault(fault.message, fault.expected, fault.suggestion)
            if "no option" in fault.message:
                check.faults.append(
                    check.document.key_fault(inside, plain.message, plain.expected, plain.suggestion)
                )
            else:
                check.faults.append(check.document.located(plain, inside))
        return None


def _public(
    values: Mapping[str, float], options: Mapping[str, Any], pairs: Mapping[str, tuple[str, ...]]
) -> dict[str, object]:
    """Return options in the spelling of the file: flags as true and false, pairs as lists."""
    parts = {name for names in pairs.values() for name in names}
    found: dict[str, object] = {key: [values[name] for name in names] for key, names in pairs.items()}
    for key, value in values.items():
        if key not in parts:
            option = options[key]
            found[key] = bool(value) if option.flag else int(value) if option.whole else value
    return found


def _clip(check: Check, given: Mapping[str, float] | None) -> Clip | None:
    if given is None:
        return None
    if len(given) != 1:
        check.report(("clip",), "clip takes one bound", "either norm: … or value: …")
        return None
    ((kind, bound),) = given.items()
    return Clip("norm" if kind == "norm" else "value", bound)


def _noise(check: Check, given: Mapping[str, Any] | None, data: Any) -> Noise | None:
    if given is None:
        return None
    from gdsim.noise import Noise

    kind = given["kind"]
    wanted, other = ("scale", "size") if kind == "gaussian" else ("size", "scale")
    before = len(check.faults)
    if other in given:
        check.unknown_key(("noise", other), ["kind", wanted])
    if wanted not in given:
        entry = SCENARIO.keys["noise"].shape.keys[wanted]  # type: ignore[union-attr]
        check.report(("noise",), f"the key {wanted!r} is missing", f"{wanted}: {entry.summary}")
    if kind == "minibatch" and data is None:
        check.report(("noise", "kind"), "mini-batches need data", "a data: block with columns")
    if kind == "minibatch" and isinstance(data, DataSpec) and "size" in given:
        rows = len(next(iter(data.columns.values())))
        if given["size"] > rows:
            check.report(
                ("noise", "size"), f"{given['size']} rows are more than there are", f"at most {rows}"
            )
    if len(check.faults) > before:
        return None
    return Noise(kind, scale=given.get("scale", 0.0), size=given.get("size", 0))


def _expect(
    check: Check, given: Mapping[str, Any] | None, weights: tuple[str, ...] | None
) -> dict[str, Any] | None:
    if given is None:
        return None
    found = dict(given)
    for kind in found.get("critical_points", {}):
        if kind not in CRITICAL_KINDS:
            check.unknown_key(("expect", "critical_points", kind), [*CRITICAL_KINDS])
    if "final" in found:
        found["final"] = _state(check, found["final"], weights, ("expect", "final"))
    if "at" in found:
        found["at"] = {
            step: _state(check, state, weights, ("expect", "at", step)) for step, state in found["at"].items()
        }
    return found


def _state(
    check: Check, state: Mapping[str, Any], weights: tuple[str, ...] | None, path: KeyPath
) -> dict[str, Any]:
    found = {"tolerance": 1e-6, **state}
    for key in ("weight", "gradient"):
        if key in found:
            found[key] = _by_weight(check, found[key], weights, (*path, key), complete=False)
    if len(found) == 1:
        check.report(path, "nothing is expected here", "weight: …, gradient: … or loss: …")
    return found


def _sweep(check: Check, given: Mapping[str, Any] | None) -> None:
    if given is None:
        return
    method = given.get("method", "grid")
    if method == "random" and "runs" not in given:
        check.report(("sweep",), "the key 'runs' is missing", "runs: how many runs are drawn")
    if method != "random" and "runs" in given:
        check.report(("sweep", "runs"), f"runs does not go with method: {method}", "method: random")
    for name, axis in given["parameters"].items():
        _axis(check, axis, method, ("sweep", "parameters", name))


def _figures(check: Check, given: Mapping[str, Any] | None) -> None:
    if given is None or "size" not in given:
        return
    from gdsim.scenario.figures import require_room

    try:
        require_room(given.get("style", "slides"), given["size"])
    except InputError as error:
        check.faults.extend(check.document.located(fault, ("figures", "size")) for fault in error.faults)


def _axis(check: Check, axis: Mapping[str, Any], method: str, path: KeyPath) -> None:
    distribution = axis.get("distribution", "uniform")
    if "values" in axis:
        for key in axis:
            if key != "values":
                check.report((*path, key), f"{key} does not go with values", "either values, or min and max")
        return
    needed = ["mean", "deviation"] if distribution == "normal" else ["min", "max"]
    if method != "random":
        needed.append("num")
        if distribution not in ("uniform", "log_uniform"):
            check.report(
                (*path, "distribution"), f"{distribution} needs method: random", "uniform or log_uniform"
            )
    for key in needed:
        if key not in axis:
            check.report(path, f"the key {key!r} is missing", f"values: […], or {', '.join(needed)}")
    if "min" in axis and "max" in axis and axis["min"] > axis["max"]:
        check.report((*path, "min"), "min is above max", f"at most {axis['max']:g}")
    if distribution == "log_uniform" and axis.get("min", 1.0) <= 0:
        check.report((*path, "min"), "a logarithmic axis cannot begin at zero or below", "a number > 0")


def in_order(faults: list[Fault]) -> list[Fault]:
    """Return faults by file, line and column."""
    return sorted(faults, key=lambda fault: (fault.file or "", fault.line or 0, fault.column or 0))
