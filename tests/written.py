"""All that is written by a program: the tables of the pages and the JSON Schemas that editors read.

``python tests/written.py`` brings it up to date; for each part a test holds the tree to it.
"""

from __future__ import annotations

import json
from pathlib import Path

import lesson_reference
import scenario_reference

from gdsim.lessons.schema import schema_text
from gdsim.scenario import json_schema
from gdsim.slides import deck_schema

ROOT = Path(__file__).parent.parent


def files() -> dict[Path, str]:
    """Return the text of each file that is written, in whole or in part."""
    tables = {page: lesson_reference.page_with_tables(page) for page in lesson_reference.TABLES}
    return {
        scenario_reference.PAGE: scenario_reference.page_with_reference(),
        **{lesson_reference.DOCS / page: text for page, text in tables.items()},
        ROOT / "scenarios" / "scenario.schema.json": _json(json_schema()),
        ROOT / "scenarios" / "deck.schema.json": _json(deck_schema()),
        ROOT / "gdsim" / "course" / "lesson.schema.json": schema_text(),
    }


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
