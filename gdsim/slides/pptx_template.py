"""The design of a PPTX deck: its template, its layouts, found by their placeholders, and its room."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdsim.outcomes import Fault, InputError

INCH = 914_400  # English metric units
_WIDE = (12_192_000, 6_858_000)  # 13.33 × 7.5 in
_TEMPLATE = b"presentationml.template.main+xml"
_PRESENTATION = b"presentationml.presentation.main+xml"
_NAMESPACE = {"a": "http://schemas.openxmlformats.org/drawingml/2006/main"}
#: accents of the built-in design: M. Okabe and K. Ito, "Color Universal Design" (2008)
_ACCENTS = ("0072B2", "D55E00", "009E73", "9A4C86", "56B4E9", "E69F00")
_NIGHT = {"dk1": "14181D", "accent1": "2E8FD0", "accent4": "C77DB4"}  # the ground of the style slides-dark
_TITLE_SIZE, _BODY_SIZE, _NUMBER_SIZE = 3600, 2800, 1800  # hundredths of a point


@dataclass(frozen=True)
class Box:
    """A rectangle on a slide, in English metric units."""

    left: int
    top: int
    width: int
    height: int

    def above(self, height: int, gap: int = 0) -> tuple[Box, Box]:
        """Return the upper part of this height, and what is left below a gap."""
        rest = max(1, self.height - height - gap)
        return (Box(self.left, self.top, self.width, height),
                Box(self.left, self.top + height + gap, self.width, rest))  # fmt: skip

    def beside(self, share: float, gap: int) -> tuple[Box, Box]:
        """Return the left part with this share of the width, and what is right of a gap."""
        left = int(self.width * share)
        rest = max(1, self.width - left - gap)
        return (Box(self.left, self.top, left, self.height),
                Box(self.left + left + gap, self.top, rest, self.height))  # fmt: skip


@dataclass(frozen=True)
class Design:
    """A template at work: the presentation, its layouts by use, and the room below a title."""

    presentation: Any
    opening: Any
    content: Any
    title_only: Any
    body: Box
    title_size: float  # points
    light_ink: bool = False  # whether the theme's dark colour, in which tables write, is the lighter one


def design(template: Path | None, dark: bool = False) -> Design:
    """Return the design of a template, or the built-in one, light on dark if ``dark``.

    Raises
    ------
    InputError
        Where the file is no PowerPoint file, or none of its layouts has a title.
    """
    presentation = _builtin(dark) if template is None else _opened(template)
    layouts = [(layout, _kinds(layout)) for layout in sorted(presentation.slide_layouts, key=_special)]
    titled = [(layout, kinds) for layout, kinds in layouts if {"TITLE", "CENTER_TITLE"} & set(kinds)]
    if not titled:
        message = "no layout of this template has a title placeholder"
        raise InputError(Fault(message, "a template with a layout such as Title Only", file=str(template)))

    def first(fits: Any) -> Any:
        return next((layout for layout, kinds in titled if fits(kinds)), None)

    content = first(lambda kinds: sorted(kinds) == ["OBJECT", "TITLE"]) or first(
        lambda kinds: sorted(kinds) == ["BODY", "TITLE"]
    )
    title_only = first(lambda kinds: kinds == ["TITLE"]) or content or titled[0][0]
    opening = (
        first(lambda kinds: "CENTER_TITLE" in kinds) or first(lambda kinds: "SUBTITLE" in kinds) or title_only
    )
    body = _body(presentation, content, title_only)
    size, ink = _title_size(title_only), _light_ink(presentation.slide_master)
    return Design(presentation, opening, content, title_only, body, size, ink)


def _special(layout: Any) -> bool:
    """Whether a layout is for the heads of sections, or for vertical text: taken only where all are."""
    vertical = layout._element.xpath('.//p:ph[@orient="vert"]')
    return bool(vertical) or layout._element.get("type") == "secHead"


def _kinds(layout: Any) -> list[str]:
    """The types of a layout's placeholders, those of the foot left out."""
    names = [shape.placeholder_format.type.name for shape in layout.placeholders]
    return [name for name in names if name not in ("DATE", "FOOTER", "SLIDE_NUMBER")]


def _body(presentation: Any, content: Any, title_only: Any) -> Box:
    """The room of the content placeholder, or what lies below the title."""
    if content is not None:
        for shape in content.placeholders:
            if shape.placeholder_format.type.name in ("OBJECT", "BODY"):
                return Box(shape.left, shape.top, shape.width, shape.height)
    title = next(s for s in title_only.placeholders if "TITLE" in s.placeholder_format.type.name)
    width, height = presentation.slide_width, presentation.slide_height
    top = min(title.top + title.height + INCH // 8, height // 2)
    return Box(width // 20, top, width - width // 10, height - top - height // 12)


def _title_size(layout: Any) -> float:
    """The size of titles in points, from the layout, its title or the master's style."""
    title = next(s for s in layout.placeholders if "TITLE" in s.placeholder_format.type.name)
    for element in (title._element, layout.slide_master._element.find(".//{*}titleStyle")):
        if element is None:
            continue
        for found in element.findall(".//a:lvl1pPr/a:defRPr", _NAMESPACE):
            if found.get("sz"):
                return int(found.get("sz")) / 100
    return 40.0


def _opened(template: Path) -> Any:
    """Open a template without its slides; a .potx is opened as well."""
    from pptx import Presentation
    from pptx.exc import PackageNotFoundError

    try:
        data = template.read_bytes()
    except FileNotFoundError:
        raise InputError(Fault("there is no such template", "a .pptx file", file=str(template))) from None
    except OSError as error:
        message = f"the template cannot be read: {error.strerror}"
        raise InputError(Fault(message, "a .pptx file", file=str(template))) from None
    try:
        presentation = Presentation(io.BytesIO(_as_presentation(data)))
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError, SyntaxError):
        raise InputError(Fault("this is no PowerPoint file", "a .pptx file", file=str(template))) from None
    slides = presentation.slides._sldIdLst
    for slide in list(slides):
        presentation.part.drop_rel(slide.rId)
        slides.remove(slide)
    for sections in presentation.element.findall(".//{*}sectionLst"):  # they name slides that are gone
        extension = sections.getparent()
        extension.getparent().remove(extension)
    return presentation


def _as_presentation(data: bytes) -> bytes:
    """Return the bytes of a .potx as those of a .pptx; others as they are."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        types = old.read("[Content_Types].xml")
        if _TEMPLATE not in types:
            return data
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
            for entry in old.infolist():
                content = old.read(entry)
                if entry.filename == "[Content_Types].xml":
                    content = types.replace(_TEMPLATE, _PRESENTATION)
                new.writestr(entry, content)
    return target.getvalue()


def _builtin(dark: bool) -> Any:
    """Widen python-pptx's own template to 16:9, with titles to the left and colours for every eye."""
    from pptx import Presentation

    presentation = Presentation()
    stretch = _WIDE[0] / presentation.slide_width
    presentation.slide_width, presentation.slide_height = _WIDE
    master = presentation.slide_master
    for place in (master, *presentation.slide_layouts):
        for shape in place.shapes:
            if shape._element.find(".//{*}xfrm") is not None:
                shape.left, shape.width = round(shape.left * stretch), round(shape.width * stretch)
    _place(master.placeholders, "TITLE", Box(INCH // 2, INCH // 3, _WIDE[0] - INCH, INCH))
    _place(
        master.placeholders, "BODY", Box(INCH // 2, round(1.45 * INCH), _WIDE[0] - INCH, round(5.3 * INCH))
    )
    opening = presentation.slide_layouts[0]
    _place(opening.placeholders, "CENTER_TITLE", Box(INCH, 2 * INCH, _WIDE[0] - 2 * INCH, round(1.6 * INCH)))
    _place(opening.placeholders, "SUBTITLE", Box(INCH, round(3.8 * INCH), _WIDE[0] - 2 * INCH, 2 * INCH))
    for paragraph in opening._element.iterfind(".//a:lvl1pPr", _NAMESPACE):
        paragraph.set("algn", "l")
    for found in master._element.xpath('.//p:sp[.//p:ph[@type="sldNum"]]//a:defRPr'):
        found.set("sz", str(_NUMBER_SIZE))
    _restyle(master)
    _recolour(master, _NIGHT if dark else {})
    if dark:
        for name, other in (("bg1", "dk1"), ("tx1", "lt1"), ("bg2", "dk2"), ("tx2", "lt2")):
            master._element.find("{*}clrMap").set(name, other)
    return presentation


def _place(placeholders: Any, kind: str, box: Box) -> None:
    for shape in placeholders:
        if shape.placeholder_format.type.name == kind:
            shape.left, shape.top, shape.width, shape.height = box.left, box.top, box.width, box.height


def _restyle(master: Any) -> None:
    """Titles to the left and bold, sizes for a wide slide."""
    title = master._element.find(".//{*}titleStyle/{*}lvl1pPr")
    title.set("algn", "l")
    name = title.find("a:defRPr", _NAMESPACE)
    name.set("sz", str(_TITLE_SIZE))
    name.set("b", "1")
    for level, size in ((1, _BODY_SIZE), (2, _BODY_SIZE - 400)):
        body = master._element.find(f".//{{*}}bodyStyle/{{*}}lvl{level}pPr/{{*}}defRPr")
        body.set("sz", str(size))


def _theme(master: Any) -> Any:
    return next(rel.target_part for rel in master.part.rels.values() if rel.reltype.endswith("/theme"))


def _light_ink(master: Any) -> bool:
    """Tell whether the theme calls its lighter colour dark, as some dark templates do."""
    from lxml import etree

    theme = etree.fromstring(_theme(master).blob)
    found = []
    for name in ("dk1", "lt1"):
        colour = theme.find(f".//a:clrScheme/a:{name}/*", _NAMESPACE)
        digits = "" if colour is None else colour.get("lastClr") or colour.get("val", "")
        if not re.fullmatch("[0-9A-Fa-f]{6}", digits):
            return False
        red, green, blue = bytes.fromhex(digits)
        found.append(0.3 * red + 0.59 * green + 0.11 * blue)
    return found[0] > found[1]


def _recolour(master: Any, more: Mapping[str, str]) -> None:
    """Put the accents, and more colours, into the theme, where every chart, table and text finds them."""
    from lxml import etree

    part = _theme(master)
    theme = etree.fromstring(part.blob)
    colours = {f"accent{index}": colour for index, colour in enumerate(_ACCENTS, 1)} | dict(more)
    for name, colour in colours.items():
        entry = theme.find(f".//a:clrScheme/a:{name}", _NAMESPACE)
        for child in list(entry):
            entry.remove(child)
        etree.SubElement(entry, f"{{{_NAMESPACE['a']}}}srgbClr", val=colour)
    part._blob = etree.tostring(theme, xml_declaration=True, encoding="UTF-8", standalone=True)


def number_slide(slide: Any, layout: Any) -> None:
    """Give a slide the number that its layout has a place for."""
    for shape in layout.placeholders:
        if shape.placeholder_format.type.name == "SLIDE_NUMBER":
            slide.shapes._spTree.append(deepcopy(shape._element))
