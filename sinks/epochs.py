"""Epochs and progress: who owns a partition, since when its panes are whole, and how far it has been flushed."""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sinks.client import Client
from sinks.relation import relation
from streams.rows import Changes, EpochKey, Partition, Progress

__all__ = ["CURRENT", "changes", "flushed_offsets", "newest_claims", "write_epochs", "write_progress"]

CURRENT = (
    "SELECT topic, `partition`, max(epoch) AS epoch FROM epochs WHERE state = 'complete' GROUP BY topic, `partition`"
)
"""The newest complete epoch of every partition: what readers use."""


def write_epochs(client: Client, state: str, epochs: Iterable[EpochKey], owner: str) -> None:
    """Insert rows of one state, ``claim`` or ``complete``."""
    keys = list(epochs)
    if keys:
        client.insert(
            "epochs",
            pa.table(_keys(keys) | {"state": [state] * len(keys), "owner": [owner] * len(keys)}),
        )


def newest_claims(client: Client, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """Return the largest epoch of each partition that was ever claimed."""
    return _largest(client, "epoch", "epochs", partitions)


def flushed_offsets(client: Client, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """Return the largest offset that any epoch flushed."""
    return _largest(client, "offset", "progress", partitions)


def write_progress(client: Client, rows: Sequence[Progress]) -> None:
    """Insert how far partitions have been flushed."""
    if not rows:
        return
    client.insert(
        "progress",
        pa.table(
            _keys([row.key for row in rows])
            | {
                "flush": pa.array([row.flush for row in rows], pa.uint64()),
                "offset": pa.array([row.offset for row in rows], pa.int64()),
                "clock_us": pa.array([row.clock_us for row in rows], pa.int64()),
                "scopes": pa.array([list(row.scopes) for row in rows], pa.list_(pa.string())),
            }
        ),
    )


def changes(client: Client, since: Mapping[EpochKey, int]) -> Changes:
    """Compare the progress with an earlier look; of an epoch that was not there then, all scopes changed.

    The clock is the newest of what that look did not see.
    """
    # Of the progress only what is new since then: in an hour a hundred thousand rows come together.
    rows = client.rows(
        """
        SELECT toString(topic) AS of, `partition`, epoch, max(complete), max(flush), max(clock_us),
               groupUniqArrayArray(scopes)
        FROM
        (
            SELECT topic, `partition`, epoch, 1 AS complete, 0 AS flush, 0 AS clock_us, [] AS scopes
            FROM epochs WHERE state = 'complete'
            UNION ALL
            SELECT topic, `partition`, epoch, 0, flush, clock_us, scopes FROM progress
            PREWHERE toInt64(flush) > arrayPushFront({since:Array(Int64)}, -1)[1 + indexOf(
                arrayZip({topics:Array(String)}, {partitions:Array(UInt16)}, {epochs:Array(UInt64)}),
                (toString(topic), `partition`, epoch))]
        )
        GROUP BY of, `partition`, epoch ORDER BY epoch""",
        {
            "topics": [key.topic for key in since],
            "partitions": [key.partition for key in since],
            "epochs": [key.epoch for key in since],
            "since": list(since.values()),
        },
    )
    current = {Partition(topic, int(p)): int(epoch) for topic, p, epoch, complete, *_ in rows if complete}
    flushes: dict[EpochKey, int] = {}
    changed: set[str] = set()
    for topic, p, epoch, _, flush, _, scopes in rows:
        if current.get(Partition(topic, int(p))) == int(epoch):
            key = EpochKey(topic, int(p), int(epoch))
            flushes[key] = max(int(flush), since.get(key, 0))
            changed.update(scopes)
    return Changes(flushes, max((int(row[5]) for row in rows), default=0), frozenset(changed))


def _largest(client: Client, column: str, table: str, partitions: Iterable[Partition]) -> dict[Partition, int]:
    wanted = list(partitions)
    sql, parameters = relation(
        {
            "topic": ("String", [p.topic for p in wanted]),
            "partition": ("UInt16", [p.partition for p in wanted]),
        }
    )
    rows = client.rows(
        f"""
        SELECT toString(topic), `partition`, max({column}) FROM {table}
        WHERE (topic, `partition`) IN ({sql}) GROUP BY topic, `partition`""",
        parameters,
    )
    return {Partition(topic, int(partition)): int(largest) for topic, partition, largest in rows}


def _keys(keys: Sequence[EpochKey]) -> dict[str, "pa.Array[Any]"]:
    return {
        "topic": pa.array([key.topic for key in keys], pa.string()),
        "partition": pa.array([key.partition for key in keys], pa.uint16()),
        "epoch": pa.array([key.epoch for key in keys], pa.uint64()),
    }
