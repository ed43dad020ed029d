"""Options and arguments that several commands share. Nothing heavier than click is imported with them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from gdsim.losses import Loss
    from gdsim.outcomes import Interval
    from gdsim.scenario import Scenario

_BOUNDS_OF_A_WEIGHT = r"\s*\w+\s*=[^=]"
_LONG_OPTION = r"--[A-Za-z][A-Za-z-]*(=|\Z)"


class ScenarioArgument(click.ParamType):  # type: ignore[type-arg]
    """A file, a folder, or the name of a shipped scenario; completes to all of them."""

    name = "scenario"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the shipped names, then files."""
        from click.shell_completion import CompletionItem

        from gdsim.scenario.library import shipped_scenarios

        names = [CompletionItem(name) for name in shipped_scenarios() if name.startswith(incomplete)]
        return names or [CompletionItem(incomplete, type="file")]


class Folder(click.ParamType):  # type: ignore[type-arg]
    """A folder, which need not exist; an option of this kind costs no import of pathlib before it is used."""

    name = "directory"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; fail where a file stands there."""
        from pathlib import Path

        path = Path(value)
        if os.path.lexists(path) and not path.is_dir():
            self.fail(f"{value!r} is a file, not a folder", param, ctx)
        return path

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer folders."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="dir")]


def complete_file(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document.")(command)


def set_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-S key=value`` and ``--config FILE``."""
    command = click.option(
        "-S", "--set", "overrides", multiple=True, metavar="KEY=VALUE",
        help="Override one value of the scenario, such as -S learning_rate=0.1. May be repeated.",
    )(command)  # fmt: skip
    return click.option(
        "--config", "preset", metavar="FILE", shell_complete=_complete_preset,
        help="A preset below the scenario: a file, or a name of `gdsim list presets`.",
    )(command)  # fmt: skip


def _complete_preset(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from gdsim.scenario.library import presets

    names = [CompletionItem(name) for name in presets() if name.startswith(incomplete)]
    return names or [CompletionItem(incomplete, type="file")]


def out_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--out DIR``."""
    return click.option(
        "--out", type=Folder(), metavar="DIR", default="outputs", show_default=True,
        help="The folder below which run directories are written.",
    )(command)  # fmt: skip


def fail_on_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--fail-on KIND``."""
    return click.option(
        "--fail-on", "fail_on", multiple=True, metavar="KIND", shell_complete=_complete_kind,
        help="Exit with 3 where a verdict is of this kind, such as diverged. May be repeated.",
    )(command)  # fmt: skip


def _complete_kind(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from gdsim.outcomes import VERDICT_KINDS

    return [CompletionItem(kind) for kind in VERDICT_KINDS if kind.startswith(incomplete)]


def check_kinds(given: tuple[str, ...]) -> None:
    """Raise InputError where a word behind ``--fail-on`` is no verdict."""
    from gdsim.outcomes import VERDICT_KINDS, Fault, InputError, nearest

    faults = [
        Fault(f"unknown verdict {kind!r}", f"one of {', '.join(VERDICT_KINDS)}", nearest(kind, VERDICT_KINDS),
              path="--fail-on")
        for kind in given if kind not in VERDICT_KINDS
    ]  # fmt: skip
    if faults:
        raise InputError(*faults)


class ExpressionCommand(click.Command):
    """A command whose expression may begin with a minus and whose ``--domain`` takes several words.

    Only its own options, spelt out, are options; every other word is the expression. So ``-cosh(w)`` is
    not a request for help, though it holds an h. After ``--`` everything is the expression.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put options first and the expression behind ``--``."""
        takes_value: dict[str, bool] = {}
        for param in self.get_params(ctx):
            if isinstance(param, click.Option):
                takes_value |= dict.fromkeys([*param.opts, *param.secondary_opts], not param.is_flag)
        options: list[str] = []
        expression: list[str] = []
        words = list(args)
        while words:
            word = words.pop(0)
            name = word.partition("=")[0]
            if word == "--":
                expression += words
                break
            if word == "--domain" and words:
                options += _domain_words(words, takes_value)
            elif word in takes_value:
                options += [word, *words[:1]] if takes_value[word] else [word]
                words = words[1:] if takes_value[word] else words
            elif name in takes_value:
                options.append(word)
            elif re.match(_LONG_OPTION, word):
                raise click.NoSuchOption(name, possibilities=sorted(takes_value), ctx=ctx)
            else:
                expression.append(word)
        return super().parse_args(ctx, [*options, "--", *expression])


def _domain_words(words: list[str], known: dict[str, bool]) -> list[str]:
    """Take ``a b``, or ``x=a,b`` and the bounds of further weights behind it, off the words."""
    first = words.pop(0)
    if not re.match(_BOUNDS_OF_A_WEIGHT, first):
        whole = "," in first or len(first.split()) > 1
        second = [words.pop(0)] if words and words[0] not in known and not whole else []
        return ["--domain", " ".join([first, *second])]
    found = ["--domain", first]
    while words and re.match(_BOUNDS_OF_A_WEIGHT, words[0]):
        found += ["--domain", words.pop(0)]
    return found


def number(text: str, what: str) -> float:
    """Read a number or a constant expression from the command line. Raises InputError."""
    from gdsim.expr.parse import parse_constant
    from gdsim.outcomes import InputError

    try:
        return float(parse_constant(text))
    except InputError as error:
        raise error.located(path=what) from None


def weights_at(text: str, weights: tuple[str, ...]) -> dict[str, float]:
    """Read ``3`` or ``x=1,y=2`` as a value for every weight. Raises InputError."""
    from gdsim.outcomes import Fault, InputError

    if "=" not in text:
        if len(weights) != 1:
            expected = ",".join(f"{name}=…" for name in weights)
            raise InputError(
                Fault(f"{text!r} gives one number for {len(weights)} weights", expected, path="--at")
            )
        return {weights[0]: number(text, "--at")}
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        name = _known_weight(name, weights, "--at")
        if name in found:
            raise InputError(Fault(f"{name} has two values", "one value for each weight", path="--at"))
        found[name] = number(value, f"--at {name}")
    if missing := [name for name in weights if name not in found]:
        raise InputError(Fault(f"no value for {', '.join(missing)}", f"{missing[0]}=…", path="--at"))
    return {name: found[name] for name in weights}


def domain_of(texts: tuple[str, ...], weights: tuple[str, ...]) -> dict[str, Interval]:
    """Read ``("-2 2",)`` or ``("x=-2,2", "y=0,1")`` as a domain. Raises InputError."""
    from gdsim.outcomes import Fault, InputError

    found: dict[str, Interval] = {}
    for text in texts:
        name, _, rest = text.partition("=") if "=" in text else ("", "", text)
        ends = rest.replace(",", " ").split()
        if len(ends) != 2:
            raise InputError(
                Fault(f"{text!r} is no interval", "--domain a b or --domain x=a,b", path="--domain")
            )
        low, high = (number(end, "--domain") for end in ends)
        if low >= high:
            raise InputError(
                Fault(f"the interval [{low:g}, {high:g}] is empty", "the lower bound first", path="--domain")
            )
        for weight in [_known_weight(name, weights, "--domain")] if name else weights:
            found[weight] = (low, high)
    return found


def _known_weight(name: str, weights: tuple[str, ...], option: str) -> str:
    from gdsim.outcomes import Fault, InputError, nearest

    name = name.strip()
    if name in weights:
        return name
    raise InputError(
        Fault(f"{name!r} is no weight", f"one of {', '.join(weights)}", nearest(name, weights), path=option)
    )


def is_scenario(argument: str) -> bool:
    """Tell whether EXPR|FILE means a file: by its ending, or as the name of a shipped scenario."""
    if argument.endswith((".yaml", ".yml")):
        return True
    from gdsim.scenario.library import shipped_scenarios

    return argument in shipped_scenarios()


def loss_or_scenario(argument: str) -> tuple[Loss, Scenario | None]:
    """Read EXPR|FILE: a scenario's loss, a named loss, or a formula. Raises InputError."""
    if is_scenario(argument):
        from gdsim.runs.composition import loss_of
        from gdsim.scenario import load

        scenario = load(argument)
        return loss_of(scenario), scenario
    from gdsim.losses import LOSSES, Loss, named_loss

    return (named_loss(argument) if argument in LOSSES else Loss.from_text(argument)), None


def scenario_of(argument: str, overrides: Sequence[str] = (), preset: str | None = None) -> Scenario:
    """Find and read the one scenario that an argument means. Raises InputError where it means several."""
    from gdsim.outcomes import Fault, InputError
    from gdsim.scenario import find, load

    files = find(argument)
    if len(files) > 1:
        names = ", ".join(file.name for file in files[:3])
        message = f"this folder holds {len(files)} scenarios ({names} …)"
        raise InputError(Fault(message, "one scenario", file=argument))
    return load(files[0], overrides=overrides, preset=preset)


def scenarios_of(
    arguments: Sequence[str], overrides: Sequence[str] = (), preset: str | None = None, *, axes: bool = False
) -> list[Scenario]:
    """Find and read the scenarios that arguments mean. Raises InputError with the faults of all of them.

    With ``axes`` those of their sweeps are among them also where a scenario has no others.
    """
    from gdsim.outcomes import Fault, InputError
    from gdsim.scenario import find, load

    files: list[Path] = []
    found: list[Scenario] = []
    faults: list[Fault] = []
    for argument in arguments:
        try:
            files += find(argument)
        except InputError as error:
            faults += error.faults
    for file in files:
        try:
            found.append(load(file, overrides=overrides, preset=preset))
            if axes and found[-1].sweep:
                from gdsim.scenario.fitting import check_axes

                check_axes(found[-1])
        except InputError as error:
            faults += (fault for fault in error.faults if fault not in faults)
    if faults:
        raise InputError(*faults)
    return found
