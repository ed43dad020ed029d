"""``gdsim run`` and ``gdsim check``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gdsim.cli import NOT_MET
from gdsim.cli.options import (
    ScenarioArgument,
    check_kinds,
    fail_on_option,
    json_option,
    out_option,
    scenarios_of,
    set_option,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gdsim.runs import Expectation, Run
    from gdsim.scenario import Scenario


@click.command()
@click.argument("scenarios", nargs=-1, required=True, type=ScenarioArgument(), metavar="FILE|DIR…")
@set_option
@out_option
@click.option("--no-plot", is_flag=True, help="Draw no figures.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "python", "numpy"]),
    default="auto",
    show_default=True,
    help="The loop that steps the weight.",
)
@fail_on_option
@json_option
@click.pass_context
def run(
    ctx: click.Context, scenarios: tuple[str, ...], overrides: tuple[str, ...], preset: str | None,
    out: Path, no_plot: bool, engine: Any, fail_on: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Run scenarios: files, folders, or names of shipped ones.

    Writes a run directory for each below --out and prints the verdict, the numbers and the critical points.
    """
    from gdsim.cli.screen import print_json, progress

    check_kinds(fail_on)
    loaded = scenarios_of(scenarios, overrides, preset)
    quiet = ctx.obj["quiet"]
    summaries, bad = [], False
    with progress(len(loaded), quiet or as_json) as bar:
        for place, scenario in enumerate(loaded):
            if bar is not None:
                bar.show(scenario.name)
            finished, directory = _carry_out(scenario, engine, out, not no_plot)
            bad = bad or finished.verdict.kind in fail_on
            if as_json:
                summaries.append({**finished.summary(), "directory": str(directory)})
                continue
            if bar is not None:
                bar.hide()
                bar.done += 1
            click.echo("\n" * (place > 0 and not quiet) + told(finished, directory, quiet))
    if as_json:
        from gdsim.runs.run import jsonable

        print_json(jsonable(summaries if _several(scenarios, loaded) else summaries[0]))
    if bad:
        ctx.exit(NOT_MET)


def _several(arguments: tuple[str, ...], loaded: list[Scenario]) -> bool:
    """Tell whether a list was asked for: a folder is one even when it holds a single scenario."""
    from pathlib import Path

    return len(loaded) > 1 or any(Path(argument).is_dir() for argument in arguments)


def _carry_out(scenario: Scenario, engine: Any, out: Path, with_figures: bool) -> tuple[Run, Path]:
    from gdsim.runs.execution import execute
    from gdsim.runs.store import save

    finished = execute(scenario, engine)
    figures = None
    if with_figures:
        from gdsim.plots import default_files

        figures = default_files(finished)
    return finished, save(finished, out, figures)


def told(finished: Run, directory: Path, quiet: bool) -> str:
    """Return what is printed about a finished run: its summary, or one line where quiet was asked for."""
    if quiet:
        return f"{finished.name}: {finished.verdict.kind}: {finished.verdict.sentence}"
    from gdsim.cli.summary import run_summary

    return run_summary(finished, directory)


@click.command()
@click.argument("scenarios", nargs=-1, required=True, type=ScenarioArgument(), metavar="FILE|DIR…")
@set_option
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    scenarios: tuple[str, ...],
    overrides: tuple[str, ...],
    preset: str | None,
    as_json: bool,
) -> None:
    """Run scenarios and compare them with what they expect.

    Exits with 3 where an expectation is not met; nothing is written.
    """
    from gdsim.cli.screen import print_json, progress
    from gdsim.runs import check as compare
    from gdsim.runs import execute

    loaded = scenarios_of(scenarios, overrides, preset)
    results: list[tuple[Run, list[Expectation]]] = []
    with progress(len(loaded), ctx.obj["quiet"] or as_json) as bar:
        for scenario in loaded:
            if bar is not None:
                bar.show(scenario.name)
                bar.done += 1
            finished = execute(scenario)
            results.append((finished, compare(finished)))
    if as_json:
        print_json(_check_document(results))
    else:
        _print_checks(results, ctx.obj["quiet"])
    if not all(item.met for _, items in results for item in items):
        ctx.exit(NOT_MET)


def _check_document(results: list[tuple[Run, list[Expectation]]]) -> dict[str, Any]:
    return {
        "met": all(item.met for _, items in results for item in items),
        "scenarios": [
            {
                "name": run.name, "verdict": run.verdict.kind, "status": run.status,
                "expectations": [
                    {"path": item.path, "expected": item.expected, "found": item.found, "met": item.met}
                    for item in items
                ],
            }
            for run, items in results
        ],
    }  # fmt: skip


def _print_checks(results: list[tuple[Run, list[Expectation]]], quiet: bool) -> None:
    from gdsim.cli.screen import table

    if not quiet:
        rows = []
        for run, items in results:
            met = sum(item.met for item in items)
            outcome = "no expectations" if not items else "ok" if met == len(items) else "FAILED"
            rows.append([run.name, run.verdict.kind, run.status, f"{met}/{len(items)}", outcome])
        click.echo(table(["scenario", "verdict", "status", "met", ""], rows))
    unmet = [(run, item) for run, items in results for item in items if not item.met]
    for run, item in unmet:
        click.echo(f"{run.name}: {item.path}: expected {item.expected}, found {item.found}")
    expectations = sum(len(items) for _, items in results)
    counts = (counted(len(results), "scenario"), counted(expectations, "expectation"))
    click.echo(f"{', '.join(counts)}, " + (f"{len(unmet)} not met" if unmet else "all met"))


def counted(count: int, noun: str) -> str:
    """Return ``1 scenario`` or ``2 scenarios``."""
    return f"{count} {noun}{'s' * (count != 1)}"


COMMANDS = (run, check)
