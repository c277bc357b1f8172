"""What was sent or answered "accepted" arrives, once and in order, whatever is killed meanwhile."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import httpx
import msgspec
import pytest

from contract.dossier import Dossier
from contract.kind import Event
from nhip.local import LocalKafka
from nhip.local.ports import free_ports
from producers import Producer, Source
from producers.intake import IntakeTokenFile
from producers.intake.grants import Limits
from producers.topics import ensure_topics

pytestmark = pytest.mark.services

RATE_PER_S = 500
DOWN_S = 3.0
SUBJECTS = 40
BATCH = 25
PATIENCE_S = 60.0

Numbers = dict[str, list[int]]


class Serve:
    """``nhip serve`` as a process, which can be killed and started again on the same port and spool."""

    def __init__(self, folder: Path, bootstrap: str) -> None:
        (self.port,) = free_ports(1)
        self.tokens = IntakeTokenFile(folder / "intake-tokens.json")
        self._folder = folder
        settings = {"KAFKA": bootstrap, "WALL_PORT": str(self.port), "STORE_PORT": "1", "LOG_LEVEL": "error"}
        self._environment = {**os.environ, **{f"NHIP_{name}": value for name, value in settings.items()}}
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start it."""
        with (self._folder / "serve.log").open("ab") as log:
            command = [sys.executable, "-m", "nhip", "serve"]
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        """Wait until it listens."""
        assert self._process is not None
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            assert self._process.poll() is None, (self._folder / "serve.log").read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError((self._folder / "serve.log").read_text())

    def end(self, number: int) -> int:
        """Send a signal and wait for the end."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(PATIENCE_S)


class Load:
    """Events of some subjects at a rate, each with its number among those of its subject."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: Numbers = defaultdict(list)
        self._source = Source(name)
        self._count = 0

    def next(self) -> Event:
        """Make the next event."""
        number, place = divmod(self._count, SUBJECTS)
        self._count += 1
        data = Dossier(unit="u", channel="online", status="accepted", supplements=number)
        return self._source.event(f"{self.name}-{place}", data, time=datetime.now(UTC))

    def note(self, event: Event) -> None:
        """Note that an event must arrive."""
        self.sent[event.subject].append(event.data.supplements)  # type: ignore[attr-defined]

    def wait(self, began_s: float) -> None:
        """Keep the rate."""
        time.sleep(max(0.0, began_s + self._count / RATE_PER_S - time.monotonic()))


@contextmanager
def running(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do some work beside the block until its end."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def arrived(bootstrap: str, loads: list[Load]) -> dict[str, Numbers]:
    """First occurrences by load and subject, in the order of the topic, once all are there."""
    consumer = import_module("kafka").KafkaConsumer(
        "nhip.dossiers", bootstrap_servers=[bootstrap], auto_offset_reset="earliest", consumer_timeout_ms=500
    )
    found: dict[str, Numbers] = {load.name: defaultdict(list) for load in loads}
    deadline_s = time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < deadline_s:
            for record in consumer:
                event = msgspec.json.decode(record.value)
                numbers = found[event["source"]][event["subject"]]
                if event["data"]["supplements"] not in numbers:
                    numbers.append(event["data"]["supplements"])
            if all(set(numbers) <= set(found[load.name][s]) for load in loads for s, numbers in load.sent.items()):
                break
    finally:
        consumer.close()
    return found


def test_nothing_is_lost_when_kafka_and_the_intake_are_killed(tmp_path: Path) -> None:
    """500 events a second each through client and intake; Kafka is killed, the intake twice with -9.

    Every event that was sent or answered "accepted" is in Kafka, those of a subject in their order.
    """
    client, http = Load("client"), Load("http")
    with LocalKafka(tmp_path / "kafka") as kafka:
        ensure_topics(kafka.bootstrap, 4, 1)
        serve = Serve(tmp_path, kafka.bootstrap)
        secret = serve.tokens.create("test", Limits(["http"]), datetime.now(UTC))
        serve.launch()
        serve.wait()

        def send(stop: threading.Event) -> None:
            began_s = time.monotonic()
            with Producer(kafka.bootstrap, spool=tmp_path / "client.db") as producer:
                while not stop.is_set():
                    event = client.next()
                    producer.send(event)
                    client.note(event)
                    client.wait(began_s)

        def post(stop: threading.Event) -> None:
            began_s = time.monotonic()
            headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
            with httpx.Client(base_url=f"http://127.0.0.1:{serve.port}", headers=headers, timeout=30) as posting:
                while not stop.is_set():
                    events = [http.next() for _ in range(BATCH)]
                    if accepted(posting, msgspec.json.encode(events), stop):
                        for event in events:
                            http.note(event)
                    http.wait(began_s)

        with running(send), running(post):
            time.sleep(1.5)
            serve.end(signal.SIGKILL)
            serve.launch()
            serve.wait()
            time.sleep(1.0)
            kafka.kill_broker(1)
            time.sleep(DOWN_S)
            serve.end(signal.SIGKILL)
            serve.launch()
            kafka.start_broker(1)
            serve.wait()
            time.sleep(1.0)
        found = arrived(kafka.bootstrap, [client, http])
        ended = serve.end(signal.SIGTERM)

    for load in (client, http):
        assert sum(map(len, load.sent.values())) > RATE_PER_S
        for subject, numbers in load.sent.items():
            assert [n for n in found[load.name][subject] if n in set(numbers)] == numbers
            assert found[load.name][subject] == sorted(found[load.name][subject])
    assert ended == 0


def accepted(posting: httpx.Client, body: bytes, stop: threading.Event) -> bool:
    """Send until the answer is "accepted", as a system would; False when the test ends before."""
    while True:
        try:
            answer = posting.post("/v1/events", content=body)
            if answer.status_code == 200:
                return True
            assert answer.status_code == 503, answer.text
        except httpx.TransportError:
            pass
        if stop.is_set():
            return False
        time.sleep(0.1)
