"""What a person sees: the summary of a run, tables, sparklines. Text only; colours through click."""

from __future__ import annotations

import math
import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gdsim.outcomes import CriticalPoint, Search
    from gdsim.runs import Run
    from gdsim.verdicts import Ruler

_BLOCKS = "▁▂▃▄▅▆▇█"
_COLOURS = {
    "minimum": "green", "kink": "green", "flat": "cyan", "maximum": "magenta", "saddle": "magenta",
    "inflection": "magenta", "cycle": "yellow", "plateau": "yellow", "still_moving": "yellow",
    "no_minimum": "yellow", "undecided": "yellow", "diverged": "red", "nonfinite": "red",
}  # fmt: skip
_MOST_POINTS = 12
_LABEL = 11


def width() -> int:
    """The columns to write in: those of the terminal, at most 100."""
    return max(40, min(100, shutil.get_terminal_size((80, 24)).columns))


def short(value: float) -> str:
    """Write a number with six significant digits.

    >>> short(0.1 + 0.2), short(1e-20)
    ('0.3', '1e-20')
    """
    return f"{value:.6g}"


def sparkline(values: Sequence[float], columns: int = 40) -> tuple[str, bool]:
    """Return a line of blocks and whether its scale is logarithmic (where positive values span decades).

    >>> sparkline([0.0, 1.0, 2.0, 3.0], 4)
    ('▁▃▆█', False)
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return "", False
    step = max(1.0, len(values) / columns)
    picked = [values[min(len(values) - 1, int(place * step))] for place in range(min(columns, len(values)))]
    positive = [value for value in finite if value > 0]
    logarithmic = len(positive) == len(finite) and max(finite) > 100 * min(finite)
    scale = math.log if logarithmic else float
    low, high = scale(min(finite)), scale(max(finite))
    text = ""
    for value in picked:
        if not math.isfinite(value):
            text += "×"
        else:
            part = (scale(value) - low) / (high - low) if high > low else 0.0
            text += _BLOCKS[min(7, round(part * 7))]
    return text, logarithmic


def run_summary(run: Run, written: str = "") -> str:
    """Return the summary that ``gdsim run`` prints: verdict first, then the numbers."""
    lines = [*_verdict(run), ""]
    lines += [_setting(run), ""]
    lines += _numbers(run)
    lines += ["", *critical_points(run.search, run.loss.weights)]
    if run.ruler is not None:
        lines += ["", *_ruler(run.ruler, float(run.trajectory.learning_rate[0, 0]))]
    if written:
        lines += ["", f"  {'written':<{_LABEL}}{written}"]
    return "\n".join(lines)


def _verdict(run: Run) -> list[str]:
    kind = run.verdict.kind
    badge = {"inflection": "INFLECTION (SADDLE)"}.get(kind, kind.replace("_", " ").upper())
    styled = click.style(badge, fg=_COLOURS[kind], bold=True)
    title = click.style(run.title, bold=True)
    text = textwrap.wrap(run.verdict.sentence, width() - 2)
    remedy = textwrap.wrap(f"→ {run.verdict.remedy}", width() - 2, subsequent_indent="  ") if run.verdict.remedy else []
    return [f"{styled}  {title}", *(f"  {line}" for line in text), *(f"  {line}" for line in remedy)]


def _setting(run: Run) -> str:
    from gdsim.expr.display import to_text

    expression = run.loss.expression
    formula = to_text(expression) if expression is not None else f"{run.loss.name or 'function'}({', '.join(run.loss.weights)})"
    rate = short(float(run.trajectory.learning_rate[0, 0]))
    schedule = run.batch.schedule.schedule.name
    parts = [
        f"L = {formula}",
        f"η = {rate}" + ("" if schedule == "constant" else f" ({schedule})"),
        run.batch.rule.rule.name.replace("_", " "),
        run.batch.derivative.label,
    ]
    return textwrap.indent(textwrap.fill("   ".join(parts), width() - 2), "  ")


def _numbers(run: Run) -> list[str]:
    end, weights = run.trajectory, run.loss.weights
    lines = []
    for place, name in enumerate(weights):
        first, last = float(end.weight[0, place, 0]), float(end.final_weight[place, 0])
        lines.append(_row(f"weight {name}" if len(weights) > 1 else name, f"{short(first)} → {short(last)}"))
    lines.append(_row("loss", f"{short(float(end.loss[0, 0]))} → {short(float(end.final_loss[0]))}"))
    sizes = [float(abs(values).max()) for values in (end.gradient[0, :, 0], end.final_gradient[:, 0])]
    lines.append(_row("|gradient|", f"{short(sizes[0])} → {short(sizes[1])}"))
    steps = int(end.steps[0])
    counts = f"{int(end.gradient_evaluations[0])} gradients"
    if end.loss_evaluations[0]:
        counts += f", {int(end.loss_evaluations[0])} losses"
    lines.append(_row("steps", f"{steps}  {run.status}  ({counts})"))
    line, logarithmic = sparkline(end.loss[:, 0].tolist())
    if len(line) > 1:
        lines.append(_row("loss", line + ("  log scale" if logarithmic else "")))
    return lines


def _row(label: str, text: str) -> str:
    return f"  {label:<{_LABEL}}{text}"


def critical_points(search: Search, weights: Sequence[str], most: int | None = _MOST_POINTS) -> list[str]:
    """Return the critical points as lines, the domain first; at most so many."""
    where = " × ".join(f"[{short(low)}, {short(high)}]" for low, high in search.domain.values())
    points = search.critical_points
    if not points:
        lines = [f"  no critical point found in {where}"]
    else:
        count = "1 critical point" if len(points) == 1 else f"{len(points)} critical points"
        proof = "" if search.complete else ", found numerically"
        lines = [f"  {count} in {where}{proof}"]
        shown = points[:most]
        kinds = [_kind(point) for point in shown]
        places = [", ".join(f"{name} = {short(value)}" for name, value in point.weight.items()) for point in shown]
        kind_width, place_width = max(map(len, kinds)), max(map(len, places))
        for kind, place, point in zip(kinds, places, shown, strict=True):
            colour = click.style(f"{kind:<{kind_width}}", fg=_COLOURS[point.kind])
            lines.append(f"    {colour}  {place:<{place_width}}  loss {short(point.loss)}{_curvature(point)}")
        if len(points) > len(shown):
            lines.append(f"    … and {len(points) - len(shown)} more (gdsim critical lists them all)")
    for stretch in search.singular:
        interval: Any = stretch["interval"]
        ends = ", ".join(f"{name} from {short(low)} to {short(high)}" for name, (low, high) in interval.items())
        lines.append(f"    {ends}: {stretch['reason']}")
    return lines


def _kind(point: CriticalPoint) -> str:
    text = {"inflection": "inflection (saddle)"}.get(point.kind, point.kind)
    return f"{text}, at the edge" if point.boundary else text


def _curvature(point: CriticalPoint) -> str:
    if point.kind == "flat" and len(point.interval) == 1:
        ((low, high),) = point.interval.values()
        return f"  from {short(low)} to {short(high)}"
    if not point.curvature:
        return ""
    if len(point.curvature) == 1:
        return f"  f″ = {short(point.curvature[0])}"
    return f"  eigenvalues {', '.join(short(value) for value in point.curvature)}"


def _ruler(ruler: Ruler, rate: float) -> list[str]:
    """Return the learning-rate ruler: the bands, the place of η, and the sentence."""
    limit = ruler.bound
    columns = min(48, width() - 30)
    full = 1.25 * limit
    place = min(columns - 1, int(rate / full * columns))
    half, end = int(ruler.one_over_curvature / full * columns), int(limit / full * columns)
    bar = [
        click.style("─", fg="green") if at < half else click.style("─", fg="yellow") if at < end
        else click.style("─", fg="red")
        for at in range(columns)
    ]  # fmt: skip
    if half < end:
        bar[half] = "┼"
    bar[end] = "┼"
    bar[place] = click.style("●", bold=True)
    marks = [" "] * (columns + 12)
    for at, text in ((half, f"1/L = {short(ruler.one_over_curvature)}"), (end, f"{_limit_name(ruler)} = {short(limit)}")):
        if all(sign == " " for sign in marks[max(0, at - 1) : at + len(text) + 1]):
            marks[at : at + len(text)] = text
    return [
        _row("ruler", f"0{''.join(bar)}→ η"),
        _row("", " " + "".join(marks).rstrip()),
        *(_row("", line) for line in textwrap.wrap(ruler.sentence, width() - 2 - _LABEL)),
    ]


def _limit_name(ruler: Ruler) -> str:
    return "2/L" if ruler.bound == ruler.two_over_curvature else "2(1+β)/L"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> str:
    """Return a table as text, as wide as the terminal, in colours where the terminal has them."""
    import io

    from rich.console import Console
    from rich.table import Table

    context = click.get_current_context(silent=True)
    plain = context is not None and context.color is False
    stream = io.StringIO()
    terminal = click.get_text_stream("stdout").isatty() and not plain
    console = Console(file=stream, width=width() if terminal else 100, force_terminal=terminal, no_color=plain)
    made = Table(title=title or None, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for header in headers:
        made.add_column(header, overflow="fold")
    for row in rows:
        made.add_row(*map(_escaped, row))
    console.print(made)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
