"""All critical points of several weights, with proof: branch and prune with Krawczyk's operator.

A box is closed when a component of ∇f is proved to have one sign on it (by itself or by the mean-value form),
when Krawczyk's operator shows that it holds no zero, or exactly one; every other box is split. What is left
at the smallest width, or when the budget ends, is said to be unresolved.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from flint import arb, ctx

from gdsim.critical.budget import Budget
from gdsim.critical.space.audit import audit
from gdsim.critical.space.boxes import (
    SMALL,
    Box,
    Group,
    apart,
    box_of,
    clusters,
    entry,
    hull,
    is_crowd,
    joined,
    merged,
)
from gdsim.critical.space.degenerate import flat_region, settle, smooth_parts
from gdsim.critical.space.loss import BallLoss
from gdsim.critical.space.points import MARGIN, Proved, about, describe, displacement, distinct, prove
from gdsim.critical.written import WrittenLoss, around, edges, within
from gdsim.expr.emit_ball import Ball
from gdsim.losses import Loss
from gdsim.outcomes import CriticalPoint, Interval, Search

LADDER = (53, 128)  # bits
_FLOOR = 2.0**-40  # of the domain: boxes are not split further
_INFLATION = 0.05  # of the widest side, added on all sides: a zero on a face lies inside its neighbours
_LEFT_OF_MIDDLE = 127 / 256  # zeros like to lie at the middle
_WORTHWHILE = 0.7  # of the volume: what Krawczyk's operator must leave at most to be cut to
_ROUNDED_UP = 1 + 2.0**-50
_CROWD = {2: 2048, 3: 4096}  # boxes in one cluster, by weights: a curve or surface of zeros
_CROWD_OF_MORE = 8192
_HUGE = 20_000
_SAMPLE = 12  # boxes of a crowd that are looked at more closely,
_TRIAL = 256  # cut into so many
_EACH = 64  # boxes between two looks at the budget
_MOST_CLUSTERS = 64
_BUDGET = Budget()


@dataclass(frozen=True)
class Leaf:
    """A closed box, and what closed it: enough to check it again.

    Attributes
    ----------
    low, high
        Its corners.
    test
        ``"gradient"`` or ``"mean value"``: a component of ∇f has one sign. ``"no zero"``: Krawczyk's
        operator over ``inflated`` does not meet the box. ``"krawczyk"``: it lies inside ``inflated``, where
        there is exactly one zero. ``"flat"``: ∇f is zero on the whole box. ``"nowhere"``: the loss is
        defined at no point of it. ``"degenerate"``: it lies round a degenerate zero that was proved to be the
        only one. ``"left"``: nothing is shown.
    precision
        Bits.
    inflated
        The box over which the Hessian was taken; its middle is the point at which the gradient was.
    """

    low: tuple[Fraction, ...]
    high: tuple[Fraction, ...]
    test: str
    precision: int
    inflated: tuple[tuple[Fraction, ...], tuple[Fraction, ...]] | None = None


_Leaf = tuple[Box, str, int, Box | None]


@dataclass(eq=False)
class _Run:
    """What a search has closed, proved and left so far."""

    loss: BallLoss
    scale: tuple[float, ...]
    budget: Budget
    leaves: list[_Leaf] = field(default_factory=list)
    proved: list[Proved] = field(default_factory=list)
    flat: list[Box] = field(default_factory=list)
    left: Group = field(default_factory=list)  # at the smallest width or finest precision
    crowds: list[Group] = field(default_factory=list)
    jumps: Group = field(default_factory=list)  # ∇f is not zero, but the loss may jump
    edges: Group = field(default_factory=list)  # the same at poles and edges of the domain
    unseen: Group = field(default_factory=list)  # when the budget ended
    closed: dict[Box, tuple[str, int, Box | None]] = field(default_factory=dict)  # after all, of those left
    looked_at: int = 0
    counted: int = 0  # boxes when crowds were last looked for


def certify(loss: Loss, domain: Mapping[str, Interval], budget: Budget = _BUDGET) -> Search:
    """Find and prove every critical point of a loss of two or more weights in a box.

    Parameters
    ----------
    loss
        A loss with a formula.
    domain
        For each weight a closed interval. Points within 4 ulp of an end are taken to lie on the boundary.
    budget
        How many boxes may be looked at.

    Returns
    -------
    Search
        ``complete`` is True where the points listed are proved to be all of them.

    Notes
    -----
    K = m − Y∇f(m) + (I − Y·H(X))(X − m) with Y ≈ H(m)⁻¹ holds every zero of ∇f in the box X; where K lies
    in the interior of X there is exactly one.
    Cost: one gradient for each box that is closed by it, else gradient, Hessian and a matrix product: about
    40 µs for two weights. Some 200 boxes for Himmelblau's function, 2,400 for 441 points of Rastrigin's.
    Source: R. Krawczyk, Computing 4 (1969), 187–201, doi:10.1007/BF02234767; A. Neumaier, Interval Methods
    for Systems of Equations (1990), §5; E. Hansen and G. W. Walster, Global Optimization Using Interval
    Analysis (2004), §11.

    Examples
    --------
    >>> search = certify(Loss.from_text("x^2 + (y^2 - 1)^2"), {"x": (-2, 2), "y": (-2, 2)})
    >>> search.complete, [(point.kind, *point.weight.values()) for point in search.critical_points]
    (True, [('minimum', 0.0, -1.0), ('saddle', 0.0, 0.0), ('minimum', 0.0, 1.0)])
    """
    return _certify(loss, domain, budget)[0]


def certify_with_leaves(
    loss: Loss, domain: Mapping[str, Interval], budget: Budget = _BUDGET
) -> tuple[Search, list[Leaf]]:
    """Return :func:`certify`'s result with all boxes into which the domain was cut.

    Examples
    --------
    >>> search, leaves = certify_with_leaves(Loss.from_text("x^2 + y^2"), {"x": (-1, 1), "y": (-1, 1)})
    >>> [leaf.test for leaf in leaves]
    ['krawczyk']
    """
    search, leaves = _certify(loss, domain, budget)

    def exact(ends: Sequence[float]) -> tuple[Fraction, ...]:
        return tuple(map(Fraction, ends))

    return search, [
        Leaf(exact(low), exact(high), test, bits, inflated and (exact(inflated[0]), exact(inflated[1])))
        for (low, high), test, bits, inflated in leaves
    ]


def _certify(loss: Loss, domain: Mapping[str, Interval], budget: Budget) -> tuple[Search, list[_Leaf]]:
    ball_loss = BallLoss.of(WrittenLoss.of(loss))
    sides = [(float(domain[name][0]), float(domain[name][1])) for name in loss.weights]
    whole = box_of(map(around, sides))
    run = _Run(ball_loss, tuple(b - a for a, b in zip(*whole, strict=True)), budget)
    _search(run, whole)
    points, unresolved = _settled(run, whole)
    kept, doubled = distinct(run.proved)
    reason = "one critical point or two: their enclosures meet"
    unresolved += [entry(loss.weights, (proved.low, proved.high), reason) for proved in doubled]
    for proved in kept:
        if apart((proved.low, proved.high), whole):
            continue
        boundary = any(
            p <= a + below or q >= b - above
            for p, q, (a, b), (below, above) in zip(
                proved.low, proved.high, sides, map(edges, sides), strict=True
            )
        )
        point, doubt = describe(ball_loss, proved, boundary)
        points.append(point)
        if doubt:
            unresolved.append(entry(loss.weights, (proved.low, proved.high), doubt))
    edge = "a pole, or the edge of where the formula is defined, may lie here"
    hulls = merged([_around(group) for group in clusters(run.edges)])
    points.sort(key=lambda point: tuple(point.weight.values()))
    found = Search(
        dict(zip(loss.weights, sides, strict=True)),
        tuple(points), not unresolved, tuple(unresolved),
        tuple(entry(loss.weights, box, edge) for box in hulls),
    )  # fmt: skip
    leaves = [
        (leaf[0], *run.closed[leaf[0]]) if leaf[1] == "left" and leaf[0] in run.closed else leaf
        for leaf in run.leaves
    ]
    return within(_audited(ball_loss.written, whole, found)), leaves


def _audited(written: WrittenLoss, domain: Box, search: Search) -> Search:
    """Compare with the winding number of the gradient; what disagrees is complete no more."""
    if len(written.weights) != 2:
        return search
    (a, b), (c, d) = domain
    count = audit(written, (Fraction(a), Fraction(b)), (Fraction(c), Fraction(d)), search)
    reason = "" if count is None else count.contradiction
    if not reason:
        return search
    return replace(search, complete=False, unresolved=(entry(written.weights, domain, reason),))


def _search(run: _Run, start: Box) -> None:
    """Breadth first, so that what is left when the budget ends is small."""
    waiting: dict[int, list[Box]] = {LADDER[0]: [start]}
    while waiting:
        now = _without_crowds(run, waiting)
        waiting = {}
        for precision, boxes in now.items():
            with ctx.workprec(precision):
                for place, box in enumerate(boxes):
                    if run.looked_at % _EACH == 0 or run.looked_at >= run.budget.boxes:
                        others = sum(map(len, waiting.values())) + len(boxes) - place
                        if _is_over(run, others):
                            run.unseen += [(rest, precision) for rest in boxes[place:]]
                            run.unseen += [(rest, p) for p, some in waiting.items() for rest in some]
                            later = [p for p in now if p > precision]
                            run.unseen += [(rest, p) for p in later for rest in now[p]]
                            run.leaves += [(rest, "left", p, None) for rest, p in run.unseen]
                            return
                    run.looked_at += 1
                    for bits, part in _look(run, box, precision):
                        waiting.setdefault(bits, []).append(part)
        waiting = dict(sorted(waiting.items()))


def _is_over(run: _Run, waiting: int) -> bool:
    if run.budget.progress is not None:
        run.budget.progress(run.looked_at, waiting)
    return run.looked_at >= run.budget.boxes or run.budget.expired()


def _look(run: _Run, box: Box, precision: int) -> Iterable[tuple[int, Box]]:
    """Close a box, or return what is still to be looked at, with the bits to do it with."""
    loss, scale = run.loss, run.scale
    low, high = box
    middle = [0.5 * (a + b) for a, b in zip(low, high, strict=True)]
    reach = [max(b - m, m - a) * _ROUNDED_UP for a, m, b in zip(low, middle, high, strict=True)]
    inner = list(map(arb, middle, reach))
    if _points_one_way(run, box, inner, precision):
        return ()
    pad = 2 * _INFLATION * max(r / s for r, s in zip(reach, scale, strict=True))
    grown = [r + pad * s for r, s in zip(reach, scale, strict=True)]
    outer = list(map(arb, middle, grown))
    values = loss.everything(*outer)
    if loss.switches.may_vanish(outer) or not all(value.is_finite() for value in values):
        if loss.is_nowhere(inner):
            run.leaves.append((box, "nowhere", precision, None))
            return ()
        return _parts(run, box, None, precision)
    if all(value.is_zero() for value in values[1:]):
        run.leaves.append((box, "flat", precision, None))
        run.flat.append(box)
        return ()
    bend = values[1 + loss.size :]
    slope = list(loss.slope(*map(arb, middle)))
    if not all(value.is_finite() for value in slope):
        return _parts(run, box, None, precision)
    inflated = about(middle, grown)
    spread = _mean_value(slope, bend, reach)
    if spread is None:
        run.leaves.append((box, "mean value", precision, inflated))
        return ()
    found = displacement(slope, bend, [arb(0, g) for g in grown])
    columns = None
    kept = box
    if found is not None:
        moved, columns, steps = found
        slope, spread = [*slope, *steps], [*spread, *moved]
        shifts = [(float(d.mid()), float(d.rad()) * _ROUNDED_UP) for d in moved]
        test = _verdict(shifts, reach, grown)
        if test == "krawczyk":
            proved = prove(loss, middle, grown, precision)
            if proved is not None:
                run.proved.append(proved)
                run.leaves.append((box, "krawczyk", precision, proved.inflated))
                return ()
        elif test == "no zero":
            run.leaves.append((box, "no zero", precision, inflated))
            return ()
        kept = _cut(run, box, shifts, precision, inflated)
    if any(4 * value.rad() > whole.rad() for value, whole in zip(slope, spread, strict=True)):  # rounding
        finer = [bits for bits in LADDER if bits > precision]
        if finer:
            return [(finer[0], kept)]
        run.left.append((kept, precision))
        run.leaves.append((kept, "left", precision, None))
        return ()
    return _parts(run, kept, columns, precision)


def _points_one_way(run: _Run, box: Box, inner: Sequence[Ball], precision: int) -> bool:
    """Close a box if a component of the gradient has one sign on it."""
    for value in run.loss.gradient(*inner):
        if value > 0 or value < 0:
            run.leaves.append((box, "gradient", precision, None))
            if run.loss.jumps.may_vanish(inner):
                run.jumps.append((box, precision))
            elif run.loss.edges.may_vanish(inner):
                run.edges.append((box, precision))
            return True
    return False


def _mean_value(slope: Sequence[Ball], bend: Sequence[Ball], reach: Sequence[float]) -> list[Ball] | None:
    """∇f(m) + H(X)(X − m); None where a component has one sign."""
    size = len(slope)
    sides = [arb(0, r) for r in reach]
    spread: list[Ball] = list(slope)
    place = 0
    for i in range(size):
        for j in range(i, size):
            spread[i] += bend[place] * sides[j]
            if j > i:
                spread[j] += bend[place] * sides[i]
            place += 1
    return None if any(value > 0 or value < 0 for value in spread) else spread


def _verdict(shifts: Sequence[tuple[float, float]], reach: Sequence[float], grown: Sequence[float]) -> str:
    """What K − m = shift ± radius says about the box m ± reach, inflated to m ± grown."""
    if any(abs(c) - r > (1 + MARGIN) * a for (c, r), a in zip(shifts, reach, strict=True)):
        return "no zero"
    if all(abs(c) + r < (1 - 2 * MARGIN) * g for (c, r), g in zip(shifts, grown, strict=True)):
        return "krawczyk"
    return ""


def _cut(run: _Run, box: Box, shifts: Sequence[tuple[float, float]], precision: int, inflated: Box) -> Box:
    """Intersect a box with Krawczyk's operator where that takes enough away; close the rest, slab by slab."""
    low, high = list(box[0]), list(box[1])
    share = 1.0
    for j, (a, b, (c, r)) in enumerate(zip(*box, shifts, strict=True)):
        m, width = 0.5 * (a + b), b - a
        slack = MARGIN * width + 4 * math.ulp(abs(m) + width)
        low[j] = max(a, m + (c - r) - slack)
        high[j] = min(b, m + (c + r) + slack)
        share *= (high[j] - low[j]) / width
    if not share < _WORTHWHILE or any(a >= b for a, b in zip(low, high, strict=True)):
        return box
    outside_low, outside_high = list(box[0]), list(box[1])
    for j in range(len(low)):
        for first, last in ((outside_low[j], low[j]), (high[j], outside_high[j])):
            if first < last:
                corner, opposite = list(outside_low), list(outside_high)
                corner[j], opposite[j] = first, last
                run.leaves.append(((tuple(corner), tuple(opposite)), "no zero", precision, inflated))
        outside_low[j], outside_high[j] = low[j], high[j]
    return tuple(low), tuple(high)


def _parts(run: _Run, box: Box, columns: Sequence[float] | None, precision: int) -> Sequence[tuple[int, Box]]:
    """Split the side of greatest width·√|column of H|, or the widest where that would make it a needle."""
    low, high = box
    widths = [(b - a) / s for a, b, s in zip(low, high, run.scale, strict=True)]
    widest = max(range(len(widths)), key=widths.__getitem__)
    if widths[widest] > _FLOOR:
        side = widest
        if columns is not None and widths[widest] <= 50 * min(widths):
            side = max(range(len(low)), key=lambda j: (high[j] - low[j]) * math.sqrt(columns[j]))
        for j in (side, widest):
            cut = low[j] + (high[j] - low[j]) * _LEFT_OF_MIDDLE
            if low[j] < cut < high[j]:
                left = (low, (*high[:j], cut, *high[j + 1 :]))
                right = ((*low[:j], cut, *low[j + 1 :]), high)
                return [(precision, left), (precision, right)]
    run.left.append((box, precision))
    run.leaves.append((box, "left", precision, None))
    return ()


def _without_crowds(run: _Run, waiting: dict[int, list[Box]]) -> dict[int, list[Box]]:
    """Set long clusters of very many boxes aside: they follow a curve of zeros, or of kinks, for ever."""
    most = _CROWD.get(run.loss.size, _CROWD_OF_MORE)
    total = sum(map(len, waiting.values()))
    if total <= most or total < 1.3 * run.counted:
        return waiting
    boxes = [(box, precision) for precision, some in waiting.items() for box in some]
    kept: dict[int, list[Box]] = {}
    run.counted = 0
    for group in clusters(boxes):
        if len(group) > most and is_crowd(group, run.scale) and _stays_open(run, group):
            run.crowds.append(group)
            run.leaves += [(box, "left", precision, None) for box, precision in group]
            continue
        run.counted += len(group)
        for box, precision in group:
            kept.setdefault(precision, []).append(box)
    return dict(sorted(kept.items()))


def _stays_open(run: _Run, group: Group) -> bool:
    """Whether a cluster is small, huge, or some of a few of its boxes do not close when cut to pieces.

    Boxes round the floor of a valley that falls do close.
    """
    low, high = _around(group)
    wide = max((b - a) / s for a, b, s in zip(low, high, run.scale, strict=True))
    if wide < SMALL or len(group) > _HUGE:
        return True
    sample = group[:: max(1, len(group) // _SAMPLE)]
    still = 0
    for box, precision in sample:
        trial = _Run(run.loss, run.scale, run.budget)
        waiting = [(precision, box)]
        while waiting and not trial.left and trial.looked_at < _TRIAL:
            bits, part = waiting.pop()
            trial.looked_at += 1
            with ctx.workprec(bits):
                waiting += _look(trial, part, bits)
        still += bool(waiting or trial.left or trial.flat)
    return 4 * still >= len(sample)


def _around(group: Group) -> Box:
    return hull([box for box, _ in group])


def _settled(run: _Run, domain: Box) -> tuple[list[CriticalPoint], list[Mapping[str, object]]]:
    """What is said about the boxes that no test closed."""
    names = run.loss.written.weights
    points: list[CriticalPoint] = []
    reasons: dict[str, list[Box]] = {}
    if run.unseen:
        reason = f"the budget of {run.budget.boxes} boxes ended"
        if run.looked_at < run.budget.boxes:
            reason = "the time allowed ended"
        reasons[reason] = [_around(group) for group in clusters(run.unseen)]
    for group in clusters([(box, LADDER[0]) for box in run.flat]):
        point, reason = flat_region(run.loss, [box for box, _ in group], domain)
        points.append(point)
        reasons.setdefault(reason, []).append(_around(group))
    if run.jumps:
        reason = (
            "the formula may jump here: the gradient is nowhere zero, but the least value may lie at the jump"
        )
        reasons[reason] = [_around(group) for group in clusters(run.jumps)]
    rest = [item for item in run.left if not _is_covered(run, item[0])]
    groups, rough = smooth_parts(run.loss, joined([*run.crowds, *clusters(rest)], run.scale), run.scale)
    reasons.update(rough)
    groups = [group for group in groups if not _is_proved(run, group)]
    hulls = [_around(group) for group in groups]
    singles = [(proved.low, proved.high) for proved in run.proved]
    for place, group in enumerate(groups):
        reason = "too many clusters of boxes are left to look at each"
        if place < _MOST_CLUSTERS and not run.budget.expired():
            others = [*singles, *hulls[:place], *hulls[place + 1 :]]
            boxes = [box for box, _ in group]
            listed, reason = settle(run.loss, boxes, run.scale, domain, others)
            points += [] if listed is None else [listed]
        if reason:
            reasons.setdefault(reason, []).append(hulls[place])
        else:
            run.closed.update((box, ("degenerate", precision, None)) for box, precision in group)
    return points, [entry(names, box, reason) for reason, some in reasons.items() for box in merged(some)]


def _is_covered(run: _Run, box: Box) -> bool:
    """Whether a box that was left lies where a proved point is the only one."""
    for proved in run.proved:
        if proved.covers(*box):
            run.closed[box] = ("krawczyk", proved.precision, proved.inflated)
            return True
    return False


def _is_proved(run: _Run, group: Group) -> bool:
    """Whether Krawczyk's test succeeds on a box round a whole cluster."""
    low, high = _around(group)
    middle = [0.5 * (a + b) for a, b in zip(low, high, strict=True)]
    wide = max((b - a) / s for a, b, s in zip(low, high, run.scale, strict=True))
    for factor in (0.6, 1.0, 4.0):
        proved = prove(run.loss, middle, [factor * wide * s for s in run.scale], LADDER[-1])
        if proved is not None and proved.covers(low, high):
            run.proved.append(proved)
            for box, _ in group:
                run.closed[box] = ("krawczyk", proved.precision, proved.inflated)
            return True
    return False
