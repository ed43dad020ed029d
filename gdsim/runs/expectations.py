"""What a scenario expects of its run, and whether it came true."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from gdsim.runs.run import Run

_DEFAULT_TOLERANCE = 1e-6


class Expectation(NamedTuple):
    """One expectation: what it is about, what was expected, what was found, and whether they agree."""

    path: str
    expected: str
    found: str
    met: bool


def check(run: Run, expect: Mapping[str, Any] | None = None) -> list[Expectation]:
    """Compare a run with what its scenario expects.

    Parameters
    ----------
    run
        The finished run.
    expect
        The ``expect`` block; the scenario's own where None.

    Returns
    -------
    list of Expectation
        One for each number or word that was expected.
    """
    if expect is None:
        expect = (run.scenario.expect if run.scenario is not None else None) or {}
    return list(_checked(run, expect))


def _checked(run: Run, expect: Mapping[str, Any]) -> Iterator[Expectation]:
    for key, value in expect.items():
        if key == "verdict":
            yield Expectation(key, str(value), run.verdict.kind, value == run.verdict.kind)
        elif key == "status":
            yield Expectation(key, str(value), run.status, value == run.status)
        elif key == "final":
            final = run.summary()["final"]
            yield from _state("final", value, final)
        elif key == "at":
            for step, state in value.items():
                yield from _at_step(run, int(step), state)
        elif key == "cycle":
            yield _cycle(run, value)
        elif key == "critical_points":
            counts = Counter(point.kind for point in run.search.critical_points)
            for kind, count in value.items():
                yield Expectation(
                    f"critical_points.{kind}", str(count), str(counts[kind]), counts[kind] == count
                )
        elif key == "steps":
            steps = int(run.trajectory.steps[0])
            yield Expectation(key, str(value), str(steps), value == steps)
        else:
            yield Expectation(key, str(value), "nothing is known about this key", False)


def _at_step(run: Run, step: int, state: Mapping[str, Any]) -> Iterator[Expectation]:
    trajectory = run.trajectory
    place = np.flatnonzero(trajectory.step_index == step)
    if not place.size:
        yield Expectation(f"at.{step}", "a record of this step", "no record", False)
        return
    row = int(place[0])
    found = {
        "weight": dict(zip(run.loss.weights, trajectory.weight[row, :, 0].tolist(), strict=True)),
        "gradient": dict(zip(run.loss.weights, trajectory.gradient[row, :, 0].tolist(), strict=True)),
        "loss": float(trajectory.loss[row, 0]),
    }
    yield from _state(f"at.{step}", state, found)


def _state(path: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Expectation]:
    """Compare weight, gradient and loss within a tolerance, absolute and relative alike."""
    tolerance = float(expected.get("tolerance", _DEFAULT_TOLERANCE))
    for key in ("weight", "gradient"):
        for name, value in expected.get(key, {}).items():
            yield _number(f"{path}.{key}.{name}", float(value), found[key][name], tolerance)
    if "loss" in expected:
        yield _number(f"{path}.loss", float(expected["loss"]), found["loss"], tolerance)


def _number(path: str, expected: float, found: float, tolerance: float) -> Expectation:
    met = math.isclose(expected, found, rel_tol=tolerance, abs_tol=tolerance)
    return Expectation(path, f"{expected!r} ± {tolerance:g}", repr(found), met)


def _cycle(run: Run, values: Any) -> Expectation:
    expected = sorted(float(value) for value in values)
    found = run.verdict.evidence.get("values")
    flat = sorted(_flat(found))
    met = len(flat) == len(expected) and all(
        math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-3) for a, b in zip(flat, expected, strict=True)
    )
    return Expectation("cycle", str(expected), str(flat), met)


def _flat(values: Any) -> list[float]:
    if isinstance(values, int | float):
        return [float(values)]
    if isinstance(values, Mapping):
        return [number for value in values.values() for number in _flat(value)]
    if isinstance(values, list | tuple):
        return [number for value in values for number in _flat(value)]
    return []
