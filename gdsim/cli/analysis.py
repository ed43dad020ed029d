"""``gdsim derive`` and ``compare``."""

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
    from gdsim.expr.differentiate import Derivation
    from gdsim.losses import Loss
    from gdsim.scenario import Scenario


@click.command(cls=ExpressionCommand)
@click.argument("expression", metavar="EXPR")
@click.option(
    "--at",
    metavar="W",
    help="Where to evaluate: 3, or x=1,y=2; constant expressions such as 1/3 are allowed.",
)
@json_option
def derive(expression: str, at: str | None, as_json: bool) -> None:
    """Differentiate rule by rule, and say which way to move.

    EXPR is a formula, the name of a library loss, or a scenario; it may begin with a minus.
    """
    from gdsim.cli.screen import print_json
    from gdsim.expr.differentiate import differentiate

    loss, _ = loss_or_scenario(expression)
    weights = loss.weights
    where = weights_at(at, weights) if at is not None else None
    assert loss.expression is not None
    found = {name: differentiate(loss.expression, name) for name in weights}
    values = _gradient_at(loss, where) if where is not None else None
    if as_json:
        print_json(_derive_document(found, values))
        return
    for place, (name, derivation) in enumerate(found.items()):
        if place:
            click.echo()
        _print_derivation(loss, name, derivation, where, values)


def _gradient_at(loss: Loss, where: dict[str, float]) -> dict[str, float]:
    from gdsim.expr.emit_python import compile_function

    arguments = [*where.values(), *loss.parameters.values(), *loss.data.values()]
    return dict(zip(where, compile_function(loss.gradient, loss.arguments)(*arguments), strict=True))


def _direction(slope: float) -> str | None:
    """The way to move, against the slope; nobody knows where the slope is no number."""
    return None if slope != slope else "left" if slope > 0 else "right" if slope < 0 else "stay"


def _derive_document(found: dict[str, Derivation], values: dict[str, float] | None) -> Any:
    from gdsim.expr.display import to_latex, to_text
    from gdsim.runs.run import jsonable

    def one(name: str, derivation: Derivation) -> dict[str, Any]:
        value = None if values is None else values[name]
        return {
            "derivative": to_text(derivation.after),
            "latex": to_latex(derivation.after),
            "value": value,
            "direction": None if value is None else _direction(value),
            "steps": [_step_data(step, depth) for step, depth in _walk(derivation)],
        }

    if len(found) == 1:
        ((name, derivation),) = found.items()
        return jsonable(one(name, derivation))
    parts = {name: one(name, derivation) for name, derivation in found.items()}
    keys = ("derivative", "latex", "value", "direction", "steps")
    return jsonable({key: {name: part[key] for name, part in parts.items()} for key in keys})


def _walk(derivation: Derivation, depth: int = 0) -> list[tuple[Derivation, int]]:
    below = [item for step in derivation.steps for item in _walk(step, depth + 1)]
    return [(derivation, depth), *below]


def _step_data(step: Derivation, depth: int) -> dict[str, Any]:
    from gdsim.expr.display import to_text

    return {
        "depth": depth, "rule": step.rule, "variable": step.variable,
        "before": to_text(step.before), "after": to_text(step.after),
    }  # fmt: skip


def _print_derivation(
    loss: Loss,
    name: str,
    derivation: Derivation,
    where: dict[str, float] | None,
    values: dict[str, float] | None,
) -> None:
    from gdsim.cli.screen import short
    from gdsim.expr.derivative_rules import RULES
    from gdsim.expr.display import to_text

    mark = f"∂L/∂{name}" if len(loss.weights) > 1 else "L′"
    assert loss.expression is not None
    click.echo(f"L = {to_text(loss.expression, unicode=True)}")
    click.echo(click.style(f"{mark} = {to_text(derivation.after, unicode=True)}", bold=True))
    click.echo()
    for step, depth in _walk(derivation):
        rule = click.style(step.rule, fg="cyan")
        before, after = (to_text(tree, unicode=True) for tree in (step.before, step.after))
        said = click.style(RULES[step.rule].statement, dim=True)
        click.echo(f"{'  ' * (depth + 1)}{rule}: d/d{step.variable} {_bracketed(before)} = {after}    {said}")
    if where is None or values is None:
        return
    click.echo()
    slope = values[name]
    place = ", ".join(f"{weight} = {short(value)}" for weight, value in where.items())
    click.echo(f"at {place}: {mark} = {short(slope)}")
    click.echo(_move(mark, name, slope))


def _bracketed(text: str) -> str:
    return f"({text})" if any(sign in text for sign in " +·*/") else text


def _move(mark: str, name: str, slope: float) -> str:
    if slope != slope:
        return f"{mark} is not a number here: nothing tells which way to move {name}"
    if slope > 0:
        return f"{mark} > 0: the loss rises with {name}, so decrease {name}: move left by η·{slope:.6g}"
    if slope < 0:
        return f"{mark} < 0: the loss falls with {name}, so increase {name}: move right by η·{-slope:.6g}"
    return (
        f"{mark} = 0: flat in {name}, so no step is taken; where every slope is 0, the point is critical: "
        "a minimum, a maximum or a saddle"
    )


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


COMMANDS = (derive, compare)
