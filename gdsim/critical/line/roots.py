"""All zeros of a smooth function of one weight in an interval, each proved to be one, the rest proved free.

Breadth-first branch and prune: a box without a zero of the enclosure is closed; a box on which φ′ keeps its
sign holds one zero or none, as the signs at its ends say; others are split. What shrinks to nothing
without a decision is a cluster: first an exact place is sought at which φ and its first derivatives vanish
while the next keeps its sign round about; else the cluster is searched again at a higher precision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from flint import arb, ctx

from gdsim.critical.budget import Budget
from gdsim.critical.line.candidates import candidates
from gdsim.critical.line.factors import Factor, factorise, flint_polynomial
from gdsim.expr.differentiate import derivative
from gdsim.expr.emit_ball import Ball, BallFunction, Nowhere, sign
from gdsim.expr.exact_zeros import vanishes
from gdsim.expr.nodes import Expr, Number, walk

LADDER = (128, 400, 1500)
_HIGHEST_ORDER = 12
_MOST_NODES = 300  # of a derivative that is still differentiated
_ASKED, _FEW = 8, 8  # levels between two questions to the exact layer; stretches it is asked about
_REFINED = 190  # bits to which a zero is refined


_UNKNOWN = arb("nan")
_TINIEST = arb(2) ** -1200  # below the least double: a zero so near to 0 need not be refined


@dataclass(frozen=True, eq=False)
class Root:
    """One place where a factor is zero, proved to exist and to be the only one in its enclosure.

    Attributes
    ----------
    enclosure
        A ball that holds it.
    order
        The order of the zero of the factor; None at an edge where no whole order may exist.
    exact
        The place as a constant tree, where it is known.
    """

    enclosure: Ball
    order: int | None = 1
    exact: Expr | None = None


@dataclass(frozen=True, eq=False)
class Cluster:
    """A stretch in which zeros could be neither isolated nor excluded.

    Attributes
    ----------
    low, high
        Its exact ends.
    most
        The most zeros it can hold, counted with their order, by Rolle's theorem; None where unknown.
    spent
        Whether the budget ended; else the highest precision did not tell.
    """

    low: Ball
    high: Ball
    most: int | None
    spent: bool


@dataclass
class Zeros:
    """What a search found."""

    roots: list[Root] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)
    boxes: int = 0


class Smooth:
    """A factor with its derivatives as functions of balls, compiled on demand."""

    def __init__(self, expression: Expr, weight: str, data: dict[str, tuple[Fraction, ...]]) -> None:
        self.expression, self.weight, self.data = expression, weight, data
        self._derivatives: list[Expr] = [expression]
        self._strict: dict[int, BallFunction] = {}

    def derivative(self, order: int) -> Expr | None:
        """The tree of a derivative; None where it would be unreasonably large."""
        while len(self._derivatives) <= order:
            last = self._derivatives[-1]
            if len(self._derivatives) > 2 and sum(1 for _ in walk(last)) > _MOST_NODES:
                return None
            self._derivatives.append(derivative(last, self.weight))
        return self._derivatives[order]

    def value(self, x: Ball, order: int = 0) -> Ball:
        """An enclosure of a derivative over a ball; nan where it is not defined on all of it."""
        function = self._strict.get(order)
        if function is None:
            tree = self.derivative(order)
            if tree is None:
                return _UNKNOWN
            function = self._strict[order] = BallFunction([tree], [self.weight], self.data)
        return function(x)[0]

    @cached_property
    def _restricted(self) -> BallFunction:
        return BallFunction([self.expression], [self.weight], self.data, "nowhere")

    def has_no_zero(self, x: Ball) -> bool:
        """Whether the function is zero nowhere in a ball; where it is undefined it is not zero."""
        try:
            return excludes_zero(self._restricted(x)[0])
        except Nowhere:
            return True


def excludes_zero(x: Ball) -> bool:
    """Whether no number in the ball is zero; a nan proves nothing."""
    return sign(x) != 0


def zeros(
    factor: Factor, weight: str, data: dict[str, tuple[Fraction, ...]], low: Ball, high: Ball, budget: Budget
) -> Zeros:
    """Isolate every zero of a factor between two exact ends.

    Notes
    -----
    Rational polynomials are isolated by FLINT, exactly, with their multiplicities.
    Cost: some 10 µs for each box; about six boxes for each simple zero.
    """
    if factor.polynomial:
        return _of_polynomial(factor, low, high)
    return _Search(Smooth(factor.expression, weight, data), low, high, budget).run()


def _of_polynomial(factor: Factor, low: Ball, high: Ball) -> Zeros:
    found = Zeros()
    with ctx.workprec(_REFINED):
        for root, order in flint_polynomial(factor.polynomial).complex_roots():
            if not root.imag.is_zero():
                continue
            exact = None
            if len(factor.polynomial) == 2:
                exact = Number(Fraction(-factor.polynomial[0], factor.polynomial[1]))
            if not (root.real < low or root.real > high):
                found.roots.append(Root(root.real, int(order), exact))
    found.roots.sort(key=lambda item: float(item.enclosure.mid()))
    return found


class _Search:
    def __init__(self, smooth: Smooth, low: Ball, high: Ball, budget: Budget) -> None:
        self.smooth, self.low, self.high, self.budget = smooth, low, high, budget
        self.found = Zeros()
        self.regions: list[tuple[Ball, Ball, Ball]] = []  # of sure zeros: ends of where each is alone
        self.spent = False

    def run(self) -> Zeros:
        """Search the whole interval, then what is left at higher precisions."""
        stretches = [(self.low, self.high)]
        for place, precision in enumerate(LADDER):
            with ctx.workprec(precision):
                left = self._prune(stretches, 2.0 ** (-precision // 2))
                left = self._decided(left)
            if not left:
                break
            if self.spent:
                self._gather(left)
                break
            if place == len(LADDER) - 1:
                with ctx.workprec(precision):
                    self.found.clusters += [self._cluster(a, b) for a, b in left]
            stretches = left
        self._collect()
        return self.found

    def _gather(self, left: list[tuple[Ball, Ball]]) -> None:
        """Unite what the budget left open, with the zeros between, where it lies close together."""
        far = (self.high - self.low) / 256
        for a, b in _joined(left, far):
            self.found.clusters.append(Cluster(a, b, None, True))
            self.regions = [region for region in self.regions if region[2] < a or region[2] > b]
            self.found.roots = [r for r in self.found.roots if r.enclosure < a or r.enclosure > b]

    # -- branch and prune ---------------------------------------------------------------------------

    def _prune(self, stretches: list[tuple[Ball, Ball]], least: float) -> list[tuple[Ball, Ball]]:
        """Close boxes, level by level, until none is left, or they are too small, or the budget ends.

        What is open then is returned, joined where it touches. At some levels the exact layer is asked
        first: round a zero of high order the boxes that an enclosure cannot close get ever more.
        """
        scale = arb(least) * (abs(self.high).max(abs(self.low)).max(self.high - self.low)).upper()
        level, small = stretches, []
        depth = count = 0
        while level and not self.spent:
            following: list[tuple[Ball, Ball]] = []
            for place, (a, b) in enumerate(level):
                count += 1
                if count > self.budget.boxes or (count % 256 == 0 and self._is_over(count, len(level))):
                    self.spent = True
                    small += level[place:]
                    break
                if self._closed(a, b):
                    continue
                middle = (a + (b - a) * 127 / 256).mid()
                if b - a < scale or not (a < middle < b):
                    small.append((a, b))
                else:
                    following += [(a, middle), (middle, b)]
            depth += 1
            if depth % _ASKED == 0 and not self.spent:
                following = self._asked(following)
            level = following
        self.found.boxes += count
        return _joined([*small, *level])

    def _is_over(self, count: int, waiting: int) -> bool:
        if self.budget.progress is not None:
            self.budget.progress(self.found.boxes + count, waiting)
        return self.budget.expired()

    def _asked(self, boxes: list[tuple[Ball, Ball]]) -> list[tuple[Ball, Ball]]:
        """What is left of few open stretches when the exact layer has decided what it can."""
        stretches = _joined(boxes)
        if len(stretches) > _FEW:
            return boxes
        undecided = self._decided(stretches)
        if len(undecided) == len(stretches):
            return boxes
        return [(a, b) for a, b in boxes if any(not a < low and not b > high for low, high in undecided)]

    def _closed(self, a: Ball, b: Ball) -> bool:
        """Whether a box is decided: proved free, or its one zero noted."""
        box = a.union(b)
        if self.smooth.has_no_zero(box):
            return True
        slope = self.smooth.value(box, 1)
        if not slope.is_finite():
            return False
        middle = box.mid()
        if excludes_zero(slope):
            return self._monotone(a, b)
        return excludes_zero(self.smooth.value(middle) + slope * (box - middle))

    def _monotone(self, a: Ball, b: Ball) -> bool:
        """Decide a box on which φ′ keeps its sign; where a zero may be at an end, look a little farther."""
        left, right = sign(self.smooth.value(a)), sign(self.smooth.value(b))
        if left and right:
            if left != right:
                self.regions.append((a, b, self._refined(a, b)))
            return True
        room = (b - a) / 10
        wide = ((a - room).mid(), (b + room).mid())
        box = wide[0].union(wide[1])
        if not excludes_zero(self.smooth.value(box, 1)):
            return False
        left, right = sign(self.smooth.value(wide[0])), sign(self.smooth.value(wide[1]))
        if not (left and right):
            return False
        if left != right:
            self.regions.append((*wide, self._refined(*wide)))
        return True

    def _refined(self, a: Ball, b: Ball) -> Ball:
        """Shrink the enclosure of the one zero of a box by interval Newton, at a higher precision."""
        with ctx.workprec(max(ctx.prec, _REFINED) + 64):
            box = a.union(b)
            goal = arb(2) ** -_REFINED
            for _ in range(60):
                middle = box.mid()
                slope = self.smooth.value(box, 1)
                if not excludes_zero(slope):
                    break
                step = middle - self.smooth.value(middle) / slope
                if not step.is_finite():
                    break
                new = step.intersection(box)
                done = new.rad() <= goal * (abs(new.mid()).max(_TINIEST)) or not (new.rad() < box.rad() * 0.9)
                box = new
                if done:
                    break
            return box

    # -- clusters -----------------------------------------------------------------------------------

    def _decided(self, left: list[tuple[Ball, Ball]]) -> list[tuple[Ball, Ball]]:
        """Note stretches that hold one zero at an exact place, or none up to an edge; return the others."""
        undecided = []
        for a, b in left:
            narrow = b - a < (self.high - self.low) / 16
            root = self._exact_root(a, b) if narrow else None
            if root is None and narrow and self._monotone_to_an_edge(a, b):
                if self._leads_away(a, b):
                    continue
                root = self._at_the_edge(a, b)
            if root is None:
                undecided.append((a, b))
            else:
                self.found.roots.append(root)
        return undecided

    def _monotone_to_an_edge(self, a: Ball, b: Ball) -> bool:
        """Whether a stretch reaches one end of the interval and φ′ has no zero in it.

        Between the ends of the interval φ is smooth, so that it is monotone up to the very edge, even if it
        runs to infinity there.
        """
        if (not a > self.low) == (not b < self.high):
            return False
        box = a.union(b)
        return self._factors_of_slope is not None and all(
            factor.has_no_zero(box) for factor in self._factors_of_slope
        )

    @cached_property
    def _factors_of_slope(self) -> list[Smooth] | None:
        """The factors of φ′; None where they are not to be had, or φ′ is zero throughout."""
        slope = self.smooth.derivative(1)
        factors = None if slope is None else factorise(slope, self.smooth.weight)
        if factors is None:
            return None
        return [Smooth(factor.expression, self.smooth.weight, self.smooth.data) for factor in factors]

    def _leads_away(self, a: Ball, b: Ball) -> bool:
        """Whether φ, monotone up to an edge, goes away from zero towards it."""
        at_low = not a > self.low
        inner = b if at_low else a
        value, slope = sign(self.smooth.value(inner)), sign(self.smooth.value(inner, 1))
        return bool(value) and bool(slope) and (value != slope if at_low else value == slope)

    def _at_the_edge(self, a: Ball, b: Ball) -> Root | None:
        """The one zero of φ, monotone up to an edge, where it is an exact place."""
        for place in candidates(a, b):
            here = BallFunction([place], [])()[0]
            if self._vanishes(0, place, here):
                return Root(here, None, place)
        return None

    def _exact_root(self, a: Ball, b: Ball) -> Root | None:
        """The one zero in a stretch, where it is an exact place and a derivative keeps its sign all over."""
        for place in candidates(a, b):
            here = BallFunction([place], [])()[0]
            order = 0
            while order < _HIGHEST_ORDER and self._vanishes(order, place, here):
                order += 1
            if order and excludes_zero(self.smooth.value(a.union(b).union(here), order)):
                return Root(here, order, place)
        return None

    def _vanishes(self, order: int, place: Expr, here: Ball) -> bool:
        """Whether a derivative is exactly zero at a place; the ball of its value refutes most guesses."""
        if excludes_zero(self.smooth.value(here, order)):
            return False
        tree = self.smooth.derivative(order)
        return tree is not None and vanishes(tree, self.smooth.weight, place)

    def _cluster(self, a: Ball, b: Ball) -> Cluster:
        """A stretch that stays open, and how many zeros it can hold at most."""
        box = a.union(b)
        orders = range(1, _HIGHEST_ORDER)
        most = next((order for order in orders if excludes_zero(self.smooth.value(box, order))), None)
        return Cluster(a, b, most, False)

    def _collect(self) -> None:
        """Put the sure zeros in order; one that was proved in two overlapping boxes is one."""
        self.regions.sort(key=lambda region: float(region[2].mid()))
        kept: list[tuple[Ball, Ball, Ball]] = []
        for region in self.regions:
            if kept and (kept[-1][2].overlaps(region[2]) or _inside(region[2], kept[-1])):
                continue  # both lie where there is one zero only
            kept.append(region)
        exact = [root.enclosure for root in self.found.roots]
        kept = [region for region in kept if not any(_inside(place, region) for place in exact)]
        places = [region[2] for region in kept if not (region[2] < self.low or region[2] > self.high)]
        self.found.roots += [Root(place) for place in places]
        self.found.roots.sort(key=lambda root: float(root.enclosure.mid()))


def _inside(place: Ball, region: tuple[Ball, Ball, Ball]) -> bool:
    return bool(place > region[0] and place < region[1])


def _joined(stretches: list[tuple[Ball, Ball]], gap: Ball | int = 0) -> list[tuple[Ball, Ball]]:
    """Stretches that touch, or are no farther apart than a gap, as one."""
    ordered = sorted(stretches, key=lambda stretch: float(stretch[0]))
    joined: list[tuple[Ball, Ball]] = []
    for a, b in ordered:
        if joined and not joined[-1][1] + gap < a:
            joined[-1] = (joined[-1][0], joined[-1][1].max(b).upper())
        else:
            joined.append((a, b))
    return joined
