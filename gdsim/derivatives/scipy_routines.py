"""SciPy's own routines: ``scipy.differentiate.derivative`` and ``scipy.optimize.approx_fprime``."""

from __future__ import annotations

import numpy as np

from gdsim.derivatives import Estimate, Gradient
from gdsim.derivatives.evaluation import Array, Columns, Values, loss_values
from gdsim.losses import Loss


def bind(loss: Loss, routine: str) -> Gradient:
    """Return the gradient by a routine of SciPy with its own defaults.

    ``derivative`` works on all runs at once, one weight at a time, with eighth-order central differences
    that are refined until they settle. Its error is SciPy's estimate, and inf where SciPy reports no
    success. The number of evaluations differs from run to run. SciPy adds up its stencil by a matrix
    product, so the last digits of a run may depend on the runs beside it; it is the only method here of
    which that is true.

    ``approx_fprime`` takes forward differences with step √ε·max(1, \\|w\\|), run by run: n + 1 evaluations
    for n weights and no error estimate.

    Examples
    --------
    >>> estimate = bind(Loss.from_text("w^2"), "approx_fprime")(np.array([[3.0]]), {}, None)
    >>> bool(abs(estimate.gradient[0, 0] - 6.0) < 1e-7), int(estimate.evaluations[0])
    (True, 2)
    """
    values = loss_values(loss)
    return _derivative(values) if routine == "derivative" else _approx_fprime(values)


def _derivative(values: Values) -> Gradient:
    from scipy.differentiate import derivative

    def gradient(weight: Array, parameters: Columns, data: Columns | None = None) -> Estimate:
        runs = weight.shape[1]
        slopes, errors, count = np.empty_like(weight), np.empty_like(weight), np.zeros(runs, dtype=np.int64)

        def along(place: int, points: Array, run: Array) -> Array:
            points, run = np.broadcast_arrays(points, run)
            lanes = run.ravel().astype(np.int64)
            moved = weight[:, lanes]
            moved[place] = points.ravel()
            chosen = {
                name: np.broadcast_to(np.asarray(value, dtype=np.float64), (runs,))[lanes]
                for name, value in parameters.items()
            }
            columns = None if data is None else {name: column[:, lanes] for name, column in data.items()}
            return values(moved, chosen, columns).reshape(points.shape)

        for place in range(len(weight)):
            with np.errstate(all="ignore"):
                result = derivative(
                    lambda points, run, place=place: along(place, points, run),
                    weight[place],
                    args=(np.arange(runs, dtype=np.float64),),
                )
            slopes[place] = result.df
            settled = np.asarray(result.success) & np.isfinite(result.error)
            errors[place] = np.where(settled, result.error, np.inf)
            count += np.asarray(result.nfev, dtype=np.int64)
        return Estimate(slopes, errors, count)

    return gradient


def _approx_fprime(values: Values) -> Gradient:
    from scipy.optimize import approx_fprime

    def gradient(weight: Array, parameters: Columns, data: Columns | None = None) -> Estimate:
        runs = weight.shape[1]
        slopes = np.empty_like(weight)
        for run in range(runs):
            chosen = {
                name: np.broadcast_to(np.asarray(value, dtype=np.float64), (runs,))[run : run + 1]
                for name, value in parameters.items()
            }
            columns = (
                None if data is None else {name: column[:, run : run + 1] for name, column in data.items()}
            )

            def at(point: Array, chosen: Columns = chosen, columns: Columns | None = columns) -> float:
                return float(values(np.asarray(point)[:, np.newaxis], chosen, columns)[0])

            with np.errstate(all="ignore"):
                slopes[:, run] = approx_fprime(weight[:, run], at)
        return Estimate(slopes, None, np.full(runs, len(weight) + 1, dtype=np.int64))

    return gradient
