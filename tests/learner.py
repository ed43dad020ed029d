"""A scripted learner: the tutorial in a real pseudo-terminal, which waits for prompts and never sleeps."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

PROMPT = re.compile(r"(?:^|\n)(?P<prompt>[^\n]*) » $")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][AB0]|[\x01\x02\x07]")
_PATIENCE = 30.0  # seconds; a loaded machine is slow, a broken runner is silent for ever


class Terminal:
    """``gdsim`` in a pseudo-terminal.

    Parameters
    ----------
    words
        The command line behind ``gdsim``.
    home
        Where progress is kept, and the working directory.
    env
        Further settings.
    """

    def __init__(
        self, *words: str, home: Path, env: Mapping[str, str] | None = None, size: tuple[int, int] = (24, 80)
    ) -> None:
        self.process, self._file = pty.fork()
        if self.process == 0:
            os.chdir(home)
            settings = {
                **os.environ, "GDSIM_HOME": str(home), "TERM": "xterm", "LANG": "C.UTF-8", "PYTHONUTF8": "1",
                "LINES": str(size[0]), "COLUMNS": str(size[1]), **(env or {}),
            }  # fmt: skip
            os.execve(sys.executable, [sys.executable, "-m", "gdsim", *words], settings)
        self.said = ""

    def read(self) -> str:
        """Return what is said up to the next prompt, or the end."""
        text, received, deadline = "", b"", time.monotonic() + _PATIENCE
        while not PROMPT.search(text):
            ready, _, _ = select.select([self._file], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"no prompt after {_PATIENCE:g} s:\n{text}")
            try:
                piece = os.read(self._file, 1 << 16)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            received += piece
            whole = received.decode("utf-8", "replace")  # a piece may end within a sign
            text = _CONTROL.sub("", whole.replace("\r\n", "\n").replace("\r", ""))
        self.said += received.decode("utf-8", "replace")
        return text

    def type(self, line: str) -> str:
        """Type a line and return what is said to it, up to the next prompt."""
        os.write(self._file, line.encode() + b"\n")
        return self.read()

    def press(self, key: bytes) -> None:
        """Press a key, such as Ctrl-C."""
        os.write(self._file, key)

    def kill(self) -> None:
        """End the process at once."""
        os.kill(self.process, signal.SIGKILL)
        self.end()

    def end(self, again: bytes = b"") -> int:
        """Read to the end and return the exit code, or minus the signal.

        A signal that comes after Python has shown its prompt and before it waits for a key waits for the next
        key, and ``again`` is pressed every few seconds.
        """
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self._file], [], [], 5.0)
            try:
                if ready and not os.read(self._file, 1 << 16):
                    break
                if not ready and again:
                    self.press(again)
            except OSError:
                break
        else:
            raise AssertionError("the process does not end")
        _, status = os.waitpid(self.process, 0)
        os.close(self._file)
        return os.waitstatus_to_exitcode(status)
