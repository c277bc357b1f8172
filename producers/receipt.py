"""Receipts: who handed records over is told once, when all of them are safe."""

import threading
from collections.abc import Callable

from producers.spool import Record, size_of

__all__ = ["Entry", "Receipt"]


class Receipt:
    """Counts down the records of one call; ``call`` gets None when all are safe, or the first error.

    A record is safe when all in-sync replicas of Kafka have it, or the spool has it on disk. ``call`` runs on
    the thread that learns it and must return quickly.
    """

    __slots__ = ("_call", "_left", "_lock")

    def __init__(self, records: int, call: Callable[[BaseException | None], None]) -> None:
        self._left = records
        self._call = call
        self._lock = threading.Lock()

    def settle(self, entry: "Entry", error: BaseException | None = None) -> None:
        """Count one record, the first time only: Kafka and the spool may both come to have it."""
        with self._lock:
            if entry.settled or self._left <= 0:
                return
            entry.settled = True
            self._left = 0 if error is not None else self._left - 1
            finished = self._left == 0
        if finished:
            self._call(error)


class Entry:
    """One record on its way: what the driver says of it, and its row once the spool has it."""

    __slots__ = ("acked", "error", "receipt", "record", "row", "sent_s", "settled", "size")

    def __init__(self, record: Record, receipt: Receipt | None) -> None:
        self.record = record
        self.size = size_of(record)
        self.receipt = receipt
        self.row: int | None = None
        self.sent_s = 0.0
        self.acked = False
        self.error: BaseException | None = None
        self.settled = False

    @property
    def safe(self) -> bool:
        """Whether the record can no longer be lost."""
        return self.acked or self.row is not None

    def success(self, _: object) -> None:
        """Note Kafka's acknowledgement; the driver calls this on its own thread."""
        self.acked = True
        if self.receipt is not None:
            self.receipt.settle(self)

    def failure(self, error: BaseException) -> None:
        """Note that the driver has given the record up; on its own thread too."""
        self.error = error

    def stored(self, row: int) -> None:
        """Note that the spool has the record."""
        self.row = row
        if self.receipt is not None:
            self.receipt.settle(self)
