"""The way to Kafka without a spool: what it does not acknowledge is an error at the next call."""

import threading
from collections.abc import Sequence

from producers.access import KafkaAccess
from producers.connection import connect, disconnect
from producers.doors import knock
from producers.driver import KafkaError, KafkaTimeoutError
from producers.errors import DeliveryError, KafkaUnreachableError, ProducerError
from producers.reach import wait_for_listener
from producers.receipt import Entry, Receipt
from producers.spool import Record
from producers.statistics import Statistics
from producers.writable import write_refused

__all__ = ["MAX_PENDING_BYTES", "DirectLane"]

MAX_PENDING_BYTES = 33_554_432
"""Bytes sent but not yet known to be acknowledged before send() waits: the driver itself has no limit."""


class DirectLane:
    """Hands records to the driver and raises what came to light since.

    Connects when it is made. Raises KafkaUnreachableError, KafkaRefusedError, KafkaAccessError.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        access: KafkaAccess,
        client_id: str,
        connect_timeout_s: float,
        delivery_timeout_s: float,
    ) -> None:
        self._addresses, self._access = addresses, access
        self._address = ", ".join(addresses)
        self._connect_timeout_s = connect_timeout_s
        self._delivery_timeout_s = delivery_timeout_s
        self._lock = threading.Lock()
        self._failed_keys: set[bytes | None] = set()
        self._first_failure: tuple[str, BaseException] | None = None
        self._pending_bytes = self._sent = self._acknowledged = 0
        self._closed = False
        left_s = wait_for_listener(addresses, connect_timeout_s)
        self._kafka = connect(
            addresses,
            access,
            client_id,
            bootstrap_s=left_s,
            max_block_s=connect_timeout_s,
            delivery_s=delivery_timeout_s,
        )

    def put(self, records: Sequence[Record], receipt: Receipt | None = None, wait_s: float | None = None) -> None:  # noqa: ARG002 - the driver's own limits decide how long it waits
        """Queue records; waits only when MAX_PENDING_BYTES are on their way.

        Raises DeliveryError or KafkaRightsError for earlier records, KafkaUnreachableError when a topic is not known
        in time.
        """
        if self._closed:
            raise ProducerError("the producer is closed: make a new one to send more")
        self._raise_failures()
        for record in records:
            self._hand(record, receipt)
        if self._pending_bytes > MAX_PENDING_BYTES:
            self.flush(self._delivery_timeout_s)

    def flush(self, timeout_s: float) -> None:
        """Wait until every record sent so far is stored. Raises DeliveryError, KafkaRefusedError."""
        self._pending_bytes, sent = 0, self._sent
        try:
            self._kafka.flush(timeout_s)
        except KafkaError as error:
            self._raise_failures()
            if self._access.tls:
                knock(self._addresses, self._access)  # a password may have changed meanwhile
            raise DeliveryError(
                f"Kafka at {self._address} did not acknowledge everything within {timeout_s:g} s: records "
                "may be missing; check the brokers and send again (duplicates are harmless)",
                topic="",
                keys=0,
                cause=error,
            ) from error
        self._raise_failures()
        self._acknowledged = sent

    def close(self, timeout_s: float) -> int:
        """Flush, then disconnect; a second call does nothing. Raises like flush after disconnecting."""
        if self._closed:
            return 0
        self._closed = True
        try:
            self.flush(timeout_s)
        except ProducerError:
            disconnect(self._kafka, 0)
            raise
        disconnect(self._kafka, self._connect_timeout_s)
        return 0

    def statistics(self) -> Statistics:
        """Return the counts so far."""
        return Statistics(sent=self._sent, acknowledged=self._acknowledged)

    def _hand(self, record: Record, receipt: Receipt | None) -> None:
        topic, key, value = record
        try:
            future = self._kafka.send(topic, value, key)
        except KafkaTimeoutError as error:
            raise KafkaUnreachableError(
                f"topic {topic} is not known at {self._address} (waited {self._connect_timeout_s:g} s): "
                "create the topics (producers.topics.ensure_topics) or check that Kafka is up"
            ) from error
        except KafkaError as error:
            if refused := write_refused(self._access, topic, error):
                raise refused from error
            raise DeliveryError(
                f"{topic}: the record was not accepted: {error}", topic=topic, keys=1, cause=error
            ) from error
        self._sent += 1
        self._pending_bytes += len(value)
        if receipt is None:
            future.add_errback(self._failed, topic, key)
        else:
            future.chain(_Told(record, receipt, self._access))

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
        if refused := write_refused(self._access, topic, cause):
            raise refused from cause
        raise DeliveryError(
            f"{topic}: records of {keys} key(s) were not delivered; first cause: {cause}: send them again "
            "(duplicates are harmless)",
            topic=topic,
            keys=keys,
            cause=cause,
        )


class _Told(Entry):
    """A record whose failure is told to who waits for the receipt, and to nobody else."""

    __slots__ = ("_access",)

    def __init__(self, record: Record, receipt: Receipt, access: KafkaAccess) -> None:
        super().__init__(record, receipt)
        self._access = access

    def failure(self, error: BaseException) -> None:
        """Tell that the driver has given the record up; on its own thread."""
        if self.receipt is not None:
            self.receipt.settle(
                self,
                write_refused(self._access, self.record.topic, error)
                or DeliveryError(
                    f"{self.record.topic}: not delivered: {error}: send again (duplicates are harmless)",
                    topic=self.record.topic,
                    keys=1,
                    cause=error,
                ),
            )
