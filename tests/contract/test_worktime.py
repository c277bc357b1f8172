"""Office hours between two instants, against counting minute by minute."""

from datetime import date
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.calendar import CalendarError, WorkCalendar
from contract.days import DAY_S, MINUTE_S, day_start, local_date
from contract.worktime import office_seconds

FIRST = day_start(date(2026, 1, 1))
"""A holiday; Friday 2 January is off here, Saturday 10 January is worked."""
HALF_PAST_SEVEN_S, NOON_BREAK_S, AFTERNOON_S, EVENING_S = 27_000, 41_400, 48_600, 61_200
DAY_WORKED_S = 27_000


@cache
def days() -> WorkCalendar:
    """The calendar of 2026 with one swapped pair of days."""
    exceptions = "date,kind,name_vi,name_en\n2026-01-02,holiday,,\n2026-01-10,workday,,\n"
    return WorkCalendar.from_csv(exceptions, "test", first_year=2026, last_year=2026)


def counted(start_s: int, end_s: int) -> int:
    """The same minute by minute; both ends lie on minutes."""
    worked = 0
    for minute in range(start_s, end_s, MINUTE_S):
        into_s = minute - day_start(local_date(minute))
        inside = HALF_PAST_SEVEN_S <= into_s < NOON_BREAK_S or AFTERNOON_S <= into_s < EVENING_S
        worked += MINUTE_S * (inside and days().is_workday(local_date(minute)))
    return worked


minutes = st.integers(0, 14 * 1_440).map(lambda n: FIRST + n * MINUTE_S)
seconds = st.integers(0, 300 * DAY_S).map(lambda n: FIRST + n)


@given(minutes, minutes)
def test_equals_counting_the_minutes(start_s: int, end_s: int) -> None:
    """Across nights, the noon break, days off and a make-up Saturday; nothing when the end comes first."""
    rv = office_seconds(start_s, end_s, days())

    assert rv == counted(start_s, end_s)


@given(seconds, seconds, seconds)
def test_parts_add_up(a: int, b: int, c: int) -> None:
    """Two neighbouring spans together are the whole span, to the second."""
    start_s, middle_s, end_s = sorted((a, b, c))

    rv = office_seconds(start_s, middle_s, days()) + office_seconds(middle_s, end_s, days())

    assert rv == office_seconds(start_s, end_s, days())
    assert 0 <= rv <= end_s - start_s


def test_a_working_day_and_a_day_off() -> None:
    """A whole working day has seven and a half hours, a holiday none, a make-up Saturday again all."""
    rv = [office_seconds(FIRST + n * DAY_S, FIRST + (n + 1) * DAY_S, days()) for n in (0, 1, 4, 9)]

    assert rv == [0, 0, DAY_WORKED_S, DAY_WORKED_S]


def test_outside_the_calendar() -> None:
    """A day that the calendar does not cover is an error, not a day off."""
    with pytest.raises(CalendarError, match="2025-12-31 is outside the calendar"):
        office_seconds(FIRST - 1, FIRST + 1, days())
