"""Entity rows: what is written comes back, and the newest wins."""

import itertools
import random
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from contract.dossier import DOSSIER, Dossier, DossierEvent
from contract.marks import Mark, epoch_us
from contract.meeting import MEETING, Meeting, MeetingEvent
from contract.payment import PAYMENT, Payment, PaymentEvent
from sinks.client import Client
from sinks.entities import entity_table
from sinks.snapshots import stored_batches
from sinks.store import ClickHouseStore
from streams.rows import EntityBatch, Seen, Stored
from tests.support.events import at, dossier

NOW_S = 1_795_312_800
MARKS = (Mark(NOW_S, good=True), None, Mark(NOW_S + 5, good=False))

pytestmark = pytest.mark.services


def one(event: DossierEvent, content: int = 1, offset: int = 0, epoch: int = 1, partition: int = 0) -> EntityBatch:
    """A batch of one dossier."""
    return EntityBatch(DOSSIER, [event], [content], [MARKS], [partition], [offset], [epoch])


def test_a_time_without_an_offset_is_refused() -> None:
    """It would be taken for another instant on another machine."""
    naive = one(dossier("d", 1, due_at=datetime(2026, 2, 2, 3, 4)))  # noqa: DTZ001 - what is refused

    with pytest.raises(TypeError, match="naive"):
        entity_table(naive, 1)


def test_every_field_comes_back(store: ClickHouseStore) -> None:
    """Text, times to the microsecond, flags and absences go through unharmed, for every kind."""
    vn = timezone(timedelta(hours=7))
    moment = at(NOW_S + 0.123456).astimezone(vn)
    nasty = "Hồ sơ 'đất' \\ \"🏠\"\t\n{x:String}"
    full = Dossier(
        unit="H19.'1'\t\"\\",
        channel="online",
        status="returned",
        received_at=moment,
        receiving_unit=nasty,
        procedure="1.\\0",
        field="đất đai",
        service_level="full",
        submitted_at=moment - timedelta(days=9),
        due_at=moment + timedelta(microseconds=1),
        finished_at=moment,
        returned_at=moment,
        supplements=1_000_000,
        paused_s=10_000_000_000,
        fee_vnd=10**15,
        result_digital=False,
        components=3,
        components_digitised=0,
        components_reused=1,
    )
    base: dict[str, Any] = {"specversion": "1.0", "source": nasty, "id": nasty, "time": moment, "version": 2**63 - 1}
    far = at(7_258_118_399.999_999)
    batches = [
        EntityBatch(
            DOSSIER,
            [
                DossierEvent(**base, subject=nasty, data=full),
                DossierEvent(
                    **base, subject="bare", data=Dossier(unit="u", channel="other", status="void", due_at=far)
                ),
            ],
            [2**48 - 1, 0],
            [MARKS, (None, None, None)],
            [65_535, 0],
            [2**40, -1],
            [2**64 - 1, 1],
        ),
        EntityBatch(
            PAYMENT,
            [PaymentEvent(**base, subject="p", data=Payment(unit="u", status="paid", amount_vnd=0, paid_at=moment))],
            [1],
            [(Mark(-5, good=False),)],
            [0],
            [0],
            [1],
        ),
        EntityBatch(
            MEETING,
            [MeetingEvent(**base, subject="m", data=Meeting(unit="u", status="live", starts_at=far, paperless=True))],
            [1],
            [(None,)],
            [0],
            [0],
            [1],
        ),
    ]

    for batch in batches:
        store.write_entities(batch)

    for batch in batches:
        (rv,) = stored_batches(store.client, batch.kind)
        order = sorted(range(len(rv.events)), key=lambda n: -rv.contents[n])
        assert [rv.events[n] for n in order] == batch.events
        assert [rv.contents[n] for n in order] == batch.contents
        assert [rv.marks[n] for n in order] == batch.marks
        assert [rv.partitions[n] for n in order] == batch.partitions
        assert [rv.offsets[n] for n in order] == batch.offsets
        assert [rv.epochs[n] for n in order] == batch.epochs
        assert all(e.time.utcoffset() is not None for e in rv.events)
    found = store.look_up(DOSSIER, [nasty, "bare", "absent"])
    assert found == {
        nasty: Stored(2**63 - 1, 2**48 - 1, "H19.'1'\t\"\\", "đất đai", MARKS, 2**40, 2**64 - 1),
        "bare": Stored(2**63 - 1, 0, "u", None, (None, None, None), -1, 1),
    }
    assert store.look_up(MEETING, ["m"])["m"].field is None


def test_rank_decides_in_any_order_of_arrival(store: ClickHouseStore) -> None:
    """Version first, then definitions, then content: the same row wins however rows arrive and merge."""
    rows = list(itertools.product((1, 2), (1, 2), (3, 4)))
    for n, order in enumerate(random.Random(5).sample(list(itertools.permutations(rows)), 3)):
        for version, definitions, content in order:
            offset = version * 100 + definitions * 10 + content
            other = ClickHouseStore(store.client, definitions)
            other.write_entities(one(dossier(f"d{n}", version), content, offset))

    rv = store.look_up(DOSSIER, ["d0", "d1", "d2"])
    final = store.client.rows("SELECT version, definitions, content FROM dossiers FINAL")
    store.client.command("OPTIMIZE TABLE dossiers FINAL")
    merged = store.client.rows("SELECT version, definitions, content FROM dossiers")

    assert {(row.version, row.offset, row.content) for row in rv.values()} == {(2, 224, 4)}
    assert final == merged == [(2, 2, 4)] * 3


def test_many_ids_in_one_question(store: ClickHouseStore) -> None:
    """A look-up of a whole flush answers for each id that is stored, also with long and awkward ids."""
    ids = [f"{n:05}'\\{'ệ' * 50}" for n in range(5_000)]
    batch = EntityBatch(DOSSIER)
    for n, id_ in enumerate(ids[::2]):
        batch.events.append(dossier(id_, n + 1))
        batch.contents.append(n)
        batch.marks.append(MARKS)
        batch.partitions.append(0)
        batch.offsets.append(n)
        batch.epochs.append(1)
    store.write_entities(batch)

    rv = store.look_up(DOSSIER, ids)

    assert {id_: row.version for id_, row in rv.items()} == {id_: n + 1 for n, id_ in enumerate(ids[::2])}
    assert store.look_up(DOSSIER, []) == {}


def test_seen_from_the_start_of_each_partition(store: ClickHouseStore) -> None:
    """Rows at or after the start count as seen; other partitions and earlier rows do not."""
    for partition in (0, 1, 2):
        for offset in (4, 5, 6):
            store.write_entities(one(dossier(f"d{partition}{offset}", 7), 8, offset, 9, partition))

    rv = store.seen(DOSSIER, {0: 5, 2: 0})

    assert rv == {Seen(id_, 7, 8, 9) for id_ in ("d05", "d06", "d24", "d25", "d26")}
    assert store.seen(DOSSIER, {}) == set()


def test_clocks_are_event_times(store: ClickHouseStore) -> None:
    """The newest event time of a partition, to the microsecond; an empty partition is absent."""
    times = [at(NOW_S + 0.000001), at(NOW_S - 9)]
    for n, time in enumerate(times):
        store.write_entities(one(dossier(f"d{n}", 1, time=time), partition=3))

    rv = store.clocks(DOSSIER, [0, 3])

    assert rv == {3: epoch_us(times[0])}


def test_rows_need_definitions(store: ClickHouseStore) -> None:
    """A store that never asked for its definitions does not write rows."""
    fresh = ClickHouseStore(store.client)

    with pytest.raises(RuntimeError, match="call ensure_definitions first"):
        fresh.write_entities(one(dossier("d", 1)))


def test_nothing_is_written_of_an_empty_batch(store: ClickHouseStore) -> None:
    """And nothing is found of what was never written; of a kind without states nothing is open."""
    store.write_entities(EntityBatch(DOSSIER))

    assert store.client.rows("SELECT count() FROM dossiers") == [(0,)]
    assert store.look_up(DOSSIER, ["d1"]) == {}
    assert store.open_page(DOSSIER, [0], "", 10) == []
    assert store.open_page(PAYMENT, [0], "", 10) == []


def test_rows_without_known_definitions_are_refused(client: Client) -> None:
    """They carry the number of their definitions; a program that forgot to ask must not write."""
    with pytest.raises(RuntimeError, match="call ensure_definitions first"):
        ClickHouseStore(client).write_entities(one(dossier("d1", 1)))
