"""The prose of a lesson as markup that cannot do anything but be read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


@cache
def _parser() -> MarkdownIt:
    """Markdown with tables; markup in it is text, and no picture is fetched."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "xhtmlOut": True}).enable("table").disable("image")


def prose(text: str) -> str:
    """Return Markdown as XHTML.

    Markup in the text is text; no attribute but the target of a link is left, so that neither a script nor
    a style can stand in it.

    >>> prose("A **weight**, 1 < 2")
    '<p>A <strong>weight</strong>, 1 &lt; 2</p>'
    >>> prose("<script>alert(1)</script>")
    '<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>'
    """
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type == "fence":
            token.info = ""
        for one in (token, *(token.children or [])):
            one.attrs = {key: value for key, value in one.attrs.items() if key == "href"}
    return str(parser.renderer.render(tokens, parser.options, {})).strip()


def phrase_of_prose(text: str) -> str:
    """Return Markdown of one paragraph without the paragraph around it.

    >>> phrase_of_prose("rises by *one*")
    'rises by <em>one</em>'
    """
    made = prose(text)
    inner = made.removeprefix("<p>").removesuffix("</p>")
    return made if "<p>" in inner or inner == made else inner
