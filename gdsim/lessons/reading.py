"""``lesson.yaml`` read into a :class:`Lesson`, with every fault at its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gdsim.lessons.keys import LESSON, VALUE, step_shape
from gdsim.lessons.model import (
    KINDS,
    Choice,
    Differentiation,
    Experiment,
    Goal,
    Lesson,
    Order,
    Picture,
    Prediction,
    Quantity,
    Source,
    Step,
    Task,
    Tolerance,
    Trial,
    Tuning,
    Words,
)
from gdsim.lessons.sweeps import AXES, MOST_RUNS, length
from gdsim.outcomes import VERDICT_KINDS, InputError, nearest
from gdsim.scenario.document import Document, KeyPath, read_document
from gdsim.scenario.shapes import Check, exact_number, show

FILE = "lesson.yaml"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


def read_lesson(folder: Path) -> Lesson:
    """Read the lesson of a folder.

    Raises
    ------
    InputError
        With every fault of ``lesson.yaml``: file, line, column, path, what is wrong, what was expected.
    """
    document = _document(folder / FILE)
    check = Check(document, [*document.faults])
    given = _root(check)
    values = {name: _source(check, item, ("values", name)) for name, item in given["values"].items()}
    steps = [
        step
        for place, item in enumerate(given["steps"])
        if (step := _step(check, item, ("steps", place), values)) is not None
    ]
    for name in {step.name for step in steps}:
        for place in [i for i, item in enumerate(given["steps"]) if _named(item) == name][1:]:
            check.report(("steps", place, "name"), f"the name {name!r} stands twice", "a name of its own")
    if check.faults:
        raise InputError(*sorted(check.faults, key=lambda fault: (fault.line or 0, fault.column or 0)))
    return Lesson(folder.name, folder, given["minutes"], tuple(given["needs"]), values, tuple(steps))  # type: ignore[arg-type]


def _document(file: Path) -> Document:
    """Read the file as YAML; one that is empty lacks a lesson, not a scenario."""
    try:
        return read_document(file, go_on=True)
    except InputError as error:
        raise InputError(
            *(
                fault._replace(expected=LESSON.words) if "loss" in fault.expected else fault
                for fault in error.faults
            )
        ) from None


def _root(check: Check) -> dict[str, Any]:
    """Check the outermost keys; what has a fault is empty here, its fault noted."""
    data = check.document.data
    found: dict[str, Any] = {"minutes": 0, "needs": [], "values": {}, "steps": []}
    for key, value in data.items():
        entry = LESSON.keys.get(str(key))
        if entry is None:
            check.unknown_key((key,), [*LESSON.keys])
        elif key == "values":
            found["values"] = _values(check, value)
        elif value is not None:
            found[key] = check.read(entry.shape, value, (key,)) or found.get(key, 0)
    for key, entry in LESSON.keys.items():
        if entry.required and data.get(key) is None:
            check.report((), f"the key {key!r} is missing", f"{key}: {entry.summary}")
    return found


def _values(check: Check, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        check.report(("values",), f"{show(value)} does not fit", "a mapping of names to values")
        return {}
    return {str(key): item for key, item in value.items()}


def _named(item: object) -> object:
    return item.get("name") if isinstance(item, dict) else None


def _step(check: Check, item: object, path: KeyPath, values: Mapping[str, Source | None]) -> Step | None:
    if not isinstance(item, dict):
        check.report(path, f"{show(item)} is no step", "name:, kind: and the keys of that kind")
        return None
    kind = item.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        check.report((*path, "kind"), f"{show(kind)} is no kind of step", f"one of {', '.join(KINDS)}",
                     nearest(str(kind), [*KINDS]))  # fmt: skip
        return None
    given = check.read(step_shape(kind), item, path)
    if given is None:
        return None
    if not _NAME.match(given["name"]):
        check.report((*path, "name"), f"{show(given['name'])} is no name", "small letters, digits, hyphens")
    before = len(check.faults)
    task = _task(check, kind, given, path, values)
    return Step(given["name"], task) if task is not None and len(check.faults) == before else None


def _task(
    check: Check, kind: str, given: Mapping[str, Any], path: KeyPath, values: Mapping[str, Source | None]
) -> Task | None:
    match kind:
        case "text":
            return Words()
        case "figure":
            return _picture(check, given, path)
        case "run":
            return Trial(_experiment(given), tuple(given.get("edit", ())), given.get("plot", ""))
        case "predict":
            return _prediction(check, given, path)
        case "choice":
            return _choice(check, given, path)
        case "number":
            return _quantity(check, given, path, values)
        case "derive":
            return _differentiation(check, given, path)
        case "tune":
            return _tuning(check, given, path)
    if len(set(given["items"])) < max(2, len(given["items"])):
        check.report((*path, "items"), "an order needs different items", "two or more names")
        return None
    return Order(tuple(given["items"]))


def _picture(check: Check, given: Mapping[str, Any], path: KeyPath) -> Picture:
    plot, axes = given.get("plot", "curve"), given.get("axes", {})
    place = (*path, "plot") if "plot" in given else path
    if "axes" not in given and plot in AXES:
        check.report(place, f"{plot} shows a sweep", 'axes: such as {learning_rate: "lin(0.1,1,50)"}')
    elif "axes" in given:
        _check_axes(check, axes, (*path, "axes"))
        if plot not in AXES:
            check.report(place, f"{plot} shows a run, not a sweep", f"plot: one of {', '.join(AXES)}")
        elif len(axes) != AXES[plot]:
            message = f"{plot} shows a sweep over {_counted(AXES[plot])}, not {len(axes)}"
            check.report((*path, "axes"), message, _counted(AXES[plot]))
        for key in ("at", "until"):
            if key in given:
                check.report((*path, key), "a sweep has no steps to look at", "no such key beside axes:")
    return Picture(_experiment(given), plot, tuple(given.get("at", ())), given.get("until"), axes)


def _counted(axes: int) -> str:
    return "one axis" if axes == 1 else f"{axes} axes"


def _check_axes(check: Check, axes: Mapping[str, str], path: KeyPath) -> None:
    """Note what is no axis, and a sweep of more runs than a learner would wait for."""
    runs = 1
    for name, text in axes.items():
        try:
            runs *= length(name, text)
        except InputError as error:
            for fault in error.faults:
                check.report((*path, name), fault.message, fault.expected or "values of an axis")
    if runs > MOST_RUNS:
        check.report(path, f"{runs:,} runs are too many for a lesson", f"at most {MOST_RUNS:,}")


def _experiment(given: Mapping[str, Any]) -> Experiment:
    return Experiment(given["scenario"], dict(given.get("settings") or {}))


def _tolerance(given: Mapping[str, Any], default: Tolerance) -> Tolerance:
    found = given.get("tolerance")
    return default if found is None else Tolerance(found.get("absolute", 0.0), found.get("relative", 0.0))


def _prediction(check: Check, given: Mapping[str, Any], path: KeyPath) -> Prediction | None:
    ask = given["ask"]
    if ask == "number" and "field" not in given:
        check.report(path, "the key 'field' is missing", "field: a field of the summary")
        return None
    if ask == "outcome" and len(given.get("among", ())) < 2:
        check.report(path, "an outcome is chosen among verdicts", "among: two verdicts or more")
        return None
    return Prediction(
        _experiment(given), ask, given.get("field", ""), tuple(given.get("among", ())),
        _tolerance(given, Tolerance(relative=0.1)), given.get("plot", ""),
    )  # fmt: skip


def _choice(check: Check, given: Mapping[str, Any], path: KeyPath) -> Choice | None:
    options, right = given["options"], given["right"]
    if len(set(options)) < max(2, len(options)):
        check.report((*path, "options"), "a choice needs different options", "two or more names")
    for place, name in enumerate(right):
        if name not in options:
            check.report((*path, "right", place), f"{name!r} is no option", f"one of {', '.join(options)}",
                         nearest(name, options))  # fmt: skip
    return Choice(tuple(options), tuple(right))


def _quantity(
    check: Check, given: Mapping[str, Any], path: KeyPath, values: Mapping[str, Source | None]
) -> Quantity:
    wanted: dict[KeyPath, str] = {("answer",): given["answer"]}
    mistakes = given.get("mistakes", {})
    wanted |= {("mistakes", name): value for name, value in mistakes.items()}
    for inside, name in wanted.items():
        if name not in values:
            check.report((*path, *inside), f"{name!r} is no value of this lesson",
                         f"one of {', '.join(values)}", nearest(name, [*values]))  # fmt: skip
    return Quantity(given["answer"], _tolerance(given, Tolerance(relative=0.01)), mistakes)


def _differentiation(check: Check, given: Mapping[str, Any], path: KeyPath) -> Differentiation | None:
    weights = _formula(check, given["of"], (*path, "of"))
    if weights is None:
        return None
    if not weights:
        check.report((*path, "of"), f"{show(given['of'])} has no weight", "a formula of a weight")
        return None
    by = given.get("by", weights[0] if len(weights) == 1 else "")
    if by not in weights:
        check.report(path, "it is not said by which weight", f"by: one of {', '.join(weights)}")
        return None
    return Differentiation(given["of"], by)


def _formula(check: Check, text: str, path: KeyPath) -> list[str] | None:
    """Return the weights of a formula, or None with its faults noted."""
    from gdsim.expr.nodes import symbols
    from gdsim.expr.parse import parse

    try:
        return sorted(symbols(parse(text)))
    except InputError as error:
        check.faults.extend(check.document.located(fault, path) for fault in error.faults)
        return None


def _tuning(check: Check, given: Mapping[str, Any], path: KeyPath) -> Tuning | None:
    goal = given["goal"]
    verdict = goal["verdict"] if isinstance(goal["verdict"], list) else [goal["verdict"]]
    for kind in verdict:
        if kind not in VERDICT_KINDS:
            check.report((*path, "goal", "verdict"), f"{show(kind)} is no verdict",
                         f"one of {', '.join(VERDICT_KINDS)}", nearest(str(kind), VERDICT_KINDS))  # fmt: skip
    unknown = [key for key in given["solution"] if key not in given["edit"]]
    for key in unknown:
        check.report((*path, "solution", key), f"{key!r} may not be changed",
                     f"one of {', '.join(given['edit'])}", nearest(str(key), given["edit"]))  # fmt: skip
    weight = goal.get("weight")
    place = weight if isinstance(weight, dict) else {} if weight is None else {"w": weight}
    return Tuning(
        _experiment(given), tuple(given["edit"]),
        Goal(tuple(verdict), goal.get("within"), place, goal.get("tolerance", 1e-3)),
        given["solution"], given.get("plot", ""),
    )  # fmt: skip


def _source(check: Check, item: object, path: KeyPath) -> Source | None:
    """Return where a value comes from; a bare number or text is a constant expression."""
    if not isinstance(item, dict):
        try:
            exact_number(item)
        except InputError as error:
            check.faults.extend(check.document.located(fault, path) for fault in error.faults)
            return None
        return Source(expression=str(item))
    given = check.read(VALUE, item, path)
    if given is None:
        return None
    stated = [key for key in ("expression", "derivative", "formula", "scenario") if key in given]
    if len(stated) != 1:
        check.report(path, f"a value comes from one place, not {len(stated)}", VALUE.words)
        return None
    if "scenario" in given and "field" not in given:
        check.report(path, "the key 'field' is missing", "field: a field of the run's summary")
        return None
    text = given.get("expression") or given.get("derivative") or given.get("formula")
    constant = text is None or "{{" in text  # other values are put in when it is computed
    weights = [] if constant else _formula(check, text, (*path, stated[0]))
    if weights is None:
        return None
    at = given.get("at")
    if at is not None and not isinstance(at, dict):
        if len(weights) != 1:
            check.report((*path, "at"), "one number does not say where", f"a mapping of {', '.join(weights)}")
            return None
        at = {weights[0]: at}
    method = given.get("method", {})
    return Source(
        given.get("expression", ""), given.get("derivative", ""), given.get("formula", ""),
        given.get("by", weights[0] if len(weights) == 1 else ""), at or {},
        {"method": method} if isinstance(method, str) else method,
        _experiment(given) if "scenario" in given else None, given.get("field", ""),
    )  # fmt: skip
