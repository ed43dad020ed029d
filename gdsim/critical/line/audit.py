"""Whether minima and maxima alternate, by signs of f′ read anew: a check of a search of one weight.

Nothing here is shared with the search but the formula as it is written: it is not cut, not factored, not
simplified. An error in the search shows as a disagreement.
"""

from __future__ import annotations

from flint import arb, ctx

from gdsim.critical.audits import alternation
from gdsim.critical.written import WrittenLoss
from gdsim.expr.emit_ball import BallFunction
from gdsim.outcomes import Interval, Search

_LADDER = (128, 600)
_BETWEEN = (0.5, 0.3819, 0.7123)  # of a gap: where the sign is read; one place may be a hidden edge


def audit(written: WrittenLoss, search: Search) -> str:
    """Return what contradicts a search of one weight, empty where nothing does.

    Where the loss is not defined, or the sign of f′ is not told at 600 bits, nothing is compared.

    Notes
    -----
    Cost: one evaluation of f′ for each gap.

    Examples
    --------
    >>> from gdsim.losses import Loss
    >>> from gdsim.outcomes import CriticalPoint
    >>> point = CriticalPoint({"w": 0.0}, 0.0, "maximum", "certified", interval={"w": (0.0, 0.0)})
    >>> audit(WrittenLoss.of(Loss.from_text("w^2")), Search({"w": (-1.0, 1.0)}, (point,), True))
    'f′ has the signs −, + round the maximum at w = 0: the search is in error'
    """
    slope = BallFunction(written.gradient, written.weights, written.data)
    return alternation(search, lambda gap: _sign(slope, gap))


def _sign(slope: BallFunction, gap: Interval) -> int:
    """The sign of f′ in a gap; 0 where there is no room in it or it is not told."""
    low, high = gap
    for share in _BETWEEN:
        place = low + share * (high - low)
        if not low < place < high:
            continue
        for precision in _LADDER:
            with ctx.workprec(precision):
                (value,) = slope(arb(place))
                if value > 0 or value < 0:
                    return 1 if value > 0 else -1
    return 0
