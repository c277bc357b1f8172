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
    newest = client.rows(f"""
        SELECT e.topic, e.`partition`, e.epoch, max(p.flush) FROM ({CURRENT}) AS e
        LEFT JOIN (SELECT topic, `partition`, epoch, flush FROM progress) AS p
            ON p.topic = e.topic AND p.`partition` = e.`partition` AND p.epoch = e.epoch
        GROUP BY 1, 2, 3""")
    flushes = {EpochKey(topic, int(p), int(epoch)): int(flush) for topic, p, epoch, flush in newest}
    ((clock_us,),) = client.rows("SELECT max(clock_us) FROM progress")
    moved = [key for key, flush in flushes.items() if flush > since.get(key, -1)]
    if not moved:
        return Changes(flushes, clock_us, frozenset())
    looked, parameters = relation(
        {
            "topic": ("String", [key.topic for key in moved]),
            "partition": ("UInt16", [key.partition for key in moved]),
            "epoch": ("UInt64", [key.epoch for key in moved]),
            "since": ("Int64", [since.get(key, -1) for key in moved]),
        }
    )
    ((scopes,),) = client.rows(
        f"""
        SELECT groupUniqArrayArray(scopes) FROM progress
        INNER JOIN ({looked}) AS w USING (topic, `partition`, epoch)
        WHERE toInt64(flush) > since""",
        parameters,
    )
    return Changes(flushes, clock_us, frozenset(scopes))


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
