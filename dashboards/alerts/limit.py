"""A limit on how often one link may be used."""

from collections import deque
from collections.abc import Callable

__all__ = ["Limit"]


class Limit:
    """Lets each key through ``most`` times in ``span_s`` seconds by ``monotonic_s``; keys at rest are forgotten."""

    def __init__(self, most: int, span_s: float, monotonic_s: Callable[[], float]) -> None:
        self._most = most
        self._span_s = span_s
        self._monotonic_s = monotonic_s
        self._taken: dict[tuple[str, ...], deque[float]] = {}

    def take(self, key: tuple[str, ...]) -> bool:
        """Count one use; false when there were too many, and then it does not count."""
        now_s = self._monotonic_s()
        for other in [key for key, times in self._taken.items() if times[-1] <= now_s - self._span_s]:
            del self._taken[other]
        times = self._taken.setdefault(key, deque())
        while times and times[0] <= now_s - self._span_s:
            times.popleft()
        if len(times) >= self._most:
            return False
        times.append(now_s)
        return True
