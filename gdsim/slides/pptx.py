"""A deck as a PowerPoint file: native text, tables and charts, notes, alt text, in any template's design."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from operator import ge
from pathlib import Path
from typing import Any

from gdsim.outcomes import Fault, InputError
from gdsim.slides import figures
from gdsim.slides.model import Chart, Deck, Formula, Line, Lines, Part, Picture, Slide, Table
from gdsim.slides.pptx_bytes import without_clock
from gdsim.slides.pptx_chart import add_chart
from gdsim.slides.pptx_template import INCH, Box, Design, design, number_slide

_SIZES = (28, 26, 24, 22, 20, 18)  # points of text; the largest that fits is taken
_TABLE_SIZES = (24, 22, 20, 18)
_FORMULA_SIZES = (44, 40, 36, 32, 28, 24, 20)
_TITLE_SIZES = (36, 32, 28, 24, 20)
_SIGN = 0.52  # mean width of a letter in parts of its size
_LEADING = 1.25  # distance of lines in parts of their size
_ASIDE = 0.66  # share of the chart beside which text stands
_GAP = INCH // 5
_LEAST_TABLE = 0.6  # of the width of its room
_SPARE = INCH // 8  # by so much a table may be higher than its room
_CELL = (0.2, 0.12)  # margins within a table's cell, inches
_CLEAR_TABLE = "{3B4B98B0-60AC-42C2-AFA5-B58CD77FA1E5}"  # PowerPoint's "Light Style 1 - Accent 1"


def write_pptx(deck: Deck, template: Path | None = None, style: str = "slides") -> bytes:
    """Return a deck as the bytes of a PPTX file; the same deck gives the same bytes.

    Parameters
    ----------
    deck
        What is on the slides.
    template
        A .pptx or .potx whose layouts, colours and fonts are used; by default a plain 16:9 design.
    style
        The style of the pictures; charts, tables and text take theirs from the template, or are light on
        dark with ``slides-dark`` and no template.

    Raises
    ------
    InputError
        Where python-pptx is missing, or the template cannot be used.
    """
    needed()
    made = design(template, style == "slides-dark")
    for slide in deck.slides:
        if slide.opening:
            _opening(made, slide)
        else:
            _content(made, slide, style)
    core = made.presentation.core_properties
    core.title, core.author, core.last_modified_by = deck.title, deck.author, deck.author
    core.subject, core.keywords, core.comments, core.revision = "", "", "Made with gdsim", 1
    target = io.BytesIO()
    made.presentation.save(target)
    return without_clock(target.getvalue())


def needed() -> None:
    """Raise InputError where python-pptx is missing."""
    try:
        import pptx  # noqa: F401
    except ModuleNotFoundError:
        message = "PowerPoint files need python-pptx, which is not installed"
        raise InputError(Fault(message, 'pip install "gdsim[pptx]", or --to html')) from None


def _opening(made: Design, slide: Slide) -> None:
    drawn = made.presentation.slides.add_slide(made.opening)
    words = [line.text for part in slide.parts if isinstance(part, Lines) for line in part.lines]
    _set_title(drawn, slide.title, made)
    others = [shape for shape in drawn.placeholders if shape.placeholder_format.idx != 0]
    for shape in others:
        kind = shape.placeholder_format.type.name
        if words and kind in ("SUBTITLE", "BODY", "OBJECT"):
            shape.text_frame.text = "\n".join(words)
            words = []
        else:
            _remove(shape)
    _set_notes(drawn, slide)


def _content(made: Design, slide: Slide, style: str) -> None:
    plain = len(slide.parts) == 1 and isinstance(slide.parts[0], Lines) and made.content is not None
    layout = made.content if plain else made.title_only
    drawn = made.presentation.slides.add_slide(layout)
    _set_title(drawn, slide.title, made)
    body = next((s for s in drawn.placeholders if s.placeholder_format.idx != 0), None)
    if plain and body is not None:
        _fill(body.text_frame, slide.parts[0], made.body)  # type: ignore[arg-type]
    else:
        if body is not None:
            _remove(body)
        _arrange(drawn, slide.parts, made.body, style)
        if made.light_ink:
            _clear_tables(drawn)
    number_slide(drawn, layout)
    _set_notes(drawn, slide)


def _set_title(drawn: Any, text: str, made: Design) -> None:
    """Write the title, smaller than the template's where it would take more than two lines."""
    from pptx.util import Pt

    title = drawn.shapes.title
    title.text_frame.text = text
    for size in (made.title_size, *(size for size in _TITLE_SIZES if size < made.title_size)):
        if _line_count(text, size * 1.08, title.width) * size * _LEADING <= title.height / INCH * 72:
            break
    if size != made.title_size:
        title.text_frame.paragraphs[0].runs[0].font.size = Pt(size)


def _set_notes(drawn: Any, slide: Slide) -> None:
    if slide.notes:
        drawn.notes_slide.notes_text_frame.text = "\n".join(slide.notes)


def _remove(shape: Any) -> None:
    shape._element.getparent().remove(shape._element)


def _describe(shape: Any, text: str, kind: str) -> None:
    """Give a shape its alt text."""
    properties = shape._element.xpath(".//p:cNvPr")[0]
    properties.set("descr", text)
    properties.set("name", f"{kind} {properties.get('id')}")


def _arrange(drawn: Any, parts: Sequence[Part], box: Box, style: str) -> None:
    """Put the parts into the room: text behind a chart stands beside it, all else below one another."""
    if len(parts) == 2 and isinstance(parts[0], Chart | Picture) and isinstance(parts[1], Lines):
        left, right = box.beside(_ASIDE, _GAP)
        _put(drawn, parts[0], left, style)
        _put(drawn, parts[1], right, style)
        return
    for place, part in enumerate(parts):
        if place == len(parts) - 1:
            _put(drawn, part, box, style)
        else:
            upper, box = box.above(min(_height(part, box), box.height // 2), _GAP)
            _put(drawn, part, upper, style)


def _height(part: Part, box: Box) -> int:
    """The height that a part takes for itself."""
    match part:
        case Lines(lines):
            size = _text_size(lines, Box(0, 0, box.width, box.height // 2))
            return int(_points(lines, size, box.width) / 72 * INCH) + INCH // 8
        case Formula(text):
            size = next(s for s in (*_FORMULA_SIZES, 0) if not s or _line_count(text, s, box.width) == 1)
            return int((size or 2.6 * _FORMULA_SIZES[-1]) * 1.5 / 72 * INCH)
    return box.height // 2


def _put(drawn: Any, part: Part, box: Box, style: str) -> None:
    match part:
        case Lines():
            frame = drawn.shapes.add_textbox(box.left, box.top, box.width, box.height).text_frame
            frame.word_wrap = True
            _fill(frame, part, box)
        case Formula():
            _formula(drawn, part, box)
        case Table():
            _table(drawn, part, box)
        case Chart():
            _describe(add_chart(drawn, part, box), part.alt, "Chart")
        case Picture():
            _picture(drawn, part, box, style)


def _fill(frame: Any, part: Lines, box: Box) -> None:
    """Write paragraphs in the largest size that fits."""
    from pptx.util import Pt

    size = _text_size(part.lines, box)
    for place, line in enumerate(part.lines):
        paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
        paragraph.space_after = Pt(size * 0.35)
        run = paragraph.add_run()
        run.text = line.text
        run.font.size = Pt(size - 2 if line.weight == "quiet" else size)
        if line.weight == "lead":
            run.font.bold = True


def _formula(drawn: Any, part: Formula, box: Box) -> None:
    from pptx.util import Pt

    frame = drawn.shapes.add_textbox(box.left, box.top, box.width, box.height).text_frame
    frame.word_wrap = True
    run = frame.paragraphs[0].add_run()
    run.text = part.text
    sizes = [size for size in _FORMULA_SIZES if _line_count(part.text, size, box.width) == 1]
    run.font.size = Pt(sizes[0] if sizes else _FORMULA_SIZES[-1])


def _picture(drawn: Any, part: Picture, box: Box, style: str) -> None:
    """Draw a figure as large as fits, in the middle of its room."""
    space = box.width / INCH, box.height / INCH
    image = io.BytesIO(figures.picture(part.run, part.kind, "png", style, part.until, part.room, space))
    shape = drawn.shapes.add_picture(image, box.left, box.top)
    share = min(box.width / shape.width, box.height / shape.height)
    shape.width, shape.height = int(shape.width * share), int(shape.height * share)
    shape.left = box.left + (box.width - shape.width) // 2
    shape.top = box.top + (box.height - shape.height) // 2
    _describe(shape, part.alt, "Picture")


def _table(drawn: Any, part: Table, box: Box) -> None:
    """Put a table as high as its text needs, the columns as wide as theirs."""
    from pptx.enum.text import MSO_ANCHOR
    from pptx.util import Pt

    part = _cut(part, box)
    rows = _rows(part)
    size, widths, heights = _measure(rows, box)
    frame = drawn.shapes.add_table(len(rows), len(rows[0]), box.left, box.top, sum(widths), sum(heights))
    table = frame.table
    table.first_row, table.first_col, table.horz_banding = bool(part.head), not part.head, True
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    for index, (row, height, texts) in enumerate(zip(table.rows, heights, rows, strict=True)):
        row.height = height
        for cell, text in zip(row.cells, texts, strict=True):
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            cell.text_frame.text = text
            font = cell.text_frame.paragraphs[0].runs[0].font if text else cell.text_frame.paragraphs[0].font
            font.size = Pt(size)
            if part.marked is not None and index == part.marked + bool(part.head):
                font.bold = True
    _describe(frame, part.alt, "Table")


def _rows(part: Table) -> list[tuple[str, ...]]:
    return [*([part.head] if part.head else []), *part.rows]


def _cut(part: Table, box: Box) -> Table:
    """Put dots for the last rows where there is no room for all; the notes hold what they say."""
    kept, cut = [*range(len(part.rows))], part
    dots = ("…",) + ("",) * (len(part.rows[0]) - 1)
    while len(kept) > 1 and sum(_measure(_rows(cut), box)[2]) > box.height + _SPARE:
        kept.remove(max(place for place in kept if place != part.marked))
        marked = None if part.marked is None else kept.index(part.marked)
        cut = replace(part, rows=(*(part.rows[place] for place in kept), dots), marked=marked)
    return cut


def _clear_tables(drawn: Any) -> None:
    """Let the slide shine through its tables: the usual style writes in the dark colour on pale cells."""
    for found in drawn.shapes._spTree.iterfind(".//{*}tableStyleId"):
        found.text = _CLEAR_TABLE


def _measure(rows: Sequence[Sequence[str]], box: Box) -> tuple[int, list[int], list[int]]:
    """The size of a table's text, the widths of its columns and the heights of its rows."""
    for size in _TABLE_SIZES:
        widths = _widths(rows, box.width, size)
        heights = [
            max(_line_count(text, size * 1.04, width) for text, width in zip(row, widths, strict=True))
            for row in rows
        ]
        tall = [int((lines * size * 1.2 / 72 + _CELL[1]) * INCH) for lines in heights]
        whole = all(map(ge, widths, _columns(rows, size, words=True)))
        if whole and sum(tall) <= box.height:
            break
    return size, widths, tall


def _widths(rows: Sequence[Sequence[str]], whole: int, size: float) -> list[int]:
    """Columns as wide as their longest text; where these do not fit, the widest gives way, or all do."""
    wanted, least = _columns(rows, size), _columns(rows, size, words=True)
    if sum(wanted) <= whole:
        stretch = max(1.0, _LEAST_TABLE * whole / sum(wanted))
        return [int(width * stretch) for width in wanted]
    others, widest = sum(wanted) - max(wanted), wanted.index(max(wanted))
    if others <= 0.7 * whole and whole - others >= least[widest]:
        return [whole - others if place == widest else width for place, width in enumerate(wanted)]
    if sum(least) >= whole:
        return [int(width * whole / sum(least)) for width in least]
    share = (whole - sum(least)) / (sum(wanted) - sum(least))
    return [int(narrow + share * (wide - narrow)) for narrow, wide in zip(least, wanted, strict=True)]


def _columns(rows: Sequence[Sequence[str]], size: float, words: bool = False) -> list[int]:
    """How wide columns have to be for their texts on one line, or for their longest words."""
    found = []
    for column in zip(*rows, strict=True):
        signs = max(_signs(part) for text in column for part in (text.split(" ") if words else [text]))
        found.append(int((signs * size * (_SIGN + 0.06) / 72 + _CELL[0] + 0.15) * INCH))
    return found


def _signs(text: str) -> float:
    """How many letters of usual width a text is as wide as: "minimum" is nine."""
    return len(text) + 0.6 * sum(map(text.count, "mMwW"))


def _text_size(lines: Sequence[Line], box: Box) -> int:
    """The largest size in which paragraphs fit a box."""
    high = box.height / INCH * 72 - 8
    return next((size for size in _SIZES if _points(lines, size, box.width) <= high), _SIZES[-1])


def _points(lines: Sequence[Line], size: float, width: int) -> float:
    """The height of paragraphs in points."""
    return sum(
        _line_count(line.text, size * (1.06 if line.weight == "lead" else 1.0), width) * size * _LEADING
        + size * 0.35
        for line in lines
    )


def _line_count(text: str, size: float, width: int) -> int:
    """How many lines a text takes; words stay whole."""
    signs = max(1, int((width / INCH - 0.2) * 72 / (size * _SIGN)))
    lines, filled = 1, 0
    for word in text.split(" "):
        needed = len(word) + (filled > 0)
        if filled and filled + needed > signs:
            lines, filled, needed = lines + 1, 0, len(word)
        filled += needed
        while filled > signs:
            lines, filled = lines + 1, filled - signs
    return lines
