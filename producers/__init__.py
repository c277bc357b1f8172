"""Everything that puts events into Kafka: client, replay, poller, intake, simulator."""

from producers.access import KafkaAccess, read_password
from producers.asynchronous import AsyncProducer
from producers.client import Producer
from producers.snapshots import Source

__all__ = ["AsyncProducer", "KafkaAccess", "Producer", "Source", "read_password"]
