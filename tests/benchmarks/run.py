"""Every benchmark, one after the other: ``python tests/benchmarks/run.py``.

Each row is a ratio against a reference measured in the same run; only ratios are worth quoting.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

BENCHMARKS = ("startup.py", "simulation.py", "fast_engine.py", "critical.py")


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    here = Path(__file__).parent
    sys.path.insert(0, str(here))
    for name in sys.argv[1:] or BENCHMARKS:
        runpy.run_path(str(here / name), run_name="__main__")


if __name__ == "__main__":
    main()
