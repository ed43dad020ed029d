"""Differences of the loss at nearby weights: forward, backward, central, five-point.

With a step h given as a number each is its textbook formula to the last digit. With ``auto`` the step
scales with the weight and the method also says how far off it may be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple, TypeAlias

import numpy as np

from gdsim.derivatives import Estimate, Gradient, ScalarGradient
from gdsim.derivatives.evaluation import Array, Columns, Values, at_points, loss_values
from gdsim.derivatives.rounding import SMALLEST, UNIT, rounding_bound, sampled_noise
from gdsim.losses import Loss
from gdsim.losses.loss import guarded

EPSILON = 2.0**-52
Rows: TypeAlias = list[Array]
"""Values at several points, (runs,) each."""


@dataclass(frozen=True)
class Scheme:
    """A difference formula: slopes over intervals [w + lower·h, w + upper·h], mixed with weights.

    ``probe`` are five neighbouring offsets on the side where the scheme looks.
    """

    order: int
    slopes: tuple[tuple[int, int], ...]  # (upper, lower) in steps
    mix: tuple[float, ...]
    probe: tuple[int, ...]

    @property
    def offsets(self) -> tuple[int, ...]:
        """The offsets at which the loss is needed, in steps, without repetition."""
        return tuple(sorted({offset for pair in self.slopes for offset in pair}))


SCHEMES: dict[str, Scheme] = {
    "forward": Scheme(1, ((1, 0),), (1.0,), (0, 1, 2, 3, 4)),
    "backward": Scheme(1, ((0, -1),), (1.0,), (-4, -3, -2, -1, 0)),
    "central": Scheme(2, ((1, -1),), (1.0,), (-2, -1, 0, 1, 2)),
    "five_point": Scheme(4, ((1, -1), (2, -2)), (4.0 / 3.0, -1.0 / 3.0), (-2, -1, 0, 1, 2)),
}


def bind(loss: Loss, scheme: str, step: float | Array | None) -> Gradient:
    """Return the gradient by differences.

    Parameters
    ----------
    loss
        A formula or a Python callable.
    scheme
        A key of ``SCHEMES``.
    step
        The step h, used as it is (an array gives every run its own); None chooses it (``auto``).

    Notes
    -----
    With h given, for n weights: forward (f(w + h) − f(w))/h and backward cost n + 1 evaluations, central
    (f(w + h) − f(w − h))/2h costs 2n, five_point (4·central(h) − central(2h))/3 costs 4n; there is no
    error estimate.

    ``auto`` takes h = ε^{1/(p+1)}·s for a formula of order p, rounded to a power of two, at two scales s
    (the larger and the smaller of 1 and \\|w\\|), compares each with the same formula at 2h (truncation) and
    adds what rounding of the loss can do (:mod:`gdsim.derivatives.rounding`); five closely spaced values
    see ripples that both steps skip. The value with the smaller error that is left uncontradicted is
    returned. It costs 8n + 1 (forward, backward), 12n + 1 (central) or 16n + 1 (five_point) evaluations.

    Examples
    --------
    >>> textbook = bind(Loss.from_text("w^2"), "forward", 1e-5)
    >>> textbook(np.array([[3.0, 0.0, -2.0]]), {}, None).gradient
    array([[ 6.00001e+00,  1.00000e-05, -3.99999e+00]])
    >>> estimate = bind(Loss.from_text("sin(50w)"), "central", None)(np.array([[4.0]]), {}, None)
    >>> bool(abs(estimate.gradient[0, 0] - 50 * np.cos(200.0)) <= estimate.error[0, 0] < 1e-6)
    True
    """
    values = loss_values(loss)
    if step is None:
        return _automatic(loss, values, SCHEMES[scheme])
    return _fixed(values, SCHEMES[scheme], step)


def _fixed(values: Values, scheme: Scheme, step: float | Array) -> Gradient:
    moved = tuple(offset for offset in scheme.offsets if offset)

    def gradient(weight: Array, parameters: Columns, data: Columns | None = None) -> Estimate:
        here = values(weight, parameters, data) if 0 in scheme.offsets else None
        rows = []
        with np.errstate(all="ignore"):
            for place in range(len(weight)):
                points = np.stack([weight[place] + offset * step for offset in moved])
                found = dict(
                    zip(moved, at_points(values, weight, place, points, parameters, data), strict=True)
                )
                if here is not None:
                    found[0] = here
                slopes = [(found[up] - found[low]) / ((up - low) * step) for up, low in scheme.slopes]
                rows.append(_mixed(slopes))
        count = len(weight) * len(moved) + (here is not None)
        return Estimate(np.stack(rows), None, np.full(weight.shape[1], count, dtype=np.int64))

    return gradient


def _mixed(slopes: list[Array]) -> Array:
    """One slope as it is; two slopes over h and 2h with the h² term of their error removed."""
    return slopes[0] if len(slopes) == 1 else (4.0 * slopes[0] - slopes[1]) / 3.0


def bind_scalar(loss: Loss, scheme: str, step: float) -> ScalarGradient:
    """Return the same formulas on Python floats: ``gradient(*weights, *parameters)``.

    Examples
    --------
    >>> bind_scalar(Loss.from_text("w^2"), "forward", 1e-5)(3.0)
    (6.000009999951316,)
    """
    chosen, count = SCHEMES[scheme], len(loss.weights)
    moved = tuple(offset for offset in chosen.offsets if offset)
    value = _scalar_loss(loss)

    def gradient(*scalars: float) -> tuple[float, ...]:
        found = {0: value(*scalars)} if 0 in chosen.offsets else {}
        result = []
        for place in range(count):
            for offset in moved:
                shifted = scalars[place] + offset * step
                found[offset] = value(*scalars[:place], shifted, *scalars[place + 1 :])
            slopes = [(found[up] - found[low]) / ((up - low) * step) for up, low in chosen.slopes]
            result.append(slopes[0] if len(slopes) == 1 else (4.0 * slopes[0] - slopes[1]) / 3.0)
        return tuple(result)

    return gradient


def _scalar_loss(loss: Loss) -> Callable[..., float]:
    if loss.expression is None:
        assert loss.function is not None
        return guarded(loss.function)
    from gdsim.expr.emit_python import compile_function

    function = compile_function([loss.expression], loss.arguments, "safe")
    columns = tuple(loss.data.values())
    return lambda *scalars: function(*scalars, *columns)[0]


class Candidates(NamedTuple):
    """Slopes found at several scales, widest first, each with its own error bar: of (runs,) each.

    ``steepest`` is how steep the loss may be where its noise swamps all that was seen of it.
    """

    value: Rows
    error: Rows
    steepest: Array | float = 0.0


class Sampler(NamedTuple):
    """The loss along one weight: ``at`` gives its values at points, ``noise`` a bound on the noise in each.

    ``noise`` is None for a callable, whose noise is sampled.
    """

    at: Callable[[Rows], Rows]
    noise: Callable[[Rows], Rows] | None

    def shaken(self, points: Rows, values: Rows, samples: Sequence[int]) -> Rows:
        """Return the noise of each value; without a bound it is estimated from five neighbouring ones."""
        if self.noise is not None:
            return self.noise(points)
        sampled = sampled_noise(np.stack([values[place] for place in samples]))
        return [np.maximum(sampled, 4.0 * UNIT * np.abs(value)) for value in values]


def sampler(loss: Loss, values: Values) -> Callable[[Array, Columns, Columns | None, int], Sampler]:
    """Return what makes a :class:`Sampler` of the loss along one weight; the bound is compiled once."""
    bound = None if loss.expression is None else rounding_bound(loss)

    def prepare(weight: Array, parameters: Columns, data: Columns | None, place: int) -> Sampler:
        def along(function: Values) -> Callable[[Rows], Rows]:
            return lambda points: list(at_points(function, weight, place, np.stack(points), parameters, data))

        return Sampler(along(values), None if bound is None else along(bound))

    return prepare


def scales(weight: Array) -> tuple[Array, Array]:
    """Return the larger and the smaller natural length at a weight: of 1 and |w|, well apart.

    >>> scales(np.array([1e-8, 0.0, 2.0]))
    (array([1., 1., 2.]), array([1.000000e-08, 9.765625e-04, 1.562500e-02]))
    """
    size = np.abs(weight)
    large = np.maximum(size, 1.0)
    small = np.where(size > 0, np.minimum(size, 1.0), 2.0**-10)
    return large, np.minimum(small, large * 2.0**-7)


def power_of_two(values: Array) -> Array:
    """Return the nearest power of two (in its logarithm), so that w + h is rounded as little as can be."""
    result: Array = np.exp2(np.round(np.log2(values)))
    return result


def probe_spacing(weight: Array) -> Array:
    """Return a spacing over which the loss is a straight line and its noise: 2⁻³² of the small scale."""
    return np.maximum(power_of_two(scales(weight)[1] * 2.0**-32), 8.0 * np.spacing(np.abs(weight)))


def _automatic(loss: Loss, values: Values, scheme: Scheme) -> Gradient:
    prepare = sampler(loss, values)

    def gradient(weight: Array, parameters: Columns, data: Columns | None = None) -> Estimate:
        with np.errstate(all="ignore"):
            here = values(weight, parameters, data)
            pairs = [
                automatic_slope(prepare(weight, parameters, data, place), weight[place], here, scheme)
                for place in range(len(weight))
            ]
        wide = len({*scheme.offsets, *(2 * offset for offset in scheme.offsets)} - {0})
        count = 1 + len(weight) * (4 + 2 * wide)
        return Estimate(
            np.stack([value for value, _ in pairs]),
            np.stack([error for _, error in pairs]),
            np.full(weight.shape[1], count, dtype=np.int64),
        )

    return gradient


def automatic_slope(sample: Sampler, weight: Array, here: Array, scheme: Scheme) -> tuple[Array, Array]:
    """Return the slope along one weight and its error, both (runs,); ``here`` is the loss at the weight."""
    reach = tuple(sorted({*scheme.offsets, *(2 * offset for offset in scheme.offsets)} - {0}))
    spacing = probe_spacing(weight)
    plan = [(tuple(offset for offset in scheme.probe if offset), spacing)]
    for scale in scales(weight):
        step = power_of_two(EPSILON ** (1.0 / (scheme.order + 1)) * scale)
        plan.append((reach, np.maximum(step, 8.0 * np.spacing(np.abs(weight)))))
    points = [weight + offset * step for offsets, step in plan for offset in offsets]
    found = [*sample.at(points), here]
    points.append(weight)
    probe = [*range(4), len(points) - 1]
    order = np.argsort([*plan[0][0], 0], kind="stable")
    noise = sample.shaken(points, found, [probe[place] for place in order])
    results, first = [], 0
    for number, (offsets, _) in enumerate(plan):
        rows = {offset: first + index for index, offset in enumerate(offsets)} | {0: len(points) - 1}
        slopes = scheme.slopes[:1] if number == 0 else scheme.slopes  # the probe: its plain slope
        results.append(_slope_with_error(slopes, rows, points, found, noise))
        first += len(offsets)
    results.append(results.pop(0))
    candidates = Candidates(
        [value for value, _ in results],
        [error for _, error in results],
        0.0 if sample.noise is None else steepest(weight, found, noise),
    )
    return confirmed(candidates, choose_from=2, trusted=sample.noise is not None)


def steepest(weight: Array, found: Rows, noise: Rows) -> Array:
    """Return how steep the loss may be at a weight where its noise swamps what was seen of it, else 0.

    Rounding a multiple of w moves it by u·|w|, which the running bound has carried to the value: a noise δ
    of the size of the loss itself (the phase of a fast oscillation is lost) allows a slope of δ/(u·|w|)
    that no difference can see. The last row of ``found`` and ``noise`` is the weight itself.
    """
    lost = noise[-1] > 1e-3 * reduce(np.maximum, map(np.abs, found))
    result: Array = np.where(lost & (weight != 0), noise[-1] / (UNIT * np.abs(weight)), 0.0)
    return result


def _slope_with_error(
    slopes: tuple[tuple[int, int], ...], rows: Mapping[int, int], points: Rows, found: Rows, noise: Rows
) -> tuple[Array, Array]:
    """Return the formula at h and its error: its change from 2h, and the noise over the width."""

    def over(up: int, low: int) -> Array:
        result: Array = (found[rows[up]] - found[rows[low]]) / (points[rows[up]] - points[rows[low]])
        return result

    value = _mixed([over(up, low) for up, low in slopes])
    double = _mixed([over(2 * up, 2 * low) for up, low in slopes])
    shaken = _mixed_noise(
        [(noise[rows[up]] + noise[rows[low]]) / (points[rows[up]] - points[rows[low]]) for up, low in slopes]
    )
    # The change from h to 2h is (2^p − 1) times the leading truncation error, give or take the noise of both.
    margin, noises = (2.0, 4.0) if 0 in slopes[0] else (1.0, 1.5)
    return value, margin * np.abs(double - value) + noises * shaken + 8.0 * UNIT * np.abs(value)


def _mixed_noise(slopes: list[Array]) -> Array:
    return slopes[0] if len(slopes) == 1 else (4.0 * slopes[0] + slopes[1]) / 3.0


def confirmed(candidates: Candidates, choose_from: int, trusted: bool) -> tuple[Array, Array]:
    """Choose the candidate with the smallest error that no narrower one contradicts.

    Two candidates contradict each other when they differ by more than their error bars together. A wide
    step can skip a ripple and be precisely wrong (aliasing), so a contradiction by a narrower step widens
    its error to the whole difference. A narrow step can be wrong when noise was underestimated: where the
    noise is not ``trusted`` (sampled, not bounded) a contradiction by a wider, well resolved step widens
    the error of the narrow one too, and the answer is honest rather than sharp.

    Parameters
    ----------
    candidates
        Widest first.
    choose_from
        How many of the first may be chosen; the others only confirm.

    Returns
    -------
    (value, error)
        Shapes (runs,); error inf where nothing could be evaluated.
    """
    value = candidates.value
    error = [
        np.where(np.isfinite(slope), bar, np.inf) for slope, bar in zip(value, candidates.error, strict=True)
    ]
    error = [np.where(np.isnan(bar), np.inf, bar) for bar in error]
    resolved = [bar < 0.1 * np.abs(slope) for slope, bar in zip(value, error, strict=True)]
    bars = []
    for one in range(choose_from):
        widened = error[one]
        for other in range(len(value)):
            if other == one:
                continue
            apart = np.abs(value[one] - value[other])
            allowed = error[one] + np.where(resolved[one], error[other], 0.0)
            contradicts = apart > allowed
            if other < one:
                contradicts = apart > error[one] + error[other]
                contradicts &= resolved[other] & np.logical_not(trusted)
            widened = np.where(contradicts, np.maximum(widened, apart + error[other]), widened)
        bars.append(np.where(resolved[one], widened, np.maximum(widened, candidates.steepest)))
    chosen, least = value[0], bars[0]
    for slope, bar in zip(value[1:choose_from], bars[1:], strict=True):
        chosen, least = np.where(bar < least, slope, chosen), np.where(bar < least, bar, least)
    # Below the smallest double a derivative is lost whatever the method: the last term bounds that too.
    return chosen, least + 4.0 * SMALLEST
