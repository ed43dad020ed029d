"""Check a certificate for one weight again: its boxes cover the domain, so the points in them are all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flint import arb, ctx

from gdsim.critical.certificates.document import Refused
from gdsim.critical.certificates.line_tests import FINE, BoxTests, Shown, Unproved, read_leaf
from gdsim.critical.written import WrittenLoss
from gdsim.expr.emit_ball import Ball
from gdsim.outcomes import Interval

_ULPS = 4  # of its larger end: so much wider than the domain is what the boxes must cover


def check(
    written: WrittenLoss,
    domain: Interval,
    points: Sequence[Mapping[str, Any]],
    complete: bool,
    leaves: Sequence[Mapping[str, Any]],
    factorings: Sequence[Mapping[str, Any]],
) -> Counter[str]:
    """Check a certificate for one weight again.

    Returns
    -------
    Counter
        How many boxes passed each test.

    Raises
    ------
    Refused
        For a box whose test fails, boxes that leave a gap, points that are not those in the boxes, or a claim
        of completeness with a box about which nothing is shown.

    Notes
    -----
    Cost: some 0.1 ms for each box, and some milliseconds to compile each formula.
    """
    checker = BoxTests(written, factorings)
    cover(leaves, domain)
    shown: list[tuple[float, float, Shown]] = []
    for place, leaf in enumerate(leaves):
        try:
            shown.append((*leaf["box"], checker.show(leaf)))
        except Unproved as error:
            raise Refused(
                f"box {place}, {leaf['box']}, does not pass its test {leaf['test']!r}: {error}"
            ) from None
    if complete and any(found.is_open for _, _, found in shown):
        raise Refused("it claims to be complete, yet nothing is shown about one of its boxes")
    flats = [point for point in points if point["kind"] == "flat"]
    others = sorted((p for p in points if p["kind"] != "flat"), key=lambda p: p["weight"][checker.weight])
    holding = [item for item in shown if item[2].kind is not None]
    if len(holding) != len(others):
        raise Refused(f"its boxes hold {len(holding)} critical points, and it lists {len(others)}")
    for point, (low, high, found) in zip(others, holding, strict=True):
        _check_point(checker, point, low, high, found)
    _check_flats(checker, flats, shown, domain)
    for point in points:
        _check_boundary(point, checker.weight, domain)
    return Counter(str(leaf["test"]) for leaf in leaves)


def cover(leaves: Sequence[Mapping[str, Any]], domain: Interval) -> None:
    """See that the boxes stand side by side from one end of the widened domain to the other."""
    low, high = widened(domain)
    at = low
    for place, leaf in enumerate(leaves):
        first, last, *_ = read_leaf(leaf)
        if (first > at) if place == 0 else (first != at):
            raise Refused(f"box {place} does not begin where the one before ends")
        at = last
    if not leaves or at < high:
        raise Refused("the boxes do not reach the end of the domain")


def widened(domain: Interval) -> Interval:
    """The domain and a little more, so that a point on its boundary lies inside.

    >>> widened((0.0, 1.0))[1] > 1
    True
    """
    room = _ULPS * max(math.ulp(domain[0]), math.ulp(domain[1]))
    return domain[0] - room, domain[1] + room


def _check_point(checker: BoxTests, point: Mapping[str, Any], low: float, high: float, found: Shown) -> None:
    weight = checker.weight
    first, last = point["interval"][weight]
    where = f"the critical point at {point['weight'][weight]}"
    if not (low <= first and last <= high and found.holds(first, last)):
        raise Refused(f"the interval of {where} does not hold the zero of its box")
    if point["kind"] != found.kind:
        raise Refused(f"{where} is called {point['kind']}, and is shown to be: {found.kind}")
    if point["multiplicity"] != found.order:
        raise Refused(f"{where} is given the order {point['multiplicity']}, and has {found.order}")
    with ctx.workprec(FINE):
        x = arb(first).union(arb(last))
        if not _agrees(point["loss"], checker.loss_over(x)):
            raise Refused(f"the loss at {where} is not {point['loss']}")
        for stated in point["curvature"]:
            bends = [checker.function(slope).over(x, 1) for slope in found.slopes]
            if not bends or not all(_agrees(stated, bend) for bend in bends):
                raise Refused(f"the curvature at {where} is not {stated}")


def _agrees(stated: float, value: Ball) -> bool:
    """Whether a double is a number of a ball, but for rounding in its last digits."""
    return bool(value.is_finite()) and bool(value.overlaps(arb(stated, 8 * math.ulp(stated))))


def _check_flats(
    checker: BoxTests,
    flats: Sequence[Mapping[str, Any]],
    shown: list[tuple[float, float, Shown]],
    domain: Interval,
) -> None:
    """See that the flat pieces are those of the boxes, and reach from where one begins to where it ends."""
    runs: list[tuple[Shown | None, Shown | None]] = []  # where each begins and ends; None: the domain does
    for place, (_, _, found) in enumerate(shown):
        left, right = found.flat
        if left and place == 0 and not right:
            runs.append((None, found))
        elif left and not right:
            runs[-1] = (runs[-1][0], found)
        elif right and (not left or place == 0):
            runs.append((None if left else found, None))
    if len(runs) != len(flats):
        raise Refused(f"its boxes hold {len(runs)} flat pieces, and it lists {len(flats)}")
    flats = sorted(flats, key=lambda point: point["weight"][checker.weight])
    for point, (begins, ends) in zip(flats, runs, strict=True):
        first, last = point["interval"][checker.weight]
        for end, limit, mark in ((first, domain[0], begins), (last, domain[1], ends)):
            close = (math.nextafter(end, -math.inf), math.nextafter(end, math.inf))
            if not (end == limit if mark is None else mark.holds(*close)):
                raise Refused(f"a flat piece is not shown to reach just to {end}")
        with ctx.workprec(FINE):
            if not _agrees(point["loss"], checker.loss_over(arb(point["weight"][checker.weight]))):
                raise Refused(f"the loss on the flat piece is not {point['loss']}")
        if point["multiplicity"] is not None or any(point["curvature"]):
            raise Refused("a flat piece has neither an order nor a curvature but 0")


def _check_boundary(point: Mapping[str, Any], weight: str, domain: Interval) -> None:
    low, high = point["interval"][weight] if point["kind"] == "flat" else (point["weight"][weight],) * 2
    room = _ULPS * max(math.ulp(domain[0]), math.ulp(domain[1]))
    if point["boundary"] != (min(low - domain[0], domain[1] - high) <= room):
        raise Refused(f"whether {point['weight'][weight]} lies on the boundary is told wrongly")
