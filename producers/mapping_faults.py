"""What is wrong with a mapping that reads well: everything is found before the first row is."""

from collections.abc import Iterator

from producers.convert import ISO, CellError, FieldType, Times, field_types
from producers.mapping_tables import FieldSource, Mapping, Scalar, Status

__all__ = ["faults"]


def faults(mapping: Mapping) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong and what to do), the plainest first."""
    try:
        times = mapping.times
    except (KeyError, ValueError, OSError):
        yield "timezone", f"{mapping.timezone!r} is unknown: use a name like Asia/Ho_Chi_Minh"
        return
    for form in mapping.time_formats:
        if form != ISO and "%" not in form:
            yield "time_formats", f"{form!r} is neither {ISO!r} nor a pattern like '%d/%m/%Y %H:%M'"
    yield from _text_faults(mapping)
    yield from _layout_faults(mapping)
    types = field_types(mapping.declared.snapshot)
    for name in mapping.fields:
        if name in types:
            yield from _field_faults(mapping, types[name], times)
        else:
            yield f"fields.{name}", f"a {mapping.kind} has no such field; it has {', '.join(types)}"
    yield from _status_faults(mapping, types["status"])
    for name, field in types.items():
        by_table = name == "status" and mapping.layout != "snapshots"
        if field.required and name not in mapping.fields and not (by_table and mapping.status):
            yield f"fields.{name}", f"is missing: give it in {'a table [status]' if by_table else '[fields]'}"


def _text_faults(mapping: Mapping) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with how the file is written."""
    try:
        keeps_ascii = "a,\n".encode(mapping.encoding) == b"a,\n"
    except (LookupError, UnicodeError):
        keeps_ascii = False
    if not keeps_ascii:
        text = "cannot be read line by line: use utf-8, cp1258 or another that keeps ASCII"
        yield "encoding", f"{mapping.encoding!r} {text}"
    if len(mapping.delimiter) != 1 or mapping.delimiter in '"\r\n':
        yield "delimiter", f"{mapping.delimiter!r} is not one character such as ',' or ';'"


def _layout_faults(mapping: Mapping) -> Iterator[tuple[str, str]]:
    """Yield what the layout needs or cannot have."""
    moments, layout, status = mapping.moments, mapping.layout, mapping.status
    log, cases, full = layout == "log", layout == "cases", layout == "snapshots"
    for wrong, key, text in (
        (log and not moments.row, "moments.row", "a log needs the column with the time of each row"),
        (cases and not moments.start, "moments.start", "cases need the column with the time of receipt"),
        (
            full and not (moments.row or moments.version),
            "moments.row",
            "snapshots need the column with the time of the change, or moments.version",
        ),
        (
            full and (moments.start or moments.end),
            "moments",
            "snapshots have no start and end: map these columns as fields",
        ),
        (not full and moments.version, "moments.version", f"only snapshots have one; in {layout} it is time"),
        (cases and moments.row, "moments.row", "cases have one row each: remove it, or use the layout log"),
        (full and status, "status", "in snapshots the status is a field: move it to [fields]"),
        (
            not full and "status" in mapping.fields,
            "fields.status",
            f"in {layout} the status changes with time: use the table [status]",
        ),
    ):
        if wrong:
            yield key, text


def _field_faults(mapping: Mapping, field: FieldType, times: Times) -> Iterator[tuple[str, str]]:
    sources = mapping.fields[field.name]
    key = f"fields.{field.name}"
    if not sources:
        yield key, "is empty: give a column, a value or a moment"
    for source in sources:
        for text in (*_source_faults(source, field), *_timing_faults(mapping, source, field)):
            yield key, text
        words: list[Scalar | None] = [*(source.map or {}).values(), source.default, source.value]
        for word in (w for w in words if w is not None):
            try:
                field.constant(word, times)
            except CellError as error:
                yield key, str(error)


def _source_faults(source: FieldSource, field: FieldType) -> Iterator[str]:
    extras = source.map or source.only or source.known or source.default is not None
    if sum(given is not None for given in (source.column, source.value, source.moment)) != 1:
        yield "give exactly one of column, value and moment"
    if source.column is None and extras:
        yield "map, default, only and known belong to a column"
    if source.default is not None and source.map is None:
        yield "a default needs a map: it is for cells that the map does not have"
    if source.scale != 1 and (field.form != "integer" or source.scale < 1):
        yield "scale is a factor above zero of a number field"


def _timing_faults(mapping: Mapping, source: FieldSource, field: FieldType) -> Iterator[str]:
    layout = mapping.layout
    if source.moment is not None and (field.form != "time" or layout == "snapshots"):
        yield "a moment can only fill a time field of the layouts log and cases"
    if "end" in (source.moment, source.known) and mapping.moments.end is None:
        yield "moments.end is not given"
    if layout == "snapshots" and (source.known or source.only):
        yield "known and only are for log and cases: in snapshots each row is a full state"
    if layout == "cases" and (source.known == "row" or source.only):
        yield "only and known = 'row' are for the layout log"


def _status_faults(mapping: Mapping, field: FieldType) -> Iterator[tuple[str, str]]:
    status = mapping.status
    if status is None:
        return
    if (status.column is None) != (status.map is None):
        yield "status.column", "column and map belong together"
    if mapping.layout == "cases" and (status.row or status.column):
        yield "status.row", "cases have no rows: give start and end only"
    if (status.end is None) != (mapping.moments.end is None):
        yield "status.end", "a status at the end and moments.end belong together"
    for key, word in _status_words(status):
        try:
            field.checked(word)
        except CellError as error:
            yield key, f"no status of a {mapping.kind}: {error}"
        needed = mapping.declared.needs.get(word)
        if needed is not None and needed not in mapping.fields:
            yield f"fields.{needed}", f"is missing: status {word} ({key}) cannot be counted without it"


def _status_words(status: Status) -> list[tuple[str, str]]:
    words = [("status.start", status.start), ("status.row", status.row), ("status.end", status.end)]
    words += [("status.map", word) for word in (status.map or {}).values()]
    return [(key, word) for key, word in words if word is not None]
