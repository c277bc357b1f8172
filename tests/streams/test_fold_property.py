"""The whole of fold, panes and roll against a recomputation from the newest snapshots."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.partition import partition_of
from contract.units import UnitTree
from streams.clock import ClockMode
from streams.folder import Folder
from streams.inbox import Batch
from streams.intake import content_hash
from streams.partitioner import owner_of
from streams.patience import Patience
from streams.roll import Roll
from streams.rows import Partition
from tests.support.events import FakeRecord, at, dossier, recompute, record
from tests.support.memory_store import MemoryStore

DAY = 86_400
BASE = 1_770_000_000  # 2026-02-02
TOPIC = "nhip.dossiers"
TREE = UnitTree.from_csv(
    "code,parent,kind,name_vi,name_en,valid_from,valid_to\n"
    "75,,province,Đồng Nai,Dong Nai,2025-07-01,\n"
    "H19.01,75,department,Sở A,Department A,2025-07-01,\n"
    "25195,75,ward,Phường B,Ward B,2025-07-01,2026-01-31\n"
    "25195,79,ward,Phường B,Ward B,2026-02-01,\n"
    "79,,province,Tỉnh C,Province C,2025-07-01,\n",
    "test",
)

facts = st.none() | st.integers(BASE - 40 * DAY, BASE + DAY).map(at)
plans = st.none() | st.integers(BASE - 40 * DAY, BASE + 3 * DAY).map(at)
snapshots = st.builds(
    dossier,
    subject=st.sampled_from(["a", "b", "c", "d", "e"]),
    version=st.integers(1, 6).map(lambda n: (BASE + n) * 1_000_000),
    unit=st.sampled_from(["H19.01", "25195", "unknown", "75"]),
    field=st.sampled_from([None, "land"]),
    channel=st.sampled_from(["online", "counter"]),
    status=st.sampled_from(["accepted", "rejected", "void", "withdrawn", "processing"]),
    received_at=facts,
    due_at=plans,
) | st.builds(
    dossier,
    subject=st.sampled_from(["a", "b", "c"]),
    version=st.integers(1, 6).map(lambda n: (BASE + n) * 1_000_000),
    unit=st.sampled_from(["H19.01", "25195"]),
    status=st.just("completed"),
    received_at=facts,
    due_at=plans,
    finished_at=st.integers(BASE - 40 * DAY, BASE + DAY // 2).map(at),
)


def newest_of(records: list[FakeRecord], events: dict[bytes, Any]) -> list[Any]:
    """The newest event of each entity, by version and content."""
    best: dict[str, tuple[int, int, Any]] = {}
    for r in records:
        assert r.value is not None
        event = events[r.value]
        rank = (event.version, content_hash(r.value))
        if event.subject not in best or rank > best[event.subject][:2]:
            best[event.subject] = (*rank, event)
    return [event for _, _, event in best.values()]


class Group:
    """A consumer group of one member at a time: it holds the committed offsets."""

    def __init__(self, partitions: int) -> None:
        self.committed: dict[Partition, int | None] = {Partition(TOPIC, n): None for n in range(partitions)}

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        self.committed.update(offsets)


async def consume(
    logs: dict[Partition, list[FakeRecord]], store: MemoryStore, group: Group, chance: random.Random, now_s: int
) -> None:
    """Read everything in random batches, restarting at random points with a commit that may lag behind."""
    done = False
    while not done:
        folder = Folder(
            store,
            TREE,
            lambda: now_s * 1_000_000,
            ClockMode.WALL,
            Patience(1),
            "test",
            owner_of({TOPIC: len(logs)}),
        )
        lagging = {p: c if c is None else chance.randint(0, c) for p, c in group.committed.items()}
        starts = await folder.assign(1, lagging, dict.fromkeys(logs, 0), group.commit)
        position = dict(starts)
        while True:
            batches = []
            for p, log in logs.items():
                size = chance.randint(0, 4)
                if part := log[position[p] : position[p] + size]:
                    batches.append(Batch(p, 1, part))
                    position[p] += len(part)
            await folder._turn(batches)
            done = all(position[p] == len(log) for p, log in logs.items())
            if done or chance.random() < 0.2:
                await folder.settle()
                break


@settings(max_examples=150, deadline=None)
@given(st.lists(snapshots, max_size=25), st.integers(1, 3), st.integers(-3, 60), st.randoms(use_true_random=False))
def test_any_order_split_duplication_and_restart_gives_the_recomputed_rates(
    events: list[Any], partitions: int, hours: int, chance: random.Random
) -> None:
    """Fold, panes and roll equal the recomputation from the newest snapshots, at any later time."""
    by_value: dict[bytes, Any] = {}
    logs: dict[Partition, list[FakeRecord]] = {Partition(TOPIC, n): [] for n in range(partitions)}
    shuffled = [*events, *chance.sample(events, len(events) // 2)]
    chance.shuffle(shuffled)
    for event in shuffled:
        log = logs[Partition(TOPIC, partition_of(event.subject.encode(), partitions))]
        made = record(len(log), event)
        assert made.value is not None
        by_value[made.value] = event
        log.append(made)
    store, group = MemoryStore(), Group(partitions)
    folded_s, now_s = BASE, BASE + hours * 3600

    asyncio.run(consume(logs, store, group, chance, folded_s))
    now_s = max(now_s, folded_s)
    roll = Roll(
        store,
        lambda: now_s * 1_000_000,
        ClockMode.WALL,
        Patience(1),
        lambda: 1,
        lambda: 0.0,
        lambda *_: asyncio.sleep(0),
    )
    roll.tick(1)

    counted = {k: v for k, v in store.rates.items() if v[1]}
    truth = recompute(newest_of([r for log in logs.values() for r in log], by_value), TREE.scopes, now_s)
    assert counted == truth
