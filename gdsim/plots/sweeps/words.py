"""The words on pictures of sweeps: axes, shares, what is fixed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gdsim.outcomes import CriticalPoint
from gdsim.plots.sweeps.cut import RATES, numeric
from gdsim.plots.text import frame, loss_words, room, short, wrapped
from gdsim.runs.composition import loss_of
from gdsim.sweeps.result import AxisValues, SweepResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LINE = 24  # letters in a line of a legend
_ROUNDING = 1e-12


def axis_words(path: str, weights: Sequence[str]) -> str:
    """Return the name of an axis for people.

    >>> axis_words("learning_rate", ["w"]), axis_words("initial_weight", ["w"])
    ('learning rate η', 'start w')
    >>> axis_words("noise.scale", ["w"]), axis_words("loss.parameters.a", ["w"])
    ('noise scale', 'a')
    """
    if path in RATES:
        return "learning rate η"
    first, _, rest = path.partition(".")
    if first == "initial_weight":
        return f"start {rest or weights[0]}"
    if path.startswith("loss.parameters."):
        return path.rsplit(".", 1)[1]
    plain = (rest if first in ("update_rule", "stopping") and rest else path).replace("_", " ")
    return {"update rule.name": "update rule", "name": "update rule"}.get(plain, plain.replace(".", " "))


def value_words(axis: AxisValues, place: int, weights: Sequence[str]) -> str:
    """Return ``name = value`` of one value of an axis."""
    value = axis.values[place]
    if axis.categorical:
        return str(value).replace("_", " ")
    name = {"learning rate η": "η"}.get(axis_words(axis.path, weights), axis_words(axis.path, weights))
    return f"{name} = {short(float(value))}"


def point_words(point: CriticalPoint) -> str:
    """Return a critical point as ``minimum w = −1``."""
    kind = {"inflection": "inflection (saddle)"}.get(point.kind, point.kind)
    return f"{kind} {place_words(point)}"


def place_words(point: CriticalPoint) -> str:
    """Return where a critical point is, as ``x = 3, y = 2``; what is nothing but rounding reads 0."""
    return ", ".join(
        f"{name} = {short(value if abs(value) > _ROUNDING else 0.0)}" for name, value in point.weight.items()
    )


def counted(number: int) -> str:
    """Return a number with its digits in groups of three.

    >>> counted(8294400) == "8\u2009294\u2009400"
    True
    """
    return f"{number:,}".replace(",", "\u2009")


def share(count: int, total: int) -> str:
    """Return a share of the runs; one run among a million is not 0 %, and all but one are not 100 %.

    >>> share(1, 3), share(1, 10**6), share(10**6 - 1, 10**6), share(5, 5)
    ('33.3 %', '< 0.1 %', '> 99.9 %', '100 %')
    """
    percent = 100 * count / total
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return "100 %" if count == total else f"{percent:.1f} %"


def lines(text: str, width: int = _LINE) -> str:
    """Break a text into lines for a legend; ``name = value`` and what is in brackets stay whole.

    >>> lines("settled at minimum x = 3, y = 2").splitlines()
    ['settled at minimum', 'x = 3, y = 2']
    """
    whole = re.sub(r"\([^)]*\)", lambda match: match[0].replace(" ", "\0"), text).replace(" = ", "\0=\0")
    return "\n".join(textwrap.wrap(whole, width, break_long_words=False)).replace("\0", " ")


def with_share(text: str, count: int, total: int) -> str:
    """Return a text in lines with its share of the runs, on a line of its own where the last is full.

    >>> with_share("diverged", 1, 4)
    'diverged · 25.0 %'
    """
    broken, part = lines(text), share(count, total)
    last = broken.rsplit("\n", 1)[-1]
    return f"{broken} · {part}" if len(last) + len(part) + 3 <= _LINE + 2 else f"{broken}\n{part}"


def caption(result: SweepResult, shown: Sequence[str], most: float) -> str:
    """Return the lines that say what was swept, none wider than ``most`` ems.

    The loss, what is the same in all runs, and the axes that are not drawn with their range.
    """
    loss = replace(loss_of(result.scenario), name=result.scenario.loss.name)
    parts = loss_words(loss, most) + _fixed(result, {axis.path for axis in result.axes})
    for axis in result.axes:
        if axis.path in shown:
            continue
        if len(axis.values) == 1:
            parts.append(value_words(axis, 0, result.weights))
        else:
            parts.append(_range(axis, result.weights))
    return wrapped(parts, most)


def _fixed(result: SweepResult, paths: set[str]) -> list[str]:
    scenario = result.scenario
    parameters: dict[str, Any] = dict(scenario.loss.parameters)
    parts = [
        f"{name} = {short(value)}"
        for name, value in parameters.items()
        if f"loss.parameters.{name}" not in paths
    ]
    if not paths & set(RATES):
        parts.append(f"η = {short(scenario.learning_rate.initial)}")
    starts = [
        f"{name} = {short(value)}"
        for name, value in scenario.initial_weight.items()
        if f"initial_weight.{name}" not in paths
    ]
    if starts and "initial_weight" not in paths:
        parts.append(f"start {', '.join(starts)}")
    if not paths & {"update_rule", "update_rule.name"}:
        parts.append(scenario.update_rule.name.replace("_", " "))
    if scenario.learning_rate.schedule != "constant":
        parts.append(f"{scenario.learning_rate.schedule.replace('_', ' ')} schedule")
    if scenario.noise is not None and not paths & {"noise.scale", "noise.size"}:
        batches = scenario.noise.kind == "minibatch"
        size = f"mini-batches of {scenario.noise.size}"
        parts.append(size if batches else f"noise scale = {short(scenario.noise.scale)}")
    return parts


def _range(axis: AxisValues, weights: Sequence[str]) -> str:
    name, count = axis_words(axis.path, weights), len(axis.values)
    if axis.categorical:
        return f"{count} values of {name}"
    values = numeric(axis)
    if axis.path == "seed":
        return f"{count} seeds"
    return f"{name} from {short(float(np.nanmin(values)))} to {short(float(np.nanmax(values)))}"


def label(figure: Figure, result: SweepResult, what: str, shown: Sequence[str]) -> None:
    """Put title and caption on a figure: the scenario, what is drawn, the loss, what is fixed."""
    name = result.scenario.title or result.scenario.name
    frame(figure, f"{name}  —  {what}", caption(result, shown, room(figure)))
