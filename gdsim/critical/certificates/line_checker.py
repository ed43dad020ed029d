"""Check a certificate for one weight again: its boxes cover the domain, so the points in them are all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flint import arb, ctx

from gdsim.critical.certificates.document import Refused
from gdsim.critical.certificates.line_leaf import FINE, read_leaf
from gdsim.critical.certificates.line_tests import BoxTests, Shown, Unproved
from gdsim.critical.written import WrittenLoss, around, edges, widened
from gdsim.expr.emit_ball import Ball
from gdsim.outcomes import Interval

Box = tuple[float, float, Shown]
_NARROW = 8  # of these: the widest interval of a point


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
    Cost: 0.2 to 1 ms for each box, and some milliseconds to compile each formula.
    """
    checker = BoxTests(written, factorings)
    cover(leaves, domain)
    shown: list[Box] = []
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
        _check_narrow(point, checker.weight, domain)
    _check_flats(checker, flats, shown, domain)
    for point in points:
        _check_place(point, checker.weight, domain)
    return Counter(str(leaf["test"]) for leaf in leaves)


def cover(leaves: Sequence[Mapping[str, Any]], domain: Interval) -> None:
    """See that the boxes stand side by side from one end of what is searched to the other."""
    low, high = around(domain)
    at = low
    for place, leaf in enumerate(leaves):
        first, last, *_ = read_leaf(leaf)
        if first != at:
            raise Refused(f"box {place} does not begin where the one before ends, or the domain begins")
        at = last
    if at != high:
        raise Refused("the boxes do not end where the domain does")


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


def _check_narrow(point: Mapping[str, Any], weight: str, domain: Interval) -> None:
    """See that the numbers of a point are its own: a wide interval would allow any of those inside."""
    first, last = point["interval"][weight]
    if last - first > _NARROW * max(math.ulp(domain[0]), math.ulp(domain[1])):
        raise Refused(f"the interval of the critical point at {point['weight'][weight]} is not narrow")
    if len(point["curvature"]) > 1:
        raise Refused(f"the critical point at {point['weight'][weight]} has more than one curvature")


def _agrees(stated: float, value: Ball) -> bool:
    """Whether a double is a number of a ball, but for rounding in its last digits."""
    return bool(value.is_finite()) and bool(value.overlaps(arb(stated, 8 * math.ulp(stated))))


@dataclass(frozen=True, eq=False)
class Run:
    """Boxes side by side in which f′ is zero: where the flat piece begins and ends; None: the domain does."""

    begin: Box | None
    end: Box | None

    def reaches(self, low: float, high: float, domain: Interval) -> str:
        """What is wrong with the claim that the piece reaches from one double to another."""
        for end, limit, mark in ((low, domain[0], self.begin), (high, domain[1], self.end)):
            if mark is None:
                is_shown = end == limit
            else:
                close = (math.nextafter(end, -math.inf), math.nextafter(end, math.inf))
                is_shown = mark[0] <= end <= mark[1] and mark[2].holds(*close)
            if not is_shown:
                return f"a flat piece is not shown to reach just to {end}"
        return ""


def flat_runs(boxes: Sequence[Box]) -> Iterator[Run]:
    """The flat pieces that boxes show from one end to the other; not those that reach an open box."""
    begin: Box | None = None
    is_seen = bool(boxes) and boxes[0][2].flat[0]  # whether one goes on of which the begin is shown
    for box in boxes:
        (left, right), is_parted = box[2].flat, box[2].is_parted
        if left and right and not is_parted:
            continue
        if left and is_seen:
            yield Run(begin, box)
        begin, is_seen = box, right
    if is_seen:
        yield Run(begin, None)


def _check_flats(
    checker: BoxTests, flats: Sequence[Mapping[str, Any]], shown: Sequence[Box], domain: Interval
) -> None:
    """See that the flat pieces are those of the boxes, and reach from where one begins to where it ends."""
    runs = list(flat_runs(shown))
    if len(runs) != len(flats):
        raise Refused(f"its boxes hold {len(runs)} flat pieces, and it lists {len(flats)}")
    flats = sorted(flats, key=lambda point: point["weight"][checker.weight])
    for point, run in zip(flats, runs, strict=True):
        low, high = point["interval"][checker.weight]
        wrong = run.reaches(low, high, domain)
        if wrong:
            raise Refused(wrong)
        with ctx.workprec(FINE):
            x = arb(point["weight"][checker.weight])
            if low == high:  # to a double; the piece itself may lie beside it
                x = arb(math.nextafter(low, -math.inf)).union(arb(math.nextafter(high, math.inf)))
            if not _agrees(point["loss"], checker.loss_over(x)):
                raise Refused(f"the loss on the flat piece is not {point['loss']}")
        if point["multiplicity"] is not None or point["curvature"] not in ([], [0.0]):
            raise Refused("a flat piece has neither an order nor a curvature but 0")


def _check_place(point: Mapping[str, Any], weight: str, domain: Interval) -> None:
    (first, last), (least, most) = point["interval"][weight], widened(domain)
    if last < least or first > most:
        raise Refused(f"the critical point at {point['weight'][weight]} lies outside the domain")
    below, above = edges(domain)
    if point["boundary"] != (first - domain[0] <= below or domain[1] - last <= above):
        raise Refused(f"whether {point['weight'][weight]} lies on the boundary is told wrongly")
