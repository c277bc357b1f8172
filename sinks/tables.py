"""The tables of the kinds, made and kept up from their declarations; what else changes is a numbered migration."""

from collections.abc import Sequence

from contract.kind import Kind
from contract.registry import KINDS
from sinks.client import Client
from sinks.columns import Column, table_columns
from sinks.engines import SchemaError, SchemaSettings
from sinks.packed import PACKED

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

    After the migrations: one of these may have renamed a column. Where look-ups read another list of marks than is
    packed, all rows are packed anew, about two seconds for a million. A column of another type is a SchemaError,
    which says what to do; a column that no declaration names keeps its data.
    """
    for kind in kinds:
        there = _there(client, kind)
        changes = []
        columns = table_columns(kind)
        for before, column in zip((None, *columns), columns, strict=False):
            if column.name == PACKED:
                continue
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
        ((engine,),) = client.rows(
            "SELECT engine_full FROM system.tables WHERE database = {d:String} AND name = {t:String}",
            {"d": client.database, "t": kind.table},
        )
        if _BLOCKS not in engine:  # what is stored already gets smaller blocks when it is merged
            changes.append(f"MODIFY SETTING {_BLOCKS}")
        if changes:
            client.command(settings.fill(f"ALTER TABLE {kind.table} {{on_cluster}} ") + ", ".join(changes))
        packed = columns[-1]
        if there.get(PACKED) != (packed.type, packed.comment):
            _pack(client, settings.fill(f"ALTER TABLE {kind.table} {{on_cluster}}"), packed, PACKED in there)


def lacking(client: Client, kinds: Sequence[Kind] = KINDS) -> list[str]:
    """Return the columns that :func:`complete_tables` would add or pack anew, as ``table.column``."""
    found = []
    for kind in kinds:
        there = _there(client, kind)
        for column in table_columns(kind):
            known = there.get(column.name)
            if known is None or (column.name == PACKED and known != (column.type, column.comment)):
                found.append(f"{kind.table}.{column.name}")
    return found


def _there(client: Client, kind: Kind) -> dict[str, tuple[str, str]]:
    """Return type and comment of each column that a kind's table has."""
    rows = client.rows(
        "SELECT name, type, comment FROM system.columns WHERE database = {d:String} AND table = {t:String}",
        {"d": client.database, "t": kind.table},
    )
    return {name: (type_, comment) for name, type_, comment in rows}


def _pack(client: Client, alter: str, column: Column, there: bool) -> None:
    """Have all rows packed as the declaration says; the comment is last, so that what was cut short is done again."""
    word = "MODIFY COLUMN" if there else "ADD COLUMN IF NOT EXISTS"
    client.command(f"{alter} {word} {column.name} {column.type} {column.made}")
    client.command(f"{alter} MATERIALIZE COLUMN {column.name} SETTINGS mutations_sync = 2")
    client.command(f"{alter} COMMENT COLUMN {column.name} '{_quoted(column.comment)}'")


def _declared(column: Column) -> str:
    made = f" {column.made}" if column.made else ""
    return f"`{column.name}` {column.type}{made} COMMENT '{_quoted(column.comment)}'"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "''")
