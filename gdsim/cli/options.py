"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from gdsim.losses import Loss
    from gdsim.outcomes import Interval
    from gdsim.scenario import Scenario


class ScenarioArgument(click.ParamType):
    """A file, a folder, or the name of a shipped scenario; completes to all of them."""

    name = "scenario"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the shipped names, then files."""
        from gdsim.scenario.library import shipped_scenarios

        names = [CompletionItem(name) for name in shipped_scenarios() if name.startswith(incomplete)]
        return names or [CompletionItem(incomplete, type="file")]


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
        "--config", "preset", metavar="FILE", help="A preset below the scenario: a file, or a name of `gdsim list presets`."
    )(command)


def out_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--out DIR``."""
    return click.option(
        "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("outputs"), show_default=True,
        help="The folder below which run directories are written.",
    )(command)  # fmt: skip


class LooseCommand(click.Command):
    """A command whose expression may begin with a minus, and whose ``--domain`` takes ``a b`` or ``x=a,b …``."""

    def __init__(self, *args: Any, **extra: Any) -> None:
        settings = extra.pop("context_settings", None) or {}
        super().__init__(*args, context_settings={"ignore_unknown_options": True, **settings}, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Join the words after ``--domain`` and protect what begins with a minus and is no option."""
        known = {name for param in self.get_params(ctx) for name in (*param.opts, *param.secondary_opts)}
        joined: list[str] = []
        words = list(args)
        while words:
            word = words.pop(0)
            joined.append(word)
            if word == "--domain" and words:
                value = words.pop(0)
                if "=" not in value and words and words[0] not in known:
                    value = f"{value} {words.pop(0)}"
                joined.append(value)
            elif word.startswith("--") and "=" not in word and word not in known:
                raise click.NoSuchOption(word, possibilities=sorted(known), ctx=ctx)
        return super().parse_args(ctx, joined)


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
    from gdsim.outcomes import Fault, InputError, nearest

    if "=" not in text:
        if len(weights) != 1:
            expected = ",".join(f"{name}=…" for name in weights)
            raise InputError(Fault(f"{text!r} gives one number for {len(weights)} weights", expected, path="--at"))
        return {weights[0]: number(text, "--at")}
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        name = name.strip()
        if name not in weights:
            raise InputError(
                Fault(f"{name!r} is no weight", f"one of {', '.join(weights)}", nearest(name, weights), path="--at")
            )
        found[name] = number(value, f"--at {name}")
    if missing := [name for name in weights if name not in found]:
        raise InputError(Fault(f"no value for {missing[0]}", f"{missing[0]}=…", path="--at"))
    return {name: found[name] for name in weights}


def domain_of(texts: tuple[str, ...], weights: tuple[str, ...]) -> dict[str, Interval]:
    """Read ``("-2 2",)`` or ``("x=-2,2", "y=0,1")`` as a domain. Raises InputError."""
    from gdsim.outcomes import Fault, InputError, nearest

    found: dict[str, Interval] = {}
    for text in texts:
        name, _, rest = text.partition("=") if "=" in text else ("", "", text)
        ends = rest.replace(",", " ").split()
        if len(ends) != 2:
            raise InputError(Fault(f"{text!r} is no interval", "--domain a b or --domain x=a,b", path="--domain"))
        names = [name.strip()] if name else list(weights)
        for weight in names:
            if weight not in weights:
                raise InputError(
                    Fault(f"{weight!r} is no weight", f"one of {', '.join(weights)}", nearest(weight, weights),
                          path="--domain")
                )  # fmt: skip
            found[weight] = (number(ends[0], "--domain"), number(ends[1], "--domain"))
    return found


def is_scenario(argument: str) -> bool:
    """Tell whether EXPR|FILE means a file: by its ending, or as the name of a shipped scenario."""
    if argument.endswith((".yaml", ".yml")):
        return True
    from gdsim.scenario.library import shipped_scenarios

    return argument in shipped_scenarios()


def loss_or_scenario(argument: str) -> tuple[Loss, Scenario | None]:
    """Read EXPR|FILE: a scenario's loss, a named loss, or a formula."""
    if is_scenario(argument):
        from gdsim.runs.compose import loss_of
        from gdsim.scenario import load

        scenario = load(argument)
        return loss_of(scenario), scenario
    from gdsim.losses import LOSSES, Loss, named_loss

    if argument in LOSSES:
        return named_loss(argument), None
    return Loss.from_text(argument), None
