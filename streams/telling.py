"""When people may be told: not in quiet hours, on days off, or while somebody has muted it."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from contract.calendar import WorkCalendar
from contract.days import DAY_S, MINUTE_S, local_date, local_day_start
from streams.alerts import Action
from streams.clock import US_PER_S
from streams.rule import Rule

__all__ = ["Mute", "is_muted", "mutes_of", "next_digest_us", "tellable_us", "works"]

_SATURDAY: Final = 5


class Mute(NamedTuple):
    """No messages from ``start_us``, before ``end_us``."""

    start_us: int
    end_us: int


def mutes_of(actions: Iterable[Action]) -> dict[tuple[str, str], tuple[Mute, ...]]:
    """Return the mutes by rule and scope, in order; a later word on the same rule and scope replaces an earlier."""
    found: dict[tuple[str, str], list[Mute]] = {}
    for action in sorted(actions, key=lambda action: action.at_us):
        if action.action == "ack":
            continue
        mutes = found.setdefault((action.rule, action.scope), [])
        if mutes and mutes[-1].end_us > action.at_us:
            mutes[-1] = Mute(mutes[-1].start_us, action.at_us)
        if action.action == "mute" and action.until_us is not None and action.until_us > action.at_us:
            mutes.append(Mute(action.at_us, action.until_us))
    return {key: tuple(mutes) for key, mutes in found.items()}


def is_muted(mutes: Sequence[Mute], at_us: int) -> bool:
    """Whether a moment lies in a mute."""
    return any(mute.start_us <= at_us < mute.end_us for mute in mutes)


def works(calendar: WorkCalendar, day: date) -> bool:
    """Whether offices work on a day; outside the years of the calendar every Monday to Friday."""
    if calendar.first <= day <= calendar.last:
        return calendar.is_workday(day)
    return day.weekday() < _SATURDAY


def tellable_us(rule: Rule, mutes: Sequence[Mute], at_us: int, calendar: WorkCalendar) -> int:
    """Return the first moment from ``at_us`` on at which the rule may send a message."""
    while True:
        later = _after_quiet(rule, at_us, calendar)
        later = max((mute.end_us for mute in mutes if mute.start_us <= later < mute.end_us), default=later)
        if later == at_us:
            return at_us
        at_us = later


def next_digest_us(daily_min: int, *, working_days: bool, after_us: int, calendar: WorkCalendar) -> int:
    """Return the first moment after ``after_us`` at which a digest is due."""
    day_s = local_day_start(after_us // US_PER_S)
    while True:
        due_us = (day_s + daily_min * MINUTE_S) * US_PER_S
        if due_us > after_us and (not working_days or works(calendar, local_date(day_s))):
            return due_us
        day_s += DAY_S


def _after_quiet(rule: Rule, at_us: int, calendar: WorkCalendar) -> int:
    if rule.quiet is None and not rule.working_days:
        return at_us
    at_s = at_us // US_PER_S
    day_s = local_day_start(at_s)
    if rule.working_days and not works(calendar, local_date(day_s)):
        return (day_s + DAY_S) * US_PER_S
    minute = (at_s - day_s) // MINUTE_S
    if rule.quiet is None or not rule.quiet.holds(minute):
        return at_us
    end_s = day_s + rule.quiet.end_min * MINUTE_S
    return (end_s if rule.quiet.end_min > minute else end_s + DAY_S) * US_PER_S
