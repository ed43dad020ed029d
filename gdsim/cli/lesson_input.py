"""Lines that a learner types: on a terminal with editing and recall, or from a pipe, which is echoed."""

from __future__ import annotations

import re
import sys
from contextlib import suppress

import click

_STYLE = re.compile(r"(\x1b\[[0-9;]*m)")


def interactive() -> bool:
    """Whether somebody is typing."""
    return sys.stdin is not None and sys.stdin.isatty()


class Lines:
    """What is typed, line by line.

    Parameters
    ----------
    plain
        Prompts without signs, and no echo of what comes from a pipe.
    """

    def __init__(self, plain: bool) -> None:
        self.plain = plain
        context = click.get_current_context(silent=True)
        self._styled = context is None or context.color is not False
        if hasattr(sys.stdin, "reconfigure"):
            sys.stdin.reconfigure(errors="replace")
        if interactive():
            with suppress(ImportError):  # where there is none, a line is typed without recall
                import readline

                readline.set_auto_history(True)

    def read(self, prompt: str) -> str | None:
        """Ask for a line; None at the end of what is typed.

        Raises
        ------
        KeyboardInterrupt
            For Ctrl-C.
        """
        mark = f"{prompt}: " if self.plain else f"{prompt} » "
        if not interactive():
            line = sys.stdin.readline() if sys.stdin is not None else ""
            if line and not self.plain:
                click.echo(mark + line.strip())
            return line.strip() if line else None
        sys.stdout.flush()
        shown = click.style(mark, bold=True) if self._styled and not self.plain else mark
        try:
            return input(_STYLE.sub("\001\\1\002", _encodable(shown))).strip()
        except EOFError:
            click.echo()
            return None


def _encodable(text: str) -> str:
    """Return a text as the terminal will show it: ``input`` knows nothing of what the stream replaces."""
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, sys.stdout.errors or "replace").decode(encoding)
