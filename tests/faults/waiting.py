"""Waiting for what must come by itself, and threads whose errors are kept."""

import threading
import time
from collections.abc import Callable

__all__ = ["LOOK_S", "RECOVERY_S", "Errors", "wait_for"]

RECOVERY_S = 400.0
"""Longest wait for anything that must come back by itself."""
LOOK_S = 0.2


class Errors:
    """Threads whose errors are kept."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def thread(self, work: Callable[[], None]) -> threading.Thread:
        """Start some work beside."""

        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - it is told with the outcome
                self.found.append(f"{type(error).__name__}: {error}")

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        return thread


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is true. An error while asking is no answer. Raises TimeoutError."""
    deadline_s = time.monotonic() + RECOVERY_S
    last = ""
    while True:
        try:
            if condition():
                return
        except Exception as error:  # noqa: BLE001 - the store may just be away
            last = f" ({type(error).__name__}: {error})"
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {RECOVERY_S:.0f} s: {what}{last}")
        time.sleep(LOOK_S)
