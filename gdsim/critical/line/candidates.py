"""Places that are simple enough to be meant: 1/3, 2π, √2, log 3.

A zero of higher order cannot be told from a near miss by any arithmetic of finite precision. So a place is
guessed, and whether the formula is exactly zero there is then decided by :mod:`gdsim.expr.exact_zeros`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from flint import arb

from gdsim.expr.algebra import multiply
from gdsim.expr.emit_ball import Ball
from gdsim.expr.nodes import Call, Constant, Expr, Negate, Number
from gdsim.expr.simplify import simplify

_LARGEST_DENOMINATOR = 10_000
_SMALLEST = 10_000  # bits behind the point
_PI = Constant("pi")


def candidates(low: Ball, high: Ball) -> Iterator[Expr]:
    """Yield simple places in or next to a narrow stretch: rationals, and those of π, e, roots, logarithms.

    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.emit_ball import ball
    >>> [to_text(place) for place in candidates(arb("3.14159265"), arb("3.14159266"))][:1]
    ['pi']
    """
    stretch = low.union(high)
    readings: list[tuple[Ball, object]] = [
        (stretch, lambda q: Number(q)),
        (stretch / arb.pi(), lambda q: multiply((Number(q), _PI))),
        (stretch * stretch, lambda q: _with_sign(stretch, Call("sqrt", (Number(q),))) if q > 0 else None),
        (stretch / arb.const_e(), lambda q: multiply((Number(q), Constant("e")))),
        (stretch.exp(), lambda q: Call("log", (Number(q),)) if q > 0 else None),
        (stretch.log(), lambda q: Call("exp", (Number(q),))),
    ]
    for reading, made in readings:
        if not reading.is_finite():
            continue
        value = simplest(reading)
        if value is not None and value.denominator <= _LARGEST_DENOMINATOR:
            place = made(value)  # type: ignore[operator]
            if place is not None:
                yield simplify(place)


def _with_sign(stretch: Ball, root: Expr) -> Expr:
    return Negate(root) if stretch < 0 else root


def simplest(x: Ball) -> Fraction | None:
    """The fraction with the least denominator in a ball (widened by its own width).

    >>> simplest(arb("0.3333").union(arb("0.3334")))
    Fraction(1, 3)
    """
    low, high = _rational(x.lower()), _rational(x.upper())
    room = high - low
    low, high = low - room, high + room
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -_simplest(-high, -low)
    return _simplest(low, high)


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """The simplest fraction in [low, high] with 0 < low, by its continued fraction."""
    whole = -(-low.numerator // low.denominator)
    if whole <= high:
        return Fraction(whole)
    floor = low.numerator // low.denominator
    return floor + 1 / _simplest(1 / (high - floor), 1 / (low - floor))


def _rational(x: Ball) -> Fraction:
    """An exact ball as a fraction; 0 where it is so near to 0 that the fraction would fill the memory.

    >>> _rational(arb(3) / 8), _rational(arb(2) ** -(10**9))
    (Fraction(3, 8), Fraction(0, 1))
    """
    mantissa, exponent = x.man_exp()
    whole, shift = int(mantissa), int(exponent)
    if shift < -_SMALLEST:
        return Fraction(0)
    return Fraction(whole << shift) if shift >= 0 else Fraction(whole, 1 << -shift)
