"""``gdsim derive``."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gdsim.cli.options import (
    ExpressionCommand,
    is_scenario,
    json_option,
    loss_or_scenario,
    weights_at,
)

if TYPE_CHECKING:
    from gdsim.expr.nodes import Expr
    from gdsim.expr.one_sided import Break
    from gdsim.expr.step_lines import Line
    from gdsim.expr.textbook import Step
    from gdsim.losses import Loss

_MOST_PARTS = 10_000  # nodes of a derivative that a program is given; a longer one is "…"
_COLOURS: dict[str, dict[str, Any]] = {"rule": {"fg": "cyan"}, "said": {"dim": True}, "": {}}


class _Derived(NamedTuple):
    """The derivative of a loss by one of its weights: worked out, as it is computed, and with numbers."""

    loss: Loss
    weight: str
    step: Step
    computed: Expr
    slope: float | None
    value: float
    numbers: list[Line]
    there: Break | None

    @property
    def several(self) -> bool:
        return len(self.loss.weights) > 1

    @property
    def head(self) -> Expr:
        from gdsim.expr.step_lines import slope_name

        return slope_name(self.weight, self.several)

    @property
    def mark(self) -> str:
        return f"∂L/∂{self.weight}" if self.several else "L′"

    @property
    def move(self) -> tuple[str, ...]:
        from gdsim.expr.step_move import move

        if self.slope is None:
            return ()
        return move(self.mark, self.weight, self.slope, self.value, self.there)

    @property
    def steps(self) -> list[Line]:
        from gdsim.expr.step_lines import step_lines

        return step_lines(self.step, self.head)

    @property
    def closing(self) -> list[Line]:
        from gdsim.expr.step_lines import closing_lines

        return closing_lines(self.step, self.head, self.computed)

    @property
    def lines(self) -> list[Line]:
        return [*self.steps, *self.closing, *self.numbers]


@click.command(cls=ExpressionCommand)
@click.argument("expression", metavar="EXPR")
@click.option(
    "--at",
    metavar="W",
    help="Where to evaluate: 3, or x=1,y=2; constant expressions such as 1/3 are allowed.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "latex", "mathml"]), default="text",
    help="How to write the derivation: text, a LaTeX align* environment, or MathML. Default: text.",
)  # fmt: skip
@json_option
def derive(expression: str, at: str | None, form: str, as_json: bool) -> None:
    """Differentiate rule by rule, and say which way to move.

    EXPR is a formula, the name of a library loss, or a scenario; it may begin with a minus.
    """
    loss = _constant(expression) or loss_or_scenario(expression)[0]
    where = weights_at(at, loss.weights) if at is not None else None
    found = _derived(loss, where)
    if as_json:
        from gdsim.cli.screen import print_json

        print_json(_document(found))
    elif form == "text":
        _print(loss, found, where)
    else:
        from gdsim.expr.step_markup import steps_latex, steps_mathml

        written = steps_latex if form == "latex" else steps_mathml
        click.echo("\n\n".join(written(one.lines) for one in found))


def _constant(expression: str) -> Loss | None:
    """A formula without weights as a loss of w: its derivative is 0 by any weight."""
    from gdsim.expr.nodes import symbols
    from gdsim.expr.parse import parse
    from gdsim.losses import LOSSES, Loss

    if is_scenario(expression) or expression in LOSSES:
        return None
    formula = parse(expression)
    return None if symbols(formula) else Loss(weights=("w",), expression=formula)


def _derived(loss: Loss, where: dict[str, float] | None) -> list[_Derived]:
    from gdsim.expr.differentiate import derivative
    from gdsim.expr.nodes import Symbol
    from gdsim.expr.one_sided import break_at
    from gdsim.expr.step_lines import slope_name
    from gdsim.expr.step_numbers import number_lines
    from gdsim.expr.textbook import textbook

    assert loss.expression is not None
    value, slopes = _at(loss, where) if where is not None else (nan, {})
    parameters = {Symbol(name, "parameter"): value for name, value in loss.parameters.items()}
    columns = {Symbol(name, "column"): values for name, values in loss.data.items()}
    found = []
    for name in loss.weights:
        step = textbook(loss.expression, name)
        numbers: list[Line] = []
        there = None
        if where is not None:
            scalars = {Symbol(weight): value for weight, value in where.items()} | parameters
            head = slope_name(name, len(loss.weights) > 1)
            numbers = number_lines(step.result, head, slopes[name], scalars, columns)
            there = break_at(loss.expression, Symbol(name), {**scalars, **columns})
        computed = derivative(loss.expression, name)
        found.append(_Derived(loss, name, step, computed, slopes.get(name), value, numbers, there))
    return found


def _at(loss: Loss, where: dict[str, float]) -> tuple[float, dict[str, float]]:
    """Return the loss and its gradient at a point."""
    from gdsim.expr.emit_python import compile_function

    assert loss.expression is not None
    arguments = [*where.values(), *loss.parameters.values(), *loss.data.values()]
    value, *slopes = compile_function([loss.expression, *loss.gradient], loss.arguments)(*arguments)
    return value, dict(zip(where, slopes, strict=True))


# ------------------------------------------------------------------------------ for programs


def _document(found: list[_Derived]) -> Any:
    from gdsim.runs.run import jsonable

    if len(found) == 1:
        return jsonable(_one_document(found[0]))
    parts = {one.weight: _one_document(one) for one in found}
    keys = next(iter(parts.values()))
    return jsonable({key: {name: part[key] for name, part in parts.items()} for key in keys})


def _one_document(one: _Derived) -> dict[str, Any]:
    from gdsim.expr.display import shown, to_latex, to_text
    from gdsim.expr.step_lines import walk_steps
    from gdsim.expr.step_markup import steps_latex
    from gdsim.expr.step_move import direction

    return {
        "derivative": to_text(shown(one.computed, _MOST_PARTS)),
        "latex": to_latex(shown(one.computed, _MOST_PARTS)),
        "value": one.slope,
        "direction": None if one.slope is None else direction(one.slope, one.value),
        "steps": [_step_data(step, depth, again) for step, depth, again in walk_steps(one.step)],
        "textbook": to_text(shown(one.step.result, _MOST_PARTS)),
        "textbook_latex": steps_latex(one.lines),
        "filled": to_text(one.numbers[0].formulas[-1]) if one.numbers else None,
        "sentence": None if one.slope is None else " ".join(one.move),
    }


def _step_data(step: Step, depth: int, again: bool) -> dict[str, Any]:
    from gdsim.expr.display import shown, to_text

    before, filled, worked, after = (
        to_text(shown(formula)) for formula in (step.before, step.filled, step.worked, step.result)
    )
    return {
        "depth": depth, "rule": step.rule, "statement": step.statement,
        "variable": step.variable, "before": before, "filled": filled, "worked": worked, "after": after,
        "inner": step.letter or None, "held": list(step.held), "repeated": again,
    }  # fmt: skip


# ------------------------------------------------------------------------------ for the screen


def _print(loss: Loss, found: list[_Derived], where: dict[str, float] | None) -> None:
    from textwrap import wrap

    from gdsim.cli.screen import short, width
    from gdsim.expr.display import to_text
    from gdsim.expr.step_text import broken, steps_text

    assert loss.expression is not None
    columns = width()
    for row in broken(f"L = {to_text(loss.expression, unicode=True)}", columns, 2):
        click.echo(row)
    for one in found:
        click.echo()
        for row in wrap(_held(one), columns, subsequent_indent="  ", break_on_hyphens=False):
            click.echo(click.style(row, dim=True))
        _print_lines(one.steps, columns)
        click.echo()
        click.echo(click.style(steps_text(one.closing[:1], columns), bold=True))
        _print_lines(one.closing[1:], columns)
        if where is None or one.slope is None:
            continue
        click.echo()
        click.echo(f"at {', '.join(f'{weight} = {short(value)}' for weight, value in where.items())}:")
        _print_lines(one.numbers, columns)
        for sentence in one.move:
            click.echo(sentence)


def _held(one: _Derived) -> str:
    """What counts as a constant, said once before the derivation."""
    fixed = [name for name in (*one.loss.weights, *one.loss.parameters) if name != one.weight]
    said = []
    if fixed:
        said.append(f"{_listed(fixed)} {'count as constants' if len(fixed) > 1 else 'counts as a constant'}")
    if one.loss.data:
        said.append(f"{_listed(list(one.loss.data))}: numbers of each row of the data, constants too")
    return f"by {one.weight}: {'; '.join(said)}" if said else ""


def _listed(names: list[str]) -> str:
    """``a, b and c``."""
    return " and ".join([part for part in (", ".join(names[:-1]), names[-1]) if part])


def _print_lines(lines: list[Line], columns: int) -> None:
    from gdsim.expr.step_text import step_rows

    for row in step_rows(lines, columns):
        click.echo("".join(click.style(text, **_COLOURS[kind]) if kind else text for text, kind in row))


COMMANDS = (derive,)
