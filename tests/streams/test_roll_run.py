"""Roll's loop: who runs it, when it begins anew, when it prunes and when it looks at everything."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from contract.dossier import DOSSIER
from contract.windows import Level
from streams.clock import ClockMode
from streams.patience import Patience
from streams.roll import FULL_SHARE, PRUNE_S, QUICK_LOOK_S, TICK_S, Roll
from streams.rows import EpochKey, Heartbeat, Progress, Rate
from tests.support.memory_store import MemoryStore
from tests.support.panes import Pane, batch_of

NOW_S = 1_770_003_600


class OverError(Exception):
    """The play has ended."""


class Store(MemoryStore):
    """A store with one figure that notes what roll asks of it; ``sum_s`` is how long a sum takes."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[Any] = []
        self.sum_s = 0.0
        self.passed: Callable[[float], None] = lambda _: None
        key = EpochKey(DOSSIER.topic, 0, 7)
        self.complete([key])
        pane = Pane(0, "unit:a", "online", int(Level.TOTAL), 0, 1, 2)
        self.write_panes(DOSSIER.topic, {0: 7}, {0: 1}, batch_of([pane]))
        self.write_progress([Progress(key, 1, 1, NOW_S * 1_000_000, ["unit:a"])])

    def sum_panes(self, now_s: int, scopes: frozenset[str] | None) -> list[Rate]:
        self.notes.append("all" if scopes is None else sorted(scopes))
        self.passed(self.sum_s)
        return super().sum_panes(now_s, scopes)

    def rates_now(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        self.notes.append("begin")
        return super().rates_now()

    def drop_outdated(self, now_s: int) -> None:
        self.notes.append(("prune", now_s))


class Play:
    """A roll whose clocks move with each look; ``epochs`` are what it holds at each."""

    def __init__(self, mode: ClockMode = ClockMode.WALL) -> None:
        self.store = Store()
        self.store.passed = self.wait
        self.mode = mode
        self.now_s = 0.0
        self.rested: list[tuple[float, float]] = []
        self.seen: list[Any] = []
        self.epochs: list[int | None] = []
        self.step_s = TICK_S
        self.roll = Roll(
            self.store,
            lambda: int((NOW_S + self.now_s) * 1_000_000),
            mode,
            Patience(1),
            self._epoch,
            lambda: self.now_s,
            self._rest,
        )

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now_s += seconds

    def run(self, *epochs: int | None) -> None:
        """Look once with each of these epochs."""
        self.epochs = list(epochs)
        with pytest.raises(OverError):
            asyncio.run(self.roll.run())

    async def _rest(self, least_s: float, most_s: float) -> None:
        self.rested.append((least_s, most_s))
        self.seen.append((self.roll.published, self.roll.beat_us))
        self.wait(self.step_s)

    def _epoch(self) -> int | None:
        if not self.epochs:
            raise OverError
        return self.epochs.pop(0)


def test_only_who_holds_the_partition_rolls() -> None:
    """Each time it is taken over, what is written is read anew; without it nothing is published."""
    play = Play()

    play.run(None, 7, 7, None, 8)

    assert play.store.notes == ["begin", "all", "begin", "all"]
    published = [one for one, _ in play.seen]
    assert [None if one is None else (one.epoch, one.tick) for one in published] == [
        None,
        (7, 1),
        (7, 1),
        None,
        (8, 1),
    ]
    assert [beat_us > 0 for _, beat_us in play.seen] == [False, True, True, False, True]
    assert published[1].figures["unit:a", "online", "all"] == (1, 2)
    assert published[1].as_of_us == NOW_S * 1_000_000 + 250_000


def test_it_looks_four_times_a_second_and_rests_after_a_slow_look() -> None:
    """It waits for the rest of a quarter or for a flush; after a slow look as long as that took, flush or not."""
    play = Play()
    rested = []
    for epoch, sum_s in enumerate((0.125, 0.1875, 2.0), 7):
        play.store.sum_s = sum_s
        play.run(epoch)
        rested.append(play.rested.pop())

    assert rested == [(0.0, TICK_S - 0.125), (0.1875, 0.1875), (2.0, 2.0)]
    assert 0.125 < QUICK_LOOK_S < 0.1875


def test_old_panes_are_pruned_every_ten_minutes() -> None:
    """By the clock of the figures; only by who rolls."""
    play = Play()
    play.step_s = PRUNE_S / 2

    play.run(7, 7, 7, 7, 7, 7, 7, None, None, None)

    pruned = [note[1] for note in play.store.notes if note[0] == "prune"]
    assert pruned == [NOW_S + 900, NOW_S + 1_800]


def test_a_slow_look_at_everything_is_not_repeated_at_once() -> None:
    """After one of 20 s the next waits for 80 s although each minute wants one; meanwhile changes are looked at."""
    play = Play()
    play.store.sum_s, play.step_s = 20.0, 30.0

    def change(number: int) -> None:
        play.store.write_progress([Progress(EpochKey(DOSSIER.topic, 0, 7), number, 1, 0, ["unit:a"])])

    looks: list[Any] = []
    for number in range(2, 9):
        play.store.notes.clear()
        play.epochs = [7]
        before_s = play.now_s
        with pytest.raises(OverError):
            asyncio.run(play.roll.run())
        looks.append((before_s, [note for note in play.store.notes if note != "begin"]))
        change(number)

    full = [at_s for at_s, notes in looks if notes == ["all"]]
    partly = [at_s for at_s, notes in looks if notes == [["unit:a"]]]
    assert full == [0.0, 100.0, 200.0, 300.0]
    assert partly == [50.0, 150.0, 250.0]
    assert 20.0 * FULL_SHARE == 80.0


@pytest.mark.parametrize(("mode", "as_of_s"), [(ClockMode.EVENT, NOW_S + 9_000), (ClockMode.WALL, NOW_S)])
def test_the_clock_of_the_last_heartbeat_counts_for_events_only(mode: ClockMode, as_of_s: int) -> None:
    """A wall that was set back is believed; events never go back."""
    play = Play(mode)
    play.store.beat = Heartbeat(6, 1, (NOW_S + 9_000) * 1_000_000, 0)

    play.run(7)

    (published, beat_us) = play.seen[0]
    assert published is not None
    assert published.as_of_us == as_of_s * 1_000_000
    assert beat_us == NOW_S * 1_000_000
