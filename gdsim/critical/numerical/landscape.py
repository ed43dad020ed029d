"""The loss with its first and second derivatives at many points, and how far rounding reaches.

For a formula the derivatives are those of the tree. For a Python callable they are differences: a quick
five-point formula for searching, the error-controlled one of ``gdsim.derivatives`` for deciding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim.derivatives import Gradient, derivative_method
from gdsim.derivatives.rounding import rounding_bound
from gdsim.expr.nodes import Expr, walk
from gdsim.losses import Loss
from gdsim.outcomes import Interval

Array: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[Array], Array]
EPSILON = 2.0**-52
_FIRST_STEP = EPSILON ** (1 / 5)  # balances truncation h⁴ and rounding ε/h of the five-point formula
_SECOND_STEP = EPSILON ** (1 / 6)  # balances h⁴ and ε/h² of the second derivative


@dataclass(frozen=True, eq=False)
class Landscape:
    """A loss over a domain. Every method takes points of shape (weights, points)."""

    loss: Loss
    domain: Mapping[str, Interval]

    @property
    def exact(self) -> bool:
        """Whether the derivatives come from a formula."""
        return self.loss.expression is not None

    @cached_property
    def low(self) -> Array:
        """The lower ends of the domain, shape (weights,)."""
        return np.array([self.domain[name][0] for name in self.loss.weights], dtype=np.float64)

    @cached_property
    def high(self) -> Array:
        """The upper ends of the domain, shape (weights,)."""
        return np.array([self.domain[name][1] for name in self.loss.weights], dtype=np.float64)

    @property
    def width(self) -> Array:
        """The widths of the domain, shape (weights,)."""
        return self.high - self.low

    def value(self, points: Array) -> Array:
        """L, shape (points,)."""
        return self.loss.evaluate(points)

    def gradient(self, points: Array) -> Array:
        """∂L/∂w, shape (weights, points), quick."""
        if self.exact:
            return self.loss.evaluate_gradient(points)
        rows = []
        for place, step in enumerate(_FIRST_STEP * self._scale):
            near, far = (self._difference(points, place, k * step) / (2 * k * step) for k in (1, 2))
            rows.append((4.0 * near - far) / 3.0)
        return np.stack(rows)

    def judged_gradient(self, points: Array) -> tuple[Array, Array]:
        """∂L/∂w and a bound on its error, both (weights, points): below the bound it may be zero."""
        if not self.exact:
            estimate = self._automatic(points, {}, None)
            assert estimate.error is not None
            return estimate.gradient, estimate.error
        bounds = [bound(points, {}, None) for bound in self._gradient_bounds]
        return self.gradient(points), np.stack(bounds)

    def hessian(self, points: Array) -> Array:
        """∂²L/∂wᵢ∂wⱼ, shape (weights, weights, points)."""
        if self.exact:
            return self.loss.evaluate_hessian(points)
        size, count = points.shape
        steps = _SECOND_STEP * self._scale
        result = np.empty((size, size, count))
        here = self.value(points)
        for i in range(size):
            for j in range(i + 1):
                result[i, j] = result[j, i] = self._second_difference(points, here, (i, j), steps)
        return result

    def hessian_bound(self, points: Array) -> Array:
        """A bound on the error of each entry of the Hessian, shape (weights, weights, points)."""
        size, count = points.shape
        if not self.exact:
            near = np.abs(self.value(points)) + np.abs(self.gradient(points)).max(axis=0)
            step = _SECOND_STEP * self._scale
            bound = 64.0 * EPSILON * near / np.min(step) ** 2
            return np.broadcast_to(bound, (size, size, count))
        result = np.empty((size, size, count))
        for place, bounds in enumerate(self._hessian_bounds):
            for other, function in enumerate(bounds):
                result[place, other] = function(points, {}, None)
        return result

    def higher_derivative(self, order: int) -> tuple[Function, Function]:
        """Return the derivative of that order of a loss of one weight, and the bound on its rounding."""
        tree = self._derivatives(order)
        loss = replace(self.loss, expression=tree)
        bound = rounding_bound(loss)
        return loss.evaluate, lambda points: bound(points, {}, None)

    def size(self, order: int) -> int:
        """The number of distinct nodes of the derivative of that order."""
        return sum(1 for _ in walk(self._derivatives(order)))

    def _derivatives(self, order: int) -> Expr:
        from gdsim.expr.differentiate import derivative

        if order <= 1:
            return self.loss.gradient[0]
        known = self._trees
        while len(known) < order:
            known.append(derivative(known[-1], self.loss.weights[0]))
        return known[order - 1]

    @cached_property
    def _trees(self) -> list[Expr]:
        return [self.loss.gradient[0]]

    @cached_property
    def _gradient_bounds(self) -> list[Callable[..., Array]]:
        return [rounding_bound(replace(self.loss, expression=tree)) for tree in self.loss.gradient]

    @cached_property
    def _hessian_bounds(self) -> list[list[Callable[..., Array]]]:
        return [[rounding_bound(replace(self.loss, expression=t)) for t in row] for row in self.loss.hessian]

    @cached_property
    def _automatic(self) -> Gradient:
        return derivative_method("numeric", scheme="five_point").bind(self.loss)

    @property
    def _scale(self) -> Array:
        """The length over which a callable is taken to be smooth: of order one, less in a small domain."""
        reach = np.maximum(np.abs(self.low), np.abs(self.high))
        scale: Array = np.minimum(self.width / 4, np.maximum(1.0, reach / 10))
        return scale

    def _moved(self, points: Array, place: int, step: float) -> Array:
        moved = points.copy()
        moved[place] += step
        return self.value(moved)

    def _difference(self, points: Array, place: int, step: float) -> Array:
        return self._moved(points, place, step) - self._moved(points, place, -step)

    def _second_difference(self, points: Array, here: Array, pair: tuple[int, int], steps: Array) -> Array:
        i, j = pair
        if i == j:
            step = steps[i]
            one = self._moved(points, i, step) + self._moved(points, i, -step)
            two = self._moved(points, i, 2 * step) + self._moved(points, i, -2 * step)
            result: Array = (16.0 * one - two - 30.0 * here) / (12.0 * step * step)
            return result
        total = np.zeros(points.shape[1])
        for sign_i, sign_j in ((1, 1), (-1, -1), (1, -1), (-1, 1)):
            moved = points.copy()
            moved[i] += sign_i * steps[i]
            moved[j] += sign_j * steps[j]
            total += sign_i * sign_j * self.value(moved)
        mixed: Array = total / (4.0 * steps[i] * steps[j])
        return mixed
