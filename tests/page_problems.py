"""Batches of one as the page's engine takes them, and what both sides make of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import page_node

from gdsim.batch import Batch
from gdsim.page.formulas import emitted

_SIMULATE = """
import { emitted } from "./emitted.js";
import { simulate } from "./engine/descent.js";
answer(data.map(({ key, ...problem }) => simulate({ ...problem, loss: emitted.losses[key] }, emitted)));
"""


def problem(key: str, batch: Batch) -> dict[str, Any]:
    """Return the Problem of types.d.ts, with the key of its loss in place of the loss."""
    method = batch.derivative
    exact = method.name != "numeric"
    noise = batch.noise
    return {
        "key": key,
        "parameters": [*batch.loss.parameters.values()],
        "data": [[*column] for column in batch.loss.data.values()],
        "start": batch.initial_weight[:, 0].tolist(),
        "rate": {
            "initial": float(batch.learning_rate[0]),
            "schedule": batch.schedule.schedule.name,
            "options": dict(batch.schedule.options),
            "warmup": batch.schedule.warmup,
        },
        "rule": {"name": batch.rule.rule.name, "options": dict(batch.rule.options)},
        "derivative": {"method": "exact"} if exact else {"method": "numeric", **method.options},
        "stopping": {
            "maxSteps": batch.stopping.max_steps,
            "tolerance": batch.stopping.gradient_tolerance,
            "bound": batch.stopping.divergence_bound,
        },
        "noise": None
        if noise is None
        else {"kind": "gaussian", "scale": noise.scale}
        if noise.kind == "gaussian"
        else {"kind": "minibatch", "size": noise.size},
        "clip": None if batch.clip is None else {"kind": batch.clip.kind, "bound": batch.clip.bound},
        "lineSearch": batch.line_search is not None,
        "seed": 0 if batch.seed is None else int(batch.seed[0]),
        "domain": [],
    }


def simulated(batches: Mapping[str, Batch]) -> dict[str, dict[str, Any]]:
    """Run batches by the page's engine, all in one process of node; arrays as NumPy arrays."""
    keys = {id(batch.loss): f"loss {place}" for place, batch in enumerate(batches.values())}
    source = emitted({keys[id(batch.loss)]: batch.loss for batch in batches.values()})
    problems = [problem(keys[id(batch.loss)], batch) for batch in batches.values()]
    answers = page_node.run(_SIMULATE, problems, source)
    for answer in answers:
        for name in ("weight", "gradient", "loss", "rate"):
            answer[name] = np.array(answer[name], dtype=np.float64)
        for name in ("weight", "gradient"):
            answer[name] = answer[name].reshape(-1, answer["weights"])
    return dict(zip(batches, answers, strict=True))


def relative(computed: np.ndarray, expected: np.ndarray, floor: float = 0.0) -> float:
    """Return the greatest difference, relative to the expected value or to ``floor``; nan equals nan."""
    same = (computed == expected) | (np.isnan(computed) & np.isnan(expected))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        off = np.abs(computed - expected) / np.maximum(np.abs(expected), floor)
    off = np.where(same, 0.0, np.where(np.isnan(off), math.inf, off))
    return float(np.max(off, initial=0.0))
