"""The shipped scenarios, read and run once for each process of the test run. Runs are never changed."""

from __future__ import annotations

from functools import cache

from gdsim.runs import Run, execute
from gdsim.scenario import Scenario, load


@cache
def loaded(name: str) -> Scenario:
    """Return the scenario."""
    return load(name)


@cache
def executed(name: str) -> Run:
    """Return its run."""
    return execute(loaded(name))
