"""The atlas of a 4K screen, 8.3 million runs through the command line: time, memory, killed on its way.

``python tests/benchmarks/run.py screen.py``. Each row is a process of its own; the peak is its largest
resident memory.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SWEEP = (sys.executable, "-m", "gdsim", "sweep", "quartic-atlas", "--engine", "fast", "-q")
KILLED_AT = 12  # chunks of 32


def main() -> None:
    """Print the rows, and whether a killed sweep gave the same bytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured("compiling, no figures", folder / "first", "--no-plot")
        measured("compiled before, no figures", folder / "whole", "--no-plot")
        measured("compiled before, with figures", folder / "drawn")
        killed(folder / "killed")
        measured("gone on after being killed", folder / "killed", "--no-plot")
        one, other = (next((folder / which).glob("*/results.npz")) for which in ("whole", "killed"))
        same = one.read_bytes() == other.read_bytes()
        print(f"results of the killed sweep: {'the same bytes' if same else 'OTHER BYTES'}")


def measured(what: str, out: Path, *words: str) -> None:
    """Run the sweep and print its wall time and its peak of memory."""
    begin = time.perf_counter()
    process = subprocess.Popen([*SWEEP, "--out", str(out), *words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"the sweep ended with {status}")
    seconds, peak = time.perf_counter() - begin, usage.ru_maxrss / 1024
    print(f"{what:<32} {seconds:7.2f} s  peak {peak:6.0f} MiB", flush=True)


def killed(out: Path) -> None:
    """Run the sweep and kill it when some of its chunks are written."""
    process = subprocess.Popen([*SWEEP, "--out", str(out), "--no-plot"])
    while len([*out.glob("*/chunks/[0-9]*.npz")]) < KILLED_AT and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    print(f"killed with {len([*out.glob('*/chunks/[0-9]*.npz')])} chunks on the disk")


if __name__ == "__main__":
    main()
