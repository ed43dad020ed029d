"""All zeros of f′, kinks, flat pieces and poles of a loss of one weight, on an adaptive grid."""

from __future__ import annotations

import numpy as np

from gdsim.critical.numerical.classify import Candidates, classify
from gdsim.critical.numerical.flats import find_flats, flat_points, undefined, unresolved
from gdsim.critical.numerical.landscape import Array, Landscape
from gdsim.critical.numerical.sampling import Samples, bend, certain_sign, rounded, runs_of, sample, slope
from gdsim.critical.numerical.signs import bisect
from gdsim.critical.numerical.switch_points import switch_points
from gdsim.outcomes import Search


def search(landscape: Landscape, extra: Array) -> Search:
    """Find and classify the critical points of a loss of one weight in a closed interval.

    Notes
    -----
    Sign changes of f′ are halved to the last bit. Between two points of equal sign a minimum of \\|f′\\|
    is sought where f″ changes sign: it shows a pair of zeros, or a double zero (confirmed to rounding).
    Switches of the formula are candidates by themselves.
    Cost: some 2,100 evaluations of f′ and f″, and 80 for each critical point.
    """
    name = landscape.loss.weights[0]
    low, high = landscape.low[0], landscape.high[0]
    grid = np.linspace(low, high, 2049)
    switches = switch_points(landscape, grid)
    samples = sample(landscape, switches, extra[(extra >= low) & (extra <= high)])
    flats = find_flats(landscape, samples)
    runs = _zero_runs(landscape, samples, flats.all)
    smooth = np.concatenate([runs, _brackets(landscape, samples), _touches(landscape, samples)])
    points, singular = classify(landscape, _merged(landscape, smooth, switches, flats.all))
    points += flat_points(landscape, samples, flats)
    return Search(
        domain=dict(landscape.domain),
        critical_points=tuple(sorted(points, key=lambda point: point.weight[name])),
        unresolved=unresolved(landscape, samples, flats),
        singular=(*singular, *undefined(landscape, samples)),
    )


def _brackets(landscape: Landscape, samples: Samples) -> Array:
    """Zeros between neighbours whose slopes have certain and opposite signs, switches apart."""
    change = (samples.sign[:-1] * samples.sign[1:] < 0) & np.isnan(samples.switch)
    return _located(landscape, samples.at[:-1][change], samples.at[1:][change])


def _located(landscape: Landscape, left: Array, right: Array) -> Array:
    """Halve brackets of f′; of the two last neighbours take the one with the smaller slope."""
    low, high = bisect(lambda at: np.sign(slope(landscape, at)), left, right)
    if not low.size:
        return low
    ends = np.stack([low, high])
    size = np.abs(np.stack([slope(landscape, low), slope(landscape, high)]))
    best = ends[np.argmin(size, axis=0), np.arange(low.size)]
    if not landscape.exact:
        best = _corrected(landscape, best, left, right)
    return rounded(landscape, best)


def _corrected(landscape: Landscape, at: Array, left: Array, right: Array) -> Array:
    """Two Newton steps with the error-controlled derivative of a Python callable."""
    for _ in range(2):
        values, errors = (part[0] for part in landscape.judged_gradient(at[None]))
        with np.errstate(all="ignore"):
            moved = at - values / bend(landscape, at)
        better = (moved > left) & (moved < right) & (np.abs(values) > errors)
        better &= np.abs(moved - at) < 1e-3 * (right - left)  # else a kink or a pole
        at = np.where(better, moved, at)
    return at


def _touches(landscape: Landscape, samples: Samples) -> Array:
    """Zeros in pairs, or of even order, between neighbours whose slopes have the same sign."""
    sign = samples.sign
    with np.errstate(invalid="ignore"):
        same = (sign[:-1] == sign[1:]) & (np.abs(sign[:-1]) == 1) & np.isnan(samples.switch)
        dips = same & (sign[:-1] * samples.bend[:-1] < 0) & (sign[:-1] * samples.bend[1:] > 0)
    left, right, outer = samples.at[:-1][dips], samples.at[1:][dips], sign[:-1][dips]
    if not left.size:
        return np.empty(0)
    low, high = bisect(lambda at: np.sign(bend(landscape, at)), left, right)
    middle = rounded(landscape, 0.5 * (low + high))
    values, bounds = (part[0] for part in landscape.judged_gradient(middle[None]))
    tolerance = 1e-15 * landscape.width[0] + (high - low)  # positions are not told apart below it
    reach = np.maximum(
        np.abs(bend(landscape, middle - tolerance)), np.abs(bend(landscape, middle + tolerance))
    )
    with np.errstate(invalid="ignore"):
        zero = np.abs(values) <= bounds + tolerance * reach
    through = ~zero & (np.sign(values) == -outer)
    pairs = _located(
        landscape,
        np.concatenate([left[through], middle[through]]),
        np.concatenate([middle[through], right[through]]),
    )
    return np.concatenate([middle[zero], pairs])


def _zero_runs(landscape: Landscape, samples: Samples, flat: Array) -> Array:
    """Grid points where the slope is zero to rounding, one candidate for each run of them."""
    found: list[float] = []
    for first, last in runs_of(samples.sign == 0):
        at = samples.at[first : last + 1]
        if _covered(at, flat):
            continue
        if first == last and samples.slope[first] == 0:
            found.append(float(at[0]))
        elif first == 0 or last == samples.at.size - 1:
            found.append(float(at[np.argmin(np.abs(samples.slope[first : last + 1]))]))
        else:
            found.append(_inside_run(landscape, samples, first, last))
    return np.array(found)


def _covered(at: Array, pieces: Array) -> bool:
    return any(bool(((at >= low) & (at <= high)).any()) for low, high in pieces)


def _inside_run(landscape: Landscape, samples: Samples, first: int, last: int) -> float:
    outer = samples.at[[first - 1]], samples.at[[last + 1]]
    if samples.sign[first - 1] * samples.sign[last + 1] < 0:
        return float(_located(landscape, *outer)[0])
    if samples.bend[first - 1] * samples.bend[last + 1] < 0:
        low, high = bisect(lambda at: np.sign(bend(landscape, at)), *outer)
        return float(rounded(landscape, 0.5 * (low + high))[0])
    part = slice(first, last + 1)
    return float(samples.at[part][np.argmin(np.abs(samples.slope[part]))])


def _merged(landscape: Landscape, smooth: Array, switches: Array, pieces: Array) -> Candidates:
    """Put candidates in order; a switch stands for all that lie within its gap; flat pieces hold theirs."""
    at = np.concatenate([smooth, switches])
    order = np.argsort(at, kind="stable")
    at = at[order]
    switch = np.concatenate([np.zeros(smooth.size, dtype=bool), np.ones(switches.size, dtype=bool)])[order]
    gap = (4e-12 if landscape.exact else 4e-3) * landscape.width[0]
    keep = np.ones(at.size, dtype=bool)
    for place in range(1, at.size):
        before = place - 1
        while before >= 0 and not keep[before]:
            before -= 1
        close = at[place] - at[before] <= (gap if switch[place] or switch[before] else 1e-4 * gap)
        if before >= 0 and close:
            keep[before if switch[place] and not switch[before] else place] = False
    for low, high in pieces:
        keep &= ~((at >= low - gap) & (at <= high + gap))
    return Candidates(at[keep], switch[keep], pieces)


def bends(landscape: Landscape) -> Array:
    """Return where f″ changes sign in the domain, in ascending order.

    Cost: 2,049 evaluations of f″ and 80 for each change. f″ counts as zero where rounding hides its sign.
    """
    at = np.linspace(landscape.low[0], landscape.high[0], 2049)
    values = bend(landscape, at)
    sign = certain_sign(values, landscape.hessian_bound(at[None])[0, 0])
    kept = np.flatnonzero(np.abs(sign) == 1)
    change = sign[kept][:-1] * sign[kept][1:] < 0
    left, right = at[kept][:-1][change], at[kept][1:][change]
    low, high = bisect(lambda points: np.sign(bend(landscape, points)), left, right)
    return 0.5 * (low + high)
