"""Panes: rebuilt from rows and summed into windows, against plain Python on random data."""

import random
from collections import Counter, defaultdict
from datetime import date

import pytest

from contract.days import DAY_S, HOUR_S, MINUTE_S
from contract.dossier import DOSSIER
from contract.indicators import Reading
from contract.kind import Kind
from contract.marks import Mark
from contract.registry import INDICATORS, KINDS
from contract.units import Unit, UnitTree
from contract.windows import Level, floor_to, levels_kept, pieces, windows_of
from producers.examples import examples
from sinks.store import ClickHouseStore
from streams.rows import EntityBatch, EpochKey, Rate
from tests.support.events import at, dossier
from tests.support.panes import Pane, batch_of, single

NOW_S = 1_795_312_800 + 29 * MINUTE_S + 17
TOPIC = DOSSIER.topic

pytestmark = pytest.mark.services


def tree() -> UnitTree:
    """Communes of two provinces, one of which moved between them twice, and a quoted name."""
    return UnitTree(
        [
            Unit("A", None, "province", "a", "a", date(2020, 1, 1)),
            Unit("B", None, "province", "b", "b", date(2020, 1, 1)),
            Unit("A.1", "A", "ward", "x", "x", date(2020, 1, 1), date(2026, 6, 30)),
            Unit("A.1", "B", "ward", "x", "x", date(2026, 7, 1), date(2026, 10, 31)),
            Unit("A.1", "A", "ward", "x", "x", date(2026, 11, 1)),
            Unit("A.2", "A", "ward", "x", "x", date(2020, 1, 1)),
            Unit("B.'1\\", "B", "ward", "x", "x", date(2020, 1, 1), date(2026, 11, 21)),
            Unit("B.'1\\", "A", "ward", "x", "x", date(2026, 11, 22)),
        ]
    )


def random_moment(rng: random.Random) -> int:
    """A second at or around every border that windows and levels have."""
    minutes, days = rng.choice([0, 1, 15, 60, 25 * 60]), rng.choice([0, 1, 7, 30, 31, 200])
    border = minutes * MINUTE_S + days * DAY_S
    sign = rng.choice([-1, -1, -1, 1])
    return NOW_S + sign * border + rng.choice([0, -1, 1, rng.randrange(-2 * DAY_S, 2 * DAY_S)])


def random_rows(rng: random.Random, n: int, epoch: int = 1) -> EntityBatch:
    """Rows with arbitrary marks; some units are unknown to the tree."""
    batch = EntityBatch(DOSSIER)
    for _ in range(n):
        subject = f"d{rng.randrange(n)}"
        unit, field = rng.choice(["A.1", "A.2", "B.'1\\", "lạ 🏠"]), rng.choice([None, "đất 'đai\\", "tax"])
        event = dossier(subject, rng.randrange(1, 9), unit=unit, field=field, time=at(NOW_S))
        batch.events.append(event)
        batch.contents.append(rng.randrange(2**48))
        marks = [Mark(random_moment(rng), good=rng.random() < 0.5) for _ in range(3)]
        batch.marks.append(tuple(rng.choice([None, mark]) for mark in marks))
        batch.partitions.append(sum(map(ord, subject)) % 3)
        batch.offsets.append(len(batch.offsets))
        batch.epochs.append(epoch)
    return batch


def recount(batch: EntityBatch, units: UnitTree, partitions: set[int]) -> Counter[Pane]:
    """The panes in plain Python."""
    newest: dict[str, tuple[tuple[int, int], int]] = {}
    for n, event in enumerate(batch.events):
        rank = (event.version, batch.contents[n])
        if event.subject not in newest or rank > newest[event.subject][0]:
            newest[event.subject] = (rank, n)
    sums: defaultdict[tuple[int, str, str, int, int], list[int]] = defaultdict(lambda: [0, 0])
    for _, n in newest.values():
        data = batch.events[n].data
        if batch.partitions[n] not in partitions:
            continue
        for indicator, mark in zip(DOSSIER.marked, batch.marks[n], strict=True):
            if mark is None:
                continue
            for scope in units.scopes(data.unit, data.field, mark.at_s):
                for level in levels_kept(mark.at_s, NOW_S):
                    side = sums[batch.partitions[n], scope, indicator.key, int(level), floor_to(level, mark.at_s)]
                    side[0] += mark.good
                    side[1] += 1
    return Counter(Pane(*key, good, counted) for key, (good, counted) in sums.items())


@pytest.mark.parametrize("seed", range(4))
def test_rebuild_equals_a_recount(store: ClickHouseStore, seed: int) -> None:
    """Every pane, of every level, with units that moved and rows that were superseded."""
    rng, units = random.Random(seed), tree()
    batch = random_rows(rng, 600)
    store.write_entities(batch)

    rv = Counter(single(store.rebuild(DOSSIER, [0, 2], NOW_S, units.segments)))

    assert rv == recount(batch, units, {0, 2})
    assert len(rv) > 500


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_rebuild_of_every_kind(store: ClickHouseStore, kind: Kind) -> None:
    """Kinds without fields have panes of units alone; each mark counts once at every level."""
    batch = EntityBatch(kind)
    for n, event in enumerate(examples(kind, 40, random.Random(1), at(NOW_S))):
        batch.events.append(event)
        batch.contents.append(n)
        batch.marks.append(tuple(None if i.mark is None else i.mark(event.data) for i in kind.marked))
        batch.partitions.append(0)
        batch.offsets.append(n)
        batch.epochs.append(1)
    store.write_entities(batch)

    panes = list(single(store.rebuild(kind, [0], NOW_S, tree().segments)))

    marks = sum(mark is not None for row in batch.marks for mark in row)
    counted = Counter[int]()
    for pane in panes:
        counted[pane.level] += pane.counted if pane.scope.startswith("unit:") else 0
    assert marks > 0
    assert counted[int(Level.TOTAL)] == counted[int(Level.DAY)] == marks
    assert any(pane.scope.startswith("field:") for pane in panes) == (kind is DOSSIER)


def test_rebuild_of_nothing(store: ClickHouseStore) -> None:
    """Empty tables have no panes, whatever the kind."""
    rv = [list(store.rebuild(kind, [0, 1], NOW_S, tree().segments)) for kind in KINDS]

    assert rv == [[] for _ in KINDS]


def random_panes(rng: random.Random, scopes: list[str]) -> dict[tuple[int, str, str, int, int], Pane]:
    """Panes at all borders for some partitions."""
    found = {}
    for _ in range(400):
        indicator = rng.choice([i.key for i in INDICATORS.values() if i.mark])
        level = rng.choice(list(Level))
        key = (rng.randrange(2), rng.choice(scopes), indicator, int(level), floor_to(level, random_moment(rng)))
        counted = rng.randrange(5)
        found[key] = Pane(*key, rng.randrange(counted + 1), counted)
    return found


def summed(panes: list[Pane], now_s: int) -> dict[tuple[str, str, str], tuple[int, int]]:
    """The windows in plain Python."""
    rv = {}
    for scope in {p.scope for p in panes}:
        for indicator in INDICATORS.values():
            for window in windows_of(indicator.reading):
                sides = [0, 0]
                for pane in panes:
                    if (pane.scope, pane.indicator) != (scope, indicator.marks):
                        continue
                    values = {"good": pane.good, "count": pane.counted, None: 0}
                    for piece in pieces(indicator.reading, window, now_s):
                        if piece.level == pane.level and piece.start_s <= pane.at_s < piece.end_s:
                            sides[0] += values[piece.numerator]
                            sides[1] += values[piece.denominator]
                rv[scope, indicator.key, window] = (sides[0], sides[1])
    return rv


def keyed(rates: list[Rate]) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Rates by key; none may appear twice."""
    rv = {(r.scope, r.indicator, r.window): (r.numerator, r.denominator) for r in rates}
    assert len(rv) == len(rates)
    return rv


@pytest.mark.parametrize("seed", range(4))
def test_sums_use_the_newest_flush_of_the_newest_complete_epoch(store: ClickHouseStore, seed: int) -> None:
    """What old, half-built and superseded panes hold is never added; a pane set back to 0 is 0."""
    rng = random.Random(seed)
    scopes = ["unit:A", "unit:B.'1\\", "field:đất 🏠"]
    old, first, second, half = (random_panes(rng, scopes) for _ in range(4))
    for key in list(second)[:50]:
        second[key] = second[key]._replace(good=0, counted=0)
    for epoch, flush, panes in ((5, 9, old), (7, 2, second), (7, 1, first), (8, 3, half)):
        store.write_panes(TOPIC, {0: epoch, 1: epoch}, {0: flush, 1: flush}, batch_of(list(panes.values())))
    store.complete([EpochKey(TOPIC, p, e) for p in (0, 1) for e in (5, 7)])
    store.claim([EpochKey(TOPIC, p, 8) for p in (0, 1)], "w")
    # The other partition count of the same topic and other topics have epochs of their own.
    store.write_panes("nhip.payments", {0: 3}, {0: 1}, batch_of([Pane(0, "unit:P", "online_payment", 0, 0, 1, 2)]))
    store.complete([EpochKey("nhip.payments", 0, 3)])

    rv = keyed(store.sum_panes(NOW_S, None))
    some = keyed(store.sum_panes(NOW_S, frozenset(scopes[:2])))

    expected = summed([*(first | second).values()], NOW_S)
    assert {key: value for key, value in rv.items() if key[0] != "unit:P"} == expected
    assert some == {key: value for key, value in expected.items() if key[0] in scopes[:2]}
    assert rv["unit:P", "online_payment", "all"] == (1, 2)
    assert store.sum_panes(NOW_S, frozenset()) == []
    assert any(value[1] for value in expected.values())


def test_an_indicator_that_shares_marks(store: ClickHouseStore) -> None:
    """What is due soon is read from the marks of what is overdue."""
    minute = NOW_S // 60 * 60
    panes = [
        Pane(0, "unit:A", "overdue", Level.TOTAL, 0, 0, 5),
        Pane(0, "unit:A", "overdue", Level.MINUTE, minute - 60, 0, 2),
        Pane(0, "unit:A", "overdue", Level.MINUTE, minute, 0, 3),
    ]
    store.write_panes(TOPIC, {0: 1}, {0: 1}, batch_of(panes))
    store.complete([EpochKey(TOPIC, 0, 1)])

    rv = keyed(store.sum_panes(NOW_S, None))

    assert INDICATORS["due_soon"].reading is Reading.DUE_SOON
    assert rv["unit:A", "overdue", "now"] == (2, 5)
    assert rv["unit:A", "due_soon", "now"] == (3, 5)


def test_outdated_panes_go_and_no_figure_changes(store: ClickHouseStore) -> None:
    """Old epochs and minutes and hours beyond their windows are removed; half-built epochs stay."""
    rng = random.Random(1)
    for epoch in (1, 2, 3):
        panes = random_panes(rng, ["unit:A"])
        store.write_panes(TOPIC, {0: epoch, 1: epoch}, {0: 1, 1: 1}, batch_of(list(panes.values())))
    store.complete([EpochKey(TOPIC, p, e) for p in (0, 1) for e in (1, 2)])
    before = keyed(store.sum_panes(NOW_S, None))

    store.drop_outdated(NOW_S)

    rv = store.client.rows(
        "SELECT min(epoch), max(epoch), minIf(at, level = 3), minIf(at, level = 2), minIf(at, level = 1) FROM panes"
    )
    assert keyed(store.sum_panes(NOW_S, None)) == before
    ((oldest, newest, minutes, hours, days),) = rv
    assert (oldest, newest) == (2, 3)
    assert minutes >= NOW_S - 26 * HOUR_S
    assert hours >= NOW_S - 32 * DAY_S
    assert days < NOW_S - 150 * DAY_S


def test_a_store_without_panes_has_no_rates(store: ClickHouseStore) -> None:
    """Neither for all scopes, nor for one, nor for none."""
    rv = [store.sum_panes(NOW_S, scopes) for scopes in (None, frozenset({"unit:A"}), frozenset[str]())]

    assert rv == [[], [], []]
