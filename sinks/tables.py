"""The tables of the kinds, made and kept up from their declarations; what else changes is a numbered migration."""

from collections.abc import Sequence

from contract.kind import Kind
from contract.registry import KINDS
from sinks.client import Client
from sinks.columns import Column, table_columns
from sinks.engines import SchemaError, SchemaSettings
from sinks.packed import is_packed_name, packed_name

__all__ = ["complete_tables", "lacking", "make_tables", "table_sql"]

# An entity is looked up alone, and each column's whole block is unpacked for it. 300 ids of a million: 300 µs of
# processor an id with the usual 64 KiB, 200 µs so; reading everything, and its size on disk, stay as they were.
_BLOCKS = "min_compress_block_size = 4096"


def table_sql(kind: Kind) -> str:
    """Return the statement that makes a kind's table, with the placeholders of migrations."""
    columns = ",\n".join(f"    {_declared(column)}" for column in table_columns(kind))
    about = f"Newest snapshot of every {kind.key} and the marks that were counted for it"
    return f"""CREATE TABLE IF NOT EXISTS {kind.table} {{on_cluster}}
(
{columns}
)
ENGINE = {{engine:ReplacingMergeTree}}(rank)
ORDER BY id
SETTINGS index_granularity = 128, {_BLOCKS}
COMMENT '{_quoted(about)}'
"""


def make_tables(client: Client, settings: SchemaSettings, kinds: Sequence[Kind] = KINDS) -> None:
    """Make the tables that are missing, whole. Before the migrations: these find every table there."""
    there = {name for (name,) in client.rows("SHOW TABLES")}
    for kind in kinds:
        if kind.table not in there:
            client.command(settings.fill(table_sql(kind)))


def complete_tables(client: Client, settings: SchemaSettings, kinds: Sequence[Kind] = KINDS) -> None:
    """Add the columns that a declaration has got since, in their place, and set comments and the blocks' size right.

    After the migrations: one of these may have renamed a column. A column of another type is a SchemaError, which
    says what to do; a column that no declaration names keeps its data, unless it is what look-ups read before.
    """
    for kind in kinds:
        there = _there(client, kind)
        changes = []
        columns = table_columns(kind)
        for before, column in zip((None, *columns), columns, strict=False):
            if column.name not in there:
                place = "FIRST" if before is None else f"AFTER `{before.name}`"
                changes.append(f"ADD COLUMN IF NOT EXISTS {_declared(column)} {place}")
                continue
            type_, comment = there[column.name]
            if type_ != column.type:
                raise SchemaError(
                    f"column {kind.table}.{column.name} is {type_}, the kind {kind.key} declares {column.type}: "
                    "change it by a numbered migration (sinks/schema), or restore the declaration"
                )
            if comment != column.comment:
                changes.append(f"COMMENT COLUMN IF EXISTS `{column.name}` '{_quoted(column.comment)}'")
        outdated = [name for name in there if is_packed_name(name) and name != packed_name(kind)]
        changes += [f"DROP COLUMN IF EXISTS {name}" for name in outdated]
        ((engine,),) = client.rows(
            "SELECT engine_full FROM system.tables WHERE database = {d:String} AND name = {t:String}",
            {"d": client.database, "t": kind.table},
        )
        if _BLOCKS not in engine:  # what is stored already gets smaller blocks when it is merged
            changes.append(f"MODIFY SETTING {_BLOCKS}")
        if changes:
            client.command(settings.fill(f"ALTER TABLE {kind.table} {{on_cluster}} ") + ", ".join(changes))
        if packed_name(kind) not in there:
            # In the background; until then old rows are packed when they are read.
            client.command(
                settings.fill(f"ALTER TABLE {kind.table} {{on_cluster}} MATERIALIZE COLUMN ") + packed_name(kind)
            )


def lacking(client: Client, kinds: Sequence[Kind] = KINDS) -> list[str]:
    """Return what of the kinds is not there: ``table dossiers``, or ``column dossiers.unit``."""
    found = []
    for kind in kinds:
        there = _there(client, kind)
        if there:
            found += [f"column {kind.table}.{c.name}" for c in table_columns(kind) if c.name not in there]
        else:
            found.append(f"table {kind.table}")
    return found


def _there(client: Client, kind: Kind) -> dict[str, tuple[str, str]]:
    """Return type and comment of each column that a kind's table has."""
    rows = client.rows(
        "SELECT name, type, comment FROM system.columns WHERE database = {d:String} AND table = {t:String}",
        {"d": client.database, "t": kind.table},
    )
    return {name: (type_, comment) for name, type_, comment in rows}


def _declared(column: Column) -> str:
    made = f" {column.made}" if column.made else ""
    return f"`{column.name}` {column.type}{made} COMMENT '{_quoted(column.comment)}'"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "''")
