"""The audits of :mod:`gdsim.critical.audits` in doubles, for what was found without proof."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from gdsim.critical.audits import Turning, alternation, index_sum
from gdsim.critical.numerical.landscape import Array, Landscape
from gdsim.critical.numerical.sampling import bound, certain_sign, slope
from gdsim.outcomes import Interval, Search

_AROUND = 256  # places on each edge of the domain at first
_DEEPEST = 20
_BETWEEN = (0.5, 0.3819, 0.7123)  # of a gap: where the sign is read
_TURN = math.pi / 3  # between two neighbouring places


def audited(landscape: Landscape, search: Search) -> Search:
    """Return the search, with the whole domain unresolved where an audit contradicts it.

    Examples
    --------
    >>> from gdsim.losses import Loss
    >>> landscape = Landscape(Loss.from_text("x^2 - y^2"), {"x": (-1.0, 1.0), "y": (-1.0, 1.0)})
    >>> audited(landscape, Search(landscape.domain)).unresolved[0]["reason"]
    'the gradient turns -1 times on the way round the domain, but the indices of the points found add ...'
    """
    doubt = ""
    if landscape.low.size == 1:
        doubt = alternation(search, lambda gap: _sign(landscape, gap))
    elif landscape.low.size == 2 and not search.unresolved:
        total = index_sum(search)
        winding = None if total is None else _winding(landscape)
        doubt = "" if total is None or winding is None else Turning(winding, total).contradiction
    if not doubt:
        return search
    entry = {"interval": dict(landscape.domain), "reason": doubt}
    return replace(search, unresolved=(*search.unresolved, entry))


def _sign(landscape: Landscape, gap: Interval) -> int:
    """The sign of f′ in a gap; 0 where rounding hides it."""
    low, high = gap
    if high - low < 1e-6 * landscape.width[0]:
        return 0
    at = low + np.array(_BETWEEN) * (high - low)
    signs = certain_sign(slope(landscape, at), bound(landscape, at))
    told = signs[np.abs(signs) == 1]
    return int(told[0]) if told.size else 0


def _winding(landscape: Landscape) -> int | None:
    """How often ∇f turns along the boundary, anticlockwise; None where it may turn by more between places."""
    share = np.linspace(0.0, 4.0, 4 * _AROUND + 1)
    for _ in range(_DEEPEST):
        slopes, bounds = landscape.judged_gradient(_around(landscape, share))
        if not (np.abs(slopes) > bounds).any(axis=0).all():  # hidden by rounding, or not finite
            return None
        angle = np.arctan2(slopes[1], slopes[0])
        turn = (np.diff(angle) + math.pi) % (2 * math.pi) - math.pi
        far = np.flatnonzero(np.abs(turn) > _TURN)
        if not far.size:
            return round(float(turn.sum()) / (2 * math.pi))
        share = np.sort(np.concatenate([share, 0.5 * (share[far] + share[far + 1])]))
    return None


def _around(landscape: Landscape, share: Array) -> Array:
    """The places of the boundary: 0 to 1 the lower edge, then anticlockwise to 4."""
    side = np.minimum(share.astype(int), 3)
    along = share - side
    one, zero = np.ones_like(share), np.zeros_like(share)
    x = np.choose(side, [along, one, 1 - along, zero])
    y = np.choose(side, [zero, along, one, 1 - along])
    places: Array = landscape.low[:, None] + landscape.width[:, None] * np.stack([x, y])
    return places
