"""One flush on its way into the store: what is written, and in which order."""

from collections.abc import Callable
from dataclasses import dataclass, field

from streams.fold import PartitionFold
from streams.intake import Intake
from streams.rows import DeadLetter, PaneBatch, Partition, Progress, SourceRow
from streams.store import FoldStore

__all__ = ["Flush", "write_flush"]


@dataclass(slots=True)
class Flush:
    """What one flush of all partitions writes, by topic; complete in itself, so the fold may go on meanwhile.

    ``entities``: what writes the entity rows, made ready by the thread that folds: a second one at that would wait
    for its turn at the interpreter at every step, and the fold likewise.
    ``epochs`` and ``numbers``: topic → partition → epoch and number of the flush. ``ends``: next offset to
    read of each partition, to be committed once everything is stored. ``records``: how many were folded.
    """

    entities: list[Callable[[], None]] = field(default_factory=list)
    panes: dict[str, PaneBatch] = field(default_factory=dict)
    epochs: dict[str, dict[int, int]] = field(default_factory=dict)
    numbers: dict[str, dict[int, int]] = field(default_factory=dict)
    progress: list[Progress] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    sources: list[SourceRow] = field(default_factory=list)
    ends: dict[Partition, int] = field(default_factory=dict)
    records: int = 0

    def take(self, fold: PartitionFold, intake: Intake, seen_us: int) -> None:
        """Take over what one partition's fold has made of its intake."""
        topic, number = fold.partition
        progress = fold.close_flush(intake, self.panes.setdefault(topic, PaneBatch()))
        self.epochs.setdefault(topic, {})[number] = fold.key.epoch
        self.numbers.setdefault(topic, {})[number] = fold.flush
        self.progress.append(progress)
        self.dead += intake.dead
        self.sources += fold.sources(intake, seen_us)
        self.ends[fold.partition] = intake.last_offset + 1
        self.records += intake.records


def write_flush(store: FoldStore, flush: Flush) -> None:
    """Write in the order that leaves after every crash something to recover from: rows, panes, progress.

    May be repeated as a whole: every row replaces itself.
    """
    if flush.dead:
        store.write_dead_letters(flush.dead)
    for write in flush.entities:
        write()
    for topic, panes in flush.panes.items():
        if panes:
            store.write_panes(topic, flush.epochs[topic], flush.numbers[topic], panes)
    if flush.sources:
        store.write_sources(flush.sources)
    store.write_progress(flush.progress)
