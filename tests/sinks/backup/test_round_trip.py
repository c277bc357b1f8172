"""Whole back-ups: what comes back, what is refused, and what a broken one leaves behind."""

# ruff: noqa: S608
# Tables and columns in SQL come from the schema.

import errno
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from contract.dossier import DOSSIER
from sinks.backup import dump as dump_module
from sinks.backup import load as load_module
from sinks.backup import pages as pages_module
from sinks.backup.dump import dump
from sinks.backup.errors import BackupDamagedError, BackupTargetError, StoreNotEmptyError
from sinks.backup.load import ensure_readable, restore
from sinks.backup.manifest import Manifest, read_manifest, verify
from sinks.backup.plan import DERIVED, known_tables, reading_order
from sinks.client import Client
from sinks.epochs import flushed_offsets
from sinks.migrate import Migration, SchemaError, SchemaSettings, ensure_schema, load, migrate
from sinks.store import ClickHouseStore
from streams.rows import EntityBatch, EpochKey, Partition, Progress
from tests.sinks.backup.conftest import Backup
from tests.support.events import dossier

pytestmark = pytest.mark.services

Change = Callable[[Path], None]


def quiet(*_: int) -> None:
    """Show nothing."""


def put_back(client: Client, folder: Path, *, replace: bool = False) -> Manifest:
    """Restore as the command does."""
    manifest = read_manifest(folder)
    verify(folder, manifest, quiet)
    restore(client, folder, manifest, SchemaSettings(), replace=replace, show=quiet)
    return manifest


def content(client: Client, table: str) -> list[tuple[Any, ...]]:
    """Count and digest of all rows of a table, with the columns that the store computes."""
    names = client.rows(
        "SELECT name FROM system.columns WHERE database = {d:String} AND table = {t:String} ORDER BY name",
        {"d": client.database, "t": table},
    )
    columns = ", ".join(f"`{name}`" for (name,) in names)
    return client.rows(f"SELECT count(), groupBitXor(sipHash64({columns})) FROM {table}")


@pytest.mark.parametrize("page_rows", [4, 5], ids=["a-rest-on-the-last-page", "whole-pages"])
def test_every_value_of_every_table_comes_back(
    full: Client, other: Client, taken: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page_rows: int
) -> None:
    """All bytes, extremes, NULLs, arrays and enums, over many pages; computed columns are computed again."""
    monkeypatch.setattr(pages_module, "PAGE_ROWS", page_rows)

    made = taken(full, tmp_path / "b")
    put_back(other, tmp_path / "b")

    held = reading_order(known_tables())
    assert {t: content(other, t) for t in held} == {t: content(full, t) for t in held}
    assert {t.table: t.rows for t in made.tables} == dict.fromkeys(held, 25)
    assert all(content(other, t)[0][0] == 0 for t in DERIVED if t != "schema_migrations")
    ensure_schema(other)
    assert oct((tmp_path / "b").stat().st_mode)[-3:] == "700"
    assert {oct(f.stat().st_mode)[-3:] for f in (tmp_path / "b").iterdir()} == {"600"}


def test_an_empty_store_comes_back(client: Client, other: Client, taken: Backup, tmp_path: Path) -> None:
    """A back-up of nothing is a back-up."""
    migrate(client)

    taken(client, tmp_path / "b")
    rv = put_back(other, tmp_path / "b")

    assert rv.rows == 0
    ensure_schema(other)


def flush(store: ClickHouseStore, number: int) -> None:
    """Write one record as a worker does: first the row, then the progress that names it."""
    event = dossier(f"d{number}", number + 1)
    store.write_entities(EntityBatch(DOSSIER, [event], [0], [(None,) * len(DOSSIER.marked)], [0], [number], [1]))
    store.write_progress([Progress(EpochKey(DOSSIER.topic, 0, 1), number + 1, number, 0, ())])


@pytest.mark.parametrize(("backwards", "lost"), [(False, set()), (True, {1})], ids=["planned", "the-other-way-round"])
def test_a_flush_between_two_tables_loses_nothing(
    client: Client,
    other: Client,
    taken: Backup,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    backwards: bool,
    lost: set[int],
) -> None:
    """Workers flush while tables are read: what the restored position claims is there; read last, it is not."""
    migrate(client)
    store = ClickHouseStore(client, 1)
    flush(store, 0)
    read, numbers = pages_module.pages, iter((1, 2))

    def reading(inner: Client, shape: pages_module.TableShape) -> Any:
        yield from read(inner, shape)
        if shape.name in ("progress", "dossiers"):
            flush(store, next(numbers))

    monkeypatch.setattr(dump_module, "pages", reading)
    if backwards:
        monkeypatch.setattr(dump_module, "reading_order", lambda tables: reading_order(tables)[::-1])

    taken(client, tmp_path / "b")
    put_back(other, tmp_path / "b")

    partition = Partition(DOSSIER.topic, 0)
    position = flushed_offsets(other, [partition])[partition]
    stored = {n for (n,) in other.rows("SELECT offset FROM dossiers FINAL")}
    assert set(range(position + 1)) - stored == lost


def test_rows_are_given_up_only_when_told(full: Client, other: Client, taken: Backup, tmp_path: Path) -> None:
    """A database with rows is refused by name; --replace gives them up, all but the trail of what people did."""
    taken(full, tmp_path / "b")
    migrate(other)
    other.command("INSERT INTO dossiers (id) VALUES ('mine')")
    other.command("INSERT INTO audit (act) VALUES ('an act of mine')")

    with pytest.raises(StoreNotEmptyError, match=r"\(dossiers: 1 rows\): say --replace"):
        put_back(other, tmp_path / "b")
    kept = other.rows("SELECT id FROM dossiers")
    put_back(other, tmp_path / "b", replace=True)
    put_back(other, tmp_path / "b", replace=True)

    assert kept == [("mine",)]
    assert content(other, "dossiers") == content(full, "dossiers")
    assert other.rows("SELECT count(), countIf(act = 'an act of mine') FROM audit") == [(26, 1)]


def test_a_restore_that_broke_off_is_repeated(
    full: Client, other: Client, taken: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then no worker may start; repeating needs no --replace."""
    taken(full, tmp_path / "b")
    insert = Client.insert

    def dies(self: Client, table: str, rows: Any) -> None:
        if table == "dossiers":
            raise KeyboardInterrupt
        insert(self, table, rows)

    monkeypatch.setattr(Client, "insert", dies)
    with pytest.raises(KeyboardInterrupt):
        put_back(other, tmp_path / "b")
    monkeypatch.setattr(Client, "insert", insert)
    with pytest.raises(SchemaError, match="`nhip restore` has not finished"):
        ensure_schema(other)
    with pytest.raises(SchemaError, match="has not finished"):
        taken(other, tmp_path / "half")
    put_back(other, tmp_path / "b")

    ensure_schema(other)
    assert content(other, "dossiers") == content(full, "dossiers")
    assert not (tmp_path / "half").exists()


def flipped(folder: Path) -> None:
    """One bit of a table's file."""
    path = folder / "dossiers.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def emptied(folder: Path) -> None:
    """The manifest without its end."""
    (folder / "manifest.json").write_bytes((folder / "manifest.json").read_bytes()[:200])


def edited(folder: Path) -> None:
    """Another number in the manifest."""
    path = folder / "manifest.json"
    path.write_text(path.read_text("utf-8").replace('"rows": 25', '"rows": 24', 1), "utf-8")


def without(name: str) -> Change:
    """Remove a file."""
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    "damage",
    [flipped, emptied, edited, without("manifest.json"), without("SHA256SUMS"), without("epochs.parquet")],
    ids=["bit", "cut", "edited", "no-manifest", "no-sums", "no-table"],
)
def test_a_damaged_backup_is_refused_before_the_first_row(
    full: Client, other: Client, taken: Backup, tmp_path: Path, damage: Change
) -> None:
    """Whatever is damaged: it is named, and the database stays untouched."""
    taken(full, tmp_path / "b")
    damage(tmp_path / "b")

    with pytest.raises(BackupDamagedError, match=str(tmp_path)):
        put_back(other, tmp_path / "b")

    assert other.rows("SHOW TABLES") == []


def test_a_backup_of_a_newer_program_is_refused(full: Client, taken: Backup, tmp_path: Path) -> None:
    """Another layout, migration, table or column: the text names the version to restore it with."""
    made = taken(full, tmp_path / "b")
    path = tmp_path / "b" / "manifest.json"
    later = msgspec.convert({"number": 99, "name": "later", "checksum": ""}, type(made.migrations[0]))
    dossiers = next(t for t in made.tables if t.table == "dossiers")
    other_text = msgspec.structs.replace(made.migrations[-1], checksum="0")
    wider = msgspec.structs.replace(dossiers, columns={**dossiers.columns, "mood": "String"})
    newer = [
        (msgspec.structs.replace(made, migrations=[*made.migrations, later]), r"migration 99 \(later\)"),
        (msgspec.structs.replace(made, migrations=[other_text]), "is another one in this program"),
        (msgspec.structs.replace(made, tables=[wider]), r"a column dossiers.mood of type String"),
        (msgspec.structs.replace(made, tables=[msgspec.structs.replace(dossiers, table="moods")]), "a table moods"),
    ]

    for manifest, text in newer:
        with pytest.raises(SchemaError, match=rf"{text}.*with nhip 0\.0\.0"):
            ensure_readable(manifest)
    path.write_text(json.dumps({"format": 2, "program": "9.9", "unknown": 1}), "utf-8")
    with pytest.raises(SchemaError, match=r"nhip 9\.9 in a newer layout"):
        read_manifest(tmp_path / "b")


def test_an_older_backup_is_migrated_with_its_rows(
    full: Client, other: Client, taken: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this program has changed since is applied after the rows are there, as in an upgrade in place."""
    taken(full, tmp_path / "b")
    later = Migration(
        99, "later", "ALTER TABLE alert_actions UPDATE reason = 'migrated' WHERE 1 SETTINGS mutations_sync = 1;\n"
    )
    for module in ("sinks.migrate", load_module.__name__):
        monkeypatch.setattr(f"{module}.load", lambda: [*load(), later])

    put_back(other, tmp_path / "b")

    assert other.rows("SELECT reason, count() FROM alert_actions GROUP BY 1") == [("migrated", 25)]
    ensure_schema(other)


def test_a_full_disk_leaves_nothing_behind(
    full: Client, taken: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A back-up appears whole or not at all; what is there already is never touched."""
    (tmp_path / "taken").mkdir()
    write = pq.ParquetWriter.write_table

    def fills(self: pq.ParquetWriter, table: Any) -> None:
        write(self, table)
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(BackupTargetError, match="exists already"):
        taken(full, tmp_path / "taken")
    monkeypatch.setattr(pq.ParquetWriter, "write_table", fills)
    with pytest.raises(BackupTargetError, match=r"No space left on device.*: free space"):
        taken(full, tmp_path / "b")

    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_an_interrupted_backup_leaves_nothing_behind(full: Client, tmp_path: Path) -> None:
    """Ctrl-C in the middle of a table."""

    def interrupted(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dump(full, tmp_path / "b", program="0.0.0", now=lambda: datetime(2026, 11, 22, tzinfo=UTC), show=interrupted)

    assert list(tmp_path.iterdir()) == []


def test_a_column_that_no_kind_declares_stays_where_it_is(full: Client, taken: Backup, tmp_path: Path) -> None:
    """Somebody added it by hand: it is no part of a back-up, which every installation must be able to read."""
    full.command("ALTER TABLE dossiers ADD COLUMN note String DEFAULT 'by hand'")

    made = taken(full, tmp_path / "b")

    assert all("note" not in table.columns for table in made.tables)
    assert "note" not in pq.read_schema(tmp_path / "b" / "dossiers.parquet").names
