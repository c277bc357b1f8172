"""Figures of sources, and what is usual, on the real engine."""

import pytest

from contract.days import DAY_S, HOUR_S
from sinks.alert_store import ClickHouseAlertStore
from sinks.dead_letters import write_dead_letters
from sinks.rates import write_rates
from sinks.store import ClickHouseStore
from streams.alerts import FigureKey
from streams.rows import DeadLetter, EpochKey, Heartbeat, Rate, SourceRow
from tests.support.alert_store import NOW_US, US

pytestmark = pytest.mark.services


def letter(offset: int, value: bytes, time_us: int = NOW_US) -> DeadLetter:
    """A refused record."""
    return DeadLetter("nhip.dossiers", 0, offset, "invalid", "wrong", None, value, time_us)


def test_gauges_of_sources(alerts: ClickHouseAlertStore) -> None:
    """Silence in the hours that count, and what was refused in the last hour; unknown names are counted together."""
    store, key = ClickHouseStore(alerts.client), EpochKey("nhip.dossiers", 0, 1)
    friday_us = NOW_US - (2 * DAY_S - 7 * HOUR_S) * US  # Friday, 16:00: an hour before the offices close
    store.write_sources(
        [
            SourceRow("onestop/1", "c1", key, 1, 0, friday_us - DAY_S * US, 1, 0),
            SourceRow("onestop/1", "c2", key, 1, 0, friday_us, 1, 0),
            SourceRow("bank", "c1", key, 1, 0, NOW_US - 7 * US, 1, 0),
            SourceRow("ahead", "c1", key, 1, 0, NOW_US + 7 * US, 1, 0),
        ]
    )
    hour_us = HOUR_S * US
    refused = [
        letter(1, b'{"source": "bank"}', NOW_US - hour_us + 1),
        letter(2, b'{"source": "bank"}'),
        letter(2, b'{"source": "bank"}'),
        letter(3, b'{"source": "bank"}', NOW_US - hour_us),
        letter(4, b'{"source": "nobody"}'),
        letter(5, b"\xff not json"),
        letter(6, b'{"source": "bank"}'),
    ]
    store.write_dead_letters(refused)
    write_dead_letters(store.client, refused[-1:], "dropped")

    rv = alerts.gauges(NOW_US)

    assert sorted(rv) == sorted(
        [
            Rate("source:onestop/1", "silence", "now", HOUR_S, 1800),
            Rate("source:bank", "silence", "now", 7, 900),
            Rate("source:ahead", "silence", "now", 0, 900),
            Rate("source:onestop/1", "dead_letters", "1h", 0, 1),
            Rate("source:bank", "dead_letters", "1h", 2, 1),
            Rate("source:ahead", "dead_letters", "1h", 0, 1),
            Rate("source:?", "dead_letters", "1h", 2, 1),
        ]
    )


def test_the_usual_is_what_was_published_weeks_ago(alerts: ClickHouseAlertStore) -> None:
    """As of the same moment 1 to 4 weeks ago; without too few cases, and without what had stood for too long."""
    week_us = 7 * DAY_S * US
    published = [
        ("24h", -4 * week_us - 1, 9, 10),
        ("24h", -4 * week_us + 1, 0, 10),
        ("24h", -3 * week_us - DAY_S * US - 1, 8, 10),  # older than a day: nobody counted then
        ("24h", -2 * week_us, 7, 9),  # fewer than 10 cases
        ("24h", -week_us - 60 * US, 1, 10),
        ("24h", -week_us - 5, 6, 10),
        ("24h", -5, 5, 10),
        ("all", -2 * week_us - 5 * DAY_S * US, 4, 10),
    ]
    for tick, (window, at_us, top, bottom) in enumerate(published):
        write_rates(
            alerts.client,
            [Rate("unit:75", "on_time", window, top, bottom)],
            Heartbeat(1, tick, NOW_US + at_us, NOW_US),
        )
    keys = [FigureKey("unit:75", "on_time", window) for window in ("24h", "all", "1h")]

    rv = alerts.usual(NOW_US, keys, 10)

    assert rv == {keys[0]: (0.6, 0.9), keys[1]: (0.4,)}
    assert alerts.usual(NOW_US, [], 10) == {}


def test_without_enough_cases_nothing_is_usual(alerts: ClickHouseAlertStore) -> None:
    """A figure that never had as many cases has no entry: an alarm must not compare with it."""
    published = [Rate("unit:75", "on_time", "24h", 1, 9), Rate("unit:75", "online", "24h", 0, 0)]
    write_rates(alerts.client, published, Heartbeat(1, 1, NOW_US - 7 * DAY_S * US - 5, NOW_US))
    keys = [FigureKey("unit:75", indicator, "24h") for indicator in ("on_time", "online")]

    rv = [alerts.usual(NOW_US, keys, minimum_n) for minimum_n in (10, 9, 0)]

    assert rv == [{}, {keys[0]: (1 / 9,)}, {keys[0]: (1 / 9,)}]
