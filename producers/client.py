"""The client that engineers use to send events: durable, idempotent, keyed by subject, loud on failure."""

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import msgspec

from contract.fields import MAX_EVENT_BYTES
from contract.kind import Event
from contract.registry import KINDS
from producers.driver import KafkaError, KafkaTimeoutError, kafka_producer
from producers.errors import DeliveryError, EventTooLargeError, KafkaUnreachableError, ProducerError
from producers.reach import servers, wait_for_listener

__all__ = ["DeliveryError", "EventTooLargeError", "KafkaUnreachableError", "Producer", "ProducerError"]

LINGER_MS = 20
"""How long a batch waits for company, in milliseconds: a tenth of the stream's flush."""
BATCH_BYTES = 131_072
"""Size of one partition's batch before compression. Measured: twice the throughput of the default 16,384."""
MAX_PENDING_BYTES = 33_554_432
"""Bytes sent but not yet known to be acknowledged before send() waits: the driver itself has no limit."""
DELIVERY_TIMEOUT_S = 120.0
"""How long the driver tries to deliver one record before it counts as lost."""
REQUEST_TIMEOUT_S = 30.0
"""How long the driver waits for the answer to one request."""

_TOPICS: dict[type[Event], str] = {k.event: k.topic for k in KINDS}
_MS_PER_S = 1000


class Producer:
    """Sends events to Kafka.

    A record counts as delivered when all in-sync replicas have it (``acks=all``); retries neither duplicate
    nor reorder (idempotence). Keys go through the murmur2 partitioner that Java clients use, so one entity
    stays in one partition whoever sends it. send() does not wait for Kafka; a failure that came to light
    since is raised by the next send, flush or close: after a clean close() everything is stored.

    ``bootstrap``: ``host:port`` or several; ``connect_timeout_s``: longest wait for the first connection and
    for a topic to be known; ``delivery_timeout_s``: longest time a record is retried. Safe to share between
    threads. Raises KafkaUnreachableError.
    """

    def __init__(
        self,
        bootstrap: str | Sequence[str],
        *,
        client_id: str = "nhip",
        connect_timeout_s: float = 10.0,
        delivery_timeout_s: float = DELIVERY_TIMEOUT_S,
    ) -> None:
        addresses = servers(bootstrap)
        self._address = ", ".join(addresses)
        self._connect_timeout_s = connect_timeout_s
        self._delivery_timeout_s = delivery_timeout_s
        self._encode = msgspec.json.Encoder().encode
        self._lock = threading.Lock()
        self._failed_keys: set[bytes | None] = set()
        self._first_failure: tuple[str, BaseException] | None = None
        self._pending_bytes = 0
        self._closed = False
        # The driver demands delivery timeout ≥ linger + request timeout.
        request_timeout_ms = min(REQUEST_TIMEOUT_S * _MS_PER_S, delivery_timeout_s * _MS_PER_S - LINGER_MS)
        left_s = wait_for_listener(addresses, connect_timeout_s)
        try:
            self._kafka = kafka_producer(
                bootstrap_servers=addresses,
                client_id=client_id,
                acks="all",
                enable_idempotence=True,
                compression_type="lz4",
                linger_ms=LINGER_MS,
                batch_size=BATCH_BYTES,
                bootstrap_timeout_ms=int(left_s * _MS_PER_S),
                max_block_ms=int(connect_timeout_s * _MS_PER_S),
                delivery_timeout_ms=int(delivery_timeout_s * _MS_PER_S),
                request_timeout_ms=int(request_timeout_ms),
                metrics_enabled=False,
            )
        except KafkaError as error:
            raise KafkaUnreachableError(
                f"what listens at {self._address} does not answer as a Kafka broker ({error}): "
                "correct the bootstrap address"
            ) from error

    def send(self, event: Event) -> None:
        """Queue one event on its kind's topic, keyed by its subject.

        Waits only when MAX_PENDING_BYTES are on their way. Raises EventTooLargeError, DeliveryError for
        earlier records, KafkaUnreachableError when the topic is not known in time.
        """
        value = self._encode(event)
        if len(value) > MAX_EVENT_BYTES:
            raise EventTooLargeError(
                f"event {event.id} of {event.subject} has {len(value)} bytes; at most {MAX_EVENT_BYTES} are "
                "read: shorten its texts"
            )
        self.send_raw(_TOPICS[type(event)], event.subject.encode(), value)

    def send_raw(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Queue bytes as they are: for mended dead letters and for tests. Raises like send()."""
        if self._closed:
            raise ProducerError("the producer is closed: make a new one to send more")
        self._raise_failures()
        try:
            future = self._kafka.send(topic, value, key)
        except KafkaTimeoutError as error:
            raise KafkaUnreachableError(
                f"topic {topic} is not known at {self._address} (waited {self._connect_timeout_s:g} s): "
                "create the topics (producers.topics.ensure_topics) or check that Kafka is up"
            ) from error
        except KafkaError as error:
            raise DeliveryError(
                f"{topic}: the record was not accepted: {error}", topic=topic, keys=1, cause=error
            ) from error
        future.add_errback(self._failed, topic, key)
        self._pending_bytes += len(value)
        if self._pending_bytes > MAX_PENDING_BYTES:
            self.flush(self._delivery_timeout_s)

    def flush(self, timeout_s: float = DELIVERY_TIMEOUT_S) -> None:
        """Wait until every record sent so far is stored.

        ``timeout_s`` bounds the wait for each next batch, so a slow but working Kafka is not given up.
        Raises DeliveryError.
        """
        self._pending_bytes = 0
        try:
            self._kafka.flush(timeout_s)
        except KafkaError as error:
            self._raise_failures()
            raise DeliveryError(
                f"Kafka at {self._address} did not acknowledge everything within {timeout_s:g} s: records "
                "may be missing; check the brokers and send again (duplicates are harmless)",
                topic="",
                keys=0,
                cause=error,
            ) from error
        self._raise_failures()

    def close(self, timeout_s: float = DELIVERY_TIMEOUT_S) -> None:
        """Flush, then disconnect; a second call does nothing. Raises DeliveryError after disconnecting."""
        if self._closed:
            return
        self._closed = True
        try:
            self.flush(timeout_s)
        except DeliveryError:
            self._disconnect(0)
            raise
        self._disconnect(self._connect_timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close. What went wrong inside the block is not hidden by what goes wrong while closing."""
        try:
            self.close()
        except ProducerError as closing:
            if error is None:
                raise
            error.add_note(f"while closing the producer: {closing}")

    def _disconnect(self, timeout_s: float) -> None:
        try:
            self._kafka.close(timeout=timeout_s)
        except KafkaError:
            # The driver's close() gives up, its thread still running, when records are left over.
            self._kafka._sender.force_close()  # noqa: SLF001

    def _failed(self, topic: str, key: bytes | None, error: BaseException) -> None:
        """Note a failed record; the driver calls this on its own thread."""
        with self._lock:
            self._failed_keys.add(key)
            if self._first_failure is None:
                self._first_failure = (topic, error)

    def _raise_failures(self) -> None:
        # Asking whether a set is empty needs no lock: it is only for the rare failure.
        if not self._failed_keys:
            return
        with self._lock:
            first = self._first_failure
            keys = len(self._failed_keys)
            self._first_failure = None
            self._failed_keys = set()
        if first is None:
            return  # another thread was faster and raises it
        topic, cause = first
        raise DeliveryError(
            f"{topic}: records of {keys} key(s) were not delivered; first cause: {cause}: send them again "
            "(duplicates are harmless)",
            topic=topic,
            keys=keys,
            cause=cause,
        )
