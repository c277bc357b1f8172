"""The one place that imports kafka-python, which has no type information and warns while it is imported."""

import logging
import warnings
from typing import Any

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from contract.partition import partition_of
from producers.stuck import mend

with warnings.catch_warnings():
    # kafka-python 3.0 reads its schemas with importlib.resources.read_text: deprecated in Python 3.11 and
    # 3.12, at home again from 3.13 on. Nothing is wrong, but a program run with -W error would not start.
    warnings.filterwarnings("ignore", message="(read|open)_text is deprecated", category=DeprecationWarning)
    import kafka  # type: ignore[import-untyped]
    import kafka.admin  # type: ignore[import-untyped]
    import kafka.errors  # type: ignore[import-untyped]
    import kafka.record.default_records  # type: ignore[import-untyped]
    import kafka.record.memory_records  # type: ignore[import-untyped]
    from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]
    from kafka.net.inet import KafkaNetSocket  # type: ignore[import-untyped]
    from kafka.net.transport import KafkaSSLTransport  # type: ignore[import-untyped]

__all__ = [
    "AuthorizationError",
    "KafkaError",
    "KafkaTimeoutError",
    "SaslError",
    "SecurityDisabledError",
    "TopicAlreadyExistsError",
    "TopicPartition",
    "admin_client",
    "allow",
    "greet",
    "kafka_producer",
]

KafkaError: type[Exception] = kafka.errors.KafkaError
KafkaTimeoutError: type[Exception] = kafka.errors.KafkaTimeoutError
AuthorizationError: type[Exception] = kafka.errors.AuthorizationError
SaslError: tuple[type[Exception], ...] = (
    kafka.errors.SaslAuthenticationFailedError,
    kafka.errors.UnsupportedSaslMechanismError,
    kafka.errors.IllegalSaslStateError,
)
"""A login that was refused."""
SecurityDisabledError: type[Exception] = kafka.errors.SecurityDisabledError
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


def allow(client: Any, principal: str, resource: str, name: str, operation: str) -> None:
    """Let a user do something with a topic or group, through an admin client, from every host. Raises KafkaError."""
    rule = kafka.admin.ACL(
        principal,
        "*",
        kafka.admin.ACLOperation[operation.upper()],
        kafka.admin.ACLPermissionType.ALLOW,
        kafka.admin.ResourcePattern(kafka.admin.ResourceType[resource.upper()], name),
    )
    for error in client.create_acls([rule])["failed"]:
        raise error


def greet(address: str, timeout_s: float, options: dict[str, object]) -> None:
    """Connect to one broker, once: TLS, login and a first question. Raises what went wrong, as the driver has it.

    The driver's clients try all that again and again until their time is over, and then say only that it is.
    """
    network = KafkaNetClient(bootstrap_servers=[address], client_id="nhip-greeting", **options)
    manager = network._manager  # noqa: SLF001 - no public call tries only once
    (broker,) = manager.cluster.bootstrap_brokers()

    async def attempt() -> None:
        connection = manager.get_connection(
            broker.node_id, timeout_ms=timeout_s * 1000, pop_on_close=False, refresh_metadata_on_err=False
        )
        # The driver's own limit of time does not hold while TLS is agreed on.
        await manager.wait_for(connection.init_future, timeout_s * 1000)
        question = connection.send_request(manager.cluster.metadata_request())
        await manager.wait_for(question, timeout_s * 1000)

    try:
        manager.run(attempt)
    finally:
        network.close()


_attempt = KafkaNetSocket.sock_connect


async def _tidy_attempt(self: Any, net: Any, sock: Any, address: Any, timeout_at: float | None = None) -> Any:
    try:
        return await _attempt(self, net, sock, address, timeout_at=timeout_at)
    except BaseException:
        sock.close()
        raise


# kafka-python 3.0.12 leaves the socket of a failed attempt to the garbage collector: one each second of an outage.
KafkaNetSocket.sock_connect = _tidy_attempt


# Told by whoever asked for the topic; the driver says it again with every look at the cluster.
logging.getLogger("kafka.cluster").addFilter(lambda record: "is not authorized for this client" not in record.msg)


_agree = KafkaSSLTransport.handshake


async def _tidy_handshake(self: Any) -> None:
    try:
        await _agree(self)
    except BaseException:
        self._sock.close()
        raise


# Likewise the socket on which the other end's certificate was not good.
KafkaSSLTransport.handshake = _tidy_handshake

_receive = KafkaSSLTransport._sock_recv  # noqa: SLF001


def _data_first(self: Any) -> tuple[bytes, Exception | None]:
    data, error = _receive(self)
    return data, None if data else error


# kafka-python 3.0.12 throws away what was read when the connection ends right behind it: of a refused login only
# "socket disconnected" is left, not the broker's answer. The end is read again, by itself.
KafkaSSLTransport._sock_recv = _data_first  # noqa: SLF001


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


mend()


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
