"""Decks for tests: shipped runs, and one whose every text is hostile."""

from __future__ import annotations

from functools import cache

from shipped import executed

from gdsim.slides import Deck, Entry, Words, assemble

HOSTILE = (
    r"50% \input{/etc/passwd} $x_1$ & #1 ~ ^ {a} <b>&amp;</b> <script>alert(1)</script> {{< include x >}} "
    "--> <!-- _class: lead --> | *a* `b` [c](d) ![e](f) @g :smile: \"quoted\" 'it' 1. \u0000\u202e\ud800 "
    "中文 η₁ ≤ 10⁻³ ħ ]]> \\end{frame} ---"
)


@cache
def deck(*names: str) -> Deck:
    """Return a deck of shipped runs."""
    return assemble([Entry(executed(name)) for name in names], name="example")


@cache
def hostile() -> Deck:
    """Return a deck whose titles and texts try to break out of every format."""
    run = executed("double-well").renamed(title=HOSTILE)
    saddle = executed("saddle").renamed(title=f"1. {HOSTILE}")
    items = [
        Entry(run, notes=HOSTILE, kinds=("scenario", "steps", "verdict", "points"), steps=(0, 1)),
        Words(f"- {HOSTILE}", (HOSTILE, f"1) {HOSTILE}", f"---\n{HOSTILE}"), HOSTILE),
        Entry(saddle, kinds=("contour", "ruler", "loss")),
    ]
    return assemble(items, HOSTILE, HOSTILE, HOSTILE)
