"""All panes of some partitions at once, recomputed from the marks stored with the entity rows."""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from contract.days import DAY_S, HOUR_S, MINUTE_S, local_day_start
from contract.kind import Kind
from contract.units import Segment
from contract.windows import HOURS_KEPT_S, MINUTES_KEPT_S, Level
from sinks.client import Client
from sinks.columns import columns_of
from sinks.scopes import scopes_of
from streams.rows import Column, PaneBlock

__all__ = ["rebuild"]

_DAY_SHIFT_S = -local_day_start(0)
"""How far local midnight lies before that of UTC, in seconds."""


def rebuild(
    client: Client,
    kind: Kind,
    partitions: Sequence[int],
    now_s: int,
    segments: Callable[[str], Sequence[Segment]],
) -> Iterator[PaneBlock]:
    """Stream the panes of these partitions at the levels kept at ``now_s``; one of them comes once.

    Every mark is first summed by unit and by field at the finest level it needs, and only these sums are
    multiplied by scopes and levels. Holds the connection until it is read to the end.
    """
    where = "has({partitions:Array(UInt16)}, `partition`)"
    parameters: dict[str, Any] = {
        "partitions": list(partitions),
        "minutes": now_s - MINUTES_KEPT_S,
        "hours": now_s - HOURS_KEPT_S,
    }
    units = client.rows(f"SELECT DISTINCT toString(unit) FROM {kind.table} WHERE {where}", parameters)
    if not units:
        return
    scopes, more = scopes_of([unit for (unit,) in units], segments)
    layout = columns_of(kind)
    source = f"""
        SELECT `partition` AS p, unit, {"field" if layout.has_field else "NULL AS field"}, indicator, good,
               assumeNotNull(mark_at) AS s,
               multiIf(s >= {{minutes:Int64}}, {_MINUTE}, s >= {{hours:Int64}}, {_HOUR}, {_DAY}) AS finest,
               {_floor("finest", "s")} AS start
        FROM (SELECT * FROM {kind.table} FINAL WHERE {where})
        ARRAY JOIN [{", ".join(f"toUInt8({n})" for n in range(len(layout.marks)))}] AS indicator,
                   [{", ".join(f"{key}_at" for key in layout.marks)}] AS mark_at,
                   [{", ".join(f"{key}_good" for key in layout.marks)}] AS good
        WHERE isNotNull(mark_at)"""
    # Both from one pass: reading ten million rows with FINAL is a third of all work. An era begins at a local
    # midnight, so a pane lies in one whole.
    same = "p, indicator, finest, start"
    # Without fields the constant in their place has to be a key, too.
    sets = f"({same}, unit), ({same}, field)" if layout.has_field else f"({same}, unit, field)"
    sums = f"""
        SELECT {same}, toString(unit) AS unit, field, grouping(unit) = 1 AS by_field,
               toUInt16(arrayCount(e -> e <= start, {{eras:Array(Int64)}})) AS era,
               toInt64(sum(good)) AS good, toInt64(count()) AS marks
        FROM ({source})
        GROUP BY GROUPING SETS ({sets})
        HAVING NOT by_field OR isNotNull(field)"""
    sql = f"""
        SELECT p, multiIf(by_field, concat('field:', toString(field)), r.scope != '', r.scope,
                          concat('unit:', m.unit)) AS scope,
               indicator, toUInt8(arrayJoin(range(0, finest + 1))) AS level,
               {_floor("level", "start")} AS at, sum(good), sum(marks)
        FROM ({sums}) AS m LEFT JOIN ({scopes}) AS r ON r.unit = m.unit AND r.era = m.era
        GROUP BY p, scope, indicator, level, at"""
    for p, scope, indicator, level, at, good, marks in client.blocks(sql, parameters | more):
        names: dict[str, int] = {}
        numbers = [names.setdefault(name, len(names)) for name in scope]
        columns = [np.array(column, np.int64) for column in (p, level, numbers, indicator, at, good, marks)]
        yield from _split(columns, tuple(names), layout.marks)


def _split(columns: Sequence[Column], scopes: Sequence[str], indicators: Sequence[str]) -> Iterator[PaneBlock]:
    """Yield what belongs together: the first column is the partition, the second the level."""
    owners, levels, *rest = columns
    for owner in np.unique(owners).tolist():
        for level in np.unique(levels).tolist():
            mine = (owners == owner) & (levels == level)
            if mine.any():
                yield PaneBlock(owner, scopes, indicators, level, *(column[mine] for column in rest))


_DAY, _HOUR, _MINUTE = int(Level.DAY), int(Level.HOUR), int(Level.MINUTE)


def _floor(level: str, at: str) -> str:
    """Return SQL of ``contract.windows.floor_to``; a test compares both."""
    minute, hour = f"{at} - positiveModulo({at}, {MINUTE_S})", f"{at} - positiveModulo({at}, {HOUR_S})"
    day = f"{at} - positiveModulo({at} + {_DAY_SHIFT_S}, {DAY_S})"
    return f"toInt64(multiIf({level} = {_MINUTE}, {minute}, {level} = {_HOUR}, {hour}, {level} = {_DAY}, {day}, 0))"
