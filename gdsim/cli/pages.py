"""``gdsim page``: one offline page of a scenario, a lesson or the course."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gdsim.cli.options import json_option, set_option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class PageArgument(click.ParamType):  # type: ignore[type-arg]
    """A scenario or a lesson; completes to files, shipped scenarios and lessons."""

    name = "page"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the shipped names, then files."""
        from click.shell_completion import CompletionItem

        from gdsim.lessons.course import Course
        from gdsim.scenario.library import shipped_scenarios

        known = [*shipped_scenarios(), *Course().names]
        names = [CompletionItem(name) for name in known if name.startswith(incomplete)]
        return names or [CompletionItem(incomplete, type="file")]


def _complete_part(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from gdsim.page.parts import PARTS

    *before, last = incomplete.split(",")
    begun = ",".join([*before, ""])
    return [CompletionItem(begun + name, help=what) for name, what in PARTS.items() if name.startswith(last)]


@click.command()
@click.argument("wanted", required=False, type=PageArgument(), metavar="FILE|LESSON")
@click.option("-o", "--output", metavar="FILE", help="The file to write. Default: the name, with .html.")
@click.option("--course", is_flag=True, help="The whole course as one page, instead of FILE.")
@click.option(
    "--language", default="en", metavar="NAME", show_default=True, help="The language of a lesson or course."
)
@click.option(
    "--hide", "hidden", multiple=True, metavar="PART,…", shell_complete=_complete_part,
    help="Leave parts of the page out, such as verdict,ruler. May be repeated.",
)  # fmt: skip
@click.option("--torch", is_flag=True, help="Tell PyTorch's derivative at the start too; takes seconds.")
@set_option
@json_option
def page(
    wanted: str | None, output: str | None, course: bool, language: str,
    hidden: tuple[str, ...], torch: bool, overrides: tuple[str, ...], preset: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Write one HTML page that lives without a network.

    FILE is a scenario, or the name of a shipped one: its page computes every descent anew while a slider is
    dragged. LESSON is a name of gdsim lessons list.
    """
    from pathlib import Path

    if course == (wanted is not None):
        raise click.UsageError("FILE|LESSON or --course: one of the two")
    hide = _hidden(hidden)
    lesson = None if course else _lesson(str(wanted))
    if course or lesson:
        _only_of_scenarios(hidden, torch, overrides, preset)
        name, made = _taught(lesson, language)
    else:
        name, made = _of_scenario(str(wanted), hide, torch, overrides, preset)
    target = Path(output) if output else Path(f"{name}.html")
    _write(made, target)
    size = len(made.encode())
    if as_json:
        from gdsim.cli.screen import print_json

        print_json({"file": str(target), "name": name, "bytes": size})
    else:
        click.echo(f"wrote {target}: {size / 1000:.0f} kB")


def _hidden(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words:
        return ()
    from gdsim.page.parts import check_hidden

    return check_hidden(part.strip() for word in words for part in word.split(","))


def _lesson(wanted: str) -> str | None:
    """Return the name of the lesson that an argument means, or None where it means a scenario."""
    from gdsim.cli.options import is_scenario

    if is_scenario(wanted):
        return None
    from pathlib import Path

    from gdsim.lessons.course import Course
    from gdsim.outcomes import Fault, InputError, nearest
    from gdsim.scenario.library import shipped_scenarios

    if Path(wanted).exists():
        return None
    course = Course()
    try:
        return course.find(wanted)
    except InputError:
        known = [*shipped_scenarios(), *course.names, *(name.partition("-")[2] for name in course.names)]
        message = f"{wanted!r} is neither a file, nor a shipped scenario, nor a lesson"
        expected = "a name of gdsim list scenarios or gdsim lessons list"
        raise InputError(Fault(message, expected, nearest(wanted, known))) from None


def _only_of_scenarios(
    hidden: tuple[str, ...], torch: bool, overrides: tuple[str, ...], preset: str | None
) -> None:
    """Refuse what says nothing about a lesson."""
    given = {"--hide": hidden, "--torch": torch, "-S": overrides, "--config": preset}
    for option, value in given.items():
        if value:
            raise click.UsageError(f"{option} is for the page of a scenario, not of a lesson")


def _taught(lesson: str | None, language: str) -> tuple[str, str]:
    if lesson is None:
        from gdsim.page import course_page

        return "course", course_page(language=language)
    from gdsim.page import lesson_page

    return lesson, lesson_page(lesson, language=language)


def _of_scenario(
    wanted: str, hide: tuple[str, ...], torch: bool, overrides: tuple[str, ...], preset: str | None
) -> tuple[str, str]:
    from gdsim.cli.options import scenario_of
    from gdsim.page import scenario_page

    scenario = scenario_of(wanted, overrides, preset)
    return scenario.name, scenario_page(scenario, hide=hide, torch=torch)


def _write(made: str, target: Any) -> None:
    """Write a page, whole or not at all."""
    from gdsim.outcomes import Fault, InputError
    from gdsim.page.document import save

    if target.is_dir():
        raise InputError(Fault("a folder stands where the page belongs", "a file: -o FILE", file=str(target)))
    save(made, target)


COMMANDS = (page,)
