"""Which files figures go to, and whether a file still is what its run gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gdsim.outcomes import Fault, InputError, nearest
from gdsim.plots import (
    FORMATS,
    PLOTS,
    Format,
    Look,
    build_up,
    default_kinds,
    default_sweep_figures,
    picture,
    read_stamp,
    sweep_picture,
)

if TYPE_CHECKING:
    from gdsim.runs import Run
    from gdsim.scenario import Scenario
    from gdsim.sweeps.result import SweepResult


class Wish(NamedTuple):
    """What figures are wanted.

    Attributes
    ----------
    kinds
        Kinds, of a sweep also ``kind:by``; none: those that suit.
    look, formats
        How they are dressed, and as which files.
    steps
        For a build-up: one figure for each of these steps; none: the whole run.
    at
        Steps to look at closely.
    """

    kinds: Sequence[str] = ()
    look: Look = Look()
    formats: Sequence[Format] = ("svg",)
    steps: Sequence[int] = ()
    at: Sequence[int] = ()


def wish_of(scenario: Scenario | None, run: Run | None = None) -> Wish:
    """Return the figures that a scenario states; of the kinds those that suit the run, or of a sweep all.

    Figures of sweeps are passed over for a run, and those of runs for a sweep.
    """
    stated: Mapping[str, Any] = (scenario.figures if scenario is not None else None) or {}
    look = Look(stated.get("style", Look().style), stated.get("size", ""), stated.get("caption", True))
    kinds = []
    for kind in stated.get("kinds", ()):
        plot = PLOTS.get(kind)
        if (plot is None) == (run is None) and not (
            plot is not None and run is not None and (plot.several or plot.refusal(run))
        ):
            kinds.append(kind)
    return Wish(tuple(kinds), look, tuple(stated.get("formats", ("svg",))))


def formats_of(text: str) -> tuple[Format, ...]:
    """Read ``svg,pdf``. Raises InputError for an unknown format.

    >>> formats_of("png, svg")
    ('png', 'svg')
    """
    found: list[Format] = []
    for word in (part.strip().lower() for part in text.split(",")):
        known = [one for one in FORMATS if one == word]
        if not known:
            raise InputError(Fault(f"unknown format {word!r}", " | ".join(FORMATS), nearest(word, FORMATS)))
        found += known
    return tuple(dict.fromkeys(found))


def figures_of(run: Run | Sequence[Run], wish: Wish) -> Iterator[tuple[str, bytes]]:
    """Yield the figures of a run, or of several in one, as file name and bytes."""
    kinds = wish.kinds or (() if isinstance(run, Sequence) else default_kinds(run))
    digits = max((len(str(step)) for step in wish.steps), default=0)
    for kind in kinds:
        for format in wish.formats:
            if not wish.steps:
                yield (
                    file_name(kind, wish.look, format),
                    picture(run, kind, format, look=wish.look, at=wish.at),
                )
                continue
            if isinstance(run, Sequence):
                raise InputError(Fault(f"{kind} does not grow step by step", "one run", path="steps"))
            for step, content in build_up(run, kind, wish.steps, format, look=wish.look, at=wish.at):
                yield file_name(f"{kind}-step-{step:0{digits}d}", wish.look, format), content


def sweep_figures_of(result: SweepResult, wish: Wish) -> Iterator[tuple[str, bytes]]:
    """Yield the figures of a sweep as file name and bytes."""
    if wish.steps or wish.at:
        raise InputError(Fault("a sweep has no steps to show", "a run", path="steps" if wish.steps else "at"))
    for figure in wish.kinds or default_sweep_figures(result):
        kind, _, by = figure.partition(":")
        for format in wish.formats:
            content = sweep_picture(result, kind, format, by=by, look=wish.look)
            yield file_name(f"{kind}-{by}" if by else kind, wish.look, format), content


def file_name(stem: str, look: Look, format: Format) -> str:
    """Return the name of a figure's file; style and size are part of it where they are not the usual ones.

    >>> file_name("curve", Look("paper", "4:3"), "pdf")
    'curve-paper-4x3.pdf'
    """
    style = "" if look.style == Look().style else f"-{look.style}"
    size = f"-{look.size.replace(':', 'x').replace('×', 'x').replace(' ', '')}" if look.size else ""
    return f"{stem}{style}{size}.{format}"


class Checked(NamedTuple):
    """A figure that was drawn again: its file, and what is wrong with it; empty where nothing is."""

    file: Path
    fault: str


def check_figures(folder: Path, run_of: Callable[[str], Any]) -> Iterator[Checked]:
    """Draw every stamped figure of a folder again and compare the bytes.

    Parameters
    ----------
    folder
        Holds the figures; files without a stamp are passed over.
    run_of
        Returns the run or the sweep of a directory's name. Raises InputError where there is none.
    """
    for file in sorted(folder.iterdir()):
        format = next((one for one in FORMATS if file.suffix == f".{one}"), None)
        if format is None:
            continue
        content = file.read_bytes()
        facts = read_stamp(content)
        if facts is None:
            continue
        try:
            again = _redrawn(facts, format, run_of)
        except InputError as error:
            yield Checked(file, str(error))
            continue
        yield Checked(file, "" if again == content else "it is no longer what its run gives")


def _redrawn(facts: dict[str, str], format: Format, run_of: Callable[[str], Any]) -> bytes:
    look = Look(
        facts.get("style", "slides"), facts.get("size", ""), facts.get("caption", "") != "no",
        facts.get("live_text", "") == "yes",
    )  # fmt: skip
    version = facts.get("version", "")
    if "sweep" in facts:
        result = run_of(facts["sweep"])
        by = facts.get("by", "")
        return sweep_picture(result, facts.get("kind", ""), format, by=by, look=look, version=version)
    runs = [run_of(name) for name in facts.get("scenario", "").split(",")]
    at = [int(step) for step in facts.get("at", "").split(",") if step]
    until = float(facts["until"]) if "until" in facts else None
    shown = runs if len(runs) > 1 else runs[0]
    return picture(shown, facts.get("kind", ""), format, look=look, until=until, at=at, version=version)
