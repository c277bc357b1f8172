"""Fold of one partition: newest snapshots against what is stored, marks withdrawn and added. Pure.

The caller brings what the store knows (a look-up) and writes what comes out; memory of one partition in one
epoch lives here. Nothing changes before every stored row has been examined, so a fold that is refused
(:class:`EpochContestedError`) can be repeated in the next epoch.
"""

from collections.abc import Mapping

from contract.decode import EventError
from contract.kind import Kind
from contract.marks import epoch_us
from streams.intake import Intake, content_hash, dead_letter
from streams.memory import Memory
from streams.panes import Panes
from streams.partitioner import Owners
from streams.places import Places
from streams.rows import EntityBatch, EpochKey, PaneBatch, Partition, Progress, Seen, SourceRow, Stored

__all__ = ["EpochContestedError", "PartitionFold"]


class EpochContestedError(Exception):
    """A predecessor's insert landed after this epoch's rebuild: claim anew and rebuild again."""

    def __init__(self, key: EpochKey, subject: str) -> None:
        super().__init__(f"{key.topic}[{key.partition}]: a row of {subject} landed after the rebuild")
        self.key = key


class PartitionFold:
    """Memory and arithmetic of one partition in one epoch.

    ``start``: the offset at which this epoch began to read. ``seen``: the rows at or after it that the
    rebuild has counted. ``owner_of``: the partitions in which Kafka's partitioner puts keys. ``places``: where
    marks count; the folds of one kind may share it.
    """

    def __init__(
        self,
        kind: Kind,
        key: EpochKey,
        start: int,
        seen: set[Seen],
        clock_us: int,
        owner_of: Owners,
        places: Places,
    ) -> None:
        self.kind = kind
        self.key = key
        self.partition = Partition(key.topic, key.partition)
        self.start = start
        self.panes = Panes([i.key for i in kind.marked], places)
        self.flush = 0
        self.clock_us = clock_us
        self._seen = seen
        self._owner_of = owner_of
        self.memory = Memory(kind)
        self._last_size = 0
        self._mark_functions = tuple(i.mark for i in kind.marked if i.mark is not None)
        self._sources: dict[tuple[str, str], list[int]] = {}

    def missing(self, intake: Intake) -> list[str]:
        """Ids for which the store must be asked."""
        return self.memory.to_ask_for(intake.newest)

    def check(self, stored: Mapping[str, Stored]) -> None:
        """Refuse the epoch when a row lies in the store that its rebuild cannot have counted (rule 2)."""
        for subject, row in stored.items():
            if (
                row.epoch != self.key.epoch
                and row.offset >= self.start
                and Seen(subject, row.version, row.content, row.epoch) not in self._seen
            ):
                raise EpochContestedError(self.key, subject)

    def apply(
        self,
        intake: Intake,
        stored: Mapping[str, Stored],
        batch: EntityBatch,
        now_s: int,
        wall_us: int,
    ) -> None:
        """Fold one flush's newest snapshots: rows go to ``batch``, marks to the panes. Call ``check`` before."""
        memory, panes, epoch = self.memory, self.panes, self.key.epoch
        strays = self._strays(intake, stored)
        before = len(batch.events)
        self._last_size = len(intake.newest)
        for subject, (event, record) in intake.newest.items():
            if subject in strays:
                intake.dead.append(dead_letter(self.partition, record, strays[subject], wall_us))
                continue
            content = content_hash(record.value)
            known = memory.get(subject) or stored.get(subject)
            if known is not None and (known.version, known.content) >= (event.version, content):
                memory.put(subject, known)
                intake.sources[event.source, event.data.unit].ignored += 1
                continue
            data = event.data
            unit, field = data.unit, getattr(data, "field", None)
            marks = tuple([mark(data) for mark in self._mark_functions])
            if known is None:
                panes.add(unit, field, marks)
            elif known.marks != marks or known.unit != unit or known.field != field:
                panes.withdraw(known.unit, known.field, known.marks)
                panes.add(unit, field, marks)
            memory.put(subject, Stored(event.version, content, unit, field, marks, record.offset, epoch))
            batch.events.append(event)
            batch.contents.append(content)
            batch.marks.append(marks)
            batch.offsets.append(record.offset)
        added = len(batch.events) - before
        batch.partitions += [self.key.partition] * added
        batch.epochs += [epoch] * added
        panes.apply(now_s)

    def tick(self, intake: Intake) -> None:
        """Move the event-time clock by what the flush brought; it never goes back."""
        self.clock_us = max(self.clock_us, intake.clock_us())

    def close_flush(self, intake: Intake, panes: PaneBatch) -> Progress:
        """Count the flush, add its changed panes to ``panes`` and return its progress."""
        self.flush += 1
        before = len(panes.blocks)
        self.panes.take_changed(self.key.partition, panes)
        scopes = sorted({scope for block in panes.blocks[before:] for scope in block.scopes_told()})
        return Progress(self.key, self.flush, intake.last_offset, self.clock_us, scopes)

    def sources(self, intake: Intake, seen_us: int) -> list[SourceRow]:
        """Return what is known of each source that spoke in this flush, as absolute counts of the epoch."""
        rows = []
        for (source, unit), count in intake.sources.items():
            sums = self._sources.setdefault((source, unit), [0, 0, 0])
            sums[0] = max(sums[0], epoch_us(count.newest))
            sums[1] += count.events
            sums[2] += count.ignored
            rows.append(SourceRow(source, unit, self.key, self.flush, sums[0], seen_us, sums[1], sums[2]))
        return rows

    def evict(self, most: int) -> None:
        """Forget what is closed and was untouched for longest; the last flush, which is not stored yet, stays."""
        self.memory.evict(max(most, self._last_size))

    def _strays(self, intake: Intake, stored: Mapping[str, Stored]) -> dict[str, EventError]:
        """Check the place of entities seen for the first time (rule 5): else their history is in two partitions."""
        new = [subject for subject in self.memory.unknown(intake.newest) if subject not in stored]
        homes = self._owner_of([subject.encode() for subject in new])
        return {
            subject: EventError(
                "partition",
                f"the key belongs to partition {home}, not {self.key.partition}: set the producer's partitioner "
                "to murmur2",
            )
            for subject, home in zip(new, homes, strict=True)
            if home != self.key.partition
        }
