"""Recomputing marks from the snapshots on the real engine: what changes, what stays, and a death half-way."""

from typing import Any

import pytest

from contract.dossier import DOSSIER
from contract.fingerprint import fingerprint
from contract.kind import Kind
from contract.partition import partition_of
from contract.payment import PAYMENT, Payment, PaymentEvent
from contract.registry import KINDS
from sinks.client import Client
from sinks.definitions import DefinitionsChangedError, PartitionsChangedError
from sinks.migrate import migrate
from sinks.recompute import NO_RECORD, recompute_marks
from sinks.store import ClickHouseStore
from streams.rows import EntityBatch
from tests.support.events import at, dossier

pytestmark = pytest.mark.services

OURS = fingerprint(KINDS)
COUNTS = {kind.topic: 3 for kind in KINDS}
DOSSIERS = [dossier(f"d{n}", n + 1, received_at=at(n), channel="online" if n % 3 else "post") for n in range(40)]
PAYMENTS = [
    PaymentEvent(
        specversion="1.0",
        source="bank",
        id=f"p{n}",
        subject=f"p{n}",
        time=at(n),
        version=n + 1,
        data=Payment(unit="u", status="due", amount_vnd=n),
    )
    for n in range(5)
]


def counted_otherwise(client: Client) -> ClickHouseStore:
    """Entities counted by another program, which knew no marks, over two partitions."""
    migrate(client)
    store = ClickHouseStore(client)
    store.ensure_definitions("another program's")
    store.ensure_partitions(dict.fromkeys(COUNTS, 2))
    for kind, events in ((DOSSIER, DOSSIERS), (PAYMENT, PAYMENTS)):
        nothing = [(None,) * len(kind.marked)] * len(events)
        homes = [partition_of(event.subject.encode(), 2) for event in events]
        numbers = list(range(len(events)))
        store.write_entities(EntityBatch(kind, [*events], numbers, [*nothing], homes, numbers, [7] * len(events)))
    return store


def stored(client: Client, kind: Kind) -> dict[str, tuple[Any, ...]]:
    """Newest row of each entity: version, content, partition, offset, epoch, definitions."""
    rows = client.rows(
        f"SELECT id, version, content, `partition`, offset, epoch, definitions FROM {kind.table} FINAL"  # noqa: S608
    )
    return {id_: tuple(rest) for id_, *rest in rows}


def test_marks_are_those_of_this_program_and_rows_lie_where_their_records_would(client: Client) -> None:
    """Versions, contents and epochs stay; who moves to another partition has no record there."""
    store, shown = counted_otherwise(client), list[tuple[int, int]]()
    before = stored(client, DOSSIER)
    with pytest.raises(DefinitionsChangedError, match="dossiers, payments"):
        store.ensure_definitions(OURS)

    rv = recompute_marks(client, OURS, COUNTS, lambda *done: shown.append(done))
    after = stored(client, DOSSIER)

    assert rv == 45
    assert shown[-1] == (45, 45)
    for event in DOSSIERS:
        version, content, old, offset, epoch, sequence = before[event.subject]
        home = partition_of(event.subject.encode(), 3)
        place = offset if home == old else NO_RECORD
        assert after[event.subject] == (version, content, home, place, epoch, sequence + 1)
    assert {row[3] for row in after.values()} > {NO_RECORD}
    marks = {key: found.marks for key, found in store.look_up(DOSSIER, [event.subject for event in DOSSIERS]).items()}
    assert marks == {e.subject: tuple(i.mark(e.data) for i in DOSSIER.marked if i.mark) for e in DOSSIERS}
    assert any(mark for many in marks.values() for mark in many)
    assert store.ensure_definitions(OURS) == 2
    store.ensure_partitions(COUNTS)


def test_a_program_that_dies_in_it_leaves_a_store_that_refuses(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the rows rest on is written last: no worker starts on half of them, and repeating it mends all."""
    store, insert = counted_otherwise(client), Client.insert

    def dies(self: Client, table: str, rows: Any) -> None:
        if table == "payments":
            raise KeyboardInterrupt
        insert(self, table, rows)

    monkeypatch.setattr(Client, "insert", dies)
    with pytest.raises(KeyboardInterrupt):
        recompute_marks(client, OURS, COUNTS, lambda *_: None)
    monkeypatch.setattr(Client, "insert", insert)
    with pytest.raises(DefinitionsChangedError):
        store.ensure_definitions(OURS)
    with pytest.raises(PartitionsChangedError):
        store.ensure_partitions(COUNTS)
    recompute_marks(client, OURS, COUNTS, lambda *_: None)

    assert store.ensure_definitions(OURS) == 2
    assert {row[5] for row in (*stored(client, DOSSIER).values(), *stored(client, PAYMENT).values())} == {2}


def test_an_empty_store_only_learns_what_it_will_rest_on(client: Client) -> None:
    """Nothing is counted, and a worker may start."""
    migrate(client)

    rv = recompute_marks(client, OURS, COUNTS, lambda *_: None)

    assert rv == 0
    assert client.rows("SELECT sequence, fingerprint FROM definitions") == [(1, OURS)]
    assert ClickHouseStore(client).ensure_definitions(OURS) == 1
