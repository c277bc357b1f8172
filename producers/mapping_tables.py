"""The tables of a mapping as typed values. docs/mappings.md explains every key."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from contract.fields import Source as SourceName
from contract.kind import Kind
from contract.registry import KINDS, kind
from producers.convert import ISO, Times

__all__ = ["FieldSource", "Mapping", "Moments", "Scalar", "Status", "Subject"]

Scalar = str | int | bool


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the tables: an unknown key is a slip of the pen, never ignored."""


class Subject(_Table, frozen=True, kw_only=True):
    """Where the code of the entity stands: ``prefix`` + the text of ``column``."""

    column: str
    prefix: str = ""


class Moments(_Table, frozen=True, kw_only=True):
    """Columns with the times of changes.

    ``start``: when the case was received (log: the first row if absent); ``end``: when it finished;
    ``row``: when this row happened. ``version`` (snapshots only): a whole number that orders the rows, in
    ``version_unit`` since 1970; without it the version is ``row`` in microseconds.
    """

    start: str | None = None
    end: str | None = None
    row: str | None = None
    version: str | None = None
    version_unit: Literal["s", "ms", "us"] = "us"


class Status(_Table, frozen=True, kw_only=True):
    """The status over time, for log and cases.

    ``start`` from receipt, ``row`` after a log row, ``end`` from the end on, whatever follows. With
    ``column`` and ``map`` a row whose cell is in the map sets the status; other rows keep it.
    """

    start: str
    row: str | None = None
    end: str | None = None
    column: str | None = None
    map: dict[str, str] | None = None


class FieldSource(_Table, frozen=True, kw_only=True):
    """Where a value comes from: one of a ``column``, a constant ``value``, or a ``moment``.

    ``map``, ``default``: words for cells; ``scale``: factor of a number; ``only``: column → cells, rows that
    are read; ``known``: since when it is known (``case``: always, ``start``, ``row``, ``end``).
    """

    column: str | None = None
    value: Scalar | None = None
    moment: Literal["start", "end"] | None = None
    map: dict[str, Scalar] | None = None
    default: Scalar | None = None
    scale: int = 1
    only: dict[str, list[str]] | None = None
    known: Literal["case", "start", "row", "end"] | None = None


class Mapping(_Table, frozen=True, kw_only=True):
    """A whole mapping, checked against the contract: see load_mapping. ``name`` is for messages."""

    name: str
    kind: Annotated[str, Meta(pattern=f"^({'|'.join(k.key for k in KINDS)})$")]
    layout: Literal["log", "cases", "snapshots"]
    source: SourceName
    subject: Subject
    moments: Moments
    fields: dict[str, tuple[FieldSource, ...]]
    status: Status | None = None
    timezone: str = "Asia/Ho_Chi_Minh"
    time_formats: tuple[str, ...] = (ISO,)
    encoding: str = "utf-8"
    delimiter: str = ","

    @property
    def declared(self) -> Kind:
        """The kind that the rows become."""
        return kind(self.kind)

    @property
    def times(self) -> Times:
        """A reader of this mapping's times."""
        return Times(self.time_formats, ZoneInfo(self.timezone))

    def columns(self) -> tuple[str, ...]:
        """Names of all columns that the file must have, in the order of the mapping, each once."""
        named = [self.subject.column, self.moments.start, self.moments.end, self.moments.row]
        named += [self.moments.version, self.status.column if self.status else None]
        for source in (s for sources in self.fields.values() for s in sources):
            named += [source.column, *(source.only or ())]
        return tuple(dict.fromkeys(c for c in named if c is not None))
