"""A deck as Quarto reveal.js slides: one .qmd file beside SVG figures."""

from __future__ import annotations

from collections.abc import Mapping

from gdsim.slides import markdown as shared
from gdsim.slides.escape import attribute, markdown, yaml
from gdsim.slides.model import Deck, Formula, Lines, Part, Picture, Sketch, Slide, Table, picture_of

_FORMAT = """format:
  revealjs:
    slide-number: true
    width: 1280
    height: 720
    smaller: false
"""
_SIGNS, _LINES = 60, 9  # signs a line and lines on a slide; more are set smaller


def write_quarto(deck: Deck, files: Mapping[str, str], include: bool = False) -> str:
    """Return a deck as a .qmd file; with ``include`` its slides alone, for ``{{< include >}}``."""
    slides = "\n".join(_slide(slide, files) for slide in deck.slides if not slide.opening)
    if include:
        return slides
    fields = (("title", deck.title), ("author", deck.author), ("date", deck.date))
    # Pandoc reads these as Markdown
    head = "".join(f"{key}: {yaml(markdown(text))}\n" for key, text in fields if text)
    return f"---\n{head}{_FORMAT}---\n\n{slides}"


def _slide(slide: Slide, files: Mapping[str, str]) -> str:
    parts = slide.parts
    blocks = [f"## {markdown(slide.title)}{' {.smaller}' * _full(slide)}"]
    if len(parts) == 2 and slide.visual is parts[0] and isinstance(parts[1], Lines):
        image = _part(parts[0], files)
        blocks += [
            ":::: {.columns}", '::: {.column width="66%"}', image, ":::",
            '::: {.column width="34%"}', shared.lines(parts[1]), ":::", "::::",
        ]  # fmt: skip
    else:
        blocks += [_part(part, files) for part in parts]
    if slide.notes:
        notes = "\n".join(f"- {markdown(note)}" for note in slide.notes)
        blocks += ["::: {.notes}", notes, ":::"]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _full(slide: Slide) -> bool:
    """Tell whether text and tables take more lines than a slide has in letters of the usual size."""
    lines = -(-len(slide.title) // _SIGNS) - 1
    for part in slide.parts:
        if isinstance(part, Lines):
            lines += sum(-(-len(line.text) // _SIGNS) for line in part.lines)
        elif isinstance(part, Table):
            lines += len(part.rows) + bool(part.head)
    return lines > _LINES


def _part(part: Part | Sketch, files: Mapping[str, str]) -> str:
    match part:
        case Lines():
            return shared.lines(part)
        case Formula():
            return shared.formula(part)
        case Table():
            return shared.table(part)
        case Picture() | Sketch():
            return f"![]({files[part.name]}){{fig-alt={attribute(part.alt)}}}"
    return _part(picture_of(part), files)
