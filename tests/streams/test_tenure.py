"""Taking over partitions: what is claimed, rebuilt and written, and in which order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest

from contract.dossier import DOSSIER
from contract.kind import Kind
from contract.marks import Mark
from contract.payment import PAYMENT
from contract.units import Segment, UnitTree
from contract.windows import Level
from streams import tenure
from streams.clock import ClockMode
from streams.epoch import RANDOM_BITS
from streams.partitioner import owner_of
from streams.rows import EpochKey, PaneBlock, Partition, Progress, Seen, Stored
from streams.tenure import CommitRefusedError, rebuild
from tests.support.events import at, dossier
from tests.support.memory_store import MemoryStore
from tests.support.panes import kept

NOW_S = 1_770_003_600
FIRST, SECOND, PAID = Partition(DOSSIER.topic, 0), Partition(DOSSIER.topic, 1), Partition(PAYMENT.topic, 2)
TREE = UnitTree.from_csv("code,parent,kind,name_vi,name_en,valid_from,valid_to\n", "test")
CLAIMED = 7 << RANDOM_BITS
OLDER, NEWER = 5, 6


class Store(MemoryStore):
    """A store that notes what is asked of it, and with which times."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []

    def claim(self, epochs: Iterable[EpochKey], owner: str) -> None:
        found = list(epochs)
        self.calls.append(("claim", found, owner))
        super().claim(found, owner)

    def seen(self, kind: Kind, starts: Mapping[int, int]) -> set[Seen]:
        self.calls.append(("seen", kind.key, dict(starts)))
        return super().seen(kind, starts)

    def rebuild(
        self, kind: Kind, partitions: Sequence[int], now_s: int, segments: Callable[[str], Sequence[Segment]]
    ) -> Iterable[PaneBlock]:
        self.calls.append(("rebuild", kind.key, list(partitions), now_s))
        return super().rebuild(kind, partitions, now_s, segments)

    def write_panes(self, topic: str, epochs: Mapping[int, int], flush: Mapping[int, int], panes: Any) -> None:
        self.calls.append(("write_panes", topic, dict(epochs), dict(flush), len(panes)))
        super().write_panes(topic, epochs, flush, panes)

    def write_progress(self, rows: Sequence[Progress]) -> None:
        self.calls.append(("write_progress", list(rows)))
        super().write_progress(rows)

    def complete(self, epochs: Iterable[EpochKey]) -> None:
        found = list(epochs)
        self.calls.append(("complete", found))
        super().complete(found)

    def add(self, subject: str, number: int, time_s: int, offset: int) -> None:
        """A dossier that was received online, as an earlier epoch wrote it."""
        marks = tuple(Mark(time_s, good=True) if indicator.key == "online" else None for indicator in DOSSIER.marked)
        row = Stored(1, 2, "u", None, marks, offset, OLDER)
        self.rows["dossier"][subject] = (row, dossier(subject, 1, time=at(time_s)), number)


def taken_over(store: Store, starts: dict[Partition, int], mode: ClockMode = ClockMode.WALL) -> dict[Partition, Any]:
    """The folds of a take-over whose random bits are all 3."""
    folds = rebuild(
        store,
        starts,
        TREE,
        lambda: NOW_S * 1_000_000,
        mode,
        lambda _: 3,
        "worker-1",
        owner_of({DOSSIER.topic: 2, PAYMENT.topic: 3}),
    )
    return {fold.partition: fold for fold in folds}


def test_claims_come_first_and_completes_last() -> None:
    """In between each kind: what was seen, then the sums, then their panes; progress once for all."""
    store = Store()
    store.claims[FIRST] = CLAIMED
    store.add("a", 0, NOW_S, 40)

    folds = taken_over(store, {FIRST: 50, PAID: 9})

    dossiers = EpochKey(*FIRST, (8 << RANDOM_BITS) + 3)
    payments = EpochKey(*PAID, (1 << RANDOM_BITS) + 3)
    assert store.calls == [
        ("claim", [dossiers, payments], "worker-1"),
        ("seen", "dossier", {0: 50}),
        ("rebuild", "dossier", [0], NOW_S),
        ("write_panes", DOSSIER.topic, {0: dossiers.epoch}, {0: 1}, 4),
        ("seen", "payment", {2: 9}),
        ("rebuild", "payment", [2], NOW_S),
        (
            "write_progress",
            [Progress(dossiers, 1, 49, NOW_S * 1_000_000, ()), Progress(payments, 1, 8, 0, ())],
        ),
        ("complete", [dossiers, payments]),
    ]
    assert {p: fold.key for p, fold in folds.items()} == {FIRST: dossiers, PAID: payments}


def test_each_fold_holds_the_panes_of_its_own_partition() -> None:
    """They do not count as changed; the next flush is the second; what the rebuild saw is no contest."""
    store = Store()
    store.add("a", 0, NOW_S, 40)
    store.add("b", 1, NOW_S, 60)
    store.add("c", 1, NOW_S, 70)

    folds = taken_over(store, {FIRST: 30, SECOND: 65})

    totals = {
        p: [
            (pane.scope, pane.good, pane.counted)
            for pane in kept(fold.panes, p.partition)
            if pane.level == Level.TOTAL
        ]
        for p, fold in folds.items()
    }
    assert totals == {FIRST: [("unit:u", 1, 1)], SECOND: [("unit:u", 2, 2)]}
    assert [fold.flush for fold in folds.values()] == [1, 1]
    assert [fold.start for fold in folds.values()] == [30, 65]
    for p, subject in ((FIRST, "a"), (SECOND, "c")):
        folds[p].check({subject: store.rows["dossier"][subject][0]})


def test_by_the_clock_of_events_panes_are_those_of_the_newest_event() -> None:
    """Over all partitions that are taken over together; each keeps its own clock."""
    store = Store()
    store.add("a", 0, NOW_S - 5_000, 1)
    store.add("b", 1, NOW_S - 9_000, 2)

    folds = taken_over(store, {FIRST: 9, SECOND: 9}, ClockMode.EVENT)

    assert [call for call in store.calls if call[0] == "rebuild"] == [("rebuild", "dossier", [0, 1], NOW_S - 5_000)]
    assert {p: fold.clock_us for p, fold in folds.items()} == {
        FIRST: (NOW_S - 5_000) * 1_000_000,
        SECOND: (NOW_S - 9_000) * 1_000_000,
    }


def test_many_panes_are_written_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An insert has a bounded size; together they are all."""
    monkeypatch.setattr(tenure, "PANES_PER_INSERT", 3)
    store = Store()
    store.add("a", 0, NOW_S, 1)
    store.add("b", 0, NOW_S - 7_200, 2)

    taken_over(store, {FIRST: 9})

    sizes = [call[-1] for call in store.calls if call[0] == "write_panes"]
    assert sizes == [4, 2]  # a block, the panes of one level, is never cut
    assert len(store.panes) == 6


def test_a_refusal_says_whether_a_rebalance_explains_it() -> None:
    """And what Kafka said."""
    error = CommitRefusedError("no", rebalancing=True)

    assert (str(error), error.rebalancing) == ("no", True)
