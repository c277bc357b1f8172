"""The accounts of the embedded store: hashes in one file, and beside it the passwords of its own two."""

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nhip.local.errors import LocalServiceError
from producers.tokens import AccessError, HashedToken, TokenStore, TokenWatch
from sinks.rights import Role

__all__ = ["READER", "USERS_FILE", "WRITER", "Door", "StoreUser", "StoreUsers", "own_passwords", "password_file"]

WRITER, READER = "nhip", "nhip_reader"
"""The accounts that every store has; their passwords are made at its first start."""
USERS_FILE = "users.json"
PASSWORDS = "passwords"


class StoreUser(HashedToken, frozen=True, forbid_unknown_fields=True):
    """One account: its role and, for GRAFANA, the units it is limited to, those below them named too; none: all."""

    role: Role
    units: tuple[str, ...] = ()


class StoreUsers(TokenStore[StoreUser]):
    """The accounts of the store in a data folder. Raises AccessError."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / USERS_FILE, StoreUser, "accounts of the store")

    def create(
        self, name: str, role: Role, now: datetime, units: Sequence[str] = (), lifetime: timedelta | None = None
    ) -> str:
        """Add an account and return its password: it is shown this once, and only its hash is kept."""
        expires = None if lifetime is None else now + lifetime
        return self.add(name, lambda sha256: StoreUser(name, sha256, now, role, tuple(units), expires=expires))


class Door:
    """Tells who comes. A change of the file holds at once; one that cannot be read lets nobody in."""

    def __init__(self, folder: Path) -> None:
        self._watch = TokenWatch(StoreUsers(folder))

    def enter(self, name: str, password: str) -> StoreUser | None:
        """Return the account, or None when there is none of that name and password, or it has expired."""
        found = self._watch.find(password)
        # The name that rotation gave to what is still good: who has not yet heard of the new password.
        if found is None or found.name.removesuffix(".old") != name:
            return None
        return None if found.expires is not None and found.expires <= datetime.now(UTC) else found


def password_file(folder: Path, name: str) -> Path:
    """Return where the password of one of the store's own accounts is."""
    return folder / PASSWORDS / name


def own_passwords(folder: Path) -> None:
    """See to it that the store's own accounts exist, with passwords that only this account of the system can read.

    Raises LocalServiceError.
    """
    users = StoreUsers(folder)
    try:
        known = {user.name: user.sha256 for user in users.read()}
        for name, role in ((WRITER, Role.WRITER), (READER, Role.READER)):
            file = password_file(folder, name)
            if name in known and _hash_in(file) == known[name]:
                continue
            now = datetime.now(UTC)
            # A password that was lost is made anew: nobody can know the old one.
            secret = users.rotate(name, now, timedelta(0), None) if name in known else users.create(name, role, now)
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.unlink(missing_ok=True)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(f"{secret}\n")
    except (AccessError, OSError) as error:
        raise LocalServiceError(f"the store's accounts in {folder} cannot be made: {error}") from error


def _hash_in(file: Path) -> str | None:
    try:
        return hashlib.sha256(file.read_bytes().strip()).hexdigest()
    except OSError:
        return None
