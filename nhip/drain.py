"""Waiting until everything that was sent is counted: committed by fold and summed by roll."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from nhip.lag import Backlog
from streams.clock import US_PER_S, ClockMode
from streams.rows import Changes, EpochKey, Heartbeat, Rate

__all__ = ["DrainError", "wait_until_counted"]

LOOK_INTERVAL_S = 0.2


class DrainError(Exception):
    """The workers did not get to the end in time."""


class Figures(Protocol):
    """What is read of the store."""

    def heartbeat(self) -> Heartbeat | None:
        """Newest heartbeat of roll."""
        ...

    def changes(self, since: Mapping[EpochKey, int]) -> Changes:
        """Return what was flushed, and the newest event time."""
        ...

    def sum_panes(self, now_s: int, scopes: frozenset[str] | None) -> list[Rate]:
        """All rates from the panes at a time."""
        ...

    def rates_now(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        """Rates as published."""
        ...


def wait_until_counted(
    backlog: Backlog,
    store: Figures,
    mode: ClockMode,
    timeout_s: float,
    on_progress: Callable[[int, int], None],
    keep_alive: Callable[[], None],
) -> None:
    """Return when the published rates contain every record now in Kafka, as of a time not before them.

    ``mode``: the clock by which the workers tell the time.
    ``on_progress`` gets (stored, total) records; ``keep_alive`` is called at every look. Raises DrainError.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        keep_alive()
        lags = backlog.read()
        total = sum(p.end for p in lags)
        behind = sum(p.lag for p in lags)
        on_progress(total - behind, total)
        if behind == 0 and _published(store, mode):
            return
        if time.monotonic() > deadline_s:
            raise DrainError(
                f"{behind} of {total} records are not counted after {timeout_s:.0f} s: look at the worker's log"
            )
        time.sleep(LOOK_INTERVAL_S)


def _published(store: Figures, mode: ClockMode) -> bool:
    """Whether the published rates are the sums of the panes at roll's own time."""
    beat = store.heartbeat()
    if beat is None:
        return False
    # Roll may have summed the panes of a flush before it was told how far their events have moved the clock.
    if mode is ClockMode.EVENT and beat.as_of_us < store.changes({}).clock_us:
        return False
    summed = {
        (r.scope, r.indicator, r.window): (r.numerator, r.denominator)
        for r in store.sum_panes(beat.as_of_us // US_PER_S, None)
    }
    published = {key: value for key, value in store.rates_now().items() if key in summed or value != (0, 0)}
    return published == summed
