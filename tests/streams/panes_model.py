"""A random model of what surrounds the fold: kills, zombies, late inserts, refused commits, restored stores.

The parts are the real ones: ``Folder.run`` with ``rebuild`` and ``PartitionFold`` beneath it, on the store in
memory. Only what waits is replaced, so that a schedule decides who goes on: between any two calls of the
store, and before and after every commit, everything else may happen. A blocking function of several calls
(``rebuild``, ``_write``) is repeated with the answers it already had, up to its next call.
"""

import asyncio
import copy
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import cache, partial
from secrets import randbits
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast
from unittest.mock import Mock, patch

from contract.dossier import DOSSIER
from contract.partition import partition_of
from contract.units import UnitTree
from contract.windows import floor_to, levels_kept
from streams import folder as folder_module
from streams import tenure
from streams.clock import ClockMode
from streams.fold import PartitionFold
from streams.folder import Folder, FolderSettings
from streams.inbox import Batch
from streams.intake import content_hash
from streams.partitioner import owner_of
from streams.patience import Patience
from streams.rows import EntityBatch, Partition
from streams.store import FoldStore, StoreUnavailableError
from streams.tenure import CommitRefusedError
from tests.support.events import FakeRecord, at, dossier, record
from tests.support.events import recompute as recomputed
from tests.support.memory_store import MemoryStore

__all__ = ["Rules", "Verdict", "schedule", "switched"]

P = ParamSpec("P")
R = TypeVar("R")

NOW_S = 1_770_003_600  # 2026-02-02
HOUR_S = 3_600
TREE = UnitTree.from_csv("code,parent,kind,name_vi,name_en,valid_from,valid_to\n", "the model")
SUBJECTS = "abcdef"

CHAOS_STEPS = 260
SETTLE_STEPS = 5_000
"""A schedule that still moves after so many steps without any trouble never comes to rest."""
LOOKED_JUST_NOW = 0.3
"""Share of the turns in which an owner under load does not look at the claims."""
PASSES = 2
"""Rounds of the event loop after each step: from the call to the task that waits for it."""


@dataclass(frozen=True)
class Rules:
    """What makes the fold exact; False switches a rule off."""

    epochs: bool = True
    late_inserts_seen: bool = True
    owner_reasserts: bool = True
    position_from_store: bool = True
    commit_before_claim: bool = True


class Verdict(Enum):
    """How a schedule ended."""

    RIGHT = "right"
    WRONG = "wrong"
    UNSETTLED = "unsettled"


_EVENTS: dict[bytes, Any] = {}
"""Every event ever sent, by its record's value."""


class _Pause(BaseException):
    """The blocking function has done one call; it goes on when the schedule says so."""


class _Journal:
    """The answers that one blocking function has had so far, for its repetition."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.rewind()

    def rewind(self) -> None:
        """Begin the function again."""
        self._next, self._called = 0, False

    def answer(self, call: Callable[[], Any], *, waits: bool) -> Any:
        """Return the next answer, asking only once; ``waits``: something else may happen before."""
        if self._next == len(self.answers):
            if waits and self._called:
                raise _Pause
            self._called |= waits
            self.answers.append(call())
        self._next += 1
        return self.answers[self._next - 1]


class _SteppingStore:
    """The store as one worker's blocking functions call it: one new call at a time, answers so far repeated."""

    def __init__(self, world: "_World") -> None:
        self._world = world
        self.journal = _Journal()

    def entities_ready(self, batch: EntityBatch) -> Callable[[], None]:
        """Nothing is asked of the store before they are written."""
        return partial(self.write_entities, batch)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args: self.journal.answer(partial(self._world.store_call, name, args), waits=True)

    def randbits(self, bits: int) -> int:
        """Random bits, the same when the function is repeated."""
        return cast(int, self.journal.answer(partial(self._world.chance.getrandbits, bits), waits=False))


class _SteppingPatience(Patience):
    """Pauses before each call of the store; repeats a function that found the store away."""

    def __init__(self, worker: "_Worker", store: _SteppingStore) -> None:
        super().__init__(1)
        self._worker, self._store = worker, store

    async def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        args = cast(Any, tuple(self._store.randbits if a is randbits else a for a in args))
        journal = _Journal()
        while True:
            await self._worker.pause()
            journal.rewind()
            self._store.journal = journal
            try:
                return function(*args, **kwargs)
            except _Pause:
                continue
            except StoreUnavailableError:
                journal = _Journal()


class _SteppingFolder(Folder):
    """A folder that takes what is there instead of waiting for it."""

    looks = 0
    worker: "_Worker"

    async def _gather(self, waiting: list[Batch], last: float) -> None:  # noqa: ARG002 - time stands still
        self.looks += 1
        await self.worker.pause()
        for _ in range(self.worker.world.chance.randrange(4)):
            if self._inbox.empty():
                break
            waiting.append(self._inbox.get_nowait())

    async def _take_over(self) -> None:
        if self.worker.world.rules.commit_before_claim:
            await super()._take_over()
            return
        commit, self._commit = self._commit, _unasked
        try:
            await super()._take_over()
        finally:
            self._commit = commit

    async def _outclaimed(self) -> bool:
        world = self.worker.world
        if not world.rules.owner_reasserts or (world.trouble and world.chance.random() < LOOKED_JUST_NOW):
            return False
        return await super()._outclaimed()


async def _unasked(offsets: Mapping[Partition, int]) -> None:
    """Commits nothing and asks nobody."""


class _News(NamedTuple):
    """An assignment that a worker has not heard of yet."""

    generation: int
    partitions: list[Partition]
    committed: dict[Partition, int | None] | None
    """As read when the group was rebalanced; None: read when the worker hears of it."""


class _Worker:
    """One process: the real fold loop, and what Kafka's client does beside it."""

    def __init__(self, world: "_World") -> None:
        self.world = world
        store = _SteppingStore(world)
        self.folder = _SteppingFolder(
            cast(FoldStore, store),
            TREE,
            lambda: NOW_S * 1_000_000,
            world.mode,
            _SteppingPatience(self, store),
            "model",
            owner_of({DOSSIER.topic: len(world.logs)}),
            FolderSettings(
                inbox_records=8, remembered_entities=world.chance.choice((0, 2, 100)), look_interval_s=0.0
            ),
        )
        self.folder.worker = self
        self.tasks = [asyncio.create_task(self.folder.run())]
        self.gates: list[asyncio.Future[None]] = []
        self.news: _News | None = None
        self.generation = -1
        self.positions: dict[Partition, int] = {}
        self.asleep = 0
        """So many turns pass before the stopped process goes on."""

    async def pause(self) -> None:
        """Wait until the schedule says that this process goes on here."""
        gate = asyncio.get_running_loop().create_future()
        self.gates.append(gate)
        await gate

    def step(self) -> None:
        """Hear of an assignment, fetch, and go on at one of the places that wait."""
        if self.news is not None and all(task.done() for task in self.tasks[1:]):
            news, self.news = self.news, None
            self.tasks.append(asyncio.create_task(self._hear(news)))
        self._fetch()
        if self.gates:
            self.gates.pop(self.world.chance.randrange(len(self.gates))).set_result(None)

    def ended(self) -> bool:
        """Tell whether the process has ended by a refused commit; any other error is the model's to raise."""
        for task in self.tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                if not isinstance(error, CommitRefusedError) or error.rebalancing:
                    raise error
                return True
        return False

    def busy(self) -> bool:
        """Tell whether the process is in the midst of something."""
        return self.folder._lock.locked() or self.folder._writing is not None

    def at_rest(self) -> bool:
        """Tell whether nothing more can come of this process by itself."""
        return (
            self.asleep == 0
            and self.news is None
            and not self.busy()
            and all(task.done() for task in self.tasks[1:])
            and self.folder._inbox.empty()
            and all(offset == self.world.ends[p] for p, offset in self.positions.items())
        )

    async def _hear(self, news: _News) -> None:
        self.positions = {}
        world = self.world
        committed = world.committed if news.committed is None else news.committed
        starts = await self.folder.assign(
            news.generation,
            {p: committed[p] for p in news.partitions},
            dict.fromkeys(news.partitions, 0),
            partial(world.commit, self),
        )
        self.generation, self.positions = news.generation, starts

    def _fetch(self) -> None:
        chance, inbox = self.world.chance, self.folder._inbox
        for p, offset in self.positions.items():
            end = min(self.world.ends[p], offset + chance.randrange(5))
            if end > offset and not inbox.full():
                inbox.put_nowait(Batch(p, self.generation, self.world.logs[p][offset:end]))
                self.positions[p] = end


class _World:
    """Kafka, the store, all processes, and what befalls them."""

    def __init__(self, seed: int, rules: Rules, *, restore: bool) -> None:
        self.chance = chance = random.Random(seed)
        self.rules = rules
        self.mode = chance.choice((ClockMode.WALL, ClockMode.WALL, ClockMode.EVENT))
        self.store = MemoryStore()
        self.logs = _random_logs(chance)
        self.ends = dict.fromkeys(self.logs, 0)
        self.committed: dict[Partition, int | None] = dict.fromkeys(self.logs)
        self.owners: dict[Partition, _Worker] = {}
        self.members: set[_Worker] = set()
        self.live: list[_Worker] = []
        self.all: list[_Worker] = []
        self.late: list[Callable[[], None]] = []
        self.generation = 0
        self.trouble = True
        self.moves = 0
        self.backup_at = chance.randrange(10, 120) if restore else -1
        self.restore_at = chance.randrange(self.backup_at + 1, CHAOS_STEPS) if restore else -1

    # -- what the processes see -----------------------------------------------------------------------

    def store_call(self, name: str, args: tuple[Any, ...]) -> Any:
        """Do one call of the store; when it fails, it was not done, was done, or will be done some time later."""
        function = getattr(self.store, name)
        writes = name.startswith("write_") or name in ("claim", "complete")
        self.moves += writes
        if self.trouble and self.chance.random() < 0.02:
            done = self.chance.randrange(3)
            if writes and done == 1:
                function(*args)
            elif writes and done == 2:
                self.late.append(partial(function, *args))
            raise StoreUnavailableError("a moment, please")
        return function(*args)

    async def commit(self, worker: _Worker, offsets: Mapping[Partition, int]) -> None:
        """Accept a commit from the owner of all its partitions, and from nobody else."""
        await worker.pause()
        self.moves += 1
        if any(self.owners.get(p) is not worker for p in offsets):
            await worker.pause()
            raise CommitRefusedError("not yours", rebalancing=self.chance.random() < 0.5)
        if self.trouble and self.chance.random() < 0.02:
            self._rebalance()
            raise CommitRefusedError("the group is being rebalanced", rebalancing=True)
        self.committed.update(offsets)
        await worker.pause()

    # -- what befalls them ----------------------------------------------------------------------------

    async def run(self) -> Verdict:
        """Go through all the trouble, then wait until everything rests, and judge."""
        chance = self.chance
        self._give(self._start(), self.logs)
        backup = self.store
        for step in range(CHAOS_STEPS):
            if step == self.backup_at:
                backup = copy.deepcopy(self.store)
            if step == self.restore_at:
                self._restore(backup)
            if chance.random() < 0.04:
                self._befall()
            if chance.random() < 0.1:
                self._heal()
            self._send()
            await self._step()
        self.trouble = False
        for worker in self.live:
            worker.asleep = min(worker.asleep, 5)
        self.ends = {p: len(log) for p, log in self.logs.items()}
        settled = await self._settle()
        for task in self.tasks():
            task.cancel()
        await asyncio.gather(*self.tasks(), return_exceptions=True)
        if not settled:
            return Verdict.UNSETTLED
        return Verdict.RIGHT if self._right() else Verdict.WRONG

    def _send(self) -> None:
        for p, log in self.logs.items():
            if self.chance.random() < 0.05:
                self.ends[p] = min(len(log), self.ends[p] + self.chance.randrange(6))

    def tasks(self) -> list[asyncio.Task[Any]]:
        """Everything that was ever begun, also by processes that are gone."""
        writing = [w.folder._writing for w in self.all if w.folder._writing is not None]
        return [task for worker in self.all for task in worker.tasks] + writing

    async def _step(self) -> None:
        chance = self.chance
        if self.late and chance.random() < 0.05:
            self.moves += 1
            self.late.pop(chance.randrange(len(self.late)))()
        owner = self.owners[chance.choice(list(self.owners))]
        worker = owner if owner in self.live and chance.random() < 0.6 else chance.choice(self.live or [None])
        if worker is None:
            return
        if worker.asleep > 0:
            worker.asleep -= 1
            return
        worker.step()
        for _ in range(PASSES):
            await asyncio.sleep(0)
        if worker.ended():
            self._bury(worker)
        elif self.trouble and worker.busy() and chance.random() < 0.03:
            # Stopped in the midst of something, for longer than Kafka waits.
            worker.asleep = chance.randrange(2, 40)
            self.members.discard(worker)
            self._heal()

    def _befall(self) -> None:
        chance = self.chance
        what = chance.randrange(3)
        if what == 0 and self.live:  # a rebalance, in which somebody who may have been away takes something
            self._give(chance.choice(self.live), self._some_partitions())
            return
        if what == 1 and self.live:
            self._bury(chance.choice(self.live))
        given = self._some_partitions()
        for p in given:
            if chance.random() < 0.6:  # stopped for too long: no member any more, and does not know
                self.members.discard(self.owners[p])
        self._give(self._start(), given)

    def _some_partitions(self) -> list[Partition]:
        partitions = list(self.logs)
        return self.chance.sample(partitions, self.chance.randint(1, len(partitions)))

    def _heal(self) -> None:
        """Kafka notices members that are gone; supervisors start new processes."""
        orphans = [p for p, owner in self.owners.items() if owner not in self.members]
        if orphans:
            members = [w for w in self.live if w in self.members]
            self._give(self.chance.choice(members) if members else self._start(), orphans)

    def _restore(self, backup: MemoryStore) -> None:
        """Stop everything, put the back-up in place, start again. Kafka knows nothing of it."""
        for worker in list(self.live):
            self._bury(worker)
        self.late.clear()
        self.store = backup
        self._give(self._start(), self.logs)

    async def _settle(self) -> bool:
        moves, since = -1, dict[_Worker, int]()
        for _ in range(SETTLE_STEPS):
            self._heal()
            await self._step()
            if self.moves != moves or not all(w in since for w in self.live):
                moves, since = self.moves, {w: w.folder.looks for w in self.live}
            elif not self.late and all(w.at_rest() and w.folder.looks > since[w] + 2 for w in self.live):
                return True
        return False

    def _start(self) -> _Worker:
        worker = _Worker(self)
        self.live.append(worker)
        self.all.append(worker)
        return worker

    def _bury(self, worker: _Worker) -> None:
        self.live.remove(worker)
        self.members.discard(worker)

    def _give(self, worker: _Worker, partitions: Iterable[Partition]) -> None:
        self.members.add(worker)
        self.owners.update(dict.fromkeys(partitions, worker))
        for p, owner in self.owners.items():
            if owner not in self.members:
                self.owners[p] = worker
        self._rebalance()

    def _rebalance(self) -> None:
        self.generation += 1
        for worker in self.live:
            if worker in self.members:
                mine = [p for p, owner in self.owners.items() if owner is worker]
                early = dict(self.committed) if self.chance.random() < 0.5 else None
                worker.news = _News(self.generation, mine, early)

    # -- the verdict ----------------------------------------------------------------------------------

    def _right(self) -> bool:
        newest = _newest(self.logs)
        now_s = NOW_S
        if self.mode is ClockMode.EVENT:
            now_s = self.store.changes({}).clock_us // 1_000_000
        summed = {r[:3]: r[3:] for r in self.store.sum_panes(now_s, None) if r.denominator}
        if summed != recomputed([e for _, e in newest], TREE.scopes, now_s):
            return False
        # By the events' clock a minute is kept or not depending on when it was counted; what is read agrees.
        return self.mode is ClockMode.EVENT or self._panes() == _panes_of(newest)

    def _panes(self) -> dict[tuple[Any, ...], tuple[int, int]]:
        current = self.store.completes
        return {
            (partition, *key): (good, count)
            for (topic, partition, epoch, *key), (_, good, count) in self.store.panes.items()
            if current[Partition(topic, partition)] == epoch and (good or count)
        }


@cache
def _value(subject: str, version: int, variant: int) -> bytes:
    received = at(NOW_S - (variant % 3) * 13 * HOUR_S - 60)
    finished = at(NOW_S - (variant % 2) * 26 * HOUR_S)
    choices: list[dict[str, Any]] = [
        {"status": "processing", "received_at": received},
        {"status": "accepted", "received_at": received, "channel": "counter"},
        {"status": "processing", "due_at": received},
        {"status": "completed", "finished_at": finished, "due_at": at(NOW_S - HOUR_S)},
        {"status": "void"},
    ]
    fields = choices[variant % 5]
    event = dossier(subject, version * 1_000_000, time=at(NOW_S - 30 * HOUR_S + version * HOUR_S), **fields)
    value = record(0, event).value
    assert value is not None
    _EVENTS[value] = event
    return value


def _random_logs(chance: random.Random) -> dict[Partition, list[FakeRecord]]:
    """Snapshots of a few entities with repeats, changes of order, and ties of version."""
    partitions = chance.choice((1, 1, 2))
    subjects = SUBJECTS[: chance.randint(1, len(SUBJECTS))]
    sent: list[tuple[str, int, int]] = []
    version = dict.fromkeys(subjects, 0)
    for _ in range(chance.randint(5, 30)):
        if sent and chance.random() < 0.2:
            sent.append(chance.choice(sent))
            continue
        subject = chance.choice(subjects)
        version[subject] += chance.random() < 0.8
        sent.append((subject, version[subject], chance.randrange(30)))
    for _ in range(6):
        a, b = chance.randrange(len(sent)), chance.randrange(len(sent))
        sent[a], sent[b] = sent[b], sent[a]
    logs: dict[Partition, list[FakeRecord]] = {Partition(DOSSIER.topic, n): [] for n in range(partitions)}
    for subject, *rest in sent:
        key = subject.encode()
        log = logs[Partition(DOSSIER.topic, partition_of(key, partitions))]
        log.append(FakeRecord(len(log), key, _value(subject, *rest)))
    return logs


def _newest(logs: Mapping[Partition, list[FakeRecord]]) -> list[tuple[int, Any]]:
    """(partition number, newest event) of each entity, by version and content."""
    best: dict[str, tuple[tuple[int, int], int, Any]] = {}
    for p, log in logs.items():
        for r in log:
            assert r.value is not None
            event = _EVENTS[r.value]
            rank = (event.version, content_hash(r.value))
            if event.subject not in best or rank > best[event.subject][0]:
                best[event.subject] = (rank, p.partition, event)
    return [(partition, event) for _, partition, event in best.values()]


def _panes_of(newest: Iterable[tuple[int, Any]]) -> dict[tuple[Any, ...], tuple[int, int]]:
    sums: dict[tuple[Any, ...], tuple[int, int]] = {}
    for partition, event in newest:
        for indicator in DOSSIER.marked:
            assert indicator.mark is not None
            mark = indicator.mark(event.data)
            if mark is None:
                continue
            for scope in TREE.scopes(event.data.unit, event.data.field, mark.at_s):
                for level in levels_kept(mark.at_s, NOW_S):
                    key = (partition, scope, indicator.key, int(level), floor_to(level, mark.at_s))
                    good, count = sums.get(key, (0, 0))
                    sums[key] = (good + mark.good, count + 1)
    return sums


def _committed_only(committed: int | None, flushed: int | None, earliest: int) -> int:  # noqa: ARG001
    return earliest if committed is None else committed


@contextmanager
def switched(rules: Rules) -> Iterator[None]:
    """Put the model's world around the code, without the rules that are switched off."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(folder_module, "log", Mock()))
        stack.enter_context(patch.object(tenure, "log", Mock()))
        stack.enter_context(patch.object(tenure, "PANES_PER_INSERT", 3))
        if not rules.epochs:
            stack.enter_context(patch.object(tenure, "next_epoch", lambda *_: 1))
        if not rules.late_inserts_seen:
            stack.enter_context(patch.object(PartitionFold, "check", lambda *_: None))
        if not rules.position_from_store:
            stack.enter_context(patch.object(folder_module, "start_of", _committed_only))
        yield


async def schedule(seed: int, rules: Rules, *, restore: bool) -> Verdict:
    """Run one schedule; the same seed gives the same one. Call inside :func:`switched`."""
    return await _World(seed, rules, restore=restore).run()
