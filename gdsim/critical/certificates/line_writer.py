"""Boxes that prove what a search of one weight found: made so that the checker's own tests close them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import Any

from flint import arb

from gdsim.critical.budget import Budget
from gdsim.critical.certificates.document import Refused
from gdsim.critical.certificates.line_checker import Box, flat_runs
from gdsim.critical.certificates.line_products import Products
from gdsim.critical.certificates.line_tests import BoxTests, Shown, Unproved
from gdsim.critical.certificates.switching import edges, has_switches
from gdsim.critical.line.candidates import candidates
from gdsim.critical.line.factors import as_product
from gdsim.critical.written import WrittenLoss, around
from gdsim.expr.differentiate import derivative
from gdsim.expr.display import to_text
from gdsim.expr.nodes import Expr
from gdsim.expr.simplify import simplify
from gdsim.outcomes import CriticalPoint, Interval, Search

_BITS = (128, 600)
_MOST_BOXES = 4_000
_SMALLEST = 2.0**-44  # of the domain: gaps are not cut further
_COARSEST = 2.0**-6  # of the domain: above it a box is cut before a switch or an edge is sought in it
_LEFT_OF_MIDDLE = 127 / 256
_ULPS_APART = 4  # nearer marks are one: an end of a flat piece and the jump there
_LONGEST = 900  # characters of a factor
Leaf = dict[str, Any]


def prove(
    written: WrittenLoss, domain: Interval, search: Search, budget: Budget
) -> tuple[list[CriticalPoint], bool, list[Leaf], list[dict[str, Any]]]:
    """Return the points of a search that boxes show, whether they are all, the boxes, and the factorings.

    Points that no test of the checker shows are left out, and their boxes are open: a certificate says less
    than the search where the search knows more algebra, or the budget ended.
    """
    writer = _Writer(written, domain, search, budget)
    writer.write()
    points = [point for point in search.critical_points if point.proof == "certified"]
    held = [point for point in points if writer.holds(point)]
    writer.leave_what_is_not_in(held)
    complete = search.complete and len(held) == len(points)
    complete = complete and not any(shown.is_open for _, shown in writer.found)
    return held, complete, [leaf for leaf, _ in writer.found], writer.factorings


class _Writer:
    def __init__(self, written: WrittenLoss, domain: Interval, search: Search, budget: Budget) -> None:
        (self.weight,) = written.weights
        self.domain = domain
        self.low, self.high = around(domain)
        self.width = self.high - self.low
        self.search, self.budget = search, budget
        self.most = min(_MOST_BOXES, budget.boxes)
        self.plain = BoxTests(written, [])
        self.factorings = list(self._factorings())
        self.tests = BoxTests(written, self.factorings)
        self.found: list[tuple[Leaf, Shown]] = []
        formulas = list(self.plain.formulas(self._samples()))
        smooth = formulas == [simplify(written.expression)] and not has_switches(written.expression)
        self.simple = ["gradient", "nowhere"] if smooth else ["gradient", "flat", "nowhere"]
        self.others = [] if smooth else ["switch"]
        self.others += ["edge"] if any(True for formula in formulas for _ in edges(formula)) else []

    @property
    def boxes(self) -> list[Box]:
        """What is shown, as the checker has it."""
        return [(*leaf["box"], shown) for leaf, shown in self.found]

    def write(self) -> None:
        """Find all boxes, in order."""
        marks = self._marks()
        at = self.low
        for place, (low, high) in enumerate(marks):
            following = marks[place + 1][0] if place + 1 < len(marks) else self.high
            box = self._round(low, high, at, following)
            if box is None:
                continue
            self._fill(at, box[0]["box"][0])
            self.found.append(box)
            at = box[0]["box"][1]
        self._fill(at, self.high)

    def holds(self, point: CriticalPoint) -> bool:
        """Whether the boxes show a point as it is claimed."""
        low, high = point.interval[self.weight]
        if point.kind == "flat":
            return any(not run.reaches(low, high, self.domain) for run in flat_runs(self.boxes))
        return any(self._is_shown(point, box) for box in self.boxes)

    def _is_shown(self, point: CriticalPoint, box: Box) -> bool:
        (first, last), (low, high, shown) = point.interval[self.weight], box
        return low <= first and last <= high and shown.kind == point.kind and shown.holds(first, last)

    def leave_what_is_not_in(self, points: Sequence[CriticalPoint]) -> None:
        """Open the boxes of points and flat pieces that are not among these."""
        flats = [point.interval[self.weight] for point in points if point.kind == "flat"]
        runs = [
            run for run in flat_runs(self.boxes)
            if not any(run.reaches(low, high, self.domain) == "" for low, high in flats)
        ]  # fmt: skip
        ends = [((run.begin or (self.low,))[0], (run.end or (0.0, self.high))[1]) for run in runs]
        for place, box in enumerate(self.boxes):
            low, high, shown = box
            lone = shown.kind is not None and not any(self._is_shown(point, box) for point in points)
            if lone or any(first <= low and high <= last for first, last in ends):
                leaf: Leaf = {"box": [low, high], "test": "left", "bits": _BITS[0]}
                self.found[place] = leaf, self.tests.show(leaf)

    # -- marks ---------------------------------------------------------------------------------------

    def _marks(self) -> list[Interval]:
        """Narrow stretches, in order, that hold a point or a singular place."""
        marks: list[Interval] = []
        for point in self.search.critical_points:
            low, high = point.interval[self.weight] if point.interval else (point.weight[self.weight],) * 2
            if point.kind == "flat":
                marks += [(end, end) for end in (low, high) if self.domain[0] < end < self.domain[1]]
            elif point.proof == "certified":
                marks.append((low, high))
        for stretch in self.search.singular:
            low, high = stretch["interval"][self.weight]  # type: ignore[index]
            marks += [(low, high)] if high - low < 1e-6 * self.width else [(low, low), (high, high)]
        merged: list[Interval] = []
        for low, high in sorted(mark for mark in marks if self.low < mark[0] and mark[1] < self.high):
            if merged and low - merged[-1][1] <= _ULPS_APART * math.ulp(high):
                merged[-1] = merged[-1][0], max(high, merged[-1][1])
            else:
                merged.append((low, high))
        return merged

    def _round(self, low: float, high: float, after: float, before: float) -> tuple[Leaf, Shown] | None:
        """A box round a mark that one of the tests for points closes, the widest of a few."""
        middle = 0.5 * (low + high)
        end = self.high if before == self.high else 0.5 * (high + before)
        reach = max(middle - after, end - middle)
        boxes: list[list[float]] = []
        while reach > max(high - low, _SMALLEST * self.width):
            boxes.append([max(after, middle - 0.9 * reach), min(end, middle + reach)])
            reach /= 6
        for attempt in self._attempts(low, high):
            for box in boxes:
                if self.budget.expired():
                    return None
                leaf = {"box": box, **attempt}
                shown = self._tried(leaf)
                if shown is not None:
                    return leaf, shown
        return None

    def _attempts(self, low: float, high: float) -> Iterator[Leaf]:
        """Tests for a point or a singular place, with bits and exact places."""
        for bits in _BITS:
            for test in ("one zero", *self.others):
                yield {"test": test, "bits": bits}
        for place in dict.fromkeys(to_text(place) for place in self._places(low, high)):
            for test in ("exact zero", *self.others):
                yield {"test": test, "bits": _BITS[-1], "place": place}

    @staticmethod
    def _places(low: float, high: float) -> Iterator[Expr]:
        room = 4 * math.ulp(max(abs(low), abs(high)))
        yield from candidates(arb(low - room), arb(high + room))

    def _tried(self, leaf: Leaf) -> Shown | None:
        try:
            return self.tests.show(leaf)
        except (Unproved, Refused):  # refused: a place that is not inside
            return None

    # -- gaps ----------------------------------------------------------------------------------------

    def _fill(self, low: float, high: float) -> None:
        """Cut a gap until each part is closed."""
        waiting = [(low, high)] if low < high else []
        while waiting:
            a, b = waiting.pop()
            narrow = b - a <= _SMALLEST * self.width or self._is_over(len(waiting))
            leaf, shown = self._closed(a, b)
            cut = a + (b - a) * _LEFT_OF_MIDDLE
            if shown.is_open and not narrow and a < cut < b:
                waiting += [(cut, b), (a, cut)]
            else:
                self.found.append((leaf, shown))

    def _is_over(self, waiting: int) -> bool:
        if self.budget.progress is not None:
            self.budget.progress(len(self.found), waiting)
        return len(self.found) > self.most or self.budget.expired()

    def _closed(self, a: float, b: float) -> tuple[Leaf, Shown]:
        """A box with the first test that closes it, or open."""
        bits = _BITS[0] if b - a > 2.0**-20 * self.width else _BITS[1]
        tests = self.simple if b - a > _COARSEST * self.width else [*self.simple, *self.others]
        for test in tests:
            leaf: Leaf = {"box": [a, b], "test": test, "bits": bits}
            shown = self._tried(leaf)
            if shown is not None and shown.kind is None:
                return leaf, shown
        if self.others and b - a <= 2.0**-20 * self.width:
            for test, place in product(self.others, map(to_text, candidates(arb(a), arb(b)))):
                leaf = {"box": [a, b], "test": test, "bits": bits, "place": place}
                shown = self._tried(leaf)
                if shown is not None and shown.kind is None:
                    return leaf, shown
        leaf = {"box": [a, b], "test": "left", "bits": bits}
        return leaf, self.tests.show(leaf)

    # -- factorings ------------------------------------------------------------------------------------

    def _factorings(self) -> Iterator[dict[str, Any]]:
        """The products that the slopes of the formula's pieces are, and the slopes of their factors."""
        waiting = [(slope, 1) for slope in self._slopes()]
        for slope, level in waiting:
            found = as_product(slope)
            if found is None:
                continue
            factors, below = found
            if level:
                waiting += [(derivative(tree, self.weight), level - 1) for tree, _ in factors]
            texts = [(to_text(tree), exponent) for tree, exponent in factors]
            if max([len(to_text(below)), *(len(text) for text, _ in texts)]) < _LONGEST:
                entry = {"denominator": to_text(below), "factors": [list(item) for item in texts]}
                if self._is_readable(entry):
                    yield entry

    def _is_readable(self, entry: dict[str, Any]) -> bool:
        """Whether a factoring can be read again: not where a number of it has too many digits."""
        try:
            Products([entry], self.weight, self.plain.function)
        except Refused:
            return False
        return True

    def _slopes(self) -> Sequence[Expr]:
        found: dict[Expr, None] = {}
        for formula in self.plain.formulas(self._samples()):
            slope = derivative(formula, self.weight)
            found.setdefault(slope)
        return list(found)

    def _samples(self) -> list[float]:
        ends = [self.low, *(end for mark in self._marks() for end in mark), self.high]
        more = [self.low + self.width * (k + 0.37) / 64 for k in range(64)]
        return more + [0.5 * (a + b) for a, b in pairwise(ends)]
