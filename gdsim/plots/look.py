"""How figures look: packaged style sheets, sizes, and the colours of the sheet in use.

The colours of a style are told apart by anybody (docs/figures.md says by how much), and yet nothing is told
by colour alone: every kind has a marker of its own, every line a dash of its own. Lengths and sizes of text
are in ems, parts of the sheet's ``font.size``, which is the smallest text of a style.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gdsim.outcomes import Fault, InputError, nearest
from gdsim.scenario.figures import SIZES, STYLES, inches, require_room

__all__ = [
    "BASINS", "DASHES", "INK", "KINDS", "LOST", "MARKERS", "SIZES", "STYLES", "UNSETTLED", "VERDICTS",
    "Colours", "Look", "colours", "em", "mark",
]  # fmt: skip

_SHEETS = Path(__file__).parent / "styles"


@dataclass(frozen=True)
class Look:
    """How a figure is dressed.

    Attributes
    ----------
    style
        One of ``STYLES``.
    size
        A name of ``SIZES``, or width × height in inches as ``8x4.5``; empty: that of the style.
    caption
        Whether the line with loss, learning rate and start stands below.
    live_text
        Whether text in an SVG stays text that can be searched and edited; else it is drawn as outlines,
        which look alike everywhere.
    """

    style: str = "slides"
    size: str = ""
    caption: bool = True
    live_text: bool = False

    def sheet(self) -> dict[str, Any]:
        """Return the rc parameters.

        Raises
        ------
        InputError
            For an unknown style or size, or a size too small for the text of the style.
        """
        if self.style not in STYLES:
            known = [*STYLES]
            raise InputError(
                Fault(f"unknown style {self.style!r}", " | ".join(known), nearest(self.style, known))
            )
        sheet = dict(_sheet(self.style))
        if self.size:
            require_room(self.style, self.size)
            sheet["figure.figsize"] = list(inches(self.size))
        if self.live_text:
            sheet["svg.fonttype"] = "none"
        return sheet

    def applied(self) -> AbstractContextManager[None]:
        """Return the context within which figures are drawn in this look."""
        import matplotlib

        return matplotlib.rc_context(self.sheet())


@cache
def _sheet(style: str) -> dict[str, Any]:
    from matplotlib import rc_params_from_file

    sheet: dict[str, Any] = {}
    for name in ("base", style):
        sheet |= rc_params_from_file(_SHEETS / f"{name}.mplstyle", use_default_template=False)
    return sheet


@dataclass(frozen=True)
class Colours:
    """The colours of a style sheet, by what they stand for."""

    loss: str
    path: str
    minimum: str
    maximum: str
    muted: str
    end: str
    series: tuple[str, ...]
    ink: str
    ground: str
    grid: str


def colours() -> Colours:
    """Return the colours of the style sheet in use."""
    from matplotlib import rcParams
    from matplotlib.colors import to_hex

    cycle: list[str] = [to_hex(colour) for colour in rcParams["axes.prop_cycle"].by_key()["color"]]
    loss, path, minimum, maximum, muted, end, *more = cycle
    return Colours(
        loss, path, minimum, maximum, muted, end,
        series=(loss, path, minimum, maximum, *more, muted),
        ink=to_hex(rcParams["text.color"]),
        ground=to_hex(rcParams["axes.facecolor"]),
        grid=to_hex(rcParams["grid.color"]),
    )  # fmt: skip


def em(number: float) -> float:
    """Return so many ems of the style sheet in use, in points."""
    from matplotlib import rcParams

    return number * float(rcParams["font.size"])


def mark(number: float) -> float:
    """Return so many times the size of the markers of the style sheet in use, in points."""
    from matplotlib import rcParams

    return number * float(rcParams["lines.markersize"])


#: what tells lines apart beside their colour
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 1.5, 1.5, 1.5, 1.5, 1.5)), (0, (1, 1)), (0, (8, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

#: marker, colour by its name among ``Colours``, and name for people, by kind of critical point
KINDS: dict[str, tuple[str, str, str]] = {
    "minimum": ("v", "minimum", "minimum"),
    "maximum": ("^", "maximum", "maximum"),
    "saddle": ("s", "maximum", "saddle"),
    "inflection": ("D", "maximum", "inflection (saddle)"),
    "flat": ("_", "muted", "flat"),
    "kink": ("X", "minimum", "kink"),
    "undecided": ("P", "muted", "undecided"),
}

#: colour and words, by kind of verdict. Any two differ by at least 14 (CIEDE2000) in normal sight and as seen
#: by deuteranopes and protanopes, and by 6 in lightness L* alone, neighbours by 12. The six that share most
#: pictures differ by 10 % in the grey that printers make: 0.299 R + 0.587 G + 0.114 B.
VERDICTS: dict[str, tuple[str, str]] = {
    "minimum": ("#487FC5", "settled at a minimum"),
    "maximum": ("#EFFA5D", "settled on a maximum"),
    "saddle": ("#3330C2", "settled at a saddle"),
    "inflection": ("#91B9E3", "settled at an inflection (saddle)"),
    "flat": ("#47380E", "settled on a flat piece"),
    "kink": ("#B78483", "settled at a kink"),
    "plateau": ("#E0DFB3", "came to rest on a plateau"),
    "undecided": ("#74696F", "came to rest, kind undecided"),
    "cycle": ("#F48533", "cycles"),
    "diverged": ("#AE1E3F", "diverged"),
    "nonfinite": ("#1B1B1B", "no longer a finite number"),
    "still_moving": ("#C9C9C9", "still moving"),
    "no_minimum": ("#381D51", "falls without a minimum"),
}

#: colours of basins, in the order of the minima, light and dark in turn. Any two, and each beside what did
#: not settle or was lost, differ by at least 16 (CIEDE2000) in these kinds of sight, neighbours by 15 in L*.
BASINS: tuple[str, ...] = (
    "#4562BF", "#EC9100", "#8A3665", "#09A389", "#97E3A0", "#85120E", "#DB4658", "#3AC9FF",
)  # fmt: skip

#: what did not settle, and what was lost, beside the colours of basins, steps and losses
UNSETTLED, LOST = "#F2F2F2", "#1B1B1B"

#: letters on a coloured cell, whichever can be read
INK = "#1B1B1B"
