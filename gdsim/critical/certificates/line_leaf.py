"""The boxes of a certificate for one weight as the document has them, and the places they name."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from flint import ctx

from gdsim.critical.certificates.document import Refused, real
from gdsim.expr.emit_ball import BallFunction
from gdsim.expr.nodes import Expr, Number, symbols
from gdsim.expr.parse import parse
from gdsim.expr.simplify import simplify
from gdsim.outcomes import InputError

TESTS = ("gradient", "one zero", "exact zero", "switch", "edge", "flat", "nowhere", "left")
FINE = 600  # bits with which a place is compared with its interval


def read_leaf(leaf: Mapping[str, Any]) -> tuple[float, float, int, str, Expr | None]:
    """A box of the document, its bits, its test, and the place it names."""
    if not {"box", "test", "bits"} <= set(leaf) <= {"box", "test", "bits", "place"}:
        raise Refused("a box has not exactly the entries box, test, bits and perhaps place")
    box, bits, test = leaf["box"], leaf["bits"], leaf["test"]
    if not isinstance(box, list) or len(box) != 2:
        raise Refused("a box is no pair of numbers")
    low, high = real(box[0], "the end of a box"), real(box[1], "the end of a box")
    if not low < high:
        raise Refused(f"[{low}, {high}] is no box")
    if type(bits) is not int or not 24 <= bits <= 4096:
        raise Refused("the bits of a box are no number from 24 to 4,096")
    if not isinstance(test, str) or test not in TESTS:
        raise Refused(f"there is no test {test!r}")
    if leaf.get("place") is None:
        return low, high, bits, test, None
    try:
        place = simplify(parse(leaf["place"]))
    except (InputError, TypeError, AttributeError):
        raise Refused("a place cannot be read") from None
    if symbols(place):
        raise Refused("a place is no constant")
    with ctx.workprec(FINE):
        (at,) = BallFunction([place], [])()
        if not (at > low and at < high):
            raise Refused("a place does not lie inside its box")
    return low, high, bits, test, place


def is_between(place: Expr, low: float, high: float) -> bool:
    """Whether a place lies between two doubles; where it is one of them, that is decided exactly."""
    if isinstance(place, Number):
        return Fraction(low) <= place.value <= Fraction(high)
    with ctx.workprec(FINE):
        (at,) = BallFunction([place], [])()
        return bool(at >= low and at <= high)
