"""Running gdsim in a fresh interpreter, wherever the tests were started from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gdsim

ROOT = Path(gdsim.__file__).parent.parent


def environment(**changes: str) -> dict[str, str]:
    """This environment, with gdsim importable and nothing that changes colours or completion."""
    kept = {
        key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
    }
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **changes}


def python(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run an interpreter to its end and return what it printed."""
    settings: dict[str, Any] = {"capture_output": True, "text": True, "check": False, "env": environment()}
    return subprocess.run([sys.executable, *words], **{**settings, **options})


def command(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return python("-m", "gdsim", *words, **options)
