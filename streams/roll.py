"""Roll: sums panes into windows and writes what changed. Runs on the worker that holds dossier partition 0."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

import structlog

from contract.days import floor_minute
from contract.dossier import DOSSIER
from streams.clock import US_PER_S, ClockMode, Now
from streams.patience import Patience
from streams.rows import EpochKey, Heartbeat, Partition, Rate
from streams.store import RollStore

__all__ = ["ROLL_PARTITION", "Published", "Roll", "changed_rates"]

ROLL_PARTITION = Partition(DOSSIER.topic, 0)
TICK_S = 0.25
QUICK_LOOK_S = 0.15
"""After a look that took longer it rests for as long again: while a history is counted the store has more to do."""
BEAT_S = 1.0
"""The heartbeat is written at least this often, also when nothing changes."""
PRUNE_S = 600.0
FULL_SHARE = 4.0
"""A look at all scopes is repeated no sooner than after so many times its own duration."""

Written = dict[tuple[str, str, str], tuple[int, int]]

log = structlog.get_logger()


class Published(NamedTuple):
    """All figures as of one tick: (scope, indicator, window) → (numerator, denominator). Never changed afterwards."""

    epoch: int
    tick: int
    as_of_us: int
    figures: Mapping[tuple[str, str, str], tuple[int, int]]


def changed_rates(written: Written, summed: Iterable[Rate], scopes: frozenset[str] | None) -> list[Rate]:
    """Rates that differ from what was written; a figure whose panes are gone has become 0 of 0.

    ``scopes``: what was summed (None: all).
    """
    now = {(r.scope, r.indicator, r.window): r for r in summed}
    gone = [
        Rate(*key, 0, 0)
        for key, value in written.items()
        if key not in now and value != (0, 0) and (scopes is None or key[0] in scopes)
    ]
    return gone + [r for key, r in now.items() if written.get(key) != (r.numerator, r.denominator)]


class Roll:
    """Four times a second and after each flush: the scopes that changed; once a minute, or in a new epoch: all.

    ``rest(least_s, most_s)`` waits until this worker has stored a flush, so long at least and at most.
    """

    def __init__(
        self,
        store: RollStore,
        wall_us: Now,
        mode: ClockMode,
        patience: Patience,
        epoch: Callable[[], int | None],
        monotonic_s: Callable[[], float],
        rest: Callable[[float, float], Awaitable[None]],
    ) -> None:
        self._store = store
        self._wall_us = wall_us
        self._mode = mode
        self._patience = patience
        self._epoch = epoch
        self._monotonic_s = monotonic_s
        self._rest = rest
        self._epoch_now: int | None = None
        self._reset()

    @property
    def published(self) -> Published | None:
        """What was published last; None while this worker does not run roll."""
        return self._published

    def _reset(self) -> None:
        self._published: Published | None = None
        self.beat_us = 0
        """When the newest heartbeat was written, by the wall clock; 0 while this worker does not run roll."""
        self._since: dict[EpochKey, int] = {}
        self._written: Written = {}
        self._clock_us = 0
        self._minute = -1
        self._tick = 0
        self._dirty: set[str] = set()
        self._all_due = True
        self._no_full_before_s = 0.0
        self._no_beat_before_s = 0.0

    async def run(self) -> None:
        """Tick while this worker holds the partition; ends only by an error."""
        pruned_s = self._monotonic_s()
        while True:
            started_s = self._monotonic_s()
            epoch = self._epoch()
            if epoch != self._epoch_now:
                self._epoch_now = epoch
                self._reset()
                if epoch is not None:
                    await self._begin()
            if epoch is not None:
                await self._patience.call(self.tick, epoch)
                if started_s - pruned_s > PRUNE_S:
                    pruned_s = started_s
                    await self._patience.call(self._store.drop_outdated, self._clock_us // US_PER_S)
            took_s = self._monotonic_s() - started_s
            least_s = took_s if took_s > QUICK_LOOK_S else 0.0
            await self._rest(least_s, max(least_s, TICK_S - took_s))

    async def _begin(self) -> None:
        self._written = await self._patience.call(self._store.rates_now)
        beat = await self._patience.call(self._store.heartbeat)
        if beat is not None and self._mode is ClockMode.EVENT:
            self._clock_us = beat.as_of_us  # the clock of a replay never goes back
        log.info("roll begins", figures=len(self._written))

    def tick(self, epoch: int) -> list[Rate]:
        """Look once, write what changed and return it. Blocks on the store; may be repeated when it failed."""
        started_s = self._monotonic_s()
        changes = self._store.changes(self._since)
        clock_us = self._wall_us() if self._mode is ClockMode.WALL else changes.clock_us
        now_us = max(self._clock_us, clock_us)
        minute = floor_minute(now_us // US_PER_S)
        self._dirty |= changes.scopes
        self._all_due |= minute != self._minute or changes.flushes.keys() != self._since.keys()
        full = self._all_due and started_s >= self._no_full_before_s
        if not full and not self._dirty and started_s < self._no_beat_before_s:
            return []
        scopes = None if full else frozenset(self._dirty)
        rates: list[Rate] = []
        if now_us and scopes != frozenset():
            summed = self._store.sum_panes(now_us // US_PER_S, scopes)
            rates = changed_rates(self._written, summed, scopes)
        self._tick += 1
        beat = Heartbeat(epoch, self._tick, now_us, self._wall_us())
        self._store.write_rates(rates, beat)
        self.beat_us = beat.written_us
        # From here on everything is written: remember it.
        if rates or self._published is None:
            self._written.update({(r.scope, r.indicator, r.window): (r.numerator, r.denominator) for r in rates})
            self._published = Published(epoch, self._tick, now_us, dict(self._written))
        else:
            self._published = self._published._replace(tick=self._tick, as_of_us=now_us)
        self._since, self._clock_us, self._dirty = changes.flushes, now_us, set()
        self._no_beat_before_s = started_s + BEAT_S
        if full:
            self._all_due, self._minute = False, minute
            now_s = self._monotonic_s()
            self._no_full_before_s = now_s + FULL_SHARE * (now_s - started_s)
        return rates
