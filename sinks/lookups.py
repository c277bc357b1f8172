"""What is stored of single entities: look-ups by id, and what a rebuild will have counted."""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from collections.abc import Mapping, Sequence
from itertools import starmap

from contract.kind import Kind
from contract.marks import Mark
from sinks.client import Client
from sinks.columns import columns_of
from sinks.relation import relation
from streams.rows import Seen, Stored

__all__ = ["clocks", "look_up", "seen"]


def look_up(client: Client, kind: Kind, ids: Sequence[str]) -> dict[str, Stored]:
    """Return the newest row of each id that has one, with one query for all."""
    if not ids:
        return {}
    layout = columns_of(kind.key)
    field = "toNullable(field)" if layout.has_field else "CAST(NULL, 'Nullable(String)')"
    marks = ", ".join(f"{key}_at, {key}_good" for key in layout.marks)
    wanted, parameters = relation({"id": ("String", ids)})
    # 50,000 of 2 million rows: 0.53 s this way, 0.71 s with FINAL, which merges whole granules of every part.
    sql = f"""
        SELECT id, version, content, toString(unit), {field}, offset, epoch, {marks}
        FROM {kind.table} WHERE id IN ({wanted}) ORDER BY id, rank DESC LIMIT 1 BY id"""
    columns = client.columns(sql, parameters)
    if not columns:
        return {}
    found, version, content, unit, fields, offset, epoch, *flat = columns
    pairs = [_marks(at, good) for at, good in zip(flat[::2], flat[1::2], strict=True)]
    rows = zip(version, content, unit, fields, zip(*pairs, strict=True), offset, epoch, strict=True)
    return dict(zip(found, starmap(Stored, rows), strict=True))


def seen(client: Client, kind: Kind, starts: Mapping[int, int]) -> set[Seen]:
    """Return the rows at or after the start offset of their partition.

    Call it before the rebuild: then everything returned has been counted by it, and a row that lands between
    the two costs one rebuild more and never a wrong sum. Superseded rows are returned too; nobody asks for them.
    """
    if not starts:
        return set()
    rows = client.rows(
        f"""
        SELECT id, version, content, epoch FROM {kind.table}
        WHERE has({{partitions:Array(UInt16)}}, `partition`)
          AND offset >= {{starts:Array(Int64)}}[indexOf({{partitions:Array(UInt16)}}, `partition`)]""",
        {"partitions": list(starts), "starts": list(starts.values())},
    )
    return set(starmap(Seen, rows))


def clocks(client: Client, kind: Kind, partitions: Sequence[int]) -> dict[int, int]:
    """Return the newest event time of each partition in microseconds, from its rows and its progress."""
    rows = client.rows(
        f"""
        SELECT p, max(clock) FROM
        (
            SELECT `partition` AS p, max(toUnixTimestamp64Micro(event_time)) AS clock FROM {kind.table}
            WHERE has({{partitions:Array(UInt16)}}, p) GROUP BY p
            UNION ALL
            SELECT `partition` AS p, max(clock_us) AS clock FROM progress
            WHERE topic = {{topic:String}} AND has({{partitions:Array(UInt16)}}, p) GROUP BY p
        ) GROUP BY p""",
        {"partitions": list(partitions), "topic": kind.topic},
    )
    return {int(p): int(clock) for p, clock in rows}


def _marks(at: Sequence[int | None], good: Sequence[int]) -> list[Mark | None]:
    return [None if a is None else Mark(a, g == 1) for a, g in zip(at, good, strict=True)]
