"""A deck as Marp slides: one .md file beside SVG figures."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gdsim.slides import markdown as shared
from gdsim.slides.escape import markdown, yaml
from gdsim.slides.model import Deck, Formula, Lines, Part, Picture, Sketch, Slide, Table, picture_of

_STYLE = """style: |
  section { align-content: start; padding: 44px 60px; }
  section.lead { align-content: center; }
  section table { font-size: 25px; }
  section img:not(.emoji) { display: block; margin: 0 auto; }
"""
_TITLE, _LINE = 48, 60  # signs of a title on one line, and pixels that each further line takes
#: words within the alt text of a picture that Marp takes for instructions
_KEYWORD = re.compile(
    r"(?<!\S)(bg|fit|auto|contain|cover|left|right|vertical|blur|brightness|contrast|drop-shadow|grayscale|"
    r"hue-rotate|invert|opacity|saturate|sepia|\S+:\S*)(?!\S)"
)


def write_marp(deck: Deck, files: Mapping[str, str], include: bool = False) -> str:
    """Return a deck as Marp Markdown; with ``include`` its slides alone."""
    slides = [_slide(slide, files) for slide in deck.slides if not (include and slide.opening)]
    body = "\n---\n\n".join(slides)
    if include:
        return body
    head = f"marp: true\ntitle: {yaml(deck.title)}\nmath: mathjax\npaginate: true\nsize: 16:9\n"
    author = f"author: {yaml(deck.author)}\n" if deck.author else ""
    return f"---\n{head}{author}{_STYLE}---\n\n{body}"


def _slide(slide: Slide, files: Mapping[str, str]) -> str:
    blocks = [f"# {markdown(slide.title)}"]
    if slide.opening:
        blocks.insert(0, "<!-- _class: lead -->")
    beside = len(slide.parts) == 2 and slide.visual is slide.parts[0] and isinstance(slide.parts[1], Lines)
    further = _LINE * min(2, (len(slide.title) - 1) // _TITLE)
    height = 560 - further if len(slide.parts) == 1 else 480 - further if beside else 300
    for part in slide.parts:
        if beside and isinstance(part, Lines):  # Marp has no columns: below the picture, on one line
            blocks.append(" · ".join(map(shared.line, part.lines)))
        else:
            blocks.append(_part(part, files, height))
    if slide.notes:
        blocks.append("<!--\n" + "\n".join(f"- {_comment(note)}" for note in slide.notes) + "\n-->")
    return "\n\n".join(block for block in blocks if block) + "\n"


def _comment(text: str) -> str:
    """Text within a comment: it cannot end it, and Marp cannot take it for a directive."""
    return re.sub(r"-(?=-)|-(?=>)|<(?=!)", lambda found: f"{found[0]} ", text)


def _part(part: Part | Sketch, files: Mapping[str, str], height: int) -> str:
    match part:
        case Lines():
            return shared.lines(part)
        case Formula():
            return shared.formula(part)
        case Table():
            return shared.table(part)
        case Picture() | Sketch():
            alt = _KEYWORD.sub(r"“\1”", part.alt)
            return f"![h:{height} {markdown(alt)}]({files[part.name]})"
    return _part(picture_of(part), files, height)
