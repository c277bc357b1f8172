"""What the bare loops and the agent with plain dicts share: everything in two dicts, and nothing kept."""

from collections.abc import Mapping
from typing import Any

from benchmarks.peers.job import MINUTE_S, SLIDING, TUMBLING, Job, Pane, Seen, Stopwatch, change, slide

__all__ = ["Dicts"]


class Dicts:
    """The newest snapshots and the minutes of one run; hours are put together at the end."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._watch = Stopwatch(job)
        self._newest: dict[str, Seen] = {}
        self._sums: dict[Pane, list[int]] = {}

    @property
    def done(self) -> bool:
        """Whether all events were read."""
        return self._watch.done >= self._job.events

    def add(self, event: Mapping[str, Any]) -> None:
        """Count one event."""
        subject: str = event["subject"]
        if (changed := change(self._newest.get(subject), event)) is not None:
            self._newest[subject], deltas = changed
            for unit, indicator, at_s, good, counted in deltas:
                key = (unit, indicator, at_s - at_s % MINUTE_S)
                sums = self._sums.get(key)
                if sums is None:
                    self._sums[key] = [good, counted]
                else:
                    sums[0] += good
                    sums[1] += counted
        self._watch.tick()

    def finish(self, *packages: str) -> None:
        """Put all windows of both kinds together and write the result."""
        minutes = [(key, (good, counted)) for key, (good, counted) in self._sums.items()]
        at_minutes = self._watch.look()
        hours = list(slide(minutes))
        found = {TUMBLING: (at_minutes, minutes), SLIDING: (self._watch.look(), hours)}
        self._job.finish_all(found, *packages)
