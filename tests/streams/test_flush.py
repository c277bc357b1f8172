"""One flush: what it takes of each partition, and the order in which it is written."""

from typing import Any

from contract.decode import Horizon
from contract.dossier import DOSSIER
from contract.kind import Kind
from contract.payment import PAYMENT
from contract.units import UnitTree
from streams.flush import Flush, write_flush
from streams.fold import PartitionFold
from streams.intake import Intake, take_in
from streams.partitioner import owner_of
from streams.places import Places
from streams.rows import DeadLetter, EntityBatch, EpochKey, PaneBatch, Partition, Progress
from tests.support.events import FakeRecord, at, dossier, record

NOW_S = 1_770_003_600
TREE = UnitTree([])
WALL_US = NOW_S * 1_000_000
WRITES = ("write_dead_letters", "write_entities", "write_panes", "write_sources", "write_progress")


class Calls:
    """A store that notes what is written."""

    def __init__(self) -> None:
        self.noted: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        assert name in WRITES
        return lambda *args: self.noted.append((name, *args))


def fold_of(kind: Kind, number: int, epoch: int) -> PartitionFold:
    """A fold that counts every key as its own."""
    key = EpochKey(kind.topic, number, epoch)
    return PartitionFold(kind, key, 0, set(), 0, lambda keys: [number] * len(keys), Places(TREE.periods))


def folded(flush: Flush, fold: PartitionFold, *subjects: str, offset: int = 0, store: Any = None) -> Intake:
    """Fold dossiers of these names, and a bad record after them, into a flush."""
    intake = Intake()
    events = [dossier(s, WALL_US - 1, time=at(NOW_S), received_at=at(NOW_S - 60)) for s in subjects]
    records = [record(offset + n, event) for n, event in enumerate(events)]
    take_in(
        intake, DOSSIER, fold.partition, [*records, FakeRecord(offset + len(records), b"x", b"{")], Horizon(WALL_US)
    )
    batch = EntityBatch(DOSSIER)
    fold.tick(intake)
    fold.apply(intake, {}, batch, NOW_S, WALL_US)
    flush.take(fold, intake, 77)
    flush.entities.append(lambda: store.write_entities(batch))
    return intake


def test_a_flush_holds_what_all_partitions_made() -> None:
    """Epoch and number by partition, the next offset to commit, records, letters and sources of all."""
    flush = Flush()
    first, second = fold_of(DOSSIER, 0, 5), fold_of(DOSSIER, 3, 6)
    second.flush = 8

    intakes = folded(flush, first, "a", "b"), folded(flush, second, "c", offset=40)

    assert flush.epochs == {DOSSIER.topic: {0: 5, 3: 6}}
    assert flush.numbers == {DOSSIER.topic: {0: 1, 3: 9}}
    assert flush.ends == {Partition(DOSSIER.topic, 0): 3, Partition(DOSSIER.topic, 3): 42}
    assert flush.records == 5
    assert flush.dead == intakes[0].dead + intakes[1].dead
    assert [(row.key.partition, row.seen_us, row.events) for row in flush.sources] == [(0, 77, 2), (3, 77, 1)]
    assert flush.progress == [
        Progress(EpochKey(DOSSIER.topic, 0, 5), 1, 2, WALL_US, ["unit:H19.01"]),
        Progress(EpochKey(DOSSIER.topic, 3, 6), 9, 41, WALL_US, ["unit:H19.01"]),
    ]
    assert {block.partition for block in flush.panes[DOSSIER.topic].blocks} == {0, 3}


def test_letters_rows_panes_sources_then_progress() -> None:
    """Readers take notice of a flush from its progress on: everything else is there by then."""
    flush, store = Flush(), Calls()
    folded(flush, fold_of(DOSSIER, 0, 5), "a", store=store)

    write_flush(store, flush)

    assert [call[0] for call in store.noted] == list(WRITES)
    assert [event.subject for event in store.noted.pop(1)[1].events] == ["a"]
    assert [call[1:] for call in store.noted] == [
        (flush.dead,),
        (DOSSIER.topic, {0: 5}, {0: 1}, flush.panes[DOSSIER.topic]),
        (flush.sources,),
        (flush.progress,),
    ]


def test_what_is_empty_is_not_written_but_progress_always_is() -> None:
    """A flush of nothing but old news moves the offset."""
    flush, store = Flush(), Calls()
    flush.panes[DOSSIER.topic] = PaneBatch()
    flush.take(fold_of(PAYMENT, 2, 4), Intake(last_offset=9), 77)

    write_flush(store, flush)

    assert store.noted == [("write_progress", [Progress(EpochKey(PAYMENT.topic, 2, 4), 1, 9, 0, [])])]
    assert flush.ends == {Partition(PAYMENT.topic, 2): 10}


def test_kinds_are_written_one_after_the_other() -> None:
    """Each into its own tables, with its own epochs."""
    flush, store = Flush(), Calls()
    flush.dead.append(DeadLetter("t", 0, 1, "key", "e", None, b"", 0))
    folded(flush, fold_of(DOSSIER, 1, 5), "a", store=store)

    write_flush(store, flush)

    assert [call[0] for call in store.noted] == list(WRITES)
    assert store.noted[0][1] == flush.dead
    assert len(flush.dead) == 2
    assert store.noted[1][1].kind is DOSSIER


def test_the_owner_of_keys_is_that_of_the_partitioner() -> None:
    """As the worker wires it."""
    owners = owner_of({DOSSIER.topic: 1})(Partition(DOSSIER.topic, 0))

    assert list(owners([b"a", b"b"])) == [0, 0]
