"""From a batch to its trajectory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gdsim.batch import TAIL, Batch, Trajectory
from gdsim.kernels.log import check_budget
from gdsim.kernels.plan import Plan
from gdsim.outcomes import Fault, InputError, Status, nearest

Array = NDArray[np.float64]
Engine = Literal["auto", "python", "numpy", "fast"]
ENGINES: tuple[Engine, ...] = ("auto", "python", "numpy", "fast")
BUDGET = 1 << 30  # bytes


def simulate(
    batch: Batch, engine: Engine = "auto", *, start: Trajectory | None = None, budget: int = BUDGET,
    threads: int | None = None, ends_only: bool = False,
) -> Trajectory:  # fmt: skip
    """Step every run of a batch until it ends.

    Parameters
    ----------
    batch
        What to run.
    engine
        ``"python"`` (one run, a fused function of floats), ``"numpy"`` (lanes), ``"fast"`` (compiled blocks
        of lanes, with the package numba), or ``"auto"``: python for one run, numpy for more.
    start
        A trajectory of the same batch with fewer ``max_steps``: its runs that reached that number go on
        from where they were, to the same bytes as one long run.
    budget
        The most bytes that records may take.
    threads
        Of the fast engine; None: one for each core.
    ends_only
        Save time where there are very many runs: what ``tail`` holds of runs that ended by themselves has
        then no meaning, and where ``record_every`` is beyond ``max_steps``, the fast engine keeps of the
        first record the weight alone, and no state of the rule.

    Returns
    -------
    Trajectory
        Every status; a run that diverges is a result, not an error.

    Raises
    ------
    InputError
        Where the records would exceed the budget, before anything is allocated.

    Notes
    -----
    Cost: one gradient for each record judged, steps + 1 in all.
    """
    if engine not in ENGINES:
        expected, near = f"one of {', '.join(ENGINES)}", nearest(str(engine), ENGINES)
        raise InputError(Fault(f"unknown engine {engine!r}", expected, near, path="engine"))
    check_budget(batch, budget)
    plan = Plan(batch)
    chosen = ("python" if batch.runs == 1 else "numpy") if engine == "auto" else engine
    if chosen == "python" and batch.runs != 1:
        raise InputError(
            Fault(f"the python engine takes one run, not {batch.runs}", "the numpy engine", path="engine")
        )
    if chosen == "python":
        from gdsim.kernels import python_loop

        trajectory = python_loop.run(plan, start)
    elif chosen == "fast":
        from gdsim.kernels import fast_lanes

        trajectory = fast_lanes.run(plan, start, threads, ends_only=ends_only)
    else:
        from gdsim.kernels import numpy_lanes

        trajectory = numpy_lanes.run(plan, start)
    if start is not None:
        trajectory = _joined(batch, start, trajectory)
    ended_early = ~trajectory.ended(Status.MAX_STEPS)
    if ended_early.any() and not ends_only:
        trajectory.tail[:, :, ended_early] = np.nan
    return trajectory[0] if batch.runs == 1 else trajectory


def _joined(batch: Batch, start: Trajectory, more: Trajectory) -> Trajectory:
    """Put two parts together; runs that had ended in the first keep their ends."""
    went_on = start.ended(Status.MAX_STEPS)
    if not went_on.any():
        return start
    first = int(start.steps[went_on][0])
    old_rows = start.step_index % batch.record_every == 0
    new_rows = more.step_index > first

    def rows(name: str) -> Any:
        return np.concatenate([getattr(start, name)[old_rows], getattr(more, name)[new_rows]])

    def ends(name: str) -> Any:
        return np.where(went_on, getattr(more, name), getattr(start, name))

    taken = int(more.steps.max()) - first
    tail = more.tail
    if taken < TAIL:  # the first part's tail still reaches into the last steps
        earlier = np.full_like(tail, np.nan)
        earlier[: TAIL - taken] = start.tail[taken:]
        tail = np.where(np.isnan(tail), earlier, tail)
    return replace(
        more,
        **{name: rows(name) for name in ("step_index", "weight", "gradient", "loss", "learning_rate")},
        **{name: ends(name) for name in _ENDS},
        tail=tail,
        rule_state={
            name: np.where(went_on, value, start.rule_state[name]) for name, value in more.rule_state.items()
        },
        flags=tuple({**old, **new} for old, new in zip(start.flags, more.flags, strict=True)),
    )


_ENDS = (
    "status_code", "steps", "gradient_evaluations", "loss_evaluations", "last_evaluations", "final_weight",
    "final_gradient", "final_loss", "final_learning_rate", "previous_weight", "last_step", "anchor",
)  # fmt: skip
