"""What a worker does while the store is away and events pile up in Kafka, and how it catches up afterwards."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Self

import psutil

from benchmarks.load import Load, Record, fill
from benchmarks.report import Figure
from benchmarks.stage import services
from nhip.console import bar, say
from nhip.lag import Backlog
from nhip.settings import Settings, load_tree
from nhip.store import open_store
from nhip.system import System

__all__ = ["AWAY_S", "EVENTS", "run"]

EVENTS = 3_600_000
"""An hour of 1,000 a second."""
AWAY_S = 120.0
"""The store is away at least so long: past the workers' patience, so that they end and are started again."""
TARGET_MIB = 700.0
FIRST_SHARE = 20
"""So many times fewer events are counted before the store goes away."""
LOOK_S = 0.2
TIMEOUT_S = 3_600.0


class _Memory:
    """The largest memory of any worker of a system, looked at from a thread until the end of the block."""

    def __init__(self, system: System) -> None:
        self.peak_bytes = 0
        self.processes: set[int] = set()
        self._system = system
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            for child in psutil.Process(os.getpid()).children(recursive=True):
                with suppress(psutil.Error):
                    if child.cmdline()[1:] == ["-m", "nhip", "worker"]:
                        self.processes.add(child.pid)
                        self.peak_bytes = max(self.peak_bytes, child.memory_info().rss)


class _Part:
    """Records of a load from one place up to another."""

    def __init__(self, load: Load, begin: int, end: int) -> None:
        self.count = end - begin
        self.partitions = load.partitions
        self._load, self._begin, self._end = load, begin, end

    def records(self) -> Iterator[Record]:
        """Yield them in order."""
        return islice(self._load.records(), self._begin, self._end)


def run(events: int = EVENTS, away_s: float = AWAY_S) -> Iterator[Figure]:
    """Pile events up in Kafka without a store, then start it again. Raises RuntimeError, TimeoutError."""
    with services(Settings(clock="event")) as system:
        say(f"backlog: making {events:,} events …")
        first = max(1, events // FIRST_SHARE)
        load = Load(load_tree(system.settings), first + events, system.settings.partitions)
        system.add_worker(0)
        with Backlog(system.kafka.bootstrap, system.settings.group) as backlog:
            _fill(system, _Part(load, 0, first))
            _until_counted(system, backlog)
            system.store.kill()
            began_s = time.monotonic()
            with _Memory(system) as away:
                _fill(system, _Part(load, first, load.count))
                filled_s = time.monotonic() - began_s
                say(f"backlog: {events:,} events in {filled_s:.0f} s; the store stays away …")
                while time.monotonic() < began_s + max(away_s, filled_s):
                    system.watch()
                    time.sleep(LOOK_S)
            system.store.start()
            back_s = time.monotonic()
            with _Memory(system) as after:
                _until_counted(system, backlog)
            caught_up_s = time.monotonic() - back_s
            wrong, figures = _wrong(system, load)
    yield Figure("backlog", "store away", back_s - began_s, "s", note=f"{events:,} events arrive meanwhile")
    yield Figure("backlog", "workers started meanwhile", len(away.processes), "processes")
    yield Figure("backlog", "worker, peak memory while it is away", away.peak_bytes / 2**20, "MiB", TARGET_MIB)
    yield Figure("backlog", "worker, peak memory while it catches up", after.peak_bytes / 2**20, "MiB", TARGET_MIB)
    yield Figure("backlog", "everything counted after the store is back", caught_up_s, "s")
    yield Figure("backlog", "figures wrong", wrong, f"of {figures}", 0)


def _fill(system: System, load: _Part) -> None:
    """Write the load beside the watching of the system: workers end and are started again meanwhile."""
    with bar("loading") as show, ThreadPoolExecutor(1) as aside:
        filling = aside.submit(asyncio.run, fill(system.kafka.bootstrap, load, lambda done: show(done, load.count)))
        while not filling.done():
            system.watch()
            time.sleep(LOOK_S)
        filling.result()


def _until_counted(system: System, backlog: Backlog) -> None:
    deadline_s = time.monotonic() + TIMEOUT_S
    with bar("counting") as show:
        while True:
            system.watch()
            parts = backlog.read()
            left, total = sum(part.lag for part in parts), sum(part.end for part in parts)
            show(total - left, total)
            if not left:
                return
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{left} of {total} events are not counted after {TIMEOUT_S:.0f} s")
            time.sleep(LOOK_S)


def _wrong(system: System, load: Load) -> tuple[int, int]:
    """Return how many figures are not what the load says, and how many there are; the last ones need a moment."""
    truth = load.truth()
    store = open_store(system.settings)
    deadline_s = time.monotonic() + 30.0
    while True:
        shown = store.rates_now()
        wrong = sum(shown.get((scope, indicator, "all")) != value for (scope, indicator), value in truth.items())
        if not wrong or time.monotonic() > deadline_s:
            store.client.close()
            return wrong, len(truth)
        time.sleep(LOOK_S)
