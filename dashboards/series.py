"""Figures of one scope over time for the read API, read when they are asked for and kept for some seconds."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from contract.days import DAY_S, HOUR_S, MINUTE_S, floor_hour, floor_minute, local_day_start
from contract.indicators import Reading as How
from contract.registry import INDICATORS
from contract.windows import Level
from dashboards.figures import HALF_HOUR_S
from sinks.client import Client
from sinks.reads import Bucket, buckets, states_over
from streams.clock import US_PER_S

__all__ = ["SPANS", "Series", "SeriesRow"]

SPANS = ("today", "24h", "7d", "30d")
KEPT_S = 5.0
MOST_KEPT = 1_000


class SeriesRow(msgspec.Struct, frozen=True):
    """Marks from ``start_us`` to the next row: rate of these alone. What is open: as it last was in the step."""

    start_us: int
    numerator: int
    denominator: int
    rate: float | None


class Series:
    """Reads series.

    ``client`` connects, or raises StoreUnavailableError; ``now_s`` is the clock of the data.
    """

    def __init__(
        self, client: Callable[[], Client], now_s: Callable[[], int], monotonic_s: Callable[[], float]
    ) -> None:
        self._open = client
        self._now_s = now_s
        self._monotonic_s = monotonic_s
        self._client: Client | None = None
        self._kept: dict[tuple[str, str, str], tuple[float, list[SeriesRow]]] = {}
        # One thread: many who ask at once wait for each other and not the store for all of them.
        self._executor = ThreadPoolExecutor(1, "series")

    async def read(self, scope: str, indicator: str, window: str) -> list[SeriesRow]:
        """Return the series, at most KEPT_S old. Raises StoreUnavailableError."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._look, scope, indicator, window)

    def _look(self, scope: str, indicator: str, window: str) -> list[SeriesRow]:
        key, now_s = (scope, indicator, window), self._monotonic_s()
        kept = self._kept.get(key)
        if kept is not None and now_s - kept[0] < KEPT_S:
            return kept[1]
        if self._client is None:
            self._client = self._open()
        rows = [
            SeriesRow(b.start_s * US_PER_S, b.good, b.counted, b.good / b.counted if b.counted else None)
            for b in _read(self._client, scope, indicator, window, self._now_s())
        ]
        self._kept = {k: v for k, v in self._kept.items() if now_s - v[0] < KEPT_S}
        if len(self._kept) < MOST_KEPT:
            self._kept[key] = (now_s, rows)
        return rows


def _read(client: Client, scope: str, indicator: str, window: str, now_s: int) -> list[Bucket]:
    minute, today = floor_minute(now_s), local_day_start(now_s)
    if INDICATORS[indicator].reading is not How.RATE:
        start_s, step_s = {
            "today": (today, HALF_HOUR_S),
            "24h": (minute - DAY_S, HALF_HOUR_S),
            "7d": (minute - 7 * DAY_S, HOUR_S),
            "30d": (minute - 30 * DAY_S, DAY_S),
        }[window]
        rows = states_over(client, [scope], start_s * US_PER_S, (now_s + 1) * US_PER_S, step_s)
    else:
        level, start_s, step_s = {
            "today": (Level.MINUTE, today, HALF_HOUR_S),
            "24h": (Level.MINUTE, minute + MINUTE_S - DAY_S, HALF_HOUR_S),
            "7d": (Level.HOUR, floor_hour(minute) + HOUR_S - 7 * DAY_S, HOUR_S),
            "30d": (Level.HOUR, today - 29 * DAY_S, DAY_S),
        }[window]
        rows = buckets(client, [scope], level, start_s, minute + MINUTE_S, step_s)
    return [row for row in rows if row.indicator == indicator]
