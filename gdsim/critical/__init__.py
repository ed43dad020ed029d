"""Critical points: where every ∂L/∂w is zero or the loss has a kink, and what each one is.

A formula is searched with proof: every point certified, every other stretch proved free or named. Where
that does not come to an end, and for Python functions, the numerical search adds what it sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsim.critical.budget import Budget
from gdsim.critical.numerical.landscape import Landscape
from gdsim.losses import Loss
from gdsim.outcomes import CriticalPoint, Fault, InputError, Interval, Search

__all__ = ["MOST_CERTIFIED", "Budget", "find", "find_each"]

_ONE_AT_A_TIME = RLock()  # python-flint's precision is one for the whole process
MOST_CERTIFIED = 1000  # losses of one family that are searched with proof

_NARROW = 1e-6  # of the domain
_NEAR = (
    1e-3  # of the domain: so near to what is open a point is looked at; its coordinates may yet be rounded
)
_BOXES = 16_000  # of a search that nobody gave a budget: some seconds at most, and the same work every time


def find(
    loss: Loss,
    domain: Mapping[str, Interval],
    extra_starts: Sequence[Sequence[float]] = (),
    budget: Budget | None = None,
    *,
    proof: bool = True,
) -> Search:
    """Find and classify the critical points of a loss in a box.

    Parameters
    ----------
    loss
        A formula, or a Python callable (then derivatives are differences).
    domain
        For each weight a closed interval.
    extra_starts
        Points from which to search, too, each with its coordinates in the order of ``loss.weights``: for
        example the final weight of a run. Those that are not finite are passed over. A complete proof has no
        use for them.
    budget
        Bounds on the work of the certified search.
    proof
        Whether a formula is searched with proof; if not, as a Python callable is.

    Returns
    -------
    Search
        Critical points in ascending order of the first weight, each ``"certified"`` or ``"numerical"``.
        ``complete`` is True where it is proved that there are no others; else ``unresolved`` says about
        which stretches nothing is proved, and why.

    Raises
    ------
    InputError
        For a domain that lacks a weight or is empty.

    Notes
    -----
    Cost: for one weight some milliseconds, and about 60 µs for each point; for two some ten milliseconds to
    a second. The numerical search takes some 2,100 evaluations of f′ and f″, and about 150 for each
    point; for several weights some 4,000 starts of a damped Newton method.

    Examples
    --------
    >>> search = find(Loss.from_text("3w^4 - 4w^3"), {"w": (-1.2, 1.6)})
    >>> [(point.kind, point.weight["w"], point.multiplicity) for point in search.critical_points]
    [('inflection', 0.0, 2), ('minimum', 1.0, 1)]
    >>> search.complete
    True
    """
    for name in loss.weights:
        if name not in domain:
            raise InputError(
                Fault(
                    f"the domain lacks the weight {name!r}", "(low, high), two numbers", path=f"domain.{name}"
                )
            )
        low, high = domain[name]
        if not (-1e300 < low < high < 1e300):
            raise InputError(
                Fault(f"[{low}, {high}] is no interval", "low < high, both finite", path=f"domain.{name}")
            )
    ends = {name: (float(domain[name][0]), float(domain[name][1])) for name in loss.weights}
    landscape = Landscape(loss, ends)
    more = np.array(extra_starts, dtype=np.float64).reshape(-1, len(loss.weights)).T
    more = more[:, np.isfinite(more).all(axis=0)]
    if loss.expression is None or not proof:
        return _seen(landscape, more)
    with _ONE_AT_A_TIME:
        proved = _certify(loss, ends, budget or Budget(boxes=_BOXES))
    return proved if proved.complete else _with_seen(proved, landscape, more)


def find_each(
    losses: Sequence[Loss], domain: Mapping[str, Interval], budget: Budget | None = None
) -> tuple[Search, ...]:
    """Find the critical points of many losses, such as one formula with many values of its parameters.

    Up to ``MOST_CERTIFIED`` losses are searched with proof, more are all searched numerically; which it was,
    each point's ``proof`` and each search's ``complete`` say.

    Parameters
    ----------
    losses
        Distinct losses of the same weights.
    domain, budget
        As for :func:`find`, for each of them.

    Returns
    -------
    tuple of Search
        One for each loss.

    Notes
    -----
    Cost: that of :func:`find` for each.

    Examples
    --------
    >>> wells = [Loss.from_text("(w^2 - a)^2", parameters={"a": a}) for a in (1, 4)]
    >>> [[point.weight["w"] for point in each.critical_points] for each in find_each(wells, {"w": (-3, 3)})]
    [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0]]
    """
    proof = len(losses) <= MOST_CERTIFIED
    return tuple(find(loss, domain, budget=budget, proof=proof) for loss in losses)


def _certify(loss: Loss, domain: Mapping[str, Interval], budget: Budget) -> Search:
    if len(loss.weights) == 1:
        from gdsim.critical.line import search as line

        return line.certify(loss, domain, budget)
    from gdsim.critical.space import search as space

    return space.certify(loss, domain, budget)


def _seen(landscape: Landscape, more: NDArray[np.float64]) -> Search:
    """What the numerical search finds."""
    from gdsim.critical.numerical.audit import audited

    if landscape.low.size == 1:
        from gdsim.critical.numerical import one_dimension

        return audited(landscape, one_dimension.search(landscape, more[0]))
    from gdsim.critical.numerical import several_dimensions

    return audited(landscape, several_dimensions.search(landscape, more))


def _seen_near(landscape: Landscape, more: NDArray[np.float64], boxes: Sequence[Any]) -> Search:
    """What the numerical search finds in and near these boxes; with one weight it finds everything anyway."""
    if landscape.low.size == 1:
        return _seen(landscape, more)
    from gdsim.critical.numerical import several_dimensions

    ends = np.array([[box[name] for name in landscape.loss.weights] for box in boxes])  # (boxes, weights, 2)
    room = _NEAR * landscape.width

    def is_near(points: NDArray[np.float64]) -> NDArray[np.bool_]:
        found = np.zeros(points.shape[1], dtype=bool)
        for low, high in zip(ends[:, :, 0] - room, ends[:, :, 1] + room, strict=True):
            found |= ((low[:, None] <= points) & (points <= high[:, None])).all(axis=0)
        return found

    return several_dimensions.search(landscape, more, is_near)


def _with_seen(proved: Search, landscape: Landscape, more: NDArray[np.float64]) -> Search:
    """Add to a proof what the numerical search sees in the stretches that stayed open.

    With one weight only in narrow ones, or where nothing at all is proved: a wide one is left open because
    its points are too many.
    """
    width = {name: high - low for name, (low, high) in proved.domain.items()}
    (name, *others) = width
    open_ = [stretch["interval"] for stretch in proved.unresolved]
    if not others:
        open_ = [
            interval
            for interval in open_
            if not _NARROW * width[name] < interval[name][1] - interval[name][0] < width[name]  # type: ignore[index]
        ]

    seen = _seen_near(landscape, more, open_)

    def near(point: CriticalPoint, interval: Any) -> bool:
        room = {name: _NARROW * width[name] for name in width}
        return all(a - room[n] <= point.weight[n] <= b + room[n] for n, (a, b) in interval.items())

    def known(point: CriticalPoint) -> bool:
        return any(
            near(point, {n: (value, value) for n, value in other.weight.items()})
            or (point.kind == other.kind == "flat")
            for other in proved.critical_points
        )

    added = [
        point
        for point in seen.critical_points
        if any(near(point, interval) for interval in open_) and not known(point)
    ]
    points = sorted((*proved.critical_points, *added), key=lambda point: tuple(point.weight.values()))
    return replace(proved, critical_points=tuple(points))
