"""A textbook derivation as text: nested, with the rules beside, no wider than the screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

from gdsim.expr.display import to_text
from gdsim.expr.step_lines import Line

_INDENT, _DEEPEST = 4, 8  # columns for each rule, and the rules beyond which the indent stays
_RULES_AT = 36  # the column at which the rules stand where there is room
_UNBREAKABLE = 10**6

Piece = tuple[str, str]
"""A text and what it is: "" (formula or space), "rule" or "said"."""


def step_rows(lines: Iterable[Line], width: int = 80) -> list[list[Piece]]:
    """Return the rows of a derivation, each in pieces that a screen can colour."""
    return [row for line in lines for row in _rows(line, width)]


def steps_text(lines: Iterable[Line], width: int = 80) -> str:
    """Return the lines of a derivation as text.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> from gdsim.expr.step_lines import step_lines
    >>> from gdsim.expr.textbook import textbook
    >>> print(steps_text(step_lines(textbook(parse("x*exp(3x)"), "x"))))
    (x·exp(3·x))′ = x′·exp(3·x) + x·exp(3·x)′   product: (f·g)′ = f′·g + f·g′
        x′ = 1                          identity
        exp(3·x)′ = exp(u)′·u′          chain with u = 3·x: f(u)′ = f′(u)·u′
            exp(u)′ = exp(u)   exponential: exp(u) = e^u is its own derivative
            u′ = 3·x′ = 3·1 = 3         constant multiple: (c·f)′ = c·f′
          = exp(3·x)·3 = 3·exp(3·x)
      = 1·exp(3·x) + x·3·exp(3·x) = exp(3·x) + 3·x·exp(3·x)
    """
    return "\n".join("".join(text for text, _ in row) for row in step_rows(lines, width))


def _rows(line: Line, width: int) -> Iterator[list[Piece]]:
    margin = " " * min(_INDENT * min(line.depth, _DEEPEST), width // 2 - 8)
    if line.depth > _DEEPEST:
        margin += f"[{line.depth}] "
    body = " = ".join(to_text(formula, unicode=True) for formula in line.formulas)
    rows = broken(margin + ("  = " if line.continues else "") + body, width, len(margin) + 2)
    rule, said = _beside(line, body)
    if rule and len(rows) == 1:
        column = max(len(rows[0]) + 3, _RULES_AT)
        for start in (column, len(rows[0]) + 3):
            if start + len(rule) + len(said) <= width:
                yield [(rows[0].ljust(start), ""), (rule, "rule"), (said, "said")]
                return
    for row in rows:
        yield [(row, "")]
    if rule:
        indent = min(len(margin) + 2 * _INDENT, width // 2)
        beside = wrap(rule + said, width - indent, subsequent_indent="  ", break_on_hyphens=False)
        for place, row in enumerate(beside):
            start = len(rule) if place == 0 else 0
            yield [(" " * indent + row[:start], "rule"), (row[start:], "said")]


def _beside(line: Line, body: str) -> Piece:
    """The rule's name, and what is said of it, unless the line itself says it."""
    said = ""
    if line.inner:
        letter, inner = line.inner
        said = f" with {letter.name} = {to_text(inner, unicode=True)}"
    if line.statement and (statement := line.statement.statement(line.variable)) != body:
        said += f": {statement}"
    if line.note:
        said += f" ({line.note})"
    return line.rule, said


def broken(text: str, width: int, equals_at: int) -> list[str]:
    """Break formulas into rows: at = if it can be, else outside brackets, else where it must be.

    A row that begins with = stands at a column, any other four columns further in.

    >>> broken("a = (b + c)·d + e = f·(g + h)", 20, 2)
    ['a = (b + c)·d + e', '  = f·(g + h)']
    >>> broken("a = (b + c)·d + e", 15, 2)
    ['a = (b + c)·d', '      + e']
    """
    rows: list[str] = []
    equals_at = min(equals_at, width // 2)
    depth = 0  # open brackets at the start of the row
    while len(text) > width:
        place = _best_break(text, width, depth)
        rows.append(text[:place].rstrip())
        depth += rows[-1].count("(") - rows[-1].count(")")
        rest = text[place:].lstrip()
        text = " " * (equals_at if rest.startswith("= ") else equals_at + 4) + rest
    return [*rows, text]


def _best_break(text: str, width: int, depth: int) -> int:
    """Where to break: the position of least cost, the last of them."""
    start = len(text) - len(text.lstrip()) + 2
    best, least = width, _UNBREAKABLE
    for place in range(1, width):
        before, here = text[place - 1], text[place]
        depth += (before in "(") - (before in ")")
        if place < start:
            continue
        if here == " ":
            sign = text[place + 1]
            cost = 3 * depth + (0 if sign == "=" and not depth else 1 if sign in "+−" else 2)
            cost += 2 * (place < (start + 6 if sign == "=" else width // 3))
        elif before in "·,":
            cost = 3 * depth + 5
        else:
            continue
        if cost <= least:
            best, least = place, cost
    return best
