"""How far the stream is behind what has arrived: the age of the newest look at Kafka whose records are all stored.

Rules judge only figures that are up to date: while history is being replayed, or a backlog caught up on, half of
it is no truth to tell anybody.
"""

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from streams.clock import US_PER_S
from streams.rows import Partition

__all__ = ["Arrival", "Range", "Standing"]

LOOKS_KEPT = 256
"""So many looks are remembered; when there are more, every second one is forgotten."""


class Range(NamedTuple):
    """The records that Kafka holds of one partition: first offset, and the offset after the last."""

    begin: int
    end: int


class Standing(NamedTuple):
    """How the stream stands to what has arrived.

    ``behind_s``: seconds since the newest look whose records are all stored; never less than the oldest record that
    is not stored has waited. Not ``known``: no look was ever reached, and ``behind_s`` counts from the start, so that
    it may be too small. ``rest_s``: so long nothing has arrived; 0 while something is not stored.
    """

    behind_s: float
    known: bool
    rest_s: float


class _Look(NamedTuple):
    at_us: int
    ends: dict[Partition, int]


class Arrival:
    """Compares looks at Kafka's ends with what was stored later. ``start_us``: nothing is known before."""

    def __init__(self, start_us: int) -> None:
        self._reached_us = self._moved_us = start_us
        self._known = False
        self._ends: dict[Partition, int] | None = None
        self._looks: deque[_Look] = deque()

    def look(self, at_us: int, ranges: Mapping[Partition, Range]) -> None:
        """Remember how far each partition reached at a moment; one without records asks for nothing."""
        ends = {p: r.end for p, r in ranges.items() if r.end > r.begin}
        if ends != self._ends:
            self._ends, self._moved_us = ends, at_us
        self._looks.append(_Look(at_us, ends))
        if len(self._looks) > LOOKS_KEPT:
            self._looks = deque(look for n, look in enumerate(self._looks) if n % 2 == 0)

    def standing(self, now_us: int, flushed: Mapping[Partition, int]) -> Standing:
        """Compare with what is stored at a moment (``flushed``: last offset of each partition)."""
        while self._looks and all(flushed.get(p, -1) + 1 >= end for p, end in self._looks[0].ends.items()):
            self._reached_us = self._looks.popleft().at_us
            self._known = True
        rest_us = self._reached_us - self._moved_us if self._known and not self._looks else 0
        return Standing(max(0, now_us - self._reached_us) / US_PER_S, self._known, rest_us / US_PER_S)
