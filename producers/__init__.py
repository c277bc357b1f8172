"""Everything that puts events into Kafka: client, replay, poller, intake, simulator."""

from producers.asynchronous import AsyncProducer
from producers.client import Producer
from producers.snapshots import Source

__all__ = ["AsyncProducer", "Producer", "Source"]
