"""A bytewax dataflow: newest per dossier, then windows per unit that wait for what is late."""

# mypy: disable-error-code="import-not-found, misc"
# The engine is installed beside the project only.

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators import windowing
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from benchmarks.peers.job import HOUR_S, MINUTE_S, TUMBLING, Delta, Job, Pane, Seen, Stopwatch, change

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Kept(StatelessSinkPartition[Any], DynamicSink[Any]):
    """Keeps all closed windows."""

    def __init__(self) -> None:
        self.windows: dict[Pane, tuple[int, int]] = {}

    def build(self, _step_id: str, _index: int, _count: int) -> "_Kept":
        return self

    def write_batch(self, items: list[tuple[str, tuple[int, tuple[int, int]]]]) -> None:
        for key, (number, sums) in items:
            unit, indicator = key.split("/")
            self.windows[unit, indicator, number * MINUTE_S] = sums


def main(job: Job) -> None:
    """Read to the end, which closes all windows."""
    watch, kept = Stopwatch(job), _Kept()

    def decode(message: Any) -> tuple[str, Any]:
        event = orjson.loads(message.value)
        watch.tick()
        return event["subject"], event

    def newest(known: Seen | None, event: Any) -> tuple[Seen | None, Iterable[Delta]]:
        return change(known, event) or (known, ())

    minute = timedelta(seconds=MINUTE_S)
    windower: Any
    if job.windows == TUMBLING:
        windower = windowing.TumblingWindower(length=minute, align_to=EPOCH)
    else:
        windower = windowing.SlidingWindower(length=timedelta(seconds=HOUR_S), offset=minute, align_to=EPOCH)
    # Without waking up for windows by the wall clock, in which all of the load is long over.
    clock = windowing.EventClock(
        _time, wait_for_system_duration=timedelta(seconds=job.patience_s), to_system_utc=lambda _: None
    )

    flow = Dataflow("peer")
    source = KafkaSource([job.bootstrap], [job.topic], tail=False, batch_size=1_000)
    events = op.map("decode", op.input("source", flow, source), decode)
    deltas = op.stateful_flat_map("newest", events, newest)
    keyed = op.map("key", deltas, lambda item: (f"{item[1][0]}/{item[1][1]}", item[1]))
    folded = windowing.fold_window("windows", keyed, clock, windower, lambda: (0, 0), _add, _merge, ordered=False)
    op.output("kept", folded.down, kept)
    run_main(flow)
    job.finish(watch.look(), kept.windows.items(), "bytewax", "confluent-kafka", "orjson")


def _time(delta: Delta) -> datetime:
    return datetime.fromtimestamp(delta[2], UTC)


def _add(sums: tuple[int, int], delta: Delta) -> tuple[int, int]:
    return sums[0] + delta[3], sums[1] + delta[4]


def _merge(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


if __name__ == "__main__":
    main(Job.read())
