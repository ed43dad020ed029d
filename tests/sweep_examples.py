"""Small finished sweeps on real losses, swept once for each process of the test run. They are never changed.

A batch over the whole grid is simulated and judged at once, without the code that runs sweeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from gdsim import critical
from gdsim.runs import compose
from gdsim.scenario import parse_mapping
from gdsim.simulation import simulate
from gdsim.sweeps.result import AxisValues, SweepResult
from gdsim.verdicts import judge

Numbers = Sequence[float] | np.ndarray


def swept(
    data: Mapping[str, Any],
    axes: Mapping[str, Numbers],
    *,
    logarithmic: Sequence[str] = (),
    record: bool = False,
) -> SweepResult:
    """Return a grid over a scenario; the last axis runs fastest."""
    scenario = parse_mapping(data)
    one = compose(scenario)
    mesh = np.meshgrid(*(np.asarray(values, dtype=float) for values in axes.values()), indexing="ij")
    values = {path: grid.ravel() for path, grid in zip(axes, mesh, strict=True)}
    runs = mesh[0].size

    def over(path: str, default: float) -> np.ndarray:
        return values.get(path, np.full(runs, default))

    start = [
        values.get(f"initial_weight.{name}", over("initial_weight", float(one.initial_weight[place, 0])))
        for place, name in enumerate(one.loss.weights)
    ]
    batch = replace(
        one,
        initial_weight=np.array(start),
        learning_rate=over("learning_rate", float(one.learning_rate[0])),
        options={path: value for path, value in values.items() if path.startswith("update_rule.")},
        seed=over("seed", float(one.seed[0])).astype(np.int64),
        run_key=np.arange(runs),
        record_every=1 if record else 10**6,
    )
    search = critical.find(one.loss, scenario.domain)
    end = simulate(batch)
    judged = judge(batch, end, search)
    columns = {
        "status": end.status_code,
        "verdict": judged.kind_code,
        "steps": end.steps,
        "loss": end.final_loss,
        "basin": judged.settled.astype(np.int32),
    }
    for place, name in enumerate(one.loss.weights):
        columns |= {name: end.final_weight[place], f"gradient_{name}": end.final_gradient[place]}
    found = judged.terrains[0].search.critical_points
    made = tuple(AxisValues(path, np.asarray(axes[path], float), path in logarithmic) for path in axes)
    tail = np.moveaxis(end.tail, 2, 0)
    if record:
        kept = {"step": end.step_index, "weight": end.weight, "loss": end.loss}
        return SweepResult(scenario, "grid", made, columns, found, tail=tail, records=kept)
    return SweepResult(scenario, "grid", made, columns, found, tail=tail)


WELLS = {"title": "Two equal valleys", "loss": "(w^2 - 1)^2", "initial_weight": 0.5, "learning_rate": 0.1}
TILTED = {
    "title": "Tilted wells", "loss": "w^4 - 2w^2 + 0.3w", "initial_weight": 0.5, "learning_rate": 0.1,
    "domain": [-2, 2],
}  # fmt: skip
PARABOLA = {
    "title": "A parabola", "loss": "w^2", "initial_weight": 2, "learning_rate": 0.1,
    "stopping": {"max_steps": 400},
}  # fmt: skip
LOGISTIC = {
    "title": "The logistic map", "loss": "w^3/3 - w^2/2", "initial_weight": 0.5, "learning_rate": 1,
    "domain": [-0.5, 1.5], "stopping": {"max_steps": 600},
}  # fmt: skip
HIMMELBLAU = {
    "title": "Himmelblau", "loss": "himmelblau", "initial_weight": {"x": 0, "y": 0}, "learning_rate": 0.01,
    "domain": {"x": [-5, 5], "y": [-5, 5]}, "stopping": {"max_steps": 300},
}  # fmt: skip
MOMENTUM = PARABOLA | {
    "title": "A parabola with momentum", "update_rule": {"name": "momentum", "momentum": 0.5},
}  # fmt: skip
NOISY = {
    "title": "Noise between two wells", "loss": "w^4 - 2w^2 + 0.3w", "initial_weight": 0.1,
    "learning_rate": 0.02, "domain": [-2, 2], "noise": {"kind": "gaussian", "scale": 3},
    "stopping": {"max_steps": 200},
}  # fmt: skip


@cache
def wells(rates: int = 48, starts: int = 27) -> SweepResult:
    """η × start of (w² − 1)², whose minima −1 and 1 are alike."""
    return swept(
        WELLS, {"learning_rate": np.linspace(0.01, 0.6, rates), "initial_weight": np.linspace(-2, 2, starts)}
    )


@cache
def tilted(rates: int = 40, starts: int = 31) -> SweepResult:
    """η (logarithmic) × start of w⁴ − 2w² + 0.3w, whose minima differ in curvature."""
    return swept(
        TILTED,
        {"learning_rate": np.geomspace(0.002, 1, rates), "initial_weight": np.linspace(-2, 2, starts)},
        logarithmic=["learning_rate"],
    )


@cache
def parabola(rates: int = 60) -> SweepResult:
    """η of w² from 0.01 to 1.2 in steps of 0.02: 1/L = 0.5 and 2/L = 1."""
    return swept(PARABOLA, {"learning_rate": np.arange(1, rates + 1) * 0.02})


@cache
def parabola_atlas() -> SweepResult:
    """η × start of w²."""
    return swept(
        PARABOLA,
        {"initial_weight": np.linspace(-3, 3, 12), "learning_rate": np.linspace(0.05, 1.55, 31)},
    )


@cache
def logistic(rates: int = 300) -> SweepResult:
    """η of the logistic map, up to chaos."""
    return swept(LOGISTIC, {"learning_rate": np.linspace(1, 3.2, rates)})


@cache
def himmelblau(side: int = 41) -> SweepResult:
    """x × y of the start of Himmelblau's function."""
    ends = np.linspace(-5, 5, side)
    return swept(HIMMELBLAU, {"initial_weight.x": ends, "initial_weight.y": ends})


@cache
def himmelblau_line() -> SweepResult:
    """η of Himmelblau's function: two weights against one axis."""
    return swept(HIMMELBLAU, {"learning_rate": np.linspace(0.005, 0.04, 120)})


@cache
def momentum() -> SweepResult:
    """η × momentum of w²: the limit 2(1 + β)/L is a line across."""
    return swept(
        MOMENTUM,
        {"learning_rate": np.linspace(0.05, 2.5, 50), "update_rule.momentum": np.linspace(0, 0.95, 20)},
    )


@cache
def cube() -> SweepResult:
    """Momentum × η × start of the double well."""
    return swept(
        WELLS | {"update_rule": {"name": "momentum", "momentum": 0.5}},
        {
            "update_rule.momentum": (0.0, 0.3, 0.6, 0.9),
            "learning_rate": np.linspace(0.01, 0.5, 30),
            "initial_weight": np.linspace(-2, 2, 21),
        },
    )


@cache
def noisy(seeds: int = 40) -> SweepResult:
    """Seed × η with gradient noise."""
    return swept(NOISY, {"seed": range(seeds), "learning_rate": (0.01, 0.02, 0.05, 0.1, 0.15, 0.2)})


@cache
def noisy_parabola(seeds: int = 25) -> SweepResult:
    """Seed × η of w² with so little noise that every run still settles."""
    quiet = {"noise": {"kind": "gaussian", "scale": 8e-9}}
    return swept(PARABOLA | quiet, {"seed": range(seeds), "learning_rate": np.linspace(0.05, 0.95, 19)})


@cache
def seeds_alone() -> SweepResult:
    """Seeds of one noisy descent and nothing else."""
    return swept(NOISY, {"seed": range(200)})


@cache
def recorded() -> SweepResult:
    """Seed × η with noise, and the whole trajectories."""
    return swept(NOISY, {"seed": range(60), "learning_rate": (0.01, 0.05, 0.2)}, record=True)


@cache
def ripples() -> SweepResult:
    """η × start of w²/20 + sin 3w: nine minima whose curvatures differ by two hundredths."""
    rippled = {
        "title": "A parabola with ripples", "loss": "w^2/20 + sin(3*w)", "initial_weight": 1,
        "learning_rate": 0.05, "domain": [-10, 10], "stopping": {"max_steps": 400},
    }  # fmt: skip
    starts = np.linspace(-9, 9, 60)
    return swept(rippled, {"learning_rate": np.geomspace(0.01, 0.4, 24), "initial_weight": starts})


@cache
def many_momenta() -> SweepResult:
    """Momentum × η × start with more momenta than an atlas has panels."""
    return swept(
        WELLS | {"update_rule": {"name": "momentum", "momentum": 0.5}},
        {
            "update_rule.momentum": np.linspace(0, 0.9, 12),
            "learning_rate": np.linspace(0.01, 0.5, 30),
            "initial_weight": np.linspace(-2, 2, 21),
        },
    )
