"""Events per second into Kafka: the client, replay and the HTTP intake, in turns with bare producers."""

import http.client
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.bare import Confluent, Sent, kafka_python
from benchmarks.report import Figure
from benchmarks.stage import cores, measured, pinned
from contract.kind import Event
from nhip.console import bar, say
from nhip.local import LocalKafka
from nhip.local.ports import free_ports
from nhip.settings import Settings
from producers.client import Producer
from producers.intake import IntakeTokenFile
from producers.intake.grants import Limits
from producers.mapping import load_mapping
from producers.replay import read_events, replay
from producers.spool import Record
from producers.topics import ensure_topics

__all__ = ["EVENTS", "ROUNDS", "run"]

EVENTS = 40_000
ROUNDS = 3
"""Every way is measured so often, all in turns, so that a busy moment of the machine strikes none alone."""
SINGLES = 1_000
"""Fewer for single events over HTTP: they need as long for these."""
BATCH = 100
CONNECTIONS, SINGLE_CONNECTIONS = 16, 32
"""Senders at a time; each answer waits for Kafka's acknowledgement."""
PER = 100_000
"""CPU time is told for so many events."""
PARTITIONS = 4
START_TIMEOUT_S = 60.0
INTAKE_EVENTS_PER_S = 20_000
REPLAY_RATIO = 1.5
BARE = "bare kafka-python"
DATA = Path(__file__).parents[1] / "data" / "receipt.csv"


Way = Callable[[], Sent]


def run(events: int = EVENTS) -> Iterator[Figure]:
    """Measure every way on one core, Kafka and who sends over HTTP on the others.

    Raises RuntimeError when something is not accepted.
    """
    made = _events(events)
    records = [Record("nhip.dossiers", e.subject.encode(), msgspec.json.encode(e)) for e in made]
    place = cores()
    with tempfile.TemporaryDirectory(prefix="nhip-bench-", ignore_cleanup_errors=True) as name, pinned(place.others):
        folder = Path(name)
        say("producers: looking for confluent-kafka …")
        confluent = Confluent(folder)
        with LocalKafka(folder / "kafka") as kafka:
            bootstrap = kafka.bootstrap
            ensure_topics(bootstrap, PARTITIONS, 1)
            with _serving(folder, bootstrap, place.measured) as post:
                ways: dict[str, Way] = {
                    BARE: _pinned(place.measured, lambda: kafka_python(folder, bootstrap, records)),
                    "client": _pinned(place.measured, lambda: _client(bootstrap, made, None)),
                    "client with a spool": _pinned(
                        place.measured, lambda: _client(bootstrap, made, folder / "client.db")
                    ),
                    "replay": _pinned(place.measured, lambda: _replay(bootstrap, made)),
                    "intake, single events": lambda: post(
                        "application/json", [r.value for r in records[:SINGLES]], 1
                    ),
                    f"intake, arrays of {BATCH}": lambda: post("application/json", _arrays(records), BATCH),
                    f"intake, NDJSON of {BATCH} lines": lambda: post("application/x-ndjson", _lines(records), BATCH),
                }
                if confluent.why is None:
                    ways["bare confluent-kafka"] = _pinned(place.measured, lambda: confluent.send(bootstrap, records))
                else:
                    say(f"producers: without confluent-kafka, it does not install: {confluent.why}")
                found = _measure(ways)
    size = statistics.mean(len(record.value) for record in records)
    yield from _figures(found, f"{events:,} events of {size:.0f} bytes, median of {ROUNDS}")


def _measure(ways: dict[str, Way]) -> dict[str, list[Sent]]:
    found: dict[str, list[Sent]] = {name: [] for name in ways}
    with bar("producers") as show:
        for number in range(ROUNDS * len(ways)):
            name = list(ways)[number % len(ways)]
            found[name].append(ways[name]())
            show(number + 1, ROUNDS * len(ways))
    return found


def _figures(found: dict[str, list[Sent]], shape: str) -> Iterator[Figure]:
    speeds = {name: statistics.median(s.events / s.seconds for s in sent) for name, sent in found.items()}
    costs = {name: statistics.median(s.cpu_s / s.events * PER for s in sent) for name, sent in found.items()}
    for name, speed in speeds.items():
        yield Figure("producers", name, speed, "events/s", note=shape if name == BARE else "")
    for name, cost in costs.items():
        yield Figure("producers", f"{name}: CPU for {PER:,} events", cost, "s")
    yield Figure("producers", "replay against bare kafka-python", speeds[BARE] / speeds["replay"], "x", REPLAY_RATIO)
    yield Figure("producers", "replay against bare kafka-python, CPU", costs["replay"] / costs[BARE], "x")
    arrays = INTAKE_EVENTS_PER_S / speeds[f"intake, arrays of {BATCH}"]
    yield Figure("producers", f"intake, arrays: {INTAKE_EVENTS_PER_S:,} events", arrays, "s", target=1.0)


def _events(count: int) -> list[Event]:
    """Repeat the permits of the sample file with other subjects."""
    sample = read_events(DATA, load_mapping("receipt")).events
    return [
        msgspec.structs.replace(
            sample[n % len(sample)], subject=f"{n // len(sample)}-{sample[n % len(sample)].subject}"
        )
        for n in range(count)
    ]


def _pinned(on: frozenset[int], way: Way) -> Way:
    def pinned_way() -> Sent:
        with pinned(on):
            return way()

    return pinned_way


def _client(bootstrap: str, events: Sequence[Event], spool: Path | None) -> Sent:
    with Producer(bootstrap, spool=spool) as producer:
        began_s, cpu_s = time.perf_counter(), time.process_time()
        for event in events:
            producer.send(event)
        producer.flush()
        return Sent(len(events), time.perf_counter() - began_s, time.process_time() - cpu_s)


def _replay(bootstrap: str, events: Sequence[Event]) -> Sent:
    with Producer(bootstrap) as producer:
        began_s, cpu_s = time.perf_counter(), time.process_time()
        replay(events, producer, clock=time.monotonic, sleep=time.sleep)
        return Sent(len(events), time.perf_counter() - began_s, time.process_time() - cpu_s)


def _arrays(records: Sequence[Record]) -> list[bytes]:
    return [b"[" + b",".join(r.value for r in records[n : n + BATCH]) + b"]" for n in range(0, len(records), BATCH)]


def _lines(records: Sequence[Record]) -> list[bytes]:
    return [b"\n".join(r.value for r in records[n : n + BATCH]) for n in range(0, len(records), BATCH)]


@contextmanager
def _serving(folder: Path, bootstrap: str, on: frozenset[int]) -> Iterator[Callable[[str, list[bytes], int], Sent]]:
    """Run ``nhip serve`` on its core; yield what posts bodies to it."""
    (port,) = free_ports(1)
    tokens = folder / "tokens.json"
    secret = IntakeTokenFile(tokens).create("bench", Limits(["*"]), datetime.now(UTC))
    settings = Settings(
        kafka=bootstrap,
        wall_port=port,
        intake_tokens_file=str(tokens),
        intake_spool=str(folder / "intake.db"),
        intake_rate=1e9,
        log_level="error",
    )
    command = [sys.executable, "-m", "nhip", "serve"]
    with measured("serve", command, folder / "serve.log", settings.environment(), on) as serve:
        headers = {"Authorization": f"Bearer {secret}"}
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while True:
            serve.look()
            try:
                _post(port, {**headers, "Content-Type": "application/json"}, [b"[]"], 400)
            except OSError:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(0.1)
            else:
                break

        def post(content_type: str, bodies: list[bytes], each: int) -> Sent:
            began_s, cpu_s = time.perf_counter(), serve.cpu_s()
            errors: list[BaseException] = []
            connections = SINGLE_CONNECTIONS if each == 1 else CONNECTIONS
            parts = [bodies[n::connections] for n in range(connections)]
            threads = [
                threading.Thread(
                    target=_quietly, args=(errors, port, {**headers, "Content-Type": content_type}, part, 200)
                )
                for part in parts
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if errors:
                raise RuntimeError(f"the intake did not accept everything: {errors[0]}")
            return Sent(len(bodies) * each, time.perf_counter() - began_s, serve.cpu_s() - cpu_s)

        yield post


def _quietly(errors: list[BaseException], *arguments: Any) -> None:
    try:
        _post(*arguments)
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        errors.append(error)


def _post(port: int, headers: dict[str, str], bodies: Sequence[bytes], status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_TIMEOUT_S)
    try:
        for body in bodies:
            connection.request("POST", "/v1/events", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != status:
                raise RuntimeError(f"{answer.status}: {text[:300]!r}")
    finally:
        connection.close()
