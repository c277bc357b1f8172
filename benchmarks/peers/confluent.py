"""A bare confluent-kafka loop with orjson and dicts: the floor."""

# mypy: disable-error-code="import-not-found"
# The engine is installed beside the project only.

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from benchmarks.peers.floor import Dicts
from benchmarks.peers.job import Job

BATCH = 10_000
PATIENCE_S = 0.5


def main(job: Job) -> None:
    """Read everything once."""
    consumer = Consumer(
        {
            "bootstrap.servers": job.bootstrap,
            "group.id": "floor",
            "enable.auto.commit": False,
            # By default a fetcher that ran ahead rests for a second: two thirds of the speed.
            "fetch.queue.backoff.ms": 10,
        }
    )
    consumer.assign([TopicPartition(job.topic, n, OFFSET_BEGINNING) for n in range(job.partitions)])
    dicts = Dicts(job)
    loads, add = orjson.loads, dicts.add
    while not dicts.done:
        for message in consumer.consume(BATCH, PATIENCE_S):
            add(loads(message.value()))
    dicts.finish("confluent-kafka", "orjson")
    consumer.close()


if __name__ == "__main__":
    main(Job.read())
