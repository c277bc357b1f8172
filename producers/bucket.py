"""How much a token may send: a bucket that fills with time."""

from collections.abc import Callable

__all__ = ["Bucket"]


class Bucket:
    """Holds up to ``burst`` events' worth and fills by ``rate_per_s``. ``clock`` gives seconds that only grow.

    A request is admitted while the bucket is above zero, and may take it below: so a batch larger than the burst
    passes, and the next one waits for it.
    """

    def __init__(self, rate_per_s: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._clock = clock
        self._level = burst
        self._at_s = clock()

    def wait_s(self) -> float:
        """Return 0 when a request is admitted now, else in how many seconds."""
        now_s = self._clock()
        self._level = min(self._burst, self._level + (now_s - self._at_s) * self._rate_per_s)
        self._at_s = now_s
        return 0.0 if self._level > 0 else (1 - self._level) / self._rate_per_s

    def take(self, events: int) -> None:
        """Take what a request came to; one without events costs one."""
        self._level -= max(1, events)
