"""Entity rows into the store: one Arrow block of newest snapshots with the marks that were counted."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import pyarrow as pa

from sinks.client import Client
from sinks.columns import INSTANT, columns_of
from streams.rows import EntityBatch

__all__ = ["entity_table", "write_entities"]


def write_entities(client: Client, batch: EntityBatch, definitions: int) -> None:
    """Insert the rows of a batch as one block; an empty batch is nothing."""
    if batch.events:
        client.insert(batch.kind.table, entity_table(batch, definitions))


def entity_table(batch: EntityBatch, definitions: int) -> pa.Table:
    """Build the Arrow table of a batch; ``definitions`` is the sequence under which marks were counted."""
    layout = columns_of(batch.kind)
    data = _taken("data", batch.events)
    # A pass for each column: transposing rows with zip costs five times as much, for its 50,000 iterators.
    columns: dict[str, pa.Array[Any]] = {
        "id": pa.array(_taken("subject", batch.events), pa.string()),
        "source": pa.array(_taken("source", batch.events), pa.string()),
        "event_id": pa.array(_taken("id", batch.events), pa.string()),
        "event_time": pa.array(_taken("time", batch.events), INSTANT),
        "version": pa.array(_taken("version", batch.events), pa.uint64()),
        "content": pa.array(batch.contents, pa.uint64()),
        "definitions": pa.repeat(pa.scalar(definitions, pa.uint16()), len(batch.events)),
    }
    for name, kind in zip(layout.names, layout.types, strict=True):
        columns[name] = pa.array(_taken(name, data), kind)
    for n, key in enumerate(layout.marks):
        marks = [row[n] for row in batch.marks]
        columns[f"{key}_at"] = pa.array([None if m is None else m[0] for m in marks], pa.int64())
        columns[f"{key}_good"] = pa.array([m is not None and m[1] for m in marks], pa.bool_()).cast(pa.uint8())
    columns["partition"] = pa.array(batch.partitions, pa.uint16())
    columns["offset"] = pa.array(batch.offsets, pa.int64())
    columns["epoch"] = pa.array(batch.epochs, pa.uint64())
    return pa.table(columns)


def _taken(name: str, items: Iterable[Any]) -> list[Any]:
    return list(map(attrgetter(name), items))
