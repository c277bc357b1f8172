"""Seconds from sending an event until a published rate contains it."""

import math
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.load import FIELDS, PROVINCE, units_of_province
from benchmarks.report import Figure
from benchmarks.stage import Measured, cores, running_worker, services
from contract.dossier import Dossier, DossierEvent
from nhip.console import bar, say
from nhip.settings import Settings, load_tree
from nhip.store import open_store
from producers.client import Producer
from sinks.client import Client
from sinks.store import ClickHouseStore
from streams.clock import US_PER_S, wall_clock_us

__all__ = ["RATE_PER_S", "SECONDS", "Sight", "latencies", "percentile", "run", "send", "wait_for_heartbeat"]

RATE_PER_S = 200
SECONDS = 30.0
EVERYDAY_PER_S = 1_000
EVERYDAY_P99_S, BUSY_P99_S = 0.7, 1.5
"""Targets, up to that rate and above it."""
POLL_S = 0.03
START_TIMEOUT_S = 60.0
DRAIN_TIMEOUT_S = 30.0
WARM_UP_S = 2.0
"""Sent before those that are counted: the first connections and look-ups."""

NOW = (
    "SELECT denominator FROM rates_now FINAL WHERE scope = {scope:String} AND indicator = 'online' AND window = 'all'"
)
HISTORY = """
    SELECT denominator, toUnixTimestamp64Micro(written_at) FROM rates
    WHERE scope = {scope:String} AND indicator = 'online' AND window = 'all' ORDER BY written_at"""
SCOPE = {"scope": f"unit:{PROVINCE}"}


class Sight(NamedTuple):
    """From this moment on a reader found so many events counted."""

    at_us: int
    counted: int


class _Reader(threading.Thread):
    """Asks for the current figure as a screen would, and notes when it grew."""

    def __init__(self, client: Client) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._ended = threading.Event()
        self.sights: list[Sight] = [Sight(0, 0)]

    def run(self) -> None:
        while not self._ended.wait(POLL_S):
            counted = next((int(n) for (n,) in self._client.rows(NOW, SCOPE)), 0)
            if counted > self.sights[-1].counted:
                self.sights.append(Sight(wall_clock_us(), counted))

    def end(self) -> None:
        self._ended.set()
        self.join(DRAIN_TIMEOUT_S)


def run(rate_per_s: int = RATE_PER_S, seconds: float = SECONDS) -> Iterator[Figure]:
    """Send new dossiers of all units at a steady rate and watch the province's figure grow.

    The k-th event sent counts as contained when the denominator is k or more. Raises RuntimeError, TimeoutError.
    """
    place = cores()
    every = place.measured | place.others  # as in service; delay is no matter of one core
    with (
        tempfile.TemporaryDirectory(prefix="nhip-bench-") as folder,
        services(Settings()) as system,
        running_worker(system, every, Path(folder) / "worker.log") as worker,
    ):
        store = open_store(system.settings)
        wait_for_heartbeat(store, worker)
        units = units_of_province(load_tree(system.settings))
        reader = _Reader(open_store(system.settings).client)
        reader.start()
        say(f"latency: {rate_per_s} events/s for {seconds:.0f} s …")
        total = int(rate_per_s * (WARM_UP_S + seconds))
        sent = send(system.settings.kafka, units, rate_per_s, total)
        deadline_s = time.monotonic() + DRAIN_TIMEOUT_S
        while reader.sights[-1].counted < total:
            worker.look()
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{total - reader.sights[-1].counted} of {total} events were never counted")
            time.sleep(POLL_S)
        reader.end()
        written = [Sight(int(us), int(n)) for n, us in store.client.rows(HISTORY, SCOPE)]
    skipped = int(rate_per_s * WARM_UP_S)
    seen = latencies(sent, reader.sights)[skipped:]
    note = f"{len(seen):,} events at {rate_per_s}/s over {len(units)} units, {len(written)} figures of the province"
    yield Figure("latency", "sent until read, p50", percentile(seen, 0.50), "s", note=note)
    target_s = EVERYDAY_P99_S if rate_per_s <= EVERYDAY_PER_S else BUSY_P99_S
    yield Figure("latency", "sent until read, p99", percentile(seen, 0.99), "s", target=target_s)
    yield Figure("latency", "sent until read, longest", max(seen), "s")
    stamped = latencies(sent, written)[skipped:]
    yield Figure("latency", "sent until written_at, p99", percentile(stamped, 0.99), "s", note="the row's own stamp")


def wait_for_heartbeat(store: ClickHouseStore, worker: Measured) -> None:
    """Wait until the worker publishes. Raises RuntimeError, TimeoutError."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while store.heartbeat() is None:
        worker.look()
        if time.monotonic() > deadline_s:
            raise TimeoutError("the worker did not begin")
        time.sleep(POLL_S)


def send(bootstrap: str, units: Sequence[str], rate_per_s: int, total: int, first: int = 0) -> list[int]:
    """Send dossiers numbered from ``first`` at an even pace; return when each was handed over, in microseconds."""
    sent: list[int] = []
    with Producer(bootstrap) as producer, bar("sending") as show:
        began_s = time.monotonic()
        for number in range(total):
            if (ahead_s := number / rate_per_s - (time.monotonic() - began_s)) > 0:
                time.sleep(ahead_s)
            now_us = wall_clock_us()
            sent.append(now_us)
            producer.send(_event(first + number, units[number % len(units)], now_us))
            show(number, total)
    return sent


def _event(number: int, unit: str, now_us: int) -> DossierEvent:
    now = datetime.fromtimestamp(now_us / US_PER_S, UTC)
    subject = f"H19.{unit}-{now:%y%m%d}-{number:06d}"
    return DossierEvent(
        specversion="1.0",
        source=f"onestop/H19.{unit}",
        id=f"{subject}/1",
        subject=subject,
        time=now,
        version=now_us,
        data=Dossier(
            unit=unit, channel="online", status="accepted", field=FIELDS[number % len(FIELDS)], received_at=now
        ),
    )


def latencies(sent: Sequence[int], sights: Sequence[Sight]) -> list[float]:
    """Seconds from each sending to the first sight that contains it."""
    counts = [sight.counted for sight in sights]
    return [(sights[bisect_left(counts, n)].at_us - at_us) / US_PER_S for n, at_us in enumerate(sent, 1)]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so large a share does not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]
