"""What ``gdsim run`` prints about a run: the verdict first, then the numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from gdsim.cli.screen import short, sparkline, width

if TYPE_CHECKING:
    from pathlib import Path

    from gdsim.outcomes import CriticalPoint, Search
    from gdsim.runs import Run
    from gdsim.verdicts import Ruler

COLOURS = {
    "minimum": "green", "kink": "green", "flat": "cyan", "maximum": "magenta", "saddle": "magenta",
    "inflection": "magenta", "cycle": "yellow", "plateau": "yellow", "still_moving": "yellow",
    "no_minimum": "yellow", "undecided": "yellow", "diverged": "red", "nonfinite": "red",
}  # fmt: skip
_MOST_POINTS = 12
_RULER = 48


def run_summary(run: Run, written: Path | None = None) -> str:
    """Return the summary: verdict, setting, numbers, critical points, ruler, and the files written."""
    rows = _Rows(run.loss.weights)
    lines = [*_verdict(run), "", *_setting(run), "", *_numbers(run, rows)]
    end = dict(zip(run.loss.weights, run.trajectory.final_weight[:, 0].tolist(), strict=True))
    settled = run.verdict.settled_at
    lines += ["", *critical_points(run.search, near=end, settled=settled)]
    if run.ruler is not None:
        lines += ["", *_ruler(run.ruler, rows)]
    if written is not None:
        lines += ["", *_files(written, rows)]
    return "\n".join(lines)


class _Rows:
    """Rows of a label and a text, all texts beginning in one column."""

    def __init__(self, weights: Sequence[str]) -> None:
        labels = [f"weight {name}" for name in weights] if len(weights) > 1 else list(weights)
        self.labels = labels
        self.indent = max(10, *(len(label) for label in labels)) + 4

    def row(self, label: str, text: str) -> str:
        return f"  {label:<{self.indent - 2}}{text}"

    def wrapped(self, label: str, text: str) -> list[str]:
        parts = textwrap.wrap(text, max(20, width() - self.indent)) or [""]
        return [self.row(label if place == 0 else "", part) for place, part in enumerate(parts)]


def _verdict(run: Run) -> list[str]:
    kind = run.verdict.kind
    badge = {"inflection": "INFLECTION (SADDLE)"}.get(kind, kind.replace("_", " ").upper())
    if kind == "still_moving" and run.trajectory.steps[0] == 0:
        badge = "NOT ARRIVED"
    styled = click.style(badge, fg=COLOURS[kind], bold=True)
    lines = [f"{styled}  {click.style(run.title, bold=True)}"]
    lines += [f"  {line}" for line in textwrap.wrap(run.verdict.sentence, width() - 2)]
    if run.verdict.remedy:
        lines += [
            f"  {line}"
            for line in textwrap.wrap(f"→ {run.verdict.remedy}", width() - 2, subsequent_indent="  ")
        ]
    return lines


def _setting(run: Run) -> list[str]:
    """Return what was run, on one line where it fits."""
    if run.scenario is not None:  # as it was written
        formula = f"L = {' '.join(run.scenario.loss.expression.split())}"
    else:
        formula = f"L = {run.loss.name or 'function'}({', '.join(run.loss.weights)})"
    values = ", ".join(f"{name} = {short(value)}" for name, value in run.loss.parameters.items())
    schedule = run.batch.schedule.schedule.name
    rate = short(float(run.trajectory.learning_rate[0, 0]))
    how = [
        *([values] if values else []),
        f"η = {rate}" + ("" if schedule == "constant" else f" ({schedule})"),
        run.batch.rule.rule.name.replace("_", " "),
        run.batch.derivative.label,
    ]
    line = "   ".join([formula, *how])
    lines = [line] if len(line) <= width() - 2 else [*textwrap.wrap(formula, width() - 2), "   ".join(how)]
    return [f"  {part}" for part in lines]


def _numbers(run: Run, rows: _Rows) -> list[str]:
    end = run.trajectory
    lines = []
    for place, label in enumerate(rows.labels):
        first, last = float(end.weight[0, place, 0]), float(end.final_weight[place, 0])
        lines.append(rows.row(label, f"{short(first)} → {short(last)}"))
    lines.append(rows.row("loss", f"{short(float(end.loss[0, 0]))} → {short(float(end.final_loss[0]))}"))
    line, logarithmic = sparkline(end.loss[:, 0].tolist(), min(_RULER, width() - rows.indent - 12))
    if len(line) > 1:
        lines.append(rows.row("", line + ("  log scale" if logarithmic else "")))
    sizes = [float(abs(values).max()) for values in (end.gradient[0, :, 0], end.final_gradient[:, 0])]
    lines.append(rows.row("|gradient|", f"{short(sizes[0])} → {short(sizes[1])}"))
    gradients, losses = int(end.gradient_evaluations[0]), int(end.loss_evaluations[0])
    counts = f"{gradients} gradient{'s' * (gradients != 1)}"
    if losses:
        counts += f", {losses} loss{'es' * (losses != 1)}"
    lines.append(rows.row("steps", f"{int(end.steps[0])}  {run.status}  ({counts})"))
    return lines


def critical_points(
    search: Search, *, near: Mapping[str, float] | None = None, settled: object = None
) -> list[str]:
    """Return the critical points as lines, the domain first.

    With ``near``, at most twelve: those around that weight. The settled one is marked.
    """
    where = " × ".join(f"[{short(low)}, {short(high)}]" for low, high in search.domain.values())
    points = search.critical_points
    count = f"{len(points) or 'no'} critical point{'s' * (len(points) != 1)}"
    head = f"{count} in {where}, {_coverage(search)}"
    if points and len(search.domain) > 1:
        head += "; λ: eigenvalues"
    lines = textwrap.wrap(head, width() - 2, initial_indent="  ", subsequent_indent="  ")
    shown = points if near is None else _around(points, near)
    kinds = [_kind(point) for point in shown]
    places = [
        ", ".join(f"{name} = {short(value)}" for name, value in point.weight.items()) for point in shown
    ]
    losses = [f"loss {short(point.loss)}" for point in shown]
    columns = [max(map(len, texts), default=0) for texts in (kinds, places, losses)]
    for kind, place, loss, point in zip(kinds, places, losses, shown, strict=True):
        mark = "●" if settled is not None and point.weight == settled else " "
        padded = click.style(kind.ljust(columns[0]), fg=COLOURS[point.kind])
        line = f"  {mark} {padded}  {place.ljust(columns[1])}  {loss.ljust(columns[2])}"
        bent = _curvature(point)
        fits = len(click.unstyle(line)) + 2 + len(bent) <= width()
        lines += [f"{line}  {bent}".rstrip()] if fits else [line.rstrip(), f"{' ' * (columns[0] + 6)}{bent}"]
    if len(points) > len(shown):
        lines.append(f"    … and {len(points) - len(shown)} more (gdsim critical lists them all)")
    for what in (search.singular, search.unresolved):
        for stretch in what:
            lines += textwrap.wrap(
                _stretch(stretch), width() - 4, initial_indent="    ", subsequent_indent="      "
            )
    return lines


def _around(points: Sequence[CriticalPoint], near: Mapping[str, float]) -> Sequence[CriticalPoint]:
    """Return twelve neighbours in the order of the list, the nearest to a weight among them."""
    if len(points) <= _MOST_POINTS:
        return points

    def distance(place: int) -> float:
        return sum((points[place].weight[name] - value) ** 2 for name, value in near.items())

    middle = min(range(len(points)), key=distance)
    first = max(0, min(middle - _MOST_POINTS // 2, len(points) - _MOST_POINTS))
    return points[first : first + _MOST_POINTS]


def _coverage(search: Search) -> str:
    """How much of the search is proved."""
    certified = sum(point.proof == "certified" for point in search.critical_points)
    if search.complete:
        return "proved to be all"
    if not certified:
        return "found numerically" if search.critical_points else "not proved to be all"
    return f"{certified} of them certified; about the open stretches below nothing is proved"


def _stretch(stretch: Mapping[str, Any]) -> str:
    ends = ", ".join(_extent(name, *ends) for name, ends in stretch["interval"].items())
    return f"{ends}: {stretch['reason']}"


def _extent(name: str, low: float, high: float) -> str:
    first, last = short(low), short(high)
    return f"at {name} = {first}" if first == last else f"{name} from {first} to {last}"


def _kind(point: CriticalPoint) -> str:
    text = {"inflection": "inflection (saddle)"}.get(point.kind, point.kind)
    return f"{text}, at the edge" if point.boundary else text


def _curvature(point: CriticalPoint) -> str:
    if point.kind == "flat" and len(point.interval) == 1:
        ((low, high),) = point.interval.values()
        return f"from {short(low)} to {short(high)}"
    if not point.curvature:
        return ""
    if len(point.curvature) == 1:
        return f"f″ = {short(point.curvature[0])}"
    return f"λ = {', '.join(short(value, 4) for value in point.curvature)}"


def _ruler(ruler: Ruler, rows: _Rows) -> list[str]:
    """Return the learning-rate ruler: the bands, the place of η, and the sentence."""
    columns = max(16, min(_RULER, width() - rows.indent - 12))
    full = 1.25 * ruler.bound

    def place(rate: float) -> int:
        return max(0, min(columns - 1, int(rate / full * columns)))

    half, end = place(ruler.one_over_curvature), place(ruler.bound)
    bands = ["green" if at < half else "yellow" if at < end else "red" for at in range(columns)]
    bar = [click.style("─", fg=band) for band in bands]
    bar[end] = "┼"
    if half < end:
        bar[half] = "┼"
    bar[place(ruler.learning_rate)] = click.style("●", bold=True)
    limit = "2/L" if ruler.bound == ruler.two_over_curvature else "limit"
    marks = f"{' ' * half}1/L = {short(ruler.one_over_curvature, 4)}"
    marks = f"{marks.ljust(end - 1)} {limit} = {short(ruler.bound, 4)}"
    return [
        rows.row("ruler", f"0{''.join(bar)}→ η"),
        rows.row("", f" {marks}"),
        *rows.wrapped("", ruler.sentence),
    ]


def _files(written: Path, rows: _Rows) -> list[str]:
    files = sorted(path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file())
    files.sort(key=lambda name: ("/" in name, name))
    return [rows.row("written", f"{written}/"), *rows.wrapped("", ", ".join(files))]
