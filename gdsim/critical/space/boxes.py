"""Boxes of several weights, and the clusters in which they lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gdsim.outcomes import Interval

Box = tuple[tuple[float, ...], tuple[float, ...]]  # the least and the greatest corner
Group = list[tuple[Box, int]]  # boxes with the bits to look at them with

_MOST_ENTRIES = 16
_SPARSE = 1 / 8  # of their hull
SMALL = 2.0**-9  # of the domain: such a cluster may lie round one point
_TINY = 2.0**-16  # of the domain: very many boxes so small show no more than rounding


def apart(first: Box, second: Box) -> bool:
    """Whether two boxes do not meet.

    >>> apart(((0.0, 0.0), (1.0, 1.0)), ((0.5, 1.0), (2.0, 2.0)))
    False
    """
    return any(a > d or b < c for a, b, c, d in zip(*first, *second, strict=True))


def box_of(intervals: Iterable[Interval]) -> Box:
    """The box with these sides.

    >>> box_of([(0.0, 1.0), (2.0, 3.0)])
    ((0.0, 2.0), (1.0, 3.0))
    """
    low, high = zip(*intervals, strict=True)
    return low, high


def hull(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all.

    >>> hull([((0.0, 0.0), (1.0, 1.0)), ((0.5, 1.0), (2.0, 2.0))])
    ((0.0, 0.0), (2.0, 2.0))
    """
    lows, highs = zip(*boxes, strict=True)
    return tuple(map(min, zip(*lows, strict=True))), tuple(map(max, zip(*highs, strict=True)))


def corners(boxes: Sequence[Box]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and the greatest corners, shape (boxes, weights)."""
    return np.array([low for low, _ in boxes]), np.array([high for _, high in boxes])


def clusters(boxes: Group) -> Iterator[Group]:
    """Yield groups of boxes that touch, or nearly: the cells of a grid as wide as the widest box are walked.

    Notes
    -----
    Boxes that touch lie in the same cell or in two that touch. Cost: linear in the number of boxes, times 3ⁿ
    for n weights.

    Examples
    --------
    >>> a, b, c = (((x, 0.0), (x + 1.0, 1.0)) for x in (0.0, 1.0, 9.0))
    >>> sorted(len(group) for group in clusters([(a, 53), (b, 53), (c, 53)]))
    [1, 2]
    """
    if not boxes:
        return
    lows, highs = corners([box for box, _ in boxes])
    cells = np.floor((lows - lows.min(axis=0)) / (highs - lows).max(axis=0)).astype(np.int64)
    members: dict[tuple[int, ...], list[int]] = {}
    for place, cell in enumerate(map(tuple, cells.tolist())):
        members.setdefault(cell, []).append(place)
    size = lows.shape[1]
    steps = np.stack(np.meshgrid(*[(-1, 0, 1)] * size), axis=-1).reshape(-1, size).tolist()
    while members:
        cell, found = members.popitem()
        group, queue = list(found), [cell]
        while queue:
            cell = queue.pop()
            for step in steps:
                near = tuple(a + b for a, b in zip(cell, step, strict=True))
                if near in members:
                    group += members.pop(near)
                    queue.append(near)
        yield [boxes[place] for place in sorted(group)]


def is_crowd(group: Group, scale: Sequence[float]) -> bool:
    """Whether the boxes of a large cluster fill little of its hull, or lie side by side in a strip.

    So do those that follow a curve or a surface; the boxes of a search that has only begun fill all.
    """
    lows, highs = corners([box for box, _ in group])
    sides = highs - lows
    whole = highs.max(axis=0) - lows.min(axis=0)
    sparse = (sides / whole).prod(axis=1).sum() < _SPARSE
    thin = (whole <= 3 * sides.max(axis=0)).any()
    tiny = (whole <= _TINY * np.array(scale)).all()
    return bool(sparse or thin or tiny)


def joined(groups: Sequence[Group], scale: Sequence[float]) -> list[Group]:
    """Join clusters whose hulls meet; small ones where they lie nearer than their widths, too."""
    waiting = [(_widened(group, scale), group) for group in groups]
    done: list[tuple[Box, Group]] = []
    while waiting:
        around, group = waiting.pop()
        near = [item for item in [*waiting, *done] if not apart(item[0], around)]
        if not near:
            done.append((around, group))
            continue
        waiting = [item for item in waiting if apart(item[0], around)]
        done = [item for item in done if apart(item[0], around)]
        whole = [box for _, members in near for box in members] + group
        waiting.append((_widened(whole, scale), whole))
    return [group for _, group in sorted(done, key=lambda item: item[0])]


def _widened(group: Group, scale: Sequence[float]) -> Box:
    low, high = hull([box for box, _ in group])
    wide = max((b - a) / s for a, b, s in zip(low, high, scale, strict=True))
    pad = wide if wide < SMALL else 0.0
    return (
        tuple(a - pad * s for a, s in zip(low, scale, strict=True)),
        tuple(b + pad * s for b, s in zip(high, scale, strict=True)),
    )


def merged(boxes: Sequence[Box]) -> list[Box]:
    """A few boxes as they are, many as their hull: a report is read by people."""
    return list(boxes) if len(boxes) <= _MOST_ENTRIES else [hull(boxes)]


def entry(names: Sequence[str], box: Box, reason: str) -> Mapping[str, object]:
    """One entry of ``Search.unresolved`` or ``Search.singular``."""
    return {"interval": dict(zip(names, zip(*box, strict=True), strict=True)), "reason": reason}
