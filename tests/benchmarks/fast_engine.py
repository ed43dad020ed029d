"""The fast engine against C: the same steps, compiled by gcc, without judging.

C gets every help: ``-O3 -march=native -ffast-math -fopenmp``, blocks of 64 lanes, the vector library of
glibc, formulas as simple as by hand. The engine judges every step. Then what the cached code saves a second
process.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from timing import paired, report

from gdsim.batch import Batch, Stopping
from gdsim.derivatives import derivative_method
from gdsim.kernels import fast_lanes
from gdsim.kernels.plan import Plan
from gdsim.losses import Loss
from gdsim.schedules import schedule
from gdsim.update_rules import update_rule

RUNS, STEPS, ROWS = 65_536, 1_000, 100
PAIRS = 5

LINE = """
#include <math.h>
enum {{ LANES = 64 }};
void descend(double *weight, const double *rate, long runs, long steps)
{{
    #pragma omp parallel for schedule(static)
    for (long block = 0; block < runs; block += LANES) {{
        double w[LANES], h[LANES];
        for (int i = 0; i < LANES; i++) {{ w[i] = weight[block + i]; h[i] = rate[block + i]; }}
        for (long k = 0; k < steps; k++)
            for (int i = 0; i < LANES; i++) {{ double x = w[i]; w[i] = x - h[i] * ({slope}); }}
        for (int i = 0; i < LANES; i++) weight[block + i] = w[i];
    }}
}}
"""

LOGISTIC = """
#include <math.h>
enum { LANES = 64 };
void descend(double *weight, const double *rate, long runs, long steps, const double *x, const double *y,
             long rows)
{
    #pragma omp parallel for schedule(static)
    for (long block = 0; block < runs; block += LANES) {
        double a[LANES], b[LANES], h[LANES];
        for (int i = 0; i < LANES; i++) {
            a[i] = weight[block + i]; b[i] = weight[runs + block + i]; h[i] = rate[block + i];
        }
        for (long k = 0; k < steps; k++) {
            double ga[LANES] = {0}, gb[LANES] = {0};
            for (long r = 0; r < rows; r++)
                for (int i = 0; i < LANES; i++) {
                    double d = 1.0 / (1.0 + exp(-(a[i] + b[i] * x[r]))) - y[r];
                    ga[i] += d; gb[i] += d * x[r];
                }
            for (int i = 0; i < LANES; i++) { a[i] -= h[i] * ga[i] / rows; b[i] -= h[i] * gb[i] / rows; }
        }
        for (int i = 0; i < LANES; i++) { weight[block + i] = a[i]; weight[runs + block + i] = b[i]; }
    }
}
"""

CASES = (
    ("quartic", "w^4 - 2w^2 + 0.3w", "4*x*x*x - 4*x + 0.3", 0.42, 1 / 0.8),
    ("Rastrigin", "w^2 - 10*cos(2*pi*w)", "2*x + 20*M_PI*sin(2*M_PI*x)", 0.05, 1 / 0.6),
    ("0.5w² + cos 3w + exp(−w²)", "0.5*w^2 + cos(3w) + exp(-w^2)",
     "x - 3*sin(3*x) - 2*x*exp(-x*x)", 0.9, 1 / 0.6),
)  # fmt: skip


def compiled(text: str, folder: Path, name: str) -> ctypes.CDLL:
    """Compile C and load it."""
    (folder / f"{name}.c").write_text(text)
    library = folder / f"{name}.so"
    flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, str(folder / f"{name}.c"), "-o", str(library), "-lm"], check=True)
    return ctypes.CDLL(str(library))


def pointer(values: np.ndarray) -> ctypes.c_void_p:
    """The address of an array's numbers."""
    return ctypes.c_void_p(values.ctypes.data)


def plan(loss: Loss, start: np.ndarray, rate: np.ndarray, steps: int) -> Plan:
    """A batch in which little ends early: chaos, or waves."""
    return Plan(
        Batch(
            loss=loss, initial_weight=start, learning_rate=rate,
            derivative=derivative_method("analytic"), rule=update_rule("gradient_descent"),
            schedule=schedule("constant"), stopping=Stopping(steps, gradient_tolerance=0.0),
        )
    )  # fmt: skip


def processor_seconds(action: Callable[[], object]) -> float:
    """What a call takes of a processor's time, the least of several: other jobs do not count."""
    times = []
    for _ in range(2 * PAIRS):
        begun = time.process_time()
        action()
        times.append(time.process_time() - begun)
    return min(times)


def row(name: str, batch: Plan, reference: Callable[[], object], library: ctypes.CDLL, limit: float) -> None:
    """Compile first, then measure in turn; then both on one thread, in seconds of the processor."""
    fast_lanes.ends(batch)
    steps = batch.batch.runs * batch.batch.stopping.max_steps
    ours, theirs, ratio = paired(lambda: fast_lanes.ends(batch), reference, PAIRS)
    taken = int(fast_lanes.ends(batch).steps.sum())
    report(f"{name}, over C ({taken / steps:.0%} of the steps taken)", ours, theirs, ratio, limit)
    print(f"    {taken / ours / 1e6:,.0f} million steps a second, C {steps / theirs / 1e6:,.0f}")
    library.omp_set_num_threads(1)
    ours, theirs = processor_seconds(lambda: fast_lanes.ends(batch, threads=1)), processor_seconds(reference)
    report("    the same on one thread, seconds of the processor", ours, theirs, ours / theirs, limit)
    library.omp_set_num_threads(os.cpu_count() or 1)


def main() -> None:
    """Print the ratios; above 1 C is faster."""
    if shutil.which("gcc") is None:
        print("gcc is not installed: the rows against C are left out")
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        start, seeds = np.linspace(-1.0, 1.0, RUNS), np.linspace(0.95, 1.0, RUNS)
        for place, (name, formula, slope, rate, limit) in enumerate(CASES):
            library = compiled(LINE.format(slope=slope), folder, f"line{place}")
            rates = rate * seeds

            def by_c(library: ctypes.CDLL = library, rates: np.ndarray = rates) -> None:
                weight = start.copy()
                library.descend(pointer(weight), pointer(rates), ctypes.c_long(RUNS), ctypes.c_long(STEPS))

            row(name, plan(Loss.from_text(formula), start[None, :], rates, STEPS), by_c, library, limit)
        _logistic(folder)
        _cached(folder)


def _logistic(folder: Path) -> None:
    runs, steps = RUNS // 16, STEPS // 4
    x = np.linspace(-2.0, 2.0, ROWS)
    y = (np.sin(17.0 * np.arange(ROWS)) < x).astype(float)
    loss = Loss.from_text("mean(softplus(a + b*x) - y*(a + b*x))", data={"x": x, "y": y})
    start = np.stack([np.linspace(-1, 1, runs), np.linspace(2, -2, runs)])
    rates = np.linspace(0.1, 1.0, runs)
    library = compiled(LOGISTIC, folder, "logistic")

    def by_c() -> None:
        weight = start.copy()
        sizes = (ctypes.c_long(runs), ctypes.c_long(steps))
        library.descend(pointer(weight), pointer(rates), *sizes, pointer(x), pointer(y), ctypes.c_long(ROWS))

    row(f"logistic regression, {ROWS} rows", plan(loss, start, rates, steps), by_c, library, 1 / 0.6)


_PROCESS = """
import sys, time
import numpy as np
sys.path.insert(0, sys.argv[1])
from fast_engine import plan
from gdsim.kernels import fast_lanes
from gdsim.losses import Loss
begun = time.perf_counter()
fast_lanes.ends(plan(Loss.from_text("w^4 - 2w^2 + 0.3w"), np.zeros((1, 64)), np.full(64, 0.1), 10))
print(time.perf_counter() - begun)
"""


def _cached(folder: Path) -> None:
    """The first run of a formula in one process, which compiles, and in the next, which loads."""
    environment = {**os.environ, "GDSIM_CACHE_DIR": str(folder / "cache")}
    here = str(Path(__file__).parent)

    def seconds() -> float:
        words = [sys.executable, "-c", _PROCESS, here]
        done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
        return float(done.stdout)

    begun = time.perf_counter()
    first = seconds()
    second = seconds()
    print(f"first run of a formula: compiled in {first:.2f} s, loaded by the next process in {second:.2f} s")
    print(f"    (both processes whole: {time.perf_counter() - begun:.2f} s)")


if __name__ == "__main__":
    main()
