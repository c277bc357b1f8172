"""The client against a real Kafka, and its failures without one."""

import socket
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest

from contract.dossier import Dossier, DossierEvent
from contract.kind import Event
from contract.partition import partition_of
from contract.registry import KINDS
from producers import Producer, direct
from producers.client import DeliveryError, EventTooLargeError, KafkaUnreachableError, ProducerError
from producers.driver import KafkaError, admin_client
from producers.mapping import load_mapping
from producers.reach import servers, wait_for_listener
from producers.replay import read_events
from producers.topics import RETENTION_MS, ensure_topics, partition_counts

DATA = Path(__file__).parents[2] / "data"
PARTITIONS = 4


class Kafka(Protocol):
    """What the project's fixture gives."""

    bootstrap: str


class FakeFuture:
    """A driver's promise that can be broken."""

    def __init__(self) -> None:
        self.broken: list[Any] = []

    def add_errback(self, call: Any, *args: Any) -> None:
        """Remember whom to tell."""
        self.broken.append((call, args))

    def fail(self, error: Exception) -> None:
        """Tell them."""
        for call, args in self.broken:
            call(*args, error)


class FakeDriver:
    """A driver that promises everything and keeps nothing."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes | None]] = []
        self.futures: list[FakeFuture] = []
        self.flushes = self.closes = 0

    def send(self, topic: str, value: bytes, key: bytes | None) -> FakeFuture:
        """Take a record."""
        self.sent.append((topic, value, key))
        self.futures.append(FakeFuture())
        return self.futures[-1]

    def flush(self, _timeout_s: float) -> None:
        """Count."""
        self.flushes += 1

    def close(self, timeout: float) -> None:
        """Count."""
        assert timeout >= 0
        self.closes += 1


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    """A driver in place of Kafka's."""
    fake = FakeDriver()
    monkeypatch.setattr(direct, "connect", lambda *_, **__: fake)
    monkeypatch.setattr(direct, "wait_for_listener", lambda _addresses, timeout_s: timeout_s)
    return fake


def event(subject: str, field: str = "land") -> Event:
    """An event of a dossier."""
    moment = read_events(DATA / "fines.csv", load_mapping("fines")).events[0].time
    return DossierEvent(
        specversion="1.0",
        source="test",
        id=f"{subject}/1",
        subject=subject,
        time=moment,
        version=1,
        data=Dossier(unit="u", channel="online", status="accepted", field=field),
    )


class TestFailures:
    """Failures surface, without a broker."""

    def test_failed_delivery_surfaces_once(self, driver: FakeDriver) -> None:
        """A failed record raises on the next call, with the number of keys and the first cause."""
        producer = Producer("k:1")
        for key in (b"a", b"b", b"a"):
            producer.send_raw("t", key, b"{}")
        for i, future in enumerate(driver.futures):
            future.fail(OSError(f"disk {i}"))

        with pytest.raises(DeliveryError, match=r"t: records of 2 key\(s\).*disk 0") as caught:
            producer.send_raw("t", b"c", b"{}")

        assert (caught.value.topic, caught.value.keys) == ("t", 2)
        producer.flush()
        producer.close()

    @pytest.mark.parametrize("call", ["flush", "close"])
    def test_flush_and_close_raise_too(self, driver: FakeDriver, call: str) -> None:
        """Nothing is lost silently at the end; the connection is closed all the same."""
        producer = Producer("k:1")
        producer.send_raw("t", b"a", b"{}")
        driver.futures[0].fail(OSError("gone"))

        with pytest.raises(DeliveryError):
            getattr(producer, call)()

        producer.close()
        producer.close()
        assert driver.closes == 1

    def test_block_that_fails_keeps_its_error(self, driver: FakeDriver) -> None:
        """An error of the block is raised; that of closing is a note on it."""

        def block() -> None:
            with Producer("k:1") as producer:
                producer.send_raw("t", b"a", b"{}")
                driver.futures[0].fail(OSError("gone"))
                raise KeyError

        with pytest.raises(KeyError) as caught:
            block()

        assert "while closing the producer" in caught.value.__notes__[0]

    def test_clean_block_raises_what_closing_finds(self, driver: FakeDriver) -> None:
        """A block that went well still fails when its records did."""

        def block() -> None:
            with Producer("k:1") as producer:
                producer.send_raw("t", b"a", b"{}")
                driver.futures[0].fail(OSError("gone"))

        with pytest.raises(DeliveryError):
            block()

    def test_timeout_of_a_flush(self, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
        """A flush that runs out of time says that records may be missing."""
        producer = Producer("k:1")

        def late(_timeout_s: float) -> None:
            raise KafkaError("late")

        monkeypatch.setattr(driver, "flush", late)

        with pytest.raises(DeliveryError, match="did not acknowledge everything within 1 s"):
            producer.flush(1)

    def test_too_large(self, driver: FakeDriver) -> None:
        """An event that readers would refuse is not sent."""
        producer = Producer("k:1")

        with pytest.raises(EventTooLargeError, match="65536"):
            producer.send(event("a", field="x" * 70_000))

        assert not driver.sent

    def test_memory_is_bounded(self, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
        """Once enough bytes are on their way, send waits for Kafka."""
        monkeypatch.setattr(direct, "MAX_PENDING_BYTES", 100)
        producer = Producer("k:1")

        for _ in range(10):
            producer.send_raw("t", b"a", b"x" * 30)

        assert driver.flushes == 2

    def test_closed(self, driver: FakeDriver) -> None:
        """A closed producer refuses to send."""
        producer = Producer("k:1")
        producer.close()

        with pytest.raises(ProducerError, match="closed"):
            producer.send_raw("t", b"a", b"{}")

        assert driver.closes == 1


class TestReach:
    """Addresses, and whether anything listens there."""

    @pytest.mark.parametrize(
        ("text", "expected"), [("a:1, b:2", ["a:1", "b:2"]), ("a", ["a"]), ("[::1]:9092", ["[::1]:9092"])]
    )
    def test_addresses(self, text: str, expected: list[str]) -> None:
        """Several addresses stand in one text."""
        assert servers(text) == expected

    @pytest.mark.parametrize("text", ["", ":", "a:b", "a:99999", "a:1,,b:2"])
    def test_slips_are_named(self, text: str) -> None:
        """What is no address is said to be none, before anything is tried."""
        with pytest.raises(KafkaUnreachableError, match="write host:port"):
            servers(text)

    def test_nobody_listens(self) -> None:
        """Where nothing listens, one sentence says where, why and what to do, in time."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            began = time.monotonic()

            with pytest.raises(KafkaUnreachableError, match=f"127.0.0.1:{port}: .*refused.*nhip up"):
                Producer(f"127.0.0.1:{port}", connect_timeout_s=0.5)

        assert time.monotonic() - began < 5

    def test_late_listener_is_found(self) -> None:
        """A broker that is just starting is waited for."""
        with socket.socket() as late:
            late.bind(("127.0.0.1", 0))
            timer = threading.Timer(0.3, late.listen)
            timer.start()

            left_s = wait_for_listener([f"127.0.0.1:{late.getsockname()[1]}"], 5)
            timer.join()

        assert 1 <= left_s < 5


@pytest.mark.services
class TestKafka:
    """The client on a real broker."""

    def test_topics(self, kafka: Kafka) -> None:
        """Topics are made with a long retention, and are left alone afterwards."""
        made = ensure_topics(kafka.bootstrap, PARTITIONS, 1)

        again = ensure_topics(kafka.bootstrap, PARTITIONS + 4, 1)

        assert set(made) == {k.topic for k in KINDS}
        assert again == made == partition_counts(kafka.bootstrap)
        resource = import_module("kafka.admin").ConfigResource
        admin = admin_client(bootstrap_servers=[kafka.bootstrap])
        found = admin.describe_configs([resource("TOPIC", "nhip.dossiers")])["topic"]["nhip.dossiers"]
        admin.close()
        assert {k: found[k]["value"] for k in ("retention.ms", "retention.bytes", "cleanup.policy")} == {
            "retention.ms": str(RETENTION_MS),
            "retention.bytes": "-1",
            "cleanup.policy": "delete",
        }

    def test_round_trip(self, kafka: Kafka) -> None:
        """Events arrive whole, keyed by subject, in the partition where a Java client would put them."""
        partitions = ensure_topics(kafka.bootstrap, PARTITIONS, 1)["nhip.payments"]
        prefix = f"{time.time_ns()}-"
        events = [
            msgspec.structs.replace(e, subject=prefix + e.subject)
            for e in read_events(DATA / "fines.csv", load_mapping("fines")).events
        ]

        with Producer(kafka.bootstrap) as producer:
            for one in events:
                producer.send(one)

        records = [r for r in _records(kafka.bootstrap, "nhip.payments") if r.key.decode().startswith(prefix)]
        expected = sorted(msgspec.json.encode(e) for e in events)
        assert sorted(r.value for r in records) == expected
        assert all(r.partition == partition_of(r.key, partitions) for r in records)
        for subject in {e.subject for e in events}:
            sent = [msgspec.json.encode(e) for e in events if e.subject == subject]
            assert [r.value for r in records if r.key == subject.encode()] == sent

    def test_unknown_topic_is_not_made(self, kafka: Kafka) -> None:
        """A misspelt topic is an error with a remedy, never a new topic."""
        with (
            Producer(kafka.bootstrap, connect_timeout_s=1) as producer,
            pytest.raises(KafkaUnreachableError, match=r"nhip\.dosiers is not known.*ensure_topics"),
        ):
            producer.send_raw("nhip.dosiers", b"k", b"{}")

        admin = admin_client(bootstrap_servers=[kafka.bootstrap])
        topics = admin.list_topics()
        admin.close()
        assert "nhip.dosiers" not in topics


def _records(bootstrap: str, topic: str) -> list[Any]:
    consumer = import_module("kafka").KafkaConsumer(
        topic, bootstrap_servers=[bootstrap], auto_offset_reset="earliest", consumer_timeout_ms=3000
    )
    try:
        return list(consumer)
    finally:
        consumer.close()
