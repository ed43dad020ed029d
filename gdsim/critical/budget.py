"""How much work a certified search may do, and what it reports on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Budget:
    """Bounds on a search; what is left when one is reached is reported as unresolved.

    Attributes
    ----------
    boxes
        The most boxes that may be looked at; with one weight for each factor on each smooth piece.
    expired
        Asked now and then whether time is up. The core reads no clock: a caller who does passes
        its own.
    progress
        Told now and then how many boxes were looked at and how many wait.
    """

    boxes: int = 200_000
    expired: Callable[[], bool] = _never
    progress: Callable[[int, int], None] | None = None
