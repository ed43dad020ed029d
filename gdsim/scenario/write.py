"""A scenario as YAML that gives the same scenario when it is read again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from gdsim.scenario.specification import DataSpec, Scenario

#: the JSON Schema beside the scenario, as ``gdsim schema > scenario.schema.json`` writes it: no network
SCHEMA = "scenario.schema.json"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z")
_WORDS = {"null", "true", "false", "y", "n", "yes", "no", "on", "off"}
_WIDTH = 100


def modeline(schema: str) -> str:
    """Return the first line of a scenario file: it tells editors which schema applies."""
    return f"# yaml-language-server: $schema={schema}\n"


def scenario_text(scenario: Scenario, data_file: str | None = None) -> str:
    """Return the scenario as YAML with every value written out.

    Examples
    --------
    >>> from gdsim.scenario import parse_mapping
    >>> print(scenario_text(parse_mapping({"loss": "w**2", "initial_weight": 3, "learning_rate": 0.1})))
    # yaml-language-server: $schema=scenario.schema.json
    schema: 1
    name: scenario
    loss: {expression: w**2, parameters: {}}
    initial_weight: {w: 3.0}
    learning_rate: {schedule: constant, initial: 0.1, warmup: 0}
    update_rule: {name: gradient_descent, weight_decay: 0.0}
    derivative: {method: analytic}
    stopping: {max_steps: 1000, gradient_tolerance: 1.0e-08, divergence_bound: 100000000.0}
    domain: {w: [-27.0, 33.0]}
    record: {every: 1}
    seed: 0
    """
    data = as_data(scenario, data_file)
    return modeline(SCHEMA) + "".join(f"{key}:{_block(value, 1)}\n" for key, value in data.items())


def as_data(scenario: Scenario, data_file: str | None = None) -> dict[str, object]:
    """Return the scenario as plain data in the shape of a file."""
    loss: dict[str, object] = (
        {"name": scenario.loss.name} if scenario.loss.name else {"expression": scenario.loss.expression}
    )
    rate = scenario.learning_rate
    found: dict[str, object] = {
        "schema": 1,
        "name": scenario.name,
        "title": scenario.title or None,
        "loss": {**loss, "parameters": dict(scenario.loss.parameters)},
        "data": scenario.data and _data(scenario.data, data_file),
        "initial_weight": dict(scenario.initial_weight),
        "learning_rate": {
            "schedule": rate.schedule, "initial": rate.initial, "warmup": rate.warmup, **rate.options,
        },
        "update_rule": {"name": scenario.update_rule.name, **scenario.update_rule.options},
        "derivative": {"method": scenario.derivative.method, **scenario.derivative.options},
        "stopping": {
            "max_steps": scenario.stopping.max_steps,
            "gradient_tolerance": scenario.stopping.gradient_tolerance,
            "divergence_bound": scenario.stopping.divergence_bound,
        },
        "clip": scenario.clip and {scenario.clip.kind: scenario.clip.bound},
        "line_search": scenario.line_search,
        "domain": {name: list(interval) for name, interval in scenario.domain.items()},
        "noise": scenario.noise and _noise(scenario),
        "record": {"every": scenario.record.every},
        "seed": scenario.seed,
        "sweep": scenario.sweep,
        "figures": scenario.figures,
        "expect": scenario.expect,
    }  # fmt: skip
    return {key: value for key, value in found.items() if value is not None}


def _noise(scenario: Scenario) -> dict[str, object] | None:
    noise = scenario.noise
    if noise is None:
        return None
    return {
        "kind": noise.kind,
        **({"scale": noise.scale} if noise.kind == "gaussian" else {"size": noise.size}),
    }


def _data(data: DataSpec, data_file: str | None) -> dict[str, object]:
    columns: dict[str, object] = {name: list(column) for name, column in data.given.items()}
    if data.file is not None:
        columns = {"file": data_file or Path(data.file).as_posix()}
    return {**columns, **({"standardise": list(data.standardise)} if data.standardise else {})}


def _block(value: object, level: int) -> str:
    """Write what stands behind a key: on one line where it fits, else one entry to a line."""
    line = flow_text(value)
    if len(line) <= _WIDTH or not isinstance(value, Mapping) or not value:
        return f" {line}"
    indent = "  " * level
    return "".join(f"\n{indent}{_key(key)}:{_block(item, level + 1)}" for key, item in value.items())


def flow_text(value: object) -> str:
    """Return a value as YAML on one line.

    >>> flow_text({"a": [1, 2.5e-9], "b": "on"})
    '{a: [1, 2.5e-09], b: "on"}'
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return _float(value)
        case str():
            return _scalar(value)
        case Mapping():
            return "{" + ", ".join(f"{_key(key)}: {flow_text(item)}" for key, item in value.items()) + "}"
        case Sequence():
            return "[" + ", ".join(map(flow_text, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no place in a scenario")


def _float(value: float) -> str:
    """The shortest text that gives the same float, also for readers of YAML 1.1 (a dot before the e)."""
    text = repr(value)
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}" if e else text


def _scalar(text: str) -> str:
    """Write text plainly where no reader can take it for anything else, otherwise in quotes."""
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    simple = re.fullmatch(r"[A-Za-z_(][A-Za-z0-9_ ()*/^+.-]*[A-Za-z0-9_)]", text)
    return text if simple and text.lower() not in _WORDS else _quoted(text)


def _quoted(text: str) -> str:
    """Write text in double quotes; YAML, unlike JSON, has an escape for every character."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    signs = [sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in escaped]
    return '"' + "".join(signs) + '"'


def _key(key: object) -> str:
    return str(key) if isinstance(key, int) else _scalar(str(key))
