"""What is usual: the rates published at this weekday and moment of the last weeks."""

# ruff: noqa: S608
# Columns in SQL come from this file; every value is a parameter.

from collections.abc import Collection

from contract.days import DAY_S, HOUR_S
from sinks.client import Client
from sinks.relation import relation
from streams.alerts import FigureKey
from streams.clock import US_PER_S

__all__ = ["WEEKS", "usual"]

WEEKS = 4
_WEEK_S = 7 * DAY_S
_QUARTER_S = 900

_HOLDS_S = {"15m": _QUARTER_S, "1h": HOUR_S, "24h": DAY_S, "today": DAY_S}
"""A figure with cases that stood for longer than its window was not counted on: nothing was published then."""


def usual(
    client: Client, now_us: int, keys: Collection[FigureKey], minimum_n: int
) -> dict[FigureKey, tuple[float, ...]]:
    """Return the rates in force exactly 1 to 4 weeks ago, the newest first.

    Left out are those of fewer than ``minimum_n`` cases, and figures published longer before that moment than
    their window (at most a week): they say that nothing was counted. A key without any has no entry.
    """
    found: dict[FigureKey, tuple[float, ...]] = {}
    if not keys:
        return found
    wanted, parameters = relation(
        {
            "scope": ("String", [key.scope for key in keys]),
            "indicator": ("String", [key.indicator for key in keys]),
            "window": ("String", [key.window for key in keys]),
        }
    )
    thens_us = [now_us - week * _WEEK_S * US_PER_S for week in range(1, WEEKS + 1)]
    newest = ", ".join(
        f"""argMaxIf((toUnixTimestamp64Micro(time), numerator, denominator), (time, written_at),
                     time > fromUnixTimestamp64Micro({{then{n}:Int64}} - {_WEEK_S * US_PER_S})
                     AND time <= fromUnixTimestamp64Micro({{then{n}:Int64}}))"""
        for n in range(WEEKS)
    )
    rows = client.rows(
        f"""
        SELECT toString(scope), toString(indicator), toString(window), {newest} FROM rates
        WHERE (scope, indicator, window) IN ({wanted})
          AND time > fromUnixTimestamp64Micro({{then{WEEKS - 1}:Int64}} - {_WEEK_S * US_PER_S})
          AND time <= fromUnixTimestamp64Micro({{then0:Int64}})
        GROUP BY scope, indicator, window""",
        {**parameters, **{f"then{n}": then_us for n, then_us in enumerate(thens_us)}},
    )
    for scope, indicator, window, *weeks in rows:
        rates = tuple(
            numerator / denominator
            for then_us, (at_us, numerator, denominator) in zip(thens_us, weeks, strict=True)
            if denominator >= max(1, minimum_n) and then_us - at_us <= _HOLDS_S.get(window, _WEEK_S) * US_PER_S
        )
        if rates:
            found[FigureKey(scope, indicator, window)] = rates
    return found
