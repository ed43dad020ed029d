"""Where each value of a scenario was set: built in, a line of a file, or an override."""

from __future__ import annotations

from collections.abc import Mapping

from gdsim.scenario.document import Document, KeyPath, dotted
from gdsim.scenario.merge import BUILT_IN, origin
from gdsim.scenario.specification import Scenario
from gdsim.scenario.write import as_data


def origins_of(scenario: Scenario) -> dict[str, str]:
    """Return the origin of each value of a scenario, by dotted path."""
    document = scenario.document or Document({})
    found: dict[str, str] = {}
    for path in _leaves(as_data(scenario), ()):
        found[dotted(path)] = origin(document, path)
    if found.get("name") == BUILT_IN and scenario.source is not None:
        found["name"] = "the file's stem"
    return found


def _leaves(value: object, path: KeyPath) -> list[KeyPath]:
    if isinstance(value, Mapping) and value:
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, key))]
    return [path]
