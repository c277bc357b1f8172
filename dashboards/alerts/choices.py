"""For how long a message may be muted from the page, and what counts as a reason."""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from contract.days import DAY_S, HOUR_S, local_day_start
from contract.text import Text
from streams.clock import US_PER_S

__all__ = ["MOST_REASON", "MUTES", "MuteChoice", "reason_of"]

MOST_REASON: Final = 200
"""Characters of a reason; it stands on the wall and in the history, one line of a phone or two."""
_MORNING_S: Final = 7 * HOUR_S
"""Offices open at seven: "until tomorrow" ends then."""


class MuteChoice(NamedTuple):
    """One choice of the form; ``until_us`` maps the moment of pressing to the end, both microseconds since 1970."""

    words: Text
    until_us: Callable[[int], int]


def _after(seconds: int) -> Callable[[int], int]:
    return lambda now_us: now_us + seconds * US_PER_S


def _tomorrow(now_us: int) -> int:
    return (local_day_start(now_us // US_PER_S) + DAY_S + _MORNING_S) * US_PER_S


MUTES: Final[Mapping[str, MuteChoice]] = {
    "1h": MuteChoice(Text("1 giờ", "1 hour"), _after(HOUR_S)),
    "4h": MuteChoice(Text("4 giờ", "4 hours"), _after(4 * HOUR_S)),
    "tomorrow": MuteChoice(Text("đến 7 giờ sáng mai", "until 07:00 tomorrow"), _tomorrow),
    "7d": MuteChoice(Text("7 ngày", "7 days"), _after(7 * DAY_S)),
}
"""The choices of the form, by the value that is sent."""


def reason_of(text: str) -> str | None:
    """Return a reason on one line, without control and direction characters; None when it is empty or too long."""
    # Category C holds line breaks and the marks that turn the direction of text: neither may reach a list or a log.
    flat = "".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in text)
    reason = unicodedata.normalize("NFC", " ".join(flat.split()))
    return reason if 0 < len(reason) <= MOST_REASON else None
