"""Typing into a real shell on a pseudo-terminal, with the tabulator, and reading what became of the line."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path

#: how each shell is started without the user's own files, and how it takes the completion script
START: Mapping[str, tuple[list[str], str]] = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(gdsim completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -Uz compinit; compinit -u -D; eval "$(gdsim completion zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "gdsim completion fish | source"),
}
_PATIENCE = 60.0  # seconds that a shell is waited for
_TO_THE_FRONT = "\x01"


def missing(shell: str) -> bool:
    """Whether a shell is not installed."""
    return shutil.which(shell) is None


def completed(shell: str, line: str, environment: Mapping[str, str], folder: Path) -> list[str]:
    """Return the words of a command line after the tabulator was struck at its end.

    The line is never carried out: ``printf`` is put before it.
    """
    words, setting_up = START[shell]
    ours, theirs = pty.openpty()
    variables = {**environment, "TERM": "dumb" if shell != "fish" else "xterm", "PS1": "", "HISTFILE": ""}
    process = subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=variables, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    try:
        os.write(ours, f"{setting_up}; printf 'rea%s\\n' dy\n".encode())
        _read(ours, r"(?<!')ready")
        os.write(ours, f"{line}\t".encode())
        os.write(ours, f"{_TO_THE_FRONT}printf '<%s>' \n printf '%s\\n' en''d\n".encode())
        screen = _read(ours, r"\bend\r")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)
    said = re.findall(r"(?:<[^<>%\n]*>)+", screen)
    return re.findall(r"<([^<>]*)>", said[-1]) if said else []


def _read(terminal: int, until: str) -> str:
    """Read a terminal until something was said."""
    seen, end = "", time.monotonic() + _PATIENCE
    while not re.search(until, seen):
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            raise TimeoutError(f"the shell said only {seen!r}")
        seen += os.read(terminal, 65536).decode(errors="replace")
    return seen
