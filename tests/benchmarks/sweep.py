"""Sweeps, against the same descents in C and in JAX, in one run.

``python tests/benchmarks/run.py sweep.py [options]``; ``--help`` lists them. Speeds are million steps a
second, or thousand runs a second where runs stop early. gdsim judges every step, C none, and JAX those of the
atlas alone.

C: what gcc makes of plain loops over blocks of runs (``-O3 -march=native -ffast-math -fopenmp``), the size of
the block tuned here. JAX: ``jax_reference.py``, its arrangement tuned there, in the Python that the
environment variable GDSIM_JAX_PYTHON names (this one, if it names none). What is missing, gcc or jax, is said
and left out.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from sweep_cases import BOUND, CASES, TOLERANCE, Array, Case, atlas, fixed, rows
from timing import clocked, paired, python, report_speed

from gdsim.batch import Batch, Stopping
from gdsim.derivatives import derivative_method
from gdsim.kernels.plan import Plan
from gdsim.losses import Loss
from gdsim.outcomes import Status
from gdsim.schedules import schedule
from gdsim.simulation import simulate
from gdsim.update_rules import update_rule

GDSIM = ("-c", "from gdsim.cli import main; main()")  # what the console script does
JAX_PYTHON = os.environ.get("GDSIM_JAX_PYTHON") or sys.executable
JAX_SCRIPT = str(Path(__file__).with_name("jax_reference.py"))
PAIRS = 5
WHOLE_PAIRS = 3
_EARLY = 1e-3  # of the runs may stand still before their steps are over: it hardly tells in the speed
LEAST_SECONDS = 0.25  # of one sample; what takes less is repeated
CHUNK = 1 << 18  # runs of a trajectory at a time
ATLASES = ("quartic", "exp well")
C_FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC")
C_WIDE = "-mprefer-vector-width=512"  # not what gcc chooses by itself, at times twice as fast
C_BLOCKS = (16, 32, 64, 128, 512)
SCENARIO = """\
title: An atlas
loss: {formula}
initial_weight: 0
learning_rate: 0.1
stopping: {{max_steps: {steps}, gradient_tolerance: {tolerance}, divergence_bound: {bound}}}
"""


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    engine: str
    parts: tuple[str, ...]
    runs: int
    steps: int
    side: int
    most_runs: int

    def steps_of(self, case: Case) -> int:
        """Fixed steps of a loss: a tenth where each costs a hundred rows."""
        return max(self.steps // 10, 1) if case.name == "logistic" else self.steps


# gdsim's side


def fixed_batch(case: Case, runs: int, steps: int) -> Batch:
    """Return descents by a fixed number of steps, every step judged."""
    return _batch(case, *fixed(case, runs), Stopping(steps, gradient_tolerance=0.0, divergence_bound=BOUND))


def atlas_batch(case: Case, side: int, steps: int) -> Batch:
    """Return the descents of an atlas, which stop early."""
    return _batch(case, *atlas(case, side), Stopping(steps, TOLERANCE, BOUND))


def _batch(case: Case, starts: Array, rates: Array, stopping: Stopping) -> Batch:
    x, y = rows()
    data = {"x": x.tolist(), "y": y.tolist()} if case.name == "logistic" else {}
    return Batch(
        loss=Loss.from_text(case.formula, data=data, weights=case.weights),
        initial_weight=starts,
        learning_rate=rates,
        derivative=derivative_method("analytic"),
        rule=update_rule("gradient_descent"),
        schedule=schedule("constant"),
        stopping=stopping,
        record_every=stopping.max_steps,
    )


def compute(batch: Batch, engine: str) -> object:
    """Step every run until it ends: what is timed. Of the fast engine, arrays of ends and nothing else."""
    if engine == "fast":
        from gdsim.kernels.fast_lanes import ends

        return ends(Plan(batch))
    return columns(batch, engine)


def columns(batch: Batch, engine: Any) -> dict[str, Any]:
    """Return the ends of the runs by name, from trajectories of so many runs that they fit into memory."""
    names = tuple(Status)
    found: dict[str, list[Any]] = {"status": [], "steps": [], "weight": [], "loss": []}
    for first in range(0, batch.runs, CHUNK):
        whole = batch.runs <= CHUNK
        part = batch if whole else batch.take(np.arange(first, min(first + CHUNK, batch.runs)))
        ran = simulate(part, engine)
        found["status"].append(np.array([names.index(status) for status in ran.status]))
        found["steps"].append(ran.steps)
        found["weight"].append(ran.final_weight)
        found["loss"].append(ran.final_loss)
    return {name: np.concatenate(values, axis=-1) for name, values in found.items()}


def sweep_command(case: Case, options: Options, folder: Path) -> list[str]:
    """Return the command line that sweeps an atlas and writes its results into a folder."""
    scenario = folder / "atlas.yaml"
    scenario.write_text(
        SCENARIO.format(formula=case.formula, steps=options.steps, tolerance=TOLERANCE, bound=BOUND), "utf-8"
    )
    low, high = case.starts
    least, greatest = case.atlas
    return [
        *GDSIM, "sweep", str(scenario),
        f"learning_rate=log({least},{greatest},{options.side})",
        f"initial_weight.w=lin({low},{high},{options.side})",
        "--engine", options.engine, "--out", str(folder / "results"), "--no-plot",
    ]  # fmt: skip


# The reference in C


def c_source(case: Case, block: int) -> str:
    """Return the source of ``descend``: fixed steps of all runs, a block at a time, without judging.

    The number of runs is one of whole blocks, so that every loop over a block has a length known to gcc,
    which can keep the weights in registers then.
    """
    x, y = rows()
    step = {
        "quartic": "w[i] -= rate[i] * (4*w[i]*w[i]*w[i] - 4*w[i] + 0.3);",
        "rastrigin": "w[i] -= rate[i] * (2*w[i] + 20*M_PI*sin(2*M_PI*w[i]));",
        "exp well": "w[i] -= rate[i] * (w[i] - 3*sin(3*w[i]) - 2*w[i]*exp(-w[i]*w[i]));",
        "himmelblau": """\
double first = u[i]*u[i] + v[i] - 11, second = u[i] + v[i]*v[i] - 7;
                double along_u = 4*u[i]*first + 2*second, along_v = 2*first + 4*v[i]*second;
                u[i] -= rate[i] * along_u; v[i] -= rate[i] * along_v;""",
        "logistic": "w[i] -= rate[i]/ROWS * along_w[i]; b[i] -= rate[i]/ROWS * along_b[i];",
    }[case.name]
    before = """\
double along_w[BLOCK] = {0}, along_b[BLOCK] = {0};
            for (int row = 0; row < ROWS; row++)
                for (int i = 0; i < BLOCK; i++) {
                    double part = 1 / (1 + exp(-(slope[row]*w[i] + side[row]*b[i])));
                    along_w[i] += slope[row]*part; along_b[i] += side[row]*part;
                }"""
    weights = case.weights
    return f"""\
#include <math.h>
#define BLOCK {block}
#define ROWS {len(x)}
static const double slope[ROWS] = {{{", ".join(map(repr, (-y * x).tolist()))}}};
static const double side[ROWS] = {{{", ".join(map(repr, (-y).tolist()))}}};

void descend(long runs, long steps, const double *start, const double *rates, double *end) {{
    #pragma omp parallel for schedule(static)
    for (long first = 0; first < runs; first += BLOCK) {{
        double rate[BLOCK], {", ".join(f"{name}[BLOCK]" for name in weights)};
        for (int i = 0; i < BLOCK; i++) {{
            rate[i] = rates[first + i];
            {" ".join(f"{name}[i] = start[{k}*runs + first + i];" for k, name in enumerate(weights))}
        }}
        for (long k = 0; k < steps; k++) {{
            {before if case.name == "logistic" else ""}
            for (int i = 0; i < BLOCK; i++) {{
                {step}
            }}
        }}
        for (int i = 0; i < BLOCK; i++) {{
            {" ".join(f"end[{k}*runs + first + i] = {name}[i];" for k, name in enumerate(weights))}
        }}
    }}
}}
"""


class CReference:
    """Descents in C, compiled with the block that is fastest here."""

    def __init__(self, case: Case, folder: Path, runs: int, steps: int, extra: Sequence[str] = ()) -> None:
        self.runs = runs
        filled = np.minimum(np.arange(-(-runs // C_BLOCKS[-1]) * C_BLOCKS[-1]), runs - 1)
        starts, rates = fixed(case, runs)
        self.starts, self.rates = np.ascontiguousarray(starts[:, filled]), rates[filled]
        self.end = np.empty_like(self.starts)
        built = {}
        for block in C_BLOCKS:
            stem = folder / f"{case.name.replace(' ', '_')}_{block}_{len(extra)}"
            stem.with_suffix(".c").write_text(c_source(case, block), "utf-8")
            names = (str(stem.with_suffix(".c")), "-o", str(stem.with_suffix(".so")), "-lm")
            subprocess.run(["gcc", *C_FLAGS, *extra, *names], check=True, capture_output=True)
            built[block] = ctypes.CDLL(str(stem.with_suffix(".so"))).descend
        least = dict.fromkeys(built, float("inf"))
        for _ in range(5):
            for block, self.descend in built.items():
                least[block] = min(least[block], clocked(lambda: self(steps)))
        self.block = min(least, key=least.__getitem__)
        self.descend = built[self.block]

    def __call__(self, steps: int) -> Array:
        """Take so many steps from the starts; return the weights, which the next call overwrites."""
        where = (ctypes.c_void_p(column.ctypes.data) for column in (self.starts, self.rates, self.end))
        self.descend(ctypes.c_long(len(self.rates)), ctypes.c_long(steps), *where)
        return self.end[:, : self.runs]


# The reference in JAX


class JaxReference:
    """A Python with jax that holds one compiled computation at a time and repeats it when asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [JAX_PYTHON, JAX_SCRIPT, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and return the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{JAX_SCRIPT} gave no answer to {request}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def prepare(self, what: str, case: Case, **size: int) -> tuple[dict[str, Any], list[Any]]:
        """Have the best arrangement found and compiled; return it, and what was computed with it."""
        file = self.folder / "columns.npz"
        answer = self.ask(do=what, loss=case.name, file=str(file), **size)
        with np.load(file) as written:
            return answer["arrangement"], [written[name] for name in written.files]

    def again(self) -> None:
        """Repeat the computation prepared last."""
        self.ask(do="again", times=1)

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def has_jax() -> bool:
    """Tell whether the Python for the reference can import jax; say so in plain words where it cannot."""
    try:
        found = subprocess.run([JAX_PYTHON, "-c", "import jax"], capture_output=True).returncode == 0
    except OSError:
        found = False
    if not found:
        print(
            f"jax cannot be imported by {JAX_PYTHON}: its rows are left out "
            "(pip install jax, or name a Python that has it in GDSIM_JAX_PYTHON)"
        )
    return found


def has_gcc() -> bool:
    """Tell whether there is gcc; say so in plain words where there is none."""
    found = shutil.which("gcc") is not None
    if not found:
        print("gcc is not installed: the rows against C are left out")
    return found


# Comparisons


def compared(
    first: Callable[[], object], second: Callable[[], object], pairs: int
) -> tuple[float, float, float]:
    """Return what ``paired`` returns, for calls so short that they are repeated."""
    (often, ours), (often_too, theirs) = _lengthened(first), _lengthened(second)
    a, b, ratio = paired(ours, theirs, pairs)
    return a / often, b / often_too, ratio * often_too / often


def _lengthened(action: Callable[[], object]) -> tuple[int, Callable[[], None]]:
    action()
    times = max(1, ceil(LEAST_SECONDS / clocked(action)))

    def repeated() -> None:
        for _ in range(times):
            action()

    return times, repeated


def agree(what: str, ours: Array, theirs: Array, within: float, share: float = 1.0) -> None:
    """Raise unless weights agree to rounding.

    ``share`` of the runs must: one that starts on a ridge may go to the other side.
    """
    close = np.isclose(ours, theirs, rtol=within, atol=within).all(axis=0)
    if close.mean() < share:
        raise RuntimeError(f"{what}: only {close.mean():.3%} of the runs agree within {within:g}")


def fixed_steps(options: Options, c: bool, jax: bool, folder: Path) -> None:
    """Print the speeds with fixed steps."""
    print(f"\nfixed steps, {options.runs:,} runs: gdsim ({options.engine}), the reference")
    server = JaxReference(folder) if jax else None
    for case in CASES.values():
        steps = options.steps_of(case)
        batch = fixed_batch(case, options.runs, steps)
        ours = columns(batch, options.engine)
        early = int((ours["status"] != tuple(Status).index(Status.MAX_STEPS)).sum())
        if early > options.runs * _EARLY:
            raise RuntimeError(f"{case.name}: {early} runs ended early, so that speeds would not compare")
        work = options.runs * steps / 1e6
        ran = _computation(batch, options.engine)
        if c:
            _against_c(case, options, steps, ours["weight"], ran, folder)
        if server is not None:
            least = None if case.name == "himmelblau" else 4.0 if case.transcendental else 1.0
            for plain in (True, False):  # jit(vmap(scan)), then whatever arrangement is fastest
                how, ends = server.prepare("fixed", case, runs=options.runs, steps=steps, plain=plain)
                agree(f"{case.name}, JAX", ours["weight"], np.stack(ends), 1e-6, 0.999)
                found = compared(ran, server.again, PAIRS)
                words = "JAX" if plain else "JAX, its fastest"
                report_speed(
                    f"{case.name}, {steps} steps, {words}",
                    work,
                    "M steps/s",
                    *found,
                    least if plain else None,
                )
                print(f"    {told(how)}")
    if server is not None:
        server.close()


def _against_c(
    case: Case, options: Options, steps: int, ends: Array, ran: Callable[[], object], folder: Path
) -> None:
    work = options.runs * steps / 1e6
    one_step = columns(fixed_batch(case, options.runs, 1), options.engine)["weight"]
    least = None if case.name == "himmelblau" else 0.6 if case.transcendental else 0.8
    for extra, limit in (((), least), ((C_WIDE,), None)):
        try:
            reference = CReference(case, folder, options.runs, steps, extra)
        except subprocess.CalledProcessError:
            if not extra:
                raise
            continue  # not a processor with vectors of 512 bits
        agree(f"{case.name}, one step in C", one_step, reference(1), 1e-12)
        agree(f"{case.name}, {steps} steps in C", ends, reference(steps), 1e-6, 0.999)
        found = compared(ran, _call(reference, steps), PAIRS)
        name = f"{case.name}, {steps} steps, C{', 512 bits' if extra else ''}, block {reference.block}"
        report_speed(name, work, "M steps/s", *found, limit)


def _call(reference: CReference, steps: int) -> Callable[[], object]:
    return lambda: reference(steps)


def _computation(batch: Batch, engine: str) -> Callable[[], object]:
    return lambda: compute(batch, engine)


def told(arrangement: dict[str, Any]) -> str:
    """Return the arrangement in JAX that was fastest, in words."""
    return ", ".join(f"{name} {value or 'none'}" for name, value in arrangement.items())


def atlases(options: Options, jax: bool, folder: Path) -> None:
    """Print the speeds of whole atlases with early stopping: computing alone, then whole processes."""
    side = options.side
    print(f"\natlas, {side} x {side} runs, at most {options.steps} steps: gdsim ({options.engine}), JAX")
    if not jax:
        return
    helped = subprocess.run([sys.executable, *GDSIM, "sweep", "--help"], capture_output=True)
    can_sweep = helped.returncode == 0
    if not can_sweep:
        print("this gdsim has no command sweep: the rows of whole processes are left out")
    for name in ATLASES:
        case = CASES[name]
        batch = atlas_batch(case, side, options.steps)
        ours = columns(batch, options.engine)
        for plain in (True, False):  # lax.map over batches on one device, then over several devices too
            words = "" if plain else ", JAX at its fastest"
            server = JaxReference(folder)
            how, theirs = server.prepare("atlas", case, side=side, steps=options.steps, plain=plain)
            _check_atlas(name, ours, theirs)
            found = paired(_computation(batch, options.engine), server.again, WHOLE_PAIRS)
            report_speed(
                f"{name}, computing{words}", side * side / 1e3, "k runs/s", *found, 5.0 if plain else None
            )
            print(f"    {told(how)}")
            server.close()
            if can_sweep:
                found = whole_processes(case, options, how)
                limit = 3.0 if plain else None
                report_speed(f"{name}, whole process{words}", side * side / 1e3, "k runs/s", *found, limit)


def _check_atlas(name: str, ours: dict[str, Array], theirs: list[Any]) -> None:
    """Say how far gdsim and JAX agree on an atlas; raise where their weights do not."""
    status, steps, weight, _ = theirs
    arrived = (ours["status"] == tuple(Status).index(Status.CONVERGED)) & (status == 2)
    same = arrived & (np.abs(ours["steps"] - steps) <= 1)
    agree(f"{name}, JAX", ours["weight"][:, arrived], weight[None, arrived], 1e-6, 0.99)
    print(
        f"{name}: {ours['steps'].sum() / 1e6:.1f} million steps, in JAX {steps.sum() / 1e6:.1f}; "
        f"{arrived.mean():.1%} of the runs converge in both,\n"
        f"    {same.sum() / max(arrived.sum(), 1):.2%} of these in the same number of steps, or one more"
    )


def whole_processes(case: Case, options: Options, how: dict[str, Any]) -> tuple[float, float, float]:
    """Return what ``paired`` returns, for fresh processes that write into fresh folders."""

    def ours(folder: Path) -> Callable[[], object]:
        return python(*sweep_command(case, options, folder))

    def theirs(folder: Path) -> Callable[[], object]:
        request = {
            "loss": case.name, "side": options.side, "steps": options.steps,
            "arrangement": how, "file": str(folder / "columns.npz"),
        }  # fmt: skip
        command = [JAX_PYTHON, JAX_SCRIPT, "whole", json.dumps(request)]
        return lambda: subprocess.run(command, check=True, capture_output=True)

    times: list[tuple[float, float]] = []
    for _ in range(WHOLE_PAIRS + 1):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            times.append((clocked(ours(Path(one))), clocked(theirs(Path(other)))))
    del times[0]  # compiled modules were not kept yet
    return median(a for a, _ in times), median(b for _, b in times), median(a / b for a, b in times)


def against_numpy(options: Options) -> None:
    """Print how many times as fast as the numpy engine the engine is."""
    if options.engine == "numpy":
        return
    runs = min(options.runs, 16_384)
    print(f"\nfixed steps, {runs:,} runs: gdsim ({options.engine}), its numpy engine")
    for case in CASES.values():
        steps = options.steps_of(case)
        batch = fixed_batch(case, runs, steps)
        found = compared(_computation(batch, options.engine), _computation(batch, "numpy"), 3)
        report_speed(f"{case.name}, {steps} steps", runs * steps / 1e6, "M steps/s", *found, None)


def cost(options: Options) -> None:
    """Print the seconds of the quartic with fixed steps, against runs and cores, each in a fresh process."""
    cores = _cores()
    print(f"\nseconds of the quartic, {options.steps} steps, {options.engine} engine, against runs and cores")
    print(f"{'runs':>12}" + "".join(f"{count:>10} {'core' if count == 1 else 'cores'}" for count in cores))
    for power in range(3, options.most_runs + 1):
        row = [f"{10**power:>12,}"]
        for count in cores:
            request = {"engine": options.engine, "runs": 10**power, "steps": options.steps, "cores": count}
            printed = python(str(Path(__file__).resolve()), "--one-cost", json.dumps(request))()
            row.append(f"{float(printed):>14.4f} s")
        print("".join(row), flush=True)


def _cores() -> tuple[int, ...]:
    if not hasattr(os, "sched_getaffinity"):
        return (os.cpu_count() or 1,)
    there = len(os.sched_getaffinity(0))
    return tuple(2**k for k in range(there.bit_length()))


def one_cost(engine: str, runs: int, steps: int, cores: int) -> float:
    """Return the seconds of one computation on so many cores, the median of three after one not counted."""
    if hasattr(os, "sched_setaffinity"):
        # what starts threads from here on has these cores
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    batch = fixed_batch(CASES["quartic"], runs, steps)
    return median([clocked(lambda: compute(batch, engine)) for _ in range(4)][1:])


def asked() -> Options:
    """Return what is asked for on the command line."""
    parser = argparse.ArgumentParser(prog="sweep.py", description="Measure sweeps against C and JAX.")
    parts = ("fixed", "atlas", "numpy", "cost")
    parser.add_argument("--engine", default="fast", help="the engine that is measured (fast)")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts, help="which parts (all)")
    parser.add_argument("--runs", type=int, default=65_536, help="runs with fixed steps (65536)")
    parser.add_argument("--steps", type=int, default=1_000, help="steps, of an atlas at most (1000)")
    parser.add_argument("--side", type=int, default=2_000, help="runs along each side of an atlas (2000)")
    parser.add_argument("--most-runs", type=int, default=6, help="costs are measured to 10 to this power (6)")
    found = parser.parse_args()
    return Options(found.engine, tuple(found.parts), found.runs, found.steps, found.side, found.most_runs)


def main() -> None:
    """Print every part asked for."""
    if sys.argv[1:2] == ["--one-cost"]:
        print(one_cost(**json.loads(sys.argv[2])))
        return
    options = asked()
    begin = time.perf_counter()
    c = "fixed" in options.parts and has_gcc()
    jax = bool({"fixed", "atlas"} & set(options.parts)) and has_jax()
    with tempfile.TemporaryDirectory() as name:
        if "fixed" in options.parts and (c or jax):
            fixed_steps(options, c, jax, Path(name))
        if "atlas" in options.parts:
            atlases(options, jax, Path(name))
    if "numpy" in options.parts:
        against_numpy(options)
    if "cost" in options.parts:
        cost(options)
    print(f"\nmeasured in {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
