"""The alarm: what is judged and when, and that decisions are stored once, in order, whatever fails on the way."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, cast

import pytest
from msgspec.structs import replace

from streams import alarm
from streams.alarm import CAUGHT_UP_S, GAUGES_S, USUAL_S
from streams.alerts import Action, AlertState, FigureKey
from streams.arrival import Range
from streams.clock import US_PER_S
from streams.rows import Partition, Rate
from tests.support.alarm_stage import KEY, PARTITIONS, SCOPE, Stage, Step, away, bad, good, idle
from tests.support.memory_alerts import MemoryAlerts, MemoryReach
from tests.support.rules import make_rule


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


def test_it_looks_sooner_when_something_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told 2 s after it began to fire, not at the next full second; with nothing due once a second."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    stage = Stage()
    stage.step_s, stage.pace_s = 0.75, 0.0

    stage.play(bad, idle, idle, idle)

    assert slept == [1.0, 1.0, 0.5, 1.0]
    assert stage.kinds == [("r", "fired")]


def test_while_it_is_behind_only_that_is_judged() -> None:
    """A backlog at the start and for half a minute: no figure is judged, but that the stream is behind is told."""
    stage = Stage()
    stage.come(1_000)
    bad(stage)

    stage.play(*[idle] * 30)
    meanwhile = stage.kinds
    stage.play(lambda s: s.catch_up(), *[idle] * 4)

    assert meanwhile == [("behind", "fired")]
    assert stage.kinds == [("behind", "fired"), ("behind", "recovered"), ("r", "fired")]


def test_a_start_is_not_taken_for_being_up_to_date() -> None:
    """Nobody knows yet how long records have waited: nothing is judged before some look is reached."""
    stage = Stage()
    stage.come(1_000)
    bad(stage)

    stage.play(*[idle] * int(CAUGHT_UP_S - 2))

    assert stage.store.written == []


def test_while_kafka_does_not_tell_its_ends_nothing_is_judged_for_long() -> None:
    """After the last answer figures are trusted for a while, then no more."""
    stage = Stage()

    def silent(s: Stage) -> None:
        s.reach.ends = None

    stage.play(idle, silent, *[idle] * int(CAUGHT_UP_S + 1), bad, *[idle] * 5)

    assert stage.kinds == []


def test_what_came_while_kafka_answered_is_not_overlooked() -> None:
    """An answer is as old as its question: after a slow one nothing is judged."""
    stage = Stage()

    class SlowReach(MemoryReach):
        async def read(self) -> Mapping[Partition, Range] | None:
            found = await super().read()
            stage.wall_s += int(CAUGHT_UP_S + 1)
            return found

    stage.reach = SlowReach(PARTITIONS)

    stage.play(bad, *[idle] * 4)

    assert stage.kinds == []


def test_what_cannot_be_judged_ends_neither_the_worker_nor_the_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is said and counted; the alarm begins anew from what is stored, and tells nothing twice."""
    monkeypatch.setattr(alarm, "AGAIN_S", 0.0)
    stage = Stage()
    seen: list[tuple[bool, int]] = []

    def broken(s: Stage) -> None:
        s.figures = {KEY: cast("Any", (1,))}

    def look(s: Stage) -> None:
        seen.append((s.alarm.failing, s.alarm.failures))

    stage.play(bad, *[idle] * 3, look, broken, look, look, bad, idle, look, good, *[idle] * 3)

    assert seen == [(False, 0), (True, 1), (True, 2), (False, 3)]
    assert stage.kinds == [("r", "fired"), ("r", "recovered")]


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
        now_us = int(s.wall_s * US_PER_S)
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


class AskedAlerts(MemoryAlerts):
    """A store that notes when it is asked for usual rates and for gauges, and has usual rates."""

    def __init__(self) -> None:
        super().__init__()
        self.usual_asked: list[tuple[set[FigureKey], int]] = []
        self.gauges_asked = 0

    def gauges(self, now_us: int) -> list[Rate]:
        self.gauges_asked += 1
        return super().gauges(now_us)

    def usual(
        self,
        now_us: int,  # noqa: ARG002 - the port has it
        keys: Collection[FigureKey],
        minimum_n: int,
    ) -> dict[FigureKey, tuple[float, ...]]:
        self.usual_asked.append((set(keys), minimum_n))
        return dict.fromkeys(keys, (0.8, 0.9, 0.7))


def test_a_rule_that_compares_is_given_the_usual_rates_once_a_minute() -> None:
    """Of its own figures and by its own minimum of cases; gauges are read every five seconds."""
    stage = Stage()
    stage.store = store = AskedAlerts()
    stage.rule = make_rule(scope=SCOPE, below=None, worse_by=0.10, recover=0.05, minimum_n=30)
    looks = int(2 * USUAL_S)

    stage.play(bad, *[idle] * (looks - 1))

    asked = {minimum_n for _, minimum_n in store.usual_asked}, {frozenset(keys) for keys, _ in store.usual_asked}
    assert asked == ({30}, {frozenset({KEY})})
    assert 2 <= len(store.usual_asked) <= looks / 10
    assert 2 * len(store.usual_asked) < store.gauges_asked <= looks / 2 * USUAL_S / GAUGES_S
    assert stage.kinds == [("r", "fired")]
    (notice,) = store.notices.values()
    assert notice.facts.usual == pytest.approx(0.8)


def test_without_such_a_rule_nobody_asks_for_usual_rates() -> None:
    """They cost a look at a month of history."""
    stage = Stage()
    stage.store = store = AskedAlerts()

    stage.play(bad, *[idle] * 10)

    assert store.usual_asked == []


def test_a_digest_is_stored_without_any_alert() -> None:
    """There is no alert behind it; the next worker, on the same store, finds that it was told."""
    stage = Stage()
    stage.rule = make_rule(scope=SCOPE, daily_min=9 * 60)

    def succeed(s: Stage) -> None:
        s.epoch = s.claim = 9

    stage.play(bad, idle, succeed, *[idle] * 3)

    assert stage.kinds == [("r", "digest")]
    assert [what for what, _ in stage.store.written] == ["notices"]
    assert stage.store.alerts == {}
