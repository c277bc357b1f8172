"""A Faust transport that hands over one message per fetched partition batch, and commits what it is told.

Stock Faust spends about 150 µs on every Kafka message (four tasks, a wait and cancels in ``wait_first``); a
message here holds thousands of records, so that cost vanishes. Registered under the entry point group
``faust.transports`` as ``nhip``: ``broker="nhip://host:port"``. Faust's own acknowledgements are not used:
the fold commits explicit offsets after its write, and a refused commit is an error instead of a log line.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar, Protocol, cast

import aiokafka
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CommitFailedError, IllegalStateError, RebalanceInProgressError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from streams.rows import Partition
from streams.tenure import Commit, CommitRefusedError

__all__ = ["Assigned", "Consumer", "ConsumerThread", "Transport"]

FETCH_WAIT_MS = 50
"""How long the broker may hold back a fetch. The driver's 1,500 ms make a quiet topic beside a busy one slow."""

CommitError = (CommitFailedError, IllegalStateError)


class Assigned(Protocol):
    """Told of each assignment; answers where to read from. Set as ``assigned`` on the Faust app."""

    async def __call__(
        self,
        generation: int,
        committed: Mapping[Partition, int | None],
        earliest: Mapping[Partition, int],
        commit: Commit,
    ) -> dict[Partition, int]:
        """Return the first offset to read of each partition."""
        ...


def _plain_record(_: PartitionRecords, __: TopicPartition, record: Any) -> Any:
    return record


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The driver's consumer thread with a short fetch wait, plain records and commits that can be refused."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        # aiokafka copies each decoded record into a frozen dataclass: 13 % of the worker's time at full speed.
        # The decoded record has offset, key and value itself, and nobody here reads more.
        PartitionRecords._consumer_record = _plain_record  # noqa: SLF001
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001 - the driver has no setting for it
        return consumer

    async def commit_or_raise(self, offsets: Mapping[Partition, int]) -> None:
        """Commit; CommitRefusedError when the group no longer grants the partitions to this member."""
        await self.call_thread(self._commit_or_raise, offsets)

    async def _commit_or_raise(self, offsets: Mapping[Partition, int]) -> None:
        wanted = {TopicPartition(*p): OffsetAndMetadata(offset, "") for p, offset in offsets.items()}
        try:
            await self._ensure_consumer().commit(wanted)
        except CommitError as error:
            # A rebalance that is under way ends in a new assignment. Anything else means that this process was
            # thought dead: whatever it still holds is not its own any more.
            rebalancing = (
                isinstance(error, IllegalStateError)
                or isinstance(error.__cause__, RebalanceInProgressError)
                or not self.consumer.flow_active
            )
            raise CommitRefusedError(f"Kafka refused the commit: {error}", rebalancing=rebalancing) from error

    async def committed_and_earliest(self) -> tuple[dict[Partition, int | None], dict[Partition, int]]:
        """Kafka's commit (None: none yet) and the first offset that still exists, per assigned partition."""
        return await self.call_thread(self._committed_and_earliest)  # type: ignore[no-any-return]

    async def _committed_and_earliest(self) -> tuple[dict[Partition, int | None], dict[Partition, int]]:
        consumer = self._ensure_consumer()
        assigned = [TopicPartition(*tp) for tp in sorted(consumer.assignment())]
        committed = {Partition(*tp): await consumer.committed(tp) for tp in assigned}
        earliest = await consumer.beginning_offsets(assigned) if assigned else {}
        return committed, {Partition(*tp): offset for tp, offset in earliest.items()}


class Consumer(driver.Consumer):
    """Yields partition batches; seeks to where the app says."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's
        """Yield ``(partition, message)``; the message's value is the list of records, its offset the last one's."""
        fetched = await self._wait_next_records(timeout)
        records, active = cast(tuple[dict[TP, list[Any]] | None, set[TP] | None], fetched)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop or not self.flow_active:
            return  # after a rebalance everything is fetched again from the chosen start
        for tp, batch in records.items():
            if not self._is_current(generation):
                return
            if not batch or not (active is None or tp in active or tp in self._buffered_partitions):
                continue
            last = batch[-1]
            yield (
                tp,
                ConsumerMessage(
                    tp.topic,
                    tp.partition,
                    last.offset,
                    last.timestamp / 1000.0,
                    last.timestamp_type,
                    None,
                    None,
                    cast(Any, batch),
                    None,
                    tp=tp,
                    generation_id=generation,
                ),
            )

    def _is_current(self, generation: int) -> bool:
        """Whether records of that generation may still be handed out; a rebalance begins at any await."""
        return self.flow_active and self.app.consumer_generation_id == generation

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets inside a batch are no gaps."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to where the app wants to read from, instead of trusting Kafka's commit alone."""
        thread = cast(ConsumerThread, self._thread)
        assigned: Assigned = cast(Any, self.app).assigned
        committed, earliest = await thread.committed_and_earliest()
        generation = self.app.consumer_generation_id
        starts = await assigned(generation, committed, earliest, thread.commit_or_raise)
        seeks = {TP(p.topic, p.partition): offset for p, offset in starts.items()}
        if seeks:
            await self.seek_wait(seeks)
        return seeks


class Transport(driver.Transport):
    """What the entry point names."""

    Consumer: ClassVar[Any] = Consumer
