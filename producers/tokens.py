"""Bearer tokens in a file: kept hashed, revoked while they are in use. For walls and for the intake alike."""

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

__all__ = ["AccessError", "HashedToken", "TokenStore", "TokenWatch", "digest"]

_NAME = re.compile(r"[\w .-]{1,64}")


class AccessError(Exception):
    """Tokens cannot be read or written, or an address must not be served so; says what to do."""


class _Expiring(msgspec.Struct, frozen=True, kw_only=True):
    expires: datetime | None = None


class HashedToken(_Expiring, frozen=True, forbid_unknown_fields=True):
    """One token as it is kept: never itself, only its SHA-256. What it permits is for its kind to add.

    From ``expires`` on it is refused; None: never.
    """

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    created: datetime


T = TypeVar("T", bound=HashedToken)


class TokenStore(Generic[T]):
    """The tokens of one kind in a JSON file that only its owner may read.

    ``words`` says in errors what they are, such as "wall tokens". Raises AccessError.
    """

    def __init__(self, path: Path, kind: type[T], words: str) -> None:
        self.path = path
        self._kind = kind
        self._words = words

    def read(self) -> tuple[T, ...]:
        """Return all tokens; none when there is no file."""
        try:
            # A tuple of a type that is only known here: mypy cannot read it.
            return msgspec.json.decode(self.path.read_bytes(), type=tuple[self._kind, ...])  # type: ignore[name-defined]
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError) as error:
            raise AccessError(f"{self.path}: the {self._words} cannot be read: {error}") from error

    def add(self, name: str, make: Callable[[str], T]) -> str:
        """Add the token that ``make`` makes of a hash; return its secret, which is shown this once, never kept."""
        if not _NAME.fullmatch(name):
            raise AccessError(f"{name!r} is no name: 1 to 64 letters, digits, spaces, dots or hyphens")
        tokens = self.read()
        if any(token.name == name for token in tokens):
            raise AccessError(f"there is a token {name!r} already: revoke it first, or choose another name")
        secret = secrets.token_urlsafe(32)
        self._write((*tokens, make(digest(secret))))
        return secret

    def rotate(self, name: str, now: datetime, keep: timedelta, lifetime: timedelta | None) -> str:
        """Give a token a new secret with the same rights and return it; the old one is good for ``keep`` more.

        Meanwhile the old one is called ``NAME.old``; one that was called so before ends at once. ``lifetime``: how
        long the new one is good; None: for ever.
        """
        tokens = self.read()
        found = next((token for token in tokens if token.name == name), None)
        if found is None:
            raise self._absent(name, tokens)
        secret = secrets.token_urlsafe(32)
        until = now + keep if found.expires is None else min(found.expires, now + keep)
        old = msgspec.structs.replace(found, name=_old(name), expires=until)
        expires = None if lifetime is None else now + lifetime
        new = msgspec.structs.replace(found, sha256=digest(secret), created=now, expires=expires)
        others = [token for token in tokens if token.name not in (name, old.name)]
        self._write((*others, *([old] if until > now else []), new))
        return secret

    def revoke(self, name: str) -> None:
        """Remove a token and what rotation left of it; whoever comes with it is shut out within seconds."""
        tokens = self.read()
        if all(token.name != name for token in tokens):
            raise self._absent(name, tokens)
        self._write(tuple(token for token in tokens if token.name not in (name, _old(name))))

    def _absent(self, name: str, tokens: tuple[T, ...]) -> AccessError:
        known = ", ".join(token.name for token in tokens) or "none"
        return AccessError(f"there is no token {name!r}; known: {known}")

    def _write(self, tokens: tuple[T, ...]) -> None:
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(tokens)) + b"\n")
            beside.replace(self.path)
        except OSError as error:
            raise AccessError(f"{self.path}: the {self._words} cannot be written: {error}") from error


class TokenWatch(Generic[T]):
    """The tokens in force: the file is read again when it has changed; one that cannot be read lets nobody in."""

    def __init__(self, store: TokenStore[T]) -> None:
        self._store = store
        self._stamp: tuple[int, int] | None = None
        self._tokens: dict[str, T] = {}

    def find(self, secret: str) -> T | None:
        """Return the token of a secret, or None."""
        return self.current().get(digest(secret))

    def current(self) -> dict[str, T]:
        """Return all tokens by hash."""
        try:
            found = self._store.path.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp != self._stamp:
                self._tokens = {token.sha256: token for token in self._store.read()}
                self._stamp = stamp
        except (OSError, AccessError):
            self._tokens, self._stamp = {}, None
        return self._tokens


def _old(name: str) -> str:
    return f"{name[:60]}.old"


def digest(secret: str) -> str:
    """Return what is kept of a token; it has 256 random bits, so that neither salt nor slow hash is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
