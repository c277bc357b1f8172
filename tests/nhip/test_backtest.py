"""The back-test of the real receipt file on the real engine, against a loop over every minute; and what it prints."""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from typer.testing import CliRunner, Result

from contract.days import DAY_S, HOUR_S, MINUTE_S, floor_hour, floor_minute, local_day_start
from contract.dossier import DOSSIER
from contract.marks import epoch_us
from nhip.commands.backtest import register
from nhip.settings import Settings
from sinks.client import connect
from sinks.migrate import migrate
from sinks.rates import write_rates
from sinks.store import ClickHouseStore
from streams.clock import US_PER_S
from streams.rows import Heartbeat
from tests.conftest import Database
from tests.support.pipeline import sample
from tests.support.stored import keep

FROM_S, TO_S = 1_296_493_200, 1_314_896_340
"""1 February 2011, 00:00, to 1 September 2011, 23:59, in Viet Nam."""
WAIT_US = 2_000_000
"""So long an alert that fires waits for others."""
RULES = """
[[rule]]
id = "late"
indicator = "on_time"
window = "7d"
scope = "unit:wabo"
below = 0.6
recover = 0.75
minimum_n = 8
for = "6h"
quiet = "none"
to = ["boss"]

[[rule]]
id = "overdue"
indicator = "overdue"
scope = "unit:wabo.*"
above = 0.22
recover = 0.2
minimum_n = 5
for = "1h"
quiet = "none"
to = ["unit"]

[[rule]]
id = "morning"
indicator = "overdue"
scope = "unit:wabo.general"
above = 0.12
minimum_n = 5
daily_at = "08:00"
to = ["boss"]

[[rule]]
id = "silent"
indicator = "silence"
scope = "source:*"
above = 1
to = ["boss"]
"""
RECIPIENTS = """
[recipients.boss]
channels = []
"""

Figures = Callable[[int], tuple[int, int]]


class Sent(NamedTuple):
    """A message as the loop and the document tell it."""

    at_s: int
    rule: str
    scope: str
    kind: str
    numerator: int
    denominator: int
    recipients: tuple[str, ...]


def newest() -> list[Any]:
    """The newest snapshot of every dossier of the file."""
    found: dict[str, Any] = {}
    for event in sample("receipt.csv", "receipt"):
        if event.subject not in found or event.version > found[event.subject].version:
            found[event.subject] = event
    return list(found.values())


def seconds(moment: Any) -> int:
    """Whole seconds since 1970."""
    return epoch_us(moment) // US_PER_S


def on_time(events: list[Any]) -> Figures:
    """Finished in the seven days of hours that end with a minute, and of these on time."""
    finished = sorted(
        (seconds(e.data.finished_at), e.data.finished_at <= e.data.due_at)
        for e in events
        if e.data.status == "completed" and e.data.due_at is not None
    )
    times, good = [at for at, _ in finished], [0, *accumulate(ok for _, ok in finished)]

    def figure(minute_s: int) -> tuple[int, int]:
        low = bisect_left(times, floor_hour(minute_s) + HOUR_S - 7 * DAY_S)
        high = bisect_left(times, minute_s + MINUTE_S)
        return good[high] - good[low], high - low

    return figure


def overdue(events: list[Any]) -> Figures:
    """Open at the end of a minute with a due date, and of these due in a minute before."""
    steps: dict[int, list[int]] = {}

    def step(minute_s: int, late: int, known: int) -> None:
        side = steps.setdefault(minute_s, [0, 0])
        side[0] += late
        side[1] += known

    for e in events:
        end_s = 2**40 if e.data.status == "processing" else floor_minute(seconds(e.data.finished_at))
        begin_s, late_s = floor_minute(seconds(e.data.received_at)), floor_minute(seconds(e.data.due_at)) + MINUTE_S
        if begin_s >= end_s:
            continue
        step(begin_s, 0, 1)
        step(end_s, 0, -1)
        if (from_s := max(begin_s, late_s)) < end_s:
            step(from_s, 1, 0)
            step(end_s, -1, 0)
    minutes = sorted(steps)
    late = list(accumulate(steps[m][0] for m in minutes))
    known = list(accumulate(steps[m][1] for m in minutes))

    def figure(minute_s: int) -> tuple[int, int]:
        n = bisect_left(minutes, minute_s + 1) - 1
        return (late[n], known[n]) if n >= 0 else (0, 0)

    return figure


def looped(
    rule: str, scope: str, figure: Figures, hold_s: int, verdict: Callable[[int, int], str], names: tuple[str, ...]
) -> Iterator[Sent]:
    """Walk through every minute of the span with the words of the rule and nothing else."""
    since_s = fired_s = None
    for minute_s in range(FROM_S, TO_S + 1, MINUTE_S):
        said = verdict(*figure(minute_s))
        if fired_s is not None:
            if said == "good":
                yield Sent(minute_s, rule, scope, "recovered", *figure(minute_s), names)
                since_s = fired_s = None
        elif said == "bad":
            since_s = minute_s if since_s is None else since_s
            if minute_s >= since_s + hold_s:
                fired_s = minute_s
                yield Sent(minute_s + WAIT_US // US_PER_S, rule, scope, "fired", *figure(minute_s), names)
        elif said != "unknown":
            since_s = None


def low(good: int, count: int) -> str:
    """The rule on time in words."""
    if count < 8:
        return "unknown"
    return "bad" if good / count < 0.6 else "good" if good / count >= 0.75 else "between"


def high(late: int, count: int) -> str:
    """The rule on what is overdue in words."""
    if count < 5:
        return "unknown"
    return "bad" if late / count > 0.22 else "good" if late / count <= 0.2 else "between"


def expected(events: list[Any]) -> list[Sent]:
    """All messages of the span."""
    found = list(looped("late", "unit:wabo", on_time(events), 6 * HOUR_S, low, ("boss",)))
    for unit in ("general", "customer-contact", "experts"):
        own = [e for e in events if e.data.unit == f"wabo.{unit}"]
        found += looped("overdue", f"unit:wabo.{unit}", overdue(own), HOUR_S, high, ())
    general = overdue([e for e in events if e.data.unit == "wabo.general"])
    for day_s in range(local_day_start(FROM_S), TO_S, DAY_S):
        late, count = general(day_s + 8 * HOUR_S)
        if count >= 5 and late / count > 0.12:
            found.append(Sent(day_s + 8 * HOUR_S, "morning", "unit:wabo.general", "digest", late, count, ("boss",)))
    return sorted(found)


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a store that holds the receipt file as of its newest event, with rules and recipients."""
    client = connect(host=database.host, port=database.port, database=database.name, **database.login)
    migrate(client)
    store = ClickHouseStore(client)
    store.ensure_definitions("first")
    events = newest()
    keep(store, DOSSIER, events)
    newest_us = max(epoch_us(event.time) for event in events)
    write_rates(client, [], Heartbeat(1, 1, newest_us, newest_us))
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "recipients.toml").write_text(RECIPIENTS)
    yield Settings(
        store_host=database.host,
        store_port=database.port,
        store_database=database.name,
        store_password_file=str(database.password_file),
        rules_file=str(tmp_path / "rules.toml"),
        recipients_file=str(tmp_path / "recipients.toml"),
    )
    client.close()


def run(settings: Settings, *arguments: str) -> Result:
    """Run the command as the program would."""
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, list(arguments), obj=settings)


@pytest.mark.services
def test_messages_are_those_of_a_loop_over_every_minute(settings: Settings) -> None:
    """Seven months of the receipt file: three rules, every message with its minute, its figure and its recipients."""
    rv = run(settings, "--from", "2011-02-01", "--to", "2011-09-01", "--json")

    assert rv.exit_code == 0, rv.output
    document = json.loads(rv.stdout)
    told = [
        Sent(
            int(datetime.fromisoformat(one["at"]).timestamp()),
            one["rule"],
            one["scope"],
            one["kind"],
            one["numerator"],
            one["denominator"],
            tuple(one["recipients"]),
        )
        for one in document["messages"]
    ]
    wanted = expected(newest())
    assert sorted(told) == wanted
    assert {(one.rule, one.kind) for one in wanted} == {
        *((rule, kind) for rule in ("late", "overdue") for kind in ("fired", "recovered")),
        ("morning", "digest"),
    }
    assert "skipped, for gauges have no history: silent" in rv.stderr
    of_rule = {one["rule"]: one for one in document["rules"]}
    fired = sum(one.rule == "late" and one.kind == "fired" for one in wanted)
    assert of_rule["late"]["alerts"] == fired
    assert of_rule["late"]["messages"] == sum(one.rule == "late" for one in wanted)


@pytest.mark.services
def test_the_table_and_its_limits(settings: Settings) -> None:
    """One rule and some scopes are looked at; what would reach nobody is said so; the end is that of the figures."""
    rv = run(
        settings, "--rule", "overdue", "--scope", "unit:*.g*", "--from", "2011-02-01T00:00:00", "--to", "2030-01-01"
    )

    words = " ".join(rv.stdout.split())
    assert rv.exit_code == 0, rv.output
    assert "2011-02-01 00:00 to 2012-01-23 21:42" in words
    assert "fired" in words
    assert "overdue 2 0 0" in words
    assert "late" not in words
    assert "nobody: no recipient stands for that unit" in rv.stderr


@pytest.mark.services
def test_mistakes_are_named(settings: Settings) -> None:
    """A time that is none, an empty span, an unknown rule or scope: exit code 2 and the remedy."""
    mistakes = {
        ("--from", "yesterday"): "write 2026-11-22",
        ("--from", "2011-02-02", "--to", "2011-02-01"): "lies after the end",
        ("--rule", "none"): "one of late, overdue, morning, silent",
        ("--scope", "unit:x"): "fits no scope",
    }

    rv = {arguments: run(settings, *arguments) for arguments in mistakes}

    for arguments, words in mistakes.items():
        assert rv[arguments].exit_code == 2
        assert words in " ".join(rv[arguments].stderr.replace("│", " ").split())
