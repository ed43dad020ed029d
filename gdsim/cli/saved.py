"""``gdsim runs``: the run directories."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gdsim.cli.options import json_option, out_option


@click.group()
def runs() -> None:
    """The run directories: what is there, what differs, more steps, tidy up."""


@runs.command("list")
@out_option
@json_option
def list_(out: Path, as_json: bool) -> None:
    """List the run directories below --out."""
    from gdsim.runs.store import run_directories, summary_of

    found = [(directory, summary_of(directory)) for directory in run_directories(out)]
    if as_json:
        rows = [
            {"directory": str(directory), "name": summary["name"], "status": summary["status"],
             "steps": summary["steps"], "verdict": summary["verdict"]["kind"]}
            for directory, summary in found
        ]  # fmt: skip
        click.echo(json.dumps({"runs": rows}, indent=2, ensure_ascii=False))
        return
    if not found:
        click.echo(f"no runs below {out}/")
        return
    from gdsim.cli.screen import table

    click.echo(
        table(
            ["directory", "verdict", "status", "steps"],
            [[directory.name, s["verdict"]["kind"], s["status"], str(s["steps"])] for directory, s in found],
        )
    )


@runs.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@json_option
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Show what differs between two run directories, in scenario and result."""
    from gdsim.runs.store import difference

    found = difference(first, second)
    if as_json:
        rows = [{"path": path, "first": pair[0], "second": pair[1]} for path, pair in found.items()]
        click.echo(json.dumps({"differences": rows}, indent=2, ensure_ascii=False, default=str))
        return
    if not found:
        click.echo("no difference")
        return
    from gdsim.cli.screen import table

    click.echo(table(["", first.name, second.name], [[path, _text(a), _text(b)] for path, (a, b) in found.items()]))


def _text(value: object) -> str:
    return "–" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)


@runs.command("continue")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--steps", type=click.IntRange(min=1), default=1000, show_default=True, help="How many steps more.")
@click.option("--no-plot", is_flag=True, help="Draw no figures.")
@json_option
def continue_(run: Path, steps: int, no_plot: bool, as_json: bool) -> None:
    """Give a run that reached its max_steps more of them.

    The result is written beside it: the same bytes as one long run.
    """
    from gdsim.runs.run import jsonable
    from gdsim.runs.store import continued, save

    finished = continued(run, steps)
    figures = None
    if not no_plot:
        from gdsim.plots import default_files

        figures = default_files(finished)
    directory = save(finished, run.parent, figures)
    if as_json:
        document = {**finished.summary(), "directory": str(directory)}
        click.echo(json.dumps(jsonable(document), indent=2, ensure_ascii=False, allow_nan=False))
        return
    from gdsim.cli.screen import run_summary

    click.echo(run_summary(finished, f"{directory}/"))


@runs.command()
@out_option
@click.option("--all", "everything", is_flag=True, help="Remove the run directories too, not only leftovers.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def clean(out: Path, everything: bool, yes: bool, as_json: bool) -> None:
    """Remove what interrupted writing has left below --out; with --all, the runs as well."""
    from gdsim.runs.store import leftovers, remove, run_directories

    doomed = leftovers(out) + (run_directories(out) if everything else [])
    if doomed and everything and not yes:
        click.confirm(f"Remove {len(doomed)} folder(s) below {out}/?", abort=True, err=True)
    remove(doomed)
    if as_json:
        click.echo(json.dumps({"removed": [str(path) for path in doomed]}, indent=2))
    else:
        click.echo(f"removed {len(doomed)} folder(s) below {out}/")


COMMANDS = (runs,)
