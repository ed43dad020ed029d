"""A lecture as a file: ``deck.yaml`` names the runs, in order, and how each is to be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gdsim.outcomes import Fault, InputError
from gdsim.runs import Run, execute
from gdsim.runs.store import load as load_directory
from gdsim.scenario import Scenario, find, load
from gdsim.scenario.document import Document, KeyPath, read_document
from gdsim.scenario.merge import COMMAND_LINE, shown_path
from gdsim.scenario.schema import DIALECT, shape_schema
from gdsim.scenario.shapes import Anything, Check, Choice, Either, Group, Key, Many, Number, Text
from gdsim.scenario.write import flow_text
from gdsim.slides.content import Entry, Words, all_kinds

DECK_FILE = "deck.yaml"
_STEPS = Number(0, 10**12, whole=True)
RUN = Group(
    {
        "run": Key(Text("a scenario or a run directory"), "a scenario (a file, relative to this one, or a "
                   "shipped name) or a run directory", example="parabola"),
        "title": Key(Text(), "the title on its slides; default: that of the scenario", example="Too slow"),
        "kinds": Key(Many(Choice("kind of slide", all_kinds), 1, None, "a list of kinds of slides"),
                     "the slides to show, in order; default: all that suit", example=["steps", "verdict"]),
        "steps": Key(Many(_STEPS, 1, None, "a list of step numbers"),
                     "the steps of the build-up; default: the first ones and the last", example=[0, 1, 5]),
        "notes": Key(Text(), "what the speaker says first", example="Ask: where will it go?"),
        "overrides": Key(Anything({"type": "object"}), "values put over the scenario, as after -S",
                         example={"learning_rate": 0.3}),
        "text": Key(Many(Text(), 1, None, "a list of lines"), "a slide of text, which needs a title",
                    example=["The slope says which way is up.", "So we go the other way."]),
    },
    "the name of a scenario, or a mapping with run: or text:",
)  # fmt: skip
DECK = Group(
    {
        "deck": Key(Number(1, 1, whole=True), "the version of the format", example=1, required=True),
        "title": Key(Text(), "the title of the lecture", example="Gradient descent", required=True),
        "author": Key(Text(), "who gives it", example="Ada Lovelace"),
        "date": Key(Text(), "when, as it is to be printed", example="12 May"),
        "runs": Key(Many(Either(RUN, Text("a scenario or a run directory")), 1, None, "a list of runs"),
                    "what is shown, in order", example=["parabola"], required=True),
    },
    "a mapping",
)  # fmt: skip


class Source(NamedTuple):
    """Where a run comes from, already checked: a scenario, or a run directory."""

    scenario: Scenario | None
    directory: Path | None
    options: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What to call it while it runs."""
        return self.scenario.name if self.scenario is not None else str(self.directory)

    def entry(self) -> Entry:
        """Carry the run out, or load it, and return it with how it is to be shown."""
        if self.scenario is not None:
            run: Run = execute(self.scenario)
        else:
            assert self.directory is not None
            run = load_directory(self.directory)
        wanted = self.options
        kinds, steps = (tuple(wanted.get(key) or ()) for key in ("kinds", "steps"))
        return Entry(run, kinds, steps, wanted.get("notes") or "", wanted.get("title") or "")


@dataclass(frozen=True)
class Lecture:
    """What a deck file, or a command line, asks for."""

    name: str
    title: str
    items: tuple[Source | Words, ...]
    author: str = ""
    date: str = ""

    def entries(self) -> list[Entry | Words]:
        """Carry out every run, in order."""
        return [item.entry() if isinstance(item, Source) else item for item in self.items]


def deck_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 7) of deck files."""
    return {"$schema": DIALECT, "title": "gdsim deck", "description": "A lecture: runs in order.",
            **shape_schema(DECK)}  # fmt: skip


def is_deck(path: Path) -> bool:
    """Tell whether a file is a deck: its root has the key ``deck``, or it is called so."""
    if path.name == DECK_FILE:
        return True
    try:
        return "deck" in read_document(path).data
    except InputError:
        return False


def read_deck(path: Path) -> Lecture:
    """Read a deck file; its scenarios are read and checked, but not run.

    Raises
    ------
    InputError
        With every fault of the file and of the scenarios in it, each at its place.
    """
    document = read_document(path, shown_path(path), go_on=True)
    check = Check(document, [*document.faults])
    given = check.read(DECK, document.data, ())
    items: list[Source | Words] = []
    for index, wanted in enumerate(_listed(document)):
        found = _item(check, wanted, path.parent, ("runs", index))
        if found is not None:
            items.append(found)
    if check.faults:
        raise InputError(*sorted(check.faults, key=lambda f: (f.file or "", f.line or 0, f.column or 0)))
    author, date = given.get("author") or "", given.get("date") or ""
    name = path.parent.resolve().name if path.name == DECK_FILE else path.stem
    return Lecture(name or "deck", given["title"], tuple(items), author, date)


def _listed(document: Document) -> Iterator[Mapping[str, Any]]:
    """The runs as mappings; what has another shape is reported elsewhere."""
    runs = document.data.get("runs")
    for wanted in runs if isinstance(runs, list) else []:
        if isinstance(wanted, dict):
            yield wanted
        else:
            yield {"run": wanted}


def _item(check: Check, wanted: Mapping[str, Any], folder: Path, path: KeyPath) -> Source | Words | None:
    has_run, has_text = wanted.get("run") is not None, wanted.get("text") is not None
    if has_run == has_text:
        message = "both run and text stand here" if has_run else "neither run nor text stands here"
        check.report(path, message, "run: a scenario, or text: a list of lines")
        return None
    if has_text:
        for key in ("kinds", "steps", "overrides"):
            if key in wanted:
                check.report((*path, key), f"{key} does not go with text", "run: a scenario")
        if wanted.get("title") is None:
            check.report(path, "a slide of text has no title", "title: …")
        lines = wanted["text"]
        if not isinstance(lines, list):
            return None
        return Words(str(wanted.get("title")), tuple(map(str, lines)), str(wanted.get("notes") or ""))
    return _source(check, wanted, folder, path)


def _source(check: Check, wanted: Mapping[str, Any], folder: Path, path: KeyPath) -> Source | None:
    name = wanted["run"]
    if not isinstance(name, str) or not name.strip():
        return None  # reported with the shape
    at = (*path, "run") if (*path, "run") in check.document.values else path
    overrides = _overrides(check, wanted.get("overrides"), (*path, "overrides"))
    target = folder / name
    if target.is_dir():
        if (target / "summary.json").is_file():
            if overrides:
                check.report((*path, "overrides"), "a saved run cannot be overridden", "its scenario in run:")
            return Source(None, target, wanted)
        check.report(at, f"{name} is not a run directory", "a folder with a summary.json")
        return None
    try:
        (file,) = find(target if target.is_file() or name.endswith((".yaml", ".yml")) else name)
        scenario = load(file, overrides=[*overrides])
    except InputError as error:
        check.faults.extend(_located(check.document, fault, overrides, at) for fault in error.faults)
        return None
    return Source(scenario, None, wanted)


def _overrides(check: Check, given: object, path: KeyPath) -> dict[str, KeyPath]:
    """The overrides as they stand behind -S, with the places of their values."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        check.report(path, "overrides are a mapping", "overrides: {learning_rate: 0.3}")
        return {}
    return {f"{key}={flow_text(value)}": (*path, key) for key, value in given.items()}


def _located(document: Document, fault: Fault, overrides: Mapping[str, KeyPath], at: KeyPath) -> Fault:
    """Give a fault its place in the deck, unless it lies in the file of a scenario."""
    for text, place in overrides.items():
        if fault.file == f"{COMMAND_LINE} {text}":
            return document.located(Fault(fault.message, fault.expected, fault.suggestion), place)
    if fault.line is not None:
        return fault
    return document.located(Fault(fault.message, fault.expected, fault.suggestion), at)
