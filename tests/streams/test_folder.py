"""The fold loop: where it reads from, what it writes in which order, and how it ends or goes on."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from contract.dossier import DOSSIER
from contract.fields import MAX_EVENT_BYTES
from contract.partition import partition_of
from contract.units import UnitTree
from streams.clock import ClockMode
from streams.folder import Folder, FolderSettings
from streams.inbox import Batch
from streams.partitioner import owner_of
from streams.patience import Patience
from streams.rows import EpochKey, Partition, Progress
from streams.store import StoreUnavailableError
from streams.tenure import CommitRefusedError, start_of
from tests.support.events import FakeRecord, at, dossier, recompute, record
from tests.support.memory_store import MemoryStore

NOW_S = 1_770_003_600
DAY_S = 86_400
TREE = UnitTree.from_csv("code,parent,kind,name_vi,name_en,valid_from,valid_to\n", "test")
HERE, THERE = Partition(DOSSIER.topic, 0), Partition(DOSSIER.topic, 1)
QUICK = FolderSettings(flush_interval_s=0.0, look_interval_s=0.01)


class RecordingStore(MemoryStore):
    """A store that notes its writes, and fails where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.errors: dict[str, list[Exception]] = {}

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if not (name.startswith("write_") or name in ("claim", "complete", "look_up", "flushed_offsets")):
            return found

        def noted(*args: Any) -> Any:
            self.calls.append(name)
            if waiting := self.errors.get(name):
                raise waiting[0] if len(waiting) == 1 else waiting.pop(0)
            return found(*args)

        return noted


class Group:
    """Kafka's side of commits; ``refuse`` is raised instead of accepting."""

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls
        self.committed: dict[Partition, int] = {}
        self.refuse: CommitRefusedError | None = None
        self.asked = 0

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        self.asked += 1
        if self.refuse is not None:
            raise self.refuse
        self.calls.append("commit")
        self.committed.update(offsets)


class Worker:
    """A folder on a store with a group, and what a test does with them."""

    def __init__(self, settings: FolderSettings = QUICK, patience_s: float = 5.0, partitions: int = 1) -> None:
        self.store = RecordingStore()
        self.group = Group(self.store.calls)
        self.folder = Folder(
            self.store,
            TREE,
            lambda: NOW_S * 1_000_000,
            ClockMode.WALL,
            Patience(patience_s),
            "test",
            owner_of({DOSSIER.topic: partitions}),
            settings,
        )

    async def assign(self, generation: int, *partitions: Partition) -> dict[Partition, int]:
        """Assign partitions with what the group has committed; everything is still there."""
        committed = {p: self.group.committed.get(p) for p in partitions}
        return await self.folder.assign(generation, committed, dict.fromkeys(partitions, 0), self.group.commit)

    async def fold(self, records: Sequence[FakeRecord], generation: int = 1) -> None:
        """Put one batch of the first partition and wait until it is acknowledged."""
        expected = self.folder.counts.events + len(records)
        await self.folder.put(Batch(HERE, generation, records))
        await until(lambda: self.folder.counts.events >= expected)

    def rates(self) -> dict[tuple[str, ...], tuple[int, ...]]:
        """All figures with a denominator."""
        return {r[:3]: r[3:] for r in self.store.sum_panes(NOW_S, None) if r.denominator}


async def until(condition: Callable[[], bool]) -> None:
    """Wait a few seconds at most."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is awaited is the state of the code, not an event
            await asyncio.sleep(0.002)


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator["asyncio.Task[None]"]:
    """The loop in a task; ends with the test."""
    task = asyncio.create_task(worker.folder.run())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def received(subject: str, version: int, channel: str = "online", **fields: Any) -> Any:
    """A dossier received an hour ago."""
    times = {"time": at(NOW_S), "received_at": at(NOW_S - 3600)}
    return dossier(subject, version, channel=channel, **{**times, **fields})


def log_of(*events: Any) -> list[FakeRecord]:
    """Records of events from offset 0."""
    return [record(offset, event) for offset, event in enumerate(events)]


# -- position -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("committed", "flushed", "earliest", "start"),
    [
        pytest.param(None, None, 0, 0, id="nothing known"),
        pytest.param(None, None, 7, 7, id="nothing known, old records gone"),
        pytest.param(20, None, 0, 0, id="store empty"),
        pytest.param(20, None, 7, 7, id="store empty, old records gone"),
        pytest.param(None, 19, 3, 3, id="commit lost"),
        pytest.param(20, 19, 0, 20, id="both agree"),
        pytest.param(15, 19, 0, 15, id="crashed before the commit"),
        pytest.param(20, 9, 0, 10, id="store restored from a back-up"),
        pytest.param(20, -1, 0, 0, id="store restored from before the first record"),
        pytest.param(20, 9, 12, 12, id="restored, and records gone in between"),
        pytest.param(5, 4, 12, 12, id="away for longer than the retention"),
    ],
)
def test_reading_starts_where_nothing_is_missed(
    committed: int | None, flushed: int | None, earliest: int, start: int
) -> None:
    """The smaller of Kafka's commit and what the store holds, and never before what still exists."""
    rv = start_of(committed, flushed, earliest)

    assert rv == start


def test_an_assignment_is_answered_with_the_starts() -> None:
    """Each partition starts by its own commit and its own progress in the store."""
    worker = Worker(partitions=2)
    worker.group.committed = {HERE: 8, THERE: 9}
    worker.store.progress.append(Progress(EpochKey(*HERE, 1), 1, 3, 0, ()))

    starts = asyncio.run(worker.assign(1, HERE, THERE))

    assert starts == {HERE: 4, THERE: 0}


# -- order ----------------------------------------------------------------------------------------------


def test_offsets_are_committed_after_everything_is_written() -> None:
    """Commit, claim, rebuild, complete; then look-up, letters, rows, panes, progress, commit."""
    worker = Worker()
    records = [*log_of(received("a", 1)), FakeRecord(1, b"b", b"{")]

    async def scenario() -> None:
        await worker.assign(1, HERE)
        async with running(worker):
            await worker.fold(records)  # at once: a memory that was filled meanwhile would need no look-up

    asyncio.run(scenario())

    assert worker.store.calls == [
        "flushed_offsets",
        "commit",
        "claim",
        "write_progress",
        "complete",
        "look_up",
        "write_dead_letters",
        "write_entities",
        "write_panes",
        "write_sources",
        "write_progress",
        "commit",
    ]
    assert worker.group.committed == {HERE: 2}


@pytest.mark.parametrize("write", ["write_entities", "write_panes", "write_dead_letters", "write_progress"])
def test_a_write_that_fails_leaves_nothing_acknowledged(write: str) -> None:
    """The error leaves the loop, and the next process reads the records again."""
    worker = Worker()

    async def scenario() -> None:
        await worker.assign(1, HERE)
        async with running(worker) as task:
            await until(lambda: worker.folder.epoch_of(HERE) is not None)
            worker.store.errors[write] = [OSError("disk full")]
            await worker.folder.put(Batch(HERE, 1, [*log_of(received("a", 1)), FakeRecord(1, b"b", b"{")]))
            async with asyncio.timeout(10):
                await task

    with pytest.raises(OSError, match="disk full"):
        asyncio.run(scenario())

    assert worker.group.committed == {HERE: 0}


def test_batches_of_an_older_generation_are_ignored() -> None:
    """What was fetched before a rebalance is fetched again afterwards, from the chosen start."""
    worker = Worker()

    async def scenario() -> None:
        await worker.assign(2, HERE)
        async with running(worker):
            await worker.folder.put(Batch(HERE, 1, log_of(received("old", 1))))
            await worker.fold(log_of(received("new", 1)), generation=2)

    asyncio.run(scenario())

    assert set(worker.store.rows["dossier"]) == {"new"}
    assert worker.folder.counts.events == 1


# -- refused commits, newer claims ----------------------------------------------------------------------


@pytest.mark.parametrize("when", ["at the take-over", "after a flush"])
def test_a_refused_commit_ends_the_loop(when: str) -> None:
    """Whoever was thought dead must not go on."""
    worker = Worker()
    refused = CommitRefusedError("unknown member", rebalancing=False)

    async def scenario() -> None:
        await worker.assign(1, HERE)
        if when == "at the take-over":
            worker.group.refuse = refused
        async with running(worker) as task:
            if when == "after a flush":
                await until(lambda: worker.folder.epoch_of(HERE) is not None)
                worker.group.refuse = refused
                await worker.folder.put(Batch(HERE, 1, log_of(received("a", 1))))
            async with asyncio.timeout(10):
                await task

    with pytest.raises(CommitRefusedError, match="unknown member"):
        asyncio.run(scenario())

    assert ("claim" in worker.store.calls) is (when == "after a flush")


def test_a_commit_refused_by_a_rebalance_waits_for_the_next_assignment() -> None:
    """The folds are dropped, nothing is asked any more; with the next assignment everything is read again."""
    worker = Worker()
    records = log_of(received("a", 1), received("b", 1))

    async def scenario() -> tuple[int, int]:
        await worker.assign(1, HERE)
        async with running(worker) as task:
            await until(lambda: worker.folder.epoch_of(HERE) is not None)
            worker.group.refuse = CommitRefusedError("rebalancing", rebalancing=True)
            await worker.folder.put(Batch(HERE, 1, records))
            await until(lambda: worker.folder.epoch_of(HERE) is None)
            before = worker.group.asked
            await asyncio.sleep(5 * QUICK.look_interval_s)
            after = worker.group.asked
            assert not task.done()
            worker.group.refuse = None
            starts = await worker.assign(2, HERE)
            assert starts == {HERE: 0}
            await worker.fold(records, generation=2)
        return before, after

    before, after = asyncio.run(scenario())

    assert before == after
    assert worker.group.committed == {HERE: 2}
    assert worker.rates()["unit:H19.01", "online", "all"] == (2, 2)


def test_an_owner_that_was_outclaimed_claims_anew() -> None:
    """A woken process has claimed after it: Kafka confirms the owner, who claims again and goes on."""
    worker = Worker()

    async def scenario() -> tuple[int, int]:
        await worker.assign(1, HERE)
        async with running(worker):
            await worker.fold(log_of(received("a", 1)))
            foreign = worker.store.claims[HERE] + 2**30
            worker.store.claim([EpochKey(*HERE, foreign)], "somebody else")
            await until(lambda: (worker.folder.epoch_of(HERE) or 0) > foreign)
            await worker.fold([record(1, received("b", 1))])
            return foreign, worker.folder.epoch_of(HERE) or 0

    foreign, epoch = asyncio.run(scenario())

    assert worker.store.completes[HERE] == epoch > foreign
    assert worker.rates()["unit:H19.01", "online", "all"] == (2, 2)


# -- a store that is away -------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["look_up", "write_entities", "write_panes", "write_progress"])
def test_a_store_that_is_away_for_a_while_is_asked_again(call: str) -> None:
    """The flush is done once the store is back, and counts once."""
    worker = Worker()

    async def scenario() -> None:
        await worker.assign(1, HERE)
        async with running(worker):
            if call != "look_up":  # which a memory that was filled meanwhile would not need
                await until(lambda: worker.folder.epoch_of(HERE) is not None)
            worker.store.errors[call] = [StoreUnavailableError("away")] * 3
            asyncio.get_running_loop().call_later(0.3, worker.store.errors.clear)
            await worker.fold(log_of(received("a", 1)))

    asyncio.run(scenario())

    assert worker.store.calls.count(call) > 1
    assert worker.rates()["unit:H19.01", "online", "all"] == (1, 1)
    assert worker.group.committed == {HERE: 1}


def test_past_the_patience_the_error_leaves_the_loop() -> None:
    """The supervisor starts the process again; nothing was acknowledged."""
    worker = Worker(patience_s=0.2)

    async def scenario() -> None:
        await worker.assign(1, HERE)
        async with running(worker) as task:
            await until(lambda: worker.folder.epoch_of(HERE) is not None)
            worker.store.errors["write_entities"] = [StoreUnavailableError("away")]
            await worker.folder.put(Batch(HERE, 1, log_of(received("a", 1))))
            async with asyncio.timeout(10):
                await task

    with pytest.raises(StoreUnavailableError, match="away"):
        asyncio.run(scenario())

    assert worker.group.committed == {HERE: 0}


# -- dead letters ---------------------------------------------------------------------------------------


def changed(subject: str, **envelope: Any) -> bytes:
    """An event with fields of the envelope or of its data replaced."""
    made = json.loads(record(0, received(subject, 1)).value or b"")
    data = envelope.pop("data", {})
    return json.dumps({**made, **envelope, "data": {**made["data"], **data}}).encode()


FAR_S = NOW_S + 2 * DAY_S
HOME = [s for s in "abcdefghijklmnop" if partition_of(s.encode(), 2) == 0]
STRAY = next(s for s in "abcdefghijklmnop" if partition_of(s.encode(), 2) == 1)
REFUSED = {
    "not JSON": (b"x", b"{not json", "not_json"),
    "unknown field": (b"x", changed("x", data={"applicant": "somebody"}), "invalid"),
    "time without offset": (b"x", changed("x", time="2026-02-01T08:00:00"), "invalid"),
    "version far ahead": (b"x", changed("x", version=FAR_S * 1_000_000), "future"),
    "time far ahead": (b"x", changed("x", time=at(FAR_S).isoformat()), "future"),
    "fact far ahead": (b"x", changed("x", data={"received_at": at(FAR_S).isoformat()}), "future"),
    "too large": (b"x", b"x" * (MAX_EVENT_BYTES + 1), "too_large"),
    "another key": (b"y", changed("x"), "key"),
    "no key": (None, changed("x"), "key"),
    "another partition": (STRAY.encode(), changed(STRAY), "partition"),
    "no value": (b"x", None, "empty"),
}


def test_bad_records_become_dead_letters_and_everything_else_goes_on() -> None:
    """Each lies with its place, reason and bytes; the good records around them are counted."""
    worker = Worker(partitions=2)
    records: list[FakeRecord] = []
    for number, (key, value, _) in enumerate(REFUSED.values()):
        records.append(FakeRecord(2 * number, key, value))
        records.append(record(2 * number + 1, received(HOME[0], number + 1)))

    async def scenario() -> None:
        await worker.assign(1, HERE, THERE)
        async with running(worker):
            await worker.fold(records)

    asyncio.run(scenario())

    found = {
        (d.topic, d.partition, d.offset): (d.reason, d.key, d.value, d.time_us) for d in worker.store.dead.values()
    }
    assert found == {
        (*HERE, 2 * number): (reason, key, value or b"", NOW_S * 1_000_000)
        for number, (key, value, reason) in enumerate(REFUSED.values())
    }
    assert all(d.error for d in worker.store.dead.values())
    assert worker.store.rows["dossier"][HOME[0]][0].version == len(REFUSED)
    assert worker.rates()["unit:H19.01", "online", "all"] == (1, 1)
    assert worker.group.committed[HERE] == len(records)


def test_a_dead_letter_at_the_end_does_not_hide_the_offset() -> None:
    """A batch of nothing but bad records is acknowledged too."""
    worker = Worker()

    async def scenario() -> None:
        await worker.assign(1, HERE)
        async with running(worker):
            await worker.fold([FakeRecord(0, b"x", None), FakeRecord(5, b"x", b"{")])

    asyncio.run(scenario())

    assert worker.group.committed == {HERE: 6}
    assert worker.store.flushed_offsets([HERE]) == {HERE: 5}


# -- sources, memory ------------------------------------------------------------------------------------


def test_sources_count_what_they_sent_and_what_was_old() -> None:
    """Ignored snapshots count within a flush and across flushes; the counts are absolute in the epoch."""
    worker = Worker()

    async def scenario() -> None:
        await worker.assign(1, HERE)
        async with running(worker):
            await worker.fold(log_of(received("a", 3), received("a", 2), received("b", 1)))
            await worker.fold([record(3, received("a", 3))])
            await worker.fold([record(4, received("a", 4))])
            await worker.fold([record(5, received("a", 1))])

    asyncio.run(scenario())

    counts = [(r.source, r.unit, r.events, r.ignored) for r in worker.store.source_rows]
    assert counts[0] == ("test", "H19.01", 3, 1)
    assert counts[-1] == ("test", "H19.01", 6, 3)
    assert worker.store.source_rows[-1].event_time_us == NOW_S * 1_000_000


@pytest.mark.parametrize("remembered", [0, 1, 2, 100])
def test_forgotten_entities_are_looked_up_again(remembered: int) -> None:
    """However few are remembered, the figures are those of the newest snapshots."""
    worker = Worker(FolderSettings(flush_interval_s=0.0, look_interval_s=0.01, remembered_entities=remembered))
    channels = ("online", "counter", "post")
    events = [
        received(subject, version * 1_000, channels[(version + ord(subject)) % 3], field="land")
        for version in (2, 1, 4, 3, 5)
        for subject in "abcdef"
    ]
    records = log_of(*events)

    async def scenario() -> None:
        await worker.assign(1, HERE)
        async with running(worker):
            for first in range(0, len(records), 4):
                await worker.fold(records[first : first + 4])

    asyncio.run(scenario())

    newest = [e for e in events if e.version == 5_000]
    assert worker.rates() == recompute(newest, TREE.scopes, NOW_S)


# -- what it tells ----------------------------------------------------------------------------------------


def test_it_is_ready_once_it_has_taken_over_and_counts_what_it_does() -> None:
    """Not before an assignment, nor before the rebuild; standing by without partitions it is."""
    worker, folder = (made := Worker()), made.folder
    ready = [folder.ready]

    async def scenario() -> None:
        await worker.assign(1, HERE)
        ready.append(folder.ready)
        async with running(worker):
            await worker.fold([*log_of(received("a", 1)), FakeRecord(1, b"b", b"{")])
            ready.append(folder.ready)
            await worker.assign(2)
            ready.append(folder.ready)

    asyncio.run(scenario())

    assert ready == [False, False, True, True]
    counts = folder.counts
    assert (counts.events, counts.flushes, counts.dead_letters) == (2, 1, 1)
    assert (counts.assignments, counts.takeovers, counts.contested, counts.refused_commits) == (2, 1, 0, 0)
    assert counts.write_s > 0


def test_it_says_what_it_was_given_and_lost() -> None:
    """Generation and partitions of the newest assignment; a commit refused by a rebalance takes all away."""
    worker, folder = (made := Worker(partitions=2)), made.folder
    told = [(folder.generation, folder.held)]

    async def scenario() -> None:
        await worker.assign(3, HERE, THERE)
        told.append((folder.generation, folder.held))
        await worker.assign(4, HERE)
        told.append((folder.generation, folder.held))
        async with running(worker):
            await until(lambda: folder.epoch_of(HERE) is not None)
            worker.group.refuse = CommitRefusedError("rebalancing", rebalancing=True)
            await folder.put(Batch(HERE, 4, log_of(received("a", 1))))
            await until(lambda: folder.epoch_of(HERE) is None)
            told.append((folder.generation, folder.held))

    asyncio.run(scenario())

    assert told == [(-1, frozenset()), (3, {HERE, THERE}), (4, {HERE}), (4, frozenset())]
    assert folder.counts.refused_commits == 1


@pytest.mark.parametrize(("most", "flushes"), [(100, 2), (2, 3)])
def test_batches_that_come_within_the_interval_are_one_flush(
    monkeypatch: pytest.MonkeyPatch, most: int, flushes: int
) -> None:
    """After a flush the next is gathered for a while, from all partitions; a bounded number of records at once."""
    worker = Worker(FolderSettings(flush_interval_s=3_600.0, look_interval_s=0.01, flush_events=most), partitions=2)
    mine, other = HOME[0], STRAY
    coming = [
        Batch(HERE, 1, [record(1, received(mine, 2))]),
        Batch(THERE, 1, [record(0, received(other, 1))]),
        Batch(HERE, 1, [record(2, received(mine, 3))]),
        Batch(THERE, 1, [record(1, received(other, 2))]),
    ]
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def gather(seconds: float) -> None:
        if seconds < 60:
            await sleep(seconds)
            return
        pauses.append(seconds)
        while coming:
            await worker.folder.put(coming.pop(0))

    monkeypatch.setattr(asyncio, "sleep", gather)

    async def scenario() -> None:
        await worker.assign(1, HERE, THERE)
        async with running(worker):
            await worker.fold(log_of(received(mine, 1)))
            await worker.folder.put(coming.pop(0))
            await until(lambda: worker.folder.counts.events == 5)

    asyncio.run(scenario())

    assert worker.folder.counts.flushes == flushes
    assert all(3_000 < pause <= 3_600 for pause in pauses)
    assert worker.group.committed == {HERE: 3, THERE: 2}
    assert worker.rates()["unit:H19.01", "online", "all"] == (2, 2)


def test_a_flush_of_old_news_writes_no_entities() -> None:
    """It moves the offset, and the batch of entity rows that stays empty is not sent."""
    worker = Worker()
    first, again = log_of(received("a", 1), received("a", 1))

    async def scenario() -> None:
        await worker.assign(1, HERE)
        async with running(worker):
            await worker.fold([first])
            worker.store.calls.clear()
            await worker.fold([again])

    asyncio.run(scenario())

    assert "write_progress" in worker.store.calls
    assert "write_entities" not in worker.store.calls
    assert worker.group.committed == {HERE: 2}


def test_resting_ends_with_a_stored_flush() -> None:
    """One that was stored before counts, once; the least is waited for in any case, the most if nothing comes."""
    worker = Worker()

    async def rested_s(least_s: float, most_s: float) -> float:
        began_s = asyncio.get_running_loop().time()
        await worker.folder.rest(least_s, most_s)
        return asyncio.get_running_loop().time() - began_s

    async def scenario() -> list[float]:
        await worker.assign(1, HERE)
        async with running(worker):
            await worker.fold(log_of(received("a", 1)))
            return [await rested_s(0.05, 60.0), await rested_s(0.0, 0.1)]

    after_flush_s, without_s = asyncio.run(scenario())

    assert 0.04 < after_flush_s < 30.0
    assert without_s > 0.09
