"""Refused records in the store: grouped by reason and by the source that their bytes name."""

import pytest

from sinks.client import Client
from sinks.dead_letters import count_dead_letters, dead_letters, letter_groups, write_dead_letters
from sinks.migrate import load, migrate
from sinks.store import ClickHouseStore
from streams.rows import DeadLetter

pytestmark = pytest.mark.services

NOW_US = 1_795_312_800_000_000
VALUES = [
    (b'{"source": "onestop/H19", "data": {}}', "onestop/H19"),
    (b'{"data": {"source": "inner"}, "source": "outer"}', "outer"),
    ('{"source": "một cửa/H19"}'.encode(), "một cửa/H19"),
    (b'{"type": "x", "source" : "cut/off", "data": {"unit', "cut/off"),
    (b'{"source": 5}', "5"),
    (b'{"source": ""}', "?"),
    (b'{"source": "' + b"x" * 200 + b'"}', "?"),
    (b"\x00\xff not json", "?"),
    (b"", "?"),
]


def letter(number: int, value: bytes, reason: str = "invalid", time_us: int = NOW_US) -> DeadLetter:
    """A refused record."""
    return DeadLetter("nhip.dossiers", 0, number, reason, "x", b"k", value, time_us)


def test_sources_are_read_leniently(store: ClickHouseStore) -> None:
    """From JSON, from its remains, and not at all; a filter finds the same ones."""
    write_dead_letters(store.client, [letter(n, value) for n, (value, _) in enumerate(VALUES)])

    rv = dead_letters(store.client)
    unreadable = dead_letters(store.client, source="?")

    assert [found.source for found in rv] == [source for _, source in VALUES]
    assert len(unreadable) == sum(source == "?" for _, source in VALUES)


def test_records_of_an_older_schema_have_a_source_too(client: Client) -> None:
    """The column is computed for what was stored before it was added."""
    before = [migration for migration in load() if migration.name != "letter_source"]
    migrate(client, migrations=before)
    write_dead_letters(client, [letter(n, value) for n, (value, _) in enumerate(VALUES)])

    migrate(client)

    assert [found.source for found in dead_letters(client)] == [source for _, source in VALUES]


def test_groups_count_what_waits(store: ClickHouseStore) -> None:
    """The most frequent first, with the newest time; what was dealt with no longer counts."""
    bank = b'{"source": "bank"}'
    rows = [letter(n, bank, "future", NOW_US + n) for n in range(4)] + [letter(9, bank), letter(10, b"")]
    write_dead_letters(store.client, rows)
    write_dead_letters(store.client, rows[:1], "sent_again")
    write_dead_letters(store.client, rows[-1:], "dropped")

    rv = letter_groups(store.client)

    assert rv == [("future", "bank", 3, NOW_US + 3), ("invalid", "bank", 1, NOW_US)]
    assert count_dead_letters(store.client) == 4
    assert letter_groups(store.client, 1) == rv[:1]
