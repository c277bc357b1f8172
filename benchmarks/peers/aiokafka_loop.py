"""A bare aiokafka loop with orjson and dicts: the floor."""

import asyncio

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.peers.floor import Dicts
from benchmarks.peers.job import Job

PATIENCE_MS = 500


async def main(job: Job) -> None:
    """Read everything once."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=job.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(job.topic, n) for n in range(job.partitions)])
        dicts = Dicts(job)
        loads, add = orjson.loads, dicts.add
        while not dicts.done:
            for batch in (await consumer.getmany(timeout_ms=PATIENCE_MS)).values():
                for message in batch:
                    add(loads(message.value))
        dicts.finish("aiokafka", "orjson")
    finally:
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(main(Job.read()))
