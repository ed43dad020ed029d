"""Short ways to say what a test runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gdsim.batch import Batch, Stopping
from gdsim.derivatives import DerivativeMethod, derivative_method
from gdsim.losses import Loss
from gdsim.schedules import ScheduleChoice, schedule
from gdsim.update_rules import RULES, RuleChoice, update_rule

ENGINES = ("python", "numpy")
LINEAR_DATA = {"x": tuple(np.linspace(-1, 1, 12)), "y": tuple(0.5 * np.linspace(-1, 1, 12) ** 2 + 0.25)}


def batch_of(
    loss: str | Loss,
    *starts: float | Sequence[float],
    rate: float | Sequence[float] = 0.1,
    rule: str | RuleChoice = "gradient_descent",
    derivative: str | DerivativeMethod = "analytic",
    rates: ScheduleChoice | None = None,
    max_steps: int = 1000,
    tolerance: float = 1e-8,
    bound: float = 1e8,
    parameters: Mapping[str, Sequence[float]] | None = None,
    **more: Any,
) -> Batch:
    """Return a batch with one run for each start: a number, or one number for each weight."""
    if isinstance(loss, str):
        names = {name: values[0] for name, values in (parameters or {}).items()}
        loss = Loss.from_text(loss, parameters=names)
    weight = (
        np.array([np.atleast_1d(start) for start in starts], dtype=float).reshape(-1, len(loss.weights)).T
    )
    return Batch(
        loss=loss,
        initial_weight=np.ascontiguousarray(weight),
        learning_rate=np.broadcast_to(np.asarray(rate, dtype=float), (len(starts),)).copy(),
        derivative=derivative_method(derivative) if isinstance(derivative, str) else derivative,
        rule=update_rule(rule) if isinstance(rule, str) else rule,
        schedule=schedule() if rates is None else rates,
        stopping=Stopping(max_steps, tolerance, bound),
        parameters={name: np.array(values, dtype=float) for name, values in (parameters or {}).items()},
        **more,
    )


# every rule, and every rule with its rarer options
RULE_CHOICES: dict[str, RuleChoice] = {
    **{name: update_rule(name) for name in RULES},
    "gradient_descent with decay": update_rule("gradient_descent", weight_decay=0.01),
    "momentum with dampening": update_rule("momentum", momentum=0.8, dampening=0.3, weight_decay=0.01),
    "nesterov with decay": update_rule("nesterov", momentum=0.8, weight_decay=0.01),
    "adagrad with all": update_rule(
        "adagrad", lr_decay=0.01, weight_decay=0.01, initial_accumulator_value=0.5, eps=1e-6
    ),
    "rmsprop with momentum": update_rule("rmsprop", alpha=0.9, momentum=0.5, weight_decay=0.01, eps=0.1),
    "rmsprop centered": update_rule("rmsprop", alpha=0.95, centered=True, eps=0.1),
    "adam with amsgrad": update_rule("adam", betas=[0.8, 0.95], amsgrad=True, weight_decay=0.02),
    "adamw with amsgrad": update_rule("adamw", betas=[0.8, 0.95], amsgrad=True, weight_decay=0.1),
}
