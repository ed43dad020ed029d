"""From a scenario to a run: composed, executed, summarised, and held to its expectations."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import executed
from tiers import later

from gdsim.batch import Clip, Stopping
from gdsim.noise import Noise
from gdsim.outcomes import CRITICAL_KINDS, VERDICT_KINDS, Status
from gdsim.runs import Run, check, compose, execute
from gdsim.runs.run import coordinates, jsonable
from gdsim.scenario import load, parse_mapping, shipped_scenarios

PLAIN = {"loss": "(w - 3)^2", "initial_weight": 0, "learning_rate": 0.1}


def made(**changes: Any) -> Run:
    return execute(parse_mapping({**PLAIN, **changes}))


# ---- compose


def test_every_part_of_a_scenario_arrives_in_the_batch() -> None:
    scenario = parse_mapping({
        "loss": {"expression": "a*(x - 1)^2 + mean((y - t)^2)", "parameters": {"a": 2}},
        "data": {"t": [1, 2, 3]},
        "initial_weight": {"y": 5, "x": -1},
        "learning_rate": {"schedule": "exponential", "initial": 0.5, "gamma": 0.9, "warmup": 4},
        "update_rule": {"name": "momentum", "momentum": 0.8},
        "derivative": {"method": "numeric", "scheme": "central", "step": 1e-4},
        "stopping": {"max_steps": 7, "gradient_tolerance": 1e-5, "divergence_bound": 50},
        "clip": {"norm": 3},
        "line_search": "armijo",
        "noise": {"kind": "gaussian", "scale": 0.5},
        "record": {"every": 2},
        "seed": 11,
    })  # fmt: skip
    batch = compose(scenario)
    assert dict(zip(batch.loss.weights, batch.initial_weight[:, 0], strict=True)) == {"x": -1.0, "y": 5.0}
    assert batch.runs == 1
    assert batch.loss.parameters == {"a": 2.0}
    assert batch.loss.data["t"] == (1.0, 2.0, 3.0)
    assert batch.learning_rate.tolist() == [0.5]
    assert (batch.schedule.schedule.name, batch.schedule.options["gamma"]) == ("exponential", 0.9)
    assert batch.schedule.warmup == 4
    assert (batch.rule.rule.name, batch.rule.options["momentum"]) == ("momentum", 0.8)
    assert batch.derivative.label == "numeric central, step 0.0001"
    assert batch.stopping == Stopping(7, 1e-5, 50.0)
    assert batch.clip == Clip("norm", 3.0)
    assert batch.line_search == "armijo"
    assert batch.noise == Noise("gaussian", scale=0.5)
    assert batch.record_every == 2
    assert batch.seed is not None
    assert batch.seed.tolist() == [11]


def test_standardised_columns_are_what_the_loss_sees() -> None:
    scenario = parse_mapping(
        {**PLAIN, "loss": "mean((w - t)^2)", "data": {"t": [1, 3], "standardise": ["t"]}}
    )
    assert compose(scenario).loss.data["t"] == (-1.0, 1.0)


# ---- execute


@pytest.mark.parametrize(
    "name",
    ["parabola", "double-well-cycle", "cosh-cliff", "ravine-momentum", "shelf-stuck", "noise-frees-it"],
)
def test_both_engines_give_the_same_summary(name: str) -> None:
    scenario = load(name)
    one, other = (execute(scenario, engine).summary() for engine in ("python", "numpy"))
    kept = ("status", "steps", "evaluations", "critical_points")
    assert {key: one[key] for key in kept} == {key: other[key] for key in kept}
    assert one["verdict"]["kind"] == other["verdict"]["kind"]
    for weight, value in one["final"]["weight"].items():
        assert other["final"]["weight"][weight] == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_the_final_weight_is_one_of_the_starts_of_the_search() -> None:
    # a narrow well far outside of the default grid of starts would be missed without it
    run = made(loss="x^2 + y^2", initial_weight={"x": 3, "y": 4}, domain={"x": [-5, 5], "y": [-5, 5]})
    assert [point.kind for point in run.critical_points] == ["minimum"]
    assert run.verdict.evidence["at"] == run.critical_points[0].weight


def test_a_run_that_ends_outside_of_all_numbers_is_still_judged() -> None:
    assert made(loss="cosh(w)", initial_weight=300).verdict.kind == "nonfinite"
    assert made(loss="sqrt(w)", initial_weight=-1).verdict.kind == "nonfinite"


def test_zero_steps_are_judged_once() -> None:
    run = made(stopping={"max_steps": 0})
    assert (run.status, int(run.trajectory.steps[0])) == ("MAX_STEPS", 0)
    summary = run.summary()
    assert summary["initial"] == summary["final"]
    assert summary["evaluations"] == {"loss": 0, "gradient": 1}


# ---- the summary


def test_the_summary_says_what_the_closed_form_says() -> None:
    # w_k = 3 − 3·0.8^k; |2(w − 3)| ≤ 1e-8 first at the k with 6·0.8^k ≤ 1e-8
    steps = math.ceil(math.log(1e-8 / 6) / math.log(0.8))
    summary = made().summary()
    assert summary["steps"] == steps
    assert summary["status"] == "CONVERGED"
    assert summary["initial"] == {"weight": {"w": 0.0}, "loss": 9.0, "gradient": {"w": -6.0}}
    assert summary["final"]["weight"]["w"] == pytest.approx(3 - 3 * 0.8**steps, abs=1e-15)
    assert summary["evaluations"] == {"loss": 0, "gradient": steps + 1}
    assert summary["ruler"]["curvature"] == pytest.approx(2)
    assert summary["ruler"]["two_over_curvature"] == pytest.approx(1)
    assert summary["search"]["domain"] == {"w": [-10.0, 10.0]}


def test_numeric_derivatives_count_their_losses() -> None:
    summary = made(derivative={"method": "numeric", "scheme": "forward", "step": 1e-5}).summary()
    assert summary["evaluations"]["loss"] == 2 * summary["evaluations"]["gradient"]


SOME = [
    "parabola", "cosh-cliff", "relu-dead", "shelf-stuck", "double-well-cycle", "saddle-escape",
    "plateau", "cross-entropy", "engel-standardised", "valley", "three-halves", "rippled-parabola",
]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        *(later(name) if name == "valley" else name for name in SOME),
        *(pytest.param(name, marks=pytest.mark.release) for name in shipped_scenarios() if name not in SOME),
    ],
)
def test_the_summary_of_every_shipped_scenario_is_json(name: str) -> None:
    run = executed(name)
    found = json.loads(json.dumps(jsonable(run.summary()), allow_nan=False))
    assert found["status"] in set(Status)
    assert found["verdict"]["kind"] in VERDICT_KINDS
    assert found["verdict"]["sentence"].endswith(".")
    assert {point["kind"] for point in found["critical_points"]} <= set(CRITICAL_KINDS)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.floats().map(np.float64),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@given(JSON)
def test_whatever_a_summary_may_hold_becomes_strict_json(value: object) -> None:
    assert json.loads(json.dumps(jsonable(value), allow_nan=False)) == jsonable(value)


def test_numbers_that_are_not_finite_have_their_names() -> None:
    assert jsonable({"a": (math.inf, -math.inf, math.nan, np.float64(np.inf))}) == {
        "a": ["inf", "-inf", "nan", "inf"]
    }
    assert jsonable({1: np.int64(3), "b": np.bool_(True)}) == {"1": 3, "b": True}


def test_coordinates_are_written_as_people_write_them() -> None:
    assert coordinates({"x": 1.0, "y": -2 / 3}) == "x = 1, y = -0.666667"


# ---- flags


def test_flags_of_crossing_clipping_and_end_share_a_row() -> None:
    run = made(
        loss="w^2", initial_weight=10, learning_rate=0.9, clip={"value": 15}, stopping={"max_steps": 2}
    )
    # from 10: gradient 20, clipped to 15, step −13.5 → −3.5; then gradient −7, step 6.3 → 2.8
    assert run.trajectory.weight[:, 0, 0] == pytest.approx([10, -3.5, 2.8])
    assert run.flags == {1: ("crossed minimum at w = 0", "clipped"), 2: ("crossed minimum at w = 0",)}


def test_a_run_without_events_has_only_the_flag_of_its_end() -> None:
    run = made()
    assert dict(run.flags) == {int(run.trajectory.steps[0]): ("settled on minimum at w = 3",)}


# ---- expectations

STEPS = math.ceil(math.log(1e-8 / 6) / math.log(0.8))
MET = [
    {"verdict": "minimum"},
    {"status": "CONVERGED"},
    {"steps": STEPS},
    {"final": {"weight": {"w": 3}, "tolerance": 1e-8}},
    {"final": {"loss": 0, "gradient": {"w": 0}, "tolerance": 1e-7}},
    {"at": {0: {"weight": {"w": 0}, "gradient": {"w": -6}, "loss": 9, "tolerance": 1e-15}}},
    {"at": {1: {"weight": {"w": 0.6}}, 2: {"weight": {"w": 1.08}}}},
    {"critical_points": {"minimum": 1, "maximum": 0}},
]
UNMET = [
    ({"verdict": "maximum"}, "verdict"),
    ({"status": "STALLED"}, "status"),
    ({"steps": STEPS + 1}, "steps"),
    ({"final": {"weight": {"w": 3.001}, "tolerance": 1e-4}}, "final.weight.w"),
    ({"final": {"loss": 1}}, "final.loss"),
    ({"at": {1: {"weight": {"w": 0.61}}}}, "at.1.weight.w"),
    ({"at": {1: {"gradient": {"w": 4.8}}}}, "at.1.gradient.w"),
    ({"at": {10_000: {"weight": {"w": 3}}}}, "at.10000"),
    ({"critical_points": {"minimum": 2}}, "critical_points.minimum"),
    ({"critical_points": {"saddle": 1}}, "critical_points.saddle"),
    ({"cycle": [1, 2]}, "cycle"),
    ({"surprise": 1}, "surprise"),
]


@pytest.mark.parametrize("expect", MET, ids=str)
def test_what_is_so_is_met(expect: Mapping[str, Any]) -> None:
    results = check(made(), expect)
    assert results
    assert [one for one in results if not one.met] == []


@pytest.mark.parametrize(("expect", "path"), UNMET, ids=str)
def test_what_is_not_so_is_named(expect: Mapping[str, Any], path: str) -> None:
    (result,) = (one for one in check(made(), expect) if not one.met)
    assert result.path == path
    assert result.expected
    assert result.found != result.expected


def test_a_scenario_is_checked_against_its_own_expectations() -> None:
    run = made(expect={"verdict": "minimum", "status": "STALLED"})
    assert [(one.path, one.met) for one in check(run)] == [("verdict", True), ("status", False)]
    assert check(made()) == []


def test_a_tolerance_is_absolute_near_zero_and_relative_far_from_it() -> None:
    run = made(initial_weight=3e6, stopping={"max_steps": 0})
    assert check(run, {"final": {"weight": {"w": 3e6 + 1}, "tolerance": 1e-6}})[0].met
    assert not check(run, {"final": {"weight": {"w": 3e6 + 10}, "tolerance": 1e-6}})[0].met


def test_nothing_is_as_expected_where_the_run_ended_in_nan() -> None:
    run = made(loss="log(w)", initial_weight=-1)
    assert not check(run, {"final": {"loss": 0}})[0].met


def test_a_cycle_is_met_in_any_order_and_only_with_all_its_values() -> None:
    run = execute(load("double-well-cycle"))
    low, high = sorted(run.verdict.evidence["values"])
    assert check(run, {"cycle": [low, high]})[0].met
    assert check(run, {"cycle": [high, low]})[0].met
    assert not check(run, {"cycle": [low]})[0].met
    assert not check(run, {"cycle": [low, high + 0.01]})[0].met


def test_expectations_at_a_step_hold_for_sparse_records(tmp_path: Path) -> None:
    run = made(record={"every": 5})
    assert check(run, {"at": {5: {"weight": {"w": 3 - 3 * 0.8**5}}}})[0].met
    assert not check(run, {"at": {6: {"weight": {"w": 3 - 3 * 0.8**6}}}})[0].met
