"""Which message an alert causes next, and from when."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from contract.calendar import WorkCalendar
from streams.alerts import Alert, AlertState
from streams.clock import US_PER_S
from streams.rule import Rule
from streams.telling import Mute, tellable_us

__all__ = ["GROUP_WAIT_S", "Round", "RoundKind", "first_told_us", "next_round", "told"]

GROUP_WAIT_S: Final = 2
"""So long what has begun to fire waits for others, so that they can be told together."""

RoundKind = Literal["fired", "recovered", "reminder", "escalated"]


class Round(NamedTuple):
    """A round of messages that is wanted from ``from_us`` on, quiet hours and mutes aside."""

    kind: RoundKind
    from_us: int


def first_told_us(rule: Rule, alert: Alert, mutes: Sequence[Mute], calendar: WorkCalendar) -> int:
    """Return when it could first be told that an alert fires: it follows from what the store holds."""
    fired_us = alert.since_us if alert.fired_us is None else alert.fired_us
    return tellable_us(rule, mutes, fired_us + GROUP_WAIT_S * US_PER_S, calendar)


def next_round(
    rule: Rule, alert: Alert, mutes: Sequence[Mute], calendar: WorkCalendar, now_us: int, *, acknowledged: bool
) -> Round | None:
    """Return the next round; None when nothing more is to be said unless something changes.

    A mute that ends is followed by a reminder. Of an escalation and a reminder that are both due, the escalation is
    first.
    """
    if alert.state is not AlertState.FIRING or alert.fired_us is None:
        return None
    if alert.ended_us is not None:
        return Round("recovered", alert.ended_us)
    if alert.notices == 0 or alert.noticed_us is None:
        return Round("fired", alert.fired_us + GROUP_WAIT_S * US_PER_S)
    if acknowledged:
        return None
    rounds: list[Round] = []
    if rule.escalate_s is not None and rule.severity == "critical" and alert.escalated_us is None:
        told_us = first_told_us(rule, alert, mutes, calendar)
        rounds.append(Round("escalated", told_us + rule.escalate_s * US_PER_S))
    if rule.remind_s is not None:
        rounds.append(Round("reminder", alert.noticed_us + rule.remind_s * US_PER_S))
    rounds.extend(Round("reminder", mute.end_us) for mute in mutes if mute.end_us > alert.noticed_us)
    return min(rounds, key=lambda one: (max(one.from_us, now_us), one.kind != "escalated"), default=None)


def told(alert: Alert, kind: RoundKind, now_us: int) -> Alert:
    """Return the alert after a round of messages."""
    escalated_us = now_us if kind == "escalated" else alert.escalated_us
    return replace(alert, notices=alert.notices + 1, noticed_us=now_us, escalated_us=escalated_us)
