"""Events into the store without a stream: rows with their marks, as fold would write them."""

from collections.abc import Sequence
from typing import Any

from contract.kind import Kind
from contract.partition import partition_of
from sinks.store import ClickHouseStore
from streams.rows import EntityBatch

__all__ = ["keep"]


def keep(store: ClickHouseStore, kind: Kind, events: Sequence[Any], partitions: int = 2) -> None:
    """Store events of one kind with their marks."""
    batch = EntityBatch(kind, list(events))
    marked = [indicator.mark for indicator in kind.marked if indicator.mark is not None]
    batch.marks = [tuple(mark(event.data) for mark in marked) for event in events]
    batch.partitions = [partition_of(event.subject.encode(), partitions) for event in events]
    batch.contents, batch.offsets, batch.epochs = [0] * len(events), list(range(len(events))), [1] * len(events)
    store.write_entities(batch)
