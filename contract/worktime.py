"""Office hours: how much of a span people were at work."""

from contract.calendar import WorkCalendar
from contract.days import day_start, local_date

__all__ = ["OFFICE_HOURS_S", "office_seconds"]

OFFICE_HOURS_S = ((27_000, 41_400), (48_600, 61_200))
"""Hours of a working day, 07:30 to 11:30 and 13:30 to 17:00, in seconds after local midnight; ends excluded."""

_DAY_WORKED_S = sum(end - start for start, end in OFFICE_HOURS_S)


def office_seconds(start_s: int, end_s: int, calendar: WorkCalendar) -> int:
    """Return the seconds of office hours from ``start_s`` to ``end_s``; 0 when the end is not after the start.

    Raises CalendarError for a day that the calendar does not cover.
    """
    if end_s <= start_s:
        return 0
    whole_days = calendar.workdays_between(local_date(start_s), local_date(end_s))
    return whole_days * _DAY_WORKED_S + _rest_of_day(start_s, calendar) - _rest_of_day(end_s, calendar)


def _rest_of_day(at_s: int, calendar: WorkCalendar) -> int:
    """Seconds of office hours from a moment to the end of its local day."""
    day = local_date(at_s)
    if not calendar.is_workday(day):
        return 0
    into_s = at_s - day_start(day)
    return sum(max(0, end - max(start, into_s)) for start, end in OFFICE_HOURS_S)
