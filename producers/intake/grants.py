"""What a producer's token permits: sources, kinds and units, until a moment. Pure, but for the file."""

from collections.abc import Callable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from contract.decode import EventError
from contract.kind import Event, Kind
from contract.registry import kind as kind_of
from producers.tokens import AccessError, HashedToken, TokenStore

__all__ = ["Grant", "IntakeToken", "IntakeTokenFile", "Limits"]

REMEMBERED_SOURCES = 1_000
"""A source's verdict is remembered; sources come from events, so what is remembered needs a bound."""


class IntakeToken(HashedToken, frozen=True, forbid_unknown_fields=True):
    """A producer's token.

    ``sources``: patterns such as ``onestop/*``, of which an event's source must match one; ``kinds``: keys of
    kinds, none: all; ``units``: these and all below them, none: all.
    """

    sources: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


class Limits(NamedTuple):
    """What a new token is limited to; see IntakeToken."""

    sources: Sequence[str]
    kinds: Sequence[str] = ()
    units: Sequence[str] = ()
    expires: datetime | None = None


class IntakeTokenFile(TokenStore[IntakeToken]):
    """The producers' tokens in their file. Raises AccessError."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, IntakeToken, "intake tokens")

    def create(self, name: str, limits: Limits, now: datetime) -> str:
        """Add a token and return it: it is shown this once and never kept."""
        if not limits.sources or not all(0 < len(pattern) <= 128 for pattern in limits.sources):  # noqa: PLR2004 - as Source
            raise AccessError("a token needs the sources that it may speak for, such as --source 'onestop/*'")
        for key in limits.kinds:
            try:
                kind_of(key)
            except KeyError as error:
                raise AccessError(str(error.args[0])) from None
        if limits.expires is not None and (limits.expires.tzinfo is None or limits.expires <= now):
            raise AccessError(f"{limits.expires.isoformat()} is no moment with an offset in the future")
        sources, kinds, units = (tuple(dict.fromkeys(part)) for part in (limits.sources, limits.kinds, limits.units))
        return self.add(
            name, lambda sha256: IntakeToken(name, sha256, now, sources, kinds, units, expires=limits.expires)
        )


class Grant:
    """A token made ready to judge events. ``below(code)`` gives a unit and all units under it."""

    def __init__(self, token: IntakeToken, below: Callable[[str], frozenset[str]]) -> None:
        self.token = token
        self._units = frozenset().union(*map(below, token.units)) if token.units else None
        self._sources: dict[str, bool] = {}

    def check(self, kind: Kind, event: Event) -> None:
        """Raise EventError with the reason ``source``, ``kind`` or ``unit`` for what the token does not permit."""
        token, data = self.token, _data(event)
        if token.kinds and kind.key not in token.kinds:
            raise EventError("kind", f"this token may only send {', '.join(token.kinds)} - at `$.type`")
        if not self._may_speak_for(event.source):
            raise EventError("source", f"this token may only speak for {', '.join(token.sources)} - at `$.source`")
        if self._units is not None and data.unit not in self._units:
            raise EventError("unit", f"this token may only tell of {', '.join(token.units)} - at `$.data.unit`")

    def _may_speak_for(self, source: str) -> bool:
        found = self._sources.get(source)
        if found is None:
            found = any(fnmatchcase(source, pattern) for pattern in self.token.sources)
            if len(self._sources) >= REMEMBERED_SOURCES:
                self._sources.clear()
            self._sources[source] = found
        return found


def _data(event: Event) -> Any:
    """Return the snapshot: every kind has a unit, the base of all does not declare it."""
    return event.data
