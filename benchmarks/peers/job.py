"""The job that every engine does, in plain Python: it is imported in virtual environments that lack this project.

Of each dossier only the snapshot with the largest version counts. It gives at most two marks to its unit: ``online``
at ``received_at``, good when it was filed online, unless it is rejected or void; ``on_time`` at ``finished_at``, good
when that is not after ``due_at``, once it is completed or returned. Marks are summed in windows that begin with a
whole minute and last a minute (tumbling) or an hour (sliding by a minute).

**Right** is a window (unit, indicator, start) whose (good, counted) at the end of the input is what the newest
snapshots of the whole input give, however unevenly the partitions were read. A window without marks is none.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "BOTH",
    "HOUR_S",
    "MINUTE_S",
    "SLIDING",
    "TUMBLING",
    "Delta",
    "Job",
    "Pane",
    "Panes",
    "Seen",
    "Stopwatch",
    "Took",
    "Windows",
    "change",
    "slide",
]

TUMBLING, SLIDING, BOTH = "tumbling", "sliding", "both"
MINUTE_S, HOUR_S = 60, 3600
WARM_UP_SHARE = 0.1
WARM_UP_MOST = 1_000
"""Events before the clock starts, at most: connections, the first fetch and the tables' recovery are over by then."""
FINISHED = ("completed", "returned")

Pane = tuple[str, str, int]
"""(unit, indicator, start in seconds since 1970)"""
Panes = Mapping[Pane, tuple[int, int]]
"""Window → (good, counted)."""
Seen = tuple[int, str, int | None, int, int | None, int]
"""What is kept of a dossier: version, unit, then time and good of ``online`` and of ``on_time``."""
Delta = tuple[str, str, int, int, int]
"""What changes: unit, indicator, time in seconds, good, counted."""


class Took(NamedTuple):
    """So many events in so many seconds, after the warm-up."""

    events: int
    seconds: float


Windows = Iterable[tuple[Pane, tuple[int, int]]]


class Job(NamedTuple):
    """What one run of one engine is told, as JSON in its only argument."""

    bootstrap: str
    topic: str
    partitions: int
    events: int
    windows: str
    result: str
    patience_s: int
    """How long windows wait for what is late, in engines that must be told."""
    warm_topic: str
    """A short topic with the first records, for engines whose start-up is measured by itself."""
    warm_events: int
    jars: str
    java: str
    """Class path and Java of the engine that needs them."""
    run: int
    """Number of the run: names in Kafka are new in each."""

    @classmethod
    def read(cls) -> "Job":
        """Return the job of this process."""
        return cls(**json.loads(sys.argv[1]))

    def text(self) -> str:
        """Return it as that argument."""
        return json.dumps(self._asdict())

    @property
    def length_s(self) -> int:
        """How long a window lasts."""
        return MINUTE_S if self.windows == TUMBLING else HOUR_S

    @property
    def warm_up(self) -> int:
        """So many events come before the clock starts."""
        return min(WARM_UP_MOST, int(self.events * WARM_UP_SHARE))

    def finish(self, took: Took, windows: Windows, *packages: str) -> None:
        """Write the result of a run for one kind of window."""
        self.finish_all({self.windows: (took, windows)}, *packages)

    def finish_all(self, found: Mapping[str, tuple[Took, Windows]], *packages: str) -> None:
        """Write what was measured and counted for each kind of window; the runner waits for the file."""
        document = {
            "versions": {name: version(name) for name in packages},
            "found": {
                kind: {
                    "events": took.events,
                    "seconds": took.seconds,
                    "windows": [[*key, good, counted] for key, (good, counted) in windows if counted],
                }
                for kind, (took, windows) in found.items()
            },
        }
        draft = Path(self.result + ".draft")
        draft.write_text(json.dumps(document), "utf-8")
        draft.replace(self.result)


class Stopwatch:
    """Counts events; the clock starts when the job's warm-up is over."""

    def __init__(self, job: Job) -> None:
        self._warm_up = job.warm_up
        self._began_s = time.monotonic()
        self._total = job.events
        self.done = 0

    def tick(self) -> None:
        """One more event was read."""
        self.done += 1
        if self.done == self._warm_up:
            self._began_s = time.monotonic()

    def look(self) -> Took:
        """Return all events and the seconds since the warm-up."""
        return Took(self._total - self._warm_up, time.monotonic() - self._began_s)


def change(known: Seen | None, event: Mapping[str, Any]) -> tuple[Seen, list[Delta]] | None:
    """Return what to keep of a dossier now and what changes in the windows; None when a newer one is known."""
    number: int = event["version"]
    if known is not None and known[0] >= number:
        return None
    data = event["data"]
    unit, status = data["unit"], data["status"]
    online_s: int | None = None
    on_time_s: int | None = None
    online = on_time = 0
    received = data.get("received_at")
    if received is not None and status not in ("rejected", "void"):
        online_s = int(datetime.fromisoformat(received).timestamp())
        online = int(data["channel"] == "online")
    if status in FINISHED:
        finished = datetime.fromisoformat(data["finished_at"])
        on_time_s = int(finished.timestamp())
        on_time = int(finished <= datetime.fromisoformat(data["due_at"]))
    seen = (number, unit, online_s, online, on_time_s, on_time)
    if known is not None and known[1:] == seen[1:]:
        return seen, []
    deltas = [] if known is None else [*_marks(known, -1)]
    deltas += _marks(seen, 1)
    if len(deltas) > 1:
        # What is withdrawn and added in the same place moves nothing.
        deltas = [d for d in deltas if (*d[:3], -d[3], -d[4]) not in deltas]
    return seen, deltas


def _marks(seen: Seen, sign: int) -> Iterator[Delta]:
    _, unit, online_s, online, on_time_s, on_time = seen
    if online_s is not None:
        yield unit, "online", online_s, sign * online, sign
    if on_time_s is not None:
        yield unit, "on_time", on_time_s, sign * on_time, sign


def slide(panes: Windows) -> Iterator[tuple[Pane, tuple[int, int]]]:
    """Yield every hour that begins with a minute and holds a mark, from the minutes' panes."""
    for (unit, indicator), group in groupby(sorted(panes), lambda pane: pane[0][:2]):
        moves: dict[int, list[int]] = {}
        for (_, _, at_s), (good, counted) in group:
            for moment_s, sign in ((at_s - HOUR_S + MINUTE_S, 1), (at_s + MINUTE_S, -1)):
                move = moves.setdefault(moment_s, [0, 0])
                move[0] += sign * good
                move[1] += sign * counted
        good = counted = 0
        moments = sorted(moves)
        for moment_s, following_s in pairwise(moments):
            good += moves[moment_s][0]
            counted += moves[moment_s][1]
            if counted:
                for start_s in range(moment_s, following_s, MINUTE_S):
                    yield (unit, indicator, start_s), (good, counted)
