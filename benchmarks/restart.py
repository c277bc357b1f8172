"""Seconds from starting a worker to its first fresh rates, with two million dossiers in the store."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.load import FIELDS, PROVINCE, units_of_province
from benchmarks.report import Figure
from benchmarks.stage import Cores, Measured, cores, pinned, running_worker, services
from contract.fingerprint import fingerprint
from contract.registry import KINDS
from nhip.console import bar, say
from nhip.settings import Settings, load_tree
from nhip.store import open_store
from nhip.system import System
from sinks.client import Client
from sinks.store import ClickHouseStore
from streams.clock import wall_clock_us

__all__ = ["DOSSIERS", "fill", "fresh", "merged", "run", "truth_of"]

DOSSIERS = 2_000_000
TARGET_S = 15.0
TARGET_MIB = 700.0
BLOCK = 200_000
LOOK_S = 0.02
TIMEOUT_S = 180.0
MERGES_TIMEOUT_S = 60.0
REST_S = 5.0
"""How long a worker is left running after its first rates, for its peak memory."""

# A year of dossiers ending now, handled from 7 to 18 and due at 17 o'clock (00 and 10 UTC); nine of ten finished.
# `h` is a number's own randomness. Offset -1: no record stands behind the row, as if Kafka's commit lay after
# all of them.
ROWS = """
    INSERT INTO dossiers (id, source, event_id, event_time, version, content, definitions, unit, channel, status,
        received_at, procedure, field, submitted_at, due_at, finished_at, online_at, online_good, on_time_at,
        on_time_good, overdue_at, overdue_good, `partition`, offset, epoch)
    SELECT concat('H19.', unit, '-251122-', leftPad(toString(number), 7, '0')) AS id, 'onestop/H19', id,
        event_at AS event_time, toUInt64(event_s) * 1000000 AS version, bitAnd(h, 0xFFFFFFFFFFFF) AS content,
        {definitions:UInt16} AS definitions,
        {units:Array(String)}[1 + h % length({units:Array(String)})] AS unit,
        if(intDiv(h, 7) % 10 < 7, 'online', 'counter') AS channel,
        if(finished, 'completed', 'processing') AS status,
        fromUnixTimestamp64Micro(received_s * 1000000, 'UTC') AS received_at,
        concat('1.', leftPad(toString(intDiv(h, 11) % 2000), 6, '0')) AS procedure,
        {fields:Array(String)}[1 + intDiv(h, 13) % length({fields:Array(String)})] AS field,
        received_at AS submitted_at,
        fromUnixTimestamp64Micro(due_s * 1000000, 'UTC') AS due_at,
        if(finished, event_at, NULL) AS finished_at,
        received_s AS online_at, channel = 'online' AS online_good,
        if(finished, event_s, NULL) AS on_time_at, finished AND event_s <= due_s AS on_time_good,
        if(finished, NULL, due_s) AS overdue_at, 0 AS overdue_good,
        h % 4 AS `partition`, -1 AS offset, 1 AS epoch
    FROM
    (
        SELECT number, cityHash64(number) AS h, intDiv(h, 3) % 10 > 0 AS finished,
            intDiv({now_s:Int64}, 86400) * 86400 AS today_s,
            today_s - 86400 * toInt64(1 + intDiv(h, 17) % 364) + toInt64(intDiv(h, 29) % 36000) AS received_s,
            received_s - received_s % 86400 + 86400 * toInt64(1 + intDiv(h, 19) % 20) + 36000 AS due_s,
            least(received_s - received_s % 86400 + 86400 * toInt64(1 + intDiv(h, 23) % 20)
                + toInt64(intDiv(h, 31) % 36000) + 3600, {now_s:Int64} - 60) AS event_s,
            fromUnixTimestamp64Micro(event_s * 1000000, 'UTC') AS event_at
        FROM numbers({first:UInt64}, {rows:UInt64})
    )"""

TRUTH = """
    SELECT count(), countIf(channel = 'online'), countIf(status = 'completed'),
           countIf(status = 'completed' AND finished_at <= due_at)
    FROM dossiers"""


class _Start(NamedTuple):
    """One start of a worker."""

    fresh_s: float
    peak_bytes: int


def run(dossiers: int = DOSSIERS) -> Iterator[Figure]:
    """Fill the store, start a worker, kill it, start it again. Raises RuntimeError, TimeoutError."""
    place = cores()
    with (
        tempfile.TemporaryDirectory(prefix="nhip-bench-") as folder,
        pinned(place.others),
        services(Settings()) as system,
    ):
        store = open_store(system.settings)
        fill(store, system, dossiers)
        truth = truth_of(store.client)
        say("restart: first start …")
        first = _start(system, store, truth, place, Path(folder), kill=True)
        say("restart: again, after SIGKILL …")
        again = _start(system, store, truth, place, Path(folder), kill=False)
        store.client.close()
    note = f"{dossiers:,} dossiers in the store"
    for what, start in (("first start", first), ("after SIGKILL", again)):
        yield Figure("restart", f"{what}: to fresh, right rates", start.fresh_s, "s", target=TARGET_S, note=note)
        yield Figure("restart", f"{what}: peak memory", start.peak_bytes / 2**20, "MiB", target=TARGET_MIB)


def fill(store: ClickHouseStore, system: System, dossiers: int) -> None:
    """Store so many dossiers of the past year, and wait for the store to come to rest."""
    parameters = {
        "definitions": store.ensure_definitions(fingerprint(KINDS)),
        "units": list(units_of_province(load_tree(system.settings))),
        "fields": list(FIELDS),
        "now_s": int(time.time()),
    }
    say(f"storing {dossiers:,} dossiers …")
    with bar("storing") as show:
        for first in range(0, dossiers, BLOCK):
            rows = min(BLOCK, dossiers - first)
            store.client.command(ROWS, {**parameters, "first": first, "rows": rows})
            show(first + rows, dossiers)
    merged(store.client)


def merged(client: Client) -> None:
    """Wait for merges: many rows in a few seconds leave some behind that a store in service does not have."""
    deadline_s = time.monotonic() + MERGES_TIMEOUT_S
    while client.rows("SELECT 1 FROM system.merges LIMIT 1") and time.monotonic() < deadline_s:
        time.sleep(LOOK_S)


def truth_of(client: Client) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Figures of the province from the snapshots, not from the stored marks."""
    ((total, online, finished, on_time),) = client.rows(TRUTH)
    scope = f"unit:{PROVINCE}"
    return {(scope, "online", "all"): (online, total), (scope, "on_time", "all"): (on_time, finished)}


def _start(
    system: System,
    store: ClickHouseStore,
    truth: dict[tuple[str, str, str], tuple[int, int]],
    place: Cores,
    folder: Path,
    *,
    kill: bool,
) -> _Start:
    """Start a worker and wait for a heartbeat that is newer than the start, with right figures."""
    began_s, began_us = time.monotonic(), wall_clock_us()
    with running_worker(system, place.measured, folder / "worker.log") as worker:
        while not fresh(store, truth, began_us):
            worker.look()
            if time.monotonic() - began_s > TIMEOUT_S:
                raise TimeoutError(f"no fresh rates after {TIMEOUT_S:.0f} s:\n{worker.service.log_tail()}")
            time.sleep(LOOK_S)
        fresh_s = time.monotonic() - began_s
        _rest(worker)
        if kill:
            worker.process.kill()
    return _Start(fresh_s, worker.peak_bytes)


def _rest(worker: Measured) -> None:
    until_s = time.monotonic() + REST_S
    while time.monotonic() < until_s:
        worker.look()
        time.sleep(LOOK_S)


def fresh(store: ClickHouseStore, truth: dict[tuple[str, str, str], tuple[int, int]], since_us: int) -> bool:
    """Whether the newest heartbeat is newer than that moment and the figures are right."""
    beat = store.heartbeat()
    if beat is None or beat.written_us <= since_us:
        return False
    shown = store.rates_now()
    return all(shown.get(key) == value for key, value in truth.items())
