"""Watermarks: how far a table was read, and where the next round begins.

A source may lie: rows are committed late, or a clock runs ahead. So a round begins ``overlap_s`` before the
newest value, and the newest value never counts as later than the round's own beginning; what both miss the
full comparison finds.
"""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from producers.convert import localise
from producers.poll.errors import SourceAnswerError
from producers.poll.tables import WatermarkTable, WatermarkValue

__all__ = ["Watermark"]

_PER_S = {"s": 1, "ms": 1000, "us": 1_000_000}
_TIMESPECS = {0: "seconds", 3: "milliseconds", 6: "microseconds"}
_FRACTION = re.compile(r":\d\d[.,](\d+)")
_SHORTEST_TIME = len("2026-11-21 09:15")


class _Kept(msgspec.Struct):
    """A value with its type, as it is remembered."""

    type: str
    text: str


class Watermark:
    """Arithmetic on the values of one column, in the column's own form. ``zone`` is for times without offset."""

    def __init__(self, table: WatermarkTable, zone: ZoneInfo) -> None:
        self._table = table
        self._zone = zone

    def start(self, remembered: str | None) -> WatermarkValue:
        """Return where a round begins; None: at the very start."""
        if remembered is None:
            return self._checked(self._table.start)
        newest = _read(msgspec.json.decode(remembered, type=_Kept))
        return self._moved(newest, self._table.overlap_s)

    def advanced(self, newest: object, began: datetime) -> str | None:
        """Return what to remember after a round that saw ``newest``; None if it saw no value."""
        if newest is None:
            return None
        value = self._checked(newest)
        moment = self._moment(value)
        if moment is not None and moment > began:
            value = self._moved(value, (moment - began).total_seconds())
        return msgspec.json.encode(_kept(value)).decode()

    def newer(self, newest: object, value: object) -> object:
        """Return the larger of two values; None counts as none. Raises SourceAnswerError for mixed types."""
        if newest is None or value is None:
            return value if newest is None else newest
        try:
            return max(newest, value)  # type: ignore[call-overload]
        except TypeError:
            raise SourceAnswerError(
                f"the watermark column {self._table.column!r} mixes {type(newest).__name__} and "
                f"{type(value).__name__}: convert it in the query to one type"
            ) from None

    def _checked(self, value: object) -> WatermarkValue:
        if isinstance(value, bool) or not isinstance(value, int | float | str | datetime | date):
            raise SourceAnswerError(
                f"the watermark column {self._table.column!r} holds a {type(value).__name__}: convert it in the "
                "query to a time, a number or a text"
            )
        return value

    def _moment(self, value: WatermarkValue) -> datetime | None:
        """Return the moment that a value means; None for a serial number or a text that is no time."""
        if isinstance(value, int | float):
            unit = self._table.unit
            return None if unit is None else datetime.fromtimestamp(value / _PER_S[unit], UTC)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return None
        if not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - localised below
        return value if value.tzinfo is not None else localise(value, self._zone)

    def _moved(self, value: WatermarkValue, earlier_s: float) -> WatermarkValue:
        """Return the value so much earlier, in the same form; a serial number stays."""
        if not earlier_s:
            return value
        back = timedelta(seconds=earlier_s)
        if isinstance(value, int | float):
            unit = self._table.unit
            return value if unit is None else value - type(value)(earlier_s * _PER_S[unit])
        if isinstance(value, str):
            return _moved_text(value, back)
        if isinstance(value, datetime):
            return value - back
        # A date is midnight: whole days back, one more for the part of a day.
        return value - timedelta(days=back.days + (back.seconds > 0))


def _moved_text(text: str, back: timedelta) -> str:
    """Return a text of the same form, so that texts compare as times do."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return text
    if len(text) < _SHORTEST_TIME:
        moved = value - timedelta(days=back.days + (back.seconds > 0))
        return moved.date().isoformat()
    found = _FRACTION.search(text)
    digits = len(found[1]) if found else 0
    seconds = text.count(":", 0, 19) > 1
    spec = _TIMESPECS.get(digits, "microseconds") if seconds else "minutes"
    moved_text = (value - back).isoformat(text[10], spec)
    return moved_text.replace("+00:00", "Z") if text.endswith("Z") else moved_text


def _kept(value: WatermarkValue) -> _Kept:
    text = value.isoformat() if isinstance(value, date) else repr(value) if isinstance(value, float) else str(value)
    return _Kept(type(value).__name__, text)


def _read(kept: _Kept) -> WatermarkValue:
    match kept.type:
        case "int":
            return int(kept.text)
        case "float":
            return float(kept.text)
        case "datetime":
            return datetime.fromisoformat(kept.text)
        case "date":
            return date.fromisoformat(kept.text)
        case _:
            return kept.text
