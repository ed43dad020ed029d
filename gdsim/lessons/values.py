"""What the prose of a lesson quotes: computed by gdsim, put into the text where ``{{ name }}`` stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdsim.lessons.model import Experiment, Lesson, Source
from gdsim.outcomes import Fault, InputError, nearest

if TYPE_CHECKING:
    from gdsim.runs import Run
    from gdsim.scenario import Scenario

_QUOTED = re.compile(r"\{\{\s*([A-Za-z0-9_-]+)\s*(?::([^}]*))?\}\}")
Value = float | str
ABSENT = "(PyTorch is not installed here)"


def scenario_of(
    lesson: Lesson, experiment: Experiment, settings: Mapping[str, object] | None = None
) -> Scenario:
    """Return the scenario of an experiment, its settings and those of a learner put in.

    Raises
    ------
    InputError
        As for any scenario; a setting is named as ``-S`` names it.
    """
    from gdsim.scenario import load

    beside = lesson.folder / experiment.scenario
    file: str | Path = beside if beside.is_file() else experiment.scenario
    changes = {**experiment.settings, **(settings or {})}
    return load(file, overrides=[f"{path}={setting_text(value)}" for path, value in changes.items()])


def run_of(lesson: Lesson, experiment: Experiment, settings: Mapping[str, object] | None = None) -> Run:
    """Return the run of an experiment. Raises InputError."""
    from gdsim.runs.execution import execute

    return execute(scenario_of(lesson, experiment, settings))


def setting_of(lesson: Lesson, experiment: Experiment, path: str) -> str:
    """Return what a value of an experiment is as it stands, as a learner types it; empty where it has parts.

    Raises
    ------
    InputError
        As for any scenario.
    """
    from gdsim.scenario.write import as_data

    found: Any = as_data(scenario_of(lesson, experiment))
    for part in path.split("."):
        if isinstance(found, dict):
            found = found.get(part)
        elif part != "w":
            return ""
    if isinstance(found, dict):
        parts = [value for key, value in found.items() if key in ("initial", "method")]
        plain = len(found) == 1 or found.get("schedule") == "constant"
        found = parts[0] if plain and parts else next(iter(found.values())) if plain else None
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return ""
    return found if isinstance(found, str) else f"{found:.6g}"


def setting_text(value: object) -> str:
    """Return a setting as YAML in one line, as it stands after ``-S key=``."""
    import json

    return value if isinstance(value, str) else json.dumps(value)


@cache
def _summary(lesson_folder: Path, scenario: str, settings: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    lesson = Lesson("", lesson_folder, 1, (), {}, ())
    return run_of(lesson, Experiment(scenario, dict(settings))).summary()


def summary_field(lesson: Lesson, experiment: Experiment, path: str) -> Value:
    """Return a field of a run's summary by its dotted path.

    Raises
    ------
    InputError
        Where there is no such field, with those there are.
    """
    settings = tuple(sorted((key, setting_text(value)) for key, value in experiment.settings.items()))
    found: Any = _summary(lesson.folder, experiment.scenario, settings)
    for part in path.split("."):
        known = [*found] if isinstance(found, dict) else [str(i) for i in range(len(found))] if isinstance(
            found, list | tuple) else []  # fmt: skip
        if part not in known:
            raise InputError(
                Fault(f"the summary has no field {path!r}", f"{part} one of {', '.join(known) or 'none'}",
                      nearest(part, known))
            )  # fmt: skip
        found = found[part] if isinstance(found, dict) else found[int(part)]
    if isinstance(found, int | float | str):
        return found
    raise InputError(Fault(f"{path!r} is no number and no word", "a field with one value"))


def value_of(lesson: Lesson, name: str) -> Value:
    """Compute a value of a lesson: a number, or a formula as text.

    Raises
    ------
    InputError
        For an unknown name, and where it cannot be computed.
    """
    if name not in lesson.values:
        known = [*lesson.values]
        raise InputError(
            Fault(f"{name!r} is no value of this lesson", ", ".join(known) or "none", nearest(name, known))
        )
    return _computed(lesson, lesson.values[name])


def _computed(lesson: Lesson, source: Source) -> Value:
    from gdsim.expr.differentiate import derivative
    from gdsim.expr.display import to_text
    from gdsim.expr.parse import parse, parse_constant

    if source.experiment is not None:
        return summary_field(lesson, source.experiment, source.field)
    if source.formula:
        return to_text(parse(source.formula), unicode=True)
    if source.derivative and not source.at:
        return to_text(derivative(parse(source.derivative), source.by), unicode=True)
    if source.derivative:
        return _slope(source)
    if source.at:
        import numpy as np

        from gdsim.losses import Loss

        loss = Loss.from_text(source.expression)
        return float(loss.evaluate(np.array([[source.at[weight]] for weight in loss.weights]))[0])
    text = _with_others(lesson, source.expression) if "{{" in source.expression else source.expression
    return float(parse_constant(text))


def _with_others(lesson: Lesson, expression: str) -> str:
    """Put other values into an expression. Raises InputError for one that does not stand before it."""
    names = list(lesson.values)
    own = next(place for place, name in enumerate(names) if lesson.values[name].expression == expression)

    def number(match: re.Match[str]) -> str:
        if match[1] in names[own:]:
            raise InputError(
                Fault(f"{match[0]} does not stand before the value that uses it", "values above it")
            )
        return f"({value_of(lesson, match[1])!r})"

    return _QUOTED.sub(number, expression)


def _slope(source: Source) -> Value:
    """Return a derivative at a point by any method; words where that is not installed."""
    import numpy as np

    from gdsim.derivatives import derivative_method
    from gdsim.expr.nodes import symbols
    from gdsim.expr.parse import parse
    from gdsim.losses import Loss

    if source.by not in symbols(parse(source.derivative)):
        return 0.0  # a constant
    loss = Loss.from_text(source.derivative)
    options = dict(source.method)
    name = str(options.pop("method", "analytic"))
    if name == "torch" and find_spec("torch") is None:
        return ABSENT
    method = derivative_method(name, **options)
    weight = np.array([[source.at[name]] for name in loss.weights], dtype=np.float64)
    return float(method.bind(loss)(weight, {}, None).gradient[loss.weights.index(source.by), 0])


def filled(lesson: Lesson, text: str) -> str:
    """Return a text with every ``{{ name }}`` and ``{{ name:.3g }}`` computed.

    Raises
    ------
    InputError
        For an unknown name or a format that does not fit.
    """

    def computed(match: re.Match[str]) -> str:
        value = value_of(lesson, match[1])
        try:
            form = (match[2] or "").strip() or (".6g" if isinstance(value, float) else "")
            if not isinstance(value, float):
                return format(value, form)
            return format(value + 0.0, form).replace("-", "−")  # + 0.0 takes the sign off a zero
        except ValueError:
            raise InputError(Fault(f"{match[0]}: the format does not fit", "such as .3g")) from None

    return _QUOTED.sub(computed, text)


def quoted(text: str) -> list[str]:
    """Return the names that a text quotes.

    >>> quoted("about {{ slope:.3g }}, that is {{ slope }}")
    ['slope', 'slope']
    """
    return [match[1] for match in _QUOTED.finditer(text)]


def has_stray_braces(text: str) -> bool:
    """Tell whether a text begins to quote a value and does not end.

    >>> has_stray_braces("about {{ slope }}"), has_stray_braces("about {{ slope }")
    (False, True)
    """
    return "{{" in _QUOTED.sub("", text)
