"""Forgetting what Kafka can give again: what goes, what stays, and when it is refused."""

import pytest

from contract.dossier import DOSSIER
from contract.marks import Mark
from sinks.client import Client
from sinks.definitions import PartitionsChangedError
from sinks.engines import SchemaSettings
from sinks.epochs import flushed_offsets, newest_claims
from sinks.migrate import SchemaError, ensure_schema
from sinks.reread import Rereading, forget, what_is_read_again
from sinks.store import ClickHouseStore
from sinks.unfinished import begin
from streams.rows import EntityBatch, EpochKey, Partition, Progress
from tests.support.events import dossier

pytestmark = pytest.mark.services

PARTITIONS = [Partition(DOSSIER.topic, n) for n in range(2)]


def fill(store: ClickHouseStore, offsets: list[int]) -> None:
    """One dossier for each offset, in both partitions by turns, with positions and claims."""
    events = [dossier(f"d{n}", n + 1) for n in range(len(offsets))]
    homes = [n % 2 for n in range(len(offsets))]
    marks: list[tuple[Mark | None, ...]] = [(None,) * len(DOSSIER.marked)] * len(offsets)
    store.write_entities(EntityBatch(DOSSIER, [*events], [0] * len(offsets), marks, homes, offsets, homes))
    keys = [EpochKey(*partition, 1) for partition in PARTITIONS]
    store.claim(keys, "worker")
    store.write_progress([Progress(key, 1, max(offsets), 0, ()) for key in keys])


def test_everything_is_read_again(store: ClickHouseStore, client: Client) -> None:
    """While Kafka has all records no row and no position stays; claims stay, since epochs must grow."""
    fill(store, [0, 1, 2, 3])

    found = what_is_read_again(client, dict.fromkeys(PARTITIONS, 0))
    forget(client, SchemaSettings(), dict.fromkeys(PARTITIONS, 0), lambda *_: None)

    assert found == Rereading(again=4, kept=0)
    assert client.rows("SELECT count() FROM dossiers") == [(0,)]
    assert flushed_offsets(client, PARTITIONS) == {}
    assert newest_claims(client, PARTITIONS) == dict.fromkeys(PARTITIONS, 1)
    ensure_schema(client)


def test_rows_without_a_record_stay(store: ClickHouseStore, client: Client) -> None:
    """What Kafka has dropped after its 400 days cannot be read again, so it is kept."""
    fill(store, [5, 6, 7, 8])
    earliest = {PARTITIONS[0]: 7, PARTITIONS[1]: 0}

    found = what_is_read_again(client, earliest)
    forget(client, SchemaSettings(), earliest, lambda *_: None)

    assert found == Rereading(again=3, kept=1)
    assert client.rows("SELECT id FROM dossiers") == [("d0",)]


def test_moved_entities_are_refused(store: ClickHouseStore, client: Client) -> None:
    """After a change of partition counts the old records lie where workers refuse them."""
    fill(store, [-1, 6])

    with pytest.raises(PartitionsChangedError, match=r"without --from-kafka"):
        what_is_read_again(client, {})


@pytest.mark.usefixtures("store")
def test_half_done_is_refused(client: Client) -> None:
    """A database in the middle of it says what to repeat."""
    begin(client, SchemaSettings(), "nhip rebuild --from-kafka")

    with pytest.raises(SchemaError, match=r"`nhip rebuild --from-kafka` has not finished .* repeat it"):
        ensure_schema(client)
