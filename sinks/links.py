"""Signed links: who holds one may act on that alert as that recipient, until it expires."""

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

import msgspec

__all__ = [
    "LINK_LIFE_S",
    "ExpiredLinkError",
    "ForgedLinkError",
    "Grant",
    "LinkError",
    "LinkKeyError",
    "LinkSigner",
    "load_link_key",
]

LINK_LIFE_S = 7 * 86_400
"""A critical alert is reminded of more often than weekly, and each message carries a fresh link."""

_KEY_BYTES = 32


class LinkError(Exception):
    """A link that gives no right."""


class ForgedLinkError(LinkError):
    """The signature is not ours for this alert, recipient and expiry: made up, changed, or of another alert."""


class ExpiredLinkError(LinkError):
    """The link was ours and its time is over."""


class LinkKeyError(Exception):
    """The file of the key cannot be used; the text names it and says what to do."""


class Grant(NamedTuple):
    """What a valid link allows: to act on the alert as the recipient, until ``expires_s`` (seconds since 1970)."""

    alert: str
    recipient: str
    expires_s: int


class LinkSigner:
    """Makes and verifies links ``{base}/alerts/{alert}?r={recipient}&e={expiry}&s={signature}``.

    The signature is HMAC-SHA256 over alert, recipient and expiry. All processes that send or answer need the
    same key. Nothing else is secret: a link used for another alert is a forged one.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def link(self, base: str, alert: str, recipient: str, expires_s: int) -> str:
        """Return the link; ``base`` is the address of the wall without a slash at its end."""
        query = urlencode({"r": recipient, "e": expires_s, "s": self.sign(alert, recipient, str(expires_s))})
        return f"{base.rstrip('/')}/alerts/{quote(alert, safe='')}?{query}"

    def sign(self, alert: str, recipient: str, expires: str) -> str:
        """Return the signature as 64 hexadecimal digits."""
        # JSON keeps the three apart: no shifting of characters between them gives the same bytes.
        return hmac.new(self._key, msgspec.json.encode([alert, recipient, expires]), hashlib.sha256).hexdigest()

    def verify(self, alert: str, recipient: str, expires: str, signature: str, now_s: float) -> Grant:
        """Return what the link allows, given its parts as they came. Raises ForgedLinkError, ExpiredLinkError."""
        try:
            genuine = hmac.compare_digest(self.sign(alert, recipient, expires).encode(), signature.encode())
        except UnicodeEncodeError:
            genuine = False
        if not genuine:
            raise ForgedLinkError("the link is not a genuine one for this alert: open it again from the message")
        # Only what we signed gets here, so the expiry is a number.
        if now_s >= int(expires):
            raise ExpiredLinkError("the link has expired: use the one of the newest message")
        return Grant(alert, recipient, int(expires))


def load_link_key(path: Path) -> bytes:
    """Read the key; a missing file is made, readable by its owner alone. Raises LinkKeyError.

    Two processes that make it at once end with the same key: the file appears complete, and only once.
    """
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise LinkKeyError(f"{path}: others can read the key of signed links: run chmod 600 {path}")
        key = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        raise LinkKeyError(f"{path}: this is no key: remove the file, and a new key is made") from None
    except OSError as error:
        raise LinkKeyError(f"{path}: the key cannot be read or made: {error.strerror}") from error
    if len(key) != _KEY_BYTES:
        raise LinkKeyError(f"{path}: the key has {len(key)} bytes, not {_KEY_BYTES}: remove the file for a new one")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes it 0600; a hard link is made whole or not at all, and never over another one.
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        Path(temporary).unlink()
