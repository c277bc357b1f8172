"""Recall: after a takeover memories are filled page by page, and until then every unknown id is asked for."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from contract.dossier import DOSSIER
from contract.kind import Kind
from contract.marks import Mark
from contract.payment import PAYMENT
from contract.units import UnitTree
from streams import recall as recall_module
from streams.fold import EpochContestedError, PartitionFold
from streams.partitioner import owner_of
from streams.patience import Patience
from streams.places import Places
from streams.recall import Recall
from streams.rows import EpochKey, Partition, Seen, Stored
from tests.support.events import dossier
from tests.support.memory_store import MemoryStore

STATE = [i.key for i in DOSSIER.marked].index("overdue")
EPOCH, OLD = 9, 5
START = 100
TREE = UnitTree([])


class PagedStore(MemoryStore):
    """A store that notes after which id each page was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str, str, tuple[int, ...]]] = []

    def open_page(self, kind: Kind, partitions: Sequence[int], after: str, limit: int) -> Any:
        self.asked.append(("open", kind.key, after, tuple(partitions)))
        return super().open_page(kind, partitions, after, limit)

    def id_page(self, kind: Kind, partitions: Sequence[int], after: str, limit: int) -> Any:
        self.asked.append(("ids", kind.key, after, tuple(partitions)))
        return super().id_page(kind, partitions, after, limit)


def stored(kind: Kind, *, is_open: bool = False, offset: int = 3, epoch: int = OLD) -> Stored:
    """A row with or without the mark of a state."""
    marks = tuple(Mark(7, good=False) if is_open and n == STATE else None for n in range(len(kind.marked)))
    return Stored(1, 1, "u", None, marks, offset, epoch)


def fold_of(kind: Kind, number: int, seen: set[Seen] | None = None) -> PartitionFold:
    """A fold that has just begun."""
    partition = Partition(kind.topic, number)
    owners = owner_of({kind.topic: 2})(partition)
    return PartitionFold(kind, EpochKey(*partition, EPOCH), START, seen or set(), 0, owners, Places(TREE.periods))


def recalled(store: MemoryStore, *folds: PartitionFold) -> Recall:
    """A recall of these folds."""
    return Recall(store, Patience(1), {fold.partition: fold for fold in folds})


def to_the_end(recall: Recall) -> int:
    """Take all pages; return how many there were."""
    steps = 0
    while not recall.done:
        asyncio.run(recall.step())
        steps += 1
    return steps


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall_module, "OPEN_PER_PAGE", 2)
    monkeypatch.setattr(recall_module, "IDS_PER_PAGE", 3)


def test_open_entities_and_all_ids_are_known_in_the_end() -> None:
    """Over several pages and partitions; what is closed is asked for, what is new is not."""
    store = PagedStore()
    for n in range(8):
        row = stored(DOSSIER, is_open=n % 2 == 0)
        store.rows["dossier"][f"d{n}"] = (row, dossier(f"d{n}", 1), n // 2 % 2)
    first, second = fold_of(DOSSIER, 0), fold_of(DOSSIER, 1)
    recall = recalled(store, first, second)

    to_the_end(recall)

    for fold, mine in ((first, "0145"), (second, "2367")):
        found = {n: fold.memory.get(f"d{n}") for n in range(8)}
        assert found == {
            n: stored(DOSSIER, is_open=True) if str(n) in mine and n % 2 == 0 else None for n in range(8)
        }
        assert fold.memory.to_ask_for([f"d{n}" for n in range(8)]) == [f"d{n}" for n in mine if n in "1357"]
        assert fold.memory.to_ask_for(["new"]) == []
    assert store.asked == [
        ("open", "dossier", "", (0, 1)),
        ("open", "dossier", "d2", (0, 1)),
        ("open", "dossier", "d6", (0, 1)),
        ("ids", "dossier", "", (0, 1)),
        ("ids", "dossier", "d2", (0, 1)),
        ("ids", "dossier", "d5", (0, 1)),
    ]


def test_before_the_last_page_everything_unknown_is_asked_for() -> None:
    """A filter that knows half of the ids would take the others for new."""
    store = PagedStore()
    for n in range(4):
        store.rows["dossier"][f"d{n}"] = (stored(DOSSIER), dossier(f"d{n}", 1), 0)
    fold = fold_of(DOSSIER, 0)
    recall = recalled(store, fold)
    asked = []

    while not recall.done:
        asked.append(fold.memory.to_ask_for(["new"]))
        asyncio.run(recall.step())

    assert asked == [["new"]] * 3
    assert fold.memory.to_ask_for(["new", "d3"]) == ["d3"]


def test_a_kind_without_open_entities_is_asked_for_ids_alone() -> None:
    """Payments are never overdue; open ones of other kinds come before any ids."""
    store = PagedStore()
    store.rows["payment"]["p"] = (stored(PAYMENT), dossier("p", 1), 0)
    payments, dossiers = fold_of(PAYMENT, 0), fold_of(DOSSIER, 1)

    to_the_end(recalled(store, payments, dossiers))

    assert store.asked == [
        ("open", "dossier", "", (1,)),
        ("ids", "payment", "", (0,)),
        ("ids", "dossier", "", (1,)),
    ]
    assert payments.memory.to_ask_for(["p", "new"]) == ["p"]


def test_without_partitions_there_is_nothing_to_do() -> None:
    """Nor after the end."""
    store = PagedStore()
    recall = recalled(store)

    asyncio.run(recall.step())

    assert recall.done
    assert store.asked == []


@pytest.mark.parametrize(
    ("row", "contested"),
    [
        pytest.param(stored(DOSSIER, is_open=True, offset=START), True, id="landed after the rebuild"),
        pytest.param(stored(DOSSIER, is_open=True, offset=START - 1), False, id="from before the start"),
        pytest.param(stored(DOSSIER, is_open=True, offset=START, epoch=EPOCH), False, id="our own"),
    ],
)
def test_a_page_that_shows_a_late_row_contests_the_epoch(row: Stored, *, contested: bool) -> None:
    """What the rebuild cannot have counted must not be taken over (rule 2)."""
    store = PagedStore()
    store.rows["dossier"]["a"] = (row, dossier("a", 1), 0)
    fold = fold_of(DOSSIER, 0)
    recall = recalled(store, fold)

    if contested:
        with pytest.raises(EpochContestedError, match=r"nhip\.dossiers\[0\]: a row of a landed after the rebuild"):
            asyncio.run(recall.step())
    else:
        asyncio.run(recall.step())

    assert fold.memory.get("a") == (None if contested else row)


def test_a_late_row_that_the_rebuild_has_seen_is_taken_over() -> None:
    """It was counted."""
    store = PagedStore()
    row = stored(DOSSIER, is_open=True, offset=START)
    store.rows["dossier"]["a"] = (row, dossier("a", 1), 0)
    fold = fold_of(DOSSIER, 0, {Seen("a", row.version, row.content, row.epoch)})

    to_the_end(recalled(store, fold))

    assert fold.memory.get("a") == row
