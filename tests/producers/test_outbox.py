"""The producer with a spool, on a driver that a test directs: order, failures, back-pressure, closing."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from producers import Producer, outbox
from producers.errors import DeliveryError, EventTooLargeError, KafkaUnreachableError, SpoolFullError, SpoolInUseError
from producers.receipt import Entry, Receipt
from producers.spool import Record, Spool
from producers.statistics import Statistics

TOPIC = "nhip.dossiers"
PATIENCE_S = 20.0


class Promise:
    """What the driver promises of one record."""

    def __init__(self) -> None:
        self.kept: list[Callable[[Any], None]] = []
        self.broken: list[Callable[[Any], None]] = []
        self.done = False

    def chain(self, entry: Entry) -> None:
        if self.done:
            entry.success(None)
        self.kept.append(entry.success)
        self.broken.append(entry.failure)

    def keep(self) -> None:
        """Say that the record is stored."""
        self.done = True
        for call in self.kept:
            call(None)


class Kafka:
    """A cluster: what it has acknowledged, whether it is up, and the records that wait in drivers."""

    def __init__(self) -> None:
        self.up = self.reachable = True
        self.log: list[bytes] = []
        self.held: list[tuple[bytes, Promise]] = []
        self.connections = 0
        self.lock = threading.Lock()

    def recover(self) -> None:
        """Come back: what drivers hold is stored, in their order."""
        with self.lock:
            self.up = self.reachable = True
            held, self.held = self.held, []
            for value, promise in held:
                self.log.append(value)
                promise.keep()

    def give_up(self) -> None:
        """Let the driver fail everything that it holds."""
        with self.lock:
            held, self.held = self.held, []
        for _, promise in held:
            for call in promise.broken:
                call(OSError("given up"))

    def connect(self, *_: Any, **__: Any) -> "Driver":
        """Make a driver."""
        if not self.reachable:
            raise KafkaUnreachableError("down")
        self.connections += 1
        return Driver(self)


class Driver:
    """One connection."""

    def __init__(self, kafka: Kafka) -> None:
        self.kafka = kafka
        self._sender = self

    def partitions_for(self, _: str) -> set[int]:
        return {0}

    def send(self, _topic: str, value: bytes, _key: bytes | None) -> Promise:
        promise = Promise()
        with self.kafka.lock:
            if not self.kafka.up:
                self.kafka.held.append((value, promise))
                return promise
            self.kafka.log.append(value)
        promise.keep()
        return promise

    def close(self, timeout: float) -> None:
        assert timeout >= 0


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """A cluster in place of the real one, with short pauses."""
    fake = Kafka()

    def listener(_: object, timeout_s: float) -> float:
        if not fake.reachable:
            raise KafkaUnreachableError("nobody listens")
        return timeout_s

    monkeypatch.setattr(outbox, "connect", fake.connect)
    monkeypatch.setattr(outbox, "wait_for_listener", listener)
    monkeypatch.setattr(outbox, "ACK_TIMEOUT_S", 0.2)
    monkeypatch.setattr(outbox, "RETRY_S", 0.05)
    monkeypatch.setattr(outbox, "IDLE_TURN_S", 0.02)
    return fake


def send(producer: Producer, *numbers: int) -> None:
    """Send records that tell their numbers."""
    for number in numbers:
        producer.send_raw(TOPIC, b"k", b"%d" % number)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must come."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def log(kafka: Kafka) -> list[int]:
    """First occurrences in Kafka, in order."""
    return list(dict.fromkeys(map(int, kafka.log)))


def test_kafka_goes_and_comes_back(kafka: Kafka, tmp_path: Path) -> None:
    """What is under way and all that follows goes to disk, and to Kafka later: in order, once."""
    with Producer("k:1", spool=tmp_path / "s.db") as producer:
        send(producer, 0, 1)
        producer.flush()
        kafka.up = False
        send(producer, 2, 3)
        until(lambda: producer.statistics().spooled == 2)
        send(producer, 4, 5)
        producer.flush()
        held = producer.statistics()
        kafka.recover()
        send(producer, 6)
        until(lambda: producer.statistics().acknowledged == 7)
        send(producer, 7)

    assert (held.sent, held.acknowledged, held.spooled) == (6, 2, 4)
    assert held.last_error is not None
    assert kafka.log == [b"%d" % n for n in range(8)]
    assert producer.statistics() == Statistics(sent=8, acknowledged=8)


def test_starts_without_kafka_and_goes_on_in_the_next_process(kafka: Kafka, tmp_path: Path) -> None:
    """A producer starts while Kafka is down; close() says what stays; the next one sends it first."""
    kafka.reachable = False
    producer = Producer("k:1", spool=tmp_path / "s.db")
    send(producer, 0, 1, 2)
    left = producer.close()
    assert (left, kafka.log) == (3, [])

    kafka.reachable = True
    with Producer("k:1", spool=tmp_path / "s.db") as again:
        send(again, 3)

    assert again.close() == 0
    assert kafka.log == [b"0", b"1", b"2", b"3"]


def test_a_driver_that_gives_up_is_replaced(kafka: Kafka, tmp_path: Path) -> None:
    """Records that a driver has failed are sent again by another, in order."""
    with Producer("k:1", spool=tmp_path / "s.db") as producer:
        kafka.up = False
        send(producer, 0, 1, 2)
        kafka.give_up()
        until(lambda: kafka.connections == 2 and len(kafka.held) == 3)
        kafka.recover()
        until(lambda: producer.statistics().spooled == 0)
        send(producer, 3)

    assert kafka.log == [b"0", b"1", b"2", b"3"]


def test_full_spool_pushes_back(kafka: Kafka, tmp_path: Path) -> None:
    """A full spool lets send() wait, then fail; nothing of the call is taken, and nothing before it is lost."""
    kafka.reachable = False
    producer = Producer("k:1", spool=tmp_path / "s.db", spool_bytes=1_000, spool_wait_s=0.2)
    began_s = time.monotonic()
    with pytest.raises(SpoolFullError, match="neither Kafka nor the spool"):
        send(producer, *range(99))
    taken = producer.statistics().spooled
    waited_s = time.monotonic() - began_s
    assert 5 < taken < 99
    assert waited_s >= 0.2

    kafka.recover()
    until(lambda: producer.statistics().acknowledged == taken)
    send(producer, taken)
    producer.close()

    assert log(kafka) == list(range(taken + 1))


def test_what_is_under_way_when_the_spool_is_full_is_not_lost(kafka: Kafka, tmp_path: Path) -> None:
    """More under way than the spool holds: close() says so loudly; Kafka's return sends all in order."""
    producer = Producer("k:1", spool=tmp_path / "s.db", spool_bytes=500)
    kafka.up = False
    send(producer, *range(40))
    with pytest.raises(DeliveryError, match="neither in Kafka nor in"):
        producer.flush(0.5)

    kafka.recover()
    producer.close()

    assert log(kafka) == list(range(40))


def test_receipts_come_when_safe(kafka: Kafka, tmp_path: Path) -> None:
    """A receipt is told once: by Kafka, or by the spool while Kafka is away."""
    told: list[BaseException | None] = []
    with Producer("k:1", spool=tmp_path / "s.db") as producer:
        producer.put([Record(TOPIC, b"k", b"0"), Record(TOPIC, b"k", b"1")], Receipt(2, told.append))
        until(lambda: told == [None])
        kafka.up = False
        producer.put([Record(TOPIC, b"k", b"2")], Receipt(1, told.append))
        until(lambda: told == [None, None])
        assert producer.statistics().spooled == 1
        kafka.recover()

    assert told == [None, None]


def test_many_threads_keep_each_keys_order(kafka: Kafka, tmp_path: Path) -> None:
    """Threads that send while Kafka comes and goes: all arrives, each thread's own in its order."""
    with Producer("k:1", spool=tmp_path / "s.db") as producer:

        def work(first: int) -> None:
            for number in range(first, first + 200):
                send(producer, number)
                time.sleep(0.002)

        threads = [threading.Thread(target=work, args=(n * 1_000,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            kafka.up = False
            time.sleep(0.3)
            kafka.recover()
            time.sleep(0.1)
        for thread in threads:
            thread.join()

    found = log(kafka)
    assert len(found) == 800
    for n in range(4):
        assert [x for x in found if x // 1_000 == n] == list(range(n * 1_000, n * 1_000 + 200))


def test_one_spool_for_one_producer(kafka: Kafka, tmp_path: Path) -> None:
    """A second producer on the same spool is refused; what no broker takes never gets into it."""
    assert kafka.up
    with Producer("k:1", spool=tmp_path / "s.db") as producer:
        with pytest.raises(SpoolInUseError):
            Producer("k:1", spool=tmp_path / "s.db")
        with pytest.raises(EventTooLargeError):
            producer.send_raw(TOPIC, b"k", bytes(1_000_000))

    Spool(tmp_path / "s.db").close()
