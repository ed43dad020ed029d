"""How far two engines may be apart on the same batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gdsim.batch import Batch, Stopping, Trajectory
from gdsim.kernels import machine_code
from gdsim.kernels.fast_source import Source
from gdsim.kernels.plan import Plan
from gdsim.losses import Loss
from gdsim.outcomes import Status
from gdsim.simulation import simulate

UNIT = 2.0**-52
ENDS = ("final_weight", "final_gradient", "final_loss", "final_learning_rate", "previous_weight", "last_step",
        "anchor", "tail", "gradient_evaluations", "loss_evaluations", "last_evaluations")  # fmt: skip


def same_bytes(one: Trajectory, other: Trajectory, *names: str) -> None:
    for name in names or ("status_code", "steps", "weight", "gradient", "loss", "learning_rate", *ENDS):
        first, second = getattr(one, name), getattr(other, name)
        assert np.array_equal(first, second, equal_nan=first.dtype.kind == "f"), name


def close(one: Trajectory, other: Trajectory, units: float = 64.0) -> None:
    """Equal statuses, steps and shapes; numbers within some units of the largest of their kind."""
    assert one.status == other.status
    for name in ("steps", "step_index", "gradient_evaluations", "loss_evaluations", "last_evaluations"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    for name in ("weight", "gradient", "loss", "learning_rate", *ENDS):
        first, second = getattr(one, name), getattr(other, name)
        assert first.shape == second.shape, name
        assert np.array_equal(np.isnan(first), np.isnan(second)), name
        scale = np.nanmax(np.abs(second), initial=1.0)
        assert np.nanmax(np.abs(first - second), initial=0.0) <= units * UNIT * scale, name


def spread(loss: str | Loss, count: int = 70) -> list[tuple[float, ...]]:
    size = len((Loss.from_text(loss) if isinstance(loss, str) else loss).weights)
    line = np.linspace(-1.9, 1.9, count)
    return [tuple(((-1) ** w) * (x + 0.3 * w) for w in range(size)) for x in line]


def one_step(batch: Batch, units: float) -> None:
    """Compare a single step from many places; ``units`` in the last place of what is added up on the way."""
    short = replace(batch, stopping=Stopping(1, 0.0, 1e300), record_every=1)
    fast, slow = simulate(short, "fast"), simulate(short, "numpy")
    for name in ("gradient", "weight", "loss"):
        first, second = getattr(fast, name), getattr(slow, name)
        alike = np.isnan(first) == np.isnan(second)
        assert alike.all(), name
        size = np.maximum(np.abs(second), 1.0)
        with np.errstate(invalid="ignore"):
            apart = np.where(first == second, 0.0, np.abs(first - second) / size)
        assert np.nanmax(apart, initial=0.0) <= units * UNIT, name
    assert machine_code.file_of(Source(Plan(short)).text).exists()  # it needs nothing of Numba to run


def same_statuses(batch: Batch, unless: np.ndarray | None = None) -> None:
    """Every run ends alike, but that those which are marked may converge with one engine only."""
    fast, slow = simulate(batch, "fast"), simulate(batch, "numpy")
    resting = [Status.STALLED.code, Status.CYCLING.code]  # which of the two, the last bit decides
    same = fast.status_code == slow.status_code
    same |= np.isin(fast.status_code, resting) & np.isin(slow.status_code, resting)
    if unless is not None:
        turned = [Status.CONVERGED.code, Status.MAX_STEPS.code]
        same |= unless & np.isin(fast.status_code, turned) & np.isin(slow.status_code, turned)
    assert same.all(), [(str(fast.status[i]), str(slow.status[i])) for i in np.flatnonzero(~same)]
