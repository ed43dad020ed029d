"""The largest stable learning rate, 2/L, of each minimum that runs of a sweep reached."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gdsim.outcomes import CriticalPoint
from gdsim.plots.sweeps.cut import numeric, varying
from gdsim.plots.sweeps.words import place_words
from gdsim.plots.text import short
from gdsim.runs.composition import compose
from gdsim.sweeps.result import AxisValues, Column, SweepResult
from gdsim.verdicts.story import stable_factor

_ALIKE = 0.02  # curvatures that differ by less, in proportion, give one line: two could not be told apart
_ROUNDING = 1e-6  # below it they are the same
_MOST = 4  # lines
_MOMENTUM = "update_rule.momentum"


class Limit(NamedTuple):
    """The largest stable learning rate near minima with largest curvature L.

    ``rate`` is c/L, of the shape of ``along``'s values where that axis sweeps the momentum, on which the
    factor c depends, and one number otherwise. ``words`` say it.
    """

    curvature: float
    rate: Column
    along: AxisValues | None
    words: str


def limits(result: SweepResult) -> tuple[Limit, ...]:
    """Return the limit of each minimum reached, the smallest first.

    Minima whose limits could not be told apart in a picture share one, the smallest.

    Empty where theory gives none: no minimum reached, no finite curvature, a schedule, an adaptive rule.

    Notes
    -----
    Near a minimum with largest curvature L gradient descent is stable for η < 2/L, with momentum β for
    η < 2(1 + β)/L (B. T. Polyak, Introduction to Optimization (1987), §1.4 and §3.2).
    """
    factor, along = _factor(result)
    if factor is None:
        return ()
    minima = [point for point in reached(result) if point.kind == "minimum"]
    minima = [point for point in minima if 0 < max(point.curvature, default=0.0) < float("inf")]
    groups: list[tuple[float, list[CriticalPoint]]] = []
    for point in sorted(minima, key=lambda point: -max(point.curvature)):
        curvature = max(point.curvature)
        if groups and max(groups[-1][1][-1].curvature) - curvature <= _ALIKE * curvature:
            groups[-1][1].append(point)
        else:
            groups.append((curvature, [point]))
    only = len(groups) == 1
    name = _name(result, factor)
    return tuple(
        Limit(curvature, factor / curvature, along, _words(name, factor / curvature, points, only))
        for curvature, points in groups[:_MOST]
    )


def reached(result: SweepResult) -> tuple[CriticalPoint, ...]:
    """Return the critical points at which runs came to rest, in their order."""
    return tuple(result.critical_points[place] for place in reached_places(result))


def reached_places(result: SweepResult) -> list[int]:
    """Return the places of these points among the critical points."""
    count = np.bincount(result.columns["basin"] + 1, minlength=len(result.critical_points) + 1)
    return [place for place in range(len(result.critical_points)) if count[place + 1]]


def _factor(result: SweepResult) -> tuple[Column | None, AxisValues | None]:
    """The c of c/L, for each value of a swept momentum or once."""
    swept = {axis.path for axis in varying(result)}
    rule = [path for path in swept if path.startswith("update_rule") and path != _MOMENTUM]
    if rule or result.method != "grid" or result.scenario.learning_rate.schedule != "constant":
        return None, None
    batch = compose(result.scenario)
    options = {
        axis.path: numeric(axis)
        for axis in result.axes
        if axis.path.startswith("update_rule.") and not axis.categorical
    }
    batch = replace(batch, options=options)
    along = next((axis for axis in varying(result) if axis.path == _MOMENTUM), None)
    if along is None:
        factor = stable_factor(batch)
        return (None if factor is None else np.array(factor)), None
    fixed = {path: np.full(len(along.values), value[0]) for path, value in options.items()}
    batch = replace(batch, options=fixed | {_MOMENTUM: numeric(along)})
    factors = [stable_factor(batch, run) for run in range(len(along.values))]
    if any(factor is None for factor in factors):
        return None, None
    return np.array(factors, dtype=np.float64), along


def _name(result: SweepResult, factor: Column) -> str:
    rule = result.scenario.update_rule
    if np.all(factor == 2.0):
        return "2/L"
    plain = rule.name == "momentum" and not rule.options.get("dampening")
    return "2(1 + β)/L" if plain else "stability limit"


def _words(name: str, rate: Column, points: list[CriticalPoint], only: bool) -> str:
    value = f" = {short(float(rate))}" if rate.ndim == 0 else f", L = {short(max(points[0].curvature))}"
    least, most = max(points[-1].curvature), max(points[0].curvature)
    if rate.ndim == 0 and most - least > _ROUNDING * most:
        value = f" = {short(float(rate))} to {short(float(rate) * most / least)}"
    text = name + value
    if only and (rate.ndim or most - least <= _ROUNDING * most):
        return text
    if len(points) > 2:
        return f"{text} ({len(points)} minima)"
    return f"{text} at {' and '.join(map(place_words, points))}"
