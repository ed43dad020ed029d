"""``gdsim animate``: films of saved runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gdsim.cli.figures import complete_style, read_steps
from gdsim.cli.options import Folder, complete_file, json_option

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from gdsim.plots.film import Film
    from gdsim.runs import Run


def _complete_kind(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from gdsim.plots.kinds import PLOTS

    growing = (name for name, plot in PLOTS.items() if plot.stepwise)
    return [CompletionItem(name) for name in growing if name.startswith(incomplete)]


@click.command()
@click.argument("folder", type=Folder(), metavar="RUN")
@click.option(
    "--kind",
    default="",
    metavar="KIND",
    shell_complete=_complete_kind,
    help="A kind of figure that grows step by step. [default: the first that suits]",
)
@click.option(
    "--format",
    default="",
    metavar="FORMAT",
    help="gif, mp4 or webm; the last two need ffmpeg. [default: as FILE ends, else gif]",
)
@click.option(
    "--style",
    default="slides",
    metavar="STYLE",
    show_default=True,
    shell_complete=complete_style,
    help="slides, slides-dark, paper, print or poster.",
)
@click.option(
    "--size",
    default="720p",
    metavar="SIZE",
    show_default=True,
    help="480p, 720p, 1080p, 1440p, 2160p, square, vertical or WIDTHxHEIGHT in pixels.",
)
@click.option("--no-caption", is_flag=True, help="Leave out the line with loss, learning rate and start.")
@click.option("--fps", type=float, metavar="NUMBER", help="Frames a second. [default: 30; gif: 20]")
@click.option(
    "--seconds",
    type=float,
    metavar="NUMBER",
    help="How long all of it takes. [default: 4 to 12, by the number of steps]",
)
@click.option(
    "--hold",
    type=float,
    default=2.0,
    metavar="NUMBER",
    show_default=True,
    help="How many seconds of these the last frame is held.",
)
@click.option(
    "--steps",
    default="",
    metavar="FROM,TO",
    help="The part of the run that is shown, or its last step only. [default: all of it]",
)
@click.option(
    "--at",
    "looks_at",
    default="",
    metavar="LIST",
    help="Steps to look at closely: tangents on a curve, windows of a zoom.",
)
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    shell_complete=complete_file,
    help="The file. [default: RUN/figures/KIND.FORMAT]",
)
@json_option
@click.pass_context
def animate(
    ctx: click.Context, folder: Path, kind: str, format: str, style: str, size: str, no_caption: bool,
    fps: float | None, seconds: float | None, hold: float, steps: str, looks_at: str, out: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Film a saved run: a figure that grows step by step.

    RUN is a directory that `gdsim run` has written.
    """
    from gdsim.cli.screen import advancing, amount, print_json
    from gdsim.plots.film import Take
    from gdsim.plots.film import animate as film_of
    from gdsim.plots.look import Look

    look, at = Look(style, caption=not no_caption), read_steps(looks_at, "--at")
    look.sheet()
    take = Take(size, fps, seconds, hold, read_steps(steps, "--steps"))
    run = _loaded(folder)
    kind = kind or _first_kind(run)
    file = _target(folder, kind, format, out)
    with advancing(ctx.obj["quiet"] or as_json, "frames") as advance:
        film: Film = film_of(run, kind, file, look=look, at=at, take=take, advance=advance)
    if as_json:
        document: dict[str, Any] = {**film._asdict(), "file": str(film.file)}
        print_json(document)
    elif ctx.obj["quiet"]:
        click.echo(film.file)
    else:
        click.echo(
            f"{film.file}: {amount(film.bytes)}, {film.frames} frames of {film.width} × {film.height}, "
            f"{film.seconds:.1f} s"
        )


def _loaded(folder: Path) -> Run:
    from gdsim.outcomes import Fault, InputError
    from gdsim.runs.store import load

    if (folder / "manifest.json").is_file():
        raise InputError(Fault(f"{folder} is a sweep, which has no steps to film", "the directory of a run"))
    return load(folder)


def _first_kind(run: Run) -> str:
    from gdsim.plots import PLOTS

    return next(name for name, plot in PLOTS.items() if plot.stepwise and not plot.refusal(run))


def _target(folder: Path, kind: str, format: str, out: str | None) -> Path:
    """Return the file to write. Raises InputError where its ending and the format disagree."""
    from pathlib import Path

    from gdsim.outcomes import Fault, InputError, nearest
    from gdsim.plots.encoders import FILM_FORMATS
    from gdsim.plots.film import format_of

    if format and format not in FILM_FORMATS:
        known = nearest(format, FILM_FORMATS)
        raise InputError(
            Fault(f"unknown format {format!r}", " | ".join(FILM_FORMATS), known, path="--format")
        )
    if out is None:
        return folder / "figures" / f"{kind}.{format or 'gif'}"
    file = Path(out)
    ending = format_of(file)
    if format and ending != format:
        raise InputError(Fault(f"{file.name} is to be {format}", f"an ending .{format}", path="--out"))
    return file


COMMANDS = (animate,)
