"""``gdsim validate``, ``show``, ``init``, ``schema`` and ``list``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from gdsim.cli.options import ScenarioArgument, json_option, scenarios_of, set_option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


@click.command()
@click.argument("scenarios", nargs=-1, required=True, type=ScenarioArgument(), metavar="FILE|DIR…")
@set_option
@json_option
def validate(
    scenarios: tuple[str, ...], overrides: tuple[str, ...], preset: str | None, as_json: bool
) -> None:
    """Check scenario files without running them.

    Every fault is reported with file, line and column.
    """
    loaded = scenarios_of(scenarios, overrides, preset, axes=True)
    names = [scenario.name for scenario in loaded]
    if as_json:
        from gdsim.cli.screen import print_json

        print_json({"valid": names})
    else:
        click.echo("valid: " + (", ".join(names) if len(names) <= 8 else f"{len(names)} scenarios"))


@click.command()
@click.argument("scenario", type=ScenarioArgument(), metavar="FILE")
@set_option
@json_option
def show(scenario: str, overrides: tuple[str, ...], preset: str | None, as_json: bool) -> None:
    """Show a scenario resolved, and where each value comes from."""
    from gdsim.cli.screen import print_json
    from gdsim.scenario import load, origins
    from gdsim.scenario.write import as_data

    loaded = load(scenario, overrides=overrides, preset=preset)
    where = origins(loaded)
    if as_json:
        print_json({"scenario": as_data(loaded), "origins": where})
        return
    flat = {key: _text(value) for key, value in _leaves(as_data(loaded))}
    key_width = min(36, max(map(len, flat)))
    value_width = min(40, max(map(len, flat.values())))
    for key, text in flat.items():
        origin = click.style(where.get(key, ""), dim=True)
        click.echo(f"{key:<{key_width}}  {text:<{value_width}}  {origin}".rstrip())


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        return [(path, value)]
    inside = path and f"{path}."
    return [leaf for key, item in value.items() for leaf in _leaves(item, f"{inside}{key}")]


def _text(value: Any) -> str:
    import json

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
    """Write a commented scenario to start from.

    It is called NAME.yaml; an existing file is never overwritten.
    """
    import json
    from pathlib import Path

    from gdsim.cli.screen import print_json, typed
    from gdsim.outcomes import Fault, InputError
    from gdsim.scenario import json_schema
    from gdsim.scenario.write import modeline

    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    if not name or path.name.startswith(".") or not name.isprintable() or name.endswith(("/", "\\")):
        raise InputError(Fault(f"{name!r} cannot name a scenario", "a name such as my-descent", path="NAME"))
    schema = path.with_name("scenario.schema.json")
    title = path.stem.replace("-", " ").replace("_", " ").capitalize()
    text = _TEMPLATE.format(modeline=modeline(schema.name).rstrip("\n"), title=json.dumps(title))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(Fault("the file exists already", "a name that is free", file=str(path))) from None
    except FileNotFoundError:
        raise InputError(
            Fault("there is no such folder", "a folder that exists", file=str(path.parent))
        ) from None
    if not schema.exists():
        schema.write_text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json({"file": str(path), "schema": str(schema)})
    else:
        click.echo(f"wrote {path} and {schema}; next: gdsim run {typed(str(path))}")


@click.command()
@click.option("--lesson", is_flag=True, help="The schema of lesson.yaml, for authors of lessons.")
@click.option("--deck", is_flag=True, help="The schema of deck files (gdsim deck) instead.")
@json_option
def schema(lesson: bool, deck: bool, as_json: bool) -> None:
    """Print the JSON Schema of scenario files.

    Editors complete and check scenarios with it. --json changes nothing.
    """
    from gdsim.cli.screen import print_json

    if lesson:
        from gdsim.lessons.schema import lesson_schema

        print_json(lesson_schema())
    elif deck:
        from gdsim.slides import deck_schema

        print_json(deck_schema())
    else:
        from gdsim.scenario import json_schema

        print_json(json_schema())


def _complete_list(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in LISTS if name.startswith(incomplete)]


@click.command("list")
@click.argument("what", required=False, metavar="[WHAT]", shell_complete=_complete_list)
@json_option
def list_(what: str | None, as_json: bool) -> None:
    """List what exists.

    WHAT is scenarios, losses, rules, schedules, derivatives, functions, presets or plots; all of them
    where it is left out.
    """
    from gdsim.cli.screen import print_json, table
    from gdsim.outcomes import Fault, InputError, nearest

    if what is not None and what not in LISTS:
        expected = f"one of {', '.join(LISTS)}"
        raise InputError(Fault(f"nothing is called {what!r}", expected, nearest(what, [*LISTS]), path="WHAT"))
    found = {name: LISTS[name]() for name in ([what] if what else LISTS)}
    if as_json:
        print_json(found)
        return
    for place, (name, rows) in enumerate(found.items()):
        if place:
            click.echo()
        heads = list(rows[0]) if rows else ["name"]
        lines = [[row[head] for head in heads] for row in rows]
        click.echo(table(heads, lines, "" if what else name))


def _scenarios() -> list[dict[str, str]]:
    from gdsim.scenario import load
    from gdsim.scenario.library import shipped_scenarios

    rows = []
    for name, path in shipped_scenarios().items():
        rows.append({"name": name, "theme": path.parent.name, "title": load(path).title})
    return rows


def _losses() -> list[dict[str, str]]:
    from gdsim.losses import LOSSES

    return [
        {"name": name, "formula": loss.formula, "reference": loss.reference} for name, loss in LOSSES.items()
    ]


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

    entries = {**FUNCTIONS, **CONSTRUCTS}
    return [{"name": name, "what it is": entry.summary} for name, entry in entries.items()]


def _presets() -> list[dict[str, str]]:
    from gdsim.scenario.library import presets

    rows = []
    for name, path in presets().items():
        lines = path.read_text(encoding="utf-8").splitlines()
        comments = [line[1:].strip() for line in lines if line.startswith("#") and "$schema" not in line]
        rows.append({"name": name, "what it is for": comments[0] if comments else ""})
    return rows


def _plots() -> list[dict[str, str]]:
    from gdsim.plots import PLOTS, SWEEP_PLOTS

    kinds = [(name, "run", plot.summary) for name, plot in PLOTS.items()]
    kinds += [(name, "sweep", plot.summary) for name, plot in SWEEP_PLOTS.items()]
    return [{"name": name, "of a": what, "what it shows": summary} for name, what, summary in kinds]


LISTS: dict[str, Callable[[], list[dict[str, str]]]] = {
    "scenarios": _scenarios, "losses": _losses, "rules": _rules, "schedules": _schedules,
    "derivatives": _derivatives, "functions": _functions, "presets": _presets, "plots": _plots,
}  # fmt: skip

COMMANDS = (validate, show, init, schema, list_)
