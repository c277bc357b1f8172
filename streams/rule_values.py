"""Values of the rules' file: each reader takes what TOML gave and raises ValueError that says what to write."""

import math
import re
import string
import unicodedata
from collections.abc import Callable, Collection
from typing import Final, TypeVar

from contract.days import DAY_S, HOUR_S, MINUTE_S
from contract.duration import seconds_of
from contract.text import Text
from streams.rule import DayTimes

__all__ = [
    "PLACEHOLDERS",
    "count",
    "day_times",
    "duration",
    "flag",
    "minute_of_day",
    "names",
    "number",
    "one_of",
    "or_none",
    "rule_id",
    "text",
    "title",
]

T = TypeVar("T")
W = TypeVar("W", bound=str)

PLACEHOLDERS: Final = frozenset(
    {"unit", "indicator", "window", "rate", "numerator", "n", "threshold", "usual", "since"}
)
"""What the title and the text of a rule may name between braces; ``unit`` is the name of the scope, ``n`` how many
cases were counted."""

MAX_DURATION_S: Final = 366 * DAY_S
MAX_TITLE: Final = 150
"""A title becomes the subject of an e-mail."""
MAX_TEXT: Final = 1_000

_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_HOUR_MIN: Final = HOUR_S // MINUTE_S
_DAY_MIN: Final = DAY_S // MINUTE_S


def or_none(read: Callable[[object], T]) -> Callable[[object], T | None]:
    """Accept "none" too: it switches off what the defaults set."""
    return lambda raw: None if raw == "none" else read(raw)


def rule_id(raw: object) -> str:
    """Return the name of a rule: small letters, digits, ``-`` and ``_``."""
    if not isinstance(raw, str) or not _ID.fullmatch(raw):
        raise ValueError(f"{raw!r} is no id: write 1 to 64 small letters, digits, - and _")
    return raw


def one_of(known: Collection[W]) -> Callable[[object], W]:
    """Accept one of the known words."""

    def read(raw: object) -> W:
        for word in known:
            if raw == word:
                return word
        raise ValueError(f"{raw!r} is unknown: write one of {', '.join(known)}")

    return read


def flag(raw: object) -> bool:
    """Return true or false."""
    if not isinstance(raw, bool):
        raise ValueError(f"{raw!r} is neither true nor false: write one of them without quotes")  # noqa: TRY004
    return raw


def count(raw: object) -> int:
    """Return a whole number from 1."""
    if not isinstance(raw, int) or isinstance(raw, bool) or raw < 1:
        raise ValueError(f"{raw!r} is no count: write a whole number from 1")
    return raw


def number(raw: object) -> float:
    """Return a finite number."""
    if not isinstance(raw, int | float) or isinstance(raw, bool) or not math.isfinite(raw):
        raise ValueError(f"{raw!r} is no number: write one without quotes, such as 0.95")
    return float(raw)


def duration(raw: object) -> int:
    """Return the seconds of ``90s``, ``10m``, ``4h``, ``1d``; at most a year."""
    if not isinstance(raw, str):
        raise ValueError(f"{raw!r} is no duration: write it in quotes with s, m, h or d, such as '10m'")  # noqa: TRY004
    seconds = seconds_of(raw)
    if seconds > MAX_DURATION_S:
        raise ValueError(f"{raw!r} is longer than a year: write less")
    return seconds


def minute_of_day(raw: object) -> int:
    """Return the minutes after midnight of ``08:00``."""
    found = _TIME.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        raise ValueError(f"{raw!r} is no time of day: write it as '08:00', '00:00' to '23:59'")
    return int(found[1]) * _HOUR_MIN + int(found[2])


def day_times(raw: object) -> DayTimes:
    """Return the span of ``21:00-07:00``; it may pass midnight, or end there with ``24:00``."""
    start, dash, end = raw.partition("-") if isinstance(raw, str) else ("", "", "")
    if not dash:
        raise ValueError(f"{raw!r} is no span of the day: write it as '21:00-07:00'")
    span = DayTimes(minute_of_day(start.strip()), _DAY_MIN if end.strip() == "24:00" else minute_of_day(end.strip()))
    if span.start_min == span.end_min % _DAY_MIN:
        raise ValueError(f"{raw!r} is no part of the day: let it end at another time than it begins")
    return span


def names(known: Collection[str]) -> Callable[[object], tuple[str, ...]]:
    """Accept a list of known names without repeats."""

    def read(raw: object) -> tuple[str, ...]:
        if not isinstance(raw, list) or not raw or not all(isinstance(name, str) for name in raw):
            raise ValueError(f"{raw!r} is no list of groups: write it as ['unit', 'operators']")
        for name in raw:
            if name not in known:
                raise ValueError(f"{name!r} is unknown: write one of {', '.join(sorted(known))}, or add the group")
        return tuple(dict.fromkeys(raw))

    return read


def title(raw: object) -> Text:
    """Return a heading in both languages: one line, with known placeholders only."""
    return _both(raw, MAX_TITLE, allowed="")


def text(raw: object) -> Text:
    """Return a text in both languages: lines may be broken, with known placeholders only."""
    return _both(raw, MAX_TEXT, allowed="\n")


def _both(raw: object, longest: int, allowed: str) -> Text:
    if not isinstance(raw, dict) or raw.keys() != {"vi", "en"}:
        raise ValueError("it needs both languages and nothing else: write { vi = '…', en = '…' }")
    return Text(*(_words(raw[language], language, longest, allowed) for language in ("vi", "en")))


def _words(raw: object, language: str, longest: int, allowed: str) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError(f"{language} is empty: write some words in quotes")
    found = unicodedata.normalize("NFC", raw).strip()
    if len(found) > longest:
        raise ValueError(f"{language} has {len(found)} characters: write at most {longest}")
    # Cc: line breaks would add headers to an e-mail; Cf, Zl, Zp: what turns or breaks a line unseen.
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp") and sign not in allowed for sign in found):
        raise ValueError(f"{language} holds a line break or an invisible character: write it on one line")
    try:
        gaps = list(string.Formatter().parse(found))
    except ValueError:
        raise ValueError(
            f"{language} has a single brace: write {{unit}} for a placeholder, {{{{ for a brace"
        ) from None
    for _, name, form, turned in gaps:
        if name is not None and (name not in PLACEHOLDERS or form or turned):
            gap = name + (f"!{turned}" if turned else "") + (f":{form}" if form else "")
            known = ", ".join(f"{{{word}}}" for word in sorted(PLACEHOLDERS))
            raise ValueError(f"{language} has the unknown placeholder {{{gap}}}: write one of {known}")
    return found
