"""What the wall costs: a hundred screens on one server, and every read of its panels over a large store."""

import asyncio
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import aiohttp
import msgspec

from benchmarks.latency import Sight, latencies, percentile, send, wait_for_heartbeat
from benchmarks.load import PROVINCE, units_of_province
from benchmarks.report import Figure
from benchmarks.restart import fresh
from benchmarks.stage import Measured, measured, running_worker, services
from benchmarks.stored import fill, merged, truth_of
from contract.days import DAY_S, HOUR_S, MINUTE_S, floor_hour, floor_minute, local_day_start
from contract.windows import Level
from dashboards.figures import HALF_HOUR_S
from nhip.console import bar, say
from nhip.settings import Settings, load_tree
from nhip.store import open_store
from nhip.system import System
from sinks.client import Client
from sinks.dead_letters import letter_groups
from sinks.overdue import most_overdue
from sinks.rates import heartbeat
from sinks.reads import (
    ageing,
    buckets,
    pipeline_facts,
    published_since,
    source_ages,
    states_before,
    states_over,
)
from streams.clock import US_PER_S, wall_clock_us

__all__ = ["DOSSIERS", "run"]

DOSSIERS = 2_000_000
STREAMS = 100
SCREENS = ("overview", "dossiers", "payments", "meetings", "units", "sources")
RATE_PER_S = 5
SECONDS = 30.0
FILL_RATE_PER_S = 200
"""Before the clock starts every unit gets one dossier, so that all its figures exist."""
SETTLE_S = 3.0
TARGET_CPU_PERCENT = 25.0
TARGET_MB = 300.0
TARGET_SHOWN_S = 2.0
LOOK_S = 0.2
START_TIMEOUT_S = 30.0
DRAIN_TIMEOUT_S = 15.0
DOCUMENT_BYTES = 2**20

TIMES = 20
TARGET_READ_MS = 150.0
UNITS_WATCHED = 10
"""Units whose screens somebody looks at while the reads are measured, besides the province."""
FRESH_TIMEOUT_S = 60.0
READS_LIMIT_S = 60.0
"""All reads together, in seconds: what is not done by then is a failure of its own."""
ROWS = 20
"""How many dossiers and reasons the panels ask for."""

# What roll leaves behind of a province: a row every five seconds of ten hours a day for as long as history is kept.
HISTORY_DAYS, HISTORY_STEP_S, HISTORY_HOURS = 90, 5, 10
HISTORY = """
    INSERT INTO rates (scope, indicator, window, time, numerator, denominator, rate, written_at)
    SELECT {scope:String}, indicator, 'now', fromUnixTimestamp64Micro(at_s * 1000000, 'UTC') AS time,
        cityHash64(number) % 1000 AS numerator, 1000 AS denominator, numerator / 1000, time
    FROM
    (
        SELECT number, {today_s:Int64} - 86400 * toInt64(1 + intDiv(number, {steps:UInt64}))
            + 25200 + {step:Int64} * toInt64(number % {steps:UInt64}) AS at_s
        FROM numbers({rows:UInt64})
    )
    ARRAY JOIN ['overdue', 'due_soon'] AS indicator"""


class _Panel(msgspec.Struct):
    """What is looked at of a panel."""

    id: str
    denominator: int | None = None


class _Document(msgspec.Struct):
    """What is looked at of a screen's document."""

    panels: list[_Panel]


@dataclass
class _Screen:
    """One open stream: what it was sent, and, of an overview, when its figure grew."""

    key: str
    documents: int = 0
    beats: int = 0
    sights: list[Sight] = field(default_factory=lambda: [Sight(0, 0)])

    async def watch(self, session: aiohttp.ClientSession, url: str) -> None:
        """Read the stream until cancelled."""
        name = b""
        async with session.get(url, params={"screen": self.key}, read_bufsize=DOCUMENT_BYTES) as answer:
            answer.raise_for_status()
            async for line in answer.content:
                kind, _, value = line.rstrip(b"\n").partition(b": ")
                if kind == b"event":
                    name = value
                elif kind == b"data":
                    self._take(name, value)
        raise RuntimeError(f"the server ended the stream of {self.key}")

    def _take(self, name: bytes, value: bytes) -> None:
        if name == b"beat":
            self.beats += 1
            return
        self.documents += 1
        if self.key != "overview":
            return
        document = msgspec.json.decode(value, type=_Document)
        counted = next((panel.denominator or 0 for panel in document.panels if panel.id == "online"), 0)
        if counted > self.sights[-1].counted:
            self.sights.append(Sight(wall_clock_us(), counted))


class _Load(NamedTuple):
    """What the streams cost while dossiers came in."""

    seconds: float
    cpu_s: float
    peak_bytes: int
    seen_s: Sequence[float]


def run(dossiers: int = DOSSIERS) -> Iterator[Figure]:
    """Measure the streams on a small store, then the reads on a large one. Raises RuntimeError, TimeoutError."""
    yield from _streams()
    yield from _reads(dossiers)


def _streams() -> Iterator[Figure]:
    everywhere = frozenset(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "nhip", "serve"]
    with (
        tempfile.TemporaryDirectory(prefix="nhip-bench-") as folder,
        services(Settings(wall_port=_free_port(), wall_tokens_file=str(Path(folder) / "tokens.json"))) as system,
        running_worker(system, everywhere, Path(folder) / "worker.log") as worker,
        measured("wall", command, Path(folder) / "wall.log", system.settings.environment(), everywhere) as server,
    ):
        store = open_store(system.settings)
        wait_for_heartbeat(store, worker)
        store.client.close()
        units = units_of_province(load_tree(system.settings))
        screens = _screens(units)
        say(f"wall: {len(screens)} streams, {RATE_PER_S} dossiers/s for {SECONDS:.0f} s …")
        load = asyncio.run(_measure(system, server, units, screens))
    overviews = sum(screen.key == "overview" for screen in screens)
    note = (
        f"{len(screens)} streams, {overviews} of them overviews; {len(units)} units; {len(load.seen_s)} dossiers at "
        f"{RATE_PER_S}/s; {sum(s.documents for s in screens):,} documents and {sum(s.beats for s in screens):,} beats"
    )
    cpu = 100 * load.cpu_s / load.seconds
    yield Figure("wall", "server, share of one core", cpu, "%", target=TARGET_CPU_PERCENT, note=note)
    yield Figure("wall", "server, peak memory", load.peak_bytes / 1e6, "MB", target=TARGET_MB)
    silent = sum(not screen.documents for screen in screens)
    yield Figure("wall", "streams without a document", silent, f"of {len(screens)}", target=0)
    yield Figure("wall", "sent until on every overview, p50", percentile(load.seen_s, 0.50), "s")
    yield Figure("wall", "sent until on every overview, longest", max(load.seen_s), "s", target=TARGET_SHOWN_S)


def _screens(units: Sequence[str]) -> list[_Screen]:
    """Spread the streams over all screens, those of a unit each over another unit."""
    kinds = len(SCREENS) + 1
    return [
        _Screen(SCREENS[n % kinds] if n % kinds < len(SCREENS) else f"unit/{units[n // kinds % len(units)]}")
        for n in range(STREAMS)
    ]


async def _measure(system: System, server: Measured, units: Sequence[str], screens: Sequence[_Screen]) -> _Load:
    await _until_bound(system.settings.wall_port, server)
    url = f"http://127.0.0.1:{system.settings.wall_port}/api/events"
    kafka, known = system.settings.kafka, len(units)
    overviews = [screen for screen in screens if screen.key == "overview"]
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
        ) as session,
        asyncio.TaskGroup() as group,
    ):
        watching = [group.create_task(screen.watch(session, url)) for screen in screens]
        await asyncio.to_thread(send, kafka, units, FILL_RATE_PER_S, known)
        await _until_shown(overviews, known, server)
        await asyncio.sleep(SETTLE_S)
        began_s, began_cpu_s = time.monotonic(), server.cpu_s()
        sending = asyncio.create_task(
            asyncio.to_thread(send, kafka, units, RATE_PER_S, int(RATE_PER_S * SECONDS), known)
        )
        while not sending.done():
            server.look()
            await asyncio.sleep(LOOK_S)
        seconds, cpu_s = time.monotonic() - began_s, server.cpu_s() - began_cpu_s
        sent = await sending
        await _until_shown(overviews, known + len(sent), server)
        for task in watching:
            task.cancel()
    # The dossiers of the beginning count too, before those of which the time is known.
    each = [latencies([0] * known + sent, screen.sights)[known:] for screen in overviews]
    return _Load(seconds, cpu_s, server.peak_bytes, [max(seen) for seen in zip(*each, strict=True)])


async def _until_shown(overviews: Sequence[_Screen], counted: int, server: Measured) -> None:
    deadline_s = time.monotonic() + DRAIN_TIMEOUT_S
    while (least := min(screen.sights[-1].counted for screen in overviews)) < counted:
        server.look()
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"an overview shows {least} of {counted} dossiers:\n{server.service.log_tail()}")
        await asyncio.sleep(LOOK_S)


async def _until_bound(port: int, server: Measured) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while True:
        server.look()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"the server does not answer:\n{server.service.log_tail()}") from None
            await asyncio.sleep(LOOK_S)
        else:
            writer.close()
            return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _reads(dossiers: int) -> Iterator[Figure]:
    everywhere = frozenset(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="nhip-bench-") as folder, services(Settings()) as system:
        store = open_store(system.settings)
        fill(store, units_of_province(load_tree(system.settings)), system.settings.partitions, dossiers)
        truth, began_us = truth_of(store.client), wall_clock_us()
        rows = _remember(store.client)
        units = units_of_province(load_tree(system.settings))
        with running_worker(system, everywhere, Path(folder) / "worker.log") as worker:
            deadline_s = time.monotonic() + FRESH_TIMEOUT_S
            while not fresh(store, truth, began_us):
                worker.look()
                if time.monotonic() > deadline_s:
                    raise TimeoutError(f"no fresh rates:\n{worker.service.log_tail()}")
                time.sleep(LOOK_S)
            merged(store.client)
            say(f"wall: each read {TIMES} times …")
            note = (
                f"; each {TIMES} times, {dossiers:,} dossiers, {rows:,} rows of history, the province and "
                f"{UNITS_WATCHED} units watched, the worker running"
            )
            for name, times_ms in _timed(store.client, units):
                median, p95 = statistics.median(times_ms), percentile(times_ms, 0.95)
                yield Figure("wall", f"{name}: p95", p95, "ms", TARGET_READ_MS, f"median {median:.1f} ms{note}")
                note = ""
        store.client.close()


def _remember(client: Client) -> int:
    """Write what was open in the past days, as roll would have; return how many rows."""
    steps = HISTORY_HOURS * HOUR_S // HISTORY_STEP_S
    rows = (HISTORY_DAYS - 1) * steps
    today_s = local_day_start(int(time.time()))
    client.command(
        HISTORY,
        {"scope": f"unit:{PROVINCE}", "today_s": today_s, "steps": steps, "step": HISTORY_STEP_S, "rows": rows},
    )
    return 2 * rows


def _timed(client: Client, units: Sequence[str]) -> Iterator[tuple[str, list[float]]]:
    """Do every read as the server does it, in turn; yield its times in milliseconds."""
    deadline_s = time.monotonic() + READS_LIMIT_S
    reads = _asked(client, units)
    with bar("reading") as show:
        for number, (name, read) in enumerate(reads):
            times_ms: list[float] = []
            for _ in range(TIMES):
                began_s = time.perf_counter()
                read()
                times_ms.append(1_000 * (time.perf_counter() - began_s))
                if time.monotonic() > deadline_s:
                    raise TimeoutError(f"the reads take more than {READS_LIMIT_S:.0f} s; the last was {name}")
            show(number + 1, len(reads))
            yield name, times_ms


def _asked(client: Client, units: Sequence[str]) -> Sequence[tuple[str, Callable[[], object]]]:
    """Every read with the arguments that dashboards.reading gives it."""
    now_s = int(time.time())
    minute, today, hour_end = floor_minute(now_s), local_day_start(now_s), floor_hour(now_s) + HOUR_S
    then = minute - DAY_S
    hour, week_end = floor_hour(then), hour_end - 7 * DAY_S
    province = f"unit:{PROVINCE}"
    scopes = frozenset({province, *(f"unit:{unit}" for unit in units[:UNITS_WATCHED])})
    everyone = sorted({PROVINCE, *units})
    order = max((row.epoch, row.tick) for row in published_since(client))
    return (
        ("heartbeat", lambda: heartbeat(client)),
        ("published_since, all figures", lambda: published_since(client)),
        ("published_since, the newest", lambda: published_since(client, *order)),
        (
            "buckets, today by half-hours",
            lambda: buckets(client, scopes, Level.MINUTE, today, minute + MINUTE_S, HALF_HOUR_S),
        ),
        ("ageing", lambda: ageing(client, scopes, now_s)),
        ("source_ages", lambda: source_ages(client)),
        ("buckets, 30 days", lambda: buckets(client, scopes, Level.HOUR, today - 29 * DAY_S, hour_end, DAY_S)),
        (
            "buckets, yesterday's hours",
            lambda: buckets(client, scopes, Level.HOUR, local_day_start(then), hour, HOUR_S),
        ),
        (
            "buckets, yesterday's minutes",
            lambda: buckets(client, scopes, Level.MINUTE, hour, then + MINUTE_S, HOUR_S),
        ),
        ("buckets, last week", lambda: buckets(client, scopes, Level.HOUR, week_end - 7 * DAY_S, week_end, DAY_S)),
        (
            "states_over, today",
            lambda: states_over(client, scopes, today * US_PER_S, (now_s + 1) * US_PER_S, HALF_HOUR_S),
        ),
        ("states_before, yesterday", lambda: states_before(client, scopes, (now_s - DAY_S) * US_PER_S)),
        ("most_overdue, province", lambda: most_overdue(client, province, everyone, minute, ROWS)),
        ("most_overdue, one unit", lambda: most_overdue(client, f"unit:{units[0]}", [units[0]], minute, ROWS)),
        ("pipeline_facts", lambda: pipeline_facts(client)),
        ("letter_groups", lambda: letter_groups(client, ROWS)),
    )
