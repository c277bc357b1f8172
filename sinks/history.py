"""Figures of the past, recomputed from the snapshots that are stored now.

A snapshot replaces the one before it, so the past is told as it is known now: a correction changes it, a void
dossier never was, and a dossier counts in the unit and field of its newest snapshot.

What was open at a moment follows from the newest snapshot too: a dossier is open from ``received_at`` until
``finished_at``, or, withdrawn or stopped, until the time of its newest event. Rejected and registered ones never
are. A dossier that was opened a second time counts as open all the while; one received, and finished, at a time
that no snapshot says is not counted; a due date that was moved counts as if it had always been so.
"""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import starmap
from typing import Any, NamedTuple

from contract.days import DAY_S, MINUTE_S, floor_minute
from contract.dossier import FINISHED, OPEN
from contract.indicators import Indicator, Reading
from contract.kind import Kind
from contract.registry import INDICATORS, KINDS
from contract.units import END_S, Segment
from contract.windows import pieces
from sinks.client import Client
from sinks.columns import columns_of
from sinks.relation import relation
from sinks.scopes import scopes_of
from streams.history import Entry, figures
from streams.rows import Rate

__all__ = ["ClickHouseHistory"]

_ENDED = (*FINISHED, "withdrawn", "stopped")
"""Statuses of dossiers that were open and are so no more."""
_FIELD = ""
"""Stands for the scope of a mark's field among those of its unit."""


class ClickHouseHistory:
    """Implements ``streams.alert_store.HistoryStore``; ``segments`` are those of the unit tree.

    Measured on two cores, a year of 443,000 dossiers in 120 units and 12 fields, all changes of one indicator: the
    window 24h 6.4 s, 30d 7.4 s, what is overdue 10 s; the reader stays below 190 MB.
    """

    def __init__(self, client: Client, segments: Callable[[str], Sequence[Segment]]) -> None:
        self._client = client
        self._segments = segments

    def scopes(self) -> list[str]:
        """Return all scopes that may ever have had a figure, in order."""
        found = {
            f"unit:{code}"
            for unit in self._units(KINDS)
            for segment in self._segments(unit)
            for code in segment.units
        }
        for kind in KINDS:
            if columns_of(kind).has_field:
                fields = self._client.rows(
                    f"SELECT DISTINCT toString(field) FROM {kind.table} WHERE isNotNull(field)"
                )
                found |= {f"field:{field}" for (field,) in fields}
        return sorted(found)

    def history(
        self, wanted: Mapping[tuple[str, str], frozenset[str] | None], from_s: int, to_s: int
    ) -> Iterator[tuple[int, list[Rate]]]:
        """Stream figures as they were at the end of each minute from ``from_s`` to ``to_s`` in which one changed.

        ``wanted``: (indicator, window) → scopes (None: all). The first item holds all figures at ``from_s``, those
        of 0 cases left out; later ones what changed. Marks of the future count from their own minute on, in the
        window ``all`` too. Holds a connection until it is read to the end.
        """
        return figures(self._entries(wanted, from_s, to_s), wanted, from_s, to_s)

    def _units(self, kinds: Sequence[Kind]) -> list[str]:
        union = " UNION DISTINCT ".join(f"SELECT DISTINCT toString(unit) AS unit FROM {kind.table}" for kind in kinds)
        return [unit for (unit,) in self._client.rows(f"SELECT unit FROM ({union}) ORDER BY unit")]

    def _entries(
        self, wanted: Mapping[tuple[str, str], frozenset[str] | None], from_s: int, to_s: int
    ) -> Iterator[Entry]:
        keys = [key for key in INDICATORS if any(key == indicator for indicator, _ in wanted)]
        kinds = [kind for kind in KINDS if any(indicator.key in keys for indicator in kind.indicators)]
        units = self._units(kinds) if kinds else []
        if not units:
            return
        spans = {key: _span([w for i, w in wanted if i == key], key, from_s) for key in keys}
        parameters: dict[str, Any] = {
            "first": floor_minute(from_s),
            "end": floor_minute(to_s) + MINUTE_S,
            "bounds": [spans[key].start_s for key in keys],
            "ever": [int(spans[key].ever) for key in keys],
            "open": sorted(OPEN),
            "ended": sorted(_ENDED),
        }
        sources = [source for kind in kinds for source in _sources(kind, keys)]
        scopes, of_scopes = scopes_of(units, self._segments)
        fan_out = f"{scopes} UNION ALL SELECT DISTINCT unit, era, '{_FIELD}' AS scope FROM ({scopes})"
        asked, of_asked = _asked(wanted)
        rows = self._client.blocks(
            f"""
            SELECT minute, indicator,
                   if(r.scope = '{_FIELD}', concat('field:', assumeNotNull(m.field)), r.scope) AS place,
                   sum(m.top) AS tops, sum(m.bottom) AS bottoms
            FROM
            (
                SELECT unit, field, indicator, minute, sum(top) AS top, sum(bottom) AS bottom,
                       toUInt16(arrayCount(e -> e <= s, {{eras:Array(Int64)}})) AS era
                FROM ({" UNION ALL ".join(sources)})
                WHERE minute < {{end:Int64}}
                GROUP BY unit, field, indicator, minute, era
            ) AS m
            INNER JOIN ({fan_out}) AS r ON r.unit = m.unit AND r.era = m.era
            WHERE (r.scope != '{_FIELD}' OR isNotNull(m.field)){asked}
            GROUP BY minute, indicator, place
            HAVING tops != 0 OR bottoms != 0
            ORDER BY minute""",
            parameters | of_scopes | of_asked,
        )
        for minute, indicator, place, tops, bottoms in rows:
            yield from starmap(Entry, zip(minute, [keys[n] for n in indicator], place, tops, bottoms, strict=True))


class _Span(NamedTuple):
    """Marks before ``start_s`` are in no window of an indicator; with ``ever``, in the window ``all`` alone."""

    start_s: int
    ever: bool


def _span(windows: Sequence[str], key: str, from_s: int) -> _Span:
    parts = [pieces(INDICATORS[key].reading, window, from_s) for window in windows if window != "all"]
    starts = [part.start_s for window in parts for part in window]
    return _Span(min(starts, default=floor_minute(from_s)), ever="all" in windows)


def _asked(wanted: Mapping[tuple[str, str], frozenset[str] | None]) -> tuple[str, dict[str, Any]]:
    """Return the condition on scopes that spares rows which no window wants."""
    asked: set[str] = set()
    for scopes in wanted.values():
        if scopes is None:
            return "", {}
        asked |= scopes
    sql, parameters = relation({"asked": ("String", sorted(asked))})
    return f" AND place IN ({sql})", parameters


def _sources(kind: Kind, keys: Sequence[str]) -> list[str]:
    """Return statements of (unit, field, indicator, s, minute, top, bottom); ``s`` decides about the ancestors."""
    numbered = [(keys.index(indicator.key), indicator) for indicator in kind.indicators if indicator.key in keys]
    rates = [(n, indicator) for n, indicator in numbered if indicator.reading is Reading.RATE]
    states = [(n, indicator) for n, indicator in numbered if indicator.reading is not Reading.RATE]
    field = "CAST(field, 'Nullable(String)')" if columns_of(kind).has_field else "CAST(NULL, 'Nullable(String)')"
    place = f"toString(unit) AS unit, {field} AS field"
    sources = []
    if rates:
        sources.append(_marks(kind, rates, place))
    if states:
        sources.append(_open(kind, states, place))
    return sources


def _marks(kind: Kind, rates: Sequence[tuple[int, Indicator]], place: str) -> str:
    """Return the marks of rates; those that only ``all`` can hold are summed in the minute before all windows."""
    columns = ", ".join(f"{indicator.marks}_at, {indicator.marks}_good" for _, indicator in rates)
    return f"""
        SELECT unit, field, indicator, assumeNotNull(mark_at) AS s,
               if(s < {{bounds:Array(Int64)}}[indicator + 1], {{bounds:Array(Int64)}}[indicator + 1] - {MINUTE_S},
                  s - positiveModulo(s, {MINUTE_S})) AS minute,
               toInt64(good) AS top, toInt64(1) AS bottom
        FROM (SELECT {place}, {columns} FROM {kind.table} FINAL)
        ARRAY JOIN [{", ".join(f"toUInt8({n})" for n, _ in rates)}] AS indicator,
                   [{", ".join(f"{indicator.marks}_at" for _, indicator in rates)}] AS mark_at,
                   [{", ".join(f"{indicator.marks}_good" for _, indicator in rates)}] AS good
        WHERE isNotNull(mark_at) AND (s >= {{bounds:Array(Int64)}}[indicator + 1]
                                      OR {{ever:Array(UInt8)}}[indicator + 1] = 1)"""


def _open(kind: Kind, states: Sequence[tuple[int, Indicator]], place: str) -> str:
    """Return the edges of the spans in which a dossier was open, and in which it was overdue or due soon."""
    spans = []
    for n, indicator in states:
        spans.append(f"(toUInt8({n}), opened, closed, 0, 1)")
        if indicator.reading is Reading.OVERDUE:
            spans.append(f"(toUInt8({n}), greatest(opened, due + {MINUTE_S}), closed, 1, 0)")
        else:
            first = f"greatest(opened, due - {DAY_S - MINUTE_S})"
            spans.append(f"(toUInt8({n}), {first}, least(closed, due + {MINUTE_S}), 1, 0)")
    return f"""
        SELECT unit, field, span.1 AS indicator, s, greatest(edge, {{first:Int64}}) AS minute,
               toInt64(side * span.4) AS top, toInt64(side * span.5) AS bottom
        FROM
        (
            SELECT unit, field, s, arrayJoin([{", ".join(spans)}]) AS span FROM
            (
                SELECT {place}, {_second("due_at")} AS s, s - positiveModulo(s, {MINUTE_S}) AS due,
                       has({{open:Array(String)}}, toString(status)) AS is_open,
                       {_second("event_time")} AS said,
                       if(is_open, least({_second("received_at", "said")}, said), {_second("received_at")}) AS since,
                       since - positiveModulo(since, {MINUTE_S}) AS opened,
                       {_second("finished_at", "said")} AS until,
                       if(is_open, {END_S}, until - positiveModulo(until, {MINUTE_S})) AS closed
                FROM {kind.table} FINAL
                WHERE isNotNull(due_at)
                  AND (is_open OR (has({{ended:Array(String)}}, toString(status)) AND isNotNull(received_at)))
            )
        )
        ARRAY JOIN [span.2, span.3] AS edge, [1, -1] AS side
        WHERE span.2 < span.3 AND span.3 > {{first:Int64}}"""


def _second(column: str, otherwise: str = "0") -> str:
    return f"ifNull(intDiv(toUnixTimestamp64Micro({column}), 1000000), {otherwise})"
