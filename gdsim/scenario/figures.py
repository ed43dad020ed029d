"""The names that the key ``figures`` takes: styles, sizes, formats and kinds, known without matplotlib."""

from __future__ import annotations

import re

from gdsim.outcomes import Fault, InputError, nearest

#: what each style is for
STYLES: dict[str, str] = {
    "slides": "for the projector: 13.33 × 7.5 in, no text below 18 pt",
    "slides-dark": "the same, light on dark",
    "paper": "a column of a paper: 3.35 in wide, no text below 8 pt",
    "print": "for handouts in black and white: A4 between margins, no text below 9 pt",
    "poster": "read from two metres: 20 × 12 in, no text below 28 pt",
}

#: width and height in inches, by the name that ``--size`` takes
SIZES: dict[str, tuple[float, float]] = {
    "16:9": (13.333, 7.5),
    "4:3": (10.0, 7.5),
    "square": (7.5, 7.5),
    "column": (3.35, 2.9),
    "two-column": (7.0, 4.2),
    "a4": (6.3, 4.0),
    "poster": (20.0, 12.0),
}
_MOST_INCHES = 60.0

#: the smallest text of each style in points, as its sheet says
TEXT_SIZES: dict[str, float] = {"slides": 18, "slides-dark": 18, "paper": 8, "print": 9, "poster": 28}
_LEAST = (28, 18)  # letters across and lines down; into less no figure fits

FORMATS = ("svg", "pdf", "png")

#: kinds of figures of a run, and those of a sweep with their colourings
KINDS = (
    "curve", "zoom", "derivative", "cobweb", "contour", "surface", "phase", "convergence", "ruler", "race",
    "sharpness", "vcurve",
)  # fmt: skip
SWEEP_KINDS = (
    "atlas", "atlas:verdict", "atlas:basin", "atlas:steps", "atlas:loss", "profile", "bifurcation",
    "ensemble",
)  # fmt: skip


def inches(size: str) -> tuple[float, float]:
    """Return width and height of a size.

    Raises
    ------
    InputError
        For an unknown name, or a width or height that is not between 1 and 60 inches.

    Examples
    --------
    >>> inches("4:3"), inches("8x4.5")
    ((10.0, 7.5), (8.0, 4.5))
    """
    if size in SIZES:
        return SIZES[size]
    numbers = re.fullmatch(r"(\d+(?:\.\d+)?)\s*[x×]\s*(\d+(?:\.\d+)?)", size)
    expected = f"{' | '.join(SIZES)} | WIDTHxHEIGHT in inches, such as 8x4.5"
    if numbers is None:
        raise InputError(Fault(f"unknown size {size!r}", expected, nearest(size, [*SIZES])))
    width, height = float(numbers[1]), float(numbers[2])
    if not (1 <= width <= _MOST_INCHES and 1 <= height <= _MOST_INCHES):
        raise InputError(Fault(f"the size {size} is out of range", "from 1 to 60 inches a side"))
    return width, height


def least_inches(style: str) -> tuple[float, float]:
    """Return the least width and height into which the text of a style fits.

    >>> least_inches("slides")
    (7.0, 4.5)
    """
    across, down = (TEXT_SIZES[style] / 72 * letters for letters in _LEAST)
    return across, down


def require_room(style: str, size: str) -> None:
    """Refuse a size into which the text of a style does not fit.

    Raises
    ------
    InputError
        As :func:`inches`, and with the least size of the style, or the styles that fit.

    Examples
    --------
    >>> require_room("slides", "4:3")
    """
    least = least_inches(style)
    if all(side >= needed for side, needed in zip(inches(size), least, strict=True)):
        return
    message = f"figures of the style {style} do not fit into {size}: their text is {TEXT_SIZES[style]:g} pt"
    raise InputError(
        Fault(message, f"at least {least[0]:.1f}x{least[1]:.1f} inches, or a style of smaller text")
    )
