"""What may stand in a file, stated as data: a handful of shapes, and one walk that checks them.

A shape drives three things alike: the check of a file with every fault at its place, the JSON Schema and
the reference page. Pydantic would do the first two, but importing ``BaseModel`` and building these models
takes longer than everything else that ``gdsim validate`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import inf, isfinite
from typing import Any, NamedTuple, TypeAlias

from gdsim.outcomes import Fault, InputError, nearest
from gdsim.scenario.document import Document, KeyPath

MOST_GUESSES = 100  # faults with a nearest name; it is sought in a millisecond


class Text(NamedTuple):
    """Words."""

    name: str = "text"


class Flag(NamedTuple):
    """True or false."""

    words: str = "true or false"


class Choice(NamedTuple):
    """One of a few words; the names come from a registry and are listed when they are needed."""

    what: str
    names: Callable[[], tuple[str, ...]]


class Number(NamedTuple):
    """A finite number, or a constant expression; ``most`` is allowed, ``least`` unless ``above``."""

    least: float = -inf
    most: float = inf
    above: bool = False
    whole: bool = False

    @property
    def words(self) -> str:
        """The numbers that fit, in words.

        >>> Number(0, above=True).words
        'a number > 0'
        """
        if self.least == self.most:
            return f"{self.least:g}"
        text = "a whole number" if self.whole else "a number"
        if self.least > -inf:
            text += f" {'>' if self.above else '≥'} {self.least:g}"
        if self.most < inf:
            most = str(self.most) if self.whole else f"{self.most:g}"
            text += f"{' and' if self.least > -inf else ''} ≤ {most}"
        return text


class Many(NamedTuple):
    """A list."""

    item: Shape
    least: int = 0
    most: int | None = None
    words: str = "a list"


class Table(NamedTuple):
    """A mapping with free names."""

    item: Shape
    words: str = "a mapping of names to numbers"
    whole_keys: bool = False


class Group(NamedTuple):
    """A mapping with fixed keys; ``shorthand`` names the key that a bare value stands for.

    ``options`` are the keys of the entries of a registry, by the value of ``discriminator``: they are
    checked by the registry itself.
    """

    keys: Mapping[str, Key]
    words: str
    shorthand: str = ""
    discriminator: str = ""
    options: Callable[[], Mapping[str, Mapping[str, OptionSchema]]] | None = None


class Either(NamedTuple):
    """The first shape where the value is a mapping, else the second."""

    mapping: Shape
    bare: Shape


class Anything(NamedTuple):
    """Some value, checked elsewhere, a mapping where ``words`` name one; ``schema`` is its JSON Schema."""

    schema: Mapping[str, Any]
    words: str = ""


class OptionSchema(NamedTuple):
    """An option of a registry entry, as the schema and the reference show it."""

    schema: Mapping[str, Any]
    summary: str
    default: object
    words: str


class Key(NamedTuple):
    """One key: its shape, what it means, its default, an example, and whether it must be there."""

    shape: Shape
    summary: str
    default: object = None
    example: object = None
    required: bool = False


Shape: TypeAlias = Text | Flag | Choice | Number | Many | Table | Group | Either | Anything


class Check(NamedTuple):
    """A document under check, and the faults found so far."""

    document: Document
    faults: list[Fault]

    def read(self, shape: Shape, value: object, path: KeyPath) -> Any:
        """Return the value with its numbers as numbers, or None where it has a fault."""
        match shape:
            case Text():
                return self._text(shape, value, path)
            case Flag():
                return self._flag(shape, value, path)
            case Choice():
                return self._choice(shape, value, path)
            case Number():
                return self.number(shape, value, path)
            case Many():
                return self._many(shape, value, path)
            case Table():
                return self._table(shape, value, path)
            case Group():
                return self._group(shape, value, path)
            case Either():
                return self.read(shape.mapping if isinstance(value, dict) else shape.bare, value, path)
            case Anything():
                if isinstance(value, dict) or (value is not None and not shape.words):
                    return value
                self.report(path, f"{show(value)} does not fit", shape.words or "a value")
                return None

    def report(self, path: KeyPath, message: str, expected: str = "", suggestion: str = "") -> None:
        """Note a fault at a value."""
        self.faults.append(self.document.fault(path, message, expected, suggestion))

    def _text(self, shape: Text, value: object, path: KeyPath) -> str | None:
        if isinstance(value, str) and value.strip():
            return value
        self.report(
            path, f"{show(value)} does not fit", f"{shape.name}, in quotes where YAML reads something else"
        )
        return None

    def _flag(self, shape: Flag, value: object, path: KeyPath) -> bool | None:
        if isinstance(value, bool):
            return value
        self.report(path, f"{show(value)} does not fit", shape.words)
        return None

    def _choice(self, shape: Choice, value: object, path: KeyPath) -> str | None:
        names = shape.names()
        if isinstance(value, str) and value in names:
            return value
        near = nearest(value, names) if isinstance(value, str) else ""
        if isinstance(value, str) and not near:
            near = nearest(value.upper(), names) or nearest(value.lower(), names)
        self.report(path, f"{show(value)} is no {shape.what}", f"one of {', '.join(names)}", near)
        return None

    def number(self, shape: Number, value: object, path: KeyPath) -> float | int | None:
        """Return a number within its range, or None with a fault noted."""
        try:
            exact = exact_number(value)
        except InputError as error:
            for fault in error.faults:
                wanted = Fault(
                    fault.message, fault.expected or shape.words, fault.suggestion, column=fault.column
                )
                self.faults.append(self.document.located(wanted, path))
            return None
        if shape.whole and exact != int(exact):
            self.report(path, f"{show(value)} is not a whole number", shape.words)
            return None
        if exact > shape.most or exact < shape.least or (shape.above and exact == shape.least):
            self.report(path, f"{show(value)} is out of range", shape.words)
            return None
        return int(exact) if shape.whole else float(exact)

    def _many(self, shape: Many, value: object, path: KeyPath) -> list[Any] | None:
        if not isinstance(value, list):
            self.report(path, f"{show(value)} does not fit", shape.words)
            return None
        if len(value) < shape.least or (shape.most is not None and len(value) > shape.most):
            self.report(path, f"the list has {len(value)} entries", shape.words)
            return None
        return self._all([self.read(shape.item, item, (*path, index)) for index, item in enumerate(value)])

    @staticmethod
    def _all(items: list[Any]) -> list[Any] | None:
        return None if any(item is None for item in items) else items

    def _table(self, shape: Table, value: object, path: KeyPath) -> dict[Any, Any] | None:
        if not isinstance(value, dict):
            self.report(path, f"{show(value)} does not fit", shape.words)
            return None
        found: dict[Any, Any] = {}
        for key, item in value.items():
            if isinstance(key, int) != shape.whole_keys:
                expected = "a step number" if shape.whole_keys else "a name"
                self.faults.append(
                    self.document.key_fault((*path, key), f"{key!r} stands as a key", expected)
                )
            else:
                found[key] = self.read(shape.item, item, (*path, key))
        return None if self._all([*found.values()]) is None or len(found) < len(value) else found

    def _group(self, shape: Group, value: object, path: KeyPath) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            self.report(path, f"{show(value)} does not fit", shape.words)
            return None
        before = len(self.faults)
        found: dict[str, Any] = {}
        for key, item in value.items():
            inside = (*path, key)
            if key in shape.keys:
                if item is not None:
                    found[key] = self.read(shape.keys[key].shape, item, inside)
            elif shape.options is not None:
                found[str(key)] = item
            else:
                self.unknown_key(inside, [*shape.keys])
        for key, entry in shape.keys.items():
            if entry.required and value.get(key) is None:
                self.report(path, f"the key {key!r} is missing", f"{key}: {entry.summary}")
        return found if len(self.faults) == before else None

    def unknown_key(self, path: KeyPath, known: list[str]) -> None:
        """Note an unknown key, at the key itself, with the nearest known one."""
        name = str(path[-1])
        near = ""
        if len(self.faults) < MOST_GUESSES:
            near = nearest(name, known) or nearest(name.lower().replace("-", "_"), known)
        expected = f"one of {', '.join(known)}" if known else "no keys"
        self.faults.append(self.document.key_fault(path, f"unknown key {name!r}", expected, near))


def exact_number(value: object) -> int | float | Fraction:
    """Return a number, or the value of a constant expression, as exactly as it is written.

    Raises
    ------
    InputError
        For true and false, nan and inf, and for text that is no constant expression.

    Examples
    --------
    >>> exact_number("1/48"), exact_number(2)
    (Fraction(1, 48), 2)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InputError(Fault(f"{show(value)} is not a number"))
    if isinstance(value, str):
        from gdsim.expr.parse import parse_constant

        return parse_constant(value)
    try:
        if isfinite(value):
            return value
    except OverflowError:
        pass
    raise InputError(Fault(f"{show(value)} is not finite", "a finite number"))


def show(value: object) -> str:
    """Return a value as it stands in YAML, shortened.

    >>> show(True), show(None), show({"a": 1})
    ('true', 'nothing', 'a mapping')
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case float():
            text = repr(value)
            return f".{text}" if text in ("inf", "nan") else text.replace("-inf", "-.inf")
        case int():
            return str(value) if abs(value) < 10**20 else "a number this large"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…'"
