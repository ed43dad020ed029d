"""Critical points with proof, against searches without one, in the same run.

References on the same f′: a grid of 2,000 points with Brent's method in each bracket (SciPy); Chebyshev
interpolation of f′ with the zeros of the interpolant (NumPy); plain interval
Newton with mpmath.iv, as textbooks give it. None of them proves anything (mpmath.iv's exp is no enclosure),
none finds zeros of even order for sure.
"""

from __future__ import annotations

import math
import operator
import resource
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import mpmath
import numpy as np
from numpy.polynomial import Chebyshev
from scipy.optimize import brentq
from timing import clocked, paired, python, report

from gdsim.critical import find
from gdsim.expr.differentiate import derivative
from gdsim.expr.lower import Program, lower
from gdsim.losses import LOSSES, Loss, named_loss
from gdsim.outcomes import Search

PAIRS = 5
Finder = Callable[[Loss, float, float], object]
RIPPLES = {
    "w^4 - 2w^2": (-3.0, 3.0),
    "sin(10w)*exp(-w^2/10)": (-10.0, 10.0),
    "w^2 - 10*cos(2*pi*w)": (-5.12, 5.12),
    "sin(10*pi*w)/(2w) + (w - 1)^4": (0.5, 2.5),
    "(6w - 2)^2*sin(12w - 4)": (0.0, 1.0),
    "w^2 + 0.1*sin(50w)": (-3.0, 3.0),
    "sin(50w)": (-10.0, 10.0),
}


def grid_with_brent(loss: Loss, low: float, high: float) -> list[float]:
    """Zeros of f′ by sign changes on a grid."""
    at = np.linspace(low, high, 2001)
    values = loss.evaluate_gradient(at[None])[0]

    def slope(x: float) -> float:
        return float(loss.evaluate_gradient(np.array([[x]]))[0, 0])

    places = np.flatnonzero(values[:-1] * values[1:] < 0)
    return [brentq(slope, at[k], at[k + 1]) for k in places]


def chebyshev(loss: Loss, low: float, high: float) -> list[float]:
    """Zeros of an interpolant of f′ whose last coefficients are rounding."""
    degree = 16
    while True:
        fit = Chebyshev.interpolate(lambda x: loss.evaluate_gradient(x[None])[0], degree, domain=[low, high])
        size = np.abs(fit.coef)
        if size[-3:].max() < 1e-13 * size.max() or degree >= 2048:
            break
        degree *= 2
    roots = fit.roots()
    real = roots[np.abs(roots.imag) < 1e-9].real
    return sorted(real[(real >= low) & (real <= high)].tolist())


def interval_newton(loss: Loss, low: float, high: float) -> int:
    """Boxes with a zero of f′ by bisection and interval Newton in mpmath.iv."""
    first, second = lower([loss.gradient[0]]), lower([loss.hessian[0][0]])
    queue, found, boxes = [mpmath.iv.mpf([low, high])], 0, 0
    while queue and boxes < 20_000:
        x = queue.pop()
        boxes += 1
        value = _evaluate(first, x)
        if value.a > 0 or value.b < 0:
            continue
        slope = _evaluate(second, x)
        middle = mpmath.iv.mpf(x.mid)
        if slope.a > 0 or slope.b < 0:
            new = middle - _evaluate(first, middle) / slope
            if new.b < x.a or new.a > x.b:
                continue
            if new.a > x.a and new.b < x.b:
                found += 1
                continue
        if x.delta < 1e-9:
            continue
        queue += [mpmath.iv.mpf([x.a, middle.b]), mpmath.iv.mpf([middle.a, x.b])]
    return found


def _evaluate(program: Program, x: object) -> object:
    """The value of a program in mpmath.iv."""
    values: list[Any] = []
    for step in program.instructions:
        operands = [values[place] for place in step.operands]
        if step.operation in _OPERATORS:
            values.append(_OPERATORS[step.operation](*operands))
        elif step.operation == "number":
            values.append(mpmath.iv.mpf(step.payload.numerator) / step.payload.denominator)
        elif step.operation == "constant":
            values.append(mpmath.iv.pi)
        else:
            values.append(x if step.operation == "symbol" else getattr(mpmath.iv, step.operation)(*operands))
    return values[program.outputs[0]]


_OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "neg": operator.neg,
}  # fmt: skip

_COLD = """
import time
from gdsim.runs import compose, execute
from gdsim.scenario import load
import gdsim.simulation, gdsim.kernels.python_loop, gdsim.critical.numerical.one_dimension
scenario = load("double-well")
batch = compose(scenario)
gdsim.simulation.simulate(batch)
batch.loss.hessian
start = time.perf_counter()
from gdsim.critical.line.search import certify
certify(batch.loss, scenario.domain)
print(time.perf_counter() - start)
"""


def named_losses() -> None:
    """Print the median time of a search for the losses of the library, in a warm process."""
    times = []
    for name in LOSSES:
        loss = named_loss(name)
        find(loss, loss.domain)
        times.append((median(clocked(partial(anew, loss)) for _ in range(3)), name))
    times.sort()
    slowest = ", ".join(f"{name} {1e3 * seconds:.0f} ms" for seconds, name in times[-3:])
    middle = 1e3 * times[len(times) // 2][0]
    print(f"{len(times)} named losses: median {middle:.1f} ms (target 20); slowest {slowest}")


def anew(loss: Loss) -> Search:
    """The search of a loss of which nothing is remembered."""
    derivative.cache_clear()
    return find(loss, loss.domain)


def from_formula(finder: Finder, formula: str, low: float, high: float) -> object:
    """What a finder makes of a formula: it has to read, differentiate and compile it, as each must."""
    derivative.cache_clear()
    return finder(Loss.from_text(formula), low, high)


def certified(loss: Loss, low: float, high: float) -> Search:
    """Ours."""
    return find(loss, {"w": (low, high)})


def main() -> None:
    """Print every figure."""
    named_losses()
    for name in ("himmelblau", "rastrigin_2d"):
        loss = named_loss(name)
        points = len(anew(loss).critical_points)
        print(f"{name}: {median(clocked(partial(anew, loss)) for _ in range(3)):.3f} s, {points} points")
    ratios: dict[str, list[float]] = {}
    for formula, (low, high) in RIPPLES.items():
        ours = partial(from_formula, certified, formula, low, high)
        for name, other in (("grid", grid_with_brent), ("Chebyshev", chebyshev), ("iv", interval_newton)):
            theirs = partial(from_formula, other, formula, low, high)
            times = paired(ours, theirs, 1 if name == "iv" else PAIRS)
            ratios.setdefault(name, []).append(times[2])
            report(f"{formula}, over {name}", *times, None)
    for name, limit in (("grid", 3.0), ("Chebyshev", math.inf), ("iv", math.inf)):
        target = f"  target {limit:g}" if limit < math.inf else ""
        print(f"median ratio over {name}: {median(ratios[name]):.2f}{target}")
    fresh = python("-c", _COLD)
    cold = [float(fresh()) for _ in range(8)][1:]  # the first compiles
    print(f"what the proof adds to a run in a fresh process: {1e3 * median(cold):.0f} ms (target 60)")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB (target 300)")


if __name__ == "__main__":
    main()
