"""The one place that imports kafka-python, which has no type information and warns while it is imported."""

import warnings
from typing import Any

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from contract.partition import partition_of

with warnings.catch_warnings():
    # kafka-python 3.0 reads its schemas with importlib.resources.read_text: deprecated in Python 3.11 and
    # 3.12, at home again from 3.13 on. Nothing is wrong, but a program run with -W error would not start.
    warnings.filterwarnings("ignore", message="(read|open)_text is deprecated", category=DeprecationWarning)
    import kafka  # type: ignore[import-untyped]
    import kafka.errors  # type: ignore[import-untyped]
    import kafka.record.default_records  # type: ignore[import-untyped]
    import kafka.record.memory_records  # type: ignore[import-untyped]
    from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]
    from kafka.net.inet import KafkaNetSocket  # type: ignore[import-untyped]

__all__ = [
    "KafkaError",
    "KafkaTimeoutError",
    "TopicAlreadyExistsError",
    "TopicPartition",
    "admin_client",
    "kafka_producer",
]

KafkaError: type[Exception] = kafka.errors.KafkaError
KafkaTimeoutError: type[Exception] = kafka.errors.KafkaTimeoutError
TopicPartition: Any = kafka.TopicPartition
TopicAlreadyExistsError: type[Exception] = kafka.errors.TopicAlreadyExistsError

_ORDINARY_BYTES = 65_536
"""Far below every limit; the driver itself judges what is larger."""


def kafka_producer(**settings: object) -> Any:
    """Connect a KafkaProducer that never creates topics. Raises KafkaError, leaving no socket open."""
    return _connected(_Producer, settings)


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


_PlainBatch: Any = kafka.record.default_records.DefaultRecordBatchBuilder


class _Batch(_PlainBatch):  # type: ignore[misc]
    """kafka-python's batch of records, with what it does for each record and each byte in aiokafka's C.

    Both are of one origin and write the same bytes (tests/producers/test_driver.py): compression, header and the
    idempotent producer's numbers stay kafka-python's own. Measured: 0.2 µs instead of 1.8 to take in a record, and
    8 µs instead of 1,570 for the check sum of 15 KB.
    """

    def __init__(self, *, batch_size: int, **header: Any) -> None:
        super().__init__(batch_size=batch_size, **header)
        records = DefaultRecordBatchBuilder(
            magic=2,
            compression_type=0,
            is_transactional=0,
            producer_id=-1,
            producer_epoch=-1,
            base_sequence=-1,
            batch_size=batch_size,
        )
        self._records = records
        self.append = records.append
        self.size = records.size

    def build(self) -> bytearray:
        """Return the batch as it is sent. Once only."""
        self._buffer = bytearray(self._records.build())
        found = self.HEADER_STRUCT.unpack_from(self._buffer)
        self._last_offset, self._first_timestamp, self._max_timestamp = found[6:9]
        self._num_records = found[-1]
        return super().build()  # type: ignore[no-any-return]


kafka.record.default_records.calc_crc32c = calc_crc32c
kafka.record.memory_records.DefaultRecordBatchBuilder = _Batch


class _Producer(kafka.KafkaProducer):  # type: ignore[misc]
    """kafka-python's producer with a short way for the ordinary record: bytes with a key, for a topic it knows.

    The driver's own way formats a log line, copies the topics' names and estimates a size anew for each record, and
    hashes the key byte by byte. Measured: 10 µs instead of 15 a record, the hash not counted. What is batched,
    numbered, sent and repeated is the same, and so is the partition: its number comes from the latest metadata.
    """

    def send(self, topic: str, value: bytes, key: bytes | None = None) -> Any:
        """Queue a record; return the driver's promise. Raises KafkaError."""
        partitions = self._metadata.partitions_for_topic(topic)
        if self._closed or partitions is None or key is None or len(key) + len(value) > _ORDINARY_BYTES:
            return super().send(topic, value, key)
        place = TopicPartition(topic, partition_of(key, len(partitions)))
        future, full, new, _ = self._accumulator.append(place, None, key, value, [])
        if full or new:
            self._sender.wakeup()
        return future
