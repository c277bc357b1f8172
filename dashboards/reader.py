"""The one reader of the store for all screens: reads every second and keeps the last good data."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from dashboards.data import Data
from dashboards.reading import Reading
from streams.clock import US_PER_S, Now

__all__ = ["Reader"]

INTERVAL_S = 1.0
DOWN_AFTER_S = 5.0
"""Without a good look for so long the store counts as down: data endpoints say so, screens keep what they have."""
WATCHED_S = 120.0
"""A scope is read in detail for so long after somebody last asked for it, in seconds."""
MOST_WATCHED = 200
"""At most so many scopes are read in detail; the one asked for longest ago is dropped first."""

log = structlog.get_logger()


class Reader:
    """Keeps ``data`` new while ``run`` runs.

    ``open_reading`` connects, and is called again after a failure. ``always``: scopes read in detail always.
    """

    def __init__(
        self,
        open_reading: Callable[[], Reading],
        always: frozenset[str],
        wall_us: Now,
        monotonic_s: Callable[[], float],
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._open = open_reading
        self._always = always
        self._wall_us = wall_us
        self._monotonic_s = monotonic_s
        self._interval_s = interval_s
        self._watched: dict[str, float] = {}
        self._reading: Reading | None = None
        self._tick = asyncio.Event()
        self.data = Data(read_us=0)
        self.ticks = 0
        self.failure: str | None = None

    @property
    def up(self) -> bool:
        """Whether the store answered lately."""
        return self._wall_us() - self.data.read_us < DOWN_AFTER_S * US_PER_S

    def watch(self, scope: str) -> None:
        """Ask for the details of a scope; from the next look on they are there."""
        self._watched.pop(scope, None)
        self._watched[scope] = self._monotonic_s()
        while len(self._watched) > MOST_WATCHED:
            del self._watched[next(iter(self._watched))]

    async def ticked(self) -> None:
        """Wait for the next tick: it comes every second, whether the store answers or not."""
        await self._tick.wait()

    async def run(self) -> None:
        """Read for ever; failures are kept and logged, never raised."""
        loop = asyncio.get_running_loop()
        executor = ThreadPoolExecutor(1, "reader")
        looking: asyncio.Future[Data] | None = None
        try:
            while True:
                started_s = self._monotonic_s()
                if looking is None:
                    looking = loop.run_in_executor(executor, self._look, self._scopes())
                # A store that hangs must not stop the ticks: they tell the screens that the server lives.
                await asyncio.wait({looking}, timeout=self._interval_s)
                if looking.done():
                    self._take(looking)
                    looking = None
                self._announce()
                await asyncio.sleep(max(0.0, started_s + self._interval_s - self._monotonic_s()))
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    def _scopes(self) -> frozenset[str]:
        until_s = self._monotonic_s() - WATCHED_S
        self._watched = {scope: seen_s for scope, seen_s in self._watched.items() if seen_s > until_s}
        return self._always | self._watched.keys()

    def _look(self, scopes: frozenset[str]) -> Data:
        if self._reading is None:
            self._reading = self._open()
        return self._reading.read(scopes)

    def _take(self, looked: "asyncio.Future[Data]") -> None:
        error = looked.exception()
        if error is None:
            self.data = looked.result()
            if self.failure is not None:
                log.info("the store answers again")
            self.failure = None
            return
        # The next look begins with a new connection and reads everything.
        self._reading = None
        if self.failure is None:
            log.warning("the store cannot be read", error=f"{type(error).__name__}: {error}")
        self.failure = f"{type(error).__name__}: {error}"

    def _announce(self) -> None:
        self.ticks += 1
        done, self._tick = self._tick, asyncio.Event()
        done.set()
