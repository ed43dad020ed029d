"""Formulas with means and sums over the rows of data, as formulas of the weights alone."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from gdsim.expr.nodes import Add, Divide, Expr, Number, Reduce, Symbol, number, substitute, walk


def rows_written_out(expr: Expr, data: Mapping[str, tuple[Fraction, ...]]) -> Expr:
    """The formula with every mean and sum over the rows of the data as a plain sum.

    Cost: linear in the size of the tree times the number of rows.

    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> to_text(rows_written_out(parse("mean(abs(w - x))", columns={"x"}), {"x": (Fraction(1), Fraction(2))}))
    '(abs(w - 1) + abs(w - 2))/2'
    """
    rows = len(next(iter(data.values()), ()))
    done: dict[Expr, Expr] = {}
    for node in walk(expr):
        if isinstance(node, Reduce):
            terms = [
                substitute(
                    node.body, {Symbol(name, "column"): Number(column[row]) for name, column in data.items()}
                )
                for row in range(rows)
            ]
            total: Expr = Add(tuple(terms)) if rows > 1 else terms[0]
            done[node] = Divide(total, number(rows)) if node.kind == "mean" else total
        else:
            done[node] = (
                node.rebuild(tuple(done[child] for child in node.children)) if node.children else node
            )
    return done[expr]
