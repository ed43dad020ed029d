"""The JSON Schema: valid draft 7, in step with the loader and with the shipped file, useful in an editor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from gdsim import scenario
from gdsim.derivatives import METHODS
from gdsim.scenario.document import read_document
from gdsim.scenario.keys import SCENARIO
from gdsim.scenario.shapes import Group, Key
from gdsim.schedules import SCHEDULES
from gdsim.update_rules import RULES

SCHEMA = scenario.json_schema()
PLAIN = {"loss": "w**2", "initial_weight": 3, "learning_rate": 0.1}
FILES = [*scenario.shipped_scenarios().values()]


def as_json(value: object) -> Any:
    """YAML data as JSON: keys are text."""
    return json.loads(json.dumps(value))


def errors(data: object) -> list[str]:
    return [error.message for error in Draft7Validator(SCHEMA).iter_errors(as_json(data))]


def entries() -> list[tuple[str, Key]]:
    """Every key of the format, by dotted path."""
    found: list[tuple[str, Key]] = []
    waiting: list[tuple[str, Group]] = [("", SCENARIO)]
    while waiting:
        prefix, group = waiting.pop()
        for key, entry in group.keys.items():
            found.append((prefix + key, entry))
            if isinstance(entry.shape, Group):
                waiting.append((f"{prefix}{key}.", entry.shape))
    return found


def test_the_schema_is_valid_draft_7() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_the_schema_uses_no_word_of_later_drafts() -> None:
    later = ("unevaluated", "$defs", "prefixItems", "dependentRequired", "$anchor", "minContains")
    assert not [word for word in later if word in json.dumps(SCHEMA)]


def test_the_shipped_schema_file_is_the_present_one() -> None:
    """Regenerate with: gdsim schema > scenarios/scenario.schema.json."""
    shipped = scenario.shipped("scenarios") / "scenario.schema.json"
    expected = json.dumps(SCHEMA, indent=2, ensure_ascii=False) + "\n"
    assert shipped.read_text(encoding="utf-8") == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_scenario_fits_the_schema_as_written(path: Path) -> None:
    assert errors(read_document(path).data) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_scenario_names_a_schema_that_is_there(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("$schema=")[2]).resolve() == (
        scenario.shipped("scenarios") / "scenario.schema.json"
    )


@pytest.mark.parametrize("path", [*scenario.presets().values()], ids=lambda path: path.stem)
def test_every_preset_fits_the_schema_of_a_scenario_above_it(path: Path) -> None:
    assert errors({**PLAIN, **read_document(path).data}) == []


@pytest.mark.parametrize("name", ["engel-standardised", "ravine-momentum", "noise-frees-it", "rosenbrock"])
def test_a_written_scenario_fits_the_schema(tmp_path: Path, name: str) -> None:
    path = tmp_path / "resolved.yaml"
    path.write_text(scenario.dump(scenario.load(name)), encoding="utf-8")
    assert errors(read_document(path).data) == []


@pytest.mark.parametrize(
    ("path", "entry"), entries(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_key_says_what_it_means_and_shows_an_example(path: str, entry: Key) -> None:
    assert len(entry.summary) > 5
    assert entry.example is not None or entry.default is not None, path


@pytest.mark.parametrize(
    ("path", "entry"), entries(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_default_and_example_fits_its_own_schema(path: str, entry: Key) -> None:
    from gdsim.scenario.schema import shape_schema

    validator = Draft7Validator(shape_schema(entry.shape))
    for value in (entry.default, entry.example):
        if value is not None:
            assert validator.is_valid(as_json(value)), (path, value)


@pytest.mark.parametrize("name", [*RULES])
def test_every_update_rule_fits_bare_and_with_its_options(name: str) -> None:
    options = scenario.parse_mapping({**PLAIN, "update_rule": name}).update_rule.options
    assert errors({**PLAIN, "update_rule": name}) == []
    assert errors({**PLAIN, "update_rule": {"name": name, **options}}) == []
    assert errors({**PLAIN, "update_rule": {"name": name, "no_such_option": 1}})


@pytest.mark.parametrize("name", [*SCHEDULES])
def test_every_schedule_fits_with_its_options(name: str) -> None:
    options = {key: 5 if o.whole else 0.5 for key, o in SCHEDULES[name].options.items()}
    assert errors({**PLAIN, "learning_rate": {"schedule": name, "initial": "1/48", **options}}) == []
    assert errors({**PLAIN, "learning_rate": {"schedule": name, "initial": 1, "no_such_option": 1}})


@pytest.mark.parametrize("name", [*METHODS])
def test_every_derivative_method_fits_with_its_options(name: str) -> None:
    options = {key: option.default for key, option in METHODS[name].options.items()}
    assert errors({**PLAIN, "derivative": name}) == []
    assert errors({**PLAIN, "derivative": {"method": name, **options}}) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rte": 1}, {"initial_weight": True}, {"initial_weight": None}, {"learning_rate": -1},
        {"update_rule": "momentun"}, {"stopping": {"max_steps": -1}}, {"stopping": {"max_step": 1}},
        {"stopping": {"divergence_bound": 0}}, {"domain": [1]}, {"domain": {"x": [1, 2, 3]}}, {"schema": 2},
        {"noise": {"kind": "pink"}}, {"expect": {"verdict": "minimun"}}, {"expect": {"at": {"ten": {}}}},
        {"clip": {"length": 1}}, {"sweep": {}}, {"derivative": {"method": "numeric", "scheme": "sideways"}},
        {"update_rule": {"name": "momentum", "momentum": 2}}, {"data": {"x": ["a"]}}, {"seed": 1.5},
    ],
    ids=str,
)  # fmt: skip
def test_the_schema_refuses_what_the_loader_refuses(changes: dict[str, object]) -> None:
    assert errors({**PLAIN, **changes})


@pytest.mark.parametrize("key", ["loss", "initial_weight", "learning_rate"])
def test_required_keys_may_be_left_to_a_file_that_is_extended(key: str) -> None:
    rest = {name: value for name, value in PLAIN.items() if name != key}
    assert errors(rest)
    assert errors({**rest, "extends": "base.yaml"}) == []
