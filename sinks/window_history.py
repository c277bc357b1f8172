"""Every window of the last day, from the stored minutes: the course of a rate, minute by minute."""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from contract.days import MINUTE_S
from contract.windows import Level
from sinks.client import Client
from sinks.epochs import CURRENT
from sinks.relation import relation

__all__ = ["WindowHistory", "window_history"]


class WindowHistory(NamedTuple):
    """Windows as columns of one length: good of counted marks from ``starts_s`` on, in seconds since 1970."""

    scopes: Sequence[str]
    indicators: Sequence[str]
    starts_s: Sequence[int]
    goods: Sequence[int]
    counts: Sequence[int]


def window_history(
    client: Client, scopes: Iterable[str], indicators: Iterable[str], start_s: int, end_s: int, length_s: int
) -> WindowHistory:
    """Return every window of ``length_s`` that begins at a whole minute with ``start_s <= start < end_s``.

    Windows without marks are absent. All bounds are whole minutes. Minutes are kept for 25 hours before the newest
    event time: a window that begins before that is not whole.
    """
    wanted, parameters = relation({"scope": ("String", sorted(set(scopes)))})
    # A pane enters the windows from ``length_s`` before its own end on and leaves them with its end: between two such
    # moments all windows have one sum. This is a pass over the panes, not one for each window.
    columns: list[Sequence[Any]] = client.columns(
        f"""
        SELECT toString(scope), toString(indicator), start, good, counted FROM
        (
            SELECT scope, indicator, moment,
                sum(good_moved) OVER (PARTITION BY scope, indicator ORDER BY moment) AS good,
                sum(count_moved) OVER (PARTITION BY scope, indicator ORDER BY moment) AS counted,
                leadInFrame(moment) OVER (
                    PARTITION BY scope, indicator ORDER BY moment ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING
                ) AS next_moment
            FROM
            (
                SELECT scope, indicator, move.1 AS moment, sum(move.2 * good) AS good_moved,
                    sum(move.2 * count) AS count_moved
                FROM panes FINAL
                ARRAY JOIN [(at + {{minute:Int64}} - {{length:Int64}}, 1), (at + {{minute:Int64}}, -1)] AS move
                WHERE (topic, `partition`, epoch) IN ({CURRENT}) AND scope IN ({wanted})
                  AND indicator IN {{indicators:Array(String)}} AND level = {{level:UInt8}}
                  AND at >= {{start:Int64}} AND at < {{end:Int64}} - {{minute:Int64}} + {{length:Int64}}
                GROUP BY scope, indicator, moment
            )
        )
        ARRAY JOIN range(moment, next_moment, {{minute:Int64}}) AS start
        WHERE counted > 0 AND start >= {{start:Int64}} AND start < {{end:Int64}}""",
        {
            **parameters,
            "indicators": sorted(set(indicators)),
            "level": int(Level.MINUTE),
            "minute": MINUTE_S,
            "length": length_s,
            "start": start_s,
            "end": end_s,
        },
    )
    return WindowHistory(*columns) if columns else WindowHistory([], [], [], [], [])
