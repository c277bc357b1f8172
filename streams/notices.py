"""Notices: announcements turned into one message for each recipient."""

from collections.abc import Callable, Iterable, Sequence

from contract.days import local_date
from streams.alerts import Alert, Figure, Notice, NoticeFacts
from streams.announcement import Announcement
from streams.clock import US_PER_S
from streams.episode import stable_id

__all__ = ["Resolve", "notices_of"]

Resolve = Callable[[str, str], Sequence[str]]
"""(target, scope) → recipients: what ``unit``, ``owner`` or a group means for a scope."""


def notices_of(announcements: Iterable[Announcement], resolve: Resolve) -> list[Notice]:
    """Return the messages, at most one for each recipient of each announcement.

    Ids follow from alert, kind, round and recipient, those of a digest from rule, local day and recipient. Who gets
    the alert of a scope above does not get those that it speaks for; whoever was told of an escalation is told how it
    ended.
    """
    found: list[Notice] = []
    for announcement in announcements:
        found.extend(
            _digest(announcement, resolve)
            if announcement.alert is None
            else _of_alert(announcement, announcement.alert, resolve)
        )
    return found


def _of_alert(announcement: Announcement, alert: Alert, resolve: Resolve) -> list[Notice]:
    rule = announcement.rule
    targets: tuple[str, ...] = rule.to
    if announcement.kind == "escalated":
        targets = rule.escalate_to
    elif announcement.kind == "recovered" and alert.escalated_us is not None:
        targets = (*rule.to, *rule.escalate_to)
    spoken_to = {name for scope in announcement.spoken_for for name in _names(targets, scope, resolve)}
    return [
        Notice(
            id=stable_id("notice", alert.id, announcement.kind, alert.notices, name),
            alert=alert.id,
            rule=rule.id,
            scope=alert.scope,
            kind=announcement.kind,
            severity=rule.severity,
            recipient=name,
            at_us=announcement.at_us,
            facts=_facts(announcement, announcement.figures, alert.notices),
        )
        for name in _names(targets, alert.scope, resolve)
        if name not in spoken_to
    ]


def _digest(announcement: Announcement, resolve: Resolve) -> list[Notice]:
    rule = announcement.rule
    day = local_date(announcement.since_us // US_PER_S).isoformat()
    lines: dict[str, list[Figure]] = {}
    for figure in announcement.figures:
        for name in _names(rule.to, figure.scope, resolve):
            lines.setdefault(name, []).append(figure)
    return [
        Notice(
            id=stable_id("digest", rule.id, day, name),
            alert="",
            rule=rule.id,
            scope=figures[0].scope,
            kind="digest",
            severity=rule.severity,
            recipient=name,
            at_us=announcement.at_us,
            facts=_facts(announcement, tuple(figures), 1),
        )
        for name, figures in lines.items()
    ]


def _names(targets: Iterable[str], scope: str, resolve: Resolve) -> list[str]:
    return list(dict.fromkeys(name for target in targets for name in resolve(target, scope)))


def _facts(announcement: Announcement, figures: tuple[Figure, ...], number: int) -> NoticeFacts:
    rule = announcement.rule
    return NoticeFacts(
        indicator=rule.indicator,
        window=rule.window,
        figures=figures,
        threshold=announcement.threshold,
        below=announcement.below,
        since_us=announcement.since_us,
        usual=announcement.usual,
        title=rule.title,
        text=rule.text,
        number=number,
        more=announcement.more,
    )
