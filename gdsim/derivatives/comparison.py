"""Methods side by side: at a point, along a run, and error against step (the V-curve)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from gdsim.derivatives import METHODS, DerivativeMethod, Estimate, derivative_method
from gdsim.derivatives.complex_step import bind as bind_complex_step
from gdsim.derivatives.evaluation import Array
from gdsim.derivatives.finite_differences import EPSILON, SCHEMES, power_of_two, probe_spacing, scales
from gdsim.derivatives.finite_differences import bind as bind_differences
from gdsim.losses import Loss
from gdsim.outcomes import Fault, InputError, nearest

COMPARED: tuple[DerivativeMethod, ...] = (
    derivative_method("analytic"),
    derivative_method("numeric", scheme="forward", step=1e-5),
    derivative_method("numeric", scheme="forward"),
    derivative_method("numeric", scheme="backward"),
    derivative_method("numeric", scheme="central"),
    derivative_method("numeric", scheme="five_point"),
    derivative_method("numeric", scheme="complex_step"),
    derivative_method("numeric", scheme="richardson"),
    derivative_method("scipy", routine="derivative"),
    derivative_method("scipy", routine="approx_fprime"),
    derivative_method("torch"),
)
COMPARED += tuple(derivative_method(name) for name in METHODS if name not in {m.name for m in COMPARED})


@dataclass(frozen=True, eq=False)
class Comparison:
    """What one method gives at one or several points.

    Attributes
    ----------
    method
        The method with its options.
    estimate
        Its gradient, error and evaluations over the points, or None where the method is not available.
    difference
        ``abs(gradient − analytic gradient)``, shape (weights, points); None where either is missing.
    unavailable
        Why it is not available (a missing package, a kink, a callable), else "".
    """

    method: DerivativeMethod
    estimate: Estimate | None
    difference: Array | None
    unavailable: str = ""


class Comparisons(tuple[Comparison, ...]):
    """What all methods give, in order."""

    def _repr_html_(self) -> str:
        """What a notebook shows: of each method the value at the first point, its error, its cost."""
        from gdsim.markup import table

        heads = ["method", "value", "its own estimate of the error", "distance from analytic", "evaluations"]
        return table(heads, map(_row, self))


def _row(found: Comparison) -> list[str]:
    if found.estimate is None:
        return [found.method.label, found.unavailable, "", "", ""]
    columns = (found.estimate.gradient, found.estimate.error, found.difference)
    shown = ["" if each is None else ", ".join(f"{x:.6g}" for x in each[:, 0].tolist()) for each in columns]
    return [found.method.label, *shown, str(found.estimate.evaluations[0])]


def compare_at(loss: Loss, weight: Mapping[str, float]) -> Comparisons:
    """Find ∂L/∂w at one point by every method.

    Parameters
    ----------
    loss
        A formula or a Python callable; for a callable there is no analytic value to compare with.
    weight
        The point, by weight name.

    Returns
    -------
    Comparisons
        One for each method of ``COMPARED``, in that order, arrays of one point. A method that cannot be
        used is listed with the reason.

    Raises
    ------
    InputError
        For a point that is none of this loss.

    Examples
    --------
    >>> rows = compare_at(Loss.from_text("w^2"), {"w": 3.0})
    >>> print(rows[1].method.label, rows[1].estimate.gradient, rows[1].difference.round(9))
    numeric forward, step 1e-05 [[6.00001]] [[1.e-05]]
    """
    return compare_along(loss, _point(loss, weight))


def _point(loss: Loss, weight: Mapping[str, float]) -> Array:
    """Return a point as an array of shape (weights, 1). Raises InputError where it is none of the loss."""
    named = f"a number for each of {', '.join(loss.weights)}"
    if not isinstance(weight, Mapping) or set(weight) != set(loss.weights):
        raise InputError(Fault(f"{weight!r} is no point of this loss", named, path="weight"))
    try:
        return np.array([[float(weight[name])] for name in loss.weights])
    except (TypeError, ValueError):
        raise InputError(Fault(f"{weight!r} is no point", named, path="weight")) from None


def _place(loss: Loss, name: str) -> int:
    """Return which of the weights has a name. Raises InputError where none has."""
    if name not in loss.weights:
        expected = f"one of {', '.join(loss.weights)}"
        raise InputError(
            Fault(f"{name!r} is no weight", expected, nearest(str(name), loss.weights), path="name")
        )
    return loss.weights.index(name)


def compare_along(loss: Loss, weight: Array, parameters: Mapping[str, Array] | None = None) -> Comparisons:
    """Find ∂L/∂w at many points (the records of a run) by every method.

    Parameters
    ----------
    loss
        As for :func:`compare_at`.
    weight
        Shape (weights, points).
    parameters
        Values by name, shape (points,), where they differ from the loss's own.

    Returns
    -------
    Comparisons
        As for :func:`compare_at`.
    """
    exact: Array | None = None
    rows = []
    for method in COMPARED:
        try:
            estimate = method.bind(loss)(weight, parameters or {}, None)
        except InputError as error:
            rows.append(Comparison(method, None, None, error.faults[0].message))
            continue
        if method.name == "analytic":
            exact = estimate.gradient
        with np.errstate(invalid="ignore"):  # ∞ − ∞: no number, and so is the difference
            difference = None if exact is None else np.abs(estimate.gradient - exact)
        rows.append(Comparison(method, estimate, difference))
    return Comparisons(rows)


@dataclass(frozen=True, eq=False)
class VCurve:
    """Error against step. Truncation falls with h, rounding grows as h shrinks: together a V.

    Attributes
    ----------
    weight
        The name of the weight that is moved.
    step
        h, from wide to narrow, shape (steps,).
    error
        ``abs(estimate − exact)``, shape (steps,), by scheme: ``forward``, ``central``, ``five_point`` and,
        where the loss is analytic, ``complex_step``.
    exact
        The analytic derivative.
    """

    weight: str
    step: Array
    error: Mapping[str, Array]
    exact: float


def v_curve(loss: Loss, weight: Mapping[str, float], name: str) -> VCurve:
    """Measure the error of the difference formulas over steps from 1 to 10⁻¹⁶, four to a decade.

    Parameters
    ----------
    loss
        A formula.
    weight
        The point, by weight name.
    name
        The weight with respect to which the derivative is taken.

    Raises
    ------
    InputError
        For a point or a weight that the loss has not, and for a Python callable, which has no analytic value
        to measure against.

    Examples
    --------
    >>> curve = v_curve(Loss.from_text("exp(w)"), {"w": 0.0}, "w")
    >>> curve.exact, list(curve.error)
    (1.0, ['forward', 'central', 'five_point', 'complex_step'])
    >>> error = curve.error["forward"]
    >>> bool(error[32] < 1e-7 < 1e-5 < min(error[4], error[-1]))  # best near h = 10⁻⁸, bad at both ends
    True
    """
    place = _place(loss, name)
    steps = 10.0 ** -(np.arange(65) / 4.0)
    points = np.repeat(_point(loss, weight), len(steps), axis=1)
    exact = derivative_method("analytic").bind(loss)(points[:, :1], {}, None).gradient[place, 0]
    slopes = {
        scheme: bind_differences(loss, scheme, steps)(points, {}, None).gradient[place]
        for scheme in ("forward", "central", "five_point")
    }
    with suppress(InputError):  # not analytic: the curve is left out, as the method itself is refused
        slopes["complex_step"] = bind_complex_step(loss, steps)(points, {}, None).gradient[place]
    return VCurve(
        name, steps, {scheme: np.abs(slope - exact) for scheme, slope in slopes.items()}, float(exact)
    )


def automatic_step(loss: Loss, weight: Mapping[str, float], name: str, scheme: str) -> tuple[float, float]:
    """Return the step that ``step: auto`` settles on at one point, and the error it has there.

    Parameters
    ----------
    loss
        A formula.
    weight
        The point, by weight name.
    name
        The weight with respect to which the derivative is taken.
    scheme
        ``forward``, ``backward``, ``central`` or ``five_point``.

    Returns
    -------
    tuple of float
        h, and ``abs(estimate − exact)``. Of the steps that the method tries it is the one whose own estimate
        is nearest to what the method returned.

    Examples
    --------
    >>> step, error = automatic_step(Loss.from_text("exp(w)"), {"w": 1.0}, "w", "forward")
    >>> step == 2.0**-26, error < 1e-7
    (True, True)
    """
    place, point = _place(loss, name), _point(loss, weight)
    exact = derivative_method("analytic").bind(loss)(point, {}, None).gradient[place, 0]
    chosen = bind_differences(loss, scheme, None)(point, {}, None).gradient[place, 0]
    narrowest = 8.0 * np.spacing(np.abs(point[place]))
    power = EPSILON ** (1.0 / (SCHEMES[scheme].order + 1))
    tried = [np.maximum(power_of_two(power * scale), narrowest) for scale in scales(point[place])]
    tried.append(probe_spacing(point[place]))
    with np.errstate(invalid="ignore"):
        away = [
            abs(bind_differences(loss, scheme, step)(point, {}, None).gradient[place, 0] - chosen)
            for step in tried
        ]
        nearest = int(np.nanargmin(away)) if np.isfinite(away).any() else 0
        return float(tried[nearest][0]), float(abs(chosen - exact))
