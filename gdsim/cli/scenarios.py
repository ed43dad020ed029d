"""``gdsim validate``, ``show``, ``init``, ``schema`` and ``list``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gdsim.cli.options import ScenarioArgument, json_option, set_option


@click.command()
@click.argument("scenarios", nargs=-1, required=True, type=ScenarioArgument(), metavar="FILE|DIR…")
@set_option
@json_option
def validate(scenarios: tuple[str, ...], overrides: tuple[str, ...], preset: str | None, as_json: bool) -> None:
    """Check scenario files without running them; report every fault with file, line and column."""
    from gdsim.outcomes import Fault, InputError
    from gdsim.scenario import find, load

    files = [file for argument in scenarios for file in find(argument)]
    names, faults = [], list[Fault]()
    for file in files:
        try:
            names.append(load(file, overrides=overrides, preset=preset).name)
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(*faults)
    if as_json:
        click.echo(json.dumps({"valid": names}, indent=2, ensure_ascii=False))
    else:
        click.echo("valid: " + (", ".join(names) if len(names) <= 8 else f"{len(names)} scenarios"))


@click.command()
@click.argument("scenario", type=ScenarioArgument(), metavar="FILE")
@set_option
@json_option
def show(scenario: str, overrides: tuple[str, ...], preset: str | None, as_json: bool) -> None:
    """Show a scenario with every value resolved, and where each value comes from."""
    from gdsim.scenario import load, origins
    from gdsim.scenario.write import as_data

    loaded = load(scenario, overrides=overrides, preset=preset)
    where = origins(loaded)
    if as_json:
        click.echo(json.dumps({"scenario": as_data(loaded), "origins": where}, indent=2, ensure_ascii=False))
        return
    flat = dict(_leaves(as_data(loaded)))
    keys = [key for key in flat if key in where] or list(flat)
    longest_key = min(36, max(map(len, keys)))
    longest = min(40, max(len(_text(flat[key])) for key in keys))
    for key in keys:
        origin = click.style(where.get(key, ""), dim=True)
        click.echo(f"{key:<{longest_key}}  {_text(flat[key]):<{longest}}  {origin}".rstrip())


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return [
            leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}" if path else str(key))
        ]
    return [(path, value)]


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    return text if len(text) <= 60 else text[:59] + "…"


_TEMPLATE = """\
{modeline}
# {title}: what it shows, in a sentence.
title: {title}

loss: (w - 3)^2            # a formula in any weights, or the name of a loss (gdsim list losses)
initial_weight: 0          # a number; for several weights {{x: 1, y: 2}}
learning_rate: 0.1         # a number, or {{schedule: cosine, initial: 0.1, T_max: 100}}

update_rule: gradient_descent   # gdsim list rules
derivative: analytic            # gdsim list derivatives
stopping: {{max_steps: 1000, gradient_tolerance: 1e-8}}
domain: [-1, 7]            # where critical points are sought and figures drawn

expect:                    # asserted by gdsim check
  verdict: minimum
  final: {{weight: {{w: 3}}, tolerance: 1e-6}}
"""


@click.command()
@click.argument("name", default="scenario")
@json_option
def init(name: str, as_json: bool) -> None:
    """Write a commented scenario, NAME.yaml, to start from; an existing file is never overwritten."""
    from gdsim.outcomes import Fault, InputError
    from gdsim.scenario.write import modeline

    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    schema = path.with_name("scenario.schema.json")
    title = path.stem.replace("-", " ").replace("_", " ").capitalize()
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE.format(modeline=modeline(schema.name).rstrip("\n"), title=title))
    except FileExistsError:
        raise InputError(Fault("the file exists already", "a name that is free", file=str(path))) from None
    if not schema.exists():
        from gdsim.scenario import json_schema

        schema.write_text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        click.echo(json.dumps({"file": str(path), "schema": str(schema)}))
    else:
        click.echo(f"wrote {path} and {schema}; next: gdsim run {path}")


@click.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for completion in an editor."""
    from gdsim.scenario import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@click.command("list")
@click.argument("what", required=False, metavar="[WHAT]")
@json_option
def list_(what: str | None, as_json: bool) -> None:
    """List what exists: scenarios, losses, rules, schedules, derivatives, functions, presets, plots."""
    from gdsim.outcomes import Fault, InputError, nearest

    if what is not None and what not in LISTS:
        raise InputError(Fault(f"nothing is called {what!r}", f"one of {', '.join(LISTS)}", nearest(what, [*LISTS])))
    chosen = [what] if what else [*LISTS]
    found = {name: LISTS[name]() for name in chosen}
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    from gdsim.cli.screen import table

    for place, (name, rows) in enumerate(found.items()):
        if place:
            click.echo()
        heads = list(rows[0]) if rows else ["name"]
        click.echo(table(heads, [[str(row[head]) for head in heads] for row in rows], name if not what else ""))


def _scenarios() -> list[dict[str, str]]:
    from gdsim.scenario import load
    from gdsim.scenario.library import shipped_scenarios

    rows = []
    for name, path in shipped_scenarios().items():
        rows.append({"name": name, "theme": path.parent.name, "title": load(path).title})
    return rows


def _losses() -> list[dict[str, str]]:
    from gdsim.losses import LOSSES

    return [{"name": name, "formula": loss.formula, "reference": loss.reference} for name, loss in LOSSES.items()]


def _rules() -> list[dict[str, str]]:
    from gdsim.update_rules import RULES

    rows = []
    for name, rule in RULES.items():
        parts = {part for parts in rule.pairs.values() for part in parts}
        options = [option for option in rule.options if option not in parts] + [*rule.pairs]
        rows.append({"name": name, "what it does": rule.summary, "options": ", ".join(options)})
    return rows


def _schedules() -> list[dict[str, str]]:
    from gdsim.schedules import SCHEDULES

    return [
        {"name": name, "what it does": entry.summary, "options": ", ".join([*entry.options, "warmup"])}
        for name, entry in SCHEDULES.items()
    ]


def _derivatives() -> list[dict[str, str]]:
    from gdsim.derivatives import METHODS

    return [
        {"name": name, "what it does": entry.summary,
         "options": "; ".join(f"{key}: {option.expected}" for key, option in entry.options.items())}
        for name, entry in METHODS.items()
    ]  # fmt: skip


def _functions() -> list[dict[str, str]]:
    from gdsim.expr.functions import CONSTRUCTS, FUNCTIONS

    return [{"name": name, "what it is": entry.summary} for name, entry in {**FUNCTIONS, **CONSTRUCTS}.items()]


def _presets() -> list[dict[str, str]]:
    from gdsim.scenario.library import presets

    rows = []
    for name, path in presets().items():
        lines = [line[1:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
        comments = [line for line in lines if not line.startswith("yaml-language-server")]
        rows.append({"name": name, "what it is for": comments[0] if comments else ""})
    return rows


def _plots() -> list[dict[str, str]]:
    from gdsim.plots import PLOTS

    return [{"name": name, "what it shows": plot.summary} for name, plot in PLOTS.items()]


LISTS = {
    "scenarios": _scenarios, "losses": _losses, "rules": _rules, "schedules": _schedules,
    "derivatives": _derivatives, "functions": _functions, "presets": _presets, "plots": _plots,
}  # fmt: skip

COMMANDS = (validate, show, init, schema, list_)
