"""Sources: how often each speaks, in which hours, and who answers for it; read from ``config/sources.toml``."""

import re
import tomllib
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contract.calendar import WorkCalendar
from contract.duration import seconds_of
from contract.worktime import office_seconds

__all__ = ["SourcePace", "Sources", "SourcesError", "parse_sources"]

Hours = Literal["always", "working"]


class SourcesError(ValueError):
    """The file of sources cannot be used; the text names file and key and says what to do."""


class SourcePace(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of the sources whose whole name fits the pattern (``*`` any letters, ``?`` one).

    ``expected_s``: so many seconds may pass between two words. With ``hours`` ``working`` only office hours of
    working days count as silence. ``owner`` is the group of recipients that answers for them.
    """

    pattern: str
    expected_s: int
    hours: Hours
    owner: str

    @property
    def expression(self) -> str:
        """The pattern as a regular expression (of Python and of RE2) for the whole name."""
        inner = "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in self.pattern)
        return f"^(?s:{inner})"


class Sources(msgspec.Struct, frozen=True):
    """All expectations, in order: the first whose pattern fits a source decides; the last fits every one."""

    paces: tuple[SourcePace, ...]
    calendar: WorkCalendar

    def of(self, source: str) -> SourcePace:
        """Return what is expected of a source."""
        return next(pace for pace in self.paces if _fits(pace.expression, source))

    def silent_s(self, source: str, since_s: int, now_s: int) -> int:
        """Return for how many seconds a source last heard at ``since_s`` has been silent, in the hours that count.

        Raises CalendarError for a day that the calendar does not cover.
        """
        if self.of(source).hours == "working":
            return office_seconds(since_s, now_s, self.calendar)
        return max(0, now_s - since_s)


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    pattern: Annotated[str, Meta(min_length=1, max_length=128)]
    expected: str
    owner: Annotated[str, Meta(min_length=1, max_length=64)]
    hours: Hours = "always"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    sources: Annotated[list[_Entry], Meta(min_length=1)]


def parse_sources(text: str, origin: str, calendar: WorkCalendar) -> Sources:
    """Read sources from text; ``origin`` names it in errors. Raises SourcesError."""
    try:
        entries = msgspec.convert(tomllib.loads(text), _File).sources
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SourcesError(f"{origin}: {error}: correct this key") from None
    paces: list[SourcePace] = []
    for number, entry in enumerate(entries, 1):
        place = f"{origin}: [[sources]] number {number} ({entry.pattern!r})"
        try:
            expected_s = seconds_of(entry.expected)
        except ValueError as error:
            raise SourcesError(f"{place}: expected: {error}") from None
        if expected_s == 0:
            raise SourcesError(f"{place}: expected is 0: no source speaks without a pause; write at least 1s")
        if paces and paces[-1].pattern == "*":
            raise SourcesError(f'{place} is never reached: move it before the entry with pattern = "*"')
        if any(pace.pattern == entry.pattern for pace in paces):
            raise SourcesError(f"{place} repeats the pattern of an entry before it: remove one of them")
        paces.append(SourcePace(pattern=entry.pattern, expected_s=expected_s, hours=entry.hours, owner=entry.owner))
    if paces[-1].pattern != "*":
        raise SourcesError(f'{origin}: the last of [[sources]] must have pattern = "*": add one for all others')
    return Sources(tuple(paces), calendar)


@lru_cache(maxsize=4_096)
def _fits(expression: str, source: str) -> bool:
    return re.fullmatch(expression, source) is not None
