"""From fetched records to the newest snapshot of each entity: decode, refuse, deduplicate. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import xxhash

from contract.decode import EventError, Horizon, decode
from contract.kind import Kind
from contract.marks import EPOCH, epoch_us
from streams.rows import DeadLetter, Partition

__all__ = ["Candidate", "Intake", "Record", "SourceCount", "content_hash", "dead_letter", "take_in"]

CONTENT_BITS = 48
"""The hash fills the lower 48 bits of a row's rank."""


class Record(Protocol):
    """What is read of a Kafka record."""

    offset: int
    key: bytes | None
    value: bytes | None


class Candidate(NamedTuple):
    """The newest snapshot of one entity within a flush, with the record that brought it."""

    event: Any
    content: int
    offset: int
    key: bytes
    value: bytes


@dataclass(slots=True)
class SourceCount:
    """What one source said for one unit within a flush."""

    newest: datetime = EPOCH
    events: int = 0
    ignored: int = 0


@dataclass(slots=True)
class Intake:
    """What one partition's records of one flush come to."""

    newest: dict[str, Candidate] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    sources: dict[tuple[str, str], SourceCount] = field(default_factory=dict)
    last_offset: int = -1
    records: int = 0

    def clock_us(self) -> int:
        """Newest event time accepted, microseconds since 1970; 0 without events."""
        return max((epoch_us(count.newest) for count in self.sources.values()), default=0)


def content_hash(value: bytes) -> int:
    """48 bits of the record's bytes: they decide between two snapshots with one version, everywhere alike."""
    return xxhash.xxh3_64_intdigest(value) & ((1 << CONTENT_BITS) - 1)


def take_in(intake: Intake, kind: Kind, partition: Partition, records: Sequence[Record], horizon: Horizon) -> None:
    """Add a batch of records to the partition's intake; what cannot be counted becomes a dead letter."""
    newest, sources = intake.newest, intake.sources
    for record in records:
        try:
            event: Any = decode(kind, record.value, horizon)
        except EventError as error:
            intake.dead.append(dead_letter(partition, record, error, horizon.wall_us))
            continue
        key = event.subject.encode()
        if record.key != key:
            # Before it can stand in for the entity: it must not hide a good record of this flush.
            stray = EventError("key", "the record's key is not the event's subject - at `$.subject`")
            intake.dead.append(dead_letter(partition, record, stray, horizon.wall_us))
            continue
        value = record.value or b""
        spoken = (event.source, event.data.unit)
        count = sources.get(spoken)
        if count is None:
            sources[spoken] = count = SourceCount()
        count.events += 1
        if event.time > count.newest:  # noqa: PLR1730 - a call of max() costs as much as the rest of the line
            count.newest = event.time
        known = newest.get(event.subject)
        if known is not None:
            if event.version < known.event.version:
                count.ignored += 1
                continue
            if event.version == known.event.version and content_hash(value) <= known.content:
                count.ignored += 1
                continue
        newest[event.subject] = Candidate(event, content_hash(value), record.offset, key, value)
    if records:
        intake.last_offset = max(intake.last_offset, records[-1].offset)
        intake.records += len(records)


def dead_letter(partition: Partition, record: Record | Candidate, error: EventError, wall_us: int) -> DeadLetter:
    """Return the record as a dead letter with its reason and place."""
    return DeadLetter(
        partition.topic,
        partition.partition,
        record.offset,
        error.reason,
        str(error),
        record.key,
        record.value or b"",
        wall_us,
    )
