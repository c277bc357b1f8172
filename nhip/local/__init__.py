"""Real Kafka and the real ClickHouse engine on this machine, from packages alone.

Every service here is a child process that dies with the process that started it, keeps its data in one
folder, and holds a lock on that folder while it runs.
"""

from nhip.local.clickhouse import LocalClickHouse
from nhip.local.errors import LocalServiceError
from nhip.local.kafka import LocalKafka

__all__ = ["LocalClickHouse", "LocalKafka", "LocalServiceError"]
