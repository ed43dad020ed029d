"""Runs of Python judged by the page's modules: trajectories, searches and verdicts in the page's shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import page_node
from page_problems import problem

from gdsim.batch import Trajectory
from gdsim.losses import Loss
from gdsim.outcomes import CriticalPoint, Interval, Search
from gdsim.page.formulas import emitted
from gdsim.runs import Run

_JUDGE = """
import { emitted } from "./emitted.js";
import { findCritical } from "./engine/critical.js";
import { judgeRun } from "./engine/verdict.js";
import { rulerOf } from "./engine/ruler.js";
import { simulate } from "./engine/descent.js";
answer(data.map(({ key, problem, trajectory, search }) => {
  const whole = { ...problem, loss: emitted.losses[key] };
  const given = trajectory === null ? simulate(whole, emitted) : { ...trajectory };
  for (const name of ["weight", "gradient", "loss", "rate"]) given[name] = Float64Array.from(given[name]);
  const known = search ?? findCritical(whole.loss, whole.parameters, whole.data, whole.domain);
  const verdict = judgeRun(whole, given, known);
  return { verdict, ruler: rulerOf(whole, given, known, verdict), status: given.status };
}));
"""
_FIND = """
import { emitted } from "./emitted.js";
import { findCritical } from "./engine/critical.js";
answer(data.map(({ key, parameters, columns, domain }) => {
  let evaluations = 0;
  const told = emitted.losses[key];
  const loss = { ...told };
  for (const name of ["value", "gradient", "hessian"]) {
    loss[name] = (...given) => (evaluations++, told[name](...given));
  }
  return { ...findCritical(loss, parameters, columns, domain), evaluations };
}));
"""


def judged(
    runs: Mapping[str, Run], *, own_search: bool = False, own_trajectory: bool = False
) -> dict[str, dict[str, Any]]:
    """Return what the page says of runs: verdict, ruler and status, by their names.

    Parameters
    ----------
    runs
        With every step recorded.
    own_search, own_trajectory
        Whether the page finds the critical points, and simulates, by itself.
    """
    losses = {name: run.loss for name, run in runs.items()}
    data = [
        {
            "key": name,
            "problem": problem(name, run.batch) | {"domain": domain_data(run.loss, run.search.domain)},
            "trajectory": None if own_trajectory else trajectory_data(run.trajectory),
            "search": None if own_search else search_data(run.loss, run.search),
        }
        for name, run in runs.items()
    ]
    return dict(zip(runs, page_node.run(_JUDGE, data, emitted(losses)), strict=True))


def found(losses: Mapping[str, tuple[Loss, Mapping[str, Interval]]]) -> dict[str, dict[str, Any]]:
    """Return what the page finds in domains: a Search, and how many evaluations of the loss it took."""
    data = [
        {
            "key": name,
            "parameters": [*loss.parameters.values()],
            "columns": [[*column] for column in loss.data.values()],
            "domain": domain_data(loss, domain),
        }
        for name, (loss, domain) in losses.items()
    ]
    source = emitted({name: replace(loss, domain=None) for name, (loss, _) in losses.items()})
    return dict(zip(losses, page_node.run(_FIND, data, source), strict=True))


def domain_data(loss: Loss, domain: Mapping[str, Interval]) -> list[list[float]]:
    """Return a domain in the order of the weights."""
    return [[*domain[name]] for name in loss.weights]


def trajectory_data(trajectory: Trajectory) -> dict[str, Any]:
    """Return a run's records as the Trajectory of types.d.ts."""
    one = trajectory[0]
    return {
        "weights": len(one.weights),
        "steps": int(one.steps[0]),
        "status": str(one.status[0]),
        "weight": one.weight[:, :, 0].ravel().tolist(),
        "gradient": one.gradient[:, :, 0].ravel().tolist(),
        "loss": one.loss[:, 0].tolist(),
        "rate": one.learning_rate[:, 0].tolist(),
    }


def search_data(loss: Loss, search: Search) -> dict[str, Any]:
    """Return a search as the Search of types.d.ts."""
    return {
        "domain": domain_data(loss, search.domain),
        "points": [_point(loss.weights, point) for point in search.critical_points],
        "complete": search.complete,
    }


def _point(names: Sequence[str], point: CriticalPoint) -> dict[str, Any]:
    return {
        "weight": [point.weight[name] for name in names],
        "loss": point.loss,
        "kind": point.kind,
        "proof": point.proof,
        "curvature": list(point.curvature),
        "interval": [list(point.interval[name]) for name in names] if point.interval else [],
        "multiplicity": point.multiplicity,
        "boundary": point.boundary,
    }
