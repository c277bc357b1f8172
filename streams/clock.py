"""Where "now" comes from: the wall in production, the events themselves when history is replayed."""

import time
from collections.abc import Callable
from enum import Enum

__all__ = ["US_PER_S", "ClockMode", "Now", "wall_clock_us"]

US_PER_S = 1_000_000

Now = Callable[[], int]
"""Microseconds since 1970 (UTC)."""


class ClockMode(Enum):
    """``wall``: the clock on the wall; ``event``: the newest event time seen, which never goes back."""

    WALL = "wall"
    EVENT = "event"


def wall_clock_us() -> int:
    """Return the wall clock. The only place that reads it for the stream."""
    return time.time_ns() // 1_000
