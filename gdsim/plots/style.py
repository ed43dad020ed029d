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
