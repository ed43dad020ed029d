"""Stepping, against the same loop written by hand: one run in Python, many runs in NumPy, one in PyTorch.

Most losses keep moving for ever (the logistic map in its chaotic band), so that no engine gains by
stopping early; tolerance 0 unless said otherwise, every step judged. Where runs converge one after the other
the loop by hand goes on with all of them.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
from timing import clocked, paired, report

from gdsim.batch import Batch, Stopping
from gdsim.derivatives import derivative_method
from gdsim.losses import Loss
from gdsim.schedules import schedule
from gdsim.simulation import simulate
from gdsim.update_rules import update_rule

RATE = 2.9  # w − η(w² − w) is the logistic map with r = 3.9
STEPS = 1_000_000
RUNS, RUN_STEPS = 10_000, 1_000
SPREAD = np.geomspace(1e-3, 0.6, RUNS)  # learning rates with which w² converges early, late, and not in time
PAIRS = 7


def batch(
    formula: str, start: np.ndarray, rate: float | np.ndarray, steps: int, every: int, tolerance: float = 0.0
) -> Batch:
    """Return a batch of gradient descents; without a tolerance little stops them before ``steps``."""
    return Batch(
        loss=Loss.from_text(formula),
        initial_weight=start[None, :],
        learning_rate=np.broadcast_to(rate, start.shape).copy(),
        derivative=derivative_method("analytic"),
        rule=update_rule("gradient_descent"),
        schedule=schedule("constant"),
        stopping=Stopping(steps, gradient_tolerance=tolerance),
        record_every=every,
    )


def by_hand(steps: int) -> float:
    """The single run as anybody would write it."""
    w, rate = 0.5, RATE
    for _ in range(steps):
        w -= rate * (w**2 - w)
    return w


def by_hand_numpy() -> np.ndarray:
    """The logistic map in NumPy, without judging."""
    w = np.linspace(0.2, 0.9, RUNS)
    for _ in range(RUN_STEPS):
        w -= RATE * (w * w - w)
    return w


def by_hand_rastrigin() -> np.ndarray:
    """A loss with a sine in NumPy, without judging."""
    w = np.linspace(-4.0, 4.0, RUNS)
    for _ in range(RUN_STEPS):
        w -= 0.05 * (2.0 * w + 20.0 * np.pi * np.sin(2.0 * np.pi * w))
    return w


def by_hand_quartic() -> np.ndarray:
    """The loss w⁴ in NumPy, without judging."""
    w = np.linspace(-1.0, 1.0, RUNS)
    for _ in range(RUN_STEPS):
        w -= 0.01 * (4.0 * w * w * w)
    return w


def by_hand_parabola() -> np.ndarray:
    """The loss w² in NumPy, each run with its own rate, without judging."""
    w = np.ones(RUNS)
    for _ in range(RUN_STEPS):
        w -= SPREAD * (2.0 * w)
    return w


def main() -> None:
    """Print the ratios and the peak memory."""
    one = batch("w^3/3 - w^2/2", np.array([0.5]), RATE, STEPS, STEPS)
    recorded = batch("w^3/3 - w^2/2", np.array([0.5]), RATE, STEPS, 1)
    report(
        "one run, 10^6 steps, no recording, over a Python loop",
        *paired(lambda: simulate(one, "python"), lambda: by_hand(STEPS), PAIRS),
        2.0,
    )
    report(
        "one run, 10^6 steps, every step recorded, over a Python loop",
        *paired(lambda: simulate(recorded, "python"), lambda: by_hand(STEPS), PAIRS),
        4.0,
    )
    many = batch("w^3/3 - w^2/2", np.linspace(0.2, 0.9, RUNS), RATE, RUN_STEPS, RUN_STEPS)
    report(
        "10,000 runs x 1,000 steps, polynomial, over a NumPy loop",
        *paired(lambda: simulate(many, "numpy"), by_hand_numpy, PAIRS),
        1.5,
    )
    usual = replace(many, stopping=Stopping(RUN_STEPS))
    report(
        "the same at the usual tolerance of 1e-8",
        *paired(lambda: simulate(usual, "numpy"), by_hand_numpy, PAIRS),
        None,
    )
    fourth = batch("w^4", np.linspace(-1.0, 1.0, RUNS), 0.01, RUN_STEPS, RUN_STEPS)
    report(
        "10,000 runs x 1,000 steps, w^4, over a NumPy loop",
        *paired(lambda: simulate(fourth, "numpy"), by_hand_quartic, PAIRS),
        1.5,
    )
    spread = batch("w^2", np.ones(RUNS), SPREAD, RUN_STEPS, RUN_STEPS, 1e-8)
    report(
        "10,000 runs that converge one by one, over a NumPy loop",
        *paired(lambda: simulate(spread, "numpy"), by_hand_parabola, 5),
        None,
    )
    waves = batch("w^2 - 10*cos(2*pi*w)", np.linspace(-4.0, 4.0, RUNS), 0.05, RUN_STEPS, RUN_STEPS)
    report(
        "10,000 runs x 1,000 steps, with a sine, over a NumPy loop",
        *paired(lambda: simulate(waves, "numpy"), by_hand_rastrigin, 5),
        1.5,
    )
    tracemalloc.start()
    simulate(many, "numpy")
    print(f"peak memory of 10,000 runs x 1,000 steps: {tracemalloc.get_traced_memory()[1] / 2**20:.1f} MiB")
    tracemalloc.stop()
    _torch(one)


def _torch(one: Batch) -> None:
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed: its row is left out")
        return

    def autograd(steps: int = 20_000) -> None:
        w = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
        for _ in range(steps):
            (w**3 / 3 - w**2 / 2).backward()
            with torch.no_grad():
                assert w.grad is not None
                w -= RATE * w.grad
                w.grad = None

    autograd(100)
    slow, ours = clocked(autograd) / 20_000, clocked(lambda: simulate(one, "python")) / STEPS
    print(f"a PyTorch autograd step takes {slow / ours:.0f} times as long as one of the python engine")


if __name__ == "__main__":
    main()
