"""A stock Faust agent with Table windows, each change of which goes to Kafka, as it must to survive a restart."""

from collections.abc import Iterator
from typing import Any

import faust

from benchmarks.peers.faust_app import start
from benchmarks.peers.job import HOUR_S, MINUTE_S, TUMBLING, Job, Pane, Stopwatch, change

GOOD = 1 << 20
"""good · 2²⁰ + counted: one entry for both, half of Faust's work."""


def main(job: Job) -> None:
    """Count everything; the process then idles until it is ended."""

    def agent(app: faust.App) -> Any:
        at = [0]
        newest = app.Table("newest")
        table = app.Table("sums", default=int)
        windowed: Any = table.tumbling(MINUTE_S) if job.windows == TUMBLING else table.hopping(HOUR_S, MINUTE_S)
        # The time of the mark, which is not that of the record.
        sums = windowed.relative_to(lambda _: at[0])

        async def count(stream: Any) -> None:
            watch = Stopwatch(job)
            async for event in stream:
                known = newest.get(event["subject"])
                if (changed := change(known and tuple(known), event)) is not None:
                    newest[event["subject"]], deltas = changed
                    for unit, indicator, at_s, good, counted in deltas:
                        at[0] = at_s
                        sums[f"{unit}/{indicator}"] += good * GOOD + counted
                watch.tick()
                if watch.done == job.events:
                    job.finish(watch.look(), _windows(table), "faust-streaming", "aiokafka", "orjson")

        return count

    start(job, f"tables-{job.windows}", agent)


def _windows(table: Any) -> Iterator[tuple[Pane, tuple[int, int]]]:
    for (key, (start_s, _)), packed in table.data.items():
        unit, indicator = key.split("/")
        yield (unit, indicator, int(start_s)), (packed // GOOD, packed % GOOD)


if __name__ == "__main__":
    main(Job.read())
