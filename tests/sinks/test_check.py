"""The invariant: four ways to one figure agree on random data, and a fault in any of them is found."""

import random
from datetime import date

import pytest

from contract.days import DAY_S, HOUR_S
from contract.dossier import DOSSIER
from contract.payment import PAYMENT, Payment, PaymentEvent
from contract.registry import KINDS
from contract.units import Unit, UnitTree
from sinks.check import Difference, compare, figures_of_marks, figures_of_snapshots
from sinks.store import ClickHouseStore
from streams.rows import EntityBatch, EpochKey, Heartbeat, PaneBatch, Rate
from tests.support.events import at, dossier, recompute
from tests.support.stored import keep

NOW_S = 1_795_312_800 + 1_757

pytestmark = pytest.mark.services


def tree() -> UnitTree:
    """Return two wards of which one moved between provinces."""
    return UnitTree(
        [
            Unit("A", None, "province", "a", "a", date(2020, 1, 1)),
            Unit("B", None, "province", "b", "b", date(2020, 1, 1)),
            Unit("A.1", "A", "ward", "x", "x", date(2020, 1, 1), date(2026, 11, 20)),
            Unit("A.1", "B", "ward", "x", "x", date(2026, 11, 21)),
            Unit("A.2", "A", "ward", "x", "x", date(2020, 1, 1)),
        ]
    )


def filled(store: ClickHouseStore) -> EntityBatch:
    """Store random dossiers, their panes and their rates; return the newest snapshots."""
    rng, batch = random.Random(3), EntityBatch(DOSSIER)
    for n in range(500):
        received = NOW_S - rng.choice([rng.randrange(2 * HOUR_S), rng.randrange(400 * DAY_S)])
        status = rng.choice(["processing", "processing", "completed", "rejected", "void", "registered"])
        due = rng.choice([None, at(NOW_S + rng.randrange(-3 * DAY_S, 3 * DAY_S))])
        fields = {
            "unit": rng.choice(["A.1", "A.2", "lạ"]),
            "field": rng.choice([None, "đất"]),
            "channel": rng.choice(["online", "counter"]),
            "received_at": at(received),
            "due_at": due,
            "finished_at": at(min(NOW_S, received + rng.randrange(9 * DAY_S))) if status == "completed" else None,
        }
        event = dossier(f"d{n}", 5, status=status, **fields)
        batch.events.append(event)
        batch.contents.append(n)
        batch.marks.append(tuple(i.mark(event.data) if i.mark else None for i in DOSSIER.marked))
        batch.partitions.append(n % 2)
        batch.offsets.append(n)
        batch.epochs.append(1)
    store.write_entities(batch)
    panes = PaneBatch(list(store.rebuild(DOSSIER, [0, 1], NOW_S, tree().segments)))
    store.write_panes(DOSSIER.topic, {0: 1, 1: 1}, {0: 1, 1: 1}, panes)
    store.complete([EpochKey(DOSSIER.topic, p, 1) for p in (0, 1)])
    store.write_rates(store.sum_panes(NOW_S, None), Heartbeat(1, 1, NOW_S * 1_000_000, 0))
    return batch


def test_all_ways_agree(store: ClickHouseStore) -> None:
    """Nothing differs, and the figures are those of an independent recomputation."""
    steps: list[str] = []
    batch = filled(store)

    rv = compare(store, tree(), NOW_S, steps.append)

    now = {key: value for key, value in store.rates_now().items() if value[1]}
    assert rv == []
    assert now == recompute(batch.events, tree().scopes, NOW_S)
    assert len(steps) == 2 + 2 * len(KINDS)


def test_a_fault_in_each_way_is_found(store: ClickHouseStore) -> None:
    """A wrong figure, pane, mark or snapshot shows up where it is and nowhere else."""
    filled(store)
    all_now = store.rates_now()["unit:A", "online", "all"]
    store.write_rates([Rate("unit:A", "online", "all", 0, 1)], Heartbeat(1, 2, NOW_S * 1_000_000, 0))

    first = compare(store, tree(), NOW_S)
    store.client.command(
        "INSERT INTO dossiers (id, version, unit, channel, status, received_at, online_at, online_good) "
        "VALUES ('more', 1, 'lạ', 'online', 'processing', NULL, 5, 1)"
    )
    second = compare(store, tree(), NOW_S)

    assert first == [Difference("unit:A", "online", "all", (0, 1), all_now, all_now, all_now)]
    (other,) = [d for d in second if d not in first]
    good, counted = other.panes
    assert other[:3] == ("unit:lạ", "online", "all")
    assert other.marks == (good + 1, counted + 1)
    assert other.rates_now == other.panes == other.snapshots


def test_a_kind_without_fields_is_compared_too(store: ClickHouseStore) -> None:
    """Payments count by unit alone; a mark that the snapshot does not give is found."""
    paid = [
        PaymentEvent(
            specversion="1.0",
            source="bank",
            id=f"p{n}",
            subject=f"p{n}",
            time=at(NOW_S),
            version=1,
            data=Payment(unit="A.2", status="paid", amount_vnd=1, channel="gateway", paid_at=at(NOW_S - n)),
        )
        for n in range(3)
    ]
    keep(store, PAYMENT, paid)

    (_, snapshots), (_, marks) = (
        (name, read(store.client, PAYMENT, tree(), NOW_S))
        for name, read in (("snapshots", figures_of_snapshots), ("marks", figures_of_marks))
    )
    store.client.command("INSERT INTO payments SELECT * REPLACE ('p9' AS id, 'void' AS status) FROM payments LIMIT 1")
    wrong = figures_of_marks(store.client, PAYMENT, tree(), NOW_S)

    assert snapshots == marks
    assert marks["unit:A.2", "online_payment", "all"] == (3, 3)
    assert not any(scope.startswith("field:") for scope, *_ in marks)
    assert wrong["unit:A", "online_payment", "all"] == (4, 4)
