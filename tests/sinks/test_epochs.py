"""Epochs, progress, figures, definitions: small tables with strict rules."""

import pytest

from contract.dossier import DOSSIER
from sinks.dead_letters import dead_letters, write_dead_letters
from sinks.definitions import (
    DefinitionsChangedError,
    PartitionsChangedError,
    adopt_definitions,
    adopt_partitions,
)
from sinks.store import ClickHouseStore
from streams.rows import (
    DeadLetter,
    EntityBatch,
    EpochKey,
    Heartbeat,
    Partition,
    Progress,
    Rate,
    SourceRow,
)
from streams.store import FoldStore, RollStore
from tests.support.events import dossier

pytestmark = pytest.mark.services

D0, D1, P0 = Partition("nhip.dossiers", 0), Partition("nhip.dossiers", 1), Partition("nhip.payments", 0)


def test_the_store_fits_the_port(store: ClickHouseStore) -> None:
    """The type checker compares every signature here."""
    fold: FoldStore = store
    roll: RollStore = store

    assert {type(fold), type(roll)} == {ClickHouseStore}


def test_claims_grow(store: ClickHouseStore) -> None:
    """The newest claim of each partition, whether complete or not; others are absent."""
    store.claim([EpochKey(*D0, 5), EpochKey(*D0, 2**63 + 1), EpochKey(*P0, 1)], "worker 'một'")
    store.claim([], "nobody")
    store.complete([EpochKey(*D0, 5)])

    rv = store.newest_claims([D0, D1, P0])

    assert rv == {D0: 2**63 + 1, P0: 1}
    assert store.newest_claims([]) == {}


def test_flushed_offsets_of_any_epoch(store: ClickHouseStore) -> None:
    """A position counts whoever wrote it."""
    store.write_progress(
        [
            Progress(EpochKey(*D0, 1), 7, 900, 5, ["unit:A"]),
            Progress(EpochKey(*D0, 2), 1, 899, 5, []),
            Progress(EpochKey(*P0, 2), 1, -1, 5, []),
        ]
    )
    store.write_progress([])

    rv = store.flushed_offsets([D0, D1, P0])

    assert rv == {D0: 900, P0: -1}


def test_changes_since(store: ClickHouseStore) -> None:
    """Only current complete epochs count; the clock is that of all."""
    old, now, half, other = EpochKey(*D0, 1), EpochKey(*D0, 2), EpochKey(*D0, 3), EpochKey(*P0, 4)
    assert store.changes({}) == ({}, 0, frozenset())
    store.write_progress(
        [
            Progress(old, 9, 1, 700, ["old"]),
            Progress(now, 1, 2, 50, ["a"]),
            Progress(now, 2, 3, 60, ["b", "c'\\"]),
            Progress(half, 1, 3, 70, ["half"]),
        ]
    )
    store.complete([old, now, other])

    first = store.changes({})
    rv = store.changes({now: 1, other: 0})
    same = store.changes({now: 2, other: 0})

    assert first == ({now: 2, other: 0}, 700, frozenset({"a", "b", "c'\\"}))
    assert rv == ({now: 2, other: 0}, 700, frozenset({"b", "c'\\"}))
    assert same == ({now: 2, other: 0}, 700, frozenset())


def test_cleaning_keeps_positions_and_clocks(store: ClickHouseStore) -> None:
    """After old progress is gone, a worker still knows where to read from."""
    old, now = EpochKey(*D0, 1), EpochKey(*D0, 2)
    store.write_progress([Progress(old, n, n, 10 * n, []) for n in range(1, 9)])
    store.write_progress([Progress(old, 10, 3, 999, []), Progress(now, 1, 4, 40, []), Progress(now, 2, 5, 50, ["s"])])
    store.complete([old, now])

    store.drop_outdated(0)

    assert store.flushed_offsets([D0]) == {D0: 8}
    assert store.changes({now: 1}) == ({now: 2}, 999, frozenset({"s"}))
    assert store.client.rows("SELECT count() FROM progress WHERE epoch = 1") == [(2,)]


def test_rates_are_versioned_by_epoch_and_tick(store: ClickHouseStore) -> None:
    """A late writer of an older epoch or tick does not set a figure back; a heartbeat neither."""
    assert store.heartbeat() is None
    assert store.rates_now() == {}
    store.write_rates([Rate("unit:'A\\", "online", "1h", 1, 3)], Heartbeat(2, 1, 1_795_312_800_000_001, 7))
    store.write_rates([Rate("unit:'A\\", "online", "1h", 0, 0)], Heartbeat(1, 99, 5, 9_000_000))

    rv = store.rates_now()

    assert rv == {("unit:'A\\", "online", "1h"): (1, 3)}
    assert store.heartbeat() == Heartbeat(2, 1, 1_795_312_800_000_001, 7)


def test_history_has_no_rate_for_nothing(store: ClickHouseStore) -> None:
    """0 of 0 is unknown, neither 0 nor 100 %."""
    time_us = 1_795_312_800_000_000
    store.write_rates(
        [Rate("s", "online", "1h", 0, 0), Rate("s", "online", "all", 1, 4)], Heartbeat(1, 1, time_us, time_us)
    )

    rv = store.client.rows(
        "SELECT window, rate, toUnixTimestamp64Micro(time), toUnixTimestamp64Micro(as_of) FROM rates ORDER BY window"
    )

    assert rv == [("1h", None, time_us, time_us), ("all", 0.25, time_us, time_us)]


def test_dead_letters_keep_their_bytes(store: ClickHouseStore) -> None:
    """What is not even text comes back as it was, page by page, and is not resurrected by a second refusal."""
    letters = [
        DeadLetter("nhip.dossiers", n % 2, n, "not_json", "lỗi '🏠'\\", None if n else b"", bytes(range(256)), n)
        for n in range(5)
    ]
    store.write_dead_letters(letters)
    store.write_dead_letters(letters)
    store.write_dead_letters([])

    first = dead_letters(store.client, limit=3)
    last = first[-1].letter
    rest = dead_letters(store.client, after=(last.topic, last.partition, last.offset))
    write_dead_letters(store.client, letters[:1], "sent_again")
    store.write_dead_letters(letters)

    assert [row.letter for row in first + rest] == sorted(letters, key=lambda r: (r.partition, r.offset))
    assert [row.letter.offset for row in dead_letters(store.client)] == [2, 4, 1, 3]
    assert [row.letter.offset for row in dead_letters(store.client, state="sent_again")] == [0]
    assert dead_letters(store.client, reason="future") == []


def test_sources_replace_themselves(store: ClickHouseStore) -> None:
    """Counts are absolute within an epoch."""
    key = EpochKey(*D0, 1)
    store.write_sources([SourceRow("onestop/'H\\", "u", key, flush, 3, 4, 10 * flush, flush) for flush in (2, 1)])
    store.write_sources([])

    rv = store.client.rows("SELECT events, ignored, toUnixTimestamp64Micro(event_time) FROM sources FINAL")

    assert rv == [(20, 2, 3)]


def batch() -> EntityBatch:
    """One row."""
    return EntityBatch(DOSSIER, [dossier("d", 1)], [1], [(None, None, None)], [0], [0], [1])


def test_definitions_may_change_while_nothing_is_counted(store: ClickHouseStore) -> None:
    """Sequences grow; the same fingerprint keeps its own."""
    rv = [store.ensure_definitions(name) for name in ("first", "second", "second", "first")]

    assert rv == [1, 2, 2, 3]


def test_other_definitions_need_a_rebuild(store: ClickHouseStore) -> None:
    """Rows counted under other definitions stop the start, until they are adopted."""
    store.write_entities(batch())

    with pytest.raises(DefinitionsChangedError, match=r"dossiers were .* \(number 1\).*run `nhip rebuild`"):
        store.ensure_definitions("second")
    rv = adopt_definitions(store.client, "second")
    ClickHouseStore(store.client, rv).write_entities(batch())

    assert rv == 2
    assert store.ensure_definitions("second") == 2
    assert store.client.rows("SELECT definitions FROM dossiers FINAL") == [(2,)]


def test_partition_counts_are_held(store: ClickHouseStore) -> None:
    """Another partition count stops the start once entities were counted with the old one."""
    store.ensure_partitions({"nhip.dossiers": 4, "nhip.payments": 2})
    store.ensure_partitions({"nhip.dossiers": 6})
    store.write_entities(batch())
    store.ensure_partitions({"nhip.dossiers": 6, "nhip.payments": 3})

    with pytest.raises(PartitionsChangedError, match=r"has 8 partitions.*counted with 6.*`nhip rebuild`"):
        store.ensure_partitions({"nhip.dossiers": 8})
    adopt_partitions(store.client, {"nhip.dossiers": 8})

    store.ensure_partitions({"nhip.dossiers": 8})
