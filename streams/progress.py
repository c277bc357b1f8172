"""Progress, proved by Kafka's commits: when a worker that is up does no work, it says so, and its process ends.

Pure: looks come in, a stall goes out. Only time in which the worker could have moved counts against it: not while the
store is away or panes are rebuilt, not while Kafka does not tell, and of a pause in which the process itself stood
still (stopped, or the machine asleep) no more than a look's share.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from streams.rows import Partition

__all__ = ["Look", "ProgressWatch", "Stall", "Standing"]

LONGEST_STEP_LOOKS = 2.0
"""Between two looks no more than so many intervals count: what is more, the process itself did not live through."""


class Standing(NamedTuple):
    """One partition in Kafka: the offset after its last record, and the group's commit (None: nothing yet)."""

    end: int
    committed: int | None


class Look(NamedTuple):
    """What is seen of a worker at one moment.

    ``turns``: how often its event loop has turned, 0 before it does; ``generation``: of the consumer group, as the
    worker knows it; ``held``: its partitions, None while Kafka does not tell; ``excused``: it waits for the store,
    or rebuilds.
    """

    at_s: float
    turns: int
    generation: int
    held: Mapping[Partition, Standing] | None
    excused: bool = False


class Stall(NamedTuple):
    """Nothing has moved for so many seconds. ``partition``: whose records wait; None: the event loop stands still."""

    seconds: float
    partition: Partition | None = None
    standing: Standing | None = None

    def __str__(self) -> str:
        if self.partition is None or self.standing is None:
            return f"the event loop has not turned for {self.seconds:.0f} s"
        waiting = self.standing.end - (self.standing.committed or 0)
        topic, number = self.partition
        return f"{waiting} records of {topic}[{number}] wait, and nothing was committed for {self.seconds:.0f} s"


@dataclass(slots=True)
class _Still:
    """How long something has not moved."""

    mark: object
    seconds: float = 0.0

    def look(self, mark: object, step_s: float) -> float:
        """Count the step when nothing has moved since, begin anew when something has."""
        self.seconds = self.seconds + step_s if mark == self.mark else 0.0
        self.mark = mark
        return self.seconds


class ProgressWatch:
    """Judges looks at one worker, ``interval_s`` apart; a stall is what lasts ``stall_s``."""

    def __init__(self, stall_s: float, interval_s: float) -> None:
        self._stall_s = stall_s
        self._longest_step_s = LONGEST_STEP_LOOKS * interval_s
        self._at_s: float | None = None
        self._loop = _Still(None)
        self._partitions: dict[Partition, _Still] = {}

    @property
    def still_s(self) -> float:
        """Longest time for which something that should move has not, in seconds."""
        return max([self._loop.seconds, *(still.seconds for still in self._partitions.values())])

    def look(self, look: Look) -> Stall | None:
        """Take note of a look; return the stall that it shows."""
        step_s = 0.0 if self._at_s is None else min(look.at_s - self._at_s, self._longest_step_s)
        self._at_s = look.at_s
        loop_s = self._loop.look(look.turns, step_s)
        if look.turns and loop_s >= self._stall_s:
            return Stall(loop_s)
        if look.held is None:
            return None
        self._partitions = {p: still for p, still in self._partitions.items() if p in look.held}
        longest: Stall | None = None
        for partition, standing in look.held.items():
            if standing.end <= (standing.committed or 0):
                self._partitions.pop(partition, None)
                continue
            mark = (look.generation, standing.committed)
            still = self._partitions.get(partition)
            if still is None:
                self._partitions[partition] = _Still(mark)
                continue
            seconds = still.look(mark, 0.0 if look.excused else step_s)
            if seconds >= self._stall_s and (longest is None or seconds > longest.seconds):
                longest = Stall(seconds, partition, standing)
        return longest

    def forgive(self, partition: Partition) -> None:
        """Begin anew with a partition: what seemed to wait there is no record."""
        self._partitions.pop(partition, None)
