"""quixstreams: newest per dossier, regrouped by unit through Kafka, windows with grace for what is late."""

# mypy: disable-error-code="import-not-found"
# The engine is installed beside the project only.

from typing import Any

from quixstreams import Application
from quixstreams.dataframe.windows import Reduce

from benchmarks.peers.job import HOUR_S, MINUTE_S, TUMBLING, Job, Pane, Stopwatch, Took, change

MS = 1_000


def main(job: Job) -> None:
    """Read until everything that was regrouped has been counted."""
    watch, windows = Stopwatch(job), dict[Pane, tuple[int, int]]()
    sent, taken, took = [0], [0], list[Took]()

    def end(*_: Any) -> None:
        if watch.done == job.events and taken[0] == sent[0] and not took:
            took.append(watch.look())
            app.stop()

    app = Application(
        broker_address=job.bootstrap,
        consumer_group=f"peer-{job.windows}-{job.run}",
        auto_offset_reset="earliest",
        state_dir=f"{job.result}-quix",
        loglevel="ERROR",
        on_message_processed=end,
    )

    def newest(event: Any, state: Any) -> list[Any]:
        known = state.get("seen")
        changed = change(known and tuple(known), event)
        deltas: list[Any] = []
        if changed is not None:
            state.set("seen", changed[0])
            deltas = changed[1]
        sent[0] += len(deltas)
        watch.tick()
        return deltas

    def keep(window: Any, key: str, _timestamp: int, _headers: Any) -> None:
        unit, indicator = key.split("/")
        good, counted = window["value"]
        windows[unit, indicator, window["start"] // MS] = (good, counted)

    def count(_: Any) -> None:
        taken[0] += 1

    frame = app.dataframe(app.topic(job.topic, value_deserializer="json"))
    frame = frame.apply(newest, stateful=True, expand=True)
    frame = frame.set_timestamp(lambda delta, *_: delta[2] * MS)
    frame = frame.group_by(
        lambda delta: f"{delta[0]}/{delta[1]}", name="unit", key_deserializer="str", key_serializer="str"
    )
    frame = frame.update(count)
    if job.windows == TUMBLING:
        windowed = frame.tumbling_window(MINUTE_S * MS, grace_ms=job.patience_s * MS)
    else:
        windowed = frame.hopping_window(HOUR_S * MS, MINUTE_S * MS, grace_ms=job.patience_s * MS)
    reducer = Reduce(lambda sums, delta: [sums[0] + delta[3], sums[1] + delta[4]], lambda delta: [delta[3], delta[4]])
    windowed.agg(value=reducer).current().update(keep, metadata=True)
    app.run()
    job.finish(took[0], windows.items(), "quixstreams", "confluent-kafka", "orjson")


if __name__ == "__main__":
    main(Job.read())
