"""Write down the boxes of a search of several weights so that the checker closes them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from typing import Any

from flint import ctx

from gdsim.critical.budget import Budget
from gdsim.critical.certificates.document import Refused
from gdsim.critical.certificates.space_checker import check_point, corners_of, is_outside
from gdsim.critical.certificates.space_cover import Box
from gdsim.critical.certificates.space_tests import FINE, Leaf, SpaceTests, Unproved, Zero, holds
from gdsim.critical.space import search as space
from gdsim.critical.space.scaling import scaling
from gdsim.critical.written import WrittenLoss
from gdsim.losses import Loss
from gdsim.outcomes import CriticalPoint, Interval, Search

_FINER = (128, 256)  # bits, should a test not succeed again with those of the search
_LARGEST = 10_000  # denominator of an exact place
_BUDGET = Budget()


def leaves(
    loss: Loss, domain: Mapping[str, Interval], budget: Budget = _BUDGET
) -> tuple[Search, list[dict[str, Any]]]:
    """Search, and return what is found with the boxes that show it.

    Returns
    -------
    tuple
        The search, and its leaves as plain data. A point is ``"certified"`` and the search ``complete`` only
        as far as :func:`gdsim.critical.certificates.space_checker.check` agrees: each test is made again.

    Notes
    -----
    Cost: a search and a check, without that of the cover.

    Examples
    --------
    >>> search, found = leaves(Loss.from_text("x^2 + y^2"), {"x": (1, 2), "y": (0, 1)})
    >>> search.complete, found
    (True, [{'box': [[0.9999999999999991, -8.881784197001252e-16], [2.0000000000000018, 1.0000000000000009]],
             'test': 'gradient', 'bits': 53}])
    """
    found, boxes = space.certify_with_leaves(loss, domain, budget)
    writer = _Writer(WrittenLoss.of(loss), found)
    closed = [writer.closed(box) for box in boxes]
    with ctx.workprec(FINE):
        unclaimed = writer.unclaimed([zero for _, zero in closed if zero is not None])
    written = [
        Leaf(leaf.box, "left", leaf.bits) if zero is not None and id(zero) in unclaimed else leaf
        for leaf, zero in closed
    ]
    return writer.search(written), [_plain(leaf) for leaf in written]


class _Writer:
    def __init__(self, written: WrittenLoss, found: Search) -> None:
        self.tests, self.found = SpaceTests(written), found
        self.names = written.weights
        self.domain = [found.domain[name] for name in self.names]
        self.points = list(found.critical_points)
        self.shown: set[int] = set()

    def closed(self, leaf: space.Leaf) -> tuple[Leaf, Zero | None]:
        """A box of the search with the zero that it shows; left, where the checker would not close it."""
        box = _doubles(leaf.low, leaf.high)
        inflated = None if leaf.inflated is None else _doubles(*leaf.inflated)
        tried = [Leaf(box, leaf.test, bits, inflated) for bits in (leaf.precision, *_FINER)]
        if leaf.test == "degenerate":
            tried = [self._scaled(box, point) for point in self.points if point.multiplicity is None]
        for again in tried:
            try:
                return again, self.tests.show(again)
            except Unproved:
                continue
        return Leaf(box, "left", leaf.precision), None

    def _scaled(self, box: Box, point: CriticalPoint) -> Leaf:
        place = tuple(Fraction(point.weight[name]).limit_denominator(_LARGEST) for name in self.names)
        exponents = scaling(self.tests.written, place)
        if exponents is None:
            return Leaf(box, "left", FINE)
        middle = [point.weight[name] for name in self.names]
        widths = [b - a for a, b in self.domain]
        frame = tuple(
            tuple(m + side * width for m, width in zip(middle, widths, strict=True)) for side in (-1, 1)
        )
        return Leaf(box, "scaled", FINE, (frame[0], frame[1]), place, exponents)

    def unclaimed(self, zeros: Sequence[Zero]) -> set[int]:
        """The zeros in the domain that are none of the points; those that are make theirs shown."""
        missing: set[int] = set()
        for zero in {id(zero): zero for zero in zeros}.values():
            low, high = corners_of(zero.enclosure)
            if is_outside(low, high, self.domain):
                continue
            if not any(self._show(place, zero, (low, high)) for place in self._near(low, high)):
                missing.add(id(zero))
        return missing

    def _near(self, low: Sequence[float], high: Sequence[float]) -> list[int]:
        return [
            place
            for place, point in enumerate(self.points)
            if point.proof == "certified"
            and all(
                point.interval[name][0] <= b and a <= point.interval[name][1]
                for name, a, b in zip(self.names, low, high, strict=True)
            )
        ]

    def _show(self, place: int, zero: Zero, around: Box) -> bool:
        """Whether a zero is one of the points; its interval is made to hold what the checker finds."""
        point = self.points[place]
        ends = {
            name: (min(point.interval[name][0], a), max(point.interval[name][1], b))
            for name, a, b in zip(self.names, *around, strict=True)
        }
        corners = tuple(a for a, _ in ends.values()), tuple(b for _, b in ends.values())
        if not holds(zero.region, corners):
            return False
        try:
            check_point(self.tests, asdict(point), zero, self.domain, "a point")
        except Refused:
            return False
        self.points[place] = replace(point, interval=ends)
        self.shown.add(place)
        return True

    def search(self, written: Sequence[Leaf]) -> Search:
        """What the search found, as far as the leaves show it."""
        points = tuple(
            point if point.proof == "numerical" or place in self.shown else replace(point, proof="numerical")
            for place, point in enumerate(self.points)
        )
        lost = [point for point, old in zip(points, self.points, strict=True) if point.proof != old.proof]
        if not self.found.complete or not (lost or any(map(self.tests.is_open, written))):
            return replace(self.found, critical_points=points)
        whole = {
            "interval": dict(self.found.domain),
            "reason": "the certificate's tests do not show all of it",
        }
        return replace(self.found, critical_points=points, complete=False, unresolved=(whole,))


def _doubles(low: Sequence[Fraction], high: Sequence[Fraction]) -> Box:
    return tuple(map(float, low)), tuple(map(float, high))


def _plain(leaf: Leaf) -> dict[str, Any]:
    plain: dict[str, Any] = {"box": list(map(list, leaf.box)), "test": leaf.test, "bits": leaf.bits}
    if leaf.inflated is not None:
        plain["inflated"] = list(map(list, leaf.inflated))
    if leaf.test == "scaled":
        plain["place"], plain["scaling"] = list(map(str, leaf.place)), list(map(str, leaf.scaling))
    return plain
