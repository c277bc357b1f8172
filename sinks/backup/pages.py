"""Reading a table whole in pages of bounded size, in the order of its key, while others write to it."""

# ruff: noqa: S608
# Tables, columns and types in SQL are those of the database's own catalogue; every value is a parameter.

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pyarrow as pa

from contract.registry import KINDS
from sinks.client import Client
from sinks.columns import table_columns

__all__ = ["TableShape", "pages", "shapes"]

PAGE_ROWS = 50_000
_PAGE_ROWS_OF = {"dead_letters": 200}
"""Refused records may have any size that Kafka takes, a megabyte and more each; rows of other tables are small."""


class TableShape(NamedTuple):
    """A table as it is read and written: ``columns`` (name → type) without those that the store computes.

    ``newest_only``: of several rows with one key only the newest counts. ``rows``: about how many there are.
    """

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]
    newest_only: bool
    rows: int


def shapes(client: Client, tables: Iterable[str]) -> dict[str, TableShape]:
    """Return the shapes of those tables that exist. Of a kind's table only what the kind declares belongs to it."""
    declared = {kind.table: {column.name for column in table_columns(kind)} for kind in KINDS}
    wanted = list(tables)
    found = client.rows(
        "SELECT name, engine, sorting_key, total_rows FROM system.tables "
        "WHERE database = {d:String} AND has({t:Array(String)}, name)",
        {"d": client.database, "t": wanted},
    )
    columns: dict[str, dict[str, str]] = {name: {} for name, *_ in found}
    for table, column, type_ in client.rows(
        "SELECT table, name, type FROM system.columns WHERE database = {d:String} AND has({t:Array(String)}, table) "
        "AND default_kind IN ('', 'DEFAULT') ORDER BY table, position",
        {"d": client.database, "t": wanted},
    ):
        if column in declared.get(table, {column}):
            columns[table][column] = type_
    return {
        name: TableShape(
            name,
            columns[name],
            tuple(part.strip(" `") for part in sorting_key.split(",")),
            "Replacing" in engine,
            int(rows or 0),
        )
        for name, engine, sorting_key, rows in found
    }


def pages(client: Client, shape: TableShape) -> Iterator[pa.Table]:
    """Yield the rows of a table in the order of its key, of an empty one an empty page.

    Rows written meanwhile may or may not be among them. Text comes as its bytes, since a refused record need not be
    UTF-8.
    """
    limit = _PAGE_ROWS_OF.get(shape.name, PAGE_ROWS)
    columns = ", ".join(f"`{name}`" for name in shape.columns)
    order = ", ".join(f"`{name}`" for name in shape.key)
    source = f"{shape.name} FINAL" if shape.newest_only else shape.name
    bound, parameters = "", dict[str, Any]()
    while True:
        # With ties: two rows of one key may lie on both sides of the limit.
        sql = f"SELECT {columns} FROM {source} {bound} ORDER BY {order} LIMIT {limit} WITH TIES"
        page = client.arrow(sql, parameters)
        if page.num_rows or not bound:
            yield page
        if page.num_rows < limit:
            return
        last = {f"k{n}": _hex(page.column(name)[-1].as_py()) for n, name in enumerate(shape.key)}
        values = [_typed(f"k{n}", shape.columns[name]) for n, name in enumerate(shape.key)]
        # The first part of the key alone lets the index skip what was read; the whole decides.
        bound = f"WHERE `{shape.key[0]}` >= {values[0]} AND ({order}) > ({', '.join(values)})"
        parameters = last


def _typed(name: str, type_: str) -> str:
    """Return SQL of a key's value, which travels as the hex digits of its text; an Enum as its number."""
    quoted = type_.replace("\\", "\\\\").replace("'", "\\'")
    text = f"unhex({{{name}:String}})"
    value = f"toInt16({text})" if type_.startswith("Enum") else text
    return f"CAST({value}, '{quoted}')"


def _hex(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f").encode().hex()
    return str(value).encode().hex()
