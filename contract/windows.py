"""Windows: which marks count now, and from which panes their sum is put together.

A window ends with the current, partial minute. ``15m``, ``1h``, ``24h`` are so many minutes; ``7d`` and
``30d`` so many hours, the current, partial one included; ``today``, ``month`` and ``year`` begin with an
Asia/Ho_Chi_Minh day; ``all`` has no bounds; ``now`` belongs to what is open. Every comparison is of whole
minutes, in the stream, in SQL and in the tests.
"""

from enum import IntEnum
from typing import NamedTuple

from contract.days import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    floor_hour,
    floor_minute,
    local_day_start,
    local_month_start,
    local_year_start,
)
from contract.indicators import Reading

__all__ = [
    "HOURS_KEPT_S",
    "MINUTES_KEPT_S",
    "RATE_WINDOWS",
    "STATE_WINDOW",
    "WINDOWS",
    "WINDOW_NAMES_VI",
    "Level",
    "Piece",
    "floor_to",
    "leaves_at",
    "levels_kept",
    "pieces",
    "windows_of",
]

RATE_WINDOWS = ("15m", "1h", "24h", "7d", "30d", "today", "month", "year", "all")
STATE_WINDOW = "now"
WINDOWS = (*RATE_WINDOWS, STATE_WINDOW)

WINDOW_NAMES_VI = {
    "15m": "15 phút",
    "1h": "1 giờ",
    "24h": "24 giờ",
    "7d": "7 ngày",
    "30d": "30 ngày",
    "today": "hôm nay",
    "month": "tháng này",
    "year": "năm nay",
    "all": "tất cả",
    "now": "hiện tại",
}

MINUTES_KEPT_S = 25 * HOUR_S
"""Minutes are kept a little longer than the longest window of minutes: workers' clocks differ."""
HOURS_KEPT_S = 31 * DAY_S

EVER_S = 2**40
"""Beyond every event time in seconds, either side."""


class Level(IntEnum):
    """How coarse a pane is; the value is what the store holds."""

    TOTAL = 0
    DAY = 1
    HOUR = 2
    MINUTE = 3


class Piece(NamedTuple):
    """Panes of one level with ``start_s <= at < end_s`` belong to the window.

    ``numerator`` and ``denominator`` name what of a pane is added to each: ``good``, ``count`` or nothing.
    """

    level: Level
    start_s: int
    end_s: int
    numerator: str | None = "good"
    denominator: str | None = "count"


def windows_of(reading: Reading) -> tuple[str, ...]:
    """Return the windows in which an indicator is published."""
    return RATE_WINDOWS if reading is Reading.RATE else (STATE_WINDOW,)


def pieces(reading: Reading, window: str, now_s: int) -> tuple[Piece, ...]:
    """Put a window together from panes, without overlap, at ``now_s`` seconds since 1970."""
    minute = floor_minute(now_s)
    if reading is Reading.OVERDUE:
        today = local_day_start(minute)
        return (
            Piece(Level.DAY, -EVER_S, today, "count", None),
            Piece(Level.MINUTE, today, minute, "count", None),
            _total(None, "count"),
        )
    if reading is Reading.DUE_SOON:
        return (Piece(Level.MINUTE, minute, minute + DAY_S, "count", None), _total(None, "count"))
    if window == "all":
        return (_total("good", "count"),)
    end = minute + MINUTE_S
    if window in _MINUTES:
        return (Piece(Level.MINUTE, end - _MINUTES[window], end),)
    if window in _HOURS:
        hour = floor_hour(minute)
        return (
            Piece(Level.HOUR, hour + HOUR_S - _HOURS[window], hour),
            Piece(Level.MINUTE, hour, end),
        )
    today = local_day_start(minute)
    return (Piece(Level.DAY, _STARTS[window](minute), today), Piece(Level.MINUTE, today, end))


def leaves_at(window: str, at_s: int) -> int | None:
    """Return the first minute whose window of a rate does not hold a mark of ``at_s`` any more; None: it stays."""
    if window == "all":
        return None
    if window in _MINUTES:
        return floor_minute(at_s) + _MINUTES[window]
    if window in _HOURS:
        return floor_hour(at_s) + _HOURS[window]
    start_of = _STARTS[window]
    return start_of(start_of(at_s) + _LONGER_S[window])


def floor_to(level: Level, at_s: int) -> int:
    """Start of the pane of that level in which a mark lies; a total has one pane, at 0."""
    if level is Level.MINUTE:
        return floor_minute(at_s)
    if level is Level.HOUR:
        return floor_hour(at_s)
    return local_day_start(at_s) if level is Level.DAY else 0


def levels_kept(at_s: int, now_s: int) -> tuple[Level, ...]:
    """Levels at which a mark still matters to a window at ``now_s`` or later; clocks never go back."""
    if at_s >= now_s - MINUTES_KEPT_S:
        return (Level.TOTAL, Level.DAY, Level.HOUR, Level.MINUTE)
    if at_s >= now_s - HOURS_KEPT_S:
        return (Level.TOTAL, Level.DAY, Level.HOUR)
    return (Level.TOTAL, Level.DAY)


def _total(numerator: str | None, denominator: str) -> Piece:
    return Piece(Level.TOTAL, 0, 1, numerator, denominator)


_MINUTES = {"15m": 15 * MINUTE_S, "1h": HOUR_S, "24h": DAY_S}
_HOURS = {"7d": 7 * DAY_S, "30d": 30 * DAY_S}
_STARTS = {"today": local_day_start, "month": local_month_start, "year": local_year_start}
_LONGER_S = {"today": DAY_S, "month": 31 * DAY_S, "year": 366 * DAY_S}
"""From the start of a period, so much reaches into the next one and never beyond."""
