"""What every command prints with: numbers, tables, JSON, sparklines, a progress bar."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

BLOCKS = "▁▂▃▄▅▆▇█"
_BAR = 24


def width() -> int:
    """The columns to write in: those of the terminal, at most 100."""
    import shutil

    return max(40, min(100, shutil.get_terminal_size((80, 24)).columns))


def wrapped(text: str, indent: int) -> list[str]:
    """Return a text as lines no wider than the terminal, all but the first indented by two more.

    >>> wrapped("one two", 2)
    ['  one two']
    """
    import textwrap

    margin = " " * indent
    return textwrap.wrap(text, width(), initial_indent=margin, subsequent_indent=f"{margin}  ")


def typed(word: str) -> str:
    """Return a word as it is typed on a command line: in quotes where it needs them."""
    if os.name == "nt":
        from subprocess import list2cmdline

        return list2cmdline([word])
    from shlex import quote

    return quote(word)


def print_json(document: object) -> None:
    """Print one JSON document; signs beyond ASCII as themselves where the output can carry them."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    click.echo(json.dumps(document, indent=2, ensure_ascii=encoding != "utf8", allow_nan=False))


def short(value: float, digits: int = 6) -> str:
    """Write a number with six significant digits.

    >>> short(0.1 + 0.2), short(1e-20), short(-0.0), short(2 / 3, 2)
    ('0.3', '1e-20', '0', '0.67')
    """
    return f"{value + 0.0:.{digits}g}"  # adding 0 turns −0 into 0


def amount(count: float) -> str:
    """Write a number of bytes.

    >>> amount(512), amount(53_640_000), amount(4.2e9)
    ('512 bytes', '53.6 MB', '4.2 GB')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} bytes"


def sparkline(values: Sequence[float], columns: int = 40) -> tuple[str, bool]:
    """Return a line of blocks and whether its scale is logarithmic.

    It is where no value is negative and they span more than two decades; an exact zero then stands as low
    as the smallest other value. Values that are not finite are drawn as ×.

    >>> sparkline([0.0, 1.0, 2.0, 3.0], 4)
    ('▁▃▆█', False)
    >>> sparkline([1000.0, 100.0, 10.0, 1.0, 0.0], 5)
    ('█▆▃▁▁', True)
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return "", False
    positive = [value for value in finite if value > 0]
    logarithmic = min(finite) >= 0 and bool(positive) and max(finite) > 100 * min(positive)
    least = min(positive) if logarithmic else min(finite)

    def scale(value: float) -> float:  # halves keep the difference of huge values finite
        return math.log(max(value, least)) if logarithmic else value / 2

    low, high = scale(least), scale(max(finite))
    text = ""
    for value in _picked(values, columns):
        if math.isfinite(value):
            part = (scale(value) - low) / (high - low) if high > low else 0.0
            text += BLOCKS[min(7, round(part * 7))]
        else:
            text += "×"
    return text, logarithmic


def _picked(values: Sequence[float], columns: int) -> list[float]:
    """At most so many values, evenly spaced, the first and the last among them."""
    if len(values) <= columns:
        return list(values)
    return [values[round(place * (len(values) - 1) / (columns - 1))] for place in range(columns)]


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> str:
    """Return a table as text: as wide as the terminal, in bold where it has it; unbroken lines for a pipe."""
    import io

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    context = click.get_current_context(silent=True)
    plain = context is not None and context.color is False
    stream = io.StringIO()
    terminal = sys.stdout.isatty()
    console = Console(
        file=stream, width=width() if terminal else 10_000, force_terminal=terminal and not plain,
        no_color=plain, color_system="standard" if terminal and not plain else None,
    )  # fmt: skip
    made = Table(title=title or None, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for header in headers:
        made.add_column(Text(header), overflow="fold")
    for row in rows:
        made.add_row(*map(Text, row))
    console.print(made)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


class Progress:
    """A bar on stderr. It is hidden while something else is printed."""

    def __init__(self, count: int) -> None:
        self.count, self.done = count, 0

    def show(self, name: str) -> None:
        """Draw the bar, naming what is going on."""
        full = round(_BAR * self.done / self.count)
        text = f"{'━' * full}{'╌' * (_BAR - full)} {self.done}/{self.count} {name}"
        self._write(text[: width() - 1])

    def say(self, text: str) -> None:
        """Show a line in place of the bar."""
        self._write(text[: width() - 1])

    def hide(self) -> None:
        """Wipe the bar away."""
        self._write("")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


@contextmanager
def progress(count: int, quiet: bool) -> Iterator[Progress | None]:
    """Give a progress bar: only on a terminal, and only where there is more than one thing to do."""
    if quiet or count < 2 or not sys.stderr.isatty():
        yield None
        return
    bar = Progress(count)
    try:
        yield bar
    finally:
        bar.hide()


@contextmanager
def advancing(quiet: bool, words: str) -> Iterator[Callable[[int, int], None] | None]:
    """Give a function that is told how many of how many are done, for a bar: only on a terminal."""
    with progress(2, quiet) as bar:

        def advance(done: int, count: int) -> None:
            if bar is not None:
                bar.done, bar.count = done, count
                bar.show(words)

        yield None if bar is None else advance


@contextmanager
def counter(quiet: bool, words: str) -> Iterator[Callable[[int, int], None] | None]:
    """Give a function that shows two counts in one line of stderr: only on a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    bar = Progress(1)
    try:
        yield lambda done, waiting: bar.say(f"{done:,} {words.format(f'{waiting:,}')}")
    finally:
        bar.hide()
