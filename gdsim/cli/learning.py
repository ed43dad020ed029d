"""``gdsim learn`` and ``gdsim lessons``: the tutorial in a terminal, and what authors and teachers need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gdsim.cli import NOT_MET
from gdsim.cli.options import Folder, complete_file, json_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from gdsim.lessons.course import Course
    from gdsim.lessons.progress import Progress


def _complete_lesson(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from gdsim.lessons.course import Course

    return [CompletionItem(name) for name in Course().names if incomplete in name]


def _course_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--course``."""
    return click.option(
        "--course", "folder", type=Folder(), metavar="DIR",
        help="A course of your own. [default: the shipped one]",
    )(command)  # fmt: skip


def _course_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--course`` and ``--language``."""
    command = _course_option(command)
    return click.option(
        "--language", default="en", metavar="NAME", show_default=True,
        help="The language; what is not translated is said in English.",
    )(command)  # fmt: skip


def _course(folder: Path | None) -> Course:
    from gdsim.lessons.course import SHIPPED, Course

    return Course(folder or SHIPPED)


def _progress_file() -> Path:
    """The file in which progress is kept: below GDSIM_HOME, else in the user's folder for programs."""
    import os
    from pathlib import Path

    home = os.environ.get("GDSIM_HOME")
    return (Path(home) if home else Path(click.get_app_dir("gdsim"))) / "progress.json"


@click.command()
@click.argument("lesson", required=False, shell_complete=_complete_lesson)
@_course_options
@click.option("--plain", is_flag=True, help="Plain lines without drawings, for screen readers and pipes.")
@click.option(
    "--figures", type=Folder(), metavar="DIR",
    help="The folder for figures as SVG files. [default: on a terminal outputs/lessons, else none]",
)  # fmt: skip
@click.option("--reset", is_flag=True, help="Forget what was done in LESSON, or in all lessons.")
@click.option(
    "--record", "record", metavar="FILE",
    help="Write a transcript to FILE.md and a receipt to FILE.json, and leave.",
)  # fmt: skip
@click.option("--name", "learner", default="", metavar="NAME", help="Your name, for --record.")
@click.option(
    "--nonce", default="", metavar="WORD", help="The word that your teacher gave out, for --record."
)
def learn(
    lesson: str | None, folder: Path | None, language: str, plain: bool,
    figures: Path | None, reset: bool, record: str | None, learner: str, nonce: str,
) -> None:  # fmt: skip
    """Take a lesson, or choose one from the list.

    Type an answer and Enter; `hint`, `solution`, `skip`, `back`, `again`, `list`, `help` and
    `quit` are commands. What you have done is kept.
    """
    from gdsim.lessons.progress import Progress

    course = _course(folder)
    course.phrases(language)
    progress = Progress(_progress_file())
    name = course.find(lesson) if lesson else None
    if reset:
        _reset(progress, name)
    elif record is not None:
        _hand_in(course, progress, record, learner, nonce, language)
    else:
        from gdsim.cli.lesson_screen import Screen

        Screen(course, progress, language, plain, figures or _default_figures()).run(name)


def _default_figures() -> Path | None:
    import sys
    from pathlib import Path

    return Path("outputs", "lessons") if sys.stdout.isatty() else None


def _reset(progress: Progress, name: str | None) -> None:
    """Forget one lesson or all, after asking where somebody is there to answer."""
    from gdsim.cli.lesson_input import interactive

    records = progress.lessons if name is None else {k: v for k, v in progress.lessons.items() if k == name}
    what = name or "all lessons"
    if not any(record.at or record.finished for record in records.values()):
        click.echo(f"nothing to forget: {what}")
        return
    if interactive():
        answers = sum(len(record.attempts) for record in records.values())
        click.confirm(f"Forget what you have done in {what} ({answers} answers)?", abort=True, err=True)
    progress.reset(name)
    click.echo(f"forgotten: {what}")


def _hand_in(
    course: Course, progress: Progress, target: str, learner: str, nonce: str, language: str
) -> None:
    """Write a transcript and a receipt."""
    import json
    from pathlib import Path

    from gdsim.lessons.receipts import receipt, transcript
    from gdsim.outcomes import Fault, InputError
    from gdsim.sweeps.columns import whole_file

    if not any(record.attempts for record in progress.lessons.values()):
        raise InputError(Fault("nothing has been answered yet", "gdsim learn first", path="--record"))
    path = Path(target)
    stem = path.with_suffix("") if path.suffix in (".md", ".json") else path
    pages = [
        transcript(course.lesson(name), course.catalogue(name, language), record)
        for name, record in sorted(progress.lessons.items())
        if name in course.names and record.attempts
    ]
    made = receipt(course, progress, learner, nonce)
    files = {".md": "\n".join(pages), ".json": json.dumps(made, indent=1, ensure_ascii=False) + "\n"}
    for suffix, text in files.items():
        file = stem.with_name(stem.name + suffix)
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as stream:
            stream.write(text.encode("utf-8"))
        click.echo(str(file))


@click.group()
def lessons() -> None:
    """List, check, write, export and grade lessons."""


@lessons.command("list")
@_course_options
@json_option
def list_(folder: Path | None, language: str, as_json: bool) -> None:
    """List the lessons and how far you are."""
    from gdsim.cli.screen import print_json, table
    from gdsim.lessons.progress import Progress

    course, progress = _course(folder), Progress(_progress_file())
    rows: list[dict[str, Any]] = []
    for name in course.names:
        texts, lesson = course.catalogue(name, language), course.lesson(name)
        record = progress.lessons.get(name)
        state = "finished" if record and record.finished else "begun" if record and record.at else ""
        rows.append({
            "name": name, "title": texts.title, "summary": texts.summary, "minutes": lesson.minutes,
            "steps": len(lesson.steps), "exercises": sum(step.graded for step in lesson.steps),
            "state": state,
        })  # fmt: skip
    if as_json:
        print_json({"lessons": rows})
        return
    heads = ["lesson", "", "minutes", "exercises", ""]
    cells = [[r["name"], r["title"], str(r["minutes"]), str(r["exercises"]), r["state"]] for r in rows]
    click.echo(table(heads, cells))


@lessons.command()
@click.argument("names", nargs=-1, metavar="[LESSON]…", shell_complete=_complete_lesson)
@_course_option
@json_option
@click.pass_context
def check(ctx: click.Context, names: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Prove a course: every step, hint, figure, number and language.

    Every graded step has to fail on an empty answer and pass on its solution; hints are there and do not give
    it away; scenarios run, figures draw, links lead somewhere, numbers in the prose are computed,
    translations say what the original says. Exits with 3 where something is wrong.
    """
    from gdsim.cli.screen import print_json, progress
    from gdsim.lessons.check import check_course

    course = _course(folder)
    wanted = tuple(course.find(name) for name in names) or course.names
    with progress(len(wanted), ctx.obj["quiet"] or as_json) as bar:

        def show(name: str) -> None:
            if bar is not None:
                bar.show(name)
                bar.done += 1

        found, counted = check_course(course, wanted, show)
    if as_json:
        rows = [one._asdict() | {"file": str(one.file)} for one in found]
        print_json({"sound": not found, **counted._asdict(), "findings": rows})
    else:
        for one in found:
            click.echo(str(one))
        word = "lesson" if counted.lessons == 1 else "lessons"
        faults = f"{len(found)} fault{'s' * (len(found) > 1)}"
        click.echo(
            f"{counted.lessons} {word}, {counted.steps} steps, {counted.exercises} exercises, "
            f"{counted.hints} hints, {counted.wrong_answers} wrong answers that are understood, "
            f"in {', '.join(counted.languages) or 'no language'}: " + (faults if found else "all sound")
        )
    if found:
        ctx.exit(NOT_MET)


@lessons.command()
@click.argument("name", metavar="NN-TOPIC")
@click.option("--course", "folder", type=Folder(), metavar="DIR", default="course", show_default=True,
              help="The course to which it is added.")  # fmt: skip
@json_option
def new(name: str, folder: Path, as_json: bool) -> None:
    """Begin a lesson that passes the check, with a step of each kind.

    Writes a folder with a step of each kind that passes `gdsim lessons check`. The name is two digits and
    words, such as 20-my-topic.
    """
    from gdsim.cli.screen import print_json
    from gdsim.lessons.scaffold import scaffold

    files = [str(file) for file in scaffold(folder, name)]
    if as_json:
        print_json({"files": files})
    else:
        click.echo("\n".join(files))


@lessons.command()
@click.argument("names", nargs=-1, metavar="[LESSON]…", shell_complete=_complete_lesson)
@click.option(
    "--to", "form", type=click.Choice(["markdown", "notebook"]), default="markdown", show_default=True,
    help="A Markdown page with figures, or a Jupyter notebook that does the runs.",
)  # fmt: skip
@click.option(
    "--out", type=Folder(), metavar="DIR", default="outputs/lessons", show_default=True,
    help="The folder to which the files are written.",
)  # fmt: skip
@click.option(
    "--format", "format", type=click.Choice(["svg", "png"]), default="svg", show_default=True,
    help="The format of the figures of a Markdown page.",
)  # fmt: skip
@_course_options
@json_option
@click.pass_context
def export(
    ctx: click.Context, names: tuple[str, ...], form: Any, out: Path, format: Any, folder: Path | None,
    language: str, as_json: bool,
) -> None:  # fmt: skip
    """Write lessons as Markdown pages or notebooks.

    All lessons of the course where none is named. Files of the same name are replaced.
    """
    from gdsim.cli.screen import print_json, progress
    from gdsim.lessons.export import export as exported
    from gdsim.sweeps.columns import whole_file

    course = _course(folder)
    course.phrases(language)
    wanted = tuple(course.find(name) for name in names) or course.names
    files: list[str] = []
    pages: list[str] = []
    with progress(len(wanted), ctx.obj["quiet"] or as_json) as bar:
        for name in wanted:
            if bar is not None:
                bar.show(name)
            made = exported(course, name, form, language, format)
            for path, content in made.items():
                file = out / path
                file.parent.mkdir(parents=True, exist_ok=True)
                with whole_file(file) as stream:
                    stream.write(content)
                files.append(str(file))
            pages.append(str(out / next(iter(made))))
            if bar is not None:
                bar.done += 1
    if as_json:
        print_json({"pages": pages, "files": files})
    else:
        click.echo("\n".join(pages))


@lessons.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|DIR…", shell_complete=complete_file)
@click.option("--nonce", default="", metavar="WORD", help="The word that you gave out.")
@_course_option
@json_option
@click.pass_context
def verify(
    ctx: click.Context, files: tuple[str, ...], nonce: str, folder: Path | None, as_json: bool
) -> None:
    """Check receipts and print a table of grades as CSV.

    Of a folder those of all folders below it, too. Every answer is judged again. Exits with 3 where a
    receipt is not sound.
    """
    from gdsim.cli.screen import print_json
    from gdsim.lessons.receipts import grades
    from gdsim.lessons.receipts import verify as verified

    course = _course(folder)
    found = [(verified(course, path, nonce), place) for path, place in _receipts(files)]
    if as_json:
        rows = [{**one._asdict(), "file": str(one.file), "sound": one.sound} for one, _ in found]
        print_json({"sound": all(one.sound for one, _ in found), "receipts": rows})
    else:
        click.echo(grades(one._replace(file=place) for one, place in found), nl=False)
    if not all(one.sound for one, _ in found):
        ctx.exit(NOT_MET)


def _receipts(files: tuple[str, ...]) -> list[tuple[Path, Path]]:
    """Return the receipts that are meant, those of a folder with all below, and how the table names them."""
    from pathlib import Path

    from gdsim.outcomes import Fault, InputError

    found: list[tuple[Path, Path]] = []
    for file in map(Path, files):
        if not file.is_dir():
            found.append((file, Path(file.name)))
            continue
        below = sorted(file.rglob("*.json"))
        if not below:
            raise InputError(
                Fault("there is no receipt below this folder", "files that end in .json", file=str(file))
            )
        found += [(path, path.relative_to(file)) for path in below]
    return found


COMMANDS = (learn, lessons)
