"""Who may look: wall tokens that can be revoked and limited to units, everybody, or this machine alone."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import ip_address
from pathlib import Path

import msgspec

from contract.marks import epoch_us
from producers.tokens import AccessError, HashedToken, TokenStore, TokenWatch
from streams.clock import Now, wall_clock_us

__all__ = ["Access", "AccessError", "Mode", "Token", "TokenFile", "Viewer", "is_loopback"]


class Mode(Enum):
    """How viewers are told apart."""

    TOKENS = "tokens"
    PUBLIC = "public"
    LOOPBACK = "loopback"


class Token(HashedToken, frozen=True, forbid_unknown_fields=True):
    """A wall token; without units it may see everything."""

    units: tuple[str, ...] = ()


class Viewer(msgspec.Struct, frozen=True):
    """Somebody who may look; ``units``: only at these and what is below them, None: at everything."""

    name: str
    units: tuple[str, ...] | None = None
    sha256: str | None = None


class TokenFile(TokenStore[Token]):
    """The wall tokens in their file. Raises AccessError."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, Token, "wall tokens")

    def create(self, name: str, units: Sequence[str], now: datetime, lifetime: timedelta | None = None) -> str:
        """Add a token and return it: it is shown this once and never kept. ``lifetime``: None is for ever."""
        expires = None if lifetime is None else now + lifetime
        return self.add(name, lambda sha256: Token(name, sha256, now, tuple(dict.fromkeys(units)), expires=expires))


class Access:
    """Decides for each request. ``below(code)`` gives a unit and all units under it.

    The token file is read again when it has changed; one that cannot be read then lets nobody in.
    """

    def __init__(
        self,
        mode: Mode,
        tokens: TokenFile | None = None,
        below: Callable[[str], frozenset[str]] | None = None,
        wall_us: Now = wall_clock_us,
    ) -> None:
        self.mode = mode
        self._wall_us = wall_us
        self._watch = None if tokens is None else TokenWatch(tokens)
        self._below = below or (lambda code: frozenset({code}))

    @classmethod
    def choose(
        cls, host: str, tokens: TokenFile, below: Callable[[str], frozenset[str]], *, public: bool
    ) -> "Access":
        """Choose the mode: public when said so, else tokens when there are any, else this machine alone.

        Raises AccessError when the address could be reached by others and neither holds.
        """
        if public:
            return cls(Mode.PUBLIC, below=below)
        if tokens.read():
            return cls(Mode.TOKENS, tokens, below)
        if not is_loopback(host):
            raise AccessError(
                f"{host} can be reached from other machines, and there are no wall tokens: create one "
                "(`nhip wall-token create --name …`), or let everybody look with --public"
            )
        return cls(Mode.LOOPBACK, below=below)

    def viewer(self, secret: str | None) -> Viewer | None:
        """Return who comes with this token (None: without one), or None when they may not look."""
        if self.mode is not Mode.TOKENS:
            return Viewer(self.mode.value)
        if secret is None or self._watch is None:
            return None
        token = self._watch.find(secret)
        return _viewer(token) if token is not None and self._in_force(token) else None

    def still(self, viewer: Viewer) -> bool:
        """Whether a viewer may go on looking: false soon after the token was revoked or changed, or expired."""
        if viewer.sha256 is None:
            return True
        token = None if self._watch is None else self._watch.current().get(viewer.sha256)
        return token is not None and self._in_force(token) and _viewer(token) == viewer

    def _in_force(self, token: Token) -> bool:
        return token.expires is None or epoch_us(token.expires) > self._wall_us()

    def allows(self, viewer: Viewer, code: str) -> bool:
        """Whether a viewer may see a unit."""
        return viewer.units is None or any(code in self._below(own) for own in viewer.units)


def _viewer(token: Token) -> Viewer:
    return Viewer(token.name, token.units or None, token.sha256)


def is_loopback(host: str) -> bool:
    """Whether an address to bind to can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
