"""The dossiers that are overdue for longest: codes, units and due dates, without reading the whole table."""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from collections.abc import Sequence
from typing import NamedTuple

from contract.days import DAY_S, LOCAL_OFFSET_S
from contract.windows import Level
from sinks.client import Client
from sinks.epochs import CURRENT
from sinks.relation import relation

__all__ = ["OverdueDossier", "most_overdue"]

_PAGE = 1_000
"""Rows that are looked up in one step."""


class OverdueDossier(NamedTuple):
    """An open dossier past its due date, seconds since 1970. The code names no person."""

    id: str
    unit: str
    due_s: int


def most_overdue(client: Client, scope: str, units: Sequence[str], before_s: int, limit: int) -> list[OverdueDossier]:
    """Return the open dossiers of a scope, whose units these are, due before ``before_s``; the oldest first.

    The table still holds older rows of dossiers that are finished by now, perhaps hundreds of thousands, and
    FINAL over all of it takes seconds. But panes count what is open alone: they tell the oldest days on which
    anything open was due, and of the rows due on those days the oldest are looked up,
    some at a time, in their newest row.
    """
    days = _days(client, scope, before_s, limit)
    if not days:
        return []
    wanted, parameters = relation({"unit": ("String", sorted(set(units)))})
    parameters |= {
        "first": days[0],
        "before": before_s,
        "zone": LOCAL_OFFSET_S,
        "day": DAY_S,
        "days": [(day + LOCAL_OFFSET_S) // DAY_S for day in days],
        "page": _PAGE,
    }
    among = set(units)
    found: list[OverdueDossier] = []
    after = (-(2**62), "")
    while len(found) < limit:
        page = client.rows(
            f"""
            SELECT assumeNotNull(overdue_at) AS due, id FROM dossiers
            WHERE isNotNull(overdue_at) AND overdue_at >= {{first:Int64}} AND overdue_at < {{before:Int64}}
              AND intDiv(overdue_at + {{zone:Int64}}, {{day:Int64}}) IN {{days:Array(Int64)}} AND unit IN ({wanted})
              AND (due, id) > ({{due:Int64}}, {{id:String}})
            GROUP BY due, id ORDER BY due, id LIMIT {{page:UInt32}}""",
            {**parameters, "due": after[0], "id": after[1]},
        )
        listed = {(int(due), code) for due, code in page}
        newest = _newest(client, [code for _, code in listed])
        # Due at another time it is listed there too; in another unit it belongs to others.
        found += [row for row in newest if (row.due_s, row.id) in listed and row.unit in among]
        if len(page) < _PAGE:
            break
        after = (int(page[-1][0]), page[-1][1])
    return sorted(found, key=lambda row: (row.due_s, row.id))[:limit]


def _newest(client: Client, ids: Sequence[str]) -> list[OverdueDossier]:
    """Return what is open now of these dossiers."""
    if not ids:
        return []
    wanted, parameters = relation({"id": ("String", ids)})
    rows = client.rows(
        f"""
        SELECT id, toString(unit), assumeNotNull(overdue_at) FROM dossiers FINAL
        WHERE id IN ({wanted}) AND isNotNull(overdue_at)""",
        parameters,
    )
    return [OverdueDossier(code, unit, int(due)) for code, unit, due in rows]


def _days(client: Client, scope: str, before_s: int, limit: int) -> list[int]:
    """Return the first local days on which, together, ``limit`` open dossiers or more were due."""
    rows = client.rows(
        f"""
        SELECT at, sum(count) AS n FROM
        (
            SELECT at, count FROM panes FINAL
            WHERE (topic, `partition`, epoch) IN ({CURRENT}) AND scope = {{scope:String}}
              AND indicator = 'overdue' AND level = {{level:UInt8}} AND at < {{before:Int64}}
        )
        GROUP BY at HAVING n > 0 ORDER BY at LIMIT {{limit:UInt32}}""",
        {"scope": scope, "level": int(Level.DAY), "before": before_s, "limit": limit + 1},
    )
    days: list[int] = []
    found = 0
    for day, count in rows:
        days.append(int(day))
        found += int(count)
        if found >= limit and day + DAY_S <= before_s:
            break
    return days
