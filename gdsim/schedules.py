"""Learning-rate schedules, each stated as one formula in the expression language.

A formula may use ``initial`` (η₀), ``step_number`` (0 at the first step), ``period_number`` (how often
``step_size`` steps have passed) and the schedule's options, in PyTorch's names where PyTorch has it.
``warmup: N`` goes with every schedule: over the first N steps the rate climbs linearly, (k + 1)/(N + 1)
of η₀ at step k, and the schedule begins at step N.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from gdsim.expr.nodes import Expr
from gdsim.expr.parse import parse
from gdsim.outcomes import Fault, InputError, nearest
from gdsim.update_rules import Option, check_options

INPUTS = ("initial", "step_number", "period_number")


@dataclass(frozen=True, eq=False, repr=False)
class Schedule:
    """One schedule: η_k as a formula, which after the warm-up goes only one way, up or down.

    ``ends_with`` names the option that says after how many steps the rate is constant, if there is one.
    """

    name: str
    summary: str
    formula: str
    options: Mapping[str, Option] = field(default_factory=dict)
    ends_with: str = ""

    @cached_property
    def expression(self) -> Expr:
        """The formula as a tree; every name in it is a parameter."""
        return parse(self.formula, parameters=frozenset([*INPUTS, *self.options]))


class ScheduleChoice(NamedTuple):
    """A schedule with the values of all its options."""

    schedule: Schedule
    options: Mapping[str, float] = {}
    warmup: int = 0


def schedule(name: str = "constant", warmup: int = 0, **options: object) -> ScheduleChoice:
    """Choose a schedule by name and check its options.

    Raises
    ------
    InputError
        For an unknown schedule or option, or a value out of range, with the nearest valid name.

    Examples
    --------
    >>> schedule("exponential", gamma=0.9).options["gamma"]
    0.9
    """
    if name not in SCHEDULES:
        raise InputError(
            Fault(f"unknown schedule {name!r}", f"one of {', '.join(SCHEDULES)}", nearest(name, [*SCHEDULES]))
        )
    chosen = SCHEDULES[name]
    values = check_options(
        {**options, "warmup": warmup}, {**chosen.options, **_WARMUP}, {}, f"schedule {name}"
    )
    return ScheduleChoice(chosen, values, int(values.pop("warmup")))


_WARMUP = {"warmup": Option(0.0, "steps in which the rate climbs to η₀", whole=True)}
_GAMMA = "the factor of each decrease"

SCHEDULES: dict[str, Schedule] = {
    entry.name: entry
    for entry in (
        Schedule("constant", "the same rate at every step", "initial"),
        Schedule(
            "step",
            "multiplied by gamma every step_size steps",
            "initial*gamma^period_number",
            {
                "step_size": Option(None, "steps between two decreases", least=1.0, whole=True),
                "gamma": Option(0.1, _GAMMA, most=1.0, open_below=True),
            },
        ),
        Schedule(
            "exponential",
            "multiplied by gamma at every step",
            "initial*gamma^step_number",
            {"gamma": Option(None, _GAMMA, most=1.0, open_below=True)},
        ),
        Schedule(
            "inverse_time",
            "divided by 1 + decay · k",
            "initial/(1 + decay*step_number)",
            {"decay": Option(None, "how fast the rate falls")},
        ),
        Schedule(
            "linear",
            "from start_factor · η₀ to end_factor · η₀ in total_iters steps, then constant",
            "initial*(start_factor + (end_factor - start_factor)*min(step_number, total_iters)/total_iters)",
            {
                "start_factor": Option(1 / 3, "η₀ times this at the first step", most=1.0, open_below=True),
                "end_factor": Option(1.0, "η₀ times this at the end", most=1.0),
                "total_iters": Option(5.0, "steps from start to end", least=1.0, whole=True),
            },
            ends_with="total_iters",
        ),
        Schedule(
            "cosine",
            "half a cosine from η₀ down to eta_min in T_max steps, then held",
            "eta_min + (initial - eta_min)*(1 + cos(pi*min(step_number, T_max)/T_max))/2",
            {
                "T_max": Option(None, "steps from η₀ to eta_min", least=1.0, whole=True),
                "eta_min": Option(0.0, "the rate at the end"),
            },
            ends_with="T_max",
        ),
    )
}
