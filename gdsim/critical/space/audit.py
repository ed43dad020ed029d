"""How often the gradient turns on the way round a box, by ball arithmetic: a count to check a search by.

Nothing here is shared with the search but the formula: an error in the search shows as a disagreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import ctx

from gdsim.critical.audits import Turning, index_sum
from gdsim.critical.switches import switching_functions
from gdsim.critical.written import WrittenLoss
from gdsim.expr.emit_ball import Ball, BallFunction, ball
from gdsim.expr.nodes import symbols
from gdsim.outcomes import Search

_PRECISION = 128
_DEEPEST = 40  # halvings of an edge: beyond, a zero lies on it, as far as this arithmetic can tell
_MOST = 20_000  # pieces of an edge

Corner = tuple[Fraction, Fraction]


def winding_number(
    gradient: BallFunction, low: Corner, high: Corner, precision: int = _PRECISION, most: int = _MOST
) -> int | None:
    """Return how often (∂f/∂x, ∂f/∂y) turns round zero along the boundary of a box, anticlockwise.

    Each edge is halved until a ball shows one component of the gradient to have one sign on each piece: the
    gradient then points into a half plane with the direction right, up, left or down at its middle. Where
    two pieces meet it points into both half planes, so that their directions are equal or a quarter turn
    apart, and the quarter turns add up to four for each full turn.

    Returns
    -------
    int or None
        None where the boundary holds a zero or comes too near to one.

    Notes
    -----
    By the theorem of Poincaré and Hopf the number is the sum of the indices of the critical points inside.
    Cost: one call of the gradient for each piece, some ten to a hundred pieces for each edge.
    Source: N. G. Lloyd, Degree Theory (1978), §1.2; R. B. Kearfott, Rigorous Global Search (1996), §1.5.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> saddle = BallFunction([parse("2x"), parse("-2y")], ["x", "y"])
    >>> winding_number(saddle, (Fraction(-1), Fraction(-1)), (Fraction(1), Fraction(1)))
    -1
    """
    corners = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
    directions: list[int] = []
    with ctx.workprec(precision):
        for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
            along = _directions(gradient, start, end, most)
            if along is None:
                return None
            directions += along
    turns = 0
    for before, after in zip(directions, [*directions[1:], directions[0]], strict=True):
        turn = (after - before) % 4
        if turn == 2:  # cannot be of a continuous gradient
            return None
        turns += -1 if turn == 3 else turn
    return turns // 4


def _directions(gradient: BallFunction, start: Corner, end: Corner, most: int) -> list[int] | None:
    """The half planes (0 right, 1 up, 2 left, 3 down) into which the gradient points, along an edge."""
    found: list[int] = []
    pieces = [(Fraction(0), Fraction(1), 0)]
    looked_at = 0
    while pieces:
        first, last, depth = pieces.pop()
        looked_at += 1
        if depth > _DEEPEST or looked_at > most:
            return None
        slope = gradient(*(_between(a, b, first, last) for a, b in zip(start, end, strict=True)))
        direction = _half_plane(slope)
        if direction is None:
            middle = (first + last) / 2
            pieces += [(middle, last, depth + 1), (first, middle, depth + 1)]
        else:
            found.append(direction)
    return found


def _between(start: Fraction, end: Fraction, first: Fraction, last: Fraction) -> Ball:
    """One coordinate on a piece of an edge."""
    if start == end:
        return ball(start)
    return ball(start + first * (end - start)).union(ball(start + last * (end - start)))


def _half_plane(slope: Sequence[Ball]) -> int | None:
    right, up = slope
    if right > 0:
        return 0
    if right < 0:
        return 2
    return 1 if up > 0 else 3 if up < 0 else None


def audit(written: WrittenLoss, low: Corner, high: Corner, search: Search) -> Turning | None:
    """Compare a complete search of two weights with the winding number of the gradient.

    Returns
    -------
    Turning or None
        None where the comparison says nothing: the search is not complete, the formula has kinks or poles
        in the domain, or a critical point lies on the boundary or too near to it.

    Examples
    --------
    >>> from gdsim.losses import Loss
    >>> from gdsim.outcomes import CriticalPoint
    >>> written = WrittenLoss.of(Loss.from_text("x^2 + y^2"))
    >>> nothing = Search({}, (), complete=True)
    >>> audit(written, (Fraction(-1), Fraction(-1)), (Fraction(1), Fraction(1)), nothing)
    Turning(winding=1, index_sum=0)
    """
    total = index_sum(search)
    if not search.complete or total is None:
        return None
    if not _is_smooth(written, low, high):
        return None
    gradient = BallFunction(written.gradient, written.weights, written.data)
    winding = winding_number(gradient, low, high)
    return None if winding is None else Turning(winding, total)


def _is_smooth(written: WrittenLoss, low: Corner, high: Corner) -> bool:
    """Whether no switching function of the formula can vanish in the domain."""
    switches = switching_functions(written.expression)
    if not switches:
        return True
    if any(symbols(switch, "column") for switch in switches):
        return False
    values = BallFunction(switches, written.weights, written.data)
    signs = values(*(ball(a).union(ball(b)) for a, b in zip(low, high, strict=True)))
    return all(value > 0 or value < 0 for value in signs)
