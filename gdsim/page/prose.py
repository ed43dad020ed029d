"""The prose of a lesson as markup that cannot do anything but be read."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

#: what no XML may hold
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@cache
def _parser() -> MarkdownIt:
    """Markdown with tables; markup in it is text, and no picture is fetched."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "xhtmlOut": True}).enable("table").disable("image")


def prose(text: str, lessons: Collection[str] = ()) -> str:
    """Return Markdown as XHTML.

    Parameters
    ----------
    text
        Markdown. Markup in it is text; no attribute but the target of a link is left, so that neither a
        script nor a style can stand in it.
    lessons
        The lessons to which the page can lead. A link to another file leads nowhere.

    Examples
    --------
    >>> prose("A **weight**, 1 < 2")
    '<p>A <strong>weight</strong>, 1 &lt; 2</p>'
    >>> prose("<script>alert(1)</script>")
    '<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>'
    >>> prose("See [ravines](17-ravines).", ["17-ravines"])
    '<p>See <a href="#17-ravines">ravines</a>.</p>'
    """
    parser = _parser()
    tokens = parser.parse(_UNREADABLE.sub("\ufffd", text))
    for token in tokens:
        if token.type == "fence":
            token.info = ""
        for one in (token, *(token.children or [])):
            target = _target(str(one.attrs.get("href", "")), lessons)
            one.attrs = {"href": target} if target else {}
    return str(parser.renderer.render(tokens, parser.options, {})).strip()


def _target(address: str, lessons: Collection[str]) -> str:
    """Where a link leads from a page; empty for nowhere."""
    if address in lessons:
        return f"#{address}"
    return address if re.match("https?://", address) else ""


def phrase_of_prose(text: str, lessons: Collection[str] = ()) -> str:
    """Return Markdown of one paragraph without the paragraph around it.

    >>> phrase_of_prose("rises by *one*")
    'rises by <em>one</em>'
    """
    made = prose(text, lessons)
    inner = made.removeprefix("<p>").removesuffix("</p>")
    return made if "<p>" in inner or inner == made else inner
