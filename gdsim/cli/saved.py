"""``gdsim runs``: the run directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gdsim.cli.options import Folder, json_option, out_option

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_CELL = 60


@click.group()
def runs() -> None:
    """List, compare, continue and tidy up run directories."""


@runs.command("list")
@out_option
@json_option
def list_(out: Path, as_json: bool) -> None:
    """List the runs and the sweeps below --out."""
    from gdsim.cli.screen import print_json, table
    from gdsim.runs.store import run_directories, summary_of
    from gdsim.sweeps.store import sweep_folders

    found = [(directory, summary_of(directory)) for directory in run_directories(out)]
    sweeps = sweep_folders(out)
    if as_json:
        rows = [
            {"directory": str(directory), "name": summary["name"], "status": summary["status"],
             "steps": summary["steps"], "verdict": summary["verdict"]["kind"]}
            for directory, summary in found
        ]  # fmt: skip
        swept = [{**sweep._asdict(), "directory": str(sweep.directory)} for sweep in sweeps]
        print_json({"runs": rows, "sweeps": swept})
        return
    if found:
        heads = ["directory", "verdict", "status", "steps"]
        click.echo(
            table(heads, [[at.name, s["verdict"]["kind"], s["status"], str(s["steps"])] for at, s in found])
        )
    if sweeps:
        heads = ["sweep", "runs", "engine", "chunks done"]
        lines = [[s.directory.name, f"{s.runs:,}", s.engine, f"{s.done} of {s.chunks}"] for s in sweeps]
        click.echo("\n" * bool(found) + table(heads, lines))
    if not found and not sweeps:
        click.echo(f"no runs below {out}/")


@runs.command()
@click.argument("first", type=Folder(), metavar="A")
@click.argument("second", type=Folder(), metavar="B")
@json_option
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Show what differs between two run directories.

    Scenario, data and result are compared value by value.
    """
    from gdsim.cli.screen import print_json, table
    from gdsim.runs.store import difference

    found = difference(first, second)
    if as_json:
        print_json(
            {"differences": [{"path": path, "first": a, "second": b} for path, (a, b) in found.items()]}
        )
    elif not found:
        click.echo("no difference")
    else:
        click.echo(
            table(
                ["", first.name, second.name], [[path, _text(a), _text(b)] for path, (a, b) in found.items()]
            )
        )


def _text(value: object) -> str:
    import json

    text = "–" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


@runs.command("continue")
@click.argument("directory", type=Folder(), metavar="RUN")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=1000,
    metavar="N",
    show_default=True,
    help="How many steps more.",
)
@click.option("--no-plot", is_flag=True, help="Draw no figures.")
@json_option
@click.pass_context
def continue_(ctx: click.Context, directory: Path, steps: int, no_plot: bool, as_json: bool) -> None:
    """Give a run that reached its max_steps more of them.

    The result is written beside it: the same bytes as one long run.
    """
    from gdsim.runs.store import continued, save

    finished = continued(directory, steps)
    figures = None
    if not no_plot:
        from gdsim.plots import default_files

        figures = default_files(finished)
    written = save(
        finished, directory.resolve().parent if directory.name in ("", "..") else directory.parent, figures
    )
    if as_json:
        from gdsim.cli.screen import print_json
        from gdsim.runs.run import jsonable

        print_json(jsonable({**finished.summary(), "directory": str(written)}))
    else:
        from gdsim.cli.running import told

        click.echo(told(finished, written, ctx.obj["quiet"]))


@runs.command()
@out_option
@click.option("--all", "everything", is_flag=True, help="Remove runs and sweeps too, not only leftovers.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def clean(out: Path, everything: bool, yes: bool, as_json: bool) -> None:
    """Remove what interrupted writing has left behind.

    A run that was moved aside when writing was interrupted is put back in its place.
    """
    from gdsim.cli.running import counted
    from gdsim.cli.screen import print_json
    from gdsim.runs.store import leftovers, remove, restore, run_directories
    from gdsim.sweeps.store import sweep_folders

    back = restore(out)
    doomed = leftovers(out)
    if everything:
        doomed += [*run_directories(out), *(sweep.directory for sweep in sweep_folders(out))]
    if doomed and everything and not yes:
        click.confirm(f"Remove {counted(len(doomed), 'folder')} below {out}/?", abort=True, err=True)
    remove(doomed)
    if as_json:
        print_json({"removed": [str(path) for path in doomed], "restored": [str(path) for path in back]})
        return
    for path in back:
        click.echo(f"put back {path}/")
    click.echo(f"removed {counted(len(doomed), 'folder')} below {out}/")


COMMANDS = (runs,)
