"""Reading a back-up into a database: the schema it was written under, its rows, and what has changed since."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from contract.registry import KINDS
from sinks.backup.errors import StoreNotEmptyError
from sinks.backup.manifest import Manifest, TableFile
from sinks.backup.pages import PAGE_ROWS
from sinks.backup.plan import known_tables
from sinks.client import Client
from sinks.columns import table_columns
from sinks.engines import SchemaError, SchemaSettings
from sinks.migrate import RETIRED, load, migrate
from sinks.unfinished import begin, end, unfinished

__all__ = ["ensure_readable", "restore"]

WORK = "nhip restore"
_APPENDED = frozenset({"audit"})
"""Tables whose rows nobody may take away, a restore neither: it adds what they lack."""


def ensure_readable(manifest: Manifest) -> None:
    """Raise SchemaError when this program cannot hold what the back-up holds. Pure."""
    ours = {m.number: m.checksum for m in load()}
    remedy = f"restore it with nhip {manifest.program}, which wrote it"
    for m in manifest.migrations:
        if m.number not in RETIRED and m.number not in ours:
            raise SchemaError(
                f"the back-up has migration {m.number} ({m.name}), which this program does not know: {remedy}"
            )
        if ours.get(m.number, m.checksum) != m.checksum:
            raise SchemaError(
                f"migration {m.number} ({m.name}) is another one in this program: {remedy}, then upgrade in place"
            )
    # Other tables are made by the same files; those of kinds by today's declarations.
    declared = {kind.table: {c.name: c.type for c in table_columns(kind)} for kind in KINDS}
    known = set(known_tables())
    for table in manifest.tables:
        if table.table not in known:
            raise SchemaError(f"the back-up has a table {table.table}, which this program does not know: {remedy}")
        for name, type_ in table.columns.items():
            have = declared.get(table.table, {name: type_}).get(name)
            if have != type_:
                raise SchemaError(
                    f"the back-up has a column {table.table}.{name} of type {type_}, this program "
                    f"{'has none' if have is None else f'declares {have}'}: {remedy}, then upgrade in place"
                )


def restore(
    client: Client,
    folder: Path,
    manifest: Manifest,
    settings: SchemaSettings,
    *,
    replace: bool,
    show: Callable[[int, int], None],
) -> None:
    """Make the database what the back-up says, then bring its schema up to date. No worker may run.

    The back-up must have been verified. ``replace``: rows that are there may go; ``show`` gets (rows written, all).
    A restore that did not finish leaves a database on which no worker starts until it is repeated. Raises
    StoreNotEmptyError, SchemaError.
    """
    ensure_readable(manifest)
    if unfinished(client) != WORK:
        migrate(client, settings)  # refuses a database that is newer than this program
        filled = _filled(client)
        if filled and not replace:
            found = ", ".join(f"{table}: {rows} rows" for table, rows in filled.items())
            raise StoreNotEmptyError(
                f"database {client.database} is not empty ({found}): "
                "say --replace to give these up, or name another database"
            )
    begin(client, settings, WORK)
    for name in known_tables():
        if name in _APPENDED:
            continue
        client.command(settings.fill(f"DROP TABLE IF EXISTS {name} {{on_cluster}} SYNC"))
    had = {m.number for m in manifest.migrations}
    migrate(client, settings, [m for m in load() if m.number in had])
    done = 0
    for table in manifest.tables:
        if not table.rows:
            continue
        with pq.ParquetFile(folder / table.file) as file:
            for group in range(file.num_row_groups):
                for batch in file.read_row_group(group).to_batches(max_chunksize=PAGE_ROWS):
                    rows = pa.Table.from_batches([batch])
                    client.insert(table.table, _lacking(client, table, rows) if table.table in _APPENDED else rows)
                    done += batch.num_rows
                    show(done, manifest.rows)
    migrate(client, settings)
    end(client, settings)


def _lacking(client: Client, table: TableFile, rows: pa.Table) -> pa.Table:
    """Return those of the rows that the table does not have."""
    columns = ", ".join(f"`{name}`" for name in table.columns)
    there = client.arrow(f"SELECT {columns} FROM {table.table}")  # noqa: S608 - names of this program's schema
    known = set(zip(*there.to_pydict().values(), strict=True))
    lacking = [row not in known for row in zip(*rows.to_pydict().values(), strict=True)]
    return rows.filter(pa.array(lacking, pa.bool_()))


def _filled(client: Client) -> Mapping[str, int]:
    rows = client.rows(
        "SELECT name, total_rows FROM system.tables "
        "WHERE database = {d:String} AND has({t:Array(String)}, name) AND total_rows > 0 ORDER BY name",
        {"d": client.database, "t": [t for t in known_tables() if t not in {"schema_migrations", *_APPENDED}]},
    )
    return {name: int(n) for name, n in rows}
