"""Whether minima and maxima alternate, by signs of f′ read anew: a check of a search of one weight.

Nothing here is shared with the search but the formula as it is written: it is not cut, not factored, not
simplified. An error in the search shows as a disagreement.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from flint import arb, ctx

from gdsim.critical.written import WrittenLoss
from gdsim.expr.emit_ball import BallFunction
from gdsim.outcomes import CriticalPoint, Interval, Search

_LADDER = (128, 600)
_BETWEEN = (0.5, 0.3819, 0.7123)  # of a gap: where the sign is read; one place may be a hidden edge

_SIGNS = {"minimum": (-1, 1), "maximum": (1, -1)}


def audit(written: WrittenLoss, search: Search) -> str:
    """Return what contradicts a search of one weight, empty where nothing does.

    Between two neighbouring points, or poles, jumps and edges, f′ has one sign. It must be negative before a
    minimum and positive behind it, the other way round at a maximum, alike on both sides of an inflection,
    and different at a kink. So minima and maxima alternate. Where the loss is not defined, or the sign is not
    told at 600 bits, nothing is compared.

    Notes
    -----
    Cost: one evaluation of f′ for each gap.

    Examples
    --------
    >>> from gdsim.losses import Loss
    >>> point = CriticalPoint({"w": 0.0}, 0.0, "maximum", "certified", interval={"w": (0.0, 0.0)})
    >>> audit(WrittenLoss.of(Loss.from_text("w^2")), Search({"w": (-1.0, 1.0)}, (point,), True))
    'f′ has the signs −, + round the maximum at w = 0: the search is in error'
    """
    (weight,) = written.weights
    slope = BallFunction(written.gradient, written.weights, written.data)
    marks = sorted(_marks(search, weight), key=lambda mark: mark[0])
    (low, high) = search.domain[weight]
    gaps = [
        (before[0][1], after[0][0])
        for before, after in pairwise([((low, low), None), *marks, ((high, high), None)])
    ]
    signs = [_sign(slope, gap) for gap in gaps]
    for (_, point), before, after in zip(marks, signs, signs[1:], strict=False):
        if point is not None and before and after and not _agrees(point.kind, before, after):
            words = {1: "+", -1: "−"}
            return (
                f"f′ has the signs {words[before]}, {words[after]} round the {point.kind} at {weight} = "
                f"{point.weight[weight]:g}: the search is in error"
            )
    return ""


def _marks(search: Search, weight: str) -> Iterator[tuple[Interval, CriticalPoint | None]]:
    for point in search.critical_points:
        yield point.interval[weight], point
    for stretch in (*search.singular, *search.unresolved):
        yield stretch["interval"][weight], None  # type: ignore[index]


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


def _agrees(kind: str, before: int, after: int) -> bool:
    if kind in _SIGNS:
        return (before, after) == _SIGNS[kind]
    if kind == "flat":
        return True
    return (before == after) == (kind == "inflection")
