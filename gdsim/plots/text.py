"""The words on a figure: title, caption, short numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gdsim.expr.display import to_latex, to_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gdsim.runs import Run

_LONGEST_FORMULA = 48


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


def caption(run: Run) -> str:
    """Return the line that says which run this is: loss, learning rate, start, update rule."""
    parts = []
    if run.loss.expression is not None and len(to_text(run.loss.expression)) <= _LONGEST_FORMULA:
        parts.append(f"$L = {to_latex(run.loss.expression, mathtext=True)}$")
    elif run.loss.name:
        parts.append(f"L = {run.loss.name}")
    parts += [f"{name} = {short(value)}" for name, value in run.loss.parameters.items()]
    parts.append(f"η = {short(float(run.trajectory.learning_rate[0, 0]))}")
    start = ", ".join(
        f"{name} = {short(float(value))}"
        for name, value in zip(run.loss.weights, run.trajectory.weight[0, :, 0], strict=True)
    )
    parts.append(f"start {start}")
    parts.append(run.batch.rule.rule.name.replace("_", " "))
    return "    ".join(parts)


def outcome(run: Run) -> str:
    """Return the verdict in three words for a title.

    The steps are those of the run, whatever was recorded.
    """
    kind = {"inflection": "inflection (saddle)"}.get(run.verdict.kind, run.verdict.kind.replace("_", " "))
    steps = int(run.trajectory.steps[0])
    return f"{kind} · {steps} step{'' if steps == 1 else 's'}"


def label(figure: Figure, run: Run) -> None:
    """Put title and caption on a figure."""
    title = f"{run.title}  —  {outcome(run)}"
    size = min(17.0, 17.0 * 64 / len(title))  # a line of 64 letters fills the width
    figure.suptitle(title, x=0.012, ha="left", fontsize=size, fontweight="bold")
    figure.supxlabel(caption(run), x=0.012, ha="left", fontsize=12.5, color="#444444")
