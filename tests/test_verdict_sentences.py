"""Every verdict in full: what it says, what it advises and what it rests on, with numbers worked out by hand."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from batches import batch_of
from tiers import later

from gdsim.outcomes import CriticalPoint, Search
from gdsim.runs import execute
from gdsim.scenario import parse_mapping
from gdsim.simulation import simulate
from gdsim.verdicts import judge

CASES: list[Any] = [  # the loss, the start, the learning rate, what else, the sentence, the remedy
    # 0.6⁴² ≈ 5·10⁻¹⁰
    ("w^2", 10, 0.2, {},
     "After 42 steps the run settled on a minimum, w = 0. The slope changes from − to + there, and f″ = 2.",
     ""),
    ("(w^2 - 1)^2", 0, 0.05, {},
     "The run started on a maximum, w = 0: the slope is zero there, so no step was taken. The slope is zero, but the loss falls on every side: zero slope does not mean minimum.",
     "Start a little to the side (a millionth is enough) or add noise: the smallest push frees the run."),
    ("x^2 - y^2", {"x": 1.5, "y": 0}, 0.1, {},
     "After 88 steps the run settled on a saddle, (x, y) = (0, 0). The slope is zero, but the loss falls in one direction and rises in another (curvatures −2 and 2).",
     "Start a little to the side (a millionth is enough) or add noise: the smallest push frees the run."),
    ("x^2 + y^3", {"x": 0, "y": 0}, 0.1, {},
     "The run started on a saddle, (x, y) = (0, 0): the slope is zero there, so no step was taken. The slope is zero, but the loss falls in one direction and rises in another.",
     "Start a little to the side (a millionth is enough) or add noise: the smallest push frees the run."),
    ("(max(0, w) - 1)^2", -0.5, 0.1, {"domain": [-1, 3]},
     "The run started on a flat piece, w from −1 to 0: the slope is zero there, so no step was taken. The loss is the same all along it and the slope is zero, so nothing says which way to go.",
     "Start where the loss has a slope, and take a learning rate that does not throw the weight here."),
    later("(x + y)^2", {"x": 1, "y": -1}, 0.1, {},
     "The run started on a flat piece, (x, y) = (1, −1) and round about: the slope is zero there, so no step was taken. The loss is the same all along it and the slope is zero, so nothing says which way to go.",
     "All these weights are equally good; a small penalty such as 0.01·(sum of squares) would choose one."),
    ("w^3", 0, 0.1, {"domain": [-1.5, 1.5]},
     "The run started on an inflection (saddle), w = 0: the slope is zero there, so no step was taken. The slope is zero but does not change its sign: the loss goes on falling on the other side.",
     "Try a larger learning rate, momentum or noise, or start on the other side."),
    ("abs(w)", 0, 0.1, {},
     "The run started on a kink, w = 0: the slope is zero there, so no step was taken. The slope jumps there; at the very tip it counts as zero.",
     ""),
    ("w^4", 0, 0.1, {"domain": [-2.5, 2.5]},
     "The run started on a minimum, w = 0: the slope is zero there, so no step was taken. The slope changes from − to + there, though f″ = 0: the bottom is so flat that steps die out slowly.",
     ""),
    # 0.98⁵⁰ = 0.36417
    ("w^2", 10, 0.01, {"stopping": {"max_steps": 50}, "domain": [-12, 12]},
     "After 50 steps the run is at w = 3.6417 and still moving, by 0.07432 a step; the nearest minimum is at w = 0.",
     "Try a larger learning rate, up to 0.5 = 1/f″ at the minimum, or more steps."),
    ("x^2 + y^2", {"x": 1, "y": 1}, 0.01, {"stopping": {"max_steps": 50}},
     "After 50 steps the run is at (x, y) = (0.36417, 0.36417) and still moving, by 0.007432 a step; the nearest minimum is at (x, y) = (0, 0).",
     "Try a larger learning rate, up to 0.5 = 1/L at the minimum, or more steps."),
    ("w^2", 10, 0.25, {"stopping": {"max_steps": 1}, "domain": [-12, 12]},
     "After 1 step the run is at w = 5 and still moving, by 5 a step; the nearest minimum is at w = 0.",
     "Give it more steps."),
    # L′(−2) = 9, and 1 lies beyond the maximum at −1
    ("w^3 - 3*w", -2, 0.01, {"stopping": {"max_steps": 1}, "domain": [-3, 3]},
     "After 1 step the run is at w = −2.09 and still moving, by 0.09 a step, away from the nearest minimum, w = 1.",
     "Start where the loss falls towards w = 1."),
    # 0.1⁵·10
    ("w^2", 10, 0.45, {"stopping": {"max_steps": 5}, "domain": [-12, 12]},
     "After 5 steps the run has come to w = 0.0001, next to a minimum, w = 0, and still creeps by 0.0009 a step. The slope changes from − to + there, and f″ = 2.",
     "Give it more steps."),
    # 1000·0.9⁴⁰ and 1900·0.9³⁹; then 10·0.998⁶⁹ and 10·0.998⁷⁰
    ("w^2", 1000, 0.95, {"stopping": {"max_steps": 40}, "domain": [-12, 12]},
     "After 40 steps the run is at w = 14.781 and still moving, by 31.204 a step; the nearest minimum is at w = 0.",
     "Give it more steps, or a smaller learning rate."),
    ("w^2", 10, 0.999, {"stopping": {"max_steps": 100}},
     "The run is still moving and never settles: it jumps about, w between −8.7098 and 8.6924, without repeating itself within eight steps (bounded chaos, a longer cycle, or a slow approach).",
     "Try a smaller learning rate."),
    ("x^2 + y^2", {"x": 10, "y": 9}, 0.999, {"stopping": {"max_steps": 100}},
     "The run is still moving and never settles: it jumps about, x between −8.7098 and 8.6924 and y between −7.8388 and 7.8231, without repeating itself within eight steps (bounded chaos, a longer cycle, or a slow approach).",
     "Try a smaller learning rate."),
    ("tanh(w)^2", 4, 0.1, {"stopping": {"gradient_tolerance": 0.01}, "domain": [-5, 5]},
     "The run stopped on a plateau at w = 4: the slope there, 0.0026801, is within the tolerance of 0.01, but it is not zero, and no critical point is near. The nearest minimum is at w = 0.",
     "Use a gradient_tolerance below 0.0026801: a small slope is not a zero slope."),
    ("tanh(w)^2", 8, 0.1, {"stopping": {"max_steps": 20}, "domain": [-10, 10]},
     "The run is stuck on a plateau at w = 8: the slope is only 9.0028×10⁻⁷, a step only 9.0028×10⁻⁸, and as many steps again would cover less than 1 % of the domain.",
     "Start nearer to a minimum, or use a much larger learning rate or an adaptive rule."),
    ("abs(w)", 1.05, 0.1, {},
     "The run goes round in a cycle of 2: w = −0.05 → 0.05 → −0.05, for ever. Between them lies a kink, w = 0: the slope does not shrink on the way there but jumps to the other sign, so every constant learning rate steps over it.",
     "Let the learning rate fall with time (a schedule), so that the steps shrink."),
    ("w^2", 1, 1, {},
     "The run goes round in a cycle of 2: w = −1 → 1 → −1, for ever. η is exactly 2/f″ = 1 at the minimum w = 0: every step lands as far beyond it as it was before.",
     "Try a learning rate below 1 = 2/f″."),
    ("x^2 + y^2", {"x": 1, "y": 1}, 1, {},
     "The run goes round in a cycle of 2: (x, y) = (−1, −1) → (x, y) = (1, 1) → (x, y) = (−1, −1), for ever. η is exactly 2/L = 1 at the minimum (x, y) = (0, 0): every step lands as far beyond it as it was before.",
     "Try a learning rate below 1 = 2/L."),
    # y turns from 1 to −1 while x still comes in: 0.98¹⁰⁰⁰ = 1.683·10⁻⁹
    ("x^2 + 100y^2", {"x": 1, "y": 1}, 0.01, {"domain": {"x": [-2, 2], "y": [-2, 2]}},
     "The run goes round in a cycle of 2: (x, y) = (1.683×10⁻⁹, 1) → (x, y) = (1.7173×10⁻⁹, −1) → (x, y) = (1.683×10⁻⁹, 1), for ever. η is exactly 2/L = 0.01 at the minimum (x, y) = (0, 0): every step lands as far beyond it as it was before.",
     "Try a learning rate below 0.01 = 2/L."),
    # the logistic map with r = 3.3
    ("w^3/3 - w^2/2", 0.5, 2.3, {"domain": [0, "4/3"]},
     "The run goes round in a cycle of 2: w = 0.68787 → 1.1817 → 0.68787, for ever. η = 2.3 is above 2/f″ = 2 at the minimum w = 1: the minimum throws the weight out as it comes near.",
     "Try a learning rate below 2 = 2/f″."),
    # √a = 3/8 where a step of 0.75·√a is 2a
    ("abs(w)^1.5", 0.5, 0.5, {},
     "The run goes round in a cycle of 2: w = −0.14062 → 0.14062 → −0.14062, for ever. At the minimum between them, w = 0, the curvature f″ is infinite, so that 2/f″ = 0: every constant learning rate is too large in the end.",
     "Let the learning rate fall with time (a schedule), so that the steps shrink."),
    # 10·1.2⁸⁹ > 10⁸
    ("w^2", 10, 1.1, {},
     "The run diverged: at step 89 a weight was beyond ±10⁸. η = 1.1 is above 2/f″ = 1 at the start, w = 10: a step overshoots by more than the distance that it should correct.",
     "Try a learning rate below 1 = 2/f″ at the start, w = 10."),
    ("w^2", 1, 2, {"update_rule": {"name": "momentum", "momentum": 0.5}},
     "The run diverged: at step 22 a weight was beyond ±10⁸. η = 2 is above 3/f″ = 1.5 at the start, w = 1: a step overshoots by more than the distance that it should correct.",
     "Try a learning rate below 1.5 = 3/f″ at the start, w = 1."),
    ("w^2", 1e9, 0.1, {},
     "No step was taken: the start, w = 10⁹, is beyond the divergence_bound of ±10⁸.",
     "Start nearer to zero, or use a larger divergence_bound."),
    # 1.2¹⁰² > 10⁸
    ("-w^2", 1, 0.1, {},
     "There is no minimum to find: the loss fell at every step until, at step 102, a weight was beyond ±10⁸, and inside the domain [−9, 11] no minimum lies ahead (proved: no critical point there is one).",
     "The learning rate is not to blame: choose a loss that has a minimum, or add a penalty such as 0.01·w²."),
    # 1 is a minimum, but the run left −1, a maximum, to the other side
    ("w^3 - 3*w", -1.5, 0.01, {"domain": [-3, 3]},
     "There is no minimum to find on this side: the loss fell at every step until, at step 34, a weight was beyond ±10⁸, and inside the domain [−3, 3] no minimum lies ahead (proved: each one there lies behind the start).",
     "The learning rate is not to blame: start where the loss falls towards the minimum at w = 1."),
    # no step is allowed
    ("w^3", 0.01, 0.1, {"stopping": {"max_steps": 0}, "domain": [-2, 2]},
     "There is no minimum to find inside the domain [−2, 2] (proved: no critical point there is one): no step was taken, and the run is at its start, w = 0.01. Near by is an inflection (saddle), w = 0, where the slope is zero: it only delays the run.",
     "The learning rate is not to blame: choose a loss that has a minimum, or add a penalty such as 0.01·w²."),
    ("w^2", 1e-6, 0.1, {"stopping": {"max_steps": 0, "gradient_tolerance": 1e-12}, "domain": [-2, 2]},
     "No step was taken, and the run is at its start, w = 10⁻⁶, next to a minimum, w = 0. The slope changes from − to + there, and f″ = 2.",
     "Give it more steps."),
    ("sqrt(w)", -1, 0.1, {},
     "At the start, w = −1, the loss is undefined (0/0, ∞ − ∞, or a root or logarithm of a negative number) and the gradient is undefined (0/0, ∞ − ∞, or a root or logarithm of a negative number).",
     "Start where the loss is defined and not too large."),
    # 0.01 − 0.1/(2·0.1)
    ("sqrt(w)", 0.01, 0.1, {},
     "Step 1 led from w = 0.01 to w = −0.49, where the loss is undefined (0/0, ∞ − ∞, or a root or logarithm of a negative number) and the gradient is undefined (0/0, ∞ − ∞, or a root or logarithm of a negative number).",
     "Try a smaller learning rate, gradient clipping, or a start farther from the edge."),
    # 3 − 0.1·6·e⁹, f″ = 38·e⁹
    ("exp(w^2)", 3, 0.1, {},
     "Step 1 led from w = 3 to w = −4858.9, where the loss is too large for a computer to hold (overflow beyond 1.8×10³⁰⁸) and the gradient is too large for a computer to hold (overflow beyond 1.8×10³⁰⁸). η = 0.1 is above 2/f″ = 6.4953×10⁻⁶ at the start, w = 3: a step overshoots by more than the distance that it should correct.",
     "Try a learning rate below 6.4953×10⁻⁶ = 2/f″ at the start, w = 3."),
    ("w^2", 1, 0.1, {"noise": {"kind": "gaussian", "scale": 0.5}, "seed": 1},
     "With noise the weight never stands still: it trembles around a minimum, w = 0. The slope changes from − to + there, and f″ = 2.",
     "Let the learning rate fall with time, and the trembling shrinks."),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "start", "rate", "more", "sentence", "remedy"), CASES)
def test_a_verdict_in_full(
    loss: str, start: Any, rate: float, more: dict[str, Any], sentence: str, remedy: str
) -> None:
    data = {"name": "case", "loss": loss, "initial_weight": start, "learning_rate": rate, **more}
    verdict = execute(parse_mapping(data)).verdict
    assert (verdict.sentence, verdict.remedy) == (sentence, remedy)


def test_chaos_in_full() -> None:
    """The logistic map with r = 4, of which small differences double."""
    data = {
        "name": "case",
        "loss": "w^3/3 - w^2/2",
        "initial_weight": 0.5,
        "learning_rate": 3,
        "domain": [0, "4/3"],
    }
    verdict = execute(parse_mapping(data)).verdict
    assert re.fullmatch(
        r"The run is still moving and never settles: it jumps about, w between \S+ and \S+, without repeating itself\. "
        r"This is bounded chaos: small differences grow (1\.[89]|2\.[01])\d*-fold a step, so the path cannot be foretold\. "
        r"η = 3 is above 2/f″ = \S+ at w = \S+: a step overshoots by more than the distance that it should correct\.",
        verdict.sentence,
    )
    assert re.fullmatch(r"Try a learning rate below \S+ = 2/f″ at w = \S+\.", str(verdict.remedy))
    assert verdict.evidence["lyapunov_exponent"] == pytest.approx(math.log(2), abs=0.1)
    assert verdict.evidence.keys() == {
        "steps", "weight", "rate", "gradient", "low", "high", "lyapunov_exponent", "at", "curvature",
        "two_over_curvature",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("loss", "start", "rule"),
    [
        ("w^2", 10, {"name": "momentum", "momentum": 0.001}),
        ("x^2 + y^2", {"x": 10, "y": 9}, "gradient_descent"),
    ],
)
def test_how_differences_grow_is_said_of_plain_descent_of_one_weight_only(
    loss: str, start: Any, rule: Any
) -> None:
    data = {
        "name": "case",
        "loss": loss,
        "initial_weight": start,
        "learning_rate": 0.999,
        "update_rule": rule,
    }
    evidence = execute(parse_mapping({**data, "stopping": {"max_steps": 100}})).verdict.evidence
    assert "low" in evidence
    assert "lyapunov_exponent" not in evidence


def test_a_point_whose_kind_is_not_told_in_full() -> None:
    point = CriticalPoint({"x": 0.0, "y": 0.0}, 0.0, "undecided", curvature=(0.0, 2.0))
    search = Search({"x": (-1.0, 1.0), "y": (-1.0, 1.0)}, (point,))
    batch = batch_of("x^2 + y^4", (0.0, 0.0))
    verdict = judge(batch, simulate(batch), search).verdict(0)
    assert verdict.sentence == (
        "The run started on a critical point whose kind cannot be told, (x, y) = (0, 0): the slope is zero there, so no step was taken. "
        "The slope is zero and the curvature, too, in some direction: the second-derivative test is silent."
    )
    assert verdict.remedy == (
        "Look at the loss round about: draw it, or start a little to the side and see whether the run comes back."
    )


@pytest.mark.parametrize(("factor", "jumps"), [(0.955, False), (0.96, True)])
def test_swings_that_shrink_to_less_than_half_within_sixteen_steps_are_no_jumping_about(
    factor: float, jumps: bool
) -> None:
    """On w² a step multiplies the weight by 1 − 2η; 0.955¹⁶ = 0.48 and 0.96¹⁶ = 0.52."""
    batch = batch_of("w^2", 10.0, rate=(1 + factor) / 2, max_steps=40)
    minimum = CriticalPoint({"w": 0.0}, 0.0, "minimum", curvature=(2.0,), multiplicity=1)
    verdict = judge(batch, simulate(batch), Search({"w": (-12.0, 12.0)}, (minimum,))).verdict(0)
    assert verdict.kind == "still_moving"
    assert ("it jumps about" in verdict.sentence) == jumps


@pytest.mark.parametrize(("centre", "found"), [(0.0019, True), (-0.0019, True), (0.0021, False)])
def test_a_minimum_is_between_where_it_is_within_a_thousandth_of_the_cycle_beside_it(
    centre: float, found: bool
) -> None:
    """y alternates between 1 and −1; x stands 0 from the start, as its slope is nearly 0 there."""
    loss = f"1e-12*(x - {centre})^2 + 100*y^2".replace("- -", "+ ")
    data = {"name": "case", "loss": loss, "initial_weight": {"x": 0, "y": 1}, "learning_rate": 0.01}
    more = {"domain": {"x": [-2, 2], "y": [-2, 2]}, "stopping": {"max_steps": 40}}
    verdict = execute(parse_mapping({**data, **more})).verdict
    assert verdict.kind == "cycle"
    assert ("around" in verdict.evidence) == found


CURVATURE = 38 * math.exp(9)  # of exp(w²) at 3, where its slope is 6·e⁹
EVIDENCE: list[Any] = [
    ("(w - 3)^2", 3, 0.1, {},
     {"steps": 0, "at.w": 3, "loss": 0, "curvature.0": 2, "distance.w": 0, "gradient.w": 0}),
    ("(max(0, w) - 1)^2", -0.5, 0.1, {"domain": [-1, 3]},
     {"steps": 0, "at.w": -0.5, "loss": 1, "curvature.0": 0, "distance.w": 0, "gradient.w": 0,
      "interval.w.0": -1, "interval.w.1": 0}),
    ("w^2", 10, 0.01, {"stopping": {"max_steps": 50}, "domain": [-12, 12]},
     {"steps": 50, "weight.w": 10 * 0.98**50, "rate": 0.2 * 0.98**49, "gradient.w": 20 * 0.98**50,
      "nearest.at.w": 0, "nearest.kind": "minimum", "one_over_curvature": 0.5}),
    ("tanh(w)^2", 4, 0.1, {"stopping": {"gradient_tolerance": 0.01}, "domain": [-5, 5]},
     {"steps": 0, "weight.w": 4, "gradient.w": 2 * math.tanh(4) / math.cosh(4) ** 2,
      "gradient_tolerance": 0.01, "rate": 0, "nearest.at.w": 0, "nearest.kind": "minimum"}),
    ("abs(w)", 1.05, 0.1, {},
     {"steps": 12, "period": 2, "values.0": -0.05, "values.1": 0.05, "learning_rate": 0.1,
      "around.at.w": 0, "around.kind": "kink", "kink.w": 0}),
    ("x^2 + y^2", {"x": 1, "y": 1}, 1, {},
     {"steps": 2, "period": 2, "values.0.x": -1, "values.0.y": -1, "values.1.x": 1, "values.1.y": 1,
      "learning_rate": 1, "around.at.x": 0, "around.at.y": 0, "around.kind": "minimum", "curvature": 2,
      "two_over_curvature": 1, "bound": 1}),
    ("abs(w)^1.5", 0.5, 0.5, {"stopping": {"max_steps": 2000}},
     {"steps": None, "period": 2, "values.0": None, "values.1": None, "learning_rate": 0.5,
      "around.at.w": 0, "around.kind": "minimum", "curvature": "inf"}),
    ("w^2", 10, 1.1, {},
     {"steps": 89, "step": 89, "weight.w": -10 * 1.2**89, "learning_rate": 1.1, "bound": 1e8, "at.w": 10,
      "curvature": 2, "two_over_curvature": 1}),
    ("-w^2", 1, 0.1, {},
     {"steps": 102, "step": 102, "weight.w": 1.2**102, "loss": -(1.2**204), "domain.w.0": -9,
      "domain.w.1": 11, "rate": 0.2 * 1.2**101, "proof": "certified"}),
    ("w^3", 1, 0.1, {},
     {"steps": 1000, "weight.w": None, "loss": None, "domain.w.0": -9, "domain.w.1": 11, "rate": None,
      "proof": "certified", "near.at.w": 0, "near.kind": "inflection"}),
    ("sqrt(w)", 0.01, 0.1, {},
     {"steps": 1, "step": 1, "nonfinite.0": "loss", "nonfinite.1": "gradient", "weight.w": -0.49,
      "loss": "nan", "gradient.w": "nan", "previous.w": 0.01, "learning_rate": 0.1}),
    ("exp(w^2)", 3, 0.1, {},
     {"steps": 1, "step": 1, "nonfinite.0": "loss", "nonfinite.1": "gradient",
      "weight.w": 3 - 0.6 * math.exp(9), "loss": "inf", "gradient.w": "-inf", "previous.w": 3,
      "learning_rate": 0.1, "limit_at.w": 3, "limit_curvature": CURVATURE,
      "limit_two_over_curvature": 2 / CURVATURE}),
]  # fmt: skip


def flat(evidence: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(evidence, dict | list):
        return {path: evidence}
    parts = evidence.items() if isinstance(evidence, dict) else enumerate(evidence)
    return {k: v for name, part in parts for k, v in flat(part, f"{path}.{name}".strip(".")).items()}


@pytest.mark.parametrize(("loss", "start", "rate", "more", "expected"), EVIDENCE)
def test_the_evidence_of_a_verdict(
    loss: str, start: Any, rate: float, more: dict[str, Any], expected: dict[str, Any]
) -> None:
    """None stands for a number that no formula gives."""
    data = {"name": "case", "loss": loss, "initial_weight": start, "learning_rate": rate, **more}
    found = flat(execute(parse_mapping(data)).verdict.evidence)
    assert found.keys() == expected.keys()
    assert all(found[key] is not None for key in found)
    for key, value in expected.items():
        if value is not None:
            assert found[key] == (
                value if isinstance(value, str) else pytest.approx(value, rel=1e-9, abs=1e-12)
            )
