"""Every statement of every panel and alert on the real engine, and what some of them must say."""

# ruff: noqa: S608
# The statements are made here, of literals.

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.kind import Event
from contract.numbers import count_text, duration_text, percent_text
from contract.registry import INDICATORS
from dashboards.grafana.alerts import RULES
from dashboards.grafana.check import run, statements
from dashboards.grafana.macros import TimeRange, expand
from dashboards.grafana.place import Office, Place
from dashboards.grafana.sample import fill
from dashboards.grafana.sql import statement
from dashboards.grafana.sql_parts import count_words, duration_words, percent_words, quoted, state_of
from dashboards.screens import SCREENS, Content, ScopeKind
from producers.mapping import load_mapping
from producers.replay import read_events
from sinks.client import Client, connect
from sinks.migrate import migrate
from sinks.store import ClickHouseStore
from streams.rows import Heartbeat
from tests.conftest import Database
from tests.support.pipeline import DATA

UNIT = {"unit": "'H19.01'"}


@pytest.fixture(scope="module")
def events() -> Sequence[Event]:
    """Events of the sample files."""
    return [e for name in ("receipt", "fines") for e in read_events(DATA / f"{name}.csv", load_mapping(name)).events]


@pytest.fixture
def empty(database: Database) -> Iterator[Client]:
    """A store that nobody has written to."""
    client = connect(host=database.host, port=database.port, database=database.name, **database.login)
    migrate(client)
    yield client
    client.close()


@pytest.fixture
def client(empty: Client, office: Office, events: Sequence[Event]) -> Client:
    """The same with the sample data, dealt out among units of the province."""
    fill(ClickHouseStore(empty), office.tree, events, some_units(office))
    return empty


def some_units(office: Office) -> tuple[str, ...]:
    """Departments and communes to which the sample is dealt out."""
    return (*office.members(ScopeKind.DEPARTMENTS), *office.members(ScopeKind.COMMUNES)[:16])


def rows(client: Client, office: Office, screen: str, key: str, lang: Any = "vi") -> list[tuple[Any, ...]]:
    """What a panel shows."""
    panel = next(p for s in SCREENS if s.key == screen for p in s.panels if p.key == key)
    return client.rows(expand(statement(panel, Place(office, lang)).sql, _span(), UNIT))


def _span() -> TimeRange:
    now = int(time.time())
    return TimeRange(now - 86_400, now + 60)


def test_every_statement_runs(client: Client, rendered: dict[str, str]) -> None:
    """On the sample data, without an error, and every panel has at least one row: its age."""
    now = int(time.time())
    ran = [run(client, stated, now, UNIT) for stated in statements(rendered)]
    assert len(ran) > 140
    assert [one for one in ran if one.error is not None or one.rows == 0] == []


def test_every_statement_runs_on_an_empty_store(empty: Client, rendered: dict[str, str]) -> None:
    """A new installation shows that it has no figures, no errors."""
    now = int(time.time())
    ran = [run(empty, stated, now, UNIT) for stated in statements(rendered)]
    assert [one for one in ran if one.error is not None] == []


def test_headlines_equal_the_published_figures(client: Client, office: Office) -> None:
    """Rate, numerator and denominator are those of rates_now."""
    published = ClickHouseStore(client).rates_now()
    seen = 0
    for panel in SCREENS[0].panels:
        if panel.content is not Content.RATE:
            continue
        n, d = published.get(("unit:75", panel.indicators[0], str(panel.window)), (0, 0))
        ((rate, cases, state),) = rows(client, office, "overview", panel.key)
        assert rate == (pytest.approx(n / d) if d else None)
        assert cases.startswith(f"{count_text(n).vi} / {count_text(d).vi} ")
        glyph = {"ok": "●", "watch": "▲", "bad": "■", "none": "○"}[office.targets.state(panel.indicators[0], n, d)]
        assert state.startswith(glyph)
        assert "số liệu" in state
        seen += d > 0
    assert seen >= 2


def test_old_figures_are_not_shown(client: Client, office: Office) -> None:
    """Ten minutes without a beat: words in place of the figure, and tables hold their age alone."""
    now_us = time.time_ns() // 1000
    client.command("TRUNCATE TABLE heartbeat")
    ClickHouseStore(client).write_rates([], Heartbeat(1, 99, now_us, now_us - 600_000_000))
    assert rows(client, office, "overview", "overdue") == [(None, "–", "dữ liệu cũ 10 phút")]
    assert rows(client, office, "overview", "overdue", "en") == [(None, "–", "data 10 min old")]
    assert rows(client, office, "units", "departments_overdue") == [(None, "dữ liệu cũ 10 phút", None, "", "")]
    assert {row[1:] for row in rows(client, office, "dossiers", "per_hour")} == {(None, None)}


def test_leagues_rank_best_first_and_few_cases_not_at_all(client: Client, office: Office) -> None:
    """Departments and communes apart; below the minimum there is no rank, and the last row is the age."""
    league = rows(client, office, "units", "communes_overdue")
    ranked = [row for row in league if row[0] is not None]
    assert [row[2] for row in ranked] == sorted(row[2] for row in ranked)
    assert all("ít hơn" in row[4] for row in league[:-1] if row[0] is None and not row[3].endswith("/ 0"))
    assert league[-1][1].startswith("số liệu")
    names = {row[1] for row in league[:-1]}
    assert names <= {office.tree.name(code, "vi") for code in office.members(ScopeKind.COMMUNES)}


def test_open_dossiers_add_up(client: Client, office: Office) -> None:
    """The four ages together are all open dossiers with a due date, and the overdue ones the indicator's."""
    overdue, total = ClickHouseStore(client).rates_now()["unit:75", "overdue", "now"]
    shares = [row[1] for row in rows(client, office, "dossiers", "ageing")[:-1]]
    assert sum(shares) == total > 0
    assert shares[0] == overdue


def test_the_longest_overdue_equal_a_plain_query(client: Client, office: Office) -> None:
    """Codes in the order of their due dates, as a query over all newest rows gives them."""
    shown = [row[0] for row in rows(client, office, "dossiers", "most_overdue")[:-1]]
    plain = client.rows(
        "SELECT id FROM dossiers FINAL WHERE overdue_at < toUnixTimestamp(now()) - 60 "
        "ORDER BY overdue_at, id LIMIT 10"
    )
    assert shown == [code for (code,) in plain]


def test_states_equal_those_of_the_wall(empty: Client, office: Office) -> None:
    """The SQL judges every figure as dashboards.targets does."""
    for key in INDICATORS:
        target = office.targets.of(key)
        figures = [
            (n, d) for d in (0, 1, target.minimum_n - 1, target.minimum_n, 40, 200, 1000) for n in range(d + 1)
        ]
        listed = ", ".join(f"({n}, {d})" for n, d in figures)
        sql = f"SELECT {state_of(key, target, 'f.1', 'f.2')} FROM (SELECT arrayJoin([{listed}]) AS f)"
        assert [state for (state,) in empty.rows(sql)] == [office.targets.state(key, n, d) for n, d in figures]


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_numbers_are_written_as_on_the_wall(empty: Client, lang: Any) -> None:
    """Counts, shares and durations."""
    pick = 0 if lang == "vi" else 1
    for number in (0, 7, 999, 1000, 1434, 1_234_567, 10**9):
        assert empty.rows(f"SELECT {count_words(str(number), lang)}") == [(count_text(number)[pick],)]
    for rate in ("0", "1", "0.953", "0.5", "NULL"):
        share = None if rate == "NULL" else float(rate)
        sql = f"SELECT {percent_words(f'CAST({rate}, ' + quoted('Nullable(Float64)') + ')', lang)}"
        assert empty.rows(sql) == [(percent_text(share)[pick],)]
    for seconds in (0, 59, 60, 3599, 3600, 86_400, 172_799, 172_800, 10**7):
        assert empty.rows(f"SELECT {duration_words(str(seconds), lang)}") == [(duration_text(seconds)[pick],)]


def test_hostile_names_are_text(empty: Client) -> None:
    """Whatever stands in a file of the office."""
    for text in ("'; DROP TABLE t --", "\\", "\\'", "$__timeFilter(x)", "${unit}", "[[x]]", "a\nb", "`"):
        assert empty.rows(f"SELECT {expand(quoted(text), _span())}") == [(text,)]


def test_alerts_fire_and_rest(client: Client) -> None:
    """On fresh data only the refused record is above its limit; without a beat the first rule fires."""

    def value(key: str) -> float:
        rule = next(rule for rule in RULES if rule.key == key)
        ((_, found),) = client.rows(rule.sql)
        return float(found) - rule.above

    assert value("no-rates") < 0
    assert value("lag") < 0
    assert value("partitions") <= 0
    assert value("dead-letters") > 0
    client.command("TRUNCATE TABLE heartbeat")
    assert value("no-rates") > 0
    client.command(
        "INSERT INTO epochs (topic, `partition`, epoch, state, owner) VALUES ('nhip.dossiers', 0, 9, 'claim', 'x')"
    )
    assert value("partitions") > 0


def test_the_longest_overdue_stay_right_after_changes(
    client: Client, office: Office, events: Sequence[Event]
) -> None:
    """A second, later fill replaces rows; finished dossiers of older rows are not shown."""
    fill(ClickHouseStore(client), office.tree, events, some_units(office), datetime.now(UTC))
    shown = [row[0] for row in rows(client, office, "dossiers", "most_overdue")[:-1]]
    assert len(shown) == len(set(shown)) == 10
