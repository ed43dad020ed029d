"""A lesson on the terminal: blocks in, lines out, what is typed back."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from gdsim.cli.lesson_input import Lines, interactive
from gdsim.lessons.session import Block, Heading, Items, Note, Outcome, Prose, Session, Shown, ShownSweep
from gdsim.outcomes import InputError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from gdsim.lessons.course import Course
    from gdsim.lessons.progress import Progress

_WIDEST = 80  # columns of prose
_WIDEST_FIGURE = 100
_AROUND_FIGURE = 12  # rows of the terminal that a figure leaves to what is said about it
_ROWS = (8, 20)  # of a figure
_COLOURS = {"right": "green", "wrong": "magenta", "hint": "cyan"}
_MARKS = {"right": "✓ ", "wrong": "✗ ", "hint": "→ "}
_LEAVE = ("quit", "exit")


class Screen:
    """The tutorial on a terminal, or on a pipe.

    Parameters
    ----------
    course, progress, language
        What is taught, how far the learner is, and in which language.
    plain
        Whether lines are plain: no drawings, no marks but words.
    figures
        The folder below which each figure that is shown is written as a file, too; None: nothing is written.

    Attributes
    ----------
    unsaved
        What kept the progress from being written when it was last tried; None where it is written.
    """

    def __init__(
        self,
        course: Course,
        progress: Progress,
        language: str,
        plain: bool = False,
        figures: Path | None = None,
    ) -> None:
        self.course, self.progress, self.language = course, progress, language
        self.plain, self.figures = plain, figures
        self.session: Session | None = None
        self.phrases = course.phrases(language)
        self.lines = Lines(plain)
        self.unsaved: Exception | None = None

    def run(self, name: str | None) -> None:
        """Take a lesson, or choose one; ends with ``quit`` or at the end of what is typed.

        Raises
        ------
        OSError, InputError
            Where the progress could not be written to the last.
        """
        while True:
            name = name or self._chosen()
            if name is None or not self._lesson(name):
                break
            name = None
        if self.unsaved is not None:
            raise self.unsaved

    def _chosen(self) -> str | None:
        """List the lessons and ask for one; Enter goes on where the learner is."""
        following = self._following()
        self._list()
        choose = self.phrases["choose" if following else "choose-again"]
        self._show([Note("\n" + choose.format(lesson=following), "quiet")])
        prompt = self.phrases["prompt-lesson"]
        while True:
            typed = self.lines.read(f"{prompt} [{following}]" if following else prompt)
            if typed is None or typed.lower() in _LEAVE:
                return None
            word, _, rest = typed.removeprefix(":").partition(" ")
            if word.lower() in ("list", "help") and not rest:
                return self._chosen()
            if word == "run" and rest:
                self._command(rest)
                continue
            if not typed and not following:
                continue
            try:
                return self.course.find(typed or following)
            except InputError as error:
                self._show([Note(str(error), "wrong")])

    def _following(self) -> str:
        """The lesson at hand: the one that was entered last, else the first that is not finished."""
        left = [name for name in self.course.names if not self._finished(name)]
        last = self.progress.last
        return last if last in left else left[0] if left else ""

    def _finished(self, name: str) -> bool:
        record = self.progress.lessons.get(name)
        return record is not None and record.finished

    def _list(self) -> None:
        for name in self.course.names:
            record = self.progress.lessons.get(name)
            finished, begun = self._finished(name), bool(record and record.at)
            title = self.course.catalogue(name, self.language).title
            number, _, words = name.partition("-")
            far = ""
            if begun and not finished and record is not None:
                steps = [step.name for step in self.course.lesson(name).steps]
                far = f"{steps.index(record.at) + 1}/{len(steps)}" if record.at in steps else ""
            if self.plain:
                state = "finished: " if finished else "begun: " if begun else ""
                click.echo(f"{state}{number} {title}" + f", step {far}" * bool(far))
            else:
                mark = click.style("✓", fg="green") if finished else "…" if begun else " "
                beside = click.style("  ".join(filter(None, (words, far))), dim=True)
                click.echo(f" {mark} {number}  {title}  {beside}")

    def _lesson(self, name: str) -> bool:
        """Take one lesson. Returns whether another may be chosen."""
        record = self.progress.record(name)
        session = Session(
            self.course.lesson(name), self.course.catalogue(name, self.language), self.phrases, record
        )
        self.session = session
        self.progress.last = name
        blocks = session.begin()
        while not session.over:
            self._save()  # before anything is shown or asked, so that nothing is lost whenever it ends
            self._show(blocks)
            typed = self.lines.read(session.prompt())
            word = "" if typed is None else typed.removeprefix(":").lower()
            if typed is None or word in _LEAVE:
                return False
            if word == "list":
                return True
            blocks = self._done(session, typed)
        self._save()
        following = self._following()
        if session.record.finished and following:
            title = self.course.catalogue(following, self.language).title
            blocks = [*blocks, Note(self.phrases["next-lesson"].format(title=title))]
        self._show([*blocks, Note("")])
        return interactive()

    def _save(self) -> None:
        """Write the progress; where that fails the lesson goes on, and is tried again."""
        try:
            self.progress.save()
            self.unsaved = None
        except (OSError, InputError) as error:
            if self.unsaved is None:
                click.echo(self.phrases["saved-not"].format(fault=error), err=True)
            self.unsaved = error

    def _done(self, session: Session, typed: str) -> list[Block]:
        """What a typed line does: a command, or an answer."""
        commands: dict[str, Callable[[], list[Block]]] = {
            "hint": session.hint, "solution": session.solution, "skip": session.skip, "back": session.back,
            "again": session.show, "help": lambda: [Note(self.phrases["help"])],
        }  # fmt: skip
        word, _, rest = typed.removeprefix(":").partition(" ")
        if word.lower() in commands and not rest:
            return commands[word.lower()]()
        if word == "?" and not rest:
            return commands["help"]()
        if word == "run" and rest:
            self._command(rest)
            return []
        before = len(session.record.attempts)
        blocks = session.answer("" if word == "run" else typed)
        meant = nearest(word.lower(), [*commands, "list", "quit"]) if word.isalpha() and not rest else ""
        if meant and len(session.record.attempts) == before and not session.over:
            blocks.append(Note(self.phrases["no-such-command"].format(word=meant), "quiet"))
        return blocks

    def _command(self, words: str) -> None:
        """Run a command of gdsim in between."""
        from gdsim.cli import main

        try:
            arguments = shlex.split(words)
        except ValueError as error:
            click.echo(str(error))
            return
        if arguments[:1] == ["gdsim"]:
            del arguments[0]
        if not arguments or arguments[0] not in main.list_commands(click.Context(main)):
            arguments = ["run", *arguments]
        if click.get_current_context().color is False:
            arguments = ["--no-color", *arguments]
        with suppress(SystemExit):
            main(arguments)

    def _show(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            match block:
                case Heading(text, 1):
                    click.echo("\n" + click.style(text, bold=True))
                case Heading(text, _):
                    click.echo("\n" + click.style(text if self.plain else f"── {text} ──", dim=True))
                case Prose(text):
                    click.echo(self._prose(text))
                case Note(text, tone):
                    click.echo(self._note(text, tone))
                case Items(_, texts):
                    for number, text in enumerate(texts, 1):
                        click.echo(self._prose(f"{number}. {text}", "   "))
                case Shown() as shown:
                    click.echo(self._figure(shown))
                    self._written(shown)
                case ShownSweep() as swept:
                    click.echo(self._sweep_figure(swept))
                    self._written(swept)
                case Outcome(run):
                    click.echo(self._outcome(run))

    def _note(self, text: str, tone: str) -> str:
        """Lay a note out: the lines of a list as they are, a sentence wrapped."""
        mark = "" if self.plain else _MARKS.get(tone, "")
        lines = [
            piece
            for line in text.rstrip().split("\n")
            for piece in _wrapped(mark + line, "", "  " * bool(mark)) or [""]
        ]
        return click.style("\n".join(lines), fg=_COLOURS.get(tone), dim=tone == "quiet")

    def _outcome(self, run: Any) -> str:
        from gdsim.markup import coordinates

        final = dict(zip(run.loss.weights, run.trajectory.final_weight[:, 0].tolist(), strict=True))
        head = run.verdict.kind.replace("_", " ").upper()
        return self._prose(f"**{head}** {run.verdict.sentence}", "  ") + f"\n  end at {coordinates(final)}"

    def _figure(self, shown: Shown) -> str:
        """Return a sketch as large as the terminal allows; in plain mode the words that stand for it."""
        from gdsim.plots import alt_text
        from gdsim.plots.sketch import sketch

        if self.plain:
            return "\n".join(_wrapped(alt_text(shown.run, shown.plot, shown.until)))
        columns, rows, unicode = _room()
        return "\n" + sketch(
            shown.run, shown.plot, columns, rows, at=shown.at, until=shown.until, plain=not unicode
        )

    def _sweep_figure(self, shown: ShownSweep) -> str:
        """Return a sketch of a sweep; in plain mode the words that stand for it."""
        from gdsim.plots import sweep_alt_text
        from gdsim.plots.sketch_sweeps import sketch_sweep

        if self.plain:
            return "\n".join(_wrapped(sweep_alt_text(shown.result, shown.plot)))
        columns, rows, unicode = _room()
        return "\n" + sketch_sweep(shown.result, shown.plot, columns, rows, plain=not unicode)

    def _written(self, shown: Shown | ShownSweep) -> None:
        """Write a figure as a file named after its step, and say where it is."""
        if self.figures is None or self.session is None:
            return
        from gdsim.plots import picture, sweep_picture
        from gdsim.sweeps.columns import whole_file

        file = self.figures / self.session.lesson.name / f"{self.session.step.name}.svg"
        try:
            if isinstance(shown, ShownSweep):
                content = sweep_picture(shown.result, shown.plot)
            else:
                content = picture(shown.run, shown.plot, until=shown.until, at=shown.at)
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as stream:
                stream.write(content)
        except (OSError, InputError) as error:  # the lesson goes on without it
            said = self.phrases["figure-not-written"].format(fault=error)
        else:
            said = self.phrases["figure-written"].format(file=file)
        click.echo(click.style(said, dim=True))

    def _prose(self, text: str, indent: str = "") -> str:
        """Lay Markdown out in lines of at most 80 columns; emphasis as bold, lists hang, code stays."""
        paragraphs = []
        for paragraph in re.split(r"\n\s*\n", text.strip()):
            if paragraph.startswith("```"):
                paragraphs.append("\n".join(f"    {line}" for line in paragraph.split("\n")[1:-1]))
                continue
            if paragraph.startswith(("|", "    ")):  # a table, or lines of code: as they stand
                paragraphs.append(paragraph)
                continue
            pieces = re.split(r"\n(?=[-*] |\d+\. )", paragraph)
            paragraphs.append("\n".join(self._piece(piece, indent) for piece in pieces))
        return "\n" + "\n\n".join(paragraphs) if not indent else "\n".join(paragraphs)

    def _piece(self, text: str, indent: str) -> str:
        words = " ".join(text.split())
        hang = re.match(r"(?:[-*]|\d+\.) ", words)
        lines = _wrapped(words, indent, indent + " " * (len(hang[0]) if hang else 0))
        return re.sub(
            r"\*\*(.+?)\*\*|\*([^*\s][^*]*)\*|`([^`]+)`", self._emphasis, "\n".join(lines), flags=re.DOTALL
        )

    def _emphasis(self, match: re.Match[str]) -> str:
        text = match[1] or match[2] or match[3]
        return text if self.plain else click.style(text, bold=not match[2], italic=bool(match[2]))


def _room() -> tuple[int, int, bool]:
    """Return how many columns and rows a sketch may take, and whether the terminal shows Unicode."""
    import shutil

    unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    size = shutil.get_terminal_size((80, 24))
    rows = min(max(size.lines - _AROUND_FIGURE, _ROWS[0]), _ROWS[1])
    return min(_WIDEST_FIGURE, max(40, size.columns)) - 4, rows, unicode


def _wrapped(text: str, first: str = "", others: str = "") -> list[str]:
    """Return a text in lines no wider than the terminal."""
    import shutil
    import textwrap

    columns = min(_WIDEST, shutil.get_terminal_size((80, 24)).columns) - 1
    return textwrap.wrap(
        text, max(columns, 20), initial_indent=first, subsequent_indent=others, break_on_hyphens=False,
    )  # fmt: skip
