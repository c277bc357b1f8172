"""An announcement: something that people are to be told now, before it is known who they are."""

import msgspec

from streams.alerts import Alert, Figure, NoticeKind
from streams.rule import Rule

__all__ = ["Announcement"]


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """One round of messages about one alert, or one daily digest (then without alert).

    ``alert`` is as it stands after this round. ``figures``, ``more``, ``threshold``, ``below`` and ``usual`` are
    those of :class:`streams.alerts.NoticeFacts`. ``spoken_for``: scopes above, whose alert of the same rule has told
    this one too: who gets theirs does not get this.
    """

    kind: NoticeKind
    rule: Rule
    alert: Alert | None
    at_us: int
    since_us: int
    figures: tuple[Figure, ...]
    threshold: float
    below: bool
    usual: float | None = None
    more: int = 0
    spoken_for: tuple[str, ...] = ()
