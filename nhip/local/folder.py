"""A service's data folder, and the lock that keeps two services from sharing it."""

import fcntl
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from nhip.local.errors import LocalServiceError

__all__ = ["LOCK_NAME", "DataFolder"]

LOCK_NAME = ".lock"
LOCK_RETRY_S = 0.05
# A service that was just killed needs a moment to vanish; one whose owner died stops in order first.
LIVING_OWNER_WAIT_S = 1.0
DEAD_OWNER_WAIT_S = 30.0
MIN_FREE_BYTES = 256 * 1024 * 1024


class DataFolder:
    """A folder for one running service.

    The lock is the kernel's (flock): it cannot be left behind. The service inherits the descriptor, so the
    lock lasts until both the owner and its service are gone, also when the owner was killed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock = -1

    @property
    def descriptor(self) -> int:
        """The lock's file descriptor, to hand on to the service."""
        return self._lock

    def acquire(self) -> None:
        """Create the folder if need be, close it to other accounts of the machine, and lock it.

        Raises LocalServiceError when it cannot be written, is nearly full, or another process has it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with suppress(PermissionError):  # somebody else's folder, which we may use, stays as open as it is
                self.path.chmod(0o700)
            lock = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            self._wait_for(lock)
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            self._require_space()
        except OSError as error:
            os.close(lock)
            raise self._unusable(error) from error
        except LocalServiceError:
            os.close(lock)
            raise
        self._lock = lock

    def release(self) -> None:
        """Give up this process's part of the lock; may be repeated."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _wait_for(self, lock: int) -> None:
        start = time.monotonic()
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = os.pread(lock, 20, 0).decode(errors="replace").strip()
                wait_s = LIVING_OWNER_WAIT_S if _alive(owner) else DEAD_OWNER_WAIT_S
                if time.monotonic() - start > wait_s:
                    raise LocalServiceError(
                        f"the data folder {self.path} is in use by process {owner or '(unknown)'}: "
                        "stop that process, or choose another folder"
                    ) from None
                time.sleep(LOCK_RETRY_S)
            else:
                return

    def _require_space(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < MIN_FREE_BYTES:
            raise LocalServiceError(
                f"only {free // 1_000_000} MB are free for the data folder {self.path}, "
                f"{MIN_FREE_BYTES // 1_000_000} MB are needed: free some space, or choose another folder"
            )

    def _unusable(self, error: OSError) -> LocalServiceError:
        return LocalServiceError(
            f"the data folder {self.path} cannot be written ({error.strerror or error}): "
            "check its owner and free space, or choose another folder"
        )


def _alive(owner: str) -> bool:
    if not owner.isdecimal():
        return True  # the owner has locked but not yet written its number
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
