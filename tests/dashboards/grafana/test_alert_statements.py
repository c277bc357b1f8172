"""The tables of alerts on the real engine: what fires, who has it, what is muted."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from dashboards.alerts.screen import ALERTS_SCREEN
from dashboards.grafana.macros import TimeRange, expand
from dashboards.grafana.place import Office, Place
from dashboards.grafana.sql import statement
from dashboards.screens import UNIT_SCREEN
from sinks.alert_actions import write_action
from sinks.alerts import write_alerts
from sinks.client import Client, connect
from sinks.migrate import migrate
from sinks.rates import write_rates
from streams.alerts import Action, Alert, AlertState
from streams.rows import Heartbeat, Rate
from tests.conftest import Database

pytestmark = pytest.mark.services

MINUTE_US = 60_000_000


def alert(key: str, state: AlertState, now_us: int, **changes: Any) -> Alert:
    """An alert of a ward, half an hour old."""
    common: dict[str, Any] = {
        "rule": "on_time",
        "indicator": "on_time",
        "window": "30d",
        "scope": "unit:25195",
        "severity": "warning",
        "since_us": now_us - 30 * MINUTE_US,
        "numerator": 31,
        "denominator": 34,
        "threshold": 0.95,
    }
    return Alert(id=key, state=state, **common | changes)


@pytest.fixture
def client(database: Database) -> Iterator[Client]:
    """Two firing alerts, one acknowledged; one pending, one over, one mute in force and one that was taken back."""
    found = connect(host=database.host, port=database.port, database=database.name, **database.login)
    migrate(found)
    now_us = time.time_ns() // 1000
    write_rates(found, [Rate("unit:25195", "on_time", "30d", 1304, 1400)], Heartbeat(1, 1, now_us, now_us))
    write_alerts(
        found,
        [
            alert("a1", AlertState.FIRING, now_us),
            alert("a2", AlertState.FIRING, now_us, severity="critical", scope="source:onestop", indicator="silence",
                  window="now", numerator=2700, denominator=900, threshold=1.0),
            alert("a3", AlertState.PENDING, now_us, scope="unit:75"),
            alert("a4", AlertState.FIRING, now_us, ended_us=now_us),
            alert("a5", AlertState.RECOVERED, now_us, ended_us=now_us),
        ],
        1,
        1,
    )  # fmt: skip
    common: dict[str, Any] = {"alert": "a1", "rule": "on_time", "scope": "unit:25195", "by": "ward-one"}
    for action in (
        Action(action="ack", at_us=now_us, **common),
        Action(action="mute", at_us=now_us, until_us=now_us + 60 * MINUTE_US, reason="it's known", **common),
        Action(action="mute", at_us=now_us, until_us=now_us + MINUTE_US, reason="x", **common | {"scope": "unit:75"}),
        Action(action="unmute", at_us=now_us + 1, **common | {"scope": "unit:75"}),
    ):
        write_action(found, action)
    yield found
    found.close()


def shown(client: Client, office: Office, key: str, unit: str | None = None) -> list[tuple[Any, ...]]:
    """What a panel shows without its last row, which is its age."""
    screen = ALERTS_SCREEN if unit is None else UNIT_SCREEN
    panel = next(one for one in screen.panels if one.key == key)
    now = int(time.time())
    sql = statement(panel, Place(office, "vi")).sql
    return client.rows(expand(sql, TimeRange(now - 86_400, now + 60), {"unit": f"'{unit}'"}))[:-1]


def test_what_fires_is_listed_with_who_has_it(client: Client, office: Office) -> None:
    """The worst first, with the newest figure and its n; what is over or pending is not among it."""
    rv = shown(client, office, "firing")

    assert [(row[0], row[1], row[2], row[3]) for row in rv] == [
        ("■ Nghiêm trọng", "onestop", "Nguồn không gửi dữ liệu", "45 phút"),
        ("▲ Cảnh báo", "Phường Bình Phước", "Giải quyết đúng hạn", "93,1 % (1.304/1.400)"),
    ]
    assert rv[0][5] == "Chưa ai nhận"
    assert rv[1][5].startswith("ward-one ")


def test_pending_muted_and_a_units_own(client: Client, office: Office) -> None:
    """Each list has its own, and a unit's screen nothing of others."""
    pending, muted = shown(client, office, "pending"), shown(client, office, "muted")
    ward, other = shown(client, office, "alerts", "25195"), shown(client, office, "alerts", "25196")

    assert [row[3] for row in pending] == ["91,2 % (31/34)"]
    assert [(row[0], row[1], row[3]) for row in muted] == [("Phường Bình Phước", "on_time", "it's known (ward-one)")]
    assert [row[1] for row in ward] == ["Phường Bình Phước"]
    assert other == []
