"""The functions a formula may use, as plain data.

A function is known here by name; its derivative rule lives in ``differentiate``, its code in the
emitters. ``where``, ``mean`` and ``sum`` are nodes of their own, listed in ``CONSTRUCTS``.
"""

from __future__ import annotations

from typing import NamedTuple


class Function(NamedTuple):
    """One entry of the list.

    Attributes
    ----------
    arguments
        Least and greatest number of arguments in a formula (None: no upper bound).
    analytic
        Whether it is complex-analytic on its real domain, so that the complex step applies.
    summary
        What it is, for the documentation.
    canonical
        The name that stands in the tree (``ln`` is stored as ``log``).
    """

    arguments: tuple[int, int | None]
    analytic: bool
    summary: str
    canonical: str = ""


FUNCTIONS: dict[str, Function] = {
    "sqrt": Function((1, 1), True, "square root; nan for negative arguments"),
    "exp": Function((1, 1), True, "e to the power x"),
    "log": Function((1, 1), True, "natural logarithm; −∞ at 0, nan below"),
    "ln": Function((1, 1), True, "natural logarithm, another name of log", canonical="log"),
    "log2": Function((1, 1), True, "logarithm to the base 2"),
    "log10": Function((1, 1), True, "logarithm to the base 10"),
    "sin": Function((1, 1), True, "sine, argument in radians"),
    "cos": Function((1, 1), True, "cosine, argument in radians"),
    "tan": Function((1, 1), True, "tangent, argument in radians"),
    "asin": Function((1, 1), True, "inverse sine, −π/2 to π/2"),
    "acos": Function((1, 1), True, "inverse cosine, 0 to π"),
    "atan": Function((1, 1), True, "inverse tangent, −π/2 to π/2"),
    "sinh": Function((1, 1), True, "hyperbolic sine"),
    "cosh": Function((1, 1), True, "hyperbolic cosine"),
    "tanh": Function((1, 1), True, "hyperbolic tangent"),
    "abs": Function((1, 1), False, "absolute value; its derivative at 0 is taken as 0"),
    "sign": Function((1, 1), False, "−1, 0 or 1; its derivative is taken as 0"),
    "max": Function((2, None), False, "largest argument; at a tie the derivatives are averaged"),
    "min": Function((2, None), False, "smallest argument; at a tie the derivatives are averaged"),
    "relu": Function((1, 1), False, "max(0, x); its derivative at 0 is taken as 0"),
    "sigmoid": Function((1, 1), True, "1/(1 + exp(−x))"),
    "softplus": Function((1, 1), True, "log(1 + exp(x)), without overflow"),
    "huber": Function((1, 2), False, "huber(x, d): x²/2 for |x| ≤ d, else d(|x| − d/2); d is 1 unless given"),
}

CONSTRUCTS: dict[str, Function] = {
    "where": Function((3, 3), False, "where(condition, a, b): a where the comparison holds, else b"),
    "mean": Function((1, 1), True, "mean over the rows of the data"),
    "sum": Function((1, 1), True, "sum over the rows of the data"),
}

CONSTANTS = ("pi", "e")
