"""``gdsim deck``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gdsim.cli.options import complete_file, json_option

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from gdsim.slides.content import Entry, Words
    from gdsim.slides.lecture import Lecture

_FORMATS = ("pptx", "beamer", "quarto", "marp", "html")


class RunArgument(click.ParamType):  # type: ignore[type-arg]
    """A run directory, a deck file or a scenario; completes to files and shipped scenarios."""

    name = "run"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the shipped names, then files."""
        from gdsim.cli.options import ScenarioArgument

        return ScenarioArgument().shell_complete(ctx, param, incomplete)


@click.command()
@click.argument("runs", nargs=-1, required=True, type=RunArgument(), metavar="RUN…")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    shell_complete=complete_file,
    help="The file to write; its ending chooses the format.",
)
@click.option(
    "--to", "kind", type=click.Choice(_FORMATS),
    help="The format, where the ending of FILE does not tell. Default: pptx.",
)  # fmt: skip
@click.option(
    "--template", metavar="FILE", help="A .pptx or .potx whose layouts, colours and fonts are used."
)
@click.option(
    "--style", metavar="STYLE", default="slides", show_default=True, help="The style of the figures."
)
@click.option(
    "--kinds", metavar="KIND,…", help="The slides to show for each run, such as steps,verdict,contour."
)
@click.option("--steps", metavar="N,…", help="The steps of the build-up, such as 0,1,5,20.")
@click.option("--title", metavar="TEXT", help="The title of the lecture.")
@click.option("--author", metavar="TEXT", help="Who gives it.")
@click.option("--date", metavar="TEXT", help="When, as it is to be printed.")
@click.option("--include", is_flag=True, help="Write the slides alone, for a document of your own.")
@json_option
@click.pass_context
def deck(
    ctx: click.Context, runs: tuple[str, ...], output: str | None, kind: str | None, template: str | None,
    style: str, kinds: str | None, steps: str | None, title: str | None, author: str | None, date: str | None,
    include: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make a slide deck from runs.

    RUN is a run directory, a deck.yaml or the folder that holds one, or a scenario.
    """
    from pathlib import Path

    from gdsim.cli.screen import advancing
    from gdsim.slides.formats import FORMATS, Look, assemble, check, kind_of, ready, save

    kind = kind or kind_of(Path(output) if output else None)
    check(kind, style, bool(template), include)
    ready(kind)
    lecture = _lecture(runs, kinds, steps)
    entries = _carried_out(lecture, ctx.obj["quiet"] or as_json)
    made = assemble(
        entries, title or lecture.title, author or lecture.author, date or lecture.date, lecture.name
    )
    target = Path(output) if output else Path("outputs") / f"{lecture.name}{FORMATS[kind].suffix}"
    look = Look(Path(template) if template else None, style, include)
    with advancing(ctx.obj["quiet"] or as_json, "figures") as advance:
        written = save(made, target, kind, look, advance)
    _tell(made, written, kind, as_json)


def _tell(made: Any, written: list[Path], kind: str, as_json: bool) -> None:
    if as_json:
        from gdsim.cli.screen import print_json

        slides = [slide.title for slide in made.slides]
        files = [str(path) for path in written]
        print_json({"file": files[0], "figures": files[1] if files[1:] else None, "format": kind,
                    "title": made.title, "slides": slides})  # fmt: skip
    else:
        beside = f" and {written[1]}/" if written[1:] else ""
        click.echo(f"wrote {written[0]}{beside}: {len(made.slides)} slides")


def _lecture(runs: tuple[str, ...], kinds: str | None, steps: str | None) -> Lecture:
    """Read all that the arguments mean into one lecture. Raises InputError with all faults."""
    from gdsim.outcomes import Fault, InputError
    from gdsim.slides.lecture import Lecture

    options = {"kinds": _kinds(kinds), "steps": _steps(steps)}
    found: list[Lecture] = []
    faults: list[Fault] = []
    for argument in runs:
        try:
            found.append(_one(argument, options))
        except InputError as error:
            faults += (fault for fault in error.faults if fault not in faults)
    if faults:
        raise InputError(*faults)
    first = next((one for one in found if one.title), found[0])
    items = tuple(item for one in found for item in one.items)
    return Lecture(first.name, first.title, items, first.author, first.date)


def _one(argument: str, options: dict[str, Any]) -> Lecture:
    from pathlib import Path

    from gdsim.cli.options import scenario_of
    from gdsim.outcomes import Fault, InputError
    from gdsim.slides.lecture import DECK_FILE, Lecture, Source, is_deck, read_deck

    path = Path(argument)
    if path.is_dir():
        if (path / "summary.json").is_file():
            return Lecture(path.resolve().name, "", (Source(None, path, options),))
        if (path / DECK_FILE).is_file():
            return _shown(read_deck(path / DECK_FILE), options)
        expected = f"a folder with a summary.json, as gdsim run writes it, or with a {DECK_FILE}"
        raise InputError(Fault("this is no run directory", expected, file=argument))
    if path.is_file() and is_deck(path):
        return _shown(read_deck(path), options)
    scenario = scenario_of(argument)
    return Lecture(scenario.name, "", (Source(scenario, None, options),))


def _shown(lecture: Lecture, options: dict[str, Any]) -> Lecture:
    """Put the options of the command line over those of a file."""
    from dataclasses import replace

    from gdsim.slides.lecture import Source

    given = {key: value for key, value in options.items() if value}
    items = [
        item._replace(options={**item.options, **given}) if isinstance(item, Source) else item
        for item in lecture.items
    ]
    return replace(lecture, items=tuple(items))


def _kinds(text: str | None) -> tuple[str, ...]:
    from gdsim.outcomes import Fault, InputError, nearest
    from gdsim.slides.content import all_kinds

    given = tuple(word.strip() for word in text.split(",")) if text else ()
    known = all_kinds()
    expected = f"one of {', '.join(known)}"
    faults = [
        Fault(f"unknown kind of slide {kind!r}", expected, nearest(kind, known), path="--kinds")
        for kind in given if kind not in known
    ]  # fmt: skip
    if faults:
        raise InputError(*faults)
    return given


def _steps(text: str | None) -> tuple[int, ...]:
    from gdsim.outcomes import Fault, InputError

    given = [word.strip() for word in text.split(",")] if text else []
    wrong = [word for word in given if not (word.isascii() and word.isdigit() and len(word) < 13)]
    if wrong:
        raise InputError(Fault(f"{wrong[0]!r} is no step", "whole numbers such as 0,1,5,20", path="--steps"))
    return tuple(map(int, given))


def _carried_out(lecture: Lecture, quiet: bool) -> list[Entry | Words]:
    """Run the scenarios and load the saved runs, with a bar on a terminal."""
    from gdsim.cli.screen import progress
    from gdsim.slides.lecture import Source

    done: list[Entry | Words] = []
    with progress(len(lecture.items), quiet) as bar:
        for item in lecture.items:
            if bar is not None:
                bar.show(item.name if isinstance(item, Source) else "")
                bar.done += 1
            done.append(item.entry() if isinstance(item, Source) else item)
    return done


COMMANDS = (deck,)
