"""One descent that never comes to rest: gdsim's run, a training loop of PyTorch, and a loop written by hand.

The figures of docs/comparison.md, in processor time. PyTorch is used as its tutorials show it, with
``torch.optim.SGD`` on one number; it is made for millions of weights, not for one.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from statistics import median
from time import process_time

import numpy
import torch

from gdsim import simulate

STEPS, RATE, START = 20_000, 2.9, 0.5  # w³/3 − w²/2: chaos, so that nothing stops early
ROUNDS = 5


def by_hand() -> None:
    """The slope worked out on paper; nothing judged, nothing kept."""
    w = START
    for _ in range(STEPS):
        w -= RATE * (w**2 - w)


def pytorch() -> None:
    """Backward and step, as in a training loop."""
    weight = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([weight], lr=RATE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        (weight**3 / 3 - weight**2 / 2).backward()
        optimiser.step()


def ours() -> None:
    """Every step judged and recorded; with critical points, proof and verdict."""
    run = simulate("w^3/3 - w^2/2", initial_weight=START, learning_rate=RATE, stopping={"max_steps": STEPS})
    assert int(run.trajectory.steps[0]) == STEPS


def seconds(action: Callable[[], None]) -> float:
    """Return the processor time of one call."""
    start = process_time()
    action()
    return process_time() - start


def main() -> None:
    """Print one row for each, the median of runs in turn."""
    print(f"Python {platform.python_version()}, NumPy {numpy.__version__}, PyTorch {torch.__version__}")
    torch.set_num_threads(1)
    contestants = {"a whole gdsim run": ours, "a PyTorch loop": pytorch, "a loop by hand": by_hand}
    for action in contestants.values():
        action()  # warm-up
    times = [{name: seconds(action) for name, action in contestants.items()} for _ in range(ROUNDS)]
    for name in contestants:
        found = median(row[name] for row in times)
        print(f"{name:<20} {found * 1e3:9.1f} ms {found / STEPS * 1e6:9.2f} µs a step")


if __name__ == "__main__":
    main()
