"""From tree to what people read: plain text that parses again, LaTeX, and presentation MathML.

A bracket is set only where the reader, or the parser, would otherwise take another tree. Two trees of
equal value may print alike: ``(-a)*b`` and ``-(a*b)`` are both ``-a*b``.
"""

from __future__ import annotations

from fractions import Fraction

from gdsim.expr.nodes import (
    ONE,
    Add,
    Call,
    Compare,
    Constant,
    Divide,
    Expr,
    Multiply,
    Number,
    Power,
    Prime,
    Reduce,
    Symbol,
    Where,
    written_size,
)
from gdsim.expr.signs import decimal, without_sign
from gdsim.expr.typeset import to_latex, to_mathml

__all__ = ["ELLIPSIS", "MOST_PARTS", "shown", "to_latex", "to_mathml", "to_text"]

MOST_PARTS = 1000  # nodes of a formula that is written out for a reader
ELLIPSIS = Symbol("…")

# How tightly a text binds, loosest first.
_SUM, _SIGNED, _PRODUCT, _POWER, _ATOM = range(5)
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNICODE = {"*": "·", "-": "−", "<=": "≤", ">=": "≥", "!=": "≠", "pi": "π"}


def to_text(expr: Expr, unicode: bool = False) -> str:
    """Write a tree as a formula that parses to a tree of the same value.

    Parameters
    ----------
    expr
        The tree.
    unicode
        Print ``2·x²`` in place of ``2*x^2``; this parses as well.

    Returns
    -------
    str
        One line, with ``^`` for powers and as few brackets as the parser needs.

    Notes
    -----
    Cost: linear in the size of the tree.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> to_text(parse("(w-3)**2 + (-2)*w"))
    '(w - 3)^2 - 2*w'
    >>> to_text(parse("2x^2 - pi"), unicode=True)
    '2·x² − π'
    """
    return _Plain(unicode).text(expr)


def shown(expr: Expr, most: int = MOST_PARTS) -> Expr:
    """Return a formula to be written, or ``ELLIPSIS`` for one too long to be read.

    A derivative has few distinct parts, but written out it may have billions.

    >>> from gdsim.expr.parse import parse
    >>> to_text(shown(parse("w^2 + 1"))), to_text(shown(parse("w^2 + 1"), most=4))
    ('w^2 + 1', '…')
    """
    return expr if written_size(expr) <= most else ELLIPSIS


class _Plain:
    def __init__(self, unicode: bool) -> None:
        self.unicode = unicode

    def text(self, expr: Expr) -> str:
        return self.level(expr)[0]

    def sign(self, ascii_sign: str) -> str:
        return _UNICODE.get(ascii_sign, ascii_sign) if self.unicode else ascii_sign

    def least(self, expr: Expr, needed: int) -> str:
        """Write a part that must bind at least so tightly, in brackets if it does not."""
        text, level = self.level(expr)
        return text if level >= needed else f"({text})"

    def level(self, expr: Expr) -> tuple[str, int]:
        negative, rest = without_sign(expr)
        if negative:
            return self.sign("-") + self.least(rest, _PRODUCT), _SIGNED
        match expr:
            case Number(value):
                if text := decimal(value):
                    return text, _ATOM
                above, below = (decimal(Fraction(part)) for part in (value.numerator, value.denominator))
                return f"{above}/{below}", _PRODUCT
            case Constant(name):
                return self.sign(name), _ATOM
            case Symbol(name):
                return name, _ATOM
            case Add():
                return self.sum(expr), _SUM
            case Multiply():
                return self.product(expr), _PRODUCT
            case Divide(numerator, denominator):
                return f"{self.least(numerator, _PRODUCT)}/{self.least(denominator, _POWER)}", _PRODUCT
            case Power():
                return self.power(expr), _POWER
            case Call():
                return self.call(expr), _ATOM
            case Compare(operator, left, right):
                return f"{self.text(left)} {self.sign(operator)} {self.text(right)}", _SUM
            case Where():
                return f"where({', '.join(map(self.text, expr.children))})", _ATOM
            case Reduce(kind, body):
                return f"{kind}({self.text(body)})", _ATOM
            case Prime(operand):
                named = isinstance(operand, Symbol | Call | Where | Reduce)
                inside = self.text(operand)
                return (inside if named else f"({inside})") + ("′" if self.unicode else "'"), _ATOM
        raise AssertionError(f"no text for {type(expr).__name__}")

    def sum(self, expr: Add) -> str:
        first, *others = expr.terms
        text = self.text(first)
        for term in others:
            negative, rest = without_sign(term)
            text += f" {self.sign('-') if negative else '+'} {self.least(rest, _PRODUCT)}"
        return text

    def product(self, expr: Multiply) -> str:
        first, *others = expr.factors
        if isinstance(first, Number) and not decimal(first.value):
            above = [
                *([Number(Fraction(first.value.numerator))] if first.value.numerator != 1 else []),
                *others,
            ]
            return f"{self.factors(above)}/{first.value.denominator}"
        return self.factors(expr.factors)

    def factors(self, factors: list[Expr] | tuple[Expr, ...]) -> str:
        first, *others = factors
        return self.sign("*").join(
            [self.least(first, _PRODUCT), *(self.least(part, _POWER) for part in others)]
        )

    def power(self, expr: Power) -> str:
        base = self.least(expr.base, _ATOM)
        negative, size = without_sign(expr.exponent)
        if self.unicode and isinstance(size, Number) and size.value.denominator == 1 and size.value < 1000:
            return base + f"{'-' if negative else ''}{size.value}".translate(_SUPERSCRIPT)
        above = self.least(expr.exponent, _POWER)
        return f"{base}^({above})" if above[-1] in _RAISED else f"{base}^{above}"  # 2^x² looks like (2^x)²

    def call(self, expr: Call) -> str:
        arguments = list(expr.arguments)
        if expr.function in ("max", "min"):
            while isinstance(arguments[0], Call) and arguments[0].function == expr.function:
                arguments[:1] = arguments[0].arguments
        if expr.function == "huber" and arguments[1] == ONE:
            del arguments[1]
        return f"{expr.function}({', '.join(map(self.text, arguments))})"
