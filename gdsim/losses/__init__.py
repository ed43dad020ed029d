"""Losses: what is minimised, and the library of those that have a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gdsim.losses.loss import Loss

if TYPE_CHECKING:
    from gdsim.losses.library import LOSSES, KnownPoint, NamedLoss, named_loss

__all__ = ["LOSSES", "KnownPoint", "Loss", "NamedLoss", "named_loss"]


def __getattr__(name: str) -> Any:
    """Find the library on first use: a run of a formula does without it."""
    if name not in __all__:
        raise AttributeError(f"module 'gdsim.losses' has no attribute {name!r}")
    from gdsim.losses import library

    return getattr(library, name)
