"""The reference in JAX, on the processor: gradient descents by ``vmap`` over ``scan`` and ``while_loop``.

A script for a Python that has jax (gdsim is not needed). It is used by ``sweep.py`` in two ways:

``jax_reference.py serve``
    reads one request in JSON a line, and answers each with one line of JSON. ``fixed`` and ``atlas`` choose
    the best arrangement for a loss; ``again`` repeats the one chosen, compiled, and gives its seconds.
``jax_reference.py whole …``
    computes one atlas in this fresh process and writes its columns; prints what took how long.

Numbers are of 64 bits. Each loss is tried with ``jax.grad`` and with its gradient written by hand. Beside
the plain arrangement ``jit(vmap(scan))``, which XLA spreads over the cores as it sees fit, batches small
enough for the cache are tried, unrolled loops, and the runs dealt out to as many devices as there are cores.
XLA's own options are left as they come; what stands in ``XLA_FLAGS`` is passed on
(``--xla_cpu_enable_fast_math=true`` is up to twice as fast, and leaves it open whether a nan is noticed).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from sweep_cases import BOUND, CASES, TOLERANCE, atlas, fixed, rows

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
BATCHES = tuple(2**power for power in range(8, 15))  # 256 … 16,384 runs
TRIALS = 3
STATUSES = ("NONFINITE", "DIVERGED", "CONVERGED", "MAX_STEPS")


@dataclass(frozen=True)
class Arrangement:
    """How the runs are laid out.

    Attributes
    ----------
    gradient
        Which way of writing the gradient.
    devices
        Over how many devices the runs are dealt out.
    batch
        How many runs go together, one batch after the other; 0: all.
    unroll
        Steps in one turn of the loop.
    """

    gradient: str = "jax.grad"
    devices: int = 1
    batch: int = 0
    unroll: int = 1


Problem = tuple[str, int, Any, Any]  # loss, steps, starts, rates


def start_jax() -> None:
    """Set JAX up; must come before its first import."""
    flag = f"--xla_force_host_platform_device_count={CORES}"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax

    jax.config.update("jax_enable_x64", True)


def loss(name: str) -> Callable[..., Any]:
    """Return a loss as a function of its weights."""
    import jax
    import jax.numpy as jnp

    x, y = map(jnp.asarray, rows())
    found: dict[str, Callable[..., Any]] = {
        "quartic": lambda w: w**4 - 2.0 * w**2 + 0.3 * w,
        "rastrigin": lambda w: w**2 - 10.0 * jnp.cos(2.0 * jnp.pi * w) + 10.0,
        "exp well": lambda w: 0.5 * w**2 + jnp.cos(3.0 * w) + jnp.exp(-(w**2)),
        "logistic": lambda w, b: jnp.mean(jax.nn.softplus(-y * (w * x + b))),
        "himmelblau": lambda u, v: (u**2 + v - 11.0) ** 2 + (u + v**2 - 7.0) ** 2,
    }
    return found[name]


def gradients(name: str) -> dict[str, Callable[..., tuple[Any, ...]]]:
    """Return the gradient of a loss as a function of its weights, written in several ways."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    x, y = map(jnp.asarray, rows())
    slope, side = -y * x, -y

    def himmelblau(u: Any, v: Any) -> tuple[Any, ...]:
        first, second = u * u + v - 11.0, u + v * v - 7.0
        return 4.0 * u * first + 2.0 * second, 2.0 * first + 4.0 * v * second

    def row_by_row(w: Any, b: Any) -> tuple[Any, ...]:
        def add(row: Any, sums: tuple[Any, ...]) -> tuple[Any, ...]:
            part = 1.0 / (1.0 + jnp.exp(-(slope[row] * w + side[row] * b)))
            return sums[0] + slope[row] * part, sums[1] + side[row] * part

        first, second = lax.fori_loop(0, len(y), add, (jnp.zeros_like(w), jnp.zeros_like(b)))
        return first / len(y), second / len(y)

    def by_matrix(w: Any, b: Any) -> tuple[Any, ...]:
        columns = jnp.stack([slope, side])
        found = columns @ jax.nn.sigmoid(jnp.stack([w, b]) @ columns) / len(y)
        return found[0], found[1]

    written: dict[str, dict[str, Callable[..., tuple[Any, ...]]]] = {
        "quartic": {"by hand": lambda w: ((4.0 * w * w - 4.0) * w + 0.3,)},
        "rastrigin": {"by hand": lambda w: (2.0 * w + 20.0 * jnp.pi * jnp.sin(2.0 * jnp.pi * w),)},
        "exp well": {"by hand": lambda w: (w - 3.0 * jnp.sin(3.0 * w) - 2.0 * w * jnp.exp(-w * w),)},
        "logistic": {"by hand, row by row": row_by_row, "by hand, by matrix": by_matrix},
        "himmelblau": {"by hand": himmelblau},
    }
    automatic = jax.grad(loss(name), argnums=tuple(range(len(CASES[name].weights))))
    return {"jax.grad": automatic, **written[name]}


def fixed_steps(name: str, steps: int, how: Arrangement) -> Callable[..., Any]:
    """Return the descent of one run by a fixed number of steps: start and rate to the final weights."""
    from jax import lax

    slope = gradients(name)[how.gradient]

    def run(start: tuple[Any, ...], rate: Any) -> tuple[Any, ...]:
        def step(w: tuple[Any, ...], _: None) -> tuple[tuple[Any, ...], None]:
            return tuple(a - rate * g for a, g in zip(w, slope(*w), strict=True)), None

        end: tuple[Any, ...] = lax.scan(step, start, None, length=steps, unroll=how.unroll)[0]
        return end

    return run


def until_the_end(name: str, steps: int, how: Arrangement) -> Callable[..., Any]:
    """Return the descent of one run until it stops: status (place in STATUSES), steps, final weight, loss."""
    import jax.numpy as jnp
    from jax import lax

    slope, value = gradients(name)[how.gradient], loss(name)

    def run(start: tuple[Any, ...], rate: Any) -> tuple[Any, ...]:
        def goes_on(state: tuple[Any, Any, Any]) -> Any:
            k, w, g = state
            return (k < steps) & (jnp.abs(g) > TOLERANCE) & (jnp.abs(w) <= BOUND)  # False where nan

        def step(state: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            k, w, g = state
            w = w - rate * g
            return k + 1, w, slope(w)[0]

        def turn(state: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            state = step(state)  # goes_on was asked by the loop
            for _ in range(how.unroll - 1):
                going = goes_on(state)
                state = tuple(jnp.where(going, new, old) for new, old in zip(step(state), state, strict=True))
            return state

        (w,) = start
        k, w, g = lax.while_loop(goes_on, turn, (jnp.int32(0), w, slope(w)[0]))
        status = jnp.where(
            ~(jnp.isfinite(w) & jnp.isfinite(g)), 0,
            jnp.where(jnp.abs(w) > BOUND, 1, jnp.where(jnp.abs(g) <= TOLERANCE, 2, 3)),
        )  # fmt: skip
        return status.astype(jnp.int8), k, w, value(w)

    return run


def compiled(kind: Callable[..., Any], problem: Problem, how: Arrangement) -> Callable[[], Any]:
    """Compile, and return a call that computes every run and waits for the results."""
    import jax
    from jax import lax
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    name, steps, starts, rates = problem
    one = jax.vmap(kind(name, steps, how))

    def share(start: tuple[Any, ...], rate: Any) -> Any:
        if not how.batch:
            return one(start, rate)
        batches = jax.tree.map(lambda column: column.reshape(-1, how.batch), (start, rate))
        return jax.tree.map(lambda column: column.reshape(-1), lax.map(lambda each: one(*each), batches))

    order = dealt(len(rates), how)
    columns = (tuple(start[order] for start in starts), rates[order])
    if how.devices > 1:
        mesh = Mesh(np.array(jax.devices()[: how.devices]), ("device",))
        part = PartitionSpec("device")
        columns = jax.device_put(columns, NamedSharding(mesh, part))
        share = jax.shard_map(share, mesh=mesh, in_specs=(part, part), out_specs=part, check_vma=False)
    else:
        columns = jax.device_put(columns, jax.devices()[0])
    program = jax.jit(share).lower(*columns).compile()
    return lambda: jax.block_until_ready(program(*columns))


def dealt(runs: int, how: Arrangement) -> Any:
    """Return the order in which runs are handed over: whole batches, one for each device in turn.

    Neighbouring runs take about as many steps; dealt out like this, every device has as much to do. The last
    run is repeated to fill the last batch.
    """
    batch = how.batch or -(-runs // how.devices)
    batches = -(-runs // (batch * how.devices)) * how.devices
    order = np.minimum(np.arange(batches * batch), runs - 1).reshape(-1, how.devices, batch)
    return order.swapaxes(0, 1).reshape(-1)


def restored(columns: Any, runs: int, how: Arrangement) -> list[Any]:
    """Return result columns in the order of the runs."""
    order = dealt(runs, how)
    result = []
    for column in columns:
        straight = np.empty(runs, column.dtype)
        straight[order] = np.asarray(column)
        result.append(straight)
    return result


def best(kind: Callable[..., Any], problem: Problem, candidates: Iterable[Arrangement]) -> Arrangement:
    """Return the fastest of several arrangements: least seconds of calls made in turn."""
    programs = {how: compiled(kind, problem, how) for how in candidates}
    least = dict.fromkeys(programs, float("inf"))
    for trial in range(TRIALS + 1):
        for how, program in programs.items():
            begin = time.perf_counter()
            program()
            if trial:  # the first call is not counted
                least[how] = min(least[how], time.perf_counter() - begin)
    return min(least, key=least.__getitem__)


def spread_out() -> tuple[int, ...]:
    """Return the numbers of devices that are tried."""
    return (1, CORES) if CORES > 1 else (1,)


def arrange_fixed(problem: Problem, plain: bool) -> Arrangement:
    """Return the fastest arrangement of fixed steps, judged by a quarter of the steps.

    The ``plain`` ones are ``jit(vmap(scan))`` over all runs on one device, however the gradient is written
    and the scan unrolled.
    """
    name, steps, starts, rates = problem
    fewer = (name, max(steps // 4, 1), starts, rates)
    laid_out = best(
        fixed_steps, fewer,
        (
            Arrangement(gradient, devices, batch)
            for gradient in gradients(name)
            for devices in ((1,) if plain else spread_out())
            for batch in ((0,) if plain else (0, 1024, 8192))
        ),
    )  # fmt: skip
    return best(fixed_steps, fewer, (replace(laid_out, unroll=unroll) for unroll in (1, 2, 4, 8, 16)))


def arrange_atlas(problem: Problem, side: int, plain: bool) -> Arrangement:
    """Return the fastest arrangement of an atlas, judged by every sixteenth learning rate.

    The ``plain`` ones are ``lax.map`` over batches of ``while_loop`` on one device.
    """
    spread = (1,) if plain else spread_out()
    name, steps, starts, rates = problem
    some = np.arange(len(rates)).reshape(side, -1)[::16].reshape(-1)
    part = (name, steps, tuple(start[some] for start in starts), rates[some])
    first = best(
        until_the_end, part, (Arrangement(gradient, max(spread), 1024) for gradient in gradients(name))
    )
    laid_out = best(
        until_the_end, part,
        (replace(first, devices=devices, batch=batch) for devices in spread for batch in BATCHES),
    )  # fmt: skip
    return best(until_the_end, part, (replace(laid_out, unroll=unroll) for unroll in (1, 2, 4, 8)))


def serve() -> None:
    """Answer requests until there are no more."""
    start_jax()
    chosen: Callable[[], Any] = tuple
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, Any] = {}
        if request["do"] == "again":
            begin = time.perf_counter()
            for _ in range(request["times"]):
                chosen()
            answer["seconds"] = (time.perf_counter() - begin) / request["times"]
        else:
            case, steps = CASES[request["loss"]], request["steps"]
            if request["do"] == "fixed":
                kind, (starts, rates) = fixed_steps, fixed(case, request["runs"])
                problem = (case.name, steps, tuple(starts), rates)
                how = arrange_fixed(problem, request["plain"])
            else:
                kind, (starts, rates) = until_the_end, atlas(case, request["side"])
                problem = (case.name, steps, tuple(starts), rates)
                how = arrange_atlas(problem, request["side"], request["plain"])
            begin = time.perf_counter()
            chosen = compiled(kind, problem, how)
            answer["compile"] = time.perf_counter() - begin
            np.savez(request["file"], *restored(chosen(), len(rates), how))
            answer["arrangement"] = asdict(how)
        print(json.dumps(answer), flush=True)


def whole(request: dict[str, Any]) -> None:
    """Compute one atlas and write it; print the seconds of each part."""
    times = [time.perf_counter()]
    start_jax()
    times.append(time.perf_counter())
    how = Arrangement(**request["arrangement"])
    starts, rates = atlas(CASES[request["loss"]], request["side"])
    action = compiled(until_the_end, (request["loss"], request["steps"], tuple(starts), rates), how)
    times.append(time.perf_counter())
    columns = action()
    times.append(time.perf_counter())
    names = ("status", "steps", "w", "loss")
    np.savez(request["file"], **dict(zip(names, restored(columns, len(rates), how), strict=True)))
    times.append(time.perf_counter())
    parts = ("import", "compile", "compute", "write")
    print(json.dumps(dict(zip(parts, np.diff(times).tolist(), strict=True))))


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    elif len(sys.argv) == 3 and sys.argv[1] == "whole":
        whole(json.loads(sys.argv[2]))
    else:
        sys.exit("usage: jax_reference.py serve | whole JSON")
