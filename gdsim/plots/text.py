"""The words on a figure: title, caption, short numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gdsim.expr.display import to_latex, to_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gdsim.losses import Loss
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


def loss_words(loss: Loss) -> list[str]:
    """Return the loss as a formula where it is short enough to be read, else by its name, if it has one."""
    if loss.expression is not None and len(to_text(loss.expression)) <= _LONGEST_FORMULA:
        return [f"$L = {to_latex(loss.expression, mathtext=True)}$"]
    return [f"L = {loss.name}"] if loss.name else []


def caption(run: Run) -> str:
    """Return the line that says which run this is: loss, learning rate, start, update rule."""
    parts = loss_words(run.loss)
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
    frame(figure, f"{run.title}  —  {outcome(run)}", caption(run))


def frame(figure: Figure, title: str, caption: str, size: float = 12.5) -> None:
    """Put a title above a figure and a caption below it."""
    large = min(17.0, 17.0 * 64 / len(title))  # a line of 64 letters fills the width
    figure.suptitle(title, x=0.012, ha="left", fontsize=large, fontweight="bold")
    figure.supxlabel(caption, x=0.012, ha="left", fontsize=size, color="#444444")
