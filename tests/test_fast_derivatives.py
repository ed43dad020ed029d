"""Every numeric derivative on the fast engine against the NumPy engine.

Where a method states how far off it may be, both engines lie within that of the true slope. A difference
with a given step h carries a rounding of some u·L, divided by h.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from agreement import UNIT, same_statuses, spread
from batches import LINEAR_DATA, batch_of
from tiers import later, much_later

from gdsim.batch import Batch
from gdsim.derivatives import METHODS, DerivativeMethod, derivative_method
from gdsim.kernels.descent import Descent, initial_lanes
from gdsim.kernels.plan import Plan
from gdsim.losses import Loss
from gdsim.simulation import simulate
from gdsim.update_rules import RULES

pytest.importorskip("numba")
pytestmark = pytest.mark.usefixtures("compiled_once")

QUARTIC = "w^4 - 2w^2 + 0.3w"
RESOLVED = 1e-5  # one-sided differences with a step of 2⁻³³ see slopes in units of 2·10⁻⁶
SCHEMES = METHODS["numeric"].options["scheme"].choices
LOSSES = {
    "quartic": Loss.from_text(QUARTIC),
    "functions": Loss.from_text("0.5*w^2 + cos(w) + exp(-w^2) + (w + 3)^0.3"),
    "two weights": Loss.from_text("u^2 + sin(v)^2 - a*u*v", parameters={"a": 1.5}),
    "rows": Loss.from_text("mean(softplus(a + b*x) - y*(a + b*x))", data=LINEAR_DATA),
    "sum": Loss.from_text("sum((sin(a*x) - y)^2) + a^2/10", data=LINEAR_DATA),
}  # fmt: skip


def numeric(scheme: str, step: float | str) -> DerivativeMethod:
    return derivative_method("numeric", scheme=scheme, step=step)


def gradient_bars(batch: Batch, units: float = 64.0) -> np.ndarray:
    """How far apart the engines' gradients may be at the start; ``units`` in the last place are rounding."""
    method = batch.derivative
    estimate = method.bind(batch.loss)(batch.initial_weight, batch.parameters, None)
    rounding = units * UNIT * np.maximum(np.abs(estimate.gradient), 1.0)
    if estimate.error is not None:
        return 2.0 * estimate.error + rounding
    return (
        rounding if method.options["scheme"] == "complex_step" else rounding / float(method.options["step"])
    )


def agrees(batch: Batch, units: float = 64.0) -> None:
    """The gradients lie within their error bars, and the rule makes the same step of the same gradient."""
    batch = replace(batch, stopping=replace(batch.stopping, max_steps=1), record_every=1)
    fast, slow = simulate(batch, "fast"), simulate(batch, "numpy")
    first, second = fast.gradient[0], slow.gradient[0]
    assert np.array_equal(np.isnan(first), np.isnan(second))
    known = ~np.isnan(second)
    assert (np.abs(first - second) <= gradient_bars(batch, units))[known].all()
    for name in ("loss_evaluations", "last_evaluations", "gradient_evaluations"):
        assert np.array_equal(getattr(fast, name), getattr(slow, name)), name
    plan = Plan(batch)
    descent, (_, lanes) = Descent(plan), initial_lanes(plan, None)
    options = descent.rule_options(lanes.run)
    with np.errstate(all="ignore"):
        step, _ = descent.step(lanes, list(first), descent.rate(lanes.run, 0), 0, options)
    moved = batch.initial_weight + np.stack(step)
    apart = np.abs(fast.weight[1] - moved) / np.maximum(np.abs(moved), 1.0)
    units = 1e5 if plan.batch.rule.rule.needs_hessian else 64.0  # H·s = g loses up to cond(H) digits
    assert (apart <= units * UNIT)[:, fast.steps == 1].all()


def by_chance(batch: Batch) -> np.ndarray:
    """Where NumPy's run ends at a slope that may be zero for all that the differences can tell."""
    slow = simulate(batch, "numpy")
    there = gradient_bars(replace(batch, initial_weight=slow.final_weight))
    return (there > RESOLVED).any(axis=0)


DEFAULT = [("central", "auto", "functions"), ("complex_step", "auto", "functions")]


def tiered(case: tuple[str, str | float, str]) -> Any:
    """Two cases by default, one loss in the integration tier, all in the release tier: each is compiled."""
    return case if case in DEFAULT else later(*case) if case[2] == "two weights" else much_later(*case)


CASES = [*map(tiered, product(SCHEMES, ("auto", 1e-3), LOSSES))]


@pytest.mark.parametrize(("scheme", "step", "loss"), CASES)
def test_every_scheme(scheme: str, step: float | str, loss: str) -> None:
    starts = spread(LOSSES[loss])
    more = {"parameters": {"a": np.linspace(1.0, 2.0, len(starts))}} if loss == "two weights" else {}
    batch = batch_of(LOSSES[loss], *starts, rate=0.02, derivative=numeric(scheme, step), max_steps=200,
                     tolerance=RESOLVED, record_every=200, **more)  # fmt: skip
    agrees(batch)
    same_statuses(batch, unless=by_chance(batch))


ANALYTIC = (
    "1/w + 1/(w^2 + 1)", "tan(w/3) - sin(2*w)", "tanh(5*w)^2 + tanh(30*w)", "asin(w/3) + acos(w/2)",
    "atan(3*w)^2", "sqrt(w + 1)^3", "log(w)^2 + log2(w + 3)", "log10(w + 3)", "softplus(3*w) + sigmoid(w)",
    "sinh(w)*cosh(w)", "w^9 + w^0.3", "2^w", "(w + 2)^w", "where(2 > 1, exp(-w), w)", "abs(3)*w^2",
    "exp(400*w)/3", "(w^2)^600",
)  # fmt: skip


@pytest.mark.parametrize(
    ("loss", "step"),
    [
        later(loss, step) if step == "auto" else much_later(loss, step)
        for loss, step in product(ANALYTIC, ("auto", 0.01))
    ],
)
def test_the_complex_step_of_every_function(loss: str, step: float | str) -> None:
    """Also where it is nan: left of 0 under a root, and where a power overflows."""
    batch = batch_of(loss, *spread(Loss.from_text(loss)), rate=0.02, derivative=numeric("complex_step", step),
                     tolerance=0.0)  # fmt: skip
    agrees(batch, units=1200.0 if loss == "(w^2)^600" else 64.0)  # xⁿ by products loses up to n units


@pytest.mark.parametrize(
    ("scheme", "rule"),
    [later(*case) if "adam" in case else much_later(*case) for case in product(SCHEMES, RULES)],
)
def test_every_scheme_with_every_rule(scheme: str, rule: str) -> None:
    batch = batch_of(QUARTIC, *spread(LOSSES["quartic"]), rate=0.01, rule=rule,
                     derivative=numeric(scheme, "auto"), max_steps=300, tolerance=RESOLVED,
                     record_every=300)  # fmt: skip
    agrees(batch)
    near = np.abs(simulate(batch, "fast").final_gradient).max(axis=0) <= 10.0 * RESOLVED
    # near the minimum a rule with memory jumps about, into the tolerance by chance
    same_statuses(batch, unless=None if batch.rule.rule.memoryless else near)
