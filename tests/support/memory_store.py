"""The stream's store on dicts, with the same meaning as the one on ClickHouse: newest row wins, epochs, flushes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from contract.indicators import Reading
from contract.kind import Kind
from contract.marks import epoch_us
from contract.registry import INDICATORS
from contract.units import Segment
from contract.windows import floor_to, levels_kept, pieces, windows_of
from streams.rows import (
    Changes,
    DeadLetter,
    EntityBatch,
    EpochKey,
    Heartbeat,
    PaneBatch,
    PaneBlock,
    Partition,
    Progress,
    Rate,
    Seen,
    SourceRow,
    Stored,
)
from tests.support.panes import Pane, batch_of, single

__all__ = ["MemoryStore"]


class MemoryStore:
    """FoldStore and RollStore in memory."""

    def __init__(self) -> None:
        self.claims: dict[Partition, int] = {}
        self.completes: dict[Partition, int] = {}
        self.rows: dict[str, dict[str, tuple[Stored, Any, int]]] = defaultdict(dict)
        self.panes: dict[tuple[str, int, int, str, str, int, int], tuple[int, int, int]] = {}
        self.progress: list[Progress] = []
        self.dead: dict[tuple[str, int, int], DeadLetter] = {}
        self.source_rows: list[SourceRow] = []
        self.rates: dict[tuple[str, str, str], tuple[int, int]] = {}
        self.beat: Heartbeat | None = None

    # -- fold -----------------------------------------------------------------------------------------

    def newest_claims(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        return {p: self.claims[p] for p in partitions if p in self.claims}

    def claim(self, epochs: Iterable[EpochKey], owner: str) -> None:  # noqa: ARG002 - the port has it
        for key in epochs:
            p = Partition(key.topic, key.partition)
            self.claims[p] = max(self.claims.get(p, 0), key.epoch)

    def complete(self, epochs: Iterable[EpochKey]) -> None:
        for key in epochs:
            p = Partition(key.topic, key.partition)
            self.completes[p] = max(self.completes.get(p, 0), key.epoch)

    def flushed_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        wanted, found = set(partitions), dict[Partition, int]()
        for row in self.progress:
            p = Partition(row.key.topic, row.key.partition)
            if p in wanted:
                found[p] = max(found.get(p, -1), row.offset)
        return found

    def look_up(self, kind: Kind, ids: Sequence[str]) -> dict[str, Stored]:
        rows = self.rows[kind.key]
        return {i: rows[i][0] for i in ids if i in rows}

    def open_page(
        self, kind: Kind, partitions: Sequence[int], after: str, limit: int
    ) -> Sequence[tuple[int, str, Stored]]:
        states = [n for n, indicator in enumerate(kind.marked) if indicator.reading is not Reading.RATE]
        found = [
            (partition, subject, row)
            for subject, (row, _, partition) in sorted(self.rows[kind.key].items())
            if partition in partitions and subject > after and any(row.marks[n] is not None for n in states)
        ]
        return found[:limit]

    def id_page(
        self, kind: Kind, partitions: Sequence[int], after: str, limit: int
    ) -> tuple[Sequence[int], Sequence[str]]:
        found = [
            (partition, subject)
            for subject, (_, _, partition) in sorted(self.rows[kind.key].items())
            if partition in partitions and subject > after
        ][:limit]
        return [number for number, _ in found], [subject for _, subject in found]

    def entity_counts(self, kind: Kind, partitions: Sequence[int]) -> dict[int, int]:
        numbers = [partition for _, _, partition in self.rows[kind.key].values()]
        return {number: numbers.count(number) for number in partitions}

    def seen(self, kind: Kind, starts: Mapping[int, int]) -> set[Seen]:
        return {
            Seen(subject, row.version, row.content, row.epoch)
            for subject, (row, _, partition) in self.rows[kind.key].items()
            if partition in starts and row.offset >= starts[partition]
        }

    def rebuild(
        self, kind: Kind, partitions: Sequence[int], now_s: int, segments: Callable[[str], Sequence[Segment]]
    ) -> Iterable[PaneBlock]:
        sums: dict[tuple[int, str, str, int, int], list[int]] = defaultdict(lambda: [0, 0])
        for row, _, partition in self.rows[kind.key].values():
            if partition not in partitions:
                continue
            for indicator, mark in zip(kind.marked, row.marks, strict=True):
                if mark is None:
                    continue
                units = next(s.units for s in segments(row.unit) if s.start_s <= mark.at_s < s.end_s)
                scopes = [f"unit:{u}" for u in units] + ([f"field:{row.field}"] if row.field else [])
                for scope in scopes:
                    for level in levels_kept(mark.at_s, now_s):
                        pane = sums[partition, scope, indicator.key, int(level), floor_to(level, mark.at_s)]
                        pane[0] += mark.good
                        pane[1] += 1
        return batch_of(Pane(*key, *value) for key, value in sums.items()).blocks

    def clocks(self, kind: Kind, partitions: Sequence[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for row in self.progress:
            if row.key.topic == kind.topic and row.key.partition in partitions:
                found[row.key.partition] = max(found.get(row.key.partition, 0), row.clock_us)
        for _, event, partition in self.rows[kind.key].values():
            if partition in partitions:
                found[partition] = max(found.get(partition, 0), epoch_us(event.time))
        return found

    def entities_ready(self, batch: EntityBatch) -> Callable[[], None]:
        return partial(self.write_entities, batch)

    def write_entities(self, batch: EntityBatch) -> None:
        rows = self.rows[batch.kind.key]
        for event, content, marks, partition, offset, epoch in zip(
            batch.events, batch.contents, batch.marks, batch.partitions, batch.offsets, batch.epochs, strict=True
        ):
            field = getattr(event.data, "field", None)
            new = Stored(event.version, content, event.data.unit, field, marks, offset, epoch)
            old = rows.get(event.subject)
            if old is None or (new.version, new.content) >= (old[0].version, old[0].content):
                rows[event.subject] = (new, event, partition)

    def write_panes(self, topic: str, epochs: Mapping[int, int], flush: Mapping[int, int], panes: PaneBatch) -> None:
        for p in single(panes.blocks):
            key = (topic, p.partition, epochs[p.partition], p.scope, p.indicator, p.level, p.at_s)
            old = self.panes.get(key)
            if old is None or flush[p.partition] >= old[0]:
                self.panes[key] = (flush[p.partition], p.good, p.counted)

    def write_progress(self, rows: Sequence[Progress]) -> None:
        self.progress.extend(rows)

    def write_dead_letters(self, rows: Sequence[DeadLetter]) -> None:
        self.dead.update({(r.topic, r.partition, r.offset): r for r in rows})

    def write_sources(self, rows: Sequence[SourceRow]) -> None:
        self.source_rows.extend(rows)

    # -- roll -----------------------------------------------------------------------------------------

    def changes(self, since: Mapping[EpochKey, int]) -> Changes:
        flushes = {EpochKey(*p, epoch): 0 for p, epoch in self.completes.items()}
        scopes: set[str] = set()
        clock_us = 0
        for row in self.progress:
            clock_us = max(clock_us, row.clock_us)
            if row.key in flushes:
                flushes[row.key] = max(flushes[row.key], row.flush)
                if row.flush > since.get(row.key, 0):
                    scopes.update(row.scopes)
        return Changes(flushes, clock_us, frozenset(scopes))

    def sum_panes(self, now_s: int, scopes: frozenset[str] | None) -> list[Rate]:
        sums: dict[tuple[str, str, str], list[int]] = {}
        for (topic, partition, epoch, scope, marks, level, at_s), (_, good, count) in self.panes.items():
            if self.completes.get(Partition(topic, partition)) != epoch or (
                scopes is not None and scope not in scopes
            ):
                continue
            for indicator in INDICATORS.values():
                if indicator.marks != marks:
                    continue
                for window in windows_of(indicator.reading):
                    total = sums.setdefault((scope, indicator.key, window), [0, 0])
                    values = {"good": good, "count": count, None: 0}
                    for piece in pieces(indicator.reading, window, now_s):
                        if piece.level == level and piece.start_s <= at_s < piece.end_s:
                            total[0] += values[piece.numerator]
                            total[1] += values[piece.denominator]
        return [Rate(*key, *value) for key, value in sums.items()]

    def rates_now(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        return dict(self.rates)

    def write_rates(self, rates: Sequence[Rate], beat: Heartbeat) -> None:
        self.rates.update({(r.scope, r.indicator, r.window): (r.numerator, r.denominator) for r in rates})
        self.beat = beat

    def heartbeat(self) -> Heartbeat | None:
        return self.beat

    def drop_outdated(self, now_s: int) -> None:
        """Nothing grows large enough here."""
