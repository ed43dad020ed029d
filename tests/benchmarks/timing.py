"""Fair timing: A and B in turn, the ratio pair by pair, the median quoted."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from statistics import median

_COMPILED = tempfile.TemporaryDirectory()


def paired(
    first: Callable[[], object], second: Callable[[], object], pairs: int
) -> tuple[float, float, float]:
    """Return median seconds of both, and the median ratio first/second over pairs run in turn."""
    first(), second()  # warm-up
    times = [(clocked(first), clocked(second)) for _ in range(pairs)]
    return (
        median(a for a, _ in times),
        median(b for _, b in times),
        median(a / b for a, b in times),
    )


def clocked(action: Callable[[], object]) -> float:
    """Return the wall seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def python(*words: str) -> Callable[[], str]:
    """Return a call that runs this Python with these words in a fresh process and gives what it prints.

    Compiled modules are kept in a folder of this benchmark, as an installation keeps them, whatever the
    environment says about writing them.
    """
    command: Sequence[str] = [sys.executable, *words]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = _COMPILED.name

    def run() -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout

    return run


def report(name: str, first: float, second: float, ratio: float, limit: float | None) -> None:
    """Print one row: what, seconds, seconds of the reference, ratio, target."""
    target = "" if limit is None else f"target {limit:.3g}  {'met' if ratio <= limit else 'MISSED'}"
    print(f"{name:<58} {first:9.4f} s {second:9.4f} s  ratio {ratio:6.2f}  {target}", flush=True)


def report_speed(
    name: str, units: float, unit: str, first: float, second: float, ratio: float, least: float | None
) -> None:
    """Print one row: what, speed, speed of the reference, how many times the speed, target.

    ``first``, ``second`` and ``ratio`` are what ``paired`` gives; ``units`` is the work of one call.
    """
    speed = 1.0 / ratio
    target = "" if least is None else f"target >= {least:.3g}  {'met' if speed >= least else 'MISSED'}"
    ours, theirs = (f"{units / seconds:10.2f}" for seconds in (first, second))
    print(f"{name:<46} {ours} {theirs} {unit}  speed x {speed:6.2f}  {target}", flush=True)
