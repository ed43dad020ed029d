"""The parts of a page by name: what ``--hide`` takes away, and what it is."""

from __future__ import annotations

from collections.abc import Iterable

from gdsim.outcomes import Fault, InputError, nearest

#: each part of the page that can be hidden, and what it is; the script knows them by the same names
PARTS: dict[str, str] = {
    "formula": "the loss and its derivatives as formulas",
    "picture": "the picture: curve or contour with the descent",
    "derivative": "the derivative below the curve, and its formula",
    "player": "the buttons and the slider that walk through the steps",
    "verdict": "what happened and why, in words and in numbers",
    "ruler": "the learning rate against 1/L and 2/L",
    "rate": "the learning rate",
    "start": "the start, also by a click into the picture",
    "rule": "the update rule and its options",
    "compare": "the second rule, side by side",
    "parameters": "the parameters of the loss",
    "edit": "the text box for a loss of your own",
    "steps": "the largest number of steps",
    "method": "the derivative method of the descent",
    "seed": "the seed of the noise",
    "convergence": "loss and distance against the step",
    "cobweb": "the map from one weight to the next",
    "zoom": "the secant that turns into the tangent as h shrinks",
    "methods": "the derivative at the current weight by every method",
    "vcurve": "error against h",
    "atlas": "what happens for every learning rate and start",
    "phase": "the weights against the step",
    "table": "the steps as a table",
    "exports": "saving pictures, the trajectory and the scenario",
    "theme": "the switch between light and dark",
    "reset": "the button that takes everything back",
}


def check_hidden(given: Iterable[str]) -> tuple[str, ...]:
    """Return the names of parts, once each and in their order.

    Raises
    ------
    InputError
        For a name that is no part of the page, with the nearest one.

    Examples
    --------
    >>> check_hidden(["ruler", "verdict", "ruler"])
    ('verdict', 'ruler')
    """
    chosen = set(given)
    expected = f"one of {', '.join(PARTS)}"
    faults = [
        Fault(f"the page has no part {name!r}", expected, nearest(name, [*PARTS]), path="--hide")
        for name in sorted(chosen - set(PARTS))
    ]
    if faults:
        raise InputError(*faults)
    return tuple(name for name in PARTS if name in chosen)
