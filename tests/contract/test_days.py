"""Local days by arithmetic agree with the tz database."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from contract import days

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FROM_S = int(datetime(1980, 1, 1, tzinfo=UTC).timestamp())
TO_S = int(datetime(2100, 12, 31, tzinfo=UTC).timestamp())
SECONDS = st.integers(FROM_S, TO_S)


def local(s: int) -> datetime:
    """Return ``s`` as the tz database sees it in Viet Nam."""
    return datetime.fromtimestamp(s, ZONE)


@given(SECONDS)
def test_day_start_is_the_zones_midnight(s: int) -> None:
    """The start of a local day is the midnight the tz database gives."""
    midnight = local(s).replace(hour=0, minute=0, second=0)

    rv = days.local_day_start(s)

    assert rv == midnight.timestamp()


@given(SECONDS)
def test_month_start_is_the_zones_first(s: int) -> None:
    """The start of a local month is midnight of its first day in the tz database."""
    first = local(s).replace(day=1, hour=0, minute=0, second=0)

    rv = days.local_month_start(s)

    assert rv == first.timestamp()


@given(SECONDS)
def test_year_start_is_the_zones_first_of_january(s: int) -> None:
    """The start of a local year is midnight of 1 January in the tz database."""
    first = local(s).replace(month=1, day=1, hour=0, minute=0, second=0)

    rv = days.local_year_start(s)

    assert rv == first.timestamp()


@given(SECONDS)
def test_date_is_the_zones_date(s: int) -> None:
    """The local date is the one on the calendar in Viet Nam."""
    expected = local(s).date()

    rv = days.local_date(s)

    assert rv == expected


@given(st.integers(-(2**62), 2**62))
def test_floors_stay_within_one_unit(s: int) -> None:
    """A floor lies on or before its second, less than one unit away, for any integer."""
    minute, hour, day = days.floor_minute(s), days.floor_hour(s), days.local_day_start(s)

    assert 0 <= s - minute < days.MINUTE_S
    assert 0 <= s - hour < days.HOUR_S
    assert 0 <= s - day < days.DAY_S
    assert day <= hour <= minute


@given(st.dates())
def test_a_day_begins_inside_itself(day: date) -> None:
    """The first second of a day is in it, the second before is not."""
    start = days.day_start(day)

    rv = days.local_date(start)

    assert rv == day
    assert days.local_day_start(start) == start
    assert days.local_day_start(start - 1) == start - days.DAY_S


def test_the_day_changes_at_17_utc() -> None:
    """A dossier of 23:59:59 local belongs to the old day, one second later to the new one."""
    last = int(datetime(2026, 11, 21, 16, 59, 59, tzinfo=UTC).timestamp())

    before, after = days.local_date(last), days.local_date(last + 1)

    assert before == date(2026, 11, 21)
    assert after == date(2026, 11, 22)
