"""The lag for the screens: read beside everything else, since Kafka may be slow to say or away."""

import threading
import time

from nhip.lag import Backlog
from producers.access import PLAINTEXT, KafkaAccess
from producers.client import ProducerError

__all__ = ["BacklogWatch"]

INTERVAL_S = 5.0
TRUSTED_S = 20.0
"""A lag older than this is not told any more."""


class BacklogWatch:
    """Asks Kafka for the lag every few seconds in a thread that dies with the program."""

    def __init__(self, bootstrap: str, group: str, access: KafkaAccess = PLAINTEXT) -> None:
        self._bootstrap = bootstrap
        self._access = access
        self._group = group
        self._newest: tuple[float, int] | None = None

    def start(self) -> None:
        """Begin to ask."""
        threading.Thread(target=self._run, name="backlog", daemon=True).start()

    def lag(self) -> int | None:
        """Return the records that are not counted yet over all partitions; None when nobody can say now."""
        newest = self._newest
        return newest[1] if newest is not None and time.monotonic() - newest[0] < TRUSTED_S else None

    def _run(self) -> None:
        while True:
            try:
                with Backlog(self._bootstrap, self._group, self._access) as backlog:
                    while True:
                        self._newest = (time.monotonic(), sum(part.lag for part in backlog.read()))
                        time.sleep(INTERVAL_S)
            except ProducerError:
                time.sleep(INTERVAL_S)
