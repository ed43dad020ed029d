"""What the default suite takes of a long test: fewer random examples, some cases of a matrix.

The rest runs with ``-m integration``: the other cases, every property again with all its examples, and the
tests of over half a second that ``slow_tests.txt`` names. To write that list again:

    python -m pytest -m "not integration and not release" --durations=0 | python tests/tiers.py
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

FULL = 100  # the examples of a property that states no number, in the integration tier
SHARE = 4  # the default suite takes one of so many
SLOW = 0.5  # seconds
_LIST = Path(__file__).with_name("slow_tests.txt")
_DURATION = re.compile(r"^ *([0-9.]+)s (?:call|setup) +(\S.*)$")


def slow_tests() -> frozenset[str]:
    """Return the names of the tests that the default suite leaves to the integration tier."""
    return frozenset(_LIST.read_text(encoding="utf-8").splitlines())


def write_slow_tests(report: Iterable[str]) -> None:
    """Add the tests that took long, as pytest reports durations, to the list."""
    found = [match for line in report if (match := _DURATION.match(line.rstrip()))]
    names = slow_tests() | {name for seconds, name in map(re.Match.groups, found) if float(seconds) > SLOW}
    _LIST.write_text("\n".join(sorted(names)) + "\n", encoding="utf-8")


def examples(number: int) -> settings:
    """Return settings with this many examples, or in the default suite a share of them, at least ten."""
    share = settings.default.max_examples / FULL  # type: ignore[union-attr]
    return settings(max_examples=max(min(number, 10), round(number * share)))


def some(cases: Iterable[Any], *default: Any) -> list[Any]:
    """Return the cases, all but the default ones marked for the integration tier."""
    return [case if case in default else pytest.param(case, marks=pytest.mark.integration) for case in cases]


def later(*values: Any) -> Any:
    """Return one case, of one or several values, for the integration tier."""
    return pytest.param(*values, marks=pytest.mark.integration)


def much_later(*values: Any) -> Any:
    """Return one case, of one or several values, for the release tier."""
    return pytest.param(*values, marks=pytest.mark.release)


if __name__ == "__main__":
    write_slow_tests(sys.stdin)
