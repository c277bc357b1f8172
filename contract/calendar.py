"""The working days of Vietnamese offices: holidays, days swapped for them, make-up Saturdays.

Base: Monday to Friday without the public holidays of the ``holidays`` package (country VN; Labour Code 2019
art. 112, earlier codes before), which also knows most swapped days. Each year's swaps are decided by the
government a few weeks ahead, so ``config/calendar.csv`` has the last word on any date.
"""

import csv
import io
from bisect import bisect_right
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, Literal, Self

import holidays
import msgspec

__all__ = ["FIRST_YEAR", "LAST_YEAR", "CalendarError", "DayKind", "WorkCalendar", "parse_days"]

DayKind = Literal["holiday", "workday"]

# Observed holidays count from 1995 in the package; lunar dates beyond 2050 are nobody's deadline today.
FIRST_YEAR: Final = 1995
LAST_YEAR: Final = 2050

_COLUMNS: Final = ("date", "kind", "name_vi", "name_en")
_ONE_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


class CalendarError(ValueError):
    """A calendar file that cannot be read, or a date outside the years a calendar covers."""


class WorkCalendar(msgspec.Struct, frozen=True):
    """Every working day from ``first`` to ``last``, both included, in order.

    A frozen value: two calendars are equal when their days are, so it can be hashed or fingerprinted as is.
    All methods raise :class:`CalendarError` for a date, or a result, outside ``first`` to ``last``.
    """

    first: date
    last: date
    days: tuple[date, ...]

    @classmethod
    def from_csv(cls, text: str, origin: str, *, first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR) -> Self:
        """Build the calendar of Viet Nam with the exceptions in ``text`` (columns date,kind,name_vi,name_en).

        ``kind`` is ``holiday`` (a day off) or ``workday`` (a make-up day); the names are for readers of the
        file. ``origin`` names the file in errors. Raises :class:`CalendarError` for a missing column, an
        unreadable date, an unknown kind, a date given twice or outside the years.
        """
        return cls.build(parse_days(text, origin), first_year=first_year, last_year=last_year)

    @classmethod
    def build(
        cls, exceptions: Mapping[date, DayKind], *, first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR
    ) -> Self:
        """Build the calendar of the years given; ``exceptions`` win over the public holidays."""
        first, last = date(first_year, 1, 1), date(last_year, 12, 31)
        for day in exceptions:
            if not first <= day <= last:
                raise CalendarError(
                    f"{day} is outside the calendar, {first} to {last}: correct the date or widen the years"
                )
        # Every year is asked for at once: the package otherwise adds years when a date is looked up.
        public = holidays.country_holidays("VN", years=range(first_year, last_year + 1))
        days_off, made_up = frozenset(public), frozenset(public.weekend_workdays)

        def works(day: date) -> bool:
            kind = exceptions.get(day)
            if kind is not None:
                return kind == "workday"
            return day in made_up or (day.weekday() < _SATURDAY and day not in days_off)

        every = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return cls(first, last, tuple(day for day in every if works(day)))

    def is_workday(self, day: date) -> bool:
        """Tell whether offices work on ``day``."""
        n = self._count_until(self._covered(day))
        return n > 0 and self.days[n - 1] == day

    def next_workday(self, day: date) -> date:
        """Return the first working day after ``day``, never ``day`` itself."""
        return self.add_workdays(day, 1)

    def add_workdays(self, day: date, n: int) -> date:
        """Return the ``n``-th working day after ``day``; before it for a negative ``n``, ``day`` itself for 0.

        The day of the event is not counted: a term starts on the following day (Civil Code 2015 art. 147).
        """
        until = self._count_until(self._covered(day))
        if n == 0:
            return day
        # Backwards, the day itself is not counted either.
        index = until + n - 1 if n > 0 else until - self.is_workday(day) + n
        if not 0 <= index < len(self.days):
            raise CalendarError(
                f"{n} working days from {day} leave the calendar, {self.first} to {self.last}: widen it"
            )
        return self.days[index]

    def workdays_between(self, start: date, end: date) -> int:
        """Count the working days after ``start`` up to and including ``end``.

        Negative when ``end`` is earlier. Counts add up: from a to b plus from b to c is from a to c.
        """
        return self._count_until(self._covered(end)) - self._count_until(self._covered(start))

    def working_days(self, start: date, end: date) -> tuple[date, ...]:
        """Return the working days from ``start`` to ``end``, both included, in order."""
        low = self._count_until(start) - self.is_workday(start)
        return self.days[low : self._count_until(self._covered(end))]

    def _count_until(self, day: date) -> int:
        return bisect_right(self.days, day)

    def _covered(self, day: date) -> date:
        if not self.first <= day <= self.last:
            raise CalendarError(
                f"{day} is outside the calendar, {self.first} to {self.last}: build it for more years"
            )
        return day


def parse_days(text: str, origin: str) -> dict[date, DayKind]:
    """Read the exceptions of a calendar file; see :meth:`WorkCalendar.from_csv` for columns and errors."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise CalendarError(
            f"{origin}: column {', '.join(missing)} missing: the first line must be {','.join(_COLUMNS)}"
        )
    exceptions: dict[date, DayKind] = {}
    for row in reader:
        place = f"{origin}, line {reader.line_num}"
        try:
            day = date.fromisoformat(row["date"] or "")
        except ValueError:
            raise CalendarError(f"{place}: {row['date']!r} is no date: write it as 2026-01-10") from None
        if day in exceptions:
            raise CalendarError(f"{place}: {day} stands in the file twice: keep one of the lines")
        match row["kind"]:
            case "holiday" | "workday" as kind:
                exceptions[day] = kind
            case other:
                raise CalendarError(f"{place}: kind {other!r} is unknown: write holiday or workday")
    return exceptions
