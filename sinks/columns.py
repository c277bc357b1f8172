"""From a kind's struct to the columns of its table, so that a new field is written in one place and the schema."""

from dataclasses import dataclass
from functools import cache

import msgspec
import pyarrow as pa

from contract.kind import Kind
from contract.registry import kind

__all__ = ["INSTANT", "Columns", "columns_of"]

INSTANT = pa.timestamp("us", "UTC")
"""Aware datetimes of any offset become UTC microseconds in C++; a naive one is taken for UTC, never local."""


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
def columns_of(key: str) -> Columns:
    """Return the columns of a kind by its key."""
    found = kind(key)
    fields = msgspec.structs.fields(found.snapshot)
    return Columns(
        kind=found,
        names=tuple(f.name for f in fields),
        types=tuple(_arrow(msgspec.inspect.type_info(f.type)) for f in fields),
        marks=tuple(i.key for i in found.marked),
    )


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
