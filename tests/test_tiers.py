"""The list of slow tests names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

from tiers import slow_tests

ROOT = Path(__file__).parent.parent


def test_every_slow_test_exists() -> None:
    texts: dict[str, str] = {}
    for name in slow_tests():
        file, function = re.fullmatch(r"([^:]+)::([^\[]+)(?:\[.*\])?", name, re.DOTALL).groups()  # type: ignore[union-attr]
        text = texts.setdefault(file, (ROOT / file).read_text(encoding="utf-8"))
        assert f"def {function}(" in text, name
