"""A YAML file as plain data, with the place of every key and value.

PyYAML's pure-Python loader composes the nodes (the C one crashes on deep nesting); scalars are read by
the YAML 1.2 core schema, so that ``1e-3`` is a number, ``010`` is ten and ``on`` is a word.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

import yaml

from gdsim.outcomes import Fault, InputError

LARGEST_FILE = 1 << 20  # bytes
DEEPEST = 50  # levels of nesting
MOST_VALUES = 20_000  # keys and values as they are written; PyYAML reads some 50,000 a second
MOST_REPEATED = 10_000  # nodes that aliases may repeat
LONGEST_INTEGER = 400  # digits; double precision ends at 309

_LISTS = ("values", "runs", "kinds", "steps", "text", "]")  # keys whose entries have numbers

KeyPath: TypeAlias = tuple[str | int, ...]


class Place(NamedTuple):
    """Where a key or value stands.

    ``inner`` is the column of the first character of a text written on one line, so that a column
    within the text can be turned into one within the file. ``shown`` is the path as the user wrote it.
    """

    file: str | None
    line: int | None
    column: int | None
    inner: int | None = None
    shown: str = ""


@dataclass(eq=False, repr=False)
class Document:
    """Plain data, and the places of its values and keys by path.

    ``whole`` names the keys whose value replaces what lies below it, even where both are mappings. ``faults``
    are those of the file beside which the rest of it can be checked: keys that stand twice.
    """

    data: dict[str, object]
    values: dict[KeyPath, Place] = field(default_factory=dict)
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: KeyPath, message: str, expected: str = "", suggestion: str = "") -> Fault:
        """Return a fault at a value, or at the nearest thing above it that is written down."""
        return self.located(Fault(message, expected, suggestion), path)

    def key_fault(self, path: KeyPath, message: str, expected: str = "", suggestion: str = "") -> Fault:
        """Return a fault at the key itself."""
        place = self.keys.get(path)
        if place is None:
            return self.fault(path, message, expected, suggestion)
        return Fault(message, expected, suggestion, place.file, place.line, place.column, dotted(path))

    def located(self, fault: Fault, path: KeyPath) -> Fault:
        """Return a fault of the value with its place; a column in a formula becomes one in the file."""
        place = self.place(path)
        if place is None:
            return Fault(fault.message, fault.expected, fault.suggestion, path=dotted(path))
        column = place.column
        if fault.column is not None and place.inner is not None:
            column = place.inner + fault.column - 1
        return Fault(
            fault.message, fault.expected, fault.suggestion, place.file, place.line, column,
            place.shown or dotted(path),
        )  # fmt: skip

    def place(self, path: KeyPath) -> Place | None:
        """Return the place of a value, or of the nearest thing above it."""
        if path in self.values:
            return self.values[path]
        for length in range(len(path) - 1, -1, -1):
            if found := self.values.get(path[:length]):
                # the value above stands for something else: neither its text nor its name fits
                return found._replace(inner=None, shown="")
        return None

    def file_of(self, path: KeyPath) -> str:
        """Return the file in which a value is written, or ``""``."""
        place = self.place(path)
        return (place.file if place else None) or ""


def dotted(path: KeyPath) -> str:
    """Return a path as people write it.

    >>> dotted(("sweep", "parameters", "seed", "values", 2))
    'sweep.parameters.seed.values[2]'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) and text.endswith(_LISTS) else f".{part}"
    return text.removeprefix(".")


def read_document(path: Path, shown: str | None = None, *, go_on: bool = False) -> Document:
    """Read a YAML file whose root is a mapping.

    Parameters
    ----------
    path, shown
        The file, and its name in messages.
    go_on
        Whether a key that stands twice is a fault of the document, to be reported with all others, and its
        first value counts; else it is an error.

    Raises
    ------
    InputError
        For a file that is missing, too large, no UTF-8, no YAML, or holds duplicate keys.
    """
    name = shown or str(path)
    text = read_text(path, name, LARGEST_FILE)
    node = compose(text, name)
    if node is None:
        raise InputError(
            Fault("the file is empty", "a scenario: loss, initial_weight, learning_rate", file=name)
        )
    document = Document({})
    data = _Conversion(name, document).convert(node, (), 1)
    if not isinstance(data, dict):
        raise InputError(
            Fault("the file holds no mapping", "keys such as loss: and initial_weight:", "", name, 1, 1)
        )
    document.data = data
    if document.faults and not go_on:
        raise InputError(*document.faults)
    return document


def read_text(path: Path, name: str, most: int) -> str:
    """Return the text of a UTF-8 file of at most so many bytes. Raises InputError."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(most + 1)
    except FileNotFoundError:
        raise InputError(Fault("there is no such file", file=name)) from None
    except OSError as error:
        raise InputError(Fault(f"the file cannot be read: {error.strerror}", file=name)) from None
    if len(raw) > most:
        raise InputError(Fault("the file is too large", f"at most {most >> 20} MiB", file=name))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        raise InputError(Fault("the file is not UTF-8 text", "UTF-8", "", name, line, column)) from None


def read_value(text: str, name: str) -> object:
    """Return the plain data of one value, as after ``-S key=``. Raises InputError.

    >>> read_value("1e-3", "-S"), read_value("on", "-S"), read_value("[010, 0x10]", "-S")
    (0.001, 'on', [10, 16])
    """
    node = compose(text, name)
    document = Document({})
    value = None if node is None else _Conversion(name, document).convert(node, (), 1)
    if document.faults:
        raise InputError(*document.faults)
    return value


def compose(text: str, name: str) -> yaml.Node | None:
    """Return the node tree of a YAML text, or None for an empty one. Raises InputError."""
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"this is not YAML: {_plain(error)}"
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise InputError(Fault(message, "", "", name, line, column)) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise InputError(
            Fault(f"the character U+{error.character:04X} may not stand in YAML", "", "", name, line, column)
        ) from None


def _plain(error: yaml.MarkedYAMLError) -> str:
    problem = (error.problem or error.context or "").strip()
    if "'\\t'" in problem:
        return "a tab stands here; indent with spaces"
    if "mapping values are not allowed" in problem:
        return "a second ': ' stands on this line; put text that holds one in quotes"
    return problem


class _Loader(yaml.SafeLoader):
    """Composes nodes only: YAML 1.2 core scalars, bounded depth and number."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012
    depth = values = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        self.values += 1
        if self.depth > DEEPEST or self.values > MOST_VALUES:
            most = f"{DEEPEST} levels of nesting"
            if self.depth <= DEEPEST:
                most = f"{MOST_VALUES:,} keys and values; a table of data belongs into a CSV file"
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, f"more than {most}", mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


_TAG = "tag:yaml.org,2002:"
for _kind, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)\Z", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)\Z", list("tTfF")),
    ("int", r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z", list("-+0123456789")),
    (
        "float",
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(_pattern), _first)


@dataclass(eq=False, repr=False)
class _Conversion:
    """Turns nodes into plain data and notes their places in a document."""

    file: str
    document: Document
    faults: list[Fault] = field(default_factory=list)
    visited: int = 0
    seen: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)

    def convert(self, node: yaml.Node, path: KeyPath, level: int) -> object:
        value = self._value(node, path, level)
        if level == 1 and self.faults:
            raise InputError(*self.faults, *self.document.faults)
        return value

    def _value(self, node: yaml.Node, path: KeyPath, level: int) -> object:
        place = self._place(node)
        self.document.values[path] = place
        if id(node) in self.open or level > DEEPEST:
            raise InputError(
                self._fault(place, "an alias repeats what it stands in", "data without a loop", path)
            )
        if id(node) in self.seen:
            self.visited += 1
            if self.visited > MOST_REPEATED:
                raise InputError(
                    self._fault(place, "aliases repeat too much", f"at most {MOST_REPEATED} values", path)
                )
        self.seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place, path)
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                self._expect_tag(node, "seq", place, path)
                return [self._value(item, (*path, index), level + 1) for index, item in enumerate(node.value)]
            self._expect_tag(node, "map", place, path)
            return self._mapping(node, path, level)
        finally:
            self.open.discard(id(node))

    def _mapping(self, node: yaml.Node, path: KeyPath, level: int) -> dict[str | int, object]:
        mapping: dict[str | int, object] = {}
        lines: dict[str | int, int] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.faults.append(self._fault(place, "a list or mapping stands as a key", "a name", path))
                continue
            is_whole = key_node.tag == _TAG + "int" and len(key_node.value) < LONGEST_INTEGER
            key = _whole(key_node.value) if is_whole else str(key_node.value)
            inside = (*path, key)
            if key in mapping:
                first = f"one {key!r}; the first is in line {lines[key]}"
                self.document.faults.append(
                    self._fault(place, f"the key {key!r} stands twice", first, inside)
                )
                continue
            lines[key] = place.line or 0
            self.document.keys[inside] = place
            mapping[key] = self._value(value_node, inside, level + 1)
        return mapping

    def _scalar(self, node: yaml.ScalarNode, place: Place, path: KeyPath) -> object:
        text = str(node.value)
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return text
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind == "int" and len(text) > LONGEST_INTEGER:
            self.faults.append(self._fault(place, "the number is too long", "a finite number", path))
            return None
        with suppress(ValueError):  # a tag such as !!int written by hand, on text that is none
            if kind == "int":
                return _whole(text)
            if kind == "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        self.faults.append(
            self._fault(place, f"{text!r} does not fit its tag {_short(node.tag)}", "no tag", path)
        )
        return None

    def _expect_tag(self, node: yaml.Node, kind: str, place: Place, path: KeyPath) -> None:
        if node.tag != _TAG + kind:
            self.faults.append(self._fault(place, f"the tag {_short(node.tag)} is unknown", "no tag", path))

    def _place(self, node: yaml.Node) -> Place:
        start, end = node.start_mark, node.end_mark
        inner = None
        if isinstance(node, yaml.ScalarNode) and start.line == end.line:
            quotes = 0 if node.style is None else 2
            if end.column - start.column == len(node.value) + quotes:
                inner = start.column + 1 + quotes // 2
        return Place(self.file, start.line + 1, start.column + 1, inner)

    def _fault(self, place: Place, message: str, expected: str, path: KeyPath) -> Fault:
        return Fault(message, expected, "", place.file, place.line, place.column, dotted(path))


def _whole(text: str) -> int:
    if text[:2] in ("0o", "0x"):
        return int(text[2:], 8 if text[1] == "o" else 16)
    return int(text)


def _short(tag: str) -> str:
    return "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag
