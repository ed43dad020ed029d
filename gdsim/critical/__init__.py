"""Critical points: where every ∂L/∂w is zero or the loss has a kink, and what each one is.

The search is numerical: what it finds is there to rounding, what it does not find is not disproved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gdsim.critical import one_dimension
from gdsim.critical.landscape import Landscape
from gdsim.losses import Loss
from gdsim.outcomes import Fault, InputError, Interval, Search

__all__ = ["find"]


def find(
    loss: Loss,
    domain: Mapping[str, Interval],
    extra_starts: Sequence[Sequence[float]] = (),
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
        example the final weight of a run. Those that are not finite are passed over.

    Returns
    -------
    Search
        Critical points in ascending order of the first weight; ``complete`` is False and every ``proof``
        is ``"numerical"``.

    Raises
    ------
    InputError
        For a domain that lacks a weight or is empty.

    Notes
    -----
    Cost: for one weight some 2,100 evaluations of f′ and f″, and about 150 for each point; for several
    weights some 4,000 starts of a damped Newton method.

    Examples
    --------
    >>> search = find(Loss.from_text("3w^4 - 4w^3"), {"w": (-1.2, 1.6)})
    >>> [(point.kind, point.weight["w"], point.multiplicity) for point in search.critical_points]
    [('inflection', 0.0, 2), ('minimum', 1.0, 1)]
    """
    for name in loss.weights:
        if name not in domain:
            raise InputError(Fault(f"the domain lacks the weight {name!r}", path=f"domain.{name}"))
        low, high = domain[name]
        if not (-1e300 < low < high < 1e300):
            raise InputError(
                Fault(f"[{low}, {high}] is no interval", "low < high, both finite", path=f"domain.{name}")
            )
    ends = {name: (float(domain[name][0]), float(domain[name][1])) for name in loss.weights}
    landscape = Landscape(loss, ends)
    more = np.array(extra_starts, dtype=np.float64).reshape(-1, len(loss.weights)).T
    more = more[:, np.isfinite(more).all(axis=0)]
    if len(loss.weights) == 1:
        return one_dimension.search(landscape, more[0])
    from gdsim.critical import several_dimensions

    return several_dimensions.search(landscape, more)
