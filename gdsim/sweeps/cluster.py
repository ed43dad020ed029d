"""The pieces of a sweep as tasks of a Dask cluster: a lost worker's pieces are computed by others.

The process that asks is the only one that writes files, and workers hold nothing that cannot be made again.
docs/sweeps-at-scale.md says what this comes to on a thousand machines.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import queue
import socket
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from itertools import islice
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdsim.outcomes import Fault, InputError
from gdsim.sweeps.executors import LOCAL
from gdsim.sweeps.result import Column
from gdsim.sweeps.versions import versions
from gdsim.sweeps.work import Worker

Integers: TypeAlias = NDArray[np.int64]
Pieces: TypeAlias = Iterator[tuple[int, Integers]]

_OPTION = "--dask-address"
_AHEAD = 2  # pieces under way for each worker, so that none is idle while its result travels
_RETRIES = 2  # times that a piece that failed is tried again: a machine may fail for reasons of its own
_IN_MEMORY = 16  # finished pieces that are fetched at once, at most; others wait on their workers
_ANSWER = 10.0  # seconds in which a scheduler answers
_REACH = 2.0  # seconds in which a worker that can be reached from here accepts a connection
_LOOK = 2.0  # seconds between two looks at which workers there are
_PATIENCE = 5.0  # seconds without any worker, until it is said
_NAMED = 3  # workers that a message names
#: what a local worker does first: Ctrl-C on a terminal reaches it too, and is not its business
_UNDISTURBED = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
_LOGGERS = (
    "distributed", "distributed.client", "distributed.scheduler", "distributed.worker", "distributed.nanny",
    "distributed.core", "distributed.batched", "distributed.comm", "distributed.shuffle", "tornado",
    "tornado.application", "asyncio",
)  # fmt: skip

#: A worker of the cluster computes one piece at a time, in whatever thread: the fast engine has threads of
#: its own, and the precision of a proof is one for the whole process.
_ONE_AT_A_TIME = threading.Lock()


class Done(NamedTuple):
    """What a worker gives back: where it is, the versions that made the columns, the columns."""

    address: str
    versions: dict[str, str]
    columns: dict[str, Column]


@lru_cache(maxsize=2)
def _worker(payload: bytes) -> Worker:
    design, engine = pickle.loads(payload)
    return Worker(design, engine)


def compute_there(payload: bytes, run: Integers | range) -> Done:
    """Compute a piece: what a task does on a worker."""
    from distributed import get_worker

    with _ONE_AT_A_TIME:
        worker = _worker(payload)
        worker.threads = get_worker().state.nthreads  # the cores that the cluster gives it
        columns = worker.compute(np.asarray(run))
        return Done(get_worker().address, versions(worker.engine), columns)


def task_functions() -> tuple[Callable[[bytes], bytes], Callable[[bytes, Integers | range], Done]]:
    """Return what tasks call, functions that travel by value: who has no gdsim can read them too.

    By name they would end such a worker, and the sweep after a few of them, with no word about the cause.
    """

    def design_and_engine(payload: bytes) -> bytes:  # workers copy it from each other; it can be made again
        return payload

    def compute(payload: bytes, run: Integers | range) -> Done:
        from gdsim.sweeps.cluster import compute_there

        return compute_there(payload, run)

    return design_and_engine, compute


def check_installed() -> None:
    """Raise InputError where Dask is not installed."""
    if find_spec("distributed") is None:
        message = "sweeps on a cluster need the package distributed, which is not installed"
        raise InputError(Fault(message, "pip install 'gdsim[dask]'", path=_OPTION))


def on_a_cluster(
    worker: Worker, address: str, jobs: int | None, pieces: Pieces, say: Callable[[str], None]
) -> Generator[tuple[int, dict[str, Column]], None, None]:
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
    say
        Told where there is no worker to wait for.

    Raises
    ------
    InputError
        Where Dask is not installed, no scheduler answers, or a worker has other versions.
    OSError
        Where the scheduler is lost, or one piece has cost several workers.

    Notes
    -----
    A lost worker's pieces are computed again by others, and workers that come later get their share. At most
    twice as many pieces as workers are under way, so that a scheduler holds few tasks and this process few
    results. The design travels to each worker once.
    """
    check_installed()
    with _connected(address, jobs) as client:
        tasks = _Tasks(client, worker, address, pieces, say)
        try:
            tasks.check_workers()
            yield from tasks.results()
        finally:
            tasks.cancel()


@dataclass
class _Tasks:
    """The pieces that are under way on a cluster."""

    client: Any
    worker: Worker
    address: str
    pieces: Pieces
    say: Callable[[str], None]
    under_way: dict[str, tuple[int, Any]] = field(default_factory=dict)  # by key: number and future
    _fetching: set[Future[Done]] = field(default_factory=set)
    _fetched: queue.SimpleQueue[tuple[str, Future[Done]]] = field(default_factory=queue.SimpleQueue)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: bool = False
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_IN_MEMORY))
    _workers: int = 0
    _looked: float = 0.0
    _seen: float = field(default_factory=time.monotonic)  # when a worker was last there
    _said: bool = False

    def results(self) -> Iterator[tuple[int, dict[str, Column]]]:
        """Give back the pieces as they are done."""
        with self._scheduler_there():
            payload = pickle.dumps((self.worker.design, self.worker.engine))
            design_and_engine, compute = task_functions()
            shared = self.client.submit(design_and_engine, payload, pure=False)
        while True:
            self._look()
            self._submit(compute, shared, _AHEAD * max(1, self._workers) - len(self.under_way))
            if not self.under_way:
                return
            try:
                key, fetched = self._fetched.get(timeout=_LOOK)
            except queue.Empty:
                continue
            self._fetching.discard(fetched)
            number, _ = self.under_way.pop(key)
            yield number, self._checked(fetched)
            self._loop.call_soon_threadsafe(self._room.release)

    def cancel(self) -> None:
        """Want nothing more: the scheduler forgets what has not begun."""
        with self._lock:
            self._over = True
        for fetching in [*self._fetching]:
            fetching.cancel()
        self.under_way.clear()

    def check_workers(self) -> None:
        """Raise InputError where a worker lacks gdsim, or has other versions."""
        mine = versions(self.worker.engine)
        with self._scheduler_there():
            found: dict[str, Any] = self.client.run(versions, self.worker.engine, on_error="return")
        _refuse_other(found, mine)

    def _submit(self, compute: Callable[..., Done], shared: Any, count: int) -> None:
        for number, run in islice(self.pieces, max(0, count)):
            first, last = int(run[0]), int(run[-1])
            whole = last - first + 1 == run.size
            what = range(first, last + 1) if whole else run
            with self._scheduler_there():
                future = self.client.submit(compute, shared, what, retries=_RETRIES, pure=False)
            self.under_way[future.key] = number, future
            future.add_done_callback(self._fetch)

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        loop: asyncio.AbstractEventLoop = self.client.loop.asyncio_loop
        return loop

    def _fetch(self, future: Any) -> None:
        """Begin to fetch what a task gave. A worker that is lost meanwhile has it made again by others."""

        async def fetch() -> Done:
            await self._room.acquire()
            done: Done = await self.client.gather(future, asynchronous=True)
            return done

        with self._lock:  # Dask calls this in a thread of its own, also while the client is closed
            if self._over:
                return
            fetching = asyncio.run_coroutine_threadsafe(fetch(), self._loop)
            self._fetching.add(fetching)
        fetching.add_done_callback(lambda fetched: self._fetched.put((future.key, fetched)))

    def _look(self) -> None:
        """Count the workers every few seconds; say once where there has been none for a while."""
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return
        with self._scheduler_there():
            self._workers = len(self.client.nthreads())
        self._looked = now
        if self._workers:
            self._seen, self._said = now, False
        elif now - self._seen > _PATIENCE and not self._said:
            self._said = True
            self.say(f"the cluster at {self.client.scheduler.address} has no worker; waiting for one to come")

    def _checked(self, fetched: Future[Done]) -> dict[str, Column]:
        """The columns of a piece that is done. Raises its error, or what is wrong with the cluster."""
        try:
            with self._scheduler_there():
                done = fetched.result()
        except ImportError:
            self.check_workers()  # one that came later may lack gdsim
            raise
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                message = "every worker that computed a certain chunk was lost, for want of memory perhaps"
                raise OSError(f"{message}; the same command goes on from here") from None
            raise
        mine = versions(self.worker.engine)
        if done.versions != mine:
            _refuse_other({done.address: done.versions}, mine)
        return done.columns

    @contextmanager
    def _scheduler_there(self) -> Iterator[None]:
        """Say it where the scheduler is lost, in whatever way Dask notices."""
        try:
            yield
        except (CancelledError, asyncio.CancelledError, OSError) as error:
            scheduler = getattr(self.client.scheduler, "address", self.address)
            closed = f"remote={scheduler}" in str(error)  # told before the client's status is
            if isinstance(error, OSError) and self.client.status == "running" and not closed:
                raise
            message = f"the scheduler at {self.address} was lost"
            raise OSError(f"{message}; the same command goes on from here") from None


def _refuse_other(found: dict[str, Any], mine: dict[str, str]) -> None:
    """Raise InputError where workers answered with an error or other versions."""
    other = {address: theirs for address, theirs in found.items() if theirs != mine}
    if not other:
        return
    named = "; ".join(f"{address}: {_listed(theirs)}" for address, theirs in [*other.items()][:_NAMED])
    more = f"; and {len(other) - _NAMED} more" if len(other) > _NAMED else ""
    message = f"workers lack packages or have other versions: {named}{more}"
    raise InputError(Fault(message, f"{_listed(mine)} as here", path=_OPTION))


def _listed(theirs: Any) -> str:
    if isinstance(theirs, BaseException):
        return f"{theirs}"
    return ", ".join(f"{name} {version}" for name, version in theirs.items())


@contextmanager
def _connected(address: str, jobs: int | None) -> Iterator[Any]:
    """A client of the cluster, and for ``local`` the cluster itself, until the end of the block."""
    from distributed import Client

    with ExitStack() as stack:
        stack.enter_context(_silent())
        at: Any = stack.enter_context(_local_cluster(jobs)) if address == LOCAL else address
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # versions are compared here, where they make the numbers
                client = Client(at, timeout=_ANSWER, set_as_default=False)
        except (OSError, ValueError) as error:
            message = f"no scheduler answers at {address} ({error})"
            raise InputError(
                Fault(
                    message, "the address of a running scheduler, such as tcp://10.0.0.1:8786", path=_OPTION
                )
            ) from None
        stack.callback(client.close)
        client.direct_to_workers = _reachable([*client.nthreads()])
        yield client


@contextmanager
def _local_cluster(jobs: int | None) -> Iterator[Any]:
    import dask
    from distributed import LocalCluster

    stated = dask.config.get("distributed.worker.preload")
    first = [*([stated] if isinstance(stated, str) else stated), _UNDISTURBED]
    with (
        dask.config.set({"distributed.worker.preload": first}),
        TemporaryDirectory(prefix="gdsim-workers-") as folder,
        LocalCluster(
            n_workers=jobs, threads_per_worker=1, dashboard_address=None, local_directory=folder,
            memory_limit=0, silence_logs=logging.CRITICAL,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # else it opens port 8787 to everybody
        ) as cluster,
    ):  # fmt: skip
        yield cluster


def _reachable(addresses: list[str]) -> bool:
    """Whether results can come from the workers themselves, instead of through the scheduler."""
    from distributed.comm.addressing import parse_address, parse_host_port

    if not addresses:
        return False
    try:
        with socket.create_connection(parse_host_port(parse_address(addresses[0])[1]), _REACH):
            return True
    except (OSError, ValueError):
        return False


@contextmanager
def _silent() -> Iterator[None]:
    """Keep Dask's own messages from the terminal: whatever matters in them is said by this module."""
    before = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in before:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
