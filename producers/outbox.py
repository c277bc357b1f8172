"""The way to Kafka with a spool: what Kafka does not acknowledge goes to disk, and to Kafka later, in order.

Records go straight to the driver as long as it acknowledges them within ACK_TIMEOUT_S. Else everything that is
under way is written to the spool, and from then on *every* record goes through the spool: so no record of a key
overtakes an older one. The driver itself never gives a record up, holds one request per
partition at a time and repeats it without duplicates; its order is therefore that in which it was handed records.
Once it has been handed everything that is spooled, and acknowledges again, records go straight to it once more.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

from contract.registry import KINDS
from producers.access import KafkaAccess
from producers.connection import connect, disconnect
from producers.driver import KafkaError
from producers.errors import (
    DeliveryError,
    EventTooLargeError,
    KafkaRefusedError,
    ProducerError,
    SpoolFullError,
)
from producers.reach import wait_for_listener
from producers.receipt import Entry, Receipt
from producers.spool import Record, Spool
from producers.statistics import Statistics
from producers.writable import WritableTopics

__all__ = ["ACK_TIMEOUT_S", "MAX_RECORD_BYTES", "Outbox"]

ACK_TIMEOUT_S = 2.0
"""How long Kafka may take to acknowledge before records go to the spool."""
MAX_RECORD_BYTES = 900_000
"""Larger ones no broker takes by default; one in the spool would hold up all behind it for ever."""
WINDOW_BYTES = 4_194_304
"""What the driver is given of the spool ahead of its acknowledgements."""
MAX_FLIGHT_BYTES = 33_554_432
"""Bytes under way to Kafka before put() waits."""
MAX_WAITING_BYTES = 4_194_304
"""Bytes that wait for the next commit of the spool before put() waits."""
READ_ROWS = 500
TURN_S, IDLE_TURN_S = 0.02, 0.2
RETRY_S = 1.0
"""Pause after Kafka or the disk has failed, in seconds."""
BOOTSTRAP_S = 5.0
PROBE_S = 0.2
FOREVER_S = 2_000_000.0
"""A delivery timeout that never comes (23 days, near the largest the driver takes)."""


log = logging.getLogger(__name__)


class Outbox:
    """Takes records from any thread; one thread of its own moves them. The spool is its alone from now on.

    Starts also while Kafka is down or does not let it in, which is logged then: events go to the spool meanwhile.
    """

    def __init__(self, addresses: Sequence[str], access: KafkaAccess, client_id: str, spool: Spool) -> None:
        self._addresses = list(addresses)
        self._access = access
        self._client_id = client_id
        self._spool = spool
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._flight: deque[Entry] = deque()
        self._waiting: deque[Entry] = deque()
        self._flight_bytes = self._waiting_bytes = self._unspooled_bytes = 0
        self._sent = self._acknowledged = 0
        self._handed = self._acked_row = 0
        self._topics = WritableTopics(access)
        self._kafka: Any = None
        self._direct = False
        self._not_before_s = 0.0
        self._last_error: str | None = None
        self._told: str | None = None
        self._closing = self._closed = False
        # A first try in the foreground, so that the ordinary case is direct from its first record on.
        self._connect()
        self._direct = self._connected() and spool.count == 0
        self._mover = threading.Thread(target=self._run, name=f"{client_id}-outbox", daemon=True)
        self._mover.start()

    # -- for any thread ---------------------------------------------------------------------------------

    def put(self, records: Sequence[Record], receipt: Receipt | None = None, wait_s: float | None = None) -> None:
        """Take all records or none. Waits for room up to ``wait_s`` (None: as long as it takes).

        Raises SpoolFullError, EventTooLargeError; KafkaRightsError for a topic of which Kafka has said that it must
        not be written; ProducerError once closed.
        """
        entries = [Entry(record, receipt) for record in records]
        sizes = [entry.size for entry in entries]
        size = sum(sizes)
        if sizes and max(sizes) > MAX_RECORD_BYTES:
            raise EventTooLargeError(f"a record has more than {MAX_RECORD_BYTES} bytes: no broker takes it")
        deadline_s = None if wait_s is None else time.monotonic() + wait_s
        with self._lock:
            self._topics.refuse(records)
            while not self._has_room(size):
                left_s = TURN_S if deadline_s is None else min(TURN_S, deadline_s - time.monotonic())
                if left_s <= 0 or self._spool.max_bytes < size:
                    raise SpoolFullError(
                        f"{self._spool.path}: neither Kafka nor the spool can take more now "
                        f"({self._spool.bytes} of {self._spool.max_bytes} bytes; {self._last_error}): send it later"
                    )
                self._changed.wait(left_s)
            if self._closing:
                raise ProducerError("the producer is closed: make a new one to send more")
            self._sent += len(entries)
            for number, entry in enumerate(entries):
                if not self._direct or not self._hand(entry):
                    # This one failed, or an earlier one has: from here on through the spool.
                    self._direct = False
                    self._wait_in_line(entries[number:])
                    return

    def flush(self, timeout_s: float) -> None:
        """Wait until every record taken so far is acknowledged or on disk. Raises DeliveryError."""
        deadline_s = time.monotonic() + timeout_s
        with self._lock:
            self._changed.notify_all()
            while unsafe := self._unsafe():
                if time.monotonic() > deadline_s:
                    raise DeliveryError(
                        f"{unsafe} event(s) are neither in Kafka nor in {self._spool.path} ({self._last_error}): "
                        "send them again (duplicates are harmless)",
                        topic="",
                        keys=0,
                        cause=TimeoutError(self._last_error or ""),
                    )
                self._changed.wait(TURN_S)
            self._reap()

    def close(self, timeout_s: float) -> int:
        """Flush, then send what is spooled as long as Kafka takes it; return how many events stay on disk.

        Raises DeliveryError for what is not even there, after closing.
        """
        with self._lock:
            if self._closed:
                return self._spool.count
        try:
            self.flush(timeout_s)
            self._drain(timeout_s)
        finally:
            with self._lock:
                self._closing = self._closed = True
                self._changed.notify_all()
            self._mover.join()
            self._drop_driver(0 if self._flight else BOOTSTRAP_S)
            left = self._spool.count
            self._spool.close()
        return left

    def statistics(self) -> Statistics:
        """Return the counts so far."""
        with self._lock:
            self._reap()
            return Statistics(
                sent=self._sent,
                acknowledged=self._acknowledged,
                spooled=self._spool.count + len(self._waiting),
                spool_bytes=self._spool.bytes,
                last_error=self._last_error,
            )

    def _has_room(self, size: int) -> bool:
        if self._direct:
            self._reap()
            return self._flight_bytes <= MAX_FLIGHT_BYTES or not self._flight
        return (
            self._waiting_bytes <= MAX_WAITING_BYTES
            # What is under way without a row has to go to the spool first.
            and self._spool.fits(size + self._waiting_bytes + self._unspooled_bytes)
        )

    def _drain(self, timeout_s: float) -> None:
        """Wait for the spool to empty, as long as acknowledgements come."""
        deadline_s = time.monotonic() + timeout_s
        left, moved_s = self._spool.count, time.monotonic()
        while self._spool.count and time.monotonic() < min(deadline_s, moved_s + ACK_TIMEOUT_S):
            if self._spool.count != left:
                left, moved_s = self._spool.count, time.monotonic()
            time.sleep(TURN_S)

    def _unsafe(self) -> int:
        return len(self._waiting) + sum(not entry.safe for entry in self._flight)

    def _unspooled(self) -> list[Entry]:
        """Entries under way that only the driver has."""
        return [entry for entry in self._flight if not entry.safe]

    def _wait_in_line(self, entries: Sequence[Entry], *, first: bool = False) -> None:
        if first:
            self._waiting.extendleft(reversed(entries))
        else:
            self._waiting.extend(entries)
        self._waiting_bytes += sum(entry.size for entry in entries)
        self._changed.notify_all()

    def _hand(self, entry: Entry) -> bool:
        """Hand a record to the driver; False when it cannot take it. The lock is held."""
        topic, key, value = entry.record
        if topic not in self._topics:
            return False
        try:
            future = self._kafka.send(topic, value, key)
        except KafkaError as error:
            self._last_error = str(error)
            return False
        entry.sent_s = time.monotonic()
        self._flight.append(entry)
        self._flight_bytes += entry.size
        future.chain(entry)
        return True

    def _reap(self) -> None:
        """Forget the oldest entries that Kafka has acknowledged. The lock is held."""
        while self._flight and self._flight[0].acked:
            entry = self._flight.popleft()
            self._flight_bytes -= entry.size
            self._acknowledged += 1
            self._topics.written(entry.record.topic)
            self._acked_row = entry.row or self._acked_row
            self._changed.notify_all()

    # -- on the mover's thread --------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._closing:
                    return
                idle = self._direct or time.monotonic() < self._not_before_s
                if not self._waiting:
                    self._changed.wait(IDLE_TURN_S if idle else TURN_S)
            try:
                self._turn()
            except KafkaRefusedError as error:
                with self._lock:
                    self._tell(error)
                    self._not_before_s = time.monotonic() + RETRY_S
            except Exception as error:  # noqa: BLE001 - whatever it is, what is on disk must go on being sent
                with self._lock:
                    self._last_error = str(error)
                    self._not_before_s = time.monotonic() + RETRY_S

    def _turn(self) -> None:
        with self._lock:
            self._reap()
            row, self._acked_row = self._acked_row, 0
            broken = any(entry.error is not None for entry in self._flight)
            if self._direct and (broken or self._overdue()):
                self._direct = False
                self._unspooled_bytes = self._flight_bytes
                self._last_error = f"Kafka has not acknowledged for {ACK_TIMEOUT_S:g} s"
            direct = self._direct
        if row:
            self._spool.delete(row)  # first of all: that makes room
        if direct:
            self._topics.learn_again(self._kafka)
            return
        with suppress(SpoolFullError):
            self._secure()
        if broken:
            self._start_over()
        if time.monotonic() < self._not_before_s:
            return
        self._connect()
        caught_up = self._forward()
        with self._lock:
            # The driver has all that is spooled before it, in order: what comes now queues up behind that.
            if caught_up and not self._waiting and not self._overdue():
                self._direct, self._last_error = True, self._topics.problem

    def _overdue(self) -> bool:
        return bool(self._flight) and time.monotonic() - self._flight[0].sent_s > ACK_TIMEOUT_S

    def _secure(self) -> None:
        """Write to the spool what only memory has: first what is under way, then what waits; in order."""
        with self._lock:
            entries = [*self._unspooled(), *self._waiting]
        for start in range(0, len(entries), READ_ROWS):
            part = entries[start : start + READ_ROWS]
            last = self._spool.append([entry.record for entry in part])
            with self._lock:
                # One transaction, ours alone: its rows follow each other.
                for row, entry in enumerate(part, last - len(part) + 1):
                    if self._waiting and entry is self._waiting[0]:
                        self._waiting.popleft()
                        self._waiting_bytes -= entry.size
                    else:
                        self._handed = row
                    entry.stored(row)
                self._unspooled_bytes = sum(entry.size for entry in self._unspooled())
                self._changed.notify_all()

    def _start_over(self) -> None:
        """Take another driver after it has given a record up, and send again all that was not acknowledged."""
        self._drop_driver(0)
        with self._lock:
            failed = [entry for entry in self._flight if entry.error is not None]
            self._last_error = str(failed[0].error) if failed else self._last_error
            for entry in failed:
                if entry.error and (refused := self._topics.failed(entry.record.topic, entry.error)):
                    self._tell(refused)
                    break  # the driver refuses all others too, whose topics may be good
            self._wait_in_line(self._unspooled(), first=True)
            self._flight.clear()
            self._flight_bytes = self._unspooled_bytes = self._handed = 0
            self._not_before_s = time.monotonic() + RETRY_S

    def _connect(self) -> None:
        """Connect when there is no driver, and learn the topics. Notes why not."""
        try:
            if self._kafka is None:
                wait_for_listener(self._addresses, PROBE_S)
                self._kafka = connect(
                    self._addresses,
                    self._access,
                    self._client_id,
                    bootstrap_s=BOOTSTRAP_S,
                    max_block_s=ACK_TIMEOUT_S,
                    delivery_s=FOREVER_S,
                )
                self._topics.learn(self._kafka, [kind.topic for kind in KINDS])
        except KafkaRefusedError as error:
            self._tell(error)
            self._not_before_s = time.monotonic() + RETRY_S
        except (ProducerError, KafkaError) as error:
            self._last_error = str(error)
            self._not_before_s = time.monotonic() + RETRY_S

    def _tell(self, refused: KafkaRefusedError) -> None:
        """Log what keeps events back, once."""
        self._last_error = str(refused)
        if self._told != self._last_error:
            self._told = self._last_error
            log.warning("events stay in %s: %s", self._spool.path, refused)

    def _connected(self) -> bool:
        return self._kafka is not None

    def _forward(self) -> bool:
        """Hand the driver the next rows of the spool, as many as the window has room for; tell whether all."""
        while self._kafka is not None and self._flight_bytes < WINDOW_BYTES:
            rows = self._spool.read(self._handed, READ_ROWS)
            for topic, _ in groupby(rows, lambda found: found.record.topic):
                if topic not in self._topics:
                    self._topics.learn(self._kafka, [topic])
                    self._topics.refuse([found.record for found in rows if found.record.topic == topic])
            with self._lock:
                for found in rows:
                    entry = Entry(found.record, None)
                    entry.row = found.row
                    if not self._hand(entry):
                        raise ProducerError(self._last_error or f"topic {found.record.topic} is not known")
                    self._handed = found.row
            if len(rows) < READ_ROWS:
                return True
        return False

    def _drop_driver(self, timeout_s: float) -> None:
        if self._kafka is not None:
            disconnect(self._kafka, timeout_s)
        self._kafka = None
