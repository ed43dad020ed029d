"""The command line: parse, call, print. Everything heavier than click is imported inside callbacks."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from gdsim import __version__
from gdsim.cli import analysis, running, saved, scenarios, system

DONE, FAULT, BAD_INPUT, NOT_MET, INTERRUPTED = 0, 1, 2, 3, 130


class Root(click.Group):
    """The group of all commands: one place for global options, errors and exit codes."""

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> Any:
        """Run the command line and exit: 0 done, 1 fault, 2 bad input, 3 not met, 130 interrupted."""
        words = list(sys.argv[1:] if args is None else args)
        as_json = "--json" in words
        words, settings = _global_options(words)
        extra.pop("standalone_mode", None)
        try:
            code = super().main(
                words, prog_name or "gdsim", standalone_mode=False, obj=settings,
                color=False if settings["no_color"] else None, **extra,
            )  # fmt: skip
            sys.stdout.flush()
        except (KeyboardInterrupt, click.Abort):
            click.echo("interrupted", err=True)
            code = INTERRUPTED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = FAULT
        except Exception as error:
            code = _report(error, as_json)
        sys.exit(code if isinstance(code, int) else DONE)


def _global_options(words: list[str]) -> tuple[list[str], dict[str, bool]]:
    """Take ``--quiet`` and ``--no-color`` out of the words, wherever they stand before a ``--``."""
    end = words.index("--") if "--" in words else len(words)
    head, tail = words[:end], words[end:]
    no_color = "--no-color" in head or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    settings = {"quiet": "--quiet" in head or "-q" in head, "no_color": no_color}
    return [word for word in head if word not in ("--quiet", "-q", "--no-color")] + tail, settings


def _report(error: Exception, as_json: bool) -> int:
    """Print an error as a person, or a program, wants it, and return the exit code."""
    from gdsim.outcomes import Fault, InputError

    if isinstance(error, InputError):
        _print_faults(error.faults, as_json)
        return BAD_INPUT
    if isinstance(error, click.UsageError):
        if as_json:
            _print_faults((Fault(error.format_message()),), as_json)
        else:
            error.show()
        return BAD_INPUT
    if isinstance(error, click.ClickException):
        _print_faults((Fault(error.format_message()),), as_json)
        return BAD_INPUT
    if isinstance(error, OSError):
        _print_faults((Fault(f"{error.strerror or error}", file=error.filename or None),), as_json)
        return FAULT
    if os.environ.get("GDSIM_DEBUG"):
        raise error
    text = f"internal error: {type(error).__name__}: {error}. Please report it; GDSIM_DEBUG=1 shows the details."
    _print_faults((Fault(text),), as_json)
    return FAULT


def _print_faults(faults: Sequence[Any], as_json: bool) -> None:
    if as_json:
        keys = ("file", "line", "column", "path", "message", "expected", "suggestion")
        rows = [{key: getattr(fault, key) for key in keys} for fault in faults]
        click.echo(json.dumps({"errors": rows}, indent=2, ensure_ascii=False))
        return
    for fault in faults:
        click.echo(click.style("error: ", fg="red") + str(fault), err=True)


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gdsim")
@click.option("--quiet", "-q", is_flag=True, help="Print results only, no progress. May stand anywhere.")
@click.option("--no-color", is_flag=True, help="No colours; as NO_COLOR=1. May stand anywhere.")
def main(quiet: bool, no_color: bool) -> None:
    """A gradient-descent laboratory.

    A scenario names a loss, an initial weight and a learning rate; `gdsim run` steps the weight against
    the gradient, logs every step, and says in plain words what happened and why.
    """


for module in (running, scenarios, analysis, saved, system):
    for command in module.COMMANDS:
        main.add_command(command)
