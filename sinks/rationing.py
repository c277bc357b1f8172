"""Who gets which messages now under an hourly limit, and how the rest becomes one message. Pure."""

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from contract.alert_words import MESSAGE_WORDS
from contract.numbers import count_text
from contract.text import Text
from sinks.messages import heading
from sinks.outbox import Pending
from sinks.wording import fill
from streams.alerts import Notice, NoticeFacts

__all__ = ["Ration", "overflow_notice", "ration"]

MOST_TITLES = 40
_RANK = {"critical": 0, "warning": 1, "info": 2}


class Ration(NamedTuple):
    """What is done with the messages of one recipient that are due; what is in neither waits."""

    send: tuple[Pending, ...]
    fold: tuple[Pending, ...]


def ration(due: Sequence[Pending], allowed: int) -> Ration:
    """Divide what is due when ``allowed`` more messages may be sent this hour.

    The most severe and oldest go as they are; if not all can go, the last message of the hour tells all others.
    With none left they wait, to be told together as soon as one may be sent. What some channel has taken, or what
    tells others already, goes first and is never told by another.
    """
    ordered = sorted(due, key=_urgency)
    if len(ordered) <= allowed:
        return Ration(tuple(ordered), ())
    if allowed <= 0:
        return Ration((), ())
    others = tuple(one for one in ordered[allowed - 1 :] if _foldable(one))
    if len(others) < 2:  # noqa: PLR2004 - one message told by another saves none
        return Ration(tuple(ordered[:allowed]), ())
    return Ration(tuple(ordered[: allowed - 1]), others)


def overflow_notice(held: Sequence[Notice], at_us: int, unit_name: Callable[[str], Text]) -> Notice:
    """Return the one message that tells all held ones; its id follows from theirs. ``at_us``: by their clock."""
    ids = sorted(notice.id for notice in held)
    key = hashlib.sha256("\n".join(("overflow", held[0].recipient, *ids)).encode()).hexdigest()[:32]
    worst = min(held, key=lambda notice: _RANK[notice.severity])
    titles = [heading(notice, unit_name) for notice in held[:MOST_TITLES]]
    if len(held) > MOST_TITLES:
        titles.append(fill(MESSAGE_WORDS["more"], n=count_text(len(held) - MOST_TITLES)))
    lines = [MESSAGE_WORDS["overflow_text"], *(Text(f"- {one.vi}", f"- {one.en}") for one in titles)]
    facts = NoticeFacts(
        indicator=worst.facts.indicator,
        window=worst.facts.window,
        figures=(),
        threshold=worst.facts.threshold,
        below=worst.facts.below,
        since_us=min(notice.facts.since_us for notice in held),
        title=fill(MESSAGE_WORDS["overflow_title"], n=count_text(len(held))),
        text=Text("\n".join(line.vi for line in lines), "\n".join(line.en for line in lines)),
        number=len(held),
    )
    return Notice(
        id=key,
        alert="",
        rule=worst.rule,
        scope=worst.scope,
        kind="overflow",
        severity=worst.severity,
        recipient=worst.recipient,
        at_us=at_us,
        facts=facts,
    )


def _foldable(one: Pending) -> bool:
    begun = one.delivery is not None and bool(one.delivery.delivered)
    return not begun and one.notice.kind != "overflow"


def _urgency(one: Pending) -> tuple[bool, int, int, str]:
    notice = one.notice
    return _foldable(one), _RANK[notice.severity], notice.at_us, notice.id
