"""A picture made of text: dots of braille or plain signs in a frame with the ends of its axes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a cell, by row and column
STEPS = "0123456789"
LABEL = 12  # columns kept free for the numbers left of the frame


class Canvas:
    """Dots two to a column and four to a row, with signs on top.

    >>> canvas = Canvas(2, 1, False)
    >>> canvas.dot(0.0, 0.0); canvas.sign(1.0, 0.0, "x")
    >>> canvas.lines()
    ['⡀x']
    """

    def __init__(self, columns: int, rows: int, plain: bool) -> None:
        self.columns, self.rows, self.plain = columns, rows, plain
        self.cells = np.zeros((rows, columns), dtype=np.int64)
        self.signs: dict[tuple[int, int], str] = {}

    def dot(self, x: float, y: float) -> None:
        """Set a dot; x and y run from 0 to 1, upwards. What lies outside is left out."""
        if 0 <= x <= 1 and 0 <= y <= 1:
            column, row = round(x * (2 * self.columns - 1)), round((1 - y) * (4 * self.rows - 1))
            self.cells[row // 4, column // 2] |= _DOTS[row % 4][column % 2]

    def sign(self, x: float, y: float, sign: str) -> None:
        """Put a sign on a cell; the first one stays."""
        if 0 <= x <= 1 and 0 <= y <= 1:
            place = (round((1 - y) * (self.rows - 1)), round(x * (self.columns - 1)))
            self.signs.setdefault(place, sign)

    def lines(self) -> list[str]:
        """Return the canvas as lines of text."""
        return [
            "".join(self._cell(row, column) for column in range(self.columns)).rstrip()
            for row in range(self.rows)
        ]

    def _cell(self, row: int, column: int) -> str:
        if (row, column) in self.signs:
            return self.signs[row, column]
        dots = int(self.cells[row, column])
        if not dots:
            return " "
        return "." if self.plain else chr(0x2800 + dots)


def framed(canvas: Canvas, top: str, bottom: str, left: str, middle: str, right: str) -> str:
    """Put an axis to the left and one below, with their ends."""
    lines = canvas.lines()
    margin = max(len(top), len(bottom))
    labels = [top, *[""] * (len(lines) - 2), bottom]
    framed = [f"{label:>{margin}}│{line}" for label, line in zip(labels, lines, strict=True)]
    framed.append(" " * margin + "└" + "─" * canvas.columns)
    free = max(1, canvas.columns - len(left) - len(right))
    framed.append(" " * (margin + 1) + left + f"{middle:^{free}}" + right)
    return "\n".join(line.rstrip() for line in framed)


def round_ends(low: float, high: float) -> tuple[float, float]:
    """Return ends that enclose two others and are easily read: multiples of a round tenth of their distance.

    >>> round_ends(0.0, 144.0), round_ends(-0.1667, 0.0)
    ((0.0, 150.0), (-0.18, 0.0))
    """
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return low - 1.0, high + 1.0
    power = 10.0 ** math.floor(math.log10(span / 8))
    unit = max(part * power for part in (1, 2, 2.5, 5) if part * power <= span / 8 * (1 + 1e-9))

    def nearest_unit(count: float) -> float:
        return float(f"{count * unit:.12g}")

    return nearest_unit(math.floor(low / unit + 1e-9)), nearest_unit(math.ceil(high / unit - 1e-9))


def draw_line(canvas: Canvas, x: Array, y: Array, every: int = 1) -> None:
    """Draw a curve of points from 0 to 1 as dots, or every so many of them; gaps where y is not a number."""
    for across, up in zip(x[::every].tolist(), y[::every].tolist(), strict=True):
        canvas.dot(across, up)


def numbered(canvas: Canvas, steps: Iterable[tuple[int, float, float]]) -> None:
    """Put steps on a canvas: their digit up to 9, then a mark."""
    for step, x, y in steps:
        canvas.sign(x, y, STEPS[step] if step < len(STEPS) else "*" if canvas.plain else "•")
