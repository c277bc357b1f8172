"""From fetched records to the newest snapshot of each entity: decode, refuse, deduplicate. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, cast

import xxhash

from contract.decode import EventError, Horizon
from contract.decode_batch import CHUNK, decode_batch
from contract.kind import Kind
from contract.marks import EPOCH, epoch_us
from contract.personal import mask_record
from streams.rows import DeadLetter, Partition

__all__ = ["CONTENT_BITS", "Intake", "Newest", "Record", "SourceCount", "content_hash", "dead_letter", "take_in"]

CONTENT_BITS = 48
"""The hash fills the lower 48 bits of a row's rank."""


class Record(Protocol):
    """What is read of a Kafka record."""

    offset: int
    key: bytes | None
    value: bytes | None


Newest = tuple[Any, Record]
"""The newest snapshot of one entity within a flush, with the record that brought it."""


@dataclass(slots=True)
class SourceCount:
    """What one source said for one unit within a flush."""

    newest: datetime = EPOCH
    events: int = 0
    ignored: int = 0


@dataclass(slots=True)
class Intake:
    """What one partition's records of one flush come to."""

    newest: dict[str, Newest] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    sources: dict[tuple[str, str], SourceCount] = field(default_factory=dict)
    last_offset: int = -1
    records: int = 0

    def clock_us(self) -> int:
        """Newest event time accepted, microseconds since 1970; 0 without events."""
        return max((epoch_us(count.newest) for count in self.sources.values()), default=0)


def content_hash(value: bytes | None) -> int:
    """48 bits of the record's bytes: they decide between two snapshots with one version, everywhere alike."""
    return xxhash.xxh3_64_intdigest(value or b"") & ((1 << CONTENT_BITS) - 1)


def take_in(intake: Intake, kind: Kind, partition: Partition, records: Sequence[Record], horizon: Horizon) -> None:
    """Add a batch of records to the partition's intake; what cannot be counted becomes a dead letter.

    Written for whole chunks: a pass over a list for each step costs a third of all steps for each record.
    """
    for start in range(0, len(records), CHUNK):
        _take_in(intake, kind, partition, records[start : start + CHUNK], horizon)


def _take_in(intake: Intake, kind: Kind, partition: Partition, records: Sequence[Record], horizon: Horizon) -> None:
    intake.last_offset = max(intake.last_offset, records[-1].offset)
    intake.records += len(records)
    events: list[Any] = decode_batch(kind, [record.value for record in records], horizon)
    if refused := _refusals(events, records):
        intake.dead += [dead_letter(partition, records[n], error, horizon.wall_us) for n, error in refused.items()]
        records = [record for n, record in enumerate(records) if n not in refused]
        events = [event for n, event in enumerate(events) if n not in refused]
    newest, sources = intake.newest, intake.sources
    for event, record in zip(events, records, strict=True):
        spoken = (event.source, event.data.unit)
        source = sources.get(spoken)
        if source is None:
            source = sources[spoken] = SourceCount()
        source.events += 1
        if event.time > source.newest:  # noqa: PLR1730 - a call of max costs as much as the rest
            source.newest = event.time
        subject, version = event.subject, event.version
        known = newest.get(subject)
        if known is None or known[0].version < version:
            newest[subject] = (event, record)
        elif known[0].version > version or content_hash(record.value) <= content_hash(known[1].value):
            source.ignored += 1
        else:
            newest[subject] = (event, record)


def _refusals(events: Sequence[Any], records: Sequence[Record]) -> dict[int, EventError]:
    """Return what cannot be counted, by its place in the batch."""
    refused: dict[int, EventError] = {n: e for n, e in enumerate(events) if e.__class__ is EventError}
    if refused or not _keys_are_subjects(events, records):
        for n, (event, record) in enumerate(zip(events, records, strict=True)):
            # Before it can stand in for the entity: it must not hide a good record of this flush.
            if n not in refused and event.subject.encode() != record.key:
                refused[n] = EventError("key", "the record's key is not the event's subject - at `$.subject`")
    return refused


def _keys_are_subjects(events: Sequence[Any], records: Sequence[Record]) -> bool:
    """Whether surely all are; joined and compared as one text, which a line feed within a subject could shift."""
    keys = [record.key for record in records]
    if None in keys:
        return False
    subjects = "\n".join([event.subject for event in events])
    return subjects.count("\n") == len(events) - 1 and subjects.encode() == b"\n".join(cast(list[bytes], keys))


def dead_letter(partition: Partition, record: Record, error: EventError, wall_us: int) -> DeadLetter:
    """Return the record as a dead letter with its reason and place.

    What looks personal in key and value is masked, whatever the reason: a name that is not known to us is just
    where such things stand.
    """
    return DeadLetter(
        partition.topic,
        partition.partition,
        record.offset,
        error.reason,
        str(error),
        None if record.key is None else mask_record(record.key),
        mask_record(record.value or b""),
        wall_us,
    )
