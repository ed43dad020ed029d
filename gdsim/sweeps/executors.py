"""Who computes the pieces of a sweep: this process, or several; ``cluster.py``: the workers of a cluster.

Each is a generator that takes numbered pieces and gives back their columns, in whatever order they are done.
Only the process that asks writes files.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from multiprocessing import get_context
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim.sweeps.result import Column
from gdsim.sweeps.work import Worker

Integers: TypeAlias = NDArray[np.int64]
Pieces: TypeAlias = Iterator[tuple[int, Integers]]
Computed: TypeAlias = Generator[tuple[int, dict[str, Column]], None, None]

LOCAL = "local"  # the address of a cluster that is started for one sweep, on this machine
_AHEAD = 2  # pieces that wait for each process, so that none is idle and few are in memory


def in_this_process(worker: Worker, pieces: Pieces) -> Computed:
    """Compute one piece after the other, here."""
    for number, run in pieces:
        yield number, worker.compute(run)


def in_processes(worker: Worker, jobs: int, pieces: Pieces) -> Computed:
    """Compute pieces in several processes of this machine.

    Parameters
    ----------
    worker
        Says what is computed; it stays in this process.
    jobs
        How many processes.
    pieces
        Numbers and the runs behind them.
    """
    payload = pickle.dumps((worker.design, worker.engine))
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        try:
            yield from _in_pool(pool, jobs, pieces, partial(_compute, payload))
        except BrokenProcessPool:
            raise OSError(
                "a process of the sweep was killed, for want of memory perhaps; "
                "the same command goes on from here, and --jobs 1 takes the least memory"
            ) from None


def in_threads(worker: Worker, jobs: int, pieces: Pieces) -> Computed:
    """Compute pieces in several threads of this process, each with the fast engine in that thread alone.

    Stepping and judging both keep every core busy so: the compiled loop and NumPy let go of the
    interpreter's lock.
    """
    alone = replace(worker, threads=1)
    with ThreadPoolExecutor(jobs) as pool:
        yield from _in_pool(pool, jobs, pieces, alone.compute)


def _in_pool(
    pool: Executor, jobs: int, pieces: Pieces, compute: Callable[[Integers], dict[str, Column]]
) -> Computed:
    """Keep a pool busy with a few pieces ahead; where this ends early, what waits is not begun."""
    waiting: dict[Future[dict[str, Column]], int] = {}

    def submit(count: int) -> None:
        for number, run in islice(pieces, count):
            waiting[pool.submit(compute, run)] = number

    try:
        submit(_AHEAD * jobs)
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield waiting.pop(future), future.result()
            submit(len(done))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


@lru_cache(maxsize=2)
def _worker(payload: bytes) -> Worker:
    design, engine = pickle.loads(payload)
    return Worker(design, engine)


def _compute(payload: bytes, run: Integers) -> dict[str, Column]:
    return _worker(payload).compute(run)
