"""Memories filled from the engine: all open entities and all ids, page by page, and rule 2 on the way."""

import asyncio
from itertools import count

import pytest

from contract.dossier import DOSSIER
from contract.marks import Mark
from contract.units import UnitTree
from sinks.store import ClickHouseStore
from streams import recall as recall_module
from streams.fold import EpochContestedError, PartitionFold
from streams.patience import Patience
from streams.places import Places
from streams.recall import Recall
from streams.rows import EntityBatch, EpochKey, Partition
from tests.support.events import dossier

pytestmark = pytest.mark.services

EPOCH = 7
TREE = UnitTree([])
OPEN = (Mark(60, good=True), None, Mark(120, good=False))
CLOSED = (Mark(60, good=True), Mark(90, good=False), None)


def write(store: ClickHouseStore, subjects: range, *, is_open: bool, version: int = 1, epoch: int = EPOCH) -> None:
    """Insert dossiers into the partitions 0 to 2 by turns; offsets are their numbers."""
    batch = EntityBatch(DOSSIER)
    for n in subjects:
        batch.events.append(dossier(f"d{n:05}", version))
        batch.contents.append(n)
        batch.marks.append(OPEN if is_open else CLOSED)
        batch.partitions.append(n % 3)
        batch.offsets.append(n)
        batch.epochs.append(epoch)
    store.write_entities(batch)


def folds(start: int) -> dict[Partition, PartitionFold]:
    """Fresh folds of the partitions 0 and 1."""
    keys = [EpochKey(DOSSIER.topic, number, EPOCH) for number in (0, 1)]
    return {
        Partition(key.topic, key.partition): PartitionFold(
            DOSSIER, key, start, set(), 0, lambda keys: [0] * len(keys), Places(TREE.periods)
        )
        for key in keys
    }


async def recalled(store: ClickHouseStore, found: dict[Partition, PartitionFold]) -> int:
    """Fill the memories; the number of steps."""
    recall = Recall(store, Patience(5.0), found)
    for steps in count(1):
        await recall.step()
        if recall.done:
            return steps
    raise AssertionError


def test_all_open_ones_and_all_ids(store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two partitions: open entities come back as stored, closed ones are asked for, new ones are not."""
    monkeypatch.setattr(recall_module, "OPEN_PER_PAGE", 7)
    monkeypatch.setattr(recall_module, "IDS_PER_PAGE", 11)
    write(store, range(100), is_open=True)
    write(store, range(60), is_open=False, version=2)  # closed since
    found = folds(start=1_000)

    steps = asyncio.run(recalled(store, found))

    first, second = (fold.memory for fold in found.values())
    open_ids = [n for n in range(60, 100) if n % 3 == 0]
    assert {n: row for n in range(0, 100, 3) if (row := first.get(f"d{n:05}"))} == store_rows(store, open_ids)
    assert first.to_ask_for(["d00003", "d00063", "d99999"]) == ["d00003"]
    assert second.to_ask_for(["d00004", "d00064", "d99999"]) == ["d00004"]
    assert steps > 100 // 11


def store_rows(store: ClickHouseStore, numbers: list[int]) -> dict[int, object]:
    """What a look-up says of them."""
    rows = store.look_up(DOSSIER, [f"d{n:05}" for n in numbers])
    return {n: rows[f"d{n:05}"] for n in numbers}


def test_a_page_that_shows_a_late_insert_contests_the_epoch(store: ClickHouseStore) -> None:
    """A row of another epoch at or after the start, which the rebuild has not seen, is not taken over."""
    write(store, range(9), is_open=True, epoch=EPOCH - 1)

    with pytest.raises(EpochContestedError):
        asyncio.run(recalled(store, folds(start=3)))
