"""Every benchmark, one after the other: ``python tests/benchmarks/run.py``.

Those named are run instead of all; options after a name are handed on to it
(``python tests/benchmarks/run.py sweep.py --engine numpy``). ``sweep.py`` takes long, ``animation.py``
needs ffmpeg; they are run only when named.

Each row is a ratio against a reference measured in the same run; only ratios are worth quoting.
"""

from __future__ import annotations

import runpy
import sys
from itertools import takewhile
from pathlib import Path

BENCHMARKS = (
    "startup.py", "simulation.py", "fast_engine.py", "critical.py", "figures.py", "learning.py",
)  # fmt: skip


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    here = Path(__file__).parent
    sys.path.insert(0, str(here))
    names = list(takewhile(lambda word: not word.startswith("-"), sys.argv[1:]))
    del sys.argv[1 : len(names) + 1]
    for name in names or BENCHMARKS:
        runpy.run_path(str(here / name), run_name="__main__")


if __name__ == "__main__":
    main()
