"""What any list of critical points must agree with, and the kind that signs make: for both finders.

The signs of f′ and the turns of ∇f are read by whoever asks: in balls for a proof, in doubles without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from gdsim.outcomes import CriticalKind, CriticalPoint, Interval, Search

_SIGNS = {"minimum": (-1, 1), "maximum": (1, -1)}
_INDEX = {"minimum": 1, "maximum": 1, "saddle": -1}


def kind_between(before: float, after: float) -> CriticalKind:
    """The kind of a zero of f′ with these signs of f′ on its sides.

    >>> kind_between(-1, 1), kind_between(1, 1)
    ('minimum', 'inflection')
    """
    if before == after:
        return "inflection"
    return "minimum" if before < after else "maximum"


def kind_by_index(negative: int, weights: int) -> CriticalKind:
    """The kind of a zero of ∇f at which so many eigenvalues of the Hessian are negative and none is zero.

    >>> [kind_by_index(negative, 2) for negative in (0, 1, 2)]
    ['minimum', 'saddle', 'maximum']
    """
    return "minimum" if negative == 0 else "maximum" if negative == weights else "saddle"


def alternation(search: Search, sign: Callable[[Interval], int]) -> str:
    """Return what contradicts a search of one weight, empty where nothing does.

    Between two neighbouring points, or poles, jumps and edges, f′ has one sign. It must be negative before a
    minimum and positive behind it, the other way round at a maximum, alike on both sides of an inflection,
    and different at a kink. So minima and maxima alternate.

    Parameters
    ----------
    sign
        The sign of f′ in a gap, 0 where it is not told.

    Examples
    --------
    >>> point = CriticalPoint({"w": 0.0}, 0.0, "maximum", interval={"w": (0.0, 0.0)})
    >>> alternation(Search({"w": (-1.0, 1.0)}, (point,)), lambda gap: 1 if gap[0] >= 0 else -1)
    'f′ has the signs −, + round the maximum at w = 0: the search is in error'
    """
    ((weight, (low, high)),) = search.domain.items()
    marks = sorted(_marks(search, weight), key=lambda mark: mark[0])
    ends = [(low, low), *(interval for interval, _ in marks), (high, high)]
    signs = [sign((before[1], after[0])) for before, after in pairwise(ends)]
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
        place = point.weight[weight]
        yield point.interval.get(weight, (place, place)), point
    for stretch in (*search.singular, *search.unresolved):
        yield stretch["interval"][weight], None  # type: ignore[index]


def _agrees(kind: str, before: int, after: int) -> bool:
    if kind in _SIGNS:
        return (before, after) == _SIGNS[kind]
    if kind in ("flat", "undecided"):
        return True
    return (before == after) == (kind == "inflection")


@dataclass(frozen=True)
class Turning:
    """The turns of the gradient round the domain against the points that were found.

    Attributes
    ----------
    winding
        The winding number of ∇f along the boundary, anticlockwise.
    index_sum
        Minima and maxima count 1, saddles −1.
    """

    winding: int
    index_sum: int

    @property
    def contradiction(self) -> str:
        """What the numbers say of the search, empty where they are the same (Poincaré and Hopf)."""
        if self.winding == self.index_sum:
            return ""
        return (
            f"the gradient turns {self.winding} times on the way round the domain, "
            f"but the indices of the points found add up to {self.index_sum}: the search is in error"
        )


def index_sum(search: Search) -> int | None:
    """Σ of the indices of the points of two weights; None where one is degenerate or lies on the boundary."""
    points = search.critical_points
    if any(point.boundary or point.kind not in _INDEX or point.multiplicity != 1 for point in points):
        return None
    return sum(_INDEX[point.kind] for point in points)
