"""``gdsim plot``: figures of saved runs and sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gdsim.cli import NOT_MET
from gdsim.cli.options import Folder, json_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from gdsim.plots.files import Checked, Wish
    from gdsim.runs import Run
    from gdsim.scenario import Scenario


def complete_style(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from gdsim.plots.look import STYLES

    return [CompletionItem(name) for name in STYLES if name.startswith(incomplete)]


def _complete_kind(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from gdsim.plots.kinds import PLOTS, SWEEP_PLOTS

    return [CompletionItem(name) for name in (*PLOTS, *SWEEP_PLOTS) if name.startswith(incomplete)]


def _complete_size(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from gdsim.scenario.figures import SIZES

    return [CompletionItem(name) for name in SIZES if name.startswith(incomplete)]


def look_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--style``, ``--size``, ``--no-caption`` and ``--live-text``."""
    for option in (
        click.option("--live-text", is_flag=True,
                     help="Leave text in SVG as text that can be edited; the viewer's fonts decide."),
        click.option("--no-caption", is_flag=True,
                     help="Leave out the line with loss, learning rate and start."),
        click.option("--size", default="", metavar="SIZE", shell_complete=_complete_size,
                     help="16:9, 4:3, square, column, two-column, a4, poster or WIDTHxHEIGHT in inches."),
        click.option("--style", default="slides", metavar="STYLE", show_default=True,
                     shell_complete=complete_style,
                     help="slides, slides-dark, paper, print or poster."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.argument("folders", nargs=-1, required=True, type=Folder(), metavar="RUN…")
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND[:BY]", shell_complete=_complete_kind,
    help="A kind of figure, as `gdsim list plots` names them. May be repeated; default: those that suit.",
)  # fmt: skip
@look_options
@click.option("--format", "formats", default="svg", metavar="LIST", show_default=True, help="svg, pdf, png.")
@click.option(
    "--steps", default="", metavar="LIST", help="A build-up: one figure for each step, such as 0,1,5,20."
)
@click.option(
    "--at", "looks_at", default="", metavar="LIST",
    help="Steps to look at closely: tangents on a curve, windows of a zoom.",
)  # fmt: skip
@click.option(
    "--check", is_flag=True, help="Write nothing: draw again what is there and exit with 3 on drift."
)
@click.option("--out", type=Folder(), metavar="DIR", help="Where figures go. [default: RUN/figures]")
@json_option
@click.pass_context
def plot(
    ctx: click.Context, folders: tuple[Path, ...], kinds: tuple[str, ...], style: str, size: str,
    no_caption: bool, live_text: bool, formats: str, steps: str, looks_at: str, check: bool, out: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Draw figures of saved runs and sweeps.

    What no option says is as the scenario's `figures:` has it.

    RUN is a directory that `gdsim run` or `gdsim sweep` has written. A kind that shows several runs, such as
    race, draws all of them into one figure.
    """
    from gdsim.plots.files import Wish, formats_of
    from gdsim.plots.look import Look
    from gdsim.scenario.figures import inches

    if check:
        _check(ctx, folders, out, as_json)
        return
    look = Look(style, size, not no_caption, live_text)
    given = {name for name in ctx.params if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if "style" in given:
        look.sheet()
    elif size:  # a scenario may state a style of smaller text
        inches(size)
    wish = Wish(kinds, look, formats_of(formats), read_steps(steps, "--steps"), read_steps(looks_at, "--at"))
    written = [str(file) for file in _drawn(folders, wish, given, out, ctx.obj["quiet"] or as_json)]
    if as_json:
        from gdsim.cli.screen import print_json

        print_json({"files": written})
    else:
        for file in written:
            click.echo(file)


def read_steps(text: str, option: str) -> tuple[int, ...]:
    """Read ``0,1,5``. Raises InputError."""
    from gdsim.outcomes import Fault, InputError

    found = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        if not word.isdecimal():
            raise InputError(Fault(f"{word!r} is no step", "numbers from 0, such as 0,1,5,20", path=option))
        found.append(int(word))
    return tuple(dict.fromkeys(found))


def _stated(wish: Wish, given: set[str], scenario: Scenario | None, run: Run | None) -> Wish:
    """Return a wish in which the scenario says what no option said."""
    from dataclasses import replace

    from gdsim.plots.files import wish_of

    stated = wish_of(scenario, run)
    if "kinds" not in given:
        wish = wish._replace(kinds=stated.kinds)
    if "formats" not in given:
        wish = wish._replace(formats=stated.formats)
    look = wish.look
    if "style" not in given:
        look = replace(look, style=stated.look.style)
    if not {"style", "size"} & given:  # the size stated goes with the style stated
        look = replace(look, size=stated.look.size)
    if "no_caption" not in given:
        look = replace(look, caption=stated.look.caption)
    return wish._replace(look=look)


def _drawn(
    folders: tuple[Path, ...], wish: Wish, given: set[str], out: Path | None, quiet: bool
) -> list[Path]:
    """Draw, write each file whole or not at all, and return the files."""
    from gdsim.cli.screen import progress
    from gdsim.plots.files import figures_of, sweep_figures_of
    from gdsim.plots.kinds import PLOTS
    from gdsim.runs.store import load

    together = [kind for kind in wish.kinds if kind in PLOTS and PLOTS[kind].several]
    alone = wish._replace(kinds=[kind for kind in wish.kinds if kind not in together])
    written: list[Path] = []
    runs = []
    with progress(len(folders), quiet) as bar:
        for folder in folders:
            if bar is not None:
                bar.show(folder.name)
            if _is_sweep(folder):
                from gdsim.sweeps.reading import load as load_sweep

                result = load_sweep(folder)
                said = _stated(wish, given, result.scenario, None)
                written += _write(sweep_figures_of(result, said), out or folder / "figures")
            else:
                runs.append(load(folder))
                if alone.kinds or not together:
                    prefix = f"{folder.name}-" if out is not None and len(folders) > 1 else ""
                    said = _stated(alone, given, runs[-1].scenario, runs[-1])
                    written += _write(figures_of(runs[-1], said), out or folder / "figures", prefix)
            if bar is not None:
                bar.done += 1
        if together and runs:
            said = _stated(wish, given | {"kinds"}, runs[0].scenario, runs[0])
            files = figures_of(runs, said._replace(kinds=together))
            written += _write(files, out or folders[0] / "figures")
    return written


def _is_sweep(folder: Path) -> bool:
    return (folder / "manifest.json").is_file()


def _write(files: Any, folder: Path, prefix: str = "") -> list[Path]:
    from gdsim.sweeps.columns import whole_file

    written = []
    for name, content in files:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{prefix}{name}"
        with whole_file(target) as file:
            file.write(content)
        written.append(target)
    return written


def _check(ctx: click.Context, folders: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """Draw again what is there, and exit with 3 where something is no longer what its run gives."""
    checked = [one for folder in folders for one in _checked(folder, out or folder / "figures")]
    drifted = [one for one in checked if one.fault]
    if as_json:
        from gdsim.cli.screen import print_json

        rows = [{"file": str(one.file), "fault": one.fault} for one in checked]
        print_json({"sound": not drifted, "figures": rows})
    else:
        for one in drifted:
            click.echo(f"{one.file}: {one.fault}")
        from gdsim.cli.running import counted

        outcome = f"{len(drifted)} drifted" if drifted else "all sound"
        click.echo(f"{counted(len(checked), 'figure')}, {outcome}")
    if drifted:
        ctx.exit(NOT_MET)


def _checked(folder: Path, figures: Path) -> list[Checked]:
    from functools import cache

    from gdsim.outcomes import Fault, InputError
    from gdsim.plots.files import check_figures
    from gdsim.runs.store import load
    from gdsim.sweeps.reading import load as load_sweep

    if not figures.is_dir():
        raise InputError(Fault(f"{figures} holds no figures", "a folder in which gdsim has drawn"))

    @cache
    def run_of(name: str) -> Any:
        place = folder.resolve()
        place = place if place.name == name else place.parent / name
        if not place.is_dir():
            message = f"it was drawn from {name}, which is not beside {folder.name}"
            raise InputError(Fault(message, "that directory"))
        return load_sweep(place) if _is_sweep(place) else load(place)

    return list(check_figures(figures, run_of))


COMMANDS = (plot,)
