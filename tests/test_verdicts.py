"""Verdicts, the learning-rate ruler and crossings, against facts known without gdsim."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from batches import batch_of
from hypothesis import given
from hypothesis import strategies as st
from tiers import examples, later

import gdsim
from gdsim import critical
from gdsim.losses import Loss
from gdsim.outcomes import CRITICAL_KINDS, VERDICT_KINDS, CriticalPoint, Search, Status
from gdsim.runs import Run, compose, execute
from gdsim.scenario import load, parse_mapping
from gdsim.simulation import simulate
from gdsim.update_rules import update_rule
from gdsim.verdicts import judge, searches
from gdsim.verdicts.rest import left_to_travel, period_of_tail
from gdsim.verdicts.settle import Terrain

DOCS = Path(__file__).parent.parent / "docs"


MIDDLE = CriticalPoint({"w": 0.0}, 0.0, "minimum", curvature=(2.0,), multiplicity=1)
FALLING_FAST = {"initial": 0.1, "schedule": "exponential", "gamma": 0.5}


def run(loss: str, start: Any, rate: float, **more: Any) -> Run:
    data = {"loss": loss, "initial_weight": start, "learning_rate": rate, **more}
    return execute(parse_mapping({"name": "case", **data}))


@pytest.mark.parametrize(
    ("loss", "start", "rate", "more", "kind"),
    [
        ("w^2", 10, 0.2, {}, "minimum"),
        ("(w^2 - 1)^2", 0, 0.05, {}, "maximum"),
        ("x^2 - y^2", {"x": 1.5, "y": 0}, 0.1, {}, "saddle"),
        ("w^4", 1, 0.1, {"domain": [-2.5, 2.5]}, "minimum"),
        ("3w^4 - 4w^3", -1, 0.01, {"domain": [-1.2, 1.6]}, "inflection"),
        ("(max(0, w) - 1)^2", -0.5, 0.1, {"domain": [-1, 3]}, "flat"),
        later("(x + y)^2", {"x": 2, "y": 0}, 0.1, {}, "flat"),
        ("abs(w)", 0, 0.1, {}, "kink"),
        ("abs(x) + abs(y)", {"x": 0, "y": 0}, 0.1, {}, "kink"),
        ("tanh(w)^2", 4, 0.1, {"stopping": {"gradient_tolerance": 0.01}, "domain": [-5, 5]}, "plateau"),
        ("abs(w)", 1.05, 0.1, {}, "cycle"),
        ("w^2", 10, 1.1, {}, "diverged"),
        ("-w^2", -1e9, 0.1, {}, "diverged"),
        ("sqrt(w)", -1, 0.1, {}, "nonfinite"),
        ("w^2", 10, 0.01, {"stopping": {"max_steps": 50}, "domain": [-12, 12]}, "still_moving"),
        ("softplus(w)", 10, 1, {"stopping": {"max_steps": 100}}, "no_minimum"),
        ("w^3", -0.1, 0.1, {"domain": [-1.5, 1.5]}, "no_minimum"),
    ],
)
def test_the_kind_is_what_happened(loss: str, start: Any, rate: float, more: Any, kind: str) -> None:
    assert run(loss, start, rate, **more).verdict.kind == kind


@pytest.mark.parametrize(
    ("loss", "start", "rates", "domain", "points"),
    [
        # beyond 2/L = 0.25 of both minima, within the chaotic band
        ("(w^2 - 1)^2", 0.5, (0.36, 0.49), (-10, 10), (-1, 0, 1)),
        # a band between 2.3 and 2.9, wholly within 1 % of so wide a domain of the maximum in it
        ("0.5*w^2 + cos(3*w) + exp(-w^2)", -3.7, (0.55, 0.66), (-40, 40), (-2.4009, 2.4009)),
    ],
)
def test_a_chaotic_run_that_passes_by_a_point_has_not_settled(
    loss: str,
    start: float,
    rates: tuple[float, float],
    domain: tuple[float, float],
    points: tuple[float, ...],
) -> None:
    batch = batch_of(loss, *[start] * 2000, rate=np.linspace(*rates, 2000))
    end = simulate(batch)
    near = np.abs(end.final_weight[0][:, None] - points).min(axis=1) < 0.01 * (domain[1] - domain[0])
    assert (near & end.ended(Status.MAX_STEPS)).sum() > 10
    search = run(loss, start, 0.1, domain=list(domain)).search
    kinds = np.array(judge(batch, end, search).kinds)[end.ended(Status.MAX_STEPS)]
    assert not {"minimum", "maximum"} & {*kinds.tolist()}


@pytest.mark.parametrize("steps", [20, 25, 40])
@pytest.mark.parametrize(("share", "kind"), [(0.99, "minimum"), (1.01, "still_moving")])
@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_a_run_just_beside_a_minimum_has_settled_unless_it_is_thrown_out(
    momentum: float, share: float, kind: str, steps: int
) -> None:
    """2(1 + β)/f″ is the largest stable rate; the run starts and ends within a millionth of the domain."""
    rule = update_rule("momentum", momentum=momentum) if momentum else "gradient_descent"
    batch = batch_of("w^2", 1e-7, rate=share * (1 + momentum), rule=rule, tolerance=0.0, max_steps=steps)
    end = simulate(batch)
    assert np.abs(end.final_weight) < 4e-6
    assert judge(batch, end, Search({"w": (-2.0, 2.0)}, (MIDDLE,))).kinds == (kind,)


@pytest.mark.parametrize("rule", ["gradient_descent", "momentum", "adam"])
@pytest.mark.parametrize("start", [0.0, 1e-7])  # within a millionth of the domain
def test_a_run_that_ends_at_max_steps_zero_is_judged_where_it_stands(rule: str, start: float) -> None:
    assert run("w^2", start, 0.1, update_rule=rule, stopping={"max_steps": 0}).verdict.kind == "minimum"


@pytest.mark.parametrize(
    ("distances", "plain", "momentum"),
    [
        ([7, 6, 5, 4, 3, 2, 1], "minimum", "minimum"),
        ([0, 0, 0, 0, 0, 0, 1e-6], "minimum", "minimum"),  # rounding
        ([3, 1, 1, 2, 1, 1, 2], "still_moving", "minimum"),
        ([2, 1, 1, 1, 1, 1, 3], "still_moving", "still_moving"),
        ([2, 1, 1, 1, 3, 1, 1], "still_moving", "still_moving"),
        ([2, 1, 1, 3, 1, 1, 2], "still_moving", "minimum"),  # the one in the middle is of the first half
    ],
)
def test_a_run_settles_where_no_step_leads_away_or_with_momentum_no_later_swing_is_farther(
    distances: list[float], plain: str, momentum: str
) -> None:
    tail = np.full((32, 1, 1), np.nan)
    tail[-7:, 0, 0] = 1e-7 * np.array(distances) * [1, -1, 1, -1, 1, -1, 1]
    for rule, kind in (("gradient_descent", plain), ("momentum", momentum)):
        batch = batch_of("w^2", 7e-7, rule=rule, tolerance=0.0, max_steps=24)  # a quarter is 6 steps
        end = replace(simulate(batch), tail=tail, final_weight=tail[-1])
        assert judge(batch, end, Search({"w": (-2.0, 2.0)}, (MIDDLE,))).kinds == (kind,)


@pytest.mark.parametrize(
    ("loss", "start", "rate", "said"),
    [
        ("w^2", 10, 0, "The run cannot leave its start, w = 10: with η = 0 and a slope of 20"),
        ("(w^2 - 1)^2", 0.5, 1e-20, "The run cannot leave its start, w = 0.5: with η = 10⁻²⁰ and"),
        ("w", 1e3, 1e-14, "The run cannot leave its start, w = 1000"),
        ("x^2 + y^2", {"x": 1, "y": 2}, 0, "The run cannot leave its start, (x, y) = (1, 2)"),
        ("(w - 3)^2", 0, FALLING_FAST, "After 52 steps the run is at w = 1.0489 and has not arrived"),
    ],
)  # fmt: skip
def test_a_run_whose_steps_are_too_small_to_move_it_has_not_settled(
    loss: str, start: Any, rate: Any, said: str
) -> None:
    far = run(loss, start, rate)
    assert far.trajectory.status[0] is Status.STALLED
    assert far.verdict.kind == "plateau"
    assert far.verdict.sentence.startswith(said)
    assert "more steps" not in far.verdict.remedy


def test_a_run_that_rounding_holds_at_its_point_has_settled() -> None:
    near = run("(w - 3)^2 + 1", 0, 0.3, stopping={"gradient_tolerance": 0})
    assert (near.verdict.kind, near.verdict.evidence["at"]) == ("minimum", {"w": 3.0})


def test_a_start_within_the_tolerance_is_not_the_point_itself() -> None:
    verdict = run("1e-20*w^2", 0.5, 0.1).verdict
    assert verdict.sentence.startswith("No step was taken: at the start, w = 0.5, the slope of 10⁻²⁰ is")
    assert run("w^2", 0, 0.1).verdict.sentence.startswith("The run started on a minimum, w = 0: the")


@pytest.mark.parametrize(
    ("rate", "remedy"),
    [
        (0.01, "Try a larger learning rate, up to 0.5 = 1/f″ at the minimum, or more steps."),
        (0.3, "Give it more steps."),
        (0.9, "Give it more steps, or a smaller learning rate."),
        (0.999, "Give it more steps, or a smaller learning rate."),
    ],
)
def test_no_larger_rate_is_recommended_where_it_would_overshoot_more(rate: float, remedy: str) -> None:
    """On w² 1/f″ is 0.5, and beyond 1 every run diverges."""
    verdict = run("w^2", 10, rate, stopping={"max_steps": 3}).verdict
    assert (verdict.kind, verdict.remedy) == ("still_moving", remedy)


def test_no_step_is_no_movement() -> None:
    verdict = run("w^2", 10, 0.1, stopping={"max_steps": 0}).verdict
    assert verdict.sentence.startswith("No step was taken, and the run is at its start, w = 10; the nearest")


def test_the_place_of_rest_is_evidence() -> None:
    evidence = run("(w - 3)^2", 0, 0.1).verdict.evidence
    assert evidence["at"] == {"w": 3.0}
    assert evidence["curvature"] == [2.0]


@pytest.mark.parametrize(("rate", "period"), [(2.3, 2), (2.5, 4), (2.83, 3)])
def test_the_logistic_map_gives_its_known_periods(rate: float, period: int) -> None:
    """w ← w − η(w² − w) is the logistic map with r = 1 + η."""
    verdict = run("w^3/3 - w^2/2", 0.5, rate, domain=[0, "4/3"]).verdict
    assert (verdict.kind, verdict.evidence["period"]) == ("cycle", period)


def test_a_run_that_leaves_a_maximum_has_not_settled_on_it() -> None:
    assert run("(w^2 - 1)^2", 1e-6, 0.05, stopping={"max_steps": 20}).verdict.kind == "still_moving"


def test_what_is_left_to_travel_is_as_many_steps_of_the_last_size() -> None:
    batch = batch_of("w^2", 1.0, rate=0.01, max_steps=40, record_every=1)
    left = left_to_travel(batch, simulate(batch), np.array([0]))
    assert left[0, 0] == pytest.approx(40 * 0.02 * 0.98**39)


def test_chaos_is_no_cycle() -> None:
    assert run("w^3/3 - w^2/2", 0.5, 3, domain=[0, "4/3"]).verdict.kind == "still_moving"


def test_an_oscillation_that_slowly_dies_is_no_cycle() -> None:
    # the factor 1 − ηf″ = −0.998: two steps differ by 0.4 %, after 100 steps as well
    assert run("w^2", 10, 0.999, stopping={"max_steps": 100}).verdict.kind == "still_moving"


def test_a_cycle_across_a_kink_names_the_kink() -> None:
    assert "kink" in run("abs(w)", 1.05, 0.1).verdict.sentence


@pytest.mark.parametrize(
    ("loss", "start", "rate", "bound"), [("w^2", 10, 1.1, "1"), ("3w^2", 1, 0.5, "0.33333")]
)
def test_a_divergence_sets_the_rate_beside_two_over_the_curvature(
    loss: str, start: float, rate: float, bound: str
) -> None:
    sentence = run(loss, start, rate).verdict.sentence
    assert f"2/f″ = {bound}" in sentence


def test_every_verdict_has_a_sentence_and_bad_ends_a_remedy() -> None:
    for name in ("parabola-divergence", "cosh-cliff", "absolute-value", "plateau-lax-tolerance", "saddle"):
        verdict = execute(load(name)).verdict
        assert verdict.sentence.endswith(".")
        assert verdict.remedy.endswith(".")


def test_noise_around_a_minimum_counts_as_settled() -> None:
    assert execute(load("noise-frees-it")).verdict.kind == "minimum"


def test_with_noise_the_mean_of_the_last_losses_tells_whether_it_still_falls() -> None:
    fell = set()
    for seed in (0, 1, 7, 9):
        noise = {"noise": {"kind": "gaussian", "scale": 10}, "seed": seed, "stopping": {"max_steps": 40}}
        found = run("w", 0, 1e-4, **noise)
        tail = found.trajectory.tail[:, 0, 0]  # of the loss as well
        falls = bool(tail[16:].mean() < tail[:16].mean())
        assert (found.verdict.kind == "no_minimum") == falls
        fell.add(falls)
    assert fell == {False, True}


def test_the_last_step_tells_whether_a_run_without_a_minimum_still_falls() -> None:
    """The logistic map with r = 4, w ← 4w − 3w², in a domain far from where it jumps about."""
    starts = np.linspace(0.1, 1.2, 40)
    batch = batch_of("w^3/3 - w^2/2", *starts, rate=3.0, max_steps=50)
    end = simulate(batch)
    before, after = (w[0] ** 3 / 3 - w[0] ** 2 / 2 for w in (end.previous_weight, end.final_weight))
    falls = np.where(after < before, "no_minimum", "still_moving").tolist()
    assert set(falls) == {"no_minimum", "still_moving"}
    assert list(judge(batch, end, Search({"w": (5.0, 6.0)})).kinds) == falls


@pytest.mark.parametrize(
    ("rate", "steps", "kind"),
    [(0.1, 0, "no_minimum"), (0.9, 1, "no_minimum"), (1.0, 1, "still_moving"), (1.1, 1, "still_moving")],
)
def test_a_run_still_falls_before_its_first_step_and_after_one_that_lowered_the_loss(
    rate: float, steps: int, kind: str
) -> None:
    """On w² the step from 1 leads to 1 − 2η: at a rate of 1 as high up as before."""
    batch = batch_of("w^2", 1.0, rate=rate, max_steps=steps)
    assert judge(batch, simulate(batch), Search({"w": (5.0, 6.0)})).kinds == (kind,)


@pytest.mark.parametrize(("most", "proof"), [(3, "certified"), (2, "numerical")])
def test_runs_over_a_parameter_of_the_loss_are_judged_by_the_points_of_their_own(
    monkeypatch: pytest.MonkeyPatch, most: int, proof: str
) -> None:
    monkeypatch.setattr("gdsim.critical.MOST_CERTIFIED", most)
    batch = batch_of("(w^2 - a)^2", 1.0, 1.5, 0.0, 1.0, rate=0.02, parameters={"a": [1, 2, 4, 2]})
    judged = judge(batch, simulate(batch), searches(batch, {"w": (-3, 3)}))
    assert judged.kinds == ("minimum", "minimum", "maximum", "minimum")
    assert {point.proof for home in judged.homes for point in home.critical_points} == {proof}
    assert {home.complete for home in judged.homes} == {proof == "certified"}
    assert len(judged.homes) == 3
    place = judged.verdict(1).evidence["at"]["w"]  # type: ignore[index]
    assert place == pytest.approx(math.sqrt(2), abs=1e-6)


def test_a_batch_is_judged_as_its_runs_alone() -> None:
    single = compose(load("tilted-wells-one-percent"))
    rates = np.array([0.01, 0.02, 1 / 48, 0.022, 0.03])
    starts = np.full((1, rates.size), -2.0)
    many = replace(single, initial_weight=starts, learning_rate=rates, seed=None, run_key=None)
    search = gdsim.critical_points("3w^4 - 4w^3 - 12w^2", domain=(-2.3, 3))
    together = judge(many, simulate(many), search).kinds
    alone = []
    for place in range(rates.size):
        one = replace(many, initial_weight=starts[:, :1], learning_rate=rates[place : place + 1])
        alone += judge(one, simulate(one, "numpy"), search).kinds
    assert list(together) == alone == ["minimum", "minimum", "maximum", "minimum", "cycle"]


@pytest.mark.parametrize("rule", ["gradient_descent", "momentum"])
def test_verdicts_do_not_depend_on_how_many_runs_are_judged_together(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = np.tile(np.geomspace(1e-3, 0.5, 20), 10)
    batch = batch_of(
        "(w^2 - 1)^2 + 0.2*w", *np.repeat(np.linspace(-2, 2, 10), 20), rate=rates, rule=rule, max_steps=60
    )
    search, ended = gdsim.critical_points("(w^2 - 1)^2 + 0.2*w", domain=(-3, 3)), simulate(batch)
    together = judge(batch, ended, search)
    monkeypatch.setattr(import_module("gdsim.verdicts.judge"), "_AT_ONCE", 7)
    apart = judge(batch, ended, search)
    assert len(set(together.kinds)) > 2
    assert apart.kinds == together.kinds
    assert apart.settled.tolist() == together.settled.tolist()
    assert apart.period.tolist() == together.period.tolist()


@pytest.mark.parametrize("every", [1, 10**6])
@pytest.mark.parametrize(
    ("loss", "start", "rate", "kind"),
    [
        ("-w^2", 1.0, 0.1, "no_minimum"),
        ("w^3", -0.1, 0.1, "no_minimum"),
        ("w^2", 1.0, 1.1, "diverged"),
        ("w^2", 1.0, 0.1, "minimum"),
        ("w^2", 1.0, 1.0, "cycle"),
        ("w^4", 1.0, 0.1, "minimum"),
    ],
)
def test_the_kind_does_not_need_the_records(
    loss: str, start: float, rate: float, kind: str, every: int
) -> None:
    batch = batch_of(loss, start, start, rate=rate, record_every=every)
    search = gdsim.critical_points(loss, domain=(-3, 3))
    assert judge(batch, simulate(batch), search).kinds == (kind, kind)


def test_the_loss_of_the_start_is_made_up_for_where_it_was_not_recorded() -> None:
    """w² at rate 1.1 climbs at every step, so that nothing fell; −w² falls at every step."""
    for loss, kind in (("w^2", "diverged"), ("-w^2", "no_minimum")):
        batch = batch_of(loss, 1.0, -2.0, 3.0, rate=1.1, record_every=10**6)
        end = simulate(batch)
        end.loss[0, 1:] = np.nan
        home = Search({"w": (5.0, 6.0)})  # without a critical point
        assert judge(batch, end, home).kinds == (kind, kind, kind)


@pytest.mark.parametrize("period", range(2, 9))
def test_every_period_up_to_eight_is_seen_in_the_tail(period: int) -> None:
    values = np.random.default_rng(period).random(period)
    tail = np.resize(values, 32).reshape(32, 1, 1)
    assert period_of_tail(tail).tolist() == [period]


@pytest.mark.parametrize(
    "formula",
    [
        "w^4 - 2*w^2 + 0.3*w",
        "cos(w) + 0.1*w",
        "abs(w) + cos(3*w)",
        "max(0, w^2 - 1)",
        "tanh(w)^2",
        "w^3",
        "w",
        "w^2 + 1/(w - 0.3)^2",  # f″ > 0 on both sides of the pole: half-way between the minima it changes
    ],
)
def test_many_weights_settle_where_each_alone_does(formula: str) -> None:
    """Of many a table is asked; it must agree also beside every place where the answer changes."""
    loss = Loss.from_text(formula)
    terrain = Terrain(loss, critical.find(loss, {"w": (-4.0, 4.0)}))
    marks = np.concatenate([terrain.points[0], 0.5 * (terrain.points[0, 1:] + terrain.points[0, :-1])])
    beside = marks[:, None] + np.arange(-300, 301) * np.spacing(marks)[:, None]
    weights = np.concatenate(
        [beside.ravel(), np.linspace(-8.0, 8.0, 5000), [np.nan, np.inf, -np.inf, 1e300, -1e300]]
    )
    whole = terrain.settled(weights[None]).place
    parts = [
        terrain.settled(weights[None, first : first + 1000]).place for first in range(0, weights.size, 1000)
    ]
    assert whole.tolist() == np.concatenate(parts).tolist()


@given(st.integers(0, 2**32 - 1))
@examples(200)
def test_a_period_is_found_by_its_definition(seed: int) -> None:
    """Periodic up to a little, growing, shrinking or not: every period is looked for in all of the tail."""
    draw = np.random.default_rng(seed)
    base = draw.normal(size=(int(draw.integers(1, 10)), int(draw.integers(1, 3))))
    shift = 10.0 ** draw.uniform(-12, 1) * draw.normal(size=32)[:, None] * draw.integers(0, 2)
    pace = draw.choice([1.0, 1.0 - 1e-9, 1.0 + 1e-6, 0.7])
    tail = np.resize(base, (32, base.shape[1])) * pace ** np.arange(32)[:, None] + shift
    expected = 0
    for period in range(8, 1, -1):
        last = tail[-4 * period :]
        spread = np.ptp(last, axis=0)
        swings = (spread > 1e-9 * np.abs(last).max(axis=0)).any()
        if swings and (np.abs(last[period:] - last[:-period]).max(axis=0) <= 1e-7 * spread.max()).all():
            expected = period
    assert period_of_tail(tail[:, :, None]).tolist() == [expected]


@pytest.mark.parametrize(
    ("start", "place"),
    [
        (0.58, 2),  # beyond 1/√3 f″ > 0, on all of the way through 42
        (0.5, -1),  # f″ < 0, and the first step leads to −1 exactly
        (0.51, -1),  # f″ < 0, and the first step leads to −1.2, where f″ > 0
        (0.4, 1),
        (0.7, 2),
        (-0.7, 0),
    ],
)
def test_a_run_of_several_weights_settles_where_newton_leads_without_a_change_of_inertia(
    start: float, place: int
) -> None:
    kinds: dict[float, Any] = {-1.0: "minimum", 0.0: "saddle", 1.0: "minimum"}
    points = tuple(CriticalPoint({"x": x, "y": 0.0}, 0.0, kinds[x], multiplicity=1) for x in kinds)
    terrain = Terrain(Loss.from_text("(x^2 - 1)^2 + 0.1*y^2"), Search(SQUARE, points))
    assert terrain.settled(np.array([[start], [0.3]])).place.tolist() == [place]


SQUARE = {"x": (-3.0, 3.0), "y": (-3.0, 3.0)}


def flat_piece(level: float, reach: float = 3.0) -> CriticalPoint:
    extent = dict.fromkeys(SQUARE, (-reach, reach))
    return CriticalPoint({"x": 0.0, "y": 0.0}, level, "flat", curvature=(0.0, 4.0), interval=extent)


def test_a_run_settles_on_that_of_several_flat_pieces_which_has_its_loss() -> None:
    # x + y = ±1 are valleys of loss 0, x + y = 0 a ridge of loss 1; f″ = 0 at x + y = 1/√3
    terrain = Terrain(Loss.from_text("((x + y)^2 - 1)^2"), Search(SQUARE, (flat_piece(0.0), flat_piece(1.0))))
    runs = np.array([[0.5, 0.4], [2.0, 2.0], [-0.5, -0.2], [0.1, 0.1], [-1.0, 0.9], [0.5, 0.05]]).T
    assert terrain.settled(runs).place.tolist() == [0, 0, 0, 1, 1, -1]


@pytest.mark.parametrize(
    ("level", "said", "same"),
    [
        (0.0, 0.9e-6, True),
        (0.0, -0.9e-6, True),
        (0.0, 1.1e-6, False),
        (1e6, 0.9, True),
        (1e6, 1.1, False),
        (-1e6, -1.1, False),
        (-1e6, 0.9, True),
    ],
)
def test_a_flat_piece_has_one_loss_to_a_millionth(level: float, said: float, same: bool) -> None:
    loss = Loss.from_text("(x + y)^2 + c", parameters={"c": level})
    terrain = Terrain(loss, Search(SQUARE, (flat_piece(level + said),)))
    assert terrain.settled(np.array([[2.0], [0.0]])).place.tolist() == [0 if same else -1]


@pytest.mark.parametrize(
    ("loss", "reach", "start", "on_it"),
    [
        ("(x + y)^2", 1.0, (0.9, -0.5), True),
        ("(x + y)^2", 1.0, (2.9, -2.5), False),  # leads to the valley beyond the piece
        ("x^2 + y^2", 3.0, (0.9, -0.5), False),  # no flat direction
    ],
)
def test_a_flat_piece_holds_what_comes_to_it_where_it_is_flat(
    loss: str, reach: float, start: tuple[float, float], on_it: bool
) -> None:
    terrain = Terrain(Loss.from_text(loss), Search(SQUARE, (flat_piece(0.0, reach),)))
    assert terrain.settled(np.array(start)[:, None]).place.tolist() == [0 if on_it else -1]


def test_rounding_of_a_curvature_that_is_zero_is_no_change_of_inertia() -> None:
    # one curvature is 10·g″(s) ≥ 20 with s = x + 3y, the other is zero but for rounding of either sign
    terrain = Terrain(Loss.from_text("(x + 3*y)^2 + (x + 3*y)^4"), Search(SQUARE, (flat_piece(0.0),)))
    runs = np.random.default_rng(0).uniform(-0.9, 0.9, size=(2, 50))
    assert terrain.settled(runs).place.tolist() == [0] * 50


def test_no_runs_settle_nowhere() -> None:
    loss = Loss.from_text("w^2")
    assert Terrain(loss, critical.find(loss, {"w": (-1.0, 1.0)})).settled(np.empty((1, 0))).place.size == 0


@pytest.mark.parametrize(
    ("loss", "kinds"),
    [
        ("abs(w)", ["kink"]),
        ("-abs(w)", []),
        ("w - 2*abs(w)", []),
        ("max(w, 0)", ["flat"]),
        ("min(w, 0)", []),
        ("-max(w, 0)^2", []),
        ("(x + y)^2", ["flat"]),
    ],
)
def test_low_points_are_those_that_descent_can_end_in(loss: str, kinds: list[str]) -> None:
    sought = Loss.from_text(loss)
    search = critical.find(sought, dict.fromkeys(sought.weights, (-1.0, 1.0)))
    assert [point.kind for point in Terrain(sought, search).lows] == kinds


@pytest.mark.parametrize(
    ("loss", "open_", "may"),
    [
        ("w", False, False),
        ("w", True, False),  # on a line kinks are sought
        ("x + y", False, False),
        ("x + y", True, True),
        ("x + y + z", True, True),
        ("w^2", False, True),
        ("x^2 + y^2", False, True),
    ],
)
def test_a_stretch_left_open_may_hold_a_minimum_where_kinks_are_not_sought(
    loss: str, open_: bool, may: bool
) -> None:
    sought = Loss.from_text(loss)
    domain = dict.fromkeys(sought.weights, (-1.0, 1.0))
    middle = CriticalPoint(dict.fromkeys(sought.weights, 0.0), 0.0, "minimum")
    stretches = ({"interval": domain, "reason": "not sought"},) if open_ else ()
    search = Search(domain, (middle,) if "^2" in loss else (), unresolved=stretches)
    assert Terrain(sought, search).may_hold_a_minimum == may


def test_a_kink_is_low_where_the_loss_rises_beside_it_however_low_it_is_farther_away() -> None:
    loss = Loss.from_text("min(abs(w), 5 - 2.6*abs(w))")  # below zero from 1.92 on
    (kink,) = Terrain(loss, critical.find(loss, {"w": (-1.0, 1.0)})).lows
    assert (kink.kind, kink.weight["w"]) == ("kink", 0)


@pytest.mark.parametrize(
    ("centre", "swing", "period"), [(1e6, 1e-4, 0), (1e6, 1.0, 2), (1e-6, 1e-14, 2), (1e-6, 1e-16, 0)]
)
def test_swings_count_from_a_billionth_of_the_weight(centre: float, swing: float, period: int) -> None:
    tail = np.resize([centre, centre + swing], 32).reshape(32, 1, 1)
    assert period_of_tail(tail).tolist() == [period]


@pytest.mark.parametrize(("start", "other"), [((-4, -4), "equal"), ((4, -4), "equal"), ((2, 1), "lower")])
def test_a_minimum_is_called_not_the_lowest_only_where_another_is_clearly_lower(
    start: Any, other: str
) -> None:
    # Himmelblau's four minima are all 0 and differ by rounding; the three-hump camel's do differ
    name = "himmelblau" if other == "equal" else "three_hump_camel"
    found = run(name, dict(zip("xy", start, strict=True)), 0.01, domain={"x": [-5, 5], "y": [-5, 5]})
    assert found.verdict.kind == "minimum"
    assert ("It is not the lowest one" in found.verdict.sentence) == (other == "lower")


@pytest.mark.parametrize(
    ("loss", "start", "rate", "words"),
    [
        ("log(1 + exp(-w))", 0, 1, "inside the domain [−10, 10] (proved: the slope is nowhere zero there)"),
        (
            "w^3",
            -0.1,
            0.1,
            "inside the domain [−10.1, 9.9] no minimum lies ahead (proved: no critical point there is one)",
        ),
    ],
)
def test_that_there_is_no_minimum_is_proved_and_said_of_the_domain_only(
    loss: str, start: float, rate: float, words: str
) -> None:
    verdict = run(loss, start, rate).verdict
    assert (verdict.kind, verdict.evidence["proof"]) == ("no_minimum", "certified")
    assert words in verdict.sentence


# -- the ruler -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "band"), [(0.2, "monotone"), (0.5, "monotone"), (0.9, "oscillating")])
def test_the_bands_of_a_parabola_are_those_of_one_and_two_over_its_curvature(rate: float, band: str) -> None:
    ruler = run("w^2", 10, rate).ruler
    assert ruler is not None
    assert (ruler.one_over_curvature, ruler.two_over_curvature) == (0.5, 1.0)
    assert ruler.band == band
    assert ruler.agrees


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_the_limit_of_momentum_is_two_times_one_plus_beta_over_the_curvature(momentum: float) -> None:
    found = run("w^2", 1, 0.1, update_rule={"name": "momentum", "momentum": momentum}).ruler
    assert found is not None
    assert found.bound == pytest.approx(2 * (1 + momentum) / 2)


@pytest.mark.parametrize("momentum", [0.1, 0.5, 0.9])
def test_the_limit_of_nesterov_is_two_times_one_plus_beta_over_one_plus_two_beta(momentum: float) -> None:
    found = run("w^2", 1, 0.1, update_rule={"name": "nesterov", "momentum": momentum}).ruler
    assert found is not None
    assert found.bound == pytest.approx(2 * (1 + momentum) / (1 + 2 * momentum) / 2)


@pytest.mark.parametrize(("factor", "settles"), [(0.99, True), (1.01, False)])
def test_momentum_settles_below_its_limit_and_not_above(factor: float, settles: bool) -> None:
    rate = factor * 2 * (1 + 0.5) / 2
    found = run(
        "w^2", 1, rate, update_rule={"name": "momentum", "momentum": 0.5}, stopping={"max_steps": 5000}
    )
    assert (found.status == Status.CONVERGED) == settles


def test_with_several_weights_the_largest_eigenvalue_counts() -> None:
    ruler = run("0.1x^2 + 2y^2", {"x": -5, "y": -2}, 0.4).ruler
    assert ruler is not None
    assert ruler.curvature == pytest.approx(4.0)
    assert ruler.two_over_curvature == pytest.approx(0.5)


def test_a_run_that_jumps_about_before_it_settles_is_seen_to_alternate_at_its_end() -> None:
    ruler = run("w^2 + 0.1*sin(50w)", 2, 0.01, domain=[-3, 3]).ruler  # 1 − ηf″ = −0.84 at the end
    assert ruler is not None
    assert (ruler.band, ruler.agrees) == ("oscillating", True)
    assert ruler.sentence.endswith("and the run came in alternating.")


def test_a_run_that_comes_in_along_a_flatter_direction_is_not_held_to_the_sharpest() -> None:
    ruler = run("x^2 + 8y^2 + x^2*y", {"x": 0.5, "y": 0}, 0.1, domain={"x": [-1, 1], "y": [-1, 1]}).ruler
    assert ruler is not None
    assert (ruler.band, ruler.agrees) == ("oscillating", True)  # y follows x², on one side
    assert ruler.sentence.endswith("and the run came in along a flatter direction.")


def test_a_long_run_with_few_records_did_not_land_at_once() -> None:
    ruler = run("w^2", 10, 0.9, record={"every": 40}).ruler
    assert ruler is not None
    assert ruler.sentence.endswith("and the run settled.")


@pytest.mark.parametrize("rule", ["adam", "rmsprop", "adagrad", "newton", "sign_descent"])
def test_rules_of_which_two_over_the_curvature_says_nothing_have_no_ruler(rule: str) -> None:
    assert run("w^2", 1, 0.5, update_rule=rule).ruler is None


def test_there_is_no_ruler_without_a_settled_minimum() -> None:
    assert run("w^2", 10, 1.1).ruler is None
    assert run("(w^2 - 1)^2", 0, 0.05).ruler is None


# -- crossings -----------------------------------------------------------------------------------


def test_a_step_over_the_minimum_is_flagged_on_its_row_of_arrival() -> None:
    flags = run("w^2", 10, 0.9).flags  # −9, 7.2 …: every step crosses 0
    assert "minimum" in " ".join(flags[1])
    assert "minimum" in " ".join(flags[2])


def test_a_run_from_one_side_crosses_nothing() -> None:
    assert not any("cross" in word for words in run("w^2", 10, 0.2).flags.values() for word in words)


# -- documentation -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", VERDICT_KINDS)
def test_every_verdict_is_documented(kind: str) -> None:
    assert f"| `{kind}` |" in (DOCS / "verdicts.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", CRITICAL_KINDS)
def test_every_kind_of_critical_point_is_documented(kind: str) -> None:
    assert f"| `{kind}` |" in (DOCS / "critical-points.md").read_text(encoding="utf-8")


def test_the_multiplier_is_one_minus_rate_times_curvature() -> None:
    (point,) = gdsim.critical_points("w^2", domain=(-1, 1)).critical_points
    assert point.multiplier(0.2) == (pytest.approx(1 - 0.2 * 2),)
    assert math.isclose(point.multiplier(1.0)[0], -1.0)
