"""The alarm: what is judged and when, and that decisions are stored once, in order, whatever fails on the way."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from contract.days import DAY_S, HOUR_S, MINUTE_S
from streams.alarm import AT_REST_S, CAUGHT_UP_S, Alarm, AlarmParts
from streams.alerts import Action, AlertState, FigureKey
from streams.backtest import backtest
from streams.clock import US_PER_S, ClockMode
from streams.patience import Patience
from streams.roll import Published
from streams.rows import Partition, Rate
from tests.support.memory_alerts import MemoryAlerts, MemoryHistory, MemoryReach
from tests.support.rules import local_us, make_rule, make_rules

P, Q = Partition("t", 0), Partition("t", 1)
SCOPE = "unit:c0"
KEY = FigureKey(SCOPE, "on_time", "today")
GOOD, BAD = (99, 100), (50, 100)
START_S = local_us(2, 9) // US_PER_S
RULE = make_rule(scope=SCOPE)
BEHIND = make_rule(
    id="behind",
    indicator="behind",
    window="now",
    scope="system:stream",
    below=None,
    above=20,
    recover=20,
    to=("engineers",),
)

Step = Callable[["Stage"], Any]


class OverError(Exception):
    """The play has ended."""


class Stage:
    """An alarm with everything around it that a test moves. A step is a second before one look of the alarm."""

    def __init__(self, mode: ClockMode = ClockMode.WALL, series: dict[int, Rate] | None = None) -> None:
        self.store = MemoryAlerts()
        self.history = MemoryHistory(series or {})
        self.reach = MemoryReach([P, Q])
        self.flushed: dict[Partition, int] = {}
        self.figures: dict[tuple[str, str, str], tuple[int, int]] = {KEY: GOOD}
        self.rule = RULE
        self.epoch: int | None = 7
        self.claim = 7
        self.clock_s = 0
        self.wall_s = START_S
        self.woken = 0
        self._mode = mode
        self._passed_s = 0.0

    def play(self, *steps: Step) -> None:
        """Run an alarm from its start through the steps."""
        coming = iter(steps)
        alarm = Alarm(
            AlarmParts(
                store=self.store,
                history=self.history,
                reach=self.reach,
                make_rules=lambda: (make_rules(self.rule), make_rules(BEHIND)),
                resolve=lambda target, scope: [f"{target} of {scope}"],
                flushed=lambda partitions: {p: n for p, n in self.flushed.items() if p in partitions},
                newest_claim=lambda: self.claim,
                published=lambda: self._published(coming),
                decided=self._wake,
            ),
            lambda: self.wall_s * US_PER_S,
            self._mode,
            Patience(5),
            self._monotonic_s,
        )
        with pytest.raises(OverError):
            asyncio.run(alarm.run())

    def come(self, records: int) -> None:
        """So many more records are in Kafka."""
        assert self.reach.ends is not None
        self.reach.ends[P] += records

    def catch_up(self) -> None:
        """Everything in Kafka is stored."""
        assert self.reach.ends is not None
        self.flushed = {p: end - 1 for p, end in self.reach.ends.items() if end}

    def show(self, figure: tuple[int, int]) -> None:
        """The figure is another."""
        self.figures = {KEY: figure}

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Rule and kind of each message that was decided."""
        return [(notice.rule, notice.kind) for notice in self.store.notices.values()]

    def _published(self, coming: Iterator[Step]) -> Published | None:
        step = next(coming, None)
        if step is None:
            raise OverError
        self.wall_s += 1
        step(self)
        if self.epoch is None:
            return None
        # The tick stands still: the order of what the alarm writes must not depend on roll.
        return Published(self.epoch, 1, self.clock_s * US_PER_S, dict(self.figures))

    def _monotonic_s(self) -> float:
        self._passed_s += 1  # so that no look waits for the next
        return self._passed_s

    def _wake(self) -> None:
        self.woken += 1


def idle(_: Stage) -> None:
    """Nothing happens."""


def bad(stage: Stage) -> None:
    """The figure becomes bad."""
    stage.show(BAD)


def good(stage: Stage) -> None:
    """The figure becomes good."""
    stage.show(GOOD)


def away(*methods: str) -> Step:
    """The store is away at the next call of each of these."""
    return lambda stage: stage.store.away_at.extend(methods)


def test_it_fires_is_told_and_recovers() -> None:
    """One message for each change; every message is stored before the alert that says it was told."""
    stage = Stage()

    stage.play(idle, bad, *[idle] * 5, good, *[idle] * 3)

    assert stage.kinds == [("r", "fired"), ("r", "recovered")]
    assert stage.store.states() == [AlertState.RECOVERED]
    assert stage.woken == 2
    written = [what for what, _ in stage.store.written]
    assert written == ["alerts", "notices", "alerts", "notices", "alerts"]
    assert stage.reach.closed


def test_while_it_is_behind_only_that_is_judged() -> None:
    """A backlog at the start and for half a minute: no figure is judged, but that the stream is behind is told."""
    stage = Stage()
    stage.come(1_000)
    stage.show(BAD)

    stage.play(*[idle] * 30)
    meanwhile = stage.kinds
    stage.play(lambda s: s.catch_up(), *[idle] * 4)

    assert meanwhile == [("behind", "fired")]
    assert stage.kinds == [("behind", "fired"), ("behind", "recovered"), ("r", "fired")]


def test_a_start_is_not_taken_for_being_up_to_date() -> None:
    """Nobody knows yet how long records have waited: nothing is judged before some look is reached."""
    stage = Stage()
    stage.come(1_000)
    stage.show(BAD)

    stage.play(*[idle] * int(CAUGHT_UP_S - 2))

    assert stage.store.written == []


def test_while_kafka_does_not_tell_its_ends_nothing_is_judged_for_long() -> None:
    """After the last answer figures are trusted for a while, then no more."""
    stage = Stage()

    def silent(s: Stage) -> None:
        s.reach.ends = None

    stage.play(idle, silent, *[idle] * int(CAUGHT_UP_S + 1), bad, *[idle] * 5)

    assert stage.kinds == []


@pytest.mark.parametrize(
    "methods", [["actions"], ["write_notices"], ["write_alerts"], ["write_notices", "write_alerts"]]
)
def test_a_store_that_is_away_in_the_middle_is_waited_for(methods: list[str]) -> None:
    """Whatever call fails once, the same decision is stored in the end, and only once."""
    stage = Stage()

    stage.play(bad, away(*methods), *[idle] * 4, away(*methods), good, *[idle] * 3)

    assert stage.kinds == [("r", "fired"), ("r", "recovered")]
    notices = [key for what, keys in stage.store.written if what == "notices" for key in keys]
    assert len(notices) == len(set(notices)) == 2
    assert stage.store.states() == [AlertState.RECOVERED]
    assert stage.store.away_at == []


def test_a_predecessor_writes_nothing() -> None:
    """Once another worker has claimed roll's partition, its decisions count and not those of this memory."""
    stage = Stage()

    stage.play(bad, idle, lambda s: setattr(s, "claim", 8), *[idle] * 3, good, idle)

    assert [what for what, _ in stage.store.written] == ["alerts"]
    assert stage.kinds == []
    assert stage.woken == 0


@pytest.mark.parametrize(("then", "kinds"), [(bad, ["fired"]), (good, ["fired", "recovered"])])
def test_a_successor_goes_on_from_what_is_stored(then: Step, kinds: list[str]) -> None:
    """It fired and was told under one epoch; under the next it is not told again, but that it is over is."""
    stage = Stage()
    stage.play(bad, *[idle] * 4)

    def succeed(s: Stage) -> None:
        s.epoch = s.claim = 9
        then(s)

    stage.play(succeed, *[idle] * 4)

    assert stage.kinds == [("r", kind) for kind in kinds]
    assert len(stage.store.alerts) == 1


def test_one_process_that_loses_and_regains_the_partition_reads_anew() -> None:
    """Between two turns of its own, another worker closed the alert: it begins from there."""
    stage = Stage()

    def lose(s: Stage) -> None:
        s.epoch = None

    def regain(s: Stage) -> None:
        ((_, _, alert),) = s.store.alerts.values()
        s.store.write_alerts([replace(alert, state=AlertState.RECOVERED, ended_us=alert.since_us + 1)], 8, 1)
        s.epoch = s.claim = 9
        good(s)

    stage.play(bad, *[idle] * 4, lose, idle, regain, *[idle] * 4)

    assert stage.kinds == [("r", "fired")]
    assert stage.store.states() == [AlertState.RECOVERED]


def test_that_the_stream_was_behind_is_restored_too() -> None:
    """The alert about the stream goes to the rules of the stream, and recovers there."""
    stage = Stage()
    stage.come(10)
    stage.play(*[idle] * 30)
    stage.epoch = stage.claim = 8
    stage.catch_up()

    stage.play(*[idle] * 3)

    assert stage.kinds == [("behind", "fired"), ("behind", "recovered")]


def test_gauges_of_sources_are_judged() -> None:
    """A source's figure comes from the store, not from roll."""
    stage = Stage()
    stage.rule = make_rule(indicator="silence", window="now", scope="source:*", below=None, above=1, recover=1)
    stage.store.rates = [Rate("source:onestop", "silence", "now", 3_600, 900)]

    stage.play(*[idle] * 4)

    assert [(alert.scope, alert.state) for _, _, alert in stage.store.alerts.values()] == [
        ("source:onestop", AlertState.FIRING)
    ]


def test_what_people_did_is_read_at_each_look() -> None:
    """A mute that came before the message was due keeps it back."""
    stage = Stage()

    def mute(s: Stage) -> None:
        now_us = s.wall_s * US_PER_S
        s.store.people = [
            Action(
                alert="",
                rule="r",
                scope=SCOPE,
                action="mute",
                until_us=now_us + 3_600 * US_PER_S,
                by="x",
                at_us=now_us,
            )
        ]

    stage.play(bad, mute, *[idle] * 5)

    assert stage.kinds == []
    assert stage.store.states() == [AlertState.FIRING]


# -- by the clock of the events --

FROM_S = START_S - START_S % DAY_S
SERIES = {
    FROM_S + hours * HOUR_S: Rate(*KEY, *figure)
    for hours, figure in ((1, GOOD), (2, BAD), (5, GOOD), (9, BAD), (30, GOOD), (40, BAD))
}
CUT_S, END_S = FROM_S + 20 * HOUR_S, FROM_S + 48 * HOUR_S
REST = [idle] * int(AT_REST_S + 2)


def replay(stage: Stage, until_s: int) -> Step:
    """Records up to a moment of the events' clock come and are stored at once."""

    def step(_: Stage) -> None:
        stage.come(100)
        stage.catch_up()
        stage.clock_s = until_s

    return step


def event_stage(**changes: Any) -> Stage:
    """A stage by the events' clock whose history holds the whole series."""
    stage = Stage(ClockMode.EVENT, SERIES)
    stage.rule = make_rule(scope=SCOPE, hold_s=600, **changes)
    return stage


def test_history_is_walked_through_once_it_rests_and_goes_on_later() -> None:
    """Each minute is judged once; two walks decide what one look at the whole history does."""
    stage = event_stage(remind_s=2 * HOUR_S)

    stage.play(replay(stage, CUT_S), *REST, *[idle] * 3, replay(stage, END_S), *REST)

    whole = backtest(
        make_rules(stage.rule),
        MemoryHistory(SERIES).history({("on_time", "today"): None}, 0, END_S),
        0,
        END_S,
        lambda target, scope: [f"{target} of {scope}"],
    )
    assert stage.history.asked == [(0, CUT_S), (CUT_S + MINUTE_S, END_S)]
    assert list(stage.store.notices.values()) == whole.notices
    assert [alert for _, _, alert in stage.store.alerts.values()] == whole.alerts
    assert {notice.kind for notice in whole.notices} == {"fired", "reminder", "recovered"}


def test_another_walk_through_the_same_history_decides_nothing_new() -> None:
    """A worker that is started again finds all its messages known."""
    stage = event_stage()
    stage.play(replay(stage, END_S), *REST)
    known = dict(stage.store.notices)
    stage.epoch = stage.claim = 8

    stage.play(*REST)

    assert len(stage.history.asked) == 2
    assert stage.store.notices == known
    assert [what for what, _ in stage.store.written].count("notices") == 1


def test_nothing_of_a_replay_is_judged_before_it_rests() -> None:
    """While records come, or some are not stored, a part of history would be taken for the whole."""
    stage = event_stage()

    def coming(s: Stage) -> None:
        s.come(10)
        s.catch_up()
        s.clock_s += HOUR_S

    def unread(s: Stage) -> None:
        s.come(10)

    stage.play(replay(stage, CUT_S), *[coming] * 10, unread, *[idle] * 10)

    assert stage.history.asked == []
    assert stage.store.written == []


def test_before_the_first_event_there_is_no_history() -> None:
    """An empty system has no clock."""
    stage = event_stage()

    stage.play(*[idle] * 10)

    assert stage.history.asked == []


def test_a_claim_during_a_walk_leaves_it_to_the_successor() -> None:
    """The walk of a predecessor is not stored."""
    stage = event_stage()
    stage.claim = 8

    stage.play(replay(stage, END_S), *REST)

    assert stage.history.asked
    assert stage.store.written == []
