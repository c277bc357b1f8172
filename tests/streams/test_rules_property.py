"""Rules under random figures, people and restarts."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.alerts import Action, Alert, AlertState, FigureKey
from streams.clock import US_PER_S
from streams.notices import notices_of
from streams.rule import DayTimes, Rule
from streams.rules import Outcome
from streams.verdict import Verdict, judge
from tests.support.rules import local_us, make_rule, make_rules

SCOPES = ("unit:p", "unit:c0", "unit:c1")
OPEN = (AlertState.PENDING, AlertState.FIRING)

Look = tuple[int, dict[FigureKey, tuple[int, int]], tuple[str, str, int] | None]

figures = st.tuples(st.sampled_from([0, 85, 89, 90, 91, 92, 95]), st.sampled_from([0, 19, 100])).map(
    lambda found: (found[0] * found[1] // 100, found[1])
)
looks: st.SearchStrategy[list[Look]] = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, 30, 59, 60, 600, 3_600, 4 * 3_600]),
        st.dictionaries(st.sampled_from(SCOPES).map(lambda s: FigureKey(s, "on_time", "today")), figures),
        st.none() | st.tuples(st.sampled_from(["ack", "mute", "unmute"]), st.sampled_from(SCOPES), st.just(7_200)),
    ),
    max_size=25,
)
rules_made = st.builds(
    lambda hold, quiet, days, remind: make_rule(
        hold_s=hold,
        quiet=quiet,
        working_days=days,
        remind_s=remind,
        severity="critical",
        escalate_s=1_800,
        escalate_to=("leaders",),
        to=("unit", "operators"),
    ),
    st.sampled_from([0, 60, 600]),
    st.sampled_from([None, DayTimes(21 * 60, 7 * 60), DayTimes(0, 12 * 60)]),
    st.booleans(),
    st.sampled_from([None, 3_600]),
)


def resolve(target: str, scope: str) -> Sequence[str]:
    """A unit stands for itself."""
    return [scope if target == "unit" else target]


class World:
    """What stays when a worker ends: the store's alerts, figures, what people did."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.now_us = local_us(5, 11)
        self.rules = make_rules(rule)
        self.alerts: dict[str, Alert] = {}
        self.figures: dict[FigureKey, tuple[int, int]] = {}
        self.actions: list[Action] = []

    def open(self) -> list[Alert]:
        """Open alerts of the store."""
        return [alert for alert in self.alerts.values() if alert.state in OPEN]

    def restart(self) -> None:
        """Another worker takes over."""
        self.rules = make_rules(self.rule)
        self.rules.restore(self.open())

    def live(self, look: Look, *, all_figures: bool = False) -> list[tuple[int, Outcome]]:
        """Let time pass to the next look and take all that the rules want on the way."""
        gap_s, changed, did = look
        until_us = self.now_us + gap_s * US_PER_S
        seen: list[tuple[int, Outcome]] = []
        if all_figures:
            seen.append(self.evaluate(self.now_us, self.figures))
        while (due_us := self.rules.next_due_us) is not None and due_us < until_us:
            seen.append(self.evaluate(max(due_us, self.now_us), {}))
        if did is not None:
            self.act(*did, until_us)
        self.figures |= changed
        seen.append(self.evaluate(until_us, changed))
        return seen

    def evaluate(self, at_us: int, changed: dict[FigureKey, tuple[int, int]]) -> tuple[int, Outcome]:
        """Look once and store what came."""
        self.now_us = at_us
        outcome = self.rules.evaluate(at_us, changed, actions=self.actions)
        self.alerts |= {alert.id: alert for alert in outcome.alerts}
        for alert in outcome.alerts:
            figure = self.figures.get(FigureKey(alert.scope, alert.indicator, alert.window), (0, 0))
            if alert.fired_us == at_us:
                assert judge(self.rule, *figure) is Verdict.BAD
                assert at_us >= alert.since_us + self.rule.hold_s * US_PER_S
            if alert.ended_us == at_us:
                assert judge(self.rule, *figure) in (Verdict.GOOD, Verdict.BETWEEN)
        return at_us, outcome

    def act(self, word: Any, scope: str, lasts_s: int, at_us: int) -> None:
        """Let somebody do something about the open alert of a scope, if there is one."""
        for alert in self.open():
            if alert.scope == scope:
                until_us = at_us + lasts_s * US_PER_S if word == "mute" else None
                act: Any = {"alert": alert.id, "rule": alert.rule, "scope": scope, "action": word}
                self.actions.append(Action(**act, until_us=until_us, at_us=at_us, by="operators"))


@given(rules_made, looks)
def test_alerts_keep_their_order_and_are_told_once(rule: Rule, series: list[Look]) -> None:
    """Nothing fires on an unknown figure; one open alert per scope; recovered follows fired."""
    world = World(rule)
    states: dict[str, list[AlertState]] = {}
    told: dict[str, list[str]] = {}
    ids: list[str] = []

    for look in series:
        for _, outcome in world.live(look):
            for alert in outcome.alerts:
                if not states.get(alert.id) or states[alert.id][-1] is not alert.state:
                    states.setdefault(alert.id, []).append(alert.state)
            for one in outcome.announcements:
                assert one.alert is not None
                told.setdefault(one.alert.id, []).append(one.kind)
            ids += [notice.id for notice in notices_of(outcome.announcements, resolve)]
            scopes = [alert.scope for alert in world.open()]
            assert len(scopes) == len(set(scopes))
            assert sorted(scopes) == sorted(alert.scope for alert in world.rules.open_alerts)

    for found in states.values():
        order = [s for s in found if s is not AlertState.PENDING]
        assert order in ([], [AlertState.CLEARED], [AlertState.FIRING], [AlertState.FIRING, AlertState.RECOVERED])
    for kinds in told.values():
        assert kinds[0] == "fired"
        assert set(kinds[1:-1]) <= {"reminder", "escalated"}
        assert kinds.count("fired") == 1
        assert kinds.count("escalated") <= 1
        assert kinds.count("recovered") <= 1
    assert len(ids) == len(set(ids))


@given(rules_made, looks, st.integers(0, 24))
def test_a_restart_changes_nothing(rule: Rule, series: list[Look], at: int) -> None:
    """From the open alerts of the store and all figures a new worker goes on as the old one would have."""
    stayed, moved = World(rule), World(rule)

    for n, look in enumerate(series):
        expected = stayed.live(look)
        if n == at:
            moved.restart()
        found = moved.live(look, all_figures=n == at)
        assert seen(found) == seen(expected)

    assert moved.alerts == stayed.alerts


def seen(looks: list[tuple[int, Outcome]]) -> list[Any]:
    """What looks brought, those that brought nothing left out."""
    return [
        (
            at_us,
            sorted(outcome.alerts, key=lambda alert: alert.id),
            sorted(notices_of(outcome.announcements, resolve), key=lambda notice: notice.id),
        )
        for at_us, outcome in looks
        if outcome.alerts or outcome.announcements
    ]
