"""The words on a figure: title, caption, short numbers, and how wide they are."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from gdsim.expr.display import shown, to_latex, to_text
from gdsim.plots.look import em

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from gdsim.losses import Loss
    from gdsim.runs import Run

MARGIN = 0.6  # ems, left and right of titles, legends and captions
_MOST_TERMS = 60  # on so many lines, and more
_DOTS = r"$+ \ldots$"
_TITLE = 1.2  # ems
_NARROW, _LINE = 45, 1.5  # ems: a narrow figure grows by a line for each line of a caption beyond two
_LEAST_TITLE = 0.4  # of the width: a title with less room has a row of its own
_GAP = "    "


def short(value: float) -> str:
    """Write a number with four significant digits, with a true minus sign.

    >>> short(-0.25), short(1e-9), short(12345678.0)
    ('−0.25', '1×10⁻⁹', '1.235×10⁷')
    """
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "not a number")
    text = f"{value:.4g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{mantissa}×10{raised}"
    return text.replace("-", "−")


def width(text: str, size: float = 1.0, bold: bool = False) -> float:
    """Return how wide a line of text is, in ems of the style sheet; formulas between dollar signs too."""
    return size * _width(text, bold)


@cache
def _width(text: str, bold: bool) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=100, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=_is_formula(text))[0]) / 100


def _is_formula(text: str) -> bool:
    return text.count("$") >= 2


def room(figure: Figure) -> float:
    """Return how many ems of text fit across a figure."""
    return 72 * float(figure.get_figwidth()) / em(1) - 2 * MARGIN


def formula_lines(latex: str, most: float, within: int = 0) -> list[str]:
    r"""Break a formula before + and − so that no line is wider than ``most`` ems.

    A line that cannot be broken so stays as wide as it is. The signs are those outside of brackets, or inside
    of so many.

    >>> formula_lines("L = a^{x + 1} + b - c", 5.0)
    ['$L = a^{x + 1}$', '$+ b - c$']
    """
    pieces = _terms(latex, within)
    lines = [pieces[0]]
    for piece in pieces[1:]:
        longer = f"{lines[-1]} {piece}"
        if width(f"${longer}$") <= most:
            lines[-1] = longer
        else:
            lines.append(piece)
    return [f"${line}$" for line in lines]


def _terms(latex: str, within: int) -> list[str]:
    r"""Split LaTeX before binary + and − outside of braces, \left … \right and more than so many brackets."""
    whole, brackets, start, pieces = 0, 0, 0, []
    for token in re.finditer(r"\\(?:left|right)\\?.|[{}()\[\]]|(?<= )[+-](?= )", latex):
        sign = token.group()
        if sign == "{" or sign.startswith(r"\left"):
            whole += 1
        elif sign == "}" or sign.startswith(r"\right"):
            whole -= 1
        elif sign in "([":
            brackets += 1
        elif sign in ")]":
            brackets -= 1
        elif whole == 0 and brackets <= within and token.start() > start:
            pieces.append(latex[start : token.start()].strip())
            start = token.start()
    return [*pieces, latex[start:].strip()]


def loss_words(loss: Loss, most: float = 53.0) -> list[str]:
    """Return the loss as a formula of at most two lines, else by its name, else how the formula begins.

    Fractions are as large as the rest where the formula then stands on one line; a formula of two lines is
    broken inside of brackets where it must.
    """
    if loss.expression is not None and len(to_text(loss.expression)) <= 4 * most:
        large = f"L = {to_latex(loss.expression, mathtext=True)}"
        small = large.replace(r"\dfrac", r"\frac")
        for latex, within, lines in ((large, 0, 1), (small, 0, 2), (small, 1, 2), (small, 2, 2)):
            broken = formula_lines(latex, most, within)
            if len(broken) <= lines and all(width(line) <= most for line in broken):
                return broken
    if loss.name or loss.expression is None:
        return [f"L = {loss.name}"] if loss.name else []
    return _beginning(f"L = {to_latex(shown(loss.expression), mathtext=True)}", most)


def _beginning(latex: str, most: float) -> list[str]:
    """Return the first two lines of a long sum, with dots behind; nothing of another long formula."""
    terms = _terms(latex.replace(r"\dfrac", r"\frac"), 0)
    lines = formula_lines(" ".join(terms[:_MOST_TERMS]), most - width(_DOTS))[:2]
    lines[-1] = f"${lines[-1][1:-1]} {_DOTS[1:]}"
    return lines if len(terms) > 1 and all(width(line) <= most for line in lines) else []


def wrapped(parts: Sequence[str], most: float) -> str:
    """Join parts by wide gaps into lines of at most ``most`` ems; a part is broken at its blanks if it must.

    >>> wrapped(["one", "two", "three"], 6.0).splitlines()
    ['one    two', 'three']
    """
    lines: list[str] = []
    for part in parts:
        for piece in _broken(part, most):
            joined = f"{lines[-1]}{_GAP}{piece}" if lines else piece
            if lines and width(joined) <= most:
                lines[-1] = joined
            else:
                lines.append(piece)
    return "\n".join(lines)


def _broken(part: str, most: float) -> list[str]:
    if _is_formula(part) or width(part) <= most:
        return [part]
    return fold(part, most)


def fold(text: str, most: float, size: float = 1.0, bold: bool = False) -> list[str]:
    """Break a text at its blanks into lines of at most ``most`` ems; a longer word is cut.

    >>> fold("a step to the left", 5.0)
    ['a step to', 'the left']
    """
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width(joined, size, bold) <= most:
            lines[-1] = joined
        else:
            while width(word, size, bold) > most and len(word) > 2:
                word = f"{word.rstrip('…')[:-1]}…"
            lines.append(word)
    return lines


def caption(run: Run, most: float) -> str:
    """Return the lines that say which run this is: loss, learning rate, start, update rule."""
    parts = loss_words(run.loss, most)
    if not parts and run.scenario is not None and run.scenario.loss.name:
        parts = [f"L = {run.scenario.loss.name}"]
    parts += [f"{name} = {short(value)}" for name, value in run.loss.parameters.items()]
    parts.append(f"η = {short(float(run.trajectory.learning_rate[0, 0]))}")
    start = ", ".join(
        f"{name} = {short(float(value))}"
        for name, value in zip(run.loss.weights, run.trajectory.weight[0, :, 0], strict=True)
    )
    parts.append(f"start {start}")
    parts.append(run.batch.rule.rule.name.replace("_", " "))
    return wrapped(parts, most)


def outcome(run: Run) -> str:
    """Return the verdict in three words for a title.

    The steps are those of the run, whatever was recorded.
    """
    kind = {"inflection": "inflection (saddle)"}.get(run.verdict.kind, run.verdict.kind.replace("_", " "))
    return f"{kind} · {counted(int(run.trajectory.steps[0]))}"


def counted(steps: int) -> str:
    """Return ``1 step`` or ``2 steps``."""
    return f"{steps} step{'' if steps == 1 else 's'}"


def progress(run: Run, position: float) -> str:
    """Return what stands above a figure that shows a run up to a step: its number, at the end the verdict."""
    return outcome(run) if position >= run.trajectory.step_index[-1] else f"step {math.floor(position)}"


def label(figure: Figure, run: Run, right: str | None = None) -> Text:
    """Put title and caption on a figure, and the outcome to the right of the title.

    Returns
    -------
    Text
        What stands on the right, which a build-up changes.
    """
    return frame(figure, run.title, caption(run, room(figure)), outcome(run) if right is None else right)


def frame(figure: Figure, title: str, caption: str, right: str = "") -> Text:
    """Put a title above a figure, a few words to its right, and a caption below; all fit the width."""
    from gdsim.plots.rows import rows

    most = room(figure)
    aside = width(right) + 2 if right else 0.0
    below = most - aside < _LEAST_TITLE * most  # the words stand on a line of their own
    lines = fold(title, most if below else most - aside, _TITLE, bold=True)
    left = em(MARGIN) / 72 / figure.get_figwidth()
    found = rows(figure)
    found.title = figure.suptitle(
        "\n".join(lines), x=left, ha="left", va="top", fontsize=em(_TITLE), fontweight="bold"
    )
    found.aside = figure.text(1 - left, 1, right, ha="right", va="top", fontsize=em(1))
    found.aside_below = below
    if caption:
        found.caption = figure.supxlabel(caption, x=left, ha="left", va="bottom", fontsize=em(1))
        more = caption.count("\n") - 1 + caption.count(r"\sum")
        if more > 0 and most < _NARROW:
            figure.set_figheight(figure.get_figheight() + more * _LINE * em(1) / 72)
    for row in (found.title, found.aside, found.caption):
        if row is not None:
            row.set_in_layout(False)
    return found.aside
