"""Figures as files: the same figure gives the same bytes, stamped with what they show."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, unquote

from gdsim.outcomes import Fault, InputError, nearest
from gdsim.plots.look import Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Format = Literal["svg", "pdf", "png"]
FORMATS: tuple[Format, ...] = ("svg", "pdf", "png")

_MARK = "gdsim-figure:"


@dataclass(frozen=True)
class Stamp:
    """What a file says of itself in its metadata.

    Attributes
    ----------
    title, alt
        The title, and the words that stand for the picture where it cannot be seen.
    facts
        How the figure was asked for, enough to draw it again: kind, style, scenario, version and so on.
    """

    title: str
    alt: str
    facts: Mapping[str, str]

    def line(self) -> str:
        """Return the facts in one line of plain letters."""
        pairs = (f"{key}={quote(value, safe='')}" for key, value in sorted(self.facts.items()) if value)
        return f"{_MARK}{';'.join(pairs)}$"


def read_stamp(content: bytes) -> dict[str, str] | None:
    """Return the facts that a file of any format was stamped with, or None.

    >>> read_stamp(b"..gdsim-figure:kind=curve;size=16%3A9$..")
    {'kind': 'curve', 'size': '16:9'}
    """
    found = re.search(rb"gdsim-figure:([A-Za-z0-9_.~%=;-]+)\$", content)
    if found is None:
        return None
    pairs = (pair.partition("=") for pair in found[1].decode("ascii").split(";"))
    return {key: unquote(value) for key, _, value in pairs}


def render(
    figure: Figure, format: Format = "svg", look: Look | None = None, stamp: Stamp | None = None
) -> bytes:
    """Return a figure as bytes; the same figure gives the same bytes.

    Dates and names of other programs are left out of the metadata for that reason.

    Parameters
    ----------
    figure
        As :func:`gdsim.plots.draw` returns it.
    format
        ``svg``, ``pdf`` or ``png``.
    look
        The look in which it was drawn.
    stamp
        What the file says of itself.

    Raises
    ------
    InputError
        For an unknown format.
    """
    if format not in FORMATS:
        raise InputError(Fault(f"unknown format {format!r}", " | ".join(FORMATS), nearest(format, FORMATS)))
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    target = io.BytesIO()
    with (look or Look()).applied():
        figure.savefig(target, format=format, facecolor="auto", metadata=_metadata(format, stamp))
    content = target.getvalue()
    return _described(content, stamp) if format == "svg" and stamp is not None else content


def _metadata(format: Format, stamp: Stamp | None) -> dict[str, Any]:
    """Return the metadata of a file under the names of its format."""
    nameless: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
        "png": {"Software": None},
    }
    if stamp is None:
        return nameless[format]
    described: dict[str, dict[str, Any]] = {
        "svg": {"Title": stamp.title, "Description": stamp.alt, "Identifier": stamp.line()},
        "pdf": {"Title": stamp.title, "Subject": stamp.alt, "Keywords": stamp.line()},
        "png": {"Title": stamp.title, "Description": stamp.alt, "Comment": stamp.line()},
    }
    return nameless[format] | described[format]


def _described(content: bytes, stamp: Stamp) -> bytes:
    """Give an SVG a role and a description, which screen readers read out; its title it has."""
    text = content.decode("utf-8")
    text = text.replace("<svg ", '<svg role="img" ', 1)
    return text.replace("</title>", f"</title>\n <desc>{escape(stamp.alt)}</desc>", 1).encode("utf-8")
