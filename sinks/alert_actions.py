"""What people did about alerts: acknowledgements and mutes, appended and never changed."""

# ruff: noqa: S608
# Columns in SQL come from this file; every value is a parameter.

from collections.abc import Sequence
from itertools import starmap
from typing import Any

import pyarrow as pa

from sinks.client import Client
from sinks.columns import INSTANT
from streams.alerts import Action, Alert

__all__ = ["actions_of", "live_actions", "mutes", "write_action"]

_COLUMNS = """alert, toString(rule), toString(scope), toString(action), toUnixTimestamp64Micro(until), by, reason,
              toUnixTimestamp64Micro(at)"""
_MUTED = (
    "SELECT rule, scope FROM alert_actions WHERE action = 'mute' AND until > fromUnixTimestamp64Micro({now:Int64})"
)


def write_action(client: Client, action: Action) -> None:
    """Insert an action; the same one again is the same row."""
    columns: dict[str, pa.Array[Any]] = {
        name: pa.array([getattr(action, name)], pa.string())
        for name in ("alert", "rule", "scope", "action", "by", "reason")
    }
    columns["until"] = pa.array([action.until_us], pa.int64()).cast(INSTANT)
    columns["at"] = pa.array([action.at_us], pa.int64()).cast(INSTANT)
    client.insert("alert_actions", pa.table(columns))


def live_actions(client: Client, now_us: int) -> list[Action]:
    """Return the actions on open alerts, and of every rule and scope muted beyond ``now_us``, oldest first."""
    return _actions(
        client,
        f"""alert IN (SELECT id FROM alerts FINAL WHERE state IN ('pending', 'firing'))
            OR (action != 'ack' AND (rule, scope) IN ({_MUTED}))""",
        {"now": now_us},
    )


def mutes(client: Client, now_us: int) -> list[Action]:
    """Return the mutes in force at a moment: of each rule and scope the newest word, unless it is an unmute."""
    said = _actions(client, f"action != 'ack' AND (rule, scope) IN ({_MUTED})", {"now": now_us})
    newest = {(one.rule, one.scope): one for one in said}
    return [one for one in newest.values() if one.until_us is not None and one.until_us > now_us]


def actions_of(client: Client, alert: Alert) -> list[Action]:
    """Return what was done about an alert, and the mutes of its rule and scope, oldest first."""
    return _actions(
        client,
        "alert = {alert:String} OR (action != 'ack' AND rule = {rule:String} AND scope = {scope:String})",
        {"alert": alert.id, "rule": alert.rule, "scope": alert.scope},
    )


def _actions(client: Client, condition: str, parameters: dict[str, Any]) -> list[Action]:
    rows: Sequence[tuple[Any, ...]] = client.rows(
        f"SELECT {_COLUMNS} FROM alert_actions FINAL WHERE {condition} ORDER BY at, action, alert, by", parameters
    )
    return list(starmap(_action, rows))


def _action(*row: Any) -> Action:
    alert, rule, scope, action, until, by, reason, at = row
    return Action(alert=alert, rule=rule, scope=scope, action=action, until_us=until, by=by, reason=reason, at_us=at)
