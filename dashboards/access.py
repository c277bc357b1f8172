"""Who may look: wall tokens that can be revoked and limited to units, everybody, or this machine alone."""

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = ["Access", "AccessError", "Mode", "Token", "TokenFile", "Viewer", "is_loopback"]

_NAME = re.compile(r"[\w .-]{1,64}")


class AccessError(Exception):
    """Tokens cannot be read or written, or an address must not be served so; says what to do."""


class Mode(Enum):
    """How viewers are told apart."""

    TOKENS = "tokens"
    PUBLIC = "public"
    LOOPBACK = "loopback"


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One token as it is kept: never itself, only its SHA-256. Without units it may see everything."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    created: datetime
    units: tuple[str, ...] = ()


class Viewer(msgspec.Struct, frozen=True):
    """Somebody who may look; ``units``: only at these and what is below them, None: at everything."""

    name: str
    units: tuple[str, ...] | None = None
    sha256: str | None = None


class TokenFile:
    """The tokens in a JSON file that only its owner may read. Raises AccessError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[Token, ...]:
        """Return all tokens; none when there is no file."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=tuple[Token, ...])
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError) as error:
            raise AccessError(f"{self.path}: the wall tokens cannot be read: {error}") from error

    def create(self, name: str, units: Sequence[str], now: datetime) -> str:
        """Add a token and return it: it is shown this once and never kept."""
        if not _NAME.fullmatch(name):
            raise AccessError(f"{name!r} is no name: 1 to 64 letters, digits, spaces, dots or hyphens")
        tokens = self.read()
        if any(token.name == name for token in tokens):
            raise AccessError(f"there is a token {name!r} already: revoke it first, or choose another name")
        secret = secrets.token_urlsafe(32)
        self._write((*tokens, Token(name, digest(secret), now, tuple(dict.fromkeys(units)))))
        return secret

    def revoke(self, name: str) -> None:
        """Remove a token; whoever looks with it is shut out within seconds."""
        tokens = self.read()
        left = tuple(token for token in tokens if token.name != name)
        if len(left) == len(tokens):
            known = ", ".join(token.name for token in tokens) or "none"
            raise AccessError(f"there is no token {name!r}; known: {known}")
        self._write(left)

    def _write(self, tokens: tuple[Token, ...]) -> None:
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(tokens)) + b"\n")
            beside.replace(self.path)
        except OSError as error:
            raise AccessError(f"{self.path}: the wall tokens cannot be written: {error}") from error


class Access:
    """Decides for each request. ``below(code)`` gives a unit and all units under it.

    The token file is read again when it has changed; one that cannot be read then lets nobody in.
    """

    def __init__(
        self, mode: Mode, tokens: TokenFile | None = None, below: Callable[[str], frozenset[str]] | None = None
    ) -> None:
        self.mode = mode
        self._file = tokens
        self._below = below or (lambda code: frozenset({code}))
        self._stamp: tuple[int, int] | None = None
        self._viewers: dict[str, Viewer] = {}

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
        return None if secret is None else self._current().get(digest(secret))

    def still(self, viewer: Viewer) -> bool:
        """Whether a viewer may go on looking: false soon after the token was revoked or changed."""
        return viewer.sha256 is None or self._current().get(viewer.sha256) == viewer

    def allows(self, viewer: Viewer, code: str) -> bool:
        """Whether a viewer may see a unit."""
        return viewer.units is None or any(code in self._below(own) for own in viewer.units)

    def _current(self) -> dict[str, Viewer]:
        if self._file is None:
            return {}
        try:
            found = self._file.path.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp != self._stamp:
                self._viewers = {
                    token.sha256: Viewer(token.name, token.units or None, token.sha256) for token in self._file.read()
                }
                self._stamp = stamp
        except (OSError, AccessError):
            self._viewers, self._stamp = {}, None
        return self._viewers


def digest(secret: str) -> str:
    """Return what is kept of a token; it is random and long, so that no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_loopback(host: str) -> bool:
    """Whether an address to bind to can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
