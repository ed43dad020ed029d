"""Carry a scenario or a batch out: simulate, find the critical points, judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gdsim import critical, verdicts
from gdsim.batch import Batch, Trajectory
from gdsim.outcomes import Interval
from gdsim.runs.composition import compose
from gdsim.runs.run import Run
from gdsim.scenario import Scenario
from gdsim.simulation import Engine, simulate


def execute(scenario: Scenario, engine: Engine = "auto", *, start: Trajectory | None = None) -> Run:
    """Run a scenario.

    Parameters
    ----------
    scenario
        What to run.
    engine
        As for ``gdsim.simulation.simulate``.
    start
        The trajectory of the same scenario with fewer steps, to go on from.

    Returns
    -------
    Run
        The trajectory, the critical points of the domain, the verdict and the ruler.

    Examples
    --------
    >>> from gdsim.scenario import load
    >>> execute(load("parabola")).verdict.kind
    'minimum'
    """
    run = execute_batch(
        compose(scenario),
        scenario.domain,
        name=scenario.name,
        title=scenario.title,
        engine=engine,
        start=start,
    )
    return replace(run, scenario=scenario)


def execute_batch(
    batch: Batch,
    domain: Mapping[str, Interval],
    *,
    name: str = "run",
    title: str = "",
    engine: Engine = "auto",
    start: Trajectory | None = None,
) -> Run:
    """Run a batch of one and judge it against the critical points of the domain."""
    trajectory = simulate(batch, engine, start=start)
    loss = batch.loss.with_parameters({key: float(value[0]) for key, value in batch.parameters.items()})
    end = trajectory.final_weight[:, 0].tolist()
    search = critical.find(loss, domain, extra_starts=[end])
    judged = verdicts.judge(batch, trajectory, search)
    verdict = judged.verdict(0)
    return Run(
        name=name,
        title=title or name,
        scenario=None,
        batch=batch,
        trajectory=trajectory,
        search=search,
        verdict=verdict,
        ruler=verdicts.ruler(batch, trajectory, search, verdict),
    )
