"""From a scenario to the batch of one that it describes."""

from __future__ import annotations

import numpy as np

from gdsim.batch import Batch
from gdsim.derivatives import derivative_method
from gdsim.losses import Loss
from gdsim.scenario import Scenario
from gdsim.schedules import schedule
from gdsim.update_rules import update_rule


def compose(scenario: Scenario) -> Batch:
    """Return the batch that a scenario describes: one run.

    Raises
    ------
    InputError
        Where the parts do not fit together.

    Examples
    --------
    >>> from gdsim.scenario import load
    >>> compose(load("parabola")).initial_weight.tolist()
    [[10.0]]
    """
    loss = loss_of(scenario)
    spec = scenario.learning_rate
    return Batch(
        loss=loss,
        initial_weight=np.array([[scenario.initial_weight[name]] for name in loss.weights], dtype=np.float64),
        learning_rate=np.array([spec.initial], dtype=np.float64),
        derivative=derivative_method(scenario.derivative.method, **scenario.derivative.options),
        rule=update_rule(scenario.update_rule.name, **scenario.update_rule.options),
        schedule=schedule(spec.schedule, warmup=spec.warmup, **spec.options),
        stopping=scenario.stopping,
        clip=scenario.clip,
        line_search=scenario.line_search,
        noise=scenario.noise,
        seed=np.array([scenario.seed], dtype=np.int64),
        run_key=np.zeros(1, dtype=np.int64),
        record_every=scenario.record.every,
    )


def loss_of(scenario: Scenario) -> Loss:
    """Return the loss of a scenario, its weights in the order in which the scenario starts them."""
    columns = scenario.data.columns if scenario.data is not None else {}
    return Loss.from_text(
        scenario.loss.expression,
        parameters=scenario.loss.parameters,
        data=columns,
        weights=tuple(scenario.initial_weight),
    )
