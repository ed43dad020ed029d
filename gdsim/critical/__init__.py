"""Every place in a domain where ∂L/∂w = 0, and what it is.

The finder here is numerical: it works for formulas and for Python functions, and it never claims to be
complete. One weight: ``one_dimension``; several: ``several_dimensions``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gdsim.losses import Loss
from gdsim.outcomes import Fault, InputError, Interval, Search


def find(
    loss: Loss, domain: Mapping[str, Interval], extra_starts: Sequence[Sequence[float]] = ()
) -> Search:
    """Find and classify the critical points of a loss in a domain.

    Parameters
    ----------
    loss
        A formula or a Python function, at its own parameter values.
    domain
        For each weight its interval, in the weight's unit.
    extra_starts
        Further weights from which to look, such as the end of a run.

    Returns
    -------
    Search
        With ``proof`` "numerical" and ``complete`` False: a sign change of f′ narrower than the grid, or a
        basin that no start reaches, stays unseen.

    Raises
    ------
    InputError
        Where the domain does not name every weight with two different finite ends.

    Notes
    -----
    Cost: in one dimension at least 2,049 gradients and about 100 more for each point; in several, some
    tens of gradients and Hessians for each of up to 2,500 starts.

    Examples
    --------
    >>> search = find(Loss.from_text("x^3 - 3x"), {"x": (-2, 2)})
    >>> [(point.kind, point.weight["x"]) for point in search.critical_points]
    [('maximum', -1.0), ('minimum', 1.0)]
    """
    _check_domain(loss, domain)
    bounds = {name: (float(domain[name][0]), float(domain[name][1])) for name in loss.weights}
    if len(loss.weights) == 1:
        from gdsim.critical.one_dimension import search
    else:
        from gdsim.critical.several_dimensions import search
    return search(loss, bounds, extra_starts)


def _check_domain(loss: Loss, domain: Mapping[str, Interval]) -> None:
    for name in loss.weights:
        if name not in domain:
            raise InputError(Fault(f"the domain has no interval for the weight {name!r}", f"{name}: [low, high]"))
        low, high = domain[name]
        if not (float("-inf") < low < high < float("inf")):
            raise InputError(
                Fault(f"the domain of {name} is [{low}, {high}]", "two finite numbers, the lower one first")
            )
    if unknown := set(domain) - set(loss.weights):
        raise InputError(Fault(f"the domain names {sorted(unknown)[0]!r}, which is no weight", ", ".join(loss.weights)))
