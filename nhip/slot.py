"""A place in the system whose part is kept running: who dies in it is started again, ever more slowly."""

import time
from collections.abc import Callable

from nhip.local import LocalServiceError

__all__ = ["LONGEST_PAUSE_S", "YOUNG_S", "Slot"]

YOUNG_S = 10.0
"""A part that dies younger than this is started again more slowly each time."""
LONGEST_PAUSE_S = 15.0


class Slot:
    """One part that must run, and has been started.

    ended: whether it has ended though it should run. start: starts it again, raises LocalServiceError.
    trace: where or what its log is, for who reads that it ended. say: receives what a person wants to know.
    """

    def __init__(
        self,
        name: str,
        *,
        ended: Callable[[], bool],
        start: Callable[[], None],
        trace: Callable[[], str],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.up = True
        """Whether it ran at the last look."""
        self.restarts = 0
        """How often it was started again."""
        self._ended = ended
        self._start = start
        self._trace = trace
        self._say = say
        self._clock = clock
        self._started_s = clock()
        self._deaths = 0
        self._not_before_s = 0.0

    def look(self) -> None:
        """Notice that the part has ended, or start it again when it is time. May block until it serves."""
        if self.up:
            if self._ended():
                self._noticed()
        elif self._clock() >= self._not_before_s:
            try:
                self._start()
            except LocalServiceError as error:
                reason = str(error).partition("\n")[0].partition("; the end of its log")[0]
                self._say(f"{self.name} could not be started again: {reason}; next try in {self._pause():.0f} s")
                return
            self.up, self.restarts, self._started_s = True, self.restarts + 1, self._clock()
            self._say(f"{self.name} is started again")

    def _noticed(self) -> None:
        self.up = False
        if self._clock() - self._started_s >= YOUNG_S:
            self._deaths = 0
        self._say(f"{self.name} has ended; starting it again in {self._pause():.0f} s. {self._trace()}")

    def _pause(self) -> float:
        """Put the next start off, further with each death of a series; return by how much, in seconds."""
        self._deaths += 1
        pause_s = min(LONGEST_PAUSE_S, 0.5 * 2.0**self._deaths)
        self._not_before_s = self._clock() + pause_s
        return pause_s
