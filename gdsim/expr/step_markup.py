r"""A textbook derivation as LaTeX (an ``align*`` environment) and as MathML (a table)."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from gdsim.expr.display import to_latex, to_mathml
from gdsim.expr.nodes import ONE, Add, Expr, Negate, Symbol
from gdsim.expr.signs import without_sign
from gdsim.expr.step_lines import Line

_DEEPEST = 8  # rules beyond which the indent stays
_LONGEST = 100  # characters of LaTeX in one row, where it can be broken
_SHORT = 40  # characters of LaTeX that do not stand in a row of their own
_WIDEST = 2000  # characters beyond which a formula is left out: TeX has a largest width
_LEFT = '<mtd style="text-align: left; padding-right: 1.5em">'  # browsers centre cells otherwise
_MATHML = '<math xmlns="http://www.w3.org/1998/Math/MathML">'


def steps_latex(lines: Iterable[Line], environment: str = "align*") -> str:
    r"""Return the lines of a derivation as LaTeX; it needs the package amsmath.

    Parameters
    ----------
    lines
        Those of the steps, of the closing, of the number.
    environment
        ``align*`` in running text, ``aligned`` within dollar signs.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> from gdsim.expr.step_lines import step_lines
    >>> from gdsim.expr.textbook import textbook
    >>> print(steps_latex(step_lines(textbook(parse("w^2"), "w"))))
    \begin{align*}
    & (w^{2})' = 2 w^{2 - 1} = 2 w && \text{power}\text{: } (w^n)' = n\,w^{n-1}
    \end{align*}
    """
    rows = [row for line in lines for row in _latex_rows(line)]
    body = " \\\\\n".join(rows)
    return f"\\begin{{{environment}}}\n{body}\n\\end{{{environment}}}"


def _latex_rows(line: Line) -> list[str]:
    indent = r"\quad " * min(line.depth, _DEEPEST)
    begin = r"\;{} = " if line.continues else ""
    beside = f" && {_latex_beside(line)}" if line.rule else ""
    formulas = [_latex_pieces(formula) for formula in line.formulas]
    if all(len(pieces) == 1 for pieces in formulas) and sum(len(one) for one, *_ in formulas) <= _LONGEST:
        return [f"& {indent}{begin}{' = '.join(one for one, *_ in formulas)}{beside}"]
    rows = [row for pieces in formulas for row in (rf"\;{{}} = {pieces[0]}", *pieces[1:])]
    rows[0] = begin + formulas[0][0]
    if len(rows[0]) <= _SHORT and len(formulas) > 1:  # L' = … in one row
        rows[:2] = [f"{rows[0]} = {formulas[1][0]}"]
    return [f"& {indent}{row}{'' if place else beside}" for place, row in enumerate(rows)]


def _latex_pieces(formula: Expr) -> list[str]:
    """Set a formula; a long sum in several rows, as LaTeX breaks no formula by itself."""
    whole = to_latex(formula)
    if len(whole) <= _LONGEST:
        return [whole]
    if not isinstance(formula, Add):
        return [whole if len(whole) <= _WIDEST else r"\dots"]
    rows = [""]
    for term in formula.terms:
        negative, size = without_sign(term)
        sign = "-" if negative else "+" if rows[-1] else ""
        text = to_latex(Add((Negate(size), ONE)) if negative else Add((size, ONE))).removesuffix(" + 1")
        text = text.removeprefix("-") if negative else text
        text = text if len(text) <= _WIDEST else r"\dots"
        if rows[-1] and len(rows[-1]) + len(text) > _LONGEST:
            rows.append(rf"\qquad {{}} {sign} {text}")
        else:
            rows[-1] += f" {sign} {text}" if rows[-1] else f"{sign}{text}"
    return rows


def _latex_beside(line: Line) -> str:
    said = rf"\text{{{line.rule}}}"
    if line.inner:
        letter, inner = line.inner
        said += rf"\text{{ with }} {to_latex(letter)} = {to_latex(inner)}"
    if line.statement:
        said += rf"\text{{: }} {line.statement.latex_statement(to_latex(Symbol(line.variable)))}"
    if line.again:
        said += rf"\text{{ ({line.note})}}"
    elif line.held:
        names = ", ".join(to_latex(Symbol(name)) for name in line.held)
        said += rf"\quad ({names}\text{{ held constant}})"
    return said


def steps_mathml(lines: Iterable[Line]) -> str:
    """Return the lines of a derivation as one ``<math>`` element: a table, the rules beside the formulas.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> from gdsim.expr.step_lines import step_lines
    >>> from gdsim.expr.textbook import textbook
    >>> steps_mathml(step_lines(textbook(parse("w^2"), "w"))).count("<mtr>")
    1
    """
    rows = "".join(_mathml_row(line) for line in lines)
    start = _MATHML.replace(">", ' display="block">')
    return f'{start}<mtable columnalign="left left" displaystyle="true">{rows}</mtable></math>'


def _inside(formula: Expr) -> str:
    return f"<mrow>{to_mathml(formula).removeprefix(_MATHML).removesuffix('</math>')}</mrow>"


def _mathml_row(line: Line) -> str:
    width = 2 * min(line.depth, _DEEPEST) + line.continues
    cell = f'<mspace width="{width}em"/>' if width else ""
    cell += "<mo>=</mo>" if line.continues else ""
    cell += "<mo>=</mo>".join(map(_inside, line.formulas))
    beside = line.rule
    if line.inner:
        beside += " with\u00a0"  # a space at the end of a text is dropped
    said = f"<mtext>{escape(beside)}</mtext>" if beside else ""
    if line.inner:
        letter, inner = line.inner
        said += f"<mrow>{_inside(letter)}<mo>=</mo>{_inside(inner)}</mrow>"
    behind = f": {line.statement.statement(line.variable)}" if line.statement else ""
    behind += f" ({line.note})" if line.note else ""
    said += f"<mtext>{escape(behind)}</mtext>" if behind else ""
    return f"<mtr>{_LEFT}{cell}</mtd>{_LEFT}<mrow>{said}</mrow></mtd></mtr>"
