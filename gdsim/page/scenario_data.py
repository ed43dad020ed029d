"""From the run of a scenario to the data of its page: numbers, words in the shapes of ``js/types.d.ts``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gdsim.expr.display import shown, to_text
from gdsim.expr.typeset import to_mathml
from gdsim.outcomes import CriticalPoint, InputError, Search, Verdict
from gdsim.runs import Run
from gdsim.scenario import Scenario
from gdsim.verdicts import Ruler

#: as SciPy's approx_fprime takes it: √ε
_FORWARD_STEP = 2.0**-26


def lab_data(run: Run, *, loss: str = "loss", torch: bool = False) -> dict[str, Any]:
    """Return the data of a laboratory: what a page needs to know of a run of a scenario.

    Parameters
    ----------
    run
        The run of a scenario.
    loss
        The key of its loss among the emitted ones.
    torch
        Whether PyTorch's derivative at the start is told too; importing it takes seconds.

    Returns
    -------
    dict
        ``LabData`` of ``js/types.d.ts``; numbers may be inf or nan.

    Notes
    -----
    Cost: one gradient for each method, and the derivatives as formulas.

    Examples
    --------
    >>> from gdsim.runs import execute
    >>> from gdsim.scenario import load
    >>> data = lab_data(execute(load("parabola")))
    >>> data["verdict"]["kind"], data["start"], data["derivatives"][0]["text"]
    ('minimum', [10.0], '2·w')
    """
    scenario = run.scenario
    if scenario is None or run.loss.expression is None:
        raise TypeError("a page needs the run of a scenario")
    weights = run.loss.weights
    rate = scenario.learning_rate
    return {
        "name": scenario.name,
        "title": scenario.title or scenario.name,
        "loss": loss,
        "mathml": to_mathml(run.loss.expression),
        "derivatives": [
            {"text": to_text(tree, unicode=True), "mathml": to_mathml(tree)}
            for tree in map(shown, run.loss.gradient)
        ],
        "parameters": list(run.loss.parameters.values()),
        "data": {name: list(column) for name, column in run.loss.data.items()},
        "start": list(scenario.initial_weight.values()),
        "rate": {
            "initial": rate.initial,
            "schedule": rate.schedule,
            "options": _numbers(run.batch.schedule.options),
            "warmup": rate.warmup,
        },
        "rule": {"name": scenario.update_rule.name, "options": _numbers(run.batch.rule.options)},
        "derivative": _derivative(scenario),
        "derivativeName": {"method": scenario.derivative.method, **scenario.derivative.options},
        "stopping": {
            "maxSteps": scenario.stopping.max_steps,
            "tolerance": scenario.stopping.gradient_tolerance,
            "bound": scenario.stopping.divergence_bound,
        },
        "noise": _noise(scenario),
        "clip": scenario.clip and {"kind": scenario.clip.kind, "bound": scenario.clip.bound},
        "lineSearch": scenario.line_search is not None,
        "record": scenario.record.every,
        "seed": scenario.seed,
        "domain": [list(scenario.domain[name]) for name in weights],
        "search": _search(run.search, weights),
        "status": run.status,
        "steps": int(run.trajectory.steps[0]),
        "verdict": _verdict(run.verdict, run.search, weights),
        "ruler": run.ruler and _ruler(run.ruler, weights),
        "methods": _methods(run, torch),
    }


def _numbers(options: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in options.items()}


def _derivative(scenario: Scenario) -> dict[str, Any]:
    """The method as the page computes it: exact, or differences; SciPy by the kind of its routine."""
    method, options = scenario.derivative.method, scenario.derivative.options
    if method == "numeric":
        return {"method": "numeric", "scheme": options["scheme"], "step": options["step"]}
    if method == "scipy" and options["routine"] == "approx_fprime":
        return {"method": "numeric", "scheme": "forward", "step": _FORWARD_STEP}
    return {"method": "exact"}


def _noise(scenario: Scenario) -> dict[str, Any] | None:
    noise = scenario.noise
    if noise is None:
        return None
    return {
        "kind": noise.kind,
        **({"scale": noise.scale} if noise.kind == "gaussian" else {"size": noise.size}),
    }


def _search(search: Search, weights: tuple[str, ...]) -> dict[str, Any]:
    return {
        "domain": [list(search.domain[name]) for name in weights],
        "points": [_point(point, weights) for point in search.critical_points],
        "complete": search.complete,
    }


def _point(point: CriticalPoint, weights: tuple[str, ...]) -> dict[str, Any]:
    return {
        "weight": [point.weight[name] for name in weights],
        "loss": point.loss,
        "kind": point.kind,
        "proof": point.proof,
        "curvature": list(point.curvature),
        "interval": [list(point.interval[name]) for name in weights if name in point.interval],
        "multiplicity": point.multiplicity,
        "boundary": point.boundary,
    }


def _verdict(verdict: Verdict, search: Search, weights: tuple[str, ...]) -> dict[str, Any]:
    at = verdict.settled_at
    point = next((point for point in search.critical_points if point.weight == at), None)
    return {
        "kind": verdict.kind,
        "sentence": verdict.sentence,
        "remedy": verdict.remedy,
        "period": verdict.evidence.get("period", 0),
        "point": point and _point(point, weights),
    }


def _ruler(ruler: Ruler, weights: tuple[str, ...]) -> dict[str, Any]:
    return {
        "at": [ruler.at[name] for name in weights],
        "learningRate": ruler.learning_rate,
        "curvature": ruler.curvature,
        "oneOver": ruler.one_over_curvature,
        "twoOver": ruler.two_over_curvature,
        "bound": ruler.bound,
        "band": ruler.band,
        "sentence": ruler.sentence,
    }


def _methods(run: Run, torch: bool) -> list[dict[str, Any]]:
    """The derivative at the start by some methods of Python, among them those that the page does not have.

    SciPy's ``approx_fprime`` is told with PyTorch: importing its module takes as long as all else.
    """
    from gdsim.derivatives import derivative_method

    chosen = [
        derivative_method("analytic"),
        derivative_method("numeric", scheme="forward", step=1e-5),
        derivative_method("numeric", scheme="central"),
        derivative_method("scipy", routine="derivative"),
        *([derivative_method("scipy", routine="approx_fprime"), derivative_method("torch")] if torch else []),
    ]
    start = run.batch.initial_weight
    rows = []
    for method in chosen:
        try:
            estimate = method.bind(run.loss)(start, {}, None)
        except InputError:  # not installed, or not made for this loss
            continue
        value = estimate.gradient[:, 0].tolist()
        error = None if estimate.error is None else float(estimate.error[:, 0].max())
        rows.append({
            "name": method.label,
            "value": value,
            "error": error if error is None or math.isfinite(error) else None,
            "evaluations": int(estimate.evaluations.sum()),
        })  # fmt: skip
    return rows
