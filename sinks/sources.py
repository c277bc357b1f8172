"""When each source last spoke for each unit."""

from collections.abc import Sequence

import pyarrow as pa

from sinks.client import Client
from sinks.columns import INSTANT
from streams.rows import SourceRow

__all__ = ["write_sources"]


def write_sources(client: Client, rows: Sequence[SourceRow]) -> None:
    """Insert absolute counts of an epoch; the larger flush replaces the smaller."""
    if not rows:
        return
    source, unit, keys, flush, event_time, seen, events, ignored = zip(*rows, strict=True)
    client.insert(
        "sources",
        pa.table(
            {
                "source": pa.array(source, pa.string()),
                "unit": pa.array(unit, pa.string()),
                "topic": pa.array([key.topic for key in keys], pa.string()),
                "partition": pa.array([key.partition for key in keys], pa.uint16()),
                "epoch": pa.array([key.epoch for key in keys], pa.uint64()),
                "flush": pa.array(flush, pa.uint64()),
                "event_time": pa.array(event_time, pa.int64()).cast(INSTANT),
                "seen_at": pa.array(seen, pa.int64()).cast(INSTANT),
                "events": pa.array(events, pa.uint64()),
                "ignored": pa.array(ignored, pa.uint64()),
            }
        ),
    )
