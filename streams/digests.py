"""Daily digests: when each rule with ``daily_min`` is due."""

from collections.abc import Iterable
from typing import Final

from contract.calendar import WorkCalendar
from contract.days import HOUR_S
from streams.alerts import Figure
from streams.announcement import Announcement
from streams.clock import US_PER_S
from streams.family import worst_first
from streams.rule import Rule
from streams.telling import next_digest_us
from streams.verdict import lower_is_worse

__all__ = ["Digests", "digest_of"]

LATE_S: Final = 4 * HOUR_S
"""A digest that nobody could make in time is still sent so much later, then no more."""


class Digests:
    """The next digest of each rule. After a restart a day's digest may be named again, with the same ids."""

    def __init__(self, rules: Iterable[Rule], calendar: WorkCalendar) -> None:
        self._rules = [(rule, rule.daily_min) for rule in rules if rule.daily_min is not None]
        self._calendar = calendar
        self._due: dict[str, int] = {}

    @property
    def next_us(self) -> int | None:
        """When the next digest is due; None without any, or before the first look."""
        return min(self._due.values(), default=None)

    def take(self, now_us: int) -> list[tuple[Rule, int]]:
        """Return the rules whose digest is due now, with the moment it was due; each is named once."""
        found: list[tuple[Rule, int]] = []
        for rule, daily_min in self._rules:
            planned_us = self._due.get(rule.id, 0)
            if planned_us > now_us:
                continue
            after_us = max(planned_us - 1, now_us - LATE_S * US_PER_S)
            due_us = self._next(rule, daily_min, after_us)
            if due_us <= now_us:
                found.append((rule, due_us))
                due_us = self._next(rule, daily_min, due_us)
            self._due[rule.id] = due_us
        return found

    def _next(self, rule: Rule, daily_min: int, after_us: int) -> int:
        return next_digest_us(daily_min, working_days=rule.working_days, after_us=after_us, calendar=self._calendar)


def digest_of(rule: Rule, bad: Iterable[Figure], due_us: int, now_us: int) -> Announcement:
    """Return the digest with the figures that are bad, the worst first."""
    threshold = rule.below if rule.below is not None else rule.above
    return Announcement(
        kind="digest",
        rule=rule,
        alert=None,
        at_us=now_us,
        since_us=due_us,
        figures=tuple(worst_first(rule, bad, lambda _: None)),
        threshold=0.0 if threshold is None else threshold,
        below=lower_is_worse(rule),
    )
