"""All critical points of a formula of one weight, with proof, and what could not be proved.

The domain is cut into smooth pieces; on each f′ is factored and its zeros are isolated; between neighbouring
zeros f′ keeps one sign, which is read at one point. The signs on either side make the kind, whatever the
order of the zero; at cuts the one-sided slopes decide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from flint import arb, ctx

from gdsim.critical.audits import kind_between
from gdsim.critical.budget import Budget
from gdsim.critical.line.audit import audit
from gdsim.critical.line.factors import Unsupported, factorise
from gdsim.critical.line.limits import formula_at, goes_to_zero, is_limit, limit, value_there
from gdsim.critical.line.pieces import (
    Located,
    Piece,
    ends_of,
    locate,
    lower,
    pieces,
    reported,
    sure_sign,
    united,
    upper,
)
from gdsim.critical.line.roots import LADDER, Cluster, Smooth, excludes_zero
from gdsim.critical.switches import switching_functions
from gdsim.critical.written import WrittenLoss, around, edges, widened, within
from gdsim.expr.differentiate import derivative
from gdsim.expr.emit_ball import Ball, BallFunction, outward
from gdsim.expr.nodes import ZERO, Call, Expr, Where, symbols, walk
from gdsim.expr.rows import rows_written_out
from gdsim.losses import Loss
from gdsim.outcomes import CriticalKind, CriticalPoint, Interval, Search

_PRECISION = 256  # of the numbers between the searches
_MOST_ROWS = 64  # of data that are written out one by one because of the switches in them
Stretch = Mapping[str, object]


def certify(loss: Loss, domain: Mapping[str, Interval], budget: Budget | None = None) -> Search:
    """Find every critical point of a formula of one weight, with proof.

    Parameters
    ----------
    loss
        A loss with a formula.
    domain
        A closed interval for its weight.
    budget
        Bounds on the work.

    Returns
    -------
    Search
        ``complete`` is True where certified points, proved-free stretches and named singular places make up
        the whole domain; else ``unresolved`` says where not and why.

    Notes
    -----
    Cost: a few milliseconds, and about 60 µs for each critical point.

    Examples
    --------
    >>> search = certify(Loss.from_text("3w^4 - 4w^3"), {"w": (-1.2, 1.6)})
    >>> [(point.kind, point.weight["w"], point.proof) for point in search.critical_points], search.complete
    ([('inflection', 0.0, 'certified'), ('minimum', 1.0, 'certified')], True)
    """
    (weight,) = loss.weights
    low, high = (float(end) for end in domain[weight])
    with ctx.workprec(_PRECISION):
        written = WrittenLoss.of(loss)
        try:
            found = _Line(written, weight, low, high, budget or Budget()).search()
        except Unsupported:
            reason = "the pieces of the formula could not be told apart, so nothing is proved here"
            return Search({weight: (low, high)}, unresolved=(_stretch(weight, low, high, reason),))
        doubt = audit(written, found)
    if doubt:
        return replace(found, complete=False, unresolved=(_stretch(weight, low, high, doubt),))
    return found


@dataclass(frozen=True, eq=False)
class _Slope:
    """f′ on a piece: its smooth formula (None: undefined, or zero throughout), its zeros, what is open."""

    piece: Piece
    smooth: Smooth | None
    flat: bool
    zeros: tuple[Located, ...]  # those inside; those at the cuts are apart
    clusters: tuple[Cluster, ...]
    at_low: Located | None
    at_high: Located | None


class _Line:
    def __init__(self, loss: WrittenLoss, weight: str, low: float, high: float, budget: Budget) -> None:
        self.weight, self.low, self.high, self.budget = weight, low, high, budget
        self.a, self.b = map(arb, around((low, high)))
        self.expression, self.data = loss.expression, dict(loss.data)
        if any(symbols(switch, "column") for switch in switching_functions(loss.expression)):
            if len(next(iter(loss.data.values()))) > _MOST_ROWS:
                raise Unsupported
            self.expression, self.data = rows_written_out(loss.expression, loss.data), {}
        # abs, max, min, relu and huber are continuous; only a choice or a sign can make a jump
        self.may_jump = any(
            isinstance(node, Where) or (isinstance(node, Call) and node.function == "sign")
            for node in walk(self.expression)
        )
        self.loss = Smooth(self.expression, weight, self.data)
        self.loss_anywhere = BallFunction([self.expression], [weight], self.data, "closed")
        self.points: list[CriticalPoint] = []
        self.unresolved: list[Stretch] = []
        self.singular: list[Stretch] = []
        self.joined: set[int] = set()  # ids of the cuts at which the loss is continuous

    def search(self) -> Search:
        """Cut, find, classify."""
        cut = pieces(self.expression, self.weight, self.data, self.a, self.b, self.budget)
        slopes = [self._slope(piece) for piece in cut]
        for slope in slopes:
            self._inner(slope)
        for left, right in pairwise(slopes):
            self._at_cut(left, right)
        self._flats(slopes)
        for slope in slopes:
            self._undefined(slope)
        self.points.sort(key=lambda point: point.weight[self.weight])
        domain = {self.weight: (self.low, self.high)}
        open_, singular = tuple(self.unresolved), tuple(self.singular)
        return within(Search(domain, tuple(self.points), not open_, open_, singular))

    # -- f′ on a piece ------------------------------------------------------------------------------

    def _slope(self, piece: Piece) -> _Slope:
        nothing: tuple[Located, ...] = ()
        if piece.expression is None:
            return _Slope(piece, None, False, nothing, (), None, None)
        prime = derivative(piece.expression, self.weight)
        factors = factorise(prime, self.weight) if symbols(prime, "weight") else _constant(prime)
        if factors is None:
            return _Slope(piece, None, True, nothing, (), None, None)
        found, clusters = locate(factors, self.weight, self.data, piece.a, piece.b, self.budget)
        inner: list[Located] = []
        ends: dict[str, Located | None] = {"low": None, "high": None}
        for zero in found:
            side = self._which_end(zero, piece)
            if side == "outside":
                continue
            if side == "inside":
                inner.append(zero)
            elif side == "unclear":
                hull = zero.root.enclosure
                clusters.append(Cluster(hull.lower(), hull.upper(), None, False))
            else:
                ends[side] = zero
        return _Slope(
            piece, Smooth(prime, self.weight, self.data), False, tuple(inner), tuple(clusters),
            ends["low"], ends["high"],
        )  # fmt: skip

    def _which_end(self, zero: Located, piece: Piece) -> str:
        """Where a zero of the piece's formula lies: inside, outside, at an end of the piece, or unclear."""
        place = zero.root.enclosure
        for side, end in (("low", piece.low), ("high", piece.high)):
            if isinstance(end, Cluster):
                if not (place < end.low or place > end.high):
                    return "outside"  # the cluster itself is reported
            elif end is not None and end.root.enclosure.overlaps(place):
                return side if united(end, zero, self.weight) is not None else "unclear"
        if place < piece.a or place > piece.b:
            return "outside"
        below = piece.low is not None and place < lower(piece.low, piece.a)
        above = piece.high is not None and place > upper(piece.high, piece.b)
        return "outside" if below or above else "inside"

    # -- points inside pieces -----------------------------------------------------------------------

    def _inner(self, slope: _Slope) -> None:
        """Classify the zeros inside a piece by the signs between them."""
        if slope.smooth is None:
            return
        marks: list[Located | Cluster] = sorted(
            [*slope.zeros, *slope.clusters], key=lambda mark: float(lower(mark, self.a))
        )
        for place, mark in enumerate(marks):
            before = marks[place - 1] if place else slope.piece.low
            after = marks[place + 1] if place + 1 < len(marks) else slope.piece.high
            left = self._sign(slope, upper(before, slope.piece.a), lower(mark, slope.piece.a))
            right = self._sign(slope, upper(mark, slope.piece.b), lower(after, slope.piece.b))
            if isinstance(mark, Cluster):
                self._open(mark, left, right)
            else:
                self._smooth_point(mark, slope, left, right)

    def _sign(self, slope: _Slope, after: Ball, before: Ball) -> int:
        """The sign of f′ between two marks; 0 where no number lies between or it cannot be told."""
        middle = ((after + before) / 2).mid()
        if slope.smooth is None or not (after < middle < before):
            return 0
        try:
            return sure_sign(slope.smooth, middle) or 0
        except Unsupported:
            return 0

    def _smooth_point(self, zero: Located, slope: _Slope, left: int, right: int) -> None:
        order = zero.order
        if order is None:
            order = Fraction(1, 2)  # at an edge only; inside a piece there is none
        even = order.denominator == 1 and order.numerator % 2 == 0
        if not left or not right or (left == right) != even:  # the audit: each order must turn the sign
            hull = zero.root.enclosure
            self._open(Cluster(hull.lower(), hull.upper(), None, False), left, right)
            return
        assert slope.smooth is not None
        with ctx.workprec(LADDER[1]):
            bend = 0.0 if order > 1 else float(slope.smooth.value(zero.root.enclosure, 1).mid())
        self._add(zero, kind_between(left, right), (bend,), int(order) if order.denominator == 1 else None)

    def _add(
        self, zero: Located, kind: CriticalKind, curvature: tuple[float, ...], order: int | None
    ) -> None:
        place, interval = reported(zero)
        inside = min(max(place, self.low), self.high)
        below, above = edges((self.low, self.high))
        self.points.append(
            CriticalPoint(
                {self.weight: inside},
                self._loss_at(zero),
                kind,
                "certified",
                curvature,
                {self.weight: interval},
                order,
                interval[0] - self.low <= below or self.high - interval[1] <= above,
            )
        )

    def _loss_at(self, zero: Located) -> float:
        with ctx.workprec(LADDER[1]):
            value = self.loss.value(zero.root.enclosure)
            if value.is_nan():
                (value,) = self.loss_anywhere(zero.root.enclosure)
            return 0.0 if value.contains(0) else float(value.mid())

    # -- cuts ---------------------------------------------------------------------------------------

    def _at_cut(self, left: _Slope, right: _Slope) -> None:
        """What a cut is: a critical point, a pole, a jump, an edge, or nothing to speak of."""
        cut = left.piece.high
        if isinstance(cut, Cluster) or cut is None:
            if isinstance(cut, Cluster):
                self._open(cut, 0, 0, "a switch or a singular place of the formula")
            return
        if left.piece.expression is None and right.piece.expression is None:
            return
        before, after = self._sign_beside(left, cut, -1), self._sign_beside(right, cut, 1)
        here: Expr | None = self.expression
        if self.may_jump:
            here = formula_at(self.expression, self.weight, self.data, cut, self.budget)
        if here is None:
            self.unresolved.append(self._place(cut, "it is not told which value the loss has here"))
            return
        if not self._has_value(here, cut):
            self._name_singular(cut, left, right, before, after)
            return
        if self.may_jump and not self._is_the_limit(here, cut, left, right):
            return
        if left.piece.expression is None or right.piece.expression is None:
            self._edge(cut, left, right, before, after)
            return
        self.joined.add(id(cut))
        if left.flat or right.flat:
            return
        zeros = {self._goes_to_zero(left, left.at_high, cut), self._goes_to_zero(right, right.at_low, cut)}
        if not before or not after or None in zeros:
            self._open(Cluster(*ends_of(cut), None, False), before, after)
        elif zeros == {True}:
            self._add(
                cut,
                kind_between(before, after),
                self._common_bend(cut, left, right),
                self._common_order(left, right),
            )
        elif before != after:
            self._add(cut, "kink", (), None)

    def _goes_to_zero(self, slope: _Slope, zero: Located | None, cut: Located) -> bool | None:
        if slope.smooth is None:
            return False
        return goes_to_zero(slope.smooth.expression, self.weight, self.data, zero, cut, self.budget)

    def _sign_beside(self, slope: _Slope, cut: Located, side: int) -> int:
        """The sign of f′ in the gap next to a cut."""
        if slope.smooth is None:
            return 0
        marks: list[Located | Cluster] = sorted(
            [*slope.zeros, *slope.clusters], key=lambda mark: float(lower(mark, self.a))
        )
        if side < 0:
            other = marks[-1] if marks else slope.piece.low
            return self._sign(slope, upper(other, slope.piece.a), lower(cut, self.a))
        other = marks[0] if marks else slope.piece.high
        return self._sign(slope, upper(cut, self.a), lower(other, slope.piece.b))

    def _has_value(self, here: Expr, cut: Located) -> bool:
        """Whether the loss, by its formula at a cut, is defined there; an edge need be no binary fraction."""
        with ctx.workprec(LADDER[1]):
            strict = Smooth(here, self.weight, self.data).value(cut.root.enclosure)
        if strict.is_finite() or cut.root.enclosure.is_exact():
            return bool(strict.is_finite())
        return bool(value_there(here, self.weight, self.data, cut).is_finite())

    def _is_the_limit(self, here: Expr, cut: Located, left: _Slope, right: _Slope) -> bool:
        """Whether the loss goes to its value at a cut from both sides; notes a jump, or a doubt."""
        sides = [slope.piece.expression for slope in (left, right)]
        told = {
            is_limit(here, side, self.weight, self.data, cut, self.budget)
            for side in sides
            if side is not None
        }
        if False in told:
            self.singular.append(self._place(cut, "the loss jumps"))
        elif None in told:
            reason = "the loss may have another value here than beside it"
            self.unresolved.append(self._place(cut, reason))
        return told == {True}

    def _common_bend(self, cut: Located, left: _Slope, right: _Slope) -> tuple[float, ...]:
        """f″ at a cut where both sides have the same, else nothing."""
        assert left.smooth is not None
        assert right.smooth is not None
        with ctx.workprec(LADDER[1]):
            sides = [slope.smooth.value(cut.root.enclosure, 1) for slope in (left, right) if slope.smooth]
        if all(value.is_finite() for value in sides) and sides[0].overlaps(sides[1]):
            return (float(sides[0].mid()) + 0.0,)
        return ()

    def _common_order(self, left: _Slope, right: _Slope) -> int | None:
        """The order of the zero where both sides have the same whole one, and no pole takes away from it."""
        assert left.at_high is not None
        assert right.at_low is not None
        first, second = left.at_high.order, right.at_low.order
        place = left.at_high.root.enclosure
        whole = all(side.smooth and side.smooth.value(place).is_finite() for side in (left, right))
        if not whole or first is None or first != second or first.denominator > 1:
            return None
        return int(first)

    def _edge(self, cut: Located, left: _Slope, right: _Slope, before: int, after: int) -> None:
        """Where the loss ends: a critical point only if f′ goes to zero there."""
        zero, inner = (right.at_low, after) if left.piece.expression is None else (left.at_high, -before)
        goes_to_zero = self._goes_to_zero(right if left.piece.expression is None else left, zero, cut)
        if goes_to_zero is None:
            self._open(Cluster(*ends_of(cut), None, False), before, after)
        elif goes_to_zero and inner:
            self._add(cut, "minimum" if inner > 0 else "maximum", (), None)

    def _name_singular(self, cut: Located, left: _Slope, right: _Slope, before: int, after: int) -> None:
        """Say what kind of singular place a cut is, from the loss ever nearer to it."""
        limits = [limit(slope.piece.expression, self.weight, self.data, cut, side)
                  for slope, side in ((left, -1), (right, 1))]  # fmt: skip
        known = [limit for limit in limits if limit is not None]
        if any(math.isinf(limit) for limit in known):
            reason = "the loss has a pole"
        elif len(known) == 2 and abs(known[0] - known[1]) <= 1e-9 * max(1.0, *map(abs, known)):
            what = f"the loss is not defined here, but has the limit {known[0]:.6g} from both sides"
            kind = kind_between(before, after) if before and after else None
            removable = kind if kind in ("minimum", "maximum") else None
            reason = f"{what}; so continued it has a {removable}" if removable else what
        elif len(known) == 2:
            reason = "the loss jumps"
        else:
            reason = "the loss ends here, or oscillates without a limit"
        self.singular.append(self._place(cut, reason))

    # -- stretches ----------------------------------------------------------------------------------

    def _flats(self, slopes: list[_Slope]) -> None:
        """Report flat pieces; neighbours at whose cut the loss is continuous are one."""
        place = 0
        while place < len(slopes):
            last = place
            while slopes[place].flat and last + 1 < len(slopes) and slopes[last + 1].flat:
                if id(slopes[last].piece.high) not in self.joined:
                    break
                last += 1
            if slopes[place].flat:
                self._flat(slopes[place].piece, slopes[last].piece)
            place = last + 1

    def _flat(self, first: Piece, last: Piece) -> None:
        """Report a flat piece; one that only touches the domain at its end too, if the loss goes on."""
        least, most = widened((self.low, self.high))
        low = least if first.low is None else float(upper(first.low, self.a).mid())
        high = most if last.high is None else float(lower(last.high, self.b).mid())
        if not (low <= most and least <= high):
            return
        low, high = min(max(self.low, low), self.high), max(min(self.high, high), self.low)
        inner = first.low if low == self.high else last.high
        if low == high and inner is not None and id(inner) not in self.joined:
            return
        middle = 0.5 * (low + high)
        with ctx.workprec(LADDER[1]):
            value = float(self.loss.value(first.inside).mid()) + 0.0
        at_end = low == self.low or high == self.high
        self.points.append(
            CriticalPoint(
                {self.weight: middle + 0.0}, value, "flat", "certified", (0.0,), {self.weight: (low, high)},
                boundary=at_end,
            )
        )  # fmt: skip

    def _undefined(self, slope: _Slope) -> None:
        piece = slope.piece
        if piece.expression is not None:
            return
        low = self.low if piece.low is None else max(self.low, float(upper(piece.low, self.a).mid()))
        high = self.high if piece.high is None else min(self.high, float(lower(piece.high, self.b).mid()))
        if low < high:
            self.singular.append(_stretch(self.weight, low, high, "the loss is not defined"))

    def _open(self, cluster: Cluster, left: int, right: int, what: str = "critical points") -> None:
        """Report a stretch about which nothing is proved."""
        words = {1: "+", -1: "−", 0: "unknown"}
        pattern = f"the sign of ∂L/∂w is {words[left]} before it and {words[right]} after"
        if left and right:
            number = "an odd number of" if left != right else "none or an even number of"
        else:
            number = "an unknown number of"
        limit = "" if cluster.most is None else f", at most {cluster.most} counted with their order"
        why = "the budget of boxes or time ended here" if cluster.spent else (
            f"{LADDER[-1]} bits do not tell them apart"
        )  # fmt: skip
        low, high = outward(cluster.low, cluster.high)
        self.unresolved.append(_stretch(self.weight, low, high, f"{number} {what}{limit}: {why}; {pattern}"))

    def _place(self, cut: Located, reason: str) -> Stretch:
        _, (low, high) = reported(cut)
        return _stretch(self.weight, low, high, reason)


def _constant(prime: Expr) -> tuple[()] | None:
    """The factors of a slope without a weight: none, or None where it is zero."""
    with ctx.workprec(LADDER[2]):
        value = Smooth(prime, "w", {}).value(arb(0))
    if excludes_zero(value):
        return ()
    if prime == ZERO:
        return None
    raise Unsupported


def _stretch(weight: str, low: float, high: float, reason: str) -> Stretch:
    return {"interval": {weight: (low, high)}, "reason": reason}


def _around(cut: Located) -> tuple[Ball, Ball]:
    low, high = ends_of(cut)
    room = (abs(high) + 1) * arb(2) ** -20
    return (low - room).mid(), (high + room).mid()


def _meet(first: Located, second: Located) -> bool:
    return bool(first.root.enclosure.overlaps(second.root.enclosure))
