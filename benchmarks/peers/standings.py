"""What all runs came to: speeds, windows wrong, and how the worker stands to each engine."""

import statistics
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.peers.engines import FLOOR, OTHERS, WORKER
from benchmarks.peers.job import SLIDING, TUMBLING, Panes, Took
from benchmarks.report import Figure

__all__ = ["Standings"]

TARGETS = (
    ("Faust with Tables", ("Faust, Tables",), TUMBLING, 1 / 40),
    ("Faust with dicts", ("Faust, dicts",), TUMBLING, 1 / 15),
    ("the fastest engine", OTHERS, TUMBLING, 1 / 1.5),
    ("the fastest engine", OTHERS, SLIDING, 1 / 5),
    ("the fastest bare loop", FLOOR, TUMBLING, 3.0),
)
"""Who is compared, and the largest share of the worker's speed that is good."""


class _Sample(NamedTuple):
    """One run for one kind of window: windows that are not what they must be, of how many there must be."""

    events: int
    events_per_s: float
    wrong: int
    of: int


class Standings:
    """The samples of all runs, by engine and kind of window."""

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self._samples: dict[tuple[str, str], list[_Sample]] = defaultdict(list)

    def take(self, name: str, kind: str, took: Took, windows: Panes, truth: Panes) -> None:
        """Judge one run: a window is wrong when it differs, is missing, or should not be."""
        wrong = sum(windows.get(key) != value for key, value in truth.items()) + len(windows.keys() - truth.keys())
        self._samples[name, kind].append(_Sample(took.events, took.events / took.seconds, wrong, len(truth)))

    def figures(self) -> Iterator[Figure]:
        """Yield median speeds, the most windows wrong in any run, and the comparisons that have a target."""
        for (name, kind), samples in self._samples.items():
            speed = self._median(name, kind)
            speeds = [sample.events_per_s for sample in samples]
            times = self._median(WORKER, kind) / speed
            note = f"{samples[0].events:,} events, {len(samples)} runs, {min(speeds):,.0f} to {max(speeds):,.0f}"
            if name != WORKER:
                note += f"; {WORKER} is {times:,.2f} times as fast"
            if found := self.versions.get(name):
                note += f"; {found}"
            yield Figure("peers", f"{name}, {kind}", speed, "events/s", note=note)
            worst = max(samples, key=lambda sample: sample.wrong)
            yield Figure(
                "peers",
                f"{name}, {kind}: windows wrong",
                worst.wrong,
                f"of {worst.of:,}",
                target=0 if name == WORKER else None,
            )
        for what, names, kind, share in TARGETS:
            there = [name for name in names if (name, kind) in self._samples]
            if there:
                fastest = max(there, key=lambda name: self._median(name, kind))
                value = self._median(fastest, kind) / self._median(WORKER, kind)
                yield Figure("peers", f"{what} against {WORKER}, {kind}", 100 * value, "%", 100 * share, note=fastest)

    def _median(self, name: str, kind: str) -> float:
        return statistics.median(sample.events_per_s for sample in self._samples[name, kind])
