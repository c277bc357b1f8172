"""Rules: what exactly is told and kept, and what a worker that takes over makes of what is stored."""

from typing import Any

import pytest

from streams.alerts import Action, Alert, AlertState, Figure, FigureKey
from streams.clock import US_PER_S
from streams.episode import alert_id
from streams.rule import DayTimes
from streams.rules import Rules
from tests.support.rules import fig, local_us, make_rule, make_rules

NOON = local_us(2, 12)
PENDING, FIRING, RECOVERED, CLEARED = AlertState
PROVINCE = FigureKey("unit:p", "on_time", "today")


def sec(n: float) -> int:
    """A moment so many seconds after noon."""
    return NOON + int(n * US_PER_S)


def stored(scope: str = "unit:c0", **changes: Any) -> Alert:
    """An alert of rule r as a predecessor stored it: firing since noon, told once."""
    plain: dict[str, Any] = {
        "id": alert_id("r", scope, NOON),
        "rule": "r",
        "indicator": "on_time",
        "window": "today",
        "scope": scope,
        "severity": "warning",
        "state": FIRING,
        "since_us": NOON,
        "fired_us": NOON,
        "notices": 1,
        "noticed_us": sec(2),
        "numerator": 50,
        "denominator": 100,
        "threshold": 0.9,
    }
    return Alert(**plain | changes)


def act(word: Any, scope: str, at_us: int, until_us: int | None = None, alert: str = "") -> Action:
    """What somebody did about rule r."""
    return Action(alert=alert, rule="r", scope=scope, action=word, at_us=at_us, until_us=until_us, by="operators")


def restored(rule: Any, *alerts: Alert) -> Rules:
    """Rules that take over."""
    rules = make_rules(rule)
    rules.restore(alerts)
    return rules


def test_an_announcement_holds_the_newest_figures_of_its_family() -> None:
    """The province with its communes, the worst first; each commune with who speaks for it."""
    rule = make_rule()
    rules = make_rules(rule)
    rules.evaluate(NOON, {**fig(50, 60), PROVINCE: (55, 100)})
    moved = fig(50, 40)

    outcome = rules.evaluate(sec(2), moved)

    told = {one.figures[0].scope: one for one in outcome.announcements}
    province, commune = told["unit:p"], told["unit:c1"]
    assert (province.kind, province.rule, province.at_us, province.since_us) == ("fired", rule, sec(2), NOON)
    assert province.figures == (Figure("unit:p", 55, 100), Figure("unit:c1", 40, 100), Figure("unit:c0", 50, 100))
    assert (province.threshold, province.below, province.usual, province.more) == (0.9, True, None, 0)
    assert province.spoken_for == ()
    assert province.alert == next(alert for alert in outcome.alerts if alert.scope == "unit:p")
    assert (commune.figures, commune.spoken_for) == ((Figure("unit:c1", 40, 100),), ("unit:p",))


def test_the_end_is_told_without_those_below() -> None:
    """That the province is fine again says nothing of its communes."""
    rules = make_rules(make_rule())
    rules.evaluate(NOON, {**fig(50), PROVINCE: (55, 100)})
    rules.evaluate(sec(2), {})

    outcome = rules.evaluate(sec(60), {PROVINCE: (95, 100)})

    (one,) = outcome.announcements
    (alert,) = outcome.alerts
    assert (one.kind, one.figures, one.alert) == ("recovered", (Figure("unit:p", 95, 100),), alert)
    assert (alert.state, alert.ended_us, alert.notices) == (RECOVERED, sec(60), 2)
    assert [open_.scope for open_ in rules.open_alerts] == ["unit:c0"]


def test_a_message_without_a_usual_rate_tells_what_the_alert_was_compared_with() -> None:
    """A worker that takes over knows no history yet, and no figure: both are the alert's own."""
    rule = make_rule(below=None, worse_by=0.1, recover=0.05, remind_s=600)
    rules = restored(rule, stored(threshold=0.7))

    (one,) = rules.evaluate(sec(602), {}).announcements

    assert (one.kind, one.threshold, one.usual) == ("reminder", 0.7, None)
    assert one.figures == (Figure("unit:c0", 50, 100),)


@pytest.mark.parametrize(
    ("rule", "alert"),
    [
        pytest.param(make_rule(id="other"), stored(), id="the rule is gone"),
        pytest.param(make_rule(daily_min=480), stored(), id="the rule has become a digest"),
        pytest.param(make_rule(scope="unit:c9"), stored(), id="the scope is watched no more"),
        pytest.param(make_rule(window="1h"), stored(), id="another window"),
        pytest.param(make_rule(indicator="online"), stored(), id="another indicator"),
    ],
)
@pytest.mark.parametrize(("state", "closed"), [(FIRING, RECOVERED), (PENDING, CLEARED)])
def test_what_no_rule_watches_any_more_is_closed_once(
    rule: Any, alert: Alert, state: AlertState, closed: AlertState
) -> None:
    """At the first look, without a word; nothing of it stays open."""
    before = stored(state=state, fired_us=alert.fired_us if state is FIRING else None)
    rules = restored(rule, before)

    first, second = rules.evaluate(sec(10), {}), rules.evaluate(sec(20), {})

    assert [(one.id, one.state, one.ended_us) for one in first.alerts] == [(before.id, closed, sec(10))]
    assert first.announcements == []
    assert (second.alerts, rules.open_alerts) == ([], ())


def test_what_is_restored_is_looked_at_when_it_is_due_and_not_sooner() -> None:
    """A hold that ran out meanwhile needs a figure that is bad; then it fires at once."""
    rule = make_rule(hold_s=600)
    rules = restored(rule, stored(state=PENDING, fired_us=None, notices=0, noticed_us=None))

    unknown = rules.evaluate(sec(700), {})
    due_us = rules.next_due_us
    bad = rules.evaluate(sec(800), fig(50))

    assert (unknown.alerts, due_us) == ([], None)
    assert [(one.state, one.since_us, one.fired_us) for one in bad.alerts] == [(FIRING, NOON, sec(800))]
    assert rules.next_due_us == sec(802)


def test_a_look_is_wanted_only_when_something_can_change() -> None:
    """The end of a hold, of the wait for others, of quiet hours; then never."""
    rules = make_rules(make_rule(hold_s=60, quiet=DayTimes(12 * 60, 13 * 60)))
    due = [rules.next_due_us]
    for at_us, figures in ((NOON, fig(50)), (sec(60), {}), (local_us(2, 13), {})):
        rules.evaluate(at_us, figures)
        due.append(rules.next_due_us)

    assert due == [None, sec(60), local_us(2, 13), None]


def test_a_hold_stops_while_the_figure_is_unknown() -> None:
    """No look is wanted meanwhile; once it is bad again it fires at the end of the hold or at once."""
    rules = make_rules(make_rule(hold_s=600))
    rules.evaluate(NOON, fig(50))
    key = next(iter(fig(50)))

    rules.evaluate(sec(10), {key: (0, 5)})
    unknown = rules.next_due_us
    rules.evaluate(sec(20), fig(50))
    known = rules.next_due_us

    assert (unknown, known) == (None, sec(600))


def test_a_digest_leaves_out_what_is_muted_or_fine() -> None:
    """A mute of another scope, or one that is over, leaves nothing out."""
    rules = make_rules(make_rule(daily_min=480))
    rules.evaluate(local_us(3, 7), fig(50, 60, 95, 70))
    mutes = [act("mute", "unit:c0", local_us(3, 7), local_us(3, 9)), act("mute", "unit:c3", NOON, local_us(3, 8))]

    (one,) = rules.evaluate(local_us(3, 8), {}, actions=mutes).announcements

    assert one.figures == (Figure("unit:c1", 60, 100), Figure("unit:c3", 70, 100))
    assert (one.kind, one.alert, one.at_us, one.since_us) == ("digest", None, local_us(3, 8), local_us(3, 8))


def test_an_acknowledgement_and_its_withdrawal_are_seen_at_once() -> None:
    """Words of people change what is due, though no figure and no clock did."""
    rules = make_rules(make_rule(remind_s=3_600))
    rules.evaluate(NOON, fig(50))
    rules.evaluate(sec(2), {})
    (alert,) = rules.open_alerts
    due = [rules.next_due_us]

    for actions in ([act("ack", "unit:c0", sec(3), alert=alert.id)], [], [act("ack", "unit:c0", sec(3), alert="x")]):
        rules.evaluate(sec(4), {}, actions=actions)
        due.append(rules.next_due_us)

    assert due == [sec(3_602), None, sec(3_602), sec(3_602)]


def test_what_just_began_to_fire_goes_along_with_what_waited() -> None:
    """Of the same rule, and only what may be told now; another rule waits for its own two seconds."""
    rules = make_rules(
        make_rule(), make_rule(id="s", scope="unit:c5"), make_rule(id="q", quiet=DayTimes(11 * 60, 13 * 60))
    )
    rules.evaluate(NOON, fig(50))
    rules.evaluate(sec(1), fig(50, 60, 95, 95, 95, 50))
    muted = [act("mute", "unit:c5", sec(1), sec(99))]

    told = rules.evaluate(sec(2), {}, actions=muted).announcements
    later = rules.evaluate(sec(3), {}, actions=muted).announcements

    assert [(one.rule.id, one.figures[0].scope) for one in told] == [("r", "unit:c0"), ("r", "unit:c1")]
    assert [(one.rule.id, one.figures[0].scope) for one in later] == [("s", "unit:c5")]


def test_what_is_over_while_it_is_muted_is_closed_as_of_its_end() -> None:
    """Not as of the look that closed it, and without a word."""
    rules = restored(make_rule(quiet=DayTimes(11 * 60, 13 * 60)), stored())
    rules.evaluate(sec(60), fig(95))
    before = rules.open_alerts[0]

    outcome = rules.evaluate(sec(90), {}, actions=[act("mute", "unit:c0", sec(80), sec(9_000))])

    assert (before.state, before.ended_us) == (FIRING, sec(60))
    assert [(one.state, one.ended_us, one.notices) for one in outcome.alerts] == [(RECOVERED, sec(60), 1)]
    assert (outcome.announcements, rules.open_alerts, rules.next_due_us) == ([], (), None)
