"""What a Dask cluster costs a sweep: seconds a chunk, bytes on the wire, tasks and bytes a second.

Scheduler, workers and client share this machine, so that wall seconds are upper bounds of what a chunk costs
on machines of their own. Scheduler and client are one process here, whose processor seconds say more on a
machine with other work. docs/sweeps-at-scale.md reckons with these figures.
"""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from distributed import Client, LocalCluster
from distributed.protocol.pickle import dumps
from timing import clocked

from gdsim.scenario import load
from gdsim.scenario.axes import with_axes
from gdsim.sweeps.cluster import Done, on_a_cluster, task_functions
from gdsim.sweeps.columns import write_columns
from gdsim.sweeps.design import Design
from gdsim.sweeps.versions import versions
from gdsim.sweeps.work import Worker

AXES = ("learning_rate=lin(0.01,0.4,1000)", "initial_weight=lin(-1.9,1.9,1000)")
TRIVIAL = 16  # runs of a chunk whose own work hardly counts
FEW, MANY = 16, 112  # chunks: the difference is free of what connecting takes
LARGE = 1 << 18  # runs of the largest chunk
TASKS = 2000
REPEATS = 3


def main() -> None:
    """Print every figure."""
    worker = Worker(Design.of(with_axes(load("double-well"), AXES)))
    here, _ = _slope(lambda count: _drained(_here(worker, _pieces(count))))
    _row("a trivial chunk in this process", 1e3 * here, "ms")
    for workers in (1, 2):
        with _cluster(workers) as cluster:
            address = cluster.scheduler_address

            def there(count: int, address: str = address) -> None:
                _drained(on_a_cluster(worker, address, None, _pieces(count), print))

            there(FEW)
            cost, busy = _slope(there)
            connecting = clocked(lambda: there(1))
            _row(f"the same on a cluster, workers: {workers}", 1e3 * cost, f"ms, {cost / here:.3g} times")
            _row("  of it scheduler and client, processor time", 1e3 * busy, "ms")
            _row("  to connect, compare versions and send the design", connecting, "s")
            each, busy = _empty_task(address)
            _row("  a task that does nothing", 1e3 * each, "ms")
            _row("  of it scheduler and client, processor time", 1e3 * busy, "ms")
            if workers == 1:
                for direct in (False, True):
                    way = "from the worker itself" if direct else "through the scheduler"
                    _row(f"  results {way}", _result_rate(address, direct), "MB/s")
    columns = worker.compute(np.arange(LARGE))
    done = Done("tcp://10.0.0.1:40000", versions("numpy"), columns)
    _row("bytes of the design", len(pickle.dumps((worker.design, "numpy"))), "")
    _row("bytes of a task", len(dumps((task_functions()[1], range(LARGE)))), "")
    _row("bytes of a result for each run", len(pickle.dumps(done)) / LARGE, "")
    _row("chunk files, each fsynced", _write_rate(columns), "MB/s")


def _row(name: str, value: float, unit: str) -> None:
    print(f"{name:<58} {value:12.4g} {unit}", flush=True)


def _cluster(workers: int) -> Any:
    return LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None, memory_limit=0)


def _pieces(count: int) -> Iterator[tuple[int, np.ndarray]]:
    for number in range(count):
        yield number, np.arange(number * TRIVIAL, (number + 1) * TRIVIAL)


def _here(worker: Worker, pieces: Any) -> Any:
    for number, run in pieces:
        yield number, worker.compute(run)


def _drained(computed: Any) -> None:
    for _ in computed:
        pass


def _timed(work: Any) -> np.ndarray:
    """Wall and processor seconds of a call, all threads of this process."""
    wall, busy = time.perf_counter(), time.process_time()
    work()
    return np.array([time.perf_counter() - wall, time.process_time() - busy])


def _slope(work: Any) -> tuple[float, float]:
    """Median seconds that one more chunk takes, wall and processor."""
    pairs = [_timed(lambda: work(MANY)) - _timed(lambda: work(FEW)) for _ in range(REPEATS)]
    wall, busy = np.median(pairs, axis=0) / (MANY - FEW)
    return float(wall), float(busy)


def _empty_task(address: str) -> tuple[float, float]:
    with Client(address, set_as_default=False) as client:
        client.gather(client.map(abs, range(100), pure=False))
        wall, busy = _timed(lambda: client.gather(client.map(abs, range(TASKS), pure=False))) / TASKS
        return float(wall), float(busy)


def _result_rate(address: str, direct: bool) -> float:
    """Megabytes a second of results as large as those of the largest chunk."""
    size, count = 8 << 20, 16
    with Client(address, set_as_default=False, direct_to_workers=direct) as client:
        futures = client.map(lambda seed: np.full(size, seed, dtype=np.uint8), range(count), pure=False)
        client.gather(client.map(abs, range(1), pure=False))
        while any(future.status == "pending" for future in futures):
            time.sleep(0.05)
        return size * count / 1e6 / clocked(lambda: [future.result() for future in futures])


def _write_rate(columns: dict[str, np.ndarray]) -> float:
    size = sum(column.nbytes for column in columns.values())
    with tempfile.TemporaryDirectory(dir=".") as folder:
        times = [
            clocked(lambda number=number: write_columns(Path(folder, f"{number}.npz"), columns))  # type: ignore[misc]
            for number in range(3 * REPEATS)
        ]
    return size / 1e6 / median(times)


if __name__ == "__main__":
    main()
