"""Kafka's first and next offsets of the input partitions, asked on a connection of its own."""

from collections.abc import Mapping

import aiokafka
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from producers.access import PLAINTEXT, KafkaAccess
from streams.arrival import Range
from streams.rows import Partition

__all__ = ["Ends"]

REQUEST_TIMEOUT_MS = 5_000


class Ends:
    """Asks for offsets; ``counts`` gives the number of partitions of each topic. Connects at the first question."""

    def __init__(self, bootstrap: str, counts: Mapping[str, int], access: KafkaAccess = PLAINTEXT) -> None:
        self._bootstrap = bootstrap
        self._access = access
        self._wanted = [TopicPartition(topic, n) for topic, count in counts.items() for n in range(count)]
        self._consumer: aiokafka.AIOKafkaConsumer | None = None

    @property
    def partitions(self) -> list[Partition]:
        """All input partitions."""
        return [Partition(*tp) for tp in self._wanted]

    async def read(self) -> dict[Partition, Range] | None:
        """Return the range of every partition, or None while Kafka does not tell all of them."""
        try:
            if self._consumer is None:
                consumer = aiokafka.AIOKafkaConsumer(
                    bootstrap_servers=self._bootstrap,
                    client_id="nhip-ends",
                    enable_auto_commit=False,
                    request_timeout_ms=REQUEST_TIMEOUT_MS,
                    **self._access.options(),
                )
                try:
                    await consumer.start()
                except BaseException:
                    await consumer.stop()
                    raise
                self._consumer = consumer
            begins = await self._consumer.beginning_offsets(self._wanted)
            ends = await self._consumer.end_offsets(self._wanted)
        except (KafkaError, OSError):
            return None
        return {Partition(*tp): Range(begins[tp], ends[tp]) for tp in self._wanted}

    async def close(self) -> None:
        """Disconnect; may be repeated."""
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            await consumer.stop()
