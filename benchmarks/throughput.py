"""Events per second of one worker on one core, and of stock Faust agents over the same records."""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.load import Load, Truth, fill
from benchmarks.report import Figure
from benchmarks.stage import Cores, Measured, cores, measured, pinned, running_worker, services
from benchmarks.stock import Counted
from nhip.console import bar, say
from nhip.lag import Backlog
from nhip.settings import Settings, load_tree
from nhip.store import open_store
from nhip.system import System
from sinks.store import ClickHouseStore

__all__ = ["EVENTS", "STOCK_EVENTS", "Outcome", "measure_worker", "run"]

EVENTS = 600_000
STOCK_EVENTS = 15_000
"""Fewer for the stock agents: they need as long for these."""

DICTS_MORE = 4
"""So many times more events for the agent with plain dicts, which is that much faster."""
LOOK_S = 0.05
LOAD_TIMEOUT_S = 300.0
WORKER_TIMEOUT_S = 300.0
FIGURES_TIMEOUT_S = 60.0
STOCK_TIMEOUT_S = 120.0
YEAR_EVENTS = 2_700_000
"""A province's year."""
PER = 100_000
"""CPU time is told for so many events."""


class Outcome(NamedTuple):
    """What one worker did between its first and its last commit, and when its figures were right."""

    events: int
    seconds: float
    cpu_s: float
    right: int
    figures: int
    settled_s: float
    peak_bytes: int


class _Look(NamedTuple):
    at_s: float
    cpu_s: float
    committed: int


def run(events: int = EVENTS, stock_events: int = STOCK_EVENTS) -> Iterator[Figure]:
    """Measure a worker, then the stock agents (none for ``stock_events`` 0), over one topic filled beforehand.

    Raises RuntimeError when a process ends by itself, TimeoutError when it does not get to its end.
    """
    place = cores()
    with (
        tempfile.TemporaryDirectory(prefix="nhip-bench-") as folder,
        pinned(place.others),
        services(Settings(clock="event")) as system,
    ):
        say(f"throughput: making and loading {events:,} events …")
        load = Load(load_tree(system.settings), events, system.settings.partitions)
        with bar("loading") as show:
            asyncio.run(
                asyncio.wait_for(fill(system.kafka.bootstrap, load, lambda n: show(n, events)), LOAD_TIMEOUT_S)
            )
        shape = f"{load.dossiers:,} dossiers, {len(load.units)} units, {load.mean_bytes:.0f} bytes an event"
        say(f"throughput: one worker on one core over {shape} …")
        ours = measure_worker(system, load, place, Path(folder))
        yield from _figures(ours, shape)
        if stock_events:
            yield from _compare(system, place, Path(folder), ours, stock_events)


def measure_worker(system: System, load: Load, place: Cores, folder: Path) -> Outcome:
    """Run a worker over everything loaded, from its first acknowledged flush to right figures."""
    truth = load.truth()
    store = open_store(system.settings)
    with (
        Backlog(system.kafka.bootstrap, system.settings.group) as backlog,
        running_worker(system, place.measured, folder / "worker.log") as worker,
        bar("counting") as show,
    ):
        deadline_s = time.monotonic() + WORKER_TIMEOUT_S
        first: _Look | None = None
        while True:
            look = _look(backlog, worker)
            show(look.committed, load.count)
            if first is None and look.committed:
                first = look
            if look.committed >= load.count:
                break
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{look.committed} of {load.count} events after {WORKER_TIMEOUT_S:.0f} s")
            time.sleep(LOOK_S)
        if first is None or first.committed == look.committed:
            raise RuntimeError(f"{load.count} events are one flush: measure more")
        right = _settle(store, truth, worker)
        settled_s = time.monotonic() - look.at_s
    store.client.close()
    return Outcome(
        look.committed - first.committed,
        look.at_s - first.at_s,
        look.cpu_s - first.cpu_s,
        right,
        len(truth),
        settled_s,
        worker.peak_bytes,
    )


def _look(backlog: Backlog, worker: Measured) -> _Look:
    worker.look()
    committed = sum(p.committed or 0 for p in backlog.read())
    return _Look(time.monotonic(), worker.cpu_s(), committed)


def _settle(store: ClickHouseStore, truth: Truth, worker: Measured) -> int:
    """Wait until all published figures are right, or long enough; return how many are."""
    deadline_s = time.monotonic() + FIGURES_TIMEOUT_S
    while True:
        worker.look()
        shown = store.rates_now()
        right = sum(shown.get((scope, indicator, "all")) == value for (scope, indicator), value in truth.items())
        if right == len(truth) or time.monotonic() > deadline_s:
            return right
        time.sleep(LOOK_S)


def _figures(ours: Outcome, shape: str) -> Iterator[Figure]:
    speed = ours.events / ours.seconds
    yield Figure("throughput", "worker, one core", speed, "events/s", note=shape)
    yield Figure(
        "throughput", "a province's year at that speed", YEAR_EVENTS / speed, "s", note=f"{YEAR_EVENTS:,} events"
    )
    yield Figure("throughput", "worker, CPU for 100,000 events", ours.cpu_s / ours.events * PER, "s")
    yield Figure("throughput", "worker, share of its core used", 100 * ours.cpu_s / ours.seconds, "%")
    yield Figure("throughput", "figures wrong", ours.figures - ours.right, f"of {ours.figures}", target=0)
    yield Figure("throughput", "figures right after the last commit", ours.settled_s, "s")
    yield Figure("throughput", "worker, peak memory", ours.peak_bytes / 2**20, "MiB")


def _compare(system: System, place: Cores, folder: Path, ours: Outcome, events: int) -> Iterator[Figure]:
    for state, what, count in (
        ("tables", "stock Faust, tables", events),
        ("dicts", "stock Faust, plain dicts", DICTS_MORE * events),
    ):
        say(f"throughput: {what}, {count:,} events …")
        stock = _measure_stock(system, count, place, folder, state)
        ratio = ours.events / ours.seconds / (stock.events / stock.seconds)
        cpu_ratio = stock.cpu_s / stock.events / (ours.cpu_s / ours.events)
        yield Figure("throughput", f"{what}, one core", stock.events / stock.seconds, "events/s")
        yield Figure("throughput", f"{what}, CPU for 100,000 events", stock.cpu_s / stock.events * PER, "s")
        yield Figure("throughput", f"worker against {what}: events/s", ratio, "x")
        yield Figure("throughput", f"worker against {what}: events per CPU second", cpu_ratio, "x")


def _measure_stock(system: System, events: int, place: Cores, folder: Path, state: str) -> Counted:
    result = folder / f"stock-{state}.json"
    module = [sys.executable, "-m", "benchmarks.stock"]
    command = [*module, system.kafka.bootstrap, str(system.settings.partitions), str(events), state, str(result)]
    with measured(f"stock Faust ({state})", command, folder / f"stock-{state}.log", {}, place.measured) as process:
        deadline_s = time.monotonic() + STOCK_TIMEOUT_S
        while not result.exists():
            process.look()
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{process.service.name} did not finish:\n{process.service.log_tail()}")
            time.sleep(LOOK_S)
    return msgspec.json.decode(result.read_bytes(), type=Counted)
