"""A run as charts of plain numbers: the curve with the path on it, loss and weights by step, the ruler."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from gdsim.plots.curve import limits, window
from gdsim.slides import figures
from gdsim.slides.model import Chart, Picture, Role, Room, Series
from gdsim.slides.ticks import nice
from gdsim.slides.words import clean, kind_name, near, place, short

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdsim.outcomes import CriticalPoint
    from gdsim.runs import Run

    Array = NDArray[np.float64]

_SAMPLES = 241  # of a curve: a worksheet that a person can still edit
_MOST_POINTS = 400  # of a series by step
_MOST_MARKERS = 60
_MOST_STEPS = 200  # of a path on its curve
_MOST_WEIGHTS = 6  # the accents of a theme
_STEEP = 0.7  # of a curve in parts of the frame: a name above a point would lie on the line
_LABEL = 0.15  # the width of a name in parts of the frame
_FAR = 3.0  # widths of the frame: what lies farther out than this is left out of a chart
_SYMBOLS = {"minimum": "diamond", "kink": "diamond", "maximum": "triangle", "inflection": "square"}
_WIDE_RULER = 5.0  # learning rates beyond so many bounds are shown on a logarithmic ruler


class Scale(NamedTuple):
    """What a learning rate is measured against: 1/L, the largest stable rate, and where L was taken."""

    rate: float
    one: float | None
    bound: float
    where: str


def record_of(run: Run, step: int) -> int:
    """Return the record of a step: the last one that is not later."""
    return max(0, int(np.searchsorted(run.trajectory.step_index, step, side="right")) - 1)


def frame(run: Run) -> tuple[float, float]:
    """Return the stretch of weights that the curve of a run with one weight shows."""
    return window(run.trajectory.weight[:, 0, 0], run.search.domain[run.loss.weights[0]])


def in_frame(run: Run, record: int) -> bool:
    """Tell whether a record lies in the frame of the run's curve."""
    low, high = frame(run)
    weight, loss = run.trajectory.weight[record, 0, 0], run.trajectory.loss[record, 0]
    return bool(low <= weight <= high and np.isfinite(loss))


def curve(run: Run, until: int, name: str, room: Room = "full") -> Chart:
    """Return the loss over its weight with the path up to a step; all steps of a run share the axes."""
    weight, loss = run.trajectory.weight[:, 0, 0], run.trajectory.loss[:, 0]
    label = run.loss.weights[0]
    low, high = frame(run)
    grid = np.linspace(low, high, _SAMPLES)
    values = run.loss.evaluate(grid[None, :])
    points = [point for point in run.search.critical_points if low <= point.weight[label] <= high]
    shown = (weight >= low) & (weight <= high) & np.isfinite(loss)
    bottom, top = limits(values, np.array([*loss[shown], *(point.loss for point in points)]))
    if bottom < 0 <= values[np.isfinite(values)].min(initial=0.0):
        bottom = 0.0
    reach = _FAR * (high - low), _FAR * (top - bottom)
    keep = np.isfinite(values)
    tame = np.clip(values[keep], bottom - reach[1], top + reach[1])
    series = [_series(f"loss L({label})", grid[keep], tame, "line", 1)]
    series += _marks(run, points, label)
    last = record_of(run, until)
    near_enough = (weight > low - reach[0]) & (weight < high + reach[0]) & (loss < top + reach[1])
    path = np.flatnonzero(near_enough & np.isfinite(loss))
    path = path[path <= last][:_MOST_STEPS]  # later steps of a long run lie on top of one another
    if path.size:
        series.append(_series("steps", weight[path], loss[path], "path", 2))
    if shown[last]:
        step = int(run.trajectory.step_index[last])
        words = "start" if step == 0 else f"step\u00a0{step}"
        point = _series(words, weight[last : last + 1], loss[last : last + 1], "point", 2)
        series.append(replace(point, side=_side(run, last, (low, high), (bottom, top))))
    alt = f"The loss over {label} as a curve, with the path of the run up to step {until}. {figures_alt(run)}"
    return Chart(
        tuple(series), f"weight {label}", "loss", alt, name, _picture(run, "curve", name, alt, until, room),
        room, (low, high), (bottom, top),
    )  # fmt: skip


def _side(
    run: Run, record: int, across: tuple[float, float], up: tuple[float, float]
) -> Literal["above", "left", "right"]:
    """The side of a point where its name stands clear of the curve: without, where there is room."""
    slope = float(run.trajectory.gradient[record, 0, 0]) * (across[1] - across[0]) / (up[1] - up[0])
    place = (float(run.trajectory.weight[record, 0, 0]) - across[0]) / (across[1] - across[0])
    if not abs(slope) > _STEEP:
        return "above"
    if slope > 0:
        return "right" if place < 1 - _LABEL else "left"
    return "left" if place > _LABEL else "right"


def _marks(run: Run, points: list[CriticalPoint], label: str) -> list[Series]:
    """The critical points as one series for each kind."""
    end = {label: float(run.trajectory.final_weight[0, 0])}
    found: dict[str, list[tuple[float, float]]] = {}
    for point in near(tuple(points), end, 40):
        found.setdefault(point.kind, []).append((point.weight[label], point.loss))
    return [
        _series(kind_name(kind), np.array([x for x, _ in at]), np.array([y for _, y in at]), "mark",
                3 if kind in ("minimum", "kink") else 4, _SYMBOLS.get(kind, "square"))
        for kind, at in found.items()
    ]  # fmt: skip


def loss_by_step(run: Run, name: str) -> Chart:
    """Return the loss against the step, logarithmic where it spans more than two decades."""
    alt = f"The loss against the step. {figures_alt(run)}"
    series = _by_step(run, "loss", run.trajectory.loss[:, 0], 1)
    values = series.y
    logarithmic = bool(values) and min(values) > 0 and max(values) > 100 * min(values)
    positive = tuple(value for value in values if value > 0)
    if not logarithmic and positive and min(values) == 0 and max(values) > 100 * min(positive):
        logarithmic = True
        kept = [index for index, value in enumerate(values) if value > 0]
        series = Series(
            series.name, tuple(series.x[i] for i in kept), tuple(values[i] for i in kept), series.role, 1
        )
    return Chart(
        (series,), "step", "loss" + (" (logarithmic)" if logarithmic else ""), alt,
        name, _picture(run, "convergence", name, alt), x_limits=_steps(run), log_y=logarithmic, legend=False,
    )  # fmt: skip


def weight_by_step(run: Run, name: str) -> Chart:
    """Return every weight against the step, at most as many as a theme has accents."""
    names = run.loss.weights[:_MOST_WEIGHTS]
    alt = f"The weight{'s' * (len(names) > 1)} {', '.join(names)} against the step. {figures_alt(run)}"
    series = [
        _by_step(run, label, run.trajectory.weight[:, index, 0], index + 1)
        for index, label in enumerate(names)
    ]
    label = f"weight {names[0]}" if len(names) == 1 else "weights"
    return Chart(
        tuple(series), "step", label, clean(alt), name, x_limits=_steps(run), legend=len(names) > 1,
    )  # fmt: skip


def _by_step(run: Run, name: str, values: Array, colour: int) -> Series:
    keep = np.flatnonzero(np.isfinite(values))
    if keep.size > _MOST_POINTS:
        keep = keep[np.unique(np.linspace(0, keep.size - 1, _MOST_POINTS).round().astype(int))]
    role: Role = "path" if keep.size <= _MOST_MARKERS else "line"
    return _series(name, run.trajectory.step_index[keep].astype(float), values[keep], role, colour)


def _steps(run: Run) -> tuple[float, float]:
    return 0.0, float(max(1, run.trajectory.step_index[-1]))


def scale(run: Run) -> Scale | None:
    """Return what the learning rate of a run is measured against, from the ruler or from the evidence."""
    if run.ruler is not None:
        plain = run.ruler.bound == run.ruler.two_over_curvature
        one = run.ruler.one_over_curvature if plain else None
        return Scale(run.ruler.learning_rate, one, run.ruler.bound, f"at the minimum {place(run.ruler.at)}")
    found = dict(run.verdict.evidence)
    rate = float(run.trajectory.final_learning_rate[0])
    if run.batch.rule.rule.name != "gradient_descent":
        return None
    nearest = found.get("one_over_curvature")
    if isinstance(nearest, float) and _fits(nearest, rate):
        return Scale(rate, nearest, 2.0 * nearest, "at the nearest minimum")
    for mark in ("", "limit_"):
        two, at = found.get(f"{mark}two_over_curvature"), found.get(f"{mark}at", found.get("around"))
        if isinstance(two, float) and _fits(two, rate):
            inner = at.get("at", at) if isinstance(at, dict) else {}
            return Scale(rate, two / 2.0, two, f"at {place(inner)}" if inner else "")
    return None


def _fits(limit: float, rate: float) -> bool:
    return limit > 0 and math.isfinite(limit) and rate > 0 and math.isfinite(rate)


def ruler(measure: Scale, name: str) -> Chart:
    """Return the learning-rate ruler: bands of what gradient descent does, and where η stands.

    No figure stands for it: it shares its slide with the sentence that the figure ``ruler`` bears.
    """
    rate, one, bound, _ = measure
    logarithmic = rate > _WIDE_RULER * bound or rate < bound / 100
    low = min(rate, one or bound) / 3 if logarithmic else 0.0
    high = 3 * max(rate, bound) if logarithmic else max(1.35 * bound, 1.15 * rate)
    if not logarithmic:
        low, high, _ = nice(low, high)
    ends = [("settles", low, bound, 3)]
    if one is not None:
        ends = [("comes in from one side", low, one, 3), ("jumps across, comes closer", one, bound, 6)]
    ends.append(("is thrown out", bound, high, 2))
    series = [Series(words, (start, end), (0.0, 0.0), "band", colour) for words, start, end, colour in ends]
    series.append(Series(f"η\u00a0=\u00a0{short(rate)}", (rate,), (0.35,), "point", 1, "diamond"))
    limit = "2/L" if one is not None else "the limit"
    alt = f"The learning-rate ruler: η = {short(rate)} against {limit} = {short(bound)}."
    return Chart(
        tuple(series), "learning rate η" + (" (logarithmic)" if logarithmic else ""), "", alt,
        name, None, "below", (low, high), (-1.0, 1.0),
        log_x=logarithmic,
    )  # fmt: skip


def figures_alt(run: Run) -> str:
    """Return what became of the run, for the words of a picture."""
    start = place(dict(zip(run.loss.weights, run.trajectory.weight[0, :, 0].tolist(), strict=True)))
    return f"It starts at {start}. {run.verdict.sentence}"


def _picture(
    run: Run, kind: str, name: str, alt: str, until: int | None = None, room: Room = "full"
) -> Picture | None:
    if not figures.suits(run, kind):
        return None
    return Picture(run, kind, name, clean(alt), until, room)


def _series(name: str, x: Array, y: Array, role: Role, colour: int, symbol: str = "circle") -> Series:
    return Series(name, tuple(map(float, x)), tuple(map(float, y)), role, colour, symbol)
