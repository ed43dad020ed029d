"""Proves a course: every step fails on nothing and passes on its solution, and every word has its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from gdsim.expr.differentiate import derivative
from gdsim.expr.functions import FUNCTIONS
from gdsim.expr.nodes import Expr, symbols
from gdsim.expr.parse import parse, parse_constant
from gdsim.lessons.answers import judge, solution
from gdsim.lessons.catalogue import Catalogue, languages, read_catalogue
from gdsim.lessons.course import FIRST_LANGUAGE, PHRASES, Course
from gdsim.lessons.equivalence import likeness
from gdsim.lessons.misconceptions import wrong_answers
from gdsim.lessons.model import (
    Choice,
    Differentiation,
    Lesson,
    Order,
    Picture,
    Prediction,
    Quantity,
    Step,
    Trial,
    Tuning,
)
from gdsim.lessons.sweeps import sweep_of
from gdsim.lessons.values import filled, has_stray_braces, quoted, run_of, value_of
from gdsim.outcomes import Fault, InputError
from gdsim.scenario.document import read_document

_FEWEST_HINTS, _FEWEST_GRADED, _FEWEST_KINDS = 2, 4, 3
_NUMBER = re.compile(r"(?<![\w.])[-−]?\d+\.\d{2,}(?!\w|\.\d)")
_ANY_NUMBER = re.compile(r"(?<![\w.])[-−]?\d+(?:\.\d+)?(?:e-?\d+)?(?!\w|\.\d)")
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)")
_PUT_IN = re.compile(r"\{\w+\}")  # what a phrase puts in, such as {count}


class Finding(NamedTuple):
    """What is wrong with a course, and where."""

    file: Path
    line: int | None
    message: str
    column: int | None = None

    def __str__(self) -> str:
        """Return ``file:line:column: what is wrong``, as far as the place is known."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{place}: {self.message}"

    @classmethod
    def of(cls, fault: Fault, file: Path) -> Finding:
        """Return a fault of reading with its path and what was expected; in ``file`` where it names none."""
        message = str(fault._replace(file=None, line=None, column=None))
        return cls(Path(fault.file or file), fault.line, message, fault.column)


class Counted(NamedTuple):
    """What a course holds."""

    lessons: int
    steps: int
    exercises: int
    hints: int
    wrong_answers: int
    languages: tuple[str, ...]


def check_course(
    course: Course, names: tuple[str, ...] = (), show: Callable[[str], None] = lambda name: None
) -> tuple[list[Finding], Counted]:
    """Check lessons of a course, all of them by default.

    Parameters
    ----------
    course
        The course.
    names
        Of the lessons to check.
    show
        Told the name of each lesson before it is checked.

    Returns
    -------
    tuple
        What is wrong, and what there is.
    """
    found: list[Finding] = []
    lessons: list[tuple[Lesson, Catalogue]] = []
    for name in names or course.names:
        show(name)
        try:
            lesson = course.lesson(name)
            catalogue = read_catalogue(lesson.folder, FIRST_LANGUAGE)
        except InputError as error:
            found += [Finding.of(fault, course.folder / name) for fault in error.faults]
            continue
        lessons.append((lesson, catalogue))
        found += check_lesson(course, lesson, catalogue)
        for language in languages(lesson.folder):
            if language != FIRST_LANGUAGE:
                found += _check_translation(lesson, catalogue, language)
    return [*found, *_check_phrases(course)], _counted(lessons)


def _counted(lessons: list[tuple[Lesson, Catalogue]]) -> Counted:
    steps = [(step, texts) for lesson, texts in lessons for step in lesson.steps]
    tongues = sorted({language for lesson, _ in lessons for language in languages(lesson.folder)})
    return Counted(
        len(lessons), len(steps), sum(step.graded for step, _ in steps),
        sum(len(texts.parts(step.name, "hint")) for step, texts in steps),
        sum(_ways_to_err(step) for step, _ in steps), tuple(tongues),
    )  # fmt: skip


def _ways_to_err(step: Step) -> int:
    """How many wrong answers a step answers by name."""
    from gdsim.expr.parse import parse

    match step.task:
        case Choice(options, right):
            return len(options) - len(right)
        case Quantity(mistakes=mistakes):
            return len(mistakes)
        case Differentiation(of, by):
            return len({name for name, _ in wrong_answers(parse(of), by)})
    return 0


def check_lesson(course: Course, lesson: Lesson, texts: Catalogue) -> Iterator[Finding]:
    """Yield what is wrong with a lesson and its texts in the first language."""
    file = lesson.folder / "lesson.yaml"
    for needed in lesson.needs:
        if needed not in course.names or needed >= lesson.name:
            yield Finding(file, None, f"needs {needed}, which is no lesson before this one")
    graded = [step for step in lesson.steps if step.graded]
    if len(graded) < _FEWEST_GRADED or len({step.kind for step in graded}) < _FEWEST_KINDS:
        few = f"{_FEWEST_GRADED} graded steps of {_FEWEST_KINDS} kinds"
        yield Finding(file, None, f"a lesson has at least {few}, this one has {len(graded)}")
    yield from _check_headings(lesson, texts)
    yield from _check_values(lesson, texts)
    yield from _check_links(course, texts)
    for step in lesson.steps:
        try:
            yield from _check_step(lesson, step, texts)
        except InputError as error:
            yield Finding(file, None, f"step {step.name}: {error}")


def wanted_parts(step: Step) -> list[str]:
    """Return the headings that a step needs below its own, hints apart."""
    match step.task:
        case Prediction() | Trial():
            return ["reveal"]
        case Choice(options):
            return [f"{word} {name}" for word in ("option", "feedback") for name in options] + ["solution"]
        case Quantity(mistakes=mistakes):
            return [f"mistake {name}" for name in mistakes] + ["solution"]
        case Order(items):
            return [f"item {name}" for name in items] + ["solution"]
    return ["solution"] if step.graded else []


def _check_headings(lesson: Lesson, texts: Catalogue) -> Iterator[Finding]:
    """Every heading has a step and every step its headings."""
    known = {(step.name, part) for step in lesson.steps for part in ("", *wanted_parts(step))}
    for step, part in sorted(known):
        if not texts.text(step, part):
            yield Finding(texts.file, None, f"step {step} has no text{f' ### {part}' if part else ''}")
    graded = {step.name for step in lesson.steps if step.graded}
    for (step, part), passage in texts.steps.items():
        if (step, part) not in known and not (step in graded and part.startswith("hint ")):
            yield Finding(texts.file, passage.line, f"{part or step!r} belongs to no step of the lesson")
    for one in lesson.steps:
        hints = texts.parts(one.name, "hint")
        if hints != [f"hint {number}" for number in range(1, len(hints) + 1)]:
            yield Finding(texts.file, None, f"the hints of {one.name} are not numbered from 1: {hints}")
        if one.graded and not isinstance(one.task, Prediction) and len(hints) < _FEWEST_HINTS:
            yield Finding(texts.file, None, f"step {one.name} has {len(hints)} hints, not {_FEWEST_HINTS}")


def _check_values(lesson: Lesson, texts: Catalogue) -> Iterator[Finding]:
    """Every text can be filled in, every value is used, and no computed number is typed."""
    values: dict[str, float] = {}
    for name in lesson.values:
        try:
            value = value_of(lesson, name)
            if isinstance(value, int | float):
                values[name] = float(value)
        except InputError as error:
            yield Finding(lesson.folder / "lesson.yaml", None, f"value {name}: {error}")
            return
    used = {name for passage in texts.steps.values() for name in quoted(passage.text)}
    for step in lesson.steps:
        if isinstance(step.task, Quantity):
            used |= {step.task.answer, *step.task.mistakes.values()}
    for name in reversed(list(lesson.values)):  # a value may be used by those below it
        if name in used:
            used |= set(quoted(lesson.values[name].expression))
        else:
            yield Finding(lesson.folder / "lesson.yaml", None, f"value {name} is never used")
    for (heading, part), passage in texts.steps.items():
        try:
            filled(lesson, passage.text)
        except InputError as error:
            yield Finding(texts.file, passage.line, f"{heading} {part}: {error}")
        if has_stray_braces(passage.text):
            yield Finding(texts.file, passage.line, "{{ quotes no value")
        for typed in _NUMBER.findall(passage.text):
            same = [name for name, value in values.items() if _is_printed(typed, value)]
            if same:
                quote = f"{{{{ {same[0]} }}}}"
                yield Finding(texts.file, passage.line, f"{typed} is typed; it is {quote}")


def _is_printed(typed: str, value: float) -> bool:
    """Tell whether a typed number is a value, rounded to as many decimals."""
    decimals = len(typed.partition(".")[2])
    return f"{value:.{decimals}f}" == typed.replace("−", "-")


def _check_links(course: Course, texts: Catalogue) -> Iterator[Finding]:
    for (step, _), passage in texts.steps.items():
        for target in _LINK.findall(passage.text):
            if (
                "://" not in target
                and not (texts.file.parent / target).exists()
                and target not in course.names
            ):
                yield Finding(texts.file, passage.line, f"the link {target} of step {step} leads nowhere")


def _check_step(lesson: Lesson, step: Step, texts: Catalogue) -> Iterator[Finding]:
    """Yield what is wrong with how a step works."""
    file = lesson.folder / "lesson.yaml"
    if isinstance(step.task, Picture) and step.task.axes:
        from gdsim.plots import draw_sweep

        draw_sweep(sweep_of(lesson, step.task.experiment, step.task.axes), step.task.plot)
    elif isinstance(step.task, Picture | Prediction | Tuning | Trial):
        run = run_of(lesson, step.task.experiment)
        if step.task.plot:
            from gdsim.plots import draw

            draw(run, step.task.plot, at=step.task.at if isinstance(step.task, Picture) else ())
    if not step.graded:
        return
    if judge(lesson, step, "").right is not False:
        yield Finding(file, None, f"step {step.name} does not fail on an empty answer")
    if not judge(lesson, step, solution(lesson, step)).right:
        yield Finding(file, None, f"step {step.name} does not pass on its solution")
    if isinstance(step.task, Quantity):
        for name, value in step.task.mistakes.items():
            if judge(lesson, step, repr(value_of(lesson, value))).part != f"mistake {name}":
                yield Finding(file, None, f"step {step.name}: the mistake {name} is not told from the answer")
    for part in texts.parts(step.name, "hint"):
        if _gives_away(lesson, step, filled(lesson, texts.text(step.name, part))):
            line = texts.steps[step.name, part].line
            yield Finding(texts.file, line, f"{part} of {step.name} gives the solution away")


def _gives_away(lesson: Lesson, step: Step, hint: str) -> bool:
    """Tell whether a hint holds the solution itself."""
    found = solution(lesson, step)
    match step.task:
        case Quantity(tolerance=tolerance):
            right = float(value_of(lesson, step.task.answer))
            return any(tolerance.allows(_read(number), right) for number in _ANY_NUMBER.findall(hint))
        case Tuning(solution=settings):
            return any(_plain(f"={value}") in _plain(hint) for value in settings.values())
        case Differentiation(of, by):
            return _plain(str(found)) in _plain(hint) or _holds_formula(hint, parse(of), by)
    return False


def _holds_formula(text: str, of: Expr, by: str) -> bool:
    """Tell whether a text has a formula in it that equals the derivative, in any form."""
    names = symbols(of)
    words = "|".join(sorted({*names, *FUNCTIONS, "e"}, key=len, reverse=True))
    found = re.findall(rf"(?:(?<![A-Za-z])(?:{words})(?![A-Za-z])|[0-9.\s²³⁴·−+*/^()-])+", text)
    for piece in found:
        try:
            formula = parse(piece.strip(" .\n"))
        except InputError:
            continue
        if likeness(formula, derivative(of, by), names) in ("proved", "agree"):
            return True
    return False


def _read(number: str) -> float:
    return float(parse_constant(number.replace("−", "-")))


def _plain(text: str) -> str:
    """Return a formula without what may be left out or written in several ways."""
    powers = str.maketrans({"²": "^2", "³": "^3", "·": "*", "−": "-", " ": None})
    return text.translate(powers).replace("*", "").lower()


def _check_translation(lesson: Lesson, original: Catalogue, language: str) -> Iterator[Finding]:
    """A translation has just the headings of the original, and quotes just its values."""
    try:
        texts = read_catalogue(lesson.folder, language)
    except InputError as error:
        yield from (Finding.of(fault, Path()) for fault in error.faults)
        return
    for key in original.steps.keys() - texts.steps.keys():
        yield Finding(texts.file, None, f"no text for {' ### '.join(filter(None, key))}")
    for key in texts.steps.keys() - original.steps.keys():
        yield Finding(
            texts.file, texts.steps[key].line, f"{' ### '.join(filter(None, key))} is not in the original"
        )
    for key in original.steps.keys() & texts.steps.keys():
        if sorted(quoted(texts.steps[key].text)) != sorted(quoted(original.steps[key].text)):
            yield Finding(texts.file, texts.steps[key].line, "it quotes other values than the original")


def _check_phrases(course: Course) -> Iterator[Finding]:
    """What the tutorial itself says is said in every language, with the same words put in."""
    folder = course.folder / PHRASES
    if not folder.is_dir():
        return
    original = _phrases(folder / f"{FIRST_LANGUAGE}.yaml")
    for file in sorted(folder.glob("*.yaml")):
        said = _phrases(file)
        for name in original.keys() - said.keys():
            yield Finding(file, None, f"no text for the phrase {name}")
        for name in said.keys() - original.keys():
            yield Finding(file, None, f"the phrase {name} is not in the original")
        for name in original.keys() & said.keys():
            if sorted(_PUT_IN.findall(said[name])) != sorted(_PUT_IN.findall(original[name])):
                yield Finding(file, None, f"the phrase {name} puts in other words than the original")


def _phrases(file: Path) -> dict[str, str]:
    return {key: str(value) for key, value in read_document(file).data.items()}
