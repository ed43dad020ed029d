"""What the default suite takes of a long test: fewer random examples, some cases of a matrix.

The rest runs with ``-m integration``: the other cases, and every property again with all its examples.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings

FULL = 100  # the examples of a property that states no number, in the integration tier
SHARE = 4  # the default suite takes one of so many


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
