"""A stand: services of its own, dossiers in its store and a worker that knows them; then events, measured."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.load import Recorded, fill
from benchmarks.stage import Measured, running_worker, services
from benchmarks.stored import Figure
from nhip.lag import Backlog
from nhip.settings import Settings
from nhip.store import open_store
from nhip.system import System
from sinks.store import ClickHouseStore

__all__ = ["SETTINGS", "Cost", "Stand", "stand"]

SETTINGS = Settings(session_timeout_s=80.0, stall_s=1_000.0, check_interval_s=0)
"""A worker that is held back while another one is measured must not be taken for dead, nor end itself; Faust wants
the first below its 90 s for a request."""
LOOK_S = 0.05
RECALL_TIMEOUT_S = 300.0
COUNT_TIMEOUT_S = 120.0
FIGURES_TIMEOUT_S = 30.0
TAKEN_OVER, RECALLED = "partitions taken over", "memory filled"
"""What a worker logs when its panes are rebuilt, and when it knows all that is open and which ids exist."""
SETTLE_S = 2.0
"""Several workers share the partitions out anew whenever one comes: nothing may have happened for so long."""


class Cost(NamedTuple):
    """What so many events cost: wall seconds, and processor seconds of the workers and of the store."""

    events: int
    seconds: float
    worker_s: float
    store_s: float


class Stand:
    """Services with workers; these are held back but for the time of a measurement."""

    def __init__(self, system: System, store: ClickHouseStore, backlog: Backlog, workers: Sequence[Measured]) -> None:
        self.system = system
        self.store = store
        self.workers = workers
        self._backlog = backlog
        self._store_process = _store_process(system)

    def recalled(self) -> None:
        """Wait until every worker's memory is filled and stays so."""
        since_s = time.monotonic()

        def rested() -> bool:
            nonlocal since_s
            logs = [_log_of(worker) for worker in self.workers]
            if not all(log.rfind(RECALLED) > log.rfind(TAKEN_OVER) for log in logs):
                since_s = time.monotonic()
            return time.monotonic() - since_s > SETTLE_S

        _until(rested, RECALL_TIMEOUT_S, self.workers)

    def hold(self) -> None:
        """Stop the workers where they are."""
        for worker in self.workers:
            worker.process.suspend()

    def go_on(self) -> None:
        """Let them go on."""
        for worker in self.workers:
            with suppress(psutil.NoSuchProcess):
                worker.process.resume()

    def count(self, load: Recorded) -> Cost:
        """Send a load while the workers are held back, then measure them until all of it is acknowledged."""
        asyncio.run(fill(self.system.kafka.bootstrap, load, lambda _: None))
        before = self._spent()
        began_s = time.monotonic()
        self.go_on()
        _until(lambda: not any(part.lag for part in self._backlog.read()), COUNT_TIMEOUT_S, self.workers)
        seconds = time.monotonic() - began_s
        after = self._spent()
        return Cost(load.count, seconds, after[0] - before[0], after[1] - before[1])

    def wrong(self, truth: dict[Figure, tuple[int, int]]) -> int:
        """Return how many figures are still wrong after a while; the workers must not be held back."""
        deadline_s = time.monotonic() + FIGURES_TIMEOUT_S
        while True:
            shown = self.store.rates_now()
            wrong = sum(shown.get(figure) != sides for figure, sides in truth.items())
            if not wrong or time.monotonic() > deadline_s:
                return wrong
            time.sleep(LOOK_S)

    def _spent(self) -> tuple[float, float]:
        times = self._store_process.cpu_times()
        return sum(worker.cpu_s() for worker in self.workers), times.user + times.system


@contextmanager
def stand(
    settings: Settings, folder: Path, put: Callable[[System, ClickHouseStore], None], on: Sequence[frozenset[int]]
) -> Iterator[Stand]:
    """Start services, ``put`` dossiers into their store, and start a worker on each of these sets of cores.

    The services run where the caller is pinned. Everything is ended and removed with the block.
    """
    with services(settings) as system, ExitStack() as stack:
        store = open_store(system.settings)
        stack.callback(store.client.close)
        put(system, store)
        workers = [
            stack.enter_context(running_worker(system, cores, folder / f"{system.store.port}-{n}.log", n))
            for n, cores in enumerate(on)
        ]
        backlog = stack.enter_context(Backlog(system.kafka.bootstrap, system.settings.group))
        found = Stand(system, store, backlog, workers)
        stack.callback(found.go_on)  # what is held back cannot end in order
        found.recalled()
        yield found


def _until(true: Callable[[], bool], timeout_s: float, workers: Sequence[Measured]) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not true():
        for worker in workers:
            worker.look()
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not done after {timeout_s:.0f} s:\n{workers[0].service.log_tail()}")
        time.sleep(LOOK_S)


def _log_of(worker: Measured) -> str:
    return worker.service.log.read_text("utf-8", errors="replace")


def _store_process(system: System) -> psutil.Process:
    """Find the store among the children, by its port."""
    wanted = ["nhip.local.clickhouse_server", str(system.store.port)]
    for child in psutil.Process().children(recursive=True):
        words = child.cmdline()
        if all(word in words for word in wanted) and words[1:2] == ["-m"]:
            return child
    raise RuntimeError("the store's process is not found")
