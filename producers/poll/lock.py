"""One process a state: a file beside it that only one can hold."""

import fcntl
from pathlib import Path
from typing import IO

from producers.poll.errors import StateError

__all__ = ["locked"]


def locked(path: Path) -> IO[bytes]:
    """Return the held lock of ``path``; it is let go when it is closed or the process ends. Raises StateError."""
    lock = path.with_name(path.name + ".lock")
    try:
        held = lock.open("ab")
    except OSError as error:
        raise StateError(f"{lock}: cannot be written: {error.strerror}: set state to another place") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise StateError(f"{path}: another poller is using it: stop that one, or set state to another file") from None
    return held
