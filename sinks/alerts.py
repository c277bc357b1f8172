"""Alerts: episodes of rules as they stand, written under the epoch of who evaluated them."""

# ruff: noqa: S608
# Columns in SQL come from this file; every value is a parameter.

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from sinks.client import Client
from sinks.columns import INSTANT
from streams.alerts import Alert, AlertState

__all__ = ["alert_history", "find_alert", "open_alerts", "write_alerts"]

_INSTANTS = ("since", "fired", "ended", "escalated", "noticed")
_PLAIN = ("id", "rule", "indicator", "window", "scope", "severity")
_NUMBERS = ("notices", "numerator", "denominator", "threshold")
_COLUMNS = ", ".join(
    (
        *(f"toString({name})" for name in (*_PLAIN, "state")),
        *(f"toUnixTimestamp64Micro({name})" for name in _INSTANTS),
        *_NUMBERS,
    )
)
_TYPES = {"notices": pa.uint32(), "numerator": pa.int64(), "denominator": pa.int64(), "threshold": pa.float64()}


def write_alerts(client: Client, alerts: Sequence[Alert], epoch: int, tick: int) -> None:
    """Insert alerts as they stand now; the larger (epoch, tick) wins, so that a repeated write changes nothing."""
    if not alerts:
        return
    columns: dict[str, pa.Array[Any]] = {
        name: pa.array([getattr(alert, name) for alert in alerts], pa.string()) for name in _PLAIN
    }
    columns["state"] = pa.array([alert.state.value for alert in alerts], pa.string())
    for name in _INSTANTS:
        columns[name] = pa.array([getattr(alert, f"{name}_us") for alert in alerts], pa.int64()).cast(INSTANT)
    for name, kind in _TYPES.items():
        columns[name] = pa.array([getattr(alert, name) for alert in alerts], kind)
    columns["epoch"] = pa.array([epoch] * len(alerts), pa.uint64())
    columns["tick"] = pa.array([tick] * len(alerts), pa.uint64())
    client.insert("alerts", pa.table(columns))


def open_alerts(client: Client) -> list[Alert]:
    """Return the alerts that are pending or firing, the oldest first; with those whose end is not told yet."""
    rows = client.rows(
        f"""
        SELECT {_COLUMNS} FROM alerts FINAL
        WHERE has({{states:Array(String)}}, toString(state)) ORDER BY since, id""",
        {"states": [AlertState.PENDING.value, AlertState.FIRING.value]},
    )
    return [_alert(row) for row in rows]


def find_alert(client: Client, key: str) -> Alert | None:
    """Return the alert with that id as it stands now."""
    rows = client.rows(f"SELECT {_COLUMNS} FROM alerts FINAL WHERE id = {{id:String}}", {"id": key})
    return _alert(rows[0]) if rows else None


def alert_history(client: Client, limit: int, since_us: int) -> list[Alert]:
    """Return alerts that fired and were not over before ``since_us``, the newest first, at most ``limit``."""
    rows = client.rows(
        f"""
        SELECT {_COLUMNS} FROM alerts FINAL
        WHERE isNotNull(fired) AND (isNull(ended) OR toUnixTimestamp64Micro(assumeNotNull(ended)) >= {{since:Int64}})
        ORDER BY since DESC, id LIMIT {{limit:UInt32}}""",
        {"since": since_us, "limit": limit},
    )
    return [_alert(row) for row in rows]


def _alert(row: Sequence[Any]) -> Alert:
    key, rule, indicator, window, scope, severity, state, since, *rest = row
    fired, ended, escalated, noticed, notices, numerator, denominator, threshold = rest
    return Alert(
        id=key,
        rule=rule,
        indicator=indicator,
        window=window,
        scope=scope,
        severity=severity,
        state=AlertState(state),
        since_us=since,
        fired_us=fired,
        ended_us=ended,
        escalated_us=escalated,
        noticed_us=noticed,
        notices=notices,
        numerator=numerator,
        denominator=denominator,
        threshold=threshold,
    )
