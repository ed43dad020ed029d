"""Ruler, zoom and atlas of the page: their own tests by node, and their numbers against Python's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import page_node
import pytest
from page_problems import problem
from shipped import loaded

from gdsim.batch import Batch
from gdsim.derivatives.finite_differences import bind_scalar
from gdsim.losses import Loss
from gdsim.outcomes import Status
from gdsim.page.formulas import emitted
from gdsim.runs.composition import compose
from gdsim.simulation import simulate

pytestmark = page_node.NEEDS_NODE
STEPS = 150
_QUOTIENTS = """
import { emitted } from "./emitted.js";
import { quotientOf, sliceAt, stepFromLog } from "./views/secants.js";
const loss = emitted.losses.cubic;
answer(data.weights.map((w) => {
  const trajectory = { weights: 1, steps: 0, weight: Float64Array.of(w) };
  const slice = sliceAt({ problem: { loss, parameters: [], data: [] }, trajectory }, { step: 0 });
  const quotients = (scheme) => data.powers.map((power) => quotientOf(slice, scheme, stepFromLog(power)));
  return data.schemes.map(quotients);
}));
"""
_ATLASES = """
import { emitted } from "./emitted.js";
import { ATLAS_POINT, ATLAS_STATUSES, atlasRate, atlasStart } from "./engine/atlas_grid.js";
import { atlasParts, emptyAtlas, fillAtlas } from "./engine/atlas_grid.js";
answer(data.map(({ key, spec, ...problem }) => {
  const atlas = emptyAtlas(spec);
  const parts = atlasParts({ ...problem, loss: emitted.losses[key] }, emitted, spec);
  for (const part of parts) fillAtlas(atlas, part);
  const count = Array.from;
  return {
    statuses: count(atlas.cells, (code) => ATLAS_STATUSES[code >= ATLAS_POINT ? 0 : code - 1]),
    points: count(atlas.cells, (code) => code - ATLAS_POINT),
    rates: count({ length: spec.columns }, (_, column) => atlasRate(spec, column)),
    starts: count({ length: spec.rows }, (_, row) => atlasStart(spec, row)),
  };
}));
"""


def test_the_panels_hold_what_their_own_tests_say() -> None:
    page_node.check_own_tests("panels")


def test_a_quotient_of_the_zoom_has_the_bits_of_pythons_difference() -> None:
    loss = Loss.from_text("w^3 - 2*w + 1")
    schemes, powers = ["forward", "backward", "central", "five_point"], list(range(0, -17, -1))
    weights = [0.7, -1.3, 3.0, 1e-3, 123.456]
    asked = {"weights": weights, "schemes": schemes, "powers": powers}
    answers = page_node.run(_QUOTIENTS, asked, emitted({"cubic": loss}))
    for weight, by_scheme in zip(weights, answers, strict=True):
        for scheme, quotients in zip(schemes, by_scheme, strict=True):
            expected = [bind_scalar(loss, scheme, float(f"1e{power}"))(weight)[0] for power in powers]
            assert quotients == expected, (weight, scheme)


GRIDS: dict[str, tuple[Batch, tuple[float, float], tuple[float, float]]] = {
    "double-well": (compose(loaded("double-well")), (0.01, 1.0), (-2.5, 2.5)),
    "parabola": (compose(loaded("parabola")), (0.02, 4.0), (-10.0, 10.0)),
    "himmelblau-centre": (compose(loaded("himmelblau-centre")), (0.001, 0.1), (-4.5, 4.5)),
}


@pytest.fixture(scope="module")
def atlases() -> dict[str, dict[str, Any]]:
    asked = []
    for key, (batch, rates, starts) in GRIDS.items():
        one = problem(key, batch)
        one["stopping"]["maxSteps"] = STEPS
        spec = {"rates": rates, "starts": starts, "columns": 11, "rows": 9, "maxSteps": STEPS, "near": 0.05}
        asked.append({**one, "spec": {**spec, "points": _minima(key)}})
    answers = page_node.run(_ATLASES, asked, emitted({key: batch.loss for key, (batch, *_) in GRIDS.items()}))
    return dict(zip(GRIDS, answers, strict=True))


def _minima(key: str) -> list[list[float]]:
    if key == "double-well":
        return [[-1.0], [1.0]]
    if key == "parabola":
        return [[0.0]]
    return [[3.0, 2.0], [-2.805118, 3.131312], [-3.779310, -3.283186], [3.584428, -1.848127]]


@pytest.mark.parametrize("key", GRIDS)
def test_a_cell_of_the_atlas_has_the_status_of_pythons_run(
    key: str, atlases: dict[str, dict[str, Any]]
) -> None:
    batch, atlas = GRIDS[key][0], atlases[key]
    start, rate = (axis.ravel() for axis in np.meshgrid(atlas["starts"], atlas["rates"], indexing="ij"))
    weight = np.repeat(batch.initial_weight, start.size, axis=1)
    weight[0] = start
    runs = replace(
        batch,
        initial_weight=weight,
        learning_rate=rate,
        parameters={name: np.repeat(value, start.size) for name, value in batch.parameters.items()},
        seed=None if batch.seed is None else np.repeat(batch.seed, start.size),
        stopping=replace(batch.stopping, max_steps=STEPS),
    )
    trajectory = simulate(runs)
    assert atlas["statuses"] == [Status(status).name for status in trajectory.status]
    minima = np.array(_minima(key))
    settled = [place for place, status in enumerate(atlas["statuses"]) if status == "CONVERGED"]
    for place in settled:
        far = np.abs(minima - trajectory.final_weight[:, place]).max(axis=1)
        assert atlas["points"][place] == (int(far.argmin()) if far.min() < 0.05 else 1 - 8)
    assert len({*atlas["statuses"]}) > 2
    assert len(settled) > 9
