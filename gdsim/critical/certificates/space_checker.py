"""Check a certificate for several weights again: nothing of the search is used, only tree and balls.

The boxes must cover the domain; each must show what it says; and the zeros of ∇f that they show must be the
points that are claimed, each of its kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx

from gdsim.critical.certificates.document import Refused, real
from gdsim.critical.certificates.space_cover import Box, Corner, TooTangled, uncovered
from gdsim.critical.certificates.space_tests import FINE, TESTS, Leaf, SpaceTests, Unproved, Zero, holds
from gdsim.critical.written import WrittenLoss, edges, widened
from gdsim.expr.emit_ball import Ball, outward
from gdsim.outcomes import Interval

_WITH_INFLATED = ("mean value", "no zero", "krawczyk", "scaled")
_BITS = (24, 4096)
_ROUNDING = 2.0**-51  # of a number: how far a double may be from what it stands for
_RELATIVE = 1e-10  # of the largest curvature: the same for the curvatures
_ROUGHLY_ZERO = 2.0**-100
_LOSS = 1e-12


def check(
    written: WrittenLoss,
    domain: Sequence[tuple[float, float]],
    points: Sequence[Mapping[str, Any]],
    complete: bool,
    leaves: Sequence[Mapping[str, Any]],
) -> Counter[str]:
    """Check that the leaves prove the points, and, if that is claimed, that there are no others.

    Parameters
    ----------
    points
        As :func:`gdsim.critical.certificates.document.read` returns them.
    leaves
        ``{"box": [low, high], "test": name, "bits": n}``, some with ``"inflated": [low, high]``; nothing is
        taken to be right of them.

    Returns
    -------
    Counter
        How many boxes each test closed; ``"left"`` counts all that may hold unlisted critical points, and
        ``"edge"`` those without a zero of ∇f that may hold a pole or an edge of where the loss is defined.

    Raises
    ------
    Refused
        Where something is not proved, not true or not readable.

    Notes
    -----
    The theorem: each point's interval holds exactly one zero of ∇f, of the kind named (``multiplicity`` is 1
    for a simple one, None for one that is shown by its exact place); its loss is within 1e-12·max(1, |loss|),
    its curvatures within 1e-10 of the largest. With ``complete``, the loss has no other critical point in
    the domain, poles and edges of where it is defined left aside. Each interval of the domain counts wider,
    by four ulp of either end.
    Cost: for each box one or two evaluations and some 50 µs, for each point some eight evaluations.

    Examples
    --------
    >>> from gdsim.losses import Loss
    >>> leaf = {"box": [[0, -1], [2, 1]], "test": "gradient", "bits": 53}
    >>> check(WrittenLoss.of(Loss.from_text("x^2 + y + 0x")), [(0.5, 1), (0, 0.5)], [], True, [leaf])
    Counter({'gradient': 1})
    """
    wide = _widened(domain)
    read = [_leaf(leaf, f"leaf {place}", len(domain)) for place, leaf in enumerate(leaves)]
    _check_cover(wide, [leaf.box for leaf in read])
    tests = SpaceTests(written)
    counts: Counter[str] = Counter()
    zeros: dict[int, tuple[int, Zero]] = {}  # by identity: several boxes may show the same
    for place, leaf in enumerate(read):
        try:
            zero = tests.show(leaf)
        except Unproved as error:
            raise Refused(f'leaf {place} is not closed by the test "{leaf.test}": {error}') from None
        is_open = tests.is_open(leaf)
        if complete and is_open:
            raise Refused(f"it claims to be complete, but leaf {place} may hold unlisted critical points")
        counts["left" if is_open else "edge" if tests.has_edge(leaf) else leaf.test] += 1
        if zero is not None:
            zeros.setdefault(id(zero), (place, zero))
    with ctx.workprec(FINE):
        _Claims(tests, points, domain).check(list(zeros.values()))
    return counts


def _widened(domain: Sequence[Interval]) -> Box:
    low, high = zip(*map(widened, domain), strict=True)
    return low, high


def _check_cover(wide: Box, boxes: Sequence[Box]) -> None:
    try:
        gap = uncovered(wide, boxes)
    except TooTangled:
        raise Refused("the boxes overlap in too many ways") from None
    if gap is not None:
        raise Refused(f"no leaf covers the box from {list(gap[0])} to {list(gap[1])}")


def _leaf(leaf: Mapping[str, Any], what: str, size: int) -> Leaf:
    test, bits = leaf.get("test"), leaf.get("bits")
    if not isinstance(test, str) or test not in TESTS:
        raise Refused(f"{what} has no known test")
    keys = {"box", "test", "bits"}
    keys |= {"inflated"} if test in _WITH_INFLATED else set()
    keys |= {"place", "scaling"} if test == "scaled" else set()
    if set(leaf) != keys:
        raise Refused(f"{what} has not exactly the entries {', '.join(sorted(keys))}")
    if type(bits) is not int or not _BITS[0] <= bits <= _BITS[1]:
        raise Refused(f"the bits of {what} are no whole number from {_BITS[0]} to {_BITS[1]}")
    inflated = _box(leaf["inflated"], f"the inflated box of {what}", size) if "inflated" in keys else None
    place, scaling = (
        _rationals(leaf[key], f"the {key} of {what}", size) if key in keys else ()
        for key in ("place", "scaling")
    )
    return Leaf(_box(leaf["box"], f"the box of {what}", size), test, bits, inflated, place, scaling)


def _box(value: object, what: str, size: int) -> Box:
    if not isinstance(value, list) or len(value) != 2:
        raise Refused(f"{what} has not two corners")
    for corner in value:
        if not isinstance(corner, list) or len(corner) != size:
            raise Refused(f"a corner of {what} has not {size} coordinates")
    low, high = (tuple(real(number, f"a coordinate of {what}") for number in corner) for corner in value)
    if not all(a < b for a, b in zip(low, high, strict=True)):
        raise Refused(f"{what} is empty")
    return low, high


def _rationals(value: object, what: str, size: int) -> tuple[Fraction, ...]:
    if not isinstance(value, list) or len(value) != size:
        raise Refused(f"{what} has not {size} numbers")
    found = []
    for text in value:
        if not isinstance(text, str) or not 0 < len(text) <= 40 or set(text) - set("-/0123456789"):
            raise Refused(f"{what} is no list of rationals")
        try:
            found.append(Fraction(text))
        except (ValueError, ZeroDivisionError):
            raise Refused(f"{what} is no list of rationals") from None
    return tuple(found)


class _Claims:
    """The points that are claimed."""

    def __init__(
        self, tests: SpaceTests, points: Sequence[Mapping[str, Any]], domain: Sequence[tuple[float, float]]
    ) -> None:
        self.tests, self.points, self.domain = tests, points, domain
        self.names = tests.written.weights
        shape = (len(points), len(self.names))
        ends = [[point["interval"][name] for name in self.names] for point in points]
        self.lows = np.array([[float(low) for low, _ in pairs] for pairs in ends]).reshape(shape)
        self.highs = np.array([[float(high) for _, high in pairs] for pairs in ends]).reshape(shape)

    def check(self, zeros: Sequence[tuple[int, Zero]]) -> None:
        """See that zeros and points are the same."""
        self._check_apart()
        shown = [False] * len(self.points)
        for leaf, zero in zeros:
            low, high = corners_of(zero.enclosure)
            place = self._holder(low, high)
            if place is None:
                if is_outside(low, high, self.domain):
                    continue
                raise Refused(f"leaf {leaf} shows a critical point near {list(low)} that is not claimed")
            point = self.points[place]
            if not holds(zero.region, (tuple(self.lows[place]), tuple(self.highs[place]))):
                raise Refused(f"the interval of critical point {place} may hold more than one")
            if not shown[place]:
                check_point(self.tests, point, zero, self.domain, f"critical point {place}")
            shown[place] = True
        if not all(shown):
            raise Refused(f"no leaf shows critical point {shown.index(False)}")

    def _check_apart(self) -> None:
        for place in range(len(self.points)):
            meets = (self.lows[:place] <= self.highs[place]) & (self.lows[place] <= self.highs[:place])
            if meets.all(axis=1).any():
                raise Refused(f"critical point {place} is claimed twice, or its interval meets another's")

    def _holder(self, low: Corner, high: Corner) -> int | None:
        found = np.flatnonzero(((self.lows <= low) & (self.highs >= high)).all(axis=1))
        return int(found[0]) if found.size else None


def is_outside(low: Corner, high: Corner, domain: Sequence[tuple[float, float]]) -> bool:
    """Whether a box lies outside the widened domain."""
    first, last = _widened(domain)
    return any(b < p or a > q for a, b, p, q in zip(low, high, first, last, strict=True))


def check_point(
    tests: SpaceTests,
    point: Mapping[str, Any],
    zero: Zero,
    domain: Sequence[tuple[float, float]],
    what: str,
) -> None:
    """See that what is claimed of a point is true of a zero of ∇f.

    Raises
    ------
    Refused
        Where it is not, or is not shown.
    """
    size, values = tests.size, tests.everything(*zero.enclosure)
    low, high = corners_of(zero.enclosure)
    if not all(value.is_finite() for value in values):
        raise Refused(f"the loss or a derivative may not be defined at {what}")
    if is_outside(low, high, domain):
        raise Refused(f"{what} lies outside the domain")
    negative = inertia(arb_mat(size, size, list(values[1 + size :])), point["curvature"])
    if negative is None:
        raise Refused(f"the curvatures of {what} are not those of the loss there")
    kind = zero.kind or {0: "minimum", size: "maximum", -1: ""}.get(negative, "saddle")
    if not kind or point["kind"] != kind:
        raise Refused(f"{what} is not shown to be a {point['kind']}")
    if point["multiplicity"] != (None if zero.place else 1):
        raise Refused(f"the multiplicity of {what} is another")
    for name, x in zip(tests.written.weights, zero.enclosure, strict=True):
        if not _is_near(point["weight"][name], x):
            raise Refused(f"the coordinate {name} of {what} is not near the critical point's")
    narrow = values[0].rad() <= _LOSS * arb(1).max(values[0].abs_lower())
    if not (narrow and _is_near(point["loss"], values[0])):
        raise Refused(f"the loss at {what} is another")
    if point["boundary"] != _is_on_boundary(low, high, domain):
        raise Refused(f"whether {what} lies on the boundary is not as it says")


def _is_on_boundary(low: Corner, high: Corner, domain: Sequence[tuple[float, float]]) -> bool:
    room = map(edges, domain)
    return any(
        p <= a + below or q >= b - above
        for p, q, (a, b), (below, above) in zip(low, high, domain, room, strict=True)
    )


def _is_near(value: float, x: Ball) -> bool:
    """Whether a double is not shown to be off a narrow ball by more than rounding."""
    return not (arb(value) - x).abs_lower() > _ROUNDING * abs(value)


def corners_of(x: Sequence[Ball]) -> Box:
    """The ends of balls, rounded outwards to doubles.

    >>> corners_of([arb(0.5), arb(0.5, 1e-30)])
    ((0.5, 0.49999999999999994), (0.5, 0.5000000000000001))
    """
    lows, highs = zip(*(outward(a.lower(), a.upper()) for a in x), strict=True)
    return tuple(lows), tuple(highs)


def inertia(h: Ball, curvatures: Sequence[float]) -> int | None:
    """How many eigenvalues of a symmetric matrix are negative; None unless they are those that are claimed.

    Returns
    -------
    int or None
        −1 where the curvatures are near the claimed ones, but not each is shown to have a sign.

    Notes
    -----
    T = QᵀHQ with nearly orthogonal Q, made of approximate eigenvectors, is nearly diagonal, and its inertia
    is that of H, as is that of DTD with D = |diag T|^−½, whose discs lie off zero. The eigenvalues of T are
    those of H but for factors within ‖I − QᵀQ‖ of 1, and within ‖T − diag(λ)‖ of the λ that are claimed.
    Source: J. J. Sylvester's law, A. M. Ostrowski's and H. Weyl's theorems and S. Gershgorin's circles:
    R. A. Horn and C. R. Johnson, Matrix Analysis (2013), §4.3, §4.5 and §6.1.

    Examples
    --------
    >>> inertia(arb_mat([[1, 2], [2, 1]]), [-1.0, 3.0])
    1
    """
    n = h.nrows()
    middle = np.array([[float(x.mid()) for x in row] for row in h.tolist()])
    if len(curvatures) != n or list(curvatures) != sorted(curvatures) or not np.isfinite(middle).all():
        return None
    q = arb_mat(np.linalg.eigh(middle)[1].tolist())
    turned = (q.transpose() * h * q).tolist()
    size = arb(max(map(abs, curvatures))) + _ROUGHLY_ZERO
    for i, (row, unit) in enumerate(zip(turned, (q.transpose() * q).tolist(), strict=True)):
        off = sum((unit[j] - int(i == j)).abs_upper() for j in range(n))
        spread = sum((row[j] - (curvatures[i] if i == j else 0)).abs_upper() for j in range(n))
        if not (off < _LOSS and spread <= _RELATIVE * size):
            return None
    diagonal = [turned[i][i] for i in range(n)]
    if not all(x > 0 or x < 0 for x in diagonal):
        return -1
    for i in range(n):
        root = diagonal[i].abs_lower().sqrt()
        discs = [turned[i][j] / (root * diagonal[j].abs_lower().sqrt()) for j in range(n) if j != i]
        if not sum((x.abs_upper() for x in discs), arb(0)) < 1:
            return -1
    return sum(1 for x in diagonal if x < 0)
