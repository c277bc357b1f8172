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
        ("date,name_vi,name_en\n", f": column kind missing: the first line must be {HEADER[:-1]}"),
        (HEADER + "10/01/2026,workday,,\n", ", line 2: '10/01/2026' is no date: write it as 2026-01-10"),
        (HEADER + "2026-01-10,off,,\n", ", line 2: kind 'off' is unknown: write holiday or workday"),
        (
            HEADER + "2026-01-10,workday,,\n2026-01-10,holiday,,\n",
            ", line 3: 2026-01-10 stands in the file twice: keep one of the lines",
        ),
        ("", f": column date, kind, name_vi, name_en missing: the first line must be {HEADER[:-1]}"),
        (HEADER + ",workday,,\n", ", line 2: '' is no date: write it as 2026-01-10"),
        (HEADER + "2026-01-10\n", ", line 2: kind None is unknown: write holiday or workday"),
    ],
)
def test_a_faulty_file_is_refused_with_place_and_remedy(text: str, message: str) -> None:
    """A file that cannot be read names file, line and what to do."""
    with pytest.raises(CalendarError) as caught:
        WorkCalendar.from_csv(text, "c.csv")

    assert str(caught.value) == f"c.csv{message}"


@pytest.mark.parametrize("day", ["1980-01-10", "2051-01-01"])
def test_an_exception_outside_the_years_is_refused(day: str) -> None:
    """Without other years the calendar reaches from 1995 to 2050."""
    with pytest.raises(CalendarError, match=f"^{day} is outside the calendar, 1995-01-01 to 2050-12-31: correct the"):
        WorkCalendar.from_csv(f"{HEADER}{day},workday,,\n", "c.csv")


def test_the_calendar_built_here_is_whole() -> None:
    """Both ends are covered; a byte order mark does no harm; every Monday to Friday works but for the holidays."""
    text = "\ufeff" + HEADER + "2026-01-01,workday,,\n2026-12-31,holiday,,\n"

    rv = WorkCalendar.from_csv(text, "c.csv", first_year=2026, last_year=2026)

    package = holidays.country_holidays("VN", years=2026)
    every = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert (rv.first, rv.last) == (every[0], every[-1])
    assert rv.is_workday(every[0])
    assert not rv.is_workday(every[-1])
    assert [rv.is_workday(day) for day in every[1:-1]] == [
        day in package.weekend_workdays or (day.weekday() < 5 and day not in package) for day in every[1:-1]
    ]


def test_a_date_outside_the_years_is_refused() -> None:
    """A calendar does not guess beyond the years it was built for."""
    outside = "is outside the calendar, 2018-01-01 to 2028-12-31: build it for more years$"
    leaves = "leave the calendar, 2018-01-01 to 2028-12-31: widen it$"
    first, last = CALENDAR.days[0], CALENDAR.days[-1]

    for asked in (CALENDAR.is_workday, CALENDAR.next_workday, lambda d: CALENDAR.add_workdays(d, 0)):
        for day in (date(2017, 12, 31), date(2029, 1, 1)):
            with pytest.raises(CalendarError, match=f"^{day} {outside}"):
                asked(day)
    for between in (CALENDAR.workdays_between, CALENDAR.working_days):
        with pytest.raises(CalendarError, match=f"^2029-01-01 {outside}"):
            between(last, date(2029, 1, 1))
        with pytest.raises(CalendarError, match=f"^2017-12-31 {outside}"):
            between(date(2017, 12, 31), last)
    with pytest.raises(CalendarError, match=f"^1 working days from {last} {leaves}"):
        CALENDAR.add_workdays(last, 1)
    with pytest.raises(CalendarError, match=f"^-1 working days from {first} {leaves}"):
        CALENDAR.add_workdays(first, -1)
    assert CALENDAR.add_workdays(last, 1 - len(CALENDAR.days)) == first
