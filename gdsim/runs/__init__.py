"""A scenario, run: composed, executed, summarised, stored, loaded, continued, compared."""

from __future__ import annotations

from gdsim.runs.composition import compose
from gdsim.runs.execution import execute, execute_batch
from gdsim.runs.expectations import Expectation, check
from gdsim.runs.run import Run
from gdsim.runs.store import continued, difference, load, save

__all__ = [
    "Expectation", "Run", "check", "compose", "continued", "difference", "execute", "execute_batch", "load",
    "save",
]  # fmt: skip
