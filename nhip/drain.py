"""Waiting until everything that was sent is counted: committed by fold and summed by roll."""

import time
from collections.abc import Callable
from typing import Protocol

from nhip.lag import Backlog
from streams.clock import US_PER_S
from streams.rows import Heartbeat, Rate

__all__ = ["DrainError", "wait_until_counted"]

LOOK_INTERVAL_S = 0.2


class DrainError(Exception):
    """The workers did not get to the end in time."""


class Figures(Protocol):
    """What is read of the store."""

    def heartbeat(self) -> Heartbeat | None:
        """Newest heartbeat of roll."""
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
    timeout_s: float,
    on_progress: Callable[[int, int], None],
    keep_alive: Callable[[], None],
) -> None:
    """Return when the published rates contain every record now in Kafka.

    ``on_progress`` gets (stored, total) records; ``keep_alive`` is called at every look. Raises DrainError.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        keep_alive()
        lags = backlog.read()
        total = sum(p.end for p in lags)
        behind = sum(p.lag for p in lags)
        on_progress(total - behind, total)
        if behind == 0 and _published(store):
            return
        if time.monotonic() > deadline_s:
            raise DrainError(
                f"{behind} of {total} records are not counted after {timeout_s:.0f} s: look at the worker's log"
            )
        time.sleep(LOOK_INTERVAL_S)


def _published(store: Figures) -> bool:
    """Whether the published rates are the sums of the panes at roll's own time."""
    beat = store.heartbeat()
    if beat is None:
        return False
    summed = {
        (r.scope, r.indicator, r.window): (r.numerator, r.denominator)
        for r in store.sum_panes(beat.as_of_us // US_PER_S, None)
    }
    published = {key: value for key, value in store.rates_now().items() if key in summed or value != (0, 0)}
    return published == summed
