"""The invariant behind `nhip check`: four independent ways to the same figures, and where they differ.

Current figures = sums of panes = SQL over the stored marks = recomputation from the stored snapshots. On a live
system the four are not read at one moment: a caller repeats the comparison and believes what stays.
"""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from contract.days import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    floor_hour,
    floor_minute,
    local_day_start,
    local_month_start,
    local_year_start,
)
from contract.indicators import Indicator, Reading
from contract.kind import Kind
from contract.registry import KINDS
from contract.units import END_S, START_S, UnitTree
from contract.windows import STATE_WINDOW
from sinks.client import Client
from sinks.columns import columns_of
from sinks.relation import relation
from sinks.snapshots import stored_batches
from sinks.store import ClickHouseStore

__all__ = ["Difference", "Figures", "compare", "differences", "figures_of_marks", "figures_of_snapshots"]

Key = tuple[str, str, str]
"""Scope, indicator, window."""
Figures = Mapping[Key, tuple[int, int]]
"""Numerator and denominator by key; what is absent is 0 of 0."""


class Difference(NamedTuple):
    """One figure for which the four ways do not agree; each as (numerator, denominator)."""

    scope: str
    indicator: str
    window: str
    rates_now: tuple[int, int]
    panes: tuple[int, int]
    marks: tuple[int, int]
    snapshots: tuple[int, int]


class _Span(NamedTuple):
    """A window told without panes: marks from ``start_s`` up to ``end_s`` are its numerator's candidates.

    ``of_open``: it counts what is open; then all marks are the denominator and need not be good.
    """

    window: str
    start_s: int
    end_s: int
    of_open: bool


def compare(
    store: ClickHouseStore, tree: UnitTree, now_s: int, progress: Callable[[str], None] = lambda _: None
) -> list[Difference]:
    """Compare all figures at ``now_s``, which is the clock of the newest heartbeat. ``progress`` hears each step."""
    progress("current figures")
    now = store.rates_now()
    progress("panes")
    panes = {(r.scope, r.indicator, r.window): (r.numerator, r.denominator) for r in store.sum_panes(now_s, None)}
    marks: dict[Key, tuple[int, int]] = {}
    snapshots: dict[Key, tuple[int, int]] = {}
    for kind in KINDS:
        progress(f"marks of {kind.table}")
        marks |= figures_of_marks(store.client, kind, tree, now_s)
        progress(f"snapshots of {kind.table}")
        snapshots |= figures_of_snapshots(store.client, kind, tree, now_s)
    return differences(now, panes, marks, snapshots)


def differences(now: Figures, panes: Figures, marks: Figures, snapshots: Figures) -> list[Difference]:
    """Return the keys for which not all four agree, in order."""
    none = (0, 0)
    keys = sorted(now.keys() | panes.keys() | marks.keys() | snapshots.keys())
    found = [
        Difference(*key, now.get(key, none), panes.get(key, none), marks.get(key, none), snapshots.get(key, none))
        for key in keys
    ]
    return [d for d in found if not d.rates_now == d.panes == d.marks == d.snapshots]


def figures_of_marks(client: Client, kind: Kind, tree: UnitTree, now_s: int) -> dict[Key, tuple[int, int]]:
    """Count the marks stored with the rows by SQL, window by window, without panes."""
    units = [unit for (unit,) in client.rows(f"SELECT DISTINCT toString(unit) FROM {kind.table}")]
    rows = [
        (unit, segment.start_s, segment.end_s, f"unit:{code}")
        for unit in units
        for segment in tree.segments(unit)
        for code in segment.units
    ]
    if not rows:
        return {}
    unit, start, end, scope = zip(*rows, strict=True)
    scopes, parameters = relation(
        {"unit": ("String", unit), "start": ("Int64", start), "end": ("Int64", end), "scope": ("String", scope)}
    )
    figures: dict[Key, tuple[int, int]] = {}
    for indicator in kind.indicators:
        at, good = f"{indicator.marks}_at", f"{indicator.marks}_good"
        spans = _spans(indicator.reading, now_s)
        sums: list[str] = []
        bounds: dict[str, int] = {}
        for n, span in enumerate(spans):
            inside = f"s >= {{low{n}:Int64}} AND s < {{high{n}:Int64}}"
            bounds |= {f"low{n}": span.start_s, f"high{n}": span.end_s}
            sums += (
                [f"countIf({inside})", "count()"]
                if span.of_open
                else [f"sumIf(good, {inside})", f"countIf({inside})"]
            )
        marks = f"""SELECT unit, {{field}} AS field, assumeNotNull({at}) AS s, {good} AS good
                    FROM {kind.table} FINAL WHERE isNotNull({at})"""
        sources = [
            f"""SELECT r.scope AS scope, {", ".join(sums)} FROM ({marks.format(field="NULL")}) AS m
                INNER JOIN ({scopes}) AS r ON r.unit = toString(m.unit)
                WHERE s >= r.start AND s < r.end GROUP BY scope"""
        ]
        if columns_of(kind).has_field:
            sources.append(
                f"""SELECT concat('field:', toString(field)) AS scope, {", ".join(sums)}
                    FROM ({marks.format(field="field")}) WHERE isNotNull(field) GROUP BY scope"""
            )
        for source in sources:
            for name, *sides in client.rows(source, {**parameters, **bounds}):
                for span, top, bottom in zip(spans, sides[::2], sides[1::2], strict=True):
                    figures[name, indicator.key, span.window] = (int(top), int(bottom))
    return figures


def figures_of_snapshots(client: Client, kind: Kind, tree: UnitTree, now_s: int) -> dict[Key, tuple[int, int]]:
    """Recompute the marks of every stored snapshot with this program's mark functions and count them."""
    has_field = columns_of(kind).has_field
    spans = {indicator.key: _spans(indicator.reading, now_s) for indicator in kind.indicators}
    cuts = sorted({moment for many in spans.values() for span in many for moment in (span.start_s, span.end_s)})
    functions = [(indicator.key, indicator.mark) for indicator in kind.marked if indicator.mark is not None]
    # Marks between the same two cuts belong to the same windows: they are counted once and told apart at the end.
    tally: Counter[tuple[tuple[str, ...], str, int, bool]] = Counter()
    for batch in stored_batches(client, kind):
        for key, mark_of in functions:
            for event in batch.events:
                mark = mark_of(event.data)
                if mark is not None:
                    scopes = tree.scopes(event.data.unit, event.data.field if has_field else None, mark.at_s)
                    tally[scopes, key, bisect_right(cuts, mark.at_s), mark.good] += 1
    return _figures(tally, kind.indicators, spans, cuts)


def _figures(
    tally: Mapping[tuple[tuple[str, ...], str, int, bool], int],
    indicators: Iterable[Indicator],
    spans: Mapping[str, list[_Span]],
    cuts: list[int],
) -> dict[Key, tuple[int, int]]:
    sums: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0])
    readers = [(i.marks, i.key, span) for i in indicators for span in spans[i.key]]
    for (scopes, marks, cut, good), n in tally.items():
        for read, key, span in readers:
            if read != marks:
                continue
            inside = bisect_right(cuts, span.start_s) <= cut < bisect_right(cuts, span.end_s)
            for scope in scopes:
                side = sums[scope, key, span.window]
                side[0] += n * (inside and (good or span.of_open))
                side[1] += n * (inside or span.of_open)
    return {key: (top, bottom) for key, (top, bottom) in sums.items()}


def _spans(reading: Reading, now_s: int) -> list[_Span]:
    """Return the windows of a reading at ``now_s``, told from the definition of each and not from its panes."""
    minute = floor_minute(now_s)
    if reading is Reading.OVERDUE:
        return [_Span(STATE_WINDOW, START_S, minute, of_open=True)]
    if reading is Reading.DUE_SOON:
        return [_Span(STATE_WINDOW, minute, minute + DAY_S, of_open=True)]
    end, hour_end = minute + MINUTE_S, floor_hour(minute) + HOUR_S
    starts = {
        "15m": end - 15 * MINUTE_S,
        "1h": end - HOUR_S,
        "24h": end - DAY_S,
        "7d": hour_end - 7 * DAY_S,
        "30d": hour_end - 30 * DAY_S,
        "today": local_day_start(minute),
        "month": local_month_start(minute),
        "year": local_year_start(minute),
    }
    spans = [_Span(window, start, end, of_open=False) for window, start in starts.items()]
    return [*spans, _Span("all", START_S, END_S, of_open=False)]
