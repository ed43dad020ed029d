"""Losses, update rules and schedules as the text of the page's module ``emitted``.

One statement of each formula stands in Python; the page computes with what is written here. The shapes are
those of gdsim/page/js/types.d.ts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from gdsim.expr.display import to_text
from gdsim.expr.emit_javascript import RUNTIME, function_body, number, program_body
from gdsim.expr.nodes import Expr, Symbol, substitute
from gdsim.losses import Loss
from gdsim.schedules import SCHEDULES, Schedule
from gdsim.update_rules import RULES, Option, UpdateRule

_INPUTS = {
    "weight": "w", "gradient": "g", "learning_rate": "r", "step_number": "k", "newton_step": "n",
}  # fmt: skip
_OPTION = (
    "const emittedOption=(name,summary,default_,least,most,openBelow,openAbove,flag,whole)=>"
    "({name,summary,default:default_,least,most,openBelow:!!openBelow,openAbove:!!openAbove,"
    "flag:!!flag,whole:!!whole});\n"
)


def emitted(losses: Mapping[str, Loss]) -> str:
    """Return the source of the module ``emitted``.

    Parameters
    ----------
    losses
        By the key under which the page finds them; each needs a formula.

    Returns
    -------
    str
        ``export const emitted = {losses, rules, schedules}``. Raises InputError for a Python callable.

    Notes
    -----
    Cost: differentiating each loss twice; the same bytes for the same losses.

    Examples
    --------
    >>> source = emitted({"parabola": Loss.from_text("(w - 3)^2")})
    >>> "gradient(w,p,d,out){const t4=2*(w[0]-3);out[0]=t4;}" in source
    True
    """
    parts = {
        "losses": [_entry(name, _loss(loss)) for name, loss in losses.items()],
        "rules": [_entry(name, _rule(rule)) for name, rule in RULES.items()],
        "schedules": [_entry(name, _schedule(schedule)) for name, schedule in SCHEDULES.items()],
    }
    body = ",\n".join(f"{name}:{{\n{','.join(entries)}}}" for name, entries in parts.items())
    return (
        f'import {{ {", ".join(RUNTIME)} }} from "./engine/arithmetic.js";\n'
        f"{_OPTION}export const emitted = {{{body}}};\n"
    )


def _entry(name: str, fields: Sequence[str]) -> str:
    return f"{_text(name)}:{{{','.join(fields)}}}\n"


def _text(value: object) -> str:
    """A value as JavaScript; no text in it can end the script that it stands in."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _field(name: str, value: object) -> str:
    return f"{name}:{_text(value)}"


def _loss(loss: Loss) -> list[str]:
    assert loss.expression is not None
    entries = [entry for row in loss.hessian for entry in row]
    return [
        _field("weights", list(loss.weights)),
        _field("parameters", list(loss.parameters)),
        _field("columns", list(loss.data)),
        _field("text", to_text(loss.expression)),
        _returning(loss, "value", [loss.expression]),
        _writing(loss, "gradient", loss.gradient),
        _writing(loss, "hessian", entries),
        _noise(loss),
    ]


def _body(loss: Loss, outputs: Sequence[Expr]) -> tuple[str, list[str], str]:
    """Statements, values, and the parameter for the scale of a mini-batch where it is read."""
    body, values = function_body(outputs, _names(loss), row_scale="scale" if loss.data else "")
    scale = ",scale=1" if "scale" in body or any("scale" in value for value in values) else ""
    return body, values, scale


def _returning(loss: Loss, name: str, outputs: Sequence[Expr]) -> str:
    body, (value,), scale = _body(loss, outputs)
    return f"{name}(w,p,d{scale}){{{body}return {value};}}"


def _writing(loss: Loss, name: str, outputs: Sequence[Expr]) -> str:
    body, values, scale = _body(loss, outputs)
    return f"{name}(w,p,d,out{scale}){{{body}{_assigned('out', values)}}}"


def _noise(loss: Loss) -> str:
    """The bound on the rounding of the value, by which automatic differences choose their step."""
    from gdsim.derivatives.difference_program import value_program

    program = value_program(loss)
    body, (_, bound) = program_body(program, _names(loss))
    return f"rounding(w,p,d){{{body}return {bound};}}"


def _names(loss: Loss) -> dict[Symbol, str]:
    """What reads each symbol: places of the arrays for weights, parameters and columns."""
    letter = {"weight": "w", "parameter": "p", "column": "d"}
    count = dict.fromkeys(letter, 0)
    names = {}
    for symbol in loss.arguments:
        names[symbol] = f"{letter[symbol.role]}[{count[symbol.role]}]"
        count[symbol.role] += 1
    return names


def _assigned(array: str, values: Sequence[str]) -> str:
    return "".join(f"{array}[{place}]={value};" for place, value in enumerate(values))


def _rule(rule: UpdateRule) -> list[str]:
    names = {Symbol(name, "parameter"): text for name, text in _INPUTS.items()}
    names |= _places("o", rule.options)
    initial = names | _places("s", rule.state)
    outputs = _rule_outputs(rule)
    body, values = function_body(outputs, initial)
    _, start = function_body([formula for _, formula in rule.initial_state], names)
    kept = _assigned("s", values[:-1])
    return [
        _field("name", rule.name),
        _field("summary", rule.summary),
        f"options:[{_options(rule.options)}]",
        _field("state", list(rule.state)),
        _field("adaptive", rule.adaptive),
        _field("needsHessian", rule.needs_hessian),
        f"initial(o){{return[{','.join(start)}];}}",
        f"step(w,g,r,k,n,o,s){{{body}{kept}return {values[-1]};}}",
    ]


def _rule_outputs(rule: UpdateRule) -> list[Expr]:
    """The new state and the step, in terms of the inputs and the old state."""
    values: dict[Expr, Expr] = {}
    for name, formula in rule.program:
        values[Symbol(name, "parameter")] = substitute(formula, values)
    return [values[Symbol(name, "parameter")] for name in (*rule.state, "step")]


def _schedule(schedule: Schedule) -> list[str]:
    names = _places("o", schedule.options)
    period = ""
    if "step_size" in schedule.options:
        period = f"const period=Math.floor(k/{names[Symbol('step_size', 'parameter')]});"
    names |= {
        Symbol("initial", "parameter"): "initial",
        Symbol("step_number", "parameter"): "k",
        Symbol("period_number", "parameter"): "period",
    }
    body, (value,) = function_body([schedule.expression], names)
    end = names[Symbol(schedule.ends_with, "parameter")] if schedule.ends_with else ""
    return [
        _field("name", schedule.name),
        _field("summary", schedule.summary),
        f"options:[{_options(schedule.options)}]",
        f"rate(initial,k,o){{{period}{body}return {value};}}",
        f"changesUntil(o){{return {end or (0 if schedule.name == 'constant' else 'Infinity')};}}",
        f"risesUntil(o){{return {end or 0};}}",
    ]


def _places(array: str, names: Mapping[str, object]) -> dict[Symbol, str]:
    return {Symbol(name, "parameter"): f"{array}[{place}]" for place, name in enumerate(names)}


def _options(options: Mapping[str, Option]) -> str:
    return ",".join(_option(name, option) for name, option in options.items())


def _option(name: str, option: Option) -> str:
    numbers = [
        "null" if value is None or value == float("inf") else number(value)
        for value in (option.default, option.least, option.most)
    ]
    flags = [str(int(flag)) for flag in (option.open_below, option.open_above, option.flag, option.whole)]
    while flags and flags[-1] == "0":
        flags.pop()
    return f"emittedOption({','.join([_text(name), _text(option.summary), *numbers, *flags])})"
