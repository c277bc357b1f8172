"""Kafka's first and next offsets, asked of a real broker."""

import asyncio
import uuid

import aiokafka
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.structs import TopicPartition

from nhip.local import LocalKafka
from streams.arrival import Range
from streams.ends import Ends
from streams.rows import Partition


@pytest.mark.services
def test_ends_grow_and_retention_moves_the_beginning(kafka: LocalKafka) -> None:
    """An empty partition, some records, and some of them removed."""
    topic = f"ends-{uuid.uuid4().hex[:8]}"

    async def scenario() -> list[dict[Partition, Range] | None]:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
        ends = Ends(kafka.bootstrap, {topic: 2})
        await admin.start()
        await producer.start()
        try:
            await admin.create_topics([NewTopic(topic, 2, 1)])
            found = [await ends.read()]
            for _ in range(3):
                await producer.send_and_wait(topic, b"x", partition=1)
            found.append(await ends.read())
            await admin.delete_records({TopicPartition(topic, 1): RecordsToDelete(before_offset=3)})
            found.append(await ends.read())
        finally:
            await ends.close()
            await ends.close()
            await producer.stop()
            await admin.close()
        return found

    rv = asyncio.run(scenario())

    empty, first, second = Range(0, 0), Partition(topic, 0), Partition(topic, 1)
    assert rv == [
        {first: empty, second: empty},
        {first: empty, second: Range(0, 3)},
        {first: empty, second: Range(3, 3)},
    ]


def test_a_broker_that_is_away_tells_nothing() -> None:
    """None, and not an error: the alarm goes on with what it knows."""
    ends = Ends("127.0.0.1:1", {"t": 1})

    rv = asyncio.run(ends.read())

    assert rv is None
    assert ends.partitions == [Partition("t", 0)]
