"""The JSON Schema of scenario files (draft 7), made from the same table that checks them."""

from __future__ import annotations

from math import inf
from typing import Any

from gdsim.scenario.keys import SCENARIO
from gdsim.scenario.shapes import Anything, Choice, Either, Flag, Group, Key, Many, Number, Shape, Table, Text

DIALECT = "http://json-schema.org/draft-07/schema#"
#: a number may also be a constant expression; a text that holds a letter or an operator
_EXPRESSION = {"type": "string", "minLength": 1, "description": "a constant expression such as 1/48"}


def scenario_schema() -> dict[str, Any]:
    """Return the schema as plain data, keys in a fixed order."""
    root = shape_schema(SCENARIO)
    # a file that extends another may leave any key to it
    root["anyOf"] = [{"required": ["extends"]}, {"required": root.pop("required")}]
    return {
        "$schema": DIALECT,
        "title": "gdsim scenario",
        "description": "One gradient-descent run: a loss, a start, a learning rate and an update rule.",
        **root,
    }


def shape_schema(shape: Shape) -> dict[str, Any]:
    """Return the JSON Schema of one shape."""
    match shape:
        case Text():
            return {"type": "string", "minLength": 1}
        case Flag():
            return {"type": "boolean"}
        case Choice():
            return {"enum": list(shape.names())}
        case Number():
            return number_schema(shape)
        case Many():
            found = {"type": "array", "items": shape_schema(shape.item), "minItems": shape.least}
            return {**found, "maxItems": shape.most} if shape.most is not None else found
        case Table():
            names = {"propertyNames": {"pattern": "^[0-9]+$"}} if shape.whole_keys else {}
            return {"type": "object", **names, "additionalProperties": shape_schema(shape.item)}
        case Either():
            return {"anyOf": [shape_schema(shape.bare), shape_schema(shape.mapping)]}
        case Anything():
            return dict(shape.schema)
        case Group():
            return _group_schema(shape)


def number_schema(shape: Number) -> dict[str, Any]:
    """Return the schema of a number, or of a constant expression in its place.

    >>> number_schema(Number(0))["anyOf"][0]
    {'type': 'number', 'minimum': 0}
    """
    found: dict[str, Any] = {"type": "integer" if shape.whole else "number"}
    if shape.least > -inf:
        found["exclusiveMinimum" if shape.above else "minimum"] = shape.least
    if shape.most < inf:
        found["maximum"] = shape.most
    return {"anyOf": [found, _EXPRESSION]}


def _group_schema(shape: Group) -> dict[str, Any]:
    properties = {key: _described(entry) for key, entry in shape.keys.items()}
    found: dict[str, Any] = {"type": "object", "properties": properties}
    if required := [key for key, entry in shape.keys.items() if entry.required]:
        found["required"] = required
    if shape.options is None:
        found["additionalProperties"] = False
    else:
        found = {"type": "object", "anyOf": _variants(shape, properties)}
    if not shape.shorthand:
        return found
    bare = shape_schema(shape.keys[shape.shorthand].shape)
    return {"anyOf": [bare, found]}


def _variants(shape: Group, properties: dict[str, Any]) -> list[dict[str, Any]]:
    """One schema for each entry of the registry, with that entry's options."""
    if shape.options is None:
        return []
    variants: list[dict[str, Any]] = []
    mark = shape.discriminator
    for name, options in shape.options().items():
        own = {
            key: {**_or_expression(option.schema), "description": option.summary}
            | ({"default": option.default} if option.default is not None else {})
            for key, option in options.items()
        }
        variant: dict[str, Any] = {
            "title": name,
            "properties": {**properties, mark: {"const": name}, **own},
            "additionalProperties": False,
        }
        # an override or a file above may leave the name to the file that it extends
        if name != shape.keys[mark].default:
            variant["required"] = [mark]
        variants.append(variant)
    return variants


def _or_expression(schema: Any) -> dict[str, Any]:
    return {"anyOf": [schema, _EXPRESSION]} if schema.get("type") in ("number", "integer") else dict(schema)


def _described(entry: Key) -> dict[str, Any]:
    found: dict[str, Any] = {"description": entry.summary, **shape_schema(entry.shape)}
    if entry.default is not None:
        found["default"] = entry.default
    if entry.example is not None:
        found["examples"] = [_text_keys(entry.example)]
    return found


def _text_keys(value: object) -> object:
    """JSON has text keys only."""
    if isinstance(value, dict):
        return {str(key): _text_keys(item) for key, item in value.items()}
    return value
