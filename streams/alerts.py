"""What passes between rules, store and delivery: alerts, what people did about them, and notices to send."""

from collections.abc import Mapping
from enum import Enum
from typing import Literal, NamedTuple

import msgspec

from contract.words import Text
from streams.rule import Severity

__all__ = ["Action", "Alert", "AlertState", "Figure", "FigureKey", "Figures", "Notice", "NoticeFacts", "NoticeKind"]


class FigureKey(NamedTuple):
    """Which figure: scope, indicator (or gauge) and window."""

    scope: str
    indicator: str
    window: str


Figures = Mapping[tuple[str, str, str], tuple[int, int]] | Mapping[FigureKey, tuple[int, int]]
"""Numerator and denominator of figures by their keys. Roll publishes them under plain tuples."""


class Figure(msgspec.Struct, frozen=True):
    """One figure of one scope as a message tells it."""

    scope: str
    numerator: int
    denominator: int


class AlertState(Enum):
    """Where one alert stands."""

    PENDING = "pending"
    """The figure is bad, the hold time is not over."""
    FIRING = "firing"
    RECOVERED = "recovered"
    """It fired and is over."""
    CLEARED = "cleared"
    """It never fired: the figure was good again within the hold time."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One episode of one rule in one scope, from the first bad figure until it is good again.

    ``id`` follows from rule, scope and ``since_us``, so that a repeated decision is the same alert. Times are
    microseconds since 1970 by the clock of the figures. ``numerator`` and ``denominator`` are those of the last
    change of state; ``threshold`` is what the rate was compared with. ``notices`` counts the rounds of messages
    decided so far (0: nobody was told, e.g. in quiet hours), ``noticed_us`` is the time of the last one. A firing
    alert with ``ended_us`` is over, and the message that says so waits for the end of quiet hours; is it bad again
    before, it goes on.
    """

    id: str
    rule: str
    indicator: str
    window: str
    scope: str
    severity: Severity
    state: AlertState
    since_us: int
    fired_us: int | None = None
    ended_us: int | None = None
    escalated_us: int | None = None
    noticed_us: int | None = None
    notices: int = 0
    numerator: int
    denominator: int
    threshold: float


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did about an alert: acknowledged it, or muted its rule and scope until a time.

    ``by`` is the name of a recipient or of an operator's account, never an address.
    """

    alert: str
    rule: str
    scope: str
    action: Literal["ack", "mute", "unmute"]
    until_us: int | None = None
    by: str
    reason: str = ""
    at_us: int


NoticeKind = Literal["fired", "recovered", "reminder", "escalated", "digest", "overflow", "test"]
"""``overflow``: one message for those that a recipient's limit held back."""


class NoticeFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that a message tells besides who, which rule and when.

    ``figures``: first the scope itself, then the units below it that cause its alert; of a digest, all its
    lines. ``more`` counts the units that the list has no room for. ``usual`` is the usual rate where the rule
    compares with it. ``title`` and ``text`` are the rule's own.
    """

    indicator: str
    window: str
    figures: tuple[Figure, ...]
    threshold: float
    below: bool
    since_us: int
    usual: float | None = None
    title: Text | None = None
    text: Text | None = None
    number: int = 1
    more: int = 0


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one recipient, as decided; its ``id`` is stable: sent twice, it is the same message."""

    id: str
    alert: str
    rule: str
    scope: str
    kind: NoticeKind
    severity: Severity
    recipient: str
    at_us: int
    facts: NoticeFacts
