"""How often one address may come with a wrong token. A right one passes always: a proxy may stand for everybody."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from producers.bucket import Bucket

__all__ = ["Guesses"]

GUESSES_PER_S: Final = 0.5
BURST: Final = 20
ADDRESSES: Final = 1_000
"""So many addresses are remembered; the one that was quiet longest is forgotten first."""


class Guesses:
    """Counts wrong tokens by address. ``clock`` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def wrong(self, address: str) -> float:
        """Count a wrong token; return 0, or in how many seconds the next one is looked at when there are too many."""
        bucket = self._buckets.pop(address, None) or Bucket(GUESSES_PER_S, BURST, self._clock)
        self._buckets[address] = bucket
        if len(self._buckets) > ADDRESSES:
            self._buckets.popitem(last=False)
        wait_s = bucket.wait_s()
        if wait_s == 0:
            bucket.take(1)
        return wait_s
