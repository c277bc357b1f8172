"""From a kind's declaration to the columns of its table: names, types of Arrow and of the store, comments."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import msgspec
import pyarrow as pa

from contract.kind import Kind
from sinks.packed import packed_comment, packed_name, packed_sql

__all__ = ["INSTANT", "Column", "Columns", "columns_of", "table_columns"]

INSTANT = pa.timestamp("us", "UTC")
"""How times lie in tables: UTC microseconds."""

_UINT32_END = 2**32
_WORDS = "LowCardinality(String)"


class Column(NamedTuple):
    """One column of a table. ``made``: the expression that fills it, or its default, with the word before it."""

    name: str
    type: str
    comment: str
    made: str = ""


@dataclass(frozen=True)
class Columns:
    """How snapshots of one kind lie in its table.

    ``names`` and ``types`` are those of the snapshot's fields in declared order; ``marks`` the indicators with
    columns ``<key>_at`` and ``<key>_good``.
    """

    kind: Kind
    names: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    marks: tuple[str, ...]

    @property
    def has_field(self) -> bool:
        """Whether marks of this kind also count by field."""
        return "field" in self.names


@cache
def columns_of(kind: Kind) -> Columns:
    """Return the columns that a kind's snapshots fill."""
    fields = msgspec.structs.fields(kind.snapshot)
    return Columns(
        kind=kind,
        names=tuple(f.name for f in fields),
        types=tuple(_arrow(msgspec.inspect.type_info(f.type)) for f in fields),
        marks=tuple(i.key for i in kind.marked),
    )


def table_columns(kind: Kind) -> tuple[Column, ...]:
    """Return all columns of a kind's table in order: of every kind, the snapshot's, the marks', of every kind."""
    fields = [
        Column(f.name, _stored(found), _comment(found))
        for f in msgspec.structs.fields(kind.snapshot)
        for found in [msgspec.inspect.type_info(f.type)]
    ]
    marks = [
        column
        for i in kind.marked
        for column in (
            Column(f"{i.key}_at", "Nullable(Int64)", f"Mark {i.key}: {_WHERE}"),
            Column(f"{i.key}_good", "UInt8", f"Mark {i.key}: 1 when it counts for the numerator"),
        )
    ]
    packed = Column(packed_name(kind), "String", packed_comment(kind), f"MATERIALIZED {packed_sql(kind)}")
    return (*_before(kind), *fields, *marks, *_form(kind), *_AFTER, packed)


_WHERE = "where it counts, seconds since 1970; NULL when it does not count"
_RANK = "bitShiftLeft(toUInt128(version), 64) + bitShiftLeft(toUInt128(definitions), 48) + content"


def _before(kind: Kind) -> tuple[Column, ...]:
    return (
        Column("id", "String", f"Code of the {kind.key}; the Kafka key"),
        Column("source", "LowCardinality(String)", "System that sent the snapshot"),
        Column("event_id", "String", "Id of the CloudEvent, unique within its source"),
        Column("event_time", "DateTime64(6, 'UTC')", "When it happened, as the source says"),
        Column("version", "UInt64", "Microseconds since 1970 of the change in the source; the larger wins"),
        Column(
            "content", "UInt64", "48-bit hash of the record's bytes; decides between two snapshots of one version"
        ),
        Column("definitions", "UInt16", "Sequence of the definitions with which the marks were counted"),
        Column(
            "rank",
            "UInt128",
            "Order of the rows of one entity: version, definitions, content",
            f"MATERIALIZED {_RANK}",
        ),
    )


_AFTER = (
    Column("partition", "UInt16", "Kafka partition of the record"),
    Column("offset", "Int64", "Kafka offset of the record"),
    Column("epoch", "UInt64", "Epoch of the worker that counted it"),
    Column(
        "written_at",
        "DateTime64(3, 'UTC')",
        "When the row was inserted; never used to order",
        "DEFAULT now64(3, 'UTC')",
    ),
)


def _form(kind: Kind) -> tuple[Column, ...]:
    if kind.code_form is None:
        return ()
    form = kind.code_form.replace("\\", "\\\\").replace("'", "\\'")
    comment = "Whether the code has a national form; others count but are flagged"
    return (Column("code_form_known", "Bool", comment, f"MATERIALIZED match(id, '{form}')"),)


def _arrow(found: msgspec.inspect.Type) -> pa.DataType:
    if isinstance(found, msgspec.inspect.Metadata):
        return _arrow(found.type)
    if isinstance(found, msgspec.inspect.UnionType):
        return next(_arrow(t) for t in found.types if not isinstance(t, msgspec.inspect.NoneType))
    if isinstance(found, msgspec.inspect.DateTimeType):
        return INSTANT
    if isinstance(found, msgspec.inspect.BoolType):
        return pa.bool_()
    return pa.int64() if isinstance(found, msgspec.inspect.IntType) else pa.string()


def _stored(found: msgspec.inspect.Type, *, many: bool = False) -> str:
    """Return the store's type. Text is packed as words of a dictionary unless there are ``many`` different."""
    if isinstance(found, msgspec.inspect.Metadata):
        return _stored(found.type, many=many or (found.extra or {}).get("distinct") == "many")
    if isinstance(found, msgspec.inspect.UnionType):
        inner = next(_stored(t, many=many) for t in found.types if not isinstance(t, msgspec.inspect.NoneType))
        return "LowCardinality(Nullable(String))" if inner == _WORDS else f"Nullable({inner})"
    if isinstance(found, msgspec.inspect.DateTimeType):
        return "DateTime64(6, 'UTC')"
    if isinstance(found, msgspec.inspect.BoolType):
        return "Bool"
    if isinstance(found, msgspec.inspect.IntType):
        small = found.ge is not None and found.ge >= 0 and found.le is not None and found.le < _UINT32_END
        return "UInt32" if small else "Int64"
    return "String" if many else _WORDS


def _comment(found: msgspec.inspect.Type) -> str:
    """Return what the field is said to mean."""
    if isinstance(found, msgspec.inspect.Metadata):
        return str((found.extra_json_schema or {}).get("description", "")) or _comment(found.type)
    if isinstance(found, msgspec.inspect.UnionType):
        return next((said for t in found.types if (said := _comment(t))), "")
    return ""
