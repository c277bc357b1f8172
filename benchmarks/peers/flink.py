"""Flink SQL with parallelism 1, in one JVM that is steered over py4j: PyFlink's way without its Python functions.

Minutes are plain groups that are updated; hours are a window function that waits a day for what is late. Both are
exact, and each the faster one for its windows. The window function needs the mark's time as watermark, and an event
may bear two marks: there the topic is read twice, once for each.
"""

# mypy: disable-error-code="import-not-found"
# The engine is installed beside the project only.

import json
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from py4j.java_gateway import JavaGateway

from benchmarks.peers.job import TUMBLING, Job, Pane, Took

OPENED = (
    "lang",
    "util",
    "net",
    "nio",
    "io",
    "text",
    "time",
    "lang.reflect",
    "util.concurrent",
    "util.concurrent.atomic",
)
OPTIONS = ("-Xmx2g", "-XX:+UseSerialGC")
SETTINGS = {
    "parallelism.default": "1",
    "table.local-time-zone": "UTC",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "1 s",
    "table.exec.mini-batch.size": "5000",
    "table.optimizer.agg-phase-strategy": "TWO_PHASE",
}
OFFSET_S = 7 * 3600
"""All times of the load are those of Viet Nam, and SQL reads them as they stand."""
FIRST_RUNS = 2
"""Runs before those that count: classes are loaded and compiled in them."""
PATIENCE_S = 10.0
BATCH = 10_000

MOMENT = "TO_TIMESTAMP(REPLACE(SUBSTRING({} FROM 1 FOR 19), 'T', ' '))"
EVENTS = """
    CREATE TEMPORARY TABLE {name}_events
    (
        subject STRING,
        version BIGINT,
        `data` ROW<unit STRING, channel STRING, status STRING, submitted_at STRING, received_at STRING,
            due_at STRING, finished_at STRING>{watermark}
    ) WITH (
        'connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{bootstrap}',
        'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'format' = 'json'
    )"""
WATERMARK = ", moment AS {moment}, WATERMARK FOR moment AS moment - INTERVAL '1' DAY"
NEWEST = """
    CREATE TEMPORARY VIEW {name}_newest AS
    SELECT * FROM
    (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY subject ORDER BY version DESC) AS place FROM {name}_events
    )
    WHERE place = 1"""
# Texts of one offset are ordered as their times are.
ONLINE = """
    CREATE TEMPORARY VIEW online AS
    SELECT {moment} AS moment, `data`.unit AS unit, CASE WHEN `data`.channel = 'online' THEN 1 ELSE 0 END AS good
    FROM {name}_newest WHERE `data`.received_at IS NOT NULL AND `data`.status NOT IN ('rejected', 'void')"""
ON_TIME = """
    CREATE TEMPORARY VIEW on_time AS
    SELECT {moment} AS moment, `data`.unit AS unit,
        CASE WHEN `data`.finished_at <= `data`.due_at THEN 1 ELSE 0 END AS good
    FROM {name}_newest WHERE `data`.status IN ('completed', 'returned')"""
MARKS = (("online", ONLINE, "received"), ("on_time", ON_TIME, "finished"))
MINUTES = """
    SELECT unit, '{mark}' AS mark, FLOOR(moment TO MINUTE) AS begins, SUM(good) AS good, COUNT(*) AS counted
    FROM {mark} GROUP BY unit, FLOOR(moment TO MINUTE)"""
HOURS = """
    SELECT unit, '{mark}' AS mark, window_start AS begins, SUM(good) AS good, COUNT(*) AS counted
    FROM TABLE(HOP(TABLE {mark}, DESCRIPTOR(moment), INTERVAL '1' MINUTE, INTERVAL '1' HOUR))
    GROUP BY unit, window_start, window_end"""
WINDOWS = """
    CREATE TEMPORARY TABLE windows
    (
        unit STRING, mark STRING, begins TIMESTAMP(3), good BIGINT, counted BIGINT,
        PRIMARY KEY (unit, mark, begins) NOT ENFORCED
    ) WITH (
        'connector' = 'upsert-kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{bootstrap}',
        'key.format' = 'json', 'value.format' = 'json'
    )"""


def main(job: Job) -> None:
    """Count the short topic, then everything: the difference is without the start-up."""
    gateway = JavaGateway.launch_gateway(
        classpath=job.jars,
        javaopts=[*OPTIONS, *(f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in OPENED)],
        java_path=job.java,
        die_on_exit=True,
    )
    for number in range(FIRST_RUNS):
        _run(job, gateway, job.warm_topic, f"first-{number}")
    warm_s, _ = _run(job, gateway, job.warm_topic, "warm")
    seconds, windows = _run(job, gateway, job.topic, "all")
    job.finish(Took(job.events - job.warm_events, seconds - warm_s), windows.items(), "py4j")
    gateway.shutdown()


def _run(job: Job, gateway: JavaGateway, topic: str, name: str) -> tuple[float, dict[Pane, tuple[int, int]]]:
    result = f"windows-{name}-{job.windows}-{job.run}"
    admin = AdminClient({"bootstrap.servers": job.bootstrap})
    admin.create_topics([NewTopic(result, job.partitions, 1)])[result].result()
    api = gateway.jvm.org.apache.flink.table.api
    settings = api.EnvironmentSettings.newInstance().inStreamingMode().build()
    tables = api.TableEnvironment.create(settings)
    for key, value in SETTINGS.items():
        tables.getConfig().set(key, value)
    tables.executeSql(WINDOWS.format(topic=result, bootstrap=job.bootstrap))
    places = {"topic": topic, "bootstrap": job.bootstrap}
    if job.windows == TUMBLING:
        tables.executeSql(EVENTS.format(name="all", watermark="", **places))
        tables.executeSql(NEWEST.format(name="all"))
        for _, view, time in MARKS:
            tables.executeSql(view.format(name="all", moment=MOMENT.format(f"`data`.{time}_at")))
    else:
        for _, view, time in MARKS:
            moment = MOMENT.format(f"COALESCE(`data`.{time}_at, `data`.submitted_at)")
            tables.executeSql(EVENTS.format(name=time, watermark=WATERMARK.format(moment=moment), **places))
            tables.executeSql(NEWEST.format(name=time))
            tables.executeSql(view.format(name=time, moment="moment"))
    query = MINUTES if job.windows == TUMBLING else HOURS
    done = tables.executeSql("INSERT INTO windows" + " UNION ALL ".join(query.format(mark=m) for m, _, _ in MARKS))
    took_ms = done.getJobClient().get().getJobExecutionResult().get().getNetRuntime()
    return took_ms / 1_000, _read(job, result)


def _read(job: Job, topic: str) -> dict[Pane, tuple[int, int]]:
    """Return the last word on every window."""
    consumer = Consumer({"bootstrap.servers": job.bootstrap, "group.id": topic, "enable.auto.commit": False})
    parts = [TopicPartition(topic, n, OFFSET_BEGINNING) for n in range(job.partitions)]
    left = sum(consumer.get_watermark_offsets(part, timeout=PATIENCE_S)[1] for part in parts)
    consumer.assign(parts)
    windows: dict[Pane, tuple[int, int]] = {}
    while left:
        for message in consumer.consume(min(left, BATCH), PATIENCE_S):
            left -= 1
            key = json.loads(message.key())
            pane = (key["unit"], key["mark"], _start_s(key["begins"]))
            if message.value() is None:
                windows.pop(pane, None)
            else:
                row: dict[str, Any] = json.loads(message.value())
                windows[pane] = (row["good"], row["counted"])
    consumer.close()
    return windows


def _start_s(begins: str) -> int:
    return int(datetime.fromisoformat(begins).replace(tzinfo=UTC).timestamp()) - OFFSET_S


if __name__ == "__main__":
    main(Job.read())
