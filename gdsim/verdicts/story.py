"""One run as its verdict needs it, and how numbers and places are written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gdsim.batch import Batch, Trajectory
from gdsim.outcomes import CriticalPoint, Search, Status
from gdsim.verdicts.settle import Array, Terrain

#: what a verdict is told in: sentence, evidence, remedy
Telling = tuple[str, dict[str, Any], str]

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """Write a number with five significant digits, a true minus sign and powers of ten.

    >>> number(-0.1), number(1e-9), number(12345678.0), number(float("inf"))
    ('−0.1', '10⁻⁹', '1.2346×10⁷', '∞')
    """
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "not a number")
    text = f"{value + 0.0:.5g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        power = f"10{str(int(exponent)).translate(_RAISED)}"
        sign = "-" if mantissa.startswith("-") else ""
        text = sign + power if mantissa.lstrip("-") == "1" else f"{mantissa}×{power}"
    return text.replace("-", "−")


def place(weight: Mapping[str, float]) -> str:
    """Write a place: ``w = 1`` or ``(x, y) = (1, −2)``.

    >>> place({"x": 1.0, "y": -2.0})
    '(x, y) = (1, −2)'
    """
    if len(weight) == 1:
        ((name, value),) = weight.items()
        return f"{name} = {number(value)}"
    return f"({', '.join(weight)}) = ({', '.join(number(value) for value in weight.values())})"


def counted(steps: int) -> str:
    """Write a number of steps.

    >>> counted(1), counted(20)
    ('1 step', '20 steps')
    """
    return "1 step" if steps == 1 else f"{steps} steps"


def stable_factor(batch: Batch, run: int = 0) -> float | None:
    """Return the c of the largest stable learning rate c/L of the batch's rule, or None where there is none.

    Gradient descent 2; momentum with dampening d 2(1 + β)/(1 − d); Nesterov's 2(1 + β)/(1 + 2β). None for
    adaptive rules, sign descent, weight decay (which moves the resting place) and line search (which
    chooses the rate).

    Source: B. T. Polyak, Introduction to Optimization (1987), §3.2.1; for Nesterov's the roots of
    z² − (1 + β)(1 − ηL)z + β(1 − ηL) on the unit circle.
    """
    rule = batch.rule.rule
    options = dict(batch.rule.options)
    for name in options:
        swept = batch.options.get(f"update_rule.{name}")
        options[name] = options[name] if swept is None else float(swept[run])
    if rule.adaptive or options.get("weight_decay") or batch.line_search is not None:
        return None
    if rule.name == "gradient_descent":
        return 2.0
    beta = options.get("momentum", 0.0)
    if rule.name == "momentum":
        left = 1.0 - options["dampening"]
        return 2.0 * (1.0 + beta) / left if left > 0 else None
    return 2.0 * (1.0 + beta) / (1.0 + 2.0 * beta) if rule.name == "nesterov" else None


@dataclass(frozen=True, eq=False, repr=False)
class Story:
    """One run with everything its verdict may speak of.

    ``search`` is that of the domain; ``terrain`` may reach farther, to where the run came to rest.
    """

    batch: Batch
    trajectory: Trajectory
    terrain: Terrain
    search: Search
    run: int
    point: CriticalPoint | None
    period: int

    @property
    def weights(self) -> tuple[str, ...]:
        """The names of the weights."""
        return self.trajectory.weights

    @property
    def line(self) -> bool:
        """Whether there is one weight only."""
        return len(self.weights) == 1

    @property
    def noisy(self) -> bool:
        """Whether the gradient carried noise."""
        return self.batch.noise is not None

    @property
    def steps(self) -> int:
        """The steps taken."""
        return int(self.trajectory.steps[self.run])

    @property
    def status(self) -> Status:
        """Why the run ended."""
        return self.trajectory.status[self.run]

    @property
    def rate(self) -> float:
        """η at the end."""
        return float(self.trajectory.final_learning_rate[self.run])

    @property
    def pace(self) -> float:
        """The length of the last step, largest weight."""
        return float(np.abs(self.trajectory.last_step[:, self.run]).max())

    @property
    def slope(self) -> float:
        """The last gradient, largest weight."""
        return float(np.abs(self.trajectory.final_gradient[:, self.run]).max())

    @cached_property
    def final(self) -> dict[str, float]:
        """Where the run ended."""
        return self.named(self.trajectory.final_weight[:, self.run])

    @cached_property
    def start(self) -> dict[str, float]:
        """Where the run began."""
        return self.named(self.trajectory.weight[0, :, self.run])

    @cached_property
    def gradient(self) -> dict[str, float]:
        """The last gradient that was judged."""
        return self.named(self.trajectory.final_gradient[:, self.run])

    def named(self, values: Array) -> dict[str, float]:
        """Values by the names of the weights."""
        return {name: float(value) for name, value in zip(self.weights, values, strict=True)}

    @property
    def lows(self) -> tuple[CriticalPoint, ...]:
        """The minima of the domain, and what else is low."""
        return Terrain(self.terrain.loss, self.search).lows

    @cached_property
    def factor(self) -> float | None:
        """The c of the stability limit c/L, or None where 2/L says nothing about the rule."""
        return stable_factor(self.batch, self.run)

    @property
    def limit_name(self) -> str:
        """How c/L is written."""
        curvature = "f″" if self.line else "L"
        return f"2/{curvature}" if self.factor == 2.0 else f"{number(self.factor or 0.0)}/{curvature}"

    def curvature(self, weight: Mapping[str, float]) -> float:
        """f″, or the largest eigenvalue of the Hessian; nan where there is none."""
        return float(self.terrain.curvature(np.array([[weight[name]] for name in self.weights]))[0])

    @cached_property
    def sharpest(self) -> tuple[dict[str, float], float] | None:
        """Where the run met the largest curvature, the start first; None if none was positive."""
        start = self.curvature(self.start)
        if self.factor and start > 0 and self.rate > self.factor / start:
            return self.start, start
        records = self.trajectory.weight[:256, :, self.run].T
        low, high = np.array([self.search.domain[name] for name in self.weights]).T
        inside = ((records >= low[:, None]) & (records <= high[:, None])).all(axis=0)
        if not inside.any():
            return (self.start, start) if start > 0 else None
        values = self.terrain.curvature(records[:, inside])
        values = np.where(np.isfinite(values), values, -np.inf)
        most = int(values.argmax())
        return (self.named(records[:, inside][:, most]), float(values[most])) if values[most] > 0 else None

    def cycle(self) -> list[dict[str, float]]:
        """The values of the cycle in the order in which they are visited, the smallest first."""
        if self.status is Status.CYCLING:
            columns = (self.trajectory.previous_weight, self.trajectory.final_weight)
            values = [self.named(column[:, self.run]) for column in columns]
        else:
            values = [self.named(row) for row in self.trajectory.tail[-self.period :, :, self.run]]
        first = min(range(len(values)), key=lambda index: tuple(values[index].values()))
        return values[first:] + values[:first]
