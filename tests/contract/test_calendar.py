"""Working days of Vietnamese offices."""

from datetime import date, timedelta
from pathlib import Path

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.calendar import CalendarError, WorkCalendar, parse_days

CONFIG = Path(__file__).parents[2] / "config" / "calendar.csv"
HEADER = "date,kind,name_vi,name_en\n"
CALENDAR = WorkCalendar.from_csv(CONFIG.read_text("utf-8"), "config/calendar.csv", first_year=2018, last_year=2028)
DATES = st.dates(date(2020, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 11, 20), True),  # an ordinary Friday
        (date(2026, 11, 21), False),  # a Saturday
        (date(2026, 2, 17), False),  # Lunar New Year
        (date(2026, 4, 27), False),  # Monday after Hung Kings' day on a Sunday
        (date(2026, 1, 2), False),  # a Friday swapped …
        (date(2026, 1, 10), True),  # … for this Saturday
        (date(2026, 8, 31), False),  # a Monday swapped …
        (date(2026, 8, 22), True),  # … for this Saturday
    ],
)
def test_days_of_2026(day: date, works: bool) -> None:
    """Holidays, days off in lieu and make-up Saturdays are what the offices kept in 2026."""
    rv = CALENDAR.is_workday(day)

    assert rv is works


def test_a_term_skips_the_lunar_new_year() -> None:
    """Three working days from the Friday before Tết 2026 end after the nine days off."""
    received = date(2026, 2, 13)

    rv = CALENDAR.add_workdays(received, 3)

    assert rv == date(2026, 2, 25)
    assert CALENDAR.next_workday(received) == date(2026, 2, 23)


@given(DATES, st.integers(1, 300))
def test_adding_and_counting_are_inverse(day: date, n: int) -> None:
    """The n-th working day after a day is n working days away, itself a working day, and not nearer."""
    rv = CALENDAR.add_workdays(day, n)

    assert CALENDAR.workdays_between(day, rv) == n
    assert CALENDAR.is_workday(rv)
    assert CALENDAR.workdays_between(day, rv - timedelta(days=1)) == n - 1


@given(DATES, st.integers(1, 300))
def test_subtracting_mirrors_adding(day: date, n: int) -> None:
    """The n-th working day before a day comes back to it, or to the last working day before a day off."""
    back = CALENDAR.add_workdays(day, -n)

    rv = CALENDAR.add_workdays(back, n)

    assert back < day
    assert CALENDAR.is_workday(back)
    assert rv == (day if CALENDAR.is_workday(day) else CALENDAR.next_workday(day))


@given(DATES, DATES, DATES)
def test_counts_add_up(a: date, b: date, c: date) -> None:
    """Working days from a to b and from b to c are those from a to c."""
    rv = CALENDAR.workdays_between(a, b) + CALENDAR.workdays_between(b, c)

    assert rv == CALENDAR.workdays_between(a, c)


@given(DATES, st.integers(0, 60))
def test_the_list_agrees_with_the_question(start: date, length: int) -> None:
    """The list of working days holds exactly the days that are working days."""
    days = [start + timedelta(days=n) for n in range(length + 1)]

    rv = CALENDAR.working_days(start, days[-1])

    assert list(rv) == [day for day in days if CALENDAR.is_workday(day)]


def test_zero_days_is_the_day_itself() -> None:
    """Nothing added leaves a day as it is, a Saturday too."""
    day = date(2026, 11, 21)

    rv = CALENDAR.add_workdays(day, 0)

    assert rv == day


def test_the_file_wins_over_the_package() -> None:
    """An office can declare a holiday a working day and the reverse."""
    text = HEADER + "2026-02-17,workday,,\n2026-11-20,holiday,,\n"

    rv = WorkCalendar.from_csv(text, "c.csv", first_year=2026, last_year=2026)

    assert rv.is_workday(date(2026, 2, 17))
    assert not rv.is_workday(date(2026, 11, 20))


def test_the_shipped_file_adds_one_swap_to_the_package() -> None:
    """Every make-up day in the file is in the package too, but for 10 January 2026, which it lacks."""
    package = holidays.country_holidays("VN", years=range(2018, 2029))

    rv = {day for day, kind in parse_days(CONFIG.read_text("utf-8"), "c.csv").items() if kind == "workday"}

    assert rv - package.weekend_workdays == {date(2026, 1, 10)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,name_vi,name_en\n", r"c\.csv: column kind missing"),
        (HEADER + "10/01/2026,workday,,\n", r"c\.csv, line 2: '10/01/2026' is no date: write"),
        (HEADER + "2026-01-10,off,,\n", r"line 2: kind 'off' is unknown: write holiday or workday"),
        (HEADER + "2026-01-10,workday,,\n2026-01-10,holiday,,\n", r"line 3: 2026-01-10 stands in the file twice"),
        (HEADER + "1980-01-10,workday,,\n", r"1980-01-10 is outside the calendar"),
    ],
)
def test_a_faulty_file_is_refused_with_place_and_remedy(text: str, message: str) -> None:
    """A file that cannot be read names file, line and what to do."""
    with pytest.raises(CalendarError, match=message):
        WorkCalendar.from_csv(text, "c.csv")


def test_a_date_outside_the_years_is_refused() -> None:
    """A calendar does not guess beyond the years it was built for."""
    with pytest.raises(CalendarError, match="outside the calendar, 2018-01-01 to 2028-12-31"):
        CALENDAR.is_workday(date(2017, 12, 31))
    with pytest.raises(CalendarError, match="leave the calendar"):
        CALENDAR.add_workdays(date(2028, 12, 29), 5)
    with pytest.raises(CalendarError, match="leave the calendar"):
        CALENDAR.add_workdays(date(2018, 1, 2), -3)
