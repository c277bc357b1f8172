"""Rules: from figures to alerts and announcements. Pure; the clock and all else is passed in."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from contract.calendar import WorkCalendar
from contract.units import UnitTree
from streams.alerts import Action, Alert, AlertState, Figure, FigureKey, Figures
from streams.announcement import Announcement
from streams.clock import US_PER_S
from streams.digests import Digests, digest_of
from streams.episode import ended, not_ahead, step
from streams.family import MAX_CHILDREN, Ancestors, firing_below, speaking_for, worst_first
from streams.figure_book import NOTHING, FigureBook, StateKey, UsualRates
from streams.rounds import Round, first_told_us, next_round, told
from streams.rule import Rule
from streams.telling import Mute, is_muted, mutes_of, tellable_us
from streams.verdict import Verdict, lower_is_worse

__all__ = ["Outcome", "Rules"]

NEVER_US = 2**63


class Outcome(NamedTuple):
    """What one look brought: alerts that changed, as they stand now, and what is to be told.

    The notices made of the announcements are to be stored before the alerts: an alert says that it was told.
    """

    alerts: list[Alert]
    announcements: list[Announcement]


class Rules:
    """All rules with the state of each in each scope. What is not open is fine, or has never had a figure."""

    def __init__(self, rules: Iterable[Rule], tree: UnitTree, calendar: WorkCalendar) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._calendar = calendar
        self._ancestors = Ancestors(tree)
        self._digests = Digests(self._rules.values(), calendar)
        self.book = FigureBook(self._rules.values(), tree)
        self._open: dict[StateKey, Alert] = {}
        self._due_us: dict[StateKey, int] = {}
        self._orphans: list[Alert] = []
        self._actions: tuple[Action, ...] = ()
        self._mutes: dict[StateKey, tuple[Mute, ...]] = {}
        self._acknowledged: frozenset[str] = frozenset()
        self._next_us = NEVER_US
        self._looked_us = NEVER_US

    @property
    def open_alerts(self) -> tuple[Alert, ...]:
        """Alerts that are pending or firing."""
        return tuple(self._open.values())

    @property
    def next_due_us(self) -> int | None:
        """When a look is due although no figure changes; None when never. Known after the first look."""
        due_us = min(self._next_us, NEVER_US if self._digests.next_us is None else self._digests.next_us)
        return None if due_us == NEVER_US else due_us

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Take over what the store holds as open, before the first look.

        The next look closes what no rule watches any more, and of two alerts of one rule and scope the later.
        """
        for alert in sorted(alerts, key=lambda alert: alert.since_us):
            rule = self._rules.get(alert.rule)
            key = FigureKey(alert.scope, alert.indicator, alert.window)
            state = (alert.rule, alert.scope)
            watched = rule is not None and rule.daily_min is None and rule in self.book.watching(key)
            if watched and state not in self._open:
                self._open[state] = alert
            else:
                self._orphans.append(alert)

    def evaluate(
        self,
        now_us: int,
        figures: Figures,
        usual: UsualRates | None = None,
        actions: Sequence[Action] = (),
    ) -> Outcome:
        """Look at the figures at a moment.

        ``figures`` are numerator and denominator of all that changed since the last look; more does no harm. Of the
        first look they are all there are. ``usual`` are all usual rates, None: as before. ``actions`` are what people
        did about open alerts, and all mutes in force.
        """
        if now_us < self._looked_us:
            self._come_back(now_us)
        self._looked_us = now_us
        look = dict.fromkeys(self.book.learn_usual(usual) if usual is not None else ())
        look.update(dict.fromkeys(self.book.learn(figures, self._open)))
        due: Collection[StateKey] = ()
        if (people := tuple(actions)) != self._actions:
            self._learn_actions(people)
            due = tuple(self._open)
        elif now_us >= self._next_us:
            due = tuple(key for key, due_us in self._due_us.items() if due_us <= now_us)
        look.update(dict.fromkeys(due))
        changed = {alert.id: ended(alert, now_us) for alert in self._orphans}
        self._orphans = []
        moved = dict.fromkeys(due)
        for key in look:
            if self._step(key, now_us, changed):
                moved[key] = None
        rounds = {key: one for key in moved if (one := self._round_due(key, now_us, changed)) is not None}
        self._fetch_along(rounds, now_us)
        announcements = self._tell(rounds, now_us, changed)
        announcements.extend(self._digest(rule, due_us, now_us) for rule, due_us in self._digests.take(now_us))
        moved.update(dict.fromkeys(rounds))
        for key in moved:
            self._plan(key, now_us)
        if moved:
            self._next_us = min(self._due_us.values(), default=NEVER_US)
        return Outcome(list(changed.values()), [one for one in announcements if one.figures])

    def _come_back(self, now_us: int) -> None:
        """At the first look, and when the clock was set back: nothing that is open lies ahead."""
        for key, alert in self._open.items():
            self._open[key] = not_ahead(alert, now_us)
            self._due_us[key] = self._next_us = now_us

    def _learn_actions(self, actions: tuple[Action, ...]) -> None:
        self._actions = actions
        self._mutes = mutes_of(actions)
        self._acknowledged = frozenset(action.alert for action in actions if action.action == "ack")

    def _step(self, key: StateKey, now_us: int, changed: dict[str, Alert]) -> bool:
        """Look at one state; return whether its next moment may be another now."""
        rule, scope = self._rules[key[0]], key[1]
        before = self._open.get(key)
        verdict = self.book.verdict(rule, scope)
        if before is None and verdict is not Verdict.BAD:
            return False
        limits = self.book.limits(rule, scope)
        threshold = limits.threshold if limits is not None else 0.0
        figure = self.book.figure(rule, scope) or NOTHING
        after = step(rule, scope, before, verdict, figure, threshold, now_us)
        if after is not None and after is not before:
            self._keep(key, after, changed)
            return True
        # The hold time of what is pending does not run out on an unknown figure.
        waits = before is not None and before.state is AlertState.PENDING
        return waits and (verdict is Verdict.BAD) != (key in self._due_us)

    def _keep(self, key: StateKey, alert: Alert, changed: dict[str, Alert]) -> None:
        changed[alert.id] = alert
        if alert.state in (AlertState.PENDING, AlertState.FIRING):
            self._open[key] = alert
        else:
            self._open.pop(key, None)
            self._due_us.pop(key, None)

    def _round_due(self, key: StateKey, now_us: int, changed: dict[str, Alert]) -> Round | None:
        """Return the round of messages to be sent now; what is over and muted ends without a word."""
        alert = self._open.get(key)
        found = None if alert is None else self._next_round(key, alert, now_us)
        if alert is None or found is None or found.from_us > now_us:
            return None
        mutes = self._mutes.get(key, ())
        if found.kind == "recovered" and is_muted(mutes, now_us):
            self._keep(key, ended(alert, now_us), changed)
            return None
        return found if tellable_us(self._rules[key[0]], mutes, now_us, self._calendar) == now_us else None

    def _next_round(self, key: StateKey, alert: Alert, now_us: int) -> Round | None:
        acknowledged = alert.id in self._acknowledged
        mutes = self._mutes.get(key, ())
        return next_round(self._rules[key[0]], alert, mutes, self._calendar, now_us, acknowledged=acknowledged)

    def _fetch_along(self, rounds: dict[StateKey, Round], now_us: int) -> None:
        """Add what has just begun to fire to what has waited longer, to be told together."""
        rules = {key[0] for key, one in rounds.items() if one.kind == "fired"}
        for key, alert in self._open.items() if rules else ():
            if key[0] in rules and key not in rounds and alert.state is AlertState.FIRING and alert.notices == 0:
                mutes = self._mutes.get(key, ())
                if tellable_us(self._rules[key[0]], mutes, now_us, self._calendar) == now_us:
                    rounds[key] = Round("fired", now_us)

    def _tell(self, rounds: Mapping[StateKey, Round], now_us: int, changed: dict[str, Alert]) -> list[Announcement]:
        alerts: dict[StateKey, Alert] = {}
        for key, one in rounds.items():
            alert = alerts[key] = told(self._open[key], one.kind, now_us)
            if one.kind == "recovered":
                alert = alerts[key] = ended(alert, now_us)
            self._keep(key, alert, changed)
        if not rounds:
            return []
        below = firing_below(self._open.values(), {key[0] for key in rounds}, self._ancestors.at(now_us))
        return [
            self._announcement(alerts[key], one, now_us, below.get(key, ()), alerts) for key, one in rounds.items()
        ]

    def _announcement(
        self, alert: Alert, one: Round, now_us: int, below: Sequence[Alert], now_told: Mapping[StateKey, Alert]
    ) -> Announcement:
        rule = self._rules[alert.rule]
        above = self._ancestors.at(now_us)
        limits = self.book.limits(rule, alert.scope)
        children = () if one.kind == "recovered" else below
        worst = worst_first(rule, map(self._figure, children), lambda scope: self._usual(rule, scope))
        parents = ((rule.id, scope) for scope in above(alert.scope))
        known = (now_told.get(key) or self._open.get(key) for key in parents)
        return Announcement(
            kind=one.kind,
            rule=rule,
            alert=alert,
            at_us=now_us,
            since_us=alert.since_us,
            figures=(self._figure(alert), *worst[:MAX_CHILDREN]),
            threshold=alert.threshold if limits is None else limits.threshold,
            below=lower_is_worse(rule),
            usual=self._usual(rule, alert.scope),
            more=len(worst) - len(worst[:MAX_CHILDREN]),
            spoken_for=speaking_for(
                alert, [parent for parent in known if parent is not None and parent.notices], self._first_told_us
            ),
        )

    def _digest(self, rule: Rule, due_us: int, now_us: int) -> Announcement:
        bad = [
            Figure(scope, *(self.book.figure(rule, scope) or NOTHING))
            for scope in self.book.scopes(rule)
            if self.book.verdict(rule, scope) is Verdict.BAD
            and not is_muted(self._mutes.get((rule.id, scope), ()), now_us)
        ]
        return digest_of(rule, bad, due_us, now_us)

    def _plan(self, key: StateKey, now_us: int) -> None:
        """Note when to look again although the figure does not change."""
        alert = self._open.get(key)
        if alert is None:
            return
        rule = self._rules[key[0]]
        self._due_us.pop(key, None)
        if alert.state is AlertState.PENDING:
            if self.book.verdict(rule, key[1]) is Verdict.BAD:
                self._due_us[key] = alert.since_us + rule.hold_s * US_PER_S
        elif (found := self._next_round(key, alert, now_us)) is not None:
            mutes = self._mutes.get(key, ())
            self._due_us[key] = tellable_us(rule, mutes, max(found.from_us, now_us), self._calendar)

    def _figure(self, alert: Alert) -> Figure:
        found = self.book.figure(self._rules[alert.rule], alert.scope)
        return Figure(alert.scope, *(found or (alert.numerator, alert.denominator)))

    def _usual(self, rule: Rule, scope: str) -> float | None:
        limits = self.book.limits(rule, scope)
        return None if limits is None else limits.usual

    def _first_told_us(self, alert: Alert) -> int:
        mutes = self._mutes.get((alert.rule, alert.scope), ())
        return first_told_us(self._rules[alert.rule], alert, mutes, self._calendar)
