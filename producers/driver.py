"""The one place that imports kafka-python, which has no type information and warns while it is imported."""

import warnings
from typing import Any

with warnings.catch_warnings():
    # kafka-python 3.0 reads its schemas with importlib.resources.read_text: deprecated in Python 3.11 and
    # 3.12, at home again from 3.13 on. Nothing is wrong, but a program run with -W error would not start.
    warnings.filterwarnings("ignore", message="(read|open)_text is deprecated", category=DeprecationWarning)
    import kafka  # type: ignore[import-untyped]
    import kafka.errors  # type: ignore[import-untyped]
    import kafka.partitioner  # type: ignore[import-untyped]
    from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]
    from kafka.net.inet import KafkaNetSocket  # type: ignore[import-untyped]

__all__ = [
    "KafkaError",
    "KafkaTimeoutError",
    "TopicAlreadyExistsError",
    "TopicPartition",
    "admin_client",
    "kafka_producer",
    "murmur2",
]

KafkaError: type[Exception] = kafka.errors.KafkaError
KafkaTimeoutError: type[Exception] = kafka.errors.KafkaTimeoutError
TopicPartition: Any = kafka.TopicPartition
TopicAlreadyExistsError: type[Exception] = kafka.errors.TopicAlreadyExistsError


def kafka_producer(**settings: object) -> Any:
    """Connect a KafkaProducer that never creates topics. Raises KafkaError, leaving no socket open."""
    return _connected(kafka.KafkaProducer, settings)


def admin_client(**settings: object) -> Any:
    """Connect a KafkaAdminClient. Raises KafkaError, leaving no socket and no thread."""
    return _connected(kafka.KafkaAdminClient, settings)


def _connected(client: Any, settings: dict[str, object]) -> Any:
    opened = []

    def opener(**configs: object) -> Any:
        network = KafkaNetClient(**configs)
        # kafka-python 3.0.12 keeps the producer's allow_auto_create_topics from the part that asks: a
        # misspelt topic would be made, with the broker's default retention and partition count.
        network.cluster.config["allow_auto_create_topics"] = False
        opened.append(network)
        return network

    try:
        return client(kafka_client=opener, **settings)
    except KafkaError:
        # A constructor that fails leaves its sockets, and the admin client a running thread.
        for network in opened:
            network.close()
        raise


_attempt = KafkaNetSocket.sock_connect


async def _tidy_attempt(self: Any, net: Any, sock: Any, address: Any, timeout_at: float | None = None) -> Any:
    try:
        return await _attempt(self, net, sock, address, timeout_at=timeout_at)
    except BaseException:
        sock.close()
        raise


# kafka-python 3.0.12 leaves the socket of a failed attempt to the garbage collector: one each second of an outage.
KafkaNetSocket.sock_connect = _tidy_attempt


def murmur2(key: bytes) -> int:
    """Return the hash that places a key: partition = (hash & 0x7fffffff) mod partitions."""
    return int(kafka.partitioner.murmur2(key))
