"""A lesson as a Markdown page: its texts, its runs as console blocks, hints and solutions at the end."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from gdsim.lessons.catalogue import Catalogue
from gdsim.lessons.model import Choice, Experiment, Lesson, Picture, Prediction, Step, Trial, Tuning
from gdsim.lessons.progress import Record
from gdsim.lessons.session import Block, Items, Note, Prose, Session, Shown, ShownSweep
from gdsim.lessons.sweeps import sweep_of
from gdsim.lessons.values import run_of, setting_text

if TYPE_CHECKING:
    from gdsim.runs import Run
    from gdsim.sweeps.result import SweepResult

ImageFormat = Literal["svg", "png"]
_WIDTH = 80
_TYPED = re.compile(r"(?P<before>`|^ {4})run (?P<words>[^`\s][^`\n]*)", re.MULTILINE)


class Page:
    """A lesson on its way to Markdown, and the figures that belong to it.

    Parameters
    ----------
    lesson, texts, phrases
        What is taught, its words, and those of the tutorial.
    format
        Of the figures.

    Attributes
    ----------
    files
        The figures that have been drawn, by their path beside the page.
    """

    def __init__(
        self, lesson: Lesson, texts: Catalogue, phrases: Mapping[str, str], format: ImageFormat = "svg"
    ) -> None:
        self.lesson, self.texts, self.phrases, self.format = lesson, texts, phrases, format
        self.files: dict[str, bytes] = {}

    def text(self) -> str:
        """Return the page."""
        pieces = [f"# {self.texts.title}", self.texts.summary]
        endings = []
        for number, step in enumerate(self.lesson.steps, 1):
            pieces += [f"## {self.heading(number, step)}", *self.body(step)]
            if step.graded:
                endings += [f"### {self.heading(number, step)}", *self.answers(step)]
        pieces += [f"## {self.phrases['export-solutions']}", *endings]
        return "\n\n".join(filter(None, pieces)) + "\n"

    def heading(self, number: int, step: Step) -> str:
        """Return the number of a step, which is that of the terminal, and what it is."""
        match step.task:
            case Prediction():
                word = "prediction"
            case Trial():
                word = "experiment"
            case _:
                word = "exercise" if step.graded else ""
        return f"{number} · {self.phrases[f'export-{word}']}" if word else f"{number}"

    def session(self, step: Step) -> Session:
        """Return a session that stands at a step."""
        return Session(self.lesson, self.texts, self.phrases, Record(at=step.name))

    def question(self, step: Step) -> list[str]:
        """Return prose, options and prompt of a step, without its figures."""
        prompts = not isinstance(step.task, Trial)
        blocks = [block for block in self.session(step).show() if not isinstance(block, Shown | ShownSweep)]
        unwanted = (self.phrases["continue"], self.phrases["run-it"])
        return list(written(blocks, quiet=prompts, unwanted=unwanted))

    def body(self, step: Step) -> Iterator[str]:
        """Yield what stands at the place of a step: nothing of what it asks is answered here."""
        yield from self.question(step)
        match step.task:
            case Picture(experiment, plot, axes=axes) if axes:
                yield self.sweep_figure(sweep_of(self.lesson, experiment, axes), plot, step.name)
            case Picture(experiment, plot, at, until):
                yield self.figure(run_of(self.lesson, experiment), plot, step.name, at, until)
            case Prediction(experiment):
                yield console(self.lesson, experiment)
            case Trial(experiment, edit, plot):
                run = run_of(self.lesson, experiment)
                yield console(self.lesson, experiment, run=run)
                if plot:
                    yield self.figure(run, plot, step.name)
                yield from self.part(step, "reveal")
                if edit:
                    yield self.phrases["export-change"].format(options=_open(edit))
            case Tuning(experiment, edit):
                yield f"`gdsim run {scenario_path(self.lesson, experiment)} {_open(edit)}`"

    def part(self, step: Step, name: str) -> Iterator[str]:
        """Yield a text of a step, filled in; nothing where there is none."""
        from gdsim.lessons.values import filled

        if text := self.texts.text(step.name, name):
            yield in_a_shell(filled(self.lesson, text))

    def answers(self, step: Step) -> Iterator[str]:
        """Yield the hints of a step and what is right, each folded."""
        hints = self.texts.parts(step.name, "hint")
        for number, hint in enumerate(hints, 1):
            title = self.phrases["hint"].format(number=number, count=len(hints))
            yield details(title, self.part(step, hint))
        yield details(self.phrases["export-solution"], self.solution(step))

    def solution(self, step: Step, runs: bool = True) -> Iterator[str]:
        """Yield what is right, and why; with the run that shows it unless ``runs`` is False."""
        yield self.phrases["solution"].format(answer=f"`{self.session(step).written_solution()}`")
        yield from self.part(step, "solution")
        match step.task:
            case Prediction(experiment, plot=plot):
                run = run_of(self.lesson, experiment)
                if runs:
                    yield console(self.lesson, experiment, run=run)
                if runs and plot:
                    yield self.figure(run, plot, step.name)
                yield from self.part(step, "reveal")
            case Tuning(experiment, solution=settings, plot=plot):
                run = run_of(self.lesson, experiment, settings)
                yield console(self.lesson, experiment, settings, run)
                if runs and plot:
                    yield self.figure(run, plot, step.name)
            case Choice(options):
                said = [" ".join(self.part(step, f"feedback {name}")) for name in options]
                yield from written([Items(options, tuple(said))])

    def figure(
        self, run: Run, plot: str, step: str, at: tuple[int, ...] = (), until: int | None = None
    ) -> str:
        """Draw a figure beside the page and return the line that shows it, with its words."""
        from gdsim.plots import alt_text, picture

        drawn = picture(run, plot, self.format, until=until, at=at)
        return self._placed(step, drawn, alt_text(run, plot, until))

    def sweep_figure(self, result: SweepResult, plot: str, step: str) -> str:
        """Do as :meth:`figure` does, for a sweep."""
        from gdsim.plots import sweep_alt_text, sweep_picture

        return self._placed(step, sweep_picture(result, plot, self.format), sweep_alt_text(result, plot))

    def _placed(self, step: str, drawn: bytes, words: str) -> str:
        path = f"{self.lesson.name}/{step}.{self.format}"
        self.files[path] = drawn
        words = re.sub(r"([][])", r"\\\1", " ".join(words.split()))
        return f"![{words}]({path})"


def written(blocks: Iterable[Block], quiet: bool = False, unwanted: Iterable[str] = ()) -> Iterator[str]:
    """Yield blocks of a session as paragraphs of Markdown; runs and figures are left out.

    A note is no Markdown: a star in it is a star.

    >>> list(written([Prose("Which?"), Items(("a", "b"), ("One.", "Two."))]))
    ['Which?', '1. One.\\n2. Two.']
    """
    for block in blocks:
        match block:
            case Prose(text):
                yield in_a_shell(text)
            case Items(_, texts):
                items = (f"{number}. {' '.join(text.split())}" for number, text in enumerate(texts, 1))
                yield "\n".join(items)
            case Note(text, tone) if text not in unwanted and (quiet or tone != "quiet"):
                plain = re.sub(r"([*`])", r"\\\1", text)
                yield f"*{plain}*" if tone == "quiet" else plain


def in_a_shell(text: str) -> str:
    """Return prose with ``run …``, as it is typed in the tutorial, as the command of a shell.

    >>> in_a_shell("Type `run tune parabola`, then `run parabola`.")
    'Type `gdsim tune parabola`, then `gdsim run parabola`.'
    """
    from gdsim.scenario import shipped_scenarios

    def command(match: re.Match[str]) -> str:
        word = match["words"].split()[0]
        return f"{match['before']}gdsim {'run ' if word in shipped_scenarios() else ''}{match['words']}"

    return _TYPED.sub(command, text)


def details(title: str, pieces: Iterable[str]) -> str:
    """Return pieces of Markdown folded under a title."""
    return "\n\n".join([f"<details>\n<summary>{title}</summary>", *filter(None, pieces), "</details>"])


def scenario_path(lesson: Lesson, experiment: Experiment) -> str:
    """Return how a page names a scenario: a shipped one by name, one of the lesson's own beside the page."""
    own = (lesson.folder / experiment.scenario).is_file()
    return f"{lesson.name}/{experiment.scenario}" if own else experiment.scenario


def overrides(experiment: Experiment, settings: Mapping[str, object] | None = None) -> list[str]:
    """Return the settings of an experiment as ``key=value``, those of a learner last."""
    merged = {**experiment.settings, **(settings or {})}
    return [f"{path}={setting_text(value)}" for path, value in merged.items()]


def console(
    lesson: Lesson,
    experiment: Experiment,
    settings: Mapping[str, object] | None = None,
    run: Run | None = None,
) -> str:
    """Return the command that runs an experiment as a console block; with a run, what it says."""
    words = ["gdsim", "run", scenario_path(lesson, experiment)]
    for override in overrides(experiment, settings):
        words += ["-S", override]
    lines = [f"$ {shlex.join([*words, '--no-plot'])}"]
    if run is not None:
        kind = "inflection (saddle)" if run.verdict.kind == "inflection" else run.verdict.kind
        lines.append(f"{kind.replace('_', ' ').upper()}  {run.title}")
        lines += textwrap.wrap(run.verdict.sentence, _WIDTH, initial_indent="  ", subsequent_indent="  ")
        if run.verdict.remedy:
            lines += textwrap.wrap(
                f"→ {run.verdict.remedy}", _WIDTH, initial_indent="  ", subsequent_indent="    "
            )
    return "\n".join(["```console", *lines, "```"])


def _open(edit: Iterable[str]) -> str:
    """Return options whose values a learner has to find."""
    return " ".join(f"-S {path}=…" for path in edit)
