"""Dossiers put straight into the store, as a worker would have left them there: by the million, in seconds."""

import time
from collections.abc import Sequence

from benchmarks.load import FIELDS
from contract.fingerprint import fingerprint
from contract.registry import KINDS
from nhip.console import bar, say
from sinks.client import Client
from sinks.store import ClickHouseStore

__all__ = ["Figure", "fill", "merged", "truth_of"]

BLOCK = 1_000_000
"""Rows of one insert; with smaller ones merging takes as long as inserting."""
UNITS = 100
"""Of one insert: they go with the address, in which a server has room for 8 KiB."""
LOOK_S = 0.02
MERGES_TIMEOUT_S = 60.0

# A year of dossiers ending now, handled from 7 to 18 and due at 17 o'clock (00 and 10 UTC).
# `h` is a number's own randomness. Offset -1: no record stands behind the row, as if Kafka's commit lay after
# all of them; the partition is the one where Kafka's partitioner puts the key.
ROWS = """
    INSERT INTO dossiers (id, source, event_id, event_time, version, content, definitions, unit, channel, status,
        received_at, procedure, field, submitted_at, due_at, finished_at, online_at, online_good, on_time_at,
        on_time_good, overdue_at, overdue_good, `partition`, offset, epoch)
    SELECT concat('H19.', unit, formatDateTime(received_at, '-%y%m%d-'), leftPad(toString(number), 8, '0')) AS id,
        'onestop/H19', id,
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
        kafkaMurmurHash(id) % {partitions:UInt16} AS `partition`, -1 AS offset, 1 AS epoch
    FROM
    (
        SELECT number, cityHash64(number) AS h, intDiv(h, 3) % {one_open_of:UInt16} > 0 AS finished,
            intDiv({now_s:Int64}, 86400) * 86400 AS today_s,
            today_s - 86400 * toInt64(1 + intDiv(h, 17) % 364) + toInt64(intDiv(h, 29) % 36000) AS received_s,
            received_s - received_s % 86400 + 86400 * toInt64(1 + intDiv(h, 19) % 20) + 36000 AS due_s,
            least(received_s - received_s % 86400 + 86400 * toInt64(1 + intDiv(h, 23) % 20)
                + toInt64(intDiv(h, 31) % 36000) + 3600, {now_s:Int64} - 60) AS event_s,
            fromUnixTimestamp64Micro(event_s * 1000000, 'UTC') AS event_at
        FROM numbers({first:UInt64}, {rows:UInt64})
    )"""

# From the snapshots, not from the stored marks.
TRUTH = """
    SELECT toString(unit), count(), countIf(channel = 'online'), countIf(status IN ('completed', 'returned')),
           countIf(status IN ('completed', 'returned') AND finished_at <= due_at)
    FROM dossiers FINAL GROUP BY unit"""

Figure = tuple[str, str, str]
"""Scope, indicator, window."""


def fill(store: ClickHouseStore, units: Sequence[str], partitions: int, dossiers: int, one_open_of: int = 10) -> None:
    """Store so many dossiers of the past year, one of so many open, and wait for the store to come to rest."""
    parameters = {
        "definitions": store.ensure_definitions(fingerprint(KINDS)),
        "fields": list(FIELDS),
        "now_s": int(time.time()),
        "partitions": partitions,
        "one_open_of": one_open_of,
    }
    say(f"storing {dossiers:,} dossiers …")
    with bar("storing") as show:
        parts = -(-len(units) // UNITS)
        step = min(BLOCK, -(-dossiers // parts))
        for number, first in enumerate(range(0, dossiers, step)):
            rows, part = min(step, dossiers - first), list(units[number % parts :: parts])
            store.client.command(ROWS, {**parameters, "units": part, "first": first, "rows": rows})
            show(first + rows, dossiers)
    merged(store.client)


def merged(client: Client) -> None:
    """Wait for merges: many rows in a few seconds leave some behind that a store in service does not have."""
    deadline_s = time.monotonic() + MERGES_TIMEOUT_S
    while client.rows("SELECT 1 FROM system.merges LIMIT 1") and time.monotonic() < deadline_s:
        time.sleep(LOOK_S)


def truth_of(client: Client) -> dict[Figure, tuple[int, int]]:
    """Figures of every unit from the snapshots, not from the stored marks."""
    truth: dict[Figure, tuple[int, int]] = {}
    for unit, total, online, finished, on_time in client.rows(TRUTH):
        truth[f"unit:{unit}", "online", "all"] = (online, total)
        truth[f"unit:{unit}", "on_time", "all"] = (on_time, finished)
    return truth
