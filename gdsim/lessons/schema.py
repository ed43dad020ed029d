"""The JSON Schema of ``lesson.yaml`` (draft 7), made from the same table that checks it."""

from __future__ import annotations

from typing import Any

from gdsim.lessons.keys import LESSON, STEPS, step_shape
from gdsim.scenario.schema import DIALECT, shape_schema

FILE = "lesson.schema.json"


def lesson_schema() -> dict[str, Any]:
    """Return the schema as plain data, keys in a fixed order.

    >>> [step["title"] for step in lesson_schema()["properties"]["steps"]["items"]["anyOf"]][:3]
    ['text', 'figure', 'run']
    """
    root = shape_schema(LESSON)
    root["properties"]["steps"]["items"] = {"type": "object", "anyOf": [_step(kind) for kind in STEPS]}
    return {
        "$schema": DIALECT,
        "title": "gdsim lesson",
        "description": "The structure of a lesson: what is done and what is right; its words stand apart.",
        **root,
    }


def _step(kind: str) -> dict[str, Any]:
    """Return the schema of a step of one kind."""
    found = shape_schema(step_shape(kind))
    found["properties"]["name"]["pattern"] = "^[a-z0-9]+(-[a-z0-9]+)*$"
    found["properties"]["kind"] = {"const": kind}
    return {"title": kind, **found}


def schema_text() -> str:
    """Return the schema as the text of a file."""
    import json

    return json.dumps(lesson_schema(), indent=2, ensure_ascii=False) + "\n"
