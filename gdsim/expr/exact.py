"""Exact values of constant expressions: which numbers may be folded, and to what.

A number is folded only where the result is rational, short, and well inside double precision, so that
folding neither takes long nor turns a finite intermediate value into an infinity.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from gdsim.expr.nodes import Constant, Expr, Number

MOST_BITS = 2000
_LARGEST = Fraction(10) ** 290  # a factor 10^18 from overflow on either side
_AT_ZERO = {
    "exp": 1, "sin": 0, "cos": 1, "tan": 0, "asin": 0, "atan": 0, "sinh": 0, "cosh": 1, "tanh": 0,
}  # fmt: skip


def foldable(value: Fraction) -> bool:
    """Tell whether a number is short and far from overflow and underflow.

    >>> foldable(Fraction(1, 3)), foldable(Fraction(10) ** 300)
    (True, False)
    """
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
        return False
    return value == 0 or 1 / _LARGEST <= abs(value) <= _LARGEST


def over_and_under(coefficient: Fraction) -> tuple[Fraction, Fraction]:
    """Decide how a coefficient is printed: 0.2·w as a decimal, w/2 and 2·w/3 as a fraction.

    >>> over_and_under(Fraction(1, 5)) == (Fraction(1, 5), 1), over_and_under(Fraction(2, 3)) == (2, 3)
    (True, True)
    """
    denominator = coefficient.denominator
    rest = denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest == 1 and denominator % 5 == 0:
        return coefficient, Fraction(1)
    return Fraction(coefficient.numerator), Fraction(denominator)


def exact_power(base: Fraction, exponent: Fraction) -> Fraction | None:
    """Return the power where it is rational and foldable, else None.

    >>> exact_power(Fraction(4, 9), Fraction(-1, 2))
    Fraction(3, 2)
    >>> exact_power(Fraction(9), Fraction(9**9)) is None
    True
    """
    if base == 0:
        return Fraction(0) if exponent > 0 else None
    if exponent.denominator > 1:
        if base < 0 or exponent.denominator > MOST_BITS:
            return None
        root = _exact_root(base, exponent.denominator)
        return None if root is None else exact_power(root, Fraction(exponent.numerator))
    if abs(base) == 1:
        return base if exponent % 2 else Fraction(1)
    if max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(exponent) > MOST_BITS:
        return None
    value = base ** int(exponent)
    return value if foldable(value) else None


def _exact_root(value: Fraction, degree: int) -> Fraction | None:
    above = _integer_root(value.numerator, degree)
    below = _integer_root(value.denominator, degree)
    return None if above is None or below is None else Fraction(above, below)


def _integer_root(value: int, degree: int) -> int | None:
    """Return the integer root by bisection, or None where there is none."""
    low, high = 0, 1 << (value.bit_length() // degree + 1)
    while low < high:
        middle = (low + high) // 2
        if middle**degree < value:
            low = middle + 1
        else:
            high = middle
    return low if low**degree == value else None


def exact_call(function: str, arguments: Sequence[Expr]) -> Fraction | None:
    """Return the rational value of a function at rational arguments where it has one, else None.

    >>> exact_call("log10", [Number(Fraction(1, 1000))])
    Fraction(-3, 1)
    """
    if function == "log" and arguments[0] == Constant("e"):
        return Fraction(1)
    values = [argument.value for argument in arguments if isinstance(argument, Number)]
    if len(values) < len(arguments):
        return None
    value = values[0]
    match function:
        case "sign":
            return Fraction((value > 0) - (value < 0))
        case "relu":
            return max(value, Fraction(0))
        case "max":
            return max(values)
        case "min":
            return min(values)
        case "huber":
            return _huber(value, values[1])
        case "log" | "acos":
            return Fraction(0) if value == 1 else None
        case "log2":
            return _exact_logarithm(value, 2)
        case "log10":
            return _exact_logarithm(value, 10)
        case "sigmoid":
            return Fraction(1, 2) if value == 0 else None
    return Fraction(_AT_ZERO[function]) if value == 0 and function in _AT_ZERO else None


def _huber(value: Fraction, bound: Fraction) -> Fraction | None:
    result = value**2 / 2 if abs(value) <= bound else bound * (abs(value) - bound / 2)
    return result if foldable(result) else None


def _exact_logarithm(value: Fraction, base: int) -> Fraction | None:
    if value <= 0:
        return None
    large = max(value.numerator, value.denominator)
    exponent = 0
    while base**exponent < large:
        exponent += 1
    if value == Fraction(base) ** exponent:
        return Fraction(exponent)
    return Fraction(-exponent) if value == Fraction(base) ** -exponent else None
