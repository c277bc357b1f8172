"""What passes between the stream and its store: typed rows and column batches, all immutable by convention."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from contract.kind import Kind
from contract.marks import Mark

__all__ = [
    "Changes",
    "Column",
    "DeadLetter",
    "EntityBatch",
    "EpochKey",
    "Heartbeat",
    "Marks",
    "PaneBatch",
    "PaneBlock",
    "Partition",
    "Progress",
    "Rate",
    "Seen",
    "SourceRow",
    "Stored",
]


Marks = tuple[Mark | None, ...]
"""Of one entity, one for each marked indicator of its kind, in ``Kind.marked`` order."""

Column = npt.NDArray[np.int64]
"""Whole numbers, one for each row."""


class Partition(NamedTuple):
    """One partition of one input topic."""

    topic: str
    partition: int


class EpochKey(NamedTuple):
    """One tenure of one worker over one partition; ``epoch`` grows with each claim."""

    topic: str
    partition: int
    epoch: int


class Stored(msgspec.Struct, gc=False, frozen=True):
    """What the store (or memory) holds of one entity: enough to withdraw its marks and to compare versions.

    ``content`` is the 48-bit hash that decides between two snapshots of one version. ``offset`` is -1 when no
    record stands behind the row (recomputed rows keep their record's offset).
    """

    version: int
    content: int
    unit: str
    field: str | None
    marks: Marks
    offset: int
    epoch: int


class Seen(NamedTuple):
    """A row that a rebuild has counted although its offset lies at or after the start of reading."""

    id: str
    version: int
    content: int
    epoch: int


@dataclass(slots=True)
class EntityBatch:
    """Rows of one kind for one insert, as parallel lists; ``events[i]`` is a contract Event."""

    kind: Kind
    events: list[Any] = field(default_factory=list)
    contents: list[int] = field(default_factory=list)
    marks: list[Marks] = field(default_factory=list)
    partitions: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)


class PaneBlock(NamedTuple):
    """Panes of one partition and level as columns.

    ``scopes`` and ``indicators`` are names; the columns ``scope`` and ``indicator`` point into them.
    """

    partition: int
    scopes: Sequence[str]
    indicators: Sequence[str]
    level: int
    scope: Column
    indicator: Column
    at_s: Column
    good: Column
    counted: Column

    def scopes_told(self) -> list[str]:
        """Return the names of the scopes that have a pane here."""
        return [self.scopes[number] for number in np.unique(self.scope).tolist()]


@dataclass(slots=True)
class PaneBatch:
    """Panes of one topic for one insert."""

    blocks: list[PaneBlock] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(len(block.at_s) for block in self.blocks)


class Progress(NamedTuple):
    """How far one partition has been flushed.

    ``flush`` counts flushes within the epoch from 1; ``offset`` is the last record flushed; ``clock_us`` the
    newest event time accepted so far, microseconds since 1970; ``scopes`` what this flush changed.
    """

    key: EpochKey
    flush: int
    offset: int
    clock_us: int
    scopes: Sequence[str]


class Changes(NamedTuple):
    """What happened since a look at the progress: newest flush per current epoch, clock, changed scopes."""

    flushes: dict[EpochKey, int]
    clock_us: int
    scopes: frozenset[str]


class Rate(NamedTuple):
    """One figure. The rate is numerator / denominator, and unknown (None) when nothing was counted."""

    scope: str
    indicator: str
    window: str
    numerator: int
    denominator: int

    @property
    def rate(self) -> float | None:
        """Numerator / denominator, or None for a zero denominator."""
        return self.numerator / self.denominator if self.denominator else None


class Heartbeat(NamedTuple):
    """The newest sign of life of roll: who (epoch of its partition), how often, and the clock it used."""

    epoch: int
    tick: int
    as_of_us: int
    written_us: int


class DeadLetter(NamedTuple):
    """A record that cannot be counted, kept as it came."""

    topic: str
    partition: int
    offset: int
    reason: str
    error: str
    key: bytes | None
    value: bytes
    time_us: int


class SourceRow(NamedTuple):
    """When a source last spoke for a unit through one partition, and how much of it was ignored as old.

    ``events`` and ``ignored`` are absolute counts since the epoch began.
    """

    source: str
    unit: str
    key: EpochKey
    flush: int
    event_time_us: int
    seen_us: int
    events: int
    ignored: int
