"""Rules: when an alert begins, fires, is told, ends."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from streams.alerts import Action, Alert, AlertState, FigureKey
from streams.clock import US_PER_S
from streams.rule import DayTimes
from streams.rules import Outcome, Rules
from tests.support.rules import fig, local_us, make_rule, make_rules

NOON = local_us(2, 12)
PENDING, FIRING, RECOVERED, CLEARED = AlertState
PROVINCE = FigureKey("unit:p", "on_time", "today")


class Run:
    """Looks at figures second by second, as the alarm does."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.told: list[tuple[str, str, int]] = []
        self.actions: list[Action] = []

    def look(self, at_us: int, figures: Mapping[FigureKey, tuple[int, int]] | None = None, **other: Any) -> Outcome:
        """Look once."""
        outcome = self.rules.evaluate(at_us, figures or {}, actions=self.actions, **other)
        self.told += [(one.kind, one.figures[0].scope, at_us) for one in outcome.announcements]
        return outcome

    def wait(self, until_us: int) -> None:
        """Look whenever the rules want it, up to a moment."""
        while (due_us := self.rules.next_due_us) is not None and due_us <= until_us:
            self.look(due_us)

    def do(self, word: str, at_us: int, until_us: int | None = None) -> None:
        """Let somebody acknowledge or mute the newest open alert."""
        alert = self.rules.open_alerts[-1]
        act: Any = {"alert": alert.id, "rule": alert.rule, "scope": alert.scope, "action": word}
        self.actions.append(Action(**act, at_us=at_us, until_us=until_us, by="operators"))

    @property
    def kinds(self) -> list[str]:
        """Which rounds of messages there were."""
        return [kind for kind, _, _ in self.told]


def states(alerts: Sequence[Alert]) -> list[AlertState]:
    """Where each stands."""
    return [alert.state for alert in alerts]


def sec(n: float) -> int:
    """A moment so many seconds after noon."""
    return NOON + int(n * US_PER_S)


def test_a_figure_that_stays_bad_fires_after_the_hold_time() -> None:
    """Pending from the first bad figure, firing at the end of the hold time, told 2 s later."""
    run = Run(make_rules(make_rule(hold_s=600)))

    pending = run.look(NOON, fig(89)).alerts
    before = run.look(sec(599)).alerts
    firing = run.look(sec(600)).alerts
    told = run.look(sec(602))

    assert states(pending) == [PENDING]
    assert before == []
    assert states(firing) == [FIRING]
    assert (firing[0].since_us, firing[0].fired_us, firing[0].notices) == (NOON, sec(600), 0)
    assert run.told == [("fired", "unit:c0", sec(602))]
    assert (told.alerts[0].notices, told.alerts[0].noticed_us) == (1, sec(602))


def test_what_is_good_again_within_the_hold_time_never_fired() -> None:
    """It is cleared as soon as it is not bad, be it only just; nobody hears of it."""
    run = Run(make_rules(make_rule(hold_s=600)))
    run.look(NOON, fig(89))

    cleared = run.look(sec(300), fig(90)).alerts
    run.wait(sec(86_400))

    assert states(cleared) == [CLEARED]
    assert run.told == []


def test_a_firing_alert_ends_at_the_recovery_threshold() -> None:
    """Between both thresholds it goes on: hysteresis."""
    run = Run(make_rules(make_rule()))
    run.look(NOON, fig(89))
    run.wait(sec(2))

    between = run.look(sec(60), fig(91)).alerts
    over = run.look(sec(120), fig(92)).alerts

    assert between == []
    assert states(over) == [RECOVERED]
    assert over[0].ended_us == sec(120)
    assert (over[0].numerator, over[0].denominator) == (92, 100)
    assert run.kinds == ["fired", "recovered"]


@pytest.mark.parametrize("unknown", [(0, 0), (0, 19)])
def test_an_unknown_figure_neither_begins_nor_ends_anything(unknown: tuple[int, int]) -> None:
    """Nothing counted, or fewer than the minimum: it does not fire, no hold ends on it, and it does not recover."""
    run = Run(make_rules(make_rule(hold_s=600)))
    key = next(iter(fig(0)))

    assert run.look(NOON, {key: unknown}).alerts == []
    run.look(sec(10), fig(50))
    assert run.look(sec(20), {key: unknown}).alerts == []
    assert run.look(sec(900)).alerts == []
    fired = run.look(sec(901), fig(50)).alerts
    assert states(fired) == [FIRING]
    run.wait(sec(910))
    assert run.look(sec(1_000), {key: unknown}).alerts == []
    assert states(run.rules.open_alerts) == [FIRING]


def test_120_units_are_120_independent_states() -> None:
    """One rule fires for the units that are bad, each from its own moment."""
    run = Run(make_rules(make_rule(hold_s=60)))
    run.look(NOON, fig(*([95] * 120)))

    for n in range(120):
        run.look(sec(n), {FigureKey(f"unit:c{n}", "on_time", "today"): (50 if n % 2 else 95, 100)})
    run.wait(sec(1_000))

    firing = run.rules.open_alerts
    assert {a.scope: a.since_us for a in firing} == {f"unit:c{n}": sec(n) for n in range(1, 120, 2)}
    assert all(a.fired_us == a.since_us + 60 * US_PER_S for a in firing)
    assert len(run.told) == 60


def test_100_crossings_in_an_hour_bring_what_hold_and_hysteresis_allow() -> None:
    """36 s between crossings of 90 %. Within the hysteresis: 1 message. Beyond it: 50 and 50. With a hold: none."""

    def messages(low: int, high: int, hold_s: int) -> list[str]:
        run = Run(make_rules(make_rule(hold_s=hold_s)))
        run.look(NOON - 1, fig(high))
        for n in range(100):
            run.wait(sec(36 * n) - 1)
            run.look(sec(36 * n), fig(high if n % 2 else low))
        run.wait(sec(3_600))
        return run.kinds

    assert messages(89, 91, hold_s=0) == ["fired"]
    assert messages(89, 95, hold_s=0) == ["fired", "recovered"] * 50
    assert messages(89, 95, hold_s=60) == []
    assert messages(89, 91, hold_s=37) == []


def test_a_swing_faster_than_the_group_wait_is_told_to_nobody() -> None:
    """What is over before anybody was told needs no message at all."""
    run = Run(make_rules(make_rule()))

    run.look(NOON, fig(50))
    over = run.look(sec(1), fig(95)).alerts
    run.wait(sec(600))

    assert states(over) == [RECOVERED]
    assert run.told == []


def test_above_is_below_mirrored() -> None:
    """Overdue above 0.5 %: bad beyond it, good again at or under the recovery threshold."""
    rule = make_rule(indicator="overdue", window="now", below=None, above=0.05, recover=0.03)
    run = Run(make_rules(rule))
    key = ("overdue", "now")

    assert run.look(NOON, fig(5, key=key)).alerts == []
    assert states(run.look(sec(1), fig(6, key=key)).alerts) == [FIRING]
    run.wait(sec(5))
    assert run.look(sec(10), fig(4, key=key)).alerts == []
    assert states(run.look(sec(11), fig(3, key=key)).alerts) == [RECOVERED]


def test_worse_than_usual_needs_a_history() -> None:
    """10 points below the median of the last weeks is bad; with two of the three needed weeks nothing is said."""
    run = Run(make_rules(make_rule(below=None, worse_by=0.10, recover=0.05)))
    key = next(iter(fig(0)))

    assert run.look(NOON, fig(60), usual={20: {key: (0.8, 0.9)}}).alerts == []
    fired = run.look(sec(1), usual={20: {key: (0.70, 0.80, 0.90, 0.80)}}).alerts
    told = run.look(sec(3)).announcements
    still = run.look(sec(4), fig(74)).alerts
    over = run.look(sec(5), fig(75)).alerts

    assert states(fired) == [FIRING]
    assert fired[0].threshold == pytest.approx(0.70)
    assert told[0].usual == pytest.approx(0.80)
    assert told[0].below
    assert still == []
    assert states(over) == [RECOVERED]


def test_a_gauge_needs_no_minimum_of_cases() -> None:
    """Silence of 901 of 900 expected seconds is bad; its denominator is no number of cases."""
    rule = make_rule(indicator="silence", window="now", scope="source:*", below=None, above=1.0, recover=1.0)
    run = Run(make_rules(rule))
    key = FigureKey("source:onestop", "silence", "now")

    assert run.look(NOON, {key: (10, 10)}).alerts == []
    assert states(run.look(sec(1), {key: (11, 10)}).alerts) == [FIRING]


def test_what_fires_in_quiet_hours_is_told_when_they_end_if_it_still_lasts() -> None:
    """One message at 07:00; of what was over by then, none."""
    run = Run(make_rules(make_rule(quiet=DayTimes(21 * 60, 7 * 60))))
    run.look(local_us(2, 22), fig(50, 50))
    run.look(local_us(2, 23), {FigureKey("unit:c1", "on_time", "today"): (95, 100)})

    run.wait(local_us(3, 12))

    assert run.told == [("fired", "unit:c0", local_us(3, 7))]


def test_the_end_of_what_people_were_told_of_is_told_after_quiet_hours() -> None:
    """Over at 23:00, told at 07:00; was it bad again in between, it goes on without a word."""
    run = Run(make_rules(make_rule(quiet=DayTimes(21 * 60, 7 * 60))))
    run.look(local_us(2, 20), fig(50, 50))
    run.wait(local_us(2, 20, 1))
    both = run.look(local_us(2, 23), fig(95, 95)).alerts
    run.look(local_us(3, 1), fig(95, 50))

    run.wait(local_us(3, 12))

    assert [(a.state, a.ended_us) for a in both] == [(FIRING, local_us(2, 23))] * 2
    assert run.told[2:] == [("recovered", "unit:c0", local_us(3, 7))]
    assert [(a.scope, a.ended_us) for a in run.rules.open_alerts] == [("unit:c1", None)]


def test_reminders_stop_when_somebody_acknowledged() -> None:
    """Every hour while it lasts; after the acknowledgement only the end is told."""
    run = Run(make_rules(make_rule(remind_s=3_600)))
    run.look(NOON, fig(50))
    run.wait(sec(2 * 3_600 + 10))
    run.do("ack", sec(2 * 3_600 + 20))
    run.look(sec(2 * 3_600 + 21))

    run.wait(sec(10 * 3_600))
    run.look(sec(10 * 3_600), fig(95))

    assert run.told == [
        ("fired", "unit:c0", sec(2)),
        ("reminder", "unit:c0", sec(3_602)),
        ("reminder", "unit:c0", sec(7_202)),
        ("recovered", "unit:c0", sec(36_000)),
    ]


def test_a_critical_alert_that_nobody_acknowledges_escalates_once() -> None:
    """Half an hour after it was told, and never again."""
    run = Run(make_rules(make_rule(severity="critical", escalate_s=1_800, escalate_to=("leaders",), remind_s=3_600)))
    run.look(NOON, fig(50))

    run.wait(sec(2 * 3_600))

    assert run.told == [
        ("fired", "unit:c0", sec(2)),
        ("escalated", "unit:c0", sec(1_802)),
        ("reminder", "unit:c0", sec(5_402)),
    ]
    assert run.rules.open_alerts[0].escalated_us == sec(1_802)


def test_an_acknowledged_alert_does_not_escalate() -> None:
    """Somebody is on it."""
    run = Run(make_rules(make_rule(severity="critical", escalate_s=1_800, escalate_to=("leaders",))))
    run.look(NOON, fig(50))
    run.wait(sec(10))
    run.do("ack", sec(20))
    run.look(sec(21))

    run.wait(sec(7_200))

    assert run.kinds == ["fired"]


def test_a_mute_holds_messages_back_until_it_ends() -> None:
    """Muted for an hour after it was told: reminded at its end, although reminders are a day apart."""
    run = Run(make_rules(make_rule(remind_s=86_400)))
    run.look(NOON, fig(50))
    run.wait(sec(10))
    run.do("mute", sec(20), until_us=sec(3_620))
    run.look(sec(21))

    run.wait(sec(7_200))

    assert run.told == [("fired", "unit:c0", sec(2)), ("reminder", "unit:c0", sec(3_620))]


def test_what_ends_while_muted_ends_without_a_word() -> None:
    """Who muted it does not wait for news."""
    run = Run(make_rules(make_rule()))
    run.look(NOON, fig(50))
    run.wait(sec(10))
    run.do("mute", sec(20), until_us=sec(3_620))

    over = run.look(sec(60), fig(95)).alerts
    run.wait(sec(7_200))

    assert states(over) == [RECOVERED]
    assert run.kinds == ["fired"]


def test_a_muted_scope_is_told_first_when_the_mute_ends() -> None:
    """A mute from an earlier alert covers the next one of the same rule and scope, and of no other."""
    run = Run(make_rules(make_rule()))
    run.look(NOON, fig(50, 95))
    run.do("mute", sec(1), until_us=sec(600))
    run.look(sec(1))
    run.look(sec(60), fig(95, 95))

    run.look(sec(120), fig(50, 50))
    run.wait(sec(7_200))

    assert run.told == [("fired", "unit:c1", sec(122)), ("fired", "unit:c0", sec(600))]


def test_what_fires_within_two_seconds_is_told_together() -> None:
    """The province waits for nobody longer than its communes wait; it names them, the worst first."""
    run = Run(make_rules(make_rule()))
    run.look(NOON, fig(80, 70))
    run.look(sec(1), {PROVINCE: (75, 100)})

    told = run.look(sec(2)).announcements

    assert {one.figures[0].scope for one in told} == {"unit:p", "unit:c0", "unit:c1"}
    of_province = next(one for one in told if one.figures[0].scope == "unit:p")
    assert [(f.scope, f.numerator) for f in of_province.figures[1:]] == [("unit:c1", 70), ("unit:c0", 80)]
    assert {one.spoken_for for one in told if one is not of_province} == {("unit:p",)}


def test_a_province_names_ten_communes_and_counts_the_others() -> None:
    """A message stays readable."""
    run = Run(make_rules(make_rule()))
    run.look(NOON, {**fig(*range(40, 52)), PROVINCE: (45, 100)})

    told = run.look(sec(2)).announcements

    of_province = next(one for one in told if one.figures[0].scope == "unit:p")
    assert [f.numerator for f in of_province.figures[1:]] == list(range(40, 50))
    assert of_province.more == 2


def test_the_province_speaks_for_a_minute() -> None:
    """A commune that can be told 60 s after its province is told with it, later by itself."""
    run = Run(make_rules(make_rule()))
    run.look(NOON, {PROVINCE: (50, 100)})
    run.wait(sec(2))

    run.look(sec(60), fig(50))
    soon = run.look(sec(62)).announcements
    run.look(sec(63), fig(50, 50))
    late = run.look(sec(65)).announcements

    assert [one.spoken_for for one in soon] == [("unit:p",)]
    assert [one.spoken_for for one in late] == [()]


@pytest.mark.parametrize("restored", [False, True])
def test_a_clock_that_was_ahead_delays_nothing(restored: bool) -> None:
    """What fired, and what was told, by a clock an hour ahead goes on as if it had just been, in any process."""
    made = make_rule(hold_s=1, remind_s=600)
    run, told = Run(make_rules(made)), Run(make_rules(made))
    for one, last in ((run, 3601), (told, 3603)):
        one.look(sec(3600), fig(89))
        one.wait(sec(last))
    assert states(run.rules.open_alerts) == [FIRING]
    assert (run.kinds, told.kinds) == ([], ["fired"])
    if restored:
        for one in (run, told):
            fresh = make_rules(made)
            fresh.restore(one.rules.open_alerts)
            one.rules = fresh

    for one in (run, told):
        one.look(sec(10), fig(89))
        one.wait(sec(700))

    assert run.told[0] == ("fired", "unit:c0", sec(12))
    assert told.told[1] == ("reminder", "unit:c0", sec(610))
    assert all(alert.since_us == sec(10) for alert in (*run.rules.open_alerts, *told.rules.open_alerts))


def test_rules_that_are_gone_close_their_alerts() -> None:
    """A changed file leaves nothing open that nobody watches, and nobody is told."""
    old = make_rules(make_rule(id="old", hold_s=0), make_rule(id="kept", hold_s=600))
    old.evaluate(NOON, fig(50))
    new = Run(make_rules(make_rule(id="kept", hold_s=600)))
    new.rules.restore(old.open_alerts)

    outcome = new.look(sec(1), fig(50))

    assert [(a.rule, a.state) for a in outcome.alerts] == [("old", RECOVERED)]
    assert [a.rule for a in new.rules.open_alerts] == ["kept"]


def test_of_two_open_alerts_of_one_state_the_later_is_closed() -> None:
    """Two workers that decided for a moment leave one alert."""
    first, second = make_rules(make_rule()), make_rules(make_rule())
    first.evaluate(NOON, fig(50))
    second.evaluate(sec(1), fig(50))
    merged = make_rules(make_rule())
    merged.restore([*second.open_alerts, *first.open_alerts])

    outcome = merged.evaluate(sec(2), fig(50))

    assert merged.open_alerts[0].since_us == NOON
    assert [(a.since_us, a.state) for a in outcome.alerts if a.state is RECOVERED] == [(sec(1), RECOVERED)]


def test_a_digest_comes_once_a_day_with_all_that_is_bad_then() -> None:
    """At 08:00 of working days; a rule with a digest opens no alerts."""
    run = Run(make_rules(make_rule(daily_min=480, working_days=True)))
    run.look(local_us(6, 7), fig(50, 95, 40))

    friday = run.look(local_us(6, 8)).announcements
    run.wait(local_us(9, 7, 59))
    late = run.look(local_us(9, 11, 59)).announcements

    assert [f.scope for f in friday[0].figures] == ["unit:c2", "unit:c0"]
    assert run.told == [("digest", "unit:c2", local_us(6, 8)), ("digest", "unit:c2", local_us(9, 11, 59))]
    assert late[0].since_us == local_us(9, 8)
    assert run.rules.open_alerts == ()


def test_a_digest_more_than_four_hours_late_is_left_out() -> None:
    """At noon the morning's list is of no use; with nothing bad there is none either."""
    late, fine = Run(make_rules(make_rule(daily_min=480))), Run(make_rules(make_rule(daily_min=480)))

    late.look(local_us(2, 12), fig(50))
    fine.look(local_us(2, 8), fig(95))

    assert late.told == []
    assert fine.told == []
    assert late.rules.next_due_us == local_us(3, 8)
