"""A rule: which figures are watched, what counts as bad, and who is told when."""

from typing import Literal

import msgspec

from contract.words import Text

__all__ = ["DayTimes", "Rule", "Severity"]

Severity = Literal["info", "warning", "critical"]


class DayTimes(msgspec.Struct, frozen=True):
    """A span of the local day in minutes after midnight, the end excluded; it may pass midnight (22:00 to 06:00)."""

    start_min: int
    end_min: int

    def holds(self, minute_of_day: int) -> bool:
        """Whether a minute of the local day, 0 to 1439, lies in the span."""
        if self.start_min <= self.end_min:
            return self.start_min <= minute_of_day < self.end_min
        return minute_of_day >= self.start_min or minute_of_day < self.end_min


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule as it is evaluated: checked, with all defaults filled in.

    ``scope`` is a pattern of what is watched: ``unit:*``, ``unit:H10.*``, ``level:commune`` (the units of that
    kind), ``field:land``, ``source:*`` and ``system:stream`` for gauges. Exactly one of ``below``, ``above`` and
    ``worse_by`` is set: shares from 0 to 1 for an indicator, plain numbers for a gauge; ``worse_by`` is the distance
    to the usual value of this weekday and hour. ``recover`` is where it is good again (never stricter than the
    threshold; for ``worse_by`` likewise a distance). With fewer than ``minimum_n`` cases nothing is decided.

    ``to`` and ``escalate_to`` name groups, or ``unit`` (who stands for the unit of the scope) or ``owner`` (who
    stands for the source). With ``daily_min`` the rule sends one digest each day at that minute of the local day
    instead of one message for each change.
    """

    id: str
    indicator: str
    window: str
    scope: str
    below: float | None = None
    above: float | None = None
    worse_by: float | None = None
    recover: float
    minimum_n: int
    minimum_history: int
    hold_s: int
    severity: Severity
    remind_s: int | None
    quiet: DayTimes | None
    working_days: bool
    to: tuple[str, ...]
    escalate_s: int | None
    escalate_to: tuple[str, ...]
    daily_min: int | None
    title: Text | None
    text: Text | None
