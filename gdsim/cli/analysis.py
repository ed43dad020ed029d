"""``gdsim compare``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from gdsim.cli.options import (
    ExpressionCommand,
    ScenarioArgument,
    json_option,
    loss_or_scenario,
    weights_at,
)

if TYPE_CHECKING:
    from gdsim.losses import Loss
    from gdsim.scenario import Scenario


@click.command(cls=ExpressionCommand)
@click.argument("expression", metavar="EXPR|FILE", type=ScenarioArgument())
@click.option("--at", metavar="W",
              help="The point: 3, or x=1,y=2. Default: the scenario's initial weight, else 1.")  # fmt: skip
@click.option("--along", is_flag=True, help="Compare on every recorded step of the run of a scenario.")
@json_option
def compare(expression: str, at: str | None, along: bool, as_json: bool) -> None:
    """Compare the derivative methods at a point or along a run.

    At a point, the error against the step h is shown as well.
    """
    from gdsim.derivatives.comparison import compare_at, v_curve

    loss, scenario = loss_or_scenario(expression)
    if along:
        _along(loss, scenario, at, as_json)
        return
    if at is not None:
        where = weights_at(at, loss.weights)
    elif scenario is not None:
        where = {name: float(scenario.initial_weight[name]) for name in loss.weights}
    else:
        where = dict.fromkeys(loss.weights, 1.0)
    rows = compare_at(loss, where)
    curves = [v_curve(loss, where, name) for name in loss.weights]
    if as_json:
        _print_compare_json(rows, curves, where, loss.weights)
    else:
        _print_compare(rows, curves, where, loss.weights)


def _along(loss: Loss, scenario: Scenario | None, at: str | None, as_json: bool) -> None:
    from gdsim.derivatives.comparison import compare_along
    from gdsim.outcomes import Fault, InputError
    from gdsim.runs.composition import compose
    from gdsim.simulation import simulate

    if scenario is None:
        expected = "a scenario file or the name of a shipped one"
        raise InputError(Fault("a formula alone has no run", expected, path="--along"))
    if at is not None:
        raise InputError(Fault("--at and --along exclude one another", "one of them", path="--along"))
    trajectory = simulate(compose(scenario))
    rows = compare_along(loss, trajectory.weight[:, :, 0].T)
    _show_along(rows, trajectory.step_index.tolist(), loss.weights, as_json)


def _named(values: Any, weights: tuple[str, ...]) -> dict[str, Any] | None:
    """Return rows of an array by weight name; the number itself where there is one column."""
    if values is None:
        return None
    rows = values.tolist()
    return {name: row[0] if len(row) == 1 else row for name, row in zip(weights, rows, strict=True)}


def _row_data(row: Any, weights: tuple[str, ...]) -> dict[str, Any]:
    if row.estimate is None:
        return {"method": row.method.label, "unavailable": row.unavailable}
    return {
        "method": row.method.label,
        "value": _named(row.estimate.gradient, weights),
        "error_estimate": _named(row.estimate.error, weights),
        "difference": _named(row.difference, weights),
        "evaluations": int(row.estimate.evaluations.sum()),
    }


def _print_compare_json(rows: Any, curves: Any, where: dict[str, float], weights: tuple[str, ...]) -> None:
    from gdsim.cli.screen import print_json
    from gdsim.runs.run import jsonable

    document = {
        "at": where,
        "methods": [_row_data(row, weights) for row in rows],
        "v_curve": {
            curve.weight: {
                "step": curve.step.tolist(),
                "error": {scheme: error.tolist() for scheme, error in curve.error.items()},
            }
            for curve in curves
        },
    }
    print_json(jsonable(document))


def _print_compare(rows: Any, curves: Any, where: dict[str, float], weights: tuple[str, ...]) -> None:
    from gdsim.cli.screen import short, table

    click.echo("at " + ", ".join(f"{name} = {short(value)}" for name, value in where.items()))
    for place, name in enumerate(weights):
        lines = []
        for row in rows:
            if row.estimate is None:
                lines.append([row.method.label, "–", "–", "–", "–"])
                continue
            error, difference = row.estimate.error, row.difference
            lines.append([
                row.method.label,
                repr(float(row.estimate.gradient[place, 0])),
                "–" if error is None else f"{float(error[place, 0]):.1e}",
                "–" if difference is None else f"{float(difference[place, 0]):.1e}",
                str(int(row.estimate.evaluations[0])),
            ])  # fmt: skip
        click.echo()
        click.echo(table(["method", f"∂L/∂{name}", "error estimate", "off analytic", "losses"], lines))
    _print_unavailable(rows)
    for curve in curves:
        click.echo()
        _print_v_curve(curve)


def _print_unavailable(rows: Any) -> None:
    for row in rows:
        if row.estimate is None:
            click.echo(f"{row.method.label}: {row.unavailable}")


def _print_v_curve(curve: Any) -> None:
    """One line of blocks for each scheme: the digits lost at each step size, and the best step."""
    import numpy as np

    click.echo(f"∂L/∂{curve.weight}, error against h from 1 down to 1e-16: low is exact, tall is wrong")
    for scheme, error in curve.error.items():
        blocks = "".join(_error_block(float(value), abs(curve.exact) or 1.0) for value in error[::2])
        best = ""
        if np.isfinite(error).any():
            place = int(np.nanargmin(error))
            best = f"  best {float(error[place]):.0e} at h = {float(curve.step[place]):.0e}"
        click.echo(f"  {scheme:<13}{blocks}{best}")


def _error_block(error: float, scale: float) -> str:
    from gdsim.cli.screen import BLOCKS

    if not math.isfinite(error) or not math.isfinite(scale):
        return "×"
    digits = 16.0 if error == 0 else -math.log10(max(error / scale, 1e-16))
    return BLOCKS[min(7, max(0, round((16.0 - digits) / 16.0 * 7)))]


def _show_along(rows: Any, steps: list[int], weights: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        from gdsim.cli.screen import print_json
        from gdsim.runs.run import jsonable

        print_json(jsonable({"steps": steps, "methods": [_row_data(row, weights) for row in rows]}))
        return
    import numpy as np

    from gdsim.cli.screen import sparkline, table

    lines = []
    for row in rows:
        if row.estimate is None or row.difference is None:
            lines.append([row.method.label, "–", "–", ""])
            continue
        largest = row.difference.max(axis=0)
        finite = largest[np.isfinite(largest)]
        worst = f"{float(finite.max()):.1e}" if finite.size else "–"
        line, _ = sparkline(largest.tolist(), 30)
        lines.append([row.method.label, worst, str(int(row.estimate.evaluations.sum())), line])
    count = f"{len(steps)} record{'s' * (len(steps) != 1)}"
    click.echo(f"{count}; difference from the analytic gradient, the largest over the weights")
    click.echo(table(["method", "worst", "losses", "along the run"], lines))
    _print_unavailable(rows)


COMMANDS = (compare,)
