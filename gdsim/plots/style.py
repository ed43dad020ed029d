"""How figures look: one style sheet, a colour-blind-safe palette, one marker for each kind of point.

Colours are from M. Okabe and K. Ito, "Color Universal Design" (2008). Nothing is told by colour
alone: every kind has a marker of its own, every line a dash of its own.
"""

from __future__ import annotations

from typing import Any

BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#009E73"
PURPLE = "#9A4C86"
GREY = "#5A5A5A"
INK = "#1B1B1B"

#: marker, colour and name for people, by kind of critical point
KINDS: dict[str, tuple[str, str, str]] = {
    "minimum": ("v", GREEN, "minimum"),
    "maximum": ("^", PURPLE, "maximum"),
    "saddle": ("s", PURPLE, "saddle"),
    "inflection": ("D", PURPLE, "inflection (saddle)"),
    "flat": ("_", GREY, "flat"),
    "kink": ("X", GREEN, "kink"),
    "undecided": ("P", GREY, "undecided"),
}

#: rc parameters of the lecture style: 16:9, legible from the back row
LECTURE: dict[str, Any] = {
    "figure.figsize": (10.0, 5.625),
    "figure.dpi": 100,
    "savefig.dpi": 144,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 14,
    "axes.titlesize": 17,
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.labelsize": 15,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.4,
    "lines.markersize": 8,
    "legend.frameon": True,
    "legend.framealpha": 0.9,
    "legend.edgecolor": "#CCCCCC",
    "legend.fontsize": 12.5,
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "mathtext.fontset": "dejavusans",
    "svg.hashsalt": "gdsim",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
}
