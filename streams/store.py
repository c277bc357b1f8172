"""The store as the stream needs it. ``sinks`` implements it on ClickHouse; tests may on a dict.

All methods block and may raise StoreUnavailableError (try again) or any other error (end the process).
Nothing here is cached: an answer is what the store holds now.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from contract.kind import Kind
from contract.units import Segment
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

__all__ = ["FoldStore", "RollStore", "StoreUnavailableError"]


class StoreUnavailableError(Exception):
    """The store does not answer, or answers that it cannot now; the same call may succeed later."""


class FoldStore(Protocol):
    """What fold reads and writes."""

    def newest_claims(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Largest claimed epoch of each partition; a partition never claimed is absent."""
        ...

    def claim(self, epochs: Iterable[EpochKey], owner: str) -> None:
        """Write claims."""
        ...

    def complete(self, epochs: Iterable[EpochKey]) -> None:
        """Mark epochs as complete: from here on readers use them."""
        ...

    def flushed_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Largest offset flushed by any epoch; a partition never flushed is absent."""
        ...

    def look_up(self, kind: Kind, ids: Sequence[str]) -> dict[str, Stored]:
        """Newest stored row of each id that has one."""
        ...

    def open_page(
        self, kind: Kind, partitions: Sequence[int], after: str, limit: int
    ) -> Sequence[tuple[int, str, Stored]]:
        """Entities with a mark of a state, in the order of their ids after ``after``: (partition, id, newest row)."""
        ...

    def id_page(
        self, kind: Kind, partitions: Sequence[int], after: str, limit: int
    ) -> tuple[Sequence[int], Sequence[str]]:
        """Partitions and ids of stored entities, in the order of ids after ``after``."""
        ...

    def entity_counts(self, kind: Kind, partitions: Sequence[int]) -> dict[int, int]:
        """About how many entities are stored of each partition; an empty one may be absent."""
        ...

    def seen(self, kind: Kind, starts: Mapping[int, int]) -> set[Seen]:
        """Rows at or after the start offset of their partition (partition number → offset)."""
        ...

    def rebuild(
        self, kind: Kind, partitions: Sequence[int], now_s: int, segments: Callable[[str], Sequence[Segment]]
    ) -> Iterable[PaneBlock]:
        """Panes of these partitions recomputed from the stored marks, at the levels kept at ``now_s``."""
        ...

    def clocks(self, kind: Kind, partitions: Sequence[int]) -> dict[int, int]:
        """Newest event time (µs since 1970) known of each partition; an empty partition is absent."""
        ...

    def entities_ready(self, batch: EntityBatch) -> Callable[[], None]:
        """Make entity rows of one kind ready; what is returned inserts them as one block, and may be called again."""
        ...

    def write_panes(self, topic: str, epochs: Mapping[int, int], flush: Mapping[int, int], panes: PaneBatch) -> None:
        """Insert absolute panes of one topic as one block; epoch and flush are given per partition."""
        ...

    def write_progress(self, rows: Sequence[Progress]) -> None:
        """Insert the flush's progress; readers see a flush from here on."""
        ...

    def write_dead_letters(self, rows: Sequence[DeadLetter]) -> None:
        """Insert refused records; the same record again replaces itself."""
        ...

    def write_sources(self, rows: Sequence[SourceRow]) -> None:
        """Insert when sources last spoke."""
        ...


class RollStore(Protocol):
    """What roll reads and writes."""

    def changes(self, since: Mapping[EpochKey, int]) -> Changes:
        """Return the current complete epochs with their newest flush, and the scopes changed after ``since``."""
        ...

    def sum_panes(self, now_s: int, scopes: frozenset[str] | None) -> list[Rate]:
        """All indicators and windows of these scopes (None: of all) at ``now_s``, from the current epochs."""
        ...

    def rates_now(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        """(scope, indicator, window) → (numerator, denominator) as last written."""
        ...

    def write_rates(self, rates: Sequence[Rate], beat: Heartbeat) -> None:
        """Write changed rates to the history and to the current figures, then the heartbeat."""
        ...

    def heartbeat(self) -> Heartbeat | None:
        """Newest heartbeat, or None before the first."""
        ...

    def drop_outdated(self, now_s: int) -> None:
        """Remove panes and progress of old epochs, and minutes and hours no longer kept."""
        ...
