"""Layers of a scenario put on top of one another: presets, ``extends``, the file, ``-S``.

Mappings merge deeply, lists and everything else replace. A shorthand is first promoted to the mapping that
it stands for, so that ``-S update_rule.momentum=0.9`` fits a file that says ``update_rule: momentum``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from gdsim.outcomes import Fault, InputError
from gdsim.scenario.document import DEEPEST, Document, KeyPath, Place, read_document, read_value
from gdsim.scenario.keys import SCENARIO
from gdsim.scenario.shapes import Group

LONGEST_CHAIN = 20  # files that extend one another
LONGEST_SHOWN = 200  # signs of an override in a message
COMMAND_LINE = "-S"
BUILT_IN = "built-in"

#: keys whose other entries belong to the value of one of them, and what outlives a change of that value
_KEPT: dict[str, tuple[str, ...]] = {
    "learning_rate": ("initial", "warmup"),
    "update_rule": (),
    "derivative": (),
    "noise": (),
}
_EXCLUSIVE = {"loss": ("expression", "name"), "clip": ("norm", "value")}


def layered(path: Path, overrides: str | Sequence[str], preset: Path | None) -> Document:
    """Return the file with what it extends, above the preset and below the overrides, or the one."""
    merged = Document({})
    layers = _chain(preset) if preset else []
    layers += _chain(path)
    faults: list[Fault] = []
    for text in _several(overrides):
        try:
            layers.append(override(text))
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(*faults)
    for layer in layers:
        merge(merged, layer)
    merged.values[()] = Place(shown_path(path), 1, 1)
    return merged


def _several(overrides: str | Sequence[str]) -> Sequence[str]:
    return [overrides] if isinstance(overrides, str) else overrides


def _chain(path: Path) -> list[Document]:
    """Return a file and what it extends, the base first."""
    layers: list[Document] = []
    visited: list[Path] = []
    while True:
        real = path.resolve()
        visited.append(real)
        document = read_document(path, shown_path(path), go_on=True)
        promote(document)
        layers.insert(0, document)
        base = document.data.pop("extends", None)
        if base is None:
            return layers
        if not isinstance(base, str) or not base.strip():
            raise InputError(
                document.fault(("extends",), f"{base!r} is not a path", "a path such as base.yaml")
            )
        path = path.parent / base
        if path.resolve() in visited:
            chain = " → ".join(file.name for file in [*visited, path.resolve()])
            raise InputError(
                document.fault(("extends",), f"the files extend one another in a circle: {chain}")
            )
        if len(visited) >= LONGEST_CHAIN:
            raise InputError(
                document.fault(("extends",), "too many files extend one another", f"at most {LONGEST_CHAIN}")
            )
        if not path.is_file():
            raise InputError(
                document.fault(("extends",), f"there is no file {base}", "a file relative to this one")
            )


def shown_path(path: Path) -> str:
    """Return a path relative to the working directory where that is shorter to read."""
    try:
        return str(path.resolve().relative_to(Path.cwd())) if path.is_absolute() else os.path.normpath(path)
    except ValueError:
        return str(path)


def override(text: str) -> Document:
    """Return the layer that ``-S key=value`` stands for; the value follows the YAML rules.

    Raises
    ------
    InputError
        Where there is no ``=``, or the value is no YAML.

    Examples
    --------
    >>> override("update_rule.momentum=0.9").data
    {'update_rule': {'momentum': 0.9}}
    """
    place = f"{COMMAND_LINE} {text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + '…'}"
    key, equals, written = text.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise InputError(Fault("this is no override", "key=value, such as -S learning_rate=0.1", "", place))
    if len(parts) > DEEPEST:
        raise InputError(Fault(f"the key has {len(parts)} parts", f"at most {DEEPEST}", "", place))
    value = read_value(written, place)
    path: KeyPath = tuple(int(part) if part.isdigit() else part for part in parts)
    document = Document({}, {(): Place(place, None, None)})
    inside: dict[str | int, object] = document.data  # type: ignore[assignment]
    for depth, part in enumerate(path[:-1], 1):
        inside[part] = {}
        document.values[path[:depth]] = document.keys[path[:depth]] = Place(place, None, None)
        inside = inside[part]  # type: ignore[assignment]
    inside[path[-1]] = value
    document.values[path] = document.keys[path] = Place(place, None, None)
    promote(document, whole=False)
    return document


def promote(document: Document, *, whole: bool = True) -> None:
    """Turn each shorthand into the mapping that it stands for.

    In a file a shorthand is ``whole``: it replaces what lies below it. An override sets only the one key.
    """
    for key, entry in SCENARIO.keys.items():
        value = document.data.get(key)
        shape = entry.shape
        if (
            not isinstance(shape, Group)
            or not shape.shorthand
            or value is None
            or isinstance(value, dict | list)
        ):
            continue
        inner = _loss_key(value) if key == "loss" else shape.shorthand
        document.data[key] = {inner: value}
        place = document.values.get((key,), Place(None, None, None))
        document.values[key, inner] = place._replace(shown=key)
        document.keys[key, inner] = document.keys.get((key,), place)
        if whole:
            document.whole.add(key)


def _loss_key(value: object) -> str:
    if not isinstance(value, str) or not value.strip().isidentifier():
        return "expression"
    from gdsim.losses import LOSSES

    return "name" if value.strip() in LOSSES else "expression"


def merge(below: Document, above: Document) -> None:
    """Put a layer on top, in place."""
    below.faults += above.faults
    if () not in below.values and () in above.values:
        below.values[()] = above.values[()]
    for key in above.data:
        lower, upper = below.data.get(key), above.data[key]
        if isinstance(lower, dict) and isinstance(upper, dict):
            if key in above.whole:
                forget(below, (key,))
            else:
                _drop_what_no_longer_fits(below, key, lower, upper)
        _put(below, above, (key,), below.data, above.data)  # type: ignore[arg-type]


def _drop_what_no_longer_fits(
    below: Document, key: str, lower: dict[str, object], upper: dict[str, object]
) -> None:
    shape = SCENARIO.keys[key].shape if key in SCENARIO.keys else None
    gone: list[str] = []
    if isinstance(shape, Group) and (mark := shape.discriminator) and mark in upper:
        default = shape.keys[mark].default
        if upper[mark] != lower.get(mark, default):
            gone = [name for name in lower if name not in _KEPT[key]]
    for exclusive in (_EXCLUSIVE.get(key, ()),):
        if any(name in upper for name in exclusive):
            gone += [name for name in exclusive if name in lower]
    for name in gone:
        lower.pop(name, None)
        _forget_places(below, (key, name))


def _put(
    below: Document,
    above: Document,
    path: KeyPath,
    lower: dict[str | int, object],
    upper: dict[str | int, object],
) -> None:
    key = path[-1]
    under, over = lower.get(key), upper[key]
    if isinstance(under, dict) and isinstance(over, dict):
        for source, target in ((above.values, below.values), (above.keys, below.keys)):
            if path in source:
                target[path] = source[path]
        for inner in over:
            _put(below, above, (*path, inner), under, over)
        return
    _forget_places(below, path)
    lower[key] = over
    for source, target in ((above.values, below.values), (above.keys, below.keys)):
        target.update({at: place for at, place in source.items() if at[: len(path)] == path})


def forget(document: Document, path: KeyPath) -> None:
    """Remove a top-level value and its places."""
    document.data.pop(str(path[0]), None)
    _forget_places(document, path)


def _forget_places(document: Document, path: KeyPath) -> None:
    for places in (document.values, document.keys):
        for at in [at for at in places if at[: len(path)] == path]:
            del places[at]


def origin(document: Document, path: KeyPath) -> str:
    """Return where a value comes from: ``built-in``, ``file:line`` or the override."""
    inside: object = document.data
    depth = 0
    while depth < len(path) and isinstance(inside, dict) and path[depth] in inside:
        inside = inside[path[depth]]
        depth += 1
    # a value that is no mapping stands for all below it; what a mapping lacks is built in
    lacking = depth < len(path) and isinstance(inside, dict)
    place = None if lacking else document.values.get(path[:depth])
    if place is None or not place.file:
        return BUILT_IN
    return place.file if place.line is None else f"{place.file}:{place.line}"


def is_stated(document: Document, path: KeyPath) -> bool:
    """Tell whether a layer gives the value at a path; otherwise it is built in."""
    inside: object = document.data
    for part in path:
        if not isinstance(inside, dict) or part not in inside:
            return False
        inside = inside[part]
    return True


def layered_mapping(data: Mapping[str, object], overrides: str | Sequence[str]) -> Document:
    """Return plain data below the overrides."""
    merged = Document({})
    below = Document(_plain(data))  # type: ignore[arg-type]
    promote(below)
    for layer in [below, *map(override, _several(overrides))]:
        merge(merged, layer)
    merged.values.pop((), None)
    return merged


def _plain(value: object) -> object:
    """Copy mappings and sequences into dicts and lists; numbers and arrays of NumPy become Python's."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value
