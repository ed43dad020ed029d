"""The JSON Schema of lessons: valid draft 7, in step with the reader and with the shipped file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator

from gdsim.cli import main
from gdsim.lessons.course import SHIPPED, Course
from gdsim.lessons.keys import LESSON, STEPS, step_shape
from gdsim.lessons.model import KINDS
from gdsim.lessons.reading import read_lesson
from gdsim.lessons.scaffold import scaffold
from gdsim.lessons.schema import FILE, lesson_schema, schema_text
from gdsim.outcomes import InputError
from gdsim.scenario.document import read_document
from gdsim.scenario.schema import shape_schema
from gdsim.scenario.shapes import Either, Group, Key, Table

SCHEMA = lesson_schema()
TEXT = {"name": "a", "kind": "text"}


def errors(data: object) -> list[str]:
    return [error.message for error in Draft7Validator(SCHEMA).iter_errors(json.loads(json.dumps(data)))]


def groups() -> Iterator[tuple[str, Group]]:
    """Every mapping with fixed keys, by its path."""
    waiting = [("", LESSON), *((f"{kind}.", step_shape(kind)) for kind in STEPS)]
    while waiting:
        prefix, group = waiting.pop()
        yield prefix, group
        for key, entry in group.keys.items():
            shape = entry.shape.item if isinstance(entry.shape, Table) else entry.shape
            shape = shape.mapping if isinstance(shape, Either) else shape
            if isinstance(shape, Group):
                waiting.append((f"{prefix}{key}.", shape))


ENTRIES = [(prefix + key, entry) for prefix, group in groups() for key, entry in group.keys.items()]


def test_the_schema_is_valid_draft_7() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_the_shipped_file_is_the_present_schema() -> None:
    """Regenerate with: gdsim schema --lesson > gdsim/course/lesson.schema.json."""
    assert (SHIPPED / FILE).read_text(encoding="utf-8") == schema_text()


def test_the_command_prints_it() -> None:
    result = CliRunner().invoke(main, ["schema", "--lesson"], prog_name="gdsim")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == SCHEMA


@pytest.mark.parametrize("name", Course().names)
def test_every_shipped_lesson_fits_the_schema_and_names_it(name: str) -> None:
    file = SHIPPED / name / "lesson.yaml"
    first = file.read_text(encoding="utf-8").splitlines()[0]
    assert (file.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve() == SHIPPED / FILE
    assert errors(read_document(file).data) == []


def test_a_new_lesson_fits_the_schema_that_is_written_beside_it(tmp_path: Path) -> None:
    files = scaffold(tmp_path, "01-mine")
    first = files[0].read_text(encoding="utf-8").splitlines()[0]
    schema = files[0].parent / first.removeprefix("# yaml-language-server: $schema=")
    assert json.loads(schema.read_text(encoding="utf-8")) == SCHEMA
    assert errors(read_document(files[0]).data) == []
    assert schema.resolve() not in scaffold(tmp_path, "02-mine")


def test_every_kind_of_step_has_its_keys() -> None:
    assert list(STEPS) == list(KINDS)


@pytest.mark.parametrize(
    ("path", "entry"), ENTRIES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_key_says_what_it_means_and_its_example_fits(path: str, entry: Key) -> None:
    assert len(entry.summary) > 5
    assert entry.example is not None or path.endswith("steps")
    validator = Draft7Validator(shape_schema(entry.shape))
    for value in (entry.default, entry.example):
        if value is not None:
            assert validator.is_valid(json.loads(json.dumps(value))), (path, value)


def written(folder: Path, data: object) -> Path:
    (folder / "lesson.yaml").write_text(json.dumps(data), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "changes",
    [
        {"lesson": 2}, {"minutes": 0}, {"minute": 3}, {"steps": []}, {"steps": [{"name": "a"}]},
        {"steps": [{"name": "A b", "kind": "text"}]}, {"steps": [{"name": "a", "kind": "txt"}]},
        {"steps": [{**TEXT, "plot": "curve"}]}, {"values": {"a": {"expresion": "1"}}},
        {"values": {"a": True}},
        {"steps": [{"name": "a", "kind": "derive"}]},
        {"steps": [{"name": "a", "kind": "figure", "scenario": "parabola", "plot": "curv"}]},
        {"steps": [{"name": "a", "kind": "predict", "scenario": "parabola", "ask": "when"}]},
        {"values": {"b": 1}, "steps": [{"name": "a", "kind": "number", "answer": "b", "tolerance": 0.1}]},
        {"steps": [{"name": "a", "kind": "tune", "scenario": "parabola", "edit": ["learning_rate"],
                    "goal": {"verdict": "minimun"}, "solution": {"learning_rate": 1}}]},
    ],
    ids=str,
)  # fmt: skip
def test_the_schema_and_the_reader_refuse_alike(changes: dict[str, Any], tmp_path: Path) -> None:
    plain = {"lesson": 1, "minutes": 5, "steps": [TEXT]}
    assert errors(plain) == []
    read_lesson(written(tmp_path, plain))
    assert errors({**plain, **changes})
    with pytest.raises(InputError):
        read_lesson(written(tmp_path, {**plain, **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"values": {"a": 1, "b": "1/48", "c": {"derivative": "x^2", "at": "1/3"}}},
        {"steps": [{"name": "a", "kind": "tune", "scenario": "parabola", "edit": ["learning_rate"],
                    "goal": {"verdict": ["minimum", "cycle"], "weight": 1},
                    "solution": {"learning_rate": 1}}]},
    ],
    ids=str,
)  # fmt: skip
def test_the_schema_and_the_reader_allow_alike(changes: dict[str, Any], tmp_path: Path) -> None:
    data = {"lesson": 1, "minutes": 5, "steps": [TEXT], **changes}
    assert errors(data) == []
    read_lesson(written(tmp_path, data))


def test_the_files_of_a_new_lesson_are_said_as_json(tmp_path: Path) -> None:
    words = ["lessons", "new", "01-mine", "--course", str(tmp_path), "--json"]
    files = json.loads(CliRunner().invoke(main, words, prog_name="gdsim").stdout)["files"]
    names = ("01-mine/lesson.yaml", "01-mine/en/lesson.md", "lesson.schema.json")
    assert [Path(file) for file in files] == [tmp_path / name for name in names]
