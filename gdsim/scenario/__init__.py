"""Scenario files: reading with every fault at its place, resolving, writing, and the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gdsim.scenario.library import find, find_preset, presets, shipped, shipped_scenarios
from gdsim.scenario.specification import (
    DataSpec,
    DerivativeSpec,
    LossSpec,
    Record,
    RuleSpec,
    Scenario,
    ScheduleSpec,
)

__all__ = [
    "DataSpec", "DerivativeSpec", "LossSpec", "Record", "RuleSpec", "Scenario", "ScheduleSpec",
    "dump", "find", "find_preset", "json_schema", "load", "origins", "parse_mapping", "presets", "shipped",
    "shipped_scenarios",
]  # fmt: skip


def load(
    path: str | Path, *, overrides: str | Sequence[str] = (), preset: str | Path | None = None
) -> Scenario:
    """Read a scenario file.

    Parameters
    ----------
    path
        The file, or the name of a shipped scenario.
    overrides
        ``key=value`` each, as after ``-S``, or one of them; they win over the file.
    preset
        A file, or the name of a shipped preset; the file wins over it.

    Raises
    ------
    InputError
        With every fault, each as file, line, column, path, what is wrong and what was expected.

    Examples
    --------
    >>> load("parabola", overrides=["learning_rate=0.1"]).learning_rate.initial
    0.1
    """
    from gdsim.scenario.merge import layered
    from gdsim.scenario.resolve import resolve

    (file,) = find(path) if not Path(path).is_dir() else [Path(path)]
    return resolve(layered(file, overrides, find_preset(preset) if preset else None), file)


def parse_mapping(data: Mapping[str, Any], *, overrides: str | Sequence[str] = ()) -> Scenario:
    """Return the scenario that plain data states, in the shape of a file. Raises InputError.

    >>> parse_mapping({"loss": "w^2", "initial_weight": "1/4", "learning_rate": 0.1}).initial_weight
    {'w': 0.25}
    """
    from gdsim.scenario.merge import layered_mapping
    from gdsim.scenario.resolve import resolve

    return resolve(layered_mapping(data, overrides), None)


def origins(scenario: Scenario) -> dict[str, str]:
    """Return for each value, by dotted path, where it was set: built-in, ``file:line`` or the override.

    >>> origins(load("parabola", overrides=["seed=7"]))["seed"]
    '-S seed=7'
    """
    from gdsim.scenario.provenance import origins_of

    return origins_of(scenario)


def dump(scenario: Scenario, *, data_file: str | None = None) -> str:
    """Return the scenario as YAML with every value written out; read again, it gives the same scenario.

    Parameters
    ----------
    data_file
        The name to give for the data file, for a scenario that moves together with a copy of it.

    Examples
    --------
    >>> "learning_rate: {schedule: constant, initial: 0.2, warmup: 0}" in dump(load("parabola"))
    True
    """
    from gdsim.scenario.write import scenario_text

    return scenario_text(scenario, data_file)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 7) of scenario files."""
    from gdsim.scenario.schema import scenario_schema

    return scenario_schema()
