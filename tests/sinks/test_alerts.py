"""The store of alerts on the real engine: what was written is read back, and writing it again changes nothing."""

from typing import Any

import msgspec
import pytest

from contract.days import DAY_S
from contract.words import Text
from sinks.alert_store import ClickHouseAlertStore
from sinks.outbox import ChannelResult, Delivery, DeliveryState
from sinks.rates import write_rates
from streams.alerts import Action, Alert, AlertState, Figure, Notice, NoticeFacts
from streams.rows import Heartbeat
from tests.support.alert_store import NOW_US, US

pytestmark = pytest.mark.services


def alert(key: str = "a1", **changes: Any) -> Alert:
    """A firing alert."""
    firing = Alert(
        id=key,
        rule="on_time",
        indicator="on_time",
        window="24h",
        scope="unit:B.'1\\ 🏠",
        severity="critical",
        state=AlertState.FIRING,
        since_us=NOW_US - 900 * US,
        fired_us=NOW_US - 300 * US,
        notices=1,
        noticed_us=NOW_US - 300 * US,
        numerator=18,
        denominator=20,
        threshold=0.95,
    )
    return msgspec.structs.replace(firing, **changes)


def notice(key: str = "n1", **changes: Any) -> Notice:
    """A message with every fact there is."""
    facts = NoticeFacts(
        indicator="on_time",
        window="24h",
        figures=(Figure("unit:75", 18, 20), Figure("unit:c1", 0, 1)),
        threshold=0.95,
        below=True,
        since_us=NOW_US - 900 * US,
        usual=0.99,
        title=Text("Tiêu đề 'ở đây'", "Title"),
        number=3,
    )
    found = Notice(
        id=key,
        alert="a1",
        rule="on_time",
        scope="unit:75",
        kind="fired",
        severity="warning",
        recipient="duty",
        at_us=NOW_US,
        facts=facts,
    )
    return msgspec.structs.replace(found, **changes)


def action(kind: str, at_us: int, **changes: Any) -> Action:
    """An action about an alert."""
    found = Action(alert="a1", rule="on_time", scope="unit:75", action="ack", by="duty", at_us=at_us)
    return msgspec.structs.replace(found, action=kind, **changes)


def test_the_newest_epoch_and_tick_of_an_alert_wins(alerts: ClickHouseAlertStore) -> None:
    """Whenever it was written: a worker that wakes up late does not turn time back."""
    pending = alert(state=AlertState.PENDING, fired_us=None, noticed_us=None, notices=0)
    other = alert("a2", since_us=NOW_US, state=AlertState.PENDING)
    alerts.write_alerts([alert(), other], 2, 1)

    for _ in range(2):
        alerts.write_alerts([pending], 1, 9)
    alerts.write_alerts([], 3, 1)

    assert alerts.open_alerts() == [alert(), other]
    assert alerts.alert("a1") == alert()
    assert alerts.alert("none") is None


def test_what_is_over_is_history(alerts: ClickHouseAlertStore) -> None:
    """Alerts that fired, the newest first; what never fired is none."""
    over = alert("a2", state=AlertState.RECOVERED, since_us=NOW_US - DAY_S * US, ended_us=NOW_US - 100 * US)
    cleared = alert("a3", state=AlertState.CLEARED, fired_us=None, ended_us=NOW_US)
    alerts.write_alerts([alert(), over, cleared], 1, 1)

    rv = alerts.alert_history(10), alerts.alert_history(10, NOW_US - 99 * US), alerts.alert_history(1)

    assert rv == ([alert(), over], [alert()], [alert()])
    assert alerts.open_alerts() == [alert()]


def test_actions_on_open_alerts_and_mutes_that_last(alerts: ClickHouseAlertStore) -> None:
    """Acknowledgements of what is over and mutes that have ended are not among them; the same twice is once."""
    alerts.write_alerts([alert("a1"), alert("a2", state=AlertState.RECOVERED, ended_us=NOW_US)], 1, 1)
    ack = action("ack", NOW_US - 5, reason="đang xử lý")
    mute = action("mute", NOW_US - 4, alert="a2", scope="unit:c1", until_us=NOW_US + 1)
    unmute = action("unmute", NOW_US - 3, alert="a2", scope="unit:c1")
    for one in (unmute, mute, ack, ack):
        alerts.act(one)
    alerts.act(action("ack", NOW_US - 9, alert="a2"))
    alerts.act(action("mute", NOW_US - 9, alert="a2", scope="unit:c2", until_us=NOW_US))

    rv = alerts.actions()

    assert rv == [ack, mute, unmute]
    assert alerts.mutes() == []
    alerts.act(again := action("mute", NOW_US - 2, alert="a2", scope="unit:c1", until_us=NOW_US + 9))
    assert alerts.mutes() == [again]
    assert alerts.actions_of(alert("a2", scope="unit:c1"))[2:] == [mute, unmute, again]


def test_mutes_by_the_clock_of_a_replay(alerts: ClickHouseAlertStore) -> None:
    """While history is replayed, a mute that ends in it is not over."""
    mute = action("mute", NOW_US - 2 * DAY_S * US, until_us=NOW_US - DAY_S * US)
    alerts.act(mute)
    before = alerts.actions()

    write_rates(alerts.client, [], Heartbeat(1, 1, NOW_US - 2 * DAY_S * US, NOW_US))

    assert before == []
    assert alerts.actions() == alerts.mutes() == [mute]


def test_a_notice_that_was_sent_stays_so(alerts: ClickHouseAlertStore) -> None:
    """Decided once more, by a successor, it is known and not delivered again."""
    second = notice("n2", at_us=NOW_US - 1)
    alerts.write_notices([notice(), second])
    before = alerts.undelivered()
    sent = Delivery(
        state=DeliveryState.SENT,
        attempts=1,
        first_us=NOW_US,
        at_us=NOW_US + 2,
        delivered=("mail",),
        results=(ChannelResult("mail"), ChannelResult("zalo", "401: 'no'")),
        error="zalo: 401",
    )
    alerts.record(notice(), sent)

    alerts.write_notices([notice(), second])
    alerts.write_notices([])

    assert [one.notice for one in before] == [second, notice()]
    assert [one.delivery for one in before] == [None, None]
    assert alerts.undelivered() == before[:1]
    assert alerts.known_notices(["n1", "n2", "n3"]) == {"n1", "n2"}
    assert alerts.known_notices([]) == set()
    assert [(one.notice, one.delivery) for one in alerts.notices_of("a1", 9)] == [(notice(), sent), (second, None)]
    assert len(alerts.notices_of("a1", 1)) == 1
    assert alerts.sent_since("duty", NOW_US + 2) == 1
    assert alerts.sent_since("duty", NOW_US + 3) == alerts.sent_since("other", 0) == 0


def test_every_attempt_stays_readable(alerts: ClickHouseAlertStore) -> None:
    """The largest step is the state, in whatever order they arrive; a repeated record is one attempt."""
    states = [
        Delivery(state=DeliveryState.SENDING, attempts=1, first_us=1, at_us=1, next_us=5),
        Delivery(state=DeliveryState.RETRYING, attempts=1, first_us=1, at_us=2, next_us=9, error="refused"),
        Delivery(state=DeliveryState.FAILED, attempts=2, first_us=1, at_us=3, error="given up"),
    ]
    alerts.write_notices([notice()])

    for state in (states[1], states[0], states[1]):
        alerts.record(notice(), state)
    (retrying,) = alerts.undelivered()
    alerts.record(notice(), states[2])

    assert retrying.delivery == states[1]
    assert alerts.undelivered() == []
    assert alerts.attempts_of("n1") == states


def test_folded_notices_are_told_by_another(alerts: ClickHouseAlertStore) -> None:
    """The overflow notice waits to be sent, what it tells is final, all at once."""
    held = [notice("n1"), notice("n2")]
    overflow = notice("o1", kind="overflow", alert="", at_us=NOW_US + 1)
    alerts.write_notices(held)
    folded = Delivery(state=DeliveryState.FOLDED, first_us=NOW_US, at_us=NOW_US, folded_into="o1")

    for _ in range(2):
        alerts.fold(held, overflow, folded)

    assert [one.notice for one in alerts.undelivered()] == [overflow]
    assert [one.delivery for one in alerts.notices_of("a1", 9)] == [folded, folded]


def test_the_last_good_rules(alerts: ClickHouseAlertStore) -> None:
    """The newest text is kept; the same text is not written again."""
    before = alerts.rules()

    for text in ("first", "second 'ở'", "second 'ở'"):
        alerts.write_rules(text)

    assert before is None
    assert alerts.rules() == "second 'ở'"
    assert alerts.client.rows("SELECT max(version) FROM rule_sets") == [(2,)]
