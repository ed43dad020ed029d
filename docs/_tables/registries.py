"""The tables of what gdsim has by name: commands, rules, schedules, losses, scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import click

from gdsim.cli import main
from gdsim.cli.scenarios import LISTS
from gdsim.losses import LOSSES
from gdsim.losses.library import NamedLoss
from gdsim.outcomes import Status
from gdsim.plots import PLOTS
from gdsim.scenario import load
from gdsim.scenario.library import shipped_scenarios
from gdsim.schedules import SCHEDULES, Schedule
from gdsim.update_rules import RULES, Option, UpdateRule

_SUPERFLUOUS = 6  # significant digits of a coordinate that is not in closed form
_MOST_POINTS = 3  # points of one kind that are written out


def cell(text: str) -> str:
    """Return text that may stand in a cell of a table."""
    return text.replace("|", "\\|")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


# ---- commands


def commands(
    group: click.Group = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        assert one is not None
        if isinstance(one, click.Group):
            yield from commands(one, (*path, name))
        else:
            yield (*path, name), one


def options(command: click.Command) -> Iterator[str]:
    """Yield the options of a command with their help."""
    found = [param for param in command.params if isinstance(param, click.Option)]
    if not found:
        yield "It has no options."
        return
    yield "| option | meaning |\n| --- | --- |"
    for param in found:
        value = "" if param.is_flag else f" {param.make_metavar(click.Context(command))}"
        yield f"| `{cell(', '.join(param.opts) + value)}` | {cell(param.help or '')} |"


def all_commands() -> Iterator[str]:
    """Yield a row for each command, with its first sentence."""
    yield "| command | does |\n| --- | --- |"
    for path, command in commands():
        words = " ".join(path)
        yield f"| [`gdsim {words}`](commands.md#gdsim-{'-'.join(path)}) | {command.get_short_help_str(64)} |"


# ---- rules and schedules


def _option_rows(entries: Mapping[str, Option]) -> Iterator[str]:
    yield "\n| option | default | range | meaning |\n| --- | --- | --- | --- |"
    for name, option in entries.items():
        allowed = "true or false" if option.flag else option.range
        yield f"| `{name}` | {_default(option)} | {allowed} | {cell(option.summary)} |"


def _default(option: Option) -> str:
    if option.default is None:
        return "must be given"
    if option.flag:
        return "true" if option.default else "false"
    return "1/3" if option.default == 1 / 3 else f"{option.default:g}"


def rule(entry: UpdateRule) -> Iterator[str]:
    """Yield what an update rule does, as formulas, its options and where it comes from."""
    yield f"{_sentence(entry.summary)}\n\n```text"
    for name, formula in entry.state.items():
        yield f"{name} = {formula}    (before the first step)"
    if entry.state:
        yield ""
    yield from (f"{name} = {formula}" for name, formula in entry.assignments)
    yield "```"
    if entry.options:
        yield from _option_rows(entry.options)
    for name, parts in entry.pairs.items():
        yield f"\n`{name}: [{', '.join(parts)}]` gives both at once, as in PyTorch."
    yield f"\nSource: {entry.reference.rstrip('.')}."


def learning_rates(entry: Schedule) -> Iterator[str]:
    """Yield what a schedule does, as a formula, and its options."""
    yield f"{_sentence(entry.summary)}\n\n```text\nη = {entry.formula}\n```"
    if entry.options:
        yield from _option_rows(entry.options)


def named(entries: Mapping[str, UpdateRule] | Mapping[str, Schedule], page: str) -> Iterator[str]:
    """Yield a row for each entry, with a link to its section."""
    yield "| name | does |\n| --- | --- |"
    for name, entry in entries.items():
        yield f"| [`{name}`]({page}#{name}) | {cell(entry.summary)} |"


# ---- losses


def losses(weights: int) -> Iterator[str]:
    """Yield the losses of so many weights."""
    yield "| name | formula | shows | usual domain | critical points |\n| --- | --- | --- | --- | --- |"
    for name, entry in LOSSES.items():
        if len(entry.domain) != weights:
            continue
        shown = ", ".join(f"{key} = {value:g}" for key, value in entry.parameters.items())
        domain = ", ".join(f"{w} ∈ [{_number(a)}, {_number(b)}]" for w, (a, b) in entry.domain.items())
        meaning = f"({shown}) {entry.summary}" if shown else entry.summary
        yield f"| `{name}` | `{entry.formula}` | {cell(meaning)} | {domain} | {_points(entry)} |"


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _points(entry: NamedLoss) -> str:
    kinds = dict.fromkeys(point.kind for point in entry.points)
    parts = []
    for kind in kinds:
        places = [_place(point.weight) for point in entry.points if point.kind == kind]
        many = len(places) > _MOST_POINTS
        parts.append(f"{len(places)} × {kind}" if many else f"{kind} {', '.join(places)}")
    return "; ".join([*parts, *([] if entry.complete else ["and others"])]) if parts else "none"


def _place(weight: Mapping[str, str]) -> str:
    texts = [_short(text) for text in weight.values()]
    return f"`{texts[0]}`" if len(texts) == 1 else f"`({', '.join(texts)})`"


def _short(text: str) -> str:
    digits = text.lstrip("-").replace(".", "")
    return f"{float(text):.{_SUPERFLUOUS}g}" if digits.isdigit() and len(digits) > 2 * _SUPERFLUOUS else text


def sources() -> Iterator[str]:
    """Yield where the losses come from."""
    yield from (f"- `{name}`: {entry.reference}" for name, entry in LOSSES.items() if entry.reference)


# ---- scenarios, figures, statuses


def scenarios(folder: str) -> Iterator[str]:
    """Yield the shipped scenarios of a folder with their titles and how they end."""
    yield "| scenario | title | verdict |\n| --- | --- | --- |"
    for name, path in shipped_scenarios().items():
        if path.parent.name == folder:
            found = load(path)
            yield f"| `{name}` | {cell(found.title)} | {(found.expect or {})['verdict']} |"


def all_presets() -> Iterator[str]:
    """Yield the shipped presets, each with the first line of its comment."""
    yield "| preset | for |\n| --- | --- |"
    yield from (f"| `{row['name']}` | {cell(row['what it is for'])} |" for row in LISTS["presets"]())


def figures() -> Iterator[str]:
    """Yield a row for each kind of figure of a run."""
    yield "| kind | shows |\n| --- | --- |"
    yield from (f"| `{name}` | {cell(plot.summary)} |" for name, plot in PLOTS.items())


def statuses() -> Iterator[str]:
    """Yield what each status means, in the order in which they are judged."""
    yield "| status | meaning |\n| --- | --- |"
    yield from (f"| `{status}` | {status.meaning} |" for status in Status)


_FOLDERS = dict.fromkeys(path.parent.name for path in shipped_scenarios().values())
TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "commands": all_commands,
    **{f"options of {' '.join(path)}": partial(options, command) for path, command in commands()},
    "rules": partial(named, RULES, "update-rules.md"),
    **{f"rule {name}": partial(rule, entry) for name, entry in RULES.items()},
    "schedules": partial(named, SCHEDULES, "schedules.md"),
    **{f"schedule {name}": partial(learning_rates, entry) for name, entry in SCHEDULES.items()},
    "losses of one weight": partial(losses, 1),
    "losses of two weights": partial(losses, 2),
    "sources of losses": sources,
    **{f"scenarios in {folder}": partial(scenarios, folder) for folder in _FOLDERS},
    "presets": all_presets,
    "figures": figures,
    "statuses": statuses,
}
