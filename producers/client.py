"""The client that engineers use to send events: checked, durable, idempotent, keyed by subject, loud on failure."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from contract.decode import EventError, Horizon, checked
from contract.decode_batch import checked_batch
from contract.kind import Event
from contract.personal import mask
from producers.access import PLAINTEXT, KafkaAccess, read_password
from producers.connection import BATCH_BYTES, LINGER_MS
from producers.direct import DirectLane
from producers.errors import (
    DeliveryError,
    EventTooLargeError,
    InvalidEventError,
    KafkaAccessError,
    KafkaCertificateError,
    KafkaLoginError,
    KafkaRefusedError,
    KafkaRightsError,
    KafkaUnreachableError,
    ProducerError,
    SpoolError,
    SpoolFullError,
    SpoolInUseError,
)
from producers.outbox import Outbox
from producers.reach import servers
from producers.receipt import Receipt
from producers.spool import MAX_SPOOL_BYTES, Record, Spool
from producers.statistics import Statistics

__all__ = [
    "BATCH_BYTES",
    "LINGER_MS",
    "DeliveryError",
    "EventTooLargeError",
    "InvalidEventError",
    "KafkaAccess",
    "KafkaAccessError",
    "KafkaCertificateError",
    "KafkaLoginError",
    "KafkaRefusedError",
    "KafkaRightsError",
    "KafkaUnreachableError",
    "Producer",
    "ProducerError",
    "SpoolError",
    "SpoolFullError",
    "SpoolInUseError",
    "Statistics",
    "read_password",
]

DELIVERY_TIMEOUT_S = 120.0
"""How long the driver tries to deliver one record before it counts as lost; with a spool it never does."""
SPOOL_WAIT_S = 30.0
"""How long send() waits for room when Kafka is down and the spool is full."""
_HORIZON_S = 1.0


def _wall_us() -> int:
    return time.time_ns() // 1000


class Producer:
    """Sends events to Kafka.

    A record counts as delivered when all in-sync replicas have it (``acks=all``); retries neither duplicate
    nor reorder (idempotence). Keys go through the murmur2 partitioner that Java clients use, so one entity
    stays in one partition whoever sends it. send() does not wait for Kafka.

    Without a ``spool`` a failure that came to light since is raised by the next send, flush or close: after a
    clean close() everything is stored. With one (the path of a file that no other process uses) what Kafka does
    not acknowledge within two seconds is kept on disk, up to ``spool_bytes``, and sent later, in order, also by
    the next process that opens it; the producer then starts also while Kafka is down.

    ``bootstrap``: ``host:port`` or several; ``access``: TLS and login, else plain text; ``connect_timeout_s``:
    longest wait for the first connection and for a topic to be known; ``delivery_timeout_s``: longest time a record
    is retried without a spool; ``spool_wait_s``: longest wait for room in the spool. Safe to share between threads.
    Raises KafkaUnreachableError, KafkaRefusedError without a spool; KafkaAccessError, SpoolError.
    """

    def __init__(
        self,
        bootstrap: str | Sequence[str],
        *,
        access: KafkaAccess = PLAINTEXT,
        client_id: str = "nhip",
        connect_timeout_s: float = 10.0,
        delivery_timeout_s: float = DELIVERY_TIMEOUT_S,
        spool: str | Path | None = None,
        spool_bytes: int = MAX_SPOOL_BYTES,
        spool_wait_s: float = SPOOL_WAIT_S,
        wall_us: Callable[[], int] = _wall_us,
    ) -> None:
        addresses = servers(bootstrap)
        access.options()  # files that cannot be used are told now, also while Kafka is down
        self._wall_us = wall_us
        self._horizon, self._horizon_s = Horizon(wall_us()), time.monotonic()
        self._refused = 0
        self._spool_wait_s = spool_wait_s
        self._lane: DirectLane | Outbox
        if spool is None:
            self._lane = DirectLane(addresses, access, client_id, connect_timeout_s, delivery_timeout_s)
        else:
            self._lane = Outbox(addresses, access, client_id, Spool(Path(spool), spool_bytes))

    def send(self, *events: Event) -> None:
        """Check events and queue each on its kind's topic, keyed by its subject. One that is invalid: none is sent.

        Waits only when much is on its way already. Raises InvalidEventError with the path of the wrong field,
        EventTooLargeError; without a spool DeliveryError or KafkaRightsError for earlier records, and
        KafkaUnreachableError when the topic is not known in time; with one KafkaRightsError for these records, and
        SpoolFullError.
        """
        self.put(self.records(events))

    def records(self, events: Sequence[Event]) -> list[Record]:
        """Return what would be sent for events. Raises InvalidEventError, EventTooLargeError."""
        if len(events) > 1:
            # Any that is wrong is told from the others below.
            with suppress(EventError):
                found = checked_batch(events, self._current_horizon())
                return [Record(kind.topic, read.subject.encode(), value) for kind, read, value in found]
        return [self._record(event) for event in events]

    def _record(self, event: Event) -> Record:
        try:
            kind, read, value = checked(event, self._current_horizon())
        except EventError as error:
            self._refused += 1
            what = mask(f"event {getattr(event, 'id', None)!r} of {getattr(event, 'subject', None)!r}")
            if error.reason == "too_large":
                raise EventTooLargeError(f"{what}: {error}: shorten its texts") from None
            raise InvalidEventError(f"{what}: {error}", reason=error.reason, path=error.path) from None
        return Record(kind.topic, read.subject.encode(), value)

    def _current_horizon(self) -> Horizon:
        now_s = time.monotonic()
        if now_s - self._horizon_s > _HORIZON_S:
            self._horizon, self._horizon_s = Horizon(self._wall_us()), now_s
        return self._horizon

    def send_raw(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Queue bytes as they are, unchecked: for mended dead letters and for tests. Raises like send()."""
        self.put([Record(topic, key, value)])

    def put(self, records: Sequence[Record], receipt: Receipt | None = None, wait_s: float | None = None) -> None:
        """Queue checked records; ``receipt`` is told when all are safe. With a spool: all or none.

        ``wait_s``: longest wait for room instead of the producer's own. Raises like send().
        """
        self._lane.put(records, receipt, self._spool_wait_s if wait_s is None else wait_s)

    def flush(self, timeout_s: float = DELIVERY_TIMEOUT_S) -> None:
        """Wait until every event sent so far is stored: in Kafka, or with a spool there.

        ``timeout_s`` bounds the wait for each next batch, so a slow but working Kafka is not given up.
        Raises DeliveryError, KafkaRefusedError.
        """
        self._lane.flush(timeout_s)

    def close(self, timeout_s: float = DELIVERY_TIMEOUT_S) -> int:
        """Flush, then disconnect; return how many events stay in the spool, 0 without one.

        What is spooled is sent as long as Kafka takes it. A second call does nothing. Raises DeliveryError or
        KafkaRefusedError after disconnecting when events are neither in Kafka nor in the spool.
        """
        return self._lane.close(timeout_s)

    def statistics(self) -> Statistics:
        """Return what was sent, acknowledged, refused and spooled so far."""
        return msgspec.structs.replace(self._lane.statistics(), refused=self._refused)

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
