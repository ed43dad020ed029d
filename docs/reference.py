"""Write the tables of the pages anew from the code: ``python docs/reference.py``.

A table stands between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->``; ``TABLES`` has every NAME. What
stands between is never edited by hand: a test fails where a page is behind the code. ``--check`` only looks.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from _tables import lessons, registries, scenario

DOCS = Path(__file__).parent
TABLES: dict[str, Callable[[], Iterator[str]]] = {**scenario.TABLES, **registries.TABLES, **lessons.TABLES}
_BLOCK = re.compile(
    r"^<!-- begin: (?P<name>[^>]+) -->\n.*?<!-- end: (?P=name) -->$", re.DOTALL | re.MULTILINE
)
_MARK = re.compile(r"^<!-- begin: ([^>]+) -->$", re.MULTILINE)


def pages() -> list[Path]:
    """Return the pages of the site."""
    return sorted(path for path in DOCS.rglob("*.md") if not path.relative_to(DOCS).parts[0].startswith("_"))


def fresh(text: str) -> str:
    """Return a page with its tables as the code has them now."""

    def table(block: re.Match[str]) -> str:
        body = "\n".join(TABLES[block["name"]]()).strip("\n")
        return f"<!-- begin: {block['name']} -->\n\n{body}\n\n<!-- end: {block['name']} -->"

    return _BLOCK.sub(table, text)


def misplaced() -> list[str]:
    """Return what is wrong with the marks: tables that no page has, that two have, or that do not exist."""
    found = Counter(name for page in pages() for name in _MARK.findall(page.read_text(encoding="utf-8")))
    wrong = [f"no page has <!-- begin: {name} -->" for name in TABLES if name not in found]
    wrong += [f"{count} pages have <!-- begin: {name} -->" for name, count in found.items() if count > 1]
    return wrong + [f"there is no table {name!r}" for name in found if name not in TABLES]


def main(check: bool) -> list[str]:
    """Bring every page up to date, or only look; return what was behind."""
    found = misplaced()
    for page in [] if found else pages():
        text = page.read_text(encoding="utf-8")
        if text != (now := fresh(text)):
            found.append(f"{page.relative_to(DOCS)}: tables {'differ from the code' if check else 'written'}")
            if not check:
                page.write_text(now, encoding="utf-8")
    return found


if __name__ == "__main__":
    behind = main(check="--check" in sys.argv)
    print("\n".join(behind) or "all tables are as the code has them")
    sys.exit(bool(behind) and ("--check" in sys.argv or bool(misplaced())))
