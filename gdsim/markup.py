"""What results show of themselves in a notebook: small tables and paragraphs of HTML.

Every text is escaped; there is no colour, no script and nothing from elsewhere, so that it suits any theme.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table, or nothing where it has no rows.

    >>> table(["weight", "loss"], [["w < 1", 0.25]])
    '<table><thead><tr><th>weight</th>...<tbody><tr><td>w &lt; 1</td><td>0.25</td></tr></tbody></table>'
    """
    body = "".join(f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return ""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def paragraph(text: str, strong: str = "", emphasis: str = "") -> str:
    """Return a paragraph that begins with what is strong and ends with what is stressed.

    >>> paragraph(": it settled.", strong="minimum")
    '<p><strong>minimum</strong>: it settled.</p>'
    """
    head = f"<strong>{escape(strong)}</strong>" if strong else ""
    tail = f" <em>{escape(emphasis)}</em>" if emphasis else ""
    return f"<p>{head}{escape(text)}{tail}</p>"


def coordinates(weight: Mapping[str, float]) -> str:
    """Return ``x = 1, y = 2`` with six significant digits.

    >>> coordinates({"x": 1.0, "y": -0.5})
    'x = 1, y = -0.5'
    """
    return ", ".join(f"{name} = {value:.6g}" for name, value in weight.items())


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value))
