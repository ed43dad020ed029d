"""``gdsim run`` and ``gdsim check``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gdsim.cli.options import ScenarioArgument, json_option, out_option, set_option

if TYPE_CHECKING:
    from gdsim.runs import Run


@click.command()
@click.argument("scenarios", nargs=-1, required=True, type=ScenarioArgument(), metavar="FILE|DIR…")
@set_option
@out_option
@click.option("--no-plot", is_flag=True, help="Draw no figures.")
@click.option("--engine", type=click.Choice(["auto", "python", "numpy"]), default="auto", show_default=True,
              help="The loop that steps the weight.")  # fmt: skip
@click.option("--fail-on", "fail_on", multiple=True, metavar="KIND",
              help="Exit with 3 where a verdict is of this kind, such as diverged. May be repeated.")  # fmt: skip
@json_option
@click.pass_context
def run(ctx: click.Context, scenarios: tuple[str, ...], overrides: tuple[str, ...], preset: str | None, out: Path,
        no_plot: bool, engine: Any, fail_on: tuple[str, ...], as_json: bool) -> None:  # fmt: skip
    """Run scenarios: files, folders, or names of shipped ones.

    Writes a run directory for each below --out and prints the verdict, the numbers and the critical points.
    """
    from gdsim.outcomes import VERDICT_KINDS
    from gdsim.scenario import find, load

    _check_kinds(fail_on, VERDICT_KINDS)
    files = [file for argument in scenarios for file in find(argument)]
    several = len(files) > 1 or any(Path(argument).is_dir() for argument in scenarios)
    loaded = _load_all(files, lambda file: load(file, overrides=overrides, preset=preset))
    summaries, bad = [], False
    with progress(len(loaded), ctx.obj["quiet"] or as_json) as advance:
        for place, scenario in enumerate(loaded):
            finished, directory = _carry_out(scenario, engine, out, not no_plot)
            bad = bad or finished.verdict.kind in fail_on
            summaries.append({**finished.summary(), "directory": str(directory)})
            advance(scenario.name)
            if not as_json:
                _show(finished, directory, ctx.obj["quiet"], place > 0)
    if as_json:
        from gdsim.runs.run import jsonable

        document = jsonable(summaries if several else summaries[0])
        click.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
    if bad:
        ctx.exit(3)


def _check_kinds(given: tuple[str, ...], known: tuple[str, ...]) -> None:
    from gdsim.outcomes import Fault, InputError, nearest

    for kind in given:
        if kind not in known:
            raise InputError(
                Fault(f"unknown verdict {kind!r}", f"one of {', '.join(known)}", nearest(kind, known), path="--fail-on")
            )


def _load_all(files: list[Path], load: Any) -> list[Any]:
    """Load every file; report the faults of all of them at once."""
    from gdsim.outcomes import Fault, InputError

    loaded, faults = [], list[Fault]()
    for file in files:
        try:
            loaded.append(load(file))
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(*faults)
    return loaded


def _carry_out(scenario: Any, engine: Any, out: Path, with_figures: bool) -> tuple[Run, Path]:
    from gdsim.runs.execute import execute
    from gdsim.runs.store import save

    finished = execute(scenario, engine)
    figures = None
    if with_figures:
        from gdsim.plots import default_files

        figures = default_files(finished)
    return finished, save(finished, out, figures)


def _show(finished: Run, directory: Path, quiet: bool, another: bool) -> None:
    from gdsim.cli.screen import run_summary

    if quiet:
        click.echo(f"{finished.name}: {finished.verdict.kind} — {finished.verdict.sentence}")
        return
    if another:
        click.echo()
    click.echo(run_summary(finished, f"{directory}/"))


@contextmanager
def progress(count: int, quiet: bool) -> Iterator[Any]:
    """A progress bar on stderr: only on a terminal, and only where there is more than one thing to do."""
    import sys

    if quiet or count < 2 or not sys.stderr.isatty():
        yield lambda name: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=count)
        yield lambda name: bar.update(task, advance=1, description=name)


@click.command()
@click.argument("scenarios", nargs=-1, required=True, type=ScenarioArgument(), metavar="FILE|DIR…")
@set_option
@json_option
@click.pass_context
def check(
    ctx: click.Context, scenarios: tuple[str, ...], overrides: tuple[str, ...], preset: str | None, as_json: bool
) -> None:
    """Run scenarios and compare them with what they expect.

    Exits with 3 where an expectation is not met; nothing is written.
    """
    from gdsim.runs import check as compare
    from gdsim.runs import execute
    from gdsim.scenario import find, load

    files = [file for argument in scenarios for file in find(argument)]
    loaded = _load_all(files, lambda file: load(file, overrides=overrides, preset=preset))
    results = []
    with progress(len(loaded), ctx.obj["quiet"] or as_json) as advance:
        for scenario in loaded:
            finished = execute(scenario)
            results.append((scenario.name, finished.verdict.kind, finished.status, compare(finished)))
            advance(scenario.name)
    unmet = [(name, item) for name, _, _, items in results for item in items if not item.met]
    if as_json:
        click.echo(json.dumps(_check_document(results), indent=2, ensure_ascii=False))
    else:
        _print_checks(results, unmet, ctx.obj["quiet"])
    if unmet:
        ctx.exit(3)


def _check_document(results: list[Any]) -> dict[str, Any]:
    return {
        "met": all(item.met for *_, items in results for item in items),
        "scenarios": [
            {
                "name": name, "verdict": verdict, "status": status,
                "expectations": [
                    {"path": item.path, "expected": item.expected, "found": item.found, "met": item.met}
                    for item in items
                ],
            }
            for name, verdict, status, items in results
        ],
    }  # fmt: skip


def _print_checks(results: list[Any], unmet: list[Any], quiet: bool) -> None:
    from gdsim.cli.screen import table

    if not quiet:
        rows = []
        for name, verdict, status, items in results:
            met = sum(item.met for item in items)
            outcome = "no expectations" if not items else "ok" if met == len(items) else "FAILED"
            rows.append([name, verdict, status, f"{met}/{len(items)}", outcome])
        click.echo(table(["scenario", "verdict", "status", "met", ""], rows))
    for name, item in unmet:
        click.echo(f"{name}: {item.path}: expected {item.expected}, found {item.found}")
    count = sum(len(items) for *_, items in results)
    click.echo(f"{len(results)} scenarios, {count} expectations, {len(unmet)} not met")


COMMANDS = (run, check)
