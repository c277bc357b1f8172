"""Rounds: which message an alert causes next, and from when."""

from typing import Any

import pytest

from streams.alerts import Alert, AlertState
from streams.clock import US_PER_S
from streams.rounds import GROUP_WAIT_S, Round, first_told_us, next_round, told
from streams.rule import DayTimes, Rule
from streams.telling import Mute
from tests.support.rules import CALENDAR, local_us, make_rule

NOON = local_us(2, 12)
PENDING, FIRING, RECOVERED, CLEARED = AlertState
WARNING = make_rule(remind_s=3_600)
CRITICAL = make_rule(severity="critical", escalate_s=1_800, escalate_to=("leaders",), remind_s=3_600)


def sec(n: float) -> int:
    """A moment so many seconds after noon."""
    return NOON + int(n * US_PER_S)


def alert(**changes: Any) -> Alert:
    """An alert that fires since noon, and was told two seconds later unless changed."""
    plain: dict[str, Any] = {
        "id": "a",
        "rule": "r",
        "indicator": "on_time",
        "window": "today",
        "scope": "unit:c0",
        "severity": "critical",
        "state": FIRING,
        "since_us": sec(-60),
        "fired_us": NOON,
        "notices": 1,
        "noticed_us": sec(2),
        "numerator": 1,
        "denominator": 2,
        "threshold": 0.9,
    }
    return Alert(**plain | changes)


def coming(rule: Rule, of: Alert, *mutes: Mute, now_s: float = 10, acknowledged: bool = False) -> Round | None:
    """The next round."""
    return next_round(rule, of, mutes, CALENDAR, sec(now_s), acknowledged=acknowledged)


@pytest.mark.parametrize(
    ("rule", "of", "expected"),
    [
        pytest.param(CRITICAL, alert(state=PENDING, fired_us=None), None, id="pending"),
        pytest.param(CRITICAL, alert(state=PENDING), None, id="pending, whatever else is known"),
        pytest.param(CRITICAL, alert(state=RECOVERED, ended_us=sec(5)), None, id="closed"),
        pytest.param(CRITICAL, alert(fired_us=None), None, id="no moment at which it fired"),
        pytest.param(WARNING, alert(notices=0, noticed_us=None), Round("fired", sec(GROUP_WAIT_S)), id="not told"),
        pytest.param(WARNING, alert(ended_us=sec(5)), Round("recovered", sec(5)), id="over"),
        pytest.param(WARNING, alert(), Round("reminder", sec(3_602)), id="told"),
        pytest.param(make_rule(), alert(), None, id="told, without reminders"),
        pytest.param(CRITICAL, alert(), Round("escalated", sec(1_802)), id="told, critical"),
        pytest.param(
            CRITICAL, alert(notices=2, escalated_us=sec(1_802)), Round("reminder", sec(3_602)), id="escalated once"
        ),
        pytest.param(
            make_rule(severity="warning", escalate_s=1_800), alert(), None, id="only what is critical escalates"
        ),
        pytest.param(make_rule(severity="critical"), alert(), None, id="critical, but nothing says when"),
    ],
)
def test_the_next_round_follows_from_where_the_alert_stands(rule: Rule, of: Alert, expected: Round | None) -> None:
    """Fired, escalated once, reminded from the last message on, and in the end recovered."""
    assert coming(rule, of) == expected


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (alert(), None),
        (alert(notices=0, noticed_us=None), Round("fired", sec(GROUP_WAIT_S))),
        (alert(ended_us=sec(5)), Round("recovered", sec(5))),
    ],
)
def test_what_is_acknowledged_is_not_repeated(of: Alert, expected: Round | None) -> None:
    """That it fires and that it is over is told all the same; a mute that ends needs no reminder."""
    assert coming(CRITICAL, of, Mute(sec(3), sec(99)), acknowledged=True) == expected


def test_of_two_rounds_that_are_due_the_escalation_is_first() -> None:
    """Else the earlier one; what is long due is due now."""
    hourly = make_rule(severity="critical", escalate_s=3_600, escalate_to=("leaders",), remind_s=1_800)

    assert coming(hourly, alert(), now_s=10) == Round("reminder", sec(1_802))
    assert coming(hourly, alert(), now_s=9_000) == Round("escalated", sec(3_602))
    assert coming(hourly, alert(noticed_us=sec(1_802)), now_s=10) == Round("escalated", sec(3_602))


def test_a_mute_that_ends_is_followed_by_a_reminder() -> None:
    """Unless something was told since."""
    ended, running = Mute(sec(0), sec(2)), Mute(sec(5), sec(600))

    assert coming(make_rule(), alert(), ended) is None
    assert coming(make_rule(), alert(), running) == Round("reminder", sec(600))
    assert coming(WARNING, alert(), running, Mute(sec(5), sec(300))) == Round("reminder", sec(300))


def test_the_first_word_is_possible_after_the_wait_for_others() -> None:
    """From what is stored alone: quiet hours and mutes count, the messages that were sent do not."""
    night = make_rule(quiet=DayTimes(11 * 60, 13 * 60))

    assert first_told_us(WARNING, alert(), (), CALENDAR) == sec(GROUP_WAIT_S)
    assert first_told_us(WARNING, alert(fired_us=None), (), CALENDAR) == sec(GROUP_WAIT_S - 60)
    assert first_told_us(night, alert(), (), CALENDAR) == sec(3_600)
    assert first_told_us(WARNING, alert(), [Mute(NOON, sec(30))], CALENDAR) == sec(30)
    assert coming(
        make_rule(severity="critical", escalate_s=60, escalate_to=("leaders",), quiet=DayTimes(11 * 60, 13 * 60)),
        alert(noticed_us=sec(3_701)),
        Mute(sec(3_600), sec(3_700)),
    ) == Round("escalated", sec(3_760))


@pytest.mark.parametrize(
    ("kind", "escalated_us"), [("fired", None), ("reminder", None), ("recovered", None), ("escalated", sec(9))]
)
def test_a_round_is_remembered(kind: Any, escalated_us: int | None) -> None:
    """How many there were, when the last one was, and whether it went up."""
    rv = told(alert(), kind, sec(9))

    assert (rv.notices, rv.noticed_us, rv.escalated_us) == (2, sec(9), escalated_us)
    assert (rv.state, rv.fired_us, rv.ended_us) == (FIRING, NOON, None)


def test_that_it_was_escalated_is_not_forgotten() -> None:
    """Whoever was told then is told of the end."""
    assert told(alert(escalated_us=sec(5)), "reminder", sec(9)).escalated_us == sec(5)


def test_days_off_put_the_escalation_off() -> None:
    """What fired on a Saturday could be told on Monday, and goes up half an hour later."""
    saturday = local_us(7, 12)
    rule = make_rule(severity="critical", escalate_s=1_800, escalate_to=("leaders",), working_days=True)
    of = alert(since_us=saturday, fired_us=saturday, noticed_us=local_us(9))

    assert first_told_us(rule, of, (), CALENDAR) == local_us(9)
    assert next_round(rule, of, (), CALENDAR, local_us(9), acknowledged=False) == Round(
        "escalated", local_us(9, 0, 30)
    )
