"""What the two dialects of Markdown slides share: lines, formulas, tables."""

from __future__ import annotations

from collections.abc import Sequence

from gdsim.slides.escape import markdown
from gdsim.slides.model import Formula, Line, Lines, Table


def lines(part: Lines) -> str:
    """Return paragraphs, or bullets."""
    if part.bullets:
        return "\n".join(f"- {line(item)}" for item in part.lines)
    return "\n\n".join(map(line, part.lines))


def line(item: Line) -> str:
    """Return one paragraph."""
    text = markdown(item.text)
    return f"**{text}**" if item.weight == "lead" else text


def formula(part: Formula) -> str:
    """Return a displayed formula."""
    return f"$${part.latex}$$" if "$" not in part.latex else markdown(part.text)


def table(part: Table) -> str:
    """Return a table of pipes; Pandoc makes columns as wide as their dashes where lines are long."""
    head = part.head or ("",) * len(part.rows[0])
    longest = [max(map(len, column)) for column in zip(head, *part.rows, strict=True)]
    rule = "|" + "".join(f" {'-' * max(3, signs)} |" for signs in longest)
    body = [_row(row, part.marked == place) for place, row in enumerate(part.rows)]
    return "\n".join([_row(head, False), rule, *body])


def _row(cells: Sequence[str], bold: bool) -> str:
    texts = [f"**{markdown(cell)}**" if bold and cell else markdown(cell) for cell in cells]
    return "| " + " | ".join(texts) + " |"
