"""An alarm with everything around it that a test moves, from second to second."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from streams.alarm import Alarm, AlarmParts
from streams.clock import US_PER_S, ClockMode
from streams.patience import Patience
from streams.roll import Published
from streams.rows import Partition, Rate
from tests.support.memory_alerts import MemoryAlerts, MemoryHistory, MemoryReach
from tests.support.rules import local_us, make_rule, make_rules

__all__ = ["BAD", "GOOD", "KEY", "PARTITIONS", "SCOPE", "START_S", "Stage", "Step", "away", "bad", "good", "idle"]

PARTITIONS = (Partition("t", 0), Partition("t", 1))
SCOPE = "unit:c0"
KEY = (SCOPE, "on_time", "today")
"""A plain tuple, as roll publishes it."""
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


class OverError(BaseException):
    """The play has ended."""


class Stage:
    """An alarm with everything around it that a test moves. A step is a second before one look of the alarm."""

    def __init__(self, mode: ClockMode = ClockMode.WALL, series: dict[int, Rate] | None = None) -> None:
        self.store = MemoryAlerts()
        self.history = MemoryHistory(series or {})
        self.reach = MemoryReach(PARTITIONS)
        self.flushed: dict[Partition, int] = {}
        self.figures: dict[tuple[str, str, str], tuple[int, int]] = {KEY: GOOD}
        self.rule = RULE
        self.epoch: int | None = 7
        self.claim = 7
        self.clock_s = 0
        self.wall_s: float = START_S
        self.step_s = 1.0
        self.pace_s = 1.0
        self.woken = 0
        self._mode = mode
        self._passed_s = 0.0

    def play(self, *steps: Step) -> None:
        """Run an alarm from its start through the steps."""
        coming = iter(steps)
        self.alarm = alarm = Alarm(
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
            lambda: int(self.wall_s * US_PER_S),
            self._mode,
            Patience(5),
            self._monotonic_s,
        )
        with pytest.raises(OverError):
            asyncio.run(alarm.run())

    def come(self, records: int) -> None:
        """So many more records are in Kafka."""
        assert self.reach.ends is not None
        self.reach.ends[PARTITIONS[0]] += records

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
        self.wall_s += self.step_s
        step(self)
        if self.epoch is None:
            return None
        # The tick stands still: the order of what the alarm writes must not depend on roll.
        return Published(self.epoch, 1, self.clock_s * US_PER_S, dict(self.figures))

    def _monotonic_s(self) -> float:
        self._passed_s += self.pace_s  # so that no look waits for the next
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
