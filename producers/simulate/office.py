"""Office time: 07:30 to 11:30 and 13:30 to 17:00 on working days. Moments are whole seconds since 1970."""

import random
from bisect import bisect_left, bisect_right
from datetime import date
from typing import Final

from contract.calendar import WorkCalendar
from contract.days import HOUR_S, MINUTE_S, day_start, local_date

__all__ = ["OFFICE_DAY_S", "Office"]

_MORNING: Final = (7 * HOUR_S + 30 * MINUTE_S, 11 * HOUR_S + 30 * MINUTE_S)
_AFTERNOON: Final = (13 * HOUR_S + 30 * MINUTE_S, 17 * HOUR_S)
_MORNING_S: Final = _MORNING[1] - _MORNING[0]
OFFICE_DAY_S: Final = _MORNING_S + _AFTERNOON[1] - _AFTERNOON[0]
"""Seconds of office time in a working day: 7 hours and a half."""

_MORNING_SHARE: Final = 0.62
_RUSH: Final = (1.5, 2.3)
"""Parameters of the beta distribution of arrivals in one half of a day: most come early in it."""


class Office:
    """The working days of a calendar, as a line of office time."""

    def __init__(self, calendar: WorkCalendar) -> None:
        self._days = calendar.days

    def index(self, day: date) -> int:
        """Return the number of the first working day on or after ``day``."""
        return bisect_left(self._days, day)

    def day(self, index: int) -> date:
        """Return the working day of a number."""
        return self._days[index]

    def moment(self, index: int, office_s: float) -> int:
        """Return when ``office_s`` seconds of office time have passed on a working day."""
        start = day_start(self._days[index])
        if office_s <= _MORNING_S:
            return start + _MORNING[0] + int(office_s)
        return start + _AFTERNOON[0] + int(office_s) - _MORNING_S

    def opens(self, index: int) -> int:
        """Return when offices open on a working day."""
        return self.moment(index, 0)

    def closes(self, index: int) -> int:
        """Return when offices close on a working day: the last moment of a due date."""
        return self.moment(index, OFFICE_DAY_S)

    def after(self, moment_s: int, office_s: float) -> int:
        """Return the moment at which so much office time has passed after another moment."""
        index, done = self._place(moment_s)
        days, rest = divmod(done + office_s, OFFICE_DAY_S)
        return self.moment(index + int(days), rest)

    def due(self, moment_s: int, workdays: int) -> int:
        """Return the close of the ``workdays``-th working day after the day of a moment."""
        return self.closes(bisect_right(self._days, local_date(moment_s)) - 1 + workdays)

    def arrival(self, index: int, chance: random.Random) -> int:
        """Return a moment within office hours at which somebody comes."""
        if chance.random() < _MORNING_SHARE:
            return self.moment(index, chance.betavariate(*_RUSH) * _MORNING_S)
        return self.moment(index, _MORNING_S + 1 + chance.betavariate(*_RUSH) * (OFFICE_DAY_S - _MORNING_S - 1))

    def _place(self, moment_s: int) -> tuple[int, int]:
        """Return working day and office time passed on it; outside office hours the next opening."""
        day = local_date(moment_s)
        index = bisect_left(self._days, day)
        if self._days[index] != day:
            return index, 0
        into = moment_s - day_start(day)
        if into >= _AFTERNOON[1]:
            return index + 1, 0
        if into >= _AFTERNOON[0]:
            return index, _MORNING_S + into - _AFTERNOON[0]
        return index, min(max(0, into - _MORNING[0]), _MORNING_S)
