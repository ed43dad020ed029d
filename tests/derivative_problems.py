"""The published test set for derivative methods, with exact answers from mpmath at 50 digits.

Sources: GMSW — Gill, Murray, Saunders & Wright, SIAM J. Sci. Stat. Comput. 4 (1983) 310–321, eq. 4; SXXN —
Shi, Xie, Xuan & Nocedal, SIAM J. Sci. Comput. 44 (2022) A2302–A2321, p. 14; ST — Squire & Trapp, SIAM
Rev. 40 (1998) 110–112, after Lyness & Moler (1967); GL — Gramacy & Lee, Stat. Comput. 22 (2012)
713–722; elementary — one elementary function each, as in every such collection; gdsim — chosen here to
be hard: ripples, saturation, cancellation inside the loss, poles, steep exponentials.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import mpmath
from mpmath import mp, mpf


@dataclass(frozen=True)
class Problem:
    """A loss as text and as an mpmath function, and where it is defined."""

    text: str
    function: Callable[[mpf], mpf]
    source: str
    domain: tuple[float, float] = (-math.inf, math.inf)


POSITIVE = (1e-300, math.inf)
PROBLEMS: tuple[Problem, ...] = (
    Problem("w^2", lambda w: w**2, "elementary"),
    Problem("w^(9/2)", lambda w: w ** (mpf(9) / 2), "ST", POSITIVE),
    Problem("1/w", lambda w: 1 / w, "elementary"),
    Problem("w^(1/3)", lambda w: w ** (mpf(1) / 3), "elementary", POSITIVE),
    Problem("sqrt(w)", mp.sqrt, "elementary", POSITIVE),
    Problem("exp(w)", mp.exp, "elementary"),
    Problem("log(w)", mp.log, "elementary", POSITIVE),
    Problem("sin(w)", mp.sin, "elementary"),
    Problem("tan(w)", mp.tan, "elementary"),
    Problem("asin(w)", mp.asin, "elementary", (-0.99, 0.99)),
    Problem("atan(w)", mp.atan, "elementary"),
    Problem("cosh(w/10)", lambda w: mp.cosh(w / 10), "elementary"),
    Problem("exp(-w/1000000)", lambda w: mp.exp(-w / 10**6), "elementary"),
    Problem(
        "(exp(w) - 1)^2 + (1/sqrt(1 + w^2) - 1)^2",
        lambda w: (mp.exp(w) - 1) ** 2 + (1 / mp.sqrt(1 + w**2) - 1) ** 2,
        "GMSW",
    ),
    Problem("(exp(w) - 1)^2", lambda w: (mp.exp(w) - 1) ** 2, "SXXN"),
    Problem("exp(100w)", lambda w: mp.exp(100 * w), "SXXN"),
    Problem("w^4 + 3w^2 - 10w", lambda w: w**4 + 3 * w**2 - 10 * w, "SXXN"),
    Problem("10000w^3 + 0.01w^2 + 5w", lambda w: 10000 * w**3 + w**2 / 100 + 5 * w, "SXXN"),
    Problem(
        "exp(w)/(sin(w)^3 + cos(w)^3)",
        lambda w: mp.exp(w) / (mp.sin(w) ** 3 + mp.cos(w) ** 3),
        "ST",
    ),
    Problem(
        "sin(10*pi*w)/(2w) + (w - 1)^4",
        lambda w: mp.sin(10 * mp.pi * w) / (2 * w) + (w - 1) ** 4,
        "GL",
        (0.5, 2.5),
    ),
    Problem("sin(50w)", lambda w: mp.sin(50 * w), "gdsim"),
    Problem("sin(1/w)", lambda w: mp.sin(1 / w), "gdsim"),
    Problem("tanh(5w)", lambda w: mp.tanh(5 * w), "gdsim"),
    Problem("sigmoid(w)", lambda w: 1 / (1 + mp.exp(-w)), "gdsim"),
    Problem("softplus(w)", lambda w: mp.log(1 + mp.exp(w)), "gdsim"),
    Problem("exp(-w^2)", lambda w: mp.exp(-(w**2)), "gdsim"),
    Problem("10 + w^2 - 10cos(2*pi*w)", lambda w: 10 + w**2 - 10 * mp.cos(2 * mp.pi * w), "gdsim"),
    Problem("1000000 + sin(w)", lambda w: 10**6 + mp.sin(w), "gdsim"),
    Problem(
        "w^6 - 6w^5 + 15w^4 - 20w^3 + 15w^2 - 6w + 1",  # (w − 1)⁶ multiplied out
        lambda w: (w - 1) ** 6,
        "gdsim",
    ),
    Problem("(1 - cos(w))/w^2", lambda w: (1 - mp.cos(w)) / w**2, "gdsim"),
    Problem("log(1 + w^2)", lambda w: mp.log(1 + w**2), "gdsim"),
    Problem("1/(1 + 25w^2)", lambda w: 1 / (1 + 25 * w**2), "gdsim"),
    Problem("(w^2 - 1)^2", lambda w: (w**2 - 1) ** 2, "gdsim"),
    Problem("w^w", lambda w: w**w, "gdsim", POSITIVE),
    Problem("100000000w + 3", lambda w: 10**8 * w + 3, "gdsim"),
)

DECADES = tuple(sign * 10.0**power for power in range(-8, 9) for sign in (1, -1))
BETWEEN = (0.0, 0.3, -0.7, 0.99999, 1.5, 2.5, 3.0, 4.0, -7.3, -8.0, 30.0, 1234.5, 7.77777e-5, -3.3e4)
WEIGHTS = DECADES + BETWEEN


def exact_derivative(problem: Problem, weight: float) -> mpf | None:
    """f′(w) to 50 digits and more, or None where it does not exist or leaves the range of a double."""
    if not problem.domain[0] <= weight <= problem.domain[1]:
        return None
    with mpmath.workdps(200):  # the difference below has a relative error of about 10⁻⁶⁰
        w = mpf(weight)
        try:
            problem.function(w)
            slope = mp.diff(problem.function, w, h=mpf(10) ** -60 * max(abs(w), mpf(10) ** -8))
        except (ZeroDivisionError, OverflowError, ValueError):
            return None
        if not isinstance(slope, mpf) or not mp.isfinite(slope) or not abs(slope) < mpf(10) ** 290:
            return None
        return slope
