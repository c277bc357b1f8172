"""Rules on the real receipt file by its own clock: real Kafka, a worker process, the engine and a web hook."""

import time
from bisect import bisect_left
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from contract.days import DAY_S, HOUR_S, MINUTE_S, floor_hour, floor_minute
from contract.marks import epoch_us
from nhip.alerting import open_alert_store
from nhip.settings import Settings
from sinks.alert_store import ClickHouseAlertStore
from sinks.outbox import DeliveryState, Pending
from streams.alerts import Alert, Notice
from tests.support.mailbox import WebHook, wait_for
from tests.support.pipeline import pipeline, sample

pytestmark = pytest.mark.services

RULE = """
[[rule]]
id = "late"
indicator = "on_time"
window = "30d"
scope = "unit:wabo"
below = 0.70
recover = 0.73
minimum_n = 20
for = "6h"
quiet = "none"
to = ["duty"]
"""
RECIPIENTS = """
[recipients.duty]
channels = ["json://127.0.0.1:1/nobody"]
"""
HOLD_S = 6 * HOUR_S
WAIT_S = 2
"""So long an alert that fires waits for others, to be told with them."""
PATIENCE_S = 120.0
LOOK_S = 0.5
AFTERWARDS_S = 3.0
"""Looks of the alarm in which one message too many would come."""


class Told(NamedTuple):
    """One message: when it was due, by the clock of the file."""

    at_s: int
    kind: str
    good: int
    cases: int


class Span(NamedTuple):
    """From firing to the end, None while it lasts."""

    fired_s: int
    ended_s: int | None


def by_brute_force(events: list[Any]) -> tuple[list[Span], list[Told]]:
    """Every minute of the file by itself, from its newest snapshots, without any of the code under test."""
    newest = {event.subject: event for event in sorted(events, key=lambda event: event.version)}
    marks = sorted(
        (epoch_us(data.finished_at) // 1_000_000, data.finished_at <= data.due_at)
        for data in (event.data for event in newest.values())
        if data.status == "completed" and data.due_at is not None
    )
    times, good = [at_s for at_s, _ in marks], [0, *accumulate(ok for _, ok in marks)]
    clock_s = floor_minute(max(epoch_us(event.time) for event in events) // 1_000_000)
    spans: list[Span] = []
    told: list[Told] = []
    since_s = fired_s = None
    for minute_s in range(floor_minute(times[0]), clock_s + 1, MINUTE_S):
        low = bisect_left(times, floor_hour(minute_s) + HOUR_S - 30 * DAY_S)
        high = bisect_left(times, minute_s + MINUTE_S)
        figure = good[high] - good[low], high - low
        if figure[1] < 20:
            continue
        rate = figure[0] / figure[1]
        if fired_s is not None:
            if rate >= 0.73:
                spans.append(Span(fired_s, minute_s))
                told.append(Told(minute_s, "recovered", *figure))
                fired_s = since_s = None
        elif rate < 0.70:
            since_s = minute_s if since_s is None else since_s
            if minute_s - since_s >= HOLD_S:
                fired_s = minute_s
                told.append(Told(minute_s + WAIT_S, "fired", *figure))
        else:
            since_s = None
    return [*spans, *([Span(fired_s, None)] if fired_s is not None else [])], told


def test_rules_run_through_history_minute_by_minute(tmp_path: Path) -> None:
    """1,434 real building permits: on time within 30 days below 70 % for 6 h fires and recovers at the same minutes.

    Without a channel of the run nobody is told, whatever the recipients have: the messages stay, each marked. A
    worker with a channel walks through the same history anew: it sends the messages of a new rule, each once, and
    none of those that were decided before.
    """
    events = sample("receipt.csv", "receipt")
    spans, told = by_brute_force(events)
    (tmp_path / "rules.toml").write_text(RULE)
    recipients = tmp_path / "recipients.toml"
    recipients.write_text(RECIPIENTS)
    recipients.chmod(0o600)
    settings = Settings(
        clock="event",
        rules_file=str(tmp_path / "rules.toml"),
        recipients_file=str(recipients),
        alerts_key_file=str(tmp_path / "alerts.key"),
    )
    with WebHook() as hook, pipeline(tmp_path / "data", settings=settings) as running:
        system = running.system
        store = open_alert_store(system.settings)
        running.send(events)
        wait_for(lambda: settled(store, "late", len(told), DeliveryState.FAILED), PATIENCE_S, LOOK_S)
        marked = told_of(store, "late")
        system.workers[0].stop()
        (tmp_path / "rules.toml").write_text(RULE + RULE.replace("late", "late_too"))
        system.settings = replace(system.settings, alerts_channel=hook.address())
        system.add_worker(0)
        running.send(events)
        wait_for(lambda: settled(store, "late_too", len(told), DeliveryState.SENT), PATIENCE_S, LOOK_S)
        time.sleep(AFTERWARDS_S)
        alerts = store.alert_history(1_000)
        sent = told_of(store, "late_too")

    assert len(spans) >= 3
    for rule, found in (("late", marked), ("late_too", sent)):
        assert spans_of(alerts, rule) == spans
        assert [as_told(one.notice) for one in found] == told
    assert all(one.delivery and "no channel" in one.delivery.error and not one.delivery.attempts for one in marked)
    assert sorted(hook.ids) == sorted(one.notice.id for one in sent)


def told_of(store: ClickHouseAlertStore, rule: str) -> list[Pending]:
    """Every message of a rule that was decided, by time."""
    alerts = [alert for alert in store.alert_history(1_000) if alert.rule == rule]
    found = [one for alert in alerts for one in store.notices_of(alert.id, 100)]
    return sorted(found, key=lambda one: one.notice.at_us)


def settled(store: ClickHouseAlertStore, rule: str, messages: int, state: DeliveryState) -> bool:
    """Whether so many messages of a rule have come to this end."""
    return [one.delivery and one.delivery.state for one in told_of(store, rule)].count(state) >= messages


def spans_of(alerts: list[Alert], rule: str) -> list[Span]:
    """What the table of alerts says, by time."""
    return sorted(
        Span((alert.fired_us or 0) // 1_000_000, alert.ended_us and alert.ended_us // 1_000_000)
        for alert in alerts
        if alert.rule == rule
    )


def as_told(notice: Notice) -> Told:
    """What a message says, of its own figure."""
    own = notice.facts.figures[0]
    return Told(notice.at_us // 1_000_000, notice.kind, own.numerator, own.denominator)
