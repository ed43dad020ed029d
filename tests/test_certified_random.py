"""Random formulas of one weight: nothing missed, nothing invented, against 50 digits of mpmath."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from mpmath import isfinite
from mpmath_values import CONTEXT, value
from random_trees import WEIGHTS, Kinds, trees
from tiers import examples

from gdsim.critical import Budget
from gdsim.critical.line.search import certify
from gdsim.expr.display import to_text
from gdsim.expr.nodes import Expr, symbols
from gdsim.losses import Loss
from gdsim.outcomes import Search

ONE_WEIGHT = Kinds(reductions=False, leaves=WEIGHTS[:1])
CELLS = 64
GRID = [CONTEXT.mpf(-3) + CONTEXT.mpf(6) * (k + CONTEXT.mpf("0.3137")) / CELLS for k in range(CELLS)]
STEP = CONTEXT.mpf(10) ** -22


def slope(tree: Expr, at: object) -> object:
    """f′ by a central difference: of h/w the truncation is 1e-44, the rounding 1e-28 of the loss."""
    step = STEP * (abs(at) or 1)
    right, left = (value(tree, {"w": at + sign * step}) for sign in (1, -1))
    return (right - left) / (2 * step)


def places(found: Search) -> list[tuple[float, float]]:
    """Every stretch that the search speaks of."""
    listed = [point.interval["w"] for point in found.critical_points]
    return listed + [stretch["interval"]["w"] for stretch in (*found.unresolved, *found.singular)]  # type: ignore[index]


def check(tree: Expr) -> None:
    if not symbols(tree, "weight"):
        return
    loss = Loss(weights=("w",), expression=tree)
    found = certify(loss, {"w": (-3, 3)}, Budget(boxes=1500))
    slopes = [slope(tree, at) for at in GRID]
    for (left, right), (before, after) in zip(pairwise(GRID), pairwise(slopes), strict=True):
        sure = isfinite(before) and isfinite(after) and min(abs(before), abs(after)) > 1e-20
        if sure and before * after < 0:  # f′ is zero between, or jumps, or is undefined somewhere
            assert any(low <= right and high >= left for low, high in places(found)), to_text(tree)
    for point in found.critical_points:
        if point.curvature and point.kind != "flat" and abs(point.weight["w"]) < 3:
            near = slope(tree, CONTEXT.mpf(point.weight["w"]))
            # the place is the nearest double, so f′ there is f″ times half an ulp; the difference truncates
            # at 1e-44·w²·f‴/6, with room for third derivatives up to 1e24
            allowed = abs(point.curvature[0]) * math.ulp(point.weight["w"]) + 1e-20 * (1 + abs(point.loss))
            assert not isfinite(near) or abs(near) <= allowed, to_text(tree)


RELAXED = settings(suppress_health_check=list(HealthCheck), deadline=None)


@given(tree=trees(ONE_WEIGHT))
@settings(RELAXED, max_examples=examples(20).max_examples)
def test_nothing_is_missed_and_nothing_invented(tree: Expr) -> None:
    check(tree)


@pytest.mark.release
@given(tree=trees(ONE_WEIGHT))
@settings(RELAXED, max_examples=1000)
def test_nothing_is_missed_and_nothing_invented_in_a_thousand_formulas(tree: Expr) -> None:
    check(tree)
