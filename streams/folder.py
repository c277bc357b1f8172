"""The fold loop of one worker: batches in, rows, panes and commits out. Everything waiting is one flush."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from secrets import randbits

import structlog

from contract.decode import Horizon
from contract.kind import Kind
from contract.registry import KIND_OF_TOPIC, KINDS
from contract.units import UnitTree
from streams.clock import US_PER_S, ClockMode, Now
from streams.counts import FoldCounts
from streams.flush import Flush, write_flush
from streams.fold import EpochContestedError, PartitionFold
from streams.inbox import Batch, Inbox
from streams.intake import Intake, take_in
from streams.partitioner import Owners
from streams.patience import Patience
from streams.recall import Recall
from streams.rows import EntityBatch, Partition
from streams.store import FoldStore
from streams.tenure import Commit, CommitRefusedError, rebuild, start_of

__all__ = ["Folder", "FolderSettings"]

log = structlog.get_logger()


@dataclass(frozen=True)
class FolderSettings:
    """Bounds of the fold loop; seconds and counts."""

    flush_interval_s: float = 0.2
    flush_events: int = 60_000
    inbox_records: int = 60_000
    remembered_entities: int = 200_000
    look_interval_s: float = 1.0


class Folder:
    """One worker's fold over all its partitions.

    Kafka's side calls :meth:`assign` and :meth:`put`; :meth:`run` is the loop. While one flush is written, the
    next is decoded and folded; two are never written at once. An error that leaves :meth:`run` must end the
    process: nothing unwritten was acknowledged.
    """

    def __init__(
        self,
        store: FoldStore,
        tree: UnitTree,
        wall_us: Now,
        mode: ClockMode,
        patience: Patience,
        owner: str,
        owner_of: Callable[[Partition], Owners],
        settings: FolderSettings = FolderSettings(),
    ) -> None:
        self._store = store
        self._tree = tree
        self._wall_us = wall_us
        self._mode = mode
        self._patience = patience
        self._owner = owner
        self._owner_of = owner_of
        self._settings = settings
        self._inbox = Inbox(settings.inbox_records)
        self._lock = asyncio.Lock()
        self._folds: dict[Partition, PartitionFold] = {}
        self._positions: dict[Partition, int] = {}
        self._generation = -1
        self._commit: Commit | None = None
        self._writing: asyncio.Task[None] | None = None
        self._looked_s = -settings.look_interval_s
        self._recall: Recall | None = None
        self._stored = asyncio.Event()
        self.counts = FoldCounts()
        self.rebuilding = False

    # -- Kafka's side ---------------------------------------------------------------------------------

    async def assign(
        self,
        generation: int,
        committed: Mapping[Partition, int | None],
        earliest: Mapping[Partition, int],
        commit: Commit,
    ) -> dict[Partition, int]:
        """Take note of a new assignment; return where to read each partition from. The rebuild comes later."""
        async with self._lock:
            if self._writing is not None:
                await asyncio.wait([self._writing])
                error = self._writing.exception()
                if isinstance(error, CommitRefusedError) and error.rebalancing:
                    self._writing = None  # of the assignment before; any other error is the loop's to raise
            self._folds, self._recall = {}, None
            flushed = await self._patience.call(self._store.flushed_offsets, list(committed))
            self._positions = {p: start_of(committed[p], flushed.get(p), earliest[p]) for p in committed}
            self._generation = generation
            self._commit = commit
            self.counts.assignments += 1
            if not self._inbox.full():  # wake the loop
                self._inbox.put_nowait(Batch(Partition("", 0), generation, ()))
            return dict(self._positions)

    async def put(self, batch: Batch) -> None:
        """Queue a batch; waits while the inbox is full, which stops the fetching."""
        await self._inbox.put(batch)

    def epoch_of(self, partition: Partition) -> int | None:
        """Epoch in which this worker holds the partition, or None while it does not (yet)."""
        fold = self._folds.get(partition)
        return None if fold is None else fold.key.epoch

    @property
    def generation(self) -> int:
        """Of the consumer group, in which this worker was last given partitions; -1 before."""
        return self._generation

    @property
    def held(self) -> frozenset[Partition]:
        """Partitions that this worker was given and has not lost; may be asked from any thread."""
        return frozenset(self._positions)

    @property
    def ready(self) -> bool:
        """Whether it folds what it was given, or stands by without; False before the first assignment."""
        return self._generation >= 0 and not self.rebuilding and self._folds.keys() == self._positions.keys()

    # -- the loop -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Take over what is assigned, fold what arrives, look around when idle. Ends only by an error."""
        loop = asyncio.get_running_loop()
        waiting: list[Batch] = []
        last = 0.0
        while True:
            await self._gather(waiting, last)
            last = loop.time()
            async with self._lock:
                current = [b for b in waiting if b.generation == self._generation and b.records]
                waiting.clear()
                try:
                    await self._turn(current)
                except CommitRefusedError as error:
                    if not error.rebalancing:
                        raise
                    self.counts.refused_commits += 1
                    log.info("commit refused during a rebalance; waiting for the next assignment")
                    self._folds, self._positions, self._recall = {}, {}, None

    async def _gather(self, waiting: list[Batch], last: float) -> None:
        """Wait for a batch (or the time to look around), then take everything that is waiting."""
        loop, settings = asyncio.get_running_loop(), self._settings
        try:
            async with asyncio.timeout(settings.look_interval_s if self._recall is None else 0.0):
                waiting.append(await self._inbox.get())
        except TimeoutError:
            return
        pause = last + settings.flush_interval_s - loop.time()
        if pause > 0 and not self._inbox.full():
            await asyncio.sleep(pause)
        count = sum(len(b.records) for b in waiting)
        while count < settings.flush_events and not self._inbox.empty():
            waiting.append(self._inbox.get_nowait())
            count += len(waiting[-1].records)

    async def _turn(self, batches: Sequence[Batch]) -> None:
        if not self._positions:
            await self.settle()
            return
        if not self._folds:
            await self._take_over()
        while batches:
            try:
                flush = await self._fold_all(batches)
            except EpochContestedError as error:
                await self._contested(error)
                continue
            await self.settle()
            self._forget()
            self._writing = asyncio.create_task(self._store_flush(flush))
            break
        else:
            await self.settle()
        await self._remember()
        if await self._outclaimed():
            log.warning("a newer claim exists; asking Kafka who owns the partitions")
            await self._take_over()

    async def _remember(self) -> None:
        """Fill the memories a little further."""
        if self._recall is None:
            return
        try:
            await self._recall.step()
        except EpochContestedError as error:
            await self._contested(error)
            return
        if self._recall.done:
            self._recall = None
            log.info("memory filled", entities=sum(len(fold.memory) for fold in self._folds.values()))

    async def _contested(self, error: EpochContestedError) -> None:
        self.counts.contested += 1
        log.warning("epoch contested, rebuilding", reason=str(error))
        await self._take_over()

    async def rest(self, least_s: float, most_s: float) -> None:
        """Wait until a flush is stored, so long at least and at most; one stored since the last call counts."""
        await asyncio.sleep(least_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(most_s - least_s):
                await self._stored.wait()
        self._stored.clear()

    async def settle(self) -> None:
        """Wait until everything folded so far is stored and acknowledged; raises what went wrong with it."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing

    async def _take_over(self) -> None:
        """Have Kafka confirm the ownership, then claim and rebuild; raises CommitRefusedError if it does not."""
        await self.settle()
        if self._commit is None:
            return
        await self._commit(self._positions)
        loop = asyncio.get_running_loop()
        began_s, self.rebuilding = loop.time(), True
        try:
            folds = await self._patience.call(
                rebuild,
                self._store,
                dict(self._positions),
                self._tree,
                self._wall_us,
                self._mode,
                randbits,
                self._owner,
                self._owner_of,
            )
        finally:
            self.rebuilding = False
        self.counts.takeovers += 1
        self.counts.takeover_s += loop.time() - began_s
        self._folds = {fold.partition: fold for fold in folds}
        self._recall = Recall(self._store, self._patience, self._folds)

    async def _outclaimed(self) -> bool:
        """Look at the newest claims (rule 3), once a second also under load: a look costs as much as an insert."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._looked_s < self._settings.look_interval_s:
            return False
        self._looked_s = now_s
        claims = await self._patience.call(self._store.newest_claims, list(self._folds))
        return any(claims.get(p, 0) > fold.key.epoch for p, fold in self._folds.items())

    # -- one flush ------------------------------------------------------------------------------------

    async def _fold_all(self, batches: Sequence[Batch]) -> Flush:
        """Fold everything in memory; the store is only read."""
        wall_us = self._wall_us()
        horizon = Horizon(wall_us)
        intakes: dict[Partition, Intake] = {}
        for batch in batches:
            intake = intakes.setdefault(batch.partition, Intake())
            take_in(intake, KIND_OF_TOPIC[batch.partition.topic], batch.partition, batch.records, horizon)
            await asyncio.sleep(0)  # the commit of the flush before, and Faust, want their turn
        flush = Flush()
        for kind in KINDS:
            mine = {p: i for p, i in intakes.items() if p.topic == kind.topic}
            if mine:
                await self._fold(kind, mine, flush, wall_us)
        return flush

    async def _fold(self, kind: Kind, intakes: Mapping[Partition, Intake], flush: Flush, wall_us: int) -> None:
        missing = [i for p, intake in intakes.items() for i in self._folds[p].missing(intake)]
        stored = await self._patience.call(self._store.look_up, kind, missing) if missing else {}
        for partition, intake in intakes.items():
            self._folds[partition].check({i: row for i in intake.newest if (row := stored.get(i)) is not None})
        batch = EntityBatch(kind)
        for partition, intake in intakes.items():
            fold = self._folds[partition]
            fold.tick(intake)
            now_s = (wall_us if self._mode is ClockMode.WALL else fold.clock_us) // US_PER_S
            fold.apply(intake, stored, batch, now_s, wall_us)
            flush.take(fold, intake, wall_us)
            fold.panes.drop_outdated(now_s)
        if batch.events:
            flush.entities.append(self._store.entities_ready(batch))

    def _forget(self) -> None:
        """Bound the memory for entities. Only what is stored may go: the flush just folded is the newest part."""
        most = self._settings.remembered_entities // max(1, len(self._folds))
        for fold in self._folds.values():
            fold.evict(most)

    async def _store_flush(self, flush: Flush) -> None:
        """Store, then acknowledge."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await self._patience.call(write_flush, self._store, flush)
        written_s = loop.time() - began_s
        self._stored.set()
        self._positions.update(flush.ends)
        if self._commit is not None:
            await self._commit(flush.ends)
        self.counts.flushed(flush.records, len(flush.dead), written_s)
