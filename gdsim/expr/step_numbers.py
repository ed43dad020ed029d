"""The last lines of a derivation: numbers filled in, then the number."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isclose, isfinite

from gdsim.expr.emit_python import compile_function
from gdsim.expr.nodes import Add, Expr, Negate, Number, Symbol, substitute, written_size
from gdsim.expr.step_lines import Line

_MOST_TERMS = 8  # of a sum that is added up term by term
_MOST_PARTS = 200  # nodes of a formula into which numbers are filled


def figure(value: float) -> Expr:
    """Return a number with six digits as it is written down: 0.5 and not 1/2.

    >>> from gdsim.expr.display import to_text
    >>> to_text(figure(0.5)), to_text(figure(-1 / 3)), to_text(figure(3.0)), to_text(figure(float("nan")))
    ('0.5', '-0.333333', '3', 'nan')
    """
    text = f"{abs(value):.6g}".replace("inf", "∞")
    literal = "." in text and "e" not in text
    size = Symbol(text) if literal or not isfinite(value) else Number(Fraction(text))
    return Negate(size) if value < 0 else size


def with_numbers(expr: Expr, values: Mapping[Symbol, float]) -> Expr:
    """Fill numbers into a formula, for reading: nothing is simplified.

    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> to_text(with_numbers(parse("2x*exp(3x)"), {Symbol("x"): 0.5}))
    '2*0.5*exp(3*0.5)'
    """
    return substitute(expr, {symbol: figure(value) for symbol, value in values.items()})


def number_lines(
    result: Expr, head: Expr, slope: float, scalars: Mapping[Symbol, float], columns: Mapping[Symbol, object]
) -> list[Line]:
    """Return the numbers filled in, the terms of a sum added up, and the number.

    Parameters
    ----------
    result
        The derivative.
    head
        What it is called.
    slope
        Its value.
    scalars, columns
        The values of weights and parameters; the columns of data, which stay names.

    Examples
    --------
    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> for line in number_lines(parse("2w - w^3"), Symbol("slope"), 10.625, {Symbol("w"): -2.5}, {}):
    ...     print(" = ".join(map(to_text, line.formulas)))
    slope = 2*(-2.5) - (-2.5)^3
    -5 + 15.625
    10.625
    """
    filled = with_numbers(result, scalars)
    if filled in (result, figure(slope)) or written_size(result) > _MOST_PARTS:
        return [Line(0, (head, figure(slope)))]
    lines = [Line(0, (head, filled))]
    if isinstance(result, Add) and len(result.terms) <= _MOST_TERMS:
        terms = compile_function(list(result.terms), [*scalars, *columns])(
            *scalars.values(), *columns.values()
        )
        if isclose(sum(terms), slope, rel_tol=1e-5, abs_tol=1e-12) and all(map(isfinite, terms)):
            lines.append(Line(0, (Add(tuple(map(figure, terms))),), continues=True))
    return [*lines, Line(0, (figure(slope),), continues=True)]
