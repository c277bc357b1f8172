"""A mapping made ready to read rows: every cell has its reader."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from contract.fields import EARLIEST_YEAR, LATEST_YEAR, Subject
from contract.kind import Kind
from contract.marks import epoch_us
from producers.convert import CellError, FieldType, Times, field_types, to_integer
from producers.mapping_tables import FieldSource, Mapping
from producers.refusal import Refusal

__all__ = ["Plan", "PlannedSource", "Row"]

_EARLIEST_US = epoch_us(datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC))
_END_US = epoch_us(datetime(LATEST_YEAR + 1, 1, 1, tzinfo=UTC))
_US_PER = {"s": 1_000_000, "ms": 1000, "us": 1}


class Row(NamedTuple):
    """One row with its cells read. ``values`` are in the order of Plan.sources; None is an empty cell."""

    number: int
    subject: str
    start: datetime | None
    end: datetime | None
    moment: datetime | None
    version: int | None
    status: str | None
    values: tuple[Any, ...]


class PlannedSource(NamedTuple):
    """One source of one field; ``known`` says since when (``case``, ``start``, ``row``, ``end``)."""

    field: FieldType
    known: str
    is_moment: bool
    column: str | None
    read: Callable[[str], Any] | None
    constant: Any
    only: dict[str, frozenset[str]]


class Plan:
    """Reads rows by a checked mapping."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.kind: Kind = mapping.declared
        self._times = mapping.times
        types = field_types(self.kind.snapshot)
        self.sources = tuple(
            _planned(mapping, types[name], source, self._times)
            for name, sources in mapping.fields.items()
            for source in sources
        )
        self.required = tuple(name for name, field in types.items() if field.required)
        self.facts = frozenset(self.kind.facts)
        self._subject = FieldType("subject", Subject, required=True)

    def column_of(self, field: str) -> str | None:
        """Return the column that a field is read from first; None for a constant, a moment or no source."""
        if field == "status" and self.mapping.status is not None:
            return self.mapping.status.column
        return next((s.column for s in self.sources if s.field.name == field), None)

    def read(self, number: int, cells: dict[str, str]) -> Row | Refusal:
        """Read one row; the first cell that is wrong refuses it whole."""
        mapping, moments = self.mapping, self.mapping.moments
        column: str | None = None
        try:
            column = mapping.subject.column
            subject = self._subject.checked(_subject(cells, mapping))
            column = moments.start
            start = self._time(cells, column)
            column = moments.end
            end = self._time(cells, column)
            column = moments.row
            moment = self._time(cells, column, required=True)
            column = moments.version
            version = self._version(cells, column)
            values = []
            for source in self.sources:
                column = source.column
                values.append(_value(source, cells))
        except CellError as error:
            return Refusal(number, column, str(error))
        return Row(number, subject, start, end, moment, version, self._status(cells), tuple(values))

    def _time(self, cells: dict[str, str], column: str | None, *, required: bool = False) -> datetime | None:
        if column is None:
            return None
        text = _text(cells, column)
        if required and not text:
            raise CellError("is empty: a row must say when it happened")
        return self._times.parse(text) if text else None

    def _version(self, cells: dict[str, str], column: str | None) -> int | None:
        if column is None:
            return None
        text, unit = _text(cells, column), self.mapping.moments.version_unit
        version = to_integer(text, _US_PER[unit])
        # One scale for all sources: a bare revision number could never be followed by a live source.
        if not _EARLIEST_US <= version < _END_US:
            years = f"the years {EARLIEST_YEAR} to {LATEST_YEAR}"
            raise CellError(f"{text!r} {unit} since 1970 does not lie in {years}: check version_unit")
        return version

    def _status(self, cells: dict[str, str]) -> str | None:
        status = self.mapping.status
        if status is None or status.column is None or status.map is None:
            return None
        return status.map.get(_text(cells, status.column))


def _planned(mapping: Mapping, field: FieldType, source: FieldSource, times: Times) -> PlannedSource:
    known = source.moment or source.known or ("row" if mapping.layout == "log" else "case")
    constant = None if source.value is None else field.constant(source.value, times)
    read = None
    if source.column is not None:
        words = None if source.map is None else {k: field.constant(v, times) for k, v in source.map.items()}
        default = None if source.default is None else field.constant(source.default, times)
        read = field.reader(times, scale=source.scale, words=words, default=default)
    return PlannedSource(
        field=field,
        known="case" if source.value is not None else known,
        is_moment=source.moment is not None,
        column=source.column,
        read=read,
        constant=constant,
        only={column: frozenset(texts) for column, texts in (source.only or {}).items()},
    )


def _value(source: PlannedSource, cells: dict[str, str]) -> Any:
    if source.read is None or source.column is None:
        return source.constant
    for column, texts in source.only.items():
        if _text(cells, column) not in texts:
            return None
    return source.read(_text(cells, source.column))


def _text(cells: dict[str, str], column: str) -> str:
    return cells.get(column, "").strip()


def _subject(cells: dict[str, str], mapping: Mapping) -> str:
    text = _text(cells, mapping.subject.column)
    if not text:
        raise CellError("is empty: every row needs the code of its entity")
    return mapping.subject.prefix + text
