"""Roll: which rates are written, when, and by which clock."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dossier import DOSSIER
from contract.windows import Level
from streams.clock import ClockMode
from streams.patience import Patience
from streams.roll import BEAT_S, Roll, changed_rates
from streams.rows import EpochKey, Heartbeat, Partition, Progress, Rate
from tests.support.memory_store import MemoryStore
from tests.support.panes import Pane, batch_of

NOW_S = 1_770_003_600  # the start of a minute
EPOCH = 7
KEY = EpochKey(DOSSIER.topic, 0, EPOCH)


class RecordingStore(MemoryStore):
    """A store that notes what roll sums and writes."""

    def __init__(self) -> None:
        super().__init__()
        self.summed: list[frozenset[str] | None] = []
        self.beats: list[Heartbeat] = []

    def sum_panes(self, now_s: int, scopes: frozenset[str] | None) -> list[Rate]:
        self.summed.append(scopes)
        return super().sum_panes(now_s, scopes)

    def write_rates(self, rates: Any, beat: Heartbeat) -> None:
        self.beats.append(beat)
        super().write_rates(rates, beat)

    def flush(
        self, number: int, counts: dict[str, tuple[int, int]], clock_s: int = NOW_S, key: EpochKey = KEY
    ) -> None:
        """Flush panes of ``online`` marks at the current minute: unit → (good, count)."""
        panes = [
            Pane(key.partition, f"unit:{unit}", "online", int(level), start, *values)
            for unit, values in counts.items()
            for level, start in ((Level.TOTAL, 0), (Level.MINUTE, NOW_S))
        ]
        self.complete([key])
        self.write_panes(key.topic, {key.partition: key.epoch}, {key.partition: number}, batch_of(panes))
        scopes = [f"unit:{unit}" for unit in counts]
        self.write_progress([Progress(key, number, number, clock_s * 1_000_000, scopes)])


async def rest(least_s: float, most_s: float) -> None:
    """Wait the longest."""
    await asyncio.sleep(max(least_s, most_s))


class Clocks:
    """A roll with the clocks that a test moves."""

    def __init__(self, store: MemoryStore, mode: ClockMode = ClockMode.WALL) -> None:
        self.wall_s: float = NOW_S
        self.passed_s: float = 0.0
        self.roll = Roll(
            store,
            lambda: int(self.wall_s * 1_000_000),
            mode,
            Patience(1),
            lambda: EPOCH,
            lambda: self.passed_s,
            rest,
        )

    def tick(self, later_s: float = 0.25) -> dict[tuple[str, str], tuple[int, int]]:
        """Let time pass and tick; return what was written, by unit and window."""
        self.wall_s += later_s
        self.passed_s += later_s
        return {(r.scope.removeprefix("unit:"), r.window): r[3:] for r in self.roll.tick(EPOCH)}


def test_only_changed_figures_are_written() -> None:
    """The first look writes all; later ones only the scopes and windows that moved."""
    store = RecordingStore()
    clocks = Clocks(store)
    store.flush(1, {"a": (1, 2), "b": (1, 1)})
    first = clocks.tick()

    store.flush(2, {"a": (2, 3)})
    second = clocks.tick()
    third = clocks.tick()

    assert first["a", "15m"] == (1, 2)
    assert first["b", "all"] == (1, 1)
    assert second["a", "15m"] == second["a", "all"] == (2, 3)
    assert {unit for unit, _ in second} == {"a"}
    assert third == {}
    assert store.summed[:2] == [None, frozenset({"unit:a"})]
    assert store.rates["unit:b", "online", "15m"] == (1, 1)


def test_a_scope_that_changed_without_moving_is_not_written() -> None:
    """A mark withdrawn and added again is no change of a figure."""
    store = RecordingStore()
    clocks = Clocks(store)
    store.flush(1, {"a": (1, 2)})
    clocks.tick()

    store.flush(2, {"a": (1, 2)})
    rv = clocks.tick()

    assert rv == {}
    assert store.summed[-1] == frozenset({"unit:a"})


def test_a_figure_whose_panes_are_gone_becomes_none_of_none() -> None:
    """A new epoch no longer has the scope: its figures are withdrawn, once, and have no rate."""
    store = RecordingStore()
    clocks = Clocks(store)
    store.flush(1, {"a": (1, 2), "b": (1, 1)})
    clocks.tick()
    store.flush(1, {"b": (1, 1)}, key=EpochKey(DOSSIER.topic, 0, EPOCH + 1))

    gone = clocks.tick()
    again = clocks.tick(2.0)

    assert gone["a", "15m"] == gone["a", "all"] == (0, 0)
    assert {unit for unit, _ in gone} == {"a"}
    assert again == {}
    assert Rate("unit:a", "online", "15m", *gone["a", "15m"]).rate is None


def test_a_zero_denominator_has_no_rate() -> None:
    """Nothing counted is unknown: neither 0 nor 100 %."""
    nothing, none_good = Rate("s", "online", "1h", 0, 0), Rate("s", "online", "1h", 0, 4)

    rates = (nothing.rate, none_good.rate)

    assert rates == (None, 0.0)


def test_a_new_minute_is_a_look_at_everything() -> None:
    """Marks fall out of windows by time alone."""
    store = RecordingStore()
    clocks = Clocks(store)
    store.flush(1, {"a": (1, 2)})
    clocks.tick()

    within = clocks.tick(59.0)
    full = store.summed[1:]
    fallen = clocks.tick(15 * 60)

    assert within == {}
    assert full == []
    assert store.summed[-1] is None
    assert fallen["a", "15m"] == (0, 0)
    assert ("a", "all") not in fallen


def test_the_heart_beats_each_second_although_nothing_changes() -> None:
    """Freshness is known also when everything is quiet; ticks and the clock grow."""
    store = RecordingStore()
    clocks = Clocks(store)
    store.flush(1, {"a": (1, 2)})

    for _ in range(20):
        clocks.tick(0.25)
    beats = store.beats

    assert [b.tick for b in beats] == list(range(1, len(beats) + 1))
    gaps = [b.as_of_us - a.as_of_us for a, b in pairwise(beats)]
    assert set(gaps) == {int(BEAT_S * 1_000_000)}
    assert {b.epoch for b in beats} == {EPOCH}
    assert all(b.as_of_us == b.written_us for b in beats)


def test_a_change_beats_at_once() -> None:
    """What changed is not held back until the second is over."""
    store = RecordingStore()
    clocks = Clocks(store)
    store.flush(1, {"a": (1, 2)})
    clocks.tick()

    store.flush(2, {"a": (2, 2)})
    clocks.tick(0.25)

    assert [b.tick for b in store.beats] == [1, 2]


@given(st.lists(st.integers(NOW_S - 500_000, NOW_S + 500_000), min_size=1, max_size=12))
def test_the_clock_of_events_never_goes_back(times: list[int]) -> None:
    """The published clock is the newest event time so far, whatever comes later."""
    store = RecordingStore()
    clocks = Clocks(store, ClockMode.EVENT)

    for number, clock_s in enumerate(times, 1):
        store.progress.clear()  # even if the newest were no longer known
        store.flush(number, {"a": (1, number)}, clock_s)
        clocks.tick(2.0)

    published = [b.as_of_us // 1_000_000 for b in store.beats]
    assert published == [max(times[:n]) for n in range(1, len(times) + 1)]


def test_the_clock_of_events_does_not_go_back_over_a_restart() -> None:
    """A roll begins with the clock and the figures that were last published."""
    store = RecordingStore()
    store.flush(1, {"a": (1, 2)}, NOW_S - 7200)
    store.beat = Heartbeat(EPOCH - 1, 9, NOW_S * 1_000_000, 0)
    store.rates = {("unit:gone", "online", "all"): (1, 1)}
    clocks = Clocks(store, ClockMode.EVENT)

    async def begin_and_stop() -> None:
        running = asyncio.create_task(clocks.roll.run())
        async with asyncio.timeout(10):
            while not store.beats:  # noqa: ASYNC110 - roll tells nobody that it has ticked
                await asyncio.sleep(0.002)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(begin_and_stop())

    assert store.beats[0].as_of_us == NOW_S * 1_000_000
    assert store.rates["unit:gone", "online", "all"] == (0, 0)
    assert store.rates["unit:a", "online", "15m"] == (1, 2)


def test_without_any_event_the_clock_of_events_stands_at_nothing() -> None:
    """An empty replay has a heartbeat but sums nothing."""
    store = RecordingStore()
    clocks = Clocks(store, ClockMode.EVENT)

    rv = clocks.tick()

    assert rv == {}
    assert store.summed == []
    assert store.beats[0].as_of_us == 0


def test_two_rolls_that_overlap_write_under_their_own_epochs() -> None:
    """The store tells by epoch and tick whose figures are the newer; both agree on what the panes say."""
    store = RecordingStore()
    store.flush(1, {"a": (1, 2)})
    old, new = Clocks(store).roll, Clocks(store).roll

    from_old, from_new = old.tick(EPOCH), new.tick(EPOCH + 1)
    late = old.tick(EPOCH)

    assert sorted(from_old) == sorted(from_new)
    assert late == []
    assert [(b.epoch, b.tick) for b in store.beats] == [(EPOCH, 1), (EPOCH + 1, 1)]


def test_a_write_that_failed_is_written_again() -> None:
    """Nothing is remembered as written before it is."""
    store = RecordingStore()
    clocks = Clocks(store)
    store.flush(1, {"a": (1, 2)})
    write, store.write_rates = store.write_rates, _broken  # type: ignore[method-assign]
    with pytest.raises(OSError, match="away"):
        clocks.tick()
    store.write_rates = write  # type: ignore[method-assign]

    rv = clocks.tick()

    assert rv["a", "15m"] == (1, 2)


def _broken(rates: Any, beat: Heartbeat) -> None:  # noqa: ARG001 - the port has them
    raise OSError("away")


def test_several_partitions_add_up() -> None:
    """A figure is the sum over the newest complete epoch of every partition."""
    store = RecordingStore()
    other = EpochKey(DOSSIER.topic, 1, 3)
    store.flush(1, {"a": (1, 2)})
    store.flush(1, {"a": (5, 5)}, key=EpochKey(DOSSIER.topic, 1, 2))
    store.flush(1, {"a": (3, 4)}, key=other)

    rv = Clocks(store).tick()

    assert rv["a", "all"] == (4, 6)
    assert store.completes[Partition(*other[:2])] == 3


@pytest.mark.parametrize(
    ("scopes", "withdrawn"),
    [(None, {"s", "t"}), (frozenset({"s"}), {"s"}), (frozenset({"u"}), set())],
)
def test_only_what_was_summed_can_be_gone(scopes: frozenset[str] | None, withdrawn: set[str]) -> None:
    """A look at some scopes withdraws nothing of the others; what is 0 of 0 already stays."""
    written = {(s, "online", "1h"): (1, 2) for s in ("s", "t")} | {("z", "online", "1h"): (0, 0)}

    rv = changed_rates(written, [], scopes)

    assert {r.scope for r in rv} == withdrawn
    assert all(r[3:] == (0, 0) for r in rv)
