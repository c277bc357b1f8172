"""The inbox of a worker: batches of records on their way from Kafka to the fold."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from streams.intake import Record
from streams.rows import Partition

__all__ = ["Batch", "Inbox"]


@dataclass(frozen=True)
class Batch:
    """Records of one partition as fetched in one go, in the generation of the consumer group that fetched them."""

    partition: Partition
    generation: int
    records: Sequence[Record]


class Inbox(asyncio.Queue[Batch]):
    """A queue that is full when so many records wait.

    Counting batches would not do: fetches bring one of thousands while a history is read, and of two in everyday
    load, when a queue of eight would fill between two flushes and hold up what came last by a whole one.
    """

    def __init__(self, most_records: int) -> None:
        super().__init__()
        self._most_records = most_records
        self._records = 0

    def full(self) -> bool:
        """Whether putting has to wait."""
        return self._records >= self._most_records

    def _put(self, item: Batch) -> None:
        super()._put(item)
        self._records += len(item.records)

    def _get(self) -> Batch:
        batch: Batch = super()._get()
        self._records -= len(batch.records)
        return batch
