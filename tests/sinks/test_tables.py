"""Tables of kinds: made from the declaration, the same as those of the first migrations, with data in place."""

import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from contract.fields import Count, about
from contract.marks import Mark
from contract.meeting import MEETING, Meeting
from contract.registry import INDICATORS, KINDS
from sinks.client import Client
from sinks.lookups import look_up
from sinks.migrate import SchemaError, load, migrate
from sinks.packed import is_packed_name, packed_name, packed_sql, unpacked
from streams.rows import Stored

pytestmark = pytest.mark.services

OLD = sorted((Path(__file__).parent / "retired").glob("*.sql"))
"""The first three migrations as they were before tables came from declarations."""


def schema(client: Client, tables: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Everything that the engine says of the columns, in their order."""
    return client.rows(
        "SELECT table, name, type, comment, default_kind, default_expression, position FROM system.columns "
        "WHERE database = {d:String} AND has({t:Array(String)}, table) ORDER BY table, position",
        {"d": client.database, "t": list(tables)},
    )


def make_old(client: Client) -> None:
    """A database of the time before, with its ledger and a dossier in it."""
    engines = re.compile(r"\{engine:(\w+)\}")
    client.command(
        "CREATE TABLE schema_migrations (number UInt16, name String, checksum String, "
        "applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = MergeTree ORDER BY number"
    )
    for number, path in enumerate(OLD, 1):
        client.command(engines.sub(r"\1", path.read_text("utf-8").replace("{on_cluster}", "")).rstrip().rstrip(";"))
        client.command(
            "INSERT INTO schema_migrations (number, name, checksum) VALUES ({n:UInt16}, {m:String}, 'as it was')",
            {"n": number, "m": path.stem},
        )
    client.command("INSERT INTO dossiers (id, version, unit, due_at) VALUES ('H10-1', 7, 'u', '2026-01-01 00:00:00')")


def test_an_old_database_becomes_a_new_one_with_its_data_in_place(client: Client) -> None:
    """Types, defaults, order and comments end up as a fresh database has them; rows and the ledger stay."""
    make_old(client)
    tables = tuple(kind.table for kind in KINDS)
    before = schema(client, tables)

    migrate(client)
    migrated = schema(client, tables)
    rows = client.rows("SELECT id, version, unit, online_at, code_form_known FROM dossiers")
    for table in tables:
        client.command(f"DROP TABLE {table}")
    migrate(client)

    assert migrated == schema(client, tables)
    assert rows == [("H10-1", 7, "u", None, False)]
    # What the declarations make is what the files made, but for the words beside the marks.
    types = [(t, n, ty, d, e, p) for t, n, ty, _, d, e, p in migrated if t != "documents" and not is_packed_name(n)]
    assert types == [(t, n, ty, d, e, p) for t, n, ty, _, d, e, p in before]
    marks = {f"{i.key}_{side}" for i in INDICATORS.values() for side in ("at", "good")}
    said = {(t, n): c for t, n, _, c, *_ in before if n not in marks}
    assert said == {(t, n): c for t, n, _, c, *_ in migrated if (t, n) in said}
    assert len(client.rows("SELECT number FROM schema_migrations")) == len(OLD) + len(load())


class WiderMeeting(Meeting, frozen=True, kw_only=True):
    """The meeting with a field more."""

    rooms: Annotated[Count | None, about("Rooms with a screen")] = None


WIDER = msgspec.structs.replace(MEETING, snapshot=WiderMeeting)


def test_a_field_more_is_a_column_more_in_its_place(client: Client) -> None:
    """An older table gets the column where a new one has it, and a second run changes nothing."""
    migrate(client)
    client.command("INSERT INTO meetings (id, participants) VALUES ('m', 3)")

    migrate(client, kinds=(WIDER,))
    grown = schema(client, ("meetings",))
    migrate(client, kinds=(WIDER,))

    assert client.rows("SELECT participants, rooms FROM meetings") == [(3, None)]
    names = [row[1] for row in grown]
    assert names[names.index("documents_printed") + 1 :][:2] == ["rooms", "paperless_meeting_at"]
    assert next(row[2:4] for row in grown if row[1] == "rooms") == ("Nullable(UInt32)", "Rooms with a screen")
    assert schema(client, ("meetings",)) == grown
    migrate(client)
    assert schema(client, ("meetings",)) == grown  # a declaration without the field leaves it its data


def test_a_field_of_another_type_is_refused_with_the_way_out(client: Client) -> None:
    """A type is changed by somebody who has thought of the data in it."""
    migrate(client)
    client.command("ALTER TABLE meetings MODIFY COLUMN participants Nullable(String)")

    with pytest.raises(
        SchemaError, match=r"meetings\.participants is Nullable\(String\), .* by a numbered migration"
    ):
        migrate(client)


def test_an_older_table_gets_the_small_blocks_of_a_new_one(client: Client) -> None:
    """Of which a look-up unpacks one for each column; the rows stay."""
    engines = (
        "SELECT name, engine_full FROM system.tables WHERE database = {d:String} AND has({t:Array(String)}, name)"
    )
    asked = {"d": client.database, "t": [kind.table for kind in KINDS]}
    migrate(client)
    new = client.rows(engines, asked)
    client.command("ALTER TABLE dossiers RESET SETTING min_compress_block_size")
    client.command("INSERT INTO dossiers (id) VALUES ('H10-1')")
    before = client.rows(engines, asked)

    migrate(client)

    assert before != new
    assert client.rows(engines, asked) == new
    assert client.rows("SELECT id FROM dossiers") == [("H10-1",)]


TWICE = msgspec.structs.replace(
    MEETING, indicators=(*MEETING.indicators, msgspec.structs.replace(MEETING.indicators[0], key="again"))
)
"""The meeting with a mark more."""


def packed_columns(client: Client) -> list[str]:
    """What look-ups may read of meetings."""
    asked = {"d": client.database}
    rows = client.rows("SELECT name FROM system.columns WHERE database = {d:String} AND table = 'meetings'", asked)
    return [name for (name,) in rows if is_packed_name(name)]


def test_a_mark_more_is_packed_in_a_column_of_its_own(client: Client) -> None:
    """Look-ups read the new list of an old row at once, and the old column goes."""
    migrate(client)
    client.command("INSERT INTO meetings (id, unit, paperless_meeting_at) VALUES ('m', 'u', 7)")
    before = look_up(client, MEETING, ["m"])["m"].marks

    migrate(client, kinds=(TWICE,))

    assert before == (Mark(7, good=False),)
    assert look_up(client, TWICE, ["m"])["m"].marks == (Mark(7, good=False), None)
    assert packed_columns(client) == [packed_name(TWICE)]
    migrate(client)
    assert look_up(client, MEETING, ["m"])["m"].marks == before
    assert packed_columns(client) == [packed_name(MEETING)]


def test_old_rows_are_looked_up_before_they_are_packed(client: Client) -> None:
    """An upgrade that was cut short, or whose work in the background has not ended, tells nothing wrong."""
    migrate(client)
    client.command(f"ALTER TABLE meetings DROP COLUMN {packed_name(MEETING)}")
    client.command("INSERT INTO meetings (id, unit, paperless_meeting_at, version) VALUES ('m', 'u', 7, 3)")
    client.command(
        f"ALTER TABLE meetings ADD COLUMN {packed_name(MEETING)} String MATERIALIZED {packed_sql(MEETING)}"
    )

    rv = look_up(client, MEETING, ["m"])

    assert rv == {"m": Stored(3, 0, "u", None, (Mark(7, good=False),), 0, 0)}


def test_a_list_of_other_marks_is_refused() -> None:
    """A row that was packed in another way is never taken for one of today."""
    (row,) = unpacked(MEETING, [1 << 64 | 5], ['["4","9","u",null,null,"0"]'])

    assert row == Stored(1, 5, "u", None, (None,), 4, 9)
    with pytest.raises(msgspec.ValidationError):
        list(unpacked(TWICE, [1], ['["4","9","u",null,null,"0"]']))
