"""What every printer needs to know of numbers and signs."""

from __future__ import annotations

from fractions import Fraction

from gdsim.expr.nodes import Divide, Expr, Multiply, Negate, Number

_LONGEST_DECIMAL = 20  # digits; a longer one is printed as a fraction
_PLAIN_EXPONENTS = range(-5, 16)


def without_sign(expr: Expr) -> tuple[bool, Expr]:
    """Take a minus that stands at the head of a term: (whether there is one, the term without it).

    >>> from gdsim.expr.parse import parse
    >>> without_sign(parse("-2*w")) == (True, parse("2*w"))
    True
    """
    match expr:
        case Number(value) if value < 0:
            return True, Number(-value)
        case Negate(operand):
            return True, operand
        case Multiply((first, *others)):
            negative, rest = without_sign(first)
            return (True, Multiply((rest, *others))) if negative else (False, expr)
        case Divide(numerator, denominator):
            negative, rest = without_sign(numerator)
            return (True, Divide(rest, denominator)) if negative else (False, expr)
    return False, expr


def decimal(value: Fraction) -> str:
    """Write a rational ≥ 0 as a decimal where that is exact and what a textbook would print, else "".

    Halves, quarters and eighths below ten stay fractions: they come from exponents and coefficients
    such as ½ far more often than from a measured 0.5.

    >>> decimal(Fraction(1, 10)), decimal(Fraction(1, 2)), decimal(Fraction(1, 10**8))
    ('0.1', '', '1e-8')
    """
    if value.denominator in (2, 4, 8) and value.numerator < 10:
        return ""
    odd, places = value.denominator, 0
    for prime in (2, 5):
        count = 0
        while odd % prime == 0:
            odd //= prime
            count += 1
        places = max(places, count)
    if odd != 1:
        return ""
    digits = str(value.numerator * 10**places // value.denominator)
    exponent = len(digits) - places - 1
    shown = digits.rstrip("0")
    if len(shown) > _LONGEST_DECIMAL and places:
        return ""
    if exponent in _PLAIN_EXPONENTS or value == 0 or len(shown) > _LONGEST_DECIMAL:
        if not places:
            return digits
        digits = digits.zfill(places + 1)
        return f"{digits[:-places]}.{digits[-places:]}"
    return f"{shown[0]}{'.' if shown[1:] else ''}{shown[1:]}e{exponent}"
