"""A lesson on the terminal: blocks in, lines out, what is typed back."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from gdsim.lessons.session import Block, Heading, Items, Note, Outcome, Prose, Session, Shown

if TYPE_CHECKING:
    from pathlib import Path

    from gdsim.lessons.course import Course
    from gdsim.lessons.progress import Progress

_WIDEST = 80
_COLOURS = {"right": "green", "wrong": "yellow", "hint": "cyan"}
_MARKS = {"right": "✓ ", "wrong": "✗ ", "hint": "→ "}
_WORDS = ("hint", "solution", "skip", "back", "list", "help", "again", "quit", "run")


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

    def run(self, name: str | None) -> None:
        """Take a lesson, or choose one; ends with ``quit`` or at the end of what is typed."""
        while True:
            name = name or self._chosen()
            if name is None or not self._lesson(name):
                return
            name = None

    def _chosen(self) -> str | None:
        """List the lessons and ask for one; Enter goes on where the learner is."""
        self._list()
        following = self._following()
        while True:
            typed = self._typed(f"lesson [{following}]" if following else "lesson")
            if typed is None or typed.lstrip(":") in ("quit", "exit", "q"):
                return None
            if not typed and following:
                return following
            from gdsim.outcomes import InputError

            try:
                return self.course.find(typed)
            except InputError as error:
                click.echo(str(error))

    def _following(self) -> str:
        """The lesson at hand: the one that was begun last, else the first that is not finished."""
        begun = [name for name, record in self.progress.lessons.items() if record.at and not record.finished]
        left = [name for name in self.course.names if not self._finished(name)]
        return next((name for name in reversed(begun) if name in self.course.names), left[0] if left else "")

    def _finished(self, name: str) -> bool:
        record = self.progress.lessons.get(name)
        return record is not None and record.finished

    def _list(self) -> None:
        for name in self.course.names:
            record = self.progress.lessons.get(name)
            mark = "✓" if record and record.finished else "…" if record and record.at else " "
            state = "finished: " if mark == "✓" else "begun: " if mark == "…" else ""
            title = self.course.catalogue(name, self.language).title
            number, _, words = name.partition("-")
            shown = f"{state}{number} {title}" if self.plain else f" {mark} {number}  {title}"
            click.echo(shown + ("" if self.plain else click.style(f"  {words}", dim=True)))

    def _lesson(self, name: str) -> bool:
        """Take one lesson. Returns whether another may be chosen."""
        record = self.progress.record(name)
        session = Session(
            self.course.lesson(name), self.course.catalogue(name, self.language), self.phrases, record
        )
        self.session = session
        self._show(session.begin())
        while not session.over:
            self.progress.save()
            typed = self._typed("")
            if typed is None:
                return False
            word, _, rest = typed.strip().lstrip(":").partition(" ")
            if word == "quit" and not rest:
                return False
            if word == "list" and not rest:
                return True
            self._show(self._done(session, typed, word, rest))
        self.progress.save()
        return self._interactive()

    def _done(self, session: Session, typed: str, word: str, rest: str) -> Iterable[Block]:
        """What a typed line does: a command, or an answer."""
        commands: dict[str, Callable[[], list[Block]]] = {
            "hint": session.hint, "solution": session.solution, "skip": session.skip, "back": session.back,
            "again": session.show, "help": lambda: [Note(self.phrases["help"])],
        }  # fmt: skip
        if word in commands and not rest:
            return commands[word]()
        if word == "run" and rest:
            self._command(rest)
            return []
        return session.answer(typed)

    def _command(self, words: str) -> None:
        """Run a command of gdsim in between."""
        from gdsim.cli import main

        try:
            arguments = shlex.split(words)
            main(
                arguments if arguments[0] in main.list_commands(click.Context(main)) else ["run", *arguments]
            )
        except ValueError as error:
            click.echo(str(error))
        except SystemExit:
            return

    def _typed(self, prompt: str) -> str | None:
        """Read a line; None at the end of what is typed."""
        if self._interactive():
            click.echo(click.style(f"{prompt}{' ' * bool(prompt)}» ", bold=True), nl=False)
        line = sys.stdin.readline()
        if not line:
            return None
        if not self._interactive() and not self.plain:
            click.echo(f"» {line.rstrip()}")
        return line.strip()

    @staticmethod
    def _interactive() -> bool:
        return sys.stdin.isatty()

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
                    mark = "" if self.plain else _MARKS.get(tone, "")
                    click.echo(click.style(mark + text.strip(), fg=_COLOURS.get(tone), dim=tone == "quiet"))
                case Items(_, texts):
                    for number, text in enumerate(texts, 1):
                        click.echo(self._prose(f"{number}. {text}", "   "))
                case Shown(run, plot, at, until):
                    click.echo(self._figure(run, plot, at, until))
                    self._written(block)
                case Outcome(run):
                    click.echo(self._outcome(run))

    def _outcome(self, run: Any) -> str:
        from gdsim.runs.run import coordinates

        final = dict(zip(run.loss.weights, run.trajectory.final_weight[:, 0].tolist(), strict=True))
        head = click.style(run.verdict.kind.replace("_", " ").upper(), bold=True)
        return "\n".join(
            [self._prose(f"{head}  {run.verdict.sentence}", "  "), f"  end at {coordinates(final)}"]
        )

    def _figure(self, run: Any, plot: str, at: tuple[int, ...], until: int | None) -> str:
        """Return a sketch; in plain mode the words that stand for it."""
        from gdsim.plots import alt_text
        from gdsim.plots.sketch import sketch

        if self.plain:
            return alt_text(run, plot, until)
        unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
        return sketch(run, plot, min(_WIDEST, _columns()) - 4, until=until, plain=not unicode)

    def _written(self, shown: Shown) -> None:
        """Write a figure as a file named after its step, and say where it is."""
        if self.figures is None or self.session is None:
            return
        from gdsim.outcomes import InputError
        from gdsim.plots import picture
        from gdsim.sweeps.columns import whole_file

        file = self.figures / self.session.lesson.name / f"{self.session.step.name}.svg"
        try:
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
        """Lay Markdown out in lines of at most 80 columns; emphasis as bold, lists hang."""
        paragraphs = []
        for paragraph in re.split(r"\n\s*\n", text.strip()):
            if paragraph.startswith(("|", "    ")):  # a table, or lines of code: as they stand
                paragraphs.append(paragraph)
                continue
            pieces = re.split(r"\n(?=[-*] |\d+\. )", paragraph)
            paragraphs.append("\n".join(self._piece(piece, indent) for piece in pieces))
        return "\n" + "\n\n".join(paragraphs) if not indent else "\n".join(paragraphs)

    def _piece(self, text: str, indent: str) -> str:
        import textwrap

        words = " ".join(text.split())
        hang = re.match(r"(?:[-*]|\d+\.) ", words)
        lines = textwrap.wrap(
            words, min(_WIDEST, _columns()) - 1, initial_indent=indent,
            subsequent_indent=indent + " " * (len(hang[0]) if hang else 0), break_long_words=False,
        )  # fmt: skip
        return re.sub(r"\*\*(.+?)\*\*|\*([^*]+)\*", self._emphasis, "\n".join(lines), flags=re.DOTALL)

    def _emphasis(self, match: re.Match[str]) -> str:
        text = match[1] or match[2]
        return text if self.plain else click.style(text, bold=bool(match[1]), italic=not match[1])


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size((80, 24)).columns
