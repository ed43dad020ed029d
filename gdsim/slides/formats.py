"""The formats of a deck, and how one is written: whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gdsim.outcomes import Fault, InputError, nearest
from gdsim.slides import figures
from gdsim.slides.content import Entry, Words, comparison, run_slides, text_slide
from gdsim.slides.model import Deck, Line, Lines, Slide
from gdsim.slides.words import clean

_FEW = 2  # runs from which a last slide sets them side by side


@dataclass(frozen=True)
class Look:
    """What is left to choose about a format: the template, the style of figures, slides alone."""

    template: Path | None = None
    style: str = "slides"
    include: bool = False


@dataclass(frozen=True)
class Format:
    """A format: its suffix, the format of its figures, and its writer.

    ``write`` is given the deck, the figures (their bytes for HTML, where they lie for the other text formats)
    and the choices.
    """

    suffix: str
    summary: str
    write: Callable[[Deck, Mapping[str, bytes], Mapping[str, str], Look], bytes]
    pictures: figures.Format | None = None
    beside: bool = True  # whether the figures lie in a folder beside the file


def assemble(
    items: Sequence[Entry | Words], title: str = "", author: str = "", date: str = "", name: str = "deck"
) -> Deck:
    """Return runs and slides of text as a deck: a title, their slides, and the runs side by side.

    Parameters
    ----------
    items
        Runs with how they are to be shown, and slides of text, in order.
    title, author, date
        For the first slide; the title of a single run by default.
    name
        For files.
    """
    entries = [item for item in items if isinstance(item, Entry)]
    words = clean(title) or (entries[0].heading if len(entries) == 1 else "Gradient descent")
    below = tuple(Line(text) for text in (clean(author), clean(date)) if text)
    told = tuple(f"{place}. {entry.heading}" for place, entry in enumerate(entries, 1))
    slides = [Slide(words, (Lines(below),) if below else (), told, opening=True)]
    for place, item in enumerate(items, 1):
        if isinstance(item, Entry):
            slides += run_slides(replace(item, name=f"{place:02d}-{file_name(item.run.name)}"))
        else:
            slides.append(text_slide(item))
    if len(entries) >= _FEW:
        slides += comparison(entries)
    return Deck(name, words, tuple(slides), clean(author), clean(date))


def file_name(text: str) -> str:
    """Return a name that every file system, LaTeX and URL takes as it is.

    >>> file_name("Näïve 50%"), file_name("…")
    ('N-ve-50', 'deck')
    """
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:60] or "deck"


def kind_of(target: Path | None) -> str:
    """Return the format that the ending of a file tells; PowerPoint where there is none.

    Raises
    ------
    InputError
        Where the ending tells no format.
    """
    if target is None:
        return "pptx"
    for name, format in FORMATS.items():
        if format.suffix == target.suffix.lower():
            return name
    endings = ", ".join(format.suffix for format in FORMATS.values())
    message = f"the ending of {target.name!r} does not tell the format"
    raise InputError(Fault(message, f"--to, or a file that ends in {endings}", path="-o"))


def check(kind: str, style: str = "slides", template: bool = False, include: bool = False) -> None:
    """Raise InputError with every choice that is unknown or does not fit the format."""
    faults = []
    if kind not in FORMATS:
        faults.append(
            Fault(
                f"unknown format {kind!r}",
                f"one of {', '.join(FORMATS)}",
                nearest(kind, [*FORMATS]),
                path="--to",
            )
        )
    if style not in figures.STYLES:
        known = figures.STYLES
        faults.append(
            Fault(
                f"unknown style {style!r}",
                f"one of {', '.join(known)}",
                nearest(style, known),
                path="--style",
            )
        )
    if template and kind != "pptx":
        faults.append(Fault(f"{kind} takes no template", "--to pptx", path="--template"))
    if include and kind in ("pptx", "html"):
        faults.append(
            Fault(f"{kind} has no slides to include", "--to beamer, quarto or marp", path="--include")
        )
    if faults:
        raise InputError(*faults)


def ready(kind: str) -> None:
    """Raise InputError where a format needs a package that is missing."""
    if kind == "pptx":
        from gdsim.slides.pptx import needed

        needed()


def render(
    deck: Deck, kind: str, look: Look, folder: str, advance: Callable[[int, int], None] | None = None
) -> tuple[bytes, dict[str, bytes]]:
    """Return a deck as the bytes of its file, and the files of the folder beside it.

    Parameters
    ----------
    folder
        The name of the folder beside the file.
    advance
        Is told after each figure how many of how many there are.
    """
    format = FORMATS[kind]
    drawn: dict[str, bytes] = {}
    if format.pictures is not None:
        wanted = deck.pictures
        for place, one in enumerate(wanted, 1):
            drawn[one.name] = figures.drawn(one, format.pictures, look.style)
            if advance is not None:
                advance(place, len(wanted))
    files = {name: f"{folder}/{name}.{format.pictures}" for name in drawn}
    data = format.write(deck, drawn, files, look)
    beside = {f"{name}.{format.pictures}": content for name, content in drawn.items()}
    return data, beside if format.beside else {}


def save(
    deck: Deck, target: Path, kind: str, look: Look, advance: Callable[[int, int], None] | None = None
) -> list[Path]:
    """Write a deck, whole or not at all, and return what was written: the file, and the folder beside it.

    ``advance`` is told after each figure how many of how many there are.

    Raises
    ------
    InputError
        Where a folder stands in the place of the file, or the folder beside it holds other files.
    OSError
        Where the disk refuses; what was there before is still there.
    """
    if target.is_dir():
        raise InputError(Fault("a folder stands where the deck belongs", "a file: -o FILE", file=str(target)))
    folder = target.with_name(f"{file_name(target.stem)}-{kind}-figures")
    data, beside = render(deck, kind, look, folder.name, advance)
    target.parent.mkdir(parents=True, exist_ok=True)
    _own(folder, beside)
    temporary = target.with_name(f".gdsim-writing-{target.name}-{os.getpid()}")
    new, old = (
        folder.with_name(f".gdsim-{word}-{folder.name}-{os.getpid()}") for word in ("writing", "replaced")
    )
    try:
        temporary.write_bytes(data)
        if beside:
            new.mkdir()
            for name, content in beside.items():
                (new / name).write_bytes(content)
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        shutil.rmtree(new, ignore_errors=True)
        if old.exists():
            shutil.rmtree(folder, ignore_errors=True)
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
    return [target, folder] if beside else [target]


def _own(folder: Path, beside: Mapping[str, bytes]) -> None:
    """Make sure that the folder of figures holds nothing but figures of a deck."""
    if not beside or not folder.exists():
        return
    foreign = [entry for entry in folder.iterdir() if not re.match(r"\d\d-.*\.(svg|pdf|png)\Z", entry.name)]
    if foreign:
        message = f"the folder for the figures holds another file, {foreign[0].name}"
        raise InputError(Fault(message, "an empty folder, or another name: -o FILE", file=str(folder)))


def _pptx(deck: Deck, drawn: Mapping[str, bytes], files: Mapping[str, str], look: Look) -> bytes:
    from gdsim.slides.pptx import write_pptx

    return write_pptx(deck, look.template, look.style)


def _beamer(deck: Deck, drawn: Mapping[str, bytes], files: Mapping[str, str], look: Look) -> bytes:
    from gdsim.slides.beamer import write_beamer

    return write_beamer(deck, files, look.include).encode()


def _quarto(deck: Deck, drawn: Mapping[str, bytes], files: Mapping[str, str], look: Look) -> bytes:
    from gdsim.slides.quarto import write_quarto

    return write_quarto(deck, files, look.include).encode()


def _marp(deck: Deck, drawn: Mapping[str, bytes], files: Mapping[str, str], look: Look) -> bytes:
    from gdsim.slides.marp import write_marp

    return write_marp(deck, files, look.include).encode()


def _html(deck: Deck, drawn: Mapping[str, bytes], files: Mapping[str, str], look: Look) -> bytes:
    from gdsim.slides.html import write_html

    return write_html(deck, drawn, dark=look.style == "slides-dark").encode()


FORMATS: dict[str, Format] = {
    "pptx": Format(".pptx", "PowerPoint, with native charts, tables and text", _pptx),
    "beamer": Format(".tex", "LaTeX Beamer, with PDF figures beside it", _beamer, "pdf"),
    "quarto": Format(".qmd", "Quarto (reveal.js), with SVG figures beside it", _quarto, "svg"),
    "marp": Format(".md", "Marp Markdown, with SVG figures beside it", _marp, "svg"),
    "html": Format(".html", "one HTML file that needs nothing else", _html, "svg", beside=False),
}
