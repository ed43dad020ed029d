"""The command line: parse, call, print. Everything heavier than click is imported inside callbacks."""

from __future__ import annotations

import codecs
import errno
import gc
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, TextIO

import click

from gdsim import __version__

ERRORS = "gdsim-signs"  # the handler of signs that a stream cannot encode
DONE, FAULT, BAD_INPUT, NOT_MET, INTERRUPTED = 0, 1, 2, 3, 130
_BAD_NAMES = (errno.ENAMETOOLONG, errno.ELOOP)  # what no file can be called: no fault of the machine
_ELSEWHERE = "or another place to write to; what was there before is as it was"
_REMEDIES = {
    errno.ENOSPC: f"free space, {_ELSEWHERE}",
    errno.EDQUOT: f"free space within the quota, {_ELSEWHERE}",
    errno.EROFS: "a place that can be written to",
    errno.EACCES: "a place that may be read and written",
    errno.EPERM: "a place that may be read and written",
}
_LONGEST_NAME = 200  # signs of a path in a message
# imports make objects that stay: looking for garbage among them every 700 costs 3 % of a short run
_OBJECTS_BETWEEN_COLLECTIONS = 100_000
#: the commands by the module that holds them as ``COMMANDS``; only what is asked for is imported
_MODULES = {
    "analysis": ("compare",),
    "critical": ("critical",),
    "decks": ("deck",),
    "deriving": ("derive",),
    "figures": ("plot",),
    "learning": ("learn", "lessons"),
    "films": ("animate",),
    "pages": ("page",),
    "running": ("run", "check"),
    "saved": ("runs",),
    "sweeping": ("sweep", "tune"),
    "scenarios": ("validate", "show", "init", "schema", "list"),
    "system": ("doctor", "completion"),
}


class Root(click.Group):
    """The group of all commands: one place for global options, errors and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted(name for names in _MODULES.values() for name in names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name, or None."""
        for module, names in _MODULES.items():
            if cmd_name in names:
                held: tuple[click.Command, ...] = import_module(f"gdsim.cli.{module}").COMMANDS
                return next(command for command in held if command.name == cmd_name)
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which is meant: click sees those alone that are imported."""
        name, known = args[0], self.list_commands(ctx)
        if name in known or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from gdsim.outcomes import nearest

        near = nearest(name, known)
        raise click.UsageError(
            f"No such command {name!r}." + (f" Did you mean {near!r}?" if near else ""), ctx
        )

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> Any:
        """Run the command line and exit: 0 done, 1 fault, 2 bad input, 3 not met, 130 interrupted."""
        words = list(sys.argv[1:] if args is None else args)
        as_json = "--json" in words
        words, settings = _global_options(words)
        color = False if settings["no_color"] else None
        _prepare_streams()
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        extra.pop("standalone_mode", None)
        if "_GDSIM_COMPLETE" in os.environ:
            import_module("gdsim.cli.shells")
        try:
            code = super().main(
                words, prog_name or "gdsim", standalone_mode=False, obj=settings, color=color, **extra
            )
            sys.stdout.flush()
        except (KeyboardInterrupt, click.Abort):
            code = _interrupted(as_json, color)
        except BrokenPipeError:
            code = FAULT
        except Exception as error:
            code = _report(error, as_json, color)
        _drain(sys.stdout)
        sys.exit(code if isinstance(code, int) else DONE)


def _global_options(words: list[str]) -> tuple[list[str], dict[str, bool]]:
    """Take ``--quiet`` and ``--no-color`` out of the words, wherever they stand before a ``--``."""
    end = words.index("--") if "--" in words else len(words)
    head, tail = words[:end], words[end:]
    no_color = "--no-color" in head or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    settings = {"quiet": "--quiet" in head or "-q" in head, "no_color": no_color}
    return [word for word in head if word not in ("--quiet", "-q", "--no-color")] + tail, settings


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """Spell what a stream cannot encode; how is read only when that happens."""
    from gdsim.cli.signs import spelled

    return spelled(error)


def _prepare_streams() -> None:
    """Spell a sign that a stream's encoding lacks, and print nothing where a stream was closed."""
    codecs.register_error(ERRORS, _spelled)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=ERRORS)


def _drain(stream: TextIO) -> None:
    """Flush; where nobody reads any more or the disk is full, drop what is left, so that exiting is quiet."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _interrupted(as_json: bool, color: bool | None) -> int:
    if as_json:
        from gdsim.outcomes import Fault

        _print_faults((Fault("interrupted"),), as_json, color)
    else:
        click.echo("interrupted", err=True)
    return INTERRUPTED


def _has_working_directory() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _meant(name: str) -> str:
    """Return the name under which a file that is being written will stand."""
    return re.sub(r"\.gdsim-writing-([^/\\]*)-\d+", r"\1", name)


def _report(error: Exception, as_json: bool, color: bool | None) -> int:
    """Print an error as a person, or a program, wants it, and return the exit code."""
    from gdsim.outcomes import Fault, InputError

    code = BAD_INPUT
    match error:
        case InputError():
            faults: tuple[Fault, ...] = error.faults
        case click.UsageError() if not as_json:
            error.show()
            return BAD_INPUT
        case click.ClickException():
            faults = (Fault(error.format_message()),)
        case OSError() if error.errno == errno.ENOENT and not _has_working_directory():
            faults, code = (Fault("the working directory is no longer there", "cd to one that is"),), FAULT
        case OSError():
            name = None if error.filename is None else _shortened(_meant(os.fsdecode(error.filename)))
            faults = (Fault(error.strerror or str(error), _REMEDIES.get(error.errno or 0, ""), file=name),)
            code = BAD_INPUT if error.errno in _BAD_NAMES else FAULT
        case _:
            if os.environ.get("GDSIM_DEBUG"):
                raise error
            what = f"{type(error).__name__}: {error}".strip(": ").replace("\n", " ")
            faults = (
                Fault(
                    f"internal error: {what}. Please report it with the command and the scenario; "
                    "GDSIM_DEBUG=1 shows where it happened"
                ),
            )
            code = FAULT
    try:
        _print_faults(faults, as_json, color)
    except OSError:  # nowhere to print to; the exit code still tells
        code = FAULT
    return code


def _print_faults(faults: Sequence[Any], as_json: bool, color: bool | None) -> None:
    if as_json:
        from gdsim.cli.screen import print_json

        keys = ("file", "line", "column", "path", "message", "expected", "suggestion")
        print_json({"errors": [{key: getattr(fault, key) for key in keys} for fault in faults]})
        return
    for fault in faults:
        click.echo(click.style("error: ", fg="red") + str(fault), err=True, color=color)


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gdsim")
@click.option("--quiet", "-q", is_flag=True, help="Print results only, no progress. May stand anywhere.")
@click.option("--no-color", is_flag=True, help="No colours; as NO_COLOR=1. May stand anywhere.")
def main(quiet: bool, no_color: bool) -> None:
    """A gradient-descent laboratory.

    A scenario names a loss, an initial weight and a learning rate; `gdsim run` steps the weight against
    the gradient, logs every step, and says in plain words what happened and why.
    """
