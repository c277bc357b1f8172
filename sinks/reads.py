"""What the screens ask of the store. Values are parameters; every read is small and by key where it can be.

Panes are summed as roll sums them: of the current epochs alone, so an epoch that is being built shows nothing.
"""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from collections.abc import Iterable
from itertools import starmap
from typing import NamedTuple

from contract.days import DAY_S, LOCAL_OFFSET_S, floor_minute, local_day_start
from contract.indicators import Reading
from contract.registry import INDICATORS
from contract.windows import Level
from sinks.client import Client
from sinks.epochs import CURRENT
from sinks.relation import relation

__all__ = [
    "Ageing",
    "Bucket",
    "PipelineFacts",
    "Published",
    "SourceAge",
    "ageing",
    "buckets",
    "pipeline_facts",
    "published_since",
    "source_ages",
    "states_before",
    "states_over",
]

_SUMMED = [key for key, indicator in INDICATORS.items() if indicator.reading is Reading.RATE]


class Published(NamedTuple):
    """One figure as roll wrote it; ``(epoch, tick)`` orders the writes."""

    scope: str
    indicator: str
    window: str
    numerator: int
    denominator: int
    epoch: int
    tick: int


class Bucket(NamedTuple):
    """Marks of one scope and indicator from ``start_s`` to the next bucket: good of counted."""

    scope: str
    indicator: str
    start_s: int
    good: int
    counted: int


class Ageing(NamedTuple):
    """Open dossiers with a due date: past it, due within 24 hours, within 5 days, later."""

    overdue: int
    day: int
    days: int
    later: int


class SourceAge(NamedTuple):
    """When a source last spoke for a unit about a topic, microseconds since 1970, and how much it said.

    ``seen_us`` is by the workers' clock, ``event_us`` by the source's own. ``events`` and ``ignored`` count what
    the current epochs have received.
    """

    source: str
    unit: str
    topic: str
    event_us: int
    seen_us: int
    events: int
    ignored: int


class PipelineFacts(NamedTuple):
    """How the stream is doing: partitions with complete panes, those claimed but not complete yet."""

    ready: int
    waiting: int
    dead_letters: int


def published_since(client: Client, epoch: int = 0, tick: int = -1) -> list[Published]:
    """Return the current figures written after ``(epoch, tick)``; by default all of them."""
    rows = client.rows(
        """
        SELECT toString(scope), toString(indicator), toString(window), numerator, denominator, epoch, tick
        FROM rates_now FINAL
        WHERE epoch > {epoch:UInt64} OR (epoch = {epoch:UInt64} AND toInt64(tick) > {tick:Int64})""",
        {"epoch": epoch, "tick": tick},
    )
    return list(starmap(Published, rows))


def buckets(
    client: Client, scopes: Iterable[str], level: Level, start_s: int, end_s: int, step_s: int
) -> list[Bucket]:
    """Sum panes of one level with ``start_s <= at < end_s`` into buckets of ``step_s`` that begin at local midnight.

    Only indicators whose windows are sums have them. A bucket without marks is absent. ``step_s`` must divide a day.
    """
    wanted, parameters = relation({"scope": ("String", sorted(set(scopes)))})
    rows = client.rows(
        f"""
        SELECT toString(scope), toString(indicator), intDiv(at + {{zone:Int64}}, {{step:Int64}}) * {{step:Int64}}
               - {{zone:Int64}} AS bucket, sum(good), sum(count)
        FROM
        (
            SELECT scope, indicator, at, good, count FROM panes FINAL
            WHERE (topic, `partition`, epoch) IN ({CURRENT}) AND scope IN ({wanted})
              AND indicator IN {{indicators:Array(String)}} AND level = {{level:UInt8}}
              AND at >= {{start:Int64}} AND at < {{end:Int64}}
        )
        GROUP BY scope, indicator, bucket HAVING sum(count) > 0 ORDER BY scope, indicator, bucket""",
        {
            **parameters,
            "indicators": _SUMMED,
            "zone": LOCAL_OFFSET_S,  # else the midnights would be those of UTC
            "step": step_s,
            "level": int(level),
            "start": start_s,
            "end": end_s,
        },
    )
    return [Bucket(scope, indicator, int(at), int(good), int(count)) for scope, indicator, at, good, count in rows]


def states_over(client: Client, scopes: Iterable[str], start_us: int, end_us: int, step_s: int) -> list[Bucket]:
    """Return what is open (window ``now``) as it was last published in each step of a span, from the history.

    A step in which nothing changed is absent: the figure before it still held.
    """
    wanted, parameters = relation({"scope": ("String", sorted(set(scopes)))})
    rows = client.rows(
        f"""
        SELECT toString(scope), toString(indicator),
               intDiv(toUnixTimestamp64Micro(time), {{step:Int64}}) * {{step_s:Int64}} AS bucket,
               argMax(numerator, (time, written_at)), argMax(denominator, (time, written_at))
        FROM rates
        WHERE scope IN ({wanted}) AND window = 'now'
          AND time >= fromUnixTimestamp64Micro({{start:Int64}}) AND time < fromUnixTimestamp64Micro({{end:Int64}})
        GROUP BY scope, indicator, bucket ORDER BY scope, indicator, bucket""",
        {**parameters, "step": step_s * 1_000_000, "step_s": step_s, "start": start_us, "end": end_us},
    )
    return [Bucket(scope, indicator, int(at), int(top), int(bottom)) for scope, indicator, at, top, bottom in rows]


def states_before(client: Client, scopes: Iterable[str], moment_us: int) -> list[Bucket]:
    """Return what was open as last published before a moment; ``start_s`` is when. Absent: nothing is known.

    The times alone are looked through first: a province has a million rows of history.
    """
    wanted, parameters = relation({"scope": ("String", sorted(set(scopes)))})
    past = f"scope IN ({wanted}) AND window = 'now' AND time < fromUnixTimestamp64Micro({{moment:Int64}})"
    rows = client.rows(
        f"""
        SELECT toString(scope), toString(indicator), intDiv(max(toUnixTimestamp64Micro(time)), 1000000),
               argMax(numerator, (time, written_at)), argMax(denominator, (time, written_at))
        FROM rates
        WHERE {past} AND (scope, indicator, time) IN
            (SELECT scope, indicator, max(time) FROM rates WHERE {past} GROUP BY scope, indicator)
        GROUP BY scope, indicator ORDER BY scope, indicator""",
        {**parameters, "moment": moment_us},
    )
    return [Bucket(scope, indicator, int(at), int(top), int(bottom)) for scope, indicator, at, top, bottom in rows]


def ageing(client: Client, scopes: Iterable[str], now_s: int) -> dict[str, Ageing]:
    """Return the open dossiers of each scope by the time left; a scope without any is absent."""
    wanted, parameters = relation({"scope": ("String", sorted(set(scopes)))})
    minute = floor_minute(now_s)
    rows = client.rows(
        f"""
        SELECT toString(scope),
               sumIf(count, level = 1 AND at < {{today:Int64}})
                   + sumIf(count, level = 3 AND at >= {{today:Int64}} AND at < {{minute:Int64}}) AS overdue,
               sumIf(count, level = 3 AND at >= {{minute:Int64}} AND at < {{day:Int64}}) AS day,
               sumIf(count, level = 3 AND at >= {{day:Int64}} AND at < {{days:Int64}}) AS days,
               sumIf(count, level = 0) AS total
        FROM
        (
            SELECT scope, level, at, count FROM panes FINAL
            WHERE (topic, `partition`, epoch) IN ({CURRENT}) AND scope IN ({wanted}) AND indicator = 'overdue'
        )
        GROUP BY scope HAVING total > 0""",
        {
            **parameters,
            "today": local_day_start(minute),
            "minute": minute,
            "day": minute + DAY_S,
            "days": minute + 5 * DAY_S,
        },
    )
    return {
        scope: Ageing(int(overdue), int(day), int(days), int(total - overdue - day - days))
        for scope, overdue, day, days, total in rows
    }


def source_ages(client: Client) -> list[SourceAge]:
    """Return every source, unit and topic that ever spoke, by source and unit."""
    rows = client.rows(
        """
        SELECT toString(source), toString(unit), toString(topic), max(toUnixTimestamp64Micro(event_time)),
               max(toUnixTimestamp64Micro(seen_at)), sum(events), sum(ignored)
        FROM sources FINAL GROUP BY source, unit, topic ORDER BY source, unit, topic"""
    )
    return [SourceAge(*row[:3], *map(int, row[3:])) for row in rows]


def pipeline_facts(client: Client) -> PipelineFacts:
    """Return how many partitions are complete, how many wait for it, and what is refused."""
    ((ready, waiting, dead),) = client.rows(
        """
        SELECT countIf(claimed = done), countIf(claimed > done),
               (SELECT count() FROM dead_letters FINAL WHERE state = 'refused')
        FROM (SELECT max(epoch) AS claimed, maxIf(epoch, state = 'complete') AS done
              FROM epochs GROUP BY topic, `partition`)"""
    )
    return PipelineFacts(int(ready), int(waiting), int(dead))
