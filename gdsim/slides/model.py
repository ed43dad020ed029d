"""What is on the slides, as plain data that every format reads: the deck is data, the writers are small."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from gdsim.runs import Run

Role = Literal["line", "path", "mark", "point", "band"]
Weight = Literal["lead", "plain", "quiet"]
Room = Literal["full", "beside", "below"]


@dataclass(frozen=True)
class Line:
    """One paragraph; ``lead`` is the one to read first, ``quiet`` what may be skipped."""

    text: str
    weight: Weight = "plain"


@dataclass(frozen=True)
class Lines:
    """Paragraphs, as bullets where ``bullets``."""

    lines: tuple[Line, ...]
    bullets: bool = False


@dataclass(frozen=True)
class Formula:
    """A formula in each of the ways in which a format can set it."""

    text: str  # Unicode: 2·x² − 1
    latex: str
    mathml: str


@dataclass(frozen=True)
class Table:
    """A table; ``marked`` is the row that matters, ``head`` may be empty."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    alt: str
    marked: int | None = None


@dataclass(frozen=True)
class Picture:
    """A figure of a run, drawn when a format wants it.

    Attributes
    ----------
    run, kind, until
        As for :func:`gdsim.slides.figures.picture`.
    name
        For its file, unique within the deck.
    alt
        What it shows, in words.
    room
        How much of a slide it takes: all, what is left beside some words, or what is left below them.
    """

    run: Run = field(repr=False)
    kind: str
    name: str
    alt: str
    until: int | None = None
    room: Room = "full"


@dataclass(frozen=True)
class Series:
    """One series of a chart: finite numbers only.

    ``line`` is a smooth line, ``path`` points joined in order, ``mark`` points alone, ``point`` one point
    with its name at its ``side``, ``band`` a thick line. ``colour`` counts the accents of the theme from 1;
    series that belong together share one.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    role: Role
    colour: int
    symbol: str = "circle"
    side: Literal["above", "left", "right"] = "above"


@dataclass(frozen=True)
class Chart:
    """A chart of numbers against numbers, native where a format has native charts.

    Attributes
    ----------
    alt
        What it shows, in words.
    x_limits, y_limits
        The ends of the axes; None leaves them to the program that shows the chart.
    name, room
        For its file, and how much of a slide it takes, as for a picture.
    picture
        The figure that stands for it where a format has no charts; None: the chart itself is drawn.
    """

    series: tuple[Series, ...]
    x_label: str
    y_label: str
    alt: str
    name: str
    picture: Picture | None = None
    room: Room = "full"
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    log_x: bool = False
    log_y: bool = False
    legend: bool = True


@dataclass(frozen=True)
class Sketch:
    """A chart, drawn for a format that has none of its own."""

    chart: Chart

    @property
    def name(self) -> str:
        """For its file."""
        return self.chart.name

    @property
    def alt(self) -> str:
        """What it shows."""
        return self.chart.alt


Part: TypeAlias = Lines | Formula | Table | Picture | Chart


@dataclass(frozen=True)
class Slide:
    """One slide: its title, what is on it, and what the speaker says. ``opening`` marks the first one."""

    title: str
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    opening: bool = False

    @property
    def visual(self) -> Chart | Picture | None:
        """The chart or picture of the slide."""
        return next((part for part in self.parts if isinstance(part, Chart | Picture)), None)


@dataclass(frozen=True)
class Deck:
    """A lecture."""

    name: str
    title: str
    slides: tuple[Slide, ...]
    author: str = ""
    date: str = ""

    @property
    def pictures(self) -> tuple[Picture | Sketch, ...]:
        """The figures of a format without native charts, each once, in order."""
        found: dict[str, Picture | Sketch] = {}
        for slide in self.slides:
            if slide.visual is not None:
                picture = picture_of(slide.visual)
                found[picture.name] = picture
        return tuple(found.values())


def picture_of(visual: Chart | Picture) -> Picture | Sketch:
    """Return what stands for a chart or picture in a format without native charts."""
    if isinstance(visual, Picture):
        return visual
    return visual.picture or Sketch(visual)
