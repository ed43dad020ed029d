"""Measure derivative methods on the published test set and write the table of docs/derivatives.md.

    python tests/benchmarks/derivative_accuracy.py            # print the table
    python tests/benchmarks/derivative_accuracy.py --write    # and put it into docs/derivatives.md

Needs gdsim, numdifftools, jacobi, mpmath and PyTorch (``pip install -e '.[dev,torch]'``). Nothing in it
depends on speed or chance, so two runs with the same versions print the same table.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from mpmath import mpf

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1])]

from derivative_problems import PROBLEMS, WEIGHTS, Problem, exact_derivative  # noqa: E402

from gdsim.derivatives import DerivativeMethod, derivative_method  # noqa: E402
from gdsim.derivatives.evaluation import loss_values  # noqa: E402
from gdsim.derivatives.rounding import rounding_bound  # noqa: E402
from gdsim.losses import Loss  # noqa: E402

PAGE = HERE.parents[2] / "docs" / "derivatives.md"
BEGIN, END = "<!-- accuracy table: begin -->", "<!-- accuracy table: end -->"
Measured = tuple[float, float | None, float]  # derivative, error estimate, evaluations
Method = Callable[[Loss, float], Measured]


def ours(method: DerivativeMethod) -> Method:
    def measure(loss: Loss, weight: float) -> Measured:
        estimate = method.bind(loss)(np.array([[weight]]), {}, None)
        error = None if estimate.error is None else float(estimate.error[0, 0])
        return float(estimate.gradient[0, 0]), error, float(estimate.evaluations[0])

    return measure


def counted(loss: Loss) -> tuple[Callable[[np.ndarray], np.ndarray], list[int]]:
    values, count = loss_values(loss), [0]

    def function(weight: np.ndarray) -> np.ndarray:
        points = np.asarray(weight, dtype=np.float64)
        count[0] += points.size
        return values(points.reshape(1, -1), {}, None).reshape(points.shape)

    return function, count


def numdifftools(loss: Loss, weight: float) -> Measured:
    import numdifftools

    function, count = counted(loss)
    result = numdifftools.Derivative(function, full_output=True)(weight)
    return float(result.estimate), float(result.error_estimate), count[0]


def jacobi(loss: Loss, weight: float) -> Measured:
    from jacobi import jacobi as derive

    function, count = counted(loss)
    value, error = derive(lambda w: function(w), weight)
    return float(np.ravel(value)[0]), float(np.ravel(error)[0]), count[0]


def scipy_derivative(loss: Loss, weight: float) -> Measured:
    from scipy.differentiate import derivative

    function, count = counted(loss)
    result = derivative(function, weight)
    return float(result.df), float(result.error), count[0]


SCHEMES = ("forward", "backward", "central", "five_point", "richardson", "complex_step")
METHODS: dict[str, Method] = {
    "`analytic`": ours(derivative_method("analytic")),
    "`torch`": ours(derivative_method("torch")),
    **{f"`numeric` {scheme}": ours(derivative_method("numeric", scheme=scheme)) for scheme in SCHEMES[::-1]},
    "`numeric` forward, step 1e-5": ours(derivative_method("numeric", scheme="forward", step=1e-5)),
    "`numeric` central, step 1e-5": ours(derivative_method("numeric", scheme="central", step=1e-5)),
    "`scipy` derivative": ours(derivative_method("scipy", routine="derivative")),
    "`scipy` approx_fprime": ours(derivative_method("scipy", routine="approx_fprime")),
    f"numdifftools {version('numdifftools')}": numdifftools,
    f"jacobi {version('jacobi')}": jacobi,
    f"scipy.differentiate {version('scipy')}, its error as reported": scipy_derivative,
}


def pairs() -> list[tuple[Problem, Loss, float, mpf, bool]]:
    found = []
    for problem in PROBLEMS:
        loss = Loss.from_text(problem.text)
        values = loss_values(loss)(np.array([WEIGHTS]), {}, None)
        noise = rounding_bound(loss)(np.array([WEIGHTS]), {}, None)
        for weight, value, bound in zip(WEIGHTS, values, noise, strict=True):
            exact = exact_derivative(problem, weight)
            if exact is not None and np.isfinite(value):
                well = bool(bound <= 1e-12 * abs(exact) * max(1.0, abs(weight)))
                found.append((problem, loss, weight, exact, well))
    return found


def row(name: str, method: Method, cases: list[tuple[Problem, Loss, float, mpf, bool]]) -> str:
    relative, well, calls, bounded = [], [], [], []
    for _, loss, weight, exact, well_conditioned in cases:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peers warn of overflow and of points outside the domain
            try:
                value, error, count = method(loss, weight)
            except (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError):
                value, error, count = np.nan, np.inf, np.nan
        true = abs(mpf(value) - exact) if np.isfinite(value) else mpf("inf")
        if abs(exact) > mpf(10) ** -180:
            relative.append(float(true / abs(exact)))
            if well_conditioned:
                well.append(relative[-1])
        calls.append(count)
        if error is not None:
            bounded.append(bool(error >= true))
    share = "—" if not bounded else f"{sum(bounded)} of {len(bounded)}"
    return (
        f"| {name} | {np.median(relative):.1e} | {np.quantile(relative, 0.9):.1e} | {max(well):.1e} "
        f"| {np.nanmedian(calls):.0f} | {share} |"
    )


def table() -> str:
    cases = pairs()
    kept = sum(1 for case in cases if case[-1])
    lines = [
        f"{len(PROBLEMS)} losses, {len(WEIGHTS)} weights from −1e8 to 1e8: {len(cases)} pairs at which "
        f"loss and derivative are finite, {kept} of them well conditioned (rounding moves the loss by at "
        "most 10⁻¹²·|f′|·max(1, |w|)).",
        "",
        "| method | median | 90 % | max, well conditioned | evaluations | estimate ≥ error |",
        "| --- | --- | --- | --- | --- | --- |",
        *(row(name, method, cases) for name, method in METHODS.items()),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    text = table()
    print(text)
    if "--write" in sys.argv:
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        after = rest.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
