"""The alarm by the clock of the events: rules walk through history once it has come to rest."""

from collections.abc import Iterator, Mapping
from typing import Any

from contract.days import DAY_S, HOUR_S, MINUTE_S
from streams.alarm import AT_REST_S
from streams.backtest import backtest
from streams.clock import ClockMode
from streams.rows import Rate
from streams.store import StoreUnavailableError
from tests.support.alarm_stage import BAD, GOOD, KEY, SCOPE, START_S, Stage, Step, idle
from tests.support.memory_alerts import MemoryHistory
from tests.support.rules import make_rule, make_rules

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


def test_a_store_that_goes_away_during_a_walk_makes_it_begin_anew() -> None:
    """The rules have moved on within the walk: fresh ones walk again, and decide what one walk would have."""
    stage, undisturbed = event_stage(), event_stage()

    class Interrupted(MemoryHistory):
        def history(
            self, wanted: Mapping[tuple[str, str], frozenset[str] | None], from_s: int, to_s: int
        ) -> Iterator[tuple[int, list[Rate]]]:
            for n, item in enumerate(super().history(wanted, from_s, to_s)):
                if n == 3 and len(self.asked) == 1:
                    raise StoreUnavailableError("away")
                yield item

    stage.history = Interrupted(SERIES)

    stage.play(replay(stage, END_S), *REST, *REST)
    undisturbed.play(replay(undisturbed, END_S), *REST)

    assert stage.history.asked == [(0, END_S)] * 2
    assert stage.store.notices == undisturbed.store.notices
    assert stage.store.notices
