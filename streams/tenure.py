"""Taking over partitions: where to read from, which epoch to claim, and the rebuild of its panes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from contract.kind import Kind
from contract.registry import KIND_OF_TOPIC
from contract.units import UnitTree
from streams.clock import US_PER_S, ClockMode, Now
from streams.epoch import next_epoch
from streams.fold import PartitionFold
from streams.partitioner import Owners
from streams.places import Places
from streams.rows import EpochKey, PaneBatch, Partition, Progress
from streams.store import FoldStore

__all__ = ["Commit", "CommitRefusedError", "rebuild", "start_of"]

PANES_PER_INSERT = 200_000

log = structlog.get_logger()


class CommitRefusedError(Exception):
    """Kafka refused a commit: somebody else owns the partition, or is about to."""

    def __init__(self, text: str, *, rebalancing: bool) -> None:
        super().__init__(text)
        self.rebalancing = rebalancing


class Commit(Protocol):
    """Commits the next offset to read of each partition, or raises CommitRefusedError."""

    async def __call__(self, offsets: Mapping[Partition, int]) -> None:
        """Return when Kafka has accepted all offsets."""
        ...


def start_of(committed: int | None, flushed: int | None, earliest: int) -> int:
    """Offset at which reading begins (rule 4).

    ``committed``: Kafka's commit, the next offset to read, or None; ``flushed``: the largest offset that the
    store has flushed, or None when it knows nothing of the partition: then everything is read again.
    """
    if committed is None or flushed is None:
        return earliest
    return max(earliest, min(committed, flushed + 1))


def rebuild(
    store: FoldStore,
    starts: Mapping[Partition, int],
    tree: UnitTree,
    wall_us: Now,
    mode: ClockMode,
    randbits: Callable[[int], int],
    owner: str,
    owner_of: Callable[[Partition], Owners],
) -> list[PartitionFold]:
    """Claim the next epoch of each partition, rebuild its panes and mark it complete (rule 1). Blocks.

    Kafka must have accepted a commit of these partitions just before.
    """
    claims = store.newest_claims(starts)
    keys = {p: EpochKey(p.topic, p.partition, next_epoch(claims.get(p, 0), randbits)) for p in starts}
    store.claim(keys.values(), owner)
    folds: list[PartitionFold] = []
    for topic in sorted({p.topic for p in starts}):
        mine = [p for p in starts if p.topic == topic]
        folds += _rebuild_kind(store, KIND_OF_TOPIC[topic], mine, starts, keys, tree, wall_us, mode, owner_of)
    store.write_progress([Progress(f.key, f.flush, f.start - 1, f.clock_us, ()) for f in folds])
    store.complete(keys.values())
    log.info(
        "partitions taken over",
        partitions=[f"{p.topic}[{p.partition}] from {starts[p]}" for p in sorted(starts)],
        panes=sum(len(f.panes) for f in folds),
    )
    return folds


def _rebuild_kind(
    store: FoldStore,
    kind: Kind,
    partitions: Sequence[Partition],
    starts: Mapping[Partition, int],
    keys: Mapping[Partition, EpochKey],
    tree: UnitTree,
    wall_us: Now,
    mode: ClockMode,
    owner_of: Callable[[Partition], Owners],
) -> list[PartitionFold]:
    numbers = [p.partition for p in partitions]
    # Before the sums: a row that lands in between is summed but not seen, which costs a second rebuild;
    # the other way round it would be seen but not summed, which costs the truth.
    seen = store.seen(kind, {p.partition: starts[p] for p in partitions})
    clocks = store.clocks(kind, numbers)
    places = Places(tree.periods)
    folds = {
        p.partition: PartitionFold(
            kind,
            keys[p],
            starts[p],
            seen,
            clocks.get(p.partition, 0),
            owner_of(p),
            places,
        )
        for p in partitions
    }
    now_us = wall_us() if mode is ClockMode.WALL else max(f.clock_us for f in folds.values())
    epochs, flush = {number: fold.key.epoch for number, fold in folds.items()}, dict.fromkeys(numbers, 1)
    batch = PaneBatch()
    for block in store.rebuild(kind, numbers, now_us // US_PER_S, tree.segments):
        folds[block.partition].panes.load(block)
        batch.blocks.append(block)
        if len(batch) >= PANES_PER_INSERT:
            store.write_panes(kind.topic, epochs, flush, batch)
            batch = PaneBatch()
    if batch:
        store.write_panes(kind.topic, epochs, flush, batch)
    for fold in folds.values():
        fold.flush = 1
    return list(folds.values())
