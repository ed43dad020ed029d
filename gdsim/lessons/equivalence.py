"""Whether two formulas are the same function: by exact algebra, else at many points, else nobody knows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Literal

from flint import ctx

from gdsim.critical.certificates.identity import is_product
from gdsim.expr.algebra import add, negate
from gdsim.expr.emit_ball import BallFunction, ball
from gdsim.expr.nodes import ONE, ZERO, Compare, Expr, symbols, walk
from gdsim.expr.simplify import simplify

#: ``proved``: equal by exact algebra; ``agree``: equal at every point tried, to 50 digits, and not proved;
#: ``differ``: unequal at a point, which is a proof; ``unknown``: hardly a point where both have a value
Likeness = Literal["proved", "agree", "differ", "unknown"]

_BITS = 256
_CLOSE = Fraction(1, 10**50)  # of the larger of 1 and the values
_ENOUGH = 12  # points where both have a value
_POINTS = 48


def likeness(first: Expr, second: Expr, weights: Sequence[str] | None = None) -> Likeness:
    """Tell whether two formulas are the same function of their weights.

    Parameters
    ----------
    first, second
        Trees without parameters and columns of data.
    weights
        The names of the weights; by default those of both formulas.

    Returns
    -------
    Likeness
        ``"differ"`` where their values differ at one point, or where one has a value at most points at
        which the other has none.

    Notes
    -----
    First the difference is simplified and both are expanded as rational functions of their kernels, which
    proves equality. Then both are enclosed by balls of 256 bits at up to 48 rational points: two balls apart
    are a proof that they differ; two balls that meet at all points are none that they do not.
    Cost: some milliseconds.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> likeness(parse("(x + 1)^2"), parse("x^2 + 2x + 1")), likeness(parse("2x"), parse("x^2"))
    ('proved', 'differ')
    """
    names = list(weights if weights is not None else dict.fromkeys([*symbols(first), *symbols(second)]))
    verdict = _at_points(first, second, names)
    if verdict == "differ" or _has_choice(first) or _has_choice(second):
        return verdict
    if simplify(add((simplify(first), negate(simplify(second))))) == ZERO:
        return "proved"
    return "proved" if is_product(first, ONE, [(second, 1)]) else verdict


def _has_choice(expr: Expr) -> bool:
    """Whether pieces are chosen by a comparison; exact algebra does not look into both."""
    return any(isinstance(node, Compare) for node in walk(expr))


def _at_points(first: Expr, second: Expr, names: Sequence[str]) -> Likeness:
    function = BallFunction([first, second], names)
    both = one = 0
    with ctx.workprec(_BITS):
        for point in itertools.islice(points(len(names)), _POINTS if names else 1):
            left, right = function(*map(ball, point))
            if left.is_finite() and right.is_finite():
                if _apart(left, right):
                    return "differ"
                both += _close(left, right)
            elif left.is_finite() != right.is_finite():
                one += 1
    if one > both:
        return "differ"
    return "agree" if both >= min(_ENOUGH, _POINTS if names else 1) else "unknown"


def _apart(left: Any, right: Any) -> bool:
    """Whether two values are different numbers for sure."""
    return bool((left - right).abs_lower() > 0)


def _close(left: Any, right: Any) -> bool:
    """Whether two values are known well enough for their meeting to say something."""
    return bool((left - right).abs_upper() < ball(_CLOSE) * (1 + left.abs_upper()))


def points(weights: int) -> Iterator[tuple[Fraction, ...]]:
    """Yield rational points, small and large, of all signs; always the same ones.

    None is a whole number or a simple fraction, at which formulas that differ may meet.

    >>> [round(float(x), 3) for (x,), _ in zip(points(1), range(3))]
    [0.382, -0.757, 1.132]
    """
    golden = (Fraction(55, 144), Fraction(109, 288), Fraction(73, 192), Fraction(91, 240))
    for count in itertools.count():
        yield tuple(
            (1 - 2 * (count >> place & 1)) * (golden[place % 4] + Fraction(3 * count * (place + 1), 8) % 9)
            for place in range(weights)
        )
