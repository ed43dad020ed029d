"""Losses: what is minimised, and the library of those that have a name."""

from gdsim.losses.library import LOSSES, KnownPoint, NamedLoss, named_loss
from gdsim.losses.loss import Loss

__all__ = ["LOSSES", "KnownPoint", "Loss", "NamedLoss", "named_loss"]
