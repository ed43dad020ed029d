"""Who computes the pieces of a sweep: this process, several processes, or the workers of a Dask cluster.

Each is a generator that takes numbered pieces and gives back their columns, in whatever order they are done.
Only the process that asks writes files.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim.outcomes import Fault, InputError
from gdsim.sweeps.result import Column
from gdsim.sweeps.versions import versions
from gdsim.sweeps.work import Worker

Integers: TypeAlias = NDArray[np.int64]
Pieces: TypeAlias = Iterator[tuple[int, Integers]]
Computed: TypeAlias = Iterator[tuple[int, dict[str, Column]]]

_AHEAD = 2  # pieces that wait for each process, so that none is idle and few are in memory
_RETRIES = 3  # times that a piece of a cluster is tried again where a worker was lost or failed
_ONE_AT_A_TIME = threading.Lock()  # the fast engine has threads of its own


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
        waiting: dict[Future[dict[str, Column]], int] = {}

        def submit(count: int) -> None:
            for number, run in islice(pieces, count):
                waiting[pool.submit(_compute, payload, run)] = number

        try:
            submit(_AHEAD * jobs)
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield waiting.pop(future), future.result()
                submit(len(done))
        except BrokenProcessPool:
            raise OSError(
                "a process of the sweep was killed, for want of memory perhaps; "
                "the same command goes on from here, and --jobs 1 takes the least memory"
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@lru_cache(maxsize=2)
def _worker(payload: bytes) -> Worker:
    design, engine = pickle.loads(payload)
    return Worker(design, engine)


def _compute(payload: bytes, run: Integers) -> dict[str, Column]:
    return _worker(payload).compute(run)


def _compute_there(payload: bytes, run: Integers | range) -> tuple[dict[str, str], dict[str, Column]]:
    """What a worker of a cluster does: the columns, and the versions that made them."""
    with _ONE_AT_A_TIME:
        worker = _worker(payload)
        return versions(worker.engine), worker.compute(np.asarray(run))


def on_a_cluster(worker: Worker, address: str, jobs: int | None, pieces: Pieces) -> Computed:
    """Compute pieces on the workers of a Dask cluster.

    Parameters
    ----------
    worker
        Says what is computed.
    address
        Of the scheduler, such as ``tcp://10.0.0.1:8786``; ``local`` starts a cluster on this machine.
    jobs
        How many workers a local cluster has; None: one for each core.
    pieces
        Numbers and the runs behind them.

    Raises
    ------
    InputError
        Where Dask is not installed, no scheduler answers, or the workers have other versions.

    Notes
    -----
    A lost worker's pieces are computed again by others. At most twice as many pieces as there are threads
    are under way, so that a scheduler holds few tasks and this process few results.
    """
    try:
        from distributed import Client, LocalCluster, as_completed
    except ImportError:
        message = "sweeps on a cluster need the package distributed, which is not installed"
        raise InputError(Fault(message, "pip install 'gdsim[dask]'", path="--dask-address")) from None
    payload = pickle.dumps((worker.design, worker.engine))
    local = address == "local"
    cluster: Any = None
    if local:
        cluster = LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None)
    try:
        client: Any = Client(cluster if local else address, timeout="10s", set_as_default=False)
    except OSError as error:
        message = f"no scheduler answers at {address} ({error})"
        raise InputError(
            Fault(message, "the address of a running scheduler", path="--dask-address")
        ) from None
    try:
        (shared,) = client.scatter([payload], broadcast=True)
        numbers: dict[str, int] = {}
        queue: Any = as_completed(with_results=False)

        def submit(count: int) -> None:
            for number, run in islice(pieces, count):
                first, last = int(run[0]), int(run[-1])
                whole = last - first + 1 == run.size
                what = range(first, last + 1) if whole else run
                future = client.submit(_compute_there, shared, what, retries=_RETRIES, pure=False)
                numbers[future.key] = number
                queue.add(future)

        submit(_AHEAD * max(1, sum(client.nthreads().values())))
        for future in queue:
            made, columns = future.result()
            if made != versions(worker.engine):
                differing = ", ".join(f"{name} {version}" for name, version in made.items())
                raise InputError(
                    Fault(f"a worker has other versions: {differing}", f"{versions(worker.engine)}")
                )
            yield numbers.pop(future.key), columns
            submit(1)
    finally:
        client.close()
        if cluster is not None:
            cluster.close()
