"""What a poller tells of itself: whether its rounds succeed, and its numbers."""

from collections.abc import Callable, Iterator

from nhip.metrics import Sample
from producers.poll.report import RoundReport

__all__ = ["PollHealth"]


class PollHealth:
    """Counts rounds as they end; may be asked from any thread. ``monotonic_s`` gives seconds that only grow."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._done_s: float | None = None
        self._fault: str | None = "no round was done yet"
        self._rounds = self._failed = self._rows = self._refused = self._sent = 0

    def ended(self, found: RoundReport | Exception) -> None:
        """Take note of a round."""
        if isinstance(found, Exception):
            self._failed += 1
            self._fault = "the newest round failed"
            return
        self._done_s = self._monotonic_s()
        self._rounds += 1
        self._rows += found.rows
        self._refused += found.refused
        self._sent += found.sent
        self._fault = None

    def live(self) -> str | None:
        """Return nothing: a round that fails is repeated by the poller itself."""
        return None

    def ready(self) -> str | None:
        """Return why source or Kafka cannot be used now, if so."""
        return self._fault

    def samples(self) -> Iterator[Sample]:
        """Return the numbers as they are now."""
        yield Sample("nhip_poll_rounds_total", self._rounds)
        yield Sample("nhip_poll_rounds_failed_total", self._failed)
        yield Sample("nhip_poll_rows_total", self._rows)
        yield Sample("nhip_poll_rows_refused_total", self._refused)
        yield Sample("nhip_poll_events_sent_total", self._sent)
        if self._done_s is not None:
            yield Sample("nhip_poll_round_age_seconds", self._monotonic_s() - self._done_s)
