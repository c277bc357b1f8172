"""pathway in its static mode, which computes each window once, at the end: its fastest way."""

# mypy: disable-error-code="import-not-found, misc"
# The engine is installed beside the project only.

import time
from typing import Any

import pathway as pw

from benchmarks.peers.job import HOUR_S, MINUTE_S, TUMBLING, Job, Pane, Took

FORMAT = "%Y-%m-%dT%H:%M:%S%z"
FIELDS = ("unit", "channel", "status", "received_at", "due_at", "finished_at")


class Event(pw.Schema):
    """What the job needs of an event."""

    subject: str
    version: int
    unit: str
    channel: str
    status: str
    received_at: str | None = pw.column_definition(default_value=None)
    due_at: str | None = pw.column_definition(default_value=None)
    finished_at: str | None = pw.column_definition(default_value=None)


def main(job: Job) -> None:
    """Count the short topic, then everything: the difference is without the start-up."""
    warm_s, _ = _run(job, job.warm_topic)
    seconds, windows = _run(job, job.topic)
    job.finish(Took(job.events - job.warm_events, seconds - warm_s), windows.items(), "pathway")


def _run(job: Job, topic: str) -> tuple[float, dict[Pane, tuple[int, int]]]:
    windows: dict[Pane, tuple[int, int]] = {}

    def keep(row: dict[str, Any], *, is_addition: bool, **_: Any) -> None:
        pane = (row["unit"], row["indicator"], row["start"])
        if is_addition:
            windows[pane] = (row["good"], row["counted"])
        elif windows.get(pane) == (row["good"], row["counted"]):
            del windows[pane]

    pw.internals.parse_graph.G.clear()
    pw.io.subscribe(_windows(job, _marks(_newest(job, topic))), on_change=keep)
    began_s = time.monotonic()
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, default_logging=False)
    return time.monotonic() - began_s, windows


def _newest(job: Job, topic: str) -> Any:
    settings = {
        "bootstrap.servers": job.bootstrap,
        "group.id": f"peer-{topic}-{job.run}",
        "auto.offset.reset": "earliest",
    }
    events = pw.io.kafka.read(
        settings,
        topic,
        schema=Event,
        format="json",
        mode="static",
        json_field_paths={name: f"/data/{name}" for name in FIELDS},
    )
    largest = events.groupby(events.subject).reduce(id_of=pw.reducers.argmax(events.version))
    return events.ix(largest.id_of)


def _marks(newest: Any) -> Any:
    online = newest.filter(newest.status != "rejected").filter(pw.this.status != "void")
    online = online.filter(pw.this.received_at.is_not_none()).select(
        unit=pw.this.unit,
        indicator="online",
        at=pw.unwrap(pw.this.received_at).dt.strptime(FORMAT).dt.timestamp(unit="s"),
        good=pw.if_else(pw.this.channel == "online", 1, 0),
    )
    ended = newest.filter((newest.status == "completed") | (newest.status == "returned")).select(
        unit=pw.this.unit,
        finished=pw.unwrap(pw.this.finished_at).dt.strptime(FORMAT),
        due=pw.unwrap(pw.this.due_at).dt.strptime(FORMAT),
    )
    on_time = ended.select(
        unit=pw.this.unit,
        indicator="on_time",
        at=pw.this.finished.dt.timestamp(unit="s"),
        good=pw.if_else(pw.this.finished <= pw.this.due, 1, 0),
    )
    return online.concat_reindex(on_time)


def _windows(job: Job, marks: Any) -> Any:
    marks = marks.with_columns(at=pw.cast(int, marks.at))
    if job.windows == TUMBLING:
        window = pw.temporal.tumbling(duration=MINUTE_S, origin=0)
    else:
        window = pw.temporal.sliding(hop=MINUTE_S, duration=HOUR_S, origin=0)
    marks = marks.with_columns(of=pw.make_tuple(marks.unit, marks.indicator))
    return marks.windowby(marks.at, window=window, instance=marks.of).reduce(
        unit=pw.this._pw_instance[0],  # noqa: SLF001 - the engine's own names
        indicator=pw.this._pw_instance[1],  # noqa: SLF001
        start=pw.this._pw_window_start,  # noqa: SLF001
        good=pw.reducers.sum(pw.this.good),
        counted=pw.reducers.count(),
    )


if __name__ == "__main__":
    main(Job.read())
