"""Everything that puts events into Kafka: client, replay, poller, intake, simulator."""

from producers.client import Producer

__all__ = ["Producer"]
