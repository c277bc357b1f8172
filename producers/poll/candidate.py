"""From a row of a source to the snapshot that it means now."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import xxhash

from contract.decode import EventError, Horizon, checked
from contract.kind import Event
from contract.marks import EPOCH, epoch_us
from producers.layouts import present
from producers.plan import Plan
from producers.refusal import Refusal

__all__ = ["Candidate", "Reader", "digest_of"]

_encode = msgspec.json.Encoder().encode


class Candidate(NamedTuple):
    """What a row says: the event but for its version, and what it is compared by.

    ``stated``: the version that the row claims, µs since 1970; None if the mapping names none.
    """

    event: Event
    digest: bytes
    stated: int | None

    def versioned(self, version: int) -> Event:
        """Return the event with its version, and the id that follows from it."""
        subject = self.event.subject
        return msgspec.structs.replace(self.event, version=version, id=f"{subject}/{version}")


def digest_of(event: Event) -> bytes:
    """Return 128 bits of what is compared: the snapshot and its source, not version and time."""
    return xxhash.xxh3_128_digest(_encode((event.source, event.data)))


class Reader:
    """Reads the rows of one round; ``began`` is its beginning."""

    def __init__(self, plan: Plan, began: datetime) -> None:
        self._plan = plan
        self._began = began
        self._began_us = epoch_us(began)
        self._horizon = Horizon(self._began_us)
        subject = plan.mapping.subject
        self._code = subject.column
        self._prefix = subject.prefix

    def subject(self, cells: Mapping[str, str]) -> str | None:
        """Return the code of a row's entity, also of a row that is refused; None if it has none."""
        text = unicodedata.normalize("NFC", cells.get(self._code, "").strip())
        return self._prefix + text if text else None

    def read(self, number: int, cells: Mapping[str, str]) -> Candidate | Refusal:
        """Read one row. What the workers would refuse is refused here, where the row is known."""
        # Words of a map and codes must compare, whichever way the source writes its accents.
        texts = {k: v if v.isascii() else unicodedata.normalize("NFC", v) for k, v in cells.items()}
        row = self._plan.read(number, texts)
        if isinstance(row, Refusal):
            return row
        stated = row.version if row.version is not None or row.moment is None else epoch_us(row.moment)
        moment = row.moment
        if moment is None and stated is not None:
            moment = EPOCH + timedelta(microseconds=stated)
        if moment is None or moment > self._began:
            moment = self._began.astimezone(UTC)
        event = present(self._plan, row, moment, self._began_us)
        if isinstance(event, Refusal):
            return event
        try:
            _, read, _ = checked(event, self._horizon)
        except EventError as error:
            field = (error.path or "").removeprefix("$.data.")
            return Refusal(number, self._plan.column_of(field), str(error))
        return Candidate(read, digest_of(read), stated)
