"""The tables of scenario.md, made from the table of keys that checks scenario files."""

from __future__ import annotations

from collections.abc import Iterator

from gdsim.scenario.keys import SCENARIO
from gdsim.scenario.shapes import Anything, Choice, Either, Flag, Group, Key, Many, Number, Shape, Table, Text
from gdsim.scenario.write import flow_text


def keys() -> Iterator[str]:
    """Yield the table of all keys, then one for each mapping among them."""
    yield _table(SCENARIO)
    for key, entry in SCENARIO.keys.items():
        if isinstance(entry.shape, Group):
            yield from _section(key, entry, "###")


def _section(path: str, entry: Key, level: str) -> Iterator[str]:
    shape = entry.shape
    if not isinstance(shape, Group):
        return
    yield f"\n{level} {path}\n"
    yield f"{entry.summary[0].upper()}{entry.summary[1:]}: {shape.words}.\n"
    yield _table(shape)
    if shape.options is not None:
        yield f"\nFurther keys of `{path}`, by `{shape.discriminator}`:\n"
        yield f"| {shape.discriminator} | key | value | default | meaning |\n| --- | --- | --- | --- | --- |"
        for name, options in shape.options().items():
            for key, option in options.items():
                default = "required" if option.default is None else f"`{flow_text(option.default)}`"
                yield f"| `{name}` | `{key}` | {option.words} | {default} | {option.summary} |"
            if not options:
                yield f"| `{name}` | none | | | |"
    for key, inner in shape.keys.items():
        item = inner.shape.item if isinstance(inner.shape, Table) else inner.shape
        if isinstance(item, Group):
            yield from _section(f"{path}.{key}", inner._replace(shape=item), level + "#")


def _table(shape: Group) -> str:
    lines = ["| key | value | default | meaning | example |", "| --- | --- | --- | --- | --- |"]
    for key, entry in shape.keys.items():
        default = (
            "required" if entry.required else "" if entry.default is None else f"`{flow_text(entry.default)}`"
        )
        example = "" if entry.example is None else f"`{flow_text(entry.example)}`"
        meaning = entry.summary.replace("|", "\\|")
        lines.append(f"| `{key}` | {_words(entry.shape)} | {default} | {meaning} | {example} |")
    return "\n".join(lines)


def _words(shape: Shape) -> str:
    match shape:
        case Text():
            return shape.name
        case Choice():
            names = shape.names()
            return f"a {shape.what}" if len(names) > 14 else ", ".join(f"`{name}`" for name in names)
        case Flag() | Number() | Many() | Table() | Group():
            return shape.words
        case Either():
            return _words(shape.mapping)
        case Anything():
            return "{file: …} or columns" if shape.schema else "anything"


TABLES = {"keys of a scenario": keys}
