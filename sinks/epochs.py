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
    """Compare the progress with an earlier look; of an epoch that was not there then, all scopes changed."""
    # Of the progress only what is new: in an hour tens of thousands of rows come together, each with its scopes.
    rows = client.rows(
        f"""
        SELECT toString(topic) AS of, `partition`, epoch, max(flush), groupUniqArrayArray(scopes)
        FROM
        (
            SELECT topic, `partition`, epoch, 1 AS current, 0 AS flush, [] AS scopes FROM ({CURRENT})
            UNION ALL
            SELECT topic, `partition`, epoch, 0, flush, scopes FROM progress
            PREWHERE (epoch, flush) > arrayPushFront(
                arrayZip({{epochs:Array(UInt64)}}, {{flushes:Array(UInt64)}}), (toUInt64(0), toUInt64(0))
            )[1 + indexOf(
                arrayZip({{topics:Array(String)}}, {{partitions:Array(UInt16)}}), (toString(topic), `partition`))]
        )
        GROUP BY of, `partition`, epoch HAVING max(current) = 1""",
        {
            "topics": [key.topic for key in since],
            "partitions": [key.partition for key in since],
            "epochs": [key.epoch for key in since],
            "flushes": list(since.values()),
        },
    )
    ((clock_us,),) = client.rows("SELECT max(clock_us) FROM progress")
    flushes: dict[EpochKey, int] = {}
    changed: set[str] = set()
    for topic, partition, epoch, flush, scopes in rows:
        key = EpochKey(topic, int(partition), int(epoch))
        flushes[key] = max(int(flush), since.get(key, 0))
        changed.update(scopes)
    return Changes(flushes, clock_us, frozenset(changed))


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
