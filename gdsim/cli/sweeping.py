"""``gdsim sweep`` and ``gdsim tune``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from gdsim.cli.options import (
    ScenarioArgument,
    check_kinds,
    fail_on_option,
    json_option,
    out_option,
    scenario_of,
    set_option,
)

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from gdsim.scenario import Scenario
    from gdsim.sweeps.execution import Forecast, Sweep


def _complete_figure(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in _figures() if name.startswith(incomplete)]


_MEMORY = {-1: 1 << 30, -3: 1 << 25}  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD: bytes


@click.command()
@click.argument("scenario", type=ScenarioArgument(), metavar="FILE")
@click.argument("axes", nargs=-1, metavar="[KEY=VALUES]…")
@set_option
@click.option(
    "--engine",
    type=click.Choice(["auto", "numpy", "fast"]),
    default="auto",
    show_default=True,
    help="The loop that steps the runs; auto measures which is faster.",
)
@click.option(
    "--jobs", type=click.IntRange(1), metavar="N", help="Processes or threads.  [default: every core]"
)
@click.option(
    "--dask-address",
    metavar="ADDRESS",
    help="Compute on a Dask cluster: the address of its scheduler, or local for one on this machine.",
)
@click.option(
    "--max-runs",
    type=click.IntRange(1),
    default=10_000_000,
    show_default=True,
    metavar="N",
    help="Refuse to begin a sweep of more runs.",
)
@click.option(
    "--zoom",
    "windows",
    multiple=True,
    metavar="KEY=A,B",
    help="Sweep a window of an axis with as many values, into a folder of its own. May be repeated.",
)
@click.option("--parquet", is_flag=True, help="Write results.parquet too (extra: parquet).")
@click.option(
    "--figure",
    "figures",
    multiple=True,
    metavar="KIND[:BY]",
    shell_complete=_complete_figure,
    help="Draw this figure, such as atlas:loss, instead of those that suit. May be repeated.",
)
@click.option("--no-plot", is_flag=True, help="Draw no figures.")
@fail_on_option
@out_option
@json_option
@click.pass_context
def sweep(
    ctx: click.Context, scenario: str, axes: tuple[str, ...], overrides: tuple[str, ...], preset: str | None,
    engine: Any, jobs: int | None, dask_address: str | None, max_runs: int, windows: tuple[str, ...],
    parquet: bool, figures: tuple[str, ...], no_plot: bool, fail_on: tuple[str, ...], out: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Run a scenario many times, over any of its fields.

    An axis is key=v1,v2 or key=lin(a,b,n) or key=log(a,b,n); those of the file's sweep: block stay beside
    them. Interrupted or killed, the same command goes on where it was.
    """
    from gdsim.cli.screen import print_json
    from gdsim.runs.run import jsonable
    from gdsim.scenario.axes import with_axes, zoomed
    from gdsim.sweeps.execution import Sweep
    from gdsim.sweeps.report import summary
    from gdsim.sweeps.results import finish, need_parquet, write_parquet, write_summary

    check_kinds(fail_on)
    _check_figures(figures)
    if parquet:
        need_parquet()
    swept = zoomed(with_axes(scenario_of(scenario, overrides, preset), axes), windows)
    made = Sweep(swept, out, engine, jobs, dask_address)
    _check_limit(made, max_runs)
    quiet = ctx.obj["quiet"] or as_json
    _keep_memory()
    forecast = made.forecast()
    if not quiet:
        _say(_announced(forecast, made))
    start = time.perf_counter()
    with _resumable(made):
        store = _carried_out(made, forecast, quiet)
        seconds = time.perf_counter() - start
        result = finish(store, made.worker)
        said = summary(result, swept.name)
        write_summary(made.directory, said)
        if parquet:
            write_parquet(store)
        if not no_plot:
            _draw(result, made.directory, figures)
    if as_json:
        print_json(jsonable({**said, "directory": str(made.directory)}))
    else:
        from gdsim.cli.sweep_summary import sweep_summary

        click.echo(sweep_summary(result, said, seconds, made.directory, brief=ctx.obj["quiet"]))
    if any(kind in result.verdicts for kind in fail_on):
        ctx.exit(3)


def _keep_memory() -> None:
    """Have glibc keep what is freed: every chunk takes the same again, and new pages are zeroed first."""
    import ctypes

    try:
        set_limit = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return
    for option, value in _MEMORY.items():
        set_limit(option, value)


def _check_figures(figures: tuple[str, ...]) -> None:
    """Raise InputError for a figure that is none, before anything is computed."""
    if not figures:
        return
    from gdsim.outcomes import Fault, InputError, nearest

    known = _figures()
    for figure in figures:
        if figure not in known:
            raise InputError(
                Fault(f"unknown figure {figure!r}", ", ".join(known), nearest(figure, known), path="--figure")
            )


def _figures() -> list[str]:
    """The figures of sweeps: kinds, and kinds with what they are coloured by."""
    from gdsim.plots import SWEEP_PLOTS

    return [
        name
        for kind, plot in SWEEP_PLOTS.items()
        for name in (kind, *(f"{kind}:{by}" for by in plot.by if by))
    ]


def _check_limit(made: Sweep, most: int) -> None:
    from gdsim.outcomes import Fault, InputError

    runs = made.design.runs
    if runs > most:
        message = f"this sweep has {runs:,} runs, and {most:,} are allowed"
        raise InputError(Fault(message, f"fewer values, or --max-runs {runs}", path="--max-runs"))


def _announced(forecast: Forecast, made: Sweep) -> str:
    """Say how many runs there are, what they take, and with which engine."""
    from gdsim.cli.screen import amount

    cores = f", {forecast.jobs} at a time" if forecast.jobs > 1 else ""
    if made.address is not None:
        cores = f" here{cores}, less on a large cluster"
    losses = f" of up to {forecast.losses:,} losses" if forecast.losses > 1 else ""
    if made.done:
        return f"{forecast.runs:,} runs, all of them done before with the {forecast.engine} engine"
    begun = " (begun before: what is done stays)" if made.begun else ""
    return (
        f"{forecast.runs:,} runs{losses}, {amount(forecast.bytes)} on disk, "
        f"about {duration(forecast.seconds)} with the {forecast.engine} engine{cores} ({forecast.why}){begun}"
    )


def duration(seconds: float) -> str:
    """Return a time to read: seconds, minutes or hours.

    >>> duration(0.4), duration(12.3), duration(600), duration(9000)
    ('a second', '12 s', '10 min', '2.5 h')
    """
    if seconds < 1.5:
        return "a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _say(text: str) -> None:
    from gdsim.cli.screen import wrapped

    click.echo("\n".join(wrapped(text, 0)), err=True)


def _carried_out(made: Sweep, forecast: Forecast, quiet: bool) -> Any:
    """Run the sweep with a bar on the terminal."""
    from gdsim.cli.screen import progress

    start = time.perf_counter()
    with progress(forecast.runs, quiet) as bar:

        def show(runs: int) -> None:
            if bar is not None:
                bar.done += runs
                gone = time.perf_counter() - start
                left = gone * (forecast.runs - bar.done) / max(bar.done, 1)
                bar.show(f"runs, {duration(left)} left" if bar.done else "runs")

        try:
            return made.carry_out(made.plan(forecast), forecast, show, _say)
        except KeyboardInterrupt:
            if bar is not None:
                bar.hide()
            raise


@contextmanager
def _resumable(made: Sweep) -> Iterator[None]:
    """Say how to go on where the sweep, its report or its figures are interrupted, or the disk is full."""
    try:
        yield
    except (KeyboardInterrupt, OSError):
        _say(f"what is done is kept in {made.directory}; the same command goes on from there")
        raise


def _draw(result: Any, directory: Path, figures: tuple[str, ...] = ()) -> None:
    """Write the figures that suit a sweep, or those asked for, each whole or not at all."""
    from gdsim.plots import default_sweep_files
    from gdsim.sweeps.columns import whole_file

    (directory / "figures").mkdir(exist_ok=True)
    for name, content in default_sweep_files(result, figures).items():
        with whole_file(directory / "figures" / name) as file:
            file.write(content)


@click.command()
@click.argument("scenario", type=ScenarioArgument(), metavar="FILE")
@set_option
@click.option("--no-plot", is_flag=True, help="Draw no figure.")
@out_option
@json_option
@click.pass_context
def tune(
    ctx: click.Context, scenario: str, overrides: tuple[str, ...], preset: str | None, no_plot: bool,
    out: Path, as_json: bool,
) -> None:  # fmt: skip
    """Find the learning rate that settles in the fewest steps.

    Sweeps the rate from far below to beyond the limit of theory, then finely round the best; prints that
    Goldilocks rate and the stretch round it with which the run settles, and draws the profile.
    """
    from gdsim.cli.screen import print_json
    from gdsim.runs.run import jsonable
    from gdsim.sweeps.report import summary
    from gdsim.sweeps.results import write_summary
    from gdsim.sweeps.tuning import tune as tuned

    stated: Scenario = scenario_of(scenario, overrides, preset)
    found = tuned(stated, out)
    directory = found.result.directory
    assert directory is not None
    said = {**summary(found.result, stated.name), "learning_rate": found.learning_rate, "steps": found.steps}
    write_summary(directory, said)
    if not no_plot:
        _draw(found.result, directory)
    if as_json:
        print_json(jsonable({**said, "directory": str(directory)}))
        return
    from gdsim.cli.sweep_summary import tuned_summary

    click.echo(tuned_summary(found, stated, directory, brief=ctx.obj["quiet"]))


COMMANDS = (sweep, tune)
